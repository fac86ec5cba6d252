//! The data folder: whose it is, what is kept in it, what is deleted from it.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use chrono::{DateTime, Utc};
use domain::{Chance, Clock, SystemClock};
use persistence::{KeyRing, OsChance};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use uuid::Uuid;
use vendorkit::WorldSize;

/// The file by which a folder is known as a demo's, and that holds its [`State`].
const STATE: &str = "demo.json";
const LOCK: &str = "demo.lock";
const DATABASE: &str = "panelone.db";
/// Everything that the demo makes; nothing else is ever deleted.
const OURS: [&str; 7] =
    [DATABASE, "panelone.db-wal", "panelone.db-shm", "panelone.db-journal", "vendors.json", "half.new", STATE];
/// What the state says of itself.
const MAKER: &str = "panelone-demo";
/// Form of the state; goes up when an older demo could not read it.
const FORMAT: u64 = 1;

/// What a demo remembers. It holds secrets in the clear: good enough for a demo, and for nothing else.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct State {
    made_by: String,
    format: u64,
    /// What the world is made from.
    pub seed: u64,
    /// Its businesses.
    pub businesses: usize,
    /// Its devices.
    pub devices: usize,
    /// Its people.
    pub users: usize,
    /// The instant it is made for: its timestamps must not move when it is made again.
    pub made_at: DateTime<Utc>,
    /// Where the vendors are, because saved credentials hold it; 0 until they were once.
    pub vendors_port: u16,
    /// Connections that the demo made.
    pub connections: Vec<Uuid>,
    /// Seals what the database holds sealed.
    pub sealing_keys: String,
    /// The owner's address.
    pub email: String,
    /// The owner's password.
    pub password: String,
    /// An API key with all the owner's rights.
    pub api_key: Option<String>,
    /// Whether nothing is to be connected.
    pub empty: bool,
    /// Whether the first connecting and importing is done.
    pub filled: bool,
}

impl State {
    /// A new demo's, with secrets of its own.
    pub fn new(seed: u64, size: WorldSize) -> Self {
        Self {
            made_by: MAKER.to_owned(),
            format: FORMAT,
            seed,
            businesses: size.businesses,
            devices: size.devices,
            users: size.people,
            made_at: SystemClock.now(),
            vendors_port: 0,
            connections: Vec::new(),
            sealing_keys: KeyRing::generate(&OsChance),
            email: "owner@demo-msp.example".to_owned(),
            password: password(),
            api_key: None,
            empty: false,
            filled: false,
        }
    }

    /// How big its world is.
    pub fn size(&self) -> WorldSize {
        WorldSize { businesses: self.businesses, devices: self.devices, people: self.users }
    }
}

/// Four groups of four letters and digits without look-alikes: 80 bits, and easy to type.
fn password() -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut bytes = [0; 16];
    OsChance.fill(&mut bytes);
    let letters: Vec<char> = bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect();
    letters.chunks(4).map(String::from_iter).collect::<Vec<_>>().join("-")
}

/// A folder that this process alone uses.
pub struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Opens or makes the folder. Refuses one with other things in it, and one that a demo uses.
    pub fn open(path: &Path) -> Result<Self> {
        let shown = path.display();
        let no_folder = || format!("{shown} cannot be used as data folder: choose another with --data-dir");
        fs::DirBuilder::new().recursive(true).mode(0o700).create(path).with_context(no_folder)?;
        let path = path.canonicalize().with_context(no_folder)?;
        let names = fs::read_dir(&path).with_context(no_folder)?;
        let names = names.map(|entry| entry.map(|entry| entry.file_name())).collect::<io::Result<Vec<_>>>();
        let names = names.with_context(no_folder)?;
        let known = names.iter().any(|name| name == STATE);
        if !known && names.iter().any(|name| name != LOCK && name != "half.new") {
            bail!("{shown} holds other things than a demo ({STATE} is not there): choose another with --data-dir");
        }
        if known {
            // Before anything is written: a file of this name may be somebody else's.
            read_state(&path.join(STATE))?;
        }
        let lock = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path.join(LOCK));
        let lock = lock.with_context(|| format!("{shown} cannot be written to: choose another with --data-dir"))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, _lock: lock }),
            Err(TryLockError::WouldBlock) => {
                bail!("a demo is running on {shown}: stop it, or choose another folder with --data-dir")
            }
            Err(TryLockError::Error(why)) => Err(why).with_context(no_folder),
        }
    }

    /// Deletes what a demo made, and nothing else.
    pub fn reset(&self) -> Result<()> {
        for name in OURS {
            match fs::remove_file(self.path.join(name)) {
                Err(why) if why.kind() != io::ErrorKind::NotFound => {
                    return Err(why).with_context(|| format!("{name} in {} cannot be deleted", self.path.display()));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Where it is, from the root.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What a demo remembered here; `None` in a new folder.
    pub fn read(&self) -> Result<Option<State>> {
        let file = self.path.join(STATE);
        if file.exists() { read_state(&file).map(Some) } else { Ok(None) }
    }

    /// Remembers the state, readable by the user of this process only.
    pub fn save(&self, state: &State) -> Result<()> {
        self.write(STATE, state)
    }

    /// Reads another of the demo's files; `None` when it is not there.
    pub fn load<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        let file = self.path.join(name);
        match fs::read_to_string(&file) {
            Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(why) => Err(why).with_context(|| format!("{} cannot be read", file.display())),
            Ok(text) => {
                let value = serde_json::from_str(&text);
                value.map(Some).with_context(|| format!("{} is damaged: begin anew with --reset", file.display()))
            }
        }
    }

    /// Writes one of the demo's files: whole, or not at all.
    pub fn write(&self, name: &str, value: &impl Serialize) -> Result<()> {
        let (half, file) = (self.path.join("half.new"), self.path.join(name));
        let text = serde_json::to_string_pretty(value)?;
        let written = (|| {
            let mut out = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&half)?;
            out.write_all(text.as_bytes())?;
            out.sync_all()?;
            fs::rename(&half, &file)
        })();
        written.with_context(|| format!("{} cannot be written", file.display()))
    }

    /// The address of its database.
    pub fn database_url(&self) -> Result<String> {
        let path = self.path.join(DATABASE);
        let path = path.to_str().with_context(|| format!("{} is not UTF-8: choose another folder", path.display()))?;
        let path = path.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
        Ok(format!("sqlite://{path}?mode=rwc"))
    }

    /// Makes the database's file, so that only the user of this process can read it.
    pub fn make_database(&self) -> Result<()> {
        let file = self.path.join(DATABASE);
        let made = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&file);
        made.map(drop).with_context(|| format!("{} cannot be written", file.display()))
    }
}

/// Reads the state of a demo. Refuses a file of somebody else, and a newer demo's.
fn read_state(file: &Path) -> Result<State> {
    let shown = file.display();
    let text = fs::read_to_string(file).with_context(|| format!("{shown} cannot be read"))?;
    let value: Option<Value> = serde_json::from_str(&text).ok();
    let Some(value) = value.filter(|value| value["made_by"] == MAKER) else {
        bail!("{shown} is not of a demo: choose another folder with --data-dir");
    };
    if value["format"].as_u64().is_none_or(|format| format > FORMAT) {
        bail!(
            "{shown} was made by a newer version of the demo: start that one, or choose another folder with --data-dir"
        );
    }
    serde_json::from_value(value).with_context(|| format!("{shown} is damaged: delete the folder, or choose another"))
}
