//! The letters of this folder. Each is written in the transaction that makes its link, so that a preview sends none.

use domain::{BrandingSource, EffectiveBranding, Error, Letter, PortalConfig, Result};
use persistence::{NewMail, PortalUserRow, Tx};
use secrecy::{ExposeSecret, SecretString};

use super::{INVITATION_LASTS, RESET_LASTS};

/// Where a page of ClientOne is, with a token that stays in the browser: what stands behind `#` is sent to no server.
/// What the organisation said of where its portal is goes before what the request knows.
pub(super) async fn link(tx: &Tx, base: &str, page: &str, token: &SecretString) -> Result<String> {
    let said = tx.portal_base().await?;
    Ok(format!("{}/{page}#{}", said.as_deref().unwrap_or(base), token.expose_secret()))
}

/// The invitation.
pub(super) async fn invitation(tx: &Tx, user: &PortalUserRow, base: &str, token: &SecretString) -> Result<()> {
    let config = tx.portal_config(user.client_id).await?;
    let letter = Letter::PortalInvitation {
        brand: brand(tx, &config).await?,
        client: tx.client(user.client_id).await?.name,
        name: user.name.clone(),
        welcome: config.branding.welcome.clone(),
        link: link(tx, base, "invitation", token).await?,
        expires_at: tx.now() + INVITATION_LASTS,
    };
    post(tx, user, letter).await
}

/// The link that resets a password.
pub(super) async fn reset(
    tx: &Tx,
    user: &PortalUserRow,
    config: &PortalConfig,
    base: &str,
    token: &SecretString,
) -> Result<()> {
    let letter = Letter::PasswordReset {
        organisation: brand(tx, config).await?,
        name: user.name.clone(),
        link: link(tx, base, "password-reset", token).await?,
        expires_at: tx.now() + RESET_LASTS,
    };
    post(tx, user, letter).await
}

/// What the portal is called; where nobody named it, the MSP.
pub(super) async fn brand(tx: &Tx, config: &PortalConfig) -> Result<String> {
    let (organisation, _) = tx.portal_branding().await?;
    let name = EffectiveBranding::of(Some(&config.branding), &organisation).product_name;
    if name.source == BrandingSource::Default { Ok(tx.organisation_name().await?.0) } else { Ok(name.value) }
}

async fn post(tx: &Tx, user: &PortalUserRow, letter: Letter) -> Result<()> {
    let send_before = match &letter {
        Letter::PortalInvitation { expires_at, .. } | Letter::PasswordReset { expires_at, .. } => Some(*expires_at),
        _ => None,
    };
    let mail = NewMail {
        recipient: user.email.clone(),
        recipient_name: Some(user.name.clone()),
        // The row's version goes up with each link: one letter for each.
        key: format!("portal_{}:{}:{}", letter.kind(), user.id, user.version),
        letter,
        send_before,
    };
    let sent = tx.mail_enqueue(&mail).await?;
    sent.map(drop).ok_or_else(|| Error::internal("there was a letter for this link already"))
}
