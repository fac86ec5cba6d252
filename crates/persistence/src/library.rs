//! Documents that the MSP wrote. Their texts are kept version by version beside the journal, which holds their hashes.

use domain::{
    Change, ClientId, Error, Library, LibraryDocument, LibraryDocumentId, LibraryVersion, Listed, PageRequest, Problem,
    Result, StaffId, Timestamp, name_key,
};
use sea_orm::{
    ColumnTrait, Condition, ExprTrait, FromQueryResult, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Select,
    sea_query::Expr,
};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    Tx,
    client_list::literal,
    entity::{library_document as table, library_version},
    error::{OrDomain, known},
    journalled::{Journalled, stripped},
    revert::conflict,
    scoped::within,
};

/// Kind in the journal.
pub(crate) const DOCUMENT: &str = "library_document";

/// Which documents are wanted.
#[derive(Clone, Debug, Default)]
pub struct LibraryFilter {
    /// Only of this library.
    pub library: Option<Library>,
    /// Only of this client, those for every client left out.
    pub client: Option<ClientId>,
    /// Only what portal users of this client may read.
    pub shown_to: Option<ClientId>,
    /// Only of this category, whatever its case.
    pub category: Option<String>,
    /// Part of the title.
    pub search: Option<String>,
}

/// A document without its text.
#[derive(FromQueryResult)]
struct Head {
    id: Uuid,
    library: String,
    client_id: Option<Uuid>,
    title: String,
    title_key: String,
    slug: String,
    category: Option<String>,
    content_hash: String,
    published_at: Option<Timestamp>,
    created_at: Timestamp,
    created_by: Option<Uuid>,
    updated_at: Timestamp,
    updated_by: Option<Uuid>,
    deleted_at: Option<Timestamp>,
    version: i32,
}

impl Journalled for table::Entity {
    const KIND: &'static str = DOCUMENT;
    const WHAT: &'static str = "document";

    fn id(row: &table::Model) -> Uuid {
        row.id
    }
    fn id_column() -> table::Column {
        table::Column::Id
    }
    fn version_column() -> Option<table::Column> {
        Some(table::Column::Version)
    }
    fn version(row: &table::Model) -> i32 {
        row.version
    }
    fn client_of(row: &table::Model) -> Option<ClientId> {
        row.client_id.map(ClientId)
    }
    fn view(row: &table::Model) -> Result<Value> {
        serde_json::to_value(read(row.clone())?).map_err(Error::internal)
    }
}

fn read(row: table::Model) -> Result<LibraryDocument> {
    let content = row.content;
    let head = Head {
        id: row.id,
        library: row.library,
        client_id: row.client_id,
        title: row.title,
        title_key: row.title_key,
        slug: row.slug,
        category: row.category,
        content_hash: row.content_hash,
        published_at: row.published_at,
        created_at: row.created_at,
        created_by: row.created_by,
        updated_at: row.updated_at,
        updated_by: row.updated_by,
        deleted_at: row.deleted_at,
        version: row.version,
    };
    Ok(LibraryDocument { content, ..head.read()? })
}

impl Head {
    fn read(self) -> Result<LibraryDocument> {
        Ok(LibraryDocument {
            id: LibraryDocumentId(self.id),
            library: known(Library::parse(&self.library), "library_document.library")?,
            client_id: self.client_id.map(ClientId),
            title: self.title,
            slug: self.slug,
            category: self.category,
            content: String::new(),
            content_hash: self.content_hash,
            published_at: self.published_at,
            created_at: self.created_at,
            created_by: self.created_by.map(StaffId),
            updated_at: self.updated_at,
            updated_by: self.updated_by.map(StaffId),
            deleted_at: self.deleted_at,
            version: self.version,
        })
    }
}

fn write(tx: &Tx, document: &LibraryDocument) -> table::Model {
    table::Model {
        organisation_id: tx.organisation().0,
        id: document.id.0,
        library: document.library.as_str().to_owned(),
        client_id: document.client_id.map(|client| client.0),
        title: document.title.clone(),
        title_key: name_key(&document.title),
        slug: document.slug.clone(),
        category: document.category.clone(),
        category_key: document.category.as_deref().map(name_key),
        content: document.content.clone(),
        content_hash: document.content_hash.clone(),
        published_at: document.published_at,
        created_at: document.created_at,
        created_by: document.created_by.map(|staff| staff.0),
        updated_at: document.updated_at,
        updated_by: document.updated_by.map(|staff| staff.0),
        deleted_at: document.deleted_at,
        version: document.version,
    }
}

impl Tx {
    /// Documents within the scope: those of its clients, and those that belong to none.
    fn library(&self) -> Select<table::Entity> {
        let select = self.find::<table::Entity>();
        let scope = &self.context().scope;
        if scope.is_all() {
            return select;
        }
        let own = within(scope, table::Column::ClientId);
        select.filter(Condition::any().add(table::Column::ClientId.is_null()).add(own))
    }

    /// A page of documents by title, without their texts.
    pub async fn library_list(&self, filter: &LibraryFilter, page: &PageRequest) -> Result<Listed<LibraryDocument>> {
        use table::Column as C;
        let mut select = self.library().filter(C::DeletedAt.is_null());
        if let Some(library) = filter.library {
            select = select.filter(C::Library.eq(library.as_str()));
        }
        if let Some(client) = filter.client {
            select = select.filter(C::ClientId.eq(client.0));
        }
        if let Some(client) = filter.shown_to {
            let theirs = Condition::any().add(C::ClientId.is_null()).add(C::ClientId.eq(client.0));
            let customer = C::Library.eq(Library::Customer.as_str());
            select = select.filter(customer).filter(C::PublishedAt.is_not_null()).filter(theirs);
        }
        if let Some(category) = filter.category.as_deref().map(name_key).filter(|text| !text.is_empty()) {
            select = select.filter(C::CategoryKey.eq(category));
        }
        if let Some(search) = filter.search.as_deref().map(name_key).filter(|text| !text.is_empty()) {
            select = select.filter(Expr::col(C::TitleKey).like(literal(&search)));
        }
        let total = select.clone().count(self.db()).await.or_domain()?;
        if let Some((key, id)) = &page.after {
            let place = Expr::tuple([Expr::col(C::TitleKey), Expr::col(C::Id)]);
            select = select.filter(place.gt(Expr::tuple([Expr::val(key.as_str()), Expr::val(*id)])));
        }
        let columns = [
            C::Id,
            C::Library,
            C::ClientId,
            C::Title,
            C::TitleKey,
            C::Slug,
            C::Category,
            C::ContentHash,
            C::PublishedAt,
            C::CreatedAt,
            C::CreatedBy,
            C::UpdatedAt,
            C::UpdatedBy,
            C::DeletedAt,
            C::Version,
        ];
        let select = select.select_only().columns(columns).order_by_asc(C::TitleKey).order_by_asc(C::Id);
        let mut rows: Vec<Head> = select.limit(page.limit + 1).into_model().all(self.db()).await.or_domain()?;
        let more = rows.len() as u64 > page.limit;
        rows.truncate(page.limit as usize);
        let next = more.then(|| rows.last().map(|last| (last.title_key.clone(), last.id))).flatten();
        let items = rows.into_iter().map(Head::read).collect::<Result<_>>()?;
        Ok(Listed { items, next, total: i64::try_from(total).unwrap_or(i64::MAX) })
    }

    /// A document that is not deleted, with its text; its row is locked in a transaction that writes.
    pub async fn library_document(&self, id: LibraryDocumentId) -> Result<LibraryDocument> {
        let gone = || Error::NotFound { what: "document" };
        let found = self.library_even_deleted(id.0).await?.ok_or_else(gone)?;
        if found.deleted_at.is_some() { Err(gone()) } else { Ok(found) }
    }

    async fn library_even_deleted(&self, id: Uuid) -> Result<Option<LibraryDocument>> {
        let mut select = self.library().filter(table::Column::Id.eq(id));
        if self.require_writable().is_ok() {
            select = select.lock_exclusive();
        }
        select.one(self.db()).await.or_domain()?.map(read).transpose()
    }

    /// Every document of a client, deleted or not; their rows are locked in a transaction that writes.
    pub async fn library_of_client(&self, client: ClientId) -> Result<Vec<LibraryDocument>> {
        let mut select = self.library().filter(table::Column::ClientId.eq(client.0));
        if self.require_writable().is_ok() {
            select = select.lock_exclusive();
        }
        select.order_by_asc(table::Column::Id).all(self.db()).await.or_domain()?.into_iter().map(read).collect()
    }

    /// Slugs of a library that begin so: a name in addresses is taken whoever may see the document.
    pub async fn library_slugs(&self, library: Library, start: &str) -> Result<Vec<String>> {
        self.find::<table::Entity>()
            .select_only()
            .column(table::Column::Slug)
            .filter(table::Column::Library.eq(library.as_str()))
            .filter(table::Column::Slug.starts_with(start))
            .filter(table::Column::DeletedAt.is_null())
            .into_tuple()
            .all(self.db())
            .await
            .or_domain()
    }

    /// Keeps a new document with its first text.
    pub async fn library_insert(&self, document: &LibraryDocument) -> Result<()> {
        self.insert_row::<table::Entity>(write(self, document)).await?;
        self.library_keep(document).await
    }

    /// Changes a document that was read before; another text or title is kept as a version. Nothing is written when
    /// nothing differs.
    pub async fn library_update(&self, before: &LibraryDocument, after: LibraryDocument) -> Result<LibraryDocument> {
        let after = LibraryDocument { version: before.version + 1, updated_at: self.now(), ..after };
        if !self.update_row::<table::Entity>(&write(self, before), write(self, &after)).await? {
            return Ok(before.clone());
        }
        if after.content_hash != before.content_hash || after.title != before.title {
            self.library_keep(&after).await?;
        }
        Ok(after)
    }

    async fn library_keep(&self, document: &LibraryDocument) -> Result<()> {
        let row = library_version::Model {
            organisation_id: self.organisation().0,
            document_id: document.id.0,
            version: document.version,
            title: document.title.clone(),
            content: document.content.clone(),
            content_hash: document.content_hash.clone(),
            created_at: document.updated_at,
            created_by: document.updated_by.map(|staff| staff.0),
        };
        self.insert_many::<library_version::Entity>(vec![row], &[], &[]).await
    }

    /// The texts that a document had, the newest first. The caller has found the document in its scope.
    pub async fn library_versions(&self, id: LibraryDocumentId) -> Result<Vec<LibraryVersion>> {
        let select = self.find::<library_version::Entity>().filter(library_version::Column::DocumentId.eq(id.0));
        let rows = select.order_by_desc(library_version::Column::Version).limit(1_000).all(self.db()).await;
        let read = |row: library_version::Model| LibraryVersion {
            version: row.version,
            title: row.title,
            content: row.content,
            content_hash: row.content_hash,
            created_at: row.created_at,
            created_by: row.created_by.map(StaffId),
        };
        Ok(rows.or_domain()?.into_iter().map(read).collect())
    }

    /// Undoes what happened to a document. A text comes back from its versions.
    pub(crate) async fn revert_document(&self, change: &Change, despite: bool) -> Result<Option<Problem>> {
        let Some(current) = self.library_even_deleted(change.id).await? else {
            return conflict(change, "gone", "is gone, or outside your access");
        };
        let now = serde_json::to_value(&current).map_err(Error::internal)?;
        if Some(stripped(&now)) != change.after.as_ref().map(stripped) && !despite {
            return conflict(change, "changed_since", &format!("“{}” was changed since", current.title));
        }
        let target = match &change.before {
            None => LibraryDocument { deleted_at: current.deleted_at.or(Some(self.now())), ..current.clone() },
            Some(before) => {
                let old: LibraryDocument = serde_json::from_value(before.clone()).map_err(Error::internal)?;
                let versions = self.library_versions(current.id).await?;
                let Some(text) = versions.into_iter().find(|version| version.content_hash == old.content_hash) else {
                    return conflict(change, "gone", "had a text that is not kept any more");
                };
                LibraryDocument { content: text.content, ..old }
            }
        };
        let taken = self.library_slugs(target.library, &target.slug).await?;
        let moves = target.slug != current.slug || current.deleted_at.is_some();
        if target.deleted_at.is_none() && moves && taken.contains(&target.slug) {
            return conflict(change, "taken", &format!("had the name “{}”, which another has by now", target.slug));
        }
        self.library_update(&current, target).await.map(drop)?;
        Ok(None)
    }
}
