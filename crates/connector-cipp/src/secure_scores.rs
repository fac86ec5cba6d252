//! The newest secure score of a tenant, from CIPP's nightly copy.

use async_trait::async_trait;
use integration::{Item, Page, Position, Pull, Reach, Result, SecureScore};
use serde::Deserialize;

use crate::{
    Cipp, Guid,
    api::whole,
    wire::{self, said},
};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Wire {
    #[serde(default, deserialize_with = "wire::text")]
    tenant: Option<String>,
    #[serde(default, deserialize_with = "wire::text")]
    tenant_id: Option<String>,
    #[serde(deserialize_with = "wire::number")]
    current_score: f64,
    /// 0 where CIPP does not know it: then the score says nothing.
    #[serde(deserialize_with = "wire::number")]
    max_score: f64,
    #[serde(default, deserialize_with = "wire::text")]
    captured_at: Option<String>,
}

fn score(raw: &[u8]) -> Result<Wire, String> {
    wire::read(raw, "a secure score")
}

#[async_trait]
impl Pull<SecureScore> for Cipp {
    fn reach(&self) -> Reach {
        Reach::Entity
    }

    async fn page(&self, at: Position<'_>) -> Result<Page> {
        let mut rows = self.api.of_tenant("ListSecureScoreReport", at, |raw| score(raw).is_ok()).await?;
        rows.retain(|raw| score(raw).map_or(true, |score| score.max_score > 0.0));
        Ok(whole(rows))
    }

    /// One record for each tenant, which moves with the days.
    fn read(&self, raw: &[u8]) -> Result<Item<SecureScore>, String> {
        let wire = score(raw)?;
        let guid = wire.tenant_id.as_deref().and_then(Guid::read).map(|id| id.to_string());
        let id = guid.or_else(|| said(wire.tenant)).ok_or("not a secure score: it names no tenant")?;
        let record = SecureScore {
            current: wire.current_score,
            max: wire.max_score,
            day: wire::instant(wire.captured_at.as_deref()).map(|at| at.date_naive()),
            average: None,
        };
        Ok(Item { id, entity: None, record })
    }
}
