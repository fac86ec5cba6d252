//! Answers listings: who may, which records, which page.

use std::collections::HashMap;

use integration::{Request, Vendor as _};
use serde_json::{Value, json};
use uuid::Uuid;
use vendorkit::{World, world};

use super::{
    answers::{Answer, forbidden},
    bodies::{self, Party, Sale},
};
use crate::Xero;

/// The most that a page holds.
const MOST: usize = 1000;
/// Contacts who only sell to the MSP.
const SUPPLIERS: u64 = 2;

type Query = HashMap<String, String>;

pub(super) fn answer(world: &World, resource: &str, request: &Request, rights: &str) -> Answer {
    let (right, known): (char, &[&str]) = match resource {
        "Organisation" => ('s', &[]),
        "Contacts" => {
            ('c', &["page", "pageSize", "order", "where", "includeArchived", "IDs", "searchTerm", "summaryOnly"])
        }
        "Invoices" => (
            'i',
            &["page", "pageSize", "order", "where", "IDs", "InvoiceNumbers", "ContactIDs", "Statuses", "summaryOnly"],
        ),
        "RepeatingInvoices" => ('i', &["where", "order"]),
        _ => return Answer::plain(404, ""),
    };
    if !rights.contains(right) {
        return forbidden();
    }
    if request.header_value("accept") != Some("application/json") {
        return Answer::plain(200, "<Response><Status>OK</Status></Response>").with("content-type", "text/xml");
    }
    let query: Query = request.url.query_pairs().into_owned().collect();
    if let Some(strange) = query.keys().find(|key| !known.contains(&key.as_str())) {
        return invalid(&format!("{strange} is not a parameter of {resource}"));
    }
    let answered = match resource {
        "Organisation" => Ok(bodies::envelope(world, "Organisations", vec![bodies::organisation()])),
        "Contacts" => contacts(world, &query),
        "Invoices" => invoices(world, &query),
        _ => Ok(bodies::envelope(world, "RepeatingInvoices", repeating(world))),
    };
    answered.map_or_else(|why| invalid(&why), |body| Answer::json(200, &body))
}

fn invalid(message: &str) -> Answer {
    Answer::json(400, &json!({ "ErrorNumber": 16, "Type": "QueryParseException", "Message": message }))
}

/// The page that is asked for, in the order of the ids, rendered; without a page nothing is known to this simulator.
fn page<T>(
    world: &World,
    query: &Query,
    name: &str,
    mut rows: Vec<(Uuid, T)>,
    render: impl Fn(&T) -> Value,
) -> Result<Value, String> {
    let number = |key: &str, usual: usize| query.get(key).map_or(Some(usual), |text| text.parse().ok());
    let (page, size) = match (number("page", 0), number("pageSize", 100)) {
        (Some(page @ 1..), Some(size @ 1..=MOST)) => (page, size),
        _ => return Err(format!("page must be at least 1, pageSize from 1 to {MOST}")),
    };
    if query.get("order").is_none_or(|order| *order != format!("{}ID ASC", &name[..name.len() - 1])) {
        return Err("only the order by id is simulated".to_owned());
    }
    rows.sort_by_key(|(id, _)| *id);
    let shown = rows.iter().skip((page - 1).saturating_mul(size)).take(size).map(|(_, row)| render(row)).collect();
    let mut body = bodies::envelope(world, name, shown);
    body["pagination"] = json!({
        "page": page, "pageSize": size, "pageCount": rows.len().div_ceil(size), "itemCount": rows.len(),
    });
    Ok(body)
}

fn contacts(world: &World, query: &Query) -> Result<Value, String> {
    if query.contains_key("where") {
        return Err("Due to the high number of contacts being processed, this filter cannot be used".to_owned());
    }
    let archived = query.get("includeArchived").is_some_and(|word| word == "true");
    let clients = world.known_to(Xero::ID).filter(|business| archived || !bodies::archived(business));
    let mut rows: Vec<(Uuid, Party<'_>)> = clients.map(|b| (b.id_at(Xero::ID), Party::Client(b))).collect();
    rows.extend((1..=SUPPLIERS).map(|at| (supplier(at), Party::Supplier(supplier(at)))));
    page(world, query, "Contacts", rows, |party| bodies::contact(world, party))
}

fn supplier(at: u64) -> Uuid {
    world::uuid("xero/supplier", at)
}

fn invoices(world: &World, query: &Query) -> Result<Value, String> {
    let kind = match query.get("where").map(|text| text.replace(' ', "")).as_deref() {
        None => None,
        Some(r#"Type=="ACCREC""#) => Some("ACCREC"),
        Some(r#"Type=="ACCPAY""#) => Some("ACCPAY"),
        Some(other) => return Err(format!("the where clause {other} cannot be read")),
    };
    let statuses: Option<Vec<&str>> = query.get("Statuses").map(|text| text.split(',').collect());
    let id = |space: &str, key: u64| world::uuid(space, key);
    let mut rows: Vec<(Uuid, Sale<'_>)> = world
        .invoices_after(Xero::ID, 0)
        .into_iter()
        .map(|(business, one)| (id("xero/invoice", one.key), Sale::Invoice(business, one)))
        .collect();
    // What must not be taken for an invoice to a client: a draft that was thrown away, and a bill.
    let first = world.known_to(Xero::ID).next();
    rows.extend(first.map(|business| (id("xero/thrown-away", 1), Sale::ThrownAway(business))));
    rows.push((id("xero/bill", 1), Sale::Bill(supplier(1))));
    rows.retain(|(_, sale)| {
        let (of, status) = bodies::nature(sale);
        kind.is_none_or(|kind| kind == of) && statuses.as_ref().is_none_or(|wanted| wanted.contains(&status))
    });
    page(world, query, "Invoices", rows, |sale| bodies::invoice(world, sale))
}

fn repeating(world: &World) -> Vec<Value> {
    let businesses = world.known_to(Xero::ID).filter(|business| !business.subscriptions.is_empty());
    let mut all: Vec<Value> = businesses.map(|business| bodies::template(world, business)).collect();
    // Likewise not of our clients: a template of bills, and one that was thrown away.
    if let Some(model) = all.first().cloned() {
        for (at, (field, word)) in [("Type", "ACCPAY"), ("Status", "DELETED")].into_iter().enumerate() {
            let mut other = model.clone();
            other[field] = word.into();
            other["RepeatingInvoiceID"] = world::uuid("xero/other-template", at as u64).to_string().into();
            all.push(other);
        }
    }
    all
}
