//! What is published to people of a client: texts that the MSP wrote, and files that it keeps, as one list.

use domain::{
    Error, File, FileId, LibraryDocument, LibraryDocumentId, Listed, PageRequest, PortalPermission, PortalSettings,
    Result, name_key,
};
use persistence::{FileFilter, LibraryFilter, PortalUserRow, Tx};
use uuid::Uuid;

/// Something that people of a client may read.
#[derive(Clone, Debug)]
pub enum CompanyDocument {
    /// A text.
    Text(LibraryDocument),
    /// A file.
    File(File),
}

/// What is wanted of the list.
#[derive(Clone, Debug, Default)]
pub struct DocumentSearch {
    /// Only of this category, whatever its case.
    pub category: Option<String>,
    /// Part of the title.
    pub search: Option<String>,
}

impl CompanyDocument {
    /// Its place in the list.
    fn place(&self) -> (String, Uuid) {
        match self {
            Self::Text(text) => (name_key(&text.title), text.id.0),
            Self::File(file) => (name_key(&file.title), file.id.0),
        }
    }
}

fn filters(user: &PortalUserRow, search: &DocumentSearch) -> (LibraryFilter, FileFilter) {
    let DocumentSearch { category, search } = search.clone();
    let texts = LibraryFilter {
        shown_to: Some(user.client_id),
        category: category.clone(),
        search: search.clone(),
        ..LibraryFilter::default()
    };
    let files = FileFilter { shown_to: Some((user.client_id, user.role)), category, search, ..FileFilter::default() };
    (texts, files)
}

/// A page of what someone may read, by title.
pub async fn company_documents(
    tx: &Tx,
    user: &PortalUserRow,
    settings: &PortalSettings,
    search: &DocumentSearch,
    page: &PageRequest,
) -> Result<Listed<CompanyDocument>> {
    tx.context().require_portal(PortalPermission::DocumentsView, settings)?;
    let (texts, files) = filters(user, search);
    let (texts, files) = (tx.library_list(&texts, page).await?, tx.file_list(&files, page).await?);
    let (total, mut more) = (texts.total + files.total, texts.next.is_some() || files.next.is_some());
    let texts = texts.items.into_iter().map(CompanyDocument::Text);
    let mut items: Vec<_> = texts.chain(files.items.into_iter().map(CompanyDocument::File)).collect();
    items.sort_by_cached_key(CompanyDocument::place);
    more |= items.len() as u64 > page.limit;
    items.truncate(page.limit as usize);
    let next = items.last().filter(|_| more).map(CompanyDocument::place);
    Ok(Listed { items, next, total })
}

/// How many someone may read.
pub async fn company_document_count(tx: &Tx, user: &PortalUserRow, settings: &PortalSettings) -> Result<u64> {
    tx.context().require_portal(PortalPermission::DocumentsView, settings)?;
    let (texts, files) = filters(user, &DocumentSearch::default());
    let texts = tx.library_list(&texts, &PageRequest { limit: 1, after: None }).await?.total;
    Ok(u64::try_from(texts).unwrap_or_default() + tx.file_count(&files).await?)
}

/// One that someone may read, a text with its content.
pub async fn company_document(
    tx: &Tx,
    user: &PortalUserRow,
    settings: &PortalSettings,
    id: Uuid,
) -> Result<CompanyDocument> {
    tx.context().require_portal(PortalPermission::DocumentsView, settings)?;
    match tx.file(FileId(id)).await {
        Ok(file) if file.shown_to(user.client_id, user.role) => return Ok(CompanyDocument::File(file)),
        Ok(_) | Err(Error::NotFound { .. }) => {}
        Err(other) => return Err(other),
    }
    match tx.library_document(LibraryDocumentId(id)).await {
        Ok(text) if text.shown_to(user.client_id) => Ok(CompanyDocument::Text(text)),
        Ok(_) | Err(Error::NotFound { .. }) => Err(Error::NotFound { what: "document" }),
        Err(other) => Err(other),
    }
}
