use std::collections::{BTreeMap, BTreeSet, HashMap};

use proptest::prelude::*;
use serde_json::json;
use uuid::Uuid;

use super::*;

const RMM: u128 = 1;
const EDR: u128 = 2;
const MDM: u128 = 3;

fn seen(id: u128, by: u128, body: serde_json::Value) -> Observation {
    let title = body["name"].as_str().unwrap_or("a machine").to_owned();
    Observation::read(record(id), ConnectionId(Uuid::from_u128(by)), &title, &body.to_string())
}

fn record(id: u128) -> RecordId {
    RecordId(Uuid::from_u128(id))
}

fn ruling(a: u128, b: u128, one: bool) -> DeviceRuling {
    DeviceRuling {
        id: DeviceRulingId(Uuid::from_u128(a * 1_000 + b)),
        client_id: ClientId(Uuid::from_u128(1)),
        record_a: record(a.min(b)),
        record_b: record(a.max(b)),
        one,
        created_at: Timestamp::from_timestamp(0, 0).expect("a time"),
        created_by: None,
    }
}

/// Ids of the groups, as numbers.
fn groups(observations: &[Observation], rulings: &[DeviceRuling]) -> Vec<Vec<u128>> {
    let joined = join(observations, rulings);
    joined.iter().map(|group| group.iter().map(|one| one.id.0.as_u128()).collect()).collect()
}

#[test]
fn serials_that_firmware_makes_up_say_nothing() {
    let nothing = [
        "",
        " ",
        "0",
        "00000000",
        "None",
        "N/A",
        "To Be Filled By O.E.M.",
        "to be filled by o.e.m",
        "Default string",
        "System Serial Number",
        "Not Specified",
        "INVALID",
        "123456789",
        "0123456789",
        "987654321",
        "XXXXXXXXXX",
        "........",
        "1212121212",
        "ABCABCABC",
        "VMware",
        "123",
        "Chassis Serial Number",
        "empty",
    ];
    for text in nothing {
        assert_eq!(serial(text), None, "{text:?}");
    }
    for (text, plain) in [
        (" 5cg-1234 abc ", "5CG1234ABC"),
        ("C02XK0AAJG5H", "C02XK0AAJG5H"),
        ("VMware-56 4d 8c 11 22 33 44 55-66 77 88 99 aa bb cc dd", "564D8C112233445566778899AABBCCDD"),
        ("1231", "1231"),
    ] {
        assert_eq!(serial(text).as_deref(), Some(plain), "{text:?}");
    }
}

#[test]
fn addresses_that_are_no_machines_own_say_nothing() {
    let nothing = [
        "",
        "00:00:00:00:00:00",
        "ff:ff:ff:ff:ff:ff",
        "01:00:5e:00:00:fb",
        "02:42:ac:11:00:02",
        "00:50:56:c0:00:08",
        "00:e0:4c:68:00:01",
        "9c-eb-e8-11-22-33",
        "20:41:53:59:4e:ff",
        "00:00:00:00:00:00:00:e0",
        "not a mac",
        "3c:52:82:00:00:00",
    ];
    for text in nothing {
        assert_eq!(mac(text), None, "{text:?}");
    }
    for text in ["3C:52:82:AA:BB:CC", "3c-52-82-aa-bb-cc", "3c52.82aa.bbcc", " 3c5282aabbcc "] {
        assert_eq!(mac(text).map(|mac| mac.to_string()).as_deref(), Some("3c:52:82:aa:bb:cc"), "{text:?}");
    }
    assert!(mac("00:50:56:9a:00:08").is_some(), "a guest of VMware has an address of its own");
}

#[test]
fn host_names_are_without_domain_and_case() {
    for text in ["", "localhost", "localhost.localdomain", "DESKTOP", "10.0.0.7", "::1", "Jo's laptop", "42", "-"] {
        assert_eq!(hostname(text), None, "{text:?}");
    }
    for (text, plain) in [("RECEPTION-01.kite.local", "reception-01"), ("srv_1$", "srv_1"), ("büro-pc", "büro-pc")] {
        assert_eq!(hostname(text).as_deref(), Some(plain), "{text:?}");
    }
}

#[test]
fn one_machine_is_found_by_serial_by_address_and_by_name() {
    let all = [
        seen(1, RMM, json!({"hostname": "FRONT-1", "serial": "5CG1234ABC", "macs": ["3C:52:82:AA:BB:01"]})),
        seen(2, EDR, json!({"hostname": "front-1.kite.local", "macs": ["3c-52-82-aa-bb-01", "02:00:4c:4f:4f:50"]})),
        seen(3, MDM, json!({"name": "Front desk", "serial": "5cg1234abc"})),
        seen(4, RMM, json!({"hostname": "BACK-1", "serial": "To Be Filled By O.E.M."})),
        seen(5, EDR, json!({"hostname": "BACK-1"})),
        seen(6, MDM, json!({"name": "Somebody else", "serial": "to be filled by O.E.M."})),
    ];
    let joined = join(&all, &[]);
    assert_eq!(groups(&all, &[]), [vec![1, 2, 3], vec![4, 5], vec![6]]);
    let reasons =
        |at: usize, nth: usize| -> Vec<Signal> { joined[at][nth].evidence.iter().map(|e| e.signal).collect() };
    assert_eq!((reasons(0, 2), joined[0][2].confidence), (vec![Signal::Serial], Some(0.97)));
    assert_eq!((reasons(0, 1), joined[0][1].confidence), (vec![Signal::Mac, Signal::Hostname], Some(0.97)));
    assert_eq!(joined[0][1].evidence[0].value, "3c:52:82:aa:bb:01");
    assert_eq!((reasons(1, 0), joined[1][0].confidence), (vec![Signal::Hostname], Some(0.80)));
    assert_eq!((reasons(2, 0), joined[2][0].confidence), (vec![], None));
}

#[test]
fn a_name_alone_joins_nothing_that_something_else_contradicts() {
    let replaced = |other: serde_json::Value| {
        let old =
            json!({"hostname": "FRONT-1", "serial": "5CG1234ABC", "macs": ["3c:52:82:aa:bb:01"], "os": "Windows 11"});
        groups(&[seen(1, RMM, old), seen(2, EDR, other)], &[]).len()
    };
    assert_eq!(replaced(json!({"hostname": "front-1"})), 1);
    assert_eq!(replaced(json!({"hostname": "front-1", "serial": "5CG9999XYZ"})), 2);
    assert_eq!(replaced(json!({"hostname": "front-1", "macs": ["3c:52:82:aa:bb:02"]})), 2);
    assert_eq!(replaced(json!({"hostname": "front-1", "os": "macOS 15"})), 2);
    assert_eq!(replaced(json!({"hostname": "front-1", "serial": "Default string", "os": "Windows 10"})), 1);
    // Nobody knows which of the two the third means.
    let all = [
        seen(1, RMM, json!({"hostname": "front-1", "serial": "5CG1234ABC"})),
        seen(2, EDR, json!({"hostname": "front-1", "serial": "5CG9999XYZ"})),
        seen(3, MDM, json!({"hostname": "front-1"})),
    ];
    assert_eq!(groups(&all, &[]), [vec![1], vec![2], vec![3]]);
}

#[test]
fn clones_docks_and_agents_installed_again_join_nothing_that_is_not_one() {
    // Three clones with one serial: told apart by name.
    let clone = |id, by, host: &str| seen(id, by, json!({"hostname": host, "serial": "564D8C1122334455"}));
    let mut all: Vec<Observation> = (0..3).map(|n| clone(n + 1, RMM, &format!("vdi-{n}"))).collect();
    all.extend((0..3).map(|n| clone(n + 11, EDR, &format!("vdi-{n}"))));
    all.push(clone(21, MDM, "vdi-9"));
    assert_eq!(groups(&all, &[]), [vec![1, 11], vec![2, 12], vec![3, 13], vec![21]]);
    // A dock of a maker that nobody knows, met on two laptops.
    let laptop = |id, by, host: &str, macs: &[&str]| seen(id, by, json!({"hostname": host, "macs": macs}));
    let (dock, own) = ("3c:52:82:dd:dd:dd", "3c:52:82:aa:bb:01");
    let all = [
        laptop(1, RMM, "lap-1", &[own, dock]),
        laptop(2, RMM, "lap-2", &[dock]),
        laptop(3, EDR, "lap-1", &[own]),
        laptop(4, EDR, "lap-2", &[dock]),
        laptop(5, MDM, "lap-3", &[dock]),
    ];
    assert_eq!(groups(&all, &[]), [vec![1, 3], vec![2, 4], vec![5]]);
    // An agent installed again: the other vendor's joins one of them, and the two stay two until a person says so.
    let again = |id, by| seen(id, by, json!({"hostname": "front-1", "serial": "5CG1234ABC"}));
    let all = [again(1, RMM), again(2, RMM), again(3, EDR)];
    assert_eq!(groups(&all, &[]), [vec![1, 3], vec![2]]);
    assert_eq!(groups(&all, &[ruling(1, 2, true)]), [vec![1, 2, 3]]);
}

#[test]
fn a_name_that_was_cut_off_stands_for_the_only_longer_one() {
    let named = |id, by, host: &str| seen(id, by, json!({"hostname": host}));
    let cut = [named(1, RMM, "WAREHOUSE-TERMI"), named(2, EDR, "warehouse-terminal-01")];
    assert_eq!(groups(&cut, &[]), [vec![1, 2]]);
    let two = [cut[0].clone(), cut[1].clone(), named(3, EDR, "warehouse-terminal-02")];
    assert_eq!(groups(&two, &[]), [vec![1], vec![2], vec![3]]);
}

#[test]
fn what_a_person_decided_holds_against_every_evidence() {
    let one = |id, by| seen(id, by, json!({"hostname": "front-1", "serial": "5CG1234ABC"}));
    let all = [one(1, RMM), one(2, EDR), one(3, MDM)];
    assert_eq!(groups(&all, &[]), [vec![1, 2, 3]]);
    assert_eq!(groups(&all, &[ruling(2, 1, false), ruling(2, 3, false)]), [vec![1, 3], vec![2]]);
    let strangers = [
        seen(1, RMM, json!({"hostname": "front-1", "serial": "5CG1234ABC"})),
        seen(2, EDR, json!({"hostname": "other", "serial": "5CG9999XYZ"})),
    ];
    let joined = join(&strangers, &[ruling(1, 2, true)]);
    assert_eq!(joined.len(), 1);
    assert!(joined[0].iter().all(|one| one.confidence == Some(1.0) && one.evidence[0].signal == Signal::Person));
    // Rulings about machines that are not here change nothing.
    assert_eq!(groups(&all, &[ruling(1, 99, false), ruling(98, 99, true)]), [vec![1, 2, 3]]);
}

fn pool() -> impl Strategy<Value = Vec<Observation>> {
    let serial = prop::option::of(prop::sample::select(vec!["5CG1", "5CG2", "5CG3", "5CG4", "None"]));
    let macs = prop::collection::vec(0_u8..6, 0..3);
    let host = prop::option::of(prop::sample::select(vec!["front-1", "front-2", "back-1", "localhost"]));
    let os = prop::option::of(prop::sample::select(vec!["Windows 11", "macOS 15"]));
    let one = (1_u128..5, serial, macs, host, os);
    prop::collection::vec(one, 0..14).prop_map(|all| {
        let read = |(at, (by, serial, macs, host, os)): (usize, (u128, _, Vec<u8>, _, _))| {
            let macs: Vec<String> = macs.iter().map(|mac| format!("3c:52:82:aa:bb:0{mac}")).collect();
            seen(at as u128 + 1, by, json!({"serial": serial, "macs": macs, "hostname": host, "os": os}))
        };
        all.into_iter().enumerate().map(read).collect()
    })
}

fn decided() -> impl Strategy<Value = Vec<DeviceRuling>> {
    let one = (1_u128..14, 1_u128..14, any::<bool>());
    prop::collection::vec(one, 0..6).prop_map(|all| {
        let pairs: BTreeMap<(u128, u128), bool> =
            all.into_iter().filter(|(a, b, _)| a != b).map(|(a, b, one)| ((a.min(b), a.max(b)), one)).collect();
        pairs.into_iter().map(|((a, b), one)| ruling(a, b, one)).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn order_does_not_matter(all in pool(), rulings in decided(), seed in any::<u64>()) {
        let (mut shuffled, mut said) = (all.clone(), rulings.clone());
        let mut turn = corpus::Dice(seed);
        turn.shuffle(&mut shuffled);
        turn.shuffle(&mut said);
        shuffled.extend(all.first().cloned());
        prop_assert_eq!(join(&all, &rulings), join(&shuffled, &said));
    }

    #[test]
    fn each_observation_is_in_one_device_and_says_why(all in pool(), rulings in decided()) {
        let joined = join(&all, &rulings);
        let mut ids: Vec<RecordId> = joined.iter().flatten().map(|one| one.id).collect();
        ids.sort_unstable();
        prop_assert_eq!(ids, all.iter().map(|one| one.id).collect::<Vec<_>>());
        for group in &joined {
            for one in group {
                prop_assert_eq!(one.confidence.is_some(), group.len() > 1);
                prop_assert_eq!(one.evidence.is_empty(), group.len() == 1);
                prop_assert!(one.confidence.is_none_or(|confidence| (0.8..=1.0).contains(&confidence)));
            }
        }
    }

    #[test]
    fn nothing_that_contradicts_is_joined_by_itself(all in pool()) {
        let about: HashMap<RecordId, &Observation> = all.iter().map(|one| (one.id, one)).collect();
        for group in join(&all, &[]) {
            let connections: BTreeSet<_> = group.iter().map(|one| about[&one.id].connection_id).collect();
            prop_assert_eq!(connections.len(), group.len(), "two of one connection");
            let held = |serial: &str, by| all.iter().filter(|o| o.connection_id == by && o.serial.as_deref() == Some(serial)).count();
            let shared = |serial: &str| (1..5).any(|by| held(serial, ConnectionId(Uuid::from_u128(by))) > 2);
            let serials: BTreeSet<_> = group.iter().filter_map(|one| about[&one.id].serial.as_deref()).filter(|s| !shared(s)).collect();
            prop_assert!(serials.len() < 2, "two serials: {serials:?}");
        }
    }

    #[test]
    fn a_persons_word_always_holds(all in pool(), rulings in decided()) {
        let joined = join(&all, &rulings);
        let place: HashMap<RecordId, usize> =
            joined.iter().enumerate().flat_map(|(at, group)| group.iter().map(move |one| (one.id, at))).collect();
        let (apart, one): (Vec<_>, Vec<_>) = rulings.iter().partition(|ruling| !ruling.one);
        for ruling in &apart {
            if let (Some(a), Some(b)) = (place.get(&ruling.record_a), place.get(&ruling.record_b)) {
                prop_assert_ne!(a, b, "split by hand and joined again");
            }
        }
        if apart.is_empty() {
            for ruling in one {
                if let (Some(a), Some(b)) = (place.get(&ruling.record_a), place.get(&ruling.record_b)) {
                    prop_assert_eq!(a, b, "joined by hand and split again");
                }
            }
        }
    }

    #[test]
    fn a_device_keeps_its_id_while_one_observation_stays(all in pool(), later in pool(), rulings in decided()) {
        let client = ClientId(Uuid::from_u128(1));
        let grouped = |all: &[Observation], rulings: &[DeviceRuling]| -> Vec<Group> {
            join(all, rulings)
                .into_iter()
                .map(|group| Group { client_id: client, records: group.iter().map(|one| one.id).collect() })
                .collect()
        };
        let first = grouped(&all, &[]);
        let at = |nth: usize| Timestamp::from_timestamp(i64::try_from(nth % 3).unwrap_or(0), 0).unwrap_or_default();
        let devices: Vec<Before> = (0..first.len())
            .map(|nth| Before { id: DeviceId(Uuid::from_u128(nth as u128)), client_id: client, created_at: at(nth) })
            .collect();
        let was_in: HashMap<RecordId, DeviceId> =
            first.iter().zip(&devices).flat_map(|(group, device)| group.records.iter().map(|record| (*record, device.id))).collect();
        // The same again: every id stays.
        let same = keep(&first, &devices, &was_in);
        prop_assert_eq!(same, devices.iter().map(|device| Some(device.id)).collect::<Vec<_>>());
        // Others, and fewer: ids are given once, to those that have an observation of theirs; and one that nobody
        // took over went into a device that was older.
        let next = grouped(&later, &rulings);
        let kept = keep(&next, &devices, &was_in);
        let given: BTreeSet<_> = kept.iter().flatten().collect();
        prop_assert_eq!(given.len(), kept.iter().flatten().count(), "an id was given twice");
        for (group, id) in next.iter().zip(&kept) {
            let had: Vec<DeviceId> = group.records.iter().filter_map(|record| was_in.get(record).copied()).collect();
            prop_assert!(id.is_none_or(|id| had.contains(&id)));
            for device in had {
                prop_assert!(given.contains(&device) || id.is_some(), "an id was lost for nothing");
            }
        }
    }
}
