//! How people come into the team and leave it, through the API and the letters it leaves in a folder.

use std::{path::Path, sync::Arc};

use domain::Role;
use mail::{Mailbox, Sender};
use serde_json::json;
use testkit::both_databases;

use crate::{
    harness::{Caller, PASSWORD, TestApp, text},
    house::House,
};

/// Sends what waits, and gives back the letters to an address that lie in the folder, as plain text.
async fn letters(app: &TestApp, folder: &Path, to: &str) -> Vec<String> {
    app.app.gate.drain().await;
    let from = Sender::parse("PanelOne <panelone@msp.example>").expect("a sender");
    let worker = app.worker.clone().posting(Arc::new(Mailbox::new(folder, from)));
    worker.run_until_idle().await.expect("works");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .map(|entries| entries.map(|entry| entry.expect("an entry").path()).collect())
        .unwrap_or_default();
    files.sort();
    let read = |path: &std::path::PathBuf| std::fs::read_to_string(path).expect("reads").replace("=\r\n", "");
    files.iter().map(read).filter(|letter| letter.contains(to)).collect()
}

/// The token of the link in a letter.
fn token(letter: &str, page: &str) -> String {
    let after = letter.split_once(&format!("{page}#")).unwrap_or_else(|| panic!("no link to {page}: {letter}")).1;
    after.chars().take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect()
}

both_databases! {
    async fn someone_is_invited_forgets_their_password_and_is_removed(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let folder = tempfile::tempdir().expect("a folder");
        let mailbox = folder.path().join("mail");
        let body = json!({ "name": "Ina Invited", "email": "ina@kite.example", "role": "engineer" });
        let preview = app.post(&house.owner, "/api/staff-invitations?dry_run=true", &body).await.ok();
        assert!(letters(&app, &mailbox, "ina@kite.example").await.is_empty(), "a preview sends nothing");
        let digest = text(&preview["change_set"]["digest"]);
        let path = format!("/api/staff-invitations?expect={digest}&reason=joins%20us");
        let made = app.post(&house.owner, &path, &body).await.ok();
        assert_eq!((&made["item"]["state"], &made["item"]["sent"]), (&json!("pending"), &json!(1)));
        let sent = letters(&app, &mailbox, "ina@kite.example").await;
        assert_eq!(sent.len(), 1);
        let invitation = token(&sent[0], "/invitation");
        assert!(!made.to_string().contains(&invitation), "the answer holds no token");

        let nobody = Caller::Anonymous;
        let accept = json!({ "token": invitation, "password": PASSWORD });
        app.post(&nobody, "/api/staff-invitations/accept", &accept).await.ok();
        let used = app.post(&nobody, "/api/staff-invitations/accept", &accept).await.refused(409, "link_over");
        let wrong = json!({ "token": "pinv_wrong", "password": PASSWORD });
        let wrong = app.post(&nobody, "/api/staff-invitations/accept", &wrong).await.refused(409, "link_over");
        assert_eq!(used["detail"], wrong["detail"]);
        let ina = app.sign_in("ina@kite.example").await;
        let me = app.get(&ina, "/api/me").await.ok();
        assert_eq!((&me["role"], &me["name"]), (&json!("engineer"), &json!("Ina Invited")));
        let listed = app.get(&house.owner, "/api/staff-invitations").await.ok();
        assert_eq!((&listed["items"][0]["state"], &listed["items"][0]["staff_id"]), (&json!("accepted"), &me["staff_id"]));

        for email in ["nobody@kite.example", "ina@kite.example"] {
            app.post(&nobody, "/api/password-resets", &json!({ "email": email })).await.ok();
        }
        assert!(letters(&app, &mailbox, "nobody@kite.example").await.is_empty());
        let sent = letters(&app, &mailbox, "ina@kite.example").await;
        assert_eq!(sent.len(), 2);
        let sent = sent.iter().find(|letter| letter.contains("/password-reset#")).expect("a letter with a link");
        let reset = token(sent, "/password-reset");
        app.put(&nobody, "/api/password-resets", &json!({ "token": invitation, "password": PASSWORD })).await.refused(409, "link_over");
        app.put(&nobody, "/api/password-resets", &json!({ "token": reset, "password": "another long password" })).await.ok();
        app.get(&ina, "/api/me").await.refused(401, "unauthenticated");
        let body = json!({ "email": "ina@kite.example", "password": "another long password" });
        assert_eq!(app.post(&nobody, "/api/session", &body).await.status, 200);

        let outbox = app.get(&house.owner, "/api/mail").await.ok();
        let outbox = outbox["items"].as_array().expect("items");
        assert!(outbox.len() == 2 && outbox.iter().all(|letter| letter["state"] == "sent"), "{outbox:?}");
        let id = text(&me["staff_id"]);
        let own = app.get(&house.owner, "/api/me").await.ok();
        let own = format!("/api/staff/{}/remove", text(&own["staff_id"]));
        app.post(&house.owner, &own, &json!({})).await.refused(409, "own_account");
        app.post(&house.owner, &format!("/api/staff/{id}/remove?reason=left"), &json!({})).await.ok();
        let team = app.get(&house.owner, "/api/staff").await;
        assert!(!team.text.contains("ina@kite.example"), "{}", team.text);
        app.post(&house.owner, &format!("/api/staff/{id}/remove"), &json!({})).await.refused(404, "not_found");
        let journal = app.get(&house.owner, "/api/journal?limit=100").await;
        for secret in [&invitation, &reset] {
            assert!(!journal.text.contains(secret), "a token stands in the journal");
        }
        for action in ["staff_invite", "staff_invitation_accept", "password_reset_request", "password_reset_set", "staff_remove"] {
            assert!(journal.text.contains(action), "{action} is not in the journal");
        }
    }

    async fn ownership_changes_hands_and_a_refusal_leaves_an_entry(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let heir = house.staff(&app, "heir", Role::Engineer, None).await;
        let admin = house.person(&app, "admin", Role::Admin).await;
        let body = json!({ "own_role": "viewer" });
        let path = format!("/api/staff/{heir}/transfer-ownership");
        app.post(&admin, &path, &body).await.refused(403, "forbidden");
        let invite = json!({ "name": "Boss", "email": "boss@kite.example", "role": "owner" });
        app.post(&admin, "/api/staff-invitations", &invite).await.refused(403, "forbidden");
        let journal = app.get(&house.owner, "/api/journal?limit=100").await.ok();
        let denied: Vec<_> = journal["items"].as_array().expect("items").iter().filter(|entry| entry["outcome"] == "denied").map(|entry| text(&entry["action"])).collect();
        assert!(denied.contains(&"ownership_transfer".to_owned()) && denied.contains(&"staff_invite".to_owned()), "{denied:?}");
        let (key, _) = house.key(&app, &house.owner, "admin").await;
        app.post(&key, &path, &body).await.refused(409, "needs_session");
        app.post(&house.owner, &path, &json!({ "own_role": "owner" })).await.refused(422, "invalid");
        app.post(&house.owner, &path, &body).await.ok();
        app.get(&house.owner, "/api/me").await.refused(401, "unauthenticated");
        let me = app.get(&app.sign_in("heir@kite.example").await, "/api/me").await.ok();
        assert_eq!(me["role"], "owner");
        let me = app.get(&app.sign_in("owner@kite.example").await, "/api/me").await.ok();
        assert_eq!(me["role"], "viewer");
    }
}
