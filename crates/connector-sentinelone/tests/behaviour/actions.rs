//! What can be done about threats.

use integration::{ActOnThreats, Body, Kind, Method, Pull, Retry, Threat};
use serde_json::Value;

use crate::stage::{SITE, THREAT, all, replay, simulated};

/// What an action came to is in the body: the status is 200 in all of these.
#[tokio::test]
async fn success_is_what_was_done_not_the_status() {
    for (file, action, kind, words) in [
        ("already-set", "resolve", None, None),
        ("refused-nothing-matched", "resolve", Some(Kind::Refused), None),
        ("refused-conditions", "resolve", Some(Kind::Refused), Some("conditions_not_met")),
        ("refused-right-status", "resolve", Some(Kind::Forbidden), None),
        ("refused-right-mitigation", "kill", Some(Kind::Forbidden), None),
        ("refused-not-supported", "kill", Some(Kind::Refused), Some("not_supported; Not on this system")),
    ] {
        let (connector, played) = replay(&[file]);
        let error = connector.act(SITE, THREAT, action).await.err();
        played.finish().unwrap();
        assert_eq!(error.as_ref().map(|error| error.kind), kind, "{file}");
        assert!(error.as_ref().is_none_or(|error| error.retry == Retry::No), "{file}");
        assert_eq!(error.and_then(|error| error.vendor_message).as_deref(), words, "{file}");
    }
}

#[tokio::test]
async fn a_broken_action_is_left_alone() {
    let (connector, played) = replay(&["act-broken"]);
    let error = connector.act(SITE, THREAT, "kill").await.unwrap_err();
    played.finish().unwrap();
    assert_eq!((error.kind, error.retry), (Kind::Unavailable, Retry::No));
    assert!(played.requests().iter().all(|request| !request.idempotent));
}

/// To the vendor an empty filter is everything, and a comma makes several of one.
#[tokio::test]
async fn only_one_known_threat_is_ever_named() {
    let (connector, vendor) = simulated(None);
    for id in ["", " ", "1,2", "..", "1/2", "é"] {
        assert_eq!(connector.act(SITE, id, "kill").await.unwrap_err().kind, Kind::NotFound, "{id}");
        assert_eq!(connector.fetch(SITE, id).await.unwrap_err().kind, Kind::NotFound, "{id}");
    }
    assert_eq!(vendor.count(), 0);
    assert_eq!(connector.act(SITE, "1999999999999999999", "kill").await.unwrap_err().kind, Kind::Refused);
    let (connector, played) = replay(&["fetch-unknown"]);
    assert_eq!(connector.fetch(SITE, THREAT).await.unwrap_err().kind, Kind::NotFound);
    played.finish().unwrap();
}

#[tokio::test]
async fn what_is_done_is_seen_and_touches_one_threat() {
    let (connector, vendor) = simulated(None);
    let before = all::<Threat>(&connector).await;
    let open = before.iter().find(|item| item.record.status.as_deref() == Some("not_mitigated")).expect("an open one");
    for action in ["quarantine", "mark-threat", "begin", "resolve"] {
        assert_eq!(connector.refusal(&open.record, action), None, "{action}");
        vendor.clear_log();
        connector.act(SITE, &open.id, action).await.unwrap();
        assert_eq!(vendor.log().len(), 1, "{action}");
        let sent = &vendor.requests()[0];
        let Body::Json(body) = &sent.body else { panic!("no JSON") };
        assert_eq!((sent.method, &body["filter"]["ids"]), (Method::Post, &Value::from(vec![open.id.as_str()])));
    }
    let raw = connector.fetch(SITE, &open.id).await.unwrap();
    let now = Pull::<Threat>::read(&connector, &raw).unwrap().record;
    assert_eq!((now.active, now.status.as_deref()), (Some(false), Some("mitigated")));
    assert_eq!((now.action.as_deref(), now.verdict.as_deref()), (Some("quarantine"), Some("true_positive")));
    let after = all::<Threat>(&connector).await;
    let changed = before.iter().zip(&after).filter(|(one, other)| one.record != other.record).count();
    assert_eq!((changed, before.len()), (1, after.len()));
    connector.act(SITE, &open.id, "reopen").await.unwrap();
    let raw = connector.fetch(SITE, &open.id).await.unwrap();
    assert_eq!(Pull::<Threat>::read(&connector, &raw).unwrap().record.active, Some(true));
}

#[tokio::test]
async fn a_token_that_may_only_read_is_told_which_right_is_missing() {
    let (connector, vendor) = simulated(Some("sentinelone-simulated-viewer"));
    let threats = all::<Threat>(&connector).await;
    for choice in connector.actions() {
        let error = connector.act(SITE, &threats[0].id, &choice.id).await.unwrap_err();
        assert_eq!(error.kind, Kind::Forbidden, "{choice:?}");
        assert!(error.message.contains("role"), "{error}");
    }
    assert_eq!(vendor.read(|world| world.revision()), 0);
}

/// What is refused beforehand is what the vendor refuses.
#[tokio::test]
async fn refusals_are_those_of_the_vendor() {
    let (connector, _) = simulated(None);
    let (mut foreseen, mut taken) = (0, 0);
    for item in all::<Threat>(&connector).await {
        for action in ["un-quarantine", "rollback"] {
            let refusal = connector.refusal(&item.record, action);
            let outcome = connector.act(SITE, &item.id, action).await;
            assert_eq!(refusal.is_some(), outcome.is_err(), "{action} of {:?}: {refusal:?} {outcome:?}", item.record);
            foreseen += usize::from(refusal.is_some());
            taken += usize::from(outcome.is_ok());
        }
    }
    assert!(foreseen > 1 && taken > 1, "{foreseen} foreseen, {taken} taken: the world shows too little");
    let settled = Threat { active: Some(false), verdict: Some("false_positive".into()), ..Threat::default() };
    for action in ["resolve", "resolve-threat", "resolve-benign", "mark-benign", "no such"] {
        assert!(connector.refusal(&settled, action).is_some(), "{action}");
    }
    for action in ["reopen", "begin", "mark-threat", "kill"] {
        assert_eq!(connector.refusal(&settled, action), None, "{action}");
    }
}
