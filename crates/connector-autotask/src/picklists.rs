//! Picklists: Autotask writes numbers whose meaning differs from account to account, and tells it
//! beside. The labels are put into each record, so that it can be read again years later.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use integration::{Choice, Error, Result};
use serde_json::value::{RawValue, to_raw_value};
use tokio::sync::Mutex;

use crate::{
    api::{Api, NAME},
    queries::Shape,
    wire::{self, Pick},
};

/// How long what was told is taken to hold: long enough for a listing, short enough for a person who has
/// just added a state.
const LIFE: TimeDelta = TimeDelta::minutes(15);

/// Where a record keeps the labels of its numbers.
pub(crate) const LABELS: &str = "_labels";

/// The fields of an entity, by name in lower case.
pub(crate) type Fields = HashMap<String, wire::Field>;

/// What was told of an entity, and when.
type Told = (DateTime<Utc>, Arc<Fields>);

/// What was told, by entity.
#[derive(Default)]
pub(crate) struct Picklists(Mutex<HashMap<&'static str, Told>>);

impl Api {
    /// The fields of an entity with what their numbers mean.
    pub(crate) async fn fields(&self, entity: &'static str) -> Result<Arc<Fields>> {
        let mut held = self.picklists.0.lock().await;
        if let Some((_, fields)) = held.get(entity).filter(|(at, _)| self.http.now() - *at < LIFE) {
            return Ok(fields.clone());
        }
        let told: wire::Fields = self.read(&[entity, "entityInformation", "fields"], None).await?.json(NAME)?;
        let fields = told.fields.into_iter().map(|field| (field.name.to_lowercase(), field));
        let fields: Arc<Fields> = Arc::new(fields.collect());
        held.insert(entity, (self.http.now(), fields.clone()));
        Ok(fields)
    }

    /// The records with the labels of their picked fields.
    pub(crate) async fn labelled(&self, shape: Shape, records: Vec<Bytes>) -> Result<Vec<Bytes>> {
        if shape.picked.is_empty() || records.is_empty() {
            return Ok(records);
        }
        let fields = self.fields(shape.entity).await?;
        records.iter().map(|raw| label(shape, &fields, raw)).collect()
    }
}

fn label(shape: Shape, fields: &Fields, raw: &Bytes) -> Result<Bytes> {
    let unreadable = |why: serde_json::Error| Error::unreadable(NAME, why);
    let mut record: BTreeMap<String, Box<RawValue>> = serde_json::from_slice(raw).map_err(unreadable)?;
    let mut labels = BTreeMap::new();
    for name in shape.picked {
        let value = record.get(*name).map_or("", |value| value.get().trim_matches('"'));
        if let Some(pick) = picks(fields, name).find(|pick| pick.value.0 == value) {
            labels.insert(*name, pick.label.clone().unwrap_or_default());
        }
    }
    record.insert(LABELS.to_owned(), to_raw_value(&labels).map_err(unreadable)?);
    serde_json::to_vec(&record).map(Bytes::from).map_err(unreadable)
}

/// All values of a field, also those out of use, which old records have.
pub(crate) fn picks<'a>(fields: &'a Fields, name: &str) -> impl Iterator<Item = &'a Pick> {
    fields.get(&name.to_lowercase()).and_then(|field| field.picklist_values.as_ref()).into_iter().flatten()
}

/// The values that can be chosen, in Autotask's order.
pub(crate) fn in_use<'a>(fields: &'a Fields, name: &str) -> Vec<&'a Pick> {
    let mut found: Vec<&Pick> = picks(fields, name).filter(|pick| pick.is_active != Some(false)).collect();
    found.sort_by_key(|pick| pick.sort_order.unwrap_or(i64::MAX));
    found
}

/// The values that can be chosen, as a list of choices.
pub(crate) fn choices(fields: &Fields, name: &str) -> Vec<Choice> {
    let offered = |pick: &&Pick| Choice { id: pick.value.0.clone(), label: pick.label.clone().unwrap_or_default() };
    in_use(fields, name).iter().map(offered).collect()
}

/// The value that is the account's default.
pub(crate) fn default<'a>(fields: &'a Fields, name: &str) -> Option<&'a Pick> {
    in_use(fields, name).into_iter().find(|pick| pick.is_default_value == Some(true))
}
