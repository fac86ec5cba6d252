//! What staff are told of ClientOne: one row for each occasion, whoever of the team it is for. Who has read how far, and
//! how far letters went, are marks of each of them; their switches are journalled.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use domain::{
    ClientId, DeskNoticeId, DeskNoticeKind, DeskNoticeSwitches, Error, Listed, PageRequest, Result, StaffId, Timestamp,
};
use sea_orm::{ColumnTrait, Condition, ExprTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    NewJob, Tx,
    entity::{desk_notice as table, desk_notice_setting as setting, desk_reader as reader},
    error::{OrDomain, known},
    journalled::Journalled,
};

/// Kind of the jobs that write letters of what staff were told.
pub const DESK_DIGEST_JOB: &str = "desk_digest";
/// Seconds of which one letter tells: it waits for what else there may be.
const ROUND: i64 = 900;
/// Seconds after the end of a round at which its letters are written: by then everything of it is there.
const SETTLED: i64 = 60;

/// What staff are to be told.
#[derive(Clone, Debug)]
pub struct NewDeskNotice {
    /// Of what kind: decides who is told.
    pub kind: DeskNoticeKind,
    /// Of which client.
    pub client_id: ClientId,
    /// What it is about: a request, a ticket, an agreement of a client, an onboarding.
    pub subject_id: Uuid,
    /// The occasion: there is one notice of each.
    pub key: String,
    /// In one line.
    pub title: String,
}

/// Something that staff were told.
#[derive(Clone, Debug, PartialEq)]
pub struct DeskNoticeRow {
    /// Id: later ones are greater.
    pub id: DeskNoticeId,
    /// Of what kind.
    pub kind: DeskNoticeKind,
    /// Of which client.
    pub client_id: ClientId,
    /// What it is about.
    pub subject_id: Uuid,
    /// In one line.
    pub title: String,
    /// When.
    pub created_at: Timestamp,
}

/// How far someone of the team has read, and letters to them went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeskReader {
    /// The last one that they have read, and all before it.
    pub read_until: Option<DeskNoticeId>,
    /// The last one of which a letter told them, or did not have to.
    pub mailed_until: Option<DeskNoticeId>,
}

/// A staff user's switches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeskNoticeSettings {
    /// What is off.
    pub switches: DeskNoticeSwitches,
    /// Goes up by one with each change; 0 while nothing was ever set.
    pub version: i32,
}

impl Journalled for setting::Entity {
    const KIND: &'static str = "desk_notice_setting";
    const WHAT: &'static str = "notice settings";

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
    fn client_of(_: &setting::Model) -> Option<ClientId> {
        None
    }
    fn view(row: &setting::Model) -> Result<Value> {
        Ok(json!({ "hidden": kinds(&row.hidden)?, "unmailed": kinds(&row.unmailed)?, "version": row.version }))
    }
}

fn kinds(text: &str) -> Result<BTreeSet<DeskNoticeKind>> {
    serde_json::from_str(text).map_err(Error::internal)
}

fn read(row: table::Model) -> Result<DeskNoticeRow> {
    Ok(DeskNoticeRow {
        id: row.id.into(),
        kind: known(DeskNoticeKind::parse(&row.kind), "desk_notice.kind")?,
        client_id: ClientId(row.client_id),
        subject_id: row.subject_id,
        title: row.title,
        created_at: row.created_at,
    })
}

fn wanted(kinds: &BTreeSet<DeskNoticeKind>) -> Condition {
    Condition::all().add(table::Column::Kind.is_in(kinds.iter().map(|kind| kind.as_str())))
}

impl Tx {
    /// Tells staff something, and has letters of it written in a while, together with whatever else there is. The one
    /// way to do so: it is called with the transaction that changes it.
    pub async fn desk_notify(&self, new: &NewDeskNotice) -> Result<()> {
        let row = table::Model {
            organisation_id: self.organisation().0,
            id: self.new_id(),
            client_id: new.client_id.0,
            kind: new.kind.as_str().to_owned(),
            subject_id: new.subject_id,
            note_key: new.key.clone(),
            title: new.title.clone(),
            created_at: self.now(),
        };
        if !self.insert_if_absent::<table::Entity>(row).await? {
            return Ok(());
        }
        // Each round has a job of its own, so that one that runs is not taken for one that is still to come.
        let ends = (self.now().timestamp() / ROUND + 1) * ROUND;
        let wait = TimeDelta::seconds(ends + SETTLED - self.now().timestamp());
        let job = NewJob {
            kind: DESK_DIGEST_JOB.to_owned(),
            payload: "{}".to_owned(),
            unique_key: format!("{DESK_DIGEST_JOB}:{ends}"),
            priority: 0,
            run_at: self.now() + wait,
            max_attempts: 12,
        };
        self.job_enqueue(&job).await.map(drop)
    }

    /// A page of what staff were told of these kinds, the newest first: of clients within the scope.
    pub async fn desk_notice_list(
        &self,
        kinds: &BTreeSet<DeskNoticeKind>,
        unread_after: Option<DeskNoticeId>,
        page: &PageRequest,
    ) -> Result<Listed<DeskNoticeRow>> {
        use table::Column as C;
        let mut select = self.find::<table::Entity>().filter(wanted(kinds));
        if let Some(after) = unread_after {
            select = select.filter(C::Id.gt(after.0));
        }
        let total = select.clone().count(self.db()).await.or_domain()?;
        if let Some((_, id)) = &page.after {
            select = select.filter(C::Id.lt(*id));
        }
        let mut rows = select.order_by_desc(C::Id).limit(page.limit + 1).all(self.db()).await.or_domain()?;
        let more = rows.len() as u64 > page.limit;
        rows.truncate(page.limit as usize);
        let next = more.then(|| rows.last().map(|last| (String::new(), last.id))).flatten();
        let items = rows.into_iter().map(read).collect::<Result<_>>()?;
        Ok(Listed { items, next, total: i64::try_from(total).unwrap_or(i64::MAX) })
    }

    /// What was told from an instant to another, in order; at most so many of the latest.
    pub async fn desk_notices_between(
        &self,
        (since, until): (Timestamp, Timestamp),
        most: u64,
    ) -> Result<Vec<DeskNoticeRow>> {
        use table::Column as C;
        let within = C::CreatedAt.gte(since).and(C::CreatedAt.lte(until));
        let select = self.find::<table::Entity>().filter(within).order_by_desc(C::Id).limit(most);
        let rows = select.all(self.db()).await.or_domain()?;
        rows.into_iter().rev().map(read).collect()
    }

    /// How far someone of the team has read, and letters to them went.
    pub async fn desk_reader(&self, staff: StaffId) -> Result<DeskReader> {
        let row =
            self.find::<reader::Entity>().filter(reader::Column::Id.eq(staff.0)).one(self.db()).await.or_domain()?;
        Ok(row.map_or_else(DeskReader::default, |row| DeskReader {
            read_until: row.read_until.map(Into::into),
            mailed_until: row.mailed_until.map(Into::into),
        }))
    }

    /// Notes how far someone has read. Not journalled, like the time at which a session was last used.
    pub async fn desk_read(&self, staff: StaffId, until: DeskNoticeId) -> Result<()> {
        let row = self.reader_row(staff, DeskReader { read_until: Some(until), ..DeskReader::default() });
        self.desk_reader_mark(row, reader::Column::ReadUntil).await
    }

    /// Notes how far letters to someone went.
    pub async fn desk_mailed(&self, staff: StaffId, until: DeskNoticeId) -> Result<()> {
        let row = self.reader_row(staff, DeskReader { mailed_until: Some(until), ..DeskReader::default() });
        self.desk_reader_mark(row, reader::Column::MailedUntil).await
    }

    fn reader_row(&self, staff: StaffId, marks: DeskReader) -> reader::Model {
        reader::Model {
            organisation_id: self.organisation().0,
            id: staff.0,
            read_until: marks.read_until.map(|id| id.0),
            mailed_until: marks.mailed_until.map(|id| id.0),
        }
    }

    async fn desk_reader_mark(&self, row: reader::Model, column: reader::Column) -> Result<()> {
        let key = [reader::Column::OrganisationId, reader::Column::Id];
        self.insert_many::<reader::Entity>(vec![row], &key, &[column]).await
    }

    /// A staff user's switches.
    pub async fn desk_notice_settings(&self, staff: StaffId) -> Result<DeskNoticeSettings> {
        let row = self.find::<setting::Entity>().filter(setting::Column::Id.eq(staff.0)).one(self.db()).await;
        Ok(match row.or_domain()? {
            Some(row) => DeskNoticeSettings {
                switches: DeskNoticeSwitches { hidden: kinds(&row.hidden)?, unmailed: kinds(&row.unmailed)? },
                version: row.version,
            },
            None => DeskNoticeSettings::default(),
        })
    }

    /// Sets a staff user's switches that were read before, with their row locked.
    pub async fn desk_notice_settings_set(
        &self,
        staff: StaffId,
        before: DeskNoticeSettings,
        after: DeskNoticeSwitches,
    ) -> Result<DeskNoticeSettings> {
        if before.switches == after {
            return Ok(before);
        }
        let text = |kinds: &BTreeSet<DeskNoticeKind>| serde_json::to_string(kinds).map_err(Error::internal);
        let row = |switches: &DeskNoticeSwitches, version: i32| -> Result<setting::Model> {
            Ok(setting::Model {
                organisation_id: self.organisation().0,
                id: staff.0,
                hidden: text(&switches.hidden)?,
                unmailed: text(&switches.unmailed)?,
                version,
            })
        };
        let version = before.version + 1;
        let now = row(&after, version)?;
        match before.version {
            0 => self.insert_row::<setting::Entity>(now).await?,
            old => drop(self.update_row::<setting::Entity>(&row(&before.switches, old)?, now).await?),
        }
        Ok(DeskNoticeSettings { switches: after, version })
    }

    /// Forgets what was told before this instant.
    pub async fn desk_notices_forget(&self, before: Timestamp) -> Result<()> {
        self.require_writable()?;
        let delete = self.delete_many::<table::Entity>().filter(table::Column::CreatedAt.lt(before));
        delete.exec(self.db()).await.or_domain().map(drop)
    }
}
