use std::collections::BTreeSet;

use access::{CreatedKey, NewKey, StaffPatch};
use domain::{Actor, ClientId, ClientScope, Context, Error, KeyScope, Permission, Permissions, Role};
use secrecy::ExposeSecret;
use testkit::both_databases;

use crate::house::{House, OWNER, request};

const DAY: i64 = 24 * 3_600;

fn new(scope: KeyScope) -> NewKey {
    NewKey {
        name: " Nightly export ".to_owned(),
        scope,
        allow_clients: None,
        expires_in_days: None,
        permissions: None,
        requests_per_minute: None,
    }
}

async fn make(house: &House, context: &Context, new: NewKey) -> Result<CreatedKey, Error> {
    let mut context = context.clone();
    context.now = house.store.clock().now();
    let tx = house.store.begin(context).await.expect("begins");
    let created = access::api_key_create(&tx, &house.gate, new).await?;
    tx.commit("api_key_create", None).await.expect("commits");
    Ok(created)
}

async fn by_key(house: &House, key: &CreatedKey) -> Option<Context> {
    let token = key.token.expose_secret();
    access::api_key_context(&house.store, &house.gate, token, &request("192.0.2.1")).await.expect("asks")
}

fn codes(refused: Result<CreatedKey, Error>) -> Vec<(String, &'static str)> {
    match refused {
        Err(Error::Invalid(problems)) => problems.into_iter().map(|p| (p.pointer, p.code)).collect(),
        other => panic!("{other:?}"),
    }
}

both_databases! {
    async fn a_key_speaks_for_its_owner_until_it_expires_or_is_revoked(db: TestDb) {
        let house = House::build(&db).await;
        let owner = house.context(OWNER).await;
        let made = make(&house, &owner, new(KeyScope::Write)).await.expect("creates");
        assert_eq!(made.key.name, "Nightly export");
        assert_eq!((made.key.expires_at - db.now()).num_days(), 90);
        let token = made.token.expose_secret();
        assert_eq!(made.key.hint, format!("pone_live_…{}", &token[token.len() - 4..]));
        let context = by_key(&house, &made).await.expect("opens");
        assert_eq!(context.actor, Actor::ApiKey { id: made.key.id, owner: house.owner.id });
        assert_eq!(context.permissions, Permissions::through_key(Role::Owner, KeyScope::Write));
        db.clock.advance(90 * DAY - 1);
        assert!(by_key(&house, &made).await.is_some());
        db.clock.advance(1);
        assert!(by_key(&house, &made).await.is_none(), "expired");

        let made = make(&house, &owner, new(KeyScope::Read)).await.expect("creates");
        let tx = db.store.begin(Context { now: db.now(), ..owner.clone() }).await.expect("begins");
        access::api_key_revoke(&tx, made.key.id).await.expect("revokes");
        tx.commit("api_key_revoke", None).await.expect("commits");
        assert!(by_key(&house, &made).await.is_none(), "revoked");
        let tx = db.store.begin(owner).await.expect("begins");
        assert_eq!(access::api_key_revoke(&tx, made.key.id).await.expect("again").revoked_at, Some(db.now()));
        assert!(tx.changes().is_empty());
        assert_eq!(access::api_key_list(&tx, false).await.expect("lists").len(), 2, "both are still listed");
        drop(tx);
        let entries = house.journal("api_key_create").await;
        assert!(!format!("{entries:?}").contains(&token[20..]));
    }

    async fn input_is_checked_field_by_field(db: TestDb) {
        let house = House::build(&db).await;
        let context = house.context(OWNER).await;
        let unknown: BTreeSet<ClientId> = [uuid::Uuid::from_u128(7).into()].into();
        let wrong = NewKey {
            name: " ".to_owned(),
            allow_clients: Some(unknown),
            expires_in_days: Some(367),
            ..new(KeyScope::Read)
        };
        let named = codes(make(&house, &context, wrong).await);
        let expected = [("/name", "required"), ("/expires_in_days", "out_of_range"), ("/allow_clients", "no_such_client")];
        assert_eq!(named, expected.map(|(pointer, code)| (pointer.to_owned(), code)));
        for (days, sound) in [(0, false), (1, true), (366, true), (u32::MAX, false)] {
            let made = make(&house, &context, NewKey { expires_in_days: Some(days), ..new(KeyScope::Read) }).await;
            assert_eq!(made.is_ok(), sound, "{days}");
        }
    }

    async fn a_key_is_limited_to_clients_that_its_owner_sees(db: TestDb) {
        let house = House::build(&db).await;
        let mine = db.client(house.organisation, "Mine").await;
        let hidden = db.client(house.organisation, "Hidden").await;
        let person = house.staff("tech@kite.example", Role::Engineer).await;
        let tx = db.store.begin(house.operator()).await.expect("begins");
        let patch = StaffPatch { deny_clients: Some([hidden].into()), ..StaffPatch::default() };
        access::staff_update(&tx, person.id, patch).await.expect("updates");
        tx.commit("staff_update", None).await.expect("commits");
        let context = house.context("tech@kite.example").await;
        let beyond = make(&house, &context, NewKey { allow_clients: Some([mine, hidden].into()), ..new(KeyScope::Read) }).await;
        assert_eq!(codes(beyond), [("/allow_clients".to_owned(), "no_such_client")]);
        let within = NewKey { allow_clients: Some([mine].into()), ..new(KeyScope::Read) };
        let made = make(&house, &context, within).await.expect("creates");
        assert_eq!(by_key(&house, &made).await.expect("opens").scope, ClientScope::Only([mine].into()));
        let wide = make(&house, &context, new(KeyScope::Read)).await.expect("creates");
        assert_eq!(by_key(&house, &wide).await.expect("opens").scope, ClientScope::AllBut([hidden].into()));
    }

    async fn a_key_makes_and_revokes_no_keys(db: TestDb) {
        let house = House::build(&db).await;
        let owner = house.context(OWNER).await;
        let made = make(&house, &owner, new(KeyScope::Admin)).await.expect("creates");
        let machine = by_key(&house, &made).await.expect("opens");
        let refused = make(&house, &machine, new(KeyScope::Read)).await;
        assert!(matches!(refused, Err(Error::Forbidden { permission: Permission::KeysManage })), "{refused:?}");
        let tx = db.store.begin(machine.clone()).await.expect("begins");
        let refused = access::api_key_revoke(&tx, made.key.id).await;
        assert!(matches!(refused, Err(Error::Forbidden { permission: Permission::KeysManage })), "{refused:?}");
        assert_eq!(access::api_key_list(&tx, false).await.expect("lists").len(), 1);
        assert!(matches!(access::session_list(&tx, &house.gate).await, Err(Error::Unauthenticated)));
        drop(tx);
        assert!(matches!(make(&house, &house.operator(), new(KeyScope::Read)).await, Err(Error::Forbidden { .. })));
    }

    async fn others_keys_are_for_those_who_manage_the_team(db: TestDb) {
        let house = House::build(&db).await;
        for (email, role) in [("admin@kite.example", Role::Admin), ("tech@kite.example", Role::Engineer)] {
            house.staff(email, role).await;
        }
        let owner = house.context(OWNER).await;
        let (admin, tech) = (house.context("admin@kite.example").await, house.context("tech@kite.example").await);
        let of_owner = make(&house, &owner, new(KeyScope::Read)).await.expect("creates").key.id;
        let of_tech = make(&house, &tech, new(KeyScope::Read)).await.expect("creates").key.id;
        let revoke = async |context: &Context, id| {
            let tx = db.store.begin(context.clone()).await.expect("begins");
            access::api_key_revoke(&tx, id).await.map(drop)
        };
        assert!(matches!(revoke(&tech, of_owner).await, Err(Error::NotFound { what: "API key" })));
        assert!(matches!(revoke(&tech, uuid::Uuid::from_u128(7).into()).await, Err(Error::NotFound { what: "API key" })));
        assert!(matches!(revoke(&admin, of_owner).await, Err(Error::Forbidden { permission: Permission::OwnersManage })));
        for (context, id) in [(&admin, of_tech), (&tech, of_tech), (&owner, of_tech), (&owner, of_owner)] {
            revoke(context, id).await.expect("may");
        }
        let listed = async |context: &Context, everyone| {
            let tx = db.store.read(context.clone()).await.expect("reads");
            access::api_key_list(&tx, everyone).await.map(|keys| keys.len())
        };
        assert_eq!(listed(&tech, false).await.expect("lists"), 1);
        assert!(matches!(listed(&tech, true).await, Err(Error::Forbidden { permission: Permission::TeamManage })));
        assert_eq!(listed(&admin, true).await.expect("lists"), 2);
    }

    async fn use_is_noted_once_a_minute(db: TestDb) {
        let house = House::build(&db).await;
        let owner = house.context(OWNER).await;
        let made = make(&house, &owner, new(KeyScope::Read)).await.expect("creates");
        let started = db.now();
        for (wait, noted) in [(0, 0), (59, 0), (1, 60)] {
            db.clock.advance(wait);
            by_key(&house, &made).await.expect("opens");
            house.gate.drain().await;
            let tx = db.store.read(house.operator()).await.expect("reads");
            let used = tx.api_key(made.key.id).await.expect("finds").used_at.expect("is noted");
            assert_eq!((used - started).num_seconds(), noted);
        }
    }

    async fn a_key_never_exceeds_its_owner_whatever_becomes_of_them(db: TestDb) {
        let house = House::build(&db).await;
        let a = db.client(house.organisation, "A").await;
        let b = db.client(house.organisation, "B").await;
        let c = db.client(house.organisation, "C").await;
        let person = house.staff("person@kite.example", Role::Admin).await;
        let context = house.context("person@kite.example").await;
        let mut keys = Vec::new();
        for scope in [KeyScope::Read, KeyScope::Write, KeyScope::Admin] {
            for allow in [None, Some([].into()), Some([a].into()), Some([a, b].into())] {
                let new = NewKey { allow_clients: allow.clone(), ..new(scope) };
                keys.push((scope, allow, make(&house, &context, new).await.expect("creates")));
            }
        }
        let limits: [(Option<BTreeSet<ClientId>>, BTreeSet<ClientId>); 5] =
            [(None, [].into()), (None, [b].into()), (Some([].into()), [].into()), (Some([a, b].into()), [a].into()), (Some([b, c].into()), [].into())];
        let mut cases = 0;
        for role in Role::ALL {
            for (allow_clients, deny_clients) in &limits {
                if role == Role::Owner && (allow_clients.is_some() || !deny_clients.is_empty()) {
                    continue;
                }
                let tx = db.store.begin(house.operator()).await.expect("begins");
                let patch = StaffPatch {
                    role: Some(role),
                    allow_clients: Some(allow_clients.clone()),
                    deny_clients: Some(deny_clients.clone()),
                    ..StaffPatch::default()
                };
                let owner = access::staff_update(&tx, person.id, patch).await.expect("updates");
                tx.commit("staff_update", None).await.expect("commits");
                for (scope, allow, key) in &keys {
                    let found = by_key(&house, key).await.expect("opens");
                    for permission in Permission::ALL {
                        assert!(found.permissions.grant(*permission) <= Permissions::of(role).grant(*permission));
                        assert!(!found.permissions.allows(*permission) || permission.key_scope() <= *scope);
                    }
                    for client in [a, b, c] {
                        let both = owner.scope().allows(client) && allow.as_ref().is_none_or(|allow| allow.contains(&client));
                        assert_eq!(found.scope.allows(client), both);
                    }
                    assert!(!found.scope.is_all() || (owner.scope().is_all() && allow.is_none()));
                    cases += 1;
                }
            }
        }
        assert_eq!(cases, 26 * 12);
        let tx = db.store.begin(house.operator()).await.expect("begins");
        let patch = StaffPatch { suspended: Some(true), ..StaffPatch::default() };
        access::staff_update(&tx, person.id, patch).await.expect("updates");
        tx.commit("staff_update", None).await.expect("commits");
        for (_, _, key) in &keys {
            assert!(by_key(&house, key).await.is_none(), "suspended");
        }
    }

    async fn a_key_carries_only_the_permissions_it_names(db: TestDb) {
        let house = House::build(&db).await;
        let context = house.context(OWNER).await;
        let named = |scope: KeyScope, named: &[Permission]| NewKey {
            permissions: Some(named.iter().copied().collect()), ..new(scope)
        };
        let narrow = named(KeyScope::Write, &[Permission::ClientsView, Permission::ClientsEdit]);
        let made = make(&house, &context, narrow).await.expect("creates");
        let opened = by_key(&house, &made).await.expect("opens");
        for permission in Permission::ALL {
            let carried = [Permission::ClientsView, Permission::ClientsEdit].contains(permission);
            assert_eq!(opened.permissions.allows(*permission), carried, "{permission:?}");
        }
        for (wrong, code) in [
            (named(KeyScope::Read, &[]), "required"),
            (named(KeyScope::Read, &[Permission::ClientsView, Permission::ClientsEdit]), "beyond_scope"),
        ] {
            assert_eq!(codes(make(&house, &context, wrong).await), [("/permissions".to_owned(), code)]);
        }
        let entry = &house.journal("api_key_create").await[0];
        assert!(format!("{:?}", entry.changes).contains("clients_edit"), "what it carries stands in the journal");
    }

    async fn a_key_makes_as_many_requests_as_it_may(db: TestDb) {
        let house = House::build(&db).await;
        let context = house.context(OWNER).await;
        for (rate, sound) in [(0, false), (1, true), (6_000, true), (6_001, false), (-1, false)] {
            let made = make(&house, &context, NewKey { requests_per_minute: Some(rate), ..new(KeyScope::Read) }).await;
            assert_eq!(made.is_ok(), sound, "{rate}");
        }
        let slow = NewKey { requests_per_minute: Some(2), ..new(KeyScope::Read) };
        let made = make(&house, &context, slow).await.expect("creates");
        let ask = async || {
            let token = made.token.expose_secret();
            let open = access::api_key_open(&db.store, &house.gate, token, &request("192.0.2.9")).await;
            open.expect("asks").expect("opens").rate
        };
        assert_eq!((ask().await.remaining, ask().await.remaining), (1, 0));
        assert_eq!(ask().await.retry_after, Some(30));
        db.clock.advance(29);
        assert_eq!(ask().await.retry_after, Some(1));
        db.clock.advance(1);
        assert_eq!(ask().await.retry_after, None);
        let usual = make(&house, &context, new(KeyScope::Read)).await.expect("creates");
        assert_eq!(usual.key.requests_per_minute, Some(600));
        db.tamper("UPDATE api_key SET requests_per_minute = NULL").await.expect("tampers");
        assert_eq!(ask().await.limit, 600, "a key from before there was a limit");
    }
}
