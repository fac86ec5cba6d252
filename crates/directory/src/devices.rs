//! Splitting and joining devices by hand. What a person says of two observations is kept, and holds in every sync to
//! come, whatever vendors say.

use std::collections::{BTreeSet, HashMap};

use domain::{ClientId, DeviceId, DeviceRulingId, Error, Problem, RecordId, Result, device::DeviceRuling};
use persistence::{ListedDevice, Tx};

/// Most observations of one join or split: each is decided about with each of the others.
const MOST: usize = 100;

/// Takes observations out of a device: they are not what the others of it are. Those taken out are one device or
/// several, as the evidence among them says. Returns the device as it is then.
pub async fn device_split(tx: &Tx, client: ClientId, device: DeviceId, out: &[RecordId]) -> Result<ListedDevice> {
    let (_, before) = (tx.client(client).await?, tx.client_device(client, device).await?);
    let out: BTreeSet<RecordId> = out.iter().copied().collect();
    let all: BTreeSet<RecordId> = before.sources.iter().map(|source| source.record.id).collect();
    let problem = |code: &'static str, message: &str| Err(Error::invalid("/observations", code, message));
    if out.is_empty() {
        return problem("required", "must name the observations to be taken out");
    }
    if !out.is_subset(&all) {
        return problem("not_found", "must name observations of this device only");
    }
    if out.len() == all.len() {
        return problem("nothing_left", "must leave at least one observation in the device");
    }
    let stay: BTreeSet<RecordId> = all.difference(&out).copied().collect();
    rule(tx, client, &stay, &out, false).await?;
    tx.devices_rejoin(client).await?;
    let stays = *stay.first().ok_or_else(|| Error::internal("a split left nothing"))?;
    tx.client_device_of(client, stays).await
}

/// Joins other devices of the client into one: all their observations are one machine. Returns it.
pub async fn device_join(tx: &Tx, client: ClientId, device: DeviceId, others: &[DeviceId]) -> Result<ListedDevice> {
    let (_, into) = (tx.client(client).await?, tx.client_device(client, device).await?);
    let mut joined: BTreeSet<RecordId> = into.sources.iter().map(|source| source.record.id).collect();
    let first = *joined.first().ok_or_else(|| Error::internal("a device has no observation"))?;
    let others: BTreeSet<DeviceId> = others.iter().copied().filter(|other| *other != device).collect();
    if others.is_empty() {
        return Err(Error::invalid("/device_ids", "required", "must name at least one other device"));
    }
    for other in others {
        let found = match tx.client_device(client, other).await {
            Err(Error::NotFound { .. }) => {
                let problem = Problem::new("/device_ids".to_owned(), "not_found", "must name devices of this client");
                return Err(Error::Invalid(vec![problem]));
            }
            found => found?,
        };
        let records: BTreeSet<RecordId> = found.sources.iter().map(|source| source.record.id).collect();
        rule(tx, client, &joined, &records, true).await?;
        joined.extend(records);
    }
    tx.devices_rejoin(client).await?;
    tx.client_device_of(client, first).await
}

/// Decides each pair across the two sides, over what was decided before.
async fn rule(
    tx: &Tx,
    client: ClientId,
    one: &BTreeSet<RecordId>,
    other: &BTreeSet<RecordId>,
    same: bool,
) -> Result<()> {
    if one.len() + other.len() > MOST {
        let message = format!("A device has at most {MOST} observations: split or join fewer at once.");
        return Err(Error::conflict("too_many", message));
    }
    let all: Vec<RecordId> = one.union(other).copied().collect();
    let known = tx.device_rulings_between(&all).await?;
    let known: HashMap<(RecordId, RecordId), DeviceRuling> =
        known.into_iter().map(|ruling| ((ruling.record_a, ruling.record_b), ruling)).collect();
    for a in one {
        for b in other {
            let pair = (*a.min(b), *a.max(b));
            let ruling = |id: DeviceRulingId| DeviceRuling {
                id,
                client_id: client,
                record_a: pair.0,
                record_b: pair.1,
                one: same,
                created_at: tx.now(),
                created_by: tx.context().actor.staff(),
            };
            match known.get(&pair) {
                Some(before) if before.one == same => {}
                Some(before) => tx.device_ruling_update(before, &ruling(before.id)).await?,
                None => tx.device_ruling_insert(&ruling(tx.new_id())).await?,
            }
        }
    }
    Ok(())
}
