//! What happens at a business: threats, alerts, tickets, jobs, invoices, documents. All have keys of
//! one counter, so a key is unique among them, and all carry when they last changed.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use rust_decimal::Decimal;

use super::{Business, Changed, World, change::take, names, random::Random};

/// How bad something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Gravity {
    Info,
    Low,
    Medium,
    High,
    Critical,
}

/// Something a security product detected on a machine.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Threat {
    pub key: u64,
    pub name: String,
    pub class: String,
    pub path: String,
    /// SHA-256 of the file, in hex.
    pub sha256: String,
    pub gravity: Gravity,
    /// Key of the machine.
    pub device: u64,
    /// What was done: `None` while nothing was.
    pub action: Option<String>,
    /// The analyst's verdict, once there is one.
    pub verdict: Option<String>,
    pub detected: DateTime<Utc>,
    pub resolved: Option<DateTime<Utc>>,
    pub updated: DateTime<Utc>,
}

/// A condition that monitoring raised on a machine.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Alert {
    pub key: u64,
    pub title: String,
    /// "disk", "cpu", "service", "antivirus", "offline" or "patch".
    pub class: String,
    pub gravity: Gravity,
    /// Key of the machine.
    pub device: u64,
    pub raised: DateTime<Utc>,
    pub resolved: Option<DateTime<Utc>>,
    pub updated: DateTime<Utc>,
}

/// Where a ticket stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum TicketState {
    New,
    InProgress,
    Waiting,
    Closed,
}

/// A ticket.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Ticket {
    pub key: u64,
    pub title: String,
    pub description: String,
    pub state: TicketState,
    pub gravity: Gravity,
    /// Key of the person who asked, if one did.
    pub person: Option<u64>,
    /// Who works on it.
    pub assignee: Option<String>,
    /// Notes: text and whether the client may see it.
    pub notes: Vec<(String, bool)>,
    pub created: DateTime<Utc>,
    pub updated: DateTime<Utc>,
    pub due: Option<DateTime<Utc>>,
    pub closed: Option<DateTime<Utc>>,
}

/// A piece of planned work.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Job {
    pub key: u64,
    pub name: String,
    pub description: String,
    /// "Planned", "In Progress" or "Completed".
    pub state: String,
    pub manager: String,
    pub budget: Decimal,
    pub currency: String,
    pub starts: NaiveDate,
    pub due: NaiveDate,
    pub completed: Option<NaiveDate>,
    pub updated: DateTime<Utc>,
}

/// An invoice.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Invoice {
    pub key: u64,
    /// "INV-1042".
    pub number: String,
    pub issued: NaiveDate,
    pub due: NaiveDate,
    pub paid: Option<NaiveDate>,
    pub net: Decimal,
    pub tax: Decimal,
    /// What is still to be paid.
    pub balance: Decimal,
    pub currency: String,
    /// Lines: text, quantity, unit price.
    pub lines: Vec<(String, u32, Decimal)>,
    pub updated: DateTime<Utc>,
}

/// A document that describes something of the business.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Document {
    pub key: u64,
    pub title: String,
    /// Name of its template ("Network", "Backup", "Contacts").
    pub template: String,
    /// Fields by name.
    pub fields: Vec<(String, String)>,
    pub archived: bool,
    pub updated: DateTime<Utc>,
}

macro_rules! work {
    ($($type:ident: $shelf:ident, $one:ident, $after:ident, $add:ident, $change:ident;)+) => {
        impl World {
            $(
                #[doc = concat!("One of the ", stringify!($shelf), ", by its key, and the business that has it.")]
                pub fn $one(&self, key: u64) -> Option<(&Business, &$type)> {
                    let business = self.business(*self.work_homes.get(&key)?)?;
                    let at = business.$shelf.binary_search_by_key(&key, |one| one.key).ok()?;
                    Some((business, &business.$shelf[at]))
                }

                #[doc = concat!("All ", stringify!($shelf), " of the businesses that a vendor knows with a key above `after`, in key order.")]
                pub fn $after<'a>(&'a self, vendor: &'a str, after: u64) -> Vec<(&'a Business, &'a $type)> {
                    let mut all: Vec<_> = self
                        .known_to(vendor)
                        .flat_map(|b| b.$shelf.iter().filter(|one| one.key > after).map(move |one| (b, one)))
                        .collect();
                    all.sort_by_key(|(_, one)| one.key);
                    all
                }

                #[doc = concat!("Adds one to the ", stringify!($shelf), " of a business; its key and time of change are set. The key, if there is such a business.")]
                pub fn $add(&mut self, business: u64, mut one: $type) -> Option<u64> {
                    let now = self.now;
                    self.business(business)?;
                    let key = take(&mut self.next.work);
                    (one.key, one.updated) = (key, now);
                    self.business_mut(business)?.$shelf.push(one);
                    self.work_homes.insert(key, business);
                    self.note(Changed::$type, key, business, false);
                    Some(key)
                }

                #[doc = concat!("Changes one of the ", stringify!($shelf), ", except for its key, and marks it as changed now. Whether there is such a one.")]
                pub fn $change(&mut self, key: u64, change: impl FnOnce(&mut $type)) -> bool {
                    let now = self.now;
                    let Some(&home) = self.work_homes.get(&key) else { return false };
                    let Some(business) = self.business_mut(home) else { return false };
                    let Ok(at) = business.$shelf.binary_search_by_key(&key, |one| one.key) else { return false };
                    change(&mut business.$shelf[at]);
                    (business.$shelf[at].key, business.$shelf[at].updated) = (key, now);
                    self.note(Changed::$type, key, home, false);
                    true
                }
            )+

            /// Forgets the work of a business that is gone.
            pub(super) fn work_gone(&mut self, business: &Business) {
                $( for one in &business.$shelf {
                    self.work_homes.remove(&one.key);
                    self.note(Changed::$type, one.key, business.key, true);
                } )+
            }

            /// Takes in the work of a new business.
            pub(super) fn work_came(&mut self, business: &Business) {
                $( for one in &business.$shelf {
                    self.work_homes.insert(one.key, business.key);
                    self.note(Changed::$type, one.key, business.key, false);
                } )+
            }

            /// Gives the work of a business keys that were never used.
            pub(super) fn work_renumbered(&mut self, business: &mut Business) {
                $( for one in &mut business.$shelf {
                    one.key = take(&mut self.next.work);
                } )+
            }
        }
    };
}

work! {
    Threat: threats, threat, threats_after, add_threat, change_threat;
    Alert: alerts, alert, alerts_after, add_alert, change_alert;
    Ticket: tickets, ticket, tickets_after, add_ticket, change_ticket;
    Job: jobs, job, jobs_after, add_job, change_job;
    Invoice: invoices, invoice, invoices_after, add_invoice, change_invoice;
    Document: documents, document, documents_after, add_document, change_document;
}

impl World {
    /// Removes an invoice. Whether there was such a one.
    pub fn remove_invoice(&mut self, key: u64) -> bool {
        let Some(home) = self.invoice(key).map(|(business, _)| business.key) else { return false };
        if let Some(business) = self.business_mut(home) {
            business.invoices.retain(|invoice| invoice.key != key);
        }
        self.work_homes.remove(&key);
        self.note(Changed::Invoice, key, home, true);
        true
    }
}

const THREATS: &[(&str, &str, Gravity)] = &[
    ("Trojan.Loader.Gen", "Trojan", Gravity::High),
    ("Ransom.Locker.B", "Ransomware", Gravity::Critical),
    ("PUA.Toolbar", "PUA", Gravity::Low),
    ("Miner.Coin.X", "Miner", Gravity::Medium),
    ("Infostealer.Form", "Infostealer", Gravity::High),
    ("Suspicious.Script", "General", Gravity::Medium),
];
const ALERTS: &[(&str, &str, Gravity)] = &[
    ("Free space on C: is below 10 %", "disk", Gravity::High),
    ("CPU above 95 % for 30 minutes", "cpu", Gravity::Medium),
    ("Service Print Spooler stopped", "service", Gravity::Low),
    ("Virus definitions are older than 7 days", "antivirus", Gravity::High),
    ("Device has been offline for 3 days", "offline", Gravity::Medium),
    ("Restart needed to finish updates", "patch", Gravity::Info),
];
const TICKETS: &[(&str, &str)] = &[
    ("Printer on the second floor does not print", "It shows ready, but nothing comes out."),
    ("New starter on Monday", "Needs an account, a laptop and the usual groups."),
    ("Mail is slow since this morning", "Outlook takes a minute to open a message."),
    ("Cannot reach the shared drive", "Works in the office, not over VPN."),
    ("Backup report has a warning", "Please look at last night's run."),
    ("Password reset", "Locked out after the holiday."),
    ("Café Wi-Fi for guests", "Guests get no address – \"no internet\"."),
];
const JOBS: &[&str] = &["Office move", "Server refresh", "Firewall replacement", "Mail migration", "Security review"];
const STAFF: &[&str] = &["Robin Vale", "Sam Orchard", "Toni Marsh"];
const TEMPLATES: &[(&str, &[(&str, &str)])] = &[
    ("Network", &[("Internet provider", "Northern Fibre"), ("Router", "192.0.2.1"), ("VLANs", "10, 20, 30")]),
    ("Backup", &[("Schedule", "Every night at 22:00"), ("Kept for", "30 days")]),
    ("Site", &[("Opening hours", "08:00-17:30"), ("Alarm code kept by", "Reception")]),
];

impl World {
    pub(super) fn fill_work(&mut self, chance: &mut Random) {
        let mut businesses = std::mem::take(&mut self.businesses);
        for business in &mut businesses {
            self.fill_reports(chance, business);
            self.fill_service(chance, business);
            for one in business.threats.iter().map(|one| one.key).chain(business.alerts.iter().map(|one| one.key)) {
                self.work_homes.insert(one, business.key);
            }
        }
        self.businesses = businesses;
        let homes: Vec<(u64, u64)> = self
            .businesses
            .iter()
            .flat_map(|b| {
                let tickets = b.tickets.iter().map(|one| one.key);
                let rest = b.jobs.iter().map(|one| one.key).chain(b.invoices.iter().map(|one| one.key));
                let keys = tickets.chain(rest).chain(b.documents.iter().map(|one| one.key));
                keys.map(|key| (key, b.key)).collect::<Vec<_>>()
            })
            .collect();
        self.work_homes.extend(homes);
    }

    /// About one threat for 25 machines and one alert for 12, but never more than 40 of either.
    fn fill_reports(&mut self, chance: &mut Random, business: &mut Business) {
        let ago = |chance: &mut Random, now: DateTime<Utc>| now - TimeDelta::minutes(chance.between(30, 60 * 24 * 60));
        let count = business.devices.len();
        if count == 0 {
            return;
        }
        for _ in 0..(count / 25 + usize::from(chance.percent(50))).min(40) {
            let (name, class, gravity) = THREATS[chance.below(THREATS.len())];
            let device = &business.devices[chance.below(count)];
            let (detected, key) = (ago(chance, self.now), take(&mut self.next.work));
            let settled = chance.percent(60);
            let resolved = settled.then(|| detected + TimeDelta::minutes(25));
            business.threats.push(Threat {
                key,
                name: name.to_owned(),
                class: class.to_owned(),
                path: format!("C:\\Users\\Public\\Downloads\\setup{key}.exe"),
                sha256: (0..4).map(|_| format!("{:016x}", chance.bits())).collect(),
                gravity,
                device: device.key,
                action: settled.then(|| "quarantine".to_owned()),
                verdict: (settled && chance.percent(50)).then(|| "true_positive".to_owned()),
                detected,
                resolved,
                updated: resolved.unwrap_or(detected),
            });
        }
        for _ in 0..(count / 12 + usize::from(chance.percent(60))).min(40) {
            let (title, class, gravity) = ALERTS[chance.below(ALERTS.len())];
            let device = &business.devices[chance.below(count)];
            let (raised, key) = (ago(chance, self.now), take(&mut self.next.work));
            let resolved = chance.percent(50).then(|| raised + TimeDelta::minutes(20));
            business.alerts.push(Alert {
                key,
                title: title.to_owned(),
                class: class.to_owned(),
                gravity,
                device: device.key,
                raised,
                resolved,
                updated: resolved.unwrap_or(raised),
            });
        }
    }

    fn fill_service(&mut self, chance: &mut Random, business: &mut Business) {
        let now = self.now;
        let currency =
            names::COUNTRIES.iter().find(|c| c.code == business.country).map_or("USD", |c| c.currency).to_owned();
        for _ in 0..(business.people.len() / 10 + 1).min(40) {
            let (title, description) = TICKETS[chance.below(TICKETS.len())];
            let created = now - TimeDelta::minutes(chance.between(60, 60 * 24 * 90));
            let state =
                [TicketState::New, TicketState::InProgress, TicketState::Waiting, TicketState::Closed][chance.below(4)];
            let closed = (state == TicketState::Closed).then(|| created + TimeDelta::minutes(45));
            let people = business.people.len();
            business.tickets.push(Ticket {
                key: take(&mut self.next.work),
                title: title.to_owned(),
                description: description.to_owned(),
                state,
                gravity: [Gravity::Low, Gravity::Medium, Gravity::High, Gravity::Critical][chance.below(4)],
                person: (people > 0).then(|| business.people[chance.below(people.max(1))].key),
                assignee: chance.percent(70).then(|| chance.pick(STAFF).to_owned()),
                notes: Vec::new(),
                created,
                updated: closed.unwrap_or(created + TimeDelta::minutes(5)),
                due: chance.percent(50).then(|| created + TimeDelta::days(3)),
                closed,
            });
        }
        for _ in 0..chance.below(3) {
            let starts = (now - TimeDelta::days(chance.between(1, 120))).date_naive();
            let state = ["Planned", "In Progress", "Completed"][chance.below(3)];
            business.jobs.push(Job {
                key: take(&mut self.next.work),
                name: chance.pick(JOBS).to_owned(),
                description: format!("Agreed with {}.", business.short_name),
                state: state.to_owned(),
                manager: chance.pick(STAFF).to_owned(),
                budget: Decimal::new(chance.between(5, 400) * 5_000, 2),
                currency: currency.clone(),
                starts,
                due: starts + TimeDelta::days(30),
                completed: (state == "Completed").then(|| starts + TimeDelta::days(21)),
                updated: now - TimeDelta::hours(chance.between(1, 500)),
            });
        }
        for month in 0..chance.between(1, 4) {
            let key = take(&mut self.next.work);
            let issued = (now - TimeDelta::days(30 * month + 3)).date_naive();
            let lines: Vec<(String, u32, Decimal)> = business
                .subscriptions
                .iter()
                .take(3)
                .map(|sold| (sold.product.clone(), sold.quantity, sold.price))
                .collect();
            let net: Decimal = lines.iter().map(|(_, count, price)| Decimal::from(*count) * price).sum();
            let tax = (net * Decimal::new(2, 1)).round_dp(2);
            let paid = chance.percent(if month == 0 { 30 } else { 85 }).then(|| issued + TimeDelta::days(2));
            business.invoices.push(Invoice {
                key,
                number: format!("INV-{:05}", key + 1000),
                issued,
                due: issued + TimeDelta::days(14),
                paid,
                net,
                tax,
                balance: if paid.is_some() { Decimal::ZERO } else { net + tax },
                currency: currency.clone(),
                lines,
                updated: now - TimeDelta::days(30 * month + 1),
            });
        }
        for (template, fields) in TEMPLATES.iter().take(chance.below(TEMPLATES.len() + 1)) {
            business.documents.push(Document {
                key: take(&mut self.next.work),
                title: format!("{template} of {}", business.short_name),
                template: (*template).to_owned(),
                fields: fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
                archived: chance.percent(15),
                updated: now - TimeDelta::days(chance.between(1, 300)),
            });
        }
    }
}
