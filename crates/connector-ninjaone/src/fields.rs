//! Fields that the MSP made: of locations, and of documents. What their values look like depends on their
//! type, so nothing is shown or sent of a type that is not known here: a new one may be a new sort of secret.

use chrono::{DateTime, NaiveDate, NaiveTime, SecondsFormat, Utc};
use serde::Deserialize;
use serde_json::{Number, Value};

use crate::loose::{flag, list, text, texts};

/// How NinjaOne begins a secret that it does not tell a client app.
const PLACEHOLDER: &str = "SECURE_VALUE_PLACEHOLDER";

/// Types whose values are read as they are. TEXT_ENCRYPTED and TOTP are secrets: they are in no list.
const OPEN: [&str; 22] = [
    "TEXT",
    "TEXT_MULTILINE",
    "EMAIL",
    "PHONE",
    "IP_ADDRESS",
    "URL",
    "WYSIWYG",
    "CHECKBOX",
    "NUMERIC",
    "DECIMAL",
    "MONETARY",
    "IDENTIFIER",
    "TIME",
    "ATTACHMENT",
    "NODE_DROPDOWN",
    "NODE_MULTI_SELECT",
    "CLIENT_DROPDOWN",
    "CLIENT_MULTI_SELECT",
    "CLIENT_LOCATION_DROPDOWN",
    "CLIENT_LOCATION_MULTI_SELECT",
    "CLIENT_DOCUMENT_DROPDOWN",
    "CLIENT_DOCUMENT_MULTI_SELECT",
];

/// Types whose values we know how to send: the first six are texts.
const SENT: [&str; 13] = [
    "TEXT",
    "TEXT_MULTILINE",
    "EMAIL",
    "PHONE",
    "IP_ADDRESS",
    "URL",
    "CHECKBOX",
    "NUMERIC",
    "DECIMAL",
    "DROPDOWN",
    "MULTI_SELECT",
    "DATE",
    "DATE_TIME",
];

/// A field's definition. Those of documents have their own names for everything.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Field {
    #[serde(default, alias = "fieldName", deserialize_with = "text")]
    pub name: Option<String>,
    #[serde(default, alias = "fieldLabel", deserialize_with = "text")]
    pub label: Option<String>,
    #[serde(default, rename = "type", alias = "fieldType", deserialize_with = "text")]
    pub class: Option<String>,
    #[serde(default, alias = "fieldApiPermission", deserialize_with = "text")]
    pub api_permission: Option<String>,
    #[serde(default, deserialize_with = "texts")]
    pub definition_scope: Vec<String>,
    #[serde(default, deserialize_with = "flag")]
    pub active: Option<bool>,
    /// A heading or a line between fields: no field at all.
    #[serde(default, deserialize_with = "text")]
    pub ui_element_type: Option<String>,
    #[serde(default, alias = "fieldContent")]
    content: Option<Content>,
}

#[derive(Deserialize)]
struct Content {
    #[serde(default, deserialize_with = "list")]
    values: Vec<Choice>,
}

/// What a value may be: it is told by its id.
#[derive(Deserialize)]
struct Choice {
    #[serde(default, deserialize_with = "text")]
    id: Option<String>,
    #[serde(default, deserialize_with = "text")]
    name: Option<String>,
    #[serde(default, deserialize_with = "flag")]
    active: Option<bool>,
}

impl Field {
    /// What people call it.
    pub(crate) fn title(&self) -> &str {
        self.label.as_deref().or(self.name.as_deref()).unwrap_or_default()
    }

    /// Whether its value may be set over the API, and we know how.
    pub(crate) fn editable(&self) -> bool {
        let allowed = matches!(self.api_permission.as_deref(), Some("READ_WRITE" | "WRITE_ONLY"));
        allowed && self.class.as_deref().is_some_and(|class| SENT.contains(&class))
    }

    /// A value as people read it; `None` for nothing, and for secrets.
    pub(crate) fn shown(&self, value: &Value) -> Option<String> {
        let shown = match self.class.as_deref()? {
            "DATE" => instant(value).map(|at| at.date_naive().to_string()).or_else(|| plain(value))?,
            "DATE_TIME" => instant(value).map(rfc3339).or_else(|| plain(value))?,
            "DROPDOWN" | "MULTI_SELECT" => self.named(&plain(value)?),
            class if OPEN.contains(&class) => plain(value)?,
            _ => return None,
        };
        (!shown.contains(PLACEHOLDER)).then_some(shown)
    }

    /// A text as NinjaOne wants the value, or what is wrong with the text.
    pub(crate) fn sent(&self, text: &str) -> Result<Value, String> {
        let text = text.trim();
        match self.class.as_deref().unwrap_or_default() {
            "CHECKBOX" => text.parse::<bool>().map(Value::from).map_err(|_| "is true or false".to_owned()),
            "NUMERIC" => text.parse::<i64>().map(Value::from).map_err(|_| "is a whole number".to_owned()),
            "DECIMAL" => text.parse::<Number>().map(Value::from).map_err(|_| "is a number such as 12.5".to_owned()),
            "DROPDOWN" => self.id_of(text).map(Value::from),
            "MULTI_SELECT" => text.split(',').map(|one| self.id_of(one.trim()).map(Value::from)).collect(),
            "DATE" => text
                .parse::<NaiveDate>()
                .map(|day| day.and_time(NaiveTime::MIN).and_utc().timestamp_millis().into())
                .map_err(|_| "is a day such as 2027-01-31".to_owned()),
            "DATE_TIME" => DateTime::parse_from_rfc3339(text)
                .map(|at| at.timestamp_millis().into())
                .map_err(|_| "is an instant such as 2027-01-31T09:00:00Z".to_owned()),
            _ => Ok(text.into()),
        }
    }

    fn choices(&self) -> impl Iterator<Item = (&str, &str, bool)> {
        let values = self.content.as_ref().map(|content| &content.values);
        let read = |choice: &'_ Choice| choice.active != Some(false);
        values
            .into_iter()
            .flatten()
            .filter_map(move |choice| Some((choice.id.as_deref()?, choice.name.as_deref()?, read(choice))))
    }

    /// The names of the ids in a list of ids; an id without a name stays.
    fn named(&self, ids: &str) -> String {
        let name = |id: &str| {
            self.choices().find(|(known, ..)| *known == id).map_or(id.to_owned(), |(_, name, _)| name.to_owned())
        };
        ids.split(',').map(|id| name(id.trim())).collect::<Vec<_>>().join(", ")
    }

    /// The id of the choice that has this name, or this id.
    fn id_of(&self, wanted: &str) -> Result<&str, String> {
        let open = || self.choices().filter(|(.., active)| *active);
        let found = open().find(|(id, name, _)| *name == wanted || *id == wanted);
        found
            .map(|(id, ..)| id)
            .ok_or_else(|| format!("is one of: {}", open().map(|(_, name, _)| name).collect::<Vec<_>>().join(", ")))
    }
}

/// Unlike all other times, those of fields are in milliseconds.
fn instant(value: &Value) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis(value.as_f64()? as i64)
}

fn rfc3339(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// A value without regard to its type: of several each, of an object what it calls itself.
pub(crate) fn plain(value: &Value) -> Option<String> {
    let shown = match value {
        Value::Null => return None,
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().to_owned(),
        Value::Array(items) => items.iter().filter_map(plain).collect::<Vec<_>>().join(", "),
        Value::Object(object) => ["text", "name"].into_iter().find_map(|key| plain(object.get(key)?))?,
    };
    (!shown.is_empty()).then_some(shown)
}
