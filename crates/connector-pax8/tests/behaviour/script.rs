//! A vendor that says what it is told to say, in this order, and keeps what it was asked.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use chrono::{DateTime, TimeZone, Utc};
use connector_pax8::{Credentials, Pax8};
use integration::{Body, Error, Kind, Method, Request, Response, Result, Secret, Transport, Vendor};

pub struct Script {
    answers: Mutex<VecDeque<(u16, String)>>,
    asked: Mutex<Vec<Request>>,
}

#[async_trait]
impl Transport for Script {
    async fn send(&self, request: Request) -> Result<Response> {
        let token = request.method == Method::Post && request.url.path().ends_with("token");
        self.asked.lock().unwrap().push(request);
        let (status, body) = if token {
            (200, r#"{"access_token":"token-of-the-script","expires_in":86400}"#.to_owned())
        } else {
            let next = self.answers.lock().unwrap().pop_front();
            next.ok_or_else(|| Error::new(Kind::Unavailable, "the script is over"))?
        };
        Ok(Response { status, headers: Vec::new(), body: body.into(), received_at: self.now() })
    }

    fn now(&self) -> DateTime<Utc> {
        now()
    }
}

impl Script {
    /// What was asked, without the token requests.
    pub fn asked(&self) -> Vec<Request> {
        let asked = self.asked.lock().unwrap();
        asked.iter().filter(|request| !request.url.path().ends_with("token")).cloned().collect()
    }

    pub fn token_requests(&self) -> Vec<Request> {
        let asked = self.asked.lock().unwrap();
        asked.iter().filter(|request| request.url.path().ends_with("token")).cloned().collect()
    }
}

/// The present of every test.
pub fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 1, 15, 12, 0, 0).unwrap()
}

pub fn connector<B: Into<String>>(answers: impl IntoIterator<Item = (u16, B)>) -> (Pax8, Arc<Script>) {
    connector_at(None, None, answers)
}

pub fn connector_at<B: Into<String>>(
    api_url: Option<&str>,
    token_url: Option<&str>,
    answers: impl IntoIterator<Item = (u16, B)>,
) -> (Pax8, Arc<Script>) {
    let answers = answers.into_iter().map(|(status, body)| (status, body.into())).collect();
    let script = Arc::new(Script { answers: Mutex::new(answers), asked: Mutex::default() });
    let credentials = Credentials {
        client_id: "client-0001".into(),
        client_secret: Secret::new("secret-0001".into()),
        api_url: api_url.map(|url| url.parse().unwrap()),
        token_url: token_url.map(|url| url.parse().unwrap()),
    };
    (Pax8::connect(credentials, script.clone()), script)
}

pub fn json(request: &Request) -> &serde_json::Value {
    match &request.body {
        Body::Json(body) => body,
        other => panic!("not JSON: {other:?}"),
    }
}
