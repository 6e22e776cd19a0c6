//! How files of older formats are read.

use serde_json::{Map, Value, json};

use crate::ClassPrior;
use crate::error::Source;
use crate::estimator::Warning;
use crate::method::Method;

/// The content of the format after `version`.
pub(super) fn upgrade(version: u64, content: Value) -> Result<Value, Source> {
    match version {
        1 => from_version_1(content),
        2 => from_version_2(content),
        3 => from_version_3(content),
        4 => from_version_4(content),
        5 => from_version_5(content),
        6 => from_version_6(content),
        other => Err(format!("there is no format {other}").into()),
    }
}

/// What was fitted, then, where no method was named.
fn usual(to_vectors: bool) -> &'static str {
    if to_vectors { "PUAE" } else { "PUSVDD" }
}

/// Format 1 knew networks alone, and had the settings of all methods in one `options`.
fn from_version_1(content: Value) -> Result<Value, Source> {
    let Value::Object(mut content) = content else {
        return Err("the content must be an object".into());
    };
    let mut take = |name: &str| content.remove(name).ok_or(format!("{name} is missing"));
    let network = take("network")?;
    let Value::Object(mut config) = take("config")? else {
        return Err("the config must be an object".into());
    };
    let options = config.remove("options").unwrap_or_default();
    let usual = usual(network.get("lenet").is_none());
    let name = config
        .get("method")
        .and_then(Value::as_str)
        .unwrap_or(usual);
    config.insert("method".into(), method(name, &options)?);
    content.insert("config".into(), config.into());
    content.insert("sample_shape".into(), sample_shape(&network)?);
    content.insert("model".into(), network);
    Ok(content.into())
}

/// Format 2 had the method in the configuration alone, without its defaults.
fn from_version_2(mut content: Value) -> Result<Value, Source> {
    let one_number = content["sample_shape"]
        .as_array()
        .is_some_and(|s| s.len() == 1);
    let method = match &content["config"]["method"] {
        Value::Null => json!(usual(one_number)),
        method => method.clone(),
    };
    let fields = content
        .as_object_mut()
        .ok_or("the content must be an object")?;
    fields.insert("method".into(), method);
    Ok(content)
}

/// Format 3 did not say what the fit saw.
fn from_version_3(mut content: Value) -> Result<Value, Source> {
    let fields = content
        .as_object_mut()
        .ok_or("the content must be an object")?;
    fields.insert("inputs".into(), Value::Null);
    fields.insert("warnings".into(), json!([Warning::Unchecked]));
    Ok(content)
}

/// Format 4 did not say how the fit's samples, and their sizes, were spread between their ends.
fn from_version_4(mut content: Value) -> Result<Value, Source> {
    if let Some(inputs) = content["inputs"].as_object_mut() {
        inputs.insert("sizes".into(), Value::Null);
        let ends = |name: &str| inputs.get(name).and_then(Value::as_array).cloned();
        let (low, high) = (
            ends("low").unwrap_or_default(),
            ends("high").unwrap_or_default(),
        );
        let usual: Vec<Value> = low
            .into_iter()
            .zip(high)
            .map(|(low, high)| json!([low, high]))
            .collect();
        inputs.insert("usual".into(), usual.into());
        if let Some(warnings) = content["warnings"].as_array_mut() {
            warnings.push(json!(Warning::Unchecked));
        }
    }
    Ok(content)
}

/// Format 5 knew no tables.
fn from_version_5(mut content: Value) -> Result<Value, Source> {
    let fields = content
        .as_object_mut()
        .ok_or("the content must be an object")?;
    fields.insert("encoding".into(), Value::Null);
    Ok(content)
}

/// Format 6 had a class prior that was given, 0.1 if nothing was said.
fn from_version_6(mut content: Value) -> Result<Value, Source> {
    let usual = json!(ClassPrior::default());
    let config = content["config"]
        .as_object_mut()
        .ok_or("the config must be an object")?;
    let prior = config.entry("prior").or_insert(usual).clone();
    let fields = content
        .as_object_mut()
        .ok_or("the content must be an object")?;
    fields.insert("decision_prior".into(), prior);
    fields.insert("prior_estimate".into(), Value::Null);
    fields.insert("folds".into(), Value::Null);
    Ok(content)
}

/// The method of this name with what the options held of it.
fn method(name: &str, options: &Value) -> Result<Value, Source> {
    let method: Method = name.parse()?;
    let pair = method.pair().ok_or("the method must be a network's")?;
    let (detector, objective) = (pair.detector.name(), pair.objective.name());
    let usual = match detector {
        "classifier" => json!({"non_negative": {"beta": 0., "gamma": 1.}}),
        _ => json!("absolute"),
    };
    // As the options have them under other names.
    let fields: &[(&str, &str)] = match detector {
        "denoising" => &[("noise", "noise")],
        "classifier" => &[("loss", "classifier_loss")],
        _ => &[],
    };
    let detector_settings = renamed(fields, options);
    let fields: &[(&str, &str)] = match objective {
        "loe" | "soel" => &[("labels", "loe")],
        "semi-supervised" => &[("weighting", "weighting")],
        "pu" => &[("correction", "correction"), ("pnu_weight", "pnu_weight")],
        _ => &[],
    };
    let mut objective_settings = renamed(fields, options);
    if objective == "pu" {
        objective_settings.entry("correction").or_insert(usual);
    }
    Ok(json!({
        "detector": {detector: detector_settings},
        "objective": {objective: objective_settings},
    }))
}

/// The options that are not null, `(new, old)` names.
fn renamed(fields: &[(&str, &str)], options: &Value) -> Map<String, Value> {
    let field = |(new, old): &(&str, &str)| {
        let value = options.get(old).filter(|value| !value.is_null())?;
        Some((new.to_string(), value.clone()))
    };
    fields.iter().filter_map(field).collect()
}

fn sample_shape(network: &Value) -> Result<Value, Source> {
    let network: crate::net::Network = serde_json::from_value(network.clone())?;
    Ok(json!(network.sample_shape()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detector::{ClassifierLoss, ClassifierSpec, DenoisingSpec};
    use crate::objective::{Correction, LoeLabels, LoeSpec, PuSpec};

    #[test]
    fn options_become_settings_of_their_parts() {
        let options = json!({
            "correction": null, "weighting": "pooled", "classifier_loss": "sigmoid",
            "loe": "soft", "noise": 0.3, "pnu_weight": 0.5,
        });
        let pu = PuSpec {
            pnu_weight: 0.5,
            ..PuSpec::default()
        };
        let loss = ClassifierLoss::Sigmoid;
        let correction = Correction::NON_NEGATIVE;
        let labels = LoeLabels::Soft;
        let denoising = DenoisingSpec {
            noise: 0.3,
            ..DenoisingSpec::default()
        };
        for (name, expected) in [
            ("PUDAE", Method::new(denoising, pu)),
            (
                "PU",
                Method::new(ClassifierSpec { loss }, PuSpec { correction, ..pu }),
            ),
            (
                "LOE",
                Method::new(crate::detector::DeepSvddSpec::default(), LoeSpec { labels }),
            ),
            ("AE", Method::AE),
        ] {
            let method = method(name, &options).unwrap();
            assert_eq!(serde_json::from_value::<Method>(method).unwrap(), expected);
        }
        let clamped = json!({"correction": "clamp"});
        let method = method("PU", &clamped).unwrap();
        assert_eq!(method["objective"], json!({"pu": {"correction": "clamp"}}));
    }
}
