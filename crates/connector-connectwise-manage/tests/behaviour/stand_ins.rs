//! A connector over exchanges, over the simulator, or over a vendor that says what it is told to say.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use connector_connectwise_manage::{ConnectwiseManage, Credentials, Simulator};
use integration::{
    CredentialsForm, Error, Item, Kind, Position, Pull, RecordType, Request, Response, Transport, Vendor,
};
use serde_json::{Map, Value};
use vendorkit::{Replay, Simulated, Simulator as _, World, WorldSize, a_tuesday};

pub const FEW: WorldSize = WorldSize { businesses: 12, devices: 0, people: 60 };

pub fn example() -> Map<String, Value> {
    let mut form = Credentials::example();
    form.remove("api_version");
    form
}

pub fn replay(files: &[&str]) -> (ConnectwiseManage, Arc<Replay>) {
    let replay = Arc::new(Replay::files("tests/vendor", files).unwrap());
    (ConnectwiseManage::connect(Credentials::parse(&example()).unwrap(), replay.clone()), replay)
}

pub fn simulated() -> (ConnectwiseManage, Arc<Simulated>, Arc<Simulator>) {
    let simulator = Arc::new(Simulator::default());
    let form = simulator.credentials("https://simulated.example/connectwise-manage");
    let vendor = Arc::new(Simulated::new(simulator.clone(), World::generate(FEW, 7, a_tuesday())));
    (ConnectwiseManage::connect(Credentials::parse(&form).unwrap(), vendor.clone()), vendor, simulator)
}

/// Every record of a listing.
pub async fn all<T: RecordType>(connector: &ConnectwiseManage, entity: Option<&str>) -> Vec<Item<T>>
where
    ConnectwiseManage: Pull<T>,
{
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let at = Position { entity, cursor: cursor.as_ref(), since: None };
        let page = Pull::<T>::page(connector, at).await.unwrap();
        found.extend(page.records.iter().map(|raw| Pull::<T>::read(connector, raw).unwrap()));
        cursor = page.next;
        if cursor.is_none() {
            return found;
        }
    }
}

pub type Answer = (u16, Option<&'static str>, String);

/// Says these answers in turn, each with its `Link` header.
pub struct Script {
    answers: Mutex<VecDeque<Answer>>,
    asked: Mutex<Vec<Request>>,
}

impl Script {
    pub fn asked(&self) -> Vec<Request> {
        self.asked.lock().unwrap().clone()
    }
}

#[async_trait]
impl Transport for Script {
    async fn send(&self, request: Request) -> integration::Result<Response> {
        self.asked.lock().unwrap().push(request);
        let next = self.answers.lock().unwrap().pop_front();
        let (status, link, body) = next.ok_or_else(|| Error::new(Kind::Unavailable, "the script is over"))?;
        let headers = link.map(|link| ("link".to_owned(), link.to_owned())).into_iter().collect();
        Ok(Response { status, headers, body: body.into(), received_at: self.now() })
    }

    fn now(&self) -> DateTime<Utc> {
        a_tuesday()
    }
}

/// A connector whose form is the example with these changes.
pub fn scripted(changes: &[(&str, &str)], answers: Vec<Answer>) -> (ConnectwiseManage, Arc<Script>) {
    let mut form = example();
    form.extend(changes.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())));
    let script = Arc::new(Script { answers: Mutex::new(answers.into()), asked: Mutex::default() });
    (ConnectwiseManage::connect(Credentials::parse(&form).unwrap(), script.clone()), script)
}

pub fn says(status: u16, body: &str) -> Answer {
    (status, None, body.to_owned())
}
