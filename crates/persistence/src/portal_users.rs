//! Accounts of ClientOne, their sessions, and the links that were mailed to them.

use domain::{
    ClientId, Error, Listed, OrganisationId, PageRequest, PortalRole, PortalSessionId, PortalState, PortalUserId,
    Result, Timestamp, name_key,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue, ColumnTrait, Condition, EntityTrait, ExprTrait, JoinType, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, sea_query::Expr,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    Tx,
    access::{email_key, trace},
    client_list::literal,
    entity::{portal_session, portal_user as table},
    error::{OrDomain, known},
    journalled::Journalled,
};

/// A portal user as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct PortalUserRow {
    /// Organisation.
    pub organisation: OrganisationId,
    /// Id.
    pub id: PortalUserId,
    /// The one client it belongs to.
    pub client_id: ClientId,
    /// E-mail as typed.
    pub email: String,
    /// Name.
    pub name: String,
    /// Telephone number.
    pub phone: Option<String>,
    /// Role.
    pub role: PortalRole,
    /// Where it stands.
    pub state: PortalState,
    /// Argon2id hash in PHC form; none until the invitation is accepted.
    pub password_hash: Option<String>,
    /// SHA-256 of the token in the link under way: an invitation while invited, else the reset of a password.
    pub link_hash: Option<Vec<u8>>,
    /// When that link was made.
    pub link_made_at: Option<Timestamp>,
    /// When the invitation was accepted.
    pub accepted_at: Option<Timestamp>,
    /// Since when it is shut out.
    pub deactivated_at: Option<Timestamp>,
    /// Last signed in.
    pub signed_in_at: Option<Timestamp>,
    /// Made.
    pub created_at: Timestamp,
    /// Changed.
    pub updated_at: Timestamp,
    /// Goes up by one with each change.
    pub version: i32,
}

/// A session of a portal user as it is stored; of its token only the hash.
#[derive(Clone, Debug)]
pub struct PortalSessionRow {
    /// Id.
    pub id: PortalSessionId,
    /// Whose.
    pub portal_user_id: PortalUserId,
    /// The client that its user belongs to.
    pub client_id: ClientId,
    /// SHA-256 of the token.
    pub token_hash: Vec<u8>,
    /// Browser.
    pub user_agent: Option<String>,
    /// Address.
    pub address: Option<String>,
    /// Made.
    pub created_at: Timestamp,
    /// Last used; kept to the minute.
    pub seen_at: Timestamp,
    /// Ends at the latest.
    pub expires_at: Timestamp,
    /// When its owner last showed a password or a factor.
    pub proved_at: Timestamp,
    /// Whether it is only for enrolling a second factor.
    pub enrolment: bool,
}

/// Which accounts are wanted.
#[derive(Clone, Debug, Default)]
pub struct PortalUserFilter {
    /// Only of this client.
    pub client: Option<ClientId>,
    /// Only of this role.
    pub role: Option<PortalRole>,
    /// Only in this state.
    pub state: Option<PortalState>,
    /// Part of the address or of the name.
    pub search: Option<String>,
}

impl Journalled for table::Entity {
    const KIND: &'static str = "portal_user";
    const WHAT: &'static str = "portal user";

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
    fn client_of(row: &table::Model) -> Option<ClientId> {
        Some(ClientId(row.client_id))
    }
    fn view(row: &table::Model) -> Result<Value> {
        // Of the password and the link only traces that tell one from another, so that a change shows.
        let password = row.password_hash.as_deref().map(|hash| format!("set ({})", trace(hash)));
        let link = row.link_hash.as_ref().map(|hash| format!("sent ({})", trace(&hex::encode(hash))));
        Ok(json!({
            "id": row.id, "client_id": row.client_id, "email": row.email, "name": row.name, "phone": row.phone,
            "role": row.role, "state": row.state, "password": password, "link": link, "version": row.version,
        }))
    }
    fn settle(row: &mut table::ActiveModel) {
        // Moves with every sign-in.
        row.signed_in_at = ActiveValue::NotSet;
    }
}

pub(crate) fn read(row: table::Model) -> Result<PortalUserRow> {
    Ok(PortalUserRow {
        organisation: row.organisation_id.into(),
        id: row.id.into(),
        client_id: ClientId(row.client_id),
        email: row.email,
        name: row.name,
        phone: row.phone,
        role: known(PortalRole::parse(&row.role), "portal_user.role")?,
        state: known(PortalState::parse(&row.state), "portal_user.state")?,
        password_hash: row.password_hash,
        link_hash: row.link_hash,
        link_made_at: row.link_made_at,
        accepted_at: row.accepted_at,
        deactivated_at: row.deactivated_at,
        signed_in_at: row.signed_in_at,
        created_at: row.created_at,
        updated_at: row.updated_at,
        version: row.version,
    })
}

fn write(row: &PortalUserRow) -> table::Model {
    table::Model {
        organisation_id: row.organisation.0,
        id: row.id.0,
        client_id: row.client_id.0,
        email: row.email.clone(),
        email_key: email_key(&row.email),
        name: row.name.clone(),
        name_key: name_key(&row.name),
        phone: row.phone.clone(),
        role: row.role.as_str().to_owned(),
        state: row.state.as_str().to_owned(),
        password_hash: row.password_hash.clone(),
        link_hash: row.link_hash.clone(),
        link_made_at: row.link_made_at,
        accepted_at: row.accepted_at,
        deactivated_at: row.deactivated_at,
        signed_in_at: row.signed_in_at,
        created_at: row.created_at,
        updated_at: row.updated_at,
        version: row.version,
    }
}

fn session_read(row: portal_session::Model) -> PortalSessionRow {
    PortalSessionRow {
        id: row.id.into(),
        portal_user_id: row.portal_user_id.into(),
        client_id: ClientId(row.client_id),
        token_hash: row.token_hash,
        user_agent: row.user_agent,
        address: row.address,
        created_at: row.created_at,
        seen_at: row.seen_at,
        expires_at: row.expires_at,
        proved_at: row.proved_at.unwrap_or(row.created_at),
        enrolment: row.enrolment,
    }
}

impl Tx {
    /// A portal user. In a transaction that writes, its row is locked.
    pub async fn portal_user(&self, id: PortalUserId) -> Result<PortalUserRow> {
        self.portal_user_where(table::Column::Id.eq(id.0)).await?.ok_or(Error::NotFound { what: "portal user" })
    }

    /// The portal user of this address, if it is within the scope. Locked in a transaction that writes.
    pub async fn portal_user_by_email(&self, email: &str) -> Result<Option<PortalUserRow>> {
        self.portal_user_where(table::Column::EmailKey.eq(email_key(email))).await
    }

    /// Whose link this is, by its token's hash. Locked in a transaction that writes.
    pub async fn portal_user_by_link(&self, link_hash: &[u8]) -> Result<Option<PortalUserRow>> {
        self.portal_user_where(table::Column::LinkHash.eq(link_hash.to_vec())).await
    }

    /// Which account has this address, whatever client it is of: addresses are unique in an organisation.
    pub(crate) async fn portal_email_holder(&self, email: &str) -> Result<Option<PortalUserId>> {
        let select = self.unscoped_find::<table::Entity>().filter(table::Column::EmailKey.eq(email_key(email)));
        Ok(select.one(self.db()).await.or_domain()?.map(|row| row.id.into()))
    }

    async fn portal_user_where(&self, which: impl sea_orm::sea_query::IntoCondition) -> Result<Option<PortalUserRow>> {
        let mut select = self.find::<table::Entity>().filter(which);
        if self.require_writable().is_ok() {
            select = select.lock_exclusive();
        }
        select.one(self.db()).await.or_domain()?.map(read).transpose()
    }

    /// A page of portal users by address.
    pub async fn portal_user_list(
        &self,
        filter: &PortalUserFilter,
        page: &PageRequest,
    ) -> Result<Listed<PortalUserRow>> {
        use table::Column as C;
        let mut select = self.find::<table::Entity>();
        if let Some(client) = filter.client {
            select = select.filter(C::ClientId.eq(client.0));
        }
        if let Some(role) = filter.role {
            select = select.filter(C::Role.eq(role.as_str()));
        }
        if let Some(state) = filter.state {
            select = select.filter(C::State.eq(state.as_str()));
        }
        if let Some(search) = filter.search.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
            let address = Expr::col(C::EmailKey).like(literal(&email_key(search)));
            select = select
                .filter(Condition::any().add(address).add(Expr::col(C::NameKey).like(literal(&name_key(search)))));
        }
        let total = select.clone().count(self.db()).await.or_domain()?;
        if let Some((key, _)) = &page.after {
            select = select.filter(C::EmailKey.gt(key.as_str()));
        }
        let mut rows = select.order_by_asc(C::EmailKey).limit(page.limit + 1).all(self.db()).await.or_domain()?;
        let more = rows.len() as u64 > page.limit;
        rows.truncate(page.limit as usize);
        let next = more.then(|| rows.last().map(|last| (last.email_key.clone(), last.id))).flatten();
        let items = rows.into_iter().map(read).collect::<Result<_>>()?;
        Ok(Listed { items, next, total: i64::try_from(total).unwrap_or(i64::MAX) })
    }

    /// Makes a portal user. An address that the organisation has already is the conflict `email_taken`.
    pub async fn portal_user_insert(&self, row: &PortalUserRow) -> Result<()> {
        self.insert_row::<table::Entity>(write(row)).await
    }

    /// Changes a portal user that was read before.
    pub async fn portal_user_update(&self, before: &PortalUserRow, after: PortalUserRow) -> Result<PortalUserRow> {
        let after = PortalUserRow { version: before.version + 1, updated_at: self.now(), ..after };
        let written = self.update_row::<table::Entity>(&write(before), write(&after)).await?;
        Ok(if written { after } else { before.clone() })
    }

    /// Deletes a portal user with its sessions and assignments.
    pub async fn portal_user_delete(&self, row: &PortalUserRow) -> Result<()> {
        self.delete_row::<table::Entity>(&write(row)).await
    }

    /// Notes that a portal user signed in.
    pub async fn portal_user_signed_in(&self, id: PortalUserId) -> Result<()> {
        let row = table::ActiveModel { signed_in_at: ActiveValue::Set(Some(self.now())), ..Default::default() };
        let own = Condition::all().add(table::Column::Id.eq(id.0));
        self.update_row_where::<table::Entity>(row, own).await.map(drop)
    }

    /// Makes a session. Not journalled by itself: the sign-in is.
    pub async fn portal_session_insert(&self, row: &PortalSessionRow) -> Result<()> {
        let row = portal_session::Model {
            organisation_id: self.organisation().0,
            id: row.id.0,
            portal_user_id: row.portal_user_id.0,
            client_id: row.client_id.0,
            token_hash: row.token_hash.clone(),
            user_agent: row.user_agent.clone(),
            address: row.address.clone(),
            created_at: row.created_at,
            seen_at: row.seen_at,
            expires_at: row.expires_at,
            proved_at: Some(row.proved_at),
            enrolment: row.enrolment,
        };
        self.insert_many::<portal_session::Entity>(vec![row], &[], &[]).await
    }

    /// The session of a token's hash, with its user.
    pub async fn portal_session_by_token(&self, hash: &[u8]) -> Result<Option<(PortalSessionRow, PortalUserRow)>> {
        let owner = portal_session::Entity::belongs_to(table::Entity)
            .from((portal_session::Column::OrganisationId, portal_session::Column::PortalUserId))
            .to((table::Column::OrganisationId, table::Column::Id));
        let found = self
            .find::<portal_session::Entity>()
            .filter(portal_session::Column::TokenHash.eq(hash.to_vec()))
            .join(JoinType::InnerJoin, owner.into())
            .select_also(table::Entity)
            .one(self.db())
            .await
            .or_domain()?;
        let Some((found, Some(owner))) = found else { return Ok(None) };
        Ok(Some((session_read(found), read(owner)?)))
    }

    /// A portal user's sessions, the last used first.
    pub async fn portal_session_list(&self, user: PortalUserId) -> Result<Vec<PortalSessionRow>> {
        let rows = self
            .find::<portal_session::Entity>()
            .filter(portal_session::Column::PortalUserId.eq(user.0))
            .order_by_desc(portal_session::Column::SeenAt)
            .order_by_desc(portal_session::Column::Id)
            .limit(100)
            .all(self.db())
            .await
            .or_domain()?;
        Ok(rows.into_iter().map(session_read).collect())
    }

    /// Notes that a session was used.
    pub async fn portal_session_seen(&self, id: PortalSessionId) -> Result<()> {
        let row = portal_session::ActiveModel {
            seen_at: ActiveValue::Set(self.now()),
            ..<portal_session::ActiveModel as ActiveModelTrait>::default()
        };
        let own = Condition::all().add(portal_session::Column::Id.eq(id.0));
        self.update_row_where::<portal_session::Entity>(row, own).await.map(drop)
    }

    /// Notes that a session's owner has just shown a password or a factor; with `whole`, it is no longer only for
    /// enrolling.
    pub async fn portal_session_proved(&self, id: PortalSessionId, whole: bool) -> Result<()> {
        let row = portal_session::ActiveModel {
            proved_at: ActiveValue::Set(Some(self.now())),
            enrolment: if whole { ActiveValue::Set(false) } else { ActiveValue::NotSet },
            ..<portal_session::ActiveModel as ActiveModelTrait>::default()
        };
        let own = Condition::all().add(portal_session::Column::Id.eq(id.0));
        self.update_row_where::<portal_session::Entity>(row, own).await.map(drop)
    }

    /// Ends a session; returns whether there was one.
    pub async fn portal_session_delete(&self, id: PortalSessionId) -> Result<bool> {
        self.require_writable()?;
        let delete = self.delete_many::<portal_session::Entity>().filter(portal_session::Column::Id.eq(id.0));
        Ok(delete.exec(self.db()).await.or_domain()?.rows_affected > 0)
    }

    /// Ends all sessions of a portal user but one.
    pub async fn portal_sessions_delete(&self, user: PortalUserId, but: Option<PortalSessionId>) -> Result<u64> {
        self.require_writable()?;
        let own = portal_session::Column::PortalUserId.eq(user.0);
        let mut delete = self.delete_many::<portal_session::Entity>().filter(own);
        if let Some(keep) = but {
            delete = delete.filter(portal_session::Column::Id.ne(keep.0));
        }
        Ok(delete.exec(self.db()).await.or_domain()?.rows_affected)
    }

    /// Ends all sessions of a client's people; returns how many.
    pub async fn portal_sessions_delete_of(&self, client: ClientId) -> Result<u64> {
        self.require_writable()?;
        let own = portal_session::Column::ClientId.eq(client.0);
        let delete = self.delete_many::<portal_session::Entity>().filter(own);
        Ok(delete.exec(self.db()).await.or_domain()?.rows_affected)
    }
}
