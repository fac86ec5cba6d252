//! Companies made and changed.

use async_trait::async_trait;
use bytes::Bytes;
use integration::{CompanyDraft, Error, Kind, Method, PostalAddress, Result, WriteCompanies};
use serde_json::{Map, Value};

use crate::{
    Autotask,
    api::{NAME, number},
    companies::SHAPE,
    picklists,
    queries::Shape,
    wire,
};

const COUNTRIES: Shape = Shape { entity: "Countries", fields: &["id", "isActive"], picked: &[] };
const USERS: Shape = Shape { entity: "Resources", fields: &["id", "isActive"], picked: &[] };

/// Longest line of an address.
const LONGEST_LINE: usize = 128;

#[async_trait]
impl WriteCompanies for Autotask {
    async fn create(&self, draft: &CompanyDraft) -> Result<Bytes> {
        if draft.name.as_deref().is_none_or(|name| name.trim().is_empty()) {
            return Err(Error::new(Kind::Refused, "a company needs a name"));
        }
        let Some(owner) = &self.company_owner else {
            let message =
                format!("{NAME} wants an owner for a new company: enter one in the settings of the connection");
            return Err(Error::new(Kind::Refused, message));
        };
        let mut body = self.company_fields(draft).await?;
        let owner = self.known(USERS, "email", owner).await?.ok_or_else(|| {
            Error::new(Kind::Refused, format!("{NAME} has no active user with the owner's e-mail address"))
        })?;
        body.insert("ownerResourceID".to_owned(), owner.into());
        body.insert("companyType".to_owned(), self.customer_type().await?.into());
        let id = self.api.write(Method::Post, &["Companies"], Some(&Value::Object(body))).await?;
        self.api.written(SHAPE, &id).await
    }

    async fn update(&self, entity_id: &str, draft: &CompanyDraft) -> Result<Bytes> {
        let mut body = self.company_fields(draft).await?;
        if !body.is_empty() {
            body.insert("id".to_owned(), number(entity_id)?.into());
            self.api.write(Method::Patch, &["Companies"], Some(&Value::Object(body))).await?;
        }
        self.api.written(SHAPE, entity_id).await
    }

    async fn fetch(&self, entity_id: &str) -> Result<Bytes> {
        self.api.one(SHAPE, &[("id", number(entity_id)?.into())]).await
    }
}

impl Autotask {
    /// What the draft names, by Autotask's names.
    async fn company_fields(&self, draft: &CompanyDraft) -> Result<Map<String, Value>> {
        let texts = [
            ("companyName", &draft.name),
            ("phone", &draft.phone),
            ("webAddress", &draft.website),
            ("city", &draft.city),
            ("state", &draft.region),
            ("postalCode", &draft.post_code),
        ];
        let mut fields: Map<String, Value> = texts
            .into_iter()
            .filter_map(|(key, text)| Some((key.to_owned(), text.as_deref()?.trim().into())))
            .collect();
        if let Some(street) = &draft.street {
            let [first, second] = PostalAddress::street_lines(street, LONGEST_LINE);
            fields.extend([("address1".to_owned(), first.into()), ("address2".to_owned(), second.into())]);
        }
        if let Some(code) = &draft.country {
            let code = code.trim().to_ascii_uppercase();
            let id = self.known(COUNTRIES, "countryCode", &code).await?.ok_or_else(|| {
                Error::new(Kind::Refused, format!("{NAME} has no country with the code {code} in use"))
            })?;
            fields.insert("countryID".to_owned(), id.into());
        }
        fields.extend(draft.active.map(|active| ("isActive".to_owned(), active.into())));
        Ok(fields)
    }

    /// The id of the country or user that has this, if it is in use.
    async fn known(&self, shape: Shape, field: &str, value: &str) -> Result<Option<i64>> {
        let found = self.api.find(shape, &[(field, value.trim().into()), ("isActive", true.into())]).await?;
        let Some(raw) = found.first() else { return Ok(None) };
        let known: wire::Known = wire::read("record", raw).map_err(|why| Error::unreadable(NAME, why))?;
        if known.is_active.is_some_and(|flag| !flag.0) { Ok(None) } else { number(&known.id.0).map(Some) }
    }

    /// The type that makes a company a customer: called so, or the account's default.
    async fn customer_type(&self) -> Result<i64> {
        let fields = self.api.fields(SHAPE.entity).await?;
        let picks = picklists::in_use(&fields, "companyType");
        let called = |word: &str| {
            picks
                .iter()
                .copied()
                .find(|pick| pick.label.as_deref().is_some_and(|label| label.eq_ignore_ascii_case(word)))
        };
        match called("customer").or_else(|| called("client")).or(picklists::default(&fields, "companyType")) {
            Some(pick) => number(&pick.value.0),
            None => Err(Error::new(Kind::Refused, format!("{NAME} has no company type called Customer"))),
        }
    }
}
