//! The end of a listing: whether it is whole and plausible, and what is removed after it.

use domain::{EventType, RecordId, Result};
use integration::{Reach, RecordKind};
use persistence::{Listing as ListingRow, Tx};

use crate::{
    checkpoint::Place,
    page::Stored,
    plausible::{self, Objection},
    run::{KindRun, count},
    words,
};

/// How often a listing is walked again before what it lacks is believed to be gone.
const LOOKS: u32 = 3;

/// How many records that a held run would remove are noted.
const NAMED: usize = 100;

/// What is to be done about records that a whole listing lacks.
enum Missing {
    /// None is missing, or they were removed.
    Settled,
    /// To be listed once more before they are believed to be gone.
    LookAgain,
    /// They stay.
    Kept(Trouble),
}

/// Why a listing does not count as complete.
struct Trouble {
    code: &'static str,
    message: String,
}

impl KindRun<'_> {
    /// Ends the listing under way: removes what it lacks where that is sure, and notes how far it is.
    pub(crate) async fn conclude(&mut self, tx: &Tx, total: Option<i64>, mark: Option<String>) -> Result<Stored> {
        let place = self.at.place.clone();
        let mut row = self.row(&place.entity);
        (row.code, row.message) = (None, None);
        let trouble = match self.missing(tx, &place, total).await? {
            Missing::Settled => None,
            Missing::LookAgain => {
                let missing = self.seen.missing();
                self.at.place = Place { looks: place.looks + 1, missing, empty_page: false, cursor: None, ..place };
                return Ok(Stored::More);
            }
            Missing::Kept(trouble) => Some(trouble),
        };
        let unreadable = (place.unreadable > 0).then(|| self.unreadable(&place));
        // A few unreadable records do not make the others old.
        if trouble.is_none() && place.unreadable * 10 <= place.distinct {
            row.complete_at = Some(tx.now());
            if !place.changes_only {
                row.full_at = Some(tx.now());
                row.mark = mark;
            } else if mark.is_some() {
                row.mark = mark;
            }
        }
        if let Some(trouble) = trouble.or(unreadable) {
            self.trouble(&mut row, trouble);
        }
        self.end_listing(tx, row).await?;
        Ok(Stored::Ended)
    }

    /// Ends a listing that grew beyond belief, without its present page.
    pub(crate) async fn hold(&mut self, objection: Objection) -> Result<Stored> {
        let message = objection.explain(self.job.vendor.name, words::plural(self.kind()));
        let tx = self.job.begin().await?;
        let mut row = self.row(&self.at.place.entity.clone());
        self.trouble(&mut row, Trouble { code: words::HELD, message });
        self.end_listing(&tx, row).await?;
        self.save(&tx).await?;
        tx.commit_unjournalled().await?;
        Ok(Stored::Ended)
    }

    fn trouble(&mut self, row: &mut ListingRow, trouble: Trouble) {
        let troubles = &mut self.at.troubles;
        if trouble.code == words::HELD {
            troubles.held += 1
        } else {
            troubles.failed += 1
        }
        troubles.note(trouble.code, &trouble.message);
        (row.code, row.message) = (Some(trouble.code.to_owned()), Some(trouble.message));
    }

    async fn end_listing(&mut self, tx: &Tx, row: ListingRow) -> Result<()> {
        self.at.done = Some(row.entity.clone());
        self.at.place = Place::default();
        self.write_row(tx, row).await
    }

    fn unreadable(&self, place: &Place) -> Trouble {
        let (vendor, what) = (self.job.vendor.name, words::plural(self.kind()));
        let message = format!("{} {what} of {vendor} cannot be read and were not stored.", place.unreadable);
        Trouble { code: words::REJECTED, message }
    }

    async fn missing(&mut self, tx: &Tx, place: &Place, total: Option<i64>) -> Result<Missing> {
        let (vendor, what) = (self.job.vendor.name, words::plural(self.kind()));
        let kept = |code, message| Ok(Missing::Kept(Trouble { code, message }));
        if place.changes_only {
            return Ok(Missing::Settled);
        }
        if let Some(total) = total.filter(|total| *total != place.distinct) {
            // One that came in between moves the others: the second walk has them all.
            if place.looks == 0 {
                return Ok(Missing::LookAgain);
            }
            let listed = place.distinct;
            return kept(
                words::INCOMPLETE,
                format!("{vendor} listed {listed} {what} but says there are {total}. Nothing was removed."),
            );
        }
        let gone = self.seen.missing();
        if gone == 0 {
            return Ok(Missing::Settled);
        }
        if place.unreadable > 0 {
            return kept(
                words::REJECTED,
                format!(
                    "{} {what} of {vendor} cannot be read, so the {gone} that it lacks were not removed.",
                    place.unreadable
                ),
            );
        }
        let few = plausible::negligible(place.known, gone);
        let sure = total.is_some() || (few && !place.empty_page);
        // Until two walks, one after the other, lack the same.
        let settled = place.looks > 0 && gone == place.missing;
        if !sure && !settled && place.looks < LOOKS {
            return Ok(Missing::LookAgain);
        }
        if !self.entities_sound {
            return kept(
                words::ENTITIES_UNSURE,
                format!("The list of entities of {vendor} has troubles, so {gone} {what} it lacks were not removed."),
            );
        }
        if let Some(objection) = self.objection(tx, place, gone).await? {
            self.at.would_remove += count(gone);
            self.note_missing(tx).await?;
            return kept(words::HELD, objection.explain(vendor, what));
        }
        let hole = place.empty_page && place.distinct > 0 && !few;
        if !sure && (hole || !settled) {
            return kept(
                words::INCOMPLETE,
                format!("{vendor} listed its {what} differently each time. The {gone} it lacks were not removed."),
            );
        }
        self.remove(tx).await?;
        Ok(Missing::Settled)
    }

    /// Notes which records a held listing lacks, for the person who decides: what it met is forgotten with its end.
    async fn note_missing(&mut self, tx: &Tx) -> Result<()> {
        let room = NAMED.saturating_sub(self.at.would_ids.len());
        let mut hashes = self.seen.unmet();
        hashes.truncate(room);
        if hashes.is_empty() {
            return Ok(());
        }
        let connection = self.job.connection.id;
        let mut ids = match self.kind() {
            RecordKind::Entity => tx.entities_with(connection, &hashes).await?,
            kind => tx.records_with(connection, kind.as_str(), &hashes).await?,
        };
        ids.truncate(room);
        self.at.would_ids.extend(ids);
        Ok(())
    }

    /// What speaks against removing so many. Records of entities that are gone themselves need no other
    /// explanation; what a person released is not objected to, unless it became more meanwhile.
    async fn objection(&self, tx: &Tx, place: &Place, gone: usize) -> Result<Option<Objection>> {
        let listed = usize::try_from(place.distinct).unwrap_or(0);
        let entities = self.kind() == RecordKind::Entity;
        let known = place.known.max(gone);
        let Some(objection) = plausible::removal(known, listed, gone, entities) else { return Ok(None) };
        if self.released.is_some_and(|(_, allowed)| gone <= allowed + 3.max(allowed / 10)) {
            return Ok(None);
        }
        if entities || self.listing.reach() == Reach::Entity {
            return Ok(Some(objection));
        }
        let orphans = tx.records_orphaned(self.job.connection.id, self.kind().as_str()).await?;
        let explained = orphans.iter().filter(|hash| !self.seen.has(crate::seen::from_bytes(hash))).count();
        Ok(plausible::removal(known - explained.min(known), listed, gone - explained.min(gone), false))
    }

    /// Tells of devices that go, where anyone wants to know.
    pub(crate) async fn tell_unmet(&self, tx: &Tx, hashes: &[Vec<u8>]) -> Result<()> {
        let kind = self.kind();
        if kind != RecordKind::Device || hashes.is_empty() || !tx.events_wanted(&[EventType::DeviceRemoved]).await? {
            return Ok(());
        }
        for chunk in hashes.chunks(10_000) {
            let gone = tx.records_with(self.job.connection.id, kind.as_str(), chunk).await?;
            self.tell_gone(tx, &gone.into_iter().map(RecordId).collect::<Vec<_>>()).await?;
        }
        Ok(())
    }

    async fn remove(&mut self, tx: &Tx) -> Result<()> {
        let (connection, unmet) = (self.job.connection.id, self.seen.unmet());
        let removed = match self.kind() {
            RecordKind::Entity => tx.entities_remove(connection, &unmet).await?,
            kind => {
                self.tell_unmet(tx, &unmet).await?;
                tx.records_remove(connection, kind.as_str(), &unmet, self.run.id).await?
            }
        };
        self.run.counts.removed += i64::try_from(removed).unwrap_or(i64::MAX);
        Ok(())
    }
}
