//! Tokens of Microsoft Entra that are of the wrong tenant, or say so in two ways. Whoever sends them has an account that
//! is linked: a token that was taken would sign in.

use domain::{PortalAuthMode, SsoAudience};
use serde_json::{Value, json};
use testkit::both_databases;

use super::provider::{AUTHORITY, OTHER_TENANT, SUBJECT, Stage, TENANT, conflict, entra};

const PERSONAL: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

fn issuer(tenant: &str) -> Value {
    format!("{AUTHORITY}/{tenant}/v2.0").into()
}

const REFUSED: &str = "sso_refused";
const NO_ACCOUNT: &str = "sso_no_account";

/// What is forged, how, and what it is refused with.
type Forgery = (&'static str, fn(&mut Value), &'static str);

/// Name, what is wrong with the claims, and the answer.
static CASES: &[Forgery] = &[
    ("another tenant, all of it", |c| (c["tid"], c["iss"]) = (OTHER_TENANT.into(), issuer(OTHER_TENANT)), NO_ACCOUNT),
    ("another tenant in tid", |c| c["tid"] = OTHER_TENANT.into(), REFUSED),
    ("another tenant in iss", |c| c["iss"] = issuer(OTHER_TENANT), REFUSED),
    ("no tid", |c| drop(c.as_object_mut().expect("claims").remove("tid")), REFUSED),
    ("an empty tid", |c| (c["tid"], c["iss"]) = ("".into(), issuer("")), REFUSED),
    ("tid null", |c| c["tid"] = Value::Null, REFUSED),
    ("tid in a list", |c| c["tid"] = json!([TENANT]), REFUSED),
    ("the template itself", |c| (c["tid"], c["iss"]) = ("{tenantid}".into(), issuer("{tenantid}")), REFUSED),
    ("organizations", |c| (c["tid"], c["iss"]) = ("organizations".into(), issuer("organizations")), REFUSED),
    ("common", |c| (c["tid"], c["iss"]) = ("common".into(), issuer("common")), REFUSED),
    ("personal accounts", |c| (c["tid"], c["iss"]) = (PERSONAL.into(), issuer(PERSONAL)), REFUSED),
    ("tid in capitals", |c| c["tid"] = TENANT.to_uppercase().into(), REFUSED),
    (
        "tid and issuer in capitals",
        |c| {
            (c["tid"], c["iss"]) = (TENANT.to_uppercase().into(), issuer(&TENANT.to_uppercase()));
        },
        REFUSED,
    ),
    (
        "tid in braces",
        |c| (c["tid"], c["iss"]) = (format!("{{{TENANT}}}").into(), issuer(&format!("{{{TENANT}}}"))),
        REFUSED,
    ),
    (
        "tid with a path",
        |c| {
            (c["tid"], c["iss"]) = (format!("{TENANT}/..").into(), issuer(&format!("{TENANT}/..")));
        },
        REFUSED,
    ),
    ("issuer of the first version", |c| c["iss"] = format!("https://sts.windows.net/{TENANT}/").into(), REFUSED),
    ("issuer with a slash", |c| c["iss"] = format!("{AUTHORITY}/{TENANT}/v2.0/").into(), REFUSED),
    (
        "issuer of another cloud",
        |c| c["iss"] = format!("https://login.microsoftonline.us/{TENANT}/v2.0").into(),
        REFUSED,
    ),
    ("issuer of a look-alike", |c| c["iss"] = format!("{AUTHORITY}.evil.example/{TENANT}/v2.0").into(), REFUSED),
    (
        "a host with the authority as user",
        |c| c["iss"] = format!("{AUTHORITY}@evil.example/{TENANT}/v2.0").into(),
        REFUSED,
    ),
    ("another subject with the same e-mail", |c| c["sub"] = "another".into(), NO_ACCOUNT),
    ("another subject with the same oid", |c| (c["sub"], c["oid"]) = ("another".into(), SUBJECT.into()), NO_ACCOUNT),
    ("another app", |c| c["aud"] = "another-app".into(), REFUSED),
    ("another party", |c| c["azp"] = "another-app".into(), REFUSED),
];

both_databases! {
    async fn no_token_of_a_wrong_tenant_is_taken(db: TestDb) {
        let stage = Stage::build(&db).await;
        let quay = stage.client("Quay", PortalAuthMode::SsoOnly).await;
        let portal = stage.set_up(entra(SsoAudience::Portal, Some(quay))).await;
        let staff = stage.set_up(entra(SsoAudience::Staff, None)).await;
        let user = stage.member(quay, "nova@quay.example").await;
        stage.link(&portal, user.id.into(), Some(quay), SUBJECT).await;
        stage.link(&staff, stage.house.owner.id.into(), None, SUBJECT).await;
        let before = stage.made().await;
        for audience in [SsoAudience::Portal, SsoAudience::Staff] {
            let ask = || stage.ask(audience, Some("nova@quay.example"));
            for (at, (name, forge, code)) in CASES.iter().enumerate() {
                let traveller = stage.start(ask()).await.expect("begins");
                let mut claims = stage.entra_claims(&traveller, SUBJECT);
                forge(&mut claims);
                stage.provider.gives(&stage.provider.key.sign(&claims));
                match stage.finish(stage.back(audience, &traveller, &format!("198.51.100.{at}"))).await {
                    Err(domain::Error::Conflict { code: found, .. }) if found == *code => {}
                    other => panic!("{name} ({audience:?}): {other:?}"),
                }
                assert_eq!(stage.made().await, before, "{name} made something");
                db.clock.advance(1);
            }
            let traveller = stage.start(ask()).await.expect("begins");
            stage.provider.gives(&stage.provider.key.sign(&stage.entra_claims(&traveller, SUBJECT)));
            stage.finish(stage.back(audience, &traveller, "192.0.2.1")).await.expect("comes in with nothing wrong");
            if audience == SsoAudience::Portal {
                db.tamper("DELETE FROM portal_session").await.expect("tampers");
            }
        }
    }

    async fn a_key_of_one_tenant_signs_for_no_other(db: TestDb) {
        let stage = Stage::build(&db).await;
        stage.set_up(entra(SsoAudience::Staff, None)).await;
        let mut key = stage.provider.key.public();
        key["issuer"] = issuer(PERSONAL);
        stage.provider.says().keys = json!({ "keys": [key, stage.provider.other_key.public()] });
        let traveller = stage.start(stage.ask(SsoAudience::Staff, None)).await.expect("begins");
        stage.provider.gives(&stage.provider.key.sign(&stage.entra_claims(&traveller, SUBJECT)));
        conflict(stage.finish(stage.back(SsoAudience::Staff, &traveller, "192.0.2.1")).await, "sso_refused");
    }
}
