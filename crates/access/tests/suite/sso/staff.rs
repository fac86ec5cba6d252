//! Staff: linking, coming in, the second factor, and being shut out.

use access::{
    FirstStep, NewInvitation, NewSsoProvider, SecondProof, SecondStep, SecurityPatch, SsoDone, SsoPatch, SsoReturn,
};
use domain::{Error, Letter, Outcome, Role, SsoAudience, SsoLinkId, StaffId};
use persistence::StaffRow;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use testkit::both_databases;

use super::provider::{BACK, SUBJECT, Stage, conflict, oidc};
use crate::{
    house::{OWNER, PASSWORD, request},
    second_factor::enrol,
};

const STAFF: SsoAudience = SsoAudience::Staff;

async fn come(stage: &Stage<'_>, subject: &str) -> Result<SsoDone, Error> {
    stage.travel(STAFF, None, |stage, traveller| stage.claims(traveller, subject)).await
}

async fn come_with(stage: &Stage<'_>, methods: &[&str]) -> Result<SsoDone, Error> {
    stage
        .travel(STAFF, None, |stage, traveller| {
            let mut claims = stage.claims(traveller, SUBJECT);
            claims["amr"] = json!(methods);
            claims
        })
        .await
}

#[track_caller]
fn session(done: Result<SsoDone, Error>) -> access::SignedIn {
    match done {
        Ok(SsoDone::Staff(FirstStep::Session(signed_in))) => *signed_in,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn pending(done: Result<SsoDone, Error>) -> access::PendingSignIn {
    match done {
        Ok(SsoDone::Staff(FirstStep::SecondFactor(pending))) => pending,
        other => panic!("{other:?}"),
    }
}

/// Someone who is signed in with a password, and asks to be linked.
async fn link(stage: &Stage<'_>, email: &str, subject: &str) -> Result<SsoDone, Error> {
    let signed_in = stage.house.sign_in(email, PASSWORD, "192.0.2.1").await.expect("signs in");
    let token = signed_in.token.expose_secret().to_owned();
    let context = stage.house.by_token(&token).await.expect("is signed in");
    let (store, gate) = (&stage.house.store, &stage.house.gate);
    let begun = access::sso_link_start(store, gate, &stage.sso, &context, signed_in.session.id, BACK).await?;
    let traveller = stage.traveller(begun);
    stage.provider.gives(&stage.provider.key.sign(&stage.claims(&traveller, subject)));
    let back = SsoReturn { session: Some(token.into()), ..stage.back(STAFF, &traveller, "192.0.2.1") };
    stage.finish(back).await
}

async fn set(stage: &Stage<'_>, id: StaffId, change: impl FnOnce(StaffRow) -> StaffRow) {
    let tx = stage.house.store.begin(stage.house.operator()).await.expect("begins");
    let before = tx.staff(id).await.expect("is there");
    tx.staff_update(&before, change(before.clone())).await.expect("changes");
    tx.commit("staff_update", None).await.expect("commits");
}

both_databases! {
    async fn an_account_is_linked_by_its_owner_and_by_nobodys_word(db: TestDb) {
        let stage = Stage::build(&db).await;
        stage.set_up(oidc(STAFF, None)).await;
        let before = stage.made().await;
        // The provider's word for the owner's own address opens nothing.
        let claimed = stage.travel(STAFF, None, |stage, traveller| {
            let mut claims = stage.claims(traveller, SUBJECT);
            (claims["email"], claims["preferred_username"]) = (OWNER.into(), OWNER.into());
            claims
        });
        conflict(claimed.await, "sso_no_account");
        assert_eq!(stage.made().await, before);

        let done = link(&stage, OWNER, SUBJECT).await.expect("links");
        assert!(matches!(&done, SsoDone::Linked(link) if link.account == stage.house.owner.id.into()), "{done:?}");
        link(&stage, OWNER, SUBJECT).await.expect("is linked already, and stays so");
        let signed_in = session(come(&stage, SUBJECT).await);
        assert_eq!(signed_in.staff.id, stage.house.owner.id);
        assert!(stage.house.by_token(signed_in.token.expose_secret()).await.is_some());
        conflict(come(&stage, "somebody else").await, "sso_no_account");
        // One identity, one account; one account, one identity of a provider.
        stage.house.staff("jo@kite.example", Role::Admin).await;
        conflict(link(&stage, "jo@kite.example", SUBJECT).await, "linked_already");
        conflict(link(&stage, OWNER, "somebody else").await, "linked_already");
        let entries = stage.house.journal("sso_link_create").await;
        assert_eq!(entries.len(), 1);
        assert!(!serde_json::to_string(&entries[0].changes).expect("JSON").contains(SUBJECT), "the subject is a mark");
    }

    async fn nobody_links_in_another_session_than_the_one_that_asked(db: TestDb) {
        let stage = Stage::build(&db).await;
        stage.set_up(oidc(STAFF, None)).await;
        stage.house.staff("jo@kite.example", Role::Admin).await;
        let owner = stage.house.sign_in(OWNER, PASSWORD, "192.0.2.1").await.expect("signs in");
        let again = stage.house.sign_in(OWNER, PASSWORD, "192.0.2.1").await.expect("signs in");
        let jo = stage.house.sign_in("jo@kite.example", PASSWORD, "192.0.2.1").await.expect("signs in");
        let context = stage.house.by_token(owner.token.expose_secret()).await.expect("is signed in");
        let before = stage.made().await;
        let mut sessions: Vec<Option<SecretString>> = [&again, &jo].map(|one| Some(one.token.clone())).into();
        sessions.extend([None, Some("x".into()), Some("".into())]);
        for (at, session) in sessions.into_iter().enumerate() {
            let (store, gate) = (&stage.house.store, &stage.house.gate);
            let context = context.clone();
            let begun = access::sso_link_start(store, gate, &stage.sso, &context, owner.session.id, BACK).await;
            let traveller = stage.traveller(begun.expect("begins"));
            stage.provider.gives(&stage.provider.key.sign(&stage.claims(&traveller, SUBJECT)));
            let back = SsoReturn { session, ..stage.back(STAFF, &traveller, &format!("198.51.100.{at}")) };
            conflict(stage.finish(back).await, "sso_over");
            assert_eq!(stage.made().await, before);
        }
    }

    async fn a_second_factor_of_ours_is_asked_unless_the_provider_is_trusted_for_it(db: TestDb) {
        let stage = Stage::build(&db).await;
        let provider = stage.set_up(oidc(STAFF, None)).await;
        let link = stage.link(&provider, stage.house.owner.id.into(), None, SUBJECT).await;
        let (_, codes) = enrol(&stage.house, &db, stage.house.owner.id.into()).await;
        let complete = async |token: &SecretString, code: &SecretString| {
            let step = SecondStep {
                token: token.clone(),
                proof: SecondProof::RecoveryCode(code.clone()),
                user_agent: None,
                request: request("192.0.2.1"),
            };
            access::sign_in_complete(&stage.house.store, &stage.house.gate, step).await
        };
        // Not trusted: its word for several factors is not taken.
        let due = pending(come_with(&stage, &["mfa"]).await);
        complete(&due.token, &codes[0]).await.expect("signs in");
        let how = stage.house.journal("session_complete").await;
        assert!(how[0].reason.as_deref().is_some_and(|reason| reason.contains("identity provider")), "{how:?}");
        let trusts = SsoPatch { trusts_mfa: Some(true), ..SsoPatch::default() };
        stage.change(provider.id, trusts).await;
        pending(come_with(&stage, &["pwd"]).await);
        pending(come_with(&stage, &["pwd", "otp"]).await);
        pending(come(&stage, SUBJECT).await);
        session(come_with(&stage, &["pwd", "mfa"]).await);
        // A pending sign-in is void with the link that led to it, and with the provider.
        let (one, other) = (pending(come(&stage, SUBJECT).await), pending(come(&stage, SUBJECT).await));
        stage.change(provider.id, SsoPatch { enabled: Some(false), ..SsoPatch::default() }).await;
        assert!(matches!(complete(&one.token, &codes[1]).await, Err(Error::Unauthenticated)));
        stage.change(provider.id, SsoPatch { enabled: Some(true), ..SsoPatch::default() }).await;
        let tx = stage.house.store.begin(stage.house.operator()).await.expect("begins");
        tx.sso_link_delete(&link).await.expect("unlinks");
        tx.commit("sso_link_delete", None).await.expect("commits");
        assert!(matches!(complete(&other.token, &codes[1]).await, Err(Error::Unauthenticated)));
    }

    async fn a_second_factor_that_is_required_is_set_up_first(db: TestDb) {
        let stage = Stage::build(&db).await;
        let provider = stage.set_up(NewSsoProvider { trusts_mfa: true, ..oidc(STAFF, None) }).await;
        stage.link(&provider, stage.house.owner.id.into(), None, SUBJECT).await;
        let tx = stage.house.store.begin(stage.house.operator()).await.expect("begins");
        let patch = SecurityPatch { require_mfa: Some(true), ..SecurityPatch::default() };
        access::security_settings_update(&tx, &stage.house.gate, patch).await.expect("sets");
        tx.commit("security_settings_update", None).await.expect("commits");
        assert!(session(come(&stage, SUBJECT).await).session.enrolment);
        assert!(session(come_with(&stage, &["pwd"]).await).session.enrolment);
        assert!(!session(come_with(&stage, &["mfa"]).await).session.enrolment);
    }

    async fn who_is_suspended_or_unlinked_stays_out(db: TestDb) {
        let stage = Stage::build(&db).await;
        let provider = stage.set_up(oidc(STAFF, None)).await;
        let jo = stage.house.staff("jo@kite.example", Role::Viewer).await;
        let link = stage.link(&provider, jo.id.into(), None, SUBJECT).await;
        session(come(&stage, SUBJECT).await);
        set(&stage, jo.id, |row| StaffRow { suspended_at: Some(db.now()), ..row }).await;
        let before = stage.made().await;
        conflict(come(&stage, SUBJECT).await, "sso_no_account");
        assert_eq!(stage.made().await, before);
        set(&stage, jo.id, |row| StaffRow { suspended_at: None, ..row }).await;
        let signed_in = session(come(&stage, SUBJECT).await);
        // Unlinked by who manages providers, they are out at once.
        let owner = stage.house.context(OWNER).await;
        let tx = stage.house.store.begin(owner.clone()).await.expect("begins");
        access::sso_link_end(&tx, provider.id, link.id).await.expect("ends");
        tx.commit("sso_provider_link_delete", None).await.expect("commits");
        assert!(stage.house.by_token(signed_in.token.expose_secret()).await.is_none());
        conflict(come(&stage, SUBJECT).await, "sso_no_account");
        // Removed from the team, their identity is free again.
        stage.link(&provider, jo.id.into(), None, SUBJECT).await;
        let tx = stage.house.store.begin(owner).await.expect("begins");
        access::staff_remove(&tx, jo.id).await.expect("removes");
        tx.commit("staff_remove", None).await.expect("commits");
        let tx = stage.house.store.read(stage.house.operator()).await.expect("reads");
        assert!(tx.sso_links_of(jo.id.into()).await.expect("lists").is_empty());
        let denied = stage.house.journal("sso_session_create").await;
        assert!(denied.iter().all(|entry| entry.outcome == Outcome::Denied) && denied.len() == 2, "{denied:?}");
    }

    async fn ones_own_link_ends_unless_it_is_the_last_way_in(db: TestDb) {
        let stage = Stage::build(&db).await;
        let provider = stage.set_up(oidc(STAFF, None)).await;
        let jo = stage.house.staff("jo@kite.example", Role::Viewer).await;
        let (theirs, owners) = (
            stage.link(&provider, jo.id.into(), None, "jo").await,
            stage.link(&provider, stage.house.owner.id.into(), None, SUBJECT).await,
        );
        let context = stage.house.context("jo@kite.example").await;
        let end = async |id: SsoLinkId| {
            let tx = stage.house.store.begin(context.clone()).await?;
            let gone = access::sso_link_delete(&tx, id).await?;
            tx.commit("sso_link_delete", None).await.map(|_| gone)
        };
        assert!(matches!(end(owners.id).await, Err(Error::NotFound { .. })));
        set(&stage, jo.id, |row| StaffRow { password_hash: None, ..row }).await;
        conflict(end(theirs.id).await, "last_way_in");
        set(&stage, jo.id, |row| StaffRow { password_hash: Some("$argon2id$x".into()), ..row }).await;
        assert_eq!(end(theirs.id).await.expect("ends").id, theirs.id);
        conflict(come(&stage, "jo").await, "sso_no_account");
    }

    async fn an_invitation_is_accepted_once_and_makes_no_password(db: TestDb) {
        let stage = Stage::build(&db).await;
        stage.set_up(oidc(STAFF, None)).await;
        let owner = stage.house.context(OWNER).await;
        let tx = stage.house.store.begin(owner).await.expect("begins");
        let new = NewInvitation {
            name: "Ina Invited".to_owned(),
            email: "ina@kite.example".to_owned(),
            role: Role::Engineer,
            allow_clients: None,
            deny_clients: Default::default(),
        };
        access::staff_invite(&tx, &stage.house.gate, new, "https://kite.example/accept").await.expect("invites");
        tx.commit("staff_invite", None).await.expect("commits");
        let tx = stage.house.store.begin(stage.house.operator()).await.expect("begins");
        let mails = tx.mail_list().await.expect("lists");
        let letter = tx.mail_take(mails[0].id).await.expect("takes").expect("waits").letter;
        tx.rollback().await.expect("rolls back");
        let Letter::StaffInvitation { link, .. } = letter else { panic!("{letter:?}") };
        let token = link.split_once('#').expect("a token").1.to_owned();
        let accept = async |token: &str, subject: &'static str| {
            let mut ask = stage.ask(STAFF, None);
            (ask.organisation, ask.invitation) = (String::new(), Some(token.to_owned().into()));
            let traveller = stage.start(ask).await?;
            stage.provider.gives(&stage.provider.key.sign(&stage.claims(&traveller, subject)));
            stage.finish(stage.back(STAFF, &traveller, "192.0.2.1")).await
        };
        let before = stage.made().await;
        conflict(accept("pinv_nothing", SUBJECT).await, "link_over");
        assert_eq!(stage.made().await, before);
        let signed_in = session(accept(&token, SUBJECT).await);
        assert_eq!((signed_in.staff.email.as_str(), signed_in.staff.role), ("ina@kite.example", Role::Engineer));
        assert_eq!((signed_in.staff.password_hash, signed_in.staff.name.as_str()), (None, "Nova Quay"));
        conflict(accept(&token, "somebody else").await, "link_over");
        session(come(&stage, SUBJECT).await);
        let refused = stage.house.sign_in("ina@kite.example", PASSWORD, "192.0.2.1").await;
        assert!(matches!(refused, Err(Error::Unauthenticated)), "{refused:?}");
    }
}
