//! Where normals and anomalies come from.

use std::path::Path;

use puad::data::{LabeledRows, RowSamples, adbench, mnist};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::Outcome;

/// The sets of ADBench that results are reported on; nothing was chosen on them.
const REPORTED: [&str; 6] = [
    "6_cardio",
    "23_mammography",
    "26_optdigits",
    "30_satellite",
    "32_shuttle",
    "38_thyroid",
];

/// The sets that settings were chosen on (`docs/design.md`, section 8).
const CHOSEN_ON: [&str; 6] = [
    "18_Ionosphere",
    "2_annthyroid",
    "20_letter",
    "24_mnist",
    "28_pendigits",
    "40_vowels",
];

/// Normals around 0 with deviation 1, anomalies at this distance with this deviation.
const MIXTURES: [(&str, f64, f64); 3] = [
    ("Gaussians, far", 4., 0.5),
    ("Gaussians, near", 2.5, 0.5),
    ("Gaussians, overlapping", 1.5, 0.5),
];

/// Rows of both classes.
pub struct Source {
    pub name: String,
    form: Form,
}

enum Form {
    Mixture {
        distance: f64,
        deviation: f64,
    },
    Rows {
        normals: Vec<Vec<f64>>,
        anomalies: Vec<Vec<f64>>,
    },
}

/// Rows that were drawn, each once.
pub struct Classes {
    pub normals: Vec<Vec<f64>>,
    pub anomalies: Vec<Vec<f64>>,
}

impl Source {
    pub fn all(data: Option<&Path>, chosen_on: bool) -> Outcome<Vec<Self>> {
        let mixture = |(name, distance, deviation): (&str, f64, f64)| Self {
            name: name.into(),
            form: Form::Mixture {
                distance,
                deviation,
            },
        };
        let mixtures = MIXTURES.into_iter().map(mixture);
        let tables = match data {
            Some(_) => Self::tables(data, chosen_on)?,
            None => vec![],
        };
        Ok(mixtures.chain(tables).collect())
    }

    pub fn tables(data: Option<&Path>, chosen_on: bool) -> Outcome<Vec<Self>> {
        let folder = data.ok_or("the tables need --data-dir")?.join("adbench");
        let table = |name: &&str| {
            let table = adbench::load(folder.join(format!("{name}.npz")))?;
            Ok(Self {
                name: name.split_once('_').map_or(*name, |(_, name)| name).into(),
                form: of_table(&table)?,
            })
        };
        let names = if chosen_on { CHOSEN_ON } else { REPORTED };
        names.iter().map(table).collect()
    }

    /// One normal class; all others are anomalies.
    pub fn mnist(data: Option<&Path>) -> Outcome<Vec<Self>> {
        let folder = data.ok_or("MNIST needs --data-dir")?.join("mnist");
        let set = mnist::load(folder)?.train;
        let pixels = |class: Option<u8>| {
            let size = set.pixels().len() / set.len();
            let images = set.labels().iter().enumerate();
            let chosen = images.filter(|(_, label)| (**label == NORMAL) == class.is_some());
            chosen
                .map(|(i, _)| {
                    let image = &set.pixels()[i * size..(i + 1) * size];
                    image.iter().map(|&p| f64::from(p) / 255.).collect()
                })
                .collect()
        };
        Ok(vec![Self {
            name: format!("MNIST, {NORMAL} normal"),
            form: Form::Rows {
                normals: pixels(Some(NORMAL)),
                anomalies: pixels(None),
            },
        }])
    }

    /// The largest share that is consistent with the data where `alpha` is the true one, as far as it is known: by
    /// how much normals are there where anomalies are densest (Scott 2015).
    pub fn identifiable(&self, alpha: f64) -> Option<f64> {
        let Form::Mixture {
            distance,
            deviation,
        } = self.form
        else {
            return None;
        };
        // The least ratio of the two densities, at distance / (1 - deviation^2).
        let variance = deviation * deviation;
        let ratio = variance * (-distance * distance / (2. * (1. - variance))).exp();
        Some(alpha + (1. - alpha) * ratio)
    }

    /// So many of each at most; fewer where there are fewer.
    pub fn draw(&self, normals: usize, anomalies: usize, rng: &mut ChaCha8Rng) -> Classes {
        match &self.form {
            Form::Mixture {
                distance,
                deviation,
            } => {
                let mut point = |center: f64, deviation: f64| {
                    let [x, y] = [(); 2].map(|()| StandardNormal.sample(&mut *rng));
                    let (x, y): (f64, f64) = (x, y);
                    vec![center + deviation * x, deviation * y]
                };
                Classes {
                    normals: (0..normals).map(|_| point(0., 1.)).collect(),
                    anomalies: (0..anomalies)
                        .map(|_| point(*distance, *deviation))
                        .collect(),
                }
            }
            Form::Rows {
                normals: all,
                anomalies: rare,
            } => Classes {
                normals: some(all, normals, rng),
                anomalies: some(rare, anomalies, rng),
            },
        }
    }

    /// How many anomalies there are.
    pub fn anomalies(&self) -> usize {
        match &self.form {
            Form::Mixture { .. } => usize::MAX,
            Form::Rows { anomalies, .. } => anomalies.len(),
        }
    }

    /// How many normals there are.
    pub fn normals(&self) -> usize {
        match &self.form {
            Form::Mixture { .. } => usize::MAX,
            Form::Rows { normals, .. } => normals.len(),
        }
    }
}

/// The class that is normal in MNIST.
const NORMAL: u8 = 4;

fn of_table(table: &LabeledRows) -> Outcome<Form> {
    let rows = |class| -> Outcome<Vec<Vec<f64>>> {
        let samples = table.samples()?.select(&table.rows_of(class))?;
        let tensor = samples
            .to_tensor()?
            .to_dtype(puad::candle_core::DType::F64)?;
        Ok(tensor.to_vec2()?)
    };
    Ok(Form::Rows {
        normals: rows(0)?,
        anomalies: rows(1)?,
    })
}

fn some(rows: &[Vec<f64>], n: usize, rng: &mut impl Rng) -> Vec<Vec<f64>> {
    let n = n.min(rows.len());
    let drawn = rand::seq::index::sample(rng, rows.len(), n);
    drawn.into_iter().map(|i| rows[i].clone()).collect()
}
