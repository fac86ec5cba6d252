//! DNS domains of a tenant, with what CIPP's nightly analysis found of their mail records.

use std::collections::HashMap;

use async_trait::async_trait;
use bytes::Bytes;
use integration::{Domain, Item, Page, Position, Pull, Reach, Result};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    Cipp,
    api::whole,
    wire::{self, said},
};

/// Where the analysis is put into a domain's row.
const HEALTH: &str = "health";

/// The case of the flags depends on CIPP's version.
#[derive(Deserialize)]
struct Wire {
    id: String,
    #[serde(default, rename = "isDefault", alias = "isdefault", deserialize_with = "wire::flag")]
    default: Option<bool>,
    #[serde(default, rename = "isInitial", alias = "isinitial", deserialize_with = "wire::flag")]
    initial: Option<bool>,
    /// Ours: see [`HEALTH`]. Absent before CIPP's first night.
    health: Option<Health>,
}

/// One domain's analysis.
#[derive(Deserialize)]
struct Health {
    #[serde(rename = "Domain")]
    domain: String,
    #[serde(default, rename = "MXPassTest", deserialize_with = "wire::flag")]
    mx: Option<bool>,
    #[serde(default, rename = "SPFPassAll", deserialize_with = "wire::flag")]
    spf: Option<bool>,
    #[serde(default, rename = "DKIMEnabled", deserialize_with = "wire::flag")]
    dkim: Option<bool>,
    #[serde(default, rename = "DMARCPresent", deserialize_with = "wire::flag")]
    dmarc: Option<bool>,
    #[serde(default, rename = "DMARCActionPolicy", deserialize_with = "wire::texts")]
    dmarc_policy: Vec<String>,
    #[serde(default, rename = "DNSSECPresent", deserialize_with = "wire::flag")]
    dnssec: Option<bool>,
    #[serde(default, rename = "ScoreExplanation", deserialize_with = "wire::texts")]
    complaints: Vec<String>,
}

impl Health {
    /// Right is a policy that does something with forged mail; one that only watches is not.
    fn dmarc(&self) -> Option<bool> {
        if self.dmarc == Some(false) {
            return Some(false);
        }
        match self.dmarc_policy.first()?.to_lowercase().as_str() {
            "reject" | "quarantine" => Some(true),
            "none" => Some(false),
            _ => None,
        }
    }
}

fn health(raw: &[u8]) -> Result<Health, String> {
    wire::read(raw, "the analysis of a domain")
}

fn key(domain: &str) -> String {
    domain.trim().to_lowercase()
}

/// A domain's row with its analysis in it. One that cannot be read stays as it is, so that it is counted as
/// rejected.
fn joined(raw: Bytes, found: &HashMap<String, Bytes>) -> Bytes {
    let Ok(mut row) = serde_json::from_slice::<Map<String, Value>>(&raw) else { return raw };
    let of_it = row.get("id").and_then(Value::as_str).and_then(|id| found.get(&key(id)));
    let Some(Ok(health)) = of_it.map(|health| serde_json::from_slice(health)) else { return raw };
    row.insert(HEALTH.to_owned(), health);
    Value::Object(row).to_string().into()
}

#[async_trait]
impl Pull<Domain> for Cipp {
    fn reach(&self) -> Reach {
        Reach::Entity
    }

    async fn page(&self, at: Position<'_>) -> Result<Page> {
        let reads = |raw: &[u8]| Pull::<Domain>::read(self, raw).is_ok();
        let rows = self.api.of_tenant("ListDomains", at, reads).await?;
        if rows.is_empty() {
            return Ok(whole(rows));
        }
        let analyses = self.api.of_tenant("ListDomainAnalyser", at, |raw| health(raw).is_ok()).await?;
        let found = analyses.into_iter().filter_map(|raw| Some((key(&health(&raw).ok()?.domain), raw))).collect();
        Ok(whole(rows.into_iter().map(|raw| joined(raw, &found)).collect()))
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Domain>, String> {
        let wire: Wire = wire::read(raw, "a domain")?;
        let name = key(&wire.id);
        let mut record =
            Domain { name: name.clone(), default: wire.default, initial: wire.initial, ..Domain::default() };
        if let Some(health) = wire.health {
            (record.mx, record.spf, record.dkim) = (health.mx, health.spf, health.dkim);
            (record.dmarc, record.dnssec) = (health.dmarc(), health.dnssec);
            record.problems = health.complaints.into_iter().filter_map(|words| said(Some(words))).collect();
        }
        Ok(Item { id: name, entity: None, record })
    }
}
