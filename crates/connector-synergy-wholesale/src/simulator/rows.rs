//! The vendor's view of the world: categories, domains and hosting services, with the spellings of fields that differ
//! from row to row as they do at the vendor.

use chrono::{DateTime, TimeDelta, Utc};
use integration::Vendor;
use vendorkit::{World, world::Business};

use super::text;
use crate::SynergyWholesale;

/// A domain of the account.
pub(super) struct Domain {
    name: String,
    /// Categories: id and name.
    categories: Vec<(u64, String)>,
    key: u64,
    since: DateTime<Utc>,
    /// Once the account's: only its name is left.
    pub lost: bool,
}

/// A hosting service of the account.
pub(super) struct Hosting {
    domain: String,
    key: u64,
    now: DateTime<Utc>,
}

pub(super) fn categories(world: &World) -> String {
    let item = |business: &Business| {
        let (id, name) = category(business);
        let made = text("createdDate", &local(business.since));
        format!("<item>{}{}{}{made}</item>", text("id", &id.to_string()), text("name", &name), text("note", ""))
    };
    let items: String = world.known_to(SynergyWholesale::ID).map(item).collect();
    let status = text("status", "OK") + &text("errorMessage", "Category list successful.");
    format!("{status}<domainCategories xsi:type=\"SOAP-ENC:Array\">{items}</domainCategories>")
}

fn category(business: &Business) -> (u64, String) {
    (business.key, business.name_at(SynergyWholesale::ID))
}

/// One domain for each business and a second for some; some that nobody sorted, and one that is long gone.
pub(super) fn domains(world: &World) -> Vec<Domain> {
    let mut all = Vec::new();
    let mut before: Option<&Business> = None;
    for business in world.known_to(SynergyWholesale::ID) {
        let (key, since) = (business.key, business.since);
        let mut categories = vec![category(business)];
        if let Some(other) = before.filter(|_| key.is_multiple_of(5)) {
            categories.push(category(other));
        }
        all.push(Domain { name: business.domain.clone(), categories, key, since, lost: false });
        if key.is_multiple_of(3) {
            let categories = vec![category(business)];
            all.push(Domain {
                name: format!("shop-{}", business.domain),
                categories,
                key: key + 1,
                since,
                lost: false,
            });
        }
        if key.is_multiple_of(4) {
            let name = format!("parked-{key}.example");
            all.push(Domain { name, categories: Vec::new(), key: key + 2, since, lost: false });
        }
        before = Some(business);
    }
    if let Some(last) = before {
        let name = "long-gone.example".to_owned();
        all.push(Domain { name, categories: Vec::new(), key: 0, since: last.since, lost: true });
    }
    all
}

/// One for each business, a second one on a sub-domain for some, and one of a domain that is registered elsewhere.
pub(super) fn hostings(world: &World) -> Vec<Hosting> {
    let mut all = Vec::new();
    for business in world.known_to(SynergyWholesale::ID) {
        let (key, now) = (business.key * 2, world.now);
        all.push(Hosting { domain: business.domain.clone(), key, now });
        if business.key.is_multiple_of(4) {
            all.push(Hosting { domain: format!("mail.{}", business.domain), key: key + 1, now });
        }
    }
    if !all.is_empty() {
        all.push(Hosting { domain: "elsewhere.example".to_owned(), key: 0, now: world.now });
    }
    all
}

impl Domain {
    pub(super) fn xml(&self) -> String {
        let name = text("domainName", &self.name);
        if self.lost {
            let why = text("errorMessage", "Domain name does not exist.");
            return format!("<item>{}{why}{name}</item>", text("status", "ERR_DOMAIN_NOT_FOUND"));
        }
        let odd = !self.key.is_multiple_of(2);
        let state = if self.key.is_multiple_of(11) { "clienthold" } else { "clientTransferProhibited" };
        let states = text(if odd { "domainStatus" } else { "domain_status" }, state);
        let created = text(if odd { "createdDate" } else { "domain_created" }, &local(self.since));
        let expiry = text("domain_expiry", &local(self.since + TimeDelta::days(3650)));
        let renew = match (odd, self.key.is_multiple_of(6)) {
            (true, _) => "<autoRenew xsi:type=\"xsd:int\">1</autoRenew>",
            (false, true) => "<autoRenew xsi:type=\"xsd:string\">off</autoRenew>",
            (false, false) => "<autoRenew xsi:nil=\"true\"/>",
        };
        let servers = "<nameServers xsi:type=\"SOAP-ENC:Array\"><item>NS1.dns.example</item><item>ns2.dns.example\
                       </item></nameServers>";
        let keys = if odd {
            "<DSData xsi:type=\"SOAP-ENC:Array\"><item><keyTag>12345</keyTag><algorithm>13</algorithm></item></DSData>"
        } else {
            ""
        };
        let category = |(id, name): &(u64, String)| {
            format!("<item>{}{}{}</item>", text("id", &id.to_string()), text("name", name), text("note", "private"))
        };
        let categories: String = self.categories.iter().map(category).collect();
        let icann = text("icannStatus", if self.key.is_multiple_of(7) { "Pending Verification" } else { "Verified" });
        let secret = text("domainPassword", &format!("transfer-code-{}", self.key));
        format!(
            "<item>{}{name}{states}{created}{expiry}{renew}{servers}{keys}{icann}{secret}<categories>{categories}\
             </categories></item>",
            text("status", "OK")
        )
    }
}

impl Hosting {
    pub(super) fn xml(&self) -> String {
        let fields = [
            ("status", "OK"),
            ("hoid", &format!("59d1c{:08x}", self.key)),
            (if self.key.is_multiple_of(2) { "domain" } else { "domainName" }, &self.domain),
            ("username", &format!("user{}", self.key)),
            ("password", &format!("hosting-password-{}", self.key)),
            ("server", "WSH1-1E-SYD"),
            ("serviceStatus", if self.key.is_multiple_of(9) { "Suspended By Staff" } else { "Active" }),
            ("plan", "EW1"),
            ("billingPeriod", "monthly"),
            ("nextRenewalDue", &local(self.now + TimeDelta::days(20))),
            ("city", "Sydney"),
            ("diskUsage", "512"),
        ];
        let fields: String = fields.iter().map(|(name, value)| text(name, value)).collect();
        format!("<item>{fields}</item>")
    }
}

/// A time as the vendor writes it: its own, without saying so.
fn local(at: DateTime<Utc>) -> String {
    (at + TimeDelta::hours(10)).format("%Y-%m-%d %H:%M:%S").to_string()
}
