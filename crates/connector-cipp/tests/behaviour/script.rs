//! An instance that says what it is told to say, in this order, and keeps what it was asked.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use connector_cipp::{Cipp, Credentials, Guid};
use integration::{
    Error, Kind, Page, Position, Pull, RecordType, Request, Response, Result, Secret, Transport, Vendor,
};

pub const TENANT: &str = "6a0f2a55-2d1f-4f7e-9c1b-1d1f0c7a4e10";
pub const CLIENT: &str = "c1bb0000-0000-4000-8000-00000000000a";

pub struct Script {
    answers: Mutex<VecDeque<(u16, String)>>,
    asked: Mutex<Vec<Request>>,
}

#[async_trait]
impl Transport for Script {
    async fn send(&self, request: Request) -> Result<Response> {
        let token = request.url.path().ends_with("/token");
        self.asked.lock().unwrap().push(request);
        let (status, body) = if token {
            (200, r#"{"access_token":"token-of-the-script","expires_in":3599}"#.to_owned())
        } else {
            let next = self.answers.lock().unwrap().pop_front();
            next.ok_or_else(|| Error::new(Kind::Unavailable, "the script is over"))?
        };
        Ok(Response { status, headers: Vec::new(), body: body.into(), received_at: self.now() })
    }

    fn now(&self) -> DateTime<Utc> {
        vendorkit::a_tuesday()
    }
}

impl Script {
    /// Everything that was asked, tokens included.
    pub fn asked(&self) -> Vec<Request> {
        self.asked.lock().unwrap().clone()
    }
}

pub fn connector<B: Into<String>>(answers: impl IntoIterator<Item = (u16, B)>) -> (Cipp, Arc<Script>) {
    connector_at("https://cipp.example", answers)
}

pub fn connector_at<B: Into<String>>(url: &str, answers: impl IntoIterator<Item = (u16, B)>) -> (Cipp, Arc<Script>) {
    let answers = answers.into_iter().map(|(status, body)| (status, body.into())).collect();
    let script = Arc::new(Script { answers: Mutex::new(answers), asked: Mutex::default() });
    let credentials = Credentials {
        url: url.parse().unwrap(),
        tenant_id: Guid::read(TENANT).unwrap(),
        client_id: Guid::read(CLIENT).unwrap(),
        client_secret: Secret::new("secret-0001".into()),
        login_host: None,
    };
    (Cipp::connect(credentials, script.clone()), script)
}

/// The page of a kind, of the tenant where each has its own.
pub async fn page<T: RecordType>(cipp: &Cipp) -> Result<Page>
where
    Cipp: Pull<T>,
{
    Pull::<T>::page(cipp, Position { entity: Some(TENANT), ..Position::default() }).await
}

/// What a kind's page holds, as it is stored, each with its id.
pub async fn stored<T: RecordType>(cipp: &Cipp) -> Vec<(String, serde_json::Value)>
where
    Cipp: Pull<T>,
{
    let page = page::<T>(cipp).await.unwrap();
    assert!(page.next.is_none(), "CIPP gives everything at once");
    let items = page.records.iter().map(|raw| Pull::<T>::read(cipp, raw).unwrap());
    items.map(|item| (item.id, serde_json::to_value(item.record).unwrap())).collect()
}
