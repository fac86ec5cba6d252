//! What a client uses against what is paid for it.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use domain::{ClientId, Permission};
use poem_openapi::{
    Enum, Object, OpenApi,
    param::{Path, Query},
};
use uuid::Uuid;

use super::Chapter;
use crate::{app::AppData, auth::Caller, page::Answer, problem::Failure};

/// How a count stands to what is paid
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum ReconciliationVerdict {
    /// More is used than is paid for
    Under,
    /// More is paid for than is used
    Over,
    /// As many as are paid for
    Matched,
    /// One of the two is not known
    Unknown,
}

/// What is held against what
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum ReconciliationKind {
    /// Seats in use against seats owned, at one vendor
    SeatsUsed,
    /// Seats owned at a vendor against seats subscribed
    SeatsOwned,
    /// Devices against units subscribed
    Devices,
}

/// One product, counted and paid.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct ReconciliationLine {
    /// Product, or vendor whose devices are counted
    pub what: String,
    pub kind: ReconciliationKind,
    /// How many there are, as a decimal; absent while unknown
    pub counted: Option<String>,
    /// Integration that says so
    pub counted_by: String,
    /// How many are paid for, as a decimal; absent while unknown
    pub paid: Option<String>,
    /// Integration that says so
    pub paid_by: String,
    /// Counted less paid, as a decimal: above zero, something is not billed
    pub variance: Option<String>,
    pub verdict: ReconciliationVerdict,
}

/// How many of something a vendor knows.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct VendorCount {
    /// Integration
    pub integration: String,
    /// How many; absent while it was never listed to the end
    pub count: Option<i64>,
}

/// How old what a vendor said of a kind of record was when it was counted.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct CountedAge {
    /// Integration
    pub integration: String,
    /// Kind of record: device, directory_user, licence or subscription
    pub kind: String,
    /// When the oldest of it was true at the vendor; absent while some was never listed to the end
    pub synced_at: Option<DateTime<Utc>>,
    /// Older than twice the connection's cadence, or the connection did not work
    pub stale: bool,
}

/// What a client uses against what is paid for it.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct Reconciliation {
    /// Day of the snapshot; absent for what there is now
    pub day: Option<NaiveDate>,
    /// When it was looked at
    pub taken_at: DateTime<Utc>,
    /// Devices, by vendor
    pub devices: Vec<VendorCount>,
    /// Directory users, by vendor
    pub users: Vec<VendorCount>,
    /// One line for each thing that is counted and paid
    pub lines: Vec<ReconciliationLine>,
    /// How old all of it was when it was looked at
    pub ages: Vec<CountedAge>,
    /// Days of which there is a snapshot, the newest first
    pub days: Vec<NaiveDate>,
}

/// Reconciliation.
pub struct Reconciliations;

#[OpenApi(prefix_path = "/api/clients", tag = "Chapter::Clients")]
impl Reconciliations {
    /// What a client uses against what is paid for it, now or on a day of which there is a snapshot
    #[oai(path = "/:client_id/reconciliation", method = "get", operation_id = "client_reconciliation_get")]
    async fn client_reconciliation_get(
        &self,
        app: AppData<'_>,
        caller: Caller,
        client_id: Path<Uuid>,
        /// Day of a snapshot; what there is now when left out
        day: Query<Option<NaiveDate>>,
    ) -> Result<Answer<Reconciliation>, Failure> {
        let tx = app.read(caller, Permission::SubscriptionsView).await?;
        let client = tx.client(ClientId(client_id.0)).await?.id;
        let (snapshot, taken_at) = match day.0 {
            Some(day) => app.engine.snapshot_of(&tx, client, day).await?,
            None => (app.engine.snapshot_now(&tx, client, &app.counting).await?, tx.now()),
        };
        let names: BTreeMap<String, String> =
            app.entries.iter().map(|entry| (entry.id.to_owned(), entry.name.to_owned())).collect();
        let lines = sync::reconcile(&snapshot, &names).into_iter().map(line).collect();
        let days = tx.snapshot_days(client).await?;
        let count = |of: sync::CountOf| VendorCount { integration: of.integration, count: of.count };
        let age = |of: sync::AgeOf| CountedAge {
            integration: of.integration,
            kind: of.kind,
            synced_at: of.synced_at,
            stale: of.stale,
        };
        Ok(Answer::new(Reconciliation {
            day: day.0,
            taken_at,
            devices: snapshot.devices.into_iter().map(count).collect(),
            users: snapshot.users.into_iter().map(count).collect(),
            lines,
            ages: snapshot.ages.into_iter().map(age).collect(),
            days,
        }))
    }
}

fn line(line: sync::Line) -> ReconciliationLine {
    let text = |exact: Option<integration::Exact>| exact.map(|exact| exact.0.normalize().to_string());
    ReconciliationLine {
        what: line.what,
        kind: match line.held {
            sync::Held::SeatsUsed => ReconciliationKind::SeatsUsed,
            sync::Held::SeatsOwned => ReconciliationKind::SeatsOwned,
            sync::Held::Devices => ReconciliationKind::Devices,
        },
        counted: text(line.counted),
        counted_by: line.counted_by,
        paid: text(line.paid),
        paid_by: line.paid_by,
        variance: text(line.variance),
        verdict: match line.verdict {
            sync::Verdict::Under => ReconciliationVerdict::Under,
            sync::Verdict::Over => ReconciliationVerdict::Over,
            sync::Verdict::Matched => ReconciliationVerdict::Matched,
            sync::Verdict::Unknown => ReconciliationVerdict::Unknown,
        },
    }
}
