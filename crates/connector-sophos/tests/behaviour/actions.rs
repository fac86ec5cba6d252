//! What is done about alerts.

use integration::{ActOnThreats, Kind, Pull, Retry, Threat};
use vendorkit::WorldSize;

use crate::stage::{TENANT, all, replay, simulated};

const ALERT: &str = "8d2c1b1a-4a0e-4f0f-8b3e-0b1c2d3e4f01";

#[tokio::test]
async fn a_refusal_says_whose_it_is_and_nothing_is_sent_twice() {
    for (file, action, kind, words) in [
        ("act-not-allowed", "cleanPua", Kind::Refused, "not allowed"),
        ("act-read-only", "acknowledge", Kind::Forbidden, "a role that may do more than read"),
    ] {
        let (connector, played) = replay(&["token", "whoami", "tenant", file]);
        let error = connector.act(TENANT, ALERT, action).await.unwrap_err();
        played.finish().unwrap();
        assert_eq!((error.kind, error.retry), (kind, Retry::No), "{file}");
        let said = format!("{error} {}", error.vendor_message.clone().unwrap_or_default());
        assert!(said.contains(words), "{said}");
        let mut sent = played.requests().into_iter().filter(|one| one.url.path().ends_with("/actions"));
        assert!(sent.all(|one| !one.idempotent), "a transport would send it again");
    }
}

#[tokio::test]
async fn only_one_known_alert_is_ever_named() {
    let (connector, vendor) = simulated(None, WorldSize::SMALL);
    for id in ["", " ", "1,2", "..", "1/2", "\u{e9}"] {
        assert_eq!(connector.act(TENANT, id, "acknowledge").await.unwrap_err().kind, Kind::NotFound, "{id}");
        assert_eq!(connector.fetch(TENANT, id).await.unwrap_err().kind, Kind::NotFound, "{id}");
    }
    assert_eq!(connector.act(TENANT, ALERT, "Acknowledge").await.unwrap_err().kind, Kind::Refused);
    assert_eq!(vendor.count(), 0);
}

#[tokio::test]
async fn an_acknowledged_alert_is_settled_and_no_other() {
    let (connector, vendor) = simulated(None, WorldSize { businesses: 20, devices: 600, people: 60 });
    let tenants: Vec<String> = vendor.read(|world| {
        let open = world.threats_after("sophos", 0).into_iter().filter(|(_, threat)| threat.resolved.is_none());
        open.map(|(home, _)| home.id_at("sophos").to_string()).collect()
    });
    for tenant in tenants {
        let before = all::<Threat>(&connector, Some(&tenant)).await;
        // What is found at a network device is not the endpoint product's.
        let Some(first) = before.first() else { continue };
        assert_eq!(connector.refusal(&first.record, "acknowledge"), None);
        assert!(connector.refusal(&first.record, "clearHmpa").is_some(), "it is not among what is offered");
        let raw = connector.fetch(&tenant, &first.id).await.unwrap();
        assert_eq!(Pull::<Threat>::read(&connector, &raw).unwrap().id, first.id);
        connector.act(&tenant, &first.id, "acknowledge").await.unwrap();
        assert_eq!(connector.fetch(&tenant, &first.id).await.unwrap_err().kind, Kind::NotFound);
        let after = all::<Threat>(&connector, Some(&tenant)).await;
        assert_eq!(after, before[1..], "one is gone, and only that one");
        return;
    }
    panic!("no open threat in the world");
}
