//! Names that people taught: whoever is asked about later under one of them probably belongs to the same client.

use std::collections::{BTreeMap, HashMap};

use super::{Candidate, Signal, SignalKind, normalise::Name};

/// What a name that belongs to one client tells.
const ALONE: f64 = 0.98;
/// What it tells if several clients have it: a person has to decide.
const SHARED: f64 = 0.6;

/// Who is known by which name, by position of the client.
#[derive(Debug, Default)]
pub struct Aliases(HashMap<String, BTreeMap<usize, Known>>);

#[derive(Debug)]
struct Known {
    /// Countries of its legal form.
    countries: u64,
    /// How it was learned.
    evidence: String,
}

/// Whether two legal forms are of different countries: two businesses, however alike the rest of their names.
fn apart(one: u64, other: u64) -> bool {
    one != 0 && other != 0 && one & other == 0
}

/// What an alias says about a client.
#[derive(Debug)]
pub struct Told {
    /// For it.
    pub signal: Signal,
    /// Against it, if it is not its alone.
    pub against: Option<Signal>,
}

impl Aliases {
    /// Builds it.
    pub fn new(candidates: &[Candidate]) -> Self {
        let mut known: HashMap<String, BTreeMap<usize, Known>> = HashMap::new();
        for (at, candidate) in candidates.iter().enumerate() {
            for alias in &candidate.aliases {
                let name = Name::of(&alias.name);
                if !name.verbatim.is_empty() {
                    let clients = known.entry(name.bare().to_owned()).or_default();
                    let learned = || Known { countries: name.legal.countries, evidence: alias.evidence.clone() };
                    clients.entry(at).or_insert_with(learned);
                }
            }
        }
        Self(known)
    }

    /// What is known of the forms of one name, by client.
    pub fn tell<'a>(&self, names: impl Iterator<Item = &'a Name>) -> BTreeMap<usize, Told> {
        let mut told = BTreeMap::new();
        for name in names {
            let Some(clients) = self.0.get(name.bare()) else { continue };
            let clients: Vec<(&usize, &Known)> =
                clients.iter().filter(|(_, known)| !apart(name.legal.countries, known.countries)).collect();
            let alone = clients.len() == 1;
            for (client, known) in &clients {
                let weight = if alone { ALONE } else { SHARED };
                let against = (!alone).then(|| Signal {
                    kind: SignalKind::SharedAlias,
                    weight: ALONE - SHARED,
                    detail: format!("{} clients are known by this name", clients.len()),
                });
                let signal = Signal { kind: SignalKind::Alias, weight, detail: known.evidence.clone() };
                told.entry(**client).or_insert(Told { signal, against });
            }
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use crate::matching::{Decision, LearnedName, Matcher, Subject, decide, tests::id};

    use super::*;

    const TENANT: &str = "5b0c2f7e-0000-4000-8000-00000000000a";

    fn has(signals: &[Signal], kind: SignalKind) -> bool {
        signals.iter().any(|signal| signal.kind == kind)
    }

    fn learned(n: u128, name: &str, alias: &str) -> Candidate {
        let evidence = format!("somebody said that {alias} is {name}");
        let aliases = vec![LearnedName { name: alias.to_owned(), evidence }];
        Candidate { aliases, ..Candidate::named(id(n), vec![name.to_owned(), alias.to_owned()]) }
    }

    #[test]
    fn a_name_that_a_person_taught_is_accepted_with_its_evidence() {
        let all = || {
            vec![learned(1, "Harbour Dental", "HDC Portal"), Candidate::named(id(2), vec!["Orchid Tours".to_owned()])]
        };
        for name in ["HDC Portal", "hdc  portal", "HDC Portal Ltd", "Orchidee t/a HDC Portal"] {
            let found = Matcher::new(all()).suggest(&Subject::named(name), 5);
            let signal = found[0].signals.iter().find(|signal| signal.kind == SignalKind::Alias).expect("the signal");
            assert_eq!(
                (signal.weight, signal.detail.as_str()),
                (0.98, "somebody said that HDC Portal is Harbour Dental")
            );
            assert_eq!(found[0].signals.iter().filter(|signal| signal.kind == SignalKind::Alias).count(), 1);
            assert_eq!(decide(&found, 0.99), Decision::Accept(id(1)), "{name}: {found:?}");
        }
        for name in ["HDC Portals Group", "Harbour Dental", "Portal"] {
            let found = Matcher::new(all()).suggest(&Subject::named(name), 5);
            assert!(!found.iter().any(|one| has(&one.signals, SignalKind::Alias)), "{name}: {found:?}");
        }
        // A form of another country is another business, whatever a person said of the first.
        let matcher = Matcher::new(vec![learned(1, "Harbour Dental", "Falcon Cranes GmbH")]);
        let found = matcher.suggest(&Subject::named("Falcon Cranes Pty Ltd"), 5);
        assert!(
            !has(&found[0].signals, SignalKind::Alias) && has(&found[0].against, SignalKind::OtherCountry),
            "{found:?}"
        );
        assert_eq!(decide(&found, 0.0), Decision::Review);
        let both = vec![
            learned(1, "Harbour Dental", "Falcon Cranes GmbH"),
            learned(2, "Orchid Tours", "Falcon Cranes Pty Ltd"),
        ];
        let found = Matcher::new(both).suggest(&Subject::named("FALCON CRANES PTY LTD"), 5);
        assert_eq!(decide(&found, 0.95), Decision::Accept(id(2)), "{found:?}");
    }

    #[test]
    fn a_name_that_people_taught_of_two_clients_is_ambiguous_but_for_a_tenant() {
        let all = |tenant: Option<&str>| {
            let tenant_ids = tenant.map(str::to_owned).into_iter().collect();
            vec![
                Candidate { tenant_ids, ..learned(1, "Harbour Dental", "HDC Portal") },
                learned(2, "Orchid Tours", "hdc portal pty ltd"),
                learned(3, "Kettle", "Moss"),
            ]
        };
        for threshold in [0.0, 0.5, 1.0] {
            let found = Matcher::new(all(None)).suggest(&Subject::named("HDC Portal"), 5);
            assert_eq!(decide(&found, threshold), Decision::Ambiguous, "{found:?}");
            for one in &found[..2] {
                assert!(has(&one.signals, SignalKind::Alias) && has(&one.against, SignalKind::SharedAlias), "{one:?}");
            }
        }
        let subject = Subject { tenant_id: Some(TENANT), ..Subject::named("HDC Portal") };
        let found = Matcher::new(all(Some(TENANT))).suggest(&subject, 5);
        assert_eq!(decide(&found, 0.95), Decision::Accept(id(1)), "{found:?}");
        // Even where nothing else than what was taught is left of one of them.
        let bare = |n, name: &str| Candidate { names: vec![name.to_owned()], ..learned(n, name, "HDC Portal") };
        let matcher = Matcher::new(vec![learned(1, "Harbour Dental", "HDC Portal"), bare(2, "Orchid Tours")]);
        assert_eq!(decide(&matcher.suggest(&Subject::named("HDC Portal"), 5), 0.5), Decision::Ambiguous);
    }
}
