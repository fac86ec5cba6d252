use std::collections::BTreeSet;

use access::{NewOrganisation, NewStaff, StaffPatch};
use domain::{Context, Error, Permission, Role, StaffId};
use persistence::{Apply, StaffRow};
use secrecy::ExposeSecret;
use testkit::both_databases;

use crate::house::{House, OWNER, PASSWORD};

fn new(email: &str, role: Role) -> NewStaff {
    NewStaff {
        name: "Someone".to_owned(),
        email: email.to_owned(),
        password: Some(PASSWORD.into()),
        role,
        allow_clients: None,
        deny_clients: BTreeSet::new(),
    }
}

async fn create(house: &House, context: &Context, new: NewStaff) -> Result<StaffRow, Error> {
    let new = new.check(&house.gate).await?;
    let tx = house.store.begin(context.clone()).await?;
    let row = access::staff_create(&tx, new).await?;
    tx.commit("staff_create", None).await?;
    Ok(row)
}

async fn update(house: &House, context: &Context, id: StaffId, patch: StaffPatch) -> Result<StaffRow, Error> {
    let tx = house.store.begin(context.clone()).await?;
    let row = access::staff_update(&tx, id, patch).await?;
    tx.commit("staff_update", None).await?;
    Ok(row)
}

fn role(role: Role) -> StaffPatch {
    StaffPatch { role: Some(role), ..StaffPatch::default() }
}

fn suspended(suspended: bool) -> StaffPatch {
    StaffPatch { suspended: Some(suspended), ..StaffPatch::default() }
}

fn codes<T: std::fmt::Debug>(refused: Result<T, Error>) -> Vec<(String, &'static str)> {
    match refused {
        Err(Error::Invalid(problems)) => problems.into_iter().map(|p| (p.pointer, p.code)).collect(),
        other => panic!("{other:?}"),
    }
}

fn forbidden<T: std::fmt::Debug>(refused: Result<T, Error>) -> Permission {
    match refused {
        Err(Error::Forbidden { permission }) => permission,
        other => panic!("{other:?}"),
    }
}

fn last_owner<T>(refused: &Result<T, Error>) -> bool {
    matches!(refused, Err(Error::Conflict { code: "last_owner", .. }))
}

both_databases! {
    async fn an_organisation_comes_with_its_owner_or_not_at_all(db: TestDb) {
        let house = House::build(&db).await;
        let entries = house.journal("organisation_create").await;
        assert_eq!((entries.len(), entries[0].changes.len(), entries[0].changes[0].kind.as_str()), (1, 1, "staff"));
        assert!(!format!("{entries:?}").contains("argon2"));
        let new = |name: &str, slug: Option<&str>| NewOrganisation {
            name: name.to_owned(),
            slug: slug.map(str::to_owned),
            owner_name: "Owner".to_owned(),
            owner_email: "owner@other.example".to_owned(),
            owner_password: PASSWORD.into(),
        };
        let taken = access::organisation_create(&db.store, &house.gate, new("KITE", None)).await;
        assert!(matches!(taken, Err(Error::Conflict { code: "slug_taken", .. })), "{taken:?}");
        let wrong = NewOrganisation {
            owner_name: "\n".to_owned(),
            owner_email: "nobody".to_owned(),
            owner_password: "short".into(),
            ..new("", Some("Not a slug"))
        };
        let named = codes(access::organisation_create(&db.store, &house.gate, wrong).await);
        let expected = [
            ("/name", "required"), ("/slug", "not_a_slug"), ("/owner/name", "required"),
            ("/owner/email", "not_an_email"), ("/owner/password", "too_short"),
        ];
        assert_eq!(named, expected.map(|(pointer, code)| (pointer.to_owned(), code)));
        let across = db.store.across_read().await.expect("reads");
        assert_eq!(across.organisations().await.expect("lists").len(), 1);
        assert!(across.staff_by_email("owner@other.example", None).await.expect("asks").is_empty());
        drop(across);
        access::organisation_create(&db.store, &house.gate, new("KITE", Some("kite-two"))).await.expect("creates");
    }

    async fn staff_are_made_by_those_who_manage_the_team(db: TestDb) {
        let house = House::build(&db).await;
        let owner = house.context(OWNER).await;
        create(&house, &owner, new("admin@kite.example", Role::Admin)).await.expect("creates");
        let admin = house.context("admin@kite.example").await;
        create(&house, &admin, new("tech@kite.example", Role::Engineer)).await.expect("creates");
        let tech = house.context("tech@kite.example").await;
        assert_eq!(forbidden(create(&house, &tech, new("x@kite.example", Role::Viewer)).await), Permission::TeamManage);
        assert_eq!(forbidden(create(&house, &admin, new("x@kite.example", Role::Owner)).await), Permission::OwnersManage);
        create(&house, &owner, new("second@kite.example", Role::Owner)).await.expect("creates");
        let taken = create(&house, &owner, new("TECH@kite.example", Role::Viewer)).await;
        assert!(matches!(taken, Err(Error::Conflict { code: "email_taken", .. })), "{taken:?}");
        let wrong = NewStaff { name: "x".repeat(256), password: Some("Tech@kite.example".into()), ..new("tech@KITE.example", Role::Viewer) };
        assert_eq!(codes(create(&house, &owner, wrong).await), [("/name".to_owned(), "too_long"), ("/password".to_owned(), "is_the_email")]);
        let without = NewStaff { password: None, ..new("later@kite.example", Role::Viewer) };
        create(&house, &owner, without).await.expect("creates");
        let refused = house.sign_in("later@kite.example", "", "192.0.2.1").await.expect_err("no password yet");
        assert!(matches!(refused, Error::Unauthenticated));
        let tx = db.store.read(tech).await.expect("reads");
        assert_eq!(forbidden(access::staff_list(&tx).await), Permission::TeamManage);
    }

    async fn there_is_always_an_owner_who_can_sign_in(db: TestDb) {
        let house = House::build(&db).await;
        let owner = house.context(OWNER).await;
        assert!(last_owner(&update(&house, &owner, house.owner.id, role(Role::Admin)).await));
        assert!(last_owner(&update(&house, &owner, house.owner.id, suspended(true)).await));
        let second = house.staff("second@kite.example", Role::Owner).await;
        update(&house, &owner, second.id, suspended(true)).await.expect("there is another");
        assert!(last_owner(&update(&house, &owner, house.owner.id, role(Role::Viewer)).await), "the other is suspended");
        update(&house, &owner, second.id, suspended(false)).await.expect("may");
        update(&house, &owner, house.owner.id, role(Role::Viewer)).await.expect("there is another");
        assert!(last_owner(&update(&house, &house.operator(), second.id, suspended(true)).await));
    }

    async fn two_owners_who_end_each_other_at_once_do_not_both_succeed(db: TestDb) {
        let house = House::build(&db).await;
        let mut lasting = house.owner.id;
        for round in 0..5 {
            let other = house.staff(&format!("owner{round}@kite.example"), Role::Owner).await.id;
            let operator = house.operator();
            let (demoted, suspended) = tokio::join!(
                update(&house, &operator, lasting, role(Role::Viewer)),
                update(&house, &operator, other, suspended(true)),
            );
            assert!(demoted.is_ok() != suspended.is_ok(), "{demoted:?} {suspended:?}");
            assert!(last_owner(&demoted) || last_owner(&suspended), "{demoted:?} {suspended:?}");
            lasting = if demoted.is_ok() { other } else { lasting };
        }
    }

    async fn admins_have_no_say_over_owners(db: TestDb) {
        let house = House::build(&db).await;
        let second = house.staff("second@kite.example", Role::Owner).await;
        let own = house.staff("admin@kite.example", Role::Admin).await;
        let admin = house.context("admin@kite.example").await;
        let rename = StaffPatch { name: Some("Renamed".to_owned()), ..StaffPatch::default() };
        for patch in [role(Role::Viewer), suspended(true), rename.clone()] {
            assert_eq!(forbidden(update(&house, &admin, second.id, patch).await), Permission::OwnersManage);
        }
        assert_eq!(forbidden(update(&house, &admin, own.id, role(Role::Owner)).await), Permission::OwnersManage);
        let set = access::staff_password_set(&db.store, &house.gate, admin.clone(), second.id, &"a new long password".into()).await;
        assert_eq!(forbidden(set), Permission::OwnersManage);
        assert_eq!(update(&house, &admin, own.id, rename).await.expect("may").name, "Renamed");
    }

    async fn nobody_gives_clients_beyond_their_own(db: TestDb) {
        let house = House::build(&db).await;
        let mine = db.client(house.organisation, "Mine").await;
        let only = StaffPatch { allow_clients: Some(Some([mine].into())), ..StaffPatch::default() };
        let all = StaffPatch { allow_clients: Some(None), ..StaffPatch::default() };
        let limited = house.staff("limited@kite.example", Role::Admin).await;
        let tech = house.staff("tech@kite.example", Role::Engineer).await;
        update(&house, &house.operator(), limited.id, only.clone()).await.expect("updates");
        let admin = house.context("limited@kite.example").await;
        for (id, patch) in [(limited.id, all), (tech.id, only.clone()), (tech.id, role(Role::Admin))] {
            assert_eq!(forbidden(update(&house, &admin, id, patch).await), Permission::TeamManage);
        }
        let within = NewStaff { allow_clients: Some([mine].into()), ..new("narrow@kite.example", Role::Admin) };
        assert_eq!(forbidden(create(&house, &admin, within.clone()).await), Permission::TeamManage);
        let password = "a new long password".into();
        let set = access::staff_password_set(&db.store, &house.gate, admin, tech.id, &password).await;
        assert_eq!(forbidden(set), Permission::TeamManage);

        let owner = house.context(OWNER).await;
        create(&house, &owner, within).await.expect("may");
        let unknown: BTreeSet<_> = [uuid::Uuid::from_u128(7).into()].into();
        let patch = StaffPatch { deny_clients: Some(unknown), ..StaffPatch::default() };
        assert_eq!(codes(update(&house, &owner, tech.id, patch).await), [("/deny_clients".to_owned(), "no_such_client")]);
        let patch = StaffPatch { role: Some(Role::Owner), ..only };
        let refused = codes(update(&house, &owner, tech.id, patch).await);
        assert_eq!(refused, [("/allow_clients".to_owned(), "owner_sees_all")]);
        let tx = db.store.begin(house.operator()).await.expect("begins");
        let before = tx.client(mine).await.expect("finds");
        let gone = domain::Client { deleted_at: Some(db.now()), ..before.clone() };
        tx.client_update(&before, gone).await.expect("deletes");
        tx.commit("client_delete", None).await.expect("commits");
        update(&house, &owner, limited.id, role(Role::Viewer)).await.expect("a client deleted since is no obstacle");
    }

    async fn a_preview_signs_nobody_out_and_a_stale_row_is_refused(db: TestDb) {
        let house = House::build(&db).await;
        let person = house.staff("tech@kite.example", Role::Engineer).await;
        let token = house.sign_in("tech@kite.example", PASSWORD, "192.0.2.1").await.expect("signs in").token;
        let tx = db.store.begin(house.operator()).await.expect("begins");
        access::staff_update(&tx, person.id, suspended(true)).await.expect("updates");
        let preview = tx.finish("staff_update", &Apply { dry_run: true, ..Apply::default() }).await.expect("previews");
        assert_eq!(preview.changes.len(), 1);
        assert!(house.by_token(token.expose_secret()).await.is_some());
        let tx = db.store.begin(house.operator()).await.expect("begins");
        access::staff_update(&tx, person.id, suspended(true)).await.expect("updates");
        let apply = Apply { expect: Some(preview.digest.clone()), ..Apply::default() };
        assert_eq!(tx.finish("staff_update", &apply).await.expect("applies").digest, preview.digest);
        assert!(house.by_token(token.expose_secret()).await.is_none());
        let stale = StaffPatch { version: Some(person.version), ..suspended(false) };
        let refused = update(&house, &house.operator(), person.id, stale).await;
        assert!(matches!(refused, Err(Error::Stale { what: "staff user" })), "{refused:?}");
    }

    async fn someone_of_another_organisation_is_like_nobody(db: TestDb) {
        let house = House::build(&db).await;
        let other = House::named(&db, "Harbour", "owner@harbour.example", PASSWORD).await;
        let owner = house.context(OWNER).await;
        for id in [other.owner.id, uuid::Uuid::from_u128(7).into()] {
            let refused = update(&house, &owner, id, suspended(true)).await;
            assert!(matches!(refused, Err(Error::NotFound { what: "staff user" })), "{refused:?}");
            let refused = access::staff_sessions_delete(&db.store, owner.clone(), id).await;
            assert!(matches!(refused, Err(Error::NotFound { what: "staff user" })), "{refused:?}");
        }
    }
}
