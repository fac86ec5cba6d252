//! What an account keeps for all its organisations: device roles, templates of documents and checklists, and
//! custom tabs. They are read live.

use async_trait::async_trait;
use integration::{Choice, Error, Kind, Method, ReadTemplates, Request, Result, Template, Vendor};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    NinjaOne, api,
    fields::{Field, plain},
    loose::{flag, id, list, text},
};

const SHELVES: [(&str, &str); 6] = [
    ("node_roles", "Device roles"),
    ("document_templates", "Document templates"),
    ("checklist_templates", "Checklist templates"),
    ("organization_tabs", "Custom tabs of organizations and locations"),
    ("end_user_tabs", "Custom tabs of end users"),
    ("global_tabs", "Global custom tabs"),
];

/// Tabs whose fields are asked for: each is a request of its own.
const OPENED_TABS: usize = 40;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DocumentTemplate {
    #[serde(deserialize_with = "id")]
    pub id: String,
    #[serde(default, deserialize_with = "text")]
    name: Option<String>,
    #[serde(default, deserialize_with = "text")]
    description: Option<String>,
    #[serde(default, deserialize_with = "flag")]
    archived: Option<bool>,
    #[serde(default, deserialize_with = "list")]
    pub fields: Vec<Field>,
}

impl DocumentTemplate {
    pub(crate) const LIST: &str = "/v2/document-templates";
}

#[derive(Deserialize)]
struct ChecklistTemplate {
    #[serde(deserialize_with = "id")]
    id: String,
    #[serde(default, deserialize_with = "text")]
    name: Option<String>,
    description: Option<Value>,
    #[serde(default, deserialize_with = "list")]
    tasks: Vec<Task>,
    #[serde(default, deserialize_with = "flag")]
    archived: Option<bool>,
}

#[derive(Deserialize)]
struct Task {
    position: Option<i64>,
    #[serde(default, deserialize_with = "text")]
    name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Role {
    #[serde(deserialize_with = "id")]
    id: String,
    #[serde(default, deserialize_with = "text")]
    name: Option<String>,
    #[serde(default, deserialize_with = "text")]
    description: Option<String>,
    #[serde(default, deserialize_with = "text")]
    node_class: Option<String>,
    #[serde(default, deserialize_with = "text")]
    chassis_type: Option<String>,
}

/// The vendor's description has a type for a summary of tabs, says of the addresses that they answer "a list of the
/// available custom tabs", and gives them no type: both are read.
#[derive(Deserialize)]
#[serde(untagged)]
enum Tabs {
    Bare(Vec<Tab>),
    Labelled { labels: Vec<Tab> },
}

#[derive(Deserialize)]
struct Tab {
    #[serde(deserialize_with = "id")]
    id: String,
    #[serde(default, deserialize_with = "text")]
    name: Option<String>,
    #[serde(default, deserialize_with = "text")]
    description: Option<String>,
    position: Option<i64>,
}

#[derive(Deserialize)]
struct OpenTab {
    #[serde(default, deserialize_with = "list")]
    items: Vec<TabItem>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TabItem {
    #[serde(default, deserialize_with = "text")]
    name: Option<String>,
    #[serde(default, deserialize_with = "text")]
    ui_element_type: Option<String>,
}

#[async_trait]
impl ReadTemplates for NinjaOne {
    fn shelves(&self) -> Vec<Choice> {
        SHELVES.iter().map(|(id, label)| Choice { id: (*id).to_owned(), label: (*label).to_owned() }).collect()
    }

    async fn templates(&self, shelf: &str) -> Result<Vec<Template>> {
        match shelf {
            "node_roles" => self.roles().await,
            "document_templates" => self.document_templates().await,
            "checklist_templates" => self.checklist_templates().await,
            "organization_tabs" => self.tabs("organization").await,
            "end_user_tabs" => self.tabs("end-user").await,
            "global_tabs" => self.tabs("global").await,
            _ => Err(Error::new(Kind::Refused, "NinjaOne has no such shelf of templates")),
        }
    }
}

impl NinjaOne {
    fn get(&self, path: &str) -> Result<Request> {
        self.api.request(Method::Get, path)
    }

    async fn roles(&self) -> Result<Vec<Template>> {
        let rows: Vec<Role> = self.api.all(self.get("/v2/roles")?, "device role").await?;
        let read = |row: Role| {
            let chassis = row.chassis_type.filter(|chassis| chassis != "UNKNOWN");
            template("Role", row.id, row.name, row.description, row.node_class.into_iter().chain(chassis).collect())
        };
        Ok(rows.into_iter().map(read).collect())
    }

    async fn document_templates(&self) -> Result<Vec<Template>> {
        let rows: Vec<DocumentTemplate> = self.api.all(self.get(DocumentTemplate::LIST)?, "document template").await?;
        let read = |row: DocumentTemplate| {
            let fields = row.fields.iter().filter(|field| field.ui_element_type.is_none());
            let part = |field: &Field| match &field.class {
                Some(class) => format!("{} ({class})", field.title()),
                None => field.title().to_owned(),
            };
            let parts = fields.filter(|field| !field.title().is_empty()).map(part).collect();
            template("Template", row.id, row.name, row.description, parts)
        };
        Ok(rows.into_iter().filter(|row| row.archived != Some(true)).map(read).collect())
    }

    async fn checklist_templates(&self) -> Result<Vec<Template>> {
        let rows: Vec<ChecklistTemplate> =
            self.api.all(self.get("/v2/checklist/templates")?, "checklist template").await?;
        let read = |mut row: ChecklistTemplate| {
            row.tasks.sort_by_key(|task| task.position);
            let parts = row.tasks.into_iter().filter_map(|task| task.name).collect();
            template("Checklist", row.id, row.name, row.description.as_ref().and_then(plain), parts)
        };
        Ok(rows.into_iter().filter(|row| row.archived != Some(true)).map(read).collect())
    }

    async fn tabs(&self, of: &str) -> Result<Vec<Template>> {
        let summary = self.api.read(self.get(&format!("/v2/tab/summary/{of}"))?).await?;
        let (Tabs::Bare(mut tabs) | Tabs::Labelled { labels: mut tabs }) = summary.json(Self::NAME)?;
        tabs.sort_by_key(|tab| tab.position);
        let mut read = Vec::with_capacity(tabs.len());
        for (at, tab) in tabs.into_iter().enumerate() {
            let parts = if at < OPENED_TABS { self.fields_of(&tab).await? } else { Vec::new() };
            read.push(template("Tab", tab.id, tab.name, tab.description, parts));
        }
        Ok(read)
    }

    /// The fields on a tab; none where NinjaOne does not open it (one of its own, one that is just gone).
    async fn fields_of(&self, tab: &Tab) -> Result<Vec<String>> {
        let path = format!("/v2/tab/{}", api::id(&tab.id)?);
        let answer = self.api.read(self.get(&path)?).await;
        let open = api::if_known(answer.and_then(|answer| answer.json::<OpenTab>(Self::NAME)))?;
        let items = open.map(|tab| tab.items).unwrap_or_default();
        Ok(items.into_iter().filter(|item| item.ui_element_type.is_none()).filter_map(|item| item.name).collect())
    }
}

fn template(noun: &str, id: String, name: Option<String>, description: Option<String>, parts: Vec<String>) -> Template {
    Template { name: name.unwrap_or_else(|| format!("{noun} {id}")), id, description, parts }
}
