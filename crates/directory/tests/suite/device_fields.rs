//! Which value of a field is shown, who said it, and what a person fixed.

use directory::{
    DeviceFact, Teller, device_facts, device_join, device_lock, device_precedence_effect, device_precedence_set,
    device_split, device_unlock,
};
use domain::{
    ClientId, ClientScope, ConnectionId, Context, DeviceId, Error, RecordId,
    device::{ChosenBy, DeviceField, DeviceOrder, LockTo, Trade},
};
use persistence::{ListedDevice, Tx};
use testkit::both_databases;
use uuid::Uuid;

use crate::house::{House, PAGE, Source, conflict, problems};

const FRONT: &str = r#"{"name":"FRONT-1","serial":"5CG1234ABC","os":"Windows 11 Pro","model":"ProDesk",
    "manufacturer":"HP","last_user":"jo","last_contact_at":"2026-11-20T00:00:00Z"}"#;
const FRONT_SEEN: &str = r#"{"name":"front-1","hostname":"front-1.kite.local","serial":"5CG1234ABC","os":"Windows",
    "model":"HP ProDesk 600","last_user":"ana","last_contact_at":"2026-11-21T00:00:00Z"}"#;
/// The same without what the vendor said of the maker and of who uses it.
const FRONT_BLANK: &str = r#"{"name":"FRONT-1","serial":"5CG1234ABC","os":"Windows 11 Pro","model":"ProDesk",
    "manufacturer":"To Be Filled By O.E.M.","last_user":" ","last_contact_at":"2026-11-22T00:00:00Z"}"#;
const BACK: &str = r#"{"name":"BACK-1","serial":"5CG9999XYZ","model":"Latitude"}"#;

const NINJA: RecordId = RecordId(Uuid::from_u128(1));
const MICROSOFT: RecordId = RecordId(Uuid::from_u128(3));

fn record(id: u128) -> RecordId {
    RecordId(Uuid::from_u128(id))
}

/// A machine that two vendors know, at a client.
struct Stage<'a> {
    house: House<'a>,
    ninja: Source,
    microsoft: Source,
    there: domain::EntityId,
    here: domain::EntityId,
    kite: ClientId,
}

impl<'a> Stage<'a> {
    async fn new(db: &'a testkit::TestDb) -> Self {
        let house = House::new(db).await;
        let (ninja, microsoft) = (house.ninja().await, house.microsoft().await);
        let kite = house.client("Kite").await;
        let (there, here) = (house.entity(ninja, "Kite").await, house.entity(microsoft, "Kite Ltd").await);
        house.map(&[there, here], kite).await;
        house.observe(ninja, there, &[(NINJA, "FRONT-1", FRONT)]).await;
        house.observe(microsoft, here, &[(MICROSOFT, "front-1", FRONT_SEEN)]).await;
        Self { house, ninja, microsoft, there, here, kite }
    }

    fn teller(&self, connection: ConnectionId) -> Option<Teller> {
        let known = [(self.ninja, Trade::Management), (self.microsoft, Trade::Registry)];
        let (source, trade) = known.into_iter().find(|(source, _)| source.id == connection)?;
        Some(Teller { integration: source.integration.to_owned(), trade })
    }

    async fn devices(&self) -> Vec<ListedDevice> {
        let tx = self.house.read().await;
        tx.client_devices(self.kite, None, &PAGE).await.expect("lists").items
    }

    /// The device that has this observation.
    async fn device(&self, observation: RecordId) -> ListedDevice {
        let tx = self.house.read().await;
        tx.client_device_of(self.kite, observation).await.expect("finds")
    }

    async fn fact(&self, observation: RecordId, field: DeviceField) -> DeviceFact {
        let device = self.device(observation).await;
        let order = self.house.read().await.device_precedence().await.expect("reads").order;
        let facts = device_facts(&device, &order, |connection| self.teller(connection));
        let fact = facts.into_iter().find(|fact| fact.field == field).expect("every field");
        if field == DeviceField::Name {
            let shown = fact.choice.as_ref().map(|choice| choice.value.clone()).unwrap_or_default();
            assert_eq!(device.device.name, shown, "the name that lists are sorted by is the one that is chosen");
        }
        fact
    }

    /// What is shown of the machine at the front desk, who says it and why.
    async fn shown(&self, field: DeviceField) -> Option<(String, ChosenBy, Option<RecordId>)> {
        self.shown_of(MICROSOFT, field).await
    }

    async fn shown_of(
        &self,
        observation: RecordId,
        field: DeviceField,
    ) -> Option<(String, ChosenBy, Option<RecordId>)> {
        self.fact(observation, field).await.choice.map(|choice| (choice.value, choice.by, choice.source))
    }

    async fn lock(&self, device: DeviceId, field: DeviceField, to: LockTo) -> domain::ChangeSet {
        let tx = self.house.begin().await;
        device_lock(&tx, self.kite, device, field, to, Some("checked on site")).await.expect("locks");
        tx.commit("device_lock", None).await.expect("commits")
    }

    async fn unlock(&self, device: DeviceId, field: DeviceField) -> domain::ChangeSet {
        let tx = self.house.begin().await;
        device_unlock(&tx, self.kite, device, field).await.expect("unlocks");
        tx.commit("device_unlock", None).await.expect("commits")
    }

    async fn prefer(&self, order: DeviceOrder) -> domain::ChangeSet {
        let tx = self.house.begin().await;
        device_precedence_set(&tx, order, None, |_| true).await.expect("sets");
        tx.commit("device_precedence_set", None).await.expect("commits")
    }

    /// What the job does after the order changed.
    async fn name_anew(&self) {
        let mut after = None;
        loop {
            let tx = self.worker().await;
            after = tx.devices_name_anew(after).await.expect("names");
            tx.commit_unjournalled().await.expect("commits");
            if after.is_none() {
                return;
            }
        }
    }

    async fn worker(&self) -> Tx {
        let context = Context::worker(self.house.organisation, self.house.db.now(), "names");
        self.house.db.store.begin(context).await.expect("begins")
    }
}

fn by_hand(value: &str) -> LockTo {
    LockTo::Value(value.to_owned())
}

fn order(all: &[&str]) -> DeviceOrder {
    DeviceOrder { all: all.iter().map(|id| (*id).to_owned()).collect(), ..DeviceOrder::default() }
}

fn shown(value: &str, by: ChosenBy, source: RecordId) -> Option<(String, ChosenBy, Option<RecordId>)> {
    Some((value.to_owned(), by, Some(source)))
}

both_databases! {
    async fn of_two_vendors_that_disagree_the_order_decides_and_both_are_shown(db: TestDb) {
        let stage = Stage::new(&db).await;
        assert_eq!(stage.shown(DeviceField::Os).await, shown("Windows 11 Pro", ChosenBy::UsualOrder, NINJA));
        assert_eq!(stage.shown(DeviceField::Model).await, shown("HP ProDesk 600", ChosenBy::UsualOrder, MICROSOFT));
        assert_eq!(stage.shown(DeviceField::LastUser).await, shown("ana", ChosenBy::Freshest, MICROSOFT));
        assert_eq!(stage.shown(DeviceField::Manufacturer).await, shown("HP", ChosenBy::Alone, NINJA));
        assert_eq!(stage.shown(DeviceField::PublicIp).await, None);
        let others: Vec<RecordId> =
            stage.fact(NINJA, DeviceField::Os).await.candidates.iter().map(|one| one.record_id).collect();
        assert_eq!(others, [NINJA, MICROSOFT]);
        // Whoever was synced first changes nothing.
        stage.house.observe(stage.ninja, stage.there, &[(NINJA, "FRONT-1", FRONT)]).await;
        assert_eq!(stage.shown(DeviceField::LastUser).await, shown("ana", ChosenBy::Freshest, MICROSOFT));
    }

    async fn a_blank_does_not_overwrite_what_is_known(db: TestDb) {
        let stage = Stage::new(&db).await;
        db.clock.advance(60);
        stage.house.observe(stage.ninja, stage.there, &[(NINJA, "FRONT-1", FRONT_BLANK)]).await;
        let maker = stage.fact(NINJA, DeviceField::Manufacturer).await;
        assert_eq!(maker.choice.map(|choice| choice.value).as_deref(), Some("HP"));
        assert_eq!(maker.candidates[0].blank_since, Some(db.now()));
        // Who says something now comes before who said something once.
        assert_eq!(stage.shown(DeviceField::LastUser).await, shown("ana", ChosenBy::Alone, MICROSOFT));
        // Blank again keeps when it began, and what was known.
        let began = db.now();
        db.clock.advance(60);
        let again = FRONT_BLANK.replace("Windows 11 Pro", "Windows 12");
        stage.house.observe(stage.ninja, stage.there, &[(NINJA, "FRONT-1", &again)]).await;
        let maker = stage.fact(NINJA, DeviceField::Manufacturer).await;
        assert_eq!((maker.candidates[0].value.as_str(), maker.candidates[0].blank_since), ("HP", Some(began)));
        // Said again, it is what is said.
        let said = FRONT.replace(r#""HP""#, r#""Hewlett""#);
        stage.house.observe(stage.ninja, stage.there, &[(NINJA, "FRONT-1", &said)]).await;
        let maker = stage.fact(NINJA, DeviceField::Manufacturer).await;
        assert_eq!((maker.candidates[0].value.as_str(), maker.candidates[0].blank_since), ("Hewlett", None));
    }

    async fn what_is_known_of_a_machine_does_not_go_with_it_to_another_customer(db: TestDb) {
        let stage = Stage::new(&db).await;
        let crane = stage.house.client("Crane").await;
        let elsewhere = stage.house.entity(stage.ninja, "Crane").await;
        stage.house.map(&[elsewhere], crane).await;
        stage.house.observe(stage.ninja, stage.there, &[(NINJA, "FRONT-1", FRONT_BLANK)]).await;
        stage.house.observe(stage.ninja, elsewhere, &[(NINJA, "FRONT-1", FRONT_BLANK)]).await;
        let tx = stage.house.read().await;
        let moved = tx.client_devices(crane, None, &PAGE).await.expect("lists").items.remove(0);
        assert_eq!(moved.sources[0].known, []);
        let facts = device_facts(&moved, &DeviceOrder::default(), |connection| stage.teller(connection));
        assert!(facts.iter().all(|fact| fact.field != DeviceField::Manufacturer || fact.choice.is_none()));
    }

    async fn a_lock_survives_every_sync_and_an_unlock_falls_back(db: TestDb) {
        let stage = Stage::new(&db).await;
        let device = stage.device(NINJA).await.device.id;
        let tx = stage.house.begin().await;
        let to = by_hand(" Reception ");
        let locked = device_lock(&tx, stage.kite, device, DeviceField::Name, to.clone(), Some("asked")).await.expect("locks");
        assert_eq!(locked.device.name, "Reception");
        let planned = tx.preview().await.expect("previews");
        assert_ne!(stage.device(NINJA).await.device.name, "Reception");
        let tx = stage.house.begin().await;
        device_lock(&tx, stage.kite, device, DeviceField::Name, to, Some("asked")).await.expect("locks");
        let done = tx.commit("device_lock", None).await.expect("commits");
        assert_eq!((&done.digest, done.changes.len()), (&planned.digest, 1));
        assert_eq!((done.changes[0].kind.as_str(), done.changes[0].client_id), ("device_lock", Some(stage.kite)));
        stage.lock(device, DeviceField::Os, by_hand("Windows 11 LTSC")).await;
        stage.lock(device, DeviceField::Model, LockTo::Connection(stage.ninja.id)).await;
        for round in 0..2 {
            let hand = |value: &str| Some((value.to_owned(), ChosenBy::Lock, None));
            assert_eq!(stage.shown(DeviceField::Name).await, hand("Reception"), "{round}");
            assert_eq!(stage.shown(DeviceField::Os).await, hand("Windows 11 LTSC"), "{round}");
            assert_eq!(stage.shown(DeviceField::Model).await, shown("ProDesk", ChosenBy::Lock, NINJA), "{round}");
            let again = FRONT_SEEN.replace("HP ProDesk 600", "Something Else");
            stage.house.observe(stage.microsoft, stage.here, &[(MICROSOFT, "front-one", &again)]).await;
            stage.house.observe(stage.ninja, stage.there, &[(NINJA, "FRONT-ONE", FRONT)]).await;
        }
        // Found by its new name.
        let found = stage.house.read().await.client_devices(stage.kite, Some("recep"), &PAGE).await.expect("finds");
        assert_eq!(found.total, 1);
        // The same again changes nothing, something else one row.
        let before = stage.house.entries().await;
        stage.lock(device, DeviceField::Os, by_hand("Windows 11 LTSC")).await;
        assert_eq!(stage.house.entries().await, before);
        let other = stage.lock(device, DeviceField::Os, by_hand("Windows 12")).await;
        assert_eq!(other.changes.len(), 1);
        for field in [DeviceField::Name, DeviceField::Os, DeviceField::Model] {
            stage.unlock(device, field).await;
        }
        assert_eq!(stage.shown(DeviceField::Name).await.map(|shown| shown.1), Some(ChosenBy::Most));
        assert_eq!(stage.shown(DeviceField::Os).await, shown("Windows 11 Pro", ChosenBy::UsualOrder, NINJA));
        assert_eq!(stage.shown(DeviceField::Model).await, shown("Something Else", ChosenBy::UsualOrder, MICROSOFT));
        let tx = stage.house.begin().await;
        assert_eq!(conflict(device_unlock(&tx, stage.kite, device, DeviceField::Os).await).0, "not_locked");
    }

    async fn when_a_vendor_is_gone_the_next_is_shown_and_a_lock_to_it_waits(db: TestDb) {
        let stage = Stage::new(&db).await;
        let device = stage.device(NINJA).await.device.id;
        stage.lock(device, DeviceField::Class, by_hand("SERVER")).await;
        stage.lock(device, DeviceField::Model, LockTo::Connection(stage.ninja.id)).await;
        stage.house.vanish_records(stage.ninja, &[NINJA]).await;
        assert_eq!(stage.shown(DeviceField::Os).await, shown("Windows", ChosenBy::Alone, MICROSOFT));
        assert_eq!(stage.shown(DeviceField::Manufacturer).await, None);
        assert_eq!(stage.shown(DeviceField::Model).await, shown("HP ProDesk 600", ChosenBy::Alone, MICROSOFT));
        assert_eq!(stage.shown(DeviceField::Class).await, Some(("SERVER".to_owned(), ChosenBy::Lock, None)));
        // Then the machine is gone altogether, and comes back: under another id, with what was fixed.
        stage.house.vanish_records(stage.microsoft, &[MICROSOFT]).await;
        assert_eq!(stage.devices().await, []);
        stage.house.observe(stage.ninja, stage.there, &[(NINJA, "FRONT-1", FRONT)]).await;
        assert_ne!(stage.device(NINJA).await.device.id, device);
        let class = stage.shown_of(NINJA, DeviceField::Class).await;
        assert_eq!(class, Some(("SERVER".to_owned(), ChosenBy::Lock, None)));
        assert_eq!(stage.shown_of(NINJA, DeviceField::Model).await, shown("ProDesk", ChosenBy::Lock, NINJA));
        // Not to whoever it is mapped to next, unless that is the same client.
        let crane = stage.house.client("Crane").await;
        stage.house.decide(&[stage.there], directory::Target::Nobody).await;
        stage.house.map(&[stage.there], crane).await;
        let theirs = stage.house.read().await.client_devices(crane, None, &PAGE).await.expect("lists").items;
        assert_eq!((theirs.len(), theirs[0].locks.len()), (1, 0));
        stage.house.decide(&[stage.there], directory::Target::Nobody).await;
        stage.house.map(&[stage.there], stage.kite).await;
        assert_eq!(stage.device(NINJA).await.locks.len(), 2);
    }

    async fn locks_follow_their_machines_through_joins_and_splits(db: TestDb) {
        let stage = Stage::new(&db).await;
        stage.house.observe(stage.ninja, stage.there, &[(NINJA, "FRONT-1", FRONT), (record(2), "BACK-1", BACK)]).await;
        let (front, back) = (stage.device(NINJA).await.device.id, stage.device(record(2)).await.device.id);
        stage.lock(front, DeviceField::Name, by_hand("Reception")).await;
        db.clock.advance(60);
        stage.lock(back, DeviceField::Name, by_hand("Store room")).await;
        stage.lock(back, DeviceField::LastUser, by_hand("nobody")).await;
        let tx = stage.house.begin().await;
        device_join(&tx, stage.kite, front, &[back]).await.expect("joins");
        let joined = tx.commit("device_join", None).await.expect("commits");
        assert!(joined.changes.iter().all(|change| change.kind == "device_ruling"), "locks only follow");
        assert_eq!(stage.devices().await.len(), 1);
        let name = stage.shown(DeviceField::Name).await.map(|shown| shown.0);
        assert_eq!(name.as_deref(), Some("Store room"), "decided last");
        let user = stage.shown(DeviceField::LastUser).await.map(|shown| shown.0);
        assert_eq!(user.as_deref(), Some("nobody"));
        let whole = stage.device(NINJA).await.device.id;
        let tx = stage.house.begin().await;
        device_split(&tx, stage.kite, whole, &[record(2)]).await.expect("splits");
        tx.commit("device_split", None).await.expect("commits");
        for (observation, name, user) in [(NINJA, "Reception", "ana"), (record(2), "Store room", "nobody")] {
            let found = async |field| stage.shown_of(observation, field).await.map(|shown| shown.0);
            assert_eq!(found(DeviceField::Name).await.as_deref(), Some(name));
            assert_eq!(found(DeviceField::LastUser).await.as_deref(), Some(user));
        }
        // Locked while they are one, it is one decision: the other is gone.
        let tx = stage.house.begin().await;
        device_join(&tx, stage.kite, stage.device(NINJA).await.device.id, &[stage.device(record(2)).await.device.id])
            .await
            .expect("joins");
        tx.commit("device_join", None).await.expect("commits");
        let whole = stage.device(NINJA).await.device.id;
        let done = stage.lock(whole, DeviceField::Name, by_hand("Front and back")).await;
        assert_eq!(done.changes.len(), 2, "one is decided otherwise, one is taken away");
        assert_eq!(stage.device(NINJA).await.locks.len(), 2);
        stage.house.entries().await;
    }

    async fn the_order_of_an_organisation_holds_at_once_and_names_follow(db: TestDb) {
        let stage = Stage::new(&db).await;
        let by_name = async || stage.devices().await[0].device.name.clone();
        assert_eq!(by_name().await, "FRONT-1", "as many say so: the first");
        let wanted = order(&["microsoft365"]);
        let tx = stage.house.read().await;
        let effect = device_precedence_effect(&tx, &wanted, |connection| stage.teller(connection)).await.expect("counts");
        assert_eq!(effect, 1);
        let done = stage.prefer(wanted.clone()).await;
        assert_eq!((done.changes.len(), done.changes[0].kind.as_str()), (1, "device_precedence"));
        assert_eq!(stage.shown(DeviceField::Os).await, shown("Windows", ChosenBy::Order, MICROSOFT));
        stage.name_anew().await;
        assert_eq!(by_name().await, "front-1.kite.local");
        let tx = stage.house.read().await;
        let effect = device_precedence_effect(&tx, &wanted, |connection| stage.teller(connection)).await.expect("counts");
        assert_eq!(effect, 0, "it holds already");
        // A sync chooses by it.
        stage.house.observe(stage.ninja, stage.there, &[(NINJA, "FRONT-1", FRONT)]).await;
        assert_eq!(by_name().await, "front-1.kite.local");
        assert_eq!(stage.prefer(wanted).await.changes.len(), 0, "the same again");
        // Two orders of which the second rests on the first: that one is not taken back alone.
        let later = stage.prefer(order(&["ninjaone"])).await;
        assert_eq!(problems(stage.house.revert(done.entry, &[]).await).len(), 1);
        stage.house.revert(later.entry, &[]).await.expect("reverts");
        assert_eq!(stage.shown(DeviceField::Os).await, shown("Windows", ChosenBy::Order, MICROSOFT));
        stage.house.revert(done.entry, &[]).await.expect("reverts");
        stage.name_anew().await;
        assert_eq!(stage.shown(DeviceField::Os).await, shown("Windows 11 Pro", ChosenBy::UsualOrder, NINJA));
        assert_eq!(by_name().await, "FRONT-1");
        stage.house.entries().await;
    }

    async fn what_was_fixed_is_reverted(db: TestDb) {
        let stage = Stage::new(&db).await;
        let device = stage.device(NINJA).await.device.id;
        let name = async || stage.device(NINJA).await.device.name;
        let locked = stage.lock(device, DeviceField::Name, by_hand("Reception")).await;
        let changed = stage.lock(device, DeviceField::Name, by_hand("Front desk")).await;
        let id = locked.changes[0].id;
        assert_eq!(problems(stage.house.revert(locked.entry, &[]).await), [(id.to_string(), "changed_since")]);
        stage.house.revert(changed.entry, &[]).await.expect("reverts");
        assert_eq!(name().await, "Reception");
        let unlocked = stage.unlock(device, DeviceField::Name).await;
        assert_eq!(name().await, "FRONT-1");
        stage.house.revert(unlocked.entry, &[]).await.expect("reverts");
        assert_eq!(name().await, "Reception");
        // Locked anew since it was taken away: named, and refused unless wanted all the same.
        let unlocked = stage.unlock(device, DeviceField::Name).await;
        stage.lock(device, DeviceField::Name, by_hand("Anew")).await;
        assert_eq!(problems(stage.house.revert(unlocked.entry, &[]).await), [(id.to_string(), "changed_since")]);
        stage.house.revert(unlocked.entry, &[id]).await.expect("reverts");
        assert_eq!((name().await, stage.device(NINJA).await.locks.len()), ("Reception".to_owned(), 1));
        stage.house.entries().await;
    }

    async fn a_lock_that_makes_no_sense_is_refused(db: TestDb) {
        let stage = Stage::new(&db).await;
        let device = stage.device(NINJA).await.device.id;
        let other = LockTo::Connection(stage.house.ninja().await.id);
        let tx = stage.house.begin().await;
        let lock = async |field: DeviceField, to: LockTo| {
            problems(device_lock(&tx, stage.kite, device, field, to, None).await)
        };
        assert_eq!(lock(DeviceField::Name, by_hand(" ")).await, [("/value".to_owned(), "required")]);
        assert_eq!(lock(DeviceField::Name, by_hand(&"x".repeat(256))).await, [("/value".to_owned(), "too_long")]);
        assert_eq!(lock(DeviceField::Serial, by_hand("N/A")).await, [("/value".to_owned(), "says_nothing")]);
        let random = LockTo::Connection(ConnectionId(Uuid::from_u128(99)));
        for to in [other, random] {
            assert_eq!(lock(DeviceField::Os, to).await, [("/connection_id".to_owned(), "not_found")]);
        }
        let long = "x".repeat(501);
        let to = by_hand("Reception");
        let refused = device_lock(&tx, stage.kite, device, DeviceField::Name, to.clone(), Some(&long)).await;
        assert_eq!(problems(refused), [("/reason".to_owned(), "too_long")]);
        tx.rollback().await.expect("rolls back");
        // Who sees other clients only sees none of it.
        let crane = stage.house.client("Crane").await;
        stage.lock(device, DeviceField::Name, to.clone()).await;
        let scoped = stage.house.scoped(ClientScope::Only([crane].into())).await;
        for client in [stage.kite, crane] {
            let hidden = device_lock(&scoped, client, device, DeviceField::Name, to.clone(), None).await;
            assert!(matches!(hidden, Err(Error::NotFound { .. })), "{hidden:?}");
            let hidden = device_unlock(&scoped, client, device, DeviceField::Name).await;
            assert!(matches!(hidden, Err(Error::NotFound { .. })), "{hidden:?}");
        }
        assert_eq!(scoped.device_locks(&[device]).await.expect("reads"), []);
        let effect = device_precedence_effect(&scoped, &order(&["ninjaone"]), |connection| stage.teller(connection)).await;
        assert!(matches!(effect, Err(Error::Forbidden { .. })), "{effect:?}");
    }
}
