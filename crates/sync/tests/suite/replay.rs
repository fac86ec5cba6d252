//! Replays: what was kept is read again by a connector that reads otherwise, and nobody is asked.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    Error, MappingState, Run, RunState,
    device::{DeviceField, DeviceLock, DeviceOrder, LockTo},
};
use integration::{
    Category, Checked, Connector, Device, Entity, Entry, Item, Page, Position, Pull, RecordKind, Transport, Vendor,
};
use persistence::{DevicePrecedenceRow, JournalFilter, MappingWrite};
use serde_json::Value;
use sync::{Engine, ReplayDiff, Worker};
use testkit::both_databases;

use crate::{
    stage::OPTIONS,
    toy::{Credentials, Toy, ToyStage, device, toy},
};

/// The toy's connector of today: it calls devices by their names in capitals, knows their host names, puts those called
/// "moved" elsewhere, cannot read those called "odd", and fails over those called "burst".
struct Today(Toy);

impl Vendor for Today {
    const ID: &'static str = "toy";
    const NAME: &'static str = "Toy";
    const CATEGORY: Category = Category::RmmAndPsa;
    const ENTITY: (&'static str, &'static str) = ("site", "sites");
    const ENTITY_KIND: &'static str = "toy_site";
    const DOCS: &'static str = "https://toy.example/docs";
    const README: &'static str = "Toy.";
    type Credentials = Credentials;

    fn connect(credentials: Credentials, transport: Arc<dyn Transport>) -> Self {
        Self(Toy::connect(credentials, transport))
    }
}

#[async_trait]
impl Connector for Today {
    async fn check(&self) -> integration::Result<Checked> {
        Ok(Checked::default())
    }
    fn entities(&self) -> Option<&dyn Pull<Entity>> {
        Some(self)
    }
    fn devices(&self) -> Option<&dyn Pull<Device>> {
        Some(self)
    }
}

#[async_trait]
impl Pull<Entity> for Today {
    async fn page(&self, at: Position<'_>) -> integration::Result<Page> {
        Pull::<Entity>::page(&self.0, at).await
    }
    fn read(&self, raw: &[u8]) -> Result<Item<Entity>, String> {
        let mut item = Pull::<Entity>::read(&self.0, raw)?;
        item.record.name = item.record.name.replace("Site", "Place");
        Ok(item)
    }
}

#[async_trait]
impl Pull<Device> for Today {
    async fn page(&self, at: Position<'_>) -> integration::Result<Page> {
        Pull::<Device>::page(&self.0, at).await
    }
    fn read(&self, raw: &[u8]) -> Result<Item<Device>, String> {
        let mut item = Pull::<Device>::read(&self.0, raw)?;
        match item.record.name.as_str() {
            "odd" => return Err("it is odd".to_owned()),
            "burst" => panic!("a connector that fails over old data"),
            "moved" => item.entity = Some("c".to_owned()),
            "plain" => {}
            name => {
                item.record.hostname = Some(name.to_owned());
                item.record.name = name.to_uppercase();
            }
        }
        Ok(item)
    }
}

static TODAY: &[Entry] = &[Entry::of::<Today>()];

fn today(stage: &ToyStage) -> Engine {
    Engine { entries: TODAY, ..stage.engine.clone() }
}

async fn preview(stage: &ToyStage, kinds: Option<&[RecordKind]>) -> ReplayDiff {
    let context = stage.db.context(stage.organisation);
    today(stage).replay_preview(&context, stage.connection, kinds).await.expect("previews")
}

/// Starts a replay as a person would.
async fn start(stage: &ToyStage) -> Result<Run, Error> {
    stage.db.clock.advance(60);
    let tx = stage.db.store.begin(stage.db.context(stage.organisation)).await.expect("begins");
    let diff = preview(stage, None).await;
    sync::replay_note(&tx, stage.connection, &diff);
    let run = sync::replay_start(&tx, stage.connection, None).await?;
    tx.commit("connection_replay", None).await.expect("commits");
    Ok(run)
}

async fn run(stage: &ToyStage, started: &Run) -> Run {
    let tx = stage.db.store.read(stage.db.context(stage.organisation)).await.expect("reads");
    tx.run(started.id).await.expect("is there")
}

async fn journal(stage: &ToyStage, action: &str) -> i64 {
    let tx = stage.db.store.read(stage.db.context(stage.organisation)).await.expect("reads");
    let filter = JournalFilter { action: Some(action.to_owned()), ..JournalFilter::default() };
    tx.journal_list(&filter, &domain::PageRequest::first()).await.expect("lists").total
}

fn hostname(body: &str) -> Value {
    serde_json::from_str::<Value>(body).expect("is JSON")["hostname"].clone()
}

const ROWS: [(&str, &str, &str); 6] = [
    ("1", "a", "one"),
    ("2", "b", "two"),
    ("3", "a", "odd"),
    ("4", "a", "burst"),
    ("5", "b", "moved"),
    ("6", "c", "plain"),
];

async fn furnished(db: testkit::TestDb) -> ToyStage {
    let stage = toy(db).await;
    stage.script.pages("device", &[ROWS.iter().map(|(id, site, name)| device(id, site, name)).collect()]);
    assert_eq!(stage.sync().await.state, RunState::Complete);
    stage
}

both_databases! {
    async fn the_preview_says_what_the_replay_then_does(db: TestDb) {
        let stage = furnished(db).await;
        let before = stage.devices().await;
        let asked = stage.script.asked();
        let diff = preview(&stage, None).await;
        let [sites, devices] = &diff.kinds[..] else { panic!("{:?}", diff.kinds) };
        assert_eq!((sites.kind.as_str(), sites.total, sites.looked, sites.changed), ("entity", 3, 3, 3));
        assert_eq!((devices.total, devices.looked, devices.changed), (6, 6, 3));
        assert_eq!((devices.unchanged, devices.unreadable), (1, 2));
        assert_eq!(diff.differences.len(), 8);
        let of = |id: &str| {
            let found = diff.differences.iter().find(|one| one.kind == "device" && one.vendor_id == id);
            found.unwrap_or_else(|| panic!("nothing of {id}"))
        };
        let fields: Vec<_> = of("1").fields.iter().map(|one| (one.field.as_str(), one.before.as_deref(), one.after.as_deref())).collect();
        assert_eq!(fields, [("hostname", Some("null"), Some("\"one\"")), ("name", Some("\"one\""), Some("\"ONE\""))]);
        assert_eq!(of("3").unreadable.as_deref(), Some("it is odd"));
        assert!(of("4").unreadable.as_deref().is_some_and(|why| why.contains("failed")));
        assert_eq!(of("5").fields[0].field, "entity_id");
        assert_eq!(stage.devices().await, before, "a preview wrote");
        assert_eq!(preview(&stage, None).await, diff, "two previews of the same differ");
        let some = preview(&stage, Some(&[RecordKind::Device])).await;
        assert_eq!((some.kinds.len(), some.differences.len()), (1, 5));

        let started = start(&stage).await.expect("starts");
        assert_eq!((started.kind.as_str(), started.state), ("replay", RunState::Running));
        let worker = Worker::new(today(&stage), OPTIONS);
        assert_eq!(worker.run_until_idle().await.expect("works"), 1);
        let ended = run(&stage, &started).await;
        assert_eq!(ended.state, RunState::Complete, "{ended:?}");
        assert!(ended.counts.adds_up() && ended.finished_at.is_some());
        assert_eq!((ended.counts.listed, ended.expected), (9, Some(9)));
        assert_eq!((ended.counts.changed, ended.counts.unchanged, ended.counts.rejected), (6, 1, 2));
        assert!(ended.message.is_some_and(|why| why.contains("it is odd") && why.contains("2 records")));
        assert_eq!(stage.script.asked(), asked, "the vendor was asked");
        assert_eq!((journal(&stage, "connection_replay").await, journal(&stage, "replay_run").await), (1, 1));

        // What could not be read is as it was; what moved stands under its new site; what is kept is kept.
        let after = stage.devices().await;
        assert_eq!(after.iter().map(|row| row.title.as_str()).collect::<Vec<_>>(), ["ONE", "TWO", "odd", "burst", "moved", "plain"]);
        assert_eq!((hostname(&after[0].body), &after[2], &after[3]), (Value::from("one"), &before[2], &before[3]));
        assert_eq!(after[4].entity_id, before[5].entity_id);
        assert_eq!(after[0].first_seen_at, before[0].first_seen_at);
        assert_eq!(after[5], before[5], "what did not change was written");
        let names: Vec<String> = stage.entities().await.into_iter().map(|entity| entity.name).collect();
        assert_eq!(names, ["Place a", "Place b", "Place c"]);

        // Once more changes nothing, and neither does a sync of today's connector.
        assert_eq!(preview(&stage, None).await.kinds.iter().map(|kind| kind.changed).sum::<i64>(), 0);
        let again = start(&stage).await.expect("starts");
        worker.run_until_idle().await.expect("works");
        let again = run(&stage, &again).await;
        assert_eq!((again.counts.changed, again.state), (0, RunState::Complete));
        assert_eq!(journal(&stage, "replay_run").await, 1, "nothing changed, and there is an entry");
        assert_eq!(stage.devices().await, after);
        let synced = stage.sync_with(&worker).await;
        assert_eq!((synced.counts.changed, synced.counts.added, synced.counts.removed), (0, 0, 0), "{synced:?}");
    }

    async fn a_replay_keeps_what_is_known_and_what_a_person_fixed(db: TestDb) {
        let stage = furnished(db).await;
        let client = stage.db.client(stage.organisation, "Kite").await;
        let site = stage.devices().await[0].entity_id;
        let tx = stage.db.store.begin(stage.db.context(stage.organisation)).await.expect("begins");
        let write = MappingWrite { client: Some(client), state: MappingState::Mapped, reason: None };
        tx.mapping_write(site, &write).await.expect("maps");
        let record = stage.devices().await[0].id;
        let before = tx.client_device_of(client, record).await.expect("finds");
        let lock = DeviceLock {
            id: tx.new_id(),
            client_id: client,
            device_id: before.device.id,
            field: DeviceField::Name,
            to: LockTo::Value("Reception".to_owned()),
            reason: None,
            created_at: tx.now(),
            created_by: None,
            records: [record].into(),
        };
        tx.device_lock_insert(&lock).await.expect("locks");
        tx.devices_rejoin(client).await.expect("joins");
        tx.commit("device_lock", None).await.expect("commits");
        let now = async || {
            let tx = stage.db.store.read(stage.db.context(stage.organisation)).await.expect("reads");
            let device = tx.client_device_of(client, record).await.expect("finds");
            assert_eq!((device.device.id, device.device.name.as_str()), (before.device.id, "Reception"));
            assert_eq!((&device.locks[..], device.sources[0].record.id), (&[lock.clone()][..], record));
            device.sources.into_iter().next().expect("a source")
        };
        start(&stage).await.expect("starts");
        Worker::new(today(&stage), OPTIONS).run_until_idle().await.expect("works");
        let source = now().await;
        assert_eq!((hostname(&source.record.body), source.known), (Value::from("one"), vec![]));
        // Read by the connector of yesterday, which knows no host names: what is known stays known.
        start(&stage).await.expect("starts");
        Worker::new(stage.engine.clone(), OPTIONS).run_until_idle().await.expect("works");
        let source = now().await;
        assert_eq!(hostname(&source.record.body), Value::Null);
        let known: Vec<_> = source.known.iter().map(|known| (known.field, known.value.as_str())).collect();
        assert_eq!(known, [(DeviceField::Hostname, "one")]);
    }

    async fn an_order_of_integrations_gives_names_anew(db: TestDb) {
        let stage = furnished(db).await;
        let client = stage.db.client(stage.organisation, "Kite").await;
        let site = stage.devices().await[0].entity_id;
        let begin = async || stage.db.store.begin(stage.db.context(stage.organisation)).await.expect("begins");
        let tx = begin().await;
        let write = MappingWrite { client: Some(client), state: MappingState::Mapped, reason: None };
        tx.mapping_write(site, &write).await.expect("maps");
        tx.commit("mapping_save", None).await.expect("commits");
        let names = async || {
            let tx = stage.db.store.read(stage.db.context(stage.organisation)).await.expect("reads");
            let page = tx.client_devices(client, None, &domain::PageRequest::first()).await.expect("lists");
            page.items.into_iter().map(|one| one.device.name).collect::<Vec<_>>()
        };
        let before = names().await;
        assert_eq!(before, ["burst", "odd", "one"]);
        stage.db.tamper("UPDATE device SET name = 'of an older order'").await.expect("tampers");
        let tx = begin().await;
        let order = DeviceOrder { all: vec!["toy".to_owned()], ..DeviceOrder::default() };
        tx.device_precedence_save(DevicePrecedenceRow::default(), order).await.expect("saves");
        tx.commit("device_precedence_set", None).await.expect("commits");
        assert_eq!(Worker::new(stage.engine.clone(), OPTIONS).run_until_idle().await.expect("works"), 1);
        assert_eq!(names().await, before);
    }

    async fn a_replay_and_a_sync_wait_for_one_another(db: TestDb) {
        let stage = furnished(db).await;
        let started = start(&stage).await.expect("starts");
        let refused = start(&stage).await.expect_err("is refused");
        assert!(matches!(refused, Error::Conflict { code: "sync_pending", .. }), "{refused:?}");
        let tx = stage.db.store.begin(stage.db.context(stage.organisation)).await.expect("begins");
        let pending = sync::sync_start(&tx, TODAY, stage.connection, None).await.expect("is told");
        assert!(pending.pending, "a sync would run beside the replay");
        tx.rollback().await.expect("rolls back");
        Worker::new(today(&stage), OPTIONS).run_until_idle().await.expect("works");
        assert_eq!(run(&stage, &started).await.state, RunState::Complete);
        assert_eq!(stage.sync().await.state, RunState::Complete);
    }

    async fn a_large_one_goes_in_pieces_and_is_looked_at_in_part(db: TestDb) {
        let stage = toy(db).await;
        let pages: Vec<Vec<String>> =
            (0..3).map(|page| (0..750).map(|n| device(page * 750 + n, "a", &format!("d{n}"))).collect()).collect();
        stage.script.pages("device", &pages);
        assert_eq!(stage.sync().await.counts.added, 2_250);
        let diff = preview(&stage, Some(&[RecordKind::Device])).await;
        assert_eq!((diff.kinds[0].total, diff.kinds[0].looked, diff.kinds[0].changed), (2_250, 2_000, 2_000));
        assert_eq!(diff.differences.len(), 100);
        let started = start(&stage).await.expect("starts");
        Worker::new(today(&stage), OPTIONS).run_until_idle().await.expect("works");
        let ended = run(&stage, &started).await;
        assert_eq!((ended.state, ended.counts.changed), (RunState::Complete, 2_253));
        assert_eq!(ended.pages, 6, "one piece of sites, five of devices");
        assert!(stage.titles().await.iter().all(|(_, title)| title.starts_with('D')));
    }

    async fn a_disconnected_one_is_replayed_and_one_without_credentials_is_not(db: TestDb) {
        let stage = furnished(db).await;
        let tx = stage.db.store.begin(stage.db.context(stage.organisation)).await.expect("begins");
        sync::connection_disconnect(&tx, TODAY, stage.connection).await.expect("disconnects");
        tx.commit("connection_disconnect", None).await.expect("commits");
        let worker = Worker::new(today(&stage), OPTIONS);
        let started = start(&stage).await.expect("starts");
        worker.run_until_idle().await.expect("works");
        assert_eq!(run(&stage, &started).await.state, RunState::Complete);

        let before = stage.devices().await;
        let started = start(&stage).await.expect("starts");
        stage.db.tamper("UPDATE connection SET credentials = NULL").await.expect("tampers");
        worker.run_until_idle().await.expect("works");
        let ended = run(&stage, &started).await;
        assert_eq!(ended.state, RunState::Failed);
        assert!(ended.message.is_some_and(|why| why.contains("reconnect")));
        assert_eq!(stage.devices().await, before);
        let context = stage.db.context(stage.organisation);
        let refused = today(&stage).replay_preview(&context, stage.connection, None).await.expect_err("is refused");
        assert!(matches!(refused, Error::Conflict { code: "no_credentials", .. }), "{refused:?}");
    }

    async fn a_connector_that_fails_over_everything_is_soon_given_no_more(db: TestDb) {
        let stage = toy(db).await;
        stage.script.pages("device", &[(0..60).map(|n| device(n, "a", "burst")).collect()]);
        assert_eq!(stage.sync().await.counts.added, 60);
        let before = stage.devices().await;
        let diff = preview(&stage, Some(&[RecordKind::Device])).await;
        assert_eq!((diff.kinds[0].unreadable, diff.kinds[0].changed), (60, 0));
        let given_up = diff.differences.iter().filter(|one| one.unreadable.as_deref().is_some_and(|why| why.contains("too often")));
        assert_eq!(given_up.count(), 40);
        let started = start(&stage).await.expect("starts");
        Worker::new(today(&stage), OPTIONS).run_until_idle().await.expect("works");
        let ended = run(&stage, &started).await;
        assert_eq!((ended.state, ended.counts.rejected, ended.counts.changed), (RunState::Complete, 60, 3));
        assert_eq!(stage.devices().await, before);
    }

    async fn what_a_person_changed_at_the_vendor_is_left_to_the_next_sync(db: TestDb) {
        let stage = furnished(db).await;
        // The hash of such a record is that of no text of the vendor.
        let changed = stage.db.tamper("UPDATE record SET raw_hash = content_hash WHERE vendor_id = '1'").await;
        assert_eq!(changed.expect("tampers"), 1);
        let diff = preview(&stage, Some(&[RecordKind::Device])).await;
        let one = diff.differences.iter().find(|one| one.vendor_id == "1").expect("is told");
        assert!(one.unreadable.as_deref().is_some_and(|why| why.contains("a person changed it")), "{one:?}");
    }

    async fn an_interrupted_one_goes_on_where_it_was(db: TestDb) {
        let stage = toy(db).await;
        let pages: Vec<Vec<String>> =
            (0..2).map(|page| (0..750).map(|n| device(page * 750 + n, "a", &format!("d{n}"))).collect()).collect();
        stage.script.pages("device", &pages);
        stage.sync().await;
        let started = start(&stage).await.expect("starts");
        let engine = today(&stage);
        let mut steps = 0;
        loop {
            stage.db.clock.advance(60);
            let across = stage.db.store.across().await.expect("begins");
            let lease = chrono::TimeDelta::seconds(30);
            let claimed = across.jobs_claim(1, stage.db.now(), lease).await.expect("claims");
            across.commit().await.expect("commits");
            assert!(steps < 2_000, "it does not end");
            let Some(job) = claimed.into_iter().find(|job| job.kind == "replay") else {
                // PostgreSQL may still be ending what was dropped.
                steps += 1;
                continue;
            };
            let stop = tokio_util::sync::CancellationToken::new();
            // Dropped in the middle, as a worker that dies drops it; the lease runs out.
            let limit = std::time::Duration::from_millis(50 << steps.min(8));
            let ended = tokio::time::timeout(limit, engine.handle(&job, &stop)).await;
            steps += 1;
            if let Ok(sync::Ended::Finish(outcome)) = ended {
                let across = stage.db.store.across().await.expect("begins");
                across.job_finish(&job, &outcome, stage.db.now()).await.expect("finishes");
                across.commit().await.expect("commits");
                break;
            }
        }
        let ended = run(&stage, &started).await;
        assert_eq!((ended.state, ended.counts.listed, ended.counts.changed), (RunState::Complete, 1_503, 1_503), "{ended:?}");
        assert!(ended.counts.adds_up());
        assert!(stage.titles().await.iter().all(|(_, title)| title.starts_with('D')));
    }
}
