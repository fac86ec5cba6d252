//! People of clients: whose provider lets whom in, accounts that are made just in time, and the ways of signing in.

use access::{NewPortalUser, NewSsoProvider, SsoDone, SsoPatch, SsoReturn};
use domain::{ClientId, Error, Letter, PortalAuthMode, PortalRole, PortalState, SsoAudience};
use persistence::PortalUserRow;
use secrecy::ExposeSecret;
use testkit::both_databases;

use super::provider::{BACK, ISSUER, SUBJECT, Stage, conflict, oidc};
use crate::{
    house::{PASSWORD, attempt, portal_whole, request},
    second_factor::enrol,
};

const PORTAL: SsoAudience = SsoAudience::Portal;
const PAT: &str = "pat@quay.example";

async fn come(stage: &Stage<'_>, email: &str, subject: &str) -> Result<SsoDone, Error> {
    stage.travel(PORTAL, Some(email), |stage, traveller| stage.claims(traveller, subject)).await
}

#[track_caller]
fn user(done: Result<SsoDone, Error>) -> PortalUserRow {
    match done {
        Ok(SsoDone::Portal(signed_in)) => signed_in.user,
        other => panic!("{other:?}"),
    }
}

async fn password(stage: &Stage<'_>, email: &str) -> Result<String, Error> {
    let attempt = attempt(email, PASSWORD, "192.0.2.1");
    let signed_in = portal_whole(access::portal_sign_in(&stage.house.store, &stage.house.gate, attempt).await?);
    Ok(signed_in.token.expose_secret().to_owned())
}

async fn invite(stage: &Stage<'_>, client: ClientId, email: &str) -> String {
    let tx = stage.house.store.begin(stage.house.operator()).await.expect("begins");
    let new = NewPortalUser { client, email: email.to_owned(), name: "Pat".to_owned(), role: PortalRole::Manager };
    access::portal_user_invite(&tx, &stage.house.gate, "https://kite.example/clientone", new).await.expect("invites");
    tx.commit("portal_user_invite", None).await.expect("commits");
    let tx = stage.house.store.begin(stage.house.operator()).await.expect("begins");
    let mails = tx.mail_list().await.expect("lists");
    let mail = mails.iter().find(|mail| mail.recipient == email).expect("a letter");
    let letter = tx.mail_take(mail.id).await.expect("takes").expect("waits").letter;
    tx.rollback().await.expect("rolls back");
    let Letter::PortalInvitation { link, .. } = letter else { panic!("{letter:?}") };
    link.split_once('#').expect("a token").1.to_owned()
}

both_databases! {
    async fn an_account_is_made_just_in_time_where_the_provider_says_so(db: TestDb) {
        let stage = Stage::build(&db).await;
        let quay = stage.client("Quay", PortalAuthMode::PasswordSso).await;
        let provider = stage.set_up(oidc(PORTAL, Some(quay))).await;
        let before = stage.made().await;
        conflict(come(&stage, PAT, SUBJECT).await, "sso_no_account");
        assert_eq!(stage.made().await, before, "it does not say so");
        stage.change(provider.id, SsoPatch { just_in_time: Some(true), ..SsoPatch::default() }).await;
        let made = user(come(&stage, PAT, SUBJECT).await);
        assert_eq!((made.client_id, made.role, made.state), (quay, PortalRole::User, PortalState::Active));
        assert_eq!((made.email.as_str(), made.name.as_str(), made.password_hash), ("nova@quay.example", "Nova Quay", None));
        assert_eq!(user(come(&stage, PAT, SUBJECT).await).id, made.id, "the second time it is found");
        assert!(matches!(password(&stage, "nova@quay.example").await, Err(Error::Unauthenticated)));
        // Another identity of the same address: the account is not its, and no second one is made.
        let before = stage.made().await;
        conflict(come(&stage, PAT, "somebody else").await, "sso_no_account");
        assert_eq!(stage.made().await, before);
        let entries = stage.house.journal("portal_sso_account_create").await;
        assert_eq!(entries.len(), 1);
    }

    async fn no_account_is_made_of_an_address_that_is_not_vouched_for(db: TestDb) {
        let stage = Stage::build(&db).await;
        let quay = stage.client("Quay", PortalAuthMode::SsoOnly).await;
        stage.set_up(NewSsoProvider { just_in_time: true, ..oidc(PORTAL, Some(quay)) }).await;
        let pier = stage.client("Pier", PortalAuthMode::Password).await;
        stage.member(pier, "known@pier.example").await;
        let before = stage.made().await;
        let (no_account, refused) = ("sso_no_account", "sso_refused");
        for (name, value, code) in [
            ("email_verified", false.into(), no_account), ("email_verified", "true".into(), refused),
            ("email", "".into(), no_account), ("email", 7.into(), refused), ("email", "no address".into(), no_account),
            ("email", "known@pier.example".into(), no_account), ("email", "KNOWN@PIER.EXAMPLE".into(), no_account),
            ("email", "nova@elsewhere.example".into(), no_account), ("email", "nova@sub.quay.example".into(), no_account),
            ("email", "a#ext#@quay.example".into(), no_account),
        ] {
            let done = stage.travel(PORTAL, Some(PAT), |stage, traveller| {
                let mut claims = stage.claims(traveller, SUBJECT);
                claims[name] = value;
                claims
            });
            conflict(done.await, code);
            assert_eq!(stage.made().await, before, "{name}");
        }
    }

    async fn a_clients_own_provider_lets_in_its_people_and_nobody_elses(db: TestDb) {
        let stage = Stage::build(&db).await;
        let (quay, pier) = (
            stage.client("Quay", PortalAuthMode::PasswordSso).await,
            stage.client("Pier", PortalAuthMode::PasswordSso).await,
        );
        let (own, msp) = (stage.set_up(oidc(PORTAL, Some(quay))).await, stage.set_up(oidc(PORTAL, None)).await);
        let (pat, sam) = (stage.member(quay, PAT).await, stage.member(pier, "sam@pier.example").await);
        // Whose provider it is decides, not whose link somebody made.
        stage.link(&own, sam.id.into(), Some(pier), "sam").await;
        stage.link(&msp, sam.id.into(), Some(pier), "sam").await;
        stage.link(&own, pat.id.into(), Some(quay), "pat").await;
        stage.link(&msp, pat.id.into(), Some(quay), "pat").await;
        let before = stage.made().await;
        conflict(come(&stage, PAT, "sam").await, "sso_no_account");
        conflict(come(&stage, "sam@pier.example", "pat").await, "sso_no_account");
        assert_eq!(stage.made().await, before);
        assert_eq!(user(come(&stage, PAT, "pat").await).id, pat.id);
        assert_eq!(user(come(&stage, "sam@pier.example", "sam").await).id, sam.id, "falls back to the MSP's");
        // Its own one, disabled, does not fall back: it was turned off for a reason.
        stage.change(own.id, SsoPatch { enabled: Some(false), ..SsoPatch::default() }).await;
        conflict(come(&stage, PAT, "pat").await, "sso_not_offered");
        conflict(come(&stage, "sam@pier.example", "pat").await, "sso_no_account");
    }

    async fn a_client_that_is_shut_lets_nobody_in(db: TestDb) {
        let stage = Stage::build(&db).await;
        let quay = stage.client("Quay", PortalAuthMode::PasswordSso).await;
        let provider = stage.set_up(NewSsoProvider { just_in_time: true, ..oidc(PORTAL, Some(quay)) }).await;
        let pat = stage.member(quay, PAT).await;
        stage.link(&provider, pat.id.into(), Some(quay), SUBJECT).await;
        user(come(&stage, PAT, SUBJECT).await);
        let shut = async || {
            let before = stage.made().await;
            for subject in [SUBJECT, "a newcomer"] {
                conflict(come(&stage, PAT, subject).await, "sso_no_account");
            }
            assert_eq!(stage.made().await, before);
        };
        stage.mode(quay, PortalAuthMode::Password).await;
        shut().await;
        stage.mode(quay, PortalAuthMode::SsoOnly).await;
        user(come(&stage, PAT, SUBJECT).await);
        let tx = stage.house.store.begin(stage.house.operator()).await.expect("begins");
        let config = tx.portal_config(quay).await.expect("reads");
        tx.portal_config_save(&config, domain::PortalConfig { enabled: false, ..config.clone() }).await.expect("writes");
        tx.commit("clientone_disable", None).await.expect("commits");
        shut().await;
        stage.mode(quay, PortalAuthMode::SsoOnly).await;
        let tx = stage.house.store.begin(stage.house.operator()).await.expect("begins");
        access::portal_user_deactivate(&tx, pat.id).await.expect("deactivates");
        tx.commit("portal_user_deactivate", None).await.expect("commits");
        conflict(come(&stage, PAT, SUBJECT).await, "sso_no_account");
    }

    async fn passwords_open_nothing_where_only_the_provider_does(db: TestDb) {
        let stage = Stage::build(&db).await;
        let quay = stage.client("Quay", PortalAuthMode::PasswordSso).await;
        stage.set_up(oidc(PORTAL, Some(quay))).await;
        stage.member(quay, PAT).await;
        password(&stage, PAT).await.expect("a password still does");
        let (store, gate, from) = (&stage.house.store, &stage.house.gate, request("192.0.2.9"));
        let forgot = async || {
            access::portal_password_forgot(store, gate, PAT, "https://kite.example/clientone", &from).await.expect("answers");
            gate.drain().await;
            let tx = store.begin(stage.house.operator()).await.expect("begins");
            let mails = tx.mail_list().await.expect("lists");
            let mail = mails.into_iter().find(|mail| mail.recipient == PAT)?;
            match tx.mail_take(mail.id).await.expect("takes")?.letter {
                Letter::PasswordReset { link, .. } => Some(link.split_once('#').expect("a token").1.to_owned()),
                other => panic!("{other:?}"),
            }
        };
        let link = forgot().await.expect("a letter");
        stage.mode(quay, PortalAuthMode::SsoOnly).await;
        // The right password, a wrong one and nobody's get one answer.
        let right = format!("{:?}", password(&stage, PAT).await.expect_err("is refused"));
        let nobody = format!("{:?}", password(&stage, "nobody@quay.example").await.expect_err("is refused"));
        assert_eq!(right, nobody);
        let reset = access::portal_password_reset(store, gate, &link, &"another fine long one".into(), &from).await;
        conflict(reset, "link_gone");
        let tx = store.begin(stage.house.operator()).await.expect("begins");
        let letters = tx.mail_list().await.expect("lists").len();
        tx.rollback().await.expect("rolls back");
        db.clock.advance(120);
        forgot().await;
        let tx = store.read(stage.house.operator()).await.expect("reads");
        assert_eq!(tx.mail_list().await.expect("lists").len(), letters, "no letter is sent");
        let invited = invite(&stage, quay, "ina@quay.example").await;
        let accepted = access::portal_invitation_accept(store, gate, &invited, "Ina", &PASSWORD.into(), &from).await;
        conflict(accepted, "sso_only");
    }

    async fn a_second_factor_of_ours_is_asked_after_the_provider(db: TestDb) {
        let stage = Stage::build(&db).await;
        let quay = stage.client("Quay", PortalAuthMode::SsoOnly).await;
        let provider = stage.set_up(oidc(PORTAL, Some(quay))).await;
        let pat = stage.member(quay, PAT).await;
        stage.link(&provider, pat.id.into(), Some(quay), SUBJECT).await;
        let (phone, _) = enrol(&stage.house, &db, pat.id.into()).await;
        db.clock.advance(30);
        let second = async || match come(&stage, PAT, SUBJECT).await {
            Ok(SsoDone::PortalSecondStep(pending)) => pending,
            other => panic!("no second factor was asked for: {other:?}"),
        };
        let complete = async |token: &secrecy::SecretString, code| {
            let (store, gate) = (&stage.house.store, &stage.house.gate);
            let proof = access::SecondProof::Code(code);
            let step = access::SecondStep { token: token.clone(), proof, user_agent: None, request: request("192.0.2.1") };
            access::portal_sign_in_complete(store, gate, step).await
        };
        let pending = second().await;
        let wrong = complete(&pending.token, phone.wrong(&db)).await;
        assert!(matches!(wrong, Err(Error::Invalid(_))), "{wrong:?}");
        assert_eq!(complete(&pending.token, phone.code(&db, 0)).await.expect("signs in").user.id, pat.id);
        // What the provider vouched for is void when the client no longer takes it, or the provider is off.
        let pending = second().await;
        db.clock.advance(30);
        stage.mode(quay, PortalAuthMode::Password).await;
        let refused = complete(&pending.token, phone.code(&db, 0)).await;
        assert!(matches!(refused, Err(Error::Unauthenticated)), "{refused:?}");
        stage.mode(quay, PortalAuthMode::SsoOnly).await;
        let pending = second().await;
        stage.change(provider.id, SsoPatch { enabled: Some(false), ..SsoPatch::default() }).await;
        let refused = complete(&pending.token, phone.code(&db, 0)).await;
        assert!(matches!(refused, Err(Error::Unauthenticated)), "{refused:?}");
    }

    async fn an_invitation_is_accepted_through_the_clients_provider(db: TestDb) {
        let stage = Stage::build(&db).await;
        let quay = stage.client("Quay", PortalAuthMode::SsoOnly).await;
        stage.set_up(oidc(PORTAL, Some(quay))).await;
        let token = invite(&stage, quay, PAT).await;
        let accept = async |token: &str, subject: &'static str| {
            let mut ask = stage.ask(PORTAL, None);
            (ask.organisation, ask.invitation) = (String::new(), Some(token.to_owned().into()));
            let traveller = stage.start(ask).await?;
            stage.provider.gives(&stage.provider.key.sign(&stage.claims(&traveller, subject)));
            stage.finish(stage.back(PORTAL, &traveller, "192.0.2.1")).await
        };
        conflict(accept("no token", SUBJECT).await, "link_gone");
        let made = user(accept(&token, SUBJECT).await);
        assert_eq!((made.email.as_str(), made.role, made.state), (PAT, PortalRole::Manager, PortalState::Active));
        assert_eq!(made.password_hash, None);
        conflict(accept(&token, "somebody else").await, "link_gone");
        assert_eq!(user(come(&stage, PAT, SUBJECT).await).id, made.id);
        // An identity that opens one account accepts nothing for another.
        let second = invite(&stage, quay, "ina@quay.example").await;
        let before = stage.made().await;
        conflict(accept(&second, SUBJECT).await, "linked_already");
        assert_eq!(stage.made().await, before);
        user(accept(&second, "ina").await);
    }

    async fn a_portal_account_is_linked_by_its_owner(db: TestDb) {
        let stage = Stage::build(&db).await;
        let quay = stage.client("Quay", PortalAuthMode::PasswordSso).await;
        stage.set_up(oidc(PORTAL, Some(quay))).await;
        let pat = stage.member(quay, PAT).await;
        let token = password(&stage, PAT).await.expect("signs in");
        let (store, gate) = (&stage.house.store, &stage.house.gate);
        let from = request("192.0.2.1");
        let found = access::portal_session_read(store, gate, &token, &from).await.expect("asks");
        let (tx, visit) = found.expect("is in");
        let context = tx.context().clone();
        drop(tx);
        let who = (pat.id, quay, visit.session.0);
        for (session, links) in [(None, false), (Some(token.clone()), true)] {
            let begun = access::portal_sso_link_start(store, gate, &stage.sso, &context, who, BACK).await;
            let traveller = stage.traveller(begun.expect("begins"));
            stage.provider.gives(&stage.provider.key.sign(&stage.claims(&traveller, SUBJECT)));
            let back = SsoReturn { session: session.map(Into::into), ..stage.back(PORTAL, &traveller, "192.0.2.1") };
            match stage.finish(back).await {
                Ok(SsoDone::Linked(link)) => assert!(links && link.client_id == Some(quay) && link.issuer == ISSUER),
                other => assert!(!links && matches!(other, Err(Error::Conflict { code: "sso_over", .. })), "{other:?}"),
            }
        }
        assert_eq!(user(come(&stage, PAT, SUBJECT).await).id, pat.id);
        // Where a password opens nothing any more, the link is the last way in.
        let links = access::sso_link_list(&store.read(context.clone()).await.expect("reads")).await.expect("lists");
        stage.mode(quay, PortalAuthMode::SsoOnly).await;
        let tx = store.begin(context.clone()).await.expect("begins");
        conflict(access::sso_link_delete(&tx, links[0].id).await, "last_way_in");
        tx.rollback().await.expect("rolls back");
        stage.mode(quay, PortalAuthMode::PasswordSso).await;
        let tx = store.begin(context).await.expect("begins");
        access::sso_link_delete(&tx, links[0].id).await.expect("ends");
        tx.commit("portal_sso_link_delete", None).await.expect("commits");
        conflict(come(&stage, PAT, SUBJECT).await, "sso_no_account");
    }
}
