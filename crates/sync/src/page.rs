//! One page: what of it is new, and writing that with the checkpoint in one transaction.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;
use domain::{EntityId, EventType, RecordId, Result};
use integration::{Listing, Page, Reach, ReadRecord, RecordKind};
use persistence::{RecordWrite, StoredRecord, Tx};
use uuid::Uuid;

use crate::{
    ids, plausible,
    run::{KindRun, count},
    seen::{Visit, from_bytes, to_bytes},
};

/// The largest record, in bytes; more is nobody's device.
const LARGEST: usize = 1 << 20;
/// The longest id of a vendor, in bytes.
const LONGEST_ID: usize = 512;
/// The longest title, in characters.
const LONGEST_TITLE: usize = 500;

/// What became of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stored {
    /// The listing goes on.
    More,
    /// The listing has ended.
    Ended,
}

/// A record that is new, changed, or only written differently.
pub(crate) struct Candidate<'p> {
    raw: &'p Bytes,
    hash: u128,
    id: Uuid,
    read: ReadRecord,
    entity: Entity,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Entity {
    /// It is an entity itself.
    Itself,
    /// It is under this one.
    Under(EntityId),
    /// It names one that is not known.
    Stranger,
}

/// Reads a raw record, if it is one that can be stored.
pub(crate) fn read_one(listing: &dyn Listing, raw: &[u8]) -> Result<ReadRecord, String> {
    if raw.len() > LARGEST {
        return Err("larger than 1 MiB".to_owned());
    }
    let read = listing.read(raw)?;
    if read.id.is_empty() || read.id.len() > LONGEST_ID || read.id.chars().any(char::is_control) {
        return Err("its id is empty, too long or not one line".to_owned());
    }
    Ok(read)
}

/// A title as it is stored.
pub(crate) fn one_line(title: &str) -> String {
    let title: String = title.chars().take(LONGEST_TITLE).collect();
    title.replace(char::is_control, " ").trim().to_owned()
}

/// The page, sorted.
#[derive(Default)]
struct Batch<'p> {
    candidates: Vec<Candidate<'p>>,
    /// Raw hashes of what is stored and was listed, for the checkpoint.
    met: Vec<u8>,
}

impl KindRun<'_> {
    /// Stores a page: the rows that changed and the checkpoint, together. `last` ends the listing.
    pub(crate) async fn apply(
        &mut self,
        page: Page,
        entity: Option<&str>,
        id: Option<EntityId>,
        last: bool,
    ) -> Result<Stored> {
        let place = &mut self.at.place;
        let kept = std::mem::take(&mut place.kept);
        place.pages += 1;
        place.changes_only |= page.changes_only;
        place.empty_page |= page.records.is_empty() && place.known > 0;
        let total = page.total.map(|total| i64::try_from(total).unwrap_or(i64::MAX));
        if entity.is_none() && total.is_some() {
            self.run.expected = total;
        }
        let listed = usize::try_from(self.at.place.distinct).unwrap_or(0) + page.records.len();
        let grown = plausible::growth(self.at.place.known, listed);
        if let Some(objection) = grown.filter(|_| !self.at.place.changes_only && self.released.is_none()) {
            return self.hold(objection).await;
        }
        let batch = self.sort(&page.records, entity, id);
        let tx = self.job.begin_page().await?;
        let (met, added) = self.write(&tx, batch).await?;
        self.tell_added(&tx, &added).await?;
        self.remove_named(&tx, &page.removed, entity).await?;
        let stored = if last { self.conclude(&tx, total, page.mark).await? } else { Stored::More };
        if kept || !met.is_empty() {
            tx.run_page_seen(self.run.id, self.run.pages, met).await?;
        }
        self.run.pages += 1;
        self.at.pace.at = Some(tx.now());
        self.save(&tx).await?;
        tx.commit_unjournalled().await?;
        metrics::counter!("panelone_sync_records_total", "kind" => self.kind().as_str())
            .increment(page.records.len() as u64);
        Ok(stored)
    }

    /// Tells what is as before from what must be looked at. A record that is stored as the vendor wrote it
    /// is neither read nor looked up.
    fn sort<'p>(&mut self, records: &'p [Bytes], entity: Option<&str>, id: Option<EntityId>) -> Batch<'p> {
        let mut batch = Batch::default();
        for raw in records {
            self.run.counts.listed += 1;
            let hash = ids::raw_hash(entity, raw);
            // A feed of changes may say A, B and A again: what counts is the last, not what is known.
            if !self.at.place.changes_only {
                match self.seen.visit(hash) {
                    Visit::New => {}
                    Visit::First => {
                        self.run.counts.unchanged += 1;
                        self.at.place.distinct += 1;
                        batch.met.extend(to_bytes(hash));
                        continue;
                    }
                    Visit::Again => {
                        self.run.counts.repeated += 1;
                        continue;
                    }
                }
            }
            match self.read(raw, hash, entity, id) {
                Ok(candidate) => batch.candidates.push(candidate),
                Err(why) => {
                    self.run.counts.rejected += 1;
                    self.at.place.distinct += 1;
                    self.at.place.unreadable += 1;
                    self.at.troubles.unreadable += 1;
                    self.at.troubles.rejected(why);
                }
            }
        }
        batch
    }

    fn read<'p>(
        &self,
        raw: &'p Bytes,
        hash: u128,
        entity: Option<&str>,
        id: Option<EntityId>,
    ) -> Result<Candidate<'p>, String> {
        let read = read_one(self.listing, raw)?;
        let of = match (self.kind(), self.listing.reach(), id, &read.entity) {
            (RecordKind::Entity, ..) => Entity::Itself,
            (_, Reach::Entity, Some(id), _) => Entity::Under(id),
            (_, _, _, None) => return Err("it does not say to whom it belongs".to_owned()),
            (_, _, _, Some(vendor_id)) => match self.entities.get(vendor_id) {
                Some(id) => Entity::Under(*id),
                None => Entity::Stranger,
            },
        };
        let id = ids::record_id(self.job.connection.id, self.kind(), entity, &read.id).0;
        Ok(Candidate { raw, hash, id, read, entity: of })
    }

    /// Compares with what is stored and writes what differs. Returns the raw hashes of what is stored and
    /// was listed, and what was not listed before.
    async fn write(&mut self, tx: &Tx, batch: Batch<'_>) -> Result<(Vec<u8>, Vec<RecordId>)> {
        let (Batch { mut candidates, mut met }, mut added) = (batch, Vec::new());
        if candidates.is_empty() {
            return Ok((met, added));
        }
        // The first of a listing counts, of a feed of changes the last.
        let mut once = HashSet::with_capacity(candidates.len());
        let before = candidates.len();
        if self.at.place.changes_only {
            candidates.reverse();
        }
        candidates.retain(|candidate| once.insert(candidate.id));
        self.run.counts.repeated += count(before - candidates.len());
        let stored = self.stored(tx, &candidates).await?;
        let mut writes = Vec::new();
        for candidate in candidates {
            let known = stored.get(&candidate.id);
            let listed = known.is_some_and(|row| row.removed_at.is_none());
            if let Some(write) = self.classify(candidate, known, &mut met) {
                if !listed {
                    added.push(write.id);
                }
                writes.push(write);
            }
        }
        match self.kind() {
            RecordKind::Entity => {
                let vendor = self.job.vendor;
                tx.entities_write(vendor.id, vendor.entity_kind, &writes).await?;
            }
            _ => tx.records_write_over(writes, &stored.into_keys().collect()).await?,
        }
        Ok((met, added))
    }

    /// Tells of what was not listed before: not of a first listing, which only says what was there all along.
    async fn tell_added(&self, tx: &Tx, added: &[RecordId]) -> Result<()> {
        let event = match self.kind() {
            RecordKind::Device => EventType::DeviceAppeared,
            RecordKind::Threat => EventType::ThreatFound,
            _ => return Ok(()),
        };
        if self.row(&self.at.place.entity).full_at.is_none() {
            return Ok(());
        }
        tx.events_of_records(event, added, self.run.id).await
    }

    /// Tells of what is listed no more, before it is marked so.
    pub(crate) async fn tell_gone(&self, tx: &Tx, gone: &[RecordId]) -> Result<()> {
        if self.kind() != RecordKind::Device {
            return Ok(());
        }
        tx.events_of_records(EventType::DeviceRemoved, gone, self.run.id).await
    }

    async fn stored(&self, tx: &Tx, candidates: &[Candidate<'_>]) -> Result<HashMap<Uuid, StoredRecord>> {
        let ids: Vec<Uuid> = candidates.iter().map(|candidate| candidate.id).collect();
        let rows = self.stored_ids(tx, &ids).await?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }

    async fn stored_ids(&self, tx: &Tx, ids: &[Uuid]) -> Result<Vec<StoredRecord>> {
        match self.kind() {
            RecordKind::Entity => tx.entities_stored(ids).await,
            _ => tx.records_stored(ids).await,
        }
    }

    /// Counts one record, and says what is to be written of it.
    fn classify(
        &mut self,
        candidate: Candidate<'_>,
        stored: Option<&StoredRecord>,
        met: &mut Vec<u8>,
    ) -> Option<RecordWrite> {
        let listed = stored.filter(|row| row.removed_at.is_none());
        let before = listed.map(|row| from_bytes(&row.raw_hash));
        let again = before.is_some_and(|hash| self.seen.has(hash)) && !self.at.place.changes_only;
        if again {
            self.run.counts.repeated += 1;
            return None;
        }
        self.at.place.distinct += 1;
        let under = match candidate.entity {
            Entity::Itself => None,
            Entity::Under(id) => Some(id),
            Entity::Stranger => {
                self.run.counts.rejected += 1;
                self.at.troubles.strangers += 1;
                self.at.troubles.rejected("it belongs to an entity that is not listed".to_owned());
                // It was listed all the same.
                self.met(before, met);
                return None;
            }
        };
        let content = ids::content_hash(&candidate.read.fingerprint, under);
        if listed.is_some_and(|row| from_bytes(&row.content_hash) == content) {
            self.run.counts.unchanged += 1;
            self.met(before, met);
            return None;
        }
        match listed {
            Some(_) => self.run.counts.changed += 1,
            None => self.run.counts.added += 1,
        }
        // What it was is no longer stored once this page is; what it is counts from now on.
        if let Some(hash) = before {
            self.seen.note(hash);
        }
        self.met(Some(candidate.hash), met);
        Some(self.row_of(candidate, under, content))
    }

    fn met(&mut self, hash: Option<u128>, met: &mut Vec<u8>) {
        if let Some(hash) = hash {
            self.seen.note(hash);
            met.extend(to_bytes(hash));
        }
    }

    fn row_of(&self, candidate: Candidate<'_>, under: Option<EntityId>, content: u128) -> RecordWrite {
        RecordWrite {
            id: RecordId(candidate.id),
            connection_id: self.job.connection.id,
            entity_id: under.unwrap_or(EntityId(candidate.id)),
            kind: self.kind().as_str().to_owned(),
            vendor_id: candidate.read.id,
            title: one_line(&candidate.read.title),
            body: candidate.read.body,
            raw: candidate.raw.to_vec(),
            raw_hash: to_bytes(candidate.hash),
            content_hash: to_bytes(content),
            run_id: self.run.id,
        }
    }

    /// Removes what the vendor itself says is gone.
    async fn remove_named(&mut self, tx: &Tx, removed: &[String], entity: Option<&str>) -> Result<()> {
        if removed.is_empty() {
            return Ok(());
        }
        let connection = self.job.connection.id;
        let ids: Vec<Uuid> =
            removed.iter().map(|vendor_id| ids::record_id(connection, self.kind(), entity, vendor_id).0).collect();
        let (mut hashes, mut listed) = (Vec::new(), Vec::new());
        for row in self.stored_ids(tx, &ids).await?.into_iter().filter(|row| row.removed_at.is_none()) {
            self.seen.note(from_bytes(&row.raw_hash));
            hashes.push(row.raw_hash);
            listed.push(RecordId(row.id));
        }
        self.tell_gone(tx, &listed).await?;
        let gone = match self.kind() {
            RecordKind::Entity => tx.entities_remove(connection, &hashes).await?,
            _ => tx.records_remove_ids(&ids, self.run.id).await?,
        };
        self.run.counts.removed += i64::try_from(gone).unwrap_or(i64::MAX);
        Ok(())
    }
}
