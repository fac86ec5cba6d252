//! Syncs of devices: first, with 1 % changed, with nothing changed.

pub mod floor;
pub mod product;
pub mod vendor;

use anyhow::{Context as _, Result};
use domain::{Clock, Context, OrganisationId, SystemClock};
use persistence::{KeyRing, OsChance, Store, StoreOptions};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    Options, Scale,
    database::{Database, Engine},
    process::{Contender, Cost, Meter},
    report::{self, Goal, Report},
    say,
};

#[derive(Deserialize)]
struct Vendor {
    base: String,
    credentials: Map<String, Value>,
}

#[derive(Deserialize)]
struct Done {
    wall: f64,
    listed: f64,
    written: f64,
}

/// What one contender did in one round.
struct Round {
    first: (Cost, Done),
    changed: (Cost, Done),
    same: (Cost, Done),
    peak: f64,
}

/// Measures syncs.
pub async fn measure(options: &Options, latency: u64) -> Result<()> {
    let (businesses, devices) = if options.scale == Scale::Small { (500, 50_000) } else { (2_000, 500_000) };
    let folder = report::folder()?;
    let mut report = Report::default();
    let milliseconds = latency.to_string();
    let arguments = ["vendor", &businesses.to_string(), &devices.to_string(), &milliseconds];
    let mut vendor = Contender::start(&arguments, &[], None)?;
    let found: Vendor = serde_json::from_str(&vendor.answer().await?)?;
    for engine in options.engines() {
        for round in 1..=options.rounds {
            say(&format!("sync, {}, round {round} of {}", engine.name(), options.rounds));
            let database = Database::empty(engine, &folder).await?;
            let at = if engine == Engine::Sqlite { &database.name } else { &database.url };
            let floor = ["sync-floor", engine.name(), at, &found.base];
            let floor = Contender::start(&floor, &[], database.on_server())?;
            let floor = go(floor, &mut vendor).await?;
            database.discard().await?;

            let database = Database::empty(engine, &folder).await?;
            let keys = KeyRing::generate(&OsChance);
            let (organisation, connection) = prepare(&database, &keys, &found).await?;
            let product = ["worker", &organisation.to_string(), &connection];
            let product =
                Contender::start(&product, &environment(&database, &keys, &found.base), database.on_server())?;
            let before: u64 = vendor.ask("requests").await?.parse()?;
            let product = go(product, &mut vendor).await?;
            let after: u64 = vendor.ask("requests").await?.parse()?;
            database.discard().await?;
            note(&mut report, options, engine, latency, (after - before) as f64 / 3.0, &floor, &product);
        }
    }
    report.publish(&format!("sync-{}-{latency}ms", options.scale()))
}

/// First sync, 1 % changed, nothing changed.
async fn go(mut contender: Contender, vendor: &mut Contender) -> Result<Round> {
    contender.answer().await.context("the contender did not start")?;
    let first = once(&mut contender).await?;
    vendor.ask("change").await?;
    let changed = once(&mut contender).await?;
    let same = once(&mut contender).await?;
    let peak = contender.peak()?;
    contender.end().await?;
    Ok(Round { first, changed, same, peak })
}

async fn once(contender: &mut Contender) -> Result<(Cost, Done)> {
    let meter = Meter::start(contender)?;
    let done: Done = serde_json::from_str(&contender.ask("sync").await?)?;
    Ok((meter.stop(contender)?, done))
}

fn note(
    report: &mut Report,
    options: &Options,
    engine: Engine,
    latency: u64,
    requests: f64,
    floor: &Round,
    product: &Round,
) {
    let name = engine.name();
    let sqlite = engine == Engine::Sqlite;
    let memory = if options.scale == Scale::Small { 100.0 } else { 160.0 };
    let parts = [
        ("first", &floor.first, &product.first, if sqlite { 2.0 } else { 1.5 }),
        ("1% changed", &floor.changed, &product.changed, 2.0),
        ("nothing changed", &floor.same, &product.same, 2.0),
    ];
    for (what, (floor, floor_done), (cost, done), most) in parts {
        let all = |cost: &Cost| cost.cpu + cost.server;
        let what = format!("{name}: {what}");
        report.note(format!("{what}: CPU of client and server, x floor"), Goal::Most(most), all(cost) / all(floor));
        report.note(format!("{what}: CPU s, product"), Goal::Told, cost.cpu);
        report.note(format!("{what}: CPU s, product's server"), Goal::Told, cost.server);
        report.note(format!("{what}: CPU s, floor"), Goal::Told, floor.cpu);
        report.note(format!("{what}: CPU s, floor's server"), Goal::Told, floor.server);
        report.note(format!("{what}: records per second, product"), Goal::Told, done.listed / done.wall);
        report.note(format!("{what}: records per second, floor"), Goal::Told, floor_done.listed / floor_done.wall);
        if latency > 0 {
            let most = 1.5 * requests * latency as f64 / 1e3 + 0.5;
            report.note(
                format!("{what}: wall s, product (1.5 x requests x latency + 0.5)"),
                Goal::Most(most),
                done.wall,
            );
        }
    }
    report.note(format!("{name}: rows written when nothing changed"), Goal::Most(0.0), product.same.1.written);
    report.note(format!("{name}: peak memory, MiB, product"), Goal::Most(memory), product.peak);
    report.note(format!("{name}: peak memory, MiB, floor"), Goal::Told, floor.peak);
}

/// The settings of the product over this database.
pub fn environment(database: &Database, keys: &str, base: &str) -> Vec<(&'static str, String)> {
    let host = base.trim_start_matches("http://").split('/').next().unwrap_or_default().to_owned();
    vec![
        ("PANELONE_DATABASE_URL", database.url.clone()),
        ("PANELONE_SEALING_KEYS", keys.to_owned()),
        ("PANELONE_VENDOR_EXCEPTIONS", host),
        ("PANELONE_VENDOR_REQUESTS_PER_SECOND", "10000".to_owned()),
        ("PANELONE_SECURE_COOKIES", "false".to_owned()),
    ]
}

/// An organisation with a connection to the vendor.
async fn prepare(database: &Database, keys: &str, vendor: &Vendor) -> Result<(OrganisationId, String)> {
    Store::migrate(&database.url).await?;
    let ring = KeyRing::parse(keys).map_err(anyhow::Error::msg)?;
    let store = Store::connect(StoreOptions::new(&database.url, ring)).await?;
    let now = SystemClock.now();
    let organisation = OrganisationId(store.chance().id(now));
    let tx = store.begin(Context::operator(organisation, now)).await?;
    tx.organisation_insert("Bench", "bench").await?;
    tx.commit_unjournalled().await?;
    let tx = store.begin(Context::operator(organisation, now)).await?;
    let new = ::sync::NewConnection {
        integration: "ninjaone".to_owned(),
        credentials: vendor.credentials.clone(),
        ..Default::default()
    };
    let connection = ::sync::connection_create(&tx, registry::ALL, &new, Some(&Default::default())).await?;
    tx.commit("connection_create", None).await?;
    store.close().await?;
    Ok((organisation, connection.id.to_string()))
}
