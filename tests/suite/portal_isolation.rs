//! Nobody of a client sees what is not theirs: every operation of both documents × callers of both kinds × each id.
//!
//! **A new operation of ClientOne needs a row here**, as one of the staff's in `operations.rs`; then run with
//! `UPDATE=1` and review `portal_permissions_by_operation.txt`.

use std::{fmt::Write as _, path::Path};

use serde_json::json;
use testkit::both_databases;

use crate::{
    attachments, document,
    dump::{assert_same, dump},
    harness::{Caller, TestApp, text},
    house::{House, linked, passkey},
    isolation::{ATTEMPTS, ask, plain},
    kept_files, onboarding_journey,
    operations::{Ids, Place, Row, Template, row, templates, templates_of},
    portal, requests, tickets_journey,
};

fn rows() -> Vec<Row> {
    vec![
        row("portal_invitation_accept")
            .open()
            .body(r#"{"token":"no-token","name":"Nobody","password":"a fine long password"}"#),
        row("portal_password_forgot").open().body(r#"{"email":"nobody@kite.example"}"#),
        row("portal_password_reset").open().body(r#"{"token":"no-token","password":"a fine long password"}"#),
        row("portal_email_confirm").open().body(r#"{"token":"no-token"}"#),
        row("portal_session_create").open().body(r#"{"email":"nobody@kite.example","password":"not the right one"}"#),
        row("portal_sso_start").open().body(r#"{"organisation":"nowhere","email":"nobody@kite.example"}"#),
        row("portal_sso_link_list"),
        row("portal_sso_link_start"),
        row("portal_sso_link_delete"),
        row("portal_session_complete").open().body(r#"{"token":"pending_of-nobody","code":"123456"}"#),
        row("portal_session_reauthenticate").body(r#"{"code":"123456"}"#),
        row("portal_second_factor_get"),
        row("portal_totp_enrol"),
        row("portal_totp_confirm").body(r#"{"code":"123456"}"#),
        row("portal_totp_remove"),
        row("portal_recovery_codes_make"),
        row("portal_passkey_list"),
        row("portal_passkey_challenge"),
        row("portal_passkey_create").body(r#"{"name":"Laptop","credential":{"id":"AA"}}"#),
        row("portal_passkey_update").body(r#"{"name":"Renamed"}"#),
        row("portal_passkey_delete"),
        row("portal_session_passkey_challenge").open().body(r#"{"token":"pending_of-nobody"}"#),
        row("portal_session_passkey_create").open().body(r#"{"credential":{"id":"AA"}}"#),
        row("portal_reauthentication_challenge"),
        row("portal_session_reauthenticate_passkey").body(r#"{"credential":{"id":"AA"}}"#),
        row("portal_session_get"),
        row("portal_session_end"),
        row("portal_session_list"),
        row("portal_sessions_delete"),
        row("portal_session_delete"),
        row("profile_get"),
        row("profile_update").body(r#"{"name":"Renamed","phone":"+61 2 5550 0100"}"#),
        row("portal_password_change")
            .body(r#"{"present_password":"not the right one","new_password":"another fine long one"}"#),
        row("dashboard_get"),
        row("device_list"),
        row("company_backup_list"),
        row("device_get"),
        row("colleague_list"),
        row("colleague_invite").body(r#"{"email":"another.guest@kite.example","name":"Nova Guest"}"#),
        row("colleague_deactivate"),
        row("colleague_reactivate"),
        row("colleague_invitation_revoke"),
        row("activity_list"),
        row("company_connection_list"),
        row("service_request_type_list"),
        row("service_request_list"),
        row("service_request_create").body(
            r#"{"service_request_type_id":"$service_request_type","description":"For Sam","answers":[
                {"key":"starts_on","value":"2026-12-01"},{"key":"model","value":"13 inch"}]}"#,
        ),
        row("service_request_get"),
        row("service_request_cancel"),
        row("ticket_form_get"),
        row("portal_ticket_list"),
        row("portal_ticket_create").body(
            r#"{"subject":"Printer","description":"It does not print.","answers":[{"key":"priority","value":"High"}]}"#,
        ),
        row("portal_ticket_get"),
        row("portal_ticket_reply").body(r#"{"text":"It prints again."}"#),
        row("portal_ticket_close"),
        row("portal_ticket_reopen"),
        row("portal_ticket_read"),
        row("ticket_attachment_list"),
        row("ticket_attachment_upload").query("name=photo.txt").file("The light is red."),
        row("ticket_attachment_content_get"),
        row("agreement_list"),
        row("agreement_get"),
        row("agreement_sign").body(r#"{"name":"Gale Guest","text_hash":"00"}"#),
        row("agreement_pdf_get"),
        row("company_document_list"),
        row("company_document_get"),
        row("company_document_content_get"),
        row("agreement_decline").body(r#"{"reason":"Not like this."}"#),
        row("onboarding_list"),
        row("onboarding_get"),
        row("onboarding_step_complete").body("{}"),
        row("notification_list"),
        row("notifications_unread"),
        row("notifications_read"),
        row("notification_read"),
        row("notification_settings_get"),
        row("notification_settings_update").body(r#"{"in_app":true,"ticket_reply":false}"#),
    ]
}

/// Every operation of ClientOne's document with its row.
fn portal_templates() -> Vec<Template> {
    templates_of(document::portal_operations(), rows())
}

/// A client with a User and a Manager, and one id of each kind that is theirs.
struct Guests {
    user: Caller,
    manager: Caller,
    user_email: String,
    manager_email: String,
    ids: Ids,
}

/// Both people of a client: `device` is assigned to the User; a second session of each, and a colleague, are there.
async fn guests(app: &TestApp, house: &House, client: &str, device: &str, tag: &str) -> Guests {
    portal::enable(app, &house.owner, client).await;
    let email = |name: &str| house.email(&format!("{tag}.{name}"));
    let (user, user_id) = portal::member(app, house, client, &email("user"), "user").await;
    let (manager, _) = portal::member(app, house, client, &email("manager"), "manager").await;
    let (_, colleague) = portal::member(app, house, client, &email("colleague"), "user").await;
    portal::assign(app, &house.owner, &user_id, &[device]).await.ok();
    let second = portal::sign_in(app, &email("user")).await;
    requests::sections(app, &house.owner, client, &requests::ALL_SECTIONS).await;
    let service = requests::request_type(app, &house.owner, &format!("Service {tag}")).await;
    let request = requests::ask_for(app, &user, &service).await;
    let ticket = tickets_journey::make(app, &user, &format!("Ticket of {tag}")).await;
    let attached =
        attachments::attach(app, &user, &format!("/api/clientone/tickets/{ticket}"), "log.txt", "lp0 on fire").await;
    let attached = text(&attached.ok()["item"]["id"]);
    if tag != "mine" {
        // Types are for every client of an MSP: one that another must not reach is retired.
        let retire = format!("/api/clientone-admin/service-request-types/{service}");
        app.patch(&house.owner, &retire, &json!({ "active": false })).await.ok();
    }
    let agreement = requests::draft(app, &house.owner, &format!("Agreement {tag}"), false).await;
    requests::send(app, &house.owner, &agreement, &[client]).await;
    let copy = requests::copy_of(app, &house.owner, &agreement, client).await;
    let template = onboarding_journey::plain_steps();
    let template = onboarding_journey::template(app, &house.owner, &format!("Onboarding {tag}"), &template).await;
    let onboarding = onboarding_journey::begin(app, &house.owner, &template, &[client]).await.remove(0);
    let step = onboarding_journey::steps(app, &house.owner, &onboarding).await.remove(0);
    let note = json!({ "act": "note", "note": "We have seen it." });
    app.post(&house.owner, &format!("/api/clientone-admin/service-requests/{request}/acts"), &note).await.ok();
    let told = app.get(&user, "/api/clientone/notifications").await.ok();
    let session = app.get(&second, "/api/clientone/session").await.ok();
    let file = kept_files::published(app, &house.owner, client, &format!("Plan {tag}")).await;
    let ids = Ids::from([
        ("company_document", file),
        ("portal_session", text(&session["session_id"])),
        ("sso_link", sso_link(app, house, client, &user_id).await),
        ("device", device.to_owned()),
        ("passkey", passkey_of(app, house, &colleague).await),
        ("portal_user", colleague),
        ("service_request_type", service),
        ("service_request", request),
        ("agreement_instance", copy),
        ("portal_ticket", ticket),
        ("ticket_attachment", attached),
        ("onboarding", onboarding),
        ("onboarding_step", step),
        ("notification", text(&told["items"][0]["id"])),
    ]);
    Guests { user, manager, user_email: email("user"), manager_email: email("manager"), ids }
}

/// A passkey of a portal user that no device has.
async fn passkey_of(app: &TestApp, house: &House, user: &str) -> String {
    let user: domain::PortalUserId = user.parse().expect("an id");
    passkey(app, house.organisation, user.into()).await
}

/// An identity of the MSP's provider for all clients, which nobody can use, that is linked to a portal user.
async fn sso_link(app: &TestApp, house: &House, client: &str, user: &str) -> String {
    let found = app.get(&house.owner, "/api/sso-providers").await.ok();
    let found = found["items"].as_array().expect("items").iter().find(|one| one["audience"] == "portal").cloned();
    let provider = match found {
        Some(provider) => text(&provider["id"]),
        None => {
            let body = json!({
                "audience": "portal", "name": "Kite ID", "kind": "oidc", "issuer": "https://127.0.0.1:9",
                "app_id": "app", "secret": "s3cret", "enabled": false,
            });
            text(&app.post(&house.owner, "/api/sso-providers", &body).await.ok()["item"]["id"])
        }
    };
    let user: domain::PortalUserId = user.parse().expect("an id");
    linked(app, house.organisation, &provider, user.into(), client.parse().ok()).await
}

fn token(caller: &Caller) -> String {
    match caller {
        Caller::Portal(token) | Caller::Session(token) | Caller::Key(token) => token.clone(),
        Caller::Anonymous => String::new(),
    }
}

both_databases! {
    async fn no_session_of_one_side_opens_the_other(db: TestDb) {
        let app = TestApp::new(db).await;
        let mut house = House::build(&app, "kite").await;
        let ids = house.furnish(&app).await;
        let mine = guests(&app, &house, &ids["subscriber"], &ids["device"], "mine").await;
        let shut = guests(&app, &house, &ids["hidden"], &ids["hidden_device"], "shut").await;
        let expired = portal::sign_in(&app, &mine.user_email).await;
        app.db.clock.advance(13 * 3_600);
        house.owner = app.sign_in(&house.email("owner")).await;
        let (user, manager) = (portal::sign_in(&app, &mine.user_email).await, portal::sign_in(&app, &mine.manager_email).await);
        let (out, out_id) = portal::member(&app, &house, &ids["subscriber"], "out@kite.example", "manager").await;
        let deactivate = format!("/api/clientone-admin/users/{out_id}/deactivate");
        app.post(&house.owner, &deactivate, &json!({})).await.ok();
        let of_closed = portal::sign_in(&app, &shut.manager_email).await;
        let disable = format!("/api/clientone-admin/settings/{}/disable", ids["hidden"]);
        app.post(&house.owner, &disable, &json!({})).await.ok();
        let (key, _) = house.key(&app, &house.owner, "admin").await;
        let strangers = [
            ("nobody", Caller::Anonymous),
            ("an owner", house.owner.clone()),
            ("an owner's key", key.clone()),
            ("an owner's session in ClientOne's cookie", Caller::Portal(token(&house.owner))),
            ("an owner's key in ClientOne's cookie", Caller::Portal(token(&key))),
            ("a session as a key", Caller::Key(token(&user))),
            ("an expired session", expired),
            ("a deactivated Manager", out),
            ("a Manager of a client that is disabled", of_closed),
        ];
        let of_portal = [
            ("a User", user.clone()),
            ("a Manager", manager.clone()),
            ("a Manager's session in the staff's cookie", Caller::Session(token(&manager))),
            ("a Manager's session as a key", Caller::Key(token(&manager))),
        ];
        let before = dump(&app.db, &[]).await;
        let mut tried = 0;
        let mut drive = async |template: &Template, ids: &Ids, callers: &[(&str, Caller)]| {
            let mut first = None;
            for (who, caller) in callers {
                let answer = ask(&app, caller, template, ids, None).await;
                assert_eq!(answer.status, 401, "{} for {who}: {}", template.operation.id, answer.text);
                let answer = plain(&answer, "no id");
                assert_eq!(first.get_or_insert_with(|| answer.clone()), &answer, "{} tells {who} apart", template.operation.id);
                tried += 1;
            }
        };
        for template in portal_templates().iter().filter(|template| !template.row.open) {
            drive(template, &mine.ids, &strangers).await;
        }
        for template in templates().iter().filter(|template| !template.row.open) {
            drive(template, &ids, &of_portal).await;
        }
        app.app.gate.drain().await;
        assert_same(&before, &dump(&app.db, &[]).await, "a stranger");
        assert!(tried > 450, "{tried} cases");
    }

    async fn people_of_a_client_reach_nothing_of_another(db: TestDb) {
        let app = TestApp::new(db).await;
        let (house, other) = (House::build(&app, "kite").await, House::build(&app, "lark").await);
        let (here, there) = (house.furnish(&app).await, other.furnish(&app).await);
        let mine = guests(&app, &house, &here["subscriber"], &here["device"], "mine").await;
        let next_door = guests(&app, &house, &here["hidden"], &here["hidden_device"], "next").await;
        let far = guests(&app, &other, &there["subscriber"], &there["device"], "far").await;
        let mut tried = 0;
        for (who, caller) in [("a User", &mine.user), ("a Manager", &mine.manager)] {
            for template in portal_templates() {
                let id = template.operation.id.clone();
                let before = dump(&app.db, &ATTEMPTS).await;
                for (at, (place, kind)) in template.slots().into_iter().enumerate() {
                    for theirs in [&next_door.ids[kind.as_str()], &far.ids[kind.as_str()]] {
                        let random = app.db.store.chance().id(app.db.now()).to_string();
                        let one = ask(&app, caller, &template, &mine.ids, Some((at, theirs))).await;
                        let two = ask(&app, caller, &template, &mine.ids, Some((at, &random))).await;
                        let what = format!("{id}, {kind} in {place:?} for {who}");
                        assert_eq!(plain(&one, theirs), plain(&two, &random), "{what}: a foreign id shows");
                        assert!(place == Place::Path || kind == "service_request_type", "{what}");
                        assert!([403, 404].contains(&one.status), "{what}: {} {}", one.status, one.text);
                        tried += 2;
                    }
                }
                assert_same(&before, &dump(&app.db, &ATTEMPTS).await, &id);
            }
            // What lists shows nothing of the others, and what staff hold of the caller's own client neither.
            let foreign = [&next_door, &far].map(|guests| guests.ids.values().cloned().collect::<Vec<_>>()).concat();
            for path in ["session", "sessions", "profile", "dashboard", "devices?limit=100", "users?limit=100", "activity?limit=100", "service-request-types", "service-requests", "tickets", "agreements", "documents?limit=100", "onboarding", "onboarding?state=completed", "notifications?limit=100", "notifications/unread", "notification-settings"] {
                let answer = app.get(caller, &format!("/api/clientone/{path}")).await;
                assert!([200, 403].contains(&answer.status), "{path}: {}", answer.text);
                for secret in foreign.iter().map(String::as_str).chain(["next.", "far.", "Hidden From Some", "connection_id"]) {
                    assert!(!answer.text.contains(secret), "{path} shows {who} {secret}: {}", answer.text);
                }
            }
        }
        assert!(tried >= 32, "{tried} cases");
        // A device that belongs to another client cannot be assigned, and one that moves away is seen no more.
        let me = app.get(&mine.user, "/api/clientone/profile").await.ok();
        let refused = portal::assign(&app, &house.owner, &text(&me["id"]), &[&here["hidden_device"]]).await;
        assert_eq!(refused.status, 422, "{}", refused.text);
    }

    async fn fields_that_are_not_its_own_are_refused_everywhere_in_clientone(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let ids = house.furnish(&app).await;
        let mine = guests(&app, &house, &ids["subscriber"], &ids["device"], "mine").await;
        let before = dump(&app.db, &[]).await;
        let mut tried = 0;
        for template in portal_templates().iter().filter(|template| !template.operation.body.is_null()) {
            let (path, body) = template.fill(&mine.ids, None);
            for field in ["role", "client_id", "state", "organisation_id", "id", "version", "sections"] {
                let mut body = body.clone().expect("a body");
                body[field] = json!("manager");
                let request = app.request(&mine.manager, template.operation.method.clone(), &path).json(&body);
                let problem = app.send(request).await.refused(400, "malformed");
                assert!(problem.to_string().contains(field), "{} {field}: {problem}", template.operation.id);
                tried += 1;
            }
        }
        assert_same(&before, &dump(&app.db, &[]).await, "a forbidden field");
        assert!(tried >= 49, "{tried} cases");
    }
}

/// Each operation of ClientOne × each role, with every section on and with all of them off; rights do not depend on
/// the database.
#[tokio::test]
async fn every_operation_of_clientone_is_there_for_whom_the_reviewed_list_says() {
    let app = TestApp::new(testkit::sqlite().await).await;
    let house = House::build(&app, "kite").await;
    let ids = house.furnish(&app).await;
    let mine = guests(&app, &house, &ids["subscriber"], &ids["device"], "mine").await;
    let settings = format!("/api/clientone-admin/settings/{}", ids["subscriber"]);
    let all =
        ["devices", "tickets", "service_requests", "documents", "agreements", "onboarding", "backups", "activity"];
    let mut text = String::from("# yes: may; yes*: may, but refused for the state of things; no: 403; hidden: 404.\n");
    let _ = write!(text, "{:<26} {:<8} {:<8} {:<8} manager, all off", "operation", "user", "manager", "user, all off");
    for template in portal_templates().into_iter().map(Template::preview).filter(|template| !template.row.open) {
        let _ = write!(text, "\n{:<26}", template.operation.id);
        for sections in [&all[..], &[]] {
            app.patch(&house.owner, &settings, &json!({ "sections": sections })).await.ok();
            for email in [&mine.user_email, &mine.manager_email] {
                // What ends sessions needs some of its own.
                let caller = portal::sign_in(&app, email).await;
                let mut ids = mine.ids.clone();
                if template.operation.id == "portal_session_delete" {
                    let session = app.get(&portal::sign_in(&app, email).await, "/api/clientone/session").await.ok();
                    ids.insert("portal_session", crate::harness::text(&session["session_id"]));
                }
                let answer = ask(&app, &caller, &template, &ids, None).await;
                let word = match answer.status {
                    403 => "no".to_owned(),
                    404 => "hidden".to_owned(),
                    200 => "yes".to_owned(),
                    409 | 412 | 422 => "yes*".to_owned(),
                    status => status.to_string(),
                };
                let _ = write!(text, " {word:<8}");
            }
        }
    }
    let text: String = text.lines().map(|line| format!("{}\n", line.trim_end())).collect();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("suite/portal_permissions_by_operation.txt");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&file, &text).expect("writes");
    }
    let reviewed = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(text, reviewed, "if the change is meant: UPDATE=1 cargo nextest run -p tests, and review the diff");
}
