//! Connecting a Microsoft 365 tenant step by step: customer and tenant, consent of its administrator, first sync,
//! summary. It can be left and gone on with for seven days.

use chrono::{DateTime, Utc};
use directory::{
    NewTenantConnect, tenant_connect_cancel, tenant_connect_done, tenant_connect_fail, tenant_connect_link,
    tenant_connect_start,
};
use domain::{ClientId, ConnectionId, Context, Error, Outcome, Permission, TenantConnectId, TenantConnectState};
use integration::{AdmissionAsk, RecordKind};
use persistence::{TenantConnectFilter, Tx};
use poem::Request;
use poem_openapi::{
    Enum, Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{Chapter, admin_consent::CALLBACK, consent::origin};
use crate::{
    app::{App, AppData},
    auth::Caller,
    changes::Written,
    page::{Answer, Page, page_request},
    problem::Failure,
    write::{Asked, Begun, Write},
};

/// How far the connecting of a tenant is
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum ConnectStep {
    /// Its administrator has yet to consent
    Consent,
    /// It is connected, and its first sync is under way
    FirstSync,
    /// It is connected and was read: the summary says what of it
    Summary,
    /// It was given up
    Cancelled,
    /// It took longer than seven days
    Ended,
}

/// What became of reading one kind of record of a tenant
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum ReadingState {
    /// It was not asked for yet
    Waiting,
    /// It was read
    Read,
    /// The tenant has no licence for it
    NotOffered,
    /// A right is missing: the message says which
    Missing,
    /// It failed for another reason
    Failed,
}

/// What is read of a tenant, by kind of record.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct TenantReading {
    /// Kind of record ("directory_user")
    pub kind: String,
    pub state: ReadingState,
    /// When it was last read to the end
    pub synced_at: Option<DateTime<Utc>>,
    /// Stable word for why it was not read
    pub code: Option<String>,
    /// The same for people: which right is missing, and what to do
    pub message: Option<String>,
}

/// The connecting of a tenant.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct TenantConnect {
    /// Id
    pub id: Uuid,
    /// The customer that is to have the tenant
    pub customer_id: Uuid,
    /// The connection that is let in
    pub connection_id: Uuid,
    /// Microsoft's id of the tenant
    pub tenant_id: String,
    /// The domain that it was found by
    pub domain: Option<String>,
    pub step: ConnectStep,
    /// Why it did not go on the last time
    pub reason: Option<String>,
    /// How many links for the administrator were made; only the last works
    pub links: i32,
    /// Who began it
    pub begun_by: Option<Uuid>,
    /// Begun
    pub created_at: DateTime<Utc>,
    /// Until when it can be gone on with
    pub expires_at: DateTime<Utc>,
    /// When it was connected
    pub connected_at: Option<DateTime<Utc>>,
    /// What is read of the tenant, and what is not for want of a right; empty until it is connected
    pub summary: Vec<TenantReading>,
    /// Goes up with each change
    pub version: i32,
}

/// Which tenant is to be connected, and for whom.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct TenantConnectStart {
    /// The customer that is to have it
    pub customer_id: Uuid,
    /// A domain of the tenant, or Microsoft's id of it
    pub tenant: String,
    /// The connection that is to be let in; may be left out where there is only one
    pub connection_id: Option<Uuid>,
}

/// A link for the administrator of a tenant.
#[derive(Debug, Clone, Object)]
pub struct TenantConsentLink {
    /// Microsoft's page: a Global Administrator of the tenant opens it, in whichever browser. It is shown once and works
    /// once; another one ends it
    pub url: String,
    /// Until when it works
    pub expires_at: DateTime<Utc>,
}

/// Connecting tenants.
pub struct TenantConnects;

#[OpenApi(prefix_path = "/api/tenant-connects", tag = "Chapter::Tenants")]
impl TenantConnects {
    /// Tenants that are being connected, or were, the newest first
    #[oai(path = "/", method = "get", operation_id = "tenant_connect_list")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn tenant_connect_list(
        &self,
        app: AppData<'_>,
        caller: Caller,
        uri: &poem::http::Uri,
        /// For this customer
        customer_id: Query<Option<Uuid>>,
        /// Only those that can still be gone on with
        open: Query<Option<bool>>,
        /// Rows of a page, 1 to 100; 25 when left out
        limit: Query<Option<u64>>,
        /// Where the last page ended
        cursor: Query<Option<String>>,
    ) -> Result<Answer<Page<TenantConnect>>, Failure> {
        let page = page_request(limit.0, cursor.0.as_deref())?;
        let tx = app.read(caller, Permission::DirectoryView).await?;
        let client = customer_id.0.map(ClientId);
        if let Some(client) = client {
            tx.client(client).await?;
        }
        let filter = TenantConnectFilter { client, open: open.0.unwrap_or(false) };
        let listed = tx.tenant_connect_list(filter, &page).await?;
        let mut items = Vec::with_capacity(listed.items.len());
        for one in listed.items {
            items.push(view(&app, &tx, one).await?);
        }
        Ok(Answer::page(domain::Listed { items, next: listed.next, total: listed.total }, uri))
    }

    /// The connecting of a tenant, with its summary once it is connected
    #[oai(path = "/:tenant_connect_id", method = "get", operation_id = "tenant_connect_get")]
    async fn tenant_connect_get(
        &self,
        app: AppData<'_>,
        caller: Caller,
        tenant_connect_id: Path<Uuid>,
    ) -> Result<Answer<TenantConnect>, Failure> {
        let tx = app.read(caller, Permission::DirectoryView).await?;
        let one = tx.tenant_connect(TenantConnectId(tenant_connect_id.0)).await?;
        Ok(Answer::new(view(&app, &tx, one).await?))
    }

    /// Begin to connect a tenant: choose the customer, and the tenant by a domain or by its id
    ///
    /// A domain is looked up in Microsoft's public OpenID document. A tenant that another customer has is refused (409)
    /// and that customer is named; so is one that is being connected already. What other organisations connected is
    /// neither asked nor told.
    #[oai(path = "/", method = "post", operation_id = "tenant_connect_start")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn tenant_connect_start(
        &self,
        app: AppData<'_>,
        caller: Caller,
        body: Json<TenantConnectStart>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<TenantConnect>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let action = "tenant_connect_start";
        permit(&app, &context, action).await?;
        let body = body.0;
        let request = (body.customer_id, &body.tenant, body.connection_id);
        if let Some(answer) = app.answered(&context, action, &asked, &request).await? {
            return Ok(Answer::new(answer));
        }
        let client = ClientId(body.customer_id);
        let tx = app.store.read(context.clone()).await?;
        if tx.clients_by_id(&[client]).await?.is_empty() {
            return Err(Error::invalid("/customer_id", "not_found", "there is no such customer").into());
        }
        let connection = door(&app, &tx, &context, body.connection_id).await?;
        drop(tx);
        app.permit_for(&context, Permission::ConnectionsManage, action, &connection.integration).await?;
        let tenant = app.engine.admission_find(&context, connection.id, &body.tenant).await?;
        let begun = app.begin(&context, Permission::ConnectionsManage, action, asked, &request).await?;
        let write = match begun {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let named = body.tenant.trim().to_lowercase();
        let domain = (Uuid::try_parse(&named).is_err()).then_some(named);
        let new = NewTenantConnect { client, connection: connection.id, tenant, domain };
        let one = tenant_connect_start(&write.tx, new).await?;
        let item = view(&app, &write.tx, one).await?;
        Ok(Answer::new(write.finish(Some(item), Vec::new()).await?))
    }

    /// Make the link at which the tenant's administrator consents
    ///
    /// Send it to a Global Administrator of the tenant, or open it as one. When they come back, the tenant is read to see
    /// that the consent holds, becomes the customer's, and its first sync begins. The link is shown once, so this takes
    /// no idempotency key: ask again, and the one before is void.
    #[oai(path = "/:tenant_connect_id/link", method = "post", operation_id = "tenant_connect_link")]
    async fn tenant_connect_link(
        &self,
        app: AppData<'_>,
        caller: Caller,
        request: &Request,
        tenant_connect_id: Path<Uuid>,
        /// Why, for the journal
        reason: Query<Option<String>>,
    ) -> Result<Answer<TenantConsentLink>, Failure> {
        let context = caller.context()?;
        let asked = Asked { reason: reason.0, ..Asked::default() };
        let write = begin(&app, &context, tenant_connect_id.0, "tenant_connect_link", asked).await?;
        let Begun::New(write) = write else {
            return Err(Error::internal("a write without a key was repeated").into());
        };
        let back = format!("{}{CALLBACK}", origin(&app, request)?);
        let id = TenantConnectId(tenant_connect_id.0);
        let (one, state) = tenant_connect_link(&write.tx, app.store.chance().as_ref(), id).await?;
        write.finish::<TenantConnect>(None, Vec::new()).await?;
        let ask = AdmissionAsk { entity: &one.tenant, redirect_uri: &back, state: &state };
        let url = app.engine.admission_page(&context, one.connection_id, &ask).await?;
        let expires_at = one.expires_at;
        Ok(Answer::new(TenantConsentLink { url, expires_at }))
    }

    /// See whether the tenant can be read, and connect it if so
    ///
    /// For a tenant whose administrator consented otherwise, or whose consent Microsoft had not taken in yet when they
    /// came back. Where it cannot be read, the answer is 409 (`consent_missing`) with Microsoft's reason.
    #[oai(path = "/:tenant_connect_id/confirm", method = "post", operation_id = "tenant_connect_confirm")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn tenant_connect_confirm(
        &self,
        app: AppData<'_>,
        caller: Caller,
        tenant_connect_id: Path<Uuid>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<TenantConnect>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let action = "tenant_connect_confirm";
        let id = TenantConnectId(tenant_connect_id.0);
        let one = permitted(&app, &context, id, action).await?;
        if let Some(answer) = app.answered(&context, action, &asked, &id.0).await? {
            return Ok(Answer::new(answer));
        }
        one.acted(domain::TenantConnectAct::Connect, None, context.now)?;
        let admitted = match app.engine.admission_look(&context, one.connection_id, &one.tenant).await {
            Ok(admitted) => admitted,
            Err(refused) => {
                if !asked.is_dry_run() {
                    failed(&app, &context, id, action, &refused.to_string()).await?;
                }
                return Err(refused.into());
            }
        };
        let write = match app.begin(&context, Permission::ConnectionsManage, action, asked, &id.0).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let done = connect(&app, &write.tx, id, &admitted).await;
        let (write, one): (Box<Write>, _) = app.passed(write, done).await?;
        let item = view(&app, &write.tx, one).await?;
        let written = write.finish(Some(item), Vec::new()).await?;
        app.wake.notify_one();
        Ok(Answer::new(written))
    }

    /// Give up connecting a tenant: its link works no more
    #[oai(path = "/:tenant_connect_id/cancel", method = "post", operation_id = "tenant_connect_cancel")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn tenant_connect_cancel(
        &self,
        app: AppData<'_>,
        caller: Caller,
        tenant_connect_id: Path<Uuid>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<TenantConnect>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let write = match begin(&app, &context, tenant_connect_id.0, "tenant_connect_cancel", asked).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let one = tenant_connect_cancel(&write.tx, TenantConnectId(tenant_connect_id.0)).await?;
        let item = view(&app, &write.tx, one).await?;
        Ok(Answer::new(write.finish(Some(item), Vec::new()).await?))
    }
}

/// Connecting a tenant takes both: letting a connection in, and saying whose the tenant is.
async fn permit(app: &App, context: &Context, action: &str) -> domain::Result<()> {
    app.permit(context, Permission::ConnectionsManage, action).await?;
    app.permit(context, Permission::MappingsSave, action).await
}

/// The same over one that was begun.
async fn permitted(
    app: &App,
    context: &Context,
    id: TenantConnectId,
    action: &str,
) -> domain::Result<domain::TenantConnect> {
    permit(app, context, action).await?;
    let tx = app.store.read(context.clone()).await?;
    let one = tx.tenant_connect(id).await?;
    let connection = tx.connection(one.connection_id).await?;
    drop(tx);
    app.permit_for(context, Permission::ConnectionsManage, action, &connection.integration).await?;
    Ok(one)
}

async fn begin(
    app: &App,
    context: &Context,
    id: Uuid,
    action: &'static str,
    asked: Asked,
) -> domain::Result<Begun<TenantConnect>> {
    permitted(app, context, TenantConnectId(id), action).await?;
    app.begin(context, Permission::ConnectionsManage, action, asked, &id).await
}

/// The connection that the tenant is to let in: the one named, or the only one that there is.
async fn door(app: &App, tx: &Tx, context: &Context, named: Option<Uuid>) -> domain::Result<domain::Connection> {
    let admits = |connection: &domain::Connection| app.entry(&connection.integration).is_some_and(|one| one.admits());
    if let Some(named) = named {
        return tx.connection(ConnectionId(named)).await.map_err(|error| match error {
            Error::NotFound { .. } => Error::invalid("/connection_id", "not_found", "there is no such connection"),
            other => other,
        });
    }
    let may = |connection: &domain::Connection| {
        app.permit_vendor(context, Permission::ConnectionsManage, &connection.integration).is_ok()
    };
    let mut doors: Vec<domain::Connection> =
        tx.connections().await?.into_iter().filter(|one| admits(one) && may(one)).collect();
    match (doors.pop(), doors.is_empty()) {
        (Some(only), true) => Ok(only),
        (Some(_), false) => {
            let message = "must be named: there are several connections that a tenant can let in";
            Err(Error::invalid("/connection_id", "required", message))
        }
        (None, _) => Err(Error::conflict(
            "no_connection",
            "There is no connection that a tenant can let in: connect Microsoft 365 with your partner tenant first.",
        )),
    }
}

/// Connects a tenant that was just read: keeps it, gives it to the customer, and starts its first sync.
pub(super) async fn connect(
    app: &App,
    tx: &Tx,
    id: TenantConnectId,
    admitted: &sync::Admitted,
) -> domain::Result<domain::TenantConnect> {
    let let_in = sync::entity_admit(tx, app.entries, admitted).await?;
    let may = |integration: &str| app.permit_vendor(tx.context(), Permission::MappingsSave, integration).is_ok();
    let one = tenant_connect_done(tx, id, (let_in.entity, let_in.listed), may).await?;
    sync::sync_start(tx, app.entries, one.connection_id, None).await?;
    Ok(one)
}

/// Notes that a tenant could not be connected, and why.
pub(super) async fn failed(
    app: &App,
    context: &Context,
    id: TenantConnectId,
    action: &str,
    why: &str,
) -> domain::Result<()> {
    let tx = app.store.begin(context.clone()).await?;
    tx.commit_attempt(action, Outcome::Failed, why).await?;
    let tx = app.store.begin(context.clone()).await?;
    tenant_connect_fail(&tx, id, why).await?;
    tx.commit("tenant_connect_fail", Some(why)).await.map(drop)
}

async fn view(app: &App, tx: &Tx, one: domain::TenantConnect) -> domain::Result<TenantConnect> {
    let summary = if one.state == TenantConnectState::Connected { summary(app, tx, &one).await? } else { Vec::new() };
    let step = match one.state {
        TenantConnectState::Waiting if one.is_open(tx.now()) => ConnectStep::Consent,
        TenantConnectState::Waiting => ConnectStep::Ended,
        TenantConnectState::Cancelled => ConnectStep::Cancelled,
        TenantConnectState::Connected => {
            let waits = summary.iter().any(|reading| reading.state == ReadingState::Waiting);
            if waits { ConnectStep::FirstSync } else { ConnectStep::Summary }
        }
    };
    Ok(TenantConnect {
        id: one.id.0,
        customer_id: one.client_id.0,
        connection_id: one.connection_id.0,
        tenant_id: one.tenant,
        domain: one.domain,
        step,
        reason: one.state_reason,
        links: one.links,
        begun_by: one.begun_by.map(|staff| staff.0),
        created_at: one.created_at,
        expires_at: one.expires_at,
        connected_at: one.connected_at,
        summary,
        version: one.version,
    })
}

/// What of a tenant the connection read, by what it lists for each tenant.
async fn summary(app: &App, tx: &Tx, one: &domain::TenantConnect) -> domain::Result<Vec<TenantReading>> {
    let connection = tx.connection(one.connection_id).await?;
    let able = app.capabilities(&connection.integration).iter().filter_map(|able| RecordKind::parse(able.name));
    let kinds: Vec<&str> = able.filter(|kind| *kind != RecordKind::Entity).map(RecordKind::as_str).collect();
    let of = std::iter::once(one.tenant.as_str()).collect();
    let rows = tx.listings_of(&[one.connection_id], &kinds, &of).await?;
    let reading = |kind: &&str| {
        // One listing for all tenants tells nothing of this one alone.
        let row = rows.iter().find(|row| row.kind == **kind && row.entity == one.tenant);
        let state = match row.map(|row| row.code.as_deref()) {
            None => ReadingState::Waiting,
            Some(None) => ReadingState::Read,
            Some(Some("not_offered")) => ReadingState::NotOffered,
            Some(Some("vendor_forbidden")) => ReadingState::Missing,
            Some(Some(_)) => ReadingState::Failed,
        };
        TenantReading {
            kind: (*kind).to_owned(),
            state,
            synced_at: row.and_then(|row| row.complete_at),
            code: row.and_then(|row| row.code.clone()),
            message: row.and_then(|row| row.message.clone()),
        }
    };
    Ok(kinds.iter().map(reading).collect())
}
