//! Finding things in the world. None of these walks the whole world to find one thing, because
//! simulators call them for every request with 500,000 devices behind.

use std::ops::Bound;

use integration::RecordKind;
use uuid::Uuid;

use super::{Business, Device, Person, Subscription, World, ids};

impl World {
    /// All client businesses, ordered by key.
    pub fn businesses(&self) -> &[Business] {
        &self.businesses
    }

    /// The businesses that this vendor knows, ordered by key.
    pub fn known_to<'a>(&'a self, vendor: &'a str) -> impl Iterator<Item = &'a Business> + Clone + 'a {
        self.businesses.iter().filter(move |business| business.vendors.contains(vendor))
    }

    /// The business of this key.
    pub fn business(&self, key: u64) -> Option<&Business> {
        self.businesses.binary_search_by_key(&key, |b| b.key).ok().map(|at| &self.businesses[at])
    }

    pub(super) fn business_mut(&mut self, key: u64) -> Option<&mut Business> {
        self.businesses.binary_search_by_key(&key, |b| b.key).ok().map(|at| &mut self.businesses[at])
    }

    /// The business whose Microsoft 365 tenant this is.
    pub fn by_tenant(&self, tenant_id: Uuid) -> Option<&Business> {
        self.business(ids::key_of(TENANT, tenant_id)?)
    }

    /// The business that has this id at a vendor: see [`Business::id_at`].
    pub fn by_id_at(&self, vendor: &str, id: Uuid) -> Option<&Business> {
        self.business(ids::key_of(vendor, id)?)
    }

    /// A device and the business that has it.
    pub fn device(&self, key: u64) -> Option<(&Business, &Device)> {
        let business = self.business(*self.device_homes.get(&key)?)?;
        Some((business, business.device(key)?))
    }

    /// Devices of the whole world with a key above `after`, in key order, each with its business. A
    /// page costs what the page holds, wherever in the world it begins.
    pub fn devices_after(&self, after: u64) -> impl Iterator<Item = (&Business, &Device)> {
        let homes = self.device_homes.range((Bound::Excluded(after), Bound::Unbounded));
        homes.filter_map(|(&key, &home)| {
            let business = self.business(home)?;
            Some((business, business.device(key)?))
        })
    }

    /// A subscription, by the distributor's id, and the business that has it.
    pub fn subscription(&self, id: Uuid) -> Option<(&Business, &Subscription)> {
        let key = ids::key_of(SUBSCRIPTION, id)?;
        let business = self.business(*self.subscription_homes.get(&key)?)?;
        Some((business, business.subscription(key)?))
    }

    /// Subscriptions of the whole world with a key above `after`, in key order.
    pub fn subscriptions_after(&self, after: u64) -> impl Iterator<Item = (&Business, &Subscription)> {
        let homes = self.subscription_homes.range((Bound::Excluded(after), Bound::Unbounded));
        homes.filter_map(|(&key, &home)| {
            let business = self.business(home)?;
            Some((business, business.subscription(key)?))
        })
    }

    /// A person, by directory object id, and the business that has them.
    pub fn person(&self, id: Uuid) -> Option<(&Business, &Person)> {
        let key = ids::key_of(PERSON, id)?;
        let business = self.business(*self.person_homes.get(&key)?)?;
        Some((business, business.person(key)?))
    }

    /// How many records of a kind a vendor would list that shows all it can of the businesses it
    /// knows; `None` for kinds that each vendor counts in its own way.
    pub fn expected(&self, vendor: &str, kind: RecordKind) -> Option<usize> {
        let sum = |count: fn(&Business) -> usize| Some(self.known_to(vendor).map(count).sum());
        match kind {
            RecordKind::Entity => Some(self.known_to(vendor).count()),
            RecordKind::Location => sum(|b| b.locations.len()),
            RecordKind::Device => sum(|b| b.devices.len()),
            RecordKind::DirectoryUser => sum(|b| b.people.len()),
            RecordKind::Subscription => sum(|b| b.subscriptions.len()),
            RecordKind::Contact => sum(|b| b.people.len()),
            RecordKind::Threat => sum(|b| b.threats.len()),
            RecordKind::Alert => sum(|b| b.alerts.len()),
            RecordKind::Ticket => sum(|b| b.tickets.len()),
            RecordKind::Job => sum(|b| b.jobs.len()),
            RecordKind::Document => sum(|b| b.documents.len()),
            RecordKind::Invoice => sum(|b| b.invoices.len()),
            RecordKind::Backup
            | RecordKind::ManagementServer
            | RecordKind::Hosting
            | RecordKind::RepeatingInvoice
            | RecordKind::PhoneSystem
            | RecordKind::Extension
            | RecordKind::MailUsage
            | RecordKind::MailSender
            | RecordKind::SignInMethods
            | RecordKind::AdminRole
            | RecordKind::Licence
            | RecordKind::SecureScore
            | RecordKind::Domain => None,
        }
    }
}

/// Id spaces of what has one UUID for everybody.
pub(super) const TENANT: &str = "tenant";
pub(super) const PERSON: &str = "person";
pub(super) const SUBSCRIPTION: &str = "subscription";
pub(super) const PRODUCT: &str = "product";

impl Business {
    /// The lines of its street.
    pub fn street_lines(&self) -> [&str; 2] {
        self.street.split_once('\n').map_or([self.street.as_str(), ""], |(first, second)| [first, second])
    }

    /// Changes one line of its street, the first or the second.
    pub fn change_street_line(&mut self, first: bool, text: &str) {
        let [one, two] = self.street_lines();
        let lines = if first { [text, two] } else { [one, text] };
        self.street = if lines[1].is_empty() { lines[0].to_owned() } else { lines.join("\n") };
    }

    /// A UUID for this business in an id space of the vendor's own ("pax8"): [`World::by_id_at`]
    /// finds it again. Vendors with numbers for ids use the key.
    pub fn id_at(&self, vendor: &str) -> Uuid {
        ids::uuid(vendor, self.key)
    }

    /// The device of this key.
    pub fn device(&self, key: u64) -> Option<&Device> {
        self.devices.binary_search_by_key(&key, |d| d.key).ok().map(|at| &self.devices[at])
    }

    /// The person of this key.
    pub fn person(&self, key: u64) -> Option<&Person> {
        self.people.binary_search_by_key(&key, |p| p.key).ok().map(|at| &self.people[at])
    }

    /// The subscription of this key.
    pub fn subscription(&self, key: u64) -> Option<&Subscription> {
        self.subscriptions.binary_search_by_key(&key, |s| s.key).ok().map(|at| &self.subscriptions[at])
    }
}
