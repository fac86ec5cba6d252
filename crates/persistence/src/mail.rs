//! The outbox of transactional mail: a letter is a row and a job, written with what causes it, so that nothing is sent
//! for what was rolled back or only previewed.
//!
//! The body is sealed (it may hold a token) and deleted once it was sent or given up. It stands in no journal: what
//! caused it does.

use domain::{Error, Letter, MailId, MailState, Result, Timestamp, valid_email};
use sea_orm::{
    ActiveModelTrait, ActiveValue, ColumnTrait, Condition, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr,
};
use serde::{Deserialize, Serialize};

use crate::{
    NewJob, Tx,
    entity::mail as table,
    error::{OrDomain, known},
    keys::Place,
};

/// Kind of the jobs that send letters; the payload is `{"mail_id": …}`.
pub const MAIL_JOB: &str = "mail";

/// How often a worker may die over one letter.
const CRASHES: i32 = 12;
/// Characters of an error that are kept.
const ERROR: usize = 500;

/// A letter to be sent.
#[derive(Clone, Debug)]
pub struct NewMail {
    /// To which address.
    pub recipient: String,
    /// Whose address that is.
    pub recipient_name: Option<String>,
    /// What it says.
    pub letter: Letter,
    /// What it is about, down to the occasion ("staff_invitation:ID:1"): a letter of one key is written once.
    pub key: String,
    /// When it is of no use any more.
    pub send_before: Option<Timestamp>,
}

/// A letter as it is seen from outside: without what it says.
#[derive(Clone, Debug)]
pub struct MailRow {
    /// Id.
    pub id: MailId,
    /// Kind of letter.
    pub kind: String,
    /// To which address.
    pub recipient: String,
    /// What became of it.
    pub state: MailState,
    /// How often it was tried.
    pub attempts: i32,
    /// Why the last try failed.
    pub last_error: Option<String>,
    /// When it is of no use any more.
    pub send_before: Option<Timestamp>,
    /// Written.
    pub created_at: Timestamp,
    /// Sent, or given up.
    pub finished_at: Option<Timestamp>,
}

/// A letter whose turn it is, opened.
#[derive(Clone, Debug)]
pub struct MailToSend {
    /// The row, this try counted.
    pub row: MailRow,
    /// Whose address it is.
    pub recipient_name: Option<String>,
    /// What it says.
    pub letter: Letter,
}

#[derive(Serialize, Deserialize)]
struct Body {
    name: Option<String>,
    letter: Letter,
}

fn place(tx: &Tx, id: MailId) -> Place<'static> {
    Place { organisation: tx.organisation().0, table: "mail", row: id.0, column: "body" }
}

fn read(row: &table::Model) -> Result<MailRow> {
    Ok(MailRow {
        id: row.id.into(),
        kind: row.kind.clone(),
        recipient: row.recipient.clone(),
        state: known(MailState::parse(&row.state), "mail.state")?,
        attempts: row.attempts,
        last_error: row.last_error.clone(),
        send_before: row.send_before,
        created_at: row.created_at,
        finished_at: row.finished_at,
    })
}

impl Tx {
    /// Writes a letter into the outbox, with the job that sends it. `None` when there was one of its key already.
    pub async fn mail_enqueue(&self, new: &NewMail) -> Result<Option<MailId>> {
        let mistake = |problem| Error::Invalid(vec![problem]);
        new.letter.check().map_err(mistake)?;
        let recipient = valid_email("/email", &new.recipient).map_err(mistake)?;
        if new.recipient_name.as_deref().is_some_and(|name| name.chars().any(char::is_control)) {
            return Err(Error::invalid("/name", "control_character", "must be one line without control characters"));
        }
        let id: MailId = self.new_id();
        let body = Body { name: new.recipient_name.clone(), letter: new.letter.clone() };
        let plain = serde_json::to_vec(&body).map_err(Error::internal)?;
        let store = self.store();
        let row = table::Model {
            organisation_id: self.organisation().0,
            id: id.0,
            kind: new.letter.kind().to_owned(),
            recipient,
            mail_key: new.key.clone(),
            state: MailState::Queued.as_str().to_owned(),
            body: Some(store.keys().seal(&place(self, id), &plain, store.chance().as_ref())?),
            attempts: 0,
            last_error: None,
            send_before: new.send_before,
            created_at: self.now(),
            finished_at: None,
        };
        if !self.insert_if_absent::<table::Entity>(row).await? {
            return Ok(None);
        }
        let job = NewJob {
            kind: MAIL_JOB.to_owned(),
            payload: serde_json::json!({ "mail_id": id }).to_string(),
            unique_key: format!("mail:{id}"),
            priority: 10,
            run_at: self.now(),
            max_attempts: CRASHES,
        };
        self.job_enqueue(&job).await?;
        Ok(Some(id))
    }

    /// Takes a letter to send it, and counts the try; `None` where it was sent or given up already. Commit before it
    /// is sent.
    pub async fn mail_take(&self, id: MailId) -> Result<Option<MailToSend>> {
        self.require_writable()?;
        let select = self.find::<table::Entity>().filter(table::Column::Id.eq(id.0)).lock_exclusive();
        let Some(row) = select.one(self.db()).await.or_domain()? else { return Ok(None) };
        let (MailState::Queued, Some(sealed)) = (read(&row)?.state, &row.body) else { return Ok(None) };
        let plain = self.store().keys().open(&place(self, id), sealed)?;
        let Body { name, letter } = serde_json::from_slice(&plain).map_err(Error::internal)?;
        let update = self.update_many::<table::Entity>().col_expr(table::Column::Attempts, Expr::val(row.attempts + 1));
        update.filter(table::Column::Id.eq(id.0)).exec(self.db()).await.or_domain()?;
        let row = MailRow { attempts: row.attempts + 1, ..read(&row)? };
        Ok(Some(MailToSend { row, recipient_name: name, letter }))
    }

    /// Notes that a letter was sent; what it said is deleted.
    pub async fn mail_sent(&self, id: MailId) -> Result<()> {
        self.mail_end(id, MailState::Sent, None).await
    }

    /// Gives a letter up; what it said is deleted.
    pub async fn mail_give_up(&self, id: MailId, why: &str) -> Result<()> {
        self.mail_end(id, MailState::Failed, Some(why)).await
    }

    /// Notes why a try failed; the letter waits for the next.
    pub async fn mail_note(&self, id: MailId, why: &str) -> Result<()> {
        let row = table::ActiveModel { last_error: ActiveValue::Set(Some(short(why))), ..ActiveModelTrait::default() };
        self.update_row_where::<table::Entity>(row, queued(id)).await.map(drop)
    }

    async fn mail_end(&self, id: MailId, state: MailState, why: Option<&str>) -> Result<()> {
        let row = table::ActiveModel {
            state: ActiveValue::Set(state.as_str().to_owned()),
            body: ActiveValue::Set(None),
            last_error: ActiveValue::Set(why.map(short)),
            finished_at: ActiveValue::Set(Some(self.now())),
            ..ActiveModelTrait::default()
        };
        self.update_row_where::<table::Entity>(row, queued(id)).await.map(drop)
    }

    /// A letter, without what it says; `None` where it was forgotten.
    pub async fn mail(&self, id: MailId) -> Result<Option<MailRow>> {
        let row = self.find::<table::Entity>().filter(table::Column::Id.eq(id.0)).one(self.db()).await.or_domain()?;
        row.as_ref().map(read).transpose()
    }

    /// The outbox, the newest first; at most 500.
    pub async fn mail_list(&self) -> Result<Vec<MailRow>> {
        let select = self.find::<table::Entity>().order_by_desc(table::Column::CreatedAt);
        let rows = select.order_by_desc(table::Column::Id).limit(500).all(self.db()).await.or_domain()?;
        rows.iter().map(read).collect()
    }

    /// Forgets letters that were sent or given up before this instant; returns how many.
    pub async fn mails_forget(&self, before: Timestamp) -> Result<u64> {
        self.require_writable()?;
        let delete = self
            .delete_many::<table::Entity>()
            .filter(table::Column::CreatedAt.lt(before))
            .filter(table::Column::FinishedAt.is_not_null());
        Ok(delete.exec(self.db()).await.or_domain()?.rows_affected)
    }

    /// Seals anew what was sealed by an old key; returns how many letters that were.
    pub async fn mails_reseal(&self) -> Result<usize> {
        let waiting = table::Column::Body.is_not_null();
        let rows = self.find::<table::Entity>().filter(waiting).lock_exclusive().all(self.db()).await.or_domain()?;
        let (store, mut resealed) = (self.store(), 0);
        for row in rows {
            let Some(old) = row.body.filter(|sealed| !store.keys().is_current(sealed)) else { continue };
            let place = place(self, row.id.into());
            let sealed = store.keys().seal(&place, &store.keys().open(&place, &old)?, store.chance().as_ref())?;
            let body = table::ActiveModel { body: ActiveValue::Set(Some(sealed)), ..ActiveModelTrait::default() };
            self.update_row_where::<table::Entity>(body, queued(row.id.into())).await?;
            resealed += 1;
        }
        Ok(resealed)
    }
}

fn queued(id: MailId) -> Condition {
    let state = table::Column::State.eq(MailState::Queued.as_str());
    Condition::all().add(table::Column::Id.eq(id.0)).add(state)
}

/// An error on one line and of bounded length: a server may say anything.
fn short(why: &str) -> String {
    why.chars().map(|c| if c.is_control() { ' ' } else { c }).take(ERROR).collect()
}

impl MailToSend {
    /// The id in the payload of a job of the kind [`MAIL_JOB`].
    pub fn id_in(payload: &str) -> Option<MailId> {
        #[derive(Deserialize)]
        struct Named {
            mail_id: MailId,
        }
        serde_json::from_str::<Named>(payload).ok().map(|named| named.mail_id)
    }
}
