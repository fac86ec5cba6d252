//! Tickets made and changed, and notes on them, which the vendor calls actions.

use async_trait::async_trait;
use bytes::Bytes;
use integration::{
    Choice, Error, KeptNote, Kind, Pull, Result, Retry, Ticket, TicketChoices, TicketDraft, TicketNote, Vendor,
    WriteTickets,
};
use serde_json::{Map, Value};

use crate::{Halopsa, api::number, clients::put, wire};

#[async_trait]
impl WriteTickets for Halopsa {
    async fn choices(&self, _queue: Option<&str>) -> Result<TicketChoices> {
        let statuses: Vec<wire::Status> = self.api.lookup("Status", &[("type", "ticket"), ("showall", "true")]).await?;
        let priorities: Vec<wire::Priority> = self.api.lookup("Priority", &[]).await?;
        let teams: Vec<wire::Team> = self.api.lookup("Team", &[]).await?;
        let mut choices = TicketChoices::default();
        choices.statuses.extend(statuses.into_iter().filter_map(|status| choice(Some(status.id), status.name)));
        // Each SLA has priorities of its own under the same numbers: the first name of a number is shown.
        let shown = priorities.into_iter().filter(|priority| priority.ishidden != Some(true));
        for priority in shown.filter_map(|priority| choice(priority.priorityid, priority.name)) {
            if choices.priorities.iter().all(|known| known.id != priority.id) {
                choices.priorities.push(priority);
            }
        }
        let teams = teams.into_iter().filter(|team| team.inactive != Some(true) && team.forrequests != Some(false));
        choices.queues.extend(teams.filter_map(|team| choice(team.name.clone(), team.name)));
        Ok(choices)
    }

    async fn create(&self, entity_id: &str, draft: &TicketDraft) -> Result<Bytes> {
        if draft.title.as_deref().is_none_or(|title| title.trim().is_empty()) {
            return Err(Error::new(Kind::Refused, "HaloPSA wants a summary for a new ticket"));
        }
        let mut ticket = said(draft)?;
        match &draft.contact_id {
            Some(contact) => self.put_user(&mut ticket, entity_id, contact).await?,
            None => {
                let client = self.client(&self.api.one("Client", entity_id).await?)?;
                let site = client.main_site_id.as_deref().map(number).transpose()?;
                put(&mut ticket, "site_id", site);
            }
        }
        ticket.insert("client_id".to_owned(), number(entity_id)?.into());
        put(&mut ticket, "tickettype_id", self.settings.ticket_type.map(|kind| kind.0));
        // A template would overwrite what is said here.
        ticket.insert("donotapplytemplateintheapi".to_owned(), true.into());
        self.ticket_answered(self.api.write("Tickets", ticket.into()).await?)
    }

    async fn update(&self, ticket_id: &str, draft: &TicketDraft) -> Result<Bytes> {
        // A change of an id that is not known could make a ticket.
        let before = self.api.one("Tickets", ticket_id).await?;
        let mut change = said(draft)?;
        if let Some(contact) = &draft.contact_id {
            let now: wire::Ticket =
                wire::read("a ticket", &before).map_err(|why| Error::unreadable(Self::NAME, why))?;
            self.put_user(&mut change, now.client_id.as_deref().unwrap_or_default(), contact).await?;
        }
        if change.is_empty() {
            return Ok(before);
        }
        change.insert("id".to_owned(), number(ticket_id)?.into());
        self.ticket_answered(self.api.write("Tickets", change.into()).await?)
    }

    async fn add_note(&self, ticket_id: &str, note: &TicketNote) -> Result<()> {
        let outcome = if note.public { &self.settings.public_outcome } else { &self.settings.private_outcome };
        let mut action = Map::from_iter([
            ("ticket_id".to_owned(), number(ticket_id)?.into()),
            ("note".to_owned(), note.text.as_str().into()),
            ("hiddenfromuser".to_owned(), (!note.public).into()),
            ("sendemail".to_owned(), false.into()),
        ]);
        outcome.name_in(&mut action);
        let answer = self.api.write("Actions", action.into()).await?;
        let read = wire::read::<wire::Numbered>("an action", &answer);
        read.map(drop).map_err(|why| Error::unreadable(Self::NAME, why).retry(Retry::No))
    }

    async fn notes(&self, ticket_id: &str) -> Result<Option<Vec<KeptNote>>> {
        let ticket = number(ticket_id)?.to_string();
        // The system's own actions say what was done, not what anybody said.
        let query = [("ticket_id", ticket.as_str()), ("excludesys", "true"), ("count", ACTIONS)];
        let actions: Vec<wire::Action> = self.api.lookup("Actions", &query).await?;
        let mut notes: Vec<KeptNote> = actions.into_iter().filter_map(kept).collect();
        notes.sort_by_key(|note| (note.at, note.id.parse::<u64>().unwrap_or(u64::MAX)));
        Ok(Some(notes))
    }

    async fn fetch(&self, ticket_id: &str) -> Result<Bytes> {
        self.api.one("Tickets", ticket_id).await
    }
}

impl Halopsa {
    /// Names who asks. The vendor wants the site of that user with it.
    async fn put_user(&self, ticket: &mut Map<String, Value>, client_id: &str, user_id: &str) -> Result<()> {
        let (_, user) = self.user(client_id, user_id).await?;
        ticket.insert("user_id".to_owned(), number(user_id)?.into());
        put(ticket, "site_id", user.site_id.as_deref().map(number).transpose()?);
        Ok(())
    }

    fn ticket_answered(&self, raw: Bytes) -> Result<Bytes> {
        let read = Pull::<Ticket>::read(self, &raw);
        read.map_err(|why| Error::unreadable(Self::NAME, why).retry(Retry::No)).map(|_| raw)
    }
}

/// What a draft says, in the vendor's words, without who asks.
fn said(draft: &TicketDraft) -> Result<Map<String, Value>> {
    let chosen = |id: &Option<String>, what| {
        let not_ours = || Error::new(Kind::Refused, format!("this is not a {what} of HaloPSA"));
        id.as_deref().map(|id| number(id).map_err(|_| not_ours())).transpose()
    };
    let mut ticket = Map::new();
    put(&mut ticket, "summary", draft.title.as_deref());
    put(&mut ticket, "details", draft.description.as_deref());
    put(&mut ticket, "status_id", chosen(&draft.status_id, "status")?);
    put(&mut ticket, "priority_id", chosen(&draft.priority_id, "priority")?);
    put(&mut ticket, "team", draft.queue_id.as_deref());
    Ok(ticket)
}

/// Actions that are read of one ticket.
const ACTIONS: &str = "500";

/// An action that says something. One that does not say who may see it is for staff.
fn kept(action: wire::Action) -> Option<KeptNote> {
    let text = action.note.filter(|text| !text.trim().is_empty())?;
    let public = action.hiddenfromuser == Some(false);
    Some(KeptNote { id: action.id, text, public, author: action.who, at: action.datetime })
}

fn choice(id: Option<String>, label: Option<String>) -> Option<Choice> {
    let label = label.map(|label| label.trim().to_owned()).filter(|label| !label.is_empty())?;
    Some(Choice { id: id?, label })
}
