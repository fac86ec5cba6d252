//! Documents archived and brought back.

use async_trait::async_trait;
use domain::{Permission, RecordId, Result};
use integration::{Connector, Document, RecordKind};
use serde_json::{Map, Value, json};

use super::{Act, Noted, Place, Sent, Target, fields_noted, lost};

/// Archives a document, or brings it back.
#[derive(Clone, Copy, Debug)]
pub struct DocumentArchive {
    /// Which.
    pub id: RecordId,
    /// Whether it is to be archived.
    pub archived: bool,
}

impl DocumentArchive {
    fn fields(&self) -> Map<String, Value> {
        Map::from_iter([("archived".to_owned(), json!(self.archived))])
    }
}

#[async_trait]
impl Act for DocumentArchive {
    fn action(&self) -> &'static str {
        "document_archive"
    }
    fn announced(&self) -> &'static str {
        "document_archive_send"
    }
    fn permission(&self) -> Permission {
        Permission::DocumentsEdit
    }
    fn target(&self) -> Target {
        Target::Record(RecordKind::Document, self.id)
    }
    fn stores(&self) -> RecordKind {
        RecordKind::Document
    }
    fn wanted(&self) -> String {
        json!(self.fields()).to_string()
    }
    fn check(&self, place: &Place, connector: &dyn Connector) -> Result<()> {
        place.able(connector.document_archive(), "archive documents").map(drop)
    }
    fn noted(&self, place: &Place, _: Option<&Value>) -> Noted {
        fields_noted("document", place, &self.fields(), None)
    }
    async fn send(&self, place: &Place, connector: &dyn Connector) -> integration::Result<Sent> {
        let archive = connector.document_archive().ok_or_else(lost)?;
        archive.set_archived(&place.entity.vendor_id, place.vendor_id(), self.archived).await?;
        let stored = place.read::<Document>().ok();
        Ok(stored.map_or(Sent::Done, |stored| Sent::as_wanted(&Document { archived: Some(self.archived), ..stored })))
    }
}
