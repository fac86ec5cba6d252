//! All tests, those against PostgreSQL too.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::{
    postgres::{Postgres, VARIABLE},
    scratch::Scratch,
    shell,
};

/// The last part of the path of a test that needs PostgreSQL.
const MARK: &str = "postgres";

/// The profile of nextest that leaves those tests out.
const WITHOUT: &str = "without-postgres";

/// `cargo xtask test`.
pub fn run(nextest: &[String]) -> Result<()> {
    run_with("default", nextest)
}

/// Runs all tests with a profile of nextest's.
pub fn run_with(profile: &str, nextest: &[String]) -> Result<()> {
    let scratch = Scratch::make()?;
    let postgres = Postgres::obtain(&scratch.0)?;
    let mut command = shell::cargo(["nextest", "run", "--workspace"]);
    command.args(nextest).env("TMPDIR", &scratch.0);
    if let Some(url) = postgres.url() {
        return shell::run(command.env(VARIABLE, url).env("NEXTEST_PROFILE", profile));
    }
    let Postgres::Missing(why) = postgres else { bail!("PostgreSQL without an address") };
    let left_out = needing_postgres(&shell::output(&mut shell::cargo([
        "nextest",
        "list",
        "--workspace",
        "--message-format",
        "json",
    ]))?)?;
    let outcome = match shell::require_all() {
        true => Err(anyhow::anyhow!("PostgreSQL is missing and PANELONE_REQUIRE_ALL=1: no test was run")),
        false => shell::run(command.env("NEXTEST_PROFILE", WITHOUT)),
    };
    eprintln!("\nPostgreSQL is missing: {why}.");
    eprintln!("Tests that need it and did NOT run: {}", left_out.len());
    for name in left_out {
        eprintln!("  {name}");
    }
    eprintln!("Install it (Debian: apt-get install postgresql), or set {VARIABLE} to the address of a server on which");
    eprintln!("the role may create databases and is no superuser.");
    outcome
}

/// Names of the tests that need PostgreSQL, from nextest's list.
fn needing_postgres(list: &str) -> Result<Vec<String>> {
    #[derive(Deserialize)]
    #[serde(rename_all = "kebab-case")]
    struct List {
        rust_suites: BTreeMap<String, Suite>,
    }
    #[derive(Deserialize)]
    struct Suite {
        testcases: BTreeMap<String, serde::de::IgnoredAny>,
    }
    let list: List = serde_json::from_str(list).context("the list of tests of nextest")?;
    let of = |(suite, tests): (&String, &Suite)| {
        let marked = tests.testcases.keys().filter(|name| name.rsplit("::").next() == Some(MARK));
        marked.map(|name| format!("{suite} {name}")).collect::<Vec<_>>()
    };
    Ok(list.rust_suites.iter().flat_map(of).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_that_need_postgresql_are_known_by_their_last_name() {
        let list = r#"{"test-count":5,"rust-suites":{
            "tests::suite":{"binary-id":"tests::suite","testcases":{
                "journeys::import::postgres":{"kind":"test","ignored":false},
                "journeys::import::sqlite":{"kind":"test","ignored":false},
                "postgres::is_found":{"kind":"test","ignored":false}}},
            "persistence":{"binary-id":"persistence","testcases":{
                "postgres":{"kind":"test"},"not_postgres":{"kind":"test"}}}}}"#;
        assert_eq!(
            needing_postgres(list).unwrap(),
            ["persistence postgres", "tests::suite journeys::import::postgres"]
        );
        assert!(needing_postgres("error").is_err());
    }

    #[test]
    fn the_profile_leaves_out_the_same_tests() {
        let file = std::fs::read_to_string(shell::root().join(".config/nextest.toml")).unwrap();
        let file: toml::Table = file.parse().unwrap();
        let filter = file["profile"][WITHOUT]["default-filter"].as_str().unwrap();
        assert_eq!(filter, format!("not test(/(^|::){MARK}$/)"));
    }
}
