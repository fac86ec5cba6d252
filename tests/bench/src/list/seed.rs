//! Clients with devices: the same businesses for the product and for the floor, which has the least schema that
//! answers the same questions.

use std::fmt::Write as _;

use access::{AccessOptions, FirstStep, Gate, NewOrganisation, RequestMeta, SignIn};
use anyhow::Result;
use domain::name_key;
use persistence::{KeyRing, Store, StoreOptions};
use uuid::Uuid;

use crate::database::{Database, Engine, Sql};

const FIRST: [&str; 12] = [
    "Harbour",
    "Kite",
    "Meridian",
    "Northgate",
    "Osprey",
    "Quarry",
    "Riverside",
    "Saltmarsh",
    "Thornbury",
    "Upland",
    "Verity",
    "Willow",
];
const SECOND: [&str; 12] = [
    "Dental",
    "Logistics",
    "Legal",
    "Joinery",
    "Optics",
    "Veterinary",
    "Catering",
    "Estates",
    "Pharmacy",
    "Studios",
    "Surveyors",
    "Textiles",
];
/// What is searched for.
pub const SEARCHES: [&str; 3] = ["harbour opt", "dental", "legal 77"];
/// The range of device counts that is asked for.
pub const DEVICES: (u32, u32) = (100, 200);
/// Rows of one statement.
const CHUNK: u32 = 1_000;
const WHEN: &str = "'2026-10-06T09:00:00+00:00'";

/// One business.
struct Business {
    name: String,
    status: &'static str,
    devices: u32,
}

/// The nth of so many. Few have very many devices; together they have about 25 each of 10,000 and 13 of 100,000.
fn business(n: u32, of: u32) -> Business {
    let spread = n.wrapping_mul(2_654_435_761) >> 7;
    let (first, second) = (FIRST[(spread % 12) as usize], SECOND[(spread / 12 % 12) as usize]);
    let large = spread % 1_000 < if of > 50_000 { 50 } else { 100 };
    let devices = match large {
        true => 100 + spread / 31 % 100,
        false => spread / 31 % if of > 50_000 { 12 } else { 22 },
    };
    let status = if spread.is_multiple_of(8) { "inactive" } else { "active" };
    Business { name: format!("{first} {second} {n:06}"), status, devices }
}

/// The name of the nth client of so many.
pub fn name(n: u32, of: u32) -> String {
    business(n, of).name
}

/// Everyone's password.
pub const PASSWORD: &str = "a long password of the bench";

/// Fills the product's database with so many clients, and signs in; returns the cookie.
pub async fn product(database: &Database, keys: &str, clients: u32) -> Result<String> {
    Store::migrate(&database.url).await?;
    let ring = KeyRing::parse(keys).map_err(anyhow::Error::msg)?;
    let store = Store::connect(StoreOptions::new(&database.url, ring)).await?;
    let gate = Gate::new(AccessOptions::default(), store.chance().clone())?;
    let (email, password) = ("owner@bench.example", PASSWORD);
    let new = NewOrganisation {
        name: "Bench".to_owned(),
        slug: None,
        owner_name: "Owner".to_owned(),
        owner_email: email.to_owned(),
        owner_password: password.into(),
    };
    let (organisation, _) = access::organisation_create(&store, &gate, new).await?;
    let request = RequestMeta { request_id: "bench".to_owned(), source_address: None };
    let attempt =
        SignIn { organisation: None, email: email.to_owned(), password: password.into(), user_agent: None, request };
    let FirstStep::Session(signed_in) = access::sign_in(&store, &gate, attempt).await? else {
        anyhow::bail!("nobody here has a second factor");
    };
    gate.drain().await;
    store.close().await?;
    use secrecy::ExposeSecret;
    let cookie = format!("panelone_session={}", signed_in.token.expose_secret());
    rows(&Sql::open(database).await?, organisation.0, clients).await?;
    Ok(cookie)
}

fn id(kind: u128, n: u32) -> Uuid {
    // Spread, as ids by time are not in the order of names.
    Uuid::from_u128((u128::from(n.wrapping_mul(2_654_435_761)) << 96) | (kind << 64) | u128::from(n))
}

async fn rows(sql: &Sql, organisation: Uuid, clients: u32) -> Result<()> {
    let organisation = sql.id(organisation);
    let connection = sql.id(id(1, 0));
    let empty = if matches!(sql, Sql::Sqlite(_)) { "x'00'" } else { "'\\x00'::bytea" };
    sql.run("BEGIN").await?;
    sql.run(&format!(
        "INSERT INTO connection (organisation_id, id, integration, name, state, credentials_version, cadence_minutes, \
         created_at, updated_at, version) VALUES ({organisation}, {connection}, 'ninjaone', 'NinjaOne', 'connected', \
         1, 60, {WHEN}, {WHEN}, 1)"
    ))
    .await?;
    let mut active = 0;
    for from in (0..clients).step_by(CHUNK as usize) {
        let (mut rows, mut entities) = (String::new(), String::new());
        for n in from..clients.min(from + CHUNK) {
            let Business { name, status, devices } = business(n, clients);
            active += u32::from(status == "active");
            let (key, client, entity) = (name_key(&name), sql.id(id(2, n)), sql.id(id(3, n)));
            let comma = if n == from { "" } else { "," };
            write!(rows, "{comma}({organisation},{client},'{name}','{key}','{status}',{WHEN},{WHEN},1,{devices},0)")?;
            write!(
                entities,
                "{comma}({organisation},{entity},{connection},'ninjaone','organisation','{n}','{name}','{key}','{{}}',\
                 {empty},{empty},{empty},{WHEN},{WHEN},{connection},{client},'mapped',1,{devices},0)"
            )?;
        }
        sql.run(&format!(
            "INSERT INTO client (organisation_id, id, name, name_key, status, created_at, updated_at, version, \
             device_count, user_count) VALUES {rows}"
        ))
        .await?;
        sql.run(&format!(
            "INSERT INTO entity (organisation_id, id, connection_id, integration, kind, vendor_id, name, name_key, \
             body, raw, raw_hash, content_hash, first_seen_at, changed_at, run_id, client_id, mapping_state, version, \
             device_count, user_count) VALUES {entities}"
        ))
        .await?;
    }
    let inactive = clients - active;
    sql.run(&format!("UPDATE journal_head SET clients_active = {active}, clients_inactive = {inactive}")).await?;
    let (numbers, made, hash) = match sql {
        Sql::Sqlite(_) => (
            "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 200)",
            "randomblob(16)",
            "randomblob(16)",
        ),
        Sql::Postgres(_) => (
            "WITH numbers AS (SELECT generate_series(1, 200) AS n)",
            "gen_random_uuid()",
            "decode(md5(e.vendor_id || '-' || n), 'hex')",
        ),
    };
    sql.run(&format!(
        "INSERT INTO record (organisation_id, id, connection_id, entity_id, kind, vendor_id, title, title_key, body, \
         raw, raw_hash, content_hash, first_seen_at, changed_at, run_id) {numbers} SELECT e.organisation_id, {made}, \
         e.connection_id, e.id, 'device', e.vendor_id || '-' || n, 'PC-' || n, 'pc-' || n, '{{}}', {empty}, {hash}, \
         {empty}, e.first_seen_at, e.changed_at, e.run_id FROM entity e, numbers WHERE n <= e.device_count"
    ))
    .await?;
    sql.run("COMMIT").await?;
    match sql {
        // The product has no statistics on SQLite, and must do without.
        Sql::Sqlite(_) => Ok(()),
        Sql::Postgres(_) => sql.run("VACUUM ANALYZE").await,
    }
}

/// Fills the floor's database.
pub async fn floor(database: &Database, clients: u32) -> Result<()> {
    let sql = Sql::open(database).await?;
    let text = if database.engine == Engine::Postgres { "text COLLATE \"C\"" } else { "text" };
    sql.run(&format!(
        "BEGIN; CREATE TABLE client (id bigint PRIMARY KEY, name text, name_key {text}, status text, device_count bigint); \
         CREATE TABLE device (id bigint PRIMARY KEY, client_id bigint); \
         CREATE TABLE mapping (client_id bigint PRIMARY KEY, integration text)"
    ))
    .await?;
    for from in (0..clients).step_by(CHUNK as usize) {
        let mut rows = String::new();
        for n in from..clients.min(from + CHUNK) {
            let Business { name, status, devices } = business(n, clients);
            let comma = if n == from { "" } else { "," };
            write!(rows, "{comma}({n},'{name}','{}','{status}',{devices})", name_key(&name))?;
        }
        sql.run(&format!("INSERT INTO client VALUES {rows}")).await?;
    }
    let numbers = match database.engine {
        Engine::Sqlite => "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 200)",
        Engine::Postgres => "WITH numbers AS (SELECT generate_series(1, 200) AS n)",
    };
    sql.run(&format!(
        "INSERT INTO device {numbers} SELECT c.id * 1000 + n, c.id FROM client c, numbers WHERE n <= c.device_count; \
         INSERT INTO mapping SELECT id, 'ninjaone' FROM client; \
         CREATE INDEX device_client ON device (client_id); CREATE INDEX client_name ON client (name_key, id); \
         CREATE INDEX client_devices ON client (device_count, name_key, id); COMMIT; ANALYZE"
    ))
    .await
}
