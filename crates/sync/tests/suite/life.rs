//! A connection's life: paused, shared, told of by webhooks; and ids typed before a vendor was connected.

use domain::{ClientDraft, ClientId, ConnectionState, Error, MappingState, RunState, Trigger, UnverifiedMapping};
use integration::{Delivery, RecordKind, Secret};
use persistence::MappingWrite;
use testkit::both_databases;
use vendorkit::WorldSize;

use crate::stage::{AUTOTASK, ENTRIES, NINJAONE, Stage, stage};

const SIZE: WorldSize = WorldSize { businesses: 6, devices: 30, people: 6 };
const SECRET: &str = "agreed with the vendor";

fn code(error: Error) -> &'static str {
    match error {
        Error::Conflict { code, .. } => code,
        Error::Unauthenticated => "unauthenticated",
        Error::NotFound { what } => what,
        other => panic!("{other:?}"),
    }
}

/// A client of this name.
pub async fn client(stage: &Stage, name: &str) -> ClientId {
    let tx = stage.db.store.begin(stage.context()).await.expect("begins");
    let now = tx.now();
    let draft = ClientDraft { name: name.to_owned(), ..ClientDraft::default() };
    let client = domain::Client {
        id: tx.new_id(),
        name: draft.name,
        status: draft.status,
        notes: None,
        contact_email: None,
        phone: None,
        address: None,
        created_at: now,
        updated_at: now,
        archived_at: None,
        deleted_at: None,
        tags: Vec::new(),
        version: 1,
        device_count: 0,
        user_count: 0,
    };
    tx.client_insert(&client).await.expect("inserts");
    tx.commit("client_create", None).await.expect("commits");
    client.id
}

async fn type_id(stage: &Stage, client: ClientId, vendor_id: &str) -> UnverifiedMapping {
    let tx = stage.db.store.begin(stage.context()).await.expect("begins");
    let typed = UnverifiedMapping {
        id: tx.new_id(),
        client_id: client,
        integration: stage.vendor.id.to_owned(),
        vendor_id: vendor_id.to_owned(),
        problem: None,
        created_at: tx.now(),
        created_by: None,
    };
    tx.unverified_insert(&typed).await.expect("inserts");
    tx.commit("mapping_type", None).await.expect("commits");
    typed
}

both_databases! {
    async fn a_paused_one_rests_until_it_is_resumed(db: TestDb) {
        let stage = stage(db, NINJAONE, SIZE).await;
        stage.work().await;
        let asked = stage.requests();
        let tx = stage.db.store.begin(stage.context()).await.expect("begins");
        let paused = sync::connection_pause(&tx, ENTRIES, stage.connection).await.expect("pauses");
        assert_eq!(paused.state, ConnectionState::Paused);
        let refused = sync::sync_start(&tx, ENTRIES, stage.connection, None).await.expect_err("is refused");
        assert_eq!(code(refused), "not_connected");
        let refused = sync::connection_pause(&tx, ENTRIES, stage.connection).await.expect_err("is refused");
        assert_eq!(code(refused), "not_connected");
        tx.commit("connection_pause", None).await.expect("commits");
        stage.advance(7_200);
        assert_eq!((stage.work().await, stage.requests()), (0, asked), "a paused connection asks its vendor");
        let tx = stage.db.store.begin(stage.context()).await.expect("begins");
        sync::connection_reconnect(&tx, ENTRIES, stage.connection, None).await.expect("resumes");
        tx.commit("connection_reconnect", None).await.expect("commits");
        stage.work().await;
        stage.assert_true().await;
        assert_eq!(stage.connection().await.state, ConnectionState::Connected);
    }

    async fn a_share_is_one_reference_and_goes_with_the_connection(db: TestDb) {
        let stage = stage(db, NINJAONE, SIZE).await;
        let (mine, other) = (client(&stage, "Harbour").await, client(&stage, "Quay").await);
        let tx = stage.db.store.begin(stage.context()).await.expect("begins");
        let share = sync::connection_share(&tx, ENTRIES, stage.connection, mine).await.expect("shares");
        let again = sync::connection_share(&tx, ENTRIES, stage.connection, mine).await.expect("shares");
        assert_eq!(share, again, "shared twice");
        sync::connection_share(&tx, ENTRIES, stage.connection, other).await.expect("shares");
        let nobody = sync::connection_share(&tx, ENTRIES, stage.connection, ClientId(uuid::Uuid::from_u128(9))).await;
        assert!(matches!(nobody, Err(Error::Invalid(_))), "{nobody:?}");
        tx.commit("connection_share_create", None).await.expect("commits");
        assert_eq!(stage.journal("connection_share_create").await, 1);

        let tx = stage.db.store.begin(stage.context()).await.expect("begins");
        assert_eq!(tx.shares_of_client(mine).await.expect("reads"), [share]);
        sync::connection_unshare(&tx, ENTRIES, stage.connection, mine).await.expect("takes back");
        let gone = sync::connection_unshare(&tx, ENTRIES, stage.connection, mine).await.expect_err("is gone");
        assert_eq!(code(gone), "share");
        assert!(tx.shares_of_client(mine).await.expect("reads").is_empty());
        sync::connection_delete(&tx, ENTRIES, stage.connection).await.expect("deletes");
        let set = tx.commit("connection_delete", None).await.expect("commits");
        let shares = set.changes.iter().filter(|change| change.kind == "connection_share").count();
        assert_eq!(shares, 2, "a share ended without a word in the journal");
    }

    async fn a_typed_id_becomes_a_mapping_at_the_sync_that_meets_it(db: TestDb) {
        let stage = stage(db, NINJAONE, SIZE).await;
        let (mine, other) = (client(&stage, "Harbour").await, client(&stage, "Quay").await);
        // Typed before the first sync; the vendor's ids are in the world.
        let key = stage.simulated.read(|world| world.known_to(NINJAONE).next().expect("one").key);
        type_id(&stage, mine, &key.to_string()).await;
        let later = type_id(&stage, mine, "nobody lists this").await;
        stage.work().await;
        let tx = stage.db.store.read(stage.context()).await.expect("reads");
        let mapped = tx.entities_of_client(mine).await.expect("reads");
        assert_eq!(mapped.len(), 1, "it was not mapped");
        assert_eq!(mapped[0].vendor_id, key.to_string());
        assert!(mapped[0].mapping_reason.as_deref().is_some_and(|reason| reason.contains("typed")));
        assert_eq!(tx.unverified_of_client(mine).await.expect("reads"), std::slice::from_ref(&later));
        assert_eq!(stage.journal("mapping_verify").await, 1);
        drop(tx);

        // An id that is somebody else's stays where it is, and says so.
        let tx = stage.db.store.read(stage.context()).await.expect("reads");
        let taken = tx.entities_of(stage.connection).await.expect("reads").into_iter().find(|e| e.client_id.is_none());
        drop(tx);
        let taken = taken.expect("an open one");
        let tx = stage.db.store.begin(stage.context()).await.expect("begins");
        let write = MappingWrite { client: Some(other), state: MappingState::Mapped, reason: None };
        tx.mapping_write(taken.id, &write).await.expect("maps");
        tx.commit("mapping_save", None).await.expect("commits");
        type_id(&stage, mine, &taken.vendor_id).await;
        stage.sync().await;
        let tx = stage.db.store.read(stage.context()).await.expect("reads");
        assert_eq!(tx.entity(taken.id).await.expect("reads").client_id, Some(other), "it was taken away");
        let typed = tx.unverified_of_client(mine).await.expect("reads");
        let problem = typed.iter().find(|typed| typed.vendor_id == taken.vendor_id).and_then(|typed| typed.problem.clone());
        assert!(problem.is_some_and(|problem| problem.contains("another client")), "{typed:?}");
    }

    async fn a_webhook_that_is_signed_starts_a_read_of_what_it_names_and_once(db: TestDb) {
        let stage = stage(db, AUTOTASK, SIZE).await;
        stage.work().await;
        let hear = async |delivery: &Delivery| {
            stage.engine.webhook_hear(stage.organisation, stage.connection, delivery).await
        };
        let signed = |secret: &str| {
            let simulator = stage.simulated.simulator.clone();
            stage.simulated.read(|world| simulator.delivery(world, &Secret::new(secret.to_owned()))).expect("sends them")
        };
        // Before a secret is agreed, nothing is heard.
        assert_eq!(code(hear(&signed(SECRET)).await.expect_err("is refused")), "unauthenticated");
        let tx = stage.db.store.begin(stage.context()).await.expect("begins");
        let short = sync::webhook_set(&tx, ENTRIES, stage.connection, Some("short".to_owned()), String::new).await;
        assert!(matches!(short, Err(Error::Invalid(_))), "a short secret is taken");
        sync::webhook_set(&tx, ENTRIES, stage.connection, None, || SECRET.to_owned()).await.expect("sets");
        tx.commit("connection_webhook_create", None).await.expect("commits");
        assert_eq!(stage.journal("connection_webhook_create").await, 1);

        let runs = stage.runs().await.len();
        assert_eq!(code(hear(&signed("something else")).await.expect_err("is refused")), "unauthenticated");
        let mut changed = signed(SECRET);
        changed.body = [&changed.body[..], b" "].concat().into();
        assert_eq!(code(hear(&changed).await.expect_err("is refused")), "unauthenticated");
        let elsewhere = domain::ConnectionId(uuid::Uuid::from_u128(9));
        let foreign = stage.engine.webhook_hear(stage.organisation, elsewhere, &signed(SECRET)).await;
        assert_eq!(code(foreign.expect_err("is refused")), "unauthenticated");
        stage.advance(10);
        assert_eq!((stage.work().await, stage.runs().await.len()), (0, runs), "a refused one had an effect");

        // Heard once, however often it comes; what it names is read anew.
        let one = signed(SECRET);
        assert_eq!(hear(&one).await.expect("is heard"), 1);
        assert_eq!(hear(&one).await.expect("is heard"), 0, "a repeated one is acted on again");
        stage.advance(10);
        stage.work().await;
        let after = stage.runs().await;
        assert_eq!(after.len(), runs + 1, "{after:?}");
        let kind = RecordKind::parse(&after[0].kind).expect("a kind");
        assert!(matches!(kind, RecordKind::Ticket | RecordKind::Contact | RecordKind::Entity), "{kind:?}");
        assert_eq!((after[0].trigger, after[0].state), (Trigger::Webhook, RunState::Complete));
        stage.assert_true().await;
    }

    async fn a_webhook_waits_for_the_sync_under_way(db: TestDb) {
        let stage = stage(db, AUTOTASK, SIZE).await;
        let tx = stage.db.store.begin(stage.context()).await.expect("begins");
        sync::webhook_set(&tx, ENTRIES, stage.connection, None, || SECRET.to_owned()).await.expect("sets");
        tx.commit("connection_webhook_create", None).await.expect("commits");
        // The first sync is on the queue: the delivery must not be lost behind it.
        let simulator = stage.simulated.simulator.clone();
        let one = stage.simulated.read(|world| simulator.delivery(world, &Secret::new(SECRET.to_owned())));
        let heard = stage.engine.webhook_hear(stage.organisation, stage.connection, &one.expect("sends them")).await;
        assert_eq!(heard.expect("is heard"), 1);
        stage.advance(3);
        stage.work().await;
        for _ in 0..4 {
            stage.advance(6);
            stage.work().await;
        }
        let heard = stage.runs().await.into_iter().filter(|run| run.trigger == Trigger::Webhook).count();
        assert_eq!(heard, 1, "the delivery was lost behind the first sync");
    }
}
