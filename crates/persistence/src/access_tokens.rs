//! The short-lived tokens that service accounts get for their secrets. Only the SHA-256 is stored.

use std::collections::BTreeSet;

use domain::{AccessTokenId, Error, KeyScope, Permission, Result, ServiceAccountId, ServiceAccountSecretId, Timestamp};
use sea_orm::{ColumnTrait, QueryFilter};

use crate::{
    ServiceAccountRow, Tx,
    access::{permissions_read, permissions_text},
    entity::access_token as token,
    error::{OrDomain, known},
};

/// An access token as it is stored.
#[derive(Clone, Debug)]
pub struct AccessTokenRow {
    /// Id.
    pub id: AccessTokenId,
    /// Whose.
    pub account: ServiceAccountId,
    /// The secret that it was got with.
    pub secret: ServiceAccountSecretId,
    /// SHA-256.
    pub token_hash: Vec<u8>,
    /// How much of the account's rights it carries.
    pub key_scope: KeyScope,
    /// The only permissions it carries; none means all within its scope.
    pub permissions: Option<BTreeSet<Permission>>,
    /// Made.
    pub created_at: Timestamp,
    /// Ends.
    pub expires_at: Timestamp,
}

fn token_read(row: token::Model) -> Result<AccessTokenRow> {
    Ok(AccessTokenRow {
        id: row.id.into(),
        account: row.service_account_id.into(),
        secret: row.secret_id.into(),
        token_hash: row.token_hash,
        key_scope: known(KeyScope::parse(&row.key_scope), "access_token.key_scope")?,
        permissions: row.permissions.as_deref().map(permissions_read).transpose()?,
        created_at: row.created_at,
        expires_at: row.expires_at,
    })
}

impl Tx {
    /// Keeps a token, and forgets those of the account that are over. Not journalled by itself: getting it is.
    pub async fn access_token_insert(&self, row: &AccessTokenRow) -> Result<()> {
        let over = self.delete_many::<token::Entity>().filter(token::Column::ServiceAccountId.eq(row.account.0));
        over.filter(token::Column::ExpiresAt.lte(self.now())).exec(self.db()).await.or_domain()?;
        let row = token::Model {
            organisation_id: self.organisation().0,
            id: row.id.0,
            service_account_id: row.account.0,
            secret_id: row.secret.0,
            token_hash: row.token_hash.clone(),
            key_scope: row.key_scope.as_str().to_owned(),
            permissions: row.permissions.as_ref().map(permissions_text),
            created_at: row.created_at,
            expires_at: row.expires_at,
        };
        self.insert_many::<token::Entity>(vec![row], &[], &[]).await
    }

    /// Ends all tokens of an account.
    pub async fn access_tokens_delete(&self, account: ServiceAccountId) -> Result<()> {
        self.require_writable()?;
        let tokens = self.delete_many::<token::Entity>().filter(token::Column::ServiceAccountId.eq(account.0));
        tokens.exec(self.db()).await.or_domain().map(drop)
    }

    /// The token of a hash, with its account as it is now.
    pub async fn access_token_by_hash(&self, hash: &[u8]) -> Result<Option<(AccessTokenRow, ServiceAccountRow)>> {
        let select = self.find::<token::Entity>().filter(token::Column::TokenHash.eq(hash.to_vec()));
        let Some(found) = select.one(self.db()).await.or_domain()? else { return Ok(None) };
        let found = token_read(found)?;
        match self.service_account(found.account).await {
            Ok(account) => Ok(Some((found, account))),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(other) => Err(other),
        }
    }
}
