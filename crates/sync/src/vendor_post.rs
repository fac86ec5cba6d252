//! The product's own letters through a vendor that sends mail, instead of a mail server.
//!
//! A vendor's send is not repeatable: when its answer is lost, or the worker dies before it is noted, the letter may be
//! on its way. So a letter carries its id as a reference, and before any further try the vendor is asked whether it has
//! it already. Where that cannot be found out, the letter waits: it is never sent twice.

use async_trait::async_trait;
use chrono::TimeDelta;
use integration::{Connector, Kind, MailDraft, Retry, SendMail, SentMail};
use mail::{Carrier, Outgoing, Sender, Undelivered};

/// How much earlier than it was written a letter is looked for: clocks differ.
const SKEW: TimeDelta = TimeDelta::minutes(15);

/// A connector that sends mail, as a way for letters to leave.
pub struct VendorPost {
    connector: Box<dyn Connector>,
    vendor: &'static str,
    from: Sender,
}

impl VendorPost {
    /// Letters from this sender through this connector of a vendor; nothing is asked of it yet. The error says what is
    /// wrong with the choice.
    pub fn new(connector: Box<dyn Connector>, vendor: &'static str, from: Sender) -> Result<Self, String> {
        match connector.mail_sending() {
            Some(_) => Ok(Self { connector, vendor, from }),
            None => Err(format!("{vendor} sends no mail")),
        }
    }

    async fn send(&self, mail: &dyn SendMail, letter: &Outgoing) -> Result<(), Undelivered> {
        let composed = letter.composed()?;
        let draft = MailDraft {
            from: self.from.to_string(),
            to: vec![letter.addressed()?],
            subject: composed.subject,
            text: composed.text,
            html: Some(composed.html),
            reference: Some(letter.id.to_string()),
            ..MailDraft::default()
        };
        if letter.tried > 0 {
            let looked = mail.find_mail(&draft, letter.written_at - SKEW).await;
            // Whatever keeps us from looking, sending could make it two.
            let found = looked.map_err(|why| Undelivered {
                permanent: false,
                message: format!("whether {} has it already cannot be found out: {}", self.vendor, words(&why)),
            })?;
            if let Some(sent) = found {
                return judge(sent);
            }
        }
        match mail.send_mail(&draft).await {
            Ok(sent) => judge(sent),
            Err(why) => Err(Undelivered { permanent: hopeless(&why), message: words(&why) }),
        }
    }
}

#[async_trait]
impl Carrier for VendorPost {
    async fn carry(&self, letter: &Outgoing) -> Result<(), Undelivered> {
        match self.connector.mail_sending() {
            Some(mail) => self.send(mail, letter).await,
            None => Err(Undelivered { permanent: false, message: format!("{} sends no mail", self.vendor) }),
        }
    }
}

/// A letter has one recipient: one that was refused went to nobody.
fn judge(sent: SentMail) -> Result<(), Undelivered> {
    match sent.refused.first() {
        None => Ok(()),
        Some(why) => Err(Undelivered { permanent: true, message: why.clone() }),
    }
}

/// Whether trying again is of no use. What is wrong with the account (its key, its rights, its plan) passes once somebody
/// has set it right.
fn hopeless(why: &integration::Error) -> bool {
    let account = matches!(why.status, Some(401..=403));
    why.kind == Kind::Refused && why.retry == Retry::No && !account
}

fn words(why: &integration::Error) -> String {
    match &why.vendor_message {
        Some(said) => format!("{}: {said}", why.message),
        None => why.message.clone(),
    }
}
