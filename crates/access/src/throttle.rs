//! What guessing costs. Every attempt is counted before its password is looked at, so that many at
//! once cannot slip through, and the count is taken back when it succeeds.
//!
//! | counted for | free failures | then locked for | at most | one is forgotten every |
//! |---|---|---|---|---|
//! | an account from one address | 4, the 5th locks | 30 s, doubling | 15 min | 30 min |
//! | an address, whichever account, for each purpose | 19, the 20th locks | 60 s, doubling | 1 h | 30 min |
//! | an account from everywhere | 999, the 1,000th locks | 60 s | 60 s | 1 min |
//! | codes of an account from everywhere | 49, the 50th locks | 60 s, doubling | 1 h | 30 min |
//!
//! Someone who guesses from one address thus shuts out nobody elsewhere. Someone who guesses from
//! hundreds meets the last two lines, which do not hold for addresses from which the account was
//! signed in to within 30 days. The last counts second factors only: whoever is asked for one knows
//! the password, and a code of six digits must not be found by patience. An account is an e-mail address, known or not:
//! both answer alike; a passkey that is the only step counts under its own name. What an address did for one purpose does not count for another: whoever asks for many new
//! passwords does not keep the office from signing in.
//! A success clears the first line if the address belongs to one account only; a person of two
//! organisations could else clear with one password what was counted against the other. IPv6
//! addresses count by their /64. Names are hashed.

use std::net::IpAddr;

use chrono::TimeDelta;
use domain::{Error, Result, Timestamp};
use persistence::{Across, Store, ThrottleRow};
use sha2::{Digest, Sha256};

struct Limit {
    /// The failure that locks first.
    locks_at: i32,
    /// Seconds of the first lock; each further failure doubles it.
    first: i64,
    /// Seconds of the longest lock.
    most: i64,
    /// Seconds after which one failure is forgotten.
    forgets: i64,
}

static FROM_ONE_ADDRESS: Limit = Limit { locks_at: 5, first: 30, most: 15 * 60, forgets: 30 * 60 };
static ADDRESS: Limit = Limit { locks_at: 20, first: 60, most: 60 * 60, forgets: 30 * 60 };
static ACCOUNT: Limit = Limit { locks_at: 1_000, first: 60, most: 60, forgets: 60 };
static CODES: Limit = Limit { locks_at: 50, first: 60, most: 60 * 60, forgets: 30 * 60 };

/// How long an address is known from which an account was signed in to.
const KNOWN: TimeDelta = TimeDelta::days(30);

impl Limit {
    /// Seconds of the lock that this failure brings.
    fn lock(&self, failures: i32) -> i64 {
        match u32::try_from(failures - self.locks_at) {
            Err(_) => 0,
            Ok(doublings) => self.first.saturating_mul(1i64.checked_shl(doublings.min(20)).unwrap_or(1)).min(self.most),
        }
    }

    /// The row with one failure more. Beyond the longest lock nothing is counted, so that a storm
    /// is not remembered longer than a night.
    fn charge(&self, row: &ThrottleRow, now: Timestamp) -> ThrottleRow {
        let forgotten = ((now - row.last_failure_at).num_seconds() / self.forgets).max(0);
        let left = i64::from(row.failures) - forgotten;
        let since = if left > 0 { row.last_failure_at + TimeDelta::seconds(forgotten * self.forgets) } else { now };
        let mut failures = i32::try_from(left.max(0)).unwrap_or(i32::MAX - 1) + 1;
        if self.lock(failures - 1) == self.most {
            failures -= 1;
        }
        let lock = self.lock(failures);
        let locked_until = (lock > 0).then(|| now + TimeDelta::seconds(lock));
        ThrottleRow { failures, last_failure_at: since, locked_until }
    }
}

/// Seconds until a lock ends; `None` when there is none.
fn locked(row: &ThrottleRow, now: Timestamp) -> Option<u64> {
    let left = row.locked_until? - now;
    (left > TimeDelta::zero()).then(|| u64::try_from(left.num_milliseconds()).unwrap_or_default().div_ceil(1_000))
}

struct Charge {
    limit: &'static Limit,
    name: String,
    before: ThrottleRow,
    after: ThrottleRow,
}

/// An attempt that was let through, and counted as a failure until it is known to be none.
pub(crate) struct Admission {
    known: String,
    charges: Vec<Charge>,
}

/// What is attempted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Password,
    Code,
    /// Asking for a letter with a link.
    Ask,
    /// Using the link of a letter.
    Link,
    /// Getting a token for the secret of a service account.
    Machine,
}

/// Counts an attempt at a password, or refuses it unseen while a lock holds. The caller commits.
pub(crate) async fn admit(across: &Across, email: &str, address: Option<&str>, now: Timestamp) -> Result<Admission> {
    admit_among(across, email, address, now, Purpose::Password).await
}

/// The same for asking for a letter with a link: never taken back, so that who asks often waits, whether the address is
/// known or not.
pub(crate) async fn admit_ask(across: &Across, email: &str, address: Option<&str>, now: Timestamp) -> Result<()> {
    admit_among(across, &format!("ask {}", email.trim()), address, now, Purpose::Ask).await.map(drop)
}

/// The same for using the link of a letter.
pub(crate) async fn admit_link(
    across: &Across,
    token: &str,
    address: Option<&str>,
    now: Timestamp,
) -> Result<Admission> {
    admit_among(across, &format!("link {token}"), address, now, Purpose::Link).await
}

/// The same for the secret of a service account.
pub(crate) async fn admit_machine(
    across: &Across,
    client_id: &str,
    address: Option<&str>,
    now: Timestamp,
) -> Result<Admission> {
    admit_among(across, &format!("machine {client_id}"), address, now, Purpose::Machine).await
}

/// The same for a code of a second factor.
pub(crate) async fn admit_code(
    across: &Across,
    email: &str,
    address: Option<&str>,
    now: Timestamp,
) -> Result<Admission> {
    admit_among(across, email, address, now, Purpose::Code).await
}

/// The same for a passkey, by its own name: whose it is shows only once it is right.
pub(crate) async fn admit_passkey(
    across: &Across,
    name: &str,
    address: Option<&str>,
    now: Timestamp,
) -> Result<Admission> {
    admit_among(across, &format!("passkey {name}"), address, now, Purpose::Password).await
}

async fn admit_among(
    across: &Across,
    email: &str,
    address: Option<&str>,
    now: Timestamp,
    purpose: Purpose,
) -> Result<Admission> {
    let (email, address) = (email.trim().to_lowercase(), network(address));
    let among = match purpose {
        Purpose::Password | Purpose::Code => "sign-in",
        Purpose::Ask => "ask",
        Purpose::Link => "link",
        Purpose::Machine => "machine",
    };
    // Always locked in this order: attempts at once wait for one another and never for each other.
    let mut counted = vec![
        (&ADDRESS, name("address", &[among, &address])),
        (&ACCOUNT, name("account", &[&email])),
        (&FROM_ONE_ADDRESS, name("account and address", &[&email, &address])),
    ];
    if purpose == Purpose::Code {
        counted.push((&CODES, name("codes", &[&email])));
    }
    let mut rows = Vec::with_capacity(counted.len());
    for (limit, name) in counted {
        across.throttle_touch(&name, now).await?;
        let row = across.throttle(&name).await?.ok_or_else(|| Error::internal("a count has gone"))?;
        rows.push((limit, name, row));
    }
    let known = name("known", &[&email, &address]);
    let is_known = across.throttle(&known).await?.is_some_and(|row| now - row.last_failure_at < KNOWN);
    let (mut charges, mut wait) = (Vec::with_capacity(rows.len()), None);
    for (limit, name, before) in rows {
        match locked(&before, now) {
            // A machine's secret is random: there is nothing to guess that a lock would keep.
            Some(_) if is_known && purpose == Purpose::Machine => {}
            Some(_) if is_known && (std::ptr::eq(limit, &ACCOUNT) || std::ptr::eq(limit, &CODES)) => {}
            Some(seconds) => wait = wait.max(Some(seconds)),
            None => {
                let after = limit.charge(&before, now);
                across.throttle_set(&name, Some(after.clone())).await?;
                charges.push(Charge { limit, name, before, after });
            }
        }
    }
    match wait {
        Some(retry_after) => Err(Error::TooMany { retry_after }),
        None => Ok(Admission { known, charges }),
    }
}

impl Admission {
    /// Takes the count back.
    pub(crate) async fn refund(self, store: &Store) -> Result<()> {
        let across = store.across().await?;
        self.take_back(&across, store.clock().now()).await?;
        across.commit().await
    }

    /// Takes the count back, forgets the failures of this account from this address, and knows the
    /// address from now on.
    pub(crate) async fn clear(mut self, store: &Store) -> Result<()> {
        let (across, now) = (store.across().await?, store.clock().now());
        let own = self.charges.iter().position(|charge| std::ptr::eq(charge.limit, &FROM_ONE_ADDRESS));
        let own = own.map(|at| self.charges.remove(at));
        let known = std::mem::take(&mut self.known);
        self.take_back(&across, now).await?;
        if let Some(own) = own {
            across.throttle_set(&own.name, None).await?;
        }
        across.throttle_set(&known, Some(ThrottleRow { last_failure_at: now, ..ThrottleRow::default() })).await?;
        across.commit().await
    }

    async fn take_back(self, across: &Across, now: Timestamp) -> Result<()> {
        for Charge { limit, name, before, after } in self.charges {
            let Some(row) = across.throttle(&name).await? else { continue };
            // Others may have failed meanwhile: their failures stay.
            let failures = (row.failures - 1).max(0);
            let row = if row == after {
                before
            } else {
                let until = now + TimeDelta::seconds(limit.lock(failures));
                ThrottleRow { failures, locked_until: row.locked_until.min(Some(until)), ..row }
            };
            across.throttle_set(&name, (row.failures > 0).then_some(row)).await?;
        }
        Ok(())
    }
}

/// Deletes counts and known addresses that are too old to matter; returns how many. For the
/// worker's daily round.
pub async fn attempts_forget(store: &Store) -> Result<u64> {
    let across = store.across().await?;
    let gone = across.throttle_forget(store.clock().now() - KNOWN).await?;
    across.commit().await?;
    Ok(gone)
}

/// What of an address is counted: a whole IPv4 address, the network of an IPv6 one.
fn network(address: Option<&str>) -> String {
    let text = address.unwrap_or_default().trim();
    match text.parse::<IpAddr>().map(|address| address.to_canonical()) {
        Ok(IpAddr::V6(address)) => format!("{:x}", address.to_bits() >> 64),
        Ok(IpAddr::V4(address)) => address.to_string(),
        Err(_) => text.to_owned(),
    }
}

fn name(kind: &str, parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in [&[kind], parts].concat() {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hex::encode(hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_timestamp(1_800_000_000 + seconds, 0).expect("valid")
    }

    #[test]
    fn the_table_in_the_documentation_holds() {
        let locks = |limit: &Limit, failures: std::ops::RangeInclusive<i32>| {
            failures.map(|n| limit.lock(n)).collect::<Vec<_>>()
        };
        assert_eq!(locks(&FROM_ONE_ADDRESS, 0..=11), [0, 0, 0, 0, 0, 30, 60, 120, 240, 480, 900, 900]);
        assert_eq!(locks(&ADDRESS, 18..=27), [0, 0, 60, 120, 240, 480, 960, 1920, 3600, 3600]);
        assert_eq!(locks(&ACCOUNT, 998..=1_001), [0, 0, 60, 60]);
        assert_eq!(locks(&CODES, 48..=57), [0, 0, 60, 120, 240, 480, 960, 1920, 3600, 3600]);
        assert_eq!(FROM_ONE_ADDRESS.lock(i32::MAX), 900);
    }

    /// Someone who never gives up, and tries whenever a lock ends.
    #[test]
    fn a_day_of_patience_buys_few_guesses() {
        for (limit, most) in [(&FROM_ONE_ADDRESS, 110), (&ADDRESS, 80), (&ACCOUNT, 2_440), (&CODES, 130)] {
            let (mut row, mut now, mut guesses) =
                (ThrottleRow { last_failure_at: at(0), ..ThrottleRow::default() }, at(0), 0);
            while now < at(24 * 3600) {
                row = limit.charge(&row, now);
                guesses += 1;
                now = row.locked_until.unwrap_or(now);
            }
            assert!(guesses <= most, "{guesses}");
        }
    }

    #[test]
    fn failures_are_forgotten_one_by_one_and_no_part_of_the_wait_is_lost() {
        let mut row = ThrottleRow { last_failure_at: at(0), ..ThrottleRow::default() };
        for _ in 0..4 {
            row = FROM_ONE_ADDRESS.charge(&row, at(0));
        }
        // One failure every 29 minutes: barely more than is forgotten, so it takes long to lock.
        let mut now = 0;
        for _ in 0..10 {
            now += 29 * 60;
            row = FROM_ONE_ADDRESS.charge(&row, at(now));
        }
        assert_eq!(row.failures, 5);
        row = FROM_ONE_ADDRESS.charge(&row, at(now + 24 * 3600));
        assert_eq!((row.failures, row.locked_until), (1, None));
    }

    #[test]
    fn a_long_storm_is_forgotten_within_a_night() {
        for limit in [&FROM_ONE_ADDRESS, &ADDRESS] {
            let mut row = ThrottleRow { last_failure_at: at(0), ..ThrottleRow::default() };
            for _ in 0..10_000 {
                row = limit.charge(&row, at(0));
            }
            assert!(i64::from(row.failures) * limit.forgets <= 14 * 3600, "{}", row.failures);
        }
    }

    #[test]
    fn addresses_count_by_what_one_person_is_given() {
        assert_eq!(network(Some("192.0.2.7")), network(Some("::ffff:192.0.2.7")));
        assert_ne!(network(Some("192.0.2.7")), network(Some("192.0.2.8")));
        assert_eq!(network(Some("2001:db8:1:2::1")), network(Some("2001:db8:1:2:ffff::9")));
        assert_ne!(network(Some("2001:db8:1:2::1")), network(Some("2001:db8:1:3::1")));
        assert_ne!(name("a", &["bc", "d"]), name("a", &["b", "cd"]));
    }
}
