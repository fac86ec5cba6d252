//! How ClientOne looks: what a client has of its own, and what the MSP has for all.

use domain::{
    Branding, ClientId, EffectiveBranding, Error, Palette, Permission, PortalConfig, Problem, Result, palette_problems,
    valid_name,
};
use persistence::Tx;

use crate::config::current;

/// Characters of a welcome text.
const WELCOME: usize = 2_000;
/// Characters of what the portal is called.
const PRODUCT_NAME: usize = 60;

/// Colours and texts as they were typed. What is left out is taken from the next: client, organisation, product.
#[derive(Clone, Debug, Default)]
pub struct BrandingDraft {
    /// Primary, background and text, each `#rrggbb`; all of them or none.
    pub colours: Option<[String; 3]>,
    /// Shown on the dashboard below the greeting.
    pub welcome: Option<String>,
    /// What the portal is called.
    pub product_name: Option<String>,
}

impl BrandingDraft {
    /// Checks every field; blank texts count as left out.
    fn check(self) -> Result<Branding> {
        let mut problems = Vec::new();
        let palette = self.colours.and_then(|colours| palette(&colours, &mut problems));
        let filled = |text: Option<String>| text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        let welcome = filled(self.welcome);
        if let Some(text) = &welcome {
            let odd = |c: char| c.is_control() && c != '\n';
            if text.chars().count() > WELCOME {
                let message = format!("must have at most {WELCOME} characters");
                problems.push(Problem::new("/welcome_message", "too_long", message));
            } else if text.chars().any(odd) {
                let message = "must not contain control characters";
                problems.push(Problem::new("/welcome_message", "control_character", message));
            }
        }
        let product_name = filled(self.product_name);
        if let Some(name) = &product_name {
            problems.extend(valid_name("/product_name", name).err());
            if name.chars().count() > PRODUCT_NAME {
                let message = format!("must have at most {PRODUCT_NAME} characters");
                problems.push(Problem::new("/product_name", "too_long", message));
            }
        }
        if problems.is_empty() {
            Ok(Branding { palette, welcome, product_name, logo: None })
        } else {
            Err(Error::Invalid(problems))
        }
    }
}

fn palette(colours: &[String; 3], problems: &mut Vec<Problem>) -> Option<Palette> {
    let mut read = |field: &str, text: &str| {
        let problem = |why| problems.push(Problem::new(format!("/colours/{field}"), "not_a_colour", why));
        text.parse().map_err(problem).ok()
    };
    let [primary, background, text] = [("primary", &colours[0]), ("background", &colours[1]), ("text", &colours[2])]
        .map(|(field, text)| read(field, text));
    let palette = Palette { primary: primary?, background: background?, text: text? };
    problems.extend(palette_problems("/colours", &palette));
    Some(palette)
}

/// Gives a client a look of its own; nothing at all takes it away again. The caller commits.
pub async fn clientone_branding_set(
    tx: &Tx,
    client: ClientId,
    draft: BrandingDraft,
    version: Option<i32>,
) -> Result<PortalConfig> {
    let before = current(tx, client, version).await?;
    let branding = Branding { logo: before.branding.logo.clone(), ..draft.check()? };
    tx.portal_config_save(&before, PortalConfig { branding, ..before.clone() }).await
}

/// Gives the MSP a look of its own, for every client that has none; returns its version. Only for those who see every
/// client. The caller commits.
pub async fn clientone_default_branding_set(
    tx: &Tx,
    draft: BrandingDraft,
    version: Option<i32>,
) -> Result<(Branding, i32)> {
    tx.context().require(Permission::ClientoneManage)?;
    if !tx.context().scope.is_all() {
        return Err(Error::Forbidden { permission: Permission::ClientoneManage });
    }
    tx.team_lock().await?;
    let before = tx.portal_branding().await?;
    if version.is_some_and(|version| version != before.1) {
        return Err(Error::Stale { what: "look of ClientOne" });
    }
    let branding = Branding { logo: before.0.logo.clone(), ..draft.check()? };
    let version = tx.portal_branding_save(&before, &branding).await?;
    Ok((branding, version))
}

/// How ClientOne looks for a client in the end, each value with whose it is.
pub async fn effective_branding(tx: &Tx, config: &PortalConfig) -> Result<EffectiveBranding> {
    let (organisation, _) = tx.portal_branding().await?;
    Ok(EffectiveBranding::of(Some(&config.branding), &organisation))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn colours(primary: &str, background: &str, text: &str) -> BrandingDraft {
        let colours = Some([primary.to_owned(), background.to_owned(), text.to_owned()]);
        BrandingDraft { colours, ..BrandingDraft::default() }
    }

    fn pointers(draft: BrandingDraft) -> Vec<String> {
        match draft.check() {
            Err(Error::Invalid(problems)) => problems.into_iter().map(|problem| problem.pointer).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused_by_field() {
        assert_eq!(pointers(colours("#ffff00", "#ffffff", "#cccccc")), ["/colours/text", "/colours/primary"]);
        assert_eq!(pointers(colours("yellow", "#fff", "#000000")), ["/colours/primary", "/colours/background"]);
        let long = BrandingDraft {
            welcome: Some("x".repeat(2_001)),
            product_name: Some("two\nlines".to_owned()),
            ..BrandingDraft::default()
        };
        assert_eq!(pointers(long), ["/welcome_message", "/product_name"]);
    }

    #[test]
    fn blank_counts_as_left_out() {
        let blank = BrandingDraft { welcome: Some(" \n".to_owned()), product_name: Some(String::new()), colours: None };
        assert_eq!(blank.check().ok(), Some(Branding::default()));
        assert!(colours("#003366", "#ffffff", "#111111").check().is_ok());
    }
}
