//! Files that the MSP keeps of clients, or for all of them: what they are, who sees them in ClientOne, and names that
//! do no harm.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{ClientId, ContentId, FileId, PortalRole, Problem, StaffId, Timestamp};

/// Most characters of a file's name, its extension included.
const NAME: usize = 120;
/// Most characters of an extension that is kept when a name is cut.
const EXTENSION: usize = 12;

/// To which clients a file is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileReach {
    /// The client it is kept of.
    Client,
    /// Chosen ones.
    Chosen,
    /// Every client, those to come too.
    All,
}

impl FileReach {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Client, Self::Chosen, Self::All];

    /// The name in the API and in columns.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Chosen => "chosen",
            Self::All => "all",
        }
    }

    /// The one of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reach| reach.as_str() == name)
    }
}

/// That portal users see a file, and which of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publication {
    /// Since when.
    pub at: Timestamp,
    /// To which clients.
    pub reach: FileReach,
    /// The chosen ones; empty for every other reach.
    pub clients: BTreeSet<ClientId>,
    /// Whether Managers only see it.
    pub managers_only: bool,
}

/// A file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Id.
    pub id: FileId,
    /// Of which client; without one, the MSP's own. What is of one client is published to no other.
    pub client_id: Option<ClientId>,
    /// Title.
    pub title: String,
    /// What sort of document it is, in the staff's words.
    pub category: Option<String>,
    /// What is to be known of it.
    pub description: Option<String>,
    /// Name under which it is downloaded.
    pub name: String,
    /// Media type, found by its content.
    pub media_type: String,
    /// Bytes.
    pub bytes: i64,
    /// SHA-256 of the content, hex.
    pub sha256: String,
    /// Where the content is. The journal knows it by its number and hash: a preview has another than what it previews.
    #[serde(skip, default = "nowhere")]
    pub content_id: ContentId,
    /// Which content it is: the first is 1, and each that replaces it is the next.
    pub number: i32,
    /// Who sees it in ClientOne; none while nobody does.
    pub published: Option<Publication>,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: Option<StaffId>,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// By whom.
    pub updated_by: Option<StaffId>,
    /// When it was removed; it can be brought back for a while.
    pub removed_at: Option<Timestamp>,
    /// Goes up by one with each change.
    pub version: i32,
}

fn nowhere() -> ContentId {
    ContentId(uuid::Uuid::nil())
}

impl File {
    /// Whether someone of a client sees it in ClientOne.
    pub fn shown_to(&self, client: ClientId, role: PortalRole) -> bool {
        let Some(published) = self.published.as_ref().filter(|_| self.removed_at.is_none()) else { return false };
        let reached = match (published.reach, self.client_id) {
            (FileReach::Client, own) => own == Some(client),
            (FileReach::Chosen, None) => published.clients.contains(&client),
            (FileReach::All, None) => true,
            // What is of one client is shown to no other, whatever a row may say.
            (_, Some(own)) => own == client,
        };
        reached && (!published.managers_only || role == PortalRole::Manager)
    }
}

/// A content that a file had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileVersion {
    /// Which one; the first is 1.
    pub number: i32,
    /// Where it is.
    pub content_id: ContentId,
    /// The file's name then.
    pub name: String,
    /// Media type.
    pub media_type: String,
    /// Bytes.
    pub bytes: i64,
    /// SHA-256, hex.
    pub sha256: String,
    /// When it came.
    pub created_at: Timestamp,
    /// From whom.
    pub created_by: Option<StaffId>,
}

/// A name under which a file can be saved anywhere without harm: the last part of a path, without control and
/// invisible characters, without those that turn the direction of writing, without what Windows refuses; at most 120
/// characters, the extension kept.
pub fn file_name(pointer: &str, name: &str) -> Result<String, Problem> {
    let wrong = || Problem::new(pointer, "not_a_file_name", "must be a file's name such as contract.pdf");
    let mut name = harmless(name).ok_or_else(wrong)?;
    // Cutting may bare an extension that was none before.
    while let Some(again) = harmless(&name).filter(|again| *again != name) {
        name = again;
    }
    Ok(name)
}

fn harmless(name: &str) -> Option<String> {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let plain: String = last.chars().filter(|c| !is_hidden(*c)).map(|c| if is_reserved(c) { '_' } else { c }).collect();
    let plain = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    let plain = plain.trim_matches(['.', ' ']);
    if plain.is_empty() {
        return None;
    }
    let (stem, extension) = match plain.rsplit_once('.') {
        Some((stem, extension)) if extension.chars().count() <= EXTENSION => (stem, Some(extension)),
        _ => (plain, None),
    };
    let stem = stem.trim_matches(['.', ' ']);
    let stem = if is_device(stem) { format!("_{stem}") } else { stem.to_owned() };
    let left = NAME - extension.map_or(0, |extension| extension.chars().count() + 1);
    let stem: String = stem.chars().take(left).collect();
    let stem = stem.trim_end_matches(['.', ' ']);
    Some(match extension {
        Some(extension) if !stem.is_empty() => format!("{stem}.{}", extension.trim_matches(' ')),
        Some(extension) => extension.trim_matches(' ').to_owned(),
        None => stem.to_owned(),
    })
}

/// Control characters, and those that cannot be seen or turn the direction of what follows.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

fn is_reserved(c: char) -> bool {
    matches!(c, '<' | '>' | ':' | '"' | '|' | '?' | '*' | '/' | '\\' | '%')
}

/// Names that Windows takes for devices.
fn is_device(stem: &str) -> bool {
    let stem = stem.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    let numbered = |name: &str| {
        stem.strip_prefix(name).is_some_and(|rest| rest.len() == 1 && rest.bytes().all(|byte| byte.is_ascii_digit()))
    };
    matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL") || numbered("COM") || numbered("LPT")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn cleaned(name: &str) -> Option<String> {
        file_name("name", name).ok()
    }

    #[test]
    fn names_are_made_harmless() {
        for (name, harmless) in [
            ("Contract 2026.pdf", "Contract 2026.pdf"),
            ("../../etc/passwd.txt", "passwd.txt"),
            ("C:\\Users\\me\\plan.docx", "plan.docx"),
            ("invoice\u{202e}fdp.exe", "invoicefdp.exe"),
            ("a\u{200b}b\u{feff}.txt", "ab.txt"),
            ("line\r\nbreak.txt", "linebreak.txt"),
            ("what?<is>\"this\".csv", "what__is__this_.csv"),
            ("NUL.txt", "_NUL.txt"),
            ("con", "_con"),
            ("com1.tar.gz", "_com1.tar.gz"),
            ("...hidden.txt", "hidden.txt"),
            ("trailing.txt. . .", "trailing.txt"),
            ("über größe.pdf", "über größe.pdf"),
        ] {
            assert_eq!(cleaned(name).as_deref(), Some(harmless), "{name:?}");
        }
        for nothing in ["", " ", "..", "a/", "\u{202e}", "/", "\0"] {
            assert_eq!(cleaned(nothing), None, "{nothing:?}");
        }
        let long = cleaned(&format!("{}.pdf", "x".repeat(300))).expect("a name");
        assert!(long.ends_with("x.pdf") && long.chars().count() == NAME);
    }

    proptest! {
        #[test]
        fn a_harmless_name_stays_and_holds_nothing_harmful(name in "\\PC{0,200}|[\\x00-\\x7f]{0,200}|[./\\\\ a\u{202e}]{0,40}") {
            if let Some(once) = cleaned(&name) {
                prop_assert!(!once.is_empty() && once.chars().count() <= NAME);
                let kept_out = ['/', '\\', '"', ':', '\0', '\n', '\r', '\u{202e}'];
                prop_assert!(!once.contains(kept_out), "{:?}", once);
                prop_assert!(!once.starts_with('.') && !once.ends_with(['.', ' ']));
                prop_assert_eq!(cleaned(&once), Some(once.clone()));
            }
        }

        /// Whatever a row says, what is of one client is shown to nobody of another.
        #[test]
        fn what_is_of_one_client_is_shown_to_no_other(
            reach in proptest::sample::select(FileReach::ALL.to_vec()), own in proptest::option::of(1_u128..4),
            chosen in proptest::collection::btree_set(1_u128..4, 0..3), client in 1_u128..4,
            (published, managers_only, removed) in any::<(bool, bool, bool)>(),
        ) {
            let id = |number| ClientId(Uuid::from_u128(number));
            let at = Timestamp::from_timestamp(1_000_000_000, 0).expect("valid");
            let clients: BTreeSet<ClientId> = chosen.into_iter().map(id).collect();
            let publication = Publication { at, reach, clients: clients.clone(), managers_only };
            let file = File {
                id: FileId(Uuid::nil()), client_id: own.map(id), title: String::new(), category: None,
                description: None, name: String::new(), media_type: String::new(), bytes: 1, sha256: String::new(),
                content_id: ContentId(Uuid::nil()), number: 1, published: published.then_some(publication),
                created_at: at, created_by: None, updated_at: at, updated_by: None,
                removed_at: removed.then_some(at), version: 1,
            };
            let (user, manager) =
                (file.shown_to(id(client), PortalRole::User), file.shown_to(id(client), PortalRole::Manager));
            prop_assert!(manager || !user, "a Manager sees what a User sees");
            if manager {
                prop_assert!(published && !removed);
                prop_assert!(own.is_none_or(|own| own == client));
                prop_assert!(own.is_some() || reach == FileReach::All || clients.contains(&id(client)));
                prop_assert_eq!(user, !managers_only);
            }
        }
    }
}
