//! Custom fields of locations: their definitions are the same in every account, their values are kept here.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use integration::Request;
use serde_json::{Map, Value, json};
use vendorkit::World;

use super::{
    answers::{Query, Refusal, json as to_json, object},
    documents::choice,
    organizations::place_of,
};

/// Name, label, type, API permission, and what it can be defined on.
type Row = (&'static str, &'static str, &'static str, &'static str, &'static [&'static str]);

const FIELDS: [Row; 8] = [
    ("assetOwner", "Asset owner", "TEXT", "READ_WRITE", &["NODE"]),
    ("floors", "Floors", "NUMERIC", "READ_ONLY", &["LOCATION"]),
    ("siteCode", "Site code", "TEXT", "READ_WRITE", &["LOCATION", "ORGANIZATION"]),
    ("wanProvider", "Internet provider", "DROPDOWN", "READ_WRITE", &["LOCATION"]),
    ("contractEnd", "Contract ends", "DATE", "READ_WRITE", &["LOCATION"]),
    ("alarmed", "Has an alarm", "CHECKBOX", "READ_WRITE", &["LOCATION"]),
    ("alarmCode", "Alarm code", "TEXT_ENCRYPTED", "READ_WRITE", &["LOCATION"]),
    ("landlord", "Landlord", "TEXT", "NONE", &["LOCATION"]),
];
const PROVIDERS: [&str; 2] = ["Northern Fibre", "Harbour Net"];

pub(super) fn definitions(query: &Query) -> Result<Vec<u8>, Refusal> {
    let scopes: Vec<&str> = query.text("scopes").unwrap_or("all").split(',').collect();
    if let Some(odd) = scopes.iter().find(|scope| !["all", "node", "location", "organization"].contains(*scope)) {
        return Err(Refusal::api(400, format!("There is no scope {odd}")));
    }
    let wanted = |(.., on): &&Row| {
        scopes.contains(&"all") || on.iter().any(|one| scopes.contains(&one.to_ascii_lowercase().as_str()))
    };
    let row = |(name, label, class, permission, on): &Row| {
        let values: Vec<Value> = match *class {
            "DROPDOWN" => PROVIDERS.iter().map(|one| json!({"id": choice(one), "name": one, "active": true})).collect(),
            _ => Vec::new(),
        };
        json!({
            "entityType": "NODE", "scope": "NODE_GLOBAL", "definitionScope": on, "type": class, "label": label,
            "description": null, "name": name, "defaultValue": null, "endUserPermission": "HIDDEN",
            "technicianPermission": "EDITABLE", "scriptPermission": "NONE", "apiPermission": permission,
            "content": {"values": values, "required": false}, "system": false, "active": true,
            "createTime": 1_700_000_000.0, "updateTime": 1_700_000_000.0,
        })
    };
    to_json(&FIELDS.iter().filter(wanted).map(row).collect::<Vec<_>>())
}

/// What was changed at each location, by its key; `null` is emptied.
#[derive(Default)]
pub(super) struct Places(Mutex<HashMap<u64, Map<String, Value>>>);

impl Places {
    pub(super) fn values(&self, world: &World, id: &str, place: &str) -> Result<Vec<u8>, Refusal> {
        let key = place_of(world, id, place)?.1.key;
        let mut values = Map::from_iter([
            ("floors".to_owned(), json!(key % 4 + 1)),
            ("siteCode".to_owned(), json!(format!("SITE-{key}"))),
            ("wanProvider".to_owned(), json!(choice(PROVIDERS[key as usize % 2]))),
            ("contractEnd".to_owned(), json!(1_798_761_600_000_i64)),
            ("alarmCode".to_owned(), json!("SECURE_VALUE_PLACEHOLDER_0001")),
        ]);
        let changed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        values.extend(changed.get(&key).into_iter().flatten().map(|(name, value)| (name.clone(), value.clone())));
        values.retain(|_, value| !value.is_null());
        to_json(&values)
    }

    pub(super) fn change(&self, world: &World, id: &str, place: &str, request: &Request) -> Result<Vec<u8>, Refusal> {
        let key = place_of(world, id, place)?.1.key;
        let body = object(request)?;
        for (name, value) in body {
            let field = FIELDS.iter().find(|(known, .., on)| known == name && on.contains(&"LOCATION"));
            let Some((_, _, class, permission, _)) = field else {
                return Err(Refusal::api(400, format!("There is no field {name}")));
            };
            if !matches!(*permission, "READ_WRITE" | "WRITE_ONLY") {
                return Err(Refusal::api(403, format!("The field {name} may not be changed over the API")));
            }
            if !value.is_null() && !suits(class, value) {
                return Err(Refusal::api(400, format!("The value of {name} is not valid")));
            }
        }
        let mut changed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        changed.entry(key).or_default().extend(body.clone());
        Ok(Vec::new())
    }
}

fn suits(class: &str, value: &Value) -> bool {
    match class {
        "NUMERIC" | "DATE" => value.is_i64(),
        "CHECKBOX" => value.is_boolean(),
        "DROPDOWN" => PROVIDERS.iter().any(|one| value == &choice(one)),
        _ => value.is_string(),
    }
}
