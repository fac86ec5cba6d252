//! What portal users did, for those who manage ClientOne.

use chrono::{DateTime, Utc};
use domain::{ClientId, Permission, PortalUserId};
use persistence::{ActivityFilter, PortalActivity};
use poem_openapi::{Object, OpenApi, param::Query};
use uuid::Uuid;

use crate::{
    app::AppData,
    auth::Caller,
    page::{Answer, Page, page_request},
    problem::Failure,
    routes::{Chapter, journal::EntryOutcome},
};

/// Something that a portal user did.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct PortalDeed {
    /// Id of the journal's entry, which holds what changed
    pub entry_id: Uuid,
    /// When
    pub at: DateTime<Utc>,
    /// Who
    pub portal_user_id: Uuid,
    /// Their name
    pub name: String,
    /// Their e-mail
    pub email: String,
    /// Their client
    pub client_id: Uuid,
    /// What was done
    pub action: String,
    pub outcome: EntryOutcome,
    /// Why, or how
    pub reason: Option<String>,
    /// From which address
    pub source_address: Option<String>,
}

/// Activity.
pub struct ClientOneActivity;

#[OpenApi(prefix_path = "/api/clientone-admin/activity", tag = "Chapter::ClientOne")]
impl ClientOneActivity {
    /// What portal users did, the newest first
    ///
    /// A view of the journal: refused and failed attempts are in it too.
    #[oai(path = "/", method = "get", operation_id = "clientone_activity_list")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn clientone_activity_list(
        &self,
        app: AppData<'_>,
        caller: Caller,
        uri: &poem::http::Uri,
        /// Only by people of this client
        client_id: Query<Option<Uuid>>,
        /// Only by this account
        portal_user_id: Query<Option<Uuid>>,
        /// Only this action
        action: Query<Option<String>>,
        outcome: Query<Option<EntryOutcome>>,
        /// Not before
        from: Query<Option<DateTime<Utc>>>,
        /// Before
        until: Query<Option<DateTime<Utc>>>,
        /// Rows of a page, 1 to 100; 25 when left out
        limit: Query<Option<u64>>,
        /// Where the last page ended
        cursor: Query<Option<String>>,
    ) -> Result<Answer<Page<PortalDeed>>, Failure> {
        let page = page_request(limit.0, cursor.0.as_deref())?;
        let tx = app.read(caller, Permission::ClientoneManage).await?;
        let filter = ActivityFilter {
            client: client_id.0.map(ClientId),
            user: portal_user_id.0.map(PortalUserId),
            actions: None,
            action: action.0,
            outcome: outcome.0.map(Into::into),
            from: from.0,
            until: until.0,
        };
        Ok(Answer::page(clientone::activity_list(&tx, &filter, &page).await?.map(deed), uri))
    }
}

fn deed(activity: PortalActivity) -> PortalDeed {
    PortalDeed {
        entry_id: activity.entry.id.0,
        at: activity.entry.at,
        portal_user_id: activity.user.0,
        name: activity.name,
        email: activity.email,
        client_id: activity.client_id.0,
        action: activity.entry.action,
        outcome: activity.entry.outcome.into(),
        reason: activity.entry.reason,
        source_address: activity.entry.source_address,
    }
}
