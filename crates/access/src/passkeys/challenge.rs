//! Challenges: what a browser is asked, and taking the answer to it.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use domain::{Account, AccountKind, Context, Error, OrganisationId, Result, Timestamp};
use persistence::{PasskeyChallengeRow, PasskeyPurpose, Store};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;
use webauthn_rs::prelude::{DiscoverableAuthentication, Passkey, PasskeyRegistration};

use super::PasskeySite;
use crate::{
    RequestMeta,
    tokens::{parse_pending, session_token},
};

/// How long an answer may take.
pub(super) const PATIENCE: TimeDelta = TimeDelta::minutes(5);
/// Challenges of one account that wait at a time.
const OF_ACCOUNT: u64 = 5;
/// Challenges of one address that wait at a time: a whole office may begin its day behind one.
const OF_ADDRESS: u64 = 200;
/// Longest answer that is read, in bytes of what the browser signed.
const LONGEST: usize = 16 * 1024;

/// A challenge for a session.
#[derive(Clone, Debug)]
pub struct PasskeyChallenge {
    /// What the browser is to be asked: `PublicKeyCredentialCreationOptionsJSON` or
    /// `PublicKeyCredentialRequestOptionsJSON` of the WebAuthn standard.
    pub options: Value,
    /// Until when the answer must be here.
    pub expires_at: Timestamp,
}

/// A challenge for a browser that nobody is signed in with.
pub struct PasskeyBegun {
    /// The challenge.
    pub challenge: PasskeyChallenge,
    /// The cookie of this browser: nobody else may answer.
    pub browser: SecretString,
}

impl std::fmt::Debug for PasskeyBegun {
    /// Without the cookie.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PasskeyBegun(until {})", self.challenge.expires_at)
    }
}

/// What an answer is checked by; kept sealed.
#[derive(Serialize, Deserialize)]
pub(super) enum Ceremony {
    /// A new passkey.
    Register(PasskeyRegistration),
    /// One that is there.
    Prove {
        /// What was asked.
        state: DiscoverableAuthentication,
        /// The token of the sign-in whose second step it is.
        pending: Option<String>,
    },
}

/// For whom and for what a challenge is.
pub(super) struct Ask {
    /// Nil where nobody has said who they are.
    pub organisation: OrganisationId,
    pub kind: AccountKind,
    pub purpose: PasskeyPurpose,
    /// Who alone may answer.
    pub binding: Vec<u8>,
    /// Who asks: an account, or an address.
    pub source: String,
    pub most: u64,
}

/// The organisation of a challenge for whoever it may be.
pub(super) fn nobody() -> OrganisationId {
    OrganisationId(Uuid::nil())
}

/// What binds a challenge to a session.
pub(super) fn of_session(session: Uuid) -> Vec<u8> {
    Sha256::digest([b"session ".as_slice(), session.as_bytes()].concat()).to_vec()
}

impl Ask {
    /// One within a session of this account.
    pub(super) fn within(context: &Context, session: Uuid, account: Account, purpose: PasskeyPurpose) -> Self {
        Self {
            organisation: context.organisation,
            kind: account.kind,
            purpose,
            binding: of_session(session),
            source: account.id.to_string(),
            most: OF_ACCOUNT,
        }
    }
}

fn hash(challenge: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(challenge).ok().map(|bytes| Sha256::digest(bytes).to_vec())
}

/// Keeps what the answer is checked by, and gives what to ask.
pub(super) async fn keep(
    store: &Store,
    ask: Ask,
    options: Value,
    ceremony: &Ceremony,
    request_id: &str,
) -> Result<PasskeyChallenge> {
    let now = store.clock().now();
    let challenge_hash = options["challenge"].as_str().and_then(hash);
    let row = PasskeyChallengeRow {
        id: store.chance().id(now),
        kind: ask.kind,
        purpose: ask.purpose,
        challenge_hash: challenge_hash.ok_or_else(|| Error::internal("a challenge without a challenge"))?,
        binding: ask.binding,
        source: ask.source,
        created_at: now,
        expires_at: now + PATIENCE,
    };
    let ceremony = serde_json::to_vec(ceremony).map_err(Error::internal)?;
    let tx = store.begin(Context::worker(ask.organisation, now, request_id.to_owned())).await?;
    tx.passkey_challenge_insert(&row, &ceremony, ask.most).await?;
    tx.commit_unjournalled().await?;
    Ok(PasskeyChallenge { options, expires_at: row.expires_at })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClientData {
    challenge: String,
    #[serde(default)]
    cross_origin: Option<bool>,
}

/// Takes the challenge away that an answer is to, whatever comes of it: `None` when it is unknown, used, too old, for
/// something else, or was asked of another session or browser, and when another site's frame answers.
pub(super) async fn take(
    store: &Store,
    organisation: OrganisationId,
    (kind, purpose, binding): (AccountKind, PasskeyPurpose, &[u8]),
    client_data: &[u8],
    request_id: &str,
) -> Result<Option<Ceremony>> {
    let read = if client_data.len() > LONGEST { None } else { serde_json::from_slice::<ClientData>(client_data).ok() };
    let Some(said) = read else { return Ok(None) };
    let Some(challenge) = hash(&said.challenge) else { return Ok(None) };
    let tx = store.begin(Context::worker(organisation, store.clock().now(), request_id.to_owned())).await?;
    let taken = tx.passkey_challenge_take(&challenge, binding).await?;
    // Used up, whatever comes of it.
    tx.commit_unjournalled().await?;
    let same_site = said.cross_origin != Some(true);
    let taken = taken.filter(|(row, _)| row.kind == kind && row.purpose == purpose && same_site);
    taken.map(|(_, ceremony)| serde_json::from_slice(&ceremony).map_err(Error::internal)).transpose()
}

/// What a browser is asked that is to show a passkey, and what checks the answer. `of` are the passkeys that will do,
/// where it is known whose they are.
fn proof_options(site: &PasskeySite, of: &[Vec<u8>]) -> Result<(Value, DiscoverableAuthentication)> {
    let (asked, state) = site.webauthn.start_discoverable_authentication().map_err(Error::internal)?;
    // Whether the browser offers it unasked is the page's choice: what it is to be asked is the same.
    let mut options = serde_json::to_value(asked.public_key).map_err(Error::internal)?;
    let allowed: Vec<Value> = of
        .iter()
        .map(|credential| {
            let passkey: Passkey = serde_json::from_slice(credential).map_err(Error::internal)?;
            Ok(json!({ "type": "public-key", "id": URL_SAFE_NO_PAD.encode(passkey.cred_id()) }))
        })
        .collect::<Result<_>>()?;
    options["allowCredentials"] = allowed.into();
    Ok((options, state))
}

/// The refusal where there is no passkey to be shown.
fn none() -> Error {
    Error::conflict("no_passkey", "You have no passkey here: use another proof.")
}

/// Begins to show once more who one is, within a session, by a passkey of this account. The conflict `no_passkey` where
/// there is none for this site.
pub async fn passkey_proof_start(
    store: &Store,
    site: &PasskeySite,
    context: &Context,
    session: Uuid,
    account: Account,
) -> Result<PasskeyChallenge> {
    let tx = store.read(context.clone()).await?;
    let own = tx.passkeys_opened(account, &site.name).await?;
    tx.rollback().await?;
    if own.is_empty() {
        return Err(none());
    }
    let (options, state) = proof_options(site, &own)?;
    let ask = Ask::within(context, session, account, PasskeyPurpose::Reauthenticate);
    keep(store, ask, options, &Ceremony::Prove { state, pending: None }, &context.request_id).await
}

/// Begins to sign in by a passkey. Without `pending` it is the only step, and the answer is the same for everybody: the
/// device knows whose passkey it has. With the token of a first step it is the second, of that account:
/// [`Error::Unauthenticated`] when the token is no good, the conflict `no_passkey` when the account has none.
pub async fn passkey_sign_in_start(
    store: &Store,
    site: &PasskeySite,
    kind: AccountKind,
    pending: Option<&SecretString>,
    request: &RequestMeta,
) -> Result<PasskeyBegun> {
    let own = match pending {
        None => Vec::new(),
        Some(token) => {
            let (organisation, hash) = parse_pending(token).ok_or(Error::Unauthenticated)?;
            let now = store.clock().now();
            let tx = store.read(Context::worker(organisation, now, request.request_id.clone())).await?;
            let found = tx.pending_by_token(&hash).await?;
            let found = found.filter(|pending| pending.account.kind == kind).ok_or(Error::Unauthenticated)?;
            let own = tx.passkeys_opened(found.account, &site.name).await?;
            tx.rollback().await?;
            if own.is_empty() {
                return Err(none());
            }
            own
        }
    };
    let (options, state) = proof_options(site, &own)?;
    let browser = session_token(store.chance().as_ref(), nobody());
    let ask = Ask {
        organisation: nobody(),
        kind,
        purpose: PasskeyPurpose::SignIn,
        binding: browser.hash,
        source: request.source_address.clone().unwrap_or_default(),
        most: OF_ADDRESS,
    };
    let pending = pending.map(|token| token.expose_secret().to_owned());
    let challenge = keep(store, ask, options, &Ceremony::Prove { state, pending }, &request.request_id).await?;
    Ok(PasskeyBegun { challenge, browser: browser.text })
}
