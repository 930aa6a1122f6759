//! Names of cells.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Ok(cell) = text.parse::<wbd_model::CellRef>() {
        assert_eq!(cell.to_string().parse(), Ok(cell));
    }
});
