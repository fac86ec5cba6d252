//! Licences: the packages of a tenant and its credits. The vendor tells them with the tenant, so one record of it is
//! several of ours: each goes as the tenant's raw text with a word for the part that is meant.

use async_trait::async_trait;
use bytes::Bytes;
use integration::{Item, Licence, Page, Position, Pull, Result};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{HatzAi, wire};

/// One licence in a tenant.
#[derive(Serialize, Deserialize)]
struct Part<'a> {
    part: What,
    #[serde(borrow)]
    tenant: &'a RawValue,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum What {
    /// The main package, with the tenant's users.
    Package,
    /// A package bought in addition.
    Addition(String),
    /// Credits of the present calendar month.
    Credits,
}

#[async_trait]
impl Pull<Licence> for HatzAi {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        let mut page = self.api.page(&["tenants"], at.cursor).await?;
        page.records = page.records.iter().flat_map(parts).collect();
        Ok(page)
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Licence>, String> {
        let Part { part, tenant } = wire::read(raw, "a licence")?;
        let tenant: wire::Tenant = wire::read(tenant.get().as_bytes(), "a tenant")?;
        let entity = tenant.id.0.ok_or("a tenant without an id")?;
        let record = Licence { status: tenant.status.0, ..Licence::default() };
        let (id, record) = match part {
            What::Package => {
                let name = tenant.primary_package_name.0.unwrap_or_else(|| "Users".to_owned());
                // A package has no number of seats that the vendor tells.
                (format!("{entity}/package"), Licence { name, used: tenant.user_count.0, ..record })
            }
            What::Addition(name) => (format!("{entity}/addition/{name}"), Licence { name, ..record }),
            What::Credits => {
                // Whole credits: one that is begun is used, one that is not whole is not owned.
                let used = tenant.total_credits_used.0.and_then(|credits| whole(credits.ceil()));
                let total = tenant.total_credit_limit.0.and_then(|credits| whole(credits.floor()));
                (format!("{entity}/credits"), Licence { name: "AI credits".to_owned(), used, total, ..record })
            }
        };
        Ok(Item { id, entity: Some(entity), record })
    }
}

fn whole(number: rust_decimal::Decimal) -> Option<i64> {
    i64::try_from(number).ok()
}

/// A tenant as one raw record for each of its licences.
fn parts(raw: &Bytes) -> Vec<Bytes> {
    let Ok(tenant) = serde_json::from_slice::<&RawValue>(raw) else { return vec![raw.clone()] };
    // Of one that cannot be read one part goes on, so that it is counted as rejected.
    let Ok(read) = wire::read::<wire::Tenant>(raw, "a tenant") else { return text(What::Package, tenant) };
    let mut additions = read.additional_package_names.0.unwrap_or_default();
    additions.sort_unstable();
    additions.dedup();
    let additions = additions.into_iter().map(What::Addition);
    let all = [What::Package, What::Credits].into_iter().chain(additions);
    all.flat_map(|part| text(part, tenant)).collect()
}

fn text(part: What, tenant: &RawValue) -> Vec<Bytes> {
    serde_json::to_vec(&Part { part, tenant }).map(Bytes::from).into_iter().collect()
}
