//! Connecting a tenant step by step. What asks the vendor is done in between by the caller: the tenant is found before
//! it is begun, and read before it is done.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{
    Chance, ClientId, ConnectionId, EntityId, Error, OrganisationId, Result, TENANT_CONNECT_LASTS, TenantConnect,
    TenantConnectAct, TenantConnectId, TenantConnectState,
};
use persistence::Tx;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{customers::customer_tenant_associate, tenants::connected};

/// Bytes of the organisation's id at the beginning of a link's token.
const OWNER: usize = 16;
/// Random bytes after it.
const RANDOM: usize = 32;
/// Longest reason that is kept, in characters.
const LONGEST_REASON: usize = 500;

/// A tenant that is to be connected.
#[derive(Clone, Debug)]
pub struct NewTenantConnect {
    /// For which customer.
    pub client: ClientId,
    /// Which connection is to be let in.
    pub connection: ConnectionId,
    /// Microsoft's id of the tenant.
    pub tenant: String,
    /// The domain that it was found by.
    pub domain: Option<String>,
}

/// Begins to connect a tenant. One that another customer has is a conflict that names the customer, and so is one that is
/// being connected already. Other organisations are not asked: what they connected is nobody else's business.
pub async fn tenant_connect_start(tx: &Tx, new: NewTenantConnect) -> Result<TenantConnect> {
    let tenant = new.tenant.to_ascii_lowercase();
    // Entities are locked before clients, as by everyone who maps.
    let ids: Vec<EntityId> = tx.tenant_entities_of(&tenant).await?.iter().map(|entity| entity.id).collect();
    let entities = tx.entities_by_id(&ids).await?;
    let open = tx.tenant_connects_open(&tenant).await?;
    let owner = entities.iter().find(|entity| entity.client_id.is_some_and(|owner| owner != new.client));
    let others = owner.and_then(|entity| entity.client_id).into_iter().chain(open.first().map(|one| one.client_id));
    let clients = tx.clients_by_id(&Vec::from_iter([new.client].into_iter().chain(others))).await?;
    let named = |id: ClientId| clients.iter().find(|client| client.id == id).map(|client| client.name.as_str());
    if named(new.client).is_none() {
        return Err(Error::invalid("/customer_id", "not_found", "there is no such customer"));
    }
    if let Some((entity, name)) = owner.and_then(|entity| Some((entity, named(entity.client_id?)?))) {
        let message = format!("“{}” belongs to the customer “{name}”: dissociate it there first.", entity.name);
        return Err(Error::conflict("taken", message));
    }
    if let Some(one) = open.first() {
        let name = named(one.client_id).unwrap_or("another customer");
        let message =
            format!("This tenant is being connected for “{name}” already ({}): go on with that, or cancel it.", one.id);
        return Err(Error::conflict("connect_open", message));
    }
    let one = TenantConnect {
        id: tx.new_id(),
        client_id: new.client,
        connection_id: new.connection,
        tenant,
        domain: new.domain,
        state: TenantConnectState::Waiting,
        state_reason: None,
        links: 0,
        begun_by: tx.context().actor.staff(),
        created_at: tx.now(),
        expires_at: tx.now() + TENANT_CONNECT_LASTS,
        connected_at: None,
        updated_at: tx.now(),
        version: 1,
    };
    tx.tenant_connect_insert(&one).await?;
    Ok(one)
}

/// Makes a link for the tenant's administrator: the state that comes back with them. It works once; the one before works
/// no more.
pub async fn tenant_connect_link(tx: &Tx, chance: &dyn Chance, id: TenantConnectId) -> Result<(TenantConnect, String)> {
    let after = act(tx, id, TenantConnectAct::Link, None).await?;
    let mut bytes = [0; OWNER + RANDOM];
    bytes[..OWNER].copy_from_slice(tx.organisation().0.as_bytes());
    chance.fill(&mut bytes[OWNER..]);
    tx.tenant_connect_link_set(id, Some(Sha256::digest(bytes).to_vec())).await?;
    Ok((after, URL_SAFE_NO_PAD.encode(bytes)))
}

/// The organisation that a link is of, and the hash it is found by; `None` for what is no link of ours.
pub fn tenant_connect_link_of(state: &str) -> Option<(OrganisationId, Vec<u8>)> {
    let bytes = URL_SAFE_NO_PAD.decode(state).ok().filter(|bytes| bytes.len() == OWNER + RANDOM)?;
    let owner = Uuid::from_slice(&bytes[..OWNER]).ok()?;
    Some((owner.into(), Sha256::digest(&bytes).to_vec()))
}

/// Notes that it did not go on, and why.
pub async fn tenant_connect_fail(tx: &Tx, id: TenantConnectId, why: &str) -> Result<TenantConnect> {
    let why = why.chars().take(LONGEST_REASON).map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    act(tx, id, TenantConnectAct::Fail, Some(why)).await
}

/// Gives it up. Its link no longer works.
pub async fn tenant_connect_cancel(tx: &Tx, id: TenantConnectId) -> Result<TenantConnect> {
    let after = act(tx, id, TenantConnectAct::Cancel, None).await?;
    tx.tenant_connect_link_set(id, None).await?;
    Ok(after)
}

/// Ends it well: the entity that was let in is the customer's. `listed` says whether the connection lists it anyhow;
/// `may` whether the caller may map entities of an integration. If the customer was merged meanwhile, the tenant is that
/// of the customer it went into.
pub async fn tenant_connect_done(
    tx: &Tx,
    id: TenantConnectId,
    (entity, listed): (EntityId, bool),
    may: impl Fn(&str) -> bool,
) -> Result<TenantConnect> {
    let done = act(tx, id, TenantConnectAct::Connect, None).await?;
    tx.tenant_connect_link_set(id, None).await?;
    let client = tx.client_survivor(done.client_id).await?.unwrap_or(done.client_id);
    customer_tenant_associate(tx, client, entity, may).await?;
    connected(tx, &done.tenant, client, (!listed).then_some(done.connection_id)).await?;
    Ok(done)
}

async fn act(tx: &Tx, id: TenantConnectId, act: TenantConnectAct, reason: Option<String>) -> Result<TenantConnect> {
    let before = tx.tenant_connect(id).await?;
    let after = before.acted(act, reason, tx.now())?;
    tx.tenant_connect_update(&before, after).await
}
