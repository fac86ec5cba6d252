//! Generates the client from the document as it is published.

use std::{env, fs, path::PathBuf};

use progenitor_impl::{GenerationSettings, Generator, InterfaceStyle};
use serde_json::Value;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let document = "../../../openapi/panelone.json";
    println!("cargo::rerun-if-changed={document}");
    let mut document: Value = serde_json::from_str(&fs::read_to_string(document)?)?;
    name_problems_json(&mut document);
    let document: openapiv3::OpenAPI = serde_json::from_value(document)?;
    let mut settings = GenerationSettings::default();
    settings.with_interface(InterfaceStyle::Builder);
    let tokens = Generator::new(&settings).generate_tokens(&document)?;
    let text = prettyplease::unparse(&syn::parse2(tokens)?);
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("client.rs"), text)?;
    Ok(())
}

/// progenitor types no other media type than `application/json`: errors would be streams of bytes.
fn name_problems_json(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if let Some(schema) = fields.remove("application/problem+json") {
                fields.insert("application/json".to_owned(), schema);
            }
            // Nor does it know files of text.
            if let Some(body) = fields.get_mut("requestBody").and_then(|body| body.get_mut("content")?.as_object_mut())
                && let Some(schema) = body.remove("text/csv")
            {
                body.insert("application/octet-stream".to_owned(), schema);
            }
            fields.values_mut().for_each(name_problems_json);
        }
        Value::Array(items) => items.iter_mut().for_each(name_problems_json),
        _ => {}
    }
}
