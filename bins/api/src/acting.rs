//! Acting for a customer: a staff user says in a header for whom a request is made. It is then limited to that customer,
//! and every entry of the journal that it leaves names both.

use domain::{ClientId, ClientScope, Context, Error, Permission, Result};
use persistence::Tx;
use poem::Request;

use crate::{app::App, merged::CallerSlot};

/// The header that holds the customer's id.
pub const ACTING_FOR: &str = "acting-for";

/// What an attempt without the right is called in the journal.
const ACTION: &str = "customer_act_for";

/// The caller's transaction, as far as it goes for the customer that the request names. One that does not exist, or is
/// outside the caller's clients, is not found.
pub async fn acting(app: &App, request: &Request, tx: Tx) -> Result<Tx> {
    let tx = limited(app, request, tx).await?;
    if let Some(slot) = request.data::<CallerSlot>() {
        slot.put(app.store.clone(), tx.context().clone());
    }
    Ok(tx)
}

async fn limited(app: &App, request: &Request, tx: Tx) -> Result<Tx> {
    let mut named = request.headers().get_all(ACTING_FOR).iter();
    let Some(first) = named.next() else { return Ok(tx) };
    let id = first.to_str().ok().and_then(|text| text.trim().parse::<ClientId>().ok());
    let Some(id) = id.filter(|_| named.next().is_none()) else {
        return Err(Error::invalid("Acting-For", "malformed", "must be the id of one customer"));
    };
    if tx.context().require(Permission::CustomersActFor).is_err() {
        let context = tx.context().clone();
        drop(tx);
        app.permit(&context, Permission::CustomersActFor, ACTION).await?;
        return Err(Error::Forbidden { permission: Permission::CustomersActFor });
    }
    let client = tx.client(id).await?.id;
    let context =
        Context { acted_for: Some(client), scope: ClientScope::Only([client].into()), ..tx.context().clone() };
    tx.acting_as(context)
}
