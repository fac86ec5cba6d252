//! Who the credentials are, and what is wrong with them.

use std::time::Duration;

use integration::{Connector, Device, Entity, Kind, Retry, Threat};
use vendorkit::WorldSize;

use crate::stage::{all, page, replay, simulated};

const SIZE: WorldSize = WorldSize { businesses: 20, devices: 300, people: 60 };

#[tokio::test]
async fn a_partner_and_an_organization_see_the_same_in_their_own_ways() {
    let mut seen = Vec::new();
    for (client, service, header) in [
        (None, "partner", "x-partner-id"),
        (Some("sophos-simulated-organization"), "organization", "x-organization-id"),
    ] {
        let (connector, vendor) = simulated(client, SIZE);
        connector.check().await.unwrap();
        let tenants = all::<Entity>(&connector, None).await;
        let path = format!("/sophos/api/{service}/v1/tenants");
        let asked = vendor.requests();
        let listings: Vec<_> = asked.iter().filter(|request| request.url.path() == path).collect();
        assert!(!listings.is_empty() && listings.iter().all(|request| request.header_value(header).is_some()));
        let devices = all::<Device>(&connector, Some(&tenants[0].id)).await;
        seen.push((tenants, devices));
    }
    assert_eq!(seen[0], seen[1]);
    assert!(seen[0].0.len() > 5);
}

#[tokio::test]
async fn credentials_of_one_tenant_see_that_tenant() {
    let (connector, vendor) = simulated(Some("sophos-simulated-tenant"), SIZE);
    let checked = connector.check().await.unwrap();
    assert!(checked.warnings[0].contains("one tenant"), "{checked:?}");
    let tenants = all::<Entity>(&connector, None).await;
    let own =
        vendor.read(|world| world.known_to("sophos").next().map(|b| (b.id_at("sophos"), b.devices.len()))).unwrap();
    assert_eq!(tenants.len(), 1);
    assert_eq!(tenants[0].id, own.0.to_string());
    // Its name is not told: unknown is not made up, but an id tells it apart.
    assert_eq!((tenants[0].record.name.clone(), tenants[0].record.active), (format!("Tenant {}", own.0), None));
    assert!(all::<Device>(&connector, Some(&tenants[0].id)).await.len() <= own.1);
    all::<Threat>(&connector, Some(&tenants[0].id)).await;
    assert!(vendor.log().iter().all(|(_, path)| !path.contains("/tenants")), "{:?}", vendor.log());
    let other = vendor.read(|world| world.known_to("sophos").nth(1).map(|b| b.id_at("sophos").to_string())).unwrap();
    assert_eq!(page::<Device>(&connector, Some(&other)).await.unwrap_err().kind, Kind::NotFound);
}

#[tokio::test]
async fn who_the_credentials_are_is_asked_once() {
    let (connector, vendor) = simulated(None, SIZE);
    for tenant in all::<Entity>(&connector, None).await {
        all::<Device>(&connector, Some(&tenant.id)).await;
        all::<Threat>(&connector, Some(&tenant.id)).await;
    }
    let log = vendor.log();
    let asked = |part: &str| log.iter().filter(|(_, path)| path.contains(part)).count();
    assert_eq!((asked("/whoami/"), asked("/oauth2/token")), (1, 1));
    // Where the tenants live came with their listing.
    assert_eq!(asked("/partner/v1/tenants"), 1);
    assert!(asked("/api-eu01/") > 0 && asked("/api-au01/") > 0, "the world shows too few regions");
}

#[tokio::test]
async fn what_is_wrong_is_said() {
    let after = |seconds| Retry::After(Duration::from_secs(seconds));
    for (files, kind, retry, words, id) in [
        (
            &["token-refused"][..],
            Kind::Credentials,
            Retry::No,
            "oauth.invalid_client_secret: Unauthorized",
            "track-0002",
        ),
        (
            &["token-bad-request"],
            Kind::Credentials,
            Retry::No,
            "oauth.client_app_does_not_exist: Bad Request",
            "track-0003",
        ),
        (&["token", "whoami", "forbidden"], Kind::Forbidden, Retry::No, "Forbidden", "req-0001"),
        (&["token", "whoami", "throttled"], Kind::Throttled, after(8), "TooManyRequests: Slow down", "req-0002"),
        (&["token", "whoami", "throttled-untold"], Kind::Throttled, after(5), "TooManyRequests", ""),
        (&["token", "whoami-other"], Kind::Forbidden, Retry::No, "", ""),
    ] {
        let (connector, played) = replay(files);
        let error = connector.check().await.unwrap_err();
        played.finish().unwrap();
        assert_eq!((error.kind, error.retry), (kind, retry), "{files:?}");
        assert_eq!(error.vendor_message.as_deref().unwrap_or_default(), words, "{files:?}");
        assert_eq!(error.vendor_request_id.as_deref().unwrap_or_default(), id, "{files:?}");
        assert!(error.message.contains("Sophos Central"), "{files:?}: {error}");
    }
}

#[tokio::test]
async fn the_connection_test_warns_of_an_empty_account() {
    let (connector, played) = replay(&["token", "whoami", "check"]);
    assert_eq!(connector.check().await.unwrap().warnings, [""; 0]);
    played.finish().unwrap();
    let (connector, played) = replay(&["token", "whoami", "no-tenants"]);
    assert!(connector.check().await.unwrap().warnings[0].contains("no tenant"));
    played.finish().unwrap();
}
