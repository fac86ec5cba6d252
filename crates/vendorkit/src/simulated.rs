//! A simulator behind [`Transport`], in process.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use integration::{Request, Response, Result, Transport};

use crate::{SharedWorld, Simulator, World};

/// Answers in process from a simulator over a world, and remembers what it was asked. The clock is
/// the world's: move it with [`Self::advance`].
pub struct Simulated {
    /// The vendor.
    pub simulator: Arc<dyn Simulator>,
    /// What it is a view of.
    pub world: SharedWorld,
    log: Mutex<Vec<Request>>,
}

impl Simulated {
    /// A simulator over a world of its own.
    pub fn new(simulator: Arc<dyn Simulator>, world: World) -> Self {
        Self::over(simulator, Arc::new(RwLock::new(world)))
    }

    /// A simulator over a world that others see too.
    pub fn over(simulator: Arc<dyn Simulator>, world: SharedWorld) -> Self {
        Self { simulator, world, log: Mutex::default() }
    }

    /// Every request so far, whole. Its `Debug` shows no secrets.
    pub fn requests(&self) -> Vec<Request> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many requests came so far.
    pub fn count(&self) -> usize {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Method and path of every request so far.
    pub fn log(&self) -> Vec<(&'static str, String)> {
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.iter().map(|request| (request.method.as_str(), request.url.path().to_owned())).collect()
    }

    /// Forgets what it was asked.
    pub fn clear_log(&self) {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Reads the world.
    pub fn read<T>(&self, look: impl FnOnce(&World) -> T) -> T {
        look(&self.world.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes the world.
    pub fn change<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        change(&mut self.world.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// Moves the clock on.
    pub fn advance(&self, by: TimeDelta) {
        self.change(|world| world.advance(by));
    }
}

#[async_trait]
impl Transport for Simulated {
    async fn send(&self, request: Request) -> Result<Response> {
        // As a real call does: without it, calls made at once would run one after the other.
        tokio::task::yield_now().await;
        let mut response = self.simulator.answer(&self.world, &request);
        response.received_at = self.now();
        self.log.lock().unwrap_or_else(PoisonError::into_inner).push(request);
        Ok(response)
    }

    fn now(&self) -> DateTime<Utc> {
        self.read(|world| world.now)
    }
}
