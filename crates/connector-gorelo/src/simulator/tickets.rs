//! Tickets made, changed and commented on. The answer is an id only.

use integration::Method;
use serde_json::{Value, json};
use vendorkit::{
    World,
    world::{Gravity, Ticket, TicketState},
};

use super::{No, State, account, bodies, ids, no, unknown, writes::said};

pub(super) fn run(
    world: &mut World,
    state: &mut State,
    method: Method,
    path: &[&str],
    body: &Value,
) -> Result<Value, No> {
    match (method, path) {
        (Method::Post, ["tickets"]) => {
            bodies::check(body, bodies::NEW_TICKET)?;
            let home = ids::number(ids::CLIENT, body["ClientId"].as_u64())?;
            account::business(world, home)?;
            check(world, body, "GroupId")?;
            let now = world.now;
            let blank = Ticket {
                key: 0,
                title: String::new(),
                description: plain(said(body, "Description").unwrap_or_default()),
                state: TicketState::New,
                gravity: Gravity::Info,
                person: None,
                assignee: None,
                notes: Vec::new(),
                created: now,
                updated: now,
                due: None,
                closed: None,
            };
            let key = world.add_ticket(home, blank).ok_or_else(unknown)?;
            set(world, key, body);
            state.groups.extend(body["GroupId"].as_u64().map(|group| (key, group)));
            Ok(json!({ "Id": ids::guid(ids::TICKET, key) }))
        }
        (Method::Patch, ["tickets", id]) => {
            let key = known(world, id)?;
            bodies::check(body, bodies::TICKET)?;
            if body.as_object().is_none_or(|fields| fields.values().all(Value::is_null)) {
                return Err(no(400, "070206", "The request must contain at least one field", ""));
            }
            check(world, body, "")?;
            set(world, key, body);
            state.groups.extend(body["GroupIds"][0].as_u64().map(|group| (key, group)));
            Ok(json!({ "Id": ids::guid(ids::TICKET, key) }))
        }
        (Method::Post, ["tickets", id, "comments"]) => {
            let key = known(world, id)?;
            bodies::check(body, bodies::COMMENT)?;
            let public = match body["ConversationTypeId"].as_u64() {
                Some(1) => true,
                Some(2) => false,
                _ => return Err(no(400, "070203", "Unknown conversation type", "ConversationTypeId")),
            };
            let text = said(body, "Body").unwrap_or_default().to_owned();
            world.change_ticket(key, |ticket| ticket.notes.push((text, public)));
            Ok(json!({ "Id": ids::guid("c0ffee00", key) }))
        }
        _ => Err(unknown()),
    }
}

fn known(world: &World, id: &str) -> Result<u64, No> {
    let key = ids::key_of(ids::TICKET, id)?;
    let (business, _) = world.ticket(key).ok_or_else(unknown)?;
    account::business(world, business.key).map(|_| key)
}

/// Numbers that a ticket refers to must exist.
fn check(world: &World, body: &Value, group: &str) -> Result<(), No> {
    let wrong = |name: &str| Err(no(400, "070203", "Unknown value", name));
    let is = |name: &str, known: &dyn Fn(u64) -> bool| body[name].as_u64().is_none_or(known);
    if !is("StatusId", &|id| account::STATUSES.iter().any(|(known, ..)| *known == id)) {
        return wrong("StatusId");
    }
    if !is("PriorityId", &|id| account::PRIORITIES.iter().any(|(known, ..)| *known == id)) {
        return wrong("PriorityId");
    }
    if !is("TypeId", &|id| account::TYPES.iter().any(|(known, _)| *known == id)) {
        return wrong("TypeId");
    }
    if !group.is_empty() && !is(group, &|id| account::GROUPS.iter().any(|(known, _)| *known == id)) {
        return wrong(group);
    }
    match body["ContactId"].as_u64() {
        Some(id) => account::person(world, ids::number(ids::CONTACT, Some(id))?).map(|_| ()),
        None => Ok(()),
    }
}

fn set(world: &mut World, key: u64, body: &Value) {
    let now = world.now;
    let person = ids::number(ids::CONTACT, body["ContactId"].as_u64()).ok();
    world.change_ticket(key, |ticket| {
        if let Some(title) = said(body, "Title") {
            title.clone_into(&mut ticket.title);
        }
        if let Some((.., known)) = account::STATUSES.iter().find(|(id, ..)| body["StatusId"].as_u64() == Some(*id)) {
            ticket.state = *known;
            // Opened again, it keeps when it was closed.
            ticket.closed = if *known == TicketState::Closed { Some(now) } else { ticket.closed };
        }
        if let Some((.., known)) = account::PRIORITIES.iter().find(|(id, ..)| body["PriorityId"].as_u64() == Some(*id))
        {
            ticket.gravity = *known;
        }
        ticket.person = person.or(ticket.person);
    });
}

/// Without what stands in angle brackets: the vendor drops it from a description.
fn plain(text: &str) -> String {
    let mut inside = false;
    let mut keep = |letter: &char| {
        let kept = !inside && *letter != '<';
        inside = (inside || *letter == '<') && *letter != '>';
        kept
    };
    text.chars().filter(|letter| keep(letter)).collect()
}
