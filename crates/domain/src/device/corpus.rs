//! Clients' fleets of a generator of our own, each machine seen by three vendors with what goes wrong in the field,
//! and labelled with the machine that is meant: how many joins are right, and how many are found.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Observation, join};
use crate::{ConnectionId, RecordId};

/// Numbers that look random, the same for a seed (SplitMix64).
pub(super) struct Dice(pub u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, most: u64) -> u64 {
        self.next() % most
    }

    fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            let with = usize::try_from(self.below(at as u64 + 1)).unwrap_or(0);
            items.swap(at, with);
        }
    }
}

const PLACEHOLDERS: [&str; 5] =
    ["To Be Filled By O.E.M.", "Default string", "System Serial Number", "0", "Not Specified"];

struct Machine {
    host: String,
    serial: String,
    macs: Vec<String>,
    os: &'static str,
}

/// One client's machines: some with placeholder serials, some cloned, some that replaced one of the same name.
fn machines(dice: &mut Dice, client: u64, count: u64) -> Vec<Machine> {
    let mut made: Vec<Machine> = Vec::new();
    for nth in 0..count {
        let host = match dice.below(10) {
            0 => format!("warehouse-terminal-{client}{nth}"),
            1 | 2 => format!("SRV-{client}{nth}"),
            _ => format!("LAP-{client}-{nth:03}"),
        };
        let clone = made.last().filter(|last| last.serial.starts_with("VMware")).map(|last| last.serial.clone());
        let serial = match dice.below(100) {
            0..10 => PLACEHOLDERS[usize::try_from(dice.below(5)).unwrap_or(0)].to_owned(),
            10..18 => format!("VMware-56 4d {:016x}", dice.next()),
            18..21 if clone.is_some() => clone.unwrap_or_default(),
            _ => format!("5CG{:07}", dice.below(10_000_000)),
        };
        let own = |dice: &mut Dice| {
            let tail = dice.next();
            format!("3c:52:82:{:02x}:{:02x}:{:02x}", tail as u8, (tail >> 8) as u8, (tail >> 16) as u8 | 1)
        };
        let macs = (0..=dice.below(2)).map(|_| own(dice)).collect();
        let os = if dice.percent(85) { "Windows 11 Pro" } else { "macOS 15.1" };
        // Some replaced a machine whose name they took; both are still listed.
        let host = match made.last() {
            Some(last) if dice.percent(4) => last.host.clone(),
            _ => host,
        };
        made.push(Machine { host, serial, macs, os });
    }
    made
}

/// What a vendor says of a machine, with its own gaps.
fn view(dice: &mut Dice, machine: &Machine, vendor: u64, dock: &str) -> Value {
    let mut macs = machine.macs.clone();
    if dice.percent(15) {
        macs.push(dock.to_owned());
    }
    if dice.percent(20) {
        macs.push("00:50:56:c0:00:08".to_owned());
    }
    if dice.percent(20) {
        macs.push(format!("02:00:00:00:00:{:02x}", dice.below(256)));
    }
    let host = match (vendor, dice.below(100)) {
        (_, 0..4) => format!("RENAMED-{}", dice.below(100_000)),
        (1, 4..30) => format!("{}.office.local", machine.host.to_lowercase()),
        (2, 4..15) => machine.host.to_uppercase().chars().take(15).collect(),
        _ => machine.host.clone(),
    };
    match vendor {
        0 => json!({"name": host, "hostname": host, "serial": machine.serial, "macs": macs, "os": machine.os}),
        1 => {
            let serial = dice.percent(60).then(|| machine.serial.to_lowercase());
            json!({"name": host, "hostname": host, "serial": serial, "macs": macs, "os": machine.os})
        }
        _ => {
            let serial = dice.percent(75).then(|| machine.serial.clone());
            let macs: Vec<String> = if dice.percent(40) { machine.macs.clone() } else { Vec::new() };
            let name = if dice.percent(20) { format!("{} of somebody", machine.host) } else { host };
            json!({"name": name, "serial": serial, "macs": macs, "os": machine.os})
        }
    }
}

struct Score {
    observations: usize,
    machines: usize,
    devices: usize,
    right: usize,
    wrong: usize,
    missed: usize,
}

fn run(seed: u64, clients: u64, size: u64) -> Score {
    let mut dice = Dice(seed);
    let mut score = Score { observations: 0, machines: 0, devices: 0, right: 0, wrong: 0, missed: 0 };
    for client in 0..clients {
        let fleet = machines(&mut dice, client, size);
        let docks: Vec<String> = (0..3).map(|dock| format!("3c:52:82:d0:c0:{dock:02x}")).collect();
        let (mut all, mut meant) = (Vec::new(), HashMap::new());
        for (truth, machine) in fleet.iter().enumerate() {
            for vendor in 0..3 {
                // Each vendor lacks some, and lists some twice.
                let times = if dice.percent(12) { 0 } else { 1 + usize::from(dice.percent(2)) };
                for _ in 0..times {
                    let dock = &docks[usize::try_from(dice.below(3)).unwrap_or(0)];
                    let body = view(&mut dice, machine, vendor, dock);
                    let id = RecordId(Uuid::from_u64_pair(dice.next(), dice.next()));
                    let connection = ConnectionId(Uuid::from_u128(u128::from(vendor)));
                    let title = body["name"].as_str().unwrap_or_default().to_owned();
                    all.push(Observation::read(id, connection, &title, &body.to_string()));
                    meant.insert(id, (truth, vendor));
                }
            }
        }
        let joined = join(&all, &[]);
        score.observations += all.len();
        score.devices += joined.len();
        score.machines += meant.values().map(|(truth, _)| truth).collect::<std::collections::BTreeSet<_>>().len();
        let group: HashMap<RecordId, usize> =
            joined.iter().enumerate().flat_map(|(at, group)| group.iter().map(move |one| (one.id, at))).collect();
        let found: HashSet<_> = meant.iter().map(|(id, (truth, vendor))| (group[id], *truth, *vendor)).collect();
        for (nth, one) in all.iter().enumerate() {
            for other in &all[nth + 1..] {
                let ((a, by_a), (b, by_b)) = (meant[&one.id], meant[&other.id]);
                if by_a == by_b {
                    continue;
                }
                match (a == b, group[&one.id] == group[&other.id]) {
                    (true, true) => score.right += 1,
                    (false, true) => score.wrong += 1,
                    // Of a machine that a vendor lists twice, one goes with the others; the second is for a person.
                    (true, false) => {
                        let twice = found.contains(&(group[&other.id], a, by_a));
                        score.missed += usize::from(!twice && !found.contains(&(group[&one.id], b, by_b)));
                    }
                    (false, false) => {}
                }
            }
        }
    }
    score
}

#[test]
fn joins_are_right_and_most_are_found() {
    for seed in [11, 12, 13] {
        let score = run(seed, 12, 40);
        let precision = score.right as f64 / (score.right + score.wrong) as f64;
        let recall = score.right as f64 / (score.right + score.missed) as f64;
        println!(
            "seed {seed}: {} observations of {} machines are {} devices; precision {precision:.4}, recall {recall:.4}",
            score.observations, score.machines, score.devices
        );
        assert!(score.machines > 400, "{}", score.machines);
        assert!(precision >= 0.995, "precision {precision}: {} wrong", score.wrong);
        assert!(recall >= 0.90, "recall {recall}: {} missed", score.missed);
    }
}
