//! What people do with connections.

use domain::{ConnectionState, Context, Error, Permissions, Role, StaffId};
use integration::RecordKind;
use serde_json::{Map, Value};
use sync::{ConnectionPatch, NewConnection};
use testkit::both_databases;
use vendorkit::{Fault, Plan, WorldSize};

use crate::stage::{ENTRIES, NINJAONE, PAX8, stage};

const SIZE: WorldSize = WorldSize { businesses: 6, devices: 30, people: 6 };

fn code(error: Error) -> String {
    match error {
        Error::Conflict { code, .. } | Error::Vendor { code, .. } => code.to_owned(),
        Error::Forbidden { .. } => "forbidden".to_owned(),
        Error::Invalid(problems) => problems
            .iter()
            .map(|problem| format!("{} {}", problem.pointer, problem.code))
            .collect::<Vec<_>>()
            .join(", "),
        other => other.to_string(),
    }
}

fn as_role(context: Context, role: Role) -> Context {
    Context {
        actor: domain::Actor::Staff { id: StaffId(uuid::Uuid::from_u128(5)) },
        permissions: Permissions::of(role),
        ..context
    }
}

both_databases! {
    async fn every_mistake_of_a_new_connection_is_named(db: TestDb) {
        let organisation = db.organisation("Create").await;
        let tx = db.store.begin(db.context(organisation)).await.expect("begins");
        let mut credentials = Map::new();
        credentials.insert("region".into(), "mars".into());
        credentials.insert("colour".into(), "red".into());
        let input = NewConnection {
            integration: NINJAONE.into(),
            name: "a\nb".into(),
            credentials,
            cadence_minutes: Some(4),
        };
        let error = sync::connection_create(&tx, ENTRIES, &input, None).await.expect_err("is refused");
        let text = code(error);
        for part in [
            "/name control_character",
            "/cadence_minutes out_of_range",
            "/credentials/region invalid_credential",
            "/credentials/colour invalid_credential",
            "/credentials/client_secret invalid_credential",
        ] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
        let input = NewConnection { integration: "nobody".into(), ..input };
        let error = sync::connection_create(&tx, ENTRIES, &input, None).await.expect_err("is refused");
        assert_eq!(code(error), "/integration unknown");
    }

    async fn a_draft_becomes_connected_when_its_test_succeeds(db: TestDb) {
        let stage = stage(db, NINJAONE, SIZE).await;
        let tx = stage.db.store.begin(stage.context()).await.expect("begins");
        let input = NewConnection {
            integration: NINJAONE.into(),
            name: "Second".into(),
            credentials: stage.credentials.clone(),
            ..NewConnection::default()
        };
        let draft = sync::connection_create(&tx, ENTRIES, &input, None).await.expect("creates");
        tx.commit("connection_create", None).await.expect("commits");
        assert_eq!(draft.state, ConnectionState::Draft);
        let tx = stage.db.store.begin(stage.context()).await.expect("begins");
        let refused = sync::sync_start(&tx, ENTRIES, draft.id, None).await.expect_err("is refused");
        assert_eq!(code(refused), "not_connected");
        drop(tx);

        stage.engine.connection_test(&stage.context(), draft.id).await.expect("works");
        assert_eq!(stage.work().await, 2, "both first syncs");
        let tx = stage.db.store.read(stage.context()).await.expect("reads");
        let connection = tx.connection(draft.id).await.expect("is there");
        assert_eq!(connection.state, ConnectionState::Connected);
        assert!(connection.last_synced_at.is_some());
    }

    async fn credentials_are_tried_before_they_are_stored(db: TestDb) {
        let stage = stage(db, NINJAONE, SIZE).await;
        let context = stage.context();
        stage.engine.credentials_test(&context, NINJAONE, &stage.credentials).await.expect("work");
        let wrong = stage.simulated.simulator.wrong_credentials("https://simulated.example/v");
        let error = stage.engine.credentials_test(&context, NINJAONE, &wrong).await.expect_err("fail");
        assert_eq!(code(error), "vendor_credentials");
        let powerless = stage.simulated.simulator.powerless_credentials("https://simulated.example/v");
        let error = stage.engine.credentials_test(&context, NINJAONE, &powerless).await.expect_err("fail");
        assert_eq!(code(error), "vendor_forbidden");
    }

    async fn new_credentials_reconnect(db: TestDb) {
        let stage = stage(db, NINJAONE, SIZE).await;
        stage.faulty.set(Plan::Always(Fault::Status(401)));
        stage.work().await;
        assert_eq!(stage.connection().await.state, ConnectionState::ReauthRequired);
        stage.faulty.set(Plan::Never);
        let tx = stage.db.store.begin(stage.context()).await.expect("begins");
        let patch = ConnectionPatch { credentials: Some(stage.credentials.clone()), ..ConnectionPatch::default() };
        sync::connection_update(&tx, ENTRIES, stage.connection, &patch).await.expect("updates");
        tx.commit("connection_update", None).await.expect("commits");
        stage.advance(1);
        stage.work().await;
        stage.assert_true().await;
        let connection = stage.connection().await;
        assert_eq!((connection.state, connection.credentials_version), (ConnectionState::Connected, 2));
    }

    async fn a_disconnected_one_rests_until_it_is_reconnected(db: TestDb) {
        let stage = stage(db, NINJAONE, SIZE).await;
        let tx = stage.db.store.begin(stage.context()).await.expect("begins");
        sync::connection_disconnect(&tx, ENTRIES, stage.connection).await.expect("disconnects");
        tx.commit("connection_disconnect", None).await.expect("commits");
        stage.work().await;
        stage.advance(7_200);
        assert_eq!((stage.work().await, stage.requests()), (0, 0));
        let tx = stage.db.store.begin(stage.context()).await.expect("begins");
        sync::connection_reconnect(&tx, ENTRIES, stage.connection, None).await.expect("reconnects");
        tx.commit("connection_reconnect", None).await.expect("commits");
        stage.work().await;
        stage.assert_true().await;
    }

    async fn a_connection_with_mapped_entities_is_not_deleted(db: TestDb) {
        let stage = stage(db, NINJAONE, SIZE).await;
        stage.work().await;
        let client = stage.db.client(stage.organisation, "Kite").await;
        let tx = stage.db.store.begin(stage.context()).await.expect("begins");
        let entity = tx.entities_of(stage.connection).await.expect("lists").remove(0).id;
        let mapped = persistence::MappingWrite {
            client: Some(client),
            state: domain::MappingState::Mapped,
            reason: None,
        };
        tx.mapping_write(entity, &mapped).await.expect("maps");
        let refused = sync::connection_delete(&tx, ENTRIES, stage.connection).await.expect_err("is refused");
        assert_eq!(code(refused), "entities_mapped");
        let unmapped = persistence::MappingWrite {
            client: None,
            state: domain::MappingState::Unmapped,
            reason: None,
        };
        tx.mapping_write(entity, &unmapped).await.expect("unmaps");
        sync::connection_delete(&tx, ENTRIES, stage.connection).await.expect("deletes");
        tx.commit("connection_delete", None).await.expect("commits");
        let tx = stage.db.store.read(stage.context()).await.expect("reads");
        assert!(tx.connections().await.expect("lists").is_empty());
    }

    async fn finance_manages_billing_vendors_and_no_others(db: TestDb) {
        let stage = stage(db, PAX8, SIZE).await;
        let finance = as_role(stage.context(), Role::Finance);
        let tx = stage.db.store.begin(finance.clone()).await.expect("begins");
        sync::sync_start(&tx, ENTRIES, stage.connection, Some(vec![RecordKind::Entity])).await.expect("may");
        let mut input = NewConnection {
            integration: PAX8.into(),
            credentials: stage.credentials.clone(),
            ..NewConnection::default()
        };
        sync::connection_create(&tx, ENTRIES, &input, None).await.expect("may");
        input.integration = NINJAONE.into();
        let refused = sync::connection_create(&tx, ENTRIES, &input, None).await.expect_err("may not");
        assert_eq!(code(refused), "forbidden");
        let refused = stage.engine.credentials_test(&finance, NINJAONE, &Map::new()).await.expect_err("may not");
        assert_eq!(code(refused), "forbidden");
        drop(tx);
        let viewer = as_role(stage.context(), Role::Viewer);
        let tx = stage.db.store.begin(viewer).await.expect("begins");
        let refused = sync::sync_start(&tx, ENTRIES, stage.connection, None).await.expect_err("may not");
        assert_eq!(code(refused), "forbidden");
    }

    async fn a_waiting_sync_is_hurried_not_doubled(db: TestDb) {
        let stage = stage(db, NINJAONE, SIZE).await;
        stage.faulty.set(Plan::nth(1, Fault::Throttled(600)));
        stage.work().await;
        stage.advance(5);
        let tx = stage.db.store.begin(stage.context()).await.expect("begins");
        let started = sync::sync_start(&tx, ENTRIES, stage.connection, None).await.expect("starts");
        assert!(started.pending);
        tx.commit_unjournalled().await.expect("commits");
        assert_eq!(stage.work().await, 1);
        stage.assert_true().await;
    }

    async fn credentials_never_show_in_the_journal(db: TestDb) {
        let stage = stage(db, NINJAONE, SIZE).await;
        stage.work().await;
        let tx = stage.db.store.read(stage.context()).await.expect("reads");
        let page = domain::PageRequest { limit: 100, after: None };
        let entries = tx.journal_list(&Default::default(), &page).await.expect("lists").items;
        assert!(!entries.is_empty());
        let text = serde_json::to_string(&entries.iter().flat_map(|entry| &entry.changes).collect::<Vec<_>>());
        let text = text.expect("serialises");
        let secret = stage.credentials["client_secret"].as_str().map(str::to_owned);
        assert!(secret.is_some_and(|secret| !text.contains(&secret)));
        assert!(matches!(stage.credentials.get("client_secret"), Some(Value::String(_))));
    }
}
