//! Sends again where that may help and does no harm, and waits as long as the vendor asks.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use integration::{Error, Kind, Request, Response, Result, Retry, Transport};

use crate::budget::{Budget, TooLong};

/// A number from 0 up to 1, different each time: keeps retries of several connections apart.
pub type Chance = Arc<dyn Fn() -> f64 + Send + Sync>;

/// How long to try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Requests sent for one call, the first included.
    pub attempts: u32,
    /// Wait before the second; doubled before each further one.
    pub first_wait: Duration,
    /// The longest wait of our own choice. A vendor's `Retry-After` may be longer.
    pub longest_wait: Duration,
    /// No request starts later than this after the call.
    pub deadline: Duration,
    /// Whether a person waits: the call may use the budget's reserve.
    pub interactive: bool,
}

impl Patience {
    /// For syncs.
    pub const BACKGROUND: Self = Self {
        attempts: 5,
        first_wait: Duration::from_millis(500),
        longest_wait: Duration::from_secs(30),
        deadline: Duration::from_secs(180),
        interactive: false,
    };

    /// For a person who waits for the page.
    pub const INTERACTIVE: Self = Self {
        attempts: 3,
        first_wait: Duration::from_millis(200),
        longest_wait: Duration::from_secs(2),
        deadline: Duration::from_secs(10),
        interactive: true,
    };
}

/// A transport that keeps to a connection's [`Budget`] and sends again:
///
/// * after 429, because the vendor did nothing, any request;
/// * after 408, 5xx or no answer, requests that are idempotent, because it may have been done.
///
/// 429 and 503 close the budget for every caller of the connection until the wait is over. A wait
/// that ends after the deadline is not begun: the answer is handed over as it is.
pub struct Patient<T: ?Sized> {
    inner: Arc<T>,
    budget: Arc<Budget>,
    patience: Patience,
    chance: Chance,
}

impl<T: Transport + ?Sized> Patient<T> {
    /// Wraps `inner`. Callers of one connection differ in `patience` and share `budget`.
    pub fn new(inner: Arc<T>, budget: Arc<Budget>, patience: Patience, chance: Chance) -> Self {
        Self { inner, budget, patience, chance }
    }

    /// The wait of our own choice after this attempt: doubled each time, a quarter of it by chance.
    fn back_off(&self, attempt: u32) -> Duration {
        let doubled = self.patience.first_wait.saturating_mul(1 << (attempt - 1).min(20));
        let spread = 0.75 + 0.25 * (self.chance)().clamp(0.0, 1.0);
        doubled.min(self.patience.longest_wait).mul_f64(spread)
    }
}

/// What an outcome asks for.
struct Advice {
    /// Whether the vendor has certainly not acted on the request.
    untouched: bool,
    /// Whether everyone is to wait, not only this request.
    everyone: bool,
    /// How long the vendor asks to wait.
    asked: Option<Duration>,
}

/// Advice on an outcome after which sending again may help.
fn advice(outcome: &Result<Response>) -> Option<Advice> {
    match outcome {
        Ok(answer) => {
            let (untouched, everyone) = match answer.status {
                429 => (true, true),
                503 => (false, true),
                408 | 500 | 502 | 504 => (false, false),
                _ => return None,
            };
            Some(Advice { untouched, everyone, asked: answer.retry_after() })
        }
        Err(Error { kind: Kind::Unavailable, retry, .. }) => {
            let asked = match retry {
                Retry::No => return None,
                Retry::Yes => None,
                Retry::After(time) => Some(*time),
            };
            Some(Advice { untouched: false, everyone: asked.is_some(), asked })
        }
        Err(_) => None,
    }
}

#[async_trait]
impl<T: Transport + ?Sized> Transport for Patient<T> {
    async fn send(&self, request: Request) -> Result<Response> {
        let pause = self.budget.pause();
        let deadline = pause.now() + self.patience.deadline;
        let _noted = (!self.patience.interactive).then(|| self.budget.call());
        let mut last = None;
        let mut attempt = 1;
        loop {
            let admission = match self.budget.admit(self.patience.interactive, deadline).await {
                Ok(admission) => admission,
                Err(TooLong(wait)) => return last.unwrap_or_else(|| Err(busy(wait))),
            };
            let outcome = self.inner.send(request.clone()).await;
            let Some(advice) = advice(&outcome) else { return outcome };
            let back_off = self.back_off(attempt);
            let wait = advice.asked.unwrap_or_default().max(back_off);
            if advice.everyone {
                self.budget.close(wait);
            }
            drop(admission);
            let again = attempt < self.patience.attempts && (request.idempotent || advice.untouched);
            if !again || pause.now() + wait > deadline {
                return outcome;
            }
            pause.sleep(wait).await;
            last = Some(outcome);
            attempt += 1;
        }
    }

    fn now(&self) -> DateTime<Utc> {
        self.inner.now()
    }
}

/// The connection's budget leaves no room before the deadline; nothing was sent.
fn busy(wait: Duration) -> Error {
    let retry = if wait.is_zero() { Retry::Yes } else { Retry::After(wait) };
    Error::new(Kind::Throttled, "this connection is waiting for the vendor's rate limit: try again later").retry(retry)
}
