//! What stands in for Gorelo in these tests.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use connector_gorelo::{Credentials, Gorelo, Region};
use integration::{Body, CredentialsForm, Error, Kind, Request, Response, Result, Secret, Transport, Vendor};
use serde_json::{Value, json};
use vendorkit::Replay;

/// Says what it is told to say, in this order, and keeps what it was asked.
pub struct Script {
    answers: Mutex<VecDeque<Value>>,
    asked: Mutex<Vec<Request>>,
}

#[async_trait]
impl Transport for Script {
    async fn send(&self, request: Request) -> Result<Response> {
        self.asked.lock().unwrap().push(request);
        let next = self.answers.lock().unwrap().pop_front();
        let body = next.ok_or_else(|| Error::new(Kind::Unavailable, "the script is over"))?.to_string();
        Ok(Response { status: 200, headers: Vec::new(), body: body.into(), received_at: self.now() })
    }

    fn now(&self) -> DateTime<Utc> {
        vendorkit::a_tuesday()
    }
}

impl Script {
    pub fn asked(&self) -> Vec<Request> {
        self.asked.lock().unwrap().clone()
    }

    /// The JSON body of the last request.
    pub fn last_body(&self) -> Value {
        match self.asked().pop().unwrap().body {
            Body::Json(body) => body,
            other => panic!("not JSON: {other:?}"),
        }
    }
}

pub fn credentials(region: Region, api_url: Option<&str>) -> Credentials {
    Credentials {
        region,
        api_key: Secret::new("key-of-the-tests".into()),
        currency: None,
        phone_country: None,
        api_url: api_url.map(|url| url.parse().unwrap()),
    }
}

/// A success with this data, and with this pagination if it is a page.
pub fn success(data: Value, pagination: Option<Value>) -> Value {
    let context = pagination.map(|pagination| json!({ "Pagination": pagination }));
    json!({ "StatusCode": 200, "IsSuccess": true, "Data": data, "DataContext": context, "Notifications": [] })
}

/// A connector of the region US that is answered so.
pub fn scripted(answers: impl IntoIterator<Item = Value>) -> (Gorelo, Arc<Script>) {
    scripted_as(credentials(Region::Us, None), answers)
}

pub fn scripted_as(credentials: Credentials, answers: impl IntoIterator<Item = Value>) -> (Gorelo, Arc<Script>) {
    let script = Arc::new(Script { answers: Mutex::new(answers.into_iter().collect()), asked: Mutex::default() });
    (Gorelo::connect(credentials, script.clone()), script)
}

/// A connector with the example credentials that meets exactly the exchanges of these files.
pub fn replaying(files: &[&str]) -> (Gorelo, Arc<Replay>) {
    let replay = Arc::new(Replay::files(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vendor"), files).unwrap());
    let credentials = Credentials::parse(&Credentials::example()).unwrap();
    (Gorelo::connect(credentials, replay.clone()), replay)
}
