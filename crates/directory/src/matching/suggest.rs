//! Everything together: the clients that may be the right one, in order, with reasons.

use std::collections::BTreeMap;

use super::{
    Candidate, Signal, SignalKind, Subject, Suggestion,
    aliases::Aliases,
    decide::WORTH_A_LOOK,
    explain::{against_name, for_name, nearly_exact},
    identifiers::{Directory, Identifiers, label},
    index::{Index, Looked},
    normalise::{Name, forms},
    score::{Comparison, Tier, compare},
};

/// Clients whose scores are nearer than this are rivals.
const RIVAL: f64 = 0.08;
/// How far the second must be behind for a nearly exact name to be accepted.
const CLEAR: f64 = 0.15;

/// Knows the clients and finds, for an entity, those it may belong to.
#[derive(Debug)]
pub struct Matcher {
    candidates: Vec<Candidate>,
    index: Index,
    directory: Directory,
    aliases: Aliases,
}

#[derive(Debug, Default)]
struct Evidence {
    /// The likest pair of names: (form of the subject's name, form of the client's, comparison).
    name: Option<(usize, usize, Comparison)>,
    signals: Vec<Signal>,
    against: Vec<Signal>,
    /// Held by an identifier nobody else has.
    identified: bool,
    score: f64,
}

impl Matcher {
    /// Builds the indexes.
    pub fn new(candidates: Vec<Candidate>) -> Self {
        let names = candidates.iter().enumerate();
        let names = names.flat_map(|(at, candidate)| {
            candidate
                .names
                .iter()
                .flat_map(|name| forms(name))
                .filter(|name| !name.verbatim.is_empty())
                .map(move |name| (at, name))
        });
        Self {
            index: Index::new(names),
            directory: Directory::new(&candidates),
            aliases: Aliases::new(&candidates),
            candidates,
        }
    }

    #[cfg(test)]
    pub(super) fn name_of(&self, client: domain::ClientId) -> &str {
        self.candidates
            .iter()
            .find(|candidate| candidate.client_id == client)
            .map_or("", |candidate| &candidate.names[0])
    }

    /// The `best` clients this entity may belong to, best first. Deterministic; never fails, whatever the name.
    pub fn suggest(&self, subject: &Subject<'_>, best: usize) -> Vec<Suggestion> {
        let own = Identifiers::of_subject(subject);
        let names: Vec<(Name, Vec<Looked>)> = forms(subject.name)
            .into_iter()
            .filter(|name| !name.verbatim.is_empty())
            .map(|name| {
                let looked = self.index.look_up(&name);
                (name, looked)
            })
            .collect();
        let mut found: BTreeMap<usize, Evidence> = BTreeMap::new();
        self.by_name(&names, &mut found);
        self.by_identifier(&own, &names, &mut found);
        for (client, told) in self.aliases.tell(names.iter().map(|(name, _)| name)) {
            let evidence = found.entry(client).or_default();
            evidence.signals.push(told.signal);
            evidence.against.extend(told.against);
        }
        for (client, evidence) in &mut found {
            self.combine(*client, &own, evidence);
        }
        let mut ranked: Vec<(usize, Evidence)> =
            found.into_iter().filter(|(_, evidence)| evidence.score > 0.0).collect();
        ranked.sort_by(|a, b| {
            b.1.score.total_cmp(&a.1.score).then(self.candidates[a.0].client_id.cmp(&self.candidates[b.0].client_id))
        });
        let contest = self.contest(&ranked);
        let clear = ranked.get(1).is_none_or(|second| ranked[0].1.score - second.1.score >= CLEAR);
        ranked.truncate(best);
        let ranked = ranked.into_iter().enumerate();
        ranked
            .map(|(rank, (client, evidence))| {
                self.explain(client, evidence, &names, contest.as_ref(), clear && rank == 0)
            })
            .collect()
    }

    fn by_name(&self, names: &[(Name, Vec<Looked>)], found: &mut BTreeMap<usize, Evidence>) {
        for (which, (name, looked)) in names.iter().enumerate() {
            for at in self.index.candidates(name, looked) {
                let form = &self.index.forms[at as usize];
                let comparison = compare(&self.index, name, looked, form);
                let evidence = found.entry(form.client).or_default();
                if evidence.name.as_ref().is_none_or(|(_, _, best)| best.score < comparison.score) {
                    evidence.name = Some((which, at as usize, comparison));
                }
            }
        }
    }

    fn by_identifier(&self, own: &Identifiers, names: &[(Name, Vec<Looked>)], found: &mut BTreeMap<usize, Evidence>) {
        let mut note = |clients: &[usize], kind, unique: f64, shared: f64, detail: String| {
            for client in clients {
                let evidence = found.entry(*client).or_default();
                let alone = clients.len() == 1;
                let strong = kind != SignalKind::DomainIsName;
                evidence.identified |= alone && strong;
                evidence.signals.push(Signal {
                    kind,
                    weight: if alone { unique } else { shared },
                    detail: detail.clone(),
                });
                if !alone && strong {
                    let detail = format!("{} clients have this in common: {detail}", clients.len());
                    evidence.against.push(Signal {
                        kind: SignalKind::SharedIdentifier,
                        weight: unique - shared,
                        detail,
                    });
                }
            }
        };
        for tenant in &own.tenants {
            note(self.directory.with_tenant(tenant), SignalKind::Tenant, 1.0, 0.6, format!("same tenant {tenant}"));
        }
        for (system, id) in &own.external {
            let clients = self.directory.with_external(&(system.clone(), id.clone()));
            note(clients, SignalKind::ExternalId, 0.99, 0.6, format!("same {system} id {id}"));
        }
        for domain in &own.domains {
            let clients = self.directory.with_domain(domain);
            note(clients, SignalKind::Domain, 0.95, 0.5, format!("same domain {domain}"));
            if let Some(label) = label(domain).filter(|_| clients.is_empty()) {
                let clients = self.index.called(&label);
                note(&clients, SignalKind::DomainIsName, 0.7, 0.4, format!("the domain {domain} is the client's name"));
            }
        }
        for (name, _) in names {
            let mut clients = self.directory.with_label(&name.letters).to_vec();
            clients.retain(|client| {
                self.directory.clients[*client].domains.iter().all(|domain| !own.domains.contains(domain))
            });
            note(
                &clients,
                SignalKind::DomainIsName,
                0.7,
                0.4,
                format!("“{}” is a domain of the client", name.verbatim),
            );
        }
    }

    /// Brings names and identifiers together: each reason for leaves less doubt, each against takes its part.
    fn combine(&self, client: usize, own: &Identifiers, evidence: &mut Evidence) {
        let theirs = &self.directory.clients[client];
        let name = evidence.name.as_ref().map_or(0.0, |(_, _, comparison)| comparison.score);
        let doubt = evidence.signals.iter().fold(1.0 - name, |doubt, signal| doubt * (1.0 - signal.weight));
        let mut score = (1.0 - doubt).clamp(0.0, 1.0);
        let has = |kind| evidence.signals.iter().any(|signal| signal.kind == kind);
        let tenant = has(SignalKind::Tenant);
        let domain = own.domains.iter().any(|domain| theirs.domains.contains(domain));
        let other_tenant = !tenant && !own.tenants.is_empty() && !theirs.tenants.is_empty();
        let other_domain = !domain && !tenant && !own.domains.is_empty() && !theirs.domains.is_empty();
        let other_external = own.external.iter().find(|(system, id)| {
            let mut held = theirs.external.iter().filter(|(known, _)| known == system).peekable();
            held.peek().is_some() && held.all(|(_, known)| known != id)
        });
        let mut lower = |applies: bool, kind, factor: f64, detail: &dyn Fn() -> String| {
            if applies {
                evidence.against.push(Signal { kind, weight: score * (1.0 - factor), detail: detail() });
                score *= factor;
            }
        };
        lower(other_tenant, SignalKind::OtherTenant, 0.75, &|| {
            format!("the client has tenant {}", theirs.tenants.join(", "))
        });
        lower(other_external.is_some(), SignalKind::OtherExternalId, 0.7, &|| {
            let system = other_external.map_or("", |(system, _)| system);
            format!("the client has another {system} id")
        });
        lower(other_domain, SignalKind::OtherDomain, 0.95, &|| format!("the client has {}", theirs.domains.join(", ")));
        lower(evidence.identified && !tenant && name < 0.3, SignalKind::UnlikeName, 0.93, &|| {
            "the names are not alike".to_owned()
        });
        evidence.score = score;
    }

    /// If the best is not clearly the best: the factor for all scores, and the names of those in contest.
    fn contest(&self, ranked: &[(usize, Evidence)]) -> Option<(f64, String)> {
        let [(_, best), rest @ ..] = ranked else { return None };
        let second = rest.first()?;
        let tenant =
            |evidence: &Evidence| evidence.identified && evidence.signals.iter().any(|s| s.kind == SignalKind::Tenant);
        let identified_elsewhere = rest.iter().find(|(_, other)| other.identified);
        let (rival, gap) = match identified_elsewhere {
            // Two identifiers that name two clients, or one that names another than the equal name does.
            Some(other) => (other, (best.score - other.1.score).min(0.2 * RIVAL)),
            None => (second, best.score - second.1.score),
        };
        let equal_name = |evidence: &Evidence| {
            evidence
                .name
                .as_ref()
                .is_some_and(|(_, _, comparison)| !matches!(comparison.tier, Tier::Similar | Tier::Acronym))
        };
        let settled = tenant(best) && !rest.iter().any(|(_, other)| other.identified)
            || identified_elsewhere.is_none()
                && !equal_name(&rival.1)
                && (equal_name(best) && gap >= 0.02 || best.identified);
        let worth = best.score >= WORTH_A_LOOK;
        if settled || gap >= RIVAL || !worth {
            return None;
        }
        let name = |client: usize| self.candidates[client].names.first().map_or("", String::as_str);
        Some((
            0.5 + 0.5 * gap.max(0.0) / RIVAL,
            format!("“{}” and “{}” fit nearly as well", name(ranked[0].0), name(rival.0)),
        ))
    }

    fn explain(
        &self,
        client: usize,
        mut evidence: Evidence,
        names: &[(Name, Vec<Looked>)],
        contest: Option<&(f64, String)>,
        clear: bool,
    ) -> Suggestion {
        let mut score = evidence.score;
        if let Some((which, at, comparison)) = evidence.name.take().filter(|(_, _, comparison)| comparison.score > 0.0)
        {
            let (name, looked) = &names[which];
            let form = &self.index.forms[at];
            for_name(&comparison, name, form, &self.index, &mut evidence.signals);
            against_name(&comparison, name, form, &mut evidence.against);
            if clear && nearly_exact(&comparison, name, looked, form) {
                let detail = "all words correspond but for one letter, and no other client comes near".to_owned();
                evidence.signals.push(Signal { kind: SignalKind::NearlyExact, weight: comparison.score, detail });
            }
        }
        if let Some((factor, detail)) = contest {
            let weight = score * (1.0 - factor);
            evidence.against.push(Signal { kind: SignalKind::Contested, weight, detail: detail.clone() });
            score *= factor;
        }
        let (mut signals, mut against) = (evidence.signals, evidence.against);
        for list in [&mut signals, &mut against] {
            list.sort_by(|a, b| b.weight.total_cmp(&a.weight));
        }
        Suggestion { client_id: self.candidates[client].client_id, score: score.clamp(0.0, 1.0), signals, against }
    }
}
