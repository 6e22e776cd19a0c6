//! Detectors of perceptrons that learn no more.

use candle_core::{DType, Tensor};

use crate::Result;
use crate::ops::{Distance, FrozenLayers, LinearLayer};

/// A copy of a detector for scoring vectors alone: rows of numbers through all layers and to their scores, without
/// tensors between, with the bits of the detector's own score.
#[derive(Debug)]
pub(crate) struct Frozen {
    layers: FrozenLayers,
    score: RowScore,
}

/// What of the last layer's output is the score of a row.
#[derive(Debug)]
enum RowScore {
    /// Its distance from the row.
    Reconstruction,
    /// Its squared distance from this center.
    Distance(Vec<f32>),
    /// The one number that it is.
    Output,
}

impl Frozen {
    /// Of an autoencoder with these layers. As the others, `None` where the kernels do not take them.
    pub(super) fn of_reconstruction(layers: &[LinearLayer<'_>]) -> Result<Option<Self>> {
        let same = |layers: &FrozenLayers| layers.outputs() == layers.inputs();
        Self::new(layers, RowScore::Reconstruction, same)
    }

    /// Of an encoder with these layers and a center, `[latent]`.
    pub(super) fn of_distance(layers: &[LinearLayer<'_>], center: &Tensor) -> Result<Option<Self>> {
        let center: Vec<f32> = center.to_dtype(DType::F32)?.to_vec1()?;
        let latent = center.len();
        let same = |layers: &FrozenLayers| layers.outputs() == latent;
        Self::new(layers, RowScore::Distance(center), same)
    }

    /// Of layers the last of which has one output, the score.
    pub(super) fn of_output(layers: &[LinearLayer<'_>]) -> Result<Option<Self>> {
        Self::new(layers, RowScore::Output, |layers| layers.outputs() == 1)
    }

    fn new(
        layers: &[LinearLayer<'_>],
        score: RowScore,
        fits: impl FnOnce(&FrozenLayers) -> bool,
    ) -> Result<Option<Self>> {
        let layers = FrozenLayers::new(layers)?.filter(fits);
        Ok(layers.map(|layers| Self { layers, score }))
    }

    /// The length of a row.
    pub(crate) fn inputs(&self) -> usize {
        self.layers.inputs()
    }

    /// The scores of rows that lie one behind the other.
    pub(crate) fn score(&self, rows: &[f32]) -> Vec<f64> {
        let outputs = self.layers.forward(rows);
        let outputs = outputs.chunks_exact(self.layers.outputs());
        match &self.score {
            RowScore::Reconstruction => {
                let rows = rows.chunks_exact(self.layers.inputs());
                let distance = |(output, row)| Distance::Euclidean.of(output, row);
                outputs.zip(rows).map(distance).map(f64::from).collect()
            }
            RowScore::Distance(center) => {
                let distance = |output| Distance::Squared.of(output, center);
                outputs.map(distance).map(f64::from).collect()
            }
            RowScore::Output => outputs.map(|output| output[0].into()).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detector::autoencoder;
    use crate::detector::{
        AutoencoderSpec, ClassifierSpec, DeepSvddSpec, DenoisingSpec, DetectorSpec, IclSpec,
        NeutralSpec, Pooling,
    };
    use crate::net::{LeNetConfig, MlpShape, Network};
    use crate::{Params, scores_of};
    use candle_core::Device;

    const WIDTHS: [usize; 3] = [7, 19, 3];

    fn perceptron() -> Network {
        let [inputs, hidden, latent] = WIDTHS;
        Network::Mlp(MlpShape {
            inputs,
            hidden: vec![hidden],
            latent,
        })
    }

    /// Rows of numbers near 0, one all 0, and some for which f32 is too small.
    fn rows(count: usize) -> Vec<f32> {
        let [inputs, ..] = WIDTHS;
        let mut rows: Vec<f32> = (0..count * inputs)
            .map(|i| ((i * 37 + 11) % 101) as f32 / 25. - 2.)
            .collect();
        rows[..inputs].fill(0.);
        rows[inputs] = 3e38;
        rows[2 * inputs + 1] = -1e20;
        rows
    }

    fn built(
        spec: &dyn DetectorSpec,
        network: &Network,
        device: &Device,
    ) -> (super::super::Built, Params) {
        let params = Params::new(5, DType::F32, device);
        let shape = network.sample_shape();
        let built = spec.build(&shape, Some(network), params.var_builder());
        (built.unwrap(), params)
    }

    fn frozen(spec: &dyn DetectorSpec, network: &Network) -> Option<Frozen> {
        let (built, _) = built(spec, network, &Device::Cpu);
        built.freezing().and_then(|freeze| freeze().unwrap())
    }

    #[test]
    fn scores_are_those_of_the_detector_to_the_bit() {
        let specs: [&dyn DetectorSpec; 4] = [
            &AutoencoderSpec::default(),
            &DenoisingSpec::default(),
            &DeepSvddSpec::default(),
            &ClassifierSpec::default(),
        ];
        for spec in specs {
            let (built, params) = built(spec, &perceptron(), &Device::Cpu);
            // Biases and a center that are not all alike.
            for (i, (_, var)) in params.parameters().iter().enumerate() {
                let moved = (var.as_tensor() + 0.01 * i as f64).unwrap();
                var.set(&moved).unwrap();
            }
            let frozen = built.freezing().unwrap()().unwrap().unwrap();
            assert_eq!(frozen.inputs(), WIDTHS[0]);
            for count in [3, 4, 1000] {
                let rows = rows(count);
                let xs = Tensor::from_slice(&rows, (count, WIDTHS[0]), &Device::Cpu).unwrap();
                let expected = scores_of(built.detector(), &xs).unwrap();
                let bits =
                    |scores: Vec<f64>| scores.into_iter().map(f64::to_bits).collect::<Vec<_>>();
                assert_eq!(
                    bits(frozen.score(&rows)),
                    bits(expected),
                    "{spec:?}, {count}"
                );
            }
            assert!(frozen.score(&[]).is_empty());
        }
    }

    #[test]
    fn others_have_no_copy() {
        let params = Params::new(0, DType::F32, &Device::Cpu);
        let vb = params.var_builder();
        let patches = Pooling::LargestPatch { side: None };
        for (pooling, has_copy) in [(Pooling::Whole, true), (patches, false)] {
            let detector = autoencoder::on_network(&perceptron(), pooling, vb.clone()).unwrap();
            assert_eq!(detector.frozen().unwrap().is_some(), has_copy);
        }
        let several = DeepSvddSpec { centers: 3 };
        let images = Network::LeNet(LeNetConfig::default());
        assert!(frozen(&several, &perceptron()).is_none());
        assert!(frozen(&NeutralSpec::default(), &perceptron()).is_none());
        assert!(frozen(&AutoencoderSpec::default(), &images).is_none());
        assert!(frozen(&DeepSvddSpec::default(), &images).is_none());
        assert!(frozen(&ClassifierSpec::default(), &images).is_none());
        let params = Params::new(0, DType::F32, &Device::Cpu);
        let icl = IclSpec::default().build(&[7], Some(&perceptron()), params.var_builder());
        assert!(icl.is_ok_and(|built| built.freezing().is_none()));
    }
}
