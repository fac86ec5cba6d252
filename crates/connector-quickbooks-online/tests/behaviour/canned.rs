//! A vendor that gives the answers it is given, one after the other.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use connector_quickbooks_online::QuickbooksOnline;
use integration::{Connector, Entry, Error, Kind, Request, Response, Result, Transport};
use vendorkit::a_tuesday;

/// Answers in their order, and what was asked.
pub struct Canned {
    answers: Mutex<VecDeque<(u16, String)>>,
    asked: Mutex<Vec<Request>>,
}

impl Canned {
    /// What was asked so far.
    pub fn asked(&self) -> Vec<Request> {
        self.asked.lock().unwrap().clone()
    }
}

#[async_trait]
impl Transport for Canned {
    async fn send(&self, request: Request) -> Result<Response> {
        self.asked.lock().unwrap().push(request);
        let next = self.answers.lock().unwrap().pop_front();
        let (status, body) = next.ok_or_else(|| Error::new(Kind::Limit, "no answer is left"))?;
        let headers = vec![("intuit_tid".to_owned(), "1-trace-0001".to_owned())];
        Ok(Response { status, headers, body: body.into(), received_at: a_tuesday() })
    }

    fn now(&self) -> DateTime<Utc> {
        a_tuesday()
    }
}

/// A connector with a grant, over these answers.
pub fn connector(answers: impl IntoIterator<Item = (u16, String)>) -> (Arc<Canned>, Box<dyn Connector>) {
    let canned = Arc::new(Canned { answers: Mutex::new(answers.into_iter().collect()), asked: Mutex::default() });
    let entry = Entry::of::<QuickbooksOnline>();
    let mut credentials = entry.example();
    credentials.remove("currency");
    let connector = entry.connect(&credentials, canned.clone()).unwrap();
    (canned, connector)
}
