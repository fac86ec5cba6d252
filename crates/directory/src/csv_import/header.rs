//! Which column is which field.

use csv::StringRecord;
use domain::{Error, Problem, Result};

/// A field of a client that a column may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names say it")]
pub enum CsvField {
    Id,
    Name,
    Status,
    ContactEmail,
    Phone,
    Address,
    Notes,
    Tags,
}

/// Each field with its name in a header, and what else people call it, in small letters and digits.
const FIELDS: [(CsvField, &str, &[&str]); 8] = [
    (CsvField::Id, "id", &["clientid", "customerid"]),
    (
        CsvField::Name,
        "name",
        &["clientname", "client", "customer", "customername", "company", "companyname", "organisation", "organization"],
    ),
    (CsvField::Status, "status", &["state", "clientstatus"]),
    (
        CsvField::ContactEmail,
        "contact_email",
        &["email", "emailaddress", "mail", "primaryemail", "primarycontactemail"],
    ),
    (CsvField::Phone, "phone", &["telephone", "tel", "phonenumber", "mainphone"]),
    (CsvField::Address, "address", &["postaladdress", "streetaddress"]),
    (CsvField::Notes, "notes", &["note", "comment", "comments", "internalnotes"]),
    (CsvField::Tags, "tags", &["tag", "labels", "label"]),
];

/// Names of the fields, in the order of an export.
pub fn field_names() -> impl Iterator<Item = &'static str> {
    FIELDS.iter().map(|(_, name, _)| *name)
}

impl CsvField {
    /// The name in headers and in the API.
    pub fn as_str(self) -> &'static str {
        FIELDS.iter().find(|(field, ..)| *field == self).map_or("", |(_, name, _)| name)
    }

    /// The field of this name.
    pub fn parse(name: &str) -> Option<Self> {
        FIELDS.iter().find(|(_, known, _)| *known == name).map(|(field, ..)| *field)
    }

    /// The field that a column of this header most likely holds.
    fn guess(header: &str) -> Option<Self> {
        let plain: String = header.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
        let fits = |name: &str, others: &[&str]| name.replace('_', "") == plain || others.contains(&plain.as_str());
        FIELDS.iter().find(|(_, name, others)| fits(name, others)).map(|(field, ..)| *field)
    }
}

/// The columns of a file.
#[derive(Debug)]
pub(super) struct Columns {
    /// Fields with the places of their columns, from 0.
    pub fields: Vec<(CsvField, usize)>,
    /// Headers of columns that are no field.
    pub ignored: Vec<String>,
    /// Cells of a whole row.
    pub width: usize,
}

impl Columns {
    /// Finds the columns: those that are named first, the others by usual names.
    pub fn find(header: &StringRecord, chosen: &[(CsvField, String)]) -> Result<Self> {
        let mut problems = Vec::new();
        let mut fields: Vec<(CsvField, usize)> = Vec::new();
        for (field, wanted) in chosen {
            let mut places = header.iter().enumerate().filter(|(_, name)| name.trim() == wanted.trim());
            let wrong = match (places.next(), places.next()) {
                _ if fields.iter().any(|(taken, _)| taken == field) => "names a field twice",
                (Some((place, _)), _) if fields.iter().any(|(_, taken)| *taken == place) => "names a column twice",
                (Some((place, _)), None) => {
                    fields.push((*field, place));
                    continue;
                }
                (None, _) => "names a column that the file has not",
                (Some(_), Some(_)) => "names a column that the file has twice",
            };
            problems.push(Problem::new("column", "does_not_fit", format!("“{}:{wanted}” {wrong}", field.as_str())));
        }
        let mut ignored = Vec::new();
        for (place, name) in header.iter().enumerate() {
            if fields.iter().any(|(_, taken)| *taken == place) {
                continue;
            }
            match CsvField::guess(name).filter(|field| chosen.iter().all(|(named, _)| named != field)) {
                Some(field) if fields.iter().any(|(taken, _)| *taken == field) => {
                    let message =
                        format!("several columns may be “{0}”: name the right one as “{0}:header”", field.as_str());
                    problems.push(Problem::new(format!("/line/1/column/{}", place + 1), "ambiguous", message));
                }
                Some(field) => fields.push((field, place)),
                None => ignored.push(name.trim().to_owned()),
            }
        }
        let has = |wanted| fields.iter().any(|(field, _)| *field == wanted);
        if problems.is_empty() && !has(CsvField::Id) && !has(CsvField::Name) {
            let message = "has no column for the id or the name: name it as “name:header”, or choose the separator";
            problems.push(Problem::new("/line/1", "no_name", message));
        }
        if !problems.is_empty() {
            return Err(Error::Invalid(problems));
        }
        Ok(Self { fields, ignored, width: header.len() })
    }

    /// Number of a field's column, from 1.
    pub fn number(&self, wanted: CsvField) -> Option<u64> {
        self.fields.iter().find(|(field, _)| *field == wanted).map(|(_, place)| *place as u64 + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(header: &[&str], chosen: &[(CsvField, &str)]) -> std::result::Result<Columns, Vec<&'static str>> {
        let chosen: Vec<_> = chosen.iter().map(|(field, name)| (*field, (*name).to_owned())).collect();
        Columns::find(&StringRecord::from(header), &chosen).map_err(|why| match why {
            Error::Invalid(problems) => problems.iter().map(|problem| problem.code).collect(),
            other => panic!("{other}"),
        })
    }

    #[test]
    fn usual_names_are_known_and_the_rest_is_told() {
        let columns = found(&[" Company Name", "E-Mail", "Fax", "STATUS"], &[]).expect("fits");
        assert_eq!(columns.fields, [(CsvField::Name, 0), (CsvField::ContactEmail, 1), (CsvField::Status, 3)]);
        assert_eq!((columns.ignored, columns.width), (vec!["Fax".to_owned()], 4));
    }

    #[test]
    fn a_choice_goes_before_a_usual_name() {
        let columns = found(&["name", "Trading as"], &[(CsvField::Name, "Trading as")]).expect("fits");
        assert_eq!((columns.fields, columns.ignored), (vec![(CsvField::Name, 1)], vec!["name".to_owned()]));
    }

    #[test]
    fn what_cannot_be_told_apart_is_refused() {
        assert_eq!(found(&["Name", "Company"], &[]).expect_err("two names"), ["ambiguous"]);
        assert_eq!(found(&["Fax"], &[]).expect_err("no name"), ["no_name"]);
        assert_eq!(found(&[""], &[]).expect_err("no name"), ["no_name"]);
        assert_eq!(found(&["a", "a"], &[(CsvField::Name, "a")]).expect_err("twice"), ["does_not_fit"]);
        assert_eq!(found(&["a"], &[(CsvField::Name, "b")]).expect_err("none"), ["does_not_fit"]);
        let twice = [(CsvField::Name, "a"), (CsvField::Notes, "a")];
        assert_eq!(found(&["a"], &twice).expect_err("twice"), ["does_not_fit"]);
    }

    #[test]
    fn every_field_is_found_by_its_own_name() {
        let names: Vec<&str> = field_names().collect();
        let columns = found(&names, &[]).expect("fits");
        assert_eq!(columns.fields.len(), names.len());
        assert!(names.iter().all(|name| CsvField::parse(name).is_some_and(|field| field.as_str() == *name)));
    }
}
