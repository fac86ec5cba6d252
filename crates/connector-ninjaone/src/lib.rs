//! NinjaOne: organisations with their locations, devices, end users, alerts and documents.
//!
//! * `api.rs`: the vendor's manners: token, rights, addresses, paging by last id. `errors.rs`: all its error
//!   bodies, read by one function.
//! * `wire.rs`: the vendor's listings as they really are, only the fields we use; `loose.rs` reads single values.
//! * `organizations.rs`, `locations.rs`, `devices.rs`, `contacts.rs` (which also writes), `alerts.rs`,
//!   `documents.rs`: one kind of record each.
//! * `fields.rs`: types and values of fields that the MSP made; `custom_fields.rs` and `documents.rs` use it.
//! * `installers.rs`, `templates.rs`: what is asked for live.
//! * `simulator/` (feature `simulator`): NinjaOne's wire format over the shared world.
//!
//! **A new kind of record**: its struct in `wire.rs`, a file with `Pull<…>`, the accessor below, an
//! exchange in `tests/vendor/`, and its path in the simulator. `README.md` is the help that people
//! see in the connect form: keep its rights and oddities true.

mod alerts;
mod api;
mod contacts;
mod custom_fields;
mod devices;
mod documents;
mod errors;
mod fields;
mod installers;
mod locations;
mod loose;
mod organizations;
#[cfg(feature = "simulator")]
mod simulator;
mod templates;
mod wire;

use std::sync::Arc;

use async_trait::async_trait;
use integration::{
    Alert, ArchiveDocuments, Category, Checked, Connector, Contact, CustomFields, Device, Document, Entity, Location,
    MakeInstallers, Pull, ReadTemplates, Result, Secret, Transport, Vendor, WriteContacts, credentials,
};
use url::Url;

use crate::api::Api;
#[cfg(feature = "simulator")]
pub use crate::simulator::Simulator;

credentials! {
    /// What opens one NinjaOne account.
    pub struct Credentials {
        /// Region
        /// Where the account lives: the host you see in the address bar when signed in. A client app
        /// exists in one region only.
        region: Region,
        /// Client ID
        /// Administration > Apps > API > Client App IDs.
        client_id: String,
        /// Client secret
        /// Shown once, when the client app is made.
        client_secret: Secret,
        /// Own host
        /// Only for accounts with a branded address; it is used instead of the region's.
        base_url: Option<Url>,
    }
}

credentials! {
    /// The instances of NinjaOne.
    pub enum Region {
        Us = "us" / "United States (app.ninjarmm.com)",
        Us2 = "us2" / "United States 2 (us2.ninjarmm.com)",
        Eu = "eu" / "Europe (eu.ninjarmm.com)",
        Ca = "ca" / "Canada (ca.ninjarmm.com)",
        Oc = "oc" / "Oceania (oc.ninjarmm.com)",
        Fed = "fed" / "US Federal (fed.ninjarmm.com)",
        Other = "other" / "Other: enter the own host",
    }
}

impl Region {
    /// The base address; `None` where the operator gives it.
    fn base(self) -> Option<Url> {
        let address = match self {
            Self::Us => "https://app.ninjarmm.com",
            Self::Us2 => "https://us2.ninjarmm.com",
            Self::Eu => "https://eu.ninjarmm.com",
            Self::Ca => "https://ca.ninjarmm.com",
            Self::Oc => "https://oc.ninjarmm.com",
            Self::Fed => "https://fed.ninjarmm.com",
            Self::Other => return None,
        };
        Url::parse(address).ok()
    }
}

/// The connector of one NinjaOne account.
pub struct NinjaOne {
    api: Api,
}

impl Vendor for NinjaOne {
    const ID: &'static str = "ninjaone";
    const NAME: &'static str = "NinjaOne";
    const CATEGORY: Category = Category::RmmAndPsa;
    const ENTITY: (&'static str, &'static str) = ("organization", "organizations");
    const ENTITY_KIND: &'static str = "ninjaone_organization";
    const DOCS: &'static str = "https://app.ninjarmm.com/apidocs/";
    const README: &'static str = include_str!("../README.md");
    type Credentials = Credentials;

    fn connect(credentials: Credentials, transport: Arc<dyn Transport>) -> Self {
        Self { api: Api::new(credentials, transport) }
    }
}

#[async_trait]
impl Connector for NinjaOne {
    async fn check(&self) -> Result<Checked> {
        self.api.check().await
    }

    fn entities(&self) -> Option<&dyn Pull<Entity>> {
        Some(self)
    }

    fn locations(&self) -> Option<&dyn Pull<Location>> {
        Some(self)
    }

    fn devices(&self) -> Option<&dyn Pull<Device>> {
        Some(self)
    }

    fn contacts(&self) -> Option<&dyn Pull<Contact>> {
        Some(self)
    }

    fn alerts(&self) -> Option<&dyn Pull<Alert>> {
        Some(self)
    }

    fn documents(&self) -> Option<&dyn Pull<Document>> {
        Some(self)
    }

    fn contact_writes(&self) -> Option<&dyn WriteContacts> {
        Some(self)
    }

    fn installer_links(&self) -> Option<&dyn MakeInstallers> {
        Some(self)
    }

    fn custom_fields(&self) -> Option<&dyn CustomFields> {
        Some(self)
    }

    fn document_archive(&self) -> Option<&dyn ArchiveDocuments> {
        Some(self)
    }

    fn templates(&self) -> Option<&dyn ReadTemplates> {
        Some(self)
    }
}
