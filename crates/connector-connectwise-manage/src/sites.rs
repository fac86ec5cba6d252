//! Sites: the places of a company.

use async_trait::async_trait;
use integration::{Item, Location, Page, Position, Pull, Reach, Result};

use crate::{
    ConnectwiseManage,
    api::number,
    wire::{self, said},
};

const FIELDS: &str =
    "id,name,addressLine1,addressLine2,city,stateReference,zip,country,phoneNumber,primaryAddressFlag,_info";

#[async_trait]
impl Pull<Location> for ConnectwiseManage {
    fn reach(&self) -> Reach {
        Reach::Entity
    }

    async fn page(&self, at: Position<'_>) -> Result<Page> {
        let company = number(at.entity.unwrap_or_default())?.to_string();
        let in_use = Some("inactiveFlag=false");
        self.api.page(&["company", "companies", &company, "sites"], FIELDS, in_use, at).await
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Location>, String> {
        let site: wire::Site = wire::read("site", raw)?;
        let id = wire::required("site", site.id)?;
        let parts = [
            said(site.address_line1),
            said(site.address_line2),
            said(site.city),
            said(site.state_reference.and_then(|state| state.name.or(state.identifier))),
            said(site.zip),
            said(site.country.and_then(|country| country.name)),
        ];
        let address: Vec<String> = parts.into_iter().flatten().collect();
        let record = Location {
            name: said(site.name).unwrap_or_else(|| format!("Site {id}")),
            address: said(Some(address.join(", "))),
            description: said(site.phone_number),
        };
        Ok(Item { id, entity: None, record })
    }
}
