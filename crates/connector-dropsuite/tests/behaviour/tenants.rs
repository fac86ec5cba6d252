//! Whose a customer is, by its Microsoft tenant.

use integration::{Cursor, Entity, Kind, Position, Pull};
use serde_json::{Value, json};

use crate::script::{connector, entities, login, page, read};

fn tenant(id: Value, domain: &str, class: &str) -> Value {
    json!({ "id": 1, "domain": domain, "tenant_id": id, "type": class, "status": 7, "access_token": "secret-0001" })
}

const ONE: &str = "6a0f2a55-2d1f-4f7e-9c1b-1d1f0c7a4e10";
const OTHER: &str = "6a0f2a55-2d1f-4f7e-9c1b-1d1f0c7a4e11";

#[tokio::test]
async fn one_tenant_is_told_and_several_are_not_guessed() {
    for (tenants, tenant_id, domains) in [
        (vec![tenant(json!(ONE.to_uppercase()), "Alder.example", "m365")], Some(ONE), vec!["alder.example"]),
        (
            vec![tenant(json!(ONE), "alder.example", "m365"), tenant(json!(ONE), "alder.example", "m365")],
            Some(ONE),
            vec!["alder.example"],
        ),
        (
            vec![tenant(json!(ONE), "alder.example", "m365"), tenant(json!(OTHER), "birch.example", "m365")],
            None,
            vec!["alder.example", "birch.example"],
        ),
        (vec![tenant(json!("C0123"), "alder.example", "gws")], None, vec!["alder.example"]),
        (vec![tenant(json!(ONE), "alder.onmicrosoft.com", "m365")], Some(ONE), vec![]),
        (vec![tenant(Value::Null, "alder", "m365")], None, vec![]),
        (vec![], None, vec![]),
    ] {
        let (dropsuite, script) = connector();
        let one = login(7, Some("customer-7"));
        let id = one["id"].as_str().unwrap().to_owned();
        script.says("users", [(200, page(vec![one]))]);
        script.says(&format!("users/{id}/tenants"), [(200, Value::Array(tenants))]);
        let listed = entities(&dropsuite).await.unwrap();
        assert!(!String::from_utf8_lossy(&listed.records[0]).contains("secret-0001"), "a secret is stored");
        let found = read::<Entity>(&dropsuite, &[listed]);
        assert_eq!(
            (found[0].record.tenant_id.as_deref(), &found[0].record.domains[..]),
            (tenant_id, &domains.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>()[..])
        );
    }
}

#[tokio::test]
async fn what_is_not_told_costs_nothing_but_itself_and_trouble_is_trouble() {
    for status in [401, 403, 404] {
        let (dropsuite, script) = connector();
        let one = login(7, Some("customer-7"));
        let id = one["id"].as_str().unwrap().to_owned();
        script.says("users", [(200, page(vec![one]))]);
        script.says(&format!("users/{id}/tenants"), [(status, json!({ "error": "no" }))]);
        let found = read::<Entity>(&dropsuite, &[entities(&dropsuite).await.unwrap()]);
        assert_eq!((found.len(), &found[0].record.tenant_id), (1, &None));
    }
    let (dropsuite, script) = connector();
    let one = login(7, Some("customer-7"));
    let id = one["id"].as_str().unwrap().to_owned();
    script.says("users", [(200, page(vec![one]))]);
    script.says(&format!("users/{id}/tenants"), [(503, json!({ "error": "later" }))]);
    // A tenant that is not known for a moment is not one that was taken away.
    assert_eq!(entities(&dropsuite).await.err().unwrap().kind, Kind::Unavailable);
}

#[tokio::test]
async fn many_customers_come_in_chunks_and_another_process_goes_on_where_one_stopped() {
    let all: Vec<Value> = (1..=60).map(|number| login(number, None)).collect();
    let (dropsuite, script) = connector();
    script.says("users", [(200, page(all.clone()))]);
    let first = entities(&dropsuite).await.unwrap();
    assert_eq!((first.records.len(), first.total), (25, Some(60)));
    let cursor = first.next.clone().unwrap();
    let (other, script) = connector();
    script.says("users", [(200, page(all.clone()))]);
    let at = |cursor| Position { cursor: Some(cursor), ..Position::default() };
    let second = Pull::<Entity>::page(&other, at(&cursor)).await.unwrap();
    let after = second.next.clone().unwrap();
    let third = Pull::<Entity>::page(&other, at(&after)).await.unwrap();
    let ids: Vec<String> = read::<Entity>(&other, &[first, second, third]).into_iter().map(|item| item.id).collect();
    assert_eq!(ids, (1..=60).map(|number| number.to_string()).collect::<Vec<_>>());
    assert_eq!(script.asked().iter().filter(|path| path.contains("/users?")).count(), 1);
    // Somebody left meanwhile: the places have moved.
    let (moved, script) = connector();
    script.says("users", [(200, page(all[1..].to_vec()))]);
    for cursor in &[cursor, Cursor::new("60/60"), Cursor::new("x")] {
        let at = Position { cursor: Some(cursor), ..Position::default() };
        assert_eq!(Pull::<Entity>::page(&moved, at).await.err().unwrap().kind, Kind::Expired);
    }
}
