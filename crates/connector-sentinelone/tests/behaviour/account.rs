//! Address, token and account of a connection.

use std::{sync::Arc, time::Duration};

use integration::{Connector, CredentialsForm, Device, Entity, Kind, Position, Pull, Retry, Threat, Vendor};
use vendorkit::Replay;

use crate::stage::{connect, replay, simulated};

#[tokio::test]
async fn the_connection_test_warns_before_the_token_ends() {
    for (files, warning) in [
        (["check", "check-token"], None),
        (["check", "token-ends"], Some("2026-10-20")),
        // Not every token may ask: no reason to fail, nothing to say.
        (["check", "token-untold"], None),
        (["no-sites", "check-token"], Some("no site")),
    ] {
        let (connector, played) = replay(&files);
        let checked = connector.check().await.unwrap();
        played.finish().unwrap();
        assert_eq!(checked.warnings.len(), usize::from(warning.is_some()), "{files:?}");
        assert!(warning.is_none_or(|text| checked.warnings[0].contains(text)), "{files:?}: {checked:?}");
    }
}

#[tokio::test]
async fn what_is_wrong_is_said() {
    let five = Retry::After(Duration::from_secs(5));
    let eight = Retry::After(Duration::from_secs(8));
    for (file, kind, retry, words) in [
        ("refused-token", Kind::Credentials, Retry::No, "Unauthorized Access"),
        ("forbidden", Kind::Forbidden, Retry::No, "Insufficient permissions; Role lacks Sites view"),
        ("throttled", Kind::Throttled, eight, "Too many requests"),
        ("throttled-untold", Kind::Throttled, five, "Too many requests"),
        ("no-console", Kind::NotFound, Retry::No, "Not Found"),
        // Half of the shards did not answer: that is no whole listing.
        ("data-with-errors", Kind::Unreadable, Retry::Yes, "Partial result; A shard did not answer"),
    ] {
        let (connector, played) = replay(&[file]);
        let error = connector.check().await.unwrap_err();
        played.finish().unwrap();
        assert_eq!((error.kind, error.retry), (kind, retry), "{file}");
        assert_eq!(error.vendor_message.as_deref(), Some(words), "{file}");
        assert!(error.message.contains("SentinelOne"), "{file}: {error}");
    }
}

#[tokio::test]
async fn an_address_copied_from_the_browser_will_do() {
    let mut form = <connector_sentinelone::SentinelOne as Vendor>::Credentials::example();
    form.remove("account_id");
    for (entered, asked) in [
        ("https://console.example", "https://console.example/web/api/v2.1/sites"),
        ("https://console.example/", "https://console.example/web/api/v2.1/sites"),
        ("https://console.example/login", "https://console.example/web/api/v2.1/sites"),
        ("https://console.example/dashboard/", "https://console.example/web/api/v2.1/sites"),
        ("https://console.example/web/api/v2.1/", "https://console.example/web/api/v2.1/sites"),
        ("https://console.example/incidents/threats", "https://console.example/web/api/v2.1/sites"),
        ("https://proxy.example:8443/edr/login", "https://proxy.example:8443/edr/web/api/v2.1/sites"),
    ] {
        form.insert("console_url".to_owned(), entered.into());
        let replay = Arc::new(Replay::of(Vec::new()));
        let connector = connect(&form, replay.clone());
        Pull::<Entity>::page(&connector, Position::default()).await.unwrap_err();
        let mut url = replay.requests()[0].url.clone();
        assert!(url.query_pairs().all(|(key, _)| key != "accountIds"));
        url.set_query(None);
        assert_eq!(url.as_str(), asked, "{entered}");
    }
}

#[tokio::test]
async fn one_account_can_be_picked_and_bounds_everything() {
    let (_, vendor) = simulated(None);
    let mut form = vendor.simulator.credentials("http://127.0.0.1:4100/sentinelone");
    let everything = connect(&form, vendor.clone());
    form.insert("account_id".to_owned(), "1417000000000000002".into());
    let one = connect(&form, vendor.clone());
    async fn counts(connector: &connector_sentinelone::SentinelOne) -> [u64; 3] {
        let at = Position::default();
        let sites = Pull::<Entity>::page(connector, at).await.unwrap();
        let agents = Pull::<Device>::page(connector, at).await.unwrap();
        let threats = Pull::<Threat>::page(connector, at).await.unwrap();
        [sites, agents, threats].map(|page| page.total.unwrap())
    }
    let (whole, part) = (counts(&everything).await, counts(&one).await);
    for at in 0..3 {
        assert!(part[at] < whole[at], "{part:?} of {whole:?}");
    }
    assert!(part[0] > 0 && part[1] > 0, "{part:?} of {whole:?}");
}
