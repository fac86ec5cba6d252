//! Changes sent to vendors: noted before they are sent, so that an answer that never came is not
//! taken for a no.

use domain::{ConnectionId, Error, RecordId, Result, Timestamp, VendorWriteId};
use sea_orm::{ActiveModelTrait, ActiveValue, ColumnTrait, Condition, QueryFilter, QueryOrder};

use crate::{
    Tx,
    entity::vendor_write as table,
    error::{OrDomain, known},
};

/// How a change sent to a vendor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VendorWriteState {
    /// Sent, or about to be; no answer yet.
    Sending,
    /// The vendor did it.
    Done,
    /// The vendor refused it, or it was never sent.
    Refused,
    /// No answer: only reading the record again can tell.
    Unknown,
}

impl VendorWriteState {
    /// The name in the API and in columns.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sending => "sending",
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Self::Sending, Self::Done, Self::Refused, Self::Unknown].into_iter().find(|state| state.as_str() == name)
    }
}

/// A change sent to a vendor.
#[derive(Clone, Debug)]
pub struct VendorWrite {
    /// Id.
    pub id: VendorWriteId,
    /// Through which connection.
    pub connection_id: ConnectionId,
    /// Of which record; while something is being made, an id that follows from what is wanted.
    pub record_id: RecordId,
    /// What ("subscription_quantity").
    pub action: String,
    /// What was wanted, as text.
    pub wanted: String,
    /// How it is.
    pub state: VendorWriteState,
    /// Stable word for why not.
    pub code: Option<String>,
    /// The same for people.
    pub message: Option<String>,
    /// When it was noted.
    pub created_at: Timestamp,
    /// When the answer came.
    pub finished_at: Option<Timestamp>,
}

fn read(row: table::Model) -> Result<VendorWrite> {
    Ok(VendorWrite {
        id: row.id.into(),
        connection_id: row.connection_id.into(),
        record_id: row.record_id.into(),
        action: row.action,
        wanted: row.wanted,
        state: known(VendorWriteState::parse(&row.state), "vendor_write.state")?,
        code: row.code,
        message: row.message,
        created_at: row.created_at,
        finished_at: row.finished_at,
    })
}

impl Tx {
    /// Notes a change before it is sent.
    pub async fn vendor_write_insert(&self, write: &VendorWrite) -> Result<()> {
        let row = table::Model {
            organisation_id: self.organisation().0,
            id: write.id.0,
            connection_id: write.connection_id.0,
            record_id: write.record_id.0,
            action: write.action.clone(),
            wanted: write.wanted.clone(),
            state: write.state.as_str().to_owned(),
            code: write.code.clone(),
            message: write.message.clone(),
            created_at: write.created_at,
            finished_at: write.finished_at,
        };
        self.insert_many::<table::Entity>(vec![row], &[], &[]).await
    }

    /// Notes the answer.
    pub async fn vendor_write_finish(
        &self,
        id: VendorWriteId,
        state: VendorWriteState,
        code: Option<&str>,
        message: Option<&str>,
    ) -> Result<()> {
        let row = table::ActiveModel {
            state: ActiveValue::Set(state.as_str().to_owned()),
            code: ActiveValue::Set(code.map(str::to_owned)),
            message: ActiveValue::Set(message.map(str::to_owned)),
            finished_at: ActiveValue::Set(Some(self.now())),
            ..ActiveModelTrait::default()
        };
        self.update_row_where::<table::Entity>(row, Condition::all().add(table::Column::Id.eq(id.0))).await.map(drop)
    }

    /// Says of which record a change turned out to be: of the one that it made.
    pub async fn vendor_write_about(&self, id: VendorWriteId, record: RecordId) -> Result<()> {
        let row = table::ActiveModel { record_id: ActiveValue::Set(record.0), ..ActiveModelTrait::default() };
        self.update_row_where::<table::Entity>(row, Condition::all().add(table::Column::Id.eq(id.0))).await.map(drop)
    }

    /// The newest change sent for a record.
    pub async fn vendor_write_latest(&self, record: RecordId) -> Result<Option<VendorWrite>> {
        let row = self
            .find::<table::Entity>()
            .filter(table::Column::RecordId.eq(record.0))
            .order_by_desc(table::Column::CreatedAt)
            .order_by_desc(table::Column::Id)
            .one(self.db())
            .await
            .or_domain()?;
        row.map(read).transpose()
    }

    /// Changes of this kind, sent through a connection, of which nobody knows yet what became of them.
    pub async fn vendor_writes_open(&self, connection: ConnectionId, action: &str) -> Result<Vec<VendorWrite>> {
        let open = [VendorWriteState::Sending.as_str(), VendorWriteState::Unknown.as_str()];
        let select = self
            .find::<table::Entity>()
            .filter(table::Column::ConnectionId.eq(connection.0))
            .filter(table::Column::Action.eq(action))
            .filter(table::Column::State.is_in(open));
        let rows = select.order_by_asc(table::Column::Id).all(self.db()).await.or_domain()?;
        rows.into_iter().map(read).collect()
    }

    /// Refuses while a change of this record is on its way.
    pub async fn vendor_write_free(&self, record: RecordId) -> Result<()> {
        match self.vendor_write_latest(record).await? {
            // A process that died in mid-send leaves "sending" for ever: after ten minutes no answer
            // will come.
            Some(write)
                if write.state == VendorWriteState::Sending
                    && self.now() - write.created_at < chrono::TimeDelta::minutes(10) =>
            {
                Err(Error::conflict(
                    "write_under_way",
                    "A change of this record is on its way to the vendor. Wait for its answer.",
                ))
            }
            _ => Ok(()),
        }
    }
}
