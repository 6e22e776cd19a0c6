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
        let of = move |(suspect, stride)| Windows {
            length,
            suspect,
            stride,
        };
        ((1..=length, 1usize..9).prop_map(of), length..120)
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
        let any = |mut points: Range<usize>| points.any(|point| labels[point]);
        let is_hit = |start: usize| any(start + windows.length - windows.suspect..start + windows.length);
        let all = starts(&windows.samples(&series).unwrap());
        let hit = all.iter().filter(|&&start| is_hit(start)).count();
        let share = windows.share(points, series.events()).unwrap();
        prop_assert_eq!(share, hit as f64 / all.len() as f64);

        let every = 0..=points - windows.length;
        let anomalous: Vec<usize> = every.clone().filter(|&start| is_hit(start)).collect();
        let is_clean = |&start: &usize| !any(start..start + windows.length);
        let unlabeled: Vec<usize> = every.step_by(windows.stride).filter(is_clean).collect();
        let data = match windows.dataset(std::slice::from_ref(&series)) {
            Ok(data) => data,
            Err(error) => {
                let named = matches!(error, Error::EmptyGroup { group: "unlabeled", .. });
                prop_assert!(named);
                // Few enough to stand across the borders.
                prop_assert!(unlabeled.len() < 20 * windows.length);
                return Ok(());
            }
        };
        prop_assert_eq!(data.anomalies().map_or(vec![], starts), anomalous.clone());
        // A block an event, but for those less than a window apart.
        for (start, block) in anomalous.iter().zip(data.anomalies().into_iter().flat_map(|a| a.blocks().unwrap())) {
            let end = start + windows.length;
            let at = series.events().iter().position(|event| event.end > end - windows.suspect).unwrap();
            let pairs = series.events()[..=at].windows(2);
            let apart = pairs.filter(|pair| pair[1].start - pair[0].end >= windows.length).count();
            prop_assert_eq!(*block as usize, apart);
        }
        let (kept, blocks) = (starts(data.unlabeled()), data.unlabeled().blocks().unwrap());
        prop_assert!(kept.iter().all(|start| unlabeled.contains(start)));
        prop_assert!(blocks.is_sorted());
        let borders = blocks.windows(2).filter(|pair| pair[0] != pair[1]).count();
        for (pair, of) in kept.windows(2).zip(blocks.windows(2)) {
            prop_assert!(of[0] == of[1] || pair[0] + windows.length <= pair[1]);
        }
        if points < 4 * windows.length {
            prop_assert_eq!((borders, &kept), (0, &unlabeled));
        }
    }
}

#[test]
fn several_series_are_one_data_set() -> Result<()> {
    let windows = Windows {
        length: 4,
        suspect: 4,
        stride: 4,
    };
    let (first, second) = (counted(12).with_events(std::iter::once(5..6))?, counted(9));
    let data = windows.dataset(&[first, second])?;
    assert_eq!(starts(data.unlabeled()), [0, 8, 0, 4]);
    assert_eq!(data.unlabeled().blocks(), Some(&[0, 0, 1, 1][..]));
    assert_eq!(starts(data.anomalies().unwrap()), [2, 3, 4, 5]);
    assert_eq!(data.anomalies().unwrap().blocks(), Some(&[0; 4][..]));
    let shorter = windows
        .dataset(&[counted(12), counted(3)])
        .unwrap_err()
        .to_string();
    assert!(shorter.contains("4, and series 1 has 3"), "{shorter}");
    let events = |series: Series| series.with_events([1..2, 8..9]);
    let data = windows.dataset(&[events(counted(12))?, events(counted(12))?])?;
    let blocks = data.anomalies().unwrap().blocks().unwrap();
    assert_eq!(blocks, [0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 3, 3]);
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
        stride: 1,
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
}

#[test]
fn wrong_windows_are_named() {
    let series = counted(10);
    for (name, length, suspect, stride) in [
        ("length", 0, 0, 1),
        ("suspect", 4, 0, 1),
        ("suspect", 4, 5, 1),
        ("stride", 4, 2, 0),
        ("length", 11, 1, 1),
    ] {
        let windows = Windows {
            length,
            suspect,
            stride,
        };
        let series = std::slice::from_ref(&series);
        for error in [
            windows.samples(&series[0]).unwrap_err(),
            windows.dataset(series).unwrap_err(),
        ] {
            let named = matches!(error, Error::Config { name: found, .. } if found == name);
            assert!(named, "{error}");
        }
    }
    let windows = Windows {
        length: 4,
        suspect: 2,
        stride: 2,
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
            suspect: 8,
            stride: 8,
        }
    );
    assert_eq!(Windows::of(3).suspect, 1);
}

#[test]
fn the_share_of_events_is_that_in_any_order() -> Result<()> {
    let windows = Windows::of(8);
    let share = |events: &[Range<usize>]| windows.share(1000, events);
    let expected = share(&[5..10, 500..512])?;
    assert_eq!(share(&[500..510, 5..10, 508..512])?, expected);
    // Windows of 8 points for each last one, from the eighth on: 3 and 12 of 993.
    assert_eq!(expected, 15. / 993.);
    Ok(())
}

#[test]
fn names_of_channels_differ() {
    let error = counted(5)
        .with_names(&["heat", "heat"])
        .unwrap_err()
        .to_string();
    assert!(error.contains("\"heat\" twice"), "{error}");
}

#[test]
fn many_labeled_points_are_thinned() -> Result<()> {
    let windows = Windows {
        length: 16,
        suspect: 8,
        stride: 8,
    };
    let series = counted(60_000).with_events([5_000..45_000, 50_000..50_001])?;
    let data = windows.dataset(&[series])?;
    let anomalies = data.anomalies().unwrap();
    // Of 40,007 windows of the first event and 8 of the second every fifth.
    assert!(
        (8_000..8_010).contains(&anomalies.len()),
        "{}",
        anomalies.len()
    );
    let of_second = anomalies
        .blocks()
        .unwrap()
        .iter()
        .filter(|block| **block == 1)
        .count();
    assert!((1..=2).contains(&of_second), "{of_second}");
    Ok(())
}
