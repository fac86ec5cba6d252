//! Dated notes about clients: several, each with who wrote it.

use domain::{ClientId, ClientNote, ClientNoteId, Error, Result};
use persistence::Tx;

use crate::clients::{NOTES, free_text};

/// Writes a note about a client.
pub async fn client_note_create(tx: &Tx, client: ClientId, text: String) -> Result<ClientNote> {
    tx.client(client).await?;
    let by = tx.context().actor.staff();
    let note = ClientNote {
        id: tx.new_id(),
        client_id: client,
        text: checked(text)?,
        created_at: tx.now(),
        created_by: by,
        updated_at: tx.now(),
        updated_by: by,
        version: 1,
    };
    tx.client_note_insert(&note).await?;
    Ok(note)
}

/// Changes a note's text; who wrote it first stays. `version` is the one the caller read.
pub async fn client_note_update(
    tx: &Tx,
    client: ClientId,
    id: ClientNoteId,
    text: String,
    version: Option<i32>,
) -> Result<ClientNote> {
    let before = current(tx, client, id, version).await?;
    let text = checked(text)?;
    if text == before.text {
        return Ok(before);
    }
    let after = ClientNote { text, updated_by: tx.context().actor.staff(), ..before.clone() };
    tx.client_note_update(&before, after).await
}

/// Deletes a note; reverting the entry brings it back.
pub async fn client_note_delete(
    tx: &Tx,
    client: ClientId,
    id: ClientNoteId,
    version: Option<i32>,
) -> Result<ClientNote> {
    let note = current(tx, client, id, version).await?;
    tx.client_note_delete(&note).await?;
    Ok(note)
}

async fn current(tx: &Tx, client: ClientId, id: ClientNoteId, version: Option<i32>) -> Result<ClientNote> {
    tx.client(client).await?;
    let note = tx.client_note(client, id).await?;
    if version.is_some_and(|version| version != note.version) {
        return Err(Error::Stale { what: "note" });
    }
    Ok(note)
}

fn checked(text: String) -> Result<String> {
    let text = free_text("/text", Some(text), NOTES).map_err(|problem| Error::Invalid(vec![problem]))?;
    text.ok_or_else(|| Error::invalid("/text", "required", "must not be empty"))
}

/// Moves the notes about one client to another.
pub(crate) async fn move_all(tx: &Tx, from: ClientId, into: ClientId) -> Result<()> {
    for note in tx.client_notes_all(from).await? {
        tx.client_note_update(&note, ClientNote { client_id: into, ..note.clone() }).await?;
    }
    Ok(())
}
