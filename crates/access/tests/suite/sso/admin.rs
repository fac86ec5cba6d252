//! Setting providers up: who may, what is refused, where the secret is, and what deleting one ends.

use access::{NewSsoProvider, OutsideAnswer, SsoCheck, SsoPatch};
use domain::{Error, Permission, PortalAuthMode, Role, SsoAudience, SsoProviderId};
use persistence::{KeyRing, OsChance, Store, StoreOptions};
use secrecy::ExposeSecret;
use serde_json::json;
use testkit::both_databases;

use super::provider::{BACK, ISSUER, SECRET, SUBJECT, Stage, TENANT, conflict, entra, oidc};
use crate::house::{House, OWNER};

const STAFF: SsoAudience = SsoAudience::Staff;
const PORTAL: SsoAudience = SsoAudience::Portal;

both_databases! {
    async fn only_owners_and_admins_set_providers_up(db: TestDb) {
        let stage = Stage::build(&db).await;
        let provider = stage.set_up(oidc(STAFF, None)).await;
        for (email, role, may) in [
            ("admin@kite.example", Role::Admin, true), ("engineer@kite.example", Role::Engineer, false),
            ("viewer@kite.example", Role::Viewer, false), ("finance@kite.example", Role::Finance, false),
        ] {
            stage.house.staff(email, role).await;
            let context = stage.house.context(email).await;
            let tx = stage.house.store.begin(context.clone()).await.expect("begins");
            let forbidden = |error: Error| matches!(error, Error::Forbidden { permission: Permission::SsoManage });
            match access::sso_provider_create(&tx, oidc(PORTAL, None)).await {
                Ok(_) => assert!(may),
                Err(error) => assert!(!may && forbidden(error)),
            }
            match access::sso_provider_update(&tx, provider.id, SsoPatch::default()).await {
                Ok(_) => assert!(may),
                Err(error) => assert!(!may && forbidden(error)),
            }
            tx.rollback().await.expect("rolls back");
            let tried = access::sso_provider_test(&stage.house.store, &stage.sso, &context, provider.id, BACK).await;
            assert_eq!(tried.is_ok(), may);
        }
        // Once an owner comes in through it, only owners decide who else does.
        stage.link(&provider, stage.house.owner.id.into(), None, SUBJECT).await;
        let admin = stage.house.context("admin@kite.example").await;
        for change in [true, false] {
            let tx = stage.house.store.begin(admin.clone()).await.expect("begins");
            let refused = match change {
                true => access::sso_provider_update(&tx, provider.id, SsoPatch { trusts_mfa: Some(true), ..SsoPatch::default() }).await,
                false => access::sso_provider_delete(&tx, provider.id).await,
            };
            assert!(matches!(refused, Err(Error::Forbidden { permission: Permission::OwnersManage })), "{refused:?}");
        }
        let owner = stage.house.context(OWNER).await;
        let tx = stage.house.store.begin(owner).await.expect("begins");
        access::sso_provider_delete(&tx, provider.id).await.expect("an owner may");
    }

    async fn what_cannot_be_is_refused_by_name(db: TestDb) {
        let stage = Stage::build(&db).await;
        let quay = stage.client("Quay", PortalAuthMode::Password).await;
        let pier = stage.client("Pier", PortalAuthMode::Password).await;
        let create = async |new: NewSsoProvider| {
            let tx = stage.house.store.begin(stage.house.operator()).await.expect("begins");
            let made = access::sso_provider_create(&tx, new).await?;
            tx.commit("sso_provider_create", None).await.map(|_| made)
        };
        for (new, at) in [
            (NewSsoProvider { issuer: None, ..oidc(STAFF, None) }, "/issuer"),
            (NewSsoProvider { issuer: Some("nowhere".into()), ..oidc(STAFF, None) }, "/issuer"),
            (NewSsoProvider { secret: "".into(), ..oidc(STAFF, None) }, "/secret"),
            (NewSsoProvider { secret: "two\nlines".into(), ..oidc(STAFF, None) }, "/secret"),
            (NewSsoProvider { name: " ".into(), ..oidc(STAFF, None) }, "/name"),
            (NewSsoProvider { app_id: "".into(), ..oidc(STAFF, None) }, "/app_id"),
            (NewSsoProvider { tenants: Default::default(), ..entra(STAFF, None) }, "/tenants"),
            (NewSsoProvider { just_in_time: true, ..oidc(STAFF, None) }, "/just_in_time"),
            (NewSsoProvider { domains: ["a.example".into()].into(), ..oidc(PORTAL, None) }, "/domains"),
        ] {
            match create(new).await {
                Err(Error::Invalid(problems)) => assert!(problems.iter().any(|one| one.pointer == at), "{at}: {problems:?}"),
                other => panic!("{at}: {other:?}"),
            }
        }
        let nobody = domain::ClientId(uuid::Uuid::from_u128(7));
        assert!(matches!(create(oidc(PORTAL, Some(nobody))).await, Err(Error::NotFound { .. })));
        let made = create(NewSsoProvider { tenants: [TENANT.to_uppercase()].into(), ..entra(PORTAL, Some(quay)) }).await;
        assert!(made.expect("is set up").tenants.contains(TENANT));
        conflict(create(oidc(PORTAL, Some(quay))).await, "domain_taken");
        conflict(create(NewSsoProvider { domains: Default::default(), ..oidc(PORTAL, Some(quay)) }).await, "provider_exists");
        conflict(create(oidc(PORTAL, Some(pier))).await, "domain_taken");
        create(NewSsoProvider { domains: ["pier.example".into()].into(), ..oidc(PORTAL, Some(pier)) }).await.expect("is set up");
        create(oidc(PORTAL, None)).await.expect("is set up");
        conflict(create(oidc(PORTAL, None)).await, "provider_exists");
    }

    async fn the_secret_is_sealed_and_shown_nowhere(db: TestDb) {
        let stage = Stage::build(&db).await;
        let provider = stage.set_up(oidc(STAFF, None)).await;
        let changed = stage.change(provider.id, SsoPatch { secret: Some("another s3cret".into()), ..SsoPatch::default() }).await;
        assert_eq!((changed.secret_version, changed.version), (2, 2), "the journal tells that it changed");
        for action in ["sso_provider_create", "sso_provider_update"] {
            let text = format!("{:?}", stage.house.journal(action).await);
            assert!(!text.contains(SECRET) && !text.contains("another s3cret") && text.contains("secret_version"), "{text}");
        }
        let tx = stage.house.store.read(stage.house.operator()).await.expect("reads");
        assert_eq!(tx.sso_secret(provider.id).await.expect("opens").expose_secret(), "another s3cret");
        drop(tx);
        let old = "1:dGhpcyBrZXkgaXMgZm9yIHRlc3RzIG9ubHkgMTIzNDU=";
        let new = KeyRing::generate(&OsChance).replacen("1:", "2:", 1);
        let mut options = StoreOptions::new(&db.url, KeyRing::parse(&format!("{new},{old}")).expect("parses"));
        options.clock = db.clock.clone();
        let both = Store::connect(options).await.expect("opens");
        let tx = both.begin(stage.house.operator()).await.expect("begins");
        assert_eq!(tx.sso_secrets_reseal().await.expect("seals anew"), 1);
        assert_eq!(tx.sso_secrets_reseal().await.expect("seals anew"), 0);
        tx.commit_unjournalled().await.expect("commits");
        let tx = db.store.read(stage.house.operator()).await.expect("reads");
        assert!(tx.sso_secret(provider.id).await.is_err(), "the old key alone opens it no more");
    }

    async fn deleting_a_provider_ends_its_links_and_nothing_else(db: TestDb) {
        let stage = Stage::build(&db).await;
        let quay = stage.client("Quay", PortalAuthMode::PasswordSso).await;
        let (own, staff) = (stage.set_up(oidc(PORTAL, Some(quay))).await, stage.set_up(oidc(STAFF, None)).await);
        for at in 0..3 {
            let user = stage.member(quay, &format!("p{at}@quay.example")).await;
            stage.link(&own, user.id.into(), Some(quay), &format!("p{at}")).await;
        }
        stage.link(&staff, stage.house.owner.id.into(), None, SUBJECT).await;
        let traveller = stage.start(stage.ask(PORTAL, Some("p0@quay.example"))).await.expect("begins");
        let tx = stage.house.store.begin(stage.house.operator()).await.expect("begins");
        access::sso_provider_delete(&tx, own.id).await.expect("deletes");
        let set = tx.commit("sso_provider_delete", None).await.expect("commits");
        let kinds: Vec<&str> = set.changes.iter().map(|change| change.kind.as_ref()).collect();
        assert_eq!(kinds, ["sso_link", "sso_link", "sso_link", "sso_provider"]);
        let made = stage.made().await;
        assert_eq!((made[2], made[4]), (3, 1), "three accounts, and the owner's link");
        stage.provider.gives(&stage.provider.key.sign(&stage.claims(&traveller, "p0")));
        conflict(stage.finish(stage.back(PORTAL, &traveller, "192.0.2.1")).await, "sso_over");
    }

    async fn another_organisations_provider_does_not_exist(db: TestDb) {
        let stage = Stage::build(&db).await;
        let provider = stage.set_up(oidc(STAFF, None)).await;
        let link = stage.link(&provider, stage.house.owner.id.into(), None, SUBJECT).await;
        let other = House::named(&db, "Lark", "owner@lark.example", crate::house::PASSWORD).await;
        let random = SsoProviderId(uuid::Uuid::from_u128(7));
        for id in [provider.id, random] {
            let tx = other.store.begin(other.operator()).await.expect("begins");
            let gone = |found: Result<(), Error>| assert!(matches!(found, Err(Error::NotFound { .. })), "{found:?}");
            gone(tx.sso_provider(id).await.map(drop));
            gone(tx.sso_secret(id).await.map(drop));
            gone(access::sso_provider_update(&tx, id, SsoPatch::default()).await.map(drop));
            gone(access::sso_provider_delete(&tx, id).await.map(drop));
            gone(access::sso_link_end(&tx, id, link.id).await.map(drop));
            assert!(tx.sso_provider_used(id).await.expect("asks").is_none());
            assert!(tx.sso_link_by_identity(id, ISSUER, None, SUBJECT).await.expect("asks").is_none());
            tx.rollback().await.expect("rolls back");
        }
        // A state of the one is none of the other: it names its organisation.
        let traveller = stage.start(stage.ask(STAFF, None)).await.expect("begins");
        stage.provider.gives(&stage.provider.key.sign(&stage.claims(&traveller, SUBJECT)));
        stage.finish(stage.back(STAFF, &traveller, "192.0.2.1")).await.expect("signs in");
    }

    async fn a_test_says_what_is_wrong(db: TestDb) {
        let stage = Stage::build(&db).await;
        let provider = stage.set_up(oidc(STAFF, None)).await;
        let context = stage.house.context(OWNER).await;
        let test = async || {
            let found = access::sso_provider_test(&stage.house.store, &stage.sso, &context, provider.id, BACK).await;
            found.expect("tries").into_iter().map(|one| (one.check, one.right, one.message)).collect::<Vec<_>>()
        };
        let (yes, no) = (Some(true), Some(false));
        let checks = |found: &[(SsoCheck, Option<bool>, String)]| found.iter().map(|one| (one.0, one.1)).collect::<Vec<_>>();
        let right = [(SsoCheck::Discovery, yes), (SsoCheck::Issuer, yes), (SsoCheck::Keys, yes), (SsoCheck::Secret, yes)];
        assert_eq!(checks(&test().await), right);
        stage.provider.says().token = OutsideAnswer { status: 401, body: br#"{"error":"invalid_client"}"#.to_vec() };
        assert_eq!(checks(&test().await)[3], (SsoCheck::Secret, no));
        stage.provider.says().token = OutsideAnswer { status: 500, body: Vec::new() };
        assert_eq!(checks(&test().await)[3], (SsoCheck::Secret, None));
        stage.provider.says().keys = json!({ "keys": [] });
        assert_eq!(checks(&test().await)[2], (SsoCheck::Keys, no));
        let address = format!("{ISSUER}/.well-known/openid-configuration");
        stage.provider.says().discovery.get_mut(&address).expect("its document")["issuer"] = "https://other.example".into();
        let found = test().await;
        assert_eq!(checks(&found), right[..1].iter().copied().chain([(SsoCheck::Issuer, no)]).collect::<Vec<_>>());
        assert!(found[1].2.contains("https://other.example") && found[1].2.contains(ISSUER), "{found:?}");
        stage.provider.says().discovery.clear();
        assert!(test().await[0].2.contains("404"));
        stage.provider.says().away = true;
        let found = test().await;
        assert_eq!(checks(&found), [(SsoCheck::Discovery, no)]);
        assert!(found[0].2.contains("not known") && !format!("{found:?}").contains(SECRET));
    }
}
