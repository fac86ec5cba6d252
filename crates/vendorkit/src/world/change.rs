//! Changing the world between runs. Every method keeps the indexes and adds to the history, from
//! which simulators answer "what changed since".

use std::{collections::BTreeMap, mem};

use chrono::TimeDelta;
use uuid::Uuid;

use super::{Business, Device, World, build, lookup, random::Random};

/// What a [`Change`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Changed {
    Business,
    Device,
    Person,
    Subscription,
    Threat,
    Alert,
    Ticket,
    Job,
    Invoice,
    Document,
}

/// One entry of the world's history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its number; a simulator's marks hold one.
    pub revision: u64,
    /// What it is about.
    pub what: Changed,
    /// Key of that.
    pub key: u64,
    /// Key of the business that has it, or had it.
    pub business: u64,
    /// Whether that business no longer has it.
    pub removed: bool,
}

impl World {
    /// Number of the newest change; 0 in a new world.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Changes after that revision, oldest first; `None` when the world has forgotten them or has
    /// not come so far.
    pub fn changes_since(&self, revision: u64) -> Option<&[Change]> {
        if revision < self.remembered || revision > self.revision {
            return None;
        }
        Some(&self.history[self.history.partition_point(|change| change.revision <= revision)..])
    }

    /// Forgets the history: every mark given out so far is too old from now on.
    pub fn forget_history(&mut self) {
        self.history.clear();
        self.revision += 1;
        self.remembered = self.revision;
    }

    pub(super) fn note(&mut self, what: Changed, key: u64, business: u64, removed: bool) {
        self.revision += 1;
        self.history.push(Change { revision: self.revision, what, key, business, removed });
    }

    /// Moves the clock on.
    pub fn advance(&mut self, by: TimeDelta) {
        self.now += by;
    }

    /// Gives a business another name; its domain and ids stay. The legal name is given, the short one
    /// is found from it. Whether there is such a business.
    pub fn rename_business(&mut self, key: u64, legal_name: &str) -> bool {
        let Some(business) = self.business_mut(key) else { return false };
        business.legal_name = legal_name.to_owned();
        business.short_name = super::noise::without_legal_form(legal_name);
        self.note(Changed::Business, key, key, false);
        true
    }

    /// Changes one business as `change` says, except for its key and what it has. Whether there is such
    /// a business.
    pub fn change_business(&mut self, key: u64, change: impl FnOnce(&mut Business)) -> bool {
        let Some(business) = self.business_mut(key) else { return false };
        change(business);
        business.key = key;
        self.note(Changed::Business, key, key, false);
        true
    }

    /// Removes a business with all it has, and returns it.
    pub fn remove_business(&mut self, key: u64) -> Option<Business> {
        let at = self.businesses.binary_search_by_key(&key, |b| b.key).ok()?;
        let business = self.businesses.remove(at);
        for device in &business.devices {
            self.device_homes.remove(&device.key);
            self.note(Changed::Device, device.key, key, true);
        }
        for person in &business.people {
            self.person_homes.remove(&person.key);
            self.note(Changed::Person, person.key, key, true);
        }
        for subscription in &business.subscriptions {
            self.subscription_homes.remove(&subscription.key);
            self.note(Changed::Subscription, subscription.key, key, true);
        }
        self.work_gone(&business);
        self.note(Changed::Business, key, key, true);
        Some(business)
    }

    /// Removes a business and makes it again: same name, place and vendors, but new key and ids
    /// throughout, as after an off-boarding that was a mistake. Returns the new key.
    pub fn recreate_business(&mut self, key: u64) -> Option<u64> {
        let mut business = self.remove_business(key)?;
        business.key = take(&mut self.next.business);
        business.tenant_id = super::ids::uuid(lookup::TENANT, business.key);
        for location in &mut business.locations {
            let old = mem::replace(&mut location.key, take(&mut self.next.location));
            let moved = location.key;
            business.devices.iter_mut().filter(|d| d.location == old).for_each(|d| d.location = moved);
        }
        for person in &mut business.people {
            let old = mem::replace(&mut person.key, take(&mut self.next.person));
            person.id = super::ids::uuid(lookup::PERSON, person.key);
            let new = person.key;
            business.devices.iter_mut().filter(|d| d.person == Some(old)).for_each(|d| d.person = Some(new));
            business.tickets.iter_mut().filter(|t| t.person == Some(old)).for_each(|t| t.person = Some(new));
        }
        let mut renamed = BTreeMap::new();
        for device in &mut business.devices {
            let old = mem::replace(&mut device.key, take(&mut self.next.device));
            renamed.insert(old, device.key);
        }
        let new_of = |old: u64| renamed.get(&old).copied().unwrap_or(old);
        business.threats.iter_mut().for_each(|threat| threat.device = new_of(threat.device));
        business.alerts.iter_mut().for_each(|alert| alert.device = new_of(alert.device));
        for subscription in &mut business.subscriptions {
            subscription.key = take(&mut self.next.subscription);
            subscription.id = super::ids::uuid(lookup::SUBSCRIPTION, subscription.key);
        }
        self.work_renumbered(&mut business);
        let new = business.key;
        self.admit(business);
        Some(new)
    }

    /// Adds a new small business that these vendors know, and returns its key.
    pub fn add_business(&mut self, legal_name: &str, vendors: &[&str]) -> u64 {
        let business = build::newcomer(self, legal_name, vendors);
        let key = business.key;
        self.admit(business);
        key
    }

    /// Takes in a business whose keys are new; its key is the highest.
    fn admit(&mut self, business: Business) {
        let key = business.key;
        for device in &business.devices {
            self.device_homes.insert(device.key, key);
            self.note(Changed::Device, device.key, key, false);
        }
        for person in &business.people {
            self.person_homes.insert(person.key, key);
            self.note(Changed::Person, person.key, key, false);
        }
        for subscription in &business.subscriptions {
            self.subscription_homes.insert(subscription.key, key);
            self.note(Changed::Subscription, subscription.key, key, false);
        }
        self.work_came(&business);
        self.note(Changed::Business, key, key, false);
        self.businesses.push(business);
    }

    /// Makes a vendor forget a business. Whether it knew it.
    pub fn forget(&mut self, vendor: &str, key: u64) -> bool {
        let forgot = self.business_mut(key).is_some_and(|b| b.vendors.remove(vendor));
        if forgot {
            self.note(Changed::Business, key, key, true);
        }
        forgot
    }

    /// Makes a vendor forget every business: its listings become empty.
    pub fn forget_all(&mut self, vendor: &str) {
        let keys: Vec<u64> = self.known_to(vendor).map(|b| b.key).collect();
        for key in keys {
            self.forget(vendor, key);
        }
    }

    /// Makes a vendor know a business. Whether it is news.
    pub fn introduce(&mut self, vendor: &str, key: u64) -> bool {
        let news = self.business_mut(key).is_some_and(|b| b.vendors.insert(vendor.to_owned()));
        if news {
            self.note(Changed::Business, key, key, false);
        }
        news
    }

    /// Adds devices to a business and returns their keys.
    pub fn add_devices(&mut self, business: u64, count: usize) -> Vec<u64> {
        if self.business(business).is_none() {
            return Vec::new();
        }
        (0..count).map(|_| self.add_device(business)).collect()
    }

    fn add_device(&mut self, home: u64) -> u64 {
        let key = take(&mut self.next.device);
        let (now, mut chance) = (self.now, self.chance.clone());
        if let Some(business) = self.business_mut(home) {
            let device = build::device(&mut chance, key, now, business);
            business.devices.push(device);
        }
        self.chance = chance;
        self.device_homes.insert(key, home);
        self.note(Changed::Device, key, home, false);
        key
    }

    /// Removes a device and returns it.
    pub fn remove_device(&mut self, key: u64) -> Option<Device> {
        let home = self.device_homes.remove(&key)?;
        let business = self.business_mut(home)?;
        let at = business.devices.binary_search_by_key(&key, |d| d.key).ok()?;
        let device = business.devices.remove(at);
        self.note(Changed::Device, key, home, true);
        Some(device)
    }

    /// Moves a device to another business; it keeps its key. Whether both exist.
    pub fn move_device(&mut self, key: u64, to: u64) -> bool {
        let Some(location) = self.business(to).map(|b| b.locations[0].key) else { return false };
        let Some(mut device) = self.remove_device(key) else { return false };
        device.location = location;
        device.person = None;
        if let Some(business) = self.business_mut(to) {
            let at = business.devices.partition_point(|d| d.key < key);
            business.devices.insert(at, device);
        }
        self.device_homes.insert(key, to);
        self.note(Changed::Device, key, to, false);
        true
    }

    /// Changes one device as `change` says, except for its key. Whether there is such a device.
    pub fn change_device(&mut self, key: u64, change: impl FnOnce(&mut Device)) -> bool {
        let Some(&home) = self.device_homes.get(&key) else { return false };
        let Some(business) = self.business_mut(home) else { return false };
        let Ok(at) = business.devices.binary_search_by_key(&key, |d| d.key) else { return false };
        change(&mut business.devices[at]);
        business.devices[at].key = key;
        self.note(Changed::Device, key, home, false);
        true
    }

    /// Gives about this many of a thousand devices another version of their system, and returns the
    /// keys of those it changed.
    pub fn touch_devices(&mut self, per_mille: usize) -> Vec<u64> {
        let mut chance = Random::new(self.chance.bits());
        let keys: Vec<u64> = self.device_homes.keys().copied().filter(|_| chance.below(1000) < per_mille).collect();
        for &key in &keys {
            self.change_device(key, |device| device.os_version = next_version(&device.os_version));
        }
        keys
    }

    /// Turns a device on or off; one that is on has just been heard of. Whether there is such a device.
    pub fn set_online(&mut self, key: u64, online: bool) -> bool {
        let now = self.now;
        self.change_device(key, |device| {
            device.online = online;
            if online {
                device.last_contact = now;
            }
        })
    }

    /// Changes one person as `change` says, except for key and id. Whether there is such a person.
    pub fn change_person(&mut self, id: Uuid, change: impl FnOnce(&mut super::Person)) -> bool {
        let Some((home, key)) = self.person(id).map(|(b, p)| (b.key, p.key)) else { return false };
        let Some(business) = self.business_mut(home) else { return false };
        let Ok(at) = business.people.binary_search_by_key(&key, |p| p.key) else { return false };
        change(&mut business.people[at]);
        (business.people[at].key, business.people[at].id) = (key, id);
        self.note(Changed::Person, key, home, false);
        true
    }

    /// Adds a person to a business and returns the directory object id.
    pub fn add_person(&mut self, business: u64) -> Option<Uuid> {
        let key = take(&mut self.next.person);
        let (now, mut chance) = (self.now, self.chance.clone());
        let home = self.business_mut(business)?;
        let person = build::person(&mut chance, key, now, home);
        let id = person.id;
        home.people.push(person);
        self.chance = chance;
        self.person_homes.insert(key, business);
        self.note(Changed::Person, key, business, false);
        Some(id)
    }

    /// Removes a person; devices they used are nobody's. Whether there was such a person.
    pub fn remove_person(&mut self, id: Uuid) -> bool {
        let Some((home, key)) = self.person(id).map(|(b, p)| (b.key, p.key)) else { return false };
        if let Some(business) = self.business_mut(home) {
            business.people.retain(|p| p.key != key);
            business.devices.iter_mut().filter(|d| d.person == Some(key)).for_each(|d| d.person = None);
        }
        self.person_homes.remove(&key);
        self.note(Changed::Person, key, home, true);
        true
    }

    /// Changes one subscription as `change` says, except for key and id, and marks it as updated now.
    /// Whether there is such a subscription.
    pub fn change_subscription(&mut self, id: Uuid, change: impl FnOnce(&mut super::Subscription)) -> bool {
        let Some((home, key)) = self.subscription(id).map(|(b, s)| (b.key, s.key)) else { return false };
        let now = self.now;
        let Some(business) = self.business_mut(home) else { return false };
        let Ok(at) = business.subscriptions.binary_search_by_key(&key, |s| s.key) else { return false };
        let subscription = &mut business.subscriptions[at];
        change(subscription);
        (subscription.key, subscription.id, subscription.updated) = (key, id, now);
        self.note(Changed::Subscription, key, home, false);
        true
    }

    /// Sets the quantity of a subscription. Whether there is such a subscription.
    pub fn set_quantity(&mut self, id: Uuid, quantity: u32) -> bool {
        self.change_subscription(id, |subscription| subscription.quantity = quantity)
    }
}

/// The number, and the counter moved on.
pub(super) fn take(next: &mut u64) -> u64 {
    let key = *next;
    *next += 1;
    key
}

/// A version one higher in its last number: "10.0.22631" gives "10.0.22632".
fn next_version(version: &str) -> String {
    let (head, last) = version.rsplit_once('.').map_or(("", version), |(head, last)| (head, last));
    let bumped = last.parse::<u64>().map_or_else(|_| format!("{last}.1"), |n| (n + 1).to_string());
    if head.is_empty() { bumped } else { format!("{head}.{bumped}") }
}
