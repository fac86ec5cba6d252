//! Replay: what a vendor said is read again by today's connector, without asking the vendor.

use domain::{ConnectionId, Permission};
use integration::RecordKind;
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path, Query},
};
use sync::{replay_note, replay_start};
use uuid::Uuid;

use super::{
    Chapter,
    runs::{self, Run},
};
use crate::{
    app::AppData,
    auth::Caller,
    changes::Written,
    page::Answer,
    problem::Failure,
    write::{Asked, Begun},
};

/// What a replay would do to one kind of record.
#[derive(Debug, Clone, Object)]
pub struct ReplayKind {
    /// Kind of record
    pub kind: String,
    /// Records that are listed
    pub total: i64,
    /// Of them, those that were looked at: at most 2,000
    pub looked: i64,
    /// Would be read otherwise
    pub changed: i64,
    /// Would be read as they are
    pub unchanged: i64,
    /// Cannot be read today: they stay as they are
    pub unreadable: i64,
}

/// A field that would have another value.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct ReplayField {
    /// Its name; `entity_id` where the record would belong to another entity
    pub field: String,
    /// Its value as JSON, cut at 500 characters
    pub before: Option<String>,
    /// What it would be
    pub after: Option<String>,
}

/// A record that a replay would change, or cannot read.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct ReplayDifference {
    /// Kind of record
    pub kind: String,
    /// Record
    pub record_id: Uuid,
    /// The vendor's id
    pub vendor_id: String,
    /// What it is called now
    pub name: String,
    /// Why it cannot be read; absent where it can
    pub unreadable: Option<String>,
    /// What would change; empty where only what a sync compares by would
    pub fields: Vec<ReplayField>,
}

/// What a replay would do, and the run that does it.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct Replay {
    /// By kind
    pub kinds: Vec<ReplayKind>,
    /// The first 100 records that differ, of those looked at
    pub differences: Vec<ReplayDifference>,
    /// The run that was started: `run_get` shows how far it is. Absent for a preview
    pub run: Option<Run>,
}

impl Replay {
    fn of(diff: sync::ReplayDiff, run: Option<Run>) -> Self {
        let field =
            |field: sync::FieldChange| ReplayField { field: field.field, before: field.before, after: field.after };
        let kinds = diff.kinds.into_iter().map(|kind| ReplayKind {
            kind: kind.kind,
            total: kind.total,
            looked: kind.looked,
            changed: kind.changed,
            unchanged: kind.unchanged,
            unreadable: kind.unreadable,
        });
        let differences = diff.differences.into_iter().map(|one| ReplayDifference {
            kind: one.kind,
            record_id: one.id.0,
            vendor_id: one.vendor_id,
            name: one.name,
            unreadable: one.unreadable,
            fields: one.fields.into_iter().map(field).collect(),
        });
        Self { kinds: kinds.collect(), differences: differences.collect(), run }
    }
}

/// Replays.
pub struct Replays;

#[OpenApi(prefix_path = "/api/connections", tag = "Chapter::Connections")]
impl Replays {
    /// Read what a vendor said once more with today's connector, and store what differs
    ///
    /// The vendor is asked nothing: a mistake in how its records were read is mended without it. A preview answers what
    /// would change, as far as it looked. Otherwise a run of the kind `replay` is started, which writes in pieces;
    /// records that cannot be read today stay as they are. Refused while a sync of the connection waits or runs.
    #[oai(path = "/:connection_id/replay", method = "post", operation_id = "connection_replay")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn connection_replay(
        &self,
        app: AppData<'_>,
        caller: Caller,
        connection_id: Path<Uuid>,
        /// Only records of this kind
        kind: Query<Option<String>>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<Replay>>, Failure> {
        let context = caller.context()?;
        let id = ConnectionId(connection_id.0);
        let connection = app.read_as(&context, Permission::ConnectionsView).await?.connection(id).await?;
        let action = "connection_replay";
        app.permit_for(&context, Permission::ConnectionsManage, action, &connection.integration).await?;
        let unknown = || domain::Error::invalid("kind", "unknown", "must be a kind of record, such as device");
        let kinds = match kind.0.as_deref() {
            Some(kind) => Some(vec![RecordKind::parse(kind).ok_or_else(unknown)?]),
            None => None,
        };
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let preview = asked.is_dry_run();
        let request = (id, &kinds);
        if let Some(answer) = app.answered(&context, action, &asked, &request).await? {
            return Ok(Answer::new(answer));
        }
        // Before the write begins: it holds up nobody while it reads.
        let diff = app.engine.replay_preview(&context, id, kinds.as_deref()).await?;
        let write = match app.begin(&context, Permission::ConnectionsManage, action, asked, &request).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        replay_note(&write.tx, id, &diff);
        let run = if preview { None } else { Some(runs::view(replay_start(&write.tx, id, kinds).await?)) };
        let answer = write.finish(Some(Replay::of(diff, run)), Vec::new()).await?;
        app.wake.notify_one();
        Ok(Answer::new(answer))
    }
}
