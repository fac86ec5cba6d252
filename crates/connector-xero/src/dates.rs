//! Instants and days as the vendor writes them: `/Date(1776682521490+0000)/`, with and without the offset, and ISO
//! with and without a zone, which then is UTC.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Utc};
use integration::loose::Loose;
use serde_json::Value;

/// An instant.
pub(crate) struct Moment(pub DateTime<Utc>);

/// A day.
pub(crate) struct Day(pub NaiveDate);

impl Loose for Moment {
    fn read(value: Value) -> Option<Self> {
        parse(value.as_str()?).map(Self)
    }
}

impl Loose for Day {
    fn read(value: Value) -> Option<Self> {
        Moment::read(value).map(|moment| Self(moment.0.date_naive()))
    }
}

fn parse(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    let read = match text.strip_prefix("/Date(") {
        Some(inside) => {
            let inside = inside.strip_suffix(")/")?;
            // The number is UTC whatever the offset: that says only how to show it.
            let end = inside.char_indices().skip(1).find(|(_, sign)| matches!(sign, '+' | '-'));
            DateTime::from_timestamp_millis(inside[..end.map_or(inside.len(), |(at, _)| at)].parse().ok()?)
        }
        None => DateTime::parse_from_rfc3339(text)
            .map(|at| at.with_timezone(&Utc))
            .or_else(|_| {
                NaiveDateTime::parse_from_str(&text.replacen(' ', "T", 1), "%Y-%m-%dT%H:%M:%S%.f")
                    .map(|at| at.and_utc())
            })
            .ok()
            .or_else(|| Some(text.parse::<NaiveDate>().ok()?.and_hms_opt(0, 0, 0)?.and_utc())),
    };
    // The first instant there is stands for none.
    read.filter(|at| at.year() > 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read_and_nothing_else() {
        for (text, instant) in [
            ("/Date(1776682521490+0000)/", Some("2026-04-20T10:55:21.490+00:00")),
            ("/Date(1776682521490+1200)/", Some("2026-04-20T10:55:21.490+00:00")),
            ("/Date(1777032291887)/", Some("2026-04-24T12:04:51.887+00:00")),
            ("/Date(-86400000+0000)/", Some("1969-12-31T00:00:00+00:00")),
            ("2026-04-16T00:00:00", Some("2026-04-16T00:00:00+00:00")),
            ("2026-04-16 00:00:00", Some("2026-04-16T00:00:00+00:00")),
            ("2026-04-20T11:47:10.3365440", Some("2026-04-20T11:47:10.336544+00:00")),
            ("2026-04-20T11:47:10+02:00", Some("2026-04-20T09:47:10+00:00")),
            ("2026-04-16", Some("2026-04-16T00:00:00+00:00")),
            ("/Date(-62135596800000+0000)/", None),
            ("/Date(soon)/", None),
            ("/Date()/", None),
            ("/Date(1777032291887", None),
            ("/Date(99999999999999999999)/", None),
            ("today", None),
            ("", None),
        ] {
            assert_eq!(parse(text).map(|at| at.to_rfc3339()).as_deref(), instant, "{text}");
        }
    }
}
