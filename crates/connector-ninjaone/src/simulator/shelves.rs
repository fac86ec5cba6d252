//! What the account keeps for all organisations: roles, templates, checklists, tabs.

use serde_json::{Value, json};

use super::{
    answers::{Query, Refusal, json as to_json},
    documents::choice,
};

/// A template of documents; its name is the one in the world.
pub(super) struct Template {
    pub id: u64,
    name: &'static str,
    pub fields: &'static [Field],
}

pub(super) struct Field {
    pub label: &'static str,
    pub kind: Kind,
}

/// What a field holds.
pub(super) enum Kind {
    Text,
    Address,
    Choice(&'static [&'static str]),
    Secret,
}

const TEMPLATES: [Template; 3] = [
    Template {
        id: 9,
        name: "Network",
        fields: &[
            Field { label: "Internet provider", kind: Kind::Text },
            Field { label: "Router", kind: Kind::Address },
            Field { label: "VLANs", kind: Kind::Text },
            Field { label: "Router password", kind: Kind::Secret },
        ],
    },
    Template {
        id: 10,
        name: "Backup",
        fields: &[
            Field { label: "Schedule", kind: Kind::Text },
            Field { label: "Kept for", kind: Kind::Choice(&["30 days", "90 days"]) },
        ],
    },
    Template {
        id: 11,
        name: "Site",
        fields: &[
            Field { label: "Opening hours", kind: Kind::Text },
            Field { label: "Alarm code kept by", kind: Kind::Text },
        ],
    },
];

/// The template of this name.
pub(super) fn template(name: &str) -> Option<&'static Template> {
    const ALL: &[Template] = &TEMPLATES;
    ALL.iter().find(|template| template.name == name)
}

/// The name of a field: its label in one word.
pub(super) fn field_name(label: &str) -> String {
    let mut words = label.split(' ');
    let first = words.next().unwrap_or_default().to_lowercase();
    words.fold(first, |name, word| {
        let mut letters = word.chars();
        name + &letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default() + letters.as_str()
    })
}

pub(super) fn document_templates(query: &Query) -> Result<Vec<u8>, Refusal> {
    query.without(&["templateName"])?;
    to_json(&TEMPLATES.iter().map(row).collect::<Vec<_>>())
}

pub(super) fn document_template(id: &str) -> Result<Vec<u8>, Refusal> {
    let found = TEMPLATES.iter().find(|template| template.id.to_string() == id).map(row);
    to_json(&found.ok_or_else(|| Refusal::api(404, "Document template not found"))?)
}

fn row(template: &Template) -> Value {
    let field = |(at, field): (usize, &Field)| {
        let (class, values): (_, &[&str]) = match field.kind {
            Kind::Text => ("TEXT", &[]),
            Kind::Address => ("IP_ADDRESS", &[]),
            Kind::Choice(names) => ("DROPDOWN", names),
            Kind::Secret => ("TEXT_ENCRYPTED", &[]),
        };
        let values: Vec<Value> =
            values.iter().map(|name| json!({"id": choice(name), "name": name, "active": true})).collect();
        json!({
            "fieldId": 70 + at, "fieldLabel": field.label, "fieldName": field_name(field.label),
            "fieldDescription": null, "fieldType": class, "fieldTechnicianPermission": "EDITABLE",
            "fieldScriptPermission": "NONE", "fieldApiPermission": "READ_WRITE", "fieldDefaultValue": null,
            "fieldContent": {"values": values, "required": false},
        })
    };
    let title = json!({"uiElementUid": choice(template.name), "uiElementName": "Basics", "uiElementType": "TITLE"});
    let fields: Vec<Value> = [title].into_iter().chain(template.fields.iter().enumerate().map(field)).collect();
    json!({
        "id": template.id, "name": template.name, "description": null, "allowMultiple": true, "mandatory": false,
        "createTime": 1_750_000_000.0, "updateTime": 1_750_000_500.0, "fields": fields,
        "availableToAllTechnicians": true, "archived": false,
    })
}

pub(super) fn roles() -> Result<Vec<u8>, Refusal> {
    // Ids as the rows of devices have them.
    let roles = ["WINDOWS_WORKSTATION", "WINDOWS_SERVER", "MAC", "LINUX_SERVER", "NMS_FIREWALL", "NMS_SWITCH"];
    let row = |(at, class): (usize, &&str)| {
        json!({
            "id": 11 + at, "name": class, "description": null, "nodeClass": class, "custom": false,
            "chassisType": if at == 0 { "LAPTOP" } else { "UNKNOWN" }, "created": 1_700_000_000.0, "icon": null,
        })
    };
    to_json(&roles.iter().enumerate().map(row).collect::<Vec<_>>())
}

pub(super) fn checklist_templates(query: &Query) -> Result<Vec<u8>, Refusal> {
    query.without(&["checklistTemplateIds", "checklistTemplateName", "required", "includeArchived"])?;
    let told = |text: &str| json!({"text": text, "html": format!("<p>{text}</p>")});
    let task = |position: u8, name: &str| json!({"position": position, "name": name, "description": told("")});
    to_json(&json!([{
        "id": 3, "name": "Onboarding", "description": told("New client"),
        "tasks": [task(2, "Install agents"), task(1, "Create location")], "required": false,
        "lastUpdatedOn": 1_760_000_000.0,
        "lastUpdatedBy": {"id": 5, "firstName": "Robin", "lastName": "Vale", "deleted": false}, "archived": false,
    }]))
}

/// Tabs of organisations, end users and the account: not in their order.
pub(super) fn tabs(of: &str) -> Result<Vec<u8>, Refusal> {
    let label = |id: u64, name: &str, position: u8, default: bool| json!({"id": id, "name": name, "description": "", "position": position, "hiddenForRoles": [], "default": default});
    let labels = match of {
        "organization" => vec![label(61, "Contracts", 2, false), label(60, "Custom fields", 1, true)],
        "end-user" => vec![label(62, "Equipment", 1, false)],
        _ => Vec::new(),
    };
    to_json(&json!({"labels": labels, "roleHierarchy": []}))
}

pub(super) fn tab(id: &str) -> Result<Vec<u8>, Refusal> {
    let field = |name: &str| json!({"id": 301, "name": name, "fieldName": field_name(name), "attributeType": "TEXT"});
    let (name, of, items) = match id {
        "61" => ("Contracts", "ORGANIZATION", vec![field("Contract ends"), field("Notice period")]),
        "62" => ("Equipment", "END_USER", vec![field("Desk phone")]),
        _ => return Err(Refusal::api(404, "The custom tab could not be found")),
    };
    let title =
        json!({"name": "About", "uiElementUid": choice(name), "uiElementType": "TITLE", "uiElementValue": name});
    let items: Vec<Value> = [title].into_iter().chain(items).collect();
    to_json(&json!({
        "id": id.parse::<u64>().ok(), "name": name, "description": "", "entityType": of, "items": items, "position": 1,
        "isDefault": false,
    }))
}
