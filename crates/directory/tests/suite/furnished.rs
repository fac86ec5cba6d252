//! Clients with people and all that is theirs: for merging.

use std::collections::BTreeSet;

use domain::{
    Account, AccountKind, Agreement, AgreementId, AgreementState, ClientId, DeviceId, NotificationKind,
    NotificationSwitches, OnboardingState, OnboardingTemplate, OnboardingTemplateState, PortalConfig, PortalRole,
    PortalState, PortalTicket, ServiceRequestType, SsoAudience, SsoKind, SsoLink, SsoProvider,
};
use persistence::{PortalNotice, PortalSessionRow, PortalUserRow, Tx};
use proptest::prelude::*;

use crate::{
    asked::{copy, onboarding, request, ticket},
    house::{House, PAGE, Source},
};

/// What one of two clients has.
#[derive(Clone, Debug)]
pub struct Plan {
    pub people: usize,
    pub tickets: usize,
    pub requests: usize,
    pub machines: usize,
    /// Of three agreements, how its copy stands.
    pub agreements: [Option<AgreementState>; 3],
    /// Of two templates, how its onboarding stands.
    pub onboardings: [Option<OnboardingState>; 2],
    /// Whether ClientOne is on; none: nobody set anything.
    pub portal: Option<bool>,
    pub provider: bool,
}

pub fn plan() -> impl Strategy<Value = Plan> {
    use AgreementState as A;
    let copy = proptest::option::weighted(
        0.6,
        prop_oneof![Just(A::Pending), Just(A::Viewed), Just(A::Signed), Just(A::Declined)],
    );
    let state = prop_oneof![
        2 => Just(OnboardingState::Active),
        1 => Just(OnboardingState::Completed),
        1 => Just(OnboardingState::Cancelled)
    ];
    let onboarding = proptest::option::weighted(0.6, state);
    let agreements = [copy.clone(), copy.clone(), copy];
    let onboardings = [onboarding.clone(), onboarding];
    let portal = proptest::option::weighted(0.7, any::<bool>());
    let counts = (0..4_usize, 0..3_usize, 0..3_usize, 0..3_usize);
    (counts, agreements, onboardings, portal, proptest::bool::weighted(0.3)).prop_map(
        |((people, tickets, requests, machines), agreements, onboardings, portal, provider)| Plan {
            people,
            tickets,
            requests,
            machines,
            agreements,
            onboardings,
            portal,
            provider,
        },
    )
}

/// What both clients may have of.
pub struct Shelf {
    pub source: Source,
    pub agreements: Vec<Agreement>,
    pub templates: Vec<OnboardingTemplate>,
    pub request_type: ServiceRequestType,
}

pub async fn shelf(house: &House<'_>) -> Shelf {
    let source = house.ninja().await;
    let tx = house.begin().await;
    let now = tx.now();
    let mut agreements = Vec::new();
    for nth in 0..3 {
        let id: AgreementId = tx.new_id();
        let row = Agreement {
            id,
            series_id: id,
            number: 1,
            title: format!("Agreement {nth}"),
            text: "What was agreed.".to_owned(),
            managers_only: false,
            sent_at: Some(now),
            created_at: now,
            updated_at: now,
            version: 1,
        };
        tx.agreement_insert(&row).await.expect("makes");
        agreements.push(row);
    }
    let mut templates = Vec::new();
    for nth in 0..2 {
        let id = tx.new_id();
        let row = OnboardingTemplate {
            id,
            series_id: id,
            number: 1,
            name: format!("Template {nth}"),
            description: String::new(),
            stalled_after_days: 7,
            steps: Vec::new(),
            state: OnboardingTemplateState::Published,
            published_at: Some(now),
            retired_at: None,
            created_at: now,
            updated_at: now,
            version: 1,
        };
        tx.onboarding_template_insert(&row).await.expect("makes");
        templates.push(row);
    }
    let request_type = ServiceRequestType {
        id: tx.new_id(),
        name: "New laptop".to_owned(),
        description: String::new(),
        fields: Vec::new(),
        active: true,
        created_at: now,
        updated_at: now,
        version: 1,
    };
    tx.service_request_type_insert(&request_type).await.expect("makes");
    tx.commit("furnish", None).await.expect("commits");
    Shelf { source, agreements, templates, request_type }
}

/// A client that has all of a plan, and its people.
pub struct Furnished {
    pub id: ClientId,
    pub people: Vec<PortalUserRow>,
    pub tickets: Vec<PortalTicket>,
}

pub async fn furnish(house: &House<'_>, shelf: &Shelf, name: &str, plan: &Plan) -> Furnished {
    let id = house.client(name).await;
    house.mapped(shelf.source, name, plan.machines, id).await;
    let tx = house.begin().await;
    if let Some(enabled) = plan.portal {
        let before = tx.portal_config(id).await.expect("reads");
        let settings =
            domain::PortalSettings { sections: BTreeSet::from(domain::Section::ALL), ..before.settings.clone() };
        let after = PortalConfig { enabled, settings, ..before.clone() };
        tx.portal_config_save(&before, after).await.expect("sets up");
    }
    let provider = if plan.provider { Some(provider(&tx, id, name).await) } else { None };
    let devices: BTreeSet<DeviceId> = {
        let listed = tx.client_devices_for(id, None, None, &PAGE).await.expect("lists");
        listed.items.iter().map(|device| device.device.id).collect()
    };
    let mut people = Vec::new();
    for nth in 0..plan.people {
        people.push(person(&tx, id, &format!("{name} {nth}"), provider.as_ref(), &devices).await);
    }
    let mut tickets = Vec::new();
    for nth in 0..plan.tickets {
        tickets.push(ticket(&tx, id, people.get(nth), shelf.source).await);
    }
    for _ in 0..plan.requests.min(people.len()) {
        request(&tx, &people[0], &shelf.request_type).await;
    }
    for (agreement, state) in shelf.agreements.iter().zip(plan.agreements) {
        if let Some(state) = state {
            copy(&tx, id, agreement, people.first(), state).await;
        }
    }
    for (template, state) in shelf.templates.iter().zip(plan.onboardings) {
        if let Some(state) = state {
            onboarding(&tx, id, template, state).await;
        }
    }
    tx.commit("furnish", None).await.expect("commits");
    Furnished { id, people, tickets }
}

pub async fn provider(tx: &Tx, client: ClientId, name: &str) -> SsoProvider {
    let row = SsoProvider {
        id: tx.new_id(),
        audience: SsoAudience::Portal,
        client_id: Some(client),
        name: format!("{name}’s own"),
        kind: SsoKind::Oidc,
        issuer: "https://login.example".to_owned(),
        app_id: "app".to_owned(),
        secret_version: 1,
        enabled: true,
        tenants: BTreeSet::new(),
        domains: BTreeSet::new(),
        just_in_time: true,
        trusts_mfa: false,
        created_at: tx.now(),
        updated_at: tx.now(),
        version: 1,
    };
    tx.sso_provider_insert(&row).await.expect("makes");
    tx.sso_secret_seal(row.id, &"a secret".to_owned().into()).await.expect("seals");
    row
}

/// An account with a session, a switch set, a notification, and everything that a person can have.
pub async fn person(
    tx: &Tx,
    client: ClientId,
    name: &str,
    provider: Option<&SsoProvider>,
    devices: &BTreeSet<DeviceId>,
) -> PortalUserRow {
    let row = PortalUserRow {
        organisation: tx.organisation(),
        id: tx.new_id(),
        client_id: client,
        email: format!("{}@quay.example", name.replace(' ', ".")),
        name: name.to_owned(),
        phone: None,
        role: PortalRole::Manager,
        state: PortalState::Active,
        password_hash: Some("$argon2id$".to_owned()),
        link_hash: None,
        link_made_at: None,
        accepted_at: Some(tx.now()),
        deactivated_at: None,
        signed_in_at: Some(tx.now()),
        created_at: tx.now(),
        updated_at: tx.now(),
        version: 1,
    };
    tx.portal_user_insert(&row).await.expect("makes");
    tx.portal_devices_set(&row, devices).await.expect("assigns");
    let set = tx.notification_settings(row.id).await.expect("reads");
    let off = NotificationSwitches { ticket_reply: false, ..set.switches };
    tx.notification_settings_set(&row, set, off).await.expect("sets");
    let notice = PortalNotice {
        kind: NotificationKind::TicketStatus,
        subject_id: row.id.0,
        key: format!("note:{}", row.id),
        title: "Something happened".to_owned(),
        paragraphs: vec!["It did.".to_owned()],
        link: ("See it", "tickets".to_owned()),
        base: None,
    };
    tx.portal_notify(client, std::slice::from_ref(&row), &notice).await.expect("tells");
    let session = PortalSessionRow {
        id: tx.new_id(),
        portal_user_id: row.id,
        client_id: client,
        token_hash: row.id.0.as_bytes().to_vec(),
        user_agent: None,
        address: None,
        created_at: tx.now(),
        seen_at: tx.now(),
        proved_at: tx.now(),
        expires_at: tx.now() + chrono::TimeDelta::hours(8),
        enrolment: false,
    };
    tx.portal_session_insert(&session).await.expect("signs in");
    if let Some(provider) = provider {
        let link = SsoLink {
            id: tx.new_id(),
            provider_id: provider.id,
            account: Account { kind: AccountKind::Portal, id: row.id.0 },
            client_id: Some(client),
            issuer: provider.issuer.clone(),
            tenant: None,
            subject: row.id.to_string(),
            created_at: tx.now(),
        };
        tx.sso_link_insert(&link).await.expect("links");
    }
    row
}

/// A client with everything.
pub fn full(portal: Option<bool>, provider: bool) -> Plan {
    use AgreementState as A;
    Plan {
        people: 2,
        tickets: 2,
        requests: 2,
        machines: 2,
        agreements: [Some(A::Pending), Some(A::Signed), Some(A::Declined)],
        onboardings: [Some(OnboardingState::Active), Some(OnboardingState::Completed)],
        portal,
        provider,
    }
}
