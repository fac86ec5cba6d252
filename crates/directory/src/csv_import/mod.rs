//! Importing clients from a file of comma-separated values.
//!
//! * `text.rs`: from bytes to text, and which character separates.
//! * `header.rs`: which column is which field.
//! * `rows.rs`: from a record to what it says of a client, every mistake with its line and column.
//!
//! The file is read record by record; what is kept of it all is its text, whom each name stands for, and which clients
//! it was about already. Clients are written many at a time.

use std::collections::{HashMap, HashSet};

use csv::StringRecord;
use domain::{Client, ClientId, ClientScope, Error, Problem, Result, name_key};
use persistence::{Named, Tx};

mod header;
mod rows;
mod text;

use header::Columns;
pub use header::{CsvField, field_names};
use rows::Row;

/// Rows from which on all clients are locked first.
const LOCKED: usize = 5_000;
/// Most rows of one file.
pub const MOST_ROWS: u64 = 100_000;
/// Rows and mistakes that an answer shows.
const SHOWN: usize = 1_000;
/// Mistakes that a refusal names.
const NAMED: usize = 100;
/// Rows that are looked up and written together.
const BATCH: usize = 500;

/// How a file is to be read.
#[derive(Clone, Debug, Default)]
pub struct CsvRules {
    /// The character between two fields; found from the header when left out.
    pub delimiter: Option<u8>,
    /// Which column of the file each of these fields is. Fields that are not named here are found by usual names.
    pub columns: Vec<(CsvField, String)>,
    /// Leave out rows with mistakes; otherwise one mistake refuses the whole file.
    pub skip_bad: bool,
    /// An empty cell empties the field; otherwise it says nothing.
    pub clear_empty: bool,
}

/// What a row comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CsvAction {
    /// A client is made.
    Create,
    /// A client is changed.
    Update,
    /// The client is as the row says.
    Unchanged,
    /// It has mistakes: nothing is done.
    Error,
}

/// A row of the file.
#[derive(Clone, Debug)]
pub struct CsvRow {
    /// Line on which it begins, from 1; the header is on the first.
    pub line: u64,
    /// What it comes to.
    pub action: CsvAction,
    /// The client.
    pub client_id: Option<ClientId>,
    /// Its name, as the file has it.
    pub name: String,
}

/// A mistake in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsvMistake {
    /// Line on which its row begins, from 1.
    pub line: u64,
    /// Number of its column, from 1; none where the whole row is meant.
    pub column: Option<u64>,
    /// Stable word for machines.
    pub code: &'static str,
    /// What is wrong and what to do.
    pub message: String,
}

/// What became of a file.
#[derive(Clone, Debug, Default)]
pub struct CsvOutcome {
    /// Clients made.
    pub created: u64,
    /// Clients changed.
    pub updated: u64,
    /// Rows that say what is known.
    pub unchanged: u64,
    /// Rows with mistakes.
    pub errors: u64,
    /// The first 1,000 rows.
    pub rows: Vec<CsvRow>,
    /// The first 1,000 mistakes.
    pub mistakes: Vec<CsvMistake>,
    /// Columns of the file that say nothing to an import.
    pub ignored: Vec<String>,
}

/// Makes and changes clients as a file says: by id where a row has one, by name otherwise.
///
/// Two rows about one client are a mistake of the second; so is a name that several clients have. Without `skip_bad` a
/// file with mistakes is refused, and `preview` answers them instead. Only for callers who see every client.
pub async fn csv_import(tx: &Tx, file: &[u8], rules: &CsvRules, preview: bool) -> Result<CsvOutcome> {
    if tx.context().scope != ClientScope::All {
        return Err(Error::conflict("scope_limited", "Only who sees every client may import: ask an admin."));
    }
    let text = text::decoded(file)?;
    let delimiter = rules.delimiter.unwrap_or_else(|| text::delimiter(&text));
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(text.as_bytes());
    let columns = Columns::find(reader.headers().map_err(Error::internal)?, &rules.columns)?;
    // Beyond this the journal is written in between: who edits a client meanwhile must not hold what comes later here.
    if text.lines().count() > LOCKED {
        tx.clients_lock().await?;
    }
    let mut import = Import {
        tx,
        named: tx.client_name_keys().await?,
        about: HashMap::new(),
        names: HashMap::new(),
        outcome: CsvOutcome { ignored: columns.ignored.clone(), ..CsvOutcome::default() },
        clear_empty: rules.clear_empty,
    };
    let mut batch = Vec::with_capacity(BATCH);
    let mut record = StringRecord::new();
    let mut count = 0;
    while reader.read_record(&mut record).map_err(Error::internal)? {
        if record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        count += 1;
        if count > MOST_ROWS {
            return Err(Error::invalid(
                "",
                "too_many",
                format!("A file may have at most {MOST_ROWS} rows: divide it."),
            ));
        }
        let line = record.position().map_or(0, |place| text::line(&text, place));
        match columns.read(&record, line) {
            Ok(row) => batch.push(row),
            Err(mistakes) => import.wrong(line, "", mistakes),
        }
        if batch.len() == BATCH {
            import.take(std::mem::take(&mut batch)).await?;
        }
    }
    import.take(batch).await?;
    let mut outcome = import.outcome;
    outcome.rows.sort_by_key(|row| row.line);
    outcome.mistakes.sort_by_key(|mistake| (mistake.line, mistake.column));
    if outcome.errors > 0 && !rules.skip_bad && !preview {
        return Err(Error::Invalid(outcome.mistakes.iter().take(NAMED).map(CsvMistake::problem).collect()));
    }
    Ok(outcome)
}

impl CsvMistake {
    fn problem(&self) -> Problem {
        let column = self.column.map(|column| format!("/column/{column}")).unwrap_or_default();
        Problem::new(format!("/line/{}{column}", self.line), self.code, self.message.clone())
    }
}

struct Import<'a> {
    tx: &'a Tx,
    /// Whom each name stood for before the file.
    named: HashMap<String, Named>,
    /// Clients that a row was about, with its line.
    about: HashMap<ClientId, u64>,
    /// Names that a row gave to a client, with its line.
    names: HashMap<String, u64>,
    outcome: CsvOutcome,
    clear_empty: bool,
}

impl Import<'_> {
    /// Looks up the clients of some rows, and writes what the rows say of them.
    async fn take(&mut self, rows: Vec<Row>) -> Result<()> {
        let ids: HashSet<ClientId> = rows.iter().filter_map(|row| self.whom(row).ok().flatten()).collect();
        let known = self.tx.clients_by_id(&Vec::from_iter(ids)).await?;
        let known: HashMap<ClientId, Client> = known.into_iter().map(|client| (client.id, client)).collect();
        let (mut made, mut changed) = (Vec::new(), Vec::new());
        for row in rows {
            match self.settle(&row, &known) {
                Err(mistake) => self.wrong(row.line, row.name(), vec![mistake]),
                Ok((None, after)) => {
                    self.done(&row, CsvAction::Create, after.id);
                    made.push(after);
                }
                Ok((Some(before), after)) if *before == after => self.done(&row, CsvAction::Unchanged, after.id),
                Ok((Some(before), after)) => {
                    self.done(&row, CsvAction::Update, after.id);
                    changed.push((before.clone(), after));
                }
            }
        }
        self.tx.clients_update(changed).await?;
        self.tx.clients_insert(&made).await?;
        self.tx.journal_spill().await
    }

    /// The client that a row is about: by its id, or else by its name; none where it is to be made.
    fn whom(&self, row: &Row) -> std::result::Result<Option<ClientId>, CsvMistake> {
        if let Some((id, _)) = row.id {
            return Ok(Some(id));
        }
        match self.named.get(&name_key(row.name())) {
            Some(Named::One(id)) => Ok(Some(*id)),
            Some(Named::Several) => Err(row.mistake(
                CsvField::Name,
                "ambiguous",
                "several clients have this name: put the id of the right one into a column “id”",
            )),
            None => Ok(None),
        }
    }

    /// The client before (if there is one) and after a row.
    fn settle<'k>(
        &mut self,
        row: &Row,
        known: &'k HashMap<ClientId, Client>,
    ) -> std::result::Result<(Option<&'k Client>, Client), CsvMistake> {
        let whom = self.whom(row)?;
        let before = whom.and_then(|id| known.get(&id));
        let twice = |field, line| row.mistake(field, "twice", format!("line {line} is about this client already"));
        match (whom, before) {
            (Some(_), None) if row.id.is_some() => {
                return Err(row.mistake(CsvField::Id, "not_found", "there is no client of this id"));
            }
            // It was deleted while the file was read.
            (Some(_), None) => return Err(row.mistake(CsvField::Name, "not_found", "this client was just deleted")),
            (Some(id), Some(_)) => {
                if let Some(line) = self.about.get(&id) {
                    return Err(twice(if row.id.is_some() { CsvField::Id } else { CsvField::Name }, *line));
                }
            }
            (None, _) => {}
        }
        let mut after = before.cloned().unwrap_or_else(|| blank(self.tx));
        row.put_into(&mut after, self.clear_empty);
        if after.name.is_empty() {
            return Err(row.mistake(CsvField::Name, "required", "a new client needs a name"));
        }
        if before.is_none_or(|before| before.name != after.name) {
            let key = name_key(&after.name);
            if let Some(line) = self.names.get(&key) {
                return Err(twice(CsvField::Name, *line));
            }
            self.names.insert(key, row.line);
        }
        self.about.insert(after.id, row.line);
        Ok((before, after))
    }

    fn done(&mut self, row: &Row, action: CsvAction, client: ClientId) {
        match action {
            CsvAction::Create => self.outcome.created += 1,
            CsvAction::Update => self.outcome.updated += 1,
            CsvAction::Unchanged | CsvAction::Error => self.outcome.unchanged += 1,
        }
        self.show(CsvRow { line: row.line, action, client_id: Some(client), name: row.name().to_owned() });
    }

    fn wrong(&mut self, line: u64, name: &str, mistakes: Vec<CsvMistake>) {
        self.outcome.errors += 1;
        let room = SHOWN.saturating_sub(self.outcome.mistakes.len());
        self.outcome.mistakes.extend(mistakes.into_iter().take(room));
        self.show(CsvRow { line, action: CsvAction::Error, client_id: None, name: name.to_owned() });
    }

    fn show(&mut self, row: CsvRow) {
        if self.outcome.rows.len() < SHOWN {
            self.outcome.rows.push(row);
        }
    }
}

/// A new client of which nothing is said yet.
fn blank(tx: &Tx) -> Client {
    Client {
        id: tx.new_id(),
        name: String::new(),
        status: domain::ClientStatus::default(),
        notes: None,
        contact_email: None,
        phone: None,
        address: None,
        created_at: tx.now(),
        updated_at: tx.now(),
        archived_at: None,
        deleted_at: None,
        tags: Vec::new(),
        version: 1,
        device_count: 0,
        user_count: 0,
    }
}
