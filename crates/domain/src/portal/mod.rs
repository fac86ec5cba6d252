//! ClientOne, the portal of the clients: its accounts, what each role may do there, what is on for a client, and how it
//! looks. Rules only; each stands as a table.

mod account;
mod branding;
mod permission;
mod settings;

pub use account::{PortalAct, PortalRole, PortalState};
pub use branding::{
    Branding, BrandingSource, Colour, EffectiveBranding, LEAST_CONTRAST_OF_PARTS, LEAST_CONTRAST_OF_TEXT, Palette,
    Shown, palette_problems,
};
pub use permission::{PORTAL_ACTIONS, PortalPermission, Reach, portal_matrix};
pub use settings::{PortalAuthMode, PortalConfig, PortalSettings, Section};
