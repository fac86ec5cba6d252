//! A forgotten password: a letter with a link that works once, for an hour.

use chrono::TimeDelta;
use domain::{Context, Error, Letter, Outcome, Result, Timestamp};
use persistence::{NewMail, PasswordResetRow, StaffRow, Store};
use secrecy::ExposeSecret;

use crate::{
    Gate, LinkAnswer, RequestMeta,
    gate::staff_context,
    invitations::link_over,
    passwords::password_problem,
    throttle,
    tokens::{Link, link_token, parse_link},
};

/// How long the link works.
pub const RESET_LIFE: TimeDelta = TimeDelta::hours(1);
/// For how long no second link is sent.
const NEXT_LINK: TimeDelta = TimeDelta::minutes(5);

/// Someone who forgot their password.
#[derive(Clone, Debug)]
pub struct PasswordResetAsk {
    /// Their address.
    pub email: String,
    /// Slug of the organisation; all that the address belongs to, unless given.
    pub organisation: Option<String>,
    /// Our page to which the letter's link leads; the token is added as a fragment.
    pub page: String,
    /// Request id and source address.
    pub request: RequestMeta,
}

/// Sends a link to an address that is known and may sign in. The answer is the same for all others, and does not wait
/// for the letter, so that it takes as long. Asking is counted like signing in, apart from it.
pub async fn password_reset_request(store: &Store, gate: &Gate, ask: PasswordResetAsk) -> Result<()> {
    let across = store.across().await?;
    let (now, address) = (store.clock().now(), ask.request.source_address.as_deref());
    throttle::admit_ask(&across, &ask.email, address, now).await?;
    let slug = ask.organisation.as_deref().map(|slug| slug.trim().to_lowercase());
    let found = across.staff_by_email(&ask.email, slug.as_deref()).await?;
    across.commit().await?;
    for staff in found.into_iter().filter(|staff| staff.suspended_at.is_none()) {
        let (store, request, page) = (store.clone(), ask.request.clone(), ask.page.clone());
        let chance = store.chance().clone();
        let work = async move {
            let token = link_token(Link::PasswordReset, chance.as_ref(), staff.organisation);
            let tx = store.begin(staff_context(&staff, now, &request)).await?;
            tx.team_lock().await?;
            // A link that was just sent stays good: whoever asks in their stead must not void it, nor fill their mailbox.
            if tx.password_reset(staff.id).await?.is_some_and(|last| now - last.created_at < NEXT_LINK) {
                return Ok(());
            }
            let expires_at = now + RESET_LIFE;
            let row =
                PasswordResetRow { staff_id: staff.id, token_hash: token.hash.clone(), created_at: now, expires_at };
            tx.password_reset_put(&row).await?;
            let (organisation, _) = tx.organisation_name().await?;
            let letter = Letter::PasswordReset {
                organisation,
                name: staff.name.clone(),
                link: format!("{page}#{}", token.text.expose_secret()),
                expires_at,
            };
            let mail = NewMail {
                recipient: staff.email.clone(),
                recipient_name: Some(staff.name.clone()),
                letter,
                key: format!("password_reset:{}", hex::encode(&token.hash[..16])),
                send_before: Some(expires_at),
            };
            tx.mail_enqueue(&mail).await?;
            tx.commit_attempt("password_reset_request", Outcome::Done, "a link was sent by mail").await
        };
        gate.note("a request for a new password", work).await;
    }
    Ok(())
}

/// Sets a password by the link of a letter: once, and all sessions of its owner end. A wrong, used or expired token, and
/// that of someone who may not sign in, are the same conflict `link_over`; tries are counted like sign-ins.
pub async fn password_reset_set(store: &Store, gate: &Gate, answer: LinkAnswer) -> Result<()> {
    let across = store.across().await?;
    let (token, address) = (answer.token.expose_secret(), answer.request.source_address.as_deref());
    let admission = throttle::admit_link(&across, token, address, store.clock().now()).await?;
    across.commit().await?;
    let Some((organisation, hash)) = parse_link(Link::PasswordReset, token) else { return Err(link_over()) };
    let now = store.clock().now();
    let tx = store.read(Context::worker(organisation, now, answer.request.request_id.clone())).await?;
    let reset = tx.password_reset_by_token(&hash).await?.filter(|row| works(row, now)).ok_or_else(link_over)?;
    let staff = tx.staff(reset.staff_id).await?;
    drop(tx);
    if staff.suspended_at.is_some() {
        return Err(link_over());
    }
    admission.refund(store).await?;
    if let Some(problem) = password_problem("/password", &answer.password, &staff.email) {
        return Err(Error::Invalid(vec![problem]));
    }
    let password = gate.passwords.hash(&answer.password).await?;
    let tx = store.begin(staff_context(&staff, now, &answer.request)).await?;
    tx.team_lock().await?;
    // Again, now that nobody else can use it.
    let still = tx.password_reset_by_token(&hash).await?.is_some_and(|row| works(&row, now));
    let current = tx.staff(staff.id).await?;
    if !still || current.suspended_at.is_some() || !tx.password_reset_delete(staff.id).await? {
        return Err(link_over());
    }
    let after = StaffRow { password_hash: Some(password.expose_secret().to_owned()), ..current.clone() };
    tx.staff_update(&current, after).await?;
    tx.sessions_delete(staff.id, None).await?;
    tx.commit("password_reset_set", None).await.map(drop)
}

fn works(row: &PasswordResetRow, now: Timestamp) -> bool {
    now < row.expires_at
}
