//! The steps of the clients' onboardings, with the credentials given in them: sealed, and bound to their row.

use domain::{
    ClientId, Error, GivenCredential, OnboardingId, OnboardingStep, OnboardingStepId, OnboardingStepState, Result,
};
use sea_orm::{ActiveModelTrait, ActiveValue, ColumnTrait, Condition, QueryFilter, QueryOrder, QuerySelect};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    Tx,
    entity::onboarding_step as table,
    error::{OrDomain, known},
    journalled::Journalled,
    keys::Place,
};

impl Journalled for table::Entity {
    const KIND: &'static str = "onboarding_step";
    const WHAT: &'static str = "step";

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
        row.credentials = ActiveValue::NotSet;
    }
}

fn read(row: table::Model) -> Result<OnboardingStep> {
    Ok(OnboardingStep {
        id: row.id.into(),
        onboarding_id: row.onboarding_id.into(),
        client_id: ClientId(row.client_id),
        number: row.number,
        title: row.title,
        content: serde_json::from_str(&row.content).map_err(Error::internal)?,
        state: known(OnboardingStepState::parse(&row.state), "onboarding_step.state")?,
        settled_at: row.settled_at,
        portal_user_id: row.portal_user_id.map(Into::into),
        staff_id: row.staff_id.map(Into::into),
        answers: serde_json::from_str(&row.answers).map_err(Error::internal)?,
        reason: row.reason,
        credentials_at: row.credentials_at,
        credentials_reads: row.credentials_reads,
        credentials_read_at: row.credentials_read_at,
        credentials_read_by: row.credentials_read_by.map(Into::into),
        updated_at: row.updated_at,
        version: row.version,
    })
}

/// The row without its credentials, which only [`Tx::onboarding_credentials_seal`] writes.
fn write(tx: &Tx, row: &OnboardingStep) -> Result<table::Model> {
    Ok(table::Model {
        organisation_id: tx.organisation().0,
        id: row.id.0,
        onboarding_id: row.onboarding_id.0,
        client_id: row.client_id.0,
        number: row.number,
        title: row.title.clone(),
        content: serde_json::to_string(&row.content).map_err(Error::internal)?,
        state: row.state.as_str().to_owned(),
        settled_at: row.settled_at,
        portal_user_id: row.portal_user_id.map(|id| id.0),
        staff_id: row.staff_id.map(|id| id.0),
        answers: serde_json::to_string(&row.answers).map_err(Error::internal)?,
        reason: row.reason.clone(),
        credentials: None,
        credentials_at: row.credentials_at,
        credentials_reads: row.credentials_reads,
        credentials_read_at: row.credentials_read_at,
        credentials_read_by: row.credentials_read_by.map(|id| id.0),
        updated_at: row.updated_at,
        version: row.version,
    })
}

fn place(tx: &Tx, id: OnboardingStepId) -> Place<'static> {
    Place { organisation: tx.organisation().0, table: "onboarding_step", row: id.0, column: "credentials" }
}

fn own(id: OnboardingStepId) -> Condition {
    Condition::all().add(table::Column::Id.eq(id.0))
}

impl Tx {
    /// The steps of an onboarding, in order. Whoever changes one has the onboarding's row locked.
    pub async fn onboarding_steps(&self, id: OnboardingId) -> Result<Vec<OnboardingStep>> {
        let select = self.find::<table::Entity>().filter(table::Column::OnboardingId.eq(id.0));
        let rows = select.order_by_asc(table::Column::Number).all(self.db()).await.or_domain()?;
        rows.into_iter().map(read).collect()
    }

    /// Makes the steps of onboardings that were just begun.
    pub async fn onboarding_steps_insert(&self, steps: &[OnboardingStep]) -> Result<()> {
        let rows = steps.iter().map(|step| write(self, step)).collect::<Result<_>>()?;
        self.insert_rows::<table::Entity>(rows).await
    }

    /// Changes a step that was read before; not its credentials.
    pub async fn onboarding_step_save(&self, before: &OnboardingStep, after: OnboardingStep) -> Result<OnboardingStep> {
        let after = OnboardingStep { version: before.version + 1, updated_at: self.now(), ..after };
        let written = self.update_row::<table::Entity>(&write(self, before)?, write(self, &after)?).await?;
        Ok(if written { after } else { before.clone() })
    }

    /// Seals credentials into a step, or forgets those in it. The change of the step tells of it.
    pub async fn onboarding_credentials_seal(
        &self,
        id: OnboardingStepId,
        given: Option<&[GivenCredential]>,
    ) -> Result<()> {
        let store = self.store();
        let seal = |given: &[GivenCredential]| {
            let plain = serde_json::to_vec(given).map_err(Error::internal)?;
            store.keys().seal(&place(self, id), &plain, store.chance().as_ref())
        };
        let sealed = given.map(seal).transpose()?;
        let row = table::ActiveModel { credentials: ActiveValue::Set(sealed), ..ActiveModelTrait::default() };
        self.update_row_where::<table::Entity>(row, own(id)).await.map(drop)
    }

    /// Opens the credentials given in a step: for those who asked to read them, which the caller journals.
    pub async fn onboarding_credentials(&self, id: OnboardingStepId) -> Result<Vec<GivenCredential>> {
        let row = self.find::<table::Entity>().filter(own(id)).one(self.db()).await.or_domain()?;
        let row = row.ok_or(Error::NotFound { what: "step" })?;
        let sealed = row
            .credentials
            .ok_or_else(|| Error::conflict("no_credentials", "No credentials are kept in this step."))?;
        let plain = self.store().keys().open(&place(self, id), &sealed)?;
        serde_json::from_slice(&plain).map_err(Error::internal)
    }

    /// Seals anew what was sealed by an old key; returns how many steps that were.
    pub async fn onboarding_credentials_reseal(&self) -> Result<usize> {
        let given = self.find::<table::Entity>().filter(table::Column::Credentials.is_not_null());
        let rows = given.lock_exclusive().all(self.db()).await.or_domain()?;
        let mut resealed = 0;
        for row in rows {
            if row.credentials.is_some_and(|sealed| !self.store().keys().is_current(&sealed)) {
                let id = OnboardingStepId(row.id);
                let plain = self.onboarding_credentials(id).await?;
                self.onboarding_credentials_seal(id, Some(&plain)).await?;
                resealed += 1;
            }
        }
        Ok(resealed)
    }
}
