//! The least program that fetches devices and stores them, typed and as the vendor wrote them: reqwest, serde,
//! prepared inserts, a transaction for each page, the hashes of what it knows in memory.

use std::{collections::HashSet, time::Instant};

use anyhow::{Context, Result};
use rusqlite::ToSql;
use serde::Deserialize;
use serde_json::{json, value::RawValue};
use tokio_postgres::types::ToSql as ToPg;
use xxhash_rust::xxh3::xxh3_128;

use crate::{
    contender::{Orders, answer},
    database::{self, Engine},
};

const PAGE: usize = 1_000;
const COLUMNS: usize = 21;
/// Rows of one insert.
const ROWS: usize = 100;

const TABLE: &str = "CREATE TABLE device (id bigint PRIMARY KEY, organization_id bigint, location_id bigint, \
    node_class text, approval text, offline bigint, name text, system_name text, dns_name text, created float8, \
    last_contact float8, ip text, mac text, public_ip text, last_user text, os text, os_build text, maker text, \
    model text, serial text, raw text); CREATE INDEX device_organization ON device (organization_id)";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Device<'a> {
    id: i64,
    organization_id: i64,
    location_id: Option<i64>,
    #[serde(borrow)]
    node_class: Option<&'a str>,
    approval_status: Option<&'a str>,
    offline: Option<bool>,
    display_name: Option<String>,
    system_name: Option<String>,
    dns_name: Option<String>,
    created: Option<f64>,
    last_contact: Option<f64>,
    #[serde(default)]
    ip_addresses: Vec<String>,
    #[serde(default)]
    mac_addresses: Vec<String>,
    #[serde(rename = "publicIP")]
    public_ip: Option<String>,
    last_logged_in_user: Option<String>,
    os: Option<Os>,
    system: Option<System>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Os {
    name: Option<String>,
    build_number: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct System {
    manufacturer: Option<String>,
    model: Option<String>,
    serial_number: Option<String>,
}

/// One row, as it is inserted.
struct Row<'a> {
    device: Device<'a>,
    offline: Option<i64>,
    ip: Option<String>,
    mac: Option<String>,
    os: Os,
    system: System,
    raw: &'a str,
}

/// The columns of a row, each as `$as`: both databases bind the same values by traits of their own.
macro_rules! columns {
    ($row:ident, $as:ty) => {{
        let (device, os, system) = (&$row.device, &$row.os, &$row.system);
        let columns: [&$as; COLUMNS] = [
            &device.id,
            &device.organization_id,
            &device.location_id,
            &device.node_class,
            &device.approval_status,
            &$row.offline,
            &device.display_name,
            &device.system_name,
            &device.dns_name,
            &device.created,
            &device.last_contact,
            &$row.ip,
            &$row.mac,
            &device.public_ip,
            &device.last_logged_in_user,
            &os.name,
            &os.build_number,
            &system.manufacturer,
            &system.model,
            &system.serial_number,
            &$row.raw,
        ];
        columns
    }};
}

enum Store {
    Sqlite(rusqlite::Connection),
    Postgres(tokio_postgres::Client),
}

/// Works until its orders end.
pub async fn run(engine: Engine, database: &str, base: &str) -> Result<()> {
    let mut store = match engine {
        Engine::Sqlite => {
            let connection = rusqlite::Connection::open(database)?;
            connection
                .execute_batch("PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL")?;
            connection.execute_batch(TABLE)?;
            Store::Sqlite(connection)
        }
        Engine::Postgres => {
            let client = database::connect(database).await?;
            client.batch_execute(TABLE).await?;
            Store::Postgres(client)
        }
    };
    // Installs the TLS provider without which reqwest makes no client, though none is used here.
    drop(worker::VendorDial::new(&[], 1.0, std::sync::Arc::new(domain::SystemClock))?);
    #[expect(clippy::disallowed_methods, reason = "the floor is to do without the product's transport")]
    let http = reqwest::Client::builder().no_proxy().build()?;
    let mut known = HashSet::new();
    answer("ready")?;
    let mut orders = Orders::read();
    while orders.next().await?.is_some() {
        let started = Instant::now();
        let (listed, written) = sync(&http, base, &mut store, &mut known).await?;
        let wall = started.elapsed().as_secs_f64();
        answer(&json!({ "wall": wall, "listed": listed, "written": written }).to_string())?;
    }
    Ok(())
}

async fn sync(
    http: &reqwest::Client,
    base: &str,
    store: &mut Store,
    known: &mut HashSet<u128>,
) -> Result<(usize, usize)> {
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", "sim-ninjaone-app-0001"),
        ("client_secret", "sim-ninjaone-secret-0001"),
    ];
    let granted: serde_json::Value =
        http.post(format!("{base}/ws/oauth/token")).form(&form).send().await?.error_for_status()?.json().await?;
    let token = granted["access_token"].as_str().context("no token")?;
    let (mut listed, mut written, mut after) = (0, 0, 0);
    loop {
        let url = format!("{base}/v2/devices-detailed?pageSize={PAGE}&after={after}");
        let body = http.get(url).bearer_auth(token).send().await?.error_for_status()?.bytes().await?;
        let page: Vec<&RawValue> = serde_json::from_slice(&body)?;
        listed += page.len();
        let mut rows = Vec::with_capacity(page.len());
        for raw in &page {
            if known.insert(xxh3_128(raw.get().as_bytes())) {
                rows.push(row(raw.get())?);
            }
        }
        written += rows.len();
        write(store, &rows).await?;
        let Some(last) = page.last().filter(|_| page.len() == PAGE) else { return Ok((listed, written)) };
        #[derive(Deserialize)]
        struct Id {
            id: i64,
        }
        after = serde_json::from_str::<Id>(last.get())?.id;
    }
}

fn row(raw: &str) -> Result<Row<'_>> {
    let mut device: Device<'_> = serde_json::from_str(raw)?;
    Ok(Row {
        offline: device.offline.map(i64::from),
        ip: device.ip_addresses.pop(),
        mac: device.mac_addresses.pop(),
        os: device.os.take().unwrap_or_default(),
        system: device.system.take().unwrap_or_default(),
        device,
        raw,
    })
}

fn insert(rows: usize, sign: char) -> String {
    let row = |row: usize| {
        let values: Vec<_> = (1..=COLUMNS).map(|column| format!("{sign}{}", row * COLUMNS + column)).collect();
        format!("({})", values.join(","))
    };
    let rows: Vec<_> = (0..rows).map(row).collect();
    format!(
        "INSERT INTO device VALUES {} ON CONFLICT (id) DO UPDATE SET name = excluded.name, os_build = excluded.os_build, raw = excluded.raw",
        rows.join(",")
    )
}

async fn write(store: &mut Store, rows: &[Row<'_>]) -> Result<()> {
    match store {
        Store::Sqlite(connection) => {
            let transaction = connection.transaction()?;
            for chunk in rows.chunks(ROWS) {
                let values: Vec<&dyn ToSql> = chunk.iter().flat_map(|row| columns!(row, dyn ToSql)).collect();
                transaction.prepare_cached(&insert(chunk.len(), '?'))?.execute(&values[..])?;
            }
            transaction.commit()?;
        }
        Store::Postgres(client) => {
            let whole = client.prepare(&insert(ROWS, '$')).await?;
            let transaction = client.transaction().await?;
            for chunk in rows.chunks(ROWS) {
                let values: Vec<&(dyn ToPg + Sync)> =
                    chunk.iter().flat_map(|row| columns!(row, (dyn ToPg + Sync))).collect();
                if chunk.len() == ROWS {
                    transaction.execute(&whole, &values).await?;
                } else {
                    transaction.execute(&insert(chunk.len(), '$'), &values).await?;
                }
            }
            transaction.commit().await?;
        }
    }
    Ok(())
}
