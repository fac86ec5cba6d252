//! The commercial face of a client: people to talk to, notes, documents; and the filters that someone keeps.

use serde::{Deserialize, Serialize};

use crate::{ClientContactId, ClientId, ClientNoteId, LibraryDocumentId, SavedFilterId, StaffId, Timestamp};

/// Someone at a client whom the MSP itself keeps, beside those that vendors tell of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientContact {
    /// Id.
    pub id: ClientContactId,
    /// Whose.
    pub client_id: ClientId,
    /// Name.
    pub name: String,
    /// E-mail.
    pub email: Option<String>,
    /// Telephone.
    pub phone: Option<String>,
    /// Job title.
    pub title: Option<String>,
    /// Place in the order in which they are called, from 1; those without are not called.
    pub escalation: Option<i32>,
    /// Whether this is the client's primary contact: at most one is.
    pub primary: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Goes up by one with each change.
    pub version: i32,
}

/// A dated note about a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientNote {
    /// Id.
    pub id: ClientNoteId,
    /// About whom.
    pub client_id: ClientId,
    /// The text.
    pub text: String,
    /// When it was written.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: Option<StaffId>,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// By whom.
    pub updated_by: Option<StaffId>,
    /// Goes up by one with each change.
    pub version: i32,
}

/// A filter of the client list that someone keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedFilter {
    /// Id.
    pub id: SavedFilterId,
    /// Whose.
    pub staff_id: StaffId,
    /// Name.
    pub name: String,
    /// The query of the list, without a question mark.
    pub query: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Goes up by one with each change.
    pub version: i32,
}

/// Which library a document is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Library {
    /// For the staff only.
    Internal,
    /// For a client, or for every client, once it is published.
    Customer,
    /// To be copied from.
    Template,
}

impl Library {
    /// All libraries.
    pub const ALL: [Self; 3] = [Self::Internal, Self::Customer, Self::Template];

    /// The name in the API and in columns.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Internal => "internal",
            Self::Customer => "customer",
            Self::Template => "template",
        }
    }

    /// The library of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|library| library.as_str() == name)
    }
}

/// A document that the MSP wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LibraryDocument {
    /// Id.
    pub id: LibraryDocumentId,
    /// Which library it is in.
    pub library: Library,
    /// Of or for which client; without one, of none or for every one.
    pub client_id: Option<ClientId>,
    /// Title.
    pub title: String,
    /// Its name in addresses, unique in its library.
    pub slug: String,
    /// What sort of document it is, in the staff's words.
    pub category: Option<String>,
    /// The text, in Markdown. Every version of it is kept beside the journal, which holds its hash.
    #[serde(skip)]
    pub content: String,
    /// SHA-256 of the text, hex.
    pub content_hash: String,
    /// Since when portal users see it; only customer documents are published.
    pub published_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: Option<StaffId>,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// By whom.
    pub updated_by: Option<StaffId>,
    /// When it was deleted.
    pub deleted_at: Option<Timestamp>,
    /// Goes up by one with each change.
    pub version: i32,
}

impl LibraryDocument {
    /// Whether the portal users of a client may read it.
    pub fn shown_to(&self, client: ClientId) -> bool {
        self.library == Library::Customer
            && self.published_at.is_some()
            && self.deleted_at.is_none()
            && self.client_id.is_none_or(|own| own == client)
    }
}

/// A text that a document had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LibraryVersion {
    /// The document's version that had it first.
    pub version: i32,
    /// Title it had then.
    pub title: String,
    /// The text.
    pub content: String,
    /// SHA-256 of the text, hex.
    pub content_hash: String,
    /// When it was written.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: Option<StaffId>,
}

/// A title as a name in addresses: lower-case ASCII letters and digits, joined by dashes, at most 80 characters; empty
/// where nothing of the title is left.
pub fn slug_of(title: &str) -> String {
    let mut slug = String::new();
    for letter in title.chars().flat_map(char::to_lowercase) {
        if letter.is_ascii_alphanumeric() {
            slug.push(letter);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
        if slug.len() >= 80 {
            break;
        }
    }
    slug.trim_end_matches('-').to_owned()
}

/// Whether a text is a name in addresses.
pub fn valid_slug(text: &str) -> bool {
    !text.is_empty() && slug_of(text) == text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn slugs_are_plain() {
        assert_eq!(slug_of("  How to: Onboard a NEW client! "), "how-to-onboard-a-new-client");
        assert_eq!(slug_of("日本"), "");
        assert!(valid_slug("a-1") && !valid_slug("A") && !valid_slug("-a") && !valid_slug("a--b") && !valid_slug(""));
    }

    proptest! {
        #[test]
        fn a_slug_is_a_slug_of_itself(title in ".{0,120}") {
            let slug = slug_of(&title);
            prop_assert_eq!(slug_of(&slug), slug.clone());
            prop_assert!(slug.is_empty() || valid_slug(&slug));
            prop_assert!(slug.len() <= 80);
        }
    }
}
