//! Signing in through identity providers (OpenID Connect, authorization code with PKCE).
//!
//! * [`sso_start`] sends a browser to the provider; what comes back goes to [`sso_finish`]. Between them is a row that
//!   is found by the hash of the state **and** of a cookie of that browser, works once, and ends after ten minutes.
//! * Which provider is offered depends on what an organisation set up, and on the domain of a typed address; never on
//!   whether there is an account. See [`sso_start`].
//! * An account is found by (issuer, tenant, subject) and by nothing else. It is linked by its owner who is signed in,
//!   by accepting an invitation, or by being made just in time, where the provider says so and the e-mail address is new.
//! * A sign-in through a provider is the first factor. A second factor of ours is asked where the account has one, and
//!   where the organisation requires one it is set up first; unless the provider is trusted for that
//!   ([`domain::SsoProvider::trusts_mfa`]) and says that several factors were shown (`amr` holds `mfa`).
//! * Disabling a provider ends sign-ins through it at once, also those under way; sessions go on. Deleting it ends its
//!   links too.
//!
//! **To take another claim or algorithm**: `token.rs`, and a row in the table of forged tokens in the tests.

mod admin;
mod discovery;
mod finish;
mod links;
mod outside;
mod staff;
mod start;
pub(crate) mod token;
mod trial;

pub use admin::{NewSsoProvider, SsoPatch, sso_provider_create, sso_provider_delete, sso_provider_update};
pub use discovery::Sso;
pub(crate) use finish::{Arrived, no_account, over};
pub use finish::{SsoDone, SsoReturn, sso_finish};
pub use links::{sso_link_delete, sso_link_end, sso_link_list};
pub use outside::{Nowhere, Outside, OutsideAnswer, OutsideRequest};
pub(crate) use staff::{linked_by, trace as link_trace};
pub use start::{SsoAsk, SsoBegun, portal_sso_link_start, sso_link_start, sso_start};
pub use trial::{SsoCheck, SsoFinding, sso_provider_test};
