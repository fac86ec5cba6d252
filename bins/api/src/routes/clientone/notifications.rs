//! What a portal user was told, what of it they have read, and what they switched off.

use chrono::{DateTime, Utc};
use clientone::SwitchesPatch;
use domain::{NotificationId, NotificationKind as Kind, PortalPermission};
use persistence::{NotificationRow, NotificationSettings as Settings};
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::PortalChapter;
use crate::{
    app::AppData,
    changes::Written,
    page::{Answer, Page, if_match, page_request},
    portal_auth::PortalCaller,
    problem::Failure,
    routes::mirrored::mirrored,
    write::{Asked, Begun},
};

mirrored! {
    /// What someone is told of
    NotificationKind = Kind {
        /// A ticket has another state
        TicketStatus,
        /// Somebody replied to a ticket
        TicketReply,
        /// A service request has another state, or your provider wrote about it
        ServiceRequestStatus,
        /// An agreement waits to be signed
        AgreementWaiting,
        /// A step of the onboarding waits
        OnboardingWaiting,
        /// A document was published
        DocumentPublished,
        /// An invoice is overdue
        InvoiceOverdue,
    }
}

/// Something that one was told.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct Notification {
    /// Id
    pub id: Uuid,
    pub kind: NotificationKind,
    /// What it is about: a request, an agreement, an onboarding, a document, a ticket
    pub subject_id: Uuid,
    /// In one line
    pub title: String,
    /// What it says
    pub text: String,
    /// The page that it leads to
    pub page: String,
    /// When
    pub created_at: DateTime<Utc>,
    /// When it was read; absent while it was not
    pub read_at: Option<DateTime<Utc>>,
}

/// How much one has not read.
#[derive(Debug, Clone, Object)]
pub struct UnreadNotifications {
    /// Notifications
    pub unread: u64,
}

/// How much was marked as read.
#[derive(Debug, Clone, Object)]
pub struct NotificationsRead {
    /// Notifications that were unread
    pub read: u64,
}

/// What one wants to be told. Agreements and onboardings that wait are told in any case.
#[derive(Debug, Clone, Object)]
pub struct NotificationSettings {
    /// Notifications in the portal itself
    pub in_app: bool,
    /// Letters about a ticket's state
    pub ticket_status: bool,
    /// Letters about replies to a ticket
    pub ticket_reply: bool,
    /// Letters about invoices that are overdue
    pub invoice_overdue: bool,
    /// Goes up with each change; also the ETag
    pub version: i32,
}

/// What to switch on or off; what is left out stays.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct NotificationSettingsUpdate {
    /// Notifications in the portal itself
    pub in_app: Option<bool>,
    /// Letters about a ticket's state
    pub ticket_status: Option<bool>,
    /// Letters about replies to a ticket
    pub ticket_reply: Option<bool>,
    /// Letters about invoices that are overdue
    pub invoice_overdue: Option<bool>,
}

/// Notifications.
pub struct Notifications;

#[OpenApi(prefix_path = "/api/clientone", tag = "PortalChapter::Notifications")]
impl Notifications {
    /// What I was told, the newest first; kept for 180 days
    ///
    /// Only what belongs to sections that are there for the caller.
    #[oai(path = "/notifications", method = "get", operation_id = "notification_list")]
    async fn notification_list(
        &self,
        caller: PortalCaller,
        uri: &poem::http::Uri,
        /// Only what I have not read
        unread: Query<Option<bool>>,
        /// Rows of a page, 1 to 100; 25 when left out
        limit: Query<Option<u64>>,
        /// Where the last page ended
        cursor: Query<Option<String>>,
    ) -> Result<Answer<Page<Notification>>, Failure> {
        let (tx, visit) = caller.visit()?;
        let page = page_request(limit.0, cursor.0.as_deref())?;
        let (settings, unread) = (&visit.config.settings, unread.0.unwrap_or(false));
        let listed = clientone::notification_list(&tx, &visit.user, settings, unread, &page).await?;
        Ok(Answer::page(listed.map(view), uri))
    }

    /// How much I have not read
    #[oai(path = "/notifications/unread", method = "get", operation_id = "notifications_unread")]
    async fn notifications_unread(&self, caller: PortalCaller) -> Result<Answer<UnreadNotifications>, Failure> {
        let (tx, visit) = caller.visit()?;
        let unread = clientone::notifications_unread(&tx, &visit.user, &visit.config.settings).await?;
        Ok(Answer::new(UnreadNotifications { unread }))
    }

    /// Mark all as read
    #[oai(path = "/notifications/read", method = "post", operation_id = "notifications_read")]
    async fn notifications_read(
        &self,
        app: AppData<'_>,
        caller: PortalCaller,
    ) -> Result<Answer<NotificationsRead>, Failure> {
        let (tx, visit) = caller.visit()?;
        let context = tx.context().clone();
        drop(tx);
        let tx = app.store.begin(context).await?;
        let read = clientone::notifications_read(&tx, &visit.user, &visit.config.settings).await?;
        tx.commit_unjournalled().await?;
        Ok(Answer::new(NotificationsRead { read }))
    }

    /// Mark one as read
    #[oai(path = "/notifications/:notification_id/read", method = "post", operation_id = "notification_read")]
    async fn notification_read(
        &self,
        app: AppData<'_>,
        caller: PortalCaller,
        notification_id: Path<Uuid>,
    ) -> Result<Answer<Notification>, Failure> {
        let (tx, visit) = caller.visit()?;
        let context = tx.context().clone();
        drop(tx);
        let tx = app.store.begin(context).await?;
        let id = NotificationId(notification_id.0);
        let row = clientone::notification_read(&tx, &visit.user, &visit.config.settings, id).await?;
        tx.commit_unjournalled().await?;
        Ok(Answer::new(view(row)))
    }

    /// What I want to be told
    #[oai(path = "/notification-settings", method = "get", operation_id = "notification_settings_get")]
    async fn notification_settings_get(&self, caller: PortalCaller) -> Result<Answer<NotificationSettings>, Failure> {
        let (tx, visit) = caller.visit()?;
        tx.context().require_portal(PortalPermission::ProfileEdit, &visit.config.settings)?;
        let settings = tx.notification_settings(visit.user.id).await?;
        Ok(Answer::versioned(switches(settings), settings.version))
    }

    /// Switch on or off what I want to be told
    #[oai(path = "/notification-settings", method = "patch", operation_id = "notification_settings_update")]
    async fn notification_settings_update(
        &self,
        app: AppData<'_>,
        caller: PortalCaller,
        body: Json<NotificationSettingsUpdate>,
        /// ETag of the settings as you read them
        #[oai(name = "If-Match")]
        version: Header<Option<String>>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
    ) -> Result<Answer<Written<NotificationSettings>>, Failure> {
        let (tx, visit) = caller.visit()?;
        let context = tx.context().clone();
        drop(tx);
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, ..Asked::default() };
        let (settings, action) = (&visit.config.settings, "notification_settings_update");
        let permission = PortalPermission::ProfileEdit;
        let write = match app.begin_portal(&context, permission, settings, action, asked, &body.0).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let NotificationSettingsUpdate { in_app, ticket_status, ticket_reply, invoice_overdue } = body.0;
        let version = if_match(version.0.as_deref())?;
        let patch = SwitchesPatch { in_app, ticket_status, ticket_reply, invoice_overdue, version };
        let after = clientone::notification_settings_update(&write.tx, &visit.user, settings, patch).await?;
        Ok(Answer::versioned(write.finish(Some(switches(after)), Vec::new()).await?, after.version))
    }
}

fn view(row: NotificationRow) -> Notification {
    Notification {
        id: row.id.0,
        kind: row.kind.into(),
        subject_id: row.subject_id,
        title: row.title,
        text: row.body,
        page: row.page,
        created_at: row.created_at,
        read_at: row.read_at,
    }
}

fn switches(Settings { switches, version }: Settings) -> NotificationSettings {
    NotificationSettings {
        in_app: switches.in_app,
        ticket_status: switches.ticket_status,
        ticket_reply: switches.ticket_reply,
        invoice_overdue: switches.invoice_overdue,
        version,
    }
}
