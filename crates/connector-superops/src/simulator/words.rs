//! The words of this account: states, priorities, groups and roles.

use serde_json::{Value, json};
use vendorkit::world::{Gravity, TicketState};

use super::ids;

/// States of tickets in this account.
pub(super) const STATUSES: [(&str, TicketState); 4] = [
    ("New", TicketState::New),
    ("In Progress", TicketState::InProgress),
    ("On Hold", TicketState::Waiting),
    ("Closed", TicketState::Closed),
];

/// Priorities of tickets in this account.
pub(super) const PRIORITIES: [(&str, Gravity); 4] =
    [("Low", Gravity::Low), ("Medium", Gravity::Medium), ("High", Gravity::High), ("Critical", Gravity::Critical)];

/// Groups of technicians in this account.
pub(super) const GROUPS: [&str; 2] = ["Service Desk", "Projects"];

pub(super) fn listed<'a>(words: impl Iterator<Item = &'a str>) -> Value {
    (1..).zip(words).map(|(key, word)| json!({ "id": ids::text(ids::WORD, key), "name": word })).collect()
}

pub(super) fn groups() -> Value {
    (1..).zip(GROUPS).map(|(key, name)| json!({ "groupId": ids::text(ids::GROUP, key), "name": name })).collect()
}

pub(super) fn roles() -> Value {
    let named = (1..).zip(["Client Admin", "Requester"]);
    named.map(|(key, name)| json!({ "roleId": ids::text(ids::ROLE, key), "name": name })).collect()
}

pub(super) fn status(state: TicketState) -> Option<&'static str> {
    STATUSES.iter().find(|(_, known)| *known == state).map(|(word, _)| *word)
}

pub(super) fn priority(gravity: Gravity) -> &'static str {
    PRIORITIES.iter().rev().find(|(_, known)| *known <= gravity).map_or("Low", |(word, _)| word)
}
