//! The transaction: scoped, journalled, previewable.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use domain::{
    BulkOperationId, Change, ChangeSet, ClientId, Context, EntryId, Error, OrganisationId, Outcome, Result, Timestamp,
};
use sea_orm::DatabaseTransaction;
use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{Store, error::OrDomain};

/// How a write is to end.
#[derive(Clone, Debug, Default)]
pub struct Apply {
    /// Roll back, and answer what would have changed.
    pub dry_run: bool,
    /// The digest of the preview: anything else is refused with the new change set.
    pub expect: Option<String>,
    /// Why, in people's words; kept in the journal.
    pub reason: Option<String>,
}

/// A transaction for one [`Context`]. Dropped, it is rolled back.
pub struct Tx {
    store: Store,
    db: DatabaseTransaction,
    context: Context,
    writable: bool,
    changes: Mutex<Vec<Change>>,
    reverts: Mutex<Option<Uuid>>,
    change_set: Option<BulkOperationId>,
    observations: AtomicUsize,
    remapped: Mutex<Option<BTreeSet<Vec<ClientId>>>>,
    noted: AtomicUsize,
}

impl Tx {
    pub(crate) fn new(store: Store, db: DatabaseTransaction, context: Context, writable: bool) -> Self {
        Self {
            store,
            db,
            context,
            writable,
            changes: Mutex::default(),
            reverts: Mutex::default(),
            change_set: None,
            observations: AtomicUsize::new(0),
            remapped: Mutex::default(),
            noted: AtomicUsize::new(0),
        }
    }

    /// The same transaction, from now on that of another caller of the organisation: whoever a token was
    /// looked up for. Only for one that reads and has told nobody anything yet.
    pub fn acting_as(mut self, context: Context) -> Result<Self> {
        if self.writable || context.organisation != self.context.organisation {
            return Err(Error::internal("a transaction was handed to a caller whom it is not for"));
        }
        self.context = context;
        Ok(self)
    }

    /// The same transaction as a part of a change set that several make: its entry in the journal is reverted with
    /// theirs.
    pub fn in_change_set(self, id: BulkOperationId) -> Self {
        Self { change_set: Some(id), ..self }
    }

    pub(crate) fn change_set_id(&self) -> Option<BulkOperationId> {
        self.change_set
    }

    /// The clients on both sides of mappings whose consequences wait; none where they are drawn at once.
    pub(crate) fn remapped(&self) -> &Mutex<Option<BTreeSet<Vec<ClientId>>>> {
        &self.remapped
    }

    /// Notes that so many observations of machines were read to join devices.
    pub(crate) fn note_observations(&self, read: usize) {
        self.observations.fetch_add(read, Ordering::Relaxed);
    }

    /// How many observations of machines were read so far to join devices: what joining costs.
    pub fn observations_read(&self) -> usize {
        self.observations.load(Ordering::Relaxed)
    }

    /// Who acts, where, when.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// The instant of the transaction.
    pub fn now(&self) -> Timestamp {
        self.context.now
    }

    /// The organisation.
    pub fn organisation(&self) -> OrganisationId {
        self.context.organisation
    }

    /// A new id of any kind.
    pub fn new_id<I: From<Uuid>>(&self) -> I {
        I::from(self.store.chance().id(self.context.now))
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    pub(crate) fn db(&self) -> &DatabaseTransaction {
        &self.db
    }

    pub(crate) fn require_writable(&self) -> Result<()> {
        if self.writable { Ok(()) } else { Err(Error::internal("a write was tried in a transaction that only reads")) }
    }

    /// Whether rows may be written, so that those that are read for it are locked.
    pub fn is_writing(&self) -> bool {
        self.writable
    }

    /// Notes a change of a row. What did not change is not noted.
    pub(crate) fn note(&self, change: Change) {
        if change.before != change.after {
            self.changes.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push(change);
        }
    }

    /// Notes that this transaction reverts an entry.
    pub(crate) fn note_revert(&self, entry: Uuid) {
        *self.reverts.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Some(entry);
    }

    /// What has changed so far.
    pub fn changes(&self) -> Vec<Change> {
        self.changes.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
    }

    /// Ends a write as asked: previews it, or commits it under `action`.
    pub async fn finish(self, action: &str, apply: &Apply) -> Result<ChangeSet> {
        let planned = self.change_set();
        if apply.expect.as_ref().is_some_and(|expected| *expected != planned.digest) {
            return Err(Error::Moved(Box::new(planned)));
        }
        if apply.dry_run {
            self.rollback().await?;
            return Ok(planned);
        }
        self.commit(action, apply.reason.as_deref()).await
    }

    /// Commits, writing the change set as a journal entry in the same transaction. Without changes
    /// there is no entry.
    pub async fn commit(self, action: &str, reason: Option<&str>) -> Result<ChangeSet> {
        let mut set = self.change_set();
        set.entry = self.journal_note(action, reason).await?;
        self.commit_noted().await?;
        Ok(set)
    }

    /// Writes the change set so far as a journal entry, to be committed by [`Self::commit_noted`].
    /// Without changes there is no entry.
    pub async fn journal_note(&self, action: &str, reason: Option<&str>) -> Result<Option<EntryId>> {
        let set = self.change_set();
        if set.changes.is_empty() {
            return Ok(None);
        }
        let reverts = *self.reverts.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let entry = self.journal_append(action, Outcome::Done, reason, &set, reverts).await?;
        self.psa_touch(&set.changes).await?;
        self.noted.store(set.changes.len(), Ordering::SeqCst);
        Ok(Some(entry))
    }

    /// Commits after [`Self::journal_note`]. Fails if a journalled row was changed since.
    pub async fn commit_noted(self) -> Result<()> {
        if self.changes().len() != self.noted.load(Ordering::SeqCst) {
            return Err(Error::internal("a journalled row was changed without an entry"));
        }
        self.db.commit().await.or_domain()
    }

    /// Commits an entry that says something was refused or failed; no change goes with it.
    pub async fn commit_attempt(self, action: &str, outcome: Outcome, reason: &str) -> Result<()> {
        let nothing = ChangeSet { digest: digest(&[], self.now()), ..ChangeSet::default() };
        self.journal_append(action, outcome, Some(reason), &nothing, None).await?;
        self.db.commit().await.or_domain()
    }

    /// Commits what needs no journal entry: sessions, marks of use, the queue, pages of a run.
    /// Fails if a journalled row was changed.
    pub async fn commit_unjournalled(self) -> Result<()> {
        self.commit_noted().await
    }

    /// Rolls back and answers what would have changed.
    pub async fn preview(self) -> Result<ChangeSet> {
        let set = self.change_set();
        self.rollback().await?;
        Ok(set)
    }

    /// Rolls back.
    pub async fn rollback(self) -> Result<()> {
        self.db.rollback().await.or_domain()
    }

    /// The change set so far, with its digest.
    pub fn change_set(&self) -> ChangeSet {
        let changes = self.changes();
        ChangeSet { entry: None, digest: digest(&changes, self.context.now), changes }
    }
}

/// SHA-256 over the changes, in which ids and times that this transaction made itself are replaced
/// by their rank: a preview and its apply agree although they make different ids.
pub(crate) fn digest(changes: &[Change], now: Timestamp) -> String {
    let made = changes.iter().filter(|change| change.before.is_none()).map(|change| change.id.to_string());
    let made: HashMap<String, usize> = made.enumerate().map(|(rank, id)| (id, rank)).collect();
    let now = serde_json::to_value(now).unwrap_or_default();
    // The hash of the whole as a JSON array, taken change by change: an import may hold 100,000.
    let mut hash = Sha256::new();
    for (at, change) in changes.iter().enumerate() {
        let mut value = serde_json::to_value(change).unwrap_or_default();
        settle(&mut value, &made, &now);
        hash.update(if at == 0 { "[" } else { "," });
        hash.update(value.to_string());
    }
    hash.update(if changes.is_empty() { "[]" } else { "]" });
    hex::encode(hash.finalize())
}

fn settle(value: &mut Value, made: &HashMap<String, usize>, now: &Value) {
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
            if let Some(rank) = made.get(text) {
                *text = format!("made {rank}");
            } else if value == now {
                *value = Value::String("now".to_owned());
            }
        }
        _ => {}
    }
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
}
