//! What can be read.

use std::collections::BTreeMap;

use integration::{Request, Vendor};
use serde_json::{Value, json};
use vendorkit::{
    World,
    world::{Business, hash},
};

use super::{Answer, No, State, account, ids, no, rows, unknown};
use crate::Gorelo;

/// Query names of each paged listing, besides those of paging.
const CHANGED: [&str; 4] = ["CreatedSince", "CreatedBefore", "UpdatedSince", "UpdatedBefore"];
const CLIENTS: [&str; 2] = ["Query", "StatusIds"];
const CONTACTS: [&str; 4] = ["Query", "StatusIds", "ClientId", "ClientIds"];
const AGENTS: [&str; 3] = ["Query", "StatusIds", "ClientIds"];
const CUSTOM: [&str; 2] = ["Query", "ClientIds"];
const ALERTS: [&str; 5] = ["ClientIds", "DeviceIds", "SortOrder", "StatusIds", "TypeIds"];
const INVOICES: [&str; 6] = ["ClientIds", "Number", "Query", "SortBy", "SortOrder", "StatusIds"];
const TICKETS: [&str; 7] = ["ClientIds", "ContactIds", "PriorityIds", "SortBy", "SortOrder", "StatusIds", "TypeIds"];

pub(super) fn get(world: &World, state: &State, path: &[&str], request: &Request) -> Answer {
    let vendor = Gorelo::ID;
    let one = |data: Result<Value, No>| Ok((data?, None));
    match path {
        ["clients"] => {
            let query = Query::read(request, &CLIENTS)?;
            let wanted = query.get("StatusIds").unwrap_or("1");
            let shown = |business: &&Business| wanted.split(',').any(|id| id == status(state, business));
            query.page(world.known_to(vendor).filter(shown).collect(), |business| rows::client(state, business))
        }
        ["clients", id] => one(client(world, id).map(|business| rows::client(state, business))),
        ["clients", id, "locations"] => {
            Query::none(request)?;
            let business = client(world, id)?;
            one(Ok(business.locations.iter().map(|location| rows::location(business, location)).collect()))
        }
        ["contacts"] => {
            let query = Query::read(request, &CONTACTS)?;
            // First one that is nobody's yet, and one that was merged into another.
            let odd = [
                json!({ "Id": 1, "FirstName": "Passer-by", "ClientId": null, "IsTemporaryContact": true }),
                json!({ "Id": 2, "FirstName": "Double", "ClientId": ids::CLIENT + 1, "MergedWithContactId": 300_001 }),
            ];
            let people = world.known_to(vendor).flat_map(|business| business.people.iter().map(move |p| (business, p)));
            let all = odd.into_iter().map(Err).chain(people.map(Ok));
            query.page(all.collect(), |one| match one {
                Ok((business, person)) => rows::contact(state, business, person),
                Err(odd) => odd.clone(),
            })
        }
        ["contacts", id] => {
            let found = account::person(world, ids::number(ids::CONTACT, id.parse().ok())?);
            one(found.map(|(business, person)| rows::contact(state, business, person)))
        }
        ["assets", kind @ ("agents" | "custom")] => {
            let by_hand = *kind == "custom";
            let query = Query::read(request, if by_hand { &CUSTOM } else { &AGENTS })?;
            let all = world.devices_after(0).filter(|(business, _)| business.vendors.contains(vendor));
            let row = |(business, device): &(&Business, &_)| {
                if by_hand { rows::custom(business, device) } else { rows::agent(business, device) }
            };
            query.page(all.filter(|(_, device)| rows::by_hand(device) == by_hand).collect(), row)
        }
        ["alerts"] => {
            let mut all = world.alerts_after(vendor, 0);
            all.sort_by_key(|(_, alert)| (alert.raised, alert.key));
            Query::read(request, &ALERTS)?.page(all, |(business, alert)| rows::alert(business, alert))
        }
        ["invoices"] => {
            let all = world.invoices_after(vendor, 0);
            Query::read(request, &INVOICES)?.page(all, |(business, invoice)| rows::invoice(business, invoice))
        }
        ["tickets"] => {
            let mut all = world.tickets_after(vendor, 0);
            all.sort_by_key(|(_, ticket)| (ticket.updated, ticket.key));
            let query = Query::read(request, &TICKETS)?;
            query.page(all, |(business, ticket)| rows::ticket(state, business, ticket, false))
        }
        ["tickets", "statuses"] => one(Ok(named(account::STATUSES.iter().map(|(id, name, _)| (*id, *name))))),
        ["tickets", "types"] => one(Ok(named(account::TYPES.into_iter()))),
        ["organization", "groups"] => one(Ok(named(account::GROUPS.into_iter()))),
        ["tickets", id] => {
            let (business, ticket) = world.ticket(ids::key_of(ids::TICKET, id)?).ok_or_else(unknown)?;
            account::business(world, business.key)?;
            one(Ok(rows::ticket(state, business, ticket, true)))
        }
        _ => Err(unknown()),
    }
}

fn client<'w>(world: &'w World, id: &str) -> Result<&'w Business, No> {
    account::business(world, ids::number(ids::CLIENT, id.parse().ok())?)
}

fn status(state: &State, business: &Business) -> &'static str {
    if account::in_use(state, business) { "1" } else { "2" }
}

fn named<'a>(all: impl Iterator<Item = (u64, &'a str)>) -> Value {
    all.map(|(id, name)| json!({ "Id": id, "Name": name, "BaseStatus": { "Id": 1, "Name": "Open" } })).collect()
}

/// The query of a request, each name of which is known.
struct Query(BTreeMap<String, String>);

impl Query {
    fn read(request: &Request, known: &[&str]) -> Result<Self, No> {
        let pairs: BTreeMap<String, String> = request.url.query_pairs().into_owned().collect();
        let paging = ["Cursor", "PageSize"];
        let is_known = |name: &str| known.contains(&name) || CHANGED.contains(&name) || paging.contains(&name);
        match pairs.keys().find(|name| !is_known(name)) {
            Some(strange) => Err(no(400, "070101", "The query parameter is not recognized by this endpoint", strange)),
            None => Ok(Self(pairs)),
        }
    }

    fn none(request: &Request) -> Result<(), No> {
        let query = Self::read(request, &[])?;
        if query.0.is_empty() { Ok(()) } else { Err(no(400, "070101", "Unknown query parameter", "")) }
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// What a cursor is bound to: everything but itself.
    fn filters(&self) -> u64 {
        let pairs = self.0.iter().filter(|(name, _)| *name != "Cursor").map(|(name, value)| format!("{name}={value}"));
        hash(&pairs.collect::<Vec<_>>().join("&"), 0)
    }

    fn page<T>(&self, all: Vec<T>, row: impl Fn(&T) -> Value) -> Answer {
        let size =
            self.get("PageSize").map_or(Some(50), |size| size.parse().ok()).filter(|size| (1..=200).contains(size));
        let size: usize = size.ok_or_else(|| no(400, "070101", "PageSize must be between 1 and 200", "PageSize"))?;
        let start = match self.get("Cursor") {
            None => 0,
            Some(cursor) => {
                let read = cursor.split_once('.').and_then(|(start, filters)| Some((start.parse().ok()?, filters)));
                let bound = read.filter(|(_, filters)| *filters == self.filters().to_string());
                bound.map(|(start, _)| start).ok_or_else(|| no(400, "070101", "The cursor is not valid", "Cursor"))?
            }
        };
        let end = (start + size).min(all.len());
        let more = end < all.len();
        let data: Value = all.iter().skip(start).take(size).map(row).collect();
        let pagination = json!({
            "NextCursor": more.then(|| format!("{end}.{}", self.filters())),
            "PreviousCursor": null, "HasMore": more, "HasPrevious": start > 0, "TotalCount": all.len(),
        });
        Ok((data, Some(pagination)))
    }
}
