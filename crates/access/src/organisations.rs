//! New organisations, each with its first owner.

use std::collections::BTreeSet;

use domain::{Context, OrganisationId, Problem, Result, Role, valid_name};
use persistence::{StaffRow, Store};
use secrecy::SecretString;

use crate::{Gate, NewStaff};

/// Characters of a slug.
const SLUG: usize = 63;

/// What it takes to make an organisation; nothing is checked yet.
#[derive(Clone, Debug)]
pub struct NewOrganisation {
    /// Its name.
    pub name: String,
    /// Its short name in addresses and at sign-in; made from the name unless given.
    pub slug: Option<String>,
    /// The owner's name.
    pub owner_name: String,
    /// The owner's address.
    pub owner_email: String,
    /// The owner's password.
    pub owner_password: SecretString,
}

/// Makes an organisation and its owner, all or nothing, journalled as `organisation_create`. For
/// operators. The conflict `slug_taken` when there is one of this slug.
pub async fn organisation_create(
    store: &Store,
    gate: &Gate,
    new: NewOrganisation,
) -> Result<(OrganisationId, StaffRow)> {
    let mut problems = Vec::new();
    let name = valid_name("/name", &new.name).unwrap_or_else(|problem| {
        problems.push(problem);
        String::new()
    });
    let slug = match &new.slug {
        Some(slug) => slug.trim().to_owned(),
        None => slug_of(&name),
    };
    if !name.is_empty() || new.slug.is_some() {
        problems.extend(slug_problem(&slug));
    }
    let owner = NewStaff {
        name: new.owner_name,
        email: new.owner_email,
        password: Some(new.owner_password),
        role: Role::Owner,
        allow_clients: None,
        deny_clients: BTreeSet::new(),
    };
    let owner = owner.check_at("/owner", problems, gate).await?;

    let now = store.clock().now();
    let id = OrganisationId(store.chance().id(now));
    let tx = store.begin(Context::operator(id, now)).await?;
    tx.organisation_insert(&name, &slug).await?;
    let owner = owner.into_row(&tx);
    tx.staff_insert(&owner).await?;
    tx.commit("organisation_create", None).await?;
    Ok((id, owner))
}

/// A name in small letters, digits and hyphens.
fn slug_of(name: &str) -> String {
    let plain: String = name.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let slug = plain.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-");
    slug.chars().take(SLUG).collect::<String>().trim_end_matches('-').to_owned()
}

fn slug_problem(slug: &str) -> Option<Problem> {
    if slug.is_empty() {
        return Some(Problem::new("/slug", "required", "must be given: the name has no letters to make one of"));
    }
    let sound = slug.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if !sound || slug.len() > SLUG || slug.starts_with('-') || slug.ends_with('-') {
        let message = format!("must be 1 to {SLUG} small letters, digits and hyphens, no hyphen at either end");
        return Some(Problem::new("/slug", "not_a_slug", message));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_made_of_what_a_name_has() {
        for (name, slug) in [("Kite & Harbour IT", "kite-harbour-it"), ("  -Ünit 7- ", "nit-7"), ("東京", "")] {
            assert_eq!(slug_of(name), slug);
        }
        assert_eq!(slug_of(&"ab ".repeat(60)).len(), 62);
        for (slug, code) in [("", "required"), ("-a", "not_a_slug"), ("a_b", "not_a_slug"), ("A", "not_a_slug")] {
            assert_eq!(slug_problem(slug).map(|problem| problem.code), Some(code), "{slug}");
        }
        assert_eq!(slug_problem("kite-7"), None);
    }
}
