//! From a record to what it says of a client.

use csv::StringRecord;
use domain::{Client, ClientId, ClientStatus, Problem, client_tags, valid_name};

use super::{
    CsvMistake,
    header::{Columns, CsvField},
};
use crate::{
    cells::{tags_of, unguarded},
    clients::{ADDRESS, NOTES, PHONE, free_text, optional_email},
};

/// A cell: not there, empty, or something.
type Cell<T> = Option<Option<T>>;

/// What a record says.
#[derive(Debug)]
pub(super) struct Row {
    /// Line on which it begins.
    pub line: u64,
    /// The client's id, and the number of its column.
    pub id: Option<(ClientId, u64)>,
    name: Cell<String>,
    status: Cell<ClientStatus>,
    contact_email: Cell<String>,
    phone: Cell<String>,
    address: Cell<String>,
    notes: Cell<String>,
    tags: Cell<Vec<String>>,
    /// Numbers of the columns of id and name.
    places: (Option<u64>, Option<u64>),
}

impl Columns {
    /// Reads the record that begins on a line; every mistake in it is named.
    pub fn read(&self, record: &StringRecord, line: u64) -> Result<Row, Vec<CsvMistake>> {
        if record.len() != self.width {
            let message = format!("has {} fields, the header has {}: is a quote missing?", record.len(), self.width);
            return Err(vec![CsvMistake { line, column: None, code: "wrong_width", message }]);
        }
        let places = (self.number(CsvField::Id), self.number(CsvField::Name));
        let (id, name, status) = (None, None, None);
        let (contact_email, phone, address, notes, tags) = (None, None, None, None, None);
        let mut row = Row { line, id, name, status, contact_email, phone, address, notes, tags, places };
        let mut mistakes = Vec::new();
        for (field, place) in &self.fields {
            let column = *place as u64 + 1;
            let text = unguarded(record.get(*place).unwrap_or_default()).trim();
            if let Err(why) = row.fill(*field, text, column) {
                mistakes.push(CsvMistake { line, column: Some(column), code: why.code, message: why.message });
            }
        }
        if mistakes.is_empty() { Ok(row) } else { Err(mistakes) }
    }
}

impl Row {
    fn fill(&mut self, field: CsvField, text: &str, column: u64) -> Result<(), Problem> {
        let own = || Some(text.to_owned());
        match field {
            CsvField::Id if text.is_empty() => {}
            CsvField::Id => {
                let id =
                    text.parse().map_err(|_| Problem::new("", "not_an_id", "must be the id of a client, or empty"))?;
                self.id = Some((id, column));
            }
            CsvField::Name if text.is_empty() => self.name = Some(None),
            CsvField::Name => self.name = Some(Some(valid_name("", text)?)),
            CsvField::Status if text.is_empty() => self.status = Some(None),
            CsvField::Status => {
                let status = ClientStatus::parse(&text.to_lowercase());
                let wrong = || Problem::new("", "unknown_value", "must be active or inactive");
                self.status = Some(Some(status.ok_or_else(wrong)?));
            }
            CsvField::ContactEmail => self.contact_email = Some(optional_email(own())?),
            CsvField::Phone => self.phone = Some(free_text("", own(), PHONE)?),
            CsvField::Address => self.address = Some(free_text("", own(), ADDRESS)?),
            CsvField::Notes => self.notes = Some(free_text("", own(), NOTES)?),
            CsvField::Tags => {
                let (tags, problems) = client_tags("", &tags_of(text));
                match problems.into_iter().next() {
                    Some(problem) => return Err(problem),
                    None => self.tags = Some(Some(tags).filter(|tags| !tags.is_empty())),
                }
            }
        }
        Ok(())
    }

    /// The name, if it has one.
    pub fn name(&self) -> &str {
        self.name.as_ref().and_then(Option::as_deref).unwrap_or_default()
    }

    /// A mistake in the column of a field.
    pub fn mistake(&self, field: CsvField, code: &'static str, message: impl Into<String>) -> CsvMistake {
        let column = if field == CsvField::Id { self.places.0 } else { self.places.1 };
        CsvMistake { line: self.line, column, code, message: message.into() }
    }

    /// Writes what it says into a client. A name and a status are never emptied.
    pub fn put_into(&self, client: &mut Client, clear_empty: bool) {
        if let Some(Some(name)) = &self.name {
            client.name.clone_from(name);
        }
        if let Some(Some(status)) = self.status {
            client.status = status;
        }
        let fields = [
            (&self.contact_email, &mut client.contact_email),
            (&self.phone, &mut client.phone),
            (&self.address, &mut client.address),
            (&self.notes, &mut client.notes),
        ];
        if let Some(said) = self.tags.as_ref().filter(|said| said.is_some() || clear_empty) {
            client.tags = said.clone().unwrap_or_default();
        }
        for (said, field) in fields {
            if let Some(said) = said.as_ref().filter(|said| said.is_some() || clear_empty) {
                field.clone_from(said);
            }
        }
    }
}
