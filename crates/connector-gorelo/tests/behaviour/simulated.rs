//! The simulated vendor is as strict as the real one.

use std::sync::Arc;

use connector_gorelo::{Gorelo, Simulator};
use integration::{CompanyDraft, Connector, ContactDraft, Entry, Kind, Method, Position, Request, Transport};
use serde_json::{Value, json};
use vendorkit::{Simulated, Simulator as _, World, WorldSize, a_tuesday};

const BASE: &str = "https://simulated.example/gorelo";

fn simulated() -> Arc<Simulated> {
    Arc::new(Simulated::new(Arc::new(Simulator::default()), World::generate(WorldSize::SMALL, 7, a_tuesday())))
}

fn connector(over: &Arc<Simulated>) -> Box<dyn Connector> {
    Entry::of::<Gorelo>().connect(&Simulator::default().credentials(BASE), over.clone()).unwrap()
}

async fn ask(method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
    let mut request = Request::new(method, format!("{BASE}/v1/{path}").parse().unwrap());
    if let Some(body) = body {
        request = request.json(body);
    }
    let response = simulated().send(request.header("X-API-Key", "gorelo-simulated-key")).await.unwrap();
    (response.status, serde_json::from_slice(&response.body).unwrap())
}

#[tokio::test]
async fn what_is_not_in_the_document_is_refused() {
    let ticket = json!({ "Title": "T", "StatusId": 1, "GroupId": 4, "TypeId": 8, "ClientId": 1001 });
    let with = |name: &str, value: Value| {
        let mut ticket = ticket.clone();
        ticket[name] = value;
        Some(ticket)
    };
    assert_eq!(ask(Method::Post, "tickets", Some(ticket.clone())).await.0, 200);
    for (method, path, body, status, code) in [
        (Method::Get, "clients?page=1", None, 400, "070101"),
        (Method::Get, "clients?PageSize=201", None, 400, "070101"),
        (Method::Get, "clients?Cursor=5.0", None, 400, "070101"),
        (Method::Post, "tickets", with("Queue", json!(1)), 400, "070201"),
        (Method::Post, "tickets", with("StatusId", json!("1")), 400, "070201"),
        (Method::Post, "tickets", with("TypeId", Value::Null), 400, "070202"),
        (Method::Post, "tickets", with("StatusId", json!(77)), 400, "070203"),
        (Method::Patch, "clients", Some(json!({ "Name": "A" })), 405, "060501"),
        (Method::Get, "tickets/999", None, 404, "060101"),
    ] {
        let (answered, body) = ask(method, path, body).await;
        assert_eq!((answered, body["Notifications"][0]["Code"].as_str()), (status, Some(code)), "{path}: {body}");
        assert_eq!(body["IsSuccess"], false);
    }
}

#[tokio::test]
async fn clients_out_of_use_are_hidden_unless_asked_for() {
    let over = Arc::new(Simulated::new(
        Arc::new(Simulator::default()),
        World::generate(WorldSize { businesses: 60, devices: 0, people: 0 }, 7, a_tuesday()),
    ));
    let connector = connector(&over);
    let page = connector.entities().unwrap().page(Position::default()).await.unwrap();
    let all: Vec<_> = page.records.iter().map(|raw| connector.entities().unwrap().read(raw).unwrap()).collect();
    assert_eq!(all.len(), over.read(|world| world.known_to("gorelo").count()));
    assert!(all.iter().any(|client| client.record.active == Some(false)));
    let request = Request::get(format!("{BASE}/v1/clients?PageSize=200").parse().unwrap());
    let response = over.send(request.header("X-API-Key", "gorelo-simulated-key")).await.unwrap();
    let body: Value = serde_json::from_slice(&response.body).unwrap();
    let shown = body["DataContext"]["Pagination"]["TotalCount"].as_u64().unwrap();
    assert_eq!(shown as usize, all.iter().filter(|client| client.record.active == Some(true)).count());
}

#[tokio::test]
async fn a_change_of_a_contact_empties_nothing_else() {
    let over = simulated();
    let connector = connector(&over);
    let clients = connector.entities().unwrap().page(Position::default()).await.unwrap();
    let client = connector.entities().unwrap().read(&clients.records[0]).unwrap().id;
    let contacts = connector.contact_writes().unwrap();
    let draft = ContactDraft {
        given_name: Some("Ana".into()),
        family_name: Some("Silva".into()),
        email: Some("ana@tern.example".into()),
        mobile: Some("07700 900001".into()),
        job_title: Some("Baker".into()),
        ..ContactDraft::default()
    };
    let read = |raw: &[u8]| connector.contacts().unwrap().read(raw).unwrap();
    let made = read(&contacts.create(&client, &draft).await.unwrap());
    let change = ContactDraft { phone: Some("01632 960001".into()), ..ContactDraft::default() };
    let changed = read(&contacts.update(&client, &made.id, &change).await.unwrap()).record;
    assert_eq!((changed.job_title.as_deref(), changed.mobile.as_deref()), (Some("Baker"), Some("07700 900001")));
    assert_eq!((changed.email.as_deref(), changed.phone.as_deref()), (Some("ana@tern.example"), Some("01632 960001")));
    let error = contacts.create(&client, &draft).await.unwrap_err();
    assert_eq!((error.kind, error.status), (Kind::Refused, Some(409)));
}

#[tokio::test]
async fn a_client_is_set_out_of_use_and_back() {
    let over = simulated();
    let connector = connector(&over);
    let companies = connector.company_writes().unwrap();
    let draft = CompanyDraft { name: Some("Tern Bakery".into()), ..CompanyDraft::default() };
    let id = connector.entities().unwrap().read(&companies.create(&draft).await.unwrap()).unwrap().id;
    for active in [false, true] {
        let change = CompanyDraft { active: Some(active), ..CompanyDraft::default() };
        let raw = companies.update(&id, &change).await.unwrap();
        let read = connector.entities().unwrap().read(&raw).unwrap().record;
        assert_eq!((read.active, read.name.as_str()), (Some(active), "Tern Bakery"));
    }
}
