//! Tickets with what they can be set to, and invoices.

use chrono::{DateTime, Utc};
use integration::Exact;
use serde::Deserialize;

use crate::loose;

#[derive(Deserialize)]
pub(crate) struct Ticket {
    #[serde(deserialize_with = "loose::id")]
    pub id: String,
    #[serde(default, deserialize_with = "loose::text")]
    pub summary: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub details: Option<String>,
    #[serde(default, deserialize_with = "loose::reference")]
    pub client_id: Option<String>,
    #[serde(default, deserialize_with = "loose::reference")]
    pub user_id: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub user_name: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub user_email: Option<String>,
    #[serde(default, deserialize_with = "loose::reference")]
    pub status_id: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub status_name: Option<String>,
    #[serde(default, deserialize_with = "loose::reference")]
    pub priority_id: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub priority_name: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub tickettype_name: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub team: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub agent_name: Option<String>,
    #[serde(default, deserialize_with = "loose::flag")]
    pub hasbeenclosed: Option<bool>,
    #[serde(default, deserialize_with = "loose::instant")]
    pub dateoccurred: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "loose::instant")]
    pub dateclosed: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "loose::instant")]
    pub fixbydate: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "loose::instant")]
    pub last_update: Option<DateTime<Utc>>,
}

/// A note, a mail or a step on a ticket.
#[derive(Deserialize)]
pub(crate) struct Action {
    #[serde(deserialize_with = "loose::id")]
    pub id: String,
    #[serde(default, deserialize_with = "loose::text")]
    pub note: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub who: Option<String>,
    #[serde(default, deserialize_with = "loose::flag")]
    pub hiddenfromuser: Option<bool>,
    #[serde(default, deserialize_with = "loose::instant")]
    pub datetime: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
pub(crate) struct Invoice {
    #[serde(deserialize_with = "loose::id")]
    pub id: String,
    #[serde(default, deserialize_with = "loose::reference")]
    pub client_id: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub invoicenumber: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub thirdpartyinvoicenumber: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub cust_order_number: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub reference: Option<String>,
    #[serde(default, deserialize_with = "loose::flag")]
    pub posted: Option<bool>,
    #[serde(default, deserialize_with = "loose::flag")]
    pub voided: Option<bool>,
    #[serde(default, deserialize_with = "loose::instant")]
    pub invoice_date: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "loose::instant")]
    pub duedate: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "loose::instant")]
    pub datepaid: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "loose::instant")]
    pub last_modified: Option<DateTime<Utc>>,
    pub total: Option<Exact>,
    pub tax_total: Option<Exact>,
    pub amountdue: Option<Exact>,
    #[serde(default, deserialize_with = "loose::text")]
    pub currency: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub currency_code_name: Option<String>,
}

/// A status.
#[derive(Deserialize)]
pub(crate) struct Status {
    #[serde(deserialize_with = "loose::id")]
    pub id: String,
    pub name: Option<String>,
}

/// A priority of one SLA. Its own `id` is a GUID; tickets name it by `priorityid`.
#[derive(Deserialize)]
pub(crate) struct Priority {
    #[serde(default, deserialize_with = "loose::reference")]
    pub priorityid: Option<String>,
    pub name: Option<String>,
    #[serde(default, deserialize_with = "loose::flag")]
    pub ishidden: Option<bool>,
}

/// A team. Tickets name it by its name.
#[derive(Deserialize)]
pub(crate) struct Team {
    pub name: Option<String>,
    #[serde(default, deserialize_with = "loose::flag")]
    pub inactive: Option<bool>,
    #[serde(default, deserialize_with = "loose::flag")]
    pub forrequests: Option<bool>,
}
