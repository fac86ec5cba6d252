//! The users of one's own client, for Managers.

use access::{NewPortalUser, Visit};
use chrono::{DateTime, Utc};
use domain::{Context, PortalPermission, PortalRole, PortalUserId};
use persistence::{PortalUserFilter, PortalUserRow};
use poem::Request;
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{PortalChapter, base};
use crate::{
    app::AppData,
    changes::Written,
    page::{Answer, Page, page_request},
    portal_auth::PortalCaller,
    problem::Failure,
    routes::clientone_admin::users::{PortalUserRole, PortalUserState},
    write::{Asked, Begun},
};

/// Another user of one's company.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct Colleague {
    /// Id
    pub id: Uuid,
    /// E-mail
    pub email: String,
    /// Name
    pub name: String,
    pub role: PortalUserRole,
    pub state: PortalUserState,
    /// Last signed in
    pub signed_in_at: Option<DateTime<Utc>>,
}

/// Who is to be invited, as a User. Only your provider makes Managers.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example)]
pub struct ColleagueInvite {
    /// E-mail
    pub email: String,
    /// Name
    pub name: String,
}

/// The users of one's company.
pub struct Colleagues;

#[OpenApi(prefix_path = "/api/clientone/users", tag = "PortalChapter::Users")]
impl Colleagues {
    /// The users of my company
    #[oai(path = "/", method = "get", operation_id = "colleague_list")]
    async fn colleague_list(
        &self,
        caller: PortalCaller,
        uri: &poem::http::Uri,
        /// Part of the address or of the name
        search: Query<Option<String>>,
        /// Rows of a page, 1 to 100; 25 when left out
        limit: Query<Option<u64>>,
        /// Where the last page ended
        cursor: Query<Option<String>>,
    ) -> Result<Answer<Page<Colleague>>, Failure> {
        let (tx, visit) = caller.visit()?;
        let page = page_request(limit.0, cursor.0.as_deref())?;
        tx.context().require_portal(PortalPermission::UsersManage, &visit.config.settings)?;
        let filter =
            PortalUserFilter { client: Some(visit.user.client_id), search: search.0, ..PortalUserFilter::default() };
        Ok(Answer::page(tx.portal_user_list(&filter, &page).await?.map(view), uri))
    }

    /// Invite someone of my company as a User; who has not come yet gets a new link
    #[oai(path = "/", method = "post", operation_id = "colleague_invite")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn colleague_invite(
        &self,
        app: AppData<'_>,
        caller: PortalCaller,
        request: &Request,
        body: Json<ColleagueInvite>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<Colleague>>, Failure> {
        let (context, visit) = parts(caller)?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let (permission, settings) = (PortalPermission::UsersManage, &visit.config.settings);
        let write = match app.begin_portal(&context, permission, settings, "colleague_invite", asked, &body.0).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let ColleagueInvite { email, name } = body.0;
        let new = NewPortalUser { client: visit.user.client_id, email, name, role: PortalRole::User };
        let base = base(&app, request)?;
        let done = access::portal_user_invite(&write.tx, &app.gate, &base, new).await;
        let (write, row) = app.passed(write, done).await?;
        Ok(Answer::new(write.finish(Some(view(row)), Vec::new()).await?))
    }

    /// Shut a User of my company out: ends their sessions
    #[oai(path = "/:portal_user_id/deactivate", method = "post", operation_id = "colleague_deactivate")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn colleague_deactivate(
        &self,
        app: AppData<'_>,
        caller: PortalCaller,
        portal_user_id: Path<Uuid>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<Colleague>>, Failure> {
        let (context, visit) = parts(caller)?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let (permission, settings) = (PortalPermission::UsersManage, &visit.config.settings);
        let (id, action) = (PortalUserId(portal_user_id.0), "colleague_deactivate");
        let write = match app.begin_portal(&context, permission, settings, action, asked, &id).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let done = access::portal_user_deactivate(&write.tx, id).await;
        let (write, row) = app.passed(write, done).await?;
        Ok(Answer::new(write.finish(Some(view(row)), Vec::new()).await?))
    }

    /// Let a User of my company in again
    #[oai(path = "/:portal_user_id/reactivate", method = "post", operation_id = "colleague_reactivate")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn colleague_reactivate(
        &self,
        app: AppData<'_>,
        caller: PortalCaller,
        portal_user_id: Path<Uuid>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<Colleague>>, Failure> {
        let (context, visit) = parts(caller)?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let (permission, settings) = (PortalPermission::UsersManage, &visit.config.settings);
        let (id, action) = (PortalUserId(portal_user_id.0), "colleague_reactivate");
        let write = match app.begin_portal(&context, permission, settings, action, asked, &id).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let done = access::portal_user_reactivate(&write.tx, id).await;
        let (write, row) = app.passed(write, done).await?;
        Ok(Answer::new(write.finish(Some(view(row)), Vec::new()).await?))
    }
}

fn parts(caller: PortalCaller) -> domain::Result<(Context, Visit)> {
    let (tx, visit) = caller.visit()?;
    Ok((tx.context().clone(), visit))
}

/// Someone of one's company.
pub(super) fn view(row: PortalUserRow) -> Colleague {
    Colleague {
        id: row.id.0,
        email: row.email,
        name: row.name,
        role: row.role.into(),
        state: row.state.into(),
        signed_in_at: row.signed_in_at,
    }
}
