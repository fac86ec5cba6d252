//! The connector against the simulated vendor: what the world says must arrive.

use std::sync::Arc;

use connector_hatz_ai::{HatzAi, Simulator};
use integration::{CredentialsForm, DirectoryUser, Entity, Kind, Licence, Vendor};
use vendorkit::{Simulated, Simulator as _, World, WorldSize, a_tuesday};

use crate::script::all;

fn simulated(simulator: Simulator) -> (HatzAi, Arc<Simulated>) {
    let simulator = Arc::new(simulator);
    let form = simulator.credentials("http://127.0.0.1:4100/hatz-ai");
    let world = World::generate(WorldSize::DEMO, 7, a_tuesday());
    let vendor = Arc::new(Simulated::new(simulator, world));
    let credentials = <HatzAi as Vendor>::Credentials::parse(&form).expect("the simulator's credentials fit");
    (HatzAi::connect(credentials, vendor.clone()), vendor)
}

#[tokio::test]
async fn everything_arrives_as_the_world_has_it() {
    let (hatz, vendor) = simulated(Simulator::default());
    let tenants = all::<Entity>(&hatz, None).await.unwrap();
    let names: Vec<_> = tenants.iter().map(|item| item.record.name.clone()).collect();
    let expected: Vec<_> =
        vendor.read(|world| world.known_to("hatz-ai").map(|b| b.name_at("hatz-ai").trim().to_owned()).collect());
    assert_eq!(names, expected);
    let licences = all::<Licence>(&hatz, None).await.unwrap();
    for tenant in &tenants {
        let users = all::<DirectoryUser>(&hatz, Some(&tenant.id)).await.unwrap();
        let package = licences.iter().find(|item| item.id == format!("{}/package", tenant.id)).unwrap();
        assert_eq!(package.record.used, i64::try_from(users.len()).ok(), "{}", tenant.id);
        assert!(users.iter().all(|user| user.record.enabled.is_some()));
    }
    assert!(licences.iter().any(|item| item.id.ends_with("/addition/Voice")));
}

#[tokio::test]
async fn a_server_with_smaller_pages_loses_nothing() {
    let (hatz, vendor) = simulated(Simulator::giving_at_most(7));
    let tenants = all::<Entity>(&hatz, None).await.unwrap();
    assert_eq!(Some(tenants.len()), vendor.read(|world| world.expected("hatz-ai", integration::RecordKind::Entity)));
    let users = all::<DirectoryUser>(&hatz, Some(&tenants[0].id)).await.unwrap();
    let people = vendor.read(|world| world.known_to("hatz-ai").next().map(|business| business.people.len()));
    assert_eq!(Some(users.len()), people);
}

#[tokio::test]
async fn without_a_list_of_users_the_rest_is_read() {
    let (hatz, _) = simulated(Simulator::without_users());
    let tenants = all::<Entity>(&hatz, None).await.unwrap();
    let error = all::<DirectoryUser>(&hatz, Some(&tenants[0].id)).await.err().unwrap();
    assert_eq!(error.kind, Kind::NotOffered);
    let licences = all::<Licence>(&hatz, None).await.unwrap();
    let package = licences.iter().find(|item| item.id == format!("{}/package", tenants[0].id)).unwrap();
    assert!(package.record.used.is_some(), "the number of users is known all the same");
}
