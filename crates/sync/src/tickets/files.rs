//! A file of a ticket, on its way to the PSA: attached where the vendor takes files, else named in a note there.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use chrono::TimeDelta;
use domain::{Record, TicketAttachment, TicketSending, bytes_in_words, ticket_mark};
use integration::{TicketFile, TicketNote};
use persistence::ContentRow;

use super::{
    pass::{Pass, Step},
    send::Known,
};
use crate::{Act, TicketFileAttach, TicketNoteAdd, trouble::Halt};

/// How long something waits for the store of the files.
const STORE_AWAY: TimeDelta = TimeDelta::seconds(60);

/// Why a file could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileTrouble {
    /// The store is away: later.
    Away(String),
    /// It is gone or broken: never.
    Lost,
}

/// Reads files of tickets. The store of the files is nothing to this crate, so whoever builds a worker hands it in;
/// without one, files wait for a worker that has it.
#[async_trait]
pub trait FileSource: Send + Sync {
    /// The whole of a content.
    async fn read(&self, content: &ContentRow) -> Result<Bytes, FileTrouble>;
}

/// What is to be done about a file.
pub(super) enum Parcel {
    /// These, in order of preference; the last only says there that the file stayed here.
    Acts(Vec<Arc<dyn Act>>),
    /// It waits.
    Wait(Step),
    /// It goes nowhere.
    Refuse(String),
}

impl Pass<'_> {
    /// What is sent of a file that came with a message.
    pub(super) async fn parcel(&self, sending: &TicketSending, known: &Known, record: &Record) -> Result<Parcel, Halt> {
        let Some(message) = &known.message else { return Ok(Parcel::Refuse("the message is gone".to_owned())) };
        let tx = self.read().await?;
        let file = tx.ticket_attachment_of(message.id).await?.filter(|file| file.removed_at.is_none());
        let Some(file) = file else {
            return Ok(Parcel::Refuse("The file was removed before it was sent.".to_owned()));
        };
        let content = tx.content(file.content_id).await?;
        tx.rollback().await?;
        let mark = ticket_mark(known.ticket.number, Some(message.number));
        let size = bytes_in_words(file.bytes);
        let text = format!(
            "{}:\n\nAttached “{}” ({size}) in ClientOne. The file is kept there and was not sent here.\n\n{mark}",
            known.who, file.name
        );
        let told: Arc<dyn Act> =
            Arc::new(TicketNoteAdd { id: record.id, note: TicketNote { text, public: file.public } });
        let fits = |most: u64| u64::try_from(file.bytes).is_ok_and(|bytes| bytes <= most);
        if !self.writes()?.takes_files().is_some_and(fits) {
            return Ok(Parcel::Acts(vec![told]));
        }
        let content = match self.files {
            Some(files) => files.read(&content).await,
            None => Err(FileTrouble::Away("this worker has none".to_owned())),
        };
        let content = match content {
            Ok(content) => content,
            Err(FileTrouble::Lost) => {
                return Ok(Parcel::Refuse("The content of the file is no longer in the store.".to_owned()));
            }
            Err(FileTrouble::Away(why)) => {
                let tx = self.begin().await?;
                tx.ticket_sending_say(sending.id, &format!("The store of the files is away: {why}.")).await?;
                tx.commit_unjournalled().await?;
                return Ok(Parcel::Wait(Step::Wait(Some(STORE_AWAY))));
            }
        };
        let TicketAttachment { name, media_type, public, .. } = file;
        let file = TicketFile { title: format!("{name} {mark}"), name, media_type, public, content };
        Ok(Parcel::Acts(vec![Arc::new(TicketFileAttach { id: record.id, file }), told]))
    }

    /// Why a file is named at the PSA, and not there.
    pub(super) fn stayed(&self, why: Option<&str>) -> String {
        let why = why.map(|why| format!(" ({why})")).unwrap_or_default();
        format!("{} did not take the file{why}: it is kept in ClientOne, and a note there says so.", self.vendor)
    }

    /// Whether the PSA lists a file with this mark; `None` where it does not tell.
    pub(super) async fn file_there(&self, record: &Record, mark: &str) -> Result<Option<bool>, Halt> {
        match self.writes()?.attached(&record.vendor_id).await {
            Ok(titles) => Ok(titles.map(|titles| titles.iter().any(|title| title.contains(mark)))),
            Err(error) if crate::trouble::passes(&error) => Err(error.into()),
            Err(error) => {
                tracing::warn!(record = %record.id, %error, "the files of a ticket cannot be listed");
                Ok(None)
            }
        }
    }
}
