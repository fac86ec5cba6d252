//! The error that an answer stands for.

use integration::{Error, Http, Kind, Response, Retry};
use serde::Deserialize;

use crate::api::NAME;

/// Error bodies of the OAuth layer, the API layer and the billing layer in one.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Failure {
    #[serde(rename = "error_description")]
    error_description: Option<String>,
    error: Option<String>,
    error_message: Option<String>,
    error_details: Option<String>,
    message: Option<String>,
    result_code: Option<String>,
    incident_id: Option<String>,
}

impl Failure {
    /// Whether this is its code, in whichever layer's field.
    fn is(&self, code: &str) -> bool {
        [&self.error, &self.result_code].into_iter().flatten().any(|said| said.eq_ignore_ascii_case(code))
    }

    /// What it says to a person, the most telling first.
    fn words(&self) -> String {
        let told = [&self.error_description, &self.error_message, &self.error_details, &self.message];
        let words: Vec<&str> = told.into_iter().flatten().map(String::as_str).collect();
        if words.is_empty() {
            self.error.clone().or_else(|| self.result_code.clone()).unwrap_or_default()
        } else {
            words.join(": ")
        }
    }
}

/// What was asked for: a refusal is understood by it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// A token.
    Token,
    /// What the scope Monitoring allows.
    Read,
    /// What needs the scope Management.
    Change,
}

/// Reads an answer that is not a success, or a success that is a web page.
pub(crate) fn of(http: &Http, response: &Response, asked: Asked) -> Error {
    http.failure(response, |error| {
        let said: Failure = response.json(NAME).unwrap_or_default();
        let error = error.request_id(response.header("x-nj-request-id").or(said.incident_id.as_deref()));
        if is_throttling_page(response) {
            let wait = response.retry_after().map_or(Retry::Yes, Retry::After);
            return restate(error, Kind::Throttled, "NinjaOne asks to slow down").retry(wait);
        }
        if response.is_success() {
            return restate(error, Kind::Unreadable, "NinjaOne sent a web page instead of data").retry(Retry::Yes);
        }
        let unknown_app = said.is(UNKNOWN_APP);
        let (no_right, no_user) = (said.is(NO_RIGHT), said.is(NO_USER));
        let error = error.vendor_says(said.words());
        match (response.status, asked) {
            (404, Asked::Token) if unknown_app => restate(error, Kind::Credentials, CHECK_REGION),
            (404, Asked::Token) => restate(error, Kind::Credentials, CHECK_HOST),
            // What the edge says in a web page is not about the client app.
            _ if response.is_html() => error,
            (400 | 401, Asked::Token) => restate(error, Kind::Credentials, CHECK_APP),
            (401 | 403, _) if no_user => restate(error, Kind::Forbidden, USER_ONLY),
            (403, Asked::Token | Asked::Read) => restate(error, Kind::Forbidden, GRANT_MONITORING),
            (403, Asked::Change) => restate(error, Kind::Forbidden, GRANT_MANAGEMENT),
            // A token without the scope is also refused as if it were a bad one.
            (401, Asked::Read) if no_right => restate(error, Kind::Forbidden, GRANT_MONITORING),
            (401, Asked::Change) if no_right => restate(error, Kind::Forbidden, GRANT_MANAGEMENT),
            _ => error,
        }
    })
}

const UNKNOWN_APP: &str = "Client app not exist";
const CHECK_REGION: &str = "NinjaOne does not know this client ID here: check the region first, because a client app \
                            exists in one region only; then the client ID";
const CHECK_HOST: &str = "there is no NinjaOne at this address: check the region or the own host";
const CHECK_APP: &str = "NinjaOne does not accept the client ID and client secret: check that the client app's platform \
                         is API Services and that it allows client credentials, then save both again";
const NO_RIGHT: &str = "insufficient_privileges";
const NO_USER: &str = "user_context_required";
const GRANT_MONITORING: &str = "NinjaOne refuses this to the client app: tick the scope Monitoring at the client app";
const GRANT_MANAGEMENT: &str = "NinjaOne refuses this to the client app: tick the scope Management at the client app";
const USER_ONLY: &str =
    "NinjaOne allows this only to a person who is signed in, not to a client app: do it in NinjaOne";

fn restate(mut error: Error, kind: Kind, message: &str) -> Error {
    error.kind = kind;
    error.message = message.to_owned();
    error
}

/// The edge answers with web pages, whatever the status: only their text tells throttling from trouble.
fn is_throttling_page(response: &Response) -> bool {
    let start = &response.body[..response.body.len().min(64 * 1024)];
    let text = String::from_utf8_lossy(start).to_ascii_lowercase();
    response.is_html() && ["rate limit", "rate-limit", "too many requests"].iter().any(|sign| text.contains(sign))
}
