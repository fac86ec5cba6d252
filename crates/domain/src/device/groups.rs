//! Joining: pairs first, the surest before the others, then host names where nothing contradicts.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::{
    DeviceRuling, Evidence, Joined, Mac, Observation, Signal, System,
    weigh::{BY_HOSTNAME, Scales, Standing},
};
use crate::{ConnectionId, RecordId};

/// Characters of a name after which NetBIOS cuts it off.
const NETBIOS: usize = 15;

/// Puts the observations of one client into groups, each of which is one machine. Rulings about others are left
/// aside; of two that contradict one another, the one that keeps apart holds.
///
/// * Two observations of one connection are two machines, unless a person says otherwise.
/// * Two real serial numbers are two machines.
/// * Joins go on from one to the next, until one contradicts: then the surer stands.
///
/// Groups and their members are in order of their ids.
pub fn join(observations: &[Observation], rulings: &[DeviceRuling]) -> Vec<Vec<Joined>> {
    let mut all = observations.to_vec();
    all.sort_unstable_by_key(|one| one.id);
    all.dedup_by_key(|one| one.id);
    let hosts = whole_names(&all);
    let scales = Scales::new(&all, &hosts);
    let mut heap = Heap::new(&scales, rulings);
    heap.by_hand();
    heap.by_pairs();
    heap.by_names();
    heap.into_groups()
}

/// Host names, where one cut off stands for the only longer one of the client that begins so. One of whom a
/// connection names both is no such.
fn whole_names(all: &[Observation]) -> Vec<Option<String>> {
    let mut longer: HashMap<String, BTreeMap<&str, BTreeSet<ConnectionId>>> = HashMap::new();
    let mut cut: HashMap<&str, BTreeSet<ConnectionId>> = HashMap::new();
    for one in all {
        let Some(host) = one.hostname.as_deref() else { continue };
        match host.chars().count() {
            NETBIOS => {
                cut.entry(host).or_default().insert(one.connection_id);
            }
            more if more > NETBIOS => {
                let start = host.chars().take(NETBIOS).collect();
                longer.entry(start).or_default().entry(host).or_default().insert(one.connection_id);
            }
            _ => {}
        }
    }
    let whole = |host: &str| -> Option<String> {
        let (by, candidates) = (cut.get(host)?, longer.get(host)?);
        let (name, of) = candidates.first_key_value().filter(|_| candidates.len() == 1)?;
        by.is_disjoint(of).then(|| (*name).to_owned())
    };
    all.iter().map(|one| one.hostname.as_deref().map(|host| whole(host).unwrap_or_else(|| host.to_owned()))).collect()
}

/// What is known of a group as a whole.
#[derive(Clone, Default)]
struct Known<'a> {
    members: Vec<usize>,
    connections: BTreeSet<ConnectionId>,
    serials: BTreeSet<&'a str>,
    macs: BTreeSet<Mac>,
    systems: Vec<System>,
}

impl Known<'_> {
    /// Whether these cannot be one machine whatever else they have in common.
    fn contradicts(&self, other: &Self) -> bool {
        let serials = !self.serials.is_empty() && !other.serials.is_empty() && self.serials.is_disjoint(&other.serials);
        serials || !self.connections.is_disjoint(&other.connections)
    }

    /// Whether something speaks against one machine where only the name speaks for it.
    fn unlike(&self, other: &Self) -> bool {
        let macs = !self.macs.is_empty() && !other.macs.is_empty() && self.macs.is_disjoint(&other.macs);
        let systems = self.systems.iter().any(|one| other.systems.iter().any(|system| one != system));
        macs || systems || self.contradicts(other)
    }
}

struct Heap<'a> {
    scales: &'a Scales<'a>,
    /// Which group each observation is in.
    of: Vec<usize>,
    groups: Vec<Known<'a>>,
    one: Vec<(usize, usize)>,
    apart: HashMap<usize, HashSet<usize>>,
}

impl<'a> Heap<'a> {
    fn new(scales: &'a Scales<'a>, rulings: &[DeviceRuling]) -> Self {
        let at: HashMap<RecordId, usize> = scales.all.iter().enumerate().map(|(at, one)| (one.id, at)).collect();
        let groups = (0..scales.all.len()).map(|index| Known {
            members: vec![index],
            connections: [scales.all[index].connection_id].into(),
            serials: scales.serial(index).into_iter().collect(),
            macs: scales.macs(index).collect(),
            systems: scales.all[index].system.into_iter().collect(),
        });
        let (mut one, mut apart) = (Vec::new(), HashMap::<usize, HashSet<usize>>::new());
        for ruling in rulings {
            let (Some(a), Some(b)) = (at.get(&ruling.record_a), at.get(&ruling.record_b)) else { continue };
            if ruling.one {
                one.push((*a.min(b), *a.max(b)));
            } else {
                apart.entry(*a).or_default().insert(*b);
                apart.entry(*b).or_default().insert(*a);
            }
        }
        one.sort_unstable();
        Self { scales, of: (0..scales.all.len()).collect(), groups: groups.collect(), one, apart }
    }

    /// Whether a person keeps members of these groups apart.
    fn kept_apart(&self, a: usize, b: usize) -> bool {
        let other = &self.groups[b].members;
        let apart =
            |member: &usize| self.apart.get(member).is_some_and(|from| other.iter().any(|one| from.contains(one)));
        !self.apart.is_empty() && self.groups[a].members.iter().any(apart)
    }

    fn unite(&mut self, a: usize, b: usize) {
        let (into, from) = if self.groups[a].members.len() < self.groups[b].members.len() { (b, a) } else { (a, b) };
        let moved = std::mem::take(&mut self.groups[from]);
        moved.members.iter().for_each(|member| self.of[*member] = into);
        let group = &mut self.groups[into];
        group.members.extend(moved.members);
        group.connections.extend(moved.connections);
        group.serials.extend(moved.serials);
        group.macs.extend(moved.macs);
        group.systems.extend(moved.systems);
    }

    fn by_hand(&mut self) {
        for (a, b) in self.one.clone() {
            let (a, b) = (self.of[a], self.of[b]);
            if a != b && !self.kept_apart(a, b) {
                self.unite(a, b);
            }
        }
    }

    /// Pairs with a serial or an address in common, the surest first.
    fn by_pairs(&mut self) {
        let scales = self.scales;
        let shared = Standing::Shared;
        let serials = scales.serials.0.values().filter(|(_, standing)| *standing != shared).map(|(held, _)| held);
        let macs = scales.macs.0.values().filter(|(_, standing)| *standing != shared).map(|(held, _)| held);
        let mut pairs = BTreeSet::new();
        for held in serials.chain(macs) {
            for (nth, a) in held.iter().enumerate() {
                pairs.extend(held[nth + 1..].iter().map(|b| (*a, *b)));
            }
        }
        let mut weighed: Vec<(f64, usize, usize)> = pairs
            .into_iter()
            .filter_map(|(a, b)| Some((scales.weigh(a, b)?, a, b)))
            .filter(|((_, evidence), ..)| evidence.iter().any(|one| one.signal != Signal::Hostname))
            .map(|((confidence, _), a, b)| (confidence, a, b))
            .collect();
        weighed.sort_by(|one, other| other.0.total_cmp(&one.0).then((one.1, one.2).cmp(&(other.1, other.2))));
        for (_, a, b) in weighed {
            let (a, b) = (self.of[a], self.of[b]);
            if a != b && !self.groups[a].contradicts(&self.groups[b]) && !self.kept_apart(a, b) {
                self.unite(a, b);
            }
        }
    }

    /// Groups that have a host name in common, where no two of them are unlike: of an old machine and the new one
    /// of the same name, nobody knows which is meant.
    fn by_names(&mut self) {
        let scales = self.scales;
        let mut names: Vec<_> =
            scales.by_host.0.iter().filter(|(_, (_, standing))| *standing == Standing::Own).collect();
        names.sort_unstable_by_key(|(host, _)| **host);
        for (_, (held, _)) in names {
            let mut groups: Vec<usize> = held.iter().map(|at| self.of[*at]).collect();
            groups.sort_unstable_by_key(|group| self.groups[*group].members.iter().min().copied());
            groups.dedup();
            let pairs = groups.iter().enumerate().flat_map(|(nth, a)| groups[nth + 1..].iter().map(move |b| (*a, *b)));
            let pairs: Vec<(usize, usize)> = pairs.collect();
            let disputed =
                |(a, b): &(usize, usize)| self.groups[*a].unlike(&self.groups[*b]) && !self.kept_apart(*a, *b);
            if pairs.iter().any(disputed) {
                continue;
            }
            for (a, b) in pairs {
                let (a, b) = (self.at(a), self.at(b));
                if a != b && !self.groups[a].unlike(&self.groups[b]) && !self.kept_apart(a, b) {
                    self.unite(a, b);
                }
            }
        }
    }

    /// The group that has its members now.
    fn at(&self, group: usize) -> usize {
        // A group is named by the observation that it began with, which is still in it.
        self.of[group]
    }

    fn into_groups(self) -> Vec<Vec<Joined>> {
        let mut groups: Vec<Vec<usize>> = self.groups.iter().map(|group| group.members.clone()).collect();
        groups.retain(|members| !members.is_empty());
        groups.iter_mut().for_each(|members| members.sort_unstable());
        groups.sort_unstable();
        groups.iter().map(|members| members.iter().map(|at| self.explain(*at, members)).collect()).collect()
    }

    /// The best reason for which an observation is with the others.
    fn explain(&self, at: usize, members: &[usize]) -> Joined {
        let others = members.iter().copied().filter(|other| *other != at);
        let reasons = others.filter_map(|other| {
            if self.one.binary_search(&(at.min(other), at.max(other))).is_ok() {
                let evidence = vec![Evidence { signal: Signal::Person, value: String::new() }];
                return Some((1.0, evidence));
            }
            self.scales.weigh(at, other)
        });
        // Of reasons as good as one another, the first.
        let best = reasons.reduce(|best, reason| if reason.0 > best.0 { reason } else { best });
        let alone = members.len() == 1;
        let (confidence, evidence) = match best {
            Some((confidence, evidence)) => (Some(confidence), evidence),
            None => ((!alone).then_some(BY_HOSTNAME), Vec::new()),
        };
        Joined { id: self.scales.all[at].id, evidence, confidence }
    }
}
