//! Adding, renaming and removing passkeys. The caller sees to it that the person has shown lately who they are.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{Account, Context, Error, Outcome, PasskeyId, Result, valid_name};
use persistence::{PasskeyPurpose, PasskeyRow, Store, Tx};
use serde_json::Value;
use uuid::Uuid;
use webauthn_rs::prelude::{Passkey, RegisterPublicKeyCredential, WebauthnError};

use super::{
    PasskeySite,
    challenge::{Ask, Ceremony, PasskeyChallenge, keep, of_session, take},
    handle,
    prove::{credential_hash, gone, read, reason},
};
use crate::second_factor::{
    account_lock, has_app, has_second_factor, last_factor, second_factor_gained, second_factor_required,
};

/// Passkeys of one account.
const MOST: u64 = 20;

/// Whose a passkey is to be.
#[derive(Clone, Debug)]
pub struct PasskeyOwner {
    /// The account.
    pub account: Account,
    /// Its address: what the device shows.
    pub email: String,
    /// Its name.
    pub name: String,
}

/// A passkey whose making was checked; it is nobody's yet.
pub struct NewPasskey {
    account: Account,
    session: Uuid,
    site: String,
    passkey: Passkey,
}

impl std::fmt::Debug for NewPasskey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NewPasskey({})", self.site)
    }
}

/// Begins to add a passkey to the account of a session (`passkey_challenge`). The conflict `too_many_passkeys` beyond
/// twenty.
pub async fn passkey_register_start(
    store: &Store,
    site: &PasskeySite,
    context: &Context,
    session: Uuid,
    owner: &PasskeyOwner,
) -> Result<PasskeyChallenge> {
    let tx = store.read(context.clone()).await?;
    if tx.passkey_count(owner.account).await? >= MOST {
        return Err(too_many());
    }
    let known = tx.passkeys_opened(owner.account, &site.name).await?;
    tx.rollback().await?;
    let ids = known.iter().map(|credential| {
        let passkey: Passkey = serde_json::from_slice(credential).map_err(Error::internal)?;
        Ok(passkey.cred_id().clone())
    });
    let ids: Vec<_> = ids.collect::<Result<_>>()?;
    let begun = site.webauthn.start_passkey_registration(owner.account.id, &owner.email, &owner.name, Some(ids));
    let (asked, state) = begun.map_err(Error::internal)?;
    let mut options = serde_json::to_value(asked.public_key).map_err(Error::internal)?;
    // Found by the device itself, so that it signs in without a name.
    options["user"]["id"] = URL_SAFE_NO_PAD.encode(handle::handle(context.organisation, owner.account)).into();
    options["authenticatorSelection"]["residentKey"] = "required".into();
    options["authenticatorSelection"]["requireResidentKey"] = true.into();
    let ask = Ask::within(context, session, owner.account, PasskeyPurpose::Register);
    keep(store, ask, options, &Ceremony::Register(state), &context.request_id).await
}

fn too_many() -> Error {
    Error::conflict("too_many_passkeys", format!("An account has at most {MOST} passkeys: remove one first."))
}

/// Checks what the browser made for [`passkey_register_start`] in this session. [`Error::Invalid`] names what is wrong;
/// the refusal is noted in the journal.
pub async fn passkey_check(
    store: &Store,
    site: &PasskeySite,
    context: &Context,
    session: Uuid,
    account: Account,
    answer: Value,
) -> Result<NewPasskey> {
    let answer: RegisterPublicKeyCredential = read(answer)?;
    let binding = of_session(session);
    let whose = (account.kind, PasskeyPurpose::Register, binding.as_slice());
    let client_data = &answer.response.client_data_json;
    let taken = take(store, context.organisation, whose, client_data, &context.request_id).await?;
    let Some(Ceremony::Register(state)) = taken else { return Err(gone()) };
    match site.webauthn.finish_passkey_registration(&answer, &state) {
        Ok(passkey) => Ok(NewPasskey { account, session, site: site.name.clone(), passkey }),
        Err(error) => {
            let tx = store.begin(context.clone()).await?;
            tx.commit_attempt("passkey_create", Outcome::Denied, reason(&error)).await?;
            let (code, message) = told(&error);
            Err(Error::invalid("/credential", code, message))
        }
    }
}

/// What a person is told who makes a passkey that is not taken.
fn told(error: &WebauthnError) -> (&'static str, &'static str) {
    match error {
        WebauthnError::InvalidRPOrigin => ("wrong_origin", "was made at another address than PanelOne's own"),
        WebauthnError::InvalidRPIDHash => ("wrong_site", "was made for another site"),
        WebauthnError::UserNotPresent | WebauthnError::UserNotVerified => {
            ("not_verified", "was made without verifying you: set up a PIN, a fingerprint or a face on the device")
        }
        _ => ("wrong", "is not a passkey that can be used: try another device"),
    }
}

/// Adds a passkey that was checked (`passkey_create`). With the first second factor of an account its other sessions
/// end: they were opened without it. The caller commits.
pub async fn passkey_create(tx: &Tx, new: &NewPasskey, name: &str) -> Result<PasskeyRow> {
    let name = valid_name("/name", name).map_err(|problem| Error::Invalid(vec![problem]))?;
    account_lock(tx, new.account).await?;
    if tx.passkey_count(new.account).await? >= MOST {
        return Err(too_many());
    }
    let first = !has_second_factor(tx, new.account).await?;
    let row = PasskeyRow {
        id: tx.new_id(),
        account: new.account,
        name,
        site: new.site.clone(),
        credential_hash: credential_hash(new.passkey.cred_id()),
        created_at: tx.now(),
        used_at: None,
        version: 1,
    };
    tx.passkey_insert(&row, &serde_json::to_vec(&new.passkey).map_err(Error::internal)?).await?;
    if first {
        second_factor_gained(tx, new.account, new.session).await?;
    }
    Ok(row)
}

/// Renames a passkey of this account (`passkey_update`). The caller commits.
pub async fn passkey_rename(
    tx: &Tx,
    account: Account,
    id: PasskeyId,
    name: &str,
    version: Option<i32>,
) -> Result<PasskeyRow> {
    let before = tx.passkey(account, id).await?;
    if version.is_some_and(|version| version != before.version) {
        return Err(Error::Stale { what: "passkey" });
    }
    let name = valid_name("/name", name).map_err(|problem| Error::Invalid(vec![problem]))?;
    tx.passkey_update(&before, PasskeyRow { name, ..before.clone() }).await
}

/// Removes a passkey of this account (`passkey_delete`). The conflict `mfa_required` for the last second factor where
/// one is required. The caller commits.
pub async fn passkey_delete(tx: &Tx, account: Account, id: PasskeyId) -> Result<PasskeyRow> {
    account_lock(tx, account).await?;
    let row = tx.passkey(account, id).await?;
    let last = tx.passkey_count(account).await? == 1 && !has_app(tx, account).await?;
    if last && second_factor_required(tx, account).await? {
        return Err(last_factor());
    }
    tx.passkey_delete(&row).await?;
    Ok(row)
}
