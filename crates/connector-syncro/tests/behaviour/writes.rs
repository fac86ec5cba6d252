//! Writes: what is refused before it is sent, and what keeps customers apart.

use std::sync::Arc;

use connector_syncro::{Simulator, Syncro};
use integration::{
    Body, CompanyDraft, Contact, ContactDraft, Kind, Pull, Retry, Ticket, TicketDraft, TicketNote, WriteCompanies,
    WriteContacts, WriteTickets,
};
use vendorkit::{Simulated, World, WorldSize, a_tuesday};

use crate::{connected, replay};

/// A connector over a simulated vendor, and the ids of its first two customers, each with a contact.
fn staged() -> (Syncro, Arc<Simulated>, [(String, String); 2]) {
    let world = World::generate(WorldSize { businesses: 12, devices: 0, people: 60 }, 7, a_tuesday());
    let two: Vec<(String, String)> = world
        .known_to("syncro")
        .filter_map(|b| Some(((b.key + 500).to_string(), b.people.first()?.key.to_string())))
        .take(2)
        .collect();
    let simulated = Arc::new(Simulated::new(Arc::new(Simulator::default()), world));
    let credentials = simulated.simulator.credentials("https://acme.example");
    let token = credentials["api_token"].as_str().unwrap().to_owned();
    (connected(&[("api_token", &token)], simulated.clone()), simulated, two.try_into().unwrap())
}

fn writes(simulated: &Simulated) -> usize {
    simulated.log().iter().filter(|(method, _)| *method != "GET").count()
}

fn sent(simulated: &Simulated) -> serde_json::Value {
    let request = simulated.requests().into_iter().find(|request| !request.idempotent).unwrap();
    let Body::Json(sent) = request.body else { panic!("not JSON") };
    sent
}

#[tokio::test]
async fn contacts_of_another_customer_are_out_of_reach() {
    let (syncro, simulated, [(mine, _), (theirs, their_contact)]) = staged();
    let rename = ContactDraft { family_name: Some("Vale".to_owned()), ..ContactDraft::default() };
    let error = WriteContacts::update(&syncro, &mine, &their_contact, &rename).await.unwrap_err();
    assert_eq!(error.kind, Kind::NotFound);
    let error = WriteContacts::fetch(&syncro, &mine, &their_contact).await.unwrap_err();
    assert_eq!(error.kind, Kind::NotFound);
    assert_eq!(syncro.remove(&mine, &their_contact).await.unwrap_err().kind, Kind::NotFound);

    let title = Some("Printer".to_owned());
    let asking = TicketDraft { title, contact_id: Some(their_contact), ..TicketDraft::default() };
    let error = WriteTickets::create(&syncro, &mine, &asking).await.unwrap_err();
    assert_eq!(error.kind, Kind::NotFound);
    assert_eq!(writes(&simulated), 0);
    let raw = WriteTickets::create(&syncro, &theirs, &asking).await.unwrap();
    let ticket = Pull::<Ticket>::read(&syncro, &raw).unwrap();
    assert_eq!((ticket.entity, ticket.record.contact_id), (Some(theirs), asking.contact_id));
}

#[tokio::test]
async fn what_is_not_an_id_never_becomes_an_address() {
    let (syncro, simulated, [(mine, _), _]) = staged();
    let note = TicketNote { text: "Looked at it".to_owned(), public: false };
    for strange in ["", "0", "-7", "../me", "14/comments", "14?x=y", "fourteen"] {
        assert_eq!(WriteCompanies::fetch(&syncro, strange).await.unwrap_err().kind, Kind::NotFound, "{strange}");
        assert_eq!(WriteTickets::fetch(&syncro, strange).await.unwrap_err().kind, Kind::NotFound, "{strange}");
        assert_eq!(syncro.remove(&mine, strange).await.unwrap_err().kind, Kind::NotFound, "{strange}");
        assert_eq!(syncro.add_note(strange, &note).await.unwrap_err().kind, Kind::NotFound, "{strange}");
    }
    assert_eq!(simulated.count(), 0);
}

#[tokio::test]
async fn what_the_vendor_has_no_place_for_is_refused_or_left_out() {
    let (syncro, simulated, [(mine, contact), _]) = staged();
    let disabled = CompanyDraft { active: Some(false), ..CompanyDraft::default() };
    assert_eq!(WriteCompanies::update(&syncro, &mine, &disabled).await.unwrap_err().kind, Kind::Refused);
    for draft in [
        ContactDraft { active: Some(false), ..ContactDraft::default() },
        ContactDraft { location_id: Some("1".to_owned()), ..ContactDraft::default() },
    ] {
        let error = WriteContacts::update(&syncro, &mine, &contact, &draft).await.unwrap_err();
        assert_eq!(error.kind, Kind::Refused, "{draft:?}");
    }
    let title = Some("Printer".to_owned());
    let queued = TicketDraft { title, queue_id: Some("1".to_owned()), ..TicketDraft::default() };
    assert_eq!(WriteTickets::create(&syncro, &mine, &queued).await.unwrap_err().kind, Kind::Refused);
    for nameless in [CompanyDraft::default(), CompanyDraft { name: Some(" ".to_owned()), ..CompanyDraft::default() }] {
        assert_eq!(WriteCompanies::create(&syncro, &nameless).await.unwrap_err().kind, Kind::Refused);
    }
    assert_eq!(WriteContacts::create(&syncro, &mine, &ContactDraft::default()).await.unwrap_err().kind, Kind::Refused);
    assert_eq!(WriteTickets::create(&syncro, &mine, &TicketDraft::default()).await.unwrap_err().kind, Kind::Refused);

    let abroad = CompanyDraft {
        website: Some("https://a.example".to_owned()),
        country: Some("PT".to_owned()),
        ..CompanyDraft::default()
    };
    WriteCompanies::update(&syncro, &mine, &abroad).await.unwrap();
    WriteContacts::update(&syncro, &mine, &contact, &ContactDraft::default()).await.unwrap();
    let ticket = simulated.read(|world| world.tickets_after("syncro", 0)[0].1.key.to_string());
    let described = TicketDraft { description: Some("Later".to_owned()), ..TicketDraft::default() };
    WriteTickets::update(&syncro, &ticket, &described).await.unwrap();
    assert_eq!(writes(&simulated), 0);
}

#[tokio::test]
async fn a_contact_keeps_the_part_of_the_name_that_does_not_change() {
    let (syncro, simulated, [(mine, _), _]) = staged();
    let draft = ContactDraft {
        given_name: Some("Maria".to_owned()),
        family_name: Some("da Costa Reis".to_owned()),
        ..ContactDraft::default()
    };
    let raw = WriteContacts::create(&syncro, &mine, &draft).await.unwrap();
    let id = Pull::<Contact>::read(&syncro, &raw).unwrap().id;
    for (given, family, name) in [
        (Some("Ana"), None, "Ana da Costa Reis"),
        (None, Some("Vale"), "Ana Vale"),
        (Some("Rui"), Some("Sá"), "Rui Sá"),
    ] {
        simulated.clear_log();
        let change = ContactDraft {
            given_name: given.map(str::to_owned),
            family_name: family.map(str::to_owned),
            ..ContactDraft::default()
        };
        let raw = WriteContacts::update(&syncro, &mine, &id, &change).await.unwrap();
        assert_eq!(Pull::<Contact>::read(&syncro, &raw).unwrap().record.name, name);
    }
    // The vendor wants the name with every change.
    simulated.clear_log();
    let change = ContactDraft { mobile: Some("5550123".to_owned()), ..ContactDraft::default() };
    WriteContacts::update(&syncro, &mine, &id, &change).await.unwrap();
    assert_eq!(sent(&simulated), serde_json::json!({ "name": "Rui Sá", "mobile": "5550123" }));
}

#[tokio::test]
async fn notes_have_a_subject_and_send_no_mail() {
    let (syncro, simulated, _) = staged();
    let key = simulated.read(|world| world.tickets_after("syncro", 0)[0].1.key);
    for public in [true, false] {
        simulated.clear_log();
        let note = TicketNote { text: "Looked at it".to_owned(), public };
        syncro.add_note(&key.to_string(), &note).await.unwrap();
        let sent = sent(&simulated);
        assert!(sent["subject"].as_str().is_some_and(|subject| !subject.is_empty()));
        assert_eq!((sent["hidden"].as_bool(), sent["do_not_email"].as_bool()), (Some(!public), Some(true)));
    }
    let notes = simulated.read(|world| world.ticket(key).unwrap().1.notes.clone());
    assert_eq!(notes.iter().map(|(_, public)| *public).collect::<Vec<_>>(), [true, false]);
    let empty = TicketNote { text: " ".to_owned(), public: true };
    let error = syncro.add_note(&key.to_string(), &empty).await.unwrap_err();
    assert_eq!((error.kind, error.vendor_message.as_deref()), (Kind::Refused, Some("Body can't be blank")));
}

#[tokio::test]
async fn the_vendors_reasons_are_told_in_each_of_its_forms() {
    let (syncro, _) = replay(&["refused-contact"]);
    let draft = ContactDraft { email: Some("xxx".to_owned()), ..ContactDraft::default() };
    let error = WriteContacts::create(&syncro, "501", &draft).await.unwrap_err();
    assert_eq!((error.kind, error.retry), (Kind::Refused, Retry::No));
    assert_eq!(error.vendor_message.as_deref(), Some("Email is not an email"));

    let (syncro, _) = replay(&["refused-customer"]);
    let draft = CompanyDraft { name: Some("Harbour".to_owned()), ..CompanyDraft::default() };
    let error = WriteCompanies::create(&syncro, &draft).await.unwrap_err();
    let words = "Email is not an email; Business name has already been taken";
    assert_eq!(error.vendor_message.as_deref(), Some(words));
}
