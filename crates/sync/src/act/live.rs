//! What is asked of a vendor for a person who waits, and not stored.

use std::{future::Future, time::Duration};

use domain::{ClientId, ConnectionId, Context, Error, RecordId, Result};
use integration::{Choice, Connector, CustomField, Kind, RecordKind, Template, Threat, TicketChoices};
use persistence::Tx;

use super::{
    send::{found, working},
    unable,
};
use crate::{Engine, trouble::vendor_error};

/// The longest that a person waits.
const PATIENCE: Duration = Duration::from_secs(30);

/// An action on a threat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThreatAction {
    /// As it is asked for, and as people read it.
    pub choice: Choice,
    /// Why the vendor would refuse it now, as far as that is known.
    pub refusal: Option<String>,
}

/// Templates of one shelf, with what other shelves there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shelf {
    /// Every shelf.
    pub shelves: Vec<Choice>,
    /// Which one this is.
    pub shelf: String,
    /// What stands on it.
    pub templates: Vec<Template>,
}

impl Engine {
    /// What can be done about a threat. Nothing is sent.
    pub async fn threat_action_list(&self, tx: &Tx, client: ClientId, id: RecordId) -> Result<Vec<ThreatAction>> {
        let record = found(tx, client, RecordKind::Threat, id).await?;
        let threat: Threat = serde_json::from_str(&record.body).map_err(Error::internal)?;
        let connection = tx.connection(record.connection_id).await?;
        working(&connection)?;
        let connector = self.silent(&connection.integration, tx.now())?;
        let Some(actions) = connector.threat_actions() else {
            return Err(unable("act on threats", self.entry(&connection.integration)?.name));
        };
        let told = |choice: Choice| ThreatAction { refusal: actions.refusal(&threat, &choice.id), choice };
        Ok(actions.actions().into_iter().map(told).collect())
    }

    /// What tickets can be set to, asked of the vendor.
    pub async fn ticket_choices_get(
        &self,
        context: &Context,
        connection: ConnectionId,
        queue: Option<&str>,
    ) -> Result<TicketChoices> {
        let tx = self.store.read(context.clone()).await?;
        let (connector, vendor) = self.live(tx, connection).await?;
        let writes = connector.ticket_writes().ok_or_else(|| unable("change tickets", vendor))?;
        patient(vendor, writes.choices(queue)).await
    }

    /// The custom fields of a place with their values, asked of the vendor.
    pub async fn custom_fields_get(
        &self,
        context: &Context,
        client: ClientId,
        location: RecordId,
    ) -> Result<Vec<CustomField>> {
        let tx = self.store.read(context.clone()).await?;
        let record = found(&tx, client, RecordKind::Location, location).await?;
        let entity = tx.entity(record.entity_id).await?;
        let (connector, vendor) = self.live(tx, record.connection_id).await?;
        let fields = connector.custom_fields().ok_or_else(|| unable("read custom fields", vendor))?;
        patient(vendor, fields.fields(&entity.vendor_id, &record.vendor_id)).await
    }

    /// The templates of one shelf, asked of the vendor; of the first where none is named.
    pub async fn template_list(
        &self,
        context: &Context,
        connection: ConnectionId,
        shelf: Option<&str>,
    ) -> Result<Shelf> {
        let tx = self.store.read(context.clone()).await?;
        let (connector, vendor) = self.live(tx, connection).await?;
        let templates = connector.templates().ok_or_else(|| unable("read templates", vendor))?;
        let shelves = templates.shelves();
        let chosen = match shelf {
            Some(id) => shelves.iter().find(|known| known.id == id),
            None => shelves.first(),
        };
        let Some(chosen) = chosen.map(|chosen| chosen.id.clone()) else {
            let ids: Vec<&str> = shelves.iter().map(|known| known.id.as_str()).collect();
            return Err(Error::invalid("shelf", "unknown_value", format!("must be one of {}", ids.join(", "))));
        };
        let found = patient(vendor, templates.templates(&chosen)).await?;
        Ok(Shelf { shelves, shelf: chosen, templates: found })
    }

    /// The connector of a connection that works, for a person who waits.
    async fn live(&self, tx: Tx, id: ConnectionId) -> Result<(Box<dyn Connector>, &'static str)> {
        let connection = tx.connection(id).await?;
        working(&connection)?;
        let vendor = self.entry(&connection.integration)?.name;
        let credentials = tx.connection_credentials(id).await?;
        let organisation = tx.organisation();
        tx.rollback().await?;
        let connector = self.connect(organisation, &connection, &credentials, true);
        Ok((connector.map_err(|error| vendor_error(&error))?, vendor))
    }
}

async fn patient<T>(vendor: &str, asked: impl Future<Output = integration::Result<T>>) -> Result<T> {
    let answered = tokio::time::timeout(PATIENCE, asked).await.unwrap_or_else(|_| {
        let message = format!("{vendor} did not answer within {} seconds", PATIENCE.as_secs());
        Err(integration::Error::new(Kind::Unavailable, message))
    });
    answered.map_err(|error| vendor_error(&error))
}
