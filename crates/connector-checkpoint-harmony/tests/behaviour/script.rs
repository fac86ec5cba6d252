//! A vendor that says what it is told to say, in this order, and keeps what it was asked. Logins succeed.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use connector_checkpoint_harmony::CheckpointHarmony;
use integration::{
    CredentialsForm, Error, Kind, Page, Position, Pull, RecordType, Request, Response, Result, Transport, Vendor,
};
use serde_json::{Map, Value, json};

pub struct Script {
    answers: Mutex<VecDeque<(u16, Value)>>,
    asked: Mutex<Vec<Request>>,
    /// What the login of an MSSP answers.
    mssp: u16,
}

impl Script {
    fn say(&self, path: &str) -> Result<(u16, String)> {
        let login = json!({ "success": true, "data": { "token": "portal-token", "expiresIn": "1800" } });
        if path.ends_with("/v1.0/auth") {
            return Ok((200, " \"msp-token\"\n".to_owned()));
        } else if path.ends_with("/auth/external") {
            return Ok((200, login.to_string()));
        } else if path.ends_with("/session/login/cloud") {
            return Ok((200, String::new()));
        } else if path.ends_with("/mssp/v1/session/login") {
            return Ok((self.mssp, "{}".to_owned()));
        }
        let next = self.answers.lock().unwrap().pop_front();
        let (status, body) = next.ok_or_else(|| Error::new(Kind::Unavailable, "the script is over"))?;
        Ok((status, body.to_string()))
    }

    /// Everything that was asked, but for logins.
    pub fn asked(&self) -> Vec<Request> {
        let asked = self.asked.lock().unwrap();
        let login = |path: &str| path.ends_with("/auth") || path.ends_with("/external") || path.contains("/login");
        asked.iter().filter(|request| !login(request.url.path())).cloned().collect()
    }

    /// Logins, by address.
    pub fn logins(&self) -> Vec<Request> {
        let asked = self.asked.lock().unwrap();
        let login = |path: &str| path.ends_with("/auth") || path.ends_with("/external") || path.contains("/login");
        asked.iter().filter(|request| login(request.url.path())).cloned().collect()
    }
}

#[async_trait]
impl Transport for Script {
    async fn send(&self, request: Request) -> Result<Response> {
        let path = request.url.path().to_owned();
        self.asked.lock().unwrap().push(request);
        let (status, body) = self.say(&path)?;
        let headers = vec![
            ("x-mgmt-api-token".to_owned(), "management-token".to_owned()),
            ("x-mgmt-session-expiry-seconds".to_owned(), "360".to_owned()),
        ];
        Ok(Response { status, headers, body: body.into(), received_at: self.now() })
    }

    fn now(&self) -> DateTime<Utc> {
        vendorkit::a_tuesday()
    }
}

pub fn fields(pairs: &[(&str, &str)]) -> Map<String, Value> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect()
}

pub const MSP: [(&str, &str); 3] = [("region", "us"), ("msp_app_id", "US:app1"), ("msp_secret", "secret-0001")];
pub const EMAIL: [(&str, &str); 3] =
    [("region", "eu"), ("email_client_id", "email-0001"), ("email_access_key", "secret-0002")];
pub const ENDPOINT: [(&str, &str); 3] =
    [("region", "au"), ("endpoint_client_id", "endpoint-0001"), ("endpoint_access_key", "secret-0003")];

pub fn connector(
    pairs: &[(&str, &str)],
    answers: impl IntoIterator<Item = (u16, Value)>,
) -> (CheckpointHarmony, Arc<Script>) {
    connector_of(pairs, 200, answers)
}

/// The same, with the answer to the login of an MSSP.
pub fn connector_of(
    pairs: &[(&str, &str)],
    mssp: u16,
    answers: impl IntoIterator<Item = (u16, Value)>,
) -> (CheckpointHarmony, Arc<Script>) {
    let answers = Mutex::new(answers.into_iter().collect());
    let script = Arc::new(Script { answers, asked: Mutex::default(), mssp });
    let credentials = <CheckpointHarmony as Vendor>::Credentials::parse(&fields(pairs)).unwrap();
    (CheckpointHarmony::connect(credentials, script.clone()), script)
}

/// A page of a kind, from a page's end on.
pub async fn page<T: RecordType>(harmony: &CheckpointHarmony, after: Option<&Page>) -> Result<Page>
where
    CheckpointHarmony: Pull<T>,
{
    let cursor = after.map(|page| page.next.as_ref().unwrap());
    Pull::<T>::page(harmony, Position { cursor, ..Position::default() }).await
}

/// What a page holds: id, entity and record.
pub fn read<T: RecordType>(harmony: &CheckpointHarmony, page: &Page) -> Vec<(String, Option<String>, Value)>
where
    CheckpointHarmony: Pull<T>,
{
    let items = page.records.iter().map(|raw| Pull::<T>::read(harmony, raw).unwrap());
    items.map(|item| (item.id, item.entity, serde_json::to_value(item.record).unwrap())).collect()
}

/// The envelope of Email & Collaboration.
pub fn envelope(scroll: &str, total: Option<u64>, data: Value) -> Value {
    json!({
        "responseEnvelope": { "requestId": "r-1", "responseCode": 200, "scrollId": scroll, "totalRecordsNumber": total },
        "responseData": data,
    })
}
