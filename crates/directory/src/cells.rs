//! Cells of spreadsheets. A cell that begins as a formula does is run by whoever opens the file: what a vendor or a
//! client's own person wrote must not be.

use std::borrow::Cow;

/// Characters with which a spreadsheet takes a cell for a formula, or its content for several cells.
const STARTS: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// The text with an apostrophe before it where it would be a formula. A text that has apostrophes before such a
/// character gets one more, so that [`unguarded`] gives back any text as it was.
pub fn guarded(text: &str) -> Cow<'_, str> {
    if is_live(text) { format!("'{text}").into() } else { text.into() }
}

/// The text that was [`guarded`].
pub fn unguarded(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|rest| is_live(rest)).unwrap_or(cell)
}

fn is_live(text: &str) -> bool {
    text.trim_start_matches('\'').starts_with(STARTS)
}

/// Between two tags in one cell.
const BETWEEN: char = '|';
/// Before a bar or a backslash that is part of a tag.
const ESCAPE: char = '\\';

/// Tags as one cell, which [`tags_of`] reads back.
pub fn tags_cell(tags: &[String]) -> String {
    let mut cell = String::new();
    for (at, tag) in tags.iter().enumerate() {
        if at > 0 {
            cell.push(BETWEEN);
        }
        for letter in tag.chars() {
            if matches!(letter, BETWEEN | ESCAPE) {
                cell.push(ESCAPE);
            }
            cell.push(letter);
        }
    }
    cell
}

/// The tags in a cell; empty ones, as between two bars, are left out.
pub(crate) fn tags_of(cell: &str) -> Vec<String> {
    let mut tags = vec![String::new()];
    let mut letters = cell.chars();
    while let Some(letter) = letters.next() {
        match (letter, tags.last_mut()) {
            (BETWEEN, _) => tags.push(String::new()),
            // At the end of a cell it is itself.
            (ESCAPE, Some(tag)) => tag.push(letters.next().unwrap_or(ESCAPE)),
            (_, Some(tag)) => tag.push(letter),
            (_, None) => {}
        }
    }
    tags.retain(|tag| !tag.trim().is_empty());
    tags
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn formulas_are_held_back_and_nothing_else() {
        for text in ["=1+1", "+49 30 1", "-2", "@SUM(A1)", "\tx", "\rx", "'=1", "''@x"] {
            assert_eq!(guarded(text), format!("'{text}"));
        }
        for text in ["", "Kite", "'s-Hertogenbosch", "'", "a=b", "1-2"] {
            assert_eq!((guarded(text).as_ref(), unguarded(text)), (text, text));
        }
    }

    #[test]
    fn tags_are_read_as_people_write_them() {
        assert_eq!(tags_of("vip | north||"), ["vip ", " north"]);
        assert_eq!(tags_of(r"a\|b|c\\|d\"), ["a|b", r"c\", r"d\"]);
        assert_eq!(tags_of(" | "), [""; 0]);
    }

    proptest! {
        #[test]
        fn tags_come_back_whatever_is_in_them(tags in proptest::collection::vec(r"[a|\\=' ]{0,4}[a|\\]", 0..5)) {
            let cell = guarded(&tags_cell(&tags)).into_owned();
            prop_assert_eq!(tags_of(unguarded(&cell)), tags);
        }

        #[test]
        fn any_text_comes_back_and_none_is_a_formula(text in "['=+@a\t\r-]{0,6}") {
            let cell = guarded(&text).into_owned();
            prop_assert!(!cell.starts_with(STARTS));
            prop_assert_eq!(unguarded(&cell), text);
        }
    }
}
