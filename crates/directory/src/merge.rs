//! Making one client of two.

use std::collections::BTreeSet;

use domain::{Client, ClientId, EntityId, Error, MOST_CLIENT_TAGS, Result};
use persistence::{MappingWrite, Tx};

use crate::{
    clients::NOTES,
    merge_people::{self, MergedPeople},
};

/// A field that may be taken from the client that goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum MergedField {
    Name,
    Status,
    ContactEmail,
    Phone,
    Address,
}

/// What is to be merged.
#[derive(Clone, Debug)]
pub struct Merge {
    /// The client that goes.
    pub from: ClientId,
    /// The client that stays.
    pub into: ClientId,
    /// Fields in which the client that goes is right.
    pub take: Vec<MergedField>,
}

/// What a merge came to.
#[derive(Clone, Debug)]
pub struct Merged {
    /// The client that stays, as it is now.
    pub client: Client,
    /// People of the team and service accounts that could see one of the two clients only, and webhooks that name one of
    /// them only: from now on they get all of it, or nothing. Empty for callers who do not see every client.
    pub access_differs: Vec<String>,
    /// What happened to the people of the client that went.
    pub people: MergedPeople,
}

/// Moves everything of one client to another and deletes it: mappings with all that is under them, ids typed by hand,
/// shared connections, what it is known by, contacts, notes (below the other's), documents and files, and its people with
/// what they asked for, signed and were told. Blank fields of the one that stays are filled. Both must be the caller's to
/// see. One entry of the journal holds it all, and reverting that makes two clients of them again.
pub async fn client_merge(tx: &Tx, merge: &Merge, version: Option<i32>) -> Result<Merged> {
    let Merge { from, into, take } = merge;
    if from == into {
        return Err(Error::invalid("/into", "same", "must be another client than the one that is merged into it"));
    }
    // Entities are locked before clients, as by everyone who maps, and clients in one order.
    let entities: Vec<EntityId> = tx.entities_of_client(*from).await?.iter().map(|entity| entity.id).collect();
    tx.entities_by_id(&entities).await?;
    let clients = tx.clients_by_id(&[*from, *into]).await?;
    let find = |id: &ClientId| clients.iter().find(|client| client.id == *id);
    let (Some(going), Some(_)) = (find(from), find(into)) else { return Err(Error::NotFound { what: "client" }) };
    if version.is_some_and(|version| version != going.version) {
        return Err(Error::Stale { what: "client" });
    }
    // Before the mappings: the devices that they bring along are assigned to people of the client that stays.
    let people = merge_people::move_all(tx, *from, *into).await?;
    let reason: String = format!("merged from “{}”", going.name).chars().take(500).collect();
    let moves = tx.entities_of_client(*from).await?.into_iter().map(|entity| {
        let moved = MappingWrite { client: Some(*into), state: entity.mapping_state, reason: Some(reason.clone()) };
        (entity.id, moved)
    });
    let moves: Vec<_> = moves.collect();
    tx.mappings_write(&moves).await?;
    for typed in tx.unverified_of_client(*from).await? {
        tx.unverified_move(&typed, *into).await?;
    }
    let shared: Vec<_> = tx.shares_of_client(*into).await?.iter().map(|share| share.connection_id).collect();
    for share in tx.shares_of_client(*from).await? {
        if shared.contains(&share.connection_id) {
            tx.share_delete(&share).await?;
        } else {
            tx.share_move(&share, *into).await?;
        }
    }
    crate::client_contacts::move_all(tx, *from, *into).await?;
    crate::client_notes::move_all(tx, *from, *into).await?;
    crate::library::move_all(tx, *from, *into).await?;
    crate::files::move_all(tx, *from, *into).await?;
    crate::aliases::move_all(tx, *from, *into).await?;
    // Read anew: the counts moved with the mappings.
    let staying = tx.client(*into).await?;
    let merged = merged(going, &staying, take)?;
    let client = tx.client_update(&staying, merged).await?;
    let going = tx.client(*from).await?;
    tx.client_redirect_insert(*from, *into).await?;
    tx.client_update(&going, Client { deleted_at: Some(tx.now()), ..going.clone() }).await?;
    let mut access_differs = Vec::new();
    if tx.context().scope.is_all() {
        for person in tx.staff_list().await? {
            let scope = person.scope();
            if scope.allows(*from) != scope.allows(*into) {
                access_differs.push(person.name);
            }
        }
        for account in tx.service_account_list().await? {
            let scope = account.scope();
            if scope.allows(*from) != scope.allows(*into) {
                access_differs.push(account.name);
            }
        }
        for hook in tx.webhook_subscriptions().await? {
            if hook.clients.is_some_and(|named| named.contains(from) != named.contains(into)) {
                let named = Some(hook.description).filter(|text| !text.trim().is_empty());
                access_differs.push(named.unwrap_or_else(|| "a webhook without a description".to_owned()));
            }
        }
    }
    Ok(Merged { client, access_differs, people })
}

/// The tags of both.
fn tags(going: &Client, staying: &Client) -> Result<Vec<String>> {
    let tags: BTreeSet<&String> = staying.tags.iter().chain(&going.tags).collect();
    if tags.len() > MOST_CLIENT_TAGS {
        let message = format!("Together both have more than {MOST_CLIENT_TAGS} tags: take some away first.");
        return Err(Error::conflict("too_many_tags", message));
    }
    Ok(tags.into_iter().cloned().collect())
}

/// The client that stays, as it is after a merge.
fn merged(going: &Client, staying: &Client, take: &[MergedField]) -> Result<Client> {
    let taken = |field| take.contains(&field);
    let pick = |field, theirs: &Option<String>, ours: &Option<String>| match theirs {
        Some(_) if taken(field) || ours.is_none() => theirs.clone(),
        _ => ours.clone(),
    };
    let notes = match (&staying.notes, &going.notes) {
        (ours, None) => ours.clone(),
        (None, theirs) => theirs.clone(),
        (Some(ours), Some(theirs)) => Some(format!("{ours}\n\n“{}”:\n{theirs}", going.name)),
    };
    if notes.as_ref().is_some_and(|notes| notes.chars().count() > NOTES) {
        return Err(Error::conflict(
            "notes_too_long",
            format!("Together the notes of both have more than {NOTES} characters: shorten them first."),
        ));
    }
    Ok(Client {
        name: if taken(MergedField::Name) { going.name.clone() } else { staying.name.clone() },
        status: if taken(MergedField::Status) { going.status } else { staying.status },
        contact_email: pick(MergedField::ContactEmail, &going.contact_email, &staying.contact_email),
        phone: pick(MergedField::Phone, &going.phone, &staying.phone),
        address: pick(MergedField::Address, &going.address, &staying.address),
        tags: tags(going, staying)?,
        notes,
        ..staying.clone()
    })
}
