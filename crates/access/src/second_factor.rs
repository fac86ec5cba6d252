//! The second factor of an account of any kind: an authenticator app (TOTP, RFC 6238), and recovery codes.
//!
//! An app counts once a code of it was shown. A code is taken once: its time step is kept, and neither it nor an
//! earlier one is taken again. The caller commits, and sees to it that the caller has proved who it is lately.

use chrono::TimeDelta;
use domain::{Account, AccountKind, Error, Problem, Result, Timestamp};
use persistence::{SecondFactorRow, Tx};
use secrecy::{ExposeSecret, SecretString};
use totp_rs::{Algorithm, Builder, Secret, Totp};

use crate::{Gate, recovery};

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

/// Whether an account needs a second step to sign in.
pub async fn has_second_factor(tx: &Tx, account: Account) -> Result<bool> {
    Ok(confirmed(tx, account).await?.is_some())
}

/// What an account has.
pub async fn second_factor_state(tx: &Tx, account: Account) -> Result<SecondFactorState> {
    let Some(factor) = confirmed(tx, account).await? else { return Ok(SecondFactorState::default()) };
    let codes_left = tx.recovery_codes_left(account).await?;
    Ok(SecondFactorState { totp_since: factor.confirmed_at, codes_made_at: factor.codes_made_at, codes_left })
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

/// Removes an account's app with its recovery codes (`totp_remove`). The conflict `mfa_required` where the
/// organisation demands one.
pub async fn totp_remove(tx: &Tx, account: Account) -> Result<()> {
    let factor = tx.second_factor(account).await?.ok_or_else(not_enrolled)?;
    let required = tx.security_settings().await?.is_some_and(|settings| settings.require_mfa);
    if required && account.kind == AccountKind::Staff {
        let message = "Your organisation requires a second factor. Ask an admin to reset it if the app is lost.";
        return Err(Error::conflict("mfa_required", message));
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

/// Whether this is a code that the account has and has not used; it is used up by asking.
pub async fn second_proof_take(tx: &Tx, account: Account, proof: &SecondProof) -> Result<bool> {
    let Some(factor) = confirmed(tx, account).await? else { return Ok(false) };
    match proof {
        SecondProof::Code(code) => {
            let secret = tx.second_factor_secret(factor.id).await?;
            let step = totp(&secret, "", "")?.check(code.expose_secret(), seconds(tx.now()));
            match step.and_then(|step| i64::try_from(step).ok()) {
                Some(step) => tx.second_factor_step(factor.id, step).await,
                None => Ok(false),
            }
        }
        SecondProof::RecoveryCode(code) => match recovery::hash(tx.organisation(), account, code) {
            Some(hash) => tx.recovery_code_use(account, &hash).await,
            None => Ok(false),
        },
    }
}
