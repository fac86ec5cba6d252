//! Where a connection's grant is kept while its tokens rotate.
//!
//! A renewed refresh token is stored before anything is sent with it, and two renewals of one grant never
//! run at once: in a process they take turns; on PostgreSQL the connection's row is held over the exchange as
//! well, so that other processes wait. SQLite has one process, and no write transaction is open while the
//! vendor is asked. The exchange runs in a task of its own: who waits for it may give up, it may not.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{ConnectionId, Context, Error, OrganisationId};
use integration::{Exchange, Field, Grant, GrantStore, Kind, Request, Response, Transport, consent_missing};
use persistence::{Store, Tx};
use serde_json::Value;
use tokio::sync::Mutex;

/// The longest that an exchange may take: it holds up everything that waits for the grant.
const PATIENCE: Duration = Duration::from_secs(40);

/// How often a renewed grant is tried to be stored. Lost, it is lost for good: a person must reconnect.
const TRIES: u32 = 8;

/// The grant of one connection, in its sealed credentials.
#[derive(Clone)]
pub(crate) struct StoredGrant {
    pub store: Store,
    pub organisation: OrganisationId,
    pub connection: ConnectionId,
    /// The field of the credentials that holds it.
    pub field: &'static str,
    /// The vendor's name.
    pub vendor: &'static str,
}

/// The grant among stored credentials.
pub(crate) fn grant_in(credentials: &Value, field: &str) -> Option<Grant> {
    Grant::parse(credentials.get(field)?.as_str()?).ok()
}

/// The same credentials with this grant.
pub(crate) fn with_grant(mut credentials: Value, field: &str, grant: &Grant) -> Value {
    if let (Value::Object(fields), Some(text)) = (&mut credentials, grant.store()) {
        fields.insert(field.to_owned(), Value::String(text));
    }
    credentials
}

#[async_trait]
impl GrantStore for StoredGrant {
    async fn renew(&self, seen: &Grant, exchange: Exchange) -> integration::Result<Grant> {
        let (mine, seen) = (self.clone(), seen.clone());
        let renewal = tokio::spawn(async move { mine.renewed(seen, exchange).await });
        renewal.await.unwrap_or_else(|_| Err(self.unstored("its renewal broke off")))
    }
}

impl StoredGrant {
    async fn renewed(&self, seen: Grant, exchange: Exchange) -> integration::Result<Grant> {
        let _turn = self.store.grant_turn(self.connection).await;
        let (held, credentials) = if self.store.is_postgres() {
            let tx = self.begin().await.map_err(|why| self.untouched(&why))?;
            let credentials = tx.connection_credentials_held(self.connection).await;
            (Some(tx), credentials)
        } else {
            let tx = self.store.read(self.context()).await.map_err(|why| self.untouched(&why))?;
            (None, tx.connection_credentials(self.connection).await)
        };
        let stored = self.stored(credentials)?;
        if stored != seen {
            return Ok(stored);
        }
        let fresh = tokio::time::timeout(PATIENCE, exchange(stored)).await.unwrap_or_else(|_| {
            let message = format!("{} did not renew the consent within {} seconds", self.vendor, PATIENCE.as_secs());
            Err(integration::Error::new(Kind::Unavailable, message))
        })?;
        self.keep(held, &seen, fresh).await
    }

    /// Stores the fresh grant, unless somebody stored another meanwhile: then that one counts.
    async fn keep(&self, held: Option<Tx>, seen: &Grant, fresh: Grant) -> integration::Result<Grant> {
        let mut held = held;
        let mut wait = Duration::from_millis(50);
        for attempt in 1..=TRIES {
            match self.try_keep(held.take(), seen, &fresh).await {
                Ok(Some(kept)) => return Ok(kept),
                Ok(None) => return Err(consent_missing(self.vendor)),
                Err(Error::NotFound { .. }) => return Err(self.unstored("the connection is gone")),
                Err(why) => {
                    tracing::error!(connection = %self.connection, attempt, ?why, "a renewed grant is not stored yet");
                    tokio::time::sleep(wait).await;
                    wait = wait.saturating_mul(2);
                }
            }
        }
        Err(self.unstored("it could not be stored"))
    }

    /// `None` when the credentials were saved anew meanwhile: the grant was given to others.
    async fn try_keep(&self, held: Option<Tx>, seen: &Grant, fresh: &Grant) -> Result<Option<Grant>, Error> {
        let tx = match held {
            Some(tx) => tx,
            None => self.begin().await?,
        };
        let credentials = tx.connection_credentials_held(self.connection).await?;
        let stored = grant_in(&credentials, self.field);
        if stored.as_ref() != Some(seen) {
            return Ok(stored);
        }
        tx.connection_seal(self.connection, &with_grant(credentials, self.field, fresh)).await?;
        tx.commit_unjournalled().await?;
        Ok(Some(fresh.clone()))
    }

    fn context(&self) -> Context {
        Context::worker(self.organisation, self.store.clock().now(), "renewal of a grant")
    }

    async fn begin(&self) -> Result<Tx, Error> {
        self.store.begin(self.context()).await
    }

    fn stored(&self, credentials: Result<Value, Error>) -> integration::Result<Grant> {
        match credentials {
            Ok(credentials) => grant_in(&credentials, self.field).ok_or_else(|| consent_missing(self.vendor)),
            Err(Error::NotFound { .. } | Error::Conflict { .. }) => Err(consent_missing(self.vendor)),
            Err(why) => Err(self.untouched(&why)),
        }
    }

    /// Nothing was asked of the vendor yet.
    fn untouched(&self, why: &Error) -> integration::Error {
        tracing::warn!(connection = %self.connection, ?why, "a grant could not be read");
        integration::Error::new(
            Kind::Unavailable,
            format!("the consent of {} could not be read: try again", self.vendor),
        )
    }

    fn unstored(&self, why: &str) -> integration::Error {
        let message = format!("the renewed consent of {} is not kept: {why}", self.vendor);
        integration::Error::new(Kind::Unavailable, message)
    }
}

/// A grant that is not stored yet: it was just given, and is being tried.
pub(crate) struct FreshGrant(Mutex<Grant>);

impl FreshGrant {
    pub fn new(grant: Grant) -> Self {
        Self(Mutex::new(grant))
    }

    /// The newest.
    pub async fn newest(&self) -> Grant {
        self.0.lock().await.clone()
    }
}

#[async_trait]
impl GrantStore for FreshGrant {
    async fn renew(&self, seen: &Grant, exchange: Exchange) -> integration::Result<Grant> {
        let mut held = self.0.lock().await;
        if *held == *seen {
            *held = exchange(held.clone()).await?;
        }
        Ok(held.clone())
    }
}

/// A transport that also offers where the grant is kept.
pub(crate) struct Granting {
    pub inner: Arc<dyn Transport>,
    pub grants: Arc<dyn GrantStore>,
}

#[async_trait]
impl Transport for Granting {
    async fn send(&self, request: Request) -> integration::Result<Response> {
        self.inner.send(request).await
    }

    fn now(&self) -> DateTime<Utc> {
        self.inner.now()
    }

    fn grants(&self) -> Option<&dyn GrantStore> {
        Some(self.grants.as_ref())
    }
}
