//! Idempotency keys: claimed in the transaction that does the work, so that a crash between doing
//! and answering cannot double it.

use domain::{Error, Result};
use sea_orm::{ActiveModelTrait, ActiveValue, ColumnTrait, Condition, QueryFilter};
use sha2::{Digest, Sha256};

use crate::{Tx, entity::idempotency as table, error::OrDomain};

/// What became of a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The key is new: do the work.
    New,
    /// The work was done: this was the answer.
    Done {
        /// HTTP status.
        status: u16,
        /// Body as JSON.
        answer: String,
    },
}

impl Tx {
    /// Claims a key for a request, which `request` describes wholly (operation, path, body). Waits
    /// for another transaction that holds the same key. The same key with another request is refused.
    pub async fn idempotency_claim(&self, caller: &str, key: &str, request: &[u8]) -> Result<Claim> {
        let fingerprint = Sha256::digest(request).to_vec();
        let row = table::Model {
            organisation_id: self.organisation().0,
            caller: caller.to_owned(),
            key: key.to_owned(),
            fingerprint: fingerprint.clone(),
            status: 0,
            answer: None,
            created_at: self.now(),
        };
        if self.insert_if_absent::<table::Entity>(row).await? {
            return Ok(Claim::New);
        }
        let found = self.find::<table::Entity>().filter(own(caller, key)).one(self.db()).await.or_domain()?;
        let found = found.ok_or_else(|| Error::Busy("an idempotency key vanished while it was read".to_owned()))?;
        answered(found, &fingerprint)
    }

    /// The answer that a key had before, for a request that must ask somebody else before it claims the key. A key
    /// of another request, or one under way, is refused as by [`Self::idempotency_claim`].
    pub async fn idempotency_answered(&self, caller: &str, key: &str, request: &[u8]) -> Result<Option<String>> {
        let found = self.find::<table::Entity>().filter(own(caller, key)).one(self.db()).await.or_domain()?;
        match found.map(|found| answered(found, &Sha256::digest(request))).transpose()? {
            Some(Claim::Done { answer, .. }) => Ok(Some(answer)),
            Some(Claim::New) | None => Ok(None),
        }
    }

    /// Keeps the answer with the key; committed with the work.
    pub async fn idempotency_answer(&self, caller: &str, key: &str, status: u16, answer: String) -> Result<()> {
        let row = table::ActiveModel {
            status: ActiveValue::Set(i32::from(status)),
            answer: ActiveValue::Set(Some(answer)),
            ..ActiveModelTrait::default()
        };
        self.update_row_where::<table::Entity>(row, own(caller, key)).await.map(drop)
    }

    /// Gives a key back: the request was refused before anything was done.
    pub async fn idempotency_release(&self, caller: &str, key: &str) -> Result<()> {
        self.require_writable()?;
        self.delete_many::<table::Entity>().filter(own(caller, key)).exec(self.db()).await.or_domain().map(drop)
    }

    /// Forgets keys older than this many hours; returns how many.
    pub async fn idempotency_forget(&self, hours: i64) -> Result<u64> {
        self.require_writable()?;
        let old = self.now() - chrono::TimeDelta::hours(hours);
        let delete = self.delete_many::<table::Entity>().filter(table::Column::CreatedAt.lt(old));
        Ok(delete.exec(self.db()).await.or_domain()?.rows_affected)
    }
}

/// What was answered to a key, if its request was this one.
fn answered(found: table::Model, fingerprint: &[u8]) -> Result<Claim> {
    if found.fingerprint != fingerprint {
        return Err(Error::invalid(
            "Idempotency-Key",
            "key_reused",
            "was used for another request: send a new key, or the same request",
        ));
    }
    match found.answer {
        Some(answer) => Ok(Claim::Done { status: u16::try_from(found.status).unwrap_or(200), answer }),
        None => Err(Error::conflict("under_way", "The request of this key is still under way. Ask again shortly.")),
    }
}

fn own(caller: &str, key: &str) -> Condition {
    Condition::all().add(table::Column::Caller.eq(caller)).add(table::Column::Key.eq(key))
}
