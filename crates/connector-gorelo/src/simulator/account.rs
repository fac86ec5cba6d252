//! What this account has: its words with their numbers, its clients and its people.

use integration::Vendor;
use vendorkit::{
    World,
    world::{Business, Gravity, Person, TicketState},
};

use super::{No, State, unknown};
use crate::Gorelo;

/// States of tickets in this account, each with its number.
pub(super) const STATUSES: [(u64, &str, TicketState); 4] = [
    (1, "New", TicketState::New),
    (2, "In Progress", TicketState::InProgress),
    (3, "Waiting", TicketState::Waiting),
    (9, "Closed", TicketState::Closed),
];

/// Gorelo's priorities by number.
pub(super) const PRIORITIES: [(u64, &str, Gravity); 5] = [
    (0, "None", Gravity::Info),
    (1, "Urgent", Gravity::Critical),
    (2, "High", Gravity::High),
    (3, "Normal", Gravity::Medium),
    (4, "Low", Gravity::Low),
];

/// Groups and types of this account.
pub(super) const GROUPS: [(u64, &str); 2] = [(4, "Service Desk"), (5, "Projects")];
pub(super) const TYPES: [(u64, &str); 2] = [(7, "Request"), (8, "Incident")];

/// A business that Gorelo knows.
pub(super) fn business(world: &World, key: u64) -> Result<&Business, No> {
    world.business(key).filter(|business| business.vendors.contains(Gorelo::ID)).ok_or_else(unknown)
}

/// A person, and the business that has them.
pub(super) fn person(world: &World, key: u64) -> Result<(&Business, &Person), No> {
    world.known_to(Gorelo::ID).find_map(|business| Some((business, business.person(key)?))).ok_or_else(unknown)
}

/// A business's name here: as it was last written here, else as Gorelo's people typed it.
pub(super) fn name(state: &State, business: &Business) -> String {
    let written = state.names.get(&business.key).filter(|(legal, _)| *legal == business.legal_name);
    written.map_or_else(|| business.name_at(Gorelo::ID), |(_, shown)| shown.clone())
}

/// Whether a client is in use; now and then one is not.
pub(super) fn in_use(state: &State, business: &Business) -> bool {
    state.statuses.get(&business.key).copied().unwrap_or(!business.key.is_multiple_of(11))
}
