//! Agreements by version, and the clients' copies of them.

use domain::{
    Agreement, AgreementId, AgreementInstance, AgreementInstanceId, AgreementState, ClientId, Error, Listed,
    PageRequest, Result,
};
use sea_orm::{ColumnTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::{
    Tx,
    entity::{agreement as table, agreement_instance as instance},
    error::{OrDomain, known},
    journalled::versioned,
};

/// Which versions are wanted.
#[derive(Clone, Debug, Default)]
pub struct AgreementFilter {
    /// Only versions of this agreement.
    pub series: Option<AgreementId>,
    /// Only those that were sent, or were not.
    pub sent: Option<bool>,
}

/// Which copies are wanted.
#[derive(Clone, Debug, Default)]
pub struct AgreementInstanceFilter {
    /// Only of this client.
    pub client: Option<ClientId>,
    /// Only of this version.
    pub agreement: Option<AgreementId>,
    /// Only in this state.
    pub state: Option<AgreementState>,
}

versioned!(table, "agreement", "agreement", read, |_| None);
versioned!(instance, "agreement_instance", "agreement", read_instance, |row| Some(row.client_id));

fn read(row: table::Model) -> Result<Agreement> {
    Ok(Agreement {
        id: row.id.into(),
        series_id: row.series_id.into(),
        number: row.number,
        title: row.title,
        text: row.text,
        managers_only: row.managers_only,
        sent_at: row.sent_at,
        created_at: row.created_at,
        updated_at: row.updated_at,
        version: row.version,
    })
}

fn write(tx: &Tx, row: &Agreement) -> table::Model {
    table::Model {
        organisation_id: tx.organisation().0,
        id: row.id.0,
        series_id: row.series_id.0,
        number: row.number,
        title: row.title.clone(),
        text: row.text.clone(),
        managers_only: row.managers_only,
        sent_at: row.sent_at,
        created_at: row.created_at,
        updated_at: row.updated_at,
        version: row.version,
    }
}

pub(crate) fn read_instance(row: instance::Model) -> Result<AgreementInstance> {
    let signature = row.signature.as_deref().map(serde_json::from_str).transpose().map_err(Error::internal)?;
    Ok(AgreementInstance {
        id: row.id.into(),
        agreement_id: row.agreement_id.into(),
        series_id: row.series_id.into(),
        client_id: ClientId(row.client_id),
        addressee: row.addressee_id.map(Into::into),
        state: known(AgreementState::parse(&row.state), "agreement_instance.state")?,
        sent_at: row.sent_at,
        viewed_at: row.viewed_at,
        ended_at: row.ended_at,
        reason: row.reason,
        signature,
        updated_at: row.updated_at,
        version: row.version,
    })
}

pub(crate) fn write_instance(tx: &Tx, row: &AgreementInstance) -> Result<instance::Model> {
    Ok(instance::Model {
        organisation_id: tx.organisation().0,
        id: row.id.0,
        agreement_id: row.agreement_id.0,
        series_id: row.series_id.0,
        client_id: row.client_id.0,
        addressee_id: row.addressee.map(|id| id.0),
        state: row.state.as_str().to_owned(),
        sent_at: row.sent_at,
        viewed_at: row.viewed_at,
        ended_at: row.ended_at,
        reason: row.reason.clone(),
        signature: row.signature.as_ref().map(serde_json::to_string).transpose().map_err(Error::internal)?,
        updated_at: row.updated_at,
        version: row.version,
    })
}

impl Tx {
    /// A version of an agreement. In a transaction that writes, its row is locked.
    pub async fn agreement(&self, id: AgreementId) -> Result<Agreement> {
        let mut select = self.find::<table::Entity>().filter(table::Column::Id.eq(id.0));
        if self.require_writable().is_ok() {
            select = select.lock_exclusive();
        }
        select.one(self.db()).await.or_domain()?.map(read).transpose()?.ok_or(Error::NotFound { what: "agreement" })
    }

    /// Some versions, without a lock: those that were sent do not change.
    pub async fn agreements_by_id(&self, ids: impl IntoIterator<Item = AgreementId>) -> Result<Vec<Agreement>> {
        let ids = ids.into_iter().map(|id| id.0).collect::<std::collections::BTreeSet<_>>();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let rows =
            self.find::<table::Entity>().filter(table::Column::Id.is_in(ids)).all(self.db()).await.or_domain()?;
        rows.into_iter().map(read).collect()
    }

    /// Every version of an agreement, the first first. In a transaction that writes, they are locked.
    pub async fn agreement_versions(&self, series: AgreementId) -> Result<Vec<Agreement>> {
        let mut select = self.find::<table::Entity>().filter(table::Column::SeriesId.eq(series.0));
        if self.require_writable().is_ok() {
            select = select.lock_exclusive();
        }
        let rows = select.order_by_asc(table::Column::Number).all(self.db()).await.or_domain()?;
        rows.into_iter().map(read).collect()
    }

    /// A page of versions, the newest first.
    pub async fn agreement_list(&self, filter: &AgreementFilter, page: &PageRequest) -> Result<Listed<Agreement>> {
        use table::Column as C;
        let mut select = self.find::<table::Entity>();
        if let Some(series) = filter.series {
            select = select.filter(C::SeriesId.eq(series.0));
        }
        match filter.sent {
            Some(true) => select = select.filter(C::SentAt.is_not_null()),
            Some(false) => select = select.filter(C::SentAt.is_null()),
            None => {}
        }
        let total = select.clone().count(self.db()).await.or_domain()?;
        if let Some((_, id)) = &page.after {
            select = select.filter(C::Id.lt(*id));
        }
        let mut rows = select.order_by_desc(C::Id).limit(page.limit + 1).all(self.db()).await.or_domain()?;
        let more = rows.len() as u64 > page.limit;
        rows.truncate(page.limit as usize);
        let next = more.then(|| rows.last().map(|last| (String::new(), last.id))).flatten();
        let items = rows.into_iter().map(read).collect::<Result<_>>()?;
        Ok(Listed { items, next, total: i64::try_from(total).unwrap_or(i64::MAX) })
    }

    /// Makes a version. A number that another of the series has is the conflict `draft_exists`.
    pub async fn agreement_insert(&self, row: &Agreement) -> Result<()> {
        self.insert_row::<table::Entity>(write(self, row)).await
    }

    /// Changes a draft that was read before. A version that was sent is written by nothing.
    pub async fn agreement_save(&self, before: &Agreement, after: Agreement) -> Result<Agreement> {
        if before.sent_at.is_some() {
            return Err(Error::conflict(
                "sent_already",
                "An agreement that was sent cannot be changed any more: make a new version of it.",
            ));
        }
        let after = Agreement { version: before.version + 1, updated_at: self.now(), ..after };
        let written = self.update_row::<table::Entity>(&write(self, before), write(self, &after)).await?;
        Ok(if written { after } else { before.clone() })
    }

    /// A client's copy. In a transaction that writes, its row is locked.
    pub async fn agreement_instance(&self, id: AgreementInstanceId) -> Result<AgreementInstance> {
        let mut select = self.find::<instance::Entity>().filter(instance::Column::Id.eq(id.0));
        if self.require_writable().is_ok() {
            select = select.lock_exclusive();
        }
        let row = select.one(self.db()).await.or_domain()?;
        row.map(read_instance).transpose()?.ok_or(Error::NotFound { what: "agreement" })
    }

    /// The copies of an agreement that wait for someone, of every version. Locked in a transaction that writes.
    pub async fn agreement_instances_open(&self, series: AgreementId) -> Result<Vec<AgreementInstance>> {
        use instance::Column as C;
        let open = AgreementState::ALL.iter().filter(|state| state.is_open()).map(|state| state.as_str());
        let mut select = self.find::<instance::Entity>().filter(C::SeriesId.eq(series.0)).filter(C::State.is_in(open));
        if self.require_writable().is_ok() {
            select = select.lock_exclusive();
        }
        let rows = select.order_by_asc(C::Id).all(self.db()).await.or_domain()?;
        rows.into_iter().map(read_instance).collect()
    }

    /// Which of these clients have this version already, waiting or signed.
    pub async fn agreement_holders(&self, agreement: AgreementId, clients: &[ClientId]) -> Result<Vec<ClientId>> {
        use instance::Column as C;
        let kept =
            [AgreementState::Pending, AgreementState::Viewed, AgreementState::Signed].map(AgreementState::as_str);
        let rows = self
            .find::<instance::Entity>()
            .filter(C::AgreementId.eq(agreement.0))
            .filter(C::ClientId.is_in(clients.iter().map(|client| client.0)))
            .filter(C::State.is_in(kept))
            .all(self.db())
            .await
            .or_domain()?;
        Ok(rows.into_iter().map(|row| ClientId(row.client_id)).collect())
    }

    /// Whether a client has a copy of anything.
    pub async fn agreement_instances_exist(&self, client: ClientId) -> Result<bool> {
        let select = self.find::<instance::Entity>().filter(instance::Column::ClientId.eq(client.0));
        Ok(select.one(self.db()).await.or_domain()?.is_some())
    }

    /// A page of copies, the newest first.
    pub async fn agreement_instance_list(
        &self,
        filter: &AgreementInstanceFilter,
        page: &PageRequest,
    ) -> Result<Listed<AgreementInstance>> {
        use instance::Column as C;
        let mut select = self.find::<instance::Entity>();
        if let Some(client) = filter.client {
            select = select.filter(C::ClientId.eq(client.0));
        }
        if let Some(agreement) = filter.agreement {
            select = select.filter(C::AgreementId.eq(agreement.0));
        }
        if let Some(state) = filter.state {
            select = select.filter(C::State.eq(state.as_str()));
        }
        let total = select.clone().count(self.db()).await.or_domain()?;
        if let Some((_, id)) = &page.after {
            select = select.filter(C::Id.lt(*id));
        }
        let mut rows = select.order_by_desc(C::Id).limit(page.limit + 1).all(self.db()).await.or_domain()?;
        let more = rows.len() as u64 > page.limit;
        rows.truncate(page.limit as usize);
        let next = more.then(|| rows.last().map(|last| (String::new(), last.id))).flatten();
        let items = rows.into_iter().map(read_instance).collect::<Result<_>>()?;
        Ok(Listed { items, next, total: i64::try_from(total).unwrap_or(i64::MAX) })
    }

    /// Makes a client's copy of a version that was sent. One that it has already is the conflict `sent_already`.
    pub async fn agreement_instance_insert(&self, row: &AgreementInstance) -> Result<()> {
        self.insert_row::<instance::Entity>(write_instance(self, row)?).await
    }

    /// Changes a copy that was read before.
    pub async fn agreement_instance_save(
        &self,
        before: &AgreementInstance,
        after: AgreementInstance,
    ) -> Result<AgreementInstance> {
        if !before.state.is_open() {
            return Err(Error::internal("an agreement that has ended was to be written"));
        }
        let after = AgreementInstance { version: before.version + 1, updated_at: self.now(), ..after };
        let written =
            self.update_row::<instance::Entity>(&write_instance(self, before)?, write_instance(self, &after)?).await?;
        Ok(if written { after } else { before.clone() })
    }
}
