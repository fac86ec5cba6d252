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

/// What folders are called, before the id of the process.
const NAME: &str = "panelone-tests-";

/// A folder of our own, gone with this: in memory where there is room, for tests make thousands of databases that nobody
/// keeps, and a slow disk would be most of what they wait for; else in the target folder. Whoever is killed leaves it,
/// and the next to come removes it: in memory it would stay until the machine ends.
pub struct Scratch(pub PathBuf);

impl Scratch {
    /// Makes it.
    pub fn make() -> Result<Self> {
        let memory = Path::new("/dev/shm");
        let parent = match has_room(memory) {
            true => memory.to_owned(),
            false => shell::metadata()?.target_directory.into_std_path_buf().join("tmp"),
        };
        let folder = parent.join(format!("{NAME}{}", id()));
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        remove_left(&parent, Path::new("/proc"));
        Ok(Self(folder))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Removes the folders of processes that are no more. Where processes are not listed nothing is known, and nothing done.
fn remove_left(parent: &Path, processes: &Path) {
    if !processes.join(id().to_string()).exists() {
        return;
    }
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let owner = entry.file_name().to_str().and_then(|name| name.strip_prefix(NAME)?.parse::<u32>().ok());
        if owner.is_some_and(|owner| !processes.join(owner.to_string()).exists()) {
            let _ = fs::remove_dir_all(entry.path());
        }
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
    fn what_the_killed_left_is_removed_and_nothing_else() {
        let scratch = Scratch::make().unwrap();
        let (parent, processes) = (scratch.0.join("parent"), scratch.0.join("processes"));
        for folder in ["panelone-tests-7", "panelone-tests-8", "panelone-tests-x", "else-7"] {
            fs::create_dir_all(parent.join(folder)).unwrap();
        }
        fs::create_dir_all(processes.join("8")).unwrap();
        let left = || {
            let mut names: Vec<_> = fs::read_dir(&parent).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            names.sort();
            names
        };
        remove_left(&parent, &processes);
        assert_eq!(left().len(), 4, "a list without ourselves tells nothing");
        fs::create_dir_all(processes.join(id().to_string())).unwrap();
        remove_left(&parent, &processes);
        assert_eq!(left(), ["else-7", "panelone-tests-8", "panelone-tests-x"]);
    }

    #[test]
    fn no_room_is_promised_where_there_is_nothing() {
        assert!(!has_room(Path::new("/nonexistent")));
    }
}
