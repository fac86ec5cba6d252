//! Identity providers, as owners and admins set them up.

use std::collections::BTreeSet;

use access::{NewSsoProvider, SsoPatch};
use domain::{ClientId, Permission, SsoAudience, SsoKind, SsoLinkId, SsoProviderId};
use poem::Request;
use poem_openapi::{
    OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    Chapter,
    consent::origin,
    sso::{SsoLink, SsoLinks},
    sso_shapes::{
        SsoProvider, SsoProviderAudience, SsoProviderCreate, SsoProviderFinding, SsoProviderFindings, SsoProviderKind,
        SsoProviderUpdate, SsoProviders, page_of, view,
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

/// Links that one answer shows.
const SHOWN: u64 = 1_000;

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
