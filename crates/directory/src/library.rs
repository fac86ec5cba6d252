//! Documents that the MSP writes: for the staff, for customers, and templates to copy from.

use domain::{
    ClientId, ClientScope, Error, Library, LibraryDocument, LibraryDocumentId, LibraryVersion, Problem, Result,
    slug_of, valid_name, valid_slug,
};
use persistence::Tx;
use sha2::{Digest, Sha256};

use crate::clients::free_text;

/// Longest text, in characters.
const CONTENT: usize = 200_000;
/// Longest category, in characters.
const CATEGORY: usize = 100;

/// What it takes to make a document.
#[derive(Clone, Debug)]
pub struct LibraryDraft {
    /// Which library.
    pub library: Library,
    /// Title, not yet checked.
    pub title: String,
    /// Name in addresses; made of the title where there is none.
    pub slug: Option<String>,
    /// Category.
    pub category: Option<String>,
    /// Text, in Markdown.
    pub content: String,
    /// For which client; without one, for every client.
    pub client: Option<ClientId>,
    /// Whether portal users see it at once.
    pub published: bool,
}

/// What to change about a document; `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct LibraryPatch {
    /// New title.
    pub title: Option<String>,
    /// New name in addresses.
    pub slug: Option<String>,
    /// New category; `Some(None)` takes it away.
    pub category: Option<Option<String>>,
    /// New text.
    pub content: Option<String>,
    /// For which client from now on; `Some(None)` is every client.
    pub client: Option<Option<ClientId>>,
    /// Whether portal users see it from now on.
    pub published: Option<bool>,
}

/// Where a copy goes.
#[derive(Clone, Debug)]
pub struct LibraryCopy {
    /// Which library.
    pub library: Library,
    /// Title; that of the original where there is none.
    pub title: Option<String>,
    /// For which client.
    pub client: Option<ClientId>,
}

/// Makes a document. Only customer documents are for clients, and published; a slug that is taken is refused where it
/// was chosen, and made unique where it was not. What is for every client, or for the staff, is not for callers who
/// see chosen clients only.
pub async fn library_document_create(tx: &Tx, draft: LibraryDraft) -> Result<LibraryDocument> {
    let chosen = draft.slug.is_some();
    let slug = draft.slug.unwrap_or_else(|| slug_of(&draft.title));
    let slug = if slug.is_empty() && !chosen { "document".to_owned() } else { slug };
    let by = tx.context().actor.staff();
    let document = LibraryDocument {
        id: tx.new_id(),
        library: draft.library,
        client_id: draft.client,
        title: draft.title,
        slug,
        category: draft.category,
        content_hash: hash(&draft.content),
        content: draft.content,
        published_at: draft.published.then(|| tx.now()),
        created_at: tx.now(),
        created_by: by,
        updated_at: tx.now(),
        updated_by: by,
        deleted_at: None,
        version: 1,
    };
    let mut document = checked(tx, document).await?;
    let taken = tx.library_slugs(document.library, &document.slug).await?;
    if taken.contains(&document.slug) {
        if chosen {
            return Err(slug_taken(&document.slug));
        }
        let base = document.slug.clone();
        let free = (2..).map(|at| format!("{base}-{at}")).find(|slug| !taken.contains(slug));
        document.slug = free.unwrap_or(base);
    }
    tx.library_insert(&document).await?;
    Ok(document)
}

/// Changes a document; its former text is kept. `version` is the one the caller read.
pub async fn library_document_update(
    tx: &Tx,
    id: LibraryDocumentId,
    patch: LibraryPatch,
    version: Option<i32>,
) -> Result<LibraryDocument> {
    let before = current(tx, id, version).await?;
    let mut after = before.clone();
    after.title = patch.title.unwrap_or(after.title);
    after.slug = patch.slug.unwrap_or(after.slug);
    after.category = patch.category.unwrap_or(after.category);
    after.client_id = patch.client.unwrap_or(after.client_id);
    if let Some(content) = patch.content {
        after.content_hash = hash(&content);
        after.content = content;
    }
    match patch.published {
        Some(true) => after.published_at = after.published_at.or(Some(tx.now())),
        Some(false) => after.published_at = None,
        None => {}
    }
    let mut after = checked(tx, after).await?;
    if after.slug != before.slug && tx.library_slugs(after.library, &after.slug).await?.contains(&after.slug) {
        return Err(slug_taken(&after.slug));
    }
    if after != before {
        after.updated_by = tx.context().actor.staff();
    }
    let after = tx.library_update(&before, after).await?;
    if before.published_at.is_none() && after.published_at.is_some() {
        let whose = Vec::from_iter(after.client_id);
        crate::news::published(tx, &whose, false, (after.id.0, &after.title)).await?;
    }
    Ok(after)
}

/// Deletes a document: portal users see it no more at once; reverting the entry brings it back with its text.
pub async fn library_document_delete(tx: &Tx, id: LibraryDocumentId, version: Option<i32>) -> Result<LibraryDocument> {
    let before = current(tx, id, version).await?;
    let after = LibraryDocument { deleted_at: Some(tx.now()), ..before.clone() };
    tx.library_update(&before, after).await
}

/// Copies a document: the copy stands by itself, and is not published.
pub async fn library_document_copy(tx: &Tx, id: LibraryDocumentId, to: LibraryCopy) -> Result<LibraryDocument> {
    let original = tx.library_document(id).await?;
    let draft = LibraryDraft {
        library: to.library,
        title: to.title.unwrap_or(original.title),
        slug: None,
        category: original.category,
        content: original.content,
        client: to.client,
        published: false,
    };
    library_document_create(tx, draft).await
}

/// A document as it was at a version: the text it had then.
pub async fn library_document_at(tx: &Tx, id: LibraryDocumentId, version: i32) -> Result<LibraryVersion> {
    tx.library_document(id).await?;
    let mut versions = tx.library_versions(id).await?.into_iter();
    versions.find(|kept| kept.version <= version).ok_or(Error::NotFound { what: "version" })
}

/// Moves the documents of one client to another.
pub(crate) async fn move_all(tx: &Tx, from: ClientId, into: ClientId) -> Result<()> {
    for document in tx.library_of_client(from).await? {
        tx.library_update(&document, LibraryDocument { client_id: Some(into), ..document.clone() }).await?;
    }
    Ok(())
}

/// A document that the caller may change, as it was read.
async fn current(tx: &Tx, id: LibraryDocumentId, version: Option<i32>) -> Result<LibraryDocument> {
    let document = tx.library_document(id).await?;
    reached(tx, document.client_id)?;
    if version.is_some_and(|version| version != document.version) {
        return Err(Error::Stale { what: "document" });
    }
    Ok(document)
}

/// What belongs to no client is everybody's: not for callers who do not see every client.
fn reached(tx: &Tx, client: Option<ClientId>) -> Result<()> {
    if client.is_none() && tx.context().scope != ClientScope::All {
        return Err(Error::conflict(
            "scope_limited",
            "Your access is limited to chosen clients, and this document is not one client's: ask an admin.",
        ));
    }
    Ok(())
}

async fn checked(tx: &Tx, mut document: LibraryDocument) -> Result<LibraryDocument> {
    reached(tx, document.client_id)?;
    let mut problems = Vec::new();
    let mut wrong = |pointer: &str, code, message: &str| problems.push(Problem::new(pointer, code, message));
    if document.library != Library::Customer {
        if document.client_id.is_some() {
            wrong("/client_id", "not_for_clients", "must be left out: only customer documents are for clients");
        }
        if document.published_at.is_some() {
            wrong("/published", "not_for_clients", "must not be true: only customer documents are published");
        }
    }
    if !valid_slug(&document.slug) {
        wrong("/slug", "not_a_slug", "must be lower-case letters, digits and single dashes, at most 80");
    }
    if let Some(client) = document.client_id {
        match tx.client(client).await {
            Ok(_) => {}
            Err(Error::NotFound { .. }) => wrong("/client_id", "not_found", "there is no such client"),
            Err(other) => return Err(other),
        }
    }
    let mut note = |problem: Problem| problems.push(problem);
    document.title = valid_name("/title", &document.title).map_err(&mut note).unwrap_or_default();
    document.category = free_text("/category", document.category, CATEGORY).map_err(&mut note).unwrap_or_default();
    if document.content.chars().count() > CONTENT {
        note(Problem::new("/content", "too_long", format!("must have at most {CONTENT} characters")));
    }
    if problems.is_empty() { Ok(document) } else { Err(Error::Invalid(problems)) }
}

fn slug_taken(slug: &str) -> Error {
    Error::conflict("slug_taken", format!("Another document of this library has the name “{slug}”: choose another."))
}

fn hash(content: &str) -> String {
    Sha256::digest(content.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
