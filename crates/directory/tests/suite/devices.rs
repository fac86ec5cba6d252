use std::collections::BTreeSet;

use directory::{MappingChoice, Target, device_join, device_split, mapping_save};
use domain::{ClientId, ClientScope, DeviceId, EntityId, Error, RecordId, device::Signal};
use persistence::ListedDevice;
use testkit::both_databases;
use uuid::Uuid;

use crate::house::{House, PAGE, problems};

const FRONT: &str = r#"{"name":"FRONT-1","serial":"5CG1234ABC","macs":["3c:52:82:aa:bb:01"]}"#;
const FRONT_SEEN: &str = r#"{"name":"front-1.kite.local","serial":"5cg1234abc"}"#;
const BACK: &str = r#"{"name":"BACK-1","serial":"5CG9999XYZ"}"#;

fn record(id: u128) -> RecordId {
    RecordId(Uuid::from_u128(id))
}

async fn devices(house: &House<'_>, client: ClientId) -> Vec<ListedDevice> {
    let tx = house.read().await;
    let listed = tx.client_devices(client, None, &PAGE).await.expect("lists");
    assert_eq!(listed.total, listed.items.len() as i64);
    let counted = tx.client(client).await.expect("finds").device_count;
    assert_eq!(i64::from(counted), listed.total, "the count of the client");
    listed.items
}

fn made_of(device: &ListedDevice) -> Vec<u128> {
    device.sources.iter().map(|source| source.record.id.0.as_u128()).collect()
}

async fn groups(house: &House<'_>, client: ClientId) -> BTreeSet<Vec<u128>> {
    devices(house, client).await.iter().map(made_of).collect()
}

both_databases! {
    async fn what_two_vendors_say_of_one_machine_is_one_device(db: TestDb) {
        let house = House::new(&db).await;
        let (ninja, microsoft) = (house.ninja().await, house.microsoft().await);
        let kite = house.client("Kite").await;
        let (there, here) = (house.entity(ninja, "Kite").await, house.entity(microsoft, "Kite Ltd").await);
        house.map(&[there], kite).await;
        house.observe(ninja, there, &[(record(1), "FRONT-1", FRONT), (record(2), "BACK-1", BACK)]).await;
        let before = devices(&house, kite).await;
        assert_eq!(before.iter().map(made_of).collect::<Vec<_>>(), [[2], [1]], "by name");
        assert!(before.iter().all(|one| one.sources[0].confidence.is_none() && one.sources[0].evidence.is_empty()));
        // Not mapped yet: nobody's.
        house.observe(microsoft, here, &[(record(3), "front-1", FRONT_SEEN)]).await;
        assert_eq!(groups(&house, kite).await, [vec![1], vec![2]].into());
        house.map(&[here], kite).await;
        let after = devices(&house, kite).await;
        assert_eq!(after.iter().map(made_of).collect::<Vec<_>>(), [vec![2], vec![1, 3]]);
        assert_eq!((after[0].device.id, after[1].device.id), (before[0].device.id, before[1].device.id));
        let joined = &after[1].sources[1];
        let signals: Vec<Signal> = joined.evidence.iter().map(|one| one.signal).collect();
        assert_eq!((signals, joined.confidence), (vec![Signal::Serial, Signal::Hostname], Some(0.99)));
        // What entities count are observations.
        assert_eq!((house.about(there).await.device_count, house.about(here).await.device_count), (2, 1));
        // The same again changes nothing.
        house.observe(ninja, there, &[(record(1), "FRONT-1", FRONT)]).await;
        assert_eq!(devices(&house, kite).await.iter().map(|one| one.device.clone()).collect::<Vec<_>>(),
            after.iter().map(|one| one.device.clone()).collect::<Vec<_>>());
    }

    async fn a_device_keeps_its_id_while_one_observation_stays(db: TestDb) {
        let house = House::new(&db).await;
        let (ninja, microsoft) = (house.ninja().await, house.microsoft().await);
        let kite = house.client("Kite").await;
        let (there, here) = (house.entity(ninja, "Kite").await, house.entity(microsoft, "Kite Ltd").await);
        house.map(&[there, here], kite).await;
        house.observe(ninja, there, &[(record(1), "FRONT-1", FRONT)]).await;
        house.observe(microsoft, here, &[(record(3), "front-1", FRONT_SEEN)]).await;
        let id = devices(&house, kite).await[0].device.id;
        house.vanish_records(ninja, &[record(1)]).await;
        let left = devices(&house, kite).await;
        assert_eq!((left.len(), left[0].device.id, made_of(&left[0])), (1, id, vec![3]));
        house.observe(ninja, there, &[(record(1), "FRONT-1", FRONT)]).await;
        let back = devices(&house, kite).await;
        assert_eq!((back.len(), back[0].device.id, made_of(&back[0])), (1, id, vec![1, 3]));
        house.vanish_records(ninja, &[record(1)]).await;
        house.vanish_records(microsoft, &[record(3)]).await;
        assert_eq!(devices(&house, kite).await, []);
    }

    async fn devices_follow_a_mapping_and_are_never_joined_across_clients(db: TestDb) {
        let house = House::new(&db).await;
        let (ninja, microsoft) = (house.ninja().await, house.microsoft().await);
        let (kite, crane) = (house.client("Kite").await, house.client("Crane").await);
        let (there, here) = (house.entity(ninja, "Kite").await, house.entity(microsoft, "Kite Ltd").await);
        house.observe(ninja, there, &[(record(1), "FRONT-1", FRONT)]).await;
        house.observe(microsoft, here, &[(record(3), "front-1", FRONT_SEEN)]).await;
        house.map(&[there, here], kite).await;
        let id = devices(&house, kite).await[0].device.id;
        let moved = house.map(&[here], crane).await;
        assert_eq!((groups(&house, kite).await, groups(&house, crane).await), ([vec![1]].into(), [vec![3]].into()));
        assert_eq!(devices(&house, kite).await[0].device.id, id, "what stays keeps the id");
        house.revert(moved.entry, &[]).await.expect("reverts");
        assert_eq!((groups(&house, kite).await, groups(&house, crane).await), ([vec![1, 3]].into(), [].into()));
        assert_eq!(devices(&house, kite).await[0].device.id, id);
        // The vendor itself moves a machine to another customer of its.
        let other = house.entity(ninja, "Crane").await;
        house.map(&[other], crane).await;
        house.observe(ninja, other, &[(record(1), "FRONT-1", FRONT)]).await;
        assert_eq!((groups(&house, kite).await, groups(&house, crane).await), ([vec![3]].into(), [vec![1]].into()));
        house.decide(&[other], Target::Nobody).await;
        assert_eq!(groups(&house, crane).await, [].into());
        house.delete(kite).await;
        assert_eq!(house.about(here).await.client_id, None);
    }

    async fn what_a_person_split_or_joined_survives_every_sync(db: TestDb) {
        let house = House::new(&db).await;
        let (ninja, microsoft) = (house.ninja().await, house.microsoft().await);
        let kite = house.client("Kite").await;
        let (there, here) = (house.entity(ninja, "Kite").await, house.entity(microsoft, "Kite Ltd").await);
        house.map(&[there, here], kite).await;
        house.observe(ninja, there, &[(record(1), "FRONT-1", FRONT), (record(2), "BACK-1", BACK)]).await;
        house.observe(microsoft, here, &[(record(3), "front-1", FRONT_SEEN)]).await;
        let find = async |id: u128| {
            let all = devices(&house, kite).await;
            all.into_iter().find(|one| made_of(one).contains(&id)).expect("is listed").device.id
        };
        let front = find(1).await;
        // A preview says what would be, and nothing is.
        let tx = house.begin().await;
        let split = device_split(&tx, kite, front, &[record(3)]).await.expect("splits");
        assert_eq!(made_of(&split), [1]);
        let planned = tx.preview().await.expect("previews");
        assert_eq!(groups(&house, kite).await, [vec![1, 3], vec![2]].into());
        let tx = house.begin().await;
        device_split(&tx, kite, front, &[record(3)]).await.expect("splits");
        let done = tx.commit("device_split", None).await.expect("commits");
        assert_eq!((&done.digest, done.changes.len()), (&planned.digest, 1));
        assert_eq!((done.changes[0].kind.as_str(), done.changes[0].client_id), ("device_ruling", Some(kite)));
        let apart: BTreeSet<Vec<u128>> = [vec![1], vec![2], vec![3]].into();
        assert_eq!((groups(&house, kite).await, find(1).await), (apart.clone(), front));
        let again = r#"{"name":"front-1","serial":"5CG1234ABC","macs":["3c:52:82:aa:bb:01"],"last_user":"jo"}"#;
        house.observe(microsoft, here, &[(record(3), "front-1", again)]).await;
        house.vanish_records(ninja, &[record(1)]).await;
        house.observe(ninja, there, &[(record(1), "FRONT-1", FRONT)]).await;
        assert_eq!(groups(&house, kite).await, apart);
        // Joined with one that nothing speaks for: three that stay one.
        let (one, others) = (find(3).await, [find(1).await, find(2).await]);
        let tx = house.begin().await;
        let joined = device_join(&tx, kite, one, &others).await.expect("joins");
        assert_eq!(made_of(&joined), [1, 2, 3]);
        assert!(joined.sources.iter().all(|source| source.evidence[0].signal == Signal::Person));
        let done = tx.commit("device_join", None).await.expect("commits");
        assert_eq!(done.changes.len(), 3, "one decided otherwise, two new");
        house.observe(ninja, there, &[(record(2), "BACK-1", BACK)]).await;
        house.map(&[here], house.client("Elsewhere").await).await;
        house.map(&[here], kite).await;
        assert_eq!(groups(&house, kite).await, [vec![1, 2, 3]].into());
        house.entries().await;
    }

    async fn a_split_or_join_that_makes_no_sense_is_refused(db: TestDb) {
        let house = House::new(&db).await;
        let ninja = house.ninja().await;
        let (kite, crane) = (house.client("Kite").await, house.client("Crane").await);
        let entities = house.entities(ninja, &["Kite", "Crane"]).await;
        house.map(&entities[..1], kite).await;
        house.map(&entities[1..], crane).await;
        house.observe(ninja, entities[0], &[(record(1), "FRONT-1", FRONT), (record(2), "BACK-1", BACK)]).await;
        house.observe(ninja, entities[1], &[(record(4), "FRONT-1", FRONT)]).await;
        let all = devices(&house, kite).await;
        let (back, front) = (all[0].device.id, all[1].device.id);
        let foreign = devices(&house, crane).await[0].device.id;
        let tx = house.begin().await;
        let out = async |ids: &[RecordId]| problems(device_split(&tx, kite, front, ids).await);
        assert_eq!(out(&[]).await, [("/observations".to_owned(), "required")]);
        assert_eq!(out(&[record(2)]).await, [("/observations".to_owned(), "not_found")]);
        assert_eq!(out(&[record(1)]).await, [("/observations".to_owned(), "nothing_left")]);
        assert_eq!(problems(device_join(&tx, kite, front, &[front]).await), [("/device_ids".to_owned(), "required")]);
        let random = DeviceId(Uuid::from_u128(99));
        for other in [foreign, random] {
            assert_eq!(problems(device_join(&tx, kite, front, &[other]).await), [("/device_ids".to_owned(), "not_found")]);
            let missing = device_split(&tx, kite, other, &[record(1)]).await;
            assert!(matches!(missing, Err(Error::NotFound { what: "device" })), "{missing:?}");
        }
        tx.rollback().await.expect("rolls back");
        // Who sees other clients only sees none of it.
        let scoped = house.scoped(ClientScope::Only([crane].into())).await;
        let hidden = device_join(&scoped, kite, front, &[back]).await;
        assert!(matches!(hidden, Err(Error::NotFound { what: "client" })), "{hidden:?}");
        assert!(matches!(scoped.client_device(kite, front).await, Err(Error::NotFound { .. })));
        assert_eq!(scoped.client_devices(kite, None, &PAGE).await.expect("lists").total, 0);
    }

    async fn what_a_person_decided_about_machines_is_reverted(db: TestDb) {
        let house = House::new(&db).await;
        let ninja = house.ninja().await;
        let kite = house.client("Kite").await;
        let entity = house.entity(ninja, "Kite").await;
        house.map(&[entity], kite).await;
        house.observe(ninja, entity, &[(record(1), "FRONT-1", FRONT), (record(2), "BACK-1", BACK)]).await;
        let before = devices(&house, kite).await;
        let tx = house.begin().await;
        device_join(&tx, kite, before[0].device.id, &[before[1].device.id]).await.expect("joins");
        let joined = tx.commit("device_join", None).await.expect("commits");
        assert_eq!(groups(&house, kite).await, [vec![1, 2]].into());
        // Decided otherwise since: named, and refused.
        let device = devices(&house, kite).await[0].device.id;
        let tx = house.begin().await;
        device_split(&tx, kite, device, &[record(2)]).await.expect("splits");
        let split = tx.commit("device_split", None).await.expect("commits");
        assert_eq!(groups(&house, kite).await, [vec![1], vec![2]].into());
        let ruling = joined.changes[0].id;
        assert_eq!(problems(house.revert(joined.entry, &[]).await), [(ruling.to_string(), "changed_since")]);
        house.revert(split.entry, &[]).await.expect("reverts");
        assert_eq!(groups(&house, kite).await, [vec![1, 2]].into(), "the join holds again");
        house.revert(joined.entry, &[]).await.expect("reverts");
        assert_eq!(groups(&house, kite).await, [vec![1], vec![2]].into());
        // Nothing is left of it: a sync decides by what vendors say.
        house.observe(ninja, entity, &[(record(2), "BACK-1", BACK)]).await;
        assert_eq!(groups(&house, kite).await, [vec![1], vec![2]].into());
        house.entries().await;
    }

    async fn mapping_many_entities_reads_each_observation_once(db: TestDb) {
        let house = House::new(&db).await;
        let ninja = house.ninja().await;
        let (kite, crane) = (house.client("Kite").await, house.client("Crane").await);
        let names: Vec<String> = (0..40).map(|nth| format!("Site {nth}")).collect();
        let entities = house.entities(ninja, &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
        for (nth, entity) in entities.iter().enumerate() {
            let machine = format!("{{\"name\":\"PC-{nth}\",\"serial\":\"5CG{nth:07}\"}}");
            house.observe(ninja, *entity, &[(record(100 + nth as u128), &format!("PC-{nth}"), &machine)]).await;
        }
        let choices = |client: ClientId| -> Vec<MappingChoice> {
            let to = |id: &EntityId| MappingChoice { entity_id: *id, target: Target::Client(client), reason: None };
            entities.iter().map(to).collect()
        };
        let tx = house.begin().await;
        mapping_save(&tx, &choices(kite), |_| true).await.expect("saves");
        assert_eq!(tx.observations_read(), 40, "each was read once, not once for each mapping");
        tx.commit("mapping_save", None).await.expect("commits");
        assert_eq!(house.now(kite).await.device_count, 40);
        let before: BTreeSet<DeviceId> = devices(&house, kite).await.iter().map(|one| one.device.id).collect();

        // All of them move to another client: what is read is proportional to what moves, and the machines stay the same.
        let tx = house.begin().await;
        mapping_save(&tx, &choices(crane), |_| true).await.expect("saves");
        assert!(tx.observations_read() <= 80, "{} observations were read to move 40", tx.observations_read());
        let moved = tx.commit("mapping_save", None).await.expect("commits");
        assert_eq!((house.now(kite).await.device_count, house.now(crane).await.device_count), (0, 40));
        let after: BTreeSet<DeviceId> = devices(&house, crane).await.iter().map(|one| one.device.id).collect();
        assert_eq!(after, before, "machines that moved became others");

        let tx = house.begin().await;
        tx.journal_revert(moved.entry.expect("an entry"), &BTreeSet::new()).await.expect("reverts");
        assert!(tx.observations_read() <= 80, "{} observations were read to revert 40", tx.observations_read());
        tx.commit("journal_revert", None).await.expect("commits");
        let back: BTreeSet<DeviceId> = devices(&house, kite).await.iter().map(|one| one.device.id).collect();
        assert_eq!(back, before);
    }
}
