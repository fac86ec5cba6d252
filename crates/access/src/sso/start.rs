//! Sending a browser to an identity provider.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use domain::{
    Chance, ClientId, Context, Error, OrganisationId, PortalUserId, Result, SessionId, SsoAudience, SsoProvider,
    Timestamp, domain_of,
};
use openidconnect::{PkceCodeChallenge, PkceCodeVerifier, url::Url};
use persistence::{SsoAttemptRow, SsoPurpose, SsoSecrets, Store};
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use super::Sso;
use crate::{
    Gate, RequestMeta,
    portal::invited_client,
    tokens::{Link, parse_link, parse_session, session_token},
};

/// How long somebody may take at the provider.
const PATIENCE: TimeDelta = TimeDelta::minutes(10);
/// How long after signing in a portal user may link an identity.
const FRESH: TimeDelta = TimeDelta::minutes(15);
/// Sign-ins of one address that are under way: a whole office may begin its day behind one.
const MOST: u64 = 200;

/// Somebody wants to sign in.
#[derive(Clone, Debug)]
pub struct SsoAsk {
    /// To which side.
    pub audience: SsoAudience,
    /// Slug of the organisation.
    pub organisation: String,
    /// The address that was typed, of which only the domain matters; for the portal.
    pub email: Option<String>,
    /// The token of an invitation to be accepted; it names organisation and client itself.
    pub invitation: Option<SecretString>,
    /// Where the provider sends people back to.
    pub redirect_uri: String,
    /// Request id and source address.
    pub request: RequestMeta,
}

/// A browser that is to be sent to its provider.
pub struct SsoBegun {
    /// Where to.
    pub url: String,
    /// The cookie of this browser.
    pub browser: SecretString,
    /// Until when to be back.
    pub expires_at: Timestamp,
}

impl std::fmt::Debug for SsoBegun {
    /// Without state and cookie.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SsoBegun(until {})", self.expires_at)
    }
}

/// The one answer where no provider is offered: no such organisation, none set up, or disabled.
fn not_offered() -> Error {
    Error::conflict("sso_not_offered", "There is no sign-in through an identity provider here. Use your password.")
}

struct Purpose {
    kind: SsoPurpose,
    account: Option<Uuid>,
    session: Option<Uuid>,
    invitation: Option<Vec<u8>>,
}

/// Begins to sign in, or to accept an invitation by it.
///
/// The provider for staff is the organisation's. In the portal it is that of the client whose provider names the domain
/// of the typed address, else the MSP's own for all clients. No account is looked at: a known and an unknown address of
/// one domain get the same answer, after the same work. Whoever asks can learn which domains have a provider of their
/// own, as with every sign-in that finds the provider by address. The conflict `sso_not_offered` where there is none.
pub async fn sso_start(store: &Store, gate: &Gate, sso: &Sso, ask: SsoAsk) -> Result<SsoBegun> {
    let mut purpose = Purpose { kind: SsoPurpose::SignIn, account: None, session: None, invitation: None };
    let now = store.clock().now();
    let (organisation, client) = match &ask.invitation {
        Some(token) => {
            let token = token.expose_secret();
            let (organisation, hash) = match ask.audience {
                SsoAudience::Staff => parse_link(Link::Invitation, token).ok_or_else(crate::invitations::link_over)?,
                SsoAudience::Portal => parse_session(token).ok_or_else(crate::portal::link_gone)?,
            };
            let client = match ask.audience {
                SsoAudience::Staff => None,
                SsoAudience::Portal => Some(invited_client(store, organisation, &hash, &ask.request).await?),
            };
            (purpose.kind, purpose.invitation) = (SsoPurpose::Invitation, Some(hash));
            (organisation, client)
        }
        None => {
            let slug = ask.organisation.trim().to_lowercase();
            let across = store.across_read().await?;
            (across.organisation_by_slug(&slug).await?.ok_or_else(not_offered)?, None)
        }
    };
    let tx = store.read(Context::worker(organisation, now, ask.request.request_id.clone())).await?;
    let provider = match (ask.audience, client) {
        (SsoAudience::Staff, _) => tx.sso_provider_own(SsoAudience::Staff).await?,
        (SsoAudience::Portal, Some(client)) => tx.sso_provider_for(client).await?,
        (SsoAudience::Portal, None) => {
            let own = match ask.email.as_deref().and_then(domain_of) {
                Some(domain) => tx.sso_provider_of_domain(&domain).await?,
                None => None,
            };
            match own {
                Some(own) => Some(own),
                None => tx.sso_provider_own(SsoAudience::Portal).await?,
            }
        }
    };
    tx.rollback().await?;
    let provider = provider.filter(|provider| provider.enabled).ok_or_else(not_offered)?;
    begin(store, gate, sso, (organisation, &provider), purpose, &ask.redirect_uri, &ask.request).await
}

/// Begins to link the account of the staff user who is signed in. The caller sees to it that they have shown lately who
/// they are.
pub async fn sso_link_start(
    store: &Store,
    gate: &Gate,
    sso: &Sso,
    context: &Context,
    session: SessionId,
    redirect_uri: &str,
) -> Result<SsoBegun> {
    let staff = crate::gate::in_person(context)?;
    let found = store.read(context.clone()).await?.sso_provider_own(SsoAudience::Staff).await?;
    let provider = found.filter(|provider| provider.enabled).ok_or_else(not_offered)?;
    let purpose =
        Purpose { kind: SsoPurpose::Link, account: Some(staff.0), session: Some(session.0), invitation: None };
    begin(store, gate, sso, (context.organisation, &provider), purpose, redirect_uri, &meta(context)).await
}

/// Begins to link the account of the portal user who is signed in.
pub async fn portal_sso_link_start(
    store: &Store,
    gate: &Gate,
    sso: &Sso,
    context: &Context,
    (user, client, session): (PortalUserId, ClientId, Uuid),
    redirect_uri: &str,
) -> Result<SsoBegun> {
    let tx = store.read(context.clone()).await?;
    let takes = tx.portal_config(client).await?.settings.auth_mode.takes_sso();
    let found = tx.sso_provider_for(client).await?;
    let open = tx.portal_session_list(user).await?.into_iter().find(|one| one.id.0 == session);
    tx.rollback().await?;
    // A link outlives the session, and a new password too: a borrowed browser must not make one.
    if open.is_none_or(|open| context.now - open.created_at >= FRESH) {
        let message = "Sign in once more, and link within 15 minutes.";
        return Err(Error::conflict("reauthentication_required", message));
    }
    let provider = found.filter(|_| takes).ok_or_else(not_offered)?;
    let purpose = Purpose { kind: SsoPurpose::Link, account: Some(user.0), session: Some(session), invitation: None };
    begin(store, gate, sso, (context.organisation, &provider), purpose, redirect_uri, &meta(context)).await
}

fn meta(context: &Context) -> RequestMeta {
    RequestMeta { request_id: context.request_id.clone(), source_address: context.source_address.clone() }
}

/// 32 random bytes as 43 characters.
fn random(chance: &dyn Chance) -> String {
    let mut bytes = [0; 32];
    chance.fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

async fn begin(
    store: &Store,
    gate: &Gate,
    sso: &Sso,
    (organisation, provider): (OrganisationId, &SsoProvider),
    purpose: Purpose,
    redirect_uri: &str,
    request: &RequestMeta,
) -> Result<SsoBegun> {
    let now = store.clock().now();
    let known = sso.known(provider, now).await?;
    let chance = gate.passwords.chance();
    let (state, browser) = (session_token(chance, organisation), session_token(chance, organisation));
    let secrets = SsoSecrets { verifier: random(chance), nonce: random(chance) };
    let row = SsoAttemptRow {
        id: chance.id(now),
        provider_id: provider.id,
        provider_version: provider.version,
        state_hash: state.hash,
        browser_hash: browser.hash,
        purpose: purpose.kind,
        account_id: purpose.account,
        session_id: purpose.session,
        invitation_hash: purpose.invitation,
        redirect_uri: redirect_uri.to_owned(),
        address: request.source_address.clone().unwrap_or_default(),
        created_at: now,
        expires_at: now + PATIENCE,
    };
    let tx = store.begin(Context::worker(organisation, now, request.request_id.clone())).await?;
    tx.sso_attempt_insert(&row, &secrets, MOST).await?;
    tx.commit_unjournalled().await?;
    let url = address(&known.metadata.authorization, provider, &row, &secrets, state.text.expose_secret());
    Ok(SsoBegun { url, browser: browser.text, expires_at: row.expires_at })
}

fn address(page: &Url, provider: &SsoProvider, row: &SsoAttemptRow, secrets: &SsoSecrets, state: &str) -> String {
    let challenge = PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(secrets.verifier.clone()));
    let mut url = page.clone();
    url.query_pairs_mut().extend_pairs([
        ("response_type", "code"),
        ("client_id", provider.app_id.as_str()),
        ("redirect_uri", row.redirect_uri.as_str()),
        ("scope", "openid profile email"),
        ("state", state),
        ("nonce", secrets.nonce.as_str()),
        ("code_challenge", challenge.as_str()),
        ("code_challenge_method", "S256"),
    ]);
    url.into()
}
