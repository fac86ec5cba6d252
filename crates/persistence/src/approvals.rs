//! What somebody asked for who may do it only with approval. The request itself is sealed, and is forgotten as soon as
//! nothing more can come of it.

use std::collections::BTreeSet;

use domain::{
    Actor, Approval, ApprovalId, ApprovalState, ClientId, EntryId, Error, Grant, Listed, PageRequest, Permission,
    Result, StaffId, Timestamp,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue, ColumnTrait, Condition, IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    Tx,
    entity::{approval as table, approval_client as touched},
    error::{OrDomain, known},
    journalled::Journalled,
    keys::Place,
    scoped::within,
};

impl Journalled for table::Entity {
    const KIND: &'static str = "approval";
    const WHAT: &'static str = "approval";

    fn id(row: &table::Model) -> Uuid {
        row.id
    }
    fn id_column() -> table::Column {
        table::Column::Id
    }
    fn version_column() -> Option<table::Column> {
        Some(table::Column::Version)
    }
    fn version(row: &table::Model) -> i32 {
        row.version
    }
    fn client_of(_: &table::Model) -> Option<ClientId> {
        None
    }
    /// What people asked for and decided; what would change is in the entry of what was done.
    fn view(row: &table::Model) -> Result<Value> {
        Ok(json!({
            "id": row.id, "operation": row.operation, "path": row.path, "permission": row.permission,
            "state": row.state, "digest": row.digest, "asked_by": row.asked_by, "decided_by": row.decided_by,
            "message": row.message, "version": row.version,
        }))
    }
    fn settle(row: &mut table::ActiveModel) {
        // Only what ends it touches the request, and nothing what it would change.
        (row.request, row.changes) = (ActiveValue::NotSet, ActiveValue::NotSet);
    }
}

fn read(row: table::Model) -> Result<Approval> {
    Ok(Approval {
        id: row.id.into(),
        operation: row.operation,
        method: row.method,
        path: row.path,
        permission: known(Permission::parse(&row.permission), "approval.permission")?,
        digest: row.digest,
        changes: serde_json::from_str(&row.changes).map_err(Error::internal)?,
        // Only where they decide something are they read.
        clients: Vec::new(),
        beyond_clients: row.beyond_clients,
        actor: serde_json::from_str(&row.actor).map_err(Error::internal)?,
        asked_by: row.asked_by.map(StaffId),
        acted_for: row.acted_for.map(ClientId),
        reason: row.reason,
        state: known(ApprovalState::parse(&row.state), "approval.state")?,
        decided_by: row.decided_by.map(StaffId),
        decided_at: row.decided_at,
        message: row.message,
        entry_id: row.entry_id.map(EntryId),
        created_at: row.created_at,
        expires_at: row.expires_at,
        finished_at: row.finished_at,
        version: row.version,
    })
}

fn write(tx: &Tx, row: &Approval, request: Option<Vec<u8>>) -> Result<table::Model> {
    Ok(table::Model {
        organisation_id: tx.organisation().0,
        id: row.id.0,
        operation: row.operation.clone(),
        method: row.method.clone(),
        path: row.path.clone(),
        permission: row.permission.as_str().to_owned(),
        digest: row.digest.clone(),
        changes: serde_json::to_string(&row.changes).map_err(Error::internal)?,
        beyond_clients: row.beyond_clients,
        actor: serde_json::to_string(&row.actor).map_err(Error::internal)?,
        actor_id: row.actor.id(),
        asked_by: row.asked_by.map(|staff| staff.0),
        acted_for: row.acted_for.map(|client| client.0),
        reason: row.reason.clone(),
        state: row.state.as_str().to_owned(),
        decided_by: row.decided_by.map(|staff| staff.0),
        decided_at: row.decided_at,
        message: row.message.clone(),
        entry_id: row.entry_id.map(|entry| entry.0),
        created_at: row.created_at,
        expires_at: row.expires_at,
        finished_at: row.finished_at,
        request,
        version: row.version,
    })
}

fn place(tx: &Tx, id: ApprovalId) -> Place<'static> {
    Place { organisation: tx.organisation().0, table: "approval", row: id.0, column: "request" }
}

fn own(id: ApprovalId) -> Condition {
    Condition::all().add(table::Column::Id.eq(id.0))
}

/// What is in this state at an instant: what waited too long is over, whether or not that was noted.
fn standing(state: ApprovalState, now: Timestamp) -> Condition {
    use table::Column as C;
    let stored = Condition::all().add(C::State.eq(state.as_str()));
    let late = Condition::all().add(C::State.eq(ApprovalState::Pending.as_str())).add(C::ExpiresAt.lte(now));
    match state {
        ApprovalState::Pending => stored.add(C::ExpiresAt.gt(now)),
        ApprovalState::Expired => Condition::any().add(stored).add(late),
        _ => stored,
    }
}

impl Tx {
    /// Keeps what was asked for, with the request sealed.
    pub async fn approval_insert(&self, row: &Approval, request: &[u8]) -> Result<()> {
        let store = self.store();
        let sealed = store.keys().seal(&place(self, row.id), request, store.chance().as_ref())?;
        self.insert_row::<table::Entity>(write(self, row, Some(sealed))?).await?;
        let of = |client: ClientId| touched::Model {
            organisation_id: self.organisation().0,
            approval_id: row.id.0,
            client_id: client.0,
        };
        let clients: BTreeSet<ClientId> = row.clients.iter().copied().collect();
        self.insert_many::<touched::Entity>(clients.into_iter().map(of).collect(), &[], &[]).await
    }

    /// Something that was asked for, with the clients that it touches, whoever may see it. In a transaction that writes,
    /// its row is locked.
    pub async fn approval(&self, id: ApprovalId) -> Result<Approval> {
        let mut select = self.find::<table::Entity>().filter(own(id));
        if self.is_writing() {
            select = select.lock_exclusive();
        }
        let row = select.one(self.db()).await.or_domain()?.ok_or(Error::NotFound { what: "approval" })?;
        let rows = self.find::<touched::Entity>().filter(touched::Column::ApprovalId.eq(id.0));
        let clients = rows.all(self.db()).await.or_domain()?.into_iter().map(|row| row.client_id.into()).collect();
        Ok(Approval { clients, ..read(row)? })
    }

    /// The request of one, as it was kept; none when it is over.
    pub async fn approval_request(&self, id: ApprovalId) -> Result<Option<Vec<u8>>> {
        let row = self.find::<table::Entity>().filter(own(id)).one(self.db()).await.or_domain()?;
        let sealed = row.ok_or(Error::NotFound { what: "approval" })?.request;
        sealed.map(|sealed| self.store().keys().open(&place(self, id), &sealed)).transpose()
    }

    /// What the caller asked for, and what they may decide about, the newest first.
    pub async fn approval_list(&self, state: Option<ApprovalState>, page: &PageRequest) -> Result<Listed<Approval>> {
        let context = self.context();
        let mut select = self.find::<table::Entity>().filter(self.approvals_visible());
        if let Some(state) = state {
            select = select.filter(standing(state, context.now));
        }
        let total = select.clone().count(self.db()).await.or_domain()?;
        // Ids sort by time of making.
        if let Some((_, id)) = &page.after {
            select = select.filter(table::Column::Id.lt(*id));
        }
        let mut rows =
            select.order_by_desc(table::Column::Id).limit(page.limit + 1).all(self.db()).await.or_domain()?;
        let more = rows.len() as u64 > page.limit;
        rows.truncate(page.limit as usize);
        let next = more.then(|| rows.last().map(|row| (String::new(), row.id))).flatten();
        let items = rows.into_iter().map(read).collect::<Result<_>>()?;
        Ok(Listed { items, next, total: i64::try_from(total).unwrap_or(i64::MAX) })
    }

    /// The same rule as [`Approval::is_of`] and [`Approval::may_be_decided_with`], for the database.
    fn approvals_visible(&self) -> Condition {
        use table::Column as C;
        let (scope, rights) = (&self.context().scope, &self.context().permissions);
        let mut asked =
            Condition::any().add(C::Actor.eq(serde_json::to_string(&self.context().actor).unwrap_or_default()));
        if let Some(staff) = self.context().actor.staff() {
            asked = asked.add(C::AskedBy.eq(staff.0));
        }
        let outright = |permission: &&Permission| {
            rights.grant(**permission) == Grant::Yes && (scope.is_all() || !permission.is_organisation_wide())
        };
        let names: Vec<&str> = Permission::ALL.iter().filter(outright).map(|permission| permission.as_str()).collect();
        let mut decided = Condition::all().add(C::Permission.is_in(names));
        if !scope.is_all() {
            let outside = self
                .unscoped_find::<touched::Entity>()
                .select_only()
                .column(touched::Column::ApprovalId)
                .filter(within(scope, touched::Column::ClientId).not());
            decided = decided.add(C::BeyondClients.eq(false)).add(C::Id.not_in_subquery(outside.into_query()));
        }
        asked.add(decided)
    }

    /// How many wait in the organisation, and how many of those the caller asked for.
    pub async fn approvals_waiting(&self) -> Result<(u64, u64)> {
        let select = self.find::<table::Entity>().filter(standing(ApprovalState::Pending, self.now()));
        let all = select.clone().count(self.db()).await.or_domain()?;
        let actor = serde_json::to_string(&self.context().actor).map_err(Error::internal)?;
        Ok((all, select.filter(table::Column::Actor.eq(actor)).count(self.db()).await.or_domain()?))
    }

    /// Writes what became of one that was read and locked before, with an entry: `after` has the new state. One that is
    /// over forgets its request.
    pub async fn approval_update(&self, before: &Approval, after: Approval) -> Result<Approval> {
        let after = self.followed(before, after)?;
        let (old, new) = (write(self, before, None)?, write(self, &after, None)?);
        self.update_row::<table::Entity>(&old, new).await?;
        self.request_forgotten(&after).await?;
        Ok(after)
    }

    /// The same where nobody decided anything: it moves by itself, and there is no entry.
    async fn approval_moved(&self, before: &Approval, after: Approval) -> Result<Approval> {
        let after = self.followed(before, after)?;
        let mut row = write(self, &after, None)?.into_active_model().reset_all();
        (row.request, row.changes) = (ActiveValue::NotSet, ActiveValue::NotSet);
        self.update_row_where::<table::Entity>(row, own(after.id)).await?;
        self.request_forgotten(&after).await?;
        Ok(after)
    }

    fn followed(&self, before: &Approval, after: Approval) -> Result<Approval> {
        if !before.state.may_become(after.state) {
            let message = format!("an approval cannot go from {:?} to {:?}", before.state, after.state);
            return Err(Error::internal(message));
        }
        let finished_at = after.state.is_over().then(|| self.now());
        Ok(Approval { finished_at, version: before.version + 1, ..after })
    }

    async fn request_forgotten(&self, after: &Approval) -> Result<()> {
        if !after.state.is_over() {
            return Ok(());
        }
        let row = table::ActiveModel { request: ActiveValue::Set(None), ..ActiveModelTrait::default() };
        self.update_row_where::<table::Entity>(row, own(after.id)).await.map(drop)
    }

    /// Notes that what was approved is done, in the transaction that does it, whose entry this is.
    pub(crate) async fn approval_done(&self, id: ApprovalId, entry: EntryId) -> Result<()> {
        let before = self.approval(id).await?;
        if before.state == ApprovalState::Applied {
            // An act at a vendor may leave several entries.
            return Ok(());
        }
        let after = Approval { state: ApprovalState::Applied, entry_id: Some(entry), message: None, ..before.clone() };
        self.approval_moved(&before, after).await.map(drop)
    }

    /// Ends what waited too long, and what was being done when its process died: nobody knows whether it was done.
    /// `stuck` is since when. Returns how many.
    pub async fn approvals_over(&self, stuck: Timestamp) -> Result<usize> {
        use table::Column as C;
        let late = Condition::all().add(C::State.eq(ApprovalState::Pending.as_str())).add(C::ExpiresAt.lte(self.now()));
        let lost = Condition::all().add(C::State.eq(ApprovalState::Applying.as_str())).add(C::DecidedAt.lte(stuck));
        let select = self.find::<table::Entity>().filter(Condition::any().add(late).add(lost));
        let rows = select.limit(500).lock_exclusive().all(self.db()).await.or_domain()?;
        let found = rows.len();
        for row in rows {
            let before = read(row)?;
            let (state, message) = match before.state {
                ApprovalState::Pending => (ApprovalState::Expired, "Nobody decided about it within seven days."),
                _ => (ApprovalState::Unknown, "It was cut off while it was being done: look before you ask again."),
            };
            let after = Approval { state, message: Some(message.to_owned()), ..before.clone() };
            self.approval_moved(&before, after).await?;
        }
        Ok(found)
    }

    /// Those that a staff user asked for and that wait, locked; also by their keys.
    pub async fn approvals_pending_of(&self, staff: StaffId) -> Result<Vec<Approval>> {
        let select = self
            .find::<table::Entity>()
            .filter(table::Column::AskedBy.eq(staff.0))
            .filter(table::Column::State.eq(ApprovalState::Pending.as_str()));
        let mut rows = select
            .lock_exclusive()
            .all(self.db())
            .await
            .or_domain()?
            .into_iter()
            .map(read)
            .collect::<Result<Vec<_>>>()?;
        // What a service account asked for stands with the account, not with whoever made it.
        rows.retain(|row| !matches!(row.actor, Actor::ServiceAccount { .. }));
        Ok(rows)
    }

    /// Forgets those that were over before this instant; the journal keeps what was done. Returns how many.
    pub async fn approvals_forget(&self, before: Timestamp) -> Result<u64> {
        self.require_writable()?;
        let delete = self.delete_many::<table::Entity>().filter(table::Column::FinishedAt.lt(before));
        Ok(delete.exec(self.db()).await.or_domain()?.rows_affected)
    }

    /// Seals anew what was sealed by an old key; returns how many requests that were.
    pub async fn approval_requests_reseal(&self) -> Result<usize> {
        let select = self.find::<table::Entity>().filter(table::Column::Request.is_not_null());
        let (store, mut resealed) = (self.store(), 0);
        for row in select.lock_exclusive().all(self.db()).await.or_domain()? {
            let Some(old) = row.request.filter(|sealed| !store.keys().is_current(sealed)) else { continue };
            let place = place(self, row.id.into());
            let sealed = store.keys().seal(&place, &store.keys().open(&place, &old)?, store.chance().as_ref())?;
            let request = table::ActiveModel { request: ActiveValue::Set(Some(sealed)), ..ActiveModelTrait::default() };
            self.update_row_where::<table::Entity>(request, own(row.id.into())).await?;
            resealed += 1;
        }
        Ok(resealed)
    }
}
