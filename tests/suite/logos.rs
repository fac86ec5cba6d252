//! Logos: made safe, served to whoever knows the address, the client's own before the MSP's.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::both_databases;

use crate::{
    harness::{Answer, Caller, TestApp, text},
    house::House,
    portal,
};

/// A PNG of one pixel.
const PIXEL: &[u8] = b"\x89PNG\x0d\x0a\x1a\x0a\x00\x00\x00\x0dIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89\x00\x00\x00\x0dIDATx\xdac\x10P0\xf8\x0f\x00\x02\x04\x01`R\xe2\xa9a\x00\x00\x00\x00IEND\xaeB`\x82";

/// A PNG that says it has 60,000 pixels a side: 14 GB, once decoded.
const BOMB: &[u8] = b"\x89PNG\x0d\x0a\x1a\x0a\x00\x00\x00\x0dIHDR\x00\x00\xea`\x00\x00\xea`\x08\x06\x00\x00\x00\x80\xd2uB\x00\x00\x00\x17IDATx\xdac`\x18\x05\xa3`\x14\x8c\x82Q0\x0aF\xc1P\x07\x00\x07\xd0\x00\x01#\xc6\xb0(\x00\x00\x00\x00IEND\xaeB`\x82";

async fn put(app: &TestApp, caller: &Caller, path: &str, picture: &[u8]) -> Answer {
    let request = app.request(caller, Method::PUT, path).header("content-type", "application/octet-stream");
    app.send(request.body(picture.to_vec())).await
}

fn url(shown: &Value) -> String {
    text(&shown["logo"]["url"])
}

both_databases! {
    async fn a_clients_own_logo_goes_before_the_msps(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let owner = &house.owner;
        let client = text(&app.post(owner, "/api/clients", &json!({ "name": "Quay" })).await.ok()["item"]["id"]);
        portal::enable(&app, owner, &client).await;
        let (guest, _) = portal::member(&app, &house, &client, "user@quay.example", "user").await;
        let seen = async || app.get(&guest, "/api/clientone/session").await.ok()["branding"].clone();
        assert!(seen().await["logo"].is_null(), "the product has none");
        let (all, own) = ("/api/clientone-admin/branding/logo", format!("/api/clientone-admin/settings/{client}/logo"));
        let made = put(&app, owner, all, PIXEL).await.ok();
        let of_msp = url(&made["item"]["shown"]);
        assert_eq!((seen().await["logo"]["source"].as_str(), url(&seen().await)), (Some("organisation"), of_msp.clone()));
        let preview = put(&app, owner, &format!("{own}?dry_run=true"), PIXEL).await.ok();
        assert_eq!(url(&seen().await), of_msp, "a preview changes nothing");
        let digest = text(&preview["change_set"]["digest"]);
        let of_client = url(&put(&app, owner, &format!("{own}?expect={digest}"), PIXEL).await.ok()["item"]["shown"]);
        assert_eq!((seen().await["logo"]["source"].as_str(), url(&seen().await)), (Some("client"), of_client.clone()));
        // The same picture again is no change, and its address stays.
        let again = put(&app, owner, &own, PIXEL).await.ok();
        assert!(again["change_set"]["entry_id"].is_null() && url(&again["item"]["shown"]) == of_client, "{again}");
        for address in [&of_msp, &of_client] {
            let answer = app.get(&Caller::Anonymous, address).await;
            assert_eq!((answer.status, answer.header("content-type").as_str()), (200, "image/png"));
            assert_eq!(answer.header("cache-control"), "public, max-age=31536000, immutable");
            assert_eq!(answer.header("x-content-type-options"), "nosniff");
            let request = app.request(&Caller::Anonymous, Method::GET, address).header("if-none-match", answer.header("etag"));
            assert_eq!(app.send(request).await.status, 304);
        }
        // Other settings leave it, and without it the MSP's is shown again.
        let look = json!({ "welcome_message": "Hello." });
        app.put(owner, &format!("/api/clientone-admin/settings/{client}/branding"), &look).await.ok();
        assert_eq!(url(&seen().await), of_client);
        // Reverting a setting neither loses the logo nor the portal: the journal knows a logo by its hash alone.
        let settings = format!("/api/clientone-admin/settings/{client}");
        let patch = json!({ "all_devices_when_unassigned": true });
        let changed = app.patch(owner, &settings, &patch).await.ok();
        let entry = text(&changed["change_set"]["entry_id"]);
        app.post(owner, &format!("/api/journal/{entry}/revert"), &json!({})).await.ok();
        assert_eq!(url(&seen().await), of_client);
        app.delete(owner, &own).await.ok();
        assert_eq!(url(&seen().await), of_msp);
        app.get(&Caller::Anonymous, &of_client).await.refused(404, "not_found");
        app.delete(owner, all).await.ok();
        assert!(seen().await["logo"].is_null());
    }

    async fn what_is_no_picture_is_refused(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let path = "/api/clientone-admin/branding/logo";
        let large = vec![b'x'; 1024 * 1024 + 1];
        let cases: [(&[u8], &str); 6] = [
            (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "svg"),
            (b"GIF89a\x01\0\x01\0", "not_a_picture"),
            (b"", "empty"),
            (&PIXEL[..40], "unreadable"),
            (&large, "too_large"),
            (BOMB, "too_many_pixels"),
        ];
        for (picture, expected) in cases {
            let answer = put(&app, &house.owner, path, picture).await;
            answer.refused(422, "invalid");
            assert_eq!(answer.json()["errors"][0]["code"], expected);
        }
    }

    async fn an_address_that_is_no_logos_shows_nothing(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let other = House::build(&app, "lark").await;
        let made = put(&app, &house.owner, "/api/clientone-admin/branding/logo", PIXEL).await.ok();
        let address = url(&made["item"]["shown"]);
        let foreign = address.replace(&house.organisation.to_string(), &other.organisation.to_string());
        // The content of a file is no logo.
        let file = crate::kept_files::upload(&app, &house.owner, "name=a.txt", "secret").await.ok();
        let file = format!("/clientone/logos/{}/{}.png", house.organisation, text(&file["item"]["id"]));
        let jpeg = address.replace(".png", ".jpg");
        for wrong in [foreign.as_str(), &file, &jpeg, "/clientone/logos/x/y.png"] {
            app.get(&Caller::Anonymous, wrong).await.refused(404, "not_found");
        }
    }
}
