//! A state directory or a database that cannot be used is refused in words, never with a panic.

use std::fs;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, PermissionsExt as _};

use super::*;

/// A closed database with some thousand runs, and its file.
fn closed_store() -> (TempDir, PathBuf) {
    let (dir, store) = new_store();
    let mut writer = store.writer().unwrap();
    let recording = writer.begin_experiment(&new_experiment(0, 1)).unwrap();
    let runs: Vec<_> = (0..3000).map(|run| (0, sample(run))).collect();
    writer.record_batch(&recording, &runs).unwrap();
    drop(writer);
    let file = dir.path().join(FILE_NAME);
    (dir, file)
}

fn overwrite(file: &Path, offset: u64, bytes: &[u8]) {
    OpenOptions::new()
        .write(true)
        .open(file)
        .unwrap()
        .write_all_at(bytes, offset)
        .unwrap();
}

#[test]
fn directory_and_database_are_private() {
    let outer = tempfile::tempdir().unwrap();
    let dir = outer.path().join("a/b");
    let store = Store::open(&dir).unwrap();
    let mut writer = store.writer().unwrap();
    writer.begin_experiment(&new_experiment(0, 1)).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&dir), 0o700);
    for entry in fs::read_dir(&dir).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

#[test]
fn room_is_kept_back_for_a_full_disk() {
    let (dir, _store) = new_store();
    let ballast = fs::metadata(dir.path().join("wbd.ballast")).unwrap();
    assert!(ballast.blocks() * 512 >= 5 << 20, "{} blocks", ballast.blocks());
}

#[test]
fn a_state_directory_that_is_a_file_is_refused_by_name() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let inside = file.path().join("state");
    let error = Store::open(&inside).unwrap_err();
    assert!(matches!(error, StoreError::Directory { .. }), "{error}");
    assert!(error.to_string().contains(inside.to_str().unwrap()), "{error}");
    assert!(error.to_string().contains("--state"), "{error}");
}

#[test]
fn a_database_that_is_a_directory_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join(FILE_NAME)).unwrap();
    let error = Store::open(dir.path()).unwrap_err();
    assert!(matches!(error, StoreError::Directory { .. }), "{error}");
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join(FILE_NAME);
    let text = "These are my notes. ".repeat(500);
    fs::write(&file, &text).unwrap();
    let error = Store::open(dir.path()).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    assert!(error.to_string().contains(file.to_str().unwrap()), "{error}");
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
}

#[test]
fn a_broken_header_is_told_on_opening() {
    let (dir, file) = closed_store();
    overwrite(&file, 0, &[0x5a; 100]);
    let error = Store::open(dir.path()).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
}

#[test]
fn a_broken_schema_is_told_on_opening() {
    let (dir, file) = closed_store();
    overwrite(&file, 100, &[0x5a; 3900]);
    let error = Store::open(dir.path()).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
}

#[test]
fn a_broken_page_is_told_when_it_is_read() {
    let (dir, file) = closed_store();
    let pages = fs::metadata(&file).unwrap().len() / 4096;
    overwrite(&file, pages / 2 * 4096, &[0x5a; 4096]);
    let store = Store::open(dir.path()).unwrap();
    let error = store
        .reader(Scope::All)
        .unwrap()
        .samples("latest", 0)
        .unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
}

#[test]
fn no_broken_page_makes_runs_vanish_silently() {
    let (dir, file) = closed_store();
    let sound = fs::read(&file).unwrap();
    for page in 0..sound.len() / 4096 {
        let mut broken = sound.clone();
        broken[page * 4096..][..4096].fill(0x5a);
        fs::write(&file, broken).unwrap();
        let Ok(store) = Store::open(dir.path()) else {
            continue;
        };
        let reader = store.reader(Scope::All).unwrap();
        if let Ok(runs) = reader.samples("latest", 0) {
            assert!(
                runs.is_empty() || runs.len() == 3000,
                "page {page}: {} runs",
                runs.len()
            );
        }
        let _ = (reader.list(), reader.experiment("latest", true));
    }
}

#[test]
fn a_document_that_cannot_be_read_is_damage() {
    let (_dir, store) = new_store();
    let mut writer = store.writer().unwrap();
    writer.begin_experiment(&new_experiment(0, 1)).unwrap();
    writer
        .connection
        .execute("UPDATE experiment SET machine = '{'", ())
        .unwrap();
    let error = store
        .reader(Scope::All)
        .unwrap()
        .experiment("latest", false)
        .unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
}
