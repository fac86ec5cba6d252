//! The exchange files of a connector.

use std::sync::Arc;

use integration::{Connector, Exact, Reach, RecordKind, Transport, Walk};
use rust_decimal::Decimal;

use super::{
    Subject, played_writes,
    stage::{Walked, walk},
};
use crate::replay::{Exchange, Replay, load, scan};

/// Each capability has at least one exchange that shows its success.
pub async fn has_an_exchange_for_every_capability(subject: &Subject) {
    let exchanges = read(subject);
    let names: Vec<&str> = subject.entry.capabilities().iter().map(|capability| capability.name).collect();
    // Webhooks come in; they are no exchange of ours.
    for name in names.iter().filter(|&&name| name != "webhooks") {
        let shown = exchanges.iter().any(|exchange| exchange.is_for(name) && exchange.succeeds());
        assert!(shown, "no exchange in tests/vendor shows \"{name}\"");
    }
    for exchange in &exchanges {
        if let Some(named) = exchange.capability.as_deref() {
            let known = names.contains(&named) || matches!(named, "token" | "check");
            assert!(known, "{exchange} is for \"{named}\", which the connector does not have");
        }
    }
}

/// No exchange holds anything of a real account, and each says where its shape comes from.
pub async fn exchanges_hold_nothing_real(subject: &Subject) {
    let faults: Vec<String> = read(subject).iter().flat_map(scan).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The exchanges of each capability, played: they are asked for exactly, and their records read.
pub async fn exchanges_read_as_expected(subject: &Subject) {
    let exchanges = read(subject);
    let entities = play(subject, &exchanges, RecordKind::Entity, None).await.map(|walked| walked.ids());
    let first_entity = entities.and_then(|ids| ids.into_iter().next());
    for kind in RecordKind::ALL {
        if let Some(walked) = play(subject, &exchanges, kind, first_entity.as_deref()).await {
            assert!(!walked.records.is_empty(), "the exchanges of \"{}\" hold no record", kind.as_str());
        }
    }
    play_quantity(subject, &exchanges).await;
    played_writes::play(subject, &exchanges).await;
}

fn read(subject: &Subject) -> Vec<Exchange> {
    load(&subject.exchanges).unwrap_or_else(|why| panic!("{why}"))
}

/// A connector over the successful exchanges of one capability, with its own example credentials.
pub(super) fn over(subject: &Subject, exchanges: &[Exchange], capability: &str) -> (Arc<Replay>, Box<dyn Connector>) {
    let chosen: Vec<Exchange> = exchanges
        .iter()
        .filter(|exchange| exchange.succeeds() && (exchange.gives_token() || exchange.is_for(capability)))
        .cloned()
        .collect();
    let replay = Arc::new(Replay::of(chosen));
    let transport: Arc<dyn Transport> = replay.clone();
    let connector = subject.entry.connect(&subject.entry.example(), transport);
    (replay, connector.unwrap_or_else(|why| panic!("its own examples: {why:?}")))
}

/// Plays the listing of a kind; `None` if the connector does not have it.
async fn play(subject: &Subject, exchanges: &[Exchange], kind: RecordKind, entity: Option<&str>) -> Option<Walked> {
    let (replay, connector) = over(subject, exchanges, kind.as_str());
    let listing = connector.listings().into_iter().find(|listing| listing.kind() == kind)?;
    let named = exchanges.iter().filter(|exchange| exchange.is_for(kind.as_str())).find_map(|e| e.entity.as_deref());
    let entity = (listing.reach() == Reach::Entity)
        .then(|| named.or(entity).unwrap_or_else(|| panic!("no exchange of \"{}\" names its entity", kind.as_str())));
    let fail = |why: &dyn std::fmt::Display| -> ! { panic!("the exchanges of \"{}\": {why}", kind.as_str()) };
    let bounds = || Walk::new(subject.entry.name, 100);
    let mut walked = match walk(bounds(), subject.entry.name, &*listing, entity, None).await {
        Ok(walked) => walked,
        Err(why) => fail(&why),
    };
    // What is left is the round of changes that the mark opens.
    if let (true, Some(mark), Err(_)) =
        (listing.incremental(), walked.mark.clone(), replay.finish_but(Exchange::gives_token))
    {
        match walk(bounds(), subject.entry.name, &*listing, entity, Some(&mark)).await {
            Ok(changes) => walked.records.extend(changes.records),
            Err(why) => fail(&why),
        }
    }
    if let Err(why) = replay.finish_but(Exchange::gives_token) {
        fail(&why);
    }
    Some(walked)
}

async fn play_quantity(subject: &Subject, exchanges: &[Exchange]) {
    const NAME: &str = "subscription_quantity";
    let (replay, connector) = over(subject, exchanges, NAME);
    let Some(set) = connector.subscription_quantity() else { return };
    let arguments =
        exchanges.iter().find(|exchange| exchange.is_for(NAME) && exchange.arguments.contains_key("quantity"));
    let argument = |name: &str| arguments.and_then(|exchange| exchange.arguments.get(name));
    let (Some(id), Some(quantity)) = (argument("subscription"), argument("quantity")) else {
        panic!("the exchange of \"{NAME}\" lacks \"arguments\": {{\"subscription\": id, \"quantity\": \"12\"}}")
    };
    let to: Decimal = quantity.parse().unwrap_or_else(|why| panic!("{quantity}: {why}"));
    let raw = set.set_quantity(id, Exact(to)).await.unwrap_or_else(|why| panic!("{why}"));
    let listing = connector.listings().into_iter().find(|listing| listing.kind() == RecordKind::Subscription);
    let read = listing.map(|listing| listing.read(&raw)).unwrap_or_else(|| panic!("no listing of subscriptions"));
    let read = read.unwrap_or_else(|why| panic!("the answer to the change cannot be read: {why}"));
    assert_eq!(&read.id, id);
    replay.finish_but(Exchange::gives_token).unwrap_or_else(|why| panic!("{why}"));
}
