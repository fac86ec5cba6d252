//! What several vendors may say of one machine, field by field.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{serial, tables::PLACEHOLDER_MAKES};
use crate::Timestamp;

/// A field of a device of which one value is shown, whoever says what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each is a name")]
pub enum DeviceField {
    Name,
    Hostname,
    Class,
    Os,
    OsVersion,
    Manufacturer,
    Model,
    Serial,
    LastUser,
    PublicIp,
}

impl DeviceField {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 10] = [
        Self::Name,
        Self::Hostname,
        Self::Class,
        Self::Os,
        Self::OsVersion,
        Self::Manufacturer,
        Self::Model,
        Self::Serial,
        Self::LastUser,
        Self::PublicIp,
    ];

    /// As it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Hostname => "hostname",
            Self::Class => "class",
            Self::Os => "os",
            Self::OsVersion => "os_version",
            Self::Manufacturer => "manufacturer",
            Self::Model => "model",
            Self::Serial => "serial",
            Self::LastUser => "last_user",
            Self::PublicIp => "public_ip",
        }
    }

    /// Reads what [`Self::as_str`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.as_str() == text)
    }

    /// What a vendor's text says of this field, trimmed; `None` where it says nothing: blanks, and what firmware says
    /// in place of a serial number, maker or model.
    pub fn told(self, text: &str) -> Option<String> {
        let text = text.trim();
        let says = match self {
            Self::Serial => serial(text).is_some(),
            Self::Manufacturer | Self::Model => {
                let plain: String =
                    text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect();
                !text.is_empty() && !PLACEHOLDER_MAKES.contains(&plain.as_str())
            }
            _ => !text.is_empty(),
        };
        says.then(|| text.to_owned())
    }
}

/// What one observation says of each field. What it says nothing of is not in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Told {
    fields: BTreeMap<DeviceField, String>,
    heard_at: Option<Timestamp>,
}

/// The fields as they are stored.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Body {
    hostname: Option<String>,
    class: Option<String>,
    os: Option<String>,
    os_version: Option<String>,
    manufacturer: Option<String>,
    model: Option<String>,
    serial: Option<String>,
    last_user: Option<String>,
    public_ip: Option<String>,
    last_contact_at: Option<Timestamp>,
}

impl Told {
    /// Reads a stored record of the kind "device". Of a body that cannot be read, nothing is known but the title.
    pub fn read(title: &str, body: &str) -> Self {
        let body: Body = serde_json::from_str(body).unwrap_or_default();
        let name = body.hostname.clone().filter(|name| !name.trim().is_empty()).unwrap_or_else(|| title.to_owned());
        let each = [
            (DeviceField::Name, Some(name)),
            (DeviceField::Hostname, body.hostname),
            (DeviceField::Class, body.class),
            (DeviceField::Os, body.os),
            (DeviceField::OsVersion, body.os_version),
            (DeviceField::Manufacturer, body.manufacturer),
            (DeviceField::Model, body.model),
            (DeviceField::Serial, body.serial),
            (DeviceField::LastUser, body.last_user),
            (DeviceField::PublicIp, body.public_ip),
        ];
        let fields = each.into_iter().filter_map(|(field, text)| Some((field, field.told(&text?)?))).collect();
        Self { fields, heard_at: body.last_contact_at }
    }

    /// When the vendor last heard of the machine.
    pub fn heard_at(&self) -> Option<Timestamp> {
        self.heard_at
    }

    /// What it says of a field.
    pub fn get(&self, field: DeviceField) -> Option<&str> {
        self.fields.get(&field).map(String::as_str)
    }

    /// What `self` said and `now` says nothing of any more. A machine always has some name: that is never lost.
    pub fn lost(&self, now: &Self) -> Vec<(DeviceField, String)> {
        let gone = |field: &DeviceField| *field != DeviceField::Name && !now.fields.contains_key(field);
        self.fields.iter().filter(|(field, _)| gone(field)).map(|(field, value)| (*field, value.clone())).collect()
    }
}
