use access::{FirstStep, PendingSignIn, Proof, SecondProof, SecondStep, SignedIn};
use domain::{Account, AccountKind, Error, Outcome, Role};
use persistence::{KeyRing, OsChance, Store, StoreOptions};
use secrecy::{ExposeSecret, SecretString};
use testkit::{TestDb, both_databases};
use totp_rs::{Builder, Secret, Totp};
use uuid::Uuid;

use crate::house::{House, OWNER, PASSWORD, attempt, request};

/// Seconds of a step.
const STEP: i64 = 30;

/// The other end: what an app on a phone does.
pub struct Phone(Totp);

impl Phone {
    fn of(secret: &SecretString) -> Self {
        let secret = Secret::try_from_base32(secret.expose_secret()).expect("base32");
        Self(Builder::new().with_secret(secret).build().expect("a phone"))
    }

    /// The code of so many seconds from now.
    pub fn code(&self, db: &TestDb, seconds: i64) -> SecretString {
        let at = u64::try_from(db.now().timestamp() + seconds).expect("after 1970");
        self.0.generate(at).to_string().into()
    }

    /// A code that is right at no time near now.
    pub fn wrong(&self, db: &TestDb) -> SecretString {
        let right: Vec<String> =
            [-60, -30, 0, 30, 60].iter().map(|at| self.code(db, *at).expose_secret().to_owned()).collect();
        let wrong = (0..10).map(|n| format!("{n:06}")).find(|code| !right.contains(code));
        wrong.expect("ten are not all right").into()
    }
}

/// Sets an app up for an account; the step of now is used up.
pub async fn enrol(house: &House, db: &TestDb, account: Account) -> (Phone, Vec<SecretString>) {
    let tx = house.store.begin(house.operator()).await.expect("begins");
    let begun = access::totp_enrol(&tx, &house.gate, account, "Kite", "who@kite.example").await.expect("enrols");
    tx.commit("totp_enrol", None).await.expect("commits");
    let phone = Phone::of(&begun.secret);
    let tx = house.store.begin(house.operator()).await.expect("begins");
    let codes = access::totp_confirm(&tx, &house.gate, account, &phone.code(db, 0)).await.expect("confirms");
    tx.commit("totp_confirm", None).await.expect("commits");
    (phone, codes)
}

async fn first(house: &House, email: &str, address: &str) -> Result<PendingSignIn, Error> {
    match access::sign_in(&house.store, &house.gate, attempt(email, PASSWORD, address)).await? {
        FirstStep::SecondFactor(pending) => Ok(pending),
        FirstStep::Session(session) => panic!("no second factor was asked for: {session:?}"),
    }
}

async fn second(house: &House, token: &SecretString, proof: SecondProof, address: &str) -> Result<SignedIn, Error> {
    let step = SecondStep { token: token.clone(), proof, user_agent: None, request: request(address) };
    access::sign_in_complete(&house.store, &house.gate, step).await
}

fn code(code: SecretString) -> SecondProof {
    SecondProof::Code(code)
}

#[track_caller]
fn refused_code(answer: Result<SignedIn, Error>) {
    match answer {
        Err(Error::Invalid(problems)) => assert_eq!(problems[0].code, "wrong"),
        other => panic!("{other:?}"),
    }
}

both_databases! {
    async fn an_app_counts_once_a_code_of_it_was_shown(db: TestDb) {
        let house = House::build(&db).await;
        let owner = Account::from(house.owner.id);
        let begin = async || {
            let tx = db.store.begin(house.operator()).await.expect("begins");
            let begun = access::totp_enrol(&tx, &house.gate, owner, "Kite: IT", OWNER).await;
            tx.commit("totp_enrol", None).await.expect("commits");
            begun
        };
        let dropped = Phone::of(&begin().await.expect("enrols").secret);
        let begun = begin().await.expect("enrols");
        let phone = Phone::of(&begun.secret);
        let uri = begun.uri.expose_secret();
        assert!(uri.starts_with("otpauth://totp/") && uri.contains(begun.secret.expose_secret()), "{uri}");
        assert!(!format!("{begun:?}").contains(begun.secret.expose_secret()));
        house.sign_in(OWNER, PASSWORD, "192.0.2.1").await.expect("is not asked for a code yet");

        let confirm = async |code: SecretString| {
            let tx = db.store.begin(house.operator()).await.expect("begins");
            let done = access::totp_confirm(&tx, &house.gate, owner, &code).await;
            tx.commit("totp_confirm", None).await.expect("commits");
            done
        };
        for wrong in [dropped.code(&db, 0), phone.wrong(&db), "".into(), "1".into(), "x".repeat(10_000).into()] {
            assert!(matches!(confirm(wrong).await, Err(Error::Invalid(_))));
        }
        db.clock.advance(30 * 60);
        let late = confirm(phone.code(&db, 0)).await;
        assert!(matches!(late, Err(Error::Conflict { code: "not_begun", .. })), "{late:?}");
        let phone = Phone::of(&begin().await.expect("enrols").secret);
        assert_eq!(confirm(phone.code(&db, 0)).await.expect("confirms").len(), 10);
        let again = confirm(phone.code(&db, STEP)).await;
        assert!(matches!(again, Err(Error::Conflict { code: "not_begun", .. })), "{again:?}");
        let twice = begin().await;
        assert!(matches!(twice, Err(Error::Conflict { code: "already_enrolled", .. })), "{twice:?}");

        let pending = first(&house, OWNER, "192.0.2.1").await.expect("is asked");
        refused_code(second(&house, &pending.token, code(phone.code(&db, 0)), "192.0.2.1").await);
        db.clock.advance(STEP);
        let signed_in = second(&house, &pending.token, code(phone.code(&db, 0)), "192.0.2.1").await.expect("signs in");
        assert!(house.by_token(signed_in.token.expose_secret()).await.is_some());
        let entries = house.journal("session_complete").await;
        assert_eq!(entries.iter().map(|entry| entry.outcome).collect::<Vec<_>>(), [Outcome::Done, Outcome::Denied]);
    }

    async fn a_pending_sign_in_is_no_session_and_works_once_for_five_minutes(db: TestDb) {
        let house = House::build(&db).await;
        let (phone, _) = enrol(&house, &db, house.owner.id.into()).await;
        db.clock.advance(STEP);
        let pending = first(&house, OWNER, "192.0.2.1").await.expect("is asked");
        let text = pending.token.expose_secret();
        assert!(!format!("{pending:?}").contains(text));
        assert!(house.by_token(text).await.is_none());
        assert!(house.by_token(text.strip_prefix("pending_").expect("its prefix")).await.is_none());
        let session = second(&house, &pending.token, code(phone.code(&db, 0)), "192.0.2.1").await.expect("signs in");
        db.clock.advance(STEP);
        for token in [&pending.token, &session.token, &"pending_".into(), &"".into()] {
            let answer = second(&house, token, code(phone.code(&db, 0)), "192.0.2.1").await;
            assert!(matches!(answer, Err(Error::Unauthenticated)), "{answer:?}");
        }
        let late = first(&house, OWNER, "192.0.2.1").await.expect("is asked");
        db.clock.advance(299);
        let pending = first(&house, OWNER, "192.0.2.1").await.expect("is asked");
        second(&house, &late.token, code(phone.code(&db, 0)), "192.0.2.1").await.expect("a second before it ends");
        db.clock.advance(300);
        let answer = second(&house, &pending.token, code(phone.code(&db, 0)), "192.0.2.1").await;
        assert!(matches!(answer, Err(Error::Unauthenticated)), "{answer:?}");
    }

    async fn a_pending_sign_in_is_void_when_its_account_changes(db: TestDb) {
        let house = House::build(&db).await;
        let person = house.staff("jo@kite.example", Role::Viewer).await;
        let (phone, _) = enrol(&house, &db, person.id.into()).await;
        db.clock.advance(STEP);
        let pending = first(&house, "jo@kite.example", "192.0.2.1").await.expect("is asked");
        access::staff_password_set(&db.store, &house.gate, house.operator(), person.id, &PASSWORD.into()).await.expect("sets");
        let answer = second(&house, &pending.token, code(phone.code(&db, 0)), "192.0.2.1").await;
        assert!(matches!(answer, Err(Error::Unauthenticated)), "another password: {answer:?}");
        let pending = first(&house, "jo@kite.example", "192.0.2.1").await.expect("is asked");
        let tx = db.store.begin(house.operator()).await.expect("begins");
        let patch = access::StaffPatch { suspended: Some(true), ..access::StaffPatch::default() };
        access::staff_update(&tx, person.id, patch).await.expect("updates");
        tx.commit("staff_update", None).await.expect("commits");
        let answer = second(&house, &pending.token, code(phone.code(&db, 0)), "192.0.2.1").await;
        assert!(matches!(answer, Err(Error::Unauthenticated)), "suspended: {answer:?}");
    }

    async fn a_code_is_taken_once_however_many_ask_at_once(db: TestDb) {
        let house = std::sync::Arc::new(House::build(&db).await);
        let (phone, codes) = enrol(&house, &db, house.owner.id.into()).await;
        db.clock.advance(STEP);
        for proof in [code(phone.code(&db, 0)), SecondProof::RecoveryCode(codes[0].clone())] {
            let mut tries = Vec::new();
            for n in 1..5 {
                let address = format!("10.7.0.{n}");
                let pending = first(&house, OWNER, &address).await.expect("is asked");
                let (house, proof) = (house.clone(), proof.clone());
                tries.push(tokio::spawn(async move { second(&house, &pending.token, proof, &address).await }));
            }
            let mut right = 0;
            for answer in tries {
                match answer.await.expect("runs") {
                    Ok(_) => right += 1,
                    refused => refused_code(refused),
                }
            }
            assert_eq!(right, 1, "{proof:?}");
            db.clock.advance(3_600);
        }
        // An earlier step than the last is gone too, though a clock may lag by one.
        db.clock.advance(STEP - db.now().timestamp() % STEP);
        let pending = first(&house, OWNER, "192.0.2.1").await.expect("is asked");
        second(&house, &pending.token, code(phone.code(&db, STEP)), "192.0.2.1").await.expect("a clock ahead");
        let pending = first(&house, OWNER, "192.0.2.1").await.expect("is asked");
        refused_code(second(&house, &pending.token, code(phone.code(&db, 0)), "192.0.2.1").await);
        refused_code(second(&house, &pending.token, code(phone.code(&db, 2 * STEP)), "192.0.2.1").await);
    }

    async fn recovery_codes_work_once_and_new_ones_void_the_old(db: TestDb) {
        let house = House::build(&db).await;
        let owner = Account::from(house.owner.id);
        let (_, old) = enrol(&house, &db, owner).await;
        let left = async || {
            let tx = db.store.read(house.operator()).await.expect("reads");
            access::second_factor_state(&tx, owner).await.expect("reads").codes_left
        };
        let sign_in = async |recovery: &SecretString| {
            let pending = first(&house, OWNER, "192.0.2.1").await.expect("is asked");
            second(&house, &pending.token, SecondProof::RecoveryCode(recovery.clone()), "192.0.2.1").await
        };
        assert_eq!(left().await, 10);
        sign_in(&old[0].expose_secret().to_uppercase().replace('-', " ").into()).await.expect("signs in");
        assert_eq!(left().await, 9);
        refused_code(sign_in(&old[0]).await);
        db.clock.advance(1);
        let tx = db.store.begin(house.operator()).await.expect("begins");
        let new = access::recovery_codes_make(&tx, &house.gate, owner).await.expect("makes");
        tx.commit("recovery_codes_make", None).await.expect("commits");
        assert_eq!(left().await, 10);
        refused_code(sign_in(&old[1]).await);
        sign_in(&new[9]).await.expect("signs in");
        assert_eq!(left().await, 9);
        let made = &house.journal("recovery_codes_make").await[0];
        let told = format!("{:?}", made.changes);
        assert!(told.contains("codes_made_at") && !told.contains(new[0].expose_secret()), "{told}");
        // Nobody else's, neither of another kind nor of another person.
        let person = house.staff("jo@kite.example", Role::Viewer).await;
        let portal = Account { kind: AccountKind::Portal, id: house.owner.id.0 };
        enrol(&house, &db, portal).await;
        enrol(&house, &db, person.id.into()).await;
        for account in [portal, person.id.into()] {
            let tx = db.store.begin(house.operator()).await.expect("begins");
            let proof = SecondProof::RecoveryCode(new[2].clone());
            assert!(!access::second_proof_take(&tx, account, &proof).await.expect("asks"), "{account:?}");
        }
    }

    async fn wrong_codes_lock_like_wrong_passwords_and_only_there(db: TestDb) {
        let house = House::build(&db).await;
        let (phone, _) = enrol(&house, &db, house.owner.id.into()).await;
        db.clock.advance(STEP);
        let elsewhere = first(&house, OWNER, "192.0.2.2").await.expect("is asked");
        // The right password between two codes clears nothing.
        for _ in 0..5 {
            let pending = first(&house, OWNER, "192.0.2.1").await.expect("is asked");
            refused_code(second(&house, &pending.token, code(phone.wrong(&db)), "192.0.2.1").await);
        }
        let locked = first(&house, OWNER, "192.0.2.1").await;
        assert!(matches!(locked, Err(Error::TooMany { retry_after: 30 })), "{locked:?}");
        let signed_in = second(&house, &elsewhere.token, code(phone.code(&db, 0)), "192.0.2.2").await;
        signed_in.expect("the right person elsewhere");
        db.clock.advance(30);
        let pending = first(&house, OWNER, "192.0.2.1").await.expect("is asked");
        second(&house, &pending.token, code(phone.code(&db, 0)), "192.0.2.1").await.expect("after the lock");
        for _ in 0..4 {
            let pending = first(&house, OWNER, "192.0.2.1").await.expect("is asked");
            refused_code(second(&house, &pending.token, code(phone.wrong(&db)), "192.0.2.1").await);
        }
        first(&house, OWNER, "192.0.2.1").await.expect("both steps together have cleared what was counted");
    }

    async fn codes_cannot_be_guessed_from_many_addresses(db: TestDb) {
        let house = House::build(&db).await;
        let (phone, _) = enrol(&house, &db, house.owner.id.into()).await;
        db.clock.advance(STEP);
        let home = first(&house, OWNER, "192.0.2.9").await.expect("is asked");
        second(&house, &home.token, code(phone.code(&db, 0)), "192.0.2.9").await.expect("signs in");
        let mut looked_at = 0;
        for n in 0..200 {
            let address = format!("10.7.{}.{}", n / 200, n % 200);
            let pending = first(&house, OWNER, &address).await.expect("is asked");
            match second(&house, &pending.token, code(phone.wrong(&db)), &address).await {
                Err(Error::TooMany { .. }) => {}
                refused => {
                    refused_code(refused);
                    looked_at += 1;
                }
            }
        }
        assert_eq!(looked_at, 50);
        db.clock.advance(STEP);
        let home = first(&house, OWNER, "192.0.2.9").await.expect("is asked");
        second(&house, &home.token, code(phone.code(&db, 0)), "192.0.2.9").await.expect("from a known address");
    }

    async fn five_wrong_codes_end_a_pending_sign_in(db: TestDb) {
        let house = House::build(&db).await;
        let (phone, _) = enrol(&house, &db, house.owner.id.into()).await;
        db.clock.advance(STEP);
        let pending = first(&house, OWNER, "192.0.2.1").await.expect("is asked");
        for n in 0..5 {
            refused_code(second(&house, &pending.token, code(phone.wrong(&db)), &format!("10.7.0.{n}")).await);
        }
        let answer = second(&house, &pending.token, code(phone.code(&db, 0)), "192.0.2.1").await;
        assert!(matches!(answer, Err(Error::Unauthenticated)), "{answer:?}");
        let pending = first(&house, OWNER, "192.0.2.1").await.expect("is asked");
        second(&house, &pending.token, code(phone.code(&db, 0)), "192.0.2.1").await.expect("with the password anew");
    }

    async fn who_one_is_can_be_shown_once_more(db: TestDb) {
        let house = House::build(&db).await;
        let signed_in = house.sign_in(OWNER, PASSWORD, "192.0.2.1").await.expect("signs in");
        let (token, id) = (signed_in.token.expose_secret().to_owned(), signed_in.session.id);
        let show = async |proof: Proof| {
            let context = house.by_token(&token).await.expect("is signed in");
            access::session_reauthenticate(&db.store, &house.gate, context, id, &proof).await
        };
        let until = async || {
            let open = access::session_open(&db.store, &house.gate, &token, &request("192.0.2.1")).await;
            access::proved_until(&open.expect("asks").expect("is signed in").session) - db.now()
        };
        assert_eq!(until().await.num_minutes(), 15);
        db.clock.advance(3_600);
        assert_eq!(until().await.num_minutes(), -45);
        let wrong = show(Proof::Password("not the right password".into())).await;
        assert!(matches!(wrong, Err(Error::Invalid(_))), "{wrong:?}");
        assert_eq!(until().await.num_minutes(), -45);
        assert_eq!(show(Proof::Password(PASSWORD.into())).await.expect("shows") - db.now(), until().await);
        assert_eq!(until().await.num_minutes(), 15);
        let without = show(Proof::Second(code("123456".into()))).await;
        assert!(matches!(without, Err(Error::Conflict { code: "not_enrolled", .. })), "{without:?}");
        let (phone, codes) = enrol(&house, &db, house.owner.id.into()).await;
        db.clock.advance(3_600);
        let right = Proof::Second(code(phone.code(&db, 0)));
        show(right.clone()).await.expect("shows");
        assert!(matches!(show(right).await, Err(Error::Invalid(_))), "a code works once here too");
        show(Proof::Second(SecondProof::RecoveryCode(codes[3].clone()))).await.expect("shows");
        let denied = house.journal("session_reauthenticate").await;
        assert_eq!(denied.iter().filter(|entry| entry.outcome == Outcome::Denied).count(), 2);
    }

    async fn a_secret_opens_in_its_own_row_only(db: TestDb) {
        let house = House::build(&db).await;
        let (phone, _) = enrol(&house, &db, house.owner.id.into()).await;
        let person = house.staff("jo@kite.example", Role::Viewer).await;
        enrol(&house, &db, person.id.into()).await;
        db.tamper("UPDATE second_factor SET secret = (SELECT secret FROM second_factor ORDER BY id LIMIT 1)").await.expect("tampers");
        db.clock.advance(STEP);
        let mut opened = 0;
        for account in [Account::from(house.owner.id), person.id.into(), Account { kind: AccountKind::Portal, id: Uuid::nil() }] {
            let tx = db.store.begin(house.operator()).await.expect("begins");
            opened += usize::from(access::second_proof_take(&tx, account, &code(phone.code(&db, 0))).await.is_ok());
        }
        assert_eq!(opened, 2, "one of the two, and the one that has none");
    }

    async fn a_secret_is_sealed_anew_by_another_key(db: TestDb) {
        let house = House::build(&db).await;
        let owner = Account::from(house.owner.id);
        let (phone, _) = enrol(&house, &db, owner).await;
        let old = "1:dGhpcyBrZXkgaXMgZm9yIHRlc3RzIG9ubHkgMTIzNDU=";
        let new = KeyRing::generate(&OsChance).replacen("1:", "2:", 1);
        let mut options = StoreOptions::new(&db.url, KeyRing::parse(&format!("{new},{old}")).expect("parses"));
        options.clock = db.clock.clone();
        let both = Store::connect(options).await.expect("opens");
        let tx = both.begin(house.operator()).await.expect("begins");
        assert_eq!(tx.second_factors_reseal().await.expect("seals anew"), 1);
        assert_eq!(tx.second_factors_reseal().await.expect("seals anew"), 0);
        tx.commit_unjournalled().await.expect("commits");
        db.clock.advance(STEP);
        let proof = code(phone.code(&db, 0));
        let tx = db.store.begin(house.operator()).await.expect("begins");
        assert!(access::second_proof_take(&tx, owner, &proof).await.is_err(), "the old key alone opens it no more");
        tx.rollback().await.expect("rolls back");
        let tx = both.begin(house.operator()).await.expect("begins");
        assert!(access::second_proof_take(&tx, owner, &proof).await.expect("opens"));
    }
}
