//! What the vendor calls a customer.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What the vendor calls a customer: organisation, site, company, tenant.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Entity {
    /// Name as last seen.
    pub name: String,
    /// DNS domains that belong to it, lower case, the main one first.
    pub domains: Vec<String>,
    /// Ids that other systems gave it and that this vendor holds ("psa" → "1042").
    pub external_ids: BTreeMap<String, String>,
    /// Microsoft 365 tenant, if the vendor says so.
    pub tenant_id: Option<String>,
    /// Telephone as written.
    pub phone: Option<String>,
    /// City and the like, for a person to tell two apart.
    pub place: Option<String>,
    /// Whether it is in use at the vendor.
    pub active: Option<bool>,
    /// The vendor's own word for its state.
    pub status: Option<String>,
    /// Postal address, where the vendor tells it by parts.
    // Left out where there is none: entities stored before there were addresses stay as they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<PostalAddress>,
}

/// A postal address by parts; country apart, which vendors tell in words and take as codes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the names say it")]
pub struct PostalAddress {
    pub street: Option<String>,
    pub city: Option<String>,
    pub region: Option<String>,
    pub post_code: Option<String>,
}

impl PostalAddress {
    /// The address, unless nothing of it is known.
    pub fn known(self) -> Option<Self> {
        (self != Self::default()).then_some(self)
    }

    /// A street out of the lines that a vendor keeps it in; blank ones do not count.
    pub fn street_of(lines: [Option<String>; 2]) -> Option<String> {
        let lines: Vec<String> = lines.into_iter().flatten().map(|line| line.trim().to_owned()).collect();
        let known: Vec<&str> = lines.iter().map(String::as_str).filter(|line| !line.is_empty()).collect();
        (!known.is_empty()).then(|| known.join(", "))
    }

    /// The two lines that a street is written to: the second is blank unless the first would have more characters than a
    /// vendor takes. It is always sent along, so that nothing of another street stays in it.
    pub fn street_lines(street: &str, most: usize) -> [&str; 2] {
        let street = street.trim();
        if street.chars().count() <= most {
            return [street, ""];
        }
        let parts = street.match_indices(", ").filter(|(at, _)| street[..*at].chars().count() <= most);
        parts.last().map_or([street, ""], |(at, comma)| [&street[..at], &street[at + comma.len()..]])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_street_of_two_lines_comes_back_from_them() {
        let some = |text: &str| Some(text.to_owned());
        for (street, lines) in [
            ("12 Mill Lane", ["12 Mill Lane", ""]),
            ("Suite 4, 12 Mill Lane", ["Suite 4, 12 Mill Lane", ""]),
            ("Suite 4, Harbour House, 12 Mill Lane", ["Suite 4, Harbour House", "12 Mill Lane"]),
            ("One very long word of a street", ["One very long word of a street", ""]),
        ] {
            assert_eq!(PostalAddress::street_lines(street, 24), lines);
            assert_eq!(PostalAddress::street_of(lines.map(some)), some(street));
        }
        assert_eq!(PostalAddress::street_of([some(" "), some("Suite 4")]), some("Suite 4"));
        assert_eq!(PostalAddress::street_of([some(""), None]), None);
    }
}
