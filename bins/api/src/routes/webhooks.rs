//! Where vendors send their webhooks. Not part of the document: the bodies are the vendors' own.

use std::sync::Arc;

use domain::{ConnectionId, Error, OrganisationId};
use integration::Delivery;
use poem::{
    Body, IntoResponse, Request, Response,
    http::StatusCode,
    web::{Data, Path, Query},
};
use uuid::Uuid;

use crate::{app::App, problem::Failure};

/// The address, below the public origin.
pub const ADDRESS: &str = "/webhooks/:organisation_id/:connection_id";
/// Largest delivery, in bytes.
const LARGEST: usize = 1024 * 1024;
/// Most headers and query parameters of a delivery.
const MOST: usize = 200;

/// Takes a delivery. Whoever cannot prove to be the vendor gets the same answer, whatever is wrong.
#[poem::handler]
pub async fn receive(
    app: Data<&Arc<App>>,
    request: &Request,
    body: Body,
    path: poem::Result<Path<(String, String)>>,
    query: poem::Result<Query<Vec<(String, String)>>>,
) -> Response {
    match hear(&app, request, body, path.ok().map(|path| path.0), query.map(|query| query.0).unwrap_or_default()).await
    {
        Ok(new) => {
            if new > 0 {
                app.wake.notify_one();
            }
            Response::builder().status(StatusCode::ACCEPTED).finish()
        }
        Err(error) => Failure::from(error).into_response(),
    }
}

async fn hear(
    app: &App,
    request: &Request,
    body: Body,
    path: Option<(String, String)>,
    query: Vec<(String, String)>,
) -> domain::Result<usize> {
    let ids = path.and_then(|(organisation, connection)| {
        Some((organisation.parse::<Uuid>().ok()?, connection.parse::<Uuid>().ok()?))
    });
    let (organisation, connection) = ids.ok_or(Error::Unauthenticated)?;
    let body = body.into_bytes_limit(LARGEST).await.map_err(|_| Error::Unauthenticated)?;
    if request.headers().len() > MOST || query.len() > MOST {
        return Err(Error::Unauthenticated);
    }
    let header = |(name, value): (&poem::http::HeaderName, &poem::http::HeaderValue)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    };
    let delivery = Delivery {
        headers: request.headers().iter().filter_map(header).collect(),
        query,
        body,
        received_at: app.store.clock().now(),
    };
    app.engine.webhook_hear(OrganisationId(organisation), ConnectionId(connection), &delivery).await
}
