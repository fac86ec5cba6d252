//! What comes back from an identity provider.

use std::collections::BTreeSet;

use base64::{Engine, engine::general_purpose::STANDARD};
use domain::{
    ClientId, Context, Error, OrganisationId, Outcome, Result, SsoAudience, SsoKind, SsoLink, SsoProvider, Timestamp,
};
use openidconnect::url::form_urlencoded::byte_serialize;
use persistence::{SsoAttemptRow, SsoPurpose, SsoSecrets, Store, Tx};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::{
    Sso,
    discovery::{Known, Metadata},
    outside::{OutsideAnswer, OutsideRequest},
    staff,
    token::{Expected, Identity, Refused, verify},
};
use crate::{
    FirstStep, Gate, PendingSignIn, PortalFirstStep, PortalSignedIn, RequestMeta,
    portal::sso as portal,
    sign_in::{Origin, settle},
    throttle,
    tokens::parse_session,
};

/// Longest code and longest state, in bytes.
const LONGEST: usize = 4_096;

/// Somebody who is back.
#[derive(Clone, Debug)]
pub struct SsoReturn {
    /// On which side they came back.
    pub audience: SsoAudience,
    /// The state in the address.
    pub state: String,
    /// The cookie of the browser.
    pub browser: Option<SecretString>,
    /// The code, unless the provider says that something failed.
    pub code: Option<SecretString>,
    /// What the provider says failed.
    pub failed: Option<String>,
    /// Who the provider says it is (`iss`, RFC 9207).
    pub issuer: Option<String>,
    /// The session cookie of the browser: who links an account is signed in to it.
    pub session: Option<SecretString>,
    /// What the browser says of itself.
    pub user_agent: Option<String>,
    /// Request id and source address.
    pub request: RequestMeta,
}

/// What came of it.
#[derive(Debug)]
pub enum SsoDone {
    /// A staff user is signed in, or has a second step to take.
    Staff(FirstStep),
    /// A portal user is signed in.
    Portal(Box<PortalSignedIn>),
    /// A portal user has a second step to take.
    PortalSecondStep(PendingSignIn),
    /// The account that is signed in is linked.
    Linked(SsoLink),
}

/// What is known of somebody whose token was right.
pub(crate) struct Arrived<'a> {
    pub store: &'a Store,
    pub gate: &'a Gate,
    pub organisation: OrganisationId,
    pub provider: &'a SsoProvider,
    pub identity: &'a Identity,
    /// The clients that the tenant is mapped to.
    pub mapped: &'a BTreeSet<ClientId>,
    pub origin: Origin<'a>,
    pub now: Timestamp,
}

impl<'a> Arrived<'a> {
    /// Whether the provider showed a second factor, and is trusted for it.
    pub(crate) fn trusted(&self) -> bool {
        self.provider.trusts_mfa && self.identity.mfa
    }

    /// Where the session comes from, with what the provider is trusted for.
    pub(crate) fn proved_origin(&self) -> Origin<'a> {
        Origin { second_factor: self.trusted(), ..self.origin }
    }

    /// Refuses what was decided on another set-up of the provider than the one of now.
    pub(crate) async fn still(&self, tx: &Tx) -> Result<()> {
        let now = tx.sso_provider_used(self.provider.id).await?;
        let same = now.is_some_and(|now| now.enabled && now.version == self.provider.version);
        if same { Ok(()) } else { Err(over()) }
    }

    /// The link that this identity has.
    pub(crate) async fn link(&self, tx: &Tx) -> Result<Option<SsoLink>> {
        let Identity { issuer, tenant, subject, .. } = self.identity;
        tx.sso_link_by_identity(self.provider.id, issuer, tenant.as_deref(), subject).await
    }

    /// Links an account to this identity.
    pub(crate) async fn make_link(
        &self,
        tx: &Tx,
        account: domain::Account,
        client_id: Option<ClientId>,
    ) -> Result<SsoLink> {
        let link = SsoLink {
            id: tx.new_id(),
            provider_id: self.provider.id,
            account,
            client_id,
            issuer: self.identity.issuer.clone(),
            tenant: self.identity.tenant.clone(),
            subject: self.identity.subject.clone(),
            created_at: tx.now(),
        };
        tx.sso_link_insert(&link).await?;
        Ok(link)
    }
}

/// The one answer to a return that belongs to no sign-in: unknown, used, too old, of another browser, of another side,
/// or of a provider that was changed meanwhile.
pub(crate) fn over() -> Error {
    Error::conflict(
        "sso_over",
        "This sign-in is over, or was begun in another browser. Go back to the sign-in page and begin again.",
    )
}

/// The one answer to whatever is wrong with what the provider sent; the journal says what.
fn not_taken() -> Error {
    Error::conflict(
        "sso_refused",
        "The identity provider's answer was not accepted. Begin again; if it happens again, tell your administrator.",
    )
}

/// The one answer to somebody whom the provider knows, and whom nothing here is open to.
pub(crate) fn no_account() -> Error {
    Error::conflict(
        "sso_no_account",
        "No account here is open to you through this provider. Sign in with your password and link it, or ask for an \
         invitation.",
    )
}

/// Ends what [`crate::sso_start`] began. Conflicts: `sso_over`, `sso_declined` when the provider says so, `sso_refused`
/// for every answer of the provider that is not right, `sso_no_account`, `linked_already`; [`Error::TooMany`] after many
/// that failed from one address. Nothing is made unless everything is right.
pub async fn sso_finish(store: &Store, gate: &Gate, sso: &Sso, back: SsoReturn) -> Result<SsoDone> {
    // Another site's page can send a browser here, but never with its cookie: nothing is tried, and nothing counted.
    if back.browser.is_none() {
        return Err(over());
    }
    let across = store.across().await?;
    let now = store.clock().now();
    let address = back.request.source_address.as_deref();
    let admission = throttle::admit_link(&across, &back.state, address, now).await?;
    across.commit().await?;
    let done = finish(store, gate, sso, &back, now).await;
    // Whoever brought a right state and did not fail on purpose is not counted.
    let harmless = matches!(&done, Ok(_) | Err(Error::Busy(_) | Error::Internal(_) | Error::Vendor { .. }));
    if harmless {
        settle(admission.refund(store).await);
    }
    done
}

async fn finish(store: &Store, gate: &Gate, sso: &Sso, back: &SsoReturn, now: Timestamp) -> Result<SsoDone> {
    let browser = back.browser.as_ref().and_then(|cookie| parse_session(cookie.expose_secret()));
    let (Some((organisation, state)), Some((_, browser))) = (parse_session(&back.state), browser) else {
        return Err(over());
    };
    let context = Context {
        source_address: back.request.source_address.clone(),
        ..Context::worker(organisation, now, back.request.request_id.clone())
    };
    let tx = store.begin(context.clone()).await?;
    let taken = tx.sso_attempt_take(&state, &browser).await?;
    // Used up, whatever comes of it.
    tx.commit_unjournalled().await?;
    let (attempt, secrets) = taken.ok_or_else(over)?;
    let tx = store.read(context.clone()).await?;
    let provider = tx.sso_provider_used(attempt.provider_id).await?;
    let sound = |provider: &SsoProvider| {
        provider.enabled && provider.version == attempt.provider_version && provider.audience == back.audience
    };
    let provider = provider.filter(sound).ok_or_else(over)?;
    let secret = tx.sso_secret(provider.id).await?;
    tx.rollback().await?;

    let proved = prove(sso, &provider, &secret, (&attempt, &secrets), back, now).await;
    let identity = match proved {
        Ok(identity) => identity,
        Err(Failure::Later(error)) => return Err(error),
        Err(Failure::Refused(why)) => return Err(note(store, context, &provider, &why, not_taken()).await?),
        Err(Failure::Declined(why)) => {
            let told = format!("The identity provider did not sign you in. It said: {why}");
            return Err(note(store, context, &provider, &why, Error::conflict("sso_declined", told)).await?);
        }
    };
    let mapped = match &identity.tenant {
        None => BTreeSet::new(),
        Some(tenant) => {
            let tx = store.read(context.clone()).await?;
            let entities = tx.tenant_entities_of(tenant).await?;
            let there = entities.iter().filter(|entity| entity.removed_at.is_none());
            there.filter_map(|entity| entity.client_id).collect()
        }
    };
    let arrived = Arrived {
        store,
        gate,
        organisation,
        provider: &provider,
        identity: &identity,
        mapped: &mapped,
        origin: Origin { user_agent: back.user_agent.as_deref(), request: &back.request, second_factor: false },
        now,
    };
    let session = back.session.as_ref().map(|session| session.expose_secret());
    let done = match (back.audience, attempt.purpose) {
        (SsoAudience::Staff, SsoPurpose::SignIn) => staff::enter(&arrived).await.map(SsoDone::Staff),
        (SsoAudience::Staff, SsoPurpose::Link) => staff::link(&arrived, &attempt, session).await.map(SsoDone::Linked),
        (SsoAudience::Staff, SsoPurpose::Invitation) => staff::accept(&arrived, &attempt).await.map(SsoDone::Staff),
        (SsoAudience::Portal, SsoPurpose::SignIn) => portal::enter(&arrived).await.map(|step| match step {
            PortalFirstStep::Session(signed_in) => SsoDone::Portal(signed_in),
            PortalFirstStep::SecondFactor(pending) => SsoDone::PortalSecondStep(pending),
        }),
        (SsoAudience::Portal, SsoPurpose::Link) => portal::link(&arrived, &attempt, session).await.map(SsoDone::Linked),
        (SsoAudience::Portal, SsoPurpose::Invitation) => {
            portal::accept(&arrived, &attempt).await.map(|signed_in| SsoDone::Portal(Box::new(signed_in)))
        }
    };
    match done {
        Ok(done) => Ok(done),
        Err(error @ (Error::Conflict { .. } | Error::Unauthenticated)) => {
            let (why, told) = match error {
                Error::Unauthenticated => ("whose account it is may not sign in".to_owned(), no_account()),
                other => (other.to_string(), other),
            };
            Err(note(store, context, &provider, &why, told).await?)
        }
        Err(other) => Err(other),
    }
}

/// Leaves an entry of a refusal, and gives the answer to it.
async fn note(store: &Store, context: Context, provider: &SsoProvider, why: &str, told: Error) -> Result<Error> {
    let reason = format!("through {} ({}): {why}", provider.name, provider.id);
    store.begin(context).await?.commit_attempt("sso_session_create", Outcome::Denied, &reason).await?;
    Ok(told)
}

enum Failure {
    /// Nothing is wrong with whoever is back.
    Later(Error),
    /// Something is not right.
    Refused(String),
    /// The provider says no.
    Declined(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Later(error)
    }
}

fn refused(why: impl Into<String>) -> Failure {
    Failure::Refused(why.into())
}

/// Words of the provider's, as far as they can be shown.
fn words(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}

async fn prove(
    sso: &Sso,
    provider: &SsoProvider,
    secret: &SecretString,
    (attempt, secrets): (&SsoAttemptRow, &SsoSecrets),
    back: &SsoReturn,
    now: Timestamp,
) -> Result<Identity, Failure> {
    let known = sso.known(provider, now).await?;
    check_sender(provider, &known.metadata, back.issuer.as_deref())?;
    if let Some(said) = &back.failed {
        return Err(Failure::Declined(words(said)));
    }
    let code = back.code.as_ref().map(|code| code.expose_secret()).unwrap_or_default();
    if code.is_empty() || code.len() > LONGEST {
        return Err(refused("no code came back, or one that is too long"));
    }
    let token = exchange(sso, provider, &known.metadata, secret, (code, &attempt.redirect_uri, secrets)).await?;
    let identity = checked(sso, provider, known, &token, (attempt, secrets), now).await?;
    match &back.issuer {
        Some(issuer) if *issuer != identity.issuer => Err(refused("who sent them back is not who made the token")),
        _ => Ok(identity),
    }
}

/// Mix-up: who sent them back must be whom they were sent to.
fn check_sender(provider: &SsoProvider, metadata: &Metadata, said: Option<&str>) -> Result<(), Failure> {
    match said {
        None if metadata.says_issuer => Err(refused("the provider did not say who it is, and always does")),
        None => Ok(()),
        // Whose tenant it is shows in the token, and is compared with that.
        Some(_) if provider.kind == SsoKind::Entra => Ok(()),
        Some(said) if said == provider.issuer => Ok(()),
        Some(said) => Err(refused(format!("another provider sent them back: {}", words(said)))),
    }
}

async fn checked(
    sso: &Sso,
    provider: &SsoProvider,
    known: Known,
    token: &str,
    (attempt, secrets): (&SsoAttemptRow, &SsoSecrets),
    now: Timestamp,
) -> Result<Identity, Failure> {
    let expected = |keys| Expected { provider, keys, nonce: &secrets.nonce, begun_at: attempt.created_at, now };
    let unknown = || refused("the token is signed by a key that the provider does not have");
    match verify(token, &expected(&known.keys)) {
        Ok(identity) => Ok(identity),
        Err(Refused::Wrong(why)) => Err(refused(why)),
        Err(Refused::UnknownKey) => {
            let again = sso.refreshed(provider, &known, now).await?.ok_or_else(unknown)?;
            verify(token, &expected(&again.keys)).map_err(|why| match why {
                Refused::UnknownKey => unknown(),
                Refused::Wrong(why) => refused(why),
            })
        }
    }
}

/// The request by which a code becomes a token.
pub(super) fn exchange_request(
    provider: &SsoProvider,
    metadata: &Metadata,
    secret: &SecretString,
    (code, redirect_uri, verifier): (&str, &str, &str),
) -> OutsideRequest {
    let mut form: Vec<(String, String)> = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", redirect_uri),
        ("code_verifier", verifier),
        ("client_id", provider.app_id.as_str()),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    let authorization = if metadata.secret_in_form {
        form.push(("client_secret".to_owned(), secret.expose_secret().to_owned()));
        None
    } else {
        let coded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
        let pair = format!("{}:{}", coded(&provider.app_id), coded(secret.expose_secret()));
        Some(format!("Basic {}", STANDARD.encode(pair)))
    };
    OutsideRequest { url: metadata.token.clone(), form: Some(form), authorization }
}

/// What a token endpoint says failed.
pub(super) fn token_error(answer: &OutsideAnswer) -> String {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    words(body["error"].as_str().unwrap_or_default())
}

async fn exchange(
    sso: &Sso,
    provider: &SsoProvider,
    metadata: &Metadata,
    secret: &SecretString,
    (code, redirect_uri, secrets): (&str, &str, &SsoSecrets),
) -> Result<String, Failure> {
    let request = exchange_request(provider, metadata, secret, (code, redirect_uri, &secrets.verifier));
    let answer = sso.outside.send(request).await.map_err(|text| {
        let message = format!("The identity provider did not answer: {text}");
        Error::Vendor { code: "sso_unreachable", message, retry_after: None }
    })?;
    if answer.status != 200 {
        return Err(refused(format!("the code was not taken: {} {}", answer.status, token_error(&answer))));
    }
    let body: Value = serde_json::from_slice(&answer.body).map_err(|_| refused("the token's answer is not JSON"))?;
    let token = body["id_token"].as_str().ok_or_else(|| refused("the answer holds no ID token"))?;
    Ok(token.to_owned())
}
