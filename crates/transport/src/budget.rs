//! What one connection may ask of its vendor: requests per second, at the same time, and not before
//! the vendor's own "slow down" has passed.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use async_trait::async_trait;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Waiting, so that tests need not.
#[async_trait]
pub trait Pause: Send + Sync {
    /// Waits.
    async fn sleep(&self, time: Duration);

    /// Time since some fixed point; never goes back.
    fn now(&self) -> Duration;
}

/// Waits for real.
#[derive(Clone, Copy, Debug)]
pub struct TokioPause {
    start: tokio::time::Instant,
}

impl Default for TokioPause {
    fn default() -> Self {
        Self { start: tokio::time::Instant::now() }
    }
}

#[async_trait]
impl Pause for TokioPause {
    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    fn now(&self) -> Duration {
        self.start.elapsed()
    }
}

/// How fast a connection may go.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// Requests per second in the long run.
    pub per_second: f64,
    /// Requests that may go at once after a quiet time.
    pub burst: u32,
    /// Requests under way at the same time.
    pub concurrent: u32,
    /// How many of `burst` and of `concurrent` are kept for a person who waits.
    pub reserved: u32,
}

impl Default for Pace {
    fn default() -> Self {
        Self { per_second: 5.0, burst: 10, concurrent: 4, reserved: 1 }
    }
}

/// The budget of one connection. Share it among everything that talks to the same vendor account.
pub struct Budget {
    pace: Pace,
    pause: Arc<dyn Pause>,
    all: Semaphore,
    background: Semaphore,
    bucket: Mutex<Bucket>,
    calls: Mutex<Calls>,
}

/// Calls of syncs under way: since when.
#[derive(Default)]
struct Calls {
    next: u64,
    since: BTreeMap<u64, Duration>,
}

/// A call under way, noted until it is dropped.
pub(crate) struct Call<'a> {
    budget: &'a Budget,
    id: u64,
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        self.budget.calls().since.remove(&self.id);
    }
}

/// What the syncs of a connection wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// For how long the oldest call has had no answer, all its tries together.
    pub since: Duration,
    /// For how long the vendor still wants nothing to be sent; zero where it has not said so.
    pub closed_for: Duration,
}

struct Bucket {
    tokens: f64,
    filled_at: Duration,
    closed_until: Duration,
}

/// The right to send one request, given back when dropped.
pub(crate) struct Admission<'a>(#[expect(dead_code, reason = "held, not read")] [Option<SemaphorePermit<'a>>; 2]);

/// It is not its turn before the deadline: the time still to wait.
pub(crate) struct TooLong(pub Duration);

impl Budget {
    /// A full budget. A pace of nothing counts as the slowest that still moves, and the reserve
    /// always leaves one for everything else.
    pub fn new(pace: Pace, pause: Arc<dyn Pause>) -> Self {
        let (burst, concurrent) = (pace.burst.max(1), pace.concurrent.max(1));
        let pace = Pace {
            per_second: if pace.per_second.is_finite() { pace.per_second.max(0.001) } else { 1_000_000.0 },
            burst,
            concurrent,
            reserved: pace.reserved.min(burst - 1).min(concurrent - 1),
        };
        let bucket = Bucket { tokens: f64::from(burst), filled_at: pause.now(), closed_until: Duration::ZERO };
        Self {
            all: Semaphore::new(concurrent as usize),
            background: Semaphore::new((concurrent - pace.reserved) as usize),
            bucket: Mutex::new(bucket),
            calls: Mutex::default(),
            pace,
            pause,
        }
    }

    /// The waiting that this budget is measured by.
    pub(crate) fn pause(&self) -> &dyn Pause {
        &*self.pause
    }

    /// What the syncs wait for; nothing where no call of theirs is under way.
    pub fn waiting(&self) -> Option<Waiting> {
        let now = self.pause.now();
        let since = *self.calls().since.values().min()?;
        let closed_for = self.bucket().closed_until.saturating_sub(now);
        Some(Waiting { since: now.saturating_sub(since), closed_for })
    }

    /// Notes a call of a sync.
    pub(crate) fn call(&self) -> Call<'_> {
        let now = self.pause.now();
        let mut calls = self.calls();
        let id = calls.next;
        calls.next += 1;
        calls.since.insert(id, now);
        Call { budget: self, id }
    }

    fn calls(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Waits until a request may go, at most until `deadline`.
    pub(crate) async fn admit(&self, interactive: bool, deadline: Duration) -> Result<Admission<'_>, TooLong> {
        let first = match interactive {
            true => None,
            false => Some(self.permit(&self.background, deadline).await?),
        };
        let second = Some(self.permit(&self.all, deadline).await?);
        loop {
            let Err(wait) = self.take(interactive) else { return Ok(Admission([first, second])) };
            if self.pause.now() + wait > deadline {
                return Err(TooLong(wait));
            }
            self.pause.sleep(wait).await;
        }
    }

    /// Closes the budget for everyone for `time`. Afterwards it starts with one request, not with a
    /// burst.
    pub(crate) fn close(&self, time: Duration) {
        let until = self.pause.now() + time;
        let mut bucket = self.bucket();
        if until > bucket.closed_until {
            *bucket = Bucket { tokens: 1.0, filled_at: until, closed_until: until };
        }
    }

    async fn permit<'a>(&self, semaphore: &'a Semaphore, deadline: Duration) -> Result<SemaphorePermit<'a>, TooLong> {
        let left = deadline.saturating_sub(self.pause.now());
        tokio::select! {
            biased;
            permit = semaphore.acquire() => permit.map_err(|_| TooLong(Duration::ZERO)),
            () = self.pause.sleep(left) => Err(TooLong(Duration::ZERO)),
        }
    }

    /// Takes one token, or says how long to wait before asking again.
    fn take(&self, interactive: bool) -> Result<(), Duration> {
        let now = self.pause.now();
        let mut bucket = self.bucket();
        if now < bucket.closed_until {
            return Err(bucket.closed_until - now);
        }
        let fresh = now.saturating_sub(bucket.filled_at).as_secs_f64() * self.pace.per_second;
        bucket.tokens = (bucket.tokens + fresh).min(f64::from(self.pace.burst));
        bucket.filled_at = now.max(bucket.filled_at);
        let needed = if interactive { 1.0 } else { 1.0 + f64::from(self.pace.reserved) };
        // A token that is short by a rounding error counts, else the wait would be nothing for ever.
        if bucket.tokens + 1e-6 >= needed {
            bucket.tokens -= 1.0;
            return Ok(());
        }
        Err(Duration::from_secs_f64((needed - bucket.tokens) / self.pace.per_second))
    }

    fn bucket(&self) -> MutexGuard<'_, Bucket> {
        self.bucket.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
