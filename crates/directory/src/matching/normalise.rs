//! From a name as somebody typed it to the parts that are compared.
//!
//! Both sides of a comparison go through the same function, so a rule here can only make names more alike or not, never
//! favour one side. The word lists are in `tables.rs`.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use super::tables::{Class, JOINER, LEGAL, NUMBER, PARTICLE, SPELLING, class_of};

/// Characters looked at; what is longer is no name, and is compared by its beginning.
const LONGEST: usize = 1_000;
/// Words told apart, to bound the work on text that is no name. The rest count as one.
const MOST_WORDS: usize = 32;

/// One word of a name.
#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    /// Folded and brought to one spelling: what is compared.
    pub key: String,
    /// Folded only, not brought to one spelling: in it, words written together are found.
    pub plain: String,
    /// As written, folded to lower case: what is shown.
    pub text: String,
    /// Sort of word.
    pub class: Class,
}

/// A legal form found in a name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LegalForm {
    /// Its words, sorted ("ltd pty"); empty if the name has none.
    pub words: String,
    /// Countries that have it, as bits; 0 says nothing.
    pub countries: u64,
}

/// A name taken apart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Name {
    /// The whole name, case and blanks folded.
    pub verbatim: String,
    /// Words that count, in their order.
    pub tokens: Vec<Token>,
    /// Their keys in order, written together: "A. Datum" and "ADatum" have the same.
    pub compact: String,
    /// The same, of the words as spelt.
    pub letters: String,
    /// Their keys sorted: equal for names that differ in word order only.
    pub sorted: String,
    /// Legal form.
    pub legal: LegalForm,
    /// What the name may be shortened to: initials without and with particles and legal form.
    pub acronyms: Vec<String>,
}

#[derive(Default)]
struct Piece {
    text: String,
    /// A letter, or letters that stood for words each.
    initials: bool,
    /// Follows the one before without a blank between.
    tight: bool,
    /// Before a bracket, comma, dash or the end: where a legal form may stand.
    ends_clause: bool,
}

/// The forms of a name: itself, and both halves if it says what the business trades as.
pub fn forms(raw: &str) -> Vec<Name> {
    let whole = Name::of(raw);
    let padded = format!(" {} ", whole.verbatim);
    let marks = [
        " t/a ",
        " t/as ",
        " trading as ",
        " dba ",
        " d/b/a ",
        " doing business as ",
        " formerly ",
        " fka ",
        " f/k/a ",
        " aka ",
    ];
    let halves = marks.iter().find_map(|mark| padded.split_once(mark)).map(|(one, other)| {
        let tidy = |half: &str| Name::of(half.trim_matches(|c: char| !c.is_alphanumeric()));
        [tidy(one), tidy(other)]
    });
    let mut all = vec![whole];
    all.extend(halves.into_iter().flatten().filter(|half| !half.tokens.is_empty()));
    all
}

impl Name {
    /// Takes a name apart. Anything is a name: nothing, emoji, any script, any length.
    pub fn of(raw: &str) -> Self {
        let lower: String = raw.nfc().take(LONGEST).flat_map(char::to_lowercase).collect();
        let verbatim = lower.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut pieces = glue_initials(split(&verbatim));
        if pieces.len() > MOST_WORDS {
            let rest = pieces.split_off(MOST_WORDS - 1);
            let text = rest.into_iter().map(|piece| piece.text).collect();
            pieces.push(Piece { text, ends_clause: true, ..Piece::default() });
        }
        let mut acronyms = vec![initials(pieces.iter().filter(|piece| piece.text != "and"))];
        let legal = take_legal_form(&mut pieces);
        acronyms.push(initials(pieces.iter()));
        acronyms.push(initials(pieces.iter().filter(|piece| piece.text != "and")));
        drop_particles(&mut pieces);
        acronyms.push(initials(pieces.iter()));
        let mut tokens: Vec<Token> = pieces.into_iter().map(|piece| token(piece.text)).collect();
        mark_fragment(&mut tokens, &legal);
        acronyms.sort_unstable();
        acronyms.dedup();
        acronyms.retain(|acronym| acronym.chars().count() > 1);
        let letters = tokens.iter().map(|token| token.plain.as_str()).collect();
        let mut sorted: Vec<&str> = tokens.iter().map(|token| token.key.as_str()).collect();
        let compact = sorted.concat();
        sorted.sort_unstable();
        let sorted = sorted.join(" ");
        Self { verbatim, compact, letters, sorted, legal, acronyms, tokens }
    }

    /// See [`bare`].
    pub fn bare(&self) -> &str {
        if self.has_no_words() { &self.verbatim } else { &self.compact }
    }

    /// Nothing to compare by but the verbatim text (emoji, punctuation), or nothing at all.
    pub fn has_no_words(&self) -> bool {
        self.tokens.is_empty()
    }
}

/// A name without its legal form, punctuation, case and accents; two that are equal are one name to a person. One that
/// has no words (emoji) is itself.
pub fn bare(raw: &str) -> String {
    Name::of(raw).bare().to_owned()
}

/// Folds one word: case, accents, and the two ways of writing an umlaut (`ü` as `ue` or `u`) become one.
pub fn key(word: &str) -> String {
    collapse_umlauts(&fold(word))
}

/// Lower case without accents; umlauts and ligatures written out.
fn fold(word: &str) -> String {
    let mut out = String::with_capacity(word.len());
    for letter in word.nfc().flat_map(char::to_lowercase) {
        match letter {
            'ä' | 'æ' => out.push_str("ae"),
            'ö' | 'ø' | 'œ' => out.push_str("oe"),
            'ü' => out.push_str("ue"),
            'å' => out.push_str("aa"),
            'ß' => out.push_str("ss"),
            'þ' => out.push_str("th"),
            'ð' | 'đ' => out.push('d'),
            'ł' => out.push('l'),
            'ı' => out.push('i'),
            letter if letter.is_ascii() => out.push(letter),
            letter => out.extend(letter.nfkd().filter(|c| !is_accent(*c)).flat_map(char::to_lowercase)),
        }
    }
    out
}

/// Accents and vowel points that come and go. The vowel signs of Indian scripts and the like are letters: they stay.
fn is_accent(letter: char) -> bool {
    matches!(letter, '\u{300}'..='\u{36F}' | '\u{591}'..='\u{5C7}' | '\u{64B}'..='\u{65F}' | '\u{670}')
}

fn collapse_umlauts(folded: &str) -> String {
    let mut out = String::with_capacity(folded.len());
    let mut letters = folded.chars().peekable();
    while let Some(letter) = letters.next() {
        out.push(letter);
        let second = letters.peek().copied();
        let digraph = matches!((letter, second), ('a' | 'o' | 'u', Some('e')) | ('a', Some('a')));
        if digraph && folded.len() > 3 {
            letters.next();
        }
    }
    out
}

fn split(verbatim: &str) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut word = String::new();
    let mut tight = false;
    let flush = |word: &mut String, pieces: &mut Vec<Piece>, tight: &mut bool| {
        if !word.is_empty() {
            let initials = word.chars().count() == 1 && word.chars().all(char::is_alphabetic);
            pieces.push(Piece { text: std::mem::take(word), initials, tight: *tight, ends_clause: false });
            *tight = true;
        }
    };
    for letter in verbatim.nfkc() {
        match letter {
            letter if letter.is_alphanumeric() || is_combining_mark(letter) => word.push(letter),
            // Apostrophes, and marks nobody sees.
            '\'' | '’' | '‘' | '`' | '´' | 'ʼ' => {}
            '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}' => {}
            '&' | '+' => {
                flush(&mut word, &mut pieces, &mut tight);
                pieces.push(Piece { text: "and".to_owned(), ..Piece::default() });
            }
            other => {
                flush(&mut word, &mut pieces, &mut tight);
                tight &= !other.is_whitespace();
                if matches!(other, '(' | ')' | '[' | ']' | ',' | ';' | '|' | '–' | '—' | ':')
                    && let Some(last) = pieces.last_mut()
                {
                    last.ends_clause = true;
                }
            }
        }
    }
    flush(&mut word, &mut pieces, &mut tight);
    if let Some(last) = pieces.last_mut() {
        last.ends_clause = true;
    }
    pieces
}

/// Runs of single letters become one word: "J. P. Kite" is "jp kite", "A & E" is "ae", "S.A.R.L." is "sarl". Letters
/// without blanks between come first, so that "Kite J. P. S.r.l." keeps its legal form.
fn glue_initials(pieces: Vec<Piece>) -> Vec<Piece> {
    let tight = glue(pieces, |last, piece| piece.tight && last.initials && piece.initials);
    glue(tight, |last, piece| last.initials && piece.initials && !LEGAL.contains_key(&piece.text))
}

fn glue(pieces: Vec<Piece>, joins: impl Fn(&Piece, &Piece) -> bool) -> Vec<Piece> {
    let mut out: Vec<Piece> = Vec::with_capacity(pieces.len());
    let mut rest = pieces.into_iter().peekable();
    while let Some(piece) = rest.next() {
        let between = piece.text == "and" && out.last().is_some_and(|last| last.initials);
        if between && rest.peek().is_some_and(|next| next.initials) {
            continue;
        }
        match out.last_mut() {
            Some(last) if !last.ends_clause && joins(last, &piece) => {
                last.text.push_str(&piece.text);
                last.ends_clause = piece.ends_clause;
            }
            _ => out.push(piece),
        }
    }
    out
}

/// Removes the legal form, as long as a word of the name is left.
fn take_legal_form(pieces: &mut Vec<Piece>) -> LegalForm {
    let form = |piece: &Piece| LEGAL.get(&key(&piece.text)).copied();
    let mut found: Vec<(String, u64)> = Vec::new();
    let mut remove = |pieces: &mut Vec<Piece>, at: usize, countries: u64| {
        let piece = pieces.remove(at);
        if piece.ends_clause && at > 0 {
            pieces[at - 1].ends_clause = true;
        }
        let word = key(&piece.text);
        let short = SPELLED_OUT.iter().find(|(long, _)| *long == word).map_or(word.as_str(), |(_, short)| *short);
        found.push((short.to_owned(), countries));
        word
    };
    // From the end, so that what stood before a removed form may be one itself ("Co" in "Kite & Co KG").
    let mut at = pieces.len();
    while at > 0 {
        at -= 1;
        if pieces.len() < 2 {
            break;
        }
        let piece = &pieces[at];
        if let Some(legal) = form(piece)
            && (legal.anywhere || (piece.ends_clause && at > 0))
        {
            let removed = remove(pieces, at, legal.countries);
            // "GmbH & Co. KG", "Sp. z oo": what held the form together goes with it.
            let holds = |piece: &Piece| piece.text == "and" || (piece.text == "z" && removed == "oo");
            if at > 1 && at == pieces.len() && holds(&pieces[at - 1]) {
                pieces.remove(at - 1);
                at -= 1;
                pieces[at - 1].ends_clause = true;
            }
        }
    }
    if pieces.len() > 1
        && let Some(legal) = form(&pieces[0]).filter(|legal| legal.leading && !pieces[0].initials)
    {
        remove(pieces, 0, legal.countries);
    }
    found.sort_unstable();
    found.dedup();
    let countries = found.iter().map(|(_, countries)| *countries).filter(|countries| *countries != 0);
    let common = countries.clone().fold(u64::MAX, |all, one| all & one);
    let any = countries.fold(0, |all, one| all | one);
    let words = found.iter().map(|(word, _)| word.as_str()).collect::<Vec<_>>().join(" ");
    LegalForm { words, countries: if common == 0 || any == 0 { any } else { common } }
}

/// Legal words that are the same in full and short.
const SPELLED_OUT: [(&str, &str); 6] = [
    ("limited", "ltd"),
    ("incorporated", "inc"),
    ("proprietary", "pty"),
    ("corporation", "corp"),
    ("company", "co"),
    ("limitada", "ltda"),
];

fn drop_particles(pieces: &mut Vec<Piece>) {
    let longer = |piece: Option<&Piece>| piece.is_some_and(|piece| piece.text.chars().count() > 1);
    let keep: Vec<bool> = (0..pieces.len())
        .map(|at| {
            if pieces[at].initials {
                return true;
            }
            let word = key(&pieces[at].text);
            let between = at > 0 && longer(pieces.get(at - 1)) && longer(pieces.get(at + 1));
            !(PARTICLE.contains(&word) || (between && JOINER.contains(&word)))
        })
        .collect();
    if keep.contains(&true) {
        let mut keep = keep.into_iter();
        pieces.retain(|_| keep.next().unwrap_or(true));
    }
}

fn token(text: String) -> Token {
    let text = fold(&text);
    let plain = collapse_umlauts(&text);
    let mut word = plain.clone();
    if let Some(number) = NUMBER.get(&word) {
        word.clone_from(number);
    }
    if !word.is_empty() && word.chars().all(char::is_numeric) {
        let digits = word.trim_start_matches('0');
        let key = if digits.is_empty() { "0".to_owned() } else { digits.to_owned() };
        return Token { key, plain, text, class: Class::Number };
    }
    let word = one_spelling(word);
    let class = class_of(&word).unwrap_or(Class::Plain);
    Token { key: word, plain, text, class }
}

/// Abbreviations written out; a plural of a known word becomes its singular.
fn one_spelling(word: String) -> String {
    let known = |word: &str| SPELLING.get(word).cloned().or_else(|| class_of(word).map(|_| word.to_owned()));
    // A family name is not the plural of another ("Williams").
    let singular = |word: &str| known(word).filter(|found| class_of(found) != Some(Class::Plain));
    known(&word)
        .or_else(|| word.strip_suffix("ies").and_then(|stem| singular(&format!("{stem}y"))))
        .or_else(|| word.strip_suffix("es").and_then(singular))
        .or_else(|| word.strip_suffix('s').and_then(singular))
        .unwrap_or(word)
}

/// A name cut off inside its legal form ends in the beginning of one.
fn mark_fragment(tokens: &mut [Token], legal: &LegalForm) {
    let count = tokens.len();
    let Some(last) = tokens.last_mut().filter(|last| count > 1 && legal.words.is_empty() && last.class == Class::Plain)
    else {
        return;
    };
    let length = last.key.len();
    let begins = |(word, legal): (&String, &super::tables::Legal)| {
        (legal.anywhere || matches!(word.as_str(), "corporation" | "company"))
            && word.len() > length
            && word.starts_with(&last.key)
    };
    if length > 0 && LEGAL.iter().any(begins) {
        last.class = Class::Fragment;
    }
}

fn initials<'a>(pieces: impl Iterator<Item = &'a Piece>) -> String {
    let first = |piece: &Piece| {
        let whole = piece.initials || piece.text.chars().all(char::is_numeric);
        fold(&piece.text).chars().take(if whole { usize::MAX } else { 1 }).collect::<String>()
    };
    pieces.map(first).collect()
}
