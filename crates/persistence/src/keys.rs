//! Sealing: XChaCha20-Poly1305, bound to organisation, table, row and column; and the keyed hash of
//! the journal.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use domain::{Chance, Error, Result};
use hmac::{Hmac, Mac};
use secrecy::{ExposeSecret, SecretBox};
use sha2::Sha256;

/// Length of a key in bytes.
const KEY: usize = 32;
const NONCE: usize = 24;
/// First byte of everything sealed: the form below.
const VERSION: u8 = 1;

struct Key {
    id: u8,
    bytes: SecretBox<[u8; KEY]>,
}

/// The keys that seal secrets. The first seals; all open, so that a key is replaced while running:
/// put the new one first, run `rotate`, then drop the old one.
pub struct KeyRing {
    keys: Vec<Key>,
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyRing({} keys)", self.keys.len())
    }
}

impl KeyRing {
    /// Reads `id:base64,id:base64`: ids 0 to 255, keys of 32 bytes, the sealing one first.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut keys: Vec<Key> = Vec::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (id, encoded) = part.split_once(':').ok_or("each sealing key is written id:base64")?;
            let id: u8 = id.trim().parse().map_err(|_| "the id of a sealing key is a number from 0 to 255")?;
            let bytes = STANDARD.decode(encoded.trim()).map_err(|_| format!("sealing key {id} is not base64"))?;
            let bytes: [u8; KEY] = bytes
                .try_into()
                .map_err(|_| format!("sealing key {id} must have {KEY} bytes (44 characters of base64)"))?;
            if keys.iter().any(|key| key.id == id) {
                return Err(format!("sealing key {id} is given twice"));
            }
            keys.push(Key { id, bytes: SecretBox::new(Box::new(bytes)) });
        }
        if keys.is_empty() {
            return Err("at least one sealing key is needed".to_owned());
        }
        Ok(Self { keys })
    }

    /// A new ring of one random key, as the text that [`Self::parse`] reads.
    pub fn generate(chance: &dyn Chance) -> String {
        let mut bytes = [0; KEY];
        chance.fill(&mut bytes);
        format!("1:{}", STANDARD.encode(bytes))
    }

    /// Seals `plain` for one place.
    pub(crate) fn seal(&self, place: &Place<'_>, plain: &[u8], chance: &dyn Chance) -> Result<Vec<u8>> {
        let key = &self.keys[0];
        let mut nonce = [0; NONCE];
        chance.fill(&mut nonce);
        let sealed = cipher(key)
            .encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: &place.bytes() })
            .map_err(|_| Error::internal("sealing failed"))?;
        let mut out = Vec::with_capacity(2 + NONCE + sealed.len());
        out.extend([VERSION, key.id]);
        out.extend(nonce);
        out.extend(sealed);
        Ok(out)
    }

    /// Opens what was sealed for the same place. The error does not say more than that it failed.
    pub(crate) fn open(&self, place: &Place<'_>, sealed: &[u8]) -> Result<Vec<u8>> {
        let wrong = || Error::internal(format!("a sealed value of {}.{} does not open", place.table, place.column));
        let (head, rest) = sealed.split_at_checked(2).ok_or_else(wrong)?;
        let (nonce, text) = rest.split_at_checked(NONCE).ok_or_else(wrong)?;
        let key = self.keys.iter().find(|key| key.id == head[1]).filter(|_| head[0] == VERSION).ok_or_else(wrong)?;
        let nonce: [u8; NONCE] = nonce.try_into().map_err(|_| wrong())?;
        cipher(key).decrypt(&XNonce::from(nonce), Payload { msg: text, aad: &place.bytes() }).map_err(|_| wrong())
    }

    /// Whether `sealed` was sealed by the key that seals today.
    pub(crate) fn is_current(&self, sealed: &[u8]) -> bool {
        sealed.get(1) == Some(&self.keys[0].id)
    }
}

fn cipher(key: &Key) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(key.bytes.expose_secret().into())
}

/// Where a sealed value stands: moved elsewhere it does not open.
pub(crate) struct Place<'a> {
    /// Organisation.
    pub organisation: uuid::Uuid,
    /// Table.
    pub table: &'a str,
    /// Row.
    pub row: uuid::Uuid,
    /// Column.
    pub column: &'a str,
}

impl Place<'_> {
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(64);
        bytes.extend(self.organisation.as_bytes());
        bytes.extend(self.row.as_bytes());
        bytes.extend(self.table.as_bytes());
        bytes.push(0);
        bytes.extend(self.column.as_bytes());
        bytes
    }
}

/// The journal key of one organisation, opened.
#[derive(Clone)]
pub(crate) struct JournalKey(pub [u8; KEY]);

impl JournalKey {
    /// A new random key.
    pub fn generate(chance: &dyn Chance) -> Self {
        let mut bytes = [0; KEY];
        chance.fill(&mut bytes);
        Self(bytes)
    }

    /// Keyed hash over the parts, each preceded by its length so that they cannot run together.
    pub fn hash(&self, parts: &[&[u8]]) -> Vec<u8> {
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::OsChance;

    fn place(row: u128) -> Place<'static> {
        Place {
            organisation: uuid::Uuid::from_u128(1),
            table: "connection",
            row: uuid::Uuid::from_u128(row),
            column: "credentials",
        }
    }

    #[test]
    fn sealed_values_open_only_in_their_place_and_with_their_key() {
        let ring = KeyRing::parse(&KeyRing::generate(&OsChance)).expect("parses");
        let sealed = ring.seal(&place(7), b"secret", &OsChance).expect("seals");
        assert_eq!(ring.open(&place(7), &sealed).expect("opens"), b"secret");
        assert!(ring.open(&place(8), &sealed).is_err());
        let other = KeyRing::parse(&KeyRing::generate(&OsChance)).expect("parses");
        assert!(other.open(&place(7), &sealed).is_err());
        for at in 0..sealed.len() {
            let mut broken = sealed.clone();
            broken[at] ^= 1;
            assert!(ring.open(&place(7), &broken).is_err(), "byte {at}");
        }
        assert!(ring.open(&place(7), &sealed[..10]).is_err());
    }

    #[test]
    fn the_same_text_never_seals_alike() {
        let ring = KeyRing::parse(&KeyRing::generate(&OsChance)).expect("parses");
        let mut seen = std::collections::HashSet::new();
        for _ in 0..1_000 {
            assert!(seen.insert(ring.seal(&place(1), b"x", &OsChance).expect("seals")));
        }
    }

    #[test]
    fn old_keys_open_and_report_themselves_stale() {
        let old = KeyRing::generate(&OsChance);
        let sealed = KeyRing::parse(&old).expect("parses").seal(&place(1), b"x", &OsChance).expect("seals");
        let new = KeyRing::generate(&OsChance).replacen("1:", "2:", 1);
        let ring = KeyRing::parse(&format!("{new},{old}")).expect("parses");
        assert_eq!(ring.open(&place(1), &sealed).expect("opens"), b"x");
        assert!(!ring.is_current(&sealed));
        assert!(ring.is_current(&ring.seal(&place(1), b"x", &OsChance).expect("seals")));
    }

    #[test]
    fn mistakes_in_the_ring_are_named_without_showing_keys() {
        for (text, part) in [
            ("", "at least one"),
            ("abc", "id:base64"),
            ("x:AAAA", "0 to 255"),
            ("1:%%", "not base64"),
            ("1:AAAA", "32 bytes"),
        ] {
            let message = KeyRing::parse(text).expect_err("refused");
            assert!(message.contains(part), "{message}");
        }
        let ring = KeyRing::parse(&KeyRing::generate(&OsChance)).expect("parses");
        assert_eq!(format!("{ring:?}"), "KeyRing(1 keys)");
    }
}
