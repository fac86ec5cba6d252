//! Paging, with and without counts, and what ends it.

use std::sync::Arc;

use connector_syncro::{Simulator, Syncro};
use integration::{Cursor, Device, Entity, Kind, Page, Position, Pull, Request, Response, Result};
use serde_json::{Value, json};
use vendorkit::{Fault, Faulty, Plan, Simulated, World, WorldSize, a_tuesday};

use crate::{connected, replay};

/// A vendor whose answers are changed as `alter` says; its world has more customers than one page holds.
fn altered(alter: impl Fn(&Request, &mut Value) + Send + Sync + 'static) -> Syncro {
    let world = World::generate(WorldSize { businesses: 300, devices: 0, people: 0 }, 7, a_tuesday());
    let simulated = Arc::new(Simulated::new(Arc::new(Simulator::default()), world));
    let alter = move |request: &Request, mut response: Response| {
        let mut body: Value = serde_json::from_slice(&response.body).unwrap();
        alter(request, &mut body);
        response.body = body.to_string().into();
        response
    };
    let credentials = simulated.simulator.credentials("https://acme.example");
    let token = credentials["api_token"].as_str().unwrap().to_owned();
    let faulty = Faulty::over(simulated, Plan::Always(Fault::Alter(Arc::new(alter))));
    connected(&[("api_token", &token)], Arc::new(faulty))
}

async fn customers(syncro: &Syncro, cursor: Option<&Cursor>) -> Result<Page> {
    Pull::<Entity>::page(syncro, Position { cursor, ..Position::default() }).await
}

/// How many records there are in all.
async fn walked(syncro: &Syncro) -> Result<usize> {
    let (mut count, mut cursor) = (0, None);
    loop {
        let page = customers(syncro, cursor.as_ref()).await?;
        count += page.records.len();
        cursor = page.next;
        if cursor.is_none() {
            return Ok(count);
        }
    }
}

#[tokio::test]
async fn without_counts_the_first_empty_page_is_the_end() {
    let counted = walked(&altered(|_, _| ())).await.unwrap();
    let uncounted = walked(&altered(|_, body| drop(body.as_object_mut().unwrap().remove("meta")))).await.unwrap();
    assert_eq!(counted, uncounted);
    assert!(counted > 200, "{counted} customers are too few for this test");

    let (syncro, replay) = replay(&["assets"]);
    let first = Pull::<Device>::page(&syncro, Position::default()).await.unwrap();
    let last = Position { cursor: first.next.as_ref(), ..Position::default() };
    let last = Pull::<Device>::page(&syncro, last).await.unwrap();
    assert_eq!((first.records.len(), last.records.len(), last.next), (3, 0, None));
    replay.finish().unwrap();
}

#[tokio::test]
async fn without_counts_the_same_page_twice_is_an_error() {
    let stuck = altered(|request, body| {
        body.as_object_mut().unwrap().remove("meta");
        let later = request.url.query_pairs().any(|(key, value)| key == "page" && value != "1");
        if later {
            *body = json!({ "customers": [{ "id": 501, "business_name": "Stuck" }] });
        }
    });
    let second = Cursor::new("2/0/0/7");
    let third = customers(&stuck, Some(&second)).await.unwrap().next.unwrap();
    let error = customers(&stuck, Some(&third)).await.unwrap_err();
    assert_eq!(error.kind, Kind::Limit);
}

/// The description's own example of assets has no counts, whichever page is asked for; a page "contains 25 results".
#[tokio::test]
async fn without_counts_a_listing_that_is_not_paged_was_whole_unless_its_page_was_full() {
    for (size, whole) in [(1, true), (24, true), (25, false)] {
        let unpaged = altered(move |_, body| {
            let all: Vec<Value> = (1..=size).map(|id| json!({ "id": id, "business_name": "Whole" })).collect();
            *body = json!({ "customers": all });
        });
        let first = customers(&unpaged, None).await.unwrap();
        assert_eq!(first.records.len(), size);
        match customers(&unpaged, first.next.as_ref()).await {
            Ok(second) => assert!(whole && second.records.is_empty() && second.next.is_none(), "{size}"),
            Err(error) => assert!(!whole && error.kind == Kind::Limit, "{size}: {error}"),
        }
    }
}

#[tokio::test]
async fn what_could_pass_for_the_rest_is_gone_is_an_error() {
    let empty = altered(|_, body| body["customers"] = json!([]));
    assert_eq!(customers(&empty, None).await.unwrap_err().kind, Kind::Unreadable);
    let another = altered(|_, body| body["meta"]["page"] = json!(7));
    assert_eq!(customers(&another, None).await.unwrap_err().kind, Kind::Unreadable);
    let unnamed = altered(|_, body| drop(body.as_object_mut().unwrap().remove("customers")));
    assert_eq!(customers(&unnamed, None).await.unwrap_err().kind, Kind::Unreadable);
}

#[tokio::test]
async fn a_listing_that_shrinks_while_it_is_walked_is_made_anew() {
    let syncro = altered(|_, _| ());
    let total = customers(&syncro, None).await.unwrap().total.unwrap();
    for (pages, entries, expired) in [(1, total + 1, true), (99, total, true), (1, total, false)] {
        let cursor = Cursor::new(format!("2/{pages}/{entries}/501"));
        let error = customers(&syncro, Some(&cursor)).await.err();
        assert_eq!(error.map(|error| error.kind), expired.then_some(Kind::Expired), "{pages} {entries}");
    }
    for strange in ["", "2", "2/3", "x/1/1/1", "2/1/y/1"] {
        let error = customers(&syncro, Some(&Cursor::new(strange))).await.unwrap_err();
        assert_eq!(error.kind, Kind::Expired, "{strange}");
    }
}
