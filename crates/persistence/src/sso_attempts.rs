//! Sign-ins through identity providers that are under way: whoever comes back brings the state, and the cookie of the
//! browser that it was begun in. Of both only the hash is kept. They carry no rights and are not journalled.

use domain::{Error, Result, SsoProviderId, Timestamp};
use sea_orm::{ColumnTrait, Condition, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    Tx,
    entity::sso_attempt::{self as table, Column as C},
    error::{OrDomain, known},
    keys::Place,
};

/// What somebody was sent to the provider for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SsoPurpose {
    /// To sign in.
    SignIn,
    /// To link the account that is signed in.
    Link,
    /// To accept an invitation.
    Invitation,
}

impl SsoPurpose {
    fn as_str(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::Link => "link",
            Self::Invitation => "invitation",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Self::SignIn, Self::Link, Self::Invitation].into_iter().find(|one| one.as_str() == name)
    }
}

/// A sign-in under way.
#[derive(Clone, Debug)]
pub struct SsoAttemptRow {
    /// Id.
    pub id: Uuid,
    /// Through which provider.
    pub provider_id: SsoProviderId,
    /// As it was set up then: changed since, the attempt is void.
    pub provider_version: i32,
    /// SHA-256 of the state.
    pub state_hash: Vec<u8>,
    /// SHA-256 of the cookie of the browser.
    pub browser_hash: Vec<u8>,
    /// What for.
    pub purpose: SsoPurpose,
    /// The account to be linked.
    pub account_id: Option<Uuid>,
    /// The session in which that was asked.
    pub session_id: Option<Uuid>,
    /// SHA-256 of the token of the invitation to be accepted.
    pub invitation_hash: Option<Vec<u8>>,
    /// Where the provider sends people back to.
    pub redirect_uri: String,
    /// The address that it came from; empty where none is known.
    pub address: String,
    /// Begun.
    pub created_at: Timestamp,
    /// Ends.
    pub expires_at: Timestamp,
}

/// What is kept sealed of an attempt.
#[derive(Clone, Serialize, Deserialize)]
pub struct SsoSecrets {
    /// The verifier of the challenge (PKCE, RFC 7636).
    pub verifier: String,
    /// What the ID token must carry.
    pub nonce: String,
}

fn place(tx: &Tx, id: Uuid) -> Place<'static> {
    Place { organisation: tx.organisation().0, table: "sso_attempt", row: id, column: "secrets" }
}

impl Tx {
    /// Notes an attempt. Those that are over go, and of one address only the newest `most` stay.
    pub async fn sso_attempt_insert(&self, row: &SsoAttemptRow, secrets: &SsoSecrets, most: u64) -> Result<()> {
        self.require_writable()?;
        let over = self.delete_many::<table::Entity>().filter(C::ExpiresAt.lte(self.now()));
        over.exec(self.db()).await.or_domain()?;
        let same = self.find::<table::Entity>().filter(C::Address.eq(row.address.as_str()));
        let same = same.order_by_desc(C::CreatedAt).order_by_desc(C::Id).offset(most.saturating_sub(1));
        let ids: Vec<Uuid> = same.limit(1_000).all(self.db()).await.or_domain()?.iter().map(|old| old.id).collect();
        if !ids.is_empty() {
            self.delete_many::<table::Entity>().filter(C::Id.is_in(ids)).exec(self.db()).await.or_domain()?;
        }
        let plain = serde_json::to_vec(secrets).map_err(Error::internal)?;
        let store = self.store();
        let sealed = store.keys().seal(&place(self, row.id), &plain, store.chance().as_ref())?;
        let row = table::Model {
            organisation_id: self.organisation().0,
            id: row.id,
            provider_id: row.provider_id.0,
            provider_version: row.provider_version,
            state_hash: row.state_hash.clone(),
            browser_hash: row.browser_hash.clone(),
            secrets: sealed,
            purpose: row.purpose.as_str().to_owned(),
            account_id: row.account_id,
            session_id: row.session_id,
            invitation_hash: row.invitation_hash.clone(),
            redirect_uri: row.redirect_uri.clone(),
            address: row.address.clone(),
            created_at: row.created_at,
            expires_at: row.expires_at,
        };
        self.insert_many::<table::Entity>(vec![row], &[], &[]).await
    }

    /// Takes away the attempt of this state that was begun in this browser: whoever comes second finds none. It is gone
    /// once this transaction is committed. Another browser finds none either, and leaves it to the right one.
    pub async fn sso_attempt_take(&self, state: &[u8], browser: &[u8]) -> Result<Option<(SsoAttemptRow, SsoSecrets)>> {
        self.require_writable()?;
        let mine = Condition::all().add(C::StateHash.eq(state.to_vec())).add(C::BrowserHash.eq(browser.to_vec()));
        let select = self.find::<table::Entity>().filter(mine).lock_exclusive();
        let Some(row) = select.one(self.db()).await.or_domain()? else { return Ok(None) };
        let delete = self.delete_many::<table::Entity>().filter(C::Id.eq(row.id));
        if delete.exec(self.db()).await.or_domain()?.rows_affected == 0 || row.expires_at <= self.now() {
            return Ok(None);
        }
        let plain = self.store().keys().open(&place(self, row.id), &row.secrets)?;
        let secrets = serde_json::from_slice(&plain).map_err(Error::internal)?;
        let row = SsoAttemptRow {
            id: row.id,
            provider_id: row.provider_id.into(),
            provider_version: row.provider_version,
            state_hash: row.state_hash,
            browser_hash: row.browser_hash,
            purpose: known(SsoPurpose::parse(&row.purpose), "sso_attempt.purpose")?,
            account_id: row.account_id,
            session_id: row.session_id,
            invitation_hash: row.invitation_hash,
            redirect_uri: row.redirect_uri,
            address: row.address,
            created_at: row.created_at,
            expires_at: row.expires_at,
        };
        Ok(Some((row, secrets)))
    }
}
