//! What the clients and people are called whose ids stand in other rows of ClientOne.

use std::collections::{BTreeSet, HashMap};

use domain::{ClientId, PortalUserId, Result};
use sea_orm::{ColumnTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use crate::{
    Tx,
    entity::{client, portal_user},
    error::OrDomain,
};

/// Names by id, as far as they are within the scope.
#[derive(Clone, Debug, Default)]
pub struct PortalNames {
    clients: HashMap<ClientId, String>,
    users: HashMap<PortalUserId, String>,
}

impl PortalNames {
    /// What a client is called now.
    pub fn client(&self, id: ClientId) -> String {
        self.clients.get(&id).cloned().unwrap_or_default()
    }

    /// What a portal user is called now.
    pub fn user(&self, id: PortalUserId) -> String {
        self.users.get(&id).cloned().unwrap_or_default()
    }
}

impl Tx {
    /// What these clients and portal users are called; of a page of rows at most.
    pub async fn portal_names(
        &self,
        clients: impl IntoIterator<Item = ClientId>,
        users: impl IntoIterator<Item = PortalUserId>,
    ) -> Result<PortalNames> {
        let clients: BTreeSet<Uuid> = clients.into_iter().map(|id| id.0).collect();
        let users: BTreeSet<Uuid> = users.into_iter().map(|id| id.0).collect();
        let mut found: Vec<(Uuid, String)> = Vec::new();
        let mut people: Vec<(Uuid, String)> = Vec::new();
        if !clients.is_empty() {
            let select = self.find::<client::Entity>().filter(client::Column::Id.is_in(clients));
            let select = select.select_only().columns([client::Column::Id, client::Column::Name]);
            found = select.into_tuple().all(self.db()).await.or_domain()?;
        }
        if !users.is_empty() {
            let select = self.find::<portal_user::Entity>().filter(portal_user::Column::Id.is_in(users));
            let select = select.select_only().columns([portal_user::Column::Id, portal_user::Column::Name]);
            people = select.into_tuple().all(self.db()).await.or_domain()?;
        }
        Ok(PortalNames {
            clients: found.into_iter().map(|(id, name)| (ClientId(id), name)).collect(),
            users: people.into_iter().map(|(id, name)| (PortalUserId(id), name)).collect(),
        })
    }
}
