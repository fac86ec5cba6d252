//! Where the portal is, for links in letters.

use domain::{Error, Permission, Result, valid_origin};
use persistence::{PortalOrigin, Tx};

/// What the organisation said of where its portal is, and where links lead in the end: none where nobody said so.
pub async fn clientone_origin_get(tx: &Tx) -> Result<(PortalOrigin, Option<String>)> {
    tx.context().require(Permission::ClientoneManage)?;
    Ok((tx.portal_origin().await?, tx.portal_base().await?))
}

/// Says where the portal is; nothing at all makes the operator's address hold. Only for those who see every client. The
/// caller commits.
pub async fn clientone_origin_set(tx: &Tx, origin: Option<&str>, version: Option<i32>) -> Result<PortalOrigin> {
    tx.context().require(Permission::ClientoneManage)?;
    if !tx.context().scope.is_all() {
        return Err(Error::Forbidden { permission: Permission::ClientoneManage });
    }
    let origin = origin.map(str::trim).filter(|text| !text.is_empty()).map(|text| valid_origin("/origin", text));
    let origin = origin.transpose().map_err(|problem| Error::Invalid(vec![problem]))?;
    tx.team_lock().await?;
    let before = tx.portal_origin().await?;
    if version.is_some_and(|version| version != before.version) {
        return Err(Error::Stale { what: "address of ClientOne" });
    }
    tx.portal_origin_save(&before, origin).await
}
