//! The journal: who changed what, and undoing it.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use domain::{ClientId, EntryId, Outcome, Permission};
use persistence::{JournalEntry, JournalFilter};
use poem_openapi::{
    Enum, Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::Chapter;
use crate::{
    app::AppData,
    auth::Caller,
    changes::{Change, Written},
    page::{Answer, Page, page_request},
    problem::Failure,
    write::{Asked, Begun},
};

/// How an action ended
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum EntryOutcome {
    /// Done
    Done,
    /// Refused for want of a right
    Denied,
    /// Tried, and failed
    Failed,
}

impl From<Outcome> for EntryOutcome {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done => Self::Done,
            Outcome::Denied => Self::Denied,
            Outcome::Failed => Self::Failed,
        }
    }
}

impl From<EntryOutcome> for Outcome {
    fn from(outcome: EntryOutcome) -> Self {
        match outcome {
            EntryOutcome::Done => Self::Done,
            EntryOutcome::Denied => Self::Denied,
            EntryOutcome::Failed => Self::Failed,
        }
    }
}

/// Who acts
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum ActorKind {
    /// A signed-in staff user
    Staff,
    /// A key of a staff user
    ApiKey,
    /// A portal user
    PortalUser,
    /// A machine of the organisation's own
    ServiceAccount,
    /// A worker
    Worker,
    /// An operator at the command line
    Operator,
}

impl ActorKind {
    /// The name in the journal.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Staff => "staff",
            Self::ApiKey => "api_key",
            Self::PortalUser => "portal_user",
            Self::ServiceAccount => "service_account",
            Self::Worker => "worker",
            Self::Operator => "operator",
        }
    }
}

/// Entries that one request checks, at the most.
const STRETCH: i64 = 20_000;

/// The same filter, unless its text is too short to be looked for or too long.
pub(super) fn checked(filter: JournalFilter) -> domain::Result<JournalFilter> {
    let length = filter.text.as_deref().map(|text| text.chars().count());
    if length.is_some_and(|length| !(2..=200).contains(&length)) {
        return Err(domain::Error::invalid("text", "out_of_range", "must have 2 to 200 characters"));
    }
    if let (Some(since), Some(until)) = (filter.since, filter.until)
        && since >= until
    {
        return Err(domain::Error::invalid("until", "before_since", "must be later than since"));
    }
    Ok(filter)
}

/// An entry of the journal.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct Entry {
    /// Id
    pub id: Uuid,
    /// Place in the chain, from 1
    pub seq: i64,
    /// When
    pub at: DateTime<Utc>,
    /// Kind of actor: staff, api_key, portal_user, service_account, worker, operator
    pub actor_kind: String,
    /// Staff user, key, portal user or service account that acted
    pub actor_id: Option<Uuid>,
    /// Customer it was done for
    pub acted_for: Option<Uuid>,
    /// Staff user behind it
    pub staff_id: Option<Uuid>,
    /// From which address
    pub source_address: Option<String>,
    /// Under which request or run
    pub request_id: String,
    /// What was done
    pub action: String,
    pub outcome: EntryOutcome,
    /// Why
    pub reason: Option<String>,
    /// Staff user who approved it, where the actor needs that
    pub approved_by: Option<Uuid>,
    /// The entry that this one reverts
    pub reverts: Option<Uuid>,
    /// The change set of several entries that it is of, such as a bulk operation's: they are reverted together
    pub change_set_id: Option<Uuid>,
    /// How many rows changed, as far as the caller may see
    pub change_count: u64,
    /// The changes; at most 1,000 are shown, in a list none
    pub changes: Vec<Change>,
}

/// How sound the journal is.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct JournalVerification {
    /// Whether nothing was found
    pub sound: bool,
    /// Entries read
    pub entries: i64,
    /// End of the chain: keep it elsewhere to be able to tell later that nothing was replaced
    pub head: String,
    /// What was found
    pub faults: Vec<JournalFault>,
    /// Ask again with this as `from` to go on; absent when the end was reached
    pub next_from: Option<i64>,
}

/// Something wrong in the journal.
#[derive(Debug, Clone, Object)]
pub struct JournalFault {
    /// Place in the chain
    pub seq: i64,
    /// What is wrong there
    pub message: String,
}

/// What to revert although it changed since.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example)]
pub struct Revert {
    /// Ids of rows that changed since and are to be set back all the same
    #[oai(default)]
    pub despite: Vec<Uuid>,
}

/// The journal.
pub struct Journal;

#[OpenApi(prefix_path = "/api/journal", tag = "Chapter::Journal")]
impl Journal {
    /// Entries, the newest first
    ///
    /// At most 10,000 are counted in `total`. A search for a `text` looks at 20,000 entries for each page: a page may be
    /// short, or empty, and still have a `next_cursor`.
    #[oai(path = "/", method = "get", operation_id = "journal_list")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn journal_list(
        &self,
        app: AppData<'_>,
        caller: Caller,
        uri: &poem::http::Uri,
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
        /// Rows of a page, 1 to 100; 25 when left out
        limit: Query<Option<u64>>,
        /// Where the last page ended
        cursor: Query<Option<String>>,
    ) -> Result<Answer<Page<Entry>>, Failure> {
        let page = page_request(limit.0, cursor.0.as_deref())?;
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
        let tx = app.read(caller, Permission::JournalView).await?;
        let listed = tx.journal_list(&filter, &page).await?;
        Ok(Answer::page(listed.map(|entry| view(entry, false)), uri))
    }

    /// Check the chain: edited, deleted, inserted, reordered and cut-off entries are found
    ///
    /// A stretch for each request, so that a long journal holds nobody up: while the answer has a `next_from`, ask again
    /// from there. Stretches that follow one another prove what the whole does.
    #[oai(path = "/verification", method = "get", operation_id = "journal_verify")]
    async fn journal_verify(
        &self,
        app: AppData<'_>,
        caller: Caller,
        /// End of the chain as noted earlier
        anchor: Query<Option<String>>,
        /// The entry to begin at; the first when left out
        from: Query<Option<i64>>,
        /// About how many entries to check, 1 to 20,000; 20,000 when left out
        entries: Query<Option<i64>>,
    ) -> Result<Answer<JournalVerification>, Failure> {
        let tx = app.read(caller, Permission::JournalView).await?;
        let anchor = anchor.0.as_deref().map(persistence::Verification::parse_anchor).transpose()?;
        let entries = entries.0.unwrap_or(STRETCH);
        let wrong = |name, message: String| Failure::from(domain::Error::invalid(name, "out_of_range", message));
        if !(1..=STRETCH).contains(&entries) {
            return Err(wrong("entries", format!("must be from 1 to {STRETCH}")));
        }
        let from = from.0.unwrap_or(1);
        if from < 1 {
            return Err(wrong("from", "must be at least 1".to_owned()));
        }
        let found = tx.journal_verify_range(from, Some(entries), anchor).await?;
        Ok(Answer::new(JournalVerification {
            sound: found.faults.is_empty(),
            entries: found.entries,
            head: found.head,
            faults: found.faults.into_iter().map(|f| JournalFault { seq: f.seq, message: f.message }).collect(),
            next_from: found.next,
        }))
    }

    /// One entry, with its changes
    #[oai(path = "/:entry_id", method = "get", operation_id = "journal_get")]
    async fn journal_get(
        &self,
        app: AppData<'_>,
        caller: Caller,
        entry_id: Path<Uuid>,
    ) -> Result<Answer<Entry>, Failure> {
        let tx = app.read(caller, Permission::JournalView).await?;
        Ok(Answer::new(view(tx.journal_entry(EntryId(entry_id.0)).await?, true)))
    }

    /// Undo an entry: its inverse is written as a new entry
    #[oai(path = "/:entry_id/revert", method = "post", operation_id = "journal_revert")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn journal_revert(
        &self,
        app: AppData<'_>,
        caller: Caller,
        entry_id: Path<Uuid>,
        body: Json<Revert>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<Entry>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let request = (entry_id.0, &body.0);
        let begun = app.begin(&context, Permission::JournalRevert, "journal_revert", asked, &request).await?;
        let write = match begun {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let despite: BTreeSet<Uuid> = body.0.despite.into_iter().collect();
        write.tx.journal_revert(EntryId(entry_id.0), &despite).await?;
        Ok(Answer::new(write.finish(None, Vec::new()).await?))
    }
}

/// The view of an entry, with its changes or without.
pub(super) fn view(entry: JournalEntry, whole: bool) -> Entry {
    Entry {
        id: entry.id.0,
        seq: entry.seq,
        at: entry.at,
        actor_kind: entry.actor.kind().to_owned(),
        actor_id: entry.actor.id(),
        acted_for: entry.acted_for.map(|client| client.0),
        staff_id: entry.actor.staff().map(|staff| staff.0),
        source_address: entry.source_address,
        request_id: entry.request_id,
        action: entry.action,
        outcome: entry.outcome.into(),
        reason: entry.reason,
        approved_by: entry.approved_by.map(|staff| staff.0),
        reverts: entry.reverts.map(|entry| entry.0),
        change_set_id: entry.change_set.map(|set| set.0),
        change_count: entry.changes.len() as u64,
        changes: if whole { entry.changes.into_iter().take(1_000).map(Change::of).collect() } else { Vec::new() },
    }
}
