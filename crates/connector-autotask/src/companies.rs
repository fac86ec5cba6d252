//! Companies: the MSP's customers, leads and vendors alike.

use std::collections::BTreeMap;

use async_trait::async_trait;
use integration::{Entity, Item, Page, Position, PostalAddress, Pull, Result};
use serde_json::json;
use url::{Host, Url};

use crate::{
    Autotask,
    queries::Shape,
    wire::{self, said},
};

pub(crate) const SHAPE: Shape = Shape {
    entity: "Companies",
    fields: &[
        "id",
        "companyName",
        "companyNumber",
        "companyType",
        "phone",
        "webAddress",
        "address1",
        "address2",
        "city",
        "state",
        "postalCode",
        "isActive",
    ],
    picked: &["companyType"],
};

/// Hosts that many companies give as their website: they identify nobody.
const SHARED: [&str; 7] =
    ["facebook.com", "google.com", "instagram.com", "linkedin.com", "linktr.ee", "twitter.com", "x.com"];

#[async_trait]
impl Pull<Entity> for Autotask {
    /// Not company 0, which is the MSP itself.
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        self.api.page(SHAPE, json!([{ "op": "gt", "field": "id", "value": 0 }]), at).await
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Entity>, String> {
        let company: wire::Company = wire::read("company", raw)?;
        let (city, region) = (said(company.city), said(company.state));
        let address = PostalAddress {
            street: PostalAddress::street_of([company.address1, company.address2]),
            city: city.clone(),
            region: region.clone(),
            post_code: said(company.postal_code),
        };
        let place: Vec<String> = [city, region].into_iter().flatten().collect();
        let record = Entity {
            name: said(company.company_name).ok_or("a company without a name")?,
            domains: company.web_address.as_deref().and_then(domain).into_iter().collect(),
            external_ids: said(company.company_number)
                .map(|number| ("account_number".to_owned(), number))
                .into_iter()
                .collect::<BTreeMap<_, _>>(),
            tenant_id: None,
            phone: said(company.phone),
            place: said(Some(place.join(", "))),
            active: company.is_active.map(|flag| flag.0),
            status: company.labels.and_then(|mut labels| said(labels.remove("companyType"))),
            address: address.known(),
        };
        Ok(Item { id: company.id.0, entity: None, record })
    }
}

/// The domain that a website speaks for, written with or without a scheme.
fn domain(website: &str) -> Option<String> {
    let website = website.trim();
    let url =
        Url::parse(website).ok().filter(Url::has_host).or_else(|| Url::parse(&format!("https://{website}")).ok())?;
    let Some(Host::Domain(host)) = url.host() else { return None };
    let host = host.trim_end_matches('.');
    let host = host.strip_prefix("www.").unwrap_or(host);
    let shared =
        SHARED.iter().filter_map(|shared| host.strip_suffix(shared)).any(|rest| rest.is_empty() || rest.ends_with('.'));
    (host.contains('.') && !shared).then(|| host.to_owned())
}
