//! The quantity of a subscription.

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use integration::{
    Error, Exact, Kind, Method, Pull, Request, Response, Result, Retry, SetQuantity, Subscription, Vendor,
};
use rust_decimal::prelude::ToPrimitive;
use serde_json::json;
use url::Url;

use crate::{Pax8, wire};

const NOT_WHOLE: &str = "Pax8 takes whole quantities of at least 1; to end a subscription, cancel it at Pax8";

#[async_trait]
impl SetQuantity for Pax8 {
    fn refusal(&self, subscription: &Subscription, to: Exact, now: DateTime<Utc>) -> Option<String> {
        if whole(to).is_none() {
            return Some(NOT_WHOLE.into());
        }
        let status = subscription.status.as_str();
        if status.starts_with("Pending") || matches!(status, "Cancelled" | "Converted" | "WaitingForDetails") {
            return Some(format!("Pax8 changes no subscription while its status is {status}"));
        }
        if let Some(start) = subscription.starts_at.filter(|start| *start > now) {
            return Some(format!("Pax8 changes no subscription before its start on {}", start.format("%Y-%m-%d")));
        }
        let less = subscription.quantity.is_some_and(|quantity| to < quantity);
        let end = subscription.commitment_ends_at.filter(|end| less && *end > now)?;
        Some(format!("Pax8 takes no decrease before the commitment ends on {}", end.format("%Y-%m-%d")))
    }

    async fn set_quantity(&self, subscription_id: &str, to: Exact) -> Result<Bytes> {
        let quantity = whole(to).ok_or_else(|| Error::new(Kind::Refused, NOT_WHOLE))?;
        // Not idempotent: a repeat could undo what someone else changed in between.
        let request =
            Request::new(Method::Put, self.subscription_url(subscription_id)?).json(json!({ "quantity": quantity }));
        let response = self.api.call(request).await.map_err(|error| match error.kind {
            // Turned away at the door: nothing was changed.
            Kind::Throttled => error,
            _ => error.retry(Retry::No),
        })?;
        match self.one(&response) {
            Ok(raw) => Ok(raw),
            // Accepted, but the answer is no subscription.
            Err(_) => self.fetch(subscription_id).await,
        }
    }

    async fn fetch(&self, subscription_id: &str) -> Result<Bytes> {
        let response = self.api.call(Request::get(self.subscription_url(subscription_id)?)).await?;
        self.one(&response)
    }
}

impl Pax8 {
    fn subscription_url(&self, id: &str) -> Result<Url> {
        if !wire::is_id(id) {
            return Err(Error::new(Kind::NotFound, "this is not an id of a Pax8 subscription"));
        }
        Ok(self.api.url(&["subscriptions", id]))
    }

    /// The answer's body, once it reads as a subscription.
    fn one(&self, response: &Response) -> Result<Bytes> {
        let raw = response.body.slice_ref(response.json_bytes(Self::NAME)?);
        Pull::<Subscription>::read(self, &raw).map_err(|why| Error::unreadable(Self::NAME, why))?;
        Ok(raw)
    }
}

fn whole(quantity: Exact) -> Option<u64> {
    quantity.0.fract().is_zero().then(|| quantity.0.to_u64()).flatten().filter(|quantity| *quantity >= 1)
}
