//! The listings.

use integration::Vendor;
use serde_json::{Value, json};
use vendorkit::{World, world::Business};

use super::{Problem, State, ids, rows};
use crate::Superops;

/// The most that a page may have.
const MOST: u64 = 100;

/// Which page of how many, and sorted by what.
struct Place<'a> {
    page: u64,
    size: u64,
    sort: Option<&'a str>,
}

impl<'a> Place<'a> {
    fn read(input: &'a Value, sortable: &[&str]) -> Result<Self, Problem> {
        let number = |name: &str, usual| input[name].as_u64().unwrap_or(usual);
        let place = Self {
            page: number("page", 1),
            size: number("pageSize", 10),
            sort: input["sort"][0]["attribute"].as_str(),
        };
        if place.page == 0 || place.size == 0 || place.size > MOST {
            return Err(Problem("type_validation_failed", "page pageSize"));
        }
        if place.sort.is_some_and(|attribute| !sortable.contains(&attribute)) {
            return Err(Problem("type_validation_failed", "sort"));
        }
        Ok(place)
    }
}

pub(super) fn run(world: &World, state: &State, name: &str, input: &Value) -> Result<Value, Problem> {
    let vendor = Superops::ID;
    let known = || world.known_to(vendor);
    match name {
        "getClientList" => {
            let place = Place::read(input, &["name"])?;
            let mut all: Vec<(Option<String>, &Business)> =
                known().map(|business| (place.sort.map(|_| rows::name(state, business)), business)).collect();
            all.sort_by(|one, other| (&one.0, one.1.key).cmp(&(&other.0, other.1.key)));
            page("clients", all, &place, |(_, business)| rows::client(world, state, business.key))
        }
        "getClientSiteList" => {
            let of = client(input)?;
            let all = known().filter(|business| of.is_none_or(|key| key == business.key));
            let all = all.flat_map(|business| business.locations.iter().map(move |location| (business, location)));
            let place = Place::read(&input["listInfo"], &[])?;
            page("sites", all.collect(), &place, |(business, location)| Ok(rows::site(state, business, location)))
        }
        "getClientUserList" => {
            let of = client(input)?;
            let all = known().filter(|business| of.is_none_or(|key| key == business.key));
            let all = all.flat_map(|business| business.people.iter().map(move |person| (business, person)));
            let place = Place::read(&input["listInfo"], &[])?;
            page("userList", all.collect(), &place, |(business, person)| Ok(rows::user_row(state, business, person)))
        }
        "getAssetList" => {
            let all = world.devices_after(0).filter(|(business, _)| business.vendors.contains(vendor));
            let place = Place::read(input, &[])?;
            page("assets", all.collect(), &place, |(business, device)| Ok(rows::asset(state, business, device)))
        }
        "getAlertList" => {
            let mut all = world.alerts_after(vendor, 0);
            all.sort_by_key(|(_, alert)| (alert.raised, alert.key));
            let place = Place::read(input, &["createdTime", "severity", "status"])?;
            page("alerts", all, &place, |(business, alert)| Ok(rows::alert(state, business, alert)))
        }
        "getTicketList" => {
            let mut all = world.tickets_after(vendor, 0);
            let place = Place::read(input, &["createdTime", "updatedTime"])?;
            all.sort_by_key(|(_, ticket)| match place.sort {
                Some("createdTime") => (ticket.created, ticket.key),
                _ => (ticket.updated, ticket.key),
            });
            page("tickets", all, &place, |(business, ticket)| Ok(rows::ticket_row(state, business, ticket)))
        }
        _ => {
            let place = Place::read(input, &["invoiceDate"])?;
            let all = world.invoices_after(vendor, 0);
            page("invoices", all, &place, |(business, invoice)| Ok(rows::invoice(world, state, business, invoice)))
        }
    }
}

fn client(input: &Value) -> Result<Option<u64>, Problem> {
    match &input["clientId"] {
        Value::Null => Ok(None),
        id => ids::named(ids::CLIENT, id).map(Some),
    }
}

fn page<T>(
    items: &str,
    all: Vec<T>,
    place: &Place<'_>,
    render: impl Fn(&T) -> Result<Value, Problem>,
) -> Result<Value, Problem> {
    let (count, end) = (all.len() as u64, place.page * place.size);
    let shown = all.iter().skip((end - place.size) as usize).take(place.size as usize);
    let shown = shown.map(render).collect::<Result<Vec<Value>, Problem>>()?;
    // A text in one listing and a number in the next, and null instead of false.
    let total = if items == "tickets" { json!(count.to_string()) } else { json!(count) };
    let info = json!({
        "page": place.page, "pageSize": place.size, "hasMore": (end < count).then_some(true), "totalCount": total,
    });
    Ok(json!({ items: shown, "listInfo": info }))
}
