//! Ids of devices across syncs.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::{ClientId, DeviceId, RecordId, Timestamp};

/// A device as it was.
#[derive(Clone, Copy, Debug)]
pub struct Before {
    /// Id.
    pub id: DeviceId,
    /// Whose it was.
    pub client_id: ClientId,
    /// When it was first met.
    pub created_at: Timestamp,
}

/// Observations that are one device now.
#[derive(Clone, Debug)]
pub struct Group {
    /// Whose they are.
    pub client_id: ClientId,
    /// The records, in order of their ids.
    pub records: Vec<RecordId>,
}

/// Which id each group has from before; `None` for those that are new. A device goes where its client's, and then the
/// most, of its observations went; a group that could have several takes the oldest of its client's.
pub fn keep(groups: &[Group], devices: &[Before], was_in: &HashMap<RecordId, DeviceId>) -> Vec<Option<DeviceId>> {
    let known: HashMap<DeviceId, Before> = devices.iter().map(|device| (device.id, *device)).collect();
    let mut claims = Vec::new();
    for (at, group) in groups.iter().enumerate() {
        let mut had: BTreeMap<DeviceId, usize> = BTreeMap::new();
        for device in group.records.iter().filter_map(|record| was_in.get(record)) {
            *had.entry(*device).or_default() += 1;
        }
        for (device, count) in had {
            let Some(before) = known.get(&device) else { continue };
            let elsewhere = before.client_id != group.client_id;
            claims.push((elsewhere, before.created_at, device, usize::MAX - count, group.records.first(), at));
        }
    }
    claims.sort_unstable();
    let (mut kept, mut taken) = (vec![None; groups.len()], HashSet::new());
    for (_, _, device, _, _, at) in claims {
        if kept[at].is_none() && taken.insert(device) {
            kept[at] = Some(device);
        }
    }
    kept
}
