//! Invitations to the team, and links by which a password is set anew. Of their tokens only the SHA-256 is stored.

use std::collections::BTreeSet;

use domain::{ClientId, Error, InvitationState, Result, Role, StaffId, StaffInvitationId, Timestamp};
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::SimpleExpr};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    Tx,
    access::{clients_read, clients_text, email_key},
    entity::{password_reset, staff_invitation as table},
    error::{OrDomain, known},
    journalled::Journalled,
};

/// An invitation as it is stored.
#[derive(Clone, Debug)]
pub struct InvitationRow {
    /// Id.
    pub id: StaffInvitationId,
    /// To which address.
    pub email: String,
    /// Name of who is invited.
    pub name: String,
    /// Role they will have.
    pub role: Role,
    /// Clients they will see; none means all.
    pub allow_clients: Option<BTreeSet<ClientId>>,
    /// Clients they will not see; beats the former.
    pub deny_clients: BTreeSet<ClientId>,
    /// SHA-256 of the token.
    pub token_hash: Vec<u8>,
    /// How often it was sent: each time with another token, and only the last one works.
    pub sent: i32,
    /// Made.
    pub created_at: Timestamp,
    /// By whom; none for an operator.
    pub created_by: Option<StaffId>,
    /// Ends.
    pub expires_at: Timestamp,
    /// Accepted.
    pub accepted_at: Option<Timestamp>,
    /// Revoked.
    pub revoked_at: Option<Timestamp>,
    /// Who came of it.
    pub staff_id: Option<StaffId>,
    /// Goes up by one with each change.
    pub version: i32,
}

impl InvitationRow {
    /// What is the matter with it at an instant.
    pub fn state(&self, now: Timestamp) -> InvitationState {
        InvitationState::of(self.accepted_at, self.revoked_at, self.expires_at, now)
    }
}

/// A link by which a staff user sets a new password.
#[derive(Clone, Debug)]
pub struct PasswordResetRow {
    /// Whose password.
    pub staff_id: StaffId,
    /// SHA-256 of the token.
    pub token_hash: Vec<u8>,
    /// Made.
    pub created_at: Timestamp,
    /// Ends.
    pub expires_at: Timestamp,
}

fn read(row: table::Model) -> Result<InvitationRow> {
    Ok(InvitationRow {
        id: row.id.into(),
        email: row.email,
        name: row.name,
        role: known(Role::parse(&row.role), "staff_invitation.role")?,
        allow_clients: row.allow_clients.as_deref().map(clients_read).transpose()?,
        deny_clients: clients_read(&row.deny_clients)?,
        token_hash: row.token_hash,
        sent: row.sent,
        created_at: row.created_at,
        created_by: row.created_by.map(StaffId),
        expires_at: row.expires_at,
        accepted_at: row.accepted_at,
        revoked_at: row.revoked_at,
        staff_id: row.staff_id.map(StaffId),
        version: row.version,
    })
}

fn write(tx: &Tx, row: &InvitationRow) -> table::Model {
    table::Model {
        organisation_id: tx.organisation().0,
        id: row.id.0,
        email: row.email.clone(),
        email_key: email_key(&row.email),
        name: row.name.clone(),
        role: row.role.as_str().to_owned(),
        allow_clients: row.allow_clients.as_ref().map(clients_text),
        deny_clients: clients_text(&row.deny_clients),
        token_hash: row.token_hash.clone(),
        sent: row.sent,
        created_at: row.created_at,
        created_by: row.created_by.map(|staff| staff.0),
        expires_at: row.expires_at,
        accepted_at: row.accepted_at,
        revoked_at: row.revoked_at,
        staff_id: row.staff_id.map(|staff| staff.0),
        version: row.version,
    }
}

impl Journalled for table::Entity {
    const KIND: &'static str = "staff_invitation";
    const WHAT: &'static str = "invitation";

    fn id(row: &table::Model) -> Uuid {
        row.id
    }
    fn id_column() -> table::Column {
        table::Column::Id
    }
    fn version_column() -> Option<table::Column> {
        Some(table::Column::Version)
    }
    fn version(row: &table::Model) -> i32 {
        row.version
    }
    fn client_of(_: &table::Model) -> Option<ClientId> {
        None
    }
    fn view(row: &table::Model) -> Result<Value> {
        // Neither the token's hash nor its end, which follows from when it was sent: a preview and its apply agree.
        Ok(json!({
            "id": row.id, "email": row.email, "name": row.name, "role": row.role,
            "allow_clients": row.allow_clients, "deny_clients": row.deny_clients, "sent": row.sent,
            "accepted_at": row.accepted_at, "revoked_at": row.revoked_at, "staff_id": row.staff_id,
            "version": row.version,
        }))
    }
}

fn open() -> sea_orm::Condition {
    sea_orm::Condition::all().add(table::Column::AcceptedAt.is_null()).add(table::Column::RevokedAt.is_null())
}

impl Tx {
    /// Invitations, the newest first; at most 500.
    pub async fn invitation_list(&self) -> Result<Vec<InvitationRow>> {
        let select = self.find::<table::Entity>().order_by_desc(table::Column::CreatedAt);
        let rows = select.order_by_desc(table::Column::Id).limit(500).all(self.db()).await.or_domain()?;
        rows.into_iter().map(read).collect()
    }

    /// An invitation.
    pub async fn invitation(&self, id: StaffInvitationId) -> Result<InvitationRow> {
        let row = self.find::<table::Entity>().filter(table::Column::Id.eq(id.0)).one(self.db()).await.or_domain()?;
        row.ok_or(Error::NotFound { what: "invitation" }).and_then(read)
    }

    /// The invitation of an address that was neither accepted nor revoked; it may have run out.
    pub async fn invitation_open(&self, email: &str) -> Result<Option<InvitationRow>> {
        let select = self.find::<table::Entity>().filter(table::Column::EmailKey.eq(email_key(email))).filter(open());
        select.one(self.db()).await.or_domain()?.map(read).transpose()
    }

    /// Invitations that someone made and that were neither accepted nor revoked.
    pub async fn invitations_by(&self, staff: StaffId) -> Result<Vec<InvitationRow>> {
        let select = self.find::<table::Entity>().filter(table::Column::CreatedBy.eq(staff.0)).filter(open());
        let rows = select.order_by_asc(table::Column::Id).all(self.db()).await.or_domain()?;
        rows.into_iter().map(read).collect()
    }

    /// The invitation of a token's hash.
    pub async fn invitation_by_token(&self, token_hash: &[u8]) -> Result<Option<InvitationRow>> {
        let select = self.find::<table::Entity>().filter(table::Column::TokenHash.eq(token_hash.to_vec()));
        select.one(self.db()).await.or_domain()?.map(read).transpose()
    }

    /// Makes an invitation.
    pub async fn invitation_insert(&self, row: &InvitationRow) -> Result<()> {
        self.insert_row::<table::Entity>(write(self, row)).await
    }

    /// Changes an invitation that was read before.
    pub async fn invitation_update(&self, before: &InvitationRow, mut after: InvitationRow) -> Result<InvitationRow> {
        after.version = before.version + 1;
        let (old, new) = (write(self, before), write(self, &after));
        Ok(if self.update_row::<table::Entity>(&old, new).await? { after } else { before.clone() })
    }

    /// Notes a link by which a password may be set; the one before works no more. Not journalled: asking and setting
    /// are.
    pub async fn password_reset_put(&self, row: &PasswordResetRow) -> Result<()> {
        use password_reset::Column as C;
        let row = password_reset::Model {
            organisation_id: self.organisation().0,
            staff_id: row.staff_id.0,
            token_hash: row.token_hash.clone(),
            created_at: row.created_at,
            expires_at: row.expires_at,
        };
        let (key, replaced) = ([C::OrganisationId, C::StaffId], [C::TokenHash, C::CreatedAt, C::ExpiresAt]);
        self.insert_many::<password_reset::Entity>(vec![row], &key, &replaced).await
    }

    /// The link of a token's hash.
    pub async fn password_reset_by_token(&self, token_hash: &[u8]) -> Result<Option<PasswordResetRow>> {
        self.password_reset_where(password_reset::Column::TokenHash.eq(token_hash.to_vec())).await
    }

    /// The link that was last sent to a staff user and not used.
    pub async fn password_reset(&self, staff: StaffId) -> Result<Option<PasswordResetRow>> {
        self.password_reset_where(password_reset::Column::StaffId.eq(staff.0)).await
    }

    async fn password_reset_where(&self, holds: SimpleExpr) -> Result<Option<PasswordResetRow>> {
        let row = self.find::<password_reset::Entity>().filter(holds).one(self.db()).await.or_domain()?;
        Ok(row.map(|row| PasswordResetRow {
            staff_id: row.staff_id.into(),
            token_hash: row.token_hash,
            created_at: row.created_at,
            expires_at: row.expires_at,
        }))
    }

    /// Takes away the link of a staff user; returns whether there was one.
    pub async fn password_reset_delete(&self, staff: StaffId) -> Result<bool> {
        self.require_writable()?;
        let delete = self.delete_many::<password_reset::Entity>().filter(password_reset::Column::StaffId.eq(staff.0));
        Ok(delete.exec(self.db()).await.or_domain()?.rows_affected > 0)
    }
}
