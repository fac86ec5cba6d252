//! Filters of the client list that people keep, each for themselves.

use chrono::{DateTime, Utc};
use directory::{saved_filter_create, saved_filter_delete, saved_filter_list, saved_filter_update};
use domain::{Permission, SavedFilterId};
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{Chapter, client_filter::kept_query};
use crate::{
    app::AppData,
    auth::Caller,
    changes::Written,
    page::{Answer, if_match},
    problem::Failure,
    write::{Asked, Begun},
};

/// A filter that someone keeps.
#[derive(Debug, Clone, Object)]
pub struct SavedFilter {
    /// Id
    pub id: Uuid,
    /// Name
    pub name: String,
    /// The query of `client_list`, without a question mark
    pub query: String,
    /// When it was made
    pub created_at: DateTime<Utc>,
    /// When it was last changed
    pub updated_at: DateTime<Utc>,
    /// Goes up with each change; also the ETag
    pub version: i32,
}

impl From<domain::SavedFilter> for SavedFilter {
    fn from(filter: domain::SavedFilter) -> Self {
        Self {
            id: filter.id.0,
            name: filter.name,
            query: filter.query,
            created_at: filter.created_at,
            updated_at: filter.updated_at,
            version: filter.version,
        }
    }
}

/// Everything the caller keeps.
#[derive(Debug, Clone, Object)]
pub struct SavedFilters {
    /// By name
    pub items: Vec<SavedFilter>,
}

/// A filter to be kept.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example)]
pub struct SavedFilterCreate {
    /// Name, of which the caller keeps no other
    pub name: String,
    /// The query of `client_list`, without `limit` and `cursor`
    pub query: String,
}

/// What to change about a filter; what is left out stays.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct SavedFilterUpdate {
    /// New name
    pub name: Option<String>,
    /// New query
    pub query: Option<String>,
}

/// Saved filters.
pub struct SavedFiltersApi;

#[OpenApi(prefix_path = "/api/client-filters", tag = "Chapter::Clients")]
impl SavedFiltersApi {
    /// The filters of the client list that the caller keeps; a key's are its owner's
    #[oai(path = "/", method = "get", operation_id = "saved_filter_list")]
    async fn saved_filter_list(&self, app: AppData<'_>, caller: Caller) -> Result<Answer<SavedFilters>, Failure> {
        let tx = app.read(caller, Permission::ClientsView).await?;
        let items = saved_filter_list(&tx).await?.into_iter().map(Into::into).collect();
        Ok(Answer::new(SavedFilters { items }))
    }

    /// Keep a filter
    ///
    /// The query is read as the list reads it: what the list would refuse is refused here.
    #[oai(path = "/", method = "post", operation_id = "saved_filter_create")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn saved_filter_create(
        &self,
        app: AppData<'_>,
        caller: Caller,
        body: Json<SavedFilterCreate>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<SavedFilter>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let begun = app.begin(&context, Permission::FiltersKeep, "saved_filter_create", asked, &body.0).await?;
        let write = match begun {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let query = kept_query(&app, &body.0.query)?;
        let filter = saved_filter_create(&write.tx, &body.0.name, query).await?;
        Ok(Answer::new(write.finish(Some(filter.into()), Vec::new()).await?))
    }

    /// Change a filter
    #[oai(path = "/:saved_filter_id", method = "patch", operation_id = "saved_filter_update")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn saved_filter_update(
        &self,
        app: AppData<'_>,
        caller: Caller,
        saved_filter_id: Path<Uuid>,
        body: Json<SavedFilterUpdate>,
        /// ETag of the filter as you read it
        #[oai(name = "If-Match")]
        version: Header<Option<String>>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<SavedFilter>>, Failure> {
        let context = caller.context()?;
        let version = if_match(version.0.as_deref())?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let request = (saved_filter_id.0, &body.0, version);
        let begun = app.begin(&context, Permission::FiltersKeep, "saved_filter_update", asked, &request).await?;
        let write = match begun {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let query = body.0.query.as_deref().map(|query| kept_query(&app, query)).transpose()?;
        let id = SavedFilterId(saved_filter_id.0);
        let filter = saved_filter_update(&write.tx, id, body.0.name.as_deref(), query, version).await?;
        let version = filter.version;
        Ok(Answer::versioned(write.finish(Some(filter.into()), Vec::new()).await?, version))
    }

    /// Forget a filter
    #[oai(path = "/:saved_filter_id", method = "delete", operation_id = "saved_filter_delete")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn saved_filter_delete(
        &self,
        app: AppData<'_>,
        caller: Caller,
        saved_filter_id: Path<Uuid>,
        /// ETag of the filter as you read it
        #[oai(name = "If-Match")]
        version: Header<Option<String>>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
    ) -> Result<Answer<Written<SavedFilter>>, Failure> {
        let context = caller.context()?;
        let version = if_match(version.0.as_deref())?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: None };
        let request = saved_filter_id.0;
        let begun = app.begin(&context, Permission::FiltersKeep, "saved_filter_delete", asked, &request).await?;
        let write = match begun {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let gone = saved_filter_delete(&write.tx, SavedFilterId(request), version).await?;
        Ok(Answer::new(write.finish(Some(gone.into()), Vec::new()).await?))
    }
}
