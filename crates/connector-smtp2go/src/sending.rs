//! Mail, sent through an account.

use async_trait::async_trait;
use integration::{Error, Kind, MailDraft, Result, Retry, SendMail, SentMail, Vendor};
use serde_json::{Value, json};

use crate::{Smtp2go, wire};

/// Addresses that one message may go to.
const MOST: usize = 100;

#[async_trait]
impl SendMail for Smtp2go {
    async fn send_mail(&self, mail: &MailDraft) -> Result<SentMail> {
        if let Some(why) = refusal(mail) {
            return Err(Error::new(Kind::Refused, why));
        }
        let response = self.api.write("/email/send", body(mail)).await?;
        let sent: wire::Sent = response
            .json_bytes(Self::NAME)
            .and_then(|body| wire::data(body).map_err(|why| self.api.unreadable(&why)))
            .and_then(|data| serde_json::from_str(data.get()).map_err(|why| self.api.unreadable(&why)))
            // It was taken, or not: to send it again would be a guess.
            .map_err(|error| error.retry(Retry::No))?;
        let refused: Vec<String> = match &sent.failures {
            Value::Array(failures) => failures.iter().map(words).collect(),
            Value::Null => Vec::new(),
            one => vec![words(one)],
        };
        if sent.succeeded.0 == Some(0) {
            let error = Error::new(Kind::Refused, "SMTP2GO took the message for none of its recipients");
            return Err(error.vendor_says(refused.join("; ")));
        }
        if sent.succeeded.0.is_none() && sent.email_id.0.is_none() {
            return Err(Error::unreadable(Self::NAME, "neither the id of the message nor how many it was taken for"));
        }
        Ok(SentMail { id: sent.email_id.0, refused })
    }
}

/// Why the vendor would not take it, as far as that can be known without asking.
fn refusal(mail: &MailDraft) -> Option<String> {
    if mail.to.is_empty() || mail.to.len() > MOST {
        return Some(format!("a message goes to at least one address, and to {MOST} at most"));
    }
    let lines = [&mail.from, &mail.subject].into_iter().chain(&mail.to).chain(&mail.reply_to);
    // A line break in one of them would begin a header of its own.
    let broken = lines.into_iter().any(|line| line.chars().any(char::is_control));
    broken.then(|| "addresses and subject must be one line each".into())
}

fn body(mail: &MailDraft) -> Value {
    // Said although it is the default, which the vendor means to change: it would no longer tell who was refused.
    let mut body = json!({ "sender": mail.from, "to": mail.to, "subject": mail.subject, "fastaccept": false });
    if !mail.text.is_empty() || mail.html.is_none() {
        body["text_body"] = mail.text.as_str().into();
    }
    if let Some(html) = &mail.html {
        body["html_body"] = html.as_str().into();
    }
    if let Some(address) = &mail.reply_to {
        body["custom_headers"] = json!([{ "header": "Reply-To", "value": address }]);
    }
    body
}

/// One refusal, whatever its shape.
fn words(failure: &Value) -> String {
    let named = ["error", "message", "reason"].into_iter().find_map(|key| failure[key].as_str());
    failure.as_str().or(named).map_or_else(|| failure.to_string(), |said| said.trim().to_owned())
}
