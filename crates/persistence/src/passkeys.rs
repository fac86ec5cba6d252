//! Passkeys of accounts, whatever their kind. What checks them is kept sealed: a public key is no secret, but nobody may
//! put another in its place.

use domain::{Account, AccountKind, ClientId, Error, PasskeyId, Result, Timestamp};
use sea_orm::{
    ActiveModelTrait, ActiveValue, ColumnTrait, Condition, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    Tx,
    entity::passkey::{self as table, Column as C},
    error::{OrDomain, known},
    journalled::Journalled,
    keys::Place,
};

/// A passkey as people see it.
#[derive(Clone, Debug)]
pub struct PasskeyRow {
    /// Id.
    pub id: PasskeyId,
    /// Whose.
    pub account: Account,
    /// What its owner calls it.
    pub name: String,
    /// The name of the site that it is bound to (RP id): shown elsewhere it is worth nothing.
    pub site: String,
    /// SHA-256 of the credential's id.
    pub credential_hash: Vec<u8>,
    /// Made.
    pub created_at: Timestamp,
    /// Last shown.
    pub used_at: Option<Timestamp>,
    /// Goes up by one with each change.
    pub version: i32,
}

impl Journalled for table::Entity {
    const KIND: &'static str = "passkey";
    const WHAT: &'static str = "passkey";

    fn id(row: &table::Model) -> Uuid {
        row.id
    }
    fn id_column() -> C {
        C::Id
    }
    fn version_column() -> Option<C> {
        Some(C::Version)
    }
    fn version(row: &table::Model) -> i32 {
        row.version
    }
    fn client_of(_: &table::Model) -> Option<ClientId> {
        None
    }
    fn view(row: &table::Model) -> Result<Value> {
        Ok(json!({
            "id": row.id, "account_kind": row.account_kind, "account_id": row.account_id, "name": row.name,
            "site": row.site, "created_at": row.created_at, "version": row.version,
        }))
    }
    fn settle(row: &mut table::ActiveModel) {
        row.credential = ActiveValue::NotSet;
        row.credential_hash = ActiveValue::NotSet;
        row.used_at = ActiveValue::NotSet;
    }
}

fn read(row: table::Model) -> Result<PasskeyRow> {
    Ok(PasskeyRow {
        id: row.id.into(),
        account: Account { kind: known(AccountKind::parse(&row.account_kind), "account_kind")?, id: row.account_id },
        name: row.name,
        site: row.site,
        credential_hash: row.credential_hash,
        created_at: row.created_at,
        used_at: row.used_at,
        version: row.version,
    })
}

fn write(tx: &Tx, row: &PasskeyRow, credential: Vec<u8>) -> table::Model {
    table::Model {
        organisation_id: tx.organisation().0,
        id: row.id.0,
        account_kind: row.account.kind.as_str().to_owned(),
        account_id: row.account.id,
        name: row.name.clone(),
        site: row.site.clone(),
        credential_hash: row.credential_hash.clone(),
        credential,
        created_at: row.created_at,
        used_at: row.used_at,
        version: row.version,
    }
}

fn place(tx: &Tx, id: Uuid) -> Place<'static> {
    Place { organisation: tx.organisation().0, table: "passkey", row: id, column: "credential" }
}

fn of(account: Account) -> Condition {
    Condition::all().add(C::AccountKind.eq(account.kind.as_str())).add(C::AccountId.eq(account.id))
}

impl Tx {
    /// An account's passkeys, the oldest first.
    pub async fn passkey_list(&self, account: Account) -> Result<Vec<PasskeyRow>> {
        let select = self.find::<table::Entity>().filter(of(account)).order_by_asc(C::CreatedAt).order_by_asc(C::Id);
        select.all(self.db()).await.or_domain()?.into_iter().map(read).collect()
    }

    /// How many passkeys an account has.
    pub async fn passkey_count(&self, account: Account) -> Result<u64> {
        self.find::<table::Entity>().filter(of(account)).count(self.db()).await.or_domain()
    }

    /// A passkey of this account.
    pub async fn passkey(&self, account: Account, id: PasskeyId) -> Result<PasskeyRow> {
        let select = self.find::<table::Entity>().filter(of(account).add(C::Id.eq(id.0)));
        read(select.one(self.db()).await.or_domain()?.ok_or(Error::NotFound { what: "passkey" })?)
    }

    /// Makes a passkey; what checks it is sealed. The conflict `passkey_known` where the organisation has it already.
    pub async fn passkey_insert(&self, row: &PasskeyRow, credential: &[u8]) -> Result<()> {
        let store = self.store();
        let sealed = store.keys().seal(&place(self, row.id.0), credential, store.chance().as_ref())?;
        self.insert_row::<table::Entity>(write(self, row, sealed)).await
    }

    /// Changes one that was read before; not what checks it.
    pub async fn passkey_update(&self, before: &PasskeyRow, mut after: PasskeyRow) -> Result<PasskeyRow> {
        after.version = before.version + 1;
        let (old, new) = (write(self, before, Vec::new()), write(self, &after, Vec::new()));
        Ok(if self.update_row::<table::Entity>(&old, new).await? { after } else { before.clone() })
    }

    /// Removes a passkey.
    pub async fn passkey_delete(&self, row: &PasskeyRow) -> Result<()> {
        self.delete_row::<table::Entity>(&write(self, row, Vec::new())).await
    }

    /// The passkey of this account with this credential, and what checks it; its row is locked until the end of the
    /// transaction, so that of two at once one sees what the other counted.
    pub async fn passkey_to_check(&self, account: Account, hash: &[u8]) -> Result<Option<(PasskeyRow, Vec<u8>)>> {
        let select = self.find::<table::Entity>().filter(of(account).add(C::CredentialHash.eq(hash.to_vec())));
        let Some(row) = select.lock_exclusive().one(self.db()).await.or_domain()? else { return Ok(None) };
        let plain = self.store().keys().open(&place(self, row.id), &row.credential)?;
        Ok(Some((read(row)?, plain)))
    }

    /// An account's passkeys of one site with what checks each, for telling a browser which they are.
    pub async fn passkeys_opened(&self, account: Account, site: &str) -> Result<Vec<Vec<u8>>> {
        let select = self.find::<table::Entity>().filter(of(account).add(C::Site.eq(site)));
        let rows = select.order_by_asc(C::CreatedAt).order_by_asc(C::Id).all(self.db()).await.or_domain()?;
        rows.iter().map(|row| self.store().keys().open(&place(self, row.id), &row.credential)).collect()
    }

    /// Notes that a passkey was shown, with what checks it from now on. Not journalled by itself: what it was shown for
    /// is.
    pub async fn passkey_used(&self, id: PasskeyId, credential: &[u8]) -> Result<()> {
        let store = self.store();
        let sealed = store.keys().seal(&place(self, id.0), credential, store.chance().as_ref())?;
        let row = table::ActiveModel {
            credential: ActiveValue::Set(sealed),
            used_at: ActiveValue::Set(Some(self.now())),
            ..ActiveModelTrait::default()
        };
        self.update_row_where::<table::Entity>(row, Condition::all().add(C::Id.eq(id.0))).await.map(drop)
    }

    /// Seals anew what an old key sealed; returns how many that were.
    pub async fn passkeys_reseal(&self) -> Result<usize> {
        let rows = self.find::<table::Entity>().all(self.db()).await.or_domain()?;
        let store = self.store();
        let mut resealed = 0;
        for row in rows.into_iter().filter(|row| !store.keys().is_current(&row.credential)) {
            let place = place(self, row.id);
            let plain = store.keys().open(&place, &row.credential)?;
            let sealed = store.keys().seal(&place, &plain, store.chance().as_ref())?;
            let update = table::ActiveModel { credential: ActiveValue::Set(sealed), ..ActiveModelTrait::default() };
            self.update_row_where::<table::Entity>(update, Condition::all().add(C::Id.eq(row.id))).await?;
            resealed += 1;
        }
        Ok(resealed)
    }
}
