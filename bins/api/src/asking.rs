//! Writes by whoever may do them with somebody's approval only. Where an operation refuses a caller for want of a
//! permission that they have with approval, it is tried as a preview with that permission, and what it would change is
//! kept with the request: 202 instead of 403. Done later, the very same request is sent again in process, as whoever
//! asked (`approving.rs`).
//!
//! This is the one place for all operations: one that takes `dry_run` and `expect`, and at most a JSON body, can be asked
//! for. What shows a secret once, or goes on under the asker's own rights later, cannot ([`NEVER`]).

use std::{
    cell::Cell,
    sync::{Arc, LazyLock},
};

use access::NewApproval;
use domain::{Change, Context, Error, Grant, Permission};
use persistence::Claim;
use poem::{
    Endpoint, EndpointExt, IntoResponse, Request, Response, Route,
    endpoint::BoxEndpoint,
    http::{HeaderMap, Method, StatusCode, header},
    middleware::CookieJarManager,
};
use poem_openapi::types::ToJSON;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    app::App,
    auth::COOKIE,
    contents, csv_body,
    known::{self, Known},
    merged::CallerSlot,
    problem::{self, Failure},
    routes::approvals::ApprovalView,
    server,
    write::{caller_name, idempotency_key},
};

/// On whose behalf the server itself makes a request. Only this file puts it there: nothing that a client sends does.
#[derive(Clone)]
pub struct Assumed(pub Context);

/// Operations that cannot be asked for although they can be previewed: bulk operations have an approval of their own and
/// go on under the rights of whoever started them, and nobody's approval is needed for one's own things.
pub const NEVER: [&str; 7] = [
    "bulk_start",
    "bulk_approve",
    "bulk_cancel",
    "approval_approve",
    "approval_reject",
    "approval_withdraw",
    "sso_link_delete",
];

tokio::task_local! {
    /// The permission for want of which the request under way was refused last.
    static REFUSED: Cell<Option<Permission>>;
}

/// Notes that the request under way is refused for want of this permission.
pub fn note_refusal(permission: Permission) {
    // Outside a request of staff nobody asks.
    let _ = REFUSED.try_with(|refused| refused.set(Some(permission)));
}

/// A request as it is sent again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AskedFor {
    pub method: String,
    pub path: String,
    query: String,
    content_type: Option<String>,
    if_match: Option<String>,
    body: String,
}

impl AskedFor {
    fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.query.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, "")))
    }

    fn parameter(&self, name: &str) -> Option<String> {
        let mut pairs = url::form_urlencoded::parse(self.query.as_bytes());
        pairs.find(|(given, _)| given == name).map(|(_, value)| value.into_owned())
    }

    fn is_preview(&self) -> bool {
        self.parameter("dry_run").is_some_and(|value| value == "true")
    }

    /// The query without what says how the write is to end, and with this in its place.
    fn ending(&self, end: &str) -> String {
        let kept = self.pairs().filter(|(name, _)| !matches!(*name, "dry_run" | "expect"));
        let kept = kept.map(|(name, value)| format!("{name}={value}"));
        kept.chain([end.to_owned()]).collect::<Vec<_>>().join("&")
    }

    /// What it would change, for this context.
    pub async fn preview(&self, app: &Arc<App>, context: &Context) -> Response {
        let expect = self.parameter("expect").map(|digest| format!("&expect={digest}")).unwrap_or_default();
        self.send(app, &self.ending(&format!("dry_run=true{expect}")), context).await
    }

    /// The write itself, if it still changes just this.
    pub async fn apply(&self, app: &Arc<App>, digest: &str, context: &Context) -> Response {
        self.send(app, &self.ending(&format!("expect={digest}")), context).await
    }

    async fn send(&self, app: &Arc<App>, query: &str, context: &Context) -> Response {
        let mut headers = HeaderMap::new();
        let given = [(header::CONTENT_TYPE, &self.content_type), (header::IF_MATCH, &self.if_match)];
        for (name, value) in given {
            if let Some(value) = value.as_ref().and_then(|value| value.parse().ok()) {
                headers.insert(name, value);
            }
        }
        let method = self.method.parse().unwrap_or(Method::POST);
        dispatch(app, method, &format!("{}?{query}", self.path), headers, self.body.clone(), context).await
    }
}

/// The operations once more, without what surrounds requests from outside.
static WITHIN: LazyLock<BoxEndpoint<'static, Response>> =
    LazyLock::new(|| Route::new().nest("/", server::service()).with(CookieJarManager::new()).map_to_response().boxed());

/// Answers a request as somebody who is known already.
async fn dispatch(
    app: &Arc<App>,
    method: Method,
    uri: &str,
    headers: HeaderMap,
    body: String,
    context: &Context,
) -> Response {
    let Ok(uri) = uri.parse() else {
        return Failure::from(Error::internal("a request that was read cannot be sent again")).into_response();
    };
    let mut request = Request::builder().method(method).uri(uri).body(body);
    *request.headers_mut() = headers;
    // The operations want credentials of some kind; who calls is beside them.
    request.headers_mut().insert(header::COOKIE, header::HeaderValue::from_static("panelone_session=assumed"));
    debug_assert_eq!(COOKIE, "panelone_session", "the cookie that is looked for");
    request.set_data(app.clone());
    request.set_data(Assumed(Context { now: app.store.clock().now(), ..context.clone() }));
    match WITHIN.call(request).await {
        Ok(response) => response,
        Err(error) => problem::of_poem(error),
    }
}

/// Whether somebody may ask for an operation of the document, which they may do with approval only.
pub fn can_be_asked_for(method: &str, operation: &Value) -> bool {
    let takes =
        |name: &str| operation["parameters"].as_array().is_some_and(|all| all.iter().any(|p| p["name"] == name));
    let bodies = operation["requestBody"]["content"].as_object();
    let plain = bodies.is_none_or(|bodies| bodies.keys().all(|kind| kind.starts_with("application/json")));
    // An answer that holds a secret is not kept under a key, and would be shown to whoever approves.
    let shows_secret = method == "post" && !takes("Idempotency-Key");
    let own = operation["operationId"].as_str().is_some_and(|id| NEVER.contains(&id));
    takes("dry_run") && takes("expect") && plain && !shows_secret && !own
}

/// Surrounds the operations of staff.
pub async fn around<E: Endpoint>(endpoint: Arc<E>, mut request: Request) -> poem::Result<Response> {
    let (method, uri, headers) = (request.method().clone(), request.uri().clone(), request.headers().clone());
    let (app, caller) = (request.data::<Arc<App>>().cloned(), request.data::<CallerSlot>().cloned());
    let mut body = Default::default();
    if !method.is_safe() && !csv_body::is_for(&uri) && !contents::is_for(&uri) {
        body = request.take_body().into_bytes().await?;
        request.set_body(body.clone());
    }
    let (answer, refused) = REFUSED
        .scope(Cell::new(None), async {
            let answer = endpoint.call(request).await.map(IntoResponse::into_response);
            (answer, REFUSED.with(Cell::take))
        })
        .await;
    let status = match &answer {
        Ok(response) => response.status(),
        Err(error) => error.status(),
    };
    let (Some(permission), Some(app), StatusCode::FORBIDDEN) = (refused, app, status) else { return answer };
    let Some(context) = caller.and_then(|caller| caller.look()) else { return answer };
    if context.permissions.grant(permission) != Grant::Approval {
        return answer;
    }
    let raised = Context { permissions: context.permissions.raised(), ..context.clone() };
    if method.is_safe() {
        // What somebody may ask to have changed they may see.
        let mut headers = headers;
        headers.remove(header::AUTHORIZATION);
        let uri = uri.path_and_query().map_or_else(|| uri.path(), |asked| asked.as_str());
        return Ok(dispatch(&app, method, uri, headers, String::new(), &raised).await);
    }
    let operation = known::operation(&method, uri.path());
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let asked = AskedFor {
        method: method.to_string(),
        path: uri.path().to_owned(),
        query: uri.query().unwrap_or_default().to_owned(),
        content_type: text(header::CONTENT_TYPE),
        if_match: text(header::IF_MATCH),
        body: String::from_utf8(body.to_vec()).unwrap_or_default(),
    };
    let done = match operation.filter(|operation| operation.can_be_asked_for) {
        None => {
            let action = operation.map_or("request", |operation| operation.id.as_str());
            match app.note_denied(&context, permission.as_str(), action).await {
                Ok(()) => return Ok(Failure::not_with_approval(permission).into_response()),
                Err(error) => Err(error),
            }
        }
        Some(_) if asked.is_preview() => Ok(asked.preview(&app, &raised).await),
        Some(operation) => {
            let key = headers.get("idempotency-key").and_then(|value| value.to_str().ok());
            ask(&app, (&context, &raised), permission, operation, &asked, key).await
        }
    };
    Ok(done.unwrap_or_else(|error| Failure::from(error).into_response()))
}

/// Keeps what is asked for, and answers that it waits.
async fn ask(
    app: &Arc<App>,
    (context, raised): (&Context, &Context),
    permission: Permission,
    operation: &Known,
    asked: &AskedFor,
    key: Option<&str>,
) -> domain::Result<Response> {
    let key = idempotency_key(key)?.map(|key| (caller_name(context), key));
    let whole = format!("{} asked for: {asked:?}", operation.id);
    if let Some((caller, key)) = &key {
        let tx = app.store.read(context.clone()).await?;
        if let Some(answer) = tx.idempotency_answered(caller, key, whole.as_bytes()).await? {
            return Ok(accepted(answer));
        }
    }
    let preview = asked.preview(app, raised).await;
    if !preview.status().is_success() {
        return Ok(preview);
    }
    let set = change_set(preview).await?;
    let changes = serde_json::from_value::<Vec<Change>>(set["changes"].clone()).map_err(Error::internal)?;
    let reason = asked.parameter("reason");
    let new = NewApproval {
        operation: operation.id.clone(),
        method: asked.method.clone(),
        path: asked.path.clone(),
        permission,
        digest: set["digest"].as_str().unwrap_or_default().to_owned(),
        total: set["total"].as_u64().unwrap_or_default(),
        changes,
        reason: reason.clone(),
        request: serde_json::to_vec(asked).map_err(Error::internal)?,
    };
    let tx = app.store.begin(context.clone()).await?;
    if let Some((caller, key)) = &key
        && let Claim::Done { answer, .. } = tx.idempotency_claim(caller, key, whole.as_bytes()).await?
    {
        return Ok(accepted(answer));
    }
    let approval = access::approval_request(&tx, new).await?;
    tx.journal_note("approval_request", reason.as_deref()).await?;
    let location = format!("/api/approvals/{}", approval.id);
    let answer = ApprovalView::of(approval, &tx.context().actor, tx.now(), true).to_json_string();
    if let Some((caller, key)) = &key {
        tx.idempotency_answer(caller, key, StatusCode::ACCEPTED.as_u16(), answer.clone()).await?;
    }
    tx.commit_noted().await?;
    let mut response = accepted(answer);
    if let Ok(location) = location.parse() {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

fn accepted(answer: String) -> Response {
    Response::builder().status(StatusCode::ACCEPTED).content_type("application/json; charset=utf-8").body(answer)
}

/// The change set of an answer to a write.
pub async fn change_set(answer: Response) -> domain::Result<Value> {
    let bytes = answer.into_body().into_bytes().await.map_err(Error::internal)?;
    let mut body: Value = serde_json::from_slice(&bytes).map_err(Error::internal)?;
    Ok(body["change_set"].take())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(query: &str) -> AskedFor {
        AskedFor {
            method: "PATCH".to_owned(),
            path: "/api/clients/x".to_owned(),
            query: query.to_owned(),
            content_type: None,
            if_match: None,
            body: String::new(),
        }
    }

    #[test]
    fn how_a_write_ends_is_replaced_and_nothing_else() {
        let one = asked("cascade=true&expect=aa&reason=spring%20cleaning&dry_run=false");
        assert_eq!(one.ending("dry_run=true"), "cascade=true&reason=spring%20cleaning&dry_run=true");
        assert_eq!(one.parameter("reason").as_deref(), Some("spring cleaning"));
        assert!(!one.is_preview() && asked("dry_run=true").is_preview());
        assert_eq!(asked("").ending("expect=00"), "expect=00");
    }

    #[test]
    fn what_can_be_asked_for_is_previewed_and_shows_no_secret() {
        let can: Vec<&str> =
            known::all().iter().filter(|known| known.can_be_asked_for).map(|known| known.id.as_str()).collect();
        for id in ["client_update", "mapping_save", "subscription_quantity_set", "staff_invite", "connection_create"] {
            assert!(can.contains(&id), "{id}");
        }
        let never = ["api_key_create", "service_account_secret_create", "installer_link_make", "webhook_secret_rotate"];
        let others = ["webhook_subscription_create", "sync_start", "csv_import_apply", "file_upload", "client_list"];
        for id in never.iter().chain(&others).chain(&NEVER) {
            assert!(!can.contains(id), "{id}");
            assert!(known::all().iter().any(|known| known.id == *id), "there is no {id}");
        }
    }
}
