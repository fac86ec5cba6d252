//! Examples in the document: what a request looks like. Each is read as the operation would read it,
//! so a field that is renamed makes this fail to build the document, which a test does.

use poem_openapi::types::{Example, ParseFromJSON};
use serde_json::{Value, json};

use crate::routes::{
    client_life::ClientMerge,
    clients::{ClientCreate, ClientUpdate},
    connections::{ConnectionCreate, ConnectionTrial, ConnectionUpdate},
    contacts::{ContactCreate, ContactUpdate},
    devices::{DeviceJoin, DeviceSplit},
    documents::DocumentArchive,
    drift::DriftFixRequest,
    imports::ImportRequest,
    journal::Revert,
    keys::ApiKeyCreate,
    mappings::MappingSave,
    places::{CustomFieldsSet, InstallerRequest},
    second_factor::TotpConfirm,
    security::SecurityUpdate,
    session::{PasswordChange, Reauthentication, SessionComplete, SessionCreate},
    sharing::ShareCreate,
    staff::{StaffCreate, StaffUpdate},
    subscriptions::QuantityChange,
    threats::ThreatActRequest,
    tickets::{TicketCreate, TicketNoteAdd, TicketUpdate},
    typed::MappingType,
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
    SessionComplete => { "token": "pending_the-token-of-the-first-step", "code": "123456" },
    Reauthentication => { "password": "a long password of one's own" },
    TotpConfirm => { "code": "123456" },
    SecurityUpdate => { "require_mfa": true, "idle_minutes": 240 },
    ApiKeyCreate => {
        "name": "Nightly report", "scope": "read", "expires_in_days": 90, "permissions": ["clients_view", "devices_view"],
        "requests_per_minute": 120,
    },
    StaffCreate => {
        "name": "Ana Silva", "email": "ana@msp.example", "password": "a first long password", "role": "engineer",
        "deny_clients": ["01a2008a-0000-7000-8000-000000000001"],
    },
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
    ClientCreate => {
        "name": "Harbour Dental", "status": "active", "contact_email": "office@harbour.example",
        "entities": ["01a2008a-0000-7000-8000-000000000003"],
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
    DeviceJoin => { "device_ids": ["01a2008a-0000-7000-8000-000000000008"] },
    DeviceSplit => { "observations": ["01a2008a-0000-7000-8000-000000000009"] },
    DocumentArchive => { "archived": true },
    DriftFixRequest => { "fix": "map", "client_id": "01a2008a-0000-7000-8000-000000000001" },
    CustomFieldsSet => { "values": [{ "name": "siteCode", "value": "HD-1" }, { "name": "contractEnd" }] },
    InstallerRequest => {
        "entity_id": "01a2008a-0000-7000-8000-000000000003", "platform": "WINDOWS_MSI",
    },
    ClientMerge => { "into": "01a2008a-0000-7000-8000-000000000001", "take": ["phone"] },
    Revert => { "despite": [] },
}
