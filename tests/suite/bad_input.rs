//! Whatever is sent, the answer is one that the document declares, a whole problem when it refuses, and never
//! our mistake.

use std::fmt::Write as _;

use reqwest::Method;
use serde_json::{Value, json};
use testkit::both_databases;

use crate::{
    harness::{Answer, Caller, TestApp, text},
    house::House,
    operations::{Ids, Template, templates},
};

const JSON: &str = "application/json";

/// An answer must be declared, and no mistake of ours.
#[track_caller]
fn sound(template: &Template, answer: &Answer, what: &str) {
    let id = &template.operation.id;
    assert!(answer.status < 500 || answer.status == 502, "{id} with {what}: {} {}", answer.status, answer.text);
    assert!(template.operation.statuses.contains(&answer.status), "{id} with {what} answers {}", answer.status);
    if answer.status >= 400 {
        answer.problem();
    }
}

async fn raw(app: &TestApp, caller: &Caller, template: &Template, ids: &Ids, kind: &str, body: String) -> Answer {
    let (path, _) = template.fill(ids, None);
    let request = app.request(caller, template.operation.method.clone(), &path).header("content-type", kind);
    app.send(request.body(body)).await
}

fn with_body() -> impl Iterator<Item = Template> {
    templates().into_iter().filter(|template| !template.operation.body.is_null())
}

/// Every field of a body that holds a value of this type: pointers into the example.
fn fields(schema: &Value, body: &Value, wanted: &str, at: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let place = format!("{at}/{name}");
        if property["type"] == wanted && property["format"].is_null() && property["enum"].is_null() {
            found.push(place);
        } else if property["type"] == "array" && body[name][0].is_object() {
            found.extend(fields(&property["items"], &body[name][0], wanted, &format!("{place}/0")));
        }
    }
    found
}

/// Puts a value where a pointer shows; the field need not be in the example.
fn put(body: &mut Value, pointer: &str, value: Value) {
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
    body.pointer_mut(parent).expect("is in the example")[name] = value;
}

/// Texts that have broken others.
fn texts() -> Vec<String> {
    vec![
        String::new(),
        " ".to_owned(),
        "a".to_owned(),
        "n".repeat(300),
        "n".repeat(100_000),
        "👩‍🚒 Feuerwehr 🚒".to_owned(),
        "שלום עולם".to_owned(),
        "a\u{202e}gnp.exe".to_owned(),
        "Z͑ͫ̓a̴l̵g̶o".to_owned(),
        "\u{0}".to_owned(),
        "line\r\nbreak\tand\u{1b}[31m".to_owned(),
        "Robert'); DROP TABLE client;--".to_owned(),
        "' OR '1'='1".to_owned(),
        "\"; SELECT pg_sleep(9); --".to_owned(),
        "%' ESCAPE '\\".to_owned(),
        "%_\\".to_owned(),
        "=HYPERLINK(\"http://evil.example\")".to_owned(),
        "@SUM(1+1)*cmd|' /C calc'!A0".to_owned(),
        "<script>alert(1)</script>".to_owned(),
        "{{7*7}}${7*7}".to_owned(),
        "../../../../etc/passwd".to_owned(),
        "\u{feff}\u{ffff}".to_owned(),
    ]
}

/// Every third of all cases, another third on the other database and in each round of three: a run tries each field with
/// some of the texts, and three rounds with all.
struct Thirds(u64);

impl Thirds {
    fn of(app: &TestApp) -> Self {
        Self(testkit::round() + u64::from(app.db.store.is_postgres()))
    }

    fn takes(&mut self) -> bool {
        self.0 += 1;
        self.0.is_multiple_of(3)
    }
}

both_databases! {
    async fn any_text_in_any_field_is_taken_or_refused_and_comes_back_as_it_was(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let ids = house.furnish(&app).await;
        let (mut tried, mut thirds) = (0, Thirds::of(&app));
        for template in with_body().filter(|template| template.operation.id != "session_create") {
            let (path, example) = template.fill(&ids, None);
            let example = example.expect("a body");
            let template = template.preview();
            let join = if template.operation.asks("dry_run") { "?dry_run=true" } else { "" };
            for pointer in fields(&template.operation.body, &example, "string", "") {
                for value in texts().into_iter().filter(|_| thirds.takes()) {
                    let mut body = example.clone();
                    put(&mut body, &pointer, json!(value));
                    let request = app.request(&house.owner, template.operation.method.clone(), &format!("{path}{join}"));
                    let answer = app.send(request.json(&body)).await;
                    let short: String = value.chars().take(30).collect();
                    sound(&template, &answer, &format!("{short:?} in {pointer}"));
                    if answer.status == 422 {
                        let problem = answer.problem();
                        let named = problem["errors"].as_array().is_some_and(|all| !all.is_empty());
                        assert!(named, "{}: {pointer} {problem}", template.operation.id);
                    }
                    tried += 1;
                }
            }
        }
        assert!(tried > 300, "{tried} cases");
        // What is taken comes back byte for byte, and is found by what it is.
        for value in texts() {
            let made = app.post(&house.owner, "/api/clients", &json!({ "name": value, "notes": value })).await;
            if made.status != 200 {
                assert!([400, 422].contains(&made.status), "{value:?}: {}", made.text);
                made.problem();
                continue;
            }
            let made = made.ok();
            let path = format!("/api/clients/{}", text(&made["item"]["id"]));
            let shown = app.get(&house.owner, &path).await.ok();
            assert_eq!(shown["client"]["name"], made["item"]["name"]);
            assert_eq!(shown["client"]["name"].as_str(), Some(value.trim()), "the name was changed");
        }
    }

    async fn any_text_in_any_parameter_finds_nothing_or_is_refused(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let ids = house.furnish(&app).await;
        let (mut tried, mut thirds) = (0, Thirds::of(&app));
        for template in templates().iter().filter(|template| template.operation.method == Method::GET) {
            let (path, _) = template.fill(&ids, None);
            let path = path.split('?').next().unwrap_or_default();
            for (name, place) in &template.operation.parameters {
                for value in texts().iter().filter(|value| value.len() < 1_000 && thirds.takes()) {
                    let request = app.request(&house.owner, Method::GET, path);
                    let request = match place.as_str() {
                        "query" => request.query(&[(name, value)]),
                        _ => continue,
                    };
                    let answer = app.send(request).await;
                    sound(template, &answer, &format!("{value:?} as {name}"));
                    tried += 1;
                }
            }
            if template.operation.asks("limit") {
                for limit in ["0", "-1", "101", "1e3", "18446744073709551616", "x"] {
                    let answer = app.get(&house.owner, &format!("{path}?limit={limit}")).await;
                    assert!([400, 422].contains(&answer.status), "{path} limit {limit}: {}", answer.text);
                    assert_eq!(answer.problem()["errors"][0]["pointer"], "limit", "{}", answer.text);
                }
                for cursor in ["x", "%00", "AAAA", "AAAAAAAAAAAAAAAAAAAAAHg", &"A".repeat(3_000), "AAAAAAAAAAAAAAAAAAAAAP__"] {
                    let answer = app.get(&house.owner, &format!("{path}?cursor={cursor}")).await;
                    sound(template, &answer, &format!("cursor {cursor:.20}"));
                }
                let answer = app.get(&house.owner, &format!("{path}?cursor=nonsense")).await.refused(422, "invalid");
                assert_eq!(answer["errors"][0]["pointer"], "cursor");
            }
        }
        assert!(tried > 200, "{tried} cases");
        for (path, method) in [("/api/clients/not-an-id", Method::GET), ("/api/clients/%00", Method::GET), ("/api/clients/..%2f..", Method::DELETE)] {
            let answer = app.send(app.request(&house.owner, method, path)).await;
            assert!([400, 404].contains(&answer.status), "{path}: {}", answer.text);
            answer.problem();
        }
        app.get(&house.owner, "/api/nothing/here").await.refused(404, "no_such_path");
        app.put(&house.owner, "/api/clients", &json!({})).await.refused(405, "no_such_method");
        // One character is not a wildcard for another, in no search.
        for (made, search) in [("Ab c", "A_ c"), ("Perc 100", "100%"), ("Back", "B\\")] {
            app.post(&house.owner, "/api/clients", &json!({ "name": made })).await.ok();
            let request = app.request(&house.owner, Method::GET, "/api/clients").query(&[("search", search)]);
            let found = app.send(request).await.ok();
            assert_eq!(found["total"], 0, "{search} found {found}");
        }
    }
}

#[tokio::test]
async fn what_is_not_a_body_is_refused_by_name() {
    let app = TestApp::new(testkit::sqlite().await).await;
    let house = House::build(&app, "kite").await;
    let ids = house.furnish(&app).await;
    let deep = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    for template in with_body() {
        let id = template.operation.id.clone();
        let (_, example) = template.fill(&ids, None);
        let example = example.expect("a body");
        let ask = async |kind: &str, body: String| raw(&app, &house.owner, &template, &ids, kind, body).await;
        for broken in
            ["", "{", "nonsense", "[]", "null", "\"text\"", "7", "{\"a\":}", "{}}", "\u{0}", &deep(200), &deep(100_000)]
        {
            let answer = ask(JSON, broken.to_owned()).await;
            sound(&template, &answer, &broken.chars().take(20).collect::<String>());
            assert_eq!(answer.status, 400, "{id}: {broken:.20} {}", answer.text);
        }
        let mut bytes = template.fill(&ids, None).1.expect("a body").to_string();
        bytes.push_str(&" ".repeat(2 * 1024 * 1024));
        ask(JSON, bytes).await.refused(413, "too_large");
        for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/xml", ""] {
            let answer = ask(kind, example.to_string()).await;
            assert_eq!(answer.status, 415, "{id} as {kind}: {}", answer.text);
            answer.problem();
        }
        for (name, property) in template.operation.body["properties"].as_object().expect("fields") {
            for wrong in
                [json!(7), json!("x"), json!(true), json!([]), json!({}), json!(["x"]), json!(-1.5e300), json!(null)]
            {
                let same = match property["type"].as_str() {
                    Some("string") => wrong.is_string(),
                    Some("integer" | "number") => wrong.is_number(),
                    Some("boolean") => wrong.is_boolean(),
                    Some("array") => wrong.is_array(),
                    _ => true,
                };
                if !same {
                    let mut body = example.clone();
                    body[name] = wrong.clone();
                    let answer = ask(JSON, body.to_string()).await;
                    sound(&template, &answer, &format!("{wrong} as {name}"));
                    let required =
                        template.operation.body["required"].as_array().is_some_and(|all| all.contains(&json!(name)));
                    let expected = if wrong.is_null() && !required { answer.status } else { 400 };
                    assert_eq!(answer.status, expected, "{id}: {wrong} as {name}: {}", answer.text);
                    if answer.status == 400 {
                        assert_eq!(
                            answer.json()["errors"][0]["pointer"],
                            format!("/{name}"),
                            "{id}: {wrong}: {}",
                            answer.text
                        );
                    }
                }
            }
        }
    }
    // Every mistake is named at once, each with its place, and no value is repeated.
    let body =
        json!({ "mappings": [{ "entity_id": "secret words", "target": "everyone", "surplus": 1 }, { "target": 7 }] });
    let problem = app.put(&house.owner, "/api/mappings", &body).await.refused(400, "malformed");
    let mut places: Vec<String> =
        problem["errors"].as_array().expect("errors").iter().map(|one| text(&one["pointer"])).collect();
    places.sort();
    let expected = ["/0/entity_id", "/0/surplus", "/0/target", "/1/entity_id", "/1/target"];
    assert_eq!(places, expected.map(|place| format!("/mappings{place}")), "{problem}");
    assert!(!problem.to_string().contains("secret words"), "{problem}");
    // The last of a name that stands twice must not slip past a check of the first.
    let twice = r#"{"name":"One","name":"Two"}"#;
    let request = app.request(&house.owner, Method::POST, "/api/clients").header("content-type", JSON).body(twice);
    assert!([200, 400].contains(&app.send(request).await.status));
}

#[tokio::test]
async fn a_body_without_a_declared_length_is_cut_off() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let app = TestApp::new(testkit::sqlite().await).await;
    let house = House::build(&app, "kite").await;
    let Caller::Session(token) = &house.owner else { panic!("a session") };
    let host = app.base.trim_start_matches("http://");
    let mut stream = tokio::net::TcpStream::connect(host).await.expect("connects");
    let mut head = String::new();
    let _ = write!(head, "POST /api/clients HTTP/1.1\r\nhost: {host}\r\ncookie: {}={token}\r\n", api::auth::COOKIE);
    head.push_str("content-type: application/json\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.expect("writes");
    let chunk = format!("{:x}\r\n{}\r\n", 64 * 1024, " ".repeat(64 * 1024));
    let (mut reader, mut writer) = stream.split();
    let send = async {
        // 8 MiB are never read: the other end may hang up before all is sent.
        for _ in 0..128 {
            if writer.write_all(chunk.as_bytes()).await.is_err() {
                break;
            }
        }
    };
    let mut answer = vec![0; 4_096];
    let (_, read) = tokio::join!(send, reader.read(&mut answer));
    let answer = String::from_utf8_lossy(&answer[..read.expect("an answer")]).into_owned();
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("too_large"), "{answer}");
    app.get(&house.owner, "/api/me").await.ok();
}
