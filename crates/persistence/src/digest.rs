//! The digest of a change set: what a preview and its apply agree by.

use std::collections::HashMap;

use domain::{Change, Timestamp};
use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// SHA-256 over changes, in which ids and times that the transaction made itself are replaced by their rank: a preview
/// and its apply agree although they make different ids. Taken change by change, in as many parts as there are: an
/// import may hold 100,000.
#[derive(Clone)]
pub(crate) struct Digester {
    hash: Sha256,
    made: HashMap<Uuid, usize>,
    now: Value,
    taken: usize,
}

impl Digester {
    /// Of nothing yet; `now` is the instant of the transaction.
    pub fn new(now: Timestamp) -> Self {
        let now = serde_json::to_value(now).unwrap_or_default();
        Self { hash: Sha256::new(), made: HashMap::new(), now, taken: 0 }
    }

    /// Takes changes in; within one part an id may be named before the change that makes it.
    pub fn take(&mut self, changes: &[Change]) {
        for change in changes.iter().filter(|change| change.before.is_none()) {
            let rank = self.made.len();
            self.made.entry(change.id).or_insert(rank);
        }
        for change in changes {
            let mut value = serde_json::to_value(change).unwrap_or_default();
            settle(&mut value, &self.made, &self.now);
            self.hash.update(if self.taken == 0 { "[" } else { "," });
            self.hash.update(value.to_string());
            self.taken += 1;
        }
    }

    /// The hash of the whole as a JSON array.
    pub fn end(mut self) -> String {
        self.hash.update(if self.taken == 0 { "[]" } else { "]" });
        hex::encode(self.hash.finalize())
    }
}

/// The digest of these changes alone.
pub(crate) fn digest(changes: &[Change], now: Timestamp) -> String {
    let mut digester = Digester::new(now);
    digester.take(changes);
    digester.end()
}

fn settle(value: &mut Value, made: &HashMap<Uuid, usize>, now: &Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| settle(item, made, now)),
        Value::Object(fields) => {
            // The trace of a password is salted anew each time it is hashed.
            if let Some(password) = fields.get_mut("password").filter(|password| password.is_string()) {
                *password = Value::Bool(true);
            }
            // So is that of a mailed link made anew.
            if let Some(link) = fields.get_mut("link").filter(|link| link.is_string()) {
                *link = Value::Bool(true);
            }
            fields.values_mut().for_each(|field| settle(field, made, now));
        }
        Value::String(text) => {
            if let Some(rank) = id(text).and_then(|id| made.get(&id)) {
                *text = format!("made {rank}");
            } else if value == now {
                *value = Value::String("now".to_owned());
            }
        }
        _ => {}
    }
}

/// The id that a text is, in the form in which ids are written.
fn id(text: &str) -> Option<Uuid> {
    (text.len() == 36).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn made(id: u128, name: &str, now: Timestamp) -> Vec<Change> {
        let id = Uuid::from_u128(id);
        vec![
            Change {
                kind: "client".into(),
                id,
                client_id: Some(id.into()),
                before: None,
                after: Some(json!({"id": id, "name": name, "created_at": now})),
            },
            Change {
                kind: "mapping".into(),
                id: Uuid::from_u128(5),
                client_id: Some(id.into()),
                before: Some(json!({"client_id": null})),
                after: Some(json!({"client_id": id})),
            },
        ]
    }

    #[test]
    fn a_digest_forgets_ids_and_times_of_its_own_making_and_nothing_else() {
        let early = Timestamp::from_timestamp(1_000_000_000, 0).expect("valid");
        let late = Timestamp::from_timestamp(1_000_000_900, 0).expect("valid");
        assert_eq!(digest(&made(1, "Kite", early), early), digest(&made(2, "Kite", late), late));
        assert_ne!(digest(&made(1, "Kite", early), early), digest(&made(1, "Kyte", early), early));
        assert_ne!(digest(&made(1, "Kite", early), early), digest(&made(1, "Kite", early)[..1], early));
    }

    #[test]
    fn in_parts_it_is_the_same() {
        let now = Timestamp::from_timestamp(1_000_000_000, 0).expect("valid");
        let changes = [made(1, "Kite", now), made(2, "Crane", now)].concat();
        for cut in 0..=changes.len() {
            let mut digester = Digester::new(now);
            digester.take(&changes[..cut]);
            digester.take(&changes[cut..]);
            assert_eq!(digester.end(), digest(&changes, now), "cut at {cut}");
        }
    }
}
