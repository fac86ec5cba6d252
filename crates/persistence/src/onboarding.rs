//! The clients' onboardings. When each counts as stalled stands in its row, so that those that do are found by an index.

use chrono::TimeDelta;
use domain::{
    AgreementId, AgreementInstance, AgreementState, ClientId, Error, Listed, Onboarding, OnboardingId, OnboardingState,
    OnboardingTemplateId, PageRequest, Result,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue, ColumnTrait, Condition, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Select,
};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    Tx, agreements,
    entity::{agreement_instance, onboarding as table},
    error::{OrDomain, known},
    journalled::Journalled,
};

/// Days between two reminders of one onboarding.
const REMINDED_EVERY_DAYS: i64 = 7;

/// Which onboardings are wanted.
#[derive(Clone, Debug, Default)]
pub struct OnboardingFilter {
    /// Only of this client.
    pub client: Option<ClientId>,
    /// Only those made of this version of a template.
    pub template: Option<OnboardingTemplateId>,
    /// Only in this state.
    pub state: Option<OnboardingState>,
    /// Only those that are stalled, or are not.
    pub stalled: Option<bool>,
}

impl Journalled for table::Entity {
    const KIND: &'static str = "onboarding";
    const WHAT: &'static str = "onboarding";

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
    fn client_of(row: &table::Model) -> Option<ClientId> {
        Some(ClientId(row.client_id))
    }
    fn view(row: &table::Model) -> Result<Value> {
        serde_json::to_value(read(row.clone())?).map_err(Error::internal)
    }
    fn settle(row: &mut table::ActiveModel) {
        row.reminded_at = ActiveValue::NotSet;
    }
}

pub(crate) fn read(row: table::Model) -> Result<Onboarding> {
    Ok(Onboarding {
        id: row.id.into(),
        template_id: row.template_id.into(),
        series_id: row.series_id.into(),
        client_id: ClientId(row.client_id),
        name: row.name,
        stalled_after_days: row.stalled_after_days,
        state: known(OnboardingState::parse(&row.state), "onboarding.state")?,
        total: row.total,
        settled: row.settled,
        current: row.current_step,
        started_at: row.started_at,
        moved_at: row.moved_at,
        ended_at: row.ended_at,
        reason: row.reason,
        updated_at: row.updated_at,
        version: row.version,
    })
}

fn write(tx: &Tx, row: &Onboarding) -> table::Model {
    table::Model {
        organisation_id: tx.organisation().0,
        id: row.id.0,
        template_id: row.template_id.0,
        series_id: row.series_id.0,
        client_id: row.client_id.0,
        name: row.name.clone(),
        stalled_after_days: row.stalled_after_days,
        state: row.state.as_str().to_owned(),
        total: row.total,
        settled: row.settled,
        current_step: row.current.clone(),
        started_at: row.started_at,
        moved_at: row.moved_at,
        stalled_at: row.stalled_at(),
        reminded_at: None,
        ended_at: row.ended_at,
        reason: row.reason.clone(),
        updated_at: row.updated_at,
        version: row.version,
    }
}

impl Tx {
    /// An onboarding. In a transaction that writes, its row is locked.
    pub async fn onboarding(&self, id: OnboardingId) -> Result<Onboarding> {
        let mut select = self.find::<table::Entity>().filter(table::Column::Id.eq(id.0));
        if self.require_writable().is_ok() {
            select = select.lock_exclusive();
        }
        let row = select.one(self.db()).await.or_domain()?;
        row.map(read).transpose()?.ok_or(Error::NotFound { what: "onboarding" })
    }

    /// A page of onboardings, the newest first.
    pub async fn onboarding_list(&self, filter: &OnboardingFilter, page: &PageRequest) -> Result<Listed<Onboarding>> {
        use table::Column as C;
        let mut select = self.find::<table::Entity>();
        if let Some(client) = filter.client {
            select = select.filter(C::ClientId.eq(client.0));
        }
        if let Some(template) = filter.template {
            select = select.filter(C::TemplateId.eq(template.0));
        }
        if let Some(state) = filter.state {
            select = select.filter(C::State.eq(state.as_str()));
        }
        if let Some(stalled) = filter.stalled {
            let is = self.stalled_now();
            select = select.filter(if stalled { is } else { is.not() });
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

    fn stalled_now(&self) -> Condition {
        use table::Column as C;
        Condition::all().add(C::State.eq(OnboardingState::Active.as_str())).add(C::StalledAt.lte(self.now()))
    }

    /// What is under way at a client, the oldest first. In a transaction that writes, the rows are locked.
    pub async fn onboardings_active(&self, client: ClientId) -> Result<Vec<Onboarding>> {
        use table::Column as C;
        let mut select = self
            .find::<table::Entity>()
            .filter(C::ClientId.eq(client.0))
            .filter(C::State.eq(OnboardingState::Active.as_str()));
        if self.require_writable().is_ok() {
            select = select.lock_exclusive();
        }
        select.order_by_asc(C::Id).all(self.db()).await.or_domain()?.into_iter().map(read).collect()
    }

    /// At which of these clients a template is under way, whatever its version.
    pub async fn onboarding_holders(
        &self,
        series: OnboardingTemplateId,
        clients: &[ClientId],
    ) -> Result<Vec<ClientId>> {
        use table::Column as C;
        let rows = self
            .find::<table::Entity>()
            .filter(C::SeriesId.eq(series.0))
            .filter(C::ClientId.is_in(clients.iter().map(|client| client.0)))
            .filter(C::State.eq(OnboardingState::Active.as_str()))
            .all(self.db())
            .await
            .or_domain()?;
        Ok(rows.into_iter().map(|row| ClientId(row.client_id)).collect())
    }

    /// Begins an onboarding. One of the same template that is under way at the client is the conflict
    /// `assigned_already`.
    pub async fn onboarding_insert(&self, row: &Onboarding) -> Result<()> {
        self.insert_row::<table::Entity>(write(self, row)).await
    }

    /// Changes an onboarding that was read before. Made active again beside another of the same template, it is the
    /// conflict `assigned_already`.
    pub async fn onboarding_save(&self, before: &Onboarding, after: Onboarding) -> Result<Onboarding> {
        let after = Onboarding { version: before.version + 1, updated_at: self.now(), ..after };
        let written = self.update_row::<table::Entity>(&write(self, before), write(self, &after)).await?;
        Ok(if written { after } else { before.clone() })
    }

    /// The newest copy of an agreement that a client has, leaving out what was superseded or withdrawn. Without a lock.
    pub async fn agreement_copy_of(&self, client: ClientId, series: AgreementId) -> Result<Option<AgreementInstance>> {
        use agreement_instance::Column as C;
        let kept = [AgreementState::Pending, AgreementState::Viewed, AgreementState::Signed, AgreementState::Declined];
        let select = self
            .find::<agreement_instance::Entity>()
            .filter(C::ClientId.eq(client.0))
            .filter(C::SeriesId.eq(series.0))
            .filter(C::State.is_in(kept.map(AgreementState::as_str)));
        let newest = select.order_by_desc(C::SentAt).order_by_desc(C::Id).limit(1);
        let row = newest.one(self.db()).await.or_domain()?;
        row.map(agreements::read_instance).transpose()
    }

    /// Onboardings that are stalled and were not reminded of lately, of the longest stalled so many.
    pub async fn onboardings_to_remind(&self, most: u64) -> Result<Vec<OnboardingId>> {
        let rows = self.to_remind().order_by_asc(table::Column::StalledAt).limit(most).all(self.db()).await;
        Ok(rows.or_domain()?.into_iter().map(|row| row.id.into()).collect())
    }

    /// One of them, locked, if it is to be reminded of still.
    pub async fn onboarding_to_remind(&self, id: OnboardingId) -> Result<Option<Onboarding>> {
        self.require_writable()?;
        let select = self.to_remind().filter(table::Column::Id.eq(id.0)).lock_exclusive();
        select.one(self.db()).await.or_domain()?.map(read).transpose()
    }

    fn to_remind(&self) -> Select<table::Entity> {
        use table::Column as C;
        let lately = self.now() - TimeDelta::days(REMINDED_EVERY_DAYS);
        let not_lately = Condition::any().add(C::RemindedAt.is_null()).add(C::RemindedAt.lte(lately));
        self.find::<table::Entity>().filter(self.stalled_now()).filter(not_lately)
    }

    /// Notes that an onboarding was reminded of. In no journal: the outbox has the letters.
    pub async fn onboarding_reminded(&self, id: OnboardingId) -> Result<()> {
        let row = table::ActiveModel { reminded_at: ActiveValue::Set(Some(self.now())), ..ActiveModelTrait::default() };
        let own = Condition::all().add(table::Column::Id.eq(id.0));
        self.update_row_where::<table::Entity>(row, own).await.map(drop)
    }
}
