//! The second factors of an account of any kind: an authenticator app (TOTP, RFC 6238) with recovery codes, and passkeys
//! (`passkeys/`).
//!
//! An app counts once a code of it was shown. A code is taken once: its time step is kept, and neither it nor an
//! earlier one is taken again. The caller commits, and sees to it that the caller has proved who it is lately.

use chrono::TimeDelta;
use domain::{
    Account, AccountKind, Error, PortalSessionId, PortalUserId, Problem, Result, SessionId, StaffId, Timestamp,
};
use persistence::{SecondFactorRow, Tx};
use secrecy::{ExposeSecret, SecretString};
use totp_rs::{Algorithm, Builder, Secret, Totp};
use uuid::Uuid;

use crate::{
    Gate,
    passkeys::{PasskeyProof, passkey_try},
    recovery,
};

/// Bytes of a secret, as RFC 4226 recommends.
const SECRET: usize = 20;
/// Seconds of a step.
const STEP: u64 = 30;
/// Steps that a clock may be wrong by, either way.
const SKEW: u16 = 1;
/// How long an app may be set up before a code of it is shown.
const SET_UP: TimeDelta = TimeDelta::minutes(30);

/// What shows who someone is beside the password.
#[derive(Clone, Debug)]
pub enum SecondProof {
    /// A code of the app.
    Code(SecretString),
    /// A recovery code.
    RecoveryCode(SecretString),
    /// What a passkey signed.
    Passkey(Box<PasskeyProof>),
}

/// Why a proof was not taken, for the journal.
pub(crate) type Refusal = &'static str;

impl SecondProof {
    /// What is wrong with it when it is not taken, for whoever gave it.
    pub(crate) fn wrong(&self) -> Problem {
        match self {
            Self::Code(_) => wrong_code(),
            Self::RecoveryCode(_) => {
                Problem::new("/recovery_code", "wrong", "is not one of your recovery codes, or was used before")
            }
            Self::Passkey(_) => {
                Problem::new("/credential", "wrong", "is not a passkey of yours that can be taken here")
            }
        }
    }
}

/// An app to be set up: both are shown once.
#[derive(Debug)]
pub struct TotpEnrolment {
    /// The secret in base32, to be typed.
    pub secret: SecretString,
    /// The same as an `otpauth://` address, to be shown as a picture.
    pub uri: SecretString,
    /// Until when a code of it must be shown.
    pub expires_at: Timestamp,
}

/// What an account has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SecondFactorState {
    /// Since when it has an app.
    pub totp_since: Option<Timestamp>,
    /// When its recovery codes were made.
    pub codes_made_at: Option<Timestamp>,
    /// How many of them are left.
    pub codes_left: u64,
    /// How many passkeys it has.
    pub passkeys: u64,
}

fn totp(secret: &[u8], issuer: &str, name: &str) -> Result<Totp> {
    // A colon parts issuer and name in the address.
    let plain = |text: &str| text.replace(':', " ");
    Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_digits(6)
        .with_skew(SKEW)
        .with_step_duration(STEP)
        .with_secret(Secret::new(secret.into()))
        .with_issuer(Some(plain(issuer)))
        .with_account_name(plain(name))
        .build()
        .map_err(Error::internal)
}

fn seconds(now: Timestamp) -> u64 {
    u64::try_from(now.timestamp()).unwrap_or_default()
}

fn not_enrolled() -> Error {
    Error::conflict("not_enrolled", "There is no authenticator app. Set one up first.")
}

/// The app of an account, if a code of it was shown.
async fn confirmed(tx: &Tx, account: Account) -> Result<Option<SecondFactorRow>> {
    Ok(tx.second_factor(account).await?.filter(|factor| factor.confirmed_at.is_some()))
}

/// Whether an account has an authenticator app that counts.
pub(crate) async fn has_app(tx: &Tx, account: Account) -> Result<bool> {
    Ok(confirmed(tx, account).await?.is_some())
}

/// Whether an account needs a second step to sign in.
pub async fn has_second_factor(tx: &Tx, account: Account) -> Result<bool> {
    Ok(has_app(tx, account).await? || tx.passkey_count(account).await? > 0)
}

/// What an account has.
pub async fn second_factor_state(tx: &Tx, account: Account) -> Result<SecondFactorState> {
    let passkeys = tx.passkey_count(account).await?;
    let Some(factor) = confirmed(tx, account).await? else {
        return Ok(SecondFactorState { passkeys, ..SecondFactorState::default() });
    };
    let codes_left = tx.recovery_codes_left(account).await?;
    let SecondFactorRow { confirmed_at: totp_since, codes_made_at, .. } = factor;
    Ok(SecondFactorState { totp_since, codes_made_at, codes_left, passkeys })
}

/// Whether an account must have a second factor: by the organisation for staff, by the set-up of the client for portal
/// users.
pub async fn second_factor_required(tx: &Tx, account: Account) -> Result<bool> {
    match account.kind {
        AccountKind::Staff => Ok(tx.security_settings().await?.is_some_and(|settings| settings.require_mfa)),
        AccountKind::Portal => {
            let client = tx.portal_user(PortalUserId(account.id)).await?.client_id;
            Ok(tx.portal_config(client).await?.settings.require_mfa)
        }
    }
}

/// The refusal to remove the last second factor where there must be one.
pub(crate) fn last_factor() -> Error {
    let message = "A second factor is required of you, and this is your last: add another first. If it is lost, ask an \
                   admin to reset it.";
    Error::conflict("mfa_required", message)
}

/// Lets what is done with an account's factors, and sign-ins to it, happen one after another.
pub(crate) async fn account_lock(tx: &Tx, account: Account) -> Result<()> {
    match account.kind {
        AccountKind::Staff => tx.team_lock().await,
        AccountKind::Portal => tx.portal_user(PortalUserId(account.id)).await.map(drop),
    }
}

/// What follows from the first second factor of an account: the session that added it is whole, and the others, which
/// were opened without it, end.
pub async fn second_factor_gained(tx: &Tx, account: Account, session: Uuid) -> Result<()> {
    match account.kind {
        AccountKind::Staff => {
            let session = SessionId(session);
            tx.session_proved(session, true).await?;
            tx.sessions_delete(StaffId(account.id), Some(session)).await.map(drop)
        }
        AccountKind::Portal => {
            let session = PortalSessionId(session);
            tx.portal_session_proved(session, true).await?;
            tx.portal_sessions_delete(PortalUserId(account.id), Some(session)).await.map(drop)
        }
    }
}

/// Takes every second factor of an account away, with its sign-ins under way; false when it had none.
pub(crate) async fn second_factors_delete(tx: &Tx, account: Account) -> Result<bool> {
    let (app, passkeys) = (tx.second_factor(account).await?, tx.passkey_list(account).await?);
    let had = app.is_some() || !passkeys.is_empty();
    if let Some(app) = app {
        tx.second_factor_delete(&app).await?;
    }
    for passkey in passkeys {
        tx.passkey_delete(&passkey).await?;
    }
    tx.pending_delete_all(account).await?;
    Ok(had)
}

/// Begins to set up an app (`totp_enrol`); one that was begun before is dropped. `issuer` and `name` are what the app
/// shows. The conflict `already_enrolled` when there is one.
pub async fn totp_enrol(tx: &Tx, gate: &Gate, account: Account, issuer: &str, name: &str) -> Result<TotpEnrolment> {
    if let Some(old) = tx.second_factor(account).await? {
        if old.confirmed_at.is_some() {
            let message = "There is an authenticator app already. Remove it first.";
            return Err(Error::conflict("already_enrolled", message));
        }
        tx.second_factor_delete(&old).await?;
    }
    let mut secret = [0; SECRET];
    gate.passwords.chance().fill(&mut secret);
    let totp = totp(&secret, issuer, name)?;
    let row = SecondFactorRow {
        id: tx.new_id(),
        account,
        confirmed_at: None,
        last_step: None,
        codes_made_at: None,
        created_at: tx.now(),
        version: 1,
    };
    tx.second_factor_insert(&row, &secret).await?;
    Ok(TotpEnrolment {
        secret: totp.secret().to_base32().into(),
        uri: totp.to_url().map_err(Error::internal)?.into(),
        expires_at: tx.now() + SET_UP,
    })
}

/// Ends setting up an app by a code of it (`totp_confirm`); answers the first recovery codes, which are shown once.
pub async fn totp_confirm(tx: &Tx, gate: &Gate, account: Account, code: &SecretString) -> Result<Vec<SecretString>> {
    let before = tx.second_factor(account).await?.filter(|factor| tx.now() < factor.created_at + SET_UP);
    let before = before.filter(|factor| factor.confirmed_at.is_none()).ok_or_else(|| {
        Error::conflict("not_begun", "No authenticator app is being set up, or it took too long. Begin again.")
    })?;
    let secret = tx.second_factor_secret(before.id).await?;
    let step = totp(&secret, "", "")?.check(code.expose_secret(), seconds(tx.now()));
    let step = step.and_then(|step| i64::try_from(step).ok());
    let Some(step) = step else { return Err(Error::Invalid(vec![wrong_code()])) };
    // It was shown: it does not sign in too.
    tx.second_factor_step(before.id, step).await?;
    let after = SecondFactorRow { confirmed_at: Some(tx.now()), ..before.clone() };
    let confirmed = tx.second_factor_update(&before, after).await?;
    codes_make(tx, gate, &confirmed).await
}

pub(crate) fn wrong_code() -> Problem {
    Problem::new("/code", "wrong", "is not a code of now, or was used before: wait for the next one")
}

/// Removes an account's app with its recovery codes (`totp_remove`). The conflict `mfa_required` where a second factor is
/// required and the account has no passkey.
pub async fn totp_remove(tx: &Tx, account: Account) -> Result<()> {
    account_lock(tx, account).await?;
    let factor = tx.second_factor(account).await?.ok_or_else(not_enrolled)?;
    if tx.passkey_count(account).await? == 0 && second_factor_required(tx, account).await? {
        return Err(last_factor());
    }
    tx.second_factor_delete(&factor).await
}

/// Replaces an account's recovery codes (`recovery_codes_make`): the old ones are void. They are shown once.
pub async fn recovery_codes_make(tx: &Tx, gate: &Gate, account: Account) -> Result<Vec<SecretString>> {
    let factor = confirmed(tx, account).await?.ok_or_else(not_enrolled)?;
    codes_make(tx, gate, &factor).await
}

async fn codes_make(tx: &Tx, gate: &Gate, factor: &SecondFactorRow) -> Result<Vec<SecretString>> {
    let codes = recovery::codes(gate.passwords.chance());
    let hashes = codes.iter().filter_map(|code| recovery::hash(tx.organisation(), factor.account, code)).collect();
    tx.recovery_codes_replace(factor.account, hashes).await?;
    let after = SecondFactorRow { codes_made_at: Some(tx.now()), ..factor.clone() };
    tx.second_factor_update(factor, after).await?;
    Ok(codes)
}

/// Whether this is a proof that the account has and has not used; it is used up by asking.
pub async fn second_proof_take(tx: &Tx, account: Account, proof: &SecondProof) -> Result<bool> {
    Ok(second_proof_try(tx, account, proof).await?.is_none())
}

/// The same, with why not.
pub(crate) async fn second_proof_try(tx: &Tx, account: Account, proof: &SecondProof) -> Result<Option<Refusal>> {
    let taken = match proof {
        SecondProof::Passkey(proof) => return passkey_try(tx, account, proof).await,
        SecondProof::Code(code) => code_take(tx, account, code).await?,
        SecondProof::RecoveryCode(code) => match recovery::hash(tx.organisation(), account, code) {
            Some(hash) if has_app(tx, account).await? => tx.recovery_code_use(account, &hash).await?,
            _ => false,
        },
    };
    Ok((!taken).then_some("wrong code"))
}

async fn code_take(tx: &Tx, account: Account, code: &SecretString) -> Result<bool> {
    let Some(factor) = confirmed(tx, account).await? else { return Ok(false) };
    let secret = tx.second_factor_secret(factor.id).await?;
    let step = totp(&secret, "", "")?.check(code.expose_secret(), seconds(tx.now()));
    match step.and_then(|step| i64::try_from(step).ok()) {
        Some(step) => tx.second_factor_step(factor.id, step).await,
        None => Ok(false),
    }
}
