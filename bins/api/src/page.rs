//! Pages of lists: cursor in, links out.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use domain::{Error, Listed, PageRequest, Result};
use poem_openapi::{
    ApiResponse, Object,
    payload::Json,
    types::{ParseFromJSON, ToJSON},
};

/// A page of a list.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct Page<T: ParseFromJSON + ToJSON + Send + Sync> {
    /// Rows
    pub items: Vec<T>,
    /// Send it as `cursor` for the next page; absent on the last
    pub next_cursor: Option<String>,
    /// Rows of the whole list under its filters
    pub total: i64,
}

/// A good answer.
#[derive(ApiResponse)]
pub enum Answer<T: ParseFromJSON + ToJSON + Send + Sync> {
    /// Done
    #[oai(status = 200)]
    Ok(
        Json<T>,
        /// Address of the next page, where there is one
        #[oai(header = "Link")]
        Option<String>,
        /// Version of the row, for If-Match
        #[oai(header = "ETag")]
        Option<String>,
    ),
}

impl<T: ParseFromJSON + ToJSON + Send + Sync> Answer<T> {
    /// An answer without headers of its own.
    pub fn new(body: T) -> Self {
        Self::Ok(Json(body), None, None)
    }

    /// An answer about a row of this version.
    pub fn versioned(body: T, version: i32) -> Self {
        Self::Ok(Json(body), None, Some(format!("\"{version}\"")))
    }
}

impl<T: ParseFromJSON + ToJSON + Send + Sync> Answer<Page<T>> {
    /// A page, with a link to the next.
    pub fn page(listed: Listed<T>, path: &poem::http::Uri) -> Self {
        let next_cursor = listed.next.as_ref().map(|(key, id)| write_cursor(key, *id));
        let link = next_cursor.as_ref().map(|cursor| format!("<{}>; rel=\"next\"", with_cursor(path, cursor)));
        Self::Ok(Json(Page { items: listed.items, next_cursor, total: listed.total }), link, None)
    }
}

fn with_cursor(uri: &poem::http::Uri, cursor: &str) -> String {
    let kept =
        uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("cursor="));
    let pairs: Vec<String> = kept.map(str::to_owned).chain([format!("cursor={cursor}")]).collect();
    format!("{}?{}", uri.path(), pairs.join("&"))
}

fn write_cursor(key: &str, id: uuid::Uuid) -> String {
    let mut bytes = id.as_bytes().to_vec();
    bytes.extend(key.as_bytes());
    BASE64.encode(bytes)
}

/// The page asked for: `limit` from 1 to 100 (25 when absent), `cursor` as an answer gave it.
pub fn page_request(limit: Option<u64>, cursor: Option<&str>) -> Result<PageRequest> {
    let limit = limit.unwrap_or(PageRequest::DEFAULT);
    if !(1..=PageRequest::MOST).contains(&limit) {
        return Err(Error::invalid("limit", "out_of_range", format!("must be from 1 to {}", PageRequest::MOST)));
    }
    let wrong = || Error::invalid("cursor", "not_a_cursor", "must be a next_cursor that this list gave");
    let after = match cursor {
        None => None,
        Some(text) if text.len() > 2_048 => return Err(wrong()),
        Some(text) => {
            let bytes = BASE64.decode(text).map_err(|_| wrong())?;
            let (id, key) = bytes.split_at_checked(16).ok_or_else(wrong)?;
            let id = uuid::Uuid::from_slice(id).map_err(|_| wrong())?;
            Some((String::from_utf8(key.to_vec()).map_err(|_| wrong())?, id))
        }
    };
    Ok(PageRequest { limit, after })
}

/// The version that `If-Match` names: `"3"`, as an ETag gave it. `*` and nothing mean any.
pub fn if_match(header: Option<&str>) -> Result<Option<i32>> {
    match header.map(str::trim) {
        None | Some("*" | "") => Ok(None),
        Some(text) => {
            let number = text.trim_start_matches("W/").trim_matches('"').parse();
            number.map(Some).map_err(|_| Error::invalid("If-Match", "not_an_etag", "must be an ETag such as \"3\""))
        }
    }
}
