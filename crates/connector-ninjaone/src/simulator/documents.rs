//! Documents of organisations. What is archived is not listed.

use integration::Vendor;
use serde_json::{Value, json};
use vendorkit::{
    World,
    world::{Business, Document, uuid},
};

use super::{
    answers::{Query, Refusal, json as to_json},
    devices::seconds,
    shelves::{self, Kind},
};
use crate::NinjaOne;

/// The documents of the organisations asked for, or of all.
pub(super) fn list(world: &World, query: &Query) -> Result<Vec<u8>, Refusal> {
    query.without(&["groupBy", "templateIds", "templateName", "documentName"])?;
    let ids = query.text("organizationIds").map(|ids| ids.split(',').map(str::parse).collect::<Result<Vec<u64>, _>>());
    let ids = ids.transpose().map_err(|_| Refusal::api(400, "organizationIds must be numbers"))?;
    let wanted = |(business, _): &(&Business, &Document)| ids.as_ref().is_none_or(|ids| ids.contains(&business.key));
    to_json(&listed(world).filter(wanted).map(|(business, document)| row(business, document)).collect::<Vec<_>>())
}

/// What is listed.
pub(super) fn listed(world: &World) -> impl Iterator<Item = (&Business, &Document)> {
    let all = world.known_to(NinjaOne::ID).flat_map(|b| b.documents.iter().map(move |document| (b, document)));
    all.filter(|(_, document)| !document.archived)
}

pub(super) fn set_archived(world: &mut World, id: &str, archived: bool) -> Result<Vec<u8>, Refusal> {
    let unknown = || Refusal::api(404, "Document not found");
    let key: u64 = id.parse().map_err(|_| unknown())?;
    let known = world.document(key).is_some_and(|(business, _)| business.vendors.contains(NinjaOne::ID));
    if !known || !world.change_document(key, |document| document.archived = archived) {
        return Err(unknown());
    }
    let (business, document) = world.document(key).ok_or_else(unknown)?;
    to_json(&row(business, document))
}

fn row(business: &Business, document: &Document) -> Value {
    let template = shelves::template(&document.template);
    let updated = seconds(document.updated);
    let mut fields: Vec<Value> = document
        .fields
        .iter()
        .map(|(label, text)| {
            let field = template.and_then(|template| template.fields.iter().find(|field| field.label == label));
            let value = match field.map(|field| &field.kind) {
                Some(Kind::Choice(names)) if names.contains(&text.as_str()) => choice(text),
                _ => text.clone(),
            };
            json!({"name": shelves::field_name(label), "value": value, "valueUpdateTime": updated})
        })
        .collect();
    // A secret that nobody masked: the connector has to know that it is one.
    for secret in template.into_iter().flat_map(|t| t.fields).filter(|field| matches!(field.kind, Kind::Secret)) {
        let value = format!("the secret of document {}", document.key);
        fields.push(json!({"name": shelves::field_name(secret.label), "value": value, "valueUpdateTime": updated}));
    }
    json!({
        "documentId": document.key,
        "documentName": document.title,
        "documentDescription": null,
        "documentUpdateTime": updated,
        "fields": fields,
        "documentTemplateId": template.map_or(99, |template| template.id),
        "documentTemplateName": document.template,
        "organizationId": business.key,
    })
}

/// The id of a choice.
pub(super) fn choice(name: &str) -> String {
    uuid(&format!("ninjaone/choice/{name}"), 1).to_string()
}
