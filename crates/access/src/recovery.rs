//! Recovery codes: 80 random bits each, so that a fast hash of them tells nothing.

use domain::{Account, Chance, OrganisationId};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

/// How many an account has at a time.
const CODES: usize = 10;
/// Characters of one, five bits each.
const CHARACTERS: usize = 16;
/// No letter that is read as another: no i, l, o and u.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// New codes, in four groups of four.
pub(crate) fn codes(chance: &dyn Chance) -> Vec<SecretString> {
    (0..CODES).map(|_| code(chance)).collect()
}

fn code(chance: &dyn Chance) -> SecretString {
    let mut bytes = [0; CHARACTERS];
    chance.fill(&mut bytes);
    let letters: Vec<char> = bytes.iter().map(|byte| ALPHABET[usize::from(byte % 32)].into()).collect();
    letters.chunks(4).map(String::from_iter).collect::<Vec<_>>().join("-").into()
}

/// What is stored of a code as someone types it: for this account alone. `None` when it cannot be one.
pub(crate) fn hash(organisation: OrganisationId, account: Account, code: &SecretString) -> Option<Vec<u8>> {
    let text = code.expose_secret();
    if text.len() > 4 * CHARACTERS {
        return None;
    }
    let typed = text.chars().filter(|c| !c.is_whitespace() && *c != '-').map(|c| match c.to_ascii_lowercase() {
        'i' | 'l' => '1',
        'o' => '0',
        other => other,
    });
    let typed: String = typed.collect();
    let sound = typed.len() == CHARACTERS && typed.bytes().all(|byte| ALPHABET.contains(&byte));
    let place = [organisation.0.as_bytes().as_slice(), account.kind.as_str().as_bytes(), account.id.as_bytes()];
    sound.then(|| Sha256::digest([&place.concat(), typed.as_bytes()].concat()).to_vec())
}

#[cfg(test)]
mod tests {
    use domain::AccountKind;
    use persistence::OsChance;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_code_is_read_however_it_is_typed_and_for_its_account_alone() {
        let (organisation, account) =
            (OrganisationId(Uuid::nil()), Account { kind: AccountKind::Staff, id: Uuid::nil() });
        let read = |text: &str| hash(organisation, account, &text.into());
        let right = read("0123-4567-89ab-cdef");
        assert!(right.is_some());
        for typed in ["0123456789abcdef", " 0123 4567 89AB CDEF ", "OI23-4567-89ab-cdef", "ol23-4567-89ab-cdef"] {
            assert_eq!(read(typed), right, "{typed}");
        }
        for wrong in ["", "0123-4567-89ab-cde", "0123-4567-89ab-cdef0", "0123-4567-89ab-cdeu", "ä123-4567-89ab-cdef"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        assert_eq!(read(&"-".repeat(1_000)), None);
        let portal = Account { kind: AccountKind::Portal, ..account };
        assert_ne!(hash(organisation, portal, &"0123-4567-89ab-cdef".into()), right);
        let other = OrganisationId(Uuid::from_u128(1));
        assert_ne!(hash(other, account, &"0123-4567-89ab-cdef".into()), right);
    }

    #[test]
    fn codes_are_ten_different_ones_that_can_be_read() {
        let made = codes(&OsChance);
        let texts: std::collections::BTreeSet<&str> = made.iter().map(|code| code.expose_secret()).collect();
        assert_eq!(texts.len(), 10);
        let account = Account { kind: AccountKind::Staff, id: Uuid::nil() };
        for code in &made {
            assert_eq!(code.expose_secret().len(), 19);
            assert!(hash(OrganisationId(Uuid::nil()), account, code).is_some());
        }
    }
}
