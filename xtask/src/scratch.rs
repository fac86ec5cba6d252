//! A folder for what tests write: databases, mostly.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, id},
};

use anyhow::{Context, Result};

use crate::shell;

/// Memory that a file system has to have free before tests write there, in KiB: 4 GiB.
const WANTED: u64 = 4 << 20;

/// A folder of our own, gone with this: in memory where there is room, for tests make thousands of databases that nobody
/// keeps, and a slow disk would be most of what they wait for; else in the target folder. Whoever is killed leaves it.
pub struct Scratch(pub PathBuf);

impl Scratch {
    /// Makes it.
    pub fn make() -> Result<Self> {
        let memory = Path::new("/dev/shm");
        let parent = match has_room(memory) {
            true => memory.to_owned(),
            false => shell::metadata()?.target_directory.into_std_path_buf().join("tmp"),
        };
        let folder = parent.join(format!("panelone-tests-{}", id()));
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(Self(folder))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Whether there is as much room as tests want, as `df` says.
fn has_room(folder: &Path) -> bool {
    let said = shell::output(Command::new("df").args(["--output=avail", "--block-size=1K"]).arg(folder));
    said.ok().and_then(|said| said.lines().nth(1)?.trim().parse().ok()).is_some_and(|free: u64| free >= WANTED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_there_until_it_is_dropped() {
        let scratch = Scratch::make().unwrap();
        let folder = scratch.0.clone();
        fs::write(folder.join("file"), "text").unwrap();
        drop(scratch);
        assert!(!folder.exists());
    }

    #[test]
    fn no_room_is_promised_where_there_is_nothing() {
        assert!(!has_room(Path::new("/nonexistent")));
    }
}
