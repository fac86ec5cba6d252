//! Tickets made and changed, and comments on them.

use serde_json::{Value, json};
use vendorkit::{
    World,
    world::{Gravity, Ticket, TicketState},
};

use super::{
    Answer, No, State, lists, records, refused, unknown,
    writes::{Fields, number, text},
};

pub(super) fn make(state: &mut State, world: &mut World, fields: &Fields) -> Answer {
    let customer = number(fields, "customer_id")?;
    let customer = customer.ok_or_else(|| No(422, json!({ "error": "Customer required field" })))?;
    let home = lists::home(world, customer)?.key;
    text(fields, "subject").filter(|text| !text.is_empty()).ok_or_else(|| refused("Subject can't be blank"))?;
    let said = said(world, fields)?;
    let first = fields.get("comments_attributes").map(|comments| &comments[0]);
    let description = match first {
        Some(comment) if comment["subject"].as_str().is_none_or(str::is_empty) => {
            return Err(refused("Comments subject can't be blank"));
        }
        Some(comment) => comment["body"].as_str().unwrap_or_default().to_owned(),
        None => String::new(),
    };
    let now = world.now;
    let blank = Ticket {
        key: 0,
        title: String::new(),
        description,
        state: TicketState::New,
        gravity: Gravity::Medium,
        person: None,
        assignee: None,
        notes: Vec::new(),
        created: now,
        updated: now,
        due: None,
        closed: None,
    };
    let key = world.add_ticket(home, blank).ok_or_else(unknown)?;
    apply(state, world, key, said)
}

pub(super) fn change(state: &mut State, world: &mut World, key: u64, fields: &Fields) -> Answer {
    lists::known(world.ticket(key).ok_or_else(unknown)?.0)?;
    if text(fields, "subject").is_some_and(|text| text.is_empty()) {
        return Err(refused("Subject can't be blank"));
    }
    let said = said(world, fields)?;
    apply(state, world, key, said)
}

/// What a request says of a ticket, checked before anything is changed.
struct Said {
    title: Option<String>,
    status: Option<(String, TicketState)>,
    gravity: Option<Gravity>,
    person: Option<u64>,
}

fn said(world: &World, fields: &Fields) -> Result<Said, No> {
    let status = text(fields, "status").map(|word| match records::state_of(&word) {
        Some(state) => Ok((word, state)),
        None => Err(refused("Status is not included in the list")),
    });
    let all = [Gravity::Critical, Gravity::High, Gravity::Medium, Gravity::Low];
    let gravity = text(fields, "priority").map(|word| {
        let found = all.into_iter().find(|gravity| records::priority_of(*gravity) == word);
        found.ok_or_else(|| refused("Priority is not included in the list"))
    });
    let person = number(fields, "contact_id")?;
    if let Some(key) = person {
        records::find_person(world, key).ok_or_else(|| refused("Contact must exist"))?;
    }
    Ok(Said { title: text(fields, "subject"), status: status.transpose()?, gravity: gravity.transpose()?, person })
}

fn apply(state: &mut State, world: &mut World, key: u64, said: Said) -> Answer {
    let now = world.now;
    let status = said.status.clone();
    world.change_ticket(key, |ticket| {
        ticket.title = said.title.unwrap_or_else(|| ticket.title.clone());
        ticket.gravity = said.gravity.unwrap_or(ticket.gravity);
        ticket.person = said.person.or(ticket.person);
        if let Some((_, state)) = &status {
            ticket.state = *state;
            ticket.closed = (*state == TicketState::Closed).then_some(now);
        }
    });
    if let Some((word, _)) = said.status {
        state.statuses.insert(key, word);
    }
    let (business, one) = world.ticket(key).ok_or_else(unknown)?;
    Ok(json!({ "ticket": records::ticket(state, business, one, true) }))
}

pub(super) fn comment(state: &mut State, world: &mut World, key: u64, fields: &Fields) -> Answer {
    lists::known(world.ticket(key).ok_or_else(unknown)?.0)?;
    let said = |field: &str| text(fields, field).filter(|text| !text.trim().is_empty());
    let blank: Vec<&str> = [("body", "Body can't be blank"), ("subject", "Subject can't be blank")]
        .into_iter()
        .filter(|(field, _)| said(field).is_none())
        .map(|(_, words)| words)
        .collect();
    if !blank.is_empty() {
        return Err(No(422, json!({ "success": false, "message": blank })));
    }
    let hidden = fields.get("hidden").and_then(Value::as_bool).unwrap_or(false);
    let body = said("body").unwrap_or_default();
    world.change_ticket(key, |ticket| ticket.notes.push((body.clone(), !hidden)));
    state.comments += 1;
    Ok(json!({
        "comment": {
            "id": state.comments, "ticket_id": key, "subject": said("subject"), "body": body, "hidden": hidden,
            "tech": "Integration", "user_id": 1,
        },
    }))
}
