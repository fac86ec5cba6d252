//! What the records say.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use bytes::Bytes;
use chrono::{DateTime, Datelike};
use integration::{Exact, Reach, ReadRecord, RecordKind, Subscription};
use serde_json::Value;

use super::{
    Subject,
    stage::{FEW, Stage},
};
use crate::{Fault, Plan, a_tuesday, faulty::Alter};

type Key = (RecordKind, Option<String>, String);

/// Everything that can be listed, by kind, listing and id.
async fn everything(stage: &Stage) -> BTreeMap<Key, ReadRecord> {
    let all: BTreeMap<Key, ReadRecord> = listed(stage).await.into_iter().collect();
    assert!(!all.is_empty(), "nothing can be listed");
    all
}

async fn listed(stage: &Stage) -> Vec<(Key, ReadRecord)> {
    let mut all = Vec::new();
    for target in stage.targets().await {
        let Some(walked) = stage.walk_whole(&target).await else { continue };
        for record in walked.records {
            all.push(((target.kind, target.entity.clone(), record.id.clone()), record));
        }
    }
    all
}

fn bodies(all: &BTreeMap<Key, ReadRecord>) -> BTreeMap<&Key, (&str, Option<&str>)> {
    all.iter().map(|(key, record)| (key, (record.body.as_str(), record.entity.as_deref()))).collect()
}

/// Ids are unique within their listing, and the same the next time and for another connector. A
/// record that comes twice would be written twice in every run.
pub async fn ids_are_stable_and_unique(subject: &Subject) {
    let stage = subject.stage(FEW);
    let mut seen = HashSet::new();
    for (key, _) in listed(&stage).await {
        assert!(!key.2.is_empty(), "{key:?} has no id");
        assert!(seen.insert(key.clone()), "{key:?} comes twice");
    }
    let all = everything(&stage).await;
    assert_eq!(bodies(&all), bodies(&everything(&stage).await), "a second listing says something else");
    assert_eq!(bodies(&all), bodies(&everything(&subject.stage(FEW)).await), "another connector says something else");
}

/// In a listing for the whole connection each record names an entity, and that entity is listed.
pub async fn every_record_names_its_entity(subject: &Subject) {
    let stage = subject.stage(FEW);
    let all = everything(&stage).await;
    let entities: HashSet<&str> =
        all.keys().filter(|(kind, ..)| *kind == RecordKind::Entity).map(|(_, _, id)| id.as_str()).collect();
    for ((kind, _, id), record) in &all {
        let reach = stage.listing(*kind).reach();
        match (kind, &record.entity) {
            (RecordKind::Entity, entity) => assert!(entity.is_none(), "entity {id} belongs to an entity"),
            (_, Some(entity)) if reach == Reach::Connection => {
                assert!(entities.contains(entity.as_str()), "{kind:?} {id} names the unknown entity {entity}");
            }
            (_, None) => assert_eq!(reach, Reach::Entity, "{kind:?} {id} names no entity"),
            (_, Some(_)) => panic!("{kind:?} {id} names an entity, but its listing is of one entity"),
        }
        assert!(!record.title.trim().is_empty(), "{kind:?} {id} has no title for people");
    }
}

/// A field that we do not know, in any object, changes nothing.
pub async fn unknown_fields_are_ignored(subject: &Subject) {
    let plain = everything(&subject.stage(FEW)).await;
    let stage = subject.stage(FEW);
    let alter: Alter = Arc::new(|_, mut response| {
        response.body = with_unknown_field(&response.body);
        response
    });
    stage.faulty.set(Plan::Always(Fault::Alter(alter.clone())));
    stage.token_faulty.set(Plan::Always(Fault::Alter(alter)));
    assert_eq!(bodies(&plain), bodies(&everything(&stage).await));
    assert!(stage.faulty.broken() > 0, "no answer was altered");
}

/// Puts a field that nobody knows first into each object. Works on the text, so that numbers stay
/// as they are written.
fn with_unknown_field(body: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(body.len() * 5 / 4);
    let (mut in_text, mut escaped) = (false, false);
    for (at, &byte) in body.iter().enumerate() {
        out.push(byte);
        if in_text {
            in_text = escaped || byte != b'"';
            escaped = byte == b'\\' && !escaped;
        } else if byte == b'"' {
            in_text = true;
        } else if byte == b'{' {
            let empty = body[at + 1..].iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'}');
            out.extend_from_slice(br#""unheardOf":{"since":[2031,null]}"#);
            if !empty {
                out.push(b',');
            }
        }
    }
    Bytes::from(out)
}

/// Fields in which vendors put one word of a list that grows.
const CHOICES: &[&str] = &[
    "status",
    "state",
    "nodeClass",
    "class",
    "approvalStatus",
    "userType",
    "billingTerm",
    "capabilityStatus",
    "authenticationType",
    "contractType",
    "type",
    "term",
    "subscriptionStatus",
    "nodeApprovalMode",
];

/// A word that the vendor adds to a list of choices one day loses no record.
pub async fn unknown_choices_survive(subject: &Subject) {
    let plain = everything(&subject.stage(FEW)).await;
    let stage = subject.stage(FEW);
    stage.faulty.set(Plan::Always(Fault::Alter(Arc::new(|_, mut response| {
        if let Ok(mut body) = serde_json::from_slice(&response.body) {
            replace_choices(&mut body);
            response.body = Bytes::from(body.to_string());
        }
        response
    }))));
    let after = everything(&stage).await;
    for key in plain.keys() {
        assert!(after.contains_key(key), "{key:?} is lost when the vendor uses a new word");
    }
}

fn replace_choices(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(word) if CHOICES.contains(&name.as_str()) => *word = "NewerThanUs".to_owned(),
                    other => replace_choices(other),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(replace_choices),
        _ => {}
    }
}

/// Times are in UTC and in our age: not seconds taken for milliseconds, not local time.
pub async fn times_are_utc(subject: &Subject) {
    for (key, record) in everything(&subject.stage(FEW)).await {
        let body: Value = serde_json::from_str(&record.body).unwrap_or_else(|why| panic!("{key:?}: {why}"));
        check_times(&key, &body);
    }
}

fn check_times(key: &Key, value: &Value) {
    match value {
        Value::String(text) => {
            let looks_like_time = text.len() >= 19 && text.as_bytes()[10] == b'T' && text.as_bytes()[4] == b'-';
            if looks_like_time {
                let time = DateTime::parse_from_rfc3339(text).unwrap_or_else(|why| panic!("{key:?}: {text}: {why}"));
                assert_eq!(time.offset().local_minus_utc(), 0, "{key:?}: {text} is not in UTC");
                let years = time.year() - a_tuesday().year();
                assert!((-20..=10).contains(&years), "{key:?}: {text} is not of our age");
            }
        }
        Value::Array(items) => items.iter().for_each(|item| check_times(key, item)),
        Value::Object(fields) => fields.values().for_each(|field| check_times(key, field)),
        _ => {}
    }
}

/// Every amount has a currency of three capitals, and subscriptions have prices.
pub async fn money_has_currency(subject: &Subject) {
    let all = everything(&subject.stage(FEW)).await;
    let subscriptions: Vec<&ReadRecord> =
        all.iter().filter(|(key, _)| key.0 == RecordKind::Subscription).map(|(_, record)| record).collect();
    let mut priced = 0;
    for record in &subscriptions {
        let read: Subscription = serde_json::from_str(&record.body).unwrap_or_else(|why| panic!("{why}"));
        for money in [&read.price, &read.cost].into_iter().flatten() {
            let code = &money.currency;
            assert!(code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase()), "{}: currency {code}", record.id);
            assert!(money.amount >= Exact(0.into()), "{}: a negative price", record.id);
            priced += 1;
        }
    }
    assert!(subscriptions.is_empty() || priced > 0, "no subscription has a price");
}
