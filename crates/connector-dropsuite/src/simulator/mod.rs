//! Dropsuite, simulated: its wire format over the shared world. A customer is a business, under the name that the
//! MSP's people gave it here; its mailboxes are its people.
//!
//! It has the vendor's habits that cost others time: two levels of tokens, logins of one organisation on several
//! rows, products that are not bought, secrets inside mailboxes, and a list of another shape for each product.

mod asked;
mod bodies;

use std::sync::{
    PoisonError,
    atomic::{AtomicU64, Ordering},
};

use integration::{RecordKind, Request, Response, Vendor};
use serde_json::{Map, Value, json};
use vendorkit::{SharedWorld, World, world::Business};

use self::asked::Asked;
use crate::Dropsuite;

const RESELLER: &str = "reseller-simulated-0001";
const OWN: &str = "own-simulated-0001";
const POWERLESS: &str = "own-simulated-guest";

/// Dropsuite over the shared world.
#[derive(Default)]
pub struct Simulator {
    /// Counts how often the customers' tokens were made anew.
    generation: AtomicU64,
    requests: AtomicU64,
}

/// A status and what the vendor says with it.
struct No(u16, &'static str);

type Answer = Result<Value, No>;

impl Simulator {
    /// Makes the tokens of all customers anew: the old ones are refused from now on.
    pub fn renew_customer_tokens(&self) {
        self.generation.fetch_add(1, Ordering::Relaxed);
    }

    /// The token of a customer; some have none.
    fn token_of(&self, business: &Business) -> Option<String> {
        let generation = self.generation.load(Ordering::Relaxed);
        bodies::open(business).then(|| format!("customer-{}-token-{generation}", business.key))
    }

    /// The customer whose token this is.
    fn customer_of<'w>(&self, world: &'w World, token: &str) -> Option<&'w Business> {
        let key = token.split('-').nth(1)?.parse().ok()?;
        let known = world.business(key).filter(|business| business.vendors.contains(Dropsuite::ID));
        known.filter(|business| self.token_of(business).as_deref() == Some(token))
    }

    fn route(&self, world: &World, request: &Request) -> Answer {
        let parts: Vec<&str> = request.url.path_segments().map(Iterator::collect).unwrap_or_default();
        let start = parts.iter().position(|part| *part == "api").ok_or(No(404, "not found"))?;
        let (path, token) = (&parts[start + 1..], request.header_value("x-access-token").unwrap_or_default());
        let reseller = request.header_value("x-reseller-token") == Some(RESELLER);
        let whose = match token {
            _ if !reseller => return Err(REFUSED),
            OWN => None,
            POWERLESS => return Err(No(403, "this account may not use the API")),
            _ => Some(self.customer_of(world, token).ok_or(REFUSED)?),
        };
        if request.method.as_str() != "GET" {
            return Err(No(405, "method not allowed"));
        }
        let asked = Asked::read(request)?;
        match (path, whose) {
            (["status"], _) => Ok(json!("OK")),
            (["users"], None) => {
                let logins: Vec<_> = customers(world).flat_map(bodies::logins).collect();
                Ok(asked.result_set(logins, |(of, admin)| bodies::login(of, admin, self.token_of(of).as_deref())))
            }
            (["users", login, "tenants"], None) => {
                let of = customers(world).find(|of| bodies::login_ids(of).iter().any(|id| id == login));
                Ok(Value::Array(bodies::tenants(of.ok_or(No(404, "not found"))?)))
            }
            (["accounts"], Some(of)) => {
                Ok(asked.result_set(bodies::mailboxes(of, world.now, token), |mailbox| mailbox))
            }
            (["accounts", "connection_failures"], Some(of)) => {
                let all = bodies::mailboxes(of, world.now, token);
                Ok(asked.result_set(all.into_iter().filter(bodies::is_unreachable).collect(), |mailbox| mailbox))
            }
            (["onedrives"], Some(of)) if bodies::has_onedrive(of) => Ok(asked.data(bodies::onedrives(of, world.now))),
            // A list without paging is all there is, whatever page is asked for.
            (["sharepoints", "domains"], Some(of)) if bodies::has_sharepoint(of) => {
                Ok(Value::Array(vec![bodies::sharepoint(of, world.now)]))
            }
            (["sharepoints", "domains"], Some(_)) => Err(No(403, "product is not enabled")),
            (["teams_and_groups", "domains"], Some(of)) if bodies::has_teams(of) => {
                Ok(json!([asked.result_set(vec![bodies::teams(of, world.now)], |domain| domain)]))
            }
            (["users", ..], Some(_)) | (["accounts" | "onedrives" | "sharepoints" | "teams_and_groups", ..], None) => {
                Err(No(401, "You are not authorized to perform this action"))
            }
            _ => Err(No(404, "not found")),
        }
    }
}

impl vendorkit::Simulator for Simulator {
    fn id(&self) -> &'static str {
        Dropsuite::ID
    }

    fn answer(&self, world: &SharedWorld, request: &Request) -> Response {
        let world = world.read().unwrap_or_else(PoisonError::into_inner);
        let (status, body) = match self.route(&world, request) {
            Ok(body) => (200, body),
            Err(No(status, why)) => (status, json!({ "error": why })),
        };
        let number = self.requests.fetch_add(1, Ordering::Relaxed) + 1;
        let headers = vec![
            ("content-type".to_owned(), "application/json; charset=utf-8".to_owned()),
            ("x-request-id".to_owned(), format!("simulated-{number}")),
        ];
        Response { status, headers, body: body.to_string().into(), received_at: world.now }
    }

    fn credentials(&self, base: &str) -> Map<String, Value> {
        form(base, OWN)
    }

    fn wrong_credentials(&self, base: &str) -> Map<String, Value> {
        form(base, "own-simulated-mistake")
    }

    fn powerless_credentials(&self, base: &str) -> Map<String, Value> {
        form(base, POWERLESS)
    }

    /// The tokens have no end.
    fn expire_tokens(&self) {}

    fn expected(&self, world: &World, kind: RecordKind) -> Option<usize> {
        match kind {
            RecordKind::Backup => Some(customers(world).filter(|of| bodies::open(of)).map(bodies::backed_up).sum()),
            RecordKind::Licence => Some(customers(world).count()),
            _ => world.expected(Dropsuite::ID, kind),
        }
    }

    /// Customers come in pages, but only all logins together make them: the connector gives them at once.
    fn unpaged(&self, kind: RecordKind) -> bool {
        matches!(kind, RecordKind::Entity | RecordKind::Licence)
    }
}

const REFUSED: No = No(401, "not authorized");

fn customers(world: &World) -> impl Iterator<Item = &Business> {
    world.known_to(Dropsuite::ID)
}

fn form(base: &str, own: &str) -> Map<String, Value> {
    let fields = [("url", base), ("reseller_token", RESELLER), ("authentication_token", own)];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
}
