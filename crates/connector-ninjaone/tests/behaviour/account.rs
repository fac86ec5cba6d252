//! Hosts, and what the connection test says.

use std::sync::Arc;

use connector_ninjaone::{Credentials, NinjaOne, Region};
use integration::{Connector, CredentialsForm, Kind, Position, Request, Vendor};
use serde_json::{Map, Value};
use vendorkit::{Simulated, Simulator as _, World, WorldSize};

use crate::stand_ins::{Scripted, credentials, over, replaying};

/// Where the connection test goes with this region and own host.
async fn asked(region: Region, own_host: Option<&str>) -> Vec<String> {
    let transport = Scripted::new(|_: &Request| "[{\"id\":1}]".to_owned());
    let connector = NinjaOne::connect(credentials(region, own_host), transport.clone());
    connector.check().await.unwrap();
    transport.asked()
}

#[tokio::test]
async fn the_region_picks_the_host_and_the_own_host_goes_before_it() {
    for (region, host) in [
        (Region::Us, "app"),
        (Region::Us2, "us2"),
        (Region::Eu, "eu"),
        (Region::Ca, "ca"),
        (Region::Oc, "oc"),
        (Region::Fed, "fed"),
    ] {
        let base = format!("https://{host}.ninjarmm.com");
        assert_eq!(
            asked(region, None).await,
            [format!("{base}/ws/oauth/token"), format!("{base}/v2/organizations?pageSize=1")]
        );
    }
    let own = ["https://rmm.example/portal/ws/oauth/token", "https://rmm.example/portal/v2/organizations?pageSize=1"];
    for address in ["https://rmm.example/portal", "https://rmm.example/portal/"] {
        assert_eq!(asked(Region::Us, Some(address)).await, own);
    }
}

#[tokio::test]
async fn another_region_needs_an_own_host() {
    let transport = Scripted::new(|_: &Request| "[]".to_owned());
    let connector = NinjaOne::connect(credentials(Region::Other, None), transport.clone());
    let error = connector.check().await.unwrap_err();
    assert_eq!(error.kind, Kind::Credentials);
    assert!(error.message.contains("own host"), "{error}");
    assert!(transport.asked().is_empty());
}

#[tokio::test]
async fn the_check_warns_of_rights_that_are_missing() {
    for (token, warnings) in [("token", 0), ("token-monitoring-only", 1)] {
        let (connector, replay) = replaying(&[token, "check"]);
        let checked = connector.check().await.unwrap();
        replay.finish().unwrap();
        assert_eq!(checked.warnings.len(), warnings, "{token}: {:?}", checked.warnings);
        for named in ["Management", "installer links", "end users", "documents", "custom fields"] {
            assert!(checked.warnings.iter().all(|warning| warning.contains(named)), "{named}: {:?}", checked.warnings);
        }
    }
}

#[tokio::test]
async fn the_check_warns_of_an_account_that_shows_nothing() {
    let checked = over(Scripted::new(|_: &Request| "[]".to_owned())).check().await.unwrap();
    assert_eq!(checked.warnings.len(), 1);
    assert!(checked.warnings[0].contains("no organization"));
}

#[tokio::test]
async fn a_client_app_of_another_region_is_told_to_check_the_region() {
    let simulator = Arc::new(connector_ninjaone::Simulator::default());
    let mut values: Map<String, Value> = simulator.credentials("http://127.0.0.1:1/ninjaone");
    values.insert("client_id".into(), "of-another-region".into());
    let world = World::generate(WorldSize::SMALL, 3, chrono::DateTime::UNIX_EPOCH);
    let transport = Arc::new(Simulated::new(simulator, world));
    let connector = NinjaOne::connect(Credentials::parse(&values).unwrap(), transport);
    let error = connector.devices().unwrap().page(Position::default()).await.unwrap_err();
    assert_eq!(error.kind, Kind::Credentials);
    assert!(error.message.contains("region"), "{error}");
}
