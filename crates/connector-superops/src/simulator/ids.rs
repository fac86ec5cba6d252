//! Ids of 19 digits, from which a key can be read back.

use serde_json::Value;

use super::Problem;

pub(super) const CLIENT: u64 = 1;
pub(super) const SITE: u64 = 2;
pub(super) const USER: u64 = 3;
pub(super) const ASSET: u64 = 4;
pub(super) const ALERT: u64 = 5;
pub(super) const TICKET: u64 = 6;
pub(super) const INVOICE: u64 = 7;
pub(super) const GROUP: u64 = 8;
pub(super) const ROLE: u64 = 9;
pub(super) const WORD: u64 = 10;
pub(super) const TECHNICIAN: u64 = 11;

const BASE: u64 = 7_928_000_000_000_000_000;
const STRIDE: u64 = 1_000_000_000_000;

/// The id of this key. In untyped JSON the vendor writes it as a bare number.
pub(super) fn number(kind: u64, key: u64) -> u64 {
    BASE + kind * STRIDE + key
}

/// The id of this key as the schema has it: a text.
pub(super) fn text(kind: u64, key: u64) -> String {
    number(kind, key).to_string()
}

/// The key behind an id that a request names.
pub(super) fn named(kind: u64, id: &Value) -> Result<u64, Problem> {
    let number = id.as_u64().or_else(|| id.as_str()?.parse().ok());
    let key = number.and_then(|number| number.checked_sub(BASE + kind * STRIDE)).filter(|key| *key < STRIDE);
    key.ok_or(Problem("entity_does_not_exist", ""))
}
