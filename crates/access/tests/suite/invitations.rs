use std::collections::BTreeSet;

use access::{LinkAnswer, NewInvitation, StaffPatch};
use domain::{Context, Error, InvitationState, Permission, Role};
use persistence::{Apply, InvitationRow, StaffRow};
use testkit::both_databases;

use crate::{
    house::{House, OWNER, PASSWORD, request},
    letters::{links, token},
};

const PAGE: &str = "https://panelone.kite.example/invitation";

fn new(email: &str, role: Role) -> NewInvitation {
    NewInvitation {
        name: "Ina Invited".to_owned(),
        email: email.to_owned(),
        role,
        allow_clients: None,
        deny_clients: BTreeSet::new(),
    }
}

async fn invite(house: &House, context: &Context, new: NewInvitation) -> Result<InvitationRow, Error> {
    let tx = house.store.begin(context.clone()).await?;
    let row = access::staff_invite(&tx, &house.gate, new, PAGE).await?;
    tx.commit("staff_invite", None).await?;
    Ok(row)
}

async fn accept(house: &House, token: &str, password: &str) -> Result<StaffRow, Error> {
    let answer = LinkAnswer {
        token: token.to_owned().into(),
        password: password.to_owned().into(),
        name: None,
        request: request("192.0.2.9"),
    };
    access::staff_invitation_accept(&house.store, &house.gate, answer).await
}

async fn revoke(house: &House, context: &Context, row: &InvitationRow) -> Result<InvitationRow, Error> {
    let tx = house.store.begin(context.clone()).await?;
    let row = access::staff_invitation_revoke(&tx, row.id).await?;
    tx.commit("staff_invitation_revoke", None).await?;
    Ok(row)
}

fn over<T: std::fmt::Debug>(refused: Result<T, Error>) -> String {
    match refused {
        Err(Error::Conflict { code: "link_over", message }) => message,
        other => panic!("{other:?}"),
    }
}

both_databases! {
    async fn someone_is_invited_accepts_and_signs_in_with_role_and_clients_as_said(db: TestDb) {
        let house = House::build(&db).await;
        let client = db.client(house.organisation, "Mine").await;
        let owner = house.context(OWNER).await;
        let wanted = NewInvitation { allow_clients: Some([client].into()), ..new("Ina@kite.example", Role::Engineer) };
        let row = invite(&house, &owner, wanted).await.expect("invites");
        assert_eq!((row.state(db.now()), row.sent), (InvitationState::Pending, 1));
        let links = links(&house, "Ina@kite.example").await;
        assert_eq!(links.len(), 1);
        assert!(links[0].starts_with(&format!("{PAGE}#pinv_")), "{links:?}");
        let token = token(&links[0]);
        let short = accept(&house, &token, "short").await;
        assert!(matches!(&short, Err(Error::Invalid(problems)) if problems[0].pointer == "/password"), "{short:?}");
        let staff = accept(&house, &token, PASSWORD).await.expect("accepts");
        assert_eq!((staff.name.as_str(), staff.role), ("Ina Invited", Role::Engineer));
        assert_eq!(staff.allow_clients, Some([client].into()));
        let context = house.context("ina@kite.example").await;
        assert_eq!((context.actor.staff(), context.scope.allows(client), context.scope.is_all()), (Some(staff.id), true, false));
        over(accept(&house, &token, PASSWORD).await);
        let entry = &house.journal("staff_invitation_accept").await[0];
        assert_eq!((entry.actor.staff(), entry.changes.len()), (Some(staff.id), 2));
        for action in ["staff_invite", "staff_invitation_accept"] {
            let text = format!("{:?}", house.journal(action).await);
            assert!(!text.contains(&token) && !text.contains("token") && !text.contains("argon2"), "{text}");
        }
        let tx = db.store.read(owner).await.expect("reads");
        let rows = access::staff_invitation_list(&tx).await.expect("lists");
        assert_eq!((rows.len(), rows[0].state(db.now()), rows[0].staff_id), (1, InvitationState::Accepted, Some(staff.id)));
    }

    async fn wrong_used_revoked_and_expired_links_are_told_the_same(db: TestDb) {
        let house = House::build(&db).await;
        let owner = house.context(OWNER).await;
        let mut told = Vec::new();
        let link = async |email: &str| {
            let row = invite(&house, &owner, new(email, Role::Viewer)).await.expect("invites");
            (row, token(&links(&house, email).await[0]))
        };
        let (_, used) = link("used@kite.example").await;
        let (row, revoked) = link("revoked@kite.example").await;
        let (_, expired) = link("expired@kite.example").await;
        accept(&house, &used, PASSWORD).await.expect("accepts");
        assert_eq!(revoke(&house, &owner, &row).await.expect("revokes").state(db.now()), InvitationState::Revoked);
        assert_eq!(revoke(&house, &owner, &row).await.expect("again").state(db.now()), InvitationState::Revoked);
        for token in [used.clone(), revoked.clone(), format!("{used}A"), used.replace("pinv_", "pset_"), String::new()] {
            told.push(over(accept(&house, &token, PASSWORD).await));
        }
        db.clock.advance(7 * 24 * 3_600);
        told.push(over(accept(&house, &expired, PASSWORD).await));
        assert!(told.windows(2).all(|two| two[0] == two[1]), "{told:?}");
        let accepted = access::staff_invitation_list(&db.store.read(house.operator()).await.expect("reads")).await.expect("lists");
        let accepted = accepted.into_iter().find(|row| row.email.starts_with("used")).expect("is listed");
        assert!(matches!(revoke(&house, &house.operator(), &accepted).await, Err(Error::Conflict { code: "accepted", .. })));
    }

    async fn inviting_again_sends_another_link_and_makes_no_second_invitation(db: TestDb) {
        let house = House::build(&db).await;
        let owner = house.context(OWNER).await;
        let first = invite(&house, &owner, new("ina@kite.example", Role::Viewer)).await.expect("invites");
        let old = token(&links(&house, "ina@kite.example").await[0]);
        db.clock.advance(6 * 24 * 3_600);
        let owner = house.context(OWNER).await;
        let again = NewInvitation { name: "Ina I.".into(), ..new("INA@kite.example", Role::Engineer) };
        let second = invite(&house, &owner, again).await.expect("invites");
        assert_eq!((second.id, second.sent, second.role), (first.id, 2, Role::Engineer));
        let new_link = token(&links(&house, "INA@kite.example").await[0]);
        over(accept(&house, &old, PASSWORD).await);
        db.clock.advance(2 * 24 * 3_600);
        assert_eq!(accept(&house, &new_link, PASSWORD).await.expect("accepts").role, Role::Engineer);
        let taken = invite(&house, &house.operator(), new("ina@kite.example", Role::Viewer)).await;
        assert!(matches!(taken, Err(Error::Conflict { code: "email_taken", .. })), "{taken:?}");
    }

    async fn a_link_accepted_twice_at_once_makes_one_account(db: TestDb) {
        let house = House::build(&db).await;
        let owner = house.context(OWNER).await;
        for round in 0..4 {
            let email = format!("ina{round}@kite.example");
            invite(&house, &owner, new(&email, Role::Viewer)).await.expect("invites");
            let token = token(&links(&house, &email).await[0]);
            let (one, two) = tokio::join!(accept(&house, &token, PASSWORD), accept(&house, &token, "another long password"));
            assert!(one.is_ok() != two.is_ok(), "{one:?} {two:?}");
            over(if one.is_ok() { two } else { one });
        }
        let tx = db.store.read(house.operator()).await.expect("reads");
        assert_eq!(access::staff_list(&tx).await.expect("lists").len(), 5);
    }

    async fn nobody_invites_beyond_their_own_rights(db: TestDb) {
        let house = House::build(&db).await;
        house.staff("admin@kite.example", Role::Admin).await;
        house.staff("tech@kite.example", Role::Engineer).await;
        let (admin, tech) = (house.context("admin@kite.example").await, house.context("tech@kite.example").await);
        let refused = invite(&house, &tech, new("x@kite.example", Role::Viewer)).await;
        assert!(matches!(refused, Err(Error::Forbidden { permission: Permission::TeamManage })), "{refused:?}");
        let refused = invite(&house, &admin, new("x@kite.example", Role::Owner)).await;
        assert!(matches!(refused, Err(Error::Forbidden { permission: Permission::OwnersManage })), "{refused:?}");
        // What an owner offered, an admin can neither change nor take back.
        let row = invite(&house, &house.operator(), new("boss@kite.example", Role::Owner)).await.expect("invites");
        for refused in [invite(&house, &admin, new("boss@kite.example", Role::Viewer)).await, revoke(&house, &admin, &row).await] {
            assert!(matches!(refused, Err(Error::Forbidden { permission: Permission::OwnersManage })), "{refused:?}");
        }
        let other = House::named(&db, "Harbour", "owner@harbour.example", PASSWORD).await;
        let stranger = other.context("owner@harbour.example").await;
        let refused = revoke(&house, &stranger, &row).await;
        assert!(matches!(refused, Err(Error::NotFound { what: "invitation" })), "{refused:?}");
    }

    async fn whoever_is_shut_out_takes_their_invitations_along(db: TestDb) {
        let house = House::build(&db).await;
        let person = house.staff("admin@kite.example", Role::Admin).await;
        let admin = house.context("admin@kite.example").await;
        invite(&house, &admin, new("friend@kite.example", Role::Admin)).await.expect("invites");
        let token = token(&links(&house, "friend@kite.example").await[0]);
        let tx = db.store.begin(house.operator()).await.expect("begins");
        let patch = StaffPatch { suspended: Some(true), ..StaffPatch::default() };
        access::staff_update(&tx, person.id, patch).await.expect("suspends");
        tx.commit("staff_update", None).await.expect("commits");
        over(accept(&house, &token, PASSWORD).await);
    }

    async fn invitations_end_with_the_rights_of_whoever_sent_them(db: TestDb) {
        let house = House::build(&db).await;
        let person = house.staff("admin@kite.example", Role::Admin).await;
        let admin = house.context("admin@kite.example").await;
        invite(&house, &admin, new("friend@kite.example", Role::Admin)).await.expect("invites");
        let token = token(&links(&house, "friend@kite.example").await[0]);
        let tx = db.store.begin(house.operator()).await.expect("begins");
        let patch = StaffPatch { role: Some(Role::Engineer), ..StaffPatch::default() };
        access::staff_update(&tx, person.id, patch).await.expect("demotes");
        tx.commit("staff_update", None).await.expect("commits");
        over(accept(&house, &token, PASSWORD).await);
    }

    async fn who_is_removed_does_not_come_back_by_an_old_invitation(db: TestDb) {
        let house = House::build(&db).await;
        let owner = house.context(OWNER).await;
        invite(&house, &owner, new("jo@kite.example", Role::Admin)).await.expect("invites");
        let token = token(&links(&house, "jo@kite.example").await[0]);
        house.staff("jo@kite.example", Role::Viewer).await;
        over(accept(&house, &token, PASSWORD).await);
    }

    async fn a_preview_sends_nothing_and_agrees_with_what_is_done(db: TestDb) {
        let house = House::build(&db).await;
        let owner = house.context(OWNER).await;
        let tx = db.store.begin(owner.clone()).await.expect("begins");
        access::staff_invite(&tx, &house.gate, new("ina@kite.example", Role::Viewer), PAGE).await.expect("invites");
        let preview = tx.finish("staff_invite", &Apply { dry_run: true, ..Apply::default() }).await.expect("previews");
        assert_eq!(preview.changes.len(), 1);
        assert!(links(&house, "ina@kite.example").await.is_empty());
        db.clock.advance(5);
        let tx = db.store.begin(house.context(OWNER).await).await.expect("begins");
        access::staff_invite(&tx, &house.gate, new("ina@kite.example", Role::Viewer), PAGE).await.expect("invites");
        let apply = Apply { expect: Some(preview.digest.clone()), ..Apply::default() };
        assert_eq!(tx.finish("staff_invite", &apply).await.expect("applies").digest, preview.digest);
        assert_eq!(links(&house, "ina@kite.example").await.len(), 1);
    }

    async fn guessing_links_is_slowed_down_by_address(db: TestDb) {
        let house = House::build(&db).await;
        let mut refused = None;
        for guess in 0..40 {
            match accept(&house, &format!("pinv_{guess}"), PASSWORD).await {
                Err(Error::TooMany { retry_after }) => {
                    refused = Some((guess, retry_after));
                    break;
                }
                other => drop(over(other)),
            }
        }
        assert_eq!(refused, Some((20, 60)));
    }
}
