//! Clients: the MSP's customers.
//!
//! Telephone and address of a client are those of its main site, which is another record: making a client
//! sends them along, changing one changes the site.

use async_trait::async_trait;
use bytes::Bytes;
use integration::{
    CompanyDraft, Entity, Error, Item, Kind, Page, Position, PostalAddress, Pull, Result, Retry, Vendor, WriteCompanies,
};
use serde_json::{Map, Value, json};
use url::{Host, Url};

use crate::{Halopsa, api::number, wire};

const NAME_NEEDED: &str = "HaloPSA wants a name for a new client";

#[async_trait]
impl Pull<Entity> for Halopsa {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        let all = [("includeactive", "true"), ("includeinactive", "true")];
        self.api.list("Client", "clients", &all, at.cursor).await
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Entity>, String> {
        let client: wire::Client = wire::read("a client", raw)?;
        let held = [
            ("ninjaone", client.ninjarmmid),
            ("connectwise-manage", client.connectwiseid),
            ("autotask", client.autotaskid),
            ("syncro", client.syncroid),
            ("datto-rmm", client.datto_id),
            ("xero", client.xeroid),
        ];
        let mut domains: Vec<String> = Vec::new();
        for domain in [&client.domain, &client.website].into_iter().flatten().filter_map(|text| domain(text)) {
            if !domains.contains(&domain) {
                domains.push(domain);
            }
        }
        let record = Entity {
            name: client.name.unwrap_or_else(|| format!("Client {}", client.id)),
            domains,
            external_ids: held.into_iter().filter_map(|(system, id)| Some((system.to_owned(), id?))).collect(),
            tenant_id: None,
            phone: client.main_phonenumber,
            place: client.main_delivery_address.as_ref().and_then(one_line),
            active: client.inactive.map(|inactive| !inactive),
            status: None,
            address: client.main_delivery_address.and_then(parts),
        };
        Ok(Item { id: client.id, entity: None, record })
    }
}

#[async_trait]
impl WriteCompanies for Halopsa {
    async fn create(&self, draft: &CompanyDraft) -> Result<Bytes> {
        let name = draft.name.as_deref().map(str::trim).filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| Error::new(Kind::Refused, NAME_NEEDED))?;
        let mut client = Map::from_iter([("name".to_owned(), name.into())]);
        put(&mut client, "toplevel_id", self.settings.top_level.map(|level| level.0));
        put(&mut client, "website", draft.website.as_deref());
        put(&mut client, "inactive", draft.active.map(|active| !active));
        put(&mut client, "newclient_phonenumber", draft.phone.as_deref());
        put(&mut client, "newclient_countrycode", draft.country.as_deref());
        put(&mut client, "newclient_delivery_address", address(draft, wire::Address::default()));
        self.client_answered(self.api.write("Client", client.into()).await?)
    }

    async fn update(&self, entity_id: &str, draft: &CompanyDraft) -> Result<Bytes> {
        // A change of an id that is not known could make a client.
        let before = self.api.one("Client", entity_id).await?;
        let client = self.client(&before)?;
        let mut change = Map::new();
        put(&mut change, "name", draft.name.as_deref());
        put(&mut change, "website", draft.website.as_deref());
        put(&mut change, "inactive", draft.active.map(|active| !active));
        let mut after = before;
        if !change.is_empty() {
            change.insert("id".to_owned(), number(entity_id)?.into());
            after = self.client_answered(self.api.write("Client", change.into()).await?)?;
        }
        if draft.phone.is_some() || draft.country.is_some() || wants_address(draft) {
            self.change_site(client.main_site_id, draft).await?;
            after = self.api.one("Client", entity_id).await?;
        }
        Ok(after)
    }

    async fn fetch(&self, entity_id: &str) -> Result<Bytes> {
        self.api.one("Client", entity_id).await
    }

    /// Telephone and address stand only in a client that is asked for alone.
    fn listed_whole(&self) -> bool {
        false
    }
}

impl Halopsa {
    /// A client as the vendor has it now.
    pub(crate) fn client(&self, raw: &[u8]) -> Result<wire::Client> {
        wire::read("a client", raw).map_err(|why| Error::unreadable(Self::NAME, why))
    }

    fn client_answered(&self, raw: Bytes) -> Result<Bytes> {
        self.client(&raw).map_err(|error| error.retry(Retry::No)).map(|_| raw)
    }

    async fn change_site(&self, id: Option<String>, draft: &CompanyDraft) -> Result<()> {
        let Some(id) = id else {
            return Err(Error::new(Kind::Refused, "HaloPSA names no main site of this client, which would hold these"));
        };
        let raw = self.api.one("Site", &id).await?;
        let site: wire::Site = wire::read("a site", &raw).map_err(|why| Error::unreadable(Self::NAME, why))?;
        let mut change = Map::from_iter([("id".to_owned(), number(&id)?.into())]);
        put(&mut change, "phonenumber", draft.phone.as_deref());
        put(&mut change, "country_code", draft.country.as_deref());
        // The lines that are not named are sent as they are: an address is replaced as a whole.
        put(&mut change, "delivery_address", address(draft, site.delivery_address.unwrap_or_default()));
        self.api.write("Site", change.into()).await.map(drop)
    }
}

fn wants_address(draft: &CompanyDraft) -> bool {
    [&draft.street, &draft.city, &draft.region, &draft.post_code].into_iter().any(Option::is_some)
}

/// The address with what the draft says, if it says anything: street, city and region by lines.
fn address(draft: &CompanyDraft, now: wire::Address) -> Option<Value> {
    wants_address(draft).then(|| {
        let mut lines = Map::new();
        put(&mut lines, "line1", draft.street.clone().or(now.line1));
        put(&mut lines, "line2", draft.city.clone().or(now.line2));
        put(&mut lines, "line3", draft.region.clone().or(now.line3));
        // The region stood in both: what is not in the new one is gone.
        put(&mut lines, "line4", draft.region.as_ref().map(|_| String::new()).or(now.line4));
        put(&mut lines, "postcode", draft.post_code.clone().or(now.postcode));
        json!(lines)
    })
}

/// Puts a value in, if there is one.
pub(crate) fn put(record: &mut Map<String, Value>, key: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        record.insert(key.to_owned(), value.into());
    }
}

/// An address by the lines that we write it to; what else there is goes with the region.
fn parts(address: wire::Address) -> Option<PostalAddress> {
    let wire::Address { line1, line2, line3, line4, postcode } = address;
    let region: Vec<String> = [line3, line4].into_iter().flatten().collect();
    let region = (!region.is_empty()).then(|| region.join(", "));
    PostalAddress { street: line1, city: line2, region, post_code: postcode }.known()
}

/// An address on one line.
pub(crate) fn one_line(address: &wire::Address) -> Option<String> {
    let lines = [&address.line1, &address.line2, &address.line3, &address.line4, &address.postcode];
    let lines: Vec<&str> = lines.into_iter().flatten().map(String::as_str).collect();
    (!lines.is_empty()).then(|| lines.join(", "))
}

/// The domain that a website, or a bare domain, speaks for.
fn domain(text: &str) -> Option<String> {
    let url = Url::parse(text).ok().filter(Url::has_host).or_else(|| Url::parse(&format!("https://{text}")).ok())?;
    let Some(Host::Domain(host)) = url.host() else { return None };
    let host = host.trim_end_matches('.');
    let host = host.strip_prefix("www.").unwrap_or(host);
    host.contains('.').then(|| host.to_owned())
}
