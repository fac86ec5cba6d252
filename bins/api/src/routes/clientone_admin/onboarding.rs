//! The clients' onboardings: how far each is, and what staff do with them.

use clientone::onboarding_get;
use domain::{
    ClientId, Onboarding as Row, OnboardingId, OnboardingStep as Step, OnboardingStepId, OnboardingTemplateId,
    Permission,
};
use persistence::{OnboardingFilter, Tx};
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::onboarding_shapes::{ClientOnboarding, ClientOnboardingStep, ClientOnboardingWhole, OnboardingStanding};
use crate::{
    app::{App, AppData},
    auth::Caller,
    changes::Written,
    page::{Answer, Page, page_request},
    problem::Failure,
    routes::Chapter,
    write::{Asked, Begun, Write},
};

/// Why a step is left out.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example)]
pub struct OnboardingStepSkip {
    /// Why; people of the client read it
    pub reason: String,
}

/// Why an onboarding is given up.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct OnboardingCancel {
    /// Why
    pub reason: Option<String>,
}

/// A credential that was given in a step.
#[derive(Clone, Object)]
pub struct OnboardingCredential {
    /// What it is called
    pub label: String,
    /// What was given
    pub value: String,
}

/// The credentials that were given in a step.
#[derive(Clone, Object)]
pub struct OnboardingCredentials {
    /// In the order in which they were asked for
    pub items: Vec<OnboardingCredential>,
    /// How often they were read, with this time
    pub reads: i32,
}

/// Onboardings.
pub struct Onboardings;

#[OpenApi(prefix_path = "/api/clientone-admin/onboarding", tag = "Chapter::ClientOne")]
impl Onboardings {
    /// Onboardings across clients or of one, the newest first
    #[oai(path = "/", method = "get", operation_id = "onboarding_list")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn onboarding_list(
        &self,
        app: AppData<'_>,
        caller: Caller,
        uri: &poem::http::Uri,
        /// Only of this client
        client_id: Query<Option<Uuid>>,
        /// Only those made of this version of a template
        onboarding_template_id: Query<Option<Uuid>>,
        state: Query<Option<OnboardingStanding>>,
        /// Only those that are stalled, or are not
        stalled: Query<Option<bool>>,
        /// Rows of a page, 1 to 100; 25 when left out
        limit: Query<Option<u64>>,
        /// Where the last page ended
        cursor: Query<Option<String>>,
    ) -> Result<Answer<Page<ClientOnboarding>>, Failure> {
        let page = page_request(limit.0, cursor.0.as_deref())?;
        let tx = app.read(caller, Permission::ClientoneManage).await?;
        let filter = OnboardingFilter {
            client: client_id.0.map(ClientId),
            template: onboarding_template_id.0.map(OnboardingTemplateId),
            state: state.0.map(Into::into),
            stalled: stalled.0,
        };
        let listed = tx.onboarding_list(&filter, &page).await?;
        let names = tx.portal_names(listed.items.iter().map(|row| row.client_id), []).await?;
        Ok(Answer::page(listed.map(|row| ClientOnboarding::of(row, &names, tx.now())), uri))
    }

    /// One onboarding with its steps, and what was answered in them
    #[oai(path = "/:onboarding_id", method = "get", operation_id = "onboarding_get")]
    async fn onboarding_get(
        &self,
        app: AppData<'_>,
        caller: Caller,
        onboarding_id: Path<Uuid>,
    ) -> Result<Answer<ClientOnboardingWhole>, Failure> {
        let tx = app.read(caller, Permission::ClientoneManage).await?;
        let (row, steps) = onboarding_get(&tx, OnboardingId(onboarding_id.0)).await?;
        let version = row.version;
        Ok(Answer::versioned(whole(&tx, row, steps).await?, version))
    }

    /// Give an onboarding up
    #[oai(path = "/:onboarding_id/cancel", method = "post", operation_id = "onboarding_cancel")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn onboarding_cancel(
        &self,
        app: AppData<'_>,
        caller: Caller,
        onboarding_id: Path<Uuid>,
        body: Json<OnboardingCancel>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<ClientOnboardingWhole>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let (id, permission) = (OnboardingId(onboarding_id.0), Permission::ClientoneManage);
        let write = match app.begin(&context, permission, "onboarding_cancel", asked, &(id, &body.0)).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let done = clientone::onboarding_cancel(&write.tx, id, body.0.reason.as_deref()).await;
        end(&app, write, done).await
    }

    /// Leave a step out, whether its turn has come or not
    #[oai(
        path = "/:onboarding_id/steps/:onboarding_step_id/skip",
        method = "post",
        operation_id = "onboarding_step_skip"
    )]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn onboarding_step_skip(
        &self,
        app: AppData<'_>,
        caller: Caller,
        onboarding_id: Path<Uuid>,
        onboarding_step_id: Path<Uuid>,
        body: Json<OnboardingStepSkip>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<ClientOnboardingWhole>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let (id, step) = (OnboardingId(onboarding_id.0), OnboardingStepId(onboarding_step_id.0));
        let (permission, action) = (Permission::ClientoneManage, "onboarding_step_skip");
        let write = match app.begin(&context, permission, action, asked, &(id, step, &body.0)).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let done = clientone::onboarding_step_skip(&write.tx, id, step, &body.0.reason).await;
        end(&app, write, done).await
    }

    /// Ask for a step again
    ///
    /// What was given in it is forgotten, credentials with it. An onboarding that was completed goes on.
    #[oai(
        path = "/:onboarding_id/steps/:onboarding_step_id/reopen",
        method = "post",
        operation_id = "onboarding_step_reopen"
    )]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn onboarding_step_reopen(
        &self,
        app: AppData<'_>,
        caller: Caller,
        onboarding_id: Path<Uuid>,
        onboarding_step_id: Path<Uuid>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<ClientOnboardingWhole>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let (id, step) = (OnboardingId(onboarding_id.0), OnboardingStepId(onboarding_step_id.0));
        let (permission, action) = (Permission::ClientoneManage, "onboarding_step_reopen");
        let write = match app.begin(&context, permission, action, asked, &(id, step)).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let done = clientone::onboarding_step_reopen(&write.tx, id, step).await;
        end(&app, write, done).await
    }

    /// Read the credentials that were given in a step; for a signed-in person
    ///
    /// Each time is noted in the journal, with who read which step of which client. Asks for who you are, once more,
    /// after 15 minutes. It takes no idempotency key: the answer holds secrets, and is kept nowhere.
    #[oai(
        path = "/:onboarding_id/steps/:onboarding_step_id/credentials",
        method = "post",
        operation_id = "onboarding_credentials_read"
    )]
    async fn onboarding_credentials_read(
        &self,
        app: AppData<'_>,
        caller: Caller,
        onboarding_id: Path<Uuid>,
        onboarding_step_id: Path<Uuid>,
        /// Why, for the journal
        reason: Query<Option<String>>,
    ) -> Result<Answer<OnboardingCredentials>, Failure> {
        let action = "onboarding_credentials_read";
        let context = app.proven_person(caller, action, false).await?;
        app.permit(&context, Permission::ClientoneManage, action).await?;
        let (id, step) = (OnboardingId(onboarding_id.0), OnboardingStepId(onboarding_step_id.0));
        let tx = app.store.begin(context).await?;
        let (row, given) = clientone::onboarding_credentials_read(&tx, id, step).await?;
        // Nobody sees them before it is noted who did.
        tx.commit(action, reason.0.as_deref()).await?;
        let item = |one: domain::GivenCredential| OnboardingCredential { label: one.label, value: one.value };
        let items = given.into_iter().map(item).collect();
        Ok(Answer::new(OnboardingCredentials { items, reads: row.credentials_reads }))
    }
}

/// Ends it as asked; a refusal leaves an entry.
async fn end(
    app: &App,
    write: Box<Write>,
    done: domain::Result<(Row, Vec<Step>)>,
) -> Result<Answer<Written<ClientOnboardingWhole>>, Failure> {
    let (write, (row, steps)) = app.passed(write, done).await?;
    let version = row.version;
    let view = whole(&write.tx, row, steps).await?;
    Ok(Answer::versioned(write.finish(Some(view), Vec::new()).await?, version))
}

async fn whole(tx: &Tx, row: Row, steps: Vec<Step>) -> domain::Result<ClientOnboardingWhole> {
    let names = tx.portal_names([row.client_id], steps.iter().filter_map(|step| step.portal_user_id)).await?;
    Ok(ClientOnboardingWhole {
        onboarding: ClientOnboarding::of(row, &names, tx.now()),
        steps: steps.into_iter().map(|step| ClientOnboardingStep::of(step, &names)).collect(),
    })
}
