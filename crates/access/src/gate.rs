//! What the crate needs beside the store, and the context of a staff user.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::{Actor, Chance, Context, Error, Result, StaffId, Timestamp};
use persistence::StaffRow;
use tokio::sync::Semaphore;
use tracing::Instrument;

use crate::{Cost, Environment, Passwords, rate::Rates};

/// What an operator may set.
#[derive(Clone, Copy, Debug)]
pub struct AccessOptions {
    /// How long a session lives at most.
    pub session_absolute: TimeDelta,
    /// How long a session lives unused.
    pub session_idle: TimeDelta,
    /// Which API keys are made and taken here.
    pub environment: Environment,
    /// What a password's hash costs.
    pub password_cost: Cost,
}

impl Default for AccessOptions {
    /// 12 hours, 8 of them unused; live keys; 19 MiB and two passes for each password.
    fn default() -> Self {
        Self {
            session_absolute: TimeDelta::hours(12),
            session_idle: TimeDelta::hours(8),
            environment: Environment::Live,
            password_cost: Cost::default(),
        }
    }
}

/// Options, the password checker, and small writes that an answer does not wait for. One for the
/// process.
pub struct Gate {
    /// Options.
    pub options: AccessOptions,
    /// Hashes and checks passwords.
    pub passwords: Passwords,
    pub(crate) rates: Rates,
    behind: Arc<Semaphore>,
}

/// Small writes under way at once.
const BEHIND: u32 = 64;

impl Gate {
    /// Made once at start; takes as long as hashing one password.
    pub fn new(options: AccessOptions, chance: Arc<dyn Chance>) -> Result<Self> {
        let passwords = Passwords::new(options.password_cost, chance)?;
        Ok(Self { options, passwords, rates: Rates::default(), behind: Arc::new(Semaphore::new(BEHIND as usize)) })
    }

    /// Does a write that must be made, behind the answer.
    pub(crate) async fn note(&self, what: &'static str, work: impl Future<Output = Result<()>> + Send + 'static) {
        let Ok(slot) = Arc::clone(&self.behind).acquire_owned().await else { return };
        let work = async move {
            if let Err(error) = work.await {
                tracing::error!(?error, "{what} was not noted");
            }
            drop(slot);
        };
        tokio::spawn(work.in_current_span());
    }

    /// Does a write that may as well be left out, behind the answer.
    pub(crate) fn mark(&self, what: &'static str, work: impl Future<Output = Result<()>> + Send + 'static) {
        let Ok(slot) = Arc::clone(&self.behind).try_acquire_owned() else { return };
        let work = async move {
            if let Err(error) = work.await {
                tracing::warn!(?error, "{what} was not marked");
            }
            drop(slot);
        };
        tokio::spawn(work.in_current_span());
    }

    /// Waits until every write behind an answer is done. Call it before the process ends.
    pub async fn drain(&self) {
        drop(self.behind.acquire_many(BEHIND).await);
    }
}

/// What is known of a request before its caller is.
#[derive(Clone, Debug)]
pub struct RequestMeta {
    /// Its id.
    pub request_id: String,
    /// The address it comes from: that of the peer, or what a trusted proxy says.
    pub source_address: Option<String>,
}

/// The context of a staff user, from the row as it is now.
pub(crate) fn staff_context(staff: &StaffRow, now: Timestamp, request: &RequestMeta) -> Context {
    Context {
        organisation: staff.organisation,
        actor: Actor::Staff { id: staff.id },
        scope: staff.scope(),
        permissions: staff.rights(),
        acted_for: None,
        now,
        request_id: request.request_id.clone(),
        source_address: request.source_address.clone(),
        approved: None,
    }
}

/// The staff user who is signed in in person: not a key, not the worker.
pub(crate) fn in_person(context: &Context) -> Result<StaffId> {
    match context.actor {
        Actor::Staff { id } => Ok(id),
        Actor::ApiKey { .. }
        | Actor::PortalUser { .. }
        | Actor::ServiceAccount { .. }
        | Actor::Worker
        | Actor::Operator => Err(Error::Unauthenticated),
    }
}
