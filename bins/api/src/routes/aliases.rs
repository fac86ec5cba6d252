//! What clients are known by at vendors, as people taught it.

use chrono::{DateTime, Utc};
use directory::alias_delete;
use domain::{AliasKind, ClientAliasId, ClientId, Permission};
use poem_openapi::{
    Enum, Object, OpenApi,
    param::{Header, Path, Query},
};
use uuid::Uuid;

use super::Chapter;
use crate::{
    app::AppData,
    auth::Caller,
    changes::Written,
    page::{Answer, Page, page_request},
    problem::Failure,
    write::{Asked, Begun},
};

/// What a client is known by
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum ClientAliasKind {
    /// A name; later suggestions for it carry the signal `alias`
    Name,
    /// A DNS domain; it counts as the client's own
    Domain,
}

/// A name or a domain that a person taught.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct ClientAlias {
    /// Id
    pub id: Uuid,
    pub kind: ClientAliasKind,
    /// The name or domain
    pub alias: String,
    /// Entity whose mapping taught it; it may be gone with its connection
    pub entity_id: Uuid,
    /// Its name then
    pub entity_name: String,
    /// Its integration
    pub integration: String,
    /// When it was learned
    pub learned_at: DateTime<Utc>,
    /// Staff user who mapped it
    pub learned_by: Option<Uuid>,
}

impl From<domain::ClientAlias> for ClientAlias {
    fn from(alias: domain::ClientAlias) -> Self {
        Self {
            id: alias.id.0,
            kind: match alias.kind {
                AliasKind::Name => ClientAliasKind::Name,
                AliasKind::Domain => ClientAliasKind::Domain,
            },
            alias: alias.alias,
            entity_id: alias.entity_id.0,
            entity_name: alias.entity_name,
            integration: alias.integration,
            learned_at: alias.learned_at,
            learned_by: alias.learned_by.map(|staff| staff.0),
        }
    }
}

/// Aliases.
pub struct Aliases;

#[OpenApi(prefix_path = "/api/clients", tag = "Chapter::Mappings")]
impl Aliases {
    /// What a client is known by at vendors
    ///
    /// A person who maps an entity to a client teaches its name and its domains. Taking the mapping back takes them
    /// back too. What two clients are known by is ambiguous, and mapped to neither without a person.
    #[oai(path = "/:client_id/aliases", method = "get", operation_id = "alias_list")]
    async fn alias_list(
        &self,
        app: AppData<'_>,
        caller: Caller,
        uri: &poem::http::Uri,
        client_id: Path<Uuid>,
        /// Rows of a page, 1 to 100; 25 when left out
        limit: Query<Option<u64>>,
        /// Where the last page ended
        cursor: Query<Option<String>>,
    ) -> Result<Answer<Page<ClientAlias>>, Failure> {
        let page = page_request(limit.0, cursor.0.as_deref())?;
        let tx = app.read(caller, Permission::ClientsView).await?;
        let client = tx.client(ClientId(client_id.0)).await?.id;
        Ok(Answer::page(tx.alias_list(client, &page).await?.map(Into::into), uri))
    }

    /// Forget something that a client is known by; mappings stay as they are
    #[oai(path = "/:client_id/aliases/:alias_id", method = "delete", operation_id = "alias_delete")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn alias_delete(
        &self,
        app: AppData<'_>,
        caller: Caller,
        client_id: Path<Uuid>,
        alias_id: Path<Uuid>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<ClientAlias>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let (client, id) = (ClientId(client_id.0), ClientAliasId(alias_id.0));
        let begun = app.begin(&context, Permission::MappingsSave, "alias_delete", asked, &(client, id)).await?;
        let write = match begun {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let may = |integration: &str| app.permit_vendor(&context, Permission::MappingsSave, integration);
        let done = alias_delete(&write.tx, client, id, may).await;
        let (write, gone) = app.passed(write, done).await?;
        Ok(Answer::new(write.finish(Some(gone.into()), Vec::new()).await?))
    }
}
