//! Sessions of ClientOne: read at every request, listed, ended.

use domain::{Context, Error, Outcome, PortalConfig, PortalSessionId, PortalState, Result, Timestamp};
use persistence::{PortalSessionRow, PortalUserRow, Store, Tx};

use super::{in_person, open_client, portal_context};
use crate::{Gate, RequestMeta, sessions::NOTED_EVERY, tokens::parse_session};

/// Who is there, and what is on for them.
#[derive(Clone, Debug)]
pub struct Visit {
    /// The session.
    pub session: PortalSessionId,
    /// Whose it is.
    pub user: PortalUserRow,
    /// How ClientOne is set up for their client.
    pub config: PortalConfig,
    /// When they last showed a password or a factor.
    pub proved_at: Timestamp,
    /// Whether the session is only for enrolling a second factor: the caller sees to it that nothing else is done.
    pub enrolment: bool,
}

/// The refusal of anything else within a session that is for enrolling a second factor.
pub fn portal_enrolment_required() -> Error {
    Error::conflict(
        "mfa_enrolment_required",
        "Your provider requires a second factor: set one up first, at /api/clientone/profile/second-factor.",
    )
}

/// Who this token speaks for, with the transaction that looked it up, now theirs; `None` when it is malformed, unknown,
/// expired or unused for too long, its owner is not active, or ClientOne is not enabled for the client. All of that is
/// read anew at every request.
pub async fn portal_session_read(
    store: &Store,
    gate: &Gate,
    token: &str,
    request: &RequestMeta,
) -> Result<Option<(Tx, Visit)>> {
    let Some((organisation, hash)) = parse_session(token) else { return Ok(None) };
    let now = store.clock().now();
    // Only to look the token up: what the caller may do is in the context that it acts under then.
    let tx = store.read(Context::worker(organisation, now, request.request_id.clone())).await?;
    let Some((session, user)) = tx.portal_session_by_token(&hash).await? else { return Ok(None) };
    if !gate.lives(session.expires_at, session.seen_at, now) || user.state != PortalState::Active {
        return Ok(None);
    }
    let Some(config) = open_client(&tx, &user).await? else { return Ok(None) };
    let context = portal_context(&user, now, request);
    if now - session.seen_at >= NOTED_EVERY {
        let (store, context, id) = (store.clone(), context.clone(), session.id);
        gate.mark("the use of a session", async move {
            let tx = store.begin(context).await?;
            tx.portal_session_seen(id).await?;
            tx.commit_unjournalled().await
        });
    }
    let PortalSessionRow { id: session, proved_at, enrolment, .. } = session;
    let visit = Visit { session, user, config, proved_at, enrolment };
    Ok(Some((tx.acting_as(context)?, visit)))
}

/// The caller's own sessions that live, the last used first.
pub async fn portal_session_list(tx: &Tx, gate: &Gate) -> Result<Vec<PortalSessionRow>> {
    let mut sessions = tx.portal_session_list(in_person(tx.context())?).await?;
    sessions.retain(|session| gate.lives(session.expires_at, session.seen_at, tx.now()));
    Ok(sessions)
}

/// Ends one of the caller's own sessions: this is also how one signs out.
pub async fn portal_session_delete(store: &Store, context: Context, session: PortalSessionId) -> Result<()> {
    let user = in_person(&context)?;
    let tx = store.begin(context).await?;
    if !tx.portal_session_list(user).await?.iter().any(|own| own.id == session) {
        return Err(Error::NotFound { what: "session" });
    }
    tx.portal_session_delete(session).await?;
    tx.commit_attempt("portal_session_delete", Outcome::Done, "signed out").await
}

/// Ends the caller's own sessions but this one; returns how many.
pub async fn portal_sessions_delete_others(store: &Store, context: Context, keep: PortalSessionId) -> Result<u64> {
    let user = in_person(&context)?;
    let tx = store.begin(context).await?;
    let ended = tx.portal_sessions_delete(user, Some(keep)).await?;
    if ended > 0 {
        tx.commit_attempt("portal_sessions_delete", Outcome::Done, "ended the other sessions").await?;
    }
    Ok(ended)
}
