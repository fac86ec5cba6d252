//! A client's devices: each machine once, whoever tells us of it, and splitting and joining them by hand.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use directory::{device_facts, device_join, device_split};
use domain::{
    ClientId, DeviceId, Listed, Permission, RecordId,
    device::{DeviceField, Signal},
};
use persistence::{DeviceSource, ListedDevice, Tx};
use poem_openapi::{
    Enum, Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{
    Chapter,
    device_fields::Believed,
    fleet::{RecordPage, body, record_page, sources},
};
use crate::{
    app::{App, AppData},
    auth::Caller,
    changes::Written,
    page::{Answer, page_request},
    problem::Failure,
    write::{Asked, Begun},
};

/// Why an observation belongs to the others
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum JoinSignal {
    /// A person said so
    Person,
    /// The same serial number
    Serial,
    /// A hardware address in common
    Mac,
    /// The same host name
    Hostname,
}

/// One reason for which an observation belongs to the others.
#[derive(Debug, Clone, Object)]
pub struct JoinEvidence {
    pub signal: JoinSignal,
    /// What both say; empty where a person said it
    pub value: String,
}

/// What one connection says of a machine.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct DeviceObservation {
    /// Id of the observation
    pub id: Uuid,
    /// Connection that says it
    pub connection_id: Uuid,
    /// Its integration
    pub integration: String,
    /// The vendor's id
    pub vendor_id: String,
    /// What it is called there
    pub name: String,
    /// Whether this vendor can reach it; absent while unknown
    pub online: Option<bool>,
    /// When this vendor last heard of it, to the day
    pub last_contact_at: Option<DateTime<Utc>>,
    /// Why it belongs to the others; empty where it stands alone
    pub evidence: Vec<JoinEvidence>,
    /// How sure that is, 0 to 1; absent where it stands alone
    pub confidence: Option<f64>,
}

/// A machine, as all vendors together see it. Of what they say differently, what a person fixed is shown, then what the
/// organisation's order of integrations says, then the newest; `client_joined_device_get` says which it was.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct JoinedDevice {
    /// Id, the same for as long as one of its observations stays
    pub id: Uuid,
    /// Name: what most vendors call it, unless a person or the organisation's order of integrations says otherwise
    pub name: String,
    /// Host name
    pub hostname: Option<String>,
    /// A vendor's class of device
    pub class: Option<String>,
    /// Whether any vendor can reach it; absent while none knows
    pub online: Option<bool>,
    /// Operating system
    pub os: Option<String>,
    /// Its version
    pub os_version: Option<String>,
    /// Maker
    pub manufacturer: Option<String>,
    /// Model
    pub model: Option<String>,
    /// Serial number; absent where vendors report placeholders only
    pub serial: Option<String>,
    /// MAC addresses of all vendors
    pub macs: Vec<String>,
    /// IP addresses of all vendors
    pub ips: Vec<String>,
    /// Address seen from outside
    pub public_ip: Option<String>,
    /// Account that last signed in
    pub last_user: Option<String>,
    /// When any vendor last heard of it, to the day
    pub last_contact_at: Option<DateTime<Utc>>,
    /// Who says it
    pub observations: Vec<DeviceObservation>,
}

/// Devices that are one.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example)]
pub struct DeviceJoin {
    /// Other devices of the client: all their observations are this machine
    pub device_ids: Vec<Uuid>,
}

/// Observations that are not what the others of a device are.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example)]
pub struct DeviceSplit {
    /// Ids of the observations to be taken out
    pub observations: Vec<Uuid>,
}

/// Devices across vendors.
pub struct Devices;

#[OpenApi(prefix_path = "/api/clients", tag = "Chapter::Clients")]
impl Devices {
    /// A client's devices, each machine once
    ///
    /// Observations of several vendors are joined by serial number, hardware address and host name; each says why it
    /// belongs to the others. `client_device_list` lists the observations.
    #[oai(path = "/:client_id/joined-devices", method = "get", operation_id = "client_joined_device_list")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn client_joined_device_list(
        &self,
        app: AppData<'_>,
        caller: Caller,
        uri: &poem::http::Uri,
        client_id: Path<Uuid>,
        /// Part of the name
        search: Query<Option<String>>,
        /// Rows of a page, 1 to 100; 25 when left out
        limit: Query<Option<u64>>,
        /// Where the last page ended
        cursor: Query<Option<String>>,
    ) -> Result<Answer<RecordPage<JoinedDevice>>, Failure> {
        let page = page_request(limit.0, cursor.0.as_deref())?;
        let tx = app.read(caller, Permission::DevicesView).await?;
        let (sources, client) = sources(&tx, client_id.0).await?;
        let Listed { items, next, total } = tx.client_devices(client, search.0.as_deref(), &page).await?;
        let believed = Believed::read(&app, &tx, &sources).await?;
        let items = items.iter().map(|one| device(one, &believed)).collect::<domain::Result<Vec<_>>>()?;
        Ok(record_page(&app, uri, &sources, "device", Listed { items, next, total }))
    }

    /// Join devices: they are one machine
    ///
    /// It holds in every later sync, whatever vendors say. The change set names each pair of observations that it
    /// decides.
    #[oai(path = "/:client_id/joined-devices/:device_id/join", method = "post", operation_id = "device_join")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn device_join(
        &self,
        app: AppData<'_>,
        caller: Caller,
        client_id: Path<Uuid>,
        device_id: Path<Uuid>,
        body: Json<DeviceJoin>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<JoinedDevice>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let (client, id) = (ClientId(client_id.0), DeviceId(device_id.0));
        let request = (client, id, &body.0);
        app.permit(&context, Permission::DevicesView, "device_join").await?;
        let write = match app.begin(&context, Permission::MappingsSave, "device_join", asked, &request).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let others: Vec<DeviceId> = body.0.device_ids.iter().copied().map(DeviceId).collect();
        let joined = device_join(&write.tx, client, id, &others).await?;
        let item = shown(&app, &write.tx, client, &joined).await?;
        Ok(Answer::new(write.finish(Some(item), Vec::new()).await?))
    }

    /// Split a device: some of its observations are another machine
    ///
    /// It holds in every later sync, whatever vendors say. Those taken out are one device or several, as the evidence
    /// among them says. Answers the device that is left.
    #[oai(path = "/:client_id/joined-devices/:device_id/split", method = "post", operation_id = "device_split")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn device_split(
        &self,
        app: AppData<'_>,
        caller: Caller,
        client_id: Path<Uuid>,
        device_id: Path<Uuid>,
        body: Json<DeviceSplit>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<JoinedDevice>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let (client, id) = (ClientId(client_id.0), DeviceId(device_id.0));
        let request = (client, id, &body.0);
        app.permit(&context, Permission::DevicesView, "device_split").await?;
        let write = match app.begin(&context, Permission::MappingsSave, "device_split", asked, &request).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let out: Vec<RecordId> = body.0.observations.iter().copied().map(RecordId).collect();
        let left = device_split(&write.tx, client, id, &out).await?;
        let item = shown(&app, &write.tx, client, &left).await?;
        Ok(Answer::new(write.finish(Some(item), Vec::new()).await?))
    }
}

async fn shown(app: &App, tx: &Tx, client: ClientId, one: &ListedDevice) -> domain::Result<JoinedDevice> {
    let (sources, _) = sources(tx, client.0).await?;
    device(one, &Believed::read(app, tx, &sources).await?)
}

pub(super) fn device(one: &ListedDevice, believed: &Believed<'_>) -> domain::Result<JoinedDevice> {
    let mut said: Vec<(&DeviceSource, integration::Device)> = Vec::with_capacity(one.sources.len());
    for source in &one.sources {
        said.push((source, body(&source.record)?));
    }
    // The newest first.
    said.sort_by_key(|(source, body)| (std::cmp::Reverse(body.last_contact_at), source.record.id));
    let facts = device_facts(one, &believed.order, |connection| believed.teller(connection));
    let chosen = |field: DeviceField| {
        let fact = facts.iter().find(|fact| fact.field == field);
        fact.and_then(|fact| fact.choice.as_ref()).map(|choice| choice.value.clone())
    };
    let all = |pick: fn(&integration::Device) -> &Vec<String>| -> Vec<String> {
        let each: BTreeSet<&String> = said.iter().flat_map(|(_, body)| pick(body)).collect();
        each.into_iter().cloned().collect()
    };
    let online: Vec<bool> = said.iter().filter_map(|(_, body)| body.online).collect();
    Ok(JoinedDevice {
        id: one.device.id.0,
        name: one.device.name.clone(),
        hostname: chosen(DeviceField::Hostname),
        class: chosen(DeviceField::Class),
        online: (!online.is_empty()).then(|| online.contains(&true)),
        os: chosen(DeviceField::Os),
        os_version: chosen(DeviceField::OsVersion),
        manufacturer: chosen(DeviceField::Manufacturer),
        model: chosen(DeviceField::Model),
        serial: chosen(DeviceField::Serial),
        macs: all(|body| &body.macs),
        ips: all(|body| &body.ips),
        public_ip: chosen(DeviceField::PublicIp),
        last_user: chosen(DeviceField::LastUser),
        last_contact_at: said.iter().filter_map(|(_, body)| body.last_contact_at).max(),
        observations: said.iter().map(|(source, body)| observation(source, body, believed)).collect(),
    })
}

fn observation(source: &DeviceSource, body: &integration::Device, believed: &Believed<'_>) -> DeviceObservation {
    let evidence = source.evidence.iter().map(|one| JoinEvidence {
        signal: match one.signal {
            Signal::Person => JoinSignal::Person,
            Signal::Serial => JoinSignal::Serial,
            Signal::Mac => JoinSignal::Mac,
            Signal::Hostname => JoinSignal::Hostname,
        },
        value: one.value.clone(),
    });
    DeviceObservation {
        id: source.record.id.0,
        connection_id: source.record.connection_id.0,
        integration: believed.sources.integration(source.record.connection_id).unwrap_or_default().to_owned(),
        vendor_id: source.record.vendor_id.clone(),
        name: body.name.clone(),
        online: body.online,
        last_contact_at: body.last_contact_at,
        evidence: evidence.collect(),
        confidence: source.confidence,
    }
}
