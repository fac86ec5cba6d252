//! What we changed, sent to the PSA: read there first, noted before it is sent, sent once.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use domain::{Client, EntityId, Error, Permission, PsaConflictKind, PsaField, Result, RunId};
use integration::{CompanyDraft, Connector, ContactDraft, ReadRecord, RecordKind};
use persistence::{Apply, RecordWrite};
use serde_json::{Map, Value, json};

use super::{
    look::{agreed, conflict_id, look, waits},
    pass::{Halt, Pass, UNDER_WAY},
    values::{Company, draft},
};
use crate::{Act, Asking, ContactUpdate, Noted, Place, Sent, Target, act::lost, ids, page, seen::to_bytes};

/// Changes a company at its PSA. What the PSA answers is left in `answer` for whoever asked.
struct CompanyUpdate {
    entity: EntityId,
    draft: CompanyDraft,
    before: Map<String, Value>,
    after: Map<String, Value>,
    answer: Arc<Mutex<Option<Bytes>>>,
}

#[async_trait]
impl Act for CompanyUpdate {
    fn action(&self) -> &'static str {
        "psa_company_update"
    }
    fn announced(&self) -> &'static str {
        "psa_company_update_send"
    }
    fn permission(&self) -> Permission {
        Permission::ClientsEdit
    }
    fn target(&self) -> Target {
        Target::Under(self.entity)
    }
    fn stores(&self) -> RecordKind {
        RecordKind::Entity
    }
    fn wanted(&self) -> String {
        json!(self.after).to_string()
    }
    fn check(&self, place: &Place, connector: &dyn Connector) -> Result<()> {
        place.able(connector.company_writes(), "change companies").map(drop)
    }
    fn noted(&self, _: &Place, _: Option<&Value>) -> Noted {
        Noted { kind: "psa_company", before: Some(self.before.clone().into()), after: Some(self.after.clone().into()) }
    }
    async fn send(&self, place: &Place, connector: &dyn Connector) -> integration::Result<Sent> {
        let writes = connector.company_writes().ok_or_else(lost)?;
        let raw = writes.update(&place.entity.vendor_id, &self.draft).await?;
        *self.answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(raw);
        Ok(Sent::Done)
    }
}

/// What is to be sent of one company.
struct Sending {
    company: Company,
    client: Client,
    fields: Vec<(PsaField, String)>,
}

impl Pass<'_> {
    /// Sends what we changed of one company, after reading it: nothing is sent over what the PSA changed meanwhile,
    /// nor a second time.
    pub async fn send(&self, entity: EntityId) -> Result<(), Halt> {
        self.going_on()?;
        let tx = self.read().await?;
        let row = tx.entity(entity).await?;
        tx.rollback().await?;
        let (raw, fresh) = match self.fetch(&row.vendor_id).await {
            Ok(Some(found)) => found,
            // Deleted there: the client stays.
            Ok(None) => return Ok(()),
            Err(halt) => {
                let error = halt.of_one()?;
                tracing::warn!(connection = %self.connection.id, %entity, %error, "a company cannot be read");
                let Some(sending) = self.still_to_send(entity).await? else { return Ok(()) };
                return self.refused(&sending, &sending.fields, &error.to_string()).await;
            }
        };
        self.store_company(entity, &raw, &fresh).await?;
        let Some(sending) = self.still_to_send(entity).await? else { return Ok(()) };
        let (contact, company): (Vec<_>, Vec<_>) =
            sending.fields.iter().cloned().partition(|(field, _)| *field == PsaField::ContactEmail);
        if !company.is_empty() {
            self.send_company(&sending, company).await?;
        }
        for (_, email) in contact {
            self.send_contact(&sending, email).await?;
        }
        Ok(())
    }

    /// Looks once more, at what was just read. What is to be taken from it is left to the next pass.
    async fn still_to_send(&self, entity: EntityId) -> Result<Option<Sending>, Halt> {
        let tx = self.begin().await?;
        let rows = tx.entities_by_id(&[entity]).await?;
        let mut pages = self.gather(&tx, rows).await?;
        let Some((company, client, known)) = pages.companies.pop() else { return Ok(None) };
        let mut found = look(&self.settings, &client, &company, &known, &pages.conflicts, tx.now());
        self.keep(&tx, &company, &client, &mut found).await?;
        tx.commit_unjournalled().await?;
        Ok((!found.send.is_empty()).then_some(Sending { company, client, fields: found.send }))
    }

    async fn send_company(&self, sending: &Sending, fields: Vec<(PsaField, String)>) -> Result<(), Halt> {
        let Sending { company, client, .. } = sending;
        let named = [("name_at_psa", company.row.name.clone()), ("vendor_id", company.row.vendor_id.clone())];
        let named = named.map(|(key, value)| (key.to_owned(), Value::from(value)));
        let (mut before, mut after) = (Map::from_iter(named.clone()), Map::from_iter(named));
        let mut wanted = CompanyDraft::default();
        for (field, ours) in &fields {
            draft(&mut wanted, *field, ours);
            before.insert(field.as_str().to_owned(), json!(company.value(*field).flatten()));
            after.insert(field.as_str().to_owned(), json!(ours));
        }
        let answer = Arc::new(Mutex::new(None));
        let act = CompanyUpdate { entity: company.row.id, draft: wanted, before, after, answer: answer.clone() };
        let done = self.act(client, Arc::new(act)).await;
        let refused = self.outcome(done)?;
        let raw = answer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(why) = refused {
            return self.refused(sending, &fields, &why).await;
        }
        // What the PSA made of it is what is agreed, however it writes it.
        let mut told = company.clone();
        if let Some(raw) = raw {
            let fresh = match self.told(&raw) {
                Ok(fresh) => fresh,
                Err(halt) => return self.refused(sending, &fields, &halt.of_one()?.to_string()).await,
            };
            self.store_company(company.row.id, &raw, &fresh).await?;
            let whole = serde_json::from_str(&fresh.body).map_err(Error::internal)?;
            told.told = whole;
        }
        let agree: Vec<_> = fields
            .into_iter()
            .map(|(field, ours)| {
                let theirs = told.value(field).flatten().or_else(|| Some(ours.clone()));
                agreed(company.row.id, client, field, Some(ours), theirs, true)
            })
            .collect();
        self.settled(company, &agree).await
    }

    async fn send_contact(&self, sending: &Sending, email: String) -> Result<(), Halt> {
        let Sending { company, client, .. } = sending;
        let Some(contact) = &company.contact else { return Ok(()) };
        let wanted = ContactDraft { email: Some(email.clone()), ..ContactDraft::default() };
        let act = ContactUpdate { id: contact.record, location: None, draft: wanted };
        let done = self.act(client, Arc::new(act)).await;
        let theirs = match &done {
            Ok(Some(record)) => super::values::main_contact(std::slice::from_ref(record)).and_then(|one| one.email),
            _ => None,
        };
        if let Some(why) = self.outcome(done)? {
            return self.refused(sending, &[(PsaField::ContactEmail, email)], &why).await;
        }
        let theirs = theirs.or_else(|| Some(email.clone()));
        let agree = agreed(company.row.id, client, PsaField::ContactEmail, Some(email), theirs, true);
        self.settled(company, &[agree]).await
    }

    async fn act(&self, client: &Client, act: Arc<dyn Act>) -> Result<Option<domain::Record>> {
        let store = &self.engine.store;
        let context = store.psa_context(self.claimed.organisation, self.connection.id);
        let reason = format!("brings {} in step", self.connection.name);
        let apply = Apply { reason: Some(reason), ..Apply::default() };
        match self.engine.act(&context, act, Asking { client: client.id, apply, key: None }).await? {
            crate::Acting::Acted(acted) => Ok(acted.record),
            crate::Acting::Repeated { .. } => Ok(None),
        }
    }

    /// What an act came to: done, or refused for good and why; anything else is tried again, after reading the
    /// company again.
    fn outcome<T>(&self, done: Result<T>) -> Result<Option<String>, Halt> {
        const FOR_GOOD: [&str; 6] = [
            "vendor_refused",
            "vendor_forbidden",
            "vendor_not_found",
            "vendor_unreadable",
            "vendor_limit",
            "not_supported",
        ];
        match done {
            Ok(_) => Ok(None),
            Err(Error::Vendor { code, message, .. }) if FOR_GOOD.contains(&code) => Ok(Some(message)),
            Err(Error::Conflict { code: "not_supported", message }) => Ok(Some(message)),
            Err(Error::Vendor { message, retry_after, .. }) => {
                let wait = retry_after.and_then(|wait| i64::try_from(wait).ok()).map(chrono::TimeDelta::seconds);
                Err(Halt::Wait(wait.unwrap_or(UNDER_WAY), message))
            }
            Err(Error::Conflict { code: "write_under_way" | "moved_at_vendor", message }) => {
                Err(Halt::Wait(UNDER_WAY, message))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Notes that the PSA does not take our values: a person decides.
    async fn refused(&self, sending: &Sending, fields: &[(PsaField, String)], why: &str) -> Result<(), Halt> {
        let Sending { company, client, .. } = sending;
        let tx = self.begin().await?;
        let mut found = super::look::Found::default();
        let kind = || (PsaConflictKind::Refused, Some(why.to_owned()));
        let refused = |field| waits(&self.settings, (company, client), field, kind(), tx.now());
        found.note.extend(fields.iter().map(|(field, _)| refused(*field)));
        self.keep(&tx, company, client, &mut found).await?;
        Ok(tx.commit_unjournalled().await?)
    }

    async fn settled(&self, company: &Company, agree: &[persistence::Agreed]) -> Result<(), Halt> {
        let tx = self.begin().await?;
        tx.psa_agree(agree).await?;
        let of = |one: &persistence::Agreed| conflict_id(self.connection.id, company.row.id.0, Some(one.field));
        tx.psa_conflicts_close(&agree.iter().map(of).collect::<Vec<_>>()).await?;
        Ok(tx.commit_unjournalled().await?)
    }

    /// Stores a company as the PSA has it now, as a run would.
    pub async fn store_company(&self, entity: EntityId, raw: &Bytes, read: &ReadRecord) -> Result<(), Halt> {
        let tx = self.begin().await?;
        self.company_write(&tx, entity, raw, read).await?;
        Ok(tx.commit_unjournalled().await?)
    }

    pub async fn company_write(
        &self,
        tx: &persistence::Tx,
        entity: EntityId,
        raw: &Bytes,
        read: &ReadRecord,
    ) -> Result<()> {
        let entry = self.engine.entry(&self.connection.integration)?;
        let content = to_bytes(ids::content_hash(&read.fingerprint, None));
        let known = tx.entities_stored(&[entity.0]).await?;
        let write = RecordWrite {
            id: domain::RecordId(entity.0),
            connection_id: self.connection.id,
            entity_id: entity,
            kind: RecordKind::Entity.as_str().to_owned(),
            vendor_id: read.id.clone(),
            title: page::one_line(&read.title),
            body: read.body.clone(),
            raw: raw.to_vec(),
            raw_hash: to_bytes(ids::raw_hash(None, raw)),
            content_hash: content,
            run_id: RunId(self.claimed.id.0),
        };
        if known.first().is_none_or(|known| known.content_hash != content || known.removed_at.is_some()) {
            tx.entities_write(entry.id, entry.entity_kind, &[write]).await?;
        }
        if !self.listed_whole() {
            tx.psa_company_keep(self.connection.id, entity, &read.body).await?;
        }
        Ok(())
    }
}
