//! Documents that the MSP writes.

use directory::{
    LibraryCopy, LibraryDraft, LibraryPatch, Merge, client_merge, library_document_at, library_document_copy,
    library_document_create, library_document_delete, library_document_update,
};
use domain::{ClientId, ClientScope, Error, Library, LibraryDocument, LibraryDocumentId};
use persistence::LibraryFilter;
use testkit::both_databases;

use crate::house::{House, PAGE, conflict, problems};

fn draft(library: Library, title: &str) -> LibraryDraft {
    LibraryDraft {
        library,
        title: title.to_owned(),
        slug: None,
        category: None,
        content: format!("# {title}"),
        client: None,
        published: false,
    }
}

async fn made(house: &House<'_>, draft: LibraryDraft) -> LibraryDocument {
    let tx = house.begin().await;
    let document = library_document_create(&tx, draft).await.expect("creates");
    tx.commit("library_document_create", None).await.expect("commits");
    document
}

async fn changed(house: &House<'_>, id: LibraryDocumentId, patch: LibraryPatch) -> LibraryDocument {
    let tx = house.begin().await;
    let document = library_document_update(&tx, id, patch, None).await.expect("updates");
    tx.commit("library_document_update", None).await.expect("commits");
    document
}

async fn shown(house: &House<'_>, client: ClientId) -> Vec<String> {
    let filter = LibraryFilter { shown_to: Some(client), ..LibraryFilter::default() };
    let listed = house.read().await.library_list(&filter, &PAGE).await.expect("lists");
    assert!(listed.items.iter().all(|document| document.shown_to(client)));
    listed.items.into_iter().map(|document| document.title).collect()
}

both_databases! {
    async fn portal_users_see_what_is_published_and_theirs(db: TestDb) {
        let house = House::new(&db).await;
        let (kite, crane) = (house.client("Kite").await, house.client("Crane").await);
        let customer = |title: &str, client, published| LibraryDraft { client, published, ..draft(Library::Customer, title) };
        made(&house, draft(Library::Internal, "Runbook")).await;
        made(&house, draft(Library::Template, "Welcome template")).await;
        made(&house, customer("Draft", None, false)).await;
        let every = made(&house, customer("For every client", None, true)).await;
        made(&house, customer("Contract of Kite", Some(kite), true)).await;
        assert_eq!(shown(&house, kite).await, ["Contract of Kite", "For every client"]);
        assert_eq!(shown(&house, crane).await, ["For every client"]);
        changed(&house, every.id, LibraryPatch { published: Some(false), ..LibraryPatch::default() }).await;
        assert!(shown(&house, crane).await.is_empty(), "taken back at once");
        let moved = LibraryPatch { published: Some(true), client: Some(Some(crane)), ..LibraryPatch::default() };
        changed(&house, every.id, moved).await;
        assert_eq!((shown(&house, kite).await.len(), shown(&house, crane).await.len()), (1, 1));
        let filter = LibraryFilter { library: Some(Library::Customer), search: Some("KITE".into()), ..LibraryFilter::default() };
        let listed = house.read().await.library_list(&filter, &PAGE).await.expect("lists");
        assert_eq!((listed.total, listed.items[0].title.as_str()), (1, "Contract of Kite"));
        assert!(listed.items[0].content.is_empty(), "a list holds no texts");
    }

    async fn every_text_is_kept_and_comes_back(db: TestDb) {
        let house = House::new(&db).await;
        let first = made(&house, draft(Library::Internal, "Runbook")).await;
        let text = |content: &str| LibraryPatch { content: Some(content.to_owned()), ..LibraryPatch::default() };
        let second = changed(&house, first.id, text("second")).await;
        let filed = LibraryPatch { category: Some(Some(" SOP ".into())), ..LibraryPatch::default() };
        let third = changed(&house, first.id, filed).await;
        assert_eq!((third.version, third.category.as_deref(), third.content.as_str()), (3, Some("SOP"), "second"));
        changed(&house, first.id, text("fourth")).await;
        let tx = house.read().await;
        let kept: Vec<i32> = tx.library_versions(first.id).await.expect("lists").iter().map(|kept| kept.version).collect();
        assert_eq!(kept, [4, 2, 1], "a category is no text");
        for (version, content) in [(1, "# Runbook"), (2, "second"), (3, "second"), (4, "fourth"), (9, "fourth")] {
            assert_eq!(library_document_at(&tx, first.id, version).await.expect("finds").content, content);
        }
        assert!(matches!(library_document_at(&tx, first.id, 0).await, Err(Error::NotFound { what: "version" })));
        drop(tx);
        let tx = house.begin().await;
        let refused = library_document_update(&tx, first.id, text("fifth"), Some(second.version)).await;
        assert!(matches!(refused, Err(Error::Stale { what: "document" })));
        assert_eq!(library_document_update(&tx, first.id, text("fourth"), Some(4)).await.expect("updates").version, 4);
        assert!(tx.changes().is_empty(), "the same again is no change");
        library_document_delete(&tx, first.id, Some(4)).await.expect("deletes");
        let set = tx.commit("library_document_delete", None).await.expect("commits");
        assert!(set.changes.iter().all(|change| !format!("{change:?}").contains("fourth")), "the journal holds no texts");
        assert!(matches!(house.read().await.library_document(first.id).await, Err(Error::NotFound { what: "document" })));
        house.revert(set.entry, &[]).await.expect("reverts");
        assert_eq!(house.read().await.library_document(first.id).await.expect("is back").content, "fourth");
        let tx = house.begin().await;
        library_document_update(&tx, first.id, text("sixth"), None).await.expect("updates");
        let set = tx.commit("library_document_update", None).await.expect("commits");
        house.revert(set.entry, &[]).await.expect("reverts");
        assert_eq!(house.read().await.library_document(first.id).await.expect("finds").content, "fourth");
    }

    async fn names_in_addresses_are_plain_and_unique(db: TestDb) {
        let house = House::new(&db).await;
        let first = made(&house, draft(Library::Internal, "How to: Onboard!")).await;
        let second = made(&house, draft(Library::Internal, "How to onboard")).await;
        let third = made(&house, draft(Library::Customer, "How to onboard")).await;
        let odd = made(&house, draft(Library::Internal, "日本")).await;
        let slugs = [&first, &second, &third, &odd].map(|document| document.slug.as_str());
        assert_eq!(slugs, ["how-to-onboard", "how-to-onboard-2", "how-to-onboard", "document"]);
        let tx = house.begin().await;
        let chosen = LibraryDraft { slug: Some("how-to-onboard".into()), ..draft(Library::Internal, "Other") };
        assert_eq!(conflict(library_document_create(&tx, chosen).await).0, "slug_taken");
        let renamed = LibraryPatch { slug: Some("how-to-onboard".into()), ..LibraryPatch::default() };
        assert_eq!(conflict(library_document_update(&tx, second.id, renamed, None).await).0, "slug_taken");
        let wrong = LibraryDraft {
            slug: Some("Not Plain".into()),
            client: Some(ClientId(uuid::Uuid::from_u128(5))),
            published: true,
            category: Some("c".repeat(101)),
            content: "x".repeat(200_001),
            ..draft(Library::Template, " ")
        };
        let mut found = problems(library_document_create(&tx, wrong).await);
        found.sort();
        let expected = [
            ("/category", "too_long"), ("/client_id", "not_for_clients"), ("/client_id", "not_found"), ("/content", "too_long"),
            ("/published", "not_for_clients"), ("/slug", "not_a_slug"), ("/title", "required"),
        ];
        assert_eq!(found, expected.map(|(pointer, code)| (pointer.to_owned(), code)));
    }

    async fn a_copy_stands_by_itself(db: TestDb) {
        let house = House::new(&db).await;
        let kite = house.client("Kite").await;
        let template = made(&house, draft(Library::Template, "Welcome")).await;
        let tx = house.begin().await;
        let to = LibraryCopy { library: Library::Customer, title: Some("Welcome, Kite".into()), client: Some(kite) };
        let copy = library_document_copy(&tx, template.id, to).await.expect("copies");
        tx.commit("library_document_copy", None).await.expect("commits");
        assert_eq!((copy.content.as_str(), copy.published_at, copy.client_id), ("# Welcome", None, Some(kite)));
        changed(&house, template.id, LibraryPatch { content: Some("new".into()), ..LibraryPatch::default() }).await;
        assert_eq!(house.read().await.library_document(copy.id).await.expect("finds").content, "# Welcome");
    }

    async fn documents_go_with_a_merge_and_come_back(db: TestDb) {
        let house = House::new(&db).await;
        let (old, new) = (house.client("Kite Ltd").await, house.client("Kite").await);
        let contract = LibraryDraft { client: Some(old), published: true, ..draft(Library::Customer, "Contract") };
        let contract = made(&house, contract).await;
        let tx = house.begin().await;
        client_merge(&tx, &Merge { from: old, into: new, take: Vec::new() }, None).await.expect("merges");
        let set = tx.commit("client_merge", None).await.expect("commits");
        assert_eq!(shown(&house, new).await, ["Contract"]);
        house.revert(set.entry, &[]).await.expect("reverts");
        assert!(shown(&house, new).await.is_empty());
        assert_eq!(house.read().await.library_document(contract.id).await.expect("finds").client_id, Some(old));
    }

    async fn a_limited_caller_reads_what_is_everybodys_and_changes_its_clients_only(db: TestDb) {
        let house = House::new(&db).await;
        let (mine, hidden) = (house.client("Mine").await, house.client("Hidden").await);
        let of = |title: &str, client| LibraryDraft { client: Some(client), ..draft(Library::Customer, title) };
        let runbook = made(&house, draft(Library::Internal, "Runbook")).await;
        let own = made(&house, of("Own", mine)).await;
        let secret = made(&house, of("Secret", hidden)).await;
        for scope in [ClientScope::Only([mine].into()), ClientScope::AllBut([hidden].into())] {
            let tx = house.scoped(scope).await;
            let listed = tx.library_list(&LibraryFilter::default(), &PAGE).await.expect("lists");
            let titles: Vec<&str> = listed.items.iter().map(|document| document.title.as_str()).collect();
            assert_eq!((titles, listed.total), (vec!["Own", "Runbook"], 2));
            assert!(matches!(tx.library_document(secret.id).await, Err(Error::NotFound { what: "document" })));
            let patch = || LibraryPatch { title: Some("Taken".into()), ..LibraryPatch::default() };
            for refused in [
                library_document_update(&tx, secret.id, patch(), None).await,
                library_document_delete(&tx, secret.id, None).await,
                library_document_copy(&tx, secret.id, LibraryCopy { library: Library::Customer, title: None, client: Some(mine) }).await,
            ] {
                assert!(matches!(refused, Err(Error::NotFound { what: "document" })), "{refused:?}");
            }
            assert_eq!(conflict(library_document_update(&tx, runbook.id, patch(), None).await).0, "scope_limited");
            assert_eq!(conflict(library_document_create(&tx, draft(Library::Customer, "For all")).await).0, "scope_limited");
            let every = LibraryPatch { client: Some(None), ..LibraryPatch::default() };
            assert_eq!(conflict(library_document_update(&tx, own.id, every, None).await).0, "scope_limited");
            let away = LibraryPatch { client: Some(Some(hidden)), ..LibraryPatch::default() };
            assert_eq!(problems(library_document_update(&tx, own.id, away, None).await), [("/client_id".to_owned(), "not_found")]);
            assert!(tx.changes().is_empty());
            library_document_update(&tx, own.id, patch(), None).await.expect("its own");
        }
    }
}
