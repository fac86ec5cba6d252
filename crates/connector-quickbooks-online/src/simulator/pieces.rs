//! The smallest parts of a statement.

/// A part.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Piece {
    Word(String),
    Text(String),
    Sign(char),
}

/// Splits a statement into words, texts and signs.
pub(super) fn split(text: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            ' ' => {}
            '\'' => {
                let mut inner = String::new();
                loop {
                    match letters.next() {
                        Some('\\') => inner.extend(letters.next()),
                        Some('\'') => break,
                        Some(other) => inner.push(other),
                        None => return Err("a text does not end".to_owned()),
                    }
                }
                pieces.push(Piece::Text(inner));
            }
            '*' | '(' | ')' | ',' | '=' => pieces.push(Piece::Sign(letter)),
            _ if letter.is_ascii_alphanumeric() => {
                let mut word = String::from(letter);
                while let Some(next) = letters.next_if(|next| next.is_ascii_alphanumeric() || *next == '.') {
                    word.push(next);
                }
                pieces.push(Piece::Word(word));
            }
            other => return Err(format!("encountered {other}")),
        }
    }
    Ok(pieces)
}
