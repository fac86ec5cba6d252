//! An address as one text and by parts: clients have the one, companies at PSAs the other.

/// A postal address by parts, without the country.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct PostalParts {
    pub street: String,
    pub city: String,
    pub region: String,
    pub post_code: String,
}

/// The address as people write it: the street, then city, region and post code on a line of their own.
impl std::fmt::Display for PostalParts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let known = |parts: [&str; 2], gap: &str| {
            parts.into_iter().map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(gap)
        };
        let place = known([&self.city, &self.region], ", ");
        let last = known([&place, &self.post_code], " ");
        f.write_str(&known([&self.street, &last], "\n"))
    }
}

/// Words before this many are looked at for a post code ("SW1A 1AA").
const CODE_WORDS: usize = 2;

impl PostalParts {
    /// The parts of a text. What is which is a guess; that no word is lost and none changes its place is not, so that
    /// the text comes back the same but for commas and line breaks.
    pub fn parse(text: &str) -> Self {
        let mut pieces: Vec<String> = text
            .split([',', '\n', '\r', ';'])
            .map(|piece| piece.split_whitespace().collect::<Vec<_>>().join(" "))
            .filter(|piece| !piece.is_empty())
            .collect();
        if pieces.len() < 2 {
            return Self { street: pieces.pop().unwrap_or_default(), ..Self::default() };
        }
        let (mut last, post_code) = code_off(&pieces.pop().unwrap_or_default());
        if last.is_empty() && pieces.len() > 1 {
            last = pieces.pop().unwrap_or_default();
        }
        let (city, region) = match pieces.len() {
            0 | 1 => region_off(&last),
            _ => (pieces.pop().unwrap_or_default(), last),
        };
        Self { street: pieces.join(", "), city, region, post_code }
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        [&self.street, &self.city, &self.region, &self.post_code].into_iter().all(|part| part.trim().is_empty())
    }
}

/// A piece without the words with digits at its end, and these.
fn code_off(piece: &str) -> (String, String) {
    let words: Vec<&str> = piece.split(' ').collect();
    let digits = |word: &&&str| word.chars().any(|c| c.is_ascii_digit());
    let code = words.iter().rev().take(CODE_WORDS).take_while(digits).count();
    let (rest, code) = words.split_at(words.len() - code);
    (rest.join(" "), code.join(" "))
}

/// A city and the short word in capitals behind it ("Fremantle WA").
fn region_off(piece: &str) -> (String, String) {
    match piece.rsplit_once(' ') {
        Some((city, word)) if (2..=3).contains(&word.len()) && word.chars().all(|c| c.is_ascii_uppercase()) => {
            (city.to_owned(), word.to_owned())
        }
        _ => (piece.to_owned(), String::new()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(text: &str) -> Vec<String> {
        let parts = text.split(|c: char| c.is_whitespace() || c == ',' || c == ';');
        parts.filter(|word| !word.is_empty()).map(str::to_owned).collect()
    }

    #[test]
    fn common_ways_to_write_an_address_are_told_apart() {
        let parts = |text: &str| {
            let PostalParts { street, city, region, post_code } = PostalParts::parse(text);
            [street, city, region, post_code]
        };
        assert_eq!(parts("14 Wattle Street\nFremantle, WA 6160"), ["14 Wattle Street", "Fremantle", "WA", "6160"]);
        assert_eq!(parts("14 Wattle Street, Fremantle WA 6160"), ["14 Wattle Street", "Fremantle", "WA", "6160"]);
        assert_eq!(parts("Level 2, 9 Quay, Leith, Fife, EH6 6QQ"), ["Level 2, 9 Quay", "Leith", "Fife", "EH6 6QQ"]);
        assert_eq!(parts("9 Quay, Leith"), ["9 Quay", "Leith", "", ""]);
        assert_eq!(parts("somewhere"), ["somewhere", "", "", ""]);
        assert_eq!(parts(" ,\n "), ["", "", "", ""]);
        assert!(PostalParts::parse("").is_empty());
    }

    proptest! {
        #[test]
        fn no_word_is_lost_or_moved(text in "[A-Z0-9a-z ,;\n]{0,60}") {
            prop_assert_eq!(words(&PostalParts::parse(&text).to_string()), words(&text));
        }

        #[test]
        fn parts_come_back_from_their_own_text(
            street in "[1-9][0-9]{0,2} [A-Z][a-z]{2,8} (Road|Street)", city in "[A-Z][a-z]{2,9}",
            region in "[A-Z][a-z]{2,9}", post_code in "[0-9]{4,5}",
        ) {
            let parts = PostalParts { street, city, region, post_code };
            prop_assert_eq!(PostalParts::parse(&parts.to_string()), parts);
        }
    }
}
