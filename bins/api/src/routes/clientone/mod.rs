//! ClientOne's own operations: the second document, for portal users.
//!
//! **A new operation** begins with `caller.visit()`, then asks the context for its permission with
//! `require_portal`, which also says whether its section is on; a write goes through `App::begin_portal`.

pub mod account;
pub mod activity;
pub mod agreement_pdfs;
pub mod agreements;
pub mod backups;
pub mod colleague_invitations;
pub mod connections;
pub mod dashboard;
pub mod devices;
pub mod documents;
pub mod email;
pub mod notifications;
pub mod onboarding;
pub mod passkeys;
pub mod profile;
pub mod second_factor;
pub mod service_requests;
pub mod session;
pub mod sso;
pub mod ticket_attachments;
pub mod ticket_form;
pub mod tickets;
pub mod users;

use chrono::{DateTime, Utc};
use poem::Request;
use poem_openapi::{Object, Tags};

use super::consent::origin;
use crate::{app::App, freshness::Freshness};

/// Chapters of ClientOne's document.
#[derive(Tags)]
pub enum PortalChapter {
    /// Coming in and going out
    Session,
    /// Oneself
    Profile,
    /// The first page
    Dashboard,
    /// Devices
    Devices,
    /// The other users of one's company
    Users,
    /// Tickets
    Tickets,
    /// Asking for services
    ServiceRequests,
    /// What the provider published
    Documents,
    /// Agreements to read and sign
    Agreements,
    /// Beginning with the provider, step by step
    Onboarding,
    /// What was done
    Activity,
    /// What one is told
    Notifications,
    /// Connections of the provider's that are shared
    Connections,
}

/// Where the pages of ClientOne are, for links in letters. What a request names as its host is believed on the loopback
/// only: a link must not lead to where a stranger wants it.
pub(super) fn base(app: &App, request: &Request) -> domain::Result<String> {
    Ok(format!("{}/clientone", origin(app, request)?))
}

/// How old it is.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct Age {
    /// Whether anything tells us: if not, it is unknown, not none
    pub known: bool,
    /// When all of it was last true; absent while that is not known
    pub synced_at: Option<DateTime<Utc>>,
    /// Older than it should be
    pub stale: bool,
}

impl Age {
    /// Without which tools the MSP has, and what is wrong with them.
    pub(crate) fn of(freshness: &Freshness) -> Self {
        Self {
            known: freshness.mapped,
            synced_at: freshness.synced_at,
            stale: freshness.stale || freshness.synced_at.is_none(),
        }
    }
}
