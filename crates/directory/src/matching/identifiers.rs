//! Identifiers: Microsoft 365 tenants, ids that other systems gave, DNS domains.

use std::collections::HashMap;

use super::{Candidate, Subject, normalise::key, tables::SHARED_DOMAIN};

/// Clients looked at that have one identifier in common; from two on nothing is accepted by it.
const MOST_SHARERS: usize = 12;

/// Identifiers of one business, brought to one spelling; placeholders and shared domains left out.
#[derive(Clone, Debug, Default)]
pub struct Identifiers {
    /// Microsoft 365 tenants.
    pub tenants: Vec<String>,
    /// (system, id).
    pub external: Vec<(String, String)>,
    /// Domains.
    pub domains: Vec<String>,
}

impl Identifiers {
    /// Those of an entity.
    pub fn of_subject(subject: &Subject<'_>) -> Self {
        Self {
            tenants: subject.tenant_id.and_then(tenant).into_iter().collect(),
            external: subject.external_ids.iter().filter_map(|(system, id)| external(system, id)).collect(),
            domains: tidy(subject.domains.iter().filter_map(|text| domain(text)).collect()),
        }
    }

    fn of_candidate(candidate: &Candidate) -> Self {
        Self {
            tenants: tidy(candidate.tenant_ids.iter().filter_map(|text| tenant(text)).collect()),
            external: tidy(candidate.external_ids.iter().filter_map(|(system, id)| external(system, id)).collect()),
            domains: tidy(candidate.domains.iter().filter_map(|text| domain(text)).collect()),
        }
    }
}

/// The clients' identifiers, and who has which.
#[derive(Debug, Default)]
pub struct Directory {
    /// By position of the client.
    pub clients: Vec<Identifiers>,
    tenants: HashMap<String, Vec<usize>>,
    external: HashMap<(String, String), Vec<usize>>,
    domains: HashMap<String, Vec<usize>>,
    labels: HashMap<String, Vec<usize>>,
}

impl Directory {
    /// Builds it.
    pub fn new(candidates: &[Candidate]) -> Self {
        let mut directory = Self::default();
        for (at, candidate) in candidates.iter().enumerate() {
            let own = Identifiers::of_candidate(candidate);
            for tenant in &own.tenants {
                directory.tenants.entry(tenant.clone()).or_default().push(at);
            }
            for external in &own.external {
                directory.external.entry(external.clone()).or_default().push(at);
            }
            for domain in &own.domains {
                directory.domains.entry(domain.clone()).or_default().push(at);
                if let Some(label) = label(domain) {
                    let clients = directory.labels.entry(label).or_default();
                    if clients.last() != Some(&at) {
                        clients.push(at);
                    }
                }
            }
            directory.clients.push(own);
        }
        directory
    }

    /// Clients with this tenant.
    pub fn with_tenant(&self, tenant: &str) -> &[usize] {
        self.tenants.get(tenant).map_or(&[], |clients| &clients[..clients.len().min(MOST_SHARERS)])
    }

    /// Clients with this id.
    pub fn with_external(&self, external: &(String, String)) -> &[usize] {
        self.external.get(external).map_or(&[], |clients| &clients[..clients.len().min(MOST_SHARERS)])
    }

    /// Clients with this domain; none if so many have it that it is nobody's, such as the MSP's own.
    pub fn with_domain(&self, domain: &str) -> &[usize] {
        self.domains.get(domain).filter(|clients| clients.len() <= MOST_SHARERS).map_or(&[], Vec::as_slice)
    }

    /// Clients one of whose domains is called this.
    pub fn with_label(&self, label: &str) -> &[usize] {
        self.labels.get(label).map_or(&[], |clients| &clients[..clients.len().min(MOST_SHARERS)])
    }
}

/// What a domain is called: its longest part before the suffix, folded ("harbourdental").
pub fn label(domain: &str) -> Option<String> {
    let own =
        SHARED_DOMAIN.iter().find_map(|shared| domain.strip_suffix(shared)).unwrap_or(domain).trim_end_matches('.');
    let own = if own.len() < domain.len() { own } else { own.rsplit_once('.').map_or(own, |(rest, _)| rest) };
    let longest = own.split('.').max_by_key(|part| part.len())?;
    let label = key(&longest.replace('-', ""));
    (label.chars().count() > 4).then_some(label)
}

/// A tenant id without case, braces and hyphens; nothing for a blank or a null GUID.
fn tenant(text: &str) -> Option<String> {
    let id: String = text.trim().to_lowercase().chars().filter(|c| !matches!(c, '{' | '}' | '-')).collect();
    (!id.chars().all(|c| c == '0')).then_some(id)
}

/// A (system, id); nothing for what systems write when they have none.
fn external(system: &str, id: &str) -> Option<(String, String)> {
    let (system, id) = (system.trim().to_lowercase(), id.trim().to_lowercase());
    let nothing = ["", "0", "-1", "null", "none", "n/a", "na", "-", "undefined", "unknown"].contains(&id.as_str());
    (!nothing && tenant(&id).is_some()).then_some((system, id))
}

/// A domain without scheme, `www.` and path; nothing for a mail provider's or what is no domain.
fn domain(text: &str) -> Option<String> {
    let lower = text.trim().to_lowercase();
    let rest = lower.split_once("://").map_or(lower.as_str(), |(_, rest)| rest);
    let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
    let host = rest.split(['/', ':', '?']).next().unwrap_or_default().trim_end_matches('.');
    let host = host.strip_prefix("www.").unwrap_or(host);
    let labelled = host.contains('.') && host.split('.').all(|part| !part.is_empty());
    (labelled && !SHARED_DOMAIN.contains(host)).then(|| host.to_owned())
}

fn tidy<T: Ord>(mut all: Vec<T>) -> Vec<T> {
    all.sort_unstable();
    all.dedup();
    all
}
