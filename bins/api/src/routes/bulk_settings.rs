//! From how many clients on a second person approves a bulk operation.

use bulk::{BulkSettingsPatch, bulk_settings_get, bulk_settings_update};
use domain::{Permission, Role};
use persistence::BulkSettingsRow;
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

/// From how many clients on a second person approves: for more than this number, by the role of who starts.
#[derive(Debug, Clone, Object)]
pub struct BulkSettings {
    /// Owners
    pub owner: u32,
    /// Admins
    pub admin: u32,
    /// Engineers
    pub engineer: u32,
    /// Viewers
    pub viewer: u32,
    /// Finance
    pub finance: u32,
    /// MSP-Admins
    pub msp_admin: u32,
    /// Goes up with each change; also the ETag. 0 while nothing was set
    pub version: i32,
}

/// What to change; what is left out stays. 0 is always, 100000 never.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct BulkSettingsUpdate {
    /// Owners
    pub owner: Option<u32>,
    /// Admins
    pub admin: Option<u32>,
    /// Engineers
    pub engineer: Option<u32>,
    /// Viewers
    pub viewer: Option<u32>,
    /// Finance
    pub finance: Option<u32>,
    /// MSP-Admins
    pub msp_admin: Option<u32>,
}

/// Settings of bulk operations.
pub struct BulkSettingsApi;

#[OpenApi(prefix_path = "/api/organisation/bulk-operations", tag = "Chapter::Clients")]
impl BulkSettingsApi {
    /// From how many clients on a second person approves
    #[oai(path = "/", method = "get", operation_id = "bulk_settings_get")]
    async fn bulk_settings_get(&self, app: AppData<'_>, caller: Caller) -> Result<Answer<BulkSettings>, Failure> {
        let row = bulk_settings_get(&app.read(caller, Permission::ClientsView).await?).await?;
        let version = row.version;
        Ok(Answer::versioned(settings(&row), version))
    }

    /// Change from how many clients on a second person approves
    #[oai(path = "/", method = "patch", operation_id = "bulk_settings_update")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn bulk_settings_update(
        &self,
        app: AppData<'_>,
        caller: Caller,
        body: Json<BulkSettingsUpdate>,
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
    ) -> Result<Answer<Written<BulkSettings>>, Failure> {
        let context = caller.context()?;
        let version = if_match(version.0.as_deref())?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let request = (&body.0, version);
        let begun = app.begin(&context, Permission::TeamManage, "bulk_settings_update", asked, &request).await?;
        let write = match begun {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let BulkSettingsUpdate { owner, admin, engineer, viewer, finance, msp_admin } = body.0;
        let said = [
            (Role::Owner, owner),
            (Role::Admin, admin),
            (Role::Engineer, engineer),
            (Role::Viewer, viewer),
            (Role::Finance, finance),
            (Role::MspAdmin, msp_admin),
        ];
        let thresholds = said.into_iter().filter_map(|(role, most)| Some((role, most?))).collect();
        let row = bulk_settings_update(&write.tx, &BulkSettingsPatch { thresholds, version }).await?;
        let version = row.version;
        Ok(Answer::versioned(write.finish(Some(settings(&row)), Vec::new()).await?, version))
    }
}

fn settings(row: &BulkSettingsRow) -> BulkSettings {
    let of = |role| row.thresholds.of(role);
    BulkSettings {
        owner: of(Role::Owner),
        admin: of(Role::Admin),
        engineer: of(Role::Engineer),
        viewer: of(Role::Viewer),
        finance: of(Role::Finance),
        msp_admin: of(Role::MspAdmin),
        version: row.version,
    }
}
