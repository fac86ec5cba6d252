//! A crate for a new vendor: it compiles, and its behaviour suite says what is missing.

use std::{collections::BTreeMap, fs, path::PathBuf};

use anyhow::{Context, Result, bail, ensure};

use crate::shell;

/// Files of the crate: path, template.
const TEMPLATES: [(&str, &str); 9] = [
    ("Cargo.toml", include_str!("../templates/connector/Cargo.toml.template")),
    ("README.md", include_str!("../templates/connector/README.md.template")),
    ("src/lib.rs", include_str!("../templates/connector/src/lib.rs.template")),
    ("src/api.rs", include_str!("../templates/connector/src/api.rs.template")),
    ("src/customers.rs", include_str!("../templates/connector/src/customers.rs.template")),
    ("src/simulator.rs", include_str!("../templates/connector/src/simulator.rs.template")),
    ("src/wire.rs", include_str!("../templates/connector/src/wire.rs.template")),
    ("tests/behaviour.rs", include_str!("../templates/connector/tests/behaviour.rs.template")),
    ("tests/vendor/SOURCES.md", include_str!("../templates/connector/tests/vendor/SOURCES.md.template")),
];

/// Lines put above a mark, wherever one stands: file, mark, line.
const LINES: [(&str, &str, &str); 4] = [
    ("crates/registry/Cargo.toml", "# new-connector: feature above", "\"connector-{{slug}}/simulator\","),
    ("crates/registry/Cargo.toml", "# new-connector: dependency above", "connector-{{slug}}.workspace = true"),
    ("crates/registry/src/lib.rs", "// new-connector: entry above", "Entry::of::<{{module}}::{{type}}>(),"),
    ("crates/registry/src/lib.rs", "// new-connector: simulator above", "Arc::new({{module}}::Simulator::default()),"),
];

/// The list of vendors in the simulated world.
const WORLD: &str = "crates/vendorkit/src/world/generate.rs";

/// `cargo xtask new-connector`.
pub fn run(slug: &str, name: Option<&str>) -> Result<()> {
    let names = Names::of(slug, name)?;
    let root = shell::root();
    let folder = root.join(format!("crates/connector-{slug}"));
    ensure!(!folder.exists(), "{} is there already", folder.display());

    // Everything is worked out before anything is written, so that a missing mark leaves no half of it.
    let mut files: BTreeMap<PathBuf, String> = BTreeMap::new();
    let read = |path: &PathBuf| fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()));
    for (file, mark, line) in LINES {
        let path = root.join(file);
        let text = match files.get(&path) {
            Some(text) => text.clone(),
            None => read(&path)?,
        };
        files.insert(path, above(&text, mark, &names.fill(line)).with_context(|| file.to_owned())?);
    }
    let workspace = root.join("Cargo.toml");
    let declared = declare(&read(&workspace)?, slug)?;
    files.insert(workspace, declared);
    for (file, template) in TEMPLATES {
        files.insert(folder.join(file), names.fill(template));
    }
    for (path, text) in &files {
        fs::create_dir_all(path.parent().context("a file stands in a folder")?)?;
        fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    // Names differ in length, so that lines may have to be broken elsewhere.
    shell::run(&mut shell::cargo(["fmt", "-p", &format!("connector-{slug}"), "-p", "registry"]))?;

    println!("wrote {} and its lines in Cargo.toml and crates/registry", folder.display());
    println!("next: cargo nextest run -p connector-{slug}   (the suite says what is missing)");
    if !read(&root.join(WORLD)).is_ok_and(|text| text.contains(&format!("\"{slug}\""))) {
        println!("      the simulated world does not know \"{slug}\" yet: add it to VENDORS in {WORLD}");
    }
    println!("then: UPDATE=1 cargo nextest run -p registry   (rewrites the catalogue for the review)");
    Ok(())
}

/// One vendor's name in every spelling that code needs.
struct Names {
    slug: String,
    name: String,
}

impl Names {
    fn of(slug: &str, name: Option<&str>) -> Result<Self> {
        let word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        let starts_with_letter = slug.starts_with(|first: char| first.is_ascii_lowercase());
        if !starts_with_letter || !slug.split('-').all(word) || slug.len() > 40 {
            bail!("\"{slug}\" is not lower case letters and digits in words joined by single hyphens, a letter first");
        }
        let name = name.map_or_else(|| capitals(slug).join(" "), str::to_owned);
        let plain = |c: char| !c.is_control() && !"\"\\{}<>".contains(c);
        ensure!(!name.trim().is_empty() && name.chars().all(plain), "\"{name}\" cannot stand in code and in a heading");
        Ok(Self { slug: slug.to_owned(), name })
    }

    fn fill(&self, template: &str) -> String {
        let snake = self.slug.replace('-', "_");
        let pairs = [
            ("{{slug}}", self.slug.clone()),
            ("{{name}}", self.name.clone()),
            ("{{type}}", capitals(&self.slug).concat()),
            ("{{module}}", format!("connector_{snake}")),
            ("{{snake}}", snake),
        ];
        pairs.iter().fold(template.to_owned(), |text, (placeholder, value)| text.replace(placeholder, value))
    }
}

/// The slug's words, each with a capital.
fn capitals(slug: &str) -> Vec<String> {
    let capital = |word: &str| {
        let (first, rest) = word.split_at(1);
        first.to_ascii_uppercase() + rest
    };
    slug.split('-').map(capital).collect()
}

/// Puts `line` above the line that holds `mark`, indented like it.
fn above(text: &str, mark: &str, line: &str) -> Result<String> {
    let found: Vec<&str> = text.lines().filter(|l| l.trim() == mark).collect();
    let [marked] = found[..] else {
        bail!("the mark `{mark}` must stand there once, and stands {} times", found.len())
    };
    ensure!(!text.lines().any(|l| l.trim() == line), "`{line}` is there already");
    let indent = &marked[..marked.len() - marked.trim_start().len()];
    Ok(text.replacen(marked, &format!("{indent}{line}\n{marked}"), 1))
}

/// Declares the crate in the workspace, below the last connector.
fn declare(manifest: &str, slug: &str) -> Result<String> {
    let line = format!("connector-{slug} = {{ path = \"crates/connector-{slug}\" }}");
    ensure!(!manifest.lines().any(|l| l == line), "`{line}` is there already");
    let last = manifest.lines().rfind(|l| l.starts_with("connector-")).context("Cargo.toml declares no connector")?;
    Ok(manifest.replacen(last, &format!("{last}\n{line}"), 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_is_filled() {
        let names = Names::of("acme-backup2", None).unwrap();
        for (file, template) in TEMPLATES {
            let text = names.fill(template);
            assert!(!text.contains("{{"), "{file} has a placeholder that nobody fills:\n{text}");
            assert!(text.ends_with('\n') && !text.ends_with("\n\n"), "{file}");
        }
        let library = names.fill(TEMPLATES[2].1);
        assert!(library.contains("pub struct AcmeBackup2 {"), "{library}");
        assert!(library.contains("const ID: &'static str = \"acme-backup2\""), "{library}");
        assert!(library.contains("const NAME: &'static str = \"Acme Backup2\""), "{library}");
        let suite = names.fill(TEMPLATES[7].1);
        assert!(suite.contains("vendor: connector_acme_backup2::AcmeBackup2"), "{suite}");
    }

    #[test]
    fn every_template_file_is_used() {
        let folder = shell::root().join("xtask/templates/connector");
        let mut found = 0;
        for sub in ["", "src", "tests", "tests/vendor"] {
            let files = fs::read_dir(folder.join(sub)).unwrap();
            found += files.filter(|file| file.as_ref().unwrap().path().is_file()).count();
        }
        assert_eq!(found, TEMPLATES.len());
    }

    #[test]
    fn slugs_and_names_that_are_no_good_are_refused() {
        for slug in ["", "Acme", "acme_backup", "-acme", "acme-", "a--b", "3cx", "../x", "a/b", "ä"] {
            assert!(Names::of(slug, None).is_err(), "{slug}");
        }
        for name in ["", "  ", "a\"b", "a\\b", "a\nb", "{{slug}}"] {
            assert!(Names::of("acme", Some(name)).is_err(), "{name}");
        }
        assert_eq!(Names::of("acme", Some("ACME & Söhne")).unwrap().name, "ACME & Söhne");
    }

    #[test]
    fn a_line_goes_above_its_mark_and_only_once() {
        let text = "list = [\n    \"a\",\n    # mark\n]\n";
        let after = above(text, "# mark", "\"b\",").unwrap();
        assert_eq!(after, "list = [\n    \"a\",\n    \"b\",\n    # mark\n]\n");
        assert!(above(&after, "# mark", "\"b\",").is_err());
        assert!(above(text, "# other", "x").is_err());
        assert!(above("# mark\n# mark\n", "# mark", "x").is_err());
    }

    #[test]
    fn the_workspace_declares_it_below_the_other_connectors() {
        let manifest = "[workspace.dependencies]\naccess = 1\nconnector-b = 1\nconnector-a = 1\ndomain = 1\n";
        let after = declare(manifest, "c").unwrap();
        assert!(
            after.contains("connector-a = 1\nconnector-c = { path = \"crates/connector-c\" }\ndomain = 1\n"),
            "{after}"
        );
        assert!(declare(&after, "c").is_err());
    }

    #[test]
    fn the_registry_has_every_mark_below_lines_like_ours() {
        for (file, mark, line) in LINES {
            let text = fs::read_to_string(shell::root().join(file)).unwrap();
            above(&text, mark, "a line that is not there").unwrap_or_else(|why| panic!("{file}: {why}"));
            let start = line.split("{{").next().unwrap();
            assert!(text.lines().any(|l| l.trim_start().starts_with(start)), "{file} writes `{line}` otherwise");
        }
    }
}
