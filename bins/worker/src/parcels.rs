//! The store of the files, handed to what carries them to PSAs.

use async_trait::async_trait;
use bytes::Bytes;
use persistence::ContentRow;
use storage::{ContentKey, Failed, Storage};
use sync::{FileSource, FileTrouble};

/// Reads files of tickets out of the store.
#[derive(Clone, Debug)]
pub struct Parcels(pub Storage);

#[async_trait]
impl FileSource for Parcels {
    async fn read(&self, content: &ContentRow) -> Result<Bytes, FileTrouble> {
        match self.0.get_whole(&content.key, &ContentKey::new(content.secret)).await {
            Ok(whole) => Ok(whole.into()),
            Err(Failed::Gone | Failed::Broken) => Err(FileTrouble::Lost),
            Err(other) => Err(FileTrouble::Away(format!("{other:?}"))),
        }
    }
}
