//! Hours in which the schedule leaves a connection alone.

use domain::{ConnectionId, Error, Permission};
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use sync::{connection_quiet_get, connection_quiet_set};
use uuid::Uuid;

use super::Chapter;
use crate::{
    app::AppData,
    auth::Caller,
    changes::Written,
    page::Answer,
    problem::Failure,
    write::{Asked, Begun},
};

/// A part of each day. Where it ends before it begins, it goes over midnight.
#[derive(Debug, Clone, PartialEq, Object)]
#[oai(deny_unknown_fields, example)]
pub struct QuietHours {
    /// Time of day from which on it is quiet, such as 22:00
    pub from: String,
    /// Time of day from which on it is not, such as 06:30
    pub until: String,
    /// Minutes that the clock is ahead of UTC, -840 to 840
    #[oai(default)]
    pub utc_offset_minutes: i32,
}

/// The hours in which the schedule leaves a connection alone.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct ConnectionQuiet {
    /// Connection
    pub connection_id: Uuid,
    /// Absent where there are none
    pub hours: Option<QuietHours>,
}

fn view(connection_id: Uuid, found: Option<(domain::QuietHours, i32)>) -> ConnectionQuiet {
    let time = |minute: i32| format!("{:02}:{:02}", minute / 60, minute % 60);
    let hours = found.map(|(hours, _)| QuietHours {
        from: time(hours.from_minute),
        until: time(hours.until_minute),
        utc_offset_minutes: hours.offset_minutes,
    });
    ConnectionQuiet { connection_id, hours }
}

/// Minutes since midnight of a time of day ("06:30").
fn minute(pointer: &str, text: &str) -> domain::Result<i32> {
    let wrong = || Error::invalid(pointer, "not_a_time", "must be a time of day such as 06:30");
    let (hours, minutes) = text.split_once(':').ok_or_else(wrong)?;
    let number = |part: &str, most: i32| {
        let plain = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse::<i32>().ok().filter(|number| plain && *number < most).ok_or_else(wrong)
    };
    Ok(number(hours, 24)? * 60 + number(minutes, 60)?)
}

/// Quiet hours.
pub struct QuietHoursApi;

#[OpenApi(prefix_path = "/api/connections", tag = "Chapter::Connections")]
impl QuietHoursApi {
    /// The hours in which the schedule leaves a connection alone
    #[oai(path = "/:connection_id/quiet-hours", method = "get", operation_id = "connection_quiet_get")]
    async fn connection_quiet_get(
        &self,
        app: AppData<'_>,
        caller: Caller,
        connection_id: Path<Uuid>,
    ) -> Result<Answer<ConnectionQuiet>, Failure> {
        let tx = app.read(caller, Permission::ConnectionsView).await?;
        let found = connection_quiet_get(&tx, app.entries, ConnectionId(connection_id.0)).await?;
        Ok(Answer::new(view(connection_id.0, found)))
    }

    /// Set the hours in which the schedule leaves a connection alone
    ///
    /// No sync is begun by the schedule in them; one that runs comes to its end, and what people and webhooks ask for is
    /// synced all the same.
    #[oai(path = "/:connection_id/quiet-hours", method = "put", operation_id = "connection_quiet_set")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn connection_quiet_set(
        &self,
        app: AppData<'_>,
        caller: Caller,
        connection_id: Path<Uuid>,
        body: Json<QuietHours>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<ConnectionQuiet>>, Failure> {
        let hours = domain::QuietHours {
            from_minute: minute("/from", &body.0.from)?,
            until_minute: minute("/until", &body.0.until)?,
            offset_minutes: body.0.utc_offset_minutes,
        };
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        set(&app, caller, connection_id.0, Some(hours), "connection_quiet_set", asked).await
    }

    /// Let the schedule sync a connection at any hour again
    #[oai(path = "/:connection_id/quiet-hours", method = "delete", operation_id = "connection_quiet_unset")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn connection_quiet_unset(
        &self,
        app: AppData<'_>,
        caller: Caller,
        connection_id: Path<Uuid>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<ConnectionQuiet>>, Failure> {
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        set(&app, caller, connection_id.0, None, "connection_quiet_unset", asked).await
    }
}

async fn set(
    app: &crate::app::App,
    caller: Caller,
    connection_id: Uuid,
    hours: Option<domain::QuietHours>,
    action: &'static str,
    asked: Asked,
) -> Result<Answer<Written<ConnectionQuiet>>, Failure> {
    let context = caller.context()?;
    let id = ConnectionId(connection_id);
    let connection = app.read_as(&context, Permission::ConnectionsView).await?.connection(id).await?;
    app.permit_for(&context, Permission::ConnectionsManage, action, &connection.integration).await?;
    let begun = app.begin(&context, Permission::ConnectionsManage, action, asked, &(id, hours)).await?;
    let write = match begun {
        Begun::Done(answer) => return Ok(Answer::new(answer)),
        Begun::New(write) => write,
    };
    let found = connection_quiet_set(&write.tx, app.entries, id, hours).await?;
    Ok(Answer::new(write.finish(Some(view(connection_id, found)), Vec::new()).await?))
}
