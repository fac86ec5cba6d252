//! What CI runs, in its order: what is quick and often wrong first.

use std::{process::Stdio, time::Instant};

use anyhow::{Context, Result, bail};

use crate::{document, layers, shell, test};

type Step = (&'static str, fn() -> Result<()>);

const STEPS: [Step; 9] = [
    ("format", || shell::run(&mut shell::cargo(["fmt", "--all", "--check"]))),
    ("layers", layers::run),
    ("dependencies", dependencies),
    ("clippy", || shell::run(&mut shell::cargo(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))),
    // Tests that kill a process, and the generated clients, run them.
    ("binaries", || shell::run(&mut shell::cargo(shell::BINARIES))),
    ("node packages", node_packages),
    ("tests", || test::run_with("ci", &[])),
    ("document", || document::run(true)),
    ("clients", clients),
];

/// `cargo xtask ci`.
pub fn run() -> Result<()> {
    let started = Instant::now();
    for (name, step) in STEPS {
        println!("==> {name}");
        let began = Instant::now();
        step().with_context(|| format!("step {name}"))?;
        println!("==> {name} took {} s", began.elapsed().as_secs());
    }
    println!("==> all {} steps passed in {} s", STEPS.len(), started.elapsed().as_secs());
    Ok(())
}

/// Licences, banned and doubled crates, and where they come from. Not advisories: those need a database
/// from the network, and would fail a commit for what others found out.
fn dependencies() -> Result<()> {
    let installed = shell::cargo(["deny", "--version"]).stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    if installed.success() {
        return shell::run(&mut shell::cargo(["deny", "--workspace", "check", "bans", "licenses", "sources"]));
    }
    if shell::require_all() {
        bail!("cargo-deny is missing: cargo install cargo-deny --locked");
    }
    eprintln!("NOT checked: cargo-deny is missing (cargo install cargo-deny --locked)");
    Ok(())
}

/// The servers that tests talk to: an OpenID provider and a mail server. Installed here, once: tests run side by side.
fn node_packages() -> Result<()> {
    let npm = std::process::Command::new("npm").arg("--version").stdout(Stdio::null()).status();
    if npm.is_ok_and(|status| status.success()) {
        let install = ["ci", "--no-audit", "--no-fund", "--silent"];
        for folder in ["tests/oidc", "tests/mail"] {
            shell::run(std::process::Command::new("npm").args(install).current_dir(shell::root().join(folder)))?;
        }
        return Ok(());
    }
    if shell::require_all() {
        bail!("npm is missing: the tests of consent and mail need it");
    }
    eprintln!("NOT installed: npm is missing, so that the tests oidc::… and mail::… will not run");
    Ok(())
}

/// The generated clients, against a running server.
fn clients() -> Result<()> {
    let script = shell::root().join("tests/clients/run.sh");
    if !script.exists() {
        println!("there is no {}", script.display());
        return Ok(());
    }
    shell::run(std::process::Command::new("bash").arg(script).current_dir(shell::root()))
}
