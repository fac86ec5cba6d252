//! The vendor's manners: one address, a token and a subdomain in headers, GraphQL over POST.

use std::sync::Arc;

use bytes::Bytes;
use integration::{CredentialsForm, Error, Http, Kind, Request, Result, Retry, Secret, Transport, Vendor};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use url::Url;

use crate::{Credentials, Region, Superops, errors};

/// The vendor's name in messages.
pub(crate) const NAME: &str = Superops::NAME;

/// One field of the schema's root, with what is wanted of it.
pub(crate) struct Operation {
    /// Its name.
    pub name: &'static str,
    /// Type of its input; empty where it takes none.
    pub input: &'static str,
    /// What is selected; empty where it answers a scalar.
    pub select: &'static str,
}

/// How to reach one account.
pub(crate) struct Api {
    pub(crate) http: Http,
    url: Url,
    subdomain: String,
    token: Secret,
}

impl Api {
    pub(crate) fn new(credentials: Credentials, transport: Arc<dyn Transport>) -> Self {
        let http = Http::new(NAME, transport, credentials.secrets());
        let host = match credentials.region {
            Region::Us => "https://api.superops.ai",
            Region::Eu => "https://euapi.superops.ai",
        };
        let mut url =
            credentials.api_url.unwrap_or_else(|| Url::parse(host).expect("both constants are absolute addresses"));
        if !url.path().trim_end_matches('/').ends_with("/msp")
            && let Ok(mut segments) = url.path_segments_mut()
        {
            segments.pop_if_empty().push("msp");
        }
        Self { http, url, subdomain: credentials.subdomain, token: credentials.api_token }
    }

    /// Asks; may be repeated.
    pub(crate) async fn query(&self, operation: &Operation, input: Value) -> Result<Bytes> {
        let document = document("query", operation.name, operation.input, operation.select);
        self.send(operation.name, document, input, true).await
    }

    /// Like [`Self::query`], for one record: what is not there is [`Kind::NotFound`].
    pub(crate) async fn fetch(&self, operation: &Operation, input: Value) -> Result<Bytes> {
        let found = self.query(operation, input).await?;
        if found.as_ref() == b"null" {
            return Err(Error::new(Kind::NotFound, format!("{NAME} does not know this record")));
        }
        Ok(found)
    }

    /// Changes something; is never repeated.
    pub(crate) async fn mutate(&self, operation: &Operation, input: Value) -> Result<Bytes> {
        let document = document("mutation", operation.name, operation.input, operation.select);
        self.send(operation.name, document, input, false).await
    }

    /// Asks for a bare list.
    pub(crate) async fn lookup<T: DeserializeOwned>(&self, operation: &Operation) -> Result<Vec<T>> {
        let found = self.query(operation, Value::Null).await?;
        serde_json::from_slice(&found).map_err(unreadable)
    }

    /// Sends one operation, and answers with what the vendor says of its root field.
    pub(crate) async fn send(&self, name: &str, query: String, input: Value, idempotent: bool) -> Result<Bytes> {
        let variables = if input.is_null() { json!({}) } else { json!({ "input": input }) };
        let mut request = Request::post(self.url.clone())
            .header("accept", "application/json")
            .header("CustomerSubDomain", self.subdomain.as_str())
            .bearer(&self.token)
            .json(json!({ "query": query, "variables": variables }));
        request.idempotent = idempotent;
        let response = self.http.send(request).await?;
        errors::answer(&self.http, &response, name)
    }
}

/// The operation as text: one root field, its input as a variable.
pub(crate) fn document(keyword: &str, name: &str, input: &str, select: &str) -> String {
    let select = if select.is_empty() { String::new() } else { format!(" {{ {select} }}") };
    if input.is_empty() {
        format!("{keyword} {name} {{ {name}{select} }}")
    } else {
        format!("{keyword} {name}($input: {input}) {{ {name}(input: $input){select} }}")
    }
}

pub(crate) fn unreadable(why: serde_json::Error) -> Error {
    let error = Error::unreadable(NAME, &why);
    if why.is_eof() { error.retry(Retry::Yes) } else { error }
}
