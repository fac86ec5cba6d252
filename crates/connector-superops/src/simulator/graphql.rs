//! As much of GraphQL as a strict vendor needs: one operation, one root field, variables, no fragments.

/// A selected field with what is selected of it.
#[derive(Debug)]
pub(super) struct Selection {
    pub name: String,
    pub of: Vec<Selection>,
}

/// `query getX($input: Type!) { getX(input: $input) { … } }`.
#[derive(Debug)]
pub(super) struct Document {
    pub mutation: bool,
    /// The declared type of `$input`.
    pub input: Option<String>,
    /// Whether the root field is given `$input`.
    pub given: bool,
    pub root: Selection,
}

/// Reads a document; the error is what the vendor says of it.
pub(super) fn parse(text: &str) -> Result<Document, String> {
    let mut tokens = Tokens { rest: tokens(text).into_iter().peekable() };
    let mutation = match tokens.next()?.as_str() {
        "query" => false,
        "mutation" => true,
        other => return Err(format!("Invalid syntax: {other}")),
    };
    if tokens.peek().is_some_and(|token| is_name(token)) {
        tokens.next()?;
    }
    let mut input = None;
    if tokens.take("(") {
        for expected in ["$", "input", ":"] {
            tokens.expect(expected)?;
        }
        let mut declared = String::new();
        while tokens.peek().is_some_and(|token| token != ")") {
            declared.push_str(&tokens.next()?);
        }
        tokens.expect(")")?;
        input = Some(declared);
    }
    tokens.expect("{")?;
    let name = tokens.name()?;
    let given = tokens.take("(");
    if given {
        for expected in ["input", ":", "$", "input", ")"] {
            tokens.expect(expected)?;
        }
    }
    let of = tokens.selections()?;
    tokens.expect("}")?;
    match tokens.peek() {
        None => Ok(Document { mutation, input, given, root: Selection { name, of } }),
        Some(more) => Err(format!("Invalid syntax: {more}")),
    }
}

struct Tokens {
    rest: std::iter::Peekable<std::vec::IntoIter<String>>,
}

impl Tokens {
    fn peek(&mut self) -> Option<&String> {
        self.rest.peek()
    }

    fn next(&mut self) -> Result<String, String> {
        self.rest.next().ok_or_else(|| "Invalid syntax: the document ends early".to_owned())
    }

    fn take(&mut self, wanted: &str) -> bool {
        self.rest.next_if(|token| token == wanted).is_some()
    }

    fn expect(&mut self, wanted: &str) -> Result<(), String> {
        let token = self.next()?;
        if token == wanted { Ok(()) } else { Err(format!("Invalid syntax: {token} instead of {wanted}")) }
    }

    fn name(&mut self) -> Result<String, String> {
        let token = self.next()?;
        if is_name(&token) { Ok(token) } else { Err(format!("Invalid syntax: {token} is no name")) }
    }

    /// What stands in braces, if anything does.
    fn selections(&mut self) -> Result<Vec<Selection>, String> {
        let mut found = Vec::new();
        if !self.take("{") {
            return Ok(found);
        }
        while !self.take("}") {
            let name = self.name()?;
            found.push(Selection { of: self.selections()?, name });
        }
        if found.is_empty() { Err("Invalid syntax: nothing is selected".to_owned()) } else { Ok(found) }
    }
}

fn is_name(token: &str) -> bool {
    token.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
}

/// Names, and every other character by itself; blanks and commas mean nothing.
fn tokens(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut open = false;
    for letter in text.chars() {
        if letter.is_ascii_alphanumeric() || letter == '_' {
            match found.last_mut().filter(|_| open) {
                Some(word) => word.push(letter),
                None => found.push(letter.to_string()),
            }
            open = true;
        } else {
            open = false;
            if !letter.is_whitespace() && letter != ',' {
                found.push(letter.to_string());
            }
        }
    }
    found
}
