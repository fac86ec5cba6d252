//! Tokens: 32 random bytes after the id of their organisation, so that a look-up stays inside one
//! organisation. Of a token only the SHA-256 over all of it is stored: with another organisation's
//! id in front it is another token. They are long and random, hence found by their hash; only
//! passwords need a slow one.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{Chance, OrganisationId, ServiceAccountId};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Bytes of the organisation's id.
const OWNER: usize = 16;
/// Random bytes.
const RANDOM: usize = 32;
/// Characters of both in base64; 48 bytes leave no spare bits, so each token has one spelling.
const CHARACTERS: usize = (OWNER + RANDOM) / 3 * 4;
/// Characters at the end of a key that its hint shows.
const SHOWN: usize = 4;

/// Which API keys are made and taken: a key of a test installation does not open a live one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Environment {
    /// `pone_live_…`
    #[default]
    Live,
    /// `pone_test_…`
    Test,
}

impl Environment {
    /// What its keys begin with.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Live => "pone_live_",
            Self::Test => "pone_test_",
        }
    }
}

/// A new token, and what is stored of it.
pub(crate) struct Token {
    /// Shown once.
    pub text: SecretString,
    /// SHA-256.
    pub hash: Vec<u8>,
    /// Enough to recognise it by, for keys.
    pub hint: String,
}

/// A new session token.
pub(crate) fn session_token(chance: &dyn Chance, organisation: OrganisationId) -> Token {
    token("", chance, organisation)
}

/// What the token of a pending sign-in begins with.
const PENDING: &str = "pending_";

/// A new token of a pending sign-in.
pub(crate) fn pending_token(chance: &dyn Chance, organisation: OrganisationId) -> Token {
    token(PENDING, chance, organisation)
}

/// A new API key.
pub(crate) fn api_key_token(chance: &dyn Chance, organisation: OrganisationId, environment: Environment) -> Token {
    token(environment.prefix(), chance, organisation)
}

fn token(prefix: &str, chance: &dyn Chance, organisation: OrganisationId) -> Token {
    let mut bytes = [0; OWNER + RANDOM];
    bytes[..OWNER].copy_from_slice(organisation.0.as_bytes());
    chance.fill(&mut bytes[OWNER..]);
    let text = URL_SAFE_NO_PAD.encode(bytes);
    let hint = format!("{prefix}…{}", &text[text.len() - SHOWN..]);
    Token { text: format!("{prefix}{text}").into(), hash: Sha256::digest(bytes).to_vec(), hint }
}

/// What the secret of a service account begins with.
const MACHINE_SECRET: &str = "psec_";
/// What an access token begins with.
const ACCESS_TOKEN: &str = "pat_";
/// What the client id of a service account begins with.
const CLIENT_ID: &str = "psvc_";

/// A new secret of a service account.
pub(crate) fn machine_secret(chance: &dyn Chance, organisation: OrganisationId) -> Token {
    token(MACHINE_SECRET, chance, organisation)
}

/// A new access token.
pub(crate) fn access_token(chance: &dyn Chance, organisation: OrganisationId) -> Token {
    token(ACCESS_TOKEN, chance, organisation)
}

/// The client id of a service account: it names the organisation too, so that a look-up stays inside it.
pub fn client_id(organisation: OrganisationId, account: ServiceAccountId) -> String {
    format!("{CLIENT_ID}{}{}", organisation.0.simple(), account.0.simple())
}

/// The organisation and the account of a client id; `None` for anything else.
pub(crate) fn parse_client_id(text: &str) -> Option<(OrganisationId, ServiceAccountId)> {
    let ids = text.strip_prefix(CLIENT_ID).filter(|ids| ids.len() == 64 && ids.is_ascii())?;
    let (organisation, account) = ids.split_at(32);
    let id = |text: &str| Uuid::try_parse(text).ok();
    // One spelling only: what counts wrong tries goes by it.
    let canonical = text.bytes().all(|byte| !byte.is_ascii_uppercase());
    canonical.then_some((id(organisation)?.into(), id(account)?.into()))
}

/// The organisation and the hash of a service account's secret; `None` for anything else.
pub(crate) fn parse_machine_secret(text: &SecretString) -> Option<(OrganisationId, Vec<u8>)> {
    parse_session(text.expose_secret().strip_prefix(MACHINE_SECRET)?)
}

/// The organisation and the hash of an access token; `None` for anything else.
pub(crate) fn parse_access_token(text: &str) -> Option<(OrganisationId, Vec<u8>)> {
    parse_session(text.strip_prefix(ACCESS_TOKEN)?)
}

/// Whether a bearer token wants to be an access token.
pub fn is_access_token(text: &str) -> bool {
    text.starts_with(ACCESS_TOKEN)
}

/// What a link in a letter is for: one does not open the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    /// Accepting an invitation.
    Invitation,
    /// Setting a password anew.
    PasswordReset,
}

impl Link {
    fn prefix(self) -> &'static str {
        match self {
            Self::Invitation => "pinv_",
            Self::PasswordReset => "pset_",
        }
    }
}

/// A new token for a link.
pub(crate) fn link_token(link: Link, chance: &dyn Chance, organisation: OrganisationId) -> Token {
    token(link.prefix(), chance, organisation)
}

/// The organisation and the hash of a link's token; `None` for anything else.
pub(crate) fn parse_link(link: Link, text: &str) -> Option<(OrganisationId, Vec<u8>)> {
    parse_session(text.strip_prefix(link.prefix())?)
}

/// The organisation and the hash of a session token; `None` for anything else.
pub(crate) fn parse_session(text: &str) -> Option<(OrganisationId, Vec<u8>)> {
    if text.len() != CHARACTERS {
        return None;
    }
    let mut bytes = [0; OWNER + RANDOM];
    let read = URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok()?;
    let owner: [u8; OWNER] = bytes[..OWNER].try_into().ok()?;
    (read == bytes.len()).then(|| (Uuid::from_bytes(owner).into(), Sha256::digest(bytes).to_vec()))
}

/// The organisation and the hash of a pending sign-in's token; `None` for anything else.
pub(crate) fn parse_pending(text: &SecretString) -> Option<(OrganisationId, Vec<u8>)> {
    parse_session(text.expose_secret().strip_prefix(PENDING)?)
}

/// The organisation and the hash of an API key of this environment; `None` for anything else.
pub(crate) fn parse_api_key(text: &str, environment: Environment) -> Option<(OrganisationId, Vec<u8>)> {
    parse_session(text.strip_prefix(environment.prefix())?)
}

/// Whether a bearer token wants to be an API key, of whichever environment.
pub fn is_api_key(text: &str) -> bool {
    text.starts_with(Environment::Live.prefix()) || text.starts_with(Environment::Test.prefix())
}
