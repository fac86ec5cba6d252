//! What of a client is people's: their accounts, and what they asked for, signed and were told. It moves when the client
//! is merged into another, and `revert_moves.rs` brings it back.
//!
//! What hangs on one of these rows (messages on a ticket, assigned devices on an account) names the client too, so that
//! the scope limits it; that client is always its owner's, goes with it, and is no change of its own.

use domain::{AgreementInstance, ClientId, Error, Onboarding, Result};
use sea_orm::{ColumnTrait, IntoActiveModel, ModelTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::{
    Tx, agreements,
    entity::{
        agreement_instance, notification, notification_setting, onboarding, onboarding_step, portal_config,
        portal_device, portal_session, portal_ticket, portal_ticket_message, portal_ticket_reading, portal_user,
        service_request, service_request_step, sso_link, sso_provider, tenant_connect, ticket_link, ticket_sending,
    },
    error::OrDomain,
    journalled::Journalled,
    onboarding as onboardings,
    scoped::Owned,
};

/// A row that belongs to one client and can go to another.
pub(crate) trait Moved: Journalled {
    /// The row, with another client.
    fn placed(tx: &Tx, row: Self::Model, client: ClientId) -> Self::Model;
}

macro_rules! moved {
    ($($module:ident),+) => { $(
        impl Moved for $module::Entity {
            fn placed(tx: &Tx, row: $module::Model, client: ClientId) -> $module::Model {
                $module::Model { client_id: client.0.into(), updated_at: tx.now(), version: row.version + 1, ..row }
            }
        }
    )+ };
}
moved!(
    agreement_instance,
    onboarding,
    portal_config,
    portal_ticket,
    portal_user,
    service_request,
    sso_provider,
    tenant_connect
);

/// Which rows of a table follow an owner: all of a client's, or those of one row.
#[derive(Clone, Copy)]
pub(crate) enum Followed {
    /// All of this client's.
    OfClient(ClientId),
    /// Those of this row.
    OfRow(Uuid),
}

/// How many rows of a client moved, by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PeopleMoved {
    /// Accounts of ClientOne.
    pub portal_users: usize,
    /// Tickets.
    pub tickets: usize,
    /// Service requests.
    pub service_requests: usize,
    /// Identity providers: one at most.
    pub sso_providers: usize,
}

impl Tx {
    /// Moves the accounts of a client's people to another, with their devices, notifications, switches and identities;
    /// their sessions end. Then its tickets, service requests, identity provider and the tenants being connected. Both
    /// clients are locked, and of the two one at most has an identity provider.
    pub async fn client_people_move(&self, from: ClientId, into: ClientId) -> Result<PeopleMoved> {
        let people = Followed::OfClient(from);
        let portal_users = self.rows_move::<portal_user::Entity>(from, into).await?;
        self.portal_sessions_delete_of(from).await?;
        self.follow_user(people, into).await?;
        let sso_providers = self.rows_move::<sso_provider::Entity>(from, into).await?;
        let service_requests = self.rows_move::<service_request::Entity>(from, into).await?;
        self.follow_request(people, into).await?;
        let tickets = self.rows_move::<portal_ticket::Entity>(from, into).await?;
        self.follow_ticket(people, into).await?;
        self.rows_move::<tenant_connect::Entity>(from, into).await?;
        Ok(PeopleMoved { portal_users, tickets, service_requests, sso_providers })
    }

    /// Gives a client the set-up of ClientOne that another has. It has none of its own.
    pub async fn portal_config_move(&self, from: ClientId, into: ClientId) -> Result<()> {
        self.rows_move::<portal_config::Entity>(from, into).await.map(drop)
    }

    /// A client's copies of agreements, the oldest first. In a transaction that writes, they are locked.
    pub async fn agreement_instances_of(&self, client: ClientId) -> Result<Vec<AgreementInstance>> {
        let rows = self.rows_of::<agreement_instance::Entity>(client).await?;
        rows.into_iter().map(agreements::read_instance).collect()
    }

    /// Gives a copy of an agreement to another client. One that waits may end by it; of one that has ended nothing
    /// changes but whose it is.
    pub async fn agreement_instance_move(&self, before: &AgreementInstance, after: AgreementInstance) -> Result<()> {
        let placed = AgreementInstance { client_id: after.client_id, ..before.clone() };
        let ended = AgreementInstance { state: after.state, ended_at: after.ended_at, ..placed.clone() };
        if after != placed && (after != ended || !before.state.is_open()) {
            return Err(Error::internal("more of an agreement was to be changed than whose it is"));
        }
        let after = AgreementInstance { version: before.version + 1, updated_at: self.now(), ..after };
        let before = agreements::write_instance(self, before)?;
        let after = agreements::write_instance(self, &after)?;
        self.update_row::<agreement_instance::Entity>(&before, after).await.map(drop)
    }

    /// A client's onboardings, the oldest first. In a transaction that writes, they are locked.
    pub async fn onboardings_of(&self, client: ClientId) -> Result<Vec<Onboarding>> {
        let rows = self.rows_of::<onboarding::Entity>(client).await?;
        rows.into_iter().map(onboardings::read).collect()
    }

    /// Gives an onboarding to another client, with its steps and the credentials in them.
    pub async fn onboarding_move(&self, before: &Onboarding, after: Onboarding) -> Result<()> {
        let into = after.client_id;
        self.onboarding_save(before, after).await?;
        self.follow_onboarding(Followed::OfRow(before.id.0), into).await
    }

    /// A client's rows, locked in a transaction that writes, the oldest first.
    async fn rows_of<E: Moved>(&self, client: ClientId) -> Result<Vec<E::Model>> {
        let column = E::client().ok_or_else(|| Error::internal("a table without a client was to be moved"))?;
        let mut select = self.find::<E>().filter(column.eq(client.0));
        if self.is_writing() {
            select = select.lock_exclusive();
        }
        select.order_by_asc(E::id_column()).all(self.db()).await.or_domain()
    }

    async fn rows_move<E>(&self, from: ClientId, into: ClientId) -> Result<usize>
    where
        E: Moved,
        E::Model: IntoActiveModel<E::ActiveModel> + ModelTrait<Entity = E>,
        E::ActiveModel: Send,
    {
        let rows = self.rows_of::<E>(from).await?;
        for row in &rows {
            self.row_place::<E>(row, into).await?;
        }
        Ok(rows.len())
    }

    /// Gives a row that was read and locked to another client.
    pub(crate) async fn row_place<E>(&self, row: &E::Model, into: ClientId) -> Result<()>
    where
        E: Moved,
        E::Model: IntoActiveModel<E::ActiveModel> + ModelTrait<Entity = E>,
        E::ActiveModel: Send,
    {
        self.update_row::<E>(row, E::placed(self, row.clone(), into)).await.map(drop)
    }

    pub(crate) async fn follow_user(&self, which: Followed, into: ClientId) -> Result<()> {
        use notification::Column as N;
        use notification_setting::Column as S;
        use portal_device::Column as D;
        use portal_session::Column as P;
        use sso_link::Column as L;
        if let Followed::OfRow(id) = which {
            self.portal_sessions_delete(id.into(), None).await?;
        }
        self.follow::<portal_session::Entity>(which, P::PortalUserId, P::ClientId, into).await?;
        self.follow::<portal_device::Entity>(which, D::PortalUserId, D::ClientId, into).await?;
        self.follow::<notification::Entity>(which, N::PortalUserId, N::ClientId, into).await?;
        self.follow::<notification_setting::Entity>(which, S::Id, S::ClientId, into).await?;
        self.follow::<sso_link::Entity>(which, L::PortalUserId, L::ClientId, into).await
    }

    pub(crate) async fn follow_ticket(&self, which: Followed, into: ClientId) -> Result<()> {
        use portal_ticket_message::Column as M;
        use portal_ticket_reading::Column as R;
        use ticket_link::Column as L;
        use ticket_sending::Column as S;
        self.follow::<portal_ticket_message::Entity>(which, M::TicketId, M::ClientId, into).await?;
        self.follow::<portal_ticket_reading::Entity>(which, R::TicketId, R::ClientId, into).await?;
        self.follow::<ticket_link::Entity>(which, L::TicketId, L::ClientId, into).await?;
        self.follow::<ticket_sending::Entity>(which, S::TicketId, S::ClientId, into).await
    }

    pub(crate) async fn follow_request(&self, which: Followed, into: ClientId) -> Result<()> {
        use service_request_step::Column as S;
        self.follow::<service_request_step::Entity>(which, S::RequestId, S::ClientId, into).await
    }

    pub(crate) async fn follow_onboarding(&self, which: Followed, into: ClientId) -> Result<()> {
        use onboarding_step::Column as S;
        self.follow::<onboarding_step::Entity>(which, S::OnboardingId, S::ClientId, into).await
    }

    async fn follow<E: Owned>(
        &self,
        which: Followed,
        owner: E::Column,
        client: E::Column,
        into: ClientId,
    ) -> Result<()> {
        self.require_writable()?;
        let these = match which {
            Followed::OfClient(from) => client.eq(from.0),
            Followed::OfRow(id) => owner.eq(id),
        };
        let update = self.update_many::<E>().col_expr(client, sea_orm::sea_query::Expr::val(into.0));
        update.filter(these).exec(self.db()).await.or_domain().map(drop)
    }
}
