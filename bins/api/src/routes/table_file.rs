//! Tables on their way into a file that is downloaded.

use std::fs::File;

use domain::{Context, Error, Outcome, Result};
use poem::Body;
use poem_openapi::payload::Binary;
use tokio::{sync::mpsc, task::JoinHandle};

use super::client_export::{ExportFile, ExportFormat, Exported};
use crate::{
    app::App,
    sheet::{self, Format},
};

/// A table that is being written. The file is whole before it is sent: a failure on the way is an answer, not half a
/// list.
pub struct TableFile {
    rows: mpsc::Sender<Vec<Vec<String>>>,
    writer: JoinHandle<Result<File>>,
    format: Format,
}

impl TableFile {
    /// Begins a file with its header; `sheet` is the name of the sheet in a workbook.
    pub async fn begin(format: Option<ExportFormat>, bom: Option<bool>, sheet: &'static str, header: &[&str]) -> Self {
        let format = match format {
            Some(ExportFormat::Xlsx) => Format::Xlsx,
            _ => Format::Csv { bom: bom.unwrap_or(false) },
        };
        let (rows, taken) = mpsc::channel(2);
        let writer = tokio::task::spawn_blocking(move || sheet::written(format, sheet, taken));
        let table = Self { rows, writer, format };
        table.rows(vec![header.iter().map(|cell| (*cell).to_owned()).collect()]).await;
        table
    }

    /// Adds rows. False where the writer has ended early: [`Self::end`] says why.
    pub async fn rows(&self, rows: Vec<Vec<String>>) -> bool {
        self.rows.send(rows).await.is_ok()
    }

    /// The file as an answer, called `name`. Who took data out of the house stands in the journal, once the file is whole
    /// and before it is sent.
    pub async fn end(self, app: &App, context: Context, action: &str, name: &str) -> Result<Exported> {
        let Self { rows, writer, format } = self;
        drop(rows);
        let file = writer.await.map_err(Error::internal)??;
        let extension = if format == Format::Xlsx { "xlsx" } else { "csv" };
        let note = app.store.begin(context).await?;
        note.commit_attempt(action, Outcome::Done, &format!("{name}.{extension}")).await?;
        let file = Binary(Body::from_async_read(tokio::fs::File::from_std(file)));
        let file = match format {
            Format::Csv { .. } => ExportFile::Csv(file),
            Format::Xlsx => ExportFile::Xlsx(file),
        };
        Ok(Exported::Ok(file, format!("attachment; filename=\"{name}.{extension}\"")))
    }
}
