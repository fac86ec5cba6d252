//! A signed agreement as PDF: the exact text, and what proves who signed it. The same record gives the same bytes.
//!
//! Everything is drawn with DejaVu Sans, which is part of the program (`assets/`): Latin, Greek, Cyrillic, Arabic,
//! Hebrew, Armenian, Georgian and many signs. A character that it lacks (Chinese, Japanese, Korean) stands as its number,
//! `[U+65E5]`, and a note on the last page says so: nothing is left out without a trace. Lines are drawn in one
//! direction each; what holds both directions in one line may stand in another order than on a screen.

use domain::{Agreement, AgreementInstance, Error, Result, Signature};
use krilla::{
    Document,
    geom::Point,
    metadata::Metadata,
    page::PageSettings,
    text::{Font, TextDirection},
};
use ttf_parser::Face;

use crate::signing::signature_holds;

/// The font, with its licence beside it.
static FONT: &[u8] = include_bytes!("../assets/DejaVuSans.ttf");

/// A4, in points.
const PAGE: (f32, f32) = (595.0, 842.0);
/// Margin on each side.
const MARGIN: f32 = 56.0;
/// Height of a line, in sizes of its letters.
const LEADING: f32 = 1.4;
/// Size of the footer.
const SMALL: f32 = 8.0;
/// Size of the text.
const BODY: f32 = 10.0;
/// Size of the title.
const TITLE: f32 = 16.0;

/// What a PDF is made of.
#[derive(Clone, Debug)]
pub struct AgreementRecord {
    /// The version that was signed.
    pub agreement: Agreement,
    /// The client's copy.
    pub copy: AgreementInstance,
    /// Name of the MSP.
    pub provider: String,
    /// Name of the client.
    pub client: String,
}

/// One line, and the size of its letters; an empty one is a gap.
#[derive(Clone, Debug, PartialEq)]
struct Line {
    text: String,
    size: f32,
}

/// The PDF of a signed copy. Takes a while for long texts: for a thread of its own.
pub fn agreement_pdf(record: &AgreementRecord) -> Result<Vec<u8>> {
    let Some(signature) = &record.copy.signature else {
        return Err(Error::conflict("not_signed", "The agreement is not signed: there is nothing to print yet."));
    };
    let face = Face::parse(FONT, 0).map_err(Error::internal)?;
    let font = Font::new(FONT.into(), 0).ok_or_else(|| Error::internal("the font cannot be read"))?;
    let settings = PageSettings::from_wh(PAGE.0, PAGE.1).ok_or_else(|| Error::internal("a page without a size"))?;
    let pages = pages(lines(&face, record, signature));
    let mut document = Document::new();
    let title = format!("{} (version {})", record.agreement.title, record.agreement.number);
    document.set_metadata(Metadata::new().title(title).creator(record.provider.clone()));
    for (at, page) in pages.iter().enumerate() {
        let mut drawn = document.start_page_with(settings.clone());
        let mut surface = drawn.surface();
        let mut draw = |down: f32, size: f32, text: &str| {
            let place = Point::from_xy(MARGIN, down);
            surface.draw_text(place, font.clone(), size, text, false, TextDirection::Auto);
        };
        let mut down = MARGIN;
        for line in page {
            down += line.size * LEADING;
            if !line.text.is_empty() {
                draw(down, line.size, &line.text);
            }
        }
        let footer = format!("SHA-256 {}   page {} of {}", signature.text_hash, at + 1, pages.len());
        draw(PAGE.1 - MARGIN + SMALL * 2.0, SMALL, &footer);
        surface.finish();
        drawn.finish();
    }
    document.finish().map_err(|why| Error::internal(format!("{why:?}")))
}

/// Everything that is printed, broken into lines.
fn lines(face: &Face<'_>, record: &AgreementRecord, signature: &Signature) -> Vec<Line> {
    let mut paper = Paper { face, lines: Vec::new(), absent: 0 };
    let AgreementRecord { agreement, copy, provider, client } = record;
    paper.put(&agreement.title, TITLE);
    paper.put(&format!("Version {}, between {provider} and {client}", agreement.number), BODY);
    paper.gap();
    for line in agreement.text.split('\n') {
        paper.put(line, BODY);
    }
    paper.gap();
    paper.gap();
    paper.put("Signature", TITLE);
    let time = |at: domain::Timestamp| at.format("%Y-%m-%d %H:%M:%S UTC").to_string();
    paper.put(&format!("Signed as: {}", signature.name), BODY);
    paper.put(&format!("For: {client}"), BODY);
    paper.put(&format!("Sent: {}", time(copy.sent_at)), BODY);
    paper.put(&format!("Signed: {}", time(signature.at)), BODY);
    let unknown = "not known";
    paper.put(&format!("From address: {}", signature.source_address.as_deref().unwrap_or(unknown)), BODY);
    paper.put(&format!("With browser: {}", signature.user_agent.as_deref().unwrap_or(unknown)), BODY);
    paper.put(&format!("Account: {}", signature.by), BODY);
    paper.put(&format!("Copy: {}", copy.id), BODY);
    paper.put(&format!("SHA-256 of the exact text signed: {}", signature.text_hash), BODY);
    if !signature_holds(agreement, signature) {
        paper.put("WARNING: the text above is not the text that was signed.", BODY);
    }
    if paper.absent > 0 {
        let note = format!(
            "{} characters that the font of this document lacks stand as their numbers in Unicode, [U+...]. The hash is \
             that of the text itself.",
            paper.absent
        );
        paper.gap();
        paper.put(&note, SMALL);
    }
    paper.lines
}

/// Lines as they are put down.
struct Paper<'a> {
    face: &'a Face<'a>,
    lines: Vec<Line>,
    /// Characters that the font lacks.
    absent: usize,
}

impl Paper<'_> {
    fn gap(&mut self) {
        self.lines.push(Line { text: String::new(), size: BODY });
    }

    /// Puts a paragraph down, broken at blanks where it is too wide, within words where those are.
    fn put(&mut self, text: &str, size: f32) {
        let text = self.drawable(text);
        let width = PAGE.0 - 2.0 * MARGIN;
        let mut line = String::new();
        let mut used = 0.0;
        for word in text.split_inclusive(' ') {
            let wide = self.width(word.trim_end(), size);
            if used + wide > width && !line.trim().is_empty() {
                self.end(&mut line, size);
                used = 0.0;
            }
            if wide <= width {
                line.push_str(word);
                used += self.width(word, size);
                continue;
            }
            for letter in word.chars() {
                let wide = self.advance(letter, size);
                if used + wide > width {
                    self.end(&mut line, size);
                    used = 0.0;
                }
                line.push(letter);
                used += wide;
            }
        }
        self.end(&mut line, size);
    }

    fn end(&mut self, line: &mut String, size: f32) {
        let text = std::mem::take(line);
        self.lines.push(Line { text: text.trim_end().to_owned(), size });
    }

    /// The text with the numbers of characters that cannot be drawn in their place.
    fn drawable(&mut self, text: &str) -> String {
        let mut drawn = String::with_capacity(text.len());
        for letter in text.chars() {
            match letter {
                '\t' => drawn.push_str("    "),
                letter if letter.is_whitespace() => drawn.push(' '),
                letter if !letter.is_control() && self.face.glyph_index(letter).is_some() => drawn.push(letter),
                letter => {
                    self.absent += 1;
                    drawn.push_str(&format!("[U+{:04X}]", u32::from(letter)));
                }
            }
        }
        drawn
    }

    fn width(&self, text: &str, size: f32) -> f32 {
        text.chars().map(|letter| self.advance(letter, size)).sum()
    }

    fn advance(&self, letter: char, size: f32) -> f32 {
        let units = self.face.glyph_index(letter).and_then(|glyph| self.face.glyph_hor_advance(glyph));
        f32::from(units.unwrap_or_default()) * size / f32::from(self.face.units_per_em())
    }
}

/// Lines as pages.
fn pages(lines: Vec<Line>) -> Vec<Vec<Line>> {
    let most = PAGE.1 - 2.0 * MARGIN;
    let (mut pages, mut used) = (vec![Vec::new()], 0.0);
    for line in lines {
        let high = line.size * LEADING;
        if used + high > most {
            pages.push(Vec::new());
            used = 0.0;
        }
        used += high;
        if let Some(page) = pages.last_mut() {
            page.push(line);
        }
    }
    pages
}

#[cfg(test)]
mod tests {
    use domain::{AgreementId, AgreementInstanceId, AgreementState, ClientId, PortalUserId, Timestamp};
    use uuid::Uuid;

    use super::*;
    use crate::signing::text_hash;

    fn record(text: &str) -> AgreementRecord {
        let at = Timestamp::from_timestamp(1_780_000_000, 0).expect("valid");
        let (id, series_id) = (AgreementId(Uuid::from_u128(1)), AgreementId(Uuid::from_u128(1)));
        let signature = Signature {
            by: PortalUserId(Uuid::from_u128(3)),
            name: "Zoë Müller".to_owned(),
            at,
            source_address: Some("192.0.2.7".to_owned()),
            user_agent: None,
            text_hash: text_hash(text),
        };
        AgreementRecord {
            agreement: Agreement {
                id,
                series_id,
                number: 2,
                title: "Terms".to_owned(),
                text: text.to_owned(),
                managers_only: true,
                sent_at: Some(at),
                created_at: at,
                updated_at: at,
                version: 1,
            },
            copy: AgreementInstance {
                id: AgreementInstanceId(Uuid::from_u128(2)),
                agreement_id: id,
                series_id,
                client_id: ClientId(Uuid::from_u128(4)),
                addressee: None,
                state: AgreementState::Signed,
                sent_at: at,
                viewed_at: Some(at),
                ended_at: Some(at),
                reason: None,
                signature: Some(signature),
                updated_at: at,
                version: 3,
            },
            provider: "Kite".to_owned(),
            client: "Crane".to_owned(),
        }
    }

    fn printed(record: &AgreementRecord) -> Vec<String> {
        let face = Face::parse(FONT, 0).expect("a font");
        let signature = record.copy.signature.as_ref().expect("is signed");
        let lines = lines(&face, record, signature);
        let paper = Paper { face: &face, lines: Vec::new(), absent: 0 };
        for line in &lines {
            assert!(paper.width(&line.text, line.size) <= PAGE.0 - 2.0 * MARGIN + 0.01, "{line:?}");
        }
        lines.into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn the_same_record_gives_the_same_bytes() {
        let record = record(&"We look after it.\n".repeat(300));
        let pdf = agreement_pdf(&record).expect("prints");
        assert!(pdf.starts_with(b"%PDF-"));
        assert_eq!(pdf, agreement_pdf(&record).expect("prints"));
        let mut other = record.clone();
        other.copy.signature.as_mut().expect("is signed").name = "Another".to_owned();
        assert_ne!(pdf, agreement_pdf(&other).expect("prints"));
    }

    #[test]
    fn the_whole_text_and_the_whole_signature_are_printed() {
        let record = record("Erste Zeile\n\n  indented\nπ ≈ 3 Привет");
        let printed = printed(&record);
        for line in ["Erste Zeile", "  indented", "π ≈ 3 Привет", "Signed as: Zoë Müller", "From address: 192.0.2.7"]
        {
            assert!(printed.iter().any(|one| one == line), "{line}: {printed:?}");
        }
        assert!(printed.join("").contains(&text_hash("Erste Zeile\n\n  indented\nπ ≈ 3 Привет")));
        assert!(!printed.iter().any(|line| line.contains("WARNING") || line.contains("lacks")));
    }

    #[test]
    fn what_the_font_lacks_stands_as_its_number() {
        let printed = printed(&record("日本 and\u{7}"));
        assert!(printed.iter().any(|line| line.starts_with("[U+65E5][U+672C] and[U+0007]")), "{printed:?}");
        assert!(printed.join(" ").contains("3 characters that the font of this document lacks"));
    }

    #[test]
    fn long_words_and_lines_are_broken_and_nothing_of_them_is_lost() {
        let text = format!("{} {}", "x".repeat(5_000), "word ".repeat(2_000).trim_end());
        let printed = printed(&record(&text));
        let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
        assert!(letters(&printed.concat()).contains(&letters(&text)));
    }

    #[test]
    fn what_is_not_signed_is_not_printed_and_another_text_is_told() {
        let mut unsigned = record("a");
        unsigned.copy.signature = None;
        assert!(matches!(agreement_pdf(&unsigned), Err(Error::Conflict { code: "not_signed", .. })));
        let mut changed = record("a");
        changed.agreement.text = "b".to_owned();
        assert!(printed(&changed).iter().any(|line| line.contains("WARNING")));
    }
}
