use clientone::{
    NewTicket, PsaNews, PsaNote, portal_ticket_act, portal_ticket_assign, portal_ticket_create, portal_ticket_get,
    portal_ticket_make, portal_ticket_mark_read, portal_ticket_note, portal_ticket_read, portal_ticket_reply,
    portal_ticket_say, portal_ticket_seen_by, portal_ticket_send_again, portal_ticket_take, portal_ticket_turn,
    portal_tickets_open, portal_tickets_seen_by, service_request_act, service_request_convert, service_request_create,
};
use domain::{
    Error, PageRequest, PortalRole, PortalTicket, PortalTicketAct as Act, PortalTicketState as State,
    ServiceRequestAct, TicketMessageKind as Kind,
};
use persistence::PortalUserRow;
use testkit::both_databases;

use crate::house::{House, conflict, missing};

fn wanted(subject: &str) -> NewTicket {
    NewTicket {
        subject: subject.to_owned(),
        description: "Since this morning.".to_owned(),
        answers: vec![("priority".to_owned(), "High".to_owned())],
    }
}

async fn make(house: &House, user: &PortalUserRow, subject: &str) -> PortalTicket {
    let tx = house.of(user).await;
    let row = portal_ticket_create(&tx, user, &house.settings, wanted(subject), None).await.expect("makes");
    tx.commit("portal_ticket_create", None).await.expect("commits");
    row
}

async fn answer(house: &House, user: &PortalUserRow, row: &PortalTicket) -> Result<PortalTicket, Error> {
    let tx = house.of(user).await;
    let after = portal_ticket_reply(&tx, user, &house.settings, row.id, "It prints again.", None).await?;
    tx.commit("portal_ticket_reply", None).await?;
    Ok(after)
}

async fn act(house: &House, row: &PortalTicket, act: Act) -> Result<PortalTicket, Error> {
    let tx = house.staff().await;
    let after = portal_ticket_act(&tx, row.id, act, None).await?;
    tx.commit("portal_ticket_act", None).await?;
    Ok(after)
}

both_databases! {
    async fn a_ticket_goes_its_way_and_its_requester_hears_of_it(db: TestDb) {
        let house = House::new(db).await;
        let sam = house.person(house.client, "sam", PortalRole::User).await;
        let tx = house.of(&sam).await;
        let bare = NewTicket { subject: " ".to_owned(), description: String::new(), answers: Vec::new() };
        let wrong = portal_ticket_create(&tx, &sam, &house.settings, bare, None).await;
        let Err(Error::Invalid(problems)) = wrong else { panic!("{wrong:?}") };
        let places: Vec<&str> = problems.iter().map(|one| one.pointer.as_str()).collect();
        assert_eq!(places, ["/subject", "/description", "/answers"]);
        drop(tx);
        let row = make(&house, &sam, "Printer").await;
        assert_eq!((row.number, row.state, row.answer("priority")), (1, State::Open, Some("High")));
        assert_eq!(make(&house, &sam, "Screen").await.number, 2);
        let tx = house.staff().await;
        portal_ticket_note(&tx, row.id, "Is it the fuse?").await.expect("notes");
        tx.commit("portal_ticket_note", None).await.expect("commits");
        assert_eq!(house.letters().await, 0, "a note among staff is mailed");
        let tx = house.staff().await;
        portal_ticket_say(&tx, row.id, "We look at it.", Some("https://kite.example/clientone")).await.expect("says");
        tx.commit("portal_ticket_say", None).await.expect("commits");
        assert_eq!(house.letters().await, 1);
        assert_eq!(act(&house, &row, Act::Wait).await.expect("waits").state, State::Waiting);
        assert_eq!(house.letters().await, 2);
        assert_eq!(answer(&house, &sam, &row).await.expect("answers").state, State::Open);
        assert_eq!(house.letters().await, 2, "a requester is told what they said themself");
        act(&house, &row, Act::Close).await.expect("closes");
        assert_eq!(conflict(answer(&house, &sam, &row).await), "wrong_state");
        let tx = house.of(&sam).await;
        let after = portal_ticket_turn(&tx, &sam, &house.settings, row.id, Act::Reopen, None).await.expect("reopens");
        assert_eq!(after.state, State::Open);
        tx.commit("portal_ticket_reopen", None).await.expect("commits");
        assert_eq!(house.letters().await, 3);
        let tx = house.of(&sam).await;
        portal_ticket_read(&tx, &sam, &house.settings, row.id).await.expect("reads");
        tx.commit_unjournalled().await.expect("commits");
        let tx = house.of(&sam).await;
        let seen = portal_ticket_seen_by(&tx, &sam, &house.settings, row.id).await.expect("sees");
        assert!(seen.messages.iter().all(|one| one.kind != Kind::Note), "{seen:?}");
        assert_eq!(seen.messages.iter().map(|one| one.number).collect::<Vec<_>>(), [2, 3, 4, 5, 6]);
        assert_eq!(seen.readings.iter().map(|one| one.number).collect::<Vec<_>>(), [6]);
        drop(tx);
        let tx = house.staff().await;
        assert_eq!(portal_ticket_get(&tx, row.id).await.expect("gets").messages.len(), 6);
        portal_ticket_mark_read(&tx, row.id).await.expect("reads");
        assert_eq!(conflict(portal_ticket_send_again(&tx, row.id).await), "nothing_refused");
    }

    async fn who_sees_which_ticket(db: TestDb) {
        let house = House::new(db).await;
        let pier = house.another("Pier").await;
        let sam = house.person(house.client, "sam", PortalRole::User).await;
        let max = house.person(house.client, "max", PortalRole::User).await;
        let pat = house.person(house.client, "pat", PortalRole::Manager).await;
        let pip = house.person(pier, "pip", PortalRole::Manager).await;
        let row = make(&house, &sam, "Printer").await;
        let (page, settings) = (PageRequest::first(), &house.settings);
        for (user, count) in [(&sam, 1), (&max, 0), (&pat, 1), (&pip, 0)] {
            let tx = house.of(user).await;
            let listed = portal_tickets_seen_by(&tx, user, settings, (None, Some(true)), &page).await.expect("lists");
            assert_eq!((listed.total, portal_tickets_open(&tx, user, settings).await.expect("counts")), (count, count as u64));
            if count == 0 {
                missing(portal_ticket_seen_by(&tx, user, settings, row.id).await);
                missing(portal_ticket_reply(&tx, user, settings, row.id, "x", None).await);
                missing(portal_ticket_turn(&tx, user, settings, row.id, Act::Close, None).await);
                missing(portal_ticket_read(&tx, user, settings, row.id).await);
            } else {
                portal_ticket_seen_by(&tx, user, settings, row.id).await.expect("sees");
            }
        }
        let tx = house.staff().await;
        missing(portal_ticket_make(&tx, pier, Some(sam.id), wanted("Screen"), None).await);
        let other = portal_ticket_make(&tx, pier, Some(pip.id), NewTicket { answers: Vec::new(), ..wanted("Screen") }, None).await;
        assert_eq!(other.expect("staff need not fill in the form").number, 2);
        missing(portal_ticket_assign(&tx, row.id, Some(tx.new_id())).await);
    }

    async fn too_many_tickets_in_an_hour_wait(db: TestDb) {
        let house = House::new(db).await;
        let sam = house.person(house.client, "sam", PortalRole::User).await;
        for at in 0..20 {
            make(&house, &sam, &format!("Ticket {at}")).await;
        }
        let tx = house.of(&sam).await;
        let more = portal_ticket_create(&tx, &sam, &house.settings, wanted("More"), None).await;
        assert!(matches!(more, Err(Error::TooMany { .. })), "{more:?}");
        drop(tx);
        house.db.clock.advance(3_601);
        make(&house, &sam, "An hour later").await;
    }

    async fn what_a_psa_tells_is_taken_once(db: TestDb) {
        let house = House::new(db).await;
        let sam = house.person(house.client, "sam", PortalRole::User).await;
        let row = make(&house, &sam, "Printer").await;
        let note = |id: &str, public| PsaNote {
            id: id.to_owned(),
            text: format!("Note {id}\u{7}"),
            public,
            author: Some("Jo Doe".to_owned()),
            at: None,
        };
        let news = PsaNews {
            status: Some("Closed".to_owned()),
            open: Some(false),
            notes: vec![note("1", true), note("2", false)],
        };
        for _ in 0..2 {
            let tx = house.staff().await;
            let notes = news.notes.clone();
            portal_ticket_take(&tx, row.id, PsaNews { notes, ..PsaNews::default() }).await.expect("takes");
            tx.commit("portal_ticket_take", None).await.expect("commits");
        }
        let tx = house.staff().await;
        let after = portal_ticket_take(&tx, row.id, PsaNews { notes: Vec::new(), ..news }).await.expect("takes");
        assert_eq!(after.state, State::Closed);
        tx.commit("portal_ticket_take", None).await.expect("commits");
        let tx = house.of(&sam).await;
        let seen = portal_ticket_seen_by(&tx, &sam, &house.settings, row.id).await.expect("sees");
        let said: Vec<_> = seen.messages.iter().map(|one| (one.kind, one.text.as_deref())).collect();
        assert_eq!(said, [(Kind::Reply, Some("Note 1")), (Kind::Act, Some("Closed"))]);
        drop(tx);
        assert_eq!(house.letters().await, 2, "one of the note, one of the state");
    }

    async fn a_request_becomes_one_ticket(db: TestDb) {
        let house = House::new(db).await;
        let sam = house.person(house.client, "sam", PortalRole::User).await;
        let kind = house.request_type().await;
        let tx = house.of(&sam).await;
        let new = clientone::NewServiceRequest {
            type_id: kind.id,
            description: "For Sam".to_owned(),
            answers: vec![("count".to_owned(), "2".to_owned())],
        };
        let request = service_request_create(&tx, &sam, &house.settings, new).await.expect("asks");
        tx.commit("service_request_create", None).await.expect("commits");
        let tx = house.staff().await;
        let ticket = service_request_convert(&tx, request.id, None, None).await.expect("converts");
        let set = tx.commit("service_request_convert", None).await.expect("commits");
        let kinds: Vec<&str> = set.changes.iter().map(|change| change.kind.as_str()).collect();
        assert_eq!(kinds, ["portal_ticket", "service_request", "service_request_step"], "one change set");
        assert_eq!((ticket.requester, ticket.service_request_id), (Some(sam.id), Some(request.id)));
        assert!(ticket.description.contains("For Sam") && ticket.description.contains("How many: 2"));
        let tx = house.staff().await;
        assert_eq!(tx.service_request(request.id).await.expect("is there").ticket_id, Some(ticket.id));
        assert_eq!(conflict(service_request_convert(&tx, request.id, None, None).await), "converted");
        drop(tx);
        let tx = house.of(&sam).await;
        let new = clientone::NewServiceRequest {
            type_id: kind.id,
            description: "Again".to_owned(),
            answers: vec![("count".to_owned(), "1".to_owned())],
        };
        let over = service_request_create(&tx, &sam, &house.settings, new).await.expect("asks");
        tx.commit("service_request_create", None).await.expect("commits");
        let tx = house.staff().await;
        let notes = clientone::RequestNotes { note: Some("No.".to_owned()), internal_note: None };
        service_request_act(&tx, over.id, ServiceRequestAct::Reject, notes, None).await.expect("rejects");
        assert_eq!(conflict(service_request_convert(&tx, over.id, None, None).await), "wrong_state");
    }
}
