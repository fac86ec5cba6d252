//! When the vendor has trouble, or sends what it should not.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use integration::{Error, Kind, Retry};

use super::{
    Subject,
    stage::{FEW, Stage, Target},
};
use crate::{Fault, Plan};

/// 429 is [`Kind::Throttled`], with the wait that the vendor asks for, for data and for tokens.
pub async fn waits_when_throttled(subject: &Subject) {
    let stage = subject.stage(FEW);
    let samples = stage.samples().await;
    stage.faulty.set(Plan::Always(Fault::Throttled(7)));
    for target in &samples {
        let error = failed(&stage, target).await;
        assert_eq!((error.kind, error.retry), (Kind::Throttled, Retry::After(Duration::from_secs(7))), "{target:?}");
    }
    stage.faulty.set(Plan::Never);
    stage.simulated.simulator.expire_tokens();
    stage.token_faulty.set(Plan::Always(Fault::Throttled(9)));
    for target in &samples {
        let Err(error) = stage.first_page(target).await else { continue };
        assert_eq!((error.kind, error.retry), (Kind::Throttled, Retry::After(Duration::from_secs(9))), "a token");
    }
}

/// Trouble may be retried; an answer that says no may not. Neither is taken for the other.
pub async fn retries_are_only_for_trouble(subject: &Subject) {
    let stage = subject.stage(FEW);
    let samples = stage.samples().await;
    for target in &samples {
        for fault in [Fault::Status(500), Fault::Status(502), Fault::Status(503), Fault::Reset, Fault::AnswerLost] {
            stage.faulty.set(Plan::Always(fault.clone()));
            let error = failed(&stage, target).await;
            assert_eq!(error.kind, Kind::Unavailable, "{fault:?} of {target:?}: {error}");
            assert_ne!(error.retry, Retry::No, "{fault:?} of {target:?}: {error}");
        }
        for status in [400, 401, 403, 404, 422] {
            stage.faulty.set(Plan::Always(Fault::Status(status)));
            let error = failed(&stage, target).await;
            assert_eq!(error.retry, Retry::No, "{status} of {target:?}: {error}");
            assert!(
                !matches!(error.kind, Kind::Unavailable | Kind::Throttled | Kind::Unreadable | Kind::Limit),
                "{status} of {target:?} is taken for {:?}",
                error.kind
            );
        }
        stage.faulty.set(Plan::Always(Fault::Status(401)));
        let kind = failed(&stage, target).await.kind;
        // A new token that is refused in one entity's listing may be that entity's matter.
        let its_own = target.entity.is_some() && kind == Kind::Forbidden;
        assert!(kind == Kind::Credentials || its_own, "401 of {target:?} is {kind:?}");
    }
    stage.faulty.set(Plan::Never);
    stage.simulated.simulator.expire_tokens();
    for fault in [Fault::Status(503), Fault::Reset] {
        stage.token_faulty.set(Plan::Always(fault.clone()));
        for target in &samples {
            let Err(error) = stage.first_page(target).await else { continue };
            assert_eq!(error.kind, Kind::Unavailable, "{fault:?} instead of a token: {error}");
            assert_ne!(error.retry, Retry::No, "{fault:?} instead of a token: {error}");
        }
    }
}

/// Half a body, and a body of another shape, are [`Kind::Unreadable`], never an empty listing.
pub async fn unreadable_body_is_named(subject: &Subject) {
    let stage = subject.stage(FEW);
    for target in &stage.samples().await {
        let mut faults = vec![("half a body", Fault::Truncated)];
        for body in ["", "null", "42", "\"text\"", "{\"surprise\":{\"a\":1}}", "[1,"] {
            let alter = move |_: &_, mut response: integration::Response| {
                response.body = Bytes::from_static(body.as_bytes());
                response
            };
            faults.push((body, Fault::Alter(Arc::new(alter))));
        }
        for (what, fault) in faults {
            stage.faulty.set(Plan::Always(fault));
            let error = failed(&stage, target).await;
            assert_eq!(error.kind, Kind::Unreadable, "{what} of {target:?}: {error}");
            assert!(error.message.contains(stage.vendor), "the vendor is not named: {error}");
        }
        stage.faulty.set(Plan::Never);
    }
}

/// A web page with status 200 is trouble of the vendor, worth a retry, and never an empty listing.
pub async fn html_instead_of_json(subject: &Subject) {
    let stage = subject.stage(FEW);
    for target in &stage.samples().await {
        stage.faulty.set(Plan::Always(Fault::Html));
        let error = failed(&stage, target).await;
        assert!(
            matches!(error.kind, Kind::Unreadable | Kind::Unavailable | Kind::Throttled),
            "{target:?}: {:?} {error}",
            error.kind
        );
        assert_ne!(error.retry, Retry::No, "{target:?}: {error}");
        assert!(error.message.contains(stage.vendor), "the vendor is not named: {error}");
        stage.faulty.set(Plan::Never);
    }
}

async fn failed(stage: &Stage, target: &Target) -> Error {
    match stage.first_page(target).await {
        Err(error) => error,
        Ok(page) => panic!("{target:?} gave a page of {} records instead of an error", page.records.len()),
    }
}
