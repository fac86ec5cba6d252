//! Where the portal is, for links in letters.

use domain::Permission;
use persistence::PortalOrigin;
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Query},
    payload::Json,
};

use crate::{
    app::AppData,
    auth::Caller,
    changes::Written,
    page::{Answer, if_match},
    problem::Failure,
    routes::Chapter,
    write::{Asked, Begun},
};

/// Where the portal is.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct ClientOneOrigin {
    /// What the MSP said; absent where the operator's address holds
    pub origin: Option<String>,
    /// Where links in letters lead; absent where nobody said so, and letters that no person causes have no link
    pub links_lead_to: Option<String>,
    /// Goes up with each change; also the ETag
    pub version: i32,
}

/// Where the portal is to be.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct ClientOneOriginSet {
    /// An https address without a path; left out, the operator's address holds
    pub origin: Option<String>,
}

/// Where the portal is.
pub struct ClientOneOrigins;

#[OpenApi(prefix_path = "/api/clientone-admin/origin", tag = "Chapter::ClientOne")]
impl ClientOneOrigins {
    /// Where links in letters to people of clients lead
    #[oai(path = "/", method = "get", operation_id = "clientone_origin_get")]
    async fn clientone_origin_get(&self, app: AppData<'_>, caller: Caller) -> Result<Answer<ClientOneOrigin>, Failure> {
        let tx = app.read(caller, Permission::ClientoneManage).await?;
        let (origin, base) = clientone::clientone_origin_get(&tx).await?;
        let version = origin.version;
        Ok(Answer::versioned(view(origin, base), version))
    }

    /// Say where the portal is
    ///
    /// Invitations and links that reset passwords lead there too: it must be this server under another name. For those
    /// who see every client.
    #[oai(path = "/", method = "put", operation_id = "clientone_origin_set")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn clientone_origin_set(
        &self,
        app: AppData<'_>,
        caller: Caller,
        body: Json<ClientOneOriginSet>,
        /// ETag of the address as you read it
        #[oai(name = "If-Match")]
        version: Header<Option<String>>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
    ) -> Result<Answer<Written<ClientOneOrigin>>, Failure> {
        let action = "clientone_origin_set";
        let context = app.proven(caller, action, dry_run.0.unwrap_or(false)).await?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: None };
        let write = match app.begin(&context, Permission::ClientoneManage, action, asked, &body.0).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let version = if_match(version.0.as_deref())?;
        let done = clientone::clientone_origin_set(&write.tx, body.0.origin.as_deref(), version).await;
        let (write, origin) = app.passed(write, done).await?;
        let version = origin.version;
        let item = view(origin, write.tx.portal_base().await?);
        Ok(Answer::versioned(write.finish(Some(item), Vec::new()).await?, version))
    }
}

fn view(origin: PortalOrigin, base: Option<String>) -> ClientOneOrigin {
    ClientOneOrigin { origin: origin.origin, links_lead_to: base, version: origin.version }
}
