//! A transport that gives every tenant a token and plays the answers of a script, in order.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use connector_microsoft365::{Credentials, Microsoft365};
use integration::{CredentialsForm, Method, Request, Response, Result, Transport, Vendor};
use serde_json::{Map, Value, json};

pub const PARTNER: &str = "00000000-0000-4000-8000-000000000001";
pub const TENANT: &str = "6a0f2a55-2d1f-4f7e-9c1b-1d1f0c7a4e10";
pub const GRAPH: &str = "https://graph.microsoft.com/v1.0";

/// The transport.
#[derive(Default)]
pub struct Answers {
    script: Mutex<VecDeque<Response>>,
    /// What was asked, tokens included.
    pub asked: Mutex<Vec<Request>>,
    tokens: Mutex<u32>,
}

impl Answers {
    /// The next answer to a request that is not for a token.
    pub fn then(self: &Arc<Self>, status: u16, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Arc<Self> {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let response = Response { status, headers, body: body.into().into(), received_at: DateTime::UNIX_EPOCH };
        self.script.lock().expect("no test panicked with it").push_back(response);
        self.clone()
    }

    pub fn json(self: &Arc<Self>, body: &Value) -> Arc<Self> {
        self.then(200, &[("content-type", "application/json")], body.to_string())
    }

    pub fn connector(self: &Arc<Self>) -> Microsoft365 {
        self.connector_with(&[])
    }

    /// With these fields besides the required ones.
    pub fn connector_with(self: &Arc<Self>, more: &[(&str, &str)]) -> Microsoft365 {
        let required = [("tenant_id", PARTNER), ("client_id", PARTNER), ("client_secret", "example-secret-0001")];
        let values: Map<String, Value> =
            required.iter().chain(more).map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        Microsoft365::connect(Credentials::parse(&values).expect("the fields of a connection"), self.clone())
    }

    /// Addresses asked so far.
    pub fn addresses(&self) -> Vec<String> {
        self.asked.lock().expect("no test panicked with it").iter().map(|request| request.url.to_string()).collect()
    }
}

#[async_trait]
impl Transport for Answers {
    async fn send(&self, request: Request) -> Result<Response> {
        let token = request.method == Method::Post && request.url.path().ends_with("/oauth2/v2.0/token");
        self.asked.lock().expect("no test panicked with it").push(request);
        if !token {
            return Ok(self
                .script
                .lock()
                .expect("no test panicked with it")
                .pop_front()
                .expect("one more request than the script has answers"));
        }
        let mut count = self.tokens.lock().expect("no test panicked with it");
        *count += 1;
        let body = json!({ "access_token": format!("token-{count}"), "expires_in": 3599 }).to_string();
        Ok(Response { status: 200, headers: Vec::new(), body: body.into(), received_at: self.now() })
    }

    fn now(&self) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH
    }
}
