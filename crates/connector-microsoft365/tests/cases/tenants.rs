//! Two listings of tenants, one after the other, as one.

use std::sync::Arc;

use connector_microsoft365::Microsoft365;
use integration::{Connector, Cursor, Entity, Item, Page, Position};
use serde_json::{Value, json};

use super::answers::{Answers, GRAPH, PARTNER, TENANT};

const OTHER: &str = "a1c3e5f7-0000-4000-8000-00000000ab12";

fn delegated(tenant: &str) -> Value {
    json!({ "id": tenant, "tenantId": tenant, "displayName": " Bluegum Dental " })
}

fn contract(tenant: &str) -> Value {
    json!({ "id": "0d11b2c3", "customerId": tenant, "defaultDomainName": "Wattle.example" })
}

async fn page(connector: &Microsoft365, cursor: Option<&Cursor>) -> Page {
    let at = Position { cursor, ..Position::default() };
    connector.entities().expect("tenants").page(at).await.expect("a page")
}

fn read(connector: &Microsoft365, page: &Page) -> Vec<Item<Entity>> {
    let tenants = connector.entities().expect("tenants");
    page.records.iter().map(|raw| tenants.read(raw).expect("a tenant")).collect()
}

#[tokio::test]
async fn a_tenant_in_both_listings_comes_once() {
    let (first, second) = (
        format!("{GRAPH}/tenantRelationships/delegatedAdminCustomers?$skiptoken=2"),
        format!("{GRAPH}/contracts?$skiptoken=2"),
    );
    let answers = Arc::new(Answers::default())
        .json(&json!({ "value": [delegated(&TENANT.to_uppercase())], "@odata.nextLink": first }))
        .json(&json!({ "value": [] }))
        .json(&json!({ "value": [contract(TENANT)], "@odata.nextLink": second }))
        .json(&json!({ "value": [contract(OTHER)] }));
    let connector = answers.connector();
    let (mut cursor, mut all) = (None, Vec::new());
    loop {
        let page = page(&connector, cursor.as_ref()).await;
        all.extend(read(&connector, &page));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    let expected = [
        format!("https://login.microsoftonline.com/{PARTNER}/oauth2/v2.0/token"),
        format!("{GRAPH}/tenantRelationships/delegatedAdminCustomers?$top=300"),
        first,
        format!("{GRAPH}/contracts"),
        second,
    ];
    assert_eq!(answers.addresses(), expected);
    let [fresh, other] = all.as_slice() else { panic!("{all:?}") };
    assert_eq!((fresh.id.as_str(), fresh.record.name.as_str()), (TENANT, "Bluegum Dental"));
    assert_eq!(fresh.record.tenant_id.as_deref(), Some(TENANT));
    assert!(fresh.record.domains.is_empty());
    assert_eq!((other.id.as_str(), other.record.name.as_str()), (OTHER, "wattle.example"), "a contract without a name");
    assert_eq!(other.record.domains, ["wattle.example"]);
}

#[tokio::test]
async fn a_walk_that_goes_on_after_a_restart_repeats_and_leaves_nothing_out() {
    let answers = Arc::new(Answers::default())
        .json(&json!({ "value": [delegated(TENANT)] }))
        .json(&json!({ "value": [contract(TENANT), contract(OTHER)] }))
        .json(&json!({ "value": [contract(TENANT), contract(OTHER)] }));
    let before = answers.connector();
    let next = page(&before, None).await.next;
    assert_eq!(page(&before, next.as_ref()).await.records.len(), 1);
    assert_eq!(page(&answers.connector(), next.as_ref()).await.records.len(), 2);
}

#[tokio::test]
async fn a_page_fetched_again_replaces_what_it_said_before() {
    let again = format!("{GRAPH}/tenantRelationships/delegatedAdminCustomers?$skiptoken=2");
    let answers = Arc::new(Answers::default())
        .json(&json!({ "value": [], "@odata.nextLink": again }))
        .json(&json!({ "value": [delegated(TENANT)] }))
        .json(&json!({ "value": [] }))
        .json(&json!({ "value": [contract(TENANT)] }));
    let connector = answers.connector();
    let first = page(&connector, None).await.next;
    // Its answer was lost on our side, and meanwhile the delegated relationship has ended.
    assert_eq!(page(&connector, first.as_ref()).await.records.len(), 1);
    let second = page(&connector, first.as_ref()).await;
    assert!(second.records.is_empty());
    assert_eq!(page(&connector, second.next.as_ref()).await.records.len(), 1, "nothing is left out");
}

#[tokio::test]
async fn walks_beside_each_other_do_not_mix() {
    let answers = Arc::new(Answers::default())
        .json(&json!({ "value": [delegated(TENANT)] }))
        .json(&json!({ "value": [delegated(OTHER)] }))
        .json(&json!({ "value": [contract(TENANT), contract(OTHER)] }))
        .json(&json!({ "value": [contract(TENANT), contract(OTHER)] }));
    let connector = answers.connector();
    let (one, two) = (page(&connector, None).await.next, page(&connector, None).await.next);
    let (one, two) = (page(&connector, one.as_ref()).await, page(&connector, two.as_ref()).await);
    assert_eq!(read(&connector, &one)[0].id, OTHER);
    assert_eq!(read(&connector, &two)[0].id, TENANT);
    assert_eq!((one.records.len(), two.records.len()), (1, 1));
}

#[tokio::test]
async fn a_tenant_id_that_is_no_guid_is_rejected() {
    let connector = Arc::new(Answers::default()).connector();
    let why = connector.entities().expect("tenants").read(br#"{"id":"x","tenantId":"contoso"}"#).expect_err("no GUID");
    assert!(why.contains("not a GUID") && !why.contains("contoso"), "{why}");
}
