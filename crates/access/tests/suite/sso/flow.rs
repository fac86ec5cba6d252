//! Going there and coming back: once, in time, in the same browser, from whom one was sent to.

use access::{OutsideAnswer, SsoDone, SsoPatch, SsoReturn};
use domain::{Error, PortalAuthMode, SsoAudience};
use openidconnect::{PkceCodeChallenge, PkceCodeVerifier};
use serde_json::json;
use testkit::both_databases;

use super::provider::{APP, BACK, ISSUER, SECRET, SUBJECT, Stage, Traveller, conflict, oidc};
use crate::house::OWNER;

const STAFF: SsoAudience = SsoAudience::Staff;

/// Staff sign in through a provider that the owner is linked to.
async fn stage_of(db: &testkit::TestDb) -> (Stage<'_>, domain::SsoProvider) {
    let stage = Stage::build(db).await;
    let provider = stage.set_up(oidc(STAFF, None)).await;
    stage.link(&provider, stage.house.owner.id.into(), None, SUBJECT).await;
    (stage, provider)
}

async fn gone(stage: &Stage<'_>) -> Traveller {
    let traveller = stage.start(stage.ask(STAFF, None)).await.expect("begins");
    stage.provider.gives(&stage.provider.key.sign(&stage.claims(&traveller, SUBJECT)));
    traveller
}

both_databases! {
    async fn the_address_asks_for_what_a_code_flow_needs(db: TestDb) {
        let (stage, _) = stage_of(&db).await;
        let traveller = gone(&stage).await;
        assert!(traveller.begun.url.starts_with(&format!("{ISSUER}/authorize?")), "{}", traveller.begun.url);
        let asked = |name: &str| traveller.query[name].as_str();
        assert_eq!((asked("response_type"), asked("client_id"), asked("redirect_uri")), ("code", APP, BACK));
        assert_eq!((asked("code_challenge_method"), asked("scope")), ("S256", "openid profile email"));
        assert!(!format!("{:?}", traveller.begun).contains(asked("state")));
        let done = stage.finish(stage.back(STAFF, &traveller, "192.0.2.1")).await.expect("signs in");
        assert!(matches!(done, SsoDone::Staff(access::FirstStep::Session(_))));
        let (form, authorization) = stage.provider.says().forms.remove(0);
        assert_eq!((form["grant_type"].as_str(), form["code"].as_str()), ("authorization_code", "the-code"));
        assert_eq!(form["redirect_uri"], BACK);
        let verifier = PkceCodeVerifier::new(form["code_verifier"].clone());
        assert_eq!(PkceCodeChallenge::from_code_verifier_sha256(&verifier).as_str(), asked("code_challenge"));
        assert!(!form.contains_key("client_secret") && authorization.expect("a header").starts_with("Basic "));
        // Nothing of it stands in the database as it was sent.
        let other = gone(&stage).await;
        assert_ne!((asked("state"), asked("nonce")), (&*other.query["state"], &*other.query["nonce"]));
        assert_ne!(asked("code_challenge"), other.query["code_challenge"]);
    }

    async fn a_state_works_once_in_its_own_browser_for_ten_minutes(db: TestDb) {
        let (stage, _) = stage_of(&db).await;
        let before = stage.made().await;
        let traveller = gone(&stage).await;
        let other = gone(&stage).await;
        let right = || stage.back(STAFF, &traveller, "192.0.2.1");
        let wrong: Vec<(&str, SsoReturn)> = vec![
            ("no cookie", SsoReturn { browser: None, ..right() }),
            ("another browser", SsoReturn { browser: Some(other.begun.browser.clone()), ..right() }),
            ("a made-up cookie", SsoReturn { browser: Some("x".into()), ..right() }),
            ("the state as the cookie", SsoReturn { browser: Some(traveller.state().into()), ..right() }),
            ("another state", SsoReturn { state: other.state(), ..right() }),
            ("an empty state", SsoReturn { state: String::new(), ..right() }),
            ("a changed state", SsoReturn { state: format!("{}A", &traveller.state()[1..]), ..right() }),
            ("a long state", SsoReturn { state: "A".repeat(10_000), ..right() }),
        ];
        for (name, back) in wrong {
            match stage.finish(back).await {
                Err(Error::Conflict { code: "sso_over", .. }) => {}
                answer => panic!("{name}: {answer:?}"),
            }
            assert_eq!(stage.made().await, before, "{name}");
        }
        assert!(stage.provider.says().forms.is_empty(), "the provider was asked for nothing");
        // Strangers did not use it up; who it is did, with the first answer.
        stage.provider.gives(&stage.provider.key.sign(&stage.claims(&traveller, SUBJECT)));
        stage.finish(right()).await.expect("signs in");
        let signed_in = stage.made().await;
        conflict(stage.finish(right()).await, "sso_over");
        assert_eq!(stage.made().await, signed_in, "a code is used once");
        let late = gone(&stage).await;
        db.clock.advance(600);
        conflict(stage.finish(stage.back(STAFF, &late, "192.0.2.1")).await, "sso_over");
        let late = gone(&stage).await;
        db.clock.advance(599);
        stage.provider.gives(&stage.provider.key.sign(&stage.claims(&late, SUBJECT)));
        stage.finish(stage.back(STAFF, &late, "192.0.2.1")).await.expect("a second before it ends");
    }

    async fn a_wrong_answer_uses_the_state_up(db: TestDb) {
        let (stage, _) = stage_of(&db).await;
        let traveller = gone(&stage).await;
        stage.provider.gives("not.a.token");
        conflict(stage.finish(stage.back(STAFF, &traveller, "192.0.2.1")).await, "sso_refused");
        stage.provider.gives(&stage.provider.key.sign(&stage.claims(&traveller, SUBJECT)));
        conflict(stage.finish(stage.back(STAFF, &traveller, "192.0.2.1")).await, "sso_over");
    }

    async fn who_sends_somebody_back_is_whom_they_were_sent_to(db: TestDb) {
        let (stage, _) = stage_of(&db).await;
        for wrong in ["https://id.evil.example", "https://id.quay.example/", "", "HTTPS://ID.QUAY.EXAMPLE"] {
            let traveller = gone(&stage).await;
            let back = SsoReturn { issuer: Some(wrong.to_owned()), ..stage.back(STAFF, &traveller, "192.0.2.1") };
            let asked = stage.provider.says().forms.len();
            conflict(stage.finish(back).await, "sso_refused");
            assert_eq!(stage.provider.says().forms.len(), asked, "the code was given to nobody");
        }
        let traveller = gone(&stage).await;
        let back = SsoReturn { issuer: Some(ISSUER.to_owned()), ..stage.back(STAFF, &traveller, "192.0.2.1") };
        stage.finish(back).await.expect("signs in");
        // One that says it always says it: silence is somebody else.
        db.clock.advance(3_600);
        let address = format!("{ISSUER}/.well-known/openid-configuration");
        let says = json!(true);
        stage.provider.says().discovery.get_mut(&address).expect("its document")
            ["authorization_response_iss_parameter_supported"] = says;
        let traveller = gone(&stage).await;
        conflict(stage.finish(stage.back(STAFF, &traveller, "192.0.2.1")).await, "sso_refused");
    }

    async fn a_side_does_not_take_what_the_other_began(db: TestDb) {
        let (stage, _) = stage_of(&db).await;
        let quay = stage.client("Quay", PortalAuthMode::PasswordSso).await;
        stage.set_up(oidc(SsoAudience::Portal, Some(quay))).await;
        let before = stage.made().await;
        let traveller = gone(&stage).await;
        conflict(stage.finish(stage.back(SsoAudience::Portal, &traveller, "192.0.2.1")).await, "sso_over");
        let ask = stage.ask(SsoAudience::Portal, Some("a@quay.example"));
        let traveller = stage.start(ask).await.expect("begins");
        conflict(stage.finish(stage.back(STAFF, &traveller, "192.0.2.1")).await, "sso_over");
        // Of two providers with one issuer: a link of the one opens nothing through the other.
        let done = stage.travel(SsoAudience::Portal, Some("a@quay.example"), |stage, traveller| stage.claims(traveller, SUBJECT));
        conflict(done.await, "sso_no_account");
        assert_eq!(stage.made().await, before);
    }

    async fn a_provider_that_was_changed_or_disabled_ends_what_is_under_way(db: TestDb) {
        let (stage, provider) = stage_of(&db).await;
        let traveller = gone(&stage).await;
        stage.change(provider.id, SsoPatch { name: Some("Renamed".into()), ..SsoPatch::default() }).await;
        conflict(stage.finish(stage.back(STAFF, &traveller, "192.0.2.1")).await, "sso_over");
        let signed_in = gone(&stage).await;
        stage.finish(stage.back(STAFF, &signed_in, "192.0.2.1")).await.expect("signs in");
        let traveller = gone(&stage).await;
        let sessions = stage.made().await;
        stage.change(provider.id, SsoPatch { enabled: Some(false), ..SsoPatch::default() }).await;
        conflict(stage.finish(stage.back(STAFF, &traveller, "192.0.2.1")).await, "sso_over");
        conflict(stage.start(stage.ask(STAFF, None)).await.map(|_| ()), "sso_not_offered");
        assert_eq!(stage.made().await, sessions, "sessions and links stay");
    }

    async fn what_the_provider_says_failed_is_told(db: TestDb) {
        let (stage, _) = stage_of(&db).await;
        let traveller = gone(&stage).await;
        let back = SsoReturn {
            code: None, failed: Some("access_denied\n<b>".into()), ..stage.back(STAFF, &traveller, "192.0.2.1")
        };
        match stage.finish(back).await {
            Err(Error::Conflict { code: "sso_declined", message }) => {
                assert!(message.contains("access_denied") && !message.contains('\n'), "{message}");
            }
            other => panic!("{other:?}"),
        }
        let traveller = gone(&stage).await;
        let back = SsoReturn { code: None, ..stage.back(STAFF, &traveller, "192.0.2.1") };
        conflict(stage.finish(back).await, "sso_refused");
        stage.provider.says().away = true;
        let traveller = gone(&stage).await;
        let away = stage.finish(stage.back(STAFF, &traveller, "192.0.2.1")).await;
        assert!(matches!(away, Err(Error::Vendor { code: "sso_unreachable", .. })), "{away:?}");
    }

    async fn keys_are_fetched_again_for_an_unknown_one_and_not_too_often(db: TestDb) {
        let (stage, _) = stage_of(&db).await;
        let traveller = gone(&stage).await;
        stage.finish(stage.back(STAFF, &traveller, "192.0.2.1")).await.expect("signs in");
        assert_eq!((stage.provider.times_asked("/keys"), stage.provider.times_asked("openid-configuration")), (1, 1));
        db.clock.advance(60);
        // The provider has another key from now on.
        stage.provider.says().keys = json!({ "keys": [stage.provider.other_key.public()] });
        let by_other = async || {
            let traveller = stage.start(stage.ask(STAFF, None)).await.expect("begins");
            stage.provider.gives(&stage.provider.other_key.sign(&stage.claims(&traveller, SUBJECT)));
            stage.finish(stage.back(STAFF, &traveller, "192.0.2.1")).await
        };
        by_other().await.expect("is followed");
        assert_eq!(stage.provider.times_asked("/keys"), 2);
        // The old key is none any more, and asking for it again and again fetches nothing.
        for at in 0..5 {
            let traveller = gone(&stage).await;
            conflict(stage.finish(stage.back(STAFF, &traveller, &format!("198.51.100.{at}"))).await, "sso_refused");
        }
        assert_eq!(stage.provider.times_asked("/keys"), 2);
        db.clock.advance(60);
        let traveller = gone(&stage).await;
        conflict(stage.finish(stage.back(STAFF, &traveller, "198.51.100.9")).await, "sso_refused");
        assert_eq!(stage.provider.times_asked("/keys"), 3);
        by_other().await.expect("goes on");
        db.clock.advance(3_600);
        by_other().await.expect("after an hour too");
        assert_eq!((stage.provider.times_asked("/keys"), stage.provider.times_asked("openid-configuration")), (4, 2));
    }

    async fn a_provider_that_is_another_or_has_weak_keys_is_not_used(db: TestDb) {
        let (stage, _) = stage_of(&db).await;
        let weak = json!({ "kty": "RSA", "use": "sig", "kid": "weak", "e": "AQAB", "n": "A".repeat(171) });
        let mut encrypts = stage.provider.key.public();
        encrypts["use"] = "enc".into();
        stage.provider.says().keys = json!({ "keys": [weak, encrypts, { "kty": "oct", "k": "c2VjcmV0" }] });
        let refused = stage.start(stage.ask(STAFF, None)).await.map(|_| ());
        assert!(matches!(refused, Err(Error::Vendor { code: "sso_unreadable", .. })), "{refused:?}");
        let address = format!("{ISSUER}/.well-known/openid-configuration");
        for (change, code) in [
            (("issuer", json!("https://id.evil.example")), "sso_issuer"),
            (("issuer", json!(format!("{ISSUER}/"))), "sso_issuer"),
            (("token_endpoint", json!("nowhere")), "sso_unreadable"),
            (("jwks_uri", json!(null)), "sso_unreadable"),
        ] {
            let before = stage.provider.says().discovery[&address].clone();
            stage.provider.says().discovery.get_mut(&address).expect("its document")[change.0] = change.1;
            match stage.start(stage.ask(STAFF, None)).await {
                Err(Error::Vendor { code: found, .. }) if found == code => {}
                other => panic!("{code}: {other:?}", other = other.map(|_| ())),
            }
            stage.provider.says().discovery.insert(address.clone(), before);
        }
    }

    async fn which_provider_is_offered_says_nothing_of_accounts(db: TestDb) {
        let (stage, _) = stage_of(&db).await;
        let quay = stage.client("Quay", PortalAuthMode::PasswordSso).await;
        stage.set_up(oidc(SsoAudience::Portal, Some(quay))).await;
        stage.member(quay, "known@quay.example").await;
        for email in ["known@quay.example", "unknown@quay.example", "KNOWN@QUAY.EXAMPLE "] {
            let traveller = stage.start(stage.ask(SsoAudience::Portal, Some(email))).await.expect("is offered");
            assert_eq!(traveller.query.len(), 8);
        }
        for email in [Some("known@pier.example"), Some("known@sub.quay.example"), Some("quay.example"), Some("a@%"), None] {
            conflict(stage.start(stage.ask(SsoAudience::Portal, email)).await.map(|_| ()), "sso_not_offered");
        }
        let mut nowhere = stage.ask(STAFF, Some(OWNER));
        nowhere.organisation = "no such house".to_owned();
        conflict(stage.start(nowhere).await.map(|_| ()), "sso_not_offered");
    }

    async fn guessing_at_the_return_is_locked(db: TestDb) {
        let (stage, _) = stage_of(&db).await;
        let traveller = gone(&stage).await;
        for _ in 0..20 {
            let back = SsoReturn { browser: Some("x".into()), ..stage.back(STAFF, &traveller, "203.0.113.5") };
            assert!(matches!(stage.finish(back).await, Err(Error::Conflict { .. } | Error::TooMany { .. })));
        }
        let locked = stage.finish(stage.back(STAFF, &traveller, "203.0.113.5")).await;
        assert!(matches!(locked, Err(Error::TooMany { .. })), "{locked:?}");
        stage.provider.gives(&stage.provider.key.sign(&stage.claims(&traveller, SUBJECT)));
        stage.finish(stage.back(STAFF, &traveller, "192.0.2.1")).await.expect("nobody elsewhere is kept out");
    }

    async fn the_secret_goes_into_the_form_where_the_provider_takes_it_nowhere_else(db: TestDb) {
        let (stage, _) = stage_of(&db).await;
        let address = format!("{ISSUER}/.well-known/openid-configuration");
        stage.provider.says().discovery.get_mut(&address).expect("its document")["token_endpoint_auth_methods_supported"] =
            json!(["client_secret_post"]);
        let traveller = gone(&stage).await;
        stage.finish(stage.back(STAFF, &traveller, "192.0.2.1")).await.expect("signs in");
        let (form, authorization) = stage.provider.says().forms.remove(0);
        assert_eq!((form["client_secret"].as_str(), authorization), (SECRET, None));
        stage.provider.says().token = OutsideAnswer { status: 400, body: Vec::new() };
    }
}
