//! Making, changing and deleting clients.

use std::collections::HashSet;

use domain::{
    Client, ClientDraft, ClientId, ClientPatch, ClientScope, Entity, EntityId, Error, MappingState, PageRequest,
    Problem, Result, valid_email, valid_name,
};
use persistence::{MappingWrite, PortalUserFilter, Tx};

use crate::{aliases::learn, mappings::MOST, matching};

/// Clients that are compared with a new name at most: those whose names begin with its first word.
const LOOKED_AT: u64 = 2_000;
/// Clients of the same name that are told at most.
const TOLD: usize = 10;

/// A client that was made or changed, with what a person should know.
#[derive(Clone, Debug)]
pub struct ClientSaved {
    /// The client as it is now.
    pub client: Client,
    /// Other clients of the same name, legal form aside: not forbidden, but rarely meant.
    pub same_name: Vec<ClientId>,
}

/// How a deletion was asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Deletion {
    /// Also where Microsoft 365 tenants are mapped to the client.
    pub cascade: bool,
    /// Whether the caller has seen the preview: a cascade is refused without.
    pub previewed: bool,
}

/// Longest notes, in characters.
pub(crate) const NOTES: usize = 10_000;
/// Longest telephone number.
pub(crate) const PHONE: usize = 100;
/// Longest postal address.
pub(crate) const ADDRESS: usize = 1_000;

/// Kind of entity whose presence holds up a deletion.
const TENANT: &str = "microsoft_tenant";

/// Makes a client, and maps entities to it. The name is 1 to 255 characters; another client of the
/// same name is reported, not refused. An entity of another client is a conflict that names the
/// client. Refused to callers who may see chosen clients only: they would not see what they made.
pub async fn client_create(tx: &Tx, draft: ClientDraft, entities: &[EntityId]) -> Result<ClientSaved> {
    if matches!(tx.context().scope, ClientScope::Only(_)) {
        return Err(Error::conflict(
            "scope_limited",
            "Your access is limited to chosen clients, and a new one would not be among them: ask an admin to create it.",
        ));
    }
    let mut problems = Vec::new();
    let name = check(valid_name("/name", &draft.name), &mut problems);
    let contact_email = check(optional_email(draft.contact_email), &mut problems);
    let notes = check(free_text("/notes", draft.notes, NOTES), &mut problems);
    let phone = check(free_text("/phone", draft.phone, PHONE), &mut problems);
    let address = check(free_text("/address", draft.address, ADDRESS), &mut problems);
    let found = entities_chosen(tx, entities, &mut problems).await?;
    let (Some(name), Some(contact_email), Some(notes), Some(phone), Some(address)) =
        (name, contact_email, notes, phone, address)
    else {
        return Err(Error::Invalid(problems));
    };
    if !problems.is_empty() {
        return Err(Error::Invalid(problems));
    }
    for entity in &found {
        // An id that belongs to another client is a mistake here, not a re-mapping.
        if let Some(owner) = entity.client_id {
            let owner = tx.client(owner).await?;
            return Err(Error::conflict(
                "entity_mapped",
                format!("“{}” belongs to the client “{}” already: re-map it there first.", entity.name, owner.name),
            ));
        }
    }
    let same_name = same_name(tx, &name).await?;
    let client = Client {
        id: tx.new_id(),
        name,
        status: draft.status,
        notes,
        contact_email,
        phone,
        address,
        created_at: tx.now(),
        updated_at: tx.now(),
        archived_at: None,
        deleted_at: None,
        tags: Vec::new(),
        version: 1,
        device_count: 0,
        user_count: 0,
    };
    tx.client_insert(&client).await?;
    let reason = Some("chosen when the client was created".to_owned());
    let mapped = MappingWrite { client: Some(client.id), state: MappingState::Mapped, reason };
    let mapped: Vec<_> = found.iter().map(|entity| (entity.id, mapped.clone())).collect();
    tx.mappings_write(&mapped).await?;
    // Choosing an entity is deciding about it.
    let lessons: Vec<_> = found.into_iter().map(|entity| (entity, Some(client.id))).collect();
    learn(tx, &lessons).await?;
    let client = tx.client(client.id).await?;
    Ok(ClientSaved { client, same_name })
}

/// Clients that are called so: case, blanks, punctuation and legal form aside. At most [`TOLD`] of those whose names
/// begin with the same word.
async fn same_name(tx: &Tx, name: &str) -> Result<Vec<ClientId>> {
    let wanted = matching::bare(name);
    let first = name.split_whitespace().next().unwrap_or_default();
    let start = first.trim_end_matches(|c: char| !c.is_alphanumeric());
    let start = if start.is_empty() { first } else { start };
    let mut found = tx.clients_beginning(start, LOOKED_AT).await?;
    found.retain(|(_, other)| matching::bare(other) == wanted);
    Ok(found.into_iter().map(|(id, _)| id).take(TOLD).collect())
}

/// The entities chosen for a new client; ids that are wrong, or stand there twice, are problems.
async fn entities_chosen(tx: &Tx, ids: &[EntityId], problems: &mut Vec<Problem>) -> Result<Vec<Entity>> {
    if ids.len() > MOST {
        problems.push(Problem::new("/entities", "too_many", format!("must be at most {MOST} for one client")));
        return Ok(Vec::new());
    }
    let found = tx.entities_by_id(ids).await?;
    let known: HashSet<EntityId> = found.iter().map(|entity| entity.id).collect();
    let mut seen = HashSet::new();
    for (at, id) in ids.iter().enumerate() {
        let mut wrong = |code, message| problems.push(Problem::new(format!("/entities/{at}"), code, message));
        if !seen.insert(id) {
            wrong("twice", "stands here twice");
        } else if !known.contains(id) {
            wrong("not_found", "there is no such entity");
        }
    }
    Ok(found)
}

/// Changes a client. `version` is the one the caller read; another one by now is refused.
pub async fn client_update(tx: &Tx, id: ClientId, patch: ClientPatch, version: Option<i32>) -> Result<ClientSaved> {
    let before = tx.client(id).await?;
    if version.is_some_and(|version| version != before.version) {
        return Err(Error::Stale { what: "client" });
    }
    let mut after = before.clone();
    let mut problems = Vec::new();
    if let Some(name) = patch.name {
        after.name = check(valid_name("/name", &name), &mut problems).unwrap_or_default();
    }
    if let Some(status) = patch.status {
        after.status = status;
    }
    if let Some(text) = patch.notes {
        after.notes = check(free_text("/notes", text, NOTES), &mut problems).flatten();
    }
    if let Some(text) = patch.contact_email {
        after.contact_email = check(optional_email(text), &mut problems).flatten();
    }
    if let Some(text) = patch.phone {
        after.phone = check(free_text("/phone", text, PHONE), &mut problems).flatten();
    }
    if let Some(text) = patch.address {
        after.address = check(free_text("/address", text, ADDRESS), &mut problems).flatten();
    }
    if !problems.is_empty() {
        return Err(Error::Invalid(problems));
    }
    let same_name = if after.name == before.name {
        Vec::new()
    } else {
        let mut named = same_name(tx, &after.name).await?;
        named.retain(|other| *other != id);
        named
    };
    let client = tx.client_update(&before, after).await?;
    Ok(ClientSaved { client, same_name })
}

/// Deletes a client: its entities become unmapped (what vendors said stays stored), the row stays
/// for 30 days, and reverting the entry restores all of it. Refused while ClientOne is enabled for it. With Microsoft 365 tenants mapped it is
/// refused unless `cascade` is asked for by someone who has seen the preview.
pub async fn client_delete(tx: &Tx, id: ClientId, version: Option<i32>, how: Deletion) -> Result<()> {
    // Entities are locked before clients, as by everyone who maps.
    let mapped: Vec<EntityId> = tx.entities_of_client(id).await?.iter().map(|entity| entity.id).collect();
    tx.entities_by_id(&mapped).await?;
    let before = tx.client(id).await?;
    if version.is_some_and(|version| version != before.version) {
        return Err(Error::Stale { what: "client" });
    }
    require_portal_closed(tx, id).await?;
    let entities = tx.entities_of_client(id).await?;
    let tenants: Vec<&str> = entities.iter().filter(|e| e.kind == TENANT).map(|e| e.name.as_str()).collect();
    if !tenants.is_empty() && !how.cascade {
        return Err(Error::conflict(
            "has_tenants",
            format!(
                "Microsoft 365 tenants are mapped to this client ({}): unmap them first, or delete with cascade.",
                tenants.join(", ")
            ),
        ));
    }
    if !tenants.is_empty() && !how.previewed {
        return Err(Error::conflict(
            "preview_first",
            "A cascade takes effect only on what was previewed: ask with dry_run=true, then send its digest as expect.",
        ));
    }
    let unmapped = MappingWrite { client: None, state: MappingState::Unmapped, reason: None };
    let unmapped: Vec<_> = entities.iter().map(|entity| (entity.id, unmapped.clone())).collect();
    tx.mappings_write(&unmapped).await?;
    tx.aliases_drop(id).await?;
    let before = tx.client(id).await?;
    tx.client_update(&before, Client { deleted_at: Some(tx.now()), ..before.clone() }).await?;
    Ok(())
}

/// Refuses to take a client away whose people still come in: they would be shut out without a word. With accounts, what
/// they signed and asked for would be out of everybody's sight, and their addresses taken.
pub(crate) async fn require_portal_closed(tx: &Tx, id: ClientId) -> Result<()> {
    if tx.portal_config(id).await?.enabled {
        let message = "ClientOne is enabled for this client: disable it first, which signs its people out.";
        return Err(Error::conflict("clientone_enabled", message));
    }
    let of = PortalUserFilter { client: Some(id), ..PortalUserFilter::default() };
    if tx.portal_user_list(&of, &PageRequest { limit: 1, after: None }).await?.total > 0 {
        let message = "People of this client have accounts of ClientOne, with what they signed and asked for: archive the \
                       client instead. Invitations that nobody accepted can be revoked.";
        return Err(Error::conflict("has_portal_users", message));
    }
    Ok(())
}

/// Puts a client away: lists leave it out unless they are asked for it; everything else stays as it is, syncs too. One
/// that is archived already stays as it is.
pub async fn client_archive(tx: &Tx, id: ClientId, version: Option<i32>) -> Result<Client> {
    let before = current(tx, id, version).await?;
    let archived_at = before.archived_at.or(Some(tx.now()));
    tx.client_update(&before, Client { archived_at, ..before.clone() }).await
}

/// Brings an archived client back.
pub async fn client_restore(tx: &Tx, id: ClientId, version: Option<i32>) -> Result<Client> {
    let before = current(tx, id, version).await?;
    tx.client_update(&before, Client { archived_at: None, ..before.clone() }).await
}

/// A client as the caller read it: another version by now is refused.
async fn current(tx: &Tx, id: ClientId, version: Option<i32>) -> Result<Client> {
    let client = tx.client(id).await?;
    if version.is_some_and(|version| version != client.version) {
        return Err(Error::Stale { what: "client" });
    }
    Ok(client)
}

/// The value, or the problem put with the others.
fn check<T>(checked: Result<T, Problem>, problems: &mut Vec<Problem>) -> Option<T> {
    checked.map_err(|problem| problems.push(problem)).ok()
}

pub(crate) fn optional_email(text: Option<String>) -> Result<Option<String>, Problem> {
    match text.filter(|text| !text.trim().is_empty()) {
        Some(text) => valid_email("/contact_email", &text).map(Some),
        None => Ok(None),
    }
}

/// A text of a person: trimmed, empty is none, at most `most` characters.
pub(crate) fn free_text(pointer: &str, text: Option<String>, most: usize) -> Result<Option<String>, Problem> {
    let Some(text) = text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    if text.chars().count() > most {
        return Err(Problem::new(pointer, "too_long", format!("must have at most {most} characters")));
    }
    if text.contains('\0') {
        return Err(Problem::new(pointer, "control_character", "must not contain a NUL character"));
    }
    Ok(Some(text))
}
