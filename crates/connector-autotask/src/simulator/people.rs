//! Writing to contacts.

use serde_json::{Map, Value};
use uuid::Uuid;
use vendorkit::World;

use super::{
    No, State,
    changes::{required, text},
    no, rows,
};

/// The directory id of a contact of this business.
pub(super) fn person(world: &World, of: u64, id: u64) -> Result<Uuid, No> {
    let found = world.business(of).and_then(|of| of.person(id)).map(|person| person.id);
    found.ok_or_else(|| No(500, "The contact does not exist".to_owned()))
}

pub(super) fn new_contact(
    world: &mut World,
    state: &mut State,
    of: u64,
    fields: &Map<String, Value>,
) -> Result<u64, No> {
    required(fields, &["firstName", "lastName", "isActive", "companyID"])?;
    if fields["companyID"].as_u64() != Some(rows::company_id(of)) {
        return no("companyID is not the parent's.");
    }
    let Some(id) = world.add_person(of) else { return no("The company does not exist") };
    world.change_person(id, |person| (person.title, person.email) = (String::new(), String::new()));
    let key = world.person(id).map(|(_, person)| person.key).unwrap_or_default();
    let mut rest = fields.clone();
    rest.remove("companyID");
    change_contact(world, state, of, key, id, &rest)?;
    Ok(key)
}

pub(super) fn change_contact(
    world: &mut World,
    state: &mut State,
    of: u64,
    key: u64,
    id: Uuid,
    fields: &Map<String, Value>,
) -> Result<(), No> {
    for (name, value) in fields {
        let said = text(value);
        match name.as_str() {
            "firstName" => drop(world.change_person(id, |person| person.given = said)),
            "lastName" => drop(world.change_person(id, |person| person.family = said)),
            "emailAddress" => drop(world.change_person(id, |person| person.email = said)),
            "title" => drop(world.change_person(id, |person| person.title = said)),
            "phone" => state.reached.entry(key).or_default().phone = Some(said),
            "mobilePhone" => state.reached.entry(key).or_default().mobile = Some(said),
            "isActive" => {
                let Some(active @ (0 | 1)) = value.as_i64() else { return no("isActive must be 0 or 1.") };
                world.change_person(id, |person| person.enabled = active == 1);
            }
            "companyLocationID" => {
                let place = value.as_u64();
                let there = world.business(of).is_some_and(|of| of.locations.iter().any(|at| Some(at.key) == place));
                if !there {
                    return no("companyLocationID does not belong to the company.");
                }
                state.reached.entry(key).or_default().place = place;
            }
            other => return no(format!("Unable to find {other} in the Contact entity.")),
        }
    }
    Ok(())
}
