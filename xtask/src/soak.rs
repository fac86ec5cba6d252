//! The tests that kill, freeze, break and take away, as often as it takes for the figure to mean something. CI runs
//! each once.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use clap::ValueEnum;

use crate::{
    postgres::{Postgres, VARIABLE},
    scratch::Scratch,
    shell,
};

/// The profile of nextest that lets a test take its time.
const PROFILE: &str = "soak";
/// Tells the tests which round it is, so that they kill at other instants.
const ROUND: &str = "PANELONE_TEST_ROUND";

/// Which databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Database {
    /// SQLite only
    Sqlite,
    /// PostgreSQL only
    Postgres,
    /// One after the other
    Both,
}

impl Database {
    fn names(self) -> &'static [&'static str] {
        match self {
            Self::Sqlite => &["sqlite"],
            Self::Postgres => &["postgres"],
            Self::Both => &["sqlite", "postgres"],
        }
    }
}

/// A test, and how many cases one run of it tries.
struct Suite {
    what: &'static str,
    package: &'static str,
    test: &'static str,
    cases: u32,
}

const SUITES: [Suite; 6] = [
    Suite {
        what: "worker killed in mid-sync",
        package: "tests",
        test: "kill::a_sync_survives_a_worker_that_is_killed_again_and_again",
        cases: 12,
    },
    Suite {
        what: "API killed while clients write",
        package: "tests",
        test: "kill::what_an_api_acknowledged_is_there_after_it_was_killed",
        cases: 12,
    },
    Suite {
        what: "worker frozen past its lease",
        package: "sync",
        test: "frozen::one_of_four_workers_freezes_past_its_lease_and_wakes",
        cases: 1,
    },
    Suite {
        what: "database away in mid-sync",
        package: "sync",
        test: "outage::a_database_that_goes_and_comes_back_costs_nothing",
        cases: 3,
    },
    Suite {
        what: "vendors that do not answer",
        package: "sync",
        test: "fleet::a_vendor_that_does_not_answer_leaves_its_slots_to_others",
        cases: 5,
    },
    Suite {
        what: "lease lost between two pages",
        package: "sync",
        test: "worker::a_lease_lost_between_two_pages_ends_the_walk",
        cases: 4,
    },
];

/// What became of one suite on one database.
struct Row {
    what: &'static str,
    database: &'static str,
    cases: u32,
    runs: u32,
    failed: u32,
    took: Duration,
}

/// `cargo xtask soak`: at least `rounds` cases of each suite; fails where one does.
pub fn run(rounds: u32, database: Database) -> Result<()> {
    shell::run(&mut shell::cargo(shell::BINARIES))?;
    shell::run(&mut shell::cargo(["nextest", "run", "--no-run", "--workspace"]))?;
    let scratch = Scratch::make()?;
    let postgres = match database {
        Database::Sqlite => None,
        Database::Postgres | Database::Both => Some(Postgres::obtain(&scratch.0)?),
    };
    if let Some(Postgres::Missing(why)) = &postgres {
        bail!("PostgreSQL is missing: {why}. Say --database sqlite to go without");
    }
    let url = postgres.as_ref().and_then(Postgres::url);
    let mut rows = Vec::new();
    for suite in &SUITES {
        for name in database.names() {
            rows.push(soak(suite, name, rounds.div_ceil(suite.cases), url, &scratch)?);
        }
    }
    println!("\n{}", table(&rows));
    let failed: u32 = rows.iter().map(|row| row.failed).sum();
    if failed > 0 {
        bail!("{failed} runs failed: what they said stands above");
    }
    Ok(())
}

fn soak(suite: &Suite, database: &'static str, runs: u32, url: Option<&str>, scratch: &Scratch) -> Result<Row> {
    let filter = format!("package({}) & test(={}::{database})", suite.package, suite.test);
    let began = Instant::now();
    let mut failed = 0;
    for round in 0..runs {
        println!("==> {} on {database}, run {} of {runs}", suite.what, round + 1);
        let mut nextest = shell::cargo(["nextest", "run", "--workspace", "--profile", PROFILE]);
        nextest.args(["--no-tests", "fail", "-E", &filter]).env("PANELONE_REQUIRE_ALL", "1");
        nextest.env(ROUND, round.to_string()).env("TMPDIR", &scratch.0);
        if let Some(url) = url {
            nextest.env(VARIABLE, url);
        }
        if let Err(error) = shell::output(&mut nextest) {
            eprintln!("{error:#}");
            failed += 1;
        }
    }
    Ok(Row { what: suite.what, database, cases: runs * suite.cases, runs, failed, took: began.elapsed() })
}

fn table(rows: &[Row]) -> String {
    let mut text =
        format!("{:<32} {:<9} {:>6} {:>6} {:>7} {:>8}\n", "what", "database", "cases", "runs", "failed", "seconds");
    for Row { what, database, cases, runs, failed, took } in rows {
        text.push_str(&format!("{what:<32} {database:<9} {cases:>6} {runs:>6} {failed:>7} {:>8}\n", took.as_secs()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_suite_names_a_test_that_there_is() {
        for suite in &SUITES {
            let (file, test) = suite.test.split_once("::").unwrap();
            let folder = if suite.package == "tests" { "tests" } else { "crates/sync/tests" };
            let path = shell::root().join(folder).join("suite").join(format!("{file}.rs"));
            let source = std::fs::read_to_string(&path).unwrap();
            assert!(source.contains(&format!("async fn {test}(")), "{} is not in {}", suite.test, path.display());
        }
    }

    #[test]
    fn the_table_counts_cases() {
        let took = Duration::from_secs(7);
        let row = Row { what: "a thing", database: "sqlite", cases: 300, runs: 25, failed: 1, took };
        let text = table(&[row]);
        let words: Vec<_> = text.lines().nth(1).unwrap().split_whitespace().collect();
        assert_eq!(words, ["a", "thing", "sqlite", "300", "25", "1", "7"]);
    }
}
