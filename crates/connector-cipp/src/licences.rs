//! Licences of a tenant.

use async_trait::async_trait;
use integration::{Item, Licence, Page, Position, Pull, Reach, Result};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    Cipp,
    api::whole,
    wire::{self, said},
};

/// Microsoft's ids of products that anyone may take without paying, in practically endless numbers. CIPP
/// gives no part number by which to know them.
const FREE: [&str; 8] = [
    "f30db892-07e9-47e9-837c-80727f46fd3d", // Power Automate Free
    "a403ebcc-fae0-4ca2-8c8c-7a907fd6c235", // Fabric (Free)
    "dcb1a3ae-b33f-4487-846a-a640262fadf4", // Power Apps Trial
    "5b631642-bd26-49fe-bd20-1daaa972ef80", // Power Apps for Developer
    "710779e8-3d4a-4c88-adb9-386c958d1fdf", // Teams Exploratory
    "606b54a9-78d8-4298-ad8b-df6ef4481c80", // Copilot Studio Trial
    "8c4ce438-32a7-4ac5-91a6-e22ae08d9c8b", // Rights Management Adhoc
    "6470687e-a428-4b7a-bef2-8a291ad947c9", // Windows Store for Business
];

/// Nobody buys this many: a free product that the table does not know.
const ENDLESS: i64 = 1_000_000;

#[derive(Deserialize)]
struct Wire {
    /// Without one it is no licence: CIPP says in such a row that it is still loading.
    #[serde(rename = "skuId")]
    sku_id: String,
    #[serde(default, rename = "License", deserialize_with = "wire::text")]
    name: Option<String>,
    /// The name again, whatever it is called.
    #[serde(default, rename = "skuPartNumber", deserialize_with = "wire::text")]
    part_number: Option<String>,
    #[serde(default, rename = "CountUsed", deserialize_with = "wire::count")]
    used: Option<i64>,
    #[serde(default, rename = "TotalLicenses", deserialize_with = "wire::count")]
    total: Option<i64>,
    /// An array, one of them by itself, or either as a text of JSON.
    #[serde(default, rename = "TermInfo")]
    terms: Value,
}

/// The state of the terms, if they agree.
fn status(terms: Value) -> Option<String> {
    let terms = match terms {
        Value::String(text) => serde_json::from_str(&text).unwrap_or_default(),
        other => other,
    };
    let terms = if let Value::Array(terms) = terms { terms } else { vec![terms] };
    let mut states = terms.iter().filter_map(|term| said(term["Status"].as_str().map(str::to_owned)));
    let first = states.next()?;
    states.all(|state| state == first).then_some(first)
}

#[async_trait]
impl Pull<Licence> for Cipp {
    fn reach(&self) -> Reach {
        Reach::Entity
    }

    async fn page(&self, at: Position<'_>) -> Result<Page> {
        let reads = |raw: &[u8]| Pull::<Licence>::read(self, raw).is_ok();
        self.api.of_tenant("ListLicenses", at, reads).await.map(whole)
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Licence>, String> {
        let wire: Wire = wire::read(raw, "a licence")?;
        let part_number = wire.part_number.unwrap_or_default();
        let name = wire.name.or_else(|| said(Some(part_number.clone()))).unwrap_or_else(|| wire.sku_id.clone());
        let free = FREE.iter().any(|id| id.eq_ignore_ascii_case(&wire.sku_id));
        let record = Licence {
            name,
            part_number,
            sku_id: wire.sku_id.clone(),
            total: wire.total,
            used: wire.used,
            status: status(wire.terms),
            unlimited: free || wire.total.is_some_and(|total| total >= ENDLESS),
        };
        Ok(Item { id: wire.sku_id, entity: None, record })
    }
}
