//! The connector against the simulated vendor: what the world says must arrive, and what is written
//! must be true in the world.

use std::{collections::BTreeMap, sync::Arc};

use connector_pax8::{Pax8, Simulator};
use integration::{
    CredentialsForm, Entity, Exact, Invoice, Item, Kind, Position, Pull, RecordType, Request, SetQuantity,
    Subscription, Transport, Vendor,
};
use rust_decimal::Decimal;
use vendorkit::{Simulated, Simulator as _, World, WorldSize, a_tuesday};

fn simulated() -> (Pax8, Arc<Simulated>) {
    let simulator = Arc::new(Simulator::default());
    let form = simulator.credentials("http://127.0.0.1:4100/pax8");
    let world = World::generate(WorldSize::DEMO, 7, a_tuesday());
    let vendor = Arc::new(Simulated::new(simulator, world));
    let credentials = <Pax8 as Vendor>::Credentials::parse(&form).expect("the simulator's credentials fit");
    (Pax8::connect(credentials, vendor.clone()), vendor)
}

async fn all<T: RecordType>(pax8: &Pax8) -> BTreeMap<String, Item<T>>
where
    Pax8: Pull<T>,
{
    let (mut found, mut cursor) = (BTreeMap::new(), None);
    loop {
        let page = Pull::<T>::page(pax8, Position { cursor: cursor.as_ref(), ..Position::default() }).await.unwrap();
        for raw in &page.records {
            let item = Pull::<T>::read(pax8, raw).unwrap();
            assert!(found.insert(item.id.clone(), item).is_none(), "an id came twice");
        }
        cursor = page.next;
        if cursor.is_none() {
            assert_eq!(page.total, Some(found.len() as u64));
            return found;
        }
    }
}

fn exact(quantity: u32) -> Exact {
    Exact(Decimal::from(quantity))
}

#[tokio::test]
async fn companies_arrive_as_the_world_has_them() {
    let (pax8, vendor) = simulated();
    let found = all::<Entity>(&pax8).await;
    vendor.read(|world| {
        assert_eq!(found.len(), world.known_to("pax8").count());
        for business in world.known_to("pax8") {
            let entity = &found[&business.id_at("pax8").to_string()].record;
            assert_eq!(entity.domains, std::slice::from_ref(&business.domain));
            assert_eq!(entity.name, business.name_at("pax8").trim());
            assert!(entity.external_ids.get("psa").is_none_or(|id| *id == business.psa_id));
            assert!(entity.active.is_some());
        }
    });
    assert!(found.values().any(|item| item.record.external_ids.is_empty()));
    assert!(found.values().any(|item| item.record.active == Some(false)));
}

#[tokio::test]
async fn subscriptions_arrive_as_the_world_has_them() {
    let (pax8, vendor) = simulated();
    let found = all::<Subscription>(&pax8).await;
    vendor.read(|world| {
        for business in world.known_to("pax8") {
            for expected in &business.subscriptions {
                let item = &found[&expected.id.to_string()];
                let record = &item.record;
                assert_eq!(item.entity, Some(business.id_at("pax8").to_string()));
                assert_eq!(record.quantity, Some(exact(expected.quantity)));
                assert_eq!(record.price.as_ref().map(|price| price.amount.0), Some(expected.price));
                assert_eq!(record.cost.as_ref().map(|cost| cost.amount.0), Some(expected.cost));
                assert_eq!(record.status, expected.status);
                assert_eq!(record.commitment_ends_at, expected.commitment_ends);
                assert_eq!(record.starts_at.map(|at| at.date_naive()), Some(expected.starts.date_naive()));
            }
        }
    });
}

/// The shares of an invoice are what was sold to each company at what the MSP pays for it, to the cent.
#[tokio::test]
async fn shares_of_invoices_add_up() {
    let (pax8, vendor) = simulated();
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let page = Pull::<Invoice>::page(&pax8, Position { cursor: cursor.as_ref(), ..Position::default() }).await;
        let page = page.unwrap();
        found.extend(page.records.iter().map(|raw| Pull::<Invoice>::read(&pax8, raw).unwrap()));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert!(found.len() > 20, "{}", found.len());
    vendor.read(|world| {
        for item in &found {
            let business = world.by_id_at("pax8", item.entity.as_deref().unwrap().parse().unwrap()).unwrap();
            let cost: Decimal = business.subscriptions.iter().map(|s| s.cost * Decimal::from(s.quantity)).sum();
            assert_eq!(item.record.net.as_ref().map(|net| net.amount.0), Some(cost), "{}", item.id);
            assert!(business.invoices.iter().any(|one| Some(one.issued) == item.record.issued_on));
        }
    });
    let newest = found.iter().max_by_key(|item| item.record.issued_on).unwrap();
    assert_eq!((newest.record.status.as_deref(), newest.record.paid), (Some("Unpaid"), Some(false)));
    let old = vendor.requests().iter().find_map(|request| {
        request.url.query_pairs().find(|(key, _)| key == "invoiceDateRangeStart").map(|(_, day)| day.into_owned())
    });
    assert_eq!(old.as_deref(), Some("2025-10-01"));
}

#[tokio::test]
async fn a_changed_quantity_is_true_afterwards() {
    let (pax8, vendor) = simulated();
    let (id, before) = vendor.read(|world| {
        let mut all = world.known_to("pax8").flat_map(|business| &business.subscriptions);
        all.find(|s| s.status == "Active").map(|s| (s.id, s.quantity)).expect("an active subscription")
    });
    vendor.clear_log();
    let raw = pax8.set_quantity(&id.to_string(), exact(before + 3)).await.unwrap();
    let answer = Pull::<Subscription>::read(&pax8, &raw).unwrap();
    assert_eq!((answer.id, answer.record.quantity), (id.to_string(), Some(exact(before + 3))));
    assert_eq!(vendor.read(|world| world.subscription(id).map(|(_, s)| s.quantity)), Some(before + 3));
    let again = Pull::<Subscription>::read(&pax8, &pax8.fetch(&id.to_string()).await.unwrap()).unwrap();
    assert_eq!(again.record.quantity, Some(exact(before + 3)));
    let puts = vendor.log().iter().filter(|(method, _)| *method == "PUT").count();
    assert_eq!(puts, 1);
}

/// What `refusal` foresees is what the vendor says, for every subscription of the world.
#[tokio::test]
async fn what_is_foreseen_is_what_the_vendor_says() {
    let (pax8, vendor) = simulated();
    let now = a_tuesday();
    let (mut refused, mut taken) = (0, 0);
    for (id, item) in all::<Subscription>(&pax8).await {
        let quantity = item.record.quantity.unwrap().0;
        let to = Exact((quantity - Decimal::ONE).max(Decimal::ONE));
        let foreseen = pax8.refusal(&item.record, to, now);
        match pax8.set_quantity(&id, to).await {
            Ok(_) => taken += 1,
            Err(error) => {
                assert_eq!(error.kind, Kind::Refused);
                assert!(error.vendor_message.is_some());
                refused += 1;
                let unchanged = vendor.read(|world| world.subscription(id.parse().unwrap()).map(|(_, s)| s.quantity));
                assert_eq!(unchanged.map(Decimal::from), Some(quantity));
                assert!(foreseen.is_some(), "{id}: {error}");
                continue;
            }
        }
        assert_eq!(foreseen, None, "{id}");
    }
    assert!(refused > 3 && taken > 3, "{refused} refused, {taken} taken: the world shows too little");
}

#[tokio::test]
async fn a_stranger_is_not_found() {
    let (pax8, _) = simulated();
    let stranger = "00000000-0000-4000-8000-000000000000";
    assert_eq!(pax8.fetch(stranger).await.unwrap_err().kind, Kind::NotFound);
    assert_eq!(pax8.set_quantity(stranger, exact(2)).await.unwrap_err().kind, Kind::NotFound);
}

/// The vendor's published descriptions (findCompanies, findSubscriptions) list the words that `sort` may be: for
/// companies the field alone, for subscriptions with its direction.
#[tokio::test]
async fn a_sort_that_the_description_does_not_know_is_refused() {
    let (pax8, vendor) = simulated();
    all::<Entity>(&pax8).await;
    let asked = vendor.requests().into_iter().rfind(|request| request.url.path().ends_with("/companies")).unwrap();
    for (listing, sort, status) in [
        ("companies", "name", 200),
        ("companies", "name,asc", 400),
        ("subscriptions", "createdDate,asc", 200),
        ("subscriptions", "createdDate", 400),
    ] {
        let mut url = asked.url.clone();
        url.path_segments_mut().unwrap().pop().push(listing);
        url.set_query(Some(&format!("sort={sort}")));
        let answer = vendor.send(Request { url, ..asked.clone() }).await.unwrap();
        assert_eq!(answer.status, status, "{listing} by {sort}");
    }
}
