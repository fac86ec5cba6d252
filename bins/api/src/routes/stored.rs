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

/// The list of one kind of record of a client.
macro_rules! record_list {
    ($api:ident: $(#[doc = $about:literal])+ $operation:ident at $path:literal as $name:literal gives $view:ident of $kind:literal for $permission:ident) => {
        $(#[doc = $about])+
        pub struct $api;

        #[poem_openapi::OpenApi(prefix_path = "/api/clients", tag = "super::Chapter::Clients")]
        impl $api {
            $(#[doc = $about])+
            #[oai(path = $path, method = "get", operation_id = $name)]
            #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
            async fn $operation(
                &self,
                app: $crate::app::AppData<'_>,
                caller: $crate::auth::Caller,
                uri: &poem::http::Uri,
                client_id: poem_openapi::param::Path<uuid::Uuid>,
                /// Part of the title
                search: poem_openapi::param::Query<Option<String>>,
                /// Rows of a page, 1 to 100; 25 when left out
                limit: poem_openapi::param::Query<Option<u64>>,
                /// Where the last page ended
                cursor: poem_openapi::param::Query<Option<String>>,
            ) -> Result<$crate::page::Answer<super::fleet::RecordPage<$view>>, $crate::problem::Failure> {
                let ask = super::stored::Ask { search: search.0, limit: limit.0, cursor: cursor.0 };
                super::stored::listed(&app, caller, uri, client_id.0, ($kind, domain::Permission::$permission), ask).await
            }
        }
    };
}
pub(super) use record_list;
