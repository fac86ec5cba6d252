//! Who may come in: staff, their passwords and sessions, API keys, and the people of clients (`portal/`).
//!
//! * [`sign_in`] turns an address and a password into a session. What every attempt costs the
//!   account and the address it comes from stands in the table of `throttle.rs`.
//!   Where the account has a second factor, [`sign_in_complete`] is the second step.
//! * Second factors, recovery codes, passkeys (`passkeys/`) and pending sign-ins are of a [`domain::Account`], of
//!   whichever kind.
//! * [`session_context`] and [`api_key_context`] turn a token into a [`domain::Context`] at every
//!   request, from the rows as they are then: a right taken away is gone at the next request.
//! * Tokens are random, name their organisation, and are stored as SHA-256 only (`tokens.rs`).
//! * Functions that take a `&Tx` leave the commit to the caller, who previews or applies; those
//!   that take the `&Store` commit themselves, because they note an attempt or check a password.
//!
//! * Letters with links (`invitations.rs`, `password_reset.rs`) leave through the outbox, in the transaction of their cause.
//!
//! * Machines of the organisation's own (`service_accounts.rs`) get short-lived tokens for a secret
//!   (`machine_tokens.rs`); roles of the organisation's own are in `custom_roles.rs`.
//! * Signing in through identity providers is in `sso/`, and what is of the portal alone in `portal/sso.rs`.
//!
//! **A new rule about the team**: `team.rs`, which every change of it passes. **Another way to sign in**: a file beside
//! `sign_in.rs` that ends in `session_insert`, and is charged through `throttle.rs` like it.

mod api_keys;
mod approvals;
mod browser;
mod client_access;
mod custom_roles;
mod gate;
mod invitations;
mod machine_tokens;
mod organisations;
mod passkeys;
mod password_change;
mod password_reset;
mod passwords;
mod portal;
mod rate;
mod reauthenticate;
mod recovery;
mod second_factor;
mod second_step;
mod security;
mod service_accounts;
mod sessions;
mod sign_in;
mod sso;
mod staff;
mod starter;
mod team;
mod throttle;
mod tokens;

pub use api_keys::{
    CreatedKey, NewKey, OpenKey, api_key_context, api_key_create, api_key_list, api_key_open, api_key_revoke,
};
pub use approvals::{
    Came, NewApproval, approval_approve, approval_asker, approval_get, approval_list, approval_reject,
    approval_request, approval_settle, approval_to_approve, approval_to_decide, approval_withdraw,
};
pub use browser::browser_and_system;
pub use client_access::{ClientAccess, client_access_set};
pub use custom_roles::{
    CustomRolePatch, NewCustomRole, custom_role_assign, custom_role_create, custom_role_delete, custom_role_list,
    custom_role_update,
};
pub use gate::{AccessOptions, Gate, RequestMeta};
pub use invitations::{
    INVITATION_LIFE, LinkAnswer, NewInvitation, staff_invitation_accept, staff_invitation_list,
    staff_invitation_revoke, staff_invite,
};
pub use machine_tokens::{IssuedToken, OpenMachine, TokenAsk, TokenRefusal, machine_open, machine_token_issue};
pub use organisations::{NewOrganisation, organisation_create};
pub use passkeys::{
    NewPasskey, PasskeyBegun, PasskeyChallenge, PasskeyOwner, PasskeyProof, PasskeySignIn, PasskeySite, passkey_check,
    passkey_create, passkey_delete, passkey_proof, passkey_proof_start, passkey_register_start, passkey_rename,
    passkey_sign_in, passkey_sign_in_start,
};
pub use password_change::{password_change, staff_password_set};
pub use password_reset::{PasswordResetAsk, RESET_LIFE, password_reset_request, password_reset_set};
pub use passwords::{Cost, Passwords};
pub use portal::{
    EMAIL_CHANGE_LASTS, portal_email_change_cancel, portal_email_change_get, portal_email_change_start,
    portal_email_confirm,
};
pub use portal::{
    INVITATION_LASTS, NewPortalUser, PortalFirstStep, PortalSignedIn, PortalUserPatch, ProfilePatch, RESET_LASTS,
    Visit, portal_enrolment_required, portal_invitation_accept, portal_invitation_resend, portal_invitation_revoke,
    portal_passkey_sign_in, portal_password_change, portal_password_forgot, portal_password_reset,
    portal_profile_update, portal_second_factor_reset, portal_session_delete, portal_session_list, portal_session_read,
    portal_sessions_delete_others, portal_sign_in, portal_sign_in_complete, portal_user_deactivate,
    portal_user_devices_set, portal_user_get, portal_user_invite, portal_user_reactivate, portal_user_update,
};
pub use rate::Rate;
pub use reauthenticate::{
    Proof, portal_reauthentication_required, portal_session_reauthenticate, proof_holds_until, proved_until,
    reauthentication_required, session_reauthenticate,
};
pub use second_factor::{
    SecondFactorState, SecondProof, TotpEnrolment, has_second_factor, recovery_codes_make, second_factor_gained,
    second_factor_required, second_factor_state, second_proof_take, totp_confirm, totp_enrol, totp_remove,
};
pub use second_step::{PendingSignIn, SecondStep, pending_create, sign_in_complete};
pub use security::{SecurityPatch, second_factor_reset, security_settings, security_settings_update};
pub use service_accounts::{
    MadeSecret, NewServiceAccount, ServiceAccountPatch, service_account_create, service_account_delete,
    service_account_get, service_account_list, service_account_secret_create, service_account_secret_delete,
    service_account_update,
};
pub use sessions::{
    OpenSession, enrolment_required, session_context, session_delete, session_list, session_open, session_read,
    sessions_delete_others, staff_sessions_delete,
};
pub use sign_in::{FirstStep, SignIn, SignedIn, sign_in};
pub use sso::{
    NewSsoProvider, Nowhere, Outside, OutsideAnswer, OutsideRequest, Sso, SsoAsk, SsoBegun, SsoCheck, SsoDone,
    SsoFinding, SsoPatch, SsoReturn, portal_sso_link_start, sso_finish, sso_link_delete, sso_link_end, sso_link_list,
    sso_link_start, sso_provider_create, sso_provider_delete, sso_provider_test, sso_provider_update, sso_start,
};
pub use staff::{CheckedStaff, NewStaff, StaffPatch, staff_create, staff_list, staff_update};
pub use starter::starter_context;
pub use team::{ownership_transfer, staff_remove};
pub use throttle::attempts_forget;
pub use tokens::{Environment, client_id, is_access_token, is_api_key};
