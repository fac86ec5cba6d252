//! What follows on a yes: the request that somebody asked for is sent again as theirs, once.

use std::sync::Arc;

use access::Came;
use domain::{Approval, Approved, Context, Error, Result, StaffId};
use poem::{Response, http::StatusCode};
use serde_json::Value;

use crate::{
    app::App,
    asking::{AskedFor, change_set},
    request_id,
};

/// Something that was asked for, and whoever asked with the rights that they have now.
pub struct Ready {
    request: AskedFor,
    asker: Context,
}

/// Whether it can be done as it was asked for: ready, or why never more. It is previewed as whoever asked, with the rights
/// that they have now, and as the caller, who must be able to do the very same. The conflict `beyond_yours` where the
/// caller is not.
pub async fn prepare(app: &Arc<App>, context: &Context, approval: &Approval) -> Result<Result<Ready, String>> {
    let Some(asker) = access::approval_asker(&app.store, context, approval).await? else {
        return Ok(Err("Whoever asked for it may not ask for it any more.".to_owned()));
    };
    let tx = app.store.read(context.clone()).await?;
    let Some(request) = tx.approval_request(approval.id).await? else {
        return Ok(Err("What was asked for is not kept any more.".to_owned()));
    };
    drop(tx);
    let request: AskedFor = serde_json::from_slice(&request).map_err(Error::internal)?;
    let preview = request.preview(app, &asker).await;
    if preview.status().is_server_error() {
        return Err(Error::Busy(detail(preview).await.1));
    }
    if !preview.status().is_success() {
        return Ok(Err(detail(preview).await.1));
    }
    if change_set(preview).await?["digest"] != approval.digest.as_str() {
        return Ok(Err("What it would change is not what was asked for any more: ask for it anew.".to_owned()));
    }
    let own = request.preview(app, context).await;
    if !own.status().is_success() {
        let (_, why) = detail(own).await;
        let message = format!("Only someone who could do it themselves approves it. For you: {why}");
        return Err(Error::conflict("beyond_yours", message));
    }
    Ok(Ok(Ready { request, asker }))
}

/// Does it, and notes how it ended. It goes on when the request that approved it is cut off.
pub async fn carry_out(
    app: &Arc<App>,
    context: &Context,
    approval: Approval,
    by: StaffId,
    ready: Ready,
) -> Result<Approval> {
    let (app, context) = (app.clone(), context.clone());
    let id = request_id::current();
    let work = async move {
        let asker = Context {
            approved: Some(Approved { id: approval.id, by }),
            request_id: context.request_id.clone(),
            source_address: context.source_address.clone(),
            ..ready.asker
        };
        let answer = ready.request.apply(&app, &approval.digest, &asker).await;
        let came = came(answer).await;
        let tx = app.store.begin(Context { now: app.store.clock().now(), ..context }).await?;
        let after = access::approval_settle(&tx, approval.id, came).await?;
        tx.commit("approval_end", after.message.as_deref()).await?;
        Ok(after)
    };
    tokio::spawn(request_id::under(id, work)).await.map_err(Error::internal)?
}

/// What an answer to the write says of it.
async fn came(answer: Response) -> Came {
    let status = answer.status();
    if status.is_success() {
        return Came::Done;
    }
    let (code, why) = detail(answer).await;
    match status {
        StatusCode::NOT_FOUND
        | StatusCode::CONFLICT
        | StatusCode::PRECONDITION_FAILED
        | StatusCode::UNPROCESSABLE_ENTITY => Came::Moved(why),
        StatusCode::SERVICE_UNAVAILABLE => Came::Later(why),
        StatusCode::BAD_GATEWAY if code == "outcome_unknown" => Came::Unknown(why),
        StatusCode::BAD_GATEWAY => Came::Refused(why),
        other if other.is_server_error() => Came::Unknown(why),
        _ => Came::Refused(why),
    }
}

/// Code and text of a problem.
async fn detail(answer: Response) -> (String, String) {
    let bytes = answer.into_body().into_bytes().await.unwrap_or_default();
    let body: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let text = |field: &str| body[field].as_str().unwrap_or_default().to_owned();
    (text("code"), text("detail"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(status: u16, code: &str) -> Response {
        let body = serde_json::json!({ "code": code, "detail": "because" }).to_string();
        Response::builder().status(StatusCode::from_u16(status).expect("a status")).body(body)
    }

    #[tokio::test]
    async fn an_unknown_outcome_is_never_taken_for_a_no_and_a_no_never_for_later() {
        let why = || "because".to_owned();
        for (status, code, expected) in [
            (409, "moved", Came::Moved(why())),
            (412, "stale", Came::Moved(why())),
            (404, "not_found", Came::Moved(why())),
            (403, "forbidden", Came::Refused(why())),
            (502, "vendor_refused", Came::Refused(why())),
            (502, "outcome_unknown", Came::Unknown(why())),
            (500, "internal", Came::Unknown(why())),
            (503, "busy", Came::Later(why())),
        ] {
            assert_eq!(came(problem(status, code)).await, expected, "{status} {code}");
        }
        assert_eq!(came(Response::builder().body("{}")).await, Came::Done);
    }
}
