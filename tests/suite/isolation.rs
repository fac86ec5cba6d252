//! Nobody reaches what is not theirs, and nobody can tell that it exists. Every operation of the document
//! × callers × each id in path, query and body.

use std::{collections::BTreeMap, fmt::Write as _, path::Path};

use domain::Role;
use serde_json::{Value, json};
use testkit::both_databases;

use crate::{
    dump::{assert_same, dump},
    harness::{Answer, Caller, TestApp, text},
    house::House,
    operations::{Ids, Place, Template, templates},
};

/// Tables that a refused attempt may write to.
pub const ATTEMPTS: [&str; 3] = ["journal", "journal_head", "journal_client"];

/// Asks with one id replaced; the answer must be one that the document declares.
pub async fn ask(
    app: &TestApp,
    caller: &Caller,
    template: &Template,
    ids: &Ids,
    other: Option<(usize, &str)>,
) -> Answer {
    let (path, body) = template.fill(ids, other);
    let request = app.request(caller, template.operation.method.clone(), &path);
    let answer = app.send(TestApp::with_body(request, body.as_ref()));
    let answer = answer.await;
    let (id, status) = (&template.operation.id, answer.status);
    assert!(template.operation.statuses.contains(&status), "{id} answers {status}, which it does not declare");
    assert_ne!(status, 500, "{id}: {}", answer.text);
    answer
}

/// An answer without what differs between any two requests, and without the id that was asked for.
pub fn plain(answer: &Answer, id: &str) -> (u16, BTreeMap<String, String>, String) {
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in &answer.headers {
        if !["x-request-id", "date", "content-length"].contains(&name.as_str()) {
            headers.insert(name.to_string(), value.to_str().unwrap_or_default().replace(id, "ID"));
        }
    }
    let request = answer.header("x-request-id");
    (answer.status, headers, answer.text.replace(id, "ID").replace(&request, "REQUEST"))
}

/// Everyone who must be told nothing at all.
async fn strangers(app: &TestApp, house: &House) -> Vec<(&'static str, Caller)> {
    let mut strangers = vec![("nobody", Caller::Anonymous)];
    let expired = house.person(app, "sleeper", Role::Owner).await;
    app.db.clock.advance(13 * 3_600);
    strangers.push(("an expired session", expired));
    let owner = app.sign_in(&house.email("owner")).await;
    let id = house.staff(app, "suspended", Role::Admin, None).await;
    let session = app.sign_in(&house.email("suspended")).await;
    let (key, _) = house.key(app, &session, "admin").await;
    let suspended = json!({ "suspended": true });
    app.patch(&owner, &format!("/api/staff/{id}"), &suspended).await.ok();
    strangers.extend([("a suspended user's session", session), ("a suspended user's key", key)]);
    let (revoked, id) = house.key(app, &owner, "admin").await;
    app.post(&owner, &format!("/api/api-keys/{id}/revoke"), &json!({})).await.ok();
    strangers.push(("a revoked key", revoked));
    let Caller::Session(token) = &owner else { panic!("a session") };
    let changed = if token.ends_with('A') { "B" } else { "A" };
    strangers.push(("a changed session", Caller::Session(format!("{}{changed}", &token[..token.len() - 1]))));
    strangers.push(("a session as a key", Caller::Key(token.clone())));
    strangers.push(("a made-up key", Caller::Key(format!("pone_live_{}", "A".repeat(64)))));
    strangers
}

both_databases! {
    async fn no_operation_tells_a_stranger_anything(db: TestDb) {
        let app = TestApp::new(db).await;
        let mut house = House::build(&app, "kite").await;
        let strangers = strangers(&app, &house).await;
        house.owner = app.sign_in(&house.email("owner")).await;
        let ids = house.furnish(&app).await;
        let mut tried = 0;
        let before = dump(&app.db, &[]).await;
        for template in templates().iter().filter(|template| !template.row.open) {
            let mut first = None;
            for (who, caller) in &strangers {
                let answer = ask(&app, caller, template, &ids, None).await;
                let id = &template.operation.id;
                assert_eq!(answer.status, 401, "{id} for {who}: {}", answer.text);
                answer.refused(401, "unauthenticated");
                let answer = plain(&answer, "no id");
                assert_eq!(first.get_or_insert_with(|| answer.clone()), &answer, "{id} tells {who} apart");
                tried += 1;
            }
        }
        app.app.gate.drain().await;
        assert_same(&before, &dump(&app.db, &[]).await, "a stranger");
        assert!(tried > 300, "{tried} cases");
    }

    async fn a_foreign_id_and_a_random_one_are_the_same(db: TestDb) {
        let app = TestApp::new(db).await;
        let (house, other) = (House::build(&app, "kite").await, House::build(&app, "lark").await);
        let (mine, theirs) = (house.furnish(&app).await, other.furnish(&app).await);
        let mut tried = 0;
        for template in templates() {
            let before = dump(&app.db, &ATTEMPTS).await;
            let id = template.operation.id.clone();
            for (at, (place, kind)) in template.slots().into_iter().enumerate() {
                let foreign = theirs[kind.as_str()].clone();
                let random = app.db.store.chance().id(app.db.now()).to_string();
                let what = format!("{id}, {kind} in {place:?}");
                let one = ask(&app, &house.owner, &template, &mine, Some((at, &foreign))).await;
                let two = ask(&app, &house.owner, &template, &mine, Some((at, &random))).await;
                assert_eq!(plain(&one, &foreign), plain(&two, &random), "{what}: a foreign id shows");
                match place {
                    Place::Path => drop(one.refused(404, "not_found")),
                    Place::Body => assert!([404, 409, 422].contains(&one.status), "{what}: {} {}", one.status, one.text),
                    Place::Query => {
                        let nothing = one.json()["items"].as_array().is_some_and(Vec::is_empty);
                        assert!(one.status == 404 || (one.status == 200 && nothing), "{what}: {}", one.text);
                    }
                }
                tried += 2;
            }
            assert_same(&before, &dump(&app.db, &ATTEMPTS).await, &id);
        }
        assert!(tried > 60, "{tried} cases");
    }

    async fn clients_out_of_scope_do_not_exist(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let ids = house.furnish(&app).await;
        let all = app.all(&house.owner, "/api/clients").await;
        let (client, hidden) = (ids["client"].clone(), ids["hidden"].clone());
        for (name, role) in [("scoped-admin", Role::Admin), ("scoped-engineer", Role::Engineer), ("scoped-finance", Role::Finance)] {
            let seen = vec![client.clone(), ids["subscriber"].clone()];
            house.staff(&app, name, role, Some(seen.clone())).await;
            let caller = app.sign_in(&house.email(name)).await;
            let listed: Vec<String> = app.all(&caller, "/api/clients").await.iter().map(|one| text(&one["id"])).collect();
            assert!(listed.iter().all(|id| seen.contains(id)) && listed.len() < all.len(), "{name} sees {listed:?}");
            let stats = app.get(&caller, "/api/clients/stats").await.ok();
            assert_eq!(stats["total"].as_u64(), Some(listed.len() as u64), "{name} can count what is hidden");
            let before = dump(&app.db, &ATTEMPTS).await;
            for template in templates() {
                let id = template.operation.id.clone();
                for (at, (_, kind)) in template.slots().into_iter().enumerate() {
                    let secret = match kind.as_str() {
                        "client" | "subscriber" | "archived" => hidden.clone(),
                        "entity" | "mapped" | "held" | "desk" => ids["hidden_entity"].clone(),
                        "subscription" => ids["hidden_subscription"].clone(),
                        "contact" => ids["hidden_contact"].clone(),
                        "document" => ids["hidden_document"].clone(),
                        "location" => ids["hidden_location"].clone(),
                        "threat" => ids["hidden_threat"].clone(),
                        "ticket" => ids["hidden_ticket"].clone(),
                        "typed" => ids["hidden_typed"].clone(),
                        "drift" => ids["hidden_drift"].clone(),
                        "portal_user" | "invitee" => ids["hidden_portal_user"].clone(),
                        "service_request" => ids["hidden_service_request"].clone(),
                        "portal_ticket" => ids["hidden_portal_ticket"].clone(),
                        "ticket_attachment" => ids["hidden_ticket_attachment"].clone(),
                        "agreement_instance" => ids["hidden_agreement_instance"].clone(),
                        "onboarding" => ids["hidden_onboarding"].clone(),
                        "onboarding_step" => ids["hidden_onboarding_step"].clone(),
                        "psa_conflict" => ids["hidden_psa_conflict"].clone(),
                        "device" | "other_device" => ids["hidden_device"].clone(),
                        "observation" => ids["hidden_observation"].clone(),
                        "tenant" | "open_tenant" => ids["hidden_tenant"].clone(),
                        "tenant_connect" => ids["hidden_tenant_connect"].clone(),
                        "kept_contact" => ids["hidden_kept_contact"].clone(),
                        "alias" => ids["hidden_alias"].clone(),
                        "approval" => ids["hidden_approval"].clone(),
                        "client_note" => ids["hidden_client_note"].clone(),
                        "library_document" => ids["hidden_library_document"].clone(),
                        "file" | "removed_file" => ids["hidden_file"].clone(),
                        _ => continue,
                    };
                    let random = app.db.store.chance().id(app.db.now()).to_string();
                    let one = ask(&app, &caller, &template, &ids, Some((at, &secret))).await;
                    let two = ask(&app, &caller, &template, &ids, Some((at, &random))).await;
                    assert_eq!(plain(&one, &secret), plain(&two, &random), "{id}, {kind}: {name} can tell it exists");
                    assert!(!one.text.contains("Hidden From Some"), "{id} shows {name} the name of what is hidden");
                }
            }
            assert_same(&before, &dump(&app.db, &ATTEMPTS).await, name);
            // Whatever lists, counts or finds, finds nothing of it.
            for path in ["/api/clients?search=Hidden", "/api/clients?sort=device_count&direction=desc", "/api/clients/export?archived=included", "/api/files?limit=100", "/api/journal", "/api/runs", "/api/msp-portal/customers?search=Hidden", "/api/msp-portal/customers?archived=included&limit=100"] {
                let answer = app.get(&caller, path).await;
                assert!(!answer.text.contains(&hidden) && !answer.text.contains("Hidden From Some"), "{path}: {}", answer.text);
            }
            let entities = app.get(&caller, &format!("/api/connections/{}/entities?limit=100", ids["connection"])).await;
            assert!(!entities.text.contains(&hidden), "entities show {name} a hidden client");
        }
    }
}

/// Each operation × each role and scope of key, as text; rights do not depend on the database.
#[tokio::test]
async fn every_operation_is_allowed_to_whom_the_reviewed_list_says() {
    let app = TestApp::new(testkit::sqlite().await).await;
    let house = House::build(&app, "kite").await;
    let ids = house.furnish(&app).await;
    let mut callers: Vec<(&str, Option<String>, Caller)> = Vec::new();
    for (name, role) in [
        ("finance", Role::Finance),
        ("viewer", Role::Viewer),
        ("msp-admin", Role::MspAdmin),
        ("engineer", Role::Engineer),
        ("admin", Role::Admin),
    ] {
        callers.push((name, Some(house.email(name)), house.person(&app, name, role).await));
    }
    callers.push(("owner", Some(house.email("owner")), house.owner.clone()));
    for scope in ["read", "write", "admin"] {
        callers.push((scope, None, house.key(&app, &house.owner, scope).await.0));
    }
    let mut text = String::from(
        "# yes: may; yes*: may, but refused for the state of things; no: 403; hidden: 404; person: not for keys. Keys are the owner's.\n",
    );
    let _ = write!(text, "{:<36}", "operation");
    for (name, email, _) in &callers {
        let name = if email.is_none() { format!("key:{name}") } else { (*name).to_owned() };
        let _ = write!(text, " {name:<10}");
    }
    for template in templates().into_iter().map(Template::preview).filter(|template| !template.row.open) {
        let own = template.slots().iter().any(|(_, kind)| kind == "connection" || kind == "run");
        for billing in if own { vec![false, true] } else { vec![false] } {
            let mut ids = ids.clone();
            let mut name = template.operation.id.clone();
            if billing {
                name.push_str(" (billing)");
                for (kind, from) in [("connection", "billing"), ("run", "billing_run"), ("entity", "mapped")] {
                    ids.insert(kind, ids[from].clone());
                }
            }
            let _ = write!(text, "\n{name:<36}");
            for (_, email, caller) in &callers {
                // What ends the session that asks needs one of its own.
                let caller = match email {
                    Some(email) if template.operation.id == "session_end" => app.sign_in(email).await,
                    _ => caller.clone(),
                };
                let answer = ask(&app, &caller, &template, &ids, None).await;
                let code = answer.json()["code"].as_str().unwrap_or_default().to_owned();
                let word = match (answer.status, code.as_str()) {
                    (403, _) => "no".to_owned(),
                    (404, _) => "hidden".to_owned(),
                    (409, "needs_session") => "person".to_owned(),
                    (200, _) => "yes".to_owned(),
                    (409 | 412 | 422, _) => "yes*".to_owned(),
                    (status, _) => status.to_string(),
                };
                let _ = write!(text, " {word:<10}");
            }
        }
    }
    let text: String = text.lines().map(|line| format!("{}\n", line.trim_end())).collect();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("suite/permissions_by_operation.txt");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&file, &text).expect("writes");
    }
    let reviewed = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(text, reviewed, "if the change is meant: UPDATE=1 cargo nextest run -p tests, and review the diff");
}

/// Fields that only the server sets, or that belong to other operations.
const FORBIDDEN: [&str; 14] = [
    "organisation_id",
    "id",
    "role",
    "permissions",
    "created_at",
    "updated_at",
    "deleted_at",
    "version",
    "client_id",
    "staff_id",
    "state",
    "device_count",
    "account",
    "mapped_by",
];

#[tokio::test]
async fn no_body_takes_fields_that_are_not_its_own() {
    let app = TestApp::new(testkit::sqlite().await).await;
    let house = House::build(&app, "kite").await;
    let ids = house.furnish(&app).await;
    let before = dump(&app.db, &[]).await;
    let mut tried = 0;
    for template in templates().iter().filter(|template| !template.operation.body.is_null()) {
        let (path, body) = template.fill(&ids, None);
        let body = body.expect("a body");
        for (pointer, known) in objects(&template.operation.body, &body) {
            for field in FORBIDDEN.iter().filter(|field| !known.contains(&(**field).to_owned())) {
                let mut body = body.clone();
                let object = body.pointer_mut(&pointer).and_then(Value::as_object_mut).expect("an object");
                object.insert((*field).to_owned(), json!("11111111-1111-4111-8111-111111111111"));
                let request = app.request(&house.owner, template.operation.method.clone(), &path).json(&body);
                let answer = app.send(request).await;
                let problem = answer.refused(400, "malformed");
                assert!(problem.to_string().contains(field), "{} {field}: {problem}", template.operation.id);
                tried += 1;
            }
        }
    }
    assert_same(&before, &dump(&app.db, &[]).await, "a forbidden field");
    assert!(tried > 150, "{tried} cases");
}

/// Every object of a body whose fields the document names: its pointer and those fields. Only maps of free
/// fields (credentials) are left out.
fn objects(schema: &Value, body: &Value) -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    let Some(properties) = schema["properties"].as_object() else { return found };
    found.push((String::new(), properties.keys().cloned().collect()));
    for (name, property) in properties {
        for (pointer, known) in body[name].get(0).map(|item| objects(&property["items"], item)).unwrap_or_default() {
            found.push((format!("/{name}/0{pointer}"), known));
        }
    }
    found
}
