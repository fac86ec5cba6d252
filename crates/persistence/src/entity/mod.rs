//! One module for each table, and nothing but columns.
#![allow(missing_docs, reason = "columns are described in the domain types they are turned into")]
#![allow(clippy::disallowed_methods, reason = "the derive of sea-orm calls find inside")]

/// Declares a table: its key columns (`organisation_id` first), its other columns, and the column by
/// which the client scope limits it, if it has one.
macro_rules! table {
    ($module:ident = $table:literal, key($($key:ident: $key_type:ty),+), { $($column:ident: $type:ty),* $(,)? } $(, client $client:ident)?) => {
        pub mod $module {
            use sea_orm::entity::prelude::*;

            #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
            #[sea_orm(table_name = $table)]
            #[sea_orm(rename_all = "snake_case")]
            pub struct Model {
                $( #[sea_orm(primary_key, auto_increment = false)] pub $key: $key_type, )+
                $( pub $column: $type, )*
            }

            #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
            pub enum Relation {}

            impl ActiveModelBehavior for ActiveModel {}

            impl $crate::scoped::Owned for Entity {
                fn organisation() -> Column {
                    Column::OrganisationId
                }
                $( fn client() -> Option<Column> { Some(Column::$client) } )?
            }
        }
    };
}

table!(organisation = "organisation", key(organisation_id: Uuid), {
    name: String, slug: String, journal_key: Vec<u8>, created_at: DateTimeUtc,
});
table!(staff = "staff", key(organisation_id: Uuid, id: Uuid), {
    email: String, email_key: String, name: String, role: String, password_hash: Option<String>,
    allow_clients: Option<String>, deny_clients: String, suspended_at: Option<DateTimeUtc>,
    removed_at: Option<DateTimeUtc>, created_at: DateTimeUtc, updated_at: DateTimeUtc, version: i32,
    custom_role_id: Option<Uuid>,
});
table!(session = "session", key(organisation_id: Uuid, id: Uuid), {
    staff_id: Uuid, token_hash: Vec<u8>, user_agent: Option<String>, address: Option<String>,
    created_at: DateTimeUtc, seen_at: DateTimeUtc, expires_at: DateTimeUtc,
    proved_at: Option<DateTimeUtc>, enrolment: bool, idle_minutes: Option<i32>,
});
table!(api_key = "api_key", key(organisation_id: Uuid, id: Uuid), {
    staff_id: Uuid, name: String, hint: String, token_hash: Vec<u8>, key_scope: String,
    allow_clients: Option<String>, created_at: DateTimeUtc, expires_at: DateTimeUtc,
    revoked_at: Option<DateTimeUtc>, used_at: Option<DateTimeUtc>, version: i32,
    requests_per_minute: Option<i32>, permissions: Option<String>,
});
table!(second_factor = "second_factor", key(organisation_id: Uuid, id: Uuid), {
    account_kind: String, account_id: Uuid, kind: String, secret: Vec<u8>, confirmed_at: Option<DateTimeUtc>,
    last_step: Option<i64>, codes_made_at: Option<DateTimeUtc>, created_at: DateTimeUtc, version: i32,
});
table!(recovery_code = "recovery_code", key(organisation_id: Uuid, account_kind: String, account_id: Uuid, code_hash: Vec<u8>), {
    created_at: DateTimeUtc, used_at: Option<DateTimeUtc>,
});
table!(pending_session = "pending_session", key(organisation_id: Uuid, id: Uuid), {
    account_kind: String, account_id: Uuid, token_hash: Vec<u8>, proof: Vec<u8>, attempts: i32,
    created_at: DateTimeUtc, expires_at: DateTimeUtc,
});
table!(passkey = "passkey", key(organisation_id: Uuid, id: Uuid), {
    account_kind: String, account_id: Uuid, name: String, site: String, credential_hash: Vec<u8>, credential: Vec<u8>,
    created_at: DateTimeUtc, used_at: Option<DateTimeUtc>, version: i32,
});
table!(passkey_challenge = "passkey_challenge", key(organisation_id: Uuid, id: Uuid), {
    account_kind: String, purpose: String, challenge_hash: Vec<u8>, binding: Vec<u8>, source: String, ceremony: Vec<u8>,
    created_at: DateTimeUtc, expires_at: DateTimeUtc,
});
table!(security_settings = "security_settings", key(organisation_id: Uuid), {
    require_mfa: bool, idle_minutes: i32, absolute_minutes: i32, version: i32,
});
table!(sso_provider = "sso_provider", key(organisation_id: Uuid, id: Uuid), {
    audience: String, client_id: Option<Uuid>, name: String, kind: String, issuer: String, app_id: String,
    secret: Option<Vec<u8>>, secret_version: i32, enabled: bool, tenants: String, domains: String, just_in_time: bool,
    trusts_mfa: bool, created_at: DateTimeUtc, updated_at: DateTimeUtc, version: i32,
}, client ClientId);
table!(sso_link = "sso_link", key(organisation_id: Uuid, id: Uuid), {
    provider_id: Uuid, staff_id: Option<Uuid>, portal_user_id: Option<Uuid>, client_id: Option<Uuid>, issuer: String,
    tenant: String, subject: String, created_at: DateTimeUtc,
});
table!(sso_attempt = "sso_attempt", key(organisation_id: Uuid, id: Uuid), {
    provider_id: Uuid, provider_version: i32, state_hash: Vec<u8>, browser_hash: Vec<u8>, secrets: Vec<u8>,
    purpose: String, account_id: Option<Uuid>, session_id: Option<Uuid>, invitation_hash: Option<Vec<u8>>,
    redirect_uri: String, address: String, created_at: DateTimeUtc, expires_at: DateTimeUtc,
});
table!(client = "client", key(organisation_id: Uuid, id: Uuid), {
    name: String, name_key: String, status: String, notes: Option<String>, contact_email: Option<String>,
    phone: Option<String>, address: Option<String>, created_at: DateTimeUtc, updated_at: DateTimeUtc,
    archived_at: Option<DateTimeUtc>, deleted_at: Option<DateTimeUtc>, version: i32, device_count: i32, user_count: i32, tags: String,
}, client Id);
table!(connection = "connection", key(organisation_id: Uuid, id: Uuid), {
    integration: String, name: String, state: String, state_reason: Option<String>, account: Option<String>,
    credentials: Option<Vec<u8>>, webhook_secret: Option<Vec<u8>>, credentials_version: i32, cadence_minutes: i32,
    next_sync_at: Option<DateTimeUtc>, last_synced_at: Option<DateTimeUtc>, created_at: DateTimeUtc,
    updated_at: DateTimeUtc, version: i32,
});
table!(consent = "consent", key(organisation_id: Uuid, id: Uuid), {
    connection_id: Uuid, staff_id: Uuid, session_id: Uuid, state_hash: Vec<u8>, verifier: Vec<u8>,
    redirect_uri: String, credentials_version: i32, created_at: DateTimeUtc, expires_at: DateTimeUtc,
});
table!(unverified_mapping = "unverified_mapping", key(organisation_id: Uuid, id: Uuid), {
    client_id: Uuid, integration: String, vendor_id: String, vendor_key: String, problem: Option<String>,
    created_at: DateTimeUtc, created_by: Option<Uuid>,
}, client ClientId);
table!(client_alias = "client_alias", key(organisation_id: Uuid, id: Uuid), {
    client_id: Uuid, kind: String, alias: String, alias_key: String, entity_id: Uuid, entity_name: String,
    integration: String, learned_at: DateTimeUtc, learned_by: Option<Uuid>,
}, client ClientId);
table!(matching_settings = "matching_settings", key(organisation_id: Uuid), { threshold: i32, version: i32 });
table!(connection_share = "connection_share", key(organisation_id: Uuid, id: Uuid), {
    connection_id: Uuid, client_id: Uuid, created_at: DateTimeUtc, created_by: Option<Uuid>,
}, client ClientId);
table!(delivery = "delivery", key(organisation_id: Uuid, connection_id: Uuid, delivery_key: String), {
    heard_at: DateTimeUtc,
});
table!(snapshot = "snapshot", key(organisation_id: Uuid, client_id: Uuid, day: String), {
    body: String, taken_at: DateTimeUtc,
}, client ClientId);
table!(client_contact = "client_contact", key(organisation_id: Uuid, id: Uuid), {
    client_id: Uuid, name: String, name_key: String, email: Option<String>, phone: Option<String>,
    title: Option<String>, escalation: Option<i32>, is_primary: bool, created_at: DateTimeUtc,
    updated_at: DateTimeUtc, version: i32,
}, client ClientId);
table!(client_note = "client_note", key(organisation_id: Uuid, id: Uuid), {
    client_id: Uuid, body: String, created_at: DateTimeUtc, created_by: Option<Uuid>, updated_at: DateTimeUtc,
    updated_by: Option<Uuid>, version: i32,
}, client ClientId);
table!(saved_filter = "saved_filter", key(organisation_id: Uuid, id: Uuid), {
    staff_id: Uuid, name: String, name_key: String, query: String, created_at: DateTimeUtc, updated_at: DateTimeUtc,
    version: i32,
});
table!(tenant_setting = "tenant_setting", key(organisation_id: Uuid, id: Uuid), {
    tenant_key: String, client_id: Option<Uuid>, display_name: Option<String>, tags: String, updated_at: DateTimeUtc,
    version: i32, disconnected_at: Option<DateTimeUtc>, admitted_by: Option<Uuid>,
});
table!(library_document = "library_document", key(organisation_id: Uuid, id: Uuid), {
    library: String, client_id: Option<Uuid>, title: String, title_key: String, slug: String,
    category: Option<String>, category_key: Option<String>, content: String, content_hash: String,
    published_at: Option<DateTimeUtc>, created_at: DateTimeUtc, created_by: Option<Uuid>, updated_at: DateTimeUtc,
    updated_by: Option<Uuid>, deleted_at: Option<DateTimeUtc>, version: i32,
});
table!(library_version = "library_version", key(organisation_id: Uuid, document_id: Uuid, version: i32), {
    title: String, content: String, content_hash: String, created_at: DateTimeUtc, created_by: Option<Uuid>,
});
table!(content = "content", key(organisation_id: Uuid, id: Uuid), {
    purpose: String, secret: Vec<u8>, bytes: i64, created_at: DateTimeUtc, kept_at: Option<DateTimeUtc>,
    released_at: Option<DateTimeUtc>,
});
table!(file = "file", key(organisation_id: Uuid, id: Uuid), {
    client_id: Option<Uuid>, title: String, title_key: String, category: Option<String>, category_key: Option<String>,
    description: Option<String>, name: String, media_type: String, bytes: i64, sha256: String, content_id: Uuid,
    number: i32, published_at: Option<DateTimeUtc>, reach: Option<String>, chosen: String, managers_only: bool,
    created_at: DateTimeUtc, created_by: Option<Uuid>, updated_at: DateTimeUtc, updated_by: Option<Uuid>,
    removed_at: Option<DateTimeUtc>, version: i32,
});
table!(file_version = "file_version", key(organisation_id: Uuid, file_id: Uuid, number: i32), {
    content_id: Uuid, name: String, media_type: String, bytes: i64, sha256: String, created_at: DateTimeUtc,
    created_by: Option<Uuid>,
});
table!(file_client = "file_client", key(organisation_id: Uuid, file_id: Uuid, client_id: Uuid), {});
table!(vendor_entity = "entity", key(organisation_id: Uuid, id: Uuid), {
    connection_id: Uuid, integration: String, kind: String, vendor_id: String, name: String, name_key: String,
    body: String, raw: Vec<u8>, raw_hash: Vec<u8>, content_hash: Vec<u8>, first_seen_at: DateTimeUtc,
    changed_at: DateTimeUtc, removed_at: Option<DateTimeUtc>, run_id: Uuid, client_id: Option<Uuid>,
    mapping_state: String, mapping_reason: Option<String>, mapped_at: Option<DateTimeUtc>, mapped_by: Option<Uuid>,
    version: i32, device_count: i32, user_count: i32, known_name: Option<String>,
}, client ClientId);
table!(entity_domain = "entity_domain", key(organisation_id: Uuid, domain: String, entity_id: Uuid), {
    told_at: DateTimeUtc, gone_at: Option<DateTimeUtc>,
});
table!(drift_decision = "drift_decision", key(organisation_id: Uuid, id: Uuid), {
    entity_id: Uuid, client_id: Option<Uuid>, kind: String, decision: String, reason: Option<String>,
    decided_at: DateTimeUtc, decided_by: Option<Uuid>,
}, client ClientId);
table!(psa_settings = "psa_settings", key(organisation_id: Uuid, connection_id: Uuid), {
    direction: String, owners: String, clients_since: Option<DateTimeUtc>, only_active: bool, only_states: String,
    companies_since: Option<DateTimeUtc>, version: i32, touched_at: Option<DateTimeUtc>,
    passed_at: Option<DateTimeUtc>, pass_error: Option<String>,
});
table!(psa_field = "psa_field", key(organisation_id: Uuid, entity_id: Uuid, field: String), {
    client_id: Uuid, ours: Option<String>, theirs: Option<String>, sent: bool, agreed_at: DateTimeUtc,
}, client ClientId);
table!(psa_company = "psa_company", key(organisation_id: Uuid, entity_id: Uuid), {
    connection_id: Uuid, body: String, read_at: DateTimeUtc,
});
table!(psa_conflict = "psa_conflict", key(organisation_id: Uuid, id: Uuid), {
    connection_id: Uuid, entity_id: Option<Uuid>, client_id: Option<Uuid>, field: Option<String>, kind: String,
    state: String, ours: Option<String>, theirs: Option<String>, ours_at: Option<DateTimeUtc>,
    ours_by: Option<String>, theirs_at: Option<DateTimeUtc>, message: Option<String>, created_at: DateTimeUtc,
}, client ClientId);
table!(record = "record", key(organisation_id: Uuid, id: Uuid), {
    connection_id: Uuid, entity_id: Uuid, kind: String, vendor_id: String, title: String, title_key: String,
    body: String, raw: Vec<u8>, raw_hash: Vec<u8>, content_hash: Vec<u8>, first_seen_at: DateTimeUtc,
    changed_at: DateTimeUtc, removed_at: Option<DateTimeUtc>, run_id: Uuid,
});
table!(device = "device", key(organisation_id: Uuid, id: Uuid), {
    client_id: Uuid, name: String, name_key: String, created_at: DateTimeUtc,
}, client ClientId);
table!(device_observation = "device_observation", key(organisation_id: Uuid, record_id: Uuid), {
    device_id: Uuid, evidence: String, confidence: Option<f64>,
});
table!(device_ruling = "device_ruling", key(organisation_id: Uuid, id: Uuid), {
    client_id: Uuid, record_a: Uuid, record_b: Uuid, one: bool, created_at: DateTimeUtc, created_by: Option<Uuid>,
});
table!(device_lock = "device_lock", key(organisation_id: Uuid, id: Uuid), {
    client_id: Uuid, device_id: Uuid, field: String, value: Option<String>, connection_id: Option<Uuid>,
    reason: Option<String>, records: String, created_at: DateTimeUtc, created_by: Option<Uuid>,
}, client ClientId);
table!(device_precedence = "device_precedence", key(organisation_id: Uuid), { ranking: String, version: i32 });
table!(device_known = "device_known", key(organisation_id: Uuid, record_id: Uuid, field: String), {
    value: String, blank_since: DateTimeUtc,
});
table!(device_stale = "device_stale", key(organisation_id: Uuid, connection_id: Uuid, entity_id: Uuid), {});
table!(portal_branding = "portal_branding", key(organisation_id: Uuid), {
    branding: String, updated_at: DateTimeUtc, version: i32,
});
table!(portal_config = "portal_config", key(organisation_id: Uuid, client_id: Uuid), {
    enabled: bool, settings: String, branding: String, updated_at: DateTimeUtc, version: i32,
}, client ClientId);
table!(portal_user = "portal_user", key(organisation_id: Uuid, id: Uuid), {
    client_id: Uuid, email: String, email_key: String, name: String, name_key: String, phone: Option<String>, role: String,
    state: String, password_hash: Option<String>, link_hash: Option<Vec<u8>>, link_made_at: Option<DateTimeUtc>,
    accepted_at: Option<DateTimeUtc>, deactivated_at: Option<DateTimeUtc>, signed_in_at: Option<DateTimeUtc>,
    created_at: DateTimeUtc, updated_at: DateTimeUtc, version: i32,
}, client ClientId);
table!(portal_session = "portal_session", key(organisation_id: Uuid, id: Uuid), {
    portal_user_id: Uuid, client_id: Uuid, token_hash: Vec<u8>, user_agent: Option<String>, address: Option<String>,
    created_at: DateTimeUtc, seen_at: DateTimeUtc, expires_at: DateTimeUtc,
    proved_at: Option<DateTimeUtc>, enrolment: bool,
}, client ClientId);
table!(portal_device = "portal_device", key(organisation_id: Uuid, id: Uuid), {
    portal_user_id: Uuid, client_id: Uuid, device_id: Uuid, created_at: DateTimeUtc,
}, client ClientId);
table!(service_request_type = "service_request_type", key(organisation_id: Uuid, id: Uuid), {
    name: String, name_key: String, description: String, fields: String, active: bool, created_at: DateTimeUtc,
    updated_at: DateTimeUtc, version: i32,
});
table!(service_request = "service_request", key(organisation_id: Uuid, id: Uuid), {
    client_id: Uuid, requester_id: Uuid, type_id: Uuid, type_name: String, description: String, answers: String,
    state: String, rejected_because: Option<String>, created_at: DateTimeUtc, updated_at: DateTimeUtc, version: i32,
    ticket_id: Option<Uuid>,
}, client ClientId);
table!(portal_ticket = "portal_ticket", key(organisation_id: Uuid, id: Uuid), {
    client_id: Uuid, number: i32, subject: String, subject_key: String, description: String, answers: String,
    requester_id: Option<Uuid>, made_by: Option<Uuid>, state: String, assignee_id: Option<Uuid>,
    service_request_id: Option<Uuid>, created_at: DateTimeUtc, updated_at: DateTimeUtc, version: i32,
}, client ClientId);
table!(portal_ticket_message = "portal_ticket_message", key(organisation_id: Uuid, id: Uuid), {
    ticket_id: Uuid, client_id: Uuid, number: i32, at: DateTimeUtc, kind: String, portal_user_id: Option<Uuid>,
    staff_id: Option<Uuid>, author: Option<String>, act: Option<String>, state: String, text: Option<String>,
    vendor_note_id: Option<String>,
}, client ClientId);
table!(portal_ticket_reading = "portal_ticket_reading", key(organisation_id: Uuid, ticket_id: Uuid, reader_kind: String, reader_id: Uuid), {
    client_id: Uuid, number: i32, read_at: DateTimeUtc,
}, client ClientId);
table!(ticket_link = "ticket_link", key(organisation_id: Uuid, ticket_id: Uuid), {
    client_id: Uuid, connection_id: Uuid, entity_id: Uuid, record_id: Option<Uuid>, number: Option<String>,
    status: Option<String>, open: Option<bool>, notes_read_at: Option<DateTimeUtc>,
}, client ClientId);
table!(ticket_sending = "ticket_sending", key(organisation_id: Uuid, id: Uuid), {
    ticket_id: Uuid, client_id: Uuid, connection_id: Uuid, kind: String, message_id: Option<Uuid>, state: String,
    queued_at: DateTimeUtc, tried_at: Option<DateTimeUtc>, sent_at: Option<DateTimeUtc>, problem: Option<String>,
}, client ClientId);
table!(service_request_step = "service_request_step", key(organisation_id: Uuid, id: Uuid), {
    request_id: Uuid, client_id: Uuid, number: i32, at: DateTimeUtc, portal_user_id: Option<Uuid>,
    staff_id: Option<Uuid>, act: Option<String>, state: String, note: Option<String>, internal_note: Option<String>,
}, client ClientId);
table!(agreement = "agreement", key(organisation_id: Uuid, id: Uuid), {
    series_id: Uuid, number: i32, title: String, text: String, managers_only: bool, sent_at: Option<DateTimeUtc>,
    created_at: DateTimeUtc, updated_at: DateTimeUtc, version: i32,
});
table!(agreement_instance = "agreement_instance", key(organisation_id: Uuid, id: Uuid), {
    agreement_id: Uuid, series_id: Uuid, client_id: Uuid, addressee_id: Option<Uuid>, state: String,
    sent_at: DateTimeUtc, viewed_at: Option<DateTimeUtc>, ended_at: Option<DateTimeUtc>, reason: Option<String>,
    signature: Option<String>, updated_at: DateTimeUtc, version: i32,
}, client ClientId);
table!(onboarding_template = "onboarding_template", key(organisation_id: Uuid, id: Uuid), {
    series_id: Uuid, number: i32, name: String, description: String, stalled_after_days: i32, steps: String,
    state: String, published_at: Option<DateTimeUtc>, retired_at: Option<DateTimeUtc>, created_at: DateTimeUtc,
    updated_at: DateTimeUtc, version: i32,
});
table!(onboarding = "onboarding", key(organisation_id: Uuid, id: Uuid), {
    template_id: Uuid, series_id: Uuid, client_id: Uuid, name: String, stalled_after_days: i32, state: String,
    total: i32, settled: i32, current_step: Option<String>, started_at: DateTimeUtc, moved_at: DateTimeUtc,
    stalled_at: DateTimeUtc, reminded_at: Option<DateTimeUtc>, ended_at: Option<DateTimeUtc>, reason: Option<String>,
    updated_at: DateTimeUtc, version: i32,
}, client ClientId);
table!(onboarding_step = "onboarding_step", key(organisation_id: Uuid, id: Uuid), {
    onboarding_id: Uuid, client_id: Uuid, number: i32, title: String, content: String, state: String,
    settled_at: Option<DateTimeUtc>, portal_user_id: Option<Uuid>, staff_id: Option<Uuid>, answers: String,
    reason: Option<String>, credentials: Option<Vec<u8>>, credentials_at: Option<DateTimeUtc>,
    credentials_reads: i32, credentials_read_at: Option<DateTimeUtc>, credentials_read_by: Option<Uuid>,
    updated_at: DateTimeUtc, version: i32,
}, client ClientId);
table!(ticket_form = "ticket_form", key(organisation_id: Uuid), {
    form: String, updated_at: DateTimeUtc, version: i32,
});
table!(run = "run", key(organisation_id: Uuid, id: Uuid), {
    connection_id: Uuid, kind: String, cause: String, state: String, listed: i64, added: i64, changed: i64,
    unchanged: i64, rejected: i64, repeated: i64, removed: i64, pages: i32, expected: Option<i64>,
    checkpoint: Option<String>, code: Option<String>, message: Option<String>, started_at: DateTimeUtc,
    finished_at: Option<DateTimeUtc>,
});
table!(run_page = "run_page", key(organisation_id: Uuid, run_id: Uuid, page: i32), { seen: Vec<u8> });
table!(listing = "listing", key(organisation_id: Uuid, connection_id: Uuid, kind: String, entity: String), {
    mark: Option<String>, full_at: Option<DateTimeUtc>, complete_at: Option<DateTimeUtc>, code: Option<String>,
    message: Option<String>,
});
table!(vendor_write = "vendor_write", key(organisation_id: Uuid, id: Uuid), {
    connection_id: Uuid, record_id: Uuid, action: String, wanted: String, state: String, code: Option<String>,
    message: Option<String>, created_at: DateTimeUtc, finished_at: Option<DateTimeUtc>,
});
table!(journal = "journal", key(organisation_id: Uuid, seq: i64), {
    id: Uuid, at: DateTimeUtc, actor: String, actor_kind: String, actor_id: Option<Uuid>, acted_for: Option<Uuid>,
    source_address: Option<String>, request_id: String, action: String, outcome: String, reason: Option<String>,
    changes: String, digest: String, reverts: Option<Uuid>, hash: Vec<u8>, change_set: Option<Uuid>,
    approved_by: Option<Uuid>,
});
table!(journal_client = "journal_client", key(organisation_id: Uuid, client_id: Uuid, seq: i64), {}, client ClientId);
table!(journal_head = "journal_head", key(organisation_id: Uuid), {
    seq: i64, hash: Vec<u8>, seal: Vec<u8>, clients_active: i64, clients_inactive: i64,
});
table!(idempotency = "idempotency", key(organisation_id: Uuid, caller: String, key: String), {
    fingerprint: Vec<u8>, status: i32, answer: Option<String>, created_at: DateTimeUtc,
});
table!(job = "job", key(organisation_id: Uuid, id: Uuid), {
    kind: String, payload: String, unique_key: String, state: String, priority: i32, run_at: DateTimeUtc,
    attempts: i32, max_attempts: i32, lease_token: Option<Uuid>, lease_until: Option<DateTimeUtc>,
    last_error: Option<String>, created_at: DateTimeUtc, finished_at: Option<DateTimeUtc>,
    connection_id: Option<Uuid>, worker_id: Option<Uuid>, waits_until: Option<DateTimeUtc>,
});

table!(bulk_operation = "bulk_operation", key(organisation_id: Uuid, id: Uuid), {
    action: String, state: String, digest: String, total: i64, unchanged: i64, done: i64, refused: i64, actor: String,
    started_by: Option<Uuid>, reason: Option<String>, approved_by: Option<Uuid>, approved_at: Option<DateTimeUtc>,
    created_at: DateTimeUtc, finished_at: Option<DateTimeUtc>, message: Option<String>, entry_id: Option<Uuid>,
    version: i32,
});
table!(bulk_item = "bulk_item", key(organisation_id: Uuid, operation_id: Uuid, client_id: Uuid), {
    planned: Vec<u8>, state: String, code: Option<String>, message: Option<String>,
}, client ClientId);
table!(bulk_settings = "bulk_settings", key(organisation_id: Uuid), { thresholds: String, version: i32 });
table!(connection_quiet = "connection_quiet", key(organisation_id: Uuid, connection_id: Uuid), {
    from_minute: i32, until_minute: i32, offset_minutes: i32, version: i32,
});
table!(staff_invitation = "staff_invitation", key(organisation_id: Uuid, id: Uuid), {
    email: String, email_key: String, name: String, role: String, allow_clients: Option<String>, deny_clients: String,
    token_hash: Vec<u8>, sent: i32, created_at: DateTimeUtc, created_by: Option<Uuid>, expires_at: DateTimeUtc,
    accepted_at: Option<DateTimeUtc>, revoked_at: Option<DateTimeUtc>, staff_id: Option<Uuid>, version: i32,
});
table!(password_reset = "password_reset", key(organisation_id: Uuid, staff_id: Uuid), {
    token_hash: Vec<u8>, created_at: DateTimeUtc, expires_at: DateTimeUtc,
});
table!(mail = "mail", key(organisation_id: Uuid, id: Uuid), {
    kind: String, recipient: String, mail_key: String, state: String, body: Option<Vec<u8>>, attempts: i32,
    last_error: Option<String>, send_before: Option<DateTimeUtc>, created_at: DateTimeUtc,
    finished_at: Option<DateTimeUtc>,
});

table!(tenant_connect = "tenant_connect", key(organisation_id: Uuid, id: Uuid), {
    client_id: Uuid, connection_id: Uuid, tenant_key: String, domain: Option<String>, state: String,
    state_reason: Option<String>, links: i32, link_hash: Option<Vec<u8>>, begun_by: Option<Uuid>,
    created_at: DateTimeUtc, expires_at: DateTimeUtc, connected_at: Option<DateTimeUtc>, updated_at: DateTimeUtc,
    version: i32,
}, client ClientId);
table!(client_redirect = "client_redirect", key(organisation_id: Uuid, id: Uuid), {
    into_id: Uuid, merged_at: DateTimeUtc,
}, client Id);

pub mod worker {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "worker")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub name: String,
        pub started_at: DateTimeUtc,
        pub seen_at: DateTimeUtc,
        pub slots: i32,
        pub running: i32,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod throttle {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "throttle")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub name: String,
        pub failures: i32,
        pub last_failure_at: DateTimeUtc,
        pub locked_until: Option<DateTimeUtc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod installation {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "installation")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub name: String,
        pub value: Vec<u8>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

table!(webhook_subscription = "webhook_subscription", key(organisation_id: Uuid, id: Uuid), {
    url: String, description: String, events: String, clients: Option<String>, enabled: bool,
    disabled_reason: Option<String>, failing_since: Option<DateTimeUtc>, secret: Vec<u8>, secret_version: i32,
    old_secret: Option<Vec<u8>>, old_secret_until: Option<DateTimeUtc>, created_at: DateTimeUtc,
    updated_at: DateTimeUtc, version: i32,
});
table!(product_event = "product_event", key(organisation_id: Uuid, id: Uuid), {
    kind: String, client_id: Option<Uuid>, body: String, created_at: DateTimeUtc,
});
table!(webhook_delivery = "webhook_delivery", key(organisation_id: Uuid, id: Uuid), {
    subscription_id: Uuid, event_id: Uuid, kind: String, client_id: Option<Uuid>, state: String, attempts: i32,
    tries: i32, next_at: Option<DateTimeUtc>, status: Option<i32>, error: Option<String>, created_at: DateTimeUtc,
    finished_at: Option<DateTimeUtc>,
});
table!(webhook_attempt = "webhook_attempt", key(organisation_id: Uuid, delivery_id: Uuid, number: i32), {
    at: DateTimeUtc, status: Option<i32>, ms: i64, error: Option<String>, answer: Option<String>,
});
table!(notification = "notification", key(organisation_id: Uuid, id: Uuid), {
    client_id: Uuid, portal_user_id: Uuid, kind: String, subject_id: Uuid, note_key: String, title: String,
    body: String, page: String, created_at: DateTimeUtc, read_at: Option<DateTimeUtc>,
}, client ClientId);
table!(notification_setting = "notification_setting", key(organisation_id: Uuid, id: Uuid), {
    client_id: Uuid, in_app: bool, ticket_status: bool, ticket_reply: bool, invoice_overdue: bool,
    updated_at: DateTimeUtc, version: i32,
}, client ClientId);
table!(journal_record = "journal_record", key(organisation_id: Uuid, record_id: Uuid, seq: i64), {
    client_id: Option<Uuid>,
}, client ClientId);
table!(journal_checkpoint = "journal_checkpoint", key(organisation_id: Uuid, id: Uuid), {
    seq: i64, hash: Vec<u8>, at: DateTimeUtc, public_key: Vec<u8>, signature: Vec<u8>,
});
table!(custom_role = "custom_role", key(organisation_id: Uuid, id: Uuid), {
    name: String, name_key: String, description: Option<String>, permissions: String, created_at: DateTimeUtc,
    updated_at: DateTimeUtc, version: i32, with_approval: String,
});
table!(service_account = "service_account", key(organisation_id: Uuid, id: Uuid), {
    name: String, name_key: String, description: Option<String>, role: String, custom_role_id: Option<Uuid>,
    key_scope: String, permissions: Option<String>, allow_clients: Option<String>, token_minutes: i32,
    requests_per_minute: i32, expires_at: Option<DateTimeUtc>, disabled_at: Option<DateTimeUtc>,
    used_at: Option<DateTimeUtc>, created_at: DateTimeUtc, created_by: Option<Uuid>, updated_at: DateTimeUtc,
    version: i32,
});
table!(service_account_secret = "service_account_secret", key(organisation_id: Uuid, id: Uuid), {
    service_account_id: Uuid, hint: String, secret_hash: Vec<u8>, created_at: DateTimeUtc, created_by: Option<Uuid>,
    expires_at: Option<DateTimeUtc>, used_at: Option<DateTimeUtc>,
});
table!(access_token = "access_token", key(organisation_id: Uuid, id: Uuid), {
    service_account_id: Uuid, secret_id: Uuid, token_hash: Vec<u8>, key_scope: String, permissions: Option<String>,
    created_at: DateTimeUtc, expires_at: DateTimeUtc,
});
table!(ticket_attachment = "ticket_attachment", key(organisation_id: Uuid, id: Uuid), {
    client_id: Uuid, ticket_id: Uuid, message_id: Uuid, message_number: i32, name: String, media_type: String,
    bytes: i64, sha256: String, content_id: Uuid, public: bool, portal_user_id: Option<Uuid>, staff_id: Option<Uuid>,
    created_at: DateTimeUtc, removed_at: Option<DateTimeUtc>, version: i32,
}, client ClientId);
table!(portal_email_change = "portal_email_change", key(organisation_id: Uuid, id: Uuid), {
    client_id: Uuid, email: String, link_hash: Vec<u8>, made_at: DateTimeUtc,
}, client ClientId);
table!(portal_origin = "portal_origin", key(organisation_id: Uuid), { origin: Option<String>, version: i32 });
table!(desk_notice = "desk_notice", key(organisation_id: Uuid, id: Uuid), {
    client_id: Uuid, kind: String, subject_id: Uuid, note_key: String, title: String, created_at: DateTimeUtc,
}, client ClientId);
table!(desk_notice_setting = "desk_notice_setting", key(organisation_id: Uuid, id: Uuid), {
    hidden: String, unmailed: String, version: i32,
});
table!(desk_reader = "desk_reader", key(organisation_id: Uuid, id: Uuid), {
    read_until: Option<Uuid>, mailed_until: Option<Uuid>,
});
table!(approval = "approval", key(organisation_id: Uuid, id: Uuid), {
    operation: String, method: String, path: String, permission: String, digest: String, changes: String,
    beyond_clients: bool, actor: String, actor_id: Option<Uuid>, asked_by: Option<Uuid>, acted_for: Option<Uuid>,
    reason: Option<String>, state: String, decided_by: Option<Uuid>, decided_at: Option<DateTimeUtc>,
    message: Option<String>, entry_id: Option<Uuid>, created_at: DateTimeUtc, expires_at: DateTimeUtc,
    finished_at: Option<DateTimeUtc>, request: Option<Vec<u8>>, version: i32,
});
table!(approval_client = "approval_client", key(organisation_id: Uuid, approval_id: Uuid, client_id: Uuid), {});
