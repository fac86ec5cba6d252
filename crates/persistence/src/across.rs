//! The product's own business across organisations: finding who signs in, counting failed
//! attempts, the queue. Nothing here returns a client's data.
#![allow(clippy::disallowed_methods, reason = "these queries are across organisations by design; nothing else is")]

use domain::{ConnectionId, JobId, OrganisationId, Result, Timestamp};
use sea_orm::{
    ActiveValue, ColumnTrait, Condition, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait,
    sea_query::{Expr, ExprTrait, LockBehavior, LockType, OnConflict},
};
use uuid::Uuid;

use crate::{
    ClaimedJob, JobOutcome, PortalUserRow, StaffRow, Store,
    access::{email_key, staff_read},
    entity::{connection, installation, job, organisation, portal_user, staff, throttle},
    error::OrDomain,
    jobs::claimable,
    portal_users,
};

/// Failed attempts of one account or address.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ThrottleRow {
    /// Failures in a row.
    pub failures: i32,
    /// The last of them, or since when failures are being forgotten.
    pub last_failure_at: Timestamp,
    /// Until when attempts are refused unseen.
    pub locked_until: Option<Timestamp>,
}

/// A transaction across organisations. Dropped, it is rolled back.
pub struct Across {
    store: Store,
    db: DatabaseTransaction,
}

impl Across {
    pub(crate) fn new(store: Store, db: DatabaseTransaction) -> Self {
        Self { store, db }
    }

    pub(crate) fn db(&self) -> &DatabaseTransaction {
        &self.db
    }

    /// Commits.
    pub async fn commit(self) -> Result<()> {
        self.db.commit().await.or_domain()
    }

    /// Staff users of this address in the organisation of this slug, or in all; at most ten.
    pub async fn staff_by_email(&self, email: &str, slug: Option<&str>) -> Result<Vec<StaffRow>> {
        let mut select = staff::Entity::find().filter(staff::Column::EmailKey.eq(email_key(email)));
        if let Some(slug) = slug {
            let named = organisation::Entity::find()
                .select_only()
                .column(organisation::Column::OrganisationId)
                .filter(organisation::Column::Slug.eq(slug));
            select = select.filter(staff::Column::OrganisationId.in_subquery(named.into_query()));
        }
        let rows = select.order_by_asc(staff::Column::CreatedAt).limit(10).all(&self.db).await.or_domain()?;
        rows.into_iter().map(staff_read).collect()
    }

    /// Portal users of this address in the organisation of this slug, or in all; at most ten.
    pub async fn portal_users_by_email(&self, email: &str, slug: Option<&str>) -> Result<Vec<PortalUserRow>> {
        let mut select = portal_user::Entity::find().filter(portal_user::Column::EmailKey.eq(email_key(email)));
        if let Some(slug) = slug {
            let named = organisation::Entity::find()
                .select_only()
                .column(organisation::Column::OrganisationId)
                .filter(organisation::Column::Slug.eq(slug));
            select = select.filter(portal_user::Column::OrganisationId.in_subquery(named.into_query()));
        }
        let rows = select.order_by_asc(portal_user::Column::CreatedAt).limit(10).all(&self.db).await.or_domain()?;
        rows.into_iter().map(portal_users::read).collect()
    }

    /// All organisations: id, name, slug.
    pub async fn organisations(&self) -> Result<Vec<(OrganisationId, String, String)>> {
        let rows = organisation::Entity::find().order_by_asc(organisation::Column::CreatedAt).all(&self.db).await;
        Ok(rows.or_domain()?.into_iter().map(|row| (row.organisation_id.into(), row.name, row.slug)).collect())
    }

    /// Organisations that have a connection due for a sync.
    pub async fn organisations_due(&self, now: Timestamp) -> Result<Vec<OrganisationId>> {
        let rows: Vec<Uuid> = connection::Entity::find()
            .select_only()
            .column(connection::Column::OrganisationId)
            .filter(connection::Column::NextSyncAt.lte(now))
            .filter(connection::Column::State.is_in(["connected", "degraded"]))
            .distinct()
            .into_tuple()
            .all(&self.db)
            .await
            .or_domain()?;
        Ok(rows.into_iter().map(OrganisationId).collect())
    }

    /// Makes the row of this name unless it is there, and locks it until the end of the transaction, so that
    /// [`Self::throttle`] has one to read: attempts made at once are then counted one after another. The row is
    /// written even if it is there: one left alone is not locked, and another attempt may delete it at once.
    pub async fn throttle_touch(&self, name: &str, now: Timestamp) -> Result<()> {
        let row = throttle::Model { name: name.to_owned(), failures: 0, last_failure_at: now, locked_until: None };
        throttle::Entity::insert(row.into_active_model())
            .on_conflict(OnConflict::column(throttle::Column::Name).update_column(throttle::Column::Name).to_owned())
            .exec_without_returning(&self.db)
            .await
            .or_domain()
            .map(drop)
    }

    /// Forgets what has not moved since this instant; returns how many rows that were.
    pub async fn throttle_forget(&self, before: Timestamp) -> Result<u64> {
        let delete = throttle::Entity::delete_many().filter(throttle::Column::LastFailureAt.lt(before));
        Ok(delete.exec(&self.db).await.or_domain()?.rows_affected)
    }

    /// Failed attempts under this name, locked until the end of the transaction.
    pub async fn throttle(&self, name: &str) -> Result<Option<ThrottleRow>> {
        let row = throttle::Entity::find_by_id(name).lock_exclusive().one(&self.db).await.or_domain()?;
        Ok(row.map(|row| ThrottleRow {
            failures: row.failures,
            last_failure_at: row.last_failure_at,
            locked_until: row.locked_until,
        }))
    }

    /// Sets the failed attempts under this name; none forgets it.
    pub async fn throttle_set(&self, name: &str, row: Option<ThrottleRow>) -> Result<()> {
        let Some(row) = row else {
            return throttle::Entity::delete_by_id(name).exec(&self.db).await.or_domain().map(drop);
        };
        let model = throttle::Model {
            name: name.to_owned(),
            failures: row.failures,
            last_failure_at: row.last_failure_at,
            locked_until: row.locked_until,
        };
        use throttle::Column as C;
        let conflict =
            OnConflict::column(C::Name).update_columns([C::Failures, C::LastFailureAt, C::LockedUntil]).to_owned();
        throttle::Entity::insert(model.into_active_model())
            .on_conflict(conflict)
            .exec_without_returning(&self.db)
            .await
            .or_domain()
            .map(drop)
    }

    pub(crate) async fn installation(&self, name: &str) -> Result<Option<Vec<u8>>> {
        Ok(installation::Entity::find_by_id(name).one(&self.db).await.or_domain()?.map(|row| row.value))
    }

    pub(crate) async fn installation_set(&self, name: &str, value: Vec<u8>, replace: bool) -> Result<()> {
        let row = installation::ActiveModel { name: ActiveValue::Set(name.to_owned()), value: ActiveValue::Set(value) };
        let mut conflict = OnConflict::column(installation::Column::Name);
        let conflict =
            if replace { conflict.update_column(installation::Column::Value) } else { conflict.do_nothing() };
        installation::Entity::insert(row)
            .on_conflict(conflict.to_owned())
            .exec_without_returning(&self.db)
            .await
            .or_domain()
            .map(drop)
    }

    /// Seals the word by which a wrong key is noticed by today's key.
    pub async fn proof_reseal(&self) -> Result<()> {
        self.installation_set("sealing", self.store.proof()?, true).await
    }

    /// Claims at most `slots` jobs for `lease` from `now` on. A job whose lease ran out is claimed
    /// again; one that ran out of tries is given up.
    pub async fn jobs_claim(&self, slots: u64, now: Timestamp, lease: chrono::TimeDelta) -> Result<Vec<ClaimedJob>> {
        self.jobs_claim_as(None, slots, now, lease).await
    }

    /// The same, for a worker that is known: it is seen who has a job.
    pub async fn jobs_claim_as(
        &self,
        worker: Option<Uuid>,
        slots: u64,
        now: Timestamp,
        lease: chrono::TimeDelta,
    ) -> Result<Vec<ClaimedJob>> {
        let found = job::Entity::find()
            .filter(claimable(now))
            .order_by_desc(job::Column::Priority)
            .order_by_asc(job::Column::RunAt)
            .limit(slots)
            .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
            .all(&self.db)
            .await
            .or_domain()?;
        let mut claimed = Vec::with_capacity(found.len());
        for row in found {
            let own = Condition::all()
                .add(job::Column::OrganisationId.eq(row.organisation_id))
                .add(job::Column::Id.eq(row.id));
            if row.attempts >= row.max_attempts {
                let text = row.last_error.clone().unwrap_or_else(|| "the worker died each time".to_owned());
                self.job_end(own, "failed", Some(text), now).await?;
                continue;
            }
            let token = self.store.chance().id(now);
            job::Entity::update_many()
                .col_expr(job::Column::State, Expr::val("running"))
                .col_expr(job::Column::Attempts, Expr::col(job::Column::Attempts).add(1))
                .col_expr(job::Column::LeaseToken, Expr::val(token))
                .col_expr(job::Column::LeaseUntil, Expr::val(now + lease))
                .col_expr(job::Column::WorkerId, Expr::val(worker))
                .col_expr(job::Column::WaitsUntil, Expr::val(None::<Timestamp>))
                .filter(own)
                .exec(&self.db)
                .await
                .or_domain()?;
            claimed.push(ClaimedJob {
                organisation: row.organisation_id.into(),
                id: JobId(row.id),
                kind: row.kind,
                payload: row.payload,
                connection: row.connection_id.map(ConnectionId),
                attempt: row.attempts + 1,
                max_attempts: row.max_attempts,
                lease: token,
            });
        }
        Ok(claimed)
    }

    /// Prolongs a lease; false when it was lost.
    pub async fn job_heartbeat(&self, claimed: &ClaimedJob, until: Timestamp) -> Result<bool> {
        let update =
            job::Entity::update_many().col_expr(job::Column::LeaseUntil, Expr::val(until)).filter(held(claimed));
        Ok(update.exec(&self.db).await.or_domain()?.rows_affected > 0)
    }

    /// Finishes a job if the lease still holds; false when it was lost.
    pub async fn job_finish(&self, claimed: &ClaimedJob, outcome: &JobOutcome, now: Timestamp) -> Result<bool> {
        let done = match outcome {
            JobOutcome::Done => self.job_end(held(claimed), "done", None, now).await?,
            JobOutcome::Failed(why) => self.job_end(held(claimed), "failed", Some(why.clone()), now).await?,
            JobOutcome::Retry(_, why) if claimed.attempt >= claimed.max_attempts => {
                self.job_end(held(claimed), "failed", Some(why.clone()), now).await?
            }
            JobOutcome::Retry(at, why) => {
                let update = job::Entity::update_many()
                    .col_expr(job::Column::State, Expr::val("queued"))
                    .col_expr(job::Column::RunAt, Expr::val(*at))
                    .col_expr(job::Column::LastError, Expr::val(why.as_str()))
                    .col_expr(job::Column::LeaseToken, Expr::val(None::<Uuid>))
                    .col_expr(job::Column::LeaseUntil, Expr::val(None::<Timestamp>))
                    .col_expr(job::Column::WorkerId, Expr::val(None::<Uuid>))
                    .col_expr(job::Column::WaitsUntil, Expr::val(None::<Timestamp>))
                    .filter(held(claimed));
                update.exec(&self.db).await.or_domain()?.rows_affected
            }
        };
        Ok(done > 0)
    }

    /// Gives a job back unharmed, to go on at this time: the try does not count.
    pub async fn job_release(&self, claimed: &ClaimedJob, at: Timestamp, why: Option<&str>) -> Result<()> {
        let update = job::Entity::update_many()
            .col_expr(job::Column::State, Expr::val("queued"))
            .col_expr(job::Column::RunAt, Expr::val(at))
            .col_expr(job::Column::LastError, Expr::val(why))
            .col_expr(job::Column::Attempts, Expr::col(job::Column::Attempts).sub(1))
            .col_expr(job::Column::LeaseToken, Expr::val(None::<Uuid>))
            .col_expr(job::Column::LeaseUntil, Expr::val(None::<Timestamp>))
            .col_expr(job::Column::WorkerId, Expr::val(None::<Uuid>))
            .col_expr(job::Column::WaitsUntil, Expr::val(None::<Timestamp>))
            .filter(held(claimed));
        update.exec(&self.db).await.or_domain().map(drop)
    }

    async fn job_end(&self, which: Condition, state: &str, why: Option<String>, now: Timestamp) -> Result<u64> {
        let update = job::Entity::update_many()
            .col_expr(job::Column::State, Expr::val(state))
            .col_expr(job::Column::LastError, Expr::val(why))
            .col_expr(job::Column::FinishedAt, Expr::val(now))
            .col_expr(job::Column::LeaseUntil, Expr::val(None::<Timestamp>))
            .col_expr(job::Column::WaitsUntil, Expr::val(None::<Timestamp>))
            .filter(which);
        Ok(update.exec(&self.db).await.or_domain()?.rows_affected)
    }
}

pub(crate) fn held(claimed: &ClaimedJob) -> Condition {
    Condition::all()
        .add(job::Column::OrganisationId.eq(claimed.organisation.0))
        .add(job::Column::Id.eq(claimed.id.0))
        .add(job::Column::LeaseToken.eq(claimed.lease))
        .add(job::Column::State.eq("running"))
}
