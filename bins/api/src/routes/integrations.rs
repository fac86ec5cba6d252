//! The catalogue: every vendor, what it can do and how to connect it. Derived from the connectors.

use integration::{Entry, Input};
use poem_openapi::{Enum, Object, OpenApi, param::Path};

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
    /// What it can do
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
        capabilities: capabilities.collect(),
        fields: entry.fields().into_iter().map(field).collect(),
    }
}

fn field(spec: integration::FieldSpec) -> FormField {
    let (input, choices) = match spec.input {
        Input::Text => (FieldInput::Text, Vec::new()),
        Input::Url => (FieldInput::Url, Vec::new()),
        Input::Secret => (FieldInput::Secret, Vec::new()),
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
