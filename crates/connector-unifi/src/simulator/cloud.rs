//! Site Manager: hosts, sites, and the devices of each host.

use integration::Vendor;
use serde_json::{Value, json};
use vendorkit::{World, world::Business};

use super::{
    Answer, No, Query,
    fleet::{self, Gear, Host},
};
use crate::Unifi;

/// Records on a page, when nothing is asked for; and the most.
const USUAL: usize = 100;
const MOST: usize = 500;

pub(super) fn hosts(world: &World, query: &Query) -> Answer {
    page(query, "hosts", &fleet::hosts(world), |host| {
        let version = "5.0.6";
        // Every second console that is offline tells nothing at all.
        let reported = if host.online || host.key % 2 == 1 {
            let state = if host.online { "connected" } else { "disconnected" };
            let network = json!({ "name": "network", "isRunning": true, "state": "active", "status": "ok", "version": "10.5.66" });
            json!({ "name": host.name, "hostname": host.name.to_lowercase(), "version": version, "state": state, "controllers": [network] })
        } else {
            Value::Null
        };
        json!({
            "id": host.id, "hardwareId": format!("hardware-{}", host.key),
            "type": if host.shared { "network-server" } else { "console" },
            "ipAddress": format!("203.0.113.{}", host.key % 250 + 1), "owner": true, "isBlocked": false,
            "registrationTime": host.sites[0].since, "lastConnectionStateChange": fleet::reported(world, host),
            "latestBackupTime": fleet::reported(world, host), "userData": {}, "reportedState": reported,
        })
    })
}

pub(super) fn sites(world: &World, query: &Query) -> Answer {
    let hosts = fleet::hosts(world);
    let sites: Vec<(&Host<'_>, &Business)> =
        hosts.iter().flat_map(|host| host.sites.iter().map(move |site| (host, *site))).collect();
    page(query, "sites", &sites, |(host, business)| {
        let gear = fleet::gear(business, !host.shared);
        let offline = gear.iter().filter(|gear| !gear.online).count();
        let name = if fleet::is_unnamed(business) { "Default".to_owned() } else { business.name_at(Unifi::ID) };
        json!({
            "siteId": fleet::site_id(business), "hostId": host.id,
            "meta": { "desc": name, "gatewayMac": "74:ac:b9:00:00:01", "name": fleet::reference(business, host.shared), "timezone": "Etc/UTC" },
            "statistics": {
                "counts": { "totalDevice": gear.len(), "offlineDevice": offline, "criticalNotification": 0, "wifiClient": business.people.len() },
                "internetIssues": [], "ispInfo": { "name": "Example Fibre", "organization": "Example Fibre" },
                "percentages": { "txRetry": 4.7, "wanUptime": 100 },
            },
            "permission": "admin", "isOwner": true,
        })
    })
}

pub(super) fn devices(world: &World, query: &Query) -> Answer {
    let hosts: Vec<Host<'_>> =
        fleet::hosts(world).into_iter().filter(|host| host.sites.iter().any(|site| !site.devices.is_empty())).collect();
    page(query, "devices", &hosts, |host| {
        let gear = host.sites.iter().flat_map(|site| fleet::gear(site, !host.shared));
        json!({
            "hostId": host.id, "hostName": host.name, "updatedAt": fleet::reported(world, host),
            "devices": gear.map(|gear| device(world, &gear)).collect::<Vec<_>>(),
        })
    })
}

fn device(world: &World, gear: &Gear) -> Value {
    json!({
        "id": gear.mac, "mac": gear.mac, "name": gear.name, "model": gear.model, "shortname": gear.shortname, "ip": gear.ip,
        "productLine": gear.line, "status": if gear.online { "online" } else { "offline" }, "version": "6.6.77",
        "firmwareStatus": "upToDate", "updateAvailable": null, "isConsole": gear.console, "isManaged": true,
        "startupTime": world.now, "adoptionTime": gear.since, "note": null,
        "uidb": { "guid": "5d0e2b61-77aa-4d2f-9d59-1c0f9a6b7e20", "id": "c2f7d4a9-0b3e-4a61-8f7d-55f1e0a9c311", "images": {} },
    })
}

/// One page; its token names the resource and where it goes on.
fn page<T>(query: &Query, resource: &str, all: &[T], body: impl Fn(&T) -> Value) -> Answer {
    let size = query.get("pageSize").map_or(Ok(USUAL), |size| size.parse::<usize>().map_err(|_| bad("pageSize")))?;
    let start = match query.get("nextToken") {
        None => 0,
        Some(token) => token
            .strip_prefix(resource)
            .and_then(|rest| rest.strip_prefix('-')?.parse::<usize>().ok())
            .ok_or_else(|| bad("nextToken"))?,
    };
    let end = start.saturating_add(size.clamp(1, MOST)).min(all.len());
    let data: Vec<Value> = all.get(start..end).unwrap_or_default().iter().map(body).collect();
    let next = if end < all.len() { format!("{resource}-{end}") } else { String::new() };
    Ok(json!({ "data": data, "httpStatusCode": 200, "traceId": "sim-trace-0001", "nextToken": next }))
}

pub(super) fn problem(status: u16, message: &str) -> Value {
    let code = match status {
        400 | 405 => "BAD_REQUEST",
        401 => "UNAUTHORIZED",
        403 => "FORBIDDEN",
        404 => "NOT_FOUND",
        _ => "SERVER_ERROR",
    };
    json!({ "code": code, "httpStatusCode": status, "message": message, "traceId": "sim-trace-0002" })
}

fn bad(parameter: &str) -> No {
    No(400, format!("invalid {parameter}"))
}
