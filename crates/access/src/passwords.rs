//! Passwords: argon2id, two at a time, off the async threads.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use domain::{Chance, Error, Problem, Result};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Fewest characters.
const LEAST: usize = 12;
/// Most characters.
const MOST: usize = 256;
/// Hashes computed at once: each takes a core and, by default, 19 MiB.
const AT_ONCE: usize = 2;
/// How long a check waits for its turn before the answer is "busy".
const PATIENCE: Duration = Duration::from_secs(5);

/// What one hash costs.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// Memory in KiB.
    pub memory: u32,
    /// Passes over it.
    pub passes: u32,
}

impl Default for Cost {
    fn default() -> Self {
        Self { memory: 19 * 1024, passes: 2 }
    }
}

/// What is wrong with a new password of the person with this address.
pub(crate) fn password_problem(pointer: &str, password: &SecretString, email: &str) -> Option<Problem> {
    let text = password.expose_secret();
    let count = text.chars().count();
    if count < LEAST {
        return Some(Problem::new(pointer, "too_short", format!("must have at least {LEAST} characters")));
    }
    if count > MOST {
        return Some(Problem::new(pointer, "too_long", format!("must have at most {MOST} characters")));
    }
    (text.trim().to_lowercase() == email.trim().to_lowercase())
        .then(|| Problem::new(pointer, "is_the_email", "must not be the e-mail address"))
}

/// Hashes and checks passwords.
pub struct Passwords {
    argon2: Argon2<'static>,
    chance: Arc<dyn Chance>,
    turns: Arc<Semaphore>,
    dummy: String,
    checks: AtomicU64,
}

impl Passwords {
    /// Takes as long as hashing one password: accounts that do not exist are checked against it.
    pub(crate) fn new(cost: Cost, chance: Arc<dyn Chance>) -> Result<Self> {
        let params = Params::new(cost.memory, cost.passes, 1, None).map_err(Error::internal)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut nobody = [0; 32];
        chance.fill(&mut nobody);
        let dummy = hash(&argon2, &nobody, &salt(chance.as_ref()))?;
        Ok(Self { argon2, chance, turns: Arc::new(Semaphore::new(AT_ONCE)), dummy, checks: AtomicU64::new(0) })
    }

    pub(crate) fn chance(&self) -> &dyn Chance {
        self.chance.as_ref()
    }

    /// How many passwords were checked since the start, those of accounts that do not exist included.
    pub fn checks(&self) -> u64 {
        self.checks.load(Ordering::Relaxed)
    }

    /// The hash of a password in PHC form, with a salt of its own.
    pub(crate) async fn hash(&self, password: &SecretString) -> Result<SecretString> {
        let (argon2, salt) = (self.argon2.clone(), salt(self.chance.as_ref()));
        let password = password.clone();
        let work = move || hash(&argon2, password.expose_secret().as_bytes(), &salt);
        self.in_turn(work).await?.map(SecretString::from)
    }

    /// Whether this is the password. Without a hash it never is, and that takes as long to find out.
    pub(crate) async fn verify(&self, password: &SecretString, stored: Option<&str>) -> Result<bool> {
        self.checks.fetch_add(1, Ordering::Relaxed);
        let (argon2, known) = (self.argon2.clone(), stored.is_some());
        let stored = stored.unwrap_or(&self.dummy).to_owned();
        let password = password.clone();
        let work = move || -> Result<bool> {
            let stored = PasswordHash::new(&stored).map_err(Error::internal)?;
            Ok(argon2.verify_password(password.expose_secret().as_bytes(), &stored).is_ok())
        };
        Ok(self.in_turn(work).await?? && known)
    }

    /// Runs on a thread for blocking work. The turn is kept until the work is done, also when the
    /// caller has gone away meanwhile.
    async fn in_turn<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let turn: OwnedSemaphorePermit = tokio::time::timeout(PATIENCE, Arc::clone(&self.turns).acquire_owned())
            .await
            .map_err(|_| Error::Busy("too many passwords wait to be checked".to_owned()))?
            .map_err(Error::internal)?;
        let work = move || {
            let done = work();
            drop(turn);
            done
        };
        tokio::task::spawn_blocking(work).await.map_err(Error::internal)
    }
}

fn salt(chance: &dyn Chance) -> [u8; 16] {
    let mut salt = [0; 16];
    chance.fill(&mut salt);
    salt
}

fn hash(argon2: &Argon2<'_>, password: &[u8], salt: &[u8]) -> Result<String> {
    argon2.hash_password_with_salt(password, salt).map(|hash| hash.to_string()).map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use persistence::OsChance;

    use super::*;

    #[test]
    fn the_rules_count_characters_not_bytes() {
        let problem = |text: &str| password_problem("/password", &text.into(), "Jo.Kite@Kite.example").map(|p| p.code);
        assert_eq!(problem(&"ä".repeat(11)), Some("too_short"));
        assert_eq!(problem(&"ä".repeat(12)), None);
        assert_eq!(problem(&"ä".repeat(256)), None);
        assert_eq!(problem(&"ä".repeat(257)), Some("too_long"));
        assert_eq!(problem(" jo.kite@kite.EXAMPLE"), Some("is_the_email"));
    }

    #[tokio::test]
    async fn a_hash_is_argon2id_of_the_documented_cost_and_fits_its_password_only() {
        let passwords = Passwords::new(Cost::default(), Arc::new(OsChance)).expect("starts");
        let right = SecretString::from("correct horse battery");
        let hash = passwords.hash(&right).await.expect("hashes");
        let text = hash.expose_secret();
        assert!(text.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{text}");
        assert!(passwords.dummy.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "an unknown account costs as much");
        assert!(passwords.verify(&right, Some(text)).await.expect("checks"));
        assert!(!passwords.verify(&"correct horse batterY".into(), Some(text)).await.expect("checks"));
        assert!(!passwords.verify(&right, None).await.expect("checks"));
        assert_ne!(passwords.hash(&right).await.expect("hashes").expose_secret(), text, "a salt of its own");
        assert_eq!(passwords.checks(), 3);
    }
}
