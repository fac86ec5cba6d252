//! Connections shared with clients: a reference, never a copy, and never the credentials.

use chrono::{DateTime, Utc};
use domain::{ClientId, ConnectionId, ConnectionShare, Permission};
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{Chapter, connections::ConnectionState};
use crate::{
    app::{App, AppData},
    auth::Caller,
    changes::Written,
    page::Answer,
    problem::Failure,
    write::{Asked, Begun},
};

/// With whom a connection is shared.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct Share {
    /// Connection
    pub connection_id: Uuid,
    /// Client
    pub client_id: Uuid,
    /// Since when
    pub created_at: DateTime<Utc>,
    /// Who shared it
    pub created_by: Option<Uuid>,
}

/// Every client that a connection is shared with.
#[derive(Debug, Clone, Object)]
pub struct Shares {
    /// The first first
    pub items: Vec<Share>,
}

/// Whom to share with.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example)]
pub struct ShareCreate {
    /// Client
    pub client_id: Uuid,
}

/// A connection as a client sees it: how it is, and nothing of its credentials.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct SharedConnection {
    /// Connection
    pub connection_id: Uuid,
    /// Integration
    pub integration: String,
    /// Name
    pub name: String,
    pub state: ConnectionState,
    /// When a sync of all it lists last ended well
    pub last_synced_at: Option<DateTime<Utc>>,
    /// Since when it is shared
    pub shared_at: DateTime<Utc>,
}

/// Every connection that is shared with a client.
#[derive(Debug, Clone, Object)]
pub struct SharedConnections {
    /// The first first
    pub items: Vec<SharedConnection>,
}

/// Sharing.
pub struct Sharing;

#[OpenApi(prefix_path = "/api", tag = "Chapter::Connections")]
impl Sharing {
    /// With whom a connection is shared
    #[oai(path = "/connections/:connection_id/shares", method = "get", operation_id = "connection_share_list")]
    async fn connection_share_list(
        &self,
        app: AppData<'_>,
        caller: Caller,
        connection_id: Path<Uuid>,
    ) -> Result<Answer<Shares>, Failure> {
        let context = caller.context()?;
        let tx = app.read_as(&context, Permission::ConnectionsView).await?;
        let connection = tx.connection(ConnectionId(connection_id.0)).await?;
        app.permit_vendor(&context, Permission::ConnectionsView, &connection.integration)?;
        let items = tx.shares_of_connection(connection.id).await?.into_iter().map(share).collect();
        Ok(Answer::new(Shares { items }))
    }

    /// Share a connection with a client
    ///
    /// Its people see how it is and when it was last synced, and use what it tells of them. The credentials stay
    /// here. Sharing it again changes nothing.
    #[oai(path = "/connections/:connection_id/shares", method = "post", operation_id = "connection_share_create")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn connection_share_create(
        &self,
        app: AppData<'_>,
        caller: Caller,
        connection_id: Path<Uuid>,
        body: Json<ShareCreate>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<Share>>, Failure> {
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let pair = (ConnectionId(connection_id.0), ClientId(body.0.client_id));
        let write = match begin(&app, caller, pair, "connection_share_create", asked).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let made = sync::connection_share(&write.tx, app.entries, pair.0, pair.1).await?;
        Ok(Answer::new(write.finish(Some(share(made)), Vec::new()).await?))
    }

    /// Take a connection back from a client
    #[oai(
        path = "/connections/:connection_id/shares/:client_id",
        method = "delete",
        operation_id = "connection_share_delete"
    )]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn connection_share_delete(
        &self,
        app: AppData<'_>,
        caller: Caller,
        connection_id: Path<Uuid>,
        client_id: Path<Uuid>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<Share>>, Failure> {
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let pair = (ConnectionId(connection_id.0), ClientId(client_id.0));
        let write = match begin(&app, caller, pair, "connection_share_delete", asked).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let gone = sync::connection_unshare(&write.tx, app.entries, pair.0, pair.1).await?;
        Ok(Answer::new(write.finish(Some(share(gone)), Vec::new()).await?))
    }

    /// What is shared with a client
    #[oai(path = "/clients/:client_id/connections", method = "get", operation_id = "client_connection_list")]
    async fn client_connection_list(
        &self,
        app: AppData<'_>,
        caller: Caller,
        client_id: Path<Uuid>,
    ) -> Result<Answer<SharedConnections>, Failure> {
        let context = caller.context()?;
        let tx = app.read_as(&context, Permission::ConnectionsView).await?;
        let client = tx.client(ClientId(client_id.0)).await?.id;
        let mut items = Vec::new();
        for share in tx.shares_of_client(client).await? {
            let connection = tx.connection(share.connection_id).await?;
            if app.permit_vendor(&context, Permission::ConnectionsView, &connection.integration).is_err() {
                continue;
            }
            items.push(SharedConnection {
                connection_id: connection.id.0,
                integration: connection.integration,
                name: connection.name,
                state: connection.state.into(),
                last_synced_at: connection.last_synced_at,
                shared_at: share.created_at,
            });
        }
        Ok(Answer::new(SharedConnections { items }))
    }
}

async fn begin(
    app: &App,
    caller: Caller,
    (connection, client): (ConnectionId, ClientId),
    action: &'static str,
    asked: Asked,
) -> domain::Result<Begun<Share>> {
    let context = caller.context()?;
    let found = app.read_as(&context, Permission::ConnectionsView).await?.connection(connection).await?;
    app.permit_for(&context, Permission::ConnectionsShare, action, &found.integration).await?;
    app.begin(&context, Permission::ConnectionsShare, action, asked, &(connection, client)).await
}

fn share(share: ConnectionShare) -> Share {
    Share {
        connection_id: share.connection_id.0,
        client_id: share.client_id.0,
        created_at: share.created_at,
        created_by: share.created_by.map(|staff| staff.0),
    }
}
