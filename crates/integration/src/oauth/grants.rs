//! A grant in use: kept fresh, renewed once however many calls wait, and stored before it is used.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use chrono::TimeDelta;
use tokio::sync::Mutex;

use super::CodeFlow;
use crate::{Exchange, Grant, Request, Response, Result, consent_missing};

/// Grants that one call tries at most after the first: each of another process, but for the last.
const MOST: usize = 3;

/// The grant of one connector. Where the transport offers a [`crate::GrantStore`], that decides who
/// renews, and keeps a rotated refresh token before anything is sent with it.
pub struct Grants {
    flow: Arc<CodeFlow>,
    held: Mutex<Option<Grant>>,
}

impl Grants {
    /// How long before its end an access token is no longer used.
    const MARGIN: TimeDelta = TimeDelta::seconds(60);

    /// The grant as it was stored; `None` until somebody consents.
    pub fn new(flow: Arc<CodeFlow>, grant: Option<Grant>) -> Self {
        Self { flow, held: Mutex::new(grant) }
    }

    /// The flow that renews it.
    pub fn flow(&self) -> &CodeFlow {
        &self.flow
    }

    /// A grant that can be used now. Callers wait for one renewal.
    pub async fn grant(&self) -> Result<Grant> {
        let http = &self.flow.http;
        let mut held = self.held.lock().await;
        let Some(grant) = held.clone() else { return Err(consent_missing(http.vendor())) };
        if grant.ends_at - Self::MARGIN > http.now() {
            http.learn_secret_once(&grant.access);
            return Ok(grant);
        }
        let (mut newest, ours) = self.renew(grant).await?;
        if !ours && newest.ends_at <= http.now() {
            // Another process had renewed it long ago, and that one has ended too.
            *held = Some(newest.clone());
            newest = self.renew(newest).await?.0;
        }
        *held = Some(newest.clone());
        Ok(newest)
    }

    /// Sends `request` with the access token. A 401 gets one renewal of our own and one more try; a token that
    /// somebody else had got is tried before that.
    pub async fn send(&self, request: Request) -> Result<Response> {
        let http = &self.flow.http;
        let mut grant = self.grant().await?;
        let mut response = http.send(request.clone().bearer(&grant.access)).await?;
        for _ in 0..MOST {
            if response.status != 401 {
                break;
            }
            let ours;
            (grant, ours) = self.instead_of(&grant).await?;
            response = http.send(request.clone().bearer(&grant.access)).await?;
            if ours {
                break;
            }
        }
        Ok(response)
    }

    /// Another grant than the one that was refused, and whether it is new: what another caller got meanwhile is not.
    async fn instead_of(&self, refused: &Grant) -> Result<(Grant, bool)> {
        let mut held = self.held.lock().await;
        let Some(grant) = held.clone() else { return Err(consent_missing(self.flow.http.vendor())) };
        if grant.access != refused.access {
            return Ok((grant, false));
        }
        let (newest, ours) = self.renew(grant).await?;
        *held = Some(newest.clone());
        Ok((newest, ours))
    }

    /// The grant after `seen`, and whether it was exchanged for just now.
    async fn renew(&self, seen: Grant) -> Result<(Grant, bool)> {
        let http = &self.flow.http;
        let flow = self.flow.clone();
        let ours = Arc::new(AtomicBool::new(false));
        let ran = ours.clone();
        let exchange: Exchange = Box::new(move |grant| {
            ran.store(true, Ordering::SeqCst);
            Box::pin(async move { flow.renew(&grant).await })
        });
        let newest = match http.grants() {
            Some(store) => store.renew(&seen, exchange).await.map_err(|error| http.scrub(error))?,
            None => exchange(seen).await?,
        };
        http.learn_secret_once(&newest.access);
        http.learn_secret_once(&newest.refresh);
        Ok((newest, ours.load(Ordering::SeqCst)))
    }
}
