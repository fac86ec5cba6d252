//! Bodies that are CSV files: larger than others, and read only once it is known who sends them.

use poem::{
    Body, FromRequest, Request, RequestBody, Result,
    error::ReadBodyError,
    http::{StatusCode, Uri},
};
use poem_openapi::{
    ApiRequest,
    payload::{ParsePayload, Payload},
    registry::{MetaSchema, MetaSchemaRef},
};

/// Largest file, in bytes.
pub const LARGEST: usize = 20 * 1024 * 1024;
/// The path that takes one.
pub const PATH: &str = "/api/imports/csv";

/// Whether requests to this path carry a file.
pub fn is_for(uri: &Uri) -> bool {
    uri.path().trim_end_matches('/') == PATH
}

/// A file, as `text/csv`.
#[derive(ApiRequest)]
pub enum CsvFile {
    /// Comma-separated values
    Csv(Content),
}

/// The bytes of a file.
pub struct Content(pub Vec<u8>);

impl Payload for Content {
    const CONTENT_TYPE: &'static str = "text/csv";

    fn check_content_type(content_type: &str) -> bool {
        content_type.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(Self::CONTENT_TYPE)
    }

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Inline(Box::new(MetaSchema { format: Some("binary"), ..MetaSchema::new("string") }))
    }
}

impl ParsePayload for Content {
    const IS_REQUIRED: bool = true;

    async fn from_request(request: &Request, body: &mut RequestBody) -> Result<Self> {
        let body = Body::from_request(request, body).await?;
        match body.into_bytes_limit(LARGEST).await {
            Ok(bytes) => Ok(Self(bytes.into())),
            Err(ReadBodyError::PayloadTooLarge) => Err(too_large(LARGEST)),
            Err(other) => Err(other.into()),
        }
    }
}

/// The refusal of a body with more than `most` bytes.
pub fn too_large(most: usize) -> poem::Error {
    poem::Error::from_string(format!("A body may have at most {most} bytes."), StatusCode::PAYLOAD_TOO_LARGE)
}
