//! How alike two names are, from 0 to 1, and why.
//!
//! | names | score |
//! |---|---|
//! | the same, but for case and blanks | 0.99 |
//! | the same after folding, spelling out and without legal form | 0.97 |
//! | the same in another word order, or divided into words otherwise | 0.96 |
//! | anything else | at most 0.94: words in common against words left over |
//!
//! A word left over on one side only was perhaps dropped or cut off. Words left over on both sides mean that one stands
//! where the other should, which is what tells Harbour Dental from Harbour Rental; they cost several times as much.

use super::{
    align::{Alignment, Link, align, initials_worth},
    index::{Form, Index, Looked},
    normalise::Name,
    tables::Class,
};

/// Score of names equal but for case and blanks. Only a tenant is certain.
const VERBATIM: f64 = 0.99;
/// Score of names equal after normalising.
pub const EXACT: f64 = 0.97;
const REORDERED: f64 = 0.96;
/// The most that names which differ can score.
pub const SIMILAR: f64 = 0.94;

/// What a word costs, as a part of its weight: blurred by another spelling,
const BLURRED: f64 = 0.6;
/// standing instead of another,
const INSTEAD: f64 = 1.5;
/// more in the subject's name, at its end or elsewhere,
const ADDED_AT_END: f64 = 0.6;
const ADDED: f64 = 1.0;
/// missing from it, at its end, before its legal form or elsewhere.
const DROPPED_AT_END: f64 = 0.4;
const DROPPED_BEFORE_LEGAL_FORM: f64 = 0.6;
const DROPPED: f64 = 1.1;

/// What kind of likeness the score rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tier {
    /// Equal but for case and blanks.
    Verbatim,
    /// Equal after normalising.
    Exact,
    /// Equal but for word order.
    Reordered,
    /// Equal but for blanks and hyphens.
    Spacing,
    /// One is the initials of the other.
    Acronym,
    /// Words in common.
    Similar,
}

/// Something that speaks against, and the factor it lowers the score by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Doubt {
    /// Legal forms of different countries.
    Country(f64),
    /// Different legal forms of one country.
    LegalForm(f64),
    /// Different numbers.
    Number(f64),
    /// A number in one name only.
    OneNumber(f64),
    /// Different places.
    Place(f64),
    /// Different words in the same role.
    Word(f64),
    /// Nothing in common that tells businesses apart.
    OnlyCommonWords(f64),
}

impl Doubt {
    /// The factor.
    pub fn factor(self) -> f64 {
        match self {
            Self::Country(factor)
            | Self::LegalForm(factor)
            | Self::Number(factor)
            | Self::OneNumber(factor)
            | Self::Place(factor)
            | Self::Word(factor)
            | Self::OnlyCommonWords(factor) => factor,
        }
    }
}

/// A name compared with one form of a client's name.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// 0 to 1, doubts included.
    pub score: f64,
    /// What it rests on.
    pub tier: Tier,
    /// Word by word; empty unless similar.
    pub alignment: Alignment,
    /// What speaks against.
    pub doubts: Vec<Doubt>,
}

/// Compares a name with one form of a client's name.
pub fn compare(index: &Index, name: &Name, looked: &[Looked], form: &Form) -> Comparison {
    let other = &form.name;
    if name.verbatim == other.verbatim {
        return Comparison {
            score: VERBATIM,
            tier: Tier::Verbatim,
            alignment: Alignment::default(),
            doubts: Vec::new(),
        };
    }
    let (tier, base, alignment, mut doubts) = if name.has_no_words() || other.has_no_words() {
        (Tier::Similar, 0.0, Alignment::default(), Vec::new())
    } else if name.sorted == other.sorted {
        let in_order = name.compact == other.compact;
        let tier = if in_order { Tier::Exact } else { Tier::Reordered };
        (tier, if in_order { EXACT } else { REORDERED }, Alignment::default(), Vec::new())
    } else if name.compact == other.compact || name.letters == other.letters {
        (Tier::Spacing, REORDERED, Alignment::default(), Vec::new())
    } else {
        similar(index, name, looked, form)
    };
    doubts.extend(legal_doubt(name, other));
    let score = doubts.iter().fold(base, |score, doubt| score * doubt.factor());
    Comparison { score, tier, alignment, doubts }
}

fn legal_doubt(name: &Name, other: &Name) -> Option<Doubt> {
    let (one, two) = (&name.legal, &other.legal);
    if one.words.is_empty() || two.words.is_empty() || one.words == two.words {
        None
    } else if one.countries != 0 && two.countries != 0 && one.countries & two.countries == 0 {
        Some(Doubt::Country(0.9))
    } else {
        Some(Doubt::LegalForm(0.985))
    }
}

fn similar(index: &Index, name: &Name, looked: &[Looked], form: &Form) -> (Tier, f64, Alignment, Vec<Doubt>) {
    let alignment = align(index, name, looked, form);
    let (score, doubts) = weigh(index, name, looked, form, &alignment);
    let lowered = doubts.iter().fold(score, |score, doubt| score * doubt.factor());
    let acronym = acronym(name, looked, form);
    match acronym {
        Some(worth) if worth > lowered => (Tier::Acronym, worth, Alignment::default(), Vec::new()),
        _ => (Tier::Similar, score, alignment, doubts),
    }
}

/// The worth of one name being the initials of the other.
fn acronym(name: &Name, looked: &[Looked], form: &Form) -> Option<f64> {
    let other = &form.name;
    let letters = |name: &Name| name.tokens[0].key.chars().count();
    if name.tokens.len() == 1 && other.tokens.len() > 1 && other.acronyms.contains(&name.tokens[0].key) {
        let doubt = if looked[0].known { 0.8 } else { 1.0 };
        return Some(initials_worth(letters(name)) * doubt);
    }
    let reverse = other.tokens.len() == 1 && name.tokens.len() > 1 && name.acronyms.contains(&other.tokens[0].key);
    reverse.then(|| initials_worth(letters(other)))
}

fn weigh(index: &Index, name: &Name, looked: &[Looked], form: &Form, alignment: &Alignment) -> (f64, Vec<Doubt>) {
    let (subject, client) = (&name.tokens, &form.name.tokens);
    let subject_weight = |at: usize| looked[at].weight;
    let client_weight = |at: usize| index.weight(form.words[at]);
    let (mut common, mut blurred, mut tells) = (0.0, 0.0, false);
    for pair in &alignment.pairs {
        let (from, count) = pair.subject;
        let (other, others) = pair.client;
        let mut weight: f64 = (other..other + others).map(client_weight).sum::<f64>();
        // A misspelt word is as telling as the word it stands for.
        weight += if pair.link == Link::Same { (from..from + count).map(subject_weight).sum() } else { weight };
        common += weight * pair.alike;
        blurred += weight * (1.0 - pair.alike);
        tells |= (other..other + others).any(|at| client[at].class == Class::Plain)
            || (from..from + count).any(|at| subject[at].class == Class::Plain);
    }
    let subject_end = alignment.pairs.iter().map(|pair| pair.subject.0 + pair.subject.1).max().unwrap_or(0);
    let client_end = alignment.pairs.iter().map(|pair| pair.client.0 + pair.client.1).max().unwrap_or(0);
    // Names lose their ends, seldom their beginnings, and not the words before a legal form that is still there.
    let (mut subject_left, mut added) = (0.0, 0.0);
    for at in &alignment.subject_left {
        subject_left += subject_weight(*at);
        added += subject_weight(*at) * if *at >= subject_end { ADDED_AT_END } else { ADDED };
    }
    let at_end = if name.legal.words.is_empty() { DROPPED_AT_END } else { DROPPED_BEFORE_LEGAL_FORM };
    let (mut client_left, mut dropped) = (0.0, 0.0);
    for at in &alignment.client_left {
        client_left += client_weight(*at);
        dropped += client_weight(*at) * if *at >= client_end { at_end } else { DROPPED };
    }
    let both = subject_left.min(client_left);
    let part = |one_sided: f64, left: f64| if left > 0.0 { one_sided * (left - both) / left } else { 0.0 };
    let against = BLURRED * blurred + INSTEAD * 2.0 * both + part(added, subject_left) + part(dropped, client_left);
    if common <= 0.0 {
        return (0.0, Vec::new());
    }
    let score = SIMILAR * common / (common + against);
    (score, doubts(alignment, name, form, tells))
}

fn doubts(alignment: &Alignment, name: &Name, form: &Form, tells: bool) -> Vec<Doubt> {
    let (subject, client) = (&name.tokens, &form.name.tokens);
    let ours = |class| alignment.subject_left.iter().any(|at| subject[*at].class == class);
    let theirs = |class| alignment.client_left.iter().any(|at| client[*at].class == class);
    let mut doubts = Vec::new();
    match (ours(Class::Number), theirs(Class::Number)) {
        (true, true) => doubts.push(Doubt::Number(0.5)),
        (true, false) | (false, true) => doubts.push(Doubt::OneNumber(0.85)),
        _ => {}
    }
    if ours(Class::Place) && theirs(Class::Place) {
        doubts.push(Doubt::Place(0.7));
    }
    let role = |class| class == Class::Plain || class == Class::Trade;
    let ours_differ = alignment.subject_left.iter().any(|at| role(subject[*at].class));
    let theirs_differ = alignment.client_left.iter().any(|at| role(client[*at].class));
    if ours_differ && theirs_differ {
        doubts.push(Doubt::Word(0.8));
    }
    if !tells && (ours(Class::Plain) || theirs(Class::Plain)) {
        doubts.push(Doubt::OnlyCommonWords(0.6));
    }
    doubts
}
