use access::{
    FirstStep, PasskeyOwner, PasskeySignIn, PasskeySite, PendingSignIn, Proof, SecurityPatch, SignedIn, passkey_sign_in,
};
use domain::{Account, AccountKind, Context, Error, Outcome, Role};
use persistence::{KeyRing, OsChance, PasskeyRow, Store, StoreOptions};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use testkit::{Authenticator, both_databases, coded};

use crate::{
    house::{House, OWNER, PASSWORD, attempt, request},
    second_factor::enrol,
};

pub const ORIGIN: &str = "https://panelone.msp.example";

pub fn site() -> PasskeySite {
    PasskeySite::at(ORIGIN).expect("a site")
}

/// Someone signed in.
struct Person {
    session: uuid::Uuid,
    token: SecretString,
    owner: PasskeyOwner,
}

impl Person {
    async fn signed_in(house: &House, email: &str) -> Self {
        let SignedIn { token, session, staff } = house.sign_in(email, PASSWORD, "192.0.2.1").await.expect("signs in");
        let owner = PasskeyOwner { account: staff.id.into(), email: staff.email, name: staff.name };
        Self { session: session.id.0, token, owner }
    }

    async fn context(&self, house: &House) -> Context {
        let from = request("192.0.2.1");
        let open = access::session_open(&house.store, &house.gate, self.token.expose_secret(), &from).await;
        open.expect("asks").expect("is signed in").tx.context().clone()
    }

    async fn asked(&self, house: &House) -> Value {
        let context = self.context(house).await;
        let asked = access::passkey_register_start(&house.store, &site(), &context, self.session, &self.owner).await;
        asked.expect("asks").options
    }

    async fn answer(&self, house: &House, made: Value) -> Result<PasskeyRow, Error> {
        let context = self.context(house).await;
        let account = self.owner.account;
        let new = access::passkey_check(&house.store, &site(), &context, self.session, account, made).await?;
        let tx = house.store.begin(context).await?;
        let row = access::passkey_create(&tx, &new, "Laptop").await?;
        tx.commit("passkey_create", None).await?;
        Ok(row)
    }

    async fn add(&self, house: &House, device: &mut Authenticator) -> PasskeyRow {
        let made = device.make(&self.asked(house).await);
        self.answer(house, made).await.expect("adds")
    }
}

/// A browser that is asked for a passkey.
async fn asked(house: &House, pending: Option<&SecretString>) -> (Value, SecretString) {
    let kind = AccountKind::Staff;
    let begun = access::passkey_sign_in_start(&house.store, &site(), kind, pending, &request("192.0.2.1")).await;
    let begun = begun.expect("begins");
    assert!(!format!("{begun:?}").contains(begun.browser.expose_secret()));
    (begun.challenge.options, begun.browser)
}

async fn sign_in(
    house: &House,
    credential: Value,
    browser: Option<&SecretString>,
    from: &str,
) -> Result<SignedIn, Error> {
    let attempt = PasskeySignIn { browser: browser.cloned(), credential, user_agent: None, request: request(from) };
    passkey_sign_in(&house.store, &house.gate, &site(), attempt).await
}

async fn first(house: &House, email: &str) -> PendingSignIn {
    match access::sign_in(&house.store, &house.gate, attempt(email, PASSWORD, "192.0.2.1")).await.expect("is right") {
        FirstStep::SecondFactor(pending) => pending,
        FirstStep::Session(session) => panic!("no second factor was asked for: {session:?}"),
    }
}

async fn require_mfa(house: &House) {
    let tx = house.store.begin(house.operator()).await.expect("begins");
    let patch = SecurityPatch { require_mfa: Some(true), ..SecurityPatch::default() };
    access::security_settings_update(&tx, &house.gate, patch).await.expect("updates");
    tx.commit("security_settings_update", None).await.expect("commits");
}

#[track_caller]
fn refused(answer: Result<PasskeyRow, Error>, code: &str) {
    match answer {
        Err(Error::Invalid(problems)) => {
            assert_eq!((problems[0].pointer.as_str(), problems[0].code), ("/credential", code))
        }
        other => panic!("{other:?} and not {code}"),
    }
}

#[track_caller]
fn shut(answer: Result<SignedIn, Error>, what: &str) {
    assert!(matches!(answer, Err(Error::Unauthenticated)), "{what}: {answer:?}");
}

both_databases! {
    async fn a_passkey_is_password_and_second_factor_at_once(db: TestDb) {
        let house = House::build(&db).await;
        let person = Person::signed_in(&house, OWNER).await;
        let mut device = Authenticator::new(1, ORIGIN);
        let row = person.add(&house, &mut device).await;
        require_mfa(&house).await;
        let (options, browser) = asked(&house, None).await;
        assert_eq!(options["allowCredentials"], json!([]), "nobody is named");
        let shown = device.show(&options);
        db.clock.advance(60);
        let signed_in = sign_in(&house, shown.clone(), Some(&browser), "192.0.2.1").await.expect("signs in");
        assert!(!signed_in.session.enrolment && signed_in.staff.id == house.owner.id);
        assert!(house.by_token(signed_in.token.expose_secret()).await.is_some());
        shut(sign_in(&house, shown, Some(&browser), "192.0.2.1").await, "again");
        let tx = db.store.read(house.operator()).await.expect("reads");
        let listed = tx.passkey_list(house.owner.id.into()).await.expect("lists");
        assert_eq!((listed.len(), listed[0].id, listed[0].used_at), (1, row.id, Some(db.now())));
        assert_eq!((listed[0].name.as_str(), listed[0].site.as_str()), ("Laptop", "panelone.msp.example"));
        let told = &house.journal("session_create").await[0];
        assert_eq!(told.reason.as_deref(), Some("signed in with a passkey"));
        let made = format!("{:?}", house.journal("passkey_create").await[0].changes);
        assert!(made.contains("Laptop"), "{made}");
        for secret in ["credential", &hex::encode(&listed[0].credential_hash), "cred_id"] {
            assert!(!made.contains(secret), "{made}");
        }
    }

    async fn what_is_wrong_with_a_new_passkey_is_refused(db: TestDb) {
        let house = House::build(&db).await;
        house.staff("jo@kite.example", Role::Viewer).await;
        let person = Person::signed_in(&house, OWNER).await;
        let (elsewhere, jo) = (Person::signed_in(&house, OWNER).await, Person::signed_in(&house, "jo@kite.example").await);
        let device = |change: fn(&mut Authenticator)| {
            let mut device = Authenticator::new(2, ORIGIN);
            change(&mut device);
            device
        };
        for (code, mut device) in [
            ("wrong_origin", device(|one| one.origin = "https://panelone.msp.example.evil.example".to_owned())),
            ("wrong_origin", device(|one| one.origin = "https://panelone.msp.example:8443".to_owned())),
            ("wrong_origin", device(|one| one.origin = "http://panelone.msp.example".to_owned())),
            ("wrong_site", device(|one| one.site = Some("evil.example".to_owned()))),
            ("not_verified", device(|one| one.verifies = false)),
            ("gone", device(|one| one.framed = true)),
        ] {
            let options = person.asked(&house).await;
            let made = device.make(&options);
            refused(person.answer(&house, made).await, code);
            // The challenge is used up by the wrong answer.
            refused(person.answer(&house, Authenticator::new(2, ORIGIN).make(&options)).await, "gone");
        }
        assert_eq!(house.journal("passkey_create").await.iter().filter(|one| one.outcome == Outcome::Denied).count(), 5);
        let mut device = Authenticator::new(2, ORIGIN);
        let options = person.asked(&house).await;
        let made = device.make(&options);
        for (who, other) in [("another session", &elsewhere), ("another account", &jo)] {
            let answer = other.answer(&house, made.clone()).await;
            assert!(matches!(answer, Err(Error::Invalid(_))), "{who}: {answer:?}");
        }
        for broken in [json!({}), json!({ "id": "x" }), json!([]), json!("x".repeat(100_000))] {
            refused(person.answer(&house, broken).await, "malformed");
        }
        person.answer(&house, made.clone()).await.expect("in the session that asked");
        refused(person.answer(&house, made).await, "gone");
        let options = person.asked(&house).await;
        assert_eq!(options["excludeCredentials"].as_array().map(Vec::len), Some(1), "{options}");
        db.clock.advance(300);
        refused(person.answer(&house, device.make(&options)).await, "gone");
        // A device that does not heed what is excluded, and somebody who registers another's passkey as theirs.
        let options = person.asked(&house).await;
        refused(person.answer(&house, Authenticator::new(2, ORIGIN).make(&options)).await, "wrong");
        let taken = jo.answer(&house, Authenticator::new(2, ORIGIN).make(&jo.asked(&house).await)).await;
        assert!(matches!(taken, Err(Error::Conflict { code: "passkey_known", .. })), "{taken:?}");
    }

    async fn what_is_wrong_with_an_answer_is_all_the_same(db: TestDb) {
        let house = House::build(&db).await;
        house.staff("jo@kite.example", Role::Viewer).await;
        let (person, jo) = (Person::signed_in(&house, OWNER).await, Person::signed_in(&house, "jo@kite.example").await);
        let (mut device, mut of_jo) = (Authenticator::new(1, ORIGIN), Authenticator::new(2, ORIGIN));
        person.add(&house, &mut device).await;
        jo.add(&house, &mut of_jo).await;
        let stranger = {
            let options = person.asked(&house).await;
            let mut stranger = Authenticator::new(3, ORIGIN);
            stranger.make(&options);
            stranger
        };
        let owners = {
            let (options, _) = asked(&house, None).await;
            device.show(&options)["response"]["userHandle"].clone()
        };
        let tampered = |mut shown: Value| {
            let text = shown["response"]["signature"].as_str().expect("a signature").to_owned();
            let last = if text.ends_with('A') { "E" } else { "A" };
            shown["response"]["signature"] = format!("{}{last}", &text[..text.len() - 1]).into();
            shown
        };
        let data = |mut shown: Value| {
            // A counter that was raised without the key.
            shown["response"]["authenticatorData"] = coded([0u8; 37]).into();
            shown
        };
        let mut devices = [device, of_jo, stranger];
        let mut n = 0;
        let mut try_it = async |what: &str, which: usize, set: &dyn Fn(&mut Authenticator), after: &dyn Fn(Value) -> Value| {
            let (options, browser) = asked(&house, None).await;
            let device = &mut devices[which];
            let (origin, counter) = (device.origin.clone(), device.counter);
            set(device);
            let shown = after(device.show(&options));
            n += 1;
            shut(sign_in(&house, shown, Some(&browser), &format!("10.1.0.{n}")).await, what);
            (device.origin, device.site, device.verifies, device.handle, device.framed) = (origin, None, true, None, false);
            device.counter = device.counter.max(counter);
        };
        let same = |shown: Value| shown;
        try_it("origin", 0, &|one| one.origin = "https://evil.example".to_owned(), &same).await;
        try_it("subdomain", 0, &|one| one.origin = "https://a.panelone.msp.example".to_owned(), &same).await;
        try_it("site", 0, &|one| one.site = Some("evil.example".to_owned()), &same).await;
        try_it("not verified", 0, &|one| one.verifies = false, &same).await;
        try_it("framed", 0, &|one| one.framed = true, &same).await;
        try_it("signature", 0, &|_| {}, &tampered).await;
        try_it("data", 0, &|_| {}, &data).await;
        let handle = owners.as_str().expect("a handle").to_owned();
        try_it("jo's passkey as the owner's", 1, &|one| one.handle = Some(handle.clone()), &same).await;
        try_it("nobody's handle", 0, &|one| one.handle = Some(coded([1u8; 33])), &same).await;
        try_it("no handle", 0, &|one| one.handle = Some(String::new()), &same).await;
        try_it("of a portal user", 0, &|one| one.handle = Some(coded([&[2u8], &[7u8; 32][..]].concat())), &same).await;
        try_it("never registered", 2, &|_| {}, &same).await;

        let [mut device, mut of_jo, _] = devices;
        let (options, browser) = asked(&house, None).await;
        let shown = device.show(&options);
        let (_, other) = asked(&house, None).await;
        shut(sign_in(&house, shown.clone(), Some(&other), "10.2.0.1").await, "another browser");
        shut(sign_in(&house, shown.clone(), None, "10.2.0.2").await, "no browser");
        sign_in(&house, shown, Some(&browser), "10.2.0.3").await.expect("left to the right browser");
        let (options, browser) = asked(&house, None).await;
        let shown = device.show(&options);
        db.clock.advance(300);
        shut(sign_in(&house, shown, Some(&browser), "10.2.0.4").await, "too late");

        // A copy of the device that was left behind.
        let (options, browser) = asked(&house, None).await;
        device.counter = 0;
        let before = house.journal("session_create").await.len();
        shut(sign_in(&house, device.show(&options), Some(&browser), "10.2.0.5").await, "the counter went back");
        let noted = house.journal("session_create").await;
        assert_eq!(noted.len(), before + 1);
        assert!(noted[0].outcome == Outcome::Denied && noted[0].reason.as_deref().is_some_and(|why| why.contains("counter")), "{:?}", noted[0]);
        device.counter = 1_000;
        let (options, browser) = asked(&house, None).await;
        sign_in(&house, device.show(&options), Some(&browser), "10.2.0.6").await.expect("the right device still does");

        let tx = db.store.begin(house.operator()).await.expect("begins");
        let suspend = access::StaffPatch { suspended: Some(true), ..access::StaffPatch::default() };
        let Account { id, .. } = jo.owner.account;
        access::staff_update(&tx, id.into(), suspend).await.expect("suspends");
        tx.commit("staff_update", None).await.expect("commits");
        let (options, browser) = asked(&house, None).await;
        shut(sign_in(&house, of_jo.show(&options), Some(&browser), "10.2.0.7").await, "suspended");
        assert_eq!(house.journal("session_create").await[0].reason.as_deref(), Some("suspended"));
    }

    async fn a_passkey_is_the_second_step(db: TestDb) {
        let house = House::build(&db).await;
        house.staff("jo@kite.example", Role::Viewer).await;
        let (person, jo) = (Person::signed_in(&house, OWNER).await, Person::signed_in(&house, "jo@kite.example").await);
        let (mut device, mut of_jo) = (Authenticator::new(1, ORIGIN), Authenticator::new(2, ORIGIN));
        person.add(&house, &mut device).await;
        jo.add(&house, &mut of_jo).await;
        let pending = first(&house, OWNER).await;
        assert!(pending.passkey);
        let (options, browser) = asked(&house, Some(&pending.token)).await;
        assert_eq!(options["allowCredentials"].as_array().map(Vec::len), Some(1));
        let wrong = sign_in(&house, of_jo.force(0, &options), Some(&browser), "192.0.2.1").await;
        match wrong {
            Err(Error::Invalid(problems)) => assert_eq!(problems[0].pointer, "/credential"),
            other => panic!("{other:?}"),
        }
        assert_eq!(house.journal("session_complete").await[0].outcome, Outcome::Denied);
        let (options, browser) = asked(&house, Some(&pending.token)).await;
        let shown = device.show(&options);
        let signed_in = sign_in(&house, shown, Some(&browser), "192.0.2.1").await.expect("signs in");
        assert_eq!(signed_in.staff.id, house.owner.id);
        assert_eq!(house.journal("session_complete").await[0].reason.as_deref(), Some("signed in with a password and a passkey"));
        let kind = AccountKind::Staff;
        for token in [pending.token, "pending_of-nobody".into(), signed_in.token] {
            let begun = access::passkey_sign_in_start(&house.store, &site(), kind, Some(&token), &request("192.0.2.1")).await;
            assert!(matches!(begun, Err(Error::Unauthenticated)), "{begun:?}");
        }
        // Five wrong ones end the sign-in, as with codes.
        let pending = first(&house, OWNER).await;
        for n in 0..5 {
            let (options, browser) = asked(&house, Some(&pending.token)).await;
            let wrong = sign_in(&house, of_jo.force(0, &options), Some(&browser), &format!("10.3.0.{n}")).await;
            assert!(matches!(wrong, Err(Error::Invalid(_))), "{wrong:?}");
        }
        let again = access::passkey_sign_in_start(&house.store, &site(), kind, Some(&pending.token), &request("192.0.2.1")).await;
        assert!(matches!(again, Err(Error::Unauthenticated)), "{again:?}");
    }

    async fn wrong_passkeys_lock_like_wrong_passwords(db: TestDb) {
        let house = House::build(&db).await;
        let person = Person::signed_in(&house, OWNER).await;
        let mut device = Authenticator::new(1, ORIGIN);
        person.add(&house, &mut device).await;
        for _ in 0..5 {
            let (options, _) = asked(&house, None).await;
            let (_, other) = asked(&house, None).await;
            shut(sign_in(&house, device.show(&options), Some(&other), "192.0.2.1").await, "another browser");
        }
        let (options, browser) = asked(&house, None).await;
        let locked = sign_in(&house, device.show(&options), Some(&browser), "192.0.2.1").await;
        assert!(matches!(locked, Err(Error::TooMany { retry_after: 30 })), "{locked:?}");
        sign_in(&house, device.show(&options), Some(&browser), "192.0.2.2").await.expect("elsewhere");
    }

    async fn a_passkey_shows_once_more_who_one_is(db: TestDb) {
        let house = House::build(&db).await;
        let person = Person::signed_in(&house, OWNER).await;
        let context = person.context(&house).await;
        let account = person.owner.account;
        let none = access::passkey_proof_start(&db.store, &site(), &context, person.session, account).await;
        assert!(matches!(none, Err(Error::Conflict { code: "no_passkey", .. })), "{none:?}");
        let mut device = Authenticator::new(1, ORIGIN);
        person.add(&house, &mut device).await;
        db.clock.advance(3_600);
        let show = async |change: &dyn Fn(&mut Authenticator), device: &mut Authenticator| {
            let context = person.context(&house).await;
            let asked = access::passkey_proof_start(&db.store, &site(), &context, person.session, account).await.expect("asks");
            change(device);
            let shown = device.show(&asked.options);
            let proof = access::passkey_proof(&db.store, &site(), &context, person.session, account, shown.clone()).await.expect("was asked");
            let again = access::passkey_proof(&db.store, &site(), &context, person.session, account, shown).await;
            assert!(matches!(again, Err(Error::Invalid(_))), "{again:?}");
            access::session_reauthenticate(&db.store, &house.gate, context, person.session.into(), &Proof::Second(proof)).await
        };
        let wrong = show(&|one| one.verifies = false, &mut device).await;
        assert!(matches!(wrong, Err(Error::Invalid(_))), "{wrong:?}");
        let until = show(&|one| one.verifies = true, &mut device).await.expect("shows");
        assert_eq!((until - db.now()).num_minutes(), 15);
        // The password alone does not get further than signing in lets it.
        let context = person.context(&house).await;
        let proof = Proof::Password(PASSWORD.into());
        let by_password = access::session_reauthenticate(&db.store, &house.gate, context, person.session.into(), &proof).await;
        assert!(matches!(by_password, Err(Error::Conflict { code: "second_factor_required", .. })), "{by_password:?}");
        let reasons: Vec<_> = house.journal("session_reauthenticate").await.into_iter().map(|one| one.outcome).collect();
        assert_eq!(reasons, [Outcome::Done, Outcome::Denied]);
    }

    async fn the_first_ends_what_was_opened_without_and_the_last_stays_where_one_is_required(db: TestDb) {
        let house = House::build(&db).await;
        require_mfa(&house).await;
        let (elsewhere, person) = (Person::signed_in(&house, OWNER).await, Person::signed_in(&house, OWNER).await);
        let open = async |person: &Person| {
            access::session_open(&db.store, &house.gate, person.token.expose_secret(), &request("192.0.2.1")).await.expect("asks")
        };
        assert!(open(&person).await.expect("lives").session.enrolment);
        let mut device = Authenticator::new(1, ORIGIN);
        let one = person.add(&house, &mut device).await;
        assert!(!open(&person).await.expect("lives").session.enrolment);
        assert!(open(&elsewhere).await.is_none());
        let account = person.owner.account;
        let delete = async |row: &PasskeyRow| {
            let tx = db.store.begin(house.operator()).await.expect("begins");
            let done = access::passkey_delete(&tx, account, row.id).await;
            tx.commit("passkey_delete", None).await.expect("commits");
            done
        };
        let last = delete(&one).await;
        assert!(matches!(last, Err(Error::Conflict { code: "mfa_required", .. })), "{last:?}");
        let other = person.add(&house, &mut device).await;
        delete(&one).await.expect("there is another");
        assert!(matches!(delete(&one).await, Err(Error::NotFound { .. })));
        let (_, codes) = enrol(&house, &db, account).await;
        delete(&other).await.expect("there is an app");
        assert_eq!(codes.len(), 10);
        let tx = db.store.begin(house.operator()).await.expect("begins");
        let app = access::totp_remove(&tx, account).await;
        assert!(matches!(app, Err(Error::Conflict { code: "mfa_required", .. })), "{app:?}");
        tx.rollback().await.expect("rolls back");
        person.add(&house, &mut device).await;
        let tx = db.store.begin(house.operator()).await.expect("begins");
        access::totp_remove(&tx, account).await.expect("there is a passkey");
        tx.commit("totp_remove", None).await.expect("commits");
        assert_eq!(house.journal("passkey_delete").await.len(), 2);
    }

    async fn a_passkey_is_its_owners_alone(db: TestDb) {
        let house = House::build(&db).await;
        let jo = house.staff("jo@kite.example", Role::Viewer).await;
        let person = Person::signed_in(&house, OWNER).await;
        let row = person.add(&house, &mut Authenticator::new(1, ORIGIN)).await;
        let portal = Account { kind: AccountKind::Portal, id: house.owner.id.0 };
        for account in [Account::from(jo.id), portal] {
            let tx = db.store.begin(house.operator()).await.expect("begins");
            assert!(matches!(access::passkey_rename(&tx, account, row.id, "Mine", None).await, Err(Error::NotFound { .. })));
            assert!(tx.passkey_list(account).await.expect("lists").is_empty());
        }
        let tx = db.store.begin(house.operator()).await.expect("begins");
        let gone = access::passkey_delete(&tx, jo.id.into(), row.id).await;
        assert!(matches!(gone, Err(Error::NotFound { .. })), "{gone:?}");
        let renamed = access::passkey_rename(&tx, person.owner.account, row.id, " Work laptop ", Some(1)).await.expect("renames");
        assert_eq!((renamed.name.as_str(), renamed.version), ("Work laptop", 2));
        let stale = access::passkey_rename(&tx, person.owner.account, row.id, "Other", Some(1)).await;
        assert!(matches!(stale, Err(Error::Stale { .. })), "{stale:?}");
        for wrong in ["", " \n", &"x".repeat(1_000)] {
            let answer = access::passkey_rename(&tx, person.owner.account, row.id, wrong, None).await;
            assert!(matches!(answer, Err(Error::Invalid(_))), "{answer:?}");
        }
    }

    async fn what_checks_a_passkey_is_sealed_in_its_place(db: TestDb) {
        let house = House::build(&db).await;
        house.staff("jo@kite.example", Role::Viewer).await;
        let (person, jo) = (Person::signed_in(&house, OWNER).await, Person::signed_in(&house, "jo@kite.example").await);
        let mut device = Authenticator::new(1, ORIGIN);
        person.add(&house, &mut device).await;
        jo.add(&house, &mut Authenticator::new(2, ORIGIN)).await;
        let old = "1:dGhpcyBrZXkgaXMgZm9yIHRlc3RzIG9ubHkgMTIzNDU=";
        let new = KeyRing::generate(&OsChance).replacen("1:", "2:", 1);
        let mut options = StoreOptions::new(&db.url, KeyRing::parse(&format!("{new},{old}")).expect("parses"));
        options.clock = db.clock.clone();
        let both = Store::connect(options).await.expect("opens");
        let tx = both.begin(house.operator()).await.expect("begins");
        assert_eq!(tx.passkeys_reseal().await.expect("seals anew"), 2);
        assert_eq!(tx.passkeys_reseal().await.expect("seals anew"), 0);
        tx.rollback().await.expect("rolls back");
        db.tamper("UPDATE passkey SET credential = (SELECT credential FROM passkey ORDER BY id DESC LIMIT 1)").await.expect("tampers");
        let (options, browser) = asked(&house, None).await;
        let answer = sign_in(&house, device.show(&options), Some(&browser), "192.0.2.1").await;
        assert!(matches!(answer, Err(Error::Internal(_))), "another's key in its place does not open: {answer:?}");
    }

    async fn a_reset_takes_passkeys_too(db: TestDb) {
        let house = House::build(&db).await;
        house.staff("jo@kite.example", Role::Viewer).await;
        let jo = Person::signed_in(&house, "jo@kite.example").await;
        let mut device = Authenticator::new(1, ORIGIN);
        jo.add(&house, &mut device).await;
        let tx = db.store.begin(house.context(OWNER).await).await.expect("begins");
        access::second_factor_reset(&tx, jo.owner.account.id.into()).await.expect("resets");
        tx.commit("second_factor_reset", None).await.expect("commits");
        let (options, browser) = asked(&house, None).await;
        shut(sign_in(&house, device.show(&options), Some(&browser), "192.0.2.1").await, "it is no more");
        house.sign_in("jo@kite.example", PASSWORD, "192.0.2.1").await.expect("by the password alone");
    }
}
