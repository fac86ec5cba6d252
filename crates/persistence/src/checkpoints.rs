//! Signed checkpoints of the journal: a statement "so far, with this hash", to be kept where whoever runs the database
//! does not reach. Signed with Ed25519, so that it is proved with a public key alone; the signing key is derived from the
//! organisation's journal key, which is sealed.

use domain::{Error, JournalCheckpointId, Listed, OrganisationId, PageRequest, Result, Timestamp};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use sea_orm::{ColumnTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    Tx,
    entity::{journal, journal_checkpoint as table, journal_head},
    error::OrDomain,
    journal::head_seal,
    journalled::Journalled,
    keys::JournalKey,
};

/// What the file of a checkpoint says it is.
pub const CHECKPOINT_FORMAT: &str = "panelone-journal-checkpoint-1";
/// Entries before the end that are proved before it is signed, at the most.
const PROVED: i64 = 50_000;

/// A signed statement of how far a journal went, and with which hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// [`CHECKPOINT_FORMAT`].
    pub format: String,
    /// Id.
    pub id: JournalCheckpointId,
    /// Whose journal.
    pub organisation_id: OrganisationId,
    /// Place of the last entry.
    pub seq: i64,
    /// Hash of that entry, hex: it depends on every entry before.
    pub hash: String,
    /// When it was signed.
    pub at: Timestamp,
    /// Key of the signature, hex.
    pub public_key: String,
    /// Ed25519 over [`Checkpoint::message`], hex.
    pub signature: String,
}

impl Checkpoint {
    /// What is signed: one line each for format, organisation, place, hash, and instant in microseconds since 1970, each
    /// ended by a line feed.
    pub fn message(&self) -> String {
        let Self { organisation_id, seq, hash, at, .. } = self;
        format!("{CHECKPOINT_FORMAT}\n{organisation_id}\n{seq}\n{hash}\n{}\n", at.timestamp_micros())
    }

    /// Whether the signature is right; with `pinned`, that of this key (hex) and no other. Needs no database.
    pub fn check(&self, pinned: Option<&str>) -> Result<()> {
        let wrong = |what: &str| Error::conflict("checkpoint_forged", format!("The checkpoint is not sound: {what}."));
        if self.format != CHECKPOINT_FORMAT {
            return Err(wrong("it is of another format"));
        }
        if pinned.is_some_and(|pinned| !pinned.trim().eq_ignore_ascii_case(&self.public_key)) {
            return Err(wrong("it is signed with another key than the one given"));
        }
        let key: [u8; 32] = hex_of(&self.public_key).ok_or_else(|| wrong("its key cannot be read"))?;
        let signature: [u8; 64] = hex_of(&self.signature).ok_or_else(|| wrong("its signature cannot be read"))?;
        let key = VerifyingKey::from_bytes(&key).map_err(|_| wrong("its key cannot be read"))?;
        key.verify_strict(self.message().as_bytes(), &Signature::from_bytes(&signature))
            .map_err(|_| wrong("the signature does not fit what it says"))
    }
}

fn hex_of<const N: usize>(text: &str) -> Option<[u8; N]> {
    hex::decode(text).ok()?.try_into().ok()
}

/// The key that signs, of one organisation.
fn signing_key(key: &JournalKey, organisation: Uuid) -> Option<SigningKey> {
    let seed: [u8; 32] = key.hash(&[b"checkpoint signing key", organisation.as_bytes()]).try_into().ok()?;
    Some(SigningKey::from_bytes(&seed))
}

impl Journalled for table::Entity {
    const KIND: &'static str = "journal_checkpoint";
    const WHAT: &'static str = "checkpoint";

    fn id(row: &table::Model) -> Uuid {
        row.id
    }
    fn id_column() -> table::Column {
        table::Column::Id
    }
    fn version_column() -> Option<table::Column> {
        None
    }
    fn version(_: &table::Model) -> i32 {
        1
    }
    fn client_of(_: &table::Model) -> Option<domain::ClientId> {
        None
    }
    fn view(row: &table::Model) -> Result<Value> {
        Ok(json!({ "id": row.id, "seq": row.seq, "hash": hex::encode(&row.hash), "at": row.at }))
    }
}

fn read(row: table::Model) -> Checkpoint {
    Checkpoint {
        format: CHECKPOINT_FORMAT.to_owned(),
        id: row.id.into(),
        organisation_id: row.organisation_id.into(),
        seq: row.seq,
        hash: hex::encode(&row.hash),
        at: row.at,
        public_key: hex::encode(&row.public_key),
        signature: hex::encode(&row.signature),
    }
}

impl Tx {
    /// The last checkpoint.
    pub async fn journal_checkpoint_last(&self) -> Result<Option<Checkpoint>> {
        let select = self.find::<table::Entity>().order_by_desc(table::Column::Seq).limit(1);
        Ok(select.one(self.db()).await.or_domain()?.map(read))
    }

    /// Checkpoints, the newest first.
    pub async fn journal_checkpoint_list(&self, page: &PageRequest) -> Result<Listed<Checkpoint>> {
        let select = self.find::<table::Entity>();
        let total = select.clone().count(self.db()).await.or_domain()?;
        let mut select = select.order_by_desc(table::Column::Seq).limit(page.limit + 1);
        if let Some((seq, _)) = &page.after {
            let wrong = |_| Error::invalid("cursor", "not_a_cursor", "is not a cursor of this list");
            select = select.filter(table::Column::Seq.lt(seq.parse::<i64>().map_err(wrong)?));
        }
        let mut rows = select.all(self.db()).await.or_domain()?;
        let more = rows.len() as u64 > page.limit;
        rows.truncate(page.limit as usize);
        let next = more.then(|| rows.last().map(|row| (row.seq.to_string(), row.id))).flatten();
        let items = rows.into_iter().map(read).collect();
        Ok(Listed { items, next, total: i64::try_from(total).unwrap_or(i64::MAX) })
    }

    /// A checkpoint.
    pub async fn journal_checkpoint(&self, id: JournalCheckpointId) -> Result<Checkpoint> {
        let row = self.find::<table::Entity>().filter(table::Column::Id.eq(id.0)).one(self.db()).await.or_domain()?;
        row.map(read).ok_or(Error::NotFound { what: "checkpoint" })
    }

    /// Proves what a new checkpoint would vouch for: the entries since the last one, at most 50,000. The conflict
    /// `journal_unsound` where something is wrong. In a transaction that only reads, before the one that signs.
    pub async fn journal_checkpoint_prove(&self) -> Result<()> {
        let last = self.journal_checkpoint_last().await?;
        let end = self.journal_end().await?;
        if let Some(last) = last.as_ref().filter(|last| last.seq > end) {
            let message = format!("The journal ends at entry {end}, before its last checkpoint at {}.", last.seq);
            return Err(Error::conflict("journal_unsound", message));
        }
        let unproved = last.as_ref().map_or(1, |last| last.seq).max(end - PROVED).max(1);
        let anchor = last.as_ref().filter(|last| last.seq >= unproved).map(|last| (last.seq, last.hash.as_str()));
        let found = self.journal_verify_range(unproved, None, anchor).await?;
        match found.faults.first() {
            None => Ok(()),
            Some(fault) => Err(Error::conflict(
                "journal_unsound",
                format!("The journal was tampered with at entry {}: {}. It is not signed.", fault.seq, fault.message),
            )),
        }
    }

    /// Signs the end of the journal. Where nothing was written since the last checkpoint but its own entry, that one is
    /// the answer. The caller commits (`journal_checkpoint_create`).
    pub async fn journal_checkpoint_create(&self) -> Result<Checkpoint> {
        self.require_writable()?;
        // Locked: of two at once, the second finds what the first made.
        let head = self.find::<journal_head::Entity>().lock_exclusive().one(self.db()).await.or_domain()?;
        let head = head.ok_or_else(|| Error::internal("the organisation has no journal head"))?;
        if let Some(last) = self.journal_checkpoint_last().await?.filter(|last| last.seq >= head.seq - 1) {
            return Ok(last);
        }
        if head.seq == 0 {
            return Err(Error::conflict("nothing_to_sign", "The journal has no entries yet."));
        }
        let (key, organisation) = (self.store().journal_key(self).await?, self.organisation().0);
        let entry = self.find::<journal::Entity>().filter(journal::Column::Seq.eq(head.seq));
        let entry = entry.one(self.db()).await.or_domain()?;
        let sound = head_seal(&key, organisation, head.seq, &head.hash) == head.seal;
        if !sound || entry.is_none_or(|entry| entry.hash != head.hash) {
            return Err(Error::conflict(
                "journal_unsound",
                "The end of the journal was tampered with. It is not signed.",
            ));
        }
        let signer = signing_key(&key, organisation).ok_or_else(|| Error::internal("a key of another length"))?;
        let mut row = table::Model {
            organisation_id: organisation,
            id: self.new_id::<JournalCheckpointId>().0,
            seq: head.seq,
            hash: head.hash,
            at: self.now(),
            public_key: signer.verifying_key().to_bytes().to_vec(),
            signature: Vec::new(),
        };
        row.signature = signer.sign(read(row.clone()).message().as_bytes()).to_bytes().to_vec();
        self.insert_row::<table::Entity>(row.clone()).await?;
        Ok(read(row))
    }

    /// Whether the journal still holds what a checkpoint vouched for: its signature, made with this organisation's key,
    /// and its entry.
    pub async fn journal_checkpoint_holds(&self, checkpoint: &Checkpoint) -> Result<()> {
        let key = self.store().journal_key(self).await?;
        let own = signing_key(&key, self.organisation().0).map(|key| hex::encode(key.verifying_key().to_bytes()));
        checkpoint.check(own.as_deref())?;
        let wrong = |what: &str| Error::conflict("journal_unsound", format!("Entry {} {what}.", checkpoint.seq));
        let entry = self.find::<journal::Entity>().filter(journal::Column::Seq.eq(checkpoint.seq));
        match entry.one(self.db()).await.or_domain()? {
            None => Err(wrong("was cut off since the checkpoint was signed")),
            Some(entry) if hex::encode(&entry.hash) != checkpoint.hash => {
                Err(wrong("or one before it was replaced since the checkpoint was signed"))
            }
            Some(_) => Ok(()),
        }
    }
}
