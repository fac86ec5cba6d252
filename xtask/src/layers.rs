//! Who may import whom, and that versions and lints stand once, in the workspace.
//!
//! **A new crate** is a line in [`MAY_IMPORT`]; a crate that is not there fails the check. Dependencies of
//! tests are free, except that siblings of one layer stay apart there too.

use std::{collections::BTreeSet, fs, path::Path};

use anyhow::{Context, Result, bail};
use cargo_metadata::{DependencyKind, Metadata};
use toml::{Table, Value};

use crate::shell;

/// What each of our crates may import of ours. `connector-*` stands for every connector, `*` for all.
const MAY_IMPORT: [(&str, &[&str]); 22] = [
    ("domain", &[]),
    ("integration", &[]),
    ("migrations", &[]),
    ("xtask", &[]),
    ("connector-*", &["integration"]),
    ("transport", &["integration"]),
    ("registry", &["integration", "connector-*"]),
    ("persistence", &["domain", "migrations"]),
    ("directory", &["domain", "persistence"]),
    ("access", &["domain", "persistence"]),
    ("clientone", &["domain", "persistence"]),
    ("sync", &["domain", "persistence", "integration", "mail"]),
    // What spans clients, the portal and connections at once.
    ("bulk", &["domain", "persistence", "integration", "directory", "access", "sync", "clientone"]),
    ("mail", &["domain"]),
    ("storage", &[]),
    ("vendorkit", &["integration"]),
    ("testkit", &["domain", "persistence", "vendorkit"]),
    ("worker", &LIBRARIES),
    ("api", &LIBRARIES_AND_WORKER),
    ("demo", &["*"]),
    ("tests", &["*"]),
    ("bench", &["*"]),
];

const LIBRARIES: [&str; 12] = [
    "bulk",
    "storage",
    "domain",
    "integration",
    "persistence",
    "directory",
    "access",
    "sync",
    "clientone",
    "registry",
    "transport",
    "mail",
];

const LIBRARIES_AND_WORKER: [&str; 13] = [
    "bulk",
    "storage",
    "mail",
    "domain",
    "integration",
    "persistence",
    "directory",
    "access",
    "sync",
    "clientone",
    "registry",
    "transport",
    "worker",
];

/// Stand-ins for tests: never in what an operator runs, except the demo.
const KITS: [&str; 2] = ["vendorkit", "testkit"];

/// Features that bring a kit, and the crates that may have them on outside of tests.
const KIT_FEATURES: [&str; 2] = ["simulator", "simulators"];
const MAY_SIMULATE: [&str; 3] = ["demo", "tests", "bench"];

/// Libraries that belong to one place, so that there is one way to the network, to SQL and to HTTP.
const ONLY_IN: [(&str, &[&str]); 8] = [
    ("opendal", &["storage"]),
    ("reqwest", &["transport"]),
    ("rustls", &["transport"]),
    ("sea-orm", &["persistence", "testkit"]),
    ("sea-orm-migration", &["migrations", "persistence"]),
    ("poem", &["api", "demo", "vendorkit"]),
    ("poem-openapi", &["api"]),
    ("lettre", &["mail"]),
];

/// One dependency of one of our crates.
#[derive(Clone, Debug)]
struct Edge {
    from: String,
    to: String,
    dev: bool,
    optional: bool,
    features: Vec<String>,
}

/// `cargo xtask layers`.
pub fn run() -> Result<()> {
    let metadata = shell::metadata()?;
    let ours: BTreeSet<String> = metadata.packages.iter().map(|package| package.name.to_string()).collect();
    let edges = edges(&metadata);
    let mut offences: Vec<String> = ours.iter().filter_map(|name| unknown(name)).collect();
    offences.extend(edges.iter().filter_map(|edge| offence(edge, &ours)));
    for package in &metadata.packages {
        if let Some(feature) = package.features.get("default").and_then(|on| on.iter().find(|on| brings_kit(on))) {
            offences.push(format!("{}: the feature {feature} must not be on by default", package.name));
        }
        let manifest = fs::read_to_string(&package.manifest_path)
            .with_context(|| format!("cannot read {}", package.manifest_path))?;
        offences.extend(not_inherited(&manifest)?.into_iter().map(|what| format!("{}: {what}", package.name)));
    }
    if offences.is_empty() {
        println!("layers: {} crates, {} edges, all as they should be", ours.len(), edges.len());
        return Ok(());
    }
    for offence in &offences {
        eprintln!("layers: {offence}");
    }
    bail!("{} offences; the table is in {}", offences.len(), Path::new("xtask/src/layers.rs").display())
}

fn edges(metadata: &Metadata) -> Vec<Edge> {
    let of = |package: &cargo_metadata::Package| {
        let from = package.name.to_string();
        let edge = move |dependency: &cargo_metadata::Dependency| Edge {
            from: from.clone(),
            to: dependency.name.clone(),
            dev: dependency.kind == DependencyKind::Development,
            optional: dependency.optional,
            features: dependency.features.clone(),
        };
        package.dependencies.iter().map(edge).collect::<Vec<_>>()
    };
    metadata.packages.iter().flat_map(of).collect()
}

fn matches(pattern: &str, name: &str) -> bool {
    pattern == "*" || pattern == name || pattern.strip_suffix('*').is_some_and(|start| name.starts_with(start))
}

fn allowed(name: &str) -> Option<&'static [&'static str]> {
    MAY_IMPORT.iter().find(|(pattern, _)| matches(pattern, name)).map(|(_, allowed)| *allowed)
}

fn unknown(name: &str) -> Option<String> {
    allowed(name).is_none().then(|| format!("{name}: not in the table; say there what it may import"))
}

fn brings_kit(feature: &str) -> bool {
    KIT_FEATURES.contains(&feature) || KITS.iter().any(|kit| feature.trim_start_matches("dep:") == *kit)
}

/// What is wrong with an edge, if anything.
fn offence(edge: &Edge, ours: &BTreeSet<String>) -> Option<String> {
    let Edge { from, to, .. } = edge;
    if !ours.contains(to) {
        let owners = ONLY_IN.iter().find(|(library, _)| library == to).map(|(_, owners)| *owners)?;
        let free = edge.dev || from == "tests" || from == "bench" || owners.contains(&from.as_str());
        return (!free).then(|| format!("{from} -> {to}: only {} may use it", owners.join(", ")));
    }
    let may_simulate = edge.dev || MAY_SIMULATE.contains(&from.as_str());
    if let Some(feature) = edge.features.iter().find(|feature| brings_kit(feature) && !may_simulate) {
        return Some(format!("{from} -> {to}: the feature {feature} is for tests and the demo"));
    }
    let allowed = allowed(from)?;
    if allowed.iter().any(|pattern| matches(pattern, to)) {
        return None;
    }
    if KITS.contains(&to.as_str()) {
        let simulates = to == "vendorkit" && edge.optional && (matches("connector-*", from) || from == "registry");
        return (!edge.dev && !simulates).then(|| format!("{from} -> {to}: a kit, for tests only"));
    }
    // A crate names itself to have its own features on in its tests.
    if edge.dev && from == to {
        return None;
    }
    // The engine is tested against real wire formats.
    if edge.dev && from == "sync" && matches("connector-*", to) {
        return None;
    }
    let may = if allowed.is_empty() { "none of ours".to_owned() } else { allowed.join(", ") };
    Some(format!("{from} -> {to}: {from} may import {may}"))
}

/// What a manifest says by itself instead of taking it from the workspace.
fn not_inherited(manifest: &str) -> Result<Vec<String>> {
    let manifest: Table = manifest.parse()?;
    let inherits =
        |value: Option<&Value>| value.and_then(|v| v.get("workspace")).and_then(Value::as_bool) == Some(true);
    let mut found = Vec::new();
    if !inherits(manifest.get("lints")) {
        found.push("no `[lints] workspace = true`".to_owned());
    }
    for key in ["version", "edition", "rust-version", "license", "publish"] {
        if !inherits(manifest.get("package").and_then(|package| package.get(key))) {
            found.push(format!("no `{key}.workspace = true`"));
        }
    }
    for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
        for (name, dependency) in manifest.get(kind).and_then(Value::as_table).into_iter().flatten() {
            let itself = dependency.get("path").and_then(Value::as_str) == Some(".");
            if !itself && !inherits(Some(dependency)) {
                found.push(format!("{kind} {name}: write `{name}.workspace = true`"));
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(from: &str, to: &str) -> Edge {
        Edge { from: from.into(), to: to.into(), dev: false, optional: false, features: Vec::new() }
    }

    fn dev(from: &str, to: &str) -> Edge {
        Edge { dev: true, ..edge(from, to) }
    }

    fn ours() -> BTreeSet<String> {
        let named = MAY_IMPORT.iter().map(|(name, _)| name.replace('*', "pax8"));
        named.chain(["connector-ninjaone".to_owned()]).collect()
    }

    fn is_fine(edge: &Edge) -> bool {
        offence(edge, &ours()).is_none()
    }

    #[test]
    fn the_edges_of_the_design_are_allowed() {
        for (from, to) in [
            ("directory", "persistence"),
            ("persistence", "domain"),
            ("sync", "integration"),
            ("connector-pax8", "integration"),
            ("registry", "connector-pax8"),
            ("transport", "integration"),
            ("api", "sync"),
            ("api", "worker"),
            ("worker", "transport"),
            ("demo", "vendorkit"),
            ("tests", "testkit"),
            ("transport", "reqwest"),
            ("domain", "serde"),
        ] {
            assert!(is_fine(&edge(from, to)), "{from} -> {to}");
        }
    }

    #[test]
    fn every_other_edge_is_an_offence() {
        for (from, to) in [
            ("domain", "persistence"),
            ("integration", "domain"),
            ("directory", "access"),
            ("sync", "directory"),
            ("sync", "registry"),
            ("sync", "transport"),
            ("connector-pax8", "domain"),
            ("connector-pax8", "connector-ninjaone"),
            ("connector-pax8", "transport"),
            ("connector-pax8", "vendorkit"),
            ("transport", "persistence"),
            ("api", "testkit"),
            ("api", "vendorkit"),
            ("worker", "vendorkit"),
            ("worker", "api"),
            ("xtask", "domain"),
            ("connector-pax8", "reqwest"),
            ("sync", "sea-orm"),
            ("api", "sea-orm"),
            ("directory", "poem"),
        ] {
            assert!(!is_fine(&edge(from, to)), "{from} -> {to}");
        }
    }

    #[test]
    fn tests_may_use_the_kits_and_themselves_but_not_their_siblings() {
        for (from, to, fine) in [
            ("persistence", "testkit", true),
            ("connector-pax8", "vendorkit", true),
            ("connector-pax8", "connector-pax8", true),
            ("api", "testkit", true),
            ("transport", "reqwest", true),
            ("directory", "sync", false),
            ("connector-pax8", "connector-ninjaone", false),
            ("sync", "registry", false),
        ] {
            assert_eq!(is_fine(&dev(from, to)), fine, "{from} -> {to}");
        }
    }

    #[test]
    fn a_simulator_is_an_option_of_its_connector_and_on_for_tests_and_the_demo_only() {
        assert!(is_fine(&Edge { optional: true, ..edge("connector-pax8", "vendorkit") }));
        assert!(is_fine(&Edge { optional: true, ..edge("registry", "vendorkit") }));
        assert!(!is_fine(&Edge { optional: true, ..edge("sync", "vendorkit") }));
        assert!(!is_fine(&Edge { optional: true, ..edge("connector-pax8", "testkit") }));
        let simulated = |edge| Edge { features: vec!["simulators".into()], ..edge };
        assert!(is_fine(&simulated(edge("demo", "registry"))));
        assert!(is_fine(&simulated(dev("registry", "registry"))));
        assert!(!is_fine(&simulated(edge("api", "registry"))));
    }

    #[test]
    fn a_crate_that_nobody_placed_is_an_offence() {
        assert!(unknown("billing").is_some());
        assert!(unknown("connector-anything").is_none());
    }

    #[test]
    fn versions_and_lints_stand_in_the_workspace() {
        let good = r#"
            [package]
            name = "x"
            version.workspace = true
            edition.workspace = true
            rust-version.workspace = true
            license.workspace = true
            publish.workspace = true
            [lints]
            workspace = true
            [dependencies]
            serde.workspace = true
            tokio = { workspace = true, optional = true }
            [dev-dependencies]
            x = { path = ".", features = ["simulator"] }
        "#;
        assert_eq!(not_inherited(good).unwrap(), [""; 0]);
        for (said, instead) in [
            ("[lints]\n            workspace = true", "[lints.rust]\n            unsafe_code = \"allow\""),
            ("edition.workspace = true", "edition = \"2021\""),
            ("serde.workspace = true", "serde = \"1\""),
            ("tokio = { workspace = true, optional = true }", "tokio = { version = \"1\" }"),
            ("x = { path = \".\",", "x = { path = \"../x\","),
        ] {
            assert!(good.contains(said), "{said}");
            assert_eq!(not_inherited(&good.replace(said, instead)).unwrap().len(), 1, "{instead}");
        }
    }
}
