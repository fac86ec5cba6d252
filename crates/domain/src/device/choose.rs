//! Which of several values of a field is shown: what a person fixed, then the order of integrations, then the freshest.
//!
//! **Another usual order**: `usual.rs`.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use serde::{Deserialize, Serialize};

use super::{DeviceField, Trade, usual};
use crate::{ClientId, ConnectionId, DeviceId, DeviceLockId, Problem, RecordId, StaffId, Timestamp, name_key};

/// Most integrations in one order.
const MOST: usize = 100;

/// What one observation says of one field.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The observation.
    pub record_id: RecordId,
    /// Who says it.
    pub connection_id: ConnectionId,
    /// Its integration.
    pub integration: String,
    /// What that integration is for.
    pub trade: Trade,
    /// What is said.
    pub value: String,
    /// When the vendor last heard of the machine.
    pub heard_at: Option<Timestamp>,
    /// When the vendor said nothing of it any more; `None` while it says it.
    pub blank_since: Option<Timestamp>,
}

/// What a field is fixed to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LockTo {
    /// This value, whoever says what.
    Value(String),
    /// What this connection says, for as long as it says anything.
    Connection(ConnectionId),
}

/// What a person fixed of a device. It survives every sync.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeviceLock {
    /// Id.
    pub id: DeviceLockId,
    /// Whose device it is.
    pub client_id: ClientId,
    /// The device.
    pub device_id: DeviceId,
    /// Which field.
    pub field: DeviceField,
    /// To what.
    pub to: LockTo,
    /// Why.
    pub reason: Option<String>,
    /// When it was decided.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: Option<StaffId>,
    /// Observations that were the device then: it is found by them where its id is gone.
    pub records: BTreeSet<RecordId>,
}

/// An organisation's order of integrations, the most trusted first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DeviceOrder {
    /// For every field without an order of its own; empty for the usual order.
    pub all: Vec<String>,
    /// For single fields; one that is empty says that none counts for more.
    pub fields: BTreeMap<DeviceField, Vec<String>>,
}

impl DeviceOrder {
    /// The organisation's own order for a field; `None` where it has said nothing.
    pub fn of(&self, field: DeviceField) -> Option<&[String]> {
        self.fields.get(&field).or(Some(&self.all).filter(|all| !all.is_empty())).map(Vec::as_slice)
    }

    /// Fields for which two orders differ.
    pub fn differs(&self, other: &Self) -> Vec<DeviceField> {
        DeviceField::ALL.into_iter().filter(|field| self.of(*field) != other.of(*field)).collect()
    }

    /// Checks it: integrations that tell of devices (`known`), each once.
    pub fn problems(&self, known: impl Fn(&str) -> bool) -> Vec<Problem> {
        let each = self.fields.iter().map(|(field, order)| (format!("/fields/{}", field.as_str()), order));
        let all = std::iter::once(("/integrations".to_owned(), &self.all));
        let mut problems = Vec::new();
        for (pointer, order) in all.chain(each) {
            if order.len() > MOST {
                let message = format!("must name at most {MOST} integrations");
                problems.push(Problem::new(pointer, "too_many", message));
                continue;
            }
            let mut once = BTreeSet::new();
            for (at, id) in order.iter().enumerate() {
                let pointer = format!("{pointer}/{at}");
                if !known(id) {
                    let message = "must be the id of an integration that tells of devices";
                    problems.push(Problem::new(pointer, "unknown_integration", message));
                } else if !once.insert(id) {
                    problems.push(Problem::new(pointer, "repeated", "must name each integration once"));
                }
            }
        }
        problems
    }
}

/// Why a value is the one that is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChosenBy {
    /// A person fixed it.
    Lock,
    /// Nobody else says anything of it.
    Alone,
    /// The organisation's order of integrations.
    Order,
    /// The usual order of integrations.
    UsualOrder,
    /// Most say so.
    Most,
    /// Of those that count the same it is the freshest.
    Freshest,
}

/// The value that is shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// The value.
    pub value: String,
    /// Why this one.
    pub by: ChosenBy,
    /// The observation that says it; `None` for a value that a person wrote.
    pub source: Option<RecordId>,
}

/// Chooses the value of a field. What is said now comes before what was said once: a blank never takes the place of
/// what is known. It does not depend on the order of the candidates.
pub fn choose(
    field: DeviceField,
    candidates: &[Candidate],
    lock: Option<&LockTo>,
    order: &DeviceOrder,
) -> Option<Choice> {
    match lock {
        Some(LockTo::Value(value)) => return Some(Choice { value: value.clone(), by: ChosenBy::Lock, source: None }),
        Some(LockTo::Connection(connection)) => {
            let own: Vec<&Candidate> = candidates.iter().filter(|one| one.connection_id == *connection).collect();
            if let Some(chosen) = among(field, own, order) {
                return Some(Choice { by: ChosenBy::Lock, ..chosen });
            }
        }
        None => {}
    }
    among(field, candidates.iter().collect(), order)
}

fn among(field: DeviceField, mut pool: Vec<&Candidate>, order: &DeviceOrder) -> Option<Choice> {
    pool.retain(|one| !one.value.trim().is_empty());
    if pool.iter().any(|one| one.blank_since.is_none()) {
        pool.retain(|one| one.blank_since.is_none());
    }
    let found = |one: &Candidate, by| Some(Choice { value: one.value.clone(), by, source: Some(one.record_id) });
    if let [only] = pool[..] {
        return found(only, ChosenBy::Alone);
    }
    let own = order.of(field);
    let place = |one: &Candidate| {
        let own = own.and_then(|order| order.iter().position(|id| *id == one.integration)).unwrap_or(usize::MAX);
        // A field of which the organisation says that none counts for more has no usual order either.
        let usual = if own == usize::MAX && order.of(field).is_none_or(|order| !order.is_empty()) {
            usual(field, one.trade)
        } else {
            usize::MAX
        };
        (own, usual)
    };
    let best = pool.iter().map(|one| place(one)).min()?;
    let all = pool.len();
    pool.retain(|one| place(one) == best);
    if pool.len() < all && same(&pool) {
        let by = if best.0 < usize::MAX { ChosenBy::Order } else { ChosenBy::UsualOrder };
        return pool.iter().min_by_key(|one| freshness(one)).and_then(|one| found(one, by));
    }
    if field == DeviceField::Name {
        return most(&pool).and_then(|one| found(one, ChosenBy::Most));
    }
    pool.iter().min_by_key(|one| freshness(one)).and_then(|one| found(one, ChosenBy::Freshest))
}

/// Whether all say the same.
fn same(pool: &[&Candidate]) -> bool {
    pool.windows(2).all(|pair| pair[0].value == pair[1].value)
}

/// Sorts the freshest first. What a vendor was last heard to say, not when it came to us: that depends on which sync was
/// first.
fn freshness(one: &Candidate) -> (Reverse<Option<Timestamp>>, RecordId) {
    (Reverse(one.heard_at), one.record_id)
}

/// The name that most have, case aside; of several the first.
fn most<'c>(pool: &[&'c Candidate]) -> Option<&'c Candidate> {
    let mut heard: BTreeMap<String, Vec<&'c Candidate>> = BTreeMap::new();
    for one in pool {
        heard.entry(name_key(&one.value)).or_default().push(one);
    }
    let best = heard.into_values().reduce(|best, other| if other.len() > best.len() { other } else { best })?;
    best.into_iter().min_by(|a, b| (&a.value, a.record_id).cmp(&(&b.value, b.record_id)))
}

/// The lock that holds for a field of a device: the last that was decided. Others of it came with devices that were
/// joined to it, and hold again once those are split off.
pub fn holding(locks: &[DeviceLock], device: DeviceId, field: DeviceField) -> Option<&DeviceLock> {
    let own = locks.iter().filter(|lock| lock.device_id == device && lock.field == field);
    own.max_by_key(|lock| (lock.created_at, lock.id))
}

/// A device after observations were joined anew.
#[derive(Clone, Debug)]
pub struct Standing {
    /// Its id.
    pub id: DeviceId,
    /// Whose it is.
    pub client_id: ClientId,
    /// What it is made of.
    pub records: Vec<RecordId>,
}

/// Where each lock belongs: to the device that has most of the observations it was decided for; where two have as many,
/// or none has any, to the one that kept the id. `None` where there is no such device at present.
pub fn follow(locks: &[DeviceLock], devices: &[Standing]) -> Vec<Option<usize>> {
    let mut at: BTreeMap<RecordId, usize> = BTreeMap::new();
    for (place, device) in devices.iter().enumerate() {
        at.extend(device.records.iter().map(|record| (*record, place)));
    }
    let place = |lock: &DeviceLock| {
        let mut had: BTreeMap<usize, usize> = BTreeMap::new();
        for place in lock.records.iter().filter_map(|record| at.get(record)) {
            *had.entry(*place).or_default() += 1;
        }
        let own = |place: &usize| devices[*place].id == lock.device_id;
        let most = had
            .into_iter()
            .max_by_key(|(place, count)| (*count, own(place), Reverse(devices[*place].records.iter().min().copied())));
        most.map(|(place, _)| place).or_else(|| (0..devices.len()).find(own))
    };
    locks.iter().map(place).collect()
}
