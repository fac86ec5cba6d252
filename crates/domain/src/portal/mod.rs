//! ClientOne, the portal of the clients: its accounts, what each role may do there, what is on for a client, and how it
//! looks. Rules only; each stands as a table.

mod account;
mod agreement;
mod branding;
mod desk_notice;
mod machine;
mod notification;
mod onboarding;
mod onboarding_state;
mod origin;
mod permission;
mod service;
mod service_state;
mod settings;
mod ticket;
mod ticket_attachment;
mod ticket_form;
mod ticket_state;

pub use account::{PortalAct, PortalRole, PortalState};
pub use agreement::{Agreement, AgreementAct, AgreementInstance, AgreementState, Signature};
pub use branding::{
    Branding, BrandingSource, Colour, EffectiveBranding, LEAST_CONTRAST_OF_PARTS, LEAST_CONTRAST_OF_TEXT, Logo,
    Palette, Shown, palette_problems,
};
pub use desk_notice::{DeskNoticeKind, DeskNoticeSwitches};
pub use machine::WrongState;
pub use notification::{NotificationKind, NotificationSwitches};
pub use onboarding::{
    GivenCredential, Onboarding, OnboardingContent, OnboardingStep, OnboardingStepKind, OnboardingTemplate,
    PlannedStep, STALLED_AFTER_DAYS, check_credentials,
};
pub use onboarding_state::{
    OnboardingAct, OnboardingState, OnboardingStepState, OnboardingTemplateAct, OnboardingTemplateState, current_step,
    step_after,
};
pub use origin::valid_origin;
pub use permission::{PORTAL_ACTIONS, PortalPermission, Reach, portal_matrix};
pub use service::{
    FieldAnswer, FieldKind, FormField, ServiceRequest, ServiceRequestStep, ServiceRequestType, check_answers,
    check_form,
};
pub use service_state::{ServiceRequestAct, ServiceRequestState};
pub use settings::{PortalAuthMode, PortalConfig, PortalSettings, Section};
pub use ticket::{
    PortalTicket, PortalTicketMessage, TicketLink, TicketMessageKind, TicketSending, TicketSendingKind, ticket_mark,
};
pub use ticket_attachment::{TicketAttachment, bytes_in_words};
pub use ticket_form::{TicketField, TicketForm, TicketOption};
pub use ticket_state::{PortalTicketAct, PortalTicketState, TicketSendingAct, TicketSendingState};
