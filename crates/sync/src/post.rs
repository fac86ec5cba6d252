//! Letters of the outbox leave. Each is a job: tried until the mail server takes it, refuses it for good, or it is of
//! no use any more.
//!
//! What was taken is noted at once and never sent again. A worker that dies between the two sends it a second time with
//! the same Message-ID: SMTP knows no other promise than at least once. A vendor can be asked: see `vendor_post.rs`.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::{Error, MailId, MailState, Result, Timestamp};
use mail::{Carrier, Outgoing, Undelivered};
use persistence::{ClaimedJob, JobOutcome, MAIL_JOB, MailRow, MailToSend};

use crate::{Ended, Engine, trouble};

/// Kind of the jobs of this file.
pub(crate) const KIND: &str = MAIL_JOB;

/// Days that the outbox remembers letters.
pub(crate) const KEPT_DAYS: i64 = 90;

/// Tries before a letter is given up: spread over about a day.
const TRIES: i32 = 12;
/// Wait before the second try, in seconds; doubled before each further one.
const FIRST_WAIT: i64 = 60;
/// The longest wait, in seconds.
const LONGEST_WAIT: i64 = 4 * 3_600;
/// When a worker that carries no mail looks again whether another has taken the job.
const ELSEWHERE: TimeDelta = TimeDelta::seconds(60);

/// What becomes of a letter after a try that failed.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    Again(Timestamp),
    Never(String),
}

/// Sends one letter.
pub(crate) async fn deliver(engine: &Engine, carrier: Option<&Arc<dyn Carrier>>, job: &ClaimedJob) -> Ended {
    let Some(carrier) = carrier else {
        let at = engine.store.clock().now() + ELSEWHERE;
        return Ended::Delayed(at, "this worker carries no mail".to_owned());
    };
    match send(engine, carrier.as_ref(), job).await {
        Ok(ended) => ended,
        Err(Error::Conflict { code: "lease_lost", .. }) => Ended::Lost,
        Err(error) => {
            let at = engine.store.clock().now() + TimeDelta::seconds(30);
            Ended::Finish(JobOutcome::Retry(at, error.to_string()))
        }
    }
}

async fn send(engine: &Engine, carrier: &dyn Carrier, job: &ClaimedJob) -> Result<Ended> {
    let Some(id) = MailToSend::id_in(&job.payload) else {
        return Ok(Ended::Finish(JobOutcome::Failed("the job's payload is of another version".to_owned())));
    };
    let tx = engine.begin(job.organisation, &format!("job {}", job.id)).await?;
    tx.job_fence(job).await?;
    let Some(MailToSend { row, recipient_name, letter }) = tx.mail_take(id).await? else {
        // Somebody tried a letter again that was given up: what it said is gone.
        let over = tx.mail(id).await?.is_some_and(|row| row.state == MailState::Failed);
        return Ok(Ended::Finish(match over {
            true => JobOutcome::Failed("it was given up, and what it said is deleted: send it anew".to_owned()),
            false => JobOutcome::Done,
        }));
    };
    if let Next::Never(why) = over(&row, tx.now()) {
        tx.mail_give_up(id, &why).await?;
        tx.commit_unjournalled().await?;
        return Ok(Ended::Finish(JobOutcome::Failed(why)));
    }
    tx.commit_unjournalled().await?;
    let outgoing = Outgoing {
        id,
        recipient: row.recipient.clone(),
        recipient_name,
        letter,
        written_at: row.created_at,
        tried: u32::try_from(row.attempts - 1).unwrap_or(0),
    };
    match carrier.carry(&outgoing).await {
        Ok(()) => {
            taken(engine, job, id).await?;
            Ok(Ended::Finish(JobOutcome::Done))
        }
        Err(undelivered) => failed(engine, job, &row, undelivered).await,
    }
}

/// Notes that a letter was taken: whoever has the lease by now. Tried a few times, because forgetting it sends the
/// letter twice.
async fn taken(engine: &Engine, job: &ClaimedJob, id: MailId) -> Result<()> {
    let mut tried = 0;
    loop {
        let noted = async {
            let tx = engine.begin(job.organisation, &format!("job {}", job.id)).await?;
            tx.mail_sent(id).await?;
            tx.commit_unjournalled().await
        };
        match noted.await {
            Err(error) if tried < 3 => {
                tracing::warn!(mail = %id, ?error, "that a letter was sent could not be noted yet");
                tried += 1;
            }
            outcome => return outcome,
        }
    }
}

async fn failed(engine: &Engine, job: &ClaimedJob, row: &MailRow, undelivered: Undelivered) -> Result<Ended> {
    let tx = engine.begin(job.organisation, &format!("job {}", job.id)).await?;
    tx.job_fence(job).await?;
    let spread = trouble::fraction(engine.store.chance().as_ref());
    tracing::warn!(mail = %row.id, attempt = row.attempts, why = undelivered.message, "a letter was not taken");
    let ended = match next(row, &undelivered, tx.now(), spread) {
        Next::Never(why) => {
            tx.mail_give_up(row.id, &why).await?;
            Ended::Finish(JobOutcome::Failed(why))
        }
        // Not a try that counts against the worker: the letter counts its own.
        Next::Again(at) => {
            tx.mail_note(row.id, &undelivered.message).await?;
            Ended::Delayed(at, undelivered.message)
        }
    };
    tx.commit_unjournalled().await?;
    Ok(ended)
}

/// Whether a letter is of no use any more.
fn over(row: &MailRow, now: Timestamp) -> Next {
    match row.send_before {
        Some(until) if until <= now => Next::Never("it could not be sent in time".to_owned()),
        _ => Next::Again(now),
    }
}

/// What comes after a failed try: nothing after a refusal for good or the last try, else another, later each time.
fn next(row: &MailRow, undelivered: &Undelivered, now: Timestamp, spread: f64) -> Next {
    if undelivered.permanent || row.attempts >= TRIES {
        return Next::Never(undelivered.message.clone());
    }
    let doublings = u32::try_from(row.attempts - 1).unwrap_or(0).min(20);
    let wait = FIRST_WAIT.saturating_mul(1 << doublings).min(LONGEST_WAIT);
    let seconds = wait as f64 * (1.0 + 0.2 * spread);
    Next::Again(now + TimeDelta::milliseconds((seconds * 1_000.0) as i64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(attempts: i32, send_before: Option<Timestamp>) -> MailRow {
        MailRow {
            id: "01a2008a-0000-7000-8000-00000000000a".parse().expect("an id"),
            kind: "notice".into(),
            recipient: "jo@kite.example".into(),
            state: MailState::Queued,
            attempts,
            last_error: None,
            send_before,
            created_at: Timestamp::UNIX_EPOCH,
            finished_at: None,
        }
    }

    fn refused(permanent: bool) -> Undelivered {
        Undelivered { permanent, message: "no".into() }
    }

    #[test]
    fn a_letter_is_tried_for_about_a_day_and_then_given_up() {
        let mut now = Timestamp::UNIX_EPOCH;
        let mut tries = 1;
        while let Next::Again(at) = next(&row(tries, None), &refused(false), now, 0.0) {
            assert!(at > now && at - now <= TimeDelta::hours(4));
            (now, tries) = (at, tries + 1);
        }
        let hours = (now - Timestamp::UNIX_EPOCH).num_hours();
        assert_eq!(tries, TRIES);
        assert!((10..=30).contains(&hours), "{hours}");
    }

    #[test]
    fn a_refusal_for_good_is_the_end_and_so_is_the_end_of_use() {
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(next(&row(1, None), &refused(true), now, 0.5), Next::Never("no".into()));
        assert_ne!(over(&row(1, Some(now)), now), Next::Again(now));
        assert_eq!(over(&row(1, Some(now + TimeDelta::seconds(1))), now), Next::Again(now));
    }
}
