//! Every error of SuperOps. Most come with status 200, in `errors` beside `data`.

use std::{collections::HashMap, time::Duration};

use bytes::Bytes;
use integration::{Error, Http, Kind, Response, Result, Retry, raw_slice};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use crate::api::{NAME, unreadable};

/// What the code of the limit stands for, where the answer does not say how long.
const A_MINUTE: Duration = Duration::from_secs(60);

const MAKE_TOKEN: &str = "SuperOps does not accept the API token: it may have been replaced by a newer one of the \
                          same person; make a new one and save it here";
const CHECK_SUBDOMAIN: &str = "SuperOps does not know this subdomain in this region: check both";
const GRANT: &str = "SuperOps refuses this to the owner of the API token: give their role the missing right";
const PLAN: &str = "the plan of this SuperOps account does not allow this";
const STRANGE: &str = "SuperOps does not understand what was asked: its schema has changed, or the region or edition \
                       is another one";

#[derive(Deserialize)]
struct Reply<'a> {
    #[serde(borrow, default)]
    data: Option<HashMap<String, &'a RawValue>>,
    #[serde(default)]
    errors: Option<Vec<Value>>,
}

/// What the answer says of this root field, or the error that it is.
pub(crate) fn answer(http: &Http, response: &Response, name: &str) -> Result<Bytes> {
    if !response.is_success() {
        let reply = response.json_bytes(NAME).ok().and_then(|body| serde_json::from_slice::<Value>(body).ok());
        let errors = reply.as_ref().and_then(|reply| reply["errors"].as_array());
        return Err(failure(http, response, errors.map_or(&[], Vec::as_slice)));
    }
    let reply: Reply<'_> = serde_json::from_slice(response.json_bytes(NAME)?).map_err(unreadable)?;
    // Data beside errors is a part only: it is not taken for the whole.
    if let Some(errors) = reply.errors.filter(|errors| !errors.is_empty()) {
        return Err(failure(http, response, &errors));
    }
    let raw = reply.data.and_then(|data| data.get(name).copied());
    raw.map(|raw| raw_slice(&response.body, raw))
        .ok_or_else(|| Error::unreadable(NAME, format!("an answer without {name}")))
}

fn failure(http: &Http, response: &Response, errors: &[Value]) -> Error {
    let codes: Vec<&str> = errors.iter().flat_map(codes).collect();
    let words: Vec<String> = errors.iter().map(words).collect();
    http.failure(response, |error| {
        let error = error.vendor_says(words.join("; "));
        match response.status {
            401 => restate(error, Kind::Credentials, MAKE_TOKEN),
            400 if response.body.trim_ascii().is_empty() => restate(error, Kind::Credentials, CHECK_SUBDOMAIN),
            200..=299 | 400 | 403 | 404 | 429 if !errors.is_empty() => judged(error, response, errors, &codes),
            _ => error,
        }
    })
}

fn judged(error: Error, response: &Response, errors: &[Value], codes: &[&str]) -> Error {
    let has = |wanted: &[&str]| codes.iter().any(|code| wanted.iter().any(|one| code.eq_ignore_ascii_case(one)));
    if has(&["rate_limit_exceeded"]) {
        let wait = Retry::After(response.retry_after().unwrap_or(A_MINUTE));
        restate(error, Kind::Throttled, "SuperOps asks to slow down").retry(wait)
    } else if has(&["unauthorized", "unauthenticated"]) {
        restate(error, Kind::Credentials, MAKE_TOKEN)
    } else if has(&["forbidden"]) {
        restate(error, Kind::Forbidden, GRANT)
    } else if codes.iter().any(|code| code.starts_with("subscription_")) {
        restate(error, Kind::Forbidden, PLAN)
    } else if has(&["entity_does_not_exist"]) {
        restate(error, Kind::NotFound, "SuperOps does not know this record")
    } else if !codes.is_empty() {
        restate(error, Kind::Refused, "SuperOps refused the request")
    } else if errors.iter().all(|error| classification(error).is_some_and(|class| MISTAKES.contains(&class))) {
        restate(error, Kind::Refused, STRANGE)
    } else if response.is_success() {
        // The server failed at it without saying what is wrong with the request.
        restate(error, Kind::Unavailable, "SuperOps could not do this now").retry(Retry::Yes)
    } else {
        error
    }
}

/// Classes of error in which the request itself is at fault.
const MISTAKES: [&str; 3] = ["ValidationError", "InvalidSyntax", "OperationNotSupported"];

fn restate(mut error: Error, kind: Kind, message: &str) -> Error {
    error.kind = kind;
    error.retry = Retry::No;
    error.message = message.to_owned();
    error
}

fn classification(error: &Value) -> Option<&str> {
    error["extensions"]["classification"].as_str()
}

/// The vendor's own codes; they come in a list, or alone.
fn codes(error: &Value) -> Vec<&str> {
    let told = &error["extensions"]["clientError"];
    let one = std::slice::from_ref(told);
    told.as_array().map_or(one, Vec::as_slice).iter().filter_map(|told| told["code"].as_str()).collect()
}

/// What an error says to a person: its message, its codes and what they are about.
fn words(error: &Value) -> String {
    let mut words = vec![error.as_str().or(error["message"].as_str()).unwrap_or_default().to_owned()];
    let told = &error["extensions"]["clientError"];
    for told in told.as_array().map_or(std::slice::from_ref(told), Vec::as_slice) {
        let about: Vec<&str> =
            told["param"]["attributes"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        if let Some(code) = told["code"].as_str() {
            words.push(if about.is_empty() { code.to_owned() } else { format!("{code} ({})", about.join(", ")) });
        }
    }
    words.retain(|words| !words.is_empty());
    words.join(": ")
}
