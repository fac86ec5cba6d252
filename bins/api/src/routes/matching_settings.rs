//! How far the organisation trusts the matching.

use directory::{MatchingPatch, matching_settings_get, matching_settings_update};
use domain::Permission;
use persistence::MatchingSettingsRow;
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Query},
    payload::Json,
};

use super::Chapter;
use crate::{
    app::AppData,
    auth::Caller,
    changes::Written,
    page::{Answer, if_match},
    problem::Failure,
    write::{Asked, Begun},
};

/// How far the organisation trusts the matching.
#[derive(Debug, Clone, Object)]
pub struct MatchingSettings {
    /// Score from which suggestions are marked `accept` and imports link by themselves, 0.50 to 1.00
    pub threshold: f64,
    /// Goes up with each change; also the ETag. 0 while the usual threshold of 0.95 holds
    pub version: i32,
}

/// What to change; what is left out stays.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct MatchingUpdate {
    /// 0.50 to 1.00, in steps of 0.01
    pub threshold: Option<f64>,
}

/// Settings of the matching.
pub struct Matching;

#[OpenApi(prefix_path = "/api/organisation/matching", tag = "Chapter::Mappings")]
impl Matching {
    /// How far the organisation trusts the matching
    #[oai(path = "/", method = "get", operation_id = "matching_settings_get")]
    async fn matching_settings_get(
        &self,
        app: AppData<'_>,
        caller: Caller,
    ) -> Result<Answer<MatchingSettings>, Failure> {
        let tx = app.read(caller, Permission::MatchingManage).await?;
        let row = matching_settings_get(&tx).await?;
        Ok(Answer::versioned(view(row), row.version))
    }

    /// Change how far the organisation trusts the matching
    ///
    /// Holds from the next suggestion, import and drift item on; what is mapped stays. Whatever the threshold, what is
    /// ambiguous, or has something against it that matters, waits for a person.
    #[oai(path = "/", method = "patch", operation_id = "matching_settings_update")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn matching_settings_update(
        &self,
        app: AppData<'_>,
        caller: Caller,
        body: Json<MatchingUpdate>,
        /// ETag of the settings as you read them
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
    ) -> Result<Answer<Written<MatchingSettings>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let patch = MatchingPatch { threshold: body.0.threshold, version: if_match(version.0.as_deref())? };
        let begun = app.begin(&context, Permission::MatchingManage, "matching_settings_update", asked, &patch).await?;
        let write = match begun {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let row = matching_settings_update(&write.tx, patch).await?;
        Ok(Answer::versioned(write.finish(Some(view(row)), Vec::new()).await?, row.version))
    }
}

fn view(row: MatchingSettingsRow) -> MatchingSettings {
    MatchingSettings { threshold: row.threshold.score(), version: row.version }
}
