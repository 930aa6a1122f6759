//! Versions of the schema, and its description.

use super::*;

fn raw(dir: &TempDir) -> Connection {
    Connection::open(dir.path().join(FILE_NAME)).unwrap()
}

#[test]
fn a_database_of_a_newer_program_is_refused_and_left_as_it_is() {
    let (dir, _) = new_store();
    raw(&dir).pragma_update(None, "user_version", 99).unwrap();
    let error = Store::open(dir.path()).unwrap_err();
    assert!(
        matches!(
            error,
            StoreError::Newer {
                found: 99,
                known: 4,
                ..
            }
        ),
        "{error}"
    );
    assert!(error.to_string().contains("newer wbd"), "{error}");
    let version: i64 = raw(&dir)
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .unwrap();
    assert_eq!(version, 99);
}

#[test]
fn a_version_below_zero_is_damage() {
    let (dir, _) = new_store();
    raw(&dir).pragma_update(None, "user_version", -1).unwrap();
    let error = Store::open(dir.path()).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
}

#[test]
fn opening_again_keeps_what_was_written() {
    let (dir, store) = new_store();
    store
        .writer()
        .unwrap()
        .begin_experiment(&new_experiment(0, 1))
        .unwrap();
    let again = Store::open(dir.path()).unwrap();
    assert_eq!(again.reader(Scope::All).unwrap().list().unwrap().len(), 1);
}

#[test]
fn a_step_that_fails_leaves_the_version_before_it() {
    let dir = tempfile::tempdir().unwrap();
    let foreign = raw(&dir);
    foreign.execute_batch("CREATE TABLE sample (x)").unwrap();
    assert!(matches!(
        Store::open(dir.path()).unwrap_err(),
        StoreError::Sqlite { .. }
    ));
    let tables: i64 = foreign
        .query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get(0))
        .unwrap();
    assert_eq!(tables, 1, "half a step stayed");
}

#[test]
fn readers_cannot_write() {
    let (_dir, store) = new_store();
    let connection = store.connect(OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    assert!(connection.execute("DELETE FROM experiment", ()).is_err());
}

#[test]
fn every_column_is_described() {
    let (dir, _) = new_store();
    let text = include_str!("../../../../docs/SCHEMA.md");
    let connection = raw(&dir);
    let query = "SELECT t.name, c.name FROM pragma_table_list t, pragma_table_info(t.name) c
        WHERE t.schema = 'main' AND t.name NOT LIKE 'sqlite_%'";
    let mut query = connection.prepare(query).unwrap();
    let columns = query.query_map((), |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)));
    for column in columns.unwrap() {
        let (table, column) = column.unwrap();
        let heading = format!("## `{table}`");
        let (_, section) = text
            .split_once(&heading)
            .unwrap_or_else(|| panic!("{heading} is missing"));
        let section = section.split("\n## ").next().unwrap();
        assert!(
            section.contains(&format!("| `{column}` |")),
            "{table}.{column} is not described"
        );
    }
}
