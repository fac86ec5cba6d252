//! Files that the MSP keeps of clients, or for all of them, and to whom they are published in ClientOne.
//!
//! A content is written to the store before an operation here begins, and announced in a transaction of its own; the
//! operation takes it over. What it refuses stays announced, and whoever wrote it discards it.

use std::collections::BTreeSet;

use domain::{
    ClientId, ClientScope, ContentId, Error, File, FileId, FileReach, FileVersion, Problem, Publication, Result,
    file_name, valid_name,
};
use persistence::Tx;

use crate::clients::free_text;

/// Longest category, in characters.
const CATEGORY: usize = 100;
/// Longest description, in characters.
const DESCRIPTION: usize = 2_000;
/// Most clients that are chosen for one file.
const CHOSEN: usize = 500;
/// Most contents that a file has had.
const VERSIONS: usize = 100;

/// How much may be kept, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileLimits {
    /// Of one content.
    pub file: u64,
    /// Of all contents of one client's files.
    pub client: u64,
    /// Of all contents.
    pub organisation: u64,
}

/// A content that is in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewContent {
    /// As it was announced.
    pub id: ContentId,
    /// Media type, found by the content.
    pub media_type: &'static str,
    /// Bytes.
    pub bytes: u64,
    /// SHA-256, hex.
    pub sha256: String,
}

/// What it takes to keep a file.
#[derive(Clone, Debug)]
pub struct FileDraft {
    /// Of which client; without one, the MSP's own.
    pub client: Option<ClientId>,
    /// Title; the name where there is none.
    pub title: Option<String>,
    /// Name.
    pub name: String,
    /// Category.
    pub category: Option<String>,
    /// Description.
    pub description: Option<String>,
}

/// What to change about a file; `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct FilePatch {
    /// New title.
    pub title: Option<String>,
    /// New name.
    pub name: Option<String>,
    /// New category; `Some(None)` takes it away.
    pub category: Option<Option<String>>,
    /// New description; `Some(None)` takes it away.
    pub description: Option<Option<String>>,
}

/// To whom a file is to be shown.
#[derive(Clone, Debug)]
pub struct Publishing {
    /// To which clients.
    pub reach: FileReach,
    /// The chosen ones.
    pub clients: BTreeSet<ClientId>,
    /// Whether to Managers only.
    pub managers_only: bool,
}

/// Whether a caller may keep files of this client: asked before a content is taken.
pub async fn file_place(tx: &Tx, client: Option<ClientId>) -> Result<()> {
    match client {
        Some(client) => tx.client(client).await.map(drop),
        None => reached(tx, None),
    }
}

/// Keeps a file. What is of no client is not for callers who see chosen clients only. The caller commits.
pub async fn file_upload(tx: &Tx, draft: FileDraft, content: NewContent, limits: &FileLimits) -> Result<File> {
    file_place(tx, draft.client).await?;
    within_limits(tx, draft.client, content.bytes, limits).await?;
    let by = tx.context().actor.staff();
    let title = draft.title.filter(|title| !title.trim().is_empty()).unwrap_or_else(|| draft.name.clone());
    let file = File {
        id: tx.new_id(),
        client_id: draft.client,
        title,
        category: draft.category,
        description: draft.description,
        name: draft.name,
        media_type: content.media_type.to_owned(),
        bytes: size(content.bytes)?,
        sha256: content.sha256,
        content_id: content.id,
        number: 1,
        published: None,
        created_at: tx.now(),
        created_by: by,
        updated_at: tx.now(),
        updated_by: by,
        removed_at: None,
        version: 1,
    };
    let file = checked(file)?;
    tx.file_insert(&file).await?;
    Ok(file)
}

/// Gives a file another content; the former one is kept as a version. The caller commits.
pub async fn file_replace(
    tx: &Tx,
    id: FileId,
    name: String,
    content: NewContent,
    limits: &FileLimits,
    version: Option<i32>,
) -> Result<File> {
    let before = current(tx, id, version).await?;
    within_limits(tx, before.client_id, content.bytes, limits).await?;
    let versions = tx.file_versions(id).await?;
    if versions.len() >= VERSIONS {
        let message = format!("A file keeps at most {VERSIONS} contents: keep this one as a file of its own.");
        return Err(Error::conflict("too_many_versions", message));
    }
    let after = File {
        name,
        media_type: content.media_type.to_owned(),
        bytes: size(content.bytes)?,
        sha256: content.sha256,
        content_id: content.id,
        number: versions.first().map_or(0, |last| last.number) + 1,
        updated_by: tx.context().actor.staff(),
        ..before.clone()
    };
    tx.file_replace(&before, checked(after)?).await
}

/// Renames, sorts and describes a file. The caller commits.
pub async fn file_update(tx: &Tx, id: FileId, patch: FilePatch, version: Option<i32>) -> Result<File> {
    let before = current(tx, id, version).await?;
    let mut after = before.clone();
    after.title = patch.title.unwrap_or(after.title);
    after.category = patch.category.unwrap_or(after.category);
    after.description = patch.description.unwrap_or(after.description);
    if let Some(name) = patch.name {
        // The extension says what the content is, and that does not change by a name.
        let extension = |name: &str| name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
        let name = file_name("/name", &name).map_err(|problem| Error::Invalid(vec![problem]))?;
        if extension(&name) != extension(&before.name) {
            let kept = extension(&before.name).unwrap_or_default();
            return Err(Error::invalid("/name", "other_extension", format!("must end in .{kept}, as the content is")));
        }
        after.name = name;
    }
    save(tx, &before, checked(after)?).await
}

/// Shows a file to people of clients, at once. What is of one client goes to that client only. The caller commits.
pub async fn file_publish(tx: &Tx, id: FileId, to: Publishing, version: Option<i32>) -> Result<File> {
    let before = current(tx, id, version).await?;
    let own = before.client_id.is_some();
    let mut problems = Vec::new();
    let mut wrong = |pointer: &str, code, message: &str| problems.push(Problem::new(pointer, code, message));
    match to.reach {
        FileReach::Client if !own => wrong("/to", "no_client", "must be chosen or all: the file is of no one client"),
        FileReach::Chosen | FileReach::All if own => {
            wrong("/to", "of_one_client", "must be client: what is of one client is shown to no other");
        }
        FileReach::Chosen if to.clients.is_empty() => wrong("/client_ids", "required", "must name clients"),
        FileReach::Client | FileReach::All if !to.clients.is_empty() => {
            wrong("/client_ids", "not_chosen", "must be left out, unless chosen clients are meant");
        }
        _ => {}
    }
    if to.clients.len() > CHOSEN {
        wrong("/client_ids", "too_many", "must name at most 500 clients: publish to all of them");
    }
    let ids: Vec<ClientId> = to.clients.iter().copied().collect();
    if problems.is_empty() && tx.clients_by_id(&ids).await?.len() != ids.len() {
        problems.push(Problem::new("/client_ids", "not_found", "there is no such client"));
    }
    if !problems.is_empty() {
        return Err(Error::Invalid(problems));
    }
    let at = before.published.as_ref().map_or(tx.now(), |published| published.at);
    let Publishing { reach, clients, managers_only } = to;
    let told: BTreeSet<ClientId> = before.published.as_ref().map(|one| one.clients.clone()).unwrap_or_default();
    let new: Vec<ClientId> = match reach {
        FileReach::Client if before.published.is_none() => before.client_id.into_iter().collect(),
        FileReach::Chosen => clients.difference(&told).copied().collect(),
        FileReach::Client | FileReach::All => Vec::new(),
    };
    let published = Some(Publication { at, reach, clients, managers_only });
    let after = save(tx, &before, File { published, ..before.clone() }).await?;
    crate::news::published(tx, &new, managers_only, (after.id.0, &after.title)).await?;
    Ok(after)
}

/// Shows a file to nobody any more, at once. The caller commits.
pub async fn file_unpublish(tx: &Tx, id: FileId, version: Option<i32>) -> Result<File> {
    let before = current(tx, id, version).await?;
    save(tx, &before, File { published: None, ..before.clone() }).await
}

/// Removes a file: nobody sees it any more; it can be brought back until the worker purges it. The caller commits.
pub async fn file_remove(tx: &Tx, id: FileId, version: Option<i32>) -> Result<File> {
    let before = current(tx, id, version).await?;
    save(tx, &before, File { removed_at: Some(tx.now()), published: None, ..before.clone() }).await
}

/// Brings a removed file back, published to nobody. The caller commits.
pub async fn file_restore(tx: &Tx, id: FileId, version: Option<i32>) -> Result<File> {
    let before = tx.file(id).await?;
    reached(tx, before.client_id)?;
    stale(&before, version)?;
    if before.removed_at.is_none() {
        return Err(Error::conflict("not_removed", "The file was not removed."));
    }
    save(tx, &before, File { removed_at: None, ..before.clone() }).await
}

/// The content of a file that is wanted: that of a number, or the present one.
pub async fn file_content(tx: &Tx, id: FileId, number: Option<i32>) -> Result<(File, FileVersion)> {
    let file = tx.file(id).await?;
    let wanted = number.unwrap_or(file.number);
    let versions = tx.file_versions(id).await?.into_iter();
    let version = versions.into_iter().find(|one| one.number == wanted).ok_or(Error::NotFound { what: "version" })?;
    Ok((file, version))
}

/// Moves the files of one client to another, and what was published to it by choice.
pub(crate) async fn move_all(tx: &Tx, from: ClientId, into: ClientId) -> Result<()> {
    for file in tx.files_about(from).await? {
        let mut after = file.clone();
        if after.client_id == Some(from) {
            after.client_id = Some(into);
        }
        if let Some(published) = &mut after.published
            && published.clients.remove(&from)
        {
            published.clients.insert(into);
        }
        tx.file_update(&file, after).await?;
    }
    Ok(())
}

async fn save(tx: &Tx, before: &File, after: File) -> Result<File> {
    let by = if after == *before { before.updated_by } else { tx.context().actor.staff() };
    tx.file_update(before, File { updated_by: by, ..after }).await
}

/// A file that is not removed, and that the caller may change, as it was read.
async fn current(tx: &Tx, id: FileId, version: Option<i32>) -> Result<File> {
    let file = tx.file(id).await?;
    reached(tx, file.client_id)?;
    stale(&file, version)?;
    if file.removed_at.is_some() {
        return Err(Error::conflict("removed", "The file was removed: restore it first."));
    }
    Ok(file)
}

fn stale(file: &File, version: Option<i32>) -> Result<()> {
    if version.is_some_and(|version| version != file.version) { Err(Error::Stale { what: "file" }) } else { Ok(()) }
}

/// What belongs to no client is everybody's: not for callers who do not see every client.
fn reached(tx: &Tx, client: Option<ClientId>) -> Result<()> {
    if client.is_none() && tx.context().scope != ClientScope::All {
        return Err(Error::conflict(
            "scope_limited",
            "Your access is limited to chosen clients, and this file is not one client's: ask an admin.",
        ));
    }
    Ok(())
}

/// Refuses what would be more than may be kept. Uploads of an organisation wait for each other here, so that two do not
/// share the last place.
async fn within_limits(tx: &Tx, client: Option<ClientId>, bytes: u64, limits: &FileLimits) -> Result<()> {
    tx.team_lock().await?;
    let full = |whose: &str, most: u64| {
        let message = format!(
            "{whose} may be kept at most {} MiB of files, former contents and removed files included: remove some, or \
             ask the operator for more.",
            most / (1024 * 1024)
        );
        Err(Error::conflict("storage_full", message))
    };
    let over = |kept: i64, most: u64| u64::try_from(kept).unwrap_or_default().saturating_add(bytes) > most;
    if let Some(client) = client
        && over(tx.file_bytes(Some(client)).await?, limits.client)
    {
        return full("Of this client", limits.client);
    }
    if over(tx.file_bytes(None).await?, limits.organisation) {
        return full("Of all clients together", limits.organisation);
    }
    Ok(())
}

fn size(bytes: u64) -> Result<i64> {
    i64::try_from(bytes).map_err(Error::internal)
}

fn checked(mut file: File) -> Result<File> {
    let mut problems = Vec::new();
    let mut note = |problem: Problem| problems.push(problem);
    file.title = valid_name("/title", &file.title).map_err(&mut note).unwrap_or_default();
    file.name = file_name("/name", &file.name).map_err(&mut note).unwrap_or_default();
    file.category = free_text("/category", file.category, CATEGORY).map_err(&mut note).unwrap_or_default();
    file.description = free_text("/description", file.description, DESCRIPTION).map_err(&mut note).unwrap_or_default();
    if problems.is_empty() { Ok(file) } else { Err(Error::Invalid(problems)) }
}
