//! Ids from which a key can be read back: numbers for some things, GUIDs for others.

use super::{No, unknown};

pub(super) const CLIENT: u64 = 1_000;
pub(super) const LOCATION: u64 = 20_000;
pub(super) const CONTACT: u64 = 300_000;

pub(super) const DEVICE: &str = "5a4f2c1e";
pub(super) const ALERT: &str = "7d0a6a0e";
pub(super) const TICKET: &str = "0e7a11aa";
pub(super) const INVOICE: &str = "3c0de5aa";

/// Not a variant that RFC 9562 knows, as the vendor's own are not.
pub(super) fn guid(kind: &str, key: u64) -> String {
    format!("{kind}-2b7d-0d3c-1f22-{key:012x}")
}

/// The key behind a GUID in a path.
pub(super) fn key_of(kind: &str, id: &str) -> Result<u64, No> {
    let tail = id.rsplit('-').next().unwrap_or_default();
    let key = u64::from_str_radix(tail, 16).map_err(|_| unknown())?;
    if guid(kind, key) == id { Ok(key) } else { Err(unknown()) }
}

/// The key behind a number in a path or a body.
pub(super) fn number(kind: u64, id: Option<u64>) -> Result<u64, No> {
    id.and_then(|id| id.checked_sub(kind)).ok_or_else(unknown)
}
