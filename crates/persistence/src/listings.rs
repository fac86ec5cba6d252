//! How far each listing is: the base of every "synced at".

use std::collections::BTreeSet;

use domain::{ConnectionId, Result, Timestamp};
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::{Tx, entity::listing, error::OrDomain};

/// One listing: of a connection and kind, or of one entity of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// Which connection.
    pub connection_id: ConnectionId,
    /// Kind of record.
    pub kind: String,
    /// Vendor id of the entity; empty where one listing covers the connection.
    pub entity: String,
    /// From which the vendor can tell changes only.
    pub mark: Option<String>,
    /// When it was last listed wholly.
    pub full_at: Option<Timestamp>,
    /// When what is stored was last all the vendor has.
    pub complete_at: Option<Timestamp>,
    /// Stable word for why the last attempt failed.
    pub code: Option<String>,
    /// The same for people.
    pub message: Option<String>,
}

fn read(row: listing::Model) -> Listing {
    Listing {
        connection_id: row.connection_id.into(),
        kind: row.kind,
        entity: row.entity,
        mark: row.mark,
        full_at: row.full_at,
        complete_at: row.complete_at,
        code: row.code,
        message: row.message,
    }
}

impl Tx {
    /// Listings of these connections.
    pub async fn listings(&self, connections: &[ConnectionId]) -> Result<Vec<Listing>> {
        let rows = self
            .find::<listing::Entity>()
            .filter(listing::Column::ConnectionId.is_in(connections.iter().map(|connection| connection.0)))
            .all(self.db())
            .await
            .or_domain()?;
        Ok(rows.into_iter().map(read).collect())
    }

    /// Listings of these connections and kinds that cover a whole connection, or one of these entities by their vendor
    /// ids: a connection may have very many others.
    pub async fn listings_of(
        &self,
        connections: &[ConnectionId],
        kinds: &[&str],
        entities: &BTreeSet<&str>,
    ) -> Result<Vec<Listing>> {
        use listing::Column as C;
        let places: Vec<&str> =
            std::iter::once("").chain(entities.iter().copied().filter(|entity| !entity.is_empty())).collect();
        let mut found = Vec::new();
        for chunk in places.chunks(500) {
            let rows = self
                .find::<listing::Entity>()
                .filter(C::ConnectionId.is_in(connections.iter().map(|connection| connection.0)))
                .filter(C::Kind.is_in(kinds.iter().copied()))
                .filter(C::Entity.is_in(chunk.iter().copied()))
                .all(self.db())
                .await
                .or_domain()?;
            found.extend(rows.into_iter().map(read));
        }
        Ok(found)
    }

    /// The kinds that a connection listed wholly, with when the oldest of that was.
    pub async fn listings_whole(&self, connection: ConnectionId) -> Result<Vec<(String, Timestamp)>> {
        self.find::<listing::Entity>()
            .select_only()
            .column(listing::Column::Kind)
            .column_as(listing::Column::FullAt.min(), "full_at")
            .filter(listing::Column::ConnectionId.eq(connection.0))
            .filter(listing::Column::FullAt.is_not_null())
            .group_by(listing::Column::Kind)
            .order_by_asc(listing::Column::Kind)
            .into_tuple()
            .all(self.db())
            .await
            .or_domain()
    }

    /// Writes a listing.
    pub async fn listing_write(&self, listing: &Listing) -> Result<()> {
        use listing::Column as C;
        let row = listing::Model {
            organisation_id: self.organisation().0,
            connection_id: listing.connection_id.0,
            kind: listing.kind.clone(),
            entity: listing.entity.clone(),
            mark: listing.mark.clone(),
            full_at: listing.full_at,
            complete_at: listing.complete_at,
            code: listing.code.clone(),
            message: listing.message.clone(),
        };
        let key = [C::OrganisationId, C::ConnectionId, C::Kind, C::Entity];
        let replace = [C::Mark, C::FullAt, C::CompleteAt, C::Code, C::Message];
        self.insert_many::<listing::Entity>(vec![row], &key, &replace).await
    }
}
