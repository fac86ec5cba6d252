//! The simulated vendors. What is changed at them is kept, so that they still know it after a restart.

use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    sync::{Arc, PoisonError, RwLock},
};

use anyhow::{Context, Result};
use domain::{Clock, SystemClock};
use serde_json::{Map, Value};
use uuid::Uuid;
use vendorkit::{ServeOptions, Served, SharedWorld, World, serve};

use crate::folder::{Folder, State};

/// File with the quantities that were changed.
const CHANGED: &str = "vendors.json";
/// Where the vendors are looked for a place first: below the ports that systems give out by themselves.
const PORTS: std::ops::Range<u16> = 4100..4200;

/// Vendors over one world, reachable on the loopback.
pub struct Vendors {
    served: Served,
    world: SharedWorld,
    /// Quantities of the new world.
    original: BTreeMap<Uuid, u32>,
    saved_revision: u64,
}

impl Vendors {
    /// Makes the world, changed as it was left, and serves every vendor. The port is that of the
    /// state, or another if that is taken; the state holds it afterwards.
    pub async fn open(folder: &Folder, state: &mut State) -> Result<Self> {
        let (size, seed, made_at) = (state.size(), state.seed, state.made_at);
        let mut world = tokio::task::spawn_blocking(move || World::generate(size, seed, made_at)).await?;
        let original = quantities(&world);
        for (id, quantity) in folder.load::<BTreeMap<Uuid, u32>>(CHANGED)?.unwrap_or_default() {
            world.set_quantity(id, quantity);
        }
        let saved_revision = world.revision();
        let world: SharedWorld = Arc::new(RwLock::new(world));
        let served = serve_somewhere(state.vendors_port, &world).await?;
        let address = served.base_url().rsplit_once(':').and_then(|(_, port)| port.parse().ok());
        state.vendors_port = address.context("the vendors' port is not known")?;
        Ok(Self { served, world, original, saved_revision })
    }

    /// What connects each vendor: its id and credentials that it accepts.
    pub fn credentials(&self) -> Vec<(&'static str, Map<String, Value>)> {
        let of = |id: &'static str| self.served.base_of(id);
        registry::simulators().iter().map(|vendor| (vendor.id(), vendor.credentials(&of(vendor.id())))).collect()
    }

    /// Keeps what was changed at the vendors since the last time.
    pub fn keep(&mut self, folder: &Folder) -> Result<()> {
        let (revision, quantities) = {
            let world = self.world.read().unwrap_or_else(PoisonError::into_inner);
            if world.revision() == self.saved_revision {
                return Ok(());
            }
            (world.revision(), quantities(&world))
        };
        let is_new = |(id, quantity): &(Uuid, u32)| self.original.get(id) != Some(quantity);
        folder.write(CHANGED, &BTreeMap::from_iter(quantities.into_iter().filter(is_new)))?;
        self.saved_revision = revision;
        Ok(())
    }

    /// Takes no more requests and ends.
    pub async fn stop(self) -> Result<()> {
        Ok(self.served.stop().await?)
    }
}

fn quantities(world: &World) -> BTreeMap<Uuid, u32> {
    let subscriptions = world.businesses().iter().flat_map(|business| &business.subscriptions);
    subscriptions.map(|subscription| (subscription.id, subscription.quantity)).collect()
}

async fn serve_somewhere(kept: u16, world: &SharedWorld) -> Result<Served> {
    let kept = (kept != 0).then_some(kept);
    for port in kept.into_iter().chain(PORTS).chain([0]) {
        let options = ServeOptions {
            addr: SocketAddr::from(([127, 0, 0, 1], port)),
            clock: Some(Arc::new(|| SystemClock.now())),
            ..ServeOptions::default()
        };
        match serve(registry::simulators(), world.clone(), options).await {
            Err(why) if why.kind() == io::ErrorKind::AddrInUse => {}
            other => return other.context("the simulated vendors cannot listen on 127.0.0.1"),
        }
    }
    anyhow::bail!("the simulated vendors find no free port on 127.0.0.1")
}
