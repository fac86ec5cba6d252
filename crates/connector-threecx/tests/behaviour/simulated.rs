//! The connector against the simulated phone system: what the world says must arrive.

use std::sync::Arc;

use connector_threecx::{Simulator, Threecx};
use integration::{Connector, CredentialsForm, Entity, Extension, Kind, PhoneSystem, Vendor};
use serde_json::{Map, Value};
use vendorkit::{Simulated, World, WorldSize, a_tuesday};

use crate::script::all;

const BASE: &str = "http://127.0.0.1:4100/threecx";

fn simulated() -> Arc<Simulated> {
    Arc::new(Simulated::new(Arc::new(Simulator::default()), World::generate(WorldSize::DEMO, 7, a_tuesday())))
}

fn connect(form: &Map<String, Value>, vendor: Arc<Simulated>) -> Threecx {
    Threecx::connect(<Threecx as Vendor>::Credentials::parse(form).unwrap(), vendor)
}

#[tokio::test]
async fn everything_arrives_as_the_world_has_it() {
    let vendor = simulated();
    let threecx = connect(&vendor.simulator.credentials(BASE), vendor.clone());
    let extensions = all::<Extension>(&threecx).await.unwrap();
    let entities = all::<Entity>(&threecx).await.unwrap();
    let [system] = &all::<PhoneSystem>(&threecx).await.unwrap()[..] else { panic!("one system") };
    assert_eq!(system.record.extensions, Some(extensions.len() as i64));
    assert_eq!((system.record.licence_active, system.record.licence_ends_on), (Some(true), None));
    vendor.read(|world| {
        for person in world.known_to("threecx").flat_map(|business| &business.people) {
            let number = format!("{:05}", person.key);
            let found = extensions.iter().find(|item| item.id == number).unwrap();
            let name = format!("{} {}", person.given, person.family);
            assert_eq!(found.record.name.as_deref(), Some(name.as_str()));
            assert_eq!(found.record.email.as_deref(), Some(person.email.as_str()));
            let entity = entities.iter().find(|item| item.id == number).unwrap();
            assert_eq!(entity.record.name, format!("{number} {name}"));
            let called = i64::from(person.key.is_multiple_of(3));
            let answered = called * i64::from(person.key.is_multiple_of(2));
            let counts = (found.record.calls_made, found.record.calls_answered, found.record.calls_missed);
            assert_eq!(counts, (Some(called), Some(answered), Some(called - answered)), "{number}");
        }
    });
    assert_eq!(threecx.check().await.unwrap().account.as_deref(), Some("pbx.msp.example"));
}

#[tokio::test]
async fn an_administrator_sees_all_but_the_calls() {
    let vendor = simulated();
    let threecx = connect(&Simulator::default().administrator(BASE), vendor.clone());
    let checked = threecx.check().await.unwrap();
    assert!(matches!(&checked.warnings[..], [one] if one.contains("System Owner")), "{checked:?}");
    let extensions = all::<Extension>(&threecx).await.unwrap();
    assert!(extensions.len() > 100);
    for item in &extensions {
        let counts = (item.record.calls_made, item.record.calls_answered, item.record.calls_missed);
        assert_eq!(counts, (None, None, None), "{}", item.id);
    }
}

/// Two programs with one Client ID end each other's tokens; neither fails for it as long as both go on.
#[tokio::test]
async fn a_second_token_ends_the_first() {
    let vendor = simulated();
    let form = vendor.simulator.credentials(BASE);
    let (one, other) = (connect(&form, vendor.clone()), connect(&form, vendor.clone()));
    let tokens = || vendor.log().iter().filter(|(method, _)| *method == "POST").count();
    all::<PhoneSystem>(&one).await.unwrap();
    all::<PhoneSystem>(&other).await.unwrap();
    assert_eq!(tokens(), 2);
    all::<PhoneSystem>(&one).await.unwrap();
    assert_eq!(tokens(), 3, "the first token was over");
    all::<PhoneSystem>(&one).await.unwrap();
    assert_eq!(tokens(), 3, "and its successor is not");
    // With another Client ID there is nothing to share.
    let administrator = connect(&Simulator::default().administrator(BASE), vendor.clone());
    all::<PhoneSystem>(&administrator).await.unwrap();
    all::<PhoneSystem>(&one).await.unwrap();
    assert_eq!(tokens(), 4);
}

#[tokio::test]
async fn a_role_without_rights_is_told_which() {
    let vendor = simulated();
    let threecx = connect(&vendor.simulator.powerless_credentials(BASE), vendor.clone());
    let error = threecx.check().await.unwrap_err();
    assert_eq!(error.kind, Kind::Forbidden);
    assert!(error.message.contains("System Owner") && error.message.contains("licence"), "{error}");
    assert_eq!(error.vendor_message.as_deref(), Some("WARNINGS.XAPI.FORBIDDEN"));
}
