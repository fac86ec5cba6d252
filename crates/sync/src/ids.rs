//! Ids and hashes of what vendors list. They follow from what the vendor says, so that a page applied
//! twice, or by two processes, meets the same rows.

use domain::{ConnectionId, EntityId, RecordId};
use integration::RecordKind;
use sha2::{Digest, Sha256};
use uuid::{Builder, Uuid};
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

/// The id of a record: the same for the same connection, kind and vendor id. `entity` is the vendor id of
/// the entity where each entity has a listing of its own, because ids are unique within it only.
pub fn record_id(connection: ConnectionId, kind: RecordKind, entity: Option<&str>, vendor_id: &str) -> RecordId {
    RecordId(id(connection, kind, entity, vendor_id))
}

/// The id of an entity.
pub fn entity_id(connection: ConnectionId, vendor_id: &str) -> EntityId {
    EntityId(id(connection, RecordKind::Entity, None, vendor_id))
}

/// An id for what is wanted of an entity before there is any: the same for the same.
pub(crate) fn wanted_id(entity: EntityId, action: &str, wanted: &str) -> RecordId {
    let mut hasher = Sha256::new();
    for part in [entity.0.as_bytes().as_slice(), action.as_bytes(), &[0], wanted.as_bytes()] {
        hasher.update(part);
    }
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hasher.finalize()[..16]);
    RecordId(Builder::from_custom_bytes(bytes).into_uuid())
}

fn id(connection: ConnectionId, kind: RecordKind, entity: Option<&str>, vendor_id: &str) -> Uuid {
    let mut hasher = Sha256::new();
    hasher.update(connection.0.as_bytes());
    hasher.update(kind.as_str());
    hasher.update([0]);
    if let Some(entity) = entity {
        hasher.update(entity);
        hasher.update([0x1f]);
    }
    let family: [u8; 32] = hasher.clone().finalize().into();
    hasher.update(vendor_id);
    let digest: [u8; 32] = hasher.finalize().into();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    // Ids that a vendor numbers stay in its order, below what they have in common: a listing then fills
    // tables and indexes from left to right, and half a million records cost what ten times a tenth does.
    if let Ok(number) = vendor_id.parse::<u32>() {
        bytes[..3].copy_from_slice(&family[..3]);
        bytes[3..6].copy_from_slice(&number.to_be_bytes()[..3]);
        bytes[7] = number.to_be_bytes()[3];
    }
    Builder::from_custom_bytes(bytes).into_uuid()
}

/// Hash of a record as the vendor wrote it, with its entity where the text does not name it.
pub(crate) fn raw_hash(entity: Option<&str>, raw: &[u8]) -> u128 {
    let Some(entity) = entity else { return xxh3_128(raw) };
    let mut hasher = Xxh3::new();
    hasher.update(entity.as_bytes());
    hasher.update(&[0]);
    hasher.update(raw);
    hasher.digest128()
}

/// Hash of what matters of a record's content. A record that moved to another entity has changed.
pub(crate) fn content_hash(fingerprint: &[u8], entity: Option<EntityId>) -> u128 {
    let mut hasher = Xxh3::new();
    hasher.update(fingerprint);
    if let Some(entity) = entity {
        hasher.update(entity.0.as_bytes());
    }
    hasher.digest128()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_tell_connections_kinds_and_entities_apart() {
        let one = ConnectionId(Uuid::from_u128(1));
        let base = record_id(one, RecordKind::Device, None, "7");
        assert_eq!(base, record_id(one, RecordKind::Device, None, "7"));
        assert_ne!(base, record_id(ConnectionId(Uuid::from_u128(2)), RecordKind::Device, None, "7"));
        assert_ne!(base, record_id(one, RecordKind::Location, None, "7"));
        assert_ne!(base, record_id(one, RecordKind::Device, Some("7"), "7"));
        assert_ne!(
            record_id(one, RecordKind::Device, Some("a"), "b"),
            record_id(one, RecordKind::Device, Some("b"), "a")
        );
        assert_eq!(base.0.get_version_num(), 8);
    }

    #[test]
    fn hashes_tell_entities_apart() {
        assert_ne!(raw_hash(Some("a"), b"{}"), raw_hash(Some("b"), b"{}"));
        let (a, b) = (EntityId(Uuid::from_u128(1)), EntityId(Uuid::from_u128(2)));
        assert_ne!(content_hash(b"x", Some(a)), content_hash(b"x", Some(b)));
    }
}
