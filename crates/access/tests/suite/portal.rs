use access::{NewPortalUser, SignIn};
use domain::{Client, ClientId, ClientStatus, Error, Letter, PortalConfig, PortalRole, PortalState, PortalUserId};
use persistence::PortalUserRow;
use secrecy::ExposeSecret;
use testkit::both_databases;

use crate::house::{House, PASSWORD, attempt, portal_whole, request};

pub const BASE: &str = "https://kite.example/clientone";
pub const PAT: &str = "pat@quay.example";

pub async fn client(house: &House, name: &str) -> ClientId {
    let tx = house.store.begin(house.operator()).await.expect("begins");
    let client = Client {
        id: tx.new_id(),
        name: name.to_owned(),
        status: ClientStatus::Active,
        notes: None,
        contact_email: None,
        phone: None,
        address: None,
        created_at: tx.now(),
        updated_at: tx.now(),
        archived_at: None,
        deleted_at: None,
        tags: Vec::new(),
        version: 1,
        device_count: 0,
        user_count: 0,
    };
    tx.client_insert(&client).await.expect("makes");
    tx.commit("client_create", None).await.expect("commits");
    client.id
}

pub async fn enable(house: &House, client: ClientId, enabled: bool) {
    let tx = house.store.begin(house.operator()).await.expect("begins");
    let before = tx.portal_config(client).await.expect("reads");
    let after = PortalConfig { enabled, ..before.clone() };
    tx.portal_config_save(&before, after).await.expect("writes");
    tx.commit("clientone_enable", None).await.expect("commits");
}

pub async fn invite(house: &House, client: ClientId, email: &str) -> Result<PortalUserRow, Error> {
    let tx = house.store.begin(house.operator()).await?;
    let new = NewPortalUser { client, email: email.to_owned(), name: "Pat".to_owned(), role: PortalRole::User };
    let row = access::portal_user_invite(&tx, &house.gate, BASE, new).await?;
    tx.commit("portal_user_invite", None).await?;
    Ok(row)
}

/// The token in the newest letter to an address; the letter waits on.
pub async fn token(house: &House, email: &str) -> String {
    let tx = house.store.begin(house.operator()).await.expect("begins");
    let mails = tx.mail_list().await.expect("lists");
    let mail = mails.iter().find(|mail| mail.recipient == email).expect("a letter");
    match tx.mail_take(mail.id).await.expect("takes").expect("waits").letter {
        Letter::PortalInvitation { link, .. } | Letter::PasswordReset { link, .. } => {
            assert!(link.starts_with(BASE), "{link}");
            link.split_once('#').expect("a token").1.to_owned()
        }
        other => panic!("{other:?}"),
    }
}

pub async fn accept(house: &House, token: &str) -> Result<(), Error> {
    let from = request("192.0.2.1");
    access::portal_invitation_accept(&house.store, &house.gate, token, "Pat Quay", &PASSWORD.into(), &from).await
}

pub async fn sign_in(house: &House, email: &str, password: &str) -> Result<String, Error> {
    let attempt: SignIn = attempt(email, password, "192.0.2.1");
    let signed_in = portal_whole(access::portal_sign_in(&house.store, &house.gate, attempt).await?);
    Ok(signed_in.token.expose_secret().to_owned())
}

pub async fn is_in(house: &House, token: &str) -> bool {
    let found = access::portal_session_read(&house.store, &house.gate, token, &request("192.0.2.1")).await;
    found.expect("asks").is_some()
}

pub fn gone<T: std::fmt::Debug>(refused: Result<T, Error>) {
    assert!(matches!(refused, Err(Error::Conflict { code: "link_gone", .. })), "{refused:?}");
}

pub fn out<T: std::fmt::Debug>(refused: Result<T, Error>) {
    assert!(matches!(refused, Err(Error::Unauthenticated)), "{refused:?}");
}

pub async fn act(house: &House, id: PortalUserId, activate: bool) {
    let tx = house.store.begin(house.operator()).await.expect("begins");
    let row = match activate {
        true => access::portal_user_reactivate(&tx, id).await,
        false => access::portal_user_deactivate(&tx, id).await,
    };
    assert_eq!(row.expect("is done").state == PortalState::Active, activate);
    tx.commit("portal_user_act", None).await.expect("commits");
}

async fn archive(house: &House, client: ClientId, away: bool) {
    let tx = house.store.begin(house.operator()).await.expect("begins");
    let before = tx.client(client).await.expect("is there");
    let after = Client { archived_at: away.then(|| tx.now()), ..before.clone() };
    tx.client_update(&before, after).await.expect("updates");
    tx.commit("client_archive", None).await.expect("commits");
}

both_databases! {
    async fn an_invitation_lets_in_once_and_only_the_last_one(db: TestDb) {
        let house = House::build(&db).await;
        let quay = client(&house, "Quay").await;
        let refused = invite(&house, quay, PAT).await;
        assert!(matches!(refused, Err(Error::Conflict { code: "clientone_disabled", .. })), "{refused:?}");
        enable(&house, quay, true).await;
        let row = invite(&house, quay, PAT).await.expect("invites");
        let first = token(&house, PAT).await;
        db.clock.advance(59);
        let early = invite(&house, quay, PAT).await;
        assert!(matches!(early, Err(Error::TooMany { retry_after: 1 })), "{early:?}");
        db.clock.advance(1);
        assert_eq!(invite(&house, quay, "PAT@quay.example").await.expect("invites again").id, row.id);
        let second = token(&house, PAT).await;
        gone(accept(&house, &first).await);
        gone(accept(&house, "no-token").await);
        // Good to the last second of seven days, and not after.
        db.clock.advance(7 * 24 * 3_600);
        gone(accept(&house, &second).await);
        db.clock.advance(-1);
        accept(&house, &second).await.expect("comes in");
        gone(accept(&house, &second).await);
        sign_in(&house, PAT, PASSWORD).await.expect("signs in");
        let pier = client(&house, "Pier").await;
        enable(&house, pier, true).await;
        let taken = invite(&house, pier, PAT).await;
        assert!(matches!(taken, Err(Error::Conflict { code: "email_taken", .. })), "{taken:?}");
    }

    async fn who_is_shut_out_is_out_at_the_next_request(db: TestDb) {
        let house = House::build(&db).await;
        let quay = client(&house, "Quay").await;
        enable(&house, quay, true).await;
        let row = invite(&house, quay, PAT).await.expect("invites");
        out(sign_in(&house, PAT, PASSWORD).await);
        accept(&house, &token(&house, PAT).await).await.expect("comes in");
        out(sign_in(&house, PAT, "not the right one").await);
        let session = sign_in(&house, PAT, PASSWORD).await.expect("signs in");
        assert!(is_in(&house, &session).await);
        // Neither side's session opens the other.
        assert!(house.by_token(&session).await.is_none());
        act(&house, row.id, false).await;
        assert!(!is_in(&house, &session).await);
        out(sign_in(&house, PAT, PASSWORD).await);
        act(&house, row.id, true).await;
        assert!(!is_in(&house, &session).await, "an old session came back");
        let session = sign_in(&house, PAT, PASSWORD).await.expect("signs in");
        enable(&house, quay, false).await;
        assert!(!is_in(&house, &session).await, "its client is closed");
        out(sign_in(&house, PAT, PASSWORD).await);
        enable(&house, quay, true).await;
        let session = sign_in(&house, PAT, PASSWORD).await.expect("signs in");
        archive(&house, quay, true).await;
        assert!(!is_in(&house, &session).await, "its client is put away");
        out(sign_in(&house, PAT, PASSWORD).await);
        archive(&house, quay, false).await;
        assert!(is_in(&house, &session).await);
        db.clock.advance(8 * 3_600);
        assert!(!is_in(&house, &session).await, "it was unused for too long");
        let refused = house.journal("portal_session_create").await;
        assert!(refused.len() >= 5, "{refused:?}");
    }

    async fn a_forgotten_password_is_set_by_a_link(db: TestDb) {
        let house = House::build(&db).await;
        let quay = client(&house, "Quay").await;
        enable(&house, quay, true).await;
        invite(&house, quay, PAT).await.expect("invites");
        accept(&house, &token(&house, PAT).await).await.expect("comes in");
        let session = sign_in(&house, PAT, PASSWORD).await.expect("signs in");
        db.clock.advance(60);
        for email in ["nobody@quay.example", PAT] {
            let from = request("192.0.2.9");
            access::portal_password_forgot(&house.store, &house.gate, email, BASE, &from).await.expect("answers");
        }
        house.gate.drain().await;
        let link = token(&house, PAT).await;
        gone(accept(&house, &link).await);
        let new = "another fine long one";
        let reset = async |token: &str| {
            let from = request("192.0.2.9");
            access::portal_password_reset(&house.store, &house.gate, token, &new.into(), &from).await
        };
        reset(&link).await.expect("is set");
        gone(reset(&link).await);
        assert!(!is_in(&house, &session).await);
        out(sign_in(&house, PAT, PASSWORD).await);
        sign_in(&house, PAT, new).await.expect("signs in");
    }
}
