//! The simulator as a stranger to our connector would meet it.

use std::sync::{Arc, RwLock};

use chrono::{DateTime, TimeDelta};
use integration::{Request, Response, Secret};
use serde_json::Value;
use url::Url;
use vendorkit::{SharedWorld, Simulator as _, World, WorldSize};

use super::{answers::DEFAULT_PAGE, *};

pub(super) struct Account {
    simulator: Simulator,
    pub(super) world: SharedWorld,
}

impl Account {
    pub(super) fn new() -> Self {
        let now = DateTime::from_timestamp(1_764_000_000, 0).expect("an instant");
        let world = World::generate(WorldSize::DEMO, 7, now);
        Self { simulator: Simulator::default(), world: Arc::new(RwLock::new(world)) }
    }

    pub(super) fn answer(&self, request: &Request) -> Response {
        self.simulator.answer(&self.world, request)
    }

    fn send(&self, request: Request) -> (Response, Value) {
        let response = self.answer(&request);
        let body = serde_json::from_slice(&response.body).expect("the simulator speaks JSON");
        (response, body)
    }

    fn ask_token(&self, fields: &[(&str, &str)]) -> (Response, Value) {
        self.send(Request::post(at("/ws/oauth/token")).form(fields.iter().copied()))
    }

    pub(super) fn token(&self, app: &oauth::App) -> Secret {
        let (_, body) = self.ask_token(&[
            ("grant_type", "client_credentials"),
            ("client_id", app.id),
            ("client_secret", app.secret),
        ]);
        Secret::new(body["access_token"].as_str().expect("a token").to_owned())
    }

    /// Status and body of a GET with a good token.
    pub(super) fn get(&self, path_and_query: &str) -> (u16, Value) {
        let request = Request::get(at(path_and_query)).bearer(&self.token(&oauth::READER));
        let (response, body) = self.send(request);
        (response.status, body)
    }

    pub(super) fn ids(&self, path_and_query: &str) -> Vec<u64> {
        let (status, body) = self.get(path_and_query);
        assert_eq!(status, 200, "{path_and_query}: {body}");
        body.as_array().expect("a bare array").iter().map(|row| row["id"].as_u64().expect("a number")).collect()
    }
}

pub(super) fn at(path_and_query: &str) -> Url {
    Url::parse(&format!("http://127.0.0.1:4100/ninjaone{path_and_query}")).expect("an address")
}

#[test]
fn without_a_good_token_each_fault_has_its_own_answer() {
    let account = Account::new();
    let (bare, body) = account.send(Request::get(at("/v2/organizations")));
    assert_eq!((bare.status, body["error"].as_str()), (400, Some("missing_header")));
    let (odd, body) = account.send(Request::get(at("/v2/organizations")).header("authorization", "Basic eA=="));
    assert_eq!((odd.status, body["error_code"].as_u64()), (400, Some(1)));
    let unknown = Secret::new("nobody-gave-this".into());
    let (refused, body) = account.send(Request::get(at("/v2/organizations")).bearer(&unknown));
    assert_eq!((refused.status, body["error"].as_str()), (401, Some("not_authenticated")));
    let powerless = account.token(&oauth::POWERLESS);
    let (forbidden, body) = account.send(Request::get(at("/v2/organizations")).bearer(&powerless));
    assert_eq!((forbidden.status, body["resultCode"].as_str()), (403, Some("FAILURE")));
}

#[test]
fn a_token_ends_after_an_hour_and_when_told_to() {
    let account = Account::new();
    let token = account.token(&oauth::READER);
    let ask = || account.send(Request::get(at("/v2/organizations")).bearer(&token)).0.status;
    assert_eq!(ask(), 200);
    account.world.write().expect("the lock").advance(TimeDelta::seconds(3599));
    assert_eq!(ask(), 200);
    account.world.write().expect("the lock").advance(TimeDelta::seconds(1));
    assert_eq!(ask(), 401);
    let token = account.token(&oauth::READER);
    account.simulator.expire_tokens();
    assert_eq!(account.send(Request::get(at("/v2/organizations")).bearer(&token)).0.status, 401);
}

#[test]
fn the_token_endpoint_grants_what_is_asked_and_the_app_has() {
    let account = Account::new();
    let ask = |id, secret, scope: Option<&'static str>| {
        let mut fields = vec![("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret)];
        fields.extend(scope.map(|scope| ("scope", scope)));
        let (response, body) = account.ask_token(&fields);
        (response.status, body["scope"].as_str().map(str::to_owned))
    };
    let app = oauth::READER;
    assert_eq!(ask(app.id, app.secret, None), (200, Some("monitoring management".into())));
    assert_eq!(ask(app.id, app.secret, Some("monitoring")), (200, Some("monitoring".into())));
    assert_eq!(ask(app.id, app.secret, Some("monitoring control")).0, 400);
    assert_eq!(ask(app.id, "another", None).0, 401);
    assert_eq!(ask("another", app.secret, None).0, 404);
    assert_eq!(account.ask_token(&[("grant_type", "password")]).0.status, 400);
}

#[test]
fn listings_page_by_last_id_and_end() {
    let account = Account::new();
    for path in ["organizations", "organizations-detailed", "locations", "devices", "devices-detailed"] {
        let whole = account.ids(&format!("/v2/{path}?pageSize=10000"));
        let mut paged: Vec<u64> = Vec::new();
        loop {
            let after = paged.last().copied().unwrap_or(0);
            let page = account.ids(&format!("/v2/{path}?pageSize=37&after={after}"));
            paged.extend(&page);
            if page.len() < 37 {
                break;
            }
        }
        assert!(!whole.is_empty(), "{path}");
        assert_eq!(paged, whole, "{path}");
        assert!(paged.is_sorted(), "{path}");
    }
    assert_eq!(account.ids("/v2/devices").len(), DEFAULT_PAGE);
    assert_eq!(account.get("/v2/devices?pageSize=0").0, 400);
    assert_eq!(account.get("/v2/devices?after=x").0, 400);
}

#[test]
fn only_businesses_that_know_the_vendor_are_told_of() {
    let account = Account::new();
    let victim = account.ids("/v2/organizations")[0];
    let name = account.world.read().expect("the lock").business(victim).map(|business| business.name_at(NinjaOne::ID));
    assert_eq!(account.get("/v2/organizations").1[0]["name"].as_str(), name.as_deref());
    assert_eq!(account.get(&format!("/v2/organization/{victim}")).0, 200);
    account.world.write().expect("the lock").forget(NinjaOne::ID, victim);
    assert!(!account.ids("/v2/organizations?pageSize=10000").contains(&victim));
    assert_eq!(account.get(&format!("/v2/organization/{victim}")).0, 404);
    assert_eq!(account.ids(&format!("/v2/devices?df=org%20%3D%20{victim}&pageSize=10000")), Vec::<u64>::new());
    let (_, devices) = account.get("/v2/devices?pageSize=10000");
    let orphans = devices.as_array().into_iter().flatten().filter(|row| row["organizationId"] == victim);
    assert_eq!(orphans.count(), 0);
}

#[test]
fn device_filters_select() {
    let account = Account::new();
    let (_, all) = account.get("/v2/devices?pageSize=10000");
    let count = |test: &dyn Fn(&Value) -> bool| all.as_array().into_iter().flatten().filter(|row| test(row)).count();
    let found = |df: &str| account.ids(&format!("/v2/devices?pageSize=10000&df={}", df.replace(' ', "%20"))).len();
    let first = all[0]["organizationId"].as_u64().expect("a number");
    let of_first = count(&|row| row["organizationId"] == first);
    assert!(of_first > 0);
    assert_eq!(found(&format!("org = {first}")), of_first);
    assert_eq!(found(&format!("org in ({first}, 999999)")), of_first);
    assert_eq!(found("offline"), count(&|row| row["offline"] == true));
    assert_eq!(
        found(&format!("org = {first} AND class = WINDOWS_SERVER")),
        count(&|row| row["organizationId"] == first && row["nodeClass"] == "WINDOWS_SERVER")
    );
    assert_eq!(found("status = PENDING"), 0);
    assert_eq!(account.get("/v2/devices?df=nonsense").0, 400);
}

#[test]
fn a_detailed_row_weighs_what_a_real_one_weighs() {
    let account = Account::new();
    let (_, rows) = account.get("/v2/devices-detailed?pageSize=1000&df=class%20%3D%20WINDOWS_WORKSTATION");
    let rows = rows.as_array().expect("a bare array");
    let mean = rows.iter().map(|row| row.to_string().len()).sum::<usize>() / rows.len();
    assert!((1_500..1_800).contains(&mean), "{mean} bytes");
}
