//! Trying credentials.

use std::time::Duration;

use domain::{Connection, ConnectionId, ConnectionState, Context, Error, Permission, Result};
use integration::{Checked, Connector, Entry, Kind};
use serde_json::{Map, Value};

use crate::{
    Engine,
    connections::{begin_syncing, normalise, permitted},
    consent::waiting,
    grants::grant_in,
    rights::allowed,
    trouble::{vendor_code, vendor_error},
};

/// The longest that a test may take.
const PATIENCE: Duration = Duration::from_secs(30);

impl Engine {
    /// Tries credentials that are not stored.
    pub async fn credentials_test(
        &self,
        context: &Context,
        integration: &str,
        credentials: &Map<String, Value>,
    ) -> Result<Checked> {
        let entry = self.entry(integration)?;
        allowed(context, Permission::ConnectionsManage, entry.category)?;
        let values = normalise(entry, credentials).map_err(Error::Invalid)?;
        if entry.consent_wanted(&values).is_some() {
            return Err(consent_missing(entry.name));
        }
        // Nobody's yet: a budget of its own for one test.
        let id = ConnectionId(self.store.chance().id(context.now));
        let connector = entry
            .connect(&values, self.dial.transport(id, true))
            .map_err(|_| Error::internal("credentials that were just checked do not build a connector"))?;
        check(connector.as_ref(), entry.name).await.map_err(|error| vendor_error(&error))
    }

    /// The same for credentials that are about to be saved; `None` where they open nothing yet, because the
    /// vendor wants a person's consent at its own page as well.
    pub async fn credentials_try(
        &self,
        context: &Context,
        integration: &str,
        credentials: &Map<String, Value>,
    ) -> Result<Option<Checked>> {
        let entry = self.entry(integration)?;
        if entry.consent_wanted(credentials).is_none() {
            return self.credentials_test(context, integration, credentials).await.map(Some);
        }
        allowed(context, Permission::ConnectionsManage, entry.category)?;
        normalise(entry, credentials).map(|_| None).map_err(Error::Invalid)
    }

    /// Tries the stored credentials of a connection and notes what was found: the account, and whether it
    /// works. A draft that works is connected and synced.
    pub async fn connection_test(&self, context: &Context, id: ConnectionId) -> Result<Checked> {
        let tx = self.store.begin(context.clone()).await?;
        let tried = tx.connection(id).await?;
        permitted(context, self.entries, &tried, Permission::ConnectionsManage)?;
        let credentials = tx.connection_credentials(id).await?;
        tx.rollback().await?;
        if let Ok(entry) = self.entry(&tried.integration)
            && wants_consent(entry, &credentials).is_some_and(|field| grant_in(&credentials, field).is_none())
        {
            return Err(consent_missing(entry.name));
        }
        let outcome = match self.connect(context.organisation, &tried, &credentials, true) {
            Ok(connector) => check(connector.as_ref(), &tried.integration).await,
            Err(error) => Err(error),
        };
        let tx = self.store.begin(context.clone()).await?;
        let before = tx.connection(id).await?;
        // Saved anew in the meantime: what was tried is not what is stored.
        let same = before.credentials_version == tried.credentials_version;
        let after = if same { found(&before, &outcome) } else { before.clone() };
        let woken = after.state.syncs() && !before.state.syncs();
        let after = tx.connection_update(&before, after).await?;
        if woken {
            begin_syncing(&tx, &after).await?;
        }
        tx.commit("connection_test", outcome.as_ref().err().map(|error| vendor_code(error.kind))).await?;
        outcome.map_err(|error| vendor_error(&error))
    }
}

/// The field for a grant, where these stored credentials want one.
pub(crate) fn wants_consent(entry: &Entry, stored: &Value) -> Option<&'static str> {
    entry.consent_wanted(stored.as_object().unwrap_or(&Map::new()))
}

fn consent_missing(vendor: &str) -> Error {
    Error::conflict("consent_missing", waiting(vendor))
}

/// The connection after a test with this outcome.
fn found(before: &Connection, outcome: &Result<Checked, integration::Error>) -> Connection {
    let mut after = before.clone();
    match outcome {
        Ok(checked) => {
            after.account = checked.account.clone().or(after.account);
            if matches!(before.state, ConnectionState::Draft | ConnectionState::ReauthRequired) {
                (after.state, after.state_reason) = (ConnectionState::Connected, None);
            }
        }
        Err(error) if error.kind == Kind::Credentials && before.state.syncs() => {
            (after.state, after.state_reason) = (ConnectionState::ReauthRequired, Some(error.to_string()));
        }
        Err(_) => {}
    }
    after
}

pub(crate) async fn check(connector: &dyn Connector, vendor: &str) -> Result<Checked, integration::Error> {
    tokio::time::timeout(PATIENCE, connector.check()).await.unwrap_or_else(|_| {
        let message = format!("{vendor} did not answer within {} seconds", PATIENCE.as_secs());
        Err(integration::Error::new(Kind::Unavailable, message))
    })
}
