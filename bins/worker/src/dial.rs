//! The way to vendors: one HTTP client for the process, one budget for each connection.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use domain::{Chance, Clock, ConnectionId};
use integration::Transport;
use transport::{AddressPolicy, Budget, HttpTransport, Limits, Pace, Patience, Patient, TokioPause};

/// Budgets that are kept before idle ones are forgotten.
const MOST: usize = 1_000;

/// Hands out transports to vendors.
pub struct VendorDial {
    http: Arc<HttpTransport>,
    pace: Pace,
    pause: Arc<TokioPause>,
    budgets: Mutex<HashMap<ConnectionId, Arc<Budget>>>,
}

impl VendorDial {
    /// A way that reaches public addresses over HTTPS, and the exceptions (`host:port`). Each
    /// connection gets `per_second` requests a second, and twice as many at once after a quiet time. By
    /// `clock` tokens end and requests are signed.
    pub fn new(exceptions: &[&str], per_second: f64, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        let policy = AddressPolicy::allowing(exceptions)?;
        let http = HttpTransport::new(policy, Limits::default(), Arc::new(move || clock.now()))?;
        let pace = Pace { per_second, burst: (per_second * 2.0).clamp(2.0, 10_000.0) as u32, ..Pace::default() };
        Ok(Self { http: Arc::new(http), pace, pause: Arc::default(), budgets: Mutex::default() })
    }
}

impl sync::Dial for VendorDial {
    fn transport(&self, connection: ConnectionId, interactive: bool) -> Arc<dyn Transport> {
        let mut budgets = self.budgets.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        // Credentials that are only tried come under an id of their own: what nobody holds any more goes.
        if budgets.len() > MOST {
            budgets.retain(|_, budget| Arc::strong_count(budget) > 1);
        }
        let budget = budgets.entry(connection).or_insert_with(|| Arc::new(Budget::new(self.pace, self.pause.clone())));
        let patience = if interactive { Patience::INTERACTIVE } else { Patience::BACKGROUND };
        Arc::new(Patient::new(self.http.clone(), budget.clone(), patience, Arc::new(spread)))
    }

    fn waiting(&self, connection: ConnectionId) -> Option<sync::Waiting> {
        let budgets = self.budgets.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let waiting = budgets.get(&connection)?.waiting()?;
        Some(sync::Waiting { since: waiting.since, closed_for: waiting.closed_for })
    }
}

/// A number from 0 up to 1 by chance.
fn spread() -> f64 {
    let mut bytes = [0; 4];
    persistence::OsChance.fill(&mut bytes);
    f64::from(u32::from_le_bytes(bytes)) / (f64::from(u32::MAX) + 1.0)
}
