//! Mail, sent through an account.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use integration::{Error, Kind, MailDraft, Result, Retry, SendMail, SentMail, Vendor};
use serde_json::{Value, json};

use crate::{Smtp2go, wire};

/// Addresses that one message may go to.
const MOST: usize = 100;

/// The header that carries our own id of a message. The search for activity tells it on request.
const REFERENCE: &str = "X-Message-Reference";

/// Events that one search is asked for: the vendor's most.
const EVENTS: usize = 1_000;

/// Pages of events that are looked through for one message.
const PAGES: usize = 5;

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

    async fn find_mail(&self, mail: &MailDraft, since: DateTime<Utc>) -> Result<Option<SentMail>> {
        let (Some(reference), Some(first)) = (&mail.reference, mail.to.first()) else {
            let message = "a message is found by its reference and its recipient, and this one lacks one of them";
            return Err(Error::new(Kind::Refused, message));
        };
        // The day is the default: a message of yesterday evening would not be found.
        let mut body = json!({
            "start_date": since.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "search_recipient": address(first),
            "custom_headers": [REFERENCE],
            "limit": EVENTS,
        });
        let mut found: Vec<wire::Event> = Vec::new();
        for _ in 0..PAGES {
            let data = self.api.read_with("/activity/search", body.clone()).await?;
            let page: wire::Events = serde_json::from_slice(&data).map_err(|why| self.api.unreadable(&why))?;
            found.extend(page.events.into_iter().filter(|event| event.has(REFERENCE, reference)));
            match page.continue_token.0.filter(|token| !token.is_empty()) {
                Some(token) => body["continue_token"] = token.into(),
                None => return Ok(outcome(&found)),
            }
        }
        match outcome(&found) {
            Some(sent) => Ok(Some(sent)),
            None => Err(Error::unreadable(Self::NAME, "its activity has too many events to look through")),
        }
    }
}

/// What the events of one message say. A message of which there is nothing but refusals went to nobody.
fn outcome(events: &[wire::Event]) -> Option<SentMail> {
    let first = events.first()?;
    let refused = |event: &wire::Event| event.event.0.as_deref() == Some("rejected");
    let reasons = events.iter().filter(|event| refused(event)).map(|event| {
        let why = event.reason.0.as_deref().or(event.smtp_response.0.as_deref()).unwrap_or("rejected");
        format!("{}: {why}", event.recipient.0.as_deref().unwrap_or("a recipient"))
    });
    let refused = if events.iter().all(refused) { reasons.collect() } else { Vec::new() };
    Some(SentMail { id: first.email_id.0.clone(), refused })
}

/// The address in `Name <address>`.
fn address(text: &str) -> &str {
    let inner = text.rsplit_once('<').and_then(|(_, rest)| rest.split_once('>')).map_or(text, |(inner, _)| inner);
    inner.trim()
}

/// Why the vendor would not take it, as far as that can be known without asking.
fn refusal(mail: &MailDraft) -> Option<String> {
    if mail.to.is_empty() || mail.to.len() > MOST {
        return Some(format!("a message goes to at least one address, and to {MOST} at most"));
    }
    let lines = [&mail.from, &mail.subject].into_iter().chain(&mail.to).chain(&mail.reply_to).chain(&mail.reference);
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
    let named = [("Reply-To", &mail.reply_to), (REFERENCE, &mail.reference)];
    let headers: Vec<Value> = named
        .into_iter()
        .filter_map(|(header, value)| Some(json!({ "header": header, "value": value.as_ref()? })))
        .collect();
    if !headers.is_empty() {
        body["custom_headers"] = headers.into();
    }
    body
}

/// One refusal, whatever its shape.
fn words(failure: &Value) -> String {
    let named = ["error", "message", "reason"].into_iter().find_map(|key| failure[key].as_str());
    failure.as_str().or(named).map_or_else(|| failure.to_string(), |said| said.trim().to_owned())
}
