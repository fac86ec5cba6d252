//! Writing to tickets.

use integration::Vendor;
use serde_json::Value;
use vendorkit::{
    World,
    world::{Gravity, Ticket, TicketState},
};

use super::{
    Reply, State,
    changes::text,
    rows::{self, BOARDS, PRIORITIES, STATES},
};
use crate::ConnectwiseManage;

pub(super) fn new_ticket(world: &mut World, state: &mut State, body: &Value) -> Result<u64, Reply> {
    let summary = text(&body["summary"]);
    if summary.is_empty() || summary.chars().count() > 100 {
        return Err(Reply::invalid("ticket", "summary", "InvalidField", "summary must have 1 to 100 characters"));
    }
    let of = body["company"]["id"].as_u64().and_then(|id| rows::business(world, id)).map(|of| of.key);
    let Some(of) = of else { return Err(Reply::invalid("ticket", "company", "NotFound", "no such company")) };
    let ticket = Ticket {
        key: 0,
        title: summary,
        description: text(&body["initialDescription"]),
        state: TicketState::New,
        gravity: Gravity::Medium,
        person: None,
        assignee: None,
        notes: Vec::new(),
        created: world.now,
        updated: world.now,
        due: None,
        closed: None,
    };
    let key = world.add_ticket(of, ticket).unwrap_or_default();
    state.boards.insert(key, 1);
    let known = ["board", "status", "priority", "contact"];
    let changes: Vec<(&str, &Value)> = known.into_iter().map(|field| (field, &body[field])).collect();
    let named: Vec<(&str, &Value)> = changes.into_iter().filter(|(_, value)| !value.is_null()).collect();
    change_ticket(world, state, key, &named)?;
    Ok(key)
}

pub(super) fn change_ticket(
    world: &mut World,
    state: &mut State,
    key: u64,
    changes: &[(&str, &Value)],
) -> Result<(), Reply> {
    let now = world.now;
    for &(path, value) in changes {
        let id = value["id"].as_u64();
        let wrong = |message: &str| Reply::invalid("ticket", path, "NotFound", message);
        match path {
            "summary" => drop(world.change_ticket(key, |ticket| ticket.title = text(value))),
            "board" => {
                let board =
                    BOARDS.iter().find(|(board, _)| Some(*board) == id).ok_or_else(|| wrong("no such board"))?;
                state.boards.insert(key, board.0);
                // The state of the other board is nothing here.
                let with_state = changes.iter().any(|(path, _)| *path == "status");
                let is_new = world.ticket(key).is_some_and(|(_, ticket)| ticket.created == now);
                if !with_state && !is_new {
                    return Err(wrong("a status of this board is needed"));
                }
            }
            "status" => {
                let board = world.ticket(key).map_or(1, |(_, ticket)| rows::board(state, ticket));
                let found = STATES.iter().find(|(state, _)| Some(rows::state_id(board, *state)) == id);
                let (to, _) = *found.ok_or_else(|| wrong("the board has no such status"))?;
                world.change_ticket(key, |ticket| {
                    ticket.state = to;
                    ticket.closed = (to == TicketState::Closed).then_some(now);
                });
            }
            "priority" => {
                let found = PRIORITIES.iter().find(|(priority, ..)| Some(*priority) == id);
                let (_, gravity, _) = *found.ok_or_else(|| wrong("no such priority"))?;
                world.change_ticket(key, |ticket| ticket.gravity = gravity);
            }
            "contact" => {
                let there = world.ticket(key).is_some_and(|(of, _)| id.is_some_and(|id| of.person(id).is_some()));
                if !there {
                    return Err(wrong("no such contact at this company"));
                }
                world.change_ticket(key, |ticket| ticket.person = id);
            }
            _ => return Err(wrong("no such field")),
        }
    }
    Ok(())
}

pub(super) fn new_note(world: &mut World, state: &mut State, key: u64, body: &Value) -> Reply {
    let flags = ["detailDescriptionFlag", "internalAnalysisFlag", "resolutionFlag"].map(|flag| body[flag] == true);
    let said = text(&body["text"]);
    if said.is_empty() || !flags.contains(&true) {
        return Reply::invalid("serviceNote", "text", "MissingRequired", "a note needs a text and one flag");
    }
    if world.ticket(key).is_none_or(|(of, _)| !of.vendors.contains(ConnectwiseManage::ID)) {
        return Reply::unknown("Ticket");
    }
    world.change_ticket(key, |ticket| ticket.notes.push((said, flags[0])));
    state.notes += 1;
    let mut note = body.clone();
    (note["id"], note["ticketId"]) = (state.notes.into(), key.into());
    Reply::new(201, note)
}
