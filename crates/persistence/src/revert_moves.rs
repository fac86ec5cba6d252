//! Giving back to a client what went with it when it was merged into another. What was done with a row since is its
//! own: named, and left as it is when the row goes back all the same.

use std::collections::HashSet;

use domain::{Change, ClientId, Error, Problem, Result, Timestamp};
use sea_orm::{ColumnTrait, IntoActiveModel, ModelTrait, QueryFilter, QuerySelect, QueryTrait};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    Tx,
    entity::{
        agreement_instance, onboarding, portal_config, portal_ticket, portal_user, service_request, sso_link,
        sso_provider,
    },
    error::OrDomain,
    journalled::{Journalled, stripped},
    moves::{Followed, Moved},
    revert::conflict,
};

/// Kinds of rows that go back to the client they came from, and of which nothing else is undone.
const MOVED: [&str; 6] =
    ["portal_user", "portal_ticket", "service_request", "agreement_instance", "onboarding", "sso_provider"];

fn client(view: &Option<Value>) -> Option<ClientId> {
    view.as_ref()?["client_id"].as_str()?.parse().ok()
}

/// From which client a change took a row, and to which it gave it.
fn moved(change: &Change) -> Option<(ClientId, ClientId)> {
    let (from, into) = (client(&change.before)?, client(&change.after)?);
    (from != into).then_some((from, into))
}

/// Whether a change gave something of people's from one client to another.
pub(crate) fn is_move(change: &Change) -> bool {
    (MOVED.contains(&change.kind.as_str()) || change.kind == "portal_config") && moved(change).is_some()
}

/// A row that went, as it is put back.
trait PutBack: Moved {
    /// Undoes what else the move did to the row, where that still stands.
    fn mended(row: Self::Model, _before: &Value, _after: &Value) -> Result<Self::Model> {
        Ok(row)
    }
}

impl PutBack for portal_config::Entity {}
impl PutBack for portal_user::Entity {}
impl PutBack for portal_ticket::Entity {}
impl PutBack for service_request::Entity {}
impl PutBack for sso_provider::Entity {}

/// What a row that was ended by the move was before, unless it stands elsewhere by now.
fn reopened(state: &str, before: &Value, after: &Value) -> Option<String> {
    let (was, became) = (before["state"].as_str()?, after["state"].as_str()?);
    (was != became && state == became).then(|| was.to_owned())
}

fn time(view: &Value) -> Result<Option<Timestamp>> {
    serde_json::from_value(view["ended_at"].clone()).map_err(Error::internal)
}

fn text(view: &Value) -> Option<String> {
    view.as_str().map(str::to_owned)
}

impl PutBack for agreement_instance::Entity {
    fn mended(row: Self::Model, before: &Value, after: &Value) -> Result<Self::Model> {
        let Some(state) = reopened(&row.state, before, after) else { return Ok(row) };
        Ok(agreement_instance::Model { state, ended_at: time(before)?, ..row })
    }
}

impl PutBack for onboarding::Entity {
    fn mended(row: Self::Model, before: &Value, after: &Value) -> Result<Self::Model> {
        let Some(state) = reopened(&row.state, before, after) else { return Ok(row) };
        let (ended_at, reason) = (time(before)?, text(&before["reason"]));
        Ok(onboarding::Model { state, ended_at, reason, current_step: text(&before["current"]), ..row })
    }
}

impl Tx {
    /// Gives a row back to the client it came from. `entry` holds the ids of all rows that the entry changed: what
    /// belongs to a person and is not among them was made since.
    pub(crate) async fn revert_move(
        &self,
        change: &Change,
        despite: bool,
        entry: &HashSet<Uuid>,
    ) -> Result<Option<Problem>> {
        let Some((from, into)) = moved(change) else { return Ok(None) };
        let row = Followed::OfRow(change.id);
        match change.kind.as_str() {
            "portal_config" => self.row_back::<portal_config::Entity>(into.0, change, from, despite).await,
            "agreement_instance" => self.row_back::<agreement_instance::Entity>(change.id, change, from, despite).await,
            "portal_ticket" => {
                let named = self.row_back::<portal_ticket::Entity>(change.id, change, from, despite).await?;
                if named.is_none() {
                    self.follow_ticket(row, from).await?;
                }
                Ok(named)
            }
            "service_request" => {
                let named = self.row_back::<service_request::Entity>(change.id, change, from, despite).await?;
                if named.is_none() {
                    self.follow_request(row, from).await?;
                }
                Ok(named)
            }
            "onboarding" => {
                let named = self.row_back::<onboarding::Entity>(change.id, change, from, despite).await?;
                if named.is_none() {
                    self.follow_onboarding(row, from).await?;
                }
                Ok(named)
            }
            "sso_provider" => {
                if !despite && self.came_since(change.id, into, entry).await? {
                    return conflict(change, "used_since", "opens accounts that the other client has got since");
                }
                self.row_back::<sso_provider::Entity>(change.id, change, from, despite).await
            }
            _ => self.user_back(change, (from, into), despite, entry).await,
        }
    }

    /// An account goes back with whatever its owner has made since, which is named first.
    async fn user_back(
        &self,
        change: &Change,
        (from, into): (ClientId, ClientId),
        despite: bool,
        entry: &HashSet<Uuid>,
    ) -> Result<Option<Problem>> {
        let user = change.id;
        let made = Made {
            tickets: self.rows_since::<portal_ticket::Entity>(portal_ticket::Column::RequesterId, user, entry).await?,
            requests: self
                .rows_since::<service_request::Entity>(service_request::Column::RequesterId, user, entry)
                .await?,
            agreements: self
                .rows_since::<agreement_instance::Entity>(agreement_instance::Column::AddresseeId, user, entry)
                .await?,
        };
        if !despite && !made.is_empty() {
            return conflict(
                change,
                "made_since",
                "has tickets, requests or agreements made since, which would go along",
            );
        }
        let named = self.row_back::<portal_user::Entity>(user, change, from, despite).await?;
        if named.is_some() {
            return Ok(named);
        }
        self.follow_user(Followed::OfRow(user), from).await?;
        for row in made.tickets.iter().filter(|row| row.client_id == into.0) {
            self.row_place::<portal_ticket::Entity>(row, from).await?;
            self.follow_ticket(Followed::OfRow(row.id), from).await?;
        }
        for row in made.requests.iter().filter(|row| row.client_id == into.0) {
            self.row_place::<service_request::Entity>(row, from).await?;
            self.follow_request(Followed::OfRow(row.id), from).await?;
        }
        for row in made.agreements.iter().filter(|row| row.client_id == into.0) {
            self.row_place::<agreement_instance::Entity>(row, from).await?;
        }
        Ok(None)
    }

    /// What belongs to a person and is not of the entry.
    async fn rows_since<E: Journalled>(
        &self,
        owner: E::Column,
        user: Uuid,
        entry: &HashSet<Uuid>,
    ) -> Result<Vec<E::Model>> {
        let select = self.find::<E>().filter(owner.eq(user)).lock_exclusive();
        let mut rows = select.all(self.db()).await.or_domain()?;
        rows.retain(|row| !entry.contains(&E::id(row)));
        Ok(rows)
    }

    /// Whether accounts of a client that are not of the entry are opened through a provider.
    async fn came_since(&self, provider: Uuid, client: ClientId, entry: &HashSet<Uuid>) -> Result<bool> {
        let linked = self
            .find::<sso_link::Entity>()
            .select_only()
            .column(sso_link::Column::PortalUserId)
            .filter(sso_link::Column::ProviderId.eq(provider))
            .filter(sso_link::Column::PortalUserId.is_not_null());
        let users: Vec<Uuid> = self
            .find::<portal_user::Entity>()
            .select_only()
            .column(portal_user::Column::Id)
            .filter(portal_user::Column::ClientId.eq(client.0))
            .filter(portal_user::Column::Id.in_subquery(linked.into_query()))
            .into_tuple()
            .all(self.db())
            .await
            .or_domain()?;
        Ok(users.iter().any(|user| !entry.contains(user)))
    }

    /// Puts a row back under the client it came from; what else was changed of it since is named, and stays.
    async fn row_back<E>(&self, id: Uuid, change: &Change, from: ClientId, despite: bool) -> Result<Option<Problem>>
    where
        E: PutBack,
        E::Model: IntoActiveModel<E::ActiveModel> + ModelTrait<Entity = E>,
        E::ActiveModel: Send,
    {
        let (Some(before), Some(after)) = (&change.before, &change.after) else { return Ok(None) };
        let select = self.find::<E>().filter(E::id_column().eq(id)).lock_exclusive();
        let Some(current) = select.one(self.db()).await.or_domain()? else {
            // Named by the caller, it is left out: there is nothing to give back.
            return if despite { Ok(None) } else { conflict(change, "gone", "is gone, or outside your access") };
        };
        if stripped(&E::view(&current)?) != stripped(after) && !despite {
            return conflict(change, "changed_since", "was changed since");
        }
        match self.client(from).await {
            Ok(_) => {}
            Err(Error::NotFound { .. }) => {
                return conflict(change, "client_deleted", "belonged to a client that is deleted: restore that first");
            }
            Err(other) => return Err(other),
        }
        let target = E::placed(self, E::mended(current.clone(), before, after)?, from);
        self.update_row::<E>(&current, target).await?;
        Ok(None)
    }
}

/// What belongs to a person and was made since.
struct Made {
    tickets: Vec<portal_ticket::Model>,
    requests: Vec<service_request::Model>,
    agreements: Vec<agreement_instance::Model>,
}

impl Made {
    fn is_empty(&self) -> bool {
        self.tickets.is_empty() && self.requests.is_empty() && self.agreements.is_empty()
    }
}
