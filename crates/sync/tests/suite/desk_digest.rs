//! Letters to staff of what happened in ClientOne: one for all of it, to those who may do something about it.

use std::collections::BTreeSet;

use domain::{ClientId, DeskNoticeKind as Kind, DeskNoticeSwitches, Letter, Role, StaffId};
use persistence::{NewDeskNotice, StaffRow, Tx};
use sync::Worker;
use testkit::both_databases;

use crate::{
    stage::OPTIONS,
    toy::{ToyStage, toy},
};

async fn begin(stage: &ToyStage) -> Tx {
    stage.db.store.begin(stage.db.context(stage.organisation)).await.expect("begins")
}

async fn someone(stage: &ToyStage, name: &str, role: Role, only: Option<ClientId>) -> StaffId {
    let tx = begin(stage).await;
    let row = StaffRow {
        organisation: stage.organisation,
        id: tx.new_id(),
        email: format!("{name}@kite.example"),
        name: name.to_owned(),
        role,
        custom_role: None,
        password_hash: Some("x".to_owned()),
        allow_clients: only.map(|client| BTreeSet::from([client])),
        deny_clients: BTreeSet::new(),
        suspended_at: None,
        removed_at: None,
        created_at: tx.now(),
        updated_at: tx.now(),
        version: 1,
    };
    tx.staff_insert(&row).await.expect("makes");
    tx.commit("staff_create", None).await.expect("commits");
    row.id
}

async fn tell(stage: &ToyStage, kind: Kind, client: ClientId, title: &str) {
    stage.db.clock.advance(1);
    let tx = begin(stage).await;
    let subject_id = tx.new_id();
    let key = format!("{}:{title}", kind.as_str());
    for _ in 0..2 {
        let new = NewDeskNotice { kind, client_id: client, subject_id, key: key.clone(), title: title.to_owned() };
        tx.desk_notify(&new).await.expect("tells");
    }
    tx.commit_unjournalled().await.expect("commits");
}

/// The letters to someone: subject and paragraphs, the newest first.
async fn letters(stage: &ToyStage, name: &str) -> Vec<(String, Vec<String>)> {
    let tx = begin(stage).await;
    let mut found = Vec::new();
    for mail in tx.mail_list().await.expect("lists") {
        if mail.recipient == format!("{name}@kite.example") {
            let letter = tx.mail_take(mail.id).await.expect("takes").expect("waits").letter;
            let Letter::Notice { subject, paragraphs, .. } = letter else { panic!("{letter:?}") };
            found.push((subject, paragraphs));
        }
    }
    found
}

both_databases! {
    async fn one_letter_tells_of_all_there_is(db: TestDb) {
        let stage = toy(db).await;
        let worker = Worker::new(stage.engine.clone(), OPTIONS);
        worker.run_until_idle().await.expect("works");
        let (quay, pier) =
            (stage.db.client(stage.organisation, "Quay").await, stage.db.client(stage.organisation, "Pier").await);
        someone(&stage, "owner", Role::Owner, None).await;
        someone(&stage, "engineer", Role::Engineer, None).await;
        someone(&stage, "narrow", Role::Admin, Some(pier)).await;
        someone(&stage, "viewer", Role::Viewer, None).await;
        let quiet = someone(&stage, "quiet", Role::Owner, None).await;
        let tx = begin(&stage).await;
        let unmailed = Kind::ALL.iter().copied().collect();
        let switches = DeskNoticeSwitches { hidden: BTreeSet::new(), unmailed };
        let before = tx.desk_notice_settings(quiet).await.expect("reads");
        tx.desk_notice_settings_set(quiet, before, switches).await.expect("sets");
        tx.commit("desk_notice_settings_update", None).await.expect("commits");

        // A round begins.
        stage.db.clock.advance(900 - stage.db.now().timestamp() % 900);
        tell(&stage, Kind::TicketMade, quay, "Printer").await;
        tell(&stage, Kind::ServiceRequestMade, quay, "Laptop").await;
        tell(&stage, Kind::AgreementDeclined, pier, "Terms").await;
        worker.run_until_idle().await.expect("works");
        assert!(letters(&stage, "owner").await.is_empty(), "it waits for what else there is");
        stage.db.clock.advance(16 * 60 + 1);
        worker.run_until_idle().await.expect("works");
        let owner = letters(&stage, "owner").await;
        assert_eq!(owner.len(), 1, "{owner:?}");
        assert_eq!(owner[0].0, "3 things to look at in ClientOne");
        assert_eq!(owner[0].1[1..4], ["Pier: Terms", "Quay: Laptop", "Quay: Printer"]);
        assert_eq!(letters(&stage, "engineer").await[0].0, "Quay: Printer");
        assert_eq!(letters(&stage, "narrow").await[0].0, "Pier: Terms");
        for name in ["viewer", "quiet"] {
            assert!(letters(&stage, name).await.is_empty(), "{name}");
        }

        // What was told is not told again; who was not told of it hears of what comes.
        tell(&stage, Kind::TicketMade, pier, "Screen").await;
        stage.db.clock.advance(16 * 60 + 1);
        worker.run_until_idle().await.expect("works");
        for (name, count) in [("owner", 2), ("engineer", 2), ("narrow", 2), ("viewer", 0), ("quiet", 0)] {
            let found = letters(&stage, name).await;
            assert_eq!(found.len(), count, "{name}: {found:?}");
            assert!(found.iter().filter(|one| one.0 == "Pier: Screen").count() == count / 2, "{name}: {found:?}");
        }
    }
}
