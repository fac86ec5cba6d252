//! Passkeys (WebAuthn) of accounts of any kind: a key that a person's device keeps, bound to this site, and shown only
//! after the device has verified the person. It counts as password and second factor at once.
//!
//! * A ceremony begins with a challenge (`challenge.rs`): kept hashed and sealed, good once and for five minutes, and
//!   answered only by the session or the browser that was asked.
//! * What an answer must fulfil is checked by webauthn-rs: origin, site (RP id), user verification, signature, and a
//!   counter that only grows. The passkey is read anew for it, never as it was when the challenge was made.
//! * The handle that a device keeps for an account names kind, organisation and account, so that a sign-in without a
//!   name is looked up inside one organisation.
//!
//! **Another use of a passkey**: a purpose in `persistence::PasskeyPurpose`, begun by `challenge.rs`, ended by
//! `prove.rs`.

mod challenge;
mod handle;
mod prove;
mod register;
mod sign_in;
mod site;

pub use challenge::{PasskeyBegun, PasskeyChallenge, passkey_proof_start, passkey_sign_in_start};
pub(crate) use prove::passkey_try;
pub use prove::{PasskeyProof, passkey_proof};
pub use register::{
    NewPasskey, PasskeyOwner, passkey_check, passkey_create, passkey_delete, passkey_register_start, passkey_rename,
};
pub(crate) use sign_in::{Claim, claim};
pub use sign_in::{PasskeySignIn, passkey_sign_in};
pub use site::PasskeySite;
