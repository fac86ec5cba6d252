use std::collections::BTreeSet;

use clientone::{
    NewServiceRequest, NewTicket, clientone_origin_set, desk_notice_list, desk_notices_read, desk_notices_unread,
    portal_ticket_create, portal_ticket_say, service_request_create,
};
use domain::{
    ClientScope, Context, DeskNoticeKind as Kind, Error, Letter, PageRequest, Permissions, PortalRole, Role, StaffId,
};
use persistence::{PortalUserRow, Tx};
use testkit::both_databases;

use crate::house::House;

const ALL: PageRequest = PageRequest { limit: 100, after: None };

async fn ticket(house: &House, user: &PortalUserRow) -> domain::PortalTicket {
    let tx = house.of(user).await;
    let new = NewTicket {
        subject: "Printer".to_owned(),
        description: "It does not print.".to_owned(),
        answers: vec![("priority".to_owned(), "High".to_owned())],
    };
    let row = portal_ticket_create(&tx, user, &house.settings, new, None).await.expect("makes");
    tx.commit("portal_ticket_create", None).await.expect("commits");
    row
}

async fn ask(house: &House, user: &PortalUserRow) {
    let kind = house.request_type().await;
    let tx = house.of(user).await;
    let new = NewServiceRequest {
        type_id: kind.id,
        description: "For Sam".to_owned(),
        answers: vec![("count".to_owned(), "1".to_owned())],
    };
    service_request_create(&tx, user, &house.settings, new).await.expect("asks");
    tx.commit("service_request_create", None).await.expect("commits");
}

/// A transaction of someone of the team.
async fn team(house: &House, role: Role, scope: ClientScope) -> Tx {
    let context = Context { permissions: Permissions::of(role), scope, ..house.db.context(house.organisation) };
    house.db.store.begin(context).await.expect("begins")
}

async fn kinds(tx: &Tx, staff: StaffId, unread: bool) -> Vec<Kind> {
    let (listed, _) = desk_notice_list(tx, staff, unread, &ALL).await.expect("lists");
    listed.items.iter().map(|row| row.kind).collect()
}

both_databases! {
    async fn staff_are_told_of_what_they_may_do_something_about(db: TestDb) {
        let house = House::new(db).await;
        let pier = house.another("Pier").await;
        let sam = house.person(house.client, "sam", PortalRole::User).await;
        ticket(&house, &sam).await;
        house.db.clock.advance(1);
        ask(&house, &sam).await;
        let tx = team(&house, Role::Owner, ClientScope::All).await;
        let me: StaffId = tx.new_id();
        assert_eq!(kinds(&tx, me, true).await, [Kind::ServiceRequestMade, Kind::TicketMade]);
        let (listed, _) = desk_notice_list(&tx, me, false, &ALL).await.expect("lists");
        assert_eq!(listed.items[1].title, "sam made the ticket #1: Printer");
        assert_eq!(desk_notices_unread(&tx, me).await.expect("counts"), 2);
        // Up to the first is read; then all; never backwards.
        assert_eq!(desk_notices_read(&tx, me, Some(listed.items[1].id)).await.expect("reads"), 1);
        assert_eq!(kinds(&tx, me, true).await, [Kind::ServiceRequestMade]);
        assert_eq!(desk_notices_read(&tx, me, None).await.expect("reads"), 0);
        assert_eq!(desk_notices_read(&tx, me, Some(listed.items[1].id)).await.expect("reads"), 0);
        assert_eq!(kinds(&tx, me, false).await.len(), 2);
        let other: StaffId = tx.new_id();
        assert_eq!(desk_notices_unread(&tx, other).await.expect("counts"), 2);
        drop(tx);
        let tx = team(&house, Role::Engineer, ClientScope::All).await;
        assert_eq!(kinds(&tx, other, false).await, [Kind::TicketMade]);
        drop(tx);
        let tx = team(&house, Role::Owner, ClientScope::Only(BTreeSet::from([pier]))).await;
        assert_eq!(kinds(&tx, other, false).await, []);
        drop(tx);
        let tx = team(&house, Role::Viewer, ClientScope::All).await;
        assert_eq!(kinds(&tx, other, false).await, []);
    }

    async fn letters_lead_where_the_organisation_says_its_portal_is(db: TestDb) {
        let house = House::new(db).await;
        let sam = house.person(house.client, "sam", PortalRole::User).await;
        let row = ticket(&house, &sam).await;
        let tx = team(&house, Role::Admin, ClientScope::Only(BTreeSet::from([house.client]))).await;
        let scoped = clientone_origin_set(&tx, Some("https://portal.kite.example"), None).await;
        assert!(matches!(scoped, Err(Error::Forbidden { .. })), "{scoped:?}");
        drop(tx);
        let tx = house.staff().await;
        for wrong in ["http://portal.kite.example", "https://portal.kite.example/x", "portal"] {
            assert!(matches!(clientone_origin_set(&tx, Some(wrong), None).await, Err(Error::Invalid(_))), "{wrong}");
        }
        let set = clientone_origin_set(&tx, Some("https://Portal.Kite.example/"), Some(0)).await.expect("sets");
        assert_eq!((set.origin.as_deref(), set.version), (Some("https://portal.kite.example"), 1));
        let stale = clientone_origin_set(&tx, None, Some(0)).await;
        assert!(matches!(stale, Err(Error::Stale { .. })), "{stale:?}");
        tx.commit("clientone_origin_set", None).await.expect("commits");
        // Nobody's request knows where the portal is, as when a worker or a PSA causes a letter.
        let tx = house.staff().await;
        portal_ticket_say(&tx, row.id, "We look at it.", None).await.expect("says");
        let mail = tx.mail_list().await.expect("lists").into_iter().next().expect("a letter");
        let letter = tx.mail_take(mail.id).await.expect("takes").expect("waits").letter;
        let Letter::Notice { link: Some(link), .. } = letter else { panic!("{letter:?}") };
        assert_eq!(link.url, format!("https://portal.kite.example/clientone/tickets/{}", row.id));
    }
}
