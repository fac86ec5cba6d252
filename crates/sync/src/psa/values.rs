//! The fields of a client and of a company, as texts that can be held against one another.

use domain::{
    Client, ClientStatus, Error, PsaDirection, PsaField, PsaSettings, RecordId, Result,
    psa::{PostalParts, Rules},
    valid_email, valid_name,
};
use integration::{CompanyDraft, Contact, Entity, PostalAddress};

const ACTIVE: &str = "active";
const INACTIVE: &str = "inactive";
/// Longest telephone number and postal address of a client, in characters.
const LONGEST: [(PsaField, usize); 2] = [(PsaField::Phone, 100), (PsaField::Address, 1_000)];

/// The main contact of a company.
#[derive(Clone, Debug)]
pub(super) struct MainContact {
    pub record: RecordId,
    pub email: Option<String>,
}

/// A company at the PSA with all that is known of it.
#[derive(Clone, Debug)]
pub(super) struct Company {
    pub row: domain::Entity,
    pub told: Entity,
    /// Whether telephone and address were told at all.
    pub whole: bool,
    pub contact: Option<MainContact>,
}

fn text(text: Option<&str>) -> Option<String> {
    text.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

impl Company {
    /// A company as it is stored; `alone` is what was read of it alone, where the listing does not tell all.
    pub fn of(
        row: domain::Entity,
        listed_whole: bool,
        alone: Option<&str>,
        contact: Option<MainContact>,
    ) -> Result<Self> {
        let mut told: Entity = serde_json::from_str(&row.body).map_err(Error::internal)?;
        if !listed_whole {
            let read: Option<Entity> = alone.map(serde_json::from_str).transpose().map_err(Error::internal)?;
            (told.phone, told.address) = read.map(|read| (read.phone, read.address)).unwrap_or_default();
        }
        Ok(Self { row, told, whole: listed_whole || alone.is_some(), contact })
    }

    /// The PSA's value of a field; `None` where it does not say, which is not the same as a blank.
    pub fn value(&self, field: PsaField) -> Option<Option<String>> {
        match field {
            PsaField::Name => Some(text(Some(&self.told.name))),
            PsaField::Phone => self.whole.then(|| text(self.told.phone.as_deref())),
            PsaField::Address => self.whole.then(|| self.told.address.as_ref().and_then(one_text)),
            PsaField::ContactEmail => self.contact.as_ref().map(|contact| text(contact.email.as_deref())),
            PsaField::Status => self.told.active.map(|active| Some(if active { ACTIVE } else { INACTIVE }.to_owned())),
        }
    }
}

fn one_text(address: &PostalAddress) -> Option<String> {
    let part = |part: &Option<String>| part.clone().unwrap_or_default();
    let parts = PostalParts {
        street: part(&address.street),
        city: part(&address.city),
        region: part(&address.region),
        post_code: part(&address.post_code),
    };
    text(Some(&parts.to_string()))
}

/// The main contact among a company's contacts, if the PSA says which it is.
pub(super) fn main_contact(contacts: &[domain::Record]) -> Option<MainContact> {
    contacts.iter().find_map(|record| {
        let contact: Contact = serde_json::from_str(&record.body).ok()?;
        (contact.primary == Some(true))
            .then(|| MainContact { record: record.id, email: text(contact.email.as_deref()) })
    })
}

/// Our value of a field.
pub(super) fn ours(client: &Client, field: PsaField) -> Option<String> {
    match field {
        PsaField::Name => text(Some(&client.name)),
        PsaField::Address => text(client.address.as_deref()),
        PsaField::Phone => text(client.phone.as_deref()),
        PsaField::ContactEmail => text(client.contact_email.as_deref()),
        PsaField::Status => Some(client.status.as_str().to_owned()),
    }
}

/// Gives a client a value, checked as if a person had typed it. The error says what is wrong, in words.
pub(super) fn give(client: &mut Client, field: PsaField, value: Option<String>) -> Result<(), String> {
    let longest = LONGEST.iter().find(|(of, _)| *of == field).map_or(usize::MAX, |(_, most)| *most);
    if value.as_ref().is_some_and(|value| value.chars().count() > longest) {
        return Err(format!("must have at most {longest} characters"));
    }
    match field {
        PsaField::Name => {
            client.name = valid_name("/name", &value.unwrap_or_default()).map_err(|problem| problem.message)?;
        }
        PsaField::Address => client.address = value,
        PsaField::Phone => client.phone = value,
        PsaField::ContactEmail => {
            let checked = value.map(|value| valid_email("/contact_email", &value)).transpose();
            client.contact_email = checked.map_err(|problem| problem.message)?;
        }
        PsaField::Status => {
            let status = value.as_deref().and_then(ClientStatus::parse);
            client.status = status.ok_or("must be active or inactive")?;
        }
    }
    Ok(())
}

/// Puts our value of a field into what is asked of the PSA. The e-mail is a contact's, and goes another way.
pub(super) fn draft(draft: &mut CompanyDraft, field: PsaField, value: &str) {
    match field {
        PsaField::Name => draft.name = Some(value.to_owned()),
        PsaField::Phone => draft.phone = Some(value.to_owned()),
        PsaField::Status => draft.active = Some(value == ACTIVE),
        PsaField::Address => {
            let PostalParts { street, city, region, post_code } = PostalParts::parse(value);
            draft.street = Some(street);
            draft.city = Some(city);
            draft.region = Some(region);
            draft.post_code = Some(post_code);
        }
        PsaField::ContactEmail => {}
    }
}

/// What may be done with a field of a connection.
pub(super) fn rules(settings: &PsaSettings, field: PsaField) -> Rules {
    Rules { field, owner: settings.owners.of(field), sends: settings.direction == PsaDirection::Both }
}
