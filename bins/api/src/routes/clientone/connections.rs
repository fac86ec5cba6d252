//! What of the provider's own connections is shared with a company: how it is, and nothing that opens it.

use chrono::{DateTime, Utc};
use domain::PortalPermission;
use poem_openapi::{Object, OpenApi};
use uuid::Uuid;

use super::PortalChapter;
use crate::{page::Answer, portal_auth::PortalCaller, problem::Failure, routes::connections::ConnectionState};

/// A connection of the provider's that is shared with one's company.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct CompanyConnection {
    /// Connection
    pub id: Uuid,
    /// Integration
    pub integration: String,
    /// Name that the provider gave it
    pub name: String,
    pub state: ConnectionState,
    /// When a sync of all it lists last ended well
    pub last_synced_at: Option<DateTime<Utc>>,
    /// Since when it is shared
    pub shared_at: DateTime<Utc>,
}

/// Every connection that is shared with one's company.
#[derive(Debug, Clone, Object)]
pub struct CompanyConnections {
    /// The first first
    pub items: Vec<CompanyConnection>,
}

/// Shared connections.
pub struct SharedWithCompany;

#[OpenApi(prefix_path = "/api/clientone/connections", tag = "PortalChapter::Connections")]
impl SharedWithCompany {
    /// The provider's connections that are shared with one's company
    ///
    /// How each is and when it was last synced. The credentials stay with the provider, and only the provider changes,
    /// shares or unshares it.
    #[oai(path = "/", method = "get", operation_id = "company_connection_list")]
    async fn company_connection_list(&self, caller: PortalCaller) -> Result<Answer<CompanyConnections>, Failure> {
        let (tx, visit) = caller.visit()?;
        tx.context().require_portal(PortalPermission::ConnectionsView, &visit.config.settings)?;
        let mut items = Vec::new();
        for share in tx.shares_of_client(visit.user.client_id).await? {
            let connection = tx.connection(share.connection_id).await?;
            items.push(CompanyConnection {
                id: connection.id.0,
                integration: connection.integration,
                name: connection.name,
                state: connection.state.into(),
                last_synced_at: connection.last_synced_at,
                shared_at: share.created_at,
            });
        }
        Ok(Answer::new(CompanyConnections { items }))
    }
}
