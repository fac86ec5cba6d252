//! Templates of onboarding, by version.

use domain::{
    Error, Listed, OnboardingTemplate, OnboardingTemplateAct, OnboardingTemplateId, OnboardingTemplateState,
    PageRequest, Result,
};
use sea_orm::{ColumnTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::{
    Tx,
    entity::onboarding_template as table,
    error::{OrDomain, known},
    journalled::versioned,
};

/// Which versions are wanted.
#[derive(Clone, Debug, Default)]
pub struct OnboardingTemplateFilter {
    /// Only versions of this template.
    pub series: Option<OnboardingTemplateId>,
    /// Only those in this state.
    pub state: Option<OnboardingTemplateState>,
}

versioned!(table, "onboarding_template", "template", read, |_| None);

fn read(row: table::Model) -> Result<OnboardingTemplate> {
    Ok(OnboardingTemplate {
        id: row.id.into(),
        series_id: row.series_id.into(),
        number: row.number,
        name: row.name,
        description: row.description,
        stalled_after_days: row.stalled_after_days,
        steps: serde_json::from_str(&row.steps).map_err(Error::internal)?,
        state: known(OnboardingTemplateState::parse(&row.state), "onboarding_template.state")?,
        published_at: row.published_at,
        retired_at: row.retired_at,
        created_at: row.created_at,
        updated_at: row.updated_at,
        version: row.version,
    })
}

fn write(tx: &Tx, row: &OnboardingTemplate) -> Result<table::Model> {
    Ok(table::Model {
        organisation_id: tx.organisation().0,
        id: row.id.0,
        series_id: row.series_id.0,
        number: row.number,
        name: row.name.clone(),
        description: row.description.clone(),
        stalled_after_days: row.stalled_after_days,
        steps: serde_json::to_string(&row.steps).map_err(Error::internal)?,
        state: row.state.as_str().to_owned(),
        published_at: row.published_at,
        retired_at: row.retired_at,
        created_at: row.created_at,
        updated_at: row.updated_at,
        version: row.version,
    })
}

impl Tx {
    /// A version of a template. In a transaction that writes, its row is locked.
    pub async fn onboarding_template(&self, id: OnboardingTemplateId) -> Result<OnboardingTemplate> {
        let mut select = self.find::<table::Entity>().filter(table::Column::Id.eq(id.0));
        if self.require_writable().is_ok() {
            select = select.lock_exclusive();
        }
        let row = select.one(self.db()).await.or_domain()?;
        row.map(read).transpose()?.ok_or(Error::NotFound { what: "template" })
    }

    /// Every version of a template, the first first. In a transaction that writes, they are locked.
    pub async fn onboarding_template_versions(&self, series: OnboardingTemplateId) -> Result<Vec<OnboardingTemplate>> {
        let mut select = self.find::<table::Entity>().filter(table::Column::SeriesId.eq(series.0));
        if self.require_writable().is_ok() {
            select = select.lock_exclusive();
        }
        let rows = select.order_by_asc(table::Column::Number).all(self.db()).await.or_domain()?;
        rows.into_iter().map(read).collect()
    }

    /// A page of versions, the newest first.
    pub async fn onboarding_template_list(
        &self,
        filter: &OnboardingTemplateFilter,
        page: &PageRequest,
    ) -> Result<Listed<OnboardingTemplate>> {
        use table::Column as C;
        let mut select = self.find::<table::Entity>();
        if let Some(series) = filter.series {
            select = select.filter(C::SeriesId.eq(series.0));
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
        let items = rows.into_iter().map(read).collect::<Result<_>>()?;
        Ok(Listed { items, next, total: i64::try_from(total).unwrap_or(i64::MAX) })
    }

    /// Makes a version. A number that another of the template has is the conflict `draft_exists`.
    pub async fn onboarding_template_insert(&self, row: &OnboardingTemplate) -> Result<()> {
        self.insert_row::<table::Entity>(write(self, row)?).await
    }

    /// Changes a version that was read before. Of one that was published only its state is ever written.
    pub async fn onboarding_template_save(
        &self,
        before: &OnboardingTemplate,
        after: OnboardingTemplate,
    ) -> Result<OnboardingTemplate> {
        let fixed = |row: &OnboardingTemplate| {
            (row.name.clone(), row.description.clone(), row.stalled_after_days, row.steps.clone())
        };
        if fixed(before) != fixed(&after) && before.state.after(OnboardingTemplateAct::Edit).is_err() {
            return Err(Error::conflict(
                "published_already",
                "A template that was published cannot be changed any more: make a new version of it.",
            ));
        }
        let after = OnboardingTemplate { version: before.version + 1, updated_at: self.now(), ..after };
        let written = self.update_row::<table::Entity>(&write(self, before)?, write(self, &after)?).await?;
        Ok(if written { after } else { before.clone() })
    }
}
