//! A vendor that gives the answers of a test, one after the other.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use connector_hatz_ai::HatzAi;
use integration::{
    CredentialsForm, Error, Item, Kind, Page, Position, Pull, RecordType, Request, Response, Result, Transport, Vendor,
};
use serde_json::{Map, Value};

pub struct Script {
    answers: Mutex<VecDeque<(u16, Value)>>,
    asked: Mutex<Vec<Request>>,
}

#[async_trait]
impl Transport for Script {
    async fn send(&self, request: Request) -> Result<Response> {
        self.asked.lock().unwrap().push(request);
        let next = self.answers.lock().unwrap().pop_front();
        let (status, body) = next.ok_or_else(|| Error::new(Kind::Unavailable, "the script is over"))?;
        let headers = vec![("x-request-id".to_owned(), "request-0001".to_owned())];
        Ok(Response { status, headers, body: body.to_string().into(), received_at: self.now() })
    }

    fn now(&self) -> DateTime<Utc> {
        vendorkit::a_tuesday()
    }
}

impl Script {
    /// Every request so far.
    pub fn requests(&self) -> Vec<Request> {
        self.asked.lock().unwrap().clone()
    }

    /// The offsets that were asked for.
    pub fn offsets(&self) -> Vec<String> {
        let offset = |request: &Request| {
            let mut pairs = request.url.query_pairs();
            pairs.find(|(name, _)| name == "offset").map(|(_, value)| value.into_owned())
        };
        self.requests().iter().filter_map(offset).collect()
    }
}

pub fn connector_at(url: Option<&str>, answers: impl IntoIterator<Item = (u16, Value)>) -> (HatzAi, Arc<Script>) {
    let script = Arc::new(Script { answers: Mutex::new(answers.into_iter().collect()), asked: Mutex::default() });
    let mut form = Map::new();
    form.insert("api_key".to_owned(), "key-0001".into());
    if let Some(url) = url {
        form.insert("api_url".to_owned(), url.into());
    }
    let credentials = <HatzAi as Vendor>::Credentials::parse(&form).unwrap();
    (HatzAi::connect(credentials, script.clone()), script)
}

pub fn connector(answers: impl IntoIterator<Item = (u16, Value)>) -> (HatzAi, Arc<Script>) {
    connector_at(None, answers)
}

/// Every page of a listing.
pub async fn pages<T: RecordType>(hatz: &HatzAi, entity: Option<&str>) -> Result<Vec<Page>>
where
    HatzAi: Pull<T>,
{
    let (mut pages, mut cursor) = (Vec::new(), None);
    loop {
        let at = Position { entity, cursor: cursor.as_ref(), since: None };
        let mut page = Pull::<T>::page(hatz, at).await?;
        cursor = page.next.take();
        pages.push(page);
        if cursor.is_none() {
            return Ok(pages);
        }
    }
}

pub fn read<T: RecordType>(hatz: &HatzAi, pages: &[Page]) -> Vec<Item<T>>
where
    HatzAi: Pull<T>,
{
    let raws = pages.iter().flat_map(|page| &page.records);
    raws.map(|raw| Pull::<T>::read(hatz, raw).unwrap()).collect()
}

/// Everything of a listing.
pub async fn all<T: RecordType>(hatz: &HatzAi, entity: Option<&str>) -> Result<Vec<Item<T>>>
where
    HatzAi: Pull<T>,
{
    Ok(read(hatz, &pages::<T>(hatz, entity).await?))
}
