//! Which clients a list or an export holds.

use domain::{Archived, Error, IntegrationFilter, Range, Result, name_key};
use persistence::{ClientFilter, KnownBy};
use poem_openapi::{Enum, types::ParseFromParameter};

use super::clients::{ClientOrder, Direction, Status};
use crate::app::App;

/// Whether archived clients are among them
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum ArchivedClients {
    /// None of them
    Hidden,
    /// Nothing else
    Only,
    /// Among the others
    Included,
}

/// The filter that parameters ask for: `has` and `missing` are lists with commas, `ranges` the least and the most of
/// devices and of users, `known` whether these are to be known.
pub fn filter(
    app: &App,
    search: Option<String>,
    status: Option<Status>,
    (has, missing): (Option<String>, Option<String>),
    [devices, users]: [(Option<i32>, Option<i32>); 2],
    known: [Option<bool>; 2],
    archived: Option<ArchivedClients>,
) -> Result<ClientFilter> {
    if has.is_some() && missing.is_some() {
        return Err(Error::invalid("missing", "one_of", "cannot be combined with has: ask twice"));
    }
    let integrations = match (integration_list(app, "has", has)?, integration_list(app, "missing", missing)?) {
        (Some(all), _) => Some(IntegrationFilter::Has(all)),
        (None, any) => any.map(IntegrationFilter::Missing),
    };
    let known_by = |known: Option<bool>, kind: &str| {
        let telling = app.entries.iter().filter(|entry| app.can(entry.id, kind));
        known.map(|known| KnownBy { integrations: telling.map(|entry| entry.id.to_owned()).collect(), known })
    };
    let [devices_known, users_known] = known;
    Ok(ClientFilter {
        devices_known: known_by(devices_known, "device"),
        users_known: known_by(users_known, "directory_user"),
        search: search.filter(|text| !text.trim().is_empty()),
        status: status.map(Into::into),
        integrations,
        devices: Range { min: devices.0, max: devices.1 },
        users: Range { min: users.0, max: users.1 },
        archived: match archived {
            None | Some(ArchivedClients::Hidden) => Archived::Hidden,
            Some(ArchivedClients::Only) => Archived::Only,
            Some(ArchivedClients::Included) => Archived::Included,
        },
        tag: None,
    })
}

/// Integrations of a comma-separated list; each must be in the catalogue.
fn integration_list(app: &App, parameter: &str, text: Option<String>) -> Result<Option<Vec<String>>> {
    let Some(text) = text.filter(|text| !text.trim().is_empty()) else { return Ok(None) };
    let list: Vec<String> = text.split(',').map(|id| id.trim().to_owned()).filter(|id| !id.is_empty()).collect();
    match list.iter().find(|id| app.entry(id).is_none()) {
        Some(_) => {
            Err(Error::invalid(parameter, "unknown_integration", "names an integration that is not in the catalogue"))
        }
        None => Ok(Some(list)),
    }
}

/// Longest query that is kept, in characters.
const LONGEST: usize = 2_000;

/// A tag as it is kept, for a filter.
pub fn tag(text: Option<String>) -> Option<String> {
    text.map(|text| name_key(&text)).filter(|text| !text.is_empty())
}

/// A query of the client list as it is kept: read as the list reads it, each parameter once, without those of a page.
pub fn kept_query(app: &App, query: &str) -> Result<String> {
    Ok(read_query(app, query)?.0)
}

/// The filter that such a query asks for; its order is of no account.
pub fn filter_of(app: &App, query: &str) -> Result<ClientFilter> {
    Ok(read_query(app, query)?.1)
}

fn read_query(app: &App, query: &str) -> Result<(String, ClientFilter)> {
    let wrong = |code, message: String| Error::invalid("/query", code, message);
    if query.chars().count() > LONGEST {
        return Err(wrong("too_long", format!("must have at most {LONGEST} characters")));
    }
    let text = query.trim().trim_start_matches('?');
    let pairs: Vec<(String, String)> = url::form_urlencoded::parse(text.as_bytes()).into_owned().collect();
    let mut asked = Parameters(Vec::new());
    for (name, value) in pairs {
        if ["limit", "cursor"].contains(&name.as_str()) {
            return Err(wrong("not_kept", format!("names “{name}”: a filter holds no page")));
        }
        if !NAMES.contains(&name.as_str()) {
            let name: String = name.chars().take(50).collect();
            return Err(wrong("unknown_parameter", format!("names “{name}”, which the client list does not have")));
        }
        if asked.0.iter().any(|(known, _)| *known == name) {
            return Err(wrong("twice", format!("names “{name}” twice")));
        }
        if value.contains('\0') {
            return Err(wrong("malformed", format!("has a NUL character in “{name}”")));
        }
        asked.0.push((name, value));
    }
    let ranges =
        [(asked.get("devices_min")?, asked.get("devices_max")?), (asked.get("users_min")?, asked.get("users_max")?)];
    let known = [asked.get("devices_known")?, asked.get("users_known")?];
    let (has, missing) = (asked.get("has")?, asked.get("missing")?);
    asked.get::<ClientOrder>("sort")?;
    asked.get::<Direction>("direction")?;
    let (search, status) = (asked.get("search")?, asked.get("status")?);
    let mut found = filter(app, search, status, (has, missing), ranges, known, asked.get("archived")?).map_err(
        |error| match error {
            Error::Invalid(problems) => Error::Invalid(
                problems.into_iter().map(|one| domain::Problem { pointer: "/query".to_owned(), ..one }).collect(),
            ),
            other => other,
        },
    )?;
    found.tag = tag(asked.get("tag")?);
    let mut kept = url::form_urlencoded::Serializer::new(String::new());
    kept.extend_pairs(asked.0);
    Ok((kept.finish(), found))
}

/// The parameters of the client list that a filter may hold.
const NAMES: [&str; 14] = [
    "search",
    "status",
    "has",
    "missing",
    "devices_min",
    "devices_max",
    "users_min",
    "users_max",
    "devices_known",
    "users_known",
    "archived",
    "tag",
    "sort",
    "direction",
];

/// Parameters by name.
struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// A parameter as the list reads it.
    fn get<T: ParseFromParameter>(&self, name: &str) -> Result<Option<T>> {
        let Some((_, text)) = self.0.iter().find(|(known, _)| known == name) else { return Ok(None) };
        let read = T::parse_from_parameter(text);
        read.map(Some).map_err(|_| Error::invalid("/query", "malformed", format!("cannot be read at “{name}”")))
    }
}
