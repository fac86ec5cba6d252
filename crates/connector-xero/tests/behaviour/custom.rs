//! A custom connection: the whole suite again, and what only this way of connecting does.

use connector_xero::{Simulator, Xero};
use integration::{Body, Delivery, Entry, Kind, RecordKind, Request, Response, Retry, Secret};
use serde_json::{Map, Value};
use vendorkit::{SharedWorld, World};

use crate::stage::{BASE, Form, all, connector, granted, vendor};

vendorkit::behaviours! { vendor: Xero, simulator: Custom }

/// The same vendor, connected by id and secret alone.
#[derive(Default)]
pub struct Custom(Simulator);

impl vendorkit::Simulator for Custom {
    fn id(&self) -> &'static str {
        self.0.id()
    }
    fn answer(&self, world: &SharedWorld, request: &Request) -> Response {
        self.0.answer(world, request)
    }
    fn credentials(&self, base: &str) -> Map<String, Value> {
        self.0.custom_credentials(base)
    }
    fn wrong_credentials(&self, base: &str) -> Map<String, Value> {
        let mut form = self.0.custom_credentials(base);
        form.insert("client_secret".to_owned(), "xero-simulated-wrong-secret".into());
        form
    }
    fn powerless_credentials(&self, base: &str) -> Map<String, Value> {
        self.0.powerless_custom_credentials(base)
    }
    fn consented(&self, credentials: Map<String, Value>) -> Map<String, Value> {
        self.0.consented(credentials)
    }
    fn expire_tokens(&self) {
        self.0.expire_tokens();
    }
    fn expected(&self, world: &World, kind: RecordKind) -> Option<usize> {
        self.0.expected(world, kind)
    }
    fn unpaged(&self, kind: RecordKind) -> bool {
        self.0.unpaged(kind)
    }
    fn delivery(&self, world: &World, secret: &Secret) -> Option<Delivery> {
        self.0.delivery(world, secret)
    }
}

fn custom() -> Form {
    Simulator::default().custom_credentials(BASE)
}

#[test]
fn only_a_web_app_wants_consent() {
    let entry = Entry::of::<Xero>();
    assert_eq!(entry.consent_wanted(&custom()), None);
    assert_eq!(entry.consent_wanted(&granted(&[])), Some("grant"));
    assert_eq!(entry.consent_wanted(&granted(&[("way", "web_app")])), Some("grant"));
    assert_eq!(entry.consent_wanted(&Map::new()), Some("grant"), "what does not parse is taken to want it");
    let vendor = vendor();
    assert!(connector(&vendor, &custom()).consent().is_none());
    assert!(connector(&vendor, &granted(&[])).consent().is_some());
}

#[tokio::test]
async fn one_token_and_one_question_for_the_organisation_serve_everything() {
    let vendor = vendor();
    let connector = connector(&vendor, &custom());
    let checked = connector.check().await.unwrap();
    assert_eq!(checked.account.as_deref(), Some("Example Managed Services"));
    for kind in [RecordKind::Entity, RecordKind::Contact, RecordKind::Invoice, RecordKind::RepeatingInvoice] {
        assert!(!all(connector.as_ref(), kind).await.is_empty(), "{kind:?}");
    }
    let requests = vendor.requests();
    let asked = |end: &str| requests.iter().filter(|request| request.url.path().ends_with(end)).collect::<Vec<_>>();
    assert_eq!(asked("/connections").len(), 1);
    let [token] = asked("/connect/token")[..] else { panic!("not one token request") };
    // The app's id and secret, in base64.
    let proof = "Basic eGVyby1zaW11bGF0ZWQtY3VzdG9tOnhlcm8tc2ltdWxhdGVkLXNlY3JldA==";
    assert_eq!(token.header_value("authorization"), Some(proof));
    let Body::Form(pairs) = &token.body else { panic!("not a form") };
    let scope = "accounting.contacts.read accounting.settings.read accounting.invoices.read";
    let wanted = [("grant_type", "client_credentials"), ("scope", scope)];
    assert_eq!(*pairs, wanted.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let data: Vec<_> = requests.iter().filter(|request| request.url.path().contains("/api.xro/")).collect();
    assert!(data.iter().all(|request| request.header_value("xero-tenant-id").is_some_and(|id| id.len() == 36)));
    assert!(data.iter().all(|request| request.header_value("accept") == Some("application/json")));
}

#[tokio::test]
async fn one_that_was_ended_at_xero_says_where_to_mend_it() {
    let connector = connector(&vendor(), &Simulator::default().ended_custom_credentials(BASE));
    let error = connector.check().await.unwrap_err();
    assert_eq!((error.kind, error.retry), (Kind::Credentials, Retry::No), "{error}");
    assert!(error.message.contains("no organisation"), "{error}");
}

#[tokio::test]
async fn a_scope_that_the_app_lacks_is_named_as_that() {
    let mut form = custom();
    form.insert("scopes".to_owned(), "broad".into());
    let error = connector(&vendor(), &form).check().await.unwrap_err();
    assert_eq!((error.kind, error.retry), (Kind::Forbidden, Retry::No), "{error}");
    assert!(error.message.contains("Scopes"), "{error}");
    assert_eq!(error.vendor_message.as_deref(), Some("invalid_scope"));
}
