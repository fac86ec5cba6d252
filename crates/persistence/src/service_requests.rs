//! Service requests, and what was done with each.

use domain::{
    ClientId, Error, Listed, PageRequest, PortalUserId, Result, ServiceRequest, ServiceRequestAct, ServiceRequestId,
    ServiceRequestState, ServiceRequestStep, ServiceRequestTypeId,
};
use sea_orm::{ColumnTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    Tx,
    entity::{service_request as table, service_request_step as step},
    error::{OrDomain, known},
    journalled::{Journalled, versioned},
};

/// Most steps of a request that are read.
const STEPS: u64 = 500;

/// Which requests are wanted.
#[derive(Clone, Debug, Default)]
pub struct ServiceRequestFilter {
    /// Only of this client.
    pub client: Option<ClientId>,
    /// Only by this portal user.
    pub requester: Option<PortalUserId>,
    /// Only in this state.
    pub state: Option<ServiceRequestState>,
    /// Only of this type.
    pub type_id: Option<ServiceRequestTypeId>,
}

versioned!(table, "service_request", "service request", read, |row| Some(row.client_id));

impl Journalled for step::Entity {
    const KIND: &'static str = "service_request_step";
    const WHAT: &'static str = "step of a service request";

    fn id(row: &step::Model) -> Uuid {
        row.id
    }
    fn id_column() -> step::Column {
        step::Column::Id
    }
    fn version_column() -> Option<step::Column> {
        None
    }
    fn version(_: &step::Model) -> i32 {
        1
    }
    fn client_of(row: &step::Model) -> Option<ClientId> {
        Some(ClientId(row.client_id))
    }
    fn view(row: &step::Model) -> Result<Value> {
        serde_json::to_value(read_step(row.clone())?).map_err(Error::internal)
    }
}

fn read(row: table::Model) -> Result<ServiceRequest> {
    Ok(ServiceRequest {
        id: row.id.into(),
        client_id: ClientId(row.client_id),
        requester: row.requester_id.into(),
        type_id: row.type_id.into(),
        type_name: row.type_name,
        description: row.description,
        answers: serde_json::from_str(&row.answers).map_err(Error::internal)?,
        state: known(ServiceRequestState::parse(&row.state), "service_request.state")?,
        rejected_because: row.rejected_because,
        ticket_id: row.ticket_id.map(Into::into),
        created_at: row.created_at,
        updated_at: row.updated_at,
        version: row.version,
    })
}

fn write(tx: &Tx, row: &ServiceRequest) -> Result<table::Model> {
    Ok(table::Model {
        organisation_id: tx.organisation().0,
        id: row.id.0,
        client_id: row.client_id.0,
        requester_id: row.requester.0,
        type_id: row.type_id.0,
        type_name: row.type_name.clone(),
        description: row.description.clone(),
        answers: serde_json::to_string(&row.answers).map_err(Error::internal)?,
        state: row.state.as_str().to_owned(),
        rejected_because: row.rejected_because.clone(),
        ticket_id: row.ticket_id.map(|id| id.0),
        created_at: row.created_at,
        updated_at: row.updated_at,
        version: row.version,
    })
}

fn read_step(row: step::Model) -> Result<ServiceRequestStep> {
    let act = row.act.map(|act| known(ServiceRequestAct::parse(&act), "service_request_step.act")).transpose()?;
    Ok(ServiceRequestStep {
        id: row.id.into(),
        request_id: row.request_id.into(),
        client_id: ClientId(row.client_id),
        number: row.number,
        at: row.at,
        portal_user_id: row.portal_user_id.map(Into::into),
        staff_id: row.staff_id.map(Into::into),
        act,
        state: known(ServiceRequestState::parse(&row.state), "service_request_step.state")?,
        note: row.note,
        internal_note: row.internal_note,
    })
}

impl Tx {
    /// A request. In a transaction that writes, its row is locked.
    pub async fn service_request(&self, id: ServiceRequestId) -> Result<ServiceRequest> {
        let mut select = self.find::<table::Entity>().filter(table::Column::Id.eq(id.0));
        if self.require_writable().is_ok() {
            select = select.lock_exclusive();
        }
        let row = select.one(self.db()).await.or_domain()?;
        row.map(read).transpose()?.ok_or(Error::NotFound { what: "service request" })
    }

    /// A page of requests, the newest first.
    pub async fn service_request_list(
        &self,
        filter: &ServiceRequestFilter,
        page: &PageRequest,
    ) -> Result<Listed<ServiceRequest>> {
        use table::Column as C;
        let mut select = self.find::<table::Entity>();
        if let Some(client) = filter.client {
            select = select.filter(C::ClientId.eq(client.0));
        }
        if let Some(requester) = filter.requester {
            select = select.filter(C::RequesterId.eq(requester.0));
        }
        if let Some(state) = filter.state {
            select = select.filter(C::State.eq(state.as_str()));
        }
        if let Some(type_id) = filter.type_id {
            select = select.filter(C::TypeId.eq(type_id.0));
        }
        let total = select.clone().count(self.db()).await.or_domain()?;
        // Ids sort by time of making.
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

    /// Makes a request. Its client's row is locked: one that is being merged into another gets none that would stay
    /// behind.
    pub async fn service_request_insert(&self, row: &ServiceRequest) -> Result<()> {
        self.client(row.client_id).await?;
        self.insert_row::<table::Entity>(write(self, row)?).await
    }

    /// Changes a request that was read before.
    pub async fn service_request_save(&self, before: &ServiceRequest, after: ServiceRequest) -> Result<ServiceRequest> {
        let after = ServiceRequest { version: before.version + 1, updated_at: self.now(), ..after };
        let written = self.update_row::<table::Entity>(&write(self, before)?, write(self, &after)?).await?;
        Ok(if written { after } else { before.clone() })
    }

    /// Notes what was done with a request.
    pub async fn service_request_step_insert(&self, row: &ServiceRequestStep) -> Result<()> {
        let row = step::Model {
            organisation_id: self.organisation().0,
            id: row.id.0,
            request_id: row.request_id.0,
            client_id: row.client_id.0,
            number: row.number,
            at: row.at,
            portal_user_id: row.portal_user_id.map(|id| id.0),
            staff_id: row.staff_id.map(|id| id.0),
            act: row.act.map(|act| act.as_str().to_owned()),
            state: row.state.as_str().to_owned(),
            note: row.note.clone(),
            internal_note: row.internal_note.clone(),
        };
        self.insert_row::<step::Entity>(row).await
    }

    /// What was done with a request, in order; of very many the first.
    pub async fn service_request_steps(&self, id: ServiceRequestId) -> Result<Vec<ServiceRequestStep>> {
        let select = self.find::<step::Entity>().filter(step::Column::RequestId.eq(id.0));
        let rows = select.order_by_asc(step::Column::Number).limit(STEPS).all(self.db()).await.or_domain()?;
        rows.into_iter().map(read_step).collect()
    }

    /// How many steps a request has; with its row locked, the next has the number after it.
    pub async fn service_request_step_count(&self, id: ServiceRequestId) -> Result<i32> {
        let select = self.find::<step::Entity>().filter(step::Column::RequestId.eq(id.0));
        let count = select.count(self.db()).await.or_domain()?;
        i32::try_from(count).map_err(Error::internal)
    }
}
