//! Accounts of ClientOne: whom a client's people are let in as. Rules:
//!
//! * An account belongs to one client, and nothing it does reaches beyond that ([`portal_session_read`] builds its
//!   context anew at every request, from the rows as they are then).
//! * It is made by invitation only, and only while ClientOne is enabled for the client; or just in time, as a User, where
//!   the client's identity provider is set up so (`sso.rs`). A link is good once and for seven days; sent again it is
//!   another link, and the one before is void.
//! * Who manages ClientOne does everything to it; a client's Manager does some of it to the client's Users, and never
//!   to another Manager: nobody promotes themselves or a colleague.
//! * Rows are locked in one order: portal user, then client.
//!
//! **Another way to sign in** (a second factor, an identity provider): a file beside `sign_in.rs` that ends in its
//! `session_create`, and is charged through `throttle.rs` like it.

mod email;
mod invitations;
mod links;
mod mail;
mod passkeys;
mod passwords;
mod profile;
mod second_step;
mod sessions;
mod sign_in;
pub(crate) mod sso;
mod users;

use std::collections::BTreeSet;

use domain::{
    Actor, ClientScope, Context, Error, Permission, Permissions, PortalConfig, PortalPermission, PortalRole,
    PortalUserId, Reach, Result, Timestamp,
};
use persistence::{PortalUserRow, Tx};

use crate::RequestMeta;

pub use email::{
    EMAIL_CHANGE_LASTS, portal_email_change_cancel, portal_email_change_get, portal_email_change_start,
    portal_email_confirm,
};
pub use invitations::{
    INVITATION_LASTS, NewPortalUser, portal_invitation_accept, portal_invitation_resend, portal_invitation_revoke,
    portal_user_invite,
};
pub use links::RESET_LASTS;
pub(crate) use links::gone as link_gone;
pub use passkeys::portal_passkey_sign_in;
pub use passwords::{portal_password_change, portal_password_forgot, portal_password_reset};
pub use profile::{ProfilePatch, portal_profile_update};
pub use second_step::{portal_second_factor_reset, portal_sign_in_complete};
pub use sessions::{
    Visit, portal_enrolment_required, portal_session_delete, portal_session_list, portal_session_read,
    portal_sessions_delete_others,
};
pub(crate) use sign_in::counted;
pub use sign_in::{PortalFirstStep, PortalSignedIn, portal_sign_in};
pub(crate) use sso::invited_client;
pub use users::{
    PortalUserPatch, portal_user_deactivate, portal_user_devices_set, portal_user_get, portal_user_reactivate,
    portal_user_update,
};

/// The context of a portal user, from the row as it is now: exactly its client.
pub(crate) fn portal_context(user: &PortalUserRow, now: Timestamp, request: &RequestMeta) -> Context {
    Context {
        organisation: user.organisation,
        actor: Actor::PortalUser { id: user.id },
        scope: ClientScope::Only(BTreeSet::from([user.client_id])),
        permissions: Permissions::of_portal(user.role),
        acted_for: None,
        now,
        request_id: request.request_id.clone(),
        source_address: request.source_address.clone(),
        approved: None,
    }
}

/// The portal user who is signed in.
fn in_person(context: &Context) -> Result<PortalUserId> {
    context.actor.portal_user().ok_or(Error::Unauthenticated)
}

/// Refuses whoever may not do something to an account of this role: staff who manage ClientOne may, and Managers over
/// Users of their client. Other clients' accounts are out of a Manager's scope already.
fn require_over(context: &Context, role: PortalRole) -> Result<()> {
    let Some(own) = context.permissions.portal_role() else { return context.require(Permission::ClientoneManage) };
    let permission = PortalPermission::UsersManage;
    if permission.granted_to(own) == Reach::All && role == PortalRole::User {
        Ok(())
    } else {
        Err(Error::PortalForbidden { permission })
    }
}

/// The set-up of a client that is neither deleted nor archived and for which ClientOne is enabled; its row is locked in
/// a transaction that writes, so that enabling and disabling wait. Restoring an archived client lets its people in again.
async fn open_client(tx: &Tx, user: &PortalUserRow) -> Result<Option<PortalConfig>> {
    match tx.client(user.client_id).await {
        Ok(client) if client.archived_at.is_some() => return Ok(None),
        Ok(_) => {}
        Err(Error::NotFound { .. }) => return Ok(None),
        Err(other) => return Err(other),
    }
    let config = tx.portal_config(user.client_id).await?;
    Ok(config.enabled.then_some(config))
}
