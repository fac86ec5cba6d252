//! Tables as files: CSV and XLSX, written row by row to a file without a name, in memory that does not grow with them.

use std::{
    fs::File,
    io::{BufWriter, Seek, Write},
};

use directory::guarded;
use domain::{Error, Result};
use rust_xlsxwriter::{Workbook, XlsxError};
use tokio::sync::mpsc::Receiver;

/// Longest text of a cell in XLSX, in characters.
const CELL: usize = 32_767;

/// What file a table becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated, UTF-8; `bom` puts a byte order mark before it, by which Excel knows the encoding.
    Csv {
        /// Whether it begins with a byte order mark.
        bom: bool,
    },
    /// A workbook of one sheet.
    Xlsx,
}

/// Writes the rows that come until there are no more. No cell is a formula. Blocks.
pub fn written(format: Format, name: &str, rows: Receiver<Vec<Vec<String>>>) -> Result<File> {
    let mut file = tempfile::tempfile().map_err(unwritten)?;
    match format {
        Format::Csv { bom } => csv(&mut file, bom, rows)?,
        Format::Xlsx => xlsx(&mut file, name, rows)?,
    }
    file.rewind().map_err(unwritten)?;
    Ok(file)
}

fn csv(file: &mut File, bom: bool, mut rows: Receiver<Vec<Vec<String>>>) -> Result<()> {
    let mut out = BufWriter::new(file);
    if bom {
        out.write_all("\u{feff}".as_bytes()).map_err(unwritten)?;
    }
    // Line ends of spreadsheets, as RFC 4180 has them.
    let mut out = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
    while let Some(page) = rows.blocking_recv() {
        for row in page {
            let cells = row.iter().map(|cell| guarded(cell));
            for cell in cells {
                out.write_field(cell.as_bytes()).map_err(unwritten)?;
            }
            out.write_record(None::<&[u8]>).map_err(unwritten)?;
        }
    }
    out.flush().map_err(unwritten)
}

fn xlsx(file: &mut File, name: &str, mut rows: Receiver<Vec<Vec<String>>>) -> Result<()> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet_with_constant_memory().map_err(unwritten)?;
    sheet.set_name(name).map_err(unwritten)?;
    let mut at = 0;
    while let Some(page) = rows.blocking_recv() {
        for row in page {
            for (column, cell) in row.iter().enumerate().filter(|(_, cell)| !cell.is_empty()) {
                let written = sheet.write_string(at, column as u16, guarded(cell));
                written.map_err(|why| refused(&why))?;
            }
            at += 1;
        }
    }
    book.save_to_writer(BufWriter::new(file)).map_err(unwritten)
}

/// What does not fit into a workbook fits into CSV.
fn refused(why: &XlsxError) -> Error {
    match why {
        XlsxError::MaxStringLengthExceeded => {
            Error::conflict("cell_too_long", format!("A cell of XLSX has at most {CELL} characters: ask for CSV."))
        }
        XlsxError::RowColumnLimitError => {
            Error::conflict("too_many_rows", "A sheet of XLSX has at most 1,048,576 rows: ask for CSV, or filter.")
        }
        other => unwritten(other),
    }
}

fn unwritten(why: impl std::fmt::Display) -> Error {
    Error::Busy(format!("a file could not be written: {why}"))
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use calamine::{Data, Reader, Xlsx};
    use tokio::sync::mpsc;

    use super::*;

    fn file(format: Format, rows: &[&[&str]]) -> Result<File> {
        let (send, receive) = mpsc::channel(rows.len().max(1));
        for row in rows {
            send.try_send(vec![row.iter().map(|cell| (*cell).to_owned()).collect()]).expect("there is room");
        }
        drop(send);
        written(format, "Clients", receive)
    }

    const ROWS: [&[&str]; 3] = [&["id", "name"], &["1", "=1+1"], &["+2", "two\nlines; \"quoted\", \u{1}"]];

    #[test]
    fn csv_quotes_and_guards() -> Result<()> {
        for (bom, mark) in [(false, ""), (true, "\u{feff}")] {
            let mut text = String::new();
            file(Format::Csv { bom }, &ROWS)?.read_to_string(&mut text).map_err(unwritten)?;
            let rows = "id,name\r\n1,'=1+1\r\n'+2,\"two\nlines; \"\"quoted\"\", \u{1}\"\r\n";
            assert_eq!(text, format!("{mark}{rows}"));
        }
        Ok(())
    }

    #[test]
    fn every_cell_of_a_workbook_is_a_text() -> Result<()> {
        let mut book: Xlsx<_> = Xlsx::new(std::io::BufReader::new(file(Format::Xlsx, &ROWS)?)).map_err(unwritten)?;
        let range = book.worksheet_range("Clients").map_err(unwritten)?;
        let cells: Vec<Vec<&Data>> = range.rows().map(|row| row.iter().collect()).collect();
        assert!(cells.iter().flatten().all(|cell| matches!(cell, Data::String(_))), "{cells:?}");
        assert_eq!(cells[1][1], &Data::String("'=1+1".to_owned()));
        assert_eq!(cells[2][0], &Data::String("'+2".to_owned()));
        assert_eq!(cells.len(), 3);
        let formulas = book.worksheet_formula("Clients").map_err(unwritten)?;
        assert_eq!(formulas.used_cells().count(), 0);
        Ok(())
    }

    #[test]
    fn what_does_not_fit_is_refused_with_the_remedy() {
        let refused = file(Format::Xlsx, &[&["n".repeat(CELL + 1).as_str()]]).expect_err("too long");
        assert!(refused.to_string().contains("CSV"), "{refused}");
    }
}
