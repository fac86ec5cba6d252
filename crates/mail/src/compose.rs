//! What each letter says.

use askama::Template;
use chrono::{DateTime, Utc};
use domain::{Letter, LetterLink, Problem};

/// A letter in words.
#[derive(Clone, PartialEq, Eq)]
pub struct Composed {
    /// Subject: one line.
    pub subject: String,
    /// For mail programs without HTML.
    pub text: String,
    /// For those with it.
    pub html: String,
}

struct Page {
    subject: String,
    brand: String,
    heading: String,
    paragraphs: Vec<String>,
    button: Option<LetterLink>,
    small: Vec<String>,
}

#[derive(Template)]
#[template(path = "letter.html")]
struct Html<'a> {
    subject: &'a str,
    brand: &'a str,
    heading: &'a str,
    paragraphs: &'a [String],
    button: Option<&'a LetterLink>,
    small: &'a [String],
}

#[derive(Template)]
#[template(path = "letter.txt", escape = "none")]
struct Text<'a> {
    brand: &'a str,
    heading: &'a str,
    paragraphs: &'a [String],
    button: Option<&'a LetterLink>,
    small: &'a [String],
}

/// Writes a letter. Refused where a name or a link could break out of its place.
pub fn compose(letter: &Letter) -> Result<Composed, Problem> {
    letter.check()?;
    let page = page(letter);
    let Page { subject, brand, heading, paragraphs, button, small } = &page;
    let button = button.as_ref();
    let unwritten = |why: askama::Error| Problem::new("/letter", "unwritten", why.to_string());
    let html = Html { subject, brand, heading, paragraphs, button, small }.render().map_err(unwritten)?;
    let text = Text { brand, heading, paragraphs, button, small }.render().map_err(unwritten)?;
    Ok(Composed { subject: page.subject, text, html })
}

fn page(letter: &Letter) -> Page {
    match letter {
        Letter::StaffInvitation { organisation, name, inviter, link, expires_at } => Page {
            subject: format!("{inviter} invites you to {organisation}"),
            brand: organisation.clone(),
            heading: format!("Welcome to {organisation}"),
            paragraphs: vec![
                format!("Hello {name},"),
                format!(
                    "{inviter} has invited you to the team of {organisation} in PanelOne. Accept, and choose a password."
                ),
            ],
            button: button("Accept the invitation", link),
            small: vec![until(*expires_at), "If you did not expect this, do nothing: no account is made.".to_owned()],
        },
        Letter::PasswordReset { organisation, name, link, expires_at } => Page {
            subject: format!("A new password for {organisation}"),
            brand: organisation.clone(),
            heading: "Choose a new password".to_owned(),
            paragraphs: vec![
                format!("Hello {name},"),
                format!(
                    "someone, most likely you, asked for a new password at {organisation}. Setting it signs you out everywhere."
                ),
            ],
            button: button("Choose a new password", link),
            small: vec![
                until(*expires_at),
                "If that was not you, do nothing: your password stays as it is.".to_owned(),
            ],
        },
        Letter::PortalInvitation { brand, client, name, welcome, link, expires_at } => {
            let mut paragraphs = vec![format!("Hello {name},")];
            paragraphs.extend(welcome.iter().flat_map(|text| blocks(text)));
            paragraphs
                .push(format!("{brand} has invited you to the portal of {client}. Accept, and choose how to sign in."));
            Page {
                subject: format!("{brand} invites you to the portal of {client}"),
                brand: brand.clone(),
                heading: format!("Welcome to the portal of {client}"),
                paragraphs,
                button: button("Accept the invitation", link),
                small: vec![
                    until(*expires_at),
                    "If you did not expect this, do nothing: no account is made.".to_owned(),
                ],
            }
        }
        Letter::Notice { brand, subject, paragraphs, link } => Page {
            subject: subject.clone(),
            brand: brand.clone(),
            heading: subject.clone(),
            paragraphs: paragraphs.clone(),
            button: link.clone(),
            small: Vec::new(),
        },
    }
}

fn button(label: &str, url: &str) -> Option<LetterLink> {
    Some(LetterLink { label: label.to_owned(), url: url.to_owned() })
}

fn until(expires_at: DateTime<Utc>) -> String {
    format!("The link works once, until {} UTC.", expires_at.format("%-d %B %Y, %H:%M"))
}

/// A text in the paragraphs that its empty lines make.
fn blocks(text: &str) -> Vec<String> {
    let text = text.replace("\r\n", "\n");
    text.split("\n\n").map(str::trim).filter(|block| !block.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at() -> DateTime<Utc> {
        DateTime::from_timestamp(1_795_251_600, 0).expect("valid")
    }

    fn portal(name: &str, welcome: Option<&str>) -> Letter {
        Letter::PortalInvitation {
            brand: "Harbour IT".into(),
            client: "Kite & Co".into(),
            name: name.into(),
            welcome: welcome.map(str::to_owned),
            link: "https://portal.example/invitation#tok-en_1".into(),
            expires_at: at(),
        }
    }

    #[test]
    fn names_cannot_write_html() {
        let evil = "<img src=x onerror=alert(1)>\"'&";
        let composed = compose(&portal(evil, Some("<script>alert(2)</script>"))).expect("composes");
        assert!(!composed.html.contains("<img") && !composed.html.contains("<script"), "{}", composed.html);
        assert!(
            composed.html.contains("Kite &#38; Co") || composed.html.contains("Kite &amp; Co"),
            "{}",
            composed.html
        );
        assert!(composed.text.contains(evil) && composed.text.contains("Kite & Co"), "text is not escaped");
    }

    #[test]
    fn nothing_is_loaded_from_elsewhere_and_the_only_link_is_the_letters_own() {
        for letter in [
            portal("Jo", Some("First.\n\nSecond line\nof two.")),
            Letter::StaffInvitation {
                organisation: "Kite".into(),
                name: "Jo".into(),
                inviter: "Ana".into(),
                link: "https://portal.example/invitation#tok-en_1".into(),
                expires_at: at(),
            },
            Letter::PasswordReset {
                organisation: "Kite".into(),
                name: "Jo".into(),
                link: "https://portal.example/invitation#tok-en_1".into(),
                expires_at: at(),
            },
            Letter::Notice {
                brand: "Kite".into(),
                subject: "A connection needs you".into(),
                paragraphs: vec!["One.".into()],
                link: Some(LetterLink {
                    label: "Look".into(),
                    url: "https://portal.example/invitation#tok-en_1".into(),
                }),
            },
        ] {
            let Composed { subject, text, html } = compose(&letter).expect("composes");
            assert!(!html.contains("src=") && !html.contains("url(") && !html.contains("<link"), "{html}");
            assert_eq!(html.matches("href=").count(), 1, "{html}");
            for part in [&text, &html] {
                assert!(part.contains("https://portal.example/invitation#tok-en_1"), "{part}");
            }
            assert!(!subject.is_empty() && !subject.contains('\n'), "{subject}");
        }
    }

    #[test]
    fn a_welcome_keeps_its_paragraphs_and_the_end_is_told() {
        let composed = compose(&portal("Jo", Some("First.\r\n\r\nSecond line\r\nof two."))).expect("composes");
        assert!(composed.text.contains("First.\n\nSecond line\nof two.\n"), "{}", composed.text);
        assert!(composed.text.contains("until 21 November 2026, 09:00 UTC"), "{}", composed.text);
    }

    #[test]
    fn a_line_break_in_a_name_is_refused() {
        let refused = compose(&portal("Jo\r\nBcc: all@kite.example", None));
        assert_eq!(refused.err().map(|problem| problem.code), Some("control_character"));
    }
}
