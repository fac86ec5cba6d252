//! The device filter `df`: terms joined by AND, as far as integrations use them.

use vendorkit::world::{Business, Device};

use super::devices::node_class;

/// A device filter; without terms it lets every device through.
pub(super) struct Filter(Vec<Term>);

enum Term {
    Device(Vec<u64>),
    Organization(Vec<u64>),
    Location(Vec<u64>),
    Class(Vec<String>),
    Offline(bool),
    Approved(bool),
}

impl Filter {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let terms = text.split(" AND ").map(str::trim).filter(|term| !term.is_empty());
        terms.map(Term::parse).collect::<Result<_, _>>().map(Self)
    }

    pub(super) fn matches(&self, business: &Business, device: &Device) -> bool {
        self.0.iter().all(|term| match term {
            Term::Device(ids) => ids.contains(&device.key),
            Term::Organization(ids) => ids.contains(&business.key),
            Term::Location(ids) => ids.contains(&device.location),
            Term::Class(classes) => classes.iter().any(|class| class == node_class(device.class)),
            Term::Offline(offline) => *offline != device.online,
            Term::Approved(approved) => *approved,
        })
    }

    /// The devices that it is about, where it names them.
    pub(super) fn devices(&self) -> Option<&[u64]> {
        self.0.iter().find_map(|term| match term {
            Term::Device(ids) => Some(ids.as_slice()),
            _ => None,
        })
    }

    /// The organisations that it is about, so that not every device has to be looked at.
    pub(super) fn organizations(&self) -> Option<&[u64]> {
        self.0.iter().find_map(|term| match term {
            Term::Organization(ids) => Some(ids.as_slice()),
            _ => None,
        })
    }
}

impl Term {
    fn parse(term: &str) -> Result<Self, String> {
        let unknown = || format!("Device filter cannot be read: {term}");
        match term {
            "online" => return Ok(Self::Offline(false)),
            "offline" => return Ok(Self::Offline(true)),
            _ => {}
        }
        let (name, values) = match term.split_once('=') {
            Some((name, value)) => (name.trim(), vec![value.trim()]),
            None => {
                let (name, list) = term.split_once(" in ").ok_or_else(unknown)?;
                let list = list.trim().strip_prefix('(').and_then(|list| list.strip_suffix(')')).ok_or_else(unknown)?;
                (name.trim(), list.split(',').map(str::trim).collect())
            }
        };
        let ids = || values.iter().map(|value| value.parse().map_err(|_| unknown())).collect::<Result<Vec<u64>, _>>();
        match name {
            "id" => Ok(Self::Device(ids()?)),
            "org" => Ok(Self::Organization(ids()?)),
            "loc" => Ok(Self::Location(ids()?)),
            "class" => Ok(Self::Class(values.into_iter().map(str::to_owned).collect())),
            // Everything in the world is approved.
            "status" => Ok(Self::Approved(values.contains(&"APPROVED"))),
            _ => Err(unknown()),
        }
    }
}
