//! Other programs.

use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};
use cargo_metadata::{Metadata, MetadataCommand};

/// The workspace's folder: the one that cargo runs us in, also where two checkouts share a target folder.
pub fn root() -> PathBuf {
    let ours = env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    ours.parent().unwrap_or(Path::new(".")).to_owned()
}

/// Cargo, the same that runs us, in the workspace's folder.
pub fn cargo<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // Cargo sets these for us while it runs us; passed on, they would cause needless rebuilds.
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")) {
            cargo.env_remove(name);
        }
    }
    cargo.args(arguments).current_dir(root());
    cargo
}

/// Runs to the end; anything but success is an error that names the command.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {}", words(command)))?;
    if !status.success() {
        bail!("failed ({status}): {}", words(command));
    }
    Ok(())
}

/// Runs to the end and returns what it printed.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("cannot start {}", words(command)))?;
    if !output.status.success() {
        bail!("failed ({}): {}\n{}", output.status, words(command), String::from_utf8_lossy(&output.stderr).trim());
    }
    String::from_utf8(output.stdout).with_context(|| format!("not text: {}", words(command)))
}

/// The workspace as cargo sees it, without other crates.
pub fn metadata() -> Result<Metadata> {
    MetadataCommand::new().current_dir(root()).no_deps().exec().context("cargo metadata")
}

/// Arguments of `cargo` that build every binary with the features that the tests are built with. With others, as `-p`
/// would choose them, sea-orm, poem and what stands on them would be built a second time. There are no examples: asking
/// for them is what has Cargo count the features that tests need.
pub const BINARIES: [&str; 4] = ["build", "--workspace", "--bins", "--examples"];

/// A binary that [`BINARIES`] built.
pub fn binary(name: &str) -> Result<PathBuf> {
    Ok(metadata()?.target_directory.into_std_path_buf().join("debug").join(name))
}

/// Whether the environment says that nothing may be left out.
pub fn require_all() -> bool {
    env::var("PANELONE_REQUIRE_ALL").is_ok_and(|value| value == "1")
}

fn words(command: &Command) -> String {
    let all = std::iter::once(command.get_program()).chain(command.get_args());
    all.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}
