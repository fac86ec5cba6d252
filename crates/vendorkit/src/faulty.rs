//! A transport that breaks on purpose.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use integration::{Error, Kind, Request, Response, Result, Transport};
use serde_json::Value;

use crate::{Simulated, world::Random};

/// What goes wrong with one request.
#[derive(Clone)]
pub enum Fault {
    /// 429 with `Retry-After` in seconds; the vendor does not act.
    Throttled(u64),
    /// This status with a body of no use; the vendor does not act.
    Status(u16),
    /// A web page with status 200, as from a proxy or a maintenance window; the vendor does not act.
    Html,
    /// The connection breaks before the vendor acts.
    Reset,
    /// The vendor acts, but its answer is lost: for a write, the outcome is unknown.
    AnswerLost,
    /// Only the first half of the body arrives.
    Truncated,
    /// The answer is well formed, but lists nothing.
    Empty,
    /// The answer is right, but takes this long by the clock.
    Slow(TimeDelta),
    /// Something happens just before the vendor answers (its tokens end, a device moves).
    Before(Arc<dyn Fn() + Send + Sync>),
    /// The answer is changed.
    Alter(Alter),
}

/// How an answer is changed.
pub type Alter = Arc<dyn Fn(&Request, Response) -> Response + Send + Sync>;

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Throttled(seconds) => write!(f, "throttled for {seconds} s"),
            Self::Status(status) => write!(f, "status {status}"),
            Self::Html => f.write_str("a web page"),
            Self::Reset => f.write_str("connection reset"),
            Self::AnswerLost => f.write_str("answer lost"),
            Self::Truncated => f.write_str("half a body"),
            Self::Empty => f.write_str("an empty listing"),
            Self::Slow(by) => write!(f, "slow by {by}"),
            Self::Before(_) => f.write_str("something happens before"),
            Self::Alter(_) => f.write_str("an altered answer"),
        }
    }
}

/// Which requests go wrong.
#[derive(Clone, Debug, Default)]
pub enum Plan {
    /// None.
    #[default]
    Never,
    /// All in the same way.
    Always(Fault),
    /// Those that change something: not marked as repeatable.
    Writes(Fault),
    /// These, counted from 1.
    Script(BTreeMap<usize, Fault>),
    /// As many of a hundred, in ways that the seed picks.
    Rate {
        /// Of a hundred requests, how many fail.
        percent: usize,
        /// The same seed gives the same faults.
        seed: u64,
        /// How they fail; not empty.
        faults: Vec<Fault>,
    },
}

impl Plan {
    /// The `nth` request (from 1) goes wrong.
    pub fn nth(nth: usize, fault: Fault) -> Self {
        Self::Script(BTreeMap::from([(nth, fault)]))
    }
}

type Choice = Box<dyn Fn(&Request) -> bool + Send + Sync>;
type Wait = Box<dyn Fn(TimeDelta) + Send + Sync>;

/// Wraps any transport and breaks it as planned. The plan can change between runs.
pub struct Faulty {
    inner: Arc<dyn Transport>,
    only: Choice,
    wait: Wait,
    state: Mutex<State>,
}

struct State {
    plan: Plan,
    chance: Random,
    seen: usize,
    broken: usize,
}

impl Faulty {
    /// Breaks `inner` as planned. [`Fault::Slow`] does nothing, because it has no clock to move: see
    /// [`Self::slow`].
    pub fn new(inner: Arc<dyn Transport>, plan: Plan) -> Self {
        let state = Mutex::new(State { chance: Random::new(seed(&plan)), plan, seen: 0, broken: 0 });
        Self { inner, only: Box::new(|_| true), wait: Box::new(|_| ()), state }
    }

    /// Breaks a simulated vendor; slow answers move the world's clock.
    pub fn over(inner: Arc<Simulated>, plan: Plan) -> Self {
        let clock = inner.clone();
        Self::new(inner, plan).slow(move |by| clock.advance(by))
    }

    /// Breaks, and counts, only requests of this sort.
    pub fn only(mut self, choice: impl Fn(&Request) -> bool + Send + Sync + 'static) -> Self {
        self.only = Box::new(choice);
        self
    }

    /// Says how time passes in [`Fault::Slow`]: nothing sleeps.
    pub fn slow(mut self, wait: impl Fn(TimeDelta) + Send + Sync + 'static) -> Self {
        self.wait = Box::new(wait);
        self
    }

    /// Changes the plan and counts from 1 again.
    pub fn set(&self, plan: Plan) {
        *self.state() = State { chance: Random::new(seed(&plan)), plan, seen: 0, broken: 0 };
    }

    /// How many requests it has broken under the present plan.
    pub fn broken(&self) -> usize {
        self.state().broken
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The fault of this request, if it is to have one.
    fn fault(&self, request: &Request) -> Option<Fault> {
        if !(self.only)(request) {
            return None;
        }
        let State { plan, chance, seen, broken } = &mut *self.state();
        *seen += 1;
        let fault = match plan {
            Plan::Never => None,
            Plan::Always(fault) => Some(fault.clone()),
            Plan::Writes(fault) => (!request.idempotent).then(|| fault.clone()),
            Plan::Script(script) => script.get(seen).cloned(),
            Plan::Rate { percent, faults, .. } => {
                // Both numbers are drawn every time, so that the choice does not depend on history.
                let (hit, which) = (chance.percent(*percent), chance.below(faults.len()));
                faults.get(which).filter(|_| hit).cloned()
            }
        };
        *broken += usize::from(fault.is_some());
        fault
    }
}

fn seed(plan: &Plan) -> u64 {
    if let Plan::Rate { seed, .. } = plan { *seed } else { 0 }
}

#[async_trait]
impl Transport for Faulty {
    async fn send(&self, request: Request) -> Result<Response> {
        let Some(fault) = self.fault(&request) else { return self.inner.send(request).await };
        match fault {
            Fault::Throttled(seconds) => {
                let mut response = self.plain(429, r#"{"message":"too many requests"}"#);
                response.headers.push(("retry-after".to_owned(), seconds.to_string()));
                Ok(response)
            }
            Fault::Status(status) => Ok(self.plain(status, r#"{"message":"no"}"#)),
            Fault::Html => {
                let mut response = self.plain(200, "<!doctype html><title>Back soon</title><p>Maintenance.");
                response.headers = vec![("content-type".to_owned(), "text/html".to_owned())];
                Ok(response)
            }
            Fault::Reset => Err(Error::new(Kind::Unavailable, "the connection was reset")),
            Fault::AnswerLost => {
                self.inner.send(request).await?;
                Err(Error::new(Kind::Unavailable, "the connection was reset before the answer came"))
            }
            Fault::Truncated => {
                let mut response = self.inner.send(request).await?;
                response.body.truncate(response.body.len() / 2);
                Ok(response)
            }
            Fault::Empty => {
                let mut response = self.inner.send(request).await?;
                response.body = emptied(&response.body);
                Ok(response)
            }
            Fault::Slow(by) => {
                (self.wait)(by);
                self.inner.send(request).await
            }
            Fault::Before(happen) => {
                happen();
                self.inner.send(request).await
            }
            Fault::Alter(alter) => {
                let response = self.inner.send(request.clone()).await?;
                Ok(alter(&request, response))
            }
        }
    }

    fn now(&self) -> DateTime<Utc> {
        self.inner.now()
    }

    fn grants(&self) -> Option<&dyn integration::GrantStore> {
        self.inner.grants()
    }
}

impl Faulty {
    fn plain(&self, status: u16, body: &'static str) -> Response {
        Response {
            status,
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: Bytes::from_static(body.as_bytes()),
            received_at: self.now(),
        }
    }
}

/// The same JSON with the listing in it empty: the body itself, or the arrays that it holds.
fn emptied(body: &Bytes) -> Bytes {
    match serde_json::from_slice(body) {
        Ok(Value::Array(_)) => Bytes::from_static(b"[]"),
        Ok(Value::Object(mut fields)) => {
            for value in fields.values_mut().filter(|value| value.is_array()) {
                *value = Value::Array(Vec::new());
            }
            Bytes::from(Value::Object(fields).to_string())
        }
        _ => body.clone(),
    }
}
