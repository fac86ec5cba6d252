//! Finds, for a name, the few forms of clients' names worth comparing in full.
//!
//! Blocking is by shared words, by words a few typing errors away (found through letter pairs), by words written together
//! or apart, by the beginning of a cut word, by initials and by the whole text. A name that shares none of these with
//! another is never compared with it.
//!
//! A word's weight depends on how many clients have it and on nothing else, so adding a client that shares no word with
//! two others cannot change how those two compare.

use std::collections::HashMap;

use super::{
    normalise::{Name, Token},
    tables::{Class, class_of},
};

/// Forms compared in full for one name, besides those with equal text or initials.
const BEST_FORMS: usize = 40;
/// A form that shares less than this part of what the best shares is not compared.
const WORTH_COMPARING: f64 = 0.5;
/// A beginning shared by more words than this says too little to look all of them up.
const MOST_COMPLETIONS: usize = 60;

/// One form of one client's name.
#[derive(Debug)]
pub struct Form {
    /// Position of the client.
    pub client: usize,
    /// The name taken apart.
    pub name: Name,
    /// Its words in the index, in the order of the name's tokens.
    pub words: Vec<u32>,
    weight: f64,
}

#[derive(Debug)]
struct Word {
    key: String,
    letters: usize,
    /// Clients that have it.
    clients: u32,
    last_client: usize,
    forms: Vec<u32>,
    class: Class,
    known: bool,
}

/// A word of the name asked about, as the index sees it.
#[derive(Debug)]
pub struct Looked {
    /// The same word in the index.
    pub word: Option<u32>,
    /// How much it tells.
    pub weight: f64,
    /// A real word, as far as we know: in our tables or in a client's name.
    pub known: bool,
    /// Words of the index a few typing errors away, with their likeness below 1.
    pub near: Vec<(u32, f64)>,
}

/// All forms of all names.
#[derive(Debug, Default)]
pub struct Index {
    /// The forms.
    pub forms: Vec<Form>,
    words: Vec<Word>,
    by_key: HashMap<String, u32>,
    by_pair: HashMap<(char, char), Vec<u32>>,
    in_order: Vec<u32>,
    texts: HashMap<String, Vec<u32>>,
    together: HashMap<String, Vec<u32>>,
    joined: HashMap<String, Vec<u32>>,
    acronyms: HashMap<String, Vec<u32>>,
}

impl Index {
    /// Builds it from (client, name).
    pub fn new(names: impl Iterator<Item = (usize, Name)>) -> Self {
        let mut index = Self::default();
        for (client, name) in names {
            index.add(client, name);
        }
        for (at, word) in (0..).zip(&mut index.words) {
            word.known = word.clients > 1 || word.class == Class::Number || class_of(&word.key).is_some();
            for pair in pairs(&word.key) {
                let postings = index.by_pair.entry(pair).or_default();
                if postings.last() != Some(&at) {
                    postings.push(at);
                }
            }
        }
        index.in_order = (0..).take(index.words.len()).collect();
        index.in_order.sort_unstable_by(|a, b| index.words[*a as usize].key.cmp(&index.words[*b as usize].key));
        for at in 0..index.forms.len() {
            index.forms[at].weight = index.forms[at].words.iter().map(|word| index.weight(*word)).sum();
        }
        index
    }

    fn add(&mut self, client: usize, name: Name) {
        let at = u32::try_from(self.forms.len()).unwrap_or(u32::MAX);
        let words = name.tokens.iter().map(|token| self.word(client, at, token)).collect();
        push(&mut self.texts, name.verbatim.clone(), at);
        push(&mut self.together, name.compact.clone(), at);
        push(&mut self.together, name.letters.clone(), at);
        for two in name.tokens.windows(2) {
            push(&mut self.joined, format!("{}{}", two[0].key, two[1].key), at);
            push(&mut self.joined, format!("{}{}", two[0].plain, two[1].plain), at);
        }
        for acronym in &name.acronyms {
            push(&mut self.acronyms, acronym.clone(), at);
        }
        self.forms.push(Form { client, name, words, weight: 0.0 });
    }

    fn word(&mut self, client: usize, form: u32, token: &Token) -> u32 {
        let at = *self.by_key.entry(token.key.clone()).or_insert_with(|| {
            let (key, class) = (token.key.clone(), token.class);
            let letters = key.chars().count();
            self.words.push(Word {
                key,
                letters,
                clients: 0,
                last_client: usize::MAX,
                forms: Vec::new(),
                class,
                known: false,
            });
            u32::try_from(self.words.len() - 1).unwrap_or(u32::MAX)
        });
        let word = &mut self.words[at as usize];
        if word.last_client != client {
            word.last_client = client;
            word.clients += 1;
        }
        if word.forms.last() != Some(&form) {
            word.forms.push(form);
        }
        at
    }

    /// How much a word of the index tells.
    pub fn weight(&self, word: u32) -> f64 {
        let word = &self.words[word as usize];
        weight(word.class, word.letters, word.clients)
    }

    /// A real word: in our tables, or in the names of two clients.
    pub fn is_known(&self, word: u32) -> bool {
        self.words[word as usize].known
    }

    /// Looks a name's words up.
    pub fn look_up(&self, name: &Name) -> Vec<Looked> {
        let mut shared = vec![0_u8; self.words.len()];
        name.tokens.iter().map(|token| self.look_up_word(token, &mut shared)).collect()
    }

    fn look_up_word(&self, token: &Token, shared: &mut [u8]) -> Looked {
        let word = self.by_key.get(&token.key).copied();
        let letters = token.key.chars().count();
        let clients = word.map_or(0, |word| self.words[word as usize].clients);
        let known = word.is_some() || token.class == Class::Number || class_of(&token.key).is_some();
        let near =
            if token.class == Class::Number { Vec::new() } else { self.near(&token.key, letters, known, shared) };
        Looked { word, weight: weight(token.class, letters, clients.max(1)), known, near }
    }

    /// Words within a few typing errors of this one. Of two real words neither is an error for the other.
    fn near(&self, key: &str, letters: usize, known: bool, shared: &mut [u8]) -> Vec<(u32, f64)> {
        let mut touched = Vec::new();
        for pair in pairs(key) {
            for word in self.by_pair.get(&pair).into_iter().flatten() {
                let count = &mut shared[*word as usize];
                if *count == 0 {
                    touched.push(*word);
                }
                *count = count.saturating_add(1);
            }
        }
        let mut near = Vec::new();
        for at in touched {
            let count = usize::from(std::mem::take(&mut shared[at as usize]));
            let word = &self.words[at as usize];
            let longer = letters.max(word.letters);
            let errors = errors_allowed(longer);
            let enough = (longer + 1).saturating_sub(2 * errors + 1).max(2);
            let close = count >= enough && letters.abs_diff(word.letters) <= errors;
            if close && word.class != Class::Number && !(known && word.known) {
                near.extend(likeness(key, &word.key).filter(|alike| *alike < 1.0).map(|alike| (at, alike)));
            }
        }
        near
    }

    /// Positions of the forms worth comparing with this name.
    pub fn candidates(&self, name: &Name, looked: &[Looked]) -> Vec<u32> {
        let mut found: Vec<u32> = Vec::new();
        found.extend(self.texts.get(&name.verbatim).into_iter().flatten());
        if name.has_no_words() {
            return found;
        }
        found.extend(self.together.get(&name.compact).into_iter().flatten());
        found.extend(self.together.get(&name.letters).into_iter().flatten());
        found.truncate(4 * BEST_FORMS);

        let mut points = vec![0.0_f64; self.forms.len()];
        let mut touched: Vec<u32> = Vec::new();
        let mut give = |forms: &[u32], value: f64| {
            for form in forms {
                let sum = &mut points[*form as usize];
                if *sum == 0.0 {
                    touched.push(*form);
                }
                *sum += value;
            }
        };
        for (token, look) in name.tokens.iter().zip(looked) {
            if let Some(word) = look.word {
                give(&self.words[word as usize].forms, look.weight);
            }
            for (word, alike) in &look.near {
                give(&self.words[*word as usize].forms, self.weight(*word) * alike * 0.9);
            }
            if let Some(forms) = self.joined.get(&token.plain) {
                give(forms, 2.0 * look.weight);
            }
            if let Some(forms) = self.acronyms.get(&token.key) {
                give(forms, look.weight);
            }
        }
        for (two, looks) in name.tokens.windows(2).zip(looked.windows(2)) {
            if let Some(word) = self.by_key.get(&format!("{}{}", two[0].key, two[1].key)) {
                give(&self.words[*word as usize].forms, looks[0].weight + looks[1].weight);
            }
        }
        if let (Some(token), Some(look)) = (name.tokens.last(), looked.last()) {
            for word in self.completions(&token.key) {
                give(&self.words[*word as usize].forms, 0.8 * look.weight);
            }
        }
        for acronym in &name.acronyms {
            if let Some(word) = self.by_key.get(acronym) {
                give(&self.words[*word as usize].forms, 0.8);
            }
        }
        let own: f64 = looked.iter().map(|look| look.weight).sum();
        let rank = |form: &u32| points[*form as usize] / (own + self.forms[*form as usize].weight);
        let order = |a: &u32, b: &u32| rank(b).total_cmp(&rank(a)).then(a.cmp(b));
        let top = touched.iter().map(rank).fold(0.0, f64::max);
        touched.retain(|form| rank(form) >= WORTH_COMPARING * top);
        if touched.len() > BEST_FORMS {
            touched.select_nth_unstable_by(BEST_FORMS - 1, order);
            touched.truncate(BEST_FORMS);
        }
        found.extend(touched);
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Clients with a name that is this when written together.
    pub fn called(&self, compact: &str) -> Vec<usize> {
        let forms = self.together.get(compact).into_iter().flatten();
        let mut clients: Vec<usize> = forms.map(|form| self.forms[*form as usize].client).collect();
        clients.dedup();
        clients
    }

    /// Words that begin with this text.
    fn completions(&self, start: &str) -> &[u32] {
        let key = |word: &u32| self.words[*word as usize].key.as_str();
        let from = self.in_order.partition_point(|word| key(word) <= start);
        let until = from + self.in_order[from..].partition_point(|word| key(word).starts_with(start));
        if start.len() < 2 || until - from > MOST_COMPLETIONS { &[] } else { &self.in_order[from..until] }
    }
}

fn push(map: &mut HashMap<String, Vec<u32>>, key: String, form: u32) {
    let forms = map.entry(key).or_default();
    if forms.last() != Some(&form) {
        forms.push(form);
    }
}

fn weight(class: Class, letters: usize, clients: u32) -> f64 {
    let base = match class {
        Class::Plain if letters == 1 => 0.4,
        Class::Plain => 1.0,
        Class::Place | Class::Number => 0.7,
        Class::Trade => 0.6,
        Class::Filler => 0.3,
        Class::Fragment => 0.1,
    };
    base / (1.0 + 0.18 * f64::from(clients.max(1)).ln())
}

fn errors_allowed(letters: usize) -> usize {
    match letters {
        0..4 => 0,
        4..6 => 1,
        6..10 => 2,
        _ => 3,
    }
}

/// How alike two words are that differ by typing errors only; `None` if they differ by more.
pub fn likeness(one: &str, other: &str) -> Option<f64> {
    if one == other {
        return Some(1.0);
    }
    let (ours, theirs) = (one.chars().count(), other.chars().count());
    let letters = ours.max(theirs);
    if ours.abs_diff(theirs) > errors_allowed(letters) {
        return None;
    }
    let errors = strsim::osa_distance(one, other);
    if errors > errors_allowed(letters) {
        return None;
    }
    let [errors, letters] = [errors, letters].map(|n| f64::from(u32::try_from(n).unwrap_or(u32::MAX)));
    let first = if one.chars().next() == other.chars().next() { 1.0 } else { 0.94 };
    Some((1.0 - 0.8 * errors / letters - 0.06 * (errors - 1.0)) * first)
}

fn pairs(key: &str) -> impl Iterator<Item = (char, char)> {
    let edge = std::iter::once('\u{0}');
    edge.clone().chain(key.chars()).zip(key.chars().chain(edge))
}
