//! The connector against the simulated vendor: what the world says must arrive.

use std::{collections::BTreeMap, sync::Arc};

use chrono::TimeDelta;
use connector_dropsuite::{Dropsuite, Simulator};
use integration::{Backup, BackupState, CredentialsForm, Entity, Kind, Vendor};
use vendorkit::{Simulated, Simulator as _, World, WorldSize, a_tuesday};

use crate::script::{all_entities, backups, read};

fn simulated() -> (Dropsuite, Arc<Simulator>, Arc<Simulated>) {
    let simulator = Arc::new(Simulator::default());
    let form = simulator.credentials("http://127.0.0.1:4100/dropsuite");
    let world = World::generate(WorldSize::DEMO, 7, a_tuesday());
    let vendor = Arc::new(Simulated::new(simulator.clone(), world));
    let credentials = <Dropsuite as Vendor>::Credentials::parse(&form).expect("the simulator's credentials fit");
    (Dropsuite::connect(credentials, vendor.clone()), simulator, vendor)
}

/// States of everything that is backed up, by customer; customers that are closed to us have none.
async fn states(dropsuite: &Dropsuite) -> BTreeMap<String, Vec<(String, Option<BackupState>)>> {
    let mut all = BTreeMap::new();
    for customer in read::<Entity>(dropsuite, &all_entities(dropsuite).await.unwrap()) {
        match backups(dropsuite, &customer.id).await {
            Ok(pages) => {
                let found = read::<Backup>(dropsuite, &pages);
                let found = found.into_iter().map(|item| (item.id, item.record.state)).collect();
                all.insert(customer.id, found);
            }
            Err(error) => assert_eq!(error.kind, Kind::Forbidden, "{error}"),
        }
    }
    all
}

#[tokio::test]
async fn every_state_is_seen_and_closed_customers_are_told_apart() {
    let (dropsuite, _, vendor) = simulated();
    let found = states(&dropsuite).await;
    let (known, closed) = vendor.read(|world| {
        let known = world.known_to("dropsuite");
        (known.clone().count(), known.filter(|business| business.key.is_multiple_of(11)).count())
    });
    assert!(closed > 0);
    assert_eq!(found.len(), known - closed);
    for state in [BackupState::Healthy, BackupState::AtRisk, BackupState::Failed] {
        assert!(found.values().flatten().any(|(_, seen)| *seen == Some(state)), "nothing is {state:?}");
    }
    for product in ["mailbox/", "OneDrive/", "SharePoint/", "Teams/"] {
        let with = found.values().filter(|all| all.iter().any(|(id, _)| id.starts_with(product))).count();
        assert!(with > 0 && (with < found.len() || product == "mailbox/"), "{product} of {with}");
    }
}

#[tokio::test]
async fn customers_tokens_may_be_made_anew_between_two_syncs() {
    let (dropsuite, simulator, vendor) = simulated();
    let before = states(&dropsuite).await;
    simulator.renew_customer_tokens();
    vendor.advance(TimeDelta::minutes(10));
    vendor.clear_log();
    let customer = before.keys().next().unwrap();
    backups(&dropsuite, customer).await.unwrap();
    let lists = vendor.log().iter().filter(|(_, path)| path.ends_with("/users")).count();
    assert_eq!(lists, 1, "the list of customers is asked for once for all new tokens");
}

#[tokio::test]
async fn who_leaves_is_no_longer_backed_up() {
    let (dropsuite, _, vendor) = simulated();
    let (customer, person) = vendor.read(|world| {
        let open = world
            .known_to("dropsuite")
            .find(|b| !b.key.is_multiple_of(11) && b.people.iter().any(|person| !person.guest && person.enabled));
        let business = open.expect("a customer with people");
        let person = business.people.iter().find(|person| !person.guest && person.enabled);
        (10_000 + business.key, person.expect("one who works there").id)
    });
    let before = backups(&dropsuite, &customer.to_string()).await.unwrap();
    vendor.change(|world| world.change_person(person, |person| person.enabled = false));
    let after = backups(&dropsuite, &customer.to_string()).await.unwrap();
    let ids = |pages: &[_]| read::<Backup>(&dropsuite, pages).into_iter().map(|item| item.id).collect::<Vec<_>>();
    let (before, after) = (ids(&before), ids(&after));
    assert!(after.len() < before.len() && after.iter().all(|id| before.contains(id)), "{before:?} {after:?}");
}
