//! A vendor that answers what a test says, by path.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use connector_dropsuite::Dropsuite;
use integration::{
    CredentialsForm, Entity, Item, Page, Position, Pull, RecordType, Request, Response, Result, Transport, Vendor,
};
use serde_json::{Map, Value, json};

pub struct Script {
    answers: Mutex<HashMap<String, VecDeque<(u16, Value)>>>,
    asked: Mutex<Vec<Request>>,
    now: Mutex<DateTime<Utc>>,
}

impl Script {
    /// Adds answers of a path below `/api/`; the last one is given for ever.
    pub fn says(&self, path: &str, answers: impl IntoIterator<Item = (u16, Value)>) {
        self.answers.lock().unwrap().insert(path.to_owned(), answers.into_iter().collect());
    }

    /// Path and query of every request so far.
    pub fn asked(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        asked.iter().map(|r| format!("{}?{}", r.url.path(), r.url.query().unwrap_or_default())).collect()
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<Request> {
        self.asked.lock().unwrap().clone()
    }

    pub fn advance(&self, by: TimeDelta) {
        *self.now.lock().unwrap() += by;
    }
}

#[async_trait]
impl Transport for Script {
    async fn send(&self, request: Request) -> Result<Response> {
        let path = request.url.path().split_once("/api/").map_or("", |(_, path)| path).to_owned();
        self.asked.lock().unwrap().push(request);
        let mut answers = self.answers.lock().unwrap();
        let (status, body) = match answers.get_mut(&path) {
            Some(queue) if queue.len() > 1 => queue.pop_front().unwrap(),
            Some(queue) => queue.front().cloned().unwrap(),
            None => (404, json!({ "error": "not found" })),
        };
        Ok(Response { status, headers: Vec::new(), body: body.to_string().into(), received_at: self.now() })
    }

    fn now(&self) -> DateTime<Utc> {
        *self.now.lock().unwrap()
    }
}

/// A connector with the settings given, over a script without answers.
pub fn connector_with(settings: &[(&str, &str)]) -> (Dropsuite, Arc<Script>) {
    let script = Arc::new(Script {
        answers: Mutex::default(),
        asked: Mutex::default(),
        now: Mutex::new("2026-10-01T08:00:00Z".parse().unwrap()),
    });
    let mut form = Map::new();
    let usual = [
        ("url", "https://dropsuite.example"),
        ("reseller_token", "reseller-0001"),
        ("authentication_token", "own-0001"),
    ];
    for (name, value) in usual.iter().chain(settings) {
        form.insert((*name).to_owned(), (*value).into());
    }
    let credentials = <Dropsuite as Vendor>::Credentials::parse(&form).unwrap();
    (Dropsuite::connect(credentials, script.clone()), script)
}

pub fn connector() -> (Dropsuite, Arc<Script>) {
    connector_with(&[])
}

/// A login of an organisation.
pub fn login(organization: u64, token: Option<&str>) -> Value {
    json!({
        "id": format!("{organization}-14"), "organization_id": organization, "organization_name": "Alder Dental",
        "authentication_token": token, "reseller_token": "reseller-0001", "admin": true,
        "customer_deactivated": false, "flg_suspended": false, "login_disabled": false,
    })
}

/// One page of a whole list.
pub fn page(records: Vec<Value>) -> Value {
    let count = records.len();
    json!({ "result_set": records, "pagination": { "current_page": 1, "total_pages": 1, "total_entries": count } })
}

pub async fn entities(dropsuite: &Dropsuite) -> Result<Page> {
    Pull::<Entity>::page(dropsuite, Position::default()).await
}

/// Every page of customers, raw.
pub async fn all_entities(dropsuite: &Dropsuite) -> Result<Vec<Page>> {
    let (mut pages, mut cursor) = (Vec::new(), None);
    loop {
        let at = Position { cursor: cursor.as_ref(), ..Position::default() };
        let mut page = Pull::<Entity>::page(dropsuite, at).await?;
        cursor = page.next.take();
        pages.push(page);
        if cursor.is_none() {
            return Ok(pages);
        }
    }
}

/// Every page of a customer's backups, raw.
pub async fn backups(dropsuite: &Dropsuite, customer: &str) -> Result<Vec<Page>> {
    let (mut pages, mut cursor) = (Vec::new(), None);
    loop {
        let at = Position { entity: Some(customer), cursor: cursor.as_ref(), since: None };
        let mut page = Pull::<integration::Backup>::page(dropsuite, at).await?;
        cursor = page.next.take();
        pages.push(page);
        if cursor.is_none() {
            return Ok(pages);
        }
    }
}

pub fn read<T: RecordType>(dropsuite: &Dropsuite, pages: &[Page]) -> Vec<Item<T>>
where
    Dropsuite: Pull<T>,
{
    let raws = pages.iter().flat_map(|page| &page.records);
    raws.map(|raw| Pull::<T>::read(dropsuite, raw).unwrap()).collect()
}
