//! Who started something that goes on without them: with the rights that they have now, not those that they had then.

use domain::{Actor, Context, Result};
use persistence::{StaffRow, Tx};

use crate::{
    api_keys::key_clients,
    gate::{RequestMeta, staff_context},
    machine_tokens::machine_context,
};

/// The context of whoever started a job, as their rows are now. `None` where they may do nothing any more: suspended,
/// removed, or the key is revoked or expired. `tx` is the worker's own. Operators and the worker are as they were.
pub async fn starter_context(tx: &Tx, actor: Actor, request_id: &str) -> Result<Option<Context>> {
    let now = tx.now();
    let request = RequestMeta { request_id: request_id.to_owned(), source_address: None };
    let gone = |staff: &StaffRow| staff.suspended_at.is_some() || staff.removed_at.is_some();
    match actor {
        Actor::Staff { id } => {
            let staff = match tx.staff(id).await {
                Err(domain::Error::NotFound { .. }) => return Ok(None),
                found => found?,
            };
            Ok((!gone(&staff)).then(|| staff_context(&staff, now, &request)))
        }
        Actor::ApiKey { id, owner } => {
            let (staff, key) = match (tx.staff(owner).await, tx.api_key(id).await) {
                (Err(domain::Error::NotFound { .. }), _) | (_, Err(domain::Error::NotFound { .. })) => return Ok(None),
                (staff, key) => (staff?, key?),
            };
            if gone(&staff) || key.revoked_at.is_some() || now >= key.expires_at {
                return Ok(None);
            }
            let whole = staff.rights().through(key.key_scope);
            Ok(Some(Context {
                actor,
                scope: key_clients(&staff, &key),
                permissions: key.permissions.as_ref().map_or(whole, |named| whole.limited_to(named)),
                ..staff_context(&staff, now, &request)
            }))
        }
        Actor::ServiceAccount { id } => {
            let account = match tx.service_account(id).await {
                Err(domain::Error::NotFound { .. }) => return Ok(None),
                found => found?,
            };
            Ok(account.is_live(now).then(|| machine_context(tx.organisation(), &account, now, &request)))
        }
        Actor::Worker => Ok(Some(Context::worker(tx.organisation(), now, request_id))),
        Actor::Operator => {
            Ok(Some(Context { request_id: request_id.to_owned(), ..Context::operator(tx.organisation(), now) }))
        }
        Actor::PortalUser { .. } => Ok(None),
    }
}
