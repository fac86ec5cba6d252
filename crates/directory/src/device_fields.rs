//! Which value of each field of a device is shown and who says it, and fixing it by hand.

use domain::{
    ClientId, ConnectionId, DeviceId, Error, Permission, Problem, Result,
    device::{Candidate, Choice, DeviceField, DeviceLock, DeviceOrder, LockTo, Told, Trade, choose, holding},
    valid_name,
};
use persistence::{DevicePrecedenceRow, ListedDevice, Tx};

/// Longest reason for a lock, in characters.
const LONGEST_REASON: usize = 500;

/// Devices whose values are compared at once.
const AT_ONCE: u64 = 200;

/// Who a connection is, as far as it is believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Teller {
    /// Its integration.
    pub integration: String,
    /// What that is for.
    pub trade: Trade,
}

/// A field of a device: what is shown of it, and why.
#[derive(Clone, Debug)]
pub struct DeviceFact {
    /// Which field.
    pub field: DeviceField,
    /// What is shown; `None` where nobody says anything.
    pub choice: Option<Choice>,
    /// What each observation says of it, and said before it was blank.
    pub candidates: Vec<Candidate>,
    /// What a person fixed it to.
    pub lock: Option<DeviceLock>,
}

/// What is shown of every field of a device. A connection that `teller` does not know says nothing.
pub fn device_facts(
    device: &ListedDevice,
    order: &DeviceOrder,
    teller: impl Fn(ConnectionId) -> Option<Teller>,
) -> Vec<DeviceFact> {
    let mut said = Vec::with_capacity(device.sources.len());
    for source in &device.sources {
        if let Some(teller) = teller(source.record.connection_id) {
            said.push((source, Told::read(&source.record.title, &source.record.body), teller));
        }
    }
    let fact = |field: DeviceField| {
        let mut candidates = Vec::new();
        for (source, told, teller) in &said {
            let known = source.known.iter().find(|known| known.field == field);
            let (value, blank_since) = match (told.get(field), known) {
                (Some(value), _) => (value.to_owned(), None),
                (None, Some(known)) => (known.value.clone(), Some(known.blank_since)),
                (None, None) => continue,
            };
            candidates.push(Candidate {
                record_id: source.record.id,
                connection_id: source.record.connection_id,
                integration: teller.integration.clone(),
                trade: teller.trade,
                value,
                heard_at: told.heard_at(),
                blank_since,
            });
        }
        let lock = holding(&device.locks, device.device.id, field).cloned();
        let choice = choose(field, &candidates, lock.as_ref().map(|lock| &lock.to), order);
        DeviceFact { field, choice, candidates, lock }
    };
    DeviceField::ALL.into_iter().map(fact).collect()
}

/// Fixes a field of a device: to a value, or to what one of its connections says. Until it is taken away, no sync
/// changes it.
pub async fn device_lock(
    tx: &Tx,
    client: ClientId,
    device: DeviceId,
    field: DeviceField,
    to: LockTo,
    reason: Option<&str>,
) -> Result<ListedDevice> {
    let (_, found) = (tx.client(client).await?, tx.client_device(client, device).await?);
    let to = match to {
        LockTo::Value(text) => {
            let value = valid_name("/value", &text).map_err(|problem| Error::Invalid(vec![problem]))?;
            let message = "must say something: this is what firmware says in place of a value";
            LockTo::Value(field.told(&value).ok_or_else(|| Error::invalid("/value", "says_nothing", message))?)
        }
        LockTo::Connection(connection) => {
            if !found.sources.iter().any(|source| source.record.connection_id == connection) {
                let message = "must name a connection that tells of this device";
                return Err(Error::invalid("/connection_id", "not_found", message));
            }
            LockTo::Connection(connection)
        }
    };
    let reason = reason.map(str::trim).filter(|reason| !reason.is_empty()).map(str::to_owned);
    if reason.as_ref().is_some_and(|reason| reason.chars().count() > LONGEST_REASON) {
        let message = format!("must have at most {LONGEST_REASON} characters");
        return Err(Error::Invalid(vec![Problem::new("/reason", "too_long", message)]));
    }
    let locks = tx.device_locks(&[device]).await?;
    let before = holding(&locks, device, field);
    // Those that came with devices joined to it would hold again once this one is gone: a person has decided now.
    for other in locks.iter().filter(|lock| lock.field == field && before.is_none_or(|held| held.id != lock.id)) {
        tx.device_lock_delete(other).await?;
    }
    match before {
        Some(before) if before.to == to && before.reason == reason => {}
        _ => {
            let lock = DeviceLock {
                id: before.map_or_else(|| tx.new_id(), |before| before.id),
                client_id: client,
                device_id: device,
                field,
                to,
                reason,
                created_at: tx.now(),
                created_by: tx.context().actor.staff(),
                records: found.sources.iter().map(|source| source.record.id).collect(),
            };
            match before {
                Some(before) => tx.device_lock_update(before, &lock).await?,
                None => tx.device_lock_insert(&lock).await?,
            }
        }
    }
    named(tx, client, device, field).await
}

/// Takes the lock of a field away: what is shown is chosen again.
pub async fn device_unlock(tx: &Tx, client: ClientId, device: DeviceId, field: DeviceField) -> Result<ListedDevice> {
    let (_, _) = (tx.client(client).await?, tx.client_device(client, device).await?);
    let mut locks = tx.device_locks(&[device]).await?;
    locks.retain(|lock| lock.field == field);
    if locks.is_empty() {
        return Err(Error::conflict("not_locked", "This field is not locked: there is nothing to take away."));
    }
    for lock in &locks {
        tx.device_lock_delete(lock).await?;
    }
    named(tx, client, device, field).await
}

/// The device after one of its locks changed: its name is stored, everything else is chosen when it is read.
async fn named(tx: &Tx, client: ClientId, device: DeviceId, field: DeviceField) -> Result<ListedDevice> {
    if field == DeviceField::Name {
        tx.devices_rejoin(client).await?;
    }
    tx.client_device(client, device).await
}

/// Whom the organisation believes about devices, for those who decide it.
pub async fn device_precedence_get(tx: &Tx) -> Result<DevicePrecedenceRow> {
    tx.context().require(Permission::MatchingManage)?;
    tx.device_precedence().await
}

/// Refuses an order that names what tells of no devices (`known`), or anything twice.
pub fn device_precedence_check(order: &DeviceOrder, known: impl Fn(&str) -> bool) -> Result<()> {
    let problems = order.problems(known);
    if problems.is_empty() { Ok(()) } else { Err(Error::Invalid(problems)) }
}

/// Decides whom the organisation believes about devices. `known` says which integrations tell of any. It holds at once;
/// the names of devices, by which lists are sorted, follow by a job.
pub async fn device_precedence_set(
    tx: &Tx,
    order: DeviceOrder,
    version: Option<i32>,
    known: impl Fn(&str) -> bool,
) -> Result<DevicePrecedenceRow> {
    tx.context().require(Permission::MatchingManage)?;
    device_precedence_check(&order, known)?;
    // One after another: two who set the first would both make it.
    tx.team_lock().await?;
    let before = tx.device_precedence().await?;
    if version.is_some_and(|version| version != before.version) {
        return Err(Error::Stale { what: "device precedence" });
    }
    tx.device_precedence_save(before, order).await
}

/// How many of the devices that the caller sees would show another value of anything under this order than they do
/// now. Only those of which several observations tell are read, some hundred at a time.
pub async fn device_precedence_effect(
    tx: &Tx,
    order: &DeviceOrder,
    teller: impl Fn(ConnectionId) -> Option<Teller>,
) -> Result<u64> {
    tx.context().require(Permission::MatchingManage)?;
    let now = tx.device_precedence().await?.order;
    let fields = now.differs(order);
    if fields.is_empty() {
        return Ok(0);
    }
    let shown = |device: &ListedDevice, order: &DeviceOrder| -> Vec<Option<String>> {
        let facts = device_facts(device, order, &teller).into_iter().filter(|fact| fields.contains(&fact.field));
        facts.map(|fact| fact.choice.map(|choice| choice.value)).collect()
    };
    let (mut differ, mut after) = (0, None);
    loop {
        let devices = tx.devices_of_several(after, AT_ONCE).await?;
        let Some(last) = devices.last() else { return Ok(differ) };
        after = Some(last.device.id);
        for device in &devices {
            differ += u64::from(shown(device, &now) != shown(device, order));
        }
    }
}
