//! A client's subscriptions, and changing their quantity at the vendor.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::{ClientId, Listed, Permission, Record, RecordId};
use integration::Exact;
use persistence::Apply;
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
    types::{ParseFromJSON, ToJSON},
};
use sync::{Idempotency, QuantitySet};
use uuid::Uuid;

use super::{
    Chapter,
    fleet::{RecordPage, body, record_page, sources},
};
use crate::{
    app::AppData,
    auth::Caller,
    changes::{ChangeSet, Written},
    page::{Answer, page_request},
    problem::Failure,
    write::{caller_name, idempotency_key},
};

/// An amount of money.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct Money {
    /// Amount in major units, exactly as the vendor gave it
    pub amount: String,
    /// The same in minor units (cents); absent where the price is finer than that
    pub minor_units: Option<i64>,
    /// ISO 4217 code
    pub currency: String,
}

/// A paid subscription.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct Subscription {
    /// Id
    pub id: Uuid,
    /// Connection that says it
    pub connection_id: Uuid,
    /// The vendor's id
    pub vendor_id: String,
    /// Product
    pub product: String,
    /// Seats or units, as the vendor gave it; absent while unknown
    pub quantity: Option<String>,
    /// What the client pays for one
    pub price: Option<Money>,
    /// What the MSP pays for one; only for those who may edit subscriptions
    pub cost: Option<Money>,
    /// Vendor's word for its state
    pub status: String,
    /// Vendor's word for the term of billing
    pub billing_term: Option<String>,
    /// Length of the commitment, in the vendor's words
    pub commitment_term: Option<String>,
    /// End of the commitment: until then less is refused
    pub commitment_ends_at: Option<DateTime<Utc>>,
    /// Start
    pub starts_at: Option<DateTime<Utc>>,
    /// End
    pub ends_at: Option<DateTime<Utc>>,
    /// Whether its quantity can be changed here
    pub editable: bool,
    /// When what is stored last changed
    pub changed_at: DateTime<Utc>,
}

/// A new quantity.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example)]
pub struct QuantityChange {
    /// Whole number of seats, at least 1
    pub quantity: u32,
}

/// Subscriptions of a client.
pub struct Subscriptions;

#[OpenApi(prefix_path = "/api/clients", tag = "Chapter::Clients")]
impl Subscriptions {
    /// A client's subscriptions
    #[oai(path = "/:client_id/subscriptions", method = "get", operation_id = "client_subscription_list")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn client_subscription_list(
        &self,
        app: AppData<'_>,
        caller: Caller,
        uri: &poem::http::Uri,
        client_id: Path<Uuid>,
        /// Part of the product
        search: Query<Option<String>>,
        /// Rows of a page, 1 to 100; 25 when left out
        limit: Query<Option<u64>>,
        /// Where the last page ended
        cursor: Query<Option<String>>,
    ) -> Result<Answer<RecordPage<Subscription>>, Failure> {
        let page = page_request(limit.0, cursor.0.as_deref())?;
        let context = caller.context()?;
        let tx = app.read_as(&context, Permission::SubscriptionsView).await?;
        let (sources, client) = sources(&tx, client_id.0).await?;
        let Listed { items, next, total } =
            tx.client_records(client, "subscription", search.0.as_deref(), &page).await?;
        let editable = context.permissions.allows(Permission::SubscriptionsEdit);
        let items = items.into_iter().map(|record| view(record, editable)).collect::<domain::Result<Vec<_>>>()?;
        Ok(record_page(&app, uri, &sources, "subscription", Listed { items, next, total }))
    }

    /// Change a subscription's quantity at the vendor
    ///
    /// It is sent once. When the vendor's answer does not come, the outcome is unknown: sync the connection
    /// before you try again.
    #[oai(
        path = "/:client_id/subscriptions/:subscription_id/quantity",
        method = "post",
        operation_id = "subscription_quantity_set"
    )]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn subscription_quantity_set(
        &self,
        app: AppData<'_>,
        caller: Caller,
        client_id: Path<Uuid>,
        subscription_id: Path<Uuid>,
        body: Json<QuantityChange>,
        /// Answer what would change, and send nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<Subscription>>, Failure> {
        let context = caller.context()?;
        app.permit(&context, Permission::SubscriptionsEdit, "subscription_quantity_set").await?;
        let (client, id) = (ClientId(client_id.0), RecordId(subscription_id.0));
        let to = Exact(body.0.quantity.into());
        let tx = app.read_as(&context, Permission::SubscriptionsEdit).await?;
        let before = view(tx.client_record(client, id, "subscription").await?, true)?;
        drop(tx);
        let apply = Apply { dry_run: dry_run.0.unwrap_or(false), expect: expect.0, reason: reason.0 };
        let idempotency = idempotency_key(key.0.as_deref())?.map(|key| Idempotency {
            caller: caller_name(&context),
            key,
            request: format!("subscription_quantity_set {client} {id} {} {:?}", body.0.quantity, apply.expect).into(),
        });
        // The vendor's own words for everything else come with the next sync; the answer is what was kept.
        let (dry_run, changed_at) = (apply.dry_run, context.now);
        let written = move |set: &domain::ChangeSet| Written {
            item: Some(Subscription { quantity: Some(to.0.to_string()), changed_at, ..before.clone() }),
            warnings: Vec::new(),
            change_set: ChangeSet::of(set.clone(), dry_run),
        };
        let render: sync::Render = {
            let written = written.clone();
            Arc::new(move |set| (200, written(set).to_json_string()))
        };
        let done = app
            .engine
            .subscription_quantity_set(&context, client, id, to, &apply, idempotency.as_ref(), &render)
            .await?;
        Ok(Answer::new(match done {
            QuantitySet::Changed(set) => written(&set),
            QuantitySet::Repeated { answer, .. } => {
                Written::parse_from_json_string(&answer).map_err(|why| domain::Error::internal(why.into_message()))?
            }
        }))
    }
}

/// A view of an amount.
pub(super) fn money(money: integration::Money) -> Money {
    Money { minor_units: money.minor_units(), amount: money.amount.0.to_string(), currency: money.currency }
}

fn view(record: Record, may_edit: bool) -> domain::Result<Subscription> {
    let body: integration::Subscription = body(&record)?;
    Ok(Subscription {
        id: record.id.0,
        connection_id: record.connection_id.0,
        vendor_id: record.vendor_id,
        product: body.product,
        quantity: body.quantity.map(|quantity| quantity.0.to_string()),
        price: body.price.map(money),
        cost: body.cost.filter(|_| may_edit).map(money),
        status: body.status,
        billing_term: body.billing_term,
        commitment_term: body.commitment_term,
        commitment_ends_at: body.commitment_ends_at,
        starts_at: body.starts_at,
        ends_at: body.ends_at,
        editable: may_edit,
        changed_at: record.changed_at,
    })
}
