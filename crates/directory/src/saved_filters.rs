//! Filters of the client list that people keep, each for themselves. What a query may say is checked by who reads it.

use domain::{Error, Result, SavedFilter, SavedFilterId, StaffId, name_key, valid_name};
use persistence::Tx;

/// Most filters of one person.
const MOST: usize = 100;

/// Keeps a filter for the caller: a key's are its owner's. The query was read by the list's own parser.
pub async fn saved_filter_create(tx: &Tx, name: &str, query: String) -> Result<SavedFilter> {
    let staff = owner(tx)?;
    let name = checked(name)?;
    let known = tx.saved_filters(staff).await?;
    free(&known, &name, None)?;
    if known.len() >= MOST {
        return Err(Error::conflict("too_many", format!("You keep {MOST} filters already: delete one first.")));
    }
    let filter = SavedFilter {
        id: tx.new_id(),
        staff_id: staff,
        name,
        query,
        created_at: tx.now(),
        updated_at: tx.now(),
        version: 1,
    };
    tx.saved_filter_insert(&filter).await?;
    Ok(filter)
}

/// Changes a filter of the caller's.
pub async fn saved_filter_update(
    tx: &Tx,
    id: SavedFilterId,
    name: Option<&str>,
    query: Option<String>,
    version: Option<i32>,
) -> Result<SavedFilter> {
    let before = current(tx, id, version).await?;
    let mut after = before.clone();
    if let Some(name) = name {
        after.name = checked(name)?;
        free(&tx.saved_filters(before.staff_id).await?, &after.name, Some(id))?;
    }
    if let Some(query) = query {
        after.query = query;
    }
    tx.saved_filter_update(&before, after).await
}

/// Forgets a filter of the caller's.
pub async fn saved_filter_delete(tx: &Tx, id: SavedFilterId, version: Option<i32>) -> Result<SavedFilter> {
    let filter = current(tx, id, version).await?;
    tx.saved_filter_delete(&filter).await?;
    Ok(filter)
}

/// The filters of the caller, by name.
pub async fn saved_filter_list(tx: &Tx) -> Result<Vec<SavedFilter>> {
    tx.saved_filters(owner(tx)?).await
}

async fn current(tx: &Tx, id: SavedFilterId, version: Option<i32>) -> Result<SavedFilter> {
    let filter = tx.saved_filter(owner(tx)?, id).await?;
    if version.is_some_and(|version| version != filter.version) {
        return Err(Error::Stale { what: "saved filter" });
    }
    Ok(filter)
}

fn owner(tx: &Tx) -> Result<StaffId> {
    tx.context().actor.staff().ok_or_else(|| Error::conflict("nobody", "Filters are kept for people of the team."))
}

fn checked(name: &str) -> Result<String> {
    valid_name("/name", name).map_err(|problem| Error::Invalid(vec![problem]))
}

fn free(known: &[SavedFilter], name: &str, but: Option<SavedFilterId>) -> Result<()> {
    let key = name_key(name);
    if known.iter().any(|filter| name_key(&filter.name) == key && Some(filter.id) != but) {
        return Err(Error::conflict("name_taken", format!("You keep a filter of the name “{name}” already.")));
    }
    Ok(())
}
