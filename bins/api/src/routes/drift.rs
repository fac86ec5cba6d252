//! Drift: what vendors did to entities after a person had decided about them, and what to do about it.

use chrono::{DateTime, Utc};
use directory::{DriftFilter, DriftWish, drift_dismiss, drift_fix, drift_list};
use domain::{ClientId, ConnectionId, DriftId, Permission};
use poem_openapi::{
    Enum, Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{
    Chapter,
    mappings::{Entity, Suggestion},
};
use crate::{
    app::AppData,
    auth::Caller,
    changes::Written,
    page::{Answer, Page, page_request},
    problem::Failure,
    write::{Asked, Begun},
};

/// What happened at the vendor
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum DriftKind {
    /// A mapped entity has another name than the one a person knew
    Renamed,
    /// A mapped entity is no longer listed
    Vanished,
    /// A new entity looks like a mapped one that vanished: the same name or identifiers
    Recreated,
    /// An entity came after the connection's first whole listing, and nobody has decided about it
    NewUnmapped,
    /// A domain that an entity of one client told is now told by an entity of another
    DomainMoved,
}

impl From<domain::DriftKind> for DriftKind {
    fn from(kind: domain::DriftKind) -> Self {
        match kind {
            domain::DriftKind::Renamed => Self::Renamed,
            domain::DriftKind::Vanished => Self::Vanished,
            domain::DriftKind::Recreated => Self::Recreated,
            domain::DriftKind::NewUnmapped => Self::NewUnmapped,
            domain::DriftKind::DomainMoved => Self::DomainMoved,
        }
    }
}

impl From<DriftKind> for domain::DriftKind {
    fn from(kind: DriftKind) -> Self {
        match kind {
            DriftKind::Renamed => Self::Renamed,
            DriftKind::Vanished => Self::Vanished,
            DriftKind::Recreated => Self::Recreated,
            DriftKind::NewUnmapped => Self::NewUnmapped,
            DriftKind::DomainMoved => Self::DomainMoved,
        }
    }
}

/// What can be done about it
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum DriftFix {
    /// The client takes the entity's new name; needs the right to edit clients
    RenameClient,
    /// It is as it should be: the item goes, nothing else changes
    Acknowledge,
    /// The entity that vanished belongs to nobody any more
    Unmap,
    /// The entity belongs to a client: the one of the entity before it, or the one suggested or named
    Map,
    /// The new entity deliberately belongs to nobody; needs a reason
    Exclude,
}

impl From<directory::DriftFix> for DriftFix {
    fn from(fix: directory::DriftFix) -> Self {
        match fix {
            directory::DriftFix::RenameClient => Self::RenameClient,
            directory::DriftFix::Acknowledge => Self::Acknowledge,
            directory::DriftFix::Unmap => Self::Unmap,
            directory::DriftFix::Map => Self::Map,
            directory::DriftFix::Exclude => Self::Exclude,
        }
    }
}

impl From<DriftFix> for directory::DriftFix {
    fn from(fix: DriftFix) -> Self {
        match fix {
            DriftFix::RenameClient => Self::RenameClient,
            DriftFix::Acknowledge => Self::Acknowledge,
            DriftFix::Unmap => Self::Unmap,
            DriftFix::Map => Self::Map,
            DriftFix::Exclude => Self::Exclude,
        }
    }
}

/// One thing that drifted and waits for a person.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct DriftItem {
    /// Id, made of the cause: another cause has another
    pub id: Uuid,
    pub kind: DriftKind,
    /// The entity that it is about: of a re-created one the new one, of a domain the one that tells it now
    pub entity: Entity,
    /// The entity before it: the one that vanished, or that told the domain
    pub former: Option<Entity>,
    /// The client that is concerned
    pub client_id: Option<Uuid>,
    /// The name by which a person knew the entity
    pub known_name: Option<String>,
    /// The domain that moved
    pub domain: Option<String>,
    /// Since when
    pub since: DateTime<Utc>,
    /// What is proposed; `drift_fix` with `dry_run` shows what it would change
    pub proposed: Option<DriftFix>,
    /// Everything that can be done about it, besides dismissing it
    pub fixes: Vec<DriftFix>,
    /// Clients that a new entity may belong to
    pub suggestions: Vec<Suggestion>,
}

impl DriftItem {
    fn of(item: directory::DriftItem) -> Self {
        Self {
            id: item.id.0,
            kind: item.kind.into(),
            fixes: item.fixes().iter().map(|fix| (*fix).into()).collect(),
            entity: Entity::of(item.entity),
            former: item.former.map(Entity::of),
            client_id: item.client_id.map(|client| client.0),
            known_name: item.known_name,
            domain: item.domain,
            since: item.since,
            proposed: item.proposed.map(Into::into),
            suggestions: item.suggestions.into_iter().map(Suggestion::of).collect(),
        }
    }
}

/// What is to be done.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct DriftFixRequest {
    /// One of the item's fixes; the proposed one when left out
    pub fix: Option<DriftFix>,
    /// Client that a new entity is mapped to; the one that surely fits when left out
    pub client_id: Option<Uuid>,
}

/// Drift.
pub struct Drift;

#[OpenApi(prefix_path = "/api/drift", tag = "Chapter::Mappings")]
impl Drift {
    /// What vendors renamed, removed, made anew or added since a person decided, by the entity's name
    ///
    /// One item for each cause. It goes when it is fixed, acknowledged or dismissed, and when its cause does; nothing
    /// is re-attributed by itself.
    #[oai(path = "/", method = "get", operation_id = "drift_list")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn drift_list(
        &self,
        app: AppData<'_>,
        caller: Caller,
        uri: &poem::http::Uri,
        /// Only of this connection
        connection_id: Query<Option<Uuid>>,
        /// Only what concerns this client
        client_id: Query<Option<Uuid>>,
        kind: Query<Option<DriftKind>>,
        /// Rows of a page, 1 to 100; 25 when left out
        limit: Query<Option<u64>>,
        /// Where the last page ended
        cursor: Query<Option<String>>,
    ) -> Result<Answer<Page<DriftItem>>, Failure> {
        let page = page_request(limit.0, cursor.0.as_deref())?;
        let connection = connection_id.0.map(ConnectionId);
        let tx = app.read(caller, Permission::ConnectionsView).await?;
        app.permit_connections(&tx, connection).await?;
        let filter = DriftFilter {
            connection,
            client: match client_id.0 {
                Some(id) => Some(tx.client(ClientId(id)).await?.id),
                None => None,
            },
            kind: kind.0.map(Into::into),
        };
        let listed = drift_list(&tx, &filter, &page).await?;
        Ok(Answer::page(listed.map(DriftItem::of), uri))
    }

    /// Do what is proposed about an item, or another of its fixes, as one change set that can be reverted
    #[oai(path = "/:drift_id/fix", method = "post", operation_id = "drift_fix")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn drift_fix(
        &self,
        app: AppData<'_>,
        caller: Caller,
        drift_id: Path<Uuid>,
        body: Json<DriftFixRequest>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal and on the mapping
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<DriftItem>>, Failure> {
        let context = caller.context()?;
        let wish = DriftWish {
            fix: body.0.fix.map(Into::into),
            client: body.0.client_id.map(ClientId),
            reason: reason.0.clone(),
        };
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let request = (drift_id.0, &wish);
        let write = match app.begin(&context, Permission::MappingsSave, "drift_fix", asked, &request).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let may = |integration: &str| app.permit_vendor(&context, Permission::MappingsSave, integration);
        let done = drift_fix(&write.tx, DriftId(drift_id.0), &wish, may).await;
        let (write, item) = app.passed(write, done).await?;
        Ok(Answer::new(write.finish(Some(DriftItem::of(item)), Vec::new()).await?))
    }

    /// Hide an item until its cause changes; the reason is required
    #[oai(path = "/:drift_id/dismiss", method = "post", operation_id = "drift_dismiss")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn drift_dismiss(
        &self,
        app: AppData<'_>,
        caller: Caller,
        drift_id: Path<Uuid>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why; required
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<DriftItem>>, Failure> {
        let context = caller.context()?;
        let why = reason.0.clone();
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let request = (drift_id.0, &why);
        let write = match app.begin(&context, Permission::MappingsSave, "drift_dismiss", asked, &request).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let may = |integration: &str| app.permit_vendor(&context, Permission::MappingsSave, integration);
        let done = drift_dismiss(&write.tx, DriftId(drift_id.0), why.as_deref(), may).await;
        let (write, item) = app.passed(write, done).await?;
        Ok(Answer::new(write.finish(Some(DriftItem::of(item)), Vec::new()).await?))
    }
}
