//! The fictional MSP that all vendors are views of.

mod build;
mod change;
mod generate;
mod ids;
mod lookup;
mod model;
mod names;
mod noise;
mod random;
mod words;
mod work;

pub use change::{Change, Changed};
pub use generate::{VENDORS, WorldSize};
pub use ids::{key_of, uuid};
pub use model::{Business, Device, DeviceClass, Location, MfaState, Person, Subscription, World};
pub use noise::{fold_accents, without_legal_form};
pub use random::{Random, hash, mix};
pub use work::{Alert, Document, Gravity, Invoice, Job, Threat, Ticket, TicketState};
