//! What vendors told us, as it is stored: how a view is made of a record, and how a list of them is answered.

use domain::{Listed, Permission, Record};
use poem_openapi::types::{ParseFromJSON, ToJSON};
use uuid::Uuid;

use super::fleet::{RecordPage, record_page, sources};
use crate::{
    app::App,
    auth::Caller,
    page::{Answer, page_request},
    problem::Failure,
};

/// A view made of a stored record.
pub trait FromRecord: ParseFromJSON + ToJSON + Send + Sync + 'static {
    /// The view of this record.
    fn of(record: Record) -> domain::Result<Self>;
}

/// A view: its fields by name, each as the record has it or as said.
macro_rules! view {
    ($(#[doc = $about:literal])+ $name:ident { $( $(#[doc = $doc:literal])+ $field:ident: $type:ty = |$body:ident| $value:expr ),+ $(,)? }) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, poem_openapi::Object)]
        #[oai(skip_serializing_if_is_none)]
        pub struct $name {
            /// Id
            pub id: uuid::Uuid,
            /// Connection that says it
            pub connection_id: uuid::Uuid,
            /// The vendor's id
            pub vendor_id: String,
            $( $(#[doc = $doc])+ pub $field: $type, )+
            /// When what is stored last changed
            pub changed_at: chrono::DateTime<chrono::Utc>,
        }

        impl super::stored::FromRecord for $name {
            fn of(record: domain::Record) -> domain::Result<Self> {
                let body: integration::$name = super::fleet::body(&record)?;
                Ok(Self {
                    id: record.id.0,
                    connection_id: record.connection_id.0,
                    vendor_id: record.vendor_id,
                    $( $field: { let $body = &body; $value }, )+
                    changed_at: record.changed_at,
                })
            }
        }
    };
}
pub(super) use view;

/// Which page of a list is wanted.
pub struct Ask {
    /// Part of the title.
    pub search: Option<String>,
    /// Rows of a page.
    pub limit: Option<u64>,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// A page of a client's records of one kind.
pub async fn listed<V: FromRecord>(
    app: &App,
    caller: Caller,
    uri: &poem::http::Uri,
    client: Uuid,
    (kind, permission): (&str, Permission),
    ask: Ask,
) -> Result<Answer<RecordPage<V>>, Failure> {
    let page = page_request(ask.limit, ask.cursor.as_deref())?;
    let tx = app.read(caller, permission).await?;
    let (sources, client) = sources(&tx, client).await?;
    let Listed { items, next, total } = tx.client_records(client, kind, ask.search.as_deref(), &page).await?;
    let items = items.into_iter().map(V::of).collect::<domain::Result<Vec<_>>>()?;
    Ok(record_page(app, uri, &sources, kind, Listed { items, next, total }))
}
