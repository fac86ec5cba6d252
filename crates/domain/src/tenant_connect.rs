//! Connecting a tenant, step by step: choose the customer and the tenant, have its administrator consent, and the first
//! sync begins.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::{ClientId, ConnectionId, Error, Result, StaffId, TenantConnectId, Timestamp};

/// How long the connecting of a tenant may take, and a link for its administrator works.
pub const TENANT_CONNECT_LASTS: TimeDelta = TimeDelta::days(7);

/// What has become of the connecting of a tenant, as far as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TenantConnectState {
    /// Its administrator has not consented yet.
    Waiting,
    /// It is connected.
    Connected,
    /// Somebody gave it up.
    Cancelled,
}

/// What can be done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TenantConnectAct {
    /// A link for the administrator is made; the one before no longer works.
    Link,
    /// The administrator came back without having consented, or the tenant cannot be read yet.
    Fail,
    /// It was seen that the tenant can be read.
    Connect,
    /// It is given up.
    Cancel,
}

impl TenantConnectState {
    /// All states.
    pub const ALL: [Self; 3] = [Self::Waiting, Self::Connected, Self::Cancelled];

    /// The name in columns.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Connected => "connected",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// The state after an act; `None` where it is too late for that.
    pub fn after(self, act: TenantConnectAct) -> Option<Self> {
        match (self, act) {
            (Self::Waiting, TenantConnectAct::Link | TenantConnectAct::Fail) => Some(Self::Waiting),
            (Self::Waiting, TenantConnectAct::Connect) => Some(Self::Connected),
            (Self::Waiting, TenantConnectAct::Cancel) => Some(Self::Cancelled),
            (Self::Connected | Self::Cancelled, _) => None,
        }
    }
}

/// The connecting of one tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantConnect {
    /// Id.
    pub id: TenantConnectId,
    /// The customer that is to have the tenant.
    pub client_id: ClientId,
    /// The connection that is to be let in.
    pub connection_id: ConnectionId,
    /// Microsoft's id of the tenant, lower case.
    pub tenant: String,
    /// The domain that it was found by.
    pub domain: Option<String>,
    /// What has become of it.
    pub state: TenantConnectState,
    /// Why it did not go on the last time.
    pub state_reason: Option<String>,
    /// How many links were made.
    pub links: i32,
    /// Who began it.
    pub begun_by: Option<StaffId>,
    /// Begun.
    pub created_at: Timestamp,
    /// Until when it can be gone on with.
    pub expires_at: Timestamp,
    /// When it was connected.
    pub connected_at: Option<Timestamp>,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Goes up by one with each change.
    pub version: i32,
}

impl TenantConnect {
    /// Whether it can still be gone on with.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.state == TenantConnectState::Waiting && now < self.expires_at
    }

    /// The same after an act; refused where it is too late for that.
    pub fn acted(&self, act: TenantConnectAct, reason: Option<String>, now: Timestamp) -> Result<Self> {
        let refused = |code, message: &str| Err(Error::conflict(code, message));
        let Some(state) = self.state.after(act) else {
            return match self.state {
                TenantConnectState::Connected => refused("tenant_connected", "This tenant is connected already."),
                _ => refused("connect_cancelled", "This was given up: begin anew."),
            };
        };
        if now >= self.expires_at {
            return refused("connect_ended", "This took longer than seven days: begin anew.");
        }
        let connected_at = (state == TenantConnectState::Connected).then_some(now);
        let links = self.links.saturating_add(i32::from(act == TenantConnectAct::Link));
        Ok(Self { state, state_reason: reason, links, connected_at, ..self.clone() })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_timestamp(seconds, 0).expect("valid")
    }

    fn begun() -> TenantConnect {
        TenantConnect {
            id: TenantConnectId(Uuid::nil()),
            client_id: ClientId(Uuid::nil()),
            connection_id: ConnectionId(Uuid::nil()),
            tenant: "t".into(),
            domain: None,
            state: TenantConnectState::Waiting,
            state_reason: None,
            links: 0,
            begun_by: None,
            created_at: at(0),
            expires_at: at(0) + TENANT_CONNECT_LASTS,
            connected_at: None,
            updated_at: at(0),
            version: 1,
        }
    }

    fn act() -> impl Strategy<Value = TenantConnectAct> {
        use TenantConnectAct::{Cancel, Connect, Fail, Link};
        prop_oneof![Just(Link), Just(Fail), Just(Connect), Just(Cancel)]
    }

    #[test]
    fn names_and_states_are_one_to_one() {
        for state in TenantConnectState::ALL {
            assert_eq!(TenantConnectState::parse(state.as_str()), Some(state));
        }
        assert_eq!(TenantConnectState::parse("ended"), None, "that follows from the time and is not stored");
    }

    proptest! {
        /// Whatever is done, and whenever: nothing leads out of an end, nothing happens after the seven days, and it is
        /// connected exactly if it was seen to be so in time.
        #[test]
        fn an_end_is_an_end(acts in proptest::collection::vec((act(), 0i64..200_000), 0..12)) {
            let (mut one, mut now, mut connected, mut links) = (begun(), 0, false, 0);
            for (act, later) in acts {
                now += later;
                let open = one.is_open(at(now));
                match one.acted(act, Some("why".into()), at(now)) {
                    Ok(next) => {
                        prop_assert!(open, "{act:?} at {now} of {one:?}");
                        connected |= act == TenantConnectAct::Connect;
                        links += i32::from(act == TenantConnectAct::Link);
                        prop_assert_eq!(next.links, links);
                        one = next;
                    }
                    Err(error) => {
                        prop_assert!(!open);
                        prop_assert!(matches!(error, Error::Conflict { .. }), "{}", error);
                    }
                }
                prop_assert_eq!(one.state == TenantConnectState::Connected, connected);
                prop_assert_eq!(one.connected_at.is_some(), connected);
            }
        }
    }
}
