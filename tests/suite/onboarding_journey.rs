//! Onboarding: a template assigned to clients, done step by step in ClientOne, and led by staff.

use domain::{Context, Letter};
use serde_json::{Value, json};
use testkit::both_databases;

use crate::{
    harness::{Caller, PASSWORD, TestApp, text},
    house::House,
    operations::Ids,
    portal::{enable, member, sign_in},
    requests::{ALL_SECTIONS, copy_of, draft, sections, send},
};

const TEMPLATES: &str = "/api/clientone-admin/onboarding-templates";
const ADMIN: &str = "/api/clientone-admin/onboarding";
const MINE: &str = "/api/clientone/onboarding";
const ROUTER: &str = "canary-of-the-router-4471";

/// A template in draft.
pub async fn template(app: &TestApp, owner: &Caller, name: &str, steps: &Value) -> String {
    let body = json!({ "name": name, "stalled_after_days": 7, "steps": steps });
    text(&app.post(owner, TEMPLATES, &body).await.ok()["item"]["id"])
}

/// Publishes a template and begins it at clients; gives back their onboardings.
pub async fn begin(app: &TestApp, owner: &Caller, template: &str, clients: &[&str]) -> Vec<String> {
    app.post(owner, &format!("{TEMPLATES}/{template}/publish"), &json!({})).await.ok();
    let body = json!({ "client_ids": clients });
    let begun = app.post(owner, &format!("{TEMPLATES}/{template}/assign"), &body).await.ok();
    begun["item"]["items"].as_array().expect("items").iter().map(|one| text(&one["id"])).collect()
}

/// The ids of an onboarding's steps.
pub async fn steps(app: &TestApp, owner: &Caller, onboarding: &str) -> Vec<String> {
    let whole = app.get(owner, &format!("{ADMIN}/{onboarding}")).await.ok();
    whole["steps"].as_array().expect("steps").iter().map(|step| text(&step["id"])).collect()
}

/// Steps that need nothing.
pub fn plain_steps() -> Value {
    json!([
        { "title": "Tell your people", "kind": "task", "text": "Let everyone know." },
        { "title": "Your network", "kind": "credentials", "wanted": ["Router"] },
    ])
}

/// One of each kind for [`crate::operations`]: of a client, and of one that is hidden. No section stays on for it.
pub async fn furnish(app: &TestApp, house: &House, client: &str, hidden: &str) -> Ids {
    let owner = &house.owner;
    for client in [client, hidden] {
        sections(app, owner, client, &["onboarding"]).await;
    }
    let published = template(app, owner, "Welcome", &plain_steps()).await;
    let begun = begin(app, owner, &published, &[client, hidden]).await;
    for client in [client, hidden] {
        sections(app, owner, client, &["devices", "tickets", "backups", "activity"]).await;
    }
    let (step, hidden_step) =
        (steps(app, owner, &begun[0]).await.remove(0), steps(app, owner, &begun[1]).await.remove(0));
    Ids::from([
        ("onboarding_template", published),
        ("onboarding_draft", template(app, owner, "Later", &plain_steps()).await),
        ("onboarding", begun[0].clone()),
        ("hidden_onboarding", begun[1].clone()),
        ("onboarding_step", step),
        ("hidden_onboarding_step", hidden_step),
    ])
}

async fn client(app: &TestApp, house: &House, name: &str) -> String {
    let id = text(&app.post(&house.owner, "/api/clients", &json!({ "name": name })).await.ok()["item"]["id"]);
    enable(app, &house.owner, &id).await;
    sections(app, &house.owner, &id, &ALL_SECTIONS).await;
    id
}

/// Whether a letter about this waits for an address.
async fn told(app: &TestApp, house: &House, email: &str, about: &str) -> bool {
    let tx = app.db.store.begin(Context::operator(house.organisation, app.db.now())).await.expect("begins");
    for mail in tx.mail_list().await.expect("lists").into_iter().filter(|mail| mail.recipient == email) {
        // Rolled back: it waits on.
        let taken = tx.mail_take(mail.id).await.expect("takes").map(|mail| mail.letter);
        if matches!(taken, Some(Letter::Notice { subject, .. }) if subject == about) {
            return true;
        }
    }
    false
}

async fn shown(app: &TestApp, caller: &Caller, onboarding: &str) -> Value {
    app.get(caller, &format!("{MINE}/{onboarding}")).await.ok()
}

both_databases! {
    async fn a_client_is_onboarded_step_by_step(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let owner = &house.owner;
        let quay = client(&app, &house, "Quay").await;
        let (manager, manager_id) = member(&app, &house, &quay, "pat@quay.example", "manager").await;
        let (user, _) = member(&app, &house, &quay, "sam@quay.example", "user").await;
        let terms = draft(&app, owner, "Terms of service", true).await;
        let guide = json!({ "library": "customer", "title": "How to reach us", "content": "Call us.", "published": true });
        let guide = text(&app.post(owner, "/api/library-documents", &guide).await.ok()["item"]["id"]);
        let plan = json!([
            { "title": "Terms", "kind": "agreement", "agreement_id": terms },
            { "title": "Network", "kind": "credentials", "wanted": ["Router", "Wi-Fi"] },
            { "title": "Kick-off", "kind": "kickoff", "text": "Choose an hour.", "link": "https://calendar.example/kick-off" },
            { "title": "About you", "kind": "form",
              "fields": [{ "key": "seats", "label": "Seats", "kind": "number", "required": true }] },
            { "title": "Read", "kind": "document", "document_id": guide },
            { "title": "Tell", "kind": "task", "text": "Let everyone know." },
        ]);
        for (wrong, pointer) in [
            (json!([{ "title": "Terms", "kind": "agreement" }]), "/steps/0/agreement_id"),
            (json!([{ "title": "Tell", "kind": "task", "text": "Do.", "wanted": ["x"] }]), "/steps/0/wanted"),
            (json!([{ "title": "Go", "kind": "kickoff", "text": "Go.", "link": "javascript:alert(1)" }]), "/steps/0/link"),
            (json!([]), "/steps"),
        ] {
            let refused = app.post(owner, TEMPLATES, &json!({ "name": "Wrong", "steps": wrong })).await;
            assert_eq!(refused.refused(422, "invalid")["errors"][0]["pointer"], pointer);
        }
        let welcome = template(&app, owner, "Welcome", &plan).await;
        let assign = format!("{TEMPLATES}/{welcome}/assign");
        let body = json!({ "client_ids": [quay] });
        app.post(owner, &assign, &body).await.refused(409, "wrong_state");
        app.post(owner, &format!("{TEMPLATES}/{welcome}/publish"), &json!({})).await.ok();
        app.patch(owner, &format!("{TEMPLATES}/{welcome}"), &json!({ "name": "Other" })).await.refused(409, "published_already");
        assert!(app.get(&manager, "/api/clientone/dashboard").await.ok()["onboarding"].is_null());
        let preview = app.post(owner, &format!("{assign}?dry_run=true"), &body).await.ok();
        assert_eq!(app.get(&manager, MINE).await.ok()["total"], 0, "a preview begins it");
        let expect = format!("{assign}?expect={}", text(&preview["change_set"]["digest"]));
        let begun = app.post(owner, &expect, &body).await.ok();
        let id = text(&begun["item"]["items"][0]["id"]);
        app.post(owner, &assign, &body).await.refused(422, "invalid");
        assert!(told(&app, &house, "pat@quay.example", "Your onboarding begins: Welcome").await, "no letter");
        assert_eq!(app.get(&manager, "/api/clientone/dashboard").await.ok()["onboarding"], 1);

        // One step at a time: of the others only titles.
        let seen = shown(&app, &user, &id).await;
        assert_eq!((&seen["onboarding"]["done"], &seen["onboarding"]["total"]), (&json!(0), &json!(6)));
        assert_eq!((&seen["todo"]["title"], &seen["todo"]["may_complete"]), (&json!("Terms"), &json!(false)));
        assert_eq!(seen["steps"][2]["title"], "Kick-off");
        assert!(!seen.to_string().contains("calendar.example"), "it shows what comes later: {seen}");
        let ids: Vec<String> = seen["steps"].as_array().expect("steps").iter().map(|step| text(&step["id"])).collect();
        let complete = async |caller: &Caller, at: usize, body: Value| {
            app.post(caller, &format!("{MINE}/{id}/steps/{}/complete", ids[at]), &body).await
        };
        complete(&user, 0, json!({})).await.refused(403, "forbidden");
        complete(&manager, 1, json!({})).await.refused(409, "not_the_current_step");
        // The agreement: not sent, sent, signed.
        complete(&manager, 0, json!({})).await.refused(409, "agreement_not_signed");
        send(&app, owner, &terms, &[&quay]).await;
        let todo = shown(&app, &manager, &id).await["todo"].clone();
        let copy = copy_of(&app, owner, &terms, &quay).await;
        assert_eq!((&todo["agreement_instance_id"], &todo["agreement_state"]), (&json!(copy), &json!("pending")));
        let refused = complete(&manager, 0, json!({})).await.refused(409, "agreement_not_signed");
        assert!(text(&refused["detail"]).contains("sign it"), "{refused}");
        let read = app.get(&manager, &format!("/api/clientone/agreements/{copy}")).await.ok();
        let signature = json!({ "name": "Pat Quay", "text_hash": read["text_hash"] });
        app.post(&manager, &format!("/api/clientone/agreements/{copy}/sign"), &signature).await.ok();
        let seen = shown(&app, &manager, &id).await;
        assert_eq!((&seen["steps"][0]["state"], &seen["todo"]["title"]), (&json!("done"), &json!("Network")));

        // Credentials go in, and come out of no portal, list, journal or row.
        complete(&manager, 1, json!({ "credentials": [{ "label": "Router", "value": ROUTER }] })).await.refused(422, "invalid");
        let both = json!({ "credentials": [{ "label": "Router", "value": ROUTER }, { "label": "Wi-Fi", "value": " canary wi-fi " }] });
        let preview = app.post(&manager, &format!("{MINE}/{id}/steps/{}/complete?dry_run=true", ids[1]), &both).await;
        preview.ok();
        assert_eq!(shown(&app, &manager, &id).await["onboarding"]["done"], 1, "a preview does it");
        let done = complete(&manager, 1, both.clone()).await;
        done.ok();
        complete(&manager, 1, both).await.refused(409, "wrong_state");
        assert_eq!(shown(&app, &manager, &id).await["todo"]["link"], "https://calendar.example/kick-off");
        complete(&manager, 2, json!({})).await.ok();
        assert_eq!(shown(&app, &manager, &id).await["todo"]["fields"][0]["key"], "seats");
        let answers = |value: &str| json!({ "answers": [{ "key": "seats", "value": value }] });
        complete(&manager, 3, answers("many")).await.refused(422, "invalid");
        complete(&manager, 3, answers("12")).await.ok();
        assert_eq!(shown(&app, &manager, &id).await["steps"][3]["answers"][0]["value"], "12");
        let seen = shown(&app, &user, &id).await;
        assert_eq!(seen["steps"][3]["answers"], json!([]), "a User sees what was answered");
        assert_eq!((&seen["todo"]["document_title"], &seen["todo"]["document_text"]), (&json!("How to reach us"), &json!("Call us.")));
        complete(&manager, 4, json!({ "answers": [] })).await.refused(422, "invalid");
        complete(&manager, 4, json!({})).await.ok();
        let last = complete(&manager, 5, json!({})).await.ok();
        assert_eq!((&last["item"]["onboarding"]["state"], &last["item"]["todo"]), (&json!("completed"), &Value::Null));
        assert_eq!(app.get(&manager, MINE).await.ok()["total"], 0);
        assert_eq!(app.get(&manager, &format!("{MINE}?state=completed")).await.ok()["total"], 1);
        assert!(app.get(&manager, "/api/clientone/dashboard").await.ok()["onboarding"].is_null());

        let whole = app.get(owner, &format!("{ADMIN}/{id}")).await.ok();
        assert_eq!((&whole["onboarding"]["state"], &whole["onboarding"]["done"]), (&json!("completed"), &json!(6)));
        assert_eq!((&whole["steps"][3]["answers"][0]["value"], &whole["steps"][3]["portal_user_id"]), (&json!("12"), &json!(manager_id)));
        assert!(whole["steps"][1]["credentials_at"].is_string() && whole["steps"][1]["credentials_reads"] == 0, "{whole}");
        let deeds = app.get(&manager, "/api/clientone/activity?limit=100").await.ok();
        let did = |deed: &&Value| deed["action"] == "onboarding_step_complete" && deed["outcome"] == "done";
        assert_eq!(deeds["items"].as_array().expect("items").iter().filter(did).count(), 5, "{deeds}");
        let mut said = vec![preview.text, done.text, whole.to_string(), deeds.to_string()];
        for entry in app.all(owner, "/api/journal").await {
            said.push(app.get(owner, &format!("/api/journal/{}", text(&entry["id"]))).await.text);
        }
        said.push(format!("{:?}", crate::dump::dump(&app.db, &[]).await));
        assert!(said.iter().all(|text| !text.contains("canary")), "a credential shows");
        assert_eq!(app.get(owner, "/api/journal/verification").await.ok()["sound"], true);
    }

    async fn reading_credentials_asks_who_one_is_and_is_noted(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let owner = &house.owner;
        let quay = client(&app, &house, "Quay").await;
        let (manager, _) = member(&app, &house, &quay, "pat@quay.example", "manager").await;
        let plan = json!([{ "title": "Network", "kind": "credentials", "wanted": ["Router"] }, { "title": "Tell", "kind": "task", "text": "Do." }]);
        let welcome = template(&app, owner, "Welcome", &plan).await;
        let id = begin(&app, owner, &welcome, &[&quay]).await.remove(0);
        let step = steps(&app, owner, &id).await.remove(0);
        let path = format!("{ADMIN}/{id}/steps/{step}");
        let read = async |caller: &Caller| app.post(caller, &format!("{path}/credentials?reason=set-up"), &json!({})).await;
        read(owner).await.refused(409, "no_credentials");
        let given = json!({ "credentials": [{ "label": "Router", "value": ROUTER }] });
        app.post(&manager, &format!("{MINE}/{id}/steps/{step}/complete"), &given).await.ok();

        let found = read(owner).await.ok();
        assert_eq!(found, json!({ "items": [{ "label": "Router", "value": ROUTER }], "reads": 1 }));
        let me = text(&app.get(owner, "/api/me").await.ok()["staff_id"]);
        let noted = format!("/api/journal?action=onboarding_credentials_read&outcome=done&actor_id={me}&client_id={quay}");
        let entries = app.get(owner, &noted).await.ok();
        assert_eq!((&entries["total"], &entries["items"][0]["reason"]), (&json!(1), &json!("set-up")));
        let entry = app.get(owner, &format!("/api/journal/{}", text(&entries["items"][0]["id"]))).await.ok();
        assert!(entry.to_string().contains(&step) && !entry.to_string().contains(ROUTER), "{entry}");
        // Not by machines, not by roles without the right, not by portal users, not long after signing in.
        let (key, _) = house.key(&app, owner, "admin").await;
        read(&key).await.refused(409, "needs_session");
        let engineer = house.person(&app, "engineer", domain::Role::Engineer).await;
        read(&engineer).await.refused(403, "forbidden");
        read(&manager).await.refused(401, "unauthenticated");
        app.db.clock.advance(16 * 60);
        read(owner).await.refused(403, "reauthentication_required");
        assert_eq!(app.get(owner, &noted).await.ok()["total"], 1, "a refusal is no reading");
        app.post(owner, "/api/session/reauthenticate", &json!({ "password": PASSWORD })).await.ok();
        assert_eq!(read(owner).await.ok()["reads"], 2);
        let whole = app.get(owner, &format!("{ADMIN}/{id}")).await.ok();
        assert_eq!((&whole["steps"][0]["credentials_reads"], &whole["steps"][0]["credentials_read_by"]), (&json!(2), &json!(me)));

        // Asked for again, what was given is gone.
        app.post(owner, &format!("{path}/reopen?dry_run=true"), &json!({})).await.ok();
        assert_eq!(read(owner).await.ok()["reads"], 3, "a preview forgets");
        app.post(owner, &format!("{path}/reopen"), &json!({})).await.ok();
        read(owner).await.refused(409, "no_credentials");
        assert_eq!(shown(&app, &manager, &id).await["todo"]["wanted"], json!(["Router"]));
    }

    async fn staff_see_what_stands_still_and_lead_it_on(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let owner = &house.owner;
        let (quay, pier) = (client(&app, &house, "Quay").await, client(&app, &house, "Pier").await);
        member(&app, &house, &quay, "pat@quay.example", "manager").await;
        let welcome = template(&app, owner, "Welcome", &plain_steps()).await;
        let begun = begin(&app, owner, &welcome, &[&quay, &pier]).await;
        let first = steps(&app, owner, &begun[0]).await;
        app.db.clock.advance(6 * 86_400);
        let manager = sign_in(&app, "pat@quay.example").await;
        app.post(&manager, &format!("{MINE}/{}/steps/{}/complete", begun[0], first[0]), &json!({})).await.ok();
        app.db.clock.advance(86_400);
        let owner = &app.sign_in(&house.email("owner")).await;
        let stalled = app.get(owner, &format!("{ADMIN}?stalled=true")).await.ok();
        assert_eq!((&stalled["total"], &stalled["items"][0]["id"]), (&json!(1), &json!(begun[1])));
        assert_eq!((&stalled["items"][0]["stalled"], &stalled["items"][0]["client"]), (&json!(true), &json!("Pier")));
        let moving = app.get(owner, &format!("{ADMIN}?stalled=false&client_id={quay}")).await.ok();
        let one = &moving["items"][0];
        assert_eq!((&one["done"], &one["total"], &one["current_step"]), (&json!(1), &json!(2), &json!("Your network")));

        // A new version takes the place of the old; what was begun goes on as it is.
        let next = app.post(owner, &format!("{TEMPLATES}/{welcome}/versions"), &json!({})).await.ok();
        let next = text(&next["item"]["id"]);
        app.post(owner, &format!("{TEMPLATES}/{welcome}/versions"), &json!({})).await.refused(409, "draft_exists");
        let shorter = json!({ "steps": [{ "title": "Only this", "kind": "task", "text": "Do." }] });
        app.patch(owner, &format!("{TEMPLATES}/{next}"), &shorter).await.ok();
        app.post(owner, &format!("{TEMPLATES}/{next}/publish"), &json!({})).await.ok();
        assert_eq!(app.get(owner, &format!("{TEMPLATES}/{welcome}")).await.ok()["state"], "retired");
        assert_eq!(steps(&app, owner, &begun[0]).await, first);

        let skip = format!("{ADMIN}/{}/steps/{}/skip", begun[0], first[1]);
        app.post(owner, &skip, &json!({ "reason": " " })).await.refused(422, "invalid");
        let preview = app.post(owner, &format!("{skip}?dry_run=true"), &json!({ "reason": "Known." })).await.ok();
        let expect = format!("{skip}?expect={}", text(&preview["change_set"]["digest"]));
        let skipped = app.post(owner, &expect, &json!({ "reason": "Known." })).await.ok();
        assert_eq!((&skipped["item"]["onboarding"]["state"], &skipped["item"]["steps"][1]["reason"]), (&json!("completed"), &json!("Known.")));
        let reopen = format!("{ADMIN}/{}/steps/{}/reopen", begun[0], first[1]);
        assert_eq!(app.post(owner, &reopen, &json!({})).await.ok()["item"]["onboarding"]["state"], "active");
        let cancel = format!("{ADMIN}/{}/cancel", begun[1]);
        let cancelled = app.post(owner, &cancel, &json!({ "reason": "They begin in June." })).await.ok();
        assert_eq!((&cancelled["item"]["onboarding"]["state"], &cancelled["item"]["onboarding"]["reason"]), (&json!("cancelled"), &json!("They begin in June.")));
        app.post(owner, &cancel, &json!({})).await.refused(409, "wrong_state");
        let body = json!({ "client_ids": [pier] });
        app.post(owner, &format!("{TEMPLATES}/{welcome}/assign"), &body).await.refused(409, "wrong_state");
        app.post(owner, &format!("{TEMPLATES}/{next}/assign"), &body).await.ok();
        app.post(owner, &format!("{TEMPLATES}/{next}/retire"), &json!({})).await.ok();
        assert_eq!(app.get(owner, &format!("{ADMIN}?client_id={pier}&state=active")).await.ok()["total"], 1);
        assert_eq!(app.get(owner, "/api/journal/verification").await.ok()["sound"], true);

        // Without the section there is nothing of it.
        sections(&app, owner, &quay, &["devices"]).await;
        let manager = sign_in(&app, "pat@quay.example").await;
        for path in [MINE.to_owned(), format!("{MINE}/{}", begun[0])] {
            app.get(&manager, &path).await.refused(404, "not_found");
        }
        app.post(owner, &format!("{TEMPLATES}/{next}/assign"), &body).await.refused(409, "wrong_state");
    }
}
