//! Invitations to the team: a letter with a link that works once, for seven days. Of its token only the hash is stored.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use domain::{
    ClientId, Context, Error, InvitationState, Letter, Permission, Permissions, Result, Role, StaffId,
    StaffInvitationId, valid_email, valid_name,
};
use persistence::{InvitationRow, NewMail, StaffRow, Store, Tx};
use secrecy::{ExposeSecret, SecretString};

use crate::{
    Gate, RequestMeta,
    gate::staff_context,
    passwords::password_problem,
    staff::check_clients,
    team::require_covers,
    throttle,
    tokens::{Link, link_token, parse_link},
};

/// How long an invitation can be accepted.
pub const INVITATION_LIFE: TimeDelta = TimeDelta::days(7);

/// What it takes to invite someone; nothing is checked yet.
#[derive(Clone, Debug)]
pub struct NewInvitation {
    /// Name.
    pub name: String,
    /// Address.
    pub email: String,
    /// Role they will have.
    pub role: Role,
    /// Clients they will see; none means all.
    pub allow_clients: Option<BTreeSet<ClientId>>,
    /// Clients they will not see; beats the former.
    pub deny_clients: BTreeSet<ClientId>,
}

/// Invites someone by a letter whose link leads to `page`, an address of ours to which the token is added as a
/// fragment: it never reaches a log. An address that was invited already, and has not accepted, gets a new letter and the
/// old link works no more. The caller commits (`staff_invite`).
pub async fn staff_invite(tx: &Tx, gate: &Gate, new: NewInvitation, page: &str) -> Result<InvitationRow> {
    let context = tx.context();
    context.require(Permission::TeamManage)?;
    let mut problems = Vec::new();
    let name = valid_name("/name", &new.name).map_err(|problem| problems.push(problem));
    let email = valid_email("/email", &new.email).map_err(|problem| problems.push(problem));
    let (Ok(name), Ok(email)) = (name, email) else { return Err(Error::Invalid(problems)) };
    tx.team_lock().await?;
    require_covers(context, Permissions::of(new.role))?;
    let NewInvitation { role, allow_clients, deny_clients, .. } = new;
    let wanted = future(tx, tx.new_id(), &email, &name, role, &allow_clients, &deny_clients);
    check_clients(tx, None, &wanted).await?;
    if tx.staff_list().await?.iter().any(|other| other.email.to_lowercase() == email.to_lowercase()) {
        return Err(Error::conflict("email_taken", "Someone of the team already has this e-mail address."));
    }
    let token = link_token(Link::Invitation, gate.passwords.chance(), tx.organisation());
    let before = tx.invitation_open(&email).await?;
    let row = InvitationRow {
        id: before.as_ref().map_or_else(|| tx.new_id(), |before| before.id),
        email,
        name,
        role,
        allow_clients,
        deny_clients,
        token_hash: token.hash,
        sent: before.as_ref().map_or(0, |before| before.sent) + 1,
        created_at: before.as_ref().map_or(tx.now(), |before| before.created_at),
        created_by: context.actor.staff(),
        expires_at: tx.now() + INVITATION_LIFE,
        accepted_at: None,
        revoked_at: None,
        staff_id: None,
        version: 1,
    };
    let row = match before {
        Some(before) => {
            require_covers(context, Permissions::of(before.role))?;
            tx.invitation_update(&before, row).await?
        }
        None => {
            tx.invitation_insert(&row).await?;
            row
        }
    };
    let (organisation, _) = tx.organisation_name().await?;
    let inviter = match context.actor.staff() {
        Some(id) => tx.staff(id).await?.name,
        None => organisation.clone(),
    };
    let letter = Letter::StaffInvitation {
        organisation,
        name: row.name.clone(),
        inviter,
        link: format!("{page}#{}", token.text.expose_secret()),
        expires_at: row.expires_at,
    };
    let mail = NewMail {
        recipient: row.email.clone(),
        recipient_name: Some(row.name.clone()),
        letter,
        key: format!("staff_invitation:{}:{}", row.id, row.sent),
        send_before: Some(row.expires_at),
    };
    tx.mail_enqueue(&mail).await?;
    Ok(row)
}

/// The staff user that an invitation would become.
fn future(
    tx: &Tx,
    id: StaffId,
    email: &str,
    name: &str,
    role: Role,
    allow_clients: &Option<BTreeSet<ClientId>>,
    deny_clients: &BTreeSet<ClientId>,
) -> StaffRow {
    StaffRow {
        organisation: tx.organisation(),
        id,
        email: email.to_owned(),
        name: name.to_owned(),
        role,
        custom_role: None,
        password_hash: None,
        allow_clients: allow_clients.clone(),
        deny_clients: deny_clients.clone(),
        suspended_at: None,
        removed_at: None,
        created_at: tx.now(),
        updated_at: tx.now(),
        version: 1,
    }
}

/// Invitations, the newest first; those that were accepted or revoked included.
pub async fn staff_invitation_list(tx: &Tx) -> Result<Vec<InvitationRow>> {
    tx.context().require(Permission::TeamManage)?;
    tx.invitation_list().await
}

/// Takes an invitation back: its link works no more, at once. The caller commits (`staff_invitation_revoke`).
pub async fn staff_invitation_revoke(tx: &Tx, id: StaffInvitationId) -> Result<InvitationRow> {
    tx.context().require(Permission::TeamManage)?;
    tx.team_lock().await?;
    let before = tx.invitation(id).await?;
    require_covers(tx.context(), Permissions::of(before.role))?;
    match before.state(tx.now()) {
        InvitationState::Revoked => return Ok(before),
        InvitationState::Accepted => {
            return Err(Error::conflict("accepted", "It was accepted already: suspend or remove the staff user."));
        }
        InvitationState::Pending | InvitationState::Expired => {}
    }
    let after = InvitationRow { revoked_at: Some(tx.now()), ..before.clone() };
    tx.invitation_update(&before, after).await
}

/// What it takes to accept an invitation or to set a password by a link.
#[derive(Clone, Debug)]
pub struct LinkAnswer {
    /// The token of the link.
    pub token: SecretString,
    /// The new password.
    pub password: SecretString,
    /// Name; that of the invitation unless given.
    pub name: Option<String>,
    /// Request id and source address.
    pub request: RequestMeta,
}

/// The one answer to every link that does not work.
pub(crate) fn link_over() -> Error {
    Error::conflict("link_over", "This link is wrong, was used, or is over. Ask for a new one.")
}

/// Accepts an invitation: makes the staff user, who then signs in. A wrong, used, revoked or expired token is the same
/// conflict `link_over`; tries are counted like sign-ins.
pub async fn staff_invitation_accept(store: &Store, gate: &Gate, answer: LinkAnswer) -> Result<StaffRow> {
    let across = store.across().await?;
    let (token, address) = (answer.token.expose_secret(), answer.request.source_address.as_deref());
    let admission = throttle::admit_link(&across, token, address, store.clock().now()).await?;
    across.commit().await?;
    let Some((organisation, hash)) = parse_link(Link::Invitation, token) else { return Err(link_over()) };
    let now = store.clock().now();
    let tx = store.read(Context::worker(organisation, now, answer.request.request_id.clone())).await?;
    let found = tx.invitation_by_token(&hash).await?.filter(|row| row.state(now) == InvitationState::Pending);
    let invitation = found.ok_or_else(link_over)?;
    drop(tx);
    // From here on the token is known to be right: it is no guess.
    admission.refund(store).await?;
    let mut problems = Vec::new();
    let name = answer.name.as_deref().unwrap_or(&invitation.name);
    let name = valid_name("/name", name).map_err(|problem| problems.push(problem));
    problems.extend(password_problem("/password", &answer.password, &invitation.email));
    let (Ok(name), true) = (name, problems.is_empty()) else { return Err(Error::Invalid(problems)) };
    let password = gate.passwords.hash(&answer.password).await?;
    let id = StaffId(store.chance().id(now));
    let mut staff = StaffRow {
        organisation,
        id,
        email: invitation.email.clone(),
        name,
        role: invitation.role,
        custom_role: None,
        password_hash: Some(password.expose_secret().to_owned()),
        allow_clients: invitation.allow_clients.clone(),
        deny_clients: invitation.deny_clients.clone(),
        suspended_at: None,
        removed_at: None,
        created_at: now,
        updated_at: now,
        version: 1,
    };
    let tx = store.begin(staff_context(&staff, now, &answer.request)).await?;
    tx.team_lock().await?;
    // Again, now that nobody else can accept, revoke or change it.
    let current = tx.invitation_by_token(&hash).await?.filter(|row| row.state(now) == InvitationState::Pending);
    let current = current.ok_or_else(link_over)?;
    staff.role = current.role;
    staff.allow_clients = current.allow_clients.clone();
    staff.deny_clients = current.deny_clients.clone();
    tx.staff_insert(&staff).await?;
    let accepted = InvitationRow { accepted_at: Some(now), staff_id: Some(id), ..current.clone() };
    tx.invitation_update(&current, accepted).await?;
    tx.commit("staff_invitation_accept", None).await?;
    Ok(staff)
}
