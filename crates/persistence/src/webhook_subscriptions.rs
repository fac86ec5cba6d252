//! Addresses that are told of events, and the sealed secrets that sign what they are told.

use std::collections::BTreeSet;

use domain::{
    ClientId, Error, EventType, OLD_SECRET_LASTS, Result, Timestamp, WebhookSubscription, WebhookSubscriptionId,
};
use sea_orm::{ActiveModelTrait, ActiveValue, ColumnTrait, Condition, QueryFilter, QueryOrder, QuerySelect};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    Tx,
    entity::webhook_subscription as table,
    error::{OrDomain, known},
    journalled::Journalled,
    keys::Place,
};

impl Journalled for table::Entity {
    const KIND: &'static str = "webhook_subscription";
    const WHAT: &'static str = "webhook subscription";

    fn id(row: &table::Model) -> Uuid {
        row.id
    }
    fn id_column() -> table::Column {
        table::Column::Id
    }
    fn version_column() -> Option<table::Column> {
        Some(table::Column::Version)
    }
    fn version(row: &table::Model) -> i32 {
        row.version
    }
    fn client_of(_: &table::Model) -> Option<ClientId> {
        None
    }
    fn view(row: &table::Model) -> Result<Value> {
        let one = read(row.clone())?;
        // Of the secret only that it was made anew.
        Ok(json!({
            "id": one.id, "url": one.url, "description": one.description,
            "events": one.events.iter().map(|event| event.as_str()).collect::<Vec<_>>(), "clients": one.clients,
            "enabled": one.enabled, "disabled_reason": one.disabled_reason, "secret_version": one.secret_version,
            "version": one.version,
        }))
    }
    fn settle(row: &mut table::ActiveModel) {
        // Secrets are written by their own function alone; failures come and go with the tries.
        row.secret = ActiveValue::NotSet;
        row.old_secret = ActiveValue::NotSet;
        row.old_secret_until = ActiveValue::NotSet;
        row.failing_since = ActiveValue::NotSet;
    }
}

fn place(organisation: Uuid, id: Uuid) -> Place<'static> {
    Place { organisation, table: "webhook_subscription", row: id, column: "secret" }
}

pub(crate) fn read(row: table::Model) -> Result<WebhookSubscription> {
    let events: Vec<String> = serde_json::from_str(&row.events).map_err(Error::internal)?;
    let events = events.iter().map(|name| known(EventType::parse(name), "webhook_subscription.events"));
    let clients = row.clients.as_deref().map(serde_json::from_str).transpose().map_err(Error::internal)?;
    Ok(WebhookSubscription {
        id: row.id.into(),
        url: row.url,
        description: row.description,
        events: events.collect::<Result<BTreeSet<EventType>>>()?,
        clients,
        enabled: row.enabled,
        disabled_reason: row.disabled_reason,
        failing_since: row.failing_since,
        secret_version: row.secret_version,
        old_secret_until: row.old_secret_until,
        created_at: row.created_at,
        updated_at: row.updated_at,
        version: row.version,
    })
}

fn write(tx: &Tx, one: &WebhookSubscription, secret: Vec<u8>) -> Result<table::Model> {
    let events: Vec<&str> = one.events.iter().map(|event| event.as_str()).collect();
    let clients = one.clients.as_ref().map(serde_json::to_string).transpose().map_err(Error::internal)?;
    Ok(table::Model {
        organisation_id: tx.organisation().0,
        id: one.id.0,
        url: one.url.clone(),
        description: one.description.clone(),
        events: serde_json::to_string(&events).map_err(Error::internal)?,
        clients,
        enabled: one.enabled,
        disabled_reason: one.disabled_reason.clone(),
        failing_since: one.failing_since,
        secret,
        secret_version: one.secret_version,
        old_secret: None,
        old_secret_until: one.old_secret_until,
        created_at: one.created_at,
        updated_at: one.updated_at,
        version: one.version,
    })
}

/// The secrets that sign for a row at an instant, the newest first.
pub(crate) fn secrets(tx: &Tx, row: &table::Model) -> Result<Vec<String>> {
    let keys = tx.store().keys();
    let open = |sealed: &[u8]| {
        String::from_utf8(keys.open(&place(row.organisation_id, row.id), sealed)?).map_err(Error::internal)
    };
    let mut secrets = vec![open(&row.secret)?];
    if let (Some(sealed), true) = (&row.old_secret, row.old_secret_until.is_some_and(|until| until > tx.now())) {
        secrets.push(open(sealed)?);
    }
    Ok(secrets)
}

impl Tx {
    fn webhook_seal_text(&self, id: WebhookSubscriptionId, secret: &str) -> Result<Vec<u8>> {
        let (store, place) = (self.store(), place(self.organisation().0, id.0));
        store.keys().seal(&place, secret.as_bytes(), store.chance().as_ref())
    }

    /// Makes a subscription with its secret.
    pub async fn webhook_subscription_insert(&self, one: &WebhookSubscription, secret: &str) -> Result<()> {
        let sealed = self.webhook_seal_text(one.id, secret)?;
        self.insert_row::<table::Entity>(write(self, one, sealed)?).await
    }

    /// Changes a subscription that was read before; not its secret.
    pub async fn webhook_subscription_update(
        &self,
        before: &WebhookSubscription,
        after: WebhookSubscription,
    ) -> Result<WebhookSubscription> {
        let after = WebhookSubscription { version: before.version + 1, updated_at: self.now(), ..after };
        let rows = (write(self, before, Vec::new())?, write(self, &after, Vec::new())?);
        let written = self.update_row::<table::Entity>(&rows.0, rows.1).await?;
        Ok(if written { after } else { before.clone() })
    }

    /// Gives a subscription a new secret; the one before goes on signing for a while.
    pub async fn webhook_secret_rotate(
        &self,
        before: &WebhookSubscription,
        secret: &str,
    ) -> Result<WebhookSubscription> {
        let row = self.webhook_row(before.id).await?;
        let until = self.now() + OLD_SECRET_LASTS;
        let after = WebhookSubscription {
            secret_version: before.secret_version + 1,
            old_secret_until: Some(until),
            ..before.clone()
        };
        let after = self.webhook_subscription_update(before, after).await?;
        let sealed = self.webhook_seal_text(before.id, secret)?;
        let change = table::ActiveModel {
            secret: ActiveValue::Set(sealed),
            old_secret: ActiveValue::Set(Some(row.secret)),
            old_secret_until: ActiveValue::Set(Some(until)),
            ..ActiveModelTrait::default()
        };
        self.update_row_where::<table::Entity>(change, own(before.id)).await?;
        Ok(after)
    }

    /// Deletes a subscription with all that was on its way to it.
    pub async fn webhook_subscription_delete(&self, one: &WebhookSubscription) -> Result<()> {
        self.delete_row::<table::Entity>(&write(self, one, Vec::new())?).await?;
        self.webhook_deliveries_drop(one.id).await
    }

    /// A subscription. In a transaction that writes, its row is locked.
    pub async fn webhook_subscription(&self, id: WebhookSubscriptionId) -> Result<WebhookSubscription> {
        read(self.webhook_row(id).await?)
    }

    pub(crate) async fn webhook_row(&self, id: WebhookSubscriptionId) -> Result<table::Model> {
        let mut select = self.find::<table::Entity>().filter(own(id));
        if self.require_writable().is_ok() {
            select = select.lock_exclusive();
        }
        let row = select.one(self.db()).await.or_domain()?;
        row.ok_or(Error::NotFound { what: "webhook subscription" })
    }

    /// All subscriptions, the oldest first.
    pub async fn webhook_subscriptions(&self) -> Result<Vec<WebhookSubscription>> {
        let rows = self.find::<table::Entity>().order_by_asc(table::Column::Id).all(self.db()).await.or_domain()?;
        rows.into_iter().map(read).collect()
    }

    /// Those that are told of events.
    pub(crate) async fn webhook_subscriptions_enabled(&self) -> Result<Vec<WebhookSubscription>> {
        let select = self.find::<table::Entity>().filter(table::Column::Enabled.eq(true));
        let rows = select.order_by_asc(table::Column::Id).all(self.db()).await.or_domain()?;
        rows.into_iter().map(read).collect()
    }

    /// Notes since when an address takes nothing, or that it does again. Not journalled: it moves with the tries.
    pub async fn webhook_failing(&self, id: WebhookSubscriptionId, since: Option<Timestamp>) -> Result<()> {
        let row = table::ActiveModel { failing_since: ActiveValue::Set(since), ..ActiveModelTrait::default() };
        self.update_row_where::<table::Entity>(row, own(id)).await.map(drop)
    }

    /// Seals anew what was sealed by an old key, and forgets old secrets whose time is over; returns how many
    /// subscriptions that were.
    pub async fn webhook_secrets_reseal(&self) -> Result<usize> {
        let rows = self.find::<table::Entity>().lock_exclusive().all(self.db()).await.or_domain()?;
        let (keys, mut resealed) = (self.store().keys(), 0);
        for row in rows {
            let stale = |sealed: &Vec<u8>| !keys.is_current(sealed);
            if !stale(&row.secret) && !row.old_secret.as_ref().is_some_and(stale) {
                continue;
            }
            let id = WebhookSubscriptionId(row.id);
            let mut texts = secrets(self, &row)?.into_iter();
            let secret = texts.next().map(|text| self.webhook_seal_text(id, &text)).transpose()?;
            let change = table::ActiveModel {
                secret: secret.map_or(ActiveValue::NotSet, ActiveValue::Set),
                old_secret: ActiveValue::Set(texts.next().map(|text| self.webhook_seal_text(id, &text)).transpose()?),
                ..ActiveModelTrait::default()
            };
            self.update_row_where::<table::Entity>(change, own(id)).await?;
            resealed += 1;
        }
        Ok(resealed)
    }
}

fn own(id: WebhookSubscriptionId) -> Condition {
    Condition::all().add(table::Column::Id.eq(id.0))
}
