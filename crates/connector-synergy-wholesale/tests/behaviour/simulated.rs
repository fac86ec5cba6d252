//! The connector against the simulated vendor: what the world says must arrive.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use connector_synergy_wholesale::{Simulator, SynergyWholesale};
use integration::{
    Connector, CredentialsForm, Domain, Entity, Hosting, Item, Position, Pull, RecordType, Transport, Vendor,
};
use vendorkit::{Fault, Faulty, Plan, Simulated, Simulator as _, World, WorldSize, a_tuesday};

fn simulated(size: WorldSize) -> Arc<Simulated> {
    Arc::new(Simulated::new(Arc::new(Simulator), World::generate(size, 7, a_tuesday())))
}

fn connect(transport: Arc<dyn Transport>) -> SynergyWholesale {
    let form = Simulator.credentials("http://127.0.0.1:4100/synergy-wholesale");
    SynergyWholesale::connect(<SynergyWholesale as Vendor>::Credentials::parse(&form).unwrap(), transport)
}

async fn all<T: RecordType>(synergy: &SynergyWholesale) -> BTreeMap<String, Item<T>>
where
    SynergyWholesale: Pull<T>,
{
    let (mut found, mut cursor) = (BTreeMap::new(), None);
    loop {
        let page = Pull::<T>::page(synergy, Position { cursor: cursor.as_ref(), ..Position::default() }).await.unwrap();
        for raw in &page.records {
            let text = std::str::from_utf8(raw).unwrap();
            assert!(!text.contains("transfer-code") && !text.contains("hosting-password"), "a secret in {text}");
            let item = Pull::<T>::read(synergy, raw).unwrap();
            assert!(found.insert(item.id.clone(), item).is_none(), "an id came twice");
        }
        cursor = page.next;
        if cursor.is_none() {
            return found;
        }
    }
}

#[tokio::test]
async fn everything_arrives_under_its_category() {
    let vendor = simulated(WorldSize::DEMO);
    let synergy = connect(vendor.clone());
    let (entities, domains) = (all::<Entity>(&synergy).await, all::<Domain>(&synergy).await);
    let hostings = all::<Hosting>(&synergy).await;
    vendor.read(|world| {
        for business in world.known_to("synergy-wholesale") {
            let id = business.key.to_string();
            assert_eq!(entities[&id].record.name, business.name_at("synergy-wholesale").trim());
            assert!(entities[&id].record.domains.contains(&business.domain));
            let domain = &domains[&business.domain];
            assert_eq!(domain.entity.as_deref(), Some(id.as_str()));
            assert!(domain.record.expires_on > domain.record.registered_on);
            assert_eq!(domain.record.name_servers, ["ns1.dns.example", "ns2.dns.example"]);
            let hosting = hostings.values().find(|item| item.record.name == business.domain).unwrap();
            assert_eq!(hosting.entity, domain.entity);
        }
    });
    assert!(!domains.contains_key("long-gone.example"));
    let of_nobody = |item: &Item<Domain>| item.entity.as_deref() == Some("uncategorised");
    assert!(domains.values().any(of_nobody), "the world shows no domain without a category");
    assert!(domains.values().any(|item| item.record.problems.len() > 1), "the world shows no conflict");
    assert!(
        hostings
            .values()
            .any(|item| item.record.name.starts_with("mail.") && item.entity.as_deref() != Some("uncategorised"))
    );
    let auto: HashSet<_> = domains.values().map(|item| item.record.auto_renew).collect();
    assert_eq!(auto.len(), 3, "yes, no and unknown");
}

/// The map of domains is looked up once for a listing of hosting services, however many pages that has, and anew
/// for the next listing.
#[tokio::test]
async fn domains_are_walked_once_for_a_listing_of_hosting() {
    let vendor = simulated(WorldSize { businesses: 1_600, devices: 0, people: 0 });
    let synergy = connect(vendor.clone());
    all::<Hosting>(&synergy).await;
    let pages = vendor.count();
    assert_eq!(pages, 4 + 2, "domains and hosting services");
    // A listing that goes on elsewhere finds no map, and makes its own.
    let second = integration::Cursor::new("2");
    let elsewhere = connect(vendor.clone());
    let at = Position { cursor: Some(&second), ..Position::default() };
    let page = Pull::<Hosting>::page(&elsewhere, at).await.unwrap();
    assert!(!page.records.is_empty());
    let owned = |raw: &bytes::Bytes| Pull::<Hosting>::read(&elsewhere, raw).unwrap().entity.unwrap();
    assert!(page.records.iter().map(owned).any(|entity| entity != "uncategorised"));
    // A domain that moved moves its hosting service with the next listing.
    let key = vendor.read(|world| world.known_to("synergy-wholesale").next().unwrap().key);
    let domain = vendor.read(|world| world.business(key).unwrap().domain.clone());
    vendor.change(|world| world.change_business(key, |business| business.domain = "moved.example".into()));
    let hostings = all::<Hosting>(&synergy).await;
    assert!(hostings.values().all(|item| item.record.name != domain));
    let moved = hostings.values().find(|item| item.record.name == "moved.example").unwrap();
    assert_eq!(moved.entity, Some(key.to_string()));
}

/// What the suite does with JSON: elements that we do not know, and words that are new.
#[tokio::test]
async fn unknown_elements_and_new_words_cost_nothing() {
    let vendor = simulated(WorldSize::SMALL);
    let plain = all::<Domain>(&connect(vendor.clone())).await;
    let alter = |_: &_, mut response: integration::Response| {
        let body = String::from_utf8(response.body.to_vec()).unwrap();
        let strange = "<unheardOf since=\"2031\"><item><a/></item></unheardOf>";
        let body = body.replace("<item>", &format!("<item>{strange}")).replace("<return ", "<return strange=\"1\" ");
        let body = body
            .replace(&format!("<item>{strange}NS1"), "<item>NS1")
            .replace(&format!("<item>{strange}ns2"), "<item>ns2");
        response.body = body.replace("clienthold", "newer than us").replace(">OK<", ">OK_NEWER<").into();
        response
    };
    let faulty = Faulty::new(vendor, Plan::Always(Fault::Alter(Arc::new(alter))));
    let altered = all::<Domain>(&connect(Arc::new(faulty))).await;
    assert_eq!(altered.keys().collect::<Vec<_>>(), plain.keys().collect::<Vec<_>>());
    for (id, item) in &plain {
        let (before, after) = (&item.record, &altered[id].record);
        assert_eq!((before.expires_on, &before.name_servers), (after.expires_on, &after.name_servers));
        assert_eq!(item.entity, altered[id].entity);
    }
}

#[tokio::test]
async fn a_call_that_is_none_is_a_fault() {
    let vendor = simulated(WorldSize::SMALL);
    let strip = |_: &_, mut response: integration::Response| {
        assert_eq!(response.status, 200);
        response.status = 500;
        response
    };
    let faulty = Faulty::new(vendor.clone(), Plan::Always(Fault::Alter(Arc::new(strip))));
    assert_eq!(connect(Arc::new(faulty)).check().await.unwrap_err().kind, integration::Kind::Unavailable);
    // A browser that comes by gets a fault, as at the vendor.
    let get = integration::Request::get("http://127.0.0.1:4100/synergy-wholesale".parse().unwrap());
    let answer = vendor.send(get).await.unwrap();
    assert_eq!(answer.status, 500);
    assert!(String::from_utf8_lossy(&answer.body).contains("SOAP-ENV:Client"));
}
