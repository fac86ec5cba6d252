//! What the organisation demands of those who sign in.

use access::SecurityPatch;
use domain::Permission;
use persistence::SecuritySettingsRow;
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

/// What the organisation demands of those who sign in.
#[derive(Debug, Clone, Object)]
pub struct SecuritySettings {
    /// Whether everyone needs a second factor
    pub require_mfa: bool,
    /// Minutes after which an unused session ends
    pub idle_minutes: i32,
    /// Minutes after which any session ends
    pub absolute_minutes: i32,
    /// Goes up with each change; also the ETag. 0 while the installation's settings hold
    pub version: i32,
}

/// What to change; what is left out stays.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct SecurityUpdate {
    /// Require a second factor: who has none sets it up at the next sign-in
    pub require_mfa: Option<bool>,
    /// 5 to 1440 minutes after which an unused session ends
    pub idle_minutes: Option<i32>,
    /// 60 to 43200 minutes after which any session ends
    pub absolute_minutes: Option<i32>,
}

/// Security settings.
pub struct Security;

#[OpenApi(prefix_path = "/api/organisation/security", tag = "Chapter::Staff")]
impl Security {
    /// What the organisation demands of those who sign in
    #[oai(path = "/", method = "get", operation_id = "security_settings_get")]
    async fn security_settings_get(
        &self,
        app: AppData<'_>,
        caller: Caller,
    ) -> Result<Answer<SecuritySettings>, Failure> {
        let tx = app.read(caller, Permission::TeamManage).await?;
        let row = access::security_settings(&tx, &app.gate).await?;
        Ok(Answer::versioned(view(row), row.version))
    }

    /// Change what the organisation demands of those who sign in
    ///
    /// Running sessions end as early as new ones would. Requiring a second factor signs nobody out: whoever has none
    /// sets it up at the next sign-in, and can do nothing else before. Asks for who you are, once more, after 15
    /// minutes.
    #[oai(path = "/", method = "patch", operation_id = "security_settings_update")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn security_settings_update(
        &self,
        app: AppData<'_>,
        caller: Caller,
        body: Json<SecurityUpdate>,
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
    ) -> Result<Answer<Written<SecuritySettings>>, Failure> {
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let context = app.proven(caller, "security_settings_update", asked.is_dry_run()).await?;
        let SecurityUpdate { require_mfa, idle_minutes, absolute_minutes } = body.0;
        let version = if_match(version.0.as_deref())?;
        let patch = SecurityPatch { require_mfa, idle_minutes, absolute_minutes, version };
        let begun = app.begin(&context, Permission::TeamManage, "security_settings_update", asked, &patch).await?;
        let write = match begun {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let row = access::security_settings_update(&write.tx, &app.gate, patch).await?;
        Ok(Answer::versioned(write.finish(Some(view(row)), Vec::new()).await?, row.version))
    }
}

fn view(row: SecuritySettingsRow) -> SecuritySettings {
    let SecuritySettingsRow { require_mfa, idle_minutes, absolute_minutes, version } = row;
    SecuritySettings { require_mfa, idle_minutes, absolute_minutes, version }
}
