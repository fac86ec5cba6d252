//! Staff who come in through an identity provider.

use domain::{Account, Context, Error, InvitationState, Outcome, Result, SessionId, SsoLink, StaffId, valid_name};
use persistence::{InvitationRow, PendingSessionRow, SsoAttemptRow, StaffRow, Tx};
use sha2::{Digest, Sha256};

use super::finish::{Arrived, no_account, over};
use crate::{
    FirstStep, gate::staff_context, invitations::link_over, second_factor::has_second_factor,
    second_step::pending_create_proved, session_open, sign_in::session_insert,
};

/// What a pending sign-in holds of the link that was right: with the link it is void.
pub(crate) fn trace(link: &SsoLink) -> Vec<u8> {
    Sha256::digest(format!("sso link {}", link.id)).to_vec()
}

/// Whether a pending sign-in of an account came through a link that it still has, at a provider that is still on.
pub(crate) async fn linked_by(tx: &Tx, account: Account, pending: &PendingSessionRow) -> Result<bool> {
    for link in tx.sso_links_of(account).await? {
        if trace(&link) == pending.proof {
            let provider = tx.sso_provider_used(link.provider_id).await?;
            return Ok(provider.is_some_and(|provider| provider.enabled));
        }
    }
    Ok(false)
}

fn admitted(arrived: &Arrived<'_>) -> Result<()> {
    let tenant = arrived.identity.tenant.as_deref();
    if arrived.provider.admits(tenant, None, arrived.mapped) { Ok(()) } else { Err(no_account()) }
}

/// Signs in whoever's account this identity opens.
pub(super) async fn enter(arrived: &Arrived<'_>) -> Result<FirstStep> {
    admitted(arrived)?;
    let request = arrived.origin.request;
    let tx = arrived.store.read(Context::worker(arrived.organisation, arrived.now, request.request_id.clone())).await?;
    let link = arrived.link(&tx).await?.ok_or_else(no_account)?;
    let found = tx.staff(StaffId(link.account.id)).await?;
    tx.rollback().await?;
    let tx = arrived.store.begin(staff_context(&found, arrived.now, request)).await?;
    tx.team_lock().await?;
    arrived.still(&tx).await?;
    // Again, now that nobody can unlink or suspend.
    if arrived.link(&tx).await?.is_none_or(|again| again.id != link.id) {
        return Err(no_account());
    }
    let staff = tx.staff(found.id).await?;
    first_step(arrived, tx, staff, &link, "signed in through an identity provider").await
}

/// A session, or a pending one where a second factor of ours is due. What `tx` changed is committed with it.
async fn first_step(arrived: &Arrived<'_>, tx: Tx, staff: StaffRow, link: &SsoLink, how: &str) -> Result<FirstStep> {
    if staff.suspended_at.is_some() {
        return Err(Error::Unauthenticated);
    }
    if !arrived.trusted() && has_second_factor(&tx, staff.id.into()).await? {
        let pending = pending_create_proved(&tx, arrived.gate, staff.id.into(), trace(link)).await?;
        let reason = "the identity provider vouches, a second factor is to come";
        tx.commit_attempt("session_create", Outcome::Done, reason).await?;
        return Ok(FirstStep::SecondFactor(pending));
    }
    let signed_in = session_insert(&tx, arrived.store, arrived.gate, staff, &arrived.proved_origin()).await?;
    tx.commit_attempt("session_create", Outcome::Done, how).await?;
    Ok(FirstStep::Session(Box::new(signed_in)))
}

/// Links the account that is signed in, in the very session that asked for it.
pub(super) async fn link(arrived: &Arrived<'_>, attempt: &SsoAttemptRow, session: Option<&str>) -> Result<SsoLink> {
    admitted(arrived)?;
    let request = arrived.origin.request;
    let open = session_open(arrived.store, arrived.gate, session.unwrap_or_default(), request).await?;
    let open = open.filter(|open| {
        let same = attempt.account_id == Some(open.staff.id.0) && attempt.session_id == Some(open.session.id.0);
        same && open.staff.organisation == arrived.organisation && !open.session.enrolment
    });
    let Some(open) = open else { return Err(over()) };
    let (staff, context) = (open.staff, open.tx.context().clone());
    drop(open.tx);
    let tx = arrived.store.begin(context).await?;
    tx.team_lock().await?;
    arrived.still(&tx).await?;
    require_session(&tx, staff.id, attempt).await?;
    if let Some(link) = free(arrived, &tx).await? {
        return if link.account == staff.id.into() { Ok(link) } else { Err(taken()) };
    }
    let link = arrived.make_link(&tx, staff.id.into(), None).await?;
    tx.commit("sso_link_create", None).await?;
    Ok(link)
}

/// The session must not have ended meanwhile, nor its owner been suspended.
async fn require_session(tx: &Tx, staff: StaffId, attempt: &SsoAttemptRow) -> Result<()> {
    let sessions = tx.session_list(staff).await?;
    let there = attempt.session_id.is_some_and(|id| sessions.iter().any(|session| session.id == SessionId(id)));
    if there && tx.staff(staff).await?.suspended_at.is_none() { Ok(()) } else { Err(over()) }
}

/// The link that this identity has. One of somebody who was removed from the team goes: they may come again.
async fn free(arrived: &Arrived<'_>, tx: &Tx) -> Result<Option<SsoLink>> {
    let Some(link) = arrived.link(tx).await? else { return Ok(None) };
    if tx.staff(StaffId(link.account.id)).await?.removed_at.is_none() {
        return Ok(Some(link));
    }
    tx.sso_link_delete(&link).await?;
    Ok(None)
}

fn taken() -> Error {
    Error::conflict("linked_already", "This identity opens another account already.")
}

/// Accepts an invitation to the team: the account has no password, and is opened by this identity.
pub(super) async fn accept(arrived: &Arrived<'_>, attempt: &SsoAttemptRow) -> Result<FirstStep> {
    admitted(arrived)?;
    let hash = attempt.invitation_hash.as_deref().ok_or_else(over)?;
    let (store, request, now) = (arrived.store, arrived.origin.request, arrived.now);
    let pending = |row: &InvitationRow| row.state(now) == InvitationState::Pending;
    let tx = store.read(Context::worker(arrived.organisation, now, request.request_id.clone())).await?;
    let found = tx.invitation_by_token(hash).await?.filter(pending).ok_or_else(link_over)?;
    tx.rollback().await?;
    let id = StaffId(store.chance().id(now));
    let staff = |invitation: &InvitationRow| StaffRow {
        organisation: arrived.organisation,
        id,
        email: invitation.email.clone(),
        name: invitation.name.clone(),
        role: invitation.role,
        custom_role: None,
        password_hash: None,
        allow_clients: invitation.allow_clients.clone(),
        deny_clients: invitation.deny_clients.clone(),
        suspended_at: None,
        removed_at: None,
        created_at: now,
        updated_at: now,
        version: 1,
    };
    let tx = store.begin(staff_context(&staff(&found), now, request)).await?;
    tx.team_lock().await?;
    arrived.still(&tx).await?;
    // Again, now that nobody else can accept, revoke or change it.
    let current = tx.invitation_by_token(hash).await?.filter(pending).ok_or_else(link_over)?;
    if free(arrived, &tx).await?.is_some() {
        return Err(taken());
    }
    let mut made = staff(&current);
    if let Some(name) = arrived.identity.name.as_deref().and_then(|name| valid_name("/name", name).ok()) {
        made.name = name;
    }
    tx.staff_insert(&made).await?;
    let accepted = InvitationRow { accepted_at: Some(now), staff_id: Some(id), ..current.clone() };
    tx.invitation_update(&current, accepted).await?;
    let link = arrived.make_link(&tx, id.into(), None).await?;
    tx.commit("sso_invitation_accept", None).await?;
    // What was accepted stays accepted; the sign-in is an entry of its own.
    let tx = store.begin(staff_context(&made, now, request)).await?;
    tx.team_lock().await?;
    let staff = tx.staff(id).await?;
    first_step(arrived, tx, staff, &link, "accepted an invitation through an identity provider").await
}
