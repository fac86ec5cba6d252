//! Companies: the MSP's customers, prospects and vendors alike.

use std::collections::BTreeMap;

use async_trait::async_trait;
use integration::{Entity, Item, Page, Position, PostalAddress, Pull, Result};
use url::{Host, Url};

use crate::{
    ConnectwiseManage,
    wire::{self, said},
};

/// What is asked of a company.
pub(crate) const FIELDS: &str = "id,identifier,name,status,addressLine1,addressLine2,city,state,zip,country,phoneNumber,\
    website,accountNumber,deletedFlag,_info";

/// Hosts that many companies give as their website: they identify nobody.
const SHARED: [&str; 7] =
    ["facebook.com", "google.com", "instagram.com", "linkedin.com", "linktr.ee", "twitter.com", "x.com"];

#[async_trait]
impl Pull<Entity> for ConnectwiseManage {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        self.api.page(&["company", "companies"], FIELDS, Some("deletedFlag=false"), at).await
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Entity>, String> {
        let company: wire::Company = wire::read("company", raw)?;
        let id = wire::required("company", company.id)?;
        let status = said(company.status.and_then(|status| status.name));
        let (city, region) = (said(company.city), said(company.state));
        let address = PostalAddress {
            street: PostalAddress::street_of([company.address_line1, company.address_line2]),
            city: city.clone(),
            region: region.clone(),
            post_code: said(company.zip),
        };
        let place = [city, region, said(company.country.and_then(|country| country.name))];
        let place: Vec<String> = place.into_iter().flatten().collect();
        let name = said(company.name).or_else(|| said(company.identifier));
        let record = Entity {
            name: name.ok_or("a company without a name")?,
            domains: company.website.as_deref().and_then(domain).into_iter().collect(),
            external_ids: said(company.account_number)
                .map(|number| ("account_number".to_owned(), number))
                .into_iter()
                .collect::<BTreeMap<_, _>>(),
            tenant_id: None,
            phone: said(company.phone_number),
            place: said(Some(place.join(", "))),
            // Other states are the MSP's own words: what they mean is not known.
            active: match status.as_deref() {
                _ if company.deleted_flag == Some(true) => Some(false),
                Some("Active") => Some(true),
                Some("Inactive") => Some(false),
                _ => None,
            },
            status,
            address: address.known(),
        };
        Ok(Item { id, entity: None, record })
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
