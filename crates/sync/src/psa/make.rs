//! Clients of new companies, and companies of new clients: only where nothing there looks like them.

use std::collections::{BTreeSet, HashMap, HashSet};

use domain::{
    Client, ClientStatus, Entity, EntityId, Error, MappingState, Outcome, PsaConflict, PsaConflictId, PsaConflictKind,
    PsaConflictState, PsaDirection, PsaField, RecordId, Result, Timestamp, VendorWriteId, name_key,
};
use integration::{CompanyDraft, Kind, RecordKind};
use persistence::{MappingWrite, Tx, VendorWrite, VendorWriteState};
use serde::{Deserialize, Serialize};

use super::{
    look::{agreed, conflict_id},
    pass::{Halt, Pass},
    values::{Company, draft, give, main_contact, ours},
};
use crate::{
    act::{lost, may_be_done},
    ids, trouble,
};

/// Clients, or companies, that one pass makes.
const MOST: usize = 500;
/// Newcomers that are looked at.
const LOOKED_AT: u64 = 100_000;
/// How long an answer may still come.
const ANSWERS_WITHIN: chrono::TimeDelta = chrono::TimeDelta::minutes(10);
/// What the journal and the notes of vendor writes call it.
const CREATE: &str = "psa_company_create";

/// New companies.
pub(super) struct Newcomers {
    /// Those of which clients may be made.
    pub open: Vec<EntityId>,
    /// Those of which a person wants one made, whatever they are like.
    decided: HashSet<EntityId>,
}

/// What the note of a creation says.
#[derive(Serialize, Deserialize)]
struct Wanted {
    client_id: domain::ClientId,
    company: CompanyDraft,
}

impl Pass<'_> {
    fn whole(&self, of: uuid::Uuid, kind: PsaConflictKind, now: Timestamp) -> PsaConflict {
        PsaConflict {
            id: conflict_id(self.connection.id, of, None),
            connection_id: self.connection.id,
            entity_id: None,
            client_id: None,
            field: None,
            kind,
            state: PsaConflictState::Open,
            ours: None,
            theirs: None,
            ours_at: None,
            ours_by: None,
            theirs_at: None,
            message: None,
            created_at: now,
        }
    }

    /// New companies of which clients may be made, unless something waits about them.
    pub async fn newcomers(&self, tx: &Tx) -> Result<Newcomers> {
        let waiting = self.still_waiting(tx).await?;
        let decided = waiting.values().filter(|one| one.state == PsaConflictState::Sending);
        let decided: HashSet<EntityId> =
            decided.filter(|one| one.kind == PsaConflictKind::LikeClient).filter_map(|one| one.entity_id).collect();
        let mut open: Vec<EntityId> = decided.iter().copied().collect();
        // A company that nobody knows whether we made it is not to become a client of its own.
        if let Some(since) = self.settings.clients_since.filter(|_| self.unsettled.is_empty()) {
            let found = tx.psa_newcomers(self.connection.id, since, LOOKED_AT).await?;
            open.extend(found.iter().filter(|row| self.admits(row)).map(|row| row.id));
        }
        let held = |id: &EntityId| waiting.contains_key(&conflict_id(self.connection.id, id.0, None));
        open.retain(|id| decided.contains(id) || !held(id));
        open.sort_unstable();
        open.dedup();
        open.truncate(MOST);
        Ok(Newcomers { open, decided })
    }

    /// Makes clients of new companies, within the transaction that takes what the PSA changed. Their rows are locked.
    pub async fn make_clients(&self, tx: &Tx, newcomers: Newcomers, mut rows: Vec<Entity>) -> Result<()> {
        let Newcomers { open, decided } = newcomers;
        let new = |row: &Entity| row.mapping_state == MappingState::Unmapped && row.removed_at.is_none();
        rows.retain(|row| open.contains(&row.id) && new(row));
        let Some(likeness) = self.likeness.filter(|_| !rows.is_empty()) else { return Ok(()) };
        let likes = likeness.clients_like(tx, &rows).await?;
        let mut made: HashMap<String, domain::ClientId> = HashMap::new();
        for (row, like) in rows.into_iter().zip(likes) {
            // Two of one name that came together are no less alike.
            let twin = made.get(&name_key(&row.name)).copied();
            let like = like.map(|like| (like.id, like.name, like.because));
            let like = like.or(twin.map(|id| (id, row.name.clone(), "it came together with this one".to_owned())));
            if let Some((id, name, because)) = like.filter(|_| !decided.contains(&row.id)) {
                let mut item = self.whole(row.id.0, PsaConflictKind::LikeClient, tx.now());
                (item.entity_id, item.client_id) = (Some(row.id), Some(id));
                (item.ours, item.theirs, item.message) = (Some(name), Some(row.name), Some(because));
                tx.psa_conflicts_note(&[item]).await?;
                continue;
            }
            let key = name_key(&row.name);
            let id = conflict_id(self.connection.id, row.id.0, None);
            let client = self.make_client(tx, row).await?;
            tx.psa_conflicts_close(&[id]).await?;
            made.insert(key, client.id);
        }
        Ok(())
    }

    fn admits(&self, row: &Entity) -> bool {
        let told: integration::Entity = serde_json::from_str(&row.body).unwrap_or_default();
        self.settings.admits(told.active, told.status.as_deref())
    }

    async fn make_client(&self, tx: &Tx, row: Entity) -> Result<Client> {
        let contacts = tx.records_under(&[row.id], RecordKind::Contact.as_str()).await?;
        let company = Company::of(row, self.listed_whole(), None, main_contact(&contacts))?;
        let mut client = Client {
            id: tx.new_id(),
            name: company.row.name.clone(),
            status: ClientStatus::Active,
            notes: None,
            contact_email: None,
            phone: None,
            address: None,
            created_at: tx.now(),
            updated_at: tx.now(),
            archived_at: None,
            deleted_at: None,
            tags: Vec::new(),
            version: 1,
            device_count: 0,
            user_count: 0,
        };
        let mut agree = Vec::new();
        for field in PsaField::ALL {
            let Some(theirs) = company.value(field) else { continue };
            // What does not fit is left out here, and told by the next pass.
            if theirs.is_some() && give(&mut client, field, theirs.clone()).is_err() {
                continue;
            }
            agree.push(agreed(company.row.id, &client, field, ours(&client, field), theirs, false));
        }
        tx.client_insert(&client).await?;
        let reason = Some(format!("new at {}", self.connection.name));
        let write = MappingWrite { client: Some(client.id), state: MappingState::Mapped, reason };
        tx.mapping_write(company.row.id, &write).await?;
        tx.psa_agree(&agree).await?;
        Ok(client)
    }

    /// What waits about companies and clients as a whole; what was settled elsewhere is closed.
    async fn still_waiting(&self, tx: &Tx) -> Result<HashMap<PsaConflictId, PsaConflict>> {
        let mut waiting = tx.psa_conflicts_whole(self.connection.id).await?;
        let entities: Vec<EntityId> = waiting.values().filter_map(|one| one.entity_id).collect();
        let clients: Vec<domain::ClientId> = waiting.values().filter_map(|one| one.client_id).collect();
        let rows: HashMap<EntityId, Entity> =
            tx.entities_seen(&entities).await?.into_iter().map(|row| (row.id, row)).collect();
        let living: HashSet<domain::ClientId> =
            tx.clients_by_id(&clients).await?.into_iter().map(|client| client.id).collect();
        let over = |one: &PsaConflict| {
            let row = one.entity_id.and_then(|id| rows.get(&id));
            let taken = |row: &Entity| row.mapping_state != MappingState::Unmapped || row.removed_at.is_some();
            let client = one.client_id.filter(|id| living.contains(id));
            let served = client.is_some_and(|client| self.has_company(client));
            match one.kind {
                PsaConflictKind::LikeClient => client.is_none() || row.is_none_or(taken),
                PsaConflictKind::LikeCompany => client.is_none() || served || row.is_none_or(taken),
                _ => client.is_none() || served,
            }
        };
        let closed: Vec<PsaConflictId> = waiting.values().filter(|one| over(one)).map(|one| one.id).collect();
        tx.psa_conflicts_close(&closed).await?;
        closed.iter().for_each(|id| drop(waiting.remove(id)));
        Ok(waiting)
    }

    /// Makes companies of new clients.
    pub async fn make_companies(&self) -> Result<(), Halt> {
        let (true, Some(likeness)) = (self.settings.direction == PsaDirection::Both, self.likeness) else {
            return Ok(());
        };
        let tx = self.begin().await?;
        let waiting = self.still_waiting(&tx).await?;
        let since = self.settings.companies_since.unwrap_or(tx.now());
        let typed: HashSet<domain::ClientId> = tx
            .unverified_of_integration(&self.connection.integration)
            .await?
            .into_iter()
            .map(|typed| typed.client_id)
            .collect();
        let mut clients = match self.settings.companies_since {
            Some(_) => tx.psa_without_company(self.connection.id, since, LOOKED_AT).await?,
            None => Vec::new(),
        };
        let item = |client: &Client| waiting.get(&conflict_id(self.connection.id, client.id.0, None));
        let again = |item: &PsaConflict, client: &Client| match item.state {
            PsaConflictState::Sending => true,
            PsaConflictState::Open if item.kind == PsaConflictKind::Refused => item.ours != Some(wish(client)),
            PsaConflictState::Open | PsaConflictState::Left => false,
        };
        clients.retain(|client| {
            let held = item(client).is_some_and(|item| !again(item, client));
            client.status == ClientStatus::Active && !typed.contains(&client.id) && !held
        });
        let decided = waiting.values().filter(|one| one.state == PsaConflictState::Sending);
        let decided: Vec<domain::ClientId> =
            decided.filter(|one| one.kind != PsaConflictKind::LikeClient).filter_map(|one| one.client_id).collect();
        let missing: Vec<_> =
            decided.iter().copied().filter(|id| clients.iter().all(|client| client.id != *id)).collect();
        clients.extend(tx.clients_by_id(&missing).await?);
        clients.retain(|client| !self.unsettled.contains(&client.id));
        clients.truncate(MOST);
        tx.commit_unjournalled().await?;
        if clients.is_empty() {
            return Ok(());
        }
        // Once for all of them, and holding nobody up: what this pass makes is mapped at once, and like nobody.
        let tx = self.read().await?;
        let mut open = tx.entities_of(self.connection.id).await?;
        open.retain(|row| row.mapping_state == MappingState::Unmapped && row.removed_at.is_none());
        let likes = likeness.companies_like(&tx, &clients, &open).await?;
        tx.rollback().await?;
        for (client, like) in clients.into_iter().zip(likes) {
            self.going_on()?;
            if let Some(like) = like.filter(|_| !decided.contains(&client.id)) {
                let tx = self.begin().await?;
                let mut item = self.whole(client.id.0, PsaConflictKind::LikeCompany, tx.now());
                (item.entity_id, item.client_id) = (Some(like.id), Some(client.id));
                (item.ours, item.theirs, item.message) =
                    (Some(client.name.clone()), Some(like.name), Some(like.because));
                tx.psa_conflicts_note(&[item]).await?;
                tx.commit_unjournalled().await?;
                continue;
            }
            self.make_company(client).await?;
        }
        Ok(())
    }

    /// What a creation is kept under.
    fn about(&self, client: &Client) -> RecordId {
        ids::wanted_id(EntityId(client.id.0), CREATE, &self.connection.id.to_string())
    }

    /// After an answer that was lost, only a listing can tell: what was made is mapped then, what was not is made
    /// again. Answers the clients of which it does not tell yet.
    pub async fn settle_made(&self) -> Result<HashSet<domain::ClientId>, Halt> {
        let tx = self.begin().await?;
        let mut unsettled = HashSet::new();
        let open = tx.vendor_writes_open(self.connection.id, CREATE).await?;
        if open.is_empty() {
            return Ok(unsettled);
        }
        let companies = RecordKind::Entity.as_str();
        let listings = tx.listings_of(&[self.connection.id], &[companies], &BTreeSet::new()).await?;
        let listed_at = listings.first().and_then(|one| one.complete_at);
        let unfinished = tx.run_unfinished(self.connection.id, companies).await?;
        for write in open {
            let Ok(Wanted { client_id, company }) = serde_json::from_str(&write.wanted) else { continue };
            let name = name_key(company.name.as_deref().unwrap_or_default());
            let newcomers = tx.psa_unmapped(self.connection.id, write.created_at, LOOKED_AT).await?;
            let made = newcomers.into_iter().find(|row| name_key(&row.name) == name);
            // A sync that began before may have read the page before the company was there.
            let across = tx.run_during(self.connection.id, companies, write.created_at).await?;
            let since = across.and_then(|run| run.finished_at).unwrap_or(write.created_at);
            let still = unfinished.as_ref().is_some_and(|run| run.started_at <= write.created_at);
            let tells = !still && listed_at.is_some_and(|at| at > since);
            let under_way = write.state == VendorWriteState::Sending && tx.now() - write.created_at < ANSWERS_WITHIN;
            let (state, says) = match made {
                Some(row) => {
                    tx.entities_by_id(&[row.id]).await?;
                    let reason = Some(format!("made for the client at {}", self.connection.name));
                    let map = MappingWrite { client: Some(client_id), state: MappingState::Mapped, reason };
                    match tx.mapping_write(row.id, &map).await {
                        // The client was deleted meanwhile: the company is a newcomer like any other.
                        Ok(_) | Err(Error::NotFound { .. }) => {}
                        Err(error) => return Err(error.into()),
                    }
                    (VendorWriteState::Done, "the listing tells that it was made")
                }
                None if !under_way && tells => (VendorWriteState::Refused, "the listing tells that it was not made"),
                None => {
                    unsettled.insert(client_id);
                    continue;
                }
            };
            tx.vendor_write_finish(write.id, state, None, Some(says)).await?;
        }
        tx.journal_note(CREATE, Some("the listing tells what was made")).await?;
        tx.commit_noted().await?;
        Ok(unsettled)
    }

    /// Makes a company of a client: noted before it is sent, sent once.
    async fn make_company(&self, client: Client) -> Result<(), Halt> {
        let writes = self.connector.company_writes().ok_or_else(|| Halt::Vendor(lost()))?;
        let mut wanted = CompanyDraft::default();
        let sent: Vec<PsaField> = PsaField::ALL
            .into_iter()
            .filter(|field| !matches!(field, PsaField::ContactEmail | PsaField::Status))
            .filter(|field| ours(&client, *field).is_some())
            .collect();
        for field in &sent {
            draft(&mut wanted, *field, &ours(&client, *field).unwrap_or_default());
        }
        let write: VendorWriteId = {
            let tx = self.begin().await?;
            if tx.clients_by_id(&[client.id]).await?.is_empty() {
                return Ok(());
            }
            let write = VendorWrite {
                id: tx.new_id(),
                connection_id: self.connection.id,
                record_id: self.about(&client),
                action: CREATE.to_owned(),
                wanted: serde_json::to_string(&Wanted { client_id: client.id, company: wanted.clone() })
                    .map_err(Error::internal)?,
                state: VendorWriteState::Sending,
                code: None,
                message: None,
                created_at: tx.now(),
                finished_at: None,
            };
            tx.vendor_write_insert(&write).await?;
            let reason = format!("announced before it is sent, as {}", write.id);
            tx.commit_attempt("psa_company_create_send", Outcome::Done, &reason).await?;
            write.id
        };
        let raw = match writes.create(&wanted).await {
            Ok(raw) => raw,
            Err(error) => return self.not_made(&client, write, error).await,
        };
        let read = match self.told(&raw) {
            Ok(read) => read,
            Err(_) => {
                let error = integration::Error::unreadable(&self.connection.name, "its answer to a new company");
                return self.not_made(&client, write, error).await;
            }
        };
        let entity = ids::entity_id(self.connection.id, &read.id);
        let tx = self.begin().await?;
        self.company_write(&tx, entity, &raw, &read).await?;
        tx.entities_by_id(&[entity]).await?;
        let reason = Some(format!("made for the client at {}", self.connection.name));
        let map = MappingWrite { client: Some(client.id), state: MappingState::Mapped, reason };
        let row = tx.mapping_write(entity, &map).await?;
        let mut company = Company::of(row, self.listed_whole(), Some(&read.body), None)?;
        company.told = serde_json::from_str(&read.body).map_err(Error::internal)?;
        let agree = sent.into_iter().map(|field| {
            let ours = ours(&client, field);
            let theirs = company.value(field).flatten().or_else(|| ours.clone());
            agreed(entity, &client, field, ours, theirs, true)
        });
        tx.psa_agree(&agree.collect::<Vec<_>>()).await?;
        tx.psa_conflicts_close(&[conflict_id(self.connection.id, client.id.0, None)]).await?;
        tx.vendor_write_finish(write, VendorWriteState::Done, None, None).await?;
        tx.commit(CREATE, Some(&format!("new here, and made at {}", self.connection.name))).await?;
        Ok(())
    }

    /// The PSA made no company, or nobody knows.
    async fn not_made(&self, client: &Client, write: VendorWriteId, error: integration::Error) -> Result<(), Halt> {
        let (maybe, passes) = (may_be_done(&error), trouble::passes(&error) || error.kind == Kind::Credentials);
        let (code, message) = (trouble::vendor_code(error.kind), error.to_string());
        let state = if maybe { VendorWriteState::Unknown } else { VendorWriteState::Refused };
        let tx = self.begin().await?;
        tx.vendor_write_finish(write, state, Some(code), Some(&message)).await?;
        if !maybe && !passes {
            let mut item = self.whole(client.id.0, PsaConflictKind::Refused, tx.now());
            (item.client_id, item.ours, item.message) = (Some(client.id), Some(wish(client)), Some(message));
            tx.psa_conflicts_note(&[item]).await?;
        }
        tx.commit_attempt(CREATE, Outcome::Failed, code).await?;
        if maybe || passes { Err(Halt::Vendor(error)) } else { Ok(()) }
    }
}

/// What a client would be made of at a PSA: after a refusal it is tried again when this is another.
fn wish(client: &Client) -> String {
    let known = PsaField::ALL.into_iter().filter_map(|field| ours(client, field));
    known.collect::<Vec<_>>().join("\n")
}
