//! How much speaks for two observations being one machine.
//!
//! | in common | beside it | confidence |
//! |---|---|---|
//! | serial | host name or address too | 0.99 |
//! | serial | nothing more known | 0.97 |
//! | serial | host names differ, no address | 0.90 |
//! | doubtful serial | host name or address too | 0.95 |
//! | address | host name too | 0.97 |
//! | address | one has no host name | 0.88 |
//! | two addresses | host names differ | 0.80 |
//! | doubtful address | host name too | 0.90 |
//! | host name | nothing against it (`groups.rs`) | 0.80 |
//!
//! Anything less joins nothing. A connection does not list one machine twice on purpose. So a serial or an address
//! that one connection gives to two observations is *doubtful* (an agent installed again, a clone, a docking station),
//! and one that it gives to more is *shared* and says nothing.

use std::{collections::HashMap, hash::Hash};

use super::{Evidence, Mac, Observation, Signal};
use crate::ConnectionId;

/// Confidence of two that have nothing but a host name in common.
pub(super) const BY_HOSTNAME: f64 = 0.80;

/// How many observations of one connection make a value shared.
const SHARED: usize = 3;

/// How far a value tells machines apart within one client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    Own,
    Doubtful,
    Shared,
}

/// Who has each value: indices of observations, in order.
pub(super) struct Holders<K>(pub HashMap<K, (Vec<usize>, Standing)>);

impl<K: Eq + Hash> Holders<K> {
    fn of(pairs: impl Iterator<Item = (K, usize)>, connection: impl Fn(usize) -> ConnectionId) -> Self {
        let mut holders: HashMap<K, (Vec<usize>, Standing)> = HashMap::new();
        for (key, at) in pairs {
            holders.entry(key).or_insert_with(|| (Vec::new(), Standing::Own)).0.push(at);
        }
        for (held_by, standing) in holders.values_mut() {
            let mut on: HashMap<ConnectionId, usize> = HashMap::new();
            held_by.iter().for_each(|at| *on.entry(connection(*at)).or_default() += 1);
            *standing = match on.values().max() {
                Some(most) if *most >= SHARED => Standing::Shared,
                Some(2) => Standing::Doubtful,
                _ => Standing::Own,
            };
        }
        Self(holders)
    }

    pub fn standing(&self, key: &K) -> Standing {
        self.0.get(key).map_or(Standing::Own, |(_, standing)| *standing)
    }
}

/// The observations of one client, and who has what.
pub(super) struct Scales<'a> {
    pub all: &'a [Observation],
    pub hosts: &'a [Option<String>],
    pub serials: Holders<&'a str>,
    pub macs: Holders<Mac>,
    pub by_host: Holders<&'a str>,
}

impl<'a> Scales<'a> {
    /// `hosts` are the host names, whole where they were cut off.
    pub fn new(all: &'a [Observation], hosts: &'a [Option<String>]) -> Self {
        let connection = |at: usize| all[at].connection_id;
        let serials = all.iter().enumerate().filter_map(|(at, one)| Some((one.serial.as_deref()?, at)));
        let macs = all.iter().enumerate().flat_map(|(at, one)| one.macs.iter().map(move |mac| (*mac, at)));
        let named = hosts.iter().enumerate().filter_map(|(at, host)| Some((host.as_deref()?, at)));
        Self {
            all,
            hosts,
            serials: Holders::of(serials, connection),
            macs: Holders::of(macs, connection),
            by_host: Holders::of(named, connection),
        }
    }

    /// The serial, unless it is shared.
    pub fn serial(&self, at: usize) -> Option<&'a str> {
        self.all[at].serial.as_deref().filter(|serial| self.serials.standing(serial) != Standing::Shared)
    }

    /// The addresses that are not shared.
    pub fn macs(&self, at: usize) -> impl Iterator<Item = Mac> {
        self.all[at].macs.iter().copied().filter(|mac| self.macs.standing(mac) != Standing::Shared)
    }

    /// What speaks for two being one, and how much; `None` where it is too little.
    pub fn weigh(&self, a: usize, b: usize) -> Option<(f64, Vec<Evidence>)> {
        let serial = self.serial(a).filter(|serial| self.serial(b) == Some(*serial));
        let common: Vec<Mac> = self.macs(a).filter(|mac| self.all[b].macs.contains(mac)).collect();
        let own = common.iter().filter(|mac| self.macs.standing(mac) == Standing::Own).count();
        let (host, differ) = match (self.hosts[a].as_deref(), self.hosts[b].as_deref()) {
            (Some(one), Some(other)) => (Some(one).filter(|_| one == other), one != other),
            _ => (None, false),
        };
        let more = host.is_some() || !common.is_empty();
        let confidence = match serial.map(|serial| self.serials.standing(&serial)) {
            Some(Standing::Own) if more => 0.99,
            Some(Standing::Own) => {
                if differ {
                    0.90
                } else {
                    0.97
                }
            }
            Some(_) if more => 0.95,
            Some(_) => return None,
            None if own > 0 && host.is_some() => 0.97,
            None if own > 0 && !differ => 0.88,
            None if own > 1 => 0.80,
            None if !common.is_empty() && host.is_some() => 0.90,
            None => match host {
                Some(host) if self.by_host.standing(&host) == Standing::Own => BY_HOSTNAME,
                _ => return None,
            },
        };
        let mut evidence = Vec::new();
        let mut say = |signal, value: String| evidence.push(Evidence { signal, value });
        serial.into_iter().for_each(|serial| say(Signal::Serial, serial.to_owned()));
        common.iter().for_each(|mac| say(Signal::Mac, mac.to_string()));
        host.into_iter().for_each(|host| say(Signal::Hostname, host.to_owned()));
        Some((confidence, evidence))
    }
}
