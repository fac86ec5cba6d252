//! Agreements as a client's people read, sign and decline them.

use domain::{
    Agreement, AgreementAct, AgreementInstance, AgreementInstanceId, AgreementState, DeskNoticeKind, Error, Listed,
    PageRequest, PortalConfig, PortalPermission, PortalSettings, Result, Section, Signature, valid_name,
};
use persistence::{AgreementInstanceFilter, PortalUserRow, Tx};
use sha2::{Digest, Sha256};

use crate::{desk_notices::tell_staff, onboarding_course::agreement_signed, texts::valid_text};

/// Most characters of a reason.
const REASON: usize = 2_000;
/// Characters of a browser's name that are kept.
const USER_AGENT: usize = 300;

/// A signature as it was given.
#[derive(Clone, Debug)]
pub struct SignatureGiven {
    /// The name that the signer typed.
    pub name: String,
    /// SHA-256 of the text that was before them, hex.
    pub text_hash: String,
    /// What their browser calls itself.
    pub user_agent: Option<String>,
}

/// SHA-256 of a text as it is, in hex.
pub fn text_hash(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

/// Whether the text that is kept is the very one that was signed.
pub fn signature_holds(agreement: &Agreement, signature: &Signature) -> bool {
    text_hash(&agreement.text) == signature.text_hash
}

/// The sections that are there for a portal user: agreements only when the client has any.
pub async fn sections_shown(tx: &Tx, user: &PortalUserRow, config: &PortalConfig) -> Result<Vec<Section>> {
    let mut sections = config.settings.sections_of(user.role);
    if sections.contains(&Section::Agreements) && !tx.agreement_instances_exist(user.client_id).await? {
        sections.retain(|section| *section != Section::Agreements);
    }
    Ok(sections)
}

/// The client's copies, the newest first, each with its version.
pub async fn agreements_seen_by(
    tx: &Tx,
    user: &PortalUserRow,
    settings: &PortalSettings,
    state: Option<AgreementState>,
    page: &PageRequest,
) -> Result<Listed<(AgreementInstance, Agreement)>> {
    tx.context().require_portal(PortalPermission::AgreementsView, settings)?;
    let filter = AgreementInstanceFilter { client: Some(user.client_id), state, agreement: None };
    let listed = tx.agreement_instance_list(&filter, page).await?;
    with_versions(tx, listed).await
}

/// A page of copies, each with its version.
pub async fn with_versions(
    tx: &Tx,
    listed: Listed<AgreementInstance>,
) -> Result<Listed<(AgreementInstance, Agreement)>> {
    let versions = tx.agreements_by_id(listed.items.iter().map(|copy| copy.agreement_id)).await?;
    let missing = || Error::internal("a copy of an agreement without its version");
    let pair = |copy: AgreementInstance| {
        let version = versions.iter().find(|one| one.id == copy.agreement_id).cloned().ok_or_else(missing)?;
        Ok((copy, version))
    };
    let items = listed.items.into_iter().map(pair).collect::<Result<_>>()?;
    Ok(Listed { items, next: listed.next, total: listed.total })
}

/// A copy of the caller's client with its version, and whether the caller may sign it.
pub async fn agreement_seen_by(
    tx: &Tx,
    user: &PortalUserRow,
    settings: &PortalSettings,
    id: AgreementInstanceId,
) -> Result<(AgreementInstance, Agreement, bool)> {
    tx.context().require_portal(PortalPermission::AgreementsView, settings)?;
    let copy = tx.agreement_instance(id).await?;
    if copy.client_id != user.client_id {
        return Err(Error::NotFound { what: "agreement" });
    }
    let found = tx.agreements_by_id([copy.agreement_id]).await?;
    let missing = || Error::internal("a copy of an agreement without its version");
    let agreement = found.into_iter().next().ok_or_else(missing)?;
    let may_sign = copy.may_be_signed_by(&agreement, user.id, user.role);
    Ok((copy, agreement, may_sign))
}

/// Notes that someone who may sign has opened a copy; anyone else's look leaves no trace. The caller commits.
pub async fn agreement_view(
    tx: &Tx,
    user: &PortalUserRow,
    settings: &PortalSettings,
    id: AgreementInstanceId,
) -> Result<AgreementInstance> {
    let (before, _, may_sign) = agreement_seen_by(tx, user, settings, id).await?;
    if !may_sign || before.state != AgreementState::Pending {
        return Ok(before);
    }
    let state = before.state.after(AgreementAct::View)?;
    let after = AgreementInstance { state, viewed_at: Some(tx.now()), ..before.clone() };
    tx.agreement_instance_save(&before, after).await
}

/// A copy that the caller may sign or decline, its row locked.
async fn to_decide(
    tx: &Tx,
    user: &PortalUserRow,
    settings: &PortalSettings,
    id: AgreementInstanceId,
) -> Result<(AgreementInstance, Agreement)> {
    let (copy, agreement, may_sign) = agreement_seen_by(tx, user, settings, id).await?;
    let permission = PortalPermission::AgreementsSign;
    tx.context().require_portal(permission, settings)?;
    if may_sign { Ok((copy, agreement)) } else { Err(Error::PortalForbidden { permission }) }
}

/// Signs a copy, with all that proves it kept: who, the name they typed, when, from where, and the hash of the exact
/// text. An onboarding that waited for it goes on. The caller commits.
pub async fn agreement_sign(
    tx: &Tx,
    user: &PortalUserRow,
    settings: &PortalSettings,
    id: AgreementInstanceId,
    given: SignatureGiven,
) -> Result<(AgreementInstance, Agreement)> {
    let (before, agreement) = to_decide(tx, user, settings, id).await?;
    let name = valid_name("/name", &given.name).map_err(|problem| Error::Invalid(vec![problem]))?;
    let state = before.state.after(AgreementAct::Sign)?;
    let text_hash = text_hash(&agreement.text);
    if !given.text_hash.eq_ignore_ascii_case(&text_hash) {
        let message = "What you read is not the text of this agreement: read it again, and send its text_hash.";
        return Err(Error::conflict("other_text", message));
    }
    let signature = Signature {
        by: user.id,
        name,
        at: tx.now(),
        source_address: tx.context().source_address.clone(),
        user_agent: given.user_agent.map(|text| text.chars().take(USER_AGENT).collect()),
        text_hash,
    };
    let after = AgreementInstance { state, ended_at: Some(tx.now()), signature: Some(signature), ..before.clone() };
    let signed = tx.agreement_instance_save(&before, after).await?;
    agreement_signed(tx, signed.client_id).await?;
    Ok((signed, agreement))
}

/// Says no to a copy, and why. The caller commits.
pub async fn agreement_decline(
    tx: &Tx,
    user: &PortalUserRow,
    settings: &PortalSettings,
    id: AgreementInstanceId,
    reason: &str,
) -> Result<(AgreementInstance, Agreement)> {
    let (before, agreement) = to_decide(tx, user, settings, id).await?;
    let reason = valid_text("/reason", reason, REASON).map_err(|problem| Error::Invalid(vec![problem]))?;
    let state = before.state.after(AgreementAct::Decline)?;
    let after = AgreementInstance { state, ended_at: Some(tx.now()), reason: Some(reason), ..before.clone() };
    let after = tx.agreement_instance_save(&before, after).await?;
    let title = format!("{} declined the agreement “{}”", user.name, agreement.title);
    tell_staff(tx, DeskNoticeKind::AgreementDeclined, after.client_id, after.id.0, title).await?;
    Ok((after, agreement))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_that_of_the_bytes() {
        assert_eq!(text_hash("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_ne!(text_hash("abc"), text_hash("abc "));
    }
}
