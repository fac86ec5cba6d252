//! Listings: what is asked for, and the envelope of a page.

use std::collections::HashMap;

use integration::{Request, Vendor};
use serde_json::{Value, json};
use url::Url;
use vendorkit::{
    World,
    world::{Alert, Business, Device},
};

use super::{Answer, No, no, rows, unknown};
use crate::DattoRmm;

/// The most rows of a page.
pub(super) const MOST: usize = 250;

pub(super) fn sites(world: &World, request: &Request) -> Answer {
    let asked = Asked::read(request)?;
    let like = asked.pairs.get("siteName").map(|name| name.to_lowercase());
    let wanted = |business: &&Business| {
        like.as_ref().is_none_or(|like| business.name_at(DattoRmm::ID).to_lowercase().contains(like))
    };
    Ok(asked.page("sites", world.known_to(DattoRmm::ID).filter(wanted).collect(), rows::site))
}

pub(super) fn devices<'w>(request: &Request, list: &str, homes: impl IntoIterator<Item = &'w Business>) -> Answer {
    let asked = Asked::read(request)?;
    let mut all: Vec<(&Business, Option<&Device>)> = Vec::new();
    for home in homes {
        all.extend(home.devices.iter().map(|device| (home, Some(device))));
        // Each site that has devices once had another one.
        all.extend((!home.devices.is_empty()).then_some((home, None)));
    }
    Ok(asked.page(list, all, |(home, device)| match device {
        Some(device) => rows::device(home, device),
        None => rows::deleted_device(home),
    }))
}

pub(super) fn alerts(world: &World, request: &Request, state: &str, site: Option<u64>) -> Answer {
    let resolved = match state {
        "open" => false,
        "resolved" => true,
        _ => return Err(unknown()),
    };
    let asked = Asked::read(request)?;
    // None is muted.
    let muted = asked.pairs.get("muted").is_some_and(|muted| muted == "true");
    let mut found: Vec<(&Business, &Alert)> = world.alerts_after(DattoRmm::ID, 0);
    found.retain(|(home, alert)| {
        !muted && alert.resolved.is_some() == resolved && site.is_none_or(|site| site == home.key)
    });
    Ok(asked.page("alerts", found, |(home, alert)| rows::alert(home, alert)))
}

/// What a listing was asked for.
struct Asked {
    url: Url,
    pairs: HashMap<String, String>,
    page: usize,
    max: usize,
}

impl Asked {
    fn read(request: &Request) -> Result<Self, No> {
        let pairs: HashMap<String, String> = request.url.query_pairs().into_owned().collect();
        let number = |key: &str, other: usize| match pairs.get(key) {
            Some(text) => text.parse::<usize>().map_err(|_| no(400, "Bad Request")),
            None => Ok(other),
        };
        let (page, max) = (number("page", 0)?, number("max", MOST)?);
        if max == 0 || max > MOST {
            return Err(no(400, "Bad Request"));
        }
        Ok(Self { url: request.url.clone(), page, max, pairs })
    }

    fn page<T>(&self, list: &str, found: Vec<T>, row: impl Fn(T) -> Value) -> Value {
        let total = found.len();
        let start = self.page.saturating_mul(self.max);
        let rows: Vec<Value> = found.into_iter().skip(start).take(self.max).map(row).collect();
        // The links forget what else was asked.
        let link = |page: usize| {
            let mut url = self.url.clone();
            url.set_query(Some(&format!("max={}&page={page}", self.max)));
            url.to_string()
        };
        let details = json!({
            "count": rows.len(),
            "totalCount": total,
            "prevPageUrl": self.page.checked_sub(1).map(link),
            "nextPageUrl": (start + rows.len() < total && !rows.is_empty()).then(|| link(self.page + 1)),
        });
        json!({ "pageDetails": details, list: rows })
    }
}
