//! Logos of ClientOne: a client's own, the MSP's, and where browsers get them.

use std::sync::Arc;

use clientone::{LogoWritten, logo_made_safe};
use domain::{ClientId, ContentId, Context, Error, Logo, OrganisationId, Permission};
use futures_util::stream;
use persistence::ContentPurpose;
use poem::{
    IntoResponse, Request, Response,
    http::{StatusCode, header},
    web::{Data, Path as UrlPath},
};
use poem_openapi::{
    OpenApi,
    param::{Header, Path, Query},
    payload::Binary,
};
use storage::ContentKey;
use uuid::Uuid;

use super::{
    branding::{DefaultBranding, default},
    settings::{ClientOne, view},
};
use crate::{
    app::{App, AppData},
    auth::Caller,
    changes::Written,
    contents::{Arrived, failed},
    page::{Answer, if_match},
    problem::Failure,
    routes::Chapter,
    write::{Asked, Begun},
};

/// Where browsers get logos, below the public origin. An address is known to whoever is told it, and never changes
/// what it shows.
pub const ADDRESS: &str = "/clientone/logos/:organisation_id/:name";

/// The address of a logo.
pub fn address(organisation: OrganisationId, logo: &Logo) -> String {
    format!("/clientone/logos/{organisation}/{}.png", logo.content_id)
}

/// Logos.
pub struct Logos;

#[OpenApi(prefix_path = "/api/clientone-admin", tag = "Chapter::ClientOne")]
impl Logos {
    /// Set the MSP's logo, which every client has that has none of its own: a PNG, JPEG or WebP is the body
    ///
    /// At most 1 MiB and 4,096 pixels a side. It is made anew as a PNG of at most 800 by 400 pixels. SVG is not taken.
    /// For those who see every client.
    #[oai(path = "/branding/logo", method = "put", operation_id = "clientone_default_logo_set")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn clientone_default_logo_set(
        &self,
        app: AppData<'_>,
        caller: Caller,
        body: Binary<Vec<u8>>,
        /// ETag of the look as you read it
        #[oai(name = "If-Match")]
        version: Header<Option<String>>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
    ) -> Result<Answer<Written<DefaultBranding>>, Failure> {
        let context = caller.context()?;
        let version = if_match(version.0.as_deref())?;
        let action = "clientone_default_logo_set";
        app.permit(&context, Permission::ClientoneManage, action).await?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: None };
        let (arrived, written) = arrive(&app, &context, body.0).await?;
        let done = set_default(&app, &context, action, Some(written), version, asked).await;
        settle(&app, &context, arrived, done).await
    }

    /// Take the MSP's logo away
    #[oai(path = "/branding/logo", method = "delete", operation_id = "clientone_default_logo_remove")]
    async fn clientone_default_logo_remove(
        &self,
        app: AppData<'_>,
        caller: Caller,
        /// ETag of the look as you read it
        #[oai(name = "If-Match")]
        version: Header<Option<String>>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
    ) -> Result<Answer<Written<DefaultBranding>>, Failure> {
        let context = caller.context()?;
        let version = if_match(version.0.as_deref())?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: None };
        let action = "clientone_default_logo_remove";
        Ok(set_default(&app, &context, action, None, version, asked).await?.0)
    }

    /// Give a client a logo of its own: a PNG, JPEG or WebP is the body
    ///
    /// At most 1 MiB and 4,096 pixels a side. It is made anew as a PNG of at most 800 by 400 pixels. SVG is not taken.
    #[oai(path = "/settings/:client_id/logo", method = "put", operation_id = "clientone_logo_set")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn clientone_logo_set(
        &self,
        app: AppData<'_>,
        caller: Caller,
        client_id: Path<Uuid>,
        body: Binary<Vec<u8>>,
        /// ETag of the set-up as you read it
        #[oai(name = "If-Match")]
        version: Header<Option<String>>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
    ) -> Result<Answer<Written<ClientOne>>, Failure> {
        let context = caller.context()?;
        let version = if_match(version.0.as_deref())?;
        let (client, action) = (ClientId(client_id.0), "clientone_logo_set");
        app.permit(&context, Permission::ClientoneManage, action).await?;
        app.store.read(context.clone()).await?.client(client).await?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: None };
        let (arrived, written) = arrive(&app, &context, body.0).await?;
        let done = set(&app, &context, action, (client, Some(written)), version, asked).await;
        settle(&app, &context, arrived, done).await
    }

    /// Take a client's own logo away: the MSP's is shown again
    #[oai(path = "/settings/:client_id/logo", method = "delete", operation_id = "clientone_logo_remove")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn clientone_logo_remove(
        &self,
        app: AppData<'_>,
        caller: Caller,
        client_id: Path<Uuid>,
        /// ETag of the set-up as you read it
        #[oai(name = "If-Match")]
        version: Header<Option<String>>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
    ) -> Result<Answer<Written<ClientOne>>, Failure> {
        let context = caller.context()?;
        let version = if_match(version.0.as_deref())?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: None };
        let (client, action) = (ClientId(client_id.0), "clientone_logo_remove");
        Ok(set(&app, &context, action, (client, None), version, asked).await?.0)
    }
}

/// Makes a picture safe and writes it to the store, announced.
async fn arrive(app: &App, context: &Context, upload: Vec<u8>) -> Result<(Arrived, LogoWritten), Failure> {
    let made = tokio::task::spawn_blocking(move || logo_made_safe(&upload)).await.map_err(Error::internal)?;
    let clientone::SafeLogo { png, width, height } = made?;
    let bytes = png.len() as u64;
    let content = stream::iter([Ok::<_, String>(bytes::Bytes::from(png))]);
    let arrived = app.content_write(context, ContentPurpose::Logo, bytes, content).await?;
    let logo = Logo { content_id: arrived.id, sha256: arrived.kept.sha256.clone(), width, height };
    let written = LogoWritten { logo, bytes: i64::try_from(bytes).map_err(Error::internal)? };
    Ok((arrived, written))
}

/// An answer, and which content is needed from now on.
type Done<T> = Result<(Answer<Written<T>>, Option<ContentId>), Failure>;

async fn set_default(
    app: &App,
    context: &Context,
    action: &'static str,
    logo: Option<LogoWritten>,
    version: Option<i32>,
    asked: Asked,
) -> Done<DefaultBranding> {
    let dry_run = asked.is_dry_run();
    let request = (logo.as_ref().map(|written| &written.logo.sha256), version);
    let write = match app.begin(context, Permission::ClientoneManage, action, asked, &request).await? {
        Begun::Done(answer) => return Ok((Answer::new(answer), None)),
        Begun::New(write) => write,
    };
    let done = clientone::clientone_default_logo_set(&write.tx, logo, version).await;
    let (write, (branding, version)) = app.passed(write, done).await?;
    let needed = branding.logo.as_ref().map(|logo| logo.content_id).filter(|_| !dry_run);
    let item = default(&branding, version, context.organisation);
    Ok((Answer::versioned(write.finish(Some(item), Vec::new()).await?, version), needed))
}

async fn set(
    app: &App,
    context: &Context,
    action: &'static str,
    (client, logo): (ClientId, Option<LogoWritten>),
    version: Option<i32>,
    asked: Asked,
) -> Done<ClientOne> {
    let dry_run = asked.is_dry_run();
    let request = (client, logo.as_ref().map(|written| &written.logo.sha256), version);
    let write = match app.begin(context, Permission::ClientoneManage, action, asked, &request).await? {
        Begun::Done(answer) => return Ok((Answer::new(answer), None)),
        Begun::New(write) => write,
    };
    let config = clientone::clientone_logo_set(&write.tx, client, logo, version).await?;
    let needed = config.branding.logo.as_ref().map(|logo| logo.content_id).filter(|_| !dry_run);
    let item = view(&write.tx, &config).await?;
    Ok((Answer::versioned(write.finish(Some(item), Vec::new()).await?, config.version), needed))
}

/// Takes back a picture that was not taken over.
async fn settle<T>(app: &App, context: &Context, arrived: Arrived, done: Done<T>) -> Result<Answer<Written<T>>, Failure>
where
    T: poem_openapi::types::ParseFromJSON + poem_openapi::types::ToJSON + Send + Sync,
{
    if !done.as_ref().is_ok_and(|(_, needed)| *needed == Some(arrived.id)) {
        app.content_discard(context, &arrived).await;
    }
    done.map(|(answer, _)| answer)
}

/// A logo for whoever knows its address. Whatever is wrong with one, there is nothing.
#[poem::handler]
pub async fn show(app: Data<&Arc<App>>, request: &Request, path: poem::Result<UrlPath<(String, String)>>) -> Response {
    match path.ok().map(|path| path.0) {
        Some((organisation, name)) => match png(&app, &organisation, &name).await {
            Ok((tag, png)) => picture(request, &tag, png),
            Err(failure) => failure.into_response(),
        },
        None => Failure::from(Error::NotFound { what: "logo" }).into_response(),
    }
}

async fn png(app: &App, organisation: &str, name: &str) -> Result<(String, Vec<u8>), Failure> {
    let gone = || Error::NotFound { what: "logo" };
    let organisation: OrganisationId = organisation.parse().map_err(|_| gone())?;
    let id: ContentId = name.strip_suffix(".png").and_then(|id| id.parse().ok()).ok_or_else(gone)?;
    let tx = app.store.read(Context::worker(organisation, app.store.clock().now(), "logo")).await?;
    let row = match tx.content(id).await {
        Ok(row) if row.kept && row.purpose == ContentPurpose::Logo => row,
        Ok(_) | Err(Error::NotFound { .. }) => return Err(gone().into()),
        Err(other) => return Err(other.into()),
    };
    tx.rollback().await?;
    let png = app.storage.get_whole(&row.key, &ContentKey::new(row.secret)).await;
    Ok((format!("\"{id}\""), png.map_err(|why| failed(why, 0))?))
}

fn picture(request: &Request, tag: &str, png: Vec<u8>) -> Response {
    // What an address shows never changes: another logo has another one.
    let kept = "public, max-age=31536000, immutable";
    let answer = Response::builder().header(header::ETAG, tag).header(header::CACHE_CONTROL, kept);
    if request.header(header::IF_NONE_MATCH).is_some_and(|known| known.split(',').any(|one| one.trim() == tag)) {
        return answer.status(StatusCode::NOT_MODIFIED).finish();
    }
    let policy = "default-src 'none'; sandbox; frame-ancestors 'none'";
    answer
        .header(header::CONTENT_SECURITY_POLICY, policy)
        .header("cross-origin-resource-policy", "cross-origin")
        .content_type("image/png")
        .body(png)
}
