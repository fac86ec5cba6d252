//! The sealing of content as it streams by. Each content has a key of its own, which is kept sealed in its row, so that
//! replacing the operator's sealing keys seals small rows anew and no content.
//!
//! A sealed content is a row of pieces of 64 KiB, each with its tag of 16 bytes; cut short, put in another order or moved
//! under another key of the store it does not open (STREAM, <https://eprint.iacr.org/2015/189>).

use aead_stream::{DecryptorBE32, EncryptorBE32, Nonce, StreamBE32};
use bytes::BytesMut;
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, aead::Payload};
use zeroize::Zeroizing;

/// Bytes of a piece before it is sealed.
pub(crate) const PIECE: usize = 64 * 1024;
/// Bytes of a piece that is sealed.
const SEALED: usize = PIECE + 16;

/// The key of one content.
#[derive(Clone)]
pub struct ContentKey(Zeroizing<[u8; 32]>);

impl ContentKey {
    /// The key of these bytes, which are used for one content only.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&*self.0).into())
    }
}

/// As the key is used once, the part of the nonce that does not count pieces may be fixed.
fn nonce() -> Nonce<XChaCha20Poly1305, StreamBE32<XChaCha20Poly1305>> {
    Nonce::<XChaCha20Poly1305, StreamBE32<XChaCha20Poly1305>>::default()
}

/// Seals what is fed to it, piece by piece.
pub(crate) struct Sealer {
    stream: EncryptorBE32<XChaCha20Poly1305>,
    place: Vec<u8>,
    waiting: BytesMut,
}

impl Sealer {
    pub(crate) fn new(key: &ContentKey, place: &str) -> Self {
        let stream = EncryptorBE32::from_aead(key.cipher(), &nonce());
        Self { stream, place: place.as_bytes().to_vec(), waiting: BytesMut::with_capacity(PIECE) }
    }

    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.waiting.extend_from_slice(bytes);
    }

    /// A sealed piece, as soon as it is known not to be the last; `None` for what cannot be sealed.
    pub(crate) fn piece(&mut self) -> Option<Result<Vec<u8>, Unsealed>> {
        if self.waiting.len() <= PIECE {
            return None;
        }
        let piece = self.waiting.split_to(PIECE);
        Some(self.stream.encrypt_next(Payload { msg: &piece, aad: &self.place }).map_err(|_| Unsealed))
    }

    /// The last piece.
    pub(crate) fn last(self) -> Result<Vec<u8>, Unsealed> {
        self.stream.encrypt_last(Payload { msg: &self.waiting, aad: &self.place }).map_err(|_| Unsealed)
    }
}

/// Opens what is fed to it, piece by piece.
pub(crate) struct Opener {
    stream: Option<DecryptorBE32<XChaCha20Poly1305>>,
    place: Vec<u8>,
    waiting: BytesMut,
}

/// It does not open: changed, cut short, moved, or not sealed with this key.
#[derive(Debug)]
pub(crate) struct Unsealed;

impl Opener {
    pub(crate) fn new(key: &ContentKey, place: &str) -> Self {
        let stream = Some(DecryptorBE32::from_aead(key.cipher(), &nonce()));
        Self { stream, place: place.as_bytes().to_vec(), waiting: BytesMut::with_capacity(SEALED) }
    }

    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.waiting.extend_from_slice(bytes);
    }

    /// An opened piece, as soon as it is known not to be the last.
    pub(crate) fn piece(&mut self) -> Option<Result<Vec<u8>, Unsealed>> {
        if self.waiting.len() <= SEALED {
            return None;
        }
        let piece = self.waiting.split_to(SEALED);
        let stream = self.stream.as_mut()?;
        Some(stream.decrypt_next(Payload { msg: &piece, aad: &self.place }).map_err(|_| Unsealed))
    }

    /// The last piece, once everything was fed; `None` when it was given before.
    pub(crate) fn last(&mut self) -> Option<Result<Vec<u8>, Unsealed>> {
        let stream = self.stream.take()?;
        Some(stream.decrypt_last(Payload { msg: &self.waiting, aad: &self.place }).map_err(|_| Unsealed))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sealed(key: &ContentKey, place: &str, plain: &[u8], step: usize) -> Vec<u8> {
        let (mut sealer, mut out) = (Sealer::new(key, place), Vec::new());
        for part in plain.chunks(step) {
            sealer.feed(part);
            while let Some(piece) = sealer.piece() {
                out.extend(piece.expect("seals"));
            }
        }
        out.extend(sealer.last().expect("seals"));
        out
    }

    fn opened(key: &ContentKey, place: &str, sealed: &[u8], step: usize) -> Result<Vec<u8>, Unsealed> {
        let (mut opener, mut out) = (Opener::new(key, place), Vec::new());
        for part in sealed.chunks(step) {
            opener.feed(part);
            while let Some(piece) = opener.piece() {
                out.extend(piece?);
            }
        }
        out.extend(opener.last().expect("a last piece")?);
        assert!(opener.last().is_none());
        Ok(out)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn what_was_sealed_opens_however_it_is_cut(
            length in prop_oneof![1_usize..300, PIECE - 2..PIECE + 3, 2 * PIECE - 2..2 * PIECE + 3],
            (write, read) in (1_usize..100_000, 1_usize..100_000),
        ) {
            let plain: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
            let key = ContentKey::new([7; 32]);
            let kept = sealed(&key, "a/b", &plain, write);
            prop_assert_eq!(opened(&key, "a/b", &kept, read).ok(), Some(plain));
        }
    }

    #[test]
    fn what_was_changed_cut_or_moved_does_not_open() {
        let (key, plain) = (ContentKey::new([7; 32]), vec![1_u8; 3 * PIECE]);
        let kept = sealed(&key, "a/b", &plain, 10_000);
        assert!(opened(&ContentKey::new([8; 32]), "a/b", &kept, 9_999).is_err());
        assert!(opened(&key, "a/c", &kept, 9_999).is_err());
        for cut in [0, 1, SEALED, 2 * SEALED, kept.len() - 1] {
            assert!(opened(&key, "a/b", &kept[..cut], 9_999).is_err(), "cut at {cut}");
        }
        for at in [0, PIECE, SEALED, kept.len() - 1] {
            let mut changed = kept.clone();
            changed[at] ^= 1;
            assert!(opened(&key, "a/b", &changed, 9_999).is_err(), "changed at {at}");
        }
        let swapped = [&kept[SEALED..2 * SEALED], &kept[..SEALED], &kept[2 * SEALED..]].concat();
        assert!(opened(&key, "a/b", &swapped, 9_999).is_err());
    }
}
