//! What becomes of the exchanges in `tests/vendor`.

use std::sync::Arc;

use connector_cipp::Cipp;
use integration::{Connector, CredentialsForm, Kind, Licence, Position, Pull, Retry, SignInMethods, Vendor};
use serde_json::json;
use vendorkit::Replay;

use crate::script::TENANT;

fn replay(files: &[&str]) -> (Cipp, Arc<Replay>) {
    let replay = Arc::new(Replay::files("tests/vendor", files).unwrap());
    let credentials = <Cipp as Vendor>::Credentials::parse(&<Cipp as Vendor>::Credentials::example()).unwrap();
    (Cipp::connect(credentials, replay.clone()), replay)
}

#[tokio::test]
async fn the_samples_are_read_in_full() {
    let at = Position { entity: Some(TENANT), ..Position::default() };
    let (cipp, played) = replay(&["token", "licences", "sign_in_methods"]);
    let page = Pull::<Licence>::page(&cipp, at).await.unwrap();
    let licence = Pull::<Licence>::read(&cipp, &page.records[0]).unwrap().record;
    assert_eq!(
        serde_json::to_value(licence).unwrap(),
        json!({
            "name": "Microsoft 365 Business Premium", "part_number": "Microsoft 365 Business Premium",
            "sku_id": "cbdc14ab-d96c-4c30-b9f4-6ada7cdc1d46", "total": 25, "used": 21, "status": "Enabled",
            "unlimited": false,
        })
    );
    let page = Pull::<SignInMethods>::page(&cipp, at).await.unwrap();
    let item = Pull::<SignInMethods>::read(&cipp, &page.records[0]).unwrap();
    assert_eq!(item.id, "0b8d1a52-6f0e-4a8f-bb26-0f7c3c0a9d11");
    assert_eq!(
        serde_json::to_value(item.record).unwrap(),
        json!({
            "principal_name": "jo@bluegumdental.example", "mfa_registered": true, "mfa_capable": true,
            "passwordless_capable": null, "is_admin": true, "enforced_by": "Conditional Access (All Apps)",
            "methods": ["microsoftAuthenticatorPush", "softwareOneTimePasscode"],
        })
    );
    played.finish().unwrap();
}

#[tokio::test]
async fn the_connection_test_tells_what_to_do() {
    for (files, kind, word) in [
        (&["token-refused"][..], Kind::Credentials, "client secret"),
        (&["token", "token-again", "not-enabled", "not-enabled-again"], Kind::Credentials, "saved to Azure"),
        (&["token", "forbidden"], Kind::Forbidden, "role"),
    ] {
        let (cipp, played) = replay(files);
        let error = cipp.check().await.unwrap_err();
        assert_eq!((error.kind, error.retry), (kind, Retry::No), "{files:?}");
        assert!(error.message.contains(word), "{error}");
        played.finish().unwrap();
    }
}
