//! Inviting people to the team, and how they come in.

use access::{LinkAnswer, NewInvitation};
use chrono::{DateTime, Utc};
use domain::{InvitationState, Permission, StaffInvitationId};
use persistence::InvitationRow;
use poem::Request;
use poem_openapi::{
    Enum, Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{
    Chapter, consent,
    session::Acknowledged,
    staff::{StaffRole, ids},
};
use crate::{
    app::AppData,
    auth::{Caller, meta, same_origin},
    changes::Written,
    page::Answer,
    problem::Failure,
    write::{Asked, Begun},
};

/// Our page on which an invitation is accepted; the token follows as a fragment.
pub const ACCEPT_PAGE: &str = "/invitation";

/// What is the matter with an invitation
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum StaffInvitationState {
    /// It can be accepted
    Pending,
    /// Nobody accepted it in time; inviting again sends a new link
    Expired,
    /// It became an account
    Accepted,
    /// It was taken back
    Revoked,
}

impl From<InvitationState> for StaffInvitationState {
    fn from(state: InvitationState) -> Self {
        match state {
            InvitationState::Pending => Self::Pending,
            InvitationState::Expired => Self::Expired,
            InvitationState::Accepted => Self::Accepted,
            InvitationState::Revoked => Self::Revoked,
        }
    }
}

/// An invitation to the team.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct StaffInvitation {
    /// Id
    pub id: Uuid,
    /// Name
    pub name: String,
    /// E-mail
    pub email: String,
    pub role: StaffRole,
    /// Clients they will see; absent means all
    pub allow_clients: Option<Vec<Uuid>>,
    /// Clients they will not see; beats the former
    pub deny_clients: Vec<Uuid>,
    pub state: StaffInvitationState,
    /// How often it was sent; only the last link works
    pub sent: i32,
    /// Who sent it last; absent for an operator
    pub invited_by: Option<Uuid>,
    /// Made
    pub created_at: DateTime<Utc>,
    /// Ends
    pub expires_at: DateTime<Utc>,
    /// Accepted
    pub accepted_at: Option<DateTime<Utc>>,
    /// Revoked
    pub revoked_at: Option<DateTime<Utc>>,
    /// Who came of it
    pub staff_id: Option<Uuid>,
}

/// Invitations to the team.
#[derive(Debug, Clone, Object)]
pub struct StaffInvitations {
    /// The newest first
    pub items: Vec<StaffInvitation>,
}

/// What it takes to invite someone to the team.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct StaffInvite {
    /// Name
    pub name: String,
    /// E-mail
    pub email: String,
    pub role: StaffRole,
    /// Clients they will see; all when left out
    pub allow_clients: Option<Vec<Uuid>>,
    /// Clients they will not see
    pub deny_clients: Option<Vec<Uuid>>,
}

/// What it takes to accept an invitation.
#[derive(Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct InvitationAccept {
    /// The token of the link
    pub token: String,
    /// Name; that of the invitation when left out
    pub name: Option<String>,
    /// Password, 12 to 256 characters
    pub password: String,
}

/// Invitations to the team.
pub struct Invitations;

#[OpenApi(prefix_path = "/api/staff-invitations", tag = "Chapter::Staff")]
impl Invitations {
    /// Invitations to the team, whatever became of them
    #[oai(path = "/", method = "get", operation_id = "staff_invitation_list")]
    async fn staff_invitation_list(
        &self,
        app: AppData<'_>,
        caller: Caller,
    ) -> Result<Answer<StaffInvitations>, Failure> {
        let tx = app.read(caller, Permission::TeamManage).await?;
        let rows = access::staff_invitation_list(&tx).await?;
        Ok(Answer::new(StaffInvitations { items: rows.into_iter().map(|row| view(row, tx.now())).collect() }))
    }

    /// Invite someone to the team by a letter
    ///
    /// The link works once, for seven days. Inviting an address again sends a new letter, and the old link works no
    /// more. Nobody gives a role with more rights than their own.
    #[oai(path = "/", method = "post", operation_id = "staff_invite")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn staff_invite(
        &self,
        app: AppData<'_>,
        request: &Request,
        caller: Caller,
        body: Json<StaffInvite>,
        /// Answer what would change, and write and send nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<StaffInvitation>>, Failure> {
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let context = app.proven(caller, "staff_invite", asked.is_dry_run()).await?;
        let body = body.0;
        let begun = app.begin(&context, Permission::TeamManage, "staff_invite", asked, &body).await?;
        let write = match begun {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let page = format!("{}{ACCEPT_PAGE}", consent::origin(&app, request)?);
        let new = NewInvitation {
            name: body.name,
            email: body.email,
            role: body.role.into(),
            allow_clients: body.allow_clients.map(ids),
            deny_clients: ids(body.deny_clients.unwrap_or_default()),
        };
        let done = access::staff_invite(&write.tx, &app.gate, new, &page).await;
        let (write, row) = app.passed(write, done).await?;
        let answer = write.finish(Some(view(row, context.now)), Vec::new()).await?;
        app.wake.notify_one();
        Ok(Answer::new(answer))
    }

    /// Take an invitation back: its link works no more, at once
    #[oai(path = "/:staff_invitation_id/revoke", method = "post", operation_id = "staff_invitation_revoke")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn staff_invitation_revoke(
        &self,
        app: AppData<'_>,
        caller: Caller,
        staff_invitation_id: Path<Uuid>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<StaffInvitation>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let (id, action) = (staff_invitation_id.0, "staff_invitation_revoke");
        let write = match app.begin(&context, Permission::TeamManage, action, asked, &id).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let done = access::staff_invitation_revoke(&write.tx, StaffInvitationId(id)).await;
        let (write, row) = app.passed(write, done).await?;
        Ok(Answer::new(write.finish(Some(view(row, context.now)), Vec::new()).await?))
    }

    /// Accept an invitation: makes the account, with which one signs in then
    ///
    /// The answer is the same for a wrong, a used, a revoked and an expired token. After several failures attempts are
    /// refused for a while.
    #[oai(path = "/accept", method = "post", operation_id = "staff_invitation_accept")]
    async fn staff_invitation_accept(
        &self,
        app: AppData<'_>,
        request: &Request,
        body: Json<InvitationAccept>,
    ) -> Result<Answer<Acknowledged>, Failure> {
        same_origin(request)?;
        let InvitationAccept { token, name, password } = body.0;
        let answer = LinkAnswer { token: token.into(), password: password.into(), name, request: meta(request) };
        access::staff_invitation_accept(&app.store, &app.gate, answer).await?;
        Ok(Answer::new(Acknowledged { done: true }))
    }
}

fn view(row: InvitationRow, now: DateTime<Utc>) -> StaffInvitation {
    StaffInvitation {
        id: row.id.0,
        state: row.state(now).into(),
        name: row.name,
        email: row.email,
        role: row.role.into(),
        allow_clients: row.allow_clients.map(|clients| clients.into_iter().map(|client| client.0).collect()),
        deny_clients: row.deny_clients.into_iter().map(|client| client.0).collect(),
        sent: row.sent,
        invited_by: row.created_by.map(|staff| staff.0),
        created_at: row.created_at,
        expires_at: row.expires_at,
        accepted_at: row.accepted_at,
        revoked_at: row.revoked_at,
        staff_id: row.staff_id.map(|staff| staff.0),
    }
}
