//! Passkeys and second factors, as browsers of staff and of portal users use them.

use domain::Role;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Authenticator, both_databases};
use totp_rs::{Builder, Secret, Totp};

use crate::{
    harness::{Answer, Caller, PASSWORD, TestApp, text},
    house::House,
    portal,
};

const MINUTE: i64 = 60;
const STAFF: &str = "/api/session";
const PORTAL: &str = "/api/clientone/session";

/// A browser that reaches the app by a name: nobody makes passkeys for a number.
struct Browser<'a> {
    app: &'a TestApp,
    host: String,
    device: Authenticator,
}

impl<'a> Browser<'a> {
    fn new(app: &'a TestApp, seed: u8) -> Self {
        let host = app.base.replace("http://127.0.0.1", "localhost");
        let device = Authenticator::new(seed, &format!("http://{host}"));
        Self { app, host, device }
    }

    async fn send(&self, caller: &Caller, method: Method, path: &str, cookie: &str, body: Option<&Value>) -> Answer {
        let mut request = self.app.request(caller, method, path).header("host", &self.host);
        if !cookie.is_empty() {
            request = request.header("cookie", cookie);
        }
        self.app.send(TestApp::with_body(request, body)).await
    }

    async fn post(&self, caller: &Caller, path: &str, body: &Value) -> Answer {
        self.send(caller, Method::POST, path, "", Some(body)).await
    }

    /// Makes a passkey for whoever is signed in; `own` is where their passkeys are.
    async fn add(&mut self, caller: &Caller, own: &str) -> Value {
        let asked = self.send(caller, Method::POST, &format!("{own}/challenge"), "", None).await.ok();
        let made = self.device.make(&asked["options"]);
        let made = self.post(caller, own, &json!({ "name": "Laptop", "credential": made })).await.ok();
        assert!(!made.to_string().contains("credential"), "{made}");
        made
    }

    /// Asks to sign in; gives back the options and the cookie.
    async fn asked(&self, side: &str, body: &Value) -> (Value, String) {
        let answer = self.post(&Caller::Anonymous, &format!("{side}/passkey/challenge"), body).await;
        let cookie = answer.header("set-cookie");
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
        let cookie = cookie.split(';').next().expect("a cookie").to_owned();
        (answer.ok()["options"].clone(), cookie)
    }

    /// Signs in by a passkey, as the only step or with the token of a first as the second.
    async fn sign_in(&mut self, side: &str, body: &Value) -> Answer {
        let (options, cookie) = self.asked(side, body).await;
        let shown = json!({ "credential": self.device.show(&options) });
        self.send(&Caller::Anonymous, Method::POST, &format!("{side}/passkey"), &cookie, Some(&shown)).await
    }

    /// Shows once more who one is.
    async fn reauthenticate(&mut self, caller: &Caller, side: &str) -> Answer {
        let path = format!("{side}/reauthenticate/passkey");
        let asked = self.send(caller, Method::POST, &format!("{path}/challenge"), "", None).await.ok();
        let shown = json!({ "credential": self.device.show(&asked["options"]) });
        self.post(caller, &path, &shown).await
    }
}

/// The session that an answer's cookie of this name opens.
fn session(answer: &Answer, name: &str) -> Caller {
    let cookies = answer.headers.get_all("set-cookie").iter().filter_map(|value| value.to_str().ok());
    let mut tokens = cookies.filter_map(|cookie| cookie.split(';').next()?.split_once('='));
    let (_, token) = tokens.find(|(found, _)| *found == name).unwrap_or_else(|| panic!("no {name}: {}", answer.text));
    if name == "clientone_session" { Caller::Portal(token.to_owned()) } else { Caller::Session(token.to_owned()) }
}

fn code(app: &TestApp, secret: &str, seconds: i64) -> String {
    let phone: Totp =
        Builder::new().with_secret(Secret::try_from_base32(secret).expect("base32")).build().expect("a phone");
    phone.generate(u64::try_from(app.db.now().timestamp() + seconds).expect("after 1970")).to_string()
}

async fn client(app: &TestApp, house: &House, name: &str) -> String {
    let made = app.post(&house.owner, "/api/clients", &json!({ "name": name })).await.ok();
    let id = text(&made["item"]["id"]);
    portal::enable(app, &house.owner, &id).await;
    id
}

both_databases! {
    async fn staff_sign_in_with_a_passkey_alone_or_after_the_password(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let own = "/api/me/passkeys";
        app.post(&house.owner, &format!("{own}/challenge"), &json!({})).await.refused(409, "passkeys_unavailable");
        let elsewhere = app.sign_in(&house.email("owner")).await;
        let mut browser = Browser::new(&app, 1);
        let made = browser.add(&house.owner, own).await;
        assert_eq!((&made["name"], &made["site"]), (&json!("Laptop"), &json!("localhost")));
        app.get(&elsewhere, "/api/clients").await.refused(401, "unauthenticated");
        assert_eq!(app.get(&house.owner, "/api/me/second-factor").await.ok(), json!({ "recovery_codes_left": 0, "passkeys": 1, "required": false }));

        let done = browser.sign_in(STAFF, &json!({})).await;
        assert_eq!(done.ok()["email"], house.email("owner"));
        let caller = session(&done, "panelone_session");
        app.get(&caller, "/api/clients").await.ok();
        assert!(app.get(&caller, own).await.ok()["items"][0]["used_at"].is_string());

        let body = json!({ "email": house.email("owner"), "password": PASSWORD });
        let due = app.post(&Caller::Anonymous, STAFF, &body).await.refused(401, "second_factor_required");
        assert_eq!(due["second_factor"]["passkey"], true);
        let token = json!({ "token": due["second_factor"]["token"] });
        browser.device.verifies = false;
        browser.sign_in(STAFF, &token).await.refused(422, "invalid");
        browser.sign_in(STAFF, &json!({})).await.refused(401, "unauthenticated");
        browser.device.verifies = true;
        browser.sign_in(STAFF, &token).await.ok();
        // Neither without the cookie, nor from another site's page.
        let (options, cookie) = browser.asked(STAFF, &json!({})).await;
        let shown = json!({ "credential": browser.device.show(&options) });
        browser.post(&Caller::Anonymous, "/api/session/passkey", &shown).await.refused(401, "unauthenticated");
        let request = app.request(&Caller::Anonymous, Method::POST, "/api/session/passkey").header("cookie", &cookie);
        let request = request.header("sec-fetch-site", "cross-site").json(&shown);
        app.send(request).await.refused(403, "foreign_origin");

        // What cannot be taken back asks for a passkey by now.
        app.db.clock.advance(16 * MINUTE);
        let path = format!("{own}/{}", text(&made["id"]));
        app.delete(&caller, &path).await.refused(403, "reauthentication_required");
        app.post(&caller, "/api/session/reauthenticate", &json!({ "password": PASSWORD })).await.refused(409, "second_factor_required");
        browser.reauthenticate(&caller, STAFF).await.ok();
        let renamed = app.patch(&caller, &path, &json!({ "name": "Work laptop" })).await.ok();
        assert_eq!((&renamed["item"]["name"], &renamed["item"]["version"]), (&json!("Work laptop"), &json!(2)));
        let preview = app.delete(&caller, &format!("{path}?dry_run=true")).await.ok();
        assert_eq!(preview["change_set"]["total"], 1);
        app.patch(&caller, "/api/organisation/security", &json!({ "require_mfa": true })).await.ok();
        app.delete(&caller, &path).await.refused(409, "mfa_required");
        app.patch(&caller, "/api/organisation/security", &json!({ "require_mfa": false })).await.ok();
        app.delete(&caller, &path).await.ok();
        browser.sign_in(STAFF, &json!({})).await.refused(401, "unauthenticated");
        app.sign_in(&house.email("owner")).await;

        // Nothing that was signed, and nothing that checks it, is in the journal.
        let journal = app.all(&caller, "/api/journal").await;
        let mut told = String::new();
        for entry in &journal {
            told.push_str(&app.get(&caller, &format!("/api/journal/{}", text(&entry["id"]))).await.text);
        }
        for action in ["passkey_create", "passkey_update", "passkey_delete", "session_reauthenticate"] {
            assert!(told.contains(action), "{action} is not in the journal");
        }
        let shown = &shown["credential"];
        for secret in [&shown["rawId"], &shown["response"]["signature"], &shown["response"]["clientDataJSON"], &options["challenge"]] {
            assert!(!told.contains(secret.as_str().expect("a text")), "{secret} is in the journal");
        }
    }

    async fn a_passkey_is_enough_where_a_second_factor_is_required(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        house.staff(&app, "jo", Role::Engineer, None).await;
        app.patch(&house.owner, "/api/organisation/security", &json!({ "require_mfa": true })).await.ok();
        let limited = app.sign_in(&house.email("jo")).await;
        app.get(&limited, "/api/clients").await.refused(403, "mfa_enrolment_required");
        let mut browser = Browser::new(&app, 2);
        browser.add(&limited, "/api/me/passkeys").await;
        app.get(&limited, "/api/clients").await.ok();
        let done = browser.sign_in(STAFF, &json!({})).await;
        assert_eq!(done.ok()["must_enrol"], false);
        // An admin helps whoever has lost the device.
        let id = text(&done.ok()["staff_id"]);
        app.delete(&house.owner, &format!("/api/staff/{id}/second-factor")).await.ok();
        app.get(&limited, "/api/me").await.refused(401, "unauthenticated");
        browser.sign_in(STAFF, &json!({})).await.refused(401, "unauthenticated");
    }

    async fn portal_users_have_second_factors_of_their_own(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let quay = client(&app, &house, "Quay").await;
        let email = "pat@quay.example";
        let (pat, id) = portal::member(&app, &house, &quay, email, "user").await;
        let profile = "/api/clientone/profile/second-factor";
        assert_eq!(app.get(&pat, profile).await.ok(), json!({ "recovery_codes_left": 0, "required": false }));
        let settings = format!("/api/clientone-admin/settings/{quay}");
        assert_eq!(app.patch(&house.owner, &settings, &json!({ "require_mfa": true })).await.ok()["item"]["require_mfa"], true);
        app.get(&pat, "/api/clientone/dashboard").await.ok();

        // Password, then nothing but setting one up.
        let first = portal::try_sign_in(&app, email, PASSWORD).await;
        assert_eq!(first.ok()["must_enrol"], true);
        let limited = session(&first, "clientone_session");
        for path in ["dashboard", "devices", "profile", "tickets", "sessions"] {
            app.get(&limited, &format!("/api/clientone/{path}")).await.refused(403, "mfa_enrolment_required");
        }
        assert_eq!(app.get(&limited, profile).await.ok()["required"], true);
        let begun = app.post(&limited, &format!("{profile}/totp"), &json!({})).await.ok();
        let secret = text(&begun["secret"]);
        let confirm = json!({ "code": code(&app, &secret, 0) });
        let codes = app.post(&limited, &format!("{profile}/totp/confirm"), &confirm).await.ok();
        assert_eq!(codes["codes"].as_array().map(Vec::len), Some(10));
        app.get(&limited, "/api/clientone/dashboard").await.ok();
        app.get(&pat, "/api/clientone/dashboard").await.refused(401, "unauthenticated");

        // From now on there are two steps, and either proof does.
        let due = portal::try_sign_in(&app, email, PASSWORD).await;
        assert_eq!(due.header("set-cookie"), "", "half a sign-in sets no cookie");
        let token = due.refused(401, "second_factor_required")["second_factor"]["token"].clone();
        let second = format!("{PORTAL}/second-factor");
        let recovery = json!({ "token": token, "recovery_code": codes["codes"][0] });
        app.post(&Caller::Anonymous, "/api/session/second-factor", &recovery).await.refused(401, "unauthenticated");
        let done = app.post(&Caller::Anonymous, &second, &recovery).await;
        assert_eq!(done.ok()["must_enrol"], false);
        let pat = session(&done, "clientone_session");
        assert_eq!(app.get(&pat, profile).await.ok()["recovery_codes_left"], 9);
        app.delete(&pat, &format!("{profile}/totp")).await.refused(409, "mfa_required");

        // A passkey beside it; then the app may go.
        app.db.clock.advance(16 * MINUTE);
        let own = "/api/clientone/profile/passkeys";
        let mut browser = Browser::new(&app, 3);
        let challenge = format!("{own}/challenge");
        browser.send(&pat, Method::POST, &challenge, "", None).await.refused(403, "reauthentication_required");
        let body = json!({ "code": code(&app, &secret, 0) });
        app.post(&pat, &format!("{PORTAL}/reauthenticate"), &body).await.ok();
        let made = browser.add(&pat, own).await;
        app.delete(&pat, &format!("{profile}/totp")).await.ok();
        app.get(&pat, "/api/clientone/dashboard").await.ok();
        app.delete(&pat, &format!("{own}/{}", text(&made["id"]))).await.refused(409, "mfa_required");
        let done = browser.sign_in(PORTAL, &json!({})).await;
        assert_eq!((&done.ok()["email"], &done.ok()["must_enrol"]), (&json!(email), &json!(false)));
        let by_passkey = session(&done, "clientone_session");
        let due = portal::try_sign_in(&app, email, PASSWORD).await.refused(401, "second_factor_required");
        assert_eq!(due["second_factor"]["passkey"], true);
        browser.sign_in(PORTAL, &json!({ "token": due["second_factor"]["token"] })).await.ok();
        browser.sign_in(STAFF, &json!({})).await.refused(401, "unauthenticated");
        browser.reauthenticate(&by_passkey, PORTAL).await.ok();

        // Staff take it away from whoever has lost it.
        let reset = format!("/api/clientone-admin/users/{id}/second-factor");
        app.delete(&house.owner, &reset).await.refused(403, "reauthentication_required");
        let owner = app.sign_in(&house.email("owner")).await;
        let viewer = house.person(&app, "viewer", Role::Viewer).await;
        app.delete(&viewer, &reset).await.refused(403, "forbidden");
        app.delete(&owner, &format!("{reset}?dry_run=true")).await.ok();
        app.get(&by_passkey, "/api/clientone/dashboard").await.ok();
        app.delete(&owner, &reset).await.ok();
        app.get(&by_passkey, "/api/clientone/dashboard").await.refused(401, "unauthenticated");
        browser.sign_in(PORTAL, &json!({})).await.refused(401, "unauthenticated");
        assert_eq!(portal::try_sign_in(&app, email, PASSWORD).await.ok()["must_enrol"], true);
        app.delete(&owner, &reset).await.refused(409, "not_enrolled");
    }
}
