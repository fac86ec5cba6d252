//! Microsoft 365 tenants: how healthy one is, and what people say of it.

use serde::{Deserialize, Serialize};

use crate::{ClientId, ConnectionId, TenantSettingId, Timestamp};

/// Kind of entity that is a Microsoft 365 tenant, whichever vendor lists it.
pub const TENANT: &str = "microsoft_tenant";

/// Secure score, in percent, below which a tenant is critical.
pub const CRITICAL_SCORE: f64 = 30.0;
/// Secure score, in percent, below which a person should look at a tenant.
pub const WARNING_SCORE: f64 = 50.0;

/// How a tenant is, or all tenants of a customer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Health {
    /// Nothing wrong is known, and not all is known: stale, never listed, or nothing to ask.
    #[default]
    Unknown,
    /// All is known, and nothing is wrong.
    Healthy,
    /// A person should look.
    Warning,
    /// A person must look.
    Critical,
}

impl Health {
    /// The health of several together. What is known to be wrong is not hidden by what is not known, and nothing is
    /// healthy while a part is unknown. None at all is unknown.
    pub fn worst(all: impl IntoIterator<Item = Self>) -> Self {
        let weight = |health: &Self| match health {
            Self::Healthy => 0,
            Self::Unknown => 1,
            Self::Warning => 2,
            Self::Critical => 3,
        };
        all.into_iter().max_by_key(weight).unwrap_or_default()
    }
}

/// Seats of one product, as far as health goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seats {
    /// Product in people's words.
    pub name: String,
    /// Seats owned.
    pub total: Option<i64>,
    /// Seats in use.
    pub used: Option<i64>,
    /// The vendor's own word for its state.
    pub status: Option<String>,
    /// Free and practically without limit.
    pub unlimited: bool,
}

/// What is known of a tenant now: `None` is what is not, or is too old.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TenantFacts {
    /// Secure score in percent of what is possible.
    pub score: Option<f64>,
    /// Its licences.
    pub seats: Option<Vec<Seats>>,
}

impl TenantFacts {
    /// How the tenant is, and why.
    ///
    /// Critical: a secure score below 30 percent, or a product in use whose subscription the vendor calls suspended,
    /// locked out or deleted. Warning: a secure score below 50 percent, a product in use whose subscription is in its
    /// grace period ("warning"), or more seats in use than are owned. Healthy: both figures are known now and nothing
    /// of that is so. Unknown: the rest.
    pub fn health(&self) -> (Health, Vec<String>) {
        let mut found = Vec::new();
        if let Some(score) = self.score.filter(|score| *score < WARNING_SCORE) {
            let health = if score < CRITICAL_SCORE { Health::Critical } else { Health::Warning };
            found.push((health, format!("Secure score of {score:.0} percent")));
        }
        found.extend(self.seats.iter().flatten().filter_map(Seats::trouble));
        found.sort_by_key(|(health, _)| std::cmp::Reverse(*health));
        let known = self.score.is_some() && self.seats.is_some();
        let base = if known { Health::Healthy } else { Health::Unknown };
        let health = found.first().map_or(base, |(health, _)| *health);
        (health, found.into_iter().map(|(_, reason)| reason).collect())
    }
}

impl Seats {
    fn trouble(&self) -> Option<(Health, String)> {
        let used = self.used.filter(|used| *used > 0)?;
        let status = self.status.as_deref().unwrap_or_default().to_ascii_lowercase();
        if ["suspended", "lockedout", "deleted"].contains(&status.as_str()) {
            return Some((Health::Critical, format!("{} is in use and {status}", self.name)));
        }
        if status == "warning" {
            return Some((Health::Warning, format!("{} is in its grace period", self.name)));
        }
        let total = self.total.filter(|_| !self.unlimited)?;
        (used > total).then(|| (Health::Warning, format!("{}: {used} seats in use of {total}", self.name)))
    }
}

/// What people say of a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantSetting {
    /// Id.
    pub id: TenantSettingId,
    /// Microsoft's id of the tenant, lower case: it is one tenant, whichever connection lists it.
    pub tenant: String,
    /// Client that had it when this was said.
    pub client_id: Option<ClientId>,
    /// Name in place of the vendor's.
    pub display_name: Option<String>,
    /// Tags, sorted.
    pub tags: Vec<String>,
    /// Since when nothing is asked about it any more.
    // Entries of the journal from before tenants could be disconnected lack both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disconnected_at: Option<Timestamp>,
    /// The connection that the tenant's own administrator let in: there it stays although no listing has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admitted_by: Option<ConnectionId>,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Goes up by one with each change.
    pub version: i32,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn seats(used: i64, total: i64, status: &str) -> Seats {
        Seats {
            name: "E3".into(),
            total: Some(total),
            used: Some(used),
            status: Some(status.into()),
            ..Seats::default()
        }
    }

    fn of(score: Option<f64>, all: Option<Vec<Seats>>) -> Health {
        TenantFacts { score, seats: all }.health().0
    }

    #[test]
    fn what_is_wrong_makes_the_health_and_what_is_unknown_is_not_healthy() {
        let fine = || Some(vec![seats(5, 5, "Enabled")]);
        for (expected, score, all) in [
            (Health::Healthy, Some(50.0), fine()),
            (Health::Healthy, Some(80.0), Some(Vec::new())),
            (Health::Warning, Some(49.9), fine()),
            (Health::Warning, Some(30.0), fine()),
            (Health::Critical, Some(29.9), fine()),
            (Health::Warning, Some(80.0), Some(vec![seats(6, 5, "Enabled")])),
            (Health::Warning, Some(80.0), Some(vec![seats(1, 5, "Warning")])),
            (Health::Critical, Some(80.0), Some(vec![seats(6, 5, "Enabled"), seats(1, 5, "Suspended")])),
            (Health::Healthy, Some(80.0), Some(vec![seats(0, 0, "Suspended")])),
            (Health::Unknown, None, fine()),
            (Health::Unknown, Some(80.0), None),
            (Health::Critical, None, Some(vec![seats(1, 1, "LockedOut")])),
            (Health::Critical, Some(10.0), None),
        ] {
            assert_eq!(of(score, all.clone()), expected, "{score:?} {all:?}");
        }
        let free = Seats { unlimited: true, ..seats(10, 5, "Enabled") };
        assert_eq!(of(Some(90.0), Some(vec![free])), Health::Healthy);
        let (_, reasons) = TenantFacts { score: Some(40.0), seats: Some(vec![seats(1, 1, "deleted")]) }.health();
        assert_eq!(reasons, ["E3 is in use and deleted", "Secure score of 40 percent"]);
    }

    fn health() -> impl Strategy<Value = Health> {
        prop_oneof![Just(Health::Unknown), Just(Health::Healthy), Just(Health::Warning), Just(Health::Critical)]
    }

    proptest! {
        #[test]
        fn together_nothing_wrong_is_hidden_and_nothing_unknown_is_healthy(all in proptest::collection::vec(health(), 0..6)) {
            let worst = Health::worst(all.iter().copied());
            prop_assert_eq!(worst == Health::Critical, all.contains(&Health::Critical));
            let healthy = !all.is_empty() && all.iter().all(|one| *one == Health::Healthy);
            prop_assert_eq!(worst == Health::Healthy, healthy);
            if worst == Health::Unknown {
                prop_assert!(!all.contains(&Health::Warning) && !all.contains(&Health::Critical));
            }
        }

        #[test]
        fn a_tenant_of_which_nothing_is_known_is_never_healthy(used in 0i64..9, total in 0i64..9) {
            prop_assert_ne!(of(None, Some(vec![seats(used, total, "Enabled")])), Health::Healthy);
        }
    }
}
