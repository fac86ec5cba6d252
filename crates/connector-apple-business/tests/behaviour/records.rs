//! What becomes of what Apple says.

use integration::{Connector, Device, DirectoryUser, Entity, Kind, ManagementServer, Position, Pull, Retry};
use serde_json::{Value, json};
use vendorkit::{WorldSize, world::DeviceClass};

use crate::stage::{all, exchange, over, replay, simulated};

const CLIENT: &str = "BUSINESSAPI.00000000-0000-4000-8000-000000000001";

#[tokio::test]
async fn the_account_is_its_only_entity() {
    let (connector, played) = replay(&["token", "entity"]);
    let entities = all::<Entity>(&connector).await;
    played.finish().unwrap();
    assert_eq!(entities.len(), 1);
    assert_eq!((entities[0].id.as_str(), entities[0].record.name.as_str()), (CLIENT, "example-0001"));
}

#[tokio::test]
async fn devices_arrive_with_their_services() {
    let (connector, played) = replay(&["token", "devices"]);
    let devices = all::<Device>(&connector).await;
    played.finish().unwrap();
    let seen: Vec<Value> = devices
        .iter()
        .map(|item| {
            assert_eq!(item.entity.as_deref(), Some(CLIENT));
            let record = &item.record;
            // Whether it is assigned is not whether it is on, nor whether it waits for anybody.
            assert_eq!((record.online, &record.approval, record.last_contact_at), (None, &None, None));
            json!([
                item.id,
                record.name,
                record.class,
                record.serial,
                record.macs,
                record.management_server_id,
                record.created_at
            ])
        })
        .collect();
    assert_eq!(
        Value::from(seen),
        json!([
            [
                "C02XK0AAJGH5",
                "MacBook Pro 14\" (C02XK0AAJGH5)",
                "Mac",
                "C02XK0AAJGH5",
                ["00:00:5e:00:53:01", "00:00:5e:00:53:02"],
                "1F97-4614-A94F",
                "2025-04-30T22:05:14.192Z",
            ],
            ["F2LZK1BBN72N", "iPhone 15 (F2LZK1BBN72N)", "iPhone", "F2LZK1BBN72N", [], null, "2025-06-01T09:00:00Z"],
            [
                "C07XK0AAQ6NV",
                "Mac mini (C07XK0AAQ6NV)",
                "Mac",
                "C07XK0AAQ6NV",
                ["00:00:5e:00:53:03", "00:00:5e:00:53:04", "00:00:5e:00:53:05"],
                "1F97-4614-A950",
                "2025-06-02T09:00:00Z",
            ],
        ])
    );
}

#[tokio::test]
async fn services_and_users_arrive() {
    let (connector, played) = replay(&["token", "management-servers"]);
    let servers = all::<ManagementServer>(&connector).await;
    played.finish().unwrap();
    let seen: Vec<Value> = servers.iter().map(|item| serde_json::to_value(&item.record).unwrap()).collect();
    assert_eq!(
        Value::from(seen),
        json!([
            {
                "name": "Intune", "class": "MDM", "status": "ACTIVE", "device_count": 41, "default_for": ["MAC", "IPHONE"],
                "created_at": "2024-05-01T03:21:44.685Z", "updated_at": "2025-05-01T03:21:46.284Z",
            },
            // What Apple left out is not known, and is not nothing.
            {
                "name": "Configurator", "class": "APPLE_CONFIGURATOR", "status": null, "device_count": null,
                "default_for": [], "created_at": "2024-05-01T03:21:44.685Z", "updated_at": "2025-05-01T03:21:46.284Z",
            },
        ])
    );
    let (connector, played) = replay(&["token", "users"]);
    let users = all::<DirectoryUser>(&connector).await;
    played.finish().unwrap();
    let seen: Vec<_> =
        users.iter().map(|item| (item.record.name.as_str(), item.record.enabled, item.record.guest)).collect();
    assert_eq!(
        seen,
        [
            ("Avery Stone", Some(true), Some(false)),
            ("ipad2@id.bluegum.example", None, None),
            ("Blake Reed", Some(false), Some(true)),
        ]
    );
}

#[tokio::test]
async fn an_account_without_users_is_not_one_with_none() {
    for file in ["users-absent", "users-forbidden"] {
        let (connector, played) = replay(&["token", file]);
        let error = Pull::<DirectoryUser>::page(&connector, Position::default()).await.unwrap_err();
        played.finish().unwrap();
        assert_eq!((error.kind, error.retry), (Kind::Forbidden, Retry::No), "{file}");
        assert!(error.message.contains("users"), "{error}");

        // It is no fault of the connection.
        let body = json!({ "data": [], "links": { "self": "x" } });
        let (connector, played) = over(&["token", file], vec![exchange("/v1/mdmServers", 200, body)]);
        let warnings = connector.check().await.unwrap().warnings;
        played.finish().unwrap();
        assert!(warnings[0].contains("users"), "{warnings:?}");
    }
    let (connector, played) = replay(&["token", "check"]);
    assert_eq!(connector.check().await.unwrap().warnings, [""; 0]);
    played.finish().unwrap();
}

#[tokio::test]
async fn devices_arrive_as_the_world_has_them() {
    let (connector, vendor) = simulated(WorldSize::DEMO);
    let (devices, servers) = (all::<Device>(&connector).await, all::<ManagementServer>(&connector).await);
    vendor.read(|world| {
        let business = world.business(6).unwrap();
        assert_eq!(business.legal_name, "Harbour Dental Ltd");
        for mac in business.devices.iter().filter(|device| device.class == DeviceClass::Mac) {
            let address = mac.mac.to_lowercase();
            let found = devices.iter().find(|item| item.record.macs.contains(&address));
            let found = found.unwrap_or_else(|| panic!("{} is missing", mac.hostname));
            assert_eq!(found.record.management_server_id.is_some(), mac.key % 5 != 0);
        }
    });
    for server in servers {
        let count = devices.iter().filter(|item| item.record.management_server_id.as_ref() == Some(&server.id)).count();
        assert!(count > 0, "nothing is at {}", server.record.name);
        assert_eq!(server.record.device_count, Some(count as i64));
    }
    assert!(devices.iter().any(|item| item.record.management_server_id.is_none()));
    // As few requests as can be: a service's devices are asked for, not a device's service.
    assert!(vendor.log().iter().all(|(_, path)| !path.contains("assignedServer")), "{:?}", vendor.log());
}
