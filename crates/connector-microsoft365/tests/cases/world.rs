//! Against the simulated world: what is listed is what is true there.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::TimeDelta;
use connector_microsoft365::{
    Credentials, Microsoft365,
    simulator::{Microsoft365Simulator, has_consent},
};
use integration::{
    Connector, CredentialsForm, Cursor, Error, Item, Kind, Page, Position, Pull, RecordType, Transport, Vendor,
};
use vendorkit::{Simulated, World, WorldSize, a_tuesday, world::Business};

const VENDOR: &str = Microsoft365::ID;

fn begin() -> (Arc<Simulated>, Microsoft365) {
    let world = World::generate(WorldSize::DEMO, 7, a_tuesday());
    let simulated = Arc::new(Simulated::new(Arc::new(Microsoft365Simulator::default()), world));
    let credentials = simulated.simulator.credentials("http://127.0.0.1:4100/microsoft365");
    let transport: Arc<dyn Transport> = simulated.clone();
    let credentials = Credentials::parse(&credentials).expect("the simulator's own credentials");
    let connector = Microsoft365::connect(credentials, transport);
    (simulated, connector)
}

/// A whole listing, its pages joined; the second number is how many pages it had.
async fn list<T: RecordType>(pull: &dyn Pull<T>, at: Position<'_>) -> Result<(Page, usize), Error> {
    let (mut all, mut cursor, mut pages) = (Page::default(), None::<Cursor>, 0);
    loop {
        let page = pull.page(Position { cursor: cursor.as_ref(), ..at }).await?;
        pages += 1;
        all.records.extend(page.records);
        all.removed.extend(page.removed);
        all.changes_only = page.changes_only;
        all.mark = page.mark;
        cursor = page.next;
        if cursor.is_none() {
            return Ok((all, pages));
        }
    }
}

fn read<T: RecordType>(pull: &dyn Pull<T>, page: &Page) -> Vec<Item<T>> {
    page.records.iter().map(|raw| pull.read(raw).expect("the simulator's own records")).collect()
}

/// A tenant that everything can be read of, with more users than one page holds.
fn open_tenant(world: &World) -> &Business {
    let mut open = world.known_to(VENDOR).filter(|business| business.premium_directory && has_consent(business));
    open.find(|business| business.people.len() > 120).expect("a big tenant in the demo world")
}

fn of(entity: &str) -> Position<'_> {
    Position { entity: Some(entity), ..Position::default() }
}

#[tokio::test]
async fn both_listings_together_have_every_tenant_once() {
    let (simulated, connector) = begin();
    let tenants = connector.entities().expect("tenants");
    let (page, _) = list(tenants, Position::default()).await.expect("a listing");
    let listed = read(tenants, &page);
    let mut seen: Vec<_> = listed.iter().map(|item| (item.id.clone(), item.record.name.clone())).collect();
    let mut known: Vec<_> =
        simulated.read(|world| world.known_to(VENDOR).map(|b| (b.tenant_id.to_string(), b.name_at(VENDOR))).collect());
    seen.sort();
    known.sort();
    assert_eq!(seen, known);
    // Only the second listing tells a domain.
    let only_second = listed.iter().filter(|item| !item.record.domains.is_empty()).count();
    assert!(only_second > 0 && only_second < listed.len(), "{only_second}");
}

#[tokio::test]
async fn every_kind_of_record_is_what_the_world_has() {
    let (simulated, connector) = begin();
    let business = simulated.read(|world| open_tenant(world).clone());
    let tenant = business.tenant_id.to_string();

    let users = connector.directory_users().expect("users");
    let (page, pages) = list(users, of(&tenant)).await.expect("a listing");
    assert!(pages > 1);
    let mut listed: Vec<_> = read(users, &page).into_iter().map(|user| (user.id, user.record.enabled)).collect();
    let mut people: Vec<_> = business.people.iter().map(|p| (p.id.to_string(), Some(p.enabled))).collect();
    listed.sort();
    people.sort();
    assert_eq!(listed, people);
    let signed_in = read(users, &page).iter().filter(|user| user.record.last_sign_in_at.is_some()).count();
    assert_eq!(signed_in, business.people.iter().filter(|person| person.key % 5 != 0).count());

    let methods = connector.sign_in_methods().expect("methods");
    let (page, _) = list(methods, of(&tenant)).await.expect("a listing");
    assert_eq!(page.records.len(), business.people.iter().filter(|person| person.enabled).count());

    let roles = connector.admin_roles().expect("roles");
    let (page, _) = list(roles, of(&tenant)).await.expect("a listing");
    let holders: BTreeSet<String> = read(roles, &page).into_iter().map(|role| role.record.user_id).collect();
    let admins: BTreeSet<String> = business.people.iter().filter(|p| p.admin).map(|p| p.id.to_string()).collect();
    assert_eq!(holders, admins, "users only, neither group nor app");

    let licences = connector.licences().expect("licences");
    let (page, _) = list(licences, of(&tenant)).await.expect("a listing");
    for licence in read(licences, &page).into_iter().map(|item| item.record).filter(|licence| !licence.unlimited) {
        let used = business.people.iter().filter(|p| p.licences.contains(&licence.part_number)).count();
        assert_eq!(licence.used, i64::try_from(used).ok(), "{}", licence.part_number);
    }

    let domains = connector.domains().expect("domains");
    let (page, _) = list(domains, of(&tenant)).await.expect("a listing");
    let main = read(domains, &page).into_iter().find(|item| item.record.default == Some(true)).expect("a main domain");
    assert_eq!(main.id, business.domain);

    let scores = connector.secure_scores().expect("scores");
    let (page, pages) = list(scores, of(&tenant)).await.expect("a listing");
    let score = read(scores, &page).remove(0);
    assert_eq!((pages, page.records.len(), score.record.day), (1, 1, Some(a_tuesday().date_naive())));
    simulated.advance(TimeDelta::days(1));
    let (page, _) = list(scores, of(&tenant)).await.expect("a listing");
    assert_eq!(read(scores, &page).remove(0).id, score.id, "one record that moves, not one a day");
}

#[tokio::test]
async fn changes_are_heard_and_a_forgotten_mark_is_said() {
    let (simulated, connector) = begin();
    let (business, changed, gone) = simulated.read(|world| {
        let business = open_tenant(world);
        (business.clone(), business.people[3].id, business.people[5].id)
    });
    let tenant = business.tenant_id.to_string();
    let users = connector.directory_users().expect("users");
    let (first, _) = list(users, of(&tenant)).await.expect("a complete listing");
    assert!(!first.changes_only && first.removed.is_empty());
    let mark = first.mark.expect("a mark");

    let since = Position { since: Some(&mark), ..of(&tenant) };
    let (quiet, _) = list(users, since).await.expect("no changes");
    assert!(quiet.changes_only && quiet.records.is_empty() && quiet.removed.is_empty());

    let new = simulated.change(|world| {
        world.change_person(changed, |person| person.title = "Chief of tests".into());
        world.remove_person(gone);
        world.add_person(business.key).expect("a business")
    });
    let (changes, _) = list(users, since).await.expect("changes");
    assert!(changes.changes_only);
    assert_eq!(changes.removed, [gone.to_string()]);
    let heard: BTreeMap<String, Option<String>> =
        read(users, &changes).into_iter().map(|item| (item.id, item.record.job_title)).collect();
    assert_eq!(heard.keys().cloned().collect::<BTreeSet<_>>(), BTreeSet::from([changed, new].map(|id| id.to_string())));
    assert_eq!(heard[&changed.to_string()].as_deref(), Some("Chief of tests"));

    simulated.change(World::forget_history);
    let error = list(users, since).await.expect_err("the mark is too old");
    assert_eq!(error.kind, Kind::Expired);
}

#[tokio::test]
async fn difficult_tenants_are_difficult_each_in_their_way() {
    let (simulated, connector) = begin();
    let (poor, closed) = simulated.read(|world| {
        let mut known = world.known_to(VENDOR).filter(|business| has_consent(business) && !business.premium_directory);
        let poor = known.next().expect("a tenant without premium").tenant_id.to_string();
        let closed = world.known_to(VENDOR).find(|business| !has_consent(business));
        (poor, closed.expect("a tenant without consent").tenant_id.to_string())
    });
    let error = list(connector.sign_in_methods().expect("methods"), of(&poor)).await.expect_err("no P1");
    assert!(error.kind == Kind::NotOffered && error.message.contains("Entra ID P1"), "{error}");
    let users = connector.directory_users().expect("users");
    let (page, _) = list(users, of(&poor)).await.expect("users need no P1");
    let read = read(users, &page);
    assert!(!read.is_empty() && read.iter().all(|user| user.record.last_sign_in_at.is_none()));
    assert!(page.mark.is_some_and(|mark| mark.starts_with("http")), "the feed is enough there");

    let error = list(connector.directory_users().expect("users"), of(&closed)).await.expect_err("no consent");
    assert_eq!(error.kind, Kind::Forbidden);
    assert!(error.message.contains(&format!("/login/{closed}/adminconsent?client_id=")), "{error}");

    let unknown = "00000000-0000-4000-8000-0000000000ff";
    let error = list(connector.domains().expect("domains"), of(unknown)).await.expect_err("nobody's tenant");
    assert_eq!(error.kind, Kind::NotFound);
}

#[tokio::test]
async fn a_token_is_used_until_it_ends() {
    let (simulated, connector) = begin();
    let tenant = simulated.read(|world| open_tenant(world).tenant_id.to_string());
    let tokens = || simulated.log().iter().filter(|(method, _)| *method == "POST").count();
    let domains = connector.domains().expect("domains");
    for (minutes, expected) in [(0, 1), (30, 1), (30, 2)] {
        simulated.advance(TimeDelta::minutes(minutes));
        list(domains, of(&tenant)).await.expect("a listing");
        assert_eq!(tokens(), expected);
    }
    simulated.simulator.expire_tokens();
    list(domains, of(&tenant)).await.expect("a new token after a 401");
    assert_eq!(tokens(), 3);
}
