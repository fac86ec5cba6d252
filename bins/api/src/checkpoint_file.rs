//! `api journal verify --checkpoint FILE`: whether a checkpoint that was kept elsewhere is sound, and whether the journal
//! still holds what it vouched for.

use std::{io::Read, path::Path};

use anyhow::Context as _;
use domain::Context;
use persistence::{Checkpoint, Store};

/// Largest file that is read, in bytes: a checkpoint is far smaller.
const LARGEST: u64 = 64 * 1024;

/// Reads a checkpoint and checks its signature; with `public_key` (hex), that it was made with this key. Needs no
/// database.
#[expect(clippy::print_stdout, reason = "a command line tool")]
pub fn read(file: &Path, public_key: Option<&str>) -> anyhow::Result<Checkpoint> {
    let name = file.display();
    let mut text = String::new();
    let opened = std::fs::File::open(file).with_context(|| format!("{name} cannot be opened"))?;
    opened.take(LARGEST).read_to_string(&mut text).with_context(|| format!("{name} cannot be read"))?;
    let checkpoint = parsed(&text).with_context(|| format!("{name} is not a checkpoint"))?;
    checkpoint.check(public_key).map_err(|refused| anyhow::anyhow!("{name}: {refused}"))?;
    println!(
        "Signed {} for organisation {}: entry {}, hash {}",
        checkpoint.at, checkpoint.organisation_id, checkpoint.seq, checkpoint.hash
    );
    if public_key.is_none() {
        println!(
            "The signature fits the key in the file. Give the key you noted earlier (--public-key) to know whose it is: {}",
            checkpoint.public_key
        );
    }
    Ok(checkpoint)
}

fn parsed(text: &str) -> anyhow::Result<Checkpoint> {
    Ok(serde_json::from_str(text)?)
}

/// Whether the journal in the database still holds what the checkpoint vouched for, and is sound up to there and on.
#[expect(clippy::print_stdout, reason = "a command line tool")]
pub async fn compare(store: &Store, checkpoint: &Checkpoint) -> anyhow::Result<()> {
    let tx = store.read(Context::operator(checkpoint.organisation_id, store.clock().now())).await?;
    tx.journal_checkpoint_holds(checkpoint).await.map_err(|refused| anyhow::anyhow!("{refused}"))?;
    let found = tx.journal_verify(Some((checkpoint.seq, &checkpoint.hash))).await?;
    println!("The journal holds it: {} entries, end {}", found.entries, found.head);
    for fault in &found.faults {
        println!("  entry {}: {}", fault.seq, fault.message);
    }
    if found.faults.is_empty() { Ok(()) } else { anyhow::bail!("the journal was tampered with") }
}

#[cfg(test)]
mod tests {
    use super::parsed;

    #[test]
    fn what_is_not_a_checkpoint_is_not_taken_for_one() {
        for text in ["", "{}", "[1]", r#"{"format":"panelone-journal-checkpoint-1","seq":1}"#] {
            assert!(parsed(text).is_err(), "{text}");
        }
    }
}
