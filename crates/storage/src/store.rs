//! Writing, reading and removing content as streams.

use std::{
    fmt, fs, io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{
    Stream, StreamExt as _, TryStreamExt as _,
    stream::{self, BoxStream},
};
use opendal::{
    ErrorKind, Operator, Writer,
    layers::{RetryLayer, TimeoutLayer},
    services,
};
use sha2::{Digest, Sha256};

use crate::{
    ContentKey,
    seal::{Opener, Sealer, Unsealed},
};

/// Bytes from the beginning that [`Kept::head`] has.
const HEAD: usize = 8 * 1024;
/// Bytes of a part of an upload to S3, which takes none smaller than 5 MiB. It is what an upload holds in memory.
const PART: usize = 5 * 1024 * 1024;
/// Longest that one request to the store may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A bucket of an S3-compatible store.
#[derive(Clone, Default)]
pub struct S3 {
    /// Its name.
    pub bucket: String,
    /// Address of the store (`https://s3.eu-central-1.amazonaws.com`).
    pub endpoint: String,
    /// Region; some stores take any.
    pub region: String,
    /// Id of the access key.
    pub access_key: String,
    /// The access key.
    pub secret_key: String,
    /// Folder in the bucket under which everything is.
    pub prefix: String,
}

/// The store of contents. Cheap to clone.
#[derive(Clone)]
pub struct Storage {
    place: Place,
    part: Option<usize>,
}

/// Where it is.
#[derive(Clone)]
enum Place {
    Nowhere,
    /// A folder, which is opened when it is needed first: what is never used leaves nothing.
    Folder(PathBuf, Arc<OnceLock<Operator>>),
    Bucket(Operator),
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Bytes, before sealing.
    pub bytes: u64,
    /// SHA-256 of them, hex.
    pub sha256: String,
    /// The beginning, at most 8 KiB.
    pub head: Vec<u8>,
    /// Whether all of it is text: UTF-8 or an older encoding without control characters, or UTF-16 with its mark.
    pub text: bool,
}

/// Why nothing was written or read.
#[derive(Debug)]
pub enum Failed {
    /// The content is not in the store.
    Gone,
    /// The content is there, but is not what was written.
    Broken,
    /// The store is not there, or refuses.
    Away(String),
    /// It has more bytes than may be.
    TooLarge,
    /// It has no bytes.
    Empty,
    /// Whoever sends it stopped.
    Cut(String),
}

/// A content as it is read.
pub type Content = BoxStream<'static, io::Result<Bytes>>;

impl fmt::Debug for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.place {
            Place::Nowhere => "Storage(nowhere)",
            Place::Folder(..) => "Storage(folder)",
            Place::Bucket(_) => "Storage(bucket)",
        })
    }
}

impl Storage {
    /// No store: everything answers that it is away.
    pub fn absent() -> Self {
        Self { place: Place::Nowhere, part: None }
    }

    /// A folder, which is made for this user alone when it is needed and not there.
    pub fn folder(path: &Path) -> Result<Self, String> {
        let path = std::path::absolute(path).map_err(|why| format!("the folder of the files: {why}"))?;
        Ok(Self { place: Place::Folder(path, Arc::default()), part: None })
    }

    /// A bucket. Credentials are those given, never those of the machine or its environment.
    pub fn s3(s3: &S3) -> Result<Self, String> {
        opendal::install_default();
        let service = services::S3::default()
            .bucket(&s3.bucket)
            .endpoint(&s3.endpoint)
            .region(if s3.region.is_empty() { "us-east-1" } else { &s3.region })
            .access_key_id(&s3.access_key)
            .secret_access_key(&s3.secret_key)
            .root(&s3.prefix)
            .disable_config_load()
            .disable_ec2_metadata();
        let operator = Operator::new(service).map_err(|why| why.to_string())?;
        let timeout = TimeoutLayer::new().with_timeout(PATIENCE).with_io_timeout(PATIENCE);
        let operator = operator.layer(timeout).layer(RetryLayer::new().with_max_times(2));
        Ok(Self { place: Place::Bucket(operator), part: Some(PART) })
    }

    fn operator(&self) -> Result<&Operator, Failed> {
        match &self.place {
            Place::Nowhere => Err(Failed::Away("no store is configured".to_owned())),
            Place::Bucket(operator) => Ok(operator),
            Place::Folder(path, opened) => match opened.get() {
                Some(operator) => Ok(operator),
                None => {
                    let operator = open(path).map_err(|why| Failed::Away(format!("{}: {why}", path.display())))?;
                    Ok(opened.get_or_init(|| operator))
                }
            },
        }
    }

    /// Writes a content of at most `most` bytes. What failed leaves nothing behind that is read as a content; where the
    /// process or the store ended on the way, a part may stay, which [`Self::remove`] removes. In memory are one piece
    /// of 64 KiB and what the sender gave last; with S3 also one part of 5 MiB.
    pub async fn put<S, E>(&self, key: &str, secret: &ContentKey, most: u64, content: S) -> Result<Kept, Failed>
    where
        S: Stream<Item = Result<Bytes, E>> + Unpin,
        E: fmt::Display,
    {
        let operator = self.operator()?;
        let writer = operator.writer_with(key);
        let writer = match self.part {
            Some(part) => writer.chunk(part),
            None => writer,
        };
        let mut writer = writer.await.map_err(unwritten)?;
        let written = match fill(&mut writer, Sealer::new(secret, key), most, content).await {
            Ok(kept) => writer.close().await.map(|_| kept).map_err(unwritten),
            Err(failed) => Err(failed),
        };
        if written.is_err() {
            // Either may be unknown to the store, or too late: the worker's round removes what stays.
            let _ = writer.abort().await;
            let _ = operator.delete(key).await;
        }
        written
    }

    /// Reads a content. Its first piece is read and checked at once, so that what is gone or broken is told before
    /// anything is answered; a piece further on that is broken ends the stream with an error.
    pub async fn get(&self, key: &str, secret: &ContentKey) -> Result<Content, Failed> {
        let reader = self.operator()?.reader(key).await.map_err(away)?;
        let source = reader.into_bytes_stream(..).await.map_err(away)?;
        let mut reading = Reading { source: source.boxed(), opener: Opener::new(secret, key) };
        let first = reading.next().await?.unwrap_or_default();
        let rest = stream::try_unfold(reading, |mut reading| async move {
            match reading.next().await {
                Ok(piece) => Ok(piece.map(|piece| (piece, reading))),
                Err(failed) => Err(io::Error::other(format!("{failed:?}"))),
            }
        });
        Ok(stream::once(async move { Ok(first) }).chain(rest).boxed())
    }

    /// Reads a content whole: for small ones.
    pub async fn get_whole(&self, key: &str, secret: &ContentKey) -> Result<Vec<u8>, Failed> {
        let content = self.get(key, secret).await?;
        let fold = |mut whole: Vec<u8>, piece: Bytes| async move {
            whole.extend_from_slice(&piece);
            Ok(whole)
        };
        content.try_fold(Vec::new(), fold).await.map_err(|_| Failed::Broken)
    }

    /// Removes a content; one that is not there is removed already.
    pub async fn remove(&self, key: &str) -> Result<(), Failed> {
        match self.operator()?.delete(key).await {
            Err(why) if why.kind() != ErrorKind::NotFound => Err(away(why)),
            _ => Ok(()),
        }
    }
}

fn open(path: &Path) -> Result<Operator, String> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|why| why.to_string())?;
    let root = path.to_str().ok_or("its name is not UTF-8")?;
    Operator::new(services::Fs::default().root(root)).map_err(|why| why.to_string())
}

fn away(why: opendal::Error) -> Failed {
    match why.kind() {
        ErrorKind::NotFound => Failed::Gone,
        _ => Failed::Away(why.to_string()),
    }
}

/// What fails while something is written: what is not there then is the store itself.
fn unwritten(why: opendal::Error) -> Failed {
    Failed::Away(why.to_string())
}

async fn fill<S, E>(writer: &mut Writer, mut sealer: Sealer, most: u64, mut content: S) -> Result<Kept, Failed>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
    E: fmt::Display,
{
    let unsealed = |_: Unsealed| Failed::Away("the content could not be sealed".to_owned());
    let (mut bytes, mut hash, mut head, mut plain) = (0_u64, Sha256::new(), Vec::new(), true);
    while let Some(part) = content.next().await {
        let part = part.map_err(|why| Failed::Cut(why.to_string()))?;
        bytes += part.len() as u64;
        if bytes > most {
            return Err(Failed::TooLarge);
        }
        hash.update(&part);
        head.extend_from_slice(&part[..part.len().min(HEAD - head.len())]);
        plain = plain && !part.iter().any(|byte| is_control(*byte));
        sealer.feed(&part);
        while let Some(piece) = sealer.piece() {
            writer.write(piece.map_err(unsealed)?).await.map_err(unwritten)?;
        }
    }
    if bytes == 0 {
        return Err(Failed::Empty);
    }
    writer.write(sealer.last().map_err(unsealed)?).await.map_err(unwritten)?;
    let text = plain || head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]);
    Ok(Kept { bytes, sha256: hex::encode(hash.finalize()), head, text })
}

/// What no text holds: control characters but tabs, line ends, page ends and escapes.
fn is_control(byte: u8) -> bool {
    matches!(byte, 0..=8 | 0x0b | 0x0e..=0x1a | 0x1c..=0x1f | 0x7f)
}

/// A content on its way out.
struct Reading {
    source: BoxStream<'static, io::Result<Bytes>>,
    opener: Opener,
}

impl Reading {
    async fn next(&mut self) -> Result<Option<Bytes>, Failed> {
        loop {
            if let Some(piece) = self.opener.piece() {
                return piece.map(|piece| Some(piece.into())).map_err(|_| Failed::Broken);
            }
            match self.source.next().await {
                Some(Ok(bytes)) => self.opener.feed(&bytes),
                Some(Err(why)) if why.kind() == io::ErrorKind::NotFound => return Err(Failed::Gone),
                Some(Err(why)) => return Err(Failed::Away(why.to_string())),
                None => {
                    let last = self.opener.last().transpose().map_err(|_| Failed::Broken)?;
                    return Ok(last.map(Bytes::from));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(content: &[u8], step: usize) -> impl Stream<Item = Result<Bytes, io::Error>> + Unpin + use<> {
        let parts: Vec<_> = content.chunks(step).map(|part| Ok(Bytes::copy_from_slice(part))).collect();
        stream::iter(parts)
    }

    fn key() -> ContentKey {
        ContentKey::new([3; 32])
    }

    #[tokio::test]
    async fn what_was_written_is_read_and_the_folder_does_not_show_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let storage = Storage::folder(&folder.path().join("files")).expect("a store");
        let content = "a secret line\n".repeat(20_000);
        let kept = storage.put("o/1", &key(), 1 << 20, parts(content.as_bytes(), 1_000)).await.expect("writes");
        assert_eq!(kept.bytes, content.len() as u64);
        assert_eq!(kept.sha256, hex::encode(Sha256::digest(content.as_bytes())));
        assert!(kept.text && kept.head == content.as_bytes()[..HEAD]);
        assert_eq!(storage.get_whole("o/1", &key()).await.expect("reads"), content.as_bytes());
        let raw = fs::read(folder.path().join("files/o/1")).expect("a file");
        assert!(!raw.windows(13).any(|part| part == b"a secret line"));
        storage.remove("o/1").await.expect("removes");
        storage.remove("o/1").await.expect("is removed already");
        assert!(matches!(storage.get("o/1", &key()).await, Err(Failed::Gone)));
    }

    #[tokio::test]
    async fn what_is_too_large_empty_or_cut_leaves_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let storage = Storage::folder(folder.path()).expect("a store");
        let exact = storage.put("o/exact", &key(), 100_000, parts(&[1; 100_000], 999)).await.expect("fits");
        assert_eq!((exact.bytes, exact.text), (100_000, false));
        let refused = storage.put("o/large", &key(), 99_999, parts(&[1; 100_000], 999)).await;
        assert!(matches!(refused, Err(Failed::TooLarge)), "{refused:?}");
        let refused = storage.put("o/empty", &key(), 10, parts(&[], 1)).await;
        assert!(matches!(refused, Err(Failed::Empty)), "{refused:?}");
        let cut = stream::iter([Ok(Bytes::from_static(b"half")), Err(io::Error::other("gone"))]);
        let refused = storage.put("o/cut", &key(), 10, cut).await;
        assert!(matches!(refused, Err(Failed::Cut(_))), "{refused:?}");
        let left: Vec<_> = fs::read_dir(folder.path().join("o")).expect("a folder").flatten().collect();
        assert_eq!(left.iter().map(|file| file.file_name()).collect::<Vec<_>>(), ["exact"]);
    }

    #[tokio::test]
    async fn what_was_tampered_with_is_broken_and_a_store_that_cannot_be_written_is_away() {
        let folder = tempfile::tempdir().expect("a folder");
        let storage = Storage::folder(folder.path()).expect("a store");
        storage.put("o/1", &key(), 1 << 20, parts(b"content", 3)).await.expect("writes");
        let path = folder.path().join("o/1");
        let mut raw = fs::read(&path).expect("a file");
        raw[2] ^= 1;
        fs::write(&path, raw).expect("writes");
        assert!(matches!(storage.get("o/1", &key()).await, Err(Failed::Broken)));
        fs::write(folder.path().join("file"), "a file where a folder should be").expect("writes");
        let blocked = Storage::folder(&folder.path().join("file")).expect("a store");
        assert!(matches!(blocked.put("o/1", &key(), 10, parts(b"x", 1)).await, Err(Failed::Away(_))));
        assert!(matches!(Storage::absent().put("o/1", &key(), 10, parts(b"x", 1)).await, Err(Failed::Away(_))));
    }
}
