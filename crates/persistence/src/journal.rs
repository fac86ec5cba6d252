//! The journal: one entry for each change set, hash-chained with the organisation's key.

use std::collections::BTreeMap;

use domain::{
    Actor, BulkOperationId, Change, ChangeSet, ClientId, EntryId, Error, Outcome, Result, StaffId, Timestamp,
};
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::{
    Tx,
    entity::{journal, journal_client, journal_head, journal_record},
    error::{OrDomain, known},
    keys::JournalKey,
};

/// An entry as it is read.
#[derive(Clone, Debug)]
pub struct JournalEntry {
    /// Id.
    pub id: EntryId,
    /// Place in the organisation's chain, from 1.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// For which customer.
    pub acted_for: Option<ClientId>,
    /// From which address.
    pub source_address: Option<String>,
    /// Under which request or run.
    pub request_id: String,
    /// What ("client_create").
    pub action: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Why, in people's words.
    pub reason: Option<String>,
    /// What changed.
    pub changes: Vec<Change>,
    /// Digest of the changes.
    pub digest: String,
    /// The entry that this one reverts.
    pub reverts: Option<EntryId>,
    /// The change set of several entries that this one is of: they are reverted together.
    pub change_set: Option<BulkOperationId>,
    /// Who approved it, where the actor needs that.
    pub approved_by: Option<StaffId>,
}

/// What the hash covers, in this order. The texts are the stored ones, byte for byte.
#[derive(Serialize)]
struct Sealed<'a> {
    organisation: Uuid,
    seq: i64,
    id: Uuid,
    at: String,
    actor: &'a str,
    actor_kind: &'a str,
    actor_id: Option<Uuid>,
    acted_for: Option<Uuid>,
    source_address: Option<&'a str>,
    request_id: &'a str,
    action: &'a str,
    outcome: &'a str,
    reason: Option<&'a str>,
    changes: &'a str,
    digest: &'a str,
    reverts: Option<Uuid>,
    // Entries from before there were such change sets are hashed as they were.
    #[serde(skip_serializing_if = "Option::is_none")]
    change_set: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    approved_by: Option<Uuid>,
}

/// The clients that a change touches: a re-mapping touches the one it left, too.
pub(crate) fn clients_of(change: &Change) -> impl Iterator<Item = ClientId> {
    let named = |view: &Option<Value>| view.as_ref().and_then(|view| view["client_id"].as_str()?.parse().ok());
    [change.client_id, named(&change.before), named(&change.after)].into_iter().flatten()
}

/// The keyed hash of a row over the one before.
pub(crate) fn entry_hash(key: &JournalKey, before: &[u8], row: &journal::Model) -> Vec<u8> {
    let sealed = Sealed {
        organisation: row.organisation_id,
        seq: row.seq,
        id: row.id,
        at: row.at.timestamp_micros().to_string(),
        actor: &row.actor,
        actor_kind: &row.actor_kind,
        actor_id: row.actor_id,
        acted_for: row.acted_for,
        source_address: row.source_address.as_deref(),
        request_id: &row.request_id,
        action: &row.action,
        outcome: &row.outcome,
        reason: row.reason.as_deref(),
        changes: &row.changes,
        digest: &row.digest,
        reverts: row.reverts,
        change_set: row.change_set,
        approved_by: row.approved_by,
    };
    key.hash(&[before, &serde_json::to_vec(&sealed).unwrap_or_default()])
}

/// The keyed seal of a chain's end: without it a cut-off tail would go unseen.
pub(crate) fn head_seal(key: &JournalKey, organisation: Uuid, seq: i64, hash: &[u8]) -> Vec<u8> {
    key.hash(&[b"head", organisation.as_bytes(), &seq.to_be_bytes(), hash])
}

impl Tx {
    /// Appends an entry. The head row is locked until the end of the transaction: entries of one
    /// organisation are written one after the other.
    pub(crate) async fn journal_append(
        &self,
        action: &str,
        outcome: Outcome,
        reason: Option<&str>,
        set: &ChangeSet,
        reverts: Option<Uuid>,
    ) -> Result<EntryId> {
        self.require_writable()?;
        let key = self.store().journal_key(self).await?;
        let head = self
            .find::<journal_head::Entity>()
            .lock_exclusive()
            .one(self.db())
            .await
            .or_domain()?
            .ok_or_else(|| Error::internal("the organisation has no journal head"))?;
        let context = self.context();
        let id: EntryId = self.new_id();
        let actor = serde_json::to_string(&context.actor).map_err(Error::internal)?;
        let mut row = journal::Model {
            organisation_id: context.organisation.0,
            seq: head.seq + 1,
            id: id.0,
            at: context.now,
            actor,
            actor_kind: context.actor.kind().to_owned(),
            actor_id: context.actor.id(),
            acted_for: context.acted_for.map(|client| client.0),
            source_address: context.source_address.clone(),
            request_id: context.request_id.clone(),
            action: action.to_owned(),
            outcome: outcome.as_str().to_owned(),
            reason: reason.map(|text| text.chars().take(1_000).collect()),
            changes: serde_json::to_string(&set.changes).map_err(Error::internal)?,
            digest: set.digest.clone(),
            reverts,
            hash: Vec::new(),
            change_set: self.change_set_id().map(|id| id.0),
            approved_by: context.approved.map(|approved| approved.by.0),
        };
        row.hash = entry_hash(&key, &head.hash, &row);
        let (active, inactive) = client_delta(&set.changes);
        let new_head = journal_head::Model {
            organisation_id: head.organisation_id,
            seq: row.seq,
            seal: head_seal(&key, head.organisation_id, row.seq, &row.hash),
            hash: row.hash.clone(),
            clients_active: head.clients_active + active,
            clients_inactive: head.clients_inactive + inactive,
        };
        // Whatever is done for a customer stands in its log, also what changed nothing of it or was refused.
        let acted_for = context.acted_for.into_iter();
        let mut clients: Vec<Uuid> =
            set.changes.iter().flat_map(clients_of).chain(acted_for).map(|client| client.0).collect();
        clients.sort_unstable();
        clients.dedup();
        let seq = row.seq;
        let touched = clients
            .into_iter()
            .map(|client_id| journal_client::Model { organisation_id: context.organisation.0, client_id, seq })
            .collect();
        let organisation_id = context.organisation.0;
        let records: BTreeMap<Uuid, Option<Uuid>> =
            set.changes.iter().map(|change| (change.id, change.client_id.map(|client| client.0))).collect();
        let records = records
            .into_iter()
            .map(|(record_id, client_id)| journal_record::Model { organisation_id, record_id, seq, client_id })
            .collect();
        self.insert_many::<journal::Entity>(vec![row], &[], &[]).await?;
        self.insert_many::<journal_client::Entity>(touched, &[], &[]).await?;
        self.insert_many::<journal_record::Entity>(records, &[], &[]).await?;
        self.update_row_where::<journal_head::Entity>(
            sea_orm::ActiveModelTrait::reset_all(sea_orm::IntoActiveModel::into_active_model(new_head)),
            sea_orm::Condition::all(),
        )
        .await?;
        Ok(id)
    }

    /// One entry.
    pub async fn journal_entry(&self, id: EntryId) -> Result<JournalEntry> {
        let entry = self.visible(self.journal_entry_whole(id).await?)?;
        if entry.changes.is_empty() && !self.context().scope.is_all() {
            return Err(Error::NotFound { what: "journal entry" });
        }
        Ok(entry)
    }

    /// One entry, whatever the caller's scope.
    pub(crate) async fn journal_entry_whole(&self, id: EntryId) -> Result<JournalEntry> {
        let row =
            self.find::<journal::Entity>().filter(journal::Column::Id.eq(id.0)).one(self.db()).await.or_domain()?;
        read(row.ok_or(Error::NotFound { what: "journal entry" })?)
    }

    /// The entries of a change set that several transactions made, the first first, whatever the caller's scope. Those
    /// that reverted it are not of it.
    pub(crate) async fn journal_entries_of(&self, set: BulkOperationId) -> Result<Vec<JournalEntry>> {
        let select = self.find::<journal::Entity>().filter(journal::Column::ChangeSet.eq(set.0));
        let rows = select.order_by_asc(journal::Column::Seq).all(self.db()).await.or_domain()?;
        rows.into_iter().map(read).collect()
    }

    /// Leaves of an entry what lies in the caller's scope. Of a re-mapping across its border, the
    /// other side is blanked.
    pub(crate) fn visible(&self, mut entry: JournalEntry) -> Result<JournalEntry> {
        let scope = &self.context().scope;
        if scope.is_all() {
            return Ok(entry);
        }
        entry.acted_for = entry.acted_for.filter(|client| scope.allows(*client));
        entry.changes.retain(|change| clients_of(change).any(|client| scope.allows(client)));
        for change in &mut entry.changes {
            change.client_id = change.client_id.filter(|client| scope.allows(*client));
            for view in [&mut change.before, &mut change.after].into_iter().flatten() {
                let into = view["into"].as_str().and_then(|id| id.parse().ok());
                if into.is_some_and(|into| !scope.allows(into)) {
                    view["into"] = Value::Null;
                }
                let owner = view["client_id"].as_str().and_then(|id| id.parse().ok());
                if owner.is_some_and(|owner| !scope.allows(owner)) {
                    for field in ["client_id", "reason", "mapped_by"] {
                        view[field] = Value::Null;
                    }
                }
            }
        }
        Ok(entry)
    }
}

pub(crate) fn read(row: journal::Model) -> Result<JournalEntry> {
    Ok(JournalEntry {
        id: row.id.into(),
        seq: row.seq,
        at: row.at,
        actor: serde_json::from_str(&row.actor).map_err(Error::internal)?,
        acted_for: row.acted_for.map(ClientId),
        source_address: row.source_address,
        request_id: row.request_id,
        action: row.action,
        outcome: known(Outcome::parse(&row.outcome), "journal.outcome")?,
        reason: row.reason,
        changes: serde_json::from_str(&row.changes).map_err(Error::internal)?,
        digest: row.digest,
        reverts: row.reverts.map(EntryId),
        change_set: row.change_set.map(BulkOperationId),
        approved_by: row.approved_by.map(StaffId),
    })
}

/// How the numbers of active and inactive clients move with these changes; archived ones are not counted.
fn client_delta(changes: &[Change]) -> (i64, i64) {
    let place = |view: &Option<Value>| -> (i64, i64) {
        let Some(view) = view else { return (0, 0) };
        if !view["deleted_at"].is_null() || !view["archived_at"].is_null() {
            return (0, 0);
        }
        if view["status"] == "active" { (1, 0) } else { (0, 1) }
    };
    changes.iter().filter(|change| change.kind == "client").fold((0, 0), |sum, change| {
        let (before, after) = (place(&change.before), place(&change.after));
        (sum.0 + after.0 - before.0, sum.1 + after.1 - before.1)
    })
}
