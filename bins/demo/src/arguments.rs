//! The command line.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::{Parser, value_parser};
use vendorkit::WorldSize;

use crate::folder::State;

/// PanelOne with every vendor simulated, on this machine, with nothing to install.
///
/// It listens on 127.0.0.1 only. Started again, it goes on with the data it had.
#[derive(Clone, Debug, Default, Parser)]
#[command(name = "demo", version)]
pub struct Arguments {
    /// Port of the API [default: 8080; with --once a free one]
    #[arg(long)]
    pub port: Option<u16>,
    /// Folder that holds the data [default: ./panelone-data; with --once a temporary one]
    #[arg(long)]
    pub data_dir: Option<PathBuf>,
    /// Begin anew: delete what an earlier demo made in the folder, and nothing else
    #[arg(long)]
    pub reset: bool,
    /// Connect and import nothing: only the organisation, its owner and an API key
    #[arg(long, conflicts_with = "once")]
    pub empty: bool,
    /// Do the main job once through the API, report each step, and end
    #[arg(long)]
    pub once: bool,
    /// Print one JSON object for machines
    #[arg(long)]
    pub json: bool,
    /// Client businesses of the simulated MSP [default: 64]
    #[arg(long, value_parser = value_parser!(u32).range(..=5_000))]
    pub businesses: Option<u32>,
    /// Their devices, all together [default: 2500]
    #[arg(long, value_parser = value_parser!(u32).range(..=1_000_000))]
    pub devices: Option<u32>,
    /// Their people, all together [default: 3000]
    #[arg(long, value_parser = value_parser!(u32).range(..=1_000_000))]
    pub users: Option<u32>,
    /// What the simulated MSP is made from: the same number gives the same one [default: 1]
    #[arg(long)]
    pub seed: Option<u64>,
}

impl Arguments {
    /// What a new demo begins with.
    pub(crate) fn new_state(&self) -> Result<State> {
        let size = WorldSize {
            businesses: self.businesses.map_or(WorldSize::DEMO.businesses, |count| count as usize),
            devices: self.devices.map_or(WorldSize::DEMO.devices, |count| count as usize),
            people: self.users.map_or(WorldSize::DEMO.people, |count| count as usize),
        };
        if size.businesses == 0 && size.devices + size.people > 0 {
            bail!("devices and users belong to businesses: with --businesses 0 give --devices 0 --users 0 too");
        }
        Ok(State::new(self.seed.unwrap_or(1), size))
    }

    /// The state, unless the command line asks for another world than it has.
    pub(crate) fn must_fit(&self, state: State, path: &Path) -> Result<State> {
        let asked = [
            ("--businesses", self.businesses.map(u64::from), state.businesses as u64),
            ("--devices", self.devices.map(u64::from), state.devices as u64),
            ("--users", self.users.map(u64::from), state.users as u64),
            ("--seed", self.seed, state.seed),
        ];
        for (option, wanted, kept) in asked {
            if wanted.is_some_and(|wanted| wanted != kept) {
                let path = path.display();
                bail!(
                    "the demo in {path} was made with {option} {kept}: leave the option out, or begin anew with --reset"
                );
            }
        }
        Ok(state)
    }
}
