//! Exchanges are played strictly, and scanned.

use integration::{Request, Transport};
use url::Url;
use vendorkit::{
    Replay,
    replay::{Exchange, load, scan},
};

fn exchanges(json: &str) -> Vec<Exchange> {
    let mut read: Vec<Exchange> = serde_json::from_str(json).unwrap();
    read.iter_mut().for_each(|exchange| exchange.file = "one.json".to_owned());
    read
}

fn get(path: &str) -> Request {
    Request::get(Url::parse("https://anywhere.example").unwrap().join(path).unwrap())
}

const TWO_PAGES: &str = r#"[
    { "source": "written by hand", "request": { "method": "GET", "path": "/rows", "query": { "size": "2" } },
      "response": { "status": 200, "headers": { "Content-Type": "application/json" }, "body": { "price": 22.00 } } },
    { "source": "written by hand", "request": { "method": "GET", "path": "/rows", "query": { "size": "2", "page": "1" } },
      "response": { "status": 200, "text": "<p>not JSON" } } ]"#;

#[tokio::test]
async fn the_exchange_that_names_most_answers_and_each_answers_once() {
    let replay = Replay::of(exchanges(TWO_PAGES));
    let second = replay.send(get("/rows?size=2&page=1&more=x")).await.unwrap();
    assert_eq!(second.body, "<p>not JSON");
    assert!(replay.finish().unwrap_err().contains("nothing asked for GET /rows (one.json)"));
    let first = replay.send(get("/rows?size=2&page=1")).await.unwrap();
    assert_eq!(first.body, r#"{ "price": 22.00 }"#, "as it is written");
    assert_eq!(first.header("content-type"), Some("application/json"));
    assert_eq!(replay.finish(), Ok(()));
    let why = replay.send(get("/rows?size=2")).await.unwrap_err().message;
    assert!(why.contains("already used"), "{why}");
    assert!(replay.finish().is_err(), "an unexpected request is remembered");
    assert_eq!(replay.requests().len(), 3);
}

#[tokio::test]
async fn an_unexpected_request_is_told_what_differs() {
    let replay = Replay::of(exchanges(TWO_PAGES));
    let why = replay.send(get("/rows?size=3")).await.unwrap_err().message;
    assert!(why.contains("no exchange answers GET /rows?size=3"), "{why}");
    assert!(why.contains("query size: the exchange has 2, the request 3"), "{why}");
    let why = replay.send(Request::post(get("/other").url)).await.unwrap_err().message;
    assert!(why.contains("method: the exchange has GET, the request POST"), "{why}");
}

#[tokio::test]
async fn absence_headers_and_bodies_are_compared() {
    let strict = r#"[
        { "source": "written by hand",
          "request": { "method": "POST", "path": "/t", "query": { "after": null }, "headers": { "accept": "text/x" },
                       "body": { "grant": "client" } },
          "response": { "status": 204 } } ]"#;
    let post = |path: &str| Request::post(get(path).url).header("Accept", "text/x");
    let form = [("grant", "client"), ("other", "anything")];
    for (request, fits) in [
        (post("/t").form(form), true),
        (post("/t").json(serde_json::json!({ "grant": "client" })), true),
        (post("/t").json(serde_json::json!({ "grant": "client", "more": 1 })), false),
        (post("/t").form([("grant", "code")]), false),
        (post("/t?after=").form(form), false),
        (post("/t"), false),
        (Request::post(get("/t").url).form(form), false),
    ] {
        let replay = Replay::of(exchanges(strict));
        assert_eq!(replay.send(request.clone()).await.is_ok(), fits, "{request:?} {:?}", request.body);
    }
    let whole = strict.replace(r#"{ "grant": "client" }"#, r#""<a>1</a>""#);
    for (request, fits) in [
        (post("/t").xml("<a>1</a>".to_owned()), true),
        (post("/t").xml("<a>2</a>".to_owned()), false),
        (post("/t"), false),
    ] {
        let replay = Replay::of(exchanges(&whole));
        assert_eq!(replay.send(request.clone()).await.is_ok(), fits, "{:?}", request.body);
    }
}

#[test]
fn files_are_read_and_mistakes_in_them_named() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("b.json"), TWO_PAGES).unwrap();
    std::fs::write(dir.path().join("notes.txt"), "not an exchange").unwrap();
    assert_eq!(load(dir.path()).unwrap().len(), 2);
    assert!(Replay::files(dir.path(), &["b"]).is_ok());
    assert_eq!(Replay::files(dir.path(), &["c"]).err().as_deref(), Some("there is no exchange file c"));
    std::fs::write(dir.path().join("a.json"), r#"{ "sauce": 1 }"#).unwrap();
    assert!(load(dir.path()).unwrap_err().starts_with("a.json: unknown field `sauce`"));
    assert!(load(dir.path().join("missing")).is_err());
}

#[test]
fn what_looks_real_is_found() {
    let with = |source: &str, text: &str| {
        let mut one = exchanges(TWO_PAGES).remove(0);
        one.source = source.to_owned();
        one.response.text = Some(text.to_owned());
        scan(&one)
    };
    let invented = "Fact sheet of the vendor";
    let key = ["9fX2", "kQ7v", "Lm0Z", "aB4c", "T8yR", "w1Pd", "Hs6e"].concat();
    for (source, text, faults) in [
        (invented, "jo.reid@harbour.example wrote 00000000-0000-4000-8000-000000000001", 0),
        (invented, "@odata.nextLink and WINDOWS_WORKSTATION_2022_STANDARD_EDITION", 0),
        (invented, "Authentication_RequestFromNonPremiumTenantOrB2CTenant", 0),
        ("", "fine", 1),
        (invented, "jo@harbour.com", 1),
        (invented, &key, 1),
        (invented, "0123456789abcdef0123456789abcdef", 1),
        (invented, &["sk", "_live_", "aaaaaaaaaaaaaaaaaaaa"].concat(), 1),
        (invented, &["ey", "JhbGciOiJub25lIn0.e30.aaaaaaaa"].concat(), 1),
    ] {
        assert_eq!(with(source, text).len(), faults, "{text}: {:?}", with(source, text));
    }
}
