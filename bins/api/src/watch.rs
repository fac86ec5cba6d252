//! Streams of something that is looked at again and again until it is over: server-sent events. No transaction stays
//! open between two looks, and any process can say how far something is.

use std::{future::Future, time::Duration};

use domain::{Error, Result};
use futures_util::{
    StreamExt,
    stream::{self, BoxStream},
};
use tokio::{sync::OwnedSemaphorePermit, time::Instant};

use crate::app::App;

/// How often the database is asked for one that watches.
const POLL: Duration = Duration::from_secs(1);
/// How often a comment says that the stream lives.
pub const KEEP_ALIVE: Duration = Duration::from_secs(10);
/// Seconds that a stream lasts when nothing is said.
const LASTS: u64 = 60;
/// The most that may be asked for.
const LASTS_AT_MOST: u64 = 300;

/// How long a stream is to last, as the query says it.
pub fn lasting(seconds: Option<u64>) -> Result<Duration> {
    let seconds = seconds.unwrap_or(LASTS);
    if !(1..=LASTS_AT_MOST).contains(&seconds) {
        let message = format!("must be from 1 to {LASTS_AT_MOST}");
        return Err(Error::invalid("seconds", "out_of_range", message));
    }
    Ok(Duration::from_secs(seconds))
}

/// What is seen, now and whenever it differs, until it is over or the time is. `look` reads it anew; what it may not
/// see any more ends the stream. Refused while as many watch as this server bears.
pub fn watched<T, L, F>(
    app: &App,
    first: T,
    lasting: Duration,
    over: fn(&T) -> bool,
    look: L,
) -> Result<BoxStream<'static, T>>
where
    T: Clone + PartialEq + Send + 'static,
    L: Fn() -> F + Send + 'static,
    F: Future<Output = Result<T>> + Send + 'static,
{
    let busy = |_| Error::Busy("as many are watching as this server bears".to_owned());
    let permit = app.watchers.clone().try_acquire_owned().map_err(busy)?;
    let until = Instant::now() + lasting;
    let watch = Watch { look, over, until, last: None, first: Some(first), _permit: permit };
    Ok(stream::unfold(watch, Watch::next).boxed())
}

/// One that watches.
struct Watch<T, L> {
    look: L,
    over: fn(&T) -> bool,
    until: Instant,
    last: Option<T>,
    first: Option<T>,
    _permit: OwnedSemaphorePermit,
}

impl<T, L, F> Watch<T, L>
where
    T: Clone + PartialEq,
    L: Fn() -> F,
    F: Future<Output = Result<T>>,
{
    async fn next(mut self) -> Option<(T, Self)> {
        loop {
            if self.last.as_ref().is_some_and(self.over) {
                return None;
            }
            let seen = match self.first.take() {
                Some(first) => first,
                None => {
                    let next = Instant::now() + POLL;
                    if next >= self.until {
                        tokio::time::sleep_until(self.until).await;
                        return None;
                    }
                    tokio::time::sleep_until(next).await;
                    match (self.look)().await {
                        Ok(seen) => seen,
                        // The database is away for a moment: it is asked again.
                        Err(Error::Busy(_)) => continue,
                        Err(_) => return None,
                    }
                }
            };
            if self.last.as_ref() != Some(&seen) {
                self.last = Some(seen.clone());
                return Some((seen, self));
            }
        }
    }
}
