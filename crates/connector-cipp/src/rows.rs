//! The shapes in which a listing may come: a bare array, an array in `Results`, or a single record where
//! PowerShell has unrolled an array of one. An array of nothing but `null` is an empty one.
//!
//! CIPP also tells of errors with status 200, as a text in the place of records. That is no listing.

use bytes::Bytes;
use integration::{Error, Response, Result, Retry, Vendor, raw_slice};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::Cipp;

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, rename = "Results")]
    results: Option<&'a RawValue>,
}

/// Splits an answer into its records. `reads` tells whether a lone object is a record.
pub(crate) fn split(response: &Response, reads: impl Fn(&[u8]) -> bool) -> Result<Vec<Bytes>> {
    let whole: &RawValue = parse(response.json_bytes(Cipp::NAME)?)?;
    let envelope = if is_object(whole) { parse::<Envelope<'_>>(whole.get().as_bytes())?.results } else { None };
    let listing = envelope.unwrap_or(whole);
    let items: Vec<&RawValue> = match listing.get().as_bytes().first() {
        Some(b'[') => parse(listing.get().as_bytes())?,
        Some(b'{') if reads(listing.get().as_bytes()) => vec![listing],
        _ => return Err(complaint(listing)),
    };
    let items = items.into_iter().filter(|item| item.get() != "null");
    items.map(|item| if is_object(item) { Ok(raw_slice(&response.body, item)) } else { Err(complaint(item)) }).collect()
}

fn is_object(item: &RawValue) -> bool {
    item.get().starts_with('{')
}

/// What stands where records should be: CIPP's own words, if it is a text.
fn complaint(item: &RawValue) -> Error {
    let words: String = serde_json::from_str(item.get()).unwrap_or_default();
    Error::unreadable(Cipp::NAME, "no records where records should be").vendor_says(words)
}

fn parse<'a, T: Deserialize<'a>>(text: &'a [u8]) -> Result<T> {
    serde_json::from_slice(text).map_err(|why| {
        let error = Error::unreadable(Cipp::NAME, &why);
        // Half an answer may come whole next time; another shape will not.
        if why.is_eof() { error.retry(Retry::Yes) } else { error }
    })
}
