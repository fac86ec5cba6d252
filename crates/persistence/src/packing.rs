//! How raw records and checkpoints are packed.
//!
//! LZ4: of a first sync's CPU, packing with zstd at its fastest level took a quarter, because each record
//! is small and brings tables of its own. What earlier versions packed with zstd is still read.

use domain::{Error, Result};

/// First byte of what is packed with LZ4; no zstd frame begins with it.
const LZ4: u8 = 1;
/// The first bytes of a zstd frame.
const ZSTD: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];
/// The most that is unpacked, in bytes.
const MOST: usize = 16 << 20;

/// Packs a text.
pub(crate) fn pack(raw: &[u8]) -> Vec<u8> {
    let mut packed = vec![0; 5 + lz4_flex::block::get_maximum_output_size(raw.len())];
    packed[0] = LZ4;
    packed[1..5].copy_from_slice(&u32::try_from(raw.len()).unwrap_or(u32::MAX).to_le_bytes());
    // The room is what the crate itself says is enough.
    let length = lz4_flex::block::compress_into(raw, &mut packed[5..]).unwrap_or_default();
    packed.truncate(5 + length);
    packed.shrink_to_fit();
    packed
}

/// Unpacks it; at most 16 MiB.
pub(crate) fn unpack(packed: &[u8]) -> Result<Vec<u8>> {
    match packed {
        [LZ4, a, b, c, d, block @ ..] => {
            let length = u32::from_le_bytes([*a, *b, *c, *d]) as usize;
            if length > MOST {
                return Err(Error::internal("a packed text is larger than 16 MiB"));
            }
            lz4_flex::block::decompress(block, length).map_err(Error::internal)
        }
        frame if frame.starts_with(&ZSTD) => zstd::bulk::decompress(frame, MOST).map_err(Error::internal),
        _ => Err(Error::internal("a packed text begins like none of ours")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked(raw in proptest::collection::vec(any::<u8>(), 0..4_000), repeat in 1usize..20) {
            let raw = raw.repeat(repeat);
            prop_assert_eq!(unpack(&pack(&raw)).expect("unpacks"), raw);
        }

        #[test]
        fn strange_bytes_are_an_error_and_no_more(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut ours = bytes.clone();
            ours.insert(0, LZ4);
            for bytes in [bytes, ours] {
                if let Ok(raw) = unpack(&bytes) {
                    prop_assert!(raw.len() <= MOST);
                }
            }
        }
    }

    #[test]
    fn frames_of_earlier_versions_are_read_and_bombs_are_not() {
        let frame = zstd::bulk::compress(b"{\"id\":7}", 1).expect("packs");
        assert_eq!(unpack(&frame).expect("unpacks"), b"{\"id\":7}");
        let bomb = zstd::bulk::compress(&vec![0; MOST + 1], 1).expect("packs");
        assert!(unpack(&bomb).is_err());
        assert!(unpack(&[LZ4, 0xFF, 0xFF, 0xFF, 0x7F, 0]).is_err());
        assert!(unpack(b"").is_err());
    }
}
