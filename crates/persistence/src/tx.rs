//! The transaction: scoped, journalled, previewable.

use std::{
    collections::BTreeSet,
    sync::{
        Mutex, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use domain::{
    BulkOperationId, Change, ChangeSet, ClientId, Context, EntryId, Error, OrganisationId, Outcome, Result, Timestamp,
};
use sea_orm::DatabaseTransaction;
use uuid::Uuid;

use crate::{Store, digest::digest, error::OrDomain, spill::Spilled};

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
    change_set: OnceLock<BulkOperationId>,
    spilled: Mutex<Option<Spilled>>,
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
            change_set: OnceLock::new(),
            spilled: Mutex::default(),
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
        Self { change_set: id.into(), ..self }
    }

    pub(crate) fn change_set_id(&self) -> Option<BulkOperationId> {
        self.change_set.get().copied()
    }

    /// The change set that several entries of this transaction are.
    pub(crate) fn change_set_of_several(&self) -> BulkOperationId {
        *self.change_set.get_or_init(|| self.new_id())
    }

    /// What was written to the journal already and is no longer held.
    pub(crate) fn spilled(&self) -> std::sync::MutexGuard<'_, Option<Spilled>> {
        self.spilled.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Takes out what was noted so far.
    pub(crate) fn changes_taken(&self) -> Vec<Change> {
        std::mem::take(&mut *self.changes.lock().unwrap_or_else(|poisoned| poisoned.into_inner()))
    }

    /// How many changes are held.
    pub(crate) fn changes_held(&self) -> usize {
        self.changes.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).len()
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
        let changes = self.changes();
        if changes.is_empty() {
            return Ok(self.spilled().as_ref().and_then(|spilled| spilled.entry));
        }
        let set = ChangeSet { digest: digest(&changes, self.now()), changes, ..ChangeSet::default() };
        let reverts = *self.reverts.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        // Rows that others hold while they wait for the journal come before it.
        self.psa_touch(&set.changes).await?;
        let entry = self.journal_append(action, Outcome::Done, reason, &set, reverts).await?;
        if let Some(approved) = self.context().approved {
            self.approval_done(approved.id, entry).await?;
        }
        self.events_of_changes(&set.changes).await?;
        self.noted.store(set.changes.len(), Ordering::SeqCst);
        Ok(Some(entry))
    }

    /// Commits after [`Self::journal_note`]. Fails if a journalled row was changed since.
    pub async fn commit_noted(self) -> Result<()> {
        if self.changes_held() != self.noted.load(Ordering::SeqCst) {
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
        match self.spilled().as_ref() {
            Some(spilled) => spilled.with(changes),
            None => ChangeSet { digest: digest(&changes, self.context.now), changes, ..ChangeSet::default() },
        }
    }
}
