//! What portal users are told in ClientOne, and by letter. Both are written in the transaction of what they tell of: a
//! preview tells nobody.

use domain::{
    ClientId, Letter, LetterLink, Listed, NotificationId, NotificationKind, NotificationSwitches, PageRequest,
    PortalState, PortalUserId, Result, Timestamp,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue, ColumnTrait, Condition, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    NewMail, PortalUserRow, Tx,
    entity::{notification as table, notification_setting as setting},
    error::{OrDomain, known},
    journalled::Journalled,
};

/// What portal users are to be told.
#[derive(Clone, Debug)]
pub struct PortalNotice<'a> {
    /// Of what kind: decides who may be told, and what they can switch off.
    pub kind: NotificationKind,
    /// What it is about: a request, an agreement, an onboarding, a document, a ticket.
    pub subject_id: Uuid,
    /// The occasion: each person is told once of each ("service_request:ID:3").
    pub key: String,
    /// What it is about, in one line.
    pub title: String,
    /// What it says; in a letter it comes below the greeting.
    pub paragraphs: Vec<String>,
    /// The words of the link, and the page of ClientOne it leads to ("service-requests/ID").
    pub link: (&'static str, String),
    /// Where the pages of ClientOne are as far as the caller knows: what the organisation or the operator said goes
    /// before. Without any of them letters have no link.
    pub base: Option<&'a str>,
}

/// Something that a portal user was told.
#[derive(Clone, Debug, PartialEq)]
pub struct NotificationRow {
    /// Id.
    pub id: NotificationId,
    /// Of what kind.
    pub kind: NotificationKind,
    /// What it is about.
    pub subject_id: Uuid,
    /// What it is about, in one line.
    pub title: String,
    /// What it says.
    pub body: String,
    /// The page of ClientOne that it leads to.
    pub page: String,
    /// When.
    pub created_at: Timestamp,
    /// When it was read.
    pub read_at: Option<Timestamp>,
}

/// A portal user's switches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotificationSettings {
    /// What is on.
    pub switches: NotificationSwitches,
    /// Goes up by one with each change; 0 while nothing was ever set.
    pub version: i32,
}

impl Journalled for setting::Entity {
    const KIND: &'static str = "notification_setting";
    const WHAT: &'static str = "notification settings";

    fn id(row: &setting::Model) -> Uuid {
        row.id
    }
    fn id_column() -> setting::Column {
        setting::Column::Id
    }
    fn version_column() -> Option<setting::Column> {
        Some(setting::Column::Version)
    }
    fn version(row: &setting::Model) -> i32 {
        row.version
    }
    fn client_of(row: &setting::Model) -> Option<ClientId> {
        Some(ClientId(row.client_id))
    }
    fn view(row: &setting::Model) -> Result<Value> {
        Ok(json!({
            "in_app": row.in_app, "ticket_status": row.ticket_status, "ticket_reply": row.ticket_reply,
            "invoice_overdue": row.invoice_overdue,
        }))
    }
}

fn switches(row: &setting::Model) -> NotificationSwitches {
    NotificationSwitches {
        in_app: row.in_app,
        ticket_status: row.ticket_status,
        ticket_reply: row.ticket_reply,
        invoice_overdue: row.invoice_overdue,
    }
}

fn read(row: table::Model) -> Result<NotificationRow> {
    Ok(NotificationRow {
        id: row.id.into(),
        kind: known(NotificationKind::parse(&row.kind), "notification.kind")?,
        subject_id: row.subject_id,
        title: row.title,
        body: row.body,
        page: row.page,
        created_at: row.created_at,
        read_at: row.read_at,
    })
}

/// Someone's own, of the kinds they may see.
fn own(user: PortalUserId, kinds: &[NotificationKind]) -> Condition {
    let kinds = kinds.iter().map(|kind| kind.as_str());
    Condition::all().add(table::Column::PortalUserId.eq(user.0)).add(table::Column::Kind.is_in(kinds))
}

impl Tx {
    /// Tells people of a client something: in ClientOne, and by letter, as far as they may see it and have not switched
    /// it off. Nobody is told while ClientOne is off for the client, nor anyone who may not come in. The one way to do
    /// so: whatever tells portal users of something calls this with the transaction that changes it.
    pub async fn portal_notify(&self, client: ClientId, to: &[PortalUserRow], notice: &PortalNotice<'_>) -> Result<()> {
        let config = self.portal_config(client).await?;
        if !config.enabled {
            return Ok(());
        }
        let brand = self.portal_brand(&config).await?;
        let PortalNotice { kind, subject_id, key, title, paragraphs, link: (label, page), base } = notice;
        let said = self.portal_base().await?;
        let link = said
            .as_deref()
            .or(*base)
            .map(|base| LetterLink { label: (*label).to_owned(), url: format!("{base}/{page}") });
        let reached = |user: &&PortalUserRow| {
            user.client_id == client && user.state == PortalState::Active && kind.reaches(user.role, &config.settings)
        };
        for user in to.iter().filter(reached) {
            let set = self.notification_settings(user.id).await?.switches;
            if kind.in_app(&set) {
                let row = table::Model {
                    organisation_id: self.organisation().0,
                    id: self.new_id(),
                    client_id: client.0,
                    portal_user_id: user.id.0,
                    kind: kind.as_str().to_owned(),
                    subject_id: *subject_id,
                    note_key: key.clone(),
                    title: title.clone(),
                    body: paragraphs.join("\n\n"),
                    page: page.clone(),
                    created_at: self.now(),
                    read_at: None,
                };
                self.insert_if_absent::<table::Entity>(row).await?;
            }
            if kind.by_letter(&set) {
                let greeting = format!("Hello {},", user.name);
                let letter = Letter::Notice {
                    brand: brand.clone(),
                    subject: title.clone(),
                    paragraphs: [&[greeting][..], &paragraphs[..]].concat(),
                    link: link.clone(),
                };
                let mail = NewMail {
                    recipient: user.email.clone(),
                    recipient_name: Some(user.name.clone()),
                    letter,
                    key: format!("{key}:{}", user.id),
                    send_before: None,
                };
                self.mail_enqueue(&mail).await?;
            }
        }
        Ok(())
    }

    /// A page of someone's notifications of these kinds, the newest first.
    pub async fn notification_list(
        &self,
        user: PortalUserId,
        kinds: &[NotificationKind],
        unread: bool,
        page: &PageRequest,
    ) -> Result<Listed<NotificationRow>> {
        let mut select = self.find::<table::Entity>().filter(own(user, kinds));
        if unread {
            select = select.filter(table::Column::ReadAt.is_null());
        }
        let total = select.clone().count(self.db()).await.or_domain()?;
        if let Some((_, id)) = &page.after {
            select = select.filter(table::Column::Id.lt(*id));
        }
        let mut rows =
            select.order_by_desc(table::Column::Id).limit(page.limit + 1).all(self.db()).await.or_domain()?;
        let more = rows.len() as u64 > page.limit;
        rows.truncate(page.limit as usize);
        let next = more.then(|| rows.last().map(|last| (String::new(), last.id))).flatten();
        let items = rows.into_iter().map(read).collect::<Result<_>>()?;
        Ok(Listed { items, next, total: i64::try_from(total).unwrap_or(i64::MAX) })
    }

    /// How many of these kinds someone has not read.
    pub async fn notifications_unread(&self, user: PortalUserId, kinds: &[NotificationKind]) -> Result<u64> {
        let select = self.find::<table::Entity>().filter(own(user, kinds)).filter(table::Column::ReadAt.is_null());
        select.count(self.db()).await.or_domain()
    }

    /// Someone's notification of one of these kinds, if there is one of this id.
    pub async fn notification(
        &self,
        user: PortalUserId,
        kinds: &[NotificationKind],
        id: NotificationId,
    ) -> Result<NotificationRow> {
        let select = self.find::<table::Entity>().filter(own(user, kinds)).filter(table::Column::Id.eq(id.0));
        let found = select.one(self.db()).await.or_domain()?.map(read).transpose()?;
        found.ok_or(domain::Error::NotFound { what: "notification" })
    }

    /// Notes that someone read one, or all of these kinds; returns how many were unread. Not journalled, like the time
    /// at which a session was last used.
    pub async fn notifications_read(
        &self,
        user: PortalUserId,
        kinds: &[NotificationKind],
        only: Option<NotificationId>,
    ) -> Result<u64> {
        let row = table::ActiveModel { read_at: ActiveValue::Set(Some(self.now())), ..ActiveModelTrait::default() };
        let mut unread = own(user, kinds).add(table::Column::ReadAt.is_null());
        if let Some(id) = only {
            unread = unread.add(table::Column::Id.eq(id.0));
        }
        self.update_row_where::<table::Entity>(row, unread).await
    }

    /// Forgets notifications older than this; returns how many.
    pub async fn notifications_forget(&self, before: Timestamp) -> Result<u64> {
        self.require_writable()?;
        let delete = self.delete_many::<table::Entity>().filter(table::Column::CreatedAt.lt(before));
        Ok(delete.exec(self.db()).await.or_domain()?.rows_affected)
    }

    /// A portal user's switches.
    pub async fn notification_settings(&self, user: PortalUserId) -> Result<NotificationSettings> {
        let row = self.find::<setting::Entity>().filter(setting::Column::Id.eq(user.0)).one(self.db()).await;
        Ok(match row.or_domain()? {
            Some(row) => NotificationSettings { switches: switches(&row), version: row.version },
            None => NotificationSettings { switches: NotificationSwitches::default(), version: 0 },
        })
    }

    /// Sets a portal user's switches that were read before.
    pub async fn notification_settings_set(
        &self,
        user: &PortalUserRow,
        before: NotificationSettings,
        after: NotificationSwitches,
    ) -> Result<NotificationSettings> {
        if before.switches == after {
            return Ok(before);
        }
        let row = |switches: NotificationSwitches, version: i32| setting::Model {
            organisation_id: self.organisation().0,
            id: user.id.0,
            client_id: user.client_id.0,
            in_app: switches.in_app,
            ticket_status: switches.ticket_status,
            ticket_reply: switches.ticket_reply,
            invoice_overdue: switches.invoice_overdue,
            updated_at: self.now(),
            version,
        };
        let version = before.version + 1;
        let now = row(after, version);
        match before.version {
            0 => self.insert_row::<setting::Entity>(now).await?,
            version => drop(self.update_row::<setting::Entity>(&row(before.switches, version), now).await?),
        }
        Ok(NotificationSettings { switches: after, version })
    }
}
