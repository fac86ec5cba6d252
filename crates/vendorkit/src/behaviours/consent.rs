//! Consent at the vendor's own page.

use std::collections::{BTreeMap, HashMap};

use integration::{
    Connector, ConsentAnswer, ConsentAsk, Field, Kind, Request, Retry, Secret, Transport, oauth::challenge,
};
use serde_json::Value;

use super::{
    Subject,
    stage::{FEW, Stage},
};

const BACK: &str = "https://panelone.example/oauth/callback";
const STATE: &str = "a-state-of-our-own-0001";
const VERIFIER: &str = "a-verifier-of-forty-three-characters-0001-x";

/// Without a grant nothing is sent, and the words say what to do. The page is asked with PKCE and gives a code for
/// our state; the code is good for one exchange, by whoever asked for it. Credentials that want no
/// grant have no page.
pub async fn consent_is_asked_and_exchanged_once(subject: &Subject) {
    let stage = subject.stage(FEW);
    let Some(field) = subject.entry.consent_wanted(&stage.credentials) else {
        assert!(stage.connector.consent().is_none(), "a page, but no field for what it gives");
        return;
    };
    let connector = over(subject, &stage, field, None);
    stage.simulated.clear_log();
    let error = connector.check().await.expect_err("it works without consent");
    assert_eq!((error.kind, error.retry), (Kind::Credentials, Retry::No), "{error}");
    assert!(error.message.contains("consent"), "{error}");
    assert_eq!(stage.simulated.count(), 0, "it sent something without consent");

    let consent = connector.consent().unwrap_or_else(|| panic!("a field for a grant, but no page that gives it"));
    let answer = |code: &str, verifier: &str, query: &BTreeMap<String, String>| ConsentAnswer {
        code: Secret::new(code.to_owned()),
        verifier: Secret::new(verifier.to_owned()),
        redirect_uri: BACK.to_owned(),
        query: query.clone(),
    };
    let (code, query) = visit(subject, &stage, connector.as_ref()).await;
    let error = consent.exchange(&answer(&code, "another-verifier-of-forty-three-characters", &query)).await;
    let error = error.expect_err("a code with another verifier is exchanged");
    assert_eq!((error.kind, error.retry), (Kind::Refused, Retry::No), "{error}");
    assert!(!format!("{error} {error:?}").contains(&code), "the code shows: {error}");

    let (code, query) = visit(subject, &stage, connector.as_ref()).await;
    let grant =
        consent.exchange(&answer(&code, VERIFIER, &query)).await.unwrap_or_else(|why| panic!("no grant: {why}"));
    assert!(grant.ends_at > stage.simulated.now(), "a grant that has ended already");
    let works = over(subject, &stage, field, grant.store());
    works.check().await.unwrap_or_else(|why| panic!("a fresh grant is refused: {why}"));
    let error = consent.exchange(&answer(&code, VERIFIER, &query)).await.expect_err("a code is exchanged twice");
    assert_eq!(error.kind, Kind::Refused, "{error}");
}

fn over(subject: &Subject, stage: &Stage, field: &str, grant: Option<String>) -> Box<dyn Connector> {
    let mut credentials = stage.credentials.clone();
    credentials.remove(field);
    credentials.extend(grant.map(|grant| (field.to_owned(), Value::String(grant))));
    let connector = subject.entry.connect(&credentials, stage.faulty.clone());
    connector.unwrap_or_else(|why| panic!("credentials without a grant: {why:?}"))
}

/// Goes to the page as a person would, and comes back with a code and what else the vendor says.
async fn visit(subject: &Subject, stage: &Stage, connector: &dyn Connector) -> (String, BTreeMap<String, String>) {
    let consent = connector.consent().unwrap_or_else(|| panic!("no page"));
    let challenge = challenge(VERIFIER);
    let page = consent.page(&ConsentAsk { redirect_uri: BACK, state: STATE, code_challenge: &challenge });
    let asked: HashMap<String, String> = page.query_pairs().into_owned().collect();
    for (name, value) in [
        ("response_type", "code"),
        ("redirect_uri", BACK),
        ("state", STATE),
        ("code_challenge", challenge.as_str()),
        ("code_challenge_method", "S256"),
    ] {
        assert_eq!(asked.get(name).map(String::as_str), Some(value), "{name}");
    }
    for secret in super::access::secret_values(subject, &stage.credentials) {
        assert!(!page.as_str().contains(&secret), "a secret stands in the page's address");
    }
    let answer = stage.simulated.send(Request::get(page)).await.unwrap_or_else(|why| panic!("{why}"));
    let back = answer.header("location").unwrap_or_else(|| panic!("the page sends nobody back: {answer:?}"));
    let back = url::Url::parse(back).unwrap_or_else(|why| panic!("{back}: {why}"));
    assert!(back.as_str().starts_with(BACK), "{back}");
    let mut pairs: BTreeMap<String, String> = back.query_pairs().into_owned().collect();
    assert_eq!(pairs.remove("state").as_deref(), Some(STATE), "{back}");
    let code = pairs.remove("code").unwrap_or_else(|| panic!("no code: {back}"));
    (code, pairs)
}
