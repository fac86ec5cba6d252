//! Which clients a list or an export holds.

use domain::{Archived, Error, IntegrationFilter, Range, Result};
use persistence::ClientFilter;
use poem_openapi::Enum;

use super::clients::Status;
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
/// devices and of users.
pub fn filter(
    app: &App,
    search: Option<String>,
    status: Option<Status>,
    (has, missing): (Option<String>, Option<String>),
    [devices, users]: [(Option<i32>, Option<i32>); 2],
    archived: Option<ArchivedClients>,
) -> Result<ClientFilter> {
    if has.is_some() && missing.is_some() {
        return Err(Error::invalid("missing", "one_of", "cannot be combined with has: ask twice"));
    }
    let integrations = match (integration_list(app, "has", has)?, integration_list(app, "missing", missing)?) {
        (Some(all), _) => Some(IntegrationFilter::Has(all)),
        (None, any) => any.map(IntegrationFilter::Missing),
    };
    Ok(ClientFilter {
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
