//! Writing, as the vendor sees it.

use connector_connectwise_manage::ConnectwiseManage;
use integration::{
    Body, CompanyDraft, Contact, ContactDraft, Entity, Kind, Pull, Ticket, TicketDraft, TicketNote, WriteCompanies,
    WriteContacts, WriteTickets,
};
use vendorkit::Simulated;

use super::stand_ins::{all, simulated};

fn sent(vendor: &Simulated) -> Vec<String> {
    let writes = vendor.requests().into_iter().filter(|request| !request.idempotent);
    writes
        .map(|request| match request.body {
            Body::Json(body) => format!("{} {body}", request.method.as_str()),
            _ => request.method.as_str().to_owned(),
        })
        .collect()
}

async fn first_company(connector: &ConnectwiseManage) -> String {
    all::<Entity>(connector, None).await.remove(0).id
}

#[tokio::test]
async fn two_companies_of_one_name_get_two_codes() {
    let (connector, vendor, _) = simulated();
    let draft = CompanyDraft { name: Some("Twin & Sons".to_owned()), ..CompanyDraft::default() };
    for _ in 0..3 {
        WriteCompanies::create(&connector, &draft).await.unwrap();
    }
    let codes: Vec<bool> = ["TwinSons\"", "TwinSons2\"", "TwinSons3\""]
        .into_iter()
        .zip(sent(&vendor))
        .map(|(code, sent)| sent.contains(code))
        .collect();
    assert_eq!(codes, [true, true, true]);
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
    assert!(entity.place.unwrap().ends_with("New Zealand"));
    let [patch] = &sent(&vendor)[..] else { panic!("one write") };
    assert_eq!(patch.matches("\"op\":\"replace\"").count(), 3, "{patch}");
    for (code, what) in [("zz", "no country"), ("x\" or 1=1", "an injection")] {
        let draft = CompanyDraft { country: Some(code.to_owned()), ..CompanyDraft::default() };
        let error = WriteCompanies::update(&connector, &id, &draft).await.unwrap_err();
        assert_eq!(error.kind, Kind::Refused, "{what}");
    }
    vendor.clear_log();
    WriteCompanies::update(&connector, &id, &CompanyDraft::default()).await.unwrap();
    assert_eq!(sent(&vendor), Vec::<String>::new(), "nothing to change is nothing to send");
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
async fn ways_to_reach_a_contact_are_changed_one_by_one() {
    let (connector, vendor, _) = simulated();
    let contact = all::<Contact>(&connector, None).await.remove(0);
    let entity = contact.entity.clone().unwrap();
    let draft = ContactDraft {
        email: Some("new.address@newcomer.example".to_owned()),
        mobile: Some("07700 900019".to_owned()),
        ..ContactDraft::default()
    };
    vendor.clear_log();
    let raw = WriteContacts::update(&connector, &entity, &contact.id, &draft).await.unwrap();
    let changed = Pull::<Contact>::read(&connector, &raw).unwrap().record;
    assert_eq!((&changed.email, &changed.mobile), (&draft.email, &draft.mobile));
    assert_eq!((&changed.name, &changed.phone), (&contact.record.name, &contact.record.phone));
    let writes = sent(&vendor);
    assert_eq!(writes.len(), 2, "{writes:?}");
    assert!(writes[0].starts_with("PATCH") && writes[1].starts_with("POST"), "{writes:?}");
    vendor.clear_log();
    WriteContacts::update(&connector, &entity, &contact.id, &draft).await.unwrap();
    assert_eq!(sent(&vendor), Vec::<String>::new(), "what is so already is not written");
}

#[tokio::test]
async fn a_contact_of_another_company_is_not_touched() {
    let (connector, vendor, _) = simulated();
    let contacts = all::<Contact>(&connector, None).await;
    let other = contacts.iter().find(|one| one.entity != contacts[0].entity).unwrap();
    let entity = contacts[0].entity.as_deref().unwrap();
    let draft = ContactDraft { given_name: Some("Mallory".to_owned()), ..ContactDraft::default() };
    vendor.clear_log();
    let errors = [
        WriteContacts::update(&connector, entity, &other.id, &draft).await.unwrap_err(),
        connector.remove(entity, &other.id).await.unwrap_err(),
        WriteContacts::fetch(&connector, entity, "../companies").await.unwrap_err(),
    ];
    assert!(errors.iter().all(|error| error.kind == Kind::NotFound), "{errors:?}");
    assert_eq!(sent(&vendor), Vec::<String>::new());
}

#[tokio::test]
async fn a_ticket_that_changes_its_board_gets_a_state_of_that_board() {
    let (connector, vendor, _) = simulated();
    let entity = first_company(&connector).await;
    let draft =
        TicketDraft { title: Some("Wrong desk".to_owned()), queue_id: Some("1".to_owned()), ..TicketDraft::default() };
    let raw = WriteTickets::create(&connector, &entity, &draft).await.unwrap();
    let id = Pull::<Ticket>::read(&connector, &raw).unwrap().id;
    vendor.change(|world| world.advance(chrono::TimeDelta::minutes(1)));
    let to = |board: &str| TicketDraft { queue_id: Some(board.to_owned()), ..TicketDraft::default() };
    vendor.clear_log();
    WriteTickets::update(&connector, &id, &to("1")).await.unwrap();
    assert_eq!(sent(&vendor), Vec::<String>::new(), "it is there already");
    let raw = WriteTickets::update(&connector, &id, &to("2")).await.unwrap();
    let moved = Pull::<Ticket>::read(&connector, &raw).unwrap().record;
    assert_eq!((moved.queue.as_deref(), moved.status_id.as_deref()), (Some("Onsite"), Some("80")));
    assert_eq!(sent(&vendor).len(), 1);
}

#[tokio::test]
async fn notes_are_seen_by_the_client_or_not() {
    let (connector, vendor, _) = simulated();
    let ticket = all::<Ticket>(&connector, None).await.remove(0);
    for public in [true, false] {
        let note = TicketNote { text: format!("public: {public}"), public };
        connector.add_note(&ticket.id, &note).await.unwrap();
    }
    let key: u64 = ticket.id.parse().unwrap();
    let notes = vendor.read(|world| world.ticket(key).unwrap().1.notes.clone());
    assert_eq!(notes, [("public: true".to_owned(), true), ("public: false".to_owned(), false)]);
}

#[tokio::test]
async fn states_are_offered_for_a_board_only() {
    let (connector, _, _) = simulated();
    let whole = connector.choices(None).await.unwrap();
    let boards: Vec<&str> = whole.queues.iter().map(|board| board.label.as_str()).collect();
    assert_eq!((boards, whole.statuses.len()), (vec!["Help Desk", "Onsite"], 0));
    let desk = connector.choices(Some("1")).await.unwrap();
    let states: Vec<&str> = desk.statuses.iter().map(|state| state.label.as_str()).collect();
    assert_eq!(states, ["New", "In Progress", "Waiting on Client", "Closed"]);
}
