//! What changed since (change data capture). The vendor looks back 30 days, gives at most 1000 objects without
//! saying that there are more, and names what was deleted.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use integration::{Error, Kind, Page, Result};

use crate::{
    api::{Api, NAME},
    listing,
    wire::{Answer, Mark},
};

/// A day less than the vendor looks back.
const LOOKS_BACK: TimeDelta = TimeDelta::days(29);

/// The most that one answer holds: one that is full may be cut.
const MOST: usize = 1000;

impl Api {
    /// What changed of one type since the moment of a mark, in one answer. [`Kind::Expired`] where the answer
    /// could not be whole.
    pub(crate) async fn changes(&self, entity: &str, since: &str) -> Result<Page> {
        let expired = |why: &str| Error::new(Kind::Expired, format!("{NAME} {why}: list anew"));
        let since: DateTime<Utc> = since.parse().map_err(|_| expired("does not know this mark"))?;
        if self.now() - since > LOOKS_BACK {
            return Err(expired("tells changes of 30 days only"));
        }
        let moment = since.to_rfc3339_opts(SecondsFormat::Secs, true);
        let response = self.call(&["cdc"], &[("entities", entity), ("changedSince", &moment)]).await;
        let response = response.map_err(|error| match error.kind {
            // The moment is all that it can find fault with.
            Kind::Refused => {
                Error { kind: Kind::Expired, message: expired("does not tell changes since then").message, ..error }
            }
            _ => error,
        })?;
        let answer: Answer<'_> = self.read(&response)?;
        let changes = answer.changes.filter(|changes| !changes.is_empty());
        let mut page = Page { changes_only: true, ..Page::default() };
        for one in changes.ok_or_else(|| self.unexpected(&response, "CDCResponse"))? {
            for found in one.found.ok_or_else(|| self.unexpected(&response, "QueryResponse"))? {
                if found.keys().any(|key| listing::fault(key)) {
                    return Err(self.unexpected(&response, entity));
                }
                let Some(list) = found.get(entity) else { continue };
                for raw in self.slices(&response, list)? {
                    match serde_json::from_slice::<Mark>(&raw) {
                        Ok(Mark { id, status }) if is_deleted(status.0.as_deref()) => {
                            let id = id.0.ok_or_else(|| self.unreadable(&response, "a deletion without an id"))?;
                            page.removed.push(id);
                        }
                        _ => page.records.push(raw),
                    }
                }
            }
        }
        if page.records.len() + page.removed.len() >= MOST {
            return Err(expired("has more changes than one answer holds"));
        }
        page.mark = Some(listing::mark(listing::moment(answer.time.0, &response)));
        Ok(page)
    }
}

fn is_deleted(status: Option<&str>) -> bool {
    status.is_some_and(|status| status.eq_ignore_ascii_case("deleted"))
}
