//! What a walk over the tenants has seen in the first listing, so that the second does not repeat it.
//!
//! A cursor names its walk. A walk that is not remembered (the process was started anew) goes on and
//! repeats tenants, which does no harm; it never leaves one out.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, Utc};

/// Walks that are remembered: the one that runs, and a few that may run beside it.
const REMEMBERED: usize = 4;

/// Ids by page, so that a page fetched again replaces what it said before.
type Pages = HashMap<String, HashSet<String>>;

/// The walks of one connector.
#[derive(Default)]
pub(crate) struct Walks(Mutex<State>);

#[derive(Default)]
struct State {
    begun: u64,
    recent: VecDeque<(String, Pages)>,
}

impl Walks {
    /// The name of a new walk, unlike that of any other, also of another process.
    pub fn begin(&self, now: DateTime<Utc>) -> String {
        let mut state = self.state();
        state.begun += 1;
        let name = format!("{}-{}", now.timestamp_millis(), state.begun);
        if state.recent.len() == REMEMBERED {
            state.recent.pop_front();
        }
        state.recent.push_back((name.clone(), Pages::new()));
        name
    }

    /// Remembers the ids of one page.
    pub fn saw(&self, walk: &str, page: &str, ids: HashSet<String>) {
        if let Some((_, pages)) = self.state().recent.iter_mut().find(|(name, _)| name == walk) {
            pages.insert(page.to_owned(), ids);
        }
    }

    /// Whether the walk is known to have seen this id.
    pub fn has_seen(&self, walk: &str, id: &str) -> bool {
        let state = self.state();
        let pages = state.recent.iter().find(|(name, _)| name == walk).map(|(_, pages)| pages);
        pages.is_some_and(|pages| pages.values().any(|ids| ids.contains(id)))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
