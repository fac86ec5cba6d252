//! Which service has which device. Apple tells it for each service, a thousand devices at a time, or for each
//! device alone. Few requests a minute are allowed, so the services are asked, once for each listing of devices.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};
use integration::{Cursor, Error, Kind, Result, Walk};

use crate::{
    api::{Api, NAME, PAGE_SIZE},
    wire,
};

/// The service of each device that has one, by their ids.
pub(crate) type Servers = HashMap<String, String>;

/// For how long what was asked before a failure is still good.
const PATIENCE: TimeDelta = TimeDelta::minutes(10);

/// What is remembered between two pages of a listing.
#[derive(Default)]
pub(crate) struct Memory {
    whole: Mutex<Option<Arc<Servers>>>,
    part: Mutex<Option<Part>>,
}

/// Services that are not all asked yet. It survives a failure: an account with more services than Apple allows
/// requests in a minute would otherwise begin anew at each pause, and never end.
struct Part {
    begun: DateTime<Utc>,
    /// Services still to be asked, the one under way last.
    left: Option<Vec<String>>,
    cursor: Option<String>,
    found: Servers,
}

impl Memory {
    /// Which service has which device, asked anew at the start of a listing.
    pub(crate) async fn servers(&self, api: &Api, anew: bool) -> Result<Arc<Servers>> {
        let whole = self.whole.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(whole) = whole.filter(|_| !anew) {
            return Ok(whole);
        }
        let now = api.http.now();
        let part = self.part.lock().unwrap_or_else(PoisonError::into_inner).take();
        let part = part.filter(|part| now - part.begun < PATIENCE);
        let mut part = part.unwrap_or(Part { begun: now, left: None, cursor: None, found: Servers::new() });
        if let Err(error) = part.ask(api).await {
            // Anything else would only come again.
            if matches!(error.kind, Kind::Throttled | Kind::Unavailable) {
                *self.part.lock().unwrap_or_else(PoisonError::into_inner) = Some(part);
            }
            return Err(error);
        }
        let whole = Arc::new(part.found);
        *self.whole.lock().unwrap_or_else(PoisonError::into_inner) = Some(whole.clone());
        Ok(whole)
    }
}

impl Part {
    async fn ask(&mut self, api: &Api) -> Result<()> {
        let mut left = match self.left.take() {
            Some(left) => left,
            None => api.ids(&["mdmServers"]).await?,
        };
        let mut walk = Walk::new(NAME, Walk::PAGES);
        while let Some(server) = left.last().cloned() {
            let path = ["mdmServers", &server, "relationships", "devices"];
            let slice = match api.list(&path, PAGE_SIZE, &[], self.cursor.as_deref()).await {
                Ok(slice) => slice,
                // It went since it was listed: what it had is nobody's.
                Err(error) if error.kind == Kind::NotFound => {
                    self.cursor = None;
                    left.pop();
                    continue;
                }
                Err(error) => {
                    self.left = Some(left);
                    return Err(error);
                }
            };
            for raw in &slice.records {
                let device = wire::id_of(raw).map_err(|why| Error::unreadable(NAME, why))?;
                self.found.insert(device, server.clone());
            }
            self.cursor = slice.next;
            match &self.cursor {
                Some(cursor) => walk.admit(&Cursor::new(cursor.as_str()))?,
                None => {
                    left.pop();
                    walk = Walk::new(NAME, Walk::PAGES);
                }
            }
        }
        Ok(())
    }
}
