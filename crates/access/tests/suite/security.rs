use access::{FirstStep, SecurityPatch};
use domain::{Account, Error, Outcome, Role};
use secrecy::ExposeSecret;
use testkit::both_databases;

use crate::house::{House, OWNER, PASSWORD, attempt, request};

impl House {
    /// Changes what the organisation demands, as its owner would.
    async fn demand(&self, patch: SecurityPatch) -> Result<persistence::SecuritySettingsRow, Error> {
        let tx = self.store.begin(self.operator()).await.expect("begins");
        let row = access::security_settings_update(&tx, &self.gate, patch).await?;
        tx.commit("security_settings_update", None).await.expect("commits");
        Ok(row)
    }
}

const MFA: SecurityPatch =
    SecurityPatch { require_mfa: Some(true), idle_minutes: None, absolute_minutes: None, version: None };

both_databases! {
    async fn a_second_factor_that_is_demanded_is_set_up_at_the_next_sign_in(db: TestDb) {
        let house = House::build(&db).await;
        let running = house.sign_in(OWNER, PASSWORD, "192.0.2.1").await.expect("signs in");
        assert_eq!(house.demand(MFA).await.expect("changes").version, 1);
        assert_eq!(house.demand(MFA).await.expect("changes nothing").version, 1);
        assert!(house.by_token(running.token.expose_secret()).await.is_some(), "nobody is signed out");

        let limited = house.sign_in(OWNER, PASSWORD, "192.0.2.1").await.expect("signs in");
        assert!(limited.session.enrolment);
        let token = limited.token.expose_secret();
        let refused = access::session_context(&db.store, &house.gate, token, &request("192.0.2.1")).await;
        assert!(matches!(refused, Err(Error::Conflict { code: "mfa_enrolment_required", .. })), "{:?}", refused.err());
        let open = access::session_open(&db.store, &house.gate, token, &request("192.0.2.1")).await.expect("asks");
        assert!(open.is_some_and(|open| open.session.enrolment));

        let tx = db.store.begin(house.operator()).await.expect("begins");
        tx.session_proved(limited.session.id, true).await.expect("widens");
        tx.commit_unjournalled().await.expect("commits");
        assert!(house.by_token(token).await.is_some(), "wholly signed in once it is set up");
        let again = house.sign_in(OWNER, PASSWORD, "192.0.2.1").await.expect("signs in");
        assert!(again.session.enrolment, "as long as there is none");
    }

    async fn the_organisation_says_how_long_sessions_last(db: TestDb) {
        let house = House::build(&db).await;
        let sign_in = async || house.sign_in(OWNER, PASSWORD, "192.0.2.1").await.expect("signs in").token;
        let alive = async |token: &secrecy::SecretString| {
            let found = house.by_token(token.expose_secret()).await.is_some();
            house.gate.drain().await;
            found
        };
        let times = |idle: i32, absolute: i32| SecurityPatch {
            idle_minutes: Some(idle), absolute_minutes: Some(absolute), ..SecurityPatch::default()
        };
        let (unused, used) = (sign_in().await, sign_in().await);
        house.demand(times(10, 60)).await.expect("changes");
        db.clock.advance(9 * 60 + 59);
        assert!(alive(&used).await);
        db.clock.advance(1);
        assert!(!alive(&unused).await, "running sessions follow");
        for _ in 0..5 {
            db.clock.advance(9 * 60);
            assert!(alive(&used).await);
        }
        db.clock.advance(5 * 60 - 1);
        assert!(alive(&used).await);
        db.clock.advance(1);
        assert!(!alive(&used).await, "an hour after it was made");
        house.demand(times(1_440, 43_200)).await.expect("changes");
        let long = sign_in().await;
        for _ in 0..30 {
            db.clock.advance(24 * 3_600 - 1);
            assert!(alive(&long).await);
        }
        db.clock.advance(30);
        assert!(!alive(&long).await, "thirty days after it was made");

        for (patch, at) in [
            (times(4, 60), "/idle_minutes"),
            (times(1_441, 43_200), "/idle_minutes"),
            (times(10, 59), "/absolute_minutes"),
            (times(10, 43_201), "/absolute_minutes"),
            (times(61, 60), "/idle_minutes"),
            (times(i32::MIN, i32::MAX), "/idle_minutes"),
        ] {
            match house.demand(patch).await {
                Err(Error::Invalid(problems)) => assert_eq!(problems[0].pointer, at, "{patch:?}"),
                other => panic!("{patch:?}: {other:?}"),
            }
        }
        let stale = house.demand(SecurityPatch { version: Some(1), ..MFA }).await;
        assert!(matches!(stale, Err(Error::Stale { .. })), "{stale:?}");
        assert_eq!(house.journal("security_settings_update").await.len(), 2);
    }

    async fn only_those_who_manage_the_team_change_what_is_demanded(db: TestDb) {
        let house = House::build(&db).await;
        house.staff("jo@kite.example", Role::Engineer).await;
        let context = house.context("jo@kite.example").await;
        let tx = db.store.begin(context).await.expect("begins");
        let refused = access::security_settings_update(&tx, &house.gate, MFA).await;
        assert!(matches!(refused, Err(Error::Forbidden { .. })), "{refused:?}");
        let refused = access::security_settings(&tx, &house.gate).await;
        assert!(matches!(refused, Err(Error::Forbidden { .. })), "{refused:?}");
    }

    async fn a_lost_factor_is_reset_by_those_who_may(db: TestDb) {
        let house = House::build(&db).await;
        let person = house.staff("jo@kite.example", Role::Admin).await;
        let ana = house.staff("ana@kite.example", Role::Admin).await;
        let running = house.sign_in("jo@kite.example", PASSWORD, "192.0.2.1").await.expect("signs in");
        for account in [person.id, house.owner.id] {
            crate::second_factor::enrol(&house, &db, account.into()).await;
        }
        house.demand(MFA).await.expect("changes");
        let remove = async |account: Account| {
            let tx = db.store.begin(house.operator()).await.expect("begins");
            access::totp_remove(&tx, account).await
        };
        let refused = remove(person.id.into()).await;
        assert!(matches!(refused, Err(Error::Conflict { code: "mfa_required", .. })), "{refused:?}");

        let admin = domain::Context {
            actor: domain::Actor::Staff { id: ana.id },
            permissions: domain::Permissions::of(Role::Admin),
            ..house.operator()
        };
        let reset = async |context: domain::Context, id| {
            let tx = db.store.begin(context).await.expect("begins");
            access::second_factor_reset(&tx, id).await?;
            tx.commit("second_factor_reset", None).await.map(drop)
        };
        let refused = reset(admin.clone(), house.owner.id).await;
        assert!(matches!(refused, Err(Error::Forbidden { .. })), "an admin over an owner: {refused:?}");
        let key = domain::Actor::ApiKey { id: uuid::Uuid::nil().into(), owner: house.owner.id };
        let refused = reset(domain::Context { actor: key, ..house.operator() }, person.id).await;
        assert!(matches!(refused, Err(Error::Unauthenticated)), "a key: {refused:?}");
        reset(admin.clone(), person.id).await.expect("resets");
        assert!(house.by_token(running.token.expose_secret()).await.is_none(), "signed out everywhere");
        let step = access::sign_in(&db.store, &house.gate, attempt("jo@kite.example", PASSWORD, "192.0.2.1")).await;
        match step.expect("signs in") {
            FirstStep::Session(session) => assert!(session.session.enrolment, "and sets another up"),
            FirstStep::SecondFactor(_) => panic!("the factor is gone"),
        }
        let refused = reset(admin, person.id).await;
        assert!(matches!(refused, Err(Error::Conflict { code: "not_enrolled", .. })), "{refused:?}");
        let entries = house.journal("second_factor_reset").await;
        assert_eq!((entries.len(), entries[0].outcome), (1, Outcome::Done));
    }
}
