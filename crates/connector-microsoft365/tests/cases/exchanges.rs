//! The exchanges of `tests/vendor`, and what becomes of them.

use std::{sync::Arc, time::Duration};

use connector_microsoft365::{Credentials, Microsoft365};
use integration::{Connector, CredentialsForm, Kind, Position, Result, Retry, Vendor};
use vendorkit::Replay;

use super::answers::TENANT;

const VENDOR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vendor");
const AT: Position<'static> = Position { entity: Some(TENANT), cursor: None, since: None };

/// A connector to which only these exchanges answer.
fn over(files: &[&str]) -> (Arc<Replay>, Microsoft365) {
    let replay = Arc::new(Replay::files(VENDOR, files).expect("the exchanges"));
    let credentials = Credentials::parse(&Credentials::example()).expect("the example");
    (replay.clone(), Microsoft365::connect(credentials, replay))
}

async fn tenants(connector: &Microsoft365) -> Result<usize> {
    Ok(connector.entities().expect("tenants").page(Position::default()).await?.records.len())
}

#[tokio::test]
async fn refusals_of_the_partner_tenant_are_about_the_credentials() {
    for (file, words) in [
        ("token_secret_wrong", "secret is wrong"),
        ("token_secret_expired", "secret has expired"),
        ("token_app_unknown", "no app with this client ID"),
    ] {
        let (replay, connector) = over(&[file]);
        let error = tenants(&connector).await.expect_err(file);
        assert_eq!((error.kind, error.retry), (Kind::Credentials, Retry::No), "{file}");
        assert!(error.message.contains(words), "{error}");
        assert!(error.vendor_message.as_deref().is_some_and(|words| words.starts_with("AADSTS")), "{error:?}");
        assert!(error.vendor_request_id.is_some(), "{error:?}");
        replay.finish().expect("one token was asked for");

        let (_, connector) = over(&[file]);
        assert_eq!(connector.check().await.expect_err(file).kind, Kind::Credentials, "{file}");
    }
}

#[tokio::test]
async fn refusals_of_a_customers_tenant_are_about_that_tenant() {
    for (file, kind, words) in [
        ("token_consent_missing", Kind::Forbidden, "send its administrator the admin consent link"),
        ("token_consent_withdrawn", Kind::Forbidden, "consent is missing in this tenant"),
        ("token_tenant_unknown", Kind::NotFound, "knows no tenant"),
    ] {
        let (replay, connector) = over(&[file]);
        let error = connector.domains().expect("domains").page(AT).await.expect_err(file);
        assert_eq!((error.kind, error.retry), (kind, Retry::No), "{file}");
        assert!(error.message.contains(words), "{error}");
        replay.finish().expect("one token was asked for");
    }
}

#[tokio::test]
async fn refusals_by_graph_say_what_to_do() {
    let cases: [(&str, Kind, Retry, &str); 3] = [
        ("sign_in_methods_not_premium", Kind::NotOffered, Retry::No, "94fb0000-0000-4000-8000-000000000003"),
        ("sign_in_methods_refused", Kind::Forbidden, Retry::No, "94fb0000-0000-4000-8000-0000000000ff"),
        (
            "throttled",
            Kind::Throttled,
            Retry::After(Duration::from_millis(2500)),
            "94fb0000-0000-4000-8000-000000000005",
        ),
    ];
    for (file, kind, retry, request_id) in cases {
        let (replay, connector) = over(&["token_customer", file]);
        let page = if file == "throttled" {
            connector.licences().expect("licences").page(AT).await
        } else {
            connector.sign_in_methods().expect("methods").page(AT).await
        };
        let error = page.expect_err(file);
        assert_eq!((error.kind, error.retry), (kind, retry), "{file}");
        assert_eq!(error.vendor_request_id.as_deref(), Some(request_id), "{file}");
        replay.finish().expect("all were asked for");
    }
}

#[tokio::test]
async fn changes_and_forgotten_marks() {
    let mark = |name: &str| format!("https://vendor.example/v1.0/users/delta?$deltatoken={name}");
    for (file, since) in [("users_forgotten", "mark-0"), ("users_state_not_found", "mark-00")] {
        let (replay, connector) = over(&["token_customer", file]);
        let since = mark(since);
        let at = Position { since: Some(&since), ..AT };
        let error = connector.directory_users().expect("users").page(at).await.expect_err(file);
        assert_eq!((error.kind, error.retry), (Kind::Expired, Retry::No), "{file}");
        replay.finish().expect("all were asked for");
    }
    let (replay, connector) = over(&["token_customer", "users_changes"]);
    let since = mark("mark-1");
    let page = connector.directory_users().expect("users").page(Position { since: Some(&since), ..AT }).await;
    let page = page.expect("changes");
    assert!(page.changes_only);
    assert_eq!((page.records.len(), page.removed.len(), page.mark), (1, 2, Some(mark("mark-2"))));
    replay.finish().expect("all were asked for");
}

#[tokio::test]
async fn a_tenant_without_premium_is_listed_by_the_feed_alone() {
    let files = ["token_customer", "users_end_of_feed", "users_not_premium", "users_first", "users_first_2"];
    let (replay, connector) = over(&files);
    let users = connector.directory_users().expect("users");
    let first = users.page(AT).await.expect("a page");
    let last = users.page(Position { cursor: first.next.as_ref(), ..AT }).await.expect("the last page");
    let read: Vec<_> =
        first.records.iter().chain(&last.records).map(|raw| users.read(raw).expect("a user").record).collect();
    assert_eq!(read.len(), 2);
    assert!(read.iter().all(|user| user.last_sign_in_at.is_none()));
    assert_eq!(last.mark.as_deref(), Some("https://vendor.example/v1.0/users/delta?$deltatoken=mark-1"));
    replay.finish().expect("all were asked for, with one token");
}

#[tokio::test]
async fn licences_count_grace_and_know_what_is_free() {
    let (_, connector) = over(&["token_customer", "licences"]);
    let licences = connector.licences().expect("licences");
    let page = licences.page(AT).await.expect("a page");
    let read: Vec<_> = page.records.iter().map(|raw| licences.read(raw).expect("a licence").record).collect();
    let seen: Vec<_> = read.iter().map(|l| (l.name.as_str(), l.total, l.used, l.unlimited)).collect();
    let expected = [
        ("Microsoft 365 Business Premium", Some(25), Some(21), false),
        ("Power Automate Free", Some(10_000), Some(3), true),
        ("A_PRODUCT_OF_TOMORROW", Some(1_000_000), Some(1), true),
    ];
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn roles_of_users_only_and_the_score_by_its_day() {
    let (_, connector) = over(&["token_customer", "admin_roles", "admin_roles_2", "secure_score"]);
    let roles = connector.admin_roles().expect("roles");
    let first = roles.page(AT).await.expect("an empty page");
    let page = roles.page(Position { cursor: first.next.as_ref(), ..AT }).await.expect("a page");
    let read: Vec<_> = page.records.iter().map(|raw| roles.read(raw).expect("a role")).collect();
    let seen: Vec<_> = read.iter().map(|item| (item.id.as_str(), item.record.role.as_str())).collect();
    assert_eq!(seen, [("lAPp-1", "Global Administrator"), ("lAPp-4", "e1000000-0000-4000-8000-000000000004")]);

    let scores = connector.secure_scores().expect("scores");
    let page = scores.page(AT).await.expect("a page");
    let score = scores.read(&page.records[0]).expect("a score");
    assert_eq!(score.id, TENANT);
    let record = score.record;
    assert_eq!((record.current, record.max, record.average), (212.4, 318.0, Some(131.2)));
    assert_eq!(record.day.map(|day| day.to_string()).as_deref(), Some("2026-09-30"));
}

/// `vendor-specs/microsoft365/graph-v1.0-subset.csdl`: a property without `Nullable="false"` may be null.
#[test]
fn what_microsoft_describes_as_nullable_may_be_null() {
    let (_, connector) = over(&[]);
    let licences = connector.licences().expect("licences");
    let units = r#"{"enabled":null,"warning":5,"suspended":null,"lockedOut":null}"#;
    let raw = format!(r#"{{"id":"l1","skuId":null,"skuPartNumber":null,"consumedUnits":null,"prepaidUnits":{units}}}"#);
    let licence = licences.read(raw.as_bytes()).expect("nothing but its id is told");
    assert_eq!((licence.id.as_str(), licence.record.name.as_str()), ("l1", "l1"));
    assert_eq!((licence.record.total, licence.record.used), (None, None), "unknown is never zero");
    let raw = br#"{"id":"l2","skuId":"s2","skuPartNumber":"SPB","prepaidUnits":{"enabled":20,"warning":null}}"#;
    assert_eq!(licences.read(raw).expect("no unit is in grace").record.total, Some(20));

    let users = connector.directory_users().expect("users");
    let raw = br#"{"id":"u1","assignedLicenses":[{"skuId":null,"disabledPlans":[]},{"skuId":"s2"}]}"#;
    assert_eq!(users.read(raw).expect("one licence is named").record.licence_ids, ["s2"]);
}
