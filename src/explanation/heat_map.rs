//! Explanations of images as images.

use candle_core::{DType, Device, Tensor};
use puad_data::{ImageShape, image_file};

use super::{Attribution, Explanation};
use crate::data::Samples;
use crate::{Error, Result};

/// How [`Explanation::heat_map_png`] draws. Default: a scale of the image's own, alone.
///
/// ```
/// use puad::estimator::HeatMap;
///
/// // The same colours for the same contributions, whatever the image.
/// let heat = HeatMap { full: Some(0.25), ..HeatMap::default() };
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct HeatMap<'a> {
    /// The size of a pixel's contribution, all channels together, that has the full colour; larger ones have
    /// it too. Above 0, in the unit of [`Explanation::attribution`]: [`Explanation::largest_pixel`] is one for
    /// all images of an explanation. `None`: the largest of the image itself.
    pub full: Option<f64>,
    /// The images that were explained, to be drawn in grey beneath: `[n, channels, height, width]`. What leaves
    /// [0, 1] is stretched from its darkest to its brightest pixel.
    pub over: Option<&'a Samples>,
}

type Colour = [f64; 3];

/// From nothing to full, for what speaks for an anomaly: black, violet, red, orange, pale yellow. Lightness rises
/// evenly, so it reads in grey, too.
const WARM: [Colour; 5] = [
    [0., 0., 0.],
    [87., 16., 110.],
    [188., 55., 84.],
    [249., 142., 9.],
    [252., 255., 164.],
];

/// From nothing to full, for what speaks against one: black, blues, near white.
const COLD: [Colour; 5] = [
    [0., 0., 0.],
    [12., 44., 110.],
    [0., 114., 178.],
    [86., 180., 233.],
    [220., 242., 255.],
];

/// Over a grey image: Okabe and Ito's vermillion and blue, which people with colour blindness can tell apart.
const FOR: Colour = [213., 94., 0.];
const AGAINST: Colour = [0., 114., 178.];

/// Parts of red, green and blue in a grey, ITU-R BT.709, as in the images that are read as grey.
const LUMA: [f64; 3] = [0.2126, 0.7152, 0.0722];

impl Explanation {
    /// The size of the largest contribution of a pixel, all channels together, of all images: a
    /// [`HeatMap::full`] under which their maps have one scale.
    ///
    /// # Errors
    /// [`Error::Shape`] of anything but images, [`Error::NonFiniteValue`] for a contribution that is no number.
    pub fn largest_pixel(&self) -> Result<f64> {
        let mut largest = 0f64;
        for index in 0..self.attribution.dims().first().copied().unwrap_or(0) {
            largest = largest.max(largest_of(&self.pixels(index)?));
        }
        Ok(largest)
    }

    /// Where image `index` is anomalous, as the bytes of a PNG file of its height and width.
    ///
    /// A pixel's contributions are summed over its channels. Alone: 0 is black, what speaks for an anomaly goes over
    /// violet, red and orange to pale yellow, what speaks against one (below 0, by [`Attribution::Occlusion`] alone)
    /// over blue to near white. Over a grey image: the pixel itself at 0, vermillion or blue at full, mixed between.
    /// Colours go with the contribution, of [`Attribution::ReconstructionError`], which is squared, with its root: with the error
    /// itself.
    ///
    /// ```
    /// use puad::candle_core::{Device, Tensor};
    /// use puad::data::Samples;
    /// use puad::estimator::HeatMap;
    /// use puad::method::Method;
    /// use puad::{Estimator, FitConfig};
    ///
    /// let random = |n| Tensor::rand(0f32, 1., (n, 1, 8, 8), &Device::Cpu);
    /// let mut config = FitConfig { method: Some(Method::PUAE), ..Default::default() };
    /// config.train.epochs = 1;
    /// let detector = Estimator::new(config).fit(random(20)?, random(4)?)?;
    ///
    /// let images = Samples::from(random(2)?);
    /// let explanation = detector.explain(&images)?;
    /// // One scale for both.
    /// let heat = HeatMap { full: Some(explanation.largest_pixel()?), over: Some(&images) };
    /// for index in 0..2 {
    ///     let png = explanation.heat_map_png(index, &heat)?;
    ///     assert!(png.starts_with(b"\x89PNG"));
    /// }
    /// # Ok::<(), puad::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Shape`] for an explanation of anything but images, and for other images beneath;
    /// [`Error::Index`] beyond the last image; [`Error::Config`] for a `full` that is not finite or not above 0;
    /// [`Error::NonFiniteValue`] for a value that is no number; [`Error::Data`] for sides beyond 16,384.
    pub fn heat_map_png(&self, index: usize, heat: &HeatMap<'_>) -> Result<Vec<u8>> {
        let pixels = self.pixels(index)?;
        let full = match heat.full {
            Some(full) if full > 0. && full.is_finite() => full,
            Some(full) => return Err(Error::config("full", "finite and above 0", full)),
            None => largest_of(&pixels),
        };
        let beneath = heat.over.map(|images| self.beneath(images, index));
        let beneath = beneath.transpose()?;
        let colour = |(i, &pixel): (usize, &f64)| {
            let share = self.share(pixel, full);
            match &beneath {
                Some(grey) => over(grey[i], share, pixel < 0.),
                None => along(if pixel < 0. { &COLD } else { &WARM }, share),
            }
        };
        let colours: Vec<[u8; 3]> = pixels.iter().enumerate().map(colour).collect();
        let planes = (0..3).flat_map(|channel| colours.iter().map(move |rgb| rgb[channel]));
        let planes: Vec<u8> = planes.collect();
        let (_, _, height, width) = self.attribution.dims4()?;
        let shape = ImageShape {
            channels: 3,
            height,
            width,
        };
        Ok(image_file::encode_png(&planes, shape)?)
    }

    /// The contributions of an image's pixels, `[height, width]`.
    fn pixels(&self, index: usize) -> Result<Vec<f64>> {
        let what = "an explanation to draw";
        let &[len, channels, height, width] = self.attribution.dims() else {
            let expected = "[n, channels, height, width], as of images";
            return Err(Error::shape(what, expected, &self.attribution));
        };
        if index >= len {
            return Err(Error::Index { index, len });
        }
        let values = finite(&self.attribution.get(index)?, what)?;
        let area = height * width;
        let sum = |i: usize| (0..channels).map(|c| values[c * area + i]).sum();
        Ok((0..area).map(sum).collect())
    }

    /// How far a contribution is from nothing to `full`, in [0, 1].
    fn share(&self, pixel: f64, full: f64) -> f64 {
        // An image without any contribution has no full one.
        if pixel == 0. {
            return 0.;
        }
        let share = (pixel.abs() / full).min(1.);
        match self.kind {
            Attribution::ReconstructionError => share.sqrt(),
            Attribution::GradientTimesInput | Attribution::Occlusion => share,
        }
    }

    /// Image `index` in grey, `[height, width]` in [0, 1].
    fn beneath(&self, images: &Samples, index: usize) -> Result<Vec<f64>> {
        let what = "the images beneath a heat map";
        let (n, _, height, width) = self.attribution.dims4()?;
        let shape = images.sample_shape();
        let channels = match shape[..] {
            [channels, h, w] if (images.len(), h, w) == (n, height, width) => channels,
            _ => {
                return Err(Error::Shape {
                    what,
                    expected: format!("[{n}, channels, {height}, {width}], as those explained"),
                    actual: [&[images.len()], &shape[..]].concat(),
                });
            }
        };
        let image = images.clone().with_pixels()?.range(index, 1)?;
        let values = finite(&image, what)?;
        let weight = |channel: usize| match channels {
            3 => LUMA[channel],
            _ => 1. / channels as f64,
        };
        let area = height * width;
        let grey = |i: usize| {
            (0..channels)
                .map(|c| weight(c) * values[c * area + i])
                .sum()
        };
        let grey: Vec<f64> = (0..area).map(grey).collect();
        Ok(stretched(grey))
    }
}

/// A tensor's values on the host, row-major.
fn finite(tensor: &Tensor, what: &'static str) -> Result<Vec<f64>> {
    let values = tensor.to_device(&Device::Cpu)?.to_dtype(DType::F64)?;
    let values = values.flatten_all()?.to_vec1::<f64>()?;
    match values.iter().position(|value| !value.is_finite()) {
        Some(index) => Err(Error::NonFiniteValue {
            what,
            index,
            value: values[index],
        }),
        None => Ok(values),
    }
}

fn largest_of(pixels: &[f64]) -> f64 {
    pixels.iter().fold(0., |most, pixel| pixel.abs().max(most))
}

/// Values as they are where they lie in [0, 1], a rounding aside, else from the least to the greatest.
fn stretched(grey: Vec<f64>) -> Vec<f64> {
    let least = grey.iter().copied().fold(f64::INFINITY, f64::min);
    let most = grey.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if least >= -1e-6 && most <= 1. + 1e-6 {
        return grey;
    }
    let range = if most > least { most - least } else { 1. };
    grey.into_iter().map(|v| (v - least) / range).collect()
}

/// The colour at `share` of the way from the first stop to the last.
fn along(stops: &[Colour; 5], share: f64) -> [u8; 3] {
    let position = share * (stops.len() - 1) as f64;
    let i = (position as usize).min(stops.len() - 2);
    mixed(stops[i], stops[i + 1], position - i as f64)
}

/// A grey pixel beneath a contribution, for or `against` an anomaly.
fn over(grey: f64, share: f64, against: bool) -> [u8; 3] {
    mixed([255. * grey; 3], if against { AGAINST } else { FOR }, share)
}

fn mixed(from: Colour, to: Colour, share: f64) -> [u8; 3] {
    std::array::from_fn(|c| (from[c] + share * (to[c] - from[c])).round() as u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use puad_data::image_folder::ImageFolderConfig;

    fn explanation(kind: Attribution, values: &[f32], shape: &[usize]) -> Explanation {
        Explanation {
            attribution: Tensor::from_slice(values, shape, &Device::Cpu).unwrap(),
            kind,
            reconstruction: None,
        }
    }

    /// The colours of a map's pixels, row by row.
    fn colours(explanation: &Explanation, index: usize, heat: HeatMap<'_>) -> Vec<[u8; 3]> {
        let png = explanation.heat_map_png(index, &heat).unwrap();
        let (_, _, height, width) = explanation.attribution.dims4().unwrap();
        let shape = ImageShape {
            channels: 3,
            height,
            width,
        };
        let config = ImageFolderConfig {
            shape,
            ..ImageFolderConfig::default()
        };
        let image = image_file::decode(&png, &config).unwrap();
        let planes: Vec<&[u8]> = image.pixels().chunks(height * width).collect();
        let pixel = |i: usize| std::array::from_fn(|c| planes[c][i]);
        (0..height * width).map(pixel).collect()
    }

    fn full(full: f64) -> HeatMap<'static> {
        let full = Some(full);
        HeatMap { full, over: None }
    }

    const BLACK: [u8; 3] = [0; 3];
    const YELLOW: [u8; 3] = [252, 255, 164];
    const RED: [u8; 3] = [188, 55, 84];
    const PALE: [u8; 3] = [220, 242, 255];

    #[test]
    fn colours_go_from_nothing_to_full_for_and_against() {
        let values = [0f32, 1., 2., 4., -2., -4., 400., 0.];
        let map = explanation(Attribution::Occlusion, &values, &[1, 1, 2, 4]);
        let expected = [
            BLACK,
            [87, 16, 110],
            RED,
            YELLOW,
            [0, 114, 178],
            PALE,
            YELLOW,
            BLACK,
        ];
        assert_eq!(colours(&map, 0, full(4.)), expected);
        // Its own scale: the largest has the last colour.
        assert_eq!(map.largest_pixel().unwrap(), 400.);
        let own = colours(&map, 0, HeatMap::default());
        assert_eq!((own[6], own[0]), (YELLOW, BLACK));
        assert_eq!(own, colours(&map, 0, full(400.)));
        // Squared errors by their root.
        let values = [0f32, 1., 4., 16.];
        let errors = explanation(Attribution::ReconstructionError, &values, &[1, 1, 2, 2]);
        let found = colours(&errors, 0, full(16.));
        assert_eq!(found, [BLACK, [87, 16, 110], RED, YELLOW]);
        // Nothing at all.
        let none = explanation(Attribution::Occlusion, &[0.; 4], &[1, 1, 2, 2]);
        assert_eq!(colours(&none, 0, HeatMap::default()), [BLACK; 4]);
    }

    #[test]
    fn channels_are_summed_and_images_of_a_batch_have_one_scale() {
        let values = [1f32, 0., 0., 0., 1., -1., 0., 2., 3., 0., 1., 0.];
        let kind = Attribution::GradientTimesInput;
        let map = explanation(kind, &values, &[2, 3, 1, 2]);
        assert_eq!(map.pixels(0).unwrap(), [2., -1.]);
        assert_eq!(map.pixels(1).unwrap(), [4., 2.]);
        let all = map.largest_pixel().unwrap();
        assert_eq!(all, 4.);
        let [first, second] = [0, 1].map(|i| colours(&map, i, full(all)));
        assert_eq!((first[0], second[0], second[1]), (RED, YELLOW, RED));
        assert_eq!(colours(&map, 0, HeatMap::default())[0], YELLOW);
    }

    #[test]
    fn over_an_image_its_pixels_are_mixed_with_the_colour() {
        let values = [0f32, 2., 4., -4.].repeat(2);
        let map = explanation(Attribution::Occlusion, &values, &[2, 1, 2, 2]);
        let grey = Tensor::from_slice(&[0.2f32, 0., 1., 1.], (1, 1, 2, 2), &Device::Cpu).unwrap();
        let wide = (&grey * 100.).unwrap().affine(1., -30.).unwrap();
        let images = Samples::from(Tensor::cat(&[&grey, &wide], 0).unwrap());
        let drawn = |index, images: &Samples| {
            let heat = HeatMap {
                full: Some(4.),
                over: Some(images),
            };
            colours(&map, index, heat)
        };
        let expected = [[51; 3], [107, 47, 0], [213, 94, 0], [0, 114, 178]];
        assert_eq!(drawn(0, &images), expected);
        // Another unit: from its darkest to its brightest.
        assert_eq!(drawn(1, &images), expected);
        // Colours by their luma, bytes as bytes.
        let green = [0f32, 0., 0., 0., 1., 0., 0., 0., 0., 0., 0., 0.].repeat(2);
        let green = Tensor::from_vec(green, (2, 3, 2, 2), &Device::Cpu).unwrap();
        let bytes = (&green * 255.).unwrap().to_dtype(DType::U8).unwrap();
        for images in [green, bytes] {
            assert_eq!(drawn(0, &Samples::from(images))[0], [182; 3]);
        }
    }

    #[test]
    fn what_cannot_be_drawn_is_named() {
        let map = explanation(Attribution::Occlusion, &[1.; 8], &[2, 1, 2, 2]);
        let alone = HeatMap::default();
        let error = map.heat_map_png(2, &alone).unwrap_err();
        assert!(
            matches!(error, Error::Index { index: 2, len: 2 }),
            "{error}"
        );
        for wrong in [0., -1., f64::NAN, f64::INFINITY] {
            let error = map.heat_map_png(0, &full(wrong)).unwrap_err();
            assert!(
                matches!(error, Error::Config { name: "full", .. }),
                "{error}"
            );
        }
        let vectors = explanation(Attribution::Occlusion, &[1.; 8], &[2, 4]);
        for error in [
            vectors.heat_map_png(0, &alone).unwrap_err(),
            vectors.largest_pixel().unwrap_err(),
        ] {
            assert!(
                matches!(&error, Error::Shape { actual, .. } if *actual == [2, 4]),
                "{error}"
            );
        }
        let broken = explanation(Attribution::Occlusion, &[1., f32::NAN], &[1, 1, 1, 2]);
        let error = broken.heat_map_png(0, &alone).unwrap_err();
        assert!(
            matches!(error, Error::NonFiniteValue { index: 1, .. }),
            "{error}"
        );
        let zeros = |shape: &[usize]| Tensor::zeros(shape, DType::F32, &Device::Cpu).unwrap();
        for shape in [&[1, 1, 2, 2][..], &[2, 1, 2, 3], &[2, 4]] {
            let others = Samples::from(zeros(shape));
            let heat = HeatMap {
                over: Some(&others),
                ..alone
            };
            let error = map.heat_map_png(0, &heat).unwrap_err();
            assert!(
                matches!(&error, Error::Shape { actual, .. } if actual == shape),
                "{error}"
            );
        }
    }
}
