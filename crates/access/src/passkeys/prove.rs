//! Checking what a passkey signed.

use domain::{Account, Context, Error, Result};
use persistence::{PasskeyPurpose, Store, Tx};
use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;
use webauthn_rs::prelude::{DiscoverableAuthentication, Passkey, PublicKeyCredential, WebauthnError};

use super::{
    PasskeySite,
    challenge::{Ceremony, of_session, take},
    handle,
};
use crate::{SecondProof, second_factor::Refusal};

/// An answer whose challenge was ours; what it signed is not checked yet.
#[derive(Clone)]
pub struct PasskeyProof {
    pub(super) site: PasskeySite,
    pub(super) state: DiscoverableAuthentication,
    pub(super) answer: PublicKeyCredential,
}

impl std::fmt::Debug for PasskeyProof {
    /// Without the answer.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PasskeyProof({})", self.site.name)
    }
}

/// What is stored of a credential's id.
pub(super) fn credential_hash(id: &[u8]) -> Vec<u8> {
    Sha256::digest(id).to_vec()
}

/// Reads what a browser answered.
pub(super) fn read<T: serde::de::DeserializeOwned>(answer: Value) -> Result<T> {
    let message = "must be what the browser answered, as its toJSON() gives it";
    serde_json::from_value(answer).map_err(|_| Error::invalid("/credential", "malformed", message))
}

/// Why webauthn-rs does not take an answer, for the journal.
pub(super) fn reason(error: &WebauthnError) -> Refusal {
    match error {
        WebauthnError::InvalidRPOrigin => "a passkey from another origin",
        WebauthnError::InvalidRPIDHash => "a passkey of another site",
        WebauthnError::UserNotPresent | WebauthnError::UserNotVerified => "a passkey without verifying the person",
        WebauthnError::CredentialPossibleCompromise => {
            "a passkey whose counter went back: there may be a copy of it. Have its owner remove it."
        }
        WebauthnError::CredentialBackupEligibilityInconsistent => "a passkey that has become another kind of passkey",
        _ => "a passkey whose answer is not right",
    }
}

/// Takes the answer to [`super::passkey_proof_start`] of this session. [`Error::Invalid`] when there is no such
/// challenge, not any more, or not of this session.
pub async fn passkey_proof(
    store: &Store,
    site: &PasskeySite,
    context: &Context,
    session: Uuid,
    account: Account,
    answer: Value,
) -> Result<SecondProof> {
    let answer: PublicKeyCredential = read(answer)?;
    let whose = (account.kind, PasskeyPurpose::Reauthenticate, of_session(session));
    let client_data = &answer.response.client_data_json;
    let taken =
        take(store, context.organisation, (whose.0, whose.1, &whose.2), client_data, &context.request_id).await?;
    match taken {
        Some(Ceremony::Prove { state, .. }) => {
            Ok(SecondProof::Passkey(Box::new(PasskeyProof { site: site.clone(), state, answer })))
        }
        _ => Err(gone()),
    }
}

/// The refusal of an answer to no challenge.
pub(super) fn gone() -> Error {
    let message =
        "answers no challenge of this session, or one that was answered or is older than 5 minutes: begin again";
    Error::invalid("/credential", "gone", message)
}

/// Whether a passkey of this account signed the answer; that it was shown is noted. `None` when all is right, else why
/// not.
pub(crate) async fn passkey_try(tx: &Tx, account: Account, proof: &PasskeyProof) -> Result<Option<Refusal>> {
    let PasskeyProof { site, state, answer } = proof;
    let found = tx.passkey_to_check(account, &credential_hash(&answer.raw_id)).await?;
    let Some((row, credential)) = found.filter(|(row, _)| row.site == site.name) else {
        return Ok(Some("a passkey that is not theirs"));
    };
    let claimed = answer.get_user_unique_id();
    if claimed.is_some_and(|claimed| claimed != handle::handle(tx.organisation(), account)) {
        return Ok(Some("a passkey that says it is somebody else's"));
    }
    let mut passkey: Passkey = serde_json::from_slice(&credential).map_err(Error::internal)?;
    let result = match site.webauthn.finish_discoverable_authentication_v2(answer, state.clone(), &passkey) {
        Ok(result) if result.user_verified() => result,
        Ok(_) => return Ok(Some(reason(&WebauthnError::UserNotVerified))),
        Err(error) => return Ok(Some(reason(&error))),
    };
    passkey.update_credential(&result);
    tx.passkey_used(row.id, &serde_json::to_vec(&passkey).map_err(Error::internal)?).await?;
    Ok(None)
}
