//! Statements that both databases understand, once a few words are put in.

use sea_orm_migration::{prelude::*, sea_orm::DatabaseBackend};

/// The words that differ.
pub struct Dialect {
    postgres: bool,
}

impl Dialect {
    /// The dialect of a connection.
    pub fn of(manager: &SchemaManager<'_>) -> Self {
        Self { postgres: manager.get_database_backend() == DatabaseBackend::Postgres }
    }

    fn put_in(&self, statement: &str) -> String {
        let words: [(&str, &str); 4] = if self.postgres {
            [("$uuid", "uuid"), ("$time", "timestamptz"), ("$bytes", "bytea"), ("$text", "text COLLATE \"C\"")]
        } else {
            [("$uuid", "blob"), ("$time", "text"), ("$bytes", "blob"), ("$text", "text")]
        };
        words.iter().fold(statement.to_owned(), |text, (word, meaning)| text.replace(word, meaning))
    }

    /// Runs every statement.
    pub async fn run(&self, manager: &SchemaManager<'_>, statements: &[&str]) -> Result<(), DbErr> {
        for statement in statements {
            manager.get_connection().execute_unprepared(&self.put_in(statement)).await?;
        }
        Ok(())
    }

    /// The second lock of PostgreSQL: a row is seen and written only while the transaction names its
    /// organisation, or says that it is the product's own business across organisations.
    pub async fn lock_rows(&self, manager: &SchemaManager<'_>, tables: &[&str]) -> Result<(), DbErr> {
        if !self.postgres {
            return Ok(());
        }
        for table in tables {
            let rule = "organisation_id = nullif(current_setting('panelone.organisation', true), '')::uuid \
                        OR current_setting('panelone.across', true) = 'on'";
            for statement in [
                format!("ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"),
                format!("ALTER TABLE {table} FORCE ROW LEVEL SECURITY"),
                format!("CREATE POLICY own_organisation ON {table} USING ({rule}) WITH CHECK ({rule})"),
            ] {
                manager.get_connection().execute_unprepared(&statement).await?;
            }
        }
        Ok(())
    }
}
