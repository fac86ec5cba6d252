//! A world out of a seed.

use std::collections::{BTreeSet, HashSet};

use vendorkit::{
    World, WorldSize, a_tuesday,
    world::{VENDORS, fold_accents},
};

fn demo(seed: u64) -> World {
    World::generate(WorldSize::DEMO, seed, a_tuesday())
}

#[test]
fn the_same_seed_gives_the_same_world_and_another_does_not() {
    let text = |seed| format!("{:?}", demo(seed).businesses());
    assert_eq!(text(7), text(7));
    assert_ne!(text(7), text(8));
}

#[test]
fn sizes_are_exact_and_skewed() {
    for size in
        [WorldSize::DEMO, WorldSize::SMALL, WorldSize::EMPTY, WorldSize { businesses: 1, devices: 9, people: 9 }]
    {
        let world = World::generate(size, 3, a_tuesday());
        let sum = |count: fn(&vendorkit::world::Business) -> usize| world.businesses().iter().map(count).sum::<usize>();
        assert_eq!(world.businesses().len(), size.businesses);
        assert_eq!(sum(|b| b.devices.len()), size.devices);
        assert_eq!(sum(|b| b.people.len()), size.people);
    }
    let mut sizes: Vec<usize> = demo(7).businesses().iter().map(|b| b.devices.len()).collect();
    sizes.sort_unstable();
    assert_eq!(sizes.iter().filter(|&&size| size == 0).count(), 2);
    assert!(sizes[63] > 10 * sizes[32], "the biggest has {}, the middle one {}", sizes[63], sizes[32]);
}

#[test]
fn a_big_world_has_unique_names_and_the_right_shares() {
    let size = WorldSize { businesses: 5_000, devices: 250_000, people: 60_000 };
    let world = World::generate(size, 1, a_tuesday());
    let legal: HashSet<&str> = world.businesses().iter().map(|b| b.legal_name.as_str()).collect();
    let domains: HashSet<&str> = world.businesses().iter().map(|b| b.domain.as_str()).collect();
    assert_eq!((legal.len(), domains.len()), (5_000, 5_000));
    assert!(domains.iter().all(|domain| domain.ends_with(".example") && domain.is_ascii()));
    assert_eq!(world.devices_after(0).count(), 250_000);
    for (vendor, percent) in [("ninjaone", 92), ("microsoft365", 78), ("pax8", 80), ("xero", 70)] {
        let known = world.known_to(vendor).count();
        assert!(known.abs_diff(50 * percent) < 100, "{vendor} knows {known}");
    }
    assert_eq!(world.known_to("nobody").count(), 0);
    let used: BTreeSet<&str> = world.businesses().iter().flat_map(|b| &b.vendors).map(String::as_str).collect();
    assert_eq!(used, BTreeSet::from(VENDORS));

    let devices: Vec<_> = world.devices_after(0).map(|(_, device)| device).collect();
    let macs: HashSet<&str> = devices.iter().map(|d| d.mac.as_str()).collect();
    assert_eq!(macs.len(), 250_000);
    let real: Vec<&str> = devices.iter().map(|d| d.serial.as_str()).filter(|serial| serial.len() == 7).collect();
    assert!((3_000..7_000).contains(&(250_000 - real.len())), "{} placeholders", 250_000 - real.len());
    assert_eq!(real.iter().collect::<HashSet<_>>().len(), real.len(), "serial numbers are unique");
}

#[test]
fn names_come_from_many_places_and_set_traps() {
    let world = World::generate(WorldSize { businesses: 1_000, devices: 0, people: 1_000 }, 7, a_tuesday());
    let countries: BTreeSet<&str> = world.businesses().iter().map(|b| b.country.as_str()).collect();
    assert!(countries.len() >= 9, "{countries:?}");
    let accented = world.businesses().iter().filter(|b| fold_accents(&b.legal_name) != b.legal_name).count();
    assert!(accented > 50, "{accented}");
    for name in ["Alder Dental Ltd", "Alder Rental Ltd", "Harbour Dental Pty Ltd", "Harbour Dental Ltd"] {
        assert!(demo(1).businesses().iter().any(|b| b.legal_name == name), "{name}");
    }
    let mut places: Vec<(&str, &str)> =
        world.businesses().iter().map(|b| (b.short_name.as_str(), b.city.as_str())).collect();
    places.sort_unstable();
    let twins = places.windows(2).filter(|pair| pair[0].0 == pair[1].0 && pair[0].1 != pair[1].1).count();
    assert!(twins > 10, "{twins} of one name in two cities");
}

#[test]
fn subscriptions_are_of_many_states_and_agree_with_licences() {
    let world = demo(7);
    let all: Vec<_> = world.subscriptions_after(0).collect();
    for status in ["Active", "Cancelled", "Trial", "PendingManual"] {
        assert!(all.iter().any(|(_, s)| s.status == status), "none is {status}");
    }
    for part in ["SPB", "O365_BUSINESS_ESSENTIALS", "EXCHANGESTANDARD"] {
        assert!(all.iter().any(|(_, s)| s.part_number.as_deref() == Some(part)), "no {part}");
    }
    let committed = all.iter().filter(|(_, s)| s.commitment_ends.is_some_and(|end| end > world.now)).count();
    assert!(committed > 10 && committed < all.len());
    for business in world.businesses() {
        assert!((1..=6).contains(&business.subscriptions.len()));
        for subscription in business.subscriptions.iter().filter(|s| s.status == "Active") {
            let Some(part) = &subscription.part_number else { continue };
            let used = business.people.iter().filter(|p| p.licences.contains(part)).count();
            assert!(
                used <= subscription.quantity as usize,
                "{}: {used} of {}",
                business.legal_name,
                subscription.quantity
            );
        }
    }
    assert!(world.businesses().iter().all(|b| b.people.first().is_some_and(|p| p.admin && p.enabled)));
}

#[test]
fn everything_in_it_is_invented() {
    for business in demo(7).businesses() {
        for person in &business.people {
            assert!(person.email.ends_with(".example") && person.email.is_ascii(), "{}", person.email);
        }
        for device in &business.devices {
            assert!(device.mac.starts_with("00:00:5E:") && device.ip.starts_with("10."), "{device:?}");
            assert!(device.created <= a_tuesday() && device.last_contact <= a_tuesday());
            assert!(business.locations.iter().any(|place| place.key == device.location));
            assert!(device.person.is_none_or(|key| business.person(key).is_some()));
        }
    }
}
