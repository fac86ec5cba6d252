//! The product's worker: syncs one connection when told, and says what the run of devices counted.

use std::time::Instant;

use anyhow::{Context as _, Result};
use domain::{Clock, ConnectionId, Context, OrganisationId, PageRequest, SystemClock};
use integration::RecordKind;
use serde_json::json;
use sync::{Worker, WorkerOptions};
use worker::Settings;

use crate::contender::{Orders, answer};

/// Works until its orders end.
pub async fn run(organisation: OrganisationId, connection: ConnectionId) -> Result<()> {
    let settings = Settings::read(None).map_err(anyhow::Error::msg)?;
    worker::log_to_stderr(&settings)?;
    let store = worker::open_store(&settings).await?;
    let engine = worker::engine(&settings, store.clone())?;
    let worker = Worker::new(engine, WorkerOptions::default());
    answer("ready")?;
    let mut orders = Orders::read();
    while orders.next().await?.is_some() {
        let started = Instant::now();
        let tx = store.begin(Context::operator(organisation, SystemClock.now())).await?;
        // What the floor syncs: the connector lists more, which no floor stands against.
        let kinds = vec![RecordKind::Entity, RecordKind::Location, RecordKind::Device];
        sync::sync_start(&tx, registry::ALL, connection, Some(kinds)).await?;
        tx.commit_unjournalled().await?;
        worker.run_until_idle().await?;
        let wall = started.elapsed().as_secs_f64();
        let tx = store.read(Context::operator(organisation, SystemClock.now())).await?;
        let page = PageRequest { limit: 20, after: None };
        let runs = tx.run_list(Some(connection), None, &page).await?.items;
        let run = runs.iter().filter(|run| run.kind == "device").max_by_key(|run| run.started_at);
        let run = run.context("no run of devices")?;
        anyhow::ensure!(run.state == domain::RunState::Complete, "{run:?}");
        let counts = run.counts;
        let written = counts.added + counts.changed + counts.removed;
        answer(&json!({ "wall": wall, "listed": counts.listed, "written": written }).to_string())?;
    }
    Ok(())
}
