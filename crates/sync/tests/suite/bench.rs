//! A client at a vendor at which everything can be done, and what a test asks of it.

use std::sync::{Arc, Mutex};

use domain::{ChangeSet, ClientId, Context, EntityId, Error, MappingState, OrganisationId, Record, RecordId};
use integration::{Checked, RecordKind as K, TicketDraft};
use persistence::{Apply, JournalFilter, MappingWrite, VendorWriteState};
use serde_json::{Value, json};
use sync::{Act, Acted, Acting, Asking, Engine, Idempotency, NewConnection, TicketCreate, Worker};
use testkit::TestDb;

use crate::{
    desk::{ENTRIES, Table, Trouble, Wire},
    stage::OPTIONS,
};

/// A client with one of everything at the desk.
pub struct Bench {
    pub db: TestDb,
    pub engine: Engine,
    pub worker: Worker,
    pub table: Arc<Mutex<Table>>,
    pub organisation: OrganisationId,
    pub connection: domain::ConnectionId,
    pub client: ClientId,
    /// The client's entity at the desk.
    pub entity: EntityId,
}

/// A client with one of everything at the desk; a second site with a contact is nobody's.
pub async fn bench(db: TestDb) -> Bench {
    let table = Arc::new(Mutex::new(Table::default()));
    let row = |id: &str, more: Value| {
        let mut row = json!({ "id": id, "site": "a" });
        row.as_object_mut().expect("a row").extend(more.as_object().cloned().expect("fields"));
        row
    };
    table.lock().expect("is whole").rows.extend([
        ("site".to_owned(), vec![json!({ "id": "a", "name": "Site A" }), json!({ "id": "b", "name": "Site B" })]),
        (
            "location".to_owned(),
            vec![row("l1", json!({ "name": "Front office" })), json!({ "id": "l2", "site": "b", "name": "Elsewhere" })],
        ),
        (
            "contact".to_owned(),
            vec![
                row("c1", json!({ "name": "Ada Ames", "email": "ada@kite.example" })),
                json!({ "id": "c2", "site": "b", "name": "Bo Bell" }),
            ],
        ),
        ("threat".to_owned(), vec![row("h1", json!({ "title": "Eicar", "status": "active" }))]),
        ("ticket".to_owned(), vec![row("t1", json!({ "title": "Printer", "status_id": "new" }))]),
        ("document".to_owned(), vec![row("d1", json!({ "title": "Network", "archived": false }))]),
    ]);
    let wire = Wire(table.clone(), db.now());
    let engine = Engine { store: db.store.clone(), entries: ENTRIES, dial: Arc::new(wire) };
    let organisation = db.organisation("Desk").await;
    let tx = db.store.begin(db.context(organisation)).await.expect("begins");
    let credentials = [("token".to_owned(), Value::from("t0ken-of-the-desk"))].into_iter().collect();
    let input = NewConnection { integration: "desk".into(), credentials, ..NewConnection::default() };
    let made = sync::connection_create(&tx, ENTRIES, &input, Some(&Checked::default())).await.expect("creates");
    tx.commit("connection_create", None).await.expect("commits");
    let worker = Worker::new(engine.clone(), OPTIONS);
    worker.run_until_idle().await.expect("works");
    let client = db.client(organisation, "Kite").await;
    let tx = db.store.begin(db.context(organisation)).await.expect("begins");
    let entity = sync::entity_id(made.id, "a");
    let mapping = MappingWrite { client: Some(client), state: MappingState::Mapped, reason: None };
    tx.mapping_write(entity, &mapping).await.expect("maps");
    tx.commit("mapping_save", None).await.expect("commits");
    db.clock.advance(60);
    Bench { db, engine, worker, table, organisation, connection: made.id, client, entity }
}

pub fn text(value: &str) -> Option<String> {
    Some(value.to_owned())
}

impl Bench {
    pub fn context(&self) -> Context {
        self.db.context(self.organisation)
    }

    pub fn id(&self, kind: K, vendor_id: &str) -> RecordId {
        sync::record_id(self.connection, kind, None, vendor_id)
    }

    pub async fn ask(&self, act: impl Act, apply: Apply, key: Option<&str>) -> Result<Acting, Error> {
        self.ask_as(&self.context(), self.client, act, apply, key).await
    }

    pub async fn ask_as(
        &self,
        context: &Context,
        client: ClientId,
        act: impl Act,
        apply: Apply,
        key: Option<&str>,
    ) -> Result<Acting, Error> {
        let key = key.map(|key| {
            let request = format!("{} {}", act.action(), act.wanted()).into_bytes();
            let keep: sync::Keep = Arc::new(|acted| (200, acted.set.digest.clone()));
            (Idempotency { caller: "staff:1".into(), key: key.into(), request }, keep)
        });
        self.engine.act(context, Arc::new(act), Asking { client, apply, key }).await
    }

    pub async fn done(&self, act: impl Act) -> Acted {
        match self.ask(act, Apply::default(), None).await.expect("does it") {
            Acting::Acted(acted) => *acted,
            Acting::Repeated { answer, .. } => panic!("was answered before: {answer}"),
        }
    }

    /// Previews, checks that nothing was sent, and does what was previewed.
    pub async fn seen_and_done<A: Act + Clone>(&self, act: A) -> Acted {
        let before = self.writes();
        let action = act.action();
        let preview = self.preview(act.clone()).await.expect("previews");
        assert_eq!(self.writes(), before, "a preview of {action} was sent");
        assert_eq!(self.journal(action).await, Vec::<Value>::new(), "a preview of {action} was journalled");
        let moved = Apply { expect: Some("something else".to_owned()), ..Apply::default() };
        let error = self.ask(act.clone(), moved, None).await.expect_err("is not what was expected");
        assert!(matches!(error, Error::Moved(_)), "{error}");
        assert_eq!(self.writes(), before, "{action} was sent although something else was expected");
        let expect = Apply { expect: Some(preview.digest.clone()), ..Apply::default() };
        let Acting::Acted(acted) = self.ask(act, expect, None).await.expect("does it") else {
            panic!("was done before")
        };
        assert_eq!((&acted.set.digest, acted.set.changes.len()), (&preview.digest, 1), "{action}");
        assert!(acted.set.entry.is_some(), "{action} has no entry");
        assert_eq!(self.writes().len(), before.len() + 1, "{action} was not sent just once: {:?}", self.writes());
        *acted
    }

    pub async fn preview(&self, act: impl Act) -> Result<ChangeSet, Error> {
        let apply = Apply { dry_run: true, ..Apply::default() };
        match self.ask(act, apply, None).await? {
            Acting::Acted(acted) => Ok(acted.set),
            Acting::Repeated { answer, .. } => panic!("was answered before: {answer}"),
        }
    }

    pub fn writes(&self) -> Vec<String> {
        self.table.lock().expect("is whole").writes.clone()
    }

    pub fn trouble(&self, trouble: Trouble) {
        self.table.lock().expect("is whole").trouble = Some(trouble);
    }

    pub fn at_vendor(&self, kind: &str) -> Vec<Value> {
        self.table.lock().expect("is whole").rows[kind].clone()
    }

    /// What changes the vendor's row of this id, behind our back.
    pub fn meanwhile(&self, kind: &str, id: &str, field: &str, value: &str) {
        let mut table = self.table.lock().expect("is whole");
        let rows = table.rows.get_mut(kind).expect("rows");
        rows.iter_mut().find(|row| row["id"] == id).expect("a row")[field] = value.into();
    }

    pub async fn stored(&self, kind: &str) -> Vec<Record> {
        let tx = self.db.store.read(self.context()).await.expect("reads");
        tx.records_under(&[self.entity], kind).await.expect("lists")
    }

    /// Reasons and changes of the entries of an action, as JSON.
    pub async fn journal(&self, action: &str) -> Vec<Value> {
        let tx = self.db.store.read(self.context()).await.expect("reads");
        let filter = JournalFilter { action: Some(action.to_owned()), ..JournalFilter::default() };
        let listed = tx.journal_list(&filter, &domain::PageRequest::first()).await.expect("lists").items;
        listed.iter().map(|entry| json!([entry.outcome, entry.reason, entry.changes])).collect()
    }

    pub async fn write_state(&self, id: RecordId) -> Option<VendorWriteState> {
        let tx = self.db.store.read(self.context()).await.expect("reads");
        tx.vendor_write_latest(id).await.expect("reads").map(|write| write.state)
    }

    /// Syncs, and says what changed of a kind: added, changed, removed.
    pub async fn sync(&self, kind: &str) -> (i64, i64, i64) {
        self.db.clock.advance(3_600);
        let tx = self.db.store.begin(self.context()).await.expect("begins");
        sync::sync_start(&tx, ENTRIES, self.connection, None).await.expect("starts");
        tx.commit_unjournalled().await.expect("commits");
        self.worker.run_until_idle().await.expect("works");
        let tx = self.db.store.read(self.context()).await.expect("reads");
        let page = domain::PageRequest { limit: 100, after: None };
        let mut runs = tx.run_list(Some(self.connection), None, &page).await.expect("lists").items;
        runs.retain(|run| run.kind == kind);
        let run = runs.into_iter().max_by_key(|run| run.started_at).expect("there is one");
        assert_eq!((run.counts.rejected, run.counts.repeated), (0, 0), "{run:?}");
        (run.counts.added, run.counts.changed, run.counts.removed)
    }

    pub fn ticket(&self) -> TicketCreate {
        let contact = Some(self.id(K::Contact, "c1"));
        let draft = TicketDraft { title: text("No network"), status_id: text("new"), ..TicketDraft::default() };
        TicketCreate { entity: self.entity, contact, draft }
    }
}
