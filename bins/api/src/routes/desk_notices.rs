//! What a staff user was told of ClientOne, what of it they have read, and what they switched off.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use domain::{ClientId, Context, DeskNoticeId, DeskNoticeKind as Kind, DeskNoticeSwitches, StaffId};
use persistence::{DeskNoticeRow, DeskNoticeSettings as Settings, DeskReader, PortalNames};
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{Chapter, mirrored::mirrored, session::needs_session};
use crate::{
    app::AppData,
    auth::Caller,
    changes::Written,
    page::{Answer, Page, if_match, page_request},
    problem::Failure,
    write::{Asked, Begun},
};

mirrored! {
    /// What staff are told of
    DeskNoticeKind = Kind {
        /// Someone of a client asked for a service
        ServiceRequestMade,
        /// Someone of a client made a ticket
        TicketMade,
        /// An agreement was declined
        AgreementDeclined,
        /// At an onboarding nothing was done for too long
        OnboardingStalled,
    }
}

/// Something that one was told.
#[derive(Debug, Clone, Object)]
pub struct DeskNotice {
    /// Id
    pub id: Uuid,
    pub kind: DeskNoticeKind,
    /// Client
    pub client_id: Uuid,
    /// Its name
    pub client: String,
    /// What it is about: a service request, a ticket, an agreement of a client, an onboarding
    pub subject_id: Uuid,
    /// In one line
    pub title: String,
    /// When
    pub created_at: DateTime<Utc>,
    /// Whether it was read
    pub read: bool,
}

/// How much one has not read.
#[derive(Debug, Clone, Object)]
pub struct UnreadDeskNotices {
    /// Notices
    pub unread: i64,
}

/// Up to which notice one has read.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct DeskNoticesRead {
    /// The last one that was read, and all before it; all there are when left out
    pub until: Option<Uuid>,
}

/// What one wants to be told of: of what one may do something about.
#[derive(Debug, Clone, Object)]
pub struct DeskNoticeSettings {
    /// Kinds that do not show in one's list
    pub hidden: Vec<DeskNoticeKind>,
    /// Kinds of which no letter tells one
    pub unmailed: Vec<DeskNoticeKind>,
    /// Goes up with each change; also the ETag
    pub version: i32,
}

/// What to switch off; every other kind is on.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example)]
pub struct DeskNoticeSettingsSet {
    /// Kinds that are not to show in one's list
    pub hidden: Vec<DeskNoticeKind>,
    /// Kinds of which no letter is to tell one
    pub unmailed: Vec<DeskNoticeKind>,
}

/// What one was told.
pub struct DeskNotices;

#[OpenApi(prefix_path = "/api/me", tag = "Chapter::ClientOne")]
impl DeskNotices {
    /// What I was told of ClientOne, the newest first; kept for 180 days
    ///
    /// Of clients that I see, and of what I may do something about: tickets for whoever works on them; service requests,
    /// declined agreements and stalled onboardings for whoever manages ClientOne.
    #[oai(path = "/notices", method = "get", operation_id = "desk_notice_list")]
    async fn desk_notice_list(
        &self,
        app: AppData<'_>,
        caller: Caller,
        uri: &poem::http::Uri,
        /// Only what I have not read
        unread: Query<Option<bool>>,
        /// Rows of a page, 1 to 100; 25 when left out
        limit: Query<Option<u64>>,
        /// Where the last page ended
        cursor: Query<Option<String>>,
    ) -> Result<Answer<Page<DeskNotice>>, Failure> {
        let (context, staff) = me(caller)?;
        let page = page_request(limit.0, cursor.0.as_deref())?;
        let tx = app.store.read(context).await?;
        let (listed, reader) = clientone::desk_notice_list(&tx, staff, unread.0.unwrap_or(false), &page).await?;
        let clients: Vec<ClientId> = listed.items.iter().map(|row| row.client_id).collect();
        let names = tx.portal_names(clients, []).await?;
        Ok(Answer::page(listed.map(|row| view(row, &names, reader)), uri))
    }

    /// How much I have not read
    #[oai(path = "/notices/unread", method = "get", operation_id = "desk_notices_unread")]
    async fn desk_notices_unread(
        &self,
        app: AppData<'_>,
        caller: Caller,
    ) -> Result<Answer<UnreadDeskNotices>, Failure> {
        let (context, staff) = me(caller)?;
        let unread = clientone::desk_notices_unread(&app.store.read(context).await?, staff).await?;
        Ok(Answer::new(UnreadDeskNotices { unread }))
    }

    /// Note that I have read up to a notice, or all
    #[oai(path = "/notices/read", method = "post", operation_id = "desk_notices_read")]
    async fn desk_notices_read(
        &self,
        app: AppData<'_>,
        caller: Caller,
        body: Json<DeskNoticesRead>,
    ) -> Result<Answer<UnreadDeskNotices>, Failure> {
        let (context, staff) = me(caller)?;
        let tx = app.store.begin(context).await?;
        let unread = clientone::desk_notices_read(&tx, staff, body.0.until.map(DeskNoticeId)).await?;
        tx.commit_unjournalled().await?;
        Ok(Answer::new(UnreadDeskNotices { unread }))
    }

    /// What I switched off
    #[oai(path = "/notice-settings", method = "get", operation_id = "desk_notice_settings_get")]
    async fn desk_notice_settings_get(
        &self,
        app: AppData<'_>,
        caller: Caller,
    ) -> Result<Answer<DeskNoticeSettings>, Failure> {
        let (context, staff) = me(caller)?;
        let settings = app.store.read(context).await?.desk_notice_settings(staff).await?;
        let version = settings.version;
        Ok(Answer::versioned(switches(settings), version))
    }

    /// Say what I do not want to be told
    #[oai(path = "/notice-settings", method = "put", operation_id = "desk_notice_settings_update")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn desk_notice_settings_update(
        &self,
        app: AppData<'_>,
        caller: Caller,
        body: Json<DeskNoticeSettingsSet>,
        /// ETag of the settings as you read them
        #[oai(name = "If-Match")]
        version: Header<Option<String>>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
    ) -> Result<Answer<Written<DeskNoticeSettings>>, Failure> {
        let (context, staff) = me(caller)?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: None };
        let action = "desk_notice_settings_update";
        let write = match app.begin_permitted(&context, action, asked, &body.0).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let kinds = |kinds: Vec<DeskNoticeKind>| kinds.into_iter().map(Into::into).collect::<BTreeSet<Kind>>();
        let wanted = DeskNoticeSwitches { hidden: kinds(body.0.hidden), unmailed: kinds(body.0.unmailed) };
        let version = if_match(version.0.as_deref())?;
        let after = clientone::desk_notice_settings_update(&write.tx, staff, wanted, version).await?;
        let version = after.version;
        Ok(Answer::versioned(write.finish(Some(switches(after)), Vec::new()).await?, version))
    }
}

/// The staff user who calls: a key has nobody to tell.
fn me(caller: Caller) -> domain::Result<(Context, StaffId)> {
    let (context, session) = caller.with_session()?;
    match (session, context.actor.staff()) {
        (Some(_), Some(staff)) => Ok((context, staff)),
        _ => Err(needs_session()),
    }
}

fn view(row: DeskNoticeRow, names: &PortalNames, reader: DeskReader) -> DeskNotice {
    DeskNotice {
        id: row.id.0,
        kind: row.kind.into(),
        client_id: row.client_id.0,
        client: names.client(row.client_id),
        subject_id: row.subject_id,
        title: row.title,
        created_at: row.created_at,
        read: reader.read_until.is_some_and(|until| row.id <= until),
    }
}

fn switches(Settings { switches, version }: Settings) -> DeskNoticeSettings {
    let kinds = |kinds: BTreeSet<Kind>| kinds.into_iter().map(Into::into).collect();
    DeskNoticeSettings { hidden: kinds(switches.hidden), unmailed: kinds(switches.unmailed), version }
}
