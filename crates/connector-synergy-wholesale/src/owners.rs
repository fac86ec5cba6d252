//! Which domain is in which category. The vendor says it with each domain only, so whatever else goes by the domain
//! walks that listing first.

use std::collections::BTreeMap;

use integration::{Error, Kind, Result};

use crate::{
    api::{Api, DOMAINS, NAME},
    categories::NOWHERE,
    raw, wire,
};

/// Pages of domains that are walked at most: a hundred thousand domains.
const PAGES: u32 = 200;

/// To which category each domain of the account belongs.
#[derive(Default)]
pub(crate) struct Owners(BTreeMap<String, String>);

impl Owners {
    /// Walks all domains.
    pub async fn walk(api: &Api) -> Result<Self> {
        let mut owners = Self::default();
        for number in 1..=PAGES {
            let (items, more) = api.page(&DOMAINS, number).await?;
            for raw in raw::records(&items, |_| ()) {
                // One that cannot be read is rejected, and said, where the domains themselves are listed.
                let Ok(domain) = wire::read::<wire::Domain>(&raw, "domain") else { continue };
                let Some(name) = domain.name.0.as_deref().map(plain) else { continue };
                let place = domain.places().first().map_or(NOWHERE, |place| &place.id);
                owners.0.insert(name, place.to_owned());
            }
            if !more {
                return Ok(owners);
            }
        }
        let most = PAGES as usize * 500;
        Err(Error::new(Kind::Limit, format!("the account at {NAME} has more than {most} domains")))
    }

    /// Whether the account has no domain.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each domain with the id of its category, in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(domain, place)| (domain.as_str(), place.as_str()))
    }

    /// The id of the category of a host: that of the domain that it is, or is in.
    pub fn of(&self, host: &str) -> &str {
        let host = plain(host);
        let mut rest = Some(host.as_str());
        while let Some(domain) = rest {
            if let Some(place) = self.0.get(domain) {
                return place;
            }
            rest = domain.split_once('.').map(|(_, parent)| parent);
        }
        NOWHERE
    }
}

/// A domain as it is compared: lower case, without a dot at its end.
pub(crate) fn plain(domain: &str) -> String {
    domain.trim().trim_end_matches('.').to_lowercase()
}
