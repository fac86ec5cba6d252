//! What people teach by mapping: it helps later suggestions, moves with its client, and goes when it is taken back.

use std::collections::BTreeSet;

use directory::{
    ImportAction, ImportChoice, ImportWish, MappingChoice, MappingSuggestion, Merge, Target, Typed, alias_delete,
    client_create, client_merge, import_apply, mapping_save, mapping_suggest, mapping_type,
    matching::{Decision, SignalKind},
};
use domain::{
    Actor, AliasKind, ChangeSet, ClientDraft, ClientId, ClientScope, Context, EntityId, Error, Permission, StaffId,
};
use persistence::{Apply, Tx};
use testkit::both_databases;
use uuid::Uuid;

use crate::house::{House, PAGE, Source};

const SOMEONE: StaffId = StaffId(Uuid::from_u128(77));

/// A transaction of a person, who sees these clients.
async fn person_of(house: &House<'_>, scope: ClientScope) -> Tx {
    let actor = Actor::Staff { id: SOMEONE };
    let context = Context { actor, scope, ..house.db.context(house.organisation) };
    house.db.store.begin(context).await.expect("begins")
}

/// A transaction of a person who sees everything.
pub async fn person(house: &House<'_>) -> Tx {
    person_of(house, ClientScope::All).await
}

/// Decisions of a person, saved together.
pub async fn save(house: &House<'_>, choices: &[(EntityId, Target)]) -> ChangeSet {
    let tx = person(house).await;
    let choice = |(entity_id, target): &(EntityId, Target)| MappingChoice {
        entity_id: *entity_id,
        target: target.clone(),
        reason: (*target == Target::Excluded).then(|| "not a client".to_owned()),
    };
    let choices: Vec<MappingChoice> = choices.iter().map(choice).collect();
    mapping_save(&tx, &choices, |_| true).await.expect("saves");
    tx.commit("mapping_save", None).await.expect("commits")
}

async fn confirm(house: &House<'_>, entity: EntityId, client: ClientId) -> ChangeSet {
    save(house, &[(entity, Target::Client(client))]).await
}

/// A person merges two clients.
pub async fn merge(house: &House<'_>, from: ClientId, into: ClientId) -> ChangeSet {
    let tx = person(house).await;
    client_merge(&tx, &Merge { from, into, take: Vec::new() }, None).await.expect("merges");
    tx.commit("client_merge", None).await.expect("commits")
}

/// What a client is known by: kind and text.
async fn known(house: &House<'_>, client: ClientId) -> Vec<(AliasKind, String)> {
    let listed = house.read().await.alias_list(client, &PAGE).await.expect("lists");
    assert_eq!((listed.total, listed.next), (listed.items.len() as i64, None));
    let mut known: Vec<_> = listed.items.into_iter().map(|alias| (alias.kind, alias.alias)).collect();
    known.sort();
    known
}

fn name(text: &str) -> (AliasKind, String) {
    (AliasKind::Name, text.to_owned())
}

fn domain(text: &str) -> (AliasKind, String) {
    (AliasKind::Domain, text.to_owned())
}

/// The kinds of what changed, in order.
fn kinds(set: &ChangeSet) -> Vec<&str> {
    set.changes.iter().map(|change| change.kind.as_str()).collect()
}

/// What is suggested for a connection.
pub async fn suggested(house: &House<'_>, source: Source, threshold: f64) -> Vec<MappingSuggestion> {
    mapping_suggest(&house.read().await, source.id, threshold).await.expect("suggests")
}

both_databases! {
    async fn what_a_person_confirms_is_learned_and_outlives_the_connection(db: TestDb) {
        let house = House::new(&db).await;
        let (ninja, microsoft) = (house.ninja().await, house.microsoft().await);
        let (harbour, crane) = (house.client("Blue Harbour Holdings").await, house.client("Crane Dental").await);
        let body = r#"{"domains":["WWW.Bhh.example","gmail.com"]}"#;
        let entity = house.entities_with(ninja, &[("  Wattle Portal", body)]).await[0];
        house.entity(microsoft, "wattle  portal pty ltd").await;
        house.map(&[entity], crane).await;
        assert!(known(&house, crane).await.is_empty(), "no person decided");
        house.decide(&[entity], Target::Nobody).await;
        assert_eq!(suggested(&house, microsoft, 0.95).await[0].decision, Decision::None);

        let taught = confirm(&house, entity, harbour).await;
        assert_eq!(kinds(&taught), ["mapping", "client_alias", "client_alias"]);
        assert_eq!(known(&house, harbour).await, [name("Wattle Portal"), domain("bhh.example")]);
        assert!(confirm(&house, entity, harbour).await.changes.is_empty(), "nothing new was said");
        let alias = house.read().await.alias_list(harbour, &PAGE).await.expect("lists").items.remove(1);
        assert_eq!((alias.entity_id, alias.integration.as_str(), alias.learned_by), (entity, "ninjaone", Some(SOMEONE)));
        assert_eq!(alias.learned_at, db.now());

        let tx = house.begin().await;
        let connection = tx.connection(ninja.id).await.expect("finds");
        tx.connection_delete(&connection).await.expect("deletes");
        tx.commit("connection_delete", None).await.expect("commits");
        let found = suggested(&house, microsoft, 0.95).await.remove(0);
        assert_eq!(found.decision, Decision::Accept(harbour), "{found:?}");
        let signal = found.suggestions[0].signals.iter().find(|signal| signal.kind == SignalKind::Alias);
        let signal = signal.expect("the signal");
        assert!(signal.weight > 0.9, "{signal:?}");
        assert_eq!(signal.detail, "“Wattle Portal” of ninjaone was mapped to the client by a person on 2026-11-21");
        let again = house.ninja().await;
        house.entities_with(again, &[("Something Else", body)]).await;
        let by_domain = suggested(&house, again, 0.95).await.remove(0);
        assert_eq!(by_domain.suggestions[0].client_id, harbour);
        assert!(by_domain.suggestions[0].signals.iter().any(|signal| signal.kind == SignalKind::Domain));
        assert!(by_domain.suggestions[0].signals.iter().all(|signal| signal.kind != SignalKind::Alias));
        house.entries().await;
    }

    async fn what_a_person_takes_back_is_unlearned(db: TestDb) {
        let house = House::new(&db).await;
        let source = house.ninja().await;
        let (one, two) = (house.client("Blue Harbour").await, house.client("Red Mountain").await);
        let [first, second] = house.entities(source, &["Quoll Works", "Zephyr Mills"]).await[..] else { panic!("two") };
        let taught = confirm(&house, first, one).await;
        let back = save(&house, &[(first, Target::Nobody)]).await;
        assert_eq!((kinds(&back), known(&house, one).await), (vec!["mapping", "client_alias"], vec![]));
        house.revert(back.entry, &[]).await.expect("reverts");
        assert_eq!(known(&house, one).await, [name("Quoll Works")]);
        // Back as it was, it is taken back with what taught it.
        house.revert(taught.entry, &[]).await.expect("reverts");
        assert!(known(&house, one).await.is_empty() && house.about(first).await.client_id.is_none());

        confirm(&house, first, one).await;
        save(&house, &[(first, Target::Excluded)]).await;
        assert!(known(&house, one).await.is_empty());
        assert_eq!(house.about(first).await.mapping_reason.as_deref(), Some("not a client"));

        confirm(&house, first, one).await;
        house.tell(source, first, "Quoll Renamed", "{}").await;
        assert_eq!(kinds(&confirm(&house, first, one).await), ["client_alias"], "its new name is confirmed");
        assert_eq!(known(&house, one).await, [name("Quoll Renamed"), name("Quoll Works")]);
        confirm(&house, first, two).await;
        assert_eq!((known(&house, one).await, known(&house, two).await), (vec![], vec![name("Quoll Renamed")]));

        // Swapped in one save, names follow their entities; a name that both have stays with both.
        confirm(&house, second, one).await;
        let swapped = save(&house, &[(first, Target::Client(one)), (second, Target::Client(two))]).await;
        assert_eq!(swapped.changes.iter().filter(|change| change.kind == "mapping").count(), 2);
        assert_eq!((house.about(first).await.client_id, house.about(second).await.client_id), (Some(one), Some(two)));
        assert_eq!((known(&house, one).await, known(&house, two).await), (vec![name("Quoll Renamed")], vec![name("Zephyr Mills")]));
        house.revert(swapped.entry, &[]).await.expect("reverts");
        assert_eq!((known(&house, one).await, known(&house, two).await), (vec![name("Zephyr Mills")], vec![name("Quoll Renamed")]));
        let [third, fourth] = house.entities(source, &["Twin Peak", "TWIN PEAK LTD"]).await[..] else { panic!("two") };
        save(&house, &[(third, Target::Client(one)), (fourth, Target::Client(two))]).await;
        let swapped = save(&house, &[(third, Target::Client(two)), (fourth, Target::Client(one))]).await;
        assert_eq!(kinds(&swapped), ["mapping", "mapping"], "both are still known by it");
        house.entries().await;
    }

    async fn two_clients_of_one_alias_are_for_a_person(db: TestDb) {
        let house = House::new(&db).await;
        let (ninja, other, third) = (house.ninja().await, house.ninja().await, house.microsoft().await);
        let (one, two) = (house.client("Blue Harbour").await, house.client("Red Mountain").await);
        let (first, second) = (house.entity(ninja, "Quoll Works").await, house.entity(other, "QUOLL WORKS PTY LTD").await);
        let asked = house.entity(third, "Quoll Works").await;
        confirm(&house, first, one).await;
        assert_eq!(suggested(&house, third, 0.95).await[0].decision, Decision::Accept(one));
        confirm(&house, second, two).await;
        // The names of mapped entities say so too: without them only what was learned is left.
        for source in [ninja, other] {
            for threshold in [0.5, 0.95] {
                let found = suggested(&house, third, threshold).await.remove(0);
                assert_eq!(found.decision, Decision::Ambiguous, "{found:?}");
                let against = found.suggestions.iter().take(2).flat_map(|one| &one.against);
                assert_eq!(against.filter(|signal| signal.kind == SignalKind::SharedAlias).count(), 2, "{found:?}");
            }
            let tx = house.begin().await;
            let connection = tx.connection(source.id).await.expect("finds");
            tx.connection_delete(&connection).await.expect("deletes");
            tx.commit("connection_delete", None).await.expect("commits");
        }
        let tx = person(&house).await;
        let rows = import_apply(&tx, third.id, None).await.expect("imports");
        assert_eq!(rows.iter().map(|row| (row.entity.id, row.action)).collect::<Vec<_>>(), [(asked, ImportAction::Conflict)]);
        drop(tx);
        let alias = house.read().await.alias_list(two, &PAGE).await.expect("lists").items.remove(0);
        let tx = person(&house).await;
        alias_delete(&tx, two, alias.id, |_| Ok(())).await.expect("deletes");
        tx.commit("alias_delete", None).await.expect("commits");
        assert_eq!(suggested(&house, third, 0.95).await[0].decision, Decision::Accept(one));
    }

    async fn aliases_go_where_their_client_goes(db: TestDb) {
        let house = House::new(&db).await;
        let source = house.ninja().await;
        let (from, into) = (house.client("Blue Harbour").await, house.client("Red Mountain").await);
        let names = ["Quoll Works", "Quoll Works Ltd", "Zephyr Mills"];
        let [first, second, third] = house.entities(source, &names).await[..] else { panic!("three") };
        save(&house, &[(first, Target::Client(from)), (third, Target::Client(from)), (second, Target::Client(into))]).await;
        let merged = merge(&house, from, into).await;
        assert!(house.read().await.aliases_of_clients(&[from]).await.expect("lists").is_empty());
        assert_eq!(known(&house, into).await, [name("Quoll Works Ltd"), name("Zephyr Mills")]);
        // Taught since by the survivor alone, it stays with it.
        let later = house.entity(source, "Later Name").await;
        confirm(&house, later, into).await;
        house.revert(merged.entry, &[]).await.expect("reverts");
        assert_eq!(known(&house, from).await, [name("Quoll Works"), name("Zephyr Mills")]);
        assert_eq!(known(&house, into).await, [name("Later Name"), name("Quoll Works Ltd")]);
        assert_eq!(house.about(first).await.client_id, Some(from));

        let deleted = house.delete(from).await;
        assert!(house.read().await.aliases_of_clients(&[from]).await.expect("lists").is_empty());
        let found = suggested(&house, source, 0.95).await;
        assert!(found.iter().flat_map(|one| &one.suggestions).all(|one| one.client_id != from), "{found:?}");
        house.revert(deleted.entry, &[]).await.expect("reverts");
        assert_eq!(known(&house, from).await, [name("Quoll Works"), name("Zephyr Mills")]);
        house.entries().await;
    }

    async fn an_alias_is_forgotten_by_hand_and_comes_back(db: TestDb) {
        let house = House::new(&db).await;
        let source = house.ninja().await;
        let (one, hidden) = (house.client("Blue Harbour").await, house.client("Red Mountain").await);
        let (first, second) = (house.entity(source, "Quoll Works").await, house.entity(source, "Zephyr Mills").await);
        confirm(&house, first, one).await;
        confirm(&house, second, hidden).await;
        let alias = async |client| house.read().await.alias_list(client, &PAGE).await.expect("lists").items.remove(0);
        let (own, theirs) = (alias(one).await, alias(hidden).await);
        let tx = person_of(&house, ClientScope::Only([one].into())).await;
        for (client, id, what) in [(hidden, theirs.id, "client"), (one, theirs.id, "alias"), (hidden, own.id, "client")] {
            let refused = alias_delete(&tx, client, id, |_| Ok(())).await;
            assert!(matches!(refused, Err(Error::NotFound { what: found }) if found == what), "{refused:?}");
        }
        assert_eq!(tx.aliases().await.expect("lists"), std::slice::from_ref(&own), "what is hidden teaches nobody");
        let permission = Permission::MappingsSave;
        let refused = alias_delete(&tx, one, own.id, |_| Err(Error::Forbidden { permission })).await;
        assert!(matches!(refused, Err(Error::Forbidden { .. })), "{refused:?}");
        assert!(tx.changes().is_empty());
        drop(tx);
        let tx = person(&house).await;
        alias_delete(&tx, one, own.id, |_| Ok(())).await.expect("deletes");
        let set = tx.finish("alias_delete", &Apply::default()).await.expect("commits");
        assert_eq!((kinds(&set), set.changes[0].client_id), (vec!["client_alias"], Some(one)));
        assert!(known(&house, one).await.is_empty() && house.about(first).await.client_id == Some(one));
        house.revert(set.entry, &[]).await.expect("reverts");
        assert_eq!(alias(one).await, own);
        // Said again, it is learned again; that it is known already does not hold a revert up.
        let tx = person(&house).await;
        alias_delete(&tx, one, own.id, |_| Ok(())).await.expect("deletes");
        let set = tx.commit("alias_delete", None).await.expect("commits");
        confirm(&house, first, one).await;
        assert!(house.revert(set.entry, &[]).await.expect("reverts").changes.is_empty());
        assert_eq!(known(&house, one).await, [name("Quoll Works")]);
        // What was its client's is not brought back to a client that is gone.
        let tx = person(&house).await;
        let again = alias(one).await;
        alias_delete(&tx, one, again.id, |_| Ok(())).await.expect("deletes");
        let set = tx.commit("alias_delete", None).await.expect("commits");
        house.delete(one).await;
        let refused = crate::house::problems(house.revert(set.entry, &[]).await);
        assert_eq!(refused, [(again.id.to_string(), "client_deleted")]);
    }

    async fn only_a_persons_choice_of_an_import_teaches(db: TestDb) {
        let house = House::new(&db).await;
        let source = house.ninja().await;
        let (one, two) = (house.client("Blue Harbour").await, house.client("Quoll Works").await);
        let names = ["Blue Harbour", "Zephyr Mills", "Kestrel Road", "Default Site", "Something Quite New"];
        let entities = house.entities(source, &names).await;
        let link = |at: usize, client| ImportWish { entity_id: entities[at], choice: Some(ImportChoice::Link(client)) };
        let by_itself = |at: usize| ImportWish { entity_id: entities[at], choice: None };
        let skip = ImportWish { entity_id: entities[2], choice: Some(ImportChoice::Skip) };
        let tx = person(&house).await;
        let wishes = [by_itself(0), link(1, two), skip, link(3, two), by_itself(4)];
        let rows = import_apply(&tx, source.id, Some(&wishes)).await.expect("imports");
        let set = tx.commit("import_apply", None).await.expect("commits");
        let actions: Vec<ImportAction> = rows.iter().map(|row| row.action).collect();
        let expected = [ImportAction::Link, ImportAction::Link, ImportAction::Skip, ImportAction::Link, ImportAction::Create];
        assert_eq!(actions, expected);
        assert!(known(&house, one).await.is_empty(), "nobody decided");
        assert_eq!(known(&house, two).await, [name("Zephyr Mills")], "half the world has a default site");
        let tx = person(&house).await;
        let again = import_apply(&tx, source.id, Some(&wishes)).await.expect("imports");
        assert!(again.iter().all(|row| row.action != ImportAction::Link));
        assert!(tx.changes().is_empty(), "mapped before, nothing is learned: {:?}", tx.changes());
        drop(tx);
        house.revert(set.entry, &[]).await.expect("reverts");
        assert!(known(&house, two).await.is_empty());
        let long = "n".repeat(300);
        let long = house.entity(source, &long).await;
        confirm(&house, long, one).await;
        let blank = house.entity(source, " ").await;
        confirm(&house, blank, one).await;
        assert!(known(&house, one).await.is_empty(), "no client is called so");
    }

    async fn pages_of_aliases_hold_each_once(db: TestDb) {
        let house = House::new(&db).await;
        let source = house.ninja().await;
        let one = house.client("Blue Harbour").await;
        let names: Vec<String> = (0..23).map(|n| format!("Quoll {n}")).collect();
        let entities = house.entities(source, &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
        save(&house, &entities.iter().map(|id| (*id, Target::Client(one))).collect::<Vec<_>>()).await;
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = domain::PageRequest { limit: 5, after };
            let listed = house.read().await.alias_list(one, &page).await.expect("lists");
            assert_eq!(listed.total, 23);
            seen.extend(listed.items.into_iter().map(|alias| alias.alias));
            after = listed.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!((seen.len(), BTreeSet::from_iter(seen)), (23, BTreeSet::from_iter(names)));
    }

    async fn choosing_an_entity_or_typing_its_id_teaches_too(db: TestDb) {
        let house = House::new(&db).await;
        let ninja = house.ninja().await;
        let chosen = house.entities_with(ninja, &[("Wattle Portal", r#"{"domains":["wattle.example"]}"#)]).await[0];
        let tx = person(&house).await;
        let draft = ClientDraft { name: "Blue Harbour".into(), ..ClientDraft::default() };
        let harbour = client_create(&tx, draft, &[chosen]).await.expect("creates").client.id;
        let made = tx.commit("client_create", None).await.expect("commits");
        assert_eq!(kinds(&made), ["client", "mapping", "client_alias", "client_alias"]);
        assert_eq!(known(&house, harbour).await, [name("Wattle Portal"), domain("wattle.example")]);
        house.revert(made.entry, &[]).await.expect("reverts");
        assert!(house.read().await.aliases().await.expect("reads").is_empty());

        let crane = house.client("Crane Dental").await;
        let typed = house.entity(ninja, "Bright Smiles").await;
        let vendor_id = house.about(typed).await.vendor_id;
        let tx = person(&house).await;
        let done = mapping_type(&tx, crane, "ninjaone", &vendor_id.to_uppercase()).await.expect("types");
        assert!(matches!(&done, Typed::Mapped(entity) if entity.client_id == Some(crane)), "{done:?}");
        let unknown = mapping_type(&tx, crane, "ninjaone", "nobody lists this").await.expect("types");
        assert!(matches!(unknown, Typed::Unverified(_)), "{unknown:?}");
        tx.commit("mapping_type", None).await.expect("commits");
        assert_eq!(known(&house, crane).await, [name("Bright Smiles")]);
        house.entries().await;
    }
}
