//! Figure 3 of the paper: what the groups of a contaminated split look like.
//!
//! ```text
//! cargo run --release -p puad-figures --example figure3
//! cargo run --release -p puad-figures --example figure3 -- mnist DIR 1
//! ```
//!
//! The first shows the built-in glyphs. The second MNIST, whose files lie in `DIR/mnist`, with digit 1 as normal; the
//! other sets of the paper go by `fashion-mnist`, `svhn`, `cifar10` (as Parquet with `--features parquet`) and so on.
//! Draws images of the split of seed 0, spread evenly over each group, to `target/figure3.svg` and `target/figure3.png`: unlabeled,
//! labeled anomalies, and of the test set normals and anomalies, with a frame around anomalies among the unlabeled
//! images and around unseen ones among the anomalies.

use std::error::Error;
use std::path::Path;

use puad::data::glyphs::{self, GlyphConfig};
use puad::data::protocol::{ContaminatedSplit, SplitIndices, TestKind};
use puad::data::tasks::PaperDataset;
use puad::data::{ImageSet, TrainTest};
use puad_figures::colour::VERMILLION;
use puad_figures::{Anchor, Figure};

/// Images of a group: columns and rows.
const GRID: (usize, usize) = (8, 4);
/// Side of an image, and what is between two.
const SIDE: f64 = 34.;
const GAP: f64 = 3.;

/// A group: its name, and its images, each with whether it gets a frame.
struct Group<'a> {
    title: String,
    images: Vec<(&'a [u8], bool)>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (name, images, normal) = load(&arguments)?;
    let task = name.map_or(PaperDataset::Mnist, |set| set).tasks();
    let task = task.into_iter().find(|task| task.key() == normal);
    let split = ContaminatedSplit::from(&task.ok_or("no task has this normal class")?);
    let (train, test) = (images.train.labels(), images.test.labels());
    let indices = split.indices(train, test, 0)?;

    let groups = groups(&images, &split, &indices);
    let (width, height) = (GRID.0 as f64 * (SIDE + GAP), GRID.1 as f64 * (SIDE + GAP));
    let mut figure = Figure::new(2. * width + 3. * 14. - 2. * GAP, 2. * (height + 30.) + 30.);
    for (i, group) in groups.iter().enumerate() {
        let left = 14. + (i % 2) as f64 * (width - GAP + 14.);
        let top = 26. + (i / 2) as f64 * (height + 30.);
        figure.text(left, top - 8., 13., Anchor::Start, &group.title);
        draw(&mut figure, (left, top), &images.train, group);
    }
    let bottom = 2. * (height + 30.) + 18.;
    let legend = "framed: anomalies among the unlabeled, unseen kinds among the anomalies";
    figure.text(14., bottom, 12., Anchor::Start, legend);
    figure.save(Path::new("target/figure3"))?;
    println!("target/figure3.svg, target/figure3.png");
    Ok(())
}

/// The set, none of the paper's where nothing was named; its images, and the normal class.
fn load(arguments: &[String]) -> Result<(Option<PaperDataset>, TrainTest, u8), Box<dyn Error>> {
    let Some(name) = arguments.first() else {
        let config = GlyphConfig {
            size: 32,
            ..GlyphConfig::default()
        };
        return Ok((None, glyphs::generate(&config, 0)?, 1));
    };
    let names = PaperDataset::ALL.map(PaperDataset::name);
    let mut sets = PaperDataset::ALL.into_iter();
    let set = sets.find(|set| set.name() == name);
    let set = set.ok_or_else(|| format!("the data set must be one of {names:?}, got {name:?}"))?;
    let dir = arguments
        .get(1)
        .ok_or("usage: figure3 DATASET DIR [NORMAL]")?;
    let lowest = set.tasks().first().map_or(0, |task| task.key());
    let normal = arguments.get(2).map_or(Ok(lowest), |text| text.parse())?;
    Ok((Some(set), set.load(Path::new(dir).join(name))?, normal))
}

/// Of each group some, spread over it.
fn groups<'a>(
    images: &'a TrainTest,
    split: &ContaminatedSplit,
    indices: &SplitIndices,
) -> [Group<'a>; 4] {
    let list = |classes: &mut dyn Iterator<Item = &u8>| {
        let texts: Vec<String> = classes.map(u8::to_string).collect();
        texts.join(", ")
    };
    let normal = list(&mut split.normal.iter());
    let unseen = list(&mut split.unseen.iter());
    let group = |title: String, set: &'a ImageSet, ids: Vec<u32>, framed: &dyn Fn(u32) -> bool| {
        let chosen = spread(&ids).into_iter();
        let image = |i| Some((set.image(i as usize)?, framed(i)));
        Group {
            title,
            images: chosen.filter_map(image).collect(),
        }
    };
    let of = |kinds: &[TestKind]| -> Vec<u32> {
        let both = indices.test.iter().zip(&indices.kinds);
        both.filter(|(_, kind)| kinds.contains(kind))
            .map(|(&i, _)| i)
            .collect()
    };
    let (train, test) = (&images.train, &images.test);
    let (labels, test_labels) = (train.labels(), test.labels());
    let is_anomaly = |i: u32| !split.normal.contains(&labels[i as usize]);
    let is_unseen = |i: u32| split.unseen.contains(&test_labels[i as usize]);
    let title = |letter: char, what: &str| format!("({letter}) {what}");
    [
        group(
            title('a', &format!("training, unlabeled; normal: {normal}")),
            train,
            indices.train.unlabeled.clone(),
            &is_anomaly,
        ),
        group(
            title('b', "training, labeled anomalies"),
            train,
            indices.train.anomalies.clone(),
            &|_| false,
        ),
        group(
            title('c', "test, normal"),
            test,
            of(&[TestKind::Normal]),
            &|_| false,
        ),
        group(
            title('d', &format!("test, anomalies; unseen: {unseen}")),
            test,
            of(&[TestKind::Seen, TestKind::Unseen]),
            &is_unseen,
        ),
    ]
}

/// As many as a grid holds, evenly from first to last.
fn spread(ids: &[u32]) -> Vec<u32> {
    let n = GRID.0 * GRID.1;
    let step = (ids.len() as f64 / n as f64).max(1.);
    let places = (0..n.min(ids.len())).map(|i| (i as f64 * step) as usize);
    places.map(|at| ids[at]).collect()
}

fn draw(figure: &mut Figure, (left, top): (f64, f64), set: &ImageSet, group: &Group<'_>) {
    let shape = set.shape();
    let plane = shape.height * shape.width;
    let scale = SIDE / shape.width.max(shape.height) as f64;
    for (i, (image, is_framed)) in group.images.iter().enumerate() {
        let x = left + (i % GRID.0) as f64 * (SIDE + GAP);
        let y = top + (i / GRID.0) as f64 * (SIDE + GAP);
        let pixel = |at: usize| {
            std::array::from_fn(|channel| image[channel.min(shape.channels - 1) * plane + at])
        };
        let rgb: Vec<[u8; 3]> = (0..plane).map(pixel).collect();
        figure.image((x, y), scale, shape.width, &rgb);
        if *is_framed {
            let (right, bottom) = (x + SIDE, y + SIDE);
            let corners = [(x, y), (right, y), (right, bottom), (x, bottom), (x, y)];
            figure.line(&corners, VERMILLION, 2.4, false);
        }
    }
}
