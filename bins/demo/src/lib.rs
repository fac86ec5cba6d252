//! PanelOne on one machine with nothing to install: the API, the worker and every vendor simulated,
//! in one process over one folder.
//!
//! * `folder.rs`: the data folder: whose it is, what is kept in it, what `--reset` deletes.
//! * `vendors.rs`: the simulated vendors. `house.rs`: they, the API and the worker, up and down.
//! * `client.rs`: calls the API over HTTP, as anyone would. `job.rs`: the main job. `steps.rs`: what is
//!   being done, for people who wait and for the report. `welcome.rs`: what is printed when all is ready.
//!
//! **Another step of the main job**: a function in `job.rs`, called from [`start`] if it belongs to a
//! first start, or from [`once`] if it only shows something.

mod arguments;
mod client;
mod consent;
mod folder;
mod house;
mod job;
mod steps;
mod vendors;
mod welcome;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use tokio_util::sync::CancellationToken;

pub use arguments::Arguments;
pub use client::Client;
pub use steps::{Report, Step};
pub use welcome::Welcome;

use crate::{
    folder::{Folder, State},
    house::House,
    steps::Steps,
};

/// Where the data is kept unless said otherwise.
const FOLDER: &str = "panelone-data";
/// Where the API listens unless said otherwise.
const PORT: u16 = 8080;

/// A demo that is up.
pub struct Running {
    /// What its user needs to know.
    pub welcome: Welcome,
    house: House,
}

impl Running {
    /// Lets requests and jobs under way end, for about ten seconds at most, and closes everything.
    pub async fn stop(self) -> Result<()> {
        self.house.stop().await
    }
}

/// Brings the demo up, ready to use; `None` when it was told to stop before. `loud` says on the
/// standard error what is being done.
pub async fn start(arguments: &Arguments, loud: bool, stop: &CancellationToken) -> Result<Option<Running>> {
    let mut steps = Steps::new(loud);
    let path = arguments.data_dir.as_deref().unwrap_or(Path::new(FOLDER));
    let (house, mut state) = open(arguments, path, arguments.port.unwrap_or(PORT), &mut steps).await?;
    let ready = async {
        let mut client = Client::new(&house.api)?;
        job::let_in(&mut client, &house.folder, &mut state, &mut steps, false).await?;
        job::find_vendors(&client, &house, &state).await?;
        if !state.empty && !state.filled {
            job::fill(&client, &house, &mut state, &mut steps).await?;
        }
        let tour = job::tour(&client).await?;
        steps.say("ready");
        anyhow::Ok(Welcome::new(&house, &state, tour))
    };
    let ready = tokio::select! {
        ready = ready => ready.map(Some),
        () = stop.cancelled() => Ok(None),
    };
    match ready {
        Ok(Some(welcome)) => Ok(Some(Running { welcome, house })),
        other => {
            let stopped = house.stop().await;
            other.and(stopped.map(|()| None))
        }
    }
}

/// Does the main job once through the API, from signing in to a client's page, and closes everything.
/// What fails is in the report, with the name of its step.
pub async fn once(arguments: &Arguments, loud: bool, stop: &CancellationToken) -> Report {
    let mut steps = Steps::new(loud);
    let outcome = whole_job(arguments, &mut steps, stop).await;
    steps.report(outcome)
}

async fn whole_job(arguments: &Arguments, steps: &mut Steps, stop: &CancellationToken) -> Result<()> {
    // Dropped last, when nothing uses the folder any more.
    let mut temporary = None;
    let path: PathBuf = match &arguments.data_dir {
        Some(path) => path.clone(),
        None => {
            let made = tempfile::Builder::new().prefix("panelone-demo-").tempdir();
            temporary.insert(made.context("no temporary folder can be made")?).path().to_owned()
        }
    };
    let (house, mut state) = open(arguments, &path, arguments.port.unwrap_or(0), steps).await?;
    let done = async {
        let mut client = Client::new(&house.api)?;
        job::let_in(&mut client, &house.folder, &mut state, steps, true).await?;
        job::find_vendors(&client, &house, &state).await?;
        job::fill(&client, &house, &mut state, steps).await?;
        job::show(&client, steps).await
    };
    let done = tokio::select! {
        done = done => done,
        () = stop.cancelled() => Err(anyhow::anyhow!("it was told to stop")),
    };
    let stopped = house.stop().await;
    done.and(stopped)
}

/// Opens the folder and brings everything up over it.
async fn open(arguments: &Arguments, path: &Path, port: u16, steps: &mut Steps) -> Result<(House, State)> {
    steps.begin("open_folder", format_args!("open {}", path.display()));
    let folder = Folder::open(path)?;
    if arguments.reset {
        folder.reset()?;
    }
    let mut state = match folder.read()? {
        Some(state) => arguments.must_fit(state, path)?,
        None => arguments.new_state()?,
    };
    if arguments.empty && !state.connections.is_empty() {
        bail!("{} holds a demo with data: leave out --empty, or begin anew with --reset", path.display());
    }
    state.empty = arguments.empty;
    steps.end(format!("{} clients, {} devices, {} people", state.businesses, state.devices, state.users));
    steps.begin("start", "start the simulated vendors, the API and the worker");
    let house = House::open(folder, &mut state, port).await?;
    steps.end(&house.api);
    Ok((house, state))
}
