//! Reading bulk operations.

use std::collections::HashMap;

use domain::{
    BulkItemState, BulkOperation, BulkOperationId, BulkState, Client, ClientId, Context, Error, Listed, PageRequest,
    Permission, Result,
};
use persistence::{BulkFilter, BulkItem, Tx};

/// Whether a caller sees the operations of others.
fn sees_all(context: &Context) -> bool {
    context.scope.is_all() && context.permissions.allows(Permission::ClientsEdit)
}

/// An operation that the caller sees; another is not found.
pub async fn bulk_get(tx: &Tx, id: BulkOperationId) -> Result<BulkOperation> {
    let operation = tx.bulk_operation(id).await?;
    let own = tx.context().actor.staff().is_some_and(|staff| operation.started_by == Some(staff));
    if own || sees_all(tx.context()) { Ok(operation) } else { Err(Error::NotFound { what: "bulk operation" }) }
}

/// Operations, the newest first: one's own, and those of others for whoever edits clients and sees all of them.
pub async fn bulk_list(tx: &Tx, state: Option<BulkState>, page: &PageRequest) -> Result<Listed<BulkOperation>> {
    let started_by = match (sees_all(tx.context()), tx.context().actor.staff()) {
        (true, _) => None,
        (false, Some(staff)) => Some(staff),
        (false, None) => return Ok(Listed { items: Vec::new(), next: None, total: 0 }),
    };
    tx.bulk_list(&BulkFilter { started_by, state }, page).await
}

/// The clients of an operation, in order of their ids, each with its name as far as it is in the caller's scope.
pub async fn bulk_item_list(
    tx: &Tx,
    id: BulkOperationId,
    state: Option<BulkItemState>,
    page: &PageRequest,
) -> Result<Listed<(BulkItem, Option<String>)>> {
    bulk_get(tx, id).await?;
    let listed = tx.bulk_item_list(id, state, page).await?;
    let ids: Vec<ClientId> = listed.items.iter().map(|item| item.client_id).collect();
    let names: HashMap<ClientId, Client> =
        tx.clients_by_id(&ids).await?.into_iter().map(|client| (client.id, client)).collect();
    let name = |item: BulkItem| {
        let name = names.get(&item.client_id).map(|client| client.name.clone());
        (item, name)
    };
    Ok(Listed { items: listed.items.into_iter().map(name).collect(), next: listed.next, total: listed.total })
}
