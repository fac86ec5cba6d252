//! The simulated vendor is as strict as the real one.

use std::sync::Arc;

use connector_superops::{Simulator, Superops};
use integration::{CompanyDraft, Connector, Entry, Kind, Request, Transport};
use serde_json::{Value, json};
use vendorkit::{Simulated, Simulator as _, World, WorldSize, a_tuesday};

const BASE: &str = "https://simulated.example/superops";

fn simulated() -> Arc<Simulated> {
    Arc::new(Simulated::new(Arc::new(Simulator::default()), World::generate(WorldSize::SMALL, 7, a_tuesday())))
}

fn connector(over: &Arc<Simulated>) -> Box<dyn Connector> {
    Entry::of::<Superops>().connect(&Simulator::default().credentials(BASE), over.clone()).unwrap()
}

async fn ask(query: &str, input: Value) -> Value {
    let request = Request::post(format!("{BASE}/msp").parse().unwrap())
        .header("authorization", "Bearer superops-simulated-token")
        .header("CustomerSubDomain", "simulated-msp")
        .json(json!({ "query": query, "variables": { "input": input } }));
    let response = simulated().send(request).await.unwrap();
    assert_eq!(response.status, 200);
    serde_json::from_slice(&response.body).unwrap()
}

#[tokio::test]
async fn what_is_not_in_the_schema_is_refused() {
    let list = |fields: &str| {
        format!("query q($input: ListInfoInput!) {{ getTicketList(input: $input) {{ tickets {{ {fields} }} }} }}")
    };
    let page = json!({ "page": 1, "pageSize": 5 });
    let fine = ask(&list("ticketId client"), page.clone()).await;
    let row = &fine["data"]["getTicketList"]["tickets"][0];
    assert_eq!(row.as_object().unwrap().len(), 2, "only what was selected: {row}");
    for (query, input) in [
        (list("ticketId description"), page.clone()),
        (list("ticketId client { accountId }"), page.clone()),
        (list("ticketId"), json!({ "page": "1" })),
        (list("ticketId"), json!({ "offset": 1 })),
        ("query q { getTicketList { tickets { ticketId } } }".to_owned(), Value::Null),
        ("query q { getStatusList }".to_owned(), Value::Null),
        ("query q { dropEverything { id } }".to_owned(), Value::Null),
        ("query q { getStatusList { id }".to_owned(), Value::Null),
    ] {
        let answer = ask(&query, input).await;
        assert!(answer["errors"][0]["message"].is_string() && answer["data"].is_null(), "{query}: {answer}");
    }
}

#[tokio::test]
async fn a_page_of_more_than_100_and_an_unknown_order_are_refused() {
    let query = "query q($input: ListInfoInput!) { getAssetList(input: $input) { assets { assetId } } }";
    for input in [
        json!({ "page": 1, "pageSize": 101 }),
        json!({ "page": 0, "pageSize": 10 }),
        json!({ "page": 1, "pageSize": 10, "sort": [{ "attribute": "lastCommunicatedTime", "order": "DESC" }] }),
    ] {
        let answer = ask(query, input).await;
        assert_eq!(answer["errors"][0]["extensions"]["clientError"][0]["code"], "type_validation_failed");
    }
}

#[tokio::test]
async fn a_name_that_is_taken_is_refused_in_the_vendors_words() {
    let over = simulated();
    let connector = connector(&over);
    let companies = connector.company_writes().unwrap();
    let draft = CompanyDraft { name: Some("Tern Bakery".into()), ..CompanyDraft::default() };
    companies.create(&draft).await.unwrap();
    let error = companies.create(&draft).await.unwrap_err();
    assert_eq!(error.kind, Kind::Refused);
    assert!(error.vendor_message.unwrap().contains("unique_validation_failed (name)"));
}

#[tokio::test]
async fn an_address_is_changed_at_the_head_office() {
    let over = simulated();
    let connector = connector(&over);
    let companies = connector.company_writes().unwrap();
    let made = CompanyDraft { name: Some("Tern Bakery".into()), ..CompanyDraft::default() };
    let raw = companies.create(&made).await.unwrap();
    let id = connector.entities().unwrap().read(&raw).unwrap().id;
    let moved = CompanyDraft { street: Some("9 Mill Lane".into()), phone: Some("01632 960001".into()), ..made };
    companies.update(&id, &moved).await.unwrap();
    over.read(|world| {
        let business = world.businesses().iter().find(|business| business.legal_name == "Tern Bakery").unwrap();
        assert_eq!((business.locations[0].address.as_str(), business.phone.as_str()), ("9 Mill Lane", "01632 960001"));
    });
}
