//! Companies made and changed.

use async_trait::async_trait;
use bytes::Bytes;
use integration::{CompanyDraft, Error, Kind, PostalAddress, Result, WriteCompanies};
use serde_json::{Map, Value, json};
use unicode_normalization::UnicodeNormalization;

use crate::{
    ConnectwiseManage,
    api::{NAME, number},
    companies::FIELDS,
    wire,
};

/// Longest short code of a company, less three digits to tell equal ones apart.
const LONGEST_CODE: usize = 22;
/// Longest line of an address.
const LONGEST_LINE: usize = 50;

#[async_trait]
impl WriteCompanies for ConnectwiseManage {
    async fn create(&self, draft: &CompanyDraft) -> Result<Bytes> {
        let Some(name) = draft.name.as_deref().map(str::trim).filter(|name| !name.is_empty()) else {
            return Err(Error::new(Kind::Refused, "a company needs a name"));
        };
        let mut body: Map<String, Value> =
            self.company_fields(draft).await?.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        body.insert("identifier".to_owned(), self.free_code(name).await?.into());
        body.insert("site".to_owned(), json!({ "name": "Main" }));
        if !body.contains_key("status") {
            let status = self.company_status(true).await?;
            body.extend(status.map(|id| ("status".to_owned(), json!({ "id": id }))));
        }
        let customer = self.customer_type().await?;
        body.extend(customer.map(|id| ("types".to_owned(), json!([{ "id": id }]))));
        self.api.post(&["company", "companies"], &Value::Object(body), FIELDS).await
    }

    async fn update(&self, entity_id: &str, draft: &CompanyDraft) -> Result<Bytes> {
        let changes = self.company_fields(draft).await?;
        if changes.is_empty() {
            return WriteCompanies::fetch(self, entity_id).await;
        }
        self.api.patch(&["company", "companies", &number(entity_id)?.to_string()], &changes, FIELDS).await
    }

    async fn fetch(&self, entity_id: &str) -> Result<Bytes> {
        self.api.one(&["company", "companies", &number(entity_id)?.to_string()], FIELDS).await
    }
}

impl ConnectwiseManage {
    /// What the draft names, by ConnectWise's names.
    async fn company_fields(&self, draft: &CompanyDraft) -> Result<Vec<(&'static str, Value)>> {
        let texts = [
            ("name", &draft.name),
            ("phoneNumber", &draft.phone),
            ("website", &draft.website),
            ("city", &draft.city),
            ("state", &draft.region),
            ("zip", &draft.post_code),
        ];
        let mut fields: Vec<(&'static str, Value)> =
            texts.into_iter().filter_map(|(key, text)| Some((key, text.as_deref()?.trim().into()))).collect();
        if let Some(street) = &draft.street {
            let [first, second] = PostalAddress::street_lines(street, LONGEST_LINE);
            fields.extend([("addressLine1", first.into()), ("addressLine2", second.into())]);
        }
        if let Some(code) = &draft.country {
            fields.push(("country", json!({ "id": self.country(code).await? })));
        }
        if let Some(active) = draft.active {
            let wanted = if active { "active" } else { "inactive" };
            let status = self.company_status(active).await?.ok_or_else(|| {
                Error::new(Kind::Refused, format!("{NAME} has no {wanted} company status: make one there first"))
            })?;
            fields.push(("status", json!({ "id": status })));
        }
        Ok(fields)
    }

    /// The id of the state that companies are given: of those in use the default one, or the first.
    async fn company_status(&self, active: bool) -> Result<Option<i64>> {
        let fields = "id,name,defaultFlag,inactiveFlag";
        let mut found: Vec<wire::Choice> = self.api.all(&["company", "companies", "statuses"], fields, None).await?;
        found.retain(|status| status.in_use() == active);
        usual(found)
    }

    /// The id of the type that makes a company a customer: called so, or the default one.
    async fn customer_type(&self) -> Result<Option<i64>> {
        let types: Vec<wire::Choice> =
            self.api.all(&["company", "companies", "types"], "id,name,defaultFlag", None).await?;
        let (called, other): (Vec<_>, Vec<_>) =
            types.into_iter().partition(|kind| matches!(kind.label().to_lowercase().as_str(), "client" | "customer"));
        usual(if called.is_empty() {
            other.into_iter().filter(|t| t.default_flag == Some(true)).collect()
        } else {
            called
        })
    }

    async fn country(&self, code: &str) -> Result<i64> {
        let code = code.trim().to_ascii_uppercase();
        let known = if code.len() == 2 && code.bytes().all(|b| b.is_ascii_uppercase()) {
            let condition = format!("countryCode=\"{code}\"");
            usual(self.api.all(&["company", "countries"], "id,name", Some(&condition)).await?)?
        } else {
            None
        };
        known.ok_or_else(|| Error::new(Kind::Refused, format!("{NAME} has no country with the code {code}")))
    }

    /// A short code that no company has yet. ConnectWise refuses one that is taken.
    async fn free_code(&self, name: &str) -> Result<String> {
        let plain: String = name.nfd().filter(char::is_ascii_alphanumeric).take(LONGEST_CODE).collect();
        let plain = if plain.is_empty() { "Company".to_owned() } else { plain };
        // Letters and digits only, so that it needs no quoting.
        let condition = format!("identifier like \"{plain}%\"");
        let taken: Vec<wire::Company> =
            self.api.all(&["company", "companies"], "id,identifier", Some(&condition)).await?;
        let is_taken = |code: &str| {
            taken.iter().filter_map(|one| one.identifier.as_deref()).any(|own| own.eq_ignore_ascii_case(code))
        };
        let numbered = (2..1000).map(|number| format!("{plain}{number}"));
        std::iter::once(plain.clone()).chain(numbered).find(|code| !is_taken(code)).ok_or_else(|| {
            Error::new(Kind::Refused, format!("{NAME} has too many companies whose short code begins with {plain}"))
        })
    }
}

/// The default among these, or the first.
fn usual(choices: Vec<wire::Choice>) -> Result<Option<i64>> {
    let default = choices.iter().position(|one| one.default_flag == Some(true)).unwrap_or(0);
    choices.into_iter().nth(default).and_then(|one| one.id).map(|id| number(&id.0)).transpose()
}
