//! Random edits of both sides: whatever their order, it ends with both sides saying the same, or with a person being
//! asked about each field that differs.

use domain::{PsaField, psa::same};
use testkit::{TestDb, both_databases};

use crate::{
    psa_house::{either, psa},
    stage::{AUTOTASK, CONNECTWISE, HALOPSA, Stage},
};

/// Numbers that follow from a seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most
    }
}

async fn ends_alike_or_asked_about(stage: &Stage) {
    let asked = stage.open().await;
    for company in stage.companies().await {
        let Some(client) = company.client_id else { continue };
        let (ours, theirs) = (stage.client(client).await, stage.there(&company).await);
        let pairs = [
            (PsaField::Name, Some(ours.name.clone()), Some(theirs.name.clone())),
            (PsaField::Phone, ours.phone.clone(), theirs.phone.clone()),
        ];
        for (field, ours, theirs) in pairs {
            let waits = asked.iter().any(|one| one.entity_id == Some(company.id) && one.field == Some(field));
            let alike = same(field, ours.as_deref(), theirs.as_deref());
            assert!(
                alike || waits,
                "{field:?} of {}: {ours:?} here, {theirs:?} there, and nobody is asked",
                company.name
            );
        }
    }
}

async fn random_edits(db: TestDb, vendor: &str, seed: u64) {
    let stage = psa(db, vendor, either()).await;
    let mut dice = Dice(seed);
    for step in 0..40 {
        let mut companies = stage.companies().await;
        companies.retain(|row| row.client_id.is_some());
        let company = companies[dice.below(companies.len() as u64) as usize].clone();
        let client = company.client_id.expect("is mapped");
        let value = dice.below(5);
        match dice.below(7) {
            0 => stage.edit(client, |client| client.name = format!("Name {value} Ltd")).await,
            1 => stage.edit(client, |client| client.phone = Some(format!("+44 20 0000 000{value}"))).await,
            2 => drop(
                stage
                    .simulated
                    .change(|world| world.rename_business(stage.key(&company), &format!("Name {value} Ltd"))),
            ),
            3 => stage.edit_there(&company, |business| business.phone = format!("+44 20 0000 000{value}")),
            4 => stage.sync_and_settle().await,
            5 => {
                stage.work().await;
            }
            _ => stage.advance(7),
        }
        if step % 10 == 9 {
            stage.sync_and_settle().await;
            ends_alike_or_asked_about(&stage).await;
        }
    }
}

both_databases! {
    async fn at_connectwise(db: TestDb) {
        random_edits(db, CONNECTWISE, 11).await;
    }

    async fn at_autotask(db: TestDb) {
        random_edits(db, AUTOTASK, 23).await;
    }

    async fn at_halopsa(db: TestDb) {
        random_edits(db, HALOPSA, 47).await;
    }
}
