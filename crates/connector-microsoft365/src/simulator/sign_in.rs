//! The sign-in service: who gets a token, and whether a token is good.

use std::sync::atomic::Ordering;

use chrono::{DateTime, TimeDelta, Utc};
use integration::{Body, Method, Request};
use serde_json::json;
use uuid::Uuid;
use vendorkit::World;

use super::{APP, Answer, Microsoft365Simulator, PARTNER, POWERLESS_APP, SECRET, VENDOR, has_consent};

const TOKEN_LIFE: TimeDelta = TimeDelta::seconds(3599);

impl Microsoft365Simulator {
    pub(super) fn sign_in(&self, world: &World, request: &Request, path: &str) -> Answer {
        let Body::Form(pairs) = &request.body else { return Answer::no_token(400, "invalid_request", 900_144) };
        let field = |name: &str| pairs.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
        let tenant = path.strip_suffix("/oauth2/v2.0/token").and_then(|tenant| Uuid::try_parse(tenant).ok());
        let Some(tenant) = tenant.filter(|_| request.method == Method::Post) else {
            return Answer::no_token(400, "invalid_request", 900_023);
        };
        let business = world.by_tenant(tenant).filter(|business| business.vendors.contains(VENDOR));
        if tenant != PARTNER && business.is_none() {
            return Answer::no_token(400, "invalid_request", 90_002);
        }
        let app = field("client_id");
        if ![APP, POWERLESS_APP].contains(&app) || !business.is_none_or(has_consent) {
            return Answer::no_token(400, "unauthorized_client", 700_016);
        }
        if field("client_secret") != SECRET {
            return Answer::no_token(401, "invalid_client", 7_000_215);
        }
        if field("grant_type") != "client_credentials" || !field("scope").ends_with("/.default") {
            return Answer::no_token(400, "invalid_scope", 1_002_012);
        }
        let age = self.age.load(Ordering::Relaxed);
        let token = format!("simulated.{age}.{}.{tenant}.{app}", world.now.timestamp());
        let life = TOKEN_LIFE.num_seconds();
        Answer::ok(json!({ "token_type": "Bearer", "expires_in": life, "ext_expires_in": life, "access_token": token }))
    }

    /// The tenant and the app of the request's token, if that is good.
    pub(super) fn bearer(&self, now: DateTime<Utc>, request: &Request) -> Option<(Uuid, String)> {
        let token = request.header_value("authorization")?.strip_prefix("Bearer simulated.")?;
        let mut parts = token.split('.');
        let age: u64 = parts.next()?.parse().ok()?;
        let since = DateTime::from_timestamp(parts.next()?.parse().ok()?, 0)?;
        let good = age == self.age.load(Ordering::Relaxed) && now - since < TOKEN_LIFE;
        let tenant = Uuid::try_parse(parts.next()?).ok()?;
        good.then_some((tenant, parts.next()?.to_owned()))
    }
}
