//! A portal user's devices.

use chrono::{DateTime, Utc};
use domain::{DeviceId, Listed, PortalPermission};
use poem_openapi::{
    Object, OpenApi,
    param::{Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{Age, PortalChapter};
use crate::{
    app::AppData,
    page::{Answer, page_request},
    portal_auth::PortalCaller,
    problem::Failure,
    routes::{
        device_fields::Believed,
        devices::{JoinedDevice, device},
        fleet::sources,
    },
};

/// A machine, as all tools of the provider together see it.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct PortalDevice {
    /// Id
    pub id: Uuid,
    /// Name
    pub name: String,
    /// Host name
    pub hostname: Option<String>,
    /// Class of device
    pub class: Option<String>,
    /// Whether it can be reached; absent while unknown
    pub online: Option<bool>,
    /// Operating system
    pub os: Option<String>,
    /// Its version
    pub os_version: Option<String>,
    /// Maker
    pub manufacturer: Option<String>,
    /// Model
    pub model: Option<String>,
    /// Serial number
    pub serial: Option<String>,
    /// When it was last heard of, to the day
    pub last_contact_at: Option<DateTime<Utc>>,
}

/// A page of devices, with its age.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct PortalDevicePage {
    /// Rows
    pub items: Vec<PortalDevice>,
    /// Send it as `cursor` for the next page; absent on the last
    pub next_cursor: Option<String>,
    /// Rows of the whole list
    pub total: i64,
    pub age: Age,
}

/// Devices.
pub struct PortalDevices;

#[OpenApi(prefix_path = "/api/clientone/devices", tag = "PortalChapter::Devices")]
impl PortalDevices {
    /// My devices: a User's are those assigned, a Manager's all of the company, unless some are assigned
    #[oai(path = "/", method = "get", operation_id = "device_list")]
    async fn device_list(
        &self,
        app: AppData<'_>,
        caller: PortalCaller,
        uri: &poem::http::Uri,
        /// Part of the name
        search: Query<Option<String>>,
        /// Rows of a page, 1 to 100; 25 when left out
        limit: Query<Option<u64>>,
        /// Where the last page ended
        cursor: Query<Option<String>>,
    ) -> Result<Answer<PortalDevicePage>, Failure> {
        let (tx, visit) = caller.visit()?;
        let page = page_request(limit.0, cursor.0.as_deref())?;
        tx.context().require_portal(PortalPermission::DevicesView, &visit.config.settings)?;
        let (sources, client) = sources(&tx, visit.user.client_id.0).await?;
        let sight = clientone::device_sight(&tx, &visit.user, &visit.config.settings).await?;
        let Listed { items, next, total } = tx.client_devices_for(client, sight, search.0.as_deref(), &page).await?;
        let believed = Believed::read(&app, &tx, &sources).await?;
        let items = items.iter().map(|one| device(one, &believed).map(view)).collect::<domain::Result<Vec<_>>>()?;
        let Answer::Ok(Json(page), link, _) = Answer::page(Listed { items, next, total }, uri);
        let age = Age::of(&sources.of(&app, "device"));
        let body = PortalDevicePage { items: page.items, next_cursor: page.next_cursor, total: page.total, age };
        Ok(Answer::Ok(Json(body), link, None))
    }

    /// One of my devices
    #[oai(path = "/:device_id", method = "get", operation_id = "device_get")]
    async fn device_get(
        &self,
        app: AppData<'_>,
        caller: PortalCaller,
        device_id: Path<Uuid>,
    ) -> Result<Answer<PortalDevice>, Failure> {
        let (tx, visit) = caller.visit()?;
        tx.context().require_portal(PortalPermission::DevicesView, &visit.config.settings)?;
        let (sources, client) = sources(&tx, visit.user.client_id.0).await?;
        let sight = clientone::device_sight(&tx, &visit.user, &visit.config.settings).await?;
        let found = tx.client_device_for(client, sight, DeviceId(device_id.0)).await?;
        let believed = Believed::read(&app, &tx, &sources).await?;
        Ok(Answer::new(view(device(&found, &believed)?)))
    }
}

/// What a portal user is shown of a device: nothing of which tools tell of it, nor of who uses it where.
fn view(device: JoinedDevice) -> PortalDevice {
    PortalDevice {
        id: device.id,
        name: device.name,
        hostname: device.hostname,
        class: device.class,
        online: device.online,
        os: device.os,
        os_version: device.os_version,
        manufacturer: device.manufacturer,
        model: device.model,
        serial: device.serial,
        last_contact_at: device.last_contact_at,
    }
}
