//! Tenants whose own administrator lets the app in: found by a domain through Microsoft's public OpenID document, asked
//! at the page for administrators, and read with the app's own token.

use std::collections::BTreeMap;

use async_trait::async_trait;
use bytes::Bytes;
use integration::{Admission, AdmissionAnswer, AdmissionAsk, Error, Kind, Request, Result, Vendor};
use serde::Deserialize;
use serde_json::json;
use url::Url;

use crate::{
    Guid, Microsoft365,
    api::{Source, below},
    wire,
};

const ORGANISATION: Source =
    Source { path: "organization", query: "$select=id,displayName,verifiedDomains", right: "Directory.Read.All" };
/// Longest name of a domain, by DNS.
const LONGEST_DOMAIN: usize = 253;

#[derive(Deserialize)]
struct Discovered {
    issuer: Option<String>,
    token_endpoint: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Organisation {
    display_name: Option<String>,
    verified_domains: Option<Vec<VerifiedDomain>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct VerifiedDomain {
    name: Option<String>,
    is_default: Option<bool>,
}

#[async_trait]
impl Admission for Microsoft365 {
    async fn find(&self, named: &str) -> Result<String> {
        if let Some(tenant) = Guid::read(named) {
            return Ok(tenant.to_string());
        }
        let Some(domain) = domain(named) else {
            return Err(Error::new(
                Kind::Refused,
                "this is neither the ID of a tenant nor the name of a domain, such as contoso.com",
            ));
        };
        let path = format!("{domain}/v2.0/.well-known/openid-configuration");
        let response = self.api.http.send(Request::get(below(&self.api.login, &path, None))).await?;
        // Microsoft says 400 of what it does not know, and 404 of what cannot be a domain.
        if [400, 404].contains(&response.status) {
            return Err(Error::new(Kind::NotFound, format!("Microsoft knows no tenant with the domain {domain}")));
        }
        if !response.is_success() {
            return Err(self.api.http.failure(&response, |error| error));
        }
        let found: Discovered = response.json(Self::NAME)?;
        let of = |address: &Option<String>| {
            let url = Url::parse(address.as_deref()?).ok()?;
            url.path_segments()?.find_map(Guid::read)
        };
        let tenant = of(&found.issuer).or_else(|| of(&found.token_endpoint));
        let tenant = tenant.ok_or_else(|| Error::unreadable(Self::NAME, "its OpenID document names no tenant"))?;
        Ok(tenant.to_string())
    }

    fn page(&self, ask: &AdmissionAsk<'_>) -> Url {
        // Whoever is not the administrator of the tenant meets a page of Microsoft's that says so.
        let tenant = Guid::read(ask.entity).map_or_else(|| "organizations".to_owned(), |tenant| tenant.to_string());
        let mut url = below(&self.api.login, &format!("{tenant}/adminconsent"), None);
        url.query_pairs_mut()
            .append_pair("client_id", &self.api.credentials.client_id.to_string())
            .append_pair("redirect_uri", ask.redirect_uri)
            .append_pair("state", ask.state);
        url
    }

    fn answer(&self, query: &BTreeMap<String, String>) -> Option<AdmissionAnswer> {
        let said = |name: &str| query.get(name).map(|text| text.trim()).filter(|text| !text.is_empty());
        if let Some(error) = said("error") {
            let words = said("error_description").map_or(error.to_owned(), |more| format!("{error}: {more}"));
            return Some(AdmissionAnswer::Declined(words));
        }
        let tenant = said("tenant").and_then(Guid::read)?;
        match said("admin_consent") {
            Some(given) if given.eq_ignore_ascii_case("true") => Some(AdmissionAnswer::Given(tenant.to_string())),
            Some(_) => Some(AdmissionAnswer::Declined("the consent was not given".to_owned())),
            None => None,
        }
    }

    async fn look(&self, entity: &str) -> Result<Bytes> {
        let tenant = Guid::read(entity)
            .ok_or_else(|| Error::new(Kind::NotFound, "this is not the ID of a tenant").at("tenant", entity))?;
        let listed = self.api.list(tenant, &ORGANISATION, None).await?;
        let first = listed.records.first().ok_or_else(|| {
            Error::new(Kind::Forbidden, "the tenant says nothing of itself: give consent as its administrator")
                .at("tenant", tenant)
        })?;
        let organisation: Organisation =
            wire::read(first, "an organisation").map_err(|why| Error::unreadable(Self::NAME, &why))?;
        let domains = organisation.verified_domains.unwrap_or_default();
        let main = domains.iter().find(|domain| domain.is_default == Some(true)).or(domains.first());
        // As the contract of a customer looks, so that the listing reads both.
        let raw = json!({
            "customerId": tenant.to_string(),
            "displayName": wire::text(organisation.display_name),
            "defaultDomainName": main.and_then(|domain| wire::text(domain.name.clone())),
        });
        Ok(Bytes::from(raw.to_string()))
    }
}

/// The name of a domain as it may stand in an address; `None` for what is none.
fn domain(named: &str) -> Option<String> {
    let name = named.trim().trim_end_matches('.').to_lowercase();
    // The parser of addresses writes names of other scripts as DNS has them.
    let host = Url::parse(&format!("https://{name}/")).ok()?;
    let bare = host.path() == "/" && host.port().is_none() && host.username().is_empty();
    let plain = host.host_str().filter(|_| bare && host.query().is_none() && host.fragment().is_none())?;
    let labels: Vec<&str> = plain.split('.').collect();
    let label = |label: &&str| {
        !label.is_empty() && label.len() <= 63 && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let is_name = labels.len() > 1 && plain.len() <= LONGEST_DOMAIN && labels.iter().all(label);
    let is_number = labels.last().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
    (is_name && !is_number).then(|| plain.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_domains_become_part_of_an_address() {
        for (named, expected) in [
            ("contoso.com", "contoso.com"),
            (" Contoso.ONMicrosoft.com. ", "contoso.onmicrosoft.com"),
            ("bücher.example", "xn--bcher-kva.example"),
        ] {
            assert_eq!(domain(named).as_deref(), Some(expected), "{named}");
        }
        let none =
            ["", "contoso", "a..b", "127.0.0.1", "[::1]", "a.b/c", "a.b?c", "user@a.b", "a.b:80", "../x.y", "a b.c"];
        for named in none {
            assert_eq!(domain(named), None, "{named}");
        }
    }
}
