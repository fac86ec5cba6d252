//! Second factors of accounts, whatever their kind, and the recovery codes beside them.

use domain::{Account, AccountKind, ClientId, Error, Result, SecondFactorId, Timestamp};
use sea_orm::{ActiveModelTrait, ActiveValue, ColumnTrait, Condition, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    Tx,
    entity::{recovery_code, second_factor},
    error::{OrDomain, known},
    journalled::Journalled,
    keys::Place,
};

/// The only kind there is: a time-based code.
const TOTP: &str = "totp";

/// An authenticator app of an account; its secret is read by [`Tx::second_factor_secret`] alone.
#[derive(Clone, Debug)]
pub struct SecondFactorRow {
    /// Id.
    pub id: SecondFactorId,
    /// Whose.
    pub account: Account,
    /// Since when it counts: a code of it was shown once.
    pub confirmed_at: Option<Timestamp>,
    /// The time step of the last code that was accepted.
    pub last_step: Option<i64>,
    /// When its recovery codes were made.
    pub codes_made_at: Option<Timestamp>,
    /// Made.
    pub created_at: Timestamp,
    /// Goes up by one with each change.
    pub version: i32,
}

impl Journalled for second_factor::Entity {
    const KIND: &'static str = "second_factor";
    const WHAT: &'static str = "second factor";

    fn id(row: &second_factor::Model) -> Uuid {
        row.id
    }
    fn id_column() -> second_factor::Column {
        second_factor::Column::Id
    }
    fn version_column() -> Option<second_factor::Column> {
        Some(second_factor::Column::Version)
    }
    fn version(row: &second_factor::Model) -> i32 {
        row.version
    }
    fn client_of(_: &second_factor::Model) -> Option<ClientId> {
        None
    }
    fn view(row: &second_factor::Model) -> Result<Value> {
        Ok(json!({
            "id": row.id, "account_kind": row.account_kind, "account_id": row.account_id, "kind": row.kind,
            "confirmed_at": row.confirmed_at, "codes_made_at": row.codes_made_at, "version": row.version,
        }))
    }
    fn settle(row: &mut second_factor::ActiveModel) {
        row.secret = ActiveValue::NotSet;
        row.last_step = ActiveValue::NotSet;
    }
}

fn read(row: second_factor::Model) -> Result<SecondFactorRow> {
    Ok(SecondFactorRow {
        id: row.id.into(),
        account: Account { kind: known(AccountKind::parse(&row.account_kind), "account_kind")?, id: row.account_id },
        confirmed_at: row.confirmed_at,
        last_step: row.last_step,
        codes_made_at: row.codes_made_at,
        created_at: row.created_at,
        version: row.version,
    })
}

fn write(tx: &Tx, row: &SecondFactorRow, secret: Vec<u8>) -> second_factor::Model {
    second_factor::Model {
        organisation_id: tx.organisation().0,
        id: row.id.0,
        account_kind: row.account.kind.as_str().to_owned(),
        account_id: row.account.id,
        kind: TOTP.to_owned(),
        secret,
        confirmed_at: row.confirmed_at,
        last_step: row.last_step,
        codes_made_at: row.codes_made_at,
        created_at: row.created_at,
        version: row.version,
    }
}

fn place(tx: &Tx, id: SecondFactorId) -> Place<'static> {
    Place { organisation: tx.organisation().0, table: "second_factor", row: id.0, column: "secret" }
}

fn factor_of(account: Account) -> Condition {
    use second_factor::Column as C;
    Condition::all().add(C::AccountKind.eq(account.kind.as_str())).add(C::AccountId.eq(account.id))
}

fn codes_of(account: Account) -> Condition {
    use recovery_code::Column as C;
    Condition::all().add(C::AccountKind.eq(account.kind.as_str())).add(C::AccountId.eq(account.id))
}

impl Tx {
    /// An account's authenticator app, confirmed or not.
    pub async fn second_factor(&self, account: Account) -> Result<Option<SecondFactorRow>> {
        let select = self.find::<second_factor::Entity>().filter(factor_of(account));
        select.one(self.db()).await.or_domain()?.map(read).transpose()
    }

    /// Makes an authenticator app of an account that has none; its secret is sealed.
    pub async fn second_factor_insert(&self, row: &SecondFactorRow, secret: &[u8]) -> Result<()> {
        let store = self.store();
        let sealed = store.keys().seal(&place(self, row.id), secret, store.chance().as_ref())?;
        self.insert_row::<second_factor::Entity>(write(self, row, sealed)).await
    }

    /// Changes one that was read before; not its secret, nor the last step.
    pub async fn second_factor_update(
        &self,
        before: &SecondFactorRow,
        mut after: SecondFactorRow,
    ) -> Result<SecondFactorRow> {
        after.version = before.version + 1;
        let (old, new) = (write(self, before, Vec::new()), write(self, &after, Vec::new()));
        Ok(if self.update_row::<second_factor::Entity>(&old, new).await? { after } else { before.clone() })
    }

    /// Removes an authenticator app, with the account's recovery codes.
    pub async fn second_factor_delete(&self, row: &SecondFactorRow) -> Result<()> {
        self.delete_row::<second_factor::Entity>(&write(self, row, Vec::new())).await?;
        self.recovery_codes_delete(row.account).await
    }

    /// Removes an account's recovery codes.
    pub async fn recovery_codes_delete(&self, account: Account) -> Result<()> {
        self.require_writable()?;
        let codes = self.delete_many::<recovery_code::Entity>().filter(codes_of(account));
        codes.exec(self.db()).await.or_domain().map(drop)
    }

    /// Opens a factor's secret: for checking a code, nothing else.
    pub async fn second_factor_secret(&self, id: SecondFactorId) -> Result<Vec<u8>> {
        let select = self.find::<second_factor::Entity>().filter(second_factor::Column::Id.eq(id.0));
        let row = select.one(self.db()).await.or_domain()?.ok_or(Error::NotFound { what: "second factor" })?;
        self.store().keys().open(&place(self, id), &row.secret)
    }

    /// Notes that a code of this time step was accepted; false when one of it or of a later one was before. Of two
    /// at once one waits for the other, and is refused.
    pub async fn second_factor_step(&self, id: SecondFactorId, step: i64) -> Result<bool> {
        use second_factor::Column as C;
        let row = second_factor::ActiveModel { last_step: ActiveValue::Set(Some(step)), ..ActiveModelTrait::default() };
        let unused = Condition::any().add(C::LastStep.is_null()).add(C::LastStep.lt(step));
        let unused = Condition::all().add(C::Id.eq(id.0)).add(unused);
        Ok(self.update_row_where::<second_factor::Entity>(row, unused).await? == 1)
    }

    /// Seals anew what an old key sealed; returns how many that were.
    pub async fn second_factors_reseal(&self) -> Result<usize> {
        let rows = self.find::<second_factor::Entity>().all(self.db()).await.or_domain()?;
        let store = self.store();
        let mut resealed = 0;
        for row in rows.into_iter().filter(|row| !store.keys().is_current(&row.secret)) {
            let place = place(self, row.id.into());
            let plain = store.keys().open(&place, &row.secret)?;
            let sealed = store.keys().seal(&place, &plain, store.chance().as_ref())?;
            let update = second_factor::ActiveModel { secret: ActiveValue::Set(sealed), ..ActiveModelTrait::default() };
            let own = Condition::all().add(second_factor::Column::Id.eq(row.id));
            self.update_row_where::<second_factor::Entity>(update, own).await?;
            resealed += 1;
        }
        Ok(resealed)
    }

    /// Replaces an account's recovery codes; of each only the hash is kept. The change of the factor tells of it.
    pub async fn recovery_codes_replace(&self, account: Account, hashes: Vec<Vec<u8>>) -> Result<()> {
        self.require_writable()?;
        let old = self.delete_many::<recovery_code::Entity>().filter(codes_of(account));
        old.exec(self.db()).await.or_domain()?;
        let row = |code_hash| recovery_code::Model {
            organisation_id: self.organisation().0,
            account_kind: account.kind.as_str().to_owned(),
            account_id: account.id,
            code_hash,
            created_at: self.now(),
            used_at: None,
        };
        self.insert_many::<recovery_code::Entity>(hashes.into_iter().map(row).collect(), &[], &[]).await
    }

    /// Uses up a recovery code; false when there is none of this hash, or it was used before.
    pub async fn recovery_code_use(&self, account: Account, hash: &[u8]) -> Result<bool> {
        use recovery_code::Column as C;
        let row =
            recovery_code::ActiveModel { used_at: ActiveValue::Set(Some(self.now())), ..ActiveModelTrait::default() };
        let unused = codes_of(account).add(C::CodeHash.eq(hash.to_vec())).add(C::UsedAt.is_null());
        Ok(self.update_row_where::<recovery_code::Entity>(row, unused).await? == 1)
    }

    /// How many recovery codes an account has left.
    pub async fn recovery_codes_left(&self, account: Account) -> Result<u64> {
        let left = codes_of(account).add(recovery_code::Column::UsedAt.is_null());
        self.find::<recovery_code::Entity>().filter(left).count(self.db()).await.or_domain()
    }
}
