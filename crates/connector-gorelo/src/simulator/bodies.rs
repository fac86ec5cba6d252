//! The bodies of writes: every name must be known, of the right type, and there if it is required.

use serde_json::Value;

use super::{No, no};

/// Fields of a body: `*` must be there; `#` is a number, `[]` a list, `{}` an object, the rest are texts.
type Fields = &'static [&'static str];

pub(super) const NEW_CLIENT: Fields = &["*Name", "BillingName", "AlternateName", "Domain", "*{}Location"];
pub(super) const LOCATION: Fields = &[
    "*Name",
    "Address1",
    "Address2",
    "City",
    "State",
    "Country",
    "PostalCode",
    "Phone",
    "PhoneCountryCode",
    "PhoneExt",
    "TimeZone",
];
pub(super) const CLIENT: Fields = &["Name", "#StatusId", "BillingName", "AlternateName"];
pub(super) const CONTACT: Fields = &[
    "#ClientId",
    "#LocationId",
    "*FirstName",
    "*LastName",
    "*PrimaryEmail",
    "[]SecondaryEmail",
    "OfficePhone",
    "OfficePhoneCountryCode",
    "MobilePhone",
    "MobilePhoneCountryCode",
    "JobTitle",
    "Department",
    "Description",
    "TimeZone",
];
pub(super) const NEW_TICKET: Fields = &[
    "*Title",
    "*#StatusId",
    "*#GroupId",
    "*#TypeId",
    "#ClientId",
    "#LocationId",
    "#ContactId",
    "Description",
    "#PriorityId",
    "#SourceId",
    "#LeadAssigneeId",
];
pub(super) const TICKET: Fields = &[
    "Title",
    "#StatusId",
    "[]GroupIds",
    "#TypeId",
    "#ClientId",
    "#LocationId",
    "#ContactId",
    "#PriorityId",
    "#LeadAssigneeId",
];
pub(super) const COMMENT: Fields = &["*#ConversationTypeId", "*Body", "ConversationId", "CreatedByName"];

/// Checks a body. A null is as good as nothing.
pub(super) fn check(body: &Value, fields: Fields) -> Result<(), No> {
    let wrong = |about: &str| no(400, "070201", "Invalid or malformed request body", about);
    let Some(object) = body.as_object() else { return Err(wrong("")) };
    let name = |field: &'static str| field.trim_start_matches(['*', '#', '[', ']', '{', '}']);
    for (given, value) in object {
        let field = fields.iter().find(|field| name(field) == given).ok_or_else(|| wrong(""))?;
        let fits = match field.trim_start_matches('*') {
            number if number.starts_with('#') => value.is_u64(),
            list if list.starts_with('[') => value.is_array(),
            inner if inner.starts_with('{') => value.is_object(),
            _ => value.is_string(),
        };
        if !fits && !value.is_null() {
            return Err(wrong(given));
        }
    }
    let missing = fields.iter().filter(|field| field.starts_with('*')).map(|field| name(field)).find(|name| {
        let value = object.get(*name);
        value.is_none_or(|value| value.is_null() || value.as_str() == Some(""))
    });
    match missing {
        Some(name) => Err(no(400, "070202", "The field is required", name)),
        None => Ok(()),
    }
}
