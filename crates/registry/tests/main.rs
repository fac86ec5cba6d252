//! The list is whole, and what it says of each vendor is on paper for the review.

use std::{collections::BTreeSet, fmt::Write, fs, path::Path};

use integration::{Entry, Input, MappedBy};

/// The slugs of the folders `crates/connector-*`.
fn folders() -> BTreeSet<String> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    fs::read_dir(crates)
        .expect("the folder of crates")
        .filter_map(|folder| folder.expect("an entry").file_name().into_string().ok())
        .filter_map(|name| name.strip_prefix("connector-").map(str::to_owned))
        .collect()
}

#[test]
fn every_connector_is_listed_once_under_the_name_of_its_crate() {
    let ids: BTreeSet<String> = registry::ALL.iter().map(|entry| entry.id.to_owned()).collect();
    assert_eq!(ids.len(), registry::ALL.len(), "an id stands twice in registry::ALL");
    assert_eq!(ids, folders(), "left: ids in registry::ALL; right: folders crates/connector-*");
}

#[test]
fn a_vendor_is_found_by_its_id_alone() {
    for entry in registry::ALL {
        assert_eq!(registry::find(entry.id).map(|found| found.name), Some(entry.name));
    }
    for stranger in ["", "PAX8", "pax8 ", "nobody"] {
        assert!(registry::find(stranger).is_none(), "{stranger:?}");
    }
}

#[test]
fn every_vendor_has_its_simulator_and_their_credentials_fit() {
    let simulators = registry::simulators();
    let ids: Vec<&str> = simulators.iter().map(|simulator| simulator.id()).collect();
    assert_eq!(ids, registry::ALL.iter().map(|entry| entry.id).collect::<Vec<_>>());
    for (entry, simulator) in registry::ALL.iter().zip(simulators) {
        let base = format!("http://127.0.0.1:4100/{}", entry.id);
        for values in
            [simulator.credentials(&base), simulator.wrong_credentials(&base), simulator.powerless_credentials(&base)]
        {
            entry.normalise(&values).unwrap_or_else(|errors| panic!("{}: {errors:?}", entry.id));
        }
    }
}

#[test]
fn the_tool_finds_its_marks() {
    for (file, marks) in [
        ("src/lib.rs", ["// new-connector: entry above", "// new-connector: simulator above"]),
        ("Cargo.toml", ["# new-connector: feature above", "# new-connector: dependency above"]),
    ] {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).expect("a file of this crate");
        for mark in marks {
            assert_eq!(text.lines().filter(|line| line.trim() == mark).count(), 1, "{mark} in {file}");
        }
    }
}

#[test]
fn the_readme_names_every_vendor() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let readme = fs::read_to_string(readme).expect("the README of the project");
    for entry in registry::ALL {
        let row = format!("| {} | {} | {} |", entry.name, entry.category.label(), entry.entity.1);
        assert!(readme.contains(&row), "the table of vendors lacks a line that begins with {row}");
    }
}

/// One vendor as the catalogue shows it.
fn describe(entry: &Entry) -> String {
    let mut text = format!("{}: {}\n", entry.id, entry.name);
    let mut line = |what: &str, is: &str| writeln!(text, "  {what:<7} {is}").expect("writing to a text");
    line("shelf", entry.category.label());
    line("entity", &format!("{} / {} ({})", entry.entity.0, entry.entity.1, entry.entity_kind));
    line("docs", entry.docs);
    let imported = match (entry.mapped_by, entry.imported_from_sync) {
        (MappedBy::Dialog, false) => "yes",
        (MappedBy::Dialog, true) => "yes, sync first",
        _ => "no",
    };
    line("import", imported);
    line("mapped", &format!("{:?}", entry.mapped_by));
    line("against", &format!("{:?}", entry.evidence));
    for capability in entry.capabilities() {
        let incremental = if capability.incremental { " (incremental)" } else { "" };
        line(if capability.writes { "writes" } else { "reads" }, &format!("{}{incremental}", capability.name));
    }
    for field in entry.fields() {
        let input = match field.input {
            Input::Text => "text".to_owned(),
            Input::Url => "address".to_owned(),
            Input::Secret => "secret".to_owned(),
            Input::Consent => "consent at the vendor's page".to_owned(),
            Input::Choice(choices) => {
                let choices: Vec<String> = choices.iter().map(|(value, label)| format!("{value} = {label}")).collect();
                format!("choice of {}", choices.join(", "))
            }
        };
        let needed = if field.required { "" } else { ", optional" };
        line("field", &format!("{} \"{}\": {input}{needed}", field.name, field.label));
        if !field.help.is_empty() {
            line("", &format!("  {}", field.help));
        }
    }
    text
}

#[test]
fn the_catalogue_is_as_reviewed() {
    let now: String = registry::ALL.iter().map(describe).collect::<Vec<_>>().join("\n");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/catalogue.txt");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&file, &now).expect("tests/catalogue.txt can be written");
    }
    let reviewed = fs::read_to_string(&file).unwrap_or_default().replace("\r\n", "\n");
    assert_eq!(now, reviewed, "if the change is meant: UPDATE=1 cargo nextest run -p registry, and review the diff");
    for entry in registry::ALL {
        assert!(
            !entry.capabilities().is_empty(),
            "{} can do nothing, or its example credentials do not parse",
            entry.id
        );
    }
}
