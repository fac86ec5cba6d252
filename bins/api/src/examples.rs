//! Examples in the document: what a request looks like. Each is read as the operation would read it,
//! so a field that is renamed makes this fail to build the document, which a test does.

use poem_openapi::types::{Example, ParseFromJSON};
use serde_json::{Value, json};

use crate::routes::{
    approvals::{ApprovalNo, ApprovalYes},
    bulk_settings::BulkSettingsUpdate,
    bulk_shapes::{BulkApproval, BulkRequest},
    client_life::ClientMerge,
    client_notes::ClientNoteSave,
    clientone::{
        account::{InvitationAcceptance, PasswordForgot, PasswordReset},
        agreements::{AgreementDecline, AgreementSign},
        email::EmailConfirmation,
        notifications::NotificationSettingsUpdate,
        onboarding::OnboardingStepComplete,
        profile::ProfileUpdate,
        service_requests::ServiceRequestCreate,
        session::PortalSessionCreate,
        sso::PortalSsoStart,
        tickets::{PortalTicketCreate, PortalTicketReply},
        users::ColleagueInvite,
    },
    clientone_admin::{
        agreements::{AgreementCreate, AgreementSend, AgreementUpdate},
        branding::BrandingSet,
        email_changes::EmailChange,
        invitations::PortalUserInvite,
        onboarding::{OnboardingCancel, OnboardingStepSkip},
        onboarding_templates::{OnboardingAssign, OnboardingTemplateCreate, OnboardingTemplateUpdate},
        origin::ClientOneOriginSet,
        service_requests::ServiceRequestDo,
        service_types::{ServiceRequestTypeCreate, ServiceRequestTypeUpdate},
        settings::ClientOneUpdate,
        ticket_fields::TicketFormSet,
        users::{DeviceAssignment, PortalUserUpdate},
    },
    clients::{ClientCreate, ClientUpdate},
    connections::{ConnectionCreate, ConnectionTrial, ConnectionUpdate},
    contacts::{ContactCreate, ContactUpdate},
    custom_roles::{CustomRoleAssign, CustomRoleCreate, CustomRoleUpdate},
    customer_contacts::CustomerContactSave,
    customer_tenants::TenantAssociate,
    customers::{CustomerCreate, CustomerSave},
    desk_notices::{DeskNoticeSettingsSet, DeskNoticesRead},
    device_fields::{DeviceLockRelease, DeviceLockSet},
    device_precedence::DevicePrecedenceSet,
    devices::{DeviceJoin, DeviceSplit},
    documents::DocumentArchive,
    drift::DriftFixRequest,
    file_shapes::{FilePublish, FileUpdate},
    imports::ImportRequest,
    invitations::{InvitationAccept, StaffInvite},
    journal::Revert,
    keys::ApiKeyCreate,
    library_shapes::{LibraryDocumentCopy, LibraryDocumentCreate, LibraryDocumentUpdate},
    mappings::MappingSave,
    matching_settings::MatchingUpdate,
    passkey_sign_in::{PasskeyAnswer, SessionPasskeyAsk},
    passkeys::{PasskeyCreate, PasskeyUpdate},
    places::{CustomFieldsSet, InstallerRequest},
    portal_ticket_views::{
        ClientTicketAssign, ClientTicketDo, ClientTicketMake, ClientTicketSay, ServiceRequestConvert,
    },
    psa_views::{PsaResolve, PsaSettingsUpdate},
    quiet_hours::QuietHours,
    saved_filters::{SavedFilterCreate, SavedFilterUpdate},
    second_factor::TotpConfirm,
    security::SecurityUpdate,
    service_account_shapes::{ServiceAccountCreate, ServiceAccountSecretCreate, ServiceAccountUpdate},
    session::{PasswordChange, Reauthentication, SessionComplete, SessionCreate},
    sharing::ShareCreate,
    sso::SsoStart,
    sso_shapes::{SsoProviderCreate, SsoProviderUpdate},
    staff::{StaffCreate, StaffUpdate},
    staff_life::{OwnershipTransfer, PasswordResetRequest, PasswordResetSet},
    subscriptions::QuantityChange,
    tenant_connects::TenantConnectStart,
    tenant_life::{TenantSelection, TenantTagging},
    tenants::TenantUpdate,
    threats::ThreatActRequest,
    tickets::{TicketCreate, TicketNoteAdd, TicketUpdate},
    typed::MappingType,
    webhook_deliveries::WebhookRedeliver,
    webhook_subscriptions::{WebhookSubscriptionCreate, WebhookSubscriptionUpdate},
};

fn read<T: ParseFromJSON>(example: Value) -> T {
    T::parse_from_json(Some(example)).map_err(|why| why.into_message()).expect("an example fits its schema")
}

macro_rules! examples {
    ($($type:ident => $example:tt),+ $(,)?) => {
        $( impl Example for $type {
            fn example() -> Self {
                read(json!($example))
            }
        } )+

        #[cfg(test)]
        #[test]
        fn every_example_fits_its_schema() {
            $( let _ = $type::example(); )+
        }
    };
}

examples! {
    SessionCreate => { "email": "jo@msp.example", "password": "a long password of one's own" },
    PasswordChange => { "present_password": "a long password of one's own", "new_password": "another long password" },
    InvitationAcceptance => { "token": "what-stands-behind-the-hash", "name": "Pat Quay", "password": "a long password of one's own" },
    PasswordForgot => { "email": "pat@quay.example" },
    PasswordReset => { "token": "what-stands-behind-the-hash", "password": "another long password" },
    WebhookSubscriptionCreate => {
        "url": "https://hooks.msp.example/panelone", "description": "Opens tickets for threats",
        "events": ["threat.found", "connection.failed"],
    },
    WebhookSubscriptionUpdate => { "enabled": true },
    WebhookRedeliver => { "since": "2026-11-22T06:00:00Z" },
    NotificationSettingsUpdate => { "ticket_reply": false },
    ProfileUpdate => { "name": "Pat Quay", "phone": "+61 2 5550 0100" },
    PortalSessionCreate => { "email": "pat@quay.example", "password": "a long password of one's own" },
    ColleagueInvite => { "email": "sam@quay.example", "name": "Sam Quay" },
    BrandingSet => {
        "colours": { "primary": "#1f5fbf", "background": "#ffffff", "text": "#1a1f2b" },
        "welcome_message": "Call us on extension 7.", "product_name": "Kite Desk",
    },
    FileUpdate => { "title": "Service agreement 2026", "name": "agreement.pdf", "category": "Contracts" },
    FilePublish => { "to": "chosen", "client_ids": ["01a2008a-0000-7000-8000-000000000001"], "managers_only": true },
    PortalUserInvite => {
        "client_id": "01a2008a-0000-7000-8000-000000000001", "email": "pat@quay.example", "name": "Pat Quay",
        "role": "manager",
    },
    ClientOneUpdate => { "sections": ["devices", "tickets"], "all_devices_when_unassigned": true },
    DeviceAssignment => { "device_ids": ["01a2008a-0000-7000-8000-000000000002"] },
    PortalUserUpdate => { "role": "manager" },
    ServiceRequestTypeCreate => {
        "name": "New laptop", "description": "A laptop for someone who starts.", "fields": [
            { "key": "starts_on", "label": "First day", "kind": "date", "required": true },
            { "key": "model", "label": "Model", "kind": "choice", "options": ["13 inch", "15 inch"], "required": true },
        ],
    },
    ServiceRequestTypeUpdate => { "active": false },
    ServiceRequestDo => { "act": "reject", "note": "Please ask for it in June.", "internal_note": "Budget." },
    ServiceRequestCreate => {
        "service_request_type_id": "01a2008a-0000-7000-8000-000000000003", "description": "For Sam, who starts soon.",
        "answers": [{ "key": "starts_on", "value": "2026-12-01" }, { "key": "model", "value": "13 inch" }],
    },
    PortalTicketCreate => {
        "subject": "Printer does not print", "description": "Since this morning. The light is red.",
        "answers": [{ "key": "priority", "value": "High" }],
    },
    EmailConfirmation => { "token": "what-stands-behind-the-hash" },
    ClientOneOriginSet => { "origin": "https://portal.msp.example" },
    DeskNoticesRead => { "until": "01a2008a-0000-7000-8000-000000000001" },
    DeskNoticeSettingsSet => { "hidden": [], "unmailed": ["ticket_made"] },
    EmailChange => { "email": "pat.quay@quay.example" },
    PortalTicketReply => { "text": "It prints again." },
    ClientTicketMake => {
        "client_id": "01a2008a-0000-7000-8000-000000000001", "subject": "Printer does not print",
        "description": "Pat called: since this morning.",
    },
    ClientTicketSay => { "text": "We look at it at two." },
    ClientTicketDo => { "act": "start" },
    ClientTicketAssign => { "staff_id": "01a2008a-0000-7000-8000-000000000004" },
    ServiceRequestConvert => { "subject": "A laptop for Sam" },
    TicketFormSet => {
        "fields": [
            { "key": "priority", "label": "Priority", "kind": "choice", "options": ["Normal", "Urgent"], "required": true },
            { "key": "category", "label": "Category", "kind": "choice", "options": ["Hardware"], "required": false },
            { "key": "floor", "label": "Floor", "kind": "number", "required": false },
        ],
    },
    AgreementCreate => { "title": "Terms of service", "text": "# Terms\n\nWe look after it.", "managers_only": true },
    AgreementUpdate => { "text": "# Terms\n\nWe look after all of it." },
    AgreementSend => { "client_ids": ["01a2008a-0000-7000-8000-000000000001"] },
    AgreementSign => {
        "name": "Pat Quay", "text_hash": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    },
    AgreementDecline => { "reason": "The notice is too short." },
    OnboardingTemplateCreate => {
        "name": "Welcome", "description": "For every new client.", "stalled_after_days": 7,
        "steps": [
            { "title": "Terms of service", "kind": "agreement", "agreement_id": "01a2008a-0000-7000-8000-000000000003" },
            { "title": "Your network", "kind": "credentials", "wanted": ["Router password", "Wi-Fi password"] },
            {
                "title": "Kick-off", "kind": "kickoff", "text": "Please choose an hour.",
                "link": "https://calendar.msp.example/kick-off",
            },
            {
                "title": "About you", "kind": "form",
                "fields": [{ "key": "seats", "label": "How many people", "kind": "number", "required": true }],
            },
            { "title": "How to reach us", "kind": "document", "document_id": "01a2008a-0000-7000-8000-000000000004" },
            { "title": "Tell your people", "kind": "task", "text": "Let everyone know that we look after IT now." },
        ],
    },
    OnboardingTemplateUpdate => { "name": "Welcome aboard", "stalled_after_days": 10 },
    OnboardingAssign => { "client_ids": ["01a2008a-0000-7000-8000-000000000001"] },
    OnboardingStepSkip => { "reason": "We have these already." },
    OnboardingCancel => { "reason": "They begin again in June." },
    OnboardingStepComplete => { "credentials": [{ "label": "Router password", "value": "as-it-stands-on-the-label" }] },
    SsoStart => { "organisation": "kite" },
    PortalSsoStart => { "organisation": "kite", "email": "pat@quay.example" },
    SsoProviderCreate => {
        "audience": "portal", "client_id": "01a2008a-0000-7000-8000-000000000001", "name": "Microsoft", "kind": "entra",
        "app_id": "11111111-2222-4333-8444-555555555555", "secret": "the-secret-that-microsoft-showed-once",
        "domains": ["quay.example"], "just_in_time": true,
    },
    SsoProviderUpdate => { "enabled": false },
    SessionComplete => { "token": "pending_the-token-of-the-first-step", "code": "123456" },
    Reauthentication => { "password": "a long password of one's own" },
    TotpConfirm => { "code": "123456" },
    SessionPasskeyAsk => { "token": "pending_the-token-of-the-first-step" },
    PasskeyAnswer => {
        "credential": {
            "id": "rQ4b1mS8tqk", "rawId": "rQ4b1mS8tqk", "type": "public-key", "clientExtensionResults": {},
            "response": {
                "clientDataJSON": "eyJ0eXBlIjoid2ViYXV0aG4uZ2V0In0", "authenticatorData": "AAAA", "signature": "MEUCIQ",
                "userHandle": "AQ",
            },
        },
    },
    PasskeyCreate => {
        "name": "Laptop",
        "credential": {
            "id": "rQ4b1mS8tqk", "rawId": "rQ4b1mS8tqk", "type": "public-key", "clientExtensionResults": {},
            "response": { "clientDataJSON": "eyJ0eXBlIjoid2ViYXV0aG4uY3JlYXRlIn0", "attestationObject": "o2Nm" },
        },
    },
    PasskeyUpdate => { "name": "Work laptop" },
    SecurityUpdate => { "require_mfa": true, "idle_minutes": 240 },
    ApiKeyCreate => {
        "name": "Nightly report", "scope": "read", "expires_in_days": 90, "permissions": ["clients_view", "devices_view"],
        "requests_per_minute": 120,
    },
    StaffCreate => {
        "name": "Ana Silva", "email": "ana@msp.example", "password": "a first long password", "role": "engineer",
        "deny_clients": ["01a2008a-0000-7000-8000-000000000001"],
    },
    StaffInvite => {
        "name": "Ana Silva", "email": "ana@msp.example", "role": "engineer",
        "deny_clients": ["01a2008a-0000-7000-8000-000000000001"],
    },
    InvitationAccept => {
        "token": "pinv_the-token-of-the-link", "name": "Ana Silva", "password": "a long password of one's own",
    },
    OwnershipTransfer => { "own_role": "admin" },
    PasswordResetRequest => { "email": "jo@msp.example" },
    PasswordResetSet => { "token": "pset_the-token-of-the-link", "password": "another long password" },
    StaffUpdate => { "role": "viewer", "suspended": false },
    ConnectionCreate => {
        "integration": "ninjaone", "name": "NinjaOne, Europe", "cadence_minutes": 60,
        "credentials": { "region": "eu", "client_id": "client-id", "client_secret": "client-secret" },
    },
    ConnectionUpdate => { "cadence_minutes": 30 },
    ConnectionTrial => {
        "integration": "pax8", "credentials": { "client_id": "client-id", "client_secret": "client-secret" },
    },
    ImportRequest => {
        "connection_id": "01a2008a-0000-7000-8000-000000000002",
        "entities": [
            { "entity_id": "01a2008a-0000-7000-8000-000000000003" },
            { "entity_id": "01a2008a-0000-7000-8000-000000000004", "decision": "create", "name": "Kite & Co" },
            {
                "entity_id": "01a2008a-0000-7000-8000-000000000005", "decision": "link",
                "client_id": "01a2008a-0000-7000-8000-000000000001",
            },
        ],
    },
    MappingSave => {
        "mappings": [
            {
                "entity_id": "01a2008a-0000-7000-8000-000000000003", "target": "client",
                "client_id": "01a2008a-0000-7000-8000-000000000001",
            },
            {
                "entity_id": "01a2008a-0000-7000-8000-000000000004", "target": "excluded",
                "reason": "our own test organisation",
            },
        ],
    },
    MatchingUpdate => { "threshold": 0.9 },
    ClientCreate => {
        "name": "Harbour Dental", "status": "active", "contact_email": "office@harbour.example",
        "entities": ["01a2008a-0000-7000-8000-000000000003"],
        "ids": [{ "integration": "threecx", "vendor_id": "101" }],
    },
    ClientUpdate => { "status": "inactive", "clear": ["notes"] },
    QuantityChange => { "quantity": 12 },
    TicketCreate => {
        "entity_id": "01a2008a-0000-7000-8000-000000000003", "title": "Printer does not print",
        "description": "Since this morning, on the second floor.", "priority_id": "3",
        "contact_id": "01a2008a-0000-7000-8000-000000000006",
    },
    TicketUpdate => { "status_id": "5" },
    TicketNoteAdd => { "text": "Called them: it prints again.", "public": true },
    ContactCreate => {
        "entity_id": "01a2008a-0000-7000-8000-000000000003", "given_name": "Ana", "family_name": "Silva",
        "email": "ana@harbour.example", "phone": "+44 20 7946 0000",
    },
    ContactUpdate => { "job_title": "Office manager", "active": true },
    ThreatActRequest => { "action": "quarantine" },
    ShareCreate => { "client_id": "01a2008a-0000-7000-8000-000000000002" },
    MappingType => { "integration": "threecx", "vendor_id": "0101" },
    DeviceLockSet => { "field": "name", "value": "Reception", "reason": "As the label says" },
    DeviceLockRelease => { "field": "name" },
    DevicePrecedenceSet => { "integrations": ["ninjaone", "sentinelone"], "fields": { "last_user": [] } },
    DeviceJoin => { "device_ids": ["01a2008a-0000-7000-8000-000000000008"] },
    DeviceSplit => { "observations": ["01a2008a-0000-7000-8000-000000000009"] },
    DocumentArchive => { "archived": true },
    DriftFixRequest => { "fix": "map", "client_id": "01a2008a-0000-7000-8000-000000000001" },
    PsaSettingsUpdate => {
        "direction": "both", "owners": { "phone": "panelone" }, "create_clients": true, "only_states": ["Customer"],
    },
    PsaResolve => {
        "resolutions": [
            { "conflict_id": "01a2008a-0000-7000-8000-000000000010", "take": "theirs" },
            { "conflict_id": "01a2008a-0000-7000-8000-000000000011", "take": "value", "value": "Harbour Dental Ltd" },
        ],
    },
    CustomFieldsSet => { "values": [{ "name": "siteCode", "value": "HD-1" }, { "name": "contractEnd" }] },
    InstallerRequest => {
        "entity_id": "01a2008a-0000-7000-8000-000000000003", "platform": "WINDOWS_MSI",
    },
    ClientMerge => { "into": "01a2008a-0000-7000-8000-000000000001", "take": ["phone"] },
    CustomerCreate => {
        "name": "Harbour Dental", "primary_contact": "office@harbour.example",
        "access": [{ "staff_id": "01a2008a-0000-7000-8000-000000000001", "sees": true }],
    },
    CustomerSave => {
        "name": "Harbour Dental", "primary_contact": "office@harbour.example", "phone": "+44 20 7946 0000",
        "address": "1 Quay Street, London", "notes": "Closed on Wednesdays.",
    },
    TenantAssociate => { "tenant_id": "01a2008a-0000-7000-8000-000000000003" },
    TenantConnectStart => { "customer_id": "01a2008a-0000-7000-8000-000000000002", "tenant": "harbourdental.example" },
    TenantSelection => { "tenant_ids": ["01a2008a-0000-7000-8000-000000000003"] },
    TenantTagging => { "tenant_ids": ["01a2008a-0000-7000-8000-000000000003"], "add": ["gold"], "remove": ["trial"] },
    TenantUpdate => { "display_name": "Harbour Dental (test)", "tags": ["test"] },
    CustomerContactSave => {
        "name": "Ana Silva", "email": "ana@harbour.example", "phone": "+44 20 7946 0001", "title": "Practice manager",
        "escalation": 1, "primary": true,
    },
    ClientNoteSave => { "text": "Their lease ends in June: ask about the move." },
    BulkRequest => { "action": "tags_add", "tags": ["managed backup"], "filter": "status=active&has=dropsuite" },
    BulkApproval => { "plan": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08" },
    BulkSettingsUpdate => { "admin": 500, "engineer": 100 },
    QuietHours => { "from": "22:00", "until": "06:30", "utc_offset_minutes": 60 },
    SavedFilterCreate => { "name": "Without backup", "query": "status=active&missing=dropsuite" },
    SavedFilterUpdate => { "name": "Active, without backup" },
    LibraryDocumentCreate => {
        "library": "customer", "title": "Your backups", "category": "Backup", "content": "# Your backups\n\nEvery night.",
        "client_id": "01a2008a-0000-7000-8000-000000000001", "published": true,
    },
    LibraryDocumentUpdate => { "content": "# Your backups\n\nEvery hour.", "published": false },
    LibraryDocumentCopy => {
        "library": "customer", "title": "Welcome, Harbour Dental", "client_id": "01a2008a-0000-7000-8000-000000000001",
    },
    Revert => { "despite": [] },
    CustomRoleCreate => {
        "name": "Service desk", "description": "Tickets and devices, no money.",
        "permissions": ["clients_view", "devices_view", "service_view", "tickets_work"],
    },
    CustomRoleUpdate => {
        "permissions": ["clients_view", "devices_view", "service_view"], "with_approval": ["tickets_work"],
    },
    ApprovalYes => { "digest": "9f2c54d1e0b7a86633c1f4de20b5a971c88e4f0d6b39a2e57d10c6f8b4a3e952" },
    ApprovalNo => { "reason": "Their contract ends in June: leave the seats as they are." },
    CustomRoleAssign => { "custom_role_id": "01a2008a-0000-7000-8000-000000000012" },
    ServiceAccountCreate => {
        "name": "Data warehouse", "description": "Fetches devices and subscriptions each night.", "role": "viewer",
        "scope": "read", "permissions": ["clients_view", "devices_view", "subscriptions_view"], "token_minutes": 30,
    },
    ServiceAccountUpdate => { "requests_per_minute": 1200, "enabled": true },
    ServiceAccountSecretCreate => { "expires_in_days": 365 },
}
