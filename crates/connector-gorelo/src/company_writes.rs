//! Clients made and changed. A new one comes with its first location; afterwards Gorelo's API changes
//! name and status only.

use async_trait::async_trait;
use bytes::Bytes;
use integration::{CompanyDraft, Error, Kind, Method, Result, WriteCompanies};
use serde_json::{Map, Value, json};
use url::{Host, Url};

use crate::{
    Gorelo,
    clients::{ACTIVE, INACTIVE},
};

#[async_trait]
impl WriteCompanies for Gorelo {
    async fn create(&self, draft: &CompanyDraft) -> Result<Bytes> {
        let name = draft.name.as_deref().ok_or_else(|| refused("a new client needs a name"))?;
        if draft.active == Some(false) {
            return Err(refused("Gorelo makes clients in use: set it out of use afterwards"));
        }
        let texts = [
            ("Name", Some(draft.city.as_deref().unwrap_or(name))),
            ("Address1", draft.street.as_deref()),
            ("City", draft.city.as_deref()),
            ("State", draft.region.as_deref()),
            ("PostalCode", draft.post_code.as_deref()),
            ("Country", draft.country.as_deref()),
        ];
        let mut location: Map<String, Value> =
            texts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), json!(text?)))).collect();
        self.put_phone(&mut location, "Phone", draft.phone.as_deref());
        let mut client = json!({ "Name": name, "Location": location });
        if let Some(domain) = draft.website.as_deref().and_then(domain) {
            client["Domain"] = json!(domain);
        }
        self.api.write(Method::Post, &["clients"], client).await
    }

    async fn update(&self, entity_id: &str, draft: &CompanyDraft) -> Result<Bytes> {
        let mut client = Map::new();
        if let Some(name) = &draft.name {
            client.insert("Name".to_owned(), json!(name));
        }
        if let Some(active) = draft.active {
            client.insert("StatusId".to_owned(), json!(if active { ACTIVE } else { INACTIVE }));
        }
        if client.is_empty() {
            return Err(refused("Gorelo's API changes a client's name and status only: change the rest at Gorelo"));
        }
        self.api.write(Method::Patch, &["clients", entity_id], Value::Object(client)).await
    }

    async fn fetch(&self, entity_id: &str) -> Result<Bytes> {
        self.api.get(&["clients", entity_id]).await
    }
}

impl Gorelo {
    /// Puts a telephone number with its country, as Gorelo wants both.
    pub(crate) fn put_phone(&self, into: &mut Map<String, Value>, field: &str, number: Option<&str>) {
        let Some(number) = number else { return };
        into.insert(field.to_owned(), json!(number));
        if let Some(country) = &self.phone_country {
            into.insert(format!("{field}CountryCode"), json!(country.0));
        }
    }
}

/// The domain that a website speaks for, written with or without a scheme.
fn domain(website: &str) -> Option<String> {
    let website = website.trim();
    let url = Url::parse(website).ok().filter(Url::has_host).or_else(|| Url::parse(&format!("https://{website}")).ok());
    let url = url?;
    let Some(Host::Domain(host)) = url.host() else { return None };
    Some(host.strip_prefix("www.").unwrap_or(host).to_owned()).filter(|host| host.contains('.'))
}

pub(crate) fn refused(message: &str) -> Error {
    Error::new(Kind::Refused, message)
}

/// An id of Gorelo's as a request's body has it: a number.
pub(crate) fn number(id: &str) -> Result<i64> {
    id.parse().map_err(|_| refused("Gorelo names this by a number"))
}
