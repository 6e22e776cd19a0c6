//! A text table: the first byte chooses how it is read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use puad_data::csv::{self, CsvConfig, CsvOptions, LabelColumn};
use puad_fuzz::{folder, write};

fuzz_target!(|bytes: &[u8]| {
    let Some((&choice, text)) = bytes.split_first() else {
        return;
    };
    let config = CsvConfig {
        table: CsvOptions {
            delimiter: (choice & 1 == 0).then_some(b','),
            header: (choice & 2 == 0).then_some(choice & 8 == 0),
            decimal: if choice & 64 == 0 { b'.' } else { b',' },
            ..CsvOptions::default()
        },
        rest: (choice & 128 == 0).then_some(1),
        label: match choice >> 4 & 3 {
            0 => LabelColumn::Last,
            1 => LabelColumn::Name("y".into()),
            at => LabelColumn::Index(usize::from(at) - 2),
        },
        classes: match choice & 4 {
            0 => vec![],
            _ => vec!["a".into(), "b".into()],
        },
    };
    if let Ok(table) = csv::read(write(&folder(), "a.csv", text), &config) {
        assert_eq!(table.values().len(), table.len() * table.width());
        assert!(table.values().iter().all(|value| value.is_finite()));
        assert!(table.columns().is_empty() || table.columns().len() == table.width());
    }
});
