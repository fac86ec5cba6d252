//! Ids that people typed for clients: the sync that meets one turns it into a mapping.

use domain::{MappingState, Result};
use persistence::MappingWrite;

use crate::job::Job;

/// What stands in the journal and on the mapping.
const REASON: &str = "its id was typed for the client, and the vendor lists it";

impl Job<'_> {
    /// Maps the entities whose ids were typed for a client. One that belongs to another client already stays
    /// where it is, and the typed id says so.
    pub(crate) async fn verify_typed(&self) -> Result<()> {
        let tx = self.begin().await?;
        // Entities first, clients after them: see `Tx::entities_by_id`.
        for typed in tx.unverified_of_integration(self.vendor.id).await? {
            let found =
                tx.entities_by_vendor_id(self.vendor.id, Some(self.connection.id), &typed.vendor_id).await?.pop();
            let Some(entity) = found else { continue };
            let living = !tx.clients_by_id(&[typed.client_id]).await?.is_empty();
            match entity.client_id {
                Some(owner) if owner == typed.client_id => tx.unverified_delete(&typed).await?,
                Some(_) => {
                    let problem = format!("{} “{}” belongs to another client", self.vendor.entity.0, entity.name);
                    tx.unverified_problem(&typed, Some(problem)).await?;
                }
                None if living => {
                    let write = MappingWrite {
                        client: Some(typed.client_id),
                        state: MappingState::Mapped,
                        reason: Some(REASON.to_owned()),
                    };
                    tx.mapping_write(entity.id, &write).await?;
                    tx.unverified_delete(&typed).await?;
                }
                None => {}
            }
        }
        tx.commit("mapping_verify", None).await.map(drop)
    }
}
