//! The world changes, and everything can still be found.

use std::collections::BTreeMap;

use vendorkit::{
    World, WorldSize, a_tuesday,
    world::{Change, Changed, Random},
};

fn world() -> World {
    World::generate(WorldSize::SMALL, 7, a_tuesday())
}

/// Whether indexes and contents say the same.
fn check(world: &World) {
    let businesses = world.businesses();
    assert!(businesses.windows(2).all(|pair| pair[0].key < pair[1].key));
    let mut devices = BTreeMap::new();
    let mut people = 0;
    for business in businesses {
        assert!(business.devices.windows(2).all(|pair| pair[0].key < pair[1].key));
        assert_eq!(world.business(business.key).map(|b| b.key), Some(business.key));
        assert_eq!(world.by_tenant(business.tenant_id).map(|b| b.key), Some(business.key));
        assert_eq!(world.by_id_at("pax8", business.id_at("pax8")).map(|b| b.key), Some(business.key));
        for device in &business.devices {
            assert!(devices.insert(device.key, business.key).is_none());
            assert!(business.locations.iter().any(|place| place.key == device.location));
        }
        for person in &business.people {
            assert_eq!(world.person(person.id).map(|(b, p)| (b.key, p.key)), Some((business.key, person.key)));
            people += 1;
        }
        for one in &business.subscriptions {
            assert_eq!(world.subscription(one.id).map(|(b, s)| (b.key, s.key)), Some((business.key, one.key)));
        }
    }
    let mut paged = Vec::new();
    while let Some(page) = Some(next_page(world, paged.last().map_or(0, |&(key, _)| key))).filter(|p| !p.is_empty()) {
        paged.extend(page);
    }
    assert_eq!(paged, devices.into_iter().collect::<Vec<_>>(), "pages of devices are the devices, in key order");
    assert_eq!(people, businesses.iter().map(|b| b.people.len()).sum::<usize>());
}

fn next_page(world: &World, after: u64) -> Vec<(u64, u64)> {
    world.devices_after(after).take(7).map(|(business, device)| (device.key, business.key)).collect()
}

#[test]
fn two_thousand_changes_leave_it_whole() {
    let mut world = World::generate(WorldSize { businesses: 12, devices: 80, people: 50 }, 3, a_tuesday());
    let mut chance = Random::new(99);
    for step in 0..2_000 {
        let keys: Vec<u64> = world.businesses().iter().map(|b| b.key).collect();
        if keys.len() < 4 {
            world.add_business(&format!("Newcomer {step} Ltd"), &["pax8"]);
            continue;
        }
        let (one, other) = (keys[chance.below(keys.len())], keys[chance.below(keys.len())]);
        let device = world.devices_after(chance.below(200) as u64).next().map(|(_, device)| device.key);
        let person = world.business(one).and_then(|b| b.people.last()).map(|person| person.id);
        let before = world.revision();
        let changed = match chance.below(12) {
            0 => chance.percent(20) && world.remove_business(one).is_some(),
            1 => world.recreate_business(one).is_some(),
            2 => chance.percent(30) && world.add_business(&format!("Newcomer {step} Ltd"), &["ninjaone"]) > 0,
            3 | 4 => device.is_some_and(|key| world.move_device(key, other)),
            5 => device.is_some_and(|key| world.remove_device(key).is_some()),
            6 => !world.add_devices(one, 2).is_empty(),
            7 => person.is_some_and(|id| world.remove_person(id)),
            8 => world.add_person(one).is_some(),
            9 => world.rename_business(one, &format!("Renamed {step} GmbH")),
            10 => world.forget("ninjaone", one),
            _ => world.introduce("ninjaone", other),
        };
        assert_eq!(world.revision() > before, changed, "a change is in the history, and only a change");
        if step % 50 == 0 {
            check(&world);
        }
    }
    check(&world);
}

#[test]
fn a_recreated_business_is_the_same_in_name_only() {
    let mut world = world();
    let old = world.businesses()[2].clone();
    let new = world.recreate_business(old.key).unwrap();
    assert!(world.business(old.key).is_none() && world.by_tenant(old.tenant_id).is_none());
    let made = world.business(new).unwrap();
    assert_eq!(
        (&made.legal_name, made.devices.len(), &made.vendors),
        (&old.legal_name, old.devices.len(), &old.vendors)
    );
    assert_ne!(made.tenant_id, old.tenant_id);
    assert!(old.devices.iter().all(|device| world.device(device.key).is_none()));
    assert!(old.people.iter().all(|person| world.person(person.id).is_none()));
    check(&world);
}

#[test]
fn a_moved_device_keeps_its_key_and_is_told_to_both_sides() {
    let mut world = world();
    let (from, key) = world.devices_after(0).map(|(b, d)| (b.key, d.key)).next().unwrap();
    let to = world.businesses().iter().map(|b| b.key).find(|&key| key != from).unwrap();
    let mark = world.revision();
    assert!(world.move_device(key, to));
    assert_eq!(world.device(key).map(|(b, d)| (b.key, d.key)), Some((to, key)));
    let heard: Vec<_> =
        world.changes_since(mark).unwrap().iter().map(|c| (c.what, c.key, c.business, c.removed)).collect();
    assert_eq!(heard, [(Changed::Device, key, from, true), (Changed::Device, key, to, false)]);
    assert!(!world.move_device(key, 10_000) && !world.move_device(10_000, to));
}

#[test]
fn touching_changes_about_the_share_asked_for() {
    let mut world = World::generate(WorldSize::DEMO, 7, a_tuesday());
    let before: BTreeMap<u64, String> = world.devices_after(0).map(|(_, d)| (d.key, d.os_version.clone())).collect();
    let touched = world.touch_devices(100);
    assert!((150..400).contains(&touched.len()), "{} of 2500", touched.len());
    for (_, device) in world.devices_after(0) {
        assert_eq!(before[&device.key] != device.os_version, touched.contains(&device.key), "{device:?}");
    }
}

#[test]
fn single_values_change() {
    let mut world = world();
    let id = world.subscriptions_after(0).next().unwrap().1.id;
    world.advance(chrono::TimeDelta::hours(2));
    assert!(world.set_quantity(id, 42));
    let (_, subscription) = world.subscription(id).unwrap();
    assert_eq!((subscription.quantity, subscription.updated), (42, world.now));
    let key = world.devices_after(0).next().unwrap().1.key;
    for online in [false, true] {
        assert!(world.set_online(key, online));
        assert_eq!(world.device(key).unwrap().1.online, online);
    }
    assert_eq!(world.device(key).unwrap().1.last_contact, world.now);
    assert!(world.change_device(key, |device| device.key = 999), "the key is not for changing");
    assert!(world.device(key).is_some());
    world.forget_all("ninjaone");
    assert_eq!(world.known_to("ninjaone").count(), 0);
}

#[test]
fn a_forgotten_history_is_said_to_be_so() {
    let mut world = world();
    assert_eq!(world.changes_since(0).map(<[Change]>::len), Some(0));
    world.add_devices(1, 1);
    let mark = world.revision();
    world.add_devices(1, 2);
    assert_eq!(world.changes_since(mark).map(<[Change]>::len), Some(2));
    assert_eq!(world.changes_since(mark + 99), None, "from the future");
    world.forget_history();
    assert_eq!(world.changes_since(mark), None);
    assert_eq!(world.changes_since(world.revision()).map(<[Change]>::len), Some(0));
}
