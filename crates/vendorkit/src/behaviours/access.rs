//! Credentials, rights, tokens, and what is said of them.

use std::{collections::HashSet, sync::Arc};

use chrono::TimeDelta;
use integration::{Field, Grant, Input, Kind, Method, Position, Request, Response, Result, Retry};
use serde_json::{Map, Value, json};

use super::{
    Subject,
    stage::{FEW, Stage, Who},
};
use crate::{Fault, Plan, WorldSize};

/// The examples of the fields parse, and so do the simulator's credentials; every mistake is named.
pub async fn accepts_its_own_examples(subject: &Subject) {
    let entry = &subject.entry;
    let example = entry.example();
    let sealed = entry.normalise(&example).unwrap_or_else(|why| panic!("its own examples: {why:?}"));
    assert_eq!(entry.normalise(&sealed).as_ref(), Ok(&sealed), "what is sealed reads back as something else");
    for field in entry.fields() {
        assert!(!field.label.is_empty() && !field.example.is_empty(), "{} has no label or example", field.name);
        let mut lacking = example.clone();
        lacking.remove(field.name);
        match entry.normalise(&lacking) {
            Ok(_) => assert!(!field.required, "{} is required, but may be left out", field.name),
            Err(errors) => assert!(errors.iter().any(|error| error.field == field.name), "{errors:?}"),
        }
    }
    let mut strange = example;
    strange.insert("no_such_field".to_owned(), "x".into());
    let errors = entry.normalise(&strange).expect_err("an unknown field must be refused");
    assert!(errors.iter().any(|error| error.field == "no_such_field"), "{errors:?}");
    for who in [Who::Right, Who::Wrong, Who::Powerless] {
        subject.stage_as(FEW, who);
    }
}

/// Building a connector, and asking what it can do, sends nothing.
pub async fn connect_does_no_io(subject: &Subject) {
    let stage = subject.stage(FEW);
    let _ = stage.connector.listings().len();
    let _ = stage.connector.subscription_quantity().is_some();
    assert_eq!(stage.simulated.count(), 0, "it sent something before it was asked to");
    assert!(!subject.entry.capabilities().is_empty(), "a connector that can do nothing");
}

/// Each field of the form is explained in the README, by its label.
pub async fn readme_explains_every_credential(subject: &Subject) {
    for field in subject.entry.fields() {
        assert!(subject.entry.readme.contains(&field.label), "the README does not explain \"{}\"", field.label);
    }
}

/// The connection test takes at most three requests besides those for tokens, and changes nothing.
pub async fn check_is_cheap_and_harmless(subject: &Subject) {
    let stage = subject.stage(FEW);
    let before = stage.simulated.read(|world| world.revision());
    let checked = stage.connector.check().await.unwrap_or_else(|why| panic!("right credentials are refused: {why}"));
    assert!(checked.warnings.is_empty(), "warnings in spite of all rights: {:?}", checked.warnings);
    let asked = stage.data_requests();
    assert!((1..=3).contains(&asked.len()), "{} requests: {asked:?}", asked.len());
    for request in asked {
        assert!(request.method == Method::Get || request.idempotent, "{request:?} may change something");
    }
    assert_eq!(stage.simulated.read(|world| world.revision()), before, "the test changed the vendor's data");
}

/// Wrong credentials are [`Kind::Credentials`] everywhere, and nothing to retry.
pub async fn refuses_bad_credentials(subject: &Subject) {
    let samples = subject.stage(FEW).samples().await;
    let stage = subject.stage_as(FEW, Who::Wrong);
    let mut errors = vec![stage.connector.check().await.expect_err("wrong credentials pass the test")];
    for target in &samples {
        let page = stage.first_page(target).await;
        errors.push(page.expect_err("wrong credentials list something"));
    }
    for error in errors {
        assert_eq!((error.kind, error.retry), (Kind::Credentials, Retry::No), "{error}");
    }
}

/// Missing rights are [`Kind::Forbidden`], and the connection test says so too.
pub async fn says_forbidden_when_rights_are_missing(subject: &Subject) {
    let samples = subject.stage(FEW).samples().await;
    let stage = subject.stage_as(FEW, Who::Powerless);
    match stage.connector.check().await {
        Ok(checked) => assert!(!checked.warnings.is_empty(), "the test does not mention that rights are missing"),
        Err(error) => assert_eq!((error.kind, error.retry), (Kind::Forbidden, Retry::No), "{error}"),
    }
    for target in &samples {
        let error = stage.first_page(target).await.expect_err("it lists without the right to");
        assert_eq!((error.kind, error.retry), (Kind::Forbidden, Retry::No), "{target:?}: {error}");
    }
}

/// A token that ends in the middle of a listing is replaced once, however many calls wait for it.
pub async fn token_is_refreshed_once(subject: &Subject) {
    let stage = subject.stage(WorldSize { businesses: 30, devices: 2_500, people: 2_500 });
    let samples = stage.samples().await;
    for target in &samples {
        let before = stage.walk(target).await.unwrap_or_else(|why| panic!("{target:?}: {why}"));
        // Before the second page; or, where one page is all, before the first.
        let simulator = stage.simulated.simulator.clone();
        let expire = Fault::Before(Arc::new(move || simulator.expire_tokens()));
        stage.simulated.clear_log();
        stage.faulty.set(Plan::nth(if before.pages > 1 { 2 } else { 1 }, expire));
        let after = stage.walk(target).await.unwrap_or_else(|why| panic!("{target:?} with a token that ended: {why}"));
        stage.faulty.set(Plan::Never);
        assert_eq!(after.ids(), before.ids(), "{target:?}");
        once_each(&stage, "one call");

        stage.simulated.simulator.expire_tokens();
        stage.simulated.clear_log();
        let calls: Vec<_> = (0..8).map(|_| tokio::spawn(page_of(stage.connector.clone(), target.clone()))).collect();
        for call in calls {
            let page = call.await.unwrap_or_else(|why| panic!("{why}"));
            page.unwrap_or_else(|why| panic!("{target:?} among other calls: {why}"));
        }
        once_each(&stage, "eight calls at once");
    }
    stage.simulated.advance(TimeDelta::days(3));
    for target in &samples {
        stage.first_page(target).await.unwrap_or_else(|why| panic!("{target:?} after three days: {why}"));
    }
}

async fn page_of(connector: Arc<dyn integration::Connector>, target: super::stage::Target) -> Result<usize> {
    let listing = connector.listings().into_iter().find(|listing| listing.kind() == target.kind);
    let listing = listing.expect("it was there before");
    let at = Position { entity: target.entity.as_deref(), ..Position::default() };
    listing.page(at).await.map(|page| page.records.len())
}

/// No request for a token was sent twice.
fn once_each(stage: &Stage, when: &str) {
    let asked = stage.token_requests();
    for (at, one) in asked.iter().enumerate() {
        let twice = asked[..at].iter().any(|other| other.url == one.url && other.body == one.body);
        assert!(!twice, "with {when}, {one:?} was sent more than once");
    }
}

/// Neither secrets nor tokens appear in errors, addresses or debug texts, even when the vendor
/// repeats what it was sent.
pub async fn never_repeats_a_secret(subject: &Subject) {
    let samples = subject.stage(FEW).samples().await;
    let stage = subject.stage(FEW);
    stage.connector.check().await.unwrap_or_else(|why| panic!("{why}"));
    let mut secrets = secret_values(subject, &stage.credentials);
    let tokens = stage.simulated.requests().into_iter().filter_map(|request| {
        let value = request.header_value("authorization")?;
        Some(value.rsplit(' ').next().unwrap_or(value).to_owned())
    });
    secrets.extend(tokens);
    assert!(!secrets.is_empty(), "a vendor without any secret");

    let mut texts = Vec::new();
    for status in [400, 401, 403, 422, 500] {
        stage
            .faulty
            .set(Plan::Always(Fault::Alter(Arc::new(move |request, response| echo(status, request, response)))));
        for target in &samples {
            if let Err(error) = stage.first_page(target).await {
                texts.push(error.to_string());
                texts.push(format!("{error:?}"));
            }
        }
    }
    for request in stage.simulated.requests() {
        texts.push(request.url.to_string());
        texts.push(format!("{request:?}"));
        secrets.extend(request.header_value("authorization").and_then(|v| v.rsplit(' ').next()).map(str::to_owned));
    }
    // The token request repeats what it was sent, too: the answer to wrong credentials.
    let wrong = subject.stage_as(FEW, Who::Wrong);
    secrets.extend(secret_values(subject, &wrong.credentials));
    wrong.token_faulty.set(Plan::Always(Fault::Alter(Arc::new(|request, response| echo(401, request, response)))));
    wrong.faulty.set(Plan::Always(Fault::Alter(Arc::new(|request, response| echo(401, request, response)))));
    let error = wrong.connector.check().await.expect_err("wrong credentials pass the test");
    texts.extend([error.to_string(), format!("{error:?}")]);

    for (text, secret) in texts.iter().flat_map(|text| secrets.iter().map(move |secret| (text, secret))) {
        assert!(!text.contains(secret.as_str()), "a secret shows in: {}", text.replace(secret.as_str(), "<HERE>"));
    }
}

pub(super) fn secret_values(subject: &Subject, credentials: &Map<String, Value>) -> HashSet<String> {
    let fields = subject.entry.fields();
    let mut secrets = HashSet::new();
    for field in fields {
        let value = credentials.get(field.name).and_then(Value::as_str);
        match (field.input, value) {
            (Input::Secret, Some(value)) => drop(secrets.insert(value.to_owned())),
            (Input::Consent, Some(value)) => {
                let grant = Grant::parse(value).unwrap_or_else(|why| panic!("{}: {why}", field.name));
                secrets.extend([grant.refresh.expose().to_owned(), grant.access.expose().to_owned()]);
            }
            _ => {}
        }
    }
    secrets
}

/// An answer in which a careless vendor repeats the request, in every place where vendors put words.
fn echo(status: u16, request: &Request, mut response: Response) -> Response {
    let headers: Vec<String> = request.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    let words = format!("you sent {} {} {:?}", request.url, headers.join(" "), request.body);
    let body = json!({
        "error": { "code": &words, "message": &words }, "error_description": &words, "message": &words, "title": &words,
        "detail": &words, "details": [{ "message": &words }], "errorMessage": &words, "errorDetails": &words,
        "resultCode": &words, "errors": [&words],
    });
    response.status = status;
    response.headers = vec![("content-type".into(), "application/json".into()), ("x-request-id".into(), words.clone())];
    response.body = if status == 422 { json!({ "error": words }).to_string() } else { body.to_string() }.into();
    response
}
