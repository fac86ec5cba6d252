//! Makes one thing at a time: the parts that [`super::generate`] and [`super::change`] share.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use rust_decimal::Decimal;

use super::{
    Business, Device, DeviceClass, Location, MfaState, Person, Subscription, World,
    change::take,
    ids, lookup,
    names::{self, Country},
    noise::{fold_accents, without_legal_form},
    random::{Random, hash},
    words,
};

/// Letters and digits of a text, in lower case and without accents.
pub(super) fn plain(text: &str) -> String {
    fold_accents(text).chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase()
}

/// A business without devices, people and subscriptions.
pub(super) fn business(
    chance: &mut Random,
    key: u64,
    legal_name: String,
    country: &Country,
    city: (&str, &str),
    now: DateTime<Utc>,
) -> Business {
    let short_name = without_legal_form(&legal_name);
    let domain = plain(&short_name);
    let street = |chance: &mut Random| format!("{} {}", chance.between(1, 240), chance.pick(country.streets));
    let main_street = street(chance);
    let post_code = format!("{:05}", hash("post code", key) % 90_000 + 10_000);
    Business {
        key,
        domain: format!("{}.example", if domain.is_empty() { format!("client{key}") } else { domain }),
        tenant_id: ids::uuid(lookup::TENANT, key),
        psa_id: (1000 + key).to_string(),
        city: city.0.to_owned(),
        region: city.1.to_owned(),
        country: country.code.to_owned(),
        phone: format!("{}{:02}", country.phone, chance.below(100)),
        since: now - TimeDelta::days(chance.between(40, 2500)),
        vendors: BTreeSet::new(),
        premium_directory: chance.percent(65),
        locations: vec![Location {
            key: 0,
            name: "Main office".to_owned(),
            address: format!("{main_street}, {} {post_code}", city.0),
        }],
        devices: Vec::new(),
        people: Vec::new(),
        subscriptions: Vec::new(),
        threats: Vec::new(),
        alerts: Vec::new(),
        tickets: Vec::new(),
        jobs: Vec::new(),
        invoices: Vec::new(),
        documents: Vec::new(),
        street: main_street,
        post_code,
        legal_name,
        short_name,
    }
}

/// A small business that is new today.
pub(super) fn newcomer(world: &mut World, legal_name: &str, vendors: &[&str]) -> Business {
    let mut chance = Random::new(world.chance.bits());
    let country = names::country(&mut chance);
    let city = country.cities[chance.below(country.cities.len())];
    let key = take(&mut world.next.business);
    let mut business = business(&mut chance, key, legal_name.to_owned(), country, city, world.now);
    business.since = world.now;
    if world.businesses.iter().any(|other| other.domain == business.domain) {
        business.domain = format!("{}-{key}.example", plain(&business.short_name));
    }
    business.vendors = vendors.iter().map(|&vendor| vendor.to_owned()).collect();
    business.locations[0].key = take(&mut world.next.location);
    for _ in 0..3 {
        let person = person(&mut chance, take(&mut world.next.person), world.now, &business);
        business.people.push(person);
    }
    for _ in 0..3 {
        let device = device(&mut chance, take(&mut world.next.device), world.now, &business);
        business.devices.push(device);
    }
    let product = &PRODUCTS[0];
    let subscription = subscription(&mut chance, take(&mut world.next.subscription), product, world.now, &business);
    business.subscriptions.push(subscription);
    business
}

/// A person of this business; the first of a business is its administrator.
pub(super) fn person(chance: &mut Random, key: u64, now: DateTime<Utc>, home: &Business) -> Person {
    let given = chance.pick(words::GIVEN).to_owned();
    let family = chance.pick(words::FAMILY).to_owned();
    let (title, department) = words::ROLES[chance.below(words::ROLES.len())];
    let first = home.people.is_empty();
    let guest = !first && chance.percent(4);
    // The key keeps addresses apart; the first of a name could do without, but a rename must not clash.
    let email = if guest {
        format!("{}.{}{key}@partner{}.example", plain(&given), plain(&family), key % 40)
    } else {
        format!("{}.{}{key}@{}", plain(&given), plain(&family), home.domain)
    };
    Person {
        key,
        id: ids::uuid(lookup::PERSON, key),
        title: title.to_owned(),
        department: department.to_owned(),
        enabled: first || chance.percent(92),
        mfa: if chance.percent(78) { MfaState::Registered } else { MfaState::NotRegistered },
        admin: first || (!guest && chance.percent(3)),
        licences: Vec::new(),
        created: (home.since + TimeDelta::days(chance.between(0, 900))).min(now),
        given,
        family,
        email,
        guest,
    }
}

/// A class of machine: how often among 100, code in host names, makers with models, system, version.
type Class = (
    DeviceClass,
    usize,
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static [(&'static str, &'static str)],
);

const CLASSES: &[Class] = &[
    (
        DeviceClass::Workstation,
        72,
        "WS",
        &[
            ("Dell Inc.", "Latitude 5440"),
            ("HP", "EliteBook 840 G10"),
            ("LENOVO", "ThinkPad T14 Gen 4"),
            ("Dell Inc.", "OptiPlex 7010"),
        ],
        &[
            ("Windows 11 Professional", "10.0.22631"),
            ("Windows 11 Professional", "10.0.26100"),
            ("Windows 10 Professional", "10.0.19045"),
        ],
    ),
    (
        DeviceClass::Server,
        9,
        "SRV",
        &[
            ("Dell Inc.", "PowerEdge R450"),
            ("HPE", "ProLiant DL360 Gen10"),
            ("VMware, Inc.", "VMware Virtual Platform"),
        ],
        &[("Windows Server 2022 Standard", "10.0.20348"), ("Windows Server 2019 Standard", "10.0.17763")],
    ),
    (
        DeviceClass::Mac,
        9,
        "MAC",
        &[("Apple Inc.", "MacBookPro18,3"), ("Apple Inc.", "Macmini9,1")],
        &[("macOS Sequoia", "15.5"), ("macOS Sonoma", "14.7")],
    ),
    (
        DeviceClass::LinuxServer,
        3,
        "LNX",
        &[("Supermicro", "SYS-510T"), ("HPE", "ProLiant ML30 Gen10")],
        &[("Ubuntu 24.04 LTS", "6.8.0"), ("Debian GNU/Linux 12", "6.1.0")],
    ),
    (DeviceClass::Firewall, 3, "FW", &[("Fortinet", "FortiGate 60F"), ("Netgate", "4200")], &[("FortiOS", "7.4.3")]),
    (DeviceClass::Switch, 4, "SW", &[("Ubiquiti", "USW-24-PoE"), ("HPE", "Aruba 2930F")], &[("Firmware", "7.1.26")]),
];

const PLACEHOLDER_SERIALS: &[&str] =
    &["To Be Filled By O.E.M.", "Default string", "System Serial Number", "None", "0", "123456789", "Not Specified"];

/// A device of this business, at one of its places and perhaps used by one of its people.
pub(super) fn device(chance: &mut Random, key: u64, now: DateTime<Utc>, home: &Business) -> Device {
    let mut at = chance.below(100);
    let (class, _, code, makes, systems) = CLASSES
        .iter()
        .find(|(_, share, ..)| {
            let found = at < *share;
            at = at.saturating_sub(*share);
            found
        })
        .unwrap_or(&CLASSES[0]);
    let (manufacturer, model) = makes[chance.below(makes.len())];
    let (os, os_version) = systems[chance.below(systems.len())];
    // The domain begins with the plain name.
    let prefix = home.domain[..home.domain.len().min(4)].trim_end_matches(['.', '-']).to_ascii_uppercase();
    let number = home.devices.last().map_or(1, |last| after(&last.hostname));
    let personal = matches!(class, DeviceClass::Workstation | DeviceClass::Mac);
    let online = if personal { chance.percent(70) } else { chance.percent(97) };
    let quiet = if online { chance.between(0, 14) } else { chance.between(30, 60 * 24 * 40) };
    let [_, _, _, _, _, a, b, c] = key.to_be_bytes();
    Device {
        key,
        hostname: format!("{prefix}-{code}-{number:03}"),
        class: *class,
        manufacturer: manufacturer.to_owned(),
        model: model.to_owned(),
        serial: if chance.percent(2) { chance.pick(PLACEHOLDER_SERIALS).to_owned() } else { serial(key) },
        mac: format!("00:00:5E:{a:02X}:{b:02X}:{c:02X}"),
        ip: format!("10.{}.{}.{}", home.key % 250, number / 250 % 250, number % 250 + 4),
        os: os.to_owned(),
        os_version: os_version.to_owned(),
        location: home.locations[chance.below(home.locations.len())].key,
        person: (personal && !home.people.is_empty() && chance.percent(85))
            .then(|| home.people[chance.below(home.people.len())].key),
        online,
        last_contact: now - TimeDelta::minutes(quiet),
        created: (home.since + TimeDelta::days(chance.between(0, 1200))).min(now - TimeDelta::days(1)),
    }
}

/// The number after the one that a host name ends in.
fn after(hostname: &str) -> usize {
    hostname.rsplit('-').next().and_then(|n| n.parse::<usize>().ok()).map_or(1, |n| n + 1)
}

/// Seven letters and digits, as makers print them; different for every key.
fn serial(key: u64) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKLMNPQRSTVWXZ";
    // Odd factor: a bijection on 35 bits, so no two keys share a serial.
    let mut left = key.wrapping_mul(0x5_9E37_79B9) & ((1 << 35) - 1);
    (0..7)
        .map(|_| {
            let letter = ALPHABET[(left % 32) as usize] as char;
            left /= 32;
            letter
        })
        .collect()
}

/// A product the MSP sells: name, Microsoft's part number, price of a month in cents, chance among 100
/// that a business has it.
pub(super) struct Product {
    pub name: &'static str,
    pub part_number: Option<&'static str>,
    pub cents: i64,
    pub likely: usize,
}

const fn product(name: &'static str, part_number: Option<&'static str>, cents: i64, likely: usize) -> Product {
    Product { name, part_number, cents, likely }
}

/// Everything the distributor sells to this MSP.
pub(super) const PRODUCTS: &[Product] = &[
    product("Microsoft 365 Business Premium [New Commerce Experience]", Some("SPB"), 2200, 60),
    product("Microsoft 365 Business Basic [New Commerce Experience]", Some("O365_BUSINESS_ESSENTIALS"), 600, 45),
    product("Microsoft 365 Business Standard [New Commerce Experience]", Some("O365_BUSINESS_PREMIUM"), 1250, 30),
    product("Exchange Online (Plan 1) [New Commerce Experience]", Some("EXCHANGESTANDARD"), 400, 35),
    product("Microsoft Entra ID P1 [New Commerce Experience]", Some("AAD_PREMIUM"), 600, 15),
    product("Power BI Pro [New Commerce Experience]", Some("POWER_BI_PRO"), 1400, 10),
    product("Visio Plan 2 [New Commerce Experience]", Some("VISIOCLIENT"), 1500, 6),
    product("Endpoint Protection", None, 350, 40),
    product("Mailbox Backup", None, 275, 40),
    product("Awareness Training", None, 199, 20),
    product("Server Backup 1 TB", None, 7950, 15),
];

/// A subscription of this business to a product.
pub(super) fn subscription(
    chance: &mut Random,
    key: u64,
    product: &Product,
    now: DateTime<Utc>,
    home: &Business,
) -> Subscription {
    let starts = (home.since + TimeDelta::days(chance.between(0, 700))).min(now - TimeDelta::hours(1));
    let annual = chance.percent(45);
    let commitment_ends = (annual || chance.percent(30)).then(|| {
        let years = (now - starts).num_days() / 365 + 1;
        starts + TimeDelta::days(365 * years)
    });
    let status = match chance.below(100) {
        0..86 => "Active",
        86..93 => "Cancelled",
        93..97 => "Trial",
        _ => "PendingManual",
    };
    let factor = if annual { 12 } else { 1 };
    let price = Decimal::new(product.cents * factor, 2);
    let currency = names::COUNTRIES.iter().find(|c| c.code == home.country).map_or("USD", |c| c.currency);
    Subscription {
        key,
        id: ids::uuid(lookup::SUBSCRIPTION, key),
        product: product.name.to_owned(),
        product_id: ids::uuid(lookup::PRODUCT, hash(product.name, 0) >> 8),
        part_number: product.part_number.map(str::to_owned),
        quantity: chance.between(1, (home.people.len() as i64 * 3 / 4).max(2)) as u32,
        cost: (price * Decimal::new(8, 1)).round_dp(2),
        price,
        currency: currency.to_owned(),
        status: status.to_owned(),
        billing_term: if status == "Trial" {
            "Trial"
        } else if annual {
            "Annual"
        } else {
            "Monthly"
        }
        .to_owned(),
        commitment_ends: if matches!(status, "Active" | "PendingManual") { commitment_ends } else { None },
        starts,
        updated: starts + (now - starts) / 2,
    }
}
