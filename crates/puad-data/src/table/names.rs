//! What names of columns say of them.

/// Those under which rows are told apart.
const OF_ROWS: [&str; 7] = ["id", "index", "idx", "rowid", "row", "uuid", "guid"];

/// Those that tell what somebody found out about a row, beside the same with `is` before them or `label` behind.
const OF_LABELS: [&str; 17] = [
    "label",
    "labels",
    "anomaly",
    "anomalous",
    "outlier",
    "fraud",
    "fraudulent",
    "attack",
    "malicious",
    "defect",
    "defective",
    "target",
    "class",
    "y",
    "groundtruth",
    "abnormal",
    "intrusion",
];

/// Values of a label that are no anomaly.
const NORMAL: [&str; 20] = [
    "0",
    "0.0",
    "-1",
    "false",
    "normal",
    "ok",
    "good",
    "benign",
    "no",
    "n",
    "f",
    "legit",
    "legitimate",
    "genuine",
    "healthy",
    "clean",
    "negative",
    "inlier",
    "unlabeled",
    "unknown",
];

/// Without what stands between words.
fn plain(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    name.replace([' ', '_', '-', '.'], "")
}

pub(super) fn of_rows(name: &str) -> bool {
    OF_ROWS.contains(&plain(name).as_str())
}

/// Whether a name ends as that of a key: `customer_id`, `TransactionID`.
pub(super) fn of_keys(name: &str) -> bool {
    let before = |end: &str| name.strip_suffix(end).and_then(|rest| rest.chars().last());
    let lower = name.to_ascii_lowercase();
    lower.ends_with("_id")
        || lower.ends_with(" id")
        || ["Id", "ID"]
            .iter()
            .any(|end| before(end).is_some_and(char::is_lowercase))
}

pub(super) fn of_labels(name: &str) -> bool {
    let plain = plain(name);
    let of = |name: &str| OF_LABELS.contains(&name);
    of(&plain)
        || plain.strip_prefix("is").is_some_and(of)
        || plain.strip_suffix("label").is_some_and(of)
}

/// Names of columns that pandas and R write for the rows' own.
pub(super) fn unnamed(name: &str) -> bool {
    name.is_empty() || name.starts_with("Unnamed: ") || name.starts_with("__index_level_")
}

/// The name of a column that, by its name alone, tells rows apart: what no other of `names` says as well.
pub(super) fn of_ids<'a>(names: &[&'a str]) -> Option<&'a str> {
    let one = |says: fn(&str) -> bool| {
        let mut found = names.iter().filter(|name| says(name));
        found.next().filter(|_| found.next().is_none()).copied()
    };
    let says_rows = names.iter().any(|name| of_rows(name) || unnamed(name));
    if says_rows {
        one(|name| of_rows(name) || unnamed(name))
    } else {
        one(of_keys)
    }
}

pub(super) fn says_normal(label: &str) -> bool {
    let label = label.trim_end_matches('.');
    NORMAL.iter().any(|word| word.eq_ignore_ascii_case(label))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_the_one_column_whose_name_says_so() {
        for (names, expected) in [
            (&["heat", "id"][..], Some("id")),
            (&["", "heat"], Some("")),
            (&["order_id", "heat"], Some("order_id")),
            // A row's own name before a key's.
            (&["order_id", "row"], Some("row")),
            (&["order_id", "shop_id"], None),
            (&["id", "uuid", "order_id"], None),
            (&["heat", "0"], None),
            (&[], None),
        ] {
            assert_eq!(of_ids(names), expected, "{names:?}");
        }
    }

    #[test]
    fn names_of_ids_and_labels() {
        for name in [
            "Label",
            "is_fraud",
            "isFraud",
            "Is Anomaly",
            "anomaly_label",
            "ground truth",
            "CLASS",
        ] {
            assert!(of_labels(name), "{name}");
        }
        for name in ["classes", "amount", "island", "label_count", "is", "frauds"] {
            assert!(!of_labels(name), "{name}");
        }
        assert!(of_rows("ID") && of_rows("row_id") && !of_rows("idle"));
        for name in ["customer_id", "TransactionID", "orderId", "card id"] {
            assert!(of_keys(name), "{name}");
        }
        for name in ["paid", "grid", "GRID", "id", "humid"] {
            assert!(!of_keys(name), "{name}");
        }
        assert!(says_normal("Normal.") && says_normal("legit") && !says_normal("1"));
    }
}
