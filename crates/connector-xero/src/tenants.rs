//! Which organisation is meant.

use integration::loose::Text;
use serde::Deserialize;

use crate::api::NAME;

/// What a sign-in reaches.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Tenant {
    pub tenant_id: Text,
    pub tenant_type: Text,
    pub tenant_name: Text,
}

/// The organisation that was named, or the only one. The error says what a person can do.
pub(crate) fn choose(tenants: Vec<Tenant>, wanted: Option<&str>) -> Result<String, String> {
    // A practice keeps no books of its own.
    let books = tenants.into_iter().filter(|one| one.tenant_type.0.as_deref() != Some("PRACTICE"));
    let known: Vec<(String, String)> =
        books.filter_map(|one| one.tenant_id.0.map(|id| (id, one.tenant_name.0.unwrap_or_default()))).collect();
    let same = |one: &str, other: &str| one.trim().to_lowercase() == other.trim().to_lowercase();
    let matching: Vec<&(String, String)> = match wanted {
        None => known.iter().collect(),
        // An id names one; two organisations may share a name.
        Some(wanted) => match known.iter().find(|(id, _)| same(id, wanted)) {
            Some(one) => vec![one],
            None => known.iter().filter(|(_, name)| same(name, wanted)).collect(),
        },
    };
    let all = || known.iter().map(|(id, name)| format!("{name} ({id})")).collect::<Vec<_>>().join(", ");
    match (matching.as_slice(), wanted) {
        ([(id, _)], _) => Ok(id.clone()),
        (_, _) if known.is_empty() => Err(format!(
            "no organisation of {NAME} is connected to the app: connect it at {NAME}, choosing the organisation"
        )),
        ([], _) => Err(format!("the Organisation entered is not among those that {NAME} gives access to: {}", all())),
        (_, None) => {
            Err(format!("{NAME} gives access to several organisations: enter one of them as Organisation: {}", all()))
        }
        (_, Some(_)) => {
            Err(format!("several organisations have the name entered: enter the tenant id instead: {}", all()))
        }
    }
}
