//! Longer texts as people type them.

use domain::Problem;

/// Checks a text of several lines: trimmed, not empty, at most so many characters, no control characters.
pub(crate) fn valid_text(pointer: &str, text: &str, most: usize) -> Result<String, Problem> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Problem::new(pointer, "required", "must not be empty"));
    }
    bounded(pointer, text, most).map(str::to_owned)
}

/// The same for a text that may be left out: blank counts as left out.
pub(crate) fn valid_optional(pointer: &str, text: Option<&str>, most: usize) -> Result<Option<String>, Problem> {
    let text = text.map(str::trim).filter(|text| !text.is_empty());
    text.map(|text| bounded(pointer, text, most).map(str::to_owned)).transpose()
}

fn bounded<'a>(pointer: &str, text: &'a str, most: usize) -> Result<&'a str, Problem> {
    if text.chars().count() > most {
        return Err(Problem::new(pointer, "too_long", format!("must have at most {most} characters")));
    }
    if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
        return Err(Problem::new(pointer, "control_character", "must not contain control characters"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_trimmed_and_bounded_and_keep_their_lines() {
        assert_eq!(valid_text("/a", "  one\n\ttwo ", 8).as_deref(), Ok("one\n\ttwo"));
        for (text, code) in [(" \n", "required"), ("123456789", "too_long"), ("a\u{7}b", "control_character")] {
            assert_eq!(valid_text("/a", text, 8).map_err(|problem| problem.code), Err(code));
        }
        assert_eq!(valid_optional("/a", Some(" "), 8), Ok(None));
        assert_eq!(valid_optional("/a", None, 8), Ok(None));
        assert!(valid_optional("/a", Some("123456789"), 8).is_err());
    }
}
