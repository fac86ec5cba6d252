//! Which kind of file something is: by its content, never by what a browser or a name says.

/// What a content looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Pdf,
    Png,
    Jpeg,
    Gif,
    Webp,
    Tiff,
    Heif,
    /// ZIP, and the office formats that are one.
    Zip,
    /// The office formats before 2007.
    Ole,
    Rtf,
    Text,
}

/// What is taken: extension, what the content must look like, media type. Programs and scripts are not: they would
/// run with a click. HTML and SVG are kept as text, and nothing is ever shown inline.
const TAKEN: [(&str, Family, &str); 42] = [
    ("pdf", Family::Pdf, "application/pdf"),
    ("png", Family::Png, "image/png"),
    ("jpg", Family::Jpeg, "image/jpeg"),
    ("jpeg", Family::Jpeg, "image/jpeg"),
    ("gif", Family::Gif, "image/gif"),
    ("webp", Family::Webp, "image/webp"),
    ("tif", Family::Tiff, "image/tiff"),
    ("tiff", Family::Tiff, "image/tiff"),
    ("heic", Family::Heif, "image/heif"),
    ("heif", Family::Heif, "image/heif"),
    ("zip", Family::Zip, "application/zip"),
    ("docx", Family::Zip, "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("xlsx", Family::Zip, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("pptx", Family::Zip, "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    ("vsdx", Family::Zip, "application/vnd.ms-visio.drawing"),
    ("odt", Family::Zip, "application/vnd.oasis.opendocument.text"),
    ("ods", Family::Zip, "application/vnd.oasis.opendocument.spreadsheet"),
    ("odp", Family::Zip, "application/vnd.oasis.opendocument.presentation"),
    ("doc", Family::Ole, "application/msword"),
    ("xls", Family::Ole, "application/vnd.ms-excel"),
    ("ppt", Family::Ole, "application/vnd.ms-powerpoint"),
    ("msg", Family::Ole, "application/vnd.ms-outlook"),
    ("vsd", Family::Ole, "application/vnd.visio"),
    ("rtf", Family::Rtf, "application/rtf"),
    ("txt", Family::Text, "text/plain"),
    ("log", Family::Text, "text/plain"),
    ("md", Family::Text, "text/markdown"),
    ("csv", Family::Text, "text/csv"),
    ("tsv", Family::Text, "text/tab-separated-values"),
    ("json", Family::Text, "application/json"),
    ("yaml", Family::Text, "text/plain"),
    ("yml", Family::Text, "text/plain"),
    ("ini", Family::Text, "text/plain"),
    ("conf", Family::Text, "text/plain"),
    ("cfg", Family::Text, "text/plain"),
    ("eml", Family::Text, "message/rfc822"),
    ("ics", Family::Text, "text/calendar"),
    ("vcf", Family::Text, "text/vcard"),
    ("xml", Family::Text, "text/plain"),
    ("html", Family::Text, "text/plain"),
    ("htm", Family::Text, "text/plain"),
    ("svg", Family::Text, "text/plain"),
];

/// First bytes of the office formats before 2007.
const OLE: [u8; 8] = [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];

/// Why a content is not taken under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// The name has no extension that is taken.
    Extension,
    /// The content is of no kind that is taken.
    Unknown,
    /// The content is of another kind than the name says: what it looks like.
    Otherwise(&'static str),
}

/// The media type of a content under a name. `head` is its beginning, `text` whether all of it is text.
pub fn fits(name: &str, head: &[u8], text: bool) -> Result<&'static str, Misfit> {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    let named = TAKEN.iter().find(|(known, ..)| extension.as_deref() == Some(known)).ok_or(Misfit::Extension)?;
    let family = family(head, text).ok_or(Misfit::Unknown)?;
    if named.1 == family {
        return Ok(named.2);
    }
    let looks = TAKEN.iter().find(|(_, of, _)| *of == family).map_or("another", |(extension, ..)| extension);
    Err(Misfit::Otherwise(looks))
}

/// The extensions that are taken.
pub fn taken() -> impl Iterator<Item = &'static str> {
    TAKEN.iter().map(|(extension, ..)| *extension)
}

fn family(head: &[u8], text: bool) -> Option<Family> {
    if head.starts_with(&OLE) {
        return Some(Family::Ole);
    }
    match infer::get(head).map(|found| found.mime_type()) {
        // Readers find the mark further on too, behind whatever else it also is.
        Some("application/pdf") if head.starts_with(b"%PDF-") => Some(Family::Pdf),
        Some("image/png") => Some(Family::Png),
        Some("image/jpeg") => Some(Family::Jpeg),
        Some("image/gif") => Some(Family::Gif),
        Some("image/webp") => Some(Family::Webp),
        Some("image/tiff") => Some(Family::Tiff),
        Some("image/heif") => Some(Family::Heif),
        Some("application/rtf" | "text/rtf") => Some(Family::Rtf),
        _ if head.starts_with(b"PK\x03\x04") => Some(Family::Zip),
        _ if text => Some(Family::Text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";

    #[test]
    fn the_content_decides_and_the_name_must_agree() {
        assert_eq!(fits("Plan.PDF", b"%PDF-1.7 ...", false), Ok("application/pdf"));
        assert_eq!(fits("a.b.png", PNG, false), Ok("image/png"));
        assert_eq!(fits("sheet.xlsx", b"PK\x03\x04\x14\0", false), Ok(TAKEN[12].2));
        assert_eq!(fits("old.doc", &OLE, false), Ok("application/msword"));
        assert_eq!(fits("invoice.pdf", PNG, false), Err(Misfit::Otherwise("png")));
        assert_eq!(fits("invoice.pdf", b"<html>%PDF-1.7", true), Err(Misfit::Otherwise("txt")));
        assert_eq!(fits("picture.png", b"GIF89a...", false), Err(Misfit::Otherwise("gif")));
        assert_eq!(fits("notes.txt", b"\0\x01\x02binary", false), Err(Misfit::Unknown));
    }

    #[test]
    fn programs_are_not_taken_under_any_name() {
        let programs: [&[u8]; 3] = [b"MZ\x90\0\x03\0", b"\x7fELF\x02\x01\x01\0", b"\xca\xfe\xba\xbe\0\0\0\x34"];
        for program in programs {
            for (extension, ..) in TAKEN {
                assert!(fits(&format!("a.{extension}"), program, false).is_err(), "{extension}");
            }
        }
        for name in ["run.exe", "run.ps1", "run.bat", "run.js", "run.pdf.exe", "run", "", "pdf", ".hidden"] {
            assert_eq!(fits(name, b"text", true), Err(Misfit::Extension), "{name}");
        }
    }

    #[test]
    fn markup_is_nothing_but_text() {
        assert_eq!(fits("a.svg", b"<svg onload='alert(1)'/>", true), Ok("text/plain"));
        assert_eq!(fits("a.html", b"<!DOCTYPE html><script>", true), Ok("text/plain"));
        assert!(taken().all(|extension| extension == extension.to_ascii_lowercase()));
    }
}
