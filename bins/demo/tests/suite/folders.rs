//! Folders, ports and options that do not do.

use std::{fs, net::TcpListener, os::unix::fs::PermissionsExt};

use super::*;

fn empty(folder: &Path) -> Arguments {
    Arguments { empty: true, ..arguments(folder) }
}

#[tokio::test]
async fn a_folder_of_somebody_else_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let theirs = [("panelone.db", "theirs"), ("letter.txt", "Dear all")];
    for (name, text) in theirs {
        fs::write(folder.path().join(name), text).expect("writes");
    }
    for reset in [false, true] {
        let why = refusal(&Arguments { reset, ..empty(folder.path()) }).await;
        assert!(why.contains("other things than a demo") && why.contains("--data-dir"), "{why}");
    }
    fs::write(folder.path().join("demo.json"), "{\"made_by\": \"somebody\"}").expect("writes");
    let why = refusal(&Arguments { reset: true, ..empty(folder.path()) }).await;
    assert!(why.contains("is not of a demo"), "{why}");
    for (name, text) in theirs {
        assert_eq!(fs::read_to_string(folder.path().join(name)).expect("is there"), text);
    }
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 3);
}

#[tokio::test]
async fn reset_begins_anew_and_deletes_only_what_the_demo_made() {
    let folder = tempfile::tempdir().expect("a folder");
    let running = start(&empty(folder.path())).await;
    let before = running.welcome.json();
    running.stop().await.expect("stops");
    fs::write(folder.path().join("notes.txt"), "mine").expect("writes");
    let why = refusal(&Arguments { seed: Some(2), ..empty(folder.path()) }).await;
    assert!(why.contains("made with --seed 1"), "{why}");
    let running = start(&Arguments { reset: true, seed: Some(2), ..empty(folder.path()) }).await;
    let after = running.welcome.json();
    running.stop().await.expect("stops");
    assert!(before["password"] != after["password"] && before["api_key"] != after["api_key"]);
    assert_eq!(fs::read_to_string(folder.path().join("notes.txt")).expect("is there"), "mine");
}

#[tokio::test]
async fn what_is_kept_is_readable_by_its_user_only() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = folder.path().join("new");
    start(&empty(&made)).await.stop().await.expect("stops");
    let mode = |path: &Path| fs::metadata(path).expect("is there").permissions().mode() & 0o777;
    assert_eq!(mode(&made), 0o700);
    for entry in fs::read_dir(&made).expect("a folder") {
        let path = entry.expect("an entry").path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

#[tokio::test]
async fn a_folder_in_use_a_newer_one_and_one_that_cannot_be_made_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let running = start(&empty(folder.path())).await;
    let why = refusal(&Arguments { reset: true, ..empty(folder.path()) }).await;
    assert!(why.contains("a demo is running"), "{why}");
    running.stop().await.expect("stops");

    let state = folder.path().join("demo.json");
    let newer = fs::read_to_string(&state).expect("is there").replace("\"format\": 1", "\"format\": 2");
    fs::write(&state, newer).expect("writes");
    let why = refusal(&empty(folder.path())).await;
    assert!(why.contains("newer version"), "{why}");

    let why = refusal(&empty(&state.join("below"))).await;
    assert!(why.contains("cannot be used as data folder"), "{why}");
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let other = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = other.local_addr().expect("an address").port();
    let why = refusal(&Arguments { port: Some(port), ..empty(folder.path()) }).await;
    assert!(why.contains(&format!("port {port}")) && why.contains("--port"), "{why}");
    drop(other);
    start(&empty(folder.path())).await.stop().await.expect("the folder is none the worse");
}

#[tokio::test]
async fn devices_without_businesses_and_an_empty_start_on_a_full_folder_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let why = refusal(&Arguments { businesses: Some(0), ..arguments(folder.path()) }).await;
    assert!(why.contains("--businesses 0"), "{why}");
    start(&arguments(folder.path())).await.stop().await.expect("stops");
    let why = refusal(&empty(folder.path())).await;
    assert!(why.contains("--empty"), "{why}");
}
