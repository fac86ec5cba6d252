//! Jobs: planned work. A job holds the id of its state; the names are looked up once for a listing.

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use integration::{Error, Item, Job, Kind, Money, Page, Position, Pull, Result};
use serde_json::Value;

use crate::{
    Workflowmax,
    api::{Api, NAME},
    wire::{self, JobState, KeptJob},
};

/// Pages of states at most: an account has a dozen states.
const MOST: usize = 20;

#[async_trait]
impl Pull<Job> for Workflowmax {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        let states = self.api.states(at.cursor.is_none()).await?;
        let listed = self.api.list("jobs", &[], at.cursor).await?;
        let kept = |raw: &Bytes| {
            let state = wire::read::<JobState>("a job", raw).ok().and_then(|job| job.state);
            let state = state.and_then(|id| states.get(&id).cloned()).map_or(Value::Null, Value::String);
            Bytes::from(format!(r#"{{"state":{state},"job":{}}}"#, String::from_utf8_lossy(raw)))
        };
        let records = listed.rows.iter().map(kept).collect();
        Ok(Page { records, next: listed.next, total: listed.total, ..Page::default() })
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Job>, String> {
        let KeptJob { state, job } = wire::read("a job", raw)?;
        let client = job.client.ok_or("a job of WorkflowMax names no client")?;
        let status = state.or(job.status);
        let record = Job {
            name: job.name.or_else(|| job.job_number.clone()).unwrap_or_else(|| format!("Job {}", job.uuid)),
            number: job.job_number,
            description: job.description,
            open: match (job.completed_date, status.as_deref().map(str::to_ascii_lowercase).as_deref()) {
                (Some(_), _) | (None, Some("completed" | "cancelled")) => Some(false),
                (None, Some("planned" | "progress" | "in progress")) => Some(true),
                // The states are each account's own: another name may mean either.
                (None, _) => None,
            },
            status,
            manager: None,
            starts_on: job.start_date,
            due_on: job.due_date,
            completed_on: job.completed_date,
            budget: job.budget.zip(self.currency.as_ref()).map(|(amount, currency)| Money::new(amount, &currency.0)),
            url: None,
        };
        Ok(Item { id: job.uuid, entity: Some(client), record })
    }
}

impl Api {
    /// Names of the states of jobs; `fresh` asks for them even if they are known.
    async fn states(&self, fresh: bool) -> Result<Arc<HashMap<String, String>>> {
        let mut held = self.states.lock().await;
        if let Some(states) = held.as_ref().filter(|_| !fresh) {
            return Ok(states.clone());
        }
        let (mut states, mut cursor) = (HashMap::new(), None);
        for _ in 0..MOST {
            let listed = self.list("job-status", &[], cursor.as_ref()).await?;
            for raw in &listed.rows {
                let state: wire::State =
                    wire::read("a state of jobs", raw).map_err(|why| Error::unreadable(NAME, why))?;
                states.extend(state.name.map(|name| (state.uuid, name)));
            }
            cursor = listed.next;
            if cursor.is_none() {
                let states = Arc::new(states);
                *held = Some(states.clone());
                return Ok(states);
            }
        }
        Err(Error::new(Kind::Limit, format!("{NAME} has too many states of jobs: their listing seems not to end")))
    }
}
