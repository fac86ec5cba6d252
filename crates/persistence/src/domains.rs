//! Which entity tells which domain, and which told it once: by this a domain that changed hands is found.

use std::collections::{BTreeSet, HashMap};

use domain::{EntityId, Result, Timestamp};
use sea_orm::{ColumnTrait, QueryFilter, QuerySelect};
use serde::Deserialize;
use uuid::Uuid;

use crate::{
    EntityWrite, Tx,
    entity::{entity_domain as table, vendor_entity},
    error::OrDomain,
};

/// The longest domain there is, in bytes.
const LONGEST: usize = 253;

/// A domain that an entity tells, or told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainTold {
    /// Lower case.
    pub domain: String,
    /// Who tells it.
    pub entity_id: EntityId,
    /// Since when.
    pub told_at: Timestamp,
    /// When it stopped.
    pub gone_at: Option<Timestamp>,
}

fn read(row: table::Model) -> DomainTold {
    DomainTold { domain: row.domain, entity_id: row.entity_id.into(), told_at: row.told_at, gone_at: row.gone_at }
}

/// What of an entity's body is read here.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Body {
    domains: Vec<String>,
}

/// Domains of an entity's body, in one spelling.
fn domains_of(body: &str) -> BTreeSet<String> {
    let body: Body = serde_json::from_str(body).unwrap_or_default();
    let tidy = body.domains.iter().map(|domain| domain.trim().trim_end_matches('.').to_lowercase());
    tidy.filter(|domain| !domain.is_empty() && domain.len() <= LONGEST).collect()
}

impl Tx {
    /// The domains that these entities told until now, by id; new ones are left out.
    pub(crate) async fn domains_told_before(&self, writes: &[EntityWrite]) -> Result<HashMap<Uuid, BTreeSet<String>>> {
        use vendor_entity::Column as C;
        let mut told = HashMap::with_capacity(writes.len());
        for chunk in writes.chunks(500) {
            let rows: Vec<(Uuid, String)> = self
                .find::<vendor_entity::Entity>()
                .select_only()
                .columns([C::Id, C::Body])
                .filter(C::Id.is_in(chunk.iter().map(|write| write.id.0)))
                .into_tuple()
                .all(self.db())
                .await
                .or_domain()?;
            told.extend(rows.into_iter().map(|(id, body)| (id, domains_of(&body))));
        }
        Ok(told)
    }

    /// Notes which domains entities tell from now on, and which they no longer tell.
    pub(crate) async fn domains_note(
        &self,
        writes: &[EntityWrite],
        before: HashMap<Uuid, BTreeSet<String>>,
    ) -> Result<()> {
        let none = BTreeSet::new();
        let (mut new, mut kept) = (Vec::new(), Vec::new());
        for write in writes {
            let told = domains_of(&write.body);
            let was = before.get(&write.id.0).unwrap_or(&none);
            let row = |domain: &String, gone_at| table::Model {
                organisation_id: self.organisation().0,
                domain: domain.clone(),
                entity_id: write.id.0,
                told_at: self.now(),
                gone_at,
            };
            new.extend(told.difference(was).map(|domain| row(domain, None)));
            // The row of one that was told before this table was there is made with what it tells now.
            kept.extend(told.intersection(was).map(|domain| row(domain, None)));
            kept.extend(was.difference(&told).map(|domain| row(domain, Some(self.now()))));
        }
        use table::Column as C;
        let key = [C::OrganisationId, C::Domain, C::EntityId];
        self.insert_many::<table::Entity>(new, &key, &[C::ToldAt, C::GoneAt]).await?;
        self.insert_many::<table::Entity>(kept, &key, &[C::GoneAt]).await
    }

    /// Domains that an entity stopped telling, whatever the caller's clients: ask for the entities to know whose
    /// they are.
    pub async fn domains_gone(&self) -> Result<Vec<DomainTold>> {
        let select = self.find::<table::Entity>().filter(table::Column::GoneAt.is_not_null());
        Ok(select.all(self.db()).await.or_domain()?.into_iter().map(read).collect())
    }

    /// Who tells these domains now; the same caution as for [`Self::domains_gone`].
    pub async fn domains_told(&self, domains: &BTreeSet<String>) -> Result<Vec<DomainTold>> {
        let domains = Vec::from_iter(domains.iter().map(String::as_str));
        let mut told = Vec::new();
        for chunk in domains.chunks(500) {
            let select = self
                .find::<table::Entity>()
                .filter(table::Column::Domain.is_in(chunk.iter().copied()))
                .filter(table::Column::GoneAt.is_null());
            told.extend(select.all(self.db()).await.or_domain()?.into_iter().map(read));
        }
        Ok(told)
    }
}
