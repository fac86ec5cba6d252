use std::collections::BTreeSet;

use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::{ClientId, ConnectionId, DeviceId, DeviceLockId, RecordId, Timestamp};

const TRADES: [Trade; 6] =
    [Trade::Management, Trade::Registry, Trade::Security, Trade::Backup, Trade::Network, Trade::Other];
const VENDORS: [&str; 6] = ["rmm", "mdm", "edr", "backup", "switches", "other"];

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_timestamp(seconds, 0).expect("a time")
}

fn record(id: u128) -> RecordId {
    RecordId(Uuid::from_u128(id))
}

fn says(id: u128, vendor: usize, value: &str, heard: Option<i64>) -> Candidate {
    Candidate {
        record_id: record(id),
        connection_id: ConnectionId(Uuid::from_u128(vendor as u128)),
        integration: VENDORS[vendor].to_owned(),
        trade: TRADES[vendor],
        value: value.to_owned(),
        heard_at: heard.map(at),
        blank_since: None,
    }
}

fn shown(field: DeviceField, candidates: &[Candidate], order: &DeviceOrder) -> Option<(String, ChosenBy)> {
    choose(field, candidates, None, order).map(|choice| (choice.value, choice.by))
}

fn lock(id: u128, device: u128, records: &[u128]) -> DeviceLock {
    DeviceLock {
        id: DeviceLockId(Uuid::from_u128(id)),
        client_id: ClientId(Uuid::from_u128(1)),
        device_id: DeviceId(Uuid::from_u128(device)),
        field: DeviceField::Model,
        to: LockTo::Value("Chosen".to_owned()),
        reason: None,
        created_at: at(id as i64),
        created_by: None,
        records: records.iter().map(|id| record(*id)).collect(),
    }
}

fn standing(device: u128, records: &[u128]) -> Standing {
    Standing {
        id: DeviceId(Uuid::from_u128(device)),
        client_id: ClientId(Uuid::from_u128(1)),
        records: records.iter().map(|id| record(*id)).collect(),
    }
}

#[test]
fn the_usual_order_believes_an_agent_about_the_system_and_a_register_about_the_machine() {
    let all = [says(1, 0, "agent", Some(10)), says(2, 1, "register", Some(20)), says(3, 4, "network", Some(30))];
    let none = DeviceOrder::default();
    for (field, value, by) in [
        (DeviceField::Os, "agent", ChosenBy::UsualOrder),
        (DeviceField::Model, "register", ChosenBy::UsualOrder),
        (DeviceField::LastUser, "network", ChosenBy::Freshest),
    ] {
        assert_eq!(shown(field, &all, &none), Some((value.to_owned(), by)), "{field:?}");
    }
    assert_eq!(shown(DeviceField::Os, &all[2..], &none), Some(("network".to_owned(), ChosenBy::Alone)));
    assert_eq!(shown(DeviceField::Os, &[], &none), None);
}

#[test]
fn an_organisations_own_order_comes_before_the_usual_one() {
    let all = [says(1, 0, "agent", Some(10)), says(2, 1, "register", Some(20)), says(3, 4, "network", Some(30))];
    let order = DeviceOrder {
        all: vec!["switches".to_owned()],
        fields: [(DeviceField::Os, vec!["mdm".to_owned(), "rmm".to_owned()]), (DeviceField::Model, Vec::new())].into(),
    };
    assert_eq!(shown(DeviceField::Os, &all, &order), Some(("register".to_owned(), ChosenBy::Order)));
    assert_eq!(shown(DeviceField::Class, &all, &order), Some(("network".to_owned(), ChosenBy::Order)));
    assert_eq!(shown(DeviceField::Model, &all, &order), Some(("network".to_owned(), ChosenBy::Freshest)));
    // Of those that it does not name, the usual order decides.
    assert_eq!(shown(DeviceField::Class, &all[..2], &order), Some(("agent".to_owned(), ChosenBy::UsualOrder)));
    assert_eq!(order.differs(&DeviceOrder::default()).len(), DeviceField::ALL.len());
    let later = DeviceOrder { all: order.all.clone(), ..DeviceOrder::default() };
    assert_eq!(order.differs(&later), [DeviceField::Os, DeviceField::Model]);
}

#[test]
fn the_name_is_what_most_call_it_unless_somebody_said_otherwise() {
    let name = DeviceField::Name;
    let all = [says(1, 0, "FRONT-1", Some(10)), says(2, 1, "front-1", Some(20)), says(3, 4, "unifi-7", Some(30))];
    assert_eq!(shown(name, &all, &DeviceOrder::default()), Some(("FRONT-1".to_owned(), ChosenBy::Most)));
    let order = DeviceOrder { all: vec!["switches".to_owned()], ..DeviceOrder::default() };
    assert_eq!(shown(name, &all, &order), Some(("unifi-7".to_owned(), ChosenBy::Order)));
    let to = LockTo::Connection(ConnectionId(Uuid::from_u128(1)));
    let fixed = choose(name, &all, Some(&to), &order).expect("a name");
    assert_eq!((fixed.value.as_str(), fixed.by, fixed.source), ("front-1", ChosenBy::Lock, Some(record(2))));
}

#[test]
fn a_lock_to_a_source_that_says_nothing_waits() {
    let all = [says(1, 0, "agent", Some(10)), says(2, 1, "register", Some(20))];
    let to = LockTo::Connection(ConnectionId(Uuid::from_u128(3)));
    let chosen = choose(DeviceField::Os, &all, Some(&to), &DeviceOrder::default()).expect("a value");
    assert_eq!((chosen.value.as_str(), chosen.by), ("agent", ChosenBy::UsualOrder));
}

#[test]
fn what_firmware_says_in_place_of_something_is_blank() {
    let body = json!({
        "hostname": " ", "serial": "To Be Filled By O.E.M.", "manufacturer": "System manufacturer",
        "model": "Default string", "os": "Windows 11", "last_user": "",
    });
    let told = Told::read("FRONT-1", &body.to_string());
    let said: Vec<DeviceField> = DeviceField::ALL.into_iter().filter(|field| told.get(*field).is_some()).collect();
    assert_eq!(said, [DeviceField::Name, DeviceField::Os]);
    assert_eq!(told.get(DeviceField::Name), Some("FRONT-1"));
    assert_eq!(DeviceField::Manufacturer.told("QEMU").as_deref(), Some("QEMU"), "a hypervisor is one");
    let before = Told::read("FRONT-1", r#"{"hostname":"front-1","os":"Windows 10","serial":" 5CG1234ABC "}"#);
    let lost = before.lost(&told);
    assert_eq!(lost, [(DeviceField::Hostname, "front-1".to_owned()), (DeviceField::Serial, "5CG1234ABC".to_owned())]);
    assert_eq!(Told::read("A", "no JSON").get(DeviceField::Name), Some("A"));
}

#[test]
fn an_order_names_known_integrations_once() {
    let order = DeviceOrder {
        all: vec!["rmm".to_owned(), "rmm".to_owned(), "nobody".to_owned()],
        fields: [(DeviceField::Os, vec!["nobody".to_owned()])].into(),
    };
    let problems = order.problems(|id| VENDORS.contains(&id));
    let found: Vec<(&str, &str)> = problems.iter().map(|one| (one.pointer.as_str(), one.code)).collect();
    let expected = [
        ("/integrations/1", "repeated"),
        ("/integrations/2", "unknown_integration"),
        ("/fields/os/0", "unknown_integration"),
    ];
    assert_eq!(found, expected);
    let long = DeviceOrder { all: vec!["rmm".to_owned(); 101], ..DeviceOrder::default() };
    assert_eq!(long.problems(|_| true)[0].code, "too_many");
}

#[test]
fn a_lock_goes_where_most_of_what_it_was_decided_for_went() {
    let one = lock(1, 10, &[1, 2, 3]);
    let locks = std::slice::from_ref(&one);
    assert_eq!(follow(locks, &[standing(11, &[3]), standing(10, &[1, 2])]), [Some(1)], "split");
    assert_eq!(follow(locks, &[standing(12, &[1, 2, 3, 4])]), [Some(0)], "joined into another");
    assert_eq!(follow(locks, &[standing(10, &[9])]), [Some(0)], "made of others by now");
    assert_eq!(follow(locks, &[standing(13, &[9])]), [None], "gone");
    let two = lock(2, 10, &[1, 2]);
    assert_eq!(follow(&[two], &[standing(11, &[1]), standing(10, &[2])]), [Some(1)], "half and half");
}

#[test]
fn of_two_locks_the_later_decision_holds() {
    let locks = [lock(2, 10, &[1]), lock(1, 10, &[2]), lock(3, 11, &[3])];
    let held = |device: u128| holding(&locks, DeviceId(Uuid::from_u128(device)), DeviceField::Model);
    assert_eq!(held(10).map(|lock| lock.id.0.as_u128()), Some(2));
    assert_eq!(held(11).map(|lock| lock.id.0.as_u128()), Some(3));
    assert_eq!(held(12), None);
    assert_eq!(holding(&locks, DeviceId(Uuid::from_u128(10)), DeviceField::Os), None);
}

prop_compose! {
    fn candidate()(
        id in 0_u128..40, vendor in 0_usize..6, value in select(vec!["", " ", "a", "A", "b", "c"]),
        heard in option::of(0_i64..4), blank in option::weighted(0.3, 0_i64..4),
    ) -> Candidate {
        Candidate { blank_since: blank.map(at), ..says(id, vendor, value, heard) }
    }
}

prop_compose! {
    /// One observation says one thing of a field.
    fn candidates()(all in vec(candidate(), 0..8)) -> Vec<Candidate> {
        let mut once = BTreeSet::new();
        all.into_iter().filter(|one| once.insert(one.record_id)).collect()
    }
}

prop_compose! {
    fn order()(all in vec(select(VENDORS.to_vec()), 0..4), one in option::of(vec(select(VENDORS.to_vec()), 0..4)))
        -> DeviceOrder
    {
        let owned = |ids: Vec<&str>| ids.into_iter().map(str::to_owned).collect::<Vec<_>>();
        let fields = one.map(|one| (DeviceField::Os, owned(one))).into_iter().collect();
        DeviceOrder { all: owned(all), fields }
    }
}

fn held() -> impl Strategy<Value = Option<LockTo>> {
    prop_oneof![
        2 => Just(None),
        1 => Just(Some(LockTo::Value("by hand".to_owned()))),
        2 => (0_u128..6).prop_map(|id| Some(LockTo::Connection(ConnectionId(Uuid::from_u128(id))))),
    ]
}

fn fields() -> impl Strategy<Value = DeviceField> {
    select(DeviceField::ALL.to_vec())
}

proptest! {
    #[test]
    fn a_choice_does_not_depend_on_who_came_first(
        field in fields(), (all, mixed) in candidates().prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
        to in held(), order in order(),
    ) {
        let (one, other) = (choose(field, &all, to.as_ref(), &order), choose(field, &mixed, to.as_ref(), &order));
        prop_assert_eq!(one, other);
    }

    #[test]
    fn a_blank_never_takes_the_place_of_what_is_known(
        field in fields(), all in candidates(), to in held(), order in order(),
    ) {
        let chosen = choose(field, &all, to.as_ref(), &order);
        let known = all.iter().any(|one| !one.value.trim().is_empty());
        let by_hand = matches!(to, Some(LockTo::Value(_)));
        prop_assert_eq!(chosen.is_some(), known || by_hand);
        let Some(chosen) = chosen else { return Ok(()) };
        prop_assert!(!chosen.value.trim().is_empty());
        // Nor does what is said no more come before what is, unless a person wants that source.
        let source = all.iter().find(|one| Some(one.record_id) == chosen.source);
        let said = all.iter().any(|one| one.blank_since.is_none() && !one.value.trim().is_empty());
        if said && chosen.by != ChosenBy::Lock {
            prop_assert!(source.is_some_and(|one| one.blank_since.is_none()));
        }
        // Without the blanks it is the same.
        let told: Vec<Candidate> = all.iter().filter(|one| !one.value.trim().is_empty()).cloned().collect();
        prop_assert_eq!(Some(chosen), choose(field, &told, to.as_ref(), &order));
    }

    #[test]
    fn a_lock_always_wins(field in fields(), all in candidates(), order in order(), vendor in 0_u128..6) {
        let by_hand = choose(field, &all, Some(&LockTo::Value("by hand".to_owned())), &order);
        prop_assert_eq!(by_hand.map(|choice| (choice.value, choice.by)), Some(("by hand".to_owned(), ChosenBy::Lock)));
        let connection = ConnectionId(Uuid::from_u128(vendor));
        let own: Vec<Candidate> = all.iter().filter(|one| one.connection_id == connection).cloned().collect();
        let chosen = choose(field, &all, Some(&LockTo::Connection(connection)), &order);
        match choose(field, &own, None, &order) {
            Some(alone) => {
                let chosen = chosen.expect("a value");
                prop_assert_eq!((chosen.value, chosen.source, chosen.by), (alone.value, alone.source, ChosenBy::Lock));
            }
            None => prop_assert_eq!(chosen, choose(field, &all, None, &order)),
        }
    }

    #[test]
    fn what_is_chosen_is_chosen_again(field in fields(), all in candidates(), to in held(), order in order()) {
        let Some(chosen) = choose(field, &all, to.as_ref(), &order) else { return Ok(()) };
        let Some(source) = chosen.source else { return Ok(()) };
        let alone: Vec<Candidate> = all.iter().filter(|one| one.record_id == source).cloned().collect();
        prop_assert_eq!(choose(field, &alone, to.as_ref(), &order).map(|again| again.value), Some(chosen.value));
    }

    #[test]
    fn what_the_organisation_trusts_most_is_shown_where_it_says_anything(
        all in candidates(), ids in Just(VENDORS.to_vec()).prop_shuffle(),
    ) {
        let order = DeviceOrder { all: ids.iter().map(|id| (*id).to_owned()).collect(), ..DeviceOrder::default() };
        let told = |one: &&Candidate| !one.value.trim().is_empty();
        let said = all.iter().filter(told).any(|one| one.blank_since.is_none());
        let pool = all.iter().filter(told).filter(|one| !said || one.blank_since.is_none());
        let first = pool.map(|one| ids.iter().position(|id| *id == one.integration)).min();
        let chosen = choose(DeviceField::Model, &all, None, &order);
        let source = chosen.and_then(|chosen| all.iter().find(|one| Some(one.record_id) == chosen.source).cloned());
        prop_assert_eq!(source.map(|one| ids.iter().position(|id| *id == one.integration)), first);
    }

    #[test]
    fn locks_find_their_devices_whatever_the_order_and_stay(
        parts in vec(0_usize..4, 1..10), records in vec(0_usize..10, 0..6), id in 0_u128..5, reversed in any::<bool>(),
    ) {
        let part = |nth: usize| -> Vec<u128> {
            parts.iter().enumerate().filter(|(_, of)| **of == nth).map(|(at, _)| at as u128).collect()
        };
        let mut devices: Vec<Standing> =
            (0..4).filter(|nth| !part(*nth).is_empty()).map(|nth| standing(nth as u128, &part(nth))).collect();
        let records: Vec<u128> = records.iter().map(|id| *id as u128).collect();
        let one = lock(1, id, &records);
        let place = |devices: &[Standing], one: &DeviceLock| {
            follow(std::slice::from_ref(one), devices)[0].map(|at| devices[at].id)
        };
        let found = place(&devices, &one);
        if reversed {
            devices.reverse();
        }
        prop_assert_eq!(place(&devices, &one), found);
        if let Some(found) = found {
            let moved = DeviceLock { device_id: found, ..one };
            prop_assert_eq!(place(&devices, &moved), Some(found), "it stays where it is");
        }
    }
}
