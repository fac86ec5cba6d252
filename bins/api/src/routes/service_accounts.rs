//! Service accounts: machines that act for the organisation, with short-lived tokens of `POST /oauth/token`.

use std::collections::BTreeSet;

use access::{NewServiceAccount, ServiceAccountPatch};
use domain::{ClientId, CustomRoleId, Permission, ServiceAccountId, ServiceAccountSecretId};
use poem_openapi::{
    OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use secrecy::ExposeSecret;
use uuid::Uuid;

use super::{
    Chapter,
    keys::permissions,
    service_account_shapes::{
        ServiceAccountCreate, ServiceAccountDetail, ServiceAccountSecretCreate, ServiceAccountSecretCreated,
        ServiceAccountSecretView, ServiceAccountUpdate, ServiceAccountView, ServiceAccountViews, secret_view, view,
    },
};
use crate::{
    app::AppData,
    auth::Caller,
    changes::Written,
    page::{Answer, if_match},
    problem::Failure,
    write::{Asked, Begun},
};

/// Service accounts.
pub struct ServiceAccounts;

#[OpenApi(prefix_path = "/api/service-accounts", tag = "Chapter::ApiKeys")]
impl ServiceAccounts {
    /// Service accounts
    #[oai(path = "/", method = "get", operation_id = "service_account_list")]
    async fn service_account_list(
        &self,
        app: AppData<'_>,
        caller: Caller,
    ) -> Result<Answer<ServiceAccountViews>, Failure> {
        let tx = app.read(caller, Permission::TeamManage).await?;
        let rows = access::service_account_list(&tx).await?;
        let organisation = tx.organisation();
        Ok(Answer::new(ServiceAccountViews { items: rows.into_iter().map(|row| view(organisation, row)).collect() }))
    }

    /// A service account with its secrets
    #[oai(path = "/:service_account_id", method = "get", operation_id = "service_account_get")]
    async fn service_account_get(
        &self,
        app: AppData<'_>,
        caller: Caller,
        service_account_id: Path<Uuid>,
    ) -> Result<Answer<ServiceAccountDetail>, Failure> {
        let tx = app.read(caller, Permission::TeamManage).await?;
        let (row, secrets) = access::service_account_get(&tx, ServiceAccountId(service_account_id.0)).await?;
        let version = row.version;
        let secrets = secrets.into_iter().map(secret_view).collect();
        let detail = ServiceAccountDetail { service_account: view(tx.organisation(), row), secrets };
        Ok(Answer::versioned(detail, version))
    }

    /// Make a service account; it has no secret yet
    #[oai(path = "/", method = "post", operation_id = "service_account_create")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn service_account_create(
        &self,
        app: AppData<'_>,
        caller: Caller,
        body: Json<ServiceAccountCreate>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<ServiceAccountView>>, Failure> {
        let action = "service_account_create";
        let context = app.proven(caller, action, dry_run.0.unwrap_or(false)).await?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let body = body.0;
        let write = match app.begin(&context, Permission::TeamManage, action, asked, &body).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let new = NewServiceAccount {
            name: body.name,
            description: body.description,
            role: body.role.map(Into::into),
            custom_role: body.custom_role_id.map(CustomRoleId),
            scope: body.scope.into(),
            permissions: body.permissions.as_deref().map(permissions).transpose()?,
            allow_clients: body.clients.map(ids),
            token_minutes: body.token_minutes,
            requests_per_minute: body.requests_per_minute,
            expires_at: body.expires_at.map(domain::micros),
        };
        let done = access::service_account_create(&write.tx, new).await;
        let (write, row) = app.passed(write, done).await?;
        Ok(Answer::new(write.finish(Some(view(context.organisation, row)), Vec::new()).await?))
    }

    /// Change a service account; what it may do less is gone at its next request
    #[oai(path = "/:service_account_id", method = "patch", operation_id = "service_account_update")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn service_account_update(
        &self,
        app: AppData<'_>,
        caller: Caller,
        service_account_id: Path<Uuid>,
        body: Json<ServiceAccountUpdate>,
        /// ETag of the account as you read it
        #[oai(name = "If-Match")]
        version: Header<Option<String>>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
    ) -> Result<Answer<Written<ServiceAccountView>>, Failure> {
        let action = "service_account_update";
        let context = app.proven(caller, action, dry_run.0.unwrap_or(false)).await?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: None };
        let body = body.0;
        let request = (service_account_id.0, &body);
        let write = match app.begin(&context, Permission::TeamManage, action, asked, &request).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let named = body.permissions.as_deref().map(permissions).transpose()?;
        let patch = ServiceAccountPatch {
            name: body.name,
            description: body.description,
            role: body.role.map(Into::into),
            custom_role: body.custom_role_id.map(CustomRoleId),
            scope: body.scope.map(Into::into),
            permissions: one_of("/all_permissions", named, body.all_permissions)?,
            allow_clients: one_of("/all_clients", body.clients.map(ids), body.all_clients)?,
            token_minutes: body.token_minutes,
            requests_per_minute: body.requests_per_minute,
            expires_at: one_of("/never_expires", body.expires_at.map(domain::micros), body.never_expires)?,
            enabled: body.enabled,
            version: if_match(version.0.as_deref())?,
        };
        let done = access::service_account_update(&write.tx, ServiceAccountId(service_account_id.0), patch).await;
        let (write, row) = app.passed(write, done).await?;
        let version = row.version;
        let written = write.finish(Some(view(context.organisation, row)), Vec::new()).await?;
        Ok(Answer::versioned(written, version))
    }

    /// Delete a service account: its secrets and tokens work no more, at once
    #[oai(path = "/:service_account_id", method = "delete", operation_id = "service_account_delete")]
    async fn service_account_delete(
        &self,
        app: AppData<'_>,
        caller: Caller,
        service_account_id: Path<Uuid>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
    ) -> Result<Answer<Written<ServiceAccountView>>, Failure> {
        let action = "service_account_delete";
        let context = app.proven(caller, action, dry_run.0.unwrap_or(false)).await?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: None };
        let request = service_account_id.0;
        let write = match app.begin(&context, Permission::TeamManage, action, asked, &request).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let done = access::service_account_delete(&write.tx, ServiceAccountId(service_account_id.0)).await;
        let (write, row) = app.passed(write, done).await?;
        Ok(Answer::new(write.finish(Some(view(context.organisation, row)), Vec::new()).await?))
    }

    /// Make a secret of a service account; for a signed-in person
    ///
    /// Two may work at once, so that one takes the other's place without a gap: make the new one, give it to the machine,
    /// remove the old one. A secret is shown once and cannot be shown again, so this operation takes no idempotency key.
    #[oai(path = "/:service_account_id/secrets", method = "post", operation_id = "service_account_secret_create")]
    async fn service_account_secret_create(
        &self,
        app: AppData<'_>,
        caller: Caller,
        service_account_id: Path<Uuid>,
        body: Json<ServiceAccountSecretCreate>,
    ) -> Result<Answer<ServiceAccountSecretCreated>, Failure> {
        let action = "service_account_secret_create";
        let context = app.proven_person(caller, action, false).await?;
        let asked = Asked::default();
        let request = service_account_id.0;
        let begun = app.begin::<ServiceAccountView>(&context, Permission::TeamManage, action, asked, &request).await?;
        let Begun::New(write) = begun else {
            return Err(domain::Error::internal("an answer that was never kept").into());
        };
        let id = ServiceAccountId(service_account_id.0);
        let days = body.0.expires_in_days;
        let done = access::service_account_secret_create(&write.tx, &app.gate, id, days).await;
        let (write, made) = app.passed(write, done).await?;
        write.finish::<ServiceAccountView>(None, Vec::new()).await?;
        Ok(Answer::new(ServiceAccountSecretCreated {
            oauth_client_id: access::client_id(context.organisation, id),
            client_secret: made.secret.expose_secret().to_owned(),
            secret: secret_view(made.row),
        }))
    }

    /// Remove a secret: it and every token that was got with it work no more, at once
    #[oai(
        path = "/:service_account_id/secrets/:service_account_secret_id",
        method = "delete",
        operation_id = "service_account_secret_delete"
    )]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn service_account_secret_delete(
        &self,
        app: AppData<'_>,
        caller: Caller,
        service_account_id: Path<Uuid>,
        service_account_secret_id: Path<Uuid>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
    ) -> Result<Answer<Written<ServiceAccountSecretView>>, Failure> {
        let action = "service_account_secret_delete";
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: None };
        let ids = (service_account_id.0, service_account_secret_id.0);
        let write = match app.begin(&context, Permission::TeamManage, action, asked, &ids).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let (account, secret) = (ServiceAccountId(ids.0), ServiceAccountSecretId(ids.1));
        let done = access::service_account_secret_delete(&write.tx, account, secret).await;
        let (write, row) = app.passed(write, done).await?;
        Ok(Answer::new(write.finish(Some(secret_view(row)), Vec::new()).await?))
    }
}

fn ids(clients: Vec<Uuid>) -> BTreeSet<ClientId> {
    clients.into_iter().map(ClientId).collect()
}

/// A limit that is set anew or taken away, but not both.
fn one_of<T>(pointer: &str, limit: Option<T>, none: Option<bool>) -> domain::Result<Option<Option<T>>> {
    match (limit, none.unwrap_or(false)) {
        (Some(_), true) => Err(domain::Error::invalid(pointer, "one_of", "contradicts the limit beside it")),
        (Some(limit), false) => Ok(Some(Some(limit))),
        (None, true) => Ok(Some(None)),
        (None, false) => Ok(None),
    }
}
