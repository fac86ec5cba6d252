//! An organisation with a caller of each kind, and what it takes to have one row of each kind of object.

use std::collections::BTreeMap;

use access::{NewOrganisation, NewStaff};
use domain::{Context, OrganisationId, Role};
use serde_json::{Value, json};

use crate::{
    approvals,
    harness::{Caller, PASSWORD, TestApp, text},
    kept_files, machines, onboarding_journey,
    operations::Ids,
    portal, requests, tickets_journey,
};

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
        let (organisation, _) = access::organisation_create(&app.app.store, &app.app.gate, new).await.expect("creates");
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

    /// A bulk operation that waits for a second person.
    async fn bulk_operation(&self, app: &TestApp, client: &str) -> String {
        let (owner, settings) = (&self.owner, "/api/organisation/bulk-operations");
        app.patch(owner, settings, &json!({ "owner": 0 })).await.ok();
        let body = json!({ "action": "tags_add", "tags": ["kept"], "clients": [client] });
        let preview = app.post(owner, "/api/bulk-operations/preview", &body).await.ok();
        assert_eq!(preview["needs_approval"], true, "{preview}");
        let start = format!("/api/bulk-operations?expect={}", text(&preview["digest"]));
        let started = app.post(owner, &start, &body).await.ok();
        assert_eq!(started["item"]["state"], "waiting_approval", "{started}");
        text(&started["item"]["id"])
    }

    /// Connects two vendors, imports from one, hides a client with something of each, and gives back one id of
    /// each kind for [`crate::operations`]; also the credentials of a vendor, as JSON.
    pub async fn furnish(&self, app: &TestApp) -> Ids {
        let owner = &self.owner;
        let billing = app.connect(owner, "pax8").await;
        let imported = app.post(owner, "/api/imports", &json!({ "connection_id": billing })).await.ok();
        let connection = app.connect(owner, "ninjaone").await;
        let hidden = app.post(owner, "/api/clients", &json!({ "name": "Hidden From Some" })).await.ok();
        let hidden = text(&hidden["item"]["id"]);
        let open = app.all(owner, &format!("/api/connections/{connection}/entities?state=unmapped")).await;
        let subscribers = self.subscribers(app).await;
        let [(subscriber, subscription), (_, hidden_subscription)] = &subscribers[..2] else {
            panic!("two subscribers")
        };
        let mapped = app.all(owner, &format!("/api/connections/{billing}/entities?state=mapped")).await;
        let of = |client: &String| mapped.iter().find(|entity| entity["client_id"] == client.as_str()).expect("one");
        let moved = [text(&of(&subscribers[1].0)["id"]), text(&open[0]["id"])];
        let map = |id: &String| json!({ "entity_id": id, "target": "client", "client_id": hidden });
        let body = json!({ "mappings": moved.iter().map(map).collect::<Vec<_>>() });
        app.put(owner, "/api/mappings", &body).await.ok();
        let security = app.connect(owner, "sentinelone").await;
        let psa = app.connect(owner, "connectwise-manage").await;
        let mut held = BTreeMap::new();
        for (kind, hidden_kind, plural, at) in [
            ("contact", "hidden_contact", "contacts", &connection),
            ("document", "hidden_document", "documents", &connection),
            ("location", "hidden_location", "locations", &connection),
            ("threat", "hidden_threat", "threats", &security),
            ("ticket", "hidden_ticket", "tickets", &psa),
        ] {
            held.insert(hidden_kind, self.held(app, &hidden, plural, at).await);
            held.insert(kind, self.held(app, subscriber, plural, at).await);
        }
        for (kind, at) in [("held", &connection), ("desk", &psa)] {
            let mapped = app.get(owner, &format!("/api/clients/{subscriber}")).await.ok();
            let mapped =
                mapped["mappings"].as_array().expect("mappings").iter().find(|one| one["connection_id"] == at.as_str());
            held.insert(kind, text(&mapped.expect("was just mapped")["entity_id"]));
        }
        let [device, other_device] = self.devices(app, subscriber, &connection).await;
        let [hidden_device, _] = self.devices(app, &hidden, &connection).await;
        for (kind, at, device) in
            [("observation", "device", &device), ("hidden_observation", "hidden_device", &hidden_device)]
        {
            held.insert(kind, text(&device["observations"][0]["id"]));
            held.insert(at, text(&device["id"]));
        }
        held.insert("other_device", text(&other_device["id"]));
        held.insert("observer", text(&device["observations"][0]["connection_id"]));
        let type_id = async |client: &str, id: &str| {
            let body = json!({ "integration": "sophos", "vendor_id": id });
            let typed = app.post(owner, &format!("/api/clients/{client}/unverified-mappings"), &body).await.ok();
            text(&typed["item"]["unverified"]["id"])
        };
        for (kind, client) in [("alias", subscriber), ("hidden_alias", &hidden)] {
            let known = app.get(owner, &format!("/api/clients/{client}/aliases")).await.ok();
            held.insert(kind, text(&known["items"][0]["id"]));
        }
        held.insert("bulk_operation", self.bulk_operation(app, subscriber).await);
        held.insert("typed", type_id(subscriber, "typed-by-hand").await);
        held.insert("hidden_typed", type_id(&hidden, "typed-by-hand-too").await);
        held.extend(self.commercial(app, subscriber, &hidden).await);
        let first_drift =
            async |query: String| text(&app.get(owner, &format!("/api/drift?{query}")).await.ok()["items"][0]["id"]);
        drifted(app).await;
        held.insert("drift", first_drift(format!("kind=renamed&client_id={subscriber}")).await);
        held.insert("hidden_drift", first_drift(format!("kind=renamed&client_id={hidden}")).await);
        held.insert("new_drift", first_drift(format!("kind=new_unmapped&connection_id={connection}")).await);
        for client in [subscriber, &hidden] {
            let elsewhere = json!({ "address": "Somewhere Else 1" });
            app.patch(owner, &format!("/api/clients/{client}"), &elsewhere).await.ok();
        }
        held.extend(tickets_journey::furnish(app, owner, subscriber, &hidden).await);
        // Kept in step for a moment, the PSA has another address of each, and that waits for a person.
        for direction in ["from_psa", "off"] {
            let settings = json!({ "direction": direction });
            app.patch(owner, &format!("/api/connections/{psa}/psa"), &settings).await.ok();
            app.run_jobs().await;
        }
        for (kind, client) in [("psa_conflict", subscriber), ("hidden_psa_conflict", &hidden)] {
            let waiting = app.get(owner, &format!("/api/psa-conflicts?client_id={client}")).await.ok();
            held.insert(kind, text(&waiting["items"][0]["id"]));
        }
        for client in [subscriber, &hidden] {
            let share = json!({ "client_id": client });
            app.post(owner, &format!("/api/connections/{connection}/shares"), &share).await.ok();
        }
        for client in [subscriber, &hidden] {
            portal::enable(app, owner, client).await;
        }
        let guest = |name: &str| self.email(&format!("guest.{name}"));
        held.insert("portal_user", portal::member(app, self, subscriber, &guest("user"), "user").await.1);
        held.extend(requests::furnish(app, self, subscriber, &guest("user"), &hidden).await);
        held.extend(onboarding_journey::furnish(app, self, subscriber, &hidden).await);
        held.extend(kept_files::furnish(app, self, subscriber, &hidden).await);
        held.insert("invitee", portal::invite(app, owner, subscriber, &guest("invitee"), "user").await);
        held.insert("hidden_portal_user", portal::invite(app, owner, &hidden, &guest("hidden"), "user").await);
        // From now on they may be sent another letter.
        app.db.clock.advance(60);
        let archived = app.post(owner, "/api/clients", &json!({ "name": "Put Away" })).await.ok();
        let archived = text(&archived["item"]["id"]);
        app.post(owner, &format!("/api/clients/{archived}/archive"), &json!({})).await.ok();
        let clients = app.all(owner, "/api/clients").await;
        let client = clients.iter().map(|one| text(&one["id"])).find(|id| *id != hidden && id != subscriber);
        let second = app.get(&app.sign_in(&self.email("owner")).await, "/api/me").await.ok();
        held.extend(self.webhook(app).await);
        let job = self.dead_letter(app, &connection).await;
        let first_run = async |connection: &str| {
            text(&app.all(owner, &format!("/api/runs?connection_id={connection}")).await[0]["id"])
        };
        held.extend(self.sign_on(app).await);
        held.extend([
            ("client", client.expect("a third client")),
            ("psa", psa),
            ("archived", archived),
            ("hidden", hidden.clone()),
            ("hidden_entity", moved[1].clone()),
            ("hidden_subscription", hidden_subscription.clone()),
            ("entity", text(&open[1]["id"])),
            ("mapped", text(&of(subscriber)["id"])),
            ("subscriber", subscriber.clone()),
            ("subscription", subscription.clone()),
            ("job", job),
            ("run", first_run(&connection).await),
            ("billing_run", first_run(&billing).await),
            ("connection", connection),
            ("billing", billing),
            ("staff", self.staff(app, "colleague", Role::Viewer, None).await),
            ("api_key", self.key(app, owner, "read").await.1),
            ("staff_invitation", self.invitation(app).await),
        ]);
        let colleague: domain::StaffId = held["staff"].parse().expect("an id");
        held.insert("passkey", passkey(app, self.organisation, colleague.into()).await);
        held.extend(machines::furnish(app, owner).await);
        held.extend(approvals::furnish(app, self, subscriber, &hidden).await);
        held.extend([
            ("session", text(&second["session_id"])),
            ("entry", text(&imported["change_set"]["entry_id"])),
            ("credentials", Value::Object(app.credentials("pax8")).to_string()),
        ]);
        held
    }

    /// Somebody who is told of what never happens here, and a ping to them that was given up.
    async fn webhook(&self, app: &TestApp) -> Vec<(&'static str, String)> {
        let body = json!({ "url": "https://hooks.example/furnished", "events": ["connection.recovered"] });
        let made = app.post(&self.owner, "/api/webhook-subscriptions", &body).await.ok();
        let id = text(&made["item"]["subscription"]["id"]);
        let path = format!("/api/webhook-subscriptions/{id}/test");
        let delivery = text(&app.post(&self.owner, &path, &json!({})).await.ok()["item"]["id"]);
        let dead = "UPDATE webhook_delivery SET state = 'dead', next_at = NULL WHERE state = 'queued'";
        assert_eq!(app.db.tamper(dead).await.expect("tampers"), 1);
        vec![("webhook_subscription", id), ("webhook_delivery", delivery)]
    }

    /// A provider for staff that nobody can use, and an identity of it that is linked to the owner.
    async fn sign_on(&self, app: &TestApp) -> Vec<(&'static str, String)> {
        let body = json!({
            "audience": "staff", "name": "Kite ID", "kind": "oidc", "issuer": "https://127.0.0.1:9", "app_id": "app",
            "secret": "s3cret", "enabled": false,
        });
        let made = app.post(&self.owner, "/api/sso-providers", &body).await.ok();
        let provider = text(&made["item"]["id"]);
        let me = app.get(&self.owner, "/api/me").await.ok();
        let owner: domain::StaffId = text(&me["staff_id"]).parse().expect("an id");
        let link = linked(app, self.organisation, &provider, owner.into(), None).await;
        vec![("sso_provider", provider), ("sso_link", link)]
    }

    /// An invitation to the team that waits.
    async fn invitation(&self, app: &TestApp) -> String {
        let body = json!({ "name": "Wanda Waiting", "email": self.email("waiting"), "role": "viewer" });
        text(&app.post(&self.owner, "/api/staff-invitations", &body).await.ok()["item"]["id"])
    }

    /// What the commercial face keeps: a tenant, a contact and a note of a client and of one that is hidden, and a filter.
    async fn commercial(&self, app: &TestApp, client: &str, hidden: &str) -> Vec<(&'static str, String)> {
        let door = app.connect(&self.owner, "microsoft365").await;
        let tenants = app.all(&self.owner, "/api/tenants").await;
        let mut open =
            tenants.iter().filter(|tenant| tenant["customer_id"].is_null()).map(|tenant| text(&tenant["id"]));
        let mut made = Vec::new();
        for (client, [tenant, contact, note, document]) in [
            (client, ["tenant", "kept_contact", "client_note", "library_document"]),
            (hidden, ["hidden_tenant", "hidden_kept_contact", "hidden_client_note", "hidden_library_document"]),
        ] {
            let customer = format!("/api/msp-portal/customers/{client}");
            let id = open.next().expect("a tenant of nobody");
            app.post(&self.owner, &format!("{customer}/tenants"), &json!({ "tenant_id": id })).await.ok();
            made.push((tenant, id));
            let body = json!({ "name": "Ana Kept", "email": "ana@kept.example" });
            let kept = app.post(&self.owner, &format!("{customer}/contacts"), &body).await.ok();
            made.push((contact, text(&kept["item"]["id"])));
            let path = format!("/api/clients/{client}/notes");
            let written = app.post(&self.owner, &path, &json!({ "text": "A note" })).await.ok();
            made.push((note, text(&written["item"]["id"])));
            let body = json!({ "library": "customer", "title": "Contract", "content": "Text", "client_id": client });
            let written = app.post(&self.owner, "/api/library-documents", &body).await.ok();
            made.push((document, text(&written["item"]["id"])));
        }
        // Tenants that nobody has: one waits for its administrator for each.
        for (kind, client, tenant) in [
            ("tenant_connect", client, "7d7d7d7d-0000-4000-8000-000000000001"),
            ("hidden_tenant_connect", hidden, "7d7d7d7d-0000-4000-8000-000000000002"),
        ] {
            let body = json!({ "customer_id": client, "tenant": tenant, "connection_id": door });
            let begun = app.post(&self.owner, "/api/tenant-connects", &body).await.ok();
            made.push((kind, text(&begun["item"]["id"])));
        }
        made.push(("door", door));
        made.push(("open_tenant", open.next().expect("a third tenant of nobody")));
        let filter = json!({ "name": "Active", "query": "status=active" });
        let filter = app.post(&self.owner, "/api/client-filters", &filter).await.ok();
        made.push(("saved_filter", text(&filter["item"]["id"])));
        made
    }

    /// A sync of a connection that was given up.
    pub async fn dead_letter(&self, app: &TestApp, connection: &str) -> String {
        let path = format!("/api/jobs?connection_id={connection}&state=done");
        let job = app.all(&self.owner, &path).await.remove(0);
        let (id, postgres) = (text(&job["id"]), app.db.store.is_postgres());
        // SQLite keeps ids as bytes.
        let id_there = if postgres { format!("'{id}'") } else { format!("x'{}'", id.replace('-', "")) };
        let failed = "UPDATE job SET state = 'failed', last_error = 'the program failed' WHERE id =";
        assert_eq!(app.db.tamper(&format!("{failed} {id_there}")).await.expect("tampers"), 1);
        id
    }

    /// Something of a kind that a client has at a connection: entities are mapped to the client until there is.
    async fn held(&self, app: &TestApp, client: &str, plural: &str, connection: &str) -> String {
        loop {
            let items = app.all(&self.owner, &format!("/api/clients/{client}/{plural}")).await;
            if let Some(item) = items.iter().find(|item| item["connection_id"] == connection) {
                return text(&item["id"]);
            }
            let open = app.all(&self.owner, &format!("/api/connections/{connection}/entities?state=unmapped")).await;
            let entity = open.last().unwrap_or_else(|| panic!("nobody has {plural} at {connection}"));
            let mapping = json!({ "entity_id": entity["id"], "target": "client", "client_id": client });
            app.put(&self.owner, "/api/mappings", &json!({ "mappings": [mapping] })).await.ok();
        }
    }

    /// Two devices of a client: entities of a connection are mapped to the client until it has them.
    async fn devices(&self, app: &TestApp, client: &str, connection: &str) -> [Value; 2] {
        loop {
            let items = app.all(&self.owner, &format!("/api/clients/{client}/joined-devices")).await;
            if let Some([one, other]) = items.first_chunk() {
                return [one.clone(), other.clone()];
            }
            let open = app.all(&self.owner, &format!("/api/connections/{connection}/entities?state=unmapped")).await;
            let entity = open.last().unwrap_or_else(|| panic!("nobody has two devices at {connection}"));
            let mapping = json!({ "entity_id": entity["id"], "target": "client", "client_id": client });
            app.put(&self.owner, "/api/mappings", &json!({ "mappings": [mapping] })).await.ok();
        }
    }

    /// Clients with a subscription each.
    pub async fn subscribers(&self, app: &TestApp) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for client in app.all(&self.owner, "/api/clients?has=pax8").await {
            let id = text(&client["id"]);
            let listed = app.get(&self.owner, &format!("/api/clients/{id}/subscriptions")).await.ok();
            if let Some(subscription) = listed["items"][0]["id"].as_str() {
                found.push((id, subscription.to_owned()));
            }
        }
        found
    }
}

/// As if vendors had renamed everything that is mapped, and added everything that is not, since people decided.
async fn drifted(app: &TestApp) {
    for statement in [
        "UPDATE entity SET known_name = 'Known By Another Name' WHERE client_id IS NOT NULL",
        "UPDATE entity SET first_seen_at = '2030-01-01T00:00:00+00:00' WHERE mapping_state = 'unmapped'",
    ] {
        app.db.tamper(statement).await.expect("tampers");
    }
}

/// Links an account to an identity of a provider without asking anybody; gives back the link's id.
pub async fn linked(
    app: &TestApp,
    organisation: OrganisationId,
    provider: &str,
    account: domain::Account,
    client_id: Option<domain::ClientId>,
) -> String {
    let tx = app.db.store.begin(Context::operator(organisation, app.db.now())).await.expect("begins");
    let link = domain::SsoLink {
        id: tx.new_id(),
        provider_id: provider.parse().expect("an id"),
        account,
        client_id,
        issuer: "https://127.0.0.1:9".to_owned(),
        tenant: None,
        subject: account.id.to_string(),
        created_at: tx.now(),
    };
    tx.sso_link_insert(&link).await.expect("links");
    tx.commit("sso_link_create", None).await.expect("commits");
    link.id.to_string()
}

/// A passkey of an account that no device has; gives back its id.
pub async fn passkey(app: &TestApp, organisation: OrganisationId, account: domain::Account) -> String {
    let tx = app.db.store.begin(Context::operator(organisation, app.db.now())).await.expect("begins");
    let row = persistence::PasskeyRow {
        id: tx.new_id(),
        account,
        name: "Laptop".to_owned(),
        site: "panelone.example".to_owned(),
        credential_hash: account.id.as_bytes().to_vec(),
        created_at: tx.now(),
        used_at: None,
        version: 1,
    };
    tx.passkey_insert(&row, b"{}").await.expect("makes");
    tx.commit("passkey_create", None).await.expect("commits");
    row.id.to_string()
}
