//! What the simulator refuses, and what a change shows afterwards.

use integration::{Method, Request};
use serde_json::{Value, json};

use super::{
    oauth,
    tests::{Account, at},
};

impl Account {
    /// Status and body of a request with the token of this app.
    fn ask(&self, app: &oauth::App, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let mut request = Request::new(method, at(path)).bearer(&self.token(app));
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = self.answer(&request);
        (response.status, serde_json::from_slice(&response.body).unwrap_or_default())
    }

    fn change(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        self.ask(&oauth::READER, method, path, Some(body))
    }

    fn listed(&self, path: &str, key: &str) -> Vec<Value> {
        let (status, body) = self.get(path);
        assert_eq!(status, 200, "{path}: {body}");
        body.as_array().expect("a bare array").iter().map(|row| row[key].clone()).collect()
    }

    /// An organisation that has a document, and the location of another one.
    fn somewhere(&self) -> (u64, u64, u64) {
        let documents = self.get("/v2/organization/documents").1;
        let organization = documents[0]["organizationId"].as_u64().expect("a number");
        let of = |organization| {
            let locations = self.get(&format!("/v2/organization/{organization}/locations")).1;
            locations[0]["id"].as_u64().expect("a number")
        };
        let other = self.ids("/v2/organizations").into_iter().find(|id| *id != organization).expect("another");
        (organization, of(organization), of(other))
    }
}

#[test]
fn reading_and_changing_need_a_scope_each() {
    let account = Account::new();
    let (organization, location, _) = account.somewhere();
    let installer = format!("/v2/organization/{organization}/location/{location}/installer/MAC_PKG");
    for (app, reads, changes) in [(oauth::READER, 200, 200), (oauth::WATCHER, 200, 403), (oauth::POWERLESS, 403, 200)] {
        assert_eq!(account.ask(&app, Method::Get, "/v2/user/end-users", None).0, reads, "{}", app.id);
        assert_eq!(account.ask(&app, Method::Get, &installer, None).0, changes, "{}", app.id);
    }
    let all = account.ask(&oauth::WATCHER, Method::Delete, "/v2/user/end-user/1", None);
    assert_eq!(all.0, 403);
}

#[test]
fn an_end_user_is_made_of_what_is_valid() {
    let account = Account::new();
    let (organization, ..) = account.somewhere();
    let good =
        json!({"firstName": "Ana", "lastName": "Silva", "email": "ana@x.example", "organizationId": organization});
    let with = |key: &str, value: Value| {
        let mut body = good.clone();
        body[key] = value;
        body
    };
    let path = "/v2/user/end-users";
    for odd in [
        with("firstName", Value::Null),
        with("lastName", json!("")),
        with("lastName", json!("x".repeat(151))),
        with("email", json!("ana")),
        with("phone", json!(7)),
        with("organizationId", json!(999_999)),
        with("organizationId", Value::Null),
        json!([]),
    ] {
        assert_eq!(account.change(Method::Post, path, odd.clone()).0, 400, "{odd}");
    }
    assert_eq!(account.change(Method::Post, "/v2/user/end-users?sendInvitation=perhaps", good.clone()).0, 400);
    let (status, made) = account.change(Method::Post, path, good.clone());
    assert_eq!((status, &made["phone"]), (200, &Value::Null));
    assert_eq!(account.change(Method::Post, path, good.clone()).0, 400, "the address is taken");
    let one = format!("/v2/user/end-user/{}", made["id"]);
    let (status, changed) = account.change(Method::Patch, &one, json!({"lastName": "Vale", "email": "b@x.example"}));
    assert_eq!((status, changed["lastName"].as_str()), (200, Some("Vale")));
    assert_eq!(changed["email"], "ana@x.example", "the address is ignored without a word");
    assert_eq!(account.change(Method::Delete, &one, Value::Null), (204, Value::Null));
    assert_eq!(account.get(&one).0, 404);
    assert_eq!(account.change(Method::Delete, &one, Value::Null).0, 404);
}

#[test]
fn an_archived_document_is_no_longer_listed() {
    let account = Account::new();
    let (organization, ..) = account.somewhere();
    let list = format!("/v2/organization/documents?organizationIds={organization}");
    let before = account.listed(&list, "documentId");
    assert!(account.listed(&list, "organizationId").iter().all(|id| *id == organization));
    let path = |action: &str| format!("/v2/organization/document/{}/{action}", before[0]);
    assert_eq!(account.change(Method::Post, &path("archive"), Value::Null).1["documentId"], before[0]);
    assert_eq!(account.listed(&list, "documentId"), before[1..]);
    assert_eq!(account.change(Method::Post, &path("restore"), Value::Null).0, 200);
    assert_eq!(account.listed(&list, "documentId"), before);
    assert_eq!(account.change(Method::Post, "/v2/organization/document/999999/archive", Value::Null).0, 404);
    assert_eq!(account.change(Method::Post, &path("burn"), Value::Null).0, 404);
    assert_eq!(account.get("/v2/organization/documents?groupBy=TEMPLATE").0, 400);
    assert_eq!(account.get("/v2/organization/documents?organizationIds=x").0, 400);
}

#[test]
fn alerts_are_those_that_are_open() {
    let account = Account::new();
    let all = account.listed("/v2/alerts", "uid");
    let open = account.world.read().expect("the lock").known_to("ninjaone").map(super::alerts::count).sum::<usize>();
    assert_eq!(all.len(), open);
    assert_eq!(account.get("/v2/alerts?df=org%20%3D%201").0, 400, "not simulated, so not ignored");
    let named = account.listed("/v2/alerts", "deviceId");
    let some: Vec<String> = named.iter().take(3).map(Value::to_string).collect();
    let mut listed = account.ids(&format!("/v2/devices?df=id%20in%20({})", some.join(",")));
    listed.sort_unstable();
    let mut wanted: Vec<u64> = named.iter().take(3).filter_map(Value::as_u64).collect();
    wanted.sort_unstable();
    wanted.dedup();
    assert_eq!(listed, wanted);
}

#[test]
fn custom_fields_take_what_suits_them() {
    let account = Account::new();
    let (organization, location, elsewhere) = account.somewhere();
    let path = |location: u64| format!("/v2/organization/{organization}/location/{location}/custom-fields");
    for (body, status) in [
        (json!({"siteCode": "A", "unheardOf": 1}), 400),
        (json!({"assetOwner": "of devices"}), 400),
        (json!({"siteCode": 7}), 400),
        (json!({"wanProvider": "Northern Fibre"}), 400),
        (json!({"floors": 3}), 403),
        (json!({"landlord": "x"}), 403),
        (json!({"siteCode": "B", "alarmed": true, "wanProvider": null}), 204),
    ] {
        assert_eq!(account.change(Method::Patch, &path(location), body.clone()).0, status, "{body}");
    }
    let (_, values) = account.get(&path(location));
    assert_eq!((&values["siteCode"], &values["alarmed"]), (&json!("B"), &json!(true)));
    assert!(values.get("wanProvider").is_none());
    assert_eq!(account.get(&path(elsewhere)).0, 404, "a location of another organization");
    assert_eq!(account.change(Method::Patch, &path(elsewhere), json!({"siteCode": "C"})).0, 404);
    let names = |scopes: &str| account.listed(&format!("/v2/device-custom-fields?scopes={scopes}"), "name");
    assert!(!names("location").contains(&json!("assetOwner")) && names("all").contains(&json!("assetOwner")));
    assert_eq!(account.get("/v2/device-custom-fields?scopes=moon").0, 400);
}

#[test]
fn an_installer_is_of_a_place_and_a_known_type() {
    let account = Account::new();
    let (organization, location, elsewhere) = account.somewhere();
    let ask = |place: u64, kind: &str| {
        account.get(&format!("/v2/organization/{organization}/location/{place}/installer/{kind}"))
    };
    let (status, link) = ask(location, "LINUX_DEB");
    assert_eq!(status, 200);
    assert!(link["url"].as_str().is_some_and(|url| url.starts_with("https://") && url.ends_with(".deb")), "{link}");
    assert_eq!(ask(location, "ABACUS").0, 400);
    assert_eq!(ask(elsewhere, "LINUX_DEB").0, 404);
}
