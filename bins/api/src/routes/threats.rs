//! What can be done about a client's threats, and doing it at the vendor.

use domain::{ClientId, Permission, RecordId};
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{
    Chapter,
    acting::{CHOICE, Fields, act, permitted},
    records::Threat,
};
use crate::{app::AppData, auth::Caller, changes::Written, page::Answer, problem::Failure, write::Asked};

/// Something that can be done about a threat.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct ThreatAction {
    /// As it is asked for
    pub id: String,
    /// As people read it
    pub label: String,
    /// Why the vendor would refuse it now, as far as that is known
    pub refusal: Option<String>,
}

/// Everything that can be done about a threat.
#[derive(Debug, Clone, Object)]
pub struct ThreatActionList {
    /// In the vendor's order
    pub items: Vec<ThreatAction>,
}

/// What is to be done about a threat.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example)]
pub struct ThreatActRequest {
    /// Id of the action
    pub action: String,
}

/// Actions on threats.
pub struct ThreatActions;

#[OpenApi(prefix_path = "/api/clients", tag = "Chapter::Clients")]
impl ThreatActions {
    /// What can be done about a threat
    #[oai(path = "/:client_id/threats/:threat_id/actions", method = "get", operation_id = "threat_action_list")]
    async fn threat_action_list(
        &self,
        app: AppData<'_>,
        caller: Caller,
        client_id: Path<Uuid>,
        threat_id: Path<Uuid>,
    ) -> Result<Answer<ThreatActionList>, Failure> {
        let tx = app.read(caller, Permission::ThreatsView).await?;
        let (client, id) = (ClientId(client_id.0), RecordId(threat_id.0));
        let found = app.engine.threat_action_list(&tx, client, id).await?.into_iter();
        let view = |found: sync::ThreatAction| ThreatAction {
            id: found.choice.id,
            label: found.choice.label,
            refusal: found.refusal,
        };
        Ok(Answer::new(ThreatActionList { items: found.map(view).collect() }))
    }

    /// Act on a threat at the vendor
    ///
    /// The vendor may take its time: what came of it shows after a later sync. When its answer does not come, the
    /// outcome is unknown: sync the connection before you try again.
    #[oai(path = "/:client_id/threats/:threat_id/actions", method = "post", operation_id = "threat_act")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn threat_act(
        &self,
        app: AppData<'_>,
        caller: Caller,
        client_id: Path<Uuid>,
        threat_id: Path<Uuid>,
        body: Json<ThreatActRequest>,
        /// Answer what would change, and send nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<Threat>>, Failure> {
        let context = permitted(&app, caller, Permission::ThreatsAct, "threat_act").await?;
        let (request, body) = (format!("{:?}", body.0), body.0);
        let mut fields = Fields::default();
        let action = fields.line("/action", Some(body.action), CHOICE).unwrap_or_default();
        fields.check()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        act(&app, &context, client_id.0, sync::ThreatAct { id: RecordId(threat_id.0), action }, asked, &request).await
    }
}
