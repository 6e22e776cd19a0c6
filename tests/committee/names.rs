//! Names and settings of committees.

use super::*;

#[test]
fn committees_read_as_they_print() {
    let method: Method = "puforest + classifier/pu+IF".parse().unwrap();
    assert_eq!(method.to_string(), "PUForest + PU + IF");
    let weighed = Committee {
        members: vec![
            Member {
                weight: 0.25,
                prior: Some(ClassPrior::new(0.3).unwrap()),
                ..Method::PUSVDD.into()
            },
            forest().into(),
            Member {
                fits: Some(2),
                ..Method::DAE.into()
            },
        ],
        folds: 7,
    };
    for method in [method, weighed.into(), Method::Auto] {
        let json = serde_json::to_string(&method).unwrap();
        assert_eq!(
            serde_json::from_str::<Method>(&json).unwrap(),
            method,
            "{json}"
        );
    }
    assert_eq!(serde_json::to_string(&Method::Auto).unwrap(), "\"Auto\"");
    let json = r#"{"committee": {"members": [{"method": "PUAE"}]}}"#;
    let method: Method = serde_json::from_str(json).unwrap();
    assert_eq!(method, Committee::of([Method::PUAE]).into());
}

#[test]
fn what_is_no_committee_is_named() {
    let member = |method: Method, weight| Member {
        weight,
        ..method.into()
    };
    let of = |members: Vec<Member>, folds| Committee { members, folds };
    let fitted = |method: Method, fits| Member {
        fits: Some(fits),
        ..method.into()
    };
    let nested = Method::from(pair());
    for (name, committee) in [
        ("members", of(vec![], 5)),
        ("folds", of(vec![Method::PUAE.into()], 1)),
        ("weight", of(vec![member(Method::PUAE, 0.)], 5)),
        ("weight", of(vec![member(Method::PUAE, f64::NAN)], 5)),
        ("fits", of(vec![fitted(Method::DAE, 0)], 5)),
        ("fits", of(vec![fitted(Method::PUAE, 5)], 5)),
        ("weight", of(vec![member(Method::PUAE, f64::MAX); 2], 5)),
        ("member", of(vec![nested.into()], 5)),
        ("member", of(vec![Method::Auto.into()], 5)),
    ] {
        let error = Method::from(committee).check().unwrap_err();
        assert!(
            matches!(&error, Error::Config { name: n, .. } if *n == name),
            "{name}: {error}"
        );
    }
    for name in ["PUAE +", "+", "PUAE + nothing"] {
        assert!(name.parse::<Method>().is_err(), "{name}");
    }
    // A member that needs labels, without any.
    let data = PuDataset::new(points(0).into_samples().unwrap()).unwrap();
    let error = Estimator::new(config(pair(), 1))
        .fit_dataset(&data)
        .unwrap_err();
    assert!(
        matches!(
            error,
            Error::EmptyGroup {
                group: "anomalous",
                ..
            }
        ),
        "{error}"
    );
}

/// Those of models without a name in the paper, too, and a stranger's by its registry.
#[test]
fn members_are_named_as_methods_alone_are() {
    let method: Method = "IF + pu-forest + extra-trees".parse().unwrap();
    assert_eq!(method.to_string(), "IF + PUForest + extra-trees");
    let registry = Registry::default().with_model::<MemorySpec>().unwrap();
    let method = registry.parse("memory + PUAE").unwrap();
    let members = [Method::from(MemorySpec {}), Method::PUAE];
    assert_eq!(method, Committee::of(members).into());
    // The error names the member that is unknown.
    let error = "PUAE + memory".parse::<Method>().unwrap_err().to_string();
    assert!(
        error.contains("memory") && !error.contains("PUAE +"),
        "{error}"
    );
}
