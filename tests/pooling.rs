//! Scores by the largest patch of the error map: what goes with them, and what data say of the side.
//!
//! `cargo test --release --test pooling -- --ignored --nocapture` measures it on generated textures.

use std::f32::consts::{FRAC_PI_2, TAU};
use std::ops::ControlFlow;

use puad::candle_core::{DType, Device, Tensor};
use puad::data::Samples;
use puad::data::glyphs::{self, GlyphConfig};
use puad::data::protocol::{ContaminatedSplit, TestKind};
use puad::detector::{AutoencoderSpec, DenoisingSpec, Pooling};
use puad::estimator::{Architecture, Attribution, Explanation, Threshold};
use puad::method::Method;
use puad::metrics::auroc;
use puad::net::{MlpShape, Network};
use puad::objective::{PuSpec, UnsupervisedSpec};
use puad::spec::{AnySpecification, Specification};
use puad::train::EpochReport;
use puad::{Error, Estimator, FitConfig, FittedDetector, Params};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Normal};

/// Woven grey textures of one kind, whose direction, phase and contrast vary from image to image.
struct Textures {
    side: usize,
    rng: ChaCha8Rng,
}

#[derive(Clone, Copy)]
enum Defect {
    None,
    /// A disk.
    Spot,
    /// A line.
    Scratch,
}

impl Textures {
    fn new(side: usize, seed: u64) -> Self {
        let rng = ChaCha8Rng::seed_from_u64(seed);
        Self { side, rng }
    }

    fn one(&mut self, defect: Defect) -> Vec<f32> {
        let (side, rng) = (self.side as f32, &mut self.rng);
        let mut wave = |direction: f32, period: f32| {
            let direction = direction + rng.random_range(-0.2..0.2);
            let phase = rng.random_range(0. ..TAU);
            let contrast = rng.random_range(0.05..0.2f32);
            let (dy, dx) = (direction.sin(), direction.cos());
            move |x: f32, y: f32| {
                contrast * (TAU * (x * dx + y * dy) / (period * side) + phase).sin()
            }
        };
        let (warp, weft) = (wave(0.4, 0.25), wave(0.4 + FRAC_PI_2, 0.19));
        let noise = Normal::new(0., 0.05f32).unwrap();
        // The defect's middle, half of its length, direction and brightness.
        let middle = [0, 1].map(|_| rng.random_range(0. ..side));
        let half = side * rng.random_range(0.05..0.1);
        let (dy, dx) = rng.random_range(0. ..TAU).sin_cos();
        let bright = rng.random_range(0.2..0.4f32) * if rng.random_bool(0.5) { 1. } else { -1. };
        let within = |x: f32, y: f32| {
            let (x, y) = (x - middle[0], y - middle[1]);
            let (along, across) = ((x * dx + y * dy).abs(), (x * dy - y * dx).abs());
            match defect {
                Defect::None => false,
                Defect::Spot => along.hypot(across) <= half,
                Defect::Scratch => along <= 2. * half && across <= 0.02 * side,
            }
        };
        let pixel = |i: usize| {
            let (x, y) = ((i % self.side) as f32, (i / self.side) as f32);
            let defect = if within(x, y) { bright } else { 0. };
            (0.5 + warp(x, y) + weft(x, y) + defect + noise.sample(rng)).clamp(0., 1.)
        };
        (0..self.side * self.side).map(pixel).collect()
    }

    fn some(&mut self, defects: &[(Defect, usize)]) -> Tensor {
        let all = defects.iter().flat_map(|&(defect, n)| vec![defect; n]);
        let images: Vec<Vec<f32>> = all.map(|defect| self.one(defect)).collect();
        let shape = (images.len(), 1, self.side, self.side);
        Tensor::from_vec(images.concat(), shape, &Device::Cpu).unwrap()
    }

    /// Unlabeled images, a tenth of them with defects, and labeled ones with spots alone.
    fn training(&mut self, n: usize) -> [Tensor; 2] {
        let few = n / 20;
        let unlabeled = [
            (Defect::None, n - 2 * few),
            (Defect::Spot, few),
            (Defect::Scratch, few),
        ];
        [self.some(&unlabeled), self.some(&[(Defect::Spot, 2 * few)])]
    }
}

fn pooled(pooling: Pooling) -> [Method; 3] {
    let plain = AutoencoderSpec {
        pooling,
        ..AutoencoderSpec::default()
    };
    let denoising = DenoisingSpec {
        pooling,
        ..DenoisingSpec::default()
    };
    [
        Method::new(plain, UnsupervisedSpec {}),
        Method::new(plain, PuSpec::default()),
        Method::new(denoising, PuSpec::default()),
    ]
}

fn fit(method: Method, [unlabeled, anomalies]: &[Tensor; 2], epochs: usize) -> FittedDetector {
    let mut config = FitConfig {
        method: Some(method),
        ..FitConfig::default()
    };
    config.train.epochs = epochs;
    let fitted = Estimator::new(config).fit(unlabeled, anomalies);
    fitted.unwrap()
}

/// Squared error maps of images, `[height, width]` each.
fn maps(explanation: &Explanation) -> Vec<Vec<f64>> {
    assert_eq!(explanation.kind, Attribution::ReconstructionError);
    let maps = explanation.attribution.sum(1).unwrap();
    let maps = maps.to_dtype(DType::F64).unwrap().flatten_from(1).unwrap();
    maps.to_vec2().unwrap()
}

/// The root of the largest sum over a square within a map; `None`: of all.
fn naive(map: &[f64], width: usize, side: Option<usize>) -> f64 {
    let height = map.len() / width;
    let Some(side) = side else {
        return map.iter().sum::<f64>().sqrt();
    };
    let (down, across) = (side.min(height), side.min(width));
    let mut largest = 0f64;
    for top in 0..=height - down {
        for left in 0..=width - across {
            let row = |y: usize| &map[y * width + left..][..across];
            let sum: f64 = (top..top + down).flat_map(row).sum();
            largest = largest.max(sum);
        }
    }
    largest.sqrt()
}

fn bits(scores: &[f64]) -> Vec<u64> {
    scores.iter().map(|s| s.to_bits()).collect()
}

/// Score, error map, decisions, probabilities, file and company.
#[test]
fn a_detector_by_patches_is_one_as_others_are() {
    let mut textures = Textures::new(16, 0);
    let data = textures.training(80);
    let new = textures.some(&[(Defect::None, 20), (Defect::Scratch, 20)]);
    let dir = tempfile::tempdir().unwrap();
    for (side, pixels) in [(Some(3), 3), (None, 2), (Some(100), 16)] {
        for method in pooled(Pooling::LargestPatch { side }) {
            let mut detector = fit(method.clone(), &data, 2);
            let scores = detector.score(&new).unwrap();
            let explanation = detector.explain(&new).unwrap();
            for (score, map) in scores.iter().zip(maps(&explanation)) {
                let expected = naive(&map, 16, Some(pixels));
                assert!(
                    (score - expected).abs() < 1e-5 * expected,
                    "{score} {expected}"
                );
            }
            assert!(explanation.reconstruction.is_some());
            detector.set_threshold(Threshold::Quantile(0.9)).unwrap();
            let found = detector.detect(&new).unwrap();
            assert_eq!(found.scores, scores);
            assert!(found.anomalous.contains(&true) && found.anomalous.contains(&false));
            let kept = &detector.validation_scores().unlabeled;
            assert!(kept.first() < Some(&detector.threshold()));
            assert!(kept.last() >= Some(&detector.threshold()));

            let path = dir.path().join("detector");
            detector.save(&path).unwrap();
            let same = FittedDetector::load(&path, &Device::Cpu).unwrap();
            assert_eq!(same.method(), &method);
            let again = same.detect(&new).unwrap();
            assert_eq!(bits(&again.scores), bits(&scores));
            assert_eq!(
                (again.anomalous, again.probabilities),
                (found.anomalous, found.probabilities)
            );

            for size in [1, 3, 40] {
                let batches = Samples::from(&new);
                let batches = batches.batches(size, &Device::Cpu).unwrap();
                let scored = detector
                    .score_batches(batches)
                    .collect::<puad::Result<Vec<_>>>();
                assert_eq!(bits(&scored.unwrap().concat()), bits(&scores), "{size}");
            }
            for threads in [1, 3] {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
                let scored = pool.build().unwrap().install(|| detector.score(&new));
                assert_eq!(bits(&scored.unwrap()), bits(&scores));
            }
        }
    }
}

/// Parameters, losses and risks are those of a run without patches; threshold and probabilities follow the score.
#[test]
fn only_the_score_is_another() {
    let data = Textures::new(16, 1).training(80);
    let [whole, patch] = [Pooling::Whole, Pooling::LargestPatch { side: Some(4) }]
        .map(|pooling| pooled(pooling).map(|method| fit(method, &data, 3)));
    for (whole, patch) in whole.into_iter().zip(patch) {
        let risks = |detector: &FittedDetector| {
            let epochs = detector.history().training.epochs.iter();
            let risks = epochs.map(|epoch| (epoch.risk, epoch.validation_risk));
            risks.collect::<Vec<_>>()
        };
        assert_eq!(risks(&whole), risks(&patch));
        let values = |detector: &FittedDetector| {
            let params = detector.network_model().unwrap().params().parameters();
            let values = params
                .iter()
                .map(|(_, p)| p.flatten_all().unwrap().to_vec1::<f32>());
            values.collect::<Result<Vec<_>, _>>().unwrap()
        };
        assert_eq!(values(&whole), values(&patch));
        let (all, largest) = (
            whole.score(&data[0]).unwrap(),
            patch.score(&data[0]).unwrap(),
        );
        assert!(all.iter().zip(&largest).all(|(all, patch)| patch < all));
        assert!(patch.threshold() < whole.threshold());
        let flagged = |d: &FittedDetector| {
            let flagged = d.predict(&data[0]).unwrap();
            flagged.iter().filter(|flag| **flag).count()
        };
        let told = (
            flagged(&patch),
            patch.decision_prior(),
            patch.prior_estimate(),
        );
        assert!((1..40).contains(&told.0), "{told:?} {:?}", patch.warnings());
    }
}

#[test]
fn vectors_have_no_patches() {
    let rows: Vec<[f32; 4]> = (0..40)
        .map(|i| [i as f32, 1., 2., (i * i) as f32])
        .collect();
    let network = Network::Mlp(MlpShape {
        inputs: 4,
        hidden: vec![8],
        latent: 2,
    });
    for method in pooled(Pooling::LargestPatch { side: None }) {
        for network in [Architecture::Auto, Architecture::Explicit(network.clone())] {
            let config = FitConfig {
                method: Some(method.clone()),
                network,
                ..FitConfig::default()
            };
            let mut watch = |_: &EpochReport| -> ControlFlow<()> { panic!("trained") };
            let estimator = Estimator::new(config).with_observer(&mut watch);
            let error = estimator.fit(&rows, &rows).unwrap_err();
            assert!(
                matches!(
                    error,
                    Error::Config {
                        name: "pooling",
                        ..
                    }
                ),
                "{error}"
            );
            let told = error.to_string();
            assert!(
                told.contains("LargestPatch") && told.contains("[4]"),
                "{told}"
            );
        }
        let detector = method.pair().unwrap().detector().unwrap();
        let params = Params::new(0, DType::F32, &Device::Cpu);
        let built = detector.build(&[4], Some(&network), params.var_builder());
        assert!(matches!(
            built,
            Err(Error::Config {
                name: "pooling",
                ..
            })
        ));
    }
}

#[test]
fn settings_are_read_and_written() {
    let old = |json| serde_json::from_str::<AutoencoderSpec>(json).unwrap();
    assert_eq!(old("{}"), AutoencoderSpec::default());
    assert_eq!(old(r#"{"pooling":"whole"}"#), AutoencoderSpec::default());
    let patch = |side| Pooling::LargestPatch { side };
    assert_eq!(
        old(r#"{"pooling":{"largest_patch":{}}}"#).pooling,
        patch(None)
    );
    for wrong in [
        r#"{"pooling":{"largest_patch":{"sides":3}}}"#,
        r#"{"pooling":{"largest_patch":{"side":-3}}}"#,
        r#"{"pooling":"largest"}"#,
    ] {
        assert!(
            serde_json::from_str::<AutoencoderSpec>(wrong).is_err(),
            "{wrong}"
        );
    }
    for pooling in [Pooling::Whole, patch(None), patch(Some(1)), patch(Some(7))] {
        let denoising = DenoisingSpec {
            noise: 0.2,
            pooling,
            ..DenoisingSpec::default()
        };
        denoising.check_settings().unwrap();
        for method in pooled(pooling) {
            method.check().unwrap();
            let json = serde_json::to_string(&method).unwrap();
            assert_eq!(
                serde_json::from_str::<Method>(&json).unwrap(),
                method,
                "{json}"
            );
            assert_eq!(json.starts_with('"'), pooling == Pooling::Whole, "{json}");
        }
    }
    for method in pooled(patch(Some(0))) {
        let error = method.check().unwrap_err();
        assert!(
            matches!(error, Error::Config { name: "side", .. }),
            "{error}"
        );
    }
    assert!(
        AutoencoderSpec {
            pooling: patch(Some(0)),
            ..AutoencoderSpec::default()
        }
        .check()
        .is_err()
    );
}

const SIDES: [usize; 10] = [1, 2, 3, 4, 5, 6, 8, 12, 16, 24];

/// AUROC of AE and PUAE by each side, the whole image last, over sets of 300 textures and a test of 200.
fn measured(side: usize, seeds: std::ops::Range<u64>) -> [Vec<f64>; 2] {
    let mut sums = [vec![0.; SIDES.len() + 1], vec![0.; SIDES.len() + 1]];
    let n = (seeds.end - seeds.start) as f64;
    for seed in seeds {
        let mut textures = Textures::new(side, seed);
        let data = textures.training(300);
        let kinds = [
            (Defect::None, 100),
            (Defect::Spot, 50),
            (Defect::Scratch, 50),
        ];
        let test = textures.some(&kinds);
        let truth: Vec<bool> = (0..200).map(|i| i >= 100).collect();
        for (method, sums) in [Method::AE, Method::PUAE].into_iter().zip(&mut sums) {
            let detector = fit(method, &data, 60);
            let maps = maps(&detector.explain(&test).unwrap());
            add_aurocs(sums, 1. / n, &maps, &truth);
        }
    }
    sums
}

/// Of square maps, by each side, with this weight.
fn add_aurocs(sums: &mut [f64], weight: f64, maps: &[Vec<f64>], truth: &[bool]) {
    let width = maps[0].len().isqrt();
    let by = SIDES.map(Some).into_iter().chain([None]);
    for (by, sum) in by.zip(sums) {
        let scores: Vec<f64> = maps.iter().map(|map| naive(map, width, by)).collect();
        *sum += weight * auroc(&scores, truth).unwrap();
    }
}

fn report(name: &str, [ae, puae]: &[Vec<f64>; 2]) {
    let titles = SIDES
        .iter()
        .map(ToString::to_string)
        .chain(["whole".into()]);
    println!("\n{name}\n| patch | AE | PUAE |\n|---|---|---|");
    for (title, (ae, puae)) in titles.zip(ae.iter().zip(puae)) {
        println!("| {title} | {ae:.3} | {puae:.3} |");
    }
}

/// Where all of an image is another, a patch of it says less.
#[test]
#[ignore = "trains 6 autoencoders: a minute"]
fn other_digits_are_no_small_defects() {
    let mut sums = [vec![0.; SIDES.len() + 1], vec![0.; SIDES.len() + 1]];
    for class in [1, 5, 8] {
        let config = GlyphConfig {
            size: 16,
            train_per_class: 800,
            test_per_class: 40,
        };
        let split = ContaminatedSplit {
            unlabeled_normals: 700,
            unlabeled_anomalies: 40,
            labeled_anomalies: 40,
            ..ContaminatedSplit::new(class)
        };
        let images = glyphs::generate(&config, 0).unwrap();
        let shape = images.train.shape();
        let split = split.split(&images, shape, 0).unwrap();
        let kinds = split.test.kinds.iter();
        let truth: Vec<bool> = kinds.map(|&kind| kind != TestKind::Normal).collect();
        for (method, sums) in [Method::AE, Method::PUAE].into_iter().zip(&mut sums) {
            let mut config = FitConfig {
                method: Some(method),
                ..FitConfig::default()
            };
            config.train.epochs = 20;
            let estimator = Estimator::new(config);
            let detector = estimator
                .fit_split(&split.train, &split.validation)
                .unwrap();
            let maps = maps(&detector.explain(&split.test.samples).unwrap());
            add_aurocs(sums, 1. / 3., &maps, &truth);
        }
    }
    report("digits of 16 x 16, normal 1, 5 and 8", &sums);
    for aurocs in sums {
        let (automatic, whole) = (aurocs[1], aurocs[SIDES.len()]);
        assert!(automatic < whole, "{automatic} {whole}");
    }
}

/// The automatic side, an eighth, was chosen on the first two sets; the others are of other seeds, and of
/// another size.
#[test]
#[ignore = "trains 14 autoencoders: minutes"]
fn patches_find_small_defects() {
    let chosen = measured(32, 0..2);
    report("chosen on: 32 x 32, seeds 0 and 1", &chosen);
    for (name, side, seeds) in [
        ("reported on: 32 x 32, seeds 10 to 12", 32, 10..13),
        ("reported on: 48 x 48, seeds 20 and 21", 48, 20..22),
    ] {
        let found = measured(side, seeds);
        report(name, &found);
        for aurocs in found {
            let automatic = SIDES.iter().position(|&s| s == side / 8).unwrap();
            let (patch, whole) = (aurocs[automatic], aurocs[SIDES.len()]);
            assert!(patch > whole + 0.03, "{name}: {patch} {whole}");
        }
    }
}
