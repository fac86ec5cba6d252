//! The operator's subcommands of `api`.

use std::{
    fs::File,
    io::BufWriter,
    path::{Path, PathBuf},
    sync::Arc,
};

use access::{AccessOptions, Gate, NewOrganisation};
use anyhow::Context as _;
use clap::{Parser, Subcommand};
use domain::{Context, OrganisationId};
use persistence::{KeyRing, OsChance, Store, Verification};
use poem::{Server, listener::TcpListener};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use worker::Settings;

use crate::{app::App, checkpoint_file, match_csv, outside::ProviderDial, server};

/// The PanelOne API.
#[derive(Parser)]
#[command(name = "api", version, about)]
pub struct Arguments {
    /// Configuration file (TOML); the environment goes over it
    #[arg(long, global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve until SIGTERM
    Serve {
        /// Run jobs in this process too
        #[arg(long)]
        with_worker: bool,
    },
    /// Bring the database's schema up to this version
    Migrate,
    /// Print the OpenAPI document
    Openapi {
        /// That of ClientOne, the portal of the clients, instead of the staff's
        #[arg(long)]
        clientone: bool,
    },
    /// Print a new sealing key
    GenerateKey,
    /// Seal anew what an old sealing key sealed
    RotateKey,
    /// Work on organisations
    Organisation {
        #[command(subcommand)]
        command: OrganisationCommand,
    },
    /// Work on the journal
    Journal {
        #[command(subcommand)]
        command: JournalCommand,
    },
    /// Match two CSV files with the columns `id,name,domain`; needs no database
    ///
    /// Prints `vendor_id,client_id,score,decision`: for each row of the first file the best five of the second, best
    /// first. The first row carries the decision (accept, ambiguous, review, none); beside an accepted one the others
    /// say none. Rows that cannot be read are named on standard error with their line and left out: exit 1.
    Match {
        /// What a vendor lists
        vendors: PathBuf,
        /// The clients; rows of the same id are names of one client
        clients: PathBuf,
    },
}

#[derive(Subcommand)]
enum OrganisationCommand {
    /// Make an organisation with its owner; the password is read from PANELONE_OWNER_PASSWORD
    Create {
        /// Name of the organisation
        #[arg(long)]
        name: String,
        /// Name of the owner
        #[arg(long)]
        owner_name: String,
        /// E-mail of the owner
        #[arg(long)]
        owner_email: String,
    },
    /// List organisations
    List,
}

#[derive(Subcommand)]
enum JournalCommand {
    /// Check every organisation's journal, or one; exit 1 when something is found
    Verify {
        /// Only this organisation
        #[arg(long)]
        organisation: Option<OrganisationId>,
        /// End of the chain as noted earlier, `number:hash`; needs --organisation
        #[arg(long, requires = "organisation")]
        anchor: Option<String>,
        /// A checkpoint as the API or the worker signed it: its signature is checked, and that the journal still holds it
        #[arg(long, conflicts_with_all = ["organisation", "anchor", "json"])]
        checkpoint: Option<PathBuf>,
        /// The public key noted earlier, hex: a checkpoint signed with another is refused
        #[arg(long, requires = "checkpoint")]
        public_key: Option<String>,
        /// Check the checkpoint's signature only; needs neither configuration nor database
        #[arg(long, requires = "checkpoint")]
        offline: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// Runs a subcommand.
#[expect(clippy::print_stdout, reason = "a command line tool")]
pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    match arguments.command {
        Command::Openapi { clientone: false } => print!("{}", server::openapi()),
        Command::Openapi { clientone: true } => print!("{}", server::portal_openapi()),
        Command::GenerateKey => println!("{}", KeyRing::generate(&OsChance)),
        Command::Migrate => {
            let settings = settings(arguments.config)?;
            Store::migrate(&settings.database_url).await?;
            println!("The schema is up to date.");
        }
        Command::RotateKey => println!("Sealed anew: {}", rotate(&open(arguments.config).await?.1).await?),
        Command::Organisation { command } => organisation(command, &open(arguments.config).await?.1).await?,
        Command::Journal { command } => {
            let JournalCommand::Verify { organisation, anchor, checkpoint, public_key, offline, json } = command;
            match checkpoint {
                Some(file) => {
                    let checkpoint = checkpoint_file::read(&file, public_key.as_deref())?;
                    if !offline {
                        checkpoint_file::compare(&open(arguments.config).await?.1, &checkpoint).await?;
                    }
                }
                None => verify(&open(arguments.config).await?.1, organisation, anchor.as_deref(), json).await?,
            }
        }
        Command::Match { vendors, clients } => match_files(&vendors, &clients)?,
        Command::Serve { with_worker } => {
            let mut settings = settings(arguments.config)?;
            settings.with_worker |= with_worker;
            worker::log_to_stderr(&settings)?;
            serve(settings).await?;
        }
    }
    Ok(())
}

#[expect(clippy::print_stderr, reason = "a command line tool")]
fn match_files(vendors: &Path, clients: &Path) -> anyhow::Result<()> {
    let open = |path: &Path| File::open(path).with_context(|| format!("{} cannot be opened", path.display()));
    let (vendors, clients) = ((open(vendors)?, vendors), (open(clients)?, clients));
    let output = BufWriter::new(std::io::stdout().lock());
    let mut bad = 0_usize;
    let matched = match_csv::run(vendors, clients, output, |wrong| {
        bad += 1;
        eprintln!("{wrong}");
    });
    match matched {
        // Whoever reads, `head` for one, has enough.
        Err(why) if match_csv::is_closed(&why) => Ok(()),
        Err(why) => Err(why),
        Ok(()) if bad > 0 => anyhow::bail!("rows left out: {bad}"),
        Ok(()) => Ok(()),
    }
}

fn settings(file: Option<PathBuf>) -> anyhow::Result<Settings> {
    Settings::read(file.as_deref()).map_err(anyhow::Error::msg)
}

async fn open(file: Option<PathBuf>) -> anyhow::Result<(Settings, Store)> {
    let settings = settings(file)?;
    let store = worker::open_store(&settings).await?;
    Ok((settings, store))
}

/// Serves, with a worker beside it if the settings say so, until SIGTERM or Ctrl-C; then lets what
/// runs end, for ten seconds at most.
pub async fn serve(settings: Settings) -> anyhow::Result<()> {
    let metrics = metrics_exporter_prometheus::PrometheusBuilder::new().install_recorder().ok();
    let store = worker::open_store(&settings).await?;
    let engine = worker::engine(&settings, store.clone())?;
    let stop = CancellationToken::new();
    let (wake, jobs) = match settings.with_worker {
        true => {
            let (wake, jobs) = worker::spawn(&settings, &engine, stop.clone());
            (wake, Some(jobs))
        }
        false => (Arc::new(Notify::new()), None),
    };
    let gate = Gate::new(AccessOptions::default(), store.chance().clone())?;
    tokio::spawn(forget_attempts(store.clone(), stop.clone()));
    let proxies = settings.proxies().map_err(anyhow::Error::msg)?;
    let app = App::new(store, engine, wake, gate, settings.secure_cookies);
    let outward = settings.webhook_policy().map_err(anyhow::Error::msg)?;
    let storage = worker::storage(&settings).map_err(anyhow::Error::msg)?;
    let providers = ProviderDial::new(&settings.exceptions(), app.store.clock().clone())?;
    let app = app.at_origin(settings.origin()).behind(proxies).telling(outward);
    let app = app.storing(storage, worker::file_limits(&settings)).reaching(Arc::new(providers));
    let app = Arc::new(app);
    tracing::info!(listen = %settings.listen, worker = settings.with_worker, "serving");
    let server = Server::new(TcpListener::bind(settings.listen.clone()));
    let until = {
        let stop = stop.clone();
        async move {
            worker::told_to_stop().await;
            tracing::info!("stopping: no new requests, those under way end");
            stop.cancel();
        }
    };
    let patience = Some(std::time::Duration::from_secs(10));
    server.run_with_graceful_shutdown(server::routes(app.clone(), metrics), until, patience).await?;
    stop.cancel();
    if let Some(jobs) = jobs {
        jobs.await?;
    }
    app.gate.drain().await;
    Ok(())
}

/// Forgets failed sign-ins that no longer count, at start and daily.
async fn forget_attempts(store: Store, stop: CancellationToken) {
    let mut daily = tokio::time::interval(std::time::Duration::from_secs(24 * 3600));
    while stop.run_until_cancelled(daily.tick()).await.is_some() {
        if let Err(error) = access::attempts_forget(&store).await {
            tracing::warn!(?error, "old sign-in attempts were not forgotten");
        }
    }
}

#[expect(clippy::print_stdout, reason = "a command line tool")]
async fn organisation(command: OrganisationCommand, store: &Store) -> anyhow::Result<()> {
    match command {
        OrganisationCommand::List => {
            for (id, name, slug) in store.across_read().await?.organisations().await? {
                println!("{id}  {slug}  {name}");
            }
        }
        OrganisationCommand::Create { name, owner_name, owner_email } => {
            let password = std::env::var("PANELONE_OWNER_PASSWORD")
                .map_err(|_| anyhow::anyhow!("set PANELONE_OWNER_PASSWORD to the owner's first password"))?;
            let gate = Gate::new(AccessOptions::default(), store.chance().clone())?;
            let new = NewOrganisation { name, slug: None, owner_name, owner_email, owner_password: password.into() };
            let (id, owner) = access::organisation_create(store, &gate, new).await?;
            println!("Organisation {id}, owner {} ({})", owner.id, owner.email);
        }
    }
    Ok(())
}

async fn rotate(store: &Store) -> anyhow::Result<usize> {
    let mut resealed = 0;
    for (id, ..) in store.across_read().await?.organisations().await? {
        let tx = store.begin(Context::operator(id, store.clock().now())).await?;
        resealed += tx.connections_reseal().await? + tx.organisation_reseal().await?;
        resealed += tx.mails_reseal().await? + tx.second_factors_reseal().await?;
        resealed += tx.passkeys_reseal().await?;
        resealed += tx.onboarding_credentials_reseal().await?;
        resealed += tx.webhook_secrets_reseal().await?;
        resealed += tx.contents_reseal().await?;
        resealed += tx.approval_requests_reseal().await?;
        resealed += tx.sso_secrets_reseal().await?;
        tx.commit_unjournalled().await?;
    }
    let across = store.across().await?;
    across.proof_reseal().await?;
    across.commit().await?;
    Ok(resealed)
}

#[expect(clippy::print_stdout, reason = "a command line tool")]
async fn verify(store: &Store, only: Option<OrganisationId>, anchor: Option<&str>, json: bool) -> anyhow::Result<()> {
    let anchor = anchor.map(Verification::parse_anchor).transpose()?;
    let mut report = Vec::new();
    let mut sound = true;
    for (id, name, _) in store.across_read().await?.organisations().await? {
        if only.is_some_and(|only| only != id) {
            continue;
        }
        let tx = store.read(Context::operator(id, store.clock().now())).await?;
        let found = tx.journal_verify(anchor).await?;
        sound &= found.faults.is_empty();
        if json {
            let faults: Vec<_> =
                found.faults.iter().map(|f| serde_json::json!({ "seq": f.seq, "message": f.message })).collect();
            report.push(serde_json::json!({
                "organisation_id": id, "name": name, "entries": found.entries, "head": found.head, "faults": faults,
            }));
            continue;
        }
        println!("{name} ({id}): {} entries, end {}", found.entries, found.head);
        for fault in found.faults {
            println!("  entry {}: {}", fault.seq, fault.message);
        }
    }
    if json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    }
    if sound { Ok(()) } else { anyhow::bail!("the journal was tampered with") }
}
