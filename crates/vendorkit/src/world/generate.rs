//! Makes a world from a seed.

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, Utc};

use super::{
    Business, Location, World,
    build::{self, PRODUCTS, plain},
    change::take,
    model::NextKeys,
    names::{self, Country},
    random::{Random, hash, mix},
    words::LOOK_ALIKES,
};

/// The vendors that the world's businesses may be known to.
pub const VENDORS: [&str; 25] = [
    "apple-business",
    "autotask",
    "checkpoint-harmony",
    "cipp",
    "connectwise-manage",
    "datto-rmm",
    "dropsuite",
    "gorelo",
    "halopsa",
    "hatz-ai",
    "microsoft365",
    "ninjaone",
    "pax8",
    "quickbooks-online",
    "sentinelone",
    "smtp2go",
    "sophos",
    "superops",
    "syncro",
    "synergy-wholesale",
    "teamviewer",
    "threecx",
    "unifi",
    "workflowmax",
    "xero",
];

/// How big a world is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorldSize {
    /// Client businesses.
    pub businesses: usize,
    /// Devices of all businesses together.
    pub devices: usize,
    /// People of all businesses together.
    pub people: usize,
}

impl WorldSize {
    /// A middling MSP, for the demo and most tests.
    pub const DEMO: Self = Self { businesses: 64, devices: 2_500, people: 3_000 };
    /// A handful, for tests that look at single records.
    pub const SMALL: Self = Self { businesses: 8, devices: 40, people: 40 };
    /// Nothing at all: an account on its first day.
    pub const EMPTY: Self = Self { businesses: 0, devices: 0, people: 0 };
}

impl World {
    /// The world of this size and seed at this instant. The same arguments give the same world, byte
    /// for byte. Devices and people need at least one business.
    pub fn generate(size: WorldSize, seed: u64, now: DateTime<Utc>) -> Self {
        let mut chance = Random::new(mix(seed));
        let mut world = Self {
            seed,
            now,
            businesses: Vec::with_capacity(size.businesses),
            device_homes: BTreeMap::new(),
            subscription_homes: BTreeMap::new(),
            person_homes: BTreeMap::new(),
            work_homes: BTreeMap::new(),
            next: NextKeys { business: 1, location: 1, device: 1, person: 1, subscription: 1, work: 1 },
            chance: Random::new(mix(seed ^ 1)),
            revision: 0,
            history: Vec::new(),
            remembered: 0,
        };
        world.businesses = businesses(&mut chance, size.businesses, now);
        world.next.business = size.businesses as u64 + 1;
        let weights = weights(&mut chance, size.businesses);
        world.fill_places(&mut chance, &weights);
        world.fill_people(&mut chance, &weights, size.people);
        world.fill_devices(&mut chance, &weights, size.devices);
        world.fill_subscriptions(&mut chance);
        world.fill_work(&mut Random::new(mix(seed ^ 2)));
        world
    }

    fn fill_places(&mut self, chance: &mut Random, weights: &[u64]) {
        let heavy = weights.iter().max().copied().unwrap_or(0) / 4;
        for (business, &weight) in self.businesses.iter_mut().zip(weights) {
            let more = if weight > heavy { chance.below(3) + 1 } else { usize::from(chance.percent(20)) };
            for name in ["Warehouse", "Branch", "Remote"].into_iter().take(more) {
                let address = format!("{} {}, {}", chance.between(1, 240), "Mill Lane", business.city);
                business.locations.push(Location { key: 0, name: name.to_owned(), address });
            }
            for location in &mut business.locations {
                location.key = take(&mut self.next.location);
            }
        }
    }

    fn fill_people(&mut self, chance: &mut Random, weights: &[u64], total: usize) {
        // Everybody gets one first, as far as it goes: a tenant without a person does not exist.
        let sure = total.min(self.businesses.len());
        let mut counts = share_out(weights, total - sure);
        counts.iter_mut().take(sure).for_each(|count| *count += 1);
        for (business, count) in self.businesses.iter_mut().zip(counts) {
            for _ in 0..count {
                let key = take(&mut self.next.person);
                let person = build::person(chance, key, self.now, business);
                business.people.push(person);
                self.person_homes.insert(key, business.key);
            }
        }
    }

    fn fill_devices(&mut self, chance: &mut Random, weights: &[u64], total: usize) {
        // One or two clients have none: their listing is empty and that is true.
        let mut weights = weights.to_vec();
        if weights.len() >= 4 {
            let count = weights.len();
            weights[count / 3] = 0;
            weights[count * 3 / 4] = 0;
        }
        let counts = share_out(&weights, total);
        let mut homes: Vec<usize> =
            counts.iter().enumerate().flat_map(|(at, &count)| std::iter::repeat_n(at, count)).collect();
        // Vendors number devices as they are enrolled, so the ids of one client are scattered.
        chance.shuffle(&mut homes);
        for at in homes {
            let key = take(&mut self.next.device);
            let business = &mut self.businesses[at];
            let device = build::device(chance, key, self.now, business);
            business.devices.push(device);
            self.device_homes.insert(key, business.key);
        }
    }

    fn fill_subscriptions(&mut self, chance: &mut Random) {
        for business in &mut self.businesses {
            let mut wanted: Vec<usize> =
                (0..PRODUCTS.len()).filter(|&at| chance.percent(PRODUCTS[at].likely)).take(6).collect();
            if wanted.is_empty() {
                wanted.push(0);
            }
            for at in wanted {
                let key = take(&mut self.next.subscription);
                let subscription = build::subscription(chance, key, &PRODUCTS[at], self.now, business);
                self.subscription_homes.insert(key, business.key);
                business.subscriptions.push(subscription);
            }
            assign_licences(chance, business);
        }
    }
}

/// Gives out the seats of Microsoft products that are in use, nearly all of them.
fn assign_licences(chance: &mut Random, business: &mut Business) {
    let mut next = 0;
    for subscription in &business.subscriptions {
        let Some(part) = &subscription.part_number else { continue };
        if subscription.status == "Cancelled" || business.people.is_empty() {
            continue;
        }
        let spare = chance.below(3).min(subscription.quantity as usize);
        for _ in spare..subscription.quantity as usize {
            let people = business.people.len();
            let person = &mut business.people[next % people];
            next += 1;
            if !person.guest && !person.licences.contains(part) {
                person.licences.push(part.clone());
            }
        }
    }
}

/// How heavy each business is: a few big ones, many small, in no order.
fn weights(chance: &mut Random, count: usize) -> Vec<u64> {
    let weight = |rank: usize| {
        // Rank to the power of 1.25, by square roots, because those are exact on every machine.
        let rank = (rank + 2) as f64;
        (1e12 / (rank * rank.sqrt().sqrt())) as u64
    };
    let mut weights: Vec<u64> = (0..count).map(weight).collect();
    chance.shuffle(&mut weights);
    weights
}

/// Splits `total` by weight, exactly.
fn share_out(weights: &[u64], total: usize) -> Vec<usize> {
    let sum: u128 = weights.iter().map(|&w| u128::from(w)).sum();
    if sum == 0 {
        return vec![0; weights.len()];
    }
    let mut counts: Vec<usize> = weights.iter().map(|&w| (u128::from(w) * total as u128 / sum) as usize).collect();
    let mut left = total - counts.iter().sum::<usize>();
    // Rounding down leaves less than one for each that has a weight.
    for (count, _) in counts.iter_mut().zip(weights).filter(|(_, weight)| **weight > 0) {
        if left == 0 {
            break;
        }
        *count += 1;
        left -= 1;
    }
    counts
}

/// Businesses with names, places and vendors. Legal names and domains are unique.
fn businesses(chance: &mut Random, count: usize, now: DateTime<Utc>) -> Vec<Business> {
    let mut made: Vec<Business> = Vec::with_capacity(count);
    let mut names = HashSet::with_capacity(count);
    let mut domains = HashSet::with_capacity(count);
    for key in 1..=count as u64 {
        let (legal_name, country, city) = name(chance, key, &made, &names);
        names.insert(legal_name.clone());
        let mut business = build::business(chance, key, legal_name, country, city, now);
        if !domains.insert(business.domain.clone()) {
            business.domain = format!("{}-{}.example", plain(&business.short_name), plain(&business.city));
            if !domains.insert(business.domain.clone()) {
                business.domain = format!("{}-{key}.example", plain(&business.short_name));
                domains.insert(business.domain.clone());
            }
        }
        business.vendors =
            VENDORS.iter().filter(|vendor| knows(vendor, key)).map(|&vendor| vendor.to_owned()).collect();
        made.push(business);
    }
    made
}

/// Whether a vendor knows the business of this key: the MSP does not use every tool everywhere.
fn knows(vendor: &str, key: u64) -> bool {
    let percent = match vendor {
        "ninjaone" => 92,
        "pax8" => 80,
        "microsoft365" => 78,
        _ => 70,
    };
    hash(vendor, mix(key)) % 100 < percent
}

type Named = (String, &'static Country, (&'static str, &'static str));

/// A name that is not taken. The first ones are traps for matching; so is every 20th after them.
fn name(chance: &mut Random, key: u64, made: &[Business], taken: &HashSet<String>) -> Named {
    if let Some(trap) = trap(chance, key, made)
        && !taken.contains(&trap.0)
    {
        return trap;
    }
    let country = names::country(chance);
    let city = country.cities[chance.below(country.cities.len())];
    let form = country.forms[chance.below(country.forms.len())];
    let english = country.words.len() > 50;
    for attempt in 0.. {
        let (word, trade) = (chance.pick(country.words), chance.pick(country.trades));
        let other = chance.pick(country.words);
        let core = match attempt {
            0 | 1 if english && chance.percent(18) => format!("{word} & {other} {trade}"),
            0 | 1 if english => format!("{word} {trade}"),
            0 | 1 => format!("{trade} {word}"),
            2..6 if english => format!("{word} & {other} {trade}"),
            2..6 => format!("{trade} {word} {}", city.0),
            6..10 => format!("{word} & {other} {trade} {}", city.0),
            _ => format!("{word} {trade} {} {key}", city.0),
        };
        let legal = format!("{core} {form}");
        if !taken.contains(&legal) {
            return (legal, country, city);
        }
    }
    unreachable!("the last form holds the key, which is unique")
}

/// A name made to be mistaken for another one: a look-alike trade, or the same short name elsewhere.
fn trap(chance: &mut Random, key: u64, made: &[Business]) -> Option<Named> {
    let (gb, au) = (&names::COUNTRIES[0], &names::COUNTRIES[1]);
    let fixed = match key {
        2 => Some(("Alder Dental Ltd", gb, 0)),
        3 => Some(("Alder Rental Ltd", gb, 0)),
        5 => Some(("Harbour Dental Pty Ltd", au, 0)),
        6 => Some(("Harbour Dental Ltd", gb, 2)),
        _ => None,
    };
    if let Some((name, country, city)) = fixed {
        return Some((name.to_owned(), country, country.cities[city]));
    }
    if key < 8 || !key.is_multiple_of(20) {
        return None;
    }
    let model = &made[chance.below(made.len())];
    let country = names::COUNTRIES.iter().find(|c| c.code == model.country)?;
    let form = country.forms[chance.below(country.forms.len())];
    let city = *country.cities.iter().find(|city| city.0 != model.city)?;
    let swapped = LOOK_ALIKES.iter().find_map(|(one, other)| {
        let core = model.short_name.strip_suffix(one)?;
        Some(format!("{core}{other}"))
    });
    let core = swapped.filter(|_| chance.percent(60)).unwrap_or_else(|| model.short_name.clone());
    Some((format!("{core} {form}"), country, city))
}
