//! The simulated NinjaOne, over loopback HTTP. It prints its credentials form; "change" changes about 1 % of the
//! devices.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use anyhow::Result;
use domain::{Clock, SystemClock};
use serde_json::json;
use vendorkit::{ServeOptions, Simulator, World, WorldSize, serve};

use crate::contender::{Orders, answer};

/// Serves until its orders end.
pub async fn run(businesses: usize, devices: usize, latency: u64) -> Result<()> {
    let size = WorldSize { businesses, devices, people: businesses };
    let world = Arc::new(RwLock::new(World::generate(size, 7, SystemClock.now())));
    let simulator = Arc::new(connector_ninjaone::Simulator::default());
    let options = ServeOptions {
        latency: Duration::from_millis(latency),
        clock: Some(Arc::new(|| SystemClock.now())),
        ..ServeOptions::default()
    };
    let served = serve(vec![simulator.clone()], world.clone(), options).await?;
    let base = served.base_of(simulator.id());
    answer(&json!({ "base": base, "credentials": simulator.credentials(&base) }).to_string())?;
    let mut orders = Orders::read();
    while let Some(order) = orders.next().await? {
        match order.as_str() {
            "change" => {
                let changed = world.write().unwrap_or_else(PoisonError::into_inner).touch_devices(10);
                answer(&changed.len().to_string())?;
            }
            _ => answer(&served.requests().to_string())?,
        }
    }
    Ok(())
}
