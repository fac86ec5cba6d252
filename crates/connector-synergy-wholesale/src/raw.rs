//! What of the vendor's XML is kept. The vendor's answers hold secrets: the transfer code of every domain
//! (`domainPassword`) and the password of every hosting service. So nothing of an item leaves this connector but the
//! fields named here, as a small JSON object; that object is the raw record that is stored.

use bytes::Bytes;
use serde_json::{Map, Value};

use crate::xml::Node;

/// Fields that are kept, at any depth. Never add one that opens something, nor a person's details.
const KEPT: &[&str] = &[
    // Of any item.
    "status",
    "errorMessage",
    "id",
    "name",
    // Of a domain.
    "domainName",
    "domain_status",
    "domainStatus",
    "domain_expiry",
    "domain_created",
    "createdDate",
    "domain_create",
    "nameServers",
    "dnsConfigName",
    "idProtect",
    "autoRenew",
    "icannStatus",
    "icannVerificationDateEnd",
    "bulkInProgress",
    "transfer_status",
    "DSData",
    "keyTag",
    "algorithm",
    "digestType",
    "categories",
    "category",
    // Of a hosting service.
    "hoid",
    "domain",
    "server",
    "serviceStatus",
    "planID",
    "plan",
    "billingPeriod",
    "nextRenewalDue",
    "city",
    "country",
    "diskUsage",
    "diskLimit",
    "bandwidth",
];

/// What is kept of an element that has fields.
pub(crate) fn fields(node: &Node) -> Map<String, Value> {
    let mut kept = Map::new();
    for child in node.children.iter().filter(|child| !child.nil && KEPT.contains(&child.name.as_str())) {
        kept.entry(child.name.clone()).or_insert_with(|| value(child));
    }
    kept
}

/// A text, a list or an object, by what is in it.
fn value(node: &Node) -> Value {
    if node.children.is_empty() {
        Value::from(node.text.trim())
    } else if node.children.iter().all(|child| child.name == "item") {
        Value::Array(node.children.iter().filter(|child| !child.nil).map(value).collect())
    } else {
        Value::Object(fields(node))
    }
}

/// The raw records of a page.
///
/// An item may have an error of its own instead of its fields. "Not found" says that there is nothing behind a name
/// that the account once had: it is left out, so it counts as not listed. Any other error hides something that is
/// there: it stays, cannot be read, and so is counted as rejected, and nothing is removed on the word of that listing.
pub(crate) fn records(items: &[Node], finish: impl Fn(&mut Map<String, Value>)) -> Vec<Bytes> {
    let gone = |item: &&Node| item.said("status").is_some_and(|status| failed(status) && status.contains("NOT_FOUND"));
    let raw = |item: &Node| {
        let mut kept = fields(item);
        finish(&mut kept);
        Bytes::from(Value::Object(kept).to_string())
    };
    items.iter().filter(|item| !gone(item)).map(raw).collect()
}

/// The error of an item of its own, as a reason not to read it.
pub(crate) fn refused(noun: &str, status: Option<&str>) -> Result<(), String> {
    match status {
        Some(status) if failed(status) => {
            let code: String = status.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(40).collect();
            Err(format!("Synergy Wholesale tells nothing of a {noun} but {code}"))
        }
        _ => Ok(()),
    }
}

fn failed(status: &str) -> bool {
    status.starts_with("ERR")
}
