//! Letters that tell portal users of a change. Each is written in the transaction that makes the change, so that a
//! preview sends none.

use domain::{ClientId, Letter, LetterLink, PortalState, Result};
use persistence::{NewMail, PortalUserRow, Tx};

/// What someone is to know.
pub(crate) struct Notice<'a> {
    /// The occasion: one letter for each ("service_request:ID:3").
    pub key: String,
    /// What it is about.
    pub subject: String,
    /// What it says, below the greeting.
    pub paragraphs: Vec<String>,
    /// The words of the link, and the page it leads to ("service-requests/ID").
    pub link: (&'static str, String),
    /// Where the pages of ClientOne are; without it there is no link.
    pub base: Option<&'a str>,
}

/// Writes to people of a client, as far as they may come in.
pub(crate) async fn notify(tx: &Tx, client: ClientId, to: &[PortalUserRow], notice: Notice<'_>) -> Result<()> {
    let config = tx.portal_config(client).await?;
    if !config.enabled {
        return Ok(());
    }
    let brand = tx.portal_brand(&config).await?;
    let Notice { key, subject, paragraphs, link: (label, page), base } = notice;
    let link = base.map(|base| LetterLink { label: label.to_owned(), url: format!("{base}/{page}") });
    for user in to.iter().filter(|user| user.state == PortalState::Active) {
        let greeting = format!("Hello {},", user.name);
        let letter = Letter::Notice {
            brand: brand.clone(),
            subject: subject.clone(),
            paragraphs: [&[greeting][..], &paragraphs[..]].concat(),
            link: link.clone(),
        };
        let mail = NewMail {
            recipient: user.email.clone(),
            recipient_name: Some(user.name.clone()),
            letter,
            key: format!("{key}:{}", user.id),
            send_before: None,
        };
        tx.mail_enqueue(&mail).await?;
    }
    Ok(())
}
