//! What was done in ClientOne, as far as the caller may see it.

use chrono::{DateTime, Utc};
use persistence::PortalActivity;
use poem_openapi::{Object, OpenApi, param::Query};
use uuid::Uuid;

use super::PortalChapter;
use crate::{
    page::{Answer, Page, page_request},
    portal_auth::PortalCaller,
    problem::Failure,
    routes::journal::EntryOutcome,
};

/// Something that someone of one's company did.
#[derive(Debug, Clone, Object)]
pub struct Deed {
    /// Id
    pub id: Uuid,
    /// When
    pub at: DateTime<Utc>,
    /// Who
    pub portal_user_id: Uuid,
    /// Their name
    pub name: String,
    /// What was done
    pub action: String,
    pub outcome: EntryOutcome,
}

/// What was done.
pub struct PortalActivities;

#[OpenApi(prefix_path = "/api/clientone/activity", tag = "PortalChapter::Activity")]
impl PortalActivities {
    /// What was done, the newest first: by oneself, or for a Manager by everyone of the company
    ///
    /// Only what belongs to sections that are there for the caller.
    #[oai(path = "/", method = "get", operation_id = "activity_list")]
    async fn activity_list(
        &self,
        caller: PortalCaller,
        uri: &poem::http::Uri,
        /// Rows of a page, 1 to 100; 25 when left out
        limit: Query<Option<u64>>,
        /// Where the last page ended
        cursor: Query<Option<String>>,
    ) -> Result<Answer<Page<Deed>>, Failure> {
        let (tx, visit) = caller.visit()?;
        let page = page_request(limit.0, cursor.0.as_deref())?;
        let listed = clientone::activity_seen_by(&tx, &visit.user, &visit.config.settings, &page).await?;
        Ok(Answer::page(listed.map(deed), uri))
    }
}

fn deed(activity: PortalActivity) -> Deed {
    Deed {
        id: activity.entry.id.0,
        at: activity.entry.at,
        portal_user_id: activity.user.0,
        name: activity.name,
        action: activity.entry.action,
        outcome: activity.entry.outcome.into(),
    }
}
