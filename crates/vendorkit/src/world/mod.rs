//! The fictional MSP that all vendors are views of.

mod model;

pub use model::{Business, Device, DeviceClass, Location, MfaState, Person, Subscription, World};
