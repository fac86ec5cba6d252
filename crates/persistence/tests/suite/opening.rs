use domain::Error;
use persistence::{KeyRing, OsChance, Store, StoreOptions};
use testkit::both_databases;

async fn refusal(options: StoreOptions) -> &'static str {
    match Store::connect(options).await {
        Err(Error::Conflict { code, .. }) => code,
        Err(other) => panic!("another error: {other:?}"),
        Ok(_) => panic!("it opened"),
    }
}

both_databases! {
    async fn a_wrong_sealing_key_is_refused(db: TestDb) {
        let other = KeyRing::parse(&KeyRing::generate(&OsChance)).expect("parses");
        assert_eq!(refusal(StoreOptions::new(&db.url, other)).await, "wrong_sealing_key");
        Store::connect(StoreOptions::new(&db.url, testkit::keys())).await.expect("the right one opens");
    }

    async fn a_newer_schema_is_refused_by_opening_and_by_migrating(db: TestDb) {
        db.tamper("INSERT INTO seaql_migrations (version, applied_at) VALUES ('m29990101_000001_future', 1)").await.expect("inserts");
        assert_eq!(refusal(StoreOptions::new(&db.url, testkit::keys())).await, "schema_newer");
        assert!(matches!(Store::migrate(&db.url).await, Err(Error::Conflict { code: "schema_newer", .. })));
    }

    async fn a_database_without_schema_asks_for_migration(db: TestDb) {
        db.tamper("DELETE FROM seaql_migrations").await.expect("deletes");
        assert_eq!(refusal(StoreOptions::new(&db.url, testkit::keys())).await, "schema_older");
    }
}

#[tokio::test]
async fn a_locked_sqlite_file_is_busy_and_comes_back() {
    let db = testkit::sqlite().await;
    let organisation = db.organisation("Locked").await;
    let mut options = StoreOptions::new(&db.url, testkit::keys());
    options.patience = std::time::Duration::from_millis(50);
    let store = Store::connect(options).await.expect("opens");
    let holder = db.store.begin(db.context(organisation)).await.expect("begins");
    match store.begin(db.context(organisation)).await {
        Err(Error::Busy(_)) => {}
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("two writers at once"),
    }
    holder.rollback().await.expect("rolls back");
    store.begin(db.context(organisation)).await.expect("back by itself");
}
