//! For tests only: a real SQLite file or a real PostgreSQL database for each test, a clock that is
//! set by hand, chance that repeats.
//!
//! `both_databases!` writes a test once and runs it on both. The PostgreSQL half is always named
//! `postgres`; it needs `PANELONE_TEST_POSTGRES` (`cargo xtask test` sets it): without it the test
//! says that it did not run, and with `PANELONE_REQUIRE_ALL=1` it fails.

mod authenticator;
mod clock;
mod database;
mod dump;
mod identity;

pub use authenticator::Authenticator;
pub use clock::{FixedClock, SeededChance};
pub use database::{TestDb, keys, postgres, sqlite};
pub use identity::{IdentityKey, coded, discovery};

/// Which round it is where a test is run many times over (`cargo xtask soak`); zero elsewhere. Tests vary with it when
/// they kill.
pub fn round() -> u64 {
    std::env::var("PANELONE_TEST_ROUND").ok().and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// Writes tests that run on SQLite and on PostgreSQL.
///
/// ```ignore
/// both_databases! {
///     async fn a_client_is_stored(db: TestDb) { … }
/// }
/// ```
#[macro_export]
macro_rules! both_databases {
    ($( $(#[$meta:meta])* async fn $name:ident($db:ident: TestDb) $body:block )+) => { $(
        mod $name {
            use super::*;

            async fn body($db: $crate::TestDb) $body

            $(#[$meta])*
            #[tokio::test]
            async fn sqlite() {
                body($crate::sqlite().await).await
            }

            $(#[$meta])*
            #[tokio::test]
            async fn postgres() {
                if let Some(db) = $crate::postgres().await {
                    body(db).await
                }
            }
        }
    )+ };
}
