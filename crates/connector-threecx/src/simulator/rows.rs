//! The phone system's view of the world. Every person of a client that is on it has an extension, numbered with zeros in
//! front; every client has a queue, and some a ring group.

use chrono::{DateTime, TimeDelta, Utc};
use integration::Vendor;
use serde_json::{Value, json};
use vendorkit::{
    World,
    world::{Business, Person},
};

use crate::Threecx;

/// A row that is made only where it is shown.
pub(super) struct Row<'w> {
    /// What it is ordered by: the number, or the time of a call.
    pub order: String,
    /// When it was, of a call.
    pub at: Option<DateTime<Utc>>,
    pub make: Box<dyn Fn() -> Value + 'w>,
}

pub(super) fn people(world: &World) -> impl Iterator<Item = (&Business, &Person)> {
    world.known_to(Threecx::ID).flat_map(|business| business.people.iter().map(move |person| (business, person)))
}

fn number(person: &Person) -> String {
    format!("{:05}", person.key)
}

/// People, and the hot-desking devices that 3CX lists among them.
pub(super) fn users(world: &World) -> Vec<Row<'_>> {
    let row = |order: String, person| {
        let number = order.clone();
        Row { order, at: None, make: Box::new(move || user(&number, person)) }
    };
    let mut all: Vec<Row<'_>> = people(world).map(|(_, person)| row(number(person), person)).collect();
    all.extend(people(world).next().map(|(_, person)| row("HD1".to_owned(), person)));
    all
}

fn user(number: &str, person: &Person) -> Value {
    let key = person.key;
    let presence = ["Available", "Away", "Out of office"][(key % 3) as usize];
    let caller_id = if key.is_multiple_of(3) { format!("+6129000{key:04}") } else { String::new() };
    json!({
        "Id": 50 + key, "Number": number, "FirstName": person.given, "LastName": person.family,
        "DisplayName": format!("{} {}", person.given, person.family), "EmailAddress": person.email,
        "Enabled": person.enabled, "IsRegistered": !key.is_multiple_of(4), "CurrentProfileName": presence,
        "OutboundCallerID": caller_id, "QueueStatus": "LoggedIn", "AuthID": format!("auth-id-{key}"),
        "AuthPassword": format!("auth-password-{key}"), "VMPIN": "918273",
    })
}

/// Everything that has a number, for the world's clients and for the system itself.
pub(super) fn peers(world: &World) -> Vec<Row<'_>> {
    let mut all: Vec<Row<'_>> = people(world)
        .map(|(_, person)| {
            let number = number(person);
            let name = move || format!("{} {}", person.given, person.family);
            peer(number, name, "Extension")
        })
        .collect();
    for business in world.known_to(Threecx::ID) {
        let name = || business.name_at(Threecx::ID);
        all.push(peer(format!("8{:04}", business.key), move || format!("{} queue", name()), "Queue"));
        if business.key.is_multiple_of(5) {
            all.push(peer(format!("7{:04}", business.key), name, "RingGroup"));
        }
    }
    let own = [
        ("HD1", "Hot desk", "Extension"),
        ("10000", "Trunk", "ExternalLine"),
        ("SP0", "Shared parking", "Parking"),
        ("*777", "Echo test", "SpecialMenu"),
        ("panelone-owner", "", "RoutePoint"),
        ("", "DEFAULT", "Group"),
        ("700", "Conference", "Conference"),
    ];
    all.extend(own.map(|(number, name, class)| peer(number.to_owned(), || name.to_owned(), class)));
    all
}

fn peer<'w>(number: String, name: impl Fn() -> String + 'w, class: &'static str) -> Row<'w> {
    let order = number.clone();
    let make = move || json!({ "Id": 0, "Number": number, "Name": name(), "Type": class, "Hidden": false });
    Row { order, at: None, make: Box::new(make) }
}

/// How many numbers can stand for a client.
pub(super) fn destinations(world: &World) -> usize {
    let groups = world.known_to(Threecx::ID).map(|business| 1 + usize::from(business.key.is_multiple_of(5)));
    people(world).count() + groups.sum::<usize>()
}

/// Legs of calls: of every third person one out and one in, in the last 30 days; and for the first of them one that is
/// older, and one of today.
pub(super) fn history(world: &World) -> Vec<Row<'_>> {
    let now = world.now;
    let mut all: Vec<Row<'_>> = Vec::new();
    let mut leg = |at: DateTime<Utc>, from: &str, to: &str, answered: bool| {
        let (id, from, to) = (all.len() + 1, from.to_owned(), to.to_owned());
        let make = move || {
            json!({
                "SegmentId": id, "SegmentStartTime": at.format("%Y-%m-%dT%H:%M:%SZ").to_string(), "SrcDn": from,
                "DstDn": to, "CallAnswered": answered, "CallTime": "PT1M12.5S", "SrcCallerNumber": "+61290001234",
                "DstCallerNumber": "+61290004321",
            })
        };
        all.push(Row { order: format!("{}/{id:08}", at.timestamp()), at: Some(at), make: Box::new(make) });
    };
    for (nth, (_, person)) in people(world).filter(|(_, person)| person.key.is_multiple_of(3)).enumerate() {
        let (own, key) = (number(person), person.key);
        leg(now - TimeDelta::hours(24 + (key % 600) as i64), &own, "10000", true);
        leg(now - TimeDelta::hours(25 + (key % 600) as i64), "10000", &own, key.is_multiple_of(2));
        if nth == 0 {
            leg(now - TimeDelta::days(40), &own, "10000", true);
            leg(now - TimeDelta::hours(1), "10000", &own, false);
        }
    }
    all
}

pub(super) fn system(world: &World) -> Value {
    let total = people(world).count();
    let registered = people(world).filter(|(_, person)| !person.key.is_multiple_of(4)).count();
    let night = world.now.date_naive().and_hms_opt(1, 0, 0).map(|at| at.and_utc().to_rfc3339()).unwrap_or_default();
    json!({
        "Id": 0, "FQDN": "pbx.msp.example", "Version": "20.0.6.724", "Activated": true, "LicenseActive": true,
        "LicenseKey": "licence-key-of-the-msp", "ExpirationDate": "0001-01-01T00:00:00Z", "MaxSimCalls": 16,
        "ExtensionsTotal": total, "ExtensionsRegistered": registered, "TrunksTotal": 1, "TrunksRegistered": 1,
        "CallsActive": 2, "DiskUsage": 31, "HasNotRunningServices": false, "BackupScheduled": true,
        "LastBackupDateTime": night, "OS": "Linux",
    })
}
