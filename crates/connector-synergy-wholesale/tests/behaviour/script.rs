//! A vendor that says what it is told to say, in this order, and keeps what it was asked.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use connector_synergy_wholesale::{Credentials, SynergyWholesale};
use integration::{
    Body, Error, Item, Kind, Page, Position, Pull, RecordType, Request, Response, Result, Secret, Transport, Vendor,
};

pub struct Script {
    answers: Mutex<VecDeque<(u16, Vec<u8>)>>,
    asked: Mutex<Vec<Request>>,
}

#[async_trait]
impl Transport for Script {
    async fn send(&self, request: Request) -> Result<Response> {
        self.asked.lock().unwrap().push(request);
        let next = self.answers.lock().unwrap().pop_front();
        let (status, body) = next.ok_or_else(|| Error::new(Kind::Unavailable, "the script is over"))?;
        let headers = vec![("content-type".to_owned(), "text/xml; charset=utf-8".to_owned())];
        Ok(Response { status, headers, body: body.into(), received_at: self.now() })
    }

    fn now(&self) -> DateTime<Utc> {
        vendorkit::a_tuesday()
    }
}

impl Script {
    /// The documents that were sent.
    pub fn documents(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        let document = |request: &Request| match &request.body {
            Body::Xml(document) => document.clone(),
            other => panic!("not XML: {other:?}"),
        };
        asked.iter().map(document).collect()
    }

    pub fn requests(&self) -> Vec<Request> {
        self.asked.lock().unwrap().clone()
    }
}

pub fn connector<B: Into<Vec<u8>>>(answers: impl IntoIterator<Item = (u16, B)>) -> (SynergyWholesale, Arc<Script>) {
    let answers = answers.into_iter().map(|(status, body)| (status, body.into())).collect();
    let script = Arc::new(Script { answers: Mutex::new(answers), asked: Mutex::default() });
    let credentials =
        Credentials { reseller_id: "40017".into(), api_key: Secret::new("a<b>&\"c'".into()), api_url: None };
    (SynergyWholesale::connect(credentials, script.clone()), script)
}

/// An answer to a command, as the vendor wraps it.
pub fn answer(command: &str, inner: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><E:Envelope xmlns:E=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><E:Body><n:{command}Response xmlns:n=\"urn:x\">\
         <return>{inner}</return></n:{command}Response></E:Body></E:Envelope>"
    )
}

/// One page of domains with these items.
pub fn domains(items: &str) -> String {
    answer("listDomains", &format!("<status>OK</status><domainList>{items}</domainList><page>1</page>"))
}

pub async fn first_page<T: RecordType>(connector: &SynergyWholesale) -> Result<Page>
where
    SynergyWholesale: Pull<T>,
{
    Pull::<T>::page(connector, Position::default()).await
}

/// Everything on a page, read.
pub fn read<T: RecordType>(connector: &SynergyWholesale, page: &Page) -> Vec<Result<Item<T>, String>>
where
    SynergyWholesale: Pull<T>,
{
    page.records.iter().map(|raw| Pull::<T>::read(connector, raw)).collect()
}
