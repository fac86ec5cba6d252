//! The sign-in service: who gets a token, and whether a token is good.

use std::sync::atomic::Ordering;

use chrono::{DateTime, TimeDelta, Utc};
use integration::{Body, Method, Request};
use serde_json::json;
use uuid::Uuid;
use vendorkit::World;

use super::{APP, Answer, Microsoft365Simulator, PARTNER, POWERLESS_APP, SECRET};

const TOKEN_LIFE: TimeDelta = TimeDelta::seconds(3599);

impl Microsoft365Simulator {
    pub(super) fn sign_in(&self, world: &World, request: &Request, path: &str) -> Answer {
        if request.method == Method::Get {
            return self.page(world, request, path);
        }
        let Body::Form(pairs) = &request.body else { return Answer::no_token(400, "invalid_request", 900_144) };
        let field = |name: &str| pairs.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
        let tenant = path.strip_suffix("/oauth2/v2.0/token").and_then(|tenant| Uuid::try_parse(tenant).ok());
        let Some(tenant) = tenant.filter(|_| request.method == Method::Post) else {
            return Answer::no_token(400, "invalid_request", 900_023);
        };
        let business = world.by_tenant(tenant);
        if tenant != PARTNER && business.is_none() {
            return Answer::no_token(400, "invalid_request", 90_002);
        }
        let app = field("client_id");
        if ![APP, POWERLESS_APP].contains(&app) || business.is_some_and(|business| !self.lets_in(business)) {
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

    /// What is there for everyone: the OpenID document of a tenant, by its id or by a domain, and the page for
    /// administrators. Whoever opens the page consents.
    fn page(&self, world: &World, request: &Request, path: &str) -> Answer {
        let (named, rest) = path.split_once('/').unwrap_or((path, ""));
        let by_id = Uuid::try_parse(named).ok();
        let found = world.businesses().iter().find(|business| match by_id {
            Some(id) => business.tenant_id == id,
            None => business.domain.eq_ignore_ascii_case(named),
        });
        let Some(tenant) = found.map(|business| business.tenant_id) else {
            return Answer::no_token(400, "invalid_tenant", 90_002);
        };
        let base = request.url.as_str().split("/login/").next().unwrap_or_default();
        match rest {
            "v2.0/.well-known/openid-configuration" => Answer::ok(json!({
                "issuer": format!("{base}/login/{tenant}/v2.0"),
                "token_endpoint": format!("{base}/login/{tenant}/oauth2/v2.0/token"),
                "tenant_region_scope": "EU",
            })),
            "adminconsent" => {
                let asked = |name: &str| request.url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value);
                let back = asked("redirect_uri").and_then(|back| url::Url::parse(&back).ok());
                let Some(mut back) = back.filter(|_| asked("client_id").as_deref() == Some(APP)) else {
                    return Answer::no_token(400, "invalid_request", 900_144);
                };
                self.decide(tenant, true);
                back.query_pairs_mut()
                    .append_pair("admin_consent", "True")
                    .append_pair("tenant", &tenant.to_string())
                    .append_pair("state", &asked("state").unwrap_or_default());
                let mut answer = Answer::ok(json!({})).header("location", back);
                answer.status = 302;
                answer
            }
            _ => Answer::no_token(400, "invalid_request", 900_023),
        }
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
