//! Contents of files on their way in and out of the store.

use domain::{ContentId, Context, Error};
use futures_util::TryStreamExt as _;
use persistence::{ContentPurpose, ContentRow};
use poem::{
    Body, Request,
    http::{Uri, header},
};
use poem_openapi::{ApiResponse, payload::Binary};
use storage::{ContentKey, Failed, Kept, Misfit};

use crate::{app::App, problem::Failure};

/// Whether requests to this path carry a file, which its operation reads once it knows who sends it.
pub fn is_for(uri: &Uri) -> bool {
    let path: Vec<&str> = uri.path().trim_matches('/').split('/').collect();
    matches!(
        path[..],
        ["api", "files"]
            | ["api", "files", _, "content"]
            | ["api", "portal-tickets", _, "attachments"]
            | ["api", "clientone", "tickets", _, "attachments"]
    )
}

/// A content, as an attachment: it is saved, never shown.
#[derive(ApiResponse)]
pub enum Download {
    /// The content
    #[oai(status = 200)]
    Ok(
        Binary<Body>,
        /// Proposes a name for the file
        #[oai(header = "Content-Disposition")]
        String,
        /// SHA-256 of the content, hex
        #[oai(header = "ETag")]
        String,
    ),
}

/// A content that is in the store and waits for a row.
pub struct Arrived {
    /// As it was announced.
    pub id: ContentId,
    /// What was written.
    pub kept: Kept,
    key: String,
}

impl App {
    /// Writes the body of a request to the store, announced before. Nothing of it is in memory but what is on its way.
    pub async fn content_arrive(
        &self,
        context: &Context,
        request: &Request,
        body: Body,
        most: u64,
    ) -> Result<Arrived, Failure> {
        let length = request.headers().get(header::CONTENT_LENGTH);
        let declared = length.and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        if declared.is_some_and(|bytes| bytes > most) {
            return Err(Failure::too_large(most));
        }
        if declared == Some(0) {
            return Err(failed(Failed::Empty, most));
        }
        let content = Box::pin(body.into_bytes_stream().map_err(|why| why.to_string()));
        self.content_write(context, ContentPurpose::File, most, content).await
    }

    /// Writes bytes to the store, announced before.
    pub async fn content_write<S>(
        &self,
        context: &Context,
        purpose: ContentPurpose,
        most: u64,
        content: S,
    ) -> Result<Arrived, Failure>
    where
        S: futures_util::Stream<Item = Result<bytes::Bytes, String>> + Unpin,
    {
        let tx = self.store.begin(context.clone()).await?;
        let row = tx.content_announce(purpose).await?;
        tx.commit_unjournalled().await?;
        match self.storage.put(&row.key, &ContentKey::new(row.secret), most, content).await {
            Ok(kept) => Ok(Arrived { id: row.id, kept, key: row.key }),
            Err(why) => {
                self.content_remove(context, row.id, &row.key).await;
                Err(failed(why, most))
            }
        }
    }

    /// Takes back a content that no row took over. What fails here is left to the worker's round.
    pub async fn content_discard(&self, context: &Context, arrived: &Arrived) {
        self.content_remove(context, arrived.id, &arrived.key).await;
    }

    async fn content_remove(&self, context: &Context, id: ContentId, key: &str) {
        let forget = async {
            let tx = self.store.begin(context.clone()).await?;
            // Only the database knows whether a row took it over: the answer to a commit may have been lost.
            let free = tx.content_abandon(id).await?;
            tx.commit_unjournalled().await?;
            if free && self.storage.remove(key).await.is_ok() {
                let tx = self.store.begin(context.clone()).await?;
                tx.content_forget(id).await?;
                tx.commit_unjournalled().await?;
            }
            Ok(())
        };
        let forgotten: domain::Result<()> = forget.await;
        if let Err(error) = forgotten {
            tracing::warn!(?error, "a content that nobody needs is left to the worker's round");
        }
    }

    /// A content as an attachment of this name. The caller was found to be allowed to read it.
    pub async fn content_leave(&self, row: &ContentRow, name: &str, sha256: &str) -> Result<Download, Failure> {
        let content = self.storage.get(&row.key, &ContentKey::new(row.secret)).await;
        let content = content.map_err(|why| failed(why, 0))?;
        Ok(Download::Ok(Binary(Body::from_bytes_stream(content)), attachment(name), format!("\"{sha256}\"")))
    }
}

/// What it says when a content does not arrive or leave.
pub fn failed(why: Failed, most: u64) -> Failure {
    let error = match why {
        Failed::TooLarge => return Failure::too_large(most),
        Failed::Empty => Error::invalid("", "empty", "must be the content of a file: the body is empty"),
        Failed::Cut(_) => Error::invalid("", "cut", "must be whole: the body ended too soon"),
        Failed::Gone => Error::conflict(
            "content_missing",
            "The content is not in the store any more: ask the operator to restore it, or upload it again.",
        ),
        Failed::Broken => Error::conflict(
            "content_damaged",
            "The content in the store is not what was uploaded: ask the operator to restore it, or upload it again.",
        ),
        Failed::Away(why) => Error::Busy(format!("the store of the files: {why}")),
    };
    error.into()
}

/// The media type of a content under a name, or why it is not taken.
pub fn fitting(name: &str, kept: &Kept) -> domain::Result<&'static str> {
    storage::fits(name, &kept.head, kept.text).map_err(|misfit| match misfit {
        Misfit::Extension => {
            let taken = storage::taken().collect::<Vec<_>>().join(", ");
            Error::invalid("name", "type_not_taken", format!("must end in one of: {taken}"))
        }
        Misfit::Unknown => {
            Error::invalid("", "type_not_taken", "is of a kind that is not taken, whatever its name says")
        }
        Misfit::Otherwise(looks) => Error::invalid(
            "name",
            "type_differs",
            format!("says another kind than the content is, which looks like {looks}"),
        ),
    })
}

/// A header that proposes this name, for old browsers in ASCII.
pub fn attachment(name: &str) -> String {
    let plain: String = name.chars().map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '_' }).collect();
    let plain = plain.replace(['"', '\\'], "_");
    let mut encoded = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_in_headers_without_harm() {
        assert_eq!(attachment("a b.pdf"), "attachment; filename=\"a b.pdf\"; filename*=UTF-8''a%20b.pdf");
        assert_eq!(
            attachment("ü\"\r\n.pdf"),
            "attachment; filename=\"____.pdf\"; filename*=UTF-8''%C3%BC%22%0D%0A.pdf"
        );
        assert!(attachment("日本.txt").parse::<poem::http::HeaderValue>().is_ok());
    }

    #[test]
    fn only_files_are_read_by_their_operations() {
        for (path, is_file) in [
            ("/api/files", true),
            ("/api/files/", true),
            ("/api/files/1/content", true),
            ("/api/files/1", false),
            ("/api/files/1/publish", false),
            ("/api/portal-tickets/1/attachments", true),
            ("/api/clientone/tickets/1/attachments", true),
            ("/api/portal-tickets/1/attachments/2", false),
            ("/api/clients", false),
            ("/api/clientone/documents/1/content", false),
        ] {
            assert_eq!(is_for(&path.parse().expect("a path")), is_file, "{path}");
        }
    }
}
