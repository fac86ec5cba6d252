//! Answers that are kept for as long as nothing at all is written, and a second at most.
//!
//! Lists that people leave open and load again cost the same work each time though nothing changed. Whoever asks the
//! same again, with the same headers, from the same address, gets the same bytes, if the database says that nothing was
//! committed since: a right taken away, a session ended or a row changed by any process counts at the next request, as
//! it does without. The second bounds what depends on the time alone: the end of a session, and ages.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use chrono::TimeDelta;
use domain::Timestamp;
use persistence::Revision;
use poem::{
    Endpoint, IntoResponse, Request, Response,
    http::{HeaderMap, Method, StatusCode, header},
};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{app::App, problem::Failure};

/// What is kept: lists and totals that come from the database alone.
const PATHS: [&str; 7] = [
    "/api/clients",
    "/api/clients/stats",
    "/api/msp-portal/customers",
    "/api/tenants",
    "/api/clientone/dashboard",
    "/api/clientone/devices",
    "/api/clientone/notifications/unread",
];
/// All that is kept, in bytes.
const MOST: usize = 8 << 20;
/// How long an answer is kept at most.
const LONGEST: TimeDelta = TimeDelta::seconds(1);
/// What differs between two requests for the same.
const OWN: [&str; 3] = ["x-request-id", "traceparent", "tracestate"];

/// Whose session a request came with, noted by what checked it. Answers to keys are not kept: each counts.
#[derive(Clone, Default)]
pub struct SessionSlot(Arc<OnceLock<Option<Uuid>>>);

impl SessionSlot {
    /// A session was found; requests of the one named are limited in number.
    pub fn put(request: &Request, limited: Option<Uuid>) {
        if let Some(slot) = request.data::<Self>() {
            let _ = slot.0.set(limited);
        }
    }
}

/// The answers of this process.
#[derive(Default)]
pub struct Kept(Mutex<Answers>);

#[derive(Default)]
struct Answers {
    revision: Option<Revision>,
    bytes: usize,
    by_request: HashMap<[u8; 32], Answer>,
}

#[derive(Clone)]
struct Answer {
    at: Timestamp,
    limited: Option<Uuid>,
    headers: HeaderMap,
    body: bytes::Bytes,
}

impl Kept {
    fn find(&self, request: &[u8; 32], revision: &Revision, now: Timestamp) -> Option<Answer> {
        let answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = answers.by_request.get(request).filter(|_| answers.revision.as_ref() == Some(revision))?;
        let age = now - found.at;
        (TimeDelta::zero() <= age && age < LONGEST).then(|| found.clone())
    }

    /// Keeps an answer that was begun at this revision. Those of another are let go, and all when there are too many.
    fn keep(&self, request: [u8; 32], revision: Revision, answer: Answer) {
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.revision.as_ref() != Some(&revision) || answers.bytes + answer.body.len() > MOST {
            *answers = Answers { revision: Some(revision), ..Answers::default() };
        }
        answers.bytes += answer.body.len();
        let before = answers.by_request.insert(request, answer);
        answers.bytes -= before.map_or(0, |before| before.body.len());
    }
}

/// Answers with what is kept, or keeps what the operation answers.
pub async fn around<E: Endpoint>(endpoint: Arc<E>, mut request: Request) -> poem::Result<Response> {
    let named = PATHS.contains(&request.uri().path()) && request.method() == Method::GET;
    let Some(app) = request.data::<Arc<App>>().filter(|_| named).cloned() else {
        return endpoint.call(request).await.map(IntoResponse::into_response);
    };
    // A store that is away is the operation's to tell.
    let Ok(Some(revision)) = app.store.revision().await else {
        return endpoint.call(request).await.map(IntoResponse::into_response);
    };
    let place = place(&request, crate::auth::meta(&request).source_address);
    let now = app.store.clock().now();
    if let Some(found) = app.kept.find(&place, &revision, now) {
        if let Some(wait) = found.limited.and_then(|session| app.gate.session_wait(session, now)) {
            return Err(Failure::rate_limited(wait).into());
        }
        let mut response = found.body.into_response();
        *response.headers_mut() = found.headers;
        // Less than a second; that it is there says that it was kept.
        response.headers_mut().insert(header::AGE, 0.into());
        metrics::counter!("http_answers_kept_total").increment(1);
        return Ok(response);
    }
    let slot = SessionSlot::default();
    request.set_data(slot.clone());
    let mut response = endpoint.call(request).await?.into_response();
    if let (Some(limited), StatusCode::OK) = (slot.0.get(), response.status()) {
        let body = response.take_body().into_bytes().await?;
        response.set_body(body.clone());
        let answer = Answer { at: now, limited: *limited, headers: response.headers().clone(), body };
        app.kept.keep(place, revision, answer);
    }
    Ok(response)
}

/// All that an answer can depend on. Only a digest stays: tokens are among the headers.
fn place(request: &Request, source: Option<String>) -> [u8; 32] {
    let mut digest = Sha256::new();
    let mut part = |bytes: &[u8]| {
        digest.update((bytes.len() as u64).to_le_bytes());
        digest.update(bytes);
    };
    let asked = request.uri().path_and_query().map_or("", |asked| asked.as_str());
    part(asked.as_bytes());
    part(source.unwrap_or_default().as_bytes());
    for (name, value) in request.headers().iter().filter(|(name, _)| !OWN.contains(&name.as_str())) {
        part(name.as_str().as_bytes());
        part(value.as_bytes());
    }
    digest.finalize().into()
}

#[cfg(test)]
mod tests {
    use domain::{Clock, SystemClock};

    use super::*;

    fn answer(at: Timestamp, text: &'static str) -> Answer {
        Answer { at, limited: None, headers: HeaderMap::new(), body: text.into() }
    }

    async fn revisions() -> (tempfile::TempDir, [Revision; 2]) {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite://{}?mode=rwc", folder.path().join("kept.db").display());
        persistence::Store::migrate(&url).await.expect("migrates");
        let keys = persistence::KeyRing::parse(&persistence::KeyRing::generate(&persistence::OsChance)).expect("keys");
        let store = persistence::Store::connect(persistence::StoreOptions::new(&url, keys)).await.expect("opens");
        let first = store.revision().await.expect("asks").expect("told");
        let across = store.across().await.expect("begins");
        across.throttle_touch("somebody", SystemClock.now()).await.expect("touches");
        across.commit().await.expect("commits");
        (folder, [first, store.revision().await.expect("asks").expect("told")])
    }

    #[tokio::test]
    async fn an_answer_is_found_at_its_revision_and_in_its_second_only() {
        let (_folder, [first, second]) = revisions().await;
        let (kept, now) = (Kept::default(), SystemClock.now());
        kept.keep([1; 32], first.clone(), answer(now, "one"));
        let found = |request, revision: &Revision, at| kept.find(&[request; 32], revision, at).map(|found| found.body);
        assert_eq!(found(1, &first, now).as_deref(), Some(b"one".as_slice()));
        assert_eq!(found(1, &first, now + TimeDelta::milliseconds(999)).as_deref(), Some(b"one".as_slice()));
        assert_eq!(found(2, &first, now), None, "another request");
        assert_eq!(found(1, &second, now), None, "something was written");
        assert_eq!(found(1, &first, now + LONGEST), None, "a second later");
        assert_eq!(found(1, &first, now - TimeDelta::milliseconds(1)), None, "the clock was set back");
        kept.keep([2; 32], second.clone(), answer(now, "two"));
        assert_eq!(found(1, &first, now), None, "those of another revision were let go");
        assert_eq!(found(2, &second, now).as_deref(), Some(b"two".as_slice()));
    }

    #[tokio::test]
    async fn no_more_is_kept_than_the_bound() {
        let (_folder, [revision, _]) = revisions().await;
        let (kept, now) = (Kept::default(), SystemClock.now());
        let large = bytes::Bytes::from(vec![b'x'; MOST / 4]);
        for request in 0..20 {
            let answer = Answer { at: now, limited: None, headers: HeaderMap::new(), body: large.clone() };
            kept.keep([request % 7; 32], revision.clone(), answer);
            let answers = kept.0.lock().expect("sound");
            let sum: usize = answers.by_request.values().map(|one| one.body.len()).sum();
            assert_eq!(sum, answers.bytes);
            assert!(sum <= MOST, "{sum}");
        }
    }

    #[test]
    fn the_place_tells_apart_whatever_an_answer_can_depend_on() {
        let request = |uri: &str, headers: &[(&str, &str)]| {
            let mut request = Request::builder().uri(uri.parse().expect("an address"));
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            request.finish()
        };
        let place_of = |uri, headers: &[(&str, &str)]| place(&request(uri, headers), None);
        let plain = place_of("/api/clients", &[("cookie", "a")]);
        assert_eq!(plain, place_of("/api/clients", &[("cookie", "a"), ("x-request-id", "7")]));
        for other in [
            place_of("/api/clients?limit=1", &[("cookie", "a")]),
            place_of("/api/clients", &[("cookie", "b")]),
            place_of("/api/clients", &[("cookie", "a"), ("acting-for", "x")]),
            place_of("/api/clients", &[]),
            place(&request("/api/clients", &[("cookie", "a")]), Some("192.0.2.1".to_owned())),
        ] {
            assert_ne!(plain, other);
        }
    }
}
