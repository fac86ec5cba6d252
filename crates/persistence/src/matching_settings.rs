//! How far an organisation trusts the matching.

use domain::{ClientId, Result, Threshold};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    Tx,
    entity::matching_settings as table,
    error::{OrDomain, known},
    journalled::Journalled,
};

/// An organisation's settings of the matching.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MatchingSettingsRow {
    /// From this score on suggestions are taken without a person.
    pub threshold: Threshold,
    /// Goes up by one with each change; 0 until the organisation has said anything.
    pub version: i32,
}

impl Default for MatchingSettingsRow {
    fn default() -> Self {
        Self { threshold: Threshold::USUAL, version: 0 }
    }
}

impl Journalled for table::Entity {
    const KIND: &'static str = "matching_settings";
    const WHAT: &'static str = "matching settings";

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
        Ok(json!({ "threshold": read(row)?.threshold.score(), "version": row.version }))
    }
}

fn read(row: &table::Model) -> Result<MatchingSettingsRow> {
    let threshold = known(Threshold::of_hundredths(row.threshold), "matching_settings.threshold")?;
    Ok(MatchingSettingsRow { threshold, version: row.version })
}

impl Tx {
    /// The organisation's settings of the matching.
    pub async fn matching_settings(&self) -> Result<MatchingSettingsRow> {
        let row = self.find::<table::Entity>().one(self.db()).await.or_domain()?;
        row.as_ref().map_or_else(|| Ok(MatchingSettingsRow::default()), read)
    }

    /// Changes settings that were read before, or makes the first. Nothing is written when nothing differs.
    pub async fn matching_settings_save(
        &self,
        before: MatchingSettingsRow,
        after: MatchingSettingsRow,
    ) -> Result<MatchingSettingsRow> {
        if before.threshold == after.threshold {
            return Ok(before);
        }
        let after = MatchingSettingsRow { version: before.version + 1, ..after };
        let write = |row: MatchingSettingsRow| table::Model {
            organisation_id: self.organisation().0,
            threshold: row.threshold.hundredths(),
            version: row.version,
        };
        if before.version == 0 {
            self.insert_row::<table::Entity>(write(after)).await?;
        } else {
            self.update_row::<table::Entity>(&write(before), write(after)).await?;
        }
        Ok(after)
    }
}
