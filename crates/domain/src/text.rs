//! Names and addresses as people type them.

use crate::Problem;

/// Checks a name: trimmed, 1 to 255 characters, one line.
pub fn valid_name(pointer: &str, text: &str) -> Result<String, Problem> {
    let name = text.trim();
    if name.is_empty() {
        return Err(Problem::new(pointer, "required", "must not be empty"));
    }
    if name.chars().count() > 255 {
        return Err(Problem::new(pointer, "too_long", "must have at most 255 characters"));
    }
    if name.chars().any(char::is_control) {
        return Err(Problem::new(pointer, "control_character", "must be one line without control characters"));
    }
    Ok(name.to_owned())
}

/// Checks an e-mail address as far as that can be done without sending: one `@`, no blanks, 3 to
/// 254 characters. Returns it trimmed, the domain in lower case.
pub fn valid_email(pointer: &str, text: &str) -> Result<String, Problem> {
    let wrong = |message| Problem::new(pointer, "not_an_email", message);
    let text = text.trim();
    let (local, domain) =
        text.rsplit_once('@').ok_or_else(|| wrong("must be an address such as name@company.example"))?;
    let blank = |c: char| c.is_whitespace() || c.is_control() || c == '@' || c == '<' || c == '>';
    if local.is_empty() || domain.is_empty() || local.contains(blank) || domain.contains(blank) {
        return Err(wrong("must be an address such as name@company.example"));
    }
    if text.len() > 254 {
        return Err(wrong("must have at most 254 characters"));
    }
    Ok(format!("{local}@{}", domain.to_lowercase()))
}

/// The form of a name by which lists are sorted and searched: lower case, blanks folded. At most
/// 255 characters.
pub fn name_key(name: &str) -> String {
    let lower: String = name.chars().flat_map(char::to_lowercase).collect();
    lower.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(255).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_trimmed_bounded_and_one_line() {
        assert_eq!(valid_name("/name", "  Kite & Co ").as_deref(), Ok("Kite & Co"));
        assert_eq!(valid_name("/name", &"ä".repeat(255)).map(|n| n.chars().count()), Ok(255));
        for (text, code) in [("", "required"), (" \t", "required"), ("a\nb", "control_character")] {
            assert_eq!(valid_name("/name", text).unwrap_err().code, code);
        }
        assert_eq!(valid_name("/name", &"x".repeat(256)).unwrap_err().code, "too_long");
    }

    #[test]
    fn addresses_are_checked_without_being_clever() {
        assert_eq!(valid_email("/email", " Jo@Kite.EXAMPLE ").as_deref(), Ok("Jo@kite.example"));
        for text in ["", "jo", "@kite.example", "jo@", "a b@kite.example", "a@b@c.example", "<jo@kite.example>"] {
            assert_eq!(valid_email("/email", text).unwrap_err().code, "not_an_email", "{text}");
        }
    }

    #[test]
    fn keys_fold_case_and_blanks() {
        assert_eq!(name_key("  ÄRZTE   Nord "), "ärzte nord");
        assert_eq!(name_key("İ").chars().count(), 2);
    }
}
