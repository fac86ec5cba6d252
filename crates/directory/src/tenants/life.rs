//! A tenant's life besides its figures: left alone and taken up again, and tags of many at once.

use std::collections::BTreeSet;

use domain::{ClientId, ConnectionId, EntityId, Error, Problem, Result, TenantSetting, name_key};
use persistence::{Tx, tags_kept};

use super::{Can, Tenant, checked_tags, tenant_get};

/// Most tenants of one selection.
pub const MOST_TENANTS: usize = 500;

/// Leaves a tenant alone: nothing is asked about it any more, and what is stored stays with the date it was true at.
/// Whose it is, and its name and tags, stay too.
pub async fn tenant_disconnect(tx: &Tx, id: EntityId, can: Can<'_>) -> Result<Tenant> {
    let tenant = tenant_get(tx, id, can).await?;
    if tenant.disconnected_at().is_none() {
        let client = tenant.client.as_ref().map(|(client, _)| *client);
        let now = tx.now();
        setting_change(tx, &tenant.tenant, client, |setting| setting.disconnected_at = Some(now)).await?;
    }
    tenant_get(tx, id, can).await
}

/// Takes a tenant up again that was left alone. Its id, its customer, its name and its tags are the same as before.
pub async fn tenant_reconnect(tx: &Tx, id: EntityId, can: Can<'_>) -> Result<Tenant> {
    let tenant = tenant_get(tx, id, can).await?;
    let client = tenant.client.as_ref().map(|(client, _)| *client);
    setting_change(tx, &tenant.tenant, client, |setting| setting.disconnected_at = None).await?;
    tenant_get(tx, id, can).await
}

/// Notes that a tenant is connected, and by whom it was let in where no listing has it.
pub(crate) async fn connected(
    tx: &Tx,
    tenant: &str,
    client: ClientId,
    admitted_by: Option<ConnectionId>,
) -> Result<()> {
    setting_change(tx, tenant, Some(client), |setting| {
        setting.disconnected_at = None;
        setting.admitted_by = admitted_by.or(setting.admitted_by);
    })
    .await
    .map(drop)
}

/// What a change of tags came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tagged {
    /// Tenants that were named.
    pub tenants: usize,
    /// Those of them whose tags changed.
    pub changed: usize,
}

/// Gives tags to all of these tenants, and takes others from them.
pub async fn tenants_tag(tx: &Tx, ids: &[EntityId], add: &[String], remove: &[String]) -> Result<Tagged> {
    let mut problems = Vec::new();
    for (list, at) in [(add, "/add"), (remove, "/remove")] {
        let mut wrong = Vec::new();
        checked_tags(list, &mut wrong);
        problems.extend(
            wrong.into_iter().map(|problem| Problem { pointer: problem.pointer.replacen("/tags", at, 1), ..problem }),
        );
    }
    let key = |tags: &[String]| tags.iter().map(|tag| name_key(tag)).collect::<BTreeSet<_>>();
    let (added, removed) = (key(add), key(remove));
    if let Some(both) = added.intersection(&removed).next() {
        problems.push(Problem::new("/remove", "contradiction", format!("“{both}” is to be given and taken")));
    }
    if add.is_empty() && remove.is_empty() {
        problems.push(Problem::new("/add", "required", "must name a tag to give, or /remove one to take"));
    }
    let keys = tenant_keys(tx, ids, &mut problems).await?;
    if !problems.is_empty() {
        return Err(Error::Invalid(problems));
    }
    let mut changed = 0;
    for (at, tenant, client) in &keys {
        let mut wrong = Vec::new();
        let done = setting_change(tx, tenant, *client, |setting| {
            let kept = setting.tags.iter().filter(|tag| !removed.contains(&name_key(tag))).cloned();
            // Those that are there come first: a tag stays as it was written.
            let all: Vec<String> = kept.chain(add.iter().cloned()).collect();
            let checked = checked_tags(&all, &mut wrong);
            if wrong.is_empty() {
                setting.tags = checked;
            }
        })
        .await?;
        changed += usize::from(done);
        problems.extend(wrong.into_iter().map(|problem| Problem { pointer: format!("/tenant_ids/{at}"), ..problem }));
    }
    if !problems.is_empty() {
        return Err(Error::Invalid(problems));
    }
    Ok(Tagged { tenants: keys.len(), changed })
}

/// Microsoft's ids of the tenants of a selection, each once, with its place in it and its customer. What there is not is
/// a mistake of `/tenant_ids`.
async fn tenant_keys(
    tx: &Tx,
    ids: &[EntityId],
    problems: &mut Vec<Problem>,
) -> Result<Vec<(usize, String, Option<ClientId>)>> {
    if ids.is_empty() || ids.len() > MOST_TENANTS {
        let message = format!("must name 1 to {MOST_TENANTS} tenants");
        problems.push(Problem::new("/tenant_ids", "out_of_range", message));
        return Ok(Vec::new());
    }
    let mut keys: Vec<(usize, String, Option<ClientId>)> = Vec::with_capacity(ids.len());
    for (at, id) in ids.iter().enumerate() {
        let entity = match tx.tenant_entity(*id).await {
            Ok(entity) => entity,
            Err(Error::NotFound { .. }) => {
                let message = "there is no such tenant";
                problems.push(Problem::new(format!("/tenant_ids/{at}"), "not_found", message));
                continue;
            }
            Err(other) => return Err(other),
        };
        let key = entity.vendor_id.to_ascii_lowercase();
        match keys.iter_mut().find(|(_, known, _)| *known == key) {
            Some((_, _, client)) => *client = client.or(entity.client_id),
            None => keys.push((at, key, entity.client_id)),
        }
    }
    // One order for everyone who locks several.
    keys.sort_by(|a, b| a.1.cmp(&b.1));
    Ok(keys)
}

/// The tenants of a selection, by the connections that list them: what is to be synced for all of them. A tenant that
/// was disconnected is a mistake.
pub async fn tenants_connections(tx: &Tx, ids: &[EntityId]) -> Result<BTreeSet<ConnectionId>> {
    let mut problems = Vec::new();
    let keys = tenant_keys(tx, ids, &mut problems).await?;
    let named: Vec<String> = keys.iter().map(|(_, key, _)| key.clone()).collect();
    let settings = tx.tenant_settings(&named).await?;
    let mut connections = BTreeSet::new();
    for (at, key, _) in keys {
        if settings.get(&key).is_some_and(|setting| setting.disconnected_at.is_some()) {
            let message = "is disconnected: reconnect it first";
            problems.push(Problem::new(format!("/tenant_ids/{at}"), "disconnected", message));
        }
        let listed = tx.tenant_entities_of(&key).await?.into_iter().filter(|entity| entity.removed_at.is_none());
        connections.extend(listed.map(|entity| entity.connection_id));
    }
    if problems.is_empty() { Ok(connections) } else { Err(Error::Invalid(problems)) }
}

/// Changes what is said of a tenant; whether that made a difference.
async fn setting_change(
    tx: &Tx,
    tenant: &str,
    client: Option<ClientId>,
    change: impl FnOnce(&mut TenantSetting),
) -> Result<bool> {
    let before = tx.tenant_setting(tenant).await?;
    let blank = || TenantSetting {
        id: tx.new_id(),
        tenant: tenant.to_owned(),
        client_id: client,
        display_name: None,
        tags: Vec::new(),
        disconnected_at: None,
        admitted_by: None,
        updated_at: tx.now(),
        version: 1,
    };
    let old = before.clone().unwrap_or_else(blank);
    let mut after = old.clone();
    change(&mut after);
    after.tags = tags_kept(&after.tags);
    if after == old {
        return Ok(false);
    }
    after.client_id = client;
    tx.tenant_setting_save(before.as_ref(), after).await?;
    Ok(true)
}
