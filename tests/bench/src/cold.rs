//! From starting the API, migrations checked, to its first 200.

use std::time::Instant;

use anyhow::Result;
use persistence::{KeyRing, OsChance};

use crate::{
    Options,
    database::Database,
    list::{free, seed},
    load,
    process::{Contender, api},
    report::{self, Goal, Report},
    say,
    sync::environment,
};

/// Measures cold starts; the client list, signed in, is the first answer.
pub async fn measure(options: &Options) -> Result<()> {
    let folder = report::folder()?;
    let mut report = Report::default();
    for engine in options.engines() {
        say(&format!("cold start, {}: filling {} clients", engine.name(), options.clients()));
        let keys = KeyRing::generate(&OsChance);
        let database = Database::empty(engine, &folder).await?;
        let cookie = seed::product(&database, &keys, options.clients()).await?;
        for _ in 0..options.rounds {
            let program = api()?;
            let started = Instant::now();
            tokio::process::Command::new(program).arg("--version").output().await?;
            let name = engine.name();
            report.note(format!("{name}: --version, s"), Goal::Told, started.elapsed().as_secs_f64());
            let at = free()?;
            let mut settings = environment(&database, &keys, "http://127.0.0.1:9");
            settings.push(("PANELONE_LISTEN", at.to_string()));
            for (what, path) in
                [("ready", "/readyz"), ("the client list", "/api/clients"), ("a search", "/api/clients?search=dental")]
            {
                let started = Instant::now();
                let contender = Contender::api(&settings, None)?;
                load::until_up(at, &load::get(path, Some(&cookie))).await?;
                let took = started.elapsed().as_secs_f64();
                report.note(format!("{name}: cold start to the first 200 ({what}), s"), Goal::Most(0.5), took);
                contender.end().await?;
            }
        }
        database.discard().await?;
    }
    report.publish(&format!("cold-start-{}", options.scale()))
}
