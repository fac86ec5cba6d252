//! What stands in for SuperOps in these tests.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use connector_superops::{Credentials, Region, Superops};
use integration::{Body, CredentialsForm, Error, Kind, Request, Response, Result, Secret, Transport, Vendor};
use serde_json::Value;
use vendorkit::Replay;

/// Says what it is told to say, in this order, and keeps what it was asked.
pub struct Script {
    answers: Mutex<VecDeque<String>>,
    asked: Mutex<Vec<Request>>,
}

#[async_trait]
impl Transport for Script {
    async fn send(&self, request: Request) -> Result<Response> {
        self.asked.lock().unwrap().push(request);
        let next = self.answers.lock().unwrap().pop_front();
        let body = next.ok_or_else(|| Error::new(Kind::Unavailable, "the script is over"))?;
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

    /// The input of each request, in order.
    pub fn inputs(&self) -> Vec<Value> {
        self.asked().iter().map(|request| body(request)["variables"]["input"].clone()).collect()
    }
}

pub fn body(request: &Request) -> &Value {
    match &request.body {
        Body::Json(body) => body,
        other => panic!("not JSON: {other:?}"),
    }
}

pub fn credentials(region: Region, api_url: Option<&str>) -> Credentials {
    Credentials {
        region,
        subdomain: "northern-it".into(),
        api_token: Secret::new("token-of-the-tests".into()),
        currency: None,
        time_zone: None,
        api_url: api_url.map(|url| url.parse().unwrap()),
    }
}

/// A connector of the region US over these answers, each the `data` of one.
pub fn scripted(answers: impl IntoIterator<Item = Value>) -> (Superops, Arc<Script>) {
    scripted_as(credentials(Region::Us, None), answers)
}

pub fn scripted_as(credentials: Credentials, answers: impl IntoIterator<Item = Value>) -> (Superops, Arc<Script>) {
    let script = script(answers.into_iter().map(|data| serde_json::json!({ "data": data }).to_string()));
    (Superops::connect(credentials, script.clone()), script)
}

/// A connector that is answered with exactly this.
pub fn saying(answer: String) -> Superops {
    Superops::connect(credentials(Region::Us, None), script([answer]))
}

fn script(answers: impl IntoIterator<Item = String>) -> Arc<Script> {
    Arc::new(Script { answers: Mutex::new(answers.into_iter().collect()), asked: Mutex::default() })
}

/// A connector with the example credentials that meets exactly the exchanges of these files.
pub fn replaying(files: &[&str]) -> (Superops, Arc<Replay>) {
    let replay = Arc::new(Replay::files(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vendor"), files).unwrap());
    let credentials = Credentials::parse(&Credentials::example()).unwrap();
    (Superops::connect(credentials, replay.clone()), replay)
}
