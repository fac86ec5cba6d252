//! Contenders: each runs in a process of its own, so that its CPU seconds and its memory are its own.

use std::{fs, path::PathBuf, process::Stdio, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::timeout,
};

/// Clock ticks per second in `/proc`: a constant of Linux's interface to programs.
const TICKS: f64 = 100.0;
/// The longest that a contender may take for one thing it is asked.
const PATIENCE: Duration = Duration::from_secs(600);

/// A running contender. It reads orders from its standard input and answers each with a line; dropped, it is killed.
pub struct Contender {
    child: Child,
    orders: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    pid: u32,
    database: Option<String>,
}

impl Contender {
    /// Starts this program as a contender. `database` is the name of its database on PostgreSQL, whose server
    /// processes are then counted too.
    pub fn start(arguments: &[&str], environment: &[(&str, String)], database: Option<String>) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("contender").args(arguments);
        Self::spawn(command, environment, database)
    }

    /// Starts the API, as it is built beside this program.
    pub fn api(environment: &[(&str, String)], database: Option<String>) -> Result<Self> {
        let mut command = Command::new(api()?);
        command.arg("serve");
        Self::spawn(command, environment, database)
    }

    fn spawn(mut command: Command, environment: &[(&str, String)], database: Option<String>) -> Result<Self> {
        let mut child = command
            .env_clear()
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let orders = child.stdin.take().context("the contender has no standard input")?;
        let answers = child.stdout.take().context("the contender has no standard output")?;
        let pid = child.id().context("the contender has ended already")?;
        Ok(Self { child, orders, answers: BufReader::new(answers).lines(), pid, database })
    }

    /// Its next line.
    pub async fn answer(&mut self) -> Result<String> {
        match timeout(PATIENCE, self.answers.next_line()).await?? {
            Some(line) => Ok(line),
            None => bail!("the contender ended early"),
        }
    }

    /// Gives an order and waits for the answer.
    pub async fn ask(&mut self, order: &str) -> Result<String> {
        self.orders.write_all(format!("{order}\n").as_bytes()).await?;
        self.orders.flush().await?;
        self.answer().await
    }

    /// CPU seconds of the process so far, user and system.
    pub fn cpu(&self) -> Result<f64> {
        ticks(self.pid).context("the contender is gone")
    }

    /// CPU seconds of the database server's processes that serve its database and live.
    pub fn server_cpu(&self) -> Result<f64> {
        let Some(database) = &self.database else { return Ok(0.0) };
        let wanted = format!(" {database} ");
        let mut sum = 0.0;
        for entry in fs::read_dir("/proc")? {
            let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line);
            if line.starts_with("postgres:") && line.contains(&wanted) {
                sum += ticks(pid).unwrap_or_default();
            }
        }
        Ok(sum)
    }

    /// Peak of its resident memory, in MiB.
    pub fn peak(&self) -> Result<f64> {
        self.status("VmHWM:")
    }

    /// Its resident memory now, in MiB.
    pub fn resident(&self) -> Result<f64> {
        self.status("VmRSS:")
    }

    fn status(&self, key: &str) -> Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid))?;
        let line = status.lines().find_map(|line| line.strip_prefix(key)).context("no such line")?;
        let kilobytes: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
        Ok(kilobytes / 1024.0)
    }

    /// Ends it.
    pub async fn end(mut self) -> Result<()> {
        self.child.kill().await?;
        Ok(())
    }
}

/// The API's program.
pub fn api() -> Result<PathBuf> {
    let program = std::env::current_exe()?.with_file_name("api");
    ensure!(program.exists(), "{} is missing: cargo build --release -p api", program.display());
    Ok(program)
}

fn ticks(pid: u32) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / TICKS)
}

/// What something cost.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    /// CPU seconds of the contender.
    pub cpu: f64,
    /// CPU seconds of its database server's processes.
    pub server: f64,
}

/// Measures what happens between its making and [`Meter::stop`].
pub struct Meter {
    cpu: f64,
    server: f64,
}

impl Meter {
    /// Starts.
    pub fn start(contender: &Contender) -> Result<Self> {
        Ok(Self { cpu: contender.cpu()?, server: contender.server_cpu()? })
    }

    /// Stops.
    pub fn stop(self, contender: &Contender) -> Result<Cost> {
        Ok(Cost { cpu: contender.cpu()? - self.cpu, server: (contender.server_cpu()? - self.server).max(0.0) })
    }
}
