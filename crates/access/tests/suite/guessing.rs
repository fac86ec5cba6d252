use access::SignIn;
use domain::Error;
use testkit::both_databases;

use crate::house::{House, OWNER, PASSWORD, attempt, whole};

const WRONG: &str = "not the right password";

/// An address of the documentation range, or one of a private one: never twice the same.
fn address(n: usize) -> String {
    format!("10.7.{}.{}", n / 200, n % 200)
}

/// Tries wrong passwords; returns how many were looked at.
async fn guess(house: &House, tries: impl Iterator<Item = (String, String)>) -> u64 {
    let before = house.gate.passwords.checks();
    for (email, address) in tries {
        let refused = house.sign_in(&email, WRONG, &address).await.expect_err("refused");
        assert!(matches!(refused, Error::Unauthenticated | Error::TooMany { .. }), "{refused:?}");
    }
    house.gate.passwords.checks() - before
}

fn seconds(answer: Result<access::SignedIn, Error>) -> u64 {
    match answer {
        Err(Error::TooMany { retry_after }) => retry_after,
        other => panic!("not locked: {other:?}"),
    }
}

both_databases! {
    async fn a_thousand_guesses_from_one_address_are_five(db: TestDb) {
        let house = House::build(&db).await;
        let looked_at = guess(&house, (0..1_000).map(|_| (OWNER.to_owned(), "192.0.2.1".to_owned()))).await;
        assert_eq!(looked_at, 5);
        // A lock holds for the right password too, but only where the guesses came from.
        assert_eq!(seconds(house.sign_in(OWNER, PASSWORD, "192.0.2.1").await), 30);
        house.sign_in(OWNER, PASSWORD, "192.0.2.2").await.expect("the right person elsewhere");
        house.sign_in("other@kite.example", WRONG, "192.0.2.1").await.expect_err("looked at");
        db.clock.advance(29);
        assert_eq!(seconds(house.sign_in(OWNER, PASSWORD, "192.0.2.1").await), 1);
        db.clock.advance(1);
        house.sign_in(OWNER, WRONG, "192.0.2.1").await.expect_err("looked at");
        assert_eq!(seconds(house.sign_in(OWNER, PASSWORD, "192.0.2.1").await), 60);
        db.clock.advance(60);
        house.sign_in(OWNER, PASSWORD, "192.0.2.1").await.expect("after the lock");
        let four = guess(&house, (0..4).map(|_| (OWNER.to_owned(), "192.0.2.1".to_owned()))).await;
        assert_eq!(four, 4, "success has cleared what was counted");
        house.sign_in(OWNER, PASSWORD, "192.0.2.1").await.expect("not locked");
    }

    async fn a_thousand_guesses_from_a_hundred_addresses_are_five_each(db: TestDb) {
        let house = House::build(&db).await;
        let looked_at = guess(&house, (0..1_000).map(|n| (OWNER.to_owned(), address(n % 100)))).await;
        assert_eq!(looked_at, 500);
        house.sign_in(OWNER, PASSWORD, "192.0.2.2").await.expect("the right person elsewhere");
    }

    async fn guesses_made_at_once_do_not_slip_through(db: TestDb) {
        let house = std::sync::Arc::new(House::build(&db).await);
        let before = house.gate.passwords.checks();
        let tries: Vec<_> = (0..40)
            .map(|_| {
                let house = house.clone();
                tokio::spawn(async move { house.sign_in(OWNER, WRONG, "192.0.2.1").await })
            })
            .collect();
        let mut locked = 0;
        for attempt in tries {
            match attempt.await.expect("runs").expect_err("refused") {
                Error::TooMany { .. } => locked += 1,
                Error::Unauthenticated => {}
                other => panic!("{other:?}"),
            }
        }
        assert_eq!((house.gate.passwords.checks() - before, locked), (5, 35));
    }

    async fn spraying_accounts_from_one_address_stops_at_twenty(db: TestDb) {
        let house = House::build(&db).await;
        let sprayed = (0..300).map(|n| (format!("person{n}@kite.example"), "2001:db8:1:2::7".to_owned()));
        assert_eq!(guess(&house, sprayed).await, 20);
        assert_eq!(seconds(house.sign_in(OWNER, PASSWORD, "2001:db8:1:2::99").await), 60, "its whole network");
        house.sign_in(OWNER, PASSWORD, "2001:db8:1:3::7").await.expect("another network");
        db.clock.advance(60);
        house.sign_in(OWNER, PASSWORD, "2001:db8:1:2::7").await.expect("after the lock");
        db.clock.advance(1);
        assert_eq!(guess(&house, [("x@kite.example".to_owned(), "2001:db8:1:2::7".to_owned())].into_iter()).await, 1);
        let longer = seconds(house.sign_in(OWNER, PASSWORD, "2001:db8:1:2::7").await);
        assert_eq!(longer, 120, "success does not clear what was counted for the address");
    }

    async fn unknown_accounts_lock_like_known_ones(db: TestDb) {
        let house = House::build(&db).await;
        for step in 0..12 {
            let known = house.sign_in(OWNER, WRONG, "192.0.2.1").await.expect_err("refused");
            let unknown = house.sign_in("nobody@kite.example", WRONG, "192.0.2.9").await.expect_err("refused");
            assert_eq!(format!("{known:?}"), format!("{unknown:?}"), "step {step}");
            db.clock.advance(20);
        }
    }

    async fn success_alone_never_locks(db: TestDb) {
        let house = House::build(&db).await;
        for _ in 0..30 {
            house.sign_in(OWNER, PASSWORD, "192.0.2.1").await.expect("signs in");
        }
    }

    async fn the_whole_account_is_capped_but_not_where_its_owner_is_known(db: TestDb) {
        let house = House::build(&db).await;
        house.sign_in(OWNER, PASSWORD, "192.0.2.50").await.expect("signs in");
        assert_eq!(guess(&house, (0..7).map(|n| (OWNER.to_owned(), address(n)))).await, 7);
        let moved = db.tamper("UPDATE throttle SET failures = 999 WHERE failures = 7").await.expect("runs");
        assert_eq!(moved, 1, "the count of the account");
        house.sign_in(OWNER, WRONG, &address(8)).await.expect_err("the thousandth");
        assert_eq!(seconds(house.sign_in(OWNER, PASSWORD, &address(9)).await), 60);
        house.sign_in(OWNER, PASSWORD, "192.0.2.50").await.expect("from a known address");
        assert_eq!(seconds(house.sign_in(OWNER, PASSWORD, &address(9)).await), 60, "the lock still holds");
        db.clock.advance(60);
        house.sign_in(OWNER, PASSWORD, &address(9)).await.expect("after the lock");
    }

    async fn an_account_of_ones_own_elsewhere_buys_no_guesses(db: TestDb) {
        let house = House::build(&db).await;
        // Whoever runs another organisation can give someone there the victim's address.
        House::named(&db, "Elsewhere", OWNER, "the guesser's password").await;
        for _ in 0..5 {
            house.sign_in(OWNER, "the guesser's password", "192.0.2.1").await.expect("signs in elsewhere");
        }
        assert_eq!(seconds(house.sign_in(OWNER, PASSWORD, "192.0.2.1").await), 30);
        assert_eq!(house.journal("session_create").await.len(), 5, "the victim's organisation sees the guesses");

        // Nor does signing in to it by name clear what was counted.
        let by_name = async |slug: &str, password: &str| {
            let named = SignIn { organisation: Some(slug.to_owned()), ..attempt(OWNER, password, "192.0.2.2") };
            access::sign_in(&db.store, &house.gate, named).await.map(whole)
        };
        for _ in 0..4 {
            by_name("kite", WRONG).await.expect_err("refused");
            by_name("elsewhere", "the guesser's password").await.expect("signs in elsewhere");
        }
        by_name("kite", WRONG).await.expect_err("the fifth");
        assert_eq!(seconds(by_name("kite", PASSWORD).await), 30);
    }

    async fn counts_are_forgotten_and_hold_no_names(db: TestDb) {
        let house = House::build(&db).await;
        house.sign_in(OWNER, PASSWORD, "192.0.2.1").await.expect("signs in");
        guess(&house, (0..3).map(|n| (OWNER.to_owned(), address(n)))).await;
        assert_eq!(db.tamper("UPDATE throttle SET failures = failures WHERE name LIKE '%kite%' OR name LIKE '%.%'").await.expect("runs"), 0);
        assert_eq!(access::attempts_forget(&db.store).await.expect("forgets"), 0);
        db.clock.advance(31 * 24 * 3600);
        assert_eq!(access::attempts_forget(&db.store).await.expect("forgets"), 8);
    }
}
