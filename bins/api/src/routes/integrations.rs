//! The catalogue: every vendor, what it can do and how to connect it. Derived from the connectors.

use chrono::{DateTime, Utc};
use domain::{Connection, ConnectionState, Permission};
use integration::{Entry, Input};
use poem_openapi::{Enum, Object, OpenApi, param::Path};
use uuid::Uuid;

use super::Chapter;
use crate::{app::AppData, auth::Caller, page::Answer, problem::Failure};

/// How a field is entered
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum FieldInput {
    /// One line of text
    Text,
    /// A whole address
    Url,
    /// A secret: never shown again
    Secret,
    /// One of the choices
    Choice,
    /// Not typed: given at the vendor's own page, see `connection_consent_start`
    Consent,
}

/// One choice of a field.
#[derive(Debug, Clone, Object)]
pub struct FieldChoice {
    /// Value to send
    pub value: String,
    /// What people read
    pub label: String,
}

/// One field of the connect form.
#[derive(Debug, Clone, Object)]
pub struct FormField {
    /// Key in the credentials
    pub name: String,
    /// What people read
    pub label: String,
    /// Help text
    pub help: String,
    pub input: FieldInput,
    /// Whether it must be given
    pub required: bool,
    /// The choices, for that input
    pub choices: Vec<FieldChoice>,
}

/// Something a connector can do.
#[derive(Debug, Clone, Object)]
pub struct IntegrationCapability {
    /// Kind of record it lists, or action
    pub name: String,
    /// Whether it changes something at the vendor
    pub writes: bool,
    /// Whether it can hear only of changes
    pub incremental: bool,
}

/// Where people say which client an entity belongs to
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum MappedBy {
    /// In the dialog that matches entities and clients
    Dialog,
    /// On the form of one client
    ClientForm,
    /// In the integration's settings
    Settings,
    /// Each connection as a whole belongs to one client
    Connection,
}

impl From<integration::MappedBy> for MappedBy {
    fn from(by: integration::MappedBy) -> Self {
        match by {
            integration::MappedBy::Dialog => Self::Dialog,
            integration::MappedBy::ClientForm => Self::ClientForm,
            integration::MappedBy::Settings => Self::Settings,
            integration::MappedBy::Connection => Self::Connection,
        }
    }
}

/// What our code for a vendor has been held against
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum Evidence {
    /// The vendor's documentation; the guide names what is not sure
    Documentation,
    /// The vendor's own machine-readable description of its API
    Specification,
    /// A real account
    Account,
}

impl From<integration::Evidence> for Evidence {
    fn from(evidence: integration::Evidence) -> Self {
        match evidence {
            integration::Evidence::Documentation => Self::Documentation,
            integration::Evidence::Specification => Self::Specification,
            integration::Evidence::Account => Self::Account,
        }
    }
}

/// A vendor in the catalogue.
#[derive(Debug, Clone, Object)]
pub struct Integration {
    /// Id
    pub id: String,
    /// Name
    pub name: String,
    /// Shelf
    pub category: String,
    /// What the vendor calls a customer
    pub entity_noun: String,
    /// The same, several
    pub entity_noun_plural: String,
    /// What its entity is across vendors
    pub entity_kind: String,
    /// The vendor's page on API access
    pub docs_url: String,
    /// Whether its entities can be imported as clients
    pub importable: bool,
    pub mapped_by: MappedBy,
    /// Whether its entities are imported from what was last synced: sync it first
    pub sync_first: bool,
    pub evidence: Evidence,
    /// What its connector can do; `company_writes` and `mail_sending` have no operation here yet
    pub capabilities: Vec<IntegrationCapability>,
    /// The connect form
    pub fields: Vec<FormField>,
}

/// A vendor in the catalogue, with its help text.
#[derive(Debug, Clone, Object)]
pub struct IntegrationDetail {
    /// The vendor
    pub integration: Integration,
    /// How to connect it, what is odd and what is not verified: Markdown
    pub guide: String,
}

/// One line of the menu Import or Map.
#[derive(Debug, Clone, Object)]
pub struct MenuItem {
    /// What people read: the vendors' names
    pub label: String,
    /// Shelf
    pub category: String,
    /// What the vendors call their customers
    pub entity_noun_plural: String,
    pub opens: MappedBy,
    /// Whether the list comes from what was last synced
    pub sync_first: bool,
    /// The connections behind it; choose one where there are several
    pub connections: Vec<MenuConnection>,
}

/// A connection of a menu's line.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct MenuConnection {
    /// Connection
    pub id: Uuid,
    /// Its integration
    pub integration: String,
    /// Its name
    pub name: String,
    /// When it was last synced to the end
    pub last_synced_at: Option<DateTime<Utc>>,
}

/// The menus Import and Map, for what is connected.
#[derive(Debug, Clone, Object)]
pub struct Menus {
    /// Where clients can be imported from; hide the menu when it is empty
    pub import: Vec<MenuItem>,
    /// What clients can be mapped to
    pub map: Vec<MenuItem>,
}

/// All vendors.
#[derive(Debug, Clone, Object)]
pub struct Catalogue {
    /// Vendors by name
    pub items: Vec<Integration>,
}

/// The catalogue.
pub struct Integrations;

#[OpenApi(prefix_path = "/api/integrations", tag = "Chapter::Integrations")]
impl Integrations {
    /// Every vendor that can be connected
    #[oai(path = "/", method = "get", operation_id = "integration_list")]
    async fn integration_list(&self, app: AppData<'_>, caller: Caller) -> Result<Answer<Catalogue>, Failure> {
        caller.context()?;
        let mut items: Vec<Integration> = app.entries.iter().map(|entry| view(&app, entry)).collect();
        items.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Answer::new(Catalogue { items }))
    }

    /// The menus Import and Map
    ///
    /// Only what is connected stands in them. Vendors that fill the same kind of entity share one line of
    /// Map.
    #[oai(path = "/menus", method = "get", operation_id = "integration_menus_get")]
    async fn integration_menus_get(&self, app: AppData<'_>, caller: Caller) -> Result<Answer<Menus>, Failure> {
        let tx = app.read(caller, Permission::ConnectionsView).await?;
        let connections: Vec<Connection> = tx
            .connections()
            .await?
            .into_iter()
            .filter(|connection| !matches!(connection.state, ConnectionState::Draft | ConnectionState::Disconnected))
            .filter(|connection| {
                app.permit_vendor(tx.context(), Permission::ConnectionsView, &connection.integration).is_ok()
            })
            .collect();
        Ok(Answer::new(menus(&app, &connections)))
    }

    /// One vendor, with its connect form and guide
    #[oai(path = "/:integration_id", method = "get", operation_id = "integration_get")]
    async fn integration_get(
        &self,
        app: AppData<'_>,
        caller: Caller,
        integration_id: Path<String>,
    ) -> Result<Answer<IntegrationDetail>, Failure> {
        caller.context()?;
        let entry = app.entry(&integration_id.0).ok_or(domain::Error::NotFound { what: "integration" })?;
        Ok(Answer::new(IntegrationDetail { integration: view(&app, entry), guide: entry.readme.to_owned() }))
    }
}

fn menus(app: &crate::app::App, connections: &[Connection]) -> Menus {
    let mut menus = Menus { import: Vec::new(), map: Vec::new() };
    // Kinds of entity that stand in the map menu, each with its line.
    let mut kinds: Vec<&str> = Vec::new();
    for entry in app.entries {
        let own: Vec<MenuConnection> =
            connections.iter().filter(|connection| connection.integration == entry.id).map(choice).collect();
        if own.is_empty() {
            continue;
        }
        let line = MenuItem {
            label: entry.name.to_owned(),
            category: entry.category.label().to_owned(),
            entity_noun_plural: entry.entity.1.to_owned(),
            opens: entry.mapped_by.into(),
            sync_first: entry.imported_from_sync,
            connections: own,
        };
        if importable(app, entry) || entry.mapped_by == integration::MappedBy::Settings {
            menus.import.push(line.clone());
        }
        match kinds.iter().position(|kind| *kind == entry.entity_kind) {
            Some(at) => {
                let known = &mut menus.map[at];
                known.label = format!("{} / {}", known.label, line.label);
                known.connections.extend(line.connections);
            }
            None => {
                kinds.push(entry.entity_kind);
                menus.map.push(line);
            }
        }
    }
    menus
}

fn choice(connection: &Connection) -> MenuConnection {
    MenuConnection {
        id: connection.id.0,
        integration: connection.integration.clone(),
        name: connection.name.clone(),
        last_synced_at: connection.last_synced_at,
    }
}

/// Whether entities of this vendor can become clients.
fn importable(app: &crate::app::App, entry: &Entry) -> bool {
    entry.mapped_by == integration::MappedBy::Dialog && app.can(entry.id, "entity")
}

fn view(app: &crate::app::App, entry: &Entry) -> Integration {
    let capabilities = app.capabilities(entry.id).iter().map(|capability| IntegrationCapability {
        name: capability.name.to_owned(),
        writes: capability.writes,
        incremental: capability.incremental,
    });
    Integration {
        id: entry.id.to_owned(),
        name: entry.name.to_owned(),
        category: entry.category.label().to_owned(),
        entity_noun: entry.entity.0.to_owned(),
        entity_noun_plural: entry.entity.1.to_owned(),
        entity_kind: entry.entity_kind.to_owned(),
        docs_url: entry.docs.to_owned(),
        importable: importable(app, entry),
        mapped_by: entry.mapped_by.into(),
        sync_first: entry.imported_from_sync,
        evidence: entry.evidence.into(),
        capabilities: capabilities.collect(),
        fields: entry.fields().into_iter().map(field).collect(),
    }
}

fn field(spec: integration::FieldSpec) -> FormField {
    let (input, choices) = match spec.input {
        Input::Text => (FieldInput::Text, Vec::new()),
        Input::Url => (FieldInput::Url, Vec::new()),
        Input::Secret => (FieldInput::Secret, Vec::new()),
        Input::Consent => (FieldInput::Consent, Vec::new()),
        Input::Choice(choices) => {
            let view = |(value, label): &(&str, &str)| FieldChoice { value: (*value).into(), label: (*label).into() };
            (FieldInput::Choice, choices.iter().map(view).collect())
        }
    };
    FormField {
        name: spec.name.to_owned(),
        label: spec.label,
        help: spec.help,
        input,
        required: spec.required,
        choices,
    }
}
