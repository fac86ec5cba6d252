//! Which client does an entity of a vendor belong to? Suggestions with their reasons, and a careful decision.
//!
//! Pure: no store, no clock. Build a [`Matcher`] from the clients, ask [`Matcher::suggest`] for each entity, give the answer
//! to [`decide`]. Identifiers come first (tenant, ids held by another tool, domains nobody shares), then the normalised name;
//! names that are merely alike are suggested, and accepted only under the rule of [`SignalKind::NearlyExact`].
//!
//! * `tables.rs`: words (legal forms, abbreviations, trades, places, shared domains). Most changes belong here.
//! * `normalise.rs`: from a name as written to comparable parts.
//! * `index.rs`: which names are worth comparing. `align.rs`, `score.rs`: how alike two names are.
//! * `identifiers.rs`: tenants, domains, ids. `aliases.rs`: names that people taught. `suggest.rs`: everything together. `explain.rs`: the words for people.
//! * `decide.rs`: accept, ambiguous, review or none.
//!
//! After a change run the tests with `--release --nocapture` and read the figures `corpus.rs` prints.

use std::collections::BTreeMap;

use domain::ClientId;
use serde::{Deserialize, Serialize};

mod aliases;
mod align;
mod decide;
mod explain;
mod identifiers;
mod index;
mod normalise;
mod score;
mod suggest;
mod tables;

#[cfg(test)]
mod corpus;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

pub(crate) use identifiers::Identifiers;
pub(crate) use normalise::bare;

pub use decide::{Decision, decide};
pub use suggest::Matcher;

/// What is known of an entity that is to find its client.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// Its name at the vendor.
    pub name: &'a str,
    /// Its DNS domains.
    pub domains: &'a [String],
    /// Its Microsoft 365 tenant.
    pub tenant_id: Option<&'a str>,
    /// Ids that other systems gave it, by system ("psa" → "1042").
    pub external_ids: &'a BTreeMap<String, String>,
}

impl<'a> Subject<'a> {
    /// An entity of which only the name is known.
    pub fn named(name: &'a str) -> Self {
        static NONE: BTreeMap<String, String> = BTreeMap::new();
        Self { name, domains: &[], tenant_id: None, external_ids: &NONE }
    }
}

/// A client an entity may belong to, with all that its mapped entities have taught us.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The client.
    pub client_id: ClientId,
    /// Its name, and the names of entities mapped to it.
    pub names: Vec<String>,
    /// DNS domains of it and of its entities.
    pub domains: Vec<String>,
    /// Its Microsoft 365 tenants.
    pub tenant_ids: Vec<String>,
    /// Ids by system; a system may hold several.
    pub external_ids: Vec<(String, String)>,
    /// Names that people taught us; each stands among `names` too.
    pub aliases: Vec<LearnedName>,
}

/// A name that a person taught us, by mapping an entity of that name to the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LearnedName {
    /// The name.
    pub name: String,
    /// How it was learned, in words for people.
    pub evidence: String,
}

impl Candidate {
    /// A client of which only names are known.
    pub fn named(client_id: ClientId, names: Vec<String>) -> Self {
        Self {
            client_id,
            names,
            domains: Vec::new(),
            tenant_ids: Vec::new(),
            external_ids: Vec::new(),
            aliases: Vec::new(),
        }
    }
}

/// A client that may be the right one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Suggestion {
    /// The client.
    pub client_id: ClientId,
    /// 0 to 1: how sure it is that the entity belongs to it.
    pub score: f64,
    /// What speaks for it, weightiest first.
    pub signals: Vec<Signal>,
    /// What speaks against it, weightiest first.
    pub against: Vec<Signal>,
}

/// One reason.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Signal {
    /// What it is about.
    pub kind: SignalKind,
    /// How much it tells, 0 to 1: the score it would give alone, or its part of the name's score; of a reason against,
    /// how much of the score it took.
    pub weight: f64,
    /// In words, for people.
    pub detail: String,
}

/// What a reason is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignalKind {
    /// For: the same Microsoft 365 tenant.
    Tenant,
    /// For: the same id in another system.
    ExternalId,
    /// For: the same domain, one that is no mail provider's.
    Domain,
    /// For: the domain of one is the name of the other.
    DomainIsName,
    /// For: a person mapped an entity of this name to the client.
    Alias,
    /// For: the same name but for case and blanks.
    SameName,
    /// For: the same name after normalising.
    ExactName,
    /// For: the same words in another order.
    WordOrder,
    /// For: the same letters, divided into words otherwise.
    Spacing,
    /// For: words in common.
    SharedWords,
    /// For: words in common but for typing errors.
    Typing,
    /// For: words of which one is short for the other.
    Abbreviation,
    /// For: words of which one was cut off.
    Cut,
    /// For: initials.
    Initials,
    /// For: every word corresponds and nothing is left over on either side; one word of six letters or more has one slip
    /// of the kind fingers make and families do not, and is no word we know; at least one other word that is not filler is
    /// equal; no other client comes near. The only likeness of names that is accepted without being equality.
    NearlyExact,
    /// Against: it is known to have another Microsoft 365 tenant.
    OtherTenant,
    /// Against: the same system gave it another id.
    OtherExternalId,
    /// Against: it has other domains.
    OtherDomain,
    /// Against: an identifier in common belongs to several clients.
    SharedIdentifier,
    /// Against: people mapped entities of this name to several clients.
    SharedAlias,
    /// Against: an identifier is the same, the names are not at all.
    UnlikeName,
    /// Against: another place in the name.
    OtherPlace,
    /// Against: another number in the name, or a number in one only.
    OtherNumber,
    /// Against: another distinguishing word where this one should stand.
    OtherWord,
    /// Against: a legal form of another country.
    OtherCountry,
    /// Against: another legal form.
    OtherLegalForm,
    /// Against: words of one name that the other lacks.
    LeftOver,
    /// Against: only words in common that many businesses have.
    OnlyCommonWords,
    /// Against: another client fits as well, or nearly.
    Contested,
}
