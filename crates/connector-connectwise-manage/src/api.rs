//! The vendor's manners: its keys, where its API stands, its errors.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use integration::{
    CredentialsForm, Error, Http, Kind, Method, Request, Response, Result, Retry, Secret, Transport, Vendor,
};
use serde_json::{Value, json, value::RawValue};
use tokio::sync::Mutex;
use url::Url;

use crate::{ConnectwiseManage, Credentials, lists::record, wire};

/// The vendor's name in messages.
pub(crate) const NAME: &str = ConnectwiseManage::NAME;

/// Where the API stands when the server does not say.
const USUAL_CODEBASE: &str = "v4_6_release";

/// The clouds' hosts for people; the API answers at the same name with `api-` before it.
const HOSTS: [&str; 6] = [
    "na.myconnectwise.net",
    "eu.myconnectwise.net",
    "au.myconnectwise.net",
    "aus.myconnectwise.net",
    "za.myconnectwise.net",
    "staging.connectwisedev.com",
];

/// How to reach one account.
pub(crate) struct Api {
    pub(crate) http: Http,
    pub(crate) site: Url,
    pub(crate) company: String,
    authorization: Secret,
    client_id: String,
    accept: String,
    /// Part of every path; upgrades of the cloud change it.
    codebase: Mutex<Option<String>>,
}

impl Api {
    pub(crate) fn new(credentials: Credentials, transport: Arc<dyn Transport>) -> Self {
        let Credentials { company_id, public_key, private_key, .. } = &credentials;
        let key = STANDARD.encode(format!("{company_id}+{public_key}:{}", private_key.expose()));
        let secrets = credentials.secrets().into_iter().chain([Secret::new(key.clone())]);
        let http = Http::new(NAME, transport, secrets);
        let accept = match credentials.api_version {
            Some(version) => format!("application/vnd.connectwise.com+json; version={version}"),
            None => "application/json".to_owned(),
        };
        Self {
            http,
            site: api_site(credentials.site),
            company: credentials.company_id,
            authorization: Secret::new(format!("Basic {key}")),
            client_id: credentials.client_id,
            accept,
            codebase: Mutex::new(None),
        }
    }

    /// Whether anything at all can be read there.
    pub(crate) async fn first(&self, path: &[&str]) -> Result<()> {
        let response =
            self.call(Method::Get, path, |request| request.query("pageSize", 1).query("fields", "id")).await?;
        response.json::<Vec<Box<RawValue>>>(NAME).map(drop)
    }

    /// One record as it is now, cut to `fields`.
    pub(crate) async fn one(&self, path: &[&str], fields: &str) -> Result<Bytes> {
        let response = self.call(Method::Get, path, |request| request.query("fields", fields)).await?;
        record(&response, fields)
    }

    /// Makes a record.
    pub(crate) async fn post(&self, path: &[&str], body: &Value, fields: &str) -> Result<Bytes> {
        let response = self.call(Method::Post, path, |request| request.json(body.clone())).await?;
        record(&response, fields).map_err(done)
    }

    /// Changes the named fields of a record, and no other.
    pub(crate) async fn patch(&self, path: &[&str], changes: &[(&str, Value)], fields: &str) -> Result<Bytes> {
        let replace = |(path, value): &(&str, Value)| json!({ "op": "replace", "path": path, "value": value });
        let body: Value = changes.iter().map(replace).collect();
        let response = self.call(Method::Patch, path, |request| request.json(body.clone())).await?;
        record(&response, fields).map_err(done)
    }

    /// Sends; only a success comes back. `finish` is called twice when the API has moved.
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &[&str],
        finish: impl Fn(Request) -> Request + Send,
    ) -> Result<Response> {
        let codebase = self.codebase().await?;
        let mut response = self.http.send(finish(self.request(method, &codebase, path))).await?;
        // Nothing was done there, so that even a write may be sent to the new place.
        if response.status == 404
            && !wire::knows_not(&response)
            && let Some(moved) = self.moved(&codebase).await
        {
            response = self.http.send(finish(self.request(method, &moved, path))).await?;
        }
        if response.is_success() { Ok(response) } else { Err(self.failure(&response, method)) }
    }

    fn request(&self, method: Method, codebase: &str, path: &[&str]) -> Request {
        let url = below(&self.site, codebase.split('/').chain(["apis", "3.0"]).chain(path.iter().copied()));
        Request::new(method, url)
            .header("accept", &self.accept)
            .header("authorization", self.authorization.expose())
            .header("clientid", &self.client_id)
    }

    async fn codebase(&self) -> Result<String> {
        let mut held = self.codebase.lock().await;
        if held.is_none() {
            *held = Some(self.discover().await?.unwrap_or_else(|| USUAL_CODEBASE.to_owned()));
        }
        Ok(held.clone().unwrap_or_default())
    }

    /// The new place of the API, if it has one.
    async fn moved(&self, from: &str) -> Option<String> {
        let mut held = self.codebase.lock().await;
        let now = match held.as_deref() {
            Some(other) if other != from => return Some(other.to_owned()),
            _ => self.discover().await.ok()??,
        };
        *held = Some(now.clone());
        (now != from).then_some(now)
    }

    /// Asks the server where its API stands; `None` where it does not say. Needs no keys.
    async fn discover(&self) -> Result<Option<String>> {
        let url = below(&self.site, ["login", "companyinfo", &self.company]);
        let response = self.http.send(Request::get(url).header("accept", "application/json")).await?;
        match response.status {
            200..=299 => {}
            408 | 429 | 500.. => return Err(self.failure(&response, Method::Get)),
            _ => return Ok(None),
        }
        let Some(info) = response.json::<Option<wire::CompanyInfo>>(NAME)? else {
            return Err(Error::new(Kind::Credentials, format!("{NAME} does not know this Company ID at this site")));
        };
        Ok(info.codebase.map(|text| text.trim_matches('/').to_owned()).filter(|text| !text.is_empty()))
    }

    /// The one place where the vendor's error bodies are read.
    pub(crate) fn failure(&self, response: &Response, method: Method) -> Error {
        let words = response.json_bytes(NAME).map(wire::words).unwrap_or_default();
        self.http.failure(response, |mut error| {
            if error.kind == Kind::Credentials {
                error.message = format!("{NAME} does not accept company ID, keys or client ID: check all of them");
            }
            // Whether a write was done is not known: somebody has to look before it is sent again.
            if method != Method::Get && error.kind == Kind::Unavailable {
                error.retry = Retry::No;
            }
            error.vendor_says(words)
        })
    }
}

/// The error of a write that was done, whatever its answer looks like: not to be sent again.
fn done(error: Error) -> Error {
    error.retry(Retry::No)
}

/// The id as a number, as references want it. Whatever is no number is nobody's id.
pub(crate) fn number(id: &str) -> Result<i64> {
    id.trim().parse().map_err(|_| Error::new(Kind::NotFound, format!("{NAME} does not know this record: no such id")))
}

fn api_site(mut site: Url) -> Url {
    if let Some(host) = site.host_str().map(str::to_owned).filter(|host| HOSTS.contains(&host.as_str())) {
        // What people copy from the address bar has a path of the web client. A known host stays valid.
        site.set_path("/");
        let _ = site.set_host(Some(&format!("api-{host}")));
    }
    site
}

fn below<'a>(base: &Url, path: impl IntoIterator<Item = &'a str>) -> Url {
    let mut url = base.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(path);
    }
    url
}
