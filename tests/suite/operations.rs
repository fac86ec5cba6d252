//! One row for each operation of the document: what a good request looks like, and which ids are in it.
//!
//! **To add a row** for a new operation: `row("noun_verb")`, then
//! * `.body(…)`: an example body as JSON. `$kind` stands for an id of that kind; the kinds are those that
//!   `House::furnish` gives back (a new kind of object needs a line there).
//! * `.file(…)`: the same for a CSV file, or any other.
//! * `.query(…)`: query parameters that hold ids, or that it needs.
//! * `.at("client_id", "subscriber")`: where a path parameter is not of the kind that its name says.
//! * `.open()`: for operations that nobody needs to sign in for.
//!
//! Then run with `UPDATE=1` and review the new line in `permissions_by_operation.txt`.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::document::Operation;

/// What a good request of an operation looks like.
#[derive(Clone, Debug)]
pub struct Row {
    /// The operation.
    pub operation: &'static str,
    /// Its body, with `$kind` for ids; empty when it takes none.
    pub body: &'static str,
    /// Whether the body is a CSV file instead.
    pub file: bool,
    /// Its query, without a question mark.
    pub query: &'static str,
    /// Whether nobody needs to sign in for it.
    pub open: bool,
    kinds: Vec<(&'static str, &'static str)>,
}

/// A row to be added to.
pub fn row(operation: &'static str) -> Row {
    Row { operation, body: "", file: false, query: "", open: false, kinds: Vec::new() }
}

impl Row {
    /// See the top of this file.
    pub fn body(self, body: &'static str) -> Self {
        Self { body, ..self }
    }

    /// A body that is a CSV file.
    pub fn file(self, body: &'static str) -> Self {
        Self { body, file: true, ..self }
    }

    /// See the top of this file.
    pub fn query(self, query: &'static str) -> Self {
        Self { query, ..self }
    }

    /// See the top of this file.
    pub fn at(mut self, parameter: &'static str, kind: &'static str) -> Self {
        self.kinds.push((parameter, kind));
        self
    }

    /// See the top of this file.
    pub fn open(self) -> Self {
        Self { open: true, ..self }
    }
}

/// Every row.
pub fn rows() -> Vec<Row> {
    vec![
        row("session_create").open().body(r#"{"email":"nobody@kite.example","password":"not the right one"}"#),
        row("session_complete").open().body(r#"{"token":"pending_of-nobody","code":"123456"}"#),
        row("session_reauthenticate").body(r#"{"code":"123456"}"#),
        row("session_end"),
        row("session_list"),
        row("session_delete"),
        row("sessions_delete_others"),
        row("second_factor_get"),
        row("totp_enrol"),
        row("totp_confirm").body(r#"{"code":"123456"}"#),
        row("totp_remove"),
        row("recovery_codes_make"),
        row("second_factor_reset"),
        row("passkey_list"),
        row("passkey_challenge"),
        row("passkey_create").body(r#"{"name":"Laptop","credential":{"id":"AA"}}"#),
        row("passkey_update").body(r#"{"name":"Renamed"}"#),
        row("passkey_delete"),
        row("session_passkey_challenge").open().body(r#"{"token":"pending_of-nobody"}"#),
        row("session_passkey_create").open().body(r#"{"credential":{"id":"AA"}}"#),
        row("reauthentication_challenge"),
        row("session_reauthenticate_passkey").body(r#"{"credential":{"id":"AA"}}"#),
        row("security_settings_get"),
        row("security_settings_update").body(r#"{"require_mfa":true,"idle_minutes":60,"absolute_minutes":600}"#),
        row("sso_start").open().body(r#"{"organisation":"nowhere"}"#),
        row("sso_link_list"),
        row("sso_link_start"),
        row("sso_link_delete"),
        row("sso_provider_list").query("client_id=$subscriber"),
        row("sso_provider_get"),
        row("sso_provider_create").body(
            r#"{"audience":"portal","client_id":"$subscriber","name":"Quay ID","kind":"oidc","issuer":"https://id.kite.example",
                "app_id":"app","secret":"s3cret","domains":["subscriber.example"]}"#,
        ),
        row("sso_provider_update").body(r#"{"name":"Renamed","enabled":false}"#),
        row("sso_provider_delete"),
        row("sso_provider_test"),
        row("sso_provider_link_list"),
        row("sso_provider_link_delete"),
        row("me_get"),
        row("password_change").body(r#"{"present_password":"not the right one","new_password":"another fine long one"}"#),
        row("staff_list"),
        row("staff_create").body(
            r#"{"name":"Nova New","email":"nova@kite.example","password":"a fine long password","role":"engineer",
                "allow_clients":["$client"],"deny_clients":["$hidden"]}"#,
        ),
        row("staff_update").body(r#"{"name":"Renamed","allow_clients":["$client"],"deny_clients":["$hidden"]}"#),
        row("staff_invitation_list"),
        row("staff_invite").body(
            r#"{"name":"Ina Invited","email":"ina@kite.example","role":"engineer","allow_clients":["$client"],"deny_clients":["$hidden"]}"#,
        ),
        row("staff_invitation_revoke"),
        row("staff_invitation_accept").open().body(r#"{"token":"pinv_nothing","name":"Nobody","password":"a fine long password"}"#),
        row("staff_remove"),
        row("ownership_transfer").body(r#"{"own_role":"admin"}"#),
        row("password_reset_request").open().body(r#"{"email":"nobody@nowhere.example"}"#),
        row("password_reset_set").open().body(r#"{"token":"pset_nothing","password":"a fine long password"}"#),
        row("mail_list"),
        row("api_key_list"),
        row("api_key_create").body(r#"{"name":"machine","scope":"read","clients":["$client"],"expires_in_days":30}"#),
        row("api_key_revoke"),
        row("integration_list"),
        row("integration_menus_get"),
        row("integration_get"),
        row("connection_list"),
        row("connection_create").body(r#"{"integration":"pax8","name":"Second","credentials":$credentials,"cadence_minutes":60}"#),
        row("connection_trial").body(r#"{"integration":"pax8","credentials":$credentials}"#),
        row("connection_get"),
        row("connection_update").body(r#"{"name":"Renamed","cadence_minutes":30}"#),
        row("connection_quiet_get"),
        row("connection_quiet_set").body(r#"{"from":"22:00","until":"06:30","utc_offset_minutes":60}"#),
        row("connection_quiet_unset"),
        row("bulk_preview").body(r#"{"action":"tags_add","tags":["gold"],"clients":["$client","$subscriber"]}"#),
        row("bulk_start").body(r#"{"action":"tags_add","tags":["gold"],"clients":["$client","$subscriber"]}"#),
        row("bulk_list"),
        row("bulk_get"),
        row("bulk_client_list"),
        row("bulk_approve").body(r#"{"plan":"another"}"#),
        row("bulk_cancel"),
        row("bulk_events").query("seconds=1"),
        row("approval_list"),
        row("approval_get"),
        row("approval_approve").body(r#"{"digest":"another"}"#),
        row("approval_reject").body(r#"{"reason":"Not this month"}"#),
        row("approval_withdraw"),
        row("bulk_settings_get"),
        row("bulk_settings_update").body(r#"{"engineer":50}"#),
        row("connection_delete"),
        row("connection_test"),
        row("connection_disconnect"),
        row("connection_pause"),
        row("connection_webhook_create").at("connection_id", "psa").body("{}"),
        row("connection_webhook_delete").at("connection_id", "psa"),
        row("connection_share_list"),
        row("connection_share_create").body(r#"{"client_id":"$client"}"#),
        row("connection_share_delete").at("client_id", "subscriber"),
        row("client_connection_list"),
        row("unverified_mapping_list").at("client_id", "subscriber"),
        row("mapping_type").body(r#"{"integration":"sophos","vendor_id":"not-listed-yet"}"#),
        row("unverified_mapping_delete").at("client_id", "subscriber").at("unverified_mapping_id", "typed"),
        row("connection_consent_start"),
        row("connection_reconnect"),
        row("sync_start"),
        row("connection_replay"),
        row("connection_progress_get"),
        row("connection_events").query("seconds=1"),
        row("job_list").query("connection_id=$connection"),
        row("job_retry"),
        row("job_drop"),
        row("run_list").query("connection_id=$connection"),
        row("run_get"),
        row("run_release"),
        row("run_drop"),
        row("entity_list"),
        row("mapping_suggest"),
        row("mapping_save").body(
            r#"{"mappings":[{"entity_id":"$entity","target":"client","client_id":"$client","reason":"theirs"}]}"#,
        ),
        row("alias_list").at("client_id", "subscriber"),
        row("alias_delete").at("client_id", "subscriber"),
        row("device_precedence_get"),
        row("device_precedence_set").body(r#"{"integrations":["ninjaone"],"fields":{"os":["sentinelone"]}}"#),
        row("matching_settings_get"),
        row("matching_settings_update").body(r#"{"threshold":0.9}"#),
        row("drift_list").query("connection_id=$connection&client_id=$client"),
        row("drift_fix").at("drift_id", "new_drift").body(r#"{"fix":"map","client_id":"$client"}"#),
        row("drift_dismiss").query("reason=known"),
        row("psa_settings_get").at("connection_id", "psa"),
        row("psa_settings_update").at("connection_id", "psa").body(r#"{"direction":"from_psa","owners":{"phone":"either"}}"#),
        row("psa_conflict_list").query("connection_id=$psa&client_id=$client"),
        row("psa_conflict_resolve").body(r#"{"resolutions":[{"conflict_id":"$psa_conflict","take":"leave"}]}"#),
        row("import_apply").body(
            r#"{"connection_id":"$connection","entities":[{"entity_id":"$entity","decision":"link","client_id":"$client"}]}"#,
        ),
        row("csv_import_apply").file("id,name,notes\n$client,Renamed,Note\n"),
        row("client_export"),
        row("client_archive"),
        row("client_restore").at("client_id", "archived"),
        row("deleted_client_list"),
        row("client_undelete"),
        row("client_merge").body(r#"{"into":"$subscriber","take":["phone"]}"#),
        row("client_list"),
        row("client_stats"),
        row("client_create").body(r#"{"name":"New Client","notes":"Note","contact_email":"a@b.example","phone":"1","address":"Road 1","entities":["$entity"]}"#),
        row("client_get"),
        row("client_update").body(r#"{"name":"Renamed","notes":"Note","contact_email":"a@b.example","phone":"1","address":"Road 1"}"#),
        row("client_delete"),
        row("client_device_list"),
        row("client_joined_device_list").at("client_id", "subscriber"),
        row("client_joined_device_get").at("client_id", "subscriber"),
        row("device_lock").at("client_id", "subscriber").body(r#"{"field":"name","connection_id":"$observer"}"#),
        row("device_unlock").at("client_id", "subscriber").body(r#"{"field":"name"}"#),
        row("device_join").at("client_id", "subscriber").body(r#"{"device_ids":["$other_device"]}"#),
        row("device_split").at("client_id", "subscriber").body(r#"{"observations":["$observation"]}"#),
        row("client_user_list"),
        row("client_microsoft365_get"),
        row("client_subscription_list"),
        row("client_threat_list"),
        row("client_alert_list"),
        row("client_backup_list"),
        row("client_backup_summary_get"),
        row("client_reconciliation_get"),
        row("client_domain_list"),
        row("client_hosting_list"),
        row("client_repeating_invoice_list"),
        row("client_phone_system_list"),
        row("client_extension_list"),
        row("client_mail_usage_list"),
        row("client_mail_sender_list"),
        row("client_management_server_list"),
        row("client_contact_list"),
        row("client_ticket_list"),
        row("client_job_list"),
        row("client_document_list"),
        row("client_invoice_list"),
        row("client_location_list"),
        row("threat_action_list").at("client_id", "subscriber"),
        row("threat_act").at("client_id", "subscriber").body(r#"{"action":"kill"}"#),
        row("ticket_create").at("client_id", "subscriber").body(
            r#"{"entity_id":"$desk","title":"Printer","description":"Since today"}"#,
        ),
        row("ticket_update").at("client_id", "subscriber").body(r#"{"title":"Renamed"}"#),
        row("ticket_note_add").at("client_id", "subscriber").body(r#"{"text":"Called them.","public":true}"#),
        row("contact_create").at("client_id", "subscriber").body(
            r#"{"entity_id":"$held","given_name":"Nova","family_name":"New","email":"nova.new@kite.example","phone":"1"}"#,
        ),
        row("contact_update").at("client_id", "subscriber").body(r#"{"given_name":"Renamed"}"#),
        row("contact_remove").at("client_id", "subscriber"),
        row("document_archive").at("client_id", "subscriber").body(r#"{"archived":true}"#),
        row("custom_fields_get").at("client_id", "subscriber"),
        row("custom_fields_set").at("client_id", "subscriber").body(r#"{"values":[{"name":"siteCode","value":"HD-1"}]}"#),
        row("installer_link_make").at("client_id", "subscriber").body(
            r#"{"entity_id":"$held","location_id":"$location","platform":"WINDOWS_MSI"}"#,
        ),
        row("ticket_choices_get").at("connection_id", "psa"),
        row("template_list"),
        row("subscription_quantity_set").at("client_id", "subscriber").body(r#"{"quantity":7}"#),
        row("clientone_list").query("client_id=$client"),
        row("clientone_get").at("client_id", "subscriber"),
        row("clientone_update").at("client_id", "subscriber").body(r#"{"sections":["devices"],"all_devices_when_unassigned":true}"#),
        row("clientone_enable").at("client_id", "archived"),
        row("clientone_disable").at("client_id", "subscriber"),
        row("clientone_branding_set").at("client_id", "subscriber").body(r#"{"welcome_message":"Hello.","product_name":"Desk"}"#),
        row("clientone_default_branding_get"),
        row("clientone_origin_get"),
        row("desk_notice_list"),
        row("desk_notices_unread"),
        row("desk_notices_read").body("{}"),
        row("desk_notice_settings_get"),
        row("desk_notice_settings_update").body(r#"{"hidden":[],"unmailed":["ticket_made"]}"#),
        row("clientone_origin_set").body(r#"{"origin":"https://portal.kite.example"}"#),
        row("clientone_default_branding_set").body(r#"{"welcome_message":"Hello.","product_name":"Desk"}"#),
        row("portal_user_list").query("client_id=$subscriber"),
        row("portal_user_invite").body(
            r#"{"client_id":"$subscriber","email":"new.guest@kite.example","name":"Nova Guest","role":"user"}"#,
        ),
        row("portal_user_get"),
        row("portal_user_update").body(r#"{"name":"Renamed","role":"manager"}"#),
        row("portal_user_deactivate"),
        row("portal_email_change_get"),
        row("portal_email_change_start").body(r#"{"email":"another.address@kite.example"}"#),
        row("portal_email_change_cancel"),
        row("portal_user_reactivate"),
        row("portal_second_factor_reset"),
        row("portal_user_device_list"),
        row("portal_user_devices_set").body(r#"{"device_ids":["$device"]}"#),
        row("portal_invitation_resend").at("portal_user_id", "invitee"),
        row("portal_invitation_revoke").at("portal_user_id", "invitee"),
        row("clientone_activity_list").query("client_id=$subscriber&portal_user_id=$portal_user"),
        row("service_request_type_list"),
        row("service_request_type_create").body(
            r#"{"name":"Desk","description":"A desk","fields":[{"key":"size","label":"Size","kind":"number","required":true}]}"#,
        ),
        row("service_request_type_update").body(r#"{"name":"Renamed","active":false}"#),
        row("service_request_list").query("client_id=$subscriber&service_request_type_id=$service_request_type"),
        row("service_request_get"),
        row("service_request_act").body(r#"{"act":"review","note":"We look at it.","internal_note":"Budget?"}"#),
        row("ticket_form_get"),
        row("ticket_form_set").body(
            r#"{"fields":[{"key":"priority","label":"Priority","kind":"choice","options":["Low","High"],"required":true},
                {"key":"category","label":"Category","kind":"choice","options":["Other"],"required":false}]}"#,
        ),
        row("service_request_convert").body(r#"{"subject":"A laptop"}"#),
        row("portal_ticket_list").query("client_id=$subscriber"),
        row("portal_ticket_get"),
        row("portal_ticket_make").body(
            r#"{"client_id":"$subscriber","portal_user_id":"$portal_user","subject":"Screen","description":"It is dark."}"#,
        ),
        row("portal_ticket_say").body(r#"{"text":"We look at it."}"#),
        row("portal_ticket_note").body(r#"{"text":"A bad fuse."}"#),
        row("portal_ticket_act").body(r#"{"act":"start"}"#),
        row("portal_ticket_assign").body(r#"{"staff_id":"$staff"}"#),
        row("portal_ticket_mark_read"),
        row("portal_ticket_send_again"),
        row("ticket_attachment_list"),
        row("ticket_attachment_upload").query("name=photo.txt&internal=true").file("The light is red."),
        row("ticket_attachment_content_get"),
        row("ticket_attachment_remove"),
        row("agreement_list").query("series_id=$agreement"),
        row("agreement_get"),
        row("agreement_create").body(r#"{"title":"Terms","text":"What holds.","managers_only":true}"#),
        row("agreement_update").body(r#"{"title":"Renamed","text":"What holds now.","managers_only":false}"#),
        row("agreement_revise"),
        row("agreement_send").body(r#"{"client_ids":["$subscriber"],"portal_user_id":"$portal_user"}"#),
        row("agreement_instance_list").query("client_id=$subscriber"),
        row("agreement_instance_get"),
        row("agreement_withdraw"),
        row("onboarding_template_list").query("series_id=$onboarding_template"),
        row("onboarding_template_get"),
        row("onboarding_template_create").body(
            r#"{"name":"New","description":"For all","stalled_after_days":5,"steps":[
                {"title":"Terms","kind":"agreement","agreement_id":"$agreement"},
                {"title":"Read","kind":"document","document_id":"$library_document"},
                {"title":"Tell","kind":"task","text":"Do it."}]}"#,
        ),
        row("onboarding_template_update").at("onboarding_template_id", "onboarding_draft").body(
            r#"{"name":"Renamed","steps":[{"title":"Go","kind":"kickoff","text":"Choose.","link":"https://calendar.example/a"}]}"#,
        ),
        row("onboarding_template_revise"),
        row("onboarding_template_publish").at("onboarding_template_id", "onboarding_draft"),
        row("onboarding_template_retire"),
        row("onboarding_assign").body(r#"{"client_ids":["$subscriber"]}"#),
        row("onboarding_list").query("client_id=$subscriber&onboarding_template_id=$onboarding_template"),
        row("onboarding_get"),
        row("onboarding_cancel").body(r#"{"reason":"Later."}"#),
        row("onboarding_step_skip").body(r#"{"reason":"Known."}"#),
        row("onboarding_step_reopen"),
        row("onboarding_credentials_read"),
        row("customer_list"),
        row("customer_export"),
        row("tenant_export").query("customer_id=$client"),
        row("customer_create").body(
            r#"{"name":"New Customer","primary_contact":"a@b.example","phone":"1","address":"Road 1","notes":"Note"}"#,
        ),
        row("customer_get").at("customerId", "client"),
        row("customer_update").at("customerId", "client").body(
            r#"{"name":"Renamed","primary_contact":"a@b.example","phone":"1","address":"Road 1","notes":"Note"}"#,
        ),
        row("customer_delete").at("customerId", "client"),
        row("customer_tenant_list").at("customerId", "client"),
        row("customer_tenant_associate").at("customerId", "subscriber").body(r#"{"tenant_id":"$open_tenant"}"#),
        row("customer_tenant_dissociate").at("customerId", "subscriber").at("tenantId", "tenant"),
        row("customer_contact_list").at("customerId", "client"),
        row("customer_contact_create").at("customerId", "client").body(
            r#"{"name":"Ana","email":"ana@kite.example","phone":"1","title":"Manager","escalation":1,"primary":true}"#,
        ),
        row("customer_contact_update").at("customerId", "subscriber").at("contactId", "kept_contact").body(
            r#"{"name":"Ana","email":"ana@kite.example"}"#,
        ),
        row("customer_contact_delete").at("customerId", "subscriber").at("contactId", "kept_contact"),
        row("customer_activity_list").at("customerId", "client"),
        row("tenant_list").query("customer_id=$client"),
        row("tenant_get"),
        row("tenant_update").body(r#"{"display_name":"Ours","tags":["test"]}"#),
        row("tenant_sync"),
        row("tenants_sync").body(r#"{"tenant_ids":["$tenant"]}"#),
        row("tenants_tag").body(r#"{"tenant_ids":["$tenant"],"add":["test"]}"#),
        row("tenant_disconnect"),
        row("tenant_reconnect"),
        row("tenant_connect_list").query("customer_id=$client"),
        row("tenant_connect_get"),
        row("tenant_connect_start").body(
            r#"{"customer_id":"$client","tenant":"7d7d7d7d-0000-4000-8000-000000000003","connection_id":"$door"}"#,
        ),
        row("tenant_connect_link"),
        row("tenant_connect_confirm"),
        row("tenant_connect_cancel"),
        row("client_note_list"),
        row("client_note_create").body(r#"{"text":"Note"}"#),
        row("client_note_update").at("client_id", "subscriber").body(r#"{"text":"Another"}"#),
        row("client_note_delete").at("client_id", "subscriber"),
        row("library_document_list").query("client_id=$client&shown_to=$client"),
        row("library_document_create").body(
            r#"{"library":"customer","title":"New","content":"Text","client_id":"$client","published":true}"#,
        ),
        row("library_document_get"),
        row("library_version_list"),
        row("library_document_update").body(r#"{"title":"Renamed","client_id":"$client","published":true}"#),
        row("library_document_delete"),
        row("library_document_copy").body(r#"{"library":"customer","title":"Copy","client_id":"$client"}"#),
        row("file_list").query("client_id=$client"),
        row("file_upload").query("name=notes.txt&client_id=$client&title=Notes&category=Other").file("What was said."),
        row("file_get"),
        row("file_version_list"),
        row("file_content_get"),
        row("file_replace").query("name=notes.txt").file("What was said since."),
        row("file_update").body(r#"{"title":"Renamed","name":"renamed.txt","category":"Other","description":"Kept."}"#),
        row("file_publish").at("file_id", "own_file").body(r#"{"to":"chosen","client_ids":["$client"],"managers_only":true}"#),
        row("file_unpublish"),
        row("file_remove"),
        row("file_restore").at("file_id", "removed_file"),
        row("clientone_logo_set").at("client_id", "subscriber").file("not a picture"),
        row("clientone_logo_remove").at("client_id", "subscriber"),
        row("clientone_default_logo_set").file("not a picture"),
        row("clientone_default_logo_remove"),
        row("agreement_instance_pdf_get"),
        row("saved_filter_list"),
        row("saved_filter_create").body(r#"{"name":"New","query":"status=active"}"#),
        row("saved_filter_update").body(r#"{"name":"Renamed"}"#),
        row("saved_filter_delete"),
        row("webhook_event_list"),
        row("webhook_subscription_list"),
        row("webhook_subscription_create").body(
            r#"{"url":"https://hooks.example/new","description":"New","events":["client.created"],"client_ids":["$client"]}"#,
        ),
        row("webhook_subscription_get"),
        row("webhook_subscription_update").body(
            r#"{"url":"https://hooks.example/other","description":"Renamed","events":[],"client_ids":["$client"]}"#,
        ),
        row("webhook_subscription_delete"),
        row("webhook_secret_rotate"),
        row("webhook_test"),
        row("webhook_delivery_list"),
        row("webhook_delivery_get"),
        row("webhook_delivery_retry"),
        row("webhook_deliveries_retry").body(r#"{"since":"2026-01-01T00:00:00Z"}"#),
        row("journal_list").query("client_id=$client"),
        row("journal_verify"),
        row("journal_export"),
        row("journal_checkpoint_list"),
        row("journal_checkpoint_get"),
        row("journal_checkpoint_create"),
        row("service_account_list"),
        row("service_account_get"),
        row("service_account_create").body(
            r#"{"name":"Warehouse","role":"viewer","scope":"read","clients":["$client"],"permissions":["clients_view"]}"#,
        ),
        row("service_account_update").body(r#"{"name":"Renamed","clients":["$client"],"enabled":true}"#),
        row("service_account_delete"),
        row("service_account_secret_create").body(r#"{"expires_in_days":30}"#),
        row("service_account_secret_delete"),
        row("custom_role_list"),
        row("custom_role_create").body(r#"{"name":"Desk","permissions":["clients_view","tickets_work"]}"#),
        row("custom_role_update").body(r#"{"name":"Renamed","permissions":["clients_view"]}"#),
        row("custom_role_delete"),
        row("custom_role_assign").body(r#"{"custom_role_id":"$custom_role"}"#),
        row("journal_get"),
        row("journal_revert").body(r#"{"despite":["$client"]}"#),
    ]
}

/// Where an id stands in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the path.
    Path,
    /// In the query.
    Query,
    /// In the body.
    Body,
}

/// A request of an operation before its ids are filled in.
#[derive(Clone, Debug)]
pub struct Template {
    /// The operation.
    pub operation: Operation,
    /// Its row.
    pub row: Row,
    /// Path with `$kind` for ids.
    path: String,
    query: String,
}

/// Ids by kind.
pub type Ids = BTreeMap<&'static str, String>;

impl Template {
    /// The request of an operation by its row.
    pub fn new(operation: Operation, row: Row) -> Self {
        let mut path = operation.path.clone();
        for (name, place) in &operation.parameters {
            let said = row.kinds.iter().find(|(parameter, _)| parameter == name).map(|(_, kind)| *kind);
            let kind = said.unwrap_or(name.trim_end_matches("_id"));
            if place == "path" {
                let id = if name == "integration_id" { "pax8".to_owned() } else { format!("${kind}") };
                path = path.replace(&format!("{{{name}}}"), &id);
            }
        }
        let query = row.query.to_owned();
        Self { operation, row, path, query }
    }

    /// The same, as a preview where the operation has one.
    pub fn preview(mut self) -> Self {
        if self.operation.asks("dry_run") {
            let join = if self.query.is_empty() { "" } else { "&" };
            self.query = format!("{}{join}dry_run=true", self.query);
        }
        self
    }

    /// Every id in it: where, and of which kind.
    pub fn slots(&self) -> Vec<(Place, String)> {
        let parts = [(Place::Path, self.path.as_str()), (Place::Query, &self.query), (Place::Body, self.row.body)];
        let kinds = |(place, text): (Place, &str)| {
            pieces(text)
                .into_iter()
                .filter(|(is_id, kind)| *is_id && kind != "credentials")
                .map(move |(_, kind)| (place, kind))
                .collect::<Vec<_>>()
        };
        parts.into_iter().flat_map(kinds).collect()
    }

    /// Path with query, and body (a text where it is a file), with the ids filled in; `other` replaces the id of one slot.
    pub fn fill(&self, ids: &Ids, other: Option<(usize, &str)>) -> (String, Option<Value>) {
        let mut at = 0;
        let mut fill = |text: &str| {
            let piece = |(is_id, text): (bool, String)| {
                if !is_id {
                    return text;
                }
                let id = ids.get(text.as_str()).unwrap_or_else(|| panic!("no id of the kind {text}")).clone();
                if text == "credentials" {
                    return id;
                }
                at += 1;
                other.filter(|(slot, _)| *slot == at - 1).map_or(id, |(_, other)| other.to_owned())
            };
            pieces(text).into_iter().map(piece).collect::<String>()
        };
        let mut path = fill(&self.path);
        if !self.query.is_empty() {
            path = format!("{path}?{}", fill(&self.query));
        }
        let body = fill(self.row.body);
        if self.row.file {
            return (path, Some(Value::String(body)));
        }
        let body =
            (!body.is_empty()).then(|| serde_json::from_str(&body).unwrap_or_else(|why| panic!("{body}: {why}")));
        (path, body)
    }
}

/// A text in pieces: what is an id (its kind, without the `$`), and what is not.
fn pieces(text: &str) -> Vec<(bool, String)> {
    let mut parts = text.split('$');
    let mut pieces = vec![(false, parts.next().unwrap_or_default().to_owned())];
    for part in parts {
        let end = part.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(part.len());
        pieces.push((true, part[..end].to_owned()));
        pieces.push((false, part[end..].to_owned()));
    }
    pieces
}

/// Every operation of the staff's document with its row; fails when one is without.
pub fn templates() -> Vec<Template> {
    templates_of(crate::document::operations(), rows())
}

/// Every operation of a document with its row; fails when one is without.
pub fn templates_of(operations: Vec<Operation>, rows: Vec<Row>) -> Vec<Template> {
    let mut rows: BTreeMap<&str, Row> = rows.into_iter().map(|row| (row.operation, row)).collect();
    let mut without = Vec::new();
    let mut templates = Vec::new();
    for operation in operations {
        match rows.remove(operation.id.as_str()) {
            Some(row) => templates.push(Template::new(operation, row)),
            None => without.push(operation.id),
        }
    }
    assert!(without.is_empty(), "operations without a row in tests/suite/operations.rs: {without:?}");
    assert!(rows.is_empty(), "rows without an operation in the document: {:?}", rows.keys());
    for template in &templates {
        assert_eq!(
            template.row.body.is_empty() || template.row.file,
            template.operation.body.is_null(),
            "{}",
            template.operation.id
        );
    }
    templates
}
