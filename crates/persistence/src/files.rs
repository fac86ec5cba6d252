//! Files that the MSP keeps of clients, or for all of them, with every content that they had.

use std::collections::BTreeSet;

use domain::{
    Change, ClientId, ContentId, Error, File, FileId, FileReach, FileVersion, Listed, PageRequest, PortalRole, Problem,
    Publication, Result, StaffId, Timestamp, name_key,
};
use sea_orm::{
    ColumnTrait, Condition, ExprTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
    sea_query::Expr,
};
use uuid::Uuid;

use crate::{
    Tx,
    client_list::literal,
    entity::{file as table, file_client, file_version},
    error::{OrDomain, known},
    journalled::{stripped, versioned},
    revert::conflict,
    scoped::within,
};

/// Kind in the journal.
pub(crate) const FILE: &str = "file";
/// Files that one round of the worker purges.
const BATCH: u64 = 100;

/// Which files are wanted.
#[derive(Clone, Debug, Default)]
pub struct FileFilter {
    /// Only of this client.
    pub client: Option<ClientId>,
    /// Only what someone of this role sees in the ClientOne of this client.
    pub shown_to: Option<(ClientId, PortalRole)>,
    /// Only of this category, whatever its case.
    pub category: Option<String>,
    /// Part of the title.
    pub search: Option<String>,
    /// Only published ones, or only the others.
    pub published: Option<bool>,
    /// Removed ones, and no others.
    pub removed: bool,
}

versioned!(table, "file", "file", read, |row| row.client_id);

fn read(row: table::Model) -> Result<File> {
    let published = match row.published_at {
        None => None,
        Some(at) => Some(Publication {
            at,
            reach: known(row.reach.as_deref().and_then(FileReach::parse), "file.reach")?,
            clients: serde_json::from_str(&row.chosen).map_err(Error::internal)?,
            managers_only: row.managers_only,
        }),
    };
    Ok(File {
        id: FileId(row.id),
        client_id: row.client_id.map(ClientId),
        title: row.title,
        category: row.category,
        description: row.description,
        name: row.name,
        media_type: row.media_type,
        bytes: row.bytes,
        sha256: row.sha256,
        content_id: ContentId(row.content_id),
        number: row.number,
        published,
        created_at: row.created_at,
        created_by: row.created_by.map(StaffId),
        updated_at: row.updated_at,
        updated_by: row.updated_by.map(StaffId),
        removed_at: row.removed_at,
        version: row.version,
    })
}

fn write(tx: &Tx, file: &File) -> Result<table::Model> {
    let published = file.published.as_ref();
    let nobody = BTreeSet::new();
    let chosen = published.map_or(&nobody, |published| &published.clients);
    Ok(table::Model {
        organisation_id: tx.organisation().0,
        id: file.id.0,
        client_id: file.client_id.map(|client| client.0),
        title: file.title.clone(),
        title_key: name_key(&file.title),
        category: file.category.clone(),
        category_key: file.category.as_deref().map(name_key),
        description: file.description.clone(),
        name: file.name.clone(),
        media_type: file.media_type.clone(),
        bytes: file.bytes,
        sha256: file.sha256.clone(),
        content_id: file.content_id.0,
        number: file.number,
        published_at: published.map(|published| published.at),
        reach: published.map(|published| published.reach.as_str().to_owned()),
        chosen: serde_json::to_string(chosen).map_err(Error::internal)?,
        managers_only: published.is_some_and(|published| published.managers_only),
        created_at: file.created_at,
        created_by: file.created_by.map(|staff| staff.0),
        updated_at: file.updated_at,
        updated_by: file.updated_by.map(|staff| staff.0),
        removed_at: file.removed_at,
        version: file.version,
    })
}

impl Tx {
    /// Files within the scope: those of its clients, and the MSP's own.
    fn files(&self) -> Select<table::Entity> {
        let select = self.find::<table::Entity>();
        let scope = &self.context().scope;
        if scope.is_all() {
            return select;
        }
        let own = within(scope, table::Column::ClientId);
        select.filter(Condition::any().add(table::Column::ClientId.is_null()).add(own))
    }

    fn files_wanted(&self, filter: &FileFilter) -> Select<table::Entity> {
        use table::Column as C;
        let mut select = self.files();
        select = select.filter(if filter.removed { C::RemovedAt.is_not_null() } else { C::RemovedAt.is_null() });
        if let Some(client) = filter.client {
            select = select.filter(C::ClientId.eq(client.0));
        }
        if let Some(published) = filter.published {
            select = select.filter(if published { C::PublishedAt.is_not_null() } else { C::PublishedAt.is_null() });
        }
        if let Some((client, role)) = filter.shown_to {
            select = select.filter(C::PublishedAt.is_not_null()).filter(self.file_reaches(client));
            if role != PortalRole::Manager {
                select = select.filter(C::ManagersOnly.eq(false));
            }
        }
        if let Some(category) = filter.category.as_deref().map(name_key).filter(|text| !text.is_empty()) {
            select = select.filter(C::CategoryKey.eq(category));
        }
        if let Some(search) = filter.search.as_deref().map(name_key).filter(|text| !text.is_empty()) {
            select = select.filter(Expr::col(C::TitleKey).like(literal(&search)));
        }
        select
    }

    /// What [`File::shown_to`] says of clients, as a condition.
    fn file_reaches(&self, client: ClientId) -> Condition {
        use table::Column as C;
        let chosen = self.find::<file_client::Entity>().filter(file_client::Column::ClientId.eq(client.0));
        let chosen = chosen.select_only().column(file_client::Column::FileId).into_query();
        let picked = Condition::all().add(C::Reach.eq(FileReach::Chosen.as_str())).add(C::Id.in_subquery(chosen));
        let shared = Condition::any().add(C::Reach.eq(FileReach::All.as_str())).add(picked);
        let ours = Condition::all().add(C::ClientId.is_null()).add(shared);
        Condition::any().add(C::ClientId.eq(client.0)).add(ours)
    }

    /// A page of files by title.
    pub async fn file_list(&self, filter: &FileFilter, page: &PageRequest) -> Result<Listed<File>> {
        use table::Column as C;
        let mut select = self.files_wanted(filter);
        let total = select.clone().count(self.db()).await.or_domain()?;
        if let Some((key, id)) = &page.after {
            let place = Expr::tuple([Expr::col(C::TitleKey), Expr::col(C::Id)]);
            select = select.filter(place.gt(Expr::tuple([Expr::val(key.as_str()), Expr::val(*id)])));
        }
        let select = select.order_by_asc(C::TitleKey).order_by_asc(C::Id).limit(page.limit + 1);
        let mut rows = select.all(self.db()).await.or_domain()?;
        let more = rows.len() as u64 > page.limit;
        rows.truncate(page.limit as usize);
        let next = more.then(|| rows.last().map(|last| (last.title_key.clone(), last.id))).flatten();
        let items = rows.into_iter().map(read).collect::<Result<_>>()?;
        Ok(Listed { items, next, total: i64::try_from(total).unwrap_or(i64::MAX) })
    }

    /// How many files there are.
    pub async fn file_count(&self, filter: &FileFilter) -> Result<u64> {
        self.files_wanted(filter).count(self.db()).await.or_domain()
    }

    /// A file, removed or not; its row is locked in a transaction that writes.
    pub async fn file(&self, id: FileId) -> Result<File> {
        self.file_found(id.0).await?.ok_or(Error::NotFound { what: "file" })
    }

    async fn file_found(&self, id: Uuid) -> Result<Option<File>> {
        let mut select = self.files().filter(table::Column::Id.eq(id));
        if self.require_writable().is_ok() {
            select = select.lock_exclusive();
        }
        select.one(self.db()).await.or_domain()?.map(read).transpose()
    }

    /// Every file of a client, and every one that is published to it by choice, removed or not; their rows are locked.
    pub async fn files_about(&self, client: ClientId) -> Result<Vec<File>> {
        use table::Column as C;
        let chosen = self.find::<file_client::Entity>().filter(file_client::Column::ClientId.eq(client.0));
        let chosen = chosen.select_only().column(file_client::Column::FileId).into_query();
        let about = Condition::any().add(C::ClientId.eq(client.0)).add(C::Id.in_subquery(chosen));
        let select = self.files().filter(about).order_by_asc(C::Id).lock_exclusive();
        select.all(self.db()).await.or_domain()?.into_iter().map(read).collect()
    }

    /// Bytes of every content of files that is kept: of a client's, or of all.
    pub async fn file_bytes(&self, client: Option<ClientId>) -> Result<i64> {
        let mut select = self.find::<file_version::Entity>();
        if let Some(client) = client {
            let files = self.find::<table::Entity>().filter(table::Column::ClientId.eq(client.0));
            let files = files.select_only().column(table::Column::Id).into_query();
            select = select.filter(file_version::Column::FileId.in_subquery(files));
        }
        let sum = Expr::cust("CAST(COALESCE(SUM(bytes), 0) AS BIGINT)");
        let sum = select.select_only().expr_as(sum, "bytes").into_tuple::<i64>().one(self.db()).await.or_domain()?;
        Ok(sum.unwrap_or_default())
    }

    /// Keeps a new file with its first content, which was announced.
    pub async fn file_insert(&self, file: &File) -> Result<()> {
        self.content_keep(file.content_id, file.bytes).await?;
        self.insert_row::<table::Entity>(write(self, file)?).await?;
        self.file_choose(file).await?;
        self.file_keep(file).await
    }

    /// Changes a file that was read before; another content, which was announced, is kept beside the former ones.
    /// Nothing is written when nothing differs.
    pub async fn file_update(&self, before: &File, after: File) -> Result<File> {
        let after = File { version: before.version + 1, updated_at: self.now(), ..after };
        if !self.update_row::<table::Entity>(&write(self, before)?, write(self, &after)?).await? {
            return Ok(before.clone());
        }
        if after.published.as_ref().map(|one| &one.clients) != before.published.as_ref().map(|one| &one.clients) {
            self.file_choose(&after).await?;
        }
        Ok(after)
    }

    /// The same with another content.
    pub async fn file_replace(&self, before: &File, after: File) -> Result<File> {
        self.content_keep(after.content_id, after.bytes).await?;
        let after = self.file_update(before, after).await?;
        self.file_keep(&after).await?;
        Ok(after)
    }

    async fn file_choose(&self, file: &File) -> Result<()> {
        let old = self.delete_many::<file_client::Entity>().filter(file_client::Column::FileId.eq(file.id.0));
        old.exec(self.db()).await.or_domain()?;
        let clients = file.published.iter().flat_map(|published| &published.clients);
        let row = |client: &ClientId| file_client::Model {
            organisation_id: self.organisation().0,
            file_id: file.id.0,
            client_id: client.0,
        };
        self.insert_many::<file_client::Entity>(clients.map(row).collect(), &[], &[]).await
    }

    async fn file_keep(&self, file: &File) -> Result<()> {
        let row = file_version::Model {
            organisation_id: self.organisation().0,
            file_id: file.id.0,
            number: file.number,
            content_id: file.content_id.0,
            name: file.name.clone(),
            media_type: file.media_type.clone(),
            bytes: file.bytes,
            sha256: file.sha256.clone(),
            created_at: self.now(),
            created_by: self.context().actor.staff().map(|staff| staff.0),
        };
        self.insert_many::<file_version::Entity>(vec![row], &[], &[]).await
    }

    /// The contents that a file had, the newest first. The caller has found the file in its scope.
    pub async fn file_versions(&self, id: FileId) -> Result<Vec<FileVersion>> {
        let select = self.find::<file_version::Entity>().filter(file_version::Column::FileId.eq(id.0));
        let rows = select.order_by_desc(file_version::Column::Number).all(self.db()).await.or_domain()?;
        let read = |row: file_version::Model| FileVersion {
            number: row.number,
            content_id: ContentId(row.content_id),
            name: row.name,
            media_type: row.media_type,
            bytes: row.bytes,
            sha256: row.sha256,
            created_at: row.created_at,
            created_by: row.created_by.map(StaffId),
        };
        Ok(rows.into_iter().map(read).collect())
    }

    /// Files that were removed before this instant, at most 100: for the worker.
    pub async fn files_removed_before(&self, before: Timestamp) -> Result<Vec<File>> {
        use table::Column as C;
        let select = self.find::<table::Entity>().filter(C::RemovedAt.lt(before)).order_by_asc(C::Id).limit(BATCH);
        select.lock_exclusive().all(self.db()).await.or_domain()?.into_iter().map(read).collect()
    }

    /// Deletes a file for ever and releases its contents.
    pub async fn file_purge(&self, file: &File) -> Result<()> {
        let contents: Vec<ContentId> =
            self.file_versions(file.id).await?.iter().map(|version| version.content_id).collect();
        self.delete_row::<table::Entity>(&write(self, file)?).await?;
        self.contents_release(&contents).await
    }

    /// Undoes what happened to a file. A former content comes back as long as it is kept.
    pub(crate) async fn revert_file(&self, change: &Change, despite: bool) -> Result<Option<Problem>> {
        let Some(current) = self.file_found(change.id).await? else {
            return conflict(change, "gone", "is gone, or outside your access");
        };
        let now = serde_json::to_value(&current).map_err(Error::internal)?;
        if Some(stripped(&now)) != change.after.as_ref().map(stripped) && !despite {
            return conflict(change, "changed_since", &format!("“{}” was changed since", current.title));
        }
        let target = match &change.before {
            None => File { removed_at: current.removed_at.or(Some(self.now())), ..current.clone() },
            Some(before) => serde_json::from_value(before.clone()).map_err(Error::internal)?,
        };
        let versions = self.file_versions(current.id).await?;
        let Some(content) = versions.iter().find(|version| version.number == target.number) else {
            return conflict(change, "gone", "had a content that is not kept any more");
        };
        let target = File { content_id: content.content_id, ..target };
        self.file_update(&current, target).await.map(drop)?;
        Ok(None)
    }
}
