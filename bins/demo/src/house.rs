//! The simulated vendors, the API and the worker in one process: up and down.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use access::{AccessOptions, Gate, NewOrganisation};
use anyhow::{Context, Result};
use api::{app::App, outside::ProviderDial};
use persistence::Store;
use poem::{
    Server,
    listener::{Acceptor, Listener, TcpListener},
};
use serde_json::{Map, Value, json};
use tokio::{task::JoinHandle, time::interval};
use tokio_util::sync::CancellationToken;
use worker::Settings;

use crate::{
    folder::{Folder, State},
    vendors::Vendors,
};

/// How long requests may take to end when the demo stops.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often changes at the vendors are kept.
const KEEP: Duration = Duration::from_secs(1);

/// Everything, up.
pub struct House {
    /// Address of the API, without a slash at the end.
    pub api: String,
    /// The data folder.
    pub folder: Arc<Folder>,
    /// What connects each vendor: its id and its credentials.
    pub vendors: Vec<(&'static str, Map<String, Value>)>,
    /// Whether the vendors are elsewhere than when the demo's connections were made.
    pub vendors_moved: bool,
    app: Arc<App>,
    stop: CancellationToken,
    closed: CancellationToken,
    server: JoinHandle<std::io::Result<()>>,
    jobs: JoinHandle<()>,
    keeper: JoinHandle<Result<()>>,
}

impl House {
    /// Brings everything up over a folder, with an organisation and its owner.
    pub async fn open(folder: Folder, state: &mut State, port: u16) -> Result<Self> {
        // First of all, so that a port that is taken leaves nothing behind.
        let acceptor = listen(port).await?;
        let address = acceptor.local_addr().iter().find_map(|addr| addr.as_socket_addr().copied());
        let address = address.context("the API's address is not known")?;
        let folder = Arc::new(folder);
        folder.save(state)?;
        let moved_from = state.vendors_port;
        let vendors = Vendors::open(&folder, state).await?;
        let credentials = vendors.credentials();

        let settings = settings(&folder, state, address)?;
        worker::log_to_stderr(&settings).ok();
        folder.make_database()?;
        Store::migrate(&settings.database_url).await?;
        let store = worker::open_store(&settings).await?;
        let gate = Gate::new(AccessOptions::default(), store.chance().clone())?;
        found(&store, &gate, state).await?;

        let engine = worker::engine(&settings, store.clone())?;
        let stop = CancellationToken::new();
        let (wake, jobs) = worker::spawn(&settings, &engine, stop.clone());
        let storage = worker::storage(&settings).map_err(anyhow::Error::msg)?;
        let providers = ProviderDial::new(&settings.exceptions(), store.clock().clone())?;
        let app = App::new(store, engine, wake, gate, settings.secure_cookies).reaching(Arc::new(providers));
        let app = Arc::new(app.storing(storage, worker::file_limits(&settings)));
        let metrics = metrics_exporter_prometheus::PrometheusBuilder::new().install_recorder().ok();
        let routes = api::server::routes(app.clone(), metrics);
        let until = stop.clone().cancelled_owned();
        let server = Server::new_with_acceptor(acceptor).run_with_graceful_shutdown(routes, until, Some(PATIENCE));
        let closed = CancellationToken::new();
        Ok(Self {
            api: format!("http://{address}"),
            keeper: tokio::spawn(keep(vendors, folder.clone(), closed.clone())),
            folder,
            vendors: credentials,
            vendors_moved: moved_from != 0 && moved_from != state.vendors_port,
            app,
            server: tokio::spawn(server),
            jobs,
            stop,
            closed,
        })
    }

    /// Lets requests and jobs under way end, then closes everything.
    pub async fn stop(self) -> Result<()> {
        self.stop.cancel();
        self.server.await?.context("the API ended badly")?;
        self.jobs.await?;
        self.app.gate.drain().await;
        self.app.store.close().await?;
        // The vendors last: jobs talk to them until they come to the end of a page.
        self.closed.cancel();
        self.keeper.await?
    }
}

/// Listens on the loopback; port 0 takes a free one.
async fn listen(port: u16) -> Result<impl Acceptor + 'static> {
    let acceptor = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], port))).into_acceptor().await;
    acceptor.with_context(|| format!("the API cannot listen on port {port} of 127.0.0.1: choose another with --port"))
}

fn settings(folder: &Folder, state: &State, address: SocketAddr) -> Result<Settings> {
    let settings = json!({
        "database_url": folder.database_url()?,
        "listen": address.to_string(),
        "sealing_keys": state.sealing_keys,
        "with_worker": true,
        "vendor_exceptions": format!("127.0.0.1:{}", state.vendors_port),
        "vendor_requests_per_second": 1000.0,
        // There is no HTTPS on the loopback.
        "secure_cookies": false,
        "mail_folder": folder.path().join("mail"),
        "storage_folder": folder.path().join("storage"),
        "log": "warn,sqlx=error",
    });
    Ok(serde_json::from_value(settings)?)
}

/// Makes the organisation and its owner, unless they are there.
async fn found(store: &Store, gate: &Gate, state: &State) -> Result<()> {
    if !store.across_read().await?.organisations().await?.is_empty() {
        return Ok(());
    }
    let new = NewOrganisation {
        name: "Demo MSP".to_owned(),
        slug: None,
        owner_name: "Demo Owner".to_owned(),
        owner_email: state.email.clone(),
        owner_password: state.password.clone().into(),
    };
    access::organisation_create(store, gate, new).await?;
    Ok(())
}

/// Keeps what is changed at the vendors until everything else is closed, then stops them.
async fn keep(mut vendors: Vendors, folder: Arc<Folder>, closed: CancellationToken) -> Result<()> {
    let mut ticks = interval(KEEP);
    while closed.run_until_cancelled(ticks.tick()).await.is_some() {
        if let Err(why) = vendors.keep(&folder) {
            tracing::warn!("what was changed at the vendors is not kept yet: {why:#}");
        }
    }
    vendors.keep(&folder)?;
    vendors.stop().await
}
