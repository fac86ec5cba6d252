//! Writing to tickets.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use integration::Vendor;
use serde_json::{Map, Value};
use vendorkit::{
    World,
    world::{Gravity, Ticket, TicketState},
};

use super::{
    No, State,
    changes::{required, text},
    meanings::{NOTE_TYPES, PRIORITIES, PUBLISH, QUEUES, STATES},
    no, rows,
};
use crate::Autotask;

pub(super) fn new_ticket(world: &mut World, state: &mut State, fields: &Map<String, Value>) -> Result<u64, No> {
    required(fields, &["companyID", "title", "status", "priority", "queueID", "dueDateTime"])?;
    let of = fields["companyID"].as_u64().and_then(|id| rows::business(world, id)).map(|of| of.key);
    let Some(of) = of else { return no("The companyID does not exist.") };
    let due = text(&fields["dueDateTime"]).parse().ok();
    if due.is_none() || text(&fields["title"]).chars().count() > 255 {
        return no("The title is too long, or dueDateTime is no time.");
    }
    let ticket = Ticket {
        key: 0,
        title: String::new(),
        description: String::new(),
        state: TicketState::New,
        gravity: Gravity::Medium,
        person: None,
        assignee: None,
        notes: Vec::new(),
        created: world.now,
        updated: world.now,
        due,
        closed: None,
    };
    let key = world.add_ticket(of, ticket).unwrap_or_default();
    let mut rest = fields.clone();
    rest.retain(|name, _| !matches!(name.as_str(), "companyID" | "dueDateTime"));
    change_ticket(world, state, key, &rest)?;
    Ok(key)
}

pub(super) fn change_ticket(
    world: &mut World,
    state: &mut State,
    key: u64,
    fields: &Map<String, Value>,
) -> Result<(), No> {
    let now = world.now;
    for (name, value) in fields {
        let id = value.as_u64();
        match name.as_str() {
            "title" => drop(world.change_ticket(key, |ticket| ticket.title = text(value))),
            "description" => drop(world.change_ticket(key, |ticket| ticket.description = text(value))),
            "status" => {
                let known = STATES.iter().find(|(status, ..)| Some(*status) == id);
                let Some((_, _, to)) = known else { return no("status is not in the picklist.") };
                world.change_ticket(key, |ticket| {
                    ticket.state = *to;
                    ticket.closed = (*to == TicketState::Closed).then_some(now);
                });
            }
            "priority" => {
                let known = PRIORITIES.iter().find(|(priority, ..)| Some(*priority) == id);
                let Some((_, _, gravity)) = known else { return no("priority is not in the picklist.") };
                world.change_ticket(key, |ticket| ticket.gravity = *gravity);
            }
            "queueID" => match QUEUES.iter().find(|(queue, _)| Some(*queue) == id) {
                Some((queue, _)) => drop(state.queues.insert(key, *queue)),
                None => return no("queueID is not in the picklist."),
            },
            "contactID" => {
                let there = world.ticket(key).is_some_and(|(of, _)| id.is_some_and(|id| of.person(id).is_some()));
                if !there {
                    return no("contactID does not belong to the company.");
                }
                world.change_ticket(key, |ticket| ticket.person = id);
            }
            other => return no(format!("Unable to find {other} in the Ticket entity.")),
        }
    }
    Ok(())
}

pub(super) fn new_note(world: &mut World, state: &mut State, key: u64, fields: &Map<String, Value>) -> Result<u64, No> {
    required(fields, &["title", "description", "noteType", "publish"])?;
    let listed = |list: &[(u64, &str)], name: &str| list.iter().any(|(value, _)| fields[name].as_u64() == Some(*value));
    if !listed(&NOTE_TYPES, "noteType") || !listed(&PUBLISH, "publish") {
        return no("noteType or publish is not in the picklist.");
    }
    if world.ticket(key).is_none_or(|(of, _)| !of.vendors.contains(Autotask::ID)) {
        return no("The ticket does not exist");
    }
    let note = (text(&fields["description"]), fields["publish"] == 1);
    world.change_ticket(key, |ticket| ticket.notes.push(note));
    state.notes += 1;
    Ok(state.notes)
}

/// Bytes of a file at which it begins to refuse.
const FILE: usize = 6_291_456;

pub(super) fn new_file(world: &World, state: &mut State, key: u64, fields: &Map<String, Value>) -> Result<u64, No> {
    required(fields, &["attachmentType", "title", "fullPath", "publish", "data"])?;
    if fields["attachmentType"] != "FILE_ATTACHMENT"
        || !PUBLISH.iter().any(|(value, _)| fields["publish"].as_u64() == Some(*value))
    {
        return no("attachmentType or publish is not in the picklist.");
    }
    if world.ticket(key).is_none_or(|(of, _)| !of.vendors.contains(Autotask::ID)) {
        return no("The ticket does not exist");
    }
    match STANDARD.decode(text(&fields["data"])) {
        Ok(content) if content.len() <= FILE && !content.is_empty() => {}
        _ => return no("The attachment is too large, or is no file."),
    }
    let files = state.files.entry(key).or_default();
    files.push(text(&fields["title"]));
    Ok(files.len() as u64)
}
