//! Walking a run's listings page by page: while one page is being written, the next is being fetched.

use std::time::Duration;

use domain::{Context, EntityId, Result};
use integration::{Cursor, Error, Kind, Listing, Page, Position, Reach, RecordKind};
use persistence::Listing as ListingRow;
use tokio_util::sync::CancellationToken;

use crate::{
    checkpoint::Place,
    job::FAILURES,
    page::Stored,
    run::KindRun,
    seen::{Seen, from_bytes},
    trouble::{self, Halt, vendor_code},
};

/// How often a listing begins anew because the vendor forgot its place.
const RESTARTS: u32 = 2;
/// A mark is not used for longer than this: then everything is listed once.
const WHOLE_EVERY_HOURS: i64 = 24;
/// The longest that one page may take; transports give up well before.
const PATIENCE: Duration = Duration::from_secs(300);
/// Longest cursor, in bytes.
const CURSOR: usize = 8 * 1024;
/// Known hashes loaded at once.
const PIECE: u64 = 20_000;

/// Fetches pages of one listing.
#[derive(Clone, Copy)]
struct Fetcher<'a> {
    listing: &'a dyn Listing,
    stop: &'a CancellationToken,
    vendor: &'static str,
    entity: Option<&'a str>,
}

impl Fetcher<'_> {
    async fn fetch(self, cursor: Option<&Cursor>, since: Option<&str>) -> Result<Page, Halt> {
        let at = Position { entity: self.entity, cursor, since };
        tokio::select! {
            biased;
            () = self.stop.cancelled() => Err(Halt::Stopped),
            page = tokio::time::timeout(PATIENCE, self.listing.page(at)) => match page {
                Ok(page) => Ok(page?),
                Err(_) => {
                    let message = format!("{} did not answer within {} seconds", self.vendor, PATIENCE.as_secs());
                    Err(Error::new(Kind::Unavailable, message).into())
                }
            },
        }
    }
}

impl KindRun<'_> {
    /// Walks everything that the run has still to list.
    pub async fn walk(&mut self) -> Result<(), Halt> {
        if self.listing.reach() == Reach::Connection {
            return if self.at.done.is_some() { Ok(()) } else { self.list("", None).await };
        }
        // In an order of its own, so that a run goes on where it was although entities came and went.
        let mut entities: Vec<_> = self.entities.iter().map(|(vendor_id, id)| (vendor_id.clone(), *id)).collect();
        entities.sort_unstable();
        for (vendor_id, id) in entities {
            if self.at.done.as_deref().is_some_and(|done| vendor_id.as_str() <= done) {
                continue;
            }
            match self.list(&vendor_id, Some(id)).await {
                Err(Halt::Vendor(error)) if self.concerns_entity_only(&error) => {
                    self.skip(&vendor_id, &error).await?;
                }
                ended => ended?,
            }
        }
        Ok(())
    }

    /// Whether the run goes on with the other entities.
    fn concerns_entity_only(&self, error: &Error) -> bool {
        match error.kind {
            Kind::Credentials | Kind::Throttled => false,
            _ if trouble::passes(error) => !self.further() && self.job.claimed.attempt >= FAILURES,
            _ => true,
        }
    }

    /// Notes that an entity's listing failed, or that the vendor does not have it. What is stored of it stays.
    async fn skip(&mut self, entity: &str, error: &Error) -> Result<()> {
        let (code, message) = (vendor_code(error.kind), error.to_string());
        let tx = self.job.begin().await?;
        let row = ListingRow { code: Some(code.to_owned()), message: Some(message.clone()), ..self.row(entity) };
        self.write_row(&tx, row).await?;
        if error.kind != Kind::NotOffered {
            self.at.troubles.failed += 1;
            self.at.troubles.note(code, &message);
        }
        self.at.done = Some(entity.to_owned());
        self.at.place = Place::default();
        self.save(&tx).await?;
        tx.commit_unjournalled().await
    }

    /// Walks one listing to its end.
    async fn list(&mut self, entity: &str, id: Option<EntityId>) -> Result<(), Halt> {
        let under_way = self.at.place.pages > 0 || self.at.place.kept;
        if !under_way || self.at.place.entity != entity {
            self.begin_anew(entity, 0);
        }
        loop {
            self.load(id).await?;
            match self.pass(entity, id).await {
                Err(Halt::Vendor(error)) if error.kind == Kind::Expired && self.at.place.restarts < RESTARTS => {
                    self.begin_anew(entity, self.at.place.restarts + 1);
                }
                ended => return ended,
            }
        }
    }

    fn begin_anew(&mut self, entity: &str, restarts: u32) {
        self.at.place = Place {
            entity: entity.to_owned(),
            first_page: self.run.pages,
            restarts,
            whole: restarts > 0,
            ..Place::default()
        };
    }

    /// Loads what is known of a listing, and what it had met before an interruption.
    async fn load(&mut self, id: Option<EntityId>) -> Result<()> {
        let (connection, kind) = (self.job.connection.id, self.kind().as_str());
        let store = &self.job.engine.store;
        let context = Context::worker(self.job.claimed.organisation, store.clock().now(), "");
        let tx = store.read(context).await?;
        let mut known: Vec<u128> = Vec::new();
        match id {
            _ if self.kind() == RecordKind::Entity => {
                known.extend(tx.entities_known(connection).await?.iter().map(|hash| from_bytes(hash)));
            }
            Some(entity) => {
                known.extend(tx.records_known_under(entity, kind).await?.iter().map(|hash| from_bytes(hash)));
            }
            None => {
                let mut after = None;
                loop {
                    let piece = tx.records_known(connection, kind, after, PIECE).await?;
                    known.extend(piece.iter().map(|(_, hash)| from_bytes(hash)));
                    after = piece.last().map(|(id, _)| *id);
                    if (piece.len() as u64) < PIECE {
                        break;
                    }
                }
            }
        }
        self.seen = Seen::new(known);
        if self.at.place.pages > 0 || self.at.place.kept {
            self.seen.restore(&tx.run_pages_seen(self.run.id, self.at.place.first_page..self.run.pages).await?);
        } else {
            self.at.place.known = self.seen.known();
        }
        tx.rollback().await
    }

    /// The mark from which the vendor is asked for changes only.
    fn since(&self, entity: &str) -> Option<String> {
        let row = self.rows.get(entity)?;
        let now = self.job.engine.store.clock().now();
        let recent = row.full_at.is_some_and(|at| now - at < chrono::TimeDelta::hours(WHOLE_EVERY_HOURS));
        let place = &self.at.place;
        let usable = recent && place.pages == 0 && !place.whole && self.listing.incremental();
        row.mark.clone().filter(|_| usable)
    }

    /// Walks from the place of the checkpoint to the end.
    async fn pass(&mut self, entity: &str, id: Option<EntityId>) -> Result<(), Halt> {
        let vendor = self.job.vendor.name;
        let entity = id.map(|_| entity);
        let fetcher = Fetcher { listing: self.listing, stop: self.job.stop, vendor, entity };
        let since = self.since(entity.unwrap_or(""));
        let limit = integration::Walk::PAGES;
        let mut bounds = integration::Walk::new(vendor, limit.saturating_sub(self.at.place.pages).max(1));
        let cursor = self.at.place.cursor.clone().map(Cursor::new);
        let mut page = match self.kept_page().await? {
            Some(page) => page,
            None => fetcher.fetch(cursor.as_ref(), since.as_deref()).await?,
        };
        loop {
            let next = page.next.take();
            if let Some(next) = &next {
                bounds.admit(next)?;
                if next.as_str().len() > CURSOR {
                    return Err(Error::new(Kind::Limit, format!("{vendor} gave a place that is too long")).into());
                }
            }
            self.at.place.cursor = next.as_ref().map(|next| next.as_str().to_owned());
            let Some(next) = next else {
                match self.apply(page, entity, id, true).await? {
                    Stored::Ended => return Ok(()),
                    Stored::More => {
                        bounds = integration::Walk::new(vendor, limit);
                        page = fetcher.fetch(None, None).await?;
                        continue;
                    }
                }
            };
            // A page with little news is stored sooner than another could be fetched.
            if self.keep(&page, entity, &next).await? {
                let (stored, fetched) =
                    tokio::join!(self.apply(page, entity, id, false), fetcher.fetch(Some(&next), None));
                if stored? == Stored::Ended {
                    return Ok(());
                }
                page = fetched?;
            } else {
                if self.apply(page, entity, id, false).await? == Stored::Ended {
                    return Ok(());
                }
                page = fetcher.fetch(Some(&next), None).await?;
            }
        }
    }
}
