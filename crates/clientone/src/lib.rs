//! ClientOne, the portal of the MSP's clients: how it is set up, and what its people see there.
//!
//! * `config.rs` and `branding.rs`: what those who manage ClientOne decide, for each client.
//! * `service_types.rs` and `service_requests.rs`: what a client's people can ask for, and what becomes of it.
//! * `agreements.rs` (staff make and send them) and `signing.rs` (people of clients read, sign, decline).
//! * `onboarding_templates.rs` and `onboarding.rs` (staff make templates, assign them, and lead what was begun),
//!   `onboarding_portal.rs` (people of clients do one step after the other), `onboarding_course.rs` (how it goes on).
//! * `documents.rs`: what is published to a client's people: texts and files. `logo.rs`: logos, made safe.
//! * `agreement_pdf.rs`: an agreement with its signature as PDF.
//! * `ticket_fields.rs`: what is asked of whoever opens a ticket.
//! * `notices.rs`: what people are told of all that, as they read it.
//! * `ticket_fields.rs`: what is asked of whoever opens a ticket. `tickets.rs`: tickets as people of clients make and
//!   follow them; `ticket_desk.rs`: as staff work on them; `ticket_news.rs`: what a PSA tells, and who is told of it.
//! * `ticket_attachments.rs`: files of tickets.
//! * `origin.rs`: where the portal is, for links in letters.
//! * `desk_notices.rs`: what staff are told of all that.
//! * `notices.rs`: letters about all that.
//! * `sight.rs`: which devices someone sees. `activity.rs`: what was done in ClientOne, for staff and for portal users.
//!
//! Accounts and signing in are the business of `access`; which part of ClientOne is there for whom stands as a table in
//! `domain::portal`. An operation is a function that takes a `Tx`, as in `directory`.
//!
//! **A new section** (service requests, onboarding, agreements): a `Section` and a `PortalPermission` in `domain`, a file
//! here, and its actions in `domain::PORTAL_ACTIONS`, or they show in no feed.

mod activity;
mod agreement_pdf;
mod agreements;
mod branding;
mod config;
mod desk_notices;
mod documents;
mod logo;
mod notices;
mod onboarding;
mod onboarding_course;
mod onboarding_portal;
mod onboarding_templates;
mod origin;
mod service_requests;
mod service_types;
mod sight;
mod signing;
mod texts;
mod ticket_attachments;
mod ticket_desk;
mod ticket_fields;
mod ticket_news;
mod tickets;

pub use activity::{activity_list, activity_seen_by};
pub use agreement_pdf::{AgreementRecord, agreement_pdf};
pub use agreements::{
    AgreementDraft, AgreementPatch, Sending, agreement_create, agreement_revise, agreement_send, agreement_update,
    agreement_withdraw,
};
pub use branding::{BrandingDraft, clientone_branding_set, clientone_default_branding_set, effective_branding};
pub use config::{SettingsPatch, clientone_disable, clientone_enable, clientone_list, clientone_update};
pub use desk_notices::{desk_notice_list, desk_notice_settings_update, desk_notices_read, desk_notices_unread};
pub use documents::{CompanyDocument, DocumentSearch, company_document, company_document_count, company_documents};
pub use logo::{LOGO_BYTES, LogoWritten, SafeLogo, clientone_default_logo_set, clientone_logo_set, logo_made_safe};
pub use notices::{
    SwitchesPatch, notification_list, notification_read, notification_settings_update, notifications_read,
    notifications_unread,
};
pub use onboarding::{
    onboarding_assign, onboarding_cancel, onboarding_credentials_read, onboarding_get, onboarding_step_reopen,
    onboarding_step_skip,
};
pub use onboarding_portal::{
    CurrentStep, StepGiven, onboarding_current, onboarding_seen_by, onboarding_step_complete, onboardings_seen_by,
};
pub use onboarding_templates::{
    OnboardingTemplateDraft, OnboardingTemplatePatch, onboarding_template_create, onboarding_template_publish,
    onboarding_template_retire, onboarding_template_revise, onboarding_template_update,
};
pub use origin::{clientone_origin_get, clientone_origin_set};
pub use service_requests::{
    NewServiceRequest, RequestNotes, service_request_act, service_request_cancel, service_request_create,
    service_request_get, service_request_list, service_request_seen_by, service_requests_seen_by,
};
pub use service_types::{
    ServiceRequestTypeDraft, ServiceRequestTypePatch, service_request_type_create, service_request_type_list,
    service_request_type_update, service_request_types_offered,
};
pub use sight::{device_sight, sees_all_devices};
pub use signing::{
    SignatureGiven, agreement_decline, agreement_seen_by, agreement_sign, agreement_view, agreements_seen_by,
    sections_shown, signature_holds, text_hash, with_versions,
};
pub use ticket_attachments::{
    AttachmentLimits, NewAttachment, ticket_attachment_add, ticket_attachment_desk_place, ticket_attachment_get,
    ticket_attachment_list, ticket_attachment_place, ticket_attachment_remove, ticket_attachment_seen_by,
    ticket_attachment_upload, ticket_attachments_seen_by,
};
pub use ticket_desk::{
    portal_ticket_act, portal_ticket_assign, portal_ticket_get, portal_ticket_list, portal_ticket_make,
    portal_ticket_mark_read, portal_ticket_note, portal_ticket_say, portal_ticket_send_again, service_request_convert,
};
pub use ticket_fields::{ticket_form_asked, ticket_form_get, ticket_form_set};
pub use ticket_news::{PsaNews, PsaNote, portal_ticket_take};
pub use tickets::{
    Desk, NewTicket, TicketWhole, portal_ticket_create, portal_ticket_read, portal_ticket_reply, portal_ticket_seen_by,
    portal_ticket_turn, portal_tickets_open, portal_tickets_seen_by,
};
