//! A service desk in a table: a vendor at which everything can be done, that can refuse and lose its answers.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use domain::ConnectionId;
use integration::{
    ActOnThreats, ArchiveDocuments, Body, Category, Checked, Choice, Connector, Contact, ContactDraft, CustomField,
    CustomFields, Document, Entity, Entry, Error, Installer, Item, Kind, Location, MakeInstallers, Method, Page,
    Position, Pull, ReadTemplates, Request, Response, Secret, Template, Threat, Ticket, TicketChoices, TicketDraft,
    TicketNote, Transport, Vendor, WriteContacts, WriteTickets, credentials,
};
use serde_json::{Map, Value, json};
use sync::Dial;

credentials! {
    /// What opens the desk.
    pub struct Credentials {
        /// Token
        /// Any.
        token: Secret,
    }
}

pub struct Desk {
    transport: Arc<dyn Transport>,
}

pub static ENTRIES: &[Entry] = &[Entry::of::<Desk>()];
/// The address of an installer: a secret.
pub const INSTALLER: &str = "https://desk.example/installer/enrols-whoever-runs-it";

impl Vendor for Desk {
    const ID: &'static str = "desk";
    const NAME: &'static str = "Desk";
    const CATEGORY: Category = Category::RmmAndPsa;
    const ENTITY: (&'static str, &'static str) = ("site", "sites");
    const ENTITY_KIND: &'static str = "desk_site";
    const DOCS: &'static str = "https://desk.example/docs";
    const README: &'static str = "Desk.";
    type Credentials = Credentials;

    fn connect(_: Credentials, transport: Arc<dyn Transport>) -> Self {
        Self { transport }
    }
}

macro_rules! offers {
    ($($accessor:ident: $trait:path),+ $(,)?) => {
        #[async_trait]
        impl Connector for Desk {
            async fn check(&self) -> integration::Result<Checked> {
                Ok(Checked::default())
            }
            $( fn $accessor(&self) -> Option<&dyn $trait> { Some(self) } )+
        }
    };
}

offers! {
    entities: Pull<Entity>, locations: Pull<Location>, contacts: Pull<Contact>, threats: Pull<Threat>,
    tickets: Pull<Ticket>, documents: Pull<Document>, threat_actions: ActOnThreats, contact_writes: WriteContacts,
    ticket_writes: WriteTickets, installer_links: MakeInstallers, custom_fields: CustomFields,
    document_archive: ArchiveDocuments, templates: ReadTemplates,
}

impl Desk {
    async fn ask(&self, method: Method, path: &str, body: Value) -> integration::Result<Bytes> {
        let url = format!("https://desk.example/{path}").parse().map_err(|why| Error::unreadable("Desk", why))?;
        let request = Request::new(method, url);
        let request = if body.is_null() { request } else { request.json(body) };
        let response = self.transport.send(request).await?;
        if response.is_success() { Ok(response.body) } else { Err(Error::from_status("Desk", &response)) }
    }

    async fn list(&self, kind: &str) -> integration::Result<Page> {
        let rows: Vec<Value> = serde_json::from_slice(&self.ask(Method::Get, kind, Value::Null).await?).expect("rows");
        Ok(Page { records: rows.iter().map(|row| row.to_string().into()).collect(), ..Page::default() })
    }
}

macro_rules! lists {
    ($($kind:literal: $type:ident),+ $(,)?) => { $(
        #[async_trait]
        impl Pull<$type> for Desk {
            async fn page(&self, _: Position<'_>) -> integration::Result<Page> {
                self.list($kind).await
            }
            fn read(&self, raw: &[u8]) -> Result<Item<$type>, String> {
                let row: Value = serde_json::from_slice(raw).map_err(|_| "not a row".to_owned())?;
                let id = row["id"].as_str().ok_or("no id")?.to_owned();
                let record = serde_json::from_value(row.clone()).map_err(|_| "not a record".to_owned())?;
                Ok(Item { id, entity: row["site"].as_str().map(str::to_owned), record })
            }
        }
    )+ };
}

lists! {
    "site": Entity, "location": Location, "contact": Contact, "threat": Threat, "ticket": Ticket,
    "document": Document,
}

fn fields(draft: &impl serde::Serialize, site: Option<&str>) -> Value {
    let Value::Object(mut fields) = json!(draft) else { panic!("an object") };
    fields.retain(|_, value| !value.is_null());
    fields.extend(site.map(|site| ("site".to_owned(), site.into())));
    if let (Some(given), Some(family)) = (fields.get("given_name").cloned(), fields.get("family_name").cloned()) {
        fields.insert(
            "name".to_owned(),
            format!("{} {}", given.as_str().expect("text"), family.as_str().expect("text")).into(),
        );
    }
    fields.into()
}

#[async_trait]
impl WriteContacts for Desk {
    async fn create(&self, entity_id: &str, draft: &ContactDraft) -> integration::Result<Bytes> {
        self.ask(Method::Post, "contact", fields(draft, Some(entity_id))).await
    }
    async fn update(&self, _: &str, contact_id: &str, draft: &ContactDraft) -> integration::Result<Bytes> {
        self.ask(Method::Patch, &format!("contact/{contact_id}"), fields(draft, None)).await
    }
    fn removable(&self) -> bool {
        true
    }
    async fn remove(&self, _: &str, contact_id: &str) -> integration::Result<()> {
        self.ask(Method::Delete, &format!("contact/{contact_id}"), Value::Null).await.map(drop)
    }
    async fn fetch(&self, _: &str, contact_id: &str) -> integration::Result<Bytes> {
        self.ask(Method::Get, &format!("contact/{contact_id}"), Value::Null).await
    }
}

fn choice(id: &str) -> Choice {
    Choice { id: id.to_owned(), label: id.to_uppercase() }
}

#[async_trait]
impl WriteTickets for Desk {
    async fn choices(&self, queue: Option<&str>) -> integration::Result<TicketChoices> {
        self.ask(Method::Get, "ticket", Value::Null).await?;
        Ok(TicketChoices {
            statuses: vec![choice("new"), choice("done")],
            queues: queue.map(choice).into_iter().collect(),
            ..TicketChoices::default()
        })
    }
    async fn create(&self, entity_id: &str, draft: &TicketDraft) -> integration::Result<Bytes> {
        self.ask(Method::Post, "ticket", fields(draft, Some(entity_id))).await
    }
    async fn update(&self, ticket_id: &str, draft: &TicketDraft) -> integration::Result<Bytes> {
        self.ask(Method::Patch, &format!("ticket/{ticket_id}"), fields(draft, None)).await
    }
    async fn add_note(&self, ticket_id: &str, note: &TicketNote) -> integration::Result<()> {
        self.ask(Method::Post, &format!("ticket/{ticket_id}/note"), json!(note)).await.map(drop)
    }
    async fn fetch(&self, ticket_id: &str) -> integration::Result<Bytes> {
        self.ask(Method::Get, &format!("ticket/{ticket_id}"), Value::Null).await
    }
}

#[async_trait]
impl ActOnThreats for Desk {
    fn actions(&self) -> Vec<Choice> {
        vec![choice("kill"), choice("restore")]
    }
    fn refusal(&self, threat: &Threat, action: &str) -> Option<String> {
        (action == "restore" && threat.status.as_deref() != Some("killed")).then(|| "it was not killed".to_owned())
    }
    async fn act(&self, _: &str, threat_id: &str, action: &str) -> integration::Result<()> {
        let body = json!({ "status": format!("{action}ed") });
        self.ask(Method::Patch, &format!("threat/{threat_id}"), body).await.map(drop)
    }
    async fn fetch(&self, _: &str, threat_id: &str) -> integration::Result<Bytes> {
        self.ask(Method::Get, &format!("threat/{threat_id}"), Value::Null).await
    }
}

#[async_trait]
impl ArchiveDocuments for Desk {
    async fn set_archived(&self, _: &str, document_id: &str, archived: bool) -> integration::Result<()> {
        let body = json!({ "archived": archived });
        self.ask(Method::Patch, &format!("document/{document_id}"), body).await.map(drop)
    }
}

#[async_trait]
impl CustomFields for Desk {
    async fn fields(&self, _: &str, location_id: &str) -> integration::Result<Vec<CustomField>> {
        self.ask(Method::Get, &format!("location/{location_id}"), Value::Null).await?;
        Ok(vec![CustomField { name: "door".to_owned(), editable: true, ..CustomField::default() }])
    }
    async fn set_fields(
        &self,
        _: &str,
        location_id: &str,
        values: &[(String, Option<String>)],
    ) -> integration::Result<()> {
        let body: Map<_, _> = values.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        self.ask(Method::Post, &format!("location/{location_id}/fields"), body.into()).await.map(drop)
    }
}

#[async_trait]
impl MakeInstallers for Desk {
    fn platforms(&self) -> Vec<Choice> {
        vec![choice("windows")]
    }
    async fn installer(&self, entity_id: &str, location: Option<&str>, _: &str) -> integration::Result<Installer> {
        self.ask(Method::Post, &format!("site/{entity_id}/installer"), json!({ "location": location })).await?;
        Ok(Installer { url: INSTALLER.to_owned(), expires_at: None })
    }
}

#[async_trait]
impl ReadTemplates for Desk {
    fn shelves(&self) -> Vec<Choice> {
        vec![choice("roles"), choice("tabs")]
    }
    async fn templates(&self, shelf: &str) -> integration::Result<Vec<Template>> {
        self.ask(Method::Get, "site", Value::Null).await?;
        Ok(vec![Template { id: "1".to_owned(), name: shelf.to_owned(), description: None, parts: Vec::new() }])
    }
}

/// What goes wrong with the next write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It is done, and nobody hears of it.
    AnswerLost,
    /// The vendor says no.
    Refused,
}

/// The desk's own table: rows by kind.
#[derive(Default)]
pub struct Table {
    pub rows: BTreeMap<String, Vec<Value>>,
    /// Writes that were asked for: method and path.
    pub writes: Vec<String>,
    /// Bodies of the same.
    pub bodies: Vec<Value>,
    pub trouble: Option<Trouble>,
}

#[derive(Clone)]
pub struct Wire(pub Arc<Mutex<Table>>, pub DateTime<Utc>);

impl Table {
    fn answer(&mut self, request: &Request) -> (u16, Value) {
        let path: Vec<&str> = request.url.path().trim_matches('/').split('/').collect();
        let body = match &request.body {
            Body::Json(body) => body.clone(),
            _ => Value::Null,
        };
        if request.method != Method::Get {
            self.writes.push(format!("{} {}", request.method.as_str(), path.join("/")));
            self.bodies.push(body.clone());
            if self.trouble == Some(Trouble::Refused) {
                self.trouble = None;
                return (422, json!({ "error": "no" }));
            }
        }
        let rows = self.rows.entry(path[0].to_owned()).or_default();
        let at = path.get(1).and_then(|id| rows.iter().position(|row| row["id"] == *id));
        match (request.method, path.len(), at) {
            (Method::Get, 1, _) => (200, json!(rows)),
            (Method::Post, 1, _) => {
                let mut row = body;
                row["id"] = format!("made-{}", rows.len()).into();
                rows.push(row.clone());
                (201, row)
            }
            (Method::Get, 2, Some(at)) => (200, rows[at].clone()),
            (Method::Patch, 2, Some(at)) => {
                let row = rows[at].as_object_mut().expect("a row");
                row.extend(body.as_object().cloned().unwrap_or_default());
                (200, rows[at].clone())
            }
            (Method::Delete, 2, Some(at)) => (200, rows.remove(at)),
            (Method::Post, 3, Some(_)) => (200, json!({})),
            _ => (404, json!({})),
        }
    }
}

#[async_trait]
impl Transport for Wire {
    async fn send(&self, request: Request) -> integration::Result<Response> {
        let mut table = self.0.lock().expect("is whole");
        let (status, body) = table.answer(&request);
        if request.method != Method::Get && table.trouble == Some(Trouble::AnswerLost) {
            table.trouble = None;
            return Err(Error::new(Kind::Unavailable, "the answer was lost"));
        }
        Ok(Response { status, headers: Vec::new(), body: body.to_string().into(), received_at: self.1 })
    }
    fn now(&self) -> DateTime<Utc> {
        self.1
    }
}

impl Dial for Wire {
    fn transport(&self, _: ConnectionId, _: bool) -> Arc<dyn Transport> {
        Arc::new(self.clone())
    }
}
