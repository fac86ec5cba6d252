//! The data: clients with their contacts, jobs with their states, invoices.

use std::collections::HashMap;

use chrono::{DateTime, SecondsFormat, Utc};
use integration::{Request, Vendor as _};
use rust_decimal::prelude::ToPrimitive;
use serde_json::{Value, json};
use vendorkit::{
    World,
    world::{self, Business, Invoice, Job},
};

use super::Answer;
use crate::Workflowmax;

/// The most that a page holds.
const MOST: usize = 100;
/// What a listing of clients can be asked to include.
const INCLUDES: [&str; 9] = [
    "addresses",
    "contacts",
    "contact-details",
    "billing-details",
    "client-groups",
    "client-relationships",
    "custom-fields",
    "notes",
    "documents",
];
const STATES: [&str; 3] = ["Planned", "In Progress", "Completed"];

pub(super) fn answer(world: &World, resource: &str, request: &Request) -> Answer {
    let query: HashMap<String, String> = request.url.query_pairs().into_owned().collect();
    let (page, size) = match (number(&query, "page", 1), number(&query, "pageSize", 20)) {
        (Some(page @ 1..), Some(size @ 1..=MOST)) => (page, size),
        _ => return invalid("pageSize", "page must be at least 1, pageSize from 1 to 100"),
    };
    let known: &[&str] = match resource {
        "clients" => &["page", "pageSize", "includes", "sort", "order", "status", "updatedSince", "name"],
        "jobs" | "invoices" => &["page", "pageSize", "status", "clientUUID", "updatedSince"],
        _ => &["page", "pageSize"],
    };
    if let Some(strange) = query.keys().find(|key| !known.contains(&key.as_str())) {
        return invalid(strange, "is not known");
    }
    let rows: Vec<Box<dyn Fn() -> Value + '_>> = match resource {
        "clients" => {
            let includes: Vec<&str> = query.get("includes").map(|text| text.split(',').collect()).unwrap_or_default();
            if let Some(strange) = includes.iter().find(|part| !INCLUDES.contains(part)) {
                return invalid("includes", &format!("{strange} is not known"));
            }
            let sorted = query.get("sort").is_none_or(|by| by == "created" || by == "updated");
            if !sorted || query.get("order").is_some_and(|order| order != "asc" && order != "desc") {
                return invalid("sort", "must be created or updated, order asc or desc");
            }
            let mut rows: Vec<Box<dyn Fn() -> Value + '_>> = Vec::new();
            for business in world.known_to(Workflowmax::ID) {
                let includes = includes.clone();
                rows.push(Box::new(move || client(business, &includes)));
            }
            // Somebody who may become a client.
            if !rows.is_empty() {
                rows.push(Box::new(prospect));
            }
            rows
        }
        "jobs" => {
            let all = world.jobs_after(Workflowmax::ID, 0);
            all.into_iter().map(|(b, one)| Box::new(move || job(b, one)) as Box<dyn Fn() -> Value + '_>).collect()
        }
        "invoices" => {
            let all = world.invoices_after(Workflowmax::ID, 0);
            all.into_iter().map(|(b, one)| Box::new(move || invoice(b, one)) as Box<dyn Fn() -> Value + '_>).collect()
        }
        "job-status" => (0..STATES.len())
            .map(|at| {
                Box::new(move || json!({ "uuid": state_id(at), "name": STATES[at] })) as Box<dyn Fn() -> Value + '_>
            })
            .collect(),
        _ => return Answer::failed(404, "Not found"),
    };
    let page: Vec<Value> = rows.iter().skip((page - 1).saturating_mul(size)).take(size).map(|row| row()).collect();
    Answer::ok(json!({ "data": page, "total": rows.len() }))
}

fn number(query: &HashMap<String, String>, key: &str, usual: usize) -> Option<usize> {
    query.get(key).map_or(Some(usual), |text| text.parse().ok())
}

fn invalid(field: &str, message: &str) -> Answer {
    let errors = json!([{ "field": field, "message": message }]);
    Answer { status: 400, body: json!({ "message": "Validation failed", "errors": errors }), location: None }
}

fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn id(space: &str, key: u64) -> String {
    world::uuid(space, key).to_string()
}

fn state_id(at: usize) -> String {
    id("workflowmax/job-status", at as u64)
}

fn client(business: &Business, includes: &[&str]) -> Value {
    let mut client = json!({
        "uuid": business.id_at(Workflowmax::ID), "name": business.name_at(Workflowmax::ID), "firstName": null,
        "lastName": null, "otherName": null, "exportCode": null, "clientManager": null, "jobManager": null,
        "referralSource": null, "prospect": false, "archived": false, "favorite": false,
        "createdAt": instant(business.since), "updatedAt": instant(business.since),
    });
    for part in includes {
        match *part {
            "contact-details" => {
                client["contactDetails"] = json!({
                    "email": format!("office@{}", business.domain), "phone": business.phone, "fax": null,
                    "website": format!("https://{}", business.domain),
                });
            }
            "addresses" => {
                client["addresses"] = json!([{
                    "type": "physical", "default": true, "address": business.street, "city": business.city,
                    "state": business.region, "postalCode": business.post_code, "country": business.country,
                }]);
            }
            "contacts" => {
                let contacts = business.people.iter().enumerate().map(|(at, person)| {
                    json!({
                        "uuid": person.id, "salutation": null, "firstName": person.given, "lastName": person.family,
                        "archived": !person.enabled, "addressee": null, "phone": null, "mobile": null,
                        "email": person.email, "favourite": false, "position": person.title, "primary": at == 0,
                        "includeInEmails": true, "createdAt": instant(person.created),
                        "updatedAt": instant(person.created), "deletedAt": null,
                    })
                });
                client["contacts"] = contacts.collect();
            }
            _ => {}
        }
    }
    client
}

fn prospect() -> Value {
    json!({
        "uuid": id("workflowmax/prospect", 1), "name": null, "firstName": "Perhaps", "lastName": "Tomorrow",
        "prospect": true, "archived": false, "contacts": [{ "uuid": id("workflowmax/prospect", 2), "firstName": "P" }],
    })
}

fn job(business: &Business, job: &Job) -> Value {
    let state = STATES.iter().position(|state| *state == job.state).unwrap_or_default();
    json!({
        "uuid": id("workflowmax/job", job.key), "jobNumber": format!("J{:06}", job.key), "name": job.name,
        "clientUUID": business.id_at(Workflowmax::ID), "clientContactUUID": null, "description": job.description,
        "clientOrderNumber": null, "budget": job.budget.to_f64(), "jobStatusUUID": state_id(state),
        "jobCategoryUUID": null, "priority": "Normal", "startDate": job.starts, "dueDate": job.due,
        "completedDate": job.completed, "updatedAt": instant(job.updated),
    })
}

fn invoice(business: &Business, invoice: &Invoice) -> Value {
    let total = invoice.net + invoice.tax;
    json!({
        "uuid": id("workflowmax/invoice", invoice.key), "invoiceNumber": invoice.number, "jobUUID": null,
        "clientUUID": business.id_at(Workflowmax::ID), "status": if invoice.paid.is_some() { "Paid" } else { "Approved" },
        "total": total.to_f64(), "dueDate": invoice.due, "paidDate": invoice.paid,
        "createdAt": format!("{}T00:00:00.000Z", invoice.issued), "updatedAt": instant(invoice.updated),
    })
}
