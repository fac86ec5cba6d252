//! Backups of one's company: which there are, and how they stand.

use chrono::{DateTime, Utc};
use domain::{Listed, PortalPermission, Record};
use poem_openapi::{Object, OpenApi, param::Query, payload::Json};
use uuid::Uuid;

use super::{Age, PortalChapter};
use crate::{
    app::AppData,
    page::{Answer, page_request},
    portal_auth::PortalCaller,
    problem::Failure,
    routes::{
        fleet::{body, sources},
        records::BackupState,
    },
};

/// A backup. Nothing of which tool makes it.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct CompanyBackup {
    /// Id
    pub id: Uuid,
    /// Name
    pub name: String,
    /// What it is of ("mailbox", "server")
    pub class: Option<String>,
    /// How it stands; absent while that is not known
    pub state: Option<BackupState>,
    /// Last one that succeeded
    pub last_success_at: Option<DateTime<Utc>>,
    /// Last one that was tried
    pub last_attempt_at: Option<DateTime<Utc>>,
    /// Bytes held
    pub bytes: Option<u64>,
}

/// A page of backups, and how old it is.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct CompanyBackupPage {
    /// The rows
    pub items: Vec<CompanyBackup>,
    /// Where the next page begins; absent at the end
    pub next_cursor: Option<String>,
    /// How many there are in all
    pub total: i64,
    pub age: Age,
}

/// Backups.
pub struct CompanyBackups;

#[OpenApi(prefix_path = "/api/clientone/backups", tag = "PortalChapter::Devices")]
impl CompanyBackups {
    /// The backups of my company, by name
    ///
    /// What a tool did not tell is absent: unknown is not healthy.
    #[oai(path = "/", method = "get", operation_id = "company_backup_list")]
    async fn company_backup_list(
        &self,
        app: AppData<'_>,
        caller: PortalCaller,
        uri: &poem::http::Uri,
        /// Part of the name
        search: Query<Option<String>>,
        /// Rows of a page, 1 to 100; 25 when left out
        limit: Query<Option<u64>>,
        /// Where the last page ended
        cursor: Query<Option<String>>,
    ) -> Result<Answer<CompanyBackupPage>, Failure> {
        let (tx, visit) = caller.visit()?;
        let page = page_request(limit.0, cursor.0.as_deref())?;
        tx.context().require_portal(PortalPermission::BackupsView, &visit.config.settings)?;
        let (sources, client) = sources(&tx, visit.user.client_id.0).await?;
        let Listed { items, next, total } = tx.client_records(client, "backup", search.0.as_deref(), &page).await?;
        let items = items.iter().map(view).collect::<domain::Result<Vec<_>>>()?;
        let Answer::Ok(Json(page), link, _) = Answer::page(Listed { items, next, total }, uri);
        let age = Age::of(&sources.of(&app, "backup"));
        let body = CompanyBackupPage { items: page.items, next_cursor: page.next_cursor, total: page.total, age };
        Ok(Answer::Ok(Json(body), link, None))
    }
}

fn view(record: &Record) -> domain::Result<CompanyBackup> {
    let backup: integration::Backup = body(record)?;
    Ok(CompanyBackup {
        id: record.id.0,
        name: backup.name,
        class: backup.class,
        state: backup.state.map(Into::into),
        last_success_at: backup.last_success_at,
        last_attempt_at: backup.last_attempt_at,
        bytes: backup.bytes,
    })
}
