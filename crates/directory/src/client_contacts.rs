//! Contacts of clients that the MSP keeps itself: who is called, and in which order.

use domain::{Client, ClientContact, ClientContactId, ClientId, Error, Problem, Result, valid_email, valid_name};
use persistence::Tx;

use crate::clients::{PHONE, free_text};

/// Most contacts of one client.
const MOST: usize = 200;
/// Longest job title, in characters.
const TITLE: usize = 255;
/// Last place in the order in which people are called.
const LAST: i32 = 99;

/// All that is to stand in a contact.
#[derive(Clone, Debug, Default)]
pub struct ContactDraft {
    /// Name, not yet checked.
    pub name: String,
    /// E-mail, not yet checked.
    pub email: Option<String>,
    /// Telephone.
    pub phone: Option<String>,
    /// Job title.
    pub title: Option<String>,
    /// Place in the order in which they are called, from 1.
    pub escalation: Option<i32>,
    /// Whether this is the client's primary contact.
    pub primary: bool,
}

/// Keeps a contact of a client. A primary one takes that from whoever was it, and their address becomes the client's.
pub async fn customer_contact_create(tx: &Tx, client: ClientId, draft: ContactDraft) -> Result<ClientContact> {
    let owner = tx.client(client).await?;
    let contact = checked(
        draft,
        ClientContact {
            id: tx.new_id(),
            client_id: client,
            name: String::new(),
            email: None,
            phone: None,
            title: None,
            escalation: None,
            primary: false,
            created_at: tx.now(),
            updated_at: tx.now(),
            version: 1,
        },
    )?;
    let others = tx.client_contacts(client).await?;
    if others.len() >= MOST {
        return Err(Error::conflict("too_many", format!("A client has at most {MOST} contacts: remove one first.")));
    }
    if contact.primary {
        step_down(tx, &others, contact.id).await?;
    }
    tx.client_contact_insert(&contact).await?;
    follow(tx, &owner, &contact).await?;
    Ok(contact)
}

/// Replaces what stands in a contact. `version` is the one the caller read.
pub async fn customer_contact_update(
    tx: &Tx,
    client: ClientId,
    id: ClientContactId,
    draft: ContactDraft,
    version: Option<i32>,
) -> Result<ClientContact> {
    let owner = tx.client(client).await?;
    let before = current(tx, client, id, version).await?;
    let after = checked(draft, before.clone())?;
    if after.primary && !before.primary {
        step_down(tx, &tx.client_contacts(client).await?, id).await?;
    }
    let after = tx.client_contact_update(&before, after).await?;
    follow(tx, &owner, &after).await?;
    Ok(after)
}

/// Forgets a contact. The client's own address stays as it is.
pub async fn customer_contact_delete(
    tx: &Tx,
    client: ClientId,
    id: ClientContactId,
    version: Option<i32>,
) -> Result<ClientContact> {
    tx.client(client).await?;
    let contact = current(tx, client, id, version).await?;
    tx.client_contact_delete(&contact).await?;
    Ok(contact)
}

async fn current(tx: &Tx, client: ClientId, id: ClientContactId, version: Option<i32>) -> Result<ClientContact> {
    let contact = tx.client_contact(client, id).await?;
    if version.is_some_and(|version| version != contact.version) {
        return Err(Error::Stale { what: "contact" });
    }
    Ok(contact)
}

/// Whoever else was the primary contact is it no more.
async fn step_down(tx: &Tx, contacts: &[ClientContact], but: ClientContactId) -> Result<()> {
    for contact in contacts.iter().filter(|contact| contact.primary && contact.id != but) {
        tx.client_contact_update(contact, ClientContact { primary: false, ..contact.clone() }).await?;
    }
    Ok(())
}

/// The client's main address is that of its primary contact.
async fn follow(tx: &Tx, owner: &Client, contact: &ClientContact) -> Result<()> {
    if contact.primary && contact.email.is_some() {
        let after = Client { contact_email: contact.email.clone(), ..owner.clone() };
        tx.client_update(owner, after).await?;
    }
    Ok(())
}

fn checked(draft: ContactDraft, contact: ClientContact) -> Result<ClientContact> {
    let mut problems = Vec::new();
    let mut note = |problem: Problem| problems.push(problem);
    let name = valid_name("/name", &draft.name).map_err(&mut note).unwrap_or_default();
    let given = draft.email.filter(|email| !email.trim().is_empty());
    let email = given.map(|email| valid_email("/email", &email)).transpose().map_err(&mut note).unwrap_or_default();
    let phone = free_text("/phone", draft.phone, PHONE).map_err(&mut note).unwrap_or_default();
    let title = free_text("/title", draft.title, TITLE).map_err(&mut note).unwrap_or_default();
    if draft.escalation.is_some_and(|place| !(1..=LAST).contains(&place)) {
        note(Problem::new("/escalation", "out_of_range", format!("must be from 1 to {LAST}")));
    }
    if !problems.is_empty() {
        return Err(Error::Invalid(problems));
    }
    Ok(ClientContact { name, email, phone, title, escalation: draft.escalation, primary: draft.primary, ..contact })
}

/// Moves the contacts of one client to another. The other's primary contact stays the primary one.
pub(crate) async fn move_all(tx: &Tx, from: ClientId, into: ClientId) -> Result<()> {
    let taken = tx.client_contacts(into).await?.iter().any(|contact| contact.primary);
    for contact in tx.client_contacts(from).await? {
        let primary = contact.primary && !taken;
        tx.client_contact_update(&contact, ClientContact { client_id: into, primary, ..contact.clone() }).await?;
    }
    Ok(())
}
