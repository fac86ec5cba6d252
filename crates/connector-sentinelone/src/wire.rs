//! SentinelOne's JSON as it really is: only the fields we use. One odd value costs that value, never the
//! record.

use chrono::{DateTime, Utc};
use integration::loose::{Maybe, Text};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, value::RawValue};

/// One page of any listing.
pub(crate) struct Listing<'a> {
    pub records: Vec<&'a RawValue>,
    pub next: Option<String>,
    pub total: Option<u64>,
}

/// Reads a page. Sites lie one level deeper than everything else.
pub(crate) fn listing(body: &[u8]) -> serde_json::Result<Listing<'_>> {
    #[derive(Deserialize)]
    struct Envelope<'a> {
        #[serde(borrow)]
        data: &'a RawValue,
        pagination: Pagination,
    }
    #[derive(Default, Deserialize)]
    #[serde(default, rename_all = "camelCase")]
    struct Pagination {
        next_cursor: Text,
        total_items: Maybe<u64>,
    }
    #[derive(Deserialize)]
    struct Sites<'a> {
        #[serde(borrow)]
        sites: Vec<&'a RawValue>,
    }
    let Envelope { data, pagination } = serde_json::from_slice(body)?;
    let records = match data.get().as_bytes().first() {
        Some(b'{') => serde_json::from_str::<Sites<'_>>(data.get())?.sites,
        _ => serde_json::from_str(data.get())?,
    };
    Ok(Listing { records, next: pagination.next_cursor.0, total: pagination.total_items.0 })
}

/// Reads one record. The error names `noun` and the place, and repeats nothing of the content.
pub(crate) fn read<T: DeserializeOwned>(raw: &[u8], noun: &str) -> Result<T, String> {
    serde_json::from_slice(raw)
        .map_err(|why| format!("{noun} has an unexpected shape at byte {} of line {}", why.column(), why.line()))
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Site {
    pub id: Text,
    pub name: Text,
    pub account_name: Text,
    pub is_default: Maybe<bool>,
    pub state: Text,
    pub external_id: Text,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Agent {
    pub id: Text,
    pub site_id: Text,
    pub computer_name: Text,
    pub machine_type: Text,
    pub os_name: Text,
    pub os_type: Text,
    pub os_revision: Text,
    pub model_name: Text,
    pub serial_number: Text,
    pub network_interfaces: Maybe<Vec<Interface>>,
    pub last_ip_to_mgmt: Text,
    pub external_ip: Text,
    /// Whether it is online; not to be taken for `networkStatus`, which is isolation.
    pub is_active: Maybe<bool>,
    pub last_active_date: Maybe<DateTime<Utc>>,
    pub last_logged_in_user_name: Text,
    pub registered_at: Maybe<DateTime<Utc>>,
    pub created_at: Maybe<DateTime<Utc>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Interface {
    pub physical: Text,
    pub inet: Maybe<Vec<String>>,
    pub inet6: Maybe<Vec<String>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Threat {
    pub id: Text,
    pub threat_info: Maybe<ThreatInfo>,
    /// The agent as it is now; its fields are null once the agent is gone.
    pub agent_realtime_info: Maybe<ThreatAgent>,
    /// The agent as it was then.
    pub agent_detection_info: Maybe<ThreatAgent>,
    /// What was done: a list here, where `threatInfo` has a word of the same name.
    pub mitigation_status: Maybe<Vec<Mitigation>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct ThreatInfo {
    pub threat_name: Text,
    pub classification: Text,
    pub confidence_level: Text,
    pub mitigation_status: Text,
    pub incident_status: Text,
    pub analyst_verdict: Text,
    pub file_path: Text,
    pub process_user: Text,
    pub identified_at: Maybe<DateTime<Utc>>,
    pub created_at: Maybe<DateTime<Utc>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct ThreatAgent {
    pub agent_id: Text,
    pub agent_computer_name: Text,
    pub site_id: Text,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Mitigation {
    pub action: Text,
    pub status: Text,
}

/// What an action came to.
#[derive(Deserialize)]
pub(crate) struct Outcome {
    pub data: Affected,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Affected {
    pub affected: Maybe<u64>,
    pub details: Maybe<Vec<Detail>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Detail {
    /// Of a change of status or verdict.
    pub result: Text,
    /// Of a mitigation: what was not begun.
    pub skipped: Maybe<Vec<Skipped>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Skipped {
    pub reason: Text,
    pub description: Text,
}

integration::loose_parts!(Interface, ThreatInfo, ThreatAgent, Mitigation, Detail, Skipped);

/// When a token ends.
pub(crate) fn token_ends(body: &[u8]) -> Option<DateTime<Utc>> {
    #[derive(Deserialize)]
    struct Answer {
        data: Details,
    }
    #[derive(Default, Deserialize)]
    #[serde(default, rename_all = "camelCase")]
    struct Details {
        expires_at: Maybe<DateTime<Utc>>,
    }
    serde_json::from_slice::<Answer>(body).ok()?.data.expires_at.0
}

/// The vendor's words in its list of errors: title and detail of each. Nothing where there are none.
pub(crate) fn words(body: &[u8]) -> String {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Failure {
        errors: Value,
    }
    let failure: Failure = serde_json::from_slice(body).unwrap_or_default();
    let errors = failure.errors.as_array().map(Vec::as_slice).unwrap_or_default();
    let mut words: Vec<&str> = Vec::new();
    for said in errors.iter().flat_map(|error| [error, &error["title"], &error["detail"]]) {
        let text = said.as_str().map(str::trim).unwrap_or_default();
        if !text.is_empty() && !words.contains(&text) {
            words.push(text);
        }
    }
    words.join("; ")
}
