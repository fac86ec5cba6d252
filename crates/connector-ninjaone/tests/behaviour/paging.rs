//! Pages end where they should, and nowhere else.

use std::sync::Arc;

use integration::{Connector, Cursor, Kind, Page, Position, RecordKind, Request};

use crate::stand_ins::{Scripted, over};

fn rows(ids: impl IntoIterator<Item = u64>) -> String {
    let rows: Vec<String> = ids.into_iter().map(|id| format!(r#"{{"organizationId":12,"id":{id}}}"#)).collect();
    format!("[{}]", rows.join(","))
}

fn query(request: &Request, key: &str) -> Option<u64> {
    request.url.query_pairs().find(|(name, _)| name == key).map(|(_, value)| value.parse().unwrap())
}

/// A vendor with devices 1 to `last`, that never gives more than `cap` of them at once.
fn vendor(last: u64, cap: u64) -> Arc<Scripted<impl Fn(&Request) -> String + Send + Sync>> {
    Scripted::new(move |request| {
        let after = query(request, "after").unwrap_or(0);
        rows(after + 1..=(after + query(request, "pageSize").unwrap().min(cap)).min(last))
    })
}

/// Walks the devices to the end; sizes of the pages.
async fn walk(transport: Arc<Scripted<impl Fn(&Request) -> String + Send + Sync + 'static>>) -> Vec<usize> {
    let connector = over(transport);
    let mut next: Option<Cursor> = None;
    let mut sizes = Vec::new();
    loop {
        let at = Position { cursor: next.as_ref(), ..Position::default() };
        let page: Page = connector.devices().unwrap().page(at).await.unwrap();
        sizes.push(page.records.len());
        next = page.next;
        if next.is_none() {
            return sizes;
        }
    }
}

#[tokio::test]
async fn a_full_page_goes_on_after_its_last_id_and_an_empty_one_ends() {
    let transport = vendor(2000, 1000);
    assert_eq!(walk(transport.clone()).await, [1000, 1000, 0]);
    let asked = transport.asked();
    let host = "https://eu.ninjarmm.com";
    assert_eq!(
        asked,
        [
            format!("{host}/ws/oauth/token"),
            format!("{host}/v2/devices-detailed?pageSize=1000"),
            format!("{host}/v2/devices-detailed?pageSize=1000&after=1000"),
            format!("{host}/v2/devices-detailed?pageSize=1000&after=2000"),
        ]
    );
}

#[tokio::test]
async fn a_short_page_ends() {
    assert_eq!(walk(vendor(1017, 1000)).await, [1000, 17]);
    assert_eq!(walk(vendor(0, 1000)).await, [0]);
}

#[tokio::test]
async fn a_page_cut_by_the_vendor_is_not_taken_for_the_last() {
    assert_eq!(walk(vendor(1130, 500)).await, [500, 500, 130]);
}

#[tokio::test]
async fn the_three_listings_that_page_do_it_alike() {
    for (kind, path) in [
        (RecordKind::Entity, "organizations"),
        (RecordKind::Location, "locations"),
        (RecordKind::Device, "devices-detailed"),
    ] {
        let transport = Scripted::new(|_: &Request| rows(1..=1000));
        let connector = over(transport.clone());
        let listing = connector.listings().into_iter().find(|listing| listing.kind() == kind).unwrap();
        let cursor = Cursor::new("77");
        listing.page(Position { cursor: Some(&cursor), ..Position::default() }).await.unwrap();
        let wanted = format!("https://eu.ninjarmm.com/v2/{path}?pageSize=1000&after=77");
        assert!(transport.asked().contains(&wanted), "{wanted}");
    }
}

#[tokio::test]
async fn records_are_slices_and_only_the_last_id_is_read() {
    // A row that no mapping could read does no harm to a page.
    let body = format!(r#"["odd",{}"#, &rows(1..=999)[1..]);
    let connector = over(Scripted::new(move |_: &Request| body.clone()));
    let page = connector.devices().unwrap().page(Position::default()).await.unwrap();
    assert_eq!((page.records.len(), page.records[0].as_ref()), (1000, br#""odd""#.as_slice()));
    assert_eq!(page.next, Some(Cursor::new("999")));
    assert!(connector.devices().unwrap().read(&page.records[0]).is_err());
}

#[tokio::test]
async fn a_full_page_without_a_last_id_is_an_error() {
    let body = format!("[{}]", vec![r#"{"organizationId":12}"#; 1000].join(","));
    let connector = over(Scripted::new(move |_: &Request| body.clone()));
    let error = connector.devices().unwrap().page(Position::default()).await.unwrap_err();
    assert_eq!(error.kind, Kind::Unreadable);
}

#[tokio::test]
async fn an_object_where_rows_should_be_is_an_error() {
    let connector = over(Scripted::new(|_: &Request| r#"{"resultCode":"SUCCESS"}"#.to_owned()));
    let error = connector.entities().unwrap().page(Position::default()).await.unwrap_err();
    assert_eq!(error.kind, Kind::Unreadable);
    assert_eq!(connector.check().await.unwrap_err().kind, Kind::Unreadable);
}
