//! Companies read at the PSA, one by one.

use bytes::Bytes;
use domain::{EntityId, Error};
use integration::{Kind, Listing, ReadRecord, RecordKind};

use super::pass::{Halt, Pass};
use crate::{act::lost, page};

/// Companies that are read alone in one pass, where a listing does not tell all: those read longest ago.
const READ_ALONE: usize = 100;

impl Pass<'_> {
    /// What a raw company says.
    pub fn told(&self, raw: &[u8]) -> Result<ReadRecord, Halt> {
        let listings = self.connector.listings();
        let listing: Option<&Box<dyn Listing + '_>> =
            listings.iter().find(|listing| listing.kind() == RecordKind::Entity);
        let listing = listing.ok_or_else(|| Error::internal("a PSA lists no companies"))?;
        page::read_one(listing.as_ref(), raw)
            .map_err(|why| Halt::Vendor(integration::Error::unreadable(&self.connection.name, why)))
    }

    /// A company as the PSA has it now; `None` where it is gone there, which the next sync says.
    pub async fn fetch(&self, vendor_id: &str) -> Result<Option<(Bytes, ReadRecord)>, Halt> {
        let writes = self.connector.company_writes().ok_or_else(|| Halt::Vendor(lost()))?;
        match writes.fetch(vendor_id).await {
            Ok(raw) => {
                let read = self.told(&raw)?;
                Ok(Some((raw, read)))
            }
            Err(error) if error.kind == Kind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Reads companies alone, where the listing does not tell all: first those that were never read or have changed
    /// since, then those read longest ago. One that the PSA will not give holds up no other: answers why it was not
    /// read.
    pub async fn read_alone(&self) -> Result<Option<String>, Halt> {
        if self.listed_whole() {
            return Ok(None);
        }
        let tx = self.read().await?;
        let ids: Vec<EntityId> = self.first.values().copied().collect();
        let (read, mut due) = (tx.psa_companies(&ids).await?, Vec::new());
        for chunk in ids.chunks(500) {
            let changed = tx.psa_changed_at(chunk).await?;
            for id in chunk {
                let at =
                    read.get(id).map(|(_, at)| *at).filter(|at| changed.get(id).is_none_or(|changed| changed <= at));
                due.push((at, *id));
            }
        }
        due.sort_unstable();
        due.truncate(READ_ALONE);
        let ids: Vec<EntityId> = due.iter().map(|(_, id)| *id).collect();
        let entities = tx.entities_by_id(&ids).await?;
        tx.rollback().await?;
        let mut unread = None;
        for entity in entities {
            self.going_on()?;
            let read = match self.fetch(&entity.vendor_id).await {
                Ok(Some((_, read))) => read,
                Ok(None) => continue,
                Err(halt) => {
                    let error = halt.of_one()?;
                    unread = unread.or_else(|| Some(format!("{} cannot be read: {error}", entity.name)));
                    let (connection, entity) = (self.connection.id, entity.id);
                    tracing::warn!(%connection, %entity, %error, "a company cannot be read");
                    continue;
                }
            };
            let tx = self.begin().await?;
            tx.psa_company_keep(self.connection.id, entity.id, &read.body).await?;
            tx.commit_unjournalled().await?;
        }
        Ok(unread)
    }
}
