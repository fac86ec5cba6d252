//! A folder in which letters are left as `.eml` files: for trying out, and until a mail server is configured.

use std::path::{Path, PathBuf};

use async_trait::async_trait;

use crate::{Carrier, Outgoing, Sender, Undelivered};

/// A folder of `.eml` files.
#[derive(Clone, Debug)]
pub struct Mailbox {
    folder: PathBuf,
    from: Sender,
}

impl Mailbox {
    /// Letters from this sender, into this folder; it is made with the first.
    pub fn new(folder: impl Into<PathBuf>, from: Sender) -> Self {
        Self { folder: folder.into(), from }
    }

    /// Written beside its place and moved there, so that nobody ever reads half a letter; the same letter again has the
    /// same name.
    async fn leave(&self, name: &str, bytes: &[u8]) -> std::io::Result<()> {
        make(&self.folder).await?;
        let (half, whole) = (self.folder.join(format!(".{name}.part")), self.folder.join(format!("{name}.eml")));
        tokio::fs::write(&half, bytes).await?;
        tokio::fs::rename(half, whole).await
    }
}

/// Letters hold tokens: nobody else of the machine may read them.
async fn make(folder: &Path) -> std::io::Result<()> {
    let mut builder = tokio::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    builder.mode(0o700);
    builder.create(folder).await
}

#[async_trait]
impl Carrier for Mailbox {
    async fn carry(&self, letter: &Outgoing) -> Result<(), Undelivered> {
        let message = letter.message(&self.from)?;
        let left = self.leave(&letter.id.to_string(), &message.formatted()).await;
        left.map_err(|why| {
            let message = format!("the folder {} cannot be written: {why}", self.folder.display());
            Undelivered { permanent: false, message }
        })
    }
}

#[cfg(test)]
mod tests {
    use domain::{Letter, Timestamp};

    use super::*;

    fn letter() -> Outgoing {
        Outgoing {
            id: "01a2008a-0000-7000-8000-00000000000a".parse().expect("an id"),
            recipient: "jo@kite.example".into(),
            recipient_name: None,
            letter: Letter::Notice {
                brand: "Kite".into(),
                subject: "Hello".into(),
                paragraphs: vec!["One.".into()],
                link: None,
            },
            written_at: Timestamp::UNIX_EPOCH,
            tried: 0,
        }
    }

    #[tokio::test]
    async fn a_letter_is_one_file_also_the_second_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let mailbox = Mailbox::new(folder.path().join("made/here"), Sender::parse("a@b.example").expect("a sender"));
        for _ in 0..2 {
            mailbox.carry(&letter()).await.expect("is left");
        }
        let names: Vec<_> = std::fs::read_dir(folder.path().join("made/here"))
            .expect("reads")
            .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
            .collect();
        assert_eq!(names, ["01a2008a-0000-7000-8000-00000000000a.eml"]);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(folder.path().join("made/here")).expect("is there").permissions().mode();
            assert_eq!(mode & 0o777, 0o700);
        }
    }

    #[tokio::test]
    async fn a_folder_that_cannot_be_made_is_tried_again() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("file"), "x").expect("writes");
        let mailbox = Mailbox::new(folder.path().join("file/below"), Sender::parse("a@b.example").expect("a sender"));
        assert!(!mailbox.carry(&letter()).await.expect_err("fails").permanent);
    }
}
