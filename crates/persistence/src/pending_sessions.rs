//! Sign-ins whose password was right and whose second factor is still to come. They carry no rights.

use domain::{Account, AccountKind, PendingSessionId, Result, Timestamp};
use sea_orm::{
    ActiveModelTrait, ActiveValue, ColumnTrait, Condition, QueryFilter, QueryOrder, QuerySelect, sea_query::LockType,
};

use crate::{
    Tx,
    entity::pending_session::{self as table, Column as C},
    error::{OrDomain, known},
};

/// A pending sign-in as it is stored; of its token only the hash.
#[derive(Clone, Debug)]
pub struct PendingSessionRow {
    /// Id.
    pub id: PendingSessionId,
    /// Whose.
    pub account: Account,
    /// SHA-256 of the token.
    pub token_hash: Vec<u8>,
    /// What proved who it is (a hash of the password's hash): void when that has changed.
    pub proof: Vec<u8>,
    /// Wrong codes so far.
    pub attempts: i32,
    /// Made.
    pub created_at: Timestamp,
    /// Ends.
    pub expires_at: Timestamp,
}

fn read(row: table::Model) -> Result<PendingSessionRow> {
    Ok(PendingSessionRow {
        id: row.id.into(),
        account: Account { kind: known(AccountKind::parse(&row.account_kind), "account_kind")?, id: row.account_id },
        token_hash: row.token_hash,
        proof: row.proof,
        attempts: row.attempts,
        created_at: row.created_at,
        expires_at: row.expires_at,
    })
}

fn of(account: Account) -> Condition {
    Condition::all().add(C::AccountKind.eq(account.kind.as_str())).add(C::AccountId.eq(account.id))
}

impl Tx {
    /// Makes a pending sign-in, forgets those that have ended, and keeps the account's newest `most`.
    pub async fn pending_insert(&self, row: &PendingSessionRow, most: u64) -> Result<()> {
        self.require_writable()?;
        let ended = self.delete_many::<table::Entity>().filter(C::ExpiresAt.lte(self.now()));
        ended.exec(self.db()).await.or_domain()?;
        let select = self.find::<table::Entity>().filter(of(row.account)).order_by_desc(C::CreatedAt);
        let old = select.order_by_desc(C::Id).all(self.db()).await.or_domain()?;
        let keep = usize::try_from(most.saturating_sub(1)).unwrap_or(usize::MAX);
        for old in old.into_iter().skip(keep) {
            self.pending_delete(old.id.into()).await?;
        }
        let row = table::Model {
            organisation_id: self.organisation().0,
            id: row.id.0,
            account_kind: row.account.kind.as_str().to_owned(),
            account_id: row.account.id,
            token_hash: row.token_hash.clone(),
            proof: row.proof.clone(),
            attempts: row.attempts,
            created_at: row.created_at,
            expires_at: row.expires_at,
        };
        self.insert_many::<table::Entity>(vec![row], &[], &[]).await
    }

    /// The pending sign-in of a token's hash that has not ended.
    pub async fn pending_by_token(&self, token_hash: &[u8]) -> Result<Option<PendingSessionRow>> {
        let select = self.find::<table::Entity>().filter(C::TokenHash.eq(token_hash.to_vec()));
        let select = select.filter(C::ExpiresAt.gt(self.now()));
        select.one(self.db()).await.or_domain()?.map(read).transpose()
    }

    /// The same, locked until the end of the transaction: of two at once one waits for the other.
    pub async fn pending_lock(&self, token_hash: &[u8]) -> Result<Option<PendingSessionRow>> {
        let select = self.find::<table::Entity>().filter(C::TokenHash.eq(token_hash.to_vec()));
        let select = select.filter(C::ExpiresAt.gt(self.now())).lock(LockType::Update);
        select.one(self.db()).await.or_domain()?.map(read).transpose()
    }

    /// Notes another wrong code.
    pub async fn pending_attempt(&self, row: &PendingSessionRow) -> Result<()> {
        let next = table::ActiveModel { attempts: ActiveValue::Set(row.attempts + 1), ..ActiveModelTrait::default() };
        self.update_row_where::<table::Entity>(next, Condition::all().add(C::Id.eq(row.id.0))).await.map(drop)
    }

    /// Ends a pending sign-in; returns whether there was one.
    pub async fn pending_delete(&self, id: PendingSessionId) -> Result<bool> {
        self.require_writable()?;
        let delete = self.delete_many::<table::Entity>().filter(C::Id.eq(id.0));
        Ok(delete.exec(self.db()).await.or_domain()?.rows_affected > 0)
    }

    /// Ends all pending sign-ins of an account.
    pub async fn pending_delete_all(&self, account: Account) -> Result<()> {
        self.require_writable()?;
        let delete = self.delete_many::<table::Entity>().filter(of(account));
        delete.exec(self.db()).await.or_domain().map(drop)
    }
}
