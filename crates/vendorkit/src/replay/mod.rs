//! Plays recorded or hand-written exchanges, strict both ways: a request that no exchange answers is
//! an error, and so is an exchange that no request asked for.

mod exchange;
mod matching;
mod scan;

use std::{
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use integration::{Error, Kind, Request, Response, Result, Transport};

pub use exchange::{Answer, Ask, Exchange, load};
pub use scan::scan;

/// Plays exchanges. Each answers once; where several fit, the one that names most decides.
pub struct Replay {
    state: Mutex<State>,
    now: DateTime<Utc>,
}

#[derive(Default)]
struct State {
    exchanges: Vec<Exchange>,
    used: Vec<bool>,
    requests: Vec<Request>,
    unexpected: Vec<String>,
}

impl Replay {
    /// All exchanges of a folder (`tests/vendor`).
    pub fn load(dir: impl AsRef<Path>) -> Result<Self, String> {
        load(dir).map(Self::of)
    }

    /// The exchanges of these files of a folder.
    pub fn files(dir: impl AsRef<Path>, names: &[&str]) -> Result<Self, String> {
        let mut all = load(dir)?;
        for name in names {
            if !all.iter().any(|exchange| exchange.is_from(name)) {
                return Err(format!("there is no exchange file {name}"));
            }
        }
        all.retain(|exchange| names.iter().any(|name| exchange.is_from(name)));
        Ok(Self::of(all))
    }

    /// These exchanges.
    pub fn of(exchanges: Vec<Exchange>) -> Self {
        let used = vec![false; exchanges.len()];
        let state = State { exchanges, used, ..State::default() };
        Self { state: Mutex::new(state), now: crate::a_tuesday() }
    }

    /// Sets the clock; it stands still.
    pub fn at(mut self, now: DateTime<Utc>) -> Self {
        self.now = now;
        self
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<Request> {
        self.state().requests.clone()
    }

    /// Fails if a request found no answer, or an exchange was not asked for.
    pub fn finish(&self) -> Result<(), String> {
        self.finish_but(|_| false)
    }

    /// Like [`Self::finish`], but these exchanges need not be used.
    pub fn finish_but(&self, spare: impl Fn(&Exchange) -> bool) -> Result<(), String> {
        let state = self.state();
        let mut faults = state.unexpected.clone();
        for (exchange, used) in state.exchanges.iter().zip(&state.used) {
            if !used && !spare(exchange) {
                faults.push(format!("nothing asked for {exchange}"));
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Transport for Replay {
    async fn send(&self, request: Request) -> Result<Response> {
        let mut state = self.state();
        let fits = (0..state.exchanges.len())
            .filter(|&at| !state.used[at] && matching::differences(&state.exchanges[at].request, &request).is_empty())
            // The first one among equals.
            .max_by_key(|&at| (state.exchanges[at].request.named(), std::cmp::Reverse(at)));
        state.requests.push(request.clone());
        if let Some(at) = fits {
            state.used[at] = true;
            return Ok(state.exchanges[at].response.to_response(self.now));
        }
        let why = matching::explain(&state.exchanges, &state.used, &request);
        state.unexpected.push(why.clone());
        Err(Error::new(Kind::Unavailable, why))
    }

    fn now(&self) -> DateTime<Utc> {
        self.now
    }
}
