//! Where the portal of an MSP's clients is, for links in letters: as the organisation says, else as the operator does.

use domain::{ClientId, Result};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{Tx, entity::portal_origin as table, error::OrDomain, journalled::Journalled};

/// What an organisation said of where its portal is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PortalOrigin {
    /// The address without a path; none where the operator's holds.
    pub origin: Option<String>,
    /// Goes up by one with each change; 0 while nothing was ever set.
    pub version: i32,
}

impl Journalled for table::Entity {
    const KIND: &'static str = "portal_origin";
    const WHAT: &'static str = "address of ClientOne";

    fn id(row: &table::Model) -> Uuid {
        row.organisation_id
    }
    fn id_column() -> table::Column {
        table::Column::OrganisationId
    }
    fn version_column() -> Option<table::Column> {
        Some(table::Column::Version)
    }
    fn version(row: &table::Model) -> i32 {
        row.version
    }
    fn client_of(_: &table::Model) -> Option<ClientId> {
        None
    }
    fn view(row: &table::Model) -> Result<Value> {
        Ok(json!({ "origin": row.origin, "version": row.version }))
    }
}

impl Tx {
    /// What the organisation said.
    pub async fn portal_origin(&self) -> Result<PortalOrigin> {
        let row = self.find::<table::Entity>().one(self.db()).await.or_domain()?;
        Ok(row.map_or_else(PortalOrigin::default, |row| PortalOrigin { origin: row.origin, version: row.version }))
    }

    /// Changes what was read before, with the organisation locked. Nothing is written when nothing differs.
    pub async fn portal_origin_save(&self, before: &PortalOrigin, origin: Option<String>) -> Result<PortalOrigin> {
        if before.origin == origin {
            return Ok(before.clone());
        }
        let after = PortalOrigin { origin, version: before.version + 1 };
        let row = |one: &PortalOrigin| table::Model {
            organisation_id: self.organisation().0,
            origin: one.origin.clone(),
            version: one.version,
        };
        match before.version {
            0 => self.insert_row::<table::Entity>(row(&after)).await?,
            _ => drop(self.update_row::<table::Entity>(&row(before), row(&after)).await?),
        }
        Ok(after)
    }

    /// Where staff reach the product, where the operator said so.
    pub fn staff_origin(&self) -> Option<String> {
        self.store().public_origin().map(str::to_owned)
    }

    /// Where the pages of ClientOne are, for links in letters; none where nobody said so.
    pub async fn portal_base(&self) -> Result<Option<String>> {
        let own = self.portal_origin().await?.origin;
        let origin = own.or_else(|| self.store().public_origin().map(str::to_owned));
        Ok(origin.map(|origin| format!("{origin}/clientone")))
    }
}
