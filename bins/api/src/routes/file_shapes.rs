//! What files look like in requests and answers.

use chrono::{DateTime, Utc};
use directory::Publishing;
use domain::{ClientId, ClientScope, FileReach};
use poem_openapi::Object;
use uuid::Uuid;

use super::mirrored::mirrored;

mirrored! {
    /// To which clients a file is published
    PublishedTo = FileReach {
        /// The client it is of
        Client,
        /// Chosen ones
        Chosen,
        /// Every client, those to come too
        All,
    }
}

/// That people of clients see a file.
#[derive(Debug, Clone, Object)]
pub struct FilePublication {
    /// Since when
    pub at: DateTime<Utc>,
    pub to: PublishedTo,
    /// The chosen clients, as far as you see them
    pub client_ids: Vec<Uuid>,
    /// Whether Managers only see it
    pub managers_only: bool,
}

/// A file that the MSP keeps.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct File {
    /// Id
    pub id: Uuid,
    /// Of which client; absent where it is the MSP's own
    pub client_id: Option<Uuid>,
    /// Title
    pub title: String,
    /// Category, in the staff's words
    pub category: Option<String>,
    /// What is to be known of it
    pub description: Option<String>,
    /// Name under which it is downloaded
    pub name: String,
    /// Media type, found by the content
    pub media_type: String,
    /// Bytes
    pub bytes: i64,
    /// SHA-256 of the content, hex
    pub sha256: String,
    /// Which content it is: the first is 1, and each that replaces it is the next
    pub number: i32,
    /// Who sees it in ClientOne; absent while nobody does
    pub published: Option<FilePublication>,
    /// When it was made
    pub created_at: DateTime<Utc>,
    /// Staff user who made it
    pub author_id: Option<Uuid>,
    /// When it was last changed
    pub updated_at: DateTime<Utc>,
    /// Staff user who last changed it
    pub editor_id: Option<Uuid>,
    /// When it was removed
    pub removed_at: Option<DateTime<Utc>>,
    /// Goes up with each change; also the ETag
    pub version: i32,
}

impl File {
    /// The view of a file for a caller of this scope.
    pub fn of(file: domain::File, scope: &ClientScope) -> Self {
        let published = file.published.map(|published| FilePublication {
            at: published.at,
            to: published.reach.into(),
            client_ids: published.clients.iter().filter(|client| scope.allows(**client)).map(|id| id.0).collect(),
            managers_only: published.managers_only,
        });
        Self {
            id: file.id.0,
            client_id: file.client_id.map(|client| client.0),
            title: file.title,
            category: file.category,
            description: file.description,
            name: file.name,
            media_type: file.media_type,
            bytes: file.bytes,
            sha256: file.sha256,
            number: file.number,
            published,
            created_at: file.created_at,
            author_id: file.created_by.map(|staff| staff.0),
            updated_at: file.updated_at,
            editor_id: file.updated_by.map(|staff| staff.0),
            removed_at: file.removed_at,
            version: file.version,
        }
    }
}

/// A content that a file had.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct FileVersion {
    /// Which one; the first is 1
    pub number: i32,
    /// The file's name then
    pub name: String,
    /// Media type
    pub media_type: String,
    /// Bytes
    pub bytes: i64,
    /// SHA-256, hex
    pub sha256: String,
    /// When it came
    pub created_at: DateTime<Utc>,
    /// Staff user from whom
    pub author_id: Option<Uuid>,
}

impl From<domain::FileVersion> for FileVersion {
    fn from(version: domain::FileVersion) -> Self {
        Self {
            number: version.number,
            name: version.name,
            media_type: version.media_type,
            bytes: version.bytes,
            sha256: version.sha256,
            created_at: version.created_at,
            author_id: version.created_by.map(|staff| staff.0),
        }
    }
}

/// The contents that a file had.
#[derive(Debug, Clone, Object)]
pub struct FileVersions {
    /// The newest first, at most 100
    pub items: Vec<FileVersion>,
}

/// What to change about a file; what is left out stays.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct FileUpdate {
    /// New title
    pub title: Option<String>,
    /// New name, with the same extension
    pub name: Option<String>,
    /// New category; an empty one takes it away
    pub category: Option<String>,
    /// New description; an empty one takes it away
    pub description: Option<String>,
}

/// To whom a file is to be shown.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct FilePublish {
    pub to: PublishedTo,
    /// The chosen clients, 1 to 500; left out for every other
    pub client_ids: Option<Vec<Uuid>>,
    /// Whether to Managers only
    pub managers_only: Option<bool>,
}

impl From<FilePublish> for Publishing {
    fn from(publish: FilePublish) -> Self {
        Self {
            reach: publish.to.into(),
            clients: publish.client_ids.unwrap_or_default().into_iter().map(ClientId).collect(),
            managers_only: publish.managers_only.unwrap_or(false),
        }
    }
}
