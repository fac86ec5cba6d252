//! People of clients, as the staff lets them in: invited, found in the outbox, accepted, signed in.

use domain::{Context, Letter, OrganisationId};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    harness::{Answer, Caller, PASSWORD, TestApp, text},
    house::House,
};

/// Enables ClientOne for a client.
pub async fn enable(app: &TestApp, owner: &Caller, client: &str) {
    app.post(owner, &format!("/api/clientone-admin/settings/{client}/enable"), &json!({})).await.ok();
}

/// Invites someone and gives back the account's id.
pub async fn invite(app: &TestApp, owner: &Caller, client: &str, email: &str, role: &str) -> String {
    let body = json!({ "client_id": client, "email": email, "name": "Gale Guest", "role": role });
    let made = app.post(owner, "/api/clientone-admin/users/invitations", &body).await.ok();
    assert!(!made.to_string().contains("invitation#"), "the answer shows the link: {made}");
    text(&made["item"]["id"])
}

/// The newest letter to an address that waits in the outbox.
pub async fn letter(app: &TestApp, organisation: OrganisationId, email: &str) -> Option<Letter> {
    let tx = app.db.store.begin(Context::operator(organisation, app.db.now())).await.expect("begins");
    let waiting = tx.mail_list().await.expect("lists");
    let mail = waiting.iter().find(|mail| mail.recipient == email)?;
    // Rolled back: it waits on.
    tx.mail_take(mail.id).await.expect("takes").map(|mail| mail.letter)
}

/// The link in the newest letter to an address, and the token in it.
pub async fn link(app: &TestApp, organisation: OrganisationId, email: &str) -> (String, String) {
    let link = match letter(app, organisation, email).await.expect("a letter") {
        Letter::PortalInvitation { link, .. } | Letter::PasswordReset { link, .. } => link,
        other => panic!("{other:?}"),
    };
    let token = link.split_once('#').expect("a token").1.to_owned();
    (link, token)
}

/// Accepts an invitation.
pub async fn accept(app: &TestApp, token: &str, name: &str) -> Answer {
    let body = json!({ "token": token, "name": name, "password": PASSWORD });
    app.post(&Caller::Anonymous, "/api/clientone/invitation-acceptance", &body).await
}

/// Tries to sign in to ClientOne.
pub async fn try_sign_in(app: &TestApp, email: &str, password: &str) -> Answer {
    app.post(&Caller::Anonymous, "/api/clientone/session", &json!({ "email": email, "password": password })).await
}

/// Signs in to ClientOne.
pub async fn sign_in(app: &TestApp, email: &str) -> Caller {
    let answer = try_sign_in(app, email, PASSWORD).await;
    answer.ok();
    let cookie = answer.header("set-cookie");
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
    let (name, token) = cookie.split(';').next().and_then(|pair| pair.split_once('=')).expect("a cookie");
    assert_eq!(name, "clientone_session");
    Caller::Portal(token.to_owned())
}

/// Someone of a client who has come in; also their id.
pub async fn member(app: &TestApp, house: &House, client: &str, email: &str, role: &str) -> (Caller, String) {
    let id = invite(app, &house.owner, client, email, role).await;
    let (_, token) = link(app, house.organisation, email).await;
    accept(app, &token, &format!("Gale of {email}")).await.ok();
    (sign_in(app, email).await, id)
}

/// Assigns devices to someone.
pub async fn assign(app: &TestApp, owner: &Caller, user: &str, devices: &[&str]) -> Answer {
    app.put(owner, &format!("/api/clientone-admin/users/{user}/devices"), &json!({ "device_ids": devices })).await
}

/// The ids in a list.
pub fn ids(list: &Value) -> Vec<String> {
    list["items"].as_array().expect("items").iter().map(|item| text(&item["id"])).collect()
}

/// The status of a bare read.
pub async fn status(app: &TestApp, caller: &Caller, path: &str) -> u16 {
    app.send(app.request(caller, Method::GET, path)).await.status
}
