use directory::{CsvAction, CsvField, CsvOutcome, CsvRules, csv_import};
use domain::{ChangeSet, ClientStatus, Result};
use persistence::{Apply, JournalFilter};
use testkit::both_databases;

use crate::house::{House, PAGE, conflict, problems};

/// Imports a file and commits.
async fn import(house: &House<'_>, file: &[u8], rules: &CsvRules) -> Result<(CsvOutcome, ChangeSet)> {
    let tx = house.begin().await;
    let outcome = csv_import(&tx, file, rules, false).await?;
    Ok((outcome, tx.commit("csv_import_apply", None).await?))
}

async fn take(house: &House<'_>, file: &str) -> (CsvOutcome, ChangeSet) {
    import(house, file.as_bytes(), &CsvRules::default()).await.expect("imports")
}

fn counts(outcome: &CsvOutcome) -> [u64; 4] {
    [outcome.created, outcome.updated, outcome.unchanged, outcome.errors]
}

fn skip() -> CsvRules {
    CsvRules { skip_bad: true, ..CsvRules::default() }
}

both_databases! {
    async fn rows_make_change_and_leave_clients_and_one_entry_undoes_it_all(db: TestDb) {
        let house = House::new(&db).await;
        let (kite, lark) = (house.client("Kite & Co").await, house.client("Lark").await);
        let before = house.entries().await;
        let file = format!(
            "id;Company;Status;E-Mail;Notes;Fax\r\n\
             ;KITE  & co;inactive;office@kite.example;\"two\r\nlines, \"\"quoted\"\"\";1\r\n\
             {lark};Lark Ltd;;;;2\r\n\
             ;New One;Active;a@b.example;'=1+1;3\r\n\
             ;;;;;\r\n"
        );
        let (outcome, set) = take(&house, &file).await;
        assert_eq!((counts(&outcome), outcome.ignored.clone()), ([1, 2, 0, 0], vec!["Fax".to_owned()]));
        let lines: Vec<_> = outcome.rows.iter().map(|row| (row.line, row.action)).collect();
        assert_eq!(lines, [(2, CsvAction::Update), (4, CsvAction::Update), (5, CsvAction::Create)]);
        assert_eq!((house.entries().await, set.changes.len()), (before + 1, 3));
        let changed = house.now(kite).await;
        assert_eq!((changed.name.as_str(), changed.status), ("KITE  & co", ClientStatus::Inactive));
        assert_eq!(changed.notes.as_deref(), Some("two\r\nlines, \"quoted\""));
        assert_eq!(house.now(lark).await.name, "Lark Ltd");
        let made = house.now(outcome.rows[2].client_id.expect("an id")).await;
        assert_eq!((made.name.as_str(), made.notes.as_deref()), ("New One", Some("=1+1")));
        let totals = house.read().await.client_totals().await.expect("counts");
        assert_eq!((totals.active, totals.inactive), (2, 1));

        let again = take(&house, &file.replace("KITE", "Kite").replace("Kite  &", "KITE  &")).await;
        assert_eq!((counts(&again.0), again.1.entry), ([0, 0, 3, 0], None), "the same again changes nothing");

        house.revert(set.entry, &[]).await.expect("reverts");
        assert_eq!((house.now(kite).await.name.as_str(), house.now(lark).await.name.as_str()), ("Kite & Co", "Lark"));
        assert_eq!(house.now(kite).await.notes, None);
        assert_eq!(house.read().await.client_totals().await.expect("counts").total(), 2);
    }

    async fn every_mistake_is_named_with_line_and_column(db: TestDb) {
        let house = House::new(&db).await;
        for name in ["Twin", "twin"] {
            house.client(name).await;
        }
        let kite = house.client("Kite").await;
        let gone = house.client("Gone").await;
        house.delete(gone).await;
        let before = house.entries().await;
        let file = format!(
            "id,name,status,contact_email,phone\n\
             ,Good,active,,\n\
             nonsense,Kite,,,\n\
             {gone},Gone,,,\n\
             ,Twin,,,\n\
             ,\"Two\nlines\",maybe,nobody,\n\
             ,,,,1\n\
             ,Short\n\
             ,Kite,,,\n\
             {kite},Kite,,,\n\
             ,GOOD,,,\n"
        );
        let expected = [
            ("/line/3/column/1", "not_an_id"),
            ("/line/4/column/1", "not_found"),
            ("/line/5/column/2", "ambiguous"),
            ("/line/6/column/2", "control_character"),
            ("/line/6/column/3", "unknown_value"),
            ("/line/6/column/4", "not_an_email"),
            ("/line/8/column/2", "required"),
            ("/line/9", "wrong_width"),
            ("/line/11/column/1", "twice"),
            ("/line/12/column/2", "twice"),
        ];
        let refused = import(&house, file.as_bytes(), &CsvRules::default()).await;
        assert_eq!(problems(refused), expected.map(|(pointer, code)| (pointer.to_owned(), code)));
        assert_eq!(house.entries().await, before, "nothing was written");

        let tx = house.begin().await;
        let preview = csv_import(&tx, file.as_bytes(), &CsvRules::default(), true).await.expect("previews");
        let planned = tx.preview().await.expect("rolls back");
        assert_eq!((counts(&preview), preview.mistakes.len()), ([1, 0, 1, 8], expected.len()));

        let (outcome, set) = import(&house, file.as_bytes(), &skip()).await.expect("skips what is bad");
        assert_eq!((counts(&outcome), set.changes.len()), ([1, 0, 1, 8], 1));
        assert_eq!(outcome.mistakes, preview.mistakes);
        assert_eq!(set.digest, planned.digest, "the preview is what happens");
    }

    async fn encodings_and_separators_give_the_same_clients(db: TestDb) {
        let house = House::new(&db).await;
        let text = "name;address\nÄrzte 🦷 Nord;\"Straße 1\n12345 Ort\"\n";
        let utf16 = |big: bool| -> Vec<u8> {
            let units = std::iter::once(0xfeff).chain(text.encode_utf16());
            units.flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
        };
        let (made, _) = take(&house, text).await;
        assert_eq!(counts(&made), [1, 0, 0, 0]);
        for file in [utf16(true), utf16(false), format!("\u{feff}{}", text.replace(';', "\t")).into_bytes(), text.replace(';', ",").into_bytes()] {
            let (outcome, _) = import(&house, &file, &CsvRules::default()).await.expect("imports");
            assert_eq!(counts(&outcome), [0, 0, 1, 0]);
        }
        let latin = import(&house, b"name\n\xc4rzte\n", &CsvRules::default()).await;
        assert_eq!(problems(latin), [("/line/2".to_owned(), "not_utf8")]);
        assert_eq!(problems(import(&house, b"", &CsvRules::default()).await), [("/line/1".to_owned(), "no_name")]);
        let nul = import(&house, b"name,notes\nKite,a\0b\n", &CsvRules::default()).await;
        assert_eq!(problems(nul), [("/line/2/column/2".to_owned(), "control_character")]);
    }

    async fn empty_cells_say_nothing_unless_they_are_to_empty(db: TestDb) {
        let house = House::new(&db).await;
        let (made, _) = take(&house, "name,phone,notes,status\nKite,1,Note,inactive\n").await;
        let kite = made.rows[0].client_id.expect("an id");
        let (kept, _) = take(&house, "name,phone,notes,status\nKite,,,\n").await;
        assert_eq!(counts(&kept), [0, 0, 1, 0]);
        let rules = CsvRules { clear_empty: true, ..CsvRules::default() };
        import(&house, b"name,phone,status\nKite,,\n", &rules).await.expect("imports");
        let now = house.now(kite).await;
        assert_eq!((now.phone, now.notes.as_deref(), now.status), (None, Some("Note"), ClientStatus::Inactive));
    }

    async fn columns_are_chosen_and_a_rename_by_id_does_not_meet_a_twin(db: TestDb) {
        let house = House::new(&db).await;
        let (kite, lark) = (house.client("Kite").await, house.client("Lark").await);
        let rules = CsvRules { columns: vec![(CsvField::Name, "Trading as".to_owned())], ..CsvRules::default() };
        let file = format!("id,name,Trading as\n{kite},x,Crane\n{lark},y,crane\n");
        let refused = import(&house, file.as_bytes(), &rules).await;
        assert_eq!(problems(refused), [("/line/3/column/3".to_owned(), "twice")]);
        let unknown = CsvRules { columns: vec![(CsvField::Name, "Nothing".to_owned())], ..CsvRules::default() };
        assert_eq!(problems(import(&house, file.as_bytes(), &unknown).await), [("column".to_owned(), "does_not_fit")]);
        let (outcome, _) = import(&house, format!("id,name,Trading as\n{kite},x,Crane\n").as_bytes(), &rules).await.expect("imports");
        assert_eq!((counts(&outcome), house.now(kite).await.name.as_str()), ([0, 1, 0, 0], "Crane"));
    }

    async fn a_few_thousand_rows_go_in_batches(db: TestDb) {
        let house = House::new(&db).await;
        let rows: String = (0..3_000).map(|n| format!("Client {n},{n}\n")).collect();
        let (outcome, set) = take(&house, &format!("name,phone\n{rows}")).await;
        assert_eq!((counts(&outcome), set.changes.len(), outcome.rows.len()), ([3_000, 0, 0, 0], 3_000, 1_000));
        assert_eq!(house.read().await.client_totals().await.expect("counts").active, 3_000);
        let rows: String = (0..3_000).map(|n| format!("client {n},{}\n", if n % 10 == 0 { n + 1 } else { n })).collect();
        let rows = rows.replace("client", "Client");
        let (outcome, _) = take(&house, &format!("name,phone\n{rows}")).await;
        assert_eq!(counts(&outcome), [0, 300, 2_700, 0]);
        let twice = format!("name\nFirst\n{}first\n", rows.replace(',', " "));
        let refused = problems(import(&house, twice.as_bytes(), &CsvRules::default()).await);
        assert_eq!(refused, [("/line/3003/column/1".to_owned(), "twice")], "rows of different batches are held together");
        house.revert(set.entry, &[]).await.expect_err("some were changed since");
        let many = format!("name\n{}", "x\n".repeat(100_001));
        assert_eq!(problems(import(&house, many.as_bytes(), &skip()).await), [(String::new(), "too_many")]);
    }

    async fn only_who_sees_every_client_may(db: TestDb) {
        let house = House::new(&db).await;
        let kite = house.client("Kite").await;
        let tx = house.scoped(domain::ClientScope::Only([kite].into())).await;
        assert_eq!(conflict(csv_import(&tx, b"name\nKite\n", &CsvRules::default(), true).await).0, "scope_limited");
    }

    async fn a_large_file_is_several_entries_and_one_change_set(db: TestDb) {
        let house = House::new(&db).await;
        let before = house.entries().await;
        let rows: String = (0..11_200).map(|nth| format!("Business {nth:05},555 {nth}\n")).collect();
        let file = format!("name,phone\n{rows}");
        let run = async |dry_run: bool, expect: Option<String>| {
            let tx = house.begin().await;
            tx.spill_as("csv_import_apply", Some("from the old system"), false);
            let outcome = csv_import(&tx, file.as_bytes(), &CsvRules::default(), dry_run).await.expect("imports");
            let set = tx.finish("csv_import_apply", &Apply { dry_run, expect, reason: None }).await;
            (outcome.created, set)
        };
        let (created, preview) = run(true, None).await;
        let preview = preview.expect("previews");
        assert_eq!((created, preview.entry, preview.changes.len() as u64 + preview.unlisted), (11_200, None, 11_200));
        assert_eq!(preview.changes.len(), 1_000, "what is shown is held, and no more");
        assert_eq!(house.entries().await, before, "a preview wrote");
        db.clock.advance(60);
        let other = run(false, Some("0".repeat(64))).await.1;
        assert!(matches!(other, Err(domain::Error::Moved(_))), "{other:?}");
        let done = run(false, Some(preview.digest.clone())).await.1.expect("what was previewed is what happens");
        assert_eq!(done.digest, preview.digest);
        assert_eq!(house.entries().await, before + 3, "5,000 changes an entry");
        let total = async || house.read().await.client_totals().await.expect("counts").total();
        assert_eq!(total().await, 11_200);
        // Whichever of them is reverted, all of it is.
        let entries = house.read().await.journal_list(&JournalFilter::default(), &PAGE).await.expect("lists").items;
        let first = entries.iter().rfind(|entry| entry.change_set.is_some()).expect("an entry");
        assert_eq!((first.reason.as_deref(), first.changes.len()), (Some("from the old system"), 5_000));
        house.revert(Some(first.id), &[]).await.expect("reverts");
        assert_eq!(total().await, 0);
        house.entries().await;
    }
}
