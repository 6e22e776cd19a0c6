//! What differs between two settings.

use serde_json::Value;

/// `path this -> that` for each value that differs, the names of a path joined by points.
pub fn changes(this: &Value, that: &Value) -> Vec<String> {
    let mut told = vec![];
    collect("", Some(this), Some(that), &mut told);
    told
}

fn collect(path: &str, this: Option<&Value>, that: Option<&Value>, told: &mut Vec<String>) {
    if this == that {
        return;
    }
    if let (Some(Value::Object(a)), Some(Value::Object(b))) = (this, that) {
        let mut names: Vec<&String> = a.keys().chain(b.keys()).collect();
        names.sort();
        names.dedup();
        for name in names {
            let point = if path.is_empty() { "" } else { "." };
            collect(
                &format!("{path}{point}{name}"),
                a.get(name),
                b.get(name),
                told,
            );
        }
        return;
    }
    let text = |value: Option<&Value>| value.map_or("nothing".into(), Value::to_string);
    told.push(format!("{path} {} -> {}", text(this), text(that)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_value_that_differs_is_told_by_its_path() {
        let this = json!({"train": {"epochs": 200, "rate": 0.1}, "prior": 0.1, "old": 1});
        let that = json!({"train": {"epochs": 30, "rate": 0.1}, "prior": {"dedpul": {}}});
        let told = [
            "old 1 -> nothing",
            "prior 0.1 -> {\"dedpul\":{}}",
            "train.epochs 200 -> 30",
        ];
        assert_eq!(changes(&this, &that), told);
        assert_eq!(changes(&this, &this), Vec::<String>::new());
    }
}
