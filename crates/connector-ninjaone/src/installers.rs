//! Links to the agent's installers. Whoever runs one enrols their machine, so a link is shown and never kept.

use async_trait::async_trait;
use integration::{Choice, Error, Installer, Kind, MakeInstallers, Method, Result, Vendor};
use serde::Deserialize;
use url::Url;

use crate::{NinjaOne, api, wire};

const PLATFORMS: [(&str, &str); 10] = [
    ("WINDOWS_MSI", "Windows (MSI)"),
    ("WINDOWS_ARM64_MSI", "Windows on ARM (MSI)"),
    ("MAC_PKG", "macOS (PKG)"),
    ("MAC_DMG", "macOS (DMG)"),
    ("LINUX_DEB", "Linux (DEB)"),
    ("LINUX_RPM", "Linux (RPM)"),
    ("LINUX_ARM64_DEB", "Linux on ARM, 64 bit (DEB)"),
    ("LINUX_ARM64_RPM", "Linux on ARM, 64 bit (RPM)"),
    ("LINUX_ARMV7A_DEB", "Linux on ARM, 32 bit (DEB)"),
    ("LINUX_ARMV7A_RPM", "Linux on ARM, 32 bit (RPM)"),
];

#[derive(Deserialize)]
struct Link {
    url: Url,
}

#[async_trait]
impl MakeInstallers for NinjaOne {
    fn platforms(&self) -> Vec<Choice> {
        PLATFORMS.iter().map(|(id, label)| Choice { id: (*id).to_owned(), label: (*label).to_owned() }).collect()
    }

    async fn installer(&self, entity_id: &str, location_id: Option<&str>, platform: &str) -> Result<Installer> {
        let Some((platform, _)) = PLATFORMS.iter().find(|(id, _)| *id == platform) else {
            return Err(Error::new(Kind::Refused, "NinjaOne has no installer for this platform"));
        };
        let organization = api::id(entity_id)?;
        let location = match location_id {
            Some(location) => api::id(location)?,
            None => self.first_location(organization).await?,
        };
        let path = format!("/v2/organization/{organization}/location/{location}/installer/{platform}");
        let response = self.api.change(self.api.request(Method::Get, &path)?).await?;
        // The error of the reader would repeat the link.
        let link = response.json::<Link>(Self::NAME).map(|link| link.url).ok();
        match link.filter(|url| url.scheme() == "https" && url.has_host()) {
            Some(url) => Ok(Installer { url: url.into(), expires_at: None }),
            None => Err(Error::unreadable(Self::NAME, "the link to the installer is no web address")),
        }
    }
}

impl NinjaOne {
    async fn first_location(&self, organization: u32) -> Result<u32> {
        let path = format!("/v2/organization/{organization}/locations");
        let locations: Vec<wire::Row> = self.api.all(self.api.request(Method::Get, &path)?, "location").await?;
        let Some(first) = locations.first() else {
            return Err(Error::new(
                Kind::Refused,
                "this organization has no location at NinjaOne: add one there first",
            ));
        };
        api::id(&first.id)
    }
}
