//! A letter as it goes over the wire.

use std::fmt;

use chrono::{DateTime, Utc};
use domain::{Letter, MailId};
use lettre::{
    Address, Message,
    message::{
        Mailbox, MultiPart,
        header::{HeaderName, HeaderValue},
    },
};

use crate::{Composed, Undelivered, compose};

/// Who letters come from: "PanelOne <panelone@msp.example>" or a mere address.
#[derive(Clone, Debug)]
pub struct Sender(Mailbox);

impl fmt::Display for Sender {
    /// As a header has it: `Name <address>`, quoted where that is needed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Sender {
    /// Reads it; the error says what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = |why: lettre::address::AddressError| format!("{why}: write Name <name@msp.example>");
        text.trim().parse().map(Self).map_err(wrong)
    }
}

/// A letter with everything that the wire needs.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// Its id in the outbox: the Message-ID is made of it, so that one that comes twice can be told.
    pub id: MailId,
    /// To which address.
    pub recipient: String,
    /// Whose address.
    pub recipient_name: Option<String>,
    /// What it says.
    pub letter: Letter,
    /// When it was written.
    pub written_at: DateTime<Utc>,
    /// How often it was tried before this: after the first try its outcome may be unknown.
    pub tried: u32,
}

impl Outgoing {
    /// Its Message-ID, with angle brackets: the same for every try.
    pub fn message_id(&self, from: &Sender) -> String {
        format!("<{}@{}>", self.id, from.0.email.domain())
    }

    /// Subject and texts. What fails here fails always.
    pub fn composed(&self) -> Result<Composed, Undelivered> {
        compose(&self.letter).map_err(|problem| Undelivered { permanent: true, message: problem.message })
    }

    /// The recipient as `Name <address>`, quoted where that is needed. What fails here fails always.
    pub fn addressed(&self) -> Result<String, Undelivered> {
        self.mailbox().map(|mailbox| mailbox.to_string())
    }

    fn mailbox(&self) -> Result<Mailbox, Undelivered> {
        let refused = |message: String| Undelivered { permanent: true, message };
        if self.recipient_name.as_deref().is_some_and(|name| name.chars().any(char::is_control)) {
            return Err(refused("the recipient's name is not one line".to_owned()));
        }
        let address: Address =
            self.recipient.parse().map_err(|why| refused(format!("the recipient's address cannot be used: {why}")))?;
        Ok(Mailbox::new(self.recipient_name.clone(), address))
    }

    /// The message, multipart with text and HTML. What fails here fails always.
    pub(crate) fn message(&self, from: &Sender) -> Result<Message, Undelivered> {
        let refused = |message: String| Undelivered { permanent: true, message };
        let composed = self.composed()?;
        Message::builder()
            .from(from.0.clone())
            .to(self.mailbox()?)
            .subject(composed.subject)
            .date(self.written_at.into())
            .message_id(Some(self.message_id(from)))
            // No out-of-office answers, please (RFC 3834).
            .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned()))
            .multipart(MultiPart::alternative_plain_html(composed.text, composed.html))
            .map_err(|why| refused(format!("the letter cannot be written: {why}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(to: &str, name: &str) -> Outgoing {
        Outgoing {
            id: id(),
            recipient: to.to_owned(),
            recipient_name: Some(name.to_owned()),
            letter: Letter::Notice {
                brand: "Kite".into(),
                subject: "Ärger mit Xero".into(),
                paragraphs: vec!["One.".into()],
                link: None,
            },
            written_at: DateTime::from_timestamp(1_795_251_600, 0).expect("valid"),
            tried: 0,
        }
    }

    fn id() -> MailId {
        "01a2008a-0000-7000-8000-00000000000a".parse().expect("an id")
    }

    fn sender() -> Sender {
        Sender::parse("PanelOne <no-reply@msp.example>").expect("a sender")
    }

    #[test]
    fn a_message_has_the_headers_it_needs_and_the_same_id_each_time() {
        let letter = letter("jo@kite.example", "Jo Ö");
        for _ in 0..2 {
            let text = String::from_utf8(letter.message(&sender()).expect("a message").formatted()).expect("ASCII");
            for header in [
                "From: PanelOne <no-reply@msp.example>\r\n",
                "Message-ID: <01a2008a-0000-7000-8000-00000000000a@msp.example>\r\n",
                "Date: Sat, 21 Nov 2026 09:00:00 +0000\r\n",
                "Auto-Submitted: auto-generated\r\n",
                "Content-Type: multipart/alternative;",
            ] {
                assert!(text.contains(header), "{header}: {text}");
            }
            assert!(text.contains("Subject: =?utf-8?"), "{text}");
        }
    }

    #[test]
    fn no_name_and_no_address_writes_a_header() {
        for (to, name) in [
            ("jo@kite.example", "Jo\r\nBcc: all@kite.example"),
            ("jo@kite.example\r\nBcc: all@kite.example", "Jo"),
            ("jo@kite.example, all@kite.example", "Jo"),
            ("no address", "Jo"),
        ] {
            let refused = letter(to, name).message(&sender()).expect_err("refused");
            assert!(refused.permanent, "{to} {name}");
        }
        let quoted = letter("jo@kite.example", "Jo\" <all@kite.example>, \"X").message(&sender()).expect("a message");
        assert_eq!(quoted.envelope().to().len(), 1);
        assert_eq!(quoted.envelope().to()[0].to_string(), "jo@kite.example");
    }

    #[test]
    fn a_sender_is_an_address_with_or_without_a_name() {
        assert!(Sender::parse("a@b.example").is_ok());
        for wrong in ["", "PanelOne", "a@b.example, c@d.example", "PanelOne <>"] {
            assert!(Sender::parse(wrong).is_err(), "{wrong}");
        }
    }
}
