//! The page that the administrator of a tenant comes back to from the vendor's: nobody of ours, so nobody signs in here.
//! The state that comes back says which tenant was asked for and is good once; and what the browser says is believed only
//! when the tenant can be read.

use std::{collections::BTreeMap, sync::Arc};

use directory::tenant_connect_link_of;
use domain::{Context, Error, Outcome, TenantConnect, TenantConnectAct};
use integration::AdmissionAnswer;
use poem::{
    Request, Response,
    http::StatusCode,
    web::{Data, Query},
};

use super::{
    consent::{LONGEST, Told, page},
    tenant_connects::{connect, failed},
};
use crate::{app::App, auth::meta};

/// Where administrators are sent back to, below the public origin.
pub const CALLBACK: &str = "/oauth/admin-consent";
/// What happens here is called so in the journal.
const ACTION: &str = "tenant_connect_consent";
/// Longest words of a vendor that are shown.
const WORDS: usize = 300;

/// Where an administrator is sent back to.
#[poem::handler]
pub async fn callback(
    app: Data<&Arc<App>>,
    request: &Request,
    query: poem::Result<Query<Vec<(String, String)>>>,
) -> Response {
    let pairs = query.map(|Query(pairs)| pairs).unwrap_or_default();
    match come_back(&app, request, pairs).await {
        Ok(()) => {
            app.wake.notify_one();
            page(&Told {
                status: StatusCode::OK,
                title: "Connected".to_owned(),
                text: "Thank you: your consent was received, and your provider can now read your tenant.".to_owned(),
                code: "",
            })
        }
        Err(told) => page(&told),
    }
}

fn told(status: StatusCode, title: &str, code: &'static str, text: impl Into<String>) -> Told {
    Told { status, title: title.to_owned(), text: text.into(), code }
}

/// Whoever comes back is told what they can do about it, and nothing of the provider's own affairs.
fn refused(error: Error) -> Told {
    match error {
        Error::Conflict { code: "consent_missing", .. } => told(
            StatusCode::CONFLICT,
            "Not connected yet",
            "consent_missing",
            "Microsoft does not let us read the tenant yet. It can take some minutes until a consent holds: your provider \
             will try again, and needs nothing more from you unless they ask.",
        ),
        Error::Conflict { code: code @ ("tenant_connected" | "connect_cancelled" | "connect_ended"), .. } => {
            unknown(code)
        }
        Error::Conflict { code, .. } => unsettled(code),
        Error::NotFound { .. } | Error::Forbidden { .. } => unsettled("not_found"),
        Error::Vendor { code, .. } => told(
            StatusCode::BAD_GATEWAY,
            "Not connected yet",
            code,
            "Microsoft did not answer. Your provider will try again.",
        ),
        Error::Busy(_) => {
            told(StatusCode::SERVICE_UNAVAILABLE, "Busy", "busy", "We are busy. Your provider will try again.")
        }
        other => {
            tracing::error!(error = ?other, "a consent of a tenant failed on our side");
            told(StatusCode::INTERNAL_SERVER_ERROR, "Our mistake", "internal", "Something failed on our side.")
        }
    }
}

fn unsettled(code: &'static str) -> Told {
    let text = "Your consent was received, but your provider has something to settle first. Please tell them the code \
                below.";
    told(StatusCode::CONFLICT, "Not connected", code, text)
}

fn unknown(code: &'static str) -> Told {
    let text = "This link was used already, replaced by a newer one, or given up. Ask your provider for another.";
    told(StatusCode::CONFLICT, "Not connected", code, text)
}

async fn come_back(app: &App, request: &Request, pairs: Vec<(String, String)>) -> Result<(), Told> {
    let malformed = || {
        let text = "This address is for Microsoft to send administrators back to.";
        told(StatusCode::BAD_REQUEST, "Not understood", "malformed", text)
    };
    let mut query = BTreeMap::new();
    let mut long = 0;
    for (name, value) in pairs {
        long += name.len() + value.len();
        if query.insert(name, value).is_some() {
            return Err(malformed());
        }
    }
    let state = query.remove("state").filter(|_| long <= LONGEST).ok_or_else(malformed)?;
    let (organisation, hash) = tenant_connect_link_of(&state).ok_or_else(|| unknown("consent_unknown"))?;
    let meta = meta(request);
    let context = Context {
        source_address: meta.source_address,
        ..Context::worker(organisation, app.store.clock().now(), meta.request_id)
    };
    let one = take(app, &context, &hash).await.map_err(refused)?.ok_or_else(|| unknown("consent_unknown"))?;
    // Nobody is asked anything for one that is over.
    one.acted(TenantConnectAct::Connect, None, context.now).map_err(refused)?;
    let answer = app.engine.admission_answer(&context, one.connection_id, &query).await.map_err(refused)?;
    let given = match answer {
        Some(AdmissionAnswer::Given(tenant)) => tenant,
        Some(AdmissionAnswer::Declined(words)) => {
            let words: String = words.chars().take(WORDS).collect();
            note(app, &context, &one, &format!("Microsoft answered: {words}")).await?;
            let text = format!("The consent was not given. Microsoft said: {words}");
            return Err(told(StatusCode::CONFLICT, "Not connected", "consent_declined", text));
        }
        None => {
            note(app, &context, &one, "what came back was no answer of Microsoft's").await?;
            return Err(malformed());
        }
    };
    if !given.eq_ignore_ascii_case(&one.tenant) {
        note(app, &context, &one, &format!("consent was given for another tenant: {given}")).await?;
        let text = "Consent was given for another tenant than the one that was asked for. Ask your provider for another \
                    link, and sign in as an administrator of that tenant.";
        return Err(told(StatusCode::CONFLICT, "Another tenant", "consent_elsewhere", text));
    }
    match finish(app, &context, &one).await {
        Ok(()) => Ok(()),
        Err(error) => {
            note(app, &context, &one, &error.to_string()).await?;
            Err(refused(error))
        }
    }
}

/// Takes the link: whatever is wrong with what came back, it works no more.
async fn take(app: &App, context: &Context, hash: &[u8]) -> domain::Result<Option<TenantConnect>> {
    let tx = app.store.begin(context.clone()).await?;
    let Some(one) = tx.tenant_connect_take(hash).await? else { return Ok(None) };
    if !one.is_open(tx.now()) {
        tx.commit_attempt(ACTION, Outcome::Failed, "it came back too late").await?;
        return Ok(Some(one));
    }
    tx.commit_unjournalled().await?;
    Ok(Some(one))
}

async fn finish(app: &App, context: &Context, one: &TenantConnect) -> domain::Result<()> {
    let admitted = app.engine.admission_look(context, one.connection_id, &one.tenant).await?;
    let tx = app.store.begin(context.clone()).await?;
    connect(app, &tx, one.id, &admitted).await?;
    tx.commit(ACTION, Some("the tenant's administrator consented")).await.map(drop)
}

async fn note(app: &App, context: &Context, one: &TenantConnect, why: &str) -> Result<(), Told> {
    match failed(app, context, one.id, ACTION, why).await {
        // Given up or connected by somebody else meanwhile: there is nothing to note.
        Ok(()) | Err(Error::Conflict { .. } | Error::NotFound { .. }) => Ok(()),
        Err(error) => Err(refused(error)),
    }
}
