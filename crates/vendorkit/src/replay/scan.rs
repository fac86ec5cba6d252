//! Looks for what must not be in the repository: anything that smells of a real account.

use super::Exchange;

/// How real keys begin.
const PREFIXES: &[&str] = &[
    "eyJ",
    "AKIA",
    "ASIA",
    "AIza",
    "sk_live_",
    "sk-",
    "rk_live_",
    "xoxb-",
    "xoxp-",
    "ghp_",
    "github_pat_",
    "glpat-",
    "-----BEGIN",
    "SG.",
];

/// Everything wrong with an exchange: no source, a text like a real key, an e-mail address whose
/// domain is not reserved. Empty is good.
pub fn scan(exchange: &Exchange) -> Vec<String> {
    let mut found = Vec::new();
    if exchange.source.trim().len() < 8 {
        found.push("it does not say where its shape comes from (\"source\")".to_owned());
    }
    let mut texts = vec![exchange.request.path.as_str()];
    texts.extend(exchange.request.query.values().flatten().map(String::as_str));
    texts.extend(exchange.request.headers.values().map(String::as_str));
    texts.extend(exchange.response.headers.values().map(String::as_str));
    texts.extend(exchange.response.text.as_deref());
    texts.extend(exchange.response.body.as_deref().map(serde_json::value::RawValue::get));
    let body = exchange.request.body.as_ref().map(ToString::to_string);
    texts.extend(body.as_deref());
    for text in texts {
        found.extend(emails(text).into_iter().map(|mail| format!("{mail} is not an address under .example")));
        found.extend(keys(text).into_iter().map(|key| format!("{}… looks like a real key", &key[..8])));
    }
    found.into_iter().map(|fault| format!("{}: {fault}", exchange.file)).collect()
}

fn emails(text: &str) -> Vec<&str> {
    let letter = |c: char| c.is_ascii_alphanumeric() || ".-_+".contains(c);
    let mut found = Vec::new();
    for (at, _) in text.match_indices('@') {
        let start = text[..at].rfind(|c| !letter(c)).map_or(0, |i| i + 1);
        let end = text[at + 1..].find(|c| !letter(c)).map_or(text.len(), |i| at + 1 + i);
        let domain = text[at + 1..end].trim_end_matches('.');
        // A name before it and a dot in it: else it is "@odata.nextLink" or a handle.
        if start < at && domain.contains('.') && !domain.ends_with(".example") {
            found.push(&text[start..end]);
        }
    }
    found
}

fn keys(text: &str) -> Vec<&str> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || "_-+=~.".contains(c)));
    words.filter(|word| word.len() >= 20 && (known_prefix(word) || random(word))).collect()
}

fn known_prefix(word: &str) -> bool {
    PREFIXES.iter().any(|prefix| word.starts_with(prefix))
}

/// Whether a run of letters and digits in it is too mixed for a name: a key in hexadecimal or base64.
fn random(word: &str) -> bool {
    word.split(|c: char| !c.is_ascii_alphanumeric()).any(|run| {
        let count = |kind: fn(&char) -> bool| run.chars().filter(kind).count();
        let (digits, upper, lower) =
            (count(char::is_ascii_digit), count(char::is_ascii_uppercase), count(char::is_ascii_lowercase));
        let mut letters: Vec<char> = run.chars().collect();
        letters.sort_unstable();
        letters.dedup();
        let hexadecimal = run.len() >= 32 && run.chars().all(|c| c.is_ascii_hexdigit()) && letters.len() >= 10;
        hexadecimal || (run.len() >= 24 && digits >= 3 && upper >= 3 && lower >= 3)
    })
}
