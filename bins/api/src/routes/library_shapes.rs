//! What documents of the MSP look like in requests and answers.

use chrono::{DateTime, Utc};
use poem_openapi::{Enum, Object};
use uuid::Uuid;

/// Which library a document is in
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum Library {
    /// For the staff only
    Internal,
    /// For a client, or for every client, once it is published
    Customer,
    /// To be copied from
    Template,
}

impl From<Library> for domain::Library {
    fn from(library: Library) -> Self {
        match library {
            Library::Internal => Self::Internal,
            Library::Customer => Self::Customer,
            Library::Template => Self::Template,
        }
    }
}

impl From<domain::Library> for Library {
    fn from(library: domain::Library) -> Self {
        match library {
            domain::Library::Internal => Self::Internal,
            domain::Library::Customer => Self::Customer,
            domain::Library::Template => Self::Template,
        }
    }
}

/// A document that the MSP wrote.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct LibraryDocument {
    /// Id
    pub id: Uuid,
    pub library: Library,
    /// For which client; absent where it is for every client, or for none
    pub client_id: Option<Uuid>,
    /// Title
    pub title: String,
    /// Its name in addresses, unique in its library
    pub slug: String,
    /// Category, in the staff's words
    pub category: Option<String>,
    /// The text, in Markdown; absent in lists
    pub content: Option<String>,
    /// SHA-256 of the text, hex
    pub content_hash: String,
    /// Whether portal users see it
    pub published: bool,
    /// Since when they do
    pub published_at: Option<DateTime<Utc>>,
    /// When it was made
    pub created_at: DateTime<Utc>,
    /// Staff user who made it
    pub author_id: Option<Uuid>,
    /// When it was last changed
    pub updated_at: DateTime<Utc>,
    /// Staff user who last changed it
    pub editor_id: Option<Uuid>,
    /// Goes up with each change; also the ETag
    pub version: i32,
}

impl LibraryDocument {
    /// The view of a document, with its text or without.
    pub fn of(document: domain::LibraryDocument, whole: bool) -> Self {
        Self {
            id: document.id.0,
            library: document.library.into(),
            client_id: document.client_id.map(|client| client.0),
            title: document.title,
            slug: document.slug,
            category: document.category,
            content: Some(document.content).filter(|_| whole),
            content_hash: document.content_hash,
            published: document.published_at.is_some(),
            published_at: document.published_at,
            created_at: document.created_at,
            author_id: document.created_by.map(|staff| staff.0),
            updated_at: document.updated_at,
            editor_id: document.updated_by.map(|staff| staff.0),
            version: document.version,
        }
    }
}

/// A text that a document had.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct LibraryVersion {
    /// The version of the document that had it first
    pub version: i32,
    /// Title it had then
    pub title: String,
    /// SHA-256 of the text, hex
    pub content_hash: String,
    /// When it was written
    pub created_at: DateTime<Utc>,
    /// Staff user who wrote it
    pub author_id: Option<Uuid>,
}

/// The texts that a document had.
#[derive(Debug, Clone, Object)]
pub struct LibraryVersions {
    /// The newest first, at most 1,000
    pub items: Vec<LibraryVersion>,
}

/// What it takes to make a document.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct LibraryDocumentCreate {
    pub library: Library,
    /// Title, 1 to 255 characters
    pub title: String,
    /// Its name in addresses: lower-case letters, digits and dashes; made of the title when left out
    pub slug: Option<String>,
    /// Category
    pub category: Option<String>,
    /// The text, in Markdown, at most 200,000 characters
    pub content: String,
    /// For which client; left out, a customer document is for every client
    pub client_id: Option<Uuid>,
    /// Whether portal users see it at once: customer documents only
    pub published: Option<bool>,
}

/// What to change about a document; what is left out stays.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct LibraryDocumentUpdate {
    /// New title
    pub title: Option<String>,
    /// New name in addresses
    pub slug: Option<String>,
    /// New category; an empty one takes it away
    pub category: Option<String>,
    /// New text
    pub content: Option<String>,
    /// For which client from now on
    pub client_id: Option<Uuid>,
    /// For every client from now on
    pub every_client: Option<bool>,
    /// Whether portal users see it from now on: at once, both ways
    pub published: Option<bool>,
}

/// Where a copy goes.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct LibraryDocumentCopy {
    pub library: Library,
    /// Title; the original's when left out
    pub title: Option<String>,
    /// For which client
    pub client_id: Option<Uuid>,
}
