//! A phone system that says what it is told to say, in this order, and keeps what it was asked.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use connector_threecx::{Credentials, Threecx};
use integration::{
    Error, Item, Kind, Method, Page, Position, Pull, RecordType, Request, Response, Result, Secret, Transport, Vendor,
};
use serde_json::{Value, json};

pub struct Script {
    answers: Mutex<VecDeque<(u16, Value)>>,
    asked: Mutex<Vec<Request>>,
    tokens: Mutex<VecDeque<(u16, Value)>>,
    now: Mutex<DateTime<Utc>>,
    /// How long each answer takes.
    pub slow: Mutex<TimeDelta>,
}

#[async_trait]
impl Transport for Script {
    async fn send(&self, request: Request) -> Result<Response> {
        let token = request.method == Method::Post && request.url.path().ends_with("/connect/token");
        self.asked.lock().unwrap().push(request);
        let (status, body) = if token {
            let next = self.tokens.lock().unwrap().pop_front();
            next.unwrap_or((200, json!({ "access_token": "token-of-the-script", "expires_in": 60 })))
        } else {
            let took = *self.slow.lock().unwrap();
            *self.now.lock().unwrap() += took;
            let next = self.answers.lock().unwrap().pop_front();
            next.ok_or_else(|| Error::new(Kind::Unavailable, "the script is over"))?
        };
        Ok(Response { status, headers: Vec::new(), body: body.to_string().into(), received_at: self.now() })
    }

    fn now(&self) -> DateTime<Utc> {
        *self.now.lock().unwrap()
    }
}

impl Script {
    /// Paths with their options, percent-encoded as sent; without those for tokens.
    pub fn asked(&self) -> Vec<String> {
        let asked = self.requests().into_iter().filter(|request| request.method == Method::Get);
        asked.map(|request| format!("{}?{}", request.url.path(), request.url.query().unwrap_or_default())).collect()
    }

    /// How many tokens were asked for.
    pub fn tokens(&self) -> usize {
        self.requests().iter().filter(|request| request.method == Method::Post).count()
    }

    pub fn requests(&self) -> Vec<Request> {
        self.asked.lock().unwrap().clone()
    }

    pub fn next_token(&self, status: u16, body: Value) {
        self.tokens.lock().unwrap().push_back((status, body));
    }

    pub fn answer(&self, status: u16, body: Value) {
        self.answers.lock().unwrap().push_back((status, body));
    }

    pub fn advance(&self, by: TimeDelta) {
        *self.now.lock().unwrap() += by;
    }
}

pub fn connector(answers: impl IntoIterator<Item = (u16, Value)>) -> (Threecx, Arc<Script>) {
    connector_at("https://pbx.msp.example:5001", answers)
}

pub fn connector_at(url: &str, answers: impl IntoIterator<Item = (u16, Value)>) -> (Threecx, Arc<Script>) {
    let script = Arc::new(Script {
        answers: Mutex::new(answers.into_iter().collect()),
        asked: Mutex::default(),
        tokens: Mutex::default(),
        now: Mutex::new(vendorkit::a_tuesday()),
        slow: Mutex::new(TimeDelta::zero()),
    });
    let credentials = Credentials {
        url: url.parse().unwrap(),
        client_id: "panelone".into(),
        api_key: Secret::new("api-key-0001".into()),
    };
    (Threecx::connect(credentials, script.clone()), script)
}

/// A page of a listing.
pub fn rows(rows: &[Value]) -> (u16, Value) {
    (200, json!({ "@odata.count": rows.len(), "value": rows }))
}

/// A whole listing, read.
pub async fn all<T: RecordType>(connector: &Threecx) -> Result<Vec<Item<T>>>
where
    Threecx: Pull<T>,
{
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let page: Page =
            Pull::<T>::page(connector, Position { cursor: cursor.as_ref(), ..Position::default() }).await?;
        for raw in &page.records {
            found.push(Pull::<T>::read(connector, raw).unwrap());
        }
        cursor = page.next;
        if cursor.is_none() {
            return Ok(found);
        }
    }
}
