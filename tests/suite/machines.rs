//! Machines of the organisation's own and their tokens, roles of its own, and the journal searched, exported, proved and
//! signed: over HTTP.

use domain::Role;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::both_databases;

use crate::{
    harness::{Answer, Caller, TestApp, text},
    house::House,
};

/// One id of each kind for [`crate::operations`].
pub async fn furnish(app: &TestApp, owner: &Caller) -> Vec<(&'static str, String)> {
    let body = json!({ "name": "Furnished", "role": "viewer", "scope": "read" });
    let account = app.post(owner, "/api/service-accounts", &body).await.ok();
    let account = text(&account["item"]["id"]);
    let secret = app.post(owner, &format!("/api/service-accounts/{account}/secrets"), &json!({})).await.ok();
    let body = json!({ "name": "Furnished desk", "permissions": ["clients_view"] });
    let role = app.post(owner, "/api/roles", &body).await.ok();
    let checkpoint = app.send(app.request(owner, Method::POST, "/api/journal/checkpoints")).await.ok();
    vec![
        ("service_account", account),
        ("service_account_secret", text(&secret["secret"]["id"])),
        ("custom_role", text(&role["item"]["id"])),
        ("journal_checkpoint", text(&checkpoint["item"]["id"])),
    ]
}

struct Machine {
    path: String,
    client_id: String,
    secret: String,
}

impl Machine {
    async fn make(app: &TestApp, owner: &Caller, body: &Value) -> Self {
        let made = app.post(owner, "/api/service-accounts", body).await.ok();
        let path = format!("/api/service-accounts/{}", text(&made["item"]["id"]));
        let secret = app.post(owner, &format!("{path}/secrets"), &json!({ "expires_in_days": 30 })).await.ok();
        Self { path, client_id: text(&secret["oauth_client_id"]), secret: text(&secret["client_secret"]) }
    }

    /// Asks for a token with the secret in the header.
    async fn ask(&self, app: &TestApp, form: &str) -> Answer {
        let request = app.request(&Caller::Anonymous, Method::POST, "/oauth/token");
        app.send(form_of(request.basic_auth(&self.client_id, Some(&self.secret)), form)).await
    }

    async fn token(&self, app: &TestApp) -> Caller {
        Caller::Key(text(&self.ask(app, "grant_type=client_credentials").await.ok()["access_token"]))
    }
}

fn form_of(request: reqwest::RequestBuilder, form: &str) -> reqwest::RequestBuilder {
    request.header("content-type", "application/x-www-form-urlencoded").body(form.to_owned())
}

#[track_caller]
fn refused(answer: &Answer, status: u16, error: &str) {
    assert_eq!((answer.status, answer.json()["error"].as_str()), (status, Some(error)), "{}", answer.text);
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("www-authenticate").is_empty(), status != 401);
}

both_databases! {
    async fn a_machine_gets_a_token_and_acts_with_it(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let body = json!({ "name": "Warehouse", "role": "engineer", "scope": "write", "requests_per_minute": 100 });
        let machine = Machine::make(&app, &house.owner, &body).await;
        let answer = machine.ask(&app, "grant_type=client_credentials&scope=write").await;
        let issued = answer.ok();
        assert_eq!((issued["token_type"].as_str(), issued["scope"].as_str()), (Some("Bearer"), Some("write")));
        assert_eq!(issued["expires_in"].as_i64(), Some(1_800));
        assert_eq!(answer.header("cache-control"), "no-store");
        let caller = Caller::Key(text(&issued["access_token"]));
        let made = app.post(&caller, "/api/clients", &json!({ "name": "Made by a machine" })).await;
        assert_eq!((made.status, made.header("ratelimit-limit").as_str()), (200, "100"), "{}", made.text);
        let id = text(&made.json()["item"]["id"]);
        let entries = app.get(&house.owner, &format!("/api/journal?record_id={id}&actor_kind=service_account")).await.ok();
        assert_eq!(entries["items"][0]["action"], "client_create");
        assert!(machine.path.ends_with(&text(&entries["items"][0]["actor_id"])));
        app.get(&caller, "/api/me").await.refused(409, "needs_session");
        app.get(&caller, "/api/staff").await.refused(403, "forbidden");
        let listed = app.get(&house.owner, &machine.path).await.ok();
        assert!(!listed.to_string().contains(&machine.secret), "a secret is shown once");
        assert_eq!(listed["secrets"].as_array().map(Vec::len), Some(1));

        app.patch(&house.owner, &machine.path, &json!({ "enabled": false })).await.ok();
        app.get(&caller, "/api/clients").await.refused(401, "unauthenticated");
        refused(&machine.ask(&app, "grant_type=client_credentials").await, 401, "invalid_client");
        app.patch(&house.owner, &machine.path, &json!({ "enabled": true })).await.ok();
        let caller = machine.token(&app).await;
        app.get(&caller, "/api/clients").await.ok();
        app.delete(&house.owner, &machine.path).await.ok();
        app.get(&caller, "/api/clients").await.refused(401, "unauthenticated");
    }

    async fn the_token_endpoint_refuses_as_the_rfc_says(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let body = json!({ "name": "Reader", "role": "viewer", "scope": "read" });
        let machine = Machine::make(&app, &house.owner, &body).await;
        let post = async |form: String| {
            app.send(form_of(app.request(&Caller::Anonymous, Method::POST, "/oauth/token"), &form)).await
        };
        let Machine { client_id, secret, .. } = &machine;
        let right = format!("grant_type=client_credentials&client_id={client_id}&client_secret={secret}");
        assert_eq!(post(right.clone()).await.status, 200, "client_secret_post");
        refused(&machine.ask(&app, "grant_type=password").await, 400, "unsupported_grant_type");
        refused(&machine.ask(&app, "scope=read").await, 400, "invalid_request");
        refused(&machine.ask(&app, "grant_type=client_credentials&scope=admin").await, 400, "invalid_scope");
        refused(&machine.ask(&app, "grant_type=client_credentials&scope=fly").await, 400, "invalid_scope");
        refused(&machine.ask(&app, &right).await, 400, "invalid_request");
        refused(&post(format!("{right}&scope=read&scope=read")).await, 400, "invalid_request");
        refused(&post("grant_type=client_credentials".to_owned()).await, 401, "invalid_client");
        let unknown = post(right.replace(client_id.as_str(), &client_id.replace(|c: char| c.is_ascii_digit(), "0"))).await;
        let wrong = post(right.replace(&secret[10..20], "AAAAAAAAAA")).await;
        refused(&unknown, 401, "invalid_client");
        refused(&wrong, 401, "invalid_client");
        assert_eq!(unknown.text, wrong.text, "what was wrong is not told");
        let json = app.post(&Caller::Anonymous, "/oauth/token", &json!({ "grant_type": "client_credentials" })).await;
        refused(&json, 400, "invalid_request");
        assert_eq!(app.get(&Caller::Anonymous, "/oauth/token").await.status, 405);
        // A secret opens nothing by itself, and a token is no secret.
        app.get(&Caller::Key(secret.clone()), "/api/clients").await.refused(401, "unauthenticated");
    }

    async fn a_role_of_ones_own_rules_the_next_request(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let body = json!({ "name": "Desk", "permissions": ["clients_view", "team_manage"] });
        let role = app.post(&house.owner, "/api/roles", &body).await.ok();
        let path = format!("/api/roles/{}", text(&role["item"]["id"]));
        let id = house.staff(&app, "desk", Role::Viewer, None).await;
        let give = json!({ "custom_role_id": role["item"]["id"] });
        let given = app.put(&house.owner, &format!("/api/staff/{id}/custom-role"), &give).await.ok();
        assert_eq!(given["item"]["custom_role_id"], role["item"]["id"]);
        let desk = app.sign_in(&house.email("desk")).await;
        let me = app.get(&desk, "/api/me").await.ok();
        assert_eq!(me["permissions"], json!(["clients_view", "team_manage"]));
        app.get(&desk, "/api/staff").await.ok();
        let more = json!({ "name": "More", "permissions": ["clients_delete"] });
        let refused = app.post(&desk, "/api/roles", &more).await.refused(422, "invalid");
        assert_eq!(refused["errors"][0]["code"], "beyond_yours");
        app.delete(&house.owner, &path).await.refused(409, "role_assigned");
        app.patch(&house.owner, &path, &json!({ "permissions": ["clients_view"] })).await.ok();
        app.get(&desk, "/api/staff").await.refused(403, "forbidden");
        app.get(&desk, "/api/clients").await.ok();
        app.patch(&house.owner, &format!("/api/staff/{id}"), &json!({ "role": "viewer" })).await.ok();
        app.delete(&house.owner, &path).await.ok();
    }

    async fn the_journal_is_exported_whole_and_the_export_is_in_it(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        for at in 0..130 {
            app.post(&house.owner, "/api/clients", &json!({ "name": format!("=Client {at}") })).await.ok();
        }
        let answer = app.get(&house.owner, "/api/journal/export?action=client_create").await;
        assert_eq!(answer.header("content-type"), "application/x-ndjson");
        let lines: Vec<Value> = answer.text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert_eq!(lines.len(), 130);
        assert!(lines.windows(2).all(|pair| pair[0]["seq"].as_i64() > pair[1]["seq"].as_i64()));
        let csv = app.get(&house.owner, "/api/journal/export?format=csv&action=client_create").await;
        assert!(csv.text.starts_with("seq,id,at,actor_kind,"), "{}", &csv.text[..60]);
        assert_eq!(csv.text.lines().count(), 131);
        let exports = app.get(&house.owner, "/api/journal?action=journal_export").await.ok();
        assert_eq!(exports["total"].as_i64(), Some(2));
        assert!(text(&exports["items"][0]["reason"]).contains("journal.csv"), "{exports}");
        app.get(&house.owner, "/api/clients/export").await;
        assert_eq!(app.get(&house.owner, "/api/journal?action=client_export").await.ok()["total"].as_i64(), Some(1));
        let viewer = house.person(&app, "viewer", Role::Viewer).await;
        app.get(&viewer, "/api/journal/export").await.refused(403, "forbidden");
        let denied = app.get(&house.owner, "/api/journal?action=journal_export&outcome=denied").await.ok();
        assert_eq!(denied["total"].as_i64(), Some(1), "and so is an attempt");
        app.get(&house.owner, "/api/journal?text=x").await.refused(422, "invalid");
    }

    async fn the_journal_is_proved_in_stretches_and_signed(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        app.post(&house.owner, "/api/clients", &json!({ "name": "One" })).await.ok();
        let whole = app.get(&house.owner, "/api/journal/verification").await.ok();
        assert_eq!((whole["sound"].as_bool(), &whole["next_from"]), (Some(true), &Value::Null), "{whole}");
        app.get(&house.owner, "/api/journal/verification?from=99999").await.refused(422, "invalid");
        app.get(&house.owner, "/api/journal/verification?entries=0").await.refused(422, "invalid");
        let sign = async || app.send(app.request(&house.owner, Method::POST, "/api/journal/checkpoints")).await;
        let signed = sign().await.ok();
        let id = text(&signed["item"]["id"]);
        assert_eq!(sign().await.ok()["item"]["id"], id.as_str(), "nothing was written since");
        let file = app.get(&house.owner, &format!("/api/journal/checkpoints/{id}")).await.ok();
        let checkpoint: persistence::Checkpoint = serde_json::from_value(file).expect("is the file that verify takes");
        checkpoint.check(None).expect("is signed");
        let listed = app.get(&house.owner, "/api/journal/checkpoints").await.ok();
        assert_eq!((listed["total"].as_i64(), listed["items"][0]["id"].as_str()), (Some(1), Some(id.as_str())));
        app.db.tamper("UPDATE journal SET action = 'nothing' WHERE action = 'journal_checkpoint_create'").await.expect("tampers");
        app.post(&house.owner, "/api/clients", &json!({ "name": "Two" })).await.ok();
        sign().await.refused(409, "journal_unsound");
    }
}
