//! What can stand for a client: extensions, queues, ring groups and the like, by their numbers, and the phone system as
//! a whole. On a client's form its number is typed.

use std::collections::HashSet;

use async_trait::async_trait;
use bytes::Bytes;
use integration::{Entity, Error, Item, Kind, Page, Position, Pull, Result};
use serde_json::{Map, Value, json};

use crate::{
    Threecx,
    api::NAME,
    odata::Listing,
    wire::{self, Peer},
};

/// The id of the phone system itself, under which its own record is. Numbers are digits.
pub(crate) const SYSTEM: &str = "system";

const PEERS: Listing = Listing { path: "Peers", select: &["Number", "Name", "Type"], order: "Number", filter: None };
/// Types that stand for nobody: lines, places to park, menus of codes, programs, departments.
const NOBODY: [&str; 7] = ["None", "ExternalLine", "Parking", "SpecialMenu", "Conference", "RoutePoint", "Group"];
/// Numbers of hot-desking devices begin so.
pub(crate) const HOT_DESK: &str = "HD";
/// Most destinations of one PBX.
const MOST: u64 = 20_000;

#[async_trait]
impl Pull<Entity> for Threecx {
    /// All of them at once: what is left out must not look like an empty page in the middle.
    async fn page(&self, _: Position<'_>) -> Result<Page> {
        let system = json!({ "Number": SYSTEM, "Name": self.api.host(), "Type": "System" });
        let mut records = vec![Bytes::from(system.to_string())];
        let mut seen = HashSet::from([SYSTEM.to_owned()]);
        let mut skip = Some(0);
        while let Some(at) = skip {
            if at >= MOST {
                return Err(Error::new(Kind::Limit, format!("{NAME} has more than {MOST} destinations")));
            }
            let page = self.api.rows(&PEERS, None, at).await?;
            records.extend(page.rows.into_iter().filter_map(|row| dialled(row, &mut seen)));
            skip = page.next;
        }
        let total = Some(records.len() as u64);
        Ok(Page { records, total, ..Page::default() })
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Entity>, String> {
        let peer: Peer = wire::read(raw, "destination")?;
        let number = peer.number.0.ok_or("a destination has no number")?;
        let name = match peer.name.0 {
            Some(name) if number == SYSTEM => format!("Phone system {name}"),
            Some(name) if name != number => format!("{number} {name}"),
            _ => number.clone(),
        };
        Ok(Item { id: number, entity: None, record: Entity { name, ..Entity::default() } })
    }
}

/// The raw record of a destination, unless it can stand for nobody or was there before.
fn dialled(row: Map<String, Value>, seen: &mut HashSet<String>) -> Option<Bytes> {
    let raw = Value::Object(row);
    let text = |name: &str| raw[name].as_str().map(str::trim).unwrap_or_default();
    let number = text("Number");
    let somebody = !number.is_empty() && !number.starts_with(HOT_DESK) && !NOBODY.contains(&text("Type"));
    (somebody && seen.insert(number.to_owned())).then(|| Bytes::from(raw.to_string()))
}
