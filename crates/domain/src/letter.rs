//! What the product writes to people by e-mail: pure data. How it looks is the business of the crate `mail`.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Problem, Timestamp};

/// A letter. It may hold a link with a token: it is stored sealed only, and never printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Letter {
    /// Someone is invited to the team of an MSP.
    StaffInvitation {
        /// The MSP.
        organisation: String,
        /// Who is invited.
        name: String,
        /// Who invites.
        inviter: String,
        /// Where to accept, with the token.
        link: String,
        /// Until when.
        expires_at: Timestamp,
    },
    /// Someone of the team asked for a new password.
    PasswordReset {
        /// The MSP.
        organisation: String,
        /// Whose password.
        name: String,
        /// Where to set it, with the token.
        link: String,
        /// Until when.
        expires_at: Timestamp,
    },
    /// Someone of a client is invited to its portal.
    PortalInvitation {
        /// The MSP, or the brand it shows its clients.
        brand: String,
        /// The client.
        client: String,
        /// Who is invited.
        name: String,
        /// What the MSP says to new people, in paragraphs divided by empty lines.
        welcome: Option<String>,
        /// Where to accept, with the token.
        link: String,
        /// Until when.
        expires_at: Timestamp,
    },
    /// Anything else that people are to know.
    Notice {
        /// The MSP, or the brand it shows its clients.
        brand: String,
        /// What it is about.
        subject: String,
        /// What it says.
        paragraphs: Vec<String>,
        /// Where to go on.
        link: Option<LetterLink>,
    },
}

/// A link with words.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LetterLink {
    /// The words.
    pub label: String,
    /// The address.
    pub url: String,
}

impl fmt::Debug for Letter {
    /// The kind only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Letter({})", self.kind())
    }
}

impl fmt::Debug for LetterLink {
    /// Without the address.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LetterLink({:?})", self.label)
    }
}

/// Most characters of a paragraph or a welcome text.
const LONGEST: usize = 10_000;

impl Letter {
    /// The name of its kind, in the outbox.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::StaffInvitation { .. } => "staff_invitation",
            Self::PasswordReset { .. } => "password_reset",
            Self::PortalInvitation { .. } => "portal_invitation",
            Self::Notice { .. } => "notice",
        }
    }

    /// Refuses what must not go into a letter: line breaks in what becomes a header, links that are no web addresses,
    /// texts without an end.
    pub fn check(&self) -> Result<(), Problem> {
        let (lines, link, texts): (Vec<&String>, Option<&String>, Vec<&String>) = match self {
            Self::StaffInvitation { organisation, name, inviter, link, .. } => {
                (vec![organisation, name, inviter], Some(link), vec![])
            }
            Self::PasswordReset { organisation, name, link, .. } => (vec![organisation, name], Some(link), vec![]),
            Self::PortalInvitation { brand, client, name, welcome, link, .. } => {
                (vec![brand, client, name], Some(link), welcome.iter().collect())
            }
            Self::Notice { brand, subject, paragraphs, link } => {
                let mut lines = vec![brand, subject];
                lines.extend(link.iter().map(|link| &link.label));
                (lines, link.as_ref().map(|link| &link.url), paragraphs.iter().collect())
            }
        };
        if lines.iter().any(|line| line.chars().any(char::is_control)) {
            return Err(Problem::new("/letter", "control_character", "must have names and subject on one line"));
        }
        let broken = |link: &String| link.chars().any(|c| c.is_whitespace() || c.is_control());
        let is_web = |link: &String| link.starts_with("https://") || link.starts_with("http://");
        if link.is_some_and(|link| broken(link) || !is_web(link)) {
            return Err(Problem::new("/letter", "not_a_link", "must have a link that begins with https:// or http://"));
        }
        if lines.iter().any(|line| line.chars().count() > 500) || texts.iter().any(|text| text.len() > LONGEST) {
            return Err(Problem::new("/letter", "too_long", "must be shorter"));
        }
        Ok(())
    }
}

/// What became of a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailState {
    /// It is to be sent.
    Queued,
    /// The mail server took it.
    Sent,
    /// It was given up.
    Failed,
}

impl MailState {
    /// The name in columns and in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sent => "sent",
            Self::Failed => "failed",
        }
    }

    /// The state of this name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Queued, Self::Sent, Self::Failed].into_iter().find(|state| state.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn invitation(name: &str, link: &str) -> Letter {
        Letter::PasswordReset {
            organisation: "Kite".into(),
            name: name.into(),
            link: link.into(),
            expires_at: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn what_would_break_out_of_a_header_or_a_link_is_refused() {
        let link = "https://kite.example/reset#token";
        assert_eq!(invitation("Jo", link).check(), Ok(()));
        for name in ["Jo\r\nBcc: all@kite.example", "Jo\nx", "Jo\0"] {
            assert_eq!(invitation(name, link).check().map_err(|problem| problem.code), Err("control_character"));
        }
        for link in ["javascript:alert(1)", "https://kite.example/ x", "https://kite.example/\r\n", "", "ftp://x"] {
            assert_eq!(invitation("Jo", link).check().map_err(|problem| problem.code), Err("not_a_link"), "{link}");
        }
    }

    #[test]
    fn nothing_of_a_letter_is_printed() {
        let letter = invitation("Jo", "https://kite.example/reset#secret");
        assert_eq!(format!("{letter:?}"), "Letter(password_reset)");
    }

    proptest! {
        #[test]
        fn a_letter_that_passes_has_one_line_for_each_header(name in "\\PC{0,5}[\\r\\n\\t]?\\PC{0,5}") {
            let passes = invitation(&name, "https://kite.example/").check().is_ok();
            prop_assert_eq!(passes, !name.chars().any(char::is_control));
        }
    }
}
