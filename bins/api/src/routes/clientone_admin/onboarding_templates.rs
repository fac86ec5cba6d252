//! Templates of onboarding, as staff make, publish and assign them.

use chrono::{DateTime, Utc};
use clientone::{OnboardingTemplateDraft, OnboardingTemplatePatch};
use domain::{ClientId, OnboardingTemplate as Row, OnboardingTemplateId, Permission};
use persistence::OnboardingTemplateFilter;
use poem::Request;
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::onboarding_shapes::{ClientOnboarding, OnboardingPlan, OnboardingTemplateStanding, planned};
use crate::{
    app::{App, AppData},
    auth::Caller,
    changes::Written,
    page::{Answer, Page, if_match, page_request},
    problem::Failure,
    routes::{Chapter, clientone::base},
    write::{Asked, Begun, Write},
};

/// One version of a template of onboarding.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct OnboardingTemplate {
    /// Id
    pub id: Uuid,
    /// What its versions have in common
    pub series_id: Uuid,
    /// Which version; the first is 1
    pub number: i32,
    /// What it is called
    pub name: String,
    /// What it is for, among staff
    pub description: String,
    /// Days without a step done after which an onboarding counts as stalled
    pub stalled_after_days: i32,
    /// The steps, in order
    pub steps: Vec<OnboardingPlan>,
    pub state: OnboardingTemplateStanding,
    /// Published: from then on nothing of it changes
    pub published_at: Option<DateTime<Utc>>,
    /// Retired
    pub retired_at: Option<DateTime<Utc>>,
    /// Made
    pub created_at: DateTime<Utc>,
    /// Changed
    pub updated_at: DateTime<Utc>,
    /// Goes up with each change; also the ETag
    pub version: i32,
}

/// A new template.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct OnboardingTemplateCreate {
    /// What it is called
    pub name: String,
    /// What it is for, among staff
    pub description: Option<String>,
    /// Days without a step done after which an onboarding counts as stalled, 1 to 365; 7 when left out
    pub stalled_after_days: Option<i32>,
    /// The steps, in order, at most 40
    pub steps: Vec<OnboardingPlan>,
}

/// What to change about a draft; what is left out stays.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct OnboardingTemplateUpdate {
    /// What it is called
    pub name: Option<String>,
    /// What it is for, among staff
    pub description: Option<String>,
    /// Days without a step done after which an onboarding counts as stalled
    pub stalled_after_days: Option<i32>,
    /// All steps anew, in order
    pub steps: Option<Vec<OnboardingPlan>>,
}

/// At whom onboarding begins.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example)]
pub struct OnboardingAssign {
    /// Clients, at most 200
    pub client_ids: Vec<Uuid>,
}

/// What was begun.
#[derive(Debug, Clone, Object)]
pub struct AssignedOnboardings {
    /// One for each client, in the order in which they were named
    pub items: Vec<ClientOnboarding>,
}

/// Templates of onboarding.
pub struct OnboardingTemplates;

#[OpenApi(prefix_path = "/api/clientone-admin/onboarding-templates", tag = "Chapter::ClientOne")]
impl OnboardingTemplates {
    /// Versions of templates, the newest first
    #[oai(path = "/", method = "get", operation_id = "onboarding_template_list")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn onboarding_template_list(
        &self,
        app: AppData<'_>,
        caller: Caller,
        uri: &poem::http::Uri,
        /// Only versions of this template
        series_id: Query<Option<Uuid>>,
        state: Query<Option<OnboardingTemplateStanding>>,
        /// Rows of a page, 1 to 100; 25 when left out
        limit: Query<Option<u64>>,
        /// Where the last page ended
        cursor: Query<Option<String>>,
    ) -> Result<Answer<Page<OnboardingTemplate>>, Failure> {
        let page = page_request(limit.0, cursor.0.as_deref())?;
        let tx = app.read(caller, Permission::ClientoneManage).await?;
        let filter =
            OnboardingTemplateFilter { series: series_id.0.map(OnboardingTemplateId), state: state.0.map(Into::into) };
        Ok(Answer::page(tx.onboarding_template_list(&filter, &page).await?.map(view), uri))
    }

    /// One version
    #[oai(path = "/:onboarding_template_id", method = "get", operation_id = "onboarding_template_get")]
    async fn onboarding_template_get(
        &self,
        app: AppData<'_>,
        caller: Caller,
        onboarding_template_id: Path<Uuid>,
    ) -> Result<Answer<OnboardingTemplate>, Failure> {
        let tx = app.read(caller, Permission::ClientoneManage).await?;
        let row = tx.onboarding_template(OnboardingTemplateId(onboarding_template_id.0)).await?;
        let version = row.version;
        Ok(Answer::versioned(view(row), version))
    }

    /// Make a template: the draft of its first version; only by those who see every client
    #[oai(path = "/", method = "post", operation_id = "onboarding_template_create")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn onboarding_template_create(
        &self,
        app: AppData<'_>,
        caller: Caller,
        body: Json<OnboardingTemplateCreate>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<OnboardingTemplate>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let (permission, action) = (Permission::ClientoneManage, "onboarding_template_create");
        let write = match app.begin(&context, permission, action, asked, &body.0).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let OnboardingTemplateCreate { name, description, stalled_after_days, steps } = body.0;
        let draft = OnboardingTemplateDraft {
            name,
            description: description.unwrap_or_default(),
            stalled_after_days,
            steps: planned(steps)?,
        };
        let done = clientone::onboarding_template_create(&write.tx, draft).await;
        end(&app, write, done).await
    }

    /// Change a draft; only by those who see every client
    #[oai(path = "/:onboarding_template_id", method = "patch", operation_id = "onboarding_template_update")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn onboarding_template_update(
        &self,
        app: AppData<'_>,
        caller: Caller,
        onboarding_template_id: Path<Uuid>,
        body: Json<OnboardingTemplateUpdate>,
        /// ETag of the version as you read it
        #[oai(name = "If-Match")]
        version: Header<Option<String>>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
    ) -> Result<Answer<Written<OnboardingTemplate>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: None };
        let (permission, action) = (Permission::ClientoneManage, "onboarding_template_update");
        let id = OnboardingTemplateId(onboarding_template_id.0);
        let write = match app.begin(&context, permission, action, asked, &(id, &body.0)).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let OnboardingTemplateUpdate { name, description, stalled_after_days, steps } = body.0;
        let steps = steps.map(planned).transpose()?;
        let version = if_match(version.0.as_deref())?;
        let patch = OnboardingTemplatePatch { name, description, stalled_after_days, steps, version };
        let done = clientone::onboarding_template_update(&write.tx, id, patch).await;
        end(&app, write, done).await
    }

    /// Make the draft of the next version; only by those who see every client
    #[oai(path = "/:onboarding_template_id/versions", method = "post", operation_id = "onboarding_template_revise")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn onboarding_template_revise(
        &self,
        app: AppData<'_>,
        caller: Caller,
        onboarding_template_id: Path<Uuid>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<OnboardingTemplate>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let (permission, action) = (Permission::ClientoneManage, "onboarding_template_revise");
        let id = OnboardingTemplateId(onboarding_template_id.0);
        let write = match app.begin(&context, permission, action, asked, &id).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let done = clientone::onboarding_template_revise(&write.tx, id).await;
        end(&app, write, done).await
    }

    /// Publish a draft; only by those who see every client
    ///
    /// From then on nothing of it changes, and it takes the place of the version that was published before, which is
    /// retired. What was begun goes on as it is.
    #[oai(path = "/:onboarding_template_id/publish", method = "post", operation_id = "onboarding_template_publish")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn onboarding_template_publish(
        &self,
        app: AppData<'_>,
        caller: Caller,
        onboarding_template_id: Path<Uuid>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<OnboardingTemplate>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let (permission, action) = (Permission::ClientoneManage, "onboarding_template_publish");
        let id = OnboardingTemplateId(onboarding_template_id.0);
        let write = match app.begin(&context, permission, action, asked, &id).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let done = clientone::onboarding_template_publish(&write.tx, id).await;
        end(&app, write, done).await
    }

    /// Retire a published version: it is assigned to nobody any more, what was begun goes on; only by those who see
    /// every client
    #[oai(path = "/:onboarding_template_id/retire", method = "post", operation_id = "onboarding_template_retire")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn onboarding_template_retire(
        &self,
        app: AppData<'_>,
        caller: Caller,
        onboarding_template_id: Path<Uuid>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<OnboardingTemplate>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let (permission, action) = (Permission::ClientoneManage, "onboarding_template_retire");
        let id = OnboardingTemplateId(onboarding_template_id.0);
        let write = match app.begin(&context, permission, action, asked, &id).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let done = clientone::onboarding_template_retire(&write.tx, id).await;
        end(&app, write, done).await
    }

    /// Begin onboarding at clients by a published version: their Managers get a letter
    ///
    /// All of them or none. A client has one onboarding of a template under way, whatever its version.
    #[oai(path = "/:onboarding_template_id/assign", method = "post", operation_id = "onboarding_assign")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn onboarding_assign(
        &self,
        app: AppData<'_>,
        caller: Caller,
        request: &Request,
        onboarding_template_id: Path<Uuid>,
        body: Json<OnboardingAssign>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<AssignedOnboardings>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let (permission, action) = (Permission::ClientoneManage, "onboarding_assign");
        let id = OnboardingTemplateId(onboarding_template_id.0);
        let write = match app.begin(&context, permission, action, asked, &(id, &body.0)).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let clients: Vec<ClientId> = body.0.client_ids.into_iter().map(ClientId).collect();
        // Without a public origin the letters go without a link.
        let base = base(&app, request).ok();
        let done = clientone::onboarding_assign(&write.tx, id, &clients, base.as_deref()).await;
        let (write, (_, begun)) = app.passed(write, done).await?;
        let names = write.tx.portal_names(clients, []).await?;
        let now = write.tx.now();
        let items = begun.into_iter().map(|row| ClientOnboarding::of(row, &names, now)).collect();
        Ok(Answer::new(write.finish(Some(AssignedOnboardings { items }), Vec::new()).await?))
    }
}

/// Ends it as asked; a refusal leaves an entry.
async fn end(
    app: &App,
    write: Box<Write>,
    done: domain::Result<Row>,
) -> Result<Answer<Written<OnboardingTemplate>>, Failure> {
    let (write, row) = app.passed(write, done).await?;
    let version = row.version;
    Ok(Answer::versioned(write.finish(Some(view(row)), Vec::new()).await?, version))
}

fn view(row: Row) -> OnboardingTemplate {
    let shown = |step: domain::PlannedStep| OnboardingPlan::shown(step.title, step.content);
    OnboardingTemplate {
        id: row.id.0,
        series_id: row.series_id.0,
        number: row.number,
        name: row.name,
        description: row.description,
        stalled_after_days: row.stalled_after_days,
        steps: row.steps.into_iter().map(shown).collect(),
        state: row.state.into(),
        published_at: row.published_at,
        retired_at: row.retired_at,
        created_at: row.created_at,
        updated_at: row.updated_at,
        version: row.version,
    }
}
