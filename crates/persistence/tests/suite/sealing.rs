use domain::{Connection, ConnectionState};
use persistence::{KeyRing, OsChance, Store, StoreOptions, Tx};
use serde_json::json;
use testkit::{TestDb, both_databases};

const CANARY: &str = "canary-4f1d-very-secret";

async fn connection(db: &TestDb, tx: &Tx) -> Connection {
    let connection = Connection {
        id: tx.new_id(),
        integration: "ninjaone".into(),
        name: "Main".into(),
        state: ConnectionState::Connected,
        state_reason: None,
        account: None,
        credentials_version: 1,
        cadence_minutes: 60,
        next_sync_at: None,
        last_synced_at: None,
        created_at: db.now(),
        updated_at: db.now(),
        version: 1,
    };
    tx.connection_insert(&connection).await.expect("inserts");
    tx.connection_seal(connection.id, &json!({ "client_secret": CANARY })).await.expect("seals");
    connection
}

both_databases! {
    async fn credentials_open_in_their_row_only_and_never_show(db: TestDb) {
        let organisation = db.organisation("Seal").await;
        let tx = db.store.begin(db.context(organisation)).await.expect("begins");
        let first = connection(&db, &tx).await;
        let second = connection(&db, &tx).await;
        let set = tx.commit("connection_create", None).await.expect("commits");
        assert!(!format!("{set:?}").contains(CANARY));
        let tx = db.store.read(db.context(organisation)).await.expect("reads");
        assert_eq!(tx.connection_credentials(first.id).await.expect("opens")["client_secret"], CANARY);
        drop(tx);
        db.tamper(&if db.store.is_postgres() {
            format!("UPDATE connection SET credentials = (SELECT credentials FROM connection WHERE id = '{}') WHERE id = '{}'", first.id, second.id)
        } else {
            format!("UPDATE connection SET credentials = (SELECT credentials FROM connection WHERE id = x'{}') WHERE id = x'{}'", first.id.0.simple(), second.id.0.simple())
        }).await.expect("swaps");
        let tx = db.store.read(db.context(organisation)).await.expect("reads");
        assert!(tx.connection_credentials(second.id).await.is_err());
    }

    async fn keys_are_replaced_while_running(db: TestDb) {
        let organisation = db.organisation("Rotate").await;
        let tx = db.store.begin(db.context(organisation)).await.expect("begins");
        let connection = connection(&db, &tx).await;
        tx.commit("connection_create", None).await.expect("commits");
        let old = "1:dGhpcyBrZXkgaXMgZm9yIHRlc3RzIG9ubHkgMTIzNDU=";
        let new = KeyRing::generate(&OsChance).replacen("1:", "2:", 1);
        let both = KeyRing::parse(&format!("{new},{old}")).expect("parses");
        let store = Store::connect(StoreOptions::new(&db.url, both)).await.expect("opens");
        let tx = store.begin(db.context(organisation)).await.expect("begins");
        assert_eq!(tx.connections_reseal().await.expect("seals anew"), 1);
        assert_eq!(tx.connections_reseal().await.expect("seals anew"), 0);
        tx.commit_unjournalled().await.expect("commits");
        let tx = store.read(db.context(organisation)).await.expect("reads");
        assert_eq!(tx.connection_credentials(connection.id).await.expect("opens")["client_secret"], CANARY);
    }
}
