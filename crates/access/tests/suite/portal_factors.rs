use access::{
    PasskeyOwner, PasskeySignIn, PendingSignIn, PortalFirstStep, PortalSignedIn, Proof, SecondProof, SecondStep,
    portal_passkey_sign_in, portal_sign_in_complete,
};
use domain::{Account, AccountKind, ClientId, Context, Error, Outcome, PortalAuthMode, PortalConfig, PortalUserId};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use testkit::{Authenticator, TestDb, both_databases};

use crate::{
    house::{House, OWNER, PASSWORD, attempt, portal_whole, request},
    passkeys::{ORIGIN, site},
    portal::{PAT, accept, act, client, enable, invite, token},
    second_factor::enrol,
};

/// A client with somebody who has come in.
struct Quay {
    house: House,
    client: ClientId,
    pat: PortalUserId,
}

impl Quay {
    async fn build(db: &TestDb) -> Self {
        let house = House::build(db).await;
        let client = client(&house, "Quay").await;
        enable(&house, client, true).await;
        let pat = invite(&house, client, PAT).await.expect("invites").id;
        accept(&house, &token(&house, PAT).await).await.expect("accepts");
        Self { house, client, pat }
    }

    fn account(&self) -> Account {
        self.pat.into()
    }

    async fn first(&self, address: &str) -> Result<PortalFirstStep, Error> {
        access::portal_sign_in(&self.house.store, &self.house.gate, attempt(PAT, PASSWORD, address)).await
    }

    async fn session(&self) -> PortalSignedIn {
        portal_whole(self.first("192.0.2.1").await.expect("signs in"))
    }

    async fn pending(&self, address: &str) -> PendingSignIn {
        match self.first(address).await.expect("is right") {
            PortalFirstStep::SecondFactor(pending) => pending,
            PortalFirstStep::Session(session) => panic!("no second factor was asked for: {session:?}"),
        }
    }

    async fn second(&self, token: &SecretString, code: SecretString, address: &str) -> Result<PortalSignedIn, Error> {
        let proof = SecondProof::Code(code);
        let step = SecondStep { token: token.clone(), proof, user_agent: None, request: request(address) };
        portal_sign_in_complete(&self.house.store, &self.house.gate, step).await
    }

    /// Who a session token speaks for, and whether only for setting up a second factor.
    async fn visit(&self, token: &SecretString) -> Option<(Context, bool)> {
        let from = request("192.0.2.1");
        let found =
            access::portal_session_read(&self.house.store, &self.house.gate, token.expose_secret(), &from).await;
        found.expect("asks").map(|(tx, visit)| (tx.context().clone(), visit.enrolment))
    }

    async fn set(&self, change: impl FnOnce(&mut PortalConfig)) {
        let tx = self.house.store.begin(self.house.operator()).await.expect("begins");
        let before = tx.portal_config(self.client).await.expect("reads");
        let mut after = before.clone();
        change(&mut after);
        tx.portal_config_save(&before, after).await.expect("writes");
        tx.commit("clientone_update", None).await.expect("commits");
    }

    /// Adds a passkey within a session.
    async fn add(&self, signed_in: &PortalSignedIn, device: &mut Authenticator) {
        let (store, session) = (&self.house.store, signed_in.session.id.0);
        let (context, _) = self.visit(&signed_in.token).await.expect("is signed in");
        let owner = PasskeyOwner { account: self.account(), email: PAT.to_owned(), name: "Pat".to_owned() };
        let asked = access::passkey_register_start(store, &site(), &context, session, &owner).await.expect("asks");
        let made = device.make(&asked.options);
        let new =
            access::passkey_check(store, &site(), &context, session, self.account(), made).await.expect("is right");
        let tx = store.begin(context).await.expect("begins");
        access::passkey_create(&tx, &new, "Phone").await.expect("adds");
        tx.commit("portal_passkey_create", None).await.expect("commits");
    }

    async fn asked(&self, kind: AccountKind, pending: Option<&SecretString>) -> (Value, SecretString) {
        let from = request("192.0.2.1");
        let begun =
            access::passkey_sign_in_start(&self.house.store, &site(), kind, pending, &from).await.expect("begins");
        (begun.challenge.options, begun.browser)
    }

    async fn by_passkey(&self, credential: Value, browser: &SecretString, from: &str) -> Result<PortalSignedIn, Error> {
        let browser = Some(browser.clone());
        let attempt = PasskeySignIn { browser, credential, user_agent: None, request: request(from) };
        portal_passkey_sign_in(&self.house.store, &self.house.gate, &site(), attempt).await
    }
}

#[track_caller]
fn out<T: std::fmt::Debug>(refused: Result<T, Error>, what: &str) {
    assert!(matches!(refused, Err(Error::Unauthenticated)), "{what}: {refused:?}");
}

both_databases! {
    async fn two_steps_open_the_portal(db: TestDb) {
        let quay = Quay::build(&db).await;
        let (phone, _) = enrol(&quay.house, &db, quay.account()).await;
        let (of_staff, _) = enrol(&quay.house, &db, quay.house.owner.id.into()).await;
        db.clock.advance(30);
        let pending = quay.pending("192.0.2.1").await;
        assert!(quay.visit(&pending.token).await.is_none(), "half a sign-in opens nothing");
        let wrong = quay.second(&pending.token, phone.wrong(&db), "192.0.2.1").await;
        assert!(matches!(wrong, Err(Error::Invalid(_))), "{wrong:?}");
        // Neither side's second step ends the other's first.
        let step = SecondStep {
            token: pending.token.clone(),
            proof: SecondProof::Code(phone.code(&db, 0)),
            user_agent: None,
            request: request("192.0.2.1"),
        };
        let as_staff = access::sign_in_complete(&quay.house.store, &quay.house.gate, step).await;
        assert!(matches!(as_staff, Err(Error::Unauthenticated)), "{as_staff:?}");
        let staff = access::sign_in(&quay.house.store, &quay.house.gate, attempt(OWNER, PASSWORD, "192.0.2.1")).await;
        let Ok(access::FirstStep::SecondFactor(staff)) = staff else { panic!("{staff:?}") };
        out(quay.second(&staff.token, of_staff.code(&db, 0), "192.0.2.1").await, "a staff user's first step");

        let done = quay.second(&pending.token, phone.code(&db, 0), "192.0.2.1").await.expect("signs in");
        assert!(quay.visit(&done.token).await.is_some_and(|(_, enrolling)| !enrolling));
        out(quay.second(&pending.token, phone.code(&db, 30), "192.0.2.1").await, "again");
        let outcomes: Vec<_> = quay.house.journal("portal_session_complete").await.into_iter().map(|one| one.outcome).collect();
        assert_eq!(outcomes, [Outcome::Done, Outcome::Denied]);
        // Half a sign-in is void when the account or its client changes.
        db.clock.advance(60);
        for (what, change, back) in [("disabled", false, true), ("deactivated", true, false)] {
            let pending = quay.pending("192.0.2.1").await;
            if change { act(&quay.house, quay.pat, false).await } else { enable(&quay.house, quay.client, false).await }
            out(quay.second(&pending.token, phone.code(&db, 0), "192.0.2.1").await, what);
            if back { enable(&quay.house, quay.client, true).await } else { act(&quay.house, quay.pat, true).await }
        }
        let pending = quay.pending("192.0.2.1").await;
        db.clock.advance(300);
        out(quay.second(&pending.token, phone.code(&db, 0), "192.0.2.1").await, "too late");
    }

    async fn wrong_codes_of_the_portal_lock_like_wrong_passwords(db: TestDb) {
        let quay = Quay::build(&db).await;
        let (phone, codes) = enrol(&quay.house, &db, quay.account()).await;
        db.clock.advance(30);
        let elsewhere = quay.pending("192.0.2.2").await;
        for _ in 0..5 {
            let pending = quay.pending("192.0.2.1").await;
            let wrong = quay.second(&pending.token, phone.wrong(&db), "192.0.2.1").await;
            assert!(matches!(wrong, Err(Error::Invalid(_))), "{wrong:?}");
        }
        let locked = quay.first("192.0.2.1").await;
        assert!(matches!(locked, Err(Error::TooMany { retry_after: 30 })), "{locked:?}");
        quay.second(&elsewhere.token, phone.code(&db, 0), "192.0.2.2").await.expect("the right person elsewhere");
        db.clock.advance(60);
        for right in [true, false] {
            let pending = quay.pending("192.0.2.2").await;
            let step = SecondStep {
                token: pending.token,
                proof: SecondProof::RecoveryCode(codes[0].clone()),
                user_agent: None,
                request: request("192.0.2.2"),
            };
            let done = portal_sign_in_complete(&quay.house.store, &quay.house.gate, step).await;
            assert_eq!(done.is_ok(), right, "a recovery code works once: {done:?}");
        }
    }

    async fn what_a_client_requires_is_set_up_first(db: TestDb) {
        let quay = Quay::build(&db).await;
        let before = quay.session().await;
        quay.set(|config| config.settings.require_mfa = true).await;
        assert!(quay.visit(&before.token).await.is_some_and(|(_, enrolling)| !enrolling), "nobody is signed out for it");
        let signed_in = quay.session().await;
        assert!(signed_in.session.enrolment);
        assert!(quay.visit(&signed_in.token).await.is_some_and(|(_, enrolling)| enrolling));
        // A passkey satisfies it, and ends what was opened without.
        let mut device = Authenticator::new(5, ORIGIN);
        quay.add(&signed_in, &mut device).await;
        assert!(quay.visit(&signed_in.token).await.is_some_and(|(_, enrolling)| !enrolling));
        assert!(quay.visit(&before.token).await.is_none());
        assert!(quay.pending("192.0.2.1").await.passkey);
        let (context, _) = quay.visit(&signed_in.token).await.expect("is signed in");
        let tx = db.store.begin(context).await.expect("begins");
        let row = tx.passkey_list(quay.account()).await.expect("lists").remove(0);
        let last = access::passkey_delete(&tx, quay.account(), row.id).await;
        assert!(matches!(last, Err(Error::Conflict { code: "mfa_required", .. })), "{last:?}");
        tx.rollback().await.expect("rolls back");
        // Another client of the MSP requires none.
        let other = client(&quay.house, "Pier").await;
        enable(&quay.house, other, true).await;
        invite(&quay.house, other, "sam@pier.example").await.expect("invites");
        accept(&quay.house, &token(&quay.house, "sam@pier.example").await).await.expect("accepts");
        let sam = attempt("sam@pier.example", PASSWORD, "192.0.2.1");
        let sam = portal_whole(access::portal_sign_in(&db.store, &quay.house.gate, sam).await.expect("signs in"));
        assert!(!sam.session.enrolment);
    }

    async fn a_passkey_opens_the_portal_and_nothing_else(db: TestDb) {
        let quay = Quay::build(&db).await;
        let signed_in = quay.session().await;
        let mut device = Authenticator::new(6, ORIGIN);
        quay.add(&signed_in, &mut device).await;
        let (options, browser) = quay.asked(AccountKind::Portal, None).await;
        let done = quay.by_passkey(device.show(&options), &browser, "10.4.0.1").await.expect("signs in");
        assert!(done.user.id == quay.pat && quay.visit(&done.token).await.is_some());
        // The staff's side neither asks for it nor takes it.
        let (options, browser) = quay.asked(AccountKind::Staff, None).await;
        out(quay.by_passkey(device.show(&options), &browser, "10.4.0.2").await, "asked by the other side");
        let (options, browser) = quay.asked(AccountKind::Staff, None).await;
        let attempt = PasskeySignIn {
            browser: Some(browser), credential: device.show(&options), user_agent: None, request: request("10.4.0.3"),
        };
        out(access::passkey_sign_in(&db.store, &quay.house.gate, &site(), attempt).await, "on the other side");

        let pending = quay.pending("192.0.2.1").await;
        let (options, browser) = quay.asked(AccountKind::Portal, Some(&pending.token)).await;
        quay.by_passkey(device.show(&options), &browser, "10.4.0.4").await.expect("as the second step");
        assert_eq!(
            quay.house.journal("portal_session_complete").await[0].reason.as_deref(),
            Some("signed in with a password and a passkey"),
        );
        let mut n = 10;
        let mut shut = async |what: &str| {
            let (options, browser) = quay.asked(AccountKind::Portal, None).await;
            n += 1;
            out(quay.by_passkey(device.show(&options), &browser, &format!("10.4.0.{n}")).await, what);
        };
        quay.set(|config| config.settings.auth_mode = PortalAuthMode::SsoOnly).await;
        shut("through the identity provider only").await;
        quay.set(|config| config.settings.auth_mode = PortalAuthMode::Password).await;
        enable(&quay.house, quay.client, false).await;
        shut("disabled").await;
        enable(&quay.house, quay.client, true).await;
        act(&quay.house, quay.pat, false).await;
        shut("deactivated").await;
        act(&quay.house, quay.pat, true).await;
        let reasons: Vec<_> = quay.house.journal("portal_session_create").await.into_iter().filter_map(|one| one.reason).collect();
        assert_eq!(reasons[..3], ["not active", "ClientOne is not open to this client", "ClientOne is not open to this client"]);
    }

    async fn a_portal_user_shows_once_more_who_they_are(db: TestDb) {
        let quay = Quay::build(&db).await;
        let signed_in = quay.session().await;
        db.clock.advance(3_600);
        let show = async |proof: Proof| {
            let (context, _) = quay.visit(&signed_in.token).await.expect("is signed in");
            let session = signed_in.session.id;
            access::portal_session_reauthenticate(&db.store, &quay.house.gate, context, session, &proof).await
        };
        let proved = async || {
            let (token, from) = (signed_in.token.expose_secret(), request("192.0.2.1"));
            let found = access::portal_session_read(&db.store, &quay.house.gate, token, &from).await;
            let (_, visit) = found.expect("asks").expect("is signed in");
            (access::proof_holds_until(visit.proved_at) - db.now()).num_minutes()
        };
        assert_eq!(proved().await, -45);
        let wrong = show(Proof::Password("not the right one".into())).await;
        assert!(matches!(wrong, Err(Error::Invalid(_))), "{wrong:?}");
        assert_eq!(proved().await, -45);
        show(Proof::Password(PASSWORD.into())).await.expect("shows");
        assert_eq!(proved().await, 15);
        let (phone, _) = enrol(&quay.house, &db, quay.account()).await;
        db.clock.advance(3_600);
        let by_password = show(Proof::Password(PASSWORD.into())).await;
        assert!(matches!(by_password, Err(Error::Conflict { code: "second_factor_required", .. })), "{by_password:?}");
        show(Proof::Second(SecondProof::Code(phone.code(&db, 0)))).await.expect("shows");
        assert_eq!(proved().await, 15);
    }

    async fn staff_help_whoever_has_lost_it(db: TestDb) {
        let quay = Quay::build(&db).await;
        let signed_in = quay.session().await;
        quay.add(&signed_in, &mut Authenticator::new(7, ORIGIN)).await;
        enrol(&quay.house, &db, quay.account()).await;
        let reset = async |context: Context| {
            let tx = db.store.begin(context).await.expect("begins");
            let done = access::portal_second_factor_reset(&tx, quay.pat).await;
            tx.commit("portal_second_factor_reset", None).await.expect("commits");
            done
        };
        let (own, _) = quay.visit(&signed_in.token).await.expect("is signed in");
        let refused = reset(own).await;
        assert!(matches!(refused, Err(Error::Forbidden { .. })), "{refused:?}");
        reset(quay.house.context(OWNER).await).await.expect("resets");
        assert!(quay.visit(&signed_in.token).await.is_none(), "they are signed out");
        quay.session().await;
        let kinds: Vec<String> = quay.house.journal("portal_second_factor_reset").await[0].changes.iter().map(|one| one.kind.to_string()).collect();
        assert_eq!(kinds, ["second_factor", "passkey"]);
        let again = reset(quay.house.context(OWNER).await).await;
        assert!(matches!(again, Err(Error::Conflict { code: "not_enrolled", .. })), "{again:?}");
    }
}
