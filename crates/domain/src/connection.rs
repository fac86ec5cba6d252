//! One account at a vendor.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::{ClientId, ConnectionId, ConnectionShareId, StaffId, Timestamp};

/// How a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionState {
    /// Saved, credentials not yet tried.
    Draft,
    /// Works.
    Connected,
    /// Works in part: the last sync had errors.
    Degraded,
    /// The vendor no longer takes the credentials: a person must reconnect.
    ReauthRequired,
    /// Left alone for a while by a person: nothing is asked of the vendor until it is resumed.
    Paused,
    /// Switched off by a person. Mappings and records are kept and shown as stale.
    Disconnected,
}

impl ConnectionState {
    /// All states.
    pub const ALL: [Self; 6] =
        [Self::Draft, Self::Connected, Self::Degraded, Self::ReauthRequired, Self::Paused, Self::Disconnected];

    /// The name in the API and in columns.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Connected => "connected",
            Self::Degraded => "degraded",
            Self::ReauthRequired => "reauth_required",
            Self::Paused => "paused",
            Self::Disconnected => "disconnected",
        }
    }

    /// The state of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// Whether it is synced by schedule and by hand.
    pub fn syncs(self) -> bool {
        matches!(self, Self::Connected | Self::Degraded)
    }

    /// Whether what was said at this instant is older than twice the cadence, or the connection does not work.
    pub fn is_stale(self, cadence_minutes: i32, synced_at: Option<Timestamp>, now: Timestamp) -> bool {
        // A paused one is not wrong: what it said is as good as it is old.
        let working = self.syncs() || self == Self::Paused;
        let old = TimeDelta::minutes(2 * i64::from(cadence_minutes));
        !working || synced_at.is_none_or(|at| now - at > old)
    }
}

/// A connection as it is stored. Its credentials are sealed apart from it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Connection {
    /// Id.
    pub id: ConnectionId,
    /// Which vendor: the integration's id in the catalogue.
    pub integration: String,
    /// Name given by the staff.
    pub name: String,
    /// How it is.
    pub state: ConnectionState,
    /// Why it is so, where a person must act.
    pub state_reason: Option<String>,
    /// Account at the vendor, as the last test found.
    pub account: Option<String>,
    /// Goes up when credentials are saved; they themselves never show.
    pub credentials_version: i32,
    /// Minutes between two syncs by schedule.
    pub cadence_minutes: i32,
    /// When the schedule syncs it next.
    #[serde(skip)]
    pub next_sync_at: Option<Timestamp>,
    /// When a sync of all its kinds last ended well.
    #[serde(skip)]
    pub last_synced_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Goes up by one with each change.
    pub version: i32,
}

impl Connection {
    /// Whether what it said at this instant is older than twice its cadence, or it does not work.
    pub fn is_stale(&self, synced_at: Option<Timestamp>, now: Timestamp) -> bool {
        self.state.is_stale(self.cadence_minutes, synced_at, now)
    }
}

/// A connection that a client may use: a reference, never a copy. The client's people see how it is and what it
/// says of them; the credentials stay with the MSP.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConnectionShare {
    /// Id.
    pub id: ConnectionShareId,
    /// Which connection.
    pub connection_id: ConnectionId,
    /// With whom.
    pub client_id: ClientId,
    /// Since when.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: Option<StaffId>,
}
