//! UUIDs that a key can be read back from, so that looking one up needs no table.

use uuid::Uuid;

use super::random::hash;

/// Odd, so that multiplying by it can be undone.
const SPREAD: u64 = 0x009E_3779_B97F_4A15;
const MASK: u64 = (1 << 56) - 1;

/// The UUID of number `key` (below 2⁵⁶) in the id space of this name ("pax8/company"). It looks like
/// a random one.
pub fn uuid(space: &str, key: u64) -> Uuid {
    let tail = (key.wrapping_mul(SPREAD) ^ hash(space, 0)) & MASK;
    let head = hash(space, key.wrapping_add(1));
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&head.to_be_bytes());
    bytes[8] = head as u8;
    bytes[9..].copy_from_slice(&tail.to_be_bytes()[1..]);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

/// The key behind a UUID of this id space; `None` for any other UUID.
pub fn key_of(space: &str, id: Uuid) -> Option<u64> {
    let mut tail = [0; 8];
    tail[1..].copy_from_slice(&id.as_bytes()[9..]);
    let key = ((u64::from_be_bytes(tail) ^ hash(space, 0)) & MASK).wrapping_mul(inverse()) & MASK;
    (uuid(space, key) == id).then_some(key)
}

/// The number that undoes [`SPREAD`]: five Newton steps give 64 bits.
const fn inverse() -> u64 {
    let mut x = SPREAD;
    let mut step = 0;
    while step < 6 {
        x = x.wrapping_mul(2_u64.wrapping_sub(SPREAD.wrapping_mul(x)));
        step += 1;
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_back_and_strangers_are_not() {
        for key in [0, 1, 2, 77, 500_000, MASK] {
            assert_eq!(key_of("a/b", uuid("a/b", key)), Some(key));
            assert_eq!(key_of("a/c", uuid("a/b", key)), None);
        }
        assert_eq!(key_of("a/b", Uuid::nil()), None);
        assert_eq!(uuid("a/b", 5).get_version_num(), 4);
    }
}
