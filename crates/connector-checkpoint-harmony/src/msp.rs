//! The MSP's own API of Email & Collaboration. Each request is signed; the token beside the signature comes
//! as plain text, and nobody says how long it lives.

use base64::{Engine, engine::general_purpose::STANDARD};
use integration::{Error, Kind, Request, Response, Result, oauth::Token};
use serde_json::json;
use sha2::{Digest, Sha256};
use url::Url;

use crate::{
    api::{Api, NAME, Product, below, token},
    email::Listing,
    keys::Key,
};

/// A token is asked for anew after this long at the latest.
const LIFE: i64 = 3_600;
/// Where tokens are given: the one request whose address is not signed.
const LOGIN: &str = "auth";

impl Api {
    /// A page of the MSP's tenants.
    pub(crate) async fn msp_tenants(&self, scroll: Option<&str>) -> Result<Listing> {
        let (key, base) = self.msp_key()?;
        let mut request = Request::get(below(base, &["v1.0", "msp", "tenants"]));
        if let Some(scroll) = scroll {
            // The vendor's own way, unusual as it is for a GET.
            request = request.json(json!({ "requestData": { "scrollId": scroll } }));
        }
        let response = self.msp_send(key, base, request).await?;
        let listing = self.listing(Product::Msp, &response)?;
        // Without a place to go on from, what is missing would pass for gone.
        if scroll.is_none() && listing.scroll.is_none() && listing.total > Some(listing.records.len() as u64) {
            return Err(Error::unreadable(NAME, "fewer tenants than it counts, and no next page"));
        }
        Ok(listing)
    }

    fn msp_key(&self) -> Result<(&Key, &Url)> {
        let given = self.keys.msp.as_ref().zip(self.keys.msp_base.as_ref());
        given.ok_or_else(|| Error::new(Kind::Credentials, format!("{NAME}: enter the MSP key and its address")))
    }

    /// Sends with the token; a 401 gets one new token and one more try.
    async fn msp_send(&self, key: &Key, base: &Url, request: Request) -> Result<Response> {
        let account = Product::Msp.name();
        let mut again = false;
        loop {
            let token = self.tokens.token(&self.http, account, || self.msp_token(key, base)).await?;
            let response = self.http.send(self.signed(request.clone(), key, Some(&token))).await?;
            if response.status != 401 || again {
                return self.done(Product::Msp, response);
            }
            self.tokens.forget(account, &token).await;
            again = true;
        }
    }

    async fn msp_token(&self, key: &Key, base: &Url) -> Result<Token> {
        let request = self.signed(Request::get(below(base, &["v1.0", LOGIN])), key, None);
        let response = self.http.send(request).await?;
        if !response.is_success() {
            return Err(self.no_token(Product::Msp, &response));
        }
        let text = std::str::from_utf8(&response.body).unwrap_or_default().trim().trim_matches('"').trim();
        if text.is_empty() || response.is_html() || text.contains(char::is_whitespace) {
            return Err(Error::unreadable(NAME, "no token where the MSP API gives one").retry(integration::Retry::Yes));
        }
        Ok(token(text.to_owned(), &response, LIFE))
    }

    /// The request with the vendor's headers: each has an id, an instant and a signature of its own.
    fn signed(&self, request: Request, key: &Key, token: Option<&Token>) -> Request {
        let id = self.request_id();
        let date = self.http.now().format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
        let mut address = String::new();
        if token.is_some() {
            address.push_str(request.url.path());
            if let Some(query) = request.url.query() {
                address.push('?');
                address.push_str(query);
            }
        }
        let signature = signature(&[&id, &key.id, &date, &address, key.secret.expose()]);
        request
            .header("accept", "application/json")
            .header("content-type", "application/json")
            .header("x-av-req-id", id)
            .header("x-av-app-id", key.id.as_str())
            .header("x-av-date", date)
            .header("x-av-sig", signature)
            .header("x-av-token", token.map_or("", |token| token.access.expose()))
    }
}

/// SHA-256 of the parts in base64, in hex.
fn signature(parts: &[&str]) -> String {
    hex::encode(Sha256::digest(STANDARD.encode(parts.concat())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_the_digest_of_the_base64_of_its_parts() {
        let parts = ["req-1", "US:myapp29", "2026-04-10T00:00:00.000Z", "/v1.0/msp/tenants", "secret"];
        // Made with coreutils: printf %s … | base64 -w0 | sha256sum.
        let expected = "ef9966cede4971bff7c7bb87d051c2758ff1958a51867ec8cb60245f1ad50463";
        assert_eq!(signature(&parts), expected);
    }
}
