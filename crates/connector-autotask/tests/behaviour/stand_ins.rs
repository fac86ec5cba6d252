//! A connector over exchanges, over the simulator, or over a vendor that says what it is told to say.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use connector_autotask::{Autotask, Credentials, Simulator};
use integration::{
    CredentialsForm, Error, Item, Kind, Position, Pull, RecordType, Request, Response, Transport, Vendor,
};
use vendorkit::{Replay, Simulated, Simulator as _, World, WorldSize, a_tuesday};

pub const FEW: WorldSize = WorldSize { businesses: 12, devices: 0, people: 60 };

fn connect(changes: &[(&str, &str)], transport: Arc<dyn Transport>) -> Autotask {
    let mut form = Credentials::example();
    form.extend(changes.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())));
    Autotask::connect(Credentials::parse(&form).unwrap(), transport)
}

pub fn replay(files: &[&str]) -> (Autotask, Arc<Replay>) {
    let replay = Arc::new(Replay::files("tests/vendor", files).unwrap());
    (connect(&[("currency", "gbp")], replay.clone()), replay)
}

pub fn simulated() -> (Autotask, Arc<Simulated>, Arc<Simulator>) {
    simulated_with(&[])
}

/// The form is the simulator's with these changes.
pub fn simulated_with(changes: &[(&str, &str)]) -> (Autotask, Arc<Simulated>, Arc<Simulator>) {
    let simulator = Arc::new(Simulator::default());
    let mut form = simulator.credentials("https://simulated.example/autotask");
    form.extend(changes.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())));
    let vendor = Arc::new(Simulated::new(simulator.clone(), World::generate(FEW, 7, a_tuesday())));
    (Autotask::connect(Credentials::parse(&form).unwrap(), vendor.clone()), vendor, simulator)
}

/// Every record of a listing.
pub async fn all<T: RecordType>(connector: &Autotask) -> Vec<Item<T>>
where
    Autotask: Pull<T>,
{
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let at = Position { cursor: cursor.as_ref(), ..Position::default() };
        let page = Pull::<T>::page(connector, at).await.unwrap();
        found.extend(page.records.iter().map(|raw| Pull::<T>::read(connector, raw).unwrap()));
        cursor = page.next;
        if cursor.is_none() {
            return found;
        }
    }
}

/// Says these answers in turn.
pub struct Script {
    answers: Mutex<VecDeque<(u16, String)>>,
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
        let (status, body) = next.ok_or_else(|| Error::new(Kind::Unavailable, "the script is over"))?;
        Ok(Response { status, headers: Vec::new(), body: body.into(), received_at: self.now() })
    }

    fn now(&self) -> DateTime<Utc> {
        a_tuesday()
    }
}

/// A connector whose form is the example with these changes.
pub fn scripted(changes: &[(&str, &str)], answers: Vec<(u16, String)>) -> (Autotask, Arc<Script>) {
    let script = Arc::new(Script { answers: Mutex::new(answers.into()), asked: Mutex::default() });
    (connect(changes, script.clone()), script)
}

/// The answer of zone discovery.
pub fn zone(url: &str) -> (u16, String) {
    (200, format!(r#"{{"zoneName":"z","url":"{url}","webUrl":"https://ww5.autotask.net/","ci":1}}"#))
}

/// A page of contacts without records.
pub fn page(next: &str) -> (u16, String) {
    let next = if next.is_empty() { "null".to_owned() } else { format!("\"{next}\"") };
    (200, format!(r#"{{"items":[],"pageDetails":{{"count":0,"requestCount":500,"nextPageUrl":{next}}}}}"#))
}
