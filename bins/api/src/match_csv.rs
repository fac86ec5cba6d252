//! The matching over two CSV files: which clients do the rows of a vendor's list belong to?
//!
//! The clients are held in memory, as the index needs them; the vendor's rows pass one by one.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    fs::File,
    io::{self, BufReader, Chain, Read, Write},
    path::Path,
};

use anyhow::Context as _;
use csv::{ByteRecord, StringRecord};
use directory::{
    THRESHOLD,
    matching::{Candidate, Decision, Matcher, Subject, Suggestion, decide},
};
use domain::ClientId;
use uuid::Uuid;

/// Clients printed for each row.
const BEST: usize = 5;

/// A row that cannot be used.
#[derive(Debug, PartialEq)]
pub struct BadRow {
    /// File.
    pub file: String,
    /// Line on which the row begins, from 1.
    pub line: u64,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for BadRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, line {}: {}", self.file, self.line, self.message)
    }
}

/// Matches each row of the first file with those of the second. Rows that cannot be used are told to `bad` and left
/// out; a file that cannot be read at all, or has not the columns, is an error.
pub fn run(
    vendors: (File, &Path),
    clients: (File, &Path),
    output: impl Write,
    mut bad: impl FnMut(BadRow),
) -> anyhow::Result<()> {
    let clients = Table::open(BufReader::new(clients.0), clients.1)?;
    let vendors = Table::open(BufReader::new(vendors.0), vendors.1)?;
    matched(vendors, clients, output, &mut bad)
}

/// Whether it only says that nobody reads the output any more.
pub fn is_closed(error: &anyhow::Error) -> bool {
    let broken = |why: &io::Error| why.kind() == io::ErrorKind::BrokenPipe;
    error.chain().any(|cause| {
        let io = cause.downcast_ref::<io::Error>();
        let csv = cause.downcast_ref::<csv::Error>().map(csv::Error::kind);
        io.is_some_and(broken) || matches!(csv, Some(csv::ErrorKind::Io(why)) if broken(why))
    })
}

fn matched(
    mut vendors: Table<impl Read>,
    clients: Table<impl Read>,
    output: impl Write,
    bad: &mut impl FnMut(BadRow),
) -> anyhow::Result<()> {
    let (ids, matcher) = known(clients, bad)?;
    let mut output = csv::Writer::from_writer(output);
    output.write_record(["vendor_id", "client_id", "score", "decision"])?;
    let none = BTreeMap::new();
    let mut row = StringRecord::new();
    while let Some(line) = vendors.next(&mut row, bad)? {
        let Some((id, name, domain)) = vendors.fields(&row, line, bad) else { continue };
        let domains = domains(domain);
        let subject = Subject { name, domains: &domains, tenant_id: None, external_ids: &none };
        let suggestions = matcher.suggest(&subject, BEST);
        let words = words(&suggestions);
        for (suggestion, word) in suggestions.iter().zip(words) {
            let client = ids[suggestion.client_id.0.as_u128() as usize].as_str();
            output.write_record([id, client, &format!("{:.4}", suggestion.score), word])?;
        }
    }
    output.flush()?;
    Ok(())
}

/// The word beside each suggestion. Of an accepted row only the accepted client says so: who takes the rows that say
/// `accept` has exactly what would be mapped without a person.
fn words(suggestions: &[Suggestion]) -> impl Iterator<Item = &'static str> {
    let (first, others) = match decide(suggestions, THRESHOLD) {
        Decision::Accept(_) => ("accept", "none"),
        Decision::Ambiguous => ("ambiguous", "ambiguous"),
        Decision::Review => ("review", "review"),
        Decision::None => ("none", "none"),
    };
    std::iter::once(first).chain(std::iter::repeat(others))
}

/// The clients' own ids by their place, and the matcher, which knows them by that place. Several rows of one id are
/// names of one client.
fn known(mut clients: Table<impl Read>, bad: &mut impl FnMut(BadRow)) -> anyhow::Result<(Vec<String>, Matcher)> {
    let mut ids = Vec::new();
    let mut places = HashMap::new();
    let mut candidates: Vec<Candidate> = Vec::new();
    let mut row = StringRecord::new();
    while let Some(line) = clients.next(&mut row, bad)? {
        let Some((id, name, domain)) = clients.fields(&row, line, bad) else { continue };
        let place = *places.entry(id.to_owned()).or_insert_with(|| {
            candidates.push(Candidate::named(ClientId(Uuid::from_u128(ids.len() as u128)), Vec::new()));
            ids.push(id.to_owned());
            ids.len() - 1
        });
        candidates[place].names.push(name.to_owned());
        candidates[place].domains.extend(domains(domain));
    }
    Ok((ids, Matcher::new(candidates)))
}

/// The domains of a cell: one, or several with blanks, commas, semicolons or bars between them.
fn domains(cell: &str) -> Vec<String> {
    let parts = cell.split(|c: char| c.is_whitespace() || [',', ';', '|'].contains(&c));
    parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// A file with the columns `id,name,domain`, in any order and among others; `domain` may be missing.
struct Table<R> {
    reader: csv::Reader<Chain<R, &'static [u8]>>,
    file: String,
    columns: [usize; 2],
    domain: Option<usize>,
}

impl<R: Read> Table<R> {
    fn open(reader: R, file: &Path) -> anyhow::Result<Self> {
        let file = file.display().to_string();
        // Lines are counted by their `\n`; an `\r` before it is trimmed with the cell that it ends.
        let mut reader = csv::ReaderBuilder::new()
            .flexible(true)
            .terminator(csv::Terminator::Any(b'\n'))
            .from_reader(reader.chain(b"\n".as_slice()));
        let header = reader.headers().with_context(|| format!("{file} cannot be read"))?.clone();
        let place = |wanted: &str| header.iter().position(|name| name.trim().eq_ignore_ascii_case(wanted));
        let must = |wanted: &str| {
            place(wanted)
                .with_context(|| format!("{file}: the first line names no column “{wanted}”; expected id,name,domain"))
        };
        Ok(Self { columns: [must("id")?, must("name")?], domain: place("domain"), reader, file })
    }

    /// The next row that is text, and the line on which it begins; `None` at the end.
    fn next(&mut self, row: &mut StringRecord, bad: &mut impl FnMut(BadRow)) -> anyhow::Result<Option<u64>> {
        loop {
            let mut bytes = ByteRecord::new();
            let more = self.reader.read_byte_record(&mut bytes);
            if !more.with_context(|| format!("{} cannot be read", self.file))? {
                return Ok(None);
            }
            if bytes.iter().all(|field| field.trim_ascii().is_empty()) {
                continue;
            }
            // Every row ends with a line end, and the reader stands behind it; empty lines before a row are not its.
            let within = bytes.as_slice().iter().filter(|byte| **byte == b'\n').count() as u64;
            let line = self.reader.position().line() - 1 - within;
            match StringRecord::from_byte_record(bytes) {
                Ok(text) => {
                    *row = text;
                    return Ok(Some(line));
                }
                Err(_) => bad(self.wrong(line, "is not UTF-8".to_owned())),
            }
        }
    }

    /// Id, name and domain of a row, or a complaint.
    fn fields<'a>(
        &self,
        row: &'a StringRecord,
        line: u64,
        bad: &mut impl FnMut(BadRow),
    ) -> Option<(&'a str, &'a str, &'a str)> {
        let [id, name] = self.columns.map(|column| row.get(column).map(str::trim));
        let domain = self.domain.and_then(|column| row.get(column)).unwrap_or_default();
        let wrong = match (id, name) {
            (Some(""), _) => "has no id".to_owned(),
            (Some(id), Some(name)) => return Some((id, name, domain)),
            _ => format!("has {} fields only", row.len()),
        };
        bad(self.wrong(line, wrong));
        None
    }

    fn wrong(&self, line: u64, message: String) -> BadRow {
        BadRow { file: self.file.clone(), line, message }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENTS: &str = "id,name,domain\n\
        c1,Harbour Dental Pty Ltd,harbourdental.example\n\
        c2,Kite & Co,\n\
        c3,\"Nord, Praxis GmbH\",\n\
        c2,Milan Works,\n";

    fn ran(vendors: &[u8], clients: &str) -> anyhow::Result<(Vec<Vec<String>>, Vec<BadRow>)> {
        let (mut output, mut bad) = (Vec::new(), Vec::new());
        let vendors = Table::open(vendors, Path::new("v.csv"))?;
        let clients = Table::open(clients.as_bytes(), Path::new("c.csv"))?;
        matched(vendors, clients, &mut output, &mut |wrong| bad.push(wrong))?;
        let mut printed = csv::Reader::from_reader(output.as_slice());
        assert_eq!(printed.headers()?, &StringRecord::from(vec!["vendor_id", "client_id", "score", "decision"]));
        let rows = printed.records().map(|row| row.map(|row| row.iter().map(str::to_owned).collect()));
        Ok((rows.collect::<Result<_, _>>()?, bad))
    }

    #[test]
    fn the_right_client_comes_first_and_alone_is_accepted() -> anyhow::Result<()> {
        let vendors = "\u{feff}name,ID,domain\r\nHARBOUR DENTAL,v1,\r\n\"NORD PRAXIS\r\n\",v2,\r\nMilan works,v3,\r\nZzyzx,v4,\r\n";
        let (rows, bad) = ran(vendors.as_bytes(), CLIENTS)?;
        assert_eq!(bad, []);
        for (vendor, client) in [("v1", "c1"), ("v2", "c3"), ("v3", "c2")] {
            let first = rows.iter().find(|row| row[0] == vendor).expect("a row");
            assert_eq!((first[1].as_str(), first[3].as_str()), (client, "accept"), "{rows:?}");
            let accepted = rows.iter().filter(|row| row[0] == vendor && row[3] == "accept").count();
            assert_eq!(accepted, 1);
        }
        assert!(rows.iter().filter(|row| row[0] == "v4").all(|row| row[3] == "none"), "{rows:?}");
        Ok(())
    }

    #[test]
    fn at_most_five_best_first_and_rivals_are_ambiguous() -> anyhow::Result<()> {
        let clients: String = (0..8).map(|at| format!("c{at},Harbour Dental,\n")).collect();
        let (rows, _) = ran(b"id,name\nv1,Harbour Dental\n", &format!("id,name,domain\n{clients}"))?;
        assert_eq!(rows.len(), BEST);
        assert!(rows.iter().all(|row| row[3] == "ambiguous"), "{rows:?}");
        let scores: Vec<f64> = rows.iter().map(|row| row[2].parse().expect("a number")).collect();
        assert!(scores.is_sorted_by(|a, b| a >= b) && scores.iter().all(|score| (0.0..=1.0).contains(score)));
        Ok(())
    }

    #[test]
    fn bad_rows_are_named_with_their_line_and_the_rest_is_matched() -> anyhow::Result<()> {
        let vendors = "id,name,domain\nv1,\"Kite\n& Co\",\n\n,Nameless,\nv3\nv4,\u{1},\nv5,\"Harbour Dental\"";
        for end in ["\n", "\r\n"] {
            let mut vendors = vendors.replace('\n', end).into_bytes();
            vendors.iter_mut().filter(|byte| **byte == 1).for_each(|byte| *byte = 0xff);
            let (rows, bad) = ran(&vendors, CLIENTS)?;
            let told: Vec<String> = bad.iter().map(ToString::to_string).collect();
            let expected =
                ["v.csv, line 5: has no id", "v.csv, line 6: has 1 fields only", "v.csv, line 7: is not UTF-8"];
            assert_eq!(told, expected, "{end:?}");
            assert_eq!(rows.iter().filter(|row| row[3] == "accept").count(), 2, "{rows:?}");
        }
        Ok(())
    }

    #[test]
    fn a_file_without_the_columns_is_refused() {
        let refused = ran(b"id;name;domain\n1;Kite;\n", CLIENTS).expect_err("no columns");
        assert!(refused.to_string().contains("v.csv") && refused.to_string().contains("“id”"), "{refused}");
        assert!(ran(b"", CLIENTS).is_err());
    }

    #[test]
    fn a_reader_that_has_enough_is_no_failure() {
        let broken = anyhow::Error::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert!(is_closed(&broken));
        assert!(is_closed(&anyhow::Error::from(csv::Error::from(io::Error::from(io::ErrorKind::BrokenPipe)))));
        assert!(!is_closed(&anyhow::anyhow!("another")));
    }
}
