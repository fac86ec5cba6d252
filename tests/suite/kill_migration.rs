//! A migration is killed again and again (`kill -9`): the next one goes on, and no row is lost.

use std::{
    process::{Command, Stdio},
    time::Duration,
};

use migrations::Migrator;
use sea_orm::ConnectionTrait;
use sea_orm_migration::MigratorTrait;
use testkit::both_databases;

use crate::kill::{Process, binary};

/// Steps that are taken back, and then taken again by processes that are killed.
const STEPS: u32 = 20;
const KILLS: u64 = 16;

both_databases! {
    async fn a_migration_survives_being_killed_again_and_again(db: TestDb) {
        let Some(api) = binary("api") else { return };
        let organisation = db.organisation("Kite").await;
        for nth in 0..50 {
            db.client(organisation, &format!("Client {nth}")).await;
        }
        let migrate = || {
            let mut command = Command::new(&api);
            command.arg("migrate").env_clear().env("PANELONE_DATABASE_URL", &db.url);
            command.env("PANELONE_SEALING_KEYS", "1:dGhpcyBrZXkgaXMgZm9yIHRlc3RzIG9ubHkgMTIzNDU=");
            Process(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts"))
        };
        let pending = async || {
            let door = db.backdoor().await;
            let pending = Migrator::get_pending_migrations(&door).await.expect("asks").len();
            door.close().await.expect("closes");
            pending
        };
        let down = async || {
            let door = db.backdoor().await;
            Migrator::down(&door, Some(STEPS)).await.expect("goes down");
            door.close().await.expect("closes");
        };
        down().await;
        let mut midway = 0;
        for nth in 0..KILLS {
            let before = pending().await;
            let mut process = migrate();
            // Killed at another step each time.
            let stop = before.saturating_sub(1 + usize::try_from((nth * 3 + testkit::round()) % 4).expect("small"));
            for _ in 0..2_000 {
                if pending().await <= stop || process.0.try_wait().expect("asks").is_some() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            process.kill();
            let left = pending().await;
            midway += usize::from(0 < left && left < STEPS as usize);
            if left == 0 {
                down().await;
            }
        }
        assert!(midway >= 3, "{midway} of {KILLS} were killed midway");
        assert!(migrate().0.wait().expect("ends").success(), "the last one ends well");
        assert_eq!(pending().await, 0);
        let tx = db.store.read(db.context(organisation)).await.expect("reads");
        assert_eq!(tx.client_totals().await.expect("counts").total(), 50);
        let door = db.backdoor().await;
        door.execute_unprepared("SELECT tags FROM client").await.expect("the last step was taken");
        door.close().await.expect("closes");
    }
}
