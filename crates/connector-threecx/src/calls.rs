//! How many calls each number had in the last 30 whole days (UTC).
//!
//! The history is one listing of the whole PBX, and its machine may be small. So it is walked once for a listing of
//! extensions, within bounds: at most [`ROWS`] legs of calls and [`PATIENCE`]. Beyond either, and where the role of the
//! key may not see the history, the counts are unknown. Unknown is never 0.

use std::collections::HashMap;

use chrono::{NaiveTime, SecondsFormat, TimeDelta};
use integration::{Kind, Result};
use serde_json::Value;

use crate::{
    api::Api,
    odata::Listing,
    wire::{Calls, Segment},
};

/// Only what is counted: not who called whom.
pub(crate) const HISTORY: Listing = Listing {
    path: "CallHistoryView",
    select: &["SegmentId", "SegmentStartTime", "SrcDn", "DstDn", "CallAnswered"],
    order: "SegmentStartTime,SegmentId",
    filter: None,
};
/// Legs of calls that are walked at most, a hundred at a time.
const ROWS: u64 = 10_000;
/// Time after which the walk is given up. Some systems take many seconds for one page.
const PATIENCE: TimeDelta = TimeDelta::seconds(60);
const DAYS: i64 = 30;

/// Calls by number.
pub(crate) struct Counts(HashMap<String, Calls>);

impl Counts {
    /// Walks the history. `None` where it cannot be known.
    pub async fn walk(api: &Api) -> Result<Option<Self>> {
        let began = api.http.now();
        let end = began.date_naive().and_time(NaiveTime::MIN).and_utc();
        let start = end - TimeDelta::days(DAYS);
        let [from, to] = [start, end].map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true));
        let filter = format!("SegmentStartTime ge {from} and SegmentStartTime lt {to}");
        let mut counts: HashMap<String, Calls> = HashMap::new();
        let mut skip = Some(0);
        while let Some(at) = skip {
            if at >= ROWS || api.http.now() - began > PATIENCE {
                return Ok(None);
            }
            let page = match api.rows(&HISTORY, Some(&filter), at).await {
                // Extensions can be listed without it: only what concerns the whole connection ends the listing.
                Err(error) if !matches!(error.kind, Kind::Credentials | Kind::Throttled) => return Ok(None),
                page => page?,
            };
            if page.total.is_some_and(|total| total > ROWS) {
                return Ok(None);
            }
            for row in page.rows {
                let leg: Segment = serde_json::from_value(Value::Object(row)).unwrap_or_default();
                let (Some(time), Some(answered)) = (leg.segment_start_time.0, leg.call_answered.0) else {
                    return Ok(None);
                };
                // Some versions take no notice of a filter.
                if (start..end).contains(&time) {
                    count(&mut counts, leg.src_dn.0, |calls| calls.made += 1);
                    count(&mut counts, leg.dst_dn.0, |calls| {
                        *(if answered { &mut calls.answered } else { &mut calls.missed }) += 1;
                    });
                }
            }
            skip = page.next;
        }
        Ok(Some(Self(counts)))
    }

    /// The calls of a number: none, if the history has none.
    pub fn of(&self, number: &str) -> Calls {
        self.0.get(number).copied().unwrap_or_default()
    }
}

fn count(counts: &mut HashMap<String, Calls>, number: Option<String>, one: impl FnOnce(&mut Calls)) {
    if let Some(number) = number {
        one(counts.entry(number).or_default());
    }
}
