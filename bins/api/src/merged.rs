//! Requests for a client that was merged into another: those that read are led on to it, the others are told its id.
//! Nobody is told of a client that they may not see.

use std::sync::{Arc, Mutex, PoisonError};

use domain::{ClientId, Context, Error, Permission};
use persistence::Store;
use poem::{
    IntoResponse, Response,
    http::{Method, StatusCode, Uri, header},
};

use crate::problem::Failure;

/// Paths below which the id of a client follows.
const BELOW: [&str; 2] = ["/api/clients/", "/api/msp-portal/customers/"];

/// Who calls, once that is known.
#[derive(Clone, Default)]
pub struct CallerSlot(Arc<Mutex<Option<(Store, Context)>>>);

impl CallerSlot {
    /// Notes who calls.
    pub fn put(&self, store: Store, context: Context) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((store, context));
    }

    /// Who calls, as far as that is known.
    pub fn look(&self) -> Option<Context> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|(_, context)| context.clone())
    }

    fn take(&self) -> Option<(Store, Context)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// The answer to a request; where its client was not found because it was merged, the way to the one that it went into.
pub async fn led_on(caller: &CallerSlot, method: &Method, uri: &Uri, response: Response) -> Response {
    if response.status() != StatusCode::NOT_FOUND {
        return response;
    }
    let Some((named, gone)) = client_in(uri.path()) else { return response };
    let Some((store, context)) = caller.take() else { return response };
    let Ok(Some(into)) = survivor(&store, context, gone).await else { return response };
    if method.is_safe() {
        let asked = uri.path_and_query().map_or_else(|| uri.path(), |asked| asked.as_str());
        let location = asked.replacen(named, &into.to_string(), 1);
        return Response::builder().status(StatusCode::PERMANENT_REDIRECT).header(header::LOCATION, location).finish();
    }
    let message = format!("This client was merged into the client {into}: make the request for that one.");
    Failure::from(Error::conflict("client_merged", message)).into_response()
}

async fn survivor(store: &Store, context: Context, gone: ClientId) -> domain::Result<Option<ClientId>> {
    context.require(Permission::ClientsView)?;
    store.read(context).await?.client_survivor(gone).await
}

/// The client that a path names, as it stands there and as an id.
fn client_in(path: &str) -> Option<(&str, ClientId)> {
    let rest = BELOW.iter().find_map(|below| path.strip_prefix(below))?;
    let named = rest.split('/').next()?;
    Some((named, named.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_of_a_path_is_found_and_nothing_else() {
        let id = "01a2008a-0000-7000-8000-000000000003";
        for path in [format!("/api/clients/{id}"), format!("/api/msp-portal/customers/{id}/tenants")] {
            let (named, client) = client_in(&path).expect("names one");
            assert_eq!((named, client.to_string()), (id, id.to_owned()));
        }
        for path in
            ["/api/clients", "/api/clients/", "/api/clients/stats", "/api/tenants/01a2008a-0000-7000-8000-000000000003"]
        {
            assert_eq!(client_in(path), None, "{path}");
        }
    }
}
