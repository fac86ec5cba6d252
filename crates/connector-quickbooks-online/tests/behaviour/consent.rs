//! Which company a consent is for, what is asked of the page, and refresh tokens that rotate.

use std::{collections::BTreeMap, sync::Arc};

use connector_quickbooks_online::{QuickbooksOnline, Simulator};
use integration::{
    Body, Connector, ConsentAnswer, ConsentAsk, Entry, Field, Grant, Kind, Request, Secret, Transport, oauth,
};
use serde_json::{Map, Value};
use url::Url;
use vendorkit::{Simulated, World, WorldSize, a_tuesday};

const BASE: &str = "https://simulated.example/quickbooks-online";
const BACK: &str = "https://panelone.example/oauth/callback";
const VERIFIER: &str = "a-verifier-of-forty-three-characters-0001-x";

fn stage() -> (Arc<Simulated>, Arc<Simulator>) {
    let size = WorldSize { businesses: 3, devices: 3, people: 3 };
    let simulator = Arc::new(Simulator::default());
    (Arc::new(Simulated::new(simulator.clone(), World::generate(size, 7, a_tuesday()))), simulator)
}

fn credentials(simulator: &Simulator) -> Map<String, Value> {
    vendorkit::Simulator::credentials(simulator, BASE)
}

fn connector(simulated: &Arc<Simulated>, credentials: &Map<String, Value>) -> Box<dyn Connector> {
    Entry::of::<QuickbooksOnline>().connect(credentials, simulated.clone()).unwrap()
}

fn with_grant(mut credentials: Map<String, Value>, grant: &Grant) -> Map<String, Value> {
    credentials.insert("grant".to_owned(), grant.store().unwrap().into());
    credentials
}

/// Goes to the page; the pairs that one comes back with.
async fn visit(simulated: &Simulated, connector: &dyn Connector) -> BTreeMap<String, String> {
    let challenge = oauth::challenge(VERIFIER);
    let ask = ConsentAsk { redirect_uri: BACK, state: "state", code_challenge: &challenge };
    let answer = simulated.send(Request::get(connector.consent().unwrap().page(&ask))).await.unwrap();
    Url::parse(answer.header("location").unwrap()).unwrap().query_pairs().into_owned().collect()
}

fn answer(pairs: BTreeMap<String, String>) -> ConsentAnswer {
    let secret = |text: &str| Secret::new(text.to_owned());
    ConsentAnswer {
        code: secret(&pairs["code"]),
        verifier: secret(VERIFIER),
        redirect_uri: BACK.to_owned(),
        query: pairs,
    }
}

async fn exchange(
    simulated: &Arc<Simulated>,
    credentials: &Map<String, Value>,
    change: impl FnOnce(&mut BTreeMap<String, String>),
) -> integration::Result<Grant> {
    let connector = connector(simulated, credentials);
    let mut pairs = visit(simulated, connector.as_ref()).await;
    change(&mut pairs);
    connector.consent().unwrap().exchange(&answer(pairs)).await
}

#[tokio::test]
async fn the_company_comes_back_with_the_code() {
    let (simulated, simulator) = stage();
    let grant = exchange(&simulated, &credentials(&simulator), |_| ()).await.unwrap();
    let company = grant.account().unwrap().to_owned();
    let works = connector(&simulated, &with_grant(credentials(&simulator), &grant));
    let account = works.check().await.unwrap().account.unwrap();
    assert!(account.ends_with(&format!("(company {company})")), "{account}");
    simulated.clear_log();
    for strange in [None, Some(""), Some("../../9"), Some("9130 35"), Some("1234567890123456789012345678901234567890")]
    {
        let change = |pairs: &mut BTreeMap<String, String>| {
            pairs.remove("realmId");
            pairs.extend(strange.map(|id| ("realmId".to_owned(), id.to_owned())));
        };
        let error = exchange(&simulated, &credentials(&simulator), change).await.unwrap_err();
        assert_eq!(error.kind, Kind::Refused, "{strange:?}: {error}");
    }
    let exchanged = simulated.log().iter().any(|(_, path)| path.ends_with("/bearer"));
    assert!(!exchanged, "a code was used up although the company is not known");
}

#[tokio::test]
async fn a_connection_stays_with_its_company() {
    let (simulated, simulator) = stage();
    let grant = exchange(&simulated, &credentials(&simulator), |_| ()).await.unwrap();
    let before = with_grant(credentials(&simulator), &grant);
    let again = exchange(&simulated, &before, |_| ()).await.unwrap();
    assert_eq!(again.account(), grant.account());
    let other =
        |pairs: &mut BTreeMap<String, String>| drop(pairs.insert("realmId".to_owned(), "9130350000000002".to_owned()));
    let error = exchange(&simulated, &before, other).await.unwrap_err();
    assert_eq!(error.kind, Kind::Refused, "{error}");
    assert!(error.message.contains("9130350000000002") && error.message.contains("connection of its own"), "{error}");
}

#[tokio::test]
async fn the_app_proves_itself_in_the_header() {
    let (simulated, simulator) = stage();
    exchange(&simulated, &credentials(&simulator), |_| ()).await.unwrap();
    let requests = simulated.requests();
    let request = requests.iter().find(|request| request.url.path().ends_with("/oauth2/v1/tokens/bearer")).unwrap();
    assert!(request.header_value("authorization").unwrap().starts_with("Basic "));
    assert_eq!(request.header_value("accept"), Some("application/json"));
    let Body::Form(pairs) = &request.body else { panic!("no form") };
    assert!(pairs.iter().all(|(name, _)| name != "client_secret" && name != "client_id"), "{pairs:?}");
}

#[test]
fn each_environment_has_its_address_and_both_have_one_page() {
    let entry = Entry::of::<QuickbooksOnline>();
    let mut credentials = entry.example();
    credentials.remove("login_url");
    let (simulated, _) = stage();
    let ask = ConsentAsk { redirect_uri: BACK, state: "s&t=ate", code_challenge: "challenge" };
    let page = connector(&simulated, &credentials).consent().unwrap().page(&ask);
    assert!(page.as_str().starts_with("https://appcenter.intuit.com/connect/oauth2?"), "{page}");
    let pairs: BTreeMap<String, String> = page.query_pairs().into_owned().collect();
    assert_eq!((pairs["scope"].as_str(), pairs["state"].as_str()), ("com.intuit.quickbooks.accounting", "s&t=ate"));
}

#[tokio::test]
async fn requests_go_to_the_environment() {
    let entry = Entry::of::<QuickbooksOnline>();
    for (environment, host) in
        [("production", "quickbooks.api.intuit.com"), ("sandbox", "sandbox-quickbooks.api.intuit.com")]
    {
        let mut credentials = entry.example();
        credentials.remove("api_url");
        credentials.insert("environment".to_owned(), environment.into());
        let (simulated, _) = stage();
        // What the simulator says to a token that it never gave is of no matter.
        connector(&simulated, &credentials).check().await.unwrap_err();
        assert_eq!(simulated.requests()[0].url.host_str(), Some(host));
    }
}

#[tokio::test]
async fn a_no_comes_back_as_an_error() {
    let (simulated, simulator) = stage();
    let connector = connector(&simulated, &simulator.denied_credentials(BASE));
    let pairs = visit(&simulated, connector.as_ref()).await;
    assert_eq!((pairs["error"].as_str(), pairs["state"].as_str()), ("access_denied", "state"));
    assert!(!pairs.contains_key("code"));
}

#[tokio::test]
async fn the_newest_refresh_token_is_used_and_an_old_one_needs_a_person() {
    let (simulated, simulator) = stage();
    let consented = vendorkit::Simulator::consented(simulator.as_ref(), credentials(&simulator));
    let works = connector(&simulated, &consented);
    for _ in 0..3 {
        vendorkit::Simulator::expire_tokens(simulator.as_ref());
        works.check().await.unwrap();
    }
    // One that was built from what was stored before: here nobody keeps what a renewal gives.
    let error = connector(&simulated, &consented).check().await.unwrap_err();
    assert_eq!(error.kind, Kind::Credentials, "{error}");
    assert!(error.message.contains("reconnect"), "{error}");
}
