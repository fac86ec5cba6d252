//! An organisation with a caller of each kind, and what it takes to have one row of each kind of object.

use std::collections::BTreeMap;

use access::{NewOrganisation, NewStaff};
use domain::{Context, OrganisationId, Role};
use serde_json::{Value, json};

use crate::harness::{Caller, PASSWORD, TestApp, text};

/// An organisation.
pub struct House {
    /// Its id.
    pub organisation: OrganisationId,
    /// Part of its people's addresses.
    pub slug: String,
    /// The owner's session.
    pub owner: Caller,
}

impl House {
    /// A new organisation with its owner.
    pub async fn build(app: &TestApp, slug: &str) -> Self {
        let new = NewOrganisation {
            name: format!("House of {slug}"),
            slug: Some(slug.to_owned()),
            owner_name: "Olive Owner".to_owned(),
            owner_email: format!("owner@{slug}.example"),
            owner_password: PASSWORD.into(),
        };
        let (organisation, _) = access::organisation_create(&app.db.store, &app.app.gate, new).await.expect("creates");
        let owner = app.sign_in(&format!("owner@{slug}.example")).await;
        Self { organisation, slug: slug.to_owned(), owner }
    }

    /// The address of someone of the team.
    pub fn email(&self, name: &str) -> String {
        format!("{name}@{}.example", self.slug)
    }

    /// Someone of the team, made by the operator; `clients` is what they may see. Returns their id.
    pub async fn staff(&self, app: &TestApp, name: &str, role: Role, clients: Option<Vec<String>>) -> String {
        let ids = |list: Vec<String>| list.iter().map(|id| domain::ClientId(id.parse().expect("an id"))).collect();
        let new = NewStaff {
            name: format!("{name} of {}", self.slug),
            email: self.email(name),
            password: Some(PASSWORD.into()),
            role,
            allow_clients: clients.map(ids),
            deny_clients: std::collections::BTreeSet::new(),
        };
        let new = new.check(&app.app.gate).await.expect("is sound");
        let store = &app.db.store;
        let tx = store.begin(Context::operator(self.organisation, app.db.now())).await.expect("begins");
        let row = access::staff_create(&tx, new).await.expect("creates");
        tx.commit("staff_create", None).await.expect("commits");
        row.id.to_string()
    }

    /// The session of someone who is made on the way.
    pub async fn person(&self, app: &TestApp, name: &str, role: Role) -> Caller {
        self.staff(app, name, role, None).await;
        app.sign_in(&self.email(name)).await
    }

    /// A key of a caller; also its id.
    pub async fn key(&self, app: &TestApp, of: &Caller, scope: &str) -> (Caller, String) {
        let body = json!({ "name": format!("{scope} key"), "scope": scope });
        let made = app.post(of, "/api/api-keys", &body).await.ok();
        (Caller::Key(text(&made["token"])), text(&made["api_key"]["id"]))
    }

    /// Connects the vendors, imports, and gives back one id of each kind, for [`crate::operations`].
    pub async fn furnish(&self, app: &TestApp) -> BTreeMap<&'static str, String> {
        let owner = &self.owner;
        let first = |listed: &Value| text(&listed["items"][0]["id"]);
        let billing = app.connect(owner, "pax8").await;
        let body = json!({ "connection_id": billing });
        let imported = app.post(owner, "/api/imports", &body).await.ok();
        let connection = app.connect(owner, "ninjaone").await;
        let clients = app.get(owner, "/api/clients").await.ok();
        let open = app.get(owner, &format!("/api/connections/{connection}/entities?state=unmapped")).await.ok();
        let mapped = app.get(owner, &format!("/api/connections/{billing}/entities?state=mapped")).await.ok();
        let viewer = self.staff(app, "colleague", Role::Viewer, None).await;
        let (_, key) = self.key(app, owner, "read").await;
        let second = app.sign_in(&self.email("owner")).await;
        let me = app.get(&second, "/api/me").await.ok();
        let runs = app.get(owner, &format!("/api/runs?connection_id={connection}")).await.ok();
        let mut ids = BTreeMap::from([
            ("client", first(&clients)),
            ("connection", connection),
            ("billing", billing),
            ("entity", first(&open)),
            ("mapped", first(&mapped)),
            ("staff", viewer),
            ("api_key", key),
            ("session", text(&me["session_id"])),
            ("entry", text(&imported["change_set"]["entry_id"])),
            ("run", first(&runs)),
        ]);
        for client in clients["items"].as_array().expect("clients") {
            let path = format!("/api/clients/{}/subscriptions", text(&client["id"]));
            let listed = app.get(owner, &path).await.json();
            if let Some(subscription) = listed["items"][0]["id"].as_str() {
                ids.insert("subscription", subscription.to_owned());
                ids.insert("subscriber", text(&client["id"]));
                break;
            }
        }
        ids
    }
}
