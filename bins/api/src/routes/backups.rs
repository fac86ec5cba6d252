//! How a client's backups stand, in one look.

use domain::{EntityId, Permission};
use integration::BackupState;
use poem_openapi::{Object, OpenApi, param::Path};
use uuid::Uuid;

use super::{
    Chapter,
    fleet::{body, sources},
};
use crate::{app::AppData, auth::Caller, freshness::Freshness, page::Answer, problem::Failure};

/// How a client's backups stand.
#[derive(Debug, Clone, Object)]
pub struct BackupSummary {
    /// Recent and complete
    pub healthy: u64,
    /// Late or incomplete
    pub at_risk: u64,
    /// Failing, or never done
    pub failed: u64,
    /// Nothing is known of how they stand
    pub unknown: u64,
    /// How old this is; where nothing is mapped, the counts say nothing
    pub freshness: Freshness,
}

/// Backups in one look.
pub struct BackupSummaries;

#[OpenApi(prefix_path = "/api/clients", tag = "Chapter::Clients")]
impl BackupSummaries {
    /// How many of a client's backups are healthy, at risk or failed
    #[oai(path = "/:client_id/backups/summary", method = "get", operation_id = "client_backup_summary_get")]
    async fn client_backup_summary_get(
        &self,
        app: AppData<'_>,
        caller: Caller,
        client_id: Path<Uuid>,
    ) -> Result<Answer<BackupSummary>, Failure> {
        let tx = app.read(caller, Permission::DevicesView).await?;
        let (sources, _) = sources(&tx, client_id.0).await?;
        let entities: Vec<EntityId> = sources.entities_for(&app, "backup").into_iter().map(|one| one.id).collect();
        let freshness = sources.of(&app, "backup");
        let mut view = BackupSummary { healthy: 0, at_risk: 0, failed: 0, unknown: 0, freshness };
        for record in tx.records_under(&entities, "backup").await? {
            let backup: integration::Backup = body(&record)?;
            *match backup.state {
                Some(BackupState::Healthy) => &mut view.healthy,
                Some(BackupState::AtRisk) => &mut view.at_risk,
                Some(BackupState::Failed) => &mut view.failed,
                None => &mut view.unknown,
            } += 1;
        }
        Ok(Answer::new(view))
    }
}
