//! The vendor's manners: a key in a header and an envelope around every answer.

use std::sync::Arc;

use bytes::Bytes;
use integration::{
    Checked, CredentialsForm, Error, Http, Method, Request, Result, Retry, Secret, Transport, Vendor, raw_slice,
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, value::RawValue};
use url::Url;

use crate::{Credentials, Gorelo, Region, errors, paging::Pagination};

/// The vendor's name in messages.
pub(crate) const NAME: &str = Gorelo::NAME;

/// How to reach one account.
pub(crate) struct Api {
    http: Http,
    base: Url,
    key: Secret,
}

impl Api {
    pub(crate) fn new(credentials: Credentials, transport: Arc<dyn Transport>) -> Self {
        let http = Http::new(NAME, transport, credentials.secrets());
        let host = match credentials.region {
            Region::Us => "https://api.usw.gorelo.io",
            Region::Au => "https://api.aue.gorelo.io",
        };
        let base =
            credentials.api_url.unwrap_or_else(|| Url::parse(host).expect("both constants are absolute addresses"));
        Self { http, base, key: credentials.api_key }
    }

    /// One client is enough to see that address, key and the right to read are as they should be.
    pub(crate) async fn check(&self) -> Result<Checked> {
        let answer = self.send(self.request(Method::Get, &["clients"]).query("PageSize", 1)).await?;
        answer.pagination()?;
        Ok(Checked::default())
    }

    /// Reads one record, raw.
    pub(crate) async fn get(&self, path: &[&str]) -> Result<Bytes> {
        self.send(self.request(Method::Get, path)).await?.data()
    }

    /// Reads a list that has no pages, raw.
    pub(crate) async fn all(&self, path: &[&str]) -> Result<Vec<Bytes>> {
        self.send(self.request(Method::Get, path)).await?.records()
    }

    /// Reads a list that has no pages.
    pub(crate) async fn lookup<T: DeserializeOwned>(&self, path: &[&str]) -> Result<Vec<T>> {
        serde_json::from_slice(&self.get(path).await?).map_err(unreadable)
    }

    /// Changes something; is never repeated. Answers the vendor's data, raw.
    pub(crate) async fn write(&self, method: Method, path: &[&str], body: Value) -> Result<Bytes> {
        self.send(self.request(method, path).json(body)).await?.data()
    }

    /// Deletes something; is never repeated.
    pub(crate) async fn delete(&self, path: &[&str]) -> Result<()> {
        self.send(self.request(Method::Delete, path)).await.map(drop)
    }

    pub(crate) fn request(&self, method: Method, path: &[&str]) -> Request {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push("v1").extend(path);
        }
        Request::new(method, url).header("accept", "application/json").header("X-API-Key", self.key.expose())
    }

    /// Sends a request; only a success comes back.
    pub(crate) async fn send(&self, request: Request) -> Result<Answer> {
        let response = self.http.send(request).await?;
        if !response.is_success() {
            return Err(errors::of(&self.http, &response));
        }
        let body = response.json_bytes(NAME)?;
        let envelope: Envelope<'_> = serde_json::from_slice(body).map_err(unreadable)?;
        match envelope.is_success {
            Some(true) => {}
            // A refusal may come with a status of success: the envelope knows better.
            Some(false) => return Err(errors::of(&self.http, &response)),
            None => return Err(Error::unreadable(NAME, "an answer without its envelope")),
        }
        let data = envelope.data.map(|data| raw_slice(&response.body, data));
        Ok(Answer { data, pagination: envelope.data_context.and_then(|context| context.pagination) })
    }
}

pub(crate) fn unreadable(why: serde_json::Error) -> Error {
    let error = Error::unreadable(NAME, &why);
    if why.is_eof() { error.retry(Retry::Yes) } else { error }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Envelope<'a> {
    is_success: Option<bool>,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
    data_context: Option<DataContext>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DataContext {
    pagination: Option<Pagination>,
}

/// A success, out of its envelope.
pub(crate) struct Answer {
    data: Option<Bytes>,
    pagination: Option<Pagination>,
}

impl Answer {
    /// The data, raw.
    pub(crate) fn data(self) -> Result<Bytes> {
        self.data.ok_or_else(|| Error::unreadable(NAME, "an answer without data"))
    }

    /// Which page this is, if it is one.
    pub(crate) fn pagination(&self) -> Result<Pagination> {
        let found = self.pagination.as_ref().filter(|pagination| pagination.has_more.is_some());
        let found = found.ok_or_else(|| Error::unreadable(NAME, "a page that does not say whether it is the last"))?;
        Ok(found.clone())
    }

    /// The records of a list, raw.
    pub(crate) fn records(self) -> Result<Vec<Bytes>> {
        let data = self.data()?;
        let rows: Vec<&RawValue> = serde_json::from_slice(&data).map_err(unreadable)?;
        Ok(rows.into_iter().map(|row| raw_slice(&data, row)).collect())
    }
}
