use access::{LinkAnswer, PasswordResetAsk, StaffPatch};
use domain::{Error, Role};
use secrecy::ExposeSecret;
use testkit::both_databases;

use crate::{
    house::{House, OWNER, PASSWORD, request},
    letters::{links, token},
};

const NEW: &str = "another fine long password";

async fn ask(house: &House, email: &str, from: &str) -> Result<(), Error> {
    let ask = PasswordResetAsk {
        email: email.to_owned(),
        organisation: None,
        page: "https://panelone.kite.example/password-reset".to_owned(),
        request: request(from),
    };
    access::password_reset_request(&house.store, &house.gate, ask).await
}

async fn set(house: &House, token: &str, password: &str) -> Result<(), Error> {
    let answer = LinkAnswer {
        token: token.to_owned().into(),
        password: password.to_owned().into(),
        name: None,
        request: request("192.0.2.9"),
    };
    access::password_reset_set(&house.store, &house.gate, answer).await
}

fn over(refused: Result<(), Error>) {
    assert!(matches!(refused, Err(Error::Conflict { code: "link_over", .. })), "{refused:?}");
}

both_databases! {
    async fn a_forgotten_password_is_set_once_and_ends_every_session(db: TestDb) {
        let house = House::build(&db).await;
        let session = house.sign_in(OWNER, PASSWORD, "192.0.2.1").await.expect("signs in").token;
        ask(&house, " OWNER@kite.example ", "192.0.2.9").await.expect("asks");
        let first = token(&links(&house, OWNER).await[0]);
        ask(&house, OWNER, "192.0.2.9").await.expect("asks again at once");
        assert!(links(&house, OWNER).await.is_empty(), "nobody voids a link that was just sent");
        db.clock.advance(300);
        ask(&house, OWNER, "192.0.2.9").await.expect("asks again");
        let second = token(&links(&house, OWNER).await[0]);
        assert!(house.by_token(session.expose_secret()).await.is_some(), "asking alone ends nothing");
        over(set(&house, &first, NEW).await);
        assert!(matches!(set(&house, &second, "short").await, Err(Error::Invalid(_))));
        set(&house, &second, NEW).await.expect("sets");
        assert!(house.by_token(session.expose_secret()).await.is_none());
        assert!(house.sign_in(OWNER, PASSWORD, "192.0.2.1").await.is_err());
        house.sign_in(OWNER, NEW, "192.0.2.1").await.expect("signs in");
        over(set(&house, &second, NEW).await);
        let text = format!("{:?}{:?}", house.journal("password_reset_request").await, house.journal("password_reset_set").await);
        assert!(text.contains("password_reset_set") && !text.contains(&second) && !text.contains("argon2"), "{text}");
    }

    async fn the_answer_is_the_same_for_everyone_and_only_those_who_may_sign_in_get_a_letter(db: TestDb) {
        let house = House::build(&db).await;
        let person = house.staff("gone@kite.example", Role::Viewer).await;
        let tx = db.store.begin(house.operator()).await.expect("begins");
        let patch = StaffPatch { suspended: Some(true), ..StaffPatch::default() };
        access::staff_update(&tx, person.id, patch).await.expect("suspends");
        tx.commit("staff_update", None).await.expect("commits");
        for email in ["nobody@kite.example", "gone@kite.example", "no address at all", OWNER] {
            ask(&house, email, "192.0.2.9").await.expect("asks");
        }
        let tx = db.store.read(house.operator()).await.expect("reads");
        house.gate.drain().await;
        drop(tx);
        let tx = db.store.read(house.operator()).await.expect("reads");
        let letters: Vec<String> = tx.mail_list().await.expect("lists").into_iter().map(|row| row.recipient).collect();
        assert_eq!(letters, [OWNER]);
    }

    async fn a_link_ends_after_an_hour_with_suspension_and_with_another_password(db: TestDb) {
        let house = House::build(&db).await;
        let person = house.staff("tech@kite.example", Role::Engineer).await;
        let link = async || {
            ask(&house, "tech@kite.example", "192.0.2.9").await.expect("asks");
            token(&links(&house, "tech@kite.example").await[0])
        };
        let old = link().await;
        db.clock.advance(3_600);
        over(set(&house, &old, NEW).await);
        let suspended = link().await;
        let update = async |suspended: bool| {
            let tx = db.store.begin(house.operator()).await.expect("begins");
            let patch = StaffPatch { suspended: Some(suspended), ..StaffPatch::default() };
            access::staff_update(&tx, person.id, patch).await.expect("updates");
            tx.commit("staff_update", None).await.expect("commits");
        };
        update(true).await;
        over(set(&house, &suspended, NEW).await);
        update(false).await;
        over(set(&house, &suspended, NEW).await);
        let overtaken = link().await;
        access::staff_password_set(&db.store, &house.gate, house.operator(), person.id, &NEW.into()).await.expect("sets");
        over(set(&house, &overtaken, PASSWORD).await);
    }

    async fn a_link_used_twice_at_once_sets_one_password(db: TestDb) {
        let house = House::build(&db).await;
        ask(&house, OWNER, "192.0.2.9").await.expect("asks");
        let token = token(&links(&house, OWNER).await[0]);
        let (one, two) = tokio::join!(set(&house, &token, NEW), set(&house, &token, "yet another long password"));
        assert!(one.is_ok() != two.is_ok(), "{one:?} {two:?}");
        let right = if one.is_ok() { NEW } else { "yet another long password" };
        over(if one.is_ok() { two } else { one });
        house.sign_in(OWNER, right, "192.0.2.1").await.expect("signs in");
    }

    async fn asking_often_is_refused_alike_for_known_and_unknown_and_shuts_nobody_out(db: TestDb) {
        let house = House::build(&db).await;
        let mut told = Vec::new();
        for (email, from) in [(OWNER, "192.0.2.50"), ("nobody@kite.example", "192.0.2.51")] {
            for _ in 0..5 {
                ask(&house, email, from).await.expect("asks");
            }
            told.push(format!("{:?}", ask(&house, email, from).await.expect_err("too often")));
        }
        assert_eq!(told[0], told[1]);
        house.sign_in(OWNER, PASSWORD, "192.0.2.50").await.expect("signs in all the same");
    }
}
