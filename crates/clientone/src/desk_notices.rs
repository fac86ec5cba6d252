//! What staff are told of ClientOne, what of it they have read, and what they switched off.

use std::collections::BTreeSet;

use domain::{ClientId, DeskNoticeId, DeskNoticeKind, DeskNoticeSwitches, Error, Listed, PageRequest, Result, StaffId};
use persistence::{DeskNoticeRow, DeskNoticeSettings, DeskReader, NewDeskNotice, Tx};
use uuid::Uuid;

/// Tells staff of something that happened to a client. The caller commits.
pub(crate) async fn tell_staff(
    tx: &Tx,
    kind: DeskNoticeKind,
    client: ClientId,
    subject_id: Uuid,
    title: String,
) -> Result<()> {
    let key = format!("{}:{subject_id}", kind.as_str());
    tx.desk_notify(&NewDeskNotice { kind, client_id: client, subject_id, key, title }).await
}

/// What the caller was told, the newest first, and how far they have read.
pub async fn desk_notice_list(
    tx: &Tx,
    staff: StaffId,
    unread: bool,
    page: &PageRequest,
) -> Result<(Listed<DeskNoticeRow>, DeskReader)> {
    let (kinds, reader) = listed(tx, staff).await?;
    let after = reader.read_until.filter(|_| unread);
    Ok((tx.desk_notice_list(&kinds, after, page).await?, reader))
}

/// How much of it they have not read.
pub async fn desk_notices_unread(tx: &Tx, staff: StaffId) -> Result<i64> {
    let (kinds, reader) = listed(tx, staff).await?;
    let one = PageRequest { limit: 1, after: None };
    Ok(tx.desk_notice_list(&kinds, reader.read_until, &one).await?.total)
}

/// Notes that the caller has read all up to one, or all there is; returns how much is unread then. The caller commits.
pub async fn desk_notices_read(tx: &Tx, staff: StaffId, until: Option<DeskNoticeId>) -> Result<i64> {
    let (kinds, reader) = listed(tx, staff).await?;
    let newest = tx.desk_notice_list(&kinds, None, &PageRequest { limit: 1, after: None }).await?.items.pop();
    // Nobody reads further than there is something for them, nor backwards.
    let until = match (newest, until) {
        (Some(newest), Some(until)) => Some(until.min(newest.id)),
        (Some(newest), None) => Some(newest.id),
        (None, _) => None,
    };
    if let Some(until) = until.filter(|until| reader.read_until.is_none_or(|read| read < *until)) {
        tx.desk_read(staff, until).await?;
    }
    desk_notices_unread(tx, staff).await
}

async fn listed(tx: &Tx, staff: StaffId) -> Result<(BTreeSet<DeskNoticeKind>, DeskReader)> {
    let settings = tx.desk_notice_settings(staff).await?;
    Ok((settings.switches.listed(&tx.context().permissions), tx.desk_reader(staff).await?))
}

/// Changes the caller's own switches. The caller commits.
pub async fn desk_notice_settings_update(
    tx: &Tx,
    staff: StaffId,
    switches: DeskNoticeSwitches,
    version: Option<i32>,
) -> Result<DeskNoticeSettings> {
    // Their row is locked: two first changes at once make one row, and the second sees it.
    tx.staff(staff).await?;
    let before = tx.desk_notice_settings(staff).await?;
    if version.is_some_and(|version| version != before.version) {
        return Err(Error::Stale { what: "notice settings" });
    }
    tx.desk_notice_settings_set(staff, before, switches).await
}
