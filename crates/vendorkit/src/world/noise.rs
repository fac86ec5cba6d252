//! How differently vendors write one business's name. The noise depends on business and vendor only,
//! so a name is the same in every run until the business is renamed.

use super::{
    Business,
    random::{Random, hash},
};

/// Legal forms as they end a name, the longest first.
const FORMS: &[&str] = &[
    "& Associates LLC",
    "& Sons Pty Ltd",
    "GmbH & Co. KG",
    "& Sons Ltd",
    "Pty Limited",
    "Pty Ltd",
    "Limited",
    "GmbH",
    "B.V.",
    "N.V.",
    "S.A.",
    "S.L.",
    "SARL",
    "Corp",
    "e.K.",
    "Inc.",
    "LLC",
    "LLP",
    "Ltd",
    "DAC",
    "Inc",
    "plc",
    "SAS",
    "Co.",
    "BV",
    "AG",
    "AB",
];

/// Words and what people shorten them to.
const SHORT_WORDS: &[(&str, &str)] = &[
    ("Services", "Svcs"),
    ("Engineering", "Eng"),
    ("Management", "Mgmt"),
    ("Construction", "Constr."),
    ("Accounting", "Acctg"),
    ("Electrical", "Elec"),
    ("Insurance", "Ins"),
    ("Veterinary", "Vet"),
    ("Community", "Comm"),
    ("Centre", "Ctr"),
    ("Marketing", "Mktg"),
    ("Logistics", "Log."),
    ("Consulting", "Cons."),
    ("Physiotherapy", "Physio"),
];

impl Business {
    /// Its name as this vendor's people typed it. Never empty.
    pub fn name_at(&self, vendor: &str) -> String {
        let mut chance = Random::new(hash(vendor, self.key));
        let (core, form) = split_form(&self.legal_name);
        let mut name = core.to_owned();
        if chance.percent(15) {
            name = shorten_words(&name);
        }
        match chance.below(100) {
            // As registered.
            0..40 => name = join(&name, form),
            40..75 => {}
            75..90 => name = join(&name, &other_form(form)),
            _ => name = join(&name, &form.replace('.', "").to_uppercase()),
        }
        if chance.percent(30) {
            name = if name.contains(" & ") { name.replace(" & ", " and ") } else { name.replace(" and ", " & ") };
        }
        if chance.percent(35) {
            name = fold_accents(&name);
        }
        if chance.percent(3) {
            name = mistype(&name, &mut chance);
        }
        match chance.below(100) {
            0..8 => name = format!("{name} - {}", self.city),
            8..13 => name = format!("{name} ({})", self.city),
            _ => {}
        }
        match chance.below(100) {
            0..12 => name = name.to_uppercase(),
            12..16 => name = name.to_lowercase(),
            _ => {}
        }
        if chance.percent(4) {
            name = name.replacen(' ', "  ", 1);
        }
        if name.trim().is_empty() { self.legal_name.clone() } else { name }
    }
}

/// The name without the legal form it ends in.
pub fn without_legal_form(name: &str) -> String {
    split_form(name).0.to_owned()
}

fn split_form(name: &str) -> (&str, &str) {
    let name = name.trim();
    for form in FORMS {
        if let Some(core) = name.strip_suffix(form)
            && core.ends_with(' ')
            && !core.trim().is_empty()
        {
            return (core.trim_end(), form);
        }
    }
    (name, "")
}

fn join(core: &str, form: &str) -> String {
    if form.is_empty() { core.to_owned() } else { format!("{core} {form}") }
}

/// The same form written another way.
fn other_form(form: &str) -> String {
    match form {
        "Pty Ltd" | "Pty Limited" => "P/L".to_owned(),
        "Ltd" => "Limited".to_owned(),
        "Limited" => "Ltd.".to_owned(),
        "LLC" => "L.L.C.".to_owned(),
        "Inc" | "Inc." => "Incorporated".to_owned(),
        "Corp" => "Corporation".to_owned(),
        "GmbH & Co. KG" => "GmbH".to_owned(),
        "& Sons Ltd" | "& Sons Pty Ltd" => "& Sons".to_owned(),
        "& Associates LLC" => "& Associates".to_owned(),
        other => other.replace('.', ""),
    }
}

fn shorten_words(name: &str) -> String {
    let mut name = name.to_owned();
    for (long, short) in SHORT_WORDS {
        name = name.replace(long, short);
    }
    name
}

/// Swaps two neighbouring letters inside a word.
fn mistype(name: &str, chance: &mut Random) -> String {
    let mut letters: Vec<char> = name.chars().collect();
    let places: Vec<usize> = (1..letters.len().saturating_sub(1))
        .filter(|&at| letters[at].is_lowercase() && letters[at + 1].is_lowercase() && letters[at] != letters[at + 1])
        .collect();
    if !places.is_empty() {
        let at = places[chance.below(places.len())];
        letters.swap(at, at + 1);
    }
    letters.into_iter().collect()
}

/// The name in plain Latin letters.
pub fn fold_accents(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            'ä' | 'á' | 'à' | 'â' | 'å' | 'ã' => folded.push('a'),
            'Ä' | 'Á' | 'À' | 'Â' | 'Å' => folded.push('A'),
            'é' | 'è' | 'ê' | 'ë' => folded.push('e'),
            'É' | 'È' | 'Ê' => folded.push('E'),
            'í' | 'ì' | 'î' | 'ï' => folded.push('i'),
            'ö' | 'ó' | 'ò' | 'ô' | 'ø' | 'õ' => folded.push('o'),
            'Ö' | 'Ó' | 'Ø' => folded.push('O'),
            'ü' | 'ú' | 'ù' | 'û' => folded.push('u'),
            'Ü' | 'Ú' => folded.push('U'),
            'ñ' => folded.push('n'),
            'ç' => folded.push('c'),
            'ß' => folded.push_str("ss"),
            other => folded.push(other),
        }
    }
    folded
}
