use access::{SignIn, StaffPatch};
use domain::{Actor, Error, Outcome, Role};
use secrecy::ExposeSecret;
use testkit::both_databases;

use crate::house::{House, OWNER, PASSWORD, attempt, whole};

both_databases! {
    async fn the_right_password_makes_a_session_and_an_entry(db: TestDb) {
        let house = House::build(&db).await;
        let signed_in = house.sign_in(" OWNER@Kite.example ", PASSWORD, "192.0.2.1").await.expect("signs in");
        assert_eq!(signed_in.staff.id, house.owner.id);
        assert_eq!(signed_in.session.user_agent.as_deref(), Some("Browser7"));
        assert_eq!((signed_in.session.expires_at - db.now()).num_hours(), 12);
        let context = house.by_token(signed_in.token.expose_secret()).await.expect("is signed in");
        assert_eq!(context.actor, Actor::Staff { id: house.owner.id });
        assert_eq!(context.organisation, house.organisation);
        assert_eq!(context.permissions.role(), Some(Role::Owner));
        assert_eq!(context.now, db.now());
        let again = house.sign_in(OWNER, PASSWORD, "192.0.2.1").await.expect("signs in");
        assert_ne!(again.token.expose_secret(), signed_in.token.expose_secret());
        let entries = house.journal("session_create").await;
        assert_eq!(entries.len(), 2);
        assert!(entries.iter().all(|entry| entry.outcome == Outcome::Done));
        assert_eq!(entries[0].source_address.as_deref(), Some("192.0.2.1"));
        let shown = format!("{again:?}");
        assert!(!shown.contains(again.token.expose_secret()) && !shown.contains("argon2"), "{shown}");
    }

    async fn unknown_wrong_and_suspended_answer_alike_after_the_same_work(db: TestDb) {
        let house = House::build(&db).await;
        let gone = house.staff("gone@kite.example", Role::Viewer).await;
        let tx = db.store.begin(house.operator()).await.expect("begins");
        let patch = StaffPatch { suspended: Some(true), ..StaffPatch::default() };
        access::staff_update(&tx, gone.id, patch).await.expect("updates");
        tx.commit("staff_update", None).await.expect("commits");
        let mut answers = std::collections::BTreeSet::new();
        for (email, password) in [
            (OWNER, "not the right password"),
            ("nobody@kite.example", PASSWORD),
            ("gone@kite.example", PASSWORD),
            ("gone@kite.example", "not the right password"),
            ("", ""),
        ] {
            let before = house.gate.passwords.checks();
            let refused = house.sign_in(email, password, "192.0.2.1").await.expect_err("refused");
            assert!(matches!(refused, Error::Unauthenticated), "{email}: {refused:?}");
            answers.insert(refused.to_string());
            assert_eq!(house.gate.passwords.checks() - before, 1, "{email}");
        }
        assert_eq!(answers.len(), 1);
        let entries = house.journal("session_create").await;
        let mut reasons: Vec<_> = entries.iter().map(|entry| (entry.outcome, entry.reason.as_deref())).collect();
        reasons.sort_by_key(|(_, reason)| *reason);
        let denied = Outcome::Denied;
        let expected = [(denied, Some("suspended")), (denied, Some("wrong password")), (denied, Some("wrong password"))];
        assert_eq!(reasons, expected, "one for each attempt at an account that exists");
    }

    async fn one_address_in_several_organisations(db: TestDb) {
        let kite = House::build(&db).await;
        let harbour = House::named(&db, "Harbour", OWNER, PASSWORD).await;
        let meadow = House::named(&db, "Meadow", OWNER, "another password here").await;
        let undecided = kite.sign_in(OWNER, PASSWORD, "192.0.2.1").await.expect_err("undecided");
        assert!(matches!(undecided, Error::Conflict { code: "which_organisation", .. }), "{undecided:?}");
        let named = |slug: &str, password: &str| SignIn {
            organisation: Some(slug.to_owned()),
            ..attempt(OWNER, password, "192.0.2.2")
        };
        for house in [&kite, &harbour] {
            let tx = db.store.read(house.operator()).await.expect("reads");
            let (_, slug) = tx.organisation_name().await.expect("reads");
            drop(tx);
            let signed_in = access::sign_in(&db.store, &kite.gate, named(&slug, PASSWORD)).await.map(whole).expect("signs in");
            assert_eq!(signed_in.staff.id, house.owner.id);
        }
        let only = kite.sign_in(OWNER, "another password here", "192.0.2.3").await.expect("signs in");
        assert_eq!(only.staff.id, meadow.owner.id);
        for slug in ["meadow", "nowhere", "", "%"] {
            let refused = access::sign_in(&db.store, &kite.gate, named(slug, PASSWORD)).await.expect_err("refused");
            assert!(matches!(refused, Error::Unauthenticated), "{slug}: {refused:?}");
        }
    }

    async fn old_sessions_make_room_for_new_ones(db: TestDb) {
        let house = House::build(&db).await;
        let first = house.sign_in(OWNER, PASSWORD, "192.0.2.1").await.expect("signs in");
        for _ in 0..50 {
            db.clock.advance(1);
            house.sign_in(OWNER, PASSWORD, "192.0.2.1").await.expect("signs in");
        }
        assert!(house.by_token(first.token.expose_secret()).await.is_none());
        let tx = db.store.read(house.operator()).await.expect("reads");
        assert_eq!(tx.session_list(house.owner.id).await.expect("lists").len(), 50);
        drop(tx);
        db.clock.advance(13 * 3600);
        house.sign_in(OWNER, PASSWORD, "192.0.2.1").await.expect("signs in");
        let tx = db.store.read(house.operator()).await.expect("reads");
        assert_eq!(tx.session_list(house.owner.id).await.expect("lists").len(), 1, "expired ones are gone");
    }
}
