//! A search of the journal as a file, sent as it is read: memory does not grow with it.

use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use directory::guarded;
use domain::{ClientId, Context, Error, Outcome, Permission};
use futures_util::stream;
use persistence::{JournalEntry, JournalFilter, Store};
use poem::Body;
use poem_openapi::{ApiResponse, Enum, OpenApi, ResponseContent, param::Query, payload::Binary};
use serde_json::json;
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::{
    Chapter,
    journal::{ActorKind, EntryOutcome, checked},
};
use crate::{app::AppData, auth::Caller, problem::Failure};

/// Entries read at a time, at the most.
const MOST: u64 = 500;
/// Bytes of a page above which the next has fewer entries, and below a quarter of which it has more.
const PAGE: usize = 1024 * 1024;

/// Columns of the CSV file.
const COLUMNS: [&str; 17] = [
    "seq",
    "id",
    "at",
    "actor_kind",
    "actor_id",
    "staff_id",
    "acted_for",
    "source_address",
    "request_id",
    "action",
    "outcome",
    "reason",
    "reverts",
    "digest",
    "change_count",
    "changes",
    "approved_by",
];

/// What file to make
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum JournalFormat {
    /// An object as JSON in each line
    Ndjson,
    /// Comma-separated, UTF-8
    Csv,
}

/// A file.
#[derive(ResponseContent)]
pub enum JournalFile {
    /// Lines of JSON
    #[oai(content_type = "application/x-ndjson")]
    Ndjson(Binary<Body>),
    /// Comma-separated
    #[oai(content_type = "text/csv")]
    Csv(Binary<Body>),
}

/// A search of the journal as a file.
#[derive(ApiResponse)]
pub enum JournalExported {
    /// The file
    #[oai(status = 200)]
    Ok(
        JournalFile,
        /// Proposes a name for the file
        #[oai(header = "Content-Disposition")]
        String,
    ),
}

/// Exports of the journal.
pub struct JournalExports;

#[OpenApi(prefix_path = "/api/journal", tag = "Chapter::Journal")]
impl JournalExports {
    /// A search of the journal as a file
    ///
    /// With the filters of the list, the newest first, as it stands when it begins; the export is an entry itself. Each
    /// line of NDJSON is an entry with its changes; in CSV the column `changes` holds them as JSON. A cell that a
    /// spreadsheet would take for a formula has an apostrophe before it. An export that fails on the way is cut off.
    #[oai(path = "/export", method = "get", operation_id = "journal_export")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn journal_export(
        &self,
        app: AppData<'_>,
        caller: Caller,
        /// `ndjson` when left out
        format: Query<Option<JournalFormat>>,
        /// Only those that touched this client
        client_id: Query<Option<Uuid>>,
        /// Only this action
        action: Query<Option<String>>,
        outcome: Query<Option<EntryOutcome>>,
        /// Only by this staff user, key, portal user or service account
        actor_id: Query<Option<Uuid>>,
        /// Only by actors of this kind
        actor_kind: Query<Option<ActorKind>>,
        /// Only those done for this customer
        acted_for: Query<Option<Uuid>>,
        /// Only those that touched this row, of whatever kind
        record_id: Query<Option<Uuid>>,
        /// Only those of this request or run
        request_id: Query<Option<String>>,
        /// Only those whose changes hold this text, 2 to 200 characters
        text: Query<Option<String>>,
        /// Only from this instant on
        since: Query<Option<DateTime<Utc>>>,
        /// Only before this instant
        until: Query<Option<DateTime<Utc>>>,
    ) -> Result<JournalExported, Failure> {
        let context = caller.context()?;
        app.permit(&context, Permission::JournalView, "journal_export").await?;
        let filter = checked(JournalFilter {
            client: client_id.0.map(ClientId),
            record: record_id.0,
            action: action.0,
            outcome: outcome.0.map(Into::into),
            actor: actor_id.0,
            actor_kind: actor_kind.0.map(|kind| kind.as_str().to_owned()),
            acted_for: acted_for.0.map(ClientId),
            request_id: request_id.0,
            text: text.0,
            since: since.0,
            until: until.0,
        })?;
        let busy = |_| Error::Busy("too many exports are under way".to_owned());
        drop(app.exports.try_acquire().map_err(busy)?);
        let format = format.0.unwrap_or(JournalFormat::Ndjson);
        let (name, csv) = match format {
            JournalFormat::Ndjson => ("journal.ndjson", false),
            JournalFormat::Csv => ("journal.csv", true),
        };
        let tx = app.store.begin(context.clone()).await?;
        let end = tx.journal_end().await?;
        let what = format!("{name}, the entries up to {end}; {}", told(&filter));
        tx.commit_attempt("journal_export", Outcome::Done, &what).await?;
        let export = Export {
            store: app.store.clone(),
            context,
            filter,
            before: Some(end + 1),
            limit: 50,
            csv,
            begun: false,
            slots: Arc::clone(&app.exports),
        };
        let pages = stream::try_unfold(export, |mut export| async move {
            match export.page().await {
                Ok(Some(page)) => Ok(Some((Bytes::from(page), export))),
                Ok(None) => Ok(None),
                // The headers are sent: the answer ends without its last chunk, so that it is not taken for whole.
                Err(error) => {
                    tracing::error!(?error, "an export of the journal was cut off");
                    Err(std::io::Error::other("the export was cut off"))
                }
            }
        });
        let body = Binary(Body::from_bytes_stream(pages));
        let file = if csv { JournalFile::Csv(body) } else { JournalFile::Ndjson(body) };
        Ok(JournalExported::Ok(file, format!("attachment; filename=\"{name}\"")))
    }
}

/// The filter in words, for the journal.
fn told(filter: &JournalFilter) -> String {
    let JournalFilter { client, record, action, outcome, actor, actor_kind, acted_for, request_id, text, since, until } =
        filter;
    let parts = [
        client.map(|client| format!("client {client}")),
        record.map(|record| format!("record {record}")),
        action.as_ref().map(|action| format!("action {action}")),
        outcome.map(|outcome| format!("outcome {}", outcome.as_str())),
        actor.map(|actor| format!("actor {actor}")),
        actor_kind.as_ref().map(|kind| format!("actors {kind}")),
        acted_for.map(|client| format!("for {client}")),
        request_id.as_ref().map(|request| format!("request {request}")),
        text.as_ref().map(|text| format!("text “{text}”")),
        since.map(|since| format!("since {since}")),
        until.map(|until| format!("until {until}")),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { "without filters".to_owned() } else { parts.join(", ") }
}

/// An export under way. Each page is read in a transaction of its own: nothing is held while the reader is slow, and
/// what was written once does not change.
struct Export {
    store: Store,
    context: Context,
    filter: JournalFilter,
    /// Where the next page ends; none when there are no more.
    before: Option<i64>,
    limit: u64,
    csv: bool,
    begun: bool,
    slots: Arc<Semaphore>,
}

impl Export {
    /// The next page as bytes; none at the end.
    async fn page(&mut self) -> domain::Result<Option<Vec<u8>>> {
        // Only while it reads: a slow reader keeps nobody out.
        let slots = Arc::clone(&self.slots);
        let _slot = slots.acquire().await.map_err(Error::internal)?;
        let mut out = Vec::new();
        if self.csv && !self.begun {
            row(&mut out, &COLUMNS.map(str::to_owned))?;
        }
        self.begun = true;
        // A search for a text may go through stretches without any.
        while let Some(before) = self.before {
            let tx = self.store.read(self.context.clone()).await?;
            let page = tx.journal_page(&self.filter, Some(before), self.limit).await?;
            drop(tx);
            self.before = page.next;
            let read = out.len();
            for entry in &page.items {
                if self.csv { row(&mut out, &cells(entry)?)? } else { line(&mut out, entry)? }
            }
            let size = out.len() - read;
            self.limit = if size > PAGE { (self.limit / 4).max(1) } else { self.limit };
            self.limit = if size < PAGE / 4 { (self.limit * 2).min(MOST) } else { self.limit };
            if !out.is_empty() {
                return Ok(Some(out));
            }
        }
        Ok((!out.is_empty()).then_some(out))
    }
}

fn line(out: &mut Vec<u8>, entry: &JournalEntry) -> domain::Result<()> {
    let value = json!({
        "seq": entry.seq, "id": entry.id, "at": entry.at, "actor": entry.actor, "acted_for": entry.acted_for,
        "source_address": entry.source_address, "request_id": entry.request_id, "action": entry.action,
        "outcome": entry.outcome, "reason": entry.reason, "reverts": entry.reverts, "digest": entry.digest,
        "changes": entry.changes, "approved_by": entry.approved_by,
    });
    serde_json::to_writer(&mut *out, &value).map_err(Error::internal)?;
    out.push(b'\n');
    Ok(())
}

fn cells(entry: &JournalEntry) -> domain::Result<[String; 17]> {
    let id = |id: Option<Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
    Ok([
        entry.seq.to_string(),
        entry.id.to_string(),
        entry.at.to_rfc3339(),
        entry.actor.kind().to_owned(),
        id(entry.actor.id()),
        id(entry.actor.staff().map(|staff| staff.0)),
        id(entry.acted_for.map(|client| client.0)),
        entry.source_address.clone().unwrap_or_default(),
        entry.request_id.clone(),
        entry.action.clone(),
        entry.outcome.as_str().to_owned(),
        entry.reason.clone().unwrap_or_default(),
        id(entry.reverts.map(|entry| entry.0)),
        entry.digest.clone(),
        entry.changes.len().to_string(),
        serde_json::to_string(&entry.changes).map_err(Error::internal)?,
        id(entry.approved_by.map(|staff| staff.0)),
    ])
}

/// A row of CSV, with no cell that a spreadsheet takes for a formula.
fn row(out: &mut Vec<u8>, cells: &[String; 17]) -> domain::Result<()> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(&mut *out);
    writer.write_record(cells.iter().map(|cell| guarded(cell).into_owned())).map_err(Error::internal)?;
    writer.flush().map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use domain::{Actor, Timestamp};

    use super::*;

    fn entry(reason: &str) -> JournalEntry {
        JournalEntry {
            id: Uuid::from_u128(1).into(),
            seq: 7,
            at: Timestamp::from_timestamp(1_800_000_000, 0).expect("valid"),
            actor: Actor::Worker,
            acted_for: None,
            source_address: None,
            request_id: "=HYPERLINK(\"x\")".to_owned(),
            action: "client_update".to_owned(),
            outcome: Outcome::Done,
            reason: Some(reason.to_owned()),
            changes: Vec::new(),
            digest: "00".to_owned(),
            reverts: None,
            change_set: None,
            approved_by: None,
        }
    }

    #[test]
    fn no_cell_is_a_formula_and_every_row_has_all_columns() {
        let mut out = Vec::new();
        row(&mut out, &COLUMNS.map(str::to_owned)).expect("writes");
        row(&mut out, &cells(&entry("@SUM(A1), \"quoted\"\nand more")).expect("fits")).expect("writes");
        let mut reader = csv::Reader::from_reader(out.as_slice());
        assert_eq!(reader.headers().expect("a header"), COLUMNS.as_slice());
        let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("a row")).collect();
        assert_eq!(rows.len(), 1);
        assert_eq!(&rows[0][8], "'=HYPERLINK(\"x\")");
        assert_eq!(&rows[0][11], "'@SUM(A1), \"quoted\"\nand more");
    }

    #[test]
    fn each_entry_is_one_line_of_json() {
        let mut out = Vec::new();
        line(&mut out, &entry("two\nlines")).expect("writes");
        let text = String::from_utf8(out).expect("a text");
        assert_eq!(text.lines().count(), 1);
        let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!((value["reason"].as_str(), value["actor"]["kind"].as_str()), (Some("two\nlines"), Some("worker")));
    }
}
