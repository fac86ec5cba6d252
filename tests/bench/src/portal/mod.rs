//! ClientOne over HTTP, signed in as Managers of many clients: the first page, and the list of devices.

pub mod floor;
mod seed;

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context, Result, ensure};
use persistence::{KeyRing, OsChance};
use serde_json::{Value, json};

use crate::{
    Options, Scale,
    database::{Database, Engine},
    list::{cell, free},
    load,
    process::{Contender, Cost},
    report::{self, Goal, Report},
    say,
    sync::environment,
};

/// Managers who are signed in, each of a client of their own.
const PEOPLE: u32 = 16;

/// One question, as the product and as the floor are asked it.
struct Question {
    what: &'static str,
    path: &'static str,
    floor: &'static str,
}

const QUESTIONS: [Question; 2] = [
    Question { what: "dashboard / floor", path: "/api/clientone/dashboard", floor: "dashboard" },
    Question { what: "device list / floor", path: "/api/clientone/devices", floor: "devices" },
];

/// Clients; each has five portal users, and 10,000 have about 250,000 devices together.
fn clients(options: &Options) -> u32 {
    if options.scale == Scale::Full { 10_000 } else { 1_000 }
}

/// Measures ClientOne.
pub async fn measure(options: &Options) -> Result<()> {
    let folder = report::folder()?;
    let (mut report, clients) = (Report::default(), clients(options));
    for engine in options.engines() {
        say(&format!("portal, {}: filling {clients} clients and {} portal users", engine.name(), clients * 5));
        let keys = KeyRing::generate(&OsChance);
        let (ours, theirs) = (Database::empty(engine, &folder).await?, Database::empty(engine, &folder).await?);
        crate::list::seed::product(&ours, &keys, clients).await?;
        seed::product(&ours).await?;
        crate::list::seed::floor(&theirs, clients).await?;
        seed::floor(&theirs).await?;
        let measured = against(options, &mut report, &ours, &theirs, &keys).await;
        ours.discard().await?;
        theirs.discard().await?;
        measured?;
    }
    report.publish(&format!("portal-{}", options.scale()))
}

async fn against(options: &Options, report: &mut Report, ours: &Database, theirs: &Database, keys: &str) -> Result<()> {
    let engine = ours.engine;
    let (product_at, floor_at) = (free()?, free()?);
    let mut settings = environment(ours, keys, "http://127.0.0.1:9");
    settings.push(("PANELONE_LISTEN", product_at.to_string()));
    let product = Contender::api(&settings, ours.on_server())?;
    let at = if engine == Engine::Sqlite { &theirs.name } else { &theirs.url };
    let floor = ["portal-floor", engine.name(), at, &floor_at.to_string()];
    let floor = Contender::start(&floor, &[], theirs.on_server())?;
    load::until_up(product_at, &load::get("/healthz", None)).await?;
    load::until_up(floor_at, &load::get("/devices?client=0", None)).await?;
    let mut people = Vec::new();
    for nth in 0..PEOPLE {
        let client = nth * (clients(options) / PEOPLE);
        people.push((client, sign_in(product_at, &seed::email(client, clients(options))).await?));
    }
    same_counts(product_at, floor_at, &people).await?;
    for round in 1..=options.rounds {
        say(&format!("portal, {}, round {round} of {}", engine.name(), options.rounds));
        for question in &QUESTIONS {
            for connections in [1, 8, 32] {
                let time = Duration::from_millis(options.cell);
                let asked =
                    |(client, _): &(u32, String)| load::get(&format!("/{}?client={client}", question.floor), None);
                let requests: Vec<_> = people.iter().map(asked).collect();
                let (floor_found, floor_cost) = cell(&floor, floor_at, &requests, connections, time).await?;
                let asked = |(_, cookie): &(u32, String)| load::get(question.path, Some(cookie));
                let requests: Vec<_> = people.iter().map(asked).collect();
                let (found, cost) = cell(&product, product_at, &requests, connections, time).await?;
                let what = format!("{}: {}, {connections} connections", engine.name(), question.what);
                // As the client list has it where the floor has its counts ready.
                let goal = Goal::Least(0.33);
                report.note(format!("{what}: rate, x floor"), goal, found.rate / floor_found.rate);
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
    report.note(format!("{}: resident memory, MiB, product", engine.name()), Goal::Told, product.resident()?);
    report.note(format!("{}: resident memory, MiB, floor", engine.name()), Goal::Told, floor.resident()?);
    product.end().await?;
    floor.end().await
}

/// Signs a portal user in; returns the cookie.
async fn sign_in(at: SocketAddr, email: &str) -> Result<String> {
    let body = json!({ "email": email, "password": crate::list::seed::PASSWORD });
    #[expect(clippy::disallowed_methods, reason = "this client calls us, not a vendor")]
    let request = reqwest::Client::new().post(format!("http://{at}/api/clientone/session")).json(&body);
    let response = request.send().await?;
    ensure!(response.status().is_success(), "{email} is not let in: {}", response.status());
    let cookies = response.headers().get_all("set-cookie").iter().filter_map(|cookie| cookie.to_str().ok());
    let cookie =
        cookies.filter_map(|cookie| cookie.split(';').next()).find(|one| one.starts_with("clientone_session="));
    Ok(cookie.context("no cookie came")?.to_owned())
}

/// Both must answer the same questions with the same counts.
async fn same_counts(product: SocketAddr, floor: SocketAddr, people: &[(u32, String)]) -> Result<()> {
    for (client, cookie) in people {
        let [dashboard, devices] = [&QUESTIONS[0], &QUESTIONS[1]];
        let read = |body: String| serde_json::from_str::<Value>(&body);
        let ours = read(load::body(product, &load::get(devices.path, Some(cookie))).await?)?;
        let theirs = read(load::body(floor, &load::get(&format!("/{}?client={client}", devices.floor), None)).await?)?;
        ensure!(ours["total"] == theirs["total"] && ours["total"].is_i64(), "devices of {client}: {ours} and {theirs}");
        let ours = read(load::body(product, &load::get(dashboard.path, Some(cookie))).await?)?;
        let theirs =
            read(load::body(floor, &load::get(&format!("/{}?client={client}", dashboard.floor), None)).await?)?;
        let tickets = &ours["open_tickets"]["count"];
        ensure!(*tickets == theirs["tickets"] && tickets.is_i64(), "tickets of {client}: {ours} and {theirs}");
    }
    Ok(())
}
