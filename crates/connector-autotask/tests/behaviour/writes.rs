//! Writing, as the vendor sees it.

use chrono::TimeDelta;
use connector_autotask::Autotask;
use integration::{
    Body, CompanyDraft, Contact, ContactDraft, Entity, Kind, Pull, Ticket, TicketDraft, TicketNote, WriteCompanies,
    WriteContacts, WriteTickets,
};
use serde_json::{Value, json};
use vendorkit::Simulated;

use super::stand_ins::{all, simulated, simulated_with};

fn sent(vendor: &Simulated) -> Vec<(&'static str, String, Value)> {
    let writes = vendor.requests().into_iter().filter(|request| !request.idempotent);
    writes
        .map(|request| {
            let path = request.url.path().split_once("/V1.0/").map(|(_, path)| path.to_owned()).unwrap_or_default();
            let body = if let Body::Json(body) = request.body { body } else { Value::Null };
            (request.method.as_str(), path, body)
        })
        .collect()
}

async fn first_company(connector: &Autotask) -> String {
    all::<Entity>(connector).await.remove(0).id
}

fn new_company() -> CompanyDraft {
    CompanyDraft {
        name: Some("Twin & Sons".to_owned()),
        phone: Some("01632 960001".to_owned()),
        ..CompanyDraft::default()
    }
}

#[tokio::test]
async fn a_new_company_needs_an_owner_who_is_at_work() {
    for (owner, words) in [("", "settings of the connection"), ("gone@panelmsp.example", "no active user")] {
        let (connector, vendor, _) = simulated_with(&[("company_owner", owner)]);
        let error = WriteCompanies::create(&connector, &new_company()).await.unwrap_err();
        assert_eq!(error.kind, Kind::Refused);
        assert!(error.message.contains(words), "{error}");
        assert_eq!(sent(&vendor), []);
    }
}

#[tokio::test]
async fn the_second_line_of_a_street_is_read_and_gives_way() {
    let (connector, vendor, _) = simulated();
    let id = first_company(&connector).await;
    let key = id.parse::<u64>().unwrap() - 1000;
    vendor.change(|world| world.change_business(key, |of| of.street = "12 Mill Lane\nSuite 4".to_owned()));
    let street = |raw: &[u8]| Pull::<Entity>::read(&connector, raw).unwrap().record.address.unwrap().street.unwrap();
    let raw = WriteCompanies::fetch(&connector, &id).await.unwrap();
    assert_eq!(street(&raw), "12 Mill Lane, Suite 4");
    let draft = CompanyDraft { street: Some("9 Quay".to_owned()), ..CompanyDraft::default() };
    let raw = WriteCompanies::update(&connector, &id, &draft).await.unwrap();
    assert_eq!(street(&raw), "9 Quay");
    assert_eq!(vendor.read(|world| world.business(key).unwrap().street.clone()), "9 Quay");
}

#[tokio::test]
async fn autotasks_reason_for_a_refusal_is_kept() {
    let (connector, _, _) = simulated();
    let without_phone = CompanyDraft { phone: None, ..new_company() };
    let error = WriteCompanies::create(&connector, &without_phone).await.unwrap_err();
    assert_eq!(error.kind, Kind::Refused);
    assert_eq!(error.vendor_message.as_deref(), Some("Required field phone missing on the request."));
}

#[tokio::test]
async fn a_change_of_a_company_names_only_what_changes() {
    let (connector, vendor, _) = simulated();
    let id = first_company(&connector).await;
    let draft = CompanyDraft {
        website: Some("https://new.example".to_owned()),
        country: Some("nz".to_owned()),
        active: Some(false),
        ..CompanyDraft::default()
    };
    vendor.clear_log();
    let raw = WriteCompanies::update(&connector, &id, &draft).await.unwrap();
    let entity = Pull::<Entity>::read(&connector, &raw).unwrap().record;
    assert_eq!((entity.domains, entity.active), (vec!["new.example".to_owned()], Some(false)));
    let id_number: u64 = id.parse().unwrap();
    let body = json!({ "id": id_number, "webAddress": "https://new.example", "countryID": 157, "isActive": false });
    assert_eq!(sent(&vendor), [("PATCH", "Companies".to_owned(), body)]);
    let draft = CompanyDraft { country: Some("zz".to_owned()), ..CompanyDraft::default() };
    assert_eq!(WriteCompanies::update(&connector, &id, &draft).await.unwrap_err().kind, Kind::Refused);
    vendor.clear_log();
    WriteCompanies::update(&connector, &id, &CompanyDraft::default()).await.unwrap();
    assert_eq!(sent(&vendor), [], "nothing to change is nothing to send");
}

#[tokio::test]
async fn a_contact_of_another_company_is_not_touched() {
    let (connector, vendor, _) = simulated();
    let contacts = all::<Contact>(&connector).await;
    let other = contacts.iter().find(|one| one.entity != contacts[0].entity).unwrap();
    let entity = contacts[0].entity.as_deref().unwrap();
    let draft = ContactDraft { given_name: Some("Mallory".to_owned()), ..ContactDraft::default() };
    let errors = [
        WriteContacts::update(&connector, entity, &other.id, &draft).await.unwrap_err(),
        connector.remove(entity, &other.id).await.unwrap_err(),
        WriteContacts::fetch(&connector, entity, "../Companies").await.unwrap_err(),
    ];
    assert!(errors.iter().all(|error| error.kind == Kind::NotFound), "{errors:?}");
    assert_eq!(sent(&vendor), []);
}

#[tokio::test]
async fn whether_a_contact_is_in_use_is_a_number() {
    let (connector, vendor, _) = simulated();
    let contact = all::<Contact>(&connector).await.remove(0);
    let entity = contact.entity.unwrap();
    let draft = ContactDraft { active: Some(false), ..ContactDraft::default() };
    let raw = WriteContacts::update(&connector, &entity, &contact.id, &draft).await.unwrap();
    assert_eq!(Pull::<Contact>::read(&connector, &raw).unwrap().record.active, Some(false));
    let id: u64 = contact.id.parse().unwrap();
    assert_eq!(sent(&vendor), [("PATCH", format!("Companies/{entity}/Contacts"), json!({ "id": id, "isActive": 0 }))]);
}

#[tokio::test]
async fn a_ticket_without_choices_gets_the_accounts_own() {
    let (connector, vendor, _) = simulated();
    let entity = first_company(&connector).await;
    let draft = TicketDraft { title: Some("Till".to_owned()), ..TicketDraft::default() };
    vendor.clear_log();
    let raw = WriteTickets::create(&connector, &entity, &draft).await.unwrap();
    let made = Pull::<Ticket>::read(&connector, &raw).unwrap().record;
    assert_eq!(
        (made.status.as_deref(), made.priority.as_deref(), made.queue.as_deref()),
        (Some("New"), Some("Medium"), Some("Service Desk"))
    );
    let tomorrow = vendor.read(|world| world.now) + TimeDelta::days(1);
    assert_eq!(made.due_at, Some(tomorrow), "where a due date is wanted, it is a day later");
    assert_eq!(sent(&vendor).len(), 1);
}

#[tokio::test]
async fn a_note_is_published_as_the_account_calls_it() {
    let (connector, vendor, _) = simulated();
    let ticket = all::<Ticket>(&connector).await.remove(0);
    for public in [true, false] {
        let note = TicketNote { text: format!("public: {public}\nand more"), public };
        connector.add_note(&ticket.id, &note).await.unwrap();
    }
    let key: u64 = ticket.id.parse().unwrap();
    let notes = vendor.read(|world| world.ticket(key).unwrap().1.notes.clone());
    assert_eq!(notes, [("public: true\nand more".to_owned(), true), ("public: false\nand more".to_owned(), false)]);
    let published: Vec<Value> = sent(&vendor).into_iter().map(|(_, _, body)| body["publish"].clone()).collect();
    assert_eq!(published, [json!(1), json!(4)]);
}

#[tokio::test]
async fn a_note_that_cannot_be_kept_from_the_client_is_not_written() {
    let zone = super::stand_ins::zone("https://webservices5.autotask.net/atservicesrest/");
    let fields = r#"{"fields":[{"name":"publish","picklistValues":[{"value":"1","label":"All Autotask Users"}]}]}"#;
    let (connector, script) = super::stand_ins::scripted(&[], vec![zone, (200, fields.to_owned())]);
    let note = TicketNote { text: "secret".to_owned(), public: false };
    assert_eq!(connector.add_note("1", &note).await.unwrap_err().kind, Kind::Refused);
    assert_eq!(script.asked().len(), 2, "the zone and the picklist");
}

#[tokio::test]
async fn only_what_is_in_use_is_offered_in_the_accounts_order() {
    let (connector, vendor, _) = simulated();
    let choices = connector.choices(None).await.unwrap();
    let states: Vec<&str> = choices.statuses.iter().map(|state| state.label.as_str()).collect();
    assert_eq!(states, ["New", "In Progress", "Waiting Customer", "Complete"]);
    assert_eq!((choices.queues.len(), choices.priorities.len()), (2, 5));
    let before = vendor.count();
    connector.choices(Some("29683378")).await.unwrap();
    assert_eq!(vendor.count(), before, "what was told a moment ago still holds");
    vendor.change(|world| world.advance(TimeDelta::hours(1)));
    connector.choices(None).await.unwrap();
    assert_eq!(vendor.count(), before + 1);
}
