use access::portal_email_change_start;
use domain::{Error, Letter, PortalUserId};
use persistence::PortalEmailChange;
use testkit::both_databases;

use crate::{
    house::{House, PASSWORD, request},
    portal::{BASE, PAT, accept, act, client, enable, gone, invite, is_in, out, sign_in, token},
};

const NEW: &str = "pat.quay@reef.example";

async fn active(house: &House) -> PortalUserId {
    let quay = client(house, "Quay").await;
    enable(house, quay, true).await;
    let row = invite(house, quay, PAT).await.expect("invites");
    accept(house, &token(house, PAT).await).await.expect("comes in");
    row.id
}

async fn start(house: &House, id: PortalUserId, email: &str) -> Result<PortalEmailChange, Error> {
    let tx = house.store.begin(house.operator()).await?;
    let change = portal_email_change_start(&tx, &house.gate, BASE, id, email).await?;
    tx.commit("portal_email_change_start", None).await?;
    Ok(change)
}

/// The newest letter to an address: its subject, and the token in its link.
async fn letter(house: &House, email: &str) -> (String, Option<String>) {
    let tx = house.store.begin(house.operator()).await.expect("begins");
    let mails = tx.mail_list().await.expect("lists");
    let mail = mails.iter().find(|mail| mail.recipient == email).expect("a letter");
    match tx.mail_take(mail.id).await.expect("takes").expect("waits").letter {
        Letter::Notice { subject, link, .. } => {
            (subject, link.map(|link| link.url.split_once('#').expect("a token").1.to_owned()))
        }
        other => panic!("{other:?}"),
    }
}

async fn confirm(house: &House, token: &str) -> Result<(), Error> {
    access::portal_email_confirm(&house.store, token, &request("192.0.2.1")).await
}

fn code<T: std::fmt::Debug>(refused: Result<T, Error>) -> &'static str {
    match refused {
        Err(Error::Conflict { code, .. }) => code,
        other => panic!("{other:?}"),
    }
}

both_databases! {
    async fn an_address_changes_when_its_owner_confirms_it_and_sessions_end(db: TestDb) {
        let house = House::build(&db).await;
        let id = active(&house).await;
        let session = sign_in(&house, PAT, PASSWORD).await.expect("signs in");
        db.clock.advance(60);
        start(&house, id, NEW).await.expect("asks");
        let (subject, token) = letter(&house, NEW).await;
        assert_eq!(subject, "Please confirm your new e-mail address");
        let token = token.expect("a link");
        let (subject, link) = letter(&house, PAT).await;
        assert_eq!((subject.as_str(), link), ("Your e-mail address is to be changed", None));
        // Until then all is as it was.
        assert!(is_in(&house, &session).await);
        out(sign_in(&house, NEW, PASSWORD).await);
        gone(confirm(&house, "no-token").await);
        db.clock.advance(1);
        confirm(&house, &token).await.expect("confirms");
        gone(confirm(&house, &token).await);
        assert!(!is_in(&house, &session).await);
        out(sign_in(&house, PAT, PASSWORD).await);
        sign_in(&house, NEW, PASSWORD).await.expect("signs in with the new one");
        assert_eq!(letter(&house, PAT).await.0, "Your e-mail address was changed");
        let entries = house.journal("portal_email_confirm").await;
        assert_eq!(entries.len(), 1);
    }

    async fn a_link_is_good_for_a_day_and_only_the_last_one(db: TestDb) {
        let house = House::build(&db).await;
        let id = active(&house).await;
        start(&house, id, NEW).await.expect("asks");
        let (_, first) = letter(&house, NEW).await;
        let early = start(&house, id, NEW).await;
        assert!(matches!(early, Err(Error::TooMany { retry_after: 60 })), "{early:?}");
        db.clock.advance(60);
        start(&house, id, NEW).await.expect("asks again");
        let (_, second) = letter(&house, NEW).await;
        gone(confirm(&house, &first.expect("a link")).await);
        let second = second.expect("a link");
        db.clock.advance(24 * 3_600);
        gone(confirm(&house, &second).await);
        db.clock.advance(-1);
        // Whoever was shut out meanwhile is not let in by it; cancelled it is void.
        act(&house, id, false).await;
        gone(confirm(&house, &second).await);
        act(&house, id, true).await;
        let tx = house.store.begin(house.operator()).await.expect("begins");
        access::portal_email_change_cancel(&tx, id).await.expect("cancels");
        tx.commit("portal_email_change_cancel", None).await.expect("commits");
        gone(confirm(&house, &second).await);
        sign_in(&house, PAT, PASSWORD).await.expect("the old address holds");
    }

    async fn what_cannot_be_is_refused(db: TestDb) {
        let house = House::build(&db).await;
        let id = active(&house).await;
        let pier = client(&house, "Pier").await;
        enable(&house, pier, true).await;
        let other = invite(&house, pier, "rob@pier.example").await.expect("invites");
        assert_eq!(code(start(&house, id, "ROB@pier.example").await), "email_taken");
        assert_eq!(code(start(&house, other.id, NEW).await), "not_active");
        let same = start(&house, id, PAT).await;
        assert!(matches!(&same, Err(Error::Invalid(problems)) if problems[0].code == "same"), "{same:?}");
        assert!(matches!(start(&house, id, "nothing").await, Err(Error::Invalid(_))));
        // Taken between asking and confirming, the link opens nothing.
        start(&house, id, NEW).await.expect("asks");
        let (_, token) = letter(&house, NEW).await;
        invite(&house, pier, NEW).await.expect("invites");
        gone(confirm(&house, &token.expect("a link")).await);
        sign_in(&house, PAT, PASSWORD).await.expect("the old address holds");
    }
}
