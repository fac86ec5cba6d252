//! Keeping what came of an act. It has happened, whatever happens here: so the store is tried more than once, and
//! what cannot be read is left to the next sync.

use std::{sync::atomic::Ordering, time::Duration};

use bytes::Bytes;
use domain::{Error, Outcome, Record, RecordId, Result, RunId};
use integration::Reach;
use persistence::{RecordWrite, Tx, VendorWriteState};
use serde_json::Value;

use super::{
    Acted, Sent,
    send::{Sending, Task, UNKNOWN, may_be_done, note, unknown},
};
use crate::{
    ids, page,
    seen::to_bytes,
    trouble::{vendor_code, vendor_error},
};

/// How often the store is tried again after the vendor has answered.
const TRIES: u32 = 5;

/// What came of asking the vendor.
pub(super) enum Came {
    /// It did it.
    Done(Sent),
    /// It did not, or nobody knows.
    Failed(integration::Error),
    /// It failed before it was asked to do it.
    Unasked(integration::Error),
}

impl Task {
    /// Keeps what came, and answers it.
    pub(super) async fn keep(&self, sending: &Sending, came: &Came) -> Result<Acted> {
        let mut tries = 0;
        loop {
            let kept = match came {
                Came::Done(sent) => self.done(sending, sent).await,
                Came::Failed(error) => self.failed(sending, error, may_be_done(error)).await,
                Came::Unasked(error) => self.failed(sending, error, false).await,
            };
            match kept {
                Err(Error::Busy(_)) if tries < TRIES => {
                    tries += 1;
                    tokio::time::sleep(Duration::from_millis(200) * tries).await;
                }
                Err(Error::Busy(cause)) => {
                    tracing::error!(%cause, write = %sending.write, "what came of a vendor write could not be noted");
                    return Err(match came {
                        Came::Done(_) => not_stored(sending),
                        Came::Failed(error) => told(error, may_be_done(error)),
                        Came::Unasked(error) => told(error, false),
                    });
                }
                kept => return kept,
            }
        }
    }

    async fn done(&self, sending: &Sending, sent: &Sent) -> Result<Acted> {
        let (act, place) = (self.act.as_ref(), &sending.place);
        let tx = self.begin().await?;
        let row = match sent {
            Sent::Record(raw) => self.row(sending, raw).map_err(|why| {
                tracing::warn!(%why, write = %sending.write, "a vendor's answer is left to the next sync");
            }),
            Sent::AsWanted { body, fingerprint } => Ok(as_wanted(&tx, sending, body, fingerprint).await?),
            Sent::Done | Sent::Gone | Sent::Shown(_) => Err(()),
        };
        let fresh = row.as_ref().ok().and_then(|row| serde_json::from_str::<Value>(&row.body).ok());
        let id = row.as_ref().ok().map(|row| row.id);
        if let Ok(row) = row {
            tx.records_write(vec![row]).await?;
        }
        let before = place.record.as_ref().map(|record| record.id);
        if let (Sent::Gone, Some(id)) = (sent, before) {
            tx.records_remove_ids(&[id.0], RunId(sending.write.0)).await?;
        }
        if let Some(id) = id {
            tx.vendor_write_about(sending.write, id).await?;
        }
        tx.vendor_write_finish(sending.write, VendorWriteState::Done, None, None).await?;
        note(&tx, act, place, fresh.as_ref(), id);
        let installer = match sent {
            Sent::Shown(installer) => Some(installer.clone()),
            _ => None,
        };
        let mut acted = Acted { set: tx.change_set(), record: None, installer };
        acted.record = stored(&tx, sending, id.or(before)).await?;
        acted.set.entry = tx.journal_note(act.action(), self.asking.apply.reason.as_deref()).await?;
        self.answer(&tx, &acted).await?;
        if acted.set.changes.is_empty() {
            // It was sent, and the vendor has what it had: that is no change, but it happened.
            tx.commit_attempt(act.action(), Outcome::Done, "the vendor has what it had").await?;
        } else {
            tx.commit_noted().await?;
        }
        Ok(acted)
    }

    /// The vendor did not do it, or nobody knows: notes that, and answers what is to be said.
    async fn failed(&self, sending: &Sending, error: &integration::Error, maybe: bool) -> Result<Acted> {
        self.sent.store(maybe, Ordering::SeqCst);
        let state = if maybe { VendorWriteState::Unknown } else { VendorWriteState::Refused };
        let told = told(error, maybe);
        let (code, message) = match &told {
            Error::Vendor { code, message, .. } => (*code, message.clone()),
            other => (vendor_code(error.kind), other.to_string()),
        };
        let tx = self.begin().await?;
        tx.vendor_write_finish(sending.write, state, Some(code), Some(&message)).await?;
        if let Some(key) = self.key().filter(|_| maybe) {
            // The same request again must not be sent again.
            tx.idempotency_answer(&key.caller, &key.key, UNKNOWN, message).await?;
        }
        tx.commit_attempt(self.act.action(), Outcome::Failed, code).await?;
        Err(told)
    }

    /// Stores what the vendor has, which is not what the caller saw, and answers what is to be said.
    pub(super) async fn moved(&self, sending: &Sending, raw: &Bytes) -> Result<Error> {
        let tx = self.begin().await?;
        let message = match self.row(sending, raw) {
            Ok(row) => {
                tx.records_write(vec![row]).await?;
                "It was changed at the vendor since the last sync. What it is now was stored: look at it, and repeat \
                 if it is still right."
            }
            Err(_) => "It was moved at the vendor since the last sync: sync the connection, and look at it.",
        };
        let (state, code) = (VendorWriteState::Refused, "moved_at_vendor");
        tx.vendor_write_finish(sending.write, state, Some(code), Some(message)).await?;
        tx.commit_attempt(self.act.action(), Outcome::Failed, code).await?;
        Ok(Error::conflict(code, message))
    }

    /// The vendor's raw record as a run would store it.
    fn row(&self, sending: &Sending, raw: &Bytes) -> Result<RecordWrite, String> {
        let place = &sending.place;
        let kind = self.act.stores();
        let listings = sending.connector.listings();
        let listing = listings.iter().find(|listing| listing.kind() == kind).ok_or("nothing lists it")?;
        let read = page::read_one(listing.as_ref(), raw)?;
        let within = match (listing.reach(), &read.entity) {
            (Reach::Entity, _) => Some(place.entity.vendor_id.as_str()),
            (Reach::Connection, Some(entity)) if *entity == place.entity.vendor_id => None,
            (Reach::Connection, _) => return Err("it is not under the entity that was asked for".to_owned()),
        };
        let (id, run_id) = (ids::record_id(place.connection.id, kind, within, &read.id), RunId(sending.write.0));
        if place.record.as_ref().is_some_and(|record| record.id != id) {
            return Err("it is another record".to_owned());
        }
        Ok(RecordWrite {
            id,
            connection_id: place.connection.id,
            entity_id: place.entity.id,
            kind: kind.as_str().to_owned(),
            vendor_id: read.id,
            title: page::one_line(&read.title),
            body: read.body,
            raw: raw.to_vec(),
            raw_hash: to_bytes(ids::raw_hash(within, raw)),
            content_hash: to_bytes(ids::content_hash(&read.fingerprint, Some(place.entity.id))),
            run_id,
        })
    }
}

/// What is said of a vendor's failure.
fn told(error: &integration::Error, maybe: bool) -> Error {
    match maybe {
        true => unknown(format!(
            "{error}. Whether it was done is not known: sync the connection and look before trying again."
        )),
        false => vendor_error(error),
    }
}

/// The vendor did it, and the store stayed away.
fn not_stored(sending: &Sending) -> Error {
    let message = format!(
        "{} did it, but what it answered could not be stored: sync the connection, and do not repeat it.",
        sending.place.vendor
    );
    Error::conflict("not_stored", message)
}

/// The stored record as it was wanted. Its raw hash is nobody's: the next sync reads it again, whatever the vendor
/// lists.
async fn as_wanted(tx: &Tx, sending: &Sending, body: &str, fingerprint: &[u8]) -> Result<RecordWrite> {
    let record = sending.place.record.as_ref().ok_or_else(|| Error::internal("an act on a record has none"))?;
    let raw = tx.record_raw(record.id).await?;
    Ok(RecordWrite {
        id: record.id,
        connection_id: record.connection_id,
        entity_id: record.entity_id,
        kind: record.kind.clone(),
        vendor_id: record.vendor_id.clone(),
        title: record.title.clone(),
        body: body.to_owned(),
        raw_hash: to_bytes(ids::raw_hash(Some(&sending.write.to_string()), &raw)),
        content_hash: to_bytes(ids::content_hash(fingerprint, Some(record.entity_id))),
        raw,
        run_id: RunId(sending.write.0),
    })
}

/// The record as it is stored now, if it still is.
async fn stored(tx: &Tx, sending: &Sending, id: Option<RecordId>) -> Result<Option<Record>> {
    let Some(id) = id else { return Ok(None) };
    match tx.client_record(sending.place.client, id, "record").await {
        Ok(record) => Ok(Some(record)),
        Err(Error::NotFound { .. }) => Ok(None),
        Err(other) => Err(other),
    }
}
