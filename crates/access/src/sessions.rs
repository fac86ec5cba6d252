//! Sessions: read at every request, listed, ended.

use chrono::TimeDelta;
use domain::{Context, Error, Outcome, Permission, Result, SessionId, StaffId, Timestamp};
use persistence::{SessionRow, StaffRow, Store, Tx};

use crate::{
    Gate, RequestMeta,
    gate::{in_person, staff_context},
    staff::require_over,
    tokens::parse_session,
};

/// A session's and a key's last use is noted at most this often.
pub(crate) const NOTED_EVERY: TimeDelta = TimeDelta::minutes(1);

impl Gate {
    /// Whether a session may still be used.
    pub(crate) fn is_live(&self, session: &SessionRow, now: Timestamp) -> bool {
        now < session.expires_at && now < self.idle_ends_at(session)
    }

    /// The same for a session that no organisation's setting is about.
    pub(crate) fn lives(&self, expires_at: Timestamp, seen_at: Timestamp, now: Timestamp) -> bool {
        now < expires_at && now - seen_at < self.options.session_idle
    }

    /// When a session ends if it is not used.
    pub fn idle_ends_at(&self, session: &SessionRow) -> Timestamp {
        let own = session.idle_minutes.map(|minutes| TimeDelta::minutes(minutes.into()));
        session.seen_at + own.unwrap_or(self.options.session_idle)
    }
}

/// Who this session token speaks for; `None` when it is malformed, unknown, expired, unused for
/// too long, or its owner is suspended.
pub async fn session_context(
    store: &Store,
    gate: &Gate,
    token: &str,
    request: &RequestMeta,
) -> Result<Option<(Context, SessionId, StaffRow)>> {
    let found = session_read(store, gate, token, request).await?;
    Ok(found.map(|(tx, session, staff)| (tx.context().clone(), session, staff)))
}

/// The refusal of anything else within a session that is for enrolling a second factor.
pub fn enrolment_required() -> Error {
    Error::conflict(
        "mfa_enrolment_required",
        "Your organisation requires a second factor: set up an authenticator app first, at /api/me/second-factor.",
    )
}

/// A session that lives, looked up by its token.
pub struct OpenSession {
    /// A transaction of its owner, which only reads.
    pub tx: Tx,
    /// The session. Where it is for enrolling only, the caller sees to it that nothing else is done.
    pub session: SessionRow,
    /// Its owner.
    pub staff: StaffRow,
}

/// The same with the transaction that looked the token up, now the caller's own: who only reads needs
/// no other. The conflict `mfa_enrolment_required` for a session that is for enrolling only.
pub async fn session_read(
    store: &Store,
    gate: &Gate,
    token: &str,
    request: &RequestMeta,
) -> Result<Option<(Tx, SessionId, StaffRow)>> {
    match session_open(store, gate, token, request).await? {
        Some(open) if open.session.enrolment => Err(enrolment_required()),
        Some(OpenSession { tx, session, staff }) => Ok(Some((tx, session.id, staff))),
        None => Ok(None),
    }
}

/// The same with all of the session, also one that is for enrolling only.
pub async fn session_open(
    store: &Store,
    gate: &Gate,
    token: &str,
    request: &RequestMeta,
) -> Result<Option<OpenSession>> {
    let Some((organisation, hash)) = parse_session(token) else { return Ok(None) };
    let now = store.clock().now();
    // Only to look the token up: what the caller may do is in the context that it acts under then.
    let tx = store.read(Context::worker(organisation, now, request.request_id.clone())).await?;
    let Some((session, staff)) = tx.session_by_token(&hash).await? else { return Ok(None) };
    if !gate.is_live(&session, now) || staff.suspended_at.is_some() {
        return Ok(None);
    }
    let context = staff_context(&staff, now, request);
    if now - session.seen_at >= NOTED_EVERY {
        let (store, context, id) = (store.clone(), context.clone(), session.id);
        gate.mark("the use of a session", async move {
            let tx = store.begin(context).await?;
            tx.session_seen(id).await?;
            tx.commit_unjournalled().await
        });
    }
    Ok(Some(OpenSession { tx: tx.acting_as(context)?, session, staff }))
}

/// The caller's own sessions that live, the last used first.
pub async fn session_list(tx: &Tx, gate: &Gate) -> Result<Vec<SessionRow>> {
    let mut sessions = tx.session_list(in_person(tx.context())?).await?;
    sessions.retain(|session| gate.is_live(session, tx.now()));
    Ok(sessions)
}

/// Ends one of the caller's own sessions: this is also how one signs out.
pub async fn session_delete(store: &Store, context: Context, session: SessionId) -> Result<()> {
    let staff = in_person(&context)?;
    let tx = store.begin(context).await?;
    if !tx.session_list(staff).await?.iter().any(|own| own.id == session) {
        return Err(Error::NotFound { what: "session" });
    }
    tx.session_delete(session).await?;
    tx.commit_attempt("session_delete", Outcome::Done, "signed out").await
}

/// Ends the caller's own sessions but this one; returns how many.
pub async fn sessions_delete_others(store: &Store, context: Context, keep: SessionId) -> Result<u64> {
    let staff = in_person(&context)?;
    delete_all(store.begin(context).await?, staff, Some(keep), "ended the other sessions").await
}

/// Ends all sessions of someone of the team; returns how many.
pub async fn staff_sessions_delete(store: &Store, context: Context, staff: StaffId) -> Result<u64> {
    context.require(Permission::TeamManage)?;
    let tx = store.begin(context).await?;
    let row = tx.staff(staff).await?;
    require_over(tx.context(), &row)?;
    delete_all(tx, staff, None, &format!("ended all sessions of {}", row.email)).await
}

async fn delete_all(tx: Tx, staff: StaffId, keep: Option<SessionId>, reason: &str) -> Result<u64> {
    let ended = tx.sessions_delete(staff, keep).await?;
    if ended > 0 {
        tx.commit_attempt("sessions_delete", Outcome::Done, reason).await?;
    }
    Ok(ended)
}
