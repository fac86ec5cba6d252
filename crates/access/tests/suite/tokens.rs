use access::{AccessOptions, Environment, NewKey};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::KeyScope;
use proptest::strategy::{Strategy, ValueTree};
use sea_orm::{ConnectionTrait, DatabaseBackend, Statement};
use secrecy::ExposeSecret;
use testkit::{TestDb, both_databases};

use crate::house::{House, OWNER, PASSWORD, gate, request};

async fn key(house: &House) -> String {
    let context = house.context(OWNER).await;
    let tx = house.store.begin(context).await.expect("begins");
    let new = NewKey {
        name: "k".to_owned(),
        scope: KeyScope::Read,
        allow_clients: None,
        expires_in_days: None,
        permissions: None,
        requests_per_minute: None,
    };
    let created = access::api_key_create(&tx, &house.gate, new).await.expect("creates");
    tx.commit("api_key_create", None).await.expect("commits");
    created.token.expose_secret().to_owned()
}

async fn opens(house: &House, token: &str) -> bool {
    let meta = request("192.0.2.1");
    let session = access::session_context(&house.store, &house.gate, token, &meta).await.expect("asks").is_some();
    let key = access::api_key_context(&house.store, &house.gate, token, &meta).await.expect("asks").is_some();
    session || key
}

/// Everything the database keeps, as bytes.
async fn everything(db: &TestDb) -> Vec<u8> {
    if let Some(folder) = db.folder() {
        let files = std::fs::read_dir(folder).expect("reads");
        return files.flat_map(|file| std::fs::read(file.expect("reads").path()).expect("reads")).collect();
    }
    let raw = db.backdoor().await;
    let ask = async |sql: String| {
        let rows = raw.query_all_raw(Statement::from_string(DatabaseBackend::Postgres, sql)).await.expect("asks");
        rows.iter().map(|row| row.try_get_by_index::<String>(0).expect("is text")).collect::<Vec<_>>()
    };
    let mut all = Vec::new();
    for table in
        ask("SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public'".into()).await
    {
        for row in ask(format!("SELECT t::text FROM \"{table}\" t")).await {
            all.extend(row.into_bytes());
        }
    }
    raw.close().await.expect("closes");
    all
}

fn holds(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

both_databases! {
    async fn of_a_token_or_password_nothing_is_stored_but_hashes(db: TestDb) {
        let house = House::build(&db).await;
        let session = house.sign_in(OWNER, PASSWORD, "192.0.2.1").await.expect("signs in");
        let (session, key) = (session.token.expose_secret().to_owned(), key(&house).await);
        assert!(opens(&house, &session).await && opens(&house, &key).await);
        house.gate.drain().await;
        let stored = everything(&db).await;
        assert!(holds(&stored, OWNER.as_bytes()), "the search finds what is stored");
        for token in [session.as_str(), key.trim_start_matches("pone_live_")] {
            let bytes = URL_SAFE_NO_PAD.decode(token).expect("decodes");
            let random = &bytes[16..];
            assert!(!holds(&stored, token.as_bytes()));
            assert!(!holds(&stored, &token.as_bytes()[24..]), "without the organisation");
            assert!(!holds(&stored, random));
            assert!(!holds(&stored, hex(random).as_bytes()));
        }
        assert!(!holds(&stored, PASSWORD.as_bytes()));
    }

    async fn a_token_opens_its_own_organisation_only(db: TestDb) {
        let kite = House::build(&db).await;
        let harbour = House::named(&db, "Harbour", "owner@harbour.example", PASSWORD).await;
        let session = kite.sign_in(OWNER, PASSWORD, "192.0.2.1").await.expect("signs in").token;
        let key = key(&kite).await;
        for (prefix, token) in [("", session.expose_secret()), ("pone_live_", key.trim_start_matches("pone_live_"))] {
            let mut bytes = URL_SAFE_NO_PAD.decode(token).expect("decodes");
            assert_eq!(bytes[..16], *kite.organisation.0.as_bytes());
            assert!(opens(&kite, &format!("{prefix}{}", URL_SAFE_NO_PAD.encode(&bytes))).await);
            bytes[..16].copy_from_slice(harbour.organisation.0.as_bytes());
            assert!(!opens(&kite, &format!("{prefix}{}", URL_SAFE_NO_PAD.encode(&bytes))).await);
            bytes[..16].copy_from_slice(&[0; 16]);
            assert!(!opens(&kite, &format!("{prefix}{}", URL_SAFE_NO_PAD.encode(&bytes))).await);
        }
    }

    async fn a_token_is_taken_as_what_it_is_only(db: TestDb) {
        let house = House::build(&db).await;
        let session = house.sign_in(OWNER, PASSWORD, "192.0.2.1").await.expect("signs in").token;
        let key = key(&house).await;
        assert!(access::is_api_key(&key) && !access::is_api_key(session.expose_secret()));
        let bare = key.trim_start_matches("pone_live_");
        for token in [bare, &format!("pone_live_{}", session.expose_secret()), &format!("pone_test_{bare}")] {
            assert!(!opens(&house, token).await);
        }
        let test = gate(&db, AccessOptions { environment: Environment::Test, ..AccessOptions::default() });
        for token in [key.as_str(), &format!("pone_test_{bare}")] {
            let found = access::api_key_context(&db.store, &test, token, &request("192.0.2.1")).await.expect("asks");
            assert_eq!(found.is_some(), token.starts_with("pone_test_"), "only the prefix tells environments apart");
        }
    }

    async fn malformed_tokens_open_nothing(db: TestDb) {
        let house = House::build(&db).await;
        let session = house.sign_in(OWNER, PASSWORD, "192.0.2.1").await.expect("signs in").token;
        let token = session.expose_secret();
        let broken = (0..token.len()).map(|at| {
            let other = if &token[at..=at] == "A" { "B" } else { "A" };
            format!("{}{other}{}", &token[..at], &token[at + 1..])
        });
        for broken in broken {
            assert!(!opens(&house, &broken).await, "{broken}");
        }
        let long = "A".repeat(100_000);
        let shapes = [
            "", " ", "pone_live_", "pone_test_", "pone_live_pone_live_", &token[1..], &token[..63], &long,
            &format!("{token} "), &format!(" {token}"), &format!("{token}="), &format!("{token}A"),
            &token.replace('-', "+").replace('_', "/").replace("A", "\0"), &"ä".repeat(32), &"=".repeat(64),
            &format!("pone_live_{}", "A".repeat(63)), &format!("PONE_LIVE_{}", "A".repeat(64)), "Bearer x",
        ];
        for shape in shapes {
            assert!(!opens(&house, shape).await, "{shape:?}");
        }
        let mut runner = proptest::test_runner::TestRunner::deterministic();
        for _ in 0..200 {
            let any = "(pone_(live|test)_)?[A-Za-z0-9_-]{60,68}|\\PC{0,80}".new_tree(&mut runner).expect("makes");
            assert!(!opens(&house, &any.current()).await);
        }
        assert!(opens(&house, token).await);
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
