//! Which organisation a consent is for, and what is asked of the page.

use std::{collections::BTreeMap, sync::Arc};

use connector_workflowmax::{Simulator, Workflowmax};
use integration::{Connector, ConsentAnswer, ConsentAsk, Entry, Grant, Kind, Request, Secret, Transport, oauth};
use serde_json::{Map, Value};
use url::Url;
use vendorkit::{Simulated, World, WorldSize, a_tuesday};

const BASE: &str = "https://simulated.example/workflowmax";
const BACK: &str = "https://panelone.example/oauth/callback";
const VERIFIER: &str = "a-verifier-of-forty-three-characters-0001-x";

fn stage() -> Arc<Simulated> {
    let size = WorldSize { businesses: 3, devices: 3, people: 3 };
    Arc::new(Simulated::new(Arc::new(Simulator::default()), World::generate(size, 7, a_tuesday())))
}

fn connector(simulated: &Arc<Simulated>, credentials: &Map<String, Value>) -> Box<dyn Connector> {
    Entry::of::<Workflowmax>().connect(credentials, simulated.clone()).unwrap()
}

/// Goes to the page; the pairs that one comes back with.
async fn visit(simulated: &Simulated, connector: &dyn Connector) -> BTreeMap<String, String> {
    let challenge = oauth::challenge(VERIFIER);
    let ask = ConsentAsk { redirect_uri: BACK, state: "state", code_challenge: &challenge };
    let answer = simulated.send(Request::get(connector.consent().unwrap().page(&ask))).await.unwrap();
    Url::parse(answer.header("location").unwrap()).unwrap().query_pairs().into_owned().collect()
}

async fn exchange(simulated: &Arc<Simulated>, credentials: &Map<String, Value>) -> integration::Result<Grant> {
    let connector = connector(simulated, credentials);
    let query = visit(simulated, connector.as_ref()).await;
    let secret = |text: &str| Secret::new(text.to_owned());
    let answer = ConsentAnswer {
        code: secret(&query["code"]),
        verifier: secret(VERIFIER),
        redirect_uri: BACK.to_owned(),
        query: BTreeMap::new(),
    };
    connector.consent().unwrap().exchange(&answer).await
}

#[tokio::test]
async fn the_only_organisation_is_taken_and_several_are_asked_about() {
    let (simulated, simulator) = (stage(), Simulator::default());
    let one = exchange(&simulated, &vendorkit::Simulator::credentials(&simulator, BASE)).await.unwrap();
    let organisation = one.account().unwrap().to_owned();
    let mut credentials = simulator.ambiguous_credentials(BASE);
    let error = exchange(&simulated, &credentials).await.unwrap_err();
    assert_eq!(error.kind, Kind::Refused, "{error}");
    assert!(error.message.contains(&organisation) && error.message.contains("Organisation ID"), "{error}");
    credentials.insert("organisation_id".to_owned(), organisation.clone().into());
    assert_eq!(exchange(&simulated, &credentials).await.unwrap().account(), Some(organisation.as_str()));
    credentials.insert("organisation_id".to_owned(), "another".into());
    let error = exchange(&simulated, &credentials).await.unwrap_err();
    assert!(error.message.contains("does not reach"), "{error}");
}

#[tokio::test]
async fn the_page_asks_for_a_refresh_token_every_time() {
    let (simulated, simulator) = (stage(), Simulator::default());
    let connector = connector(&simulated, &vendorkit::Simulator::credentials(&simulator, BASE));
    let ask = ConsentAsk { redirect_uri: BACK, state: "s&t=ate", code_challenge: "challenge" };
    let page = connector.consent().unwrap().page(&ask);
    assert!(page.as_str().starts_with(&format!("{BASE}/oauth/authorize?")), "{page}");
    let pairs: BTreeMap<String, String> = page.query_pairs().into_owned().collect();
    assert_eq!(pairs["state"], "s&t=ate");
    assert_eq!(pairs["prompt"], "consent");
    assert!(pairs["scope"].split(' ').any(|part| part == "offline_access"), "{pairs:?}");
}

#[tokio::test]
async fn a_no_comes_back_as_an_error() {
    let (simulated, simulator) = (stage(), Simulator::default());
    let connector = connector(&simulated, &simulator.denied_credentials(BASE));
    let pairs = visit(&simulated, connector.as_ref()).await;
    assert_eq!((pairs["error"].as_str(), pairs["state"].as_str()), ("access_denied", "state"));
    assert!(!pairs.contains_key("code"));
}
