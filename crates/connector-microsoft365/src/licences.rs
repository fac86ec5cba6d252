//! Licences of a tenant. Microsoft sends part numbers only; the names people know are here.

use async_trait::async_trait;
use integration::{Item, Licence, Page, Position, Pull, Reach, Result};
use serde::Deserialize;

use crate::{Microsoft365, api::Source, wire};

const SKUS: Source = Source { path: "subscribedSkus", query: "", right: "Directory.Read.All" };

/// Common part numbers with their names. Add one where people see a part number in a list.
const NAMES: [(&str, &str); 24] = [
    ("O365_BUSINESS_ESSENTIALS", "Microsoft 365 Business Basic"),
    ("O365_BUSINESS_PREMIUM", "Microsoft 365 Business Standard"),
    ("O365_BUSINESS", "Microsoft 365 Apps for business"),
    ("SPB", "Microsoft 365 Business Premium"),
    ("OFFICESUBSCRIPTION", "Microsoft 365 Apps for enterprise"),
    ("STANDARDPACK", "Office 365 E1"),
    ("ENTERPRISEPACK", "Office 365 E3"),
    ("ENTERPRISEPREMIUM", "Office 365 E5"),
    ("SPE_E3", "Microsoft 365 E3"),
    ("SPE_E5", "Microsoft 365 E5"),
    ("SPE_F1", "Microsoft 365 F3"),
    ("M365_F1", "Microsoft 365 F1"),
    ("EXCHANGESTANDARD", "Exchange Online (Plan 1)"),
    ("EXCHANGEENTERPRISE", "Exchange Online (Plan 2)"),
    ("AAD_PREMIUM", "Entra ID P1"),
    ("AAD_PREMIUM_P2", "Entra ID P2"),
    ("EMS", "Enterprise Mobility + Security E3"),
    ("EMSPREMIUM", "Enterprise Mobility + Security E5"),
    ("INTUNE_A", "Intune Plan 1"),
    ("ATP_ENTERPRISE", "Defender for Office 365 (Plan 1)"),
    ("VISIOCLIENT", "Visio Plan 2"),
    ("PROJECTPROFESSIONAL", "Project Plan 3"),
    ("POWER_BI_PRO", "Power BI Pro"),
    ("MCOEV", "Teams Phone Standard"),
];

/// Part numbers that anyone may take without paying, in practically endless numbers.
const FREE: [(&str, &str); 8] = [
    ("FLOW_FREE", "Power Automate Free"),
    ("POWER_BI_STANDARD", "Fabric (Free)"),
    ("POWERAPPS_VIRAL", "Power Apps Trial"),
    ("POWERAPPS_DEV", "Power Apps for Developer"),
    ("TEAMS_EXPLORATORY", "Teams Exploratory"),
    ("CCIBOTS_PRIVPREV_VIRAL", "Copilot Studio Trial"),
    ("RIGHTSMANAGEMENT_ADHOC", "Rights Management Adhoc"),
    ("WINDOWS_STORE", "Windows Store for Business"),
];

/// Nobody buys this many: a free product that the table does not know.
const ENDLESS: i64 = 1_000_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    id: String,
    // By Microsoft's own description each of these may be null.
    sku_id: Option<String>,
    sku_part_number: Option<String>,
    capability_status: Option<String>,
    consumed_units: Option<i64>,
    prepaid_units: Option<Prepaid>,
}

/// Units in their grace period (`warning`) still work; suspended and locked ones do not.
#[derive(Deserialize)]
struct Prepaid {
    enabled: Option<i64>,
    warning: Option<i64>,
}

#[async_trait]
impl Pull<Licence> for Microsoft365 {
    fn reach(&self) -> Reach {
        Reach::Entity
    }

    async fn page(&self, at: Position<'_>) -> Result<Page> {
        self.api.page(&SKUS, at).await
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Licence>, String> {
        let wire: Wire = wire::read(raw, "a licence")?;
        let part_number = wire::text(wire.sku_part_number).unwrap_or_default();
        let sku_id = wire::text(wire.sku_id).unwrap_or_default();
        let named = |table: &[(&'static str, &'static str)]| {
            table.iter().find(|(part, _)| *part == part_number).map(|(_, name)| *name)
        };
        let free = named(&FREE);
        // Without the units that are enabled, those in grace say nothing of all.
        let units = |units: Prepaid| Some(units.enabled?.saturating_add(units.warning.unwrap_or_default()));
        let total = wire.prepaid_units.and_then(units);
        let unnamed = [&part_number, &sku_id, &wire.id].into_iter().find(|text| !text.is_empty());
        let record = Licence {
            name: named(&NAMES).or(free).or(unnamed.map(String::as_str)).unwrap_or_default().to_owned(),
            total,
            used: wire.consumed_units,
            status: wire::text(wire.capability_status),
            unlimited: free.is_some() || total.is_some_and(|total| total >= ENDLESS),
            sku_id,
            part_number,
        };
        Ok(Item { id: wire.id, entity: None, record })
    }
}
