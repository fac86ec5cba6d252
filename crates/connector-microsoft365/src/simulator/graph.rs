//! Graph's side: who may see what, paging, and the change feed of users.

use std::collections::BTreeSet;

use integration::{Body, Method, Request};
use serde_json::{Value, json};
use uuid::Uuid;
use vendorkit::{
    World,
    world::{self, Business, Changed},
};

use super::{Answer, Microsoft365Simulator, PARTNER, POWERLESS_APP, VENDOR, views};

/// Rows of a page where the caller does not say, and at most.
const ROWS: usize = 100;
const MOST_ROWS: usize = 300;

impl Microsoft365Simulator {
    pub(super) fn graph(&self, world: &World, request: &Request, path: &str) -> Answer {
        let Some((tenant, app)) = self.bearer(world.now, request) else {
            return Answer::refused(401, "InvalidAuthenticationToken");
        };
        if request.method == Method::Post && path == "$batch" {
            return self.batch(world, request);
        }
        if request.method != Method::Get {
            return Answer::refused(405, "Request_BadRequest");
        }
        if app == POWERLESS_APP {
            return Answer::refused(403, "Authorization_RequestDenied");
        }
        let business = self.tenant(world, tenant);
        match (path, business) {
            ("tenantRelationships/delegatedAdminCustomers", _) if tenant == PARTNER => {
                customers(world, request, |key| key % 5 != 0, views::delegated)
            }
            ("contracts", _) if tenant == PARTNER => customers(world, request, |key| key % 5 != 1, views::contract),
            ("tenantRelationships/delegatedAdminCustomers" | "contracts", _) => {
                Answer::refused(403, "Authorization_RequestDenied")
            }
            // The partner's own tenant has nothing in it.
            (_, None) => Answer::ok(json!({ "value": [] })),
            ("users/delta", Some(business)) => Self::users(world, business, request),
            ("reports/authenticationMethods/userRegistrationDetails", Some(business)) => {
                premium(business).unwrap_or_else(|| rows(request, views::registrations(business)))
            }
            ("users", Some(business)) => premium(business).unwrap_or_else(|| sign_ins(request, business)),
            (path, Some(business)) if path.starts_with("users/") => {
                let id = path.strip_prefix("users/").and_then(|id| Uuid::try_parse(id).ok());
                let found = business.people.iter().find(|person| Some(person.id) == id);
                let Some(person) = found else { return Answer::refused(404, "Request_ResourceNotFound") };
                premium(business).unwrap_or_else(|| Answer::ok(views::sign_in(person)))
            }
            ("roleManagement/directory/roleAssignments", Some(business)) => rows(request, views::assignments(business)),
            ("subscribedSkus", Some(business)) => rows(request, views::skus(business)),
            ("security/secureScores", Some(business)) => rows(request, views::scores(business, world.now)),
            ("organization", Some(business)) => rows(request, vec![views::organisation(business)]),
            ("domains", Some(business)) => rows(request, views::domains(business)),
            _ => Answer::refused(404, "Request_ResourceNotFound"),
        }
    }

    /// Every part as a request of its own, the last first: the order is not promised.
    fn batch(&self, world: &World, request: &Request) -> Answer {
        let Body::Json(body) = &request.body else { return Answer::refused(400, "BadRequest") };
        let parts: Vec<&Value> = body["requests"].as_array().into_iter().flatten().collect();
        if parts.is_empty() || parts.len() > 20 {
            return Answer::refused(400, "BadRequest");
        }
        let base = request.url.as_str().trim_end_matches("/$batch").to_owned();
        let answer = |part: &Value| {
            let address = part["url"].as_str().unwrap_or_default();
            let url = format!("{base}{address}").parse().ok().filter(|_| part["method"] == "GET");
            let told = match url {
                None => Answer::refused(400, "BadRequest"),
                Some(url) => {
                    let path = address.trim_start_matches('/').split('?').next().unwrap_or_default().to_owned();
                    self.graph(world, &Request { method: Method::Get, url, ..request.clone() }, &path)
                }
            };
            json!({ "id": part["id"], "status": told.status, "headers": {}, "body": told.body })
        };
        let responses: Vec<Value> = parts.into_iter().rev().map(answer).collect();
        Answer::ok(json!({ "responses": responses }))
    }

    /// The change feed. A token says which round it belongs to: `all.R.K` goes on with a complete round
    /// begun at revision R after key K, `new.F.T.N` with the changes from F to T after the first N.
    fn users(world: &World, business: &Business, request: &Request) -> Answer {
        let token = parameter(request, "$skiptoken").or_else(|| parameter(request, "$deltatoken"));
        if token.as_deref() == Some("latest") {
            return feed(request, Vec::new(), None, world.revision());
        }
        let Some(token) = token else { return Self::all_users(business, request, world.revision(), 0) };
        let numbers: Vec<u64> = token.split('.').skip(1).filter_map(|part| part.parse().ok()).collect();
        match (token.split('.').next(), numbers.as_slice()) {
            (Some("all"), &[revision, after]) => Self::all_users(business, request, revision, after),
            (Some("new"), &[from]) => Self::changed_users(world, business, request, from, world.revision(), 0),
            (Some("new"), &[from, to, done]) => {
                Self::changed_users(world, business, request, from, to, usize::try_from(done).unwrap_or(usize::MAX))
            }
            _ => Answer::refused(400, "SyncStateNotFound"),
        }
    }

    fn all_users(business: &Business, request: &Request, revision: u64, after: u64) -> Answer {
        let rest = &business.people[business.people.partition_point(|person| person.key <= after)..];
        let page = &rest[..rest.len().min(ROWS)];
        let value: Vec<Value> = page.iter().map(views::user).collect();
        let next = page.last().filter(|_| rest.len() > ROWS).map(|last| format!("all.{revision}.{}", last.key));
        feed(request, value, next, revision)
    }

    fn changed_users(world: &World, business: &Business, request: &Request, from: u64, to: u64, done: usize) -> Answer {
        let Some(changes) = world.changes_since(from) else {
            return Answer::refused(410, "resyncRequired").header("location", request.url.as_str());
        };
        let keys: BTreeSet<u64> = changes
            .iter()
            .filter(|change| change.what == Changed::Person && change.business == business.key && change.revision <= to)
            .map(|change| change.key)
            .collect();
        let row = |&key: &u64| match business.person(key) {
            Some(person) => views::user(person),
            None => json!({ "id": world::uuid("person", key), "@removed": { "reason": "changed" } }),
        };
        let value = keys.iter().skip(done).take(ROWS).map(row).collect();
        let next = (keys.len() > done.saturating_add(ROWS)).then(|| format!("new.{from}.{to}.{}", done + ROWS));
        feed(request, value, next, to)
    }
}

/// The refusal of what Microsoft tells only of tenants with Entra ID P1.
fn premium(business: &Business) -> Option<Answer> {
    let refused = || Answer::refused(403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant");
    (!business.premium_directory).then(refused)
}

/// Users with their sign-ins: few at a time.
fn sign_ins(request: &Request, business: &Business) -> Answer {
    if size(request) > 120 {
        return Answer::refused(400, "Request_UnsupportedQuery");
    }
    rows(request, business.people.iter().map(views::user_with_sign_in).collect())
}

fn feed(request: &Request, value: Vec<Value>, next: Option<String>, revision: u64) -> Answer {
    let link = match next {
        Some(token) => ("@odata.nextLink", link(request, &[("$skiptoken", &token)])),
        None => ("@odata.deltaLink", link(request, &[("$deltatoken", &format!("new.{revision}"))])),
    };
    Answer::ok(json!({ "value": value, link.0: link.1 }))
}

/// Customers of the partner, a page at a time: a key is where the next page begins.
fn customers(
    world: &World,
    request: &Request,
    listed: impl Fn(u64) -> bool,
    view: impl Fn(&Business) -> Value,
) -> Answer {
    let after: u64 = parameter(request, "$skiptoken").and_then(|key| key.parse().ok()).unwrap_or(0);
    let wanted = size(request);
    let mut rest = world.known_to(VENDOR).filter(|business| business.key > after && listed(business.key));
    let page: Vec<&Business> = rest.by_ref().take(wanted).collect();
    let more = rest.next().is_some();
    let value: Vec<Value> = page.iter().map(|business| view(business)).collect();
    match page.last().filter(|_| more) {
        None => Answer::ok(json!({ "value": value })),
        Some(last) => {
            let next = link(request, &[("$top", &wanted.to_string()), ("$skiptoken", &last.key.to_string())]);
            Answer::ok(json!({ "value": value, "@odata.nextLink": next }))
        }
    }
}

/// Any other listing: a count of rows is where the next page begins.
fn rows(request: &Request, all: Vec<Value>) -> Answer {
    let done: usize = parameter(request, "$skiptoken").and_then(|count| count.parse().ok()).unwrap_or(0);
    let wanted = size(request);
    let (seen, end) = (done.min(all.len()), done.saturating_add(wanted).min(all.len()));
    let mut body = json!({ "value": &all[seen..end] });
    if end < all.len() {
        let next = link(request, &[("$top", &wanted.to_string()), ("$skiptoken", &end.to_string())]);
        body["@odata.nextLink"] = Value::String(next);
    }
    Answer::ok(body)
}

fn size(request: &Request) -> usize {
    let wanted = parameter(request, "$top").and_then(|top| top.parse::<usize>().ok());
    wanted.unwrap_or(ROWS).clamp(1, MOST_ROWS)
}

fn parameter(request: &Request, name: &str) -> Option<String> {
    request.url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// The address asked for, with another query.
fn link(request: &Request, query: &[(&str, &str)]) -> String {
    let mut url = request.url.clone();
    let pairs: Vec<String> = query.iter().map(|(key, value)| format!("{key}={value}")).collect();
    url.set_query(Some(&pairs.join("&")));
    url.into()
}
