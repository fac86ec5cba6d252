//! Devices, site by site: the list for the whole account is known to miss some that the sites' lists have.

use std::collections::BTreeMap;

use async_trait::async_trait;
use bytes::Bytes;
use integration::{Device, Error, Item, Kind, Page, Position, Pull, Reach, Result};
use serde_json::value::RawValue;

use crate::{DattoRmm, loose::as_text, wire};

#[async_trait]
impl Pull<Device> for DattoRmm {
    fn reach(&self) -> Reach {
        Reach::Entity
    }

    async fn page(&self, at: Position<'_>) -> Result<Page> {
        let Some(site) = at.entity else {
            return Err(Error::new(Kind::Refused, "devices of Datto RMM are listed site by site"));
        };
        let mut page = self.api.list(&[&["site", site, "devices"]], at.cursor, deleted).await?;
        page.records.iter_mut().for_each(leave_out_own_fields);
        Ok(page)
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Device>, String> {
        let row: wire::Device = wire::read(raw, "device")?;
        let name = row.hostname.clone().or(row.description).unwrap_or_else(|| format!("Device {}", row.uid));
        let (os, os_version) = row.operating_system.map(split_version).unzip();
        Ok(Item {
            id: row.uid,
            entity: None,
            record: Device {
                name,
                hostname: row.hostname,
                class: as_text(&row.device_type["category"]).or(row.device_class),
                os,
                os_version: os_version.flatten(),
                ips: row.int_ip_address.into_iter().collect(),
                public_ip: row.ext_ip_address,
                online: row.online,
                last_contact_at: row.last_seen,
                last_user: row.last_logged_in_user,
                created_at: row.creation_date,
                ..Device::default()
            },
        })
    }
}

fn deleted(raw: &[u8]) -> Option<String> {
    let row: wire::Deletion = serde_json::from_slice(raw).ok()?;
    (row.deleted == Some(true)).then_some(row.uid)
}

/// The account's own fields often hold secrets (recovery keys, passwords of local administrators): they
/// are not handed on, so that they are stored nowhere. A record that is no object stays, to be rejected.
fn leave_out_own_fields(raw: &mut Bytes) {
    let Ok(mut fields) = serde_json::from_slice::<BTreeMap<String, &RawValue>>(raw) else { return };
    let own = ["udf", "udfs"].map(|key| fields.remove(key));
    if own.iter().any(Option::is_some)
        && let Ok(rest) = serde_json::to_vec(&fields)
    {
        *raw = rest.into();
    }
}

/// "Microsoft Windows 11 Pro 10.0.26100" is a name and a version; without dotted digits at its end it is
/// all name.
fn split_version(os: String) -> (String, Option<String>) {
    match os.rsplit_once(' ') {
        Some((name, version))
            if version.contains('.') && version.split('.').all(|part| part.parse::<u32>().is_ok()) =>
        {
            (name.trim_end().to_owned(), Some(version.to_owned()))
        }
        _ => (os, None),
    }
}
