//! Doing to clients what was planned for them.

use std::collections::BTreeSet;

use directory::{Deletion, MappingChoice, Target, client_delete, mapping_save};
use domain::{BulkAction, Client, ClientId, ConnectionId, Result};
use integration::Entry;
use persistence::Tx;

use crate::plan::Planned;

/// Entities that one save of mappings takes.
const MAPPINGS: usize = 5_000;

/// The tags of a client after an action.
pub(crate) fn tags_after(action: &BulkAction, before: &[String]) -> Vec<String> {
    let had = || before.iter().cloned();
    match action {
        BulkAction::TagsSet { tags } => tags.clone(),
        BulkAction::TagsAdd { tags } => {
            had().chain(tags.iter().cloned()).collect::<BTreeSet<_>>().into_iter().collect()
        }
        BulkAction::TagsRemove { tags } => had().filter(|tag| !tags.contains(tag)).collect(),
        _ => before.to_vec(),
    }
}

/// Does to these clients what was planned for them in this very transaction.
pub(crate) async fn apply(
    tx: &Tx,
    entries: &'static [Entry],
    action: &BulkAction,
    planned: &Planned,
    ids: &[ClientId],
) -> Result<()> {
    let rows = |change: &dyn Fn(&Client) -> Client| {
        ids.iter().filter_map(|id| planned.clients.get(id)).map(|client| (client.clone(), change(client))).collect()
    };
    match action {
        BulkAction::TagsSet { .. } | BulkAction::TagsAdd { .. } | BulkAction::TagsRemove { .. } => {
            let changed = |client: &Client| Client { tags: tags_after(action, &client.tags), ..client.clone() };
            tx.clients_update(rows(&changed)).await
        }
        BulkAction::Archive => {
            tx.clients_update(rows(&|client| Client { archived_at: Some(tx.now()), ..client.clone() })).await
        }
        BulkAction::Restore => tx.clients_update(rows(&|client| Client { archived_at: None, ..client.clone() })).await,
        BulkAction::StatusSet { status } => {
            tx.clients_update(rows(&|client| Client { status: *status, ..client.clone() })).await
        }
        BulkAction::PortalEnable => {
            for id in ids {
                clientone::clientone_enable(tx, *id).await?;
            }
            Ok(())
        }
        BulkAction::PortalDisable => {
            for id in ids {
                clientone::clientone_disable(tx, *id).await?;
            }
            Ok(())
        }
        BulkAction::SyncStart => {
            let of = |id: &ClientId| planned.mapped.get(id).map(Vec::as_slice).unwrap_or_default();
            let wanted: BTreeSet<ConnectionId> = ids.iter().flat_map(of).map(|entity| entity.connection_id).collect();
            for connection in wanted.intersection(&planned.syncing) {
                sync::sync_start(tx, entries, *connection, None).await?;
            }
            Ok(())
        }
        BulkAction::Unmap { .. } => {
            let of = |id: &ClientId| planned.mapped.get(id).map(Vec::as_slice).unwrap_or_default();
            let choices: Vec<MappingChoice> = ids
                .iter()
                .flat_map(of)
                .map(|entity| MappingChoice { entity_id: entity.id, target: Target::Nobody, reason: None })
                .collect();
            for chunk in choices.chunks(MAPPINGS) {
                // Whether the caller may was asked of the whole operation: it is about one connection.
                mapping_save(tx, chunk, |_| true).await?;
            }
            Ok(())
        }
        BulkAction::Delete { cascade } => {
            for id in ids {
                client_delete(tx, *id, None, Deletion { cascade: *cascade, previewed: true }).await?;
            }
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(list: &[&str]) -> Vec<String> {
        list.iter().map(|tag| (*tag).to_owned()).collect()
    }

    #[test]
    fn tags_are_set_added_and_removed() {
        let had = tags(&["gold", "north"]);
        for (action, expected) in [
            (BulkAction::TagsSet { tags: tags(&["new"]) }, tags(&["new"])),
            (BulkAction::TagsSet { tags: Vec::new() }, Vec::new()),
            (BulkAction::TagsAdd { tags: tags(&["east", "gold"]) }, tags(&["east", "gold", "north"])),
            (BulkAction::TagsRemove { tags: tags(&["gold", "unknown"]) }, tags(&["north"])),
        ] {
            assert_eq!(tags_after(&action, &had), expected, "{action:?}");
        }
    }
}
