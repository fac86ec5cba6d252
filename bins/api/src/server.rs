//! The routes, and what surrounds every request: id, log line, metrics, bounds, problems.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use domain::Error;
use metrics_exporter_prometheus::PrometheusHandle;
use poem::{
    Endpoint, EndpointExt, IntoEndpoint, IntoResponse, Request, Response, Route,
    http::{StatusCode, header},
    middleware::{CatchPanic, CookieJarManager},
    web::Data,
};
use poem_openapi::OpenApiService;

use crate::{
    app::App,
    asking, contents, csv_body, document, kept, known, legacy, malformed,
    merged::{self, CallerSlot},
    problem,
    problem::Failure,
    rate::RateSlot,
    request_id,
    routes::{
        admin_consent,
        aliases::Aliases,
        approvals::Approvals,
        backups::BackupSummaries,
        bulk::BulkOperations,
        bulk_progress::BulkProgressApi,
        bulk_settings::BulkSettingsApi,
        client_deleted::DeletedClients,
        client_export::ClientExports,
        client_life::ClientLife,
        client_notes::ClientNotes,
        clientone::{
            account::PortalAccount,
            activity::PortalActivities,
            agreement_pdfs::SignedAgreements,
            agreements::CompanyAgreements,
            backups::CompanyBackups,
            colleague_invitations::ColleagueInvitations,
            connections::SharedWithCompany,
            dashboard::Dashboards,
            devices::PortalDevices,
            documents::CompanyDocuments,
            email::PortalEmails,
            notifications::Notifications,
            onboarding::CompanyOnboardings,
            passkeys::{PortalPasskeySessions, PortalPasskeys},
            profile::Profiles,
            second_factor::PortalSecondFactors,
            service_requests::RequestedServices,
            session::PortalSessions,
            sso::PortalSingleSignOn,
            ticket_attachments::CompanyTicketAttachments,
            ticket_form::PortalTicketForm,
            tickets::CompanyTickets,
            users::Colleagues,
        },
        clientone_admin::{
            activity::ClientOneActivity,
            agreement_copies::AgreementInstances,
            agreement_pdfs::AgreementPdfs,
            agreements::Agreements,
            branding::ClientOneBranding,
            email_changes::EmailChanges,
            invitations::PortalInvitations,
            logos::{self, Logos},
            onboarding::Onboardings,
            onboarding_templates::OnboardingTemplates,
            origin::ClientOneOrigins,
            second_factors::PortalSecondFactorResets,
            service_requests::ServiceRequests,
            service_types::ServiceRequestTypes,
            settings::ClientOneSettings,
            ticket_fields::TicketFields,
            users::PortalUsers,
        },
        clients::Clients,
        connection_life::ConnectionLife,
        connections::Connections,
        consent::{self, Consents},
        contacts::Contacts,
        csv_imports::CsvImports,
        custom_roles::CustomRoles,
        customer_contacts::CustomerContacts,
        customer_export::CustomerExports,
        customer_tenants::CustomerTenants,
        customers::Customers,
        desk_notices::DeskNotices,
        device_fields::DeviceFields,
        device_precedence::DevicePrecedenceApi,
        devices::Devices,
        documents::DocumentArchiving,
        drift::Drift,
        file_life::FileLife,
        files::Files,
        fleet::Fleet,
        hosted::{
            Domains, Extensions, Hostings, MailSenders, MailUsages, ManagementServers, PhoneSystems, RepeatingInvoices,
        },
        imports::Imports,
        integrations::Integrations,
        invitations::Invitations,
        journal::Journal,
        journal_checkpoints::JournalCheckpoints,
        journal_export::JournalExports,
        keys::Keys,
        library::LibraryDocuments,
        live::Live,
        mappings::Mappings,
        matching_settings::Matching,
        microsoft365::Microsoft365Api,
        oauth,
        passkey_sign_in::PasskeySessions,
        passkeys::Passkeys,
        places::Locations,
        portal_tickets::ClientTickets,
        progress::ProgressApi,
        psa::Psa,
        queue::Queue,
        quiet_hours::QuietHoursApi,
        reconciliation::Reconciliations,
        records::{Alerts, Backups, Documents, Invoices, Jobs, Threats},
        replays::Replays,
        runs::Runs,
        saved_filters::SavedFiltersApi,
        second_factor::SecondFactors,
        security::Security,
        service_accounts::ServiceAccounts,
        session::Session,
        sharing::Sharing,
        sso::{self, SingleSignOn},
        sso_providers::SsoProvidersApi,
        staff::Staff,
        staff_life::StaffLife,
        subscriptions::Subscriptions,
        tenant_connects::TenantConnects,
        tenant_export::TenantExports,
        tenant_life::TenantLife,
        tenants::Tenants,
        threats::ThreatActions,
        ticket_attachments::TicketAttachments,
        tickets::Tickets,
        typed::TypedMappings,
        webhook_deliveries::WebhookDeliveries,
        webhook_subscriptions::WebhookSubscriptionsApi,
        webhooks,
        workbench::Workbench,
    },
};

/// Largest body of a request, in bytes; files may be larger (`csv_body.rs`).
const BODY: usize = 2 * 1024 * 1024;
/// Longest that a request may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Longest that a request may take which carries a file.
const PATIENCE_WITH_FILES: Duration = Duration::from_secs(600);

type Part1 = (Session, Staff, Keys, Integrations, Connections, Runs, Mappings, Imports);
type Part2 = (Clients, Fleet, Microsoft365Api, Subscriptions, Journal, Consents);
type Part3 = (Threats, Alerts, Backups, Contacts, Tickets, Jobs, Documents, Invoices);
type Part4 = (ThreatActions, DocumentArchiving, Locations, Live, ConnectionLife, Sharing, TypedMappings);
type Part5 = (
    BackupSummaries,
    Reconciliations,
    Drift,
    Replays,
    Queue,
    ProgressApi,
    ClientExports,
    ClientLife,
    CsvImports,
    Devices,
    DeviceFields,
    DevicePrecedenceApi,
);
type Part6 =
    (Domains, Hostings, RepeatingInvoices, PhoneSystems, Extensions, MailUsages, MailSenders, ManagementServers);
type Part7 = (Invitations, StaffLife);
type Part8 = (ClientOneSettings, ClientOneBranding, PortalUsers, PortalInvitations, ClientOneActivity);
type Part9 = (Customers, CustomerTenants, CustomerContacts, Tenants, ClientNotes, SavedFiltersApi, LibraryDocuments);
type Part10 = (Psa, SecondFactors, Security, SingleSignOn, SsoProvidersApi);
type Part11 = (ServiceRequestTypes, ServiceRequests, Agreements, AgreementInstances, TicketFields);
type Part12 = (Aliases, Matching, Workbench);
type Part13 = (OnboardingTemplates, Onboardings, ClientTickets);
type Machines = (JournalExports, JournalCheckpoints, ServiceAccounts, CustomRoles);
type Part20 = (Files, FileLife, Logos, AgreementPdfs);
type PartBulk = (BulkOperations, BulkSettingsApi, QuietHoursApi, BulkProgressApi, Approvals);
type Part23 = (TenantConnects, TenantLife);
type PartRecords = (DeletedClients, CustomerExports, TenantExports);
type PartEvents = (WebhookSubscriptionsApi, WebhookDeliveries);
type PartPasskeys = (Passkeys, PasskeySessions, PortalSecondFactorResets);
type PortalAdmin = (EmailChanges, ClientOneOrigins, DeskNotices, TicketAttachments);
type Later = (PartEvents, Part23, PartBulk, PartRecords, Part20, Machines, PortalAdmin, PartPasskeys);
type Whole = (Part1, Part2, Part3, Part4, Part5, Part6, Part7, Part8, Part9, Part10, Part11, Part12, Part13, Later);
type PortalLater = (
    Notifications,
    SharedWithCompany,
    CompanyDocuments,
    SignedAgreements,
    PortalSingleSignOn,
    PortalMore,
    PortalFactors,
);
type PortalFactors = (PortalSecondFactors, PortalPasskeys, PortalPasskeySessions);
type PortalMore = (CompanyTicketAttachments, PortalEmails, CompanyBackups, ColleagueInvitations);
type Portal = (
    PortalAccount,
    PortalSessions,
    Profiles,
    Dashboards,
    PortalDevices,
    Colleagues,
    PortalActivities,
    RequestedServices,
    CompanyAgreements,
    CompanyOnboardings,
    PortalTicketForm,
    PortalLater,
    CompanyTickets,
);

/// The API with its document.
pub fn service() -> OpenApiService<Whole, ()> {
    let first = (Session, Staff, Keys, Integrations, Connections, Runs, Mappings, Imports);
    let second = (Clients, Fleet, Microsoft365Api, Subscriptions, Journal, Consents);
    let third = (Threats, Alerts, Backups, Contacts, Tickets, Jobs, Documents, Invoices);
    let fourth = (ThreatActions, DocumentArchiving, Locations, Live, ConnectionLife, Sharing, TypedMappings);
    let fifth = (
        BackupSummaries,
        Reconciliations,
        Drift,
        Replays,
        Queue,
        ProgressApi,
        ClientExports,
        ClientLife,
        CsvImports,
        Devices,
        DeviceFields,
        DevicePrecedenceApi,
    );
    let sixth =
        (Domains, Hostings, RepeatingInvoices, PhoneSystems, Extensions, MailUsages, MailSenders, ManagementServers);
    let seventh = (Invitations, StaffLife);
    let eighth = (ClientOneSettings, ClientOneBranding, PortalUsers, PortalInvitations, ClientOneActivity);
    let ninth = (Customers, CustomerTenants, CustomerContacts, Tenants, ClientNotes, SavedFiltersApi, LibraryDocuments);
    let tenth = (Psa, SecondFactors, Security, SingleSignOn, SsoProvidersApi);
    let eleventh = (ServiceRequestTypes, ServiceRequests, Agreements, AgreementInstances, TicketFields);
    let twelfth = (Aliases, Matching, Workbench);
    let thirteenth = (OnboardingTemplates, Onboardings, ClientTickets);
    let machines = (JournalExports, JournalCheckpoints, ServiceAccounts, CustomRoles);
    let twentieth = (Files, FileLife, Logos, AgreementPdfs);
    let bulk = (BulkOperations, BulkSettingsApi, QuietHoursApi, BulkProgressApi, Approvals);
    let tenants = (TenantConnects, TenantLife);
    let events = (WebhookSubscriptionsApi, WebhookDeliveries);
    let records = (DeletedClients, CustomerExports, TenantExports);
    let portal_admin = (EmailChanges, ClientOneOrigins, DeskNotices, TicketAttachments);
    let passkeys = (Passkeys, PasskeySessions, PortalSecondFactorResets);
    let later = (events, tenants, bulk, records, twentieth, machines, portal_admin, passkeys);
    let all = (
        first, second, third, fourth, fifth, sixth, seventh, eighth, ninth, tenth, eleventh, twelfth, thirteenth, later,
    );
    OpenApiService::new(all, "PanelOne", env!("CARGO_PKG_VERSION"))
        .description(
            "Runs an MSP's clients across its vendors' tools. Sign in, or send an API key as a bearer token.\n\nA key \
             may make so many requests in a minute. Every answer to it says how many (`RateLimit-Limit`), how many are \
             left at once (`RateLimit-Remaining`), and in how many seconds all are there again (`RateLimit-Reset`). \
             Beyond them the answer is 429 with the code `rate_limited` and `Retry-After`.\n\nA service account \
             gets a bearer token for its client id and secret at `POST /oauth/token` (OAuth 2.0, client credentials); it \
             lives for less than an hour and counts like a key.\n\nWhat cannot be taken back \
             asks a signed-in person to show once more who they are, 15 minutes after they last did: 403 with the code \
             `reauthentication_required`.\n\nWhoever may act for customers (`customers_act_for`) sends the id of one as \
             `Acting-For`: the request is then limited to that customer, and the journal says for whom it was done. A \
             client that was merged into another is no more: requests that read are led on (308), others are refused \
             with the code `client_merged`, which names the one it went into.\n\nA role may give a permission with approval only. A write by \
             whoever has it so changes nothing and is answered 202 with what waits: somebody else who has the \
             permission outright decides about it at `/api/approvals`, and on a yes the same request is done as theirs, \
             unless it would change something else by then. With `dry_run` it is previewed as usual. What cannot be \
             asked for is refused with the code `approval_impossible`.",
        )
}

/// ClientOne, the portal of the clients, with a document of its own.
pub fn portal_service() -> OpenApiService<Portal, ()> {
    let factors = (PortalSecondFactors, PortalPasskeys, PortalPasskeySessions);
    let whole = (
        PortalAccount,
        PortalSessions,
        Profiles,
        Dashboards,
        PortalDevices,
        Colleagues,
        PortalActivities,
        RequestedServices,
        CompanyAgreements,
        CompanyOnboardings,
        PortalTicketForm,
        (
            Notifications,
            SharedWithCompany,
            CompanyDocuments,
            SignedAgreements,
            PortalSingleSignOn,
            (CompanyTicketAttachments, PortalEmails, CompanyBackups, ColleagueInvitations),
            factors,
        ),
        CompanyTickets,
    );
    OpenApiService::new(whole, "ClientOne", env!("CARGO_PKG_VERSION"))
        .description("The portal of an MSP's clients. Sign in; a session or key of the MSP's staff opens nothing here.")
}

/// Where all of ClientOne's operations are.
pub const PORTAL: &str = "/api/clientone";

/// The published document, as text.
pub fn openapi() -> String {
    text(&service().spec())
}

/// ClientOne's published document, as text.
pub fn portal_openapi() -> String {
    text(&portal_service().spec())
}

fn text(spec: &str) -> String {
    let text = serde_json::to_string_pretty(&document::normalised(spec)).unwrap_or_default();
    format!("{text}\n")
}

/// Everything that answers.
pub fn routes(app: Arc<App>, metrics: Option<PrometheusHandle>) -> impl IntoEndpoint {
    let (service, portal) = (service(), portal_service());
    let (docs, portal_docs) = (service.swagger_ui_html(), portal.swagger_ui_html());
    let (published, portal_published): (Arc<str>, Arc<str>) = (openapi().into(), portal_openapi().into());
    Route::new()
        .at("/healthz", poem::get(healthz))
        .at("/readyz", poem::get(readyz))
        .at("/metrics", poem::get(exposition).data(metrics))
        .at("/openapi.json", poem::get(poem::endpoint::make_sync(move |_| json(&published))))
        .at("/docs", poem::get(poem::endpoint::make_sync(move |_| page(docs.clone()))))
        .at("/clientone/openapi.json", poem::get(poem::endpoint::make_sync(move |_| json(&portal_published))))
        .at("/clientone/docs", poem::get(poem::endpoint::make_sync(move |_| page(portal_docs.clone()))))
        .at(consent::CALLBACK, poem::get(consent::callback).head(consent::unread))
        .at(admin_consent::CALLBACK, poem::get(admin_consent::callback).head(consent::unread))
        .at(legacy::PORTAL_ADMIN, poem::get(legacy::moved))
        .at(legacy::TICKET_FIELDS, poem::get(legacy::moved))
        .at(legacy::SSO, poem::get(legacy::moved))
        .at(logos::ADDRESS, poem::get(logos::show))
        .at(oauth::ADDRESS, poem::post(oauth::token))
        .at(sso::CALLBACK, poem::get(sso::callback).head(consent::unread))
        .at(sso::PORTAL_CALLBACK, poem::get(sso::portal_callback).head(consent::unread))
        .at(webhooks::ADDRESS, poem::post(webhooks::receive))
        .nest_no_strip(PORTAL, portal)
        .nest("/", service.into_endpoint().around(asking::around))
        .around(kept::around)
        .data(app)
        .with(CookieJarManager::new())
        .with(CatchPanic::new().with_handler(|_| Failure::from(Error::internal("a handler panicked")).into_response()))
        .around(surround)
}

fn json(text: &str) -> Response {
    Response::builder().content_type("application/json").body(text.to_owned())
}

fn page(html: String) -> Response {
    // The page holds its own script and style, and needs nothing from outside.
    let policy = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; \
                  connect-src 'self'; frame-ancestors 'none'; base-uri 'none'";
    Response::builder().content_type("text/html; charset=utf-8").header("content-security-policy", policy).body(html)
}

#[poem::handler]
fn healthz() -> &'static str {
    "ok"
}

#[poem::handler]
async fn readyz(app: Data<&Arc<App>>) -> Result<&'static str, poem::Error> {
    match app.store.ping().await {
        Ok(()) => Ok("ready"),
        Err(error) => Err(Failure::from(error).into()),
    }
}

#[poem::handler]
fn exposition(metrics: Data<&Option<PrometheusHandle>>) -> Response {
    let text = metrics.as_ref().map(PrometheusHandle::render).unwrap_or_default();
    Response::builder().content_type("text/plain; version=0.0.4").body(text)
}

/// What surrounds every request.
async fn surround<E: Endpoint>(endpoint: Arc<E>, mut request: Request) -> poem::Result<Response> {
    let id = incoming_id(&request).unwrap_or_else(new_id);
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let rate = RateSlot::default();
    request.set_data(rate.clone());
    let started = Instant::now();
    let patience = if contents::is_for(request.uri()) { PATIENCE_WITH_FILES } else { PATIENCE };
    let work = request_id::under(id.clone(), answer(endpoint, request));
    let mut response = match tokio::time::timeout(patience, work).await {
        Ok(response) => response,
        Err(_) => {
            request_id::under(id.clone(), async {
                Failure::from(Error::Busy("a request took too long".to_owned())).into_response()
            })
            .await
        }
    };
    let status = response.status().as_u16();
    let took = started.elapsed();
    metrics::counter!("http_requests_total", "method" => method.to_string(), "status" => status.to_string())
        .increment(1);
    metrics::histogram!("http_request_seconds").record(took.as_secs_f64());
    tracing::info!(request_id = %id, %method, %path, status, ms = took.as_millis() as u64, "request");
    let headers = response.headers_mut();
    if let Ok(value) = id.parse() {
        headers.insert("x-request-id", value);
    }
    rate.tell(headers);
    headers.insert("x-content-type-options", header::HeaderValue::from_static("nosniff"));
    headers.insert("referrer-policy", header::HeaderValue::from_static("no-referrer"));
    headers.entry("cache-control").or_insert(header::HeaderValue::from_static("no-store"));
    headers
        .entry("content-security-policy")
        .or_insert(header::HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
    Ok(response)
}

/// Bounds the body, runs the request, turns what failed into a problem.
async fn answer<E: Endpoint>(endpoint: Arc<E>, mut request: Request) -> Response {
    let declared = request.headers().get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
    let is_file = csv_body::is_for(request.uri()) || contents::is_for(request.uri());
    let most = match is_file {
        // The operation knows how much may be kept.
        true if contents::is_for(request.uri()) => usize::MAX,
        true => csv_body::LARGEST,
        false => BODY,
    };
    if declared.is_some_and(|bytes| bytes > most as u64) {
        return problem::of_poem(csv_body::too_large(most));
    }
    let mut mistakes = malformed::in_query(request.uri());
    if !mistakes.is_empty() {
        return problem::of_mistakes(mistakes);
    }
    // A file is read by its operation, once it knows who calls.
    if !request.method().is_safe() && !is_file {
        match request.take_body().into_bytes_limit(BODY).await {
            Ok(bytes) => {
                mistakes = malformed::in_body(request.method(), request.uri(), &bytes);
                // Without its body the operation refuses it as soon as it knows who calls.
                request.set_body(if mistakes.is_empty() { bytes } else { Vec::new().into() });
            }
            Err(poem::error::ReadBodyError::PayloadTooLarge) => return problem::of_poem(csv_body::too_large(BODY)),
            Err(other) => return problem::of_poem(other.into()),
        }
    }
    let (method, uri, caller) = (request.method().clone(), request.uri().clone(), CallerSlot::default());
    request.set_data(caller.clone());
    let response = match endpoint.call(request).await {
        Ok(response) => response.into_response(),
        Err(error) if error.status() == StatusCode::BAD_REQUEST && !mistakes.is_empty() => {
            problem::of_mistakes(mistakes)
        }
        Err(error) => problem::of_poem(error),
    };
    let mut response = merged::led_on(&caller, &method, &uri, response).await;
    if response.status() == StatusCode::METHOD_NOT_ALLOWED
        && let Ok(allowed) = known::methods(uri.path()).parse()
    {
        response.headers_mut().insert(header::ALLOW, allowed);
    }
    response
}

/// An id that a proxy gave, if it is harmless in a log.
fn incoming_id(request: &Request) -> Option<String> {
    let id = request.header("x-request-id")?;
    let harmless = !id.is_empty() && id.len() <= 64 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    harmless.then(|| id.to_owned())
}

fn new_id() -> String {
    use domain::{Chance, Clock};
    persistence::OsChance.id(domain::SystemClock.now()).to_string()
}
