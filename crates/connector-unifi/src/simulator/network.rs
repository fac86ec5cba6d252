//! The Network application of a console: sites and their devices.

use integration::{Request, Vendor};
use serde_json::{Value, json};
use uuid::Uuid;
use vendorkit::{World, world::Business};

use super::{
    Answer, No, Query,
    fleet::{self, Gear},
    unknown,
};
use crate::Unifi;

/// Asked through Site Manager: of one console, which must be there and online.
pub(super) fn through(world: &World, host: &str, path: &[&str], query: &Query) -> Answer {
    let hosts = fleet::hosts(world);
    let host = hosts.iter().find(|known| known.id == host).ok_or_else(unknown)?;
    if !host.online {
        return Err(No(502, "console is offline".to_owned()));
    }
    answer(&host.sites, Some(host.shared), path, query)
}

/// Asked directly: of the console on its own.
pub(super) fn of_sites(sites: &[&Business], path: &[&str], query: &Query) -> Answer {
    answer(sites, None, path, query)
}

fn answer(sites: &[&Business], shared: Option<bool>, path: &[&str], query: &Query) -> Answer {
    match path {
        ["sites"] => page(query, sites, |business| {
            let unnamed = shared == Some(false) && fleet::is_unnamed(business);
            json!({
                "id": business.id_at(Unifi::ID), "internalReference": fleet::reference(business, shared != Some(false)),
                "name": if unnamed { "Default".to_owned() } else { business.name_at(Unifi::ID) },
            })
        }),
        ["sites", id, "devices"] => {
            let id = Uuid::parse_str(id).map_err(|_| bad("siteId"))?;
            let business = sites.iter().find(|business| business.id_at(Unifi::ID) == id).ok_or_else(unknown)?;
            let mut gear = fleet::gear(business, shared == Some(false));
            gear.retain(|gear| gear.line == "network");
            page(query, &gear, device)
        }
        _ => Err(unknown()),
    }
}

fn device(gear: &Gear) -> Value {
    let pairs: Vec<&str> = (0..6).map(|at| &gear.mac[at * 2..at * 2 + 2]).collect();
    json!({
        "id": vendorkit::world::uuid("unifi device", u64::from_str_radix(&gear.mac, 16).unwrap_or_default()),
        "macAddress": pairs.join(":").to_lowercase(), "ipAddress": gear.ip, "name": gear.name, "model": gear.model,
        "state": if gear.online { "ONLINE" } else { "OFFLINE" }, "supported": true, "firmwareVersion": "6.6.77",
        "firmwareUpdatable": false, "features": [gear.feature],
        "interfaces": if gear.feature == "accessPoint" { ["radios"] } else { ["ports"] },
    })
}

fn page<T>(query: &Query, all: &[T], body: impl Fn(&T) -> Value) -> Answer {
    let number = |name: &str, usual: usize| {
        query.get(name).map_or(Ok(usual), |text| text.parse::<usize>().map_err(|_| bad(name)))
    };
    let (offset, limit) = (number("offset", 0)?, number("limit", 25)?);
    if limit > 200 {
        return Err(bad("limit"));
    }
    let data: Vec<Value> = all.iter().skip(offset).take(limit).map(body).collect();
    Ok(json!({ "offset": offset, "limit": limit, "count": data.len(), "totalCount": all.len(), "data": data }))
}

pub(super) fn problem(world: &World, request: &Request, status: u16, message: &str) -> Value {
    let (name, code) = match status {
        400 => ("BAD_REQUEST", "api.request.argument-type-mismatch"),
        401 => ("UNAUTHORIZED", "api.authentication.missing-credentials"),
        403 => ("FORBIDDEN", "api.authorization.insufficient-permissions"),
        404 => ("NOT_FOUND", "api.request.not-found"),
        _ => ("BAD_GATEWAY", "api.gateway"),
    };
    json!({
        "statusCode": status, "statusName": name, "code": code, "message": message, "timestamp": world.now,
        "requestPath": request.url.path(), "requestId": "3fa85f64-5717-4562-b3fc-2c963f66afa6",
    })
}

fn bad(argument: &str) -> No {
    No(400, format!("'{argument}' has an invalid value"))
}
