//! The customer list as a file.

use directory::{customers_of, tags_cell};
use domain::{Archived, Permission, SortOrder};
use persistence::{ClientFilter, ClientSort};
use poem_openapi::{OpenApi, param::Query};

use super::{
    Chapter,
    client_export::{ExportFormat, Exported},
    client_filter::ArchivedClients,
    clients::Status,
    table_file::TableFile,
    tenant_export::word,
    tenants::can,
};
use crate::{app::AppData, auth::Caller, problem::Failure};

/// Customers read at a time.
const PAGE: u64 = 200;
/// Columns of the file.
const HEADER: [&str; 14] = [
    "id",
    "name",
    "primary_contact",
    "tenants",
    "total_users",
    "health",
    "psa_id",
    "created_at",
    "status",
    "contact_email",
    "phone",
    "address",
    "notes",
    "tags",
];

/// Exports of customers.
pub struct CustomerExports;

#[OpenApi(prefix_path = "/api/msp-portal/customers", tag = "Chapter::Customers")]
impl CustomerExports {
    /// The customer list as a file
    ///
    /// With the filters of the list, in the order of names: its seven columns with the id, then status, contact_email,
    /// phone, address, notes and tags. A number that is not known is an empty cell. A cell that a spreadsheet would take
    /// for a formula has an apostrophe before it. Sent to `POST /api/imports/csv` as it is, the CSV file changes nothing.
    #[oai(path = "/export", method = "get", operation_id = "customer_export")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn customer_export(
        &self,
        app: AppData<'_>,
        caller: Caller,
        /// `csv` when left out
        format: Query<Option<ExportFormat>>,
        /// Begin a CSV file with a byte order mark, by which Excel knows that it is UTF-8
        bom: Query<Option<bool>>,
        /// Part of the name
        search: Query<Option<String>>,
        status: Query<Option<Status>>,
        /// `hidden` when left out
        archived: Query<Option<ArchivedClients>>,
    ) -> Result<Exported, Failure> {
        let filter = ClientFilter {
            search: search.0.filter(|text| !text.trim().is_empty()),
            status: status.0.map(Into::into),
            archived: match archived.0 {
                None | Some(ArchivedClients::Hidden) => Archived::Hidden,
                Some(ArchivedClients::Only) => Archived::Only,
                Some(ArchivedClients::Included) => Archived::Included,
            },
            ..ClientFilter::default()
        };
        let tx = app.read(caller, Permission::ClientsView).await?;
        let context = tx.context().clone();
        let table = TableFile::begin(format.0, bom.0, "Customers", &HEADER).await;
        let mut page = domain::PageRequest { limit: PAGE, after: None };
        loop {
            let listed = tx.client_list(&filter, ClientSort::Name, SortOrder::Ascending, &page).await?;
            let customers = customers_of(&tx, listed.items, &can(&app)).await?;
            let more = table.rows(customers.into_iter().map(row).collect()).await;
            match listed.next {
                Some(next) if more => page.after = Some(next),
                _ => break,
            }
        }
        drop(tx);
        Ok(table.end(&app, context, "customer_export", "customers").await?)
    }
}

fn row(customer: directory::Customer) -> Vec<String> {
    let number = |count: Option<i64>| count.map(|count| count.to_string()).unwrap_or_default();
    let (name, email) = customer.contact.clone();
    let primary = match (name, email) {
        (Some(name), Some(email)) => format!("{name} <{email}>"),
        (name, email) => name.or(email).unwrap_or_default(),
    };
    let (tenants, users, health) = (customer.tenants.len(), number(customer.users()), customer.health());
    let psa = customer.psa.first().map(|entity| entity.vendor_id.clone()).unwrap_or_default();
    let client = customer.client;
    vec![
        client.id.to_string(),
        client.name,
        primary,
        tenants.to_string(),
        users,
        word(health).to_owned(),
        psa,
        client.created_at.to_rfc3339(),
        client.status.as_str().to_owned(),
        client.contact_email.unwrap_or_default(),
        client.phone.unwrap_or_default(),
        client.address.unwrap_or_default(),
        client.notes.unwrap_or_default(),
        tags_cell(&client.tags),
    ]
}
