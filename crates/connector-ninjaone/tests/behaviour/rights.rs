//! What works with which scope.

use std::sync::Arc;

use connector_ninjaone::{Credentials, NinjaOne, Simulator};
use integration::{Connector, ContactDraft, CredentialsForm, Kind, Position, Reach, Vendor};
use serde_json::{Map, Value};
use vendorkit::{Simulated, Simulator as _, World, WorldSize};

/// A connector over a simulated account whose client app has the scope Monitoring only.
fn watching() -> (NinjaOne, Arc<Simulated>) {
    let simulator = Arc::new(Simulator::default());
    let mut values: Map<String, Value> = simulator.credentials("http://127.0.0.1:1/ninjaone");
    values.insert("client_id".into(), "sim-ninjaone-app-0003".into());
    values.insert("client_secret".into(), "sim-ninjaone-secret-0003".into());
    let world = World::generate(WorldSize::DEMO, 3, chrono::DateTime::from_timestamp(1_764_000_000, 0).unwrap());
    let simulated = Arc::new(Simulated::new(simulator, world));
    (NinjaOne::connect(Credentials::parse(&values).unwrap(), simulated.clone()), simulated)
}

#[tokio::test]
async fn without_management_everything_can_still_be_read() {
    let (connector, simulated) = watching();
    assert_eq!(connector.check().await.unwrap().warnings.len(), 1);
    let organization = simulated.read(|world| world.known_to(NinjaOne::ID).next().unwrap().key.to_string());
    let location = simulated.read(|world| world.known_to(NinjaOne::ID).next().unwrap().locations[0].key.to_string());
    for listing in connector.listings() {
        let entity = (listing.reach() == Reach::Entity).then_some(organization.as_str());
        listing.page(Position { entity, ..Position::default() }).await.unwrap();
    }
    for shelf in connector.templates().unwrap().shelves() {
        connector.templates().unwrap().templates(&shelf.id).await.unwrap();
    }
    connector.custom_fields().unwrap().fields(&organization, &location).await.unwrap();
}

#[tokio::test]
async fn without_management_nothing_is_changed_and_the_scope_is_named() {
    let (connector, simulated) = watching();
    let (organization, location, person) = simulated.read(|world| {
        let business = world.known_to(NinjaOne::ID).find(|business| !business.people.is_empty()).unwrap();
        (business.key.to_string(), business.locations[0].key.to_string(), business.people[0].key.to_string())
    });
    let (document, owner) = simulated.read(|world| {
        let mut all = world.known_to(NinjaOne::ID).filter_map(|b| Some((b.documents.first()?.key, b.key)));
        all.next().map(|(document, owner)| (document.to_string(), owner.to_string())).unwrap()
    });
    let before = simulated.read(World::revision);
    let draft = ContactDraft {
        given_name: Some("Ana".into()),
        family_name: Some("Silva".into()),
        email: Some("ana@harbour.example".into()),
        ..ContactDraft::default()
    };
    let rename = ContactDraft { family_name: Some("Vale".into()), ..ContactDraft::default() };
    let contacts = connector.contact_writes().unwrap();
    let fields = [("siteCode".to_owned(), Some("A".to_owned()))];
    let errors = [
        contacts.create(&organization, &draft).await.unwrap_err(),
        contacts.update(&organization, &person, &rename).await.unwrap_err(),
        contacts.remove(&organization, &person).await.unwrap_err(),
        connector.document_archive().unwrap().set_archived(&owner, &document, true).await.unwrap_err(),
        connector.custom_fields().unwrap().set_fields(&organization, &location, &fields).await.unwrap_err(),
        connector.installer_links().unwrap().installer(&organization, None, "MAC_PKG").await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind, Kind::Forbidden, "{error}");
        assert!(error.message.contains("Management"), "{error}");
    }
    assert_eq!(simulated.read(World::revision), before);
}
