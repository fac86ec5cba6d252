//! What vendors said of machines before they said nothing any more: a blank never takes the place of what is known.
//! Only that is kept, beside the record, which stays as the vendor wrote it.

use std::collections::{HashMap, HashSet};

use domain::{
    Error, RecordId, Result, Timestamp,
    device::{DeviceField, Told},
};
use sea_orm::{ColumnTrait, Condition, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::{
    RecordWrite, Tx,
    device_stale::DEVICE,
    entity::{device_known as table, record},
    error::{OrDomain, known},
};

/// What a vendor said once of a field that is blank now.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownValue {
    /// Which field.
    pub field: DeviceField,
    /// What it said.
    pub value: String,
    /// Since when it says nothing.
    pub blank_since: Timestamp,
}

impl Tx {
    /// What is known of fields that are blank in these observations.
    pub(crate) async fn device_known_of(&self, records: &[Uuid]) -> Result<HashMap<RecordId, Vec<KnownValue>>> {
        let mut found: HashMap<RecordId, Vec<KnownValue>> = HashMap::new();
        for chunk in records.chunks(500) {
            let select = self.find::<table::Entity>().filter(table::Column::RecordId.is_in(chunk.iter().copied()));
            for row in select.order_by_asc(table::Column::Field).all(self.db()).await.or_domain()? {
                let field = known(DeviceField::parse(&row.field), "device_known.field")?;
                let value = KnownValue { field, value: row.value, blank_since: row.blank_since };
                found.entry(row.record_id.into()).or_default().push(value);
            }
        }
        Ok(found)
    }

    /// Keeps what these writes would lose of records that are stored (`stored`; those that are new are not looked up),
    /// and forgets what vendors say again. Of a machine that went to another customer of the vendor nothing is kept.
    pub(crate) async fn device_known_note(&self, writes: &[RecordWrite], stored: &HashSet<Uuid>) -> Result<()> {
        let writes: HashMap<Uuid, &RecordWrite> = writes
            .iter()
            .filter(|write| write.kind == DEVICE && stored.contains(&write.id.0))
            .map(|write| (write.id.0, write))
            .collect();
        let ids: Vec<Uuid> = writes.keys().copied().collect();
        let before = self.device_known_of(&ids).await?;
        let (mut kept, mut forgotten): (Vec<table::Model>, Vec<(Uuid, DeviceField)>) = (Vec::new(), Vec::new());
        for chunk in ids.chunks(500) {
            let rows: Vec<(Uuid, Uuid, String, String)> = self
                .find::<record::Entity>()
                .select_only()
                .columns([record::Column::Id, record::Column::EntityId, record::Column::Title, record::Column::Body])
                .filter(record::Column::Id.is_in(chunk.iter().copied()))
                .into_tuple()
                .all(self.db())
                .await
                .or_domain()?;
            for (id, entity, title, body) in rows {
                let write = writes.get(&id).ok_or_else(|| Error::internal("a record that nobody asked for"))?;
                let now = Told::read(&write.title, &write.body);
                let moved = entity != write.entity_id.0;
                for value in before.get(&RecordId(id)).into_iter().flatten() {
                    if moved || now.get(value.field).is_some() {
                        forgotten.push((id, value.field));
                    }
                }
                if moved {
                    continue;
                }
                kept.extend(Told::read(&title, &body).lost(&now).into_iter().map(|(field, value)| table::Model {
                    organisation_id: self.organisation().0,
                    record_id: id,
                    field: field.as_str().to_owned(),
                    value,
                    blank_since: self.now(),
                }));
            }
        }
        for chunk in forgotten.chunks(200) {
            let mut which = Condition::any();
            for (id, field) in chunk {
                let one =
                    Condition::all().add(table::Column::RecordId.eq(*id)).add(table::Column::Field.eq(field.as_str()));
                which = which.add(one);
            }
            self.delete_many::<table::Entity>().filter(which).exec(self.db()).await.or_domain()?;
        }
        use table::Column as C;
        let key = [C::OrganisationId, C::RecordId, C::Field];
        self.insert_many::<table::Entity>(kept, &key, &[C::Value, C::BlankSince]).await
    }
}
