use domain::{Error, Outcome, Role};
use secrecy::ExposeSecret;
use testkit::both_databases;

use crate::house::{House, OWNER, PASSWORD, request};

const NEW: &str = "an even longer password";

both_databases! {
    async fn a_changed_password_ends_the_other_sessions(db: TestDb) {
        let house = House::build(&db).await;
        let own = house.sign_in(OWNER, PASSWORD, "192.0.2.1").await.expect("signs in");
        let other = house.sign_in(OWNER, PASSWORD, "192.0.2.2").await.expect("signs in");
        let token = own.token.expose_secret();
        let found = access::session_context(&db.store, &house.gate, token, &request("192.0.2.1")).await.expect("asks");
        let (context, session, _) = found.expect("is signed in");
        let change = async |present: &str, new: &str| {
            access::password_change(&db.store, &house.gate, context.clone(), session, &present.into(), &new.into()).await
        };
        let pointer = |refused: Result<(), Error>| match refused {
            Err(Error::Invalid(problems)) => problems[0].pointer.clone(),
            other => panic!("{other:?}"),
        };
        assert_eq!(pointer(change(PASSWORD, "short").await), "/new_password");
        assert_eq!(pointer(change("a wrong one, and long", NEW).await), "/present_password");
        assert!(house.by_token(other.token.expose_secret()).await.is_some());
        change(PASSWORD, NEW).await.expect("changes");
        assert!(house.by_token(token).await.is_some(), "the session that changed it");
        assert!(house.by_token(other.token.expose_secret()).await.is_none());
        house.sign_in(OWNER, NEW, "192.0.2.3").await.expect("the new one");
        house.sign_in(OWNER, PASSWORD, "192.0.2.3").await.expect_err("the old one");
        let outcomes: Vec<_> = house.journal("password_change").await.iter().map(|entry| entry.outcome).collect();
        assert_eq!(outcomes, [Outcome::Done, Outcome::Denied]);
    }

    async fn guesses_of_the_present_password_are_counted_like_sign_ins(db: TestDb) {
        let house = House::build(&db).await;
        let signed_in = house.sign_in(OWNER, PASSWORD, "192.0.2.200").await.expect("signs in");
        let context = house.by_token(signed_in.token.expose_secret()).await.expect("is signed in");
        let before = house.gate.passwords.checks();
        let mut locked = 0;
        for _ in 0..20 {
            let guess = "a wrong one, and long".into();
            let session = signed_in.session.id;
            let refused = access::password_change(&db.store, &house.gate, context.clone(), session, &guess, &NEW.into()).await;
            locked += u32::from(matches!(refused, Err(Error::TooMany { .. })));
        }
        assert_eq!((house.gate.passwords.checks() - before, locked), (5, 15));
    }

    async fn a_password_that_is_set_signs_its_owner_out(db: TestDb) {
        let house = House::build(&db).await;
        let person = house.staff("tech@kite.example", Role::Engineer).await;
        let token = house.sign_in("tech@kite.example", PASSWORD, "192.0.2.1").await.expect("signs in").token;
        let owner = house.context(OWNER).await;
        let short = access::staff_password_set(&db.store, &house.gate, owner.clone(), person.id, &"short".into()).await;
        assert!(matches!(short, Err(Error::Invalid(_))), "{short:?}");
        access::staff_password_set(&db.store, &house.gate, owner, person.id, &NEW.into()).await.expect("sets");
        assert!(house.by_token(token.expose_secret()).await.is_none());
        house.sign_in("tech@kite.example", NEW, "192.0.2.1").await.expect("the new one");
        let entry = &house.journal("staff_password_set").await[0];
        let change = &entry.changes[0];
        let marks = [&change.before, &change.after].map(|view| view.as_ref().map(|view| view["password"].clone()));
        assert_ne!(marks[0], marks[1], "the journal shows that it changed");
        assert!(!format!("{entry:?}").contains("argon2"));
    }
}
