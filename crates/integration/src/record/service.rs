//! Work done for an entity.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::Money;

/// A ticket of a service desk.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ticket {
    /// Number shown to people ("T20260312.0007").
    pub number: Option<String>,
    /// One line for people.
    pub title: String,
    /// First description, as written.
    pub description: Option<String>,
    /// State in the vendor's words ("Waiting on customer").
    pub status: Option<String>,
    /// The vendor's id of that state, as writes name it.
    pub status_id: Option<String>,
    /// Whether it still wants work; `None` where the vendor's state is not known to us.
    pub open: Option<bool>,
    /// Priority in the vendor's words.
    pub priority: Option<String>,
    /// The vendor's id of that priority, as writes name it.
    pub priority_id: Option<String>,
    /// Board, queue or team in the vendor's words.
    pub queue: Option<String>,
    /// Kind in the vendor's words ("Incident").
    pub category: Option<String>,
    /// The vendor's id of the contact who asked.
    pub contact_id: Option<String>,
    /// Name of the contact who asked.
    pub contact_name: Option<String>,
    /// E-mail of the contact who asked.
    pub contact_email: Option<String>,
    /// Who works on it.
    pub assignee: Option<String>,
    /// When it was made.
    pub created_at: Option<DateTime<Utc>>,
    /// Last change at the vendor.
    pub updated_at: Option<DateTime<Utc>>,
    /// When it is due.
    pub due_at: Option<DateTime<Utc>>,
    /// When it was closed.
    pub closed_at: Option<DateTime<Utc>>,
    /// The vendor's page of it.
    pub url: Option<String>,
}

/// A piece of planned work: a job, a project.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Job {
    /// Number shown to people.
    pub number: Option<String>,
    /// Name.
    pub name: String,
    /// Description as written.
    pub description: Option<String>,
    /// State in the vendor's words.
    pub status: Option<String>,
    /// Whether it still wants work.
    pub open: Option<bool>,
    /// Who runs it.
    pub manager: Option<String>,
    /// Planned start.
    pub starts_on: Option<NaiveDate>,
    /// Day it is due.
    pub due_on: Option<NaiveDate>,
    /// When it was completed.
    pub completed_on: Option<NaiveDate>,
    /// Budget.
    pub budget: Option<Money>,
    /// The vendor's page of it.
    pub url: Option<String>,
}

/// A document that a vendor keeps of an entity.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Document {
    /// Title.
    pub title: String,
    /// The vendor's id of the template it is made from.
    pub template_id: Option<String>,
    /// The template's name.
    pub template: Option<String>,
    /// Description as written.
    pub description: Option<String>,
    /// Fields by name, each as text; secret fields are left out by the connector.
    pub fields: BTreeMap<String, String>,
    /// Whether it is archived at the vendor.
    pub archived: Option<bool>,
    /// Last change at the vendor.
    pub updated_at: Option<DateTime<Utc>>,
}
