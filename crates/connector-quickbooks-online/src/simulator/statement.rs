//! The query language, as far as it is used: one type, conditions joined by AND, one order, one page.

use super::pieces::{Piece, split};

/// A value of a condition.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Flag(bool),
    Text(String),
}

/// A statement, understood.
#[derive(Debug, PartialEq)]
pub(super) struct Statement {
    pub entity: String,
    /// A property, and what it may be.
    pub conditions: Vec<(String, Vec<Value>)>,
    /// A property, and whether it falls.
    pub order: Option<(String, bool)>,
    pub start: u64,
    pub most: u64,
}

/// What a page has when nothing else is said, and the most that it has.
const USUAL: u64 = 100;
const MOST: u64 = 1000;

impl Statement {
    /// Reads a statement; the error is what the vendor finds wrong.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut pieces = Pieces { pieces: split(text)?, at: 0 };
        pieces.keyword("SELECT")?;
        pieces.sign('*')?;
        pieces.keyword("FROM")?;
        let entity = pieces.word()?;
        let mut conditions = Vec::new();
        if pieces.is("WHERE") {
            loop {
                conditions.push(pieces.condition()?);
                if !pieces.is("AND") {
                    break;
                }
            }
        }
        let mut order = None;
        if pieces.is("ORDERBY") {
            let property = pieces.word()?;
            let falls = pieces.is("DESC");
            if !falls {
                pieces.is("ASC");
            }
            order = Some((property, falls));
        }
        let start = if pieces.is("STARTPOSITION") { pieces.number()? } else { 1 };
        let most = if pieces.is("MAXRESULTS") { pieces.number()? } else { USUAL };
        match pieces.pieces.get(pieces.at) {
            Some(piece) => Err(format!("unexpected {piece:?}")),
            // More than the most is cut without a word.
            None => Ok(Self { entity, conditions, order, start, most: most.min(MOST) }),
        }
    }
}

struct Pieces {
    pieces: Vec<Piece>,
    at: usize,
}

impl Pieces {
    fn next(&mut self) -> Result<Piece, String> {
        let piece = self.pieces.get(self.at).cloned().ok_or("unexpected end of the query")?;
        self.at += 1;
        Ok(piece)
    }

    /// Takes a keyword, if it is the next piece; keywords are written either way.
    fn is(&mut self, keyword: &str) -> bool {
        let found = matches!(self.pieces.get(self.at), Some(Piece::Word(word)) if word.eq_ignore_ascii_case(keyword));
        self.at += usize::from(found);
        found
    }

    fn keyword(&mut self, keyword: &str) -> Result<(), String> {
        if self.is(keyword) { Ok(()) } else { Err(format!("{keyword} is missing")) }
    }

    fn sign(&mut self, sign: char) -> Result<(), String> {
        match self.next()? {
            Piece::Sign(found) if found == sign => Ok(()),
            other => Err(format!("{sign} is missing before {other:?}")),
        }
    }

    fn word(&mut self) -> Result<String, String> {
        match self.next()? {
            Piece::Word(word) => Ok(word),
            other => Err(format!("a name is missing before {other:?}")),
        }
    }

    fn number(&mut self) -> Result<u64, String> {
        let number = self.word()?.parse().ok().filter(|number| *number >= 1);
        number.ok_or_else(|| "a page is counted from 1".to_owned())
    }

    fn value(&mut self) -> Result<Value, String> {
        match self.next()? {
            Piece::Text(text) => Ok(Value::Text(text)),
            Piece::Word(word) if word.eq_ignore_ascii_case("true") => Ok(Value::Flag(true)),
            Piece::Word(word) if word.eq_ignore_ascii_case("false") => Ok(Value::Flag(false)),
            other => Err(format!("a value is missing before {other:?}")),
        }
    }

    fn condition(&mut self) -> Result<(String, Vec<Value>), String> {
        let property = self.word()?;
        if !self.is("IN") {
            self.sign('=')?;
            return Ok((property, vec![self.value()?]));
        }
        self.sign('(')?;
        let mut values = vec![self.value()?];
        loop {
            match self.next()? {
                Piece::Sign(',') => values.push(self.value()?),
                Piece::Sign(')') => return Ok((property, values)),
                other => return Err(format!("unexpected {other:?}")),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_understood_as_the_vendor_does() {
        let read = Statement::read("select * from Customer where Active in (true, false) orderby Id startposition 501");
        let both = vec![Value::Flag(true), Value::Flag(false)];
        let wanted = Statement {
            entity: "Customer".to_owned(),
            conditions: vec![("Active".to_owned(), both)],
            order: Some(("Id".to_owned(), false)),
            start: 501,
            most: USUAL,
        };
        assert_eq!(read, Ok(wanted));
        let read =
            Statement::read(r"SELECT * FROM Invoice WHERE DocNumber = 'O\'Neil' ORDERBY Id DESC MAXRESULTS 5000");
        let read = read.expect("a statement");
        assert_eq!(read.conditions, [("DocNumber".to_owned(), vec![Value::Text("O'Neil".to_owned())])]);
        assert_eq!((read.order, read.most), (Some(("Id".to_owned(), true)), MOST));
    }

    #[test]
    fn what_the_language_does_not_have_is_refused() {
        for strange in [
            "",
            "SELECT Id FROM Customer",
            "SELECT * FROM Customer WHERE Active = true OR Job = true",
            "SELECT * FROM Customer WHERE Active IN (true, false",
            "SELECT * FROM Customer WHERE DisplayName = 'O'Neil'",
            "SELECT * FROM Customer STARTPOSITION 0",
            "SELECT * FROM Customer LIMIT 5",
            "SELECT * FROM Customer MAXRESULTS 5 STARTPOSITION 1",
        ] {
            assert!(Statement::read(strange).is_err(), "{strange}");
        }
    }
}
