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

/// A test, how many cases one run of it tries, and how many make its figure worth quoting.
struct Suite {
    what: &'static str,
    package: &'static str,
    test: &'static str,
    cases: u32,
    full: u32,
    /// Whether it is written for both databases; the others run on SQLite.
    both: bool,
}

const fn suite(what: &'static str, package: &'static str, test: &'static str, cases: u32, full: u32) -> Suite {
    Suite { what, package, test, cases, full, both: true }
}

impl Suite {
    const fn on_sqlite(self) -> Self {
        Self { both: false, ..self }
    }
}

const SUITES: [Suite; 16] = [
    suite(
        "worker killed in mid-sync",
        "tests",
        "kill::a_sync_survives_a_worker_that_is_killed_again_and_again",
        12,
        300,
    ),
    suite(
        "API killed while clients write",
        "tests",
        "kill::what_an_api_acknowledged_is_there_after_it_was_killed",
        12,
        300,
    ),
    suite(
        "worker frozen past its lease",
        "sync",
        "frozen::one_of_four_workers_freezes_past_its_lease_and_wakes",
        1,
        20,
    ),
    suite("database away in mid-sync", "sync", "outage::a_database_that_goes_and_comes_back_costs_nothing", 3, 25),
    suite(
        "vendors that do not answer",
        "sync",
        "fleet::a_vendor_that_does_not_answer_leaves_its_slots_to_others",
        5,
        100,
    ),
    suite("lease lost between two pages", "sync", "worker::a_lease_lost_between_two_pages_ends_the_walk", 4, 100),
    suite("two workers, one connection", "sync", "worker::two_workers_never_sync_one_connection_at_once", 1, 20),
    suite(
        "worker stopped in mid-sync",
        "sync",
        "worker::a_stopped_worker_returns_soon_and_the_next_one_goes_on",
        1,
        50,
    ),
    suite("bulk operation's worker killed", "tests", "kill::a_bulk_operation_survives_workers_that_are_killed", 1, 25),
    suite("one sick vendor", "sync", "worker::a_sick_connection_does_not_hold_up_the_others", 1, 100).on_sqlite(),
    suite("vendors that fail", "sync", "faults::the_end_is_the_snapshot_whatever_fails_on_the_way", 24, 300)
        .on_sqlite(),
    suite(
        "listings that come back short",
        "sync",
        "vanish::short_listings_remove_nothing_and_real_removals_are_seen",
        170,
        500,
    )
    .on_sqlite(),
    suite("pages twice, in any order", "sync", "shapes::pages_twice_and_in_any_order_come_to_the_same", 150, 1_000)
        .on_sqlite(),
    suite("random histories, model", "directory", "properties::any_history_agrees_with_the_model", 32, 320).on_sqlite(),
    suite("API without room", "tests", "disk_full::an_api_without_room_refuses_writes_and_comes_back_by_itself", 1, 25)
        .on_sqlite(),
    suite("sync without room", "tests", "disk_full::a_sync_that_finds_no_room_goes_on_when_there_is_some", 1, 25)
        .on_sqlite(),
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

/// `cargo xtask soak`: at least `rounds` cases of each suite, or as many as make its figure worth quoting; fails where
/// one does.
pub fn run(rounds: Option<u32>, database: Database) -> Result<()> {
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
        let names = database.names().iter().filter(|name| suite.both || **name == "sqlite");
        for name in names {
            rows.push(soak(suite, name, rounds.unwrap_or(suite.full).div_ceil(suite.cases), url, &scratch)?);
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
    let test = if suite.both { format!("{}::{database}", suite.test) } else { suite.test.to_owned() };
    let filter = format!("package({}) & test(={test})", suite.package);
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
            let folder = match suite.package {
                "tests" => "tests".to_owned(),
                package => format!("crates/{package}/tests"),
            };
            let path = shell::root().join(folder).join("suite").join(format!("{file}.rs"));
            let source = std::fs::read_to_string(&path).unwrap();
            let (before, after) = source.split_once(&format!("fn {test}(")).unwrap_or_else(|| {
                panic!("{} is not in {}", suite.test, path.display());
            });
            // Those for both databases are handed one.
            assert_eq!(suite.both, after.starts_with("db: TestDb"), "{}", suite.test);
            assert!(suite.both || before.trim_end().ends_with("async") || before.trim_end().ends_with("#[test]"));
            assert!(suite.full >= suite.cases, "{} tries more in one run than it is asked for", suite.test);
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
