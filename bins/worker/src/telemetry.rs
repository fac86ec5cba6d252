//! Log lines: to the standard error, as text for people or as JSON for machines.

use tracing_subscriber::{EnvFilter, fmt, prelude::*};

use crate::Settings;

/// Starts logging as the settings say. A filter that cannot be read is refused.
pub fn log_to_stderr(settings: &Settings) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&settings.log).map_err(|why| anyhow::anyhow!("PANELONE_LOG: {why}"))?;
    let registry = tracing_subscriber::registry().with(filter);
    let lines = fmt::layer().with_writer(std::io::stderr).with_ansi(false);
    if settings.log_format == "json" {
        registry.with(lines.json()).try_init()?;
    } else {
        registry.with(lines).try_init()?;
    }
    Ok(())
}
