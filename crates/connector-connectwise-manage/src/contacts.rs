//! Contacts. Their addresses and numbers are a list of communication items, each with a kind of the
//! MSP's own making.

use async_trait::async_trait;
use integration::{Contact, Item, Page, Position, Pull, Result};

use crate::{
    ConnectwiseManage,
    wire::{self, Communication, instant, said},
};

/// What is asked of a contact. ConnectWise has more, such as the password of its portal.
pub(crate) const FIELDS: &str =
    "id,firstName,lastName,company,site,title,inactiveFlag,defaultFlag,communicationItems,_info";

#[async_trait]
impl Pull<Contact> for ConnectwiseManage {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        self.api.page_of_companies(&["company", "contacts"], FIELDS, None, at).await
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Contact>, String> {
        let contact: wire::Contact = wire::read("contact", raw)?;
        let id = wire::required("contact", contact.id)?;
        let items = contact.communication_items.unwrap_or_default();
        let value = |means: Means| find(&items, means).and_then(|item| said(item.value.clone()));
        let (given, family) = (said(contact.first_name), said(contact.last_name));
        let whole = [given.clone(), family.clone()].into_iter().flatten().collect::<Vec<_>>().join(" ");
        let email = value(Means::Email);
        let marks = contact.marks.unwrap_or_default();
        let record = Contact {
            name: said(Some(whole)).or_else(|| email.clone()).unwrap_or_else(|| format!("Contact {id}")),
            given_name: given,
            family_name: family,
            email,
            phone: value(Means::Phone),
            mobile: value(Means::Mobile),
            job_title: said(contact.title),
            location_id: contact.site.and_then(wire::Reference::id),
            primary: contact.default_flag,
            active: contact.inactive_flag.map(|inactive| !inactive),
            created_at: instant(marks.date_entered.as_deref()),
            updated_at: instant(marks.last_updated.as_deref()),
        };
        Ok(Item { id, entity: wire::owner("contact", contact.company)?, record })
    }
}

/// A way to reach somebody.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Means {
    Email,
    Phone,
    Mobile,
}

impl Means {
    /// ConnectWise's own word; the rest is in the kind's name.
    pub(crate) fn word(self) -> &'static str {
        if self == Self::Email { "Email" } else { "Phone" }
    }

    /// Whether a kind of communication of this name is for this.
    pub(crate) fn is_called(self, name: &str) -> bool {
        let name = name.to_lowercase();
        let mobile = ["mobile", "cell", "handy"].iter().any(|word| name.contains(word));
        self == Self::Email || mobile == (self == Self::Mobile)
    }
}

/// The item that is for this: the default one of its kind, or the first.
pub(crate) fn find(items: &[Communication], means: Means) -> Option<&Communication> {
    let suits = |item: &&Communication| {
        let kind = item.r#type.as_ref().and_then(|kind| kind.name.as_deref()).unwrap_or_default();
        item.communication_type.as_deref() == Some(means.word()) && means.is_called(kind)
    };
    let default = items.iter().filter(suits).find(|item| item.default_flag == Some(true));
    default.or_else(|| items.iter().find(suits))
}
