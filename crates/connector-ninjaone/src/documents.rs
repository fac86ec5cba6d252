//! Documents of all organisations. Their rows do not say which field is a secret; their templates do. So the
//! templates are read first, and what is not known to be harmless is dropped before anyone can store it.

use std::collections::{BTreeSet, HashMap};

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use integration::{ArchiveDocuments, Document, Item, Method, Page, Position, Pull, Result};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    NinjaOne, api,
    fields::Field,
    loose::{as_text, flag, id, instant, list, text},
    templates::DocumentTemplate,
    wire,
};

/// A document, as `without_secrets` left it: its fields are texts.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    #[serde(deserialize_with = "id")]
    document_id: String,
    #[serde(deserialize_with = "id")]
    organization_id: String,
    #[serde(default, deserialize_with = "text")]
    document_name: Option<String>,
    #[serde(default, deserialize_with = "text")]
    document_description: Option<String>,
    #[serde(default, deserialize_with = "text")]
    document_template_id: Option<String>,
    #[serde(default, deserialize_with = "text")]
    document_template_name: Option<String>,
    #[serde(default, deserialize_with = "instant")]
    document_update_time: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "flag")]
    archived: Option<bool>,
    #[serde(default, deserialize_with = "list")]
    fields: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default, deserialize_with = "text")]
    name: Option<String>,
    #[serde(default, deserialize_with = "text")]
    value: Option<String>,
}

/// Templates asked for one by one.
const ONE_BY_ONE: usize = 50;

/// The fields of each template.
type Known = HashMap<String, Vec<Field>>;

#[async_trait]
impl Pull<Document> for NinjaOne {
    /// One answer has them all.
    async fn page(&self, _: Position<'_>) -> Result<Page> {
        let templates = self.api.whole(self.api.request(Method::Get, DocumentTemplate::LIST)?).await?;
        // One that cannot be read is not known: its documents lose their fields, not the listing.
        let read = templates.iter().filter_map(|raw| wire::read::<DocumentTemplate>(raw, "template").ok());
        let mut known: Known = read.map(|template| (template.id, template.fields)).collect();
        let rows = self.api.whole(self.api.request(Method::Get, "/v2/organization/documents")?).await?;
        self.learn_the_rest(&rows, &mut known).await?;
        Ok(Page { records: rows.into_iter().map(|raw| without_secrets(raw, &known)).collect(), ..Page::default() })
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Document>, String> {
        let row: Row = wire::read(raw, "document")?;
        let record = Document {
            title: row.document_name.unwrap_or_else(|| format!("Document {}", row.document_id)),
            template_id: row.document_template_id,
            template: row.document_template_name,
            description: row.document_description,
            fields: row.fields.into_iter().filter_map(|field| Some((field.name?, field.value?))).collect(),
            // What is archived is no longer listed, as far as we know.
            archived: Some(row.archived.unwrap_or(false)),
            updated_at: row.document_update_time,
        };
        Ok(Item { id: row.document_id, entity: Some(row.organization_id), record })
    }
}

#[async_trait]
impl ArchiveDocuments for NinjaOne {
    async fn set_archived(&self, _entity_id: &str, document_id: &str, archived: bool) -> Result<()> {
        let action = if archived { "archive" } else { "restore" };
        let path = format!("/v2/organization/document/{}/{action}", api::id(document_id)?);
        self.api.change(self.api.request(Method::Post, &path)?).await.map(drop)
    }
}

impl NinjaOne {
    /// Templates that the list lacks are asked for one by one, so that a list that came back short does not
    /// cost documents their fields. One that NinjaOne does not know stays unknown.
    async fn learn_the_rest(&self, rows: &[Bytes], known: &mut Known) -> Result<()> {
        let used = rows.iter().filter_map(|raw| wire::read::<Row>(raw, "document").ok()?.document_template_id);
        let lacking: BTreeSet<u32> =
            used.filter(|id| !known.contains_key(id)).filter_map(|id| id.parse().ok()).collect();
        for id in lacking.into_iter().take(ONE_BY_ONE) {
            let answer =
                self.api.read(self.api.request(Method::Get, &format!("{}/{id}", DocumentTemplate::LIST))?).await;
            if let Some(template) = api::if_known(answer.and_then(|answer| answer.json::<DocumentTemplate>(api::NAME)))?
            {
                known.insert(template.id, template.fields);
            }
        }
        Ok(())
    }
}

/// The row with the values that may be shown, each as the text that people read.
fn without_secrets(raw: Bytes, known: &Known) -> Bytes {
    let Ok(mut row) = serde_json::from_slice::<Map<String, Value>>(&raw) else { return raw };
    let template = row.get("documentTemplateId").cloned().and_then(as_text);
    let fields = template.and_then(|id| known.get(&id)).map(Vec::as_slice).unwrap_or_default();
    let shown = |entry: &Value| -> Option<Value> {
        let name = entry.get("name")?.as_str()?;
        let value = fields.iter().find(|field| field.name.as_deref() == Some(name))?.shown(entry.get("value")?)?;
        Some(Value::from(Map::from_iter([("name".to_owned(), name.into()), ("value".to_owned(), value.into())])))
    };
    let rest: Vec<Value> =
        row.get("fields").and_then(Value::as_array).into_iter().flatten().filter_map(shown).collect();
    row.insert("fields".to_owned(), rest.into());
    Value::from(row).to_string().into()
}
