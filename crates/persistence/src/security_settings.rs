//! What an organisation demands of those who sign in to it.

use domain::{ClientId, Result};
use sea_orm::{ActiveModelTrait, ActiveValue, ColumnTrait, Condition};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    Tx,
    entity::{security_settings as table, session},
    error::OrDomain,
    journalled::Journalled,
};

/// An organisation's own settings; where it has none, those of the installation hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecuritySettingsRow {
    /// Whether everyone needs a second factor.
    pub require_mfa: bool,
    /// Minutes after which an unused session ends.
    pub idle_minutes: i32,
    /// Minutes after which any session ends.
    pub absolute_minutes: i32,
    /// Goes up by one with each change; 0 until there are settings of its own.
    pub version: i32,
}

impl Journalled for table::Entity {
    const KIND: &'static str = "security_settings";
    const WHAT: &'static str = "security settings";

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
        Ok(json!({
            "require_mfa": row.require_mfa, "idle_minutes": row.idle_minutes,
            "absolute_minutes": row.absolute_minutes, "version": row.version,
        }))
    }
}

fn write(tx: &Tx, row: SecuritySettingsRow) -> table::Model {
    table::Model {
        organisation_id: tx.organisation().0,
        require_mfa: row.require_mfa,
        idle_minutes: row.idle_minutes,
        absolute_minutes: row.absolute_minutes,
        version: row.version,
    }
}

impl Tx {
    /// The organisation's own settings, if it has some.
    pub async fn security_settings(&self) -> Result<Option<SecuritySettingsRow>> {
        let row = self.find::<table::Entity>().one(self.db()).await.or_domain()?;
        Ok(row.map(|row| SecuritySettingsRow {
            require_mfa: row.require_mfa,
            idle_minutes: row.idle_minutes,
            absolute_minutes: row.absolute_minutes,
            version: row.version,
        }))
    }

    /// Changes settings that were read before, or makes the first.
    pub async fn security_settings_save(
        &self,
        before: SecuritySettingsRow,
        mut after: SecuritySettingsRow,
    ) -> Result<SecuritySettingsRow> {
        if before == after {
            return Ok(before);
        }
        after.version = before.version + 1;
        if before.version == 0 {
            self.insert_row::<table::Entity>(write(self, after)).await?;
        } else {
            self.update_row::<table::Entity>(&write(self, before), write(self, after)).await?;
        }
        Ok(after)
    }

    /// Lets running sessions last as long as new ones from now on, never longer than they did.
    pub async fn sessions_bound(&self, settings: SecuritySettingsRow) -> Result<()> {
        let idle =
            session::ActiveModel { idle_minutes: ActiveValue::Set(Some(settings.idle_minutes)), ..Default::default() };
        self.update_row_where::<session::Entity>(idle, Condition::all()).await?;
        let most = chrono::TimeDelta::minutes(settings.absolute_minutes.into());
        for row in self.find::<session::Entity>().all(self.db()).await.or_domain()? {
            let ends = row.created_at + most;
            if ends < row.expires_at {
                let own = Condition::all().add(session::Column::Id.eq(row.id));
                let ends = session::ActiveModel { expires_at: ActiveValue::Set(ends), ..ActiveModelTrait::default() };
                self.update_row_where::<session::Entity>(ends, own).await?;
            }
        }
        Ok(())
    }
}
