//! Which products were given a key, and where each of them is.

use integration::{Error, Kind, Secret};
use url::Url;

use crate::{Credentials, Region};

/// The key of one product.
#[derive(Clone)]
pub(crate) struct Key {
    pub id: String,
    pub secret: Secret,
}

/// The keys, kept apart, and the two addresses to which they are sent.
pub(crate) struct Keys {
    pub msp: Option<Key>,
    pub email: Option<Key>,
    pub endpoint: Option<Key>,
    /// The Infinity Portal's gateway of the region.
    pub gateway: Url,
    /// The MSP API; not known for every region.
    pub msp_base: Option<Url>,
    /// Labels of what is missing beside what was entered.
    missing: Vec<&'static str>,
}

impl Keys {
    pub(crate) fn of(credentials: Credentials) -> Self {
        let mut missing = Vec::new();
        let mut pair = |id: Option<String>, secret: Option<Secret>, labels: [&'static str; 2]| match (id, secret) {
            (Some(id), Some(secret)) => Some(Key { id, secret }),
            (None, None) => None,
            (id, _) => {
                missing.push(labels[usize::from(id.is_some())]);
                None
            }
        };
        let msp = pair(credentials.msp_app_id, credentials.msp_secret, ["MSP application ID", "MSP secret key"]);
        let email =
            pair(credentials.email_client_id, credentials.email_access_key, ["Email client ID", "Email access key"]);
        let endpoint = pair(
            credentials.endpoint_client_id,
            credentials.endpoint_access_key,
            ["Endpoint client ID", "Endpoint access key"],
        );
        let usual = Url::parse(gateway(credentials.region)).expect("the constant is an address");
        // The portal shows the gateway with the path of its login; documents show the API with its version.
        let gateway = credentials.gateway_url.map_or(usual, |url| without(url, "/auth/external"));
        let msp_base = credentials
            .msp_url
            .map(|url| without(url, "/v1.0"))
            .or_else(|| smart_api(credentials.region).and_then(|url| Url::parse(url).ok()));
        if msp.is_some() && msp_base.is_none() {
            missing.push("MSP API address");
        }
        Self { msp, email, endpoint, gateway, msp_base, missing }
    }

    /// What a person has still to enter, if anything.
    pub(crate) fn mistake(&self) -> Option<Error> {
        let message = if !self.missing.is_empty() {
            format!("enter what is missing: {}", self.missing.join(", "))
        } else if self.msp.is_none() && self.email.is_none() && self.endpoint.is_none() {
            "enter the key of at least one product: MSP, Email or Endpoint".into()
        } else {
            return None;
        };
        Some(Error::new(Kind::Credentials, message))
    }
}

fn gateway(region: Region) -> &'static str {
    match region {
        Region::Eu => "https://cloudinfra-gw.portal.checkpoint.com",
        Region::Us => "https://cloudinfra-gw-us.portal.checkpoint.com",
        Region::Au => "https://cloudinfra-gw.ap.portal.checkpoint.com",
        Region::In => "https://cloudinfra-gw.in.portal.checkpoint.com",
        Region::Ae => "https://cloudinfra-gw.ae.portal.checkpoint.com",
        Region::Ca => "https://cloudinfra-gw.ca.portal.checkpoint.com",
    }
}

fn smart_api(region: Region) -> Option<&'static str> {
    match region {
        Region::Eu => Some("https://smart-api-production-1-eu.avanan.net"),
        Region::Us => Some("https://smart-api-production-1-us.avanan.net"),
        Region::Ca => Some("https://smart-api-production-1-ca.avanan.net"),
        Region::Au => Some("https://smart-api-production-5-ap.avanan.net"),
        Region::In | Region::Ae => None,
    }
}

/// An address without an end that people copy with it.
fn without(mut url: Url, end: &str) -> Url {
    let path = url.path().trim_end_matches('/');
    let path = path.strip_suffix(end).unwrap_or(path).to_owned();
    url.set_path(&path);
    url
}
