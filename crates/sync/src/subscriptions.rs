//! Changing the quantity of a subscription at its vendor: an act like the others, compared with what the vendor
//! has before it is sent.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use domain::{ChangeSet, ClientId, Context, Error, Permission, RecordId, Result};
use integration::{Connector, Exact, RecordKind, Subscription};
use persistence::Apply;
use serde_json::{Value, json};

use crate::{
    Engine,
    act::{Act, Acted, Acting, Asking, Idempotency, Keep, Noted, Place, Sent, Target},
};

/// What a change came to.
#[derive(Clone, Debug)]
pub enum QuantitySet {
    /// Done, or previewed.
    Changed(ChangeSet),
    /// The request was answered before: this was the answer.
    Repeated {
        /// HTTP status.
        status: u16,
        /// Body as JSON.
        answer: String,
    },
}

/// How the answer to be kept under an idempotency key is made of the change set: status and body.
pub type Render = Arc<dyn Fn(&ChangeSet) -> (u16, String) + Send + Sync>;

impl Engine {
    /// Changes the quantity of a subscription: see [`Engine::act`].
    #[expect(clippy::too_many_arguments, reason = "each is a part of the request")]
    pub async fn subscription_quantity_set(
        &self,
        context: &Context,
        client: ClientId,
        id: RecordId,
        to: Exact,
        apply: &Apply,
        idempotency: Option<&Idempotency>,
        render: &Render,
    ) -> Result<QuantitySet> {
        let keep = |key: &Idempotency| {
            let render = render.clone();
            (key.clone(), Arc::new(move |acted: &Acted| render(&acted.set)) as Keep)
        };
        let asking = Asking { client, apply: apply.clone(), key: idempotency.map(keep) };
        Ok(match self.act(context, Arc::new(QuantityChange { id, to }), asking).await? {
            Acting::Acted(acted) => QuantitySet::Changed(acted.set),
            Acting::Repeated { status, answer } => QuantitySet::Repeated { status, answer },
        })
    }
}

/// Sets a quantity.
struct QuantityChange {
    id: RecordId,
    to: Exact,
}

#[async_trait]
impl Act for QuantityChange {
    fn action(&self) -> &'static str {
        "subscription_quantity_set"
    }
    fn announced(&self) -> &'static str {
        "subscription_quantity_send"
    }
    fn permission(&self) -> Permission {
        Permission::SubscriptionsEdit
    }
    fn target(&self) -> Target {
        Target::Record(RecordKind::Subscription, self.id)
    }
    fn stores(&self) -> RecordKind {
        RecordKind::Subscription
    }
    fn wanted(&self) -> String {
        self.to.0.to_string()
    }
    fn check(&self, place: &Place, connector: &dyn Connector) -> Result<()> {
        let quantity = place.able(connector.subscription_quantity(), "change quantities")?;
        match quantity.refusal(&place.read()?, self.to, place.now) {
            Some(why) => Err(Error::invalid("/quantity", "refused_by_vendor", why)),
            None => Ok(()),
        }
    }
    fn noted(&self, place: &Place, fresh: Option<&Value>) -> Noted {
        let stored: Subscription = place.read().unwrap_or_default();
        let after = match fresh {
            Some(fresh) => serde_json::from_value::<Subscription>(fresh.clone()).ok().and_then(|fresh| fresh.quantity),
            None => Some(self.to),
        };
        let view = |quantity: Option<Exact>| -> Value {
            // 10 and 10.0 are the same quantity.
            let quantity = quantity.map(|quantity| quantity.0.normalize().to_string());
            json!({ "product": stored.product, "vendor_id": place.vendor_id(), "quantity": quantity })
        };
        Noted { kind: "subscription", before: Some(view(stored.quantity)), after: Some(view(after)) }
    }
    async fn fetch(&self, place: &Place, connector: &dyn Connector) -> Option<integration::Result<Bytes>> {
        Some(connector.subscription_quantity()?.fetch(place.vendor_id()).await)
    }
    fn moved(&self, place: &Place, fresh: &str) -> Result<bool> {
        let stored: Subscription = place.read()?;
        let fresh: Subscription = serde_json::from_str(fresh).map_err(Error::internal)?;
        Ok((fresh.quantity, fresh.updated_at) != (stored.quantity, stored.updated_at))
    }
    async fn send(&self, place: &Place, connector: &dyn Connector) -> integration::Result<Sent> {
        let quantity = connector.subscription_quantity().ok_or_else(crate::act::lost)?;
        quantity.set_quantity(place.vendor_id(), self.to).await.map(Sent::Record)
    }
}
