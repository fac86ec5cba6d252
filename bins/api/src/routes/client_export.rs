//! The client list as a file.

use directory::{field_names, tags_cell};
use domain::{Error, Outcome, Permission};
use persistence::{ClientFilter, ExportedClient, Tx};
use poem::Body;
use poem_openapi::{ApiResponse, Enum, OpenApi, ResponseContent, param::Query, payload::Binary};
use tokio::sync::mpsc;

use super::{
    Chapter,
    client_filter::{self, ArchivedClients, filter},
    clients::Status,
};
use crate::{
    app::AppData,
    auth::Caller,
    problem::Failure,
    sheet::{self, Format},
};

/// Clients read at a time.
const PAGE: u64 = 500;

/// What file to make
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum ExportFormat {
    /// Comma-separated, UTF-8
    Csv,
    /// Excel
    Xlsx,
}

/// A file.
#[derive(ResponseContent)]
pub enum ExportFile {
    /// Comma-separated
    #[oai(content_type = "text/csv")]
    Csv(Binary<Body>),
    /// A workbook
    #[oai(content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")]
    Xlsx(Binary<Body>),
}

/// The client list as a file.
#[derive(ApiResponse)]
pub enum Exported {
    /// The file
    #[oai(status = 200)]
    Ok(
        ExportFile,
        /// Proposes a name for the file
        #[oai(header = "Content-Disposition")]
        String,
    ),
}

/// Exports.
pub struct ClientExports;

#[OpenApi(prefix_path = "/api/clients", tag = "Chapter::Clients")]
impl ClientExports {
    /// The client list as a file
    ///
    /// With the filters of the list, in the order of names. Columns: id, name, status, contact_email, phone, address,
    /// notes, tags, integrations, and for each integration in use one with the vendor's ids (`pax8_id`). Several in one
    /// cell are separated by `|`; a bar in a tag is written `\|`, a backslash `\\`. A cell that a spreadsheet would take for a formula has an apostrophe before it. Sent to
    /// `POST /api/imports/csv` as it is, the CSV file changes nothing.
    #[oai(path = "/export", method = "get", operation_id = "client_export")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn client_export(
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
        /// Mapped to all of these integrations, separated by commas
        has: Query<Option<String>>,
        /// Lacking at least one of these integrations, separated by commas
        missing: Query<Option<String>>,
        /// At least so many devices
        devices_min: Query<Option<i32>>,
        /// At most so many devices
        devices_max: Query<Option<i32>>,
        /// At least so many directory users
        users_min: Query<Option<i32>>,
        /// At most so many directory users
        users_max: Query<Option<i32>>,
        /// Whether the number of devices is known: not, where nothing that lists devices is mapped
        devices_known: Query<Option<bool>>,
        /// Whether the number of directory users is known
        users_known: Query<Option<bool>>,
        /// `hidden` when left out
        archived: Query<Option<ArchivedClients>>,
        /// With this tag
        tag: Query<Option<String>>,
    ) -> Result<Exported, Failure> {
        let ranges = [(devices_min.0, devices_max.0), (users_min.0, users_max.0)];
        let mut filter =
            filter(&app, search.0, status.0, (has.0, missing.0), ranges, [devices_known.0, users_known.0], archived.0)?;
        filter.tag = client_filter::tag(tag.0);
        let tx = app.read(caller, Permission::ClientsView).await?;
        let context = tx.context().clone();
        let (format, extension) = match format.0 {
            Some(ExportFormat::Xlsx) => (Format::Xlsx, "xlsx"),
            _ => (Format::Csv { bom: bom.0.unwrap_or(false) }, "csv"),
        };
        // The file is whole before it is sent: a failure on the way is an answer, not half a list.
        let (send, rows) = mpsc::channel(2);
        let writer = tokio::task::spawn_blocking(move || sheet::written(format, "Clients", rows));
        fill(&tx, &filter, send).await?;
        let file = writer.await.map_err(Error::internal)??;
        drop(tx);
        // Who took data out of the house stands in the journal, once the file is whole and before it is sent.
        let note = app.store.begin(context).await?;
        note.commit_attempt("client_export", Outcome::Done, &format!("clients.{extension}")).await?;
        let file = Binary(Body::from_async_read(tokio::fs::File::from_std(file)));
        let file = match format {
            Format::Csv { .. } => ExportFile::Csv(file),
            Format::Xlsx => ExportFile::Xlsx(file),
        };
        Ok(Exported::Ok(file, format!("attachment; filename=\"clients.{extension}\"")))
    }
}

/// Sends the rows, the header first. Ends early when the writer has: it says why.
async fn fill(tx: &Tx, filter: &ClientFilter, rows: mpsc::Sender<Vec<Vec<String>>>) -> domain::Result<()> {
    let integrations = tx.integrations_mapped().await?;
    let header = field_names().map(str::to_owned).chain(["integrations".to_owned()]);
    let header = header.chain(integrations.iter().map(|integration| format!("{integration}_id"))).collect();
    let mut page = vec![header];
    let mut last = None;
    while rows.send(page).await.is_ok() {
        let clients = tx.clients_exported(filter, last.as_ref(), PAGE).await?;
        let Some(end) = clients.last() else { break };
        last = Some(end.client.clone());
        page = clients.into_iter().map(|client| cells(client, &integrations)).collect();
    }
    Ok(())
}

/// A row, in the order of [`field_names`] and what follows them.
fn cells(exported: ExportedClient, integrations: &[String]) -> Vec<String> {
    let ExportedClient { client, mut vendor_ids } = exported;
    let mapped = vendor_ids.keys().cloned().collect::<Vec<_>>().join("|");
    let mut cells = vec![
        client.id.to_string(),
        client.name,
        client.status.as_str().to_owned(),
        client.contact_email.unwrap_or_default(),
        client.phone.unwrap_or_default(),
        client.address.unwrap_or_default(),
        client.notes.unwrap_or_default(),
        tags_cell(&client.tags),
        mapped,
    ];
    cells.extend(integrations.iter().map(|one| vendor_ids.remove(one).unwrap_or_default().join("|")));
    cells
}
