//! Listings: what of the world they show.

use integration::Vendor;
use serde_json::json;
use vendorkit::World;

use super::{Answer, Query, Simulator, rows, threat_rows};
use crate::SentinelOne;

pub(super) fn sites(world: &World, query: &Query) -> Answer {
    query.only("states", &["active", "expired", "deleted"])?;
    let found = world.known_to(SentinelOne::ID).filter(|business| {
        query.allows("states", || rows::state(business)) && query.allows("accountIds", || rows::account(business).0)
    });
    let found: Vec<_> = found.map(|business| (business.key, business)).collect();
    let (rows, pagination) = query.page(&found, |business| rows::site(business));
    let licences = json!({ "activeLicenses": super::agents(world).count(), "totalLicenses": 0 });
    Ok(json!({ "data": { "allSites": licences, "sites": rows }, "pagination": pagination }))
}

pub(super) fn agents(world: &World, query: &Query) -> Answer {
    query.only("isDecommissioned", &["true", "false", "True", "False"])?;
    // None of the simulated ones is decommissioned.
    let any = query.list("isDecommissioned").is_none_or(|asked| asked.iter().any(|one| one.to_lowercase() == "false"));
    let found = super::agents(world).filter(|(business, _)| {
        any && query.allows("siteIds", || rows::site_id(business))
            && query.allows("accountIds", || rows::account(business).0)
    });
    let found: Vec<_> = found.map(|(business, device)| (device.key, (business, device))).collect();
    let (rows, pagination) = query.page(&found, |(business, device)| rows::agent(business, device));
    Ok(json!({ "data": rows, "pagination": pagination }))
}

pub(super) fn threats(simulator: &Simulator, world: &World, query: &Query) -> Answer {
    query.only("incidentStatuses", &["unresolved", "in_progress", "resolved"])?;
    let found = super::threats(world).filter(|(business, threat)| {
        query.allows("ids", || threat_rows::threat_id(threat.key))
            && query.allows("siteIds", || rows::site_id(business))
            && query.allows("accountIds", || rows::account(business).0)
            && query.allows("incidentStatuses", || simulator.incident(threat))
    });
    let found: Vec<_> = found.map(|(business, threat)| (threat.key, (business, threat))).collect();
    let (rows, pagination) = query.page(&found, |(business, threat)| simulator.threat_row(world, business, threat));
    Ok(json!({ "data": rows, "pagination": pagination }))
}
