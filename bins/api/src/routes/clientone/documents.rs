//! Documents that the provider published to people of a client.

use chrono::{DateTime, Utc};
use clientone::{CompanyDocument as Found, DocumentSearch};
use domain::{Error, Outcome};
use poem_openapi::{
    Enum, Object, OpenApi,
    param::{Path, Query},
};
use uuid::Uuid;

use super::PortalChapter;
use crate::{
    app::{App, AppData},
    contents::Download,
    page::{Answer, Page, page_request},
    portal_auth::PortalCaller,
    problem::Failure,
};

/// What a document is
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum DocumentKind {
    /// A text, in Markdown
    Text,
    /// A file, to be downloaded
    File,
}

/// A document that the provider published.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct CompanyDocument {
    /// Id
    pub id: Uuid,
    pub kind: DocumentKind,
    /// Title
    pub title: String,
    /// Category
    pub category: Option<String>,
    /// What is to be known of a file
    pub description: Option<String>,
    /// The text, in Markdown; absent in lists, and of files
    pub text: Option<String>,
    /// Name of a file
    pub name: Option<String>,
    /// Media type of a file
    pub media_type: Option<String>,
    /// Bytes of a file
    pub bytes: Option<i64>,
    /// Published
    pub published_at: Option<DateTime<Utc>>,
    /// Last changed
    pub updated_at: DateTime<Utc>,
}

/// Documents.
pub struct CompanyDocuments;

#[OpenApi(prefix_path = "/api/clientone/documents", tag = "PortalChapter::Documents")]
impl CompanyDocuments {
    /// Documents that my provider published to me, by title
    #[oai(path = "/", method = "get", operation_id = "company_document_list")]
    async fn company_document_list(
        &self,
        caller: PortalCaller,
        uri: &poem::http::Uri,
        /// Of this category
        category: Query<Option<String>>,
        /// Part of the title
        search: Query<Option<String>>,
        /// Rows of a page, 1 to 100; 25 when left out
        limit: Query<Option<u64>>,
        /// Where the last page ended
        cursor: Query<Option<String>>,
    ) -> Result<Answer<Page<CompanyDocument>>, Failure> {
        let (tx, visit) = caller.visit()?;
        let page = page_request(limit.0, cursor.0.as_deref())?;
        let search = DocumentSearch { category: category.0, search: search.0 };
        let (user, settings) = (&visit.user, &visit.config.settings);
        let listed = clientone::company_documents(&tx, user, settings, &search, &page).await?;
        Ok(Answer::page(listed.map(|found| CompanyDocument { text: None, ..view(found) }), uri))
    }

    /// One document; a text comes with its content, and that it was read is noted in the activity
    #[oai(path = "/:company_document_id", method = "get", operation_id = "company_document_get")]
    async fn company_document_get(
        &self,
        app: AppData<'_>,
        caller: PortalCaller,
        company_document_id: Path<Uuid>,
    ) -> Result<Answer<CompanyDocument>, Failure> {
        let (tx, visit) = caller.visit()?;
        let (user, settings) = (&visit.user, &visit.config.settings);
        let found = clientone::company_document(&tx, user, settings, company_document_id.0).await?;
        let context = tx.context().clone();
        tx.rollback().await?;
        if let Found::Text(text) = &found {
            note(&app, context, &text.title).await?;
        }
        Ok(Answer::new(view(found)))
    }

    /// Download a file; that it was read is noted in the activity
    #[oai(path = "/:company_document_id/content", method = "get", operation_id = "company_document_content_get")]
    async fn company_document_content_get(
        &self,
        app: AppData<'_>,
        caller: PortalCaller,
        company_document_id: Path<Uuid>,
    ) -> Result<Download, Failure> {
        let (tx, visit) = caller.visit()?;
        let (user, settings) = (&visit.user, &visit.config.settings);
        let found = clientone::company_document(&tx, user, settings, company_document_id.0).await?;
        let Found::File(file) = found else { return Err(Error::NotFound { what: "document" }.into()) };
        let content = tx.content(file.content_id).await?;
        let context = tx.context().clone();
        tx.rollback().await?;
        let download = app.content_leave(&content, &file.name, &file.sha256).await?;
        note(&app, context, &file.title).await?;
        Ok(download)
    }
}

/// Notes that someone read a document.
async fn note(app: &App, context: domain::Context, title: &str) -> domain::Result<()> {
    app.store.begin(context).await?.commit_attempt("company_document_read", Outcome::Done, title).await
}

fn view(found: Found) -> CompanyDocument {
    match found {
        Found::Text(text) => CompanyDocument {
            id: text.id.0,
            kind: DocumentKind::Text,
            title: text.title,
            category: text.category,
            description: None,
            text: Some(text.content),
            name: None,
            media_type: None,
            bytes: None,
            published_at: text.published_at,
            updated_at: text.updated_at,
        },
        Found::File(file) => CompanyDocument {
            id: file.id.0,
            kind: DocumentKind::File,
            title: file.title,
            category: file.category,
            description: file.description,
            text: None,
            name: Some(file.name),
            media_type: Some(file.media_type),
            bytes: Some(file.bytes),
            published_at: file.published.map(|published| published.at),
            updated_at: file.updated_at,
        },
    }
}
