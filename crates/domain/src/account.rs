//! Whoever signs in: what second factors, recovery codes and pending sign-ins belong to.

use uuid::Uuid;

use crate::{PortalUserId, StaffId};

/// Of which kind an account is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AccountKind {
    /// Someone of the MSP.
    Staff,
    /// Someone of a client, who signs in to ClientOne.
    Portal,
}

impl AccountKind {
    /// The name in columns and in the journal.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Staff => "staff",
            Self::Portal => "portal",
        }
    }

    /// The kind of this name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Staff, Self::Portal].into_iter().find(|kind| kind.as_str() == name)
    }
}

/// An account within an organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Account {
    /// Of which kind.
    pub kind: AccountKind,
    /// Its id among those of its kind.
    pub id: Uuid,
}

impl From<StaffId> for Account {
    fn from(id: StaffId) -> Self {
        Self { kind: AccountKind::Staff, id: id.0 }
    }
}

impl From<PortalUserId> for Account {
    fn from(id: PortalUserId) -> Self {
        Self { kind: AccountKind::Portal, id: id.0 }
    }
}
