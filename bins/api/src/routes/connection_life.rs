//! A connection's life besides connecting: leaving it alone for a while, and hearing its vendor's webhooks.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::ConnectionId;
use poem::Request;
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{
    Chapter,
    connections::{Connection, manage, view},
    consent::origin,
};
use crate::{
    app::AppData,
    auth::Caller,
    changes::Written,
    page::Answer,
    problem::Failure,
    write::{Asked, Begun},
};

/// How a vendor's webhooks are to be secured.
#[derive(Clone, Object)]
#[oai(deny_unknown_fields, skip_serializing_if_is_none)]
pub struct WebhookCreate {
    /// The secret that the vendor made, 16 to 500 characters; one is made here when left out
    pub secret: Option<String>,
}

/// What to enter at the vendor.
#[derive(Debug, Clone, Object)]
pub struct Webhook {
    /// Address to which the vendor sends its webhooks; some carry the secret in it
    pub url: String,
    /// The secret: it is not shown again
    pub secret: String,
}

/// A connection's life.
pub struct ConnectionLife;

#[OpenApi(prefix_path = "/api/connections", tag = "Chapter::Connections")]
impl ConnectionLife {
    /// Leave a connection alone for a while: nothing is asked of its vendor until `connection_reconnect`
    ///
    /// Mappings and data are kept, and grow old.
    #[oai(path = "/:connection_id/pause", method = "post", operation_id = "connection_pause")]
    async fn connection_pause(
        &self,
        app: AppData<'_>,
        caller: Caller,
        connection_id: Path<Uuid>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<Connection>>, Failure> {
        let asked = Asked { reason: reason.0, key: key.0, ..Asked::default() };
        let write = match manage(&app, caller, connection_id.0, "connection_pause", asked).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let saved = sync::connection_pause(&write.tx, app.entries, ConnectionId(connection_id.0)).await?;
        Ok(Answer::new(write.finish(Some(view(saved, false)), Vec::new()).await?))
    }

    /// Hear a vendor's webhooks: the address and the secret to enter there
    ///
    /// A delivery that the vendor has proven to be its own starts a read of what it names; nothing in it is believed.
    /// The secret is shown once, so this takes no idempotency key: ask again, and the one before is void.
    #[oai(path = "/:connection_id/webhook", method = "post", operation_id = "connection_webhook_create")]
    async fn connection_webhook_create(
        &self,
        app: AppData<'_>,
        caller: Caller,
        request: &Request,
        connection_id: Path<Uuid>,
        body: Json<WebhookCreate>,
        /// Why, for the journal
        reason: Query<Option<String>>,
    ) -> Result<Answer<Webhook>, Failure> {
        let origin = origin(&app, request)?;
        let asked = Asked { reason: reason.0, ..Asked::default() };
        let write = match manage(&app, caller, connection_id.0, "connection_webhook_create", asked).await? {
            Begun::Done(_) => return Err(domain::Error::internal("a write without a key was repeated").into()),
            Begun::New(write) => write,
        };
        let id = ConnectionId(connection_id.0);
        let organisation = write.tx.organisation();
        let chance = app.store.chance();
        let made = || {
            let mut bytes = [0; 32];
            chance.fill(&mut bytes);
            URL_SAFE_NO_PAD.encode(bytes)
        };
        let (connection, secret) = sync::webhook_set(&write.tx, app.entries, id, body.0.secret, made).await?;
        let ours = format!("{origin}/webhooks/{organisation}/{id}");
        let url = app.engine.webhook_address(&write.tx, &connection, &ours, &secret).await?;
        write.finish(Some(view(connection, false)), Vec::new()).await?;
        Ok(Answer::new(Webhook { url, secret }))
    }

    /// Hear no more webhooks for a connection
    #[oai(path = "/:connection_id/webhook", method = "delete", operation_id = "connection_webhook_delete")]
    async fn connection_webhook_delete(
        &self,
        app: AppData<'_>,
        caller: Caller,
        connection_id: Path<Uuid>,
        /// Why, for the journal
        reason: Query<Option<String>>,
    ) -> Result<Answer<Written<Connection>>, Failure> {
        let asked = Asked { reason: reason.0, ..Asked::default() };
        let write = match manage(&app, caller, connection_id.0, "connection_webhook_delete", asked).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let saved = sync::webhook_unset(&write.tx, app.entries, ConnectionId(connection_id.0)).await?;
        Ok(Answer::new(write.finish(Some(view(saved, false)), Vec::new()).await?))
    }
}
