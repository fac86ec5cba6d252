//! Clients as files: importing CSV against reading it with the `csv` crate and prepared inserts alone, and exporting XLSX
//! against `rust_xlsxwriter` alone. The product is asked over HTTP, signed in; memory is above what it has when idle.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use persistence::{KeyRing, OsChance};
use rust_xlsxwriter::Workbook;
use serde_json::Value;

use crate::{
    Options,
    contender::{Orders, answer},
    database::{Database, Engine, Sql},
    list::{free, seed},
    load,
    process::{Contender, Cost, Meter},
    report::{self, Goal, Report},
    say,
    sync::environment,
};

/// CPU of an import, preview included, as a multiple of the floor's.
const IMPORT_CPU: f64 = 2.0;
/// Memory that an import may take above idle, in MiB.
const IMPORT_MEMORY: f64 = 30.0;
/// CPU of an export as a multiple of the floor's.
const EXPORT_CPU: f64 = 1.5;
/// Memory that an export may take above idle, in MiB.
const EXPORT_MEMORY: f64 = 60.0;
/// Columns of the file.
const HEADER: [&str; 6] = ["name", "status", "contact_email", "phone", "address", "notes"];

/// The nth row: as wide as rows of clients are.
fn row(n: u32) -> [String; 6] {
    let status = if n.is_multiple_of(8) { "inactive" } else { "active" };
    [
        format!("Business {n:06} of the Bench"),
        status.to_owned(),
        format!("office@business-{n}.example"),
        format!("555 {:04} {:04}", n / 10_000, n % 10_000),
        format!("{} Long Street, {} Town", n % 300, n % 977),
        "Prefers to be called in the morning, and pays in time.".to_owned(),
    ]
}

/// A file of so many rows.
fn file(rows: u32) -> Result<Vec<u8>> {
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record(HEADER)?;
    for n in 0..rows {
        out.write_record(row(n))?;
    }
    Ok(out.into_inner()?)
}

/// Measures both.
pub async fn measure(options: &Options) -> Result<()> {
    let folder = report::folder()?;
    let mut report = Report::default();
    let csv = folder.join(format!("clients-{}.csv", options.clients()));
    std::fs::write(&csv, file(options.clients())?)?;
    for engine in options.engines() {
        for round in 1..=options.rounds {
            say(&format!("files, {}, round {round} of {}", engine.name(), options.rounds));
            let keys = KeyRing::generate(&OsChance);
            let (ours, theirs) = (Database::empty(engine, &folder).await?, Database::empty(engine, &folder).await?);
            let cookie = seed::product(&ours, &keys, 0).await?;
            let measured = round_of(options, &mut report, (&ours, &theirs), (&keys, &cookie), &csv).await;
            ours.discard().await?;
            theirs.discard().await?;
            measured?;
        }
    }
    report.publish(&format!("files-{}", options.scale()))
}

async fn round_of(
    options: &Options,
    report: &mut Report,
    (ours, theirs): (&Database, &Database),
    (keys, cookie): (&str, &str),
    csv: &std::path::Path,
) -> Result<()> {
    let name = ours.engine.name();
    let at = free()?;
    let mut settings = environment(ours, keys, "http://127.0.0.1:9");
    settings.push(("PANELONE_LISTEN", at.to_string()));
    let product = Contender::api(&settings, ours.on_server())?;
    load::until_up(at, &load::get("/readyz", None)).await?;
    let idle = product.resident()?;
    let body = std::fs::read(csv)?;
    #[expect(clippy::disallowed_methods, reason = "this client calls us, not a vendor")]
    let http = reqwest::Client::builder().timeout(Duration::from_secs(600)).build()?;
    let import = async |query: &str| -> Result<(Value, Cost)> {
        let meter = Meter::start(&product)?;
        let request = http.post(format!("http://{at}/api/imports/csv?{query}")).header("Cookie", cookie);
        let answer = request.header("Content-Type", "text/csv").body(body.clone()).send().await?;
        ensure!(answer.status().is_success(), "an import answers {}", answer.status());
        Ok((answer.json().await?, meter.stop(&product)?))
    };
    let (seen, preview) = import("dry_run=true").await?;
    let digest = seen["change_set"]["digest"].as_str().context("a preview has a digest")?;
    let (done, apply) = import(&format!("expect={digest}")).await?;
    ensure!(done["item"]["created"].as_u64() == Some(options.clients().into()), "not all were made");
    let peak = product.peak()? - idle;

    let place = if theirs.engine == Engine::Sqlite { &theirs.name } else { &theirs.url };
    let path = csv.display().to_string();
    let mut floor = Contender::start(&["files-floor", name, place, &path], &[], theirs.on_server())?;
    floor.answer().await?;
    let meter = Meter::start(&floor)?;
    floor.ask("import").await?;
    let inserted = meter.stop(&floor)?;
    let whole = |cost: Cost| cost.cpu + cost.server;
    report.note(
        format!("{name}: import with its preview: CPU, x floor"),
        Goal::Most(IMPORT_CPU),
        (whole(preview) + whole(apply)) / whole(inserted),
    );
    report.note(format!("{name}: import alone: CPU, x floor"), Goal::Told, whole(apply) / whole(inserted));
    report.note(format!("{name}: import alone: CPU s, product"), Goal::Told, whole(apply));
    report.note(format!("{name}: import: CPU s, floor"), Goal::Told, whole(inserted));
    report.note(format!("{name}: import: MiB above idle"), Goal::Most(IMPORT_MEMORY), peak);
    product.end().await?;

    // A new process: its peak is the export's own.
    let at = free()?;
    let mut settings = environment(ours, keys, "http://127.0.0.1:9");
    settings.push(("PANELONE_LISTEN", at.to_string()));
    let product = Contender::api(&settings, ours.on_server())?;
    load::until_up(at, &load::get("/readyz", None)).await?;
    let idle = product.resident()?;
    let meter = Meter::start(&product)?;
    let request = http.get(format!("http://{at}/api/clients/export?format=xlsx")).header("Cookie", cookie);
    let answer = request.send().await?;
    ensure!(answer.status().is_success(), "an export answers {}", answer.status());
    let size = answer.bytes().await?.len();
    let exported = meter.stop(&product)?;
    let meter = Meter::start(&floor)?;
    let least: usize = floor.ask(&format!("export {}", options.clients())).await?.parse()?;
    let written = meter.stop(&floor)?;
    ensure!(size > least / 2, "the export has {size} bytes, the floor's {least}");
    report.note(
        format!("{name}: export to XLSX: CPU, x floor"),
        Goal::Most(EXPORT_CPU),
        whole(exported) / whole(written),
    );
    report.note(format!("{name}: export to XLSX: CPU s, product"), Goal::Told, whole(exported));
    report.note(format!("{name}: export to XLSX: MiB above idle"), Goal::Most(EXPORT_MEMORY), product.peak()? - idle);
    product.end().await?;
    floor.end().await
}

/// The least program that imports and exports: `import` and `export N` by its orders.
pub async fn floor(engine: Engine, place: &str, csv: &str) -> Result<()> {
    let database = match engine {
        Engine::Sqlite => Database { engine, url: String::new(), name: place.to_owned() },
        Engine::Postgres => Database { engine, url: place.to_owned(), name: String::new() },
    };
    let mut sql = Sql::open(&database).await?;
    sql.run(
        "CREATE TABLE client (id text PRIMARY KEY, name text NOT NULL, status text NOT NULL, contact_email text, \
         phone text, address text, notes text)",
    )
    .await?;
    sql.run("CREATE INDEX client_name ON client (name, id)").await?;
    answer("ready")?;
    let mut orders = Orders::read();
    while let Some(order) = orders.next().await? {
        match order.split_once(' ') {
            None if order == "import" => {
                insert(&mut sql, csv).await?;
                answer("done")?;
            }
            Some(("export", rows)) => answer(&export(rows.parse()?)?.to_string())?,
            _ => bail!("no such order: {order}"),
        }
    }
    Ok(())
}

async fn insert(sql: &mut Sql, csv: &str) -> Result<()> {
    const INSERT: &str = "INSERT INTO client (id, name, status, contact_email, phone, address, notes) VALUES ";
    let mut reader = csv::Reader::from_path(csv)?;
    let columns: BTreeMap<String, usize> =
        reader.headers()?.iter().enumerate().map(|(at, name)| (name.to_owned(), at)).collect();
    let mut record = csv::StringRecord::new();
    let place = |name: &str| columns.get(name).copied().context("a column is missing");
    let places = [
        place("name")?,
        place("status")?,
        place("contact_email")?,
        place("phone")?,
        place("address")?,
        place("notes")?,
    ];
    match sql {
        Sql::Sqlite(connection) => {
            let tx = connection.transaction()?;
            {
                let mut n = 0;
                let mut statement = tx.prepare(&format!("{INSERT} (?1, ?2, ?3, ?4, ?5, ?6, ?7)"))?;
                while reader.read_record(&mut record)? {
                    n += 1;
                    let id = id(n);
                    let mut values = vec![id.as_str()];
                    values.extend(places.iter().map(|at| record.get(*at).unwrap_or_default()));
                    statement.execute(rusqlite::params_from_iter(values))?;
                }
            }
            tx.commit()?;
        }
        Sql::Postgres(client) => {
            let tx = client.transaction().await?;
            let statement = tx.prepare(&format!("{INSERT} ($1, $2, $3, $4, $5, $6, $7)")).await?;
            let mut n = 0;
            while reader.read_record(&mut record)? {
                n += 1;
                let id = id(n);
                let cells: Vec<&str> = places.iter().map(|at| record.get(*at).unwrap_or_default()).collect();
                tx.execute(&statement, &[&id, &cells[0], &cells[1], &cells[2], &cells[3], &cells[4], &cells[5]])
                    .await?;
            }
            tx.commit().await?;
        }
    }
    Ok(())
}

/// Ids in the order of their making, as the product's are.
fn id(n: u128) -> String {
    uuid::Uuid::from_u128((n << 80) | 7).to_string()
}

/// Writes so many rows to a workbook; returns its size.
fn export(rows: u32) -> Result<usize> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet_with_constant_memory()?;
    for (column, name) in HEADER.iter().enumerate() {
        sheet.write_string(0, u16::try_from(column)?, *name)?;
    }
    for n in 0..rows {
        for (column, cell) in row(n).iter().enumerate() {
            sheet.write_string(n + 1, u16::try_from(column)?, cell)?;
        }
    }
    Ok(book.save_to_buffer()?.len())
}
