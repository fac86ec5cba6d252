//! Carrying out what a person chose about an item.

use domain::{
    ClientId, ClientPatch, DriftDecision, DriftId, DriftKind, DriftVerdict, Entity, Error, MappingState, Permission,
    Result,
};
use persistence::{MappingWrite, Tx};

use super::{DriftFix, DriftItem, drift_get};
use crate::{
    aliases::learn,
    clients::client_update,
    matching::{Decision, decide},
};

/// Longest reason, in characters.
const LONGEST: usize = 500;

/// What a person chose.
#[derive(Clone, Debug, Default)]
pub struct DriftWish {
    /// Which fix; the proposed one when left out.
    pub fix: Option<DriftFix>,
    /// The client that a new entity belongs to; the one suggested when left out.
    pub client: Option<ClientId>,
    /// Why; required for an exclusion.
    pub reason: Option<String>,
}

/// Carries out a fix, as one change set. `may` says whether the caller may map entities of an integration. Answers the
/// item as it was.
pub async fn drift_fix(tx: &Tx, id: DriftId, wish: &DriftWish, may: impl Fn(&str) -> Result<()>) -> Result<DriftItem> {
    let reason = reason(wish.reason.as_deref())?;
    let item = drift_get(tx, id).await?;
    may(&item.entity.integration)?;
    let Some(fix) = wish.fix.or(item.proposed) else {
        return Err(Error::conflict(
            "nothing_proposed",
            "No client fits this entity surely: name a client, or exclude the entity.",
        ));
    };
    if !item.fixes().contains(&fix) {
        let message = "is not what can be done about such an item: its fixes say what can";
        return Err(Error::invalid("/fix", "not_a_fix", message));
    }
    if wish.client.is_some() && (item.kind != DriftKind::NewUnmapped || fix != DriftFix::Map) {
        let message = "must be left out unless a new entity is mapped";
        return Err(Error::invalid("/client_id", "not_taken", message));
    }
    settled(tx, &item).await?;
    let entity = item.entity.id;
    match (item.kind, fix) {
        (DriftKind::Renamed, DriftFix::Acknowledge) => drop(tx.mapping_acknowledge(entity).await?),
        (_, DriftFix::Acknowledge) => decision(tx, &item, DriftVerdict::Acknowledged, reason).await?,
        (_, DriftFix::RenameClient) => {
            tx.context().require(Permission::ClientsEdit)?;
            tx.mapping_acknowledge(entity).await?;
            let client = item.client_id.ok_or(Error::NotFound { what: "client" })?;
            let patch = ClientPatch { name: Some(item.entity.name.clone()), ..ClientPatch::default() };
            client_update(tx, client, patch, None).await?;
        }
        (_, DriftFix::Unmap) => unmap(tx, item.former.as_ref().unwrap_or(&item.entity)).await?,
        (_, DriftFix::Exclude) => {
            let reason =
                reason.ok_or_else(|| Error::invalid("reason", "required", "must say why the entity is excluded"))?;
            let write = MappingWrite { client: None, state: MappingState::Excluded, reason: Some(reason) };
            tx.mapping_write(entity, &write).await?;
        }
        (kind, DriftFix::Map) => {
            let threshold = tx.matching_settings().await?.threshold.score();
            let (client, why) = target(&item, wish.client, threshold)?;
            let reason = Some(reason.unwrap_or(why));
            tx.mapping_write(entity, &MappingWrite { client: Some(client), state: MappingState::Mapped, reason })
                .await?;
            learn(tx, &[(item.entity.clone(), Some(client))]).await?;
            if let (DriftKind::Recreated, Some(former)) = (kind, &item.former) {
                unmap(tx, former).await?;
            }
        }
    }
    Ok(item)
}

/// Hides an item until its cause changes. The reason is required.
pub async fn drift_dismiss(
    tx: &Tx,
    id: DriftId,
    why: Option<&str>,
    may: impl Fn(&str) -> Result<()>,
) -> Result<DriftItem> {
    let why = reason(why)?.ok_or_else(|| Error::invalid("reason", "required", "must say why it is dismissed"))?;
    let item = drift_get(tx, id).await?;
    may(&item.entity.integration)?;
    decision(tx, &item, DriftVerdict::Dismissed, Some(why)).await?;
    Ok(item)
}

fn reason(text: Option<&str>) -> Result<Option<String>> {
    let text = text.map(str::trim).filter(|text| !text.is_empty());
    if text.is_some_and(|text| text.chars().count() > LONGEST) {
        return Err(Error::invalid("reason", "too_long", format!("must have at most {LONGEST} characters")));
    }
    Ok(text.map(str::to_owned))
}

/// Locks the entities of an item, always in the same order, and fails if one was decided about since it was found.
async fn settled(tx: &Tx, item: &DriftItem) -> Result<()> {
    let found: Vec<&Entity> = [Some(&item.entity), item.former.as_ref()].into_iter().flatten().collect();
    let ids: Vec<_> = found.iter().map(|entity| entity.id).collect();
    let now = tx.entities_by_id(&ids).await?;
    let same = found.iter().all(|entity| {
        now.iter().any(|now| now.id == entity.id && now.version == entity.version && now.name == entity.name)
    });
    if same { Ok(()) } else { Err(Error::Stale { what: "drift item" }) }
}

async fn unmap(tx: &Tx, entity: &Entity) -> Result<()> {
    let nobody = MappingWrite { client: None, state: MappingState::Unmapped, reason: None };
    tx.mapping_write(entity.id, &nobody).await.map(drop)
}

/// The client that an entity is to be mapped to, and why.
fn target(item: &DriftItem, named: Option<ClientId>, threshold: f64) -> Result<(ClientId, String)> {
    if let Some(former) = &item.former {
        let client = former.client_id.ok_or(Error::NotFound { what: "client" })?;
        let why = match &item.domain {
            Some(domain) => format!("it tells the domain {domain}, which “{}” told before", former.name),
            None => format!("it follows “{}” ({}), which is no longer listed", former.name, former.vendor_id),
        };
        return Ok((client, why.chars().take(LONGEST).collect()));
    }
    if let Some(client) = named {
        return Ok((client, "chosen when it appeared".to_owned()));
    }
    let Decision::Accept(client) = decide(&item.suggestions, threshold) else {
        return Err(Error::invalid("/client_id", "required", "must name the client: no suggestion is sure"));
    };
    let best = item.suggestions.iter().find(|suggestion| suggestion.client_id == client);
    let details: Vec<&str> = best.into_iter().flat_map(|best| &best.signals).map(|s| s.detail.as_str()).collect();
    Ok((client, details.join("; ").chars().take(LONGEST).collect()))
}

async fn decision(tx: &Tx, item: &DriftItem, decision: DriftVerdict, reason: Option<String>) -> Result<()> {
    let row = DriftDecision {
        id: item.id,
        entity_id: item.entity.id,
        client_id: item.client_id,
        kind: item.kind,
        decision,
        reason,
        decided_at: tx.now(),
        decided_by: tx.context().actor.staff(),
    };
    tx.drift_decide(&row).await
}
