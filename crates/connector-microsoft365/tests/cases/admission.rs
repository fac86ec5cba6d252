//! Tenants whose own administrator lets the app in.

use std::{collections::BTreeMap, sync::Arc};

use connector_microsoft365::{Credentials, Microsoft365};
use integration::{
    Admission, AdmissionAnswer, AdmissionAsk, Connector, CredentialsForm, Entry, Kind, Request, Retry, Transport,
    Vendor,
};
use serde_json::json;
use vendorkit::{Replay, Simulated, Simulator, World, WorldSize, a_tuesday};

use super::answers::{Answers, TENANT};

const VENDOR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vendor");
const BACK: &str = "https://panelone.example/oauth/admin-consent";
const STATE: &str = "a-state-of-our-own-0001";

fn over(files: &[&str]) -> (Arc<Replay>, Microsoft365) {
    let replay = Arc::new(Replay::files(VENDOR, files).expect("the exchanges"));
    let credentials = Credentials::parse(&Credentials::example()).expect("the example");
    (replay.clone(), Microsoft365::connect(credentials, replay))
}

fn of(connector: &Microsoft365) -> &dyn Admission {
    connector.admission().expect("lets tenants in")
}

fn query(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[tokio::test]
async fn a_tenant_is_found_by_its_domain_and_an_id_needs_no_question() {
    let (replay, connector) = over(&["openid_configuration"]);
    assert_eq!(of(&connector).find(" Contoso.example ").await.expect("finds"), TENANT);
    assert_eq!(of(&connector).find(&TENANT.to_uppercase()).await.expect("is one"), TENANT);
    replay.finish().expect("one question");
    let (replay, connector) = over(&["openid_configuration_unknown"]);
    let error = of(&connector).find("contoso.example").await.expect_err("nobody's");
    assert_eq!((error.kind, error.retry), (Kind::NotFound, Retry::No), "{error}");
    assert!(error.message.contains("contoso.example"), "{error}");
    replay.finish().expect("one question");
}

#[tokio::test]
async fn what_is_no_domain_is_never_asked_about() {
    let answers = Arc::new(Answers::default());
    let connector = answers.connector();
    for named in ["", "contoso", "127.0.0.1", "a.b/../../x", "a.b?x=1", "evil@a.b", "a.b#c"] {
        let error = of(&connector).find(named).await.expect_err(named);
        assert_eq!((error.kind, error.status), (Kind::Refused, None), "{named}: {error}");
    }
    assert!(answers.addresses().is_empty(), "{:?}", answers.addresses());
}

#[tokio::test]
async fn a_document_that_names_no_tenant_is_not_believed() {
    for body in
        [json!({}), json!({ "issuer": "https://login.microsoftonline.com/common/v2.0" }), json!({ "issuer": "?" })]
    {
        let answers = Arc::new(Answers::default()).json(&body);
        let error = of(&answers.connector()).find("contoso.example").await.expect_err("names none");
        assert_eq!(error.kind, Kind::Unreadable, "{body}");
    }
}

#[tokio::test]
async fn the_page_holds_what_is_asked_and_no_secret() {
    let connector = Arc::new(Answers::default()).connector();
    let page = of(&connector).page(&AdmissionAsk { entity: TENANT, redirect_uri: BACK, state: STATE });
    assert_eq!(page.path(), format!("/{TENANT}/adminconsent"));
    let pairs: BTreeMap<String, String> = page.query_pairs().into_owned().collect();
    let client = "00000000-0000-4000-8000-000000000001";
    assert_eq!(pairs, query(&[("client_id", client), ("redirect_uri", BACK), ("state", STATE)]));
}

#[test]
fn answers_are_read_and_what_is_none_is_told_apart() {
    let connector = Arc::new(Answers::default()).connector();
    let answer = |pairs: &[(&str, &str)]| of(&connector).answer(&query(pairs));
    let upper = TENANT.to_uppercase();
    assert_eq!(
        answer(&[("admin_consent", "True"), ("tenant", &upper)]),
        Some(AdmissionAnswer::Given(TENANT.to_owned()))
    );
    let declined = answer(&[("error", "access_denied"), ("error_description", "No."), ("admin_consent", "True")]);
    assert_eq!(declined, Some(AdmissionAnswer::Declined("access_denied: No.".to_owned())));
    assert!(matches!(answer(&[("admin_consent", "False"), ("tenant", TENANT)]), Some(AdmissionAnswer::Declined(_))));
    let none: [&[(&str, &str)]; 4] =
        [&[], &[("tenant", TENANT)], &[("admin_consent", "True")], &[("admin_consent", "True"), ("tenant", "x")]];
    for none in none {
        assert_eq!(answer(none), None, "{none:?}");
    }
}

#[tokio::test]
async fn a_tenant_that_lets_us_in_is_read_as_the_listing_reads_it() {
    let (replay, connector) = over(&["token_customer", "organization"]);
    let raw = of(&connector).look(TENANT).await.expect("reads");
    replay.finish().expect("a token and one question");
    let item = connector.entities().expect("tenants").read(&raw).expect("as a listing has it");
    assert_eq!((item.id.as_str(), item.record.name.as_str()), (TENANT, "Contoso"));
    assert_eq!(item.record.domains, ["contoso.example"]);
    for (file, kind) in [("token_consent_missing", Kind::Forbidden), ("token_tenant_unknown", Kind::NotFound)] {
        let (_, connector) = over(&[file]);
        assert_eq!(of(&connector).look(TENANT).await.expect_err(file).kind, kind, "{file}");
    }
}

#[tokio::test]
async fn a_tenant_that_the_partner_does_not_list_is_let_in_by_its_administrator() {
    let world = World::generate(WorldSize::DEMO, 7, a_tuesday());
    let simulator = Arc::new(connector_microsoft365::simulator::Microsoft365Simulator::default());
    let simulated = Arc::new(Simulated::new(simulator.clone(), world));
    let credentials = simulator.credentials("http://127.0.0.1:4100/microsoft365");
    let credentials = Credentials::parse(&credentials).expect("the simulator's own");
    let connector = Microsoft365::connect(credentials, simulated.clone());
    let (tenant, domain) = simulated.read(|world| {
        let mut others = world.businesses().iter().filter(|business| !business.vendors.contains(Microsoft365::ID));
        let other = others.next().expect("a business that the partner does not list");
        (other.tenant_id, other.domain.clone())
    });
    let admission = of(&connector);
    let found = admission.find(&domain).await.expect("finds");
    assert_eq!(found, tenant.to_string());
    admission.look(&found).await.expect_err("nobody consented");
    let page = admission.page(&AdmissionAsk { entity: &found, redirect_uri: BACK, state: STATE });
    let answer = simulated.send(Request::get(page)).await.expect("the page answers");
    let back = url::Url::parse(answer.header("location").expect("leads back")).expect("an address");
    let mut pairs: BTreeMap<String, String> = back.query_pairs().into_owned().collect();
    assert_eq!(pairs.remove("state").as_deref(), Some(STATE));
    assert_eq!(admission.answer(&pairs), Some(AdmissionAnswer::Given(found.clone())));
    let raw = admission.look(&found).await.expect("reads");
    let item = connector.entities().expect("tenants").read(&raw).expect("an entity");
    assert_eq!(item.record.domains, [domain]);
    simulator.decide(tenant, false);
    assert!(matches!(admission.look(&found).await, Err(error) if error.kind != Kind::Unreadable));
    assert!(Entry::of::<Microsoft365>().admits());
}
