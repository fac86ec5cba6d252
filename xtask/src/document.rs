//! The API's documents, as it describes itself: generated, checked in, and compared in CI.

use std::{collections::BTreeSet, fmt, fs, process::Command};

use anyhow::{Context, Result, bail};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, MapAccess, SeqAccess, Visitor},
    ser::SerializeMap,
};
use serde_json::Number;

use crate::shell;

/// Where each document stands, and the arguments with which the `api` binary prints it.
const DOCUMENTS: [(&str, &[&str]); 2] =
    [("openapi/panelone.json", &["openapi"]), ("openapi/clientone.json", &["openapi", "--clientone"])];

/// `cargo xtask openapi`.
pub fn run(check: bool) -> Result<()> {
    shell::run(&mut shell::cargo(shell::BINARIES))?;
    let api = shell::binary("api")?;
    for (path, arguments) in DOCUMENTS {
        let printed = shell::output(Command::new(&api).args(arguments))?;
        let wanted = pretty(&printed).with_context(|| format!("what the api prints for {path}"))?;
        let file = shell::root().join(path);
        let found = fs::read_to_string(&file).unwrap_or_default();
        if found == wanted {
            println!("openapi: {path} is as the API describes itself");
        } else if check {
            let line = found.lines().zip(wanted.lines()).take_while(|(found, wanted)| found == wanted).count() + 1;
            bail!("{path} differs from line {line} on: run `cargo xtask openapi` and review the change");
        } else {
            fs::create_dir_all(file.parent().context("a document stands in a folder")?)?;
            fs::write(&file, wanted)?;
            println!("openapi: wrote {path}");
        }
    }
    Ok(())
}

/// Indented, in the order printed, with a newline at the end. A key that stands twice in one object is an
/// error: parsers keep the last one, so an operation would be lost without a word.
fn pretty(json: &str) -> Result<String> {
    let document: Node = serde_json::from_str(json)?;
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

/// JSON that keeps the order of its keys, whatever features serde_json is built with.
enum Node {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => out.serialize_unit(),
            Self::Bool(value) => out.serialize_bool(*value),
            Self::Number(value) => value.serialize(out),
            Self::Text(value) => out.serialize_str(value),
            Self::List(items) => items.serialize(out),
            Self::Object(pairs) => {
                let mut map = out.serialize_map(Some(pairs.len()))?;
                for (key, value) in pairs {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Node, E> {
        Number::from_f64(value).map(Node::Number).ok_or_else(|| E::custom("a number that JSON cannot hold"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
        let (mut pairs, mut keys) = (Vec::new(), BTreeSet::new());
        while let Some((key, value)) = entries.next_entry::<String, Node>()? {
            if !keys.insert(key.clone()) {
                return Err(A::Error::custom(format!("the key \"{key}\" stands twice in one object")));
            }
            pairs.push((key, value));
        }
        Ok(Node::Object(pairs))
    }
}

#[cfg(test)]
mod tests {
    use super::pretty;

    #[test]
    fn order_and_values_are_kept() {
        let json = r#"{"openapi":"3.0.0","b":[1,-2,1.5,true,null,"ä\n"],"a":{"z":{},"y":[]}}"#;
        let printed = pretty(json).unwrap();
        assert!(
            printed.starts_with("{\n  \"openapi\": \"3.0.0\",\n  \"b\": [\n    1,\n    -2,\n    1.5,"),
            "{printed}"
        );
        assert!(printed.ends_with("}\n"), "{printed}");
        assert!(printed.find("\"z\"") < printed.find("\"y\""), "{printed}");
        assert_eq!(pretty(&printed).unwrap(), printed);
    }

    #[test]
    fn a_key_that_stands_twice_is_found_at_any_depth() {
        let error = pretty(r#"{"paths":{"/a":{"get":1,"put":2,"get":3}}}"#).err().unwrap();
        assert!(error.to_string().contains("\"get\" stands twice"), "{error}");
        assert!(pretty(r#"{"a":{"x":1},"b":{"x":1}}"#).is_ok());
    }

    #[test]
    fn what_is_not_json_is_an_error() {
        assert!(pretty("").is_err() && pretty("{} {}").is_err() && pretty("error: port in use").is_err());
    }
}
