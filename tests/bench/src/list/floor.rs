//! The least program that lists clients: a poem handler and one prepared query, which counts devices for each row
//! (floor A) or reads a kept count (floor B). On SQLite it calls the database on the runtime's own threads: fastest,
//! and not to be copied.

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

/// Rows of a page, and one more to see whether there is a next.
const ROWS: usize = 26;
/// Connections to PostgreSQL, as the product has.
const CONNECTIONS: usize = 8;

thread_local! {
    static OWN: RefCell<Option<Connection>> = const { RefCell::new(None) };
}

#[derive(Deserialize)]
struct Asked {
    search: Option<String>,
    #[serde(default)]
    active: bool,
    devices_min: Option<i64>,
    devices_max: Option<i64>,
}

#[derive(Serialize)]
struct Row {
    id: i64,
    name: String,
    status: String,
    device_count: i64,
    integrations: Option<String>,
}

#[derive(Serialize)]
struct Page {
    items: Vec<Row>,
    more: bool,
    total: i64,
}

/// The queries, by what is asked.
const WHERE: [&str; 4] = [
    "",
    "WHERE name_key LIKE $1",
    "WHERE name_key LIKE $1 AND status = 'active'",
    "WHERE device_count BETWEEN $1 AND $2",
];

impl Asked {
    fn kind(&self) -> usize {
        match (&self.search, self.active, self.devices_min) {
            (_, _, Some(_)) => 3,
            (Some(_), true, _) => 2,
            (Some(_), false, _) => 1,
            (None, ..) => 0,
        }
    }

    fn pattern(&self) -> String {
        format!("%{}%", self.search.as_deref().unwrap_or_default())
    }
}

fn query(kind: usize, list: &str) -> String {
    let count =
        if kind == 3 { "device_count" } else { "(SELECT count(*) FROM device d WHERE d.client_id = client.id)" };
    let only = WHERE[kind];
    format!(
        "SELECT id, name, status, {count}, (SELECT {list}(m.integration, ',') FROM mapping m WHERE m.client_id = client.id), \
         (SELECT count(*) FROM client {only}) FROM client {only} ORDER BY name_key, id LIMIT {ROWS}"
    )
}

struct Pool {
    clients: Vec<(Client, Vec<Statement>)>,
    next: AtomicUsize,
}

enum Store {
    Sqlite(String),
    Postgres(Pool),
}

fn page(mut items: Vec<Row>, total: i64) -> Json<Page> {
    let more = items.len() == ROWS;
    items.truncate(ROWS - 1);
    Json(Page { items, more, total })
}

#[handler]
async fn client_list(store: Data<&Arc<Store>>, asked: Query<Asked>) -> poem::Result<Json<Page>> {
    match store.as_ref() {
        Store::Sqlite(file) => sqlite(file, &asked).map_err(InternalServerError),
        Store::Postgres(pool) => postgres(pool, &asked).await.map_err(InternalServerError),
    }
}

fn sqlite(file: &str, asked: &Asked) -> rusqlite::Result<Json<Page>> {
    OWN.with_borrow_mut(|own| {
        let connection = match own {
            Some(connection) => connection,
            None => {
                let connection = Connection::open(file)?;
                connection.execute_batch("PRAGMA mmap_size = 1000000000; PRAGMA query_only = on")?;
                own.insert(connection)
            }
        };
        let mut statement = connection.prepare_cached(&query(asked.kind(), "group_concat"))?;
        match asked.kind() {
            0 => {}
            3 => {
                statement.raw_bind_parameter(1, asked.devices_min)?;
                statement.raw_bind_parameter(2, asked.devices_max)?;
            }
            _ => statement.raw_bind_parameter(1, asked.pattern())?,
        }
        let (mut items, mut total) = (Vec::with_capacity(ROWS), 0);
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next()? {
            total = row.get(5)?;
            items.push(Row {
                id: row.get(0)?,
                name: row.get(1)?,
                status: row.get(2)?,
                device_count: row.get(3)?,
                integrations: row.get(4)?,
            });
        }
        Ok(page(items, total))
    })
}

async fn postgres(pool: &Pool, asked: &Asked) -> Result<Json<Page>, tokio_postgres::Error> {
    let (client, statements) = &pool.clients[pool.next.fetch_add(1, Ordering::Relaxed) % pool.clients.len()];
    let statement = &statements[asked.kind()];
    let rows = match asked.kind() {
        0 => client.query(statement, &[]).await?,
        3 => client.query(statement, &[&asked.devices_min, &asked.devices_max]).await?,
        _ => client.query(statement, &[&asked.pattern()]).await?,
    };
    let total = rows.first().map_or(0, |row| row.get(5));
    let row = |row: &tokio_postgres::Row| Row {
        id: row.get(0),
        name: row.get(1),
        status: row.get(2),
        device_count: row.get(3),
        integrations: row.get(4),
    };
    Ok(page(rows.iter().map(row).collect(), total))
}

/// Serves until killed.
pub async fn serve(engine: Engine, database: &str, listen: &str) -> Result<()> {
    let store = match engine {
        Engine::Sqlite => Store::Sqlite(database.to_owned()),
        Engine::Postgres => {
            let mut clients = Vec::new();
            for _ in 0..CONNECTIONS {
                let client = database::connect(database).await?;
                let mut statements = Vec::new();
                for kind in 0..WHERE.len() {
                    statements.push(client.prepare(&query(kind, "string_agg")).await?);
                }
                clients.push((client, statements));
            }
            Store::Postgres(Pool { clients, next: AtomicUsize::new(0) })
        }
    };
    let routes = Route::new().at("/clients", poem::get(client_list)).data(Arc::new(store));
    Ok(Server::new(TcpListener::bind(listen.to_owned())).run(routes).await?)
}
