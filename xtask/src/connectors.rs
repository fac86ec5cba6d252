//! `cargo xtask bench connectors`: how long the behaviour suites of all connectors take, and what a change of one costs.
//!
//! Whoever writes a connector waits for these two. They are measured in the profile that tests are built with, on the
//! machine as it is: nothing else should run meanwhile.

use std::{
    fs::File,
    path::PathBuf,
    time::{Duration, Instant, SystemTime},
};

use anyhow::{Context, Result, bail};
use clap::Parser;

use crate::shell;

/// What is measured.
#[derive(Parser)]
#[command(name = "cargo xtask bench connectors")]
struct Options {
    /// The connector that is changed
    #[arg(long, default_value = "connector-pax8")]
    edit: String,
    /// How often each is measured; the middle one counts
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=20))]
    rounds: u8,
}

/// Measures, and prints one line for each figure.
pub fn run(arguments: &[String]) -> Result<()> {
    let options = Options::try_parse_from(std::iter::once("connectors").chain(arguments.iter().map(String::as_str)))?;
    let connectors = connectors()?;
    let Some((_, source)) = connectors.iter().find(|(name, _)| *name == options.edit) else {
        bail!("there is no connector {}", options.edit);
    };
    let all: Vec<&str> = connectors.iter().flat_map(|(name, _)| ["-p", name.as_str()]).collect();
    let one = ["-p", options.edit.as_str()];
    // What is built before is not measured.
    tests(&all, &["--no-run"])?;
    let suites = middle(options.rounds, || tests(&all, &["--status-level", "fail"]))?;
    println!("behaviour suites of {} connectors, built: {:.1} s", connectors.len(), suites.as_secs_f64());
    let changed = middle(options.rounds, || {
        touch(source)?;
        tests(&one, &["--no-run"])
    })?;
    println!("{} built again after a change: {:.1} s", options.edit, changed.as_secs_f64());
    let suite = middle(options.rounds, || tests(&one, &["--status-level", "fail"]))?;
    println!("{} tried: {:.1} s", options.edit, suite.as_secs_f64());
    Ok(())
}

/// Every connector's name and main source file, by name.
fn connectors() -> Result<Vec<(String, PathBuf)>> {
    let mut found: Vec<(String, PathBuf)> = shell::metadata()?
        .packages
        .iter()
        .filter_map(|package| {
            let folder = package.manifest_path.parent()?;
            Some((package.name.to_string(), folder.join("src/lib.rs").into_std_path_buf()))
        })
        .filter(|(name, _)| name.starts_with("connector-"))
        .collect();
    found.sort();
    Ok(found)
}

fn tests(of: &[&str], how: &[&str]) -> Result<()> {
    shell::run(shell::cargo(["nextest", "run", "--cargo-quiet"]).args(of).args(how))
}

/// As an editor leaves a file that was saved.
#[expect(clippy::disallowed_methods, reason = "the time of a file is the machine's")]
fn touch(source: &PathBuf) -> Result<()> {
    let file =
        File::options().append(true).open(source).with_context(|| format!("cannot open {}", source.display()))?;
    file.set_modified(SystemTime::now()).with_context(|| format!("cannot touch {}", source.display()))
}

/// Does it that often, and gives the middle time (of an even number the upper one).
fn middle(rounds: u8, mut what: impl FnMut() -> Result<()>) -> Result<Duration> {
    let mut times = Vec::new();
    for _ in 0..rounds {
        let begun = Instant::now();
        what()?;
        times.push(begun.elapsed());
    }
    times.sort();
    times.get(times.len() / 2).copied().context("no round was measured")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_connector_is_measured_and_has_a_file_to_change() {
        let found = connectors().expect("the workspace");
        assert!(found.len() >= 25, "{found:?}");
        assert!(found.iter().all(|(_, source)| source.is_file()), "{found:?}");
        assert!(found.windows(2).all(|two| two[0].0 < two[1].0), "each once, in order");
    }

    #[test]
    fn the_middle_of_the_rounds_counts_and_a_failure_ends_them() {
        let mut rounds = 0;
        middle(3, || {
            rounds += 1;
            Ok(())
        })
        .expect("measures");
        assert_eq!(rounds, 3);
        let mut rounds = 0;
        let failed = middle(3, || {
            rounds += 1;
            bail!("broken")
        });
        assert!(failed.is_err() && rounds == 1);
        assert!(run(&["--edit".to_owned(), "connector-none".to_owned()]).is_err());
    }
}
