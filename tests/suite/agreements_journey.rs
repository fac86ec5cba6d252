//! Agreements: sent, read, signed or declined, superseded, and what was signed for ever as it was.

use domain::Letter;
use serde_json::{Value, json};
use testkit::both_databases;

use crate::{
    harness::{Caller, TestApp, text},
    house::House,
    portal::{enable, ids, letter, member},
    requests::{ALL_SECTIONS, copy_of, draft, sections, send},
};

const AGREEMENTS: &str = "/api/clientone-admin/agreements";
const COPIES: &str = "/api/clientone-admin/agreement-instances";
const MINE: &str = "/api/clientone/agreements";

async fn client(app: &TestApp, house: &House, name: &str) -> String {
    let id = text(&app.post(&house.owner, "/api/clients", &json!({ "name": name })).await.ok()["item"]["id"]);
    enable(app, &house.owner, &id).await;
    sections(app, &house.owner, &id, &ALL_SECTIONS).await;
    id
}

async fn shown(app: &TestApp, caller: &Caller) -> bool {
    let session = app.get(caller, "/api/clientone/session").await.ok();
    session["sections"].as_array().expect("sections").contains(&json!("agreements"))
}

async fn open(app: &TestApp, caller: &Caller, copy: &str) -> Value {
    app.get(caller, &format!("{MINE}/{copy}")).await.ok()
}

both_databases! {
    async fn an_agreement_is_read_signed_and_kept_as_it_was(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let owner = &house.owner;
        let quay = client(&app, &house, "Quay").await;
        let (manager, manager_id) = member(&app, &house, &quay, "pat@quay.example", "manager").await;
        let (user, user_id) = member(&app, &house, &quay, "sam@quay.example", "user").await;
        let terms = draft(&app, owner, "Terms of service", true).await;
        assert!(!shown(&app, &manager).await, "the section is there without an agreement");

        // A draft changes; sent to nobody it is in no portal.
        let path = format!("{AGREEMENTS}/{terms}");
        app.patch(owner, &path, &json!({ "text": "# Terms\r\n\r\nWe look after all of it." })).await.ok();
        let sent_to = |clients: &[&str], person: Option<&str>| {
            let mut body = json!({ "client_ids": clients });
            if let Some(person) = person {
                body["portal_user_id"] = json!(person);
            }
            body
        };
        let send_path = format!("{path}/send");
        app.post(owner, &send_path, &sent_to(&[], None)).await.refused(422, "invalid");
        app.post(owner, &send_path, &sent_to(&[&quay, &quay], None)).await.refused(422, "invalid");
        app.post(owner, &send_path, &sent_to(&[&quay], Some(&user_id))).await.refused(422, "invalid");
        app.post(owner, &format!("{send_path}?dry_run=true"), &sent_to(&[&quay], None)).await.ok();
        assert_eq!(app.get(&manager, MINE).await.ok()["total"], 0, "a preview sends");
        app.post(owner, &send_path, &sent_to(&[&quay], None)).await.ok();
        app.post(owner, &send_path, &sent_to(&[&quay], None)).await.refused(422, "invalid");
        assert!(shown(&app, &manager).await && shown(&app, &user).await);
        match letter(&app, house.organisation, "pat@quay.example").await {
            Some(Letter::Notice { subject, .. }) => assert_eq!(subject, "An agreement waits for you: Terms of service"),
            other => panic!("{other:?}"),
        }

        // From now on the text cannot change.
        app.patch(owner, &path, &json!({ "text": "Something else" })).await.refused(409, "sent_already");
        let entries = app.get(owner, "/api/journal?limit=100").await.ok();
        for entry in entries["items"].as_array().expect("items") {
            if text(&entry["action"]).starts_with("agreement_") {
                let revert = format!("/api/journal/{}/revert", text(&entry["id"]));
                app.post(owner, &revert, &json!({})).await.refused(409, "not_revertible");
            }
        }

        // Whoever may not sign reads it without a trace; it is not signed unread, nor as another text.
        let copy = copy_of(&app, owner, &terms, &quay).await;
        let sign = async |caller: &Caller, hash: &str| {
            app.post(caller, &format!("{MINE}/{copy}/sign"), &json!({ "name": "Pat Quay", "text_hash": hash })).await
        };
        let read = open(&app, &user, &copy).await;
        assert_eq!((read["state"].as_str(), read["may_sign"].as_bool()), (Some("pending"), Some(false)), "{read}");
        assert_eq!(read["text"], "# Terms\n\nWe look after all of it.");
        let hash = text(&read["text_hash"]);
        sign(&user, &hash).await.refused(403, "forbidden");
        sign(&manager, &hash).await.refused(409, "wrong_state");
        let read = open(&app, &manager, &copy).await;
        assert_eq!((read["state"].as_str(), read["may_sign"].as_bool()), (Some("viewed"), Some(true)), "{read}");
        assert!(read["viewed_at"].is_string());
        sign(&manager, &"0".repeat(64)).await.refused(409, "other_text");
        sign(&manager, &hash).await.ok();
        sign(&manager, &hash).await.refused(409, "wrong_state");
        let decline = format!("{MINE}/{copy}/decline");
        app.post(&manager, &decline, &json!({ "reason": "On second thoughts" })).await.refused(409, "wrong_state");
        app.post(owner, &format!("{COPIES}/{copy}/withdraw"), &json!({})).await.refused(409, "wrong_state");

        // All that proves it is kept, through a newer version and the end of the client's ClientOne.
        let proof = app.get(owner, &format!("{COPIES}/{copy}")).await.ok();
        let signature = &proof["signature"];
        assert_eq!(signature["portal_user_id"], json!(manager_id));
        assert_eq!((&signature["name"], &signature["text_hash"]), (&json!("Pat Quay"), &json!(hash)));
        assert_eq!(signature["intact"], true);
        assert!(signature["at"].is_string() && signature["source_address"].is_string(), "{signature}");
        let next = app.post(owner, &format!("{path}/versions"), &json!({})).await.ok();
        let next = text(&next["item"]["id"]);
        app.post(owner, &format!("{path}/versions"), &json!({})).await.refused(409, "draft_exists");
        app.patch(owner, &format!("{AGREEMENTS}/{next}"), &json!({ "text": "# Other terms" })).await.ok();
        send(&app, owner, &next, &[&quay]).await;
        assert_eq!(app.get(&manager, MINE).await.ok()["total"], 2);
        app.post(owner, &format!("/api/clientone-admin/settings/{quay}/disable"), &json!({})).await.ok();
        app.post(owner, &format!("/api/clients/{quay}/archive"), &json!({})).await.ok();
        let after = app.get(owner, &format!("{COPIES}/{copy}")).await.ok();
        assert_eq!(proof, after, "what was signed has changed");
        let deeds = app.get(owner, &format!("/api/clientone-admin/activity?client_id={quay}")).await.ok();
        for action in ["agreement_view", "agreement_sign"] {
            assert!(deeds["items"].as_array().is_some_and(|all| all.iter().any(|deed| deed["action"] == action)), "{deeds}");
        }

        // Whoever changes the text behind our back is found out.
        app.db.tamper("UPDATE agreement SET text = 'forged' WHERE number = 1").await.expect("tampers");
        assert_eq!(app.get(owner, &format!("{COPIES}/{copy}")).await.ok()["signature"]["intact"], false);
    }

    async fn a_new_version_supersedes_what_waits_and_nothing_else(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let owner = &house.owner;
        let mut people = Vec::new();
        for name in ["alder", "birch", "cedar", "dogwood"] {
            let id = client(&app, &house, name).await;
            let (manager, manager_id) = member(&app, &house, &id, &format!("pat@{name}.example"), "manager").await;
            people.push((id, manager, manager_id));
        }
        let clients: Vec<&str> = people.iter().map(|(id, ..)| id.as_str()).collect();
        let first = draft(&app, owner, "Terms of service", true).await;
        send(&app, owner, &first, &clients).await;
        let mut copies = Vec::new();
        for client in &clients {
            copies.push(copy_of(&app, owner, &first, client).await);
        }
        // One signs, one declines, one only reads, one does nothing.
        for (at, copy) in copies.iter().take(3).enumerate() {
            let hash = text(&open(&app, &people[at].1, copy).await["text_hash"]);
            let (act, body) = match at {
                0 => ("sign", json!({ "name": "Pat", "text_hash": hash })),
                1 => ("decline", json!({ "reason": "The notice is too short." })),
                _ => continue,
            };
            app.post(&people[at].1, &format!("{MINE}/{copy}/{act}"), &body).await.ok();
        }
        let next = app.post(owner, &format!("{AGREEMENTS}/{first}/versions"), &json!({})).await.ok();
        let next = text(&next["item"]["id"]);
        send(&app, owner, &next, &clients[..1]).await;
        let mut states = Vec::new();
        for copy in &copies {
            states.push(text(&app.get(owner, &format!("{COPIES}/{copy}")).await.ok()["state"]));
        }
        assert_eq!(states, ["signed", "declined", "superseded", "superseded"]);
        let late = json!({ "client_ids": [clients[3]] });
        app.post(owner, &format!("{AGREEMENTS}/{first}/send"), &late).await.refused(409, "newer_version");
        let hash = text(&app.get(&people[2].1, &format!("{MINE}/{}", copies[2])).await.ok()["text_hash"]);
        let body = json!({ "name": "Pat", "text_hash": hash });
        app.post(&people[2].1, &format!("{MINE}/{}/sign", copies[2]), &body).await.refused(409, "wrong_state");

        // Addressed to one Manager, no other signs; open to Users, the User it is addressed to does.
        let (_, second_id) = member(&app, &house, clients[0], "max@alder.example", "manager").await;
        let (user, user_id) = member(&app, &house, clients[0], "sam@alder.example", "user").await;
        for (managers_only, person, signer, other) in
            [(true, &people[0].2, &people[0].1, &user), (false, &user_id, &user, &people[0].1)]
        {
            let one = draft(&app, owner, "For one", managers_only).await;
            let body = json!({ "client_ids": [clients[0]], "portal_user_id": person });
            app.post(owner, &format!("{AGREEMENTS}/{one}/send"), &body).await.ok();
            let copy = copy_of(&app, owner, &one, clients[0]).await;
            let hash = text(&open(&app, signer, &copy).await["text_hash"]);
            let body = json!({ "name": "Me", "text_hash": hash });
            app.post(other, &format!("{MINE}/{copy}/sign"), &body).await.refused(403, "forbidden");
            app.post(signer, &format!("{MINE}/{copy}/sign"), &body).await.ok();
        }
        let elsewhere = draft(&app, owner, "Elsewhere", true).await;
        let body = json!({ "client_ids": [clients[1]], "portal_user_id": second_id });
        app.post(owner, &format!("{AGREEMENTS}/{elsewhere}/send"), &body).await.refused(422, "invalid");
        assert_eq!(ids(&app.get(owner, &format!("{COPIES}?client_id={}&state=signed", clients[0])).await.ok()).len(), 3);
        assert_eq!(app.get(owner, "/api/journal/verification").await.ok()["sound"], true);
    }

    async fn many_who_decide_at_once_come_to_one_outcome(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let owner = &house.owner;
        let quay = client(&app, &house, "Quay").await;
        let (pat, _) = member(&app, &house, &quay, "pat@quay.example", "manager").await;
        let (max, _) = member(&app, &house, &quay, "max@quay.example", "manager").await;
        for round in 0..4 {
            let terms = draft(&app, owner, &format!("Terms {round}"), true).await;
            send(&app, owner, &terms, &[&quay]).await;
            let copy = copy_of(&app, owner, &terms, &quay).await;
            // Both open it at once, too.
            let (one, two) = tokio::join!(open(&app, &pat, &copy), open(&app, &max, &copy));
            assert_eq!((one["state"].as_str(), two["state"].as_str()), (Some("viewed"), Some("viewed")));
            let sign = json!({ "name": "Signer", "text_hash": one["text_hash"] });
            let no = json!({ "reason": "No." });
            let (sign_path, no_path) = (format!("{MINE}/{copy}/sign"), format!("{MINE}/{copy}/decline"));
            let withdraw = format!("{COPIES}/{copy}/withdraw");
            let nothing = json!({});
            let (a, b, c, d, e) = tokio::join!(
                app.post(&pat, &sign_path, &sign),
                app.post(&max, &no_path, &no),
                app.post(&max, &sign_path, &sign),
                app.post(owner, &withdraw, &nothing),
                app.post(&pat, &no_path, &no),
            );
            let answers = [a, b, c, d, e];
            let done: Vec<usize> = (0..5).filter(|at| answers[*at].status == 200).collect();
            let told: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
            assert_eq!(done.len(), 1, "{told:?}");
            assert!(told.iter().all(|status| [200, 409, 412].contains(status)), "{told:?}");
            let kept = app.get(owner, &format!("{COPIES}/{copy}")).await.ok();
            let expected = ["signed", "declined", "signed", "withdrawn", "declined"][done[0]];
            assert_eq!(kept["state"], expected);
            assert_eq!((kept["signature"].is_object(), kept["reason"].is_string()), (expected == "signed", expected == "declined"));
        }
        assert_eq!(app.get(owner, "/api/journal/verification").await.ok()["sound"], true);
    }
}
