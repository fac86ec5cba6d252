//! Tickets made and changed, and actions on them.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use vendorkit::{
    World,
    world::{Gravity, Ticket, TicketState},
};

use super::{
    Answer, No, State, lists, records, refused, unknown,
    writes::{Record, home, keep, number, text},
};

pub(super) fn ticket(state: &mut State, world: &mut World, record: &Record) -> Answer {
    let status = number(record, "status_id")?.map(state_of).transpose()?;
    let gravity = number(record, "priority_id")?.map(gravity_of).transpose()?;
    let person = number(record, "user_id")?;
    if let Some(key) = person {
        let (business, _) = records::find_user(world, key).ok_or_else(|| refused("Please select a User"))?;
        if number(record, "site_id")? != Some(business.locations[0].key) {
            return Err(refused("The User does not belong to this Site"));
        }
    }
    let now = world.now;
    let key = match number(record, "id")? {
        Some(key) => key,
        None => {
            let client = number(record, "client_id")?.ok_or_else(|| refused("Please select a Customer"))?;
            text(record, "summary").filter(|text| !text.is_empty()).ok_or_else(|| refused("Please enter a Summary"))?;
            let home = home(world, client)?;
            world.add_ticket(home, blank(now)).ok_or_else(unknown)?
        }
    };
    lists::known(world.ticket(key).ok_or_else(unknown)?.0)?;
    world.change_ticket(key, |ticket| {
        ticket.title = text(record, "summary").unwrap_or_else(|| ticket.title.clone());
        ticket.description = text(record, "details").unwrap_or_else(|| ticket.description.clone());
        ticket.gravity = gravity.unwrap_or(ticket.gravity);
        ticket.person = person.or(ticket.person);
        if let Some(status) = status {
            ticket.state = status;
            ticket.closed = (status == TicketState::Closed).then_some(now);
        }
    });
    keep(state, "ticket", key, record, &["team"]);
    let (business, one) = world.ticket(key).ok_or_else(unknown)?;
    Ok(records::ticket(business, one, true, state.written.get(&("ticket", key))))
}

fn blank(now: DateTime<Utc>) -> Ticket {
    Ticket {
        key: 0,
        title: String::new(),
        description: String::new(),
        state: TicketState::New,
        gravity: Gravity::Medium,
        person: None,
        assignee: None,
        notes: Vec::new(),
        created: now,
        updated: now,
        due: None,
        closed: None,
    }
}

pub(super) fn action(state: &mut State, world: &mut World, record: &Record) -> Answer {
    let key = number(record, "ticket_id")?.ok_or_else(|| refused("An Action needs a Ticket"))?;
    lists::known(world.ticket(key).ok_or_else(unknown)?.0)?;
    if !record.contains_key("outcome") && !record.contains_key("outcome_id") {
        return Err(refused("An Outcome must be entered for this Action"));
    }
    let note = text(record, "note").filter(|note| !note.is_empty()).ok_or_else(|| refused("Please enter a Note"))?;
    let hidden = record.get("hiddenfromuser").and_then(Value::as_bool).unwrap_or(false);
    world.change_ticket(key, |ticket| ticket.notes.push((note.clone(), !hidden)));
    state.actions += 1;
    Ok(json!({
        "id": state.actions, "ticket_id": key, "outcome": "Private Note", "outcome_id": 7, "who": "API Agent",
        "note": note, "hiddenfromuser": hidden, "datetime": records::date(world.now, 0),
    }))
}

fn state_of(id: u64) -> Result<TicketState, No> {
    let all = [TicketState::New, TicketState::InProgress, TicketState::Waiting, TicketState::Closed];
    let found = all.into_iter().find(|state| records::status_of(*state).0 == id);
    found.ok_or_else(|| refused("Please select a Status"))
}

fn gravity_of(id: u64) -> Result<Gravity, No> {
    let all = [Gravity::Critical, Gravity::High, Gravity::Medium, Gravity::Low];
    let found = all.into_iter().find(|gravity| records::priority_of(*gravity).0 == id);
    found.ok_or_else(|| refused("Please select a Priority"))
}
