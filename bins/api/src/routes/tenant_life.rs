//! A tenant's life: left alone and taken up again, synced, and tags and syncs of many at once.

use directory::{tenant_disconnect, tenant_get, tenant_reconnect, tenants_connections, tenants_tag};
use domain::{Context, EntityId, Error, Permission};
use persistence::Tx;
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{
    Chapter,
    tenants::{Tenant, can},
};
use crate::{
    app::{App, AppData},
    auth::Caller,
    changes::Written,
    page::Answer,
    problem::Failure,
    write::{Asked, Begun},
};

/// A selection of tenants.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example)]
pub struct TenantSelection {
    /// Ids of tenants here, 1 to 500
    pub tenant_ids: Vec<Uuid>,
}

/// Tags for a selection of tenants.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example)]
pub struct TenantTagging {
    /// Ids of tenants here, 1 to 500
    pub tenant_ids: Vec<Uuid>,
    /// Tags that all of them get
    #[oai(default)]
    pub add: Vec<String>,
    /// Tags that all of them lose
    #[oai(default)]
    pub remove: Vec<String>,
}

/// What a change of tags came to.
#[derive(Debug, Clone, Object)]
pub struct TenantsTagged {
    /// Tenants that were named, each once
    pub tenants: u64,
    /// Those of them whose tags changed
    pub changed: u64,
}

/// What became of the sync of a connection that lists a tenant.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct TenantSync {
    /// The connection
    pub connection_id: Uuid,
    /// Its name
    pub name: String,
    /// Whether a sync was started; else one waits or runs already, or the reason says why there is none
    pub started: bool,
    /// Why it cannot be synced
    pub reason: Option<String>,
}

/// What became of the syncs of tenants.
#[derive(Debug, Clone, Object)]
pub struct TenantSyncs {
    /// Each connection that lists one of them
    pub items: Vec<TenantSync>,
}

/// The life of tenants.
pub struct TenantLife;

#[OpenApi(prefix_path = "/api/tenants", tag = "Chapter::Tenants")]
impl TenantLife {
    /// Sync a tenant now
    ///
    /// The syncs of the connections that list it are started, or brought forward: each takes in what changed, in this
    /// tenant as in the others.
    #[oai(path = "/:tenant_id/sync", method = "post", operation_id = "tenant_sync")]
    async fn tenant_sync(
        &self,
        app: AppData<'_>,
        caller: Caller,
        tenant_id: Path<Uuid>,
    ) -> Result<Answer<TenantSyncs>, Failure> {
        let context = caller.context()?;
        app.permit(&context, Permission::SyncStart, "tenant_sync").await?;
        let tx = app.store.begin(context.clone()).await?;
        let id = EntityId(tenant_id.0);
        if tenant_get(&tx, id, &can(&app)).await?.disconnected_at().is_some() {
            return Err(Error::conflict("disconnected", "This tenant is disconnected: reconnect it first.").into());
        }
        let items = start(&app, &tx, &context, &[id]).await?;
        tx.commit_unjournalled().await?;
        app.wake.notify_one();
        Ok(Answer::new(TenantSyncs { items }))
    }

    /// Sync a selection of tenants now
    #[oai(path = "/sync", method = "post", operation_id = "tenants_sync")]
    async fn tenants_sync(
        &self,
        app: AppData<'_>,
        caller: Caller,
        body: Json<TenantSelection>,
        /// Answer which connections would be synced, and start nothing
        dry_run: Query<Option<bool>>,
    ) -> Result<Answer<TenantSyncs>, Failure> {
        let context = caller.context()?;
        app.permit(&context, Permission::SyncStart, "tenants_sync").await?;
        let tx = app.store.begin(context.clone()).await?;
        let items = start(&app, &tx, &context, &ids(&body.0.tenant_ids)).await?;
        if dry_run.0.unwrap_or(false) {
            tx.rollback().await?;
        } else {
            tx.commit_unjournalled().await?;
            app.wake.notify_one();
        }
        Ok(Answer::new(TenantSyncs { items }))
    }

    /// Give tags to a selection of tenants, and take others from them: one change set
    #[oai(path = "/tags", method = "post", operation_id = "tenants_tag")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn tenants_tag(
        &self,
        app: AppData<'_>,
        caller: Caller,
        body: Json<TenantTagging>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<TenantsTagged>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        app.permit(&context, Permission::DirectoryView, "tenants_tag").await?;
        let write = match app.begin(&context, Permission::ClientsEdit, "tenants_tag", asked, &body.0).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let body = body.0;
        let tagged = tenants_tag(&write.tx, &ids(&body.tenant_ids), &body.add, &body.remove).await?;
        let item = TenantsTagged { tenants: tagged.tenants as u64, changed: tagged.changed as u64 };
        Ok(Answer::new(write.finish(Some(item), Vec::new()).await?))
    }

    /// Leave a tenant alone: nothing is asked about it until `tenant_reconnect`
    ///
    /// What was read of it stays, with the date it was true at, and so do its customer, its name and its tags. The
    /// consent in the tenant is its administrator's to take back.
    #[oai(path = "/:tenant_id/disconnect", method = "post", operation_id = "tenant_disconnect")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn tenant_disconnect(
        &self,
        app: AppData<'_>,
        caller: Caller,
        tenant_id: Path<Uuid>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<Tenant>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let id = EntityId(tenant_id.0);
        manage(&app, &context, id, "tenant_disconnect").await?;
        let begun = app.begin(&context, Permission::ConnectionsManage, "tenant_disconnect", asked, &id.0).await?;
        let write = match begun {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let tenant = tenant_disconnect(&write.tx, id, &can(&app)).await?;
        Ok(Answer::new(write.finish(Some(Tenant::of(tenant, true)), Vec::new()).await?))
    }

    /// Take a tenant up again, once it is seen that it can be read
    ///
    /// It is the same tenant as before: id, customer, name and tags. Where its consent is missing, the answer is 409
    /// (`consent_missing`): begin `tenant_connect_start` for it, and it is reconnected when its administrator consents.
    #[oai(path = "/:tenant_id/reconnect", method = "post", operation_id = "tenant_reconnect")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn tenant_reconnect(
        &self,
        app: AppData<'_>,
        caller: Caller,
        tenant_id: Path<Uuid>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<Tenant>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let (id, action) = (EntityId(tenant_id.0), "tenant_reconnect");
        let tenant = manage(&app, &context, id, action).await?;
        if let Some(answer) = app.answered(&context, action, &asked, &id.0).await? {
            return Ok(Answer::new(answer));
        }
        readable(&app, &context, &tenant).await?;
        let was_away = tenant.disconnected_at().is_some();
        let begun = app.begin(&context, Permission::ConnectionsManage, action, asked, &id.0).await?;
        let write = match begun {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let tenant = tenant_reconnect(&write.tx, id, &can(&app)).await?;
        // One that was never away changes nothing: there is nothing to fetch for it either.
        let syncs = if was_away { start(&app, &write.tx, &context, &[id]).await? } else { Vec::new() };
        let warnings = syncs.into_iter().filter_map(|sync| sync.reason).collect();
        let written = write.finish(Some(Tenant::of(tenant, true)), warnings).await?;
        app.wake.notify_one();
        Ok(Answer::new(written))
    }
}

fn ids(ids: &[Uuid]) -> Vec<EntityId> {
    ids.iter().copied().map(EntityId).collect()
}

/// A tenant that the caller may connect and disconnect: over every connection that lists it.
async fn manage(app: &App, context: &Context, id: EntityId, action: &str) -> domain::Result<directory::Tenant> {
    app.permit(context, Permission::ConnectionsManage, action).await?;
    app.permit(context, Permission::DirectoryView, action).await?;
    let tx = app.read_as(context, Permission::DirectoryView).await?;
    let tenant = tenant_get(&tx, id, &can(app)).await?;
    let mut integrations = Vec::new();
    for connection in &tenant.connections {
        integrations.push(tx.connection(*connection).await?.integration);
    }
    drop(tx);
    for integration in integrations {
        app.permit_for(context, Permission::ConnectionsManage, action, &integration).await?;
    }
    Ok(tenant)
}

/// Refuses unless one of the tenant's connections can read it, where there are any that its administrator lets in.
async fn readable(app: &App, context: &Context, tenant: &directory::Tenant) -> domain::Result<()> {
    let tx = app.store.read(context.clone()).await?;
    let mut doors = Vec::new();
    for id in &tenant.connections {
        let connection = tx.connection(*id).await?;
        if app.entry(&connection.integration).is_some_and(|entry| entry.admits()) {
            doors.push(connection.id);
        }
    }
    drop(tx);
    let mut refused = None;
    for door in doors {
        match app.engine.admission_look(context, door, &tenant.tenant).await {
            Ok(_) => return Ok(()),
            Err(error) => refused = Some(error),
        }
    }
    refused.map_or(Ok(()), Err)
}

/// Starts the syncs of the connections that list these tenants.
async fn start(app: &App, tx: &Tx, context: &Context, tenants: &[EntityId]) -> domain::Result<Vec<TenantSync>> {
    let mut items = Vec::new();
    for id in tenants_connections(tx, tenants).await? {
        let connection = tx.connection(id).await?;
        let started = match app.permit_vendor(context, Permission::SyncStart, &connection.integration) {
            Ok(()) => sync::sync_start(tx, app.entries, id, None).await,
            Err(refused) => Err(refused),
        };
        let (started, reason) = match started {
            Ok(started) => (!started.pending, None),
            Err(error @ (Error::Conflict { .. } | Error::Forbidden { .. })) => (false, Some(error.to_string())),
            Err(other) => return Err(other),
        };
        items.push(TenantSync { connection_id: id.0, name: connection.name, started, reason });
    }
    Ok(items)
}
