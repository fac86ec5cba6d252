//! `--once` and `--empty`.

use demo::{Arguments, Report};
use tokio_util::sync::CancellationToken;

use super::*;

async fn once(arguments: &Arguments) -> Report {
    demo::once(arguments, false, &CancellationToken::new()).await
}

fn detail<'a>(report: &'a Report, step: &str) -> &'a str {
    let found = report.steps.iter().find(|one| one.step == step);
    &found.unwrap_or_else(|| panic!("no step {step}: {report}")).detail
}

#[tokio::test]
async fn once_does_the_main_job_in_a_folder_of_its_own() {
    let report = once(&Arguments { data_dir: None, port: None, ..arguments(Path::new("")) }).await;
    assert!(report.ok, "{report}");
    let steps: Vec<&str> = report.steps.iter().map(|step| step.step.as_str()).collect();
    let vendors = || registry::ALL.iter().map(|entry| entry.id);
    let mut expected: Vec<String> = ["open_folder", "start", "sign_in", "make_api_key"].map(str::to_owned).into();
    expected.extend(vendors().map(|vendor| format!("connect_{vendor}")));
    expected.extend(vendors().map(|vendor| format!("sync_{vendor}")));
    expected.push("import_ninjaone".to_owned());
    expected.extend(vendors().filter(|vendor| *vendor != "ninjaone").map(|vendor| format!("map_{vendor}")));
    let read = ["list_clients", "client_overview", "client_devices", "client_users", "client_microsoft365"];
    expected.extend(read.iter().chain(&["client_subscriptions", "change_quantity"]).map(|step| (*step).to_owned()));
    assert_eq!(steps, expected);
    assert!(detail(&report, "sync_ninjaone").contains("device 60"), "{report}");
    for (step, said) in [
        ("client_devices", " …"),
        ("client_users", " …"),
        ("client_microsoft365", "2 domains"),
        ("change_quantity", " → "),
    ] {
        assert!(detail(&report, step).contains(said) && !detail(&report, step).contains("unknown"), "{report}");
    }
}

#[tokio::test]
async fn once_again_goes_on_with_what_there_is_and_what_was_bought_stays_bought() {
    let folder = tempfile::tempdir().expect("a folder");
    let arguments = arguments(folder.path());
    let (first, second) = (once(&arguments).await, once(&arguments).await);
    assert!(first.ok && second.ok, "{first}\n{second}");
    let made = detail(&first, "import_ninjaone").split(' ').next().expect("a number");
    assert!(detail(&second, "import_ninjaone").starts_with("0 clients made"), "{second}");
    assert!(detail(&second, "import_ninjaone").contains(&format!("{made} mapped before")), "{second}");
    // Synced from the vendor in between, which was started anew.
    let bought = detail(&first, "change_quantity").rsplit(' ').next().expect("a number");
    assert!(detail(&second, "change_quantity").contains(&format!(": {bought} → ")), "{first}\n{second}");
}

#[tokio::test]
async fn a_step_that_fails_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let nothing = Arguments { businesses: Some(0), devices: Some(0), users: Some(0), ..arguments(folder.path()) };
    let report = once(&nothing).await;
    assert!(!report.ok);
    assert_eq!(report.failed_step.as_deref(), Some("list_clients"), "{report}");
    assert!(!report.steps.last().expect("a step").ok && report.to_string().contains("FAILED"));
}

#[tokio::test]
async fn an_empty_demo_has_nothing_connected_and_shows_how_to_connect() {
    let folder = tempfile::tempdir().expect("a folder");
    let running = start(&Arguments { empty: true, ..arguments(folder.path()) }).await;
    let client = client(&running);
    assert_eq!(count(&client, "/api/connections").await, 0);
    assert_eq!(total(&client, "/api/clients").await, 0);
    assert_eq!(total(&client, "/api/runs").await, 0);
    let lines = running.welcome.lines();
    assert!(lines.iter().any(|(words, line)| words == "Connect Pax8" && line.contains("-d '{")), "{lines:?}");
    let shown = running.welcome.json();
    let vendors = shown["vendors"].as_object().expect("vendors");
    assert_eq!(vendors.len(), registry::ALL.len());
    for (vendor, credentials) in vendors {
        let body = serde_json::json!({ "integration": vendor, "credentials": credentials });
        client.post("/api/connections", body).await.expect("connects");
    }
    running.stop().await.expect("stops");
}
