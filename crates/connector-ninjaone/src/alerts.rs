//! Alerts: conditions that hold now. A row names its device, and mostly not the organisation: the devices
//! that alerts name are looked up, and what is known of them goes into the row.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use bytes::Bytes;
use integration::{Alert, Item, Kind, Method, Page, Position, Pull, Result, Severity};
use serde_json::{Map, Value, json};

use crate::{
    NinjaOne, api,
    wire::{self, AlertDevice},
};

/// Devices looked up at once: their ids go into one address.
const AT_ONCE: usize = 100;

/// Devices looked up one by one, because the list has approved ones only. Alerts of the rest cannot be read,
/// so nothing is taken for ended on their account.
const ONE_BY_ONE: usize = 50;

/// Devices by id.
type Devices = BTreeMap<u32, AlertDevice>;

#[async_trait]
impl Pull<Alert> for NinjaOne {
    /// One answer has them all.
    async fn page(&self, _: Position<'_>) -> Result<Page> {
        let rows = self.api.whole(self.api.request(Method::Get, "/v2/alerts")?).await?;
        let homeless = |raw: &Bytes| {
            let row: wire::Alert = wire::read(raw, "alert").ok()?;
            let known = row.device.is_some_and(|device| device.organization_id.is_some());
            if known { None } else { row.device_id?.parse().ok() }
        };
        let devices = self.devices_of(rows.iter().filter_map(homeless).collect()).await?;
        let records = rows.into_iter().map(|raw| with_device(raw, &devices)).collect();
        Ok(Page { records, ..Page::default() })
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Alert>, String> {
        let row: wire::Alert = wire::read(raw, "alert")?;
        let device = row.device.unwrap_or_default();
        let message = row.message;
        let first_line = message.as_deref().and_then(|text| text.lines().next()).map(|line| line.trim().to_owned());
        let described = message.filter(|text| first_line.as_ref() != Some(text));
        let named = row.condition_name.or(row.source_name).or(row.subject).or_else(|| row.source_type.clone());
        let record = Alert {
            title: first_line.or(named).unwrap_or_else(|| "Alert".to_owned()),
            description: described,
            severity: row.severity.as_deref().and_then(severity),
            severity_word: row.severity,
            // The listing is of those that hold.
            active: Some(true),
            category: row.source_type,
            device_id: row.device_id,
            device_name: device.display_name.or(device.system_name),
            raised_at: row.create_time,
            resolved_at: None,
            url: None,
        };
        let entity = device.organization_id.ok_or("an alert names no device that NinjaOne knows")?;
        Ok(Item { id: row.uid, entity: Some(entity), record })
    }
}

impl NinjaOne {
    async fn devices_of(&self, ids: BTreeSet<u32>) -> Result<Devices> {
        let mut devices = Devices::new();
        let all: Vec<u32> = ids.iter().copied().collect();
        for some in all.chunks(AT_ONCE) {
            let listed: Vec<String> = some.iter().map(u32::to_string).collect();
            let mut request = self.api.request(Method::Get, "/v2/devices")?;
            // The filter's spaces as NinjaOne writes them: whether it reads a plus sign as one is not known.
            request.url.set_query(Some(&format!("pageSize={AT_ONCE}&df=id%20in%20({})", listed.join(","))));
            let found: Vec<AlertDevice> = match self.api.all(request, "device").await {
                // It does not take the filter: each is asked for.
                Err(error) if error.kind == Kind::Refused => Vec::new(),
                found => found?,
            };
            devices.extend(found.into_iter().filter_map(|device| Some((api::id(&device.id).ok()?, device))));
        }
        for id in all.into_iter().filter(|id| !devices.contains_key(id)).take(ONE_BY_ONE).collect::<Vec<_>>() {
            let answer = self.api.read(self.api.request(Method::Get, &format!("/v2/device/{id}"))?).await;
            if let Some(device) = api::if_known(answer.and_then(|answer| answer.json::<AlertDevice>(api::NAME)))? {
                devices.insert(id, device);
            }
        }
        Ok(devices)
    }
}

/// The row with what is known of its device, and nothing of it that changes by the minute.
fn with_device(raw: Bytes, devices: &Devices) -> Bytes {
    let Ok(mut row) = serde_json::from_slice::<Map<String, Value>>(&raw) else { return raw };
    let id = row.get("deviceId").cloned().and_then(crate::loose::as_text).and_then(|id| id.parse().ok());
    let Some(device) = id.and_then(|id: u32| devices.get(&id)) else { return raw };
    let known = json!({
        "id": device.id, "organizationId": device.organization_id,
        "displayName": device.display_name, "systemName": device.system_name,
    });
    row.insert("device".to_owned(), known);
    Value::from(row).to_string().into()
}

/// NONE is the setting of a condition that nobody rated.
fn severity(word: &str) -> Option<Severity> {
    Some(match word {
        "CRITICAL" => Severity::Critical,
        "MAJOR" => Severity::High,
        "MODERATE" => Severity::Medium,
        "MINOR" => Severity::Low,
        _ => return None,
    })
}
