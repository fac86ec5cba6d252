//! Where a run is: kept with every page, read back after an interruption.

use domain::{Error, JobId, Result, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// How many reasons of rejected records are kept.
const SAMPLES: usize = 20;

/// Where a run is. The job comes first: the runs of a job are found by how their checkpoint begins.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Checkpoint {
    /// The job that last worked on it.
    pub job: String,
    /// The vendor id of the entity whose listing ended last; empty where one listing covers the connection.
    pub done: Option<String>,
    /// The listing under way.
    pub place: Place,
    /// What went wrong so far.
    pub troubles: Troubles,
    /// Records of a held listing that would have been removed.
    pub would_remove: i64,
    /// The first hundred of them.
    #[serde(default)]
    pub would_ids: Vec<Uuid>,
    /// How fast this try goes.
    #[serde(default)]
    pub pace: Pace,
}

/// How fast a try goes: what it listed since it began.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Pace {
    /// When it began.
    pub since: Option<Timestamp>,
    /// Records that earlier tries had listed.
    pub before: i64,
    /// When its last page was stored.
    pub at: Option<Timestamp>,
}

impl Pace {
    /// Records per second; unknown until a page was stored and took some time.
    pub fn rate(&self, listed: i64) -> Option<f64> {
        let took = (self.at? - self.since?).num_milliseconds();
        (took > 0 && listed > self.before).then(|| (listed - self.before) as f64 * 1000.0 / took as f64)
    }
}

/// How far one listing is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Place {
    /// Whose listing; empty where one covers the connection.
    pub entity: String,
    /// The next page; `None` is the first.
    pub cursor: Option<String>,
    /// Whether the page before that is kept, but not yet stored.
    pub kept: bool,
    /// Number of the run's page with which this listing began.
    pub first_page: i32,
    /// Pages walked.
    pub pages: u32,
    /// How often the vendor had forgotten its place, and the listing began anew.
    pub restarts: u32,
    /// How often it was walked again because records were missing.
    pub looks: u32,
    /// Records that were missing after the walk before.
    pub missing: usize,
    /// Whether it is to be listed wholly although there is a mark.
    pub whole: bool,
    /// Whether the vendor tells changes only.
    pub changes_only: bool,
    /// Whether a page was empty.
    pub empty_page: bool,
    /// Records met, each once.
    pub distinct: i64,
    /// Records that could not be read.
    pub unreadable: i64,
    /// Records known when it began.
    pub known: usize,
}

/// What went wrong in a run that goes on nevertheless.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Troubles {
    /// Listings that failed or were not whole.
    pub failed: u32,
    /// Listings that were not plausible.
    pub held: u32,
    /// Stable word for the first of them.
    pub code: Option<String>,
    /// The first of them, for people.
    pub message: Option<String>,
    /// Records that could not be read.
    pub unreadable: i64,
    /// Records of entities that are not known.
    pub strangers: i64,
    /// Why records were rejected: the first few reasons, without content.
    pub reasons: Vec<String>,
}

impl Troubles {
    /// Notes why a record was rejected.
    pub fn rejected(&mut self, why: String) {
        if self.reasons.len() < SAMPLES && !self.reasons.contains(&why) {
            self.reasons.push(why.chars().take(200).collect());
        }
    }

    /// Notes what went wrong with one listing; the first stands for all.
    pub fn note(&mut self, code: &str, message: &str) {
        if self.code.is_none() {
            self.code = Some(code.to_owned());
            self.message = Some(message.to_owned());
        }
    }

    /// Everything in one text for people; `None` when nothing went wrong.
    pub fn text(&self) -> Option<String> {
        let mut parts = Vec::new();
        if let Some(message) = &self.message {
            parts.push(message.clone());
        }
        let listings = self.failed + self.held;
        if listings > 1 {
            parts.push(format!("{listings} listings have troubles; this is the first."));
        }
        let rejected = self.unreadable + self.strangers;
        if rejected > 0 {
            parts.push(format!("{rejected} records were rejected: {}.", self.reasons.join("; ")));
        }
        (!parts.is_empty()).then(|| parts.join(" "))
    }
}

impl Checkpoint {
    /// How the checkpoint of every run of a job begins.
    pub fn beginning(job: JobId) -> String {
        format!("{{\"job\":\"{job}\",")
    }

    /// As it is stored.
    pub fn write(&self) -> Result<String> {
        serde_json::to_string(self).map_err(Error::internal)
    }

    /// As it was stored; `None` where it is of another version.
    pub fn read(text: Option<&str>) -> Option<Self> {
        serde_json::from_str(text?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_begins_with_its_job_and_is_read_back() {
        let job = JobId(Uuid::from_u128(7));
        let mut checkpoint = Checkpoint { job: job.to_string(), done: Some("a".into()), ..Checkpoint::default() };
        checkpoint.place.cursor = Some("c".into());
        let text = checkpoint.write().expect("writes");
        assert!(text.starts_with(&Checkpoint::beginning(job)));
        assert_eq!(Checkpoint::read(Some(&text)), Some(checkpoint));
        assert_eq!(Checkpoint::read(Some("{}")), None);
    }

    #[test]
    fn reasons_are_few_and_short() {
        let mut troubles = Troubles::default();
        for n in 0..100 {
            troubles.unreadable += 1;
            troubles.rejected(format!("{n}{}", "x".repeat(1_000)));
        }
        assert_eq!(troubles.reasons.len(), SAMPLES);
        assert!(troubles.text().is_some_and(|text| text.len() < 10_000));
    }
}
