use std::collections::BTreeSet;

use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use super::{GroupIndices, PuSplit, SplitIndices, TestKind};
use crate::data::dataset::hold_out;
use crate::data::samples::Units;
use crate::data::{ImageShape, Samples, TrainTest};
use crate::rng::{Purpose, substream};
use crate::{Error, Result};

/// The parts as errors name them.
const TRAINING: &str = "the training set";
const TEST: &str = "the test set";

/// Which classes are normal, seen and unseen anomalies, and how many samples of each are drawn.
///
/// Training: `unlabeled_normals` and `unlabeled_anomalies` without their labels, and
/// `labeled_anomalies` and `labeled_normals`, of which the share `validation_fraction` of each group is held
/// out. Test: up to the given number of each kind. Unseen classes are in no training set. Defaults: section 5.1 of
/// the paper, with class 1 as normal and class 0 as unseen (as in its Figure 2).
///
/// ```
/// use puad::data::protocol::{ContaminatedSplit, TestKind};
///
/// let labels: Vec<u8> = (0..100).map(|i| i % 10).collect();
/// let split = ContaminatedSplit {
///     unlabeled_normals: 8,
///     unlabeled_anomalies: 4,
///     labeled_anomalies: 4,
///     validation_fraction: 0.25,
///     ..ContaminatedSplit::new(8)
/// };
/// let indices = split.indices(&labels, &labels, 0)?;
/// assert_eq!(indices.train.unlabeled.len() + indices.validation.unlabeled.len(), 12);
/// assert!(indices.train.anomalies.iter().all(|&i| ![0, 8].contains(&labels[i as usize])));
/// // Ten of each class: fewer than the default numbers asked for.
/// let unseen = indices.kinds.iter().filter(|&&kind| kind == TestKind::Unseen).count();
/// assert_eq!(unseen, 10);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ContaminatedSplit {
    /// Normal classes, at least one.
    pub normal: BTreeSet<u8>,
    /// Classes of unseen anomalies.
    pub unseen: BTreeSet<u8>,
    /// Classes of seen anomalies; `None` for all others of the training labels.
    pub seen: Option<BTreeSet<u8>>,
    /// Normals among the unlabeled samples, >= 1.
    pub unlabeled_normals: usize,
    /// Seen anomalies among the unlabeled samples.
    pub unlabeled_anomalies: usize,
    /// Labeled seen anomalies.
    pub labeled_anomalies: usize,
    /// Labeled normals: others than the unlabeled ones. Default: none.
    pub labeled_normals: usize,
    /// Share of each training group that is held out for validation, in (0, 1).
    pub validation_fraction: f64,
    /// The most normals in the test set.
    pub test_normals: usize,
    /// The most seen anomalies in the test set.
    pub test_seen: usize,
    /// The most unseen anomalies in the test set.
    pub test_unseen: usize,
}

impl Default for ContaminatedSplit {
    fn default() -> Self {
        Self {
            normal: [1].into(),
            unseen: [0].into(),
            seen: None,
            unlabeled_normals: 4500,
            unlabeled_anomalies: 250,
            labeled_anomalies: 250,
            labeled_normals: 0,
            validation_fraction: 0.1,
            test_normals: 1000,
            test_seen: 500,
            test_unseen: 500,
        }
    }
}

/// The random choices of a split, each a stream of its own; `PuDataset::split` has 0 to 2.
#[derive(Clone, Copy)]
enum Draw {
    TrainNormal = 16,
    TrainSeen = 17,
    TestNormal = 18,
    TestSeen = 19,
    TestUnseen = 20,
    HoldUnlabeled = 21,
    HoldAnomalies = 22,
    HoldNormals = 23,
}

impl ContaminatedSplit {
    /// The paper's numbers with `normal` as the one normal class.
    pub fn new(normal: u8) -> Self {
        Self {
            normal: [normal].into(),
            ..Default::default()
        }
    }

    /// The true class prior `alpha` of the unlabeled samples: 250 / 4750 with the paper's numbers
    /// (which trains with 0.1).
    pub fn contamination(&self) -> f64 {
        let anomalies = self.unlabeled_anomalies as f64;
        anomalies / (anomalies + self.unlabeled_normals as f64)
    }

    /// Draws the split, without replacement. `train_labels` and `test_labels`: a class a sample. The
    /// same seed gives the same split; more labeled anomalies or normals leave the unlabeled samples as they
    /// are.
    ///
    /// # Errors
    /// [`Error::TooFewSamples`] for classes with fewer samples than asked for in training or
    /// with none in test, [`Error::Config`] for a class with two roles, and as
    /// [`PuDataset::split`](crate::data::PuDataset::split).
    pub fn indices(
        &self,
        train_labels: &[u8],
        test_labels: &[u8],
        seed: u64,
    ) -> Result<SplitIndices> {
        if self.unlabeled_normals == 0 {
            return Err(Error::config("unlabeled_normals", "at least 1", 0));
        }
        let seen = self.seen_classes(train_labels)?;
        let GroupIndices {
            unlabeled,
            anomalies,
            normals,
        } = self.training(train_labels, &seen, seed)?;
        let hold = |ids: Vec<u32>, group, draw| {
            if ids.is_empty() {
                return Ok((ids.clone(), ids));
            }
            let mut rng = substream(seed, Purpose::Split, draw as u64);
            let (kept, held) = hold_out(
                &Units::each(ids.len()),
                self.validation_fraction,
                group,
                &mut rng,
            )?;
            let take = |at: Vec<u32>| at.iter().map(|&i| ids[i as usize]).collect();
            Ok::<(Vec<u32>, Vec<u32>), Error>((take(kept), take(held)))
        };
        let unlabeled = hold(unlabeled, "unlabeled", Draw::HoldUnlabeled)?;
        let anomalies = hold(anomalies, "anomalous", Draw::HoldAnomalies)?;
        let normals = hold(normals, "normal", Draw::HoldNormals)?;
        let (test, kinds) = self.test(test_labels, &seen, seed)?;
        Ok(SplitIndices {
            train: GroupIndices {
                unlabeled: unlabeled.0,
                anomalies: anomalies.0,
                normals: normals.0,
            },
            validation: GroupIndices {
                unlabeled: unlabeled.1,
                anomalies: anomalies.1,
                normals: normals.1,
            },
            test,
            kinds,
        })
    }

    /// Splits images, which become samples of shape `output` (see [`Samples::images`](crate::data::Samples::images)).
    ///
    /// # Errors
    /// As [`indices`](Self::indices) and [`Samples::images`](crate::data::Samples::images).
    pub fn split(&self, images: &TrainTest, output: ImageShape, seed: u64) -> Result<PuSplit> {
        let (train, test) = (&images.train, &images.test);
        let indices = self.indices(train.labels(), test.labels(), seed)?;
        indices.apply(
            &Samples::images(train, output)?,
            &Samples::images(test, output)?,
        )
    }

    /// The seen classes; no class may have two roles.
    fn seen_classes(&self, labels: &[u8]) -> Result<BTreeSet<u8>> {
        let shared =
            |a: &BTreeSet<u8>, first, b: &BTreeSet<u8>, second| match a.intersection(b).next() {
                Some(class) => {
                    let rule = "classes without another role";
                    let value = format!("{class}, which is {second} too");
                    Err(Error::config(first, rule, value))
                }
                None => Ok(()),
            };
        shared(&self.normal, "normal", &self.unseen, "unseen")?;
        let Some(seen) = &self.seen else {
            let all: BTreeSet<u8> = labels.iter().copied().collect();
            let others = all.iter().filter(|&c| !self.normal.contains(c));
            return Ok(others
                .filter(|&c| !self.unseen.contains(c))
                .copied()
                .collect());
        };
        shared(&self.normal, "normal", seen, "seen")?;
        shared(&self.unseen, "unseen", seen, "seen")?;
        Ok(seen.clone())
    }

    /// `U`, `A` and `N`, each ascending.
    fn training(&self, labels: &[u8], seen: &BTreeSet<u8>, seed: u64) -> Result<GroupIndices> {
        let draw = |role, classes: &BTreeSet<u8>, needed, draw| {
            // A class named in vain is a slip, however many samples the others have.
            for &class in classes {
                if needed > 0 && !labels.contains(&class) {
                    return Err(too_few(TRAINING, role, &[class].into(), 1, 0));
                }
            }
            let ids = shuffled(labels, classes, seed, draw);
            if ids.len() < needed {
                return Err(too_few(TRAINING, role, classes, needed, ids.len()));
            }
            Ok(ids)
        };
        let anomalies = self
            .unlabeled_anomalies
            .saturating_add(self.labeled_anomalies);
        let all = self.unlabeled_normals.saturating_add(self.labeled_normals);
        let mut unlabeled = draw("normal", &self.normal, all, Draw::TrainNormal)?;
        let mut seen = draw("seen", seen, anomalies, Draw::TrainSeen)?;
        unlabeled.truncate(all);
        seen.truncate(anomalies);
        let mut normals = unlabeled.split_off(self.unlabeled_normals);
        let mut labeled = seen.split_off(self.unlabeled_anomalies);
        unlabeled.append(&mut seen);
        unlabeled.sort_unstable();
        labeled.sort_unstable();
        normals.sort_unstable();
        Ok(GroupIndices {
            unlabeled,
            anomalies: labeled,
            normals,
        })
    }

    /// Normals, seen, unseen, each ascending, and their kinds.
    fn test(
        &self,
        labels: &[u8],
        seen: &BTreeSet<u8>,
        seed: u64,
    ) -> Result<(Vec<u32>, Vec<TestKind>)> {
        use TestKind::{Normal, Seen, Unseen};
        let (mut all, mut kinds) = (Vec::new(), Vec::new());
        for (kind, role, classes, most, draw) in [
            (
                Normal,
                "normal",
                &self.normal,
                self.test_normals,
                Draw::TestNormal,
            ),
            (Seen, "seen", seen, self.test_seen, Draw::TestSeen),
            (
                Unseen,
                "unseen",
                &self.unseen,
                self.test_unseen,
                Draw::TestUnseen,
            ),
        ] {
            let mut ids = shuffled(labels, classes, seed, draw);
            if ids.is_empty() && most > 0 {
                return Err(too_few(TEST, role, classes, 1, 0));
            }
            ids.truncate(most);
            ids.sort_unstable();
            kinds.resize(kinds.len() + ids.len(), kind);
            all.append(&mut ids);
        }
        Ok((all, kinds))
    }
}

/// The split of section 5.1 with its numbers of samples.
///
/// ```
/// use puad::data::protocol::ContaminatedSplit;
/// use puad::data::tasks::PaperDataset;
///
/// let people = 14;
/// let split = ContaminatedSplit::from(&PaperDataset::Cifar100.tasks()[0]);
/// assert_eq!((split.normal.len(), split.seen.unwrap().len()), (13, 6));
/// assert!(split.unseen.contains(&people) && split.unlabeled_normals == 4500);
/// ```
#[cfg(feature = "benchmarks")]
impl From<&crate::data::tasks::Task> for ContaminatedSplit {
    fn from(task: &crate::data::tasks::Task) -> Self {
        Self {
            normal: task.normal.clone(),
            seen: Some(task.seen.clone()),
            unseen: task.unseen.clone(),
            ..Self::default()
        }
    }
}

fn too_few(
    what: &'static str,
    group: &'static str,
    classes: &BTreeSet<u8>,
    needed: usize,
    available: usize,
) -> Error {
    Error::TooFewSamples {
        what,
        group,
        classes: classes.iter().copied().collect(),
        needed,
        available,
    }
}

/// All positions of the classes in random order.
fn shuffled(labels: &[u8], classes: &BTreeSet<u8>, seed: u64, draw: Draw) -> Vec<u32> {
    let positions = labels.iter().enumerate();
    let chosen = positions.filter(|(_, class)| classes.contains(class));
    let mut ids: Vec<u32> = chosen.map(|(i, _)| i as u32).collect();
    ids.shuffle(&mut substream(seed, Purpose::Split, draw as u64));
    ids
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::ImageSet;
    use proptest::prelude::*;
    use std::mem::discriminant;

    /// `per_class` of each of `classes` classes, interleaved.
    fn labels(classes: u8, per_class: usize) -> Vec<u8> {
        (0..per_class).flat_map(|_| 0..classes).collect()
    }

    fn small() -> ContaminatedSplit {
        ContaminatedSplit {
            unlabeled_normals: 40,
            unlabeled_anomalies: 20,
            labeled_anomalies: 10,
            test_normals: 30,
            test_seen: 20,
            test_unseen: 15,
            ..ContaminatedSplit::new(3)
        }
    }

    fn has(error: Error, expected: Error) {
        assert_eq!(error.to_string(), expected.to_string());
        assert_eq!(discriminant(&error), discriminant(&expected));
    }

    #[test]
    fn the_defaults_are_section_5_1() {
        let split = ContaminatedSplit::new(8);
        assert_eq!(split.contamination(), 250. / 4750.);
        let (train, test) = (labels(10, 5000), labels(10, 1000));
        let s = split.indices(&train, &test, 0).unwrap();
        let sizes = |g: &GroupIndices| (g.unlabeled.len(), g.anomalies.len());
        assert_eq!(
            (sizes(&s.train), sizes(&s.validation)),
            ((4275, 225), (475, 25))
        );
        let count = |kind| s.kinds.iter().filter(|&&k| k == kind).count();
        let kinds = [TestKind::Normal, TestKind::Seen, TestKind::Unseen];
        assert_eq!(kinds.map(count), [1000, 500, 500]);
        let unlabeled = [s.train.unlabeled, s.validation.unlabeled].concat();
        let normals = unlabeled
            .iter()
            .filter(|&&i| train[i as usize] == 8)
            .count();
        assert_eq!((normals, unlabeled.len()), (4500, 4750));
    }

    proptest! {
        #[test]
        fn groups_are_disjoint_and_of_their_classes(
            normal in 1u8..6, second in 6u8..8, seed in 0u64..1000, fraction in 0.05..0.6f64,
        ) {
            let (train, test) = (labels(10, 60), labels(10, 40));
            let split = ContaminatedSplit {
                normal: [normal, second].into(),
                unseen: [0, 9].into(),
                validation_fraction: fraction,
                ..small()
            };
            let s = split.indices(&train, &test, seed).unwrap();
            let mut used = Vec::new();
            for part in [&s.train, &s.validation] {
                prop_assert!(part.unlabeled.is_sorted() && part.anomalies.is_sorted());
                used.extend([part.unlabeled.as_slice(), &part.anomalies].concat());
                for &i in &part.anomalies {
                    prop_assert!(![0, 9, normal, second].contains(&train[i as usize]));
                }
            }
            for &i in &used {
                prop_assert!(![0, 9].contains(&train[i as usize]));
            }
            let normals = used.iter().filter(|&&i| [normal, second].contains(&train[i as usize]));
            prop_assert_eq!(normals.count(), 40);
            prop_assert_eq!(used.len(), 70);
            prop_assert_eq!(used.iter().collect::<BTreeSet<_>>().len(), 70);

            prop_assert_eq!(s.test.len(), 65);
            prop_assert_eq!(s.test.iter().collect::<BTreeSet<_>>().len(), 65);
            for (&i, kind) in s.test.iter().zip(&s.kinds) {
                let class = test[i as usize];
                let expected = match class {
                    0 | 9 => TestKind::Unseen,
                    c if c == normal || c == second => TestKind::Normal,
                    _ => TestKind::Seen,
                };
                prop_assert_eq!(*kind, expected);
            }
            prop_assert_eq!(&s, &split.indices(&train, &test, seed).unwrap());
            prop_assert_ne!(&s, &split.indices(&train, &test, seed + 1).unwrap());
        }
    }

    #[test]
    fn seen_classes_can_be_chosen() {
        let (train, test) = (labels(10, 60), labels(10, 40));
        let split = ContaminatedSplit {
            seen: Some([5].into()),
            ..small()
        };
        let s = split.indices(&train, &test, 0).unwrap();
        assert!(s.train.anomalies.iter().all(|&i| train[i as usize] == 5));
        let seen = s
            .test
            .iter()
            .zip(&s.kinds)
            .filter(|(_, k)| **k == TestKind::Seen);
        assert!(seen.map(|(&i, _)| test[i as usize]).all(|class| class == 5));
    }

    #[test]
    fn more_labels_leave_the_unlabeled_samples_as_they_are() {
        let (train, test) = (labels(10, 60), labels(10, 40));
        let few = small().indices(&train, &test, 7).unwrap();
        let split = ContaminatedSplit {
            labeled_anomalies: 30,
            ..small()
        };
        let many = split.indices(&train, &test, 7).unwrap();
        assert_eq!(few.train.unlabeled, many.train.unlabeled);
        assert_eq!(few.validation.unlabeled, many.validation.unlabeled);
        let of = |s: &SplitIndices| -> BTreeSet<u32> {
            let both = [s.train.anomalies.as_slice(), &s.validation.anomalies].concat();
            both.into_iter().collect()
        };
        assert!(of(&few).is_subset(&of(&many)));
    }

    #[test]
    fn labeled_normals_are_others_than_the_unlabeled_ones() {
        let (train, test) = (labels(10, 60), labels(10, 40));
        let without = small().indices(&train, &test, 7).unwrap();
        let split = ContaminatedSplit {
            labeled_normals: 20,
            ..small()
        };
        let with = split.indices(&train, &test, 7).unwrap();
        for (part, same) in [
            (&with.train, &without.train),
            (&with.validation, &without.validation),
        ] {
            assert_eq!(part.unlabeled, same.unlabeled);
            assert_eq!(part.anomalies, same.anomalies);
            assert!(same.normals.is_empty() && part.normals.is_sorted());
        }
        assert_eq!((&with.test, &with.kinds), (&without.test, &without.kinds));
        assert_eq!(
            (with.train.normals.len(), with.validation.normals.len()),
            (18, 2)
        );
        // All sixty threes: forty unlabeled ones, and these.
        let parts = [&with.train, &with.validation];
        let used = parts.iter().flat_map(|p| [&p.unlabeled, &p.normals]);
        let threes: BTreeSet<u32> = used
            .flatten()
            .copied()
            .filter(|&i| train[i as usize] == 3)
            .collect();
        assert_eq!(threes.len(), 60);
        let samples = Samples::from(
            candle_core::Tensor::zeros(
                (600, 2),
                candle_core::DType::F32,
                &candle_core::Device::Cpu,
            )
            .unwrap(),
        );
        let parts = with.apply(&samples, &samples).unwrap();
        assert_eq!(parts.train.normals().map(Samples::len), Some(18));
        assert_eq!(parts.validation.normals().map(Samples::len), Some(2));
    }

    #[test]
    fn too_few_samples_are_errors() {
        let (train, test) = (labels(10, 60), labels(10, 40));
        let fails = |split: ContaminatedSplit, what, group, classes: &[u8], needed, available| {
            let err = split.indices(&train, &test, 0).unwrap_err();
            has(
                err,
                Error::TooFewSamples {
                    what,
                    group,
                    classes: classes.to_vec(),
                    needed,
                    available,
                },
            );
        };
        let normals = ContaminatedSplit {
            unlabeled_normals: 61,
            ..small()
        };
        fails(normals, TRAINING, "normal", &[3], 61, 60);
        let normals = ContaminatedSplit {
            labeled_normals: 21,
            ..small()
        };
        fails(normals, TRAINING, "normal", &[3], 61, 60);
        let seen = ContaminatedSplit {
            unlabeled_anomalies: 471,
            ..small()
        };
        fails(seen, TRAINING, "seen", &[1, 2, 4, 5, 6, 7, 8, 9], 481, 480);
        let none = ContaminatedSplit {
            normal: BTreeSet::new(),
            ..small()
        };
        fails(none, TRAINING, "normal", &[], 40, 0);
        let missing = ContaminatedSplit {
            normal: [3, 77].into(),
            ..small()
        };
        fails(missing, TRAINING, "normal", &[77], 1, 0);
        let unseen = ContaminatedSplit {
            unseen: [78].into(),
            ..small()
        };
        fails(unseen, TEST, "unseen", &[78], 1, 0);
        let unused = ContaminatedSplit {
            unseen: BTreeSet::new(),
            test_unseen: 0,
            ..small()
        };
        assert_eq!(unused.indices(&train, &test, 0).unwrap().test.len(), 50);
        let err = small().indices(&train, &[1, 3, 3], 0).unwrap_err();
        assert!(matches!(
            err,
            Error::TooFewSamples {
                what: TEST,
                group: "unseen",
                ..
            }
        ));
        assert!(small().indices(&[], &[], 0).is_err());
    }

    #[test]
    fn a_class_has_one_role() {
        let (train, test) = (labels(10, 60), labels(10, 40));
        for (split, class, first, second) in [
            (
                ContaminatedSplit {
                    unseen: [3].into(),
                    ..small()
                },
                3,
                "normal",
                "unseen",
            ),
            (
                ContaminatedSplit {
                    seen: Some([2, 3].into()),
                    ..small()
                },
                3,
                "normal",
                "seen",
            ),
            (
                ContaminatedSplit {
                    seen: Some([0, 2].into()),
                    ..small()
                },
                0,
                "unseen",
                "seen",
            ),
        ] {
            let err = split.indices(&train, &test, 0).unwrap_err();
            let value = format!("{class}, which is {second} too");
            has(
                err,
                Error::config(first, "classes without another role", value),
            );
        }
    }

    #[test]
    fn numbers_outside_their_range_are_errors() {
        let (train, test) = (labels(10, 60), labels(10, 40));
        for (expected, split) in [
            (
                "unlabeled_normals",
                ContaminatedSplit {
                    unlabeled_normals: 0,
                    ..small()
                },
            ),
            (
                "validation_fraction",
                ContaminatedSplit {
                    validation_fraction: 1.,
                    ..small()
                },
            ),
        ] {
            let err = split.indices(&train, &test, 0).unwrap_err();
            assert!(
                matches!(err, Error::Config { name, .. } if name == expected),
                "{err}"
            );
        }
        let one = ContaminatedSplit {
            labeled_anomalies: 1,
            ..small()
        };
        let err = one.indices(&train, &test, 0).unwrap_err();
        has(
            err,
            Error::TooFewSamples {
                what: "a split",
                group: "anomalous",
                classes: vec![],
                needed: 2,
                available: 1,
            },
        );
        let huge = ContaminatedSplit {
            unlabeled_anomalies: usize::MAX,
            labeled_anomalies: usize::MAX,
            ..small()
        };
        let err = huge.indices(&train, &test, 0).unwrap_err();
        assert!(matches!(err, Error::TooFewSamples { available: 480, .. }));
    }

    #[test]
    fn images_carry_their_classes() {
        let shape = ImageShape {
            channels: 1,
            height: 1,
            width: 1,
        };
        let set = |per_class| {
            let labels = labels(10, per_class);
            ImageSet::new(labels.clone(), shape, labels).unwrap()
        };
        let images = TrainTest {
            train: set(60),
            test: set(40),
        };
        let split = small().split(&images, shape, 0).unwrap();
        let classes = |samples: &Samples| -> Vec<u8> {
            let values = samples.to_tensor().unwrap().flatten_all().unwrap();
            let values = values.to_vec1::<f32>().unwrap();
            values.iter().map(|v| (v * 255.).round() as u8).collect()
        };
        let unlabeled = classes(split.train.unlabeled());
        assert_eq!(unlabeled.len(), 54);
        assert!(unlabeled.contains(&3) && !unlabeled.contains(&0));
        assert!(!classes(split.train.anomalies().unwrap()).contains(&3));
        let test = classes(&split.test.samples);
        for ((class, kind), label) in test.iter().zip(&split.test.kinds).zip(split.test.labels()) {
            assert_eq!(
                (*class == 0, *class == 3),
                (*kind == TestKind::Unseen, !label)
            );
        }

        let scores: Vec<f64> = test.iter().map(|&c| f64::from(c)).collect();
        let (chosen, labels) = split.test.normals_and(TestKind::Unseen, &scores).unwrap();
        assert_eq!(chosen, [vec![3.; 30], vec![0.; 15]].concat());
        assert_eq!(labels, [vec![false; 30], vec![true; 15]].concat());
        let err = split
            .test
            .normals_and(TestKind::Seen, &scores[1..])
            .unwrap_err();
        assert!(matches!(
            err,
            Error::Length {
                left: 64,
                right: 65,
                ..
            }
        ));
    }

    #[test]
    fn without_labeled_anomalies_the_group_is_absent() {
        let (train, test) = (labels(10, 60), labels(10, 40));
        let split = ContaminatedSplit {
            labeled_anomalies: 0,
            ..small()
        };
        let s = split.indices(&train, &test, 0).unwrap();
        let column = |n| {
            let t = candle_core::Tensor::zeros(
                (n, 2),
                candle_core::DType::F32,
                &candle_core::Device::Cpu,
            );
            Samples::from(t.unwrap())
        };
        let parts = s.apply(&column(600), &column(400)).unwrap();
        assert!(parts.train.anomalies().is_none() && parts.validation.anomalies().is_none());
        let err = s.apply(&column(10), &column(400)).unwrap_err();
        assert!(matches!(err, Error::Index { len: 10, .. }));
    }

    #[test]
    fn configs_reject_unknown_fields() {
        let split: ContaminatedSplit = serde_json::from_str(r#"{"normal": [8]}"#).unwrap();
        assert_eq!(split, ContaminatedSplit::new(8));
        assert!(serde_json::from_str::<ContaminatedSplit>(r#"{"normals": [8]}"#).is_err());
    }
}
