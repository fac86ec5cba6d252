//! ClientOne, the portal of the MSP's clients: how it is set up, and what its people see there.
//!
//! * `config.rs` and `branding.rs`: what those who manage ClientOne decide, for each client.
//! * `sight.rs`: which devices someone sees. `activity.rs`: what was done in ClientOne, for staff and for portal users.
//!
//! Accounts and signing in are the business of `access`; which part of ClientOne is there for whom stands as a table in
//! `domain::portal`. An operation is a function that takes a `Tx`, as in `directory`.
//!
//! **A new section** (service requests, onboarding, agreements): a `Section` and a `PortalPermission` in `domain`, a file
//! here, and its actions in `domain::PORTAL_ACTIONS`, or they show in no feed.

mod activity;
mod branding;
mod config;
mod sight;

pub use activity::{activity_list, activity_seen_by};
pub use branding::{BrandingDraft, clientone_branding_set, clientone_default_branding_set, effective_branding};
pub use config::{SettingsPatch, clientone_disable, clientone_enable, clientone_list, clientone_update};
pub use sight::{device_sight, sees_all_devices};
