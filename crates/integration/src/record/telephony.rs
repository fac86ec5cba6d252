//! Telephony.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

/// A phone system as a whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PhoneSystem {
    /// Its host name.
    pub name: String,
    /// Version.
    pub version: Option<String>,
    /// Operating system.
    pub os: Option<String>,
    /// Whether its licence is valid.
    pub licence_active: Option<bool>,
    /// Day its licence ends.
    pub licence_ends_on: Option<NaiveDate>,
    /// Calls it may carry at once.
    pub calls_limit: Option<i64>,
    /// Extensions there are.
    pub extensions: Option<i64>,
    /// Extensions with a phone that answers.
    pub extensions_registered: Option<i64>,
    /// Trunks there are.
    pub trunks: Option<i64>,
    /// Trunks that are up.
    pub trunks_registered: Option<i64>,
    /// Disk in use, in percent.
    pub disk_used_percent: Option<i64>,
    /// Whether a service that should run does not.
    pub services_stopped: Option<bool>,
    /// Whether it backs itself up.
    pub backup_scheduled: Option<bool>,
    /// Last backup of itself.
    pub last_backup_at: Option<DateTime<Utc>>,
}

/// A number inside a phone system.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Extension {
    /// The number as dialled ("0101"): a text, zeros in front count.
    pub number: String,
    /// Whose it is.
    pub name: Option<String>,
    /// Their e-mail.
    pub email: Option<String>,
    /// The vendor's class ("Extension", "Queue").
    pub class: Option<String>,
    /// Whether it is in use.
    pub enabled: Option<bool>,
    /// Whether a phone answers for it.
    pub registered: Option<bool>,
    /// Presence in the vendor's words ("Available").
    pub presence: Option<String>,
    /// The number shown to those it calls.
    pub caller_id: Option<String>,
    /// Calls it made in the last 30 whole days.
    pub calls_made: Option<i64>,
    /// Calls it answered in the last 30 whole days.
    pub calls_answered: Option<i64>,
    /// Calls it missed in the last 30 whole days.
    pub calls_missed: Option<i64>,
}
