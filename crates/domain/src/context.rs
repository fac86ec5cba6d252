//! Who does something, where, with which rights.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    ApiKeyId, ApprovalId, ClientId, ClientScope, Error, OrganisationId, Permission, Permissions, PortalPermission,
    PortalSettings, PortalUserId, Reach, Result, ServiceAccountId, StaffId, Timestamp,
};

/// Who acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Actor {
    /// A signed-in staff user.
    Staff {
        /// Who.
        id: StaffId,
    },
    /// A machine with an API key of a staff user.
    ApiKey {
        /// Which key.
        id: ApiKeyId,
        /// Whose key.
        owner: StaffId,
    },
    /// A portal user who is signed in to ClientOne.
    PortalUser {
        /// Who.
        id: PortalUserId,
    },
    /// A machine that acts for the organisation by itself.
    ServiceAccount {
        /// Which.
        id: ServiceAccountId,
    },
    /// A worker that runs jobs.
    Worker,
    /// An operator at the command line.
    Operator,
}

impl Actor {
    /// "staff", "api_key", "portal_user", "service_account", "worker" or "operator".
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Staff { .. } => "staff",
            Self::ApiKey { .. } => "api_key",
            Self::PortalUser { .. } => "portal_user",
            Self::ServiceAccount { .. } => "service_account",
            Self::Worker => "worker",
            Self::Operator => "operator",
        }
    }

    /// The staff user behind it.
    pub fn staff(&self) -> Option<StaffId> {
        match self {
            Self::Staff { id } | Self::ApiKey { owner: id, .. } => Some(*id),
            Self::PortalUser { .. } | Self::ServiceAccount { .. } | Self::Worker | Self::Operator => None,
        }
    }

    /// The portal user behind it.
    pub fn portal_user(&self) -> Option<PortalUserId> {
        match self {
            Self::PortalUser { id } => Some(*id),
            Self::Staff { .. } | Self::ApiKey { .. } | Self::ServiceAccount { .. } | Self::Worker | Self::Operator => {
                None
            }
        }
    }

    /// The id of who acts: of the key, where it is one.
    pub fn id(&self) -> Option<Uuid> {
        match self {
            Self::Staff { id } => Some(id.0),
            Self::ApiKey { id, .. } => Some(id.0),
            Self::PortalUser { id } => Some(id.0),
            Self::ServiceAccount { id } => Some(id.0),
            Self::Worker | Self::Operator => None,
        }
    }
}

/// That what is done was asked for by the actor and approved by somebody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Approved {
    /// Which approval.
    pub id: ApprovalId,
    /// By whom.
    pub by: StaffId,
}

/// Everything a transaction must know about its caller. Built by an extractor, never by a handler.
#[derive(Clone, Debug)]
pub struct Context {
    /// For which organisation.
    pub organisation: OrganisationId,
    /// Who acts.
    pub actor: Actor,
    /// Within which clients.
    pub scope: ClientScope,
    /// With which rights.
    pub permissions: Permissions,
    /// For which customer, if the actor acts for one.
    pub acted_for: Option<ClientId>,
    /// At which instant.
    pub now: Timestamp,
    /// Under which request or run id.
    pub request_id: String,
    /// From which address.
    pub source_address: Option<String>,
    /// Under which approval, where the actor needs one.
    pub approved: Option<Approved>,
}

impl Context {
    /// The context of the worker: everything in one organisation.
    pub fn worker(organisation: OrganisationId, now: Timestamp, request_id: impl Into<String>) -> Self {
        Self::internal(organisation, Actor::Worker, now, request_id.into())
    }

    /// The context of an operator's subcommand: everything in one organisation.
    pub fn operator(organisation: OrganisationId, now: Timestamp) -> Self {
        Self::internal(organisation, Actor::Operator, now, "command-line".to_owned())
    }

    fn internal(organisation: OrganisationId, actor: Actor, now: Timestamp, request_id: String) -> Self {
        Self {
            organisation,
            actor,
            scope: ClientScope::All,
            permissions: Permissions::everything(),
            acted_for: None,
            now,
            request_id,
            source_address: None,
            approved: None,
        }
    }

    /// Refuses unless the caller has this right. What touches the whole organisation is refused to
    /// callers who see only some of its clients.
    pub fn require(&self, permission: Permission) -> Result<()> {
        let reaches = self.scope.is_all() || !permission.is_organisation_wide();
        if reaches && self.permissions.allows(permission) { Ok(()) } else { Err(Error::Forbidden { permission }) }
    }

    /// How far a portal user has this right where these settings hold; refused to everyone else.
    pub fn require_portal(&self, permission: PortalPermission, settings: &PortalSettings) -> Result<Reach> {
        match self.permissions.portal_role() {
            Some(role) => permission.reach(role, settings),
            None => Err(Error::PortalForbidden { permission }),
        }
    }
}
