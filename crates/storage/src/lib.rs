//! Where the content of files is: a folder, or a bucket of an S3-compatible store.
//!
//! * `store.rs`: writing, reading and removing content as streams. What is written is sealed on the way, so the store
//!   holds nothing that can be read without the database and its sealing keys.
//! * `seal.rs`: the sealing of a stream (XChaCha20-Poly1305 in the STREAM construction).
//! * `kind.rs`: which kind of file it is, by its content; the name must agree.
//!
//! Nothing here knows organisations or clients: a key is a path that the caller makes of ids. Rows are the truth:
//! content without a row is never shown, and is removed by the worker.
//!
//! **A new kind of file**: a line in `kind.rs`. **Another store**: a constructor of [`Storage`].

mod kind;
mod seal;
mod store;

pub use kind::{Misfit, fits, taken};
pub use seal::ContentKey;
pub use store::{Content, Failed, Kept, S3, Storage};
