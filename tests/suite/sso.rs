//! Signing in through an identity provider, through the real API and over the real transport: the provider listens on
//! loopback. What is wrong with tokens is tried in `crates/access/tests/suite/sso`.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use poem::{
    EndpointExt, Response, Route,
    http::StatusCode,
    listener::{Acceptor, Listener, TcpListener},
    web::{Data, Form},
};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{IdentityKey, TestDb, both_databases, discovery};

use crate::{
    harness::{Answer, Caller, PROVIDER, TestApp, text},
    house::House,
    portal,
};

const SECRET: &str = "a s3cret that is shown nowhere";

/// A provider that signs whatever claims it is given.
struct Provider {
    base: String,
    key: IdentityKey,
    claims: Mutex<Option<Value>>,
    server: tokio::task::JoinHandle<()>,
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.server.abort();
    }
}

type Shared = Arc<(String, Mutex<Option<String>>)>;

#[poem::handler]
fn document(shared: Data<&Shared>) -> Response {
    json_answer(StatusCode::OK, &discovery(&shared.0.0, &shared.0.0))
}

#[poem::handler]
fn entra_document(shared: Data<&Shared>) -> Response {
    json_answer(StatusCode::OK, &discovery(&format!("{}/{{tenantid}}/v2.0", shared.0.0), &shared.0.0))
}

#[poem::handler]
fn keys() -> Response {
    json_answer(StatusCode::OK, &json!({ "keys": [IdentityKey::new("loopback", 5).public()] }))
}

#[poem::handler]
fn token_endpoint(shared: Data<&Shared>, form: Form<BTreeMap<String, String>>) -> Response {
    let given = shared.0.1.lock().expect("nobody panicked").take();
    match given.filter(|_| form.0.get("code").is_some_and(|code| code == "the-code")) {
        Some(token) => json_answer(StatusCode::OK, &json!({ "id_token": token, "token_type": "Bearer" })),
        None => json_answer(StatusCode::BAD_REQUEST, &json!({ "error": "invalid_grant" })),
    }
}

fn json_answer(status: StatusCode, body: &Value) -> Response {
    Response::builder().status(status).content_type("application/json").body(body.to_string())
}

/// An app beside a provider that it may reach.
struct Scene {
    app: TestApp,
    house: House,
    provider: Provider,
    given: Shared,
}

impl Scene {
    async fn new(db: TestDb) -> Self {
        let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await.expect("listens");
        let port = acceptor.local_addr().iter().find_map(|addr| addr.as_socket_addr().map(|addr| addr.port()));
        let host = format!("127.0.0.1:{}", port.expect("a port"));
        let base = format!("http://{host}");
        let given: Shared = Arc::new((base.clone(), Mutex::default()));
        let routes = Route::new()
            .at("/.well-known/openid-configuration", poem::get(document))
            .at("/organizations/v2.0/.well-known/openid-configuration", poem::get(entra_document))
            .at("/keys", poem::get(keys))
            .at("/token", poem::post(token_endpoint))
            .data(given.clone());
        let server = tokio::spawn(async move {
            poem::Server::new_with_acceptor(acceptor).run(routes).await.expect("serves");
        });
        let provider = Provider { base, key: IdentityKey::new("loopback", 5), claims: Mutex::default(), server };
        let app = PROVIDER.scope(host, TestApp::new(db)).await;
        let house = House::build(&app, "kite").await;
        Self { app, house, provider, given }
    }

    /// Sets a provider up, and gives back its id.
    async fn set_up(&self, more: Value) -> String {
        let mut body = json!({ "name": "Quay ID", "app_id": "app", "secret": SECRET, "issuer": self.provider.base });
        body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        let made = self.app.post(&self.house.owner, "/api/sso-providers", &body).await.ok();
        assert!(!made.to_string().contains(SECRET), "the secret is shown: {made}");
        text(&made["item"]["id"])
    }

    /// The claims that the next token holds, beside what every one has.
    fn vouches(&self, claims: Value) {
        *self.provider.claims.lock().expect("nobody panicked") = Some(claims);
    }

    /// Comes back from where an answer sent one: the cookie that it set, and whatever the caller has.
    async fn back(&self, caller: &Caller, begun: &Answer) -> Answer {
        let query = self.query(begun);
        let now = self.app.db.now().timestamp();
        let mut claims = json!({
            "iss": self.provider.base, "aud": "app", "nonce": query["nonce"], "iat": now, "exp": now + 60,
        });
        let more = self.provider.claims.lock().expect("nobody panicked").take().expect("somebody to vouch for");
        claims.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        *self.given.1.lock().expect("nobody panicked") = Some(self.provider.key.sign(&claims));
        self.visit(Method::GET, caller, begun).await
    }

    fn query(&self, begun: &Answer) -> BTreeMap<String, String> {
        let url = text(&begun.ok()["url"]);
        assert!(url.starts_with(&format!("{}/authorize?", self.provider.base)), "{url}");
        reqwest::Url::parse(&url).expect("an address").query_pairs().into_owned().collect()
    }

    async fn visit(&self, method: Method, caller: &Caller, begun: &Answer) -> Answer {
        let query = self.query(begun);
        let mut cookies = vec![begun.header("set-cookie").split(';').next().unwrap_or_default().to_owned()];
        match caller {
            Caller::Session(token) => cookies.push(format!("{}={token}", api::auth::COOKIE)),
            Caller::Portal(token) => cookies.push(format!("clientone_session={token}")),
            Caller::Key(_) | Caller::Anonymous => {}
        }
        let address = format!("{}?code=the-code&state={}", query["redirect_uri"], query["state"]);
        let request = browser().request(method, address).header("cookie", cookies.join("; "));
        self.app.send(request).await
    }

    async fn start(&self, path: &str, body: &Value) -> Answer {
        self.app.post(&Caller::Anonymous, path, body).await
    }
}

#[expect(clippy::disallowed_methods, reason = "this client stands for a browser that a provider sends back")]
fn browser() -> reqwest::Client {
    let builder = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
    builder.build().expect("a client")
}

/// The session that an answer's cookies set.
fn session(answer: &Answer, name: &str) -> Option<String> {
    let cookies = answer.headers.get_all("set-cookie").iter().filter_map(|value| value.to_str().ok());
    let mut set = cookies.filter_map(|cookie| cookie.split(';').next()?.split_once('='));
    set.find(|(found, value)| *found == name && !value.is_empty()).map(|(_, value)| value.to_owned())
}

both_databases! {
    async fn staff_link_their_account_and_come_in_by_it(db: TestDb) {
        let scene = Scene::new(db).await;
        let (app, owner) = (&scene.app, scene.house.owner.clone());
        scene.start("/api/session/sso", &json!({ "organisation": "kite" })).await.refused(409, "sso_not_offered");
        let id = scene.set_up(json!({ "audience": "staff", "kind": "oidc" })).await;
        let shown = app.get(&owner, &format!("/api/sso-providers/{id}")).await;
        assert!(!shown.text.contains(SECRET) && shown.ok()["redirect_uri"].as_str().is_some_and(|uri| uri.ends_with("/sso/callback")));
        let tried = app.post(&owner, &format!("/api/sso-providers/{id}/test"), &json!({})).await.ok();
        assert_eq!((tried["right"].as_bool(), tried["findings"].as_array().map(Vec::len)), (Some(true), Some(4)), "{tried}");

        scene.vouches(json!({ "sub": "the owner" }));
        let begun = app.post(&owner, "/api/me/sso-links", &json!({})).await;
        let cookie = begun.header("set-cookie");
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") && cookie.contains("panelone_sso="), "{cookie}");
        let linked = scene.back(&owner, &begun).await;
        assert_eq!((linked.status, linked.header("location").as_str()), (303, "/profile#linked"), "{}", linked.text);
        let links = app.get(&owner, "/api/me/sso-links").await.ok();
        assert_eq!(links["items"].as_array().map(Vec::len), Some(1));

        let begun = scene.start("/api/session/sso", &json!({ "organisation": "Kite " })).await;
        // Whatever looks ahead uses nothing up.
        assert_eq!(scene.visit(Method::HEAD, &Caller::Anonymous, &begun).await.status, 405);
        scene.vouches(json!({ "sub": "the owner" }));
        let entered = scene.back(&Caller::Anonymous, &begun).await;
        assert_eq!((entered.status, entered.header("location").as_str()), (303, "/"), "{}", entered.text);
        let token = session(&entered, "panelone_session").expect("a session");
        let me = app.get(&Caller::Session(token), "/api/me").await.ok();
        assert_eq!(me["email"], "owner@kite.example");
        let again = scene.visit(Method::GET, &Caller::Anonymous, &begun).await;
        assert_eq!((again.status, session(&again, "panelone_session")), (409, None));
        assert!(again.text.contains("sso_over") && again.header("content-type").starts_with("text/html"), "{}", again.text);

        // Begun by another site's page, it is not begun.
        let request = app.request(&Caller::Anonymous, Method::POST, "/api/session/sso");
        let request = request.header("sec-fetch-site", "cross-site").json(&json!({ "organisation": "kite" }));
        app.send(request).await.refused(403, "foreign_origin");

        let path = format!("/api/sso-providers/{id}");
        app.patch(&owner, &path, &json!({ "issuer": "https://elsewhere.example" })).await.refused(400, "malformed");
        let preview = app.delete(&owner, &format!("{path}?dry_run=true")).await.ok();
        assert_eq!(preview["change_set"]["changes"].as_array().map(Vec::len), Some(2), "{preview}");
        app.delete(&owner, &path).await.ok();
        scene.start("/api/session/sso", &json!({ "organisation": "kite" })).await.refused(409, "sso_not_offered");
    }

    async fn people_of_a_mapped_tenant_come_in_to_their_client_and_to_no_other(db: TestDb) {
        let scene = Scene::new(db).await;
        let (app, owner) = (&scene.app, scene.house.owner.clone());
        app.connect(&owner, "microsoft365").await;
        let tenants = app.all(&owner, "/api/tenants").await;
        let open: Vec<&Value> = tenants.iter().filter(|tenant| tenant["customer_id"].is_null()).collect();
        let made = app.post(&owner, "/api/clients", &json!({ "name": "Quay" })).await.ok();
        let client = text(&made["item"]["id"]);
        portal::enable(app, &owner, &client).await;
        let settings = format!("/api/clientone-admin/settings/{client}");
        app.patch(&owner, &settings, &json!({ "auth_mode": "sso_only" })).await.refused(422, "invalid");
        scene.set_up(json!({ "audience": "portal", "kind": "entra", "just_in_time": true })).await;
        app.patch(&owner, &settings, &json!({ "auth_mode": "sso_only" })).await.ok();
        let associate = format!("/api/msp-portal/customers/{client}/tenants");
        app.post(&owner, &associate, &json!({ "tenant_id": open[0]["id"] })).await.ok();

        let start = json!({ "organisation": "kite", "email": "anyone@anywhere.example" });
        let vouch = |tenant: &Value| {
            let tenant = text(&tenant["tenant_id"]).to_lowercase();
            scene.vouches(json!({
                "sub": "nova", "tid": tenant, "iss": format!("{}/{tenant}/v2.0", scene.provider.base), "name": "Nova Quay",
                "preferred_username": "nova@quay.example", "email": "owner@kite.example",
            }));
        };
        for (tenant, comes_in) in [(open[1], false), (open[0], true), (open[0], true)] {
            vouch(tenant);
            let begun = scene.start("/api/clientone/session/sso", &start).await;
            let entered = scene.back(&Caller::Anonymous, &begun).await;
            let token = session(&entered, "clientone_session");
            assert_eq!((entered.status == 303, token.is_some()), (comes_in, comes_in), "{}", entered.text);
            if let Some(token) = token {
                let caller = Caller::Portal(token);
                let visit = app.get(&caller, "/api/clientone/session").await.ok();
                assert_eq!((visit["email"].as_str(), visit["role"].as_str()), (Some("nova@quay.example"), Some("user")));
                assert_eq!(visit["client_id"].as_str(), Some(client.as_str()));
                let links = app.get(&caller, "/api/clientone/profile/sso-links").await.ok();
                let last = format!("/api/clientone/profile/sso-links/{}", text(&links["items"][0]["id"]));
                app.delete(&caller, &last).await.refused(409, "last_way_in");
            }
        }
        // The tenant moves to another client: who came from it stays out of both.
        let other = app.post(&owner, "/api/clients", &json!({ "name": "Pier" })).await.ok();
        app.delete(&owner, &format!("{associate}/{}", text(&open[0]["id"]))).await.ok();
        let there = format!("/api/msp-portal/customers/{}/tenants", text(&other["item"]["id"]));
        app.post(&owner, &there, &json!({ "tenant_id": open[0]["id"] })).await.ok();
        vouch(open[0]);
        let begun = scene.start("/api/clientone/session/sso", &start).await;
        let refused = scene.back(&Caller::Anonymous, &begun).await;
        assert_eq!((refused.status, session(&refused, "clientone_session")), (409, None), "{}", refused.text);
        assert!(refused.text.contains("sso_no_account"), "{}", refused.text);
    }
}
