//! Links that are mailed: an invitation, the reset of a password. Of the token in it only the SHA-256 is stored.

use chrono::TimeDelta;
use domain::{Error, OrganisationId, PortalState, Result, Timestamp};
use persistence::{PortalUserRow, Store, Tx};

use super::{INVITATION_LASTS, open_client, portal_context};
use crate::{RequestMeta, tokens::parse_session};

/// How long the link that resets a password is good.
pub const RESET_LASTS: TimeDelta = TimeDelta::hours(1);

/// What a link is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LinkKind {
    Invitation,
    Reset,
}

impl LinkKind {
    /// The kind of the link that an account in this state can have.
    fn of(state: PortalState) -> Option<Self> {
        match state {
            PortalState::Invited => Some(Self::Invitation),
            PortalState::Active => Some(Self::Reset),
            PortalState::Deactivated => None,
        }
    }

    fn lasts(self) -> TimeDelta {
        match self {
            Self::Invitation => INVITATION_LASTS,
            Self::Reset => RESET_LASTS,
        }
    }
}

/// The one answer to a link that is no good: unknown, used, replaced, revoked and expired ones are told apart by
/// nothing.
pub(crate) fn gone() -> Error {
    Error::conflict("link_gone", "This link is not valid, or not any more. Ask for a new one.")
}

fn is_good(user: &PortalUserRow, kind: LinkKind, now: Timestamp) -> bool {
    let young = user.link_made_at.is_some_and(|made| now - made < kind.lasts());
    LinkKind::of(user.state) == Some(kind) && young
}

/// Whose good link of this kind the token is of.
pub(super) async fn look_up(
    store: &Store,
    token: &str,
    kind: LinkKind,
    request: &RequestMeta,
) -> Result<PortalUserRow> {
    let Some((organisation, hash)) = parse_session(token) else { return Err(gone()) };
    look_up_hash(store, organisation, &hash, kind, request).await
}

/// The same by the hash of the token.
pub(super) async fn look_up_hash(
    store: &Store,
    organisation: OrganisationId,
    hash: &[u8],
    kind: LinkKind,
    request: &RequestMeta,
) -> Result<PortalUserRow> {
    let now = store.clock().now();
    let tx = store.read(domain::Context::worker(organisation, now, request.request_id.clone())).await?;
    let Some(user) = tx.portal_user_by_link(hash).await? else { return Err(gone()) };
    if !is_good(&user, kind, now) || open_client(&tx, &user).await?.is_none() {
        return Err(gone());
    }
    Ok(user)
}

/// The transaction of the one who followed the link, with the account as it is by then, locked. The link must be the
/// one that was looked up.
pub(super) async fn follow(
    store: &Store,
    found: &PortalUserRow,
    kind: LinkKind,
    request: &RequestMeta,
) -> Result<(Tx, PortalUserRow)> {
    let now = store.clock().now();
    let tx = store.begin(portal_context(found, now, request)).await?;
    let user = match tx.portal_user(found.id).await {
        Err(Error::NotFound { .. }) => return Err(gone()),
        user => user?,
    };
    if user.link_hash != found.link_hash || !is_good(&user, kind, now) || open_client(&tx, &user).await?.is_none() {
        return Err(gone());
    }
    Ok((tx, user))
}
