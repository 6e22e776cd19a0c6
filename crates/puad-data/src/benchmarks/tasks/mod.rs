//! The anomaly detection tasks of section 5.1: which classes of each data set are normal, seen and
//! unseen anomalies.

mod layout;

pub use layout::FileLayout;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// The eight data sets of section 5.1.
///
/// ```
/// use puad_data::benchmarks::tasks::PaperDataset;
///
/// let tasks: Vec<usize> = PaperDataset::ALL.iter().map(|set| set.tasks().len()).collect();
/// assert_eq!(tasks, [9, 9, 9, 9, 1, 8, 1, 7]);
/// let [task] = &PaperDataset::OctMnist.tasks()[..] else { panic!() };
/// assert_eq!(PaperDataset::OctMnist.class_names()[usize::from(task.key())], "normal");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum PaperDataset {
    /// Handwritten digits.
    #[serde(rename = "mnist")]
    Mnist,
    /// Pieces of clothing.
    #[serde(rename = "fashion-mnist")]
    FashionMnist,
    /// House numbers' digits.
    #[serde(rename = "svhn")]
    Svhn,
    /// Animals and vehicles.
    #[serde(rename = "cifar10")]
    Cifar10,
    /// Twenty superclasses of natural and man-made things.
    #[serde(rename = "cifar100")]
    Cifar100,
    /// Tissue of the colon.
    #[serde(rename = "pathmnist")]
    PathMnist,
    /// Optical coherence tomography of the retina.
    #[serde(rename = "octmnist")]
    OctMnist,
    /// Cells of the kidney's cortex.
    #[serde(rename = "tissuemnist")]
    TissueMnist,
}

/// Which classes are normal, seen and unseen anomalies. No class has two roles.
///
/// ```
/// use puad_data::benchmarks::tasks::PaperDataset;
///
/// let task = &PaperDataset::Mnist.tasks()[0];
/// assert!(task.normal.is_disjoint(&task.seen) && task.seen.is_disjoint(&task.unseen));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Task {
    /// Normal classes.
    pub normal: BTreeSet<u8>,
    /// Anomalies of the training and the test set.
    pub seen: BTreeSet<u8>,
    /// Anomalies of the test set alone.
    pub unseen: BTreeSet<u8>,
}

impl Task {
    /// The lowest normal class, which tells a data set's tasks apart.
    ///
    /// ```
    /// use puad_data::benchmarks::tasks::PaperDataset;
    ///
    /// let keys: Vec<u8> = PaperDataset::Mnist.tasks().iter().map(|task| task.key()).collect();
    /// assert_eq!(keys, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    /// ```
    pub fn key(&self) -> u8 {
        self.normal.first().copied().unwrap_or(0)
    }
}

const DIGITS: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

/// CIFAR-100's superclasses that the paper calls human-related, but for `people`.
const MAN_MADE: [u8; 6] = [3, 5, 6, 9, 18, 19];
const PEOPLE: u8 = 14;

const OCT_NORMAL: u8 = 3;

impl PaperDataset {
    /// All, in the order of Tables 1 and 2.
    pub const ALL: [Self; 8] = [
        Self::Mnist,
        Self::FashionMnist,
        Self::Svhn,
        Self::Cifar10,
        Self::Cifar100,
        Self::PathMnist,
        Self::OctMnist,
        Self::TissueMnist,
    ];

    /// In lower case, as a folder's name.
    ///
    /// ```
    /// use puad_data::benchmarks::tasks::PaperDataset;
    ///
    /// assert_eq!(PaperDataset::FashionMnist.name(), "fashion-mnist");
    /// ```
    pub fn name(self) -> &'static str {
        match self {
            Self::Mnist => "mnist",
            Self::FashionMnist => "fashion-mnist",
            Self::Svhn => "svhn",
            Self::Cifar10 => "cifar10",
            Self::Cifar100 => "cifar100",
            Self::PathMnist => "pathmnist",
            Self::OctMnist => "octmnist",
            Self::TissueMnist => "tissuemnist",
        }
    }

    /// Names of the classes, by label: of CIFAR-100, the superclasses.
    ///
    /// # References
    /// Section 5.1 (FashionMNIST, CIFAR-10); Krizhevsky's page of CIFAR (superclasses, in the order
    /// of `coarse_label_names.txt`); `medmnist/info.py` of the MedMNIST package.
    ///
    /// ```
    /// use puad_data::benchmarks::tasks::PaperDataset;
    ///
    /// assert_eq!(PaperDataset::Cifar10.class_names()[3], "cat");
    /// ```
    pub fn class_names(self) -> &'static [&'static str] {
        match self {
            Self::Mnist | Self::Svhn => &DIGITS,
            Self::FashionMnist => &[
                "T-shirt/top",
                "trouser",
                "pullover",
                "dress",
                "coat",
                "sandal",
                "shirt",
                "sneaker",
                "bag",
                "ankle boot",
            ],
            Self::Cifar10 => &[
                "airplane",
                "automobile",
                "bird",
                "cat",
                "deer",
                "dog",
                "frog",
                "horse",
                "ship",
                "truck",
            ],
            Self::Cifar100 => &[
                "aquatic mammals",
                "fish",
                "flowers",
                "food containers",
                "fruit and vegetables",
                "household electrical devices",
                "household furniture",
                "insects",
                "large carnivores",
                "large man-made outdoor things",
                "large natural outdoor scenes",
                "large omnivores and herbivores",
                "medium mammals",
                "non-insect invertebrates",
                "people",
                "reptiles",
                "small mammals",
                "trees",
                "vehicles 1",
                "vehicles 2",
            ],
            Self::PathMnist => &[
                "adipose",
                "background",
                "debris",
                "lymphocytes",
                "mucus",
                "smooth muscle",
                "normal colon mucosa",
                "cancer-associated stroma",
                "colorectal adenocarcinoma epithelium",
            ],
            Self::OctMnist => &[
                "choroidal neovascularization",
                "diabetic macular edema",
                "drusen",
                "normal",
            ],
            Self::TissueMnist => &[
                "collecting duct, connecting tubule",
                "distal convoluted tubule",
                "glomerular endothelial cells",
                "interstitial endothelial cells",
                "leukocytes",
                "podocytes",
                "proximal tubule segments",
                "thick ascending limb",
            ],
        }
    }

    /// Number of classes.
    ///
    /// ```
    /// use puad_data::benchmarks::tasks::PaperDataset;
    ///
    /// assert_eq!(PaperDataset::TissueMnist.classes(), 8);
    /// ```
    pub fn classes(self) -> u8 {
        self.class_names().len() as u8
    }

    /// The tasks over which the tables average, by ascending [`key`](Task::key). Class 0 is unseen
    /// and each other class normal once, but for CIFAR-100 (natural superclasses are normal,
    /// man-made ones seen, people unseen) and OCTMNIST (its own normal class is normal).
    ///
    /// ```
    /// use puad_data::benchmarks::tasks::PaperDataset;
    ///
    /// let [task] = &PaperDataset::OctMnist.tasks()[..] else { panic!() };
    /// assert_eq!((task.normal.first(), task.unseen.first()), (Some(&3), Some(&0)));
    /// assert_eq!(task.seen, [1, 2].into());
    /// ```
    pub fn tasks(self) -> Vec<Task> {
        let task = |normal: BTreeSet<u8>, unseen: u8| Task {
            seen: (0..self.classes())
                .filter(|&class| class != unseen && !normal.contains(&class))
                .collect(),
            normal,
            unseen: [unseen].into(),
        };
        match self {
            Self::Cifar100 => {
                let human = |class: &u8| MAN_MADE.contains(class) || *class == PEOPLE;
                let natural = (0..self.classes()).filter(|class| !human(class));
                vec![task(natural.collect(), PEOPLE)]
            }
            Self::OctMnist => vec![task([OCT_NORMAL].into(), 0)],
            _ => (1..self.classes())
                .map(|class| task([class].into(), 0))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_cover_all_classes_once() {
        for set in PaperDataset::ALL {
            let tasks = set.tasks();
            for task in &tasks {
                let roles = [&task.normal, &task.seen, &task.unseen];
                let mut all: Vec<u8> = roles.into_iter().flatten().copied().collect();
                all.sort();
                assert_eq!(all, (0..set.classes()).collect::<Vec<u8>>(), "{set:?}");
                assert_eq!(task.unseen.len(), 1);
            }
            assert!(tasks.is_sorted_by_key(Task::key), "{set:?}");
        }
    }

    #[test]
    fn section_5_1_by_name() {
        let named = |set: PaperDataset, classes: &BTreeSet<u8>| -> Vec<&str> {
            let names = set.class_names();
            classes.iter().map(|&c| names[usize::from(c)]).collect()
        };
        let [task] = &PaperDataset::Cifar100.tasks()[..] else {
            panic!()
        };
        let set = PaperDataset::Cifar100;
        assert_eq!(named(set, &task.unseen), ["people"]);
        let seen = [
            "food containers",
            "household electrical devices",
            "household furniture",
            "large man-made outdoor things",
            "vehicles 1",
            "vehicles 2",
        ];
        assert_eq!(named(set, &task.seen), seen);
        assert_eq!(task.normal.len(), 13);

        let set = PaperDataset::OctMnist;
        let [task] = &set.tasks()[..] else { panic!() };
        assert_eq!(named(set, &task.normal), ["normal"]);
        assert_eq!(named(set, &task.seen), ["diabetic macular edema", "drusen"]);
        assert_eq!((task.key(), task.unseen.first()), (3, Some(&0)));

        // The example of section 5.1.
        let task = &PaperDataset::Mnist.tasks()[0];
        assert_eq!(task.normal, [1].into());
        assert_eq!(task.seen, (2..10).collect());
        assert_eq!(PaperDataset::TissueMnist.tasks().last().unwrap().key(), 7);
    }

    #[test]
    fn names_are_those_of_serde() {
        for set in PaperDataset::ALL {
            let json = serde_json::to_string(&set).unwrap();
            assert_eq!(json, format!("{:?}", set.name()));
        }
    }
}
