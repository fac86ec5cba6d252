//! Which limit was reached, and when the vendor opens again.

use std::time::Duration;

use chrono::TimeDelta;
use integration::{Error, Response, Retry};

use crate::api::NAME;

/// Says it in words. How the header spells the limits is not certain, so parts of its words decide.
pub(crate) fn explain(mut error: Error, response: &Response) -> Error {
    let problem = response.header("x-rate-limit-problem").unwrap_or_default().to_ascii_lowercase();
    let day = problem.contains("day") || problem.contains("daily");
    let what = if day {
        "the calls that it allows for this organisation in a day are used up"
    } else if problem.contains("app") {
        "the calls that it allows your app in a minute, for all organisations together, are used up"
    } else if problem.contains("min") {
        "the calls that it allows for this organisation in a minute are used up"
    } else if problem.contains("concurrent") {
        "too many calls for this organisation run at once"
    } else {
        return error;
    };
    let when = match response.retry_after() {
        Some(wait) => {
            let opens = TimeDelta::from_std(wait).ok().and_then(|wait| response.received_at.checked_add_signed(wait));
            opens.map_or_else(String::new, |at| format!("; it opens again at {} UTC", at.format("%Y-%m-%d %H:%M:%S")))
        }
        None if day => {
            // To try soon and again would only use up the next day's calls.
            error.retry = Retry::After(Duration::from_secs(3600));
            "; it does not say when it opens again".to_owned()
        }
        None => String::new(),
    };
    error.message = format!("{NAME} asks to wait: {what}{when}");
    error
}
