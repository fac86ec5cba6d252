//! Writes: what is refused before it is sent, and what keeps clients apart.

use std::sync::Arc;

use connector_halopsa::{Halopsa, Simulator};
use integration::{
    CompanyDraft, Connector, Contact, ContactDraft, Entity, Kind, Pull, Retry, Ticket, TicketDraft, TicketNote,
    WriteCompanies, WriteContacts, WriteTickets,
};
use vendorkit::{Simulated, World, WorldSize, a_tuesday};

use crate::{connected, replay};

/// A connector over a simulated vendor, and the ids of its first two clients, each with a user.
fn staged(changes: &[(&str, &str)]) -> (Halopsa, Arc<Simulated>, [(String, String); 2]) {
    let world = World::generate(WorldSize { businesses: 12, devices: 0, people: 60 }, 7, a_tuesday());
    let two: Vec<(String, String)> = world
        .known_to("halopsa")
        .filter_map(|b| Some(((b.key + 10).to_string(), b.people.first()?.key.to_string())))
        .take(2)
        .collect();
    let simulated = Arc::new(Simulated::new(Arc::new(Simulator::default()), world));
    let credentials = simulated.simulator.credentials("https://acme.example");
    let right: Vec<(String, String)> =
        credentials.into_iter().map(|(name, value)| (name, value.as_str().unwrap().to_owned())).collect();
    let mut all = vec![("scope", ""), ("auth_url", ""), ("private_outcome", ""), ("public_outcome", "")];
    all.extend(right.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    all.extend(changes);
    (connected(&all, simulated.clone()), simulated, two.try_into().unwrap())
}

fn writes(simulated: &Simulated) -> usize {
    simulated.log().iter().filter(|(method, path)| *method != "GET" && !path.ends_with("token")).count()
}

#[tokio::test]
async fn users_and_sites_of_another_client_are_out_of_reach() {
    let (halopsa, simulated, [(mine, _), (theirs, their_user)]) = staged(&[]);
    let rename = ContactDraft { family_name: Some("Vale".to_owned()), ..ContactDraft::default() };
    let error = WriteContacts::update(&halopsa, &mine, &their_user, &rename).await.unwrap_err();
    assert_eq!(error.kind, Kind::NotFound);
    let error = WriteContacts::fetch(&halopsa, &mine, &their_user).await.unwrap_err();
    assert_eq!(error.kind, Kind::NotFound);
    let error = halopsa.remove(&mine, &their_user).await.unwrap_err();
    assert_eq!(error.kind, Kind::NotFound);

    let raw = WriteContacts::fetch(&halopsa, &theirs, &their_user).await.unwrap();
    let their_site = Pull::<Contact>::read(&halopsa, &raw).unwrap().record.location_id;
    let strange =
        ContactDraft { email: Some("a@b.example".to_owned()), location_id: their_site, ..ContactDraft::default() };
    let error = WriteContacts::create(&halopsa, &mine, &strange).await.unwrap_err();
    assert_eq!(error.kind, Kind::Refused);

    let asking = TicketDraft {
        title: Some("Printer".to_owned()),
        contact_id: Some(their_user.clone()),
        ..TicketDraft::default()
    };
    let error = WriteTickets::create(&halopsa, &mine, &asking).await.unwrap_err();
    assert_eq!(error.kind, Kind::NotFound);
    assert_eq!(writes(&simulated), 0);
    WriteTickets::create(&halopsa, &theirs, &asking).await.unwrap();
}

#[tokio::test]
async fn what_is_not_an_id_never_becomes_an_address() {
    let (halopsa, simulated, [(mine, _), _]) = staged(&[]);
    for strange in ["", "../Agent", "14/..", "14?x=y", "-", "fourteen"] {
        assert_eq!(WriteCompanies::fetch(&halopsa, strange).await.unwrap_err().kind, Kind::NotFound, "{strange}");
        assert_eq!(WriteTickets::fetch(&halopsa, strange).await.unwrap_err().kind, Kind::NotFound, "{strange}");
        assert_eq!(halopsa.remove(&mine, strange).await.unwrap_err().kind, Kind::NotFound, "{strange}");
    }
    assert_eq!(simulated.count(), 0);
}

#[tokio::test]
async fn a_change_of_address_keeps_the_lines_that_it_does_not_name() {
    let (halopsa, simulated, [(mine, _), _]) = staged(&[]);
    let key = mine.parse::<u64>().unwrap() - 10;
    let before = simulated.read(|world| world.business(key).unwrap().clone());
    let moved = CompanyDraft { street: Some("9 Quay Street".to_owned()), ..CompanyDraft::default() };
    let raw = WriteCompanies::update(&halopsa, &mine, &moved).await.unwrap();
    let place = Pull::<Entity>::read(&halopsa, &raw).unwrap().record.place.unwrap();
    let now = simulated.read(|world| world.business(key).unwrap().clone());
    assert_eq!((now.street.as_str(), &now.city, &now.post_code), ("9 Quay Street", &before.city, &before.post_code));
    assert_eq!((&now.legal_name, &now.phone), (&before.legal_name, &before.phone));
    assert!(place.starts_with("9 Quay Street"), "{place}");
}

#[tokio::test]
async fn the_fourth_line_of_an_address_is_read_and_gives_way() {
    let (halopsa, simulated, [(mine, _), _]) = staged(&[]);
    let key = mine.parse::<u64>().unwrap() - 10;
    simulated.change(|world| world.change_business(key, |of| of.region = "Fife\nScotland".to_owned()));
    let read = |raw: &[u8]| Pull::<Entity>::read(&halopsa, raw).unwrap().record.address.unwrap().region;
    let raw = WriteCompanies::fetch(&halopsa, &mine).await.unwrap();
    assert_eq!(read(&raw).as_deref(), Some("Fife, Scotland"));
    let moved = CompanyDraft { street: Some("9 Quay Street".to_owned()), ..CompanyDraft::default() };
    let raw = WriteCompanies::update(&halopsa, &mine, &moved).await.unwrap();
    assert_eq!(read(&raw).as_deref(), Some("Fife, Scotland"));
    let moved = CompanyDraft { region: Some("Lothian".to_owned()), ..CompanyDraft::default() };
    let raw = WriteCompanies::update(&halopsa, &mine, &moved).await.unwrap();
    assert_eq!(read(&raw).as_deref(), Some("Lothian"));
}

#[tokio::test]
async fn a_name_is_not_cut_to_the_half_that_is_known() {
    let (halopsa, simulated, [(mine, user), _]) = staged(&[]);
    let id = simulated.read(|world| {
        let business = world.business(mine.parse::<u64>().unwrap() - 10).unwrap();
        business.person(user.parse().unwrap()).unwrap().id
    });
    simulated.change(|world| world.change_person(id, |person| person.given.clear()));
    simulated.clear_log();
    let rename = ContactDraft { family_name: Some("Vale".to_owned()), ..ContactDraft::default() };
    WriteContacts::update(&halopsa, &mine, &user, &rename).await.unwrap();
    let sent = simulated.requests().into_iter().find(|request| !request.idempotent).unwrap();
    let integration::Body::Json(sent) = sent.body else { panic!("not JSON") };
    assert_eq!(sent, serde_json::json!([{ "id": user.parse::<i64>().unwrap(), "surname": "Vale" }]));
}

#[tokio::test]
async fn notes_carry_an_outcome_and_send_no_mail() {
    for (private, public, expected) in [
        ("", "", [serde_json::json!(7), serde_json::json!(7)]),
        ("12", "Customer Update", [serde_json::json!(12), serde_json::json!("Customer Update")]),
    ] {
        let (halopsa, simulated, [(mine, _), _]) = staged(&[("private_outcome", private), ("public_outcome", public)]);
        let draft = TicketDraft { title: Some("Printer".to_owned()), ..TicketDraft::default() };
        let raw = WriteTickets::create(&halopsa, &mine, &draft).await.unwrap();
        let ticket = Pull::<Ticket>::read(&halopsa, &raw).unwrap().id;
        for (public, outcome) in [(false, &expected[0]), (true, &expected[1])] {
            simulated.clear_log();
            halopsa.add_note(&ticket, &TicketNote { text: "Looked at it".to_owned(), public }).await.unwrap();
            let integration::Body::Json(sent) = simulated.requests().remove(0).body else { panic!("not JSON") };
            let sent = &sent[0];
            let named = if outcome.is_number() { &sent["outcome_id"] } else { &sent["outcome"] };
            assert_eq!(
                (named, sent["hiddenfromuser"].as_bool(), sent["sendemail"].as_bool()),
                (outcome, Some(!public), Some(false))
            );
        }
        let key = ticket.parse().unwrap();
        let notes = simulated.read(|world| world.ticket(key).unwrap().1.notes.clone());
        assert_eq!(notes.iter().map(|(_, public)| *public).collect::<Vec<_>>(), [false, true]);
    }
}

#[tokio::test]
async fn the_vendors_reason_is_told() {
    let (halopsa, replay) = replay(&["token", "note-refused"]);
    let note = TicketNote { text: "Looked at it".to_owned(), public: false };
    let error = halopsa.add_note("70467", &note).await.unwrap_err();
    assert_eq!((error.kind, error.retry), (Kind::Refused, Retry::No));
    assert_eq!(error.vendor_message.as_deref(), Some("An Outcome must be entered for this Action"));
    replay.finish().unwrap();
}

#[tokio::test]
async fn drafts_that_say_too_little_or_nothing_are_not_sent() {
    let (halopsa, simulated, [(mine, user), _]) = staged(&[]);
    let error = WriteCompanies::create(&halopsa, &CompanyDraft::default()).await.unwrap_err();
    assert_eq!(error.kind, Kind::Refused);
    let error = WriteContacts::create(&halopsa, &mine, &ContactDraft::default()).await.unwrap_err();
    assert_eq!(error.kind, Kind::Refused);
    let error = WriteTickets::create(&halopsa, &mine, &TicketDraft::default()).await.unwrap_err();
    assert_eq!(error.kind, Kind::Refused);
    let odd = TicketDraft { status_id: Some("Closed".to_owned()), ..TicketDraft::default() };
    let ticket = simulated.read(|world| world.tickets_after("halopsa", 0)[0].1.key.to_string());
    assert_eq!(WriteTickets::update(&halopsa, &ticket, &odd).await.unwrap_err().kind, Kind::Refused);

    WriteCompanies::update(&halopsa, &mine, &CompanyDraft::default()).await.unwrap();
    WriteContacts::update(&halopsa, &mine, &user, &ContactDraft::default()).await.unwrap();
    WriteTickets::update(&halopsa, &ticket, &TicketDraft::default()).await.unwrap();
    assert_eq!(writes(&simulated), 0);
}

#[tokio::test]
async fn hidden_priorities_and_teams_for_other_work_are_no_choice() {
    let (halopsa, replay) = replay(&["token", "ticket-choices"]);
    let choices = halopsa.ticket_writes().unwrap().choices(None).await.unwrap();
    let labels = |all: &[integration::Choice]| -> Vec<(String, String)> {
        all.iter().map(|one| (one.id.clone(), one.label.clone())).collect()
    };
    let pair = |id: &str, label: &str| (id.to_owned(), label.to_owned());
    assert_eq!(labels(&choices.statuses), [pair("1", "New"), pair("9", "Closed")]);
    assert_eq!(labels(&choices.priorities), [pair("3", "Medium")]);
    assert_eq!(labels(&choices.queues), [pair("1st Line", "1st Line")]);
    replay.finish().unwrap();
}

#[tokio::test]
async fn an_answer_in_an_array_is_its_last_record() {
    let (halopsa, replay) = replay(&["token", "contact-create"]);
    let draft = ContactDraft {
        given_name: Some("Bea".to_owned()),
        family_name: Some("Holt".to_owned()),
        email: Some("bea@alder.example".to_owned()),
        phone: Some("+441130000010".to_owned()),
        ..ContactDraft::default()
    };
    let raw = WriteContacts::create(&halopsa, "14", &draft).await.unwrap();
    assert_eq!(Pull::<Contact>::read(&halopsa, &raw).unwrap().id, "34");
    replay.finish().unwrap();
}
