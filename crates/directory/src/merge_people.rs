//! What becomes of a client's people, and of what they asked for and signed, when their client is merged into another.

use domain::{AgreementInstance, AgreementState, ClientId, Error, Onboarding, OnboardingState, PortalConfig, Result};
use persistence::Tx;

/// Why an onboarding ended of which the other client has one under way.
const UNDER_WAY: &str = "under way at the client that this one was merged into";

/// What happened to the people of a client that was merged into another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MergedPeople {
    /// Accounts that moved; their sessions ended.
    pub accounts: usize,
    /// Whether they cannot sign in from now on: ClientOne is off for the client that stays.
    pub shut_out: bool,
    /// Agreements that no longer wait: the client that stays has the same version, waiting or signed.
    pub superseded: usize,
    /// Onboardings that ended: one of the same template is under way at the client that stays.
    pub cancelled: usize,
}

/// Moves accounts with all that is theirs, tickets, service requests, agreements, onboardings, and the set-up of
/// ClientOne and the identity provider where the client that stays has none. Both clients are locked. Addresses are
/// unique in the organisation, so that no two accounts are ever in each other's way. Two identity providers are a
/// conflict: which of them people sign in through is not for a merge to say.
pub(crate) async fn move_all(tx: &Tx, from: ClientId, into: ClientId) -> Result<MergedPeople> {
    let (theirs, ours) = (tx.sso_provider_list(Some(from)).await?, tx.sso_provider_list(Some(into)).await?);
    if let (Some(theirs), Some(ours)) = (theirs.first(), ours.first()) {
        return Err(Error::conflict(
            "identity_providers",
            format!(
                "Both clients have an identity provider (“{}” and “{}”): delete the one that people are not to sign in \
                 through any more, then merge.",
                theirs.name, ours.name
            ),
        ));
    }
    let moved = tx.client_people_move(from, into).await?;
    let superseded = agreements(tx, from, into).await?;
    let cancelled = onboardings(tx, from, into).await?;
    let enabled = config(tx, from, into).await?;
    Ok(MergedPeople {
        accounts: moved.portal_users,
        shut_out: moved.portal_users > 0 && !enabled,
        superseded,
        cancelled,
    })
}

/// Moves the copies of agreements, with their texts and signatures as they are. One that waits is superseded where the
/// other client has the same version.
async fn agreements(tx: &Tx, from: ClientId, into: ClientId) -> Result<usize> {
    let ours = tx.agreement_instances_of(into).await?;
    let has = |copy: &AgreementInstance| {
        let same = |held: &&AgreementInstance| held.agreement_id == copy.agreement_id;
        ours.iter().filter(same).any(|held| held.state.is_open() || held.state == AgreementState::Signed)
    };
    let mut superseded = 0;
    for copy in tx.agreement_instances_of(from).await? {
        let mut after = AgreementInstance { client_id: into, ..copy.clone() };
        if copy.state.is_open() && has(&copy) {
            after.state = copy.state.after(domain::AgreementAct::Supersede)?;
            after.ended_at = Some(tx.now());
            superseded += 1;
        }
        tx.agreement_instance_move(&copy, after).await?;
    }
    Ok(superseded)
}

/// Moves onboardings. One under way is given up where the other client has one of the same template under way; what was
/// given in its steps is kept with it.
async fn onboardings(tx: &Tx, from: ClientId, into: ClientId) -> Result<usize> {
    let ours = tx.onboardings_of(into).await?;
    let active = |one: &Onboarding| one.state == OnboardingState::Active;
    let mut cancelled = 0;
    for one in tx.onboardings_of(from).await? {
        let mut after = Onboarding { client_id: into, ..one.clone() };
        if active(&one) && ours.iter().any(|held| active(held) && held.series_id == one.series_id) {
            after.state = one.state.cancelled()?;
            after.current = None;
            after.ended_at = Some(tx.now());
            after.reason = Some(UNDER_WAY.to_owned());
            cancelled += 1;
        }
        tx.onboarding_move(&one, after).await?;
    }
    Ok(cancelled)
}

/// The set-up of ClientOne goes along where the other client has none. Returns whether it is enabled for the client that
/// stays.
async fn config(tx: &Tx, from: ClientId, into: ClientId) -> Result<bool> {
    let (theirs, ours) = (tx.portal_config(from).await?, tx.portal_config(into).await?);
    if theirs.version > 0 && ours.version == 0 {
        tx.portal_config_move(from, into).await?;
        return Ok(theirs.enabled);
    }
    if theirs.enabled {
        tx.portal_config_save(&theirs, PortalConfig { enabled: false, ..theirs.clone() }).await?;
    }
    Ok(ours.enabled)
}
