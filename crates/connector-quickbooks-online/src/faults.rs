//! The vendor's error bodies. Services write `Fault`, the gateway before them `fault` with every key in lower
//! case; and a fault may come with status 200, alone or inside an answer.

use std::time::Duration;

use integration::{Error, Kind, Retry, Vendor as _};
use serde_json::{Map, Value};

use crate::QuickbooksOnline;

/// The vendor's limits are counted by the minute, and it does not say how long to wait.
const WAIT: Duration = Duration::from_secs(60);

/// What a fault says.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Fault {
    /// Numbers as the vendor's list has them, without leading zeros.
    codes: Vec<u32>,
    class: String,
    words: Vec<String>,
}

/// The fault of an answer, wherever it stands.
pub(crate) fn find(body: &[u8]) -> Option<Fault> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let fault = search(&body, 0)?;
    let mut found = Fault { class: text(fault, "type").unwrap_or_default(), ..Fault::default() };
    for error in get(fault, "error").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object) {
        let code = text(error, "code").and_then(|code| code.trim().parse::<u32>().ok());
        let (message, detail) = (text(error, "message"), text(error, "detail"));
        let words = match (message, detail) {
            (Some(message), Some(detail)) if !detail.contains(&message) => Some(format!("{message}: {detail}")),
            (message, detail) => detail.or(message),
        };
        found.words.extend(match (words, code) {
            (Some(words), Some(code)) => Some(format!("{words} (code {code})")),
            (Some(words), None) => Some(words),
            (None, code) => code.map(|code| format!("code {code}")),
        });
        found.codes.extend(code);
    }
    Some(found)
}

/// Faults stand at the top, or in the answer to a query, at most this deep.
const DEEPEST: usize = 4;

fn search(value: &Value, depth: usize) -> Option<&Map<String, Value>> {
    let inner: Box<dyn Iterator<Item = &Value>> = match value {
        Value::Object(fields) => {
            if let Some(Value::Object(fault)) = get(fields, "fault") {
                return Some(fault);
            }
            Box::new(fields.values())
        }
        Value::Array(items) => Box::new(items.iter()),
        _ => return None,
    };
    if depth < DEEPEST { inner.into_iter().find_map(|value| search(value, depth + 1)) } else { None }
}

fn get<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    fields.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

fn text(fields: &Map<String, Value>, name: &str) -> Option<String> {
    match get(fields, name)? {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Makes an error by status into what the fault says it is.
pub(crate) fn refine(mut error: Error, fault: Fault) -> Error {
    let name = QuickbooksOnline::NAME;
    let status = error.status.unwrap_or_default();
    // A server in trouble says many things, such as "authorisation failure": it is trouble all the same.
    if status < 500 {
        let by_code = fault.codes.iter().find_map(|code| match code {
            3001 => Some(Kind::Throttled),
            130 | 3200 => Some(Kind::Credentials),
            120 | 3100 | 6190 => Some(Kind::Forbidden),
            610 => Some(Kind::NotFound),
            _ => None,
        });
        // Other statuses than 400 and 200 speak for themselves.
        let vague = matches!(error.kind, Kind::Refused | Kind::Unreadable);
        let kind = match by_code {
            Some(Kind::Throttled) => Some(Kind::Throttled),
            Some(kind) if vague => Some(kind),
            None if status == 200 => Some(by_class(&fault.class)),
            _ => None,
        };
        if let Some(kind) = kind {
            error = Error { status: error.status, ..Error::new(kind, format!("{name} refused the request")) };
        }
    }
    let ended = fault.codes.contains(&6190);
    match error.kind {
        Kind::Throttled => {
            error.message = format!("{name} asks to slow down");
            if error.retry == Retry::Yes {
                error.retry = Retry::After(WAIT);
            }
        }
        Kind::Credentials => {
            error.message = format!("{name} does not take the token of the consent: sign in at Intuit's page again");
        }
        Kind::Forbidden if ended => {
            error.message = format!("the company's subscription to {name} has ended: renew it at Intuit");
        }
        Kind::Forbidden => {
            error.message = format!(
                "{name} refuses this: who consented must be an administrator of the company, and the client ID must \
                 be one of the Environment chosen here"
            );
        }
        Kind::NotFound => error.message = format!("{name} does not know this record"),
        Kind::Unavailable if status == 200 => error.message = format!("{name} has trouble"),
        _ => {}
    }
    error.vendor_says(fault.words.join("; "))
}

/// What a fault in an answer with status 200 is, where its code is not known.
fn by_class(class: &str) -> Kind {
    let class = class.to_ascii_lowercase();
    // The vendor's own list spells it "AuthorizatonFault".
    match class.as_str() {
        _ if class.starts_with("authenticat") => Kind::Credentials,
        _ if class.starts_with("authoriza") => Kind::Forbidden,
        _ if class.starts_with("system") => Kind::Unavailable,
        _ => Kind::Refused,
    }
}
