//! Tickets made, changed and noted on.

use serde_json::{Value, json};
use vendorkit::{
    World,
    world::{Ticket, TicketState},
};

use super::{Problem, State, ids, rows, words, writes::said};

pub(super) fn create(world: &mut World, state: &mut State, input: &Value) -> Result<Value, Problem> {
    let home = ids::named(ids::CLIENT, &input["client"]["accountId"])?;
    rows::business(world, home)?;
    if said(input, "status").is_none() {
        return Err(Problem("mandatory_validation_failed", "status"));
    }
    let now = world.now;
    let blank = Ticket {
        key: 0,
        title: String::new(),
        description: said(input, "description").unwrap_or_default().to_owned(),
        state: TicketState::New,
        gravity: words::PRIORITIES[0].1,
        person: None,
        assignee: None,
        notes: Vec::new(),
        created: now,
        updated: now,
        due: None,
        closed: None,
    };
    check(world, input)?;
    let key = world.add_ticket(home, blank).ok_or(Problem("entity_does_not_exist", ""))?;
    write(world, state, key, input)?;
    rows::ticket(world, state, key)
}

pub(super) fn update(world: &mut World, state: &mut State, input: &Value) -> Result<Value, Problem> {
    let key = ids::named(ids::TICKET, &input["ticketId"])?;
    rows::ticket(world, state, key)?;
    write(world, state, key, input)?;
    rows::ticket(world, state, key)
}

/// Words and ids that a ticket refers to must exist.
fn check(world: &World, input: &Value) -> Result<(), Problem> {
    if said(input, "status").is_some_and(|word| !words::STATUSES.iter().any(|(known, _)| *known == word)) {
        return Err(Problem("referred_value_does_not_exist", "status"));
    }
    if said(input, "priority").is_some_and(|word| !words::PRIORITIES.iter().any(|(known, _)| *known == word)) {
        return Err(Problem("referred_value_does_not_exist", "priority"));
    }
    if !input["techGroup"].is_null() {
        let group = ids::named(ids::GROUP, &input["techGroup"]["groupId"])?;
        if !(1..=words::GROUPS.len() as u64).contains(&group) {
            return Err(Problem("referred_value_does_not_exist", "techGroup"));
        }
    }
    if !input["requester"].is_null() {
        rows::person(world, ids::named(ids::USER, &input["requester"]["userId"])?)?;
    }
    Ok(())
}

fn write(world: &mut World, state: &mut State, key: u64, input: &Value) -> Result<(), Problem> {
    check(world, input)?;
    let now = world.now;
    let person = ids::named(ids::USER, &input["requester"]["userId"]).ok();
    world.change_ticket(key, |ticket| {
        if let Some(subject) = said(input, "subject") {
            subject.clone_into(&mut ticket.title);
        }
        if let Some((_, known)) = words::STATUSES.iter().find(|(word, _)| said(input, "status") == Some(word)) {
            ticket.state = *known;
            ticket.closed = (*known == TicketState::Closed).then_some(now);
        }
        if let Some((_, known)) = words::PRIORITIES.iter().find(|(word, _)| said(input, "priority") == Some(word)) {
            ticket.gravity = *known;
        }
        ticket.person = person.or(ticket.person);
    });
    if let Ok(group) = ids::named(ids::GROUP, &input["techGroup"]["groupId"]) {
        state.groups.insert(key, group);
    }
    Ok(())
}

pub(super) fn note(world: &mut World, state: &State, input: &Value) -> Result<Value, Problem> {
    let key = ids::named(ids::TICKET, &input["ticket"]["ticketId"])?;
    rows::ticket(world, state, key)?;
    let text = said(input, "content").unwrap_or_default().to_owned();
    let public = said(input, "privacyType") == Some("PUBLIC");
    world.change_ticket(key, |ticket| ticket.notes.push((text.clone(), public)));
    Ok(json!({ "noteId": ids::text(ids::WORD, 99), "content": text }))
}
