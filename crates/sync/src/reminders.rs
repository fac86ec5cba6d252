//! Reminders of onboardings at which nothing was done for too long: to the Managers of the client and to staff, at most one a week
//! for each onboarding. The job is put on the queue with the housekeeping, where there is something to remind of.

use domain::{
    DeskNoticeKind, Error, NotificationKind, Onboarding, OrganisationId, PageRequest, PortalRole, PortalState, Result,
    Section,
};
use persistence::{ClaimedJob, JobOutcome, NewDeskNotice, NewJob, PortalNotice, PortalUserFilter, Tx};
use tokio_util::sync::CancellationToken;

use crate::{Ended, Engine};

/// Kind of the jobs of this file.
pub(crate) const KIND: &str = "onboarding_reminders";

/// Onboardings of one transaction.
const CHUNK: u64 = 20;

impl Engine {
    /// Puts the reminding of stalled onboardings of an organisation on the queue, where there are any.
    pub async fn reminders_enqueue(&self, organisation: OrganisationId) -> Result<()> {
        let tx = self.begin(organisation, "reminders").await?;
        self.reminders_due(&tx).await?;
        tx.commit_unjournalled().await
    }

    /// The same within a transaction.
    pub(crate) async fn reminders_due(&self, tx: &Tx) -> Result<()> {
        if tx.onboardings_to_remind(1).await?.is_empty() {
            return Ok(());
        }
        let job = NewJob {
            kind: KIND.to_owned(),
            payload: "{}".to_owned(),
            unique_key: KIND.to_owned(),
            priority: 0,
            run_at: tx.now(),
            max_attempts: 12,
        };
        tx.job_enqueue(&job).await.map(drop)
    }

    /// Reminds of every stalled onboarding whose turn it is.
    pub(crate) async fn reminders(&self, claimed: &ClaimedJob, stop: &CancellationToken) -> Ended {
        match self.remind(claimed, stop).await {
            Ok(ended) => ended,
            Err(Error::Conflict { code: "lease_lost", .. }) => Ended::Lost,
            Err(error) => {
                let at = self.store.clock().now() + chrono::TimeDelta::seconds(30);
                Ended::Finish(JobOutcome::Retry(at, error.to_string()))
            }
        }
    }

    async fn remind(&self, claimed: &ClaimedJob, stop: &CancellationToken) -> Result<Ended> {
        loop {
            if stop.is_cancelled() {
                return Ok(Ended::Later(self.store.clock().now()));
            }
            let tx = self.begin(claimed.organisation, &format!("job {}", claimed.id)).await?;
            tx.job_further(claimed).await?;
            let stalled = tx.onboardings_to_remind(CHUNK).await?;
            if stalled.is_empty() {
                return Ok(Ended::Finish(JobOutcome::Done));
            }
            for id in stalled {
                // It may have moved since.
                if let Some(onboarding) = tx.onboarding_to_remind(id).await? {
                    if tell(&tx, &onboarding).await? {
                        tell_staff(&tx, &onboarding).await?;
                    }
                    tx.onboarding_reminded(id).await?;
                }
            }
            tx.commit_unjournalled().await?;
        }
    }
}

/// Tells the client's Managers, where they can do anything about it; false where they cannot.
async fn tell(tx: &Tx, onboarding: &Onboarding) -> Result<bool> {
    let client = onboarding.client_id;
    match tx.client(client).await {
        Ok(_) => {}
        Err(Error::NotFound { .. }) => return Ok(false),
        Err(other) => return Err(other),
    }
    let config = tx.portal_config(client).await?;
    if !config.enabled || !config.settings.sections.contains(&Section::Onboarding) {
        return Ok(false);
    }
    let filter = PortalUserFilter {
        client: Some(client),
        role: Some(PortalRole::Manager),
        state: Some(PortalState::Active),
        search: None,
    };
    let page = PageRequest { limit: PageRequest::MOST, after: None };
    let Onboarding { id, name, settled, total, .. } = onboarding;
    let step = onboarding.current.as_deref().unwrap_or_default();
    let notice = PortalNotice {
        kind: NotificationKind::OnboardingWaiting,
        subject_id: id.0,
        key: format!("onboarding:{id}:stalled:{}", tx.now().date_naive()),
        title: format!("Your onboarding waits for you: {name}"),
        paragraphs: vec![
            format!("“{name}” waits for this step: {step}. {settled} of {total} steps are done."),
            "Please sign in and go on under Onboarding.".to_owned(),
        ],
        link: ("Go on", format!("onboarding/{id}")),
        base: None,
    };
    let managers = tx.portal_user_list(&filter, &page).await?.items;
    tx.portal_notify(client, &managers, &notice).await?;
    Ok(true)
}

/// Tells staff, who may help the client on or cancel it.
async fn tell_staff(tx: &Tx, onboarding: &Onboarding) -> Result<()> {
    let Onboarding { id, client_id, name, settled, total, .. } = onboarding;
    let notice = NewDeskNotice {
        kind: DeskNoticeKind::OnboardingStalled,
        client_id: *client_id,
        subject_id: id.0,
        key: format!("onboarding_stalled:{id}:{}", tx.now().date_naive()),
        title: format!("The onboarding “{name}” has stalled: {settled} of {total} steps are done"),
    };
    tx.desk_notify(&notice).await
}
