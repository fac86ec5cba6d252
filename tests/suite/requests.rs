//! Service requests and agreements, as tests begin with them.

use serde_json::{Value, json};

use crate::{
    harness::{Caller, TestApp, text},
    house::House,
    operations::Ids,
    portal,
};

/// Every section of ClientOne.
pub const ALL_SECTIONS: [&str; 8] =
    ["devices", "tickets", "service_requests", "documents", "agreements", "onboarding", "backups", "activity"];

/// Sets which sections are on for a client.
pub async fn sections(app: &TestApp, owner: &Caller, client: &str, sections: &[&str]) {
    let settings = format!("/api/clientone-admin/settings/{client}");
    app.patch(owner, &settings, &json!({ "sections": sections })).await.ok();
}

/// A type of service request with a field of each kind.
pub async fn request_type(app: &TestApp, owner: &Caller, name: &str) -> String {
    let field =
        |key: &str, kind: &str, required: bool| json!({ "key": key, "label": key, "kind": kind, "required": required });
    let mut model = field("model", "choice", true);
    model["options"] = json!(["13 inch", "15 inch"]);
    let fields =
        [field("starts_on", "date", true), model, field("count", "number", false), field("who", "text", false)];
    let body = json!({ "name": name, "description": "A laptop for someone who starts.", "fields": fields });
    let made = app.post(owner, "/api/clientone-admin/service-request-types", &body).await.ok();
    text(&made["item"]["id"])
}

/// A request that fits [`request_type`].
pub fn asked_for(type_id: &str) -> Value {
    let answers = [("starts_on", "2026-12-01"), ("model", "13 inch")];
    let answers = answers.map(|(key, value)| json!({ "key": key, "value": value }));
    json!({ "service_request_type_id": type_id, "description": "For Sam, who starts soon.", "answers": answers })
}

/// Asks for something.
pub async fn ask_for(app: &TestApp, caller: &Caller, type_id: &str) -> String {
    let made = app.post(caller, "/api/clientone/service-requests", &asked_for(type_id)).await.ok();
    text(&made["item"]["id"])
}

/// The draft of an agreement.
pub async fn draft(app: &TestApp, owner: &Caller, title: &str, managers_only: bool) -> String {
    let body =
        json!({ "title": title, "text": format!("# {title}\n\nWe look after it."), "managers_only": managers_only });
    let made = app.post(owner, "/api/clientone-admin/agreements", &body).await.ok();
    text(&made["item"]["id"])
}

/// Sends a version to clients.
pub async fn send(app: &TestApp, owner: &Caller, agreement: &str, clients: &[&str]) -> Value {
    let path = format!("/api/clientone-admin/agreements/{agreement}/send");
    app.post(owner, &path, &json!({ "client_ids": clients })).await.ok()
}

/// A client's copy of a version.
pub async fn copy_of(app: &TestApp, owner: &Caller, agreement: &str, client: &str) -> String {
    let path = format!("/api/clientone-admin/agreement-instances?agreement_id={agreement}&client_id={client}");
    text(&app.get(owner, &path).await.ok()["items"][0]["id"])
}

/// One of each kind for [`crate::operations`]: of a client whose User is `guest`, and of one that is hidden.
pub async fn furnish(app: &TestApp, house: &House, client: &str, guest: &str, hidden: &str) -> Ids {
    let owner = &house.owner;
    let type_id = request_type(app, owner, "New laptop").await;
    let hidden_guest = house.email("guest.out.of.sight");
    portal::member(app, house, hidden, &hidden_guest, "user").await;
    let mut requests = Vec::new();
    for (client, email) in [(client, guest), (hidden, hidden_guest.as_str())] {
        sections(app, owner, client, &["service_requests"]).await;
        requests.push(ask_for(app, &portal::sign_in(app, email).await, &type_id).await);
        sections(app, owner, client, &["devices", "tickets", "backups", "activity"]).await;
    }
    let sent = draft(app, owner, "Terms of service", true).await;
    send(app, owner, &sent, &[client, hidden]).await;
    Ids::from([
        ("service_request_type", type_id),
        ("service_request", requests[0].clone()),
        ("hidden_service_request", requests[1].clone()),
        ("agreement", draft(app, owner, "Data processing", false).await),
        ("agreement_instance", copy_of(app, owner, &sent, client).await),
        ("hidden_agreement_instance", copy_of(app, owner, &sent, hidden).await),
    ])
}
