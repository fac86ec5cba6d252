//! Contents in the store: announced before they are written, kept with the row that they are of, released when nothing
//! needs them. So that whatever fails or ends on the way, the store holds nothing that no row knows of.
//!
//! These rows follow from others (files, looks), which are journalled; they are not.

use domain::{ContentId, Error, OrganisationId, Result, Timestamp};
use sea_orm::{ColumnTrait, Condition, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};

use crate::{
    Tx,
    entity::content as table,
    error::{OrDomain, known},
    keys::Place,
};

/// Rows of one look.
const BATCH: u64 = 200;

/// What a content is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentPurpose {
    /// That of a file: for those who may read it.
    File,
    /// A logo: for everyone who knows its address.
    Logo,
}

impl ContentPurpose {
    fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Logo => "logo",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Self::File, Self::Logo].into_iter().find(|purpose| purpose.as_str() == name)
    }
}

/// A content in the store.
pub struct ContentRow {
    /// Id.
    pub id: ContentId,
    /// What it is.
    pub purpose: ContentPurpose,
    /// Its key in the store.
    pub key: String,
    /// What seals it.
    pub secret: [u8; 32],
    /// Bytes; 0 until it is kept.
    pub bytes: i64,
    /// Whether a row needs it.
    pub kept: bool,
}

/// Where a content is in the store.
fn key(organisation: OrganisationId, id: ContentId) -> String {
    format!("{organisation}/{id}")
}

impl Tx {
    fn content_place(&self, id: ContentId) -> Place<'static> {
        Place { organisation: self.organisation().0, table: "content", row: id.0, column: "secret" }
    }

    fn content_read(&self, row: table::Model) -> Result<ContentRow> {
        let id = ContentId(row.id);
        let secret = self.store().keys().open(&self.content_place(id), &row.secret)?;
        Ok(ContentRow {
            id,
            purpose: known(ContentPurpose::parse(&row.purpose), "content.purpose")?,
            key: key(self.organisation(), id),
            secret: secret.try_into().map_err(|_| Error::internal("the key of a content has another length"))?,
            bytes: row.bytes,
            kept: row.kept_at.is_some() && row.released_at.is_none(),
        })
    }

    /// Announces a content that is about to be written.
    pub async fn content_announce(&self, purpose: ContentPurpose) -> Result<ContentRow> {
        let (id, mut secret): (ContentId, _) = (self.new_id(), [0; 32]);
        self.store().chance().fill(&mut secret);
        let sealed = self.store().keys().seal(&self.content_place(id), &secret, &**self.store().chance())?;
        let row = table::Model {
            organisation_id: self.organisation().0,
            id: id.0,
            purpose: purpose.as_str().to_owned(),
            secret: sealed,
            bytes: 0,
            created_at: self.now(),
            kept_at: None,
            released_at: None,
        };
        self.insert_many::<table::Entity>(vec![row], &[], &[]).await?;
        Ok(ContentRow { id, purpose, key: key(self.organisation(), id), secret, bytes: 0, kept: false })
    }

    /// A content that is in the store, or was announced.
    pub async fn content(&self, id: ContentId) -> Result<ContentRow> {
        let row = self.find::<table::Entity>().filter(table::Column::Id.eq(id.0)).one(self.db()).await.or_domain()?;
        row.ok_or(Error::NotFound { what: "content" }).and_then(|row| self.content_read(row))
    }

    /// Keeps an announced content: a row needs it from now on.
    pub async fn content_keep(&self, id: ContentId, bytes: i64) -> Result<()> {
        use table::Column as C;
        self.require_writable()?;
        let update = self.update_many::<table::Entity>().filter(C::Id.eq(id.0));
        let update = update.filter(C::KeptAt.is_null()).filter(C::ReleasedAt.is_null());
        let update = update.col_expr(C::KeptAt, Expr::value(self.now())).col_expr(C::Bytes, Expr::value(bytes));
        match update.exec(self.db()).await.or_domain()?.rows_affected {
            // The daily round took it for what was left behind.
            0 => Err(Error::Busy("an upload took so long that its content was given up".to_owned())),
            _ => Ok(()),
        }
    }

    /// Gives up a content that no row took over; false where one did.
    pub async fn content_abandon(&self, id: ContentId) -> Result<bool> {
        use table::Column as C;
        self.require_writable()?;
        let update = self.update_many::<table::Entity>().filter(C::Id.eq(id.0)).filter(C::KeptAt.is_null());
        let update = update.col_expr(C::ReleasedAt, Expr::value(self.now()));
        Ok(update.exec(self.db()).await.or_domain()?.rows_affected > 0)
    }

    /// Releases contents: they are removed from the store after a grace.
    pub async fn contents_release(&self, ids: &[ContentId]) -> Result<()> {
        use table::Column as C;
        self.require_writable()?;
        let update = self.update_many::<table::Entity>().filter(C::Id.is_in(ids.iter().map(|id| id.0)));
        let update = update.filter(C::ReleasedAt.is_null()).col_expr(C::ReleasedAt, Expr::value(self.now()));
        update.exec(self.db()).await.or_domain().map(drop)
    }

    /// Releases what was announced before this instant and never kept: whoever uploads it still is told to repeat.
    pub async fn contents_give_up(&self, announced: Timestamp) -> Result<()> {
        use table::Column as C;
        self.require_writable()?;
        let update = self.update_many::<table::Entity>().filter(C::KeptAt.is_null()).filter(C::ReleasedAt.is_null());
        let update = update.filter(C::CreatedAt.lt(announced)).col_expr(C::ReleasedAt, Expr::value(self.now()));
        update.exec(self.db()).await.or_domain().map(drop)
    }

    /// Contents that were released before `released`, or at any time and never kept: to be removed from the store, and
    /// then forgotten. At most 200.
    pub async fn contents_released(&self, released: Timestamp) -> Result<Vec<ContentRow>> {
        use table::Column as C;
        let never = Condition::any().add(C::KeptAt.is_null()).add(C::ReleasedAt.lt(released));
        let select = self.find::<table::Entity>().filter(C::ReleasedAt.is_not_null()).filter(never);
        let rows = select.order_by_asc(C::Id).limit(BATCH).all(self.db()).await.or_domain()?;
        rows.into_iter().map(|row| self.content_read(row)).collect()
    }

    /// Forgets a content that no row needs, once it is out of the store.
    pub async fn content_forget(&self, id: ContentId) -> Result<()> {
        use table::Column as C;
        self.require_writable()?;
        let free = Condition::any().add(C::KeptAt.is_null()).add(C::ReleasedAt.is_not_null());
        let delete = self.delete_many::<table::Entity>().filter(C::Id.eq(id.0)).filter(free);
        delete.exec(self.db()).await.or_domain().map(drop)
    }

    /// Seals the keys of contents with the key that seals today. Returns how many there were.
    pub async fn contents_reseal(&self) -> Result<usize> {
        use table::Column as C;
        self.require_writable()?;
        let mut sealed = 0;
        for row in self.find::<table::Entity>().all(self.db()).await.or_domain()? {
            if self.store().keys().is_current(&row.secret) {
                continue;
            }
            let place = self.content_place(ContentId(row.id));
            let plain = self.store().keys().open(&place, &row.secret)?;
            let anew = self.store().keys().seal(&place, &plain, &**self.store().chance())?;
            let update = self.update_many::<table::Entity>().filter(C::Id.eq(row.id));
            update.col_expr(C::Secret, Expr::value(anew)).exec(self.db()).await.or_domain()?;
            sealed += 1;
        }
        Ok(sealed)
    }
}
