//! Importing clients from a CSV file: previewed, applied as one entry, revertible whole.

use directory::{CsvField, CsvOutcome, CsvRules, csv_import};
use domain::{Error, Permission};
use poem_openapi::{
    Enum, Object, OpenApi,
    param::{Header, Query},
};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::Chapter;
use crate::{
    app::AppData,
    auth::Caller,
    changes::Written,
    csv_body::CsvFile,
    page::Answer,
    problem::Failure,
    write::{Asked, Begun},
};

/// The character between two fields
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum CsvDelimiter {
    /// `,`
    Comma,
    /// `;`
    Semicolon,
    /// Tabulator
    Tab,
}

/// What rows with mistakes do
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum CsvOnError {
    /// One refuses the whole file
    Refuse,
    /// They are left out
    Skip,
}

/// What empty cells do
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum CsvEmpty {
    /// They say nothing
    Keep,
    /// They empty the field
    Clear,
}

/// What a row comes to
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum CsvAction {
    /// A client is made
    Create,
    /// A client is changed
    Update,
    /// The client is as the row says
    Unchanged,
    /// It has mistakes: nothing is done
    Error,
}

/// A row of the file.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct CsvRow {
    /// Line on which it begins, from 1
    pub line: u64,
    pub action: CsvAction,
    /// The client; of a preview's new clients the ids change when it is applied
    pub client_id: Option<Uuid>,
    /// Its name, as the file has it
    pub name: String,
}

/// A mistake in the file.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct CsvMistake {
    /// Line on which its row begins, from 1
    pub line: u64,
    /// Number of its column, from 1; absent where the whole row is meant
    pub column: Option<u64>,
    /// Stable word for machines
    pub code: String,
    /// What is wrong and what to do
    pub message: String,
}

/// An import of a file, or its preview.
#[derive(Debug, Clone, Object)]
pub struct CsvImportResult {
    /// Clients made
    pub created: u64,
    /// Clients changed
    pub updated: u64,
    /// Rows that say what is known
    pub unchanged: u64,
    /// Rows with mistakes
    pub errors: u64,
    /// The first 1,000 rows
    pub rows: Vec<CsvRow>,
    /// The first 1,000 mistakes
    pub mistakes: Vec<CsvMistake>,
    /// Columns of the file that say nothing to an import
    pub ignored_columns: Vec<String>,
}

/// Imports of files.
pub struct CsvImports;

#[OpenApi(prefix_path = "/api/imports", tag = "Chapter::Imports")]
impl CsvImports {
    /// Import clients from a CSV file
    ///
    /// UTF-8, or UTF-16 with a byte order mark; at most 20 MiB and 100,000 rows below a line of headers. A row is about
    /// the client of its id, else about the one of its name, else about a new one. With `dry_run=true` this is the
    /// preview, which also answers every mistake. One change set holds the whole import (of a large file several entries
    /// of the journal), and reverting it reverts all of it. A file of the export changes nothing. Tags stand in one cell,
    /// separated by `|` (`\|` is a bar, `\\` a backslash in a tag), at most 20 of at most 50 characters; they take the
    /// place of those that the client has.
    #[oai(path = "/csv", method = "post", operation_id = "csv_import_apply")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn csv_import_apply(
        &self,
        app: AppData<'_>,
        caller: Caller,
        body: CsvFile,
        /// Which column a field is, as `field:header`, once for each field whose header is not a usual name; fields are
        /// id, name, status, contact_email, phone, address, notes, tags
        column: Query<Vec<String>>,
        /// Found from the header when left out
        delimiter: Query<Option<CsvDelimiter>>,
        /// `refuse` when left out
        on_error: Query<Option<CsvOnError>>,
        /// `keep` when left out
        empty: Query<Option<CsvEmpty>>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<CsvImportResult>>, Failure> {
        let context = caller.context()?;
        let CsvFile::Csv(file) = body;
        let why = reason.0.clone();
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let preview = asked.is_dry_run();
        let request = (Sha256::digest(&file.0), &column.0, &delimiter.0, &on_error.0, &empty.0);
        let begun = app.begin(&context, Permission::ClientsImport, "csv_import_apply", asked, &request).await?;
        let write = match begun {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let rules = CsvRules {
            delimiter: delimiter.0.map(|delimiter| match delimiter {
                CsvDelimiter::Comma => b',',
                CsvDelimiter::Semicolon => b';',
                CsvDelimiter::Tab => b'\t',
            }),
            columns: column.0.iter().map(|column| chosen(column)).collect::<domain::Result<_>>()?,
            skip_bad: on_error.0 == Some(CsvOnError::Skip),
            clear_empty: empty.0 == Some(CsvEmpty::Clear),
        };
        // Very many changes are written in parts, so that memory does not grow with the file.
        write.tx.spill_as("csv_import_apply", why.as_deref(), preview);
        let outcome = csv_import(&write.tx, &file.0, &rules, preview).await?;
        let mut warnings = Vec::new();
        if outcome.errors > 0 && !rules.skip_bad {
            warnings
                .push("Applied as it is, the file is refused: mend the mistakes, or send on_error=skip.".to_owned());
        }
        Ok(Answer::new(write.finish(Some(view(outcome)), warnings).await?))
    }
}

fn chosen(column: &str) -> domain::Result<(CsvField, String)> {
    let found = column.split_once(':').and_then(|(field, header)| {
        Some((CsvField::parse(field.trim())?, header.to_owned())).filter(|(_, header)| !header.trim().is_empty())
    });
    found.ok_or_else(|| {
        let fields = directory::field_names().collect::<Vec<_>>().join(", ");
        Error::invalid("column", "malformed", format!("must be field:header, and the field one of {fields}"))
    })
}

fn view(outcome: CsvOutcome) -> CsvImportResult {
    CsvImportResult {
        created: outcome.created,
        updated: outcome.updated,
        unchanged: outcome.unchanged,
        errors: outcome.errors,
        rows: outcome.rows.into_iter().map(row).collect(),
        mistakes: outcome.mistakes.into_iter().map(mistake).collect(),
        ignored_columns: outcome.ignored,
    }
}

fn row(row: directory::CsvRow) -> CsvRow {
    let action = match row.action {
        directory::CsvAction::Create => CsvAction::Create,
        directory::CsvAction::Update => CsvAction::Update,
        directory::CsvAction::Unchanged => CsvAction::Unchanged,
        directory::CsvAction::Error => CsvAction::Error,
    };
    CsvRow { line: row.line, action, client_id: row.client_id.map(|client| client.0), name: row.name }
}

fn mistake(mistake: directory::CsvMistake) -> CsvMistake {
    CsvMistake { line: mistake.line, column: mistake.column, code: mistake.code.to_owned(), message: mistake.message }
}
