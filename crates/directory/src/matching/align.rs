//! Lays the words of two names against each other: which are the same, which are spelt otherwise, which are left over.

use super::{
    index::{Form, Index, Looked, likeness},
    normalise::{Name, Token},
    tables::Class,
};

/// How two words, or runs of words, correspond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// The same word (or the same after folding and spelling out).
    Same,
    /// The same letters, divided into words otherwise.
    Spacing,
    /// A few letters differ.
    Typing,
    /// One is a shorter way to write the other.
    Abbreviation,
    /// One was cut off.
    Cut,
    /// One is the initials of the other.
    Initials,
}

/// A run of words of the subject that corresponds to a run of words of the client's name.
#[derive(Clone, Copy, Debug)]
pub struct Pair {
    /// Where and how many, in the subject's name.
    pub subject: (usize, usize),
    /// Where and how many, in the client's name.
    pub client: (usize, usize),
    /// How.
    pub link: Link,
    /// 0 to 1.
    pub alike: f64,
}

/// Two names laid against each other.
#[derive(Clone, Debug, Default)]
pub struct Alignment {
    /// What corresponds.
    pub pairs: Vec<Pair>,
    /// Words of the subject left over.
    pub subject_left: Vec<usize>,
    /// Words of the client's name left over.
    pub client_left: Vec<usize>,
}

struct Work<'a> {
    index: &'a Index,
    subject: &'a Name,
    looked: &'a [Looked],
    form: &'a Form,
    subject_free: Vec<bool>,
    client_free: Vec<bool>,
    pairs: Vec<Pair>,
}

/// Lays them against each other: equal words first, then words written together or apart, then the likest pairs.
pub fn align(index: &Index, subject: &Name, looked: &[Looked], form: &Form) -> Alignment {
    let mut work = Work {
        index,
        subject,
        looked,
        form,
        subject_free: vec![true; subject.tokens.len()],
        client_free: vec![true; form.words.len()],
        pairs: Vec::with_capacity(subject.tokens.len()),
    };
    work.same();
    work.spacing();
    work.similar();
    work.initials();
    let left = |free: &[bool]| (0..free.len()).filter(|at| free[*at]).collect();
    Alignment { subject_left: left(&work.subject_free), client_left: left(&work.client_free), pairs: work.pairs }
}

impl Work<'_> {
    fn take(&mut self, subject: (usize, usize), client: (usize, usize), link: Link, alike: f64) {
        self.subject_free[subject.0..subject.0 + subject.1].fill(false);
        self.client_free[client.0..client.0 + client.1].fill(false);
        self.pairs.push(Pair { subject, client, link, alike });
    }

    fn same(&mut self) {
        for at in 0..self.looked.len() {
            let Some(word) = self.looked[at].word else { continue };
            let found =
                (0..self.form.words.len()).find(|other| self.client_free[*other] && self.form.words[*other] == word);
            if let Some(other) = found {
                self.take((at, 1), (other, 1), Link::Same, 1.0);
            }
        }
    }

    fn spacing(&mut self) {
        let (subject, client) = (&self.subject.tokens, &self.form.name.tokens);
        for at in 0..subject.len() {
            for other in 0..client.len() {
                if !self.subject_free[at] || !self.client_free[other] {
                    continue;
                }
                if self.client_free.get(other + 1) == Some(&true)
                    && is_both(&subject[at], &client[other], &client[other + 1])
                {
                    self.take((at, 1), (other, 2), Link::Spacing, 0.97);
                } else if self.subject_free.get(at + 1) == Some(&true)
                    && is_both(&client[other], &subject[at], &subject[at + 1])
                {
                    self.take((at, 2), (other, 1), Link::Spacing, 0.97);
                }
            }
        }
    }

    fn similar(&mut self) {
        let mut found: Vec<(f64, usize, usize, Link)> = Vec::new();
        for at in (0..self.subject_free.len()).filter(|at| self.subject_free[*at]) {
            for other in (0..self.client_free.len()).filter(|other| self.client_free[*other]) {
                found.extend(self.compare(at, other).map(|(link, alike)| (alike, at, other, link)));
            }
        }
        found.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
        for (alike, at, other, link) in found {
            if self.subject_free[at] && self.client_free[other] {
                self.take((at, 1), (other, 1), link, alike);
            }
        }
    }

    fn compare(&self, at: usize, other: usize) -> Option<(Link, f64)> {
        let (subject, client) = (&self.subject.tokens[at], &self.form.name.tokens[other]);
        let (look, word) = (&self.looked[at], self.form.words[other]);
        if subject.class == Class::Number || client.class == Class::Number {
            return None;
        }
        let (subject_last, client_last) = (at + 1 == self.subject.tokens.len(), other + 1 == self.form.words.len());
        let cut = (subject_last && begins(&client.key, &subject.key, look.known))
            || (client_last && begins(&subject.key, &client.key, self.index.is_known(word)));
        if cut {
            let both_known = look.known && self.index.is_known(word);
            let left = subject.key.chars().count().min(client.key.chars().count());
            return Some((Link::Cut, cut_worth(left, both_known)));
        }
        // Two real words are two words, however alike: Dental is not Rental.
        let both_known = look.known && self.index.is_known(word);
        let short =
            |short: &Token, long: &Token| abbreviates(&short.key, &long.key) || abbreviates(&short.plain, &long.plain);
        if !look.known && short(subject, client) || !self.index.is_known(word) && short(client, subject) {
            return Some((Link::Abbreviation, 0.85));
        }
        if both_known {
            return None;
        }
        let doubt = if look.known { 0.95 } else { 1.0 };
        let near = look.near.iter().find(|(near, _)| *near == word).map(|(_, alike)| alike * doubt);
        let spelt_out = subject.key != subject.plain || client.key != client.plain;
        let by_text =
            || spelt_out.then(|| likeness(&subject.plain, &client.plain)).flatten().map(|alike| alike * doubt);
        near.or_else(by_text).map(|alike| (Link::Typing, alike))
    }

    fn initials(&mut self) {
        for at in 0..self.subject_free.len() {
            let letters = self.subject.tokens[at].key.chars().count();
            if self.subject_free[at] && !self.looked[at].known && (2..=6).contains(&letters) {
                let found = run_with_initials(&self.subject.tokens[at].key, &self.form.name.tokens, &self.client_free);
                if let Some(start) = found {
                    self.take((at, 1), (start, letters), Link::Initials, initials_worth(letters));
                }
            }
        }
        for other in 0..self.client_free.len() {
            let token = &self.form.name.tokens[other];
            let letters = token.key.chars().count();
            if self.client_free[other] && token.class == Class::Plain && (2..=6).contains(&letters) {
                let found = run_with_initials(&token.key, &self.subject.tokens, &self.subject_free);
                if let Some(start) = found {
                    self.take((start, letters), (other, 1), Link::Initials, initials_worth(letters));
                }
            }
        }
    }
}

/// What the beginning of a word is worth that stands for the word.
fn cut_worth(letters: usize, both_known: bool) -> f64 {
    match letters {
        0..3 => 0.6,
        3 => 0.75,
        _ if both_known => 0.7,
        _ => 0.88,
    }
}

/// What initials are worth: the fewer the letters, the more names have them.
pub fn initials_worth(letters: usize) -> f64 {
    match letters {
        0..3 => 0.4,
        3 => 0.74,
        4 => 0.82,
        _ => 0.88,
    }
}

fn run_with_initials(initials: &str, tokens: &[Token], free: &[bool]) -> Option<usize> {
    let letters = initials.chars().count();
    (0..(tokens.len() + 1).saturating_sub(letters)).find(|start| {
        let run = *start..*start + letters;
        free[run.clone()].iter().all(|free| *free)
            && tokens[run].iter().zip(initials.chars()).all(|(token, letter)| token.text.starts_with(letter))
    })
}

fn is_both(whole: &Token, first: &Token, second: &Token) -> bool {
    let split = |whole: &str, first: &str, second: &str| whole.strip_prefix(first).is_some_and(|rest| rest == second);
    split(&whole.key, &first.key, &second.key) || split(&whole.plain, &first.plain, &second.plain)
}

/// Whether `start` is a cut-off `whole`. A single letter may be; a real word that happens to begin another needs more.
fn begins(whole: &str, start: &str, start_is_known: bool) -> bool {
    let least = if start_is_known { 4 } else { 1 };
    start.chars().count() >= least && whole.len() > start.len() && whole.starts_with(start)
}

/// Whether `short` looks like an abbreviation of `long`: its beginning, or its letters with vowels left out.
fn abbreviates(short: &str, long: &str) -> bool {
    let (count, whole) = (short.chars().count(), long.chars().count());
    if !(2..=6).contains(&count) || whole < count + 2 || short.chars().next() != long.chars().next() {
        return false;
    }
    if count >= 3 && long.starts_with(short) {
        return true;
    }
    let vowels = short.chars().skip(1).filter(|letter| "aeiou".contains(*letter)).count();
    let mut letters = long.chars();
    count >= 3 && vowels == 0 && short.chars().all(|letter| letters.any(|other| other == letter))
}
