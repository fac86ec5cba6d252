//! What a key has left of its requests, told with every answer to it.

use std::sync::{Arc, Mutex, PoisonError};

use access::Rate;
use poem::http::HeaderMap;

/// Where the check of a key puts what it has left, for whoever writes the answer's headers.
#[derive(Clone, Default)]
pub struct RateSlot(Arc<Mutex<Option<Rate>>>);

impl RateSlot {
    /// Notes what is left.
    pub fn put(&self, rate: Rate) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(rate);
    }

    /// Adds the headers, where a key was checked.
    pub fn tell(&self, headers: &mut HeaderMap) {
        let Some(rate) = *self.0.lock().unwrap_or_else(PoisonError::into_inner) else { return };
        headers.insert("ratelimit-limit", rate.limit.into());
        headers.insert("ratelimit-remaining", rate.remaining.into());
        headers.insert("ratelimit-reset", rate.reset.into());
    }
}
