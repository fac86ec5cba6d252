//! Files that the MSP keeps, and to whom they are published.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use directory::{
    FileDraft, FileLimits, FilePatch, Merge, NewContent, Publishing, client_merge, file_content, file_publish,
    file_remove, file_replace, file_restore, file_unpublish, file_update, file_upload,
};
use domain::{ClientId, ClientScope, ContentId, Error, File, FileId, FileReach, PortalRole};
use persistence::{ContentPurpose, FileFilter, Tx};
use testkit::both_databases;

use crate::house::{House, PAGE, conflict, problems};

const LIMITS: FileLimits = FileLimits { file: 1_000, client: 2_000, organisation: 5_000 };

/// A content as if it were in the store.
async fn content(house: &House<'_>, bytes: u64) -> NewContent {
    let tx = house.begin().await;
    let id = tx.content_announce(ContentPurpose::File).await.expect("announces").id;
    tx.commit_unjournalled().await.expect("commits");
    NewContent { id, media_type: "text/plain", bytes, sha256: format!("hash of {bytes}") }
}

fn draft(title: &str, client: Option<ClientId>) -> FileDraft {
    FileDraft {
        client,
        title: Some(title.to_owned()),
        name: format!("{title}.txt"),
        category: Some("Contracts".to_owned()),
        description: None,
    }
}

async fn made(house: &House<'_>, title: &str, client: Option<ClientId>) -> File {
    let content = content(house, 10).await;
    let tx = house.begin().await;
    let file = file_upload(&tx, draft(title, client), content, &LIMITS).await.expect("keeps");
    tx.commit("file_upload", None).await.expect("commits");
    file
}

fn to(reach: FileReach, clients: &[ClientId], managers_only: bool) -> Publishing {
    Publishing { reach, clients: clients.iter().copied().collect(), managers_only }
}

async fn published(house: &House<'_>, id: FileId, to: Publishing) -> File {
    let tx = house.begin().await;
    let file = file_publish(&tx, id, to, None).await.expect("publishes");
    tx.commit("file_publish", None).await.expect("commits");
    file
}

async fn shown(house: &House<'_>, client: ClientId, role: PortalRole) -> Vec<String> {
    let tx = house.read().await;
    let filter = FileFilter { shown_to: Some((client, role)), ..FileFilter::default() };
    let listed = tx.file_list(&filter, &PAGE).await.expect("lists");
    assert_eq!(tx.file_count(&filter).await.expect("counts"), listed.items.len() as u64);
    // The rule and the query say the same of every file there is.
    let all = tx.file_list(&FileFilter::default(), &PAGE).await.expect("lists").items;
    let by_rule: BTreeSet<FileId> = all.iter().filter(|file| file.shown_to(client, role)).map(|file| file.id).collect();
    assert_eq!(by_rule, listed.items.iter().map(|file| file.id).collect());
    listed.items.into_iter().map(|file| file.title).collect()
}

async fn kept(tx: &Tx, id: ContentId) -> bool {
    tx.content(id).await.is_ok_and(|row| row.kept)
}

both_databases! {
    async fn people_see_what_is_published_to_them_and_nothing_else(db: TestDb) {
        let house = House::new(&db).await;
        let (kite, crane) = (house.client("Kite").await, house.client("Crane").await);
        let of_kite = made(&house, "Contract of Kite", Some(kite)).await;
        let of_crane = made(&house, "Contract of Crane", Some(crane)).await;
        let (all, some) = (made(&house, "Price list", None).await, made(&house, "Runbook", None).await);
        assert!(shown(&house, kite, PortalRole::Manager).await.is_empty(), "nothing is published by itself");
        published(&house, of_kite.id, to(FileReach::Client, &[], true)).await;
        published(&house, of_crane.id, to(FileReach::Client, &[], false)).await;
        published(&house, all.id, to(FileReach::All, &[], false)).await;
        published(&house, some.id, to(FileReach::Chosen, &[crane], false)).await;
        assert_eq!(shown(&house, kite, PortalRole::User).await, ["Price list"]);
        assert_eq!(shown(&house, kite, PortalRole::Manager).await, ["Contract of Kite", "Price list"]);
        assert_eq!(shown(&house, crane, PortalRole::User).await, ["Contract of Crane", "Price list", "Runbook"]);
        published(&house, some.id, to(FileReach::Chosen, &[kite], false)).await;
        assert_eq!(shown(&house, crane, PortalRole::User).await, ["Contract of Crane", "Price list"]);
        assert_eq!(shown(&house, kite, PortalRole::User).await, ["Price list", "Runbook"]);
        let tx = house.begin().await;
        file_unpublish(&tx, some.id, None).await.expect("takes back");
        file_remove(&tx, all.id, None).await.expect("removes");
        tx.commit("file_remove", None).await.expect("commits");
        assert!(shown(&house, kite, PortalRole::User).await.is_empty(), "at once");
        let tx = house.begin().await;
        let back = file_restore(&tx, all.id, None).await.expect("restores");
        assert!(back.published.is_none() && back.removed_at.is_none(), "comes back published to nobody");
    }

    async fn what_is_of_one_client_is_published_to_no_other(db: TestDb) {
        let house = House::new(&db).await;
        let (kite, crane) = (house.client("Kite").await, house.client("Crane").await);
        let (of_kite, own) = (made(&house, "Contract", Some(kite)).await, made(&house, "Price list", None).await);
        let tx = house.begin().await;
        let nobody = ClientId(uuid::Uuid::from_u128(9));
        for (id, publishing, pointer, code) in [
            (of_kite.id, to(FileReach::All, &[], false), "/to", "of_one_client"),
            (of_kite.id, to(FileReach::Chosen, &[crane], false), "/to", "of_one_client"),
            (of_kite.id, to(FileReach::Client, &[crane], false), "/client_ids", "not_chosen"),
            (own.id, to(FileReach::Client, &[], false), "/to", "no_client"),
            (own.id, to(FileReach::Chosen, &[], false), "/client_ids", "required"),
            (own.id, to(FileReach::All, &[kite], false), "/client_ids", "not_chosen"),
            (own.id, to(FileReach::Chosen, &[kite, nobody], false), "/client_ids", "not_found"),
        ] {
            let found = problems(file_publish(&tx, id, publishing, None).await);
            assert_eq!(found, [(pointer.to_owned(), code)]);
        }
        assert!(tx.changes().is_empty());
    }

    async fn contents_are_kept_version_by_version_and_a_reverted_entry_brings_one_back(db: TestDb) {
        let house = House::new(&db).await;
        let first = made(&house, "Contract", None).await;
        let second = content(&house, 20).await;
        let tx = house.begin().await;
        let stale = file_replace(&tx, first.id, "new.txt".into(), second.clone(), &LIMITS, Some(9)).await;
        assert!(matches!(stale, Err(Error::Stale { what: "file" })));
        let after = file_replace(&tx, first.id, "new.txt".into(), second.clone(), &LIMITS, Some(1)).await.expect("replaces");
        assert_eq!((after.number, after.version, after.bytes, after.name.as_str()), (2, 2, 20, "new.txt"));
        let set = tx.commit("file_replace", None).await.expect("commits");
        assert!(!format!("{:?}", set.changes).contains(&second.id.to_string()), "a preview has another content");
        let tx = house.read().await;
        let (_, old) = file_content(&tx, first.id, Some(1)).await.expect("finds");
        let (_, new) = file_content(&tx, first.id, None).await.expect("finds");
        assert_eq!((old.content_id, new.content_id), (first.content_id, second.id));
        assert!(kept(&tx, old.content_id).await && kept(&tx, new.content_id).await);
        assert!(matches!(file_content(&tx, first.id, Some(3)).await, Err(Error::NotFound { what: "version" })));
        drop(tx);
        house.revert(set.entry, &[]).await.expect("reverts");
        let tx = house.read().await;
        let (file, back) = file_content(&tx, first.id, None).await.expect("finds");
        assert_eq!((back.content_id, file.name.as_str()), (first.content_id, "Contract.txt"));
        drop(tx);
        // The next one is the third, although the first is shown.
        let third = content(&house, 30).await;
        let tx = house.begin().await;
        let after = file_replace(&tx, first.id, "c.txt".into(), third, &LIMITS, None).await.expect("replaces");
        assert_eq!(after.number, 3);
    }

    async fn limits_hold_for_a_client_and_for_all(db: TestDb) {
        let house = House::new(&db).await;
        let (kite, crane) = (house.client("Kite").await, house.client("Crane").await);
        let keep = async |client, bytes| {
            let content = content(&house, bytes).await;
            let tx = house.begin().await;
            let done = file_upload(&tx, draft("A", client), content, &LIMITS).await;
            if done.is_ok() {
                tx.commit("file_upload", None).await.expect("commits");
            }
            done
        };
        let first = keep(Some(kite), 1_500).await.expect("fits");
        assert_eq!(conflict(keep(Some(kite), 501).await).0, "storage_full");
        keep(Some(kite), 500).await.expect("fits to the byte");
        keep(Some(crane), 2_000).await.expect("another client has its own");
        assert_eq!(conflict(keep(None, 1_001).await).0, "storage_full");
        let content = content(&house, 1).await;
        let tx = house.begin().await;
        let more = file_replace(&tx, first.id, "a.txt".into(), content, &LIMITS, None).await;
        assert_eq!(conflict(more).0, "storage_full", "former contents count");
    }

    async fn an_announced_content_is_taken_once_and_what_is_left_is_found(db: TestDb) {
        let house = House::new(&db).await;
        let content = content(&house, 10).await;
        let tx = house.begin().await;
        file_upload(&tx, draft("A", None), content.clone(), &LIMITS).await.expect("keeps");
        assert!(matches!(file_upload(&tx, draft("B", None), content.clone(), &LIMITS).await, Err(Error::Busy(_))));
        tx.rollback().await.expect("rolls back");
        let tx = house.begin().await;
        assert!(!kept(&tx, content.id).await, "what was refused is not kept");
        tx.contents_give_up(tx.now() + TimeDelta::seconds(1)).await.expect("gives up");
        let left: Vec<ContentId> = tx.contents_released(tx.now()).await.expect("lists").iter().map(|row| row.id).collect();
        assert_eq!(left, [content.id]);
        assert!(matches!(file_upload(&tx, draft("C", None), content.clone(), &LIMITS).await, Err(Error::Busy(_))));
        tx.rollback().await.expect("rolls back");
    }

    async fn a_purge_deletes_rows_and_releases_every_content(db: TestDb) {
        let house = House::new(&db).await;
        let kite = house.client("Kite").await;
        let (gone, stays) = (made(&house, "Gone", Some(kite)).await, made(&house, "Stays", Some(kite)).await);
        let tx = house.begin().await;
        file_remove(&tx, gone.id, None).await.expect("removes");
        assert_eq!(conflict(file_update(&tx, gone.id, FilePatch::default(), None).await).0, "removed");
        tx.commit("file_remove", None).await.expect("commits");
        let tx = house.begin().await;
        assert!(tx.files_removed_before(tx.now()).await.expect("lists").is_empty(), "not yet");
        let found = tx.files_removed_before(tx.now() + TimeDelta::days(31)).await.expect("lists");
        assert_eq!(found.iter().map(|file| file.id).collect::<Vec<_>>(), [gone.id]);
        tx.file_purge(&found[0]).await.expect("purges");
        tx.commit("file_purge", None).await.expect("commits");
        let tx = house.read().await;
        assert!(matches!(tx.file(gone.id).await, Err(Error::NotFound { what: "file" })));
        assert!(!kept(&tx, gone.content_id).await && kept(&tx, stays.content_id).await);
        assert_eq!(tx.file_bytes(Some(kite)).await.expect("sums"), 10);
    }

    async fn whoever_sees_chosen_clients_reaches_no_others(db: TestDb) {
        let house = House::new(&db).await;
        let (kite, crane) = (house.client("Kite").await, house.client("Crane").await);
        let (of_kite, of_crane) = (made(&house, "K", Some(kite)).await, made(&house, "C", Some(crane)).await);
        let own = made(&house, "Own", None).await;
        let tx = house.scoped(ClientScope::Only([kite].into())).await;
        let titles: Vec<String> = tx.file_list(&FileFilter::default(), &PAGE).await.expect("lists").items.into_iter().map(|file| file.title).collect();
        assert_eq!(titles, ["K", "Own"]);
        assert!(matches!(tx.file(of_crane.id).await, Err(Error::NotFound { what: "file" })));
        assert!(matches!(file_remove(&tx, of_crane.id, None).await, Err(Error::NotFound { what: "file" })));
        assert_eq!(conflict(file_remove(&tx, own.id, None).await).0, "scope_limited");
        file_remove(&tx, of_kite.id, None).await.expect("their own");
    }

    async fn a_merge_takes_files_along_and_comes_back_whole(db: TestDb) {
        let house = House::new(&db).await;
        let (kite, crane) = (house.client("Kite").await, house.client("Crane").await);
        let (of_kite, own) = (made(&house, "K", Some(kite)).await, made(&house, "Own", None).await);
        published(&house, of_kite.id, to(FileReach::Client, &[], false)).await;
        published(&house, own.id, to(FileReach::Chosen, &[kite], false)).await;
        let tx = house.begin().await;
        client_merge(&tx, &Merge { from: kite, into: crane, take: Vec::new() }, None).await.expect("merges");
        let set = tx.commit("client_merge", None).await.expect("commits");
        assert_eq!(shown(&house, crane, PortalRole::User).await, ["K", "Own"]);
        assert!(shown(&house, kite, PortalRole::User).await.is_empty());
        house.revert(set.entry, &[]).await.expect("reverts");
        assert_eq!(shown(&house, kite, PortalRole::User).await, ["K", "Own"]);
        assert!(shown(&house, crane, PortalRole::User).await.is_empty());
    }

    async fn what_is_typed_is_checked(db: TestDb) {
        let house = House::new(&db).await;
        let file = made(&house, "A", None).await;
        let tx = house.begin().await;
        let patch = |name: &str| FilePatch { name: Some(name.to_owned()), ..FilePatch::default() };
        let renamed = file_update(&tx, file.id, patch("../b\u{202e}.TXT"), None).await.expect("renames");
        assert_eq!(renamed.name, "b.TXT");
        assert_eq!(problems(file_update(&tx, file.id, patch("b.pdf"), None).await), [("/name".to_owned(), "other_extension")]);
        let wrong = FilePatch {
            title: Some(" ".to_owned()),
            category: Some(Some("c".repeat(101))),
            description: Some(Some("d".repeat(2_001))),
            name: None,
        };
        let mut found = problems(file_update(&tx, file.id, wrong, None).await);
        found.sort();
        let expected = [("/category", "too_long"), ("/description", "too_long"), ("/title", "required")];
        assert_eq!(found, expected.map(|(pointer, code)| (pointer.to_owned(), code)));
    }
}
