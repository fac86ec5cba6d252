//! Who may come in: staff, their passwords and sessions, and API keys.
//!
//! * [`sign_in`] turns an address and a password into a session. What every attempt costs the
//!   account and the address it comes from stands in the table of `throttle.rs`.
//!   Where the account has a second factor, [`sign_in_complete`] is the second step.
//! * Second factors, recovery codes and pending sign-ins are of a [`domain::Account`], of whichever kind.
//! * [`session_context`] and [`api_key_context`] turn a token into a [`domain::Context`] at every
//!   request, from the rows as they are then: a right taken away is gone at the next request.
//! * Tokens are random, name their organisation, and are stored as SHA-256 only (`tokens.rs`).
//! * Functions that take a `&Tx` leave the commit to the caller, who previews or applies; those
//!   that take the `&Store` commit themselves, because they note an attempt or check a password.
//!
//! **A new rule about the team**: `staff.rs`. **Another way to sign in**: a file beside
//! `sign_in.rs` that ends in `session_insert`, and is charged through `throttle.rs` like it.

mod api_keys;
mod browser;
mod gate;
mod organisations;
mod password_change;
mod passwords;
mod rate;
mod reauthenticate;
mod recovery;
mod second_factor;
mod second_step;
mod security;
mod sessions;
mod sign_in;
mod staff;
mod throttle;
mod tokens;

pub use api_keys::{
    CreatedKey, NewKey, OpenKey, api_key_context, api_key_create, api_key_list, api_key_open, api_key_revoke,
};
pub use browser::browser_and_system;
pub use gate::{AccessOptions, Gate, RequestMeta};
pub use organisations::{NewOrganisation, organisation_create};
pub use password_change::{password_change, staff_password_set};
pub use passwords::{Cost, Passwords};
pub use rate::Rate;
pub use reauthenticate::{Proof, proved_until, reauthentication_required, session_reauthenticate};
pub use second_factor::{
    SecondFactorState, SecondProof, TotpEnrolment, has_second_factor, recovery_codes_make, second_factor_state,
    second_proof_take, totp_confirm, totp_enrol, totp_remove,
};
pub use second_step::{PendingSignIn, SecondStep, pending_create, pending_take, sign_in_complete};
pub use security::{SecurityPatch, second_factor_reset, security_settings, security_settings_update};
pub use sessions::{
    OpenSession, enrolment_required, session_context, session_delete, session_list, session_open, session_read,
    sessions_delete_others, staff_sessions_delete,
};
pub use sign_in::{FirstStep, SignIn, SignedIn, sign_in};
pub use staff::{CheckedStaff, NewStaff, StaffPatch, staff_create, staff_list, staff_update};
pub use throttle::attempts_forget;
pub use tokens::{Environment, is_api_key};
