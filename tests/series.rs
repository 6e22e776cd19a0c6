//! Windows of series, and scores back at their points.

use std::ops::Range;

use proptest::prelude::*;
use puad::candle_core::{DType, Device, Tensor};
use puad::data::Samples;
use puad::series::{Series, Windows};
use puad::{Error, Result};

/// Channel 0 is the point's number, channel 1 minus a tenth of it.
fn counted(points: usize) -> Series {
    let both = |t: usize| [t as f32, t as f32 / -10.];
    Series::new((0..points).flat_map(both).collect(), 2).unwrap()
}

/// The first point of each window, by its first value.
fn starts(samples: &Samples) -> Vec<usize> {
    let rows = samples.to_tensor().unwrap().to_vec2::<f32>().unwrap();
    rows.iter().map(|row| row[0] as usize).collect()
}

fn windows() -> impl Strategy<Value = (Windows, usize)> {
    (1usize..20).prop_flat_map(|length| {
        let of = move |suspect| Windows { length, suspect };
        ((1..=length).prop_map(of), length..120)
    })
}

proptest! {
    #[test]
    fn each_point_is_of_one_window((windows, points) in windows()) {
        let series = counted(points);
        let samples = windows.samples(&series).unwrap();
        let starts = starts(&samples);
        let numbers: Vec<f64> = (0..starts.len()).map(|n| n as f64).collect();
        let scores = windows.points(&series, &numbers).unwrap();
        prop_assert_eq!(scores.first(), windows.length - windows.suspect);
        prop_assert_eq!(scores.first() + scores.known().len(), points);
        prop_assert_eq!(scores.get(points), None);
        for point in 0..points {
            let suspect = |start: &usize| {
                let end = start + windows.length;
                (end - windows.suspect..end).contains(&point)
            };
            let first = starts.iter().position(suspect).map(|n| n as f64);
            prop_assert_eq!(scores.get(point), first);
            // Once, but for what the last window has of the one before.
            let of = starts.iter().filter(|start| suspect(start)).count();
            prop_assert!(of <= 1 || of == 2 && point + windows.suspect >= points);
        }
        // A window's values are its points', one after the other.
        let rows = samples.to_tensor().unwrap().to_vec2::<f32>().unwrap();
        for (row, start) in rows.iter().zip(starts) {
            let expected = (start..start + windows.length).flat_map(|t| series.at(t).to_vec());
            prop_assert_eq!(row, &expected.collect::<Vec<_>>());
        }
    }

    #[test]
    fn groups_are_as_events_have_it((windows, points) in windows(), labels in prop::collection::vec(prop::bool::weighted(0.1), 120)) {
        let labels = &labels[..points];
        let series = counted(points).with_labels(labels).unwrap();
        let (mut unlabeled, mut anomalous) = (vec![], vec![]);
        let any = |mut points: Range<usize>| points.any(|point| labels[point]);
        let all = starts(&windows.samples(&series).unwrap());
        for &start in &all {
            let end = start + windows.length;
            if any(end - windows.suspect..end) {
                anomalous.push(start);
            } else if !any(start..end) {
                unlabeled.push(start);
            }
        }
        let share = windows.share(points, series.events()).unwrap();
        prop_assert_eq!(share, anomalous.len() as f64 / all.len() as f64);
        match windows.dataset(std::slice::from_ref(&series)) {
            Ok(data) => {
                prop_assert_eq!(starts(data.unlabeled()), unlabeled);
                prop_assert_eq!(data.anomalies().map_or(vec![], starts), anomalous);
            }
            Err(error) => {
                prop_assert!(unlabeled.is_empty());
                let named = matches!(error, Error::EmptyGroup { group: "unlabeled", .. });
                prop_assert!(named);
            }
        }
    }
}

#[test]
fn several_series_are_one_data_set() -> Result<()> {
    let windows = Windows {
        length: 4,
        suspect: 4,
    };
    let (first, second) = (counted(12).with_events(std::iter::once(5..6))?, counted(9));
    let data = windows.dataset(&[first, second])?;
    assert_eq!(starts(data.unlabeled()), [0, 8, 0, 4, 5]);
    assert_eq!(starts(data.anomalies().unwrap()), [4]);
    let other = Series::new(vec![0.; 8], 1)?;
    let error = windows.dataset(&[counted(12), other]).unwrap_err();
    assert!(
        matches!(error, Error::Shape { what: "series", .. }),
        "{error}"
    );
    assert!(matches!(
        windows.dataset(&[]),
        Err(Error::EmptyGroup { .. })
    ));
    Ok(())
}

#[test]
fn columns_say_channel_and_distance() -> Result<()> {
    let series = counted(5).with_names(&["load", "door"])?;
    let samples = Windows {
        length: 3,
        suspect: 1,
    }
    .samples(&series)?;
    let expected = ["load -2", "door -2", "load -1", "door -1", "load", "door"];
    assert_eq!(samples.names(), expected);
    Ok(())
}

#[test]
fn rows_are_points() -> Result<()> {
    let rows = Tensor::new(&[[0f64, 0.], [1., -0.1], [2., -0.2]], &Device::Cpu)?;
    assert_eq!(Series::of(&Samples::from(rows))?, counted(3));
    let images = Tensor::zeros((2, 1, 4, 4), DType::F32, &Device::Cpu)?;
    let error = Series::of(&Samples::from(images)).unwrap_err();
    assert!(matches!(error, Error::Shape { .. }), "{error}");
    Ok(())
}

#[test]
fn events_are_in_order_and_apart() -> Result<()> {
    let series = counted(20).with_events([9..12, 2..3, 3..5, 11..14])?;
    assert_eq!(series.events(), [2..5, 9..14]);
    let labels: Vec<bool> = (0..20)
        .map(|t| (2..5).contains(&t) || (9..14).contains(&t))
        .collect();
    assert_eq!(counted(20).with_labels(&labels)?, series);
    let part = series.part(4..12)?;
    assert_eq!(
        (part.len(), part.at(0), part.events()),
        (8, &[4., -0.4][..], &[0..1, 5..8][..])
    );
    Ok(())
}

#[test]
fn wrong_input_is_named() {
    assert!(matches!(Series::new(vec![], 1), Err(Error::Shape { .. })));
    assert!(matches!(
        Series::new(vec![0.; 3], 2),
        Err(Error::Shape { .. })
    ));
    assert!(matches!(
        Series::new(vec![0.; 3], 0),
        Err(Error::Shape { .. })
    ));
    let gap = Series::new(vec![0., 1., 2., f32::NAN], 2);
    assert!(matches!(
        gap,
        Err(Error::NonFiniteFeature {
            row: 1,
            column: 1,
            ..
        })
    ));
    let series = counted(10);
    assert!(matches!(
        series.clone().with_names(&["one"]),
        Err(Error::Length {
            left: 1,
            right: 2,
            ..
        })
    ));
    assert!(matches!(
        series.clone().with_labels(&[true]),
        Err(Error::Length {
            left: 1,
            right: 10,
            ..
        })
    ));
    let empty = Range { start: 3, end: 3 };
    for wrong in [empty.clone(), 8..11] {
        let events = series.clone().with_events([wrong.clone()]);
        assert!(matches!(events, Err(Error::Config { name: "event", .. })));
        assert!(matches!(
            series.part(wrong),
            Err(Error::Config { name: "part", .. })
        ));
    }
    for (name, length, suspect) in [
        ("length", 0, 0),
        ("suspect", 4, 0),
        ("suspect", 4, 5),
        ("length", 11, 1),
    ] {
        let error = Windows { length, suspect }.samples(&series).unwrap_err();
        assert!(
            matches!(error, Error::Config { name: found, .. } if found == name),
            "{error}"
        );
    }
    let windows = Windows {
        length: 4,
        suspect: 2,
    };
    let error = windows.points(&series, &[0.; 3]).unwrap_err();
    assert!(
        matches!(
            error,
            Error::Length {
                left: 3,
                right: 4,
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(
        Windows::of(64),
        Windows {
            length: 64,
            suspect: 8
        }
    );
    assert_eq!(Windows::of(3).suspect, 1);
}
