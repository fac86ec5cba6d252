//! The newest secure score of a tenant. Microsoft keeps one row for each of 90 days; only one is asked
//! for, and the link to older ones is not followed.

use async_trait::async_trait;
use integration::{Item, Page, Position, Pull, Reach, Result, SecureScore};
use serde::Deserialize;

use crate::{Microsoft365, api::Source, wire};

const NEWEST: Source = Source { path: "security/secureScores", query: "$top=1", right: "SecurityEvents.Read.All" };

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    azure_tenant_id: String,
    created_date_time: Option<String>,
    current_score: f64,
    max_score: f64,
    average_comparative_scores: Option<Vec<Average>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Average {
    basis: Option<String>,
    average_score: Option<f64>,
}

#[async_trait]
impl Pull<SecureScore> for Microsoft365 {
    fn reach(&self) -> Reach {
        Reach::Entity
    }

    async fn page(&self, at: Position<'_>) -> Result<Page> {
        Ok(Page { next: None, ..self.api.page(&NEWEST, at).await? })
    }

    /// The row's own id changes every day; the tenant's makes one record of it that moves.
    fn read(&self, raw: &[u8]) -> Result<Item<SecureScore>, String> {
        let wire: Wire = wire::read(raw, "a secure score")?;
        let everyone = wire.average_comparative_scores.unwrap_or_default();
        let record = SecureScore {
            current: wire.current_score,
            max: wire.max_score,
            day: wire::instant(wire.created_date_time.as_deref()).map(|at| at.date_naive()),
            average: everyone
                .into_iter()
                .find(|one| one.basis.as_deref() == Some("AllTenants"))
                .and_then(|one| one.average_score),
        };
        Ok(Item { id: wire.azure_tenant_id.to_lowercase(), entity: None, record })
    }
}
