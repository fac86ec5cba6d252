use chrono::TimeDelta;
use connector_pax8::Pax8;
use integration::{Exact, Kind, Method, Retry, SetQuantity, Subscription};
use proptest::prelude::*;
use rust_decimal::Decimal;
use serde_json::json;

use crate::script::{connector, json, now};

const ID: &str = "b0c2a0f4-3f61-4f8a-9f3b-0a3f7b8d1e21";

fn pax8() -> Pax8 {
    connector::<&str>([]).0
}

fn exact(number: i64) -> Exact {
    Exact(Decimal::from(number))
}

fn after(quantity: u32) -> String {
    json!({ "id": ID, "companyId": "c", "productId": "p", "quantity": quantity, "status": "Active" }).to_string()
}

proptest! {
    /// A decrease is refused exactly while the commitment lasts, and the refusal names the day it ends.
    #[test]
    fn the_commitment_refuses_only_decreases_and_only_while_it_lasts(
        // Close together, so that equal quantities and the very instant come up.
        current in 1_i64..6,
        to in 1_i64..6,
        ends_in in prop::option::of(prop_oneof![-2_i64..3, -4_000_000_i64..4_000_000]),
    ) {
        let subscription = Subscription {
            quantity: Some(exact(current)),
            status: "Active".into(),
            commitment_ends_at: ends_in.map(|seconds| now() + TimeDelta::seconds(seconds)),
            ..Subscription::default()
        };
        let refusal = pax8().refusal(&subscription, exact(to), now());
        let lasts = ends_in.is_some_and(|seconds| seconds > 0);
        prop_assert_eq!(refusal.is_some(), to < current && lasts);
        if let (Some(refusal), Some(end)) = (refusal, subscription.commitment_ends_at) {
            prop_assert!(refusal.contains(&end.date_naive().to_string()), "{}", refusal);
        }
    }

    /// Whatever the subscription, only whole numbers from 1 are ever sent.
    #[test]
    fn only_whole_numbers_from_one_pass(mantissa in -50_000_i64..50_000, scale in 0_u32..3) {
        let to = Decimal::new(mantissa, scale);
        let subscription = Subscription { status: "Active".into(), ..Subscription::default() };
        let passes = to >= Decimal::ONE && to == to.trunc();
        prop_assert_eq!(pax8().refusal(&subscription, Exact(to), now()).is_none(), passes);
    }
}

#[test]
fn the_state_of_a_subscription_can_refuse() {
    let refusal = |status: &str, starts_in: i64| {
        let subscription = Subscription {
            quantity: Some(exact(5)),
            status: status.into(),
            starts_at: Some(now() + TimeDelta::days(starts_in)),
            ..Subscription::default()
        };
        pax8().refusal(&subscription, exact(6), now())
    };
    for status in ["PendingManual", "PendingAutomated", "PendingCancel", "Cancelled", "Converted", "WaitingForDetails"]
    {
        assert!(refusal(status, -30).is_some_and(|words| words.contains(status)), "{status}");
    }
    // A status we never heard of is for the vendor to judge.
    for status in ["Active", "Trial", "Hibernating"] {
        assert_eq!(refusal(status, -30), None, "{status}");
    }
    assert!(refusal("Active", 2).is_some_and(|words| words.contains("2026-01-17")));
}

#[tokio::test]
async fn the_quantity_alone_is_sent_and_the_answer_comes_back() {
    let (pax8, script) = connector([(200, after(12))]);
    let raw = pax8.set_quantity(ID, Exact("12.00".parse().unwrap())).await.unwrap();
    assert_eq!(raw, after(12));
    let [put] = &script.asked()[..] else { panic!("one request") };
    assert_eq!((put.method, put.url.path()), (Method::Put, format!("/v1/subscriptions/{ID}").as_str()));
    assert_eq!(*json(put), json!({ "quantity": 12 }));
    assert!(!put.idempotent, "a transport would send it again");
}

#[tokio::test]
async fn a_failed_change_is_not_repeated() {
    for status in [500, 502, 503, 408] {
        let (pax8, script) = connector([(status, "{}".to_owned()), (200, after(12))]);
        let error = pax8.set_quantity(ID, exact(12)).await.unwrap_err();
        assert_eq!((error.kind, error.retry), (Kind::Unavailable, Retry::No), "{status}");
        assert_eq!(script.asked().len(), 1, "{status}");
    }
    // No answer at all.
    let (pax8, script) = connector::<&str>([]);
    let error = pax8.set_quantity(ID, exact(12)).await.unwrap_err();
    assert_eq!((error.kind, error.retry), (Kind::Unavailable, Retry::No));
    assert_eq!(script.asked().len(), 1);
    // Turned away before anything happened: this one may come again.
    let (pax8, _) = connector([(429, "{}")]);
    let error = pax8.set_quantity(ID, exact(12)).await.unwrap_err();
    assert_eq!((error.kind, error.retry), (Kind::Throttled, Retry::Yes));
}

#[tokio::test]
async fn a_broken_rule_is_told_in_the_vendors_words() {
    let body = r#"{"type":"UNPROCESSABLE_ENTITY","message":"Not during the term","status":422,
        "details":[{"message":"quantity is below the committed amount"}]}"#;
    let (pax8, _) = connector([(422, body)]);
    let error = pax8.set_quantity(ID, exact(3)).await.unwrap_err();
    assert_eq!((error.kind, error.retry, error.status), (Kind::Refused, Retry::No, Some(422)));
    let words = error.vendor_message.unwrap();
    assert_eq!(words, "Not during the term; quantity is below the committed amount");
}

#[tokio::test]
async fn an_accepted_change_without_a_readable_answer_is_read_again() {
    for answer in ["", "<html></html>", "{}"] {
        let (pax8, script) = connector([(200, answer.to_owned()), (200, after(12))]);
        assert_eq!(pax8.set_quantity(ID, exact(12)).await.unwrap(), after(12));
        let methods: Vec<Method> = script.asked().iter().map(|request| request.method).collect();
        assert_eq!(methods, [Method::Put, Method::Get], "{answer}");
    }
}

#[tokio::test]
async fn nothing_is_sent_that_could_mean_something_else() {
    let (pax8, script) = connector::<&str>([]);
    for id in ["", ".", "..", "a/b", "a?b", "%2e%2e", "é"] {
        assert_eq!(pax8.set_quantity(id, exact(1)).await.unwrap_err().kind, Kind::NotFound, "{id}");
        assert_eq!(pax8.fetch(id).await.unwrap_err().kind, Kind::NotFound, "{id}");
    }
    for to in ["0", "-1", "1.5"] {
        let to = Exact(to.parse().unwrap());
        assert_eq!(pax8.set_quantity(ID, to).await.unwrap_err().kind, Kind::Refused);
    }
    assert!(script.asked().is_empty() && script.token_requests().is_empty());
}
