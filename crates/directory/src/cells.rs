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

    proptest! {
        #[test]
        fn any_text_comes_back_and_none_is_a_formula(text in "['=+@a\t\r-]{0,6}") {
            let cell = guarded(&text).into_owned();
            prop_assert!(!cell.starts_with(STARTS));
            prop_assert_eq!(unguarded(&cell), text);
        }
    }
}
