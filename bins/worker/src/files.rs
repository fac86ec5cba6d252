//! Where the contents of files are, as the settings say, and the daily round that removes what nobody needs.

use std::{path::Path, time::Duration};

use chrono::TimeDelta;
use directory::FileLimits;
use domain::{Context, OrganisationId, Result};
use persistence::Store;
use secrecy::ExposeSecret as _;
use storage::{S3, Storage};
use tokio_util::sync::CancellationToken;

use crate::Settings;

/// Days for which a removed file can be brought back.
const RESTORABLE_DAYS: i64 = 30;
/// Days that a content stays in the store after the last row that needed it has gone: as long as a backup of the
/// database may be older than the store.
const GRACE_DAYS: i64 = 7;
/// Hours after which an upload that never ended is given up.
const UPLOAD_HOURS: i64 = 24;
/// Bytes of a MiB, in which limits are set.
const MIB: u64 = 1024 * 1024;

/// The store that the settings ask for.
pub fn storage(settings: &Settings) -> Result<Storage, String> {
    if settings.storage_s3_bucket.is_empty() {
        return Storage::folder(Path::new(&settings.storage_folder));
    }
    Storage::s3(&S3 {
        bucket: settings.storage_s3_bucket.clone(),
        endpoint: settings.storage_s3_endpoint.clone(),
        region: settings.storage_s3_region.clone(),
        access_key: settings.storage_s3_access_key.clone(),
        secret_key: settings.storage_s3_secret_key.expose_secret().to_owned(),
        prefix: settings.storage_s3_prefix.clone(),
    })
}

/// How much may be kept.
pub fn file_limits(settings: &Settings) -> FileLimits {
    FileLimits {
        file: settings.storage_file_mib.saturating_mul(MIB),
        client: settings.storage_client_mib.saturating_mul(MIB),
        organisation: settings.storage_organisation_mib.saturating_mul(MIB),
    }
}

/// What is wrong with the settings of the store.
pub(crate) fn mistakes(settings: &Settings) -> Vec<String> {
    let mut mistakes = Vec::new();
    let mut wrong = |text: &str| mistakes.push(text.to_owned());
    let key = !settings.storage_s3_access_key.is_empty();
    let secret = !settings.storage_s3_secret_key.expose_secret().is_empty();
    let endpoint = &settings.storage_s3_endpoint;
    if settings.storage_s3_bucket.is_empty() {
        if key || secret || !endpoint.is_empty() || !settings.storage_s3_region.is_empty() {
            wrong("PANELONE_STORAGE_S3_BUCKET must name the bucket that the other settings are for");
        }
        if settings.storage_folder.trim().is_empty() {
            wrong("PANELONE_STORAGE_FOLDER must name a folder while there is no PANELONE_STORAGE_S3_BUCKET");
        }
    } else {
        if !endpoint.starts_with("https://") && !endpoint.starts_with("http://") {
            wrong(
                "PANELONE_STORAGE_S3_ENDPOINT must be the store's address, such as https://s3.eu-central-1.amazonaws.com",
            );
        }
        if !(key && secret) {
            wrong("PANELONE_STORAGE_S3_ACCESS_KEY and PANELONE_STORAGE_S3_SECRET_KEY must both be given");
        }
    }
    if !(1..=1024).contains(&settings.storage_file_mib) {
        wrong("PANELONE_STORAGE_FILE_MIB must be from 1 to 1024");
    }
    if settings.storage_client_mib < settings.storage_file_mib {
        wrong("PANELONE_STORAGE_CLIENT_MIB must be at least PANELONE_STORAGE_FILE_MIB");
    }
    if settings.storage_organisation_mib < settings.storage_client_mib {
        wrong("PANELONE_STORAGE_ORGANISATION_MIB must be at least PANELONE_STORAGE_CLIENT_MIB");
    }
    mistakes
}

/// Purges files that were removed long ago, gives up uploads that never ended, and removes contents that nobody needs
/// from the store. Where the store is away, what is left is left for the next round.
pub async fn files_round(store: &Store, storage: &Storage) -> Result<()> {
    let organisations = store.across_read().await?.organisations().await?;
    for (organisation, ..) in organisations {
        for done in [purge(store, organisation).await, sweep(store, storage, organisation).await] {
            if let Err(error) = done {
                tracing::warn!(%organisation, ?error, "the files of an organisation were not tidied");
            }
        }
    }
    Ok(())
}

fn context(store: &Store, organisation: OrganisationId) -> Context {
    Context::worker(organisation, store.clock().now(), "files")
}

async fn purge(store: &Store, organisation: OrganisationId) -> Result<()> {
    loop {
        let tx = store.begin(context(store, organisation)).await?;
        let files = tx.files_removed_before(tx.now() - TimeDelta::days(RESTORABLE_DAYS)).await?;
        if files.is_empty() {
            return tx.rollback().await;
        }
        for file in &files {
            tx.file_purge(file).await?;
        }
        tx.commit("file_purge", Some("removed long ago")).await?;
    }
}

async fn sweep(store: &Store, storage: &Storage, organisation: OrganisationId) -> Result<()> {
    let tx = store.begin(context(store, organisation)).await?;
    tx.contents_give_up(tx.now() - TimeDelta::hours(UPLOAD_HOURS)).await?;
    tx.commit_unjournalled().await?;
    loop {
        let tx = store.read(context(store, organisation)).await?;
        let left = tx.contents_released(tx.now() - TimeDelta::days(GRACE_DAYS)).await?;
        tx.rollback().await?;
        if left.is_empty() {
            return Ok(());
        }
        for content in left {
            // No transaction waits for the store.
            if let Err(why) = storage.remove(&content.key).await {
                tracing::warn!(?why, "contents that nobody needs could not be removed from the store");
                return Ok(());
            }
            let tx = store.begin(context(store, organisation)).await?;
            tx.content_forget(content.id).await?;
            tx.commit_unjournalled().await?;
        }
    }
}

/// The round, at start and daily, until `stop`.
pub(crate) async fn tidy(store: Store, storage: Storage, stop: CancellationToken) {
    let mut daily = tokio::time::interval(Duration::from_secs(24 * 3600));
    while stop.run_until_cancelled(daily.tick()).await.is_some() {
        if let Some(Err(error)) = stop.run_until_cancelled(files_round(&store, &storage)).await {
            tracing::warn!(?error, "the round of the files did not end");
        }
    }
}
