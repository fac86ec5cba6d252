//! Inviting someone of a client, and coming in by the invitation.

use chrono::TimeDelta;
use domain::{
    ClientId, Error, PageRequest, PortalAct, PortalRole, PortalState, PortalUserId, Problem, Result, valid_email,
    valid_name,
};
use persistence::{PortalUserFilter, PortalUserRow, Store, Tx};
use secrecy::{ExposeSecret, SecretString};

use super::{
    links::{LinkKind, follow, look_up},
    mail,
    passwords::NEXT_MAIL,
    require_over,
};
use crate::{Gate, RequestMeta, passwords::password_problem, tokens::session_token};

/// How long an invitation is good.
pub const INVITATION_LASTS: TimeDelta = TimeDelta::days(7);
/// Invitations of a client that are open at most before a Manager may send another.
const OPEN_INVITATIONS: i64 = 50;

/// Who is to be invited; nothing is checked yet.
#[derive(Clone, Debug)]
pub struct NewPortalUser {
    /// The client whose person it is.
    pub client: ClientId,
    /// Address.
    pub email: String,
    /// Name.
    pub name: String,
    /// Role.
    pub role: PortalRole,
}

/// Invites someone, or invites again who has not come yet: the link before is void then. The caller commits. Conflicts:
/// `clientone_disabled`, and `email_taken` where the organisation has another account of the address. `base` is where
/// ClientOne is; the token goes into the mail and nowhere else.
pub async fn portal_user_invite(tx: &Tx, gate: &Gate, base: &str, new: NewPortalUser) -> Result<PortalUserRow> {
    require_over(tx.context(), new.role)?;
    let mut problems: Vec<Problem> = Vec::new();
    let name = valid_name("/name", &new.name).map_err(|problem| problems.push(problem));
    let email = valid_email("/email", &new.email).map_err(|problem| problems.push(problem));
    let (Ok(name), Ok(email)) = (name, email) else { return Err(Error::Invalid(problems)) };
    let known = tx.portal_user_by_email(&email).await?.filter(|user| user.client_id == new.client);
    tx.client(new.client).await?;
    require_enabled(tx, new.client).await?;
    let Some(before) = known else {
        require_few_open(tx, new.client).await?;
        let token = session_token(gate.passwords.chance(), tx.organisation());
        let user = PortalUserRow {
            organisation: tx.organisation(),
            id: tx.new_id(),
            client_id: new.client,
            email,
            name,
            phone: None,
            role: new.role,
            state: PortalState::Invited,
            password_hash: None,
            link_hash: Some(token.hash),
            link_made_at: Some(tx.now()),
            accepted_at: None,
            deactivated_at: None,
            signed_in_at: None,
            created_at: tx.now(),
            updated_at: tx.now(),
            version: 1,
        };
        tx.portal_user_insert(&user).await?;
        mail::invitation(tx, &user, base, &token.text).await?;
        return Ok(user);
    };
    if before.state != PortalState::Invited {
        return Err(Error::conflict("email_taken", "There is already an account of this e-mail address."));
    }
    require_over(tx.context(), before.role)?;
    send_again(tx, gate, base, &before, PortalUserRow { name, role: new.role, ..before.clone() }).await
}

/// Sends an invitation again; the link before is void. The caller commits.
pub async fn portal_invitation_resend(tx: &Tx, gate: &Gate, base: &str, id: PortalUserId) -> Result<PortalUserRow> {
    let before = tx.portal_user(id).await?;
    require_over(tx.context(), before.role)?;
    tx.client(before.client_id).await?;
    require_enabled(tx, before.client_id).await?;
    send_again(tx, gate, base, &before, before.clone()).await
}

async fn send_again(
    tx: &Tx,
    gate: &Gate,
    base: &str,
    before: &PortalUserRow,
    after: PortalUserRow,
) -> Result<PortalUserRow> {
    before.state.after(PortalAct::Reinvite)?;
    if let Some(made) = before.link_made_at.filter(|made| tx.now() - *made < NEXT_MAIL) {
        let retry_after = (made + NEXT_MAIL - tx.now()).num_seconds().max(1);
        return Err(Error::TooMany { retry_after: retry_after.unsigned_abs() });
    }
    let token = session_token(gate.passwords.chance(), tx.organisation());
    let after = PortalUserRow { link_hash: Some(token.hash), link_made_at: Some(tx.now()), ..after };
    let user = tx.portal_user_update(before, after).await?;
    mail::invitation(tx, &user, base, &token.text).await?;
    Ok(user)
}

/// Refuses a Manager who has invited many people that have not come yet: the letters go out in the MSP's name.
async fn require_few_open(tx: &Tx, client: ClientId) -> Result<()> {
    if tx.context().permissions.portal_role().is_none() {
        return Ok(());
    }
    let open = PortalUserFilter { client: Some(client), state: Some(PortalState::Invited), ..Default::default() };
    if tx.portal_user_list(&open, &PageRequest { limit: 1, after: None }).await?.total < OPEN_INVITATIONS {
        return Ok(());
    }
    let message = format!("{OPEN_INVITATIONS} people have not accepted yet: revoke some invitations first.");
    Err(Error::conflict("too_many_invited", message))
}

async fn require_enabled(tx: &Tx, client: ClientId) -> Result<()> {
    if tx.portal_config(client).await?.enabled {
        return Ok(());
    }
    Err(Error::conflict("clientone_disabled", "ClientOne is not enabled for this client: enable it first."))
}

/// Takes an invitation back at once: the link is void and the account gone. The caller commits.
pub async fn portal_invitation_revoke(tx: &Tx, id: PortalUserId) -> Result<PortalUserRow> {
    let user = tx.portal_user(id).await?;
    require_over(tx.context(), user.role)?;
    user.state.after(PortalAct::Revoke)?;
    tx.portal_user_delete(&user).await?;
    Ok(user)
}

/// Comes in by an invitation: the account is active, and signs in with this password from now on. The conflict
/// `link_gone` for every link that is no good.
pub async fn portal_invitation_accept(
    store: &Store,
    gate: &Gate,
    token: &str,
    name: &str,
    password: &SecretString,
    request: &RequestMeta,
) -> Result<()> {
    let found = look_up(store, token, LinkKind::Invitation, request).await?;
    let mut problems: Vec<Problem> = Vec::new();
    let name = valid_name("/name", name).map_err(|problem| problems.push(problem));
    problems.extend(password_problem("/password", password, &found.email));
    let (Ok(name), true) = (name, problems.is_empty()) else { return Err(Error::Invalid(problems)) };
    let hash = gate.passwords.hash(password).await?;
    let (tx, before) = follow(store, &found, LinkKind::Invitation, request).await?;
    if !tx.portal_config(before.client_id).await?.settings.auth_mode.takes_password() {
        let message = "Your company signs in through its identity provider: accept the invitation by that.";
        return Err(Error::conflict("sso_only", message));
    }
    let Some(state) = before.state.after(PortalAct::Accept)? else {
        return Err(Error::internal("an accepted account was to be gone"));
    };
    let after = PortalUserRow {
        name,
        state,
        password_hash: Some(hash.expose_secret().to_owned()),
        link_hash: None,
        link_made_at: None,
        accepted_at: Some(tx.now()),
        ..before.clone()
    };
    tx.portal_user_update(&before, after).await?;
    tx.commit("portal_invitation_accept", None).await.map(drop)
}
