//! People of clients who come in through an identity provider.

use domain::{
    ClientId, Context, Error, OrganisationId, Outcome, PortalAct, PortalConfig, PortalRole, PortalState, PortalUserId,
    Result, SsoLink, valid_name,
};
use persistence::{PortalUserRow, SsoAttemptRow, Store, Tx};

use super::{
    PortalFirstStep, PortalSignedIn,
    links::{LinkKind, follow, look_up_hash},
    open_client, portal_context,
    sessions::portal_session_read,
    sign_in::session_insert,
};
use crate::{
    RequestMeta,
    second_factor::has_second_factor,
    second_step::pending_create_proved,
    sso::{Arrived, link_trace, no_account, over},
};

/// The client of an invitation that is good.
pub(crate) async fn invited_client(
    store: &Store,
    organisation: OrganisationId,
    hash: &[u8],
    request: &RequestMeta,
) -> Result<ClientId> {
    Ok(look_up_hash(store, organisation, hash, LinkKind::Invitation, request).await?.client_id)
}

/// The set-up of a client to which this provider opens ClientOne for this identity: it is open, takes identity
/// providers, this is the one that is its, and the tenant is one of its own.
async fn opened(arrived: &Arrived<'_>, tx: &Tx, user: &PortalUserRow) -> Result<PortalConfig> {
    arrived.still(tx).await?;
    let config = open_client(tx, user).await?.filter(|config| config.settings.auth_mode.takes_sso());
    let its_own = tx.sso_provider_for(user.client_id).await?.is_some_and(|its| its.id == arrived.provider.id);
    let tenant = arrived.identity.tenant.as_deref();
    let admitted = arrived.provider.admits(tenant, Some(user.client_id), arrived.mapped);
    config.filter(|_| its_own && admitted).ok_or_else(no_account)
}

/// Signs in whoever's account this identity opens, or makes one just in time.
pub(crate) async fn enter(arrived: &Arrived<'_>) -> Result<PortalFirstStep> {
    let (store, request, now) = (arrived.store, arrived.origin.request, arrived.now);
    let tx = store.read(Context::worker(arrived.organisation, now, request.request_id.clone())).await?;
    let Some(link) = arrived.link(&tx).await? else {
        tx.rollback().await?;
        return newcomer(arrived).await.map(|signed_in| PortalFirstStep::Session(Box::new(signed_in)));
    };
    let found = tx.portal_user(PortalUserId(link.account.id)).await?;
    tx.rollback().await?;
    let tx = store.begin(portal_context(&found, now, request)).await?;
    let user = match tx.portal_user(found.id).await {
        Err(Error::NotFound { .. }) => return Err(no_account()),
        user => user?,
    };
    // Again, now that the account is locked: it may have been unlinked.
    if user.state != PortalState::Active || arrived.link(&tx).await?.is_none_or(|again| again.id != link.id) {
        return Err(no_account());
    }
    opened(arrived, &tx, &user).await?;
    if !arrived.trusted() && has_second_factor(&tx, user.id.into()).await? {
        let pending = pending_create_proved(&tx, arrived.gate, user.id.into(), link_trace(&link)).await?;
        let reason = "the identity provider vouches, a second factor is to come";
        tx.commit_attempt("portal_session_create", Outcome::Done, reason).await?;
        return Ok(PortalFirstStep::SecondFactor(pending));
    }
    let signed_in = session_insert(&tx, store, arrived.gate, user, &arrived.proved_origin()).await?;
    tx.commit_attempt("portal_session_create", Outcome::Done, "signed in through an identity provider").await?;
    Ok(PortalFirstStep::Session(Box::new(signed_in)))
}

/// Makes an account of somebody who has none, where the provider says so: a User of the client that the provider, or the
/// tenant, is of. Never of an address that there is an account of: whose that is, the provider cannot know.
async fn newcomer(arrived: &Arrived<'_>) -> Result<PortalSignedIn> {
    let (store, request, now) = (arrived.store, arrived.origin.request, arrived.now);
    let client = arrived.provider.client_of_newcomer(arrived.mapped).ok_or_else(no_account)?;
    let email = arrived.identity.email.clone().filter(|email| arrived.provider.takes_address(email));
    let email = email.ok_or_else(no_account)?;
    let tx = store.read(Context::worker(arrived.organisation, now, request.request_id.clone())).await?;
    // Within the organisation, whichever client's: the address may be another's.
    let known = tx.portal_user_by_email(&email).await?.is_some();
    tx.rollback().await?;
    if known {
        return Err(no_account());
    }
    let name = arrived.identity.name.as_deref().and_then(|name| valid_name("/name", name).ok());
    let user = PortalUserRow {
        organisation: arrived.organisation,
        id: PortalUserId(store.chance().id(now)),
        client_id: client,
        name: name.unwrap_or_else(|| email.clone()),
        email,
        phone: None,
        role: PortalRole::User,
        state: PortalState::Active,
        password_hash: None,
        link_hash: None,
        link_made_at: None,
        accepted_at: Some(now),
        deactivated_at: None,
        signed_in_at: None,
        created_at: now,
        updated_at: now,
        version: 1,
    };
    let tx = store.begin(portal_context(&user, now, request)).await?;
    opened(arrived, &tx, &user).await?;
    match tx.portal_user_insert(&user).await {
        Err(Error::Conflict { code: "email_taken", .. }) => return Err(no_account()),
        done => done?,
    }
    let link = arrived.make_link(&tx, user.id.into(), Some(client)).await?;
    let signed_in = session_insert(&tx, store, arrived.gate, user, &arrived.proved_origin()).await?;
    tx.commit("portal_sso_account_create", Some(&format!("just in time, by the link {}", link.id))).await?;
    Ok(signed_in)
}

/// Links the account that is signed in, in the very session that asked for it.
pub(crate) async fn link(arrived: &Arrived<'_>, attempt: &SsoAttemptRow, session: Option<&str>) -> Result<SsoLink> {
    let request = arrived.origin.request;
    let open = portal_session_read(arrived.store, arrived.gate, session.unwrap_or_default(), request).await?;
    let open = open.filter(|(_, visit)| {
        let same = attempt.account_id == Some(visit.user.id.0) && attempt.session_id == Some(visit.session.0);
        same && visit.user.organisation == arrived.organisation && !visit.enrolment
    });
    let Some((tx, visit)) = open else { return Err(over()) };
    let context = tx.context().clone();
    drop(tx);
    let tx = arrived.store.begin(context).await?;
    let user = tx.portal_user(visit.user.id).await?;
    let there = tx.portal_session_list(user.id).await?.iter().any(|session| session.id == visit.session);
    if !there || user.state != PortalState::Active {
        return Err(over());
    }
    opened(arrived, &tx, &user).await?;
    if let Some(link) = arrived.link(&tx).await? {
        return if link.account == user.id.into() { Ok(link) } else { Err(taken()) };
    }
    let link = arrived.make_link(&tx, user.id.into(), Some(user.client_id)).await?;
    tx.commit("portal_sso_link_create", None).await?;
    Ok(link)
}

fn taken() -> Error {
    Error::conflict("linked_already", "This identity opens another account already.")
}

/// Accepts an invitation: the account is active, has no password, and is opened by this identity.
pub(crate) async fn accept(arrived: &Arrived<'_>, attempt: &SsoAttemptRow) -> Result<PortalSignedIn> {
    let (store, request) = (arrived.store, arrived.origin.request);
    let hash = attempt.invitation_hash.as_deref().ok_or_else(over)?;
    let found = look_up_hash(store, arrived.organisation, hash, LinkKind::Invitation, request).await?;
    let (tx, before) = follow(store, &found, LinkKind::Invitation, request).await?;
    opened(arrived, &tx, &before).await?;
    if arrived.link(&tx).await?.is_some() {
        return Err(taken());
    }
    let Some(state) = before.state.after(PortalAct::Accept)? else {
        return Err(Error::internal("an accepted account was to be gone"));
    };
    let name = arrived.identity.name.as_deref().and_then(|name| valid_name("/name", name).ok());
    let after = PortalUserRow {
        name: name.unwrap_or_else(|| before.name.clone()),
        state,
        link_hash: None,
        link_made_at: None,
        accepted_at: Some(tx.now()),
        ..before.clone()
    };
    let user = tx.portal_user_update(&before, after).await?;
    arrived.make_link(&tx, user.id.into(), Some(user.client_id)).await?;
    let signed_in = session_insert(&tx, store, arrived.gate, user, &arrived.proved_origin()).await?;
    tx.commit("portal_sso_accept", None).await?;
    Ok(signed_in)
}
