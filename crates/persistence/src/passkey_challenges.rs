//! What browsers were asked to sign with a passkey, and have not answered. Of the challenge only the hash is kept, and
//! the rest sealed. They carry no rights and are not journalled.

use domain::{AccountKind, Result, Timestamp};
use sea_orm::{ColumnTrait, Condition, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::{
    Tx,
    entity::passkey_challenge::{self as table, Column as C},
    error::{OrDomain, known},
    keys::Place,
};

/// What the answer is for: one does nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasskeyPurpose {
    /// To add a passkey to the account of a session.
    Register,
    /// To sign in, in one step or as the second.
    SignIn,
    /// To show once more who one is, within a session.
    Reauthenticate,
}

impl PasskeyPurpose {
    fn as_str(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::SignIn => "sign_in",
            Self::Reauthenticate => "reauthenticate",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Self::Register, Self::SignIn, Self::Reauthenticate].into_iter().find(|one| one.as_str() == name)
    }
}

/// A challenge that waits for its answer.
#[derive(Clone, Debug)]
pub struct PasskeyChallengeRow {
    /// Id.
    pub id: Uuid,
    /// For accounts of which kind.
    pub kind: AccountKind,
    /// What for.
    pub purpose: PasskeyPurpose,
    /// SHA-256 of the challenge.
    pub challenge_hash: Vec<u8>,
    /// Hash of the session, or of the browser's cookie, that alone may answer.
    pub binding: Vec<u8>,
    /// Who asked: an account, or an address.
    pub source: String,
    /// Made.
    pub created_at: Timestamp,
    /// Ends.
    pub expires_at: Timestamp,
}

fn place(tx: &Tx, id: Uuid) -> Place<'static> {
    Place { organisation: tx.organisation().0, table: "passkey_challenge", row: id, column: "ceremony" }
}

impl Tx {
    /// Notes a challenge with what its answer is checked by, which is sealed. Those that are over go, and of one source
    /// only the newest `most` stay.
    pub async fn passkey_challenge_insert(&self, row: &PasskeyChallengeRow, ceremony: &[u8], most: u64) -> Result<()> {
        self.require_writable()?;
        let over = self.delete_many::<table::Entity>().filter(C::ExpiresAt.lte(self.now()));
        over.exec(self.db()).await.or_domain()?;
        let same = self.find::<table::Entity>().filter(C::Source.eq(row.source.as_str()));
        let same = same.order_by_desc(C::CreatedAt).order_by_desc(C::Id).offset(most.saturating_sub(1));
        let ids: Vec<Uuid> = same.limit(1_000).all(self.db()).await.or_domain()?.iter().map(|old| old.id).collect();
        if !ids.is_empty() {
            self.delete_many::<table::Entity>().filter(C::Id.is_in(ids)).exec(self.db()).await.or_domain()?;
        }
        let store = self.store();
        let sealed = store.keys().seal(&place(self, row.id), ceremony, store.chance().as_ref())?;
        let row = table::Model {
            organisation_id: self.organisation().0,
            id: row.id,
            account_kind: row.kind.as_str().to_owned(),
            purpose: row.purpose.as_str().to_owned(),
            challenge_hash: row.challenge_hash.clone(),
            binding: row.binding.clone(),
            source: row.source.clone(),
            ceremony: sealed,
            created_at: row.created_at,
            expires_at: row.expires_at,
        };
        self.insert_many::<table::Entity>(vec![row], &[], &[]).await
    }

    /// Takes away the challenge that this session or browser was asked: whoever comes second finds none. It is gone once
    /// this transaction is committed. Another session or browser finds none either, and leaves it to the right one.
    pub async fn passkey_challenge_take(
        &self,
        challenge: &[u8],
        binding: &[u8],
    ) -> Result<Option<(PasskeyChallengeRow, Vec<u8>)>> {
        self.require_writable()?;
        let mine = Condition::all().add(C::ChallengeHash.eq(challenge.to_vec())).add(C::Binding.eq(binding.to_vec()));
        let select = self.find::<table::Entity>().filter(mine).lock_exclusive();
        let Some(row) = select.one(self.db()).await.or_domain()? else { return Ok(None) };
        let delete = self.delete_many::<table::Entity>().filter(C::Id.eq(row.id));
        if delete.exec(self.db()).await.or_domain()?.rows_affected == 0 || row.expires_at <= self.now() {
            return Ok(None);
        }
        let ceremony = self.store().keys().open(&place(self, row.id), &row.ceremony)?;
        let row = PasskeyChallengeRow {
            id: row.id,
            kind: known(AccountKind::parse(&row.account_kind), "passkey_challenge.account_kind")?,
            purpose: known(PasskeyPurpose::parse(&row.purpose), "passkey_challenge.purpose")?,
            challenge_hash: row.challenge_hash,
            binding: row.binding,
            source: row.source,
            created_at: row.created_at,
            expires_at: row.expires_at,
        };
        Ok(Some((row, ceremony)))
    }
}
