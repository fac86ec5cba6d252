//! What the numbers of this account mean.

use serde_json::{Value, json};
use vendorkit::world::{Gravity, TicketState};

use super::{Answer, No};

/// States: value, label, what the world calls it. Values 1 and 5 are Autotask's own.
pub(super) const STATES: [(u64, &str, TicketState); 4] = [
    (1, "New", TicketState::New),
    (8, "In Progress", TicketState::InProgress),
    (7, "Waiting Customer", TicketState::Waiting),
    (5, "Complete", TicketState::Closed),
];

pub(super) const PRIORITIES: [(u64, &str, Gravity); 5] = [
    (4, "Critical", Gravity::Critical),
    (1, "High", Gravity::High),
    (2, "Medium", Gravity::Medium),
    (3, "Low", Gravity::Low),
    (6, "Information", Gravity::Info),
];

pub(super) const QUEUES: [(u64, &str); 2] = [(29683378, "Service Desk"), (29683379, "Monitoring Alert")];

/// Who sees a note: value and label.
pub(super) const PUBLISH: [(u64, &str); 2] = [(1, "All Autotask Users"), (4, "Internal Users Only")];

pub(super) const NOTE_TYPES: [(u64, &str); 2] = [(1, "Task Summary"), (3, "Task Notes")];

pub(super) fn of(entity: &str) -> Answer {
    let fields = match entity {
        "Companies" => vec![
            field("companyName", true, None),
            field("companyType", true, Some(list(&[(1, "Customer"), (2, "Lead"), (7, "Vendor")], Some(2)))),
        ],
        "Tickets" => vec![
            field("title", true, None),
            field("status", true, Some(with_old(list(&STATES.map(|(value, label, _)| (value, label)), None)))),
            field("priority", true, Some(list(&PRIORITIES.map(|(value, label, _)| (value, label)), Some(2)))),
            field("queueID", false, Some(list(&QUEUES, Some(29683378)))),
            field("ticketType", false, Some(list(&[(1, "Service Request"), (2, "Incident")], Some(1)))),
            field("dueDateTime", true, None),
        ],
        "TicketNotes" => vec![
            field("noteType", true, Some(list(&NOTE_TYPES, None))),
            field("publish", true, Some(list(&PUBLISH, None))),
        ],
        "TicketAttachments" => vec![field("publish", true, Some(list(&PUBLISH, None)))],
        _ => return Err(No(404, format!("no entity {entity}"))),
    };
    Ok(json!({ "fields": fields }))
}

fn field(name: &str, required: bool, picks: Option<Vec<Value>>) -> Value {
    json!({
        "name": name, "dataType": if picks.is_some() { "integer" } else { "string" }, "length": 0,
        "isRequired": required, "isReadOnly": false, "isQueryable": true, "isReference": false,
        "isPickList": picks.is_some(), "picklistValues": picks, "picklistParentValueField": "",
    })
}

/// Values are texts here, and numbers in records.
fn list(values: &[(u64, &str)], default: Option<u64>) -> Vec<Value> {
    let row = |(at, (value, label)): (usize, &(u64, &str))| {
        json!({
            "value": value.to_string(), "label": label, "isDefaultValue": default == Some(*value),
            "sortOrder": at + 1, "parentValue": "", "isActive": true, "isSystem": false,
        })
    };
    values.iter().enumerate().map(row).collect()
}

fn with_old(mut values: Vec<Value>) -> Vec<Value> {
    values.push(json!({ "value": "20", "label": "Old state", "sortOrder": 0, "isActive": false, "isSystem": false }));
    values
}
