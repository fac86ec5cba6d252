//! Letters to staff of what they were told of ClientOne: one letter for all there is, to each who may do something about
//! it and has not switched it off. The job waits a while for more; it is put on the queue with the first notice.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::{ClientId, Error, Letter, LetterLink, Result};
use persistence::{ClaimedJob, DeskNoticeRow, JobOutcome, NewMail, StaffRow, Tx};

use crate::{Ended, Engine};

/// How old something may be of which a letter tells: what waited longer was seen elsewhere, or is of no use.
const FRESH: TimeDelta = TimeDelta::days(1);
/// What was told just now may be followed by something older that is still being written: the next round has it.
const UNSETTLED: TimeDelta = TimeDelta::seconds(30);
/// Most notices that one round looks at: the latest.
const MOST: u64 = 500;
/// Lines of a letter.
const LINES: usize = 20;

impl Engine {
    /// Writes the letters that are due.
    pub(crate) async fn desk_digest(&self, claimed: &ClaimedJob) -> Ended {
        match self.desk_digest_whole(claimed).await {
            Ok(()) => Ended::Finish(JobOutcome::Done),
            Err(Error::Conflict { code: "lease_lost", .. }) => Ended::Lost,
            Err(error) => {
                let at = self.store.clock().now() + TimeDelta::seconds(30);
                Ended::Finish(JobOutcome::Retry(at, error.to_string()))
            }
        }
    }

    async fn desk_digest_whole(&self, claimed: &ClaimedJob) -> Result<()> {
        let tx = self.begin(claimed.organisation, &format!("job {}", claimed.id)).await?;
        tx.job_further(claimed).await?;
        let until = tx.now() - UNSETTLED;
        let notices = tx.desk_notices_between((tx.now() - FRESH, until), MOST).await?;
        let mut names = BTreeMap::new();
        for notice in &notices {
            if let std::collections::btree_map::Entry::Vacant(free) = names.entry(notice.client_id) {
                match tx.client(notice.client_id).await {
                    Ok(client) => drop(free.insert(client.name)),
                    Err(Error::NotFound { .. }) => {}
                    Err(other) => return Err(other),
                }
            }
        }
        let Some(last) = notices.last().map(|notice| notice.id) else { return tx.rollback().await };
        for staff in tx.staff_list().await? {
            let reader = tx.desk_reader(staff.id).await?;
            if reader.mailed_until.is_some_and(|until| until >= last) {
                continue;
            }
            let own = for_one(&tx, &staff, &notices, &names).await?;
            let own: Vec<&DeskNoticeRow> =
                own.into_iter().filter(|notice| reader.mailed_until.is_none_or(|until| notice.id > until)).collect();
            if let Some(newest) = own.last() {
                let mail = NewMail {
                    recipient: staff.email.clone(),
                    recipient_name: Some(staff.name.clone()),
                    letter: letter(&tx, &staff, &own, &names).await?,
                    key: format!("desk_digest:{}:{}", staff.id, newest.id),
                    send_before: None,
                };
                tx.mail_enqueue(&mail).await?;
            }
            tx.desk_mailed(staff.id, last).await?;
        }
        tx.commit_unjournalled().await
    }
}

/// What of it is for someone: of clients they see, of kinds they can do something about, and what came since they did.
async fn for_one<'a>(
    tx: &Tx,
    staff: &StaffRow,
    notices: &'a [DeskNoticeRow],
    names: &BTreeMap<ClientId, String>,
) -> Result<Vec<&'a DeskNoticeRow>> {
    if staff.suspended_at.is_some() {
        return Ok(Vec::new());
    }
    let kinds = tx.desk_notice_settings(staff.id).await?.switches.mailed(&staff.rights());
    let scope = staff.scope();
    let wanted = |notice: &&DeskNoticeRow| {
        kinds.contains(&notice.kind)
            && scope.allows(notice.client_id)
            && names.contains_key(&notice.client_id)
            && notice.created_at >= staff.created_at
    };
    Ok(notices.iter().filter(wanted).collect())
}

async fn letter(
    tx: &Tx,
    staff: &StaffRow,
    own: &[&DeskNoticeRow],
    names: &BTreeMap<ClientId, String>,
) -> Result<Letter> {
    let line = |notice: &&DeskNoticeRow| {
        let client = names.get(&notice.client_id).map_or("", String::as_str);
        format!("{client}: {}", notice.title)
    };
    let subject = match own {
        [one] => line(one),
        many => format!("{} things to look at in ClientOne", many.len()),
    };
    let mut paragraphs = vec![format!("Hello {},", staff.name)];
    // The latest are told first.
    paragraphs.extend(own.iter().rev().take(LINES).map(line));
    if own.len() > LINES {
        paragraphs.push(format!("And {} more.", own.len() - LINES));
    }
    paragraphs.push("You can switch off these letters, each kind by itself, in your settings.".to_owned());
    let link = tx.staff_origin().map(|origin| LetterLink {
        label: "Open ClientOne Admin".to_owned(),
        url: format!("{origin}/clientone-admin/activity"),
    });
    let subject: String = subject.chars().take(200).collect();
    Ok(Letter::Notice { brand: tx.organisation_name().await?.0, subject, paragraphs, link })
}
