//! People.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A person a vendor told us about.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DirectoryUser {
    /// Display name.
    pub name: String,
    /// Sign-in name.
    pub principal_name: Option<String>,
    /// E-mail.
    pub email: Option<String>,
    /// Whether sign-in is allowed.
    pub enabled: Option<bool>,
    /// Whether this is a guest.
    pub guest: Option<bool>,
    /// Job title.
    pub job_title: Option<String>,
    /// Department.
    pub department: Option<String>,
    /// The vendor's ids of assigned licences.
    pub licence_ids: Vec<String>,
    /// When the account was made.
    pub created_at: Option<DateTime<Utc>>,
    /// Last sign-in.
    pub last_sign_in_at: Option<DateTime<Utc>>,
    /// Whether it comes from an on-premises directory.
    pub synchronised: Option<bool>,
}

/// How a directory user can sign in. Its vendor id is the user's.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SignInMethods {
    /// Sign-in name, for people.
    pub principal_name: Option<String>,
    /// Whether a second factor is registered.
    pub mfa_registered: Option<bool>,
    /// Whether a second factor can be used under today's policy.
    pub mfa_capable: Option<bool>,
    /// Whether sign-in without password is possible.
    pub passwordless_capable: Option<bool>,
    /// The vendor's own mark of an administrator; lags by hours.
    pub is_admin: Option<bool>,
    /// What makes a second factor obligatory, in the vendor's words ("Conditional Access"); "none" where nothing does.
    pub enforced_by: Option<String>,
    /// Registered methods in the vendor's words.
    pub methods: Vec<String>,
}

/// An administrator's role of a directory user.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AdminRole {
    /// The user's vendor id.
    pub user_id: String,
    /// Role in people's words ("Global Administrator"), or its id where the name is not known.
    pub role: String,
    /// The vendor's id of the role.
    pub role_id: String,
    /// What the role covers; `/` is everything.
    pub scope: Option<String>,
}

/// A person at an entity whom the MSP talks to: a PSA's contact, an RMM's end user.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Contact {
    /// Name shown to people.
    pub name: String,
    /// Given name.
    pub given_name: Option<String>,
    /// Family name.
    pub family_name: Option<String>,
    /// Main e-mail.
    pub email: Option<String>,
    /// Telephone as written.
    pub phone: Option<String>,
    /// Mobile telephone as written.
    pub mobile: Option<String>,
    /// Job title.
    pub job_title: Option<String>,
    /// The vendor's id of the place where they work.
    pub location_id: Option<String>,
    /// Whether this is the entity's main contact.
    pub primary: Option<bool>,
    /// Whether they are in use at the vendor.
    pub active: Option<bool>,
    /// When the vendor first knew them.
    pub created_at: Option<DateTime<Utc>>,
    /// Last change at the vendor.
    pub updated_at: Option<DateTime<Utc>>,
}
