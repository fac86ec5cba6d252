//! The least program that answers the same: a poem handler and one prepared query for each page. It signs nobody in.

use std::{
    cell::RefCell,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use anyhow::Result;
use poem::{
    EndpointExt, Route, Server,
    error::InternalServerError,
    handler,
    listener::TcpListener,
    web::{Data, Json, Query},
};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use tokio_postgres::{Client, Statement};

use crate::database::{self, Engine};

/// Connections to PostgreSQL, as the product has.
const CONNECTIONS: usize = 8;

const DEVICES: &str = "SELECT id, name, (SELECT count(*) FROM named WHERE client_id = $1) FROM named \
                       WHERE client_id = $1 ORDER BY name, id LIMIT 26";
const DASHBOARD: &str = "SELECT (SELECT count(*) FROM named WHERE client_id = $1), \
                         (SELECT count(*) FROM ticket WHERE client_id = $1 AND open)";

thread_local! {
    static OWN: RefCell<Option<Connection>> = const { RefCell::new(None) };
}

#[derive(Deserialize)]
struct Asked {
    client: i64,
}

#[derive(Serialize)]
struct Device {
    id: i64,
    name: String,
}

#[derive(Serialize)]
struct Devices {
    items: Vec<Device>,
    total: i64,
}

#[derive(Serialize)]
struct Dashboard {
    devices: i64,
    tickets: i64,
}

struct Pool {
    clients: Vec<(Client, Statement, Statement)>,
    next: AtomicUsize,
}

impl Pool {
    fn next(&self) -> &(Client, Statement, Statement) {
        &self.clients[self.next.fetch_add(1, Ordering::Relaxed) % self.clients.len()]
    }
}

enum Store {
    Sqlite(String),
    Postgres(Pool),
}

#[handler]
async fn device_list(store: Data<&Arc<Store>>, asked: Query<Asked>) -> poem::Result<Json<Devices>> {
    let client = asked.client;
    let mut found: Vec<(Device, i64)> = match store.as_ref() {
        Store::Sqlite(file) => own(file, |connection| {
            let mut statement = connection.prepare_cached(DEVICES)?;
            let rows = statement
                .query_map([client], |row| Ok((Device { id: row.get(0)?, name: row.get(1)? }, row.get(2)?)))?;
            rows.collect()
        })
        .map_err(InternalServerError)?,
        Store::Postgres(pool) => {
            let (connection, devices, _) = pool.next();
            let rows = connection.query(devices, &[&client]).await.map_err(InternalServerError)?;
            rows.iter().map(|row| (Device { id: row.get(0), name: row.get(1) }, row.get(2))).collect()
        }
    };
    let total = found.first().map_or(0, |(_, total)| *total);
    found.truncate(25);
    Ok(Json(Devices { items: found.into_iter().map(|(device, _)| device).collect(), total }))
}

#[handler]
async fn first_page(store: Data<&Arc<Store>>, asked: Query<Asked>) -> poem::Result<Json<Dashboard>> {
    let client = asked.client;
    let found = match store.as_ref() {
        Store::Sqlite(file) => own(file, |connection| {
            let mut statement = connection.prepare_cached(DASHBOARD)?;
            statement.query_row([client], |row| Ok(Dashboard { devices: row.get(0)?, tickets: row.get(1)? }))
        })
        .map_err(InternalServerError)?,
        Store::Postgres(pool) => {
            let (connection, _, dashboard) = pool.next();
            let row = connection.query_one(dashboard, &[&client]).await.map_err(InternalServerError)?;
            Dashboard { devices: row.get(0), tickets: row.get(1) }
        }
    };
    Ok(Json(found))
}

/// Calls the thread's own connection.
fn own<T>(file: &str, call: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> rusqlite::Result<T> {
    OWN.with_borrow_mut(|own| {
        let connection = match own {
            Some(connection) => connection,
            None => {
                let connection = Connection::open(file)?;
                connection.execute_batch("PRAGMA mmap_size = 1000000000; PRAGMA query_only = on")?;
                own.insert(connection)
            }
        };
        call(connection)
    })
}

/// Serves until killed.
pub async fn serve(engine: Engine, database: &str, listen: &str) -> Result<()> {
    let store = match engine {
        Engine::Sqlite => Store::Sqlite(database.to_owned()),
        Engine::Postgres => {
            let mut clients = Vec::new();
            for _ in 0..CONNECTIONS {
                let client = database::connect(database).await?;
                let (devices, dashboard) = (client.prepare(DEVICES).await?, client.prepare(DASHBOARD).await?);
                clients.push((client, devices, dashboard));
            }
            Store::Postgres(Pool { clients, next: AtomicUsize::new(0) })
        }
    };
    let routes = Route::new()
        .at("/devices", poem::get(device_list))
        .at("/dashboard", poem::get(first_page))
        .data(Arc::new(store));
    Ok(Server::new(TcpListener::bind(listen.to_owned())).run(routes).await?)
}
