use std::collections::BTreeSet;

use clientone::{
    SettingsPatch, SwitchesPatch, notification_list, notification_read, notification_settings_update,
    notifications_read, notifications_unread,
};
use domain::{Error, NotificationKind, NotificationSwitches, PageRequest, PortalRole, Section};
use persistence::{Apply, NotificationRow, PortalNotice, PortalUserRow, Tx};
use testkit::both_databases;

use crate::house::{House, missing};

const ALL: PageRequest = PageRequest { limit: 100, after: None };

fn notice(tx: &Tx, kind: NotificationKind, key: &str) -> PortalNotice<'static> {
    PortalNotice {
        kind,
        subject_id: tx.new_id(),
        key: key.to_owned(),
        title: format!("About {key}"),
        paragraphs: vec!["One.".to_owned(), "Two.".to_owned()],
        link: ("See it", format!("tickets/{key}")),
        base: Some("https://kite.example/clientone"),
    }
}

async fn tell(house: &House, to: &[&PortalUserRow], kind: NotificationKind, key: &str) {
    let tx = house.staff().await;
    let to: Vec<PortalUserRow> = to.iter().map(|user| (*user).clone()).collect();
    tx.portal_notify(house.client, &to, &notice(&tx, kind, key)).await.expect("tells");
    tx.commit_unjournalled().await.expect("commits");
}

async fn told(house: &House, user: &PortalUserRow, unread: bool) -> Vec<NotificationRow> {
    let tx = house.of(user).await;
    notification_list(&tx, user, &house.settings, unread, &ALL).await.expect("lists").items
}

async fn switch(house: &House, user: &PortalUserRow, patch: SwitchesPatch) -> Result<i32, Error> {
    let tx = house.of(user).await;
    let after = notification_settings_update(&tx, user, &house.settings, patch).await?;
    tx.commit("notification_settings_update", None).await?;
    Ok(after.version)
}

both_databases! {
    async fn someone_is_told_once_and_reads_it(db: TestDb) {
        let house = House::new(db).await;
        let (sam, pat) = (
            house.person(house.client, "sam", PortalRole::User).await,
            house.person(house.client, "pat", PortalRole::Manager).await,
        );
        for _ in 0..2 {
            tell(&house, &[&sam], NotificationKind::TicketReply, "t1").await;
        }
        house.db.clock.advance(60);
        tell(&house, &[&sam, &pat], NotificationKind::TicketStatus, "t2").await;
        let rows = told(&house, &sam, true).await;
        assert_eq!(rows.iter().map(|row| row.title.as_str()).collect::<Vec<_>>(), ["About t2", "About t1"]);
        assert_eq!((rows[1].body.as_str(), rows[1].page.as_str(), rows[1].read_at), ("One.\n\nTwo.", "tickets/t1", None));
        assert_eq!((house.letters().await, told(&house, &pat, true).await.len()), (3, 1));
        // Someone else's is not there.
        let tx = house.of(&pat).await;
        missing(notification_read(&tx, &pat, &house.settings, rows[0].id).await);
        drop(tx);
        let tx = house.of(&sam).await;
        let read = notification_read(&tx, &sam, &house.settings, rows[0].id).await.expect("reads");
        assert_eq!(read.read_at, Some(tx.now()));
        tx.commit_unjournalled().await.expect("commits");
        house.db.clock.advance(60);
        let tx = house.of(&sam).await;
        let again = notification_read(&tx, &sam, &house.settings, rows[0].id).await.expect("reads");
        assert_eq!(again.read_at, read.read_at, "when it was first read stays");
        assert_eq!(notifications_unread(&tx, &sam, &house.settings).await.expect("counts"), 1);
        assert_eq!(notifications_read(&tx, &sam, &house.settings).await.expect("reads"), 1);
        assert_eq!(notifications_unread(&tx, &sam, &house.settings).await.expect("counts"), 0);
        tx.commit_unjournalled().await.expect("commits");
        assert_eq!((told(&house, &sam, true).await.len(), told(&house, &sam, false).await.len()), (0, 2));
        assert_eq!(told(&house, &pat, true).await.len(), 1, "only one's own is marked");
    }

    async fn nobody_is_told_who_is_not_to_be(db: TestDb) {
        let mut house = House::new(db).await;
        let sam = house.person(house.client, "sam", PortalRole::User).await;
        let other = house.another("Elsewhere").await;
        let stranger = house.person(other, "stranger", PortalRole::Manager).await;
        tell(&house, &[&stranger], NotificationKind::TicketReply, "t1").await;
        assert_eq!((house.letters().await, told(&house, &stranger, false).await.len()), (0, 0), "of another client");
        // A preview tells nobody.
        let tx = house.staff().await;
        tx.portal_notify(house.client, std::slice::from_ref(&sam), &notice(&tx, NotificationKind::TicketReply, "t2")).await.expect("tells");
        tx.finish("ticket_note_add", &Apply { dry_run: true, ..Apply::default() }).await.expect("previews");
        assert_eq!((house.letters().await, told(&house, &sam, false).await.len()), (0, 0));
        // What was told of a section goes with it, and comes back with it.
        tell(&house, &[&sam], NotificationKind::TicketReply, "t3").await;
        let sections = |sections: &[Section]| SettingsPatch {
            sections: Some(BTreeSet::from_iter(sections.iter().copied())),
            ..SettingsPatch::default()
        };
        let tx = house.staff().await;
        let off = clientone::clientone_update(&tx, house.client, sections(&[Section::Devices]), None).await.expect("sets");
        tx.commit("clientone_update", None).await.expect("commits");
        let on = std::mem::replace(&mut house.settings, off.settings);
        tell(&house, &[&sam], NotificationKind::TicketReply, "t4").await;
        assert_eq!((told(&house, &sam, false).await.len(), house.letters().await), (0, 1));
        house.settings = on;
        assert_eq!(told(&house, &sam, false).await.len(), 1, "while it was off nothing was told");
        let tx = house.staff().await;
        clientone::clientone_disable(&tx, house.client).await.expect("disables");
        tx.commit("clientone_disable", None).await.expect("commits");
        tell(&house, &[&sam], NotificationKind::InvoiceOverdue, "i1").await;
        assert_eq!((told(&house, &sam, false).await.len(), house.letters().await), (1, 1));
    }

    async fn switches_decide_what_is_told_but_not_what_waits(db: TestDb) {
        let house = House::new(db).await;
        let sam = house.person(house.client, "sam", PortalRole::Manager).await;
        let off = SwitchesPatch { ticket_reply: Some(false), ..SwitchesPatch::default() };
        assert_eq!(switch(&house, &sam, off).await.expect("switches"), 1);
        assert_eq!(switch(&house, &sam, off).await.expect("switches"), 1, "the same again changes nothing");
        tell(&house, &[&sam], NotificationKind::TicketReply, "t1").await;
        tell(&house, &[&sam], NotificationKind::TicketStatus, "t2").await;
        assert_eq!((house.letters().await, told(&house, &sam, false).await.len()), (1, 2));
        let none = SwitchesPatch {
            in_app: Some(false),
            ticket_status: Some(false),
            invoice_overdue: Some(false),
            version: Some(1),
            ..SwitchesPatch::default()
        };
        let stale = SwitchesPatch { version: Some(0), ..none };
        assert!(matches!(switch(&house, &sam, stale).await, Err(Error::Stale { .. })));
        assert_eq!(switch(&house, &sam, none).await.expect("switches"), 2);
        for (kind, key) in [
            (NotificationKind::TicketReply, "t3"),
            (NotificationKind::TicketStatus, "t4"),
            (NotificationKind::InvoiceOverdue, "i1"),
            (NotificationKind::DocumentPublished, "d1"),
        ] {
            tell(&house, &[&sam], kind, key).await;
        }
        assert_eq!((house.letters().await, told(&house, &sam, false).await.len()), (1, 2));
        for (kind, key) in [(NotificationKind::AgreementWaiting, "a1"), (NotificationKind::OnboardingWaiting, "o1")] {
            tell(&house, &[&sam], kind, key).await;
        }
        assert_eq!((house.letters().await, told(&house, &sam, false).await.len()), (3, 4));
        let tx = house.of(&sam).await;
        let all = tx.notification_settings(sam.id).await.expect("reads").switches;
        assert_eq!(all, NotificationSwitches { in_app: false, ticket_status: false, ticket_reply: false, invoice_overdue: false });
    }

    async fn what_is_old_is_forgotten(db: TestDb) {
        let house = House::new(db).await;
        let sam = house.person(house.client, "sam", PortalRole::User).await;
        tell(&house, &[&sam], NotificationKind::TicketReply, "t1").await;
        house.db.clock.advance(60);
        tell(&house, &[&sam], NotificationKind::TicketReply, "t2").await;
        let tx = house.staff().await;
        assert_eq!(tx.notifications_forget(house.db.now()).await.expect("forgets"), 1);
        tx.commit_unjournalled().await.expect("commits");
        assert_eq!(told(&house, &sam, false).await[0].title, "About t2");
    }
}
