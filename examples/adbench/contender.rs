//! Methods by name, at their defaults or with settings of a file.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, ensure};
use puad::FitConfig;
use puad::method::{Method, Registry};
use serde_json::Value;

/// The name of what a fit takes where no method is named.
const UNNAMED: &str = "default";

/// Run where none is asked for.
const USUAL: [&str; 5] = ["Auto", "PUForest", "PUAE", "PU", "IF"];

/// A method with its settings, and what tables call it.
#[derive(Clone, Debug, PartialEq)]
pub struct Contender {
    pub name: String,
    /// But for the seed, which is the cell's.
    config: FitConfig,
}

impl Contender {
    /// Those asked for by name, each once, and those of a file.
    pub fn all(names: &[String], file: Option<&Path>) -> anyhow::Result<Vec<Self>> {
        let usual = USUAL.map(String::from);
        let names = match (names, file) {
            ([], None) => &usual[..],
            (names, _) => names,
        };
        let mut all: Vec<Self> = vec![];
        for name in names {
            let contender = Self::named(name)?;
            if !all.contains(&contender) {
                all.push(contender);
            }
        }
        for contender in file.map_or(Ok(vec![]), Self::of_file)? {
            let has_name = |other: &Self| other.name == contender.name;
            let name = &contender.name;
            ensure!(
                !all.iter().any(has_name),
                "{name:?} is a method of --methods and a name in --configs: give the latter a name of its own"
            );
            all.push(contender);
        }
        Ok(all)
    }

    fn named(name: &str) -> puad::Result<Self> {
        let method = match name {
            UNNAMED => None,
            name => Some(Registry::default().parse(name)?),
        };
        Ok(Self {
            name: method.as_ref().map_or(UNNAMED.into(), Method::to_string),
            config: FitConfig {
                method,
                ..FitConfig::default()
            },
        })
    }

    fn of_file(path: &Path) -> anyhow::Result<Vec<Self>> {
        let place = || format!("{}", path.display());
        let text = std::fs::read_to_string(path).with_context(place)?;
        let rule = "an object of names and settings of a fit is wanted";
        let all: BTreeMap<String, FitConfig> =
            serde_json::from_str(&text).with_context(|| format!("{}: {rule}", path.display()))?;
        let contender = |(name, config): (String, FitConfig)| {
            let place = || format!("{}, {name:?}", path.display());
            config.check().with_context(place)?;
            ensure!(
                config.train.seed == 0,
                "{}: the seed is the cell's, by --seeds, got train.seed {}",
                place(),
                config.train.seed
            );
            Ok(Self { name, config })
        };
        all.into_iter().map(contender).collect()
    }

    /// The settings of its fit on a cell.
    pub fn config(&self, seed: u64) -> FitConfig {
        let mut config = self.config.clone();
        config.train.seed = seed;
        config
    }

    /// The settings as rows have them: all but the seed, and what Auto is for vectors with labels.
    pub fn settings(&self) -> Value {
        let mut settings = serde_json::to_value(&self.config).unwrap_or_default();
        if let Some(train) = settings.get_mut("train").and_then(Value::as_object_mut) {
            train.remove("seed");
        }
        if matches!(self.config.method, None | Some(Method::Auto)) {
            let auto = self.config.method_for(&[1], true);
            settings["auto"] = serde_json::to_value(auto).unwrap_or_default();
        }
        settings
    }

    /// The most epochs of a phase.
    pub fn epochs(&self) -> u32 {
        u32::try_from(self.config.train.epochs).unwrap_or(u32::MAX)
    }
}

/// Where a method stands in tables: as it was asked for, else as it is usual, others behind.
pub fn place(asked: &[String], method: &str) -> usize {
    let usual = USUAL.map(String::from);
    let order = if asked.is_empty() { &usual[..] } else { asked };
    let is_it = |name: &String| name.eq_ignore_ascii_case(method);
    order.iter().position(is_it).unwrap_or(order.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(names: &[&str], json: Option<&str>) -> anyhow::Result<Vec<Contender>> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("configs.json");
        if let Some(json) = json {
            std::fs::write(&path, json).unwrap();
        }
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        Contender::all(&names, json.map(|_| path.as_path()))
    }

    fn names(all: &[Contender]) -> Vec<&str> {
        all.iter()
            .map(|contender| contender.name.as_str())
            .collect()
    }

    #[test]
    fn names_are_the_registrys() {
        assert_eq!(names(&all(&[], None).unwrap()), USUAL);
        let asked = all(
            &["puae", "PUAE", "extra-trees", "default", "rotation/pu"],
            None,
        )
        .unwrap();
        assert_eq!(
            names(&asked),
            ["PUAE", "extra-trees", "default", "rotation/pu"]
        );
        assert_eq!(asked[0].config.method, Some(Method::PUAE));
        assert_eq!(asked[2].config, FitConfig::default());
        let error = all(&["nothing"], None).unwrap_err().to_string();
        assert!(error.contains("got nothing"), "{error}");
    }

    #[test]
    fn tables_have_the_order_that_was_asked_for() {
        let asked = ["if".to_string(), "PUAE".into()];
        let places = ["IF", "PUAE", "AE"].map(|method| place(&asked, method));
        assert_eq!(places, [0, 1, 2]);
        assert_eq!(
            ["PUAE", "IF", "AE"].map(|method| place(&[], method)),
            [2, 4, 5]
        );
    }

    #[test]
    fn a_file_has_names_and_settings() {
        let json = r#"{"PUAE, 30 epochs": {"method": "PUAE", "train": {"epochs": 30}}, "A": {}}"#;
        let configs = all(&[], Some(json)).unwrap();
        assert_eq!(names(&configs), ["A", "PUAE, 30 epochs"]);
        assert_eq!(configs[1].epochs(), 30);
        assert_eq!(configs[1].config(7).train.seed, 7);
        assert_eq!(configs[1].settings().pointer("/train/seed"), None);
        assert_eq!(names(&all(&["IF"], Some(json)).unwrap())[0], "IF");
        for (names, json, told) in [
            (&["PUAE"][..], r#"{"PUAE": {}}"#, "a name of its own"),
            (&[], r#"{"A": {"epochs": 30}}"#, "names and settings"),
            (&[], r#"{"A": {"train": {"seed": 3}}}"#, "train.seed 3"),
            (&[], r#"{"A": {"validation_fraction": 2}}"#, "\"A\""),
        ] {
            let error = format!("{:#}", all(names, Some(json)).unwrap_err());
            assert!(error.contains(told), "{error}");
        }
    }
}
