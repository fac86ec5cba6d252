//! The key, the address and what the connection test says.

use integration::{Connector, Entity, Kind, Retry};
use serde_json::{Value, json};

use crate::script::{connector, connector_at, pages};

fn msp(users: u64) -> (u16, Value) {
    (200, json!({ "name": "Northern Managed Services", "tenant_user_count": users }))
}

#[tokio::test]
async fn the_key_goes_in_its_own_header_and_nowhere_else() {
    for (entered, base) in [
        (None, "https://ai.hatz.ai/v1"),
        (Some("https://api.hatz.example"), "https://api.hatz.example/v1"),
        (Some("https://api.hatz.example/v1/"), "https://api.hatz.example/v1"),
        (Some("https://proxy.example/hatz"), "https://proxy.example/hatz/v1"),
    ] {
        let (hatz, script) = connector_at(entered, [msp(1), (200, json!([{ "id": "tenant_a" }]))]);
        let checked = hatz.check().await.unwrap();
        assert_eq!(checked.account.as_deref(), Some("Northern Managed Services"));
        assert!(checked.warnings.is_empty());
        let urls: Vec<_> = script.requests().iter().map(|request| request.url.to_string()).collect();
        let expected = ["/admin/tenants/msp", "/admin/tenants?limit=1&offset=0"].map(|end| format!("{base}{end}"));
        assert_eq!(urls, expected);
        for request in script.requests() {
            assert_eq!(request.header_value("x-api-key"), Some("key-0001"));
            assert_eq!(request.header_value("authorization"), None);
        }
    }
}

#[tokio::test]
async fn tenants_that_are_hidden_from_the_key_are_not_no_tenants() {
    for (users, warnings) in [(28, 1), (0, 0)] {
        let (hatz, _) = connector([msp(users), (200, json!([]))]);
        assert_eq!(hatz.check().await.unwrap().warnings.len(), warnings, "{users} users");
    }
    // Older editions lack the MSP's own account at this place.
    let (hatz, _) = connector([(404, json!({ "detail": "Not Found" })), (200, json!([{ "id": "tenant_a" }]))]);
    let checked = hatz.check().await.unwrap();
    assert_eq!((checked.account, checked.warnings.len()), (None, 0));
}

#[tokio::test]
async fn a_refusal_says_what_to_do() {
    for (status, kind, words) in [(401, Kind::Credentials, "new one"), (403, Kind::Forbidden, "MSP administrator")] {
        let (hatz, _) = connector([(status, json!({ "detail": "Not authorized" }))]);
        let error = hatz.check().await.unwrap_err();
        assert_eq!((error.kind, error.retry), (kind, Retry::No));
        assert!(error.message.contains(words), "{error}");
        assert_eq!(error.vendor_request_id.as_deref(), Some("request-0001"));
    }
}

#[tokio::test]
async fn the_vendors_words_are_kept_in_any_shape() {
    for (body, words) in [
        (json!({ "detail": "Not authorized" }), Some("Not authorized")),
        (
            json!({ "detail": [{ "loc": ["query", "limit"], "msg": "too large" }, { "msg": "and odd" }] }),
            Some("too large; and odd"),
        ),
        (json!({ "detail": null, "message": "first" }), Some("first")),
        (json!({ "error": { "message": "inner" } }), Some("inner")),
        (json!("plain"), Some("plain")),
        (json!({ "code": 7 }), None),
    ] {
        let (hatz, _) = connector([(422, body.clone())]);
        let error = pages::<Entity>(&hatz, None).await.err().unwrap();
        assert_eq!((error.kind, error.vendor_message.as_deref()), (Kind::Refused, words), "{body}");
    }
}
