//! Identity providers, as owners and admins set them up.

use std::collections::BTreeSet;

use access::{NewSsoProvider, SsoPatch};
use chrono::{DateTime, Utc};
use domain::{ClientId, Permission, SsoAudience, SsoKind, SsoLinkId, SsoProviderId};
use poem::Request;
use poem_openapi::{
    Enum, Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    Chapter,
    consent::origin,
    sso::{CALLBACK, PORTAL_CALLBACK, SsoLink, SsoLinks},
};
use crate::{
    app::AppData,
    auth::Caller,
    changes::Written,
    page::{Answer, if_match},
    problem::Failure,
    write::{Asked, Begun},
};

/// Links that one answer shows.
const SHOWN: u64 = 1_000;

/// Whom a provider lets in
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum SsoProviderAudience {
    /// Staff of the MSP
    Staff,
    /// People of clients, in ClientOne
    Portal,
}

/// Of which kind a provider is
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum SsoProviderKind {
    /// Microsoft Entra, a multi-tenant app
    Entra,
    /// Any other OpenID Connect provider
    Oidc,
}

/// An identity provider; its client secret is never shown.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct SsoProvider {
    /// Id
    pub id: Uuid,
    pub audience: SsoProviderAudience,
    /// The one client whose people it lets in; absent for the MSP's own
    pub client_id: Option<Uuid>,
    /// What people see on the button
    pub name: String,
    pub kind: SsoProviderKind,
    /// Issuer; for Entra the authority, without a tenant
    pub issuer: String,
    /// The client id that the provider gave
    pub app_id: String,
    /// Whether sign-ins may begin
    pub enabled: bool,
    /// Entra tenants whose people may come in, beside those mapped to the client
    pub tenants: Vec<String>,
    /// Domains of e-mail addresses for which it is offered
    pub domains: Vec<String>,
    /// Whether who has no account gets one, as a User
    pub just_in_time: bool,
    /// Whether a second factor shown to it is taken for ours
    pub trusts_mfa: bool,
    /// The address that must be entered at the provider as the one to send people back to
    pub redirect_uri: Option<String>,
    /// Made
    pub created_at: DateTime<Utc>,
    /// Changed
    pub updated_at: DateTime<Utc>,
    /// Goes up with each change; also the ETag
    pub version: i32,
}

/// Identity providers.
#[derive(Debug, Clone, Object)]
pub struct SsoProviders {
    /// The MSP's own first
    pub items: Vec<SsoProvider>,
}

/// A provider to be set up.
#[derive(Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct SsoProviderCreate {
    pub audience: SsoProviderAudience,
    /// The one client whose people it lets in; left out for the MSP's own
    pub client_id: Option<Uuid>,
    /// What people see on the button
    pub name: String,
    pub kind: SsoProviderKind,
    /// Issuer, below which the discovery document is; for Entra the authority, `https://login.microsoftonline.com`
    /// unless given
    pub issuer: Option<String>,
    /// The client id that the provider gave
    pub app_id: String,
    /// The client secret that it gave; it is sealed, and never shown
    pub secret: String,
    /// Whether sign-ins may begin; they may unless said otherwise
    pub enabled: Option<bool>,
    /// Entra tenants: the staff's own, or a client's that are not mapped to it
    pub tenants: Option<Vec<String>>,
    /// Domains of e-mail addresses for which a client's provider is offered
    pub domains: Option<Vec<String>>,
    /// Make a User of who is let in and has no account; only from the client's own tenants or provider
    pub just_in_time: Option<bool>,
    /// Take a second factor shown to the provider for ours, where its token says `mfa`
    pub trusts_mfa: Option<bool>,
}

/// What to change; what is left out stays. Audience, client, kind and issuer stay for ever.
#[derive(Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct SsoProviderUpdate {
    /// What people see on the button
    pub name: Option<String>,
    /// The client id that the provider gave
    pub app_id: Option<String>,
    /// A new client secret
    pub secret: Option<String>,
    /// Whether sign-ins may begin
    pub enabled: Option<bool>,
    /// Entra tenants
    pub tenants: Option<Vec<String>>,
    /// Domains
    pub domains: Option<Vec<String>>,
    /// Make a User of who has no account
    pub just_in_time: Option<bool>,
    /// Take its second factor for ours
    pub trusts_mfa: Option<bool>,
}

/// One thing that was tried.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct SsoProviderFinding {
    /// `discovery`, `issuer`, `keys` or `secret`
    pub check: String,
    /// Whether it is right; absent where that could not be found out
    pub right: Option<bool>,
    /// What was found, and what to do
    pub message: String,
}

/// What came of trying a provider.
#[derive(Debug, Clone, Object)]
pub struct SsoProviderFindings {
    /// Whether nothing is wrong
    pub right: bool,
    /// In the order tried; what comes after something wrong is left out
    pub findings: Vec<SsoProviderFinding>,
}

/// Identity providers.
pub struct SsoProvidersApi;

#[OpenApi(prefix_path = "/api/sso-providers", tag = "Chapter::Staff")]
impl SsoProvidersApi {
    /// The identity providers through which people sign in
    #[oai(path = "/", method = "get", operation_id = "sso_provider_list")]
    async fn sso_provider_list(
        &self,
        app: AppData<'_>,
        caller: Caller,
        request: &Request,
        /// Only those of this client
        client_id: Query<Option<Uuid>>,
    ) -> Result<Answer<SsoProviders>, Failure> {
        let tx = app.read(caller, Permission::SsoManage).await?;
        let base = origin(&app, request).ok();
        let found = tx.sso_provider_list(client_id.0.map(ClientId)).await?;
        let items = found.into_iter().map(|provider| view(provider, base.as_deref())).collect();
        Ok(Answer::new(SsoProviders { items }))
    }

    /// An identity provider
    #[oai(path = "/:sso_provider_id", method = "get", operation_id = "sso_provider_get")]
    async fn sso_provider_get(
        &self,
        app: AppData<'_>,
        caller: Caller,
        request: &Request,
        sso_provider_id: Path<Uuid>,
    ) -> Result<Answer<SsoProvider>, Failure> {
        let tx = app.read(caller, Permission::SsoManage).await?;
        let provider = tx.sso_provider(SsoProviderId(sso_provider_id.0)).await?;
        let version = provider.version;
        Ok(Answer::versioned(view(provider, origin(&app, request).ok().as_deref()), version))
    }

    /// Set an identity provider up
    ///
    /// One for staff, one for the people of all clients, and one for each client, which goes before that of all. Asks
    /// for who you are, once more, after 15 minutes.
    #[oai(path = "/", method = "post", operation_id = "sso_provider_create")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn sso_provider_create(
        &self,
        app: AppData<'_>,
        caller: Caller,
        request: &Request,
        body: Json<SsoProviderCreate>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<SsoProvider>>, Failure> {
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let context = app.proven(caller, "sso_provider_create", asked.is_dry_run()).await?;
        let whole = fingerprint(&body.0);
        let begun = app.begin(&context, Permission::SsoManage, "sso_provider_create", asked, &whole).await?;
        let write = match begun {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let body = body.0;
        let new = NewSsoProvider {
            audience: match body.audience {
                SsoProviderAudience::Staff => SsoAudience::Staff,
                SsoProviderAudience::Portal => SsoAudience::Portal,
            },
            client: body.client_id.map(ClientId),
            name: body.name,
            kind: match body.kind {
                SsoProviderKind::Entra => SsoKind::Entra,
                SsoProviderKind::Oidc => SsoKind::Oidc,
            },
            issuer: body.issuer,
            app_id: body.app_id,
            secret: body.secret.into(),
            enabled: body.enabled.unwrap_or(true),
            tenants: set(body.tenants).unwrap_or_default(),
            domains: set(body.domains).unwrap_or_default(),
            just_in_time: body.just_in_time.unwrap_or(false),
            trusts_mfa: body.trusts_mfa.unwrap_or(false),
        };
        let made = access::sso_provider_create(&write.tx, new).await?;
        let version = made.version;
        let item = view(made, origin(&app, request).ok().as_deref());
        Ok(Answer::versioned(write.finish(Some(item), Vec::new()).await?, version))
    }

    /// Change an identity provider
    ///
    /// Disabling it ends sign-ins through it, those under way included; sessions go on. Over the staff's provider only
    /// owners, once an owner signs in through it. Asks for who you are, once more, after 15 minutes.
    #[oai(path = "/:sso_provider_id", method = "patch", operation_id = "sso_provider_update")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn sso_provider_update(
        &self,
        app: AppData<'_>,
        caller: Caller,
        request: &Request,
        sso_provider_id: Path<Uuid>,
        body: Json<SsoProviderUpdate>,
        /// ETag of the provider as you read it
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
    ) -> Result<Answer<Written<SsoProvider>>, Failure> {
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let context = app.proven(caller, "sso_provider_update", asked.is_dry_run()).await?;
        let version = if_match(version.0.as_deref())?;
        let whole = (sso_provider_id.0, version, fingerprint(&body.0));
        let begun = app.begin(&context, Permission::SsoManage, "sso_provider_update", asked, &whole).await?;
        let write = match begun {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let body = body.0;
        let patch = SsoPatch {
            name: body.name,
            app_id: body.app_id,
            secret: body.secret.map(Into::into),
            enabled: body.enabled,
            tenants: set(body.tenants),
            domains: set(body.domains),
            just_in_time: body.just_in_time,
            trusts_mfa: body.trusts_mfa,
            version,
        };
        let done = access::sso_provider_update(&write.tx, SsoProviderId(sso_provider_id.0), patch).await;
        let (write, after) = app.passed(write, done).await?;
        let version = after.version;
        let item = view(after, origin(&app, request).ok().as_deref());
        Ok(Answer::versioned(write.finish(Some(item), Vec::new()).await?, version))
    }

    /// Delete an identity provider
    ///
    /// Every identity that it vouches for is unlinked, each in the change set; accounts and sessions stay. Asks for who
    /// you are, once more, after 15 minutes.
    #[oai(path = "/:sso_provider_id", method = "delete", operation_id = "sso_provider_delete")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn sso_provider_delete(
        &self,
        app: AppData<'_>,
        caller: Caller,
        sso_provider_id: Path<Uuid>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<SsoProvider>>, Failure> {
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let context = app.proven(caller, "sso_provider_delete", asked.is_dry_run()).await?;
        let id = SsoProviderId(sso_provider_id.0);
        let begun = app.begin(&context, Permission::SsoManage, "sso_provider_delete", asked, &id).await?;
        let write = match begun {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let done = access::sso_provider_delete(&write.tx, id).await;
        let (write, gone) = app.passed(write, done).await?;
        Ok(Answer::new(write.finish(Some(view(gone, None)), Vec::new()).await?))
    }

    /// Try an identity provider, and say what is wrong
    ///
    /// Whether its discovery document is there, names the issuer that is set up and has keys that can be used, and
    /// whether it takes the client id with its secret. Nobody is signed in, and nothing is changed.
    #[oai(path = "/:sso_provider_id/test", method = "post", operation_id = "sso_provider_test")]
    async fn sso_provider_test(
        &self,
        app: AppData<'_>,
        caller: Caller,
        request: &Request,
        sso_provider_id: Path<Uuid>,
    ) -> Result<Answer<SsoProviderFindings>, Failure> {
        let context = caller.context()?;
        app.permit(&context, Permission::SsoManage, "sso_provider_test").await?;
        let id = SsoProviderId(sso_provider_id.0);
        let audience = app.read_as(&context, Permission::SsoManage).await?.sso_provider(id).await?.audience;
        let back = format!("{}{}", origin(&app, request)?, page_of(audience));
        let found = access::sso_provider_test(&app.store, &app.sso, &context, id, &back).await?;
        let finding = |one: access::SsoFinding| SsoProviderFinding {
            check: one.check.as_str().to_owned(),
            right: one.right,
            message: one.message,
        };
        let right = found.iter().all(|one| one.right != Some(false));
        Ok(Answer::new(SsoProviderFindings { right, findings: found.into_iter().map(finding).collect() }))
    }

    /// Whose accounts a provider's identities open; the first thousand
    #[oai(path = "/:sso_provider_id/links", method = "get", operation_id = "sso_provider_link_list")]
    async fn sso_provider_link_list(
        &self,
        app: AppData<'_>,
        caller: Caller,
        sso_provider_id: Path<Uuid>,
    ) -> Result<Answer<SsoLinks>, Failure> {
        let tx = app.read(caller, Permission::SsoManage).await?;
        let provider = tx.sso_provider(SsoProviderId(sso_provider_id.0)).await?;
        let links = tx.sso_links_at(provider.id, None, SHOWN).await?;
        Ok(Answer::new(SsoLinks { items: links.into_iter().map(SsoLink::from).collect() }))
    }

    /// Unlink somebody's identity: all their sessions end
    ///
    /// Over owners only by owners. Asks for who you are, once more, after 15 minutes.
    #[oai(path = "/:sso_provider_id/links/:sso_link_id", method = "delete", operation_id = "sso_provider_link_delete")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn sso_provider_link_delete(
        &self,
        app: AppData<'_>,
        caller: Caller,
        sso_provider_id: Path<Uuid>,
        sso_link_id: Path<Uuid>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<SsoLink>>, Failure> {
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let context = app.proven(caller, "sso_provider_link_delete", asked.is_dry_run()).await?;
        let (provider, link) = (SsoProviderId(sso_provider_id.0), SsoLinkId(sso_link_id.0));
        let action = "sso_provider_link_delete";
        let begun = app.begin(&context, Permission::SsoManage, action, asked, &(provider, link)).await?;
        let write = match begun {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let done = access::sso_link_end(&write.tx, provider, link).await;
        let (write, gone) = app.passed(write, done).await?;
        Ok(Answer::new(write.finish(Some(gone.into()), Vec::new()).await?))
    }
}

/// A mark of a body that holds a secret.
fn fingerprint(body: &impl poem_openapi::types::ToJSON) -> String {
    Sha256::digest(body.to_json_string().as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn set(texts: Option<Vec<String>>) -> Option<BTreeSet<String>> {
    texts.map(|texts| texts.into_iter().collect())
}

fn page_of(audience: SsoAudience) -> &'static str {
    match audience {
        SsoAudience::Staff => CALLBACK,
        SsoAudience::Portal => PORTAL_CALLBACK,
    }
}

fn view(provider: domain::SsoProvider, base: Option<&str>) -> SsoProvider {
    let page = page_of(provider.audience);
    SsoProvider {
        id: provider.id.0,
        audience: match provider.audience {
            SsoAudience::Staff => SsoProviderAudience::Staff,
            SsoAudience::Portal => SsoProviderAudience::Portal,
        },
        client_id: provider.client_id.map(|client| client.0),
        name: provider.name,
        kind: match provider.kind {
            SsoKind::Entra => SsoProviderKind::Entra,
            SsoKind::Oidc => SsoProviderKind::Oidc,
        },
        issuer: provider.issuer,
        app_id: provider.app_id,
        enabled: provider.enabled,
        tenants: provider.tenants.into_iter().collect(),
        domains: provider.domains.into_iter().collect(),
        just_in_time: provider.just_in_time,
        trusts_mfa: provider.trusts_mfa,
        redirect_uri: base.map(|base| format!("{base}{page}")),
        created_at: provider.created_at,
        updated_at: provider.updated_at,
        version: provider.version,
    }
}
