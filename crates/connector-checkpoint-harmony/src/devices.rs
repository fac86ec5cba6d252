//! Computers of Harmony Endpoint. They belong to the account that the key is of: its tenants have keys of
//! their own.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use integration::{Cursor, Device, Error, Item, Kind, Page, Position, Pull, Response, Result, Retry};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{
    CheckpointHarmony,
    api::{NAME, Product, entity_id},
    endpoint::Job,
    wire::{self, known},
};

/// How often the vendor's own tools ask after a job.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where a listing goes on.
#[derive(Clone, Deserialize, Serialize)]
struct Place {
    account: String,
    offset: u64,
    /// Computers that the page before counted.
    total: u64,
    /// The job under way for the page that begins here.
    job: Option<String>,
}

impl Place {
    fn read(cursor: &Cursor) -> Result<Self> {
        serde_json::from_str(cursor.as_str())
            .map_err(|_| Error::new(Kind::Expired, format!("{NAME}: this place in the list of computers is not known")))
    }

    fn cursor(&self) -> Option<Cursor> {
        serde_json::to_string(self).ok().map(Cursor::new)
    }
}

/// A computer with its account: what a record is made from.
#[derive(Serialize)]
struct Owned<'a> {
    account: &'a str,
    computer: &'a RawValue,
}

#[derive(Deserialize)]
struct Wire {
    account: String,
    computer: Computer,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Computer {
    computer_id: String,
    computer_name: Option<String>,
    #[serde(rename = "computerIP")]
    ip: Option<String>,
    /// `Desktop`, `Laptop`, `Server`, `Domain Controller` or `N/A`.
    computer_type: Option<String>,
    os_name: Option<String>,
    #[serde(default, deserialize_with = "wire::text")]
    os_version: Option<String>,
    #[serde(default, deserialize_with = "wire::instant")]
    computer_last_connection: Option<DateTime<Utc>>,
    computer_last_logged_in_user: Option<String>,
    computer_user_name: Option<String>,
}

#[async_trait]
impl Pull<Device> for CheckpointHarmony {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        let place = match at.cursor {
            Some(cursor) => Place::read(cursor)?,
            None => match self.api.endpoint_tenants().await?.account {
                Some(account) => Place { account: account.tenant_id, offset: 0, total: 0, job: None },
                // An MSSP's account without a server has no computers of its own.
                None => return Ok(Page::default()),
            },
        };
        let job = match &place.job {
            Some(job) => job.clone(),
            None => self.api.begin_computers(place.offset).await?,
        };
        match self.api.job(&job).await? {
            Job::Done(response) => split(&response, &place).map_err(|error| self.api.http.scrub(error)),
            // Nothing yet: whoever walks comes back for it, and then waits as long as the vendor's tools do.
            Job::Waiting if place.job.is_none() => {
                let place = Place { job: Some(job), ..place };
                Ok(Page { next: place.cursor(), ..Page::default() })
            }
            Job::Waiting => {
                let message = format!("{NAME} is still making its list of computers");
                Err(Error::new(Kind::Unavailable, message).retry(Retry::After(PATIENCE)))
            }
        }
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Device>, String> {
        let wire: Wire = wire::read(raw, "a computer")?;
        let computer = wire.computer;
        let hostname = known(computer.computer_name);
        let record = Device {
            name: hostname.clone().unwrap_or_else(|| computer.computer_id.clone()),
            hostname,
            class: known(computer.computer_type),
            os: known(computer.os_name),
            os_version: known(computer.os_version),
            ips: known(computer.ip).into_iter().collect(),
            last_contact_at: computer.computer_last_connection,
            last_user: known(computer.computer_last_logged_in_user).or(known(computer.computer_user_name)),
            ..Device::default()
        };
        Ok(Item { id: computer.computer_id, entity: Some(entity_id(Product::Endpoint, &wire.account)), record })
    }
}

/// The page that a finished job holds.
fn split(response: &Response, place: &Place) -> Result<Page> {
    let state: wire::JobState<'_> = wire::parse(response.json_bytes(NAME)?)?;
    let data = state.data.ok_or_else(|| Error::unreadable(NAME, "a finished job without a result"))?;
    let list: wire::Computers<'_> = wire::parse(data.get().as_bytes())?;
    let (count, total) = (list.computers.len() as u64, list.total_count.max(0.0) as u64);
    let end = place.offset.saturating_add(count);
    // Those behind one that vanished have moved forward, and would be missed.
    if total < place.total {
        return Err(Error::new(Kind::Expired, format!("{NAME}: computers vanished while they were listed: list anew")));
    }
    if count == 0 && end < total {
        return Err(Error::unreadable(NAME, "an empty page before the end of a listing").retry(Retry::Yes));
    }
    let records = list.computers.iter().map(|computer| {
        let owned = Owned { account: &place.account, computer };
        serde_json::to_vec(&owned).map(Bytes::from).map_err(|why| Error::unreadable(NAME, why))
    });
    let next = Place { offset: end, total, job: None, ..place.clone() };
    Ok(Page {
        records: records.collect::<Result<_>>()?,
        next: if end < total { next.cursor() } else { None },
        total: Some(total),
        ..Page::default()
    })
}
