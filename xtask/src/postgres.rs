//! A PostgreSQL server for one run of the tests: made from nothing, gone afterwards.

use std::{
    env, fs,
    io::Write,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio, id},
};

use anyhow::{Context, Result, bail};

use crate::shell;

/// Where tests find PostgreSQL.
pub const VARIABLE: &str = "PANELONE_TEST_POSTGRES";

/// The role that tests connect as: no superuser, because row-level security does not bind those.
const ROLE: &str = "panelone";

/// Speed instead of safety: nothing in it outlives the run.
const SETTINGS: &str = "
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 300
fsync = off
synchronous_commit = off
full_page_writes = off
autovacuum = off
max_parallel_workers_per_gather = 0
";

/// PostgreSQL for the tests, or why there is none.
pub enum Postgres {
    /// The address that the environment gives.
    Given(String),
    /// Our own.
    Own(Cluster),
    /// None, and why.
    Missing(String),
}

impl Postgres {
    /// The one that the environment names, or one of our own under `scratch`.
    pub fn obtain(scratch: &Path) -> Result<Self> {
        if let Some(url) = env::var(VARIABLE).ok().filter(|url| !url.is_empty()) {
            return Ok(Self::Given(url));
        }
        let Some(programs) = programs() else {
            return Ok(Self::Missing(
                "neither /usr/lib/postgresql/*/bin nor PATH has initdb, postgres and pg_ctl".into(),
            ));
        };
        match Owner::find()? {
            Some(owner) => Ok(Self::Own(Cluster::start(&programs, owner, scratch)?)),
            None => Ok(Self::Missing("it does not run as root, and there is no setpriv or no user `postgres`".into())),
        }
    }

    /// Its address.
    pub fn url(&self) -> Option<&str> {
        match self {
            Self::Given(url) => Some(url),
            Self::Own(cluster) => Some(&cluster.url),
            Self::Missing(_) => None,
        }
    }
}

/// The newest packaged PostgreSQL, or the one on PATH.
fn programs() -> Option<PathBuf> {
    let packaged = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut packaged: Vec<PathBuf> = packaged.map(|version| version.path()).collect();
    packaged.sort_by_key(|path| path.file_name().and_then(|v| v.to_str()?.parse::<u32>().ok()));
    let packaged = packaged.into_iter().rev().map(|version| version.join("bin"));
    let path = env::var_os("PATH").unwrap_or_default();
    let complete = |folder: &PathBuf| ["initdb", "postgres", "pg_ctl"].iter().all(|name| folder.join(name).is_file());
    packaged.chain(env::split_paths(&path)).find(complete)
}

/// Whose the server is: PostgreSQL refuses to run as root.
#[derive(Clone, Copy)]
enum Owner {
    Us,
    UserPostgres,
}

impl Owner {
    fn find() -> Result<Option<Self>> {
        if shell::output(Command::new("id").arg("-u"))?.trim() != "0" {
            return Ok(Some(Self::Us));
        }
        let works = Self::UserPostgres.command(Path::new("true")).stderr(Stdio::null()).status();
        Ok(works.is_ok_and(|status| status.success()).then_some(Self::UserPostgres))
    }

    /// `program`, run as the owner.
    fn command(self, program: &Path) -> Command {
        match self {
            Self::Us => Command::new(program),
            Self::UserPostgres => {
                let mut command = Command::new("setpriv");
                command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]).arg(program);
                command
            }
        }
    }

    /// A new folder of the owner's: in `scratch`, or where that is closed to them, among temporary files.
    fn folder(self, scratch: &Path) -> Result<PathBuf> {
        let name = format!("panelone-postgres-{}", id());
        for parent in [scratch.to_owned(), env::temp_dir()] {
            let folder = parent.join(&name);
            fs::create_dir_all(&parent)
                .and_then(|()| fs::create_dir(&folder))
                .with_context(|| format!("cannot make {}", folder.display()))?;
            if let Self::UserPostgres = self {
                shell::run(Command::new("chown").arg("postgres:").arg(&folder))?;
            }
            let reached = self.command(Path::new("test")).arg("-w").arg(&folder).status()?.success();
            if reached {
                return Ok(folder);
            }
            fs::remove_dir(&folder)?;
        }
        bail!("the user postgres reaches neither {} nor {}", scratch.display(), env::temp_dir().display())
    }
}

/// A running server of our own. It is stopped and removed when this is dropped, and also when we are
/// killed, because a guardian waits for the end of a pipe that only we hold.
pub struct Cluster {
    url: String,
    guardian: Child,
}

impl Cluster {
    fn start(programs: &Path, owner: Owner, scratch: &Path) -> Result<Self> {
        let folder = owner.folder(scratch)?;
        let data = folder.join("data");
        let guardian = guardian(programs, owner, &folder, &data)?;
        let mut cluster = Self { url: String::new(), guardian };
        shell::output(
            owner
                .command(&programs.join("initdb"))
                .args(["--no-sync", "--auth=reject", "--username=postgres", "--encoding=UTF8", "--locale=C", "-D"])
                .arg(&data)
                .current_dir(&folder),
        )?;
        append(&data.join("postgresql.conf"), SETTINGS)?;
        // The superuser cannot connect at all: another user of this machine could run programs as it.
        fs::write(data.join("pg_hba.conf"), format!("host all {ROLE} 127.0.0.1/32 trust\n"))?;
        make_role(&mut owner.command(&programs.join("postgres")), &data)?;
        let port = serve(&programs.join("pg_ctl"), owner, &folder, &data)?;
        cluster.url = format!("postgres://{ROLE}@127.0.0.1:{port}/postgres");
        Ok(cluster)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.guardian.stdin.take());
        let _ = self.guardian.wait();
    }
}

/// Waits until its input ends, then stops the server and removes its folder. It ignores what a terminal
/// sends on Ctrl-C.
fn guardian(programs: &Path, owner: Owner, folder: &Path, data: &Path) -> Result<Child> {
    const SCRIPT: &str = r#"trap "" INT TERM HUP; cat > /dev/null; "$@"; rm -rf -- "$FOLDER""#;
    let mut stop = owner.command(&programs.join("pg_ctl"));
    stop.args(["-m", "immediate", "-w", "stop", "-D"]).arg(data);
    let mut guardian = Command::new("sh");
    guardian.args(["-c", SCRIPT, "sh"]).arg(stop.get_program()).args(stop.get_args()).env("FOLDER", folder);
    guardian.current_dir("/").stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    guardian.spawn().context("cannot start sh")
}

/// Makes the role while the server does not run, so that nobody has to be let in for it.
fn make_role(postgres: &mut Command, data: &Path) -> Result<()> {
    postgres.args(["--single", "-D"]).arg(data).arg("postgres").current_dir(data);
    let mut child = postgres.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    let mut input = child.stdin.take().context("the input was piped")?;
    writeln!(input, "CREATE ROLE {ROLE} LOGIN CREATEDB;")?;
    drop(input);
    let output = child.wait_with_output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() || said.contains("ERROR") {
        bail!("cannot make the role {ROLE}: {said}");
    }
    Ok(())
}

/// Starts it on a free port. Another program may take the port in between, so there are three tries.
fn serve(pg_ctl: &Path, owner: Owner, folder: &Path, data: &Path) -> Result<u16> {
    let log = folder.join("log");
    let mut failure = None;
    for _ in 0..3 {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let mut start = owner.command(pg_ctl);
        start.args(["-w", "-t", "60", "-o", &format!("-p {port}"), "-l"]).arg(&log).arg("-D").arg(data).arg("start");
        // Without pipes: the server would hold them open.
        let status = start.current_dir(folder).stdout(Stdio::null()).stderr(Stdio::null()).status()?;
        if status.success() {
            return Ok(port);
        }
        failure = Some(fs::read_to_string(&log).unwrap_or_default());
    }
    bail!("PostgreSQL does not start:\n{}", failure.unwrap_or_default().trim())
}

fn append(file: &Path, text: &str) -> Result<()> {
    let mut opened = fs::OpenOptions::new().append(true).open(file)?;
    opened.write_all(text.as_bytes()).with_context(|| format!("cannot write {}", file.display()))
}

#[cfg(test)]
mod tests {
    mod a_server_lets_in_the_role_alone_and_leaves_nothing {
        use std::{
            io::{Read, Write},
            net::TcpStream,
        };

        use super::super::*;

        #[test]
        fn postgres() {
            let programs = programs().expect("PostgreSQL's programs");
            let owner = Owner::find().unwrap().expect("a user to run it as");
            let scratch = shell::metadata().unwrap().target_directory.into_std_path_buf().join("tmp");
            let cluster = Cluster::start(&programs, owner, &scratch).unwrap();
            let address = cluster.url.strip_prefix("postgres://panelone@").unwrap().strip_suffix("/postgres").unwrap();
            let rights = "SELECT rolsuper, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = current_user";
            assert_eq!(ask(address, "panelone", rights).unwrap(), ["f", "t", "f"]);
            let refused = ask(address, "postgres", rights).unwrap_err();
            assert!(refused.contains("pg_hba.conf"), "{refused}");

            let address = address.to_owned();
            drop(cluster);
            assert!(TcpStream::connect(address).is_err(), "it is stopped");
            let name = format!("panelone-postgres-{}", id());
            let mut left = vec![scratch.join(&name), env::temp_dir().join(&name)];
            left.retain(|folder| folder.exists());
            assert!(left.is_empty(), "{left:?}");
        }

        /// The first row of a query, by PostgreSQL's own protocol; the error is what the server says.
        fn ask(address: &str, user: &str, query: &str) -> Result<Vec<String>, String> {
            let mut stream = TcpStream::connect(address).unwrap();
            let start = [&196_608_i32.to_be_bytes(), "user\0".as_bytes(), user.as_bytes(), b"\0database\0postgres\0\0"];
            send(&mut stream, None, &start.concat());
            let mut row = Vec::new();
            let mut asked = false;
            loop {
                let mut head = [0; 5];
                stream.read_exact(&mut head).unwrap();
                let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
                let mut body = vec![0; length - 4];
                stream.read_exact(&mut body).unwrap();
                match head[0] {
                    b'E' => return Err(String::from_utf8_lossy(&body).into_owned()),
                    b'D' => row = columns(&body),
                    b'Z' if asked => return Ok(row),
                    b'Z' => {
                        send(&mut stream, Some(b'Q'), &[query.as_bytes(), b"\0"].concat());
                        asked = true;
                    }
                    _ => {}
                }
            }
        }

        fn send(stream: &mut TcpStream, kind: Option<u8>, body: &[u8]) {
            let length = (body.len() as u32 + 4).to_be_bytes();
            let message = [kind.as_slice(), &length, body].concat();
            stream.write_all(&message).unwrap();
        }

        fn columns(mut body: &[u8]) -> Vec<String> {
            body = &body[2..];
            let mut columns = Vec::new();
            while let Some((length, rest)) = body.split_first_chunk::<4>() {
                let (text, rest) = rest.split_at(u32::from_be_bytes(*length) as usize);
                columns.push(String::from_utf8_lossy(text).into_owned());
                body = rest;
            }
            columns
        }
    }
}
