//! For which clients ClientOne is enabled, and what is on for them.

use chrono::{DateTime, Utc};
use clientone::SettingsPatch;
use domain::{ClientId, Permission, PortalConfig};
use persistence::{ListedPortal, PortalFilter, Tx};
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{
    PortalSection, PortalSignIn,
    branding::{BrandingSet, ShownBranding, own, shown},
};
use crate::{
    app::AppData,
    auth::Caller,
    changes::Written,
    page::{Answer, if_match, page_request},
    problem::Failure,
    routes::Chapter,
    write::{Asked, Begun},
};

/// How ClientOne is set up for a client.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct ClientOne {
    /// Client
    pub client_id: Uuid,
    /// Its name
    pub client: String,
    /// Whether its people may sign in
    pub enabled: bool,
    /// Sections that are on; of them a portal user has those that their role has
    pub sections: Vec<PortalSection>,
    /// Whether a User without an assigned device sees every device of the client, and not none
    pub all_devices_when_unassigned: bool,
    pub auth_mode: PortalSignIn,
    /// Whether everyone needs a second factor
    pub require_mfa: bool,
    pub branding: BrandingSet,
    pub shown: ShownBranding,
    /// Last changed; absent while nothing was ever set
    pub updated_at: Option<DateTime<Utc>>,
    /// Goes up with each change; also the ETag
    pub version: i32,
}

/// A client in the list.
#[derive(Debug, Clone, Object)]
pub struct ClientOneRow {
    /// Client
    pub client_id: Uuid,
    /// Its name
    pub client: String,
    /// Whether its people may sign in
    pub enabled: bool,
    pub auth_mode: PortalSignIn,
    /// Accounts that may sign in, where it is enabled
    pub active_users: u64,
    /// Accounts that were invited and have not come yet
    pub invited_users: u64,
    /// Accounts that are shut out
    pub deactivated_users: u64,
}

/// A page of clients.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct ClientOneRows {
    /// Rows
    pub items: Vec<ClientOneRow>,
    /// Send it as `cursor` for the next page; absent on the last
    pub next_cursor: Option<String>,
    /// Rows of the whole list under its filters
    pub total: i64,
    /// For how many clients it is enabled, filters aside
    pub enabled_total: u64,
}

/// What to change; what is left out stays.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct ClientOneUpdate {
    /// The sections that are on from now on
    pub sections: Option<Vec<PortalSection>>,
    /// Whether a User without an assigned device sees every device of the client, and not none
    pub all_devices_when_unassigned: Option<bool>,
    pub auth_mode: Option<PortalSignIn>,
    /// Whether everyone needs a second factor: it is set up at the next sign-in, and nobody is signed out for it. An
    /// identity provider that is trusted for several factors satisfies it
    pub require_mfa: Option<bool>,
}

/// Configuration.
pub struct ClientOneSettings;

#[OpenApi(prefix_path = "/api/clientone-admin/settings", tag = "Chapter::ClientOne")]
impl ClientOneSettings {
    /// Every client by name, with whether ClientOne is enabled and how many accounts it has
    #[oai(path = "/", method = "get", operation_id = "clientone_list")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn clientone_list(
        &self,
        app: AppData<'_>,
        caller: Caller,
        uri: &poem::http::Uri,
        /// Only this client
        client_id: Query<Option<Uuid>>,
        /// Only those for which it is enabled, or is not
        enabled: Query<Option<bool>>,
        /// Part of the client's name
        search: Query<Option<String>>,
        /// Rows of a page, 1 to 100; 25 when left out
        limit: Query<Option<u64>>,
        /// Where the last page ended
        cursor: Query<Option<String>>,
    ) -> Result<Answer<ClientOneRows>, Failure> {
        let page = page_request(limit.0, cursor.0.as_deref())?;
        let tx = app.read(caller, Permission::ClientoneManage).await?;
        let filter = PortalFilter { client: client_id.0.map(ClientId), enabled: enabled.0, search: search.0 };
        let listed = clientone::clientone_list(&tx, &filter, &page).await?.map(row);
        let enabled_total = tx.portals_enabled().await?;
        let Answer::Ok(Json(page), link, _) = Answer::page(listed, uri);
        let body = ClientOneRows { items: page.items, next_cursor: page.next_cursor, total: page.total, enabled_total };
        Ok(Answer::Ok(Json(body), link, None))
    }

    /// How ClientOne is set up for a client
    #[oai(path = "/:client_id", method = "get", operation_id = "clientone_get")]
    async fn clientone_get(
        &self,
        app: AppData<'_>,
        caller: Caller,
        client_id: Path<Uuid>,
    ) -> Result<Answer<ClientOne>, Failure> {
        let tx = app.read(caller, Permission::ClientoneManage).await?;
        let client = tx.client(ClientId(client_id.0)).await?.id;
        let config = tx.portal_config(client).await?;
        Ok(Answer::versioned(view(&tx, &config).await?, config.version))
    }

    /// Change what is on for a client
    ///
    /// Single sign-on is refused until an identity provider is set up.
    #[oai(path = "/:client_id", method = "patch", operation_id = "clientone_update")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn clientone_update(
        &self,
        app: AppData<'_>,
        caller: Caller,
        client_id: Path<Uuid>,
        body: Json<ClientOneUpdate>,
        /// ETag of the set-up as you read it
        #[oai(name = "If-Match")]
        version: Header<Option<String>>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
    ) -> Result<Answer<Written<ClientOne>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: None };
        let (client, permission) = (ClientId(client_id.0), Permission::ClientoneManage);
        let request = (client, &body.0);
        let write = match app.begin(&context, permission, "clientone_update", asked, &request).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let ClientOneUpdate { sections, all_devices_when_unassigned, auth_mode, require_mfa } = body.0;
        let patch = SettingsPatch {
            sections: sections.map(|sections| sections.into_iter().map(Into::into).collect()),
            all_devices_when_unassigned,
            auth_mode: auth_mode.map(Into::into),
            require_mfa,
        };
        let version = if_match(version.0.as_deref())?;
        let config = clientone::clientone_update(&write.tx, client, patch, version).await?;
        let item = view(&write.tx, &config).await?;
        Ok(Answer::versioned(write.finish(Some(item), Vec::new()).await?, config.version))
    }

    /// Enable ClientOne for a client: people may be invited, and those there are may sign in again
    #[oai(path = "/:client_id/enable", method = "post", operation_id = "clientone_enable")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn clientone_enable(
        &self,
        app: AppData<'_>,
        caller: Caller,
        client_id: Path<Uuid>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<ClientOne>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let (client, permission) = (ClientId(client_id.0), Permission::ClientoneManage);
        let write = match app.begin(&context, permission, "clientone_enable", asked, &client).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let config = clientone::clientone_enable(&write.tx, client).await?;
        let item = view(&write.tx, &config).await?;
        Ok(Answer::versioned(write.finish(Some(item), Vec::new()).await?, config.version))
    }

    /// Disable ClientOne for a client: its people are signed out at once; accounts and data stay
    #[oai(path = "/:client_id/disable", method = "post", operation_id = "clientone_disable")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn clientone_disable(
        &self,
        app: AppData<'_>,
        caller: Caller,
        client_id: Path<Uuid>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<ClientOne>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let (client, permission) = (ClientId(client_id.0), Permission::ClientoneManage);
        let write = match app.begin(&context, permission, "clientone_disable", asked, &client).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let config = clientone::clientone_disable(&write.tx, client).await?;
        let item = view(&write.tx, &config).await?;
        Ok(Answer::versioned(write.finish(Some(item), Vec::new()).await?, config.version))
    }
}

fn row(listed: ListedPortal) -> ClientOneRow {
    ClientOneRow {
        client_id: listed.config.client_id.0,
        client: listed.name,
        enabled: listed.config.enabled,
        auth_mode: listed.config.settings.auth_mode.into(),
        active_users: listed.active,
        invited_users: listed.invited,
        deactivated_users: listed.deactivated,
    }
}

/// The whole set-up of a client.
pub(super) async fn view(tx: &Tx, config: &PortalConfig) -> domain::Result<ClientOne> {
    let client = tx.client(config.client_id).await?;
    let branding = clientone::effective_branding(tx, config).await?;
    Ok(ClientOne {
        client_id: client.id.0,
        client: client.name,
        enabled: config.enabled,
        sections: config.settings.sections.iter().copied().map(Into::into).collect(),
        all_devices_when_unassigned: config.settings.all_devices_when_unassigned,
        auth_mode: config.settings.auth_mode.into(),
        require_mfa: config.settings.require_mfa,
        branding: own(&config.branding),
        shown: shown(&branding, tx.organisation()),
        updated_at: config.updated_at,
        version: config.version,
    })
}
