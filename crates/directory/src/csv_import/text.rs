//! From bytes to text, and which character separates.

use std::borrow::Cow;

use domain::{Error, Result};
use encoding_rs::{Encoding, UTF_8};

/// The text of a file: UTF-8, or what its byte order mark says (UTF-8, UTF-16 of either order).
pub(super) fn decoded(file: &[u8]) -> Result<Cow<'_, str>> {
    let (encoding, mark) = Encoding::for_bom(file).unwrap_or((UTF_8, 0));
    let file = &file[mark..];
    if let Some(text) = encoding.decode_without_bom_handling_and_without_replacement(file) {
        return Ok(text);
    }
    let sound = match std::str::from_utf8(file) {
        Err(why) if encoding == UTF_8 => &file[..why.valid_up_to()],
        _ => return Err(Error::invalid("", "not_utf16", "The file says it is UTF-16, and is not: save it anew.")),
    };
    let line = 1 + sound.iter().filter(|byte| **byte == b'\n').count();
    Err(Error::invalid(
        format!("/line/{line}"),
        "not_utf8",
        "is not UTF-8: save the file as “CSV UTF-8”, or as Unicode text with a byte order mark",
    ))
}

/// The separator: of comma, semicolon and tab the one that stands most often in the header, outside of quotes.
pub(super) fn delimiter(text: &str) -> u8 {
    let mut quoted = false;
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0)];
    for byte in text.bytes() {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' | b'\r' if !quoted => break,
            _ if quoted => {}
            _ => counts.iter_mut().filter(|(delimiter, _)| *delimiter == byte).for_each(|(_, count)| *count += 1),
        }
    }
    // Of equal counts the first counts.
    counts.into_iter().rev().max_by_key(|(_, count)| *count).map_or(b',', |(delimiter, _)| delimiter)
}

/// The line on which a record begins. The reader says where it began to look for it, which may be in the middle of the
/// line end before, or before empty lines.
pub(super) fn line(text: &str, looked: &csv::Position) -> u64 {
    let rest = text.as_bytes().get(looked.byte() as usize..).unwrap_or_default();
    let ends = rest.iter().take_while(|byte| matches!(byte, b'\n' | b'\r'));
    looked.line() + ends.filter(|byte| **byte == b'\n').count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_begins_where_people_see_it() {
        for end in ["\n", "\r\n"] {
            let text = ["name,notes", "a,1", "", "b,\"two", "lines\"", "c,2", "", ""].join(end);
            let mut reader = csv::Reader::from_reader(text.as_bytes());
            let records = reader.records().map(|record| record.expect("a record"));
            let lines: Vec<u64> = records.map(|record| line(&text, record.position().expect("a place"))).collect();
            assert_eq!(lines, [2, 4, 6], "{end:?}");
        }
    }

    fn utf16(text: &str, big: bool) -> Vec<u8> {
        let units = std::iter::once(0xfeff).chain(text.encode_utf16());
        units.flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
    }

    #[test]
    fn every_encoding_gives_the_same_text() {
        let text = "name;notes\nÄrzte 🦷;\"two\nlines\"\n";
        let marked = format!("\u{feff}{text}");
        for file in [text.as_bytes(), marked.as_bytes(), &utf16(text, true), &utf16(text, false)] {
            assert_eq!(decoded(file).expect("is text"), text);
        }
        assert_eq!(decoded(b"").expect("is text"), "");
    }

    #[test]
    fn what_is_no_text_is_named_with_its_line() {
        let problem = |file: &[u8]| match decoded(file) {
            Err(Error::Invalid(problems)) => (problems[0].pointer.clone(), problems[0].code),
            other => panic!("taken: {other:?}"),
        };
        assert_eq!(problem(b"name\nKite\n\xc4rzte\n"), ("/line/3".to_owned(), "not_utf8"));
        // Half of a pair.
        assert_eq!(problem(b"\xff\xfea\x00\x00\xd8"), (String::new(), "not_utf16"));
        assert_eq!(problem(b"\xff\xfea"), (String::new(), "not_utf16"));
    }

    #[test]
    fn the_separator_is_the_one_of_the_header() {
        for (text, expected) in [
            ("id,name\n;;;;", b','),
            ("id;\"a,b,c\";name\n", b';'),
            ("id\tname", b'\t'),
            ("name", b','),
            ("", b','),
            ("a,b;c", b','),
        ] {
            assert_eq!(delimiter(text), expected, "{text:?}");
        }
    }
}
