//! One stored record, and what today's connector makes of the vendor's text.

use std::{
    collections::{BTreeSet, HashMap},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicUsize, Ordering},
};

use domain::{ConnectionId, EntityId, RecordId, RunId};
use integration::{Entry, Listing, Reach, ReadRecord, RecordKind};
use persistence::{Kept, RecordWrite};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{
    ids,
    page::{one_line, read_one},
    seen::{from_bytes, to_bytes},
};

/// Characters of a value that a difference shows.
const LONGEST: usize = 500;
/// A connector that failed over this many records is given no more.
const CRASHES: usize = 20;
/// Fields that a difference shows.
const FIELDS: usize = 50;

/// Why a record under an entity that is not listed is left alone.
const STRANGER: &str = "it belongs to an entity that is not listed";

/// A field that would have another value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldChange {
    /// Its name in the body; `entity_id` where the record would move.
    pub field: String,
    /// Its value as JSON, cut at 500 characters; `None` where there was none.
    pub before: Option<String>,
    /// The same after the replay.
    pub after: Option<String>,
}

/// A record that a replay would change, or could not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Kind.
    pub kind: String,
    /// Which record.
    pub id: RecordId,
    /// The vendor's id.
    pub vendor_id: String,
    /// What a person calls it now.
    pub name: String,
    /// Why it cannot be read; `None` where it can.
    pub unreadable: Option<String>,
    /// What would change; empty where only what a sync compares by would.
    pub fields: Vec<FieldChange>,
}

/// What becomes of a record.
pub(super) enum Verdict {
    /// It stays as it is.
    Same,
    /// It is written anew.
    Changed(Box<Fresh>),
    /// It stays as it is, because it cannot be read.
    Unreadable(String),
}

/// A record as it is read today.
pub(super) struct Fresh {
    entity_id: EntityId,
    title: String,
    body: String,
    content: u128,
}

/// Reads records of one kind as the connector does today.
pub(super) struct Today<'a> {
    pub connection: ConnectionId,
    pub vendor: &'static Entry,
    pub listing: &'a dyn Listing,
    pub entities: &'a Entities,
    /// How often the connector failed over a record.
    pub crashes: &'a AtomicUsize,
}

/// The entities that are listed.
pub(super) struct Entities {
    ids: HashMap<String, EntityId>,
    vendor_ids: HashMap<EntityId, String>,
}

impl Entities {
    /// From vendor ids and ids.
    pub fn new(listed: Vec<(String, EntityId)>) -> Self {
        let vendor_ids = listed.iter().map(|(vendor_id, id)| (*id, vendor_id.clone())).collect();
        Self { ids: listed.into_iter().collect(), vendor_ids }
    }
}

impl Today<'_> {
    pub fn read(&self, kept: &Kept) -> Verdict {
        self.fresh(kept).map_or_else(Verdict::Unreadable, |fresh| {
            let same = fresh.entity_id == kept.entity_id
                && fresh.title == kept.title
                && fresh.content == from_bytes(&kept.content_hash)
                && same_json(&fresh.body, &kept.body);
            if same { Verdict::Same } else { Verdict::Changed(Box::new(fresh)) }
        })
    }

    fn fresh(&self, kept: &Kept) -> Result<Fresh, String> {
        let raw = kept.raw.as_ref().ok_or("its stored text cannot be unpacked")?;
        if to_bytes(ids::raw_hash(self.within(kept)?, raw)).as_slice() != kept.raw_hash {
            return Err("a person changed it at the vendor since: the next sync reads it".to_owned());
        }
        // A connector that cannot take old data must cost that record only, and not fill the log with each.
        if self.crashes.load(Ordering::Relaxed) >= CRASHES {
            return Err("the connector failed too often: it was not read".to_owned());
        }
        let read = catch_unwind(AssertUnwindSafe(|| read_one(self.listing, raw))).map_err(|_| {
            self.crashes.fetch_add(1, Ordering::Relaxed);
            "the connector failed while it read it".to_owned()
        })??;
        if read.id != kept.vendor_id {
            return Err("it would have another id: a sync stores it anew".to_owned());
        }
        let (entity_id, under) = self.entity(kept, &read)?;
        Ok(Fresh {
            entity_id,
            title: one_line(&read.title),
            content: ids::content_hash(&read.fingerprint, under),
            body: read.body,
        })
    }

    /// The entity that is hashed with the text, where each has a listing of its own.
    fn within(&self, kept: &Kept) -> Result<Option<&str>, String> {
        if self.listing.kind() == RecordKind::Entity || self.listing.reach() == Reach::Connection {
            return Ok(None);
        }
        let listed = self.entities.vendor_ids.get(&kept.entity_id).ok_or(STRANGER)?;
        Ok(Some(listed))
    }

    fn entity(&self, kept: &Kept, read: &ReadRecord) -> Result<(EntityId, Option<EntityId>), String> {
        let id = match (self.listing.kind(), self.listing.reach(), &read.entity) {
            (RecordKind::Entity, ..) => return Ok((kept.entity_id, None)),
            (_, Reach::Entity, _) => kept.entity_id,
            (.., None) => return Err("it does not say to whom it belongs".to_owned()),
            (.., Some(vendor_id)) => *self.entities.ids.get(vendor_id).ok_or(STRANGER)?,
        };
        Ok((id, Some(id)))
    }

    /// What a person sees of it; `None` where nothing differs.
    pub fn difference(&self, kept: &Kept, verdict: &Verdict) -> Option<Difference> {
        let (unreadable, fields) = match verdict {
            Verdict::Same => return None,
            Verdict::Unreadable(why) => (Some(why.chars().take(LONGEST).collect()), Vec::new()),
            Verdict::Changed(fresh) => (None, fields(kept, fresh)),
        };
        Some(Difference {
            kind: self.listing.kind().as_str().to_owned(),
            id: kept.id,
            vendor_id: kept.vendor_id.clone(),
            name: kept.title.clone(),
            unreadable,
            fields,
        })
    }

    /// The row to be written.
    pub fn write(&self, kept: Kept, fresh: Fresh, run: RunId) -> RecordWrite {
        RecordWrite {
            id: kept.id,
            connection_id: self.connection,
            entity_id: fresh.entity_id,
            kind: self.listing.kind().as_str().to_owned(),
            vendor_id: kept.vendor_id,
            title: fresh.title,
            body: fresh.body,
            raw: kept.raw.unwrap_or_default(),
            raw_hash: to_bytes(from_bytes(&kept.raw_hash)),
            content_hash: to_bytes(fresh.content),
            run_id: run,
        }
    }
}

impl Verdict {
    pub fn digest(&self, id: RecordId, hasher: &mut Sha256) {
        match self {
            Self::Same => {}
            Self::Unreadable(_) => {
                hasher.update(id.0.as_bytes());
                hasher.update([0]);
            }
            Self::Changed(fresh) => {
                hasher.update(id.0.as_bytes());
                hasher.update([1]);
                hasher.update(fresh.content.to_be_bytes());
                hasher.update(Sha256::digest(fresh.body.as_bytes()));
            }
        }
    }
}

/// Whether two bodies say the same, however they are written.
fn same_json(one: &str, other: &str) -> bool {
    one == other || matches!((parse(one), parse(other)), (Some(one), Some(other)) if one == other)
}

fn parse(body: &str) -> Option<Value> {
    serde_json::from_str(body).ok()
}

fn fields(kept: &Kept, fresh: &Fresh) -> Vec<FieldChange> {
    let shown = |value: Option<&Value>| value.map(|value| value.to_string().chars().take(LONGEST).collect());
    let mut changes = Vec::new();
    if kept.entity_id != fresh.entity_id {
        changes.push(FieldChange {
            field: "entity_id".to_owned(),
            before: Some(kept.entity_id.to_string()),
            after: Some(fresh.entity_id.to_string()),
        });
    }
    let (before, after) = (parse(&kept.body).unwrap_or_default(), parse(&fresh.body).unwrap_or_default());
    let names = |body: &Value| body.as_object().map(|body| body.keys().cloned().collect::<Vec<_>>());
    let names: BTreeSet<String> = names(&before).into_iter().chain(names(&after)).flatten().collect();
    let differing = names.into_iter().filter(|name| before.get(name) != after.get(name));
    changes.extend(differing.map(|name| FieldChange {
        before: shown(before.get(&name)),
        after: shown(after.get(&name)),
        field: name,
    }));
    changes.truncate(FIELDS);
    changes
}
