//! Customers: the commercial face of clients. One business, one record; what is here rests on the operations of clients
//! and mappings.

use std::collections::HashMap;

use domain::{Client, ClientId, Entity, EntityId, Error, Health, MappingState, Permission, Result, Timestamp};
use persistence::{CustomerEntity, ListedClient, Tx};

use crate::{
    clients::{Deletion, client_delete},
    mappings::{MappingChoice, Target, mapping_save},
    tenants::{Can, Licences, Tenant, tenant_key, tenants_of},
};

/// What the connector of a PSA can do, and that of no other tool: it writes companies.
const PSA: &str = "company_writes";

/// A customer as its list shows it.
#[derive(Clone, Debug)]
pub struct Customer {
    /// The client.
    pub client: Client,
    /// Integrations that it is mapped to.
    pub integrations: Vec<String>,
    /// Name and address of the main point of contact.
    pub contact: (Option<String>, Option<String>),
    /// Its tenants, by name.
    pub tenants: Vec<Tenant>,
    /// What PSAs call it: those that are still listed there come first.
    pub psa: Vec<CustomerEntity>,
}

impl Customer {
    /// How it is: as its tenants are.
    pub fn health(&self) -> Health {
        Health::worst(self.tenants.iter().map(|tenant| tenant.health))
    }

    /// Licensed users of all its tenants; `None` while it has none, or one of them is not known.
    pub fn users(&self) -> Option<i64> {
        self.sum(|tenant| tenant.users)
    }

    /// Users without a licence of all its tenants.
    pub fn unlicensed(&self) -> Option<i64> {
        self.sum(|tenant| tenant.unlicensed)
    }

    fn sum(&self, of: impl Fn(&Tenant) -> Option<i64>) -> Option<i64> {
        if self.tenants.is_empty() { None } else { self.tenants.iter().map(of).sum() }
    }

    /// Licences of all its tenants; `None` while it has none, or one of them is not known.
    pub fn licences(&self) -> Option<Licences> {
        let owned = self.sum(|tenant| Some(tenant.licences?.owned))?;
        Some(Licences { owned, used: self.sum(|tenant| Some(tenant.licences?.used))? })
    }

    /// The least secure score of its tenants, in percent; `None` while it has none, or one of them is not known.
    pub fn score(&self) -> Option<f64> {
        let all: Option<Vec<f64>> = self.tenants.iter().map(|tenant| tenant.score).collect();
        all?.into_iter().min_by(f64::total_cmp)
    }

    /// The oldest time of its tenants.
    pub fn synced_at(&self) -> Option<Timestamp> {
        let all: Option<Vec<Timestamp>> = self.tenants.iter().map(|tenant| tenant.synced_at).collect();
        all?.into_iter().min()
    }

    /// Whether one of its tenants is stale.
    pub fn stale(&self) -> bool {
        self.tenants.iter().any(|tenant| tenant.stale)
    }
}

/// Customers made of clients that were listed.
pub async fn customers_of(tx: &Tx, clients: Vec<ListedClient>, can: Can<'_>) -> Result<Vec<Customer>> {
    let ids: Vec<ClientId> = clients.iter().map(|listed| listed.client.id).collect();
    let entities = tx.entities_of_clients(&ids).await?;
    let mut psa: HashMap<ClientId, Vec<CustomerEntity>> = HashMap::new();
    for entity in entities.iter().filter(|entity| can(&entity.integration, PSA)) {
        if let Some(client) = entity.client_id {
            psa.entry(client).or_default().push(entity.clone());
        }
    }
    let mut tenants = tenants_of(tx, entities, can).await?;
    let mut primary = tx.primary_contacts(&ids).await?;
    let made = clients.into_iter().map(|ListedClient { client, integrations, .. }| {
        let mut psa = psa.remove(&client.id).unwrap_or_default();
        let place = |of: &CustomerEntity| (of.removed_at.is_some(), of.integration.clone(), of.id);
        psa.sort_by_cached_key(place);
        let (name, email) = primary.remove(&client.id).map_or((None, None), |one| (Some(one.name), one.email));
        // The address at the client is the one in use; the name goes with it while the two agree.
        let agree = match (&client.contact_email, &email) {
            (Some(ours), Some(theirs)) => ours.eq_ignore_ascii_case(theirs),
            _ => true,
        };
        let contact = (name.filter(|_| agree), client.contact_email.clone().or(email));
        Customer { tenants: tenants.remove(&client.id).unwrap_or_default(), client, integrations, contact, psa }
    });
    Ok(made.collect())
}

/// One customer.
pub async fn customer_get(tx: &Tx, id: ClientId, can: Can<'_>) -> Result<Customer> {
    let listed = tx.client_listed(id).await?;
    customers_of(tx, vec![listed], can).await?.pop().ok_or(Error::NotFound { what: "client" })
}

/// Deletes a customer that has no tenants; see [`client_delete`].
pub async fn customer_delete(tx: &Tx, id: ClientId, version: Option<i32>, can: Can<'_>) -> Result<()> {
    let customer = customer_get(tx, id, can).await?;
    if !customer.tenants.is_empty() {
        let names: Vec<&str> = customer.tenants.iter().map(|tenant| tenant.name.as_str()).collect();
        let message =
            format!("Tenants are associated with this customer ({}): dissociate them first.", names.join(", "));
        return Err(Error::conflict("has_tenants", message));
    }
    client_delete(tx, id, version, Deletion::default()).await
}

/// Associates a tenant with a customer: whatever connection lists it is mapped to the client. One that another customer
/// has is a conflict that names the customer; one that this customer has stays as it is. `may` says whether the caller
/// may map entities of an integration.
pub async fn customer_tenant_associate(
    tx: &Tx,
    client: ClientId,
    tenant: EntityId,
    may: impl Fn(&str) -> bool,
) -> Result<()> {
    // Entities are locked before clients, as by everyone who maps.
    let found = match tenant_entities(tx, tenant).await {
        Err(Error::NotFound { .. }) => None,
        other => Some(other?),
    };
    let entities = found.as_deref().unwrap_or_default();
    let owner = entities.iter().filter_map(|entity| entity.client_id).find(|owner| *owner != client);
    let clients = tx.clients_by_id(&Vec::from_iter([client].into_iter().chain(owner))).await?;
    if clients.iter().all(|one| one.id != client) {
        return Err(Error::NotFound { what: "client" });
    }
    let Some(first) = entities.first() else {
        return Err(Error::invalid("/tenant_id", "not_found", "there is no such tenant"));
    };
    permitted(entities, may)?;
    if let Some(owner) = clients.iter().find(|one| Some(one.id) == owner) {
        let message = format!("“{}” belongs to the customer “{}”: dissociate it there first.", first.name, owner.name);
        return Err(Error::conflict("taken", message));
    }
    decide(tx, entities.iter().filter(|entity| entity.mapping_state != MappingState::Mapped), Target::Client(client))
        .await
}

/// Takes a tenant from a customer: whatever connection lists it is mapped to nobody.
pub async fn customer_tenant_dissociate(
    tx: &Tx,
    client: ClientId,
    tenant: EntityId,
    may: impl Fn(&str) -> bool,
) -> Result<()> {
    let entities = tenant_entities(tx, tenant).await?;
    let own: Vec<Entity> = entities.into_iter().filter(|entity| entity.client_id == Some(client)).collect();
    if own.is_empty() {
        tx.client(client).await?;
        return Err(Error::NotFound { what: "tenant" });
    }
    permitted(&own, may)?;
    decide(tx, own.iter(), Target::Nobody).await
}

/// The entities that are one tenant, locked.
async fn tenant_entities(tx: &Tx, tenant: EntityId) -> Result<Vec<Entity>> {
    let key = tenant_key(tx, tenant).await?;
    let ids: Vec<EntityId> = tx.tenant_entities_of(&key).await?.iter().map(|entity| entity.id).collect();
    tx.entities_by_id(&ids).await
}

fn permitted(entities: &[Entity], may: impl Fn(&str) -> bool) -> Result<()> {
    if entities.iter().all(|entity| may(&entity.integration)) {
        Ok(())
    } else {
        Err(Error::Forbidden { permission: Permission::MappingsSave })
    }
}

async fn decide<'a>(tx: &Tx, entities: impl Iterator<Item = &'a Entity>, target: Target) -> Result<()> {
    let choice = |entity: &Entity| MappingChoice { entity_id: entity.id, target: target.clone(), reason: None };
    let choices: Vec<MappingChoice> = entities.map(choice).collect();
    mapping_save(tx, &choices, |_| true).await.map(drop)
}
