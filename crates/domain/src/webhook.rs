//! Who is told of events, and how long it is tried: rules only.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{ClientId, EventType, Timestamp, WebhookDeliveryId, WebhookSubscriptionId};

/// An address that is told of events. Its secret is not in here.
#[derive(Clone, Debug, PartialEq)]
pub struct WebhookSubscription {
    /// Id.
    pub id: WebhookSubscriptionId,
    /// Where events are sent.
    pub url: String,
    /// What it is for, in people's words.
    pub description: String,
    /// Which events; none named means all of them, those to come included.
    pub events: BTreeSet<EventType>,
    /// Of which clients; none means all, and also what is about no single client.
    pub clients: Option<BTreeSet<ClientId>>,
    /// Whether it is told anything.
    pub enabled: bool,
    /// Why the product itself switched it off.
    pub disabled_reason: Option<String>,
    /// Since when nothing was taken.
    pub failing_since: Option<Timestamp>,
    /// Goes up with each new secret.
    pub secret_version: i32,
    /// Until when the secret before this one signs too.
    pub old_secret_until: Option<Timestamp>,
    /// Made.
    pub created_at: Timestamp,
    /// Changed.
    pub updated_at: Timestamp,
    /// Goes up by one with each change.
    pub version: i32,
}

impl WebhookSubscription {
    /// Whether it is to be told of an event about this client. A ping goes where it was asked for, never by this.
    pub fn wants(&self, event: EventType, client: Option<ClientId>) -> bool {
        let named = self.events.is_empty() || self.events.contains(&event);
        let within = match &self.clients {
            None => true,
            Some(clients) => client.is_some_and(|client| clients.contains(&client)),
        };
        self.enabled && named && within && event != EventType::Ping
    }
}

/// What became of an event at one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// It is to be sent, for the first time or again.
    Queued,
    /// It was taken.
    Delivered,
    /// It was given up; a person can send it again.
    Dead,
}

impl DeliveryState {
    /// All states.
    pub const ALL: [Self; 3] = [Self::Queued, Self::Delivered, Self::Dead];

    /// The name in columns and in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
        }
    }

    /// The state of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

/// An event on its way to one address.
#[derive(Clone, Debug, PartialEq)]
pub struct WebhookDelivery {
    /// Id.
    pub id: WebhookDeliveryId,
    /// To which subscription.
    pub subscription_id: WebhookSubscriptionId,
    /// The event: of all its deliveries the same.
    pub event_id: Uuid,
    /// Which event.
    pub event: EventType,
    /// The client that the event is about.
    pub client_id: Option<ClientId>,
    /// What became of it.
    pub state: DeliveryState,
    /// How often it was tried, from the beginning.
    pub attempts: i32,
    /// When it is tried next, while it is queued.
    pub next_at: Option<Timestamp>,
    /// What the last try was answered with.
    pub status: Option<u16>,
    /// Why the last try failed.
    pub error: Option<String>,
    /// When the event happened.
    pub created_at: Timestamp,
    /// Taken, or given up.
    pub finished_at: Option<Timestamp>,
}

/// One try.
#[derive(Clone, Debug, PartialEq)]
pub struct WebhookAttempt {
    /// From 1.
    pub number: i32,
    /// When.
    pub at: Timestamp,
    /// What it was answered with, if it was.
    pub status: Option<u16>,
    /// How long that took, in milliseconds.
    pub ms: i64,
    /// Why it failed.
    pub error: Option<String>,
    /// The beginning of the answer.
    pub answer: Option<String>,
}

/// Waits between tries, in seconds: nine tries within about a day.
const WAITS: [i64; 8] = [5, 60, 300, 1_800, 7_200, 18_000, 28_800, 28_800];

/// Tries before a delivery is given up.
pub const DELIVERY_TRIES: i32 = WAITS.len() as i32 + 1;

/// The longest wait that a receiver may ask for, in seconds.
const LONGEST_ASKED: i64 = 28_800;

/// How long an address may take nothing before it is told no more.
pub const FAILING_FOR: TimeDelta = TimeDelta::days(5);

/// How long the secret before goes on signing.
pub const OLD_SECRET_LASTS: TimeDelta = TimeDelta::hours(24);

/// How long to wait after this many tries failed; `None` when it is given up. What the receiver asks for is heard as
/// long as it is later. `spread` is by chance, from 0 up to 1, so that what failed together does not come back together.
pub fn wait_after(tries: i32, asked_seconds: Option<u64>, spread: f64) -> Option<TimeDelta> {
    let wait = *WAITS.get(usize::try_from(tries - 1).ok()?)?;
    let asked = i64::try_from(asked_seconds.unwrap_or(0)).unwrap_or(LONGEST_ASKED).min(LONGEST_ASKED);
    let seconds = wait.max(asked) as f64 * (1.0 + 0.2 * spread);
    Some(TimeDelta::milliseconds((seconds * 1_000.0) as i64))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn client(n: u8) -> ClientId {
        ClientId(Uuid::from_u128(u128::from(n)))
    }

    fn subscription(events: BTreeSet<EventType>, clients: Option<BTreeSet<ClientId>>) -> WebhookSubscription {
        WebhookSubscription {
            id: Uuid::from_u128(1).into(),
            url: "https://hooks.example/a".into(),
            description: String::new(),
            events,
            clients,
            enabled: true,
            disabled_reason: None,
            failing_since: None,
            secret_version: 1,
            old_secret_until: None,
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
            version: 1,
        }
    }

    #[test]
    fn a_delivery_is_tried_for_about_a_day() {
        for spread in [0.0, 0.99] {
            let waits: Vec<TimeDelta> =
                (1..DELIVERY_TRIES).map(|tries| wait_after(tries, None, spread).unwrap()).collect();
            assert!(waits.windows(2).all(|pair| pair[0] <= pair[1]), "each wait is at least the one before");
            let hours = waits.iter().sum::<TimeDelta>().num_hours();
            assert!((20..=30).contains(&hours), "{hours}");
            assert_eq!(wait_after(DELIVERY_TRIES, None, spread), None);
        }
    }

    proptest! {
        #[test]
        fn a_receiver_is_not_asked_before_it_wants_nor_kept_for_ever(
            tries in 1..DELIVERY_TRIES, asked in any::<u64>(), spread in 0.0..1.0f64,
        ) {
            let wait = wait_after(tries, Some(asked), spread).expect("another try");
            prop_assert!(wait >= wait_after(tries, None, 0.0).expect("another try"));
            prop_assert!(wait.num_seconds() >= i64::try_from(asked).unwrap_or(i64::MAX).min(LONGEST_ASKED));
            prop_assert!(wait <= TimeDelta::seconds(LONGEST_ASKED * 12 / 10));
        }

        #[test]
        fn nothing_of_a_client_outside_is_wanted(
            events in proptest::collection::btree_set(0..EventType::ALL.len(), 0..5),
            clients in proptest::option::of(proptest::collection::btree_set(0u8..6, 0..4)),
            event in 0..EventType::ALL.len(), about in proptest::option::of(0u8..6), enabled in any::<bool>(),
        ) {
            let named: BTreeSet<EventType> = events.into_iter().map(|at| EventType::ALL[at]).collect();
            let within: Option<BTreeSet<ClientId>> = clients.map(|all| all.into_iter().map(client).collect());
            let one = WebhookSubscription { enabled, ..subscription(named.clone(), within.clone()) };
            let (event, about) = (EventType::ALL[event], about.map(client));
            let wanted = one.wants(event, about);
            if let Some(within) = within {
                prop_assert!(!wanted || about.is_some_and(|about| within.contains(&about)));
            }
            prop_assert!(!wanted || (enabled && event != EventType::Ping));
            prop_assert!(!wanted || named.is_empty() || named.contains(&event));
        }
    }
}
