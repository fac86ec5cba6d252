//! Service accounts and their tokens.

use std::collections::BTreeSet;

use access::{IssuedToken, MadeSecret, NewCustomRole, NewServiceAccount, ServiceAccountPatch, TokenAsk, TokenRefusal};
use domain::{Actor, Context, Error, KeyScope, Outcome, Permission, Role, ServiceAccountId};
use persistence::ServiceAccountRow;
use secrecy::{ExposeSecret, SecretString};
use testkit::both_databases;

use crate::house::{House, OWNER, request};

fn new(role: Role, scope: KeyScope) -> NewServiceAccount {
    NewServiceAccount {
        name: "Warehouse".to_owned(),
        description: None,
        role: Some(role),
        custom_role: None,
        scope,
        permissions: None,
        allow_clients: None,
        token_minutes: None,
        requests_per_minute: None,
        expires_at: None,
    }
}

fn now(house: &House, context: &Context) -> Context {
    Context { now: house.store.clock().now(), ..context.clone() }
}

async fn make(house: &House, by: &Context, new: NewServiceAccount) -> Result<ServiceAccountRow, Error> {
    let tx = house.store.begin(now(house, by)).await.expect("begins");
    let made = access::service_account_create(&tx, new).await?;
    tx.commit("service_account_create", None).await?;
    Ok(made)
}

async fn change(
    house: &House,
    by: &Context,
    id: ServiceAccountId,
    patch: ServiceAccountPatch,
) -> Result<ServiceAccountRow, Error> {
    let tx = house.store.begin(now(house, by)).await.expect("begins");
    let made = access::service_account_update(&tx, id, patch).await?;
    tx.commit("service_account_update", None).await?;
    Ok(made)
}

async fn secret(house: &House, by: &Context, id: ServiceAccountId) -> Result<MadeSecret, Error> {
    let tx = house.store.begin(now(house, by)).await.expect("begins");
    let made = access::service_account_secret_create(&tx, &house.gate, id, None).await?;
    tx.commit("service_account_secret_create", None).await?;
    Ok(made)
}

fn ask(house: &House, id: ServiceAccountId, secret: &SecretString, scope: Option<&str>) -> TokenAsk {
    TokenAsk {
        client_id: access::client_id(house.organisation, id),
        secret: secret.clone(),
        scope: scope.map(str::to_owned),
        request: request("192.0.2.9"),
    }
}

async fn token(house: &House, ask: TokenAsk) -> Result<IssuedToken, TokenRefusal> {
    access::machine_token_issue(&house.store, &house.gate, ask).await
}

async fn open(house: &House, token: &IssuedToken) -> Option<Context> {
    let text = token.token.expose_secret();
    let open = access::machine_open(&house.store, &house.gate, text, &request("192.0.2.9")).await.expect("asks");
    open.map(|open| open.tx.context().clone())
}

both_databases! {
    async fn a_secret_gets_a_token_that_acts_for_a_while(db: TestDb) {
        let house = House::build(&db).await;
        let owner = house.context(OWNER).await;
        let account = make(&house, &owner, new(Role::Engineer, KeyScope::Write)).await.expect("makes");
        let made = secret(&house, &owner, account.id).await.expect("makes");
        let issued = token(&house, ask(&house, account.id, &made.secret, None)).await.expect("issues");
        assert_eq!((issued.expires_in, issued.scope.as_str()), (30 * 60, "write"));
        assert!(access::is_access_token(issued.token.expose_secret()));
        let context = open(&house, &issued).await.expect("opens");
        assert_eq!(context.actor, Actor::ServiceAccount { id: account.id });
        assert_eq!(context.permissions, account.rights());
        assert!(context.permissions.allows(Permission::TicketsWork));
        assert!(!context.permissions.allows(Permission::KeysManage), "beyond its scope");
        db.clock.advance(30 * 60 - 1);
        assert!(open(&house, &issued).await.is_some());
        db.clock.advance(1);
        assert!(open(&house, &issued).await.is_none(), "over");
        house.gate.drain().await;
        let entries = house.journal("access_token_create").await;
        assert_eq!((entries.len(), entries[0].actor), (1, Actor::ServiceAccount { id: account.id }));
        let told = format!("{entries:?} {:?}", house.journal("service_account_secret_create").await);
        assert!(!told.contains(&made.secret.expose_secret()[20..]) && !told.contains(&issued.token.expose_secret()[20..]));
        let tx = db.store.read(house.operator()).await.expect("reads");
        assert!(tx.service_account(account.id).await.expect("finds").used_at.is_some());
    }

    async fn a_scope_narrows_and_never_widens(db: TestDb) {
        let house = House::build(&db).await;
        let owner = house.context(OWNER).await;
        let limited = NewServiceAccount {
            permissions: Some(BTreeSet::from([Permission::ClientsView, Permission::TicketsWork])),
            ..new(Role::Admin, KeyScope::Write)
        };
        let account = make(&house, &owner, limited).await.expect("makes");
        let made = secret(&house, &owner, account.id).await.expect("makes");
        for (scope, carried) in [
            ("read", vec![Permission::ClientsView]),
            ("write tickets_work", vec![Permission::TicketsWork]),
            ("clients_view read", vec![Permission::ClientsView]),
            ("", vec![Permission::ClientsView, Permission::TicketsWork]),
        ] {
            let issued = token(&house, ask(&house, account.id, &made.secret, Some(scope))).await.expect(scope);
            let had = open(&house, &issued).await.expect("opens").permissions.had();
            assert_eq!(had, BTreeSet::from_iter(carried), "{scope}");
        }
        for scope in ["admin", "devices_view", "read tickets_work", "fly"] {
            let refused = token(&house, ask(&house, account.id, &made.secret, Some(scope))).await;
            assert!(matches!(refused, Err(TokenRefusal::InvalidScope(_))), "{scope}");
        }
    }

    async fn what_is_taken_away_is_gone_at_once(db: TestDb) {
        let house = House::build(&db).await;
        let owner = house.context(OWNER).await;
        let account = make(&house, &owner, new(Role::Viewer, KeyScope::Read)).await.expect("makes");
        let (one, two) = (
            secret(&house, &owner, account.id).await.expect("makes"),
            secret(&house, &owner, account.id).await.expect("two at once"),
        );
        let refused = secret(&house, &owner, account.id).await;
        assert!(matches!(refused, Err(Error::Conflict { code: "too_many_secrets", .. })));
        let by_one = token(&house, ask(&house, account.id, &one.secret, None)).await.expect("issues");
        let by_two = token(&house, ask(&house, account.id, &two.secret, None)).await.expect("issues");
        let tx = db.store.begin(now(&house, &owner)).await.expect("begins");
        access::service_account_secret_delete(&tx, account.id, one.row.id).await.expect("removes");
        tx.commit("service_account_secret_delete", None).await.expect("commits");
        assert!(open(&house, &by_one).await.is_none(), "its secret is gone");
        assert!(open(&house, &by_two).await.is_some(), "the other's is not");
        assert!(matches!(
            token(&house, ask(&house, account.id, &one.secret, None)).await,
            Err(TokenRefusal::InvalidClient)
        ));

        let patch = ServiceAccountPatch { enabled: Some(false), ..ServiceAccountPatch::default() };
        change(&house, &owner, account.id, patch).await.expect("disables");
        assert!(open(&house, &by_two).await.is_none(), "disabled");
        assert!(matches!(
            token(&house, ask(&house, account.id, &two.secret, None)).await,
            Err(TokenRefusal::InvalidClient)
        ));
        let patch = ServiceAccountPatch { enabled: Some(true), ..ServiceAccountPatch::default() };
        change(&house, &owner, account.id, patch).await.expect("enables");
        assert!(open(&house, &by_two).await.is_none(), "a token that ended does not come back");
        let again = token(&house, ask(&house, account.id, &two.secret, None)).await.expect("issues");
        let ends = ServiceAccountPatch {
            expires_at: Some(Some(db.now() + chrono::TimeDelta::minutes(5))),
            ..ServiceAccountPatch::default()
        };
        change(&house, &owner, account.id, ends).await.expect("changes");
        let short = token(&house, ask(&house, account.id, &two.secret, None)).await.expect("issues");
        assert_eq!(short.expires_in, 300, "no longer than the account");
        db.clock.advance(300);
        assert!(open(&house, &again).await.is_none(), "the account has ended");
        let tx = db.store.begin(now(&house, &house.context(OWNER).await)).await.expect("begins");
        access::service_account_delete(&tx, account.id).await.expect("deletes");
        tx.commit("service_account_delete", None).await.expect("commits");
        assert!(matches!(
            token(&house, ask(&house, account.id, &two.secret, None)).await,
            Err(TokenRefusal::InvalidClient)
        ));
    }

    async fn guesses_are_counted_and_told_nothing(db: TestDb) {
        let house = House::build(&db).await;
        let owner = house.context(OWNER).await;
        let account = make(&house, &owner, new(Role::Viewer, KeyScope::Read)).await.expect("makes");
        let made = secret(&house, &owner, account.id).await.expect("makes");
        let wrong: SecretString = format!("psec_{}", "A".repeat(64)).into();
        let mut refusals = Vec::new();
        for _ in 0..5 {
            refusals.push(format!("{:?}", token(&house, ask(&house, account.id, &wrong, None)).await));
        }
        assert!(refusals.iter().all(|refusal| refusal.contains("InvalidClient")), "{refusals:?}");
        let locked = token(&house, ask(&house, account.id, &made.secret, None)).await;
        assert!(matches!(locked, Err(TokenRefusal::TooMany { .. })), "{locked:?}");
        let elsewhere = TokenAsk { request: request("198.51.100.7"), ..ask(&house, account.id, &made.secret, None) };
        token(&house, elsewhere).await.expect("nobody is shut out elsewhere");
        let denied = house.journal("access_token_create").await;
        assert_eq!(denied.iter().filter(|entry| entry.outcome == Outcome::Denied).count(), 5);
        // Another organisation's secret does not fit, and neither does its client id.
        let lark = House::named(&db, "Lark", "owner@lark.example", "a fine long password").await;
        let theirs = TokenAsk {
            client_id: access::client_id(lark.organisation, account.id),
            request: request("198.51.100.8"),
            ..ask(&house, account.id, &made.secret, None)
        };
        assert!(matches!(token(&house, theirs).await, Err(TokenRefusal::InvalidClient)));
    }

    async fn nobody_makes_a_machine_above_themselves(db: TestDb) {
        let house = House::build(&db).await;
        let owner = house.context(OWNER).await;
        let refused = make(&house, &owner, new(Role::Owner, KeyScope::Read)).await;
        assert!(matches!(&refused, Err(Error::Invalid(problems)) if problems[0].code == "owners_are_people"), "{refused:?}");
        let mighty = make(&house, &owner, new(Role::Admin, KeyScope::Admin)).await.expect("makes");
        let tx = db.store.begin(now(&house, &owner)).await.expect("begins");
        let lead = NewCustomRole {
            name: "Lead".to_owned(),
            description: None,
            permissions: BTreeSet::from([Permission::TeamManage, Permission::ClientsView]),
            with_approval: BTreeSet::new(),
        };
        let lead = access::custom_role_create(&tx, lead).await.expect("makes");
        tx.commit("custom_role_create", None).await.expect("commits");
        let staff = house.staff("lead@kite.example", Role::Viewer).await;
        let tx = db.store.begin(now(&house, &owner)).await.expect("begins");
        access::custom_role_assign(&tx, staff.id, lead.id).await.expect("gives");
        tx.commit("custom_role_assign", None).await.expect("commits");
        let leading = house.context("lead@kite.example").await;
        for forbidden in [
            make(&house, &leading, new(Role::Viewer, KeyScope::Read)).await.map(drop),
            secret(&house, &leading, mighty.id).await.map(drop),
            change(&house, &leading, mighty.id, ServiceAccountPatch::default()).await.map(drop),
        ] {
            assert!(matches!(forbidden, Err(Error::Forbidden { .. })), "{forbidden:?}");
        }
        let own = NewServiceAccount {
            role: None,
            custom_role: Some(lead.id),
            name: "Lead's".to_owned(),
            ..new(Role::Viewer, KeyScope::Read)
        };
        let own = make(&house, &leading, own).await.expect("makes one of their own rights");
        assert_eq!(own.rights().had(), BTreeSet::from([Permission::ClientsView]), "reading only");
        let made = secret(&house, &leading, own.id).await.expect("makes");
        let issued = token(&house, ask(&house, own.id, &made.secret, None)).await.expect("issues");
        let machine = open(&house, &issued).await.expect("opens");
        assert!(matches!(secret(&house, &machine, own.id).await, Err(Error::Forbidden { .. })), "machines make no keys");
        let tx = db.store.begin(now(&house, &owner)).await.expect("begins");
        let kept = access::custom_role_delete(&tx, lead.id).await;
        assert!(matches!(kept, Err(Error::Conflict { code: "role_assigned", .. })), "{kept:?}");
    }
}
