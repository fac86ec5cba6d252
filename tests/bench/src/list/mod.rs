//! The client list over HTTP, signed in, at 1, 8 and 32 connections.

pub mod floor;
pub mod seed;

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    time::Duration,
};

use anyhow::{Result, ensure};
use persistence::{KeyRing, OsChance};

use crate::{
    Options, Scale,
    database::{Database, Engine},
    load,
    process::{Contender, Cost, Meter},
    report::{self, Goal, Report},
    say,
    sync::environment,
};

/// Memory that the API may take at 100,000 clients, in MiB.
const MEMORY: f64 = 120.0;

/// One question, as the product and as the floor are asked it.
struct Question {
    what: &'static str,
    least: f64,
    product: Vec<String>,
    floor: Vec<String>,
}

fn questions() -> Vec<Question> {
    let encoded = || seed::SEARCHES.map(|search| search.replace(' ', "%20"));
    let (min, max) = seed::DEVICES;
    let each = |form: &dyn Fn(String) -> String| encoded().map(form).to_vec();
    vec![
        Question {
            what: "list with counts / floor A",
            least: 1.0,
            product: vec!["/api/clients".to_owned()],
            floor: vec!["/clients".to_owned()],
        },
        Question {
            what: "search / floor A",
            least: 1.0,
            product: each(&|search| format!("/api/clients?search={search}")),
            floor: each(&|search| format!("/clients?search={search}")),
        },
        Question {
            what: "search + status / floor A",
            least: 1.0,
            product: each(&|search| format!("/api/clients?search={search}&status=active")),
            floor: each(&|search| format!("/clients?search={search}&active=true")),
        },
        Question {
            what: "device count / floor B",
            least: 0.33,
            product: vec![format!("/api/clients?devices_min={min}&devices_max={max}")],
            floor: vec![format!("/clients?devices_min={min}&devices_max={max}")],
        },
    ]
}

/// A free address on this machine.
pub fn free() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

/// Measures the list.
pub async fn measure(options: &Options) -> Result<()> {
    let folder = report::folder()?;
    let mut report = Report::default();
    for engine in options.engines() {
        say(&format!("list, {}: filling {} clients", engine.name(), options.clients()));
        let keys = KeyRing::generate(&OsChance);
        let (ours, theirs) = (Database::empty(engine, &folder).await?, Database::empty(engine, &folder).await?);
        let cookie = seed::product(&ours, &keys, options.clients()).await?;
        seed::floor(&theirs, options.clients()).await?;
        let measured = against(options, &mut report, &ours, &theirs, &keys, &cookie).await;
        ours.discard().await?;
        theirs.discard().await?;
        measured?;
    }
    report.publish(&format!("list-{}", options.scale()))
}

async fn against(
    options: &Options,
    report: &mut Report,
    ours: &Database,
    theirs: &Database,
    keys: &str,
    cookie: &str,
) -> Result<()> {
    let engine = ours.engine;
    let (product_at, floor_at) = (free()?, free()?);
    let mut settings = environment(ours, keys, "http://127.0.0.1:9");
    settings.push(("PANELONE_LISTEN", product_at.to_string()));
    let product = Contender::api(&settings, ours.on_server())?;
    let at = if engine == Engine::Sqlite { &theirs.name } else { &theirs.url };
    let floor = ["list-floor", engine.name(), at, &floor_at.to_string()];
    let floor = Contender::start(&floor, &[], theirs.on_server())?;
    load::until_up(product_at, &load::get("/healthz", None)).await?;
    load::until_up(floor_at, &load::get("/clients", None)).await?;
    same_totals(product_at, floor_at, cookie).await?;
    for round in 1..=options.rounds {
        say(&format!("list, {}, round {round} of {}", engine.name(), options.rounds));
        for question in questions() {
            for connections in [1, 8, 32] {
                let time = Duration::from_millis(options.cell);
                let requests: Vec<_> = question.floor.iter().map(|path| load::get(path, None)).collect();
                let (floor_found, floor_cost) = cell(&floor, floor_at, &requests, connections, time).await?;
                let requests: Vec<_> = question.product.iter().map(|path| load::get(path, Some(cookie))).collect();
                let (found, cost) = cell(&product, product_at, &requests, connections, time).await?;
                let what = format!("{}: {}, {connections} connections", engine.name(), question.what);
                report.note(
                    format!("{what}: rate, x floor"),
                    Goal::Least(question.least),
                    found.rate / floor_found.rate,
                );
                report.note(format!("{what}: requests/s, product"), Goal::Told, found.rate);
                report.note(format!("{what}: requests/s, floor"), Goal::Told, floor_found.rate);
                let each = |cost: Cost, found: load::Found| (cost.cpu + cost.server) / found.requests * 1e6;
                report.note(format!("{what}: CPU us each, product"), Goal::Told, each(cost, found));
                report.note(format!("{what}: CPU us each, floor"), Goal::Told, each(floor_cost, floor_found));
                report.note(format!("{what}: p50 ms, product"), Goal::Told, found.p50);
                if connections == 8 {
                    report.note(format!("{what}: p99, x floor"), Goal::Most(3.0), found.p99 / floor_found.p99);
                    report.note(format!("{what}: p99 ms, product"), Goal::Told, found.p99);
                }
            }
        }
    }
    let goal = if options.scale == Scale::Full { Goal::Most(MEMORY) } else { Goal::Told };
    report.note(format!("{}: resident memory, MiB, product", engine.name()), goal, product.resident()?);
    report.note(format!("{}: resident memory, MiB, floor", engine.name()), Goal::Told, floor.resident()?);
    product.end().await?;
    floor.end().await
}

/// One load on one contender, with what it cost.
pub async fn cell(
    contender: &Contender,
    at: SocketAddr,
    requests: &[Vec<u8>],
    connections: usize,
    time: Duration,
) -> Result<(load::Found, Cost)> {
    let meter = Meter::start(contender)?;
    let found = load::run(at, requests, connections, time).await?;
    Ok((found, meter.stop(contender)?))
}

/// Both must answer the same questions with the same number of clients.
async fn same_totals(product: SocketAddr, floor: SocketAddr, cookie: &str) -> Result<()> {
    let total = |body: String| serde_json::from_str::<serde_json::Value>(&body).map(|page| page["total"].as_i64());
    for question in questions() {
        for (ours, theirs) in question.product.iter().zip(&question.floor) {
            let ours = total(load::body(product, &load::get(ours, Some(cookie))).await?)?;
            let theirs = total(load::body(floor, &load::get(theirs, None)).await?)?;
            ensure!(ours == theirs && ours.is_some(), "{}: {ours:?} and {theirs:?}", question.what);
        }
    }
    Ok(())
}
