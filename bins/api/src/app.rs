//! Everything a request needs, built once at start.

use std::{collections::HashMap, sync::Arc};

use access::{Gate, Nowhere, Outside, Sso};
use directory::FileLimits;
use domain::{ConnectionId, Context, Error, Grant, Permission, Result};
use integration::{Capability, Category, Entry};
use ipnet::IpNet;
use persistence::{Store, Tx};
use storage::Storage;
use sync::{Counting, Engine};
use tokio::sync::{Notify, Semaphore};
use transport::AddressPolicy;

use crate::{auth::Caller, kept::Kept};

/// The application, as handlers get it.
pub type AppData<'a> = poem::web::Data<&'a Arc<App>>;

/// Most exports of the journal at a time.
const EXPORTS: usize = 8;
/// Most streams of progress at a time.
const WATCHERS: usize = 200;

/// What handlers share.
pub struct App {
    /// The store.
    pub store: Store,
    /// The vendors.
    pub entries: &'static [Entry],
    /// Talks to vendors for a person who waits.
    pub engine: Engine,
    /// Wakes the worker of this process when a job was enqueued.
    pub wake: Arc<Notify>,
    /// Signing in: passwords, sessions, keys.
    pub gate: Gate,
    /// Whether cookies are for HTTPS only.
    pub secure_cookies: bool,
    /// Where browsers reach us ("https://panelone.msp.example"); without it only consents begun on the loopback
    /// find their way back.
    pub public_origin: Option<String>,
    /// Proxies that are believed about where a request comes from.
    pub trusted_proxies: Vec<IpNet>,
    /// How many more may watch a sync as it moves: each asks the database once a second.
    pub watchers: Arc<Semaphore>,
    /// How many more may export the journal: each reads it page by page for as long as its reader likes.
    pub exports: Arc<Semaphore>,
    /// Answers that hold until something is written.
    pub kept: Kept,
    /// Which vendors count devices and users.
    pub counting: Counting,
    /// Where events may be sent.
    pub outward: AddressPolicy,
    /// Where contents of files are.
    pub storage: Storage,
    /// How much of them may be kept.
    pub file_limits: FileLimits,
    /// Identity providers through which people sign in.
    pub sso: Sso,
    capabilities: HashMap<&'static str, Vec<Capability>>,
}

/// What may be kept where nobody says otherwise.
const FILE_LIMITS: FileLimits = FileLimits { file: 25 << 20, client: 1 << 30, organisation: 20 << 30 };

impl App {
    /// The application over a store and an engine.
    pub fn new(store: Store, engine: Engine, wake: Arc<Notify>, gate: Gate, secure_cookies: bool) -> Self {
        let entries = engine.entries;
        let capabilities = entries.iter().map(|entry| (entry.id, entry.capabilities())).collect();
        let counting = engine.counting();
        Self {
            store,
            entries,
            engine,
            wake,
            gate,
            secure_cookies,
            public_origin: None,
            trusted_proxies: Vec::new(),
            watchers: Arc::new(Semaphore::new(WATCHERS)),
            exports: Arc::new(Semaphore::new(EXPORTS)),
            kept: Kept::default(),
            counting,
            outward: AddressPolicy::default(),
            storage: Storage::absent(),
            file_limits: FILE_LIMITS,
            sso: Sso::new(Arc::new(Nowhere)),
            capabilities,
        }
    }

    /// The same, with files in this store.
    pub fn storing(self, storage: Storage, file_limits: FileLimits) -> Self {
        Self { storage, file_limits, ..self }
    }

    /// The same, reached by browsers at this origin.
    pub fn at_origin(self, public_origin: Option<String>) -> Self {
        Self { public_origin, ..self }
    }

    /// The same with a way to identity providers; without one nobody signs in through them.
    pub fn reaching(self, outside: Arc<dyn Outside>) -> Self {
        Self { sso: Sso::new(outside), ..self }
    }

    /// The same, behind these proxies.
    pub fn behind(self, trusted_proxies: Vec<IpNet>) -> Self {
        Self { trusted_proxies, ..self }
    }

    /// The same, with other addresses that events may be sent to than public ones.
    pub fn telling(self, outward: AddressPolicy) -> Self {
        Self { outward, ..self }
    }

    /// A vendor of the catalogue.
    pub fn entry(&self, integration: &str) -> Option<&'static Entry> {
        self.entries.iter().find(|entry| entry.id == integration)
    }

    /// What a vendor's connector can do.
    pub fn capabilities(&self, integration: &str) -> &[Capability] {
        self.capabilities.get(integration).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether a vendor's connector has this capability.
    pub fn can(&self, integration: &str, capability: &str) -> bool {
        self.capabilities(integration).iter().any(|found| found.name == capability)
    }

    /// A reading transaction of a caller who has this right.
    pub async fn read(&self, caller: Caller, permission: Permission) -> Result<Tx> {
        let tx = caller.read()?;
        tx.context().require(permission)?;
        Ok(tx)
    }

    /// The same for a context that is needed for more.
    pub async fn read_as(&self, context: &Context, permission: Permission) -> Result<Tx> {
        context.require(permission)?;
        self.store.read(context.clone()).await
    }

    /// Refuses a list over connections to a caller who sees those of billing vendors only, unless it names one of
    /// them.
    pub async fn permit_connections(&self, tx: &Tx, named: Option<ConnectionId>) -> Result<()> {
        let right = Permission::ConnectionsView;
        match named {
            Some(id) => self.permit_vendor(tx.context(), right, &tx.connection(id).await?.integration),
            None if tx.context().permissions.grant(right) == Grant::Yes => Ok(()),
            None => {
                let message = "must name a connection of a billing vendor: your role sees no others";
                Err(Error::invalid("connection_id", "required", message))
            }
        }
    }

    /// Refuses a caller whose right covers billing vendors only, for another vendor.
    pub fn permit_vendor(&self, context: &Context, permission: Permission, integration: &str) -> Result<()> {
        let billing = self.entry(integration).is_some_and(|entry| entry.category == Category::Billing);
        match context.permissions.grant(permission) {
            Grant::Yes => Ok(()),
            Grant::Billing if billing => Ok(()),
            Grant::Billing | Grant::Approval | Grant::No => Err(Error::Forbidden { permission }),
        }
    }
}
