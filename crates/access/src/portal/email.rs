//! Another e-mail address to sign in with: who manages ClientOne asks for it, its owner confirms it by a link that is
//! sent there. Until then nothing changes; the old address hears of both.

use chrono::TimeDelta;
use domain::{Context, Error, Letter, LetterLink, Permission, PortalState, PortalUserId, Result, valid_email};
use persistence::{NewMail, PortalEmailChange, PortalUserRow, Store, Tx};
use secrecy::SecretString;

use super::{link_gone, open_client, passwords::NEXT_MAIL, portal_context};
use crate::{
    Gate, RequestMeta,
    tokens::{parse_session, session_token},
};

/// How long the link is good.
pub const EMAIL_CHANGE_LASTS: TimeDelta = TimeDelta::hours(24);

/// What was asked for, as long as it can be confirmed.
pub async fn portal_email_change_get(tx: &Tx, id: PortalUserId) -> Result<Option<PortalEmailChange>> {
    tx.context().require(Permission::ClientoneManage)?;
    let user = tx.portal_user(id).await?;
    Ok(tx.portal_email_change(user.id).await?.filter(|change| tx.now() - change.made_at < EMAIL_CHANGE_LASTS))
}

/// Asks for another address of an account that is active: a letter with a link goes there, and a notice to the present
/// one. Asking again voids the link before. The caller commits. Conflicts: `not_active`, `email_taken`,
/// `clientone_disabled`. `base` is where ClientOne is.
pub async fn portal_email_change_start(
    tx: &Tx,
    gate: &Gate,
    base: &str,
    id: PortalUserId,
    email: &str,
) -> Result<PortalEmailChange> {
    tx.context().require(Permission::ClientoneManage)?;
    let user = tx.portal_user(id).await?;
    let email = valid_email("/email", email).map_err(|problem| Error::Invalid(vec![problem]))?;
    if user.state != PortalState::Active {
        let message = "Only an active account changes its address: revoke an invitation and invite the right one, or \
                       reactivate the account first.";
        return Err(Error::conflict("not_active", message));
    }
    if email == user.email {
        return Err(Error::invalid("/email", "same", "must be another address than the present one"));
    }
    tx.client(user.client_id).await?;
    if open_client(tx, &user).await?.is_none() {
        return Err(Error::conflict(
            "clientone_disabled",
            "ClientOne is not enabled for this client: enable it first.",
        ));
    }
    tx.portal_email_free(user.id, &email).await?;
    let before = tx.portal_email_change(user.id).await?;
    if let Some(made) = before.as_ref().map(|one| one.made_at).filter(|made| tx.now() - *made < NEXT_MAIL) {
        let retry_after = (made + NEXT_MAIL - tx.now()).num_seconds().max(1);
        return Err(Error::TooMany { retry_after: retry_after.unsigned_abs() });
    }
    let token = session_token(gate.passwords.chance(), tx.organisation());
    let change = PortalEmailChange {
        portal_user_id: user.id,
        client_id: user.client_id,
        email,
        link_hash: token.hash,
        made_at: tx.now(),
    };
    tx.portal_email_change_save(before.as_ref(), &change).await?;
    ask(tx, &user, &change, base, &token.text).await?;
    Ok(change)
}

/// Takes back what was asked for: the link is void. The caller commits.
pub async fn portal_email_change_cancel(tx: &Tx, id: PortalUserId) -> Result<PortalUserRow> {
    tx.context().require(Permission::ClientoneManage)?;
    let user = tx.portal_user(id).await?;
    let change = tx.portal_email_change(id).await?.ok_or(Error::NotFound { what: "change of an e-mail address" })?;
    tx.portal_email_change_delete(&change).await?;
    Ok(user)
}

/// Confirms the new address by the link that was sent there: from now on the account signs in with it. Every session of
/// the account ends and a link to reset its password is void; how it is linked to identity providers stays. The conflict
/// `link_gone` for every link that is no good.
pub async fn portal_email_confirm(store: &Store, token: &str, request: &RequestMeta) -> Result<()> {
    let Some((organisation, hash)) = parse_session(token) else { return Err(link_gone()) };
    let now = store.clock().now();
    let tx = store.read(Context::worker(organisation, now, request.request_id.clone())).await?;
    let Some(found) = tx.portal_email_change_by_link(&hash).await? else { return Err(link_gone()) };
    let user = match tx.portal_user(found.portal_user_id).await {
        Err(Error::NotFound { .. }) => return Err(link_gone()),
        user => user?,
    };
    drop(tx);
    let tx = store.begin(portal_context(&user, now, request)).await?;
    let before = match tx.portal_user(user.id).await {
        Err(Error::NotFound { .. }) => return Err(link_gone()),
        user => user?,
    };
    let change = tx.portal_email_change(user.id).await?.filter(|change| change.link_hash == hash);
    let Some(change) = change.filter(|change| now - change.made_at < EMAIL_CHANGE_LASTS) else {
        return Err(link_gone());
    };
    if before.state != PortalState::Active || open_client(&tx, &before).await?.is_none() {
        return Err(link_gone());
    }
    let after = PortalUserRow { email: change.email.clone(), link_hash: None, link_made_at: None, ..before.clone() };
    // Someone may have been invited under this address meanwhile: the unique index says so.
    let after = match tx.portal_user_update(&before, after).await {
        Err(Error::Conflict { .. }) => return Err(link_gone()),
        after => after?,
    };
    tx.portal_email_change_delete(&change).await?;
    tx.portal_sessions_delete(before.id, None).await?;
    let told = format!(
        "The e-mail address with which you sign in was changed to {}. This address is not used any more.",
        masked(&after.email)
    );
    let subject = "Your e-mail address was changed";
    notice(&tx, &before, (&before.email, subject), vec![told, unexpected()], None, "changed").await?;
    tx.commit("portal_email_confirm", None).await.map(drop)
}

/// The letters of asking: one with the link to the new address, one without to the present one.
async fn ask(
    tx: &Tx,
    user: &PortalUserRow,
    change: &PortalEmailChange,
    base: &str,
    token: &SecretString,
) -> Result<()> {
    let link = LetterLink {
        label: "Confirm this address".to_owned(),
        url: super::mail::link(tx, base, "email-confirmation", token).await?,
    };
    let asked = vec![
        "This address is to become the one with which you sign in. Please confirm it within 24 hours. You will be \
         signed out everywhere, and sign in with this address from then on."
            .to_owned(),
        "If you do not know of this, do nothing: without confirmation nothing changes.".to_owned(),
    ];
    let to = (change.email.as_str(), "Please confirm your new e-mail address");
    notice(tx, user, to, asked, Some(link), "confirm").await?;
    let told = format!(
        "Your provider asked to change the e-mail address with which you sign in to {}. Nothing changes before it is \
         confirmed there.",
        masked(&change.email)
    );
    let to = (user.email.as_str(), "Your e-mail address is to be changed");
    notice(tx, user, to, vec![told, unexpected()], None, "asked").await
}

fn unexpected() -> String {
    "If you did not expect this, tell your provider at once.".to_owned()
}

/// An address of which its owner knows enough, and nobody else learns much.
fn masked(email: &str) -> String {
    let (name, domain) = email.split_once('@').unwrap_or((email, ""));
    let first: String = name.chars().take(1).collect();
    format!("{first}…@{domain}")
}

async fn notice(
    tx: &Tx,
    user: &PortalUserRow,
    (recipient, subject): (&str, &str),
    paragraphs: Vec<String>,
    link: Option<LetterLink>,
    which: &str,
) -> Result<()> {
    let config = tx.portal_config(user.client_id).await?;
    let greeting = format!("Hello {},", user.name);
    let send_before = link.is_some().then(|| tx.now() + EMAIL_CHANGE_LASTS);
    let letter = Letter::Notice {
        brand: super::mail::brand(tx, &config).await?,
        subject: subject.to_owned(),
        paragraphs: [vec![greeting], paragraphs].concat(),
        link,
    };
    let mail = NewMail {
        recipient: recipient.to_owned(),
        recipient_name: Some(user.name.clone()),
        letter,
        key: format!("portal_email_{which}:{}:{}", user.id, tx.now().timestamp_micros()),
        send_before,
    };
    tx.mail_enqueue(&mail).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_told_without_telling_it() {
        assert_eq!(masked("pat@quay.example"), "p…@quay.example");
        assert_eq!(masked("é@quay.example"), "é…@quay.example");
    }
}
