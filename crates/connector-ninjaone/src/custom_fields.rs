//! Custom fields of locations.

use async_trait::async_trait;
use integration::{CustomField, CustomFields, Error, Kind, Method, Result, Vendor};
use serde_json::{Map, Value};

use crate::{NinjaOne, api, fields::Field};

/// Every scope, spelled as the vendor's description does, which knows no other value: what is not of locations is left
/// out here.
const SCOPES: &str = "all,node,location,organization";

#[async_trait]
impl CustomFields for NinjaOne {
    async fn fields(&self, entity_id: &str, location_id: &str) -> Result<Vec<CustomField>> {
        let path = path(entity_id, location_id)?;
        let definitions = self.definitions().await?;
        let values = self.values(&path).await?;
        let told = |field: Field| {
            let name = field.name.clone()?;
            Some(CustomField {
                label: field.title().to_owned(),
                value: values.get(&name).and_then(|value| field.shown(value)),
                editable: field.editable(),
                class: field.class,
                name,
            })
        };
        Ok(definitions.into_iter().filter_map(told).collect())
    }

    async fn set_fields(&self, entity_id: &str, location_id: &str, values: &[(String, Option<String>)]) -> Result<()> {
        let path = path(entity_id, location_id)?;
        let definitions = self.definitions().await?;
        let mut body = Map::new();
        let mut emptied = Vec::new();
        for (name, value) in values {
            let known = definitions.iter().find(|field| field.name.as_ref() == Some(name));
            let Some(field) = known.filter(|field| field.editable()) else {
                let why = "NinjaOne does not let client apps change it: see its API permission and its type";
                return Err(refused(known.map_or(name, |field| field.title()), why));
            };
            let value = match value.as_deref().filter(|text| !text.trim().is_empty()) {
                Some(text) => field.sent(text).map_err(|why| refused(field.title(), &why))?,
                None => {
                    emptied.push(field);
                    Value::Null
                }
            };
            body.insert(name.clone(), value);
        }
        if body.is_empty() {
            return Ok(());
        }
        self.api.change(self.api.request(Method::Patch, &path)?.json(body.into())).await?;
        self.are_empty(&path, &emptied).await
    }
}

impl NinjaOne {
    /// The fields that locations can have, whether they have a value or not.
    async fn definitions(&self) -> Result<Vec<Field>> {
        let request = self.api.request(Method::Get, "/v2/device-custom-fields")?.query("scopes", SCOPES);
        let mut all: Vec<Field> = self.api.all(request, "custom field").await?;
        let of_locations = |field: &Field| field.definition_scope.iter().any(|scope| scope == "LOCATION");
        all.retain(|field| field.name.is_some() && field.active != Some(false) && of_locations(field));
        Ok(all)
    }

    /// Values by name. What the client app may not read is not there.
    async fn values(&self, path: &str) -> Result<Map<String, Value>> {
        self.api.read(self.api.request(Method::Get, path)?).await?.json(Self::NAME)
    }

    /// NinjaOne has been seen to take an empty value and to keep the old one without a word.
    async fn are_empty(&self, path: &str, emptied: &[&Field]) -> Result<()> {
        if emptied.is_empty() {
            return Ok(());
        }
        let values = self.values(path).await?;
        let value = |field: &Field| values.get(field.name.as_deref()?).and_then(|value| field.shown(value));
        match emptied.iter().find(|field| value(field).is_some()) {
            Some(kept) => Err(refused(kept.title(), "NinjaOne kept its value: empty it in NinjaOne itself")),
            None => Ok(()),
        }
    }
}

fn path(entity_id: &str, location_id: &str) -> Result<String> {
    let (organization, location) = (api::id(entity_id)?, api::id(location_id)?);
    Ok(format!("/v2/organization/{organization}/location/{location}/custom-fields"))
}

fn refused(field: &str, why: &str) -> Error {
    Error::new(Kind::Refused, format!("{field}: {why}"))
}
