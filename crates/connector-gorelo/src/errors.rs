//! Every error of Gorelo. It comes in the same envelope as data; what its gateway says itself does not.

use integration::{Error, Http, Kind, Response};
use serde::Deserialize;

use crate::loose::Text;

const CHECK_KEY: &str = "Gorelo does not accept the API key: check it and the region, because a key works in its own \
                         region only";
const GRANT_SCOPE: &str =
    "Gorelo refuses this to the API key: give it the scope of this area, or make a key that has it";
const STRANGE: &str = "Gorelo does not know a name in the request: its API has changed";

/// Code for a query name that is not known, and for a body that is not understood.
const UNKNOWN_NAMES: [&str; 2] = ["070101", "070201"];

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Failure {
    status_code: Option<u16>,
    data_context: Option<Trace>,
    notifications: Vec<Notification>,
    /// What the gateway says, without an envelope.
    #[serde(rename = "message")]
    message: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Trace {
    trace_id: Text,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Notification {
    code: Text,
    message: Text,
    property_name: Text,
    action_hint: Text,
}

impl Notification {
    fn words(&self) -> String {
        let about = self.property_name.0.as_ref().map(|name| format!("({name})"));
        let parts = [self.message.0.clone(), about, self.action_hint.0.clone()];
        let words = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
        self.code.0.as_ref().map_or_else(|| words.clone(), |code| format!("{code}: {words}"))
    }
}

/// The error that an answer stands for; also one that says so in its envelope only.
pub(crate) fn of(http: &Http, response: &Response) -> Error {
    let said: Failure = serde_json::from_slice(&response.body).unwrap_or_default();
    let status = if response.is_success() { said.status_code.filter(|code| *code >= 400) } else { None };
    let told = Response { status: status.unwrap_or(refusal(response)), ..response.clone() };
    http.failure(&told, |error| {
        let words: Vec<String> = said.notifications.iter().map(Notification::words).collect();
        let words = if words.is_empty() { said.message.unwrap_or_default() } else { words.join("; ") };
        let trace = said.data_context.and_then(|context| context.trace_id.0);
        let error = error.vendor_says(words).request_id(trace.as_deref());
        let has = |codes: &[&str]| {
            said.notifications.iter().any(|one| one.code.0.as_deref().is_some_and(|code| codes.contains(&code)))
        };
        let about = |name: &str| said.notifications.iter().any(|one| one.property_name.0.as_deref() == Some(name));
        match error.kind {
            Kind::Credentials => restate(error, Kind::Credentials, CHECK_KEY),
            Kind::Forbidden => restate(error, Kind::Forbidden, GRANT_SCOPE),
            Kind::Refused if about("Cursor") => {
                restate(error, Kind::Expired, "Gorelo has forgotten this place in the listing")
            }
            Kind::Refused if has(&UNKNOWN_NAMES) => restate(error, Kind::Refused, STRANGE),
            _ => error,
        }
    })
}

/// A refusal in the envelope of a success that does not say which.
fn refusal(response: &Response) -> u16 {
    if response.is_success() { 400 } else { response.status }
}

fn restate(mut error: Error, kind: Kind, message: &str) -> Error {
    error.kind = kind;
    error.message = message.to_owned();
    error
}
