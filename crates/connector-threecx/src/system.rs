//! The phone system itself: one record, which is its own entity.

use async_trait::async_trait;
use integration::{Error, Item, Page, PhoneSystem, Position, Pull, Result};
use serde_json::{Map, Value};

use crate::{
    Threecx,
    api::{Api, NAME},
    odata,
    peers::SYSTEM,
    wire::{self, Count},
};

/// Not the licence key.
const FIELDS: [&str; 14] = [
    "FQDN",
    "Version",
    "OS",
    "LicenseActive",
    "ExpirationDate",
    "MaxSimCalls",
    "ExtensionsTotal",
    "ExtensionsRegistered",
    "TrunksTotal",
    "TrunksRegistered",
    "DiskUsage",
    "HasNotRunningServices",
    "BackupScheduled",
    "LastBackupDateTime",
];

/// What the system says of itself.
pub(crate) async fn status(api: &Api) -> Result<Map<String, Value>> {
    let response = api.get("SystemStatus", &[("$select", FIELDS.join(","))]).await?;
    let mut status = odata::only(response.json(NAME)?, &FIELDS);
    if status.is_empty() {
        return Err(Error::unreadable(NAME, "a state of the system that says nothing"));
    }
    // One that does not say its name goes by the one that it is reached by.
    if status.get("FQDN").and_then(Value::as_str).is_none_or(|name| name.trim().is_empty()) {
        status.insert("FQDN".to_owned(), api.host().into());
    }
    Ok(status)
}

#[async_trait]
impl Pull<PhoneSystem> for Threecx {
    async fn page(&self, _: Position<'_>) -> Result<Page> {
        let status = Value::Object(status(&self.api).await?);
        Ok(Page { records: vec![status.to_string().into()], total: Some(1), ..Page::default() })
    }

    fn read(&self, raw: &[u8]) -> Result<Item<PhoneSystem>, String> {
        let system: wire::System = wire::read(raw, "phone system")?;
        let count = |count: Option<Count>| count.map(|count| count.0);
        let record = PhoneSystem {
            name: system.fqdn.0.ok_or("a phone system has no name")?,
            version: system.version.0,
            os: system.os.0,
            licence_active: system.license_active.0,
            licence_ends_on: system.expiration_date.0.map(|end| end.0.date_naive()),
            calls_limit: count(system.max_sim_calls.0),
            extensions: count(system.extensions_total.0),
            extensions_registered: count(system.extensions_registered.0),
            trunks: count(system.trunks_total.0),
            trunks_registered: count(system.trunks_registered.0),
            disk_used_percent: count(system.disk_usage.0),
            services_stopped: system.has_not_running_services.0,
            backup_scheduled: system.backup_scheduled.0,
            last_backup_at: system.last_backup_date_time.0.map(|at| at.0),
        };
        Ok(Item { id: SYSTEM.to_owned(), entity: Some(SYSTEM.to_owned()), record })
    }
}
