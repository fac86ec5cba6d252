//! What a client's people go through: invited, let in, narrowed, shut out, let in again.

use domain::{Letter, Role};
use serde_json::{Value, json};
use testkit::both_databases;

use crate::{
    dump::dump,
    harness::{Caller, PASSWORD, TestApp, text},
    house::House,
    portal::{accept, assign, enable, ids, invite, letter, link, member, sign_in, status, try_sign_in},
};

/// A client with two devices at least; also those devices' ids.
async fn client_with_devices(app: &TestApp, house: &House) -> (String, Vec<String>) {
    let ids = house.furnish(app).await;
    let client = ids["subscriber"].clone();
    let devices = app.all(&house.owner, &format!("/api/clients/{client}/joined-devices")).await;
    (client, devices.iter().map(|device| text(&device["id"])).collect())
}

async fn row_of(app: &TestApp, owner: &Caller, client: &str) -> Value {
    app.get(owner, &format!("/api/clientone-admin/settings?client_id={client}")).await.ok()["items"][0].clone()
}

both_databases! {
    async fn from_an_invitation_to_the_end_of_it_all_and_back(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let (client, devices) = client_with_devices(&app, &house).await;
        let settings = format!("/api/clientone-admin/settings/{client}");

        // Invited only while it is enabled, by mail, and the mail says who invites whom to what.
        app.post(&house.owner, &format!("{settings}/disable"), &json!({})).await.ok();
        let body = json!({ "client_id": client, "email": "pat@quay.example", "name": "Pat", "role": "manager" });
        let path = "/api/clientone-admin/users/invitations";
        app.post(&house.owner, path, &body).await.refused(409, "clientone_disabled");
        enable(&app, &house.owner, &client).await;
        app.post(&house.owner, &format!("{path}?dry_run=true"), &body).await.ok();
        assert!(letter(&app, house.organisation, "pat@quay.example").await.is_none(), "a preview sends mail");
        invite(&app, &house.owner, &client, "pat@quay.example", "manager").await;
        match letter(&app, house.organisation, "pat@quay.example").await {
            Some(Letter::PortalInvitation { brand, link, .. }) => {
                assert_eq!(brand, "House of kite");
                assert!(link.starts_with("http://127.0.0.1:") && link.contains("/clientone/invitation#"), "{link}");
            }
            other => panic!("{other:?}"),
        }
        let (_, token) = link(&app, house.organisation, "pat@quay.example").await;
        let stored = format!("{:?}", dump(&app.db, &[]).await);
        assert!(!stored.contains(&token), "the token is stored as it is");

        // Comes in once.
        try_sign_in(&app, "pat@quay.example", PASSWORD).await.refused(401, "unauthenticated");
        accept(&app, &token, "Pat Quay").await.ok();
        accept(&app, &token, "Pat Quay").await.refused(409, "link_gone");
        let manager = sign_in(&app, "pat@quay.example").await;
        let session = app.get(&manager, "/api/clientone/session").await.ok();
        assert_eq!((session["role"].as_str(), session["client_id"].as_str()), (Some("manager"), Some(client.as_str())));
        assert_eq!(session["sections"], json!(["devices", "tickets", "backups", "activity"]));

        // The dashboard: what is known as known, and nothing as zero that is not.
        let dashboard = app.get(&manager, "/api/clientone/dashboard").await.ok();
        assert_eq!(dashboard["greeting"], "Hello, Pat Quay");
        assert_eq!(dashboard["devices"]["count"], devices.len(), "{dashboard}");
        assert_eq!(dashboard["devices"]["age"]["known"], true);
        assert!(dashboard["devices"]["age"]["synced_at"].is_string());
        assert_eq!(dashboard["backups"]["age"]["known"], false, "{dashboard}");
        assert!(dashboard["backups"]["healthy"].is_null(), "unknown shows as zero: {dashboard}");
        let branding = json!({ "welcome_message": "Call extension 7." });
        app.put(&house.owner, &format!("{settings}/branding"), &branding).await.ok();
        app.patch(&house.owner, &settings, &json!({ "sections": ["devices"] })).await.ok();
        let dashboard = app.get(&manager, "/api/clientone/dashboard").await.ok();
        assert_eq!(dashboard["welcome_message"], "Call extension 7.");
        assert!(dashboard["backups"].is_null() && dashboard["open_tickets"].is_null(), "{dashboard}");
        app.get(&manager, "/api/clientone/activity").await.refused(404, "not_found");
        app.patch(&house.owner, &settings, &json!({ "sections": ["devices", "activity"] })).await.ok();

        // A Manager invites a User, who sees what is assigned.
        let colleague = json!({ "email": "sam@quay.example", "name": "Sam" });
        app.post(&manager, "/api/clientone/users", &colleague).await.ok();
        let (_, token) = link(&app, house.organisation, "sam@quay.example").await;
        accept(&app, &token, "Sam Quay").await.ok();
        let user = sign_in(&app, "sam@quay.example").await;
        let me = text(&app.get(&user, "/api/clientone/profile").await.ok()["id"]);
        assert_eq!(app.get(&user, "/api/clientone/devices").await.ok()["total"], 0, "none assigned");
        app.get(&user, &format!("/api/clientone/devices/{}", devices[0])).await.refused(404, "not_found");
        assign(&app, &house.owner, &me, &[&devices[0]]).await.ok();
        assert_eq!(ids(&app.get(&user, "/api/clientone/devices").await.ok()), [devices[0].clone()]);
        let one = app.get(&user, &format!("/api/clientone/devices/{}", devices[0])).await.ok();
        assert!(one["name"].is_string() && one["observations"].is_null() && one["macs"].is_null(), "{one}");
        app.get(&user, &format!("/api/clientone/devices/{}", devices[1])).await.refused(404, "not_found");
        assert_eq!(app.get(&user, "/api/clientone/dashboard").await.ok()["devices"]["count"], 1);
        let switch = json!({ "all_devices_when_unassigned": true });
        app.patch(&house.owner, &settings, &switch).await.ok();
        assert_eq!(app.get(&user, "/api/clientone/devices").await.ok()["total"], 1, "the switch is for those without any");
        assign(&app, &house.owner, &me, &[]).await.ok();
        assert_eq!(app.get(&user, "/api/clientone/devices").await.ok()["total"], devices.len());
        assign(&app, &house.owner, &me, &[&devices[1]]).await.ok();

        // What was done: a User sees their own deeds, a Manager everyone's.
        let names = |feed: &Value| {
            feed["items"].as_array().expect("items").iter().map(|deed| text(&deed["name"])).collect::<Vec<_>>()
        };
        let own = names(&app.get(&user, "/api/clientone/activity").await.ok());
        assert!(!own.is_empty() && own.iter().all(|name| name == "Sam Quay"), "{own:?}");
        let all = app.get(&manager, "/api/clientone/activity").await.ok();
        assert!(names(&all).contains(&"Sam Quay".to_owned()) && names(&all).contains(&"Pat Quay".to_owned()));
        assert!(all["items"].as_array().is_some_and(|deeds| deeds.iter().any(|deed| deed["action"] == "colleague_invite")));
        let staff = app.get(&house.owner, &format!("/api/clientone-admin/activity?client_id={client}")).await.ok();
        assert!(staff["total"].as_u64() >= all["total"].as_u64(), "{staff}");

        // Disabling ends it all at once, and enabling restores it.
        let row = row_of(&app, &house.owner, &client).await;
        assert_eq!((row["enabled"].as_bool(), row["active_users"].as_u64()), (Some(true), Some(3)), "{row}");
        app.post(&house.owner, &format!("{settings}/disable"), &json!({})).await.ok();
        for caller in [&manager, &user] {
            assert_eq!(status(&app, caller, "/api/clientone/session").await, 401);
        }
        for email in ["pat@quay.example", "sam@quay.example"] {
            try_sign_in(&app, email, PASSWORD).await.refused(401, "unauthenticated");
        }
        let row = row_of(&app, &house.owner, &client).await;
        assert_eq!((row["enabled"].as_bool(), row["active_users"].as_u64()), (Some(false), Some(3)), "accounts are kept");
        enable(&app, &house.owner, &client).await;
        assert_eq!(status(&app, &user, "/api/clientone/session").await, 401, "an old session comes back to life");
        let user = sign_in(&app, "sam@quay.example").await;
        assert_eq!(ids(&app.get(&user, "/api/clientone/devices").await.ok()), [devices[1].clone()]);
        let verified = app.get(&house.owner, "/api/journal/verification").await.ok();
        assert_eq!(verified["sound"], true, "{verified}");
    }

    async fn a_link_is_good_once_for_a_while_and_only_the_last(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let client = text(&app.post(&house.owner, "/api/clients", &json!({ "name": "Quay" })).await.ok()["item"]["id"]);
        enable(&app, &house.owner, &client).await;
        let users = "/api/clientone-admin/users";
        let id = invite(&app, &house.owner, &client, "pat@quay.example", "user").await;
        let (_, first) = link(&app, house.organisation, "pat@quay.example").await;
        let again = json!({ "client_id": client, "email": "pat@quay.example", "name": "Pat", "role": "user" });
        let early = app.post(&house.owner, "/api/clientone-admin/users/invitations", &again).await;
        early.refused(429, "too_many");
        app.db.clock.advance(60);
        assert_eq!(invite(&app, &house.owner, &client, "Pat@Quay.example", "user").await, id, "twice the same person");
        let (_, second) = link(&app, house.organisation, "pat@quay.example").await;
        app.db.clock.advance(60);
        app.post(&house.owner, &format!("{users}/{id}/invitation"), &json!({})).await.ok();
        let (_, third) = link(&app, house.organisation, "pat@quay.example").await;
        for void in [&first, &second] {
            accept(&app, void, "Pat").await.refused(409, "link_gone");
        }
        // Six days later it is good, and after seven it is not.
        app.db.clock.advance(7 * 24 * 3_600);
        let owner = app.sign_in(&house.email("owner")).await;
        let late = accept(&app, &third, "Pat").await;
        late.refused(409, "link_gone");
        let unknown = accept(&app, "no-token-at-all", "Pat").await;
        let plain = |text: &str, id: String| text.replace(&id, "");
        assert_eq!(plain(&late.text, late.header("x-request-id")), plain(&unknown.text, unknown.header("x-request-id")));
        app.post(&owner, &format!("{users}/{id}/invitation"), &json!({})).await.ok();
        let (_, fourth) = link(&app, house.organisation, "pat@quay.example").await;
        app.delete(&owner, &format!("{users}/{id}/invitation")).await.ok();
        accept(&app, &fourth, "Pat").await.refused(409, "link_gone");
        app.get(&owner, &format!("{users}/{id}")).await.refused(404, "not_found");

        // A forgotten password: known and unknown addresses are answered alike, and the link ends every session.
        let (caller, id) = member(&app, &House { owner: owner.clone(), ..house }, &client, "sam@quay.example", "user").await;
        let organisation = app.get(&owner, "/api/me").await.ok();
        let organisation = domain::OrganisationId(text(&organisation["organisation_id"]).parse().expect("an id"));
        let forgot = async |email: &str| {
            app.post(&Caller::Anonymous, "/api/clientone/password-forgot", &json!({ "email": email })).await.ok()
        };
        app.db.clock.advance(120);
        assert_eq!(forgot("sam@quay.example").await, forgot("nobody@quay.example").await);
        app.app.gate.drain().await;
        let (url, token) = link(&app, organisation, "sam@quay.example").await;
        assert!(url.contains("/clientone/password-reset#"), "{url}");
        let reset = async |token: &str, password: &str| {
            let body = json!({ "token": token, "password": password });
            app.post(&Caller::Anonymous, "/api/clientone/password-reset", &body).await
        };
        assert_eq!(reset(&token, "short").await.status, 422);
        accept(&app, &token, "Sam").await.refused(409, "link_gone");
        reset(&token, "another fine long one").await.ok();
        reset(&token, "a third fine long one").await.refused(409, "link_gone");
        assert_eq!(status(&app, &caller, "/api/clientone/session").await, 401);
        try_sign_in(&app, "sam@quay.example", PASSWORD).await.refused(401, "unauthenticated");
        try_sign_in(&app, "sam@quay.example", "another fine long one").await.ok();
        // What is deactivated gets no letter and no way in, and comes back as it was.
        app.post(&owner, &format!("{users}/{id}/deactivate"), &json!({})).await.ok();
        try_sign_in(&app, "sam@quay.example", "another fine long one").await.refused(401, "unauthenticated");
        app.post(&owner, &format!("{users}/{id}/reactivate"), &json!({})).await.ok();
        try_sign_in(&app, "sam@quay.example", "another fine long one").await.ok();
    }

    async fn a_manager_looks_after_users_and_nobody_else(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let make = async |name: &str| text(&app.post(&house.owner, "/api/clients", &json!({ "name": name })).await.ok()["item"]["id"]);
        let (client, other) = (make("Quay").await, make("Pier").await);
        enable(&app, &house.owner, &client).await;
        enable(&app, &house.owner, &other).await;
        let (manager, manager_id) = member(&app, &house, &client, "pat@quay.example", "manager").await;
        let (_, second_id) = member(&app, &house, &client, "max@quay.example", "manager").await;
        let (user, user_id) = member(&app, &house, &client, "sam@quay.example", "user").await;
        let (stranger, stranger_id) = member(&app, &house, &other, "kim@pier.example", "user").await;
        let act = |id: &str, what: &str| format!("/api/clientone/users/{id}/{what}");
        for id in [&manager_id, &second_id] {
            app.post(&manager, &act(id, "deactivate"), &json!({})).await.refused(403, "forbidden");
        }
        app.post(&manager, &act(&stranger_id, "deactivate"), &json!({})).await.refused(404, "not_found");
        app.get(&user, "/api/clientone/users").await.refused(403, "forbidden");
        app.post(&user, &act(&manager_id, "deactivate"), &json!({})).await.refused(403, "forbidden");
        app.post(&manager, &act(&user_id, "deactivate"), &json!({})).await.ok();
        assert_eq!(status(&app, &user, "/api/clientone/session").await, 401, "their session lives on");
        app.post(&manager, &act(&user_id, "reactivate"), &json!({})).await.ok();
        let user = sign_in(&app, "sam@quay.example").await;
        // Rights come and go with the next request.
        let change = format!("/api/clientone-admin/users/{user_id}");
        app.patch(&house.owner, &change, &json!({ "role": "manager" })).await.ok();
        app.get(&user, "/api/clientone/users").await.ok();
        app.patch(&house.owner, &change, &json!({ "role": "user" })).await.ok();
        app.get(&user, "/api/clientone/users").await.refused(403, "forbidden");
        // An address is one account's, whoever asks.
        let taken = json!({ "email": "kim@pier.example", "name": "Kim" });
        app.post(&manager, "/api/clientone/users", &taken).await.refused(409, "email_taken");
        // A client whose people come in is not taken away from under them.
        app.delete(&house.owner, &format!("/api/clients/{other}")).await.refused(409, "clientone_enabled");
        // Merged into another, they are its people from then on; un-merged, they are their own client's again.
        let (path, merge) = (format!("/api/clients/{other}/merge"), json!({ "into": client }));
        let preview = app.post(&house.owner, &format!("{path}?dry_run=true"), &merge).await.ok();
        assert!(text(&preview["warnings"][0]).contains("signed out"), "{preview}");
        assert_eq!(status(&app, &stranger, "/api/clientone/session").await, 200, "a preview ended a session");
        let merge_path = format!("{path}?expect={}", text(&preview["change_set"]["digest"]));
        let merged = app.post(&house.owner, &merge_path, &merge).await.ok();
        assert_eq!(status(&app, &stranger, "/api/clientone/session").await, 401, "their session lives on");
        let moved = app.get(&house.owner, &format!("/api/clientone-admin/users/{stranger_id}")).await.ok();
        assert_eq!(moved["client_id"], client.as_str(), "{moved}");
        let kim = sign_in(&app, "kim@pier.example").await;
        app.post(&manager, &act(&stranger_id, "deactivate"), &json!({})).await.ok();
        app.post(&manager, &act(&stranger_id, "reactivate"), &json!({})).await.ok();
        assert_eq!(status(&app, &kim, "/api/clientone/session").await, 401);
        let entry = text(&merged["change_set"]["entry_id"]);
        app.post(&house.owner, &format!("/api/journal/{entry}/revert"), &json!({ "despite": [] })).await.ok();
        let back = app.get(&house.owner, &format!("/api/clientone-admin/users/{stranger_id}")).await.ok();
        assert_eq!(back["client_id"], other.as_str(), "{back}");
        app.post(&manager, &act(&stranger_id, "deactivate"), &json!({})).await.refused(404, "not_found");
        sign_in(&app, "kim@pier.example").await;
        // Refused attempts of portal users are in the journal, and in the staff's feed.
        let denied = app.get(&house.owner, "/api/clientone-admin/activity?outcome=denied").await.ok();
        assert!(denied["total"].as_u64().is_some_and(|total| total >= 3), "{denied}");
        // Whoever does not manage ClientOne has none of it, and SSO is refused until it can be set up.
        let engineer = house.person(&app, "engineer", Role::Engineer).await;
        app.get(&engineer, "/api/clientone-admin/settings").await.refused(403, "forbidden");
        let settings = format!("/api/clientone-admin/settings/{client}");
        let refused = app.patch(&house.owner, &settings, &json!({ "auth_mode": "sso_only" })).await;
        assert_eq!(refused.refused(422, "invalid")["errors"][0]["code"], "needs_sso");
        let pale = json!({ "colours": { "primary": "#eeeeee", "background": "#ffffff", "text": "#cccccc" } });
        let refused = app.put(&house.owner, &format!("{settings}/branding"), &pale).await.refused(422, "invalid");
        assert_eq!(refused["errors"].as_array().map(Vec::len), Some(2), "{refused}");
        let named = json!({ "product_name": "Kite Desk" });
        app.put(&house.owner, "/api/clientone-admin/branding", &named).await.ok();
        let shown = app.get(&house.owner, &settings).await.ok()["shown"].clone();
        assert_eq!((&shown["product_name"]["source"], &shown["colours"]["source"]), (&json!("organisation"), &json!("default")));
        // A page of another site does nothing in a portal user's name.
        let foreign = app.request(&manager, reqwest::Method::POST, "/api/clientone/users").header("sec-fetch-site", "cross-site");
        app.send(foreign.json(&json!({ "email": "eve@quay.example", "name": "Eve" }))).await.refused(403, "foreign_origin");
    }
}
