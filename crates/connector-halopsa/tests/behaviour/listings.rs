//! Paging, and what ends it.

use std::sync::Arc;

use connector_halopsa::Simulator;
use integration::{Contact, Cursor, Entity, Kind, Position, Pull, Request, Response};
use serde_json::{Value, json};
use vendorkit::{Fault, Faulty, Plan, Simulated, World, WorldSize, a_tuesday};

use crate::{connected, replay};

/// A vendor whose listings are changed as `alter` says; its world has more clients than one page holds.
fn altered(alter: impl Fn(&mut Value) + Send + Sync + 'static) -> connector_halopsa::Halopsa {
    let world = World::generate(WorldSize { businesses: 300, devices: 0, people: 0 }, 7, a_tuesday());
    let simulated = Arc::new(Simulated::new(Arc::new(Simulator::default()), world));
    let alter = move |_: &Request, mut response: Response| {
        let mut body: Value = serde_json::from_slice(&response.body).unwrap();
        alter(&mut body);
        response.body = body.to_string().into();
        response
    };
    let credentials = simulated.simulator.credentials("https://acme.example");
    let faulty = Faulty::over(simulated, Plan::Always(Fault::Alter(Arc::new(alter))));
    let data_only = faulty.only(|request| !request.url.path().ends_with("token"));
    let right: Vec<(String, String)> =
        credentials.into_iter().map(|(name, value)| (name, value.as_str().unwrap().to_owned())).collect();
    let mut all = vec![("scope", ""), ("auth_url", "")];
    all.extend(right.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    connected(&all, Arc::new(data_only))
}

async fn clients(
    halopsa: &connector_halopsa::Halopsa,
    cursor: Option<&Cursor>,
) -> integration::Result<integration::Page> {
    Pull::<Entity>::page(halopsa, Position { cursor, ..Position::default() }).await
}

#[tokio::test]
async fn a_smaller_page_than_asked_for_is_believed() {
    let (halopsa, replay) = replay(&["token", "clients"]);
    let first = clients(&halopsa, None).await.unwrap();
    let second = clients(&halopsa, first.next.as_ref()).await.unwrap();
    assert_eq!((first.records.len(), second.records.len(), second.next), (1, 1, None));
    assert_eq!(second.total, Some(2));
    replay.finish().unwrap();
}

#[tokio::test]
async fn an_array_without_a_count_is_the_whole_listing() {
    let halopsa = altered(|body| *body = body["clients"].take());
    let page = clients(&halopsa, None).await.unwrap();
    assert_eq!((page.records.len(), page.next.clone(), page.total), (100, None, None));
    let error = clients(&halopsa, Some(&Cursor::new("2/300"))).await.unwrap_err();
    assert_eq!(error.kind, Kind::Unreadable);
}

#[tokio::test]
async fn what_could_pass_for_the_rest_is_gone_is_an_error() {
    let empty = altered(|body| body["clients"] = json!([]));
    assert_eq!(clients(&empty, None).await.unwrap_err().kind, Kind::Unreadable);
    let uncounted = altered(|body| drop(body.as_object_mut().unwrap().remove("record_count")));
    assert_eq!(clients(&uncounted, None).await.unwrap_err().kind, Kind::Unreadable);
    let another = altered(|body| body["page_no"] = json!(7));
    assert_eq!(clients(&another, None).await.unwrap_err().kind, Kind::Unreadable);
}

#[tokio::test]
async fn a_listing_that_shrinks_while_it_is_walked_is_made_anew() {
    let halopsa = altered(|_| ());
    let first = clients(&halopsa, None).await.unwrap();
    let total = first.total.unwrap();
    let error = clients(&halopsa, Some(&Cursor::new(format!("2/{}", total + 1)))).await.unwrap_err();
    assert_eq!(error.kind, Kind::Expired);
    for strange in ["", "2", "x/7", "2/y"] {
        let error = clients(&halopsa, Some(&Cursor::new(strange))).await.unwrap_err();
        assert_eq!(error.kind, Kind::Expired, "{strange}");
    }
}

#[tokio::test]
async fn general_users_are_left_out_even_when_they_come() {
    let (halopsa, replay) = replay(&["token", "users"]);
    let page = Pull::<Contact>::page(&halopsa, Position::default()).await.unwrap();
    let ids: Vec<String> = page.records.iter().map(|raw| Pull::<Contact>::read(&halopsa, raw).unwrap().id).collect();
    assert_eq!(ids, ["33"]);
    assert_eq!(page.total, None);
    replay.finish().unwrap();
}
