//! What is being done, for people who wait and for the report.

use std::{
    fmt,
    time::{Duration, Instant},
};

use anyhow::Result;
use serde::Serialize;

/// One step of the main job.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    /// Its name ("connect_pax8").
    pub step: String,
    /// Whether it was done.
    pub ok: bool,
    /// Milliseconds it took.
    pub ms: u64,
    /// What came out of it, or what went wrong.
    pub detail: String,
}

/// What became of the main job.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Whether every step was done.
    pub ok: bool,
    /// The step that failed.
    pub failed_step: Option<String>,
    /// What went wrong.
    pub error: Option<String>,
    /// Milliseconds from the start.
    pub ms: u64,
    /// The steps in order.
    pub steps: Vec<Step>,
}

impl fmt::Display for Report {
    /// A line for each step, and one for the whole.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Step { step, ok, ms, detail } in &self.steps {
            let mark = if *ok { "ok    " } else { "FAILED" };
            writeln!(f, "{mark} {step:<22} {ms:>6} ms  {detail}")?;
        }
        match &self.failed_step {
            None => writeln!(f, "done in {:.1} s", self.ms as f64 / 1_000.0),
            Some(step) => writeln!(f, "failed at {step}"),
        }
    }
}

/// Keeps account of the steps.
pub struct Steps {
    loud: bool,
    began: Instant,
    under_way: Option<(String, Instant)>,
    done: Vec<Step>,
}

impl Steps {
    /// Nothing done yet; `loud` says on the standard error what begins.
    pub fn new(loud: bool) -> Self {
        Self { loud, began: Instant::now(), under_way: None, done: Vec::new() }
    }

    /// A step begins.
    pub fn begin(&mut self, step: impl Into<String>, words: impl fmt::Display) {
        self.say(words);
        self.under_way = Some((step.into(), Instant::now()));
    }

    /// The step that began last is done.
    pub fn end(&mut self, detail: impl Into<String>) {
        if let Some((step, began)) = self.under_way.take() {
            self.done.push(Step { step, ok: true, ms: millis(began.elapsed()), detail: detail.into() });
        }
    }

    /// Says something to whoever waits.
    #[expect(clippy::print_stderr, reason = "a command line tool")]
    pub fn say(&self, words: impl fmt::Display) {
        if self.loud {
            eprintln!("demo: {:>5.1} s  {words}", self.began.elapsed().as_secs_f64());
        }
    }

    /// The report. What failed belongs to the step that was under way.
    pub fn report(mut self, outcome: Result<()>) -> Report {
        let error = outcome.err().map(|why| format!("{why:#}"));
        let mut failed_step = None;
        if let Some(why) = &error {
            let (step, began) = self.under_way.take().unwrap_or_else(|| ("stop".to_owned(), Instant::now()));
            failed_step = Some(step.clone());
            self.done.push(Step { step, ok: false, ms: millis(began.elapsed()), detail: why.clone() });
        }
        Report { ok: error.is_none(), failed_step, error, ms: millis(self.began.elapsed()), steps: self.done }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
