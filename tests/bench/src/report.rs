//! Medians, ratios and goals, as text and as JSON.

use std::{collections::BTreeMap, fs, path::PathBuf};

use anyhow::Result;
use serde::Serialize;

/// What a figure is to be.
#[derive(Clone, Copy, Debug)]
pub enum Goal {
    /// At least this.
    Least(f64),
    /// At most this.
    Most(f64),
    /// It is only told.
    Told,
}

/// One line of the table.
#[derive(Clone, Debug, Serialize)]
struct Row {
    what: String,
    median: f64,
    smallest: f64,
    largest: f64,
    rounds: usize,
    goal: String,
    holds: Option<bool>,
}

/// Collects a figure for each round under its name.
#[derive(Default)]
pub struct Report {
    order: Vec<String>,
    figures: BTreeMap<String, (Goal, Vec<f64>)>,
}

impl Report {
    /// Notes a figure of one round.
    pub fn note(&mut self, what: impl Into<String>, goal: Goal, figure: f64) {
        let what = what.into();
        let entry = self.figures.entry(what.clone()).or_insert_with(|| {
            self.order.push(what);
            (goal, Vec::new())
        });
        entry.1.push(figure);
    }

    fn rows(&self) -> Vec<Row> {
        let row = |what: &String| {
            let (goal, figures) = self.figures.get(what)?;
            let mut figures = figures.clone();
            figures.sort_by(f64::total_cmp);
            let median = figures[figures.len() / 2];
            let (goal, holds) = match *goal {
                Goal::Least(least) => (format!(">= {least:.2}"), Some(median >= least)),
                Goal::Most(most) => (format!("<= {most:.2}"), Some(median <= most)),
                Goal::Told => (String::new(), None),
            };
            let (smallest, largest) = (figures[0], figures[figures.len() - 1]);
            Some(Row { what: what.clone(), median, smallest, largest, rounds: figures.len(), goal, holds })
        };
        self.order.iter().filter_map(row).collect()
    }

    /// Prints the table and keeps both forms under `target/bench-out`.
    #[expect(clippy::print_stdout, reason = "a command line tool")]
    pub fn publish(&self, name: &str) -> Result<()> {
        let rows = self.rows();
        let mut text = format!(
            "{:<66} {:>10} {:>10} {:>10} {:>3}  {:<9}\n",
            "what (median of rounds)", "median", "smallest", "largest", "n", "goal"
        );
        for row in &rows {
            let mark = match row.holds {
                Some(true) => "holds",
                Some(false) => "FAILS",
                None => "",
            };
            text.push_str(&format!(
                "{:<66} {:>10.2} {:>10.2} {:>10.2} {:>3}  {:<9} {mark}\n",
                row.what, row.median, row.smallest, row.largest, row.rounds, row.goal
            ));
        }
        println!("\n{text}");
        let folder = folder()?;
        fs::write(folder.join(format!("{name}.txt")), &text)?;
        fs::write(folder.join(format!("{name}.json")), serde_json::to_string_pretty(&rows)?)?;
        println!("kept as {name}.txt and {name}.json in {}", folder.display());
        Ok(())
    }
}

/// Where tables and databases are kept.
pub fn folder() -> Result<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    let folder = target.join("bench-out");
    fs::create_dir_all(&folder)?;
    Ok(fs::canonicalize(folder)?)
}
