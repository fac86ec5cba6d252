//! Undoing what happened to ids typed by hand and to shares: small rows without a version, which are either there as the
//! entry left them or were changed since.

use domain::{Change, ClientId, ConnectionShare, Error, Problem, Result, UnverifiedMapping};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Tx, revert::conflict};

const CHANGED: &str = "was changed since";

/// A row as a change has it.
fn row<T: DeserializeOwned>(view: &Option<Value>) -> Result<Option<T>> {
    view.clone().map(serde_json::from_value).transpose().map_err(Error::internal)
}

impl Tx {
    pub(crate) async fn revert_typed(&self, change: &Change, despite: bool) -> Result<Option<Problem>> {
        let current = self.unverified_even_elsewhere(change.id).await?;
        let before: Option<UnverifiedMapping> = row(&change.before)?;
        let after: Option<UnverifiedMapping> = row(&change.after)?;
        // A sync may have noted a problem since: that is nobody's decision.
        let place = |mapping: &UnverifiedMapping| (mapping.client_id, mapping.vendor_id.clone());
        if current.as_ref().map(place) != after.as_ref().map(place) && !despite {
            return conflict(change, "changed_since", CHANGED);
        }
        if let Some(before) = &before {
            if !self.is_living(before.client_id).await? {
                return conflict(change, "client_deleted", "belonged to a client that is deleted: restore that first");
            }
            let taken = self.unverified_by_vendor_id(&before.integration, &before.vendor_id).await?;
            if taken.is_some_and(|taken| taken.id != before.id) {
                return conflict(change, "taken", "was typed for another client since");
            }
        }
        match (current, before) {
            (Some(current), Some(before)) => self.unverified_move(&current, before.client_id).await?,
            (Some(current), None) => self.unverified_delete(&current).await?,
            (None, Some(before)) => self.unverified_insert(&before).await?,
            (None, None) => {}
        }
        Ok(None)
    }

    pub(crate) async fn revert_share(&self, change: &Change, despite: bool) -> Result<Option<Problem>> {
        let current = self.share(change.id).await?;
        let before: Option<ConnectionShare> = row(&change.before)?;
        let after: Option<ConnectionShare> = row(&change.after)?;
        let client = |share: &ConnectionShare| share.client_id;
        if current.as_ref().map(client) != after.as_ref().map(client) && !despite {
            return conflict(change, "changed_since", CHANGED);
        }
        if let Some(before) = &before {
            if !self.is_living(before.client_id).await? {
                return conflict(change, "client_deleted", "was with a client that is deleted: restore that first");
            }
            match self.connection(before.connection_id).await {
                Ok(_) => {}
                Err(Error::NotFound { .. }) => return conflict(change, "gone", "is of a connection that is gone"),
                Err(other) => return Err(other),
            }
            let mut others = self.shares_of_client(before.client_id).await?.into_iter();
            if others.any(|other| other.connection_id == before.connection_id && other.id != before.id) {
                return conflict(change, "taken", "was made again since");
            }
        }
        match (current, before) {
            (Some(current), Some(before)) => self.share_move(&current, before.client_id).await?,
            (Some(current), None) => self.share_delete(&current).await?,
            (None, Some(before)) => self.share_put_back(&before).await?,
            (None, None) => {}
        }
        Ok(None)
    }

    async fn is_living(&self, client: ClientId) -> Result<bool> {
        match self.client(client).await {
            Ok(_) => Ok(true),
            Err(Error::NotFound { .. }) => Ok(false),
            Err(other) => Err(other),
        }
    }
}
