//! Which organisation a consent is for, and what is asked of the page.

use std::{collections::BTreeMap, sync::Arc};

use connector_xero::Simulator;
use integration::{Connector, ConsentAnswer, ConsentAsk, Field, Grant, Kind, Request, Retry, Secret, Transport, oauth};
use serde_json::Value;
use url::Url;
use vendorkit::Simulated;

use crate::stage::{BASE, Form, connector, vendor};

const BACK: &str = "https://panelone.example/oauth/callback";
const VERIFIER: &str = "a-verifier-of-forty-three-characters-0001-x";

/// Goes to the page; the pairs that one comes back with.
async fn visit(vendor: &Simulated, connector: &dyn Connector) -> BTreeMap<String, String> {
    let challenge = oauth::challenge(VERIFIER);
    let ask = ConsentAsk { redirect_uri: BACK, state: "state", code_challenge: &challenge };
    let answer = vendor.send(Request::get(connector.consent().unwrap().page(&ask))).await.unwrap();
    Url::parse(answer.header("location").unwrap()).unwrap().query_pairs().into_owned().collect()
}

async fn exchange(vendor: &Arc<Simulated>, form: &Form) -> integration::Result<Grant> {
    let connector = connector(vendor, form);
    let query = visit(vendor, connector.as_ref()).await;
    let secret = |text: &str| Secret::new(text.to_owned());
    let answer = ConsentAnswer {
        code: secret(&query["code"]),
        verifier: secret(VERIFIER),
        redirect_uri: BACK.to_owned(),
        query: BTreeMap::new(),
    };
    connector.consent().unwrap().exchange(&answer).await
}

fn choosing(organisation: &str) -> Form {
    let mut form = Simulator::default().ambiguous_credentials(BASE);
    form.insert("organisation".to_owned(), organisation.into());
    form
}

#[tokio::test]
async fn the_only_organisation_is_taken_and_a_practice_is_none() {
    let vendor = vendor();
    let form = vendorkit::Simulator::credentials(&Simulator::default(), BASE);
    let grant = exchange(&vendor, &form).await.unwrap();
    let tenant = grant.account().unwrap().to_owned();
    let mut form = form;
    form.extend(grant.store().map(|grant| ("grant".to_owned(), Value::String(grant))));
    vendor.clear_log();
    let checked = connector(&vendor, &form).check().await.unwrap();
    assert_eq!(checked.account.as_deref(), Some("Example Managed Services"));
    let requests = vendor.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].header_value("xero-tenant-id"), Some(tenant.as_str()));
}

#[tokio::test]
async fn several_organisations_are_named_and_one_is_chosen_by_name_or_id() {
    let vendor = vendor();
    let error = exchange(&vendor, &Simulator::default().ambiguous_credentials(BASE)).await.unwrap_err();
    assert_eq!((error.kind, error.retry), (Kind::Refused, Retry::No), "{error}");
    for part in ["enter one of them as Organisation", "Example Managed Services (", "Example Holdings ("] {
        assert!(error.message.contains(part), "{error}");
    }
    let by_name = exchange(&vendor, &choosing(" example HOLDINGS ")).await.unwrap();
    let id = by_name.account().unwrap();
    assert!(error.message.contains(id), "{error}");
    let by_id = exchange(&vendor, &choosing(&id.to_uppercase())).await.unwrap();
    assert_eq!(by_id.account(), Some(id));
    let error = exchange(&vendor, &choosing("Another")).await.unwrap_err();
    assert_eq!(error.kind, Kind::Refused, "{error}");
    assert!(error.message.contains("not among"), "{error}");
}

#[tokio::test]
async fn the_page_asks_for_the_scopes_of_the_kind_of_app() {
    let vendor = vendor();
    let older = Simulator::default().older_credentials(BASE);
    let connector_of = |form: &Form| connector(&vendor, form);
    let ask = ConsentAsk { redirect_uri: BACK, state: "s&t=ate", code_challenge: "challenge" };
    let page = connector_of(&older).consent().unwrap().page(&ask);
    assert!(page.as_str().starts_with(&format!("{BASE}/identity/connect/authorize?")), "{page}");
    let pairs: BTreeMap<String, String> = page.query_pairs().into_owned().collect();
    assert_eq!(pairs["state"], "s&t=ate");
    let scope = "offline_access accounting.contacts.read accounting.settings.read accounting.transactions.read";
    assert_eq!(pairs["scope"], scope);
    assert!(exchange(&vendor, &older).await.is_ok());
    // A newer app may not ask for those.
    let mut newer = vendorkit::Simulator::credentials(&Simulator::default(), BASE);
    newer.insert("scopes".to_owned(), "broad".into());
    let back = visit(&vendor, connector_of(&newer).as_ref()).await;
    assert_eq!((back["error"].as_str(), back["state"].as_str()), ("invalid_scope", "state"));
    assert!(!back.contains_key("code"));
}
