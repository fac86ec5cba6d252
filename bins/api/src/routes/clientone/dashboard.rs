//! ClientOne's first page.

use access::Visit;
use domain::{EntityId, PortalPermission, Reach};
use integration::BackupState;
use persistence::Tx;
use poem_openapi::{Object, OpenApi};

use super::{Age, PortalChapter};
use crate::{
    app::{App, AppData},
    freshness::Sources,
    page::Answer,
    portal_auth::PortalCaller,
    problem::Failure,
    routes::fleet::{body, sources},
};

/// How many there are.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct CountCard {
    /// How many; absent while that is not known
    pub count: Option<u64>,
    /// How many more there may be, of which it is not known
    pub unclear: u64,
    pub age: Age,
}

/// How backups stand.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct BackupCard {
    /// Recent and complete; absent, as the others, while nothing is known
    pub healthy: Option<u64>,
    /// Late or incomplete
    pub at_risk: Option<u64>,
    /// Failing, or never done
    pub failed: Option<u64>,
    /// Nothing is known of how they stand
    pub unknown: Option<u64>,
    pub age: Age,
}

/// ClientOne's first page. A card is absent where its section is off.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct Dashboard {
    /// Greeting with the name
    pub greeting: String,
    /// What the provider says
    pub welcome_message: String,
    pub open_tickets: Option<CountCard>,
    pub devices: Option<CountCard>,
    pub backups: Option<BackupCard>,
    /// Documents that you may read
    pub documents: Option<u64>,
    /// Onboardings that are under way, where the page should prompt for them; absent where there are none
    pub onboarding: Option<u64>,
}

/// The first page.
pub struct Dashboards;

#[OpenApi(prefix_path = "/api/clientone/dashboard", tag = "PortalChapter::Dashboard")]
impl Dashboards {
    /// The first page: a greeting, and how things stand
    ///
    /// What is not known is absent, not zero. A User's cards count what is theirs: devices assigned to them, tickets
    /// they asked for.
    #[oai(path = "/", method = "get", operation_id = "dashboard_get")]
    async fn dashboard_get(&self, app: AppData<'_>, caller: PortalCaller) -> Result<Answer<Dashboard>, Failure> {
        let (tx, visit) = caller.visit()?;
        let branding = clientone::effective_branding(&tx, &visit.config).await?;
        let (sources, _) = sources(&tx, visit.user.client_id.0).await?;
        let reach = |permission| tx.context().require_portal(permission, &visit.config.settings).ok();
        let open_tickets = match reach(PortalPermission::TicketsView) {
            Some(reach) => Some(tickets(&app, &tx, &sources, &visit, reach).await?),
            None => None,
        };
        let devices = match reach(PortalPermission::DevicesView) {
            Some(_) => Some(devices(&app, &tx, &sources, &visit).await?),
            None => None,
        };
        let backups = match reach(PortalPermission::BackupsView) {
            Some(_) => Some(backups(&app, &tx, &sources).await?),
            None => None,
        };
        let documents = match reach(PortalPermission::DocumentsView) {
            Some(_) => Some(clientone::company_document_count(&tx, &visit.user, &visit.config.settings).await?),
            None => None,
        };
        let onboarding = match reach(PortalPermission::OnboardingView) {
            Some(_) => Some(tx.onboardings_active(visit.user.client_id).await?.len() as u64).filter(|some| *some > 0),
            None => None,
        };
        Ok(Answer::new(Dashboard {
            greeting: format!("Hello, {}", visit.user.name),
            welcome_message: branding.welcome.value,
            open_tickets,
            devices,
            backups,
            documents,
            onboarding,
        }))
    }
}

/// What is counted is shown once something was listed to the end, or when there is something.
fn count(age: &Age, counted: u64) -> Option<u64> {
    (age.known && (age.synced_at.is_some() || counted > 0)).then_some(counted)
}

fn entities(app: &App, sources: &Sources, kind: &str) -> Vec<EntityId> {
    sources.entities_for(app, kind).into_iter().map(|entity| entity.id).collect()
}

/// Tickets of ClientOne, and those that only a PSA has.
async fn tickets(app: &App, tx: &Tx, sources: &Sources, visit: &Visit, reach: Reach) -> domain::Result<CountCard> {
    let own = clientone::portal_tickets_open(tx, &visit.user, &visit.config.settings).await?;
    let age = Age::of(&sources.of(app, "ticket"));
    if !age.known {
        // Without a PSA all of them are ours, and known as they are.
        let age = Age { known: true, synced_at: Some(tx.now()), stale: false };
        return Ok(CountCard { count: Some(own), unclear: 0, age });
    }
    let ours = tx.ticket_records_of(visit.user.client_id).await?;
    let (mut open, mut unclear) = (own, 0);
    for record in tx.records_under(&entities(app, sources, "ticket"), "ticket").await? {
        if ours.contains(&record.id) {
            continue;
        }
        let ticket: integration::Ticket = body(&record)?;
        let asked = ticket.contact_email.as_deref().unwrap_or_default().trim();
        if reach != Reach::All && !asked.eq_ignore_ascii_case(visit.user.email.trim()) {
            continue;
        }
        match ticket.open {
            Some(true) => open += 1,
            Some(false) => {}
            None => unclear += 1,
        }
    }
    Ok(CountCard { count: count(&age, open), unclear, age })
}

async fn devices(app: &App, tx: &Tx, sources: &Sources, visit: &Visit) -> domain::Result<CountCard> {
    let age = Age::of(&sources.of(app, "device"));
    let sight = clientone::device_sight(tx, &visit.user, &visit.config.settings).await?;
    let counted = tx.client_device_count(visit.user.client_id, sight).await?;
    Ok(CountCard { count: count(&age, counted), unclear: 0, age })
}

async fn backups(app: &App, tx: &Tx, sources: &Sources) -> domain::Result<BackupCard> {
    let age = Age::of(&sources.of(app, "backup"));
    // Healthy, at risk, failed, unknown.
    let mut counted = [0_u64; 4];
    for record in tx.records_under(&entities(app, sources, "backup"), "backup").await? {
        let backup: integration::Backup = body(&record)?;
        let at = match backup.state {
            Some(BackupState::Healthy) => 0,
            Some(BackupState::AtRisk) => 1,
            Some(BackupState::Failed) => 2,
            None => 3,
        };
        counted[at] += 1;
    }
    let all = counted.iter().sum();
    let [healthy, at_risk, failed, unknown] = counted.map(|one| count(&age, all).map(|_| one));
    Ok(BackupCard { healthy, at_risk, failed, unknown, age })
}
