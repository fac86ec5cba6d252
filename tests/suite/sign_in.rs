//! Signing in with a second factor, sessions, and showing once more who one is, as a browser does it.

use domain::Role;
use serde_json::{Value, json};
use testkit::both_databases;
use totp_rs::{Builder, Secret, Totp};

use crate::{
    harness::{Answer, Caller, PASSWORD, TestApp, text},
    house::House,
};

const MINUTE: i64 = 60;

/// The code that a phone with this secret shows so many seconds from now.
fn code(app: &TestApp, secret: &str, seconds: i64) -> String {
    let phone: Totp =
        Builder::new().with_secret(Secret::try_from_base32(secret).expect("base32")).build().expect("a phone");
    phone.generate(u64::try_from(app.db.now().timestamp() + seconds).expect("after 1970")).to_string()
}

async fn first_step(app: &TestApp, email: &str) -> Answer {
    app.post(&Caller::Anonymous, "/api/session", &json!({ "email": email, "password": PASSWORD })).await
}

async fn second_step(app: &TestApp, body: &Value) -> Answer {
    app.post(&Caller::Anonymous, "/api/session/second-factor", body).await
}

fn session(answer: &Answer) -> Caller {
    let cookie = answer.header("set-cookie");
    let token = cookie.split(';').next().and_then(|pair| pair.split_once('=')).expect("a cookie").1;
    Caller::Session(token.to_owned())
}

/// Sets up an app; gives back its secret and the recovery codes. The step of now is used up.
pub async fn enrol(app: &TestApp, caller: &Caller) -> (String, Vec<String>) {
    let begun = app.post(caller, "/api/me/second-factor/totp", &json!({})).await.ok();
    let secret = text(&begun["secret"]);
    assert!(text(&begun["uri"]).starts_with("otpauth://totp/"), "{begun}");
    let body = json!({ "code": code(app, &secret, 0) });
    let codes = app.post(caller, "/api/me/second-factor/totp/confirm", &body).await.ok();
    (secret, codes["codes"].as_array().expect("codes").iter().map(text).collect())
}

both_databases! {
    async fn two_steps_make_a_session(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let email = house.email("owner");
        assert_eq!(app.get(&house.owner, "/api/me/second-factor").await.ok(), json!({ "recovery_codes_left": 0, "required": false }));
        let (secret, codes) = enrol(&app, &house.owner).await;
        assert_eq!(codes.len(), 10);
        let state = app.get(&house.owner, "/api/me/second-factor").await.ok();
        assert_eq!(state["recovery_codes_left"], 10);
        app.post(&house.owner, "/api/me/second-factor/totp", &json!({})).await.refused(409, "already_enrolled");

        let first = first_step(&app, &email).await;
        let due = first.refused(401, "second_factor_required");
        assert_eq!(first.header("set-cookie"), "", "half a sign-in sets no cookie");
        let token = text(&due["second_factor"]["token"]);
        for caller in [Caller::Session(token.clone()), Caller::Key(token.clone())] {
            app.get(&caller, "/api/me").await.refused(401, "unauthenticated");
        }
        app.db.clock.advance(30);
        let right = code(&app, &secret, 0);
        for (body, pointer) in [
            (json!({ "token": token }), "/code"),
            (json!({ "token": token, "code": right, "recovery_code": codes[0] }), "/recovery_code"),
            (json!({ "token": token, "recovery_code": "0000-0000-0000-0000" }), "/recovery_code"),
        ] {
            let refused = second_step(&app, &body).await.refused(422, "invalid");
            assert_eq!(refused["errors"][0]["pointer"], pointer, "{body}");
        }
        let done = second_step(&app, &json!({ "token": token, "code": right })).await;
        assert_eq!(done.ok()["must_enrol"], false);
        assert!(done.header("set-cookie").contains("HttpOnly"), "{}", done.header("set-cookie"));
        app.get(&session(&done), "/api/clients").await.ok();
        second_step(&app, &json!({ "token": token, "code": code(&app, &secret, 30) })).await.refused(401, "unauthenticated");

        let token = text(&first_step(&app, &email).await.problem()["second_factor"]["token"]);
        second_step(&app, &json!({ "token": token, "code": right })).await.refused(422, "invalid");
        second_step(&app, &json!({ "token": token, "recovery_code": codes[0] })).await.ok();
        assert_eq!(app.get(&house.owner, "/api/me/second-factor").await.ok()["recovery_codes_left"], 9);
        let new = app.post(&house.owner, "/api/me/second-factor/recovery-codes", &json!({})).await.ok();
        assert_eq!(new["codes"].as_array().map(Vec::len), Some(10));
        let token = text(&first_step(&app, &email).await.problem()["second_factor"]["token"]);
        second_step(&app, &json!({ "token": token, "recovery_code": codes[1] })).await.refused(422, "invalid");
        app.delete(&house.owner, "/api/me/second-factor/totp").await.ok();
        assert_eq!(first_step(&app, &email).await.status, 200);
        second_step(&app, &json!({ "token": token, "recovery_code": new["codes"][0] })).await.refused(422, "invalid");
    }

    async fn an_app_ends_what_the_password_alone_opened(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let elsewhere = app.sign_in(&house.email("owner")).await;
        app.get(&elsewhere, "/api/clients").await.ok();
        let (secret, _) = enrol(&app, &house.owner).await;
        app.get(&elsewhere, "/api/clients").await.refused(401, "unauthenticated");
        app.get(&house.owner, "/api/clients").await.ok();
        app.db.clock.advance(16 * MINUTE);
        let path = "/api/session/reauthenticate";
        let by_password = app.post(&house.owner, path, &json!({ "password": PASSWORD })).await;
        by_password.refused(409, "second_factor_required");
        app.post(&house.owner, path, &json!({ "code": code(&app, &secret, 0) })).await.ok();
    }

    async fn a_foreign_page_takes_no_second_step(db: TestDb) {
        let app = TestApp::new(db).await;
        let request = app.request(&Caller::Anonymous, reqwest::Method::POST, "/api/session/second-factor");
        let request = request.header("sec-fetch-site", "cross-site").json(&json!({ "token": "pending_x", "code": "1" }));
        app.send(request).await.refused(403, "foreign_origin");
    }

    async fn a_required_factor_is_set_up_before_anything_else(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let jo = house.person(&app, "jo", Role::Admin).await;
        let path = "/api/organisation/security";
        let before = app.get(&house.owner, path).await;
        assert_eq!(before.ok(), json!({ "require_mfa": false, "idle_minutes": 480, "absolute_minutes": 720, "version": 0 }));
        let body = json!({ "require_mfa": true });
        let preview = app.patch(&house.owner, &format!("{path}?dry_run=true"), &body).await.ok();
        assert_eq!(preview["item"]["require_mfa"], true);
        assert_eq!(app.get(&house.owner, path).await.ok()["require_mfa"], false, "a preview changes nothing");
        let expect = format!("{path}?expect={}", text(&preview["change_set"]["digest"]));
        let saved = app.patch(&house.owner, &expect, &body).await;
        assert_eq!((saved.ok()["item"]["version"].as_i64(), saved.header("etag")), (Some(1), "\"1\"".to_owned()));
        app.get(&jo, "/api/clients").await.ok();

        let answer = first_step(&app, &house.email("jo")).await;
        assert_eq!(answer.ok()["must_enrol"], true);
        let limited = session(&answer);
        assert_eq!(app.get(&limited, "/api/me").await.ok()["must_enrol"], true);
        assert_eq!(app.get(&limited, "/api/me/second-factor").await.ok()["required"], true);
        for path in ["/api/clients", "/api/sessions", "/api/staff", "/api/connections", "/api/journal"] {
            app.get(&limited, path).await.refused(403, "mfa_enrolment_required");
        }
        let key = json!({ "name": "machine", "scope": "read" });
        app.post(&limited, "/api/api-keys", &key).await.refused(403, "mfa_enrolment_required");
        app.put(&limited, "/api/me/password", &json!({ "present_password": PASSWORD, "new_password": "another fine long one" }))
            .await
            .refused(403, "mfa_enrolment_required");
        enrol(&app, &limited).await;
        app.get(&limited, "/api/clients").await.ok();
        app.delete(&limited, "/api/me/second-factor/totp").await.refused(409, "mfa_required");
        let id = text(&app.get(&limited, "/api/me").await.ok()["staff_id"]);
        first_step(&app, &house.email("jo")).await.refused(401, "second_factor_required");

        let reset = app.delete(&house.owner, &format!("/api/staff/{id}/second-factor?reason=lost")).await.ok();
        let told = reset["change_set"].to_string();
        assert!(told.contains("second_factor") && !told.contains("secret"), "{told}");
        app.get(&limited, "/api/me").await.refused(401, "unauthenticated");
        assert_eq!(first_step(&app, &house.email("jo")).await.ok()["must_enrol"], true);
    }

    async fn what_cannot_be_taken_back_asks_who_one_is(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let owner = &house.owner;
        let jo = house.staff(&app, "jo", Role::Viewer, None).await;
        let connection = app.connect(owner, "pax8").await;
        let client = app.post(owner, "/api/clients", &json!({ "name": "Harbour" })).await.ok();
        let client = format!("/api/clients/{}", text(&client["item"]["id"]));
        let (key, _) = house.key(&app, owner, "admin").await;
        app.db.clock.advance(15 * MINUTE - 1);
        house.key(&app, owner, "read").await;
        app.db.clock.advance(1);
        let security = json!({ "require_mfa": true });
        let staff = format!("/api/staff/{jo}");
        let connection = format!("/api/connections/{connection}");
        let credentials = json!({ "credentials": app.credentials("pax8") });
        let refusals = [
            app.post(owner, "/api/api-keys", &json!({ "name": "machine", "scope": "read" })).await,
            app.post(owner, "/api/me/second-factor/totp", &json!({})).await,
            app.post(owner, "/api/me/second-factor/recovery-codes", &json!({})).await,
            app.delete(owner, "/api/me/second-factor/totp").await,
            app.delete(owner, &format!("{staff}/second-factor")).await,
            app.patch(owner, &staff, &json!({ "role": "admin" })).await,
            app.patch(owner, &staff, &json!({ "suspended": true })).await,
            app.patch(owner, &connection, &credentials).await,
            app.delete(owner, &connection).await,
            app.delete(owner, &client).await,
            app.patch(owner, "/api/organisation/security", &security).await,
        ];
        for refused in &refusals {
            refused.refused(403, "reauthentication_required");
        }
        let denied = app.all(owner, "/api/journal").await;
        let denied = denied.iter().filter(|entry| entry["reason"] == "reauthentication required").count();
        assert_eq!(denied, refusals.len(), "each leaves an entry");
        // Neither a preview, nor what is harmless, nor a key is asked.
        app.delete(owner, &format!("{client}?dry_run=true")).await.ok();
        app.patch(owner, &staff, &json!({ "name": "Jo Kite" })).await.ok();
        app.patch(owner, &connection, &json!({ "cadence_minutes": 30 })).await.ok();
        app.patch(&key, &staff, &json!({ "role": "engineer" })).await.ok();

        let path = "/api/session/reauthenticate";
        app.post(owner, path, &json!({ "password": "not the right one" })).await.refused(422, "invalid");
        app.post(owner, path, &json!({})).await.refused(422, "invalid");
        app.post(owner, path, &json!({ "password": PASSWORD, "code": "123456" })).await.refused(422, "invalid");
        app.post(owner, path, &json!({ "code": "123456" })).await.refused(409, "not_enrolled");
        app.post(&key, path, &json!({ "password": PASSWORD })).await.refused(409, "needs_session");
        app.delete(owner, &client).await.refused(403, "reauthentication_required");
        app.post(owner, path, &json!({ "password": PASSWORD })).await.ok();
        app.delete(owner, &client).await.ok();
        let (secret, _) = enrol(&app, owner).await;
        app.db.clock.advance(60 * MINUTE);
        app.delete(owner, "/api/me/second-factor/totp").await.refused(403, "reauthentication_required");
        app.post(owner, path, &json!({ "code": code(&app, &secret, 0) })).await.ok();
        app.post(owner, path, &json!({ "code": code(&app, &secret, 0) })).await.refused(422, "invalid");
        app.delete(owner, "/api/me/second-factor/totp").await.ok();
    }

    async fn sessions_are_recognised_and_ended(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let edge = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 \
                    Safari/537.36 Edg/126.0.2592.87";
        let request = app.request(&Caller::Anonymous, reqwest::Method::POST, "/api/session").header("user-agent", edge);
        let body = json!({ "email": house.email("owner"), "password": PASSWORD });
        let other = session(&app.send(request.json(&body)).await);
        let third = app.sign_in(&house.email("owner")).await;
        let listed = app.get(&other, "/api/sessions").await.ok();
        let current: Vec<&Value> = listed["items"].as_array().expect("items").iter().filter(|one| one["current"] == true).collect();
        assert_eq!(current.len(), 1);
        assert_eq!((&current[0]["browser"], &current[0]["system"]), (&json!("Edge 126"), &json!("Windows")));
        assert_eq!(current[0]["address"], "127.0.0.1");
        assert_eq!(app.delete(&other, "/api/sessions?dry_run=true").await.ok(), json!({ "ended": 2 }));
        app.get(&third, "/api/me").await.ok();
        assert_eq!(app.delete(&other, "/api/sessions").await.ok(), json!({ "ended": 2 }));
        for ended in [&third, &house.owner] {
            app.get(ended, "/api/me").await.refused(401, "unauthenticated");
        }
        app.get(&other, "/api/me").await.ok();
    }
}
